// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fibers: stacks that a thread changes between by itself
 *
 * A switch (switch.c) saves what a function keeps for its caller, the control of floating
 * point included, and goes on where the other one has saved that. A fiber may go on in
 * another thread than it began in: so nothing that belongs to the thread is looked up
 * before a switch and used after it.
 */
#include <errno.h>
#include <stdlib.h>

#include <winregion/winerror.h>

#include "switch.h"
#include "threads.h"
#include "tries.h"

/*
 * What C++'s runtime has for each thread, by its ABI: the exceptions that are being
 * caught, and how many are on their way. Without C++ when the program begins there is no
 * such function.
 */
struct cxx_exceptions {
	void *caught;
	unsigned int uncaught;
};

struct cxx_exceptions *__cxa_get_globals(void);
#pragma weak __cxa_get_globals

struct wr_fiber {
	/* First, as GetFiberData() may be a macro of others that reads it there */
	PVOID data;
	/* Saved while it does not run */
	void *sp;
	LPFIBER_START_ROUTINE start;
	/* None if it was a thread: then that one's bounds are in @teb. */
	struct wr_stack stack;
	PVOID stack_base;
	PVOID deallocation_stack;
	ULONG guaranteed;
	uint32_t stack_flags;
	struct wr_fls fls;
	/* Of the thread, for one that was converted */
	struct wr_fls *thread_fls;
	/* Blocks that it has entered: in @own_tries, or where its thread has them */
	struct wr_tries *tries;
	struct wr_tries own_tries;
	/* While it does not run */
	struct cxx_exceptions cxx;
};

/* The thread ends with the function of its fiber. */
void wr_fiber_run(struct wr_fiber *fiber)
{
	fiber->start(fiber->data);
	ExitThread(0);
}

/* Not inlined: after a switch it may be another thread. */
static __attribute__((noinline)) struct wr_thread *this_thread(void)
{
	__asm__ volatile("");

	return wr_thread_self();
}

static struct wr_fiber *this_fiber(void)
{
	struct wr_thread *thread = wr_thread_known();

	return thread ? thread->fiber : NULL;
}

static struct wr_fiber *new_fiber(PVOID data)
{
	struct wr_fiber *fiber = calloc(1, sizeof(*fiber));

	if (!fiber) {
		wr_succeeded(STATUS_NO_MEMORY);
		return NULL;
	}
	fiber->data = data;
	wr_fls_init(&fiber->fls);
	fiber->tries = &fiber->own_tries;

	return fiber;
}

static bool flags_are_known(DWORD flags)
{
	/* Floating point is always switched. */
	return !(flags & ~(DWORD)FIBER_FLAG_FLOAT_SWITCH) ||
	       wr_succeeded(STATUS_INVALID_PARAMETER);
}

/* ---- threads that are fibers ---- */

LPVOID WINAPI ConvertThreadToFiberEx(LPVOID argument, DWORD flags)
{
	struct wr_thread *thread;
	struct wr_fiber *fiber;

	WR_KEEP_ERRNO();

	if (!flags_are_known(flags))
		return NULL;
	thread = wr_thread_self();
	if (thread && thread->fiber) {
		wr_fail(ERROR_ALREADY_FIBER);
		return NULL;
	}
	fiber = thread ? new_fiber(argument) : NULL;
	if (!fiber) {
		wr_succeeded(STATUS_NO_MEMORY);
		return NULL;
	}
	/* The bounds, before they are another fiber's */
	NtCurrentTeb();
	/* What the thread has set is the fiber's from now on. */
	fiber->thread_fls = &thread->fls;
	fiber->tries = &wr_thread_tries;
	thread->fiber = fiber;
	thread->teb.NtTib.FiberData = fiber;

	return fiber;
}

LPVOID WINAPI ConvertThreadToFiber(LPVOID argument)
{
	return ConvertThreadToFiberEx(argument, 0);
}

static struct wr_fls *fls_of(struct wr_fiber *fiber)
{
	return fiber->thread_fls ? fiber->thread_fls : &fiber->fls;
}

BOOL WINAPI ConvertFiberToThread(VOID)
{
	struct wr_thread *thread = wr_thread_known();

	WR_KEEP_ERRNO();

	if (!thread || !thread->fiber)
		return wr_fail(ERROR_ALREADY_THREAD);
	/* One on a stack of its own goes on there, and nobody would give that back. */
	if (thread->fiber->thread_fls != &thread->fls)
		return wr_fail(ERROR_INVALID_PARAMETER);
	free(thread->fiber);
	thread->fiber = NULL;
	thread->teb.NtTib.FiberData = NULL;
	wr_fiber_tries = NULL;

	return TRUE;
}

