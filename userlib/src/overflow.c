// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whether a fault is the overflow of a stack that is no region
 *
 * The module knows the stacks that it moves a guard down in. Those of the C library's
 * threads have a page in front that nothing can use, and that of the first thread grows
 * until its limit.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "exception.h"

static __thread uintptr_t lowest WR_ANY_TIME;
static __thread bool is_first WR_ANY_TIME;

/* Of the first thread: below what the kernel has put at its upper end. The limit changes. */
static uintptr_t lowest_of_first(void)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	uintptr_t end = (uintptr_t)name;
	struct rlimit limit;

	if (!name || getrlimit(RLIMIT_STACK, &limit))
		return 0;
	end += strlen(name) + 1 + sizeof(void *);
	end = (end + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	limit.rlim_cur &= ~(rlim_t)(PAGE_BYTES - 1);

	return limit.rlim_cur < end ? end - limit.rlim_cur : 0;
}

/* The first one of a child is on the stack of whichever thread has made it. */
static bool is_on_first(uintptr_t here)
{
	return gettid() == getpid() && here >= lowest_of_first() &&
	       here < getauxval(AT_EXECFN);
}

void wr_overflow_begin(void)
{
	pthread_attr_t attr;
	size_t size = 0;
	void *base = NULL;

	is_first = is_on_first((uintptr_t)__builtin_frame_address(0));
	if (is_first || pthread_getattr_np(pthread_self(), &attr))
		return;
	pthread_attr_getstack(&attr, &base, &size);
	pthread_attr_destroy(&attr);
	lowest = (uintptr_t)base;
}

bool wr_is_overflow(uintptr_t address, uintptr_t sp)
{
	uintptr_t end = is_first ? lowest_of_first() : lowest;

	return address < end && address + LEAP_BYTES >= end &&
	       sp + LEAP_BYTES >= end && sp < end + LEAP_BYTES;
}
