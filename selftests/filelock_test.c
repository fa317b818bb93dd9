// SPDX-License-Identifier: GPL-2.0
/*
 * LockFile() and its like: ranges of files
 */
#include "kselftest_harness.h"

#include "file_fixture.h"

#define NOW LOCKFILE_FAIL_IMMEDIATELY
#define EXCLUSIVE LOCKFILE_EXCLUSIVE_LOCK

static BOOL lock_bytes(HANDLE file, DWORD flags, uint64_t offset, uint64_t length)
{
	OVERLAPPED where = { .Offset = offset, .OffsetHigh = offset >> 32 };

	return LockFileEx(file, flags, 0, length, length >> 32, &where);
}

static BOOL unlock_bytes(HANDLE file, uint64_t offset, uint64_t length)
{
	OVERLAPPED where = { .Offset = offset, .OffsetHigh = offset >> 32 };

	return UnlockFileEx(file, 0, length, length >> 32, &where);
}

/* What is free for @file to lock exclusively; leaves it as it was */
static bool can_lock(HANDLE file, uint64_t offset, uint64_t length)
{
	if (lock_bytes(file, NOW | EXCLUSIVE, offset, length))
		return unlock_bytes(file, offset, length);
	if (GetLastError() != ERROR_LOCK_VIOLATION)
		fprintf(stderr, "# last error %u\n", GetLastError());
	return false;
}

static bool can_share(HANDLE file, uint64_t offset, uint64_t length)
{
	if (lock_bytes(file, NOW, offset, length))
		return unlock_bytes(file, offset, length);
	if (GetLastError() != ERROR_LOCK_VIOLATION)
		fprintf(stderr, "# last error %u\n", GetLastError());
	return false;
}

#define EXPECT_LOCKED(call) EXPECT_FAILS(ERROR_LOCK_VIOLATION, call)

/* Rules: FILE-60, FILE-62. */
TEST_F(files, exclusive)
{
	HANDLE a = open_shared("file", CREATE_NEW);
	HANDLE b = open_shared("file", OPEN_EXISTING);

	SetLastError(OUR_ERROR);
	EXPECT_TRUE(LockFile(a, 10, 0, 20, 0));
	EXPECT_EQ(OUR_ERROR, GetLastError());
	/* For others, and for itself */
	EXPECT_LOCKED(LockFile(b, 12, 0, 10, 0));
	EXPECT_LOCKED(LockFile(a, 12, 0, 10, 0));
	EXPECT_LOCKED(LockFile(a, 5, 0, 6, 0));
	EXPECT_LOCKED(LockFile(b, 29, 0, 1, 0));
	EXPECT_LOCKED(lock_bytes(b, NOW, 29, 1));
	EXPECT_LOCKED(lock_bytes(b, NOW | EXCLUSIVE, 0, 11));
	EXPECT_TRUE(LockFile(a, 5, 0, 5, 0));
	EXPECT_TRUE(LockFile(b, 30, 0, 5, 0));

	EXPECT_FAILS(ERROR_NOT_LOCKED, UnlockFile(a, 10, 0, 10, 0));
	EXPECT_FAILS(ERROR_NOT_LOCKED, UnlockFile(a, 11, 0, 19, 0));
	EXPECT_FAILS(ERROR_NOT_LOCKED, UnlockFile(b, 10, 0, 20, 0));
	EXPECT_FAILS(ERROR_NOT_LOCKED, UnlockFile(a, 30, 0, 5, 0));
	EXPECT_TRUE(UnlockFile(a, 10, 0, 20, 0));
	EXPECT_FAILS(ERROR_NOT_LOCKED, UnlockFile(a, 10, 0, 20, 0));
	EXPECT_TRUE(can_lock(b, 10, 20));
	EXPECT_FALSE(can_lock(b, 9, 1));
	EXPECT_TRUE(UnlockFile(a, 5, 0, 5, 0));
	EXPECT_TRUE(can_lock(b, 0, 30));
	EXPECT_TRUE(CloseHandle(a));
	EXPECT_TRUE(CloseHandle(b));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, LockFile(a, 0, 0, 1, 0));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, UnlockFile(a, 0, 0, 1, 0));
}

