// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What all tools do alike: to say how they are used, and what was wrong
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "say.h"

void say_usage(const char *what, const char *value)
{
	const char *name = program_invocation_short_name;

	if (what)
		fprintf(stderr, "%s: %s%s%s\n", name, what, value ? ": " : "",
			value ? value : "");
	fprintf(stderr, "\"%s --help\" tells how to use it\n", name);
	exit(SAY_USAGE);
}

void say_and_exit(const char *text, int failed)
{
	if (fputs(text, stdout) >= 0 && !fflush(stdout))
		exit(0);
	fprintf(stderr, "%s: cannot write: %s\n", program_invocation_short_name,
		strerror(errno));
	exit(failed);
}

pid_t say_parse_pid(const char *text, const char *advice)
{
	char *end;
	long pid = strtol(text, &end, 10);

	if (end != text && !*end && pid >= 1 && pid <= INT32_MAX)
		return (pid_t)pid;
	fprintf(stderr, "%s: no number of a process: %s\n%s",
		program_invocation_short_name, text, advice);
	say_usage(NULL, NULL);
}

int say_open_process(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	const char *why = strerror(errno);

	if (fd >= 0)
		return fd;
	if (errno == EINVAL || errno == ENOENT)
		why = "it is a thread, not a process";
	fprintf(stderr, "%s: %d: %s\n", program_invocation_short_name, pid,
		why);

	return -1;
}

void say_lost(unsigned long lost)
{
	if (lost)
		fprintf(stderr,
			"%s: %lu events are missing: there were too many at once\n",
			program_invocation_short_name, lost);
}
