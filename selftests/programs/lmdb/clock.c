// SPDX-License-Identifier: GPL-2.0
/*
 * The time that the tests of LMDB begin their random numbers with
 */
#include <stdlib.h>
#include <time.h>

time_t fixed_time(time_t *now);

time_t fixed_time(time_t *now)
{
	const char *seed = getenv("LMDB_SEED");
	time_t time = seed ? atol(seed) : 1;

	if (now)
		*now = time;

	return time;
}