/* Rules: FILE-61, FILE-62. */
TEST_F(files, shared)
{
	HANDLE a = open_shared("file", CREATE_NEW);
	HANDLE b = open_shared("file", OPEN_EXISTING);

	EXPECT_TRUE(lock_bytes(a, NOW, 100, 100));
	EXPECT_TRUE(lock_bytes(a, NOW, 100, 100));
	EXPECT_TRUE(lock_bytes(a, NOW, 150, 100));
	EXPECT_TRUE(lock_bytes(b, NOW, 120, 10));
	EXPECT_LOCKED(lock_bytes(a, NOW | EXCLUSIVE, 150, 50));
	EXPECT_LOCKED(lock_bytes(b, NOW | EXCLUSIVE, 249, 50));

	/* Each has to be unlocked; what is left stays locked. */
	EXPECT_TRUE(unlock_bytes(a, 100, 100));
	EXPECT_FALSE(can_lock(b, 100, 1));
	EXPECT_TRUE(unlock_bytes(a, 100, 100));
	EXPECT_TRUE(can_lock(b, 100, 20));
	EXPECT_TRUE(can_lock(b, 130, 20));
	EXPECT_FALSE(can_lock(b, 149, 2));
	EXPECT_FALSE(can_lock(b, 199, 1));
	EXPECT_FALSE(can_lock(b, 249, 1));
	EXPECT_FAILS(ERROR_NOT_LOCKED, unlock_bytes(a, 100, 100));
	EXPECT_TRUE(unlock_bytes(a, 150, 100));
	EXPECT_TRUE(unlock_bytes(b, 120, 10));
	EXPECT_TRUE(can_lock(b, 100, 150));
	EXPECT_TRUE(CloseHandle(a));
	EXPECT_TRUE(CloseHandle(b));
}

/* Rules: FILE-63. */
TEST_F(files, exclusive_and_shared)
{
	HANDLE a = open_shared("file", CREATE_NEW);
	HANDLE b = open_shared("file", OPEN_EXISTING);

	EXPECT_TRUE(lock_bytes(a, NOW | EXCLUSIVE, 300, 100));
	EXPECT_LOCKED(lock_bytes(b, NOW, 300, 100));
	EXPECT_TRUE(lock_bytes(a, NOW, 300, 100));
	EXPECT_TRUE(lock_bytes(a, NOW, 350, 100));
	EXPECT_FALSE(can_share(b, 399, 1));
	EXPECT_TRUE(can_share(b, 400, 50));
	EXPECT_FALSE(can_lock(b, 400, 50));

	/* The exclusive lock goes first. */
	EXPECT_TRUE(unlock_bytes(a, 300, 100));
	EXPECT_TRUE(can_share(b, 300, 150));
	EXPECT_FALSE(can_lock(b, 300, 1));
	EXPECT_TRUE(unlock_bytes(a, 300, 100));
	EXPECT_TRUE(can_lock(b, 300, 50));
	EXPECT_FALSE(can_lock(b, 350, 1));
	EXPECT_TRUE(unlock_bytes(a, 350, 100));
	EXPECT_TRUE(can_lock(b, 300, 150));
	EXPECT_TRUE(CloseHandle(a));
	EXPECT_TRUE(CloseHandle(b));
}

