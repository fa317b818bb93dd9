// SPDX-License-Identifier: GPL-2.0
/*
 * Guard pages (rules GP-* and VQ-09): the first access raises SIGSEGV and takes
 * the guard off its page.
 */
#include "kselftest_harness.h"

#include <pthread.h>
#include <sys/uio.h>

#include "region_fixture.h"
#include "rounds.h"
#include "wr_test_util.h"

#define GUARDED (PAGE_READWRITE | PAGE_GUARD)

/* A handler that returns, so that the access is tried again */

static struct alarms {
	volatile sig_atomic_t count;
	void *volatile addr;
	volatile bool write;
	volatile DWORD protect;
	volatile DWORD next_protect;
} alarms;

/*
 * The query makes one system call and touches only its arguments, so that it
 * may be used in a handler.
 */
static void alarm_handler(int sig, siginfo_t *info, void *context)
{
	MEMORY_BASIC_INFORMATION mbi;

	/* A fault that comes again for ever is no alarm. */
	if (++alarms.count > 10)
		signal(sig, SIG_DFL);
	alarms.addr = info->si_addr;
	probe_what(context);
	alarms.write = probe_fault.write;
	if (VirtualQuery(info->si_addr, &mbi, sizeof(mbi)))
		alarms.protect = mbi.Protect;
	if (VirtualQuery((char *)info->si_addr + PAGE, &mbi, sizeof(mbi)))
		alarms.next_protect = mbi.Protect;
}

static void catch_alarms(void)
{
	struct sigaction action = {
		.sa_sigaction = alarm_handler,
		.sa_flags = SA_SIGINFO,
	};

	sigemptyset(&action.sa_mask);
	alarms.count = 0;
	alarms.addr = NULL;
	alarms.write = false;
	alarms.protect = POISON;
	alarms.next_protect = POISON;
	sigaction(SIGSEGV, &action, NULL);
}

/* Rules: GP-01, GP-02, GP-03 */
TEST_F(region, first_write_raises_one_alarm)
{
	volatile char *byte = self->base + PAGE + 123;

	COMMIT(0, 4 * PAGE, PAGE_READWRITE);
	COMMIT(PAGE, 2 * PAGE, GUARDED);
	catch_alarms();
	*byte = 77;
	EXPECT_EQ(1, alarms.count);
	EXPECT_EQ((void *)byte, alarms.addr);
	EXPECT_TRUE(alarms.write);
	EXPECT_EQ(PAGE_READWRITE, alarms.protect);
	EXPECT_EQ(GUARDED, alarms.next_protect);
	EXPECT_EQ(77, *byte);
	*byte = 78;
	EXPECT_EQ(1, alarms.count);
}

/* Rules: GP-01, GP-02, GP-03 */
TEST_F(region, first_read_raises_one_alarm)
{
	volatile char *byte = self->base + 2 * PAGE - 1;

	COMMIT(0, 4 * PAGE, PAGE_READWRITE);
	fill(self->base, 4 * PAGE);
	COMMIT(PAGE, 2 * PAGE, GUARDED);
	catch_alarms();
	(void)*byte;
	EXPECT_EQ(1, alarms.count);
	EXPECT_EQ((void *)byte, alarms.addr);
	EXPECT_FALSE(alarms.write);
	EXPECT_EQ(PAGE_READWRITE, alarms.protect);
	EXPECT_EQ(GUARDED, alarms.next_protect);
	(void)*byte;
	*byte = *byte;
	EXPECT_EQ(1, alarms.count);
	EXPECT_TRUE(is_filled(self->base, 2 * PAGE));
	EXPECT_EQ(1, alarms.count);
}

