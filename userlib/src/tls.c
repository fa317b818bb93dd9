// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Variables of each thread (Tls) and of each fiber (Fls)
 *
 * An index is the same for all threads; what it stands for is looked up in the
 * thread, or the fiber that it is at the moment. Who gives one back takes the value
 * from all of them, so they are in lists.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "futex.h"
#include "threads.h"

#define TLS_FIRST TLS_MINIMUM_AVAILABLE
#define TLS_MORE 1024U
#define NR_TLS (TLS_FIRST + TLS_MORE)
#define NR_FLS FLS_MAXIMUM_AVAILABLE

/* A callback may set values again: so often all of them are looked at. */
#define FLS_ROUNDS 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* All of these: the lock */
static bool tls_used[NR_TLS];
static bool fls_used[NR_FLS];
static PFLS_CALLBACK_FUNCTION fls_callbacks[NR_FLS];
static struct wr_thread *threads;
/* The last one first */
static struct wr_fls *all_fls;
static uint64_t last_fls;

/* Those that FlsFree() is at, and of which thread; the lock */
static struct freeing {
	pthread_t thread;
	bool is;
	/* It waits for callbacks of others: since which time of @waits; 0: it does not. */
	uint64_t waits;
} freeing[NR_FLS];
static uint64_t waits;

/* A futex, which changes when a callback has returned that may be waited for */
static uint32_t returns;

/* The first that is free is taken, from @first on; or -1. */
static DWORD take_index(bool *used, DWORD first, DWORD nr)
{
	DWORD i;

	for (i = first; i < nr; i++) {
		if (used[i])
			continue;
		used[i] = true;
		return i;
	}

	return TLS_OUT_OF_INDEXES;
}

/* ---- Tls ---- */

void wr_threads_add(struct wr_thread *thread)
{
	pthread_mutex_lock(&lock);
	thread->next = threads;
	thread->self = &threads;
	if (threads)
		threads->self = &thread->next;
	threads = thread;
	pthread_mutex_unlock(&lock);
}

void wr_threads_remove(struct wr_thread *thread)
{
	pthread_mutex_lock(&lock);
	*thread->self = thread->next;
	if (thread->next)
		thread->next->self = thread->self;
	pthread_mutex_unlock(&lock);
}

/* Those of others are gone, and so are they, but for who asks for them by a handle. */
void wr_threads_forked(struct wr_thread *this)
{
	struct wr_thread *thread;

	for (thread = threads; thread; thread = thread->next)
		if (thread != this)
			wr_thread_lost(thread);
	threads = this;
	if (this) {
		wr_mutexes_forked(this);
		this->next = NULL;
		this->self = &threads;
	}
}

/* Where a thread has the value, or NULL if it has none of so high an index. */
static PVOID *tls_slot(struct wr_thread *thread, DWORD index)
{
	TEB *teb = &thread->teb;

	if (index < TLS_FIRST)
		return &teb->TlsSlots[index];

	return teb->TlsExpansionSlots ?
		       &teb->TlsExpansionSlots[index - TLS_FIRST] :
		       NULL;
}

static PVOID *make_tls_slot(struct wr_thread *thread, DWORD index)
{
	PVOID *more;

	if (index >= TLS_FIRST && !thread->teb.TlsExpansionSlots) {
		more = calloc(TLS_MORE, sizeof(*more));
		/* TlsFree() of another thread may look. */
		pthread_mutex_lock(&lock);
		thread->teb.TlsExpansionSlots = more;
		pthread_mutex_unlock(&lock);
	}

	return tls_slot(thread, index);
}

DWORD WINAPI TlsAlloc(VOID)
{
	DWORD index;

	pthread_mutex_lock(&lock);
	index = take_index(tls_used, 0, NR_TLS);
	pthread_mutex_unlock(&lock);
	if (index == TLS_OUT_OF_INDEXES)
		wr_succeeded(STATUS_NO_MEMORY);

	return index;
}

LPVOID WINAPI TlsGetValue(DWORD index)
{
	struct wr_thread *thread = wr_thread_known();
	PVOID *slot;

	if (index >= NR_TLS) {
		wr_succeeded(STATUS_INVALID_PARAMETER);
		return NULL;
	}
	/* So that NULL can be told from an error */
	SetLastError(ERROR_SUCCESS);
	slot = thread ? tls_slot(thread, index) : NULL;

	return slot ? *slot : NULL;
}

BOOL WINAPI TlsSetValue(DWORD index, LPVOID value)
{
	struct wr_thread *thread;
	PVOID *slot;

	WR_KEEP_ERRNO();

	if (index >= NR_TLS)
		return wr_succeeded(STATUS_INVALID_PARAMETER);
	thread = wr_thread_self();
	slot = thread ? make_tls_slot(thread, index) : NULL;
	if (!slot)
		return wr_succeeded(STATUS_NO_MEMORY);
	*slot = value;

	return TRUE;
}

