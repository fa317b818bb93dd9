// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Threads: CreateThread() and its kind
 *
 * A thread of CreateThread() is one of pthread_create() on a stack of stacks.c. Other
 * threads are known as soon as they ask for something that needs it. The end of both
 * is a destructor of pthread_setspecific(): in its first round what FlsAlloc() was
 * given is called, in the second, when other libraries have had their first, the
 * thread is over for those who wait. The program's callbacks are in the first, too.
 *
 * Nobody can give back the stack that he is on. So a thread that has ended is joined:
 * by who has waited for it, or by who makes or ends another one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <winregion/process.h>

#include "futex.h"
#include "switch.h"
#include "threads.h"

#define KNOWN_FLAGS (CREATE_SUSPENDED | STACK_SIZE_PARAM_IS_A_RESERVATION)

/* What @tid is before a thread has begun: with the second somebody waits for it. */
#define TID_UNKNOWN 0
#define TID_ASKED_FOR UINT32_MAX
/* In a child of a fork: of a thread that had not said it, and has none any more */
#define TID_NEVER_KNOWN (UINT32_MAX - 1)

/* So many that have ended are looked after at a time. */
#define JOINED_AT_A_TIME 4

static __thread struct wr_thread *self
	__attribute__((tls_model("initial-exec")));

static pthread_key_t key;
static bool has_key;

/* Those that have ended, the first one first; the lock of wait.c */
static struct wr_thread *first_ended;
static struct wr_thread **last_ended = &first_ended;

/* ---- those who wait for a thread ---- */

static bool is_over(struct wr_waitable *object, struct wr_thread *thread)
{
	(void)thread;

	return ((struct wr_thread *)object)->ended;
}

static bool take_nothing(struct wr_waitable *object, struct wr_thread *thread)
{
	(void)object;
	(void)thread;

	return false;
}

static const struct wr_waits thread_waits = {
	.is_signaled = is_over,
	.take = take_nothing,
};

static void destroy_thread(struct wr_object *object)
{
	struct wr_thread *thread = (struct wr_thread *)object;

	free(thread->teb.TlsExpansionSlots);
	free(thread);
}

const struct wr_kind wr_thread_kind = {
	.generic_read = STANDARD_RIGHTS_READ | THREAD_QUERY_INFORMATION |
			THREAD_GET_CONTEXT,
	.generic_write = STANDARD_RIGHTS_WRITE | THREAD_TERMINATE |
			 THREAD_SUSPEND_RESUME | THREAD_SET_INFORMATION,
	.generic_execute = STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE |
			   THREAD_QUERY_LIMITED_INFORMATION,
	.generic_all = THREAD_ALL_ACCESS,
	.destroy = destroy_thread,
	.waits = &thread_waits,
};

/* ---- what a thread is ---- */

/* It is its own user, as long as it runs. */
static struct wr_thread *new_thread(void)
{
	struct wr_thread *thread = calloc(1, sizeof(*thread));

	if (!thread)
		return NULL;
	wr_waitable_init(&thread->waitable, &wr_thread_kind);
	thread->waitable.object.kept = 1;
	/* A plain thread on a stack of ours has it by winregion_thread_attr(). */
	thread->stack_flags = WINREGION_STACK_LEAPS;
	thread->teb.NtTib.Self = &thread->teb.NtTib;
	wr_fls_init(&thread->fls);
	thread->current_fls = &thread->fls;

	return thread;
}

static void tell_tid(struct wr_thread *thread)
{
	uint32_t before =
		__atomic_exchange_n(&thread->tid, gettid(), __ATOMIC_ACQ_REL);

	if (before == TID_ASKED_FOR)
		wr_futex_wake(&thread->tid, INT_MAX);
}

static bool become(struct wr_thread *thread)
{
	if (!has_key || pthread_setspecific(key, thread))
		return false;
	thread->pthread = pthread_self();
	tell_tid(thread);
	if (!thread->created)
		wr_threads_add(thread);
	self = thread;

	return true;
}

