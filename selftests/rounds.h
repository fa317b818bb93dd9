/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many rounds a random or racing test is run for: what the file "rounds"
 * says, never seconds. "COLUMN TIMES" in WR_ROUNDS chooses one of its columns,
 * and for a long run how many times as much.
 */
#ifndef _SELFTESTS_ROUNDS_H
#define _SELFTESTS_ROUNDS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ROUNDS_name: three numbers. Made of the file by the Makefile. */
#include <rounds_table.h>

#define ROUNDS_COLUMNS "normal", "debug", "full"

#define ROUNDS_OF(name) ((const unsigned int []){ ROUNDS_##name })

static inline long rounds_of(const unsigned int *line)
{
	static const char *const columns[] = { ROUNDS_COLUMNS };
	const char *text = getenv("WR_ROUNDS");
	char column[16] = "normal";
	unsigned int times = 1, i;

	if (text && sscanf(text, "%15s %u", column, &times) < 1)
		abort();
	for (i = 0; i < 3; i++)
		if (!strcmp(columns[i], column))
			return (long)line[i] * times;
	abort();
}

/* Of the line of the file that starts with @name */
#define rounds(name) rounds_of(ROUNDS_OF(name))

/* For a test that has no line of its own: @n of a normal run */
static inline long race_rounds(unsigned int n)
{
	return rounds_of((const unsigned int []){ n, (n + 3) / 4, 2 * n });
}

/*
 * Whether @what is tried this time: of a usual run of all tests one in @of is, in turn, and
 * on the next kernel the next one. So of three kernels each time one tries what has 3.
 */
static inline bool has_turn(unsigned int what, unsigned int of)
{
	const char *turn = getenv("WR_TURN");

	return !turn || (what + strtoul(turn, NULL, 10)) % of == 0;
}

#endif /* _SELFTESTS_ROUNDS_H */
