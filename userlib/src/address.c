// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waiting for what an address leads to
 *
 * Who wakes does not know how many bytes are waited for, and the kernel's futexes
 * are of four. So those who wait are in lists, by address, each with a word of its
 * own to sleep at. It compares when it is in its list: who changes the bytes first
 * and looks into the list then cannot miss it.
 *
 * To look at the bytes may take a fault, and what a program does then may be to wake
 * others, or not to come back. So no lock is held, and who is in a list has the kernel
 * look, as long as that does so.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sys/uio.h>
#include <unistd.h>

#include "futex.h"
#include "internal.h"

#define NR_LISTS 256

/* On the stack of who waits */
struct waiter {
	struct waiter *next;
	const volatile void *address;
	uint32_t woken;
};

static struct list {
	/* 0, 1: held, 2: and somebody sleeps */
	uint32_t lock;
	/* Under @lock; who came first is first. */
	struct waiter *first;
} lists[NR_LISTS];

static const struct wr_deadline forever = { .never = true };

/* In a child nobody else waits, nor holds a lock. */
static void forget_all(void)
{
	memset(lists, 0, sizeof(lists));
}

__attribute__((constructor)) static void watch_fork(void)
{
	pthread_atfork(NULL, NULL, forget_all);
}

static struct list *list_of(const volatile void *address)
{
	uint64_t number = (uintptr_t)address * 0x9E3779B97F4A7C15;

	return &lists[number >> 56];
}

static void lock_list(struct list *list)
{
	uint32_t expected = 0;

	if (__atomic_compare_exchange_n(&list->lock, &expected, 1, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&list->lock, 2, __ATOMIC_ACQUIRE))
		wr_futex_wait(&list->lock, 2, &forever);
}

static void unlock_list(struct list *list)
{
	if (__atomic_exchange_n(&list->lock, 0, __ATOMIC_RELEASE) == 2)
		wr_futex_wake(&list->lock, 1);
}

/* All that can be waited for; as much of it as is asked for, the rest is 0 */
static uint64_t load(const volatile void *address, SIZE_T size)
{
	switch (size) {
	case 1:
		return __atomic_load_n((const volatile uint8_t *)address,
				       __ATOMIC_SEQ_CST);
	case 2:
		return __atomic_load_n((const volatile uint16_t *)address,
				       __ATOMIC_SEQ_CST);
	case 4:
		return __atomic_load_n((const volatile uint32_t *)address,
				       __ATOMIC_SEQ_CST);
	default:
		return __atomic_load_n((const volatile uint64_t *)address,
				       __ATOMIC_SEQ_CST);
	}
}

/*
 * The same without a fault. What is changed meanwhile may be read by halves: who changes
 * it wakes, too. Return: 0, EFAULT, or why the kernel does not do it.
 */
static int peek(const volatile void *address, SIZE_T size, uint64_t *value)
{
	struct iovec here = { value, size };
	struct iovec there = { (void *)address, size };
	ssize_t got;

	*value = 0;
	got = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
	if (got < 0)
		return errno;

	return got == (ssize_t)size ? 0 : EFAULT;
}

static void line_up(struct list *list, struct waiter *me)
{
	struct waiter **at;

	lock_list(list);
	for (at = &list->first; *at; at = &(*at)->next)
		;
	*at = me;
	unlock_list(list);
	/* What is looked at now is not older. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Whether it was still there: nobody has woken it. */
static bool step_out(struct list *list, struct waiter *me)
{
	struct waiter **at;
	bool found;

	lock_list(list);
	for (at = &list->first; *at && *at != me; at = &(*at)->next)
		;
	found = *at;
	if (found)
		*at = me->next;
	unlock_list(list);

	return found;
}

static bool sleep_in_line(struct list *list, struct waiter *me,
			  DWORD milliseconds)
{
	struct wr_deadline until = wr_deadline_in(milliseconds);
	bool in_time = true;

	while (in_time && !__atomic_load_n(&me->woken, __ATOMIC_ACQUIRE))
		in_time = wr_futex_wait(&me->woken, 0, &until);

	return in_time || !step_out(list, me);
}

/* So often memory may come and go between one look and the next */
#define MOST_LOOKS 3

/*
 * Waits while the bytes are that. What the kernel does not read for us, and we can, is
 * looked at in line after all.
 */
static bool wait_while(const volatile void *address, SIZE_T size,
		       uint64_t value, DWORD milliseconds)
{
	struct waiter me = { .address = address };
	struct list *list = list_of(address);
	unsigned int looks = 0;
	uint64_t now;
	int err;

	do {
		line_up(list, &me);
		err = peek(address, size, &now);
		if (err && (err != EFAULT || looks == MOST_LOOKS)) {
			now = load(address, size);
			err = 0;
		}
		if (!err && now == value)
			return sleep_in_line(list, &me, milliseconds);
		if (!step_out(list, &me) || !err)
			return true;
		looks++;
	} while (load(address, size) == value);

	return true;
}

BOOL WINAPI WaitOnAddress(volatile void *address, PVOID compare, SIZE_T size,
			  DWORD milliseconds)
{
	uint64_t value = 0;

	WR_KEEP_ERRNO();

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return wr_fail(ERROR_INVALID_PARAMETER);
	memcpy(&value, compare, size);
	if (load(address, size) != value)
		return TRUE;

	return wait_while(address, size, value, milliseconds) ||
	       wr_fail(ERROR_TIMEOUT);
}

/* Once it is told, it may be gone. */
static void wake(struct waiter *waiter)
{
	__atomic_store_n(&waiter->woken, 1, __ATOMIC_RELEASE);
	wr_futex_wake(&waiter->woken, 1);
}

static void wake_address(const void *address, bool all)
{
	struct list *list = list_of(address);
	struct waiter **at, *waiter;
	bool more = true;

	WR_KEEP_ERRNO();

	/* What was written before is seen by who is not in the list yet. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	lock_list(list);
	for (at = &list->first; *at && more;) {
		waiter = *at;
		if (waiter->address != address) {
			at = &waiter->next;
			continue;
		}
		*at = waiter->next;
		wake(waiter);
		more = all;
	}
	unlock_list(list);
}

VOID WINAPI WakeByAddressSingle(PVOID address)
{
	wake_address(address, false);
}

VOID WINAPI WakeByAddressAll(PVOID address)
{
	wake_address(address, true);
}
