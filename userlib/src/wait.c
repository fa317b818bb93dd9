// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * To wait for objects: for one, for any of some, or for all of them at once
 *
 * Each object has a list of those who wait, in the order in which they came. Whoever
 * makes it signaled looks who can go on, takes the object for him, and wakes him: so
 * nobody who comes later is faster, and one who waits for all of some has none of them
 * before he has all. One lock for all objects; it is held for a moment only.
 *
 * What other processes have as well, by a name, is nobody's to give: who waits for any
 * such object sleeps on words of all of them, and tries to take them himself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "futex.h"
#include "handle.h"
#include "named.h"
#include "process.h"

/* As long as it may take until a change is seen that nobody tells */
#define MS_PER_LOOK 100

/* One object that somebody waits for */
struct wr_block {
	struct wr_waitable *object;
	struct wait *wait;
	struct wr_block *next;
	/* What leads to it; NULL: it is in no list. */
	struct wr_block **self;
};

/* What @done is: a wait that others cannot end for it is only poked. */
#define DONE 1
#define POKED 2

/*
 * One call that waits. @done is a futex, all else under the lock. Who ended it, @over,
 * tells it by @done when the lock is free, and until then it is in @woken. Some of the
 * objects are @shared with other processes: the call itself has to look, and to take all
 * it has waited for.
 */
struct wait {
	uint32_t done;
	bool over;
	struct wait *next_woken;
	bool shared;
	bool all;
	DWORD nr;
	DWORD result;
	/* Why the result is WAIT_FAILED */
	NTSTATUS status;
	struct wr_thread *thread;
	struct wr_block *blocks;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Those that are told when the lock is given back, the first one first */
static struct wait *woken;
static struct wait **last_woken = &woken;

/* A child of a fork has none of the other threads: nobody there waits. */
static unsigned int generation;

void wr_waits_lock(void)
{
	pthread_mutex_lock(&lock);
}

static void tell(struct wait *wait, uint32_t what)
{
	__atomic_store_n(&wait->done, what, __ATOMIC_RELEASE);
	wr_futex_wake(&wait->done, 1);
}

/* He may return, and his wait be gone, as soon as he is told. */
static void tell_all(struct wait *wait)
{
	int saved_errno = errno;
	struct wait *next;

	for (; wait; wait = next) {
		next = wait->next_woken;
		tell(wait, DONE);
	}
	errno = saved_errno;
}

/* Who is woken finds the lock free. */
void wr_waits_unlock(void)
{
	struct wait *first = woken;

	woken = NULL;
	last_woken = &woken;
	pthread_mutex_unlock(&lock);
	tell_all(first);
}

void wr_waitable_init(struct wr_waitable *object, const struct wr_kind *kind)
{
	wr_object_init(&object->object, kind, -1);
	object->first = NULL;
	object->last = &object->first;
	object->generation = generation;
}

/* ---- lists; the lock is held ---- */

static void forget_others(struct wr_waitable *object)
{
	if (object->generation == generation)
		return;
	object->first = NULL;
	object->last = &object->first;
	object->generation = generation;
}

static void add_block(struct wr_block *block)
{
	struct wr_waitable *object = block->object;

	forget_others(object);
	block->next = NULL;
	block->self = object->last;
	*object->last = block;
	object->last = &block->next;
}

static void remove_block(struct wr_block *block)
{
	if (!block->self)
		return;
	*block->self = block->next;
	if (block->next)
		block->next->self = block->self;
	else
		block->object->last = block->self;
	block->self = NULL;
}

static void remove_all(struct wait *wait)
{
	DWORD i;

	for (i = 0; i < wait->nr; i++)
		remove_block(&wait->blocks[i]);
}

static const struct wr_waits *waits_of(const struct wr_waitable *object)
{
	return object->object.kind->waits;
}

static bool is_signaled(struct wait *wait, DWORD i)
{
	struct wr_waitable *object = wait->blocks[i].object;

	return waits_of(object)->is_signaled(object, wait->thread);
}

static bool take(struct wait *wait, DWORD i)
{
	struct wr_waitable *object = wait->blocks[i].object;

	return waits_of(object)->take(object, wait->thread);
}

static bool is_shared(struct wait *wait, DWORD i)
{
	return wait->blocks[i].object->shared;
}

static NTSTATUS grab(struct wait *wait, DWORD i, bool *abandoned)
{
	struct wr_waitable *object = wait->blocks[i].object;

	if (object->shared)
		return waits_of(object)->grab(object, wait->thread, abandoned);
	if (!is_signaled(wait, i))
		return STATUS_TIMEOUT;
	*abandoned = take(wait, i);

	return STATUS_SUCCESS;
}

/*
 * Those that are shared, or none of them: other processes do not wait for the lock, so
 * one that was signaled may be no more.
 */
static NTSTATUS grab_shared(struct wait *wait, bool *abandoned)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct wr_waitable *object;
	DWORD i;

