// SPDX-License-Identifier: GPL-2.0
/*
 * Critical sections, slim locks, condition variables, what is done once, and
 * waiting for an address. None of it needs the module.
 */
#include "kselftest_harness.h"

#include <pthread.h>

#include "file_fixture.h"

#define ROUNDS 20000
#define THREADS 4

/* Long enough for another thread to fall asleep, and never too short to pass */
#define SHORT_MS 20

struct shared {
	CRITICAL_SECTION section;
	SRWLOCK lock;
	CONDITION_VARIABLE changed;
	INIT_ONCE once;
	long count;
	long other;
	volatile LONG word;
	volatile LONG64 wide;
	volatile LONG calls;
	volatile LONG woken;
	volatile pid_t waiters[2];
};

static bool start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	return !pthread_create(thread, NULL, run, arg);
}

/* Run it in all threads, to the end */
static bool all_do(void *(*run)(void *), struct shared *shared)
{
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		if (!start(&threads[i], run, shared))
			return false;
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return true;
}

/* ---- critical sections ---- */

static void *count_in_section(void *arg)
{
	struct shared *shared = arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (i % 3 || !TryEnterCriticalSection(&shared->section))
			EnterCriticalSection(&shared->section);
		shared->count++;
		shared->other = shared->count;
		LeaveCriticalSection(&shared->section);
	}
	return NULL;
}

/* Rules: LOCK-01. */
TEST(section_excludes)
{
	static const DWORD spins[] = { 0, 100 };
	struct shared shared = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(spins); i++) {
		shared.count = 0;
		ASSERT_TRUE(InitializeCriticalSectionAndSpinCount(
			&shared.section, spins[i]));
		ASSERT_TRUE(all_do(count_in_section, &shared));
		EXPECT_EQ(THREADS * ROUNDS, shared.count);
		EXPECT_EQ(-1, shared.section.LockCount);
		DeleteCriticalSection(&shared.section);
	}
}

static void *try_section(void *arg)
{
	CRITICAL_SECTION *section = arg;
	bool entered = TryEnterCriticalSection(section);

	if (entered)
		LeaveCriticalSection(section);
	return entered ? arg : NULL;
}

static bool another_enters(CRITICAL_SECTION *section)
{
	pthread_t thread;
	void *entered = NULL;

	if (start(&thread, try_section, section))
		pthread_join(thread, &entered);
	return entered;
}

/* Rules: LOCK-02, LOCK-03. */
TEST(section_is_recursive)
{
	CRITICAL_SECTION section;

	errno = OUR_ERRNO;
	InitializeCriticalSection(&section);
	EnterCriticalSection(&section);
	EnterCriticalSection(&section);
	EXPECT_TRUE(TryEnterCriticalSection(&section));
	EXPECT_EQ(3, section.RecursionCount);
	EXPECT_EQ(GetCurrentThreadId(),
		  (DWORD)(uintptr_t)section.OwningThread);
	LeaveCriticalSection(&section);
	LeaveCriticalSection(&section);
	EXPECT_FALSE(another_enters(&section));
	LeaveCriticalSection(&section);
	EXPECT_TRUE(another_enters(&section));
	EXPECT_EQ(NULL, section.OwningThread);
	EXPECT_EQ(OUR_ERRNO, errno);
	DeleteCriticalSection(&section);
}

/* Rules: LOCK-04. */
TEST(section_spin_count)
{
	CRITICAL_SECTION section;

	EXPECT_TRUE(InitializeCriticalSectionEx(&section, 4000,
						CRITICAL_SECTION_NO_DEBUG_INFO));
	EXPECT_EQ(4000, SetCriticalSectionSpinCount(&section, 10));
	EXPECT_EQ(10, SetCriticalSectionSpinCount(&section, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     InitializeCriticalSectionEx(&section, 0, 1));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     InitializeCriticalSectionEx(&section, 0x01000000, 0));
	EXPECT_TRUE(InitializeCriticalSectionAndSpinCount(&section,
							  0x80000400));
	EXPECT_EQ(0x400, SetCriticalSectionSpinCount(&section, 0));
}