/* Rules: FILE-64, FILE-67, FILE-68. */
TEST_F(files, far_and_empty_ranges)
{
	HANDLE a = open_shared("file", CREATE_NEW);
	HANDLE b = open_shared("file", OPEN_EXISTING);

	EXPECT_TRUE(LockFile(a, 0, 0x10000000, 0, 0xf0000000));
	EXPECT_LOCKED(LockFile(a, ~0U, ~0U, 1, 0));
	EXPECT_LOCKED(LockFile(b, ~0U, ~0U, 1, 0));
	EXPECT_LOCKED(LockFile(a, 0, 0x20000000, 20, 0));
	EXPECT_LOCKED(LockFile(b, 0, 0x20000000, 20, 0));
	EXPECT_TRUE(LockFile(b, ~0U, 0xfffffff, 1, 0));
	EXPECT_TRUE(UnlockFile(a, 0, 0x10000000, 0, 0xf0000000));
	EXPECT_FAILS(ERROR_INVALID_LOCK_RANGE,
		     LockFile(a, 0, 0x10000000, 0, 0xf0000001));
	EXPECT_FAILS(ERROR_INVALID_LOCK_RANGE, LockFile(a, ~0U, ~0U, 2, 0));
	EXPECT_TRUE(LockFile(a, ~0U, ~0U, 1, 0));
	EXPECT_LOCKED(LockFile(b, ~0U, ~0U, 1, 0));
	EXPECT_TRUE(UnlockFile(a, ~0U, ~0U, 1, 0));
	/* All there is, without what share modes use */
	EXPECT_TRUE(UnlockFile(b, ~0U, 0xfffffff, 1, 0));
	EXPECT_TRUE(LockFile(b, 0, 0, ~0U, ~0U));
	EXPECT_LOCKED(LockFile(a, 0, 0x40, 1, 0));
	EXPECT_TRUE(CloseHandle(open_shared("file", OPEN_EXISTING)));
	EXPECT_TRUE(UnlockFile(b, 0, 0, ~0U, ~0U));

	EXPECT_TRUE(LockFile(a, 0, 0, 0, 0));
	EXPECT_TRUE(UnlockFile(a, 0, 0, 0, 0));
	EXPECT_TRUE(LockFile(a, 100, 0, 0, 0));
	EXPECT_LOCKED(LockFile(a, 98, 0, 4, 0));
	EXPECT_LOCKED(LockFile(b, 98, 0, 4, 0));
	EXPECT_TRUE(LockFile(a, 90, 0, 10, 0));
	EXPECT_LOCKED(LockFile(a, 100, 0, 10, 0));
	EXPECT_TRUE(UnlockFile(a, 90, 0, 10, 0));
	EXPECT_FAILS(ERROR_NOT_LOCKED, UnlockFile(a, 100, 0, 10, 0));
	EXPECT_TRUE(UnlockFile(a, 100, 0, 0, 0));
	EXPECT_TRUE(can_lock(b, 0, 1 << 20));
	EXPECT_TRUE(CloseHandle(a));
	EXPECT_TRUE(CloseHandle(b));
}

/* Rules: FILE-69. */
TEST_F(files, lock_rights_and_arguments)
{
	HANDLE file = open_shared("file", CREATE_NEW), reader, writer, none;
	OVERLAPPED where = { 0 };

	reader = open_file("file", GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0);
	writer = open_file("file", GENERIC_WRITE, SHARE_ALL, OPEN_EXISTING, 0);
	none = open_file("file", FILE_READ_ATTRIBUTES, 0, OPEN_EXISTING, 0);
	/* Any lock for those who may read or write */
	EXPECT_TRUE(lock_bytes(reader, NOW | EXCLUSIVE, 0, 10));
	EXPECT_TRUE(lock_bytes(reader, NOW, 10, 10));
	EXPECT_LOCKED(lock_bytes(writer, NOW, 0, 10));
	EXPECT_TRUE(lock_bytes(writer, NOW, 10, 10));
	EXPECT_TRUE(lock_bytes(writer, NOW | EXCLUSIVE, 20, 10));
	EXPECT_FALSE(can_lock(file, 5, 1));
	EXPECT_FALSE(can_lock(file, 15, 1));
	EXPECT_FALSE(can_lock(file, 25, 1));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, LockFile(none, 50, 0, 1, 0));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, UnlockFile(none, 50, 0, 1, 0));
	EXPECT_TRUE(CloseHandle(reader));
	EXPECT_TRUE(CloseHandle(writer));
	EXPECT_TRUE(CloseHandle(none));
	EXPECT_TRUE(can_lock(file, 0, 30));

	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     LockFileEx(file, NOW, 1, 1, 0, &where));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     LockFileEx(file, 4, 0, 1, 0, &where));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     LockFileEx(file, NOW, 0, 1, 0, NULL));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     UnlockFileEx(file, 1, 1, 0, &where));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     UnlockFileEx(file, 0, 1, 0, NULL));
	where.hEvent = file;
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     LockFileEx(file, NOW, 0, 1, 0, &where));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: FILE-58, FILE-89. An unlock has nothing to do with it. */
TEST_F(files, event)
{
	HANDLE event = CreateEventA(NULL, TRUE, TRUE, NULL);
	HANDLE file = open_shared("file", CREATE_NEW);
	HANDLE other = open_shared("file", OPEN_EXISTING);
	OVERLAPPED where = { .hEvent = event };

	ASSERT_TRUE(LockFile(other, 0, 0, 1, 0));
	EXPECT_FAILS(ERROR_LOCK_VIOLATION,
		     LockFileEx(file, NOW, 0, 1, 0, &where));
	EXPECT_EQ((DWORD)STATUS_LOCK_NOT_GRANTED, where.Internal);
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(event, 0));
	ASSERT_TRUE(UnlockFile(other, 0, 0, 1, 0));
	EXPECT_TRUE(LockFileEx(file, NOW, 0, 1, 0, &where));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(event, 0));
	ASSERT_TRUE(ResetEvent(event));
	EXPECT_TRUE(UnlockFileEx(file, 0, 1, 0, &where));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(event, 0));
	EXPECT_TRUE(CloseHandle(event));
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(self->fds, count_fds());
}