	for (i = 0; i < wait->nr && status == STATUS_SUCCESS; i++)
		if (is_shared(wait, i))
			status = grab(wait, i, &abandoned[i]);
	if (status == STATUS_SUCCESS)
		return status;
	i--;
	while (i--) {
		object = wait->blocks[i].object;
		if (object->shared)
			waits_of(object)->put_back(object, abandoned[i]);
	}

	return status;
}

/* Whether what a grab of them returned ends the wait */
static bool fails(struct wait *wait, NTSTATUS status)
{
	if (status == STATUS_TIMEOUT)
		return false;
	wait->status = status;
	wait->result = WAIT_FAILED;

	return true;
}

/* All or none; of abandoned ones the first counts. */
static bool take_all(struct wait *wait)
{
	bool abandoned[MAXIMUM_WAIT_OBJECTS];
	NTSTATUS status = STATUS_SUCCESS;
	DWORD i;

	/* What is had and put back is not there for others, and wakes all who wait. */
	for (i = 0; i < wait->nr; i++)
		if (!is_signaled(wait, i))
			return false;
	if (wait->shared)
		status = grab_shared(wait, abandoned);
	if (status != STATUS_SUCCESS)
		return fails(wait, status);
	wait->result = WAIT_OBJECT_0;
	for (i = 0; i < wait->nr; i++) {
		if (!is_shared(wait, i))
			abandoned[i] = take(wait, i);
		if (abandoned[i] && wait->result == WAIT_OBJECT_0)
			wait->result = WAIT_ABANDONED_0 + i;
	}

	return true;
}

/* The first that is signaled */
static bool take_any(struct wait *wait)
{
	NTSTATUS status = STATUS_TIMEOUT;
	bool abandoned;
	DWORD i;

	for (i = 0; i < wait->nr; i++) {
		status = grab(wait, i, &abandoned);
		if (status != STATUS_TIMEOUT)
			break;
	}
	if (status != STATUS_SUCCESS)
		return fails(wait, status);
	wait->result = abandoned ? WAIT_ABANDONED_0 + i : WAIT_OBJECT_0 + i;

	return true;
}

static bool try_take(struct wait *wait)
{
	return wait->all ? take_all(wait) : take_any(wait);
}

static void let_go(struct wait *wait)
{
	remove_all(wait);
	wait->over = true;
	wait->next_woken = NULL;
	*last_woken = wait;
	last_woken = &wait->next_woken;
}

void wr_waits_wake(struct wr_waitable *object)
{
	struct wr_block *block, *next;
	int saved_errno = errno;

	forget_others(object);
	for (block = object->first; block; block = next) {
		next = block->next;
		/* It may be in the list twice: what follows is another's. */
		while (next && next->wait == block->wait)
			next = next->next;
		if (!waits_of(object)->is_signaled(object, block->wait->thread))
			continue;
		/* It may be over before the lock is free, as it looks itself. */
		if (block->wait->shared)
			tell(block->wait, POKED);
		else if (try_take(block->wait))
			let_go(block->wait);
	}
	errno = saved_errno;
}

/* ---- waiting ---- */

