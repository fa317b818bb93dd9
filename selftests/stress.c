// SPDX-License-Identifier: GPL-2.0
/*
 * The random calls of stress.h, as many as one likes:
 *
 *	stress [CALLS [PROCESSES [SEED [THREADS]]]]
 *
 * Each process does so many calls, divided among its threads.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "stress.h"

int main(int argc, char **argv)
{
	uint64_t ops = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
	unsigned int processes = argc > 2 ? atoi(argv[2]) : 1;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	unsigned int threads = argc > 4 ? atoi(argv[4]) : 1;
	uint64_t start = now_ms();
	int bad;

	if (argc > 5 || !ops || !processes || !threads) {
		fprintf(stderr,
			"usage: stress [CALLS [PROCESSES [SEED [THREADS]]]]\n");
		return 2;
	}
	bad = stress_run(ops, processes, seed, threads);
	printf("%s: %" PRIu64 " calls by each of %u processes of %u threads",
	       bad ? "FAILED" : "ok", ops, processes, threads);
	printf(", seed %" PRIu64 ", %" PRIu64 " s\n", seed,
	       (now_ms() - start) / 1000);
	return bad ? 1 : 0;
}
