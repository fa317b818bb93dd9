/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads, their stacks, what can be waited for, and fibers
 */
#ifndef _WINREGION_THREADS_H
#define _WINREGION_THREADS_H

#include <pthread.h>
#include <signal.h>

#include <winregion/fibersapi.h>
#include <winregion/processthreadsapi.h>
#include <winregion/synchapi.h>
#include <winregion/winternl.h>

#include "internal.h"

/* ---- stacks.c ---- */

/* A region that is a stack; without one @base is NULL. */
struct wr_stack {
	char *base;
	size_t size;
	/* Committed at first, at the upper end */
	size_t committed;
	/* Bytes behind it for an alternate stack, or 0 */
	size_t aside;
	/* WINREGION_STACK_* */
	uint32_t flags;
};

/*
 * A stack of @reserve bytes, of which @commit are committed; 0: as the program's
 * file says. @stack->aside is set already. At least @least bytes above the guard are
 * committed in any case, and @commit may make it larger. Or -errno.
 */
int wr_stack_make(struct wr_stack *stack, size_t reserve, size_t commit,
		  size_t least);
/* Nobody uses it any more. */
void wr_stack_free(struct wr_stack *stack);
/* What @aside is for a thread */
size_t wr_stack_aside(void);
/*
 * The calling thread, whose stack it is, takes signals on what is behind it, unless it
 * has as much room for them elsewhere. @before: where it did so.
 */
void wr_stack_alternate(const struct wr_stack *stack, stack_t *before);
/* ... and as before again, if nobody has changed that meanwhile */
void wr_stack_alternate_back(const struct wr_stack *stack,
			     const stack_t *before);
/* What the C library puts on a stack of a thread: its own data, and __thread. */
size_t wr_stack_tls_size(void);
/* The lowest byte of the stack from @base on that is in use, by a thread at @sp */
char *wr_stack_limit(char *base, const char *sp);

/* ---- wait.c ---- */

struct wr_thread;
struct wr_block;
struct wr_waitable;

/* What objects of a kind are for those who wait. Called under the lock of wait.c. */
struct wr_waits {
	/* Whether @thread need not wait for it */
	bool (*is_signaled)(struct wr_waitable *object,
			    struct wr_thread *thread);
	/* It has not waited in vain. Returns whether the object was abandoned. */
	bool (*take)(struct wr_waitable *object, struct wr_thread *thread);
	/*
	 * Look whether it is signaled, where nobody tells: called every now and then by
	 * those who wait, without the lock. NULL: it is told by wr_waits_wake().
	 */
	void (*look)(void);
	/*
	 * Of those that are shared with other processes, for the thread that calls:
	 * both of the first at once. Returns an NTSTATUS: STATUS_SUCCESS, STATUS_TIMEOUT
	 * if it was not signaled, or an error, which ends the wait.
	 */
	int (*grab)(struct wr_waitable *object, struct wr_thread *thread,
		    bool *abandoned);
	/* As if it had not had it: it could not have all. */
	void (*put_back)(struct wr_waitable *object, bool abandoned);
	/* @thread, which calls, has got it: without the lock. NULL: nothing to do. */
	void (*settle)(struct wr_waitable *object, struct wr_thread *thread);
};

/* The beginning of each object that can be waited for; after wr_waitable_init() */
struct wr_waitable {
	struct wr_object object;
	/* Those who wait, the first one first; the lock of wait.c */
	struct wr_block *first;
	struct wr_block **last;
	/* Of which process they are, after forks */
	unsigned int generation;
	/* It has a name, and so is of other processes, too: named.h */
	struct wr_shared *shared;
};

void wr_waitable_init(struct wr_waitable *object, const struct wr_kind *kind);

/* The lock of everything that can be waited for */
void wr_waits_lock(void);
void wr_waits_unlock(void);

/* Under that lock: the object may be signaled now. */
void wr_waits_wake(struct wr_waitable *object);

/* ---- event.c ---- */

