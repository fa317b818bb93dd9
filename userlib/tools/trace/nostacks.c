// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * In place of call stacks, where the program was built without libdw
 */
#include "trace.h"

int stacks_open(pid_t pid)
{
	(void)pid;
	fputs("winregion-trace: built without libdw, so there are no call stacks\n",
	      stderr);
	return 125;
}

/* Nothing was opened. */
void stacks_read(void)
{
}

void stacks_finish(FILE *to)
{
	(void)to;
}