/* Rules: LOCK-05. A child is another thread, but nobody else is there. */
TEST(section_after_fork)
{
	CRITICAL_SECTION section;
	int status;
	pid_t pid;

	InitializeCriticalSection(&section);
	EnterCriticalSection(&section);
	LeaveCriticalSection(&section);
	pid = fork();
	if (!pid) {
		EnterCriticalSection(&section);
		_exit(section.OwningThread !=
		      (HANDLE)(uintptr_t)GetCurrentThreadId());
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* ---- slim locks ---- */

static void *count_in_lock(void *arg)
{
	struct shared *shared = arg;
	long bad = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (i % 4) {
			AcquireSRWLockShared(&shared->lock);
			bad += shared->count != shared->other;
			ReleaseSRWLockShared(&shared->lock);
			continue;
		}
		AcquireSRWLockExclusive(&shared->lock);
		shared->count++;
		if (!(i % 64))
			sched_yield();
		shared->other++;
		ReleaseSRWLockExclusive(&shared->lock);
	}
	if (bad)
		InterlockedIncrement(&shared->calls);
	return NULL;
}

/* Rules: LOCK-10. */
TEST(slim_lock_excludes)
{
	struct shared shared = { .lock = SRWLOCK_INIT };

	ASSERT_TRUE(all_do(count_in_lock, &shared));
	EXPECT_EQ(THREADS * (ROUNDS / 4), shared.count);
	EXPECT_EQ(0, shared.calls);
	EXPECT_EQ(NULL, shared.lock.Ptr);
}

/* Rules: LOCK-11, LOCK-12. */
TEST(slim_lock_tries)
{
	SRWLOCK lock;

	errno = OUR_ERRNO;
	InitializeSRWLock(&lock);
	EXPECT_EQ(TRUE, TryAcquireSRWLockShared(&lock));
	EXPECT_EQ(TRUE, TryAcquireSRWLockShared(&lock));
	EXPECT_EQ(FALSE, TryAcquireSRWLockExclusive(&lock));
	ReleaseSRWLockShared(&lock);
	EXPECT_EQ(FALSE, TryAcquireSRWLockExclusive(&lock));
	ReleaseSRWLockShared(&lock);
	EXPECT_EQ(TRUE, TryAcquireSRWLockExclusive(&lock));
	EXPECT_EQ(FALSE, TryAcquireSRWLockExclusive(&lock));
	EXPECT_EQ(FALSE, TryAcquireSRWLockShared(&lock));
	ReleaseSRWLockExclusive(&lock);
	AcquireSRWLockShared(&lock);
	ReleaseSRWLockShared(&lock);
	EXPECT_EQ(NULL, lock.Ptr);
	EXPECT_EQ(OUR_ERRNO, errno);
}

static void *write_once(void *arg)
{
	struct shared *shared = arg;

	AcquireSRWLockExclusive(&shared->lock);
	shared->count++;
	ReleaseSRWLockExclusive(&shared->lock);
	return NULL;
}

static void *read_on(void *arg)
{
	struct shared *shared = arg;

	while (!shared->word) {
		AcquireSRWLockShared(&shared->lock);
		sched_yield();
		ReleaseSRWLockShared(&shared->lock);
	}
	return NULL;
}

/* Rules: LOCK-13. There is always a reader, and the writer gets in. */
TEST(slim_lock_writer_comes_in)
{
	struct shared shared = { .lock = SRWLOCK_INIT };
	pthread_t readers[2], writer;

	ASSERT_TRUE(start(&readers[0], read_on, &shared));
	ASSERT_TRUE(start(&readers[1], read_on, &shared));
	ASSERT_TRUE(start(&writer, write_once, &shared));
	pthread_join(writer, NULL);
	EXPECT_EQ(1, shared.count);
	shared.word = 1;
	pthread_join(readers[0], NULL);
	pthread_join(readers[1], NULL);
}

/* ---- condition variables ---- */

static void *take_turns(void *arg)
{
	struct shared *shared = arg;
	long mine = InterlockedIncrement(&shared->calls) - 1;
	int i;

	EnterCriticalSection(&shared->section);
	for (i = 0; i < 200; i++) {
		while (shared->count % THREADS != mine)
			SleepConditionVariableCS(&shared->changed,
						 &shared->section, INFINITE);
		shared->count++;
		WakeAllConditionVariable(&shared->changed);
	}
	LeaveCriticalSection(&shared->section);
	return NULL;
}

/* Rules: LOCK-20. */
TEST(condition_of_section)
{
	struct shared shared = { .changed = CONDITION_VARIABLE_INIT };

	InitializeCriticalSection(&shared.section);
	ASSERT_TRUE(all_do(take_turns, &shared));
	EXPECT_EQ(THREADS * 200, shared.count);
	DeleteCriticalSection(&shared.section);
}

static void *take_tokens(void *arg)
{
	struct shared *shared = arg;
	ULONG how = InterlockedIncrement(&shared->calls) & 1 ?
			    CONDITION_VARIABLE_LOCKMODE_SHARED :
			    0;

	for (;;) {
		if (how)
			AcquireSRWLockShared(&shared->lock);
		else
			AcquireSRWLockExclusive(&shared->lock);
		while (!shared->word && !shared->other)
			SleepConditionVariableSRW(&shared->changed,
						  &shared->lock, INFINITE, how);
		if (shared->other && !shared->word)
			break;
		if (!how) {
			shared->word--;
			shared->count++;
		}
		if (how)
			ReleaseSRWLockShared(&shared->lock);
		else
			ReleaseSRWLockExclusive(&shared->lock);
	}
	if (how)
		ReleaseSRWLockShared(&shared->lock);
	else
		ReleaseSRWLockExclusive(&shared->lock);
	return NULL;
}

/* Rules: LOCK-21. */
TEST(condition_of_slim_lock)
{
	struct shared shared = { .lock = SRWLOCK_INIT };
	pthread_t threads[THREADS];
	int i;

	InitializeConditionVariable(&shared.changed);
	for (i = 0; i < THREADS; i++)
		ASSERT_TRUE(start(&threads[i], take_tokens, &shared));
	for (i = 0; i < 500; i++) {
		AcquireSRWLockExclusive(&shared.lock);
		shared.word++;
		ReleaseSRWLockExclusive(&shared.lock);
		WakeAllConditionVariable(&shared.changed);
	}
	AcquireSRWLockExclusive(&shared.lock);
	shared.other = 1;
	ReleaseSRWLockExclusive(&shared.lock);
	WakeAllConditionVariable(&shared.changed);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(500, shared.count);
}

/* Rules: LOCK-22. The lock is held afterwards. */
TEST(condition_in_vain)
{
	struct shared shared = { .lock = SRWLOCK_INIT };
	uint64_t before;

	InitializeCriticalSection(&shared.section);
	EnterCriticalSection(&shared.section);
	before = now_ms();
	EXPECT_FAILS(ERROR_TIMEOUT,
		     SleepConditionVariableCS(&shared.changed, &shared.section,
					      SHORT_MS));
	EXPECT_LE(SHORT_MS - 1, now_ms() - before);
	EXPECT_FALSE(another_enters(&shared.section));
	EXPECT_FAILS(ERROR_TIMEOUT,
		     SleepConditionVariableCS(&shared.changed, &shared.section,
					      0));
	LeaveCriticalSection(&shared.section);
	AcquireSRWLockShared(&shared.lock);
	EXPECT_FAILS(ERROR_TIMEOUT,
		     SleepConditionVariableSRW(
			     &shared.changed, &shared.lock, 1,
			     CONDITION_VARIABLE_LOCKMODE_SHARED));
	EXPECT_TRUE(TryAcquireSRWLockShared(&shared.lock));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SleepConditionVariableSRW(&shared.changed, &shared.lock,
					       1, 2));
	EXPECT_EQ(NULL, shared.changed.Ptr);
}

