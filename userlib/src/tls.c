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

#include "threads.h"

#define TLS_FIRST TLS_MINIMUM_AVAILABLE
#define TLS_MORE 1024U
#define NR_TLS (TLS_FIRST + TLS_MORE)
#define NR_FLS FLS_MAXIMUM_AVAILABLE

/* A callback may set values again: so often it is called once more. */
#define FLS_ROUNDS 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* All of these: the lock */
static bool tls_used[NR_TLS];
static bool fls_used[NR_FLS];
static PFLS_CALLBACK_FUNCTION fls_callbacks[NR_FLS];
static struct wr_thread *threads;
static struct wr_fls *all_fls;

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
	fls->values = NULL;
	fls->next = NULL;
	fls->self = NULL;
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

/* Takes a value of @index, of whosesoever; NULL if there is no other. */
static PVOID take_value(DWORD index)
{
	struct wr_fls *fls;
	PVOID value = NULL;

	pthread_mutex_lock(&lock);
	for (fls = all_fls; fls && !value; fls = fls->next)
		value = __atomic_exchange_n(&fls->values[index], NULL,
					    __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock);

	return value;
}

/* The callback is called for all values, by this thread, without a lock. */
BOOL WINAPI FlsFree(DWORD index)
{
	PFLS_CALLBACK_FUNCTION callback = NULL;
	bool used;
	PVOID value;

	pthread_mutex_lock(&lock);
	used = is_fls(index) && fls_used[index];
	if (used) {
		callback = fls_callbacks[index];
		fls_callbacks[index] = NULL;
	}
	pthread_mutex_unlock(&lock);
	if (!used)
		return wr_succeeded(STATUS_INVALID_PARAMETER);

	while ((value = take_value(index)))
		if (callback)
			callback(value);

	pthread_mutex_lock(&lock);
	fls_used[index] = false;
	pthread_mutex_unlock(&lock);

	return TRUE;
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
		pthread_mutex_lock(&lock);
		value = fls->values[i];
		fls->values[i] = NULL;
		callback = fls_callbacks[i];
		pthread_mutex_unlock(&lock);
		any = true;
		if (value && callback)
			callback(value);
	}

	return any;
}

void wr_fls_end(struct wr_fls *fls)
{
	PVOID *values;
	int rounds = FLS_ROUNDS;

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

WR_HOLD_ACROSS_FORK(lock, WR_EARLY)