/* ---- waiting ---- */

struct waiter {
	HANDLE file;
	DWORD flags;
	volatile int state;
	volatile pid_t tid;
	BOOL result;
};

static void *wait_for_lock(void *arg)
{
	struct waiter *waiter = arg;

	waiter->tid = gettid();
	waiter->state = 1;
	waiter->result = lock_bytes(waiter->file, waiter->flags, 5, 10);
	waiter->state = 2;
	return NULL;
}

static void ignore_signal(int sig)
{
}

/* Starts it, and sees that it waits, signals or not. */
static bool start_waiter(struct waiter *waiter, pthread_t *thread)
{
	const struct sigaction action = { .sa_handler = ignore_signal };
	int i;

	if (sigaction(SIGUSR1, &action, NULL) ||
	    pthread_create(thread, NULL, wait_for_lock, waiter))
		return false;
	while (!waiter->state)
		sleep_ms(1);
	for (i = 0; i < 20; i++) {
		pthread_kill(*thread, SIGUSR1);
		sleep_ms(5);
	}
	return SETTLES(thread_sleeps(waiter->tid)) && waiter->state == 1;
}

/* Rules: FILE-65. */
TEST_F(files, wait_for_another_handle)
{
	HANDLE a = open_shared("file", CREATE_NEW);
	struct waiter waiter = { .flags = EXCLUSIVE };
	pthread_t thread;

	waiter.file = open_shared("file", OPEN_EXISTING);
	EXPECT_TRUE(lock_bytes(a, EXCLUSIVE, 0, 10));
	ASSERT_TRUE(start_waiter(&waiter, &thread));
	/* The waiting one has not got a part of it. */
	EXPECT_TRUE(can_lock(a, 10, 10));
	EXPECT_TRUE(unlock_bytes(a, 0, 10));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(waiter.result);
	EXPECT_FALSE(can_lock(a, 14, 1));
	/* Closed while it is locked */
	EXPECT_TRUE(CloseHandle(waiter.file));
	EXPECT_TRUE(can_lock(a, 0, 20));
	EXPECT_TRUE(CloseHandle(a));
}

/* Rules: FILE-65. */
TEST_F(files, wait_for_the_same_handle)
{
	HANDLE a = open_shared("file", CREATE_NEW);
	HANDLE b = open_shared("file", OPEN_EXISTING);
	struct waiter waiter = { .file = a, .flags = EXCLUSIVE };
	pthread_t thread;

	EXPECT_TRUE(lock_bytes(a, 0, 0, 10));
	EXPECT_TRUE(lock_bytes(b, 0, 0, 10));
	ASSERT_TRUE(start_waiter(&waiter, &thread));
	/* Now for the other one */
	EXPECT_TRUE(unlock_bytes(a, 0, 10));
	sleep_ms(50);
	EXPECT_EQ(1, waiter.state);
	EXPECT_TRUE(unlock_bytes(b, 0, 10));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(waiter.result);
	EXPECT_FALSE(can_lock(a, 14, 1));
	EXPECT_FALSE(can_lock(b, 14, 1));
	EXPECT_TRUE(unlock_bytes(a, 5, 10));
	EXPECT_TRUE(can_lock(b, 0, 20));
	EXPECT_TRUE(CloseHandle(a));
	EXPECT_TRUE(CloseHandle(b));
}

struct pending_lock {
	HANDLE file;
	OVERLAPPED where;
	BOOL done;
};

static void *lock_at(void *arg)
{
	struct pending_lock *lock = arg;

	lock->done = LockFileEx(lock->file, EXCLUSIVE, 0, 10, 0, &lock->where);
	return NULL;
}

