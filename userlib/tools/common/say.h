/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all tools do alike: to say how they are used, and what was wrong
 */
#ifndef _WINREGION_TOOLS_SAY_H
#define _WINREGION_TOOLS_SAY_H

#include <sys/types.h>

/* The status to exit with when words are wrong */
#define SAY_USAGE 2

/* Ends with SAY_USAGE. @what, if not NULL, was wrong; @value may be NULL. */
void say_usage(const char *what, const char *value)
	__attribute__((__noreturn__));

/* Ends with 0, or with @failed if that cannot be written. */
void say_and_exit(const char *text, int failed) __attribute__((__noreturn__));

/* The number of a process, or the end as of say_usage(), with lines of @advice before it */
pid_t say_parse_pid(const char *text, const char *advice);

/*
 * A descriptor of a process, to see it end: its number may be another's by then. Return: -1
 * when it is said why not
 */
int say_open_process(pid_t pid);

/* If events are missing, that they are */
void say_lost(unsigned long lost);

#endif /* _WINREGION_TOOLS_SAY_H */