/* Rules: GP-01, GP-03 */
TEST_F(region, first_call_raises_one_alarm)
{
	void (*code)(void) = (void (*)(void))(uintptr_t)self->base;

	NEEDS_CODE();
	COMMIT(0, PAGE, PAGE_READWRITE);
	write_code(self->base);
	COMMIT(0, PAGE, PAGE_EXECUTE_READ | PAGE_GUARD);
	catch_alarms();
	code();
	EXPECT_EQ(1, alarms.count);
	EXPECT_EQ((void *)self->base, alarms.addr);
	EXPECT_EQ(PAGE_EXECUTE_READ, alarms.protect);
	code();
	EXPECT_EQ(1, alarms.count);
}

/* Rules: GP-03, GP-04 */
TEST_F(region, each_page_has_its_own_guard)
{
	size_t i;

	COMMIT(0, 8 * PAGE, GUARDED);
	for (i = 0; i < 8; i += 2) {
		EXPECT_FALSE(try_write(self->base + i * PAGE + i));
		EXPECT_EQ(SIGSEGV, probe_fault.sig);
		EXPECT_EQ((void *)(self->base + i * PAGE + i),
			  probe_fault.addr);
		REGION_COMMITTED(i * PAGE, PAGE, PAGE_READWRITE);
		REGION_COMMITTED((i + 1) * PAGE, (7 - i) * PAGE, GUARDED);
	}
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(i % 2 == 0, try_write(self->base + i * PAGE));
		EXPECT_TRUE(try_write(self->base + i * PAGE));
	}
	REGION_COMMITTED(0, 8 * PAGE, PAGE_READWRITE);
}

/* An access over the border of two guard pages raises both, one by one. */
/* Rules: GP-03 */
TEST_F(region, access_over_two_pages_raises_two_alarms)
{
	volatile uint64_t *word = (uint64_t *)(self->base + PAGE - 4);

	COMMIT(0, 2 * PAGE, GUARDED);
	catch_alarms();
	*word = 0x123456789abcdef0;
	EXPECT_EQ(2, alarms.count);
	EXPECT_EQ(0x123456789abcdef0, *word);
	EXPECT_EQ(2, alarms.count);
	REGION_COMMITTED(0, 2 * PAGE, PAGE_READWRITE);
}

/* Rules: GP-02, GP-04 */
TEST_F(region, guard_of_a_touched_region)
{
	DWORD old = POISON;

	COMMIT(0, self->size, PAGE_READWRITE);
	fill(self->base, self->size);
	ASSERT_TRUE(VirtualProtect(self->base + 5 * PAGE, 3 * PAGE, GUARDED,
				   &old));
	EXPECT_EQ(PAGE_READWRITE, old);
	EXPECT_TRUE(is_filled(self->base, 5 * PAGE));
	EXPECT_FALSE(try_read(self->base + 6 * PAGE));
	EXPECT_TRUE(is_filled(self->base + 6 * PAGE, PAGE));
	EXPECT_FALSE(try_read(self->base + 5 * PAGE));
	EXPECT_FALSE(try_read(self->base + 7 * PAGE));
	EXPECT_TRUE(is_filled(self->base, self->size));
	REGION_COMMITTED(0, self->size, PAGE_READWRITE);
}

/* Rules: GP-05, P-04 */
TEST_F(region, guard_with_noaccess_is_refused)
{
	DWORD old = POISON;

	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(self->base, PAGE, MEM_COMMIT,
				  PAGE_NOACCESS | PAGE_GUARD));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(self->base, PAGE,
				    PAGE_NOACCESS | PAGE_GUARD, &old));
}

/* Rules: GP-06 */
TEST_F(region, old_value_shows_the_guard_until_the_alarm)
{
	DWORD old = POISON;

	COMMIT(0, 2 * PAGE, GUARDED);
	ASSERT_TRUE(VirtualProtect(self->base, 2 * PAGE, GUARDED, &old));
	EXPECT_EQ(GUARDED, old);
	EXPECT_FALSE(try_write(self->base));
	old = POISON;
	ASSERT_TRUE(VirtualProtect(self->base, PAGE, PAGE_READWRITE, &old));
	EXPECT_EQ(PAGE_READWRITE, old);
	old = POISON;
	ASSERT_TRUE(VirtualProtect(self->base + PAGE, PAGE, PAGE_READWRITE,
				   &old));
	EXPECT_EQ(GUARDED, old);
	EXPECT_TRUE(try_write(self->base + PAGE));
}