/* ---- once ---- */

static BOOL WINAPI initialize(PINIT_ONCE once, PVOID argument, PVOID *context)
{
	struct shared *shared = argument;

	sleep_ms(SHORT_MS);
	shared->count++;
	*context = &shared->count - 1;
	return shared->word != 1;
}

static void *do_once(void *arg)
{
	struct shared *shared = arg;
	void *context = NULL;

	if (!InitOnceExecuteOnce(&shared->once, initialize, shared, &context) ||
	    context != &shared->count - 1 || shared->count != 1)
		InterlockedIncrement(&shared->calls);
	return NULL;
}

/* Rules: LOCK-30, LOCK-31. */
TEST(once_by_many)
{
	struct shared shared = { .once = INIT_ONCE_STATIC_INIT };
	void *context;

	shared.word = 1;
	EXPECT_FALSE(InitOnceExecuteOnce(&shared.once, initialize, &shared,
					 &context));
	EXPECT_EQ(NULL, shared.once.Ptr);
	shared.count = 0;
	shared.word = 0;
	ASSERT_TRUE(all_do(do_once, &shared));
	EXPECT_EQ(1, shared.count);
	EXPECT_EQ(0, shared.calls);
}

/* Rules: LOCK-32, LOCK-33. */
TEST(once_by_halves)
{
	static long long thing;
	INIT_ONCE once;
	void *context;
	BOOL pending;

	InitOnceInitialize(&once);
	EXPECT_FAILS(ERROR_GEN_FAILURE,
		     InitOnceBeginInitialize(&once, INIT_ONCE_CHECK_ONLY,
					     &pending, &context));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     InitOnceBeginInitialize(&once, 8, &pending, &context));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     InitOnceBeginInitialize(
			     &once, INIT_ONCE_CHECK_ONLY | INIT_ONCE_ASYNC,
			     &pending, &context));
	EXPECT_FAILS(ERROR_GEN_FAILURE, InitOnceComplete(&once, 0, &thing));
	ASSERT_TRUE(InitOnceBeginInitialize(&once, 0, &pending, NULL));
	EXPECT_EQ(TRUE, pending);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     InitOnceBeginInitialize(&once, INIT_ONCE_ASYNC, &pending,
					     NULL));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     InitOnceComplete(&once, INIT_ONCE_ASYNC, &thing));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     InitOnceComplete(&once, 0, (char *)&thing + 1));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     InitOnceComplete(&once, INIT_ONCE_INIT_FAILED, &thing));
	EXPECT_TRUE(InitOnceComplete(&once, INIT_ONCE_INIT_FAILED, NULL));
	ASSERT_TRUE(InitOnceBeginInitialize(&once, 0, &pending, NULL));
	EXPECT_TRUE(InitOnceComplete(&once, 0, &thing));
	EXPECT_FAILS(ERROR_GEN_FAILURE, InitOnceComplete(&once, 0, NULL));
	EXPECT_TRUE(InitOnceBeginInitialize(&once, INIT_ONCE_CHECK_ONLY,
					    &pending, &context));
	EXPECT_EQ(FALSE, pending);
	EXPECT_EQ(&thing, context);
}