/* What waits for a lock has no result, as others see. Rules: FILE-49, FILE-65. */
TEST_F(files, no_result_before_it_is_locked)
{
	HANDLE other = open_shared("file", CREATE_NEW);
	struct pending_lock lock = {
		.file = open_shared("file", OPEN_EXISTING),
		.where.InternalHigh = 4711,
	};
	struct result result = { .file = lock.file, .where = &lock.where };
	pthread_t thread;

	ASSERT_TRUE(lock_bytes(other, EXCLUSIVE, 0, 10));
	ASSERT_EQ(0, pthread_create(&thread, NULL, lock_at, &lock));
	ASSERT_TRUE(waits_for_result(&result));
	EXPECT_TRUE(unlock_bytes(other, 0, 10));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, pthread_join(result.thread, NULL));
	EXPECT_TRUE(lock.done);
	EXPECT_EQ(0, result.error);
	EXPECT_EQ(0, result.done);
	EXPECT_FALSE(can_lock(other, 0, 10));
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_TRUE(CloseHandle(lock.file));
}

/* Rules: FILE-65. What the handle has already is not waited for. */
TEST_F(files, wait_for_the_rest)
{
	HANDLE a = open_shared("file", CREATE_NEW);
	HANDLE b = open_shared("file", OPEN_EXISTING);
	struct waiter waiter = { .file = a };
	pthread_t thread;

	EXPECT_TRUE(lock_bytes(a, EXCLUSIVE, 0, 10));
	EXPECT_TRUE(lock_bytes(b, EXCLUSIVE, 10, 2));
	ASSERT_TRUE(start_waiter(&waiter, &thread));
	/* What it waits with is not let go. */
	EXPECT_TRUE(unlock_bytes(a, 0, 10));
	EXPECT_TRUE(can_lock(b, 0, 5));
	EXPECT_FALSE(can_lock(b, 5, 5));
	EXPECT_TRUE(can_share(b, 5, 5));
	EXPECT_TRUE(unlock_bytes(b, 10, 2));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(waiter.result);
	EXPECT_TRUE(can_share(b, 5, 10));
	EXPECT_FALSE(can_lock(b, 5, 1));
	EXPECT_FALSE(can_lock(b, 14, 1));
	EXPECT_TRUE(unlock_bytes(a, 5, 10));
	EXPECT_TRUE(can_lock(b, 0, 20));
	EXPECT_TRUE(CloseHandle(a));
	EXPECT_TRUE(CloseHandle(b));
}

/* What is waited for is not locked yet. Rules: FILE-62, FILE-65. */
TEST_F(files, unlock_what_waits)
{
	HANDLE a = open_shared("file", CREATE_NEW);
	HANDLE b = open_shared("file", OPEN_EXISTING);
	struct waiter waiter = { .file = a, .flags = EXCLUSIVE };
	pthread_t thread;

	EXPECT_TRUE(lock_bytes(b, EXCLUSIVE, 5, 10));
	ASSERT_TRUE(start_waiter(&waiter, &thread));
	EXPECT_FAILS(ERROR_NOT_LOCKED, unlock_bytes(a, 5, 10));
	EXPECT_EQ(1, waiter.state);
	EXPECT_TRUE(unlock_bytes(b, 5, 10));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(waiter.result);
	EXPECT_FALSE(can_lock(b, 5, 1));
	EXPECT_TRUE(unlock_bytes(a, 5, 10));
	EXPECT_TRUE(can_lock(b, 5, 10));
	EXPECT_TRUE(CloseHandle(a));
	EXPECT_TRUE(CloseHandle(b));
	EXPECT_EQ(self->fds, count_fds());
}

static int use_what_nobody_waits_for(void *file)
{
	CHECK(lock_bytes(file, NOW | EXCLUSIVE, 10, 5));
	CHECK(unlock_bytes(file, 10, 5));
	CHECK(lock_bytes(file, NOW, 10, 5));
	CHECK(unlock_bytes(file, 10, 5));
	return 0;
}