struct wr_thread *wr_thread_known(void)
{
	return self;
}

struct wr_thread *wr_thread_self(void)
{
	struct wr_thread *thread = self;
	int saved_errno = errno;

	if (thread)
		return thread;
	thread = new_thread();
	if (thread && !become(thread)) {
		destroy_thread(&thread->waitable.object);
		thread = NULL;
	}
	errno = saved_errno;

	return thread;
}

/* ---- its end ---- */

static struct wr_thread *take_ended(void)
{
	struct wr_thread *thread = first_ended;

	if (!thread)
		return NULL;
	first_ended = thread->next_ended;
	if (!first_ended)
		last_ended = &first_ended;

	return thread;
}

static void add_ended(struct wr_thread *thread)
{
	thread->next_ended = NULL;
	*last_ended = thread;
	last_ended = &thread->next_ended;
}

static void give_back(struct wr_thread *thread)
{
	wr_stack_free(&thread->stack);
	wr_object_put(&thread->waitable.object);
}

/* One that is really over by now, or NULL; others have their turn later. */
static struct wr_thread *join_ended(void)
{
	struct wr_thread *thread;

	/* Whoever waits for it finds it in the list, or it is joined. */
	wr_waits_lock();
	thread = take_ended();
	if (thread && pthread_tryjoin_np(thread->pthread, NULL)) {
		add_ended(thread);
		thread = NULL;
	}
	wr_waits_unlock();

	return thread;
}

static void join_some(void)
{
	struct wr_thread *thread;
	int i;

	for (i = 0; i < JOINED_AT_A_TIME; i++) {
		thread = join_ended();
		if (!thread)
			return;
		give_back(thread);
	}
}

/* Whether it was in the list, and is not any more */
static bool take_from_ended(struct wr_thread *thread)
{
	struct wr_thread **at = &first_ended;

	while (*at && *at != thread)
		at = &(*at)->next_ended;
	if (!*at)
		return false;
	*at = thread->next_ended;
	if (!*at)
		last_ended = at;

	return true;
}

void wr_thread_join(struct wr_thread *thread)
{
	bool found;

	if (!thread->created || thread == self)
		return;
	wr_waits_lock();
	found = take_from_ended(thread);
	wr_waits_unlock();
	if (!found)
		return;
	pthread_join(thread->pthread, NULL);
	give_back(thread);
}

static void end(struct wr_thread *thread)
{
	bool created = thread->created;

	if (created)
		join_some();
	wr_mutexes_abandon_named(thread);
	wr_waits_lock();
	wr_mutexes_abandon(thread, true);
	thread->ended = true;
	if (created)
		add_ended(thread);
	wr_waits_wake(&thread->waitable);
	wr_waits_unlock();
	/* Not before it has ended: a child of a fork knows of those that are there. */
	wr_threads_remove(thread);
	self = NULL;
	if (!created)
		wr_object_put(&thread->waitable.object);
}

/* Rounds: see above. */
static void on_end(void *data)
{
	struct wr_thread *thread = data;

	self = thread;
	if (!thread->rounds++) {
		wr_fls_end(thread->current_fls);
		wr_fiber_end(thread);
		wr_fls_end(&thread->fls);
		wr_callbacks_call(DLL_THREAD_DETACH);
		if (!pthread_setspecific(key, thread))
			return;
	}
	end(thread);
}

/* ---- CreateThread() ---- */

static void wait_while(uint32_t *word, uint32_t value)
{
	const struct wr_deadline never = { .never = true };
	int saved_errno = errno;

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
		wr_futex_wait(word, value, &never);
	errno = saved_errno;
}

/* 0 is nobody's. */
static DWORD tid_of(struct wr_thread *thread)
{
	uint32_t tid = TID_UNKNOWN;

	if (__atomic_compare_exchange_n(&thread->tid, &tid, TID_ASKED_FOR,
					false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE) ||
	    tid == TID_ASKED_FOR)
		wait_while(&thread->tid, TID_ASKED_FOR);
	tid = __atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE);

	return tid == TID_NEVER_KNOWN ? 0 : tid;
}

