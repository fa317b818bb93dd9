// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Critical sections, slim reader-writer locks and condition variables
 *
 * Each is a word or two, which the library alone looks into, so that the bytes of a
 * new one are those that programs write themselves. Nothing is allocated.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "futex.h"
#include "internal.h"

static const struct wr_deadline forever = { .never = true };

/* ---- who asks ---- */

static __thread DWORD self __attribute__((tls_model("initial-exec")));

static void forget_self(void)
{
	self = 0;
}

/* A child has another thread. What else it does there takes locks, and comes after. */
WR_EARLY static void watch_fork(void)
{
	pthread_atfork(NULL, NULL, forget_self);
}

static HANDLE get_self(void)
{
	if (!self)
		self = gettid();

	return (HANDLE)(uintptr_t)self;
}

/* Spinning is for those who wait for somebody that runs meanwhile. */
static bool may_spin(void)
{
	static int processors;
	int nr = __atomic_load_n(&processors, __ATOMIC_RELAXED);

	if (!nr) {
		nr = sysconf(_SC_NPROCESSORS_ONLN);
		__atomic_store_n(&processors, nr, __ATOMIC_RELAXED);
	}

	return nr > 1;
}

/* ---- critical sections ---- */

/* LockCount: what programs take for a free one is -1 */
#define FREE (-1)
#define HELD (-2)
/* And somebody may sleep */
#define AWAITED (-3)

#define SPIN_MASK 0x00FFFFFFU

static bool take_free(LPCRITICAL_SECTION section)
{
	LONG expected = FREE;

	return __atomic_compare_exchange_n(&section->LockCount, &expected, HELD,
					   false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static bool spin(LPCRITICAL_SECTION section)
{
	ULONG_PTR left = may_spin() ? section->SpinCount : 0;

	for (; left; left--) {
		if (__atomic_load_n(&section->LockCount, __ATOMIC_RELAXED) ==
			    FREE &&
		    take_free(section))
			return true;
		YieldProcessor();
	}

	return false;
}

/* Whoever has slept cannot know whether others sleep on. */
static void sleep_and_take(LPCRITICAL_SECTION section)
{
	uint32_t *word = (uint32_t *)&section->LockCount;

	WR_KEEP_ERRNO();

	while (__atomic_exchange_n(&section->LockCount, AWAITED,
				   __ATOMIC_ACQUIRE) != FREE)
		wr_futex_wait(word, AWAITED, &forever);
}

static void own(LPCRITICAL_SECTION section, HANDLE me)
{
	__atomic_store_n(&section->OwningThread, me, __ATOMIC_RELAXED);
	section->RecursionCount = 1;
}

/* Only a thread itself writes its id there. */
static bool is_mine(LPCRITICAL_SECTION section, HANDLE me)
{
	return __atomic_load_n(&section->OwningThread, __ATOMIC_RELAXED) == me;
}

VOID WINAPI EnterCriticalSection(LPCRITICAL_SECTION section)
{
	HANDLE me = get_self();

	if (is_mine(section, me)) {
		section->RecursionCount++;
		return;
	}
	if (!take_free(section) && !spin(section))
		sleep_and_take(section);
	own(section, me);
}

BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION section)
{
	HANDLE me = get_self();

	if (is_mine(section, me)) {
		section->RecursionCount++;
		return TRUE;
	}
	if (!take_free(section))
		return FALSE;
	own(section, me);

	return TRUE;
}

VOID WINAPI LeaveCriticalSection(LPCRITICAL_SECTION section)
{
	WR_KEEP_ERRNO();

	if (--section->RecursionCount > 0)
		return;
	__atomic_store_n(&section->OwningThread, NULL, __ATOMIC_RELAXED);
	if (__atomic_exchange_n(&section->LockCount, FREE, __ATOMIC_RELEASE) ==
	    AWAITED)
		wr_futex_wake((uint32_t *)&section->LockCount, 1);
}

BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION section, DWORD spins,
					DWORD flags)
{
	if (flags & ~CRITICAL_SECTION_NO_DEBUG_INFO || spins & ~SPIN_MASK)
		return wr_fail(ERROR_INVALID_PARAMETER);
	*section = (CRITICAL_SECTION){
		.LockCount = FREE,
		.SpinCount = spins,
	};

	return TRUE;
}