/* Rules: LOCK-34. The first one to complete wins. */
TEST(once_contested)
{
	static long long thing, other;
	INIT_ONCE once = INIT_ONCE_STATIC_INIT;
	void *context;
	BOOL pending;
	int i;

	for (i = 0; i < 2; i++) {
		pending = FALSE;
		EXPECT_TRUE(InitOnceBeginInitialize(&once, INIT_ONCE_ASYNC,
						    &pending, NULL));
		EXPECT_EQ(TRUE, pending);
	}
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     InitOnceBeginInitialize(&once, 0, &pending, NULL));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     InitOnceComplete(&once, 0, &thing));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     InitOnceComplete(&once, INIT_ONCE_ASYNC |
					     INIT_ONCE_INIT_FAILED, NULL));
	EXPECT_TRUE(InitOnceComplete(&once, INIT_ONCE_ASYNC, &thing));
	EXPECT_FAILS(ERROR_GEN_FAILURE,
		     InitOnceComplete(&once, INIT_ONCE_ASYNC, &other));
	EXPECT_TRUE(InitOnceBeginInitialize(&once, INIT_ONCE_ASYNC, &pending,
					    &context));
	EXPECT_EQ(FALSE, pending);
	EXPECT_EQ(&thing, context);
}

/* ---- addresses ---- */