static void sleep_until(struct wait *wait, const struct wr_deadline *until)
{
	while (!__atomic_load_n(&wait->done, __ATOMIC_ACQUIRE) &&
	       wr_futex_wait(&wait->done, 0, until))
		;
}

/* Objects that have to be looked at. Return: whether there are */
static bool look(struct wait *wait)
{
	const struct wr_waits *waits, *last = NULL;
	DWORD i;

	for (i = 0; i < wait->nr; i++) {
		waits = waits_of(wait->blocks[i].object);
		if (waits->look && waits != last) {
			waits->look();
			last = waits;
		}
	}

	return last;
}

static bool is_before(const struct wr_deadline *a, const struct wr_deadline *b)
{
	if (a->never || b->never)
		return !a->never;

	return a->at.tv_sec < b->at.tv_sec ||
	       (a->at.tv_sec == b->at.tv_sec && a->at.tv_nsec < b->at.tv_nsec);
}

/* The same, where nobody tells: sleep for a while, and look. */
static void look_until(struct wait *wait, const struct wr_deadline *until)
{
	struct wr_deadline next;
	bool last, done;

	do {
		next = wr_deadline_in(MS_PER_LOOK);
		last = !is_before(&next, until);
		sleep_until(wait, last ? until : &next);
		look(wait);
		wr_waits_lock();
		if (!wait->over && try_take(wait)) {
			remove_all(wait);
			wait->over = true;
			wait->done = DONE;
		}
		done = wait->over;
		wr_waits_unlock();
	} while (!done && !last);
}

/* ---- objects of other processes, too ---- */

static struct futex_waitv sleep_on(uint32_t *word, uint32_t value, bool private)
{
	return (struct futex_waitv){
		.val = value,
		.uaddr = (uintptr_t)word,
		.flags = FUTEX_32 | (private ? FUTEX_PRIVATE_FLAG : 0),
	};
}

/* What has to change before it is worth while to look again. Return: how many */
static unsigned int note_changes(struct wait *wait, struct futex_waitv *words)
{
	unsigned int n = 0;
	uint32_t *word;
	DWORD i;

	for (i = 0; i < wait->nr; i++) {
		if (!is_shared(wait, i))
			continue;
		word = wr_named_changes(wait->blocks[i].object);
		words[n++] = sleep_on(word,
				      __atomic_load_n(word, __ATOMIC_SEQ_CST),
				      false);
	}

	return n;
}

/* The lock is held. What it was poked for is looked at now. */
static bool try_again(struct wait *wait)
{
	wait->over = try_take(wait);
	wait->done = wait->over ? DONE : 0;
	if (wait->over)
		remove_all(wait);

	return wait->over;
}

/*
 * Until one of the words is no longer what it was, or until then. A sandbox may know
 * nothing of such calls: then only what is in this process is seen at once.
 */
static void sleep_on_words(struct wait *wait, struct futex_waitv *words,
			   unsigned int n, const struct wr_deadline *then)
{
	words[n] = sleep_on(&wait->done, 0, true);
	if (syscall(SYS_futex_waitv, words, n + 1, 0, &then->at,
		    CLOCK_MONOTONIC) < 0 &&
	    errno != EAGAIN && errno != EINTR && errno != ETIMEDOUT)
		sleep_until(wait, then);
}

/* As above; who dies as he signals one does not tell, nor does who dies as he owns it. */
static void share_until(struct wait *wait, const struct wr_deadline *until)
{
	struct futex_waitv words[MAXIMUM_WAIT_OBJECTS + 1];
	bool last = false, done;
	struct wr_deadline next;
	unsigned int n;

	for (;;) {
		n = note_changes(wait, words);
		look(wait);
		wr_waits_lock();
		done = try_again(wait);
		wr_waits_unlock();
		if (done || last)
			return;
		next = wr_deadline_in(MS_PER_LOOK);
		last = !is_before(&next, until);
		sleep_on_words(wait, words, n, last ? until : &next);
		if (last) {
			next = wr_deadline_in(0);
			last = !is_before(&next, until);
		}
	}
}