/* Rules: GP-07 */
TEST_F(region, protect_arms_again)
{
	DWORD old = POISON;
	int i;

	COMMIT(0, 4 * PAGE, PAGE_READWRITE);
	fill(self->base, 4 * PAGE);
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(VirtualProtect(self->base + PAGE, 2 * PAGE,
					   GUARDED, &old));
		EXPECT_EQ(PAGE_READWRITE, old);
		REGION_COMMITTED(0, PAGE, PAGE_READWRITE);
		REGION_COMMITTED(PAGE, 2 * PAGE, GUARDED);
		REGION_COMMITTED(3 * PAGE, PAGE, PAGE_READWRITE);
		EXPECT_TRUE(try_read(self->base));
		EXPECT_FALSE(try_read(self->base + PAGE));
		EXPECT_TRUE(try_read(self->base + PAGE));
		EXPECT_FALSE(try_read(self->base + 2 * PAGE));
		EXPECT_TRUE(try_read(self->base + 3 * PAGE));
		EXPECT_TRUE(is_filled(self->base, 4 * PAGE));
	}
}

/* Rules: GP-12 */
TEST_F(region, decommit_takes_the_guard)
{
	COMMIT(0, 4 * PAGE, GUARDED);
	DECOMMIT(PAGE, 2 * PAGE);
	REGION_COMMITTED(0, PAGE, GUARDED);
	REGION_RESERVED(PAGE, 2 * PAGE);
	REGION_COMMITTED(3 * PAGE, PAGE, GUARDED);
	COMMIT(PAGE, 2 * PAGE, PAGE_READWRITE);
	REGION_COMMITTED(PAGE, 2 * PAGE, PAGE_READWRITE);
	EXPECT_TRUE(try_write(self->base + PAGE));
	EXPECT_FALSE(try_write(self->base));
}

/* Rules: GP-12 */
TEST_F(region, release_takes_the_guard)
{
	COMMIT(0, self->size, GUARDED);
	ASSERT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
	EXPECT_FREE(self->base);
	ASSERT_EQ(self->base, VirtualAlloc(self->base, self->size,
					   MEM_RESERVE | MEM_COMMIT,
					   PAGE_READWRITE));
	REGION_COMMITTED(0, self->size, PAGE_READWRITE);
	EXPECT_TRUE(try_write(self->base));
	EXPECT_TRUE(try_write(self->base + self->size - 1));
}

/* Rules: GP-18 */
TEST_F(region, base_value_holds_after_the_alarm)
{
	COMMIT(0, PAGE, PAGE_READONLY | PAGE_GUARD);
	EXPECT_FALSE(try_write(self->base));
	REGION_COMMITTED(0, PAGE, PAGE_READONLY);
	EXPECT_FALSE(try_write(self->base));
	EXPECT_TRUE(try_read(self->base));
	EXPECT_FALSE(try_write(self->base));
}

/* Rules: GP-18 */
TEST_F(region, guard_goes_with_other_values)
{
	static const DWORD values[] = {
		PAGE_READONLY, PAGE_READWRITE, PAGE_EXECUTE, PAGE_EXECUTE_READ,
		PAGE_EXECUTE_READWRITE,
	};
	size_t i, nr = code_is_refused() ? 2 : ARRAY_SIZE(values);
	DWORD old = POISON;

	for (i = 0; i < nr; i++) {
		COMMIT(0, PAGE, PAGE_READWRITE);
		write_code(self->base);
		COMMIT(0, PAGE, values[i] | PAGE_GUARD);
		REGION_COMMITTED(0, PAGE, values[i] | PAGE_GUARD);
		if (values[i] & (PAGE_READONLY | PAGE_READWRITE)) {
			EXPECT_FALSE(try_read(self->base));
			EXPECT_TRUE(try_read(self->base));
		} else {
			EXPECT_FALSE(try_exec(self->base));
			EXPECT_TRUE(try_exec(self->base));
		}
		REGION_COMMITTED(0, PAGE, values[i]);
		ASSERT_TRUE(VirtualProtect(self->base, PAGE,
					   values[i] | PAGE_GUARD, &old));
		EXPECT_EQ(values[i], old);
		REGION_COMMITTED(0, PAGE, values[i] | PAGE_GUARD);
	}
}