/* The highest byte has flags for old versions of Windows. */
BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION section,
						  DWORD spins)
{
	return InitializeCriticalSectionEx(section, spins & SPIN_MASK, 0);
}

VOID WINAPI InitializeCriticalSection(LPCRITICAL_SECTION section)
{
	InitializeCriticalSectionEx(section, 0, 0);
}

DWORD WINAPI SetCriticalSectionSpinCount(LPCRITICAL_SECTION section,
					 DWORD spins)
{
	DWORD before = section->SpinCount;

	section->SpinCount = spins & SPIN_MASK;

	return before;
}

VOID WINAPI DeleteCriticalSection(LPCRITICAL_SECTION section)
{
	memset(section, 0, sizeof(*section));
}

/* ---- slim reader-writer locks ---- */

/* The lower half of Ptr; above these two bits the readers are counted. */
#define WRITER 1U
#define SLEEPERS 2U
#define READER 4U

#define SHORT_SPIN 64

static uint32_t *state_of(PSRWLOCK lock)
{
	return (uint32_t *)&lock->Ptr;
}

static bool change(uint32_t *state, uint32_t *from, uint32_t to, int order)
{
	return __atomic_compare_exchange_n(state, from, to, false, order,
					   __ATOMIC_RELAXED);
}

/* What the state becomes for who wants it, or 0: not now. */
static uint32_t with_writer(uint32_t now)
{
	return now & ~SLEEPERS ? 0 : now | WRITER;
}

/* No reader gets in before a writer that sleeps. */
static uint32_t with_reader(uint32_t now)
{
	if (now & WRITER || (now & SLEEPERS && now >= READER))
		return 0;

	return now + READER;
}

typedef uint32_t with(uint32_t now);

static bool try_to(uint32_t *state, with *with)
{
	uint32_t now = __atomic_load_n(state, __ATOMIC_RELAXED), next;

	while ((next = with(now)))
		if (change(state, &now, next, __ATOMIC_ACQUIRE))
			return true;

	return false;
}

/* All who sleep are woken at once, so each of them says again that it does. */
static void sleep_until(uint32_t *state, with *with)
{
	uint32_t now;

	WR_KEEP_ERRNO();

	while (!try_to(state, with)) {
		now = __atomic_load_n(state, __ATOMIC_RELAXED);
		if (with(now))
			continue;
		if (now & SLEEPERS ||
		    change(state, &now, now | SLEEPERS, __ATOMIC_RELAXED))
			wr_futex_wait(state, now | SLEEPERS, &forever);
	}
}

static void acquire(PSRWLOCK lock, with *with)
{
	uint32_t *state = state_of(lock);
	int left = may_spin() ? SHORT_SPIN : 1;

	for (; left; left--) {
		if (try_to(state, with))
			return;
		YieldProcessor();
	}
	sleep_until(state, with);
}

VOID WINAPI InitializeSRWLock(PSRWLOCK lock)
{
	lock->Ptr = NULL;
}

VOID WINAPI AcquireSRWLockExclusive(PSRWLOCK lock)
{
	acquire(lock, with_writer);
}

VOID WINAPI AcquireSRWLockShared(PSRWLOCK lock)
{
	acquire(lock, with_reader);
}

BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK lock)
{
	return try_to(state_of(lock), with_writer);
}

BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK lock)
{
	return try_to(state_of(lock), with_reader);
}

VOID WINAPI ReleaseSRWLockExclusive(PSRWLOCK lock)
{
	uint32_t *state = state_of(lock);

	WR_KEEP_ERRNO();

	if (__atomic_exchange_n(state, 0, __ATOMIC_RELEASE) & SLEEPERS)
		wr_futex_wake(state, INT_MAX);
}

/* Who takes it after the last reader wakes the others when it is done. */
VOID WINAPI ReleaseSRWLockShared(PSRWLOCK lock)
{
	uint32_t *state = state_of(lock), left;

	WR_KEEP_ERRNO();

	left = __atomic_sub_fetch(state, READER, __ATOMIC_RELEASE);
	if (left == SLEEPERS && change(state, &left, 0, __ATOMIC_RELAXED))
		wr_futex_wake(state, INT_MAX);
}

/* ---- condition variables ---- */

/*
 * In Ptr. Where that has 32 bits there is no place for a number of sleepers: one bit of
 * the turn says that somebody may sleep, until all are woken.
 */