/* Signal what @handle leads to. On success the lock of wait.c is held after that. */
NTSTATUS wr_signal_begin(HANDLE handle, struct wr_object **object);
/* Without the lock again; the caller has no user of it any more. */
void wr_signal_end(struct wr_object *object);

struct wr_mutex;

/*
 * The thread ends: its mutexes are abandoned, and who else waits for them has them.
 * Under the lock of wait.c.
 */
void wr_mutexes_abandon(struct wr_thread *thread, bool others);
/* The same of those with names, by the thread itself and without that lock, before */
void wr_mutexes_abandon_named(struct wr_thread *thread);
/* This is a child now, which has none of those with names. */
void wr_mutexes_forked(struct wr_thread *thread);

/* ---- tls.c ---- */

/* What FlsSetValue() has set: of a fiber, or of a thread without fibers */
struct wr_fls {
	struct wr_fls *next;
	struct wr_fls **self;
	/* NULL until the first one is set */
	PVOID *values;
	/* Later ones have higher ones. */
	uint64_t number;
	/* At its end: whose callback is being called, or 0, and by which thread */
	DWORD calling;
	pthread_t caller;
};

void wr_fls_init(struct wr_fls *fls);
/* Its end: callbacks are called, for the thread or fiber that calls. */
void wr_fls_end(struct wr_fls *fls);
/* This is a child now. */
void wr_fls_forked(void);
/* The threads there are: others take back what was set by TlsSetValue(). */
void wr_threads_add(struct wr_thread *thread);
void wr_threads_remove(struct wr_thread *thread);
void wr_threads_forked(struct wr_thread *remaining);

/* ---- fiber.c ---- */

struct wr_fiber;

/* The thread ends, on its own stack: the fiber that it was goes. */
void wr_fiber_end(struct wr_thread *thread);

/* ---- callbacks.c ---- */

/* @reason: DLL_* */
void wr_callbacks_call(DWORD reason);

/* ---- threads.c ---- */

/* What is known of a thread. Freed with its last handle, and not before it ends. */
struct wr_thread {
	struct wr_waitable waitable;
	/* Made by CreateThread(); else the rest up to @suspended does not matter. */
	bool created;
	pthread_t pthread;
	struct wr_stack stack;
	LPTHREAD_START_ROUTINE start;
	LPVOID argument;
	/* Where ExitThread() goes */
	void *way_out[5];
	/* Where it took signals before it took them behind its stack */
	stack_t signals_before;
	/* Futexes: TID_UNKNOWN or TID_ASKED_FOR until it is known; 1 until resumed */
	uint32_t tid;
	uint32_t suspended;
	/* All below: the lock of wait.c */
	bool ended;
	DWORD exit_code;
	struct wr_mutex *mutexes;
	/* It is over, or about to be, and nobody has joined it. */
	struct wr_thread *next_ended;
	/* The lock of tls.c */
	struct wr_thread *next;
	struct wr_thread **self;
	/* All below: of the thread itself */
	unsigned int rounds;
	struct wr_fls fls;
	struct wr_fls *current_fls;
	struct wr_fiber *fiber;
	/* WINREGION_STACK_* of the stack that it is on, if that is the module's */
	uint32_t stack_flags;
	TEB teb;
};

/* The calling thread, or NULL if there is no memory to know it */
struct wr_thread *wr_thread_self(void);
/* The same, or NULL if it has not been asked for yet */
struct wr_thread *wr_thread_known(void);
/* Of a handle with these rights, with one user more; also GetCurrentThread() */
NTSTATUS wr_thread_get(HANDLE handle, DWORD access, struct wr_thread **thread);
/* The thread is over: its stack is given back, once that is so. */
void wr_thread_join(struct wr_thread *thread);
/* In a child of a fork: it was the parent's, and has ended. */
void wr_thread_lost(struct wr_thread *thread);

extern const struct wr_kind wr_thread_kind;

#endif /* _WINREGION_THREADS_H */
