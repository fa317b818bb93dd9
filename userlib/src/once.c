// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is done once
 *
 * The state of an INIT_ONCE is in the two lowest bits of its pointer, which are not
 * the context's.
 */
#include "futex.h"
#include "internal.h"

#define STATE_BITS (((uintptr_t)1 << INIT_ONCE_CTX_RESERVED_BITS) - 1)

enum state {
	NOT_DONE,
	/* By one thread, for which the others wait */
	UNDER_WAY,
	DONE,
	/* By any number of threads, of which the first to complete wins */
	CONTESTED
};

#define BEGIN_FLAGS (INIT_ONCE_CHECK_ONLY | INIT_ONCE_ASYNC)
#define COMPLETE_FLAGS (INIT_ONCE_ASYNC | INIT_ONCE_INIT_FAILED)

static const struct wr_deadline forever = { .never = true };

static uintptr_t load(PINIT_ONCE once)
{
	return (uintptr_t)__atomic_load_n(&once->Ptr, __ATOMIC_ACQUIRE);
}

static bool change(PINIT_ONCE once, uintptr_t from, uintptr_t to)
{
	PVOID expected = (PVOID)from;

	return __atomic_compare_exchange_n(&once->Ptr, &expected, (PVOID)to,
					   false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

static BOOL give(uintptr_t value, PBOOL pending, LPVOID *context)
{
	*pending = FALSE;
	if (context)
		*context = (LPVOID)(value & ~STATE_BITS);

	return TRUE;
}

static BOOL check_only(PINIT_ONCE once, DWORD flags, PBOOL pending,
		       LPVOID *context)
{
	uintptr_t value = load(once);

	if (flags & INIT_ONCE_ASYNC)
		return wr_fail(ERROR_INVALID_PARAMETER);
	if ((value & STATE_BITS) != DONE)
		return wr_fail(ERROR_GEN_FAILURE);

	return give(value, pending, context);
}

VOID WINAPI InitOnceInitialize(PINIT_ONCE once)
{
	once->Ptr = NULL;
}

/* Return: FALSE if this state and these flags do not go together */
static BOOL begin(PINIT_ONCE once, bool async, PBOOL pending, LPVOID *context)
{
	uintptr_t value;

	for (;;) {
		value = load(once);
		switch (value & STATE_BITS) {
		case NOT_DONE:
			if (!change(once, value, async ? CONTESTED : UNDER_WAY))
				continue;
			*pending = TRUE;
			return TRUE;
		case UNDER_WAY:
			if (async)
				return FALSE;
			wr_futex_wait((uint32_t *)&once->Ptr, value, &forever);
			continue;
		case CONTESTED:
			*pending = TRUE;
			return async;
		default:
			return give(value, pending, context);
		}
	}
}

BOOL WINAPI InitOnceBeginInitialize(LPINIT_ONCE once, DWORD flags,
				    PBOOL pending, LPVOID *context)
{
	WR_KEEP_ERRNO();

	if (flags & ~BEGIN_FLAGS)
		return wr_fail(ERROR_INVALID_PARAMETER);
	if (flags & INIT_ONCE_CHECK_ONLY)
		return check_only(once, flags, pending, context);

	return begin(once, flags & INIT_ONCE_ASYNC, pending, context) ?
		       TRUE :
		       wr_fail(ERROR_INVALID_PARAMETER);
}

/* 0 or the error */
static DWORD complete(PINIT_ONCE once, uintptr_t value, bool async)
{
	switch (load(once)) {
	case UNDER_WAY:
		if (async)
			return ERROR_INVALID_PARAMETER;
		if (!change(once, UNDER_WAY, value))
			return ERROR_GEN_FAILURE;
		wr_futex_wake((uint32_t *)&once->Ptr, INT_MAX);
		return 0;
	case CONTESTED:
		if (!async)
			return ERROR_INVALID_PARAMETER;
		return change(once, CONTESTED, value) ? 0 : ERROR_GEN_FAILURE;
	default:
		return ERROR_GEN_FAILURE;
	}
}

BOOL WINAPI InitOnceComplete(LPINIT_ONCE once, DWORD flags, LPVOID context)
{
	uintptr_t value = (uintptr_t)context | DONE;
	DWORD error;

	WR_KEEP_ERRNO();

	if (flags & ~COMPLETE_FLAGS || flags == COMPLETE_FLAGS ||
	    (uintptr_t)context & STATE_BITS)
		return wr_fail(ERROR_INVALID_PARAMETER);
	if (flags & INIT_ONCE_INIT_FAILED) {
		if (context)
			return wr_fail(ERROR_INVALID_PARAMETER);
		value = NOT_DONE;
	}
	error = complete(once, value, flags & INIT_ONCE_ASYNC);

	return error ? wr_fail(error) : TRUE;
}

BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE once, PINIT_ONCE_FN function,
				PVOID argument, LPVOID *context)
{
	LPVOID result = NULL;
	BOOL pending;

	if (!InitOnceBeginInitialize(once, 0, &pending, context))
		return FALSE;
	if (!pending)
		return TRUE;
	if (!function(once, argument, context ? context : &result)) {
		InitOnceComplete(once, INIT_ONCE_INIT_FAILED, NULL);
		return FALSE;
	}

	return InitOnceComplete(once, 0, context ? *context : result);
}
