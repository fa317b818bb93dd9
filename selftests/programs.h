/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs that tests run: they are in directories beside the test
 */
#ifndef _SELFTESTS_PROGRAMS_H
#define _SELFTESTS_PROGRAMS_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where they are */
static char programs[PATH_MAX];

/* @name: the directory of programs/, and of what is made of it */
static inline bool find_programs(const char *name)
{
	ssize_t length =
		readlink("/proc/self/exe", programs, sizeof(programs) - 64);

	if (length < 0)
		return false;
	programs[length] = '\0';
	snprintf(strrchr(programs, '/'), 64, "/%s/bin", name);
	return true;
}

#endif /* _SELFTESTS_PROGRAMS_H */
