// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for the kernel to come to rest: for seconds after boot it frees what
 * booting needed, seeds its random numbers, lets RCU and workqueues finish, and
 * all of that would be in somebody's figures.
 */
#include "bench.h"

#define AT_LEAST 10	/* seconds */
#define AT_MOST 60
#define QUIET 4		/* seconds that must be alike */

static uint64_t activity(void)
{
	return words_value("/proc/stat", "ctxt") +
	       words_value("/proc/stat", "intr");
}

/* Alike: within an eighth, or a few events of a second that has hardly any */
static bool is_alike(uint64_t a, uint64_t b)
{
	uint64_t most = a > b ? a : b, least = a > b ? b : a;

	return most - least <= 20 + most / 8;
}

void settle(void)
{
	uint64_t last = activity(), rate, rate_before = 0;
	unsigned int second, quiet = 0;
	uint64_t now;

	for (second = 0; second < AT_MOST; second++) {
		sleep_ms(1000);
		now = activity();
		rate = now - last;
		quiet = is_alike(rate, rate_before) ? quiet + 1 : 0;
		if (second >= AT_LEAST && quiet >= QUIET)
			break;
		last = now;
		rate_before = rate;
	}
	printf("settled %u %llu\n", second, (unsigned long long)rate_before);
}
