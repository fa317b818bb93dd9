// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The blocks of a stack, for those who do not handle exceptions by themselves
 */
#include <string.h>
#include <sys/mman.h>

#include "tries.h"

__thread struct wr_tries wr_thread_tries;
__thread struct wr_tries *wr_fiber_tries;

void wr_tries_end(struct wr_tries *tries)
{
	struct wr_more_tries *more = tries->more, *before;

	memset(tries, 0, sizeof(*tries));
	for (; more; more = before) {
		before = more->before;
		munmap(more, more->bytes);
	}
}
