/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs of jobs: each is called by its name, and says what is not as it should be.
 */
#ifndef _SELFTESTS_BITS32_JOBS_H
#define _SELFTESTS_BITS32_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <windows.h>

#define PAGE 4096
#define KIB(n) ((SIZE_T)(n) << 10)
#define MIB(n) ((SIZE_T)(n) << 20)

static inline void check(bool good, int line, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "# line %d, last error %u: %s\n", line, GetLastError(),
		what);
	exit(1);
}

#define CHECK(what) check((what), __LINE__, #what)
#define FAILS(error, what) \
	check((SetLastError(0), !(what)) && GetLastError() == (error), \
	      __LINE__, #what " fails with " #error)

struct job {
	const char *name;
	void (*run)(void);
};

static inline int run_job(const struct job *jobs, size_t nr, int argc,
			  char **argv)
{
	size_t i;

	for (i = 0; argc == 2 && i < nr; i++)
		if (!strcmp(argv[1], jobs[i].name)) {
			jobs[i].run();
			return 0;
		}
	fprintf(stderr, "usage: %s JOB\n", argv[0]);

	return 2;
}

#endif /* _SELFTESTS_BITS32_JOBS_H */