static void *wait_for_word(void *arg)
{
	struct shared *shared = arg;
	LONG zero = 0;

	InterlockedIncrement(&shared->calls);
	while (!shared->word)
		WaitOnAddress(&shared->word, &zero, sizeof(zero), INFINITE);
	InterlockedIncrement(&shared->woken);
	return NULL;
}

/* Rules: LOCK-40. */
TEST(address_wakes_all)
{
	struct shared shared = { 0 };
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		ASSERT_TRUE(start(&threads[i], wait_for_word, &shared));
	while (shared.calls < THREADS)
		sched_yield();
	sleep_ms(SHORT_MS);
	EXPECT_EQ(0, shared.woken);
	shared.word = 1;
	WakeByAddressAll((PVOID)&shared.word);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(THREADS, shared.woken);
}

static void *wait_for_upper_half(void *arg)
{
	struct shared *shared = arg;
	LONG64 zero = 0;

	shared->waiters[InterlockedIncrement(&shared->calls) - 1] = gettid();
	if (WaitOnAddress(&shared->wide, &zero, sizeof(zero), INFINITE))
		InterlockedIncrement(&shared->woken);
	return NULL;
}

/* Rules: LOCK-41. Of eight bytes all count; one call wakes one. */
TEST(address_wakes_one)
{
	struct shared shared = { 0 };
	pthread_t threads[2];
	int i;

	ASSERT_TRUE(start(&threads[0], wait_for_upper_half, &shared));
	ASSERT_TRUE(start(&threads[1], wait_for_upper_half, &shared));
	for (i = 0; i < 2; i++)
		EXPECT_TRUE(SETTLES(shared.waiters[i] &&
				    thread_sleeps(shared.waiters[i])));
	/* Nobody waits at these. */
	WakeByAddressAll((char *)&shared.wide + 4);
	WakeByAddressSingle((PVOID)&shared.word);
	WakeByAddressSingle((PVOID)&shared.wide);
	while (!shared.woken)
		sched_yield();
	sleep_ms(SHORT_MS);
	EXPECT_EQ(1, shared.woken);
	shared.wide = 1LL << 32;
	WakeByAddressSingle((PVOID)&shared.wide);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	EXPECT_EQ(2, shared.woken);
}

