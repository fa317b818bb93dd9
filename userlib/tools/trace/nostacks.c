// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * In place of call stacks, where the programs were built without libdw
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "allocated.h"

static int complain(void)
{
	fprintf(stderr,
		"%s: built without libdw, so there are no call stacks\n",
		program_invocation_short_name);
	return 125;
}

int stacks_open(pid_t pid)
{
	(void)pid;
	return complain();
}

int stacks_attach(pid_t pid)
{
	(void)pid;
	return complain();
}

/* Nothing was opened. */
void stacks_read(void)
{
}

void stacks_tell(struct allocated *all)
{
	memset(all, 0, sizeof(*all));
}

void stacks_end(struct allocated *all)
{
	memset(all, 0, sizeof(*all));
}