BOOL WINAPI TlsFree(DWORD index)
{
	struct wr_thread *thread;
	bool used;
	PVOID *slot;

	pthread_mutex_lock(&lock);
	used = index < NR_TLS && tls_used[index];
	for (thread = used ? threads : NULL; thread; thread = thread->next) {
		slot = tls_slot(thread, index);
		if (slot)
			__atomic_store_n(slot, NULL, __ATOMIC_RELAXED);
	}
	if (used)
		tls_used[index] = false;
	pthread_mutex_unlock(&lock);

	return used || wr_succeeded(STATUS_INVALID_PARAMETER);
}

/* ---- Fls ---- */

void wr_fls_init(struct wr_fls *fls)
{
	*fls = (struct wr_fls){ 0 };
}

/* It has values from now on, and is in the list. */
static PVOID *fls_values(struct wr_fls *fls)
{
	PVOID *values;

	if (fls->values)
		return fls->values;
	values = calloc(NR_FLS, sizeof(*values));
	if (!values)
		return NULL;
	pthread_mutex_lock(&lock);
	fls->values = values;
	fls->number = ++last_fls;
	fls->next = all_fls;
	fls->self = &all_fls;
	if (all_fls)
		all_fls->self = &fls->next;
	all_fls = fls;
	pthread_mutex_unlock(&lock);

	return values;
}

DWORD WINAPI FlsAlloc(PFLS_CALLBACK_FUNCTION callback)
{
	DWORD index;

	pthread_mutex_lock(&lock);
	/* Index 0 is none of a program's. */
	index = take_index(fls_used, 1, NR_FLS);
	if (index != FLS_OUT_OF_INDEXES)
		fls_callbacks[index] = callback;
	pthread_mutex_unlock(&lock);
	if (index == FLS_OUT_OF_INDEXES)
		wr_succeeded(STATUS_NO_MEMORY);

	return index;
}

static bool is_fls(DWORD index)
{
	return index && index < NR_FLS;
}

PVOID WINAPI FlsGetValue(DWORD index)
{
	struct wr_thread *thread = wr_thread_known();

	if (!is_fls(index)) {
		wr_succeeded(STATUS_INVALID_PARAMETER);
		return NULL;
	}
	SetLastError(ERROR_SUCCESS);
	if (!thread || !thread->current_fls->values)
		return NULL;

	return thread->current_fls->values[index];
}

BOOL WINAPI FlsSetValue(DWORD index, PVOID value)
{
	struct wr_thread *thread;
	PVOID *values;

	WR_KEEP_ERRNO();

	if (!is_fls(index))
		return wr_succeeded(STATUS_INVALID_PARAMETER);
	thread = wr_thread_self();
	values = thread ? fls_values(thread->current_fls) : NULL;
	if (!values)
		return wr_succeeded(STATUS_NO_MEMORY);
	__atomic_store_n(&values[index], value, __ATOMIC_RELAXED);

	return TRUE;
}

/* ---- FlsFree() ---- */

/* False: there is no such index, or somebody is at it already. */
static bool begin_to_free(DWORD index, PFLS_CALLBACK_FUNCTION *callback)
{
	bool begun;

	pthread_mutex_lock(&lock);
	begun = is_fls(index) && fls_used[index] && !freeing[index].is;
	if (begun) {
		*callback = fls_callbacks[index];
		freeing[index].thread = pthread_self();
		freeing[index].is = true;
	}
	pthread_mutex_unlock(&lock);

	return begun;
}