/* A child has none of the threads that wait. Rules: FILE-65, TH-20. */
TEST_F(files, child_while_a_thread_waits)
{
	HANDLE a = open_shared("file", CREATE_NEW);
	HANDLE b = open_shared("file", OPEN_EXISTING);
	struct waiter waiter = { .file = a, .flags = EXCLUSIVE };
	pthread_t thread;

	EXPECT_TRUE(lock_bytes(b, EXCLUSIVE, 0, 10));
	ASSERT_TRUE(start_waiter(&waiter, &thread));
	EXPECT_EQ(0, in_child(use_what_nobody_waits_for, a));
	EXPECT_EQ(1, waiter.state);
	EXPECT_TRUE(unlock_bytes(b, 0, 10));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(waiter.result);
	EXPECT_FALSE(can_lock(b, 14, 1));
	EXPECT_TRUE(unlock_bytes(a, 5, 10));
	EXPECT_TRUE(can_lock(b, 5, 10));
	EXPECT_TRUE(CloseHandle(a));
	EXPECT_TRUE(CloseHandle(b));
}

#define NR_PROCESSES 3
#define NR_THREADS 3
#define NR_TURNS 150

struct counter {
	HANDLE file;
	volatile long *count;
};

/* Add to a number that a byte of the file is the lock of. */
static void *add_up(void *arg)
{
	struct counter *counter = arg;
	long turn, seen;

	for (turn = 0; turn < NR_TURNS; turn++) {
		if (!lock_bytes(counter->file, EXCLUSIVE, 7, 1))
			return (void *)1;
		seen = *counter->count;
		if (turn % 8 == 0)
			sched_yield();
		*counter->count = seen + 1;
		if (!unlock_bytes(counter->file, 7, 1))
			return (void *)2;
	}
	return NULL;
}

/* Two threads by one handle, and one by another */
static int add_up_in_threads(void *arg)
{
	struct counter counters[2] = {
		{ open_shared("file", OPEN_EXISTING), arg },
		{ open_shared("file", OPEN_EXISTING), arg },
	};
	pthread_t threads[NR_THREADS];
	void *failed;
	int i;

	for (i = 0; i < NR_THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, add_up,
				      &counters[i % 2]));
	for (i = 0; i < NR_THREADS; i++) {
		CHECK(!pthread_join(threads[i], &failed));
		CHECK(!failed);
	}
	return 0;
}

/* Rules: FILE-60, FILE-65. */
TEST_F_TIMEOUT(files, one_at_a_time, 120)
{
	struct child children[NR_PROCESSES];
	volatile long *count;
	int i;

	ASSERT_TRUE(make_file("file", ""));
	count = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, count);
	for (i = 0; i < NR_PROCESSES; i++)
		children[i] = start_child(add_up_in_threads, (void *)count);
	for (i = 0; i < NR_PROCESSES; i++)
		EXPECT_EQ(0, end_child(&children[i]));
	EXPECT_EQ(NR_PROCESSES * NR_THREADS * NR_TURNS, *count);
}

/* ---- the end ---- */

struct locker {
	struct rendezvous rv;
};

static int lock_and_stay(void *arg)
{
	struct locker *locker = arg;
	HANDLE file = open_shared("file", OPEN_EXISTING);

	CHECK(lock_bytes(file, NOW | EXCLUSIVE, 0, 10));
	rendezvous_signal(&locker->rv, 1);
	rendezvous_wait(&locker->rv, 1);
	return 0;
}

/* Rules: FILE-60, FILE-66. */
TEST_F(files, killed)
{
	HANDLE file = open_shared("file", CREATE_NEW);
	struct locker locker;
	struct child child;

	ASSERT_TRUE(rendezvous_init(&locker.rv));
	child = start_child(lock_and_stay, &locker);
	rendezvous_wait(&locker.rv, 0);
	EXPECT_FALSE(can_share(file, 9, 1));
	EXPECT_TRUE(can_lock(file, 10, 1));
	ASSERT_EQ(0, kill(child.pid, SIGKILL));
	EXPECT_EQ(-SIGKILL, end_child(&child));
	EXPECT_TRUE(can_lock(file, 0, 10));
	EXPECT_TRUE(CloseHandle(file));
}