static __attribute__((noinline)) void run(struct wr_thread *thread)
{
	if (!__builtin_setjmp(thread->way_out)) {
		wr_callbacks_call(DLL_THREAD_ATTACH);
		thread->exit_code = thread->start(thread->argument);
	}
}

/* Of each thread that ends, by pthread_cancel(), too */
static void leave_alternate(void *data)
{
	struct wr_thread *thread = data;

	wr_stack_alternate_back(&thread->stack, &thread->signals_before);
}

static void *start(void *data)
{
	struct wr_thread *thread = data;

	thread->stack_flags = thread->stack.flags;
	thread->teb.DeallocationStack = thread->stack.base;
	thread->teb.NtTib.StackBase = thread->stack.base + thread->stack.size;
	become(thread);
	wr_stack_alternate(&thread->stack, &thread->signals_before);
	pthread_cleanup_push(leave_alternate, thread);
	wait_while(&thread->suspended, 1);
	run(thread);
	pthread_cleanup_pop(1);

	return NULL;
}

static int start_thread(struct wr_thread *thread)
{
	pthread_attr_t attr;
	int err = pthread_attr_init(&attr);

	if (err)
		return err;
	err = pthread_attr_setstack(&attr, thread->stack.base,
				    thread->stack.size);
	if (!err)
		err = pthread_create(&thread->pthread, &attr, start, thread);
	pthread_attr_destroy(&attr);

	return err;
}

static NTSTATUS make_stack(struct wr_thread *thread, SIZE_T size, DWORD flags)
{
	bool is_reserve = flags & STACK_SIZE_PARAM_IS_A_RESERVATION;
	int err;

	thread->stack.aside = wr_stack_aside();
	err = wr_stack_make(&thread->stack, is_reserve ? size : 0,
			    is_reserve ? 0 : size, wr_stack_tls_size());

	return wr_status(WR_ALLOCATE, err);
}

/* With a handle, and known to a fork, so that nobody sees a thread without one */
static NTSTATUS create(struct wr_thread *thread, SIZE_T size, DWORD flags,
		       BOOL inherit, HANDLE *handle)
{
	NTSTATUS status = make_stack(thread, size, flags);
	HANDLE made;

	if (status != STATUS_SUCCESS)
		return status;
	wr_threads_add(thread);
	status = wr_handle_new(&thread->waitable.object, THREAD_ALL_ACCESS,
			       inherit, &made);
	if (status == STATUS_SUCCESS && start_thread(thread)) {
		wr_handle_drop(made);
		status = STATUS_NO_MEMORY;
	}
	if (status == STATUS_SUCCESS) {
		*handle = made;
		return status;
	}
	wr_threads_remove(thread);
	wr_stack_free(&thread->stack);

	return status;
}

/* The thread's own use is not undone: it may be over by now. */
static NTSTATUS create_thread(const SECURITY_ATTRIBUTES *security, SIZE_T size,
			      LPTHREAD_START_ROUTINE routine, LPVOID argument,
			      DWORD flags, LPDWORD id, HANDLE *handle)
{
	struct wr_thread *thread;
	NTSTATUS status;

	if (flags & ~KNOWN_FLAGS)
		return STATUS_INVALID_PARAMETER;
	if (id && !wr_writable(id, sizeof(*id)))
		return STATUS_ACCESS_VIOLATION;
	join_some();
	thread = has_key ? new_thread() : NULL;
	if (!thread)
		return STATUS_NO_MEMORY;
	thread->created = true;
	thread->start = routine;
	thread->argument = argument;
	thread->suspended = !!(flags & CREATE_SUSPENDED);
	/* For what follows, as the thread's own user can be gone before */
	wr_object_get(&thread->waitable.object);
	status = create(thread, size, flags,
			security && security->bInheritHandle, handle);
	if (status != STATUS_SUCCESS) {
		wr_object_put(&thread->waitable.object);
		wr_object_put(&thread->waitable.object);
		return status;
	}
	if (id)
		*id = tid_of(thread);
	wr_object_put(&thread->waitable.object);

	return STATUS_SUCCESS;
}

HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES security, SIZE_T stack,
			   LPTHREAD_START_ROUTINE routine, LPVOID argument,
			   DWORD flags, LPDWORD id)
{
	HANDLE handle = NULL;

	WR_KEEP_ERRNO();

	wr_succeeded(create_thread(security, stack, routine, argument, flags,
				   id, &handle));

	return handle;
}

/* The C library unwinds the stack. It is at its end at once: see wr_thread_leave(). */
__attribute__((used)) void wr_thread_exit(void)
{
	pthread_exit(NULL);
}

VOID WINAPI ExitThread(DWORD code)
{
	struct wr_thread *thread = wr_thread_self();

	if (thread)
		thread->exit_code = code;
	if (thread && thread->created)
		__builtin_longjmp(thread->way_out, 1);
	wr_thread_leave();
}

/* ---- handles of threads ---- */

NTSTATUS wr_thread_get(HANDLE handle, DWORD access, struct wr_thread **thread)
{
	struct wr_object *object;
	NTSTATUS status;
	DWORD granted;

	status = wr_handle_get(handle, &wr_thread_kind, &object, &granted);
	if (status != STATUS_SUCCESS)
		return status;
	if (access & granted) {
		*thread = (struct wr_thread *)object;
		return STATUS_SUCCESS;
	}
	wr_object_put(object);

	return STATUS_ACCESS_DENIED;
}

HANDLE WINAPI GetCurrentThread(VOID)
{
	return NtCurrentThread();
}

static struct wr_object *current_thread(void)
{
	struct wr_thread *thread = wr_thread_self();

	return thread ? &thread->waitable.object : NULL;
}

DWORD WINAPI ResumeThread(HANDLE handle)
{
	struct wr_thread *thread;
	NTSTATUS status;
	uint32_t before;

	WR_KEEP_ERRNO();

	status = wr_thread_get(handle, THREAD_SUSPEND_RESUME, &thread);
	if (status != STATUS_SUCCESS) {
		wr_succeeded(status);
		return (DWORD)-1;
	}
	before = __atomic_exchange_n(&thread->suspended, 0, __ATOMIC_RELEASE);
	if (before)
		wr_futex_wake(&thread->suspended, INT_MAX);
	wr_object_put(&thread->waitable.object);

	return before;
}

/* Nobody can end another thread here, wherever it is: only itself. */
BOOL WINAPI TerminateThread(HANDLE handle, DWORD code)
{
	struct wr_thread *thread;
	NTSTATUS status;
	bool own, ended;

	status = wr_thread_get(handle, THREAD_TERMINATE, &thread);
	if (status != STATUS_SUCCESS) {
		wr_succeeded(status);
		return FALSE;
	}
	own = thread == self;
	wr_waits_lock();
	ended = thread->ended;
	wr_waits_unlock();
	wr_object_put(&thread->waitable.object);
	if (own)
		ExitThread(code);
	if (ended)
		return wr_succeeded(STATUS_ACCESS_DENIED);

	return wr_succeeded(STATUS_NOT_SUPPORTED);
}

BOOL WINAPI GetExitCodeThread(HANDLE handle, LPDWORD code)
{
	struct wr_thread *thread;
	NTSTATUS status;
	DWORD found;

	WR_KEEP_ERRNO();

	if (!wr_writable(code, sizeof(*code)))
		return wr_succeeded(STATUS_ACCESS_VIOLATION);
	status = wr_thread_get(handle,
			       THREAD_QUERY_INFORMATION |
				       THREAD_QUERY_LIMITED_INFORMATION,
			       &thread);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	wr_waits_lock();
	found = thread->ended ? thread->exit_code : STILL_ACTIVE;
	wr_waits_unlock();
	wr_object_put(&thread->waitable.object);
	*code = found;

	return TRUE;
}