void wr_fiber_end(struct wr_thread *thread)
{
	struct wr_fiber *fiber = thread->fiber;

	thread->fiber = NULL;
	thread->teb.NtTib.FiberData = NULL;
	thread->current_fls = &thread->fls;
	wr_fiber_tries = NULL;
	/* That of a thread's own stack goes; others may be deleted yet. */
	if (fiber && fiber->thread_fls == &thread->fls)
		free(fiber);
}

/* ---- fibers ---- */

static void set_frame(struct wr_fiber *fiber)
{
	char *top = fiber->stack.base + fiber->stack.size;

	fiber->sp = wr_fiber_frame(top, fiber);
	fiber->stack_base = top;
	fiber->deallocation_stack = fiber->stack.base;
	fiber->stack_flags = fiber->stack.flags;
}

LPVOID WINAPI CreateFiberEx(SIZE_T commit, SIZE_T reserve, DWORD flags,
			    LPFIBER_START_ROUTINE start, LPVOID argument)
{
	struct wr_fiber *fiber;
	int err;

	WR_KEEP_ERRNO();

	if (!flags_are_known(flags))
		return NULL;
	fiber = new_fiber(argument);
	if (!fiber)
		return NULL;
	fiber->start = start;
	err = wr_stack_make(&fiber->stack, reserve, commit,
			    WINREGION_GRANULARITY / 4);
	if (err) {
		free(fiber);
		wr_succeeded(wr_status(WR_ALLOCATE, err));
		return NULL;
	}
	set_frame(fiber);

	return fiber;
}

LPVOID WINAPI CreateFiber(SIZE_T commit, LPFIBER_START_ROUTINE start,
			  LPVOID argument)
{
	return CreateFiberEx(commit, 0, 0, start, argument);
}

static void change_exceptions(struct wr_fiber *from, const struct wr_fiber *to)
{
	struct cxx_exceptions *now;

	if (!__cxa_get_globals)
		return;
	now = __cxa_get_globals();
	from->cxx = *now;
	*now = to->cxx;
}

/* The thread is @to from now on, but for its registers. */
static void leave_for(struct wr_thread *thread, struct wr_fiber *from,
		      struct wr_fiber *to)
{
	TEB *teb = &thread->teb;

	from->stack_base = teb->NtTib.StackBase;
	from->deallocation_stack = teb->DeallocationStack;
	from->guaranteed = teb->GuaranteedStackBytes;
	from->stack_flags = thread->stack_flags;
	teb->NtTib.StackBase = to->stack_base;
	teb->DeallocationStack = to->deallocation_stack;
	teb->GuaranteedStackBytes = to->guaranteed;
	teb->NtTib.FiberData = to;
	thread->stack_flags = to->stack_flags;
	thread->fiber = to;
	thread->current_fls = fls_of(to);
	wr_fiber_tries = to->tries;
	change_exceptions(from, to);
}

VOID WINAPI SwitchToFiber(LPVOID fiber)
{
	struct wr_thread *thread = this_thread();
	struct wr_fiber *from = thread ? thread->fiber : NULL;
	struct wr_fiber *to = fiber;

	/* A thread that is no fiber would have nowhere to come back to. */
	if (!from || from == to)
		return;
	leave_for(thread, from, to);
	wr_fiber_switch(&from->sp, to->sp);
}

VOID WINAPI DeleteFiber(LPVOID data)
{
	struct wr_fiber *fiber = data;

	WR_KEEP_ERRNO();

	/* Who deletes what he is ends. */
	if (fiber == this_fiber())
		ExitThread(1);
	if (!fiber->thread_fls)
		wr_fls_end(&fiber->fls);
	wr_tries_end(&fiber->own_tries);
	wr_stack_free(&fiber->stack);
	free(fiber);
}

BOOL WINAPI IsThreadAFiber(VOID)
{
	return !!this_fiber();
}

/* Of a thread that is none: what its block has there on Windows */
PVOID WINAPI GetCurrentFiber(VOID)
{
	return this_fiber();
}

PVOID WINAPI GetFiberData(VOID)
{
	struct wr_fiber *fiber = this_fiber();

	return fiber ? fiber->data : NULL;
}