/* Rules: VQ-09 */
TEST_F(region, allocation_protection_keeps_the_guard)
{
	char *base = VirtualAlloc(NULL, self->size, MEM_COMMIT, GUARDED);

	ASSERT_NE(NULL, base);
	EXPECT_COMMITTED(base, self->size, GUARDED, base, GUARDED);
	EXPECT_FALSE(try_write(base));
	EXPECT_COMMITTED(base, PAGE, PAGE_READWRITE, base, GUARDED);
	EXPECT_COMMITTED(base + PAGE, self->size - PAGE, GUARDED, base,
			 GUARDED);
	EXPECT_TRUE(try_write(base));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: GP-10 */
TEST_F(region, system_calls_fail_on_a_guard_page)
{
	int pipes[2];

	COMMIT(0, 2 * PAGE, PAGE_READWRITE);
	memset(self->base, 7, 2 * PAGE);
	COMMIT(0, PAGE, GUARDED);
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-1, write(pipes[1], self->base, 8));
	EXPECT_EQ(EFAULT, errno);
	REGION_COMMITTED(0, 2 * PAGE, PAGE_READWRITE);
	EXPECT_EQ(8, write(pipes[1], self->base, 8));
	COMMIT(0, PAGE, GUARDED);
	EXPECT_EQ(-1, read(pipes[0], self->base, 8));
	EXPECT_EQ(EFAULT, errno);
	REGION_COMMITTED(0, 2 * PAGE, PAGE_READWRITE);
	EXPECT_TRUE(all_bytes(self->base, PAGE, 7));
	EXPECT_EQ(8, read(pipes[0], self->base, 8));
	close(pipes[0]);
	close(pipes[1]);
}

/*
 * What the kernel tries first, and then again, does not succeed by that; and of two
 * guards the first one goes. Rules: GP-04, GP-10
 */
TEST_F(region, system_calls_do_not_pass_a_guard)
{
	int file = memfd_create("guards", MFD_CLOEXEC);
	struct iovec parts[2] = {
		{ self->base + PAGE - 100, 200 },
		{ self->base + 2 * PAGE, 8 },
	};

	COMMIT(0, 3 * PAGE, PAGE_READWRITE);
	memset(self->base, 7, 3 * PAGE);
	COMMIT(PAGE, 2 * PAGE, GUARDED);
	EXPECT_GE(100, write(file, self->base + PAGE - 100, 200));
	REGION_COMMITTED(PAGE, PAGE, PAGE_READWRITE);
	REGION_COMMITTED(2 * PAGE, PAGE, GUARDED);
	EXPECT_EQ(200, pwritev(file, parts, 1, 0));
	COMMIT(PAGE, PAGE, GUARDED);
	EXPECT_GE(100, preadv(file, parts, 2, 0));
	REGION_COMMITTED(PAGE, PAGE, PAGE_READWRITE);
	REGION_COMMITTED(2 * PAGE, PAGE, GUARDED);
	EXPECT_EQ(200, preadv(file, parts, 1, 0));
	/* What is only looked up by the kernel is touched, too. */
	EXPECT_EQ(-1, madvise(self->base + 2 * PAGE, PAGE,
			      22 /* MADV_POPULATE_READ */));
	REGION_COMMITTED(2 * PAGE, PAGE, PAGE_READWRITE);
	close(file);
}