/* It is too late, unless somebody was faster and is about to tell. */
static void give_up(struct wait *wait)
{
	static const struct wr_deadline forever = { .never = true };
	bool over;

	wr_waits_lock();
	over = wait->over;
	if (!over) {
		remove_all(wait);
		wait->result = WAIT_TIMEOUT;
	}
	wr_waits_unlock();
	if (over)
		sleep_until(wait, &forever);
}

/*
 * The lock is held, and is not any more when this returns. With @looks some of it has
 * to be looked at.
 */
static DWORD wait_locked(struct wait *wait, DWORD milliseconds, bool looks)
{
	struct wr_deadline until;
	DWORD i;

	if (try_take(wait)) {
		wr_waits_unlock();
		return wait->result;
	}
	if (!milliseconds) {
		wr_waits_unlock();
		return WAIT_TIMEOUT;
	}
	until = wr_deadline_in(milliseconds);
	for (i = 0; i < wait->nr; i++)
		add_block(&wait->blocks[i]);
	wr_waits_unlock();

	if (wait->shared)
		share_until(wait, &until);
	else if (looks)
		look_until(wait, &until);
	else
		sleep_until(wait, &until);

	if (__atomic_load_n(&wait->done, __ATOMIC_ACQUIRE) != DONE)
		give_up(wait);

	return wait->result;
}

static bool has_got(struct wait *wait, DWORD i)
{
	return wait->all || wait->result == WAIT_OBJECT_0 + i ||
	       wait->result == WAIT_ABANDONED_0 + i;
}

/* A thread that is over has given its stack back when the wait is. */
static void settle(struct wait *wait)
{
	struct wr_waitable *object;
	DWORD i;

	for (i = 0; i < wait->nr; i++) {
		object = wait->blocks[i].object;
		if (!has_got(wait, i))
			continue;
		if (object->object.kind == &wr_thread_kind)
			wr_thread_join((struct wr_thread *)object);
		else if (waits_of(object)->settle)
			waits_of(object)->settle(object, wait->thread);
	}
}

/* What can be waited for, by handle, with one user more */
static NTSTATUS get_waitable(HANDLE handle, struct wr_waitable **waitable)
{
	struct wr_object *object;
	NTSTATUS status;
	DWORD access;

	if (handle == GetCurrentThread())
		return wr_thread_get(handle, SYNCHRONIZE,
				     (struct wr_thread **)waitable);
	if (handle == GetCurrentProcess()) {
		*waitable = wr_process_this();
		return STATUS_SUCCESS;
	}
	status = wr_handle_get(handle, NULL, &object, &access);
	if (status != STATUS_SUCCESS)
		return status;
	if (!object->kind->waits)
		status = STATUS_OBJECT_TYPE_MISMATCH;
	else if (!(access & SYNCHRONIZE))
		status = STATUS_ACCESS_DENIED;
	if (status != STATUS_SUCCESS)
		wr_object_put(object);
	else
		*waitable = (struct wr_waitable *)object;

	return status;
}

static void put_all(struct wait *wait, DWORD nr)
{
	while (nr--)
		wr_object_put(&wait->blocks[nr].object->object);
}

static NTSTATUS get_all(struct wait *wait, const HANDLE *handles)
{
	NTSTATUS status = STATUS_SUCCESS;
	DWORD i, j;

	for (i = 0; i < wait->nr && status == STATUS_SUCCESS; i++) {
		status = get_waitable(handles[i], &wait->blocks[i].object);
		wait->blocks[i].wait = wait;
		wait->blocks[i].self = NULL;
		if (status == STATUS_SUCCESS)
			wait->shared |= is_shared(wait, i);
	}
	if (status != STATUS_SUCCESS) {
		put_all(wait, i - 1);
		return status;
	}
	/* All of them cannot be had at once if one is there twice. */
	for (i = 0; wait->all && i < wait->nr; i++)
		for (j = 0; j < i; j++)
			if (wait->blocks[i].object == wait->blocks[j].object)
				status = STATUS_INVALID_PARAMETER;
	if (status != STATUS_SUCCESS)
		put_all(wait, wait->nr);

	return status;
}