/* 0 is nobody's id. */
static DWORD id_of(HANDLE handle)
{
	struct wr_thread *thread;
	NTSTATUS status;
	DWORD id;

	status = wr_thread_get(handle,
			       THREAD_QUERY_INFORMATION |
				       THREAD_QUERY_LIMITED_INFORMATION,
			       &thread);
	if (status != STATUS_SUCCESS) {
		wr_succeeded(status);
		return 0;
	}
	id = tid_of(thread);
	wr_object_put(&thread->waitable.object);

	return id;
}

DWORD WINAPI GetThreadId(HANDLE thread)
{
	WR_KEEP_ERRNO();

	return id_of(thread);
}

DWORD WINAPI GetProcessIdOfThread(HANDLE thread)
{
	WR_KEEP_ERRNO();

	return id_of(thread) ? GetCurrentProcessId() : 0;
}

/* ---- as the C library of Windows has them ---- */

uintptr_t _beginthreadex(void *security, unsigned int stack,
			 unsigned int(WINAPI *routine)(void *argument),
			 void *argument, unsigned int flags, unsigned int *id)
{
	HANDLE handle;

	if (!routine) {
		errno = EINVAL;
		return 0;
	}
	handle = CreateThread(security, stack, routine, argument, flags, id);
	if (!handle)
		errno = GetLastError() == ERROR_INVALID_PARAMETER ? EINVAL :
								    EAGAIN;

	return (uintptr_t)handle;
}

struct plain {
	void (*start)(void *argument);
	void *argument;
};

static DWORD WINAPI run_plain(LPVOID data)
{
	struct plain plain = *(struct plain *)data;

	free(data);
	plain.start(plain.argument);

	return 0;
}

/* Its handle is closed when it ends; here it is closed at once, and of no use. */
uintptr_t _beginthread(void (*routine)(void *argument), unsigned int stack,
		       void *argument)
{
	struct plain *plain = routine ? malloc(sizeof(*plain)) : NULL;
	HANDLE handle;

	if (!plain) {
		errno = routine ? ENOMEM : EINVAL;
		return (uintptr_t)-1;
	}
	*plain = (struct plain){ routine, argument };
	handle = CreateThread(NULL, stack, run_plain, plain, 0, NULL);
	if (!handle) {
		free(plain);
		errno = EAGAIN;
		return (uintptr_t)-1;
	}
	CloseHandle(handle);

	return (uintptr_t)handle;
}

void _endthreadex(unsigned int code)
{
	ExitThread(code);
	__builtin_unreachable();
}

void _endthread(void)
{
	_endthreadex(0);
}

/* ---- processes ---- */

/* Which may not have run yet */
void wr_thread_lost(struct wr_thread *thread)
{
	if (thread->tid == TID_UNKNOWN || thread->tid == TID_ASKED_FOR)
		thread->tid = TID_NEVER_KNOWN;
	wr_mutexes_abandon(thread, false);
	thread->ended = true;
}

/* Of the threads of the parent only this one is here. */
static void after_fork_in_child(void)
{
	first_ended = NULL;
	last_ended = &first_ended;
	if (self)
		self->tid = gettid();
	wr_threads_forked(self);
	wr_fls_forked();
}

WR_EARLY static void init_threads(void)
{
	has_key = !pthread_key_create(&key, on_end);
	wr_current_thread = current_thread;
	pthread_atfork(NULL, NULL, after_fork_in_child);
	wr_callbacks_call(DLL_PROCESS_ATTACH);
}

/* The program ends: this thread's callbacks are called, those of others are not. */
WR_LATE static void end_program(void)
{
	if (self && !self->rounds++)
		wr_fls_end(self->current_fls);
	wr_callbacks_call(DLL_PROCESS_DETACH);
}