static void *read_into(void *arg)
{
	int pipes[2];

	if (pipe(pipes) || write(pipes[1], "abc", 3) != 3)
		return NULL;
	if (read(pipes[0], arg, 3) >= 0)
		return NULL;
	close(pipes[0]);
	close(pipes[1]);
	return arg;
}

static int child_reads_into(void *arg)
{
	CHECK(read_into(arg));
	CHECK(try_write(arg));
	return 0;
}

/* By a thread that ends with it; and a child has guards of its own. Rules: GP-10 */
TEST_F(region, system_calls_of_others)
{
	pthread_t thread;
	void *done = NULL;

	COMMIT(0, 2 * PAGE, GUARDED);
	EXPECT_EQ(0, in_child(child_reads_into, self->base));
	REGION_COMMITTED(0, 2 * PAGE, GUARDED);
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_into, self->base));
	ASSERT_EQ(0, pthread_join(thread, &done));
	EXPECT_EQ(self->base, done);
	REGION_COMMITTED(0, PAGE, PAGE_READWRITE);
	REGION_COMMITTED(PAGE, PAGE, GUARDED);
}

/* In a view, committed at once or on demand. Rules: GP-10 */
TEST(system_calls_on_guards_of_views)
{
	const DWORD types[] = { SEC_COMMIT, SEC_RESERVE };
	HANDLE section;
	DWORD old;
	char *view;
	size_t i;

	for (i = 0; i < 2; i++) {
		section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
					     PAGE_READWRITE | types[i], 0, UNIT,
					     NULL);
		ASSERT_NE(NULL, section);
		view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
		ASSERT_NE(NULL, view);
		if (types[i] == SEC_RESERVE)
			ASSERT_EQ(view, VirtualAlloc(view, UNIT, MEM_COMMIT,
						     PAGE_READWRITE));
		ASSERT_TRUE(VirtualProtect(view, 2 * PAGE, GUARDED, &old));
		EXPECT_EQ(view, read_into(view));
		ASSERT_TRUE(VirtualProtect(view, PAGE, PAGE_READWRITE, &old));
		EXPECT_EQ(PAGE_READWRITE, old);
		ASSERT_TRUE(VirtualProtect(view + PAGE, PAGE, PAGE_READWRITE,
					   &old));
		EXPECT_EQ(GUARDED, old);
		EXPECT_TRUE(UnmapViewOfFile(view));
		EXPECT_TRUE(CloseHandle(section));
	}
}

#define NR_THREADS 8

static char *shared_page;
static pthread_barrier_t barrier;

static void *touch(void *arg)
{
	char *byte = shared_page + (uintptr_t)arg;

	pthread_barrier_wait(&barrier);
	return (void *)(uintptr_t)try_write(byte);
}

/* However many threads touch it at once, one of them has the alarm. */
/* Rules: GP-03 */
TEST_F(region, one_thread_has_the_alarm)
{
	struct sigaction action = {
		.sa_sigaction = probe_handler,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};
	pthread_t threads[NR_THREADS];
	size_t i, round, caught;
	void *result;

	/* A thread must not take the handler away from the others. */
	sigemptyset(&action.sa_mask);
	ASSERT_EQ(0, sigaction(SIGSEGV, &action, NULL));
	shared_page = self->base;
	ASSERT_EQ(0, pthread_barrier_init(&barrier, NULL, NR_THREADS));
	for (round = 0; round < (size_t)rounds(guard_alarm); round++) {
		COMMIT(0, PAGE, GUARDED);
		for (i = 0; i < NR_THREADS; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, touch,
						    (void *)i));
		for (caught = 0, i = 0; i < NR_THREADS; i++) {
			ASSERT_EQ(0, pthread_join(threads[i], &result));
			caught += !result;
		}
		EXPECT_EQ(1, caught);
		REGION_COMMITTED(0, PAGE, PAGE_READWRITE);
	}
}

TEST_HARNESS_MAIN