/* With @signal, that is signaled first, and nobody can come in between. */
static DWORD wait_for(struct wait *wait, const HANDLE *handles,
		      DWORD milliseconds, const HANDLE *signal)
{
	struct wr_object *signaled = NULL;
	NTSTATUS status;
	bool looks;

	WR_NO_CANCEL();

	wait->thread = wr_thread_self();
	status = wait->thread ? get_all(wait, handles) : STATUS_NO_MEMORY;
	if (status != STATUS_SUCCESS) {
		wr_succeeded(status);
		return WAIT_FAILED;
	}
	looks = look(wait);
	if (signal)
		status = wr_signal_begin(*signal, &signaled);
	else
		wr_waits_lock();
	if (status == STATUS_SUCCESS) {
		wait->result = wait_locked(wait, milliseconds, looks);
		if (wait->result == WAIT_FAILED)
			wr_succeeded(wait->status);
		else if (wait->result != WAIT_TIMEOUT)
			settle(wait);
	} else {
		wr_succeeded(status);
		wait->result = WAIT_FAILED;
	}
	if (signaled)
		wr_signal_end(signaled);
	put_all(wait, wait->nr);

	return wait->result;
}

DWORD WINAPI WaitForSingleObjectEx(HANDLE object, DWORD milliseconds,
				   BOOL alertable)
{
	struct wr_block block = { 0 };
	struct wait wait = { .nr = 1, .blocks = &block };

	WR_KEEP_ERRNO();

	/* Nothing is ever queued to a thread. */
	(void)alertable;

	return wait_for(&wait, &object, milliseconds, NULL);
}

DWORD WINAPI WaitForSingleObject(HANDLE object, DWORD milliseconds)
{
	return WaitForSingleObjectEx(object, milliseconds, FALSE);
}

DWORD WINAPI WaitForMultipleObjectsEx(DWORD count, const HANDLE *objects,
				      BOOL all, DWORD milliseconds,
				      BOOL alertable)
{
	struct wr_block blocks[MAXIMUM_WAIT_OBJECTS];
	struct wait wait = { .all = all, .nr = count, .blocks = blocks };
	HANDLE handles[MAXIMUM_WAIT_OBJECTS];
	NTSTATUS status = STATUS_SUCCESS;

	WR_KEEP_ERRNO();

	(void)alertable;
	if (!count || count > MAXIMUM_WAIT_OBJECTS)
		status = STATUS_INVALID_PARAMETER;
	else if (!objects)
		status = STATUS_ACCESS_VIOLATION;
	if (status != STATUS_SUCCESS) {
		wr_succeeded(status);
		return WAIT_FAILED;
	}

	/* They may raise, so none has a user more before all are read. */
	memcpy(handles, objects, count * sizeof(*handles));

	return wait_for(&wait, handles, milliseconds, NULL);
}

DWORD WINAPI WaitForMultipleObjects(DWORD count, const HANDLE *objects,
				    BOOL all, DWORD milliseconds)
{
	return WaitForMultipleObjectsEx(count, objects, all, milliseconds,
					FALSE);
}

DWORD WINAPI SignalObjectAndWait(HANDLE signal, HANDLE object,
				 DWORD milliseconds, BOOL alertable)
{
	struct wr_block block = { 0 };
	struct wait wait = { .nr = 1, .blocks = &block };

	WR_KEEP_ERRNO();

	(void)alertable;

	return wait_for(&wait, &object, milliseconds, &signal);
}

/* ---- forks ---- */

static void before_fork(void)
{
	wr_waits_lock();
}

static void after_fork(void)
{
	wr_waits_unlock();
}

static void after_fork_in_child(void)
{
	generation++;
	wr_waits_unlock();
}

WR_EARLY static void init_waits(void)
{
	pthread_atfork(before_fork, after_fork, after_fork_in_child);
}