#ifdef __LP64__
struct condition {
	/* How often it was signalled */
	uint32_t turn;
	uint32_t sleepers;
};
#else
struct condition {
	uint32_t turn;
};

#define AWAITS 1U
#define TURN 2U
#endif

_Static_assert(sizeof(struct condition) == sizeof(CONDITION_VARIABLE),
	       "it has its place");

static struct condition *condition_of(PCONDITION_VARIABLE variable)
{
	return (struct condition *)&variable->Ptr;
}

/* Before the lock is left: what is signalled from then on counts. */
#ifdef __LP64__
static uint32_t line_up(struct condition *condition)
{
	__atomic_add_fetch(&condition->sleepers, 1, __ATOMIC_SEQ_CST);

	return __atomic_load_n(&condition->turn, __ATOMIC_SEQ_CST);
}

static void leave_line(struct condition *condition)
{
	__atomic_sub_fetch(&condition->sleepers, 1, __ATOMIC_SEQ_CST);
}

/* The next turn. Return: does anybody sleep? */
static bool call_next(struct condition *condition, int how_many)
{
	(void)how_many;
	__atomic_add_fetch(&condition->turn, 1, __ATOMIC_SEQ_CST);

	return __atomic_load_n(&condition->sleepers, __ATOMIC_SEQ_CST);
}
#else
static uint32_t line_up(struct condition *condition)
{
	return __atomic_or_fetch(&condition->turn, AWAITS, __ATOMIC_SEQ_CST);
}

static void leave_line(struct condition *condition)
{
	(void)condition;
}

static bool call_next(struct condition *condition, int how_many)
{
	uint32_t now = __atomic_load_n(&condition->turn, __ATOMIC_RELAXED);
	uint32_t kept = how_many == INT_MAX ? ~AWAITS : ~0U;

	while (!change(&condition->turn, &now, (now & kept) + TURN,
		       __ATOMIC_SEQ_CST))
		;

	return now & AWAITS;
}
#endif

static bool sleep_for_turn(struct condition *condition, uint32_t turn,
			   DWORD milliseconds)
{
	struct wr_deadline until = wr_deadline_in(milliseconds);
	bool in_time = true;

	while (in_time &&
	       __atomic_load_n(&condition->turn, __ATOMIC_SEQ_CST) == turn)
		in_time = wr_futex_wait(&condition->turn, turn, &until);
	leave_line(condition);

	return in_time;
}

VOID WINAPI InitializeConditionVariable(PCONDITION_VARIABLE variable)
{
	variable->Ptr = NULL;
}

BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE variable,
				     PCRITICAL_SECTION section,
				     DWORD milliseconds)
{
	struct condition *condition = condition_of(variable);
	uint32_t turn;
	bool in_time;

	WR_KEEP_ERRNO();

	turn = line_up(condition);
	LeaveCriticalSection(section);
	in_time = sleep_for_turn(condition, turn, milliseconds);
	EnterCriticalSection(section);

	return in_time ? TRUE : wr_fail(ERROR_TIMEOUT);
}

BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE variable,
				      PSRWLOCK lock, DWORD milliseconds,
				      ULONG flags)
{
	struct condition *condition = condition_of(variable);
	bool shared = flags & CONDITION_VARIABLE_LOCKMODE_SHARED;
	uint32_t turn;
	bool in_time;

	WR_KEEP_ERRNO();

	if (flags & ~CONDITION_VARIABLE_LOCKMODE_SHARED)
		return wr_fail(ERROR_INVALID_PARAMETER);
	turn = line_up(condition);
	if (shared)
		ReleaseSRWLockShared(lock);
	else
		ReleaseSRWLockExclusive(lock);
	in_time = sleep_for_turn(condition, turn, milliseconds);
	acquire(lock, shared ? with_reader : with_writer);

	return in_time ? TRUE : wr_fail(ERROR_TIMEOUT);
}

static void signal_condition(PCONDITION_VARIABLE variable, int how_many)
{
	struct condition *condition = condition_of(variable);

	WR_KEEP_ERRNO();

	if (call_next(condition, how_many))
		wr_futex_wake(&condition->turn, how_many);
}

VOID WINAPI WakeConditionVariable(PCONDITION_VARIABLE variable)
{
	signal_condition(variable, 1);
}

VOID WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE variable)
{
	signal_condition(variable, INT_MAX);
}
