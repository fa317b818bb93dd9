// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waiting for what an address leads to
 *
 * Who wakes does not know how many bytes are waited for, and the kernel's futexes
 * are of four. So those who wait are in lists, by address, each with a word of its
 * own to sleep at. It compares when it is in its list: who changes the bytes first
 * and looks into the list then cannot miss it.
 */
#include <pthread.h>

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

static bool is_equal(const volatile void *address, const void *compare,
		     SIZE_T size)
{
	switch (size) {
	case 1:
		return __atomic_load_n((const volatile uint8_t *)address,
				       __ATOMIC_SEQ_CST) ==
		       *(const uint8_t *)compare;
	case 2:
		return __atomic_load_n((const volatile uint16_t *)address,
				       __ATOMIC_SEQ_CST) ==
		       *(const uint16_t *)compare;
	case 4:
		return __atomic_load_n((const volatile uint32_t *)address,
				       __ATOMIC_SEQ_CST) ==
		       *(const uint32_t *)compare;
	default:
		return __atomic_load_n((const volatile uint64_t *)address,
				       __ATOMIC_SEQ_CST) ==
		       *(const uint64_t *)compare;
	}
}

static void line_up(struct list *list, struct waiter *me)
{
	struct waiter **at;

	for (at = &list->first; *at; at = &(*at)->next)
		;
	*at = me;
}

/* Whether it was still there: nobody has woken it. */
static bool step_out(struct list *list, struct waiter *me)
{
	struct waiter **at;

	for (at = &list->first; *at; at = &(*at)->next) {
		if (*at != me)
			continue;
		*at = me->next;
		return true;
	}

	return false;
}

static bool sleep_in_line(struct list *list, struct waiter *me,
			  DWORD milliseconds)
{
	struct wr_deadline until = wr_deadline_in(milliseconds);
	bool in_time = true;

	while (in_time && !__atomic_load_n(&me->woken, __ATOMIC_ACQUIRE))
		in_time = wr_futex_wait(&me->woken, 0, &until);
	if (in_time)
		return true;

	lock_list(list);
	in_time = !step_out(list, me);
	unlock_list(list);

	return in_time;
}

BOOL WINAPI WaitOnAddress(volatile void *address, PVOID compare, SIZE_T size,
			  DWORD milliseconds)
{
	struct waiter me = { .address = address };
	struct list *list = list_of(address);
	bool waits;

	WR_KEEP_ERRNO();

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return wr_fail(ERROR_INVALID_PARAMETER);

	lock_list(list);
	line_up(list, &me);
	waits = is_equal(address, compare, size);
	if (!waits)
		step_out(list, &me);
	unlock_list(list);

	if (waits && !sleep_in_line(list, &me, milliseconds))
		return wr_fail(ERROR_TIMEOUT);

	return TRUE;
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