/* Rules: LOCK-42, LOCK-43. */
TEST(address_errors)
{
	uint64_t value = 0x1122334455667788, same = value, before;
	SIZE_T size;

	for (size = 1; size <= 8; size *= 2) {
		EXPECT_FAILS(ERROR_TIMEOUT,
			     WaitOnAddress(&value, &same, size, 0));
		same++;
		EXPECT_TRUE(WaitOnAddress(&value, &same, size, INFINITE));
		same--;
	}
	before = now_ms();
	EXPECT_FAILS(ERROR_TIMEOUT,
		     WaitOnAddress(&value, &same, 8, SHORT_MS));
	EXPECT_LE(SHORT_MS - 1, now_ms() - before);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     WaitOnAddress(&value, &same, 0, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     WaitOnAddress(&value, &same, 3, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     WaitOnAddress(&value, &same, 16, 0));
}

static void *play(void *arg)
{
	struct shared *shared = arg;
	LONG side = InterlockedIncrement(&shared->calls) - 1, seen;
	int i;

	for (i = 0; i < 2000; i++) {
		while ((seen = shared->word) % THREADS != side)
			WaitOnAddress(&shared->word, &seen, sizeof(seen),
				      INFINITE);
		InterlockedIncrement(&shared->word);
		WakeByAddressAll((PVOID)&shared->word);
	}
	return NULL;
}

/* Rules: LOCK-40. No call to wake is lost. */
TEST(address_loses_nothing)
{
	struct shared shared = { 0 };

	ASSERT_TRUE(all_do(play, &shared));
	EXPECT_EQ(THREADS * 2000, shared.word);
}

static int wake_after_fault(void *unused)
{
	LONG word = 0, *nowhere = NULL;
	volatile int caught = 0;

	(void)unused;
	alarm(20);
	WINREGION_TRY {
		WaitOnAddress(&word, nowhere, sizeof(word), INFINITE);
	} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {
		caught++;
	} WINREGION_END
	WakeByAddressSingle(&word);
	WINREGION_TRY {
		WaitOnAddress(nowhere, &word, sizeof(word), INFINITE);
	} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {
		caught++;
	} WINREGION_END
	WakeByAddressAll(nowhere);
	return caught == 2 ? 0 : __LINE__;
}

static volatile LONG *closed;

/* Who has the page back tells those who wait for what is in it. */
static LONG WINAPI open_and_wake(EXCEPTION_POINTERS *info)
{
	if (mprotect((void *)closed, 4096, PROT_READ | PROT_WRITE))
		return EXCEPTION_CONTINUE_SEARCH;
	(void)info;
	*closed = 1;
	WakeByAddressAll((PVOID)closed);
	return EXCEPTION_CONTINUE_EXECUTION;
}

static int wake_in_handler(void *unused)
{
	LONG zero = 0;

	(void)unused;
	alarm(20);
	closed = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (closed == MAP_FAILED ||
	    !AddVectoredExceptionHandler(1, open_and_wake) ||
	    !WaitOnAddress(closed, &zero, sizeof(zero), INFINITE))
		return __LINE__;
	return *closed != 1 ? __LINE__ : 0;
}

/* Rules: LOCK-40, WT-24. What is waited for may not be there, and a handler may wake. */
TEST(address_that_faults)
{
	EXPECT_EQ(0, in_child(wake_after_fault, NULL));
	EXPECT_EQ(0, in_child(wake_in_handler, NULL));
}

/* ---- interlocked operations, and bits ---- */

/* Rules: LOCK-50. */
TEST(interlocked_values)
{
	LONG64 pair[2] __attribute__((aligned(16))) = { 1, 2 };
	LONG64 old[2] = { 1, 3 };
	LONG a = 5;
	SHORT s = -1;
	CHAR c = 3;

	EXPECT_EQ(7, InterlockedAdd(&a, 2));
	EXPECT_EQ(7, InterlockedExchangeSubtract(&a, 3));
	EXPECT_EQ(4, _InterlockedExchangeAdd(&a, 1));
	EXPECT_EQ(6, InterlockedIncrementAcquire(&a));
	EXPECT_EQ(0, InterlockedIncrement16(&s));
	EXPECT_EQ(3, _InterlockedOr8(&c, 4));
	EXPECT_EQ(7, _InterlockedExchange8(&c, 1));
	EXPECT_EQ(0, _InterlockedCompareExchange128(pair, 8, 9, old));
	EXPECT_EQ(1, old[0]);
	EXPECT_EQ(2, old[1]);
	EXPECT_EQ(1, InterlockedCompareExchange128(pair, 8, 9, old));
	EXPECT_EQ(9, pair[0]);
	EXPECT_EQ(8, pair[1]);
	EXPECT_EQ(1, InterlockedBitTestAndSet(&a, 1));
	EXPECT_EQ(0, InterlockedBitTestAndSet(&a, 31));
	EXPECT_EQ(1, InterlockedBitTestAndReset(&a, 31));
	EXPECT_EQ(6, a);
	EXPECT_EQ(1, _bittest(pair, 67));
	EXPECT_EQ(1, _bittestandreset64(pair, 67));
	EXPECT_EQ(0, pair[1]);
}

/* Rules: LOCK-51. An index may be of another width than on Windows. */
TEST(bit_scans)
{
	unsigned long wide = ~0UL;
	DWORD index = 77;

	EXPECT_EQ(0, _BitScanForward(&index, 0));
	EXPECT_EQ(0, _BitScanReverse64(&index, 0));
	EXPECT_EQ(77, index);
	EXPECT_EQ(1, BitScanForward(&index, 0x18));
	EXPECT_EQ(3, index);
	EXPECT_EQ(1, BitScanReverse(&wide, 0x18));
	EXPECT_EQ(4, wide);
	EXPECT_EQ(1, BitScanForward64(&wide, 1ULL << 40));
	EXPECT_EQ(40, wide);
	EXPECT_EQ(1, BitScanReverse64(&index, ~0ULL));
	EXPECT_EQ(63, index);
	EXPECT_EQ(0, _BitScanForward(&index, (DWORD)(1ULL << 40)));
}

TEST_HARNESS_MAIN