/* Takes a value of @index, of one that is older than *@number; NULL if there is none. */
static PVOID take_value(DWORD index, uint64_t *number)
{
	struct wr_fls *fls;
	PVOID value = NULL;

	pthread_mutex_lock(&lock);
	for (fls = all_fls; fls && !value; fls = fls->next) {
		if (fls->number >= *number)
			continue;
		*number = fls->number;
		value = __atomic_exchange_n(&fls->values[index], NULL,
					    __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&lock);

	return value;
}

/* Each one once, without the lock. Return: whether there was any. */
static bool free_values(DWORD index, PFLS_CALLBACK_FUNCTION callback)
{
	uint64_t number = UINT64_MAX;
	bool any = false;
	PVOID value;

	while ((value = take_value(index, &number))) {
		any = true;
		if (callback)
			callback(value);
	}

	return any;
}

/* Whether @thread waited in FlsFree() itself, from within a callback, at that time. */
static bool has_waited(pthread_t thread, uint64_t since)
{
	DWORD i;

	for (i = 1; i < NR_FLS; i++)
		if (freeing[i].waits && freeing[i].waits < since &&
		    pthread_equal(freeing[i].thread, thread))
			return true;

	return false;
}

/*
 * Whether another thread is in the callback of @index. It may be the one that is waited for
 * by this thread's callback: of two that wait the first one does so.
 */
static bool others_call(DWORD index)
{
	const struct wr_fls *fls;

	for (fls = all_fls; fls; fls = fls->next)
		if (fls->calling == index &&
		    !pthread_equal(fls->caller, pthread_self()) &&
		    !has_waited(fls->caller, freeing[index].waits))
			return true;

	return false;
}

/* The lock is held, but not while this waits. */
static void wait_for_others(DWORD index)
{
	const struct wr_deadline never = { .never = true };
	uint32_t before;

	freeing[index].waits = ++waits;
	while (others_call(index)) {
		before = returns;
		pthread_mutex_unlock(&lock);
		wr_futex_wait(&returns, before, &never);
		pthread_mutex_lock(&lock);
	}
}

/* What is there still has been set too often. */
static void end_to_free(DWORD index)
{
	struct wr_fls *fls;

	pthread_mutex_lock(&lock);
	wait_for_others(index);
	for (fls = all_fls; fls; fls = fls->next)
		__atomic_store_n(&fls->values[index], NULL, __ATOMIC_RELAXED);
	fls_callbacks[index] = NULL;
	fls_used[index] = false;
	freeing[index] = (struct freeing){ 0 };
	pthread_mutex_unlock(&lock);
}

/*
 * The callback is called for all values, by this thread, without a lock; of threads that end
 * meanwhile by those. Once this returns it can be unloaded.
 */
BOOL WINAPI FlsFree(DWORD index)
{
	PFLS_CALLBACK_FUNCTION callback;
	int rounds = FLS_ROUNDS;

	WR_KEEP_ERRNO();
	WR_NO_CANCEL();

	if (!begin_to_free(index, &callback))
		return wr_succeeded(STATUS_INVALID_PARAMETER);
	while (rounds-- && free_values(index, callback))
		;
	end_to_free(index);

	return TRUE;
}

/* ---- the end of a thread or a fiber ---- */

/* Takes a value, and is in its callback from now on if there is one. */
static PVOID begin_call(struct wr_fls *fls, DWORD index,
			PFLS_CALLBACK_FUNCTION *callback)
{
	PVOID value;

	pthread_mutex_lock(&lock);
	value = fls->values[index];
	fls->values[index] = NULL;
	*callback = fls_callbacks[index];
	if (value && *callback) {
		fls->calling = index;
		fls->caller = pthread_self();
	}
	pthread_mutex_unlock(&lock);

	return value;
}

static void end_call(struct wr_fls *fls)
{
	bool waited_for;

	pthread_mutex_lock(&lock);
	waited_for = freeing[fls->calling].waits;
	fls->calling = 0;
	returns += waited_for;
	pthread_mutex_unlock(&lock);
	if (waited_for)
		wr_futex_wake(&returns, INT_MAX);
}

/* Calls the callbacks of what is set. Return: whether there was any. */
static bool call_back(struct wr_fls *fls)
{
	PFLS_CALLBACK_FUNCTION callback;
	bool any = false;
	PVOID value;
	DWORD i;

	for (i = 1; i < NR_FLS; i++) {
		if (!__atomic_load_n(&fls->values[i], __ATOMIC_RELAXED))
			continue;
		any = true;
		value = begin_call(fls, i, &callback);
		if (!value || !callback)
			continue;
		callback(value);
		end_call(fls);
	}

	return any;
}

void wr_fls_end(struct wr_fls *fls)
{
	PVOID *values;
	int rounds = FLS_ROUNDS;

	WR_NO_CANCEL();

	while (fls->values && rounds-- && call_back(fls))
		;
	pthread_mutex_lock(&lock);
	values = fls->values;
	if (values) {
		*fls->self = fls->next;
		if (fls->next)
			fls->next->self = fls->self;
		fls->values = NULL;
	}
	pthread_mutex_unlock(&lock);
	free(values);
}

/* ---- forks ---- */

/* No other thread is in a callback here, or goes on with what it has begun. */
void wr_fls_forked(void)
{
	struct wr_fls *fls;
	DWORD i;

	for (fls = all_fls; fls; fls = fls->next)
		if (!pthread_equal(fls->caller, pthread_self()))
			fls->calling = 0;
	for (i = 1; i < NR_FLS; i++)
		if (freeing[i].is &&
		    !pthread_equal(freeing[i].thread, pthread_self()))
			freeing[i] = (struct freeing){ 0 };
	returns++;
}

WR_HOLD_ACROSS_FORK(lock, WR_EARLY)