/* Rules: FILE-66. */
TEST_F(files, closed)
{
	HANDLE a = open_shared("file", CREATE_NEW), other;
	HANDLE b = open_shared("file", OPEN_EXISTING);

	EXPECT_TRUE(lock_bytes(a, EXCLUSIVE, 0, 10));
	ASSERT_TRUE(DuplicateHandle(GetCurrentProcess(), a, GetCurrentProcess(),
				    &other, 0, FALSE, DUPLICATE_SAME_ACCESS));
	EXPECT_TRUE(CloseHandle(a));
	EXPECT_FALSE(can_lock(b, 0, 10));
	/* It is the open file's, so any of its handles unlocks it. */
	EXPECT_TRUE(unlock_bytes(other, 0, 10));
	EXPECT_TRUE(can_lock(b, 0, 10));
	EXPECT_TRUE(lock_bytes(other, EXCLUSIVE, 0, 10));
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_TRUE(can_lock(b, 0, 10));
	EXPECT_TRUE(CloseHandle(b));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: FILE-29, FILE-66. */
TEST_F(files, closed_beside_a_vfork)
{
	/* Of the second one there is another descriptor for what it locks. */
	static const DWORD rights[] = { READ_WRITE, GENERIC_READ };
	HANDLE file, other = open_shared("file", CREATE_NEW);
	struct vforked child;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rights); i++) {
		file = open_file("file", rights[i], SHARE_ALL, OPEN_EXISTING,
				 0);
		EXPECT_TRUE(lock_bytes(file, EXCLUSIVE, 0, 10));
		EXPECT_FALSE(can_lock(other, 0, 10));
		ASSERT_TRUE(start_vforked(&child));
		EXPECT_TRUE(CloseHandle(file));
		EXPECT_TRUE(can_lock(other, 0, 10));
		EXPECT_TRUE(end_vforked(&child));
	}
	EXPECT_TRUE(CloseHandle(other));
}

/* ---- against a model ---- */

#define NR_BYTES 24
#define NR_FILES 3
#define NR_LOCKS 8
#define NR_OPS 20000

struct model_lock {
	unsigned int first, length;
	bool exclusive, used;
};

struct model {
	struct model_lock locks[NR_FILES][NR_LOCKS];
};

static bool model_allows(const struct model *model, int file,
			 const struct model_lock *wanted)
{
	const struct model_lock *lock;
	int i, j;

	for (i = 0; i < NR_FILES; i++)
		for (j = 0; j < NR_LOCKS; j++) {
			lock = &model->locks[i][j];
			if (!lock->used ||
			    lock->first >= wanted->first + wanted->length ||
			    wanted->first >= lock->first + lock->length)
				continue;
			if (wanted->exclusive || (lock->exclusive && i != file))
				return false;
		}
	return true;
}

static struct model_lock *model_find(struct model *model, int file,
				     unsigned int first, unsigned int length)
{
	struct model_lock *lock, *found = NULL;
	int j;

	for (j = 0; j < NR_LOCKS; j++) {
		lock = &model->locks[file][j];
		if (lock->used && lock->first == first &&
		    lock->length == length && (!found || lock->exclusive))
			found = lock;
	}
	return found;
}

/* Rules: FILE-60, FILE-61, FILE-62, FILE-63. */
TEST_F_TIMEOUT(files, model, 120)
{
	static struct model model;
	struct model_lock wanted, *lock;
	HANDLE handles[NR_FILES];
	unsigned int seed = 1;
	bool expected;
	int i, j, file;

	for (i = 0; i < NR_FILES; i++)
		handles[i] = open_shared("file", OPEN_ALWAYS);
	for (i = 0; i < NR_OPS; i++) {
		file = rand_r(&seed) % NR_FILES;
		wanted.first = rand_r(&seed) % NR_BYTES;
		wanted.length = 1 + rand_r(&seed) % 6;
		wanted.exclusive = rand_r(&seed) % 3 == 0;
		wanted.used = true;
		for (j = 0; j < NR_LOCKS && model.locks[file][j].used; j++)
			;
		lock = &model.locks[file][rand_r(&seed) % NR_LOCKS];
		if (rand_r(&seed) % 2 && lock->used) {
			wanted = *lock;
			lock = model_find(&model, file, wanted.first,
					  wanted.length);
			ASSERT_TRUE(unlock_bytes(handles[file], wanted.first,
						 wanted.length));
			lock->used = false;
		} else if (j < NR_LOCKS) {
			expected = model_allows(&model, file, &wanted);
			ASSERT_EQ(expected,
				  lock_bytes(handles[file], NOW |
					     (wanted.exclusive ? EXCLUSIVE : 0),
					     wanted.first, wanted.length)) {
				TH_LOG("operation %d", i);
			}
			if (expected)
				model.locks[file][j] = wanted;
		}
	}
	for (i = 0; i < NR_FILES; i++)
		EXPECT_TRUE(CloseHandle(handles[i]));
}

TEST_HARNESS_MAIN
