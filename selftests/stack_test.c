// SPDX-License-Identifier: GPL-2.0
/*
 * Regions that are stacks: the guard that moves down as it is touched, and its end.
 */
#include "kselftest_harness.h"

#include <pthread.h>
#include <sys/resource.h>

#include "common.h"
#include "wr_test_util.h"
#include "race.h"

#define GUARDED (RW | WINREGION_GUARD)
#define COMMIT_LIMIT "/sys/module/winregion/parameters/commit_limit_mb"

FIXTURE(stack) {
	int fd;
	char *base;
	char *top;
	char *guard;
};

FIXTURE_VARIANT(stack) {
	size_t size;
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(stack, small) {
	.size = KIB(64),
};

/* As most have it; beside others, as small ones are */
FIXTURE_VARIANT_ADD(stack, usual) {
	.size = MIB(1),
};

/* In a mapping of its own */
FIXTURE_VARIANT_ADD(stack, large) {
	.size = MIB(32),
	.flags = WINREGION_RESERVE_TOP_DOWN,
};

#define TOP_PAGES 4

/* Commit the top, and the guard below it. */
static int arm_stack(int fd, char *base, size_t size)
{
	char *low = base + size - PAGES(TOP_PAGES);
	int ret = wr_commit(fd, low, PAGES(TOP_PAGES), RW);

	return ret ? ret : wr_commit(fd, low - PAGES(1), PAGES(1), GUARDED);
}

static char *make_stack(int fd, size_t size, uint32_t flags)
{
	uint64_t base = 0;

	if (wr_reserve_at(fd, &base, size, WINREGION_RESERVE_STACK | flags,
			  RW) ||
	    arm_stack(fd, (char *)(uintptr_t)base, size))
		return NULL;
	return (char *)(uintptr_t)base;
}

static int set_stack(int fd, const char *addr, uint64_t guarantee,
		     uint32_t flags)
{
	struct winregion_set_stack arg = {
		.size = sizeof(arg),
		.flags = flags,
		.address = (uintptr_t)addr,
		.guarantee = guarantee,
	};

	return wr_ioctl(fd, WINREGION_SET_STACK, &arg);
}

static uint64_t committed_of(int fd, const char *base)
{
	struct winregion_run run;

	return wr_query(fd, base, &run) ? 0 : run.region_committed;
}

FIXTURE_SETUP(stack)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->base = make_stack(self->fd, variant->size, variant->flags);
	ASSERT_NE(NULL, self->base);
	self->top = self->base + variant->size;
	self->guard = self->top - PAGES(TOP_PAGES + 1);
}

FIXTURE_TEARDOWN(stack)
{
	EXPECT_EQ(0, wr_release(self->fd, self->base, 0));
	EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
	close(self->fd);
}

/* The guard is on this page, and what is below is reserved. */
#define EXPECT_GUARD(page) do {						\
	EXPECT_TRUE(wr_is(self->fd, page, GUARDED));			\
	EXPECT_TRUE(wr_is_reserved(self->fd, (page) - PAGES(1)));	\
	EXPECT_TRUE(wr_is(self->fd, (page) + PAGES(1), RW));		\
	EXPECT_EQ((uint64_t)(self->top - (page)),			\
		  committed_of(self->fd, self->base));			\
} while (0)

/* Rules: GP-17 */
TEST_F(stack, guard_moves_down)
{
	char *page = self->guard;
	int i;

	for (i = 0; i < 8; i++, page -= PAGES(1)) {
		EXPECT_GUARD(page);
		EXPECT_TRUE(i % 2 ? try_read(page + 17 * i) :
				    try_write(page + PAGES(1) - 1 - i));
		EXPECT_TRUE(try_write(page));
	}
	EXPECT_GUARD(page);
	EXPECT_TRUE(page_is_zero(page + PAGES(2)) ||
		    (unsigned char)page[PAGES(2)] == 0xa5);
}

/* Nothing else of such a region is different. Rules: GP-01, GP-04, GP-17 */
TEST_F(stack, other_pages_are_as_ever)
{
	/* Below the guard is nothing, and nothing comes of it. */
	EXPECT_FALSE(try_write(self->guard - 1));
	EXPECT_FALSE(try_read(self->guard - PAGES(3)));
	EXPECT_FALSE(try_write(self->base));
	EXPECT_GUARD(self->guard);

	/* A guard with committed pages below it is one alarm. */
	ASSERT_EQ(0, wr_protect(self->fd, self->top - PAGES(2), PAGES(1),
				GUARDED));
	EXPECT_FALSE(try_write(self->top - PAGES(2)));
	EXPECT_TRUE(try_write(self->top - PAGES(2)));
	EXPECT_GUARD(self->guard);

	/* Nor does one of another kind move. */
	ASSERT_EQ(0, wr_protect(self->fd, self->guard, PAGES(1),
				RO | WINREGION_GUARD));
	EXPECT_FALSE(try_read(self->guard));
	EXPECT_TRUE(try_read(self->guard));
	EXPECT_FALSE(try_write(self->guard));
	EXPECT_TRUE(wr_is_reserved(self->fd, self->guard - PAGES(1)));

	/* Made one again it does. */
	ASSERT_EQ(0, wr_protect(self->fd, self->guard, PAGES(1), GUARDED));
	EXPECT_TRUE(try_write(self->guard));
	EXPECT_GUARD(self->guard - PAGES(1));
}

/* A region that is no stack has an alarm there. Rules: GP-01 */
TEST_F(stack, plain_region)
{
	char *plain = wr_reserve(self->fd, variant->size);

	ASSERT_NE(NULL, plain);
	ASSERT_EQ(0, arm_stack(self->fd, plain, variant->size));
	plain += variant->size - PAGES(TOP_PAGES + 1);
	EXPECT_FALSE(try_write(plain));
	EXPECT_TRUE(try_write(plain));
	EXPECT_TRUE(wr_is_reserved(self->fd, plain - PAGES(1)));
	plain -= variant->size - PAGES(TOP_PAGES + 1);
	EXPECT_EQ(0, wr_release(self->fd, plain, 0));
}

/* Touch every page on the way down, from the guard. Return: the one that failed. */
static char *touch_down(char *page, const char *base)
{
	while (page >= base && try_write(page))
		page -= PAGES(1);
	return page;
}

/* Rules: GP-17 */
TEST_F(stack, full_once)
{
	char *last = self->base + PAGES(1);

	EXPECT_EQ(last, touch_down(self->guard, self->base));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
	EXPECT_EQ(last, probe_fault.addr);
	EXPECT_TRUE(probe_fault.write);
	/* It was given all the same, and there is nothing to guard. */
	EXPECT_TRUE(wr_is(self->fd, last, RW));
	EXPECT_EQ(variant->size - PAGES(1), committed_of(self->fd, self->base));
	EXPECT_TRUE(try_write(last));
	EXPECT_FALSE(try_write(self->base + 1));
	EXPECT_FALSE(try_read(self->base));
	EXPECT_TRUE(wr_is_reserved(self->fd, self->base));
}

/* Rules: GP-17 */
TEST_F(stack, full_again)
{
	char *last = self->base + PAGES(1);
	int i;

	touch_down(self->guard, self->base);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, wr_protect(self->fd, last, PAGES(1), GUARDED));
		EXPECT_TRUE(try_write(last + PAGES(1)));
		EXPECT_FALSE(try_write(last + 5));
		EXPECT_TRUE(try_write(last + 5));
	}
	/* From further above it moves down as at first. */
	ASSERT_EQ(0, wr_decommit(self->fd, self->base, PAGES(6)));
	ASSERT_EQ(0, wr_commit(self->fd, self->base + PAGES(5), PAGES(1),
			       GUARDED));
	EXPECT_EQ(last, touch_down(self->base + PAGES(5), self->base));
	EXPECT_EQ(variant->size - PAGES(1), committed_of(self->fd, self->base));
}

/* What is left when the stack is full. Rules: GP-17 */
TEST_F(stack, guarantee)
{
	char *line = self->base + PAGES(4);
	int i;

	ASSERT_EQ(0, set_stack(self->fd, self->top - 1, PAGES(2) + 1, 0));
	EXPECT_EQ(line, touch_down(self->guard, self->base));
	EXPECT_EQ(line, probe_fault.addr);
	EXPECT_EQ(variant->size - PAGES(1), committed_of(self->fd, self->base));
	for (i = 4; i; i--)
		EXPECT_TRUE(try_write(self->base + PAGES(i)));
	EXPECT_FALSE(try_write(self->base));
	/* Once more, with the pages below committed, and without. */
	ASSERT_EQ(0, wr_protect(self->fd, line, PAGES(1), GUARDED));
	EXPECT_FALSE(try_write(line));
	EXPECT_EQ('\xa5', line[-PAGES(1)]);
	ASSERT_EQ(0, wr_decommit(self->fd, self->base, PAGES(4)));
	ASSERT_EQ(0, wr_protect(self->fd, line, PAGES(1), GUARDED));
	EXPECT_FALSE(try_write(line));
	EXPECT_TRUE(try_write(self->base + PAGES(1)));
	EXPECT_EQ(0, line[-PAGES(1)]);
	EXPECT_EQ(variant->size - PAGES(1), committed_of(self->fd, self->base));
}

/* It can be more than there is below the guard, and less again. Rules: GP-17 */
TEST_F(stack, guarantee_above_the_guard)
{
	uint64_t most = variant->size - PAGES(3);

	ASSERT_EQ(0, set_stack(self->fd, self->base, most, 0));
	ASSERT_EQ(0, set_stack(self->fd, self->base, PAGES(1), 0));
	EXPECT_TRUE(try_write(self->guard));
	EXPECT_GUARD(self->guard - PAGES(1));
	ASSERT_EQ(0, set_stack(self->fd, self->base, most, 0));
	EXPECT_FALSE(try_write(self->guard - PAGES(1)));
	EXPECT_EQ(variant->size - PAGES(1), committed_of(self->fd, self->base));
	EXPECT_TRUE(try_write(self->base + PAGES(1)));
	EXPECT_FALSE(try_write(self->base));
}

TEST_F(stack, errors)
{
	char *plain = wr_reserve(self->fd, KIB(64));
	uint64_t addr = 0;

	ASSERT_NE(NULL, plain);
	EXPECT_EQ(-ENOENT, set_stack(self->fd, plain, 0, 0));
	ASSERT_EQ(0, wr_release(self->fd, plain, 0));
	EXPECT_EQ(-ENOENT, set_stack(self->fd, plain, 0, 0));
	EXPECT_EQ(-ENOENT, set_stack(self->fd, (char *)&addr, 0, 0));
	EXPECT_EQ(-EADDRNOTAVAIL, set_stack(self->fd, NULL, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, set_stack(self->fd, self->base, 0, 2));
	EXPECT_EQ(-EXDEV, set_stack(self->fd, self->base,
				    variant->size - PAGES(3) + 1, 0));
	EXPECT_EQ(-EXDEV, set_stack(self->fd, self->base, ~0ULL, 0));
	EXPECT_EQ(-EXDEV, set_stack(self->fd, self->base, 1ULL << 44, 0));

	EXPECT_EQ(-EDOM, wr_reserve_at(self->fd, &addr, KIB(64),
				       WINREGION_RESERVE_STACK, RO));
	EXPECT_EQ(-EDOM, wr_reserve_at(self->fd, &addr, KIB(64),
				       WINREGION_RESERVE_STACK, RWX));
	EXPECT_EQ(-EDOM, wr_reserve_at(self->fd, &addr, KIB(64),
				       WINREGION_RESERVE_STACK,
				       RW | WINREGION_NOCACHE));
	EXPECT_EQ(1, WR_INFO(self->fd, out_regions));
	EXPECT_TRUE(WR_INFO(self->fd, out_features) &
		    WINREGION_FEATURE_STACK);
	/* None of it has changed how it grows. */
	EXPECT_TRUE(try_write(self->guard));
	EXPECT_FALSE(try_write(self->base + PAGES(3)));
	EXPECT_GUARD(self->guard - PAGES(1));
}

/* The kernel makes it grow, too, for the process itself. Rules: GP-17 */
TEST_F(stack, system_calls)
{
	char *page = self->guard, text[] = "a text of some bytes";
	struct iovec local = { text, 8 }, remote = { 0 };
	int ends[2], mem;

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(20, write(ends[1], text, 20));
	/* From the guard up into what is committed */
	EXPECT_EQ(20, read(ends[0], page + PAGES(1) - 10, 64));
	EXPECT_EQ(0, memcmp(page + PAGES(1) - 10, text, 20));
	page -= PAGES(1);
	EXPECT_GUARD(page);
	EXPECT_EQ(8, write(ends[1], page + 100, 8));
	page -= PAGES(1);
	EXPECT_GUARD(page);

	/* Below it they fail. */
	EXPECT_EQ(-1, read(ends[0], page - 4, 4));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, write(ends[1], page - PAGES(1), 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_GUARD(page);

	/* For a debugger it is a guard. */
	remote.iov_base = page;
	remote.iov_len = 8;
	EXPECT_EQ(-1, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, mem);
	(void)!pread(mem, text, 8, (uintptr_t)page);
	EXPECT_GUARD(page);
	close(mem);
	close(ends[0]);
	close(ends[1]);
}

#define CORE_PATTERN "/proc/sys/kernel/core_pattern"
#define CORE_FILE "/tmp/wr_stack_core"

static int dump_core(void *unused)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	/* The memory is the test's: nothing is called that has data of its own. */
	syscall(SYS_setrlimit, RLIMIT_CORE, &all);
	syscall(SYS_kill, syscall(SYS_getpid), SIGQUIT);
	return 1;
}

/* Another process with the same memory dumps core: nothing moves. Rules: GP-17 */
TEST_F(stack, core_dump)
{
	char pattern[256] = "";
	int fd, status = 0;
	pid_t pid;

	fd = open(CORE_PATTERN, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, pattern, sizeof(pattern) - 1) <= 0 ||
	    !write_text(CORE_PATTERN, CORE_FILE))
		SKIP(return, "no core dumps");
	close(fd);
	ASSERT_TRUE(try_write(self->top - 1));
	pid = clone_sharing(dump_core, 0, NULL);
	ASSERT_LT(0, pid);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_TRUE(WCOREDUMP(status));
	EXPECT_TRUE(write_text(CORE_PATTERN, pattern));
	unlink(CORE_FILE);
	EXPECT_GUARD(self->guard);
}

/* At the end of a stack a system call fails, and takes no alarm away. Rules: GP-17 */
TEST_F(stack, system_call_on_full_stack)
{
	char *last = self->base + PAGES(1);
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(4, write(ends[1], "abc", 4));
	touch_down(self->guard, last + PAGES(1));
	EXPECT_TRUE(wr_is(self->fd, last, GUARDED));
	EXPECT_EQ(-1, read(ends[0], last, 4));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_TRUE(wr_is(self->fd, last, GUARDED));
	EXPECT_FALSE(try_write(last));
	EXPECT_TRUE(wr_is(self->fd, last, RW));
	EXPECT_EQ(4, read(ends[0], last, 4));
	close(ends[0]);
	close(ends[1]);
}

/* Any touch below the guard, for code that leaps over it. Rules: GP-17 */
TEST_F(stack, leaps)
{
	char *page = self->guard - PAGES(4);

	ASSERT_EQ(0, set_stack(self->fd, self->base, 0, WINREGION_STACK_LEAPS));
	EXPECT_TRUE(try_write(page + 8));
	EXPECT_GUARD(page - PAGES(1));
	EXPECT_TRUE(page_is_zero(page + PAGES(1)));
	/* The guard itself as ever */
	EXPECT_TRUE(try_read(page - PAGES(1)));
	EXPECT_GUARD(page - PAGES(2));

	/* Never the first page; the second one is the end. */
	EXPECT_FALSE(try_write(self->base + PAGES(1) - 1));
	EXPECT_GUARD(page - PAGES(2));
	EXPECT_FALSE(try_write(self->base + PAGES(1)));
	EXPECT_EQ(variant->size - PAGES(1), committed_of(self->fd, self->base));
	EXPECT_TRUE(try_write(self->base + PAGES(1)));
	EXPECT_FALSE(try_write(self->base));

	/* From then on there is no guard to go by. */
	ASSERT_EQ(0, wr_decommit(self->fd, self->base, PAGES(6)));
	EXPECT_FALSE(try_write(self->base + PAGES(4)));
	/* Not beyond what else is committed */
	ASSERT_EQ(0, wr_commit(self->fd, self->base + PAGES(6), PAGES(1),
			       GUARDED));
	ASSERT_EQ(0, wr_commit(self->fd, self->base + PAGES(4), PAGES(1), RW));
	EXPECT_FALSE(try_write(self->base + PAGES(3)));
	EXPECT_FALSE(try_write(self->base + PAGES(5)));
	EXPECT_TRUE(wr_is(self->fd, self->base + PAGES(6), GUARDED));
	/* It can be switched off. */
	ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(4), PAGES(1)));
	ASSERT_EQ(0, set_stack(self->fd, self->base, 0, 0));
	EXPECT_FALSE(try_write(self->base + PAGES(5)));
	ASSERT_EQ(0, set_stack(self->fd, self->base, 0, WINREGION_STACK_LEAPS));
	EXPECT_TRUE(try_write(self->base + PAGES(5)));
}

struct in_fork {
	int fd;
	size_t size;
	char *base, *guard;
};

static int grow_in_child(void *arg)
{
	struct in_fork *stack = arg;

	CHECK(stack->guard[PAGES(1)] == 77);
	CHECK(wr_is(stack->fd, stack->guard, GUARDED));
	CHECK(try_write(stack->guard));
	CHECK(wr_is(stack->fd, stack->guard - PAGES(1), GUARDED));
	CHECK(touch_down(stack->guard, stack->base) == stack->base + PAGES(3));
	CHECK(committed_of(stack->fd, stack->base) == stack->size - PAGES(1));
	CHECK(WR_INFO(stack->fd, out_committed) == stack->size - PAGES(1));
	return 0;
}

/* A child has the mark, and grows for itself. Rules: GP-17 */
TEST_F(stack, fork)
{
	struct in_fork stack = {
		self->fd, variant->size, self->base, self->guard,
	};

	self->guard[PAGES(1)] = 77;
	ASSERT_EQ(0, set_stack(self->fd, self->base, PAGES(2), 0));
	EXPECT_EQ(0, in_child(grow_in_child, &stack));
	EXPECT_GUARD(self->guard);
	EXPECT_EQ(77, self->guard[PAGES(1)]);
	EXPECT_TRUE(try_write(self->guard));
	EXPECT_GUARD(self->guard - PAGES(1));
}

/* What a release leaves is stacks, too. Rules: GP-17 */
TEST_F(stack, released_in_part)
{
	ASSERT_EQ(0, wr_release(self->fd, self->base, KIB(16)));
	self->base += KIB(16);
	EXPECT_EQ(self->base + PAGES(1), touch_down(self->guard, self->base));
	EXPECT_TRUE(wr_is_reserved(self->fd, self->base));
	EXPECT_TRUE(try_write(self->base + PAGES(1)));
}

/* Commits pages elsewhere until nothing is left, in store or of the limit. */
static bool take_all_charge(int fd, char *rest)
{
	uint64_t done = 0;

	while (done < MIB(63) && !wr_commit(fd, rest + done, MIB(1), RW))
		done += MIB(1);
	while (done < MIB(128) && !wr_commit(fd, rest + done, PAGES(1), RW))
		done += PAGES(1);
	return done < MIB(128);
}

static int without_charge(void *arg)
{
	struct in_fork *stack = arg;
	char *rest = wr_reserve(stack->fd, MIB(128));
	uint64_t committed = committed_of(stack->fd, stack->base);

	CHECK(rest);
	CHECK(take_all_charge(stack->fd, rest));
	/* The page is given, as it is charged already, and no other. */
	CHECK(!try_write(stack->guard));
	CHECK(committed_of(stack->fd, stack->base) == committed);
	CHECK(wr_is(stack->fd, stack->guard, RW));
	CHECK(wr_is_reserved(stack->fd, stack->guard - PAGES(1)));
	CHECK(try_write(stack->guard));
	/* It goes on where there is some again. */
	CHECK(!wr_decommit(stack->fd, rest, 0));
	CHECK(!wr_protect(stack->fd, stack->guard, PAGES(1), GUARDED));
	CHECK(try_write(stack->guard));
	CHECK(wr_is(stack->fd, stack->guard - PAGES(1), GUARDED));
	return 0;
}

/* Without commit charge for another page it is full. Rules: GP-17, M-13 */
TEST_F(stack, no_charge)
{
	struct in_fork stack = {
		self->fd, variant->size, self->base, self->guard,
	};
	int64_t limit = read_number(COMMIT_LIMIT);
	int ret;

	ASSERT_LE(0, limit);
	ASSERT_TRUE(write_number(COMMIT_LIMIT, 64));
	ret = in_child(without_charge, &stack);
	EXPECT_TRUE(write_number(COMMIT_LIMIT, limit));
	EXPECT_EQ(0, ret);
}

/* Real stacks */

#define SIGNAL_STACK KIB(64)

struct deep {
	size_t size;
	int depth;
	int caught;
	bool again;
	int fd;
	char *base;
};

static __thread sigjmp_buf out_of_it;
static __thread volatile int overflows;
static __thread volatile sig_atomic_t frames;

static void on_overflow(int sig)
{
	overflows++;
	siglongjmp(out_of_it, 1);
}

/* A frame of less than a page */
static __attribute__((noinline)) int recurse(int depth)
{
	volatile char room[2000];
	int below;

	room[0] = 0;
	room[1999] = 0;
	below = depth ? recurse(depth - 1) + 1 : 0;
	/* It is used after the call, so that this is no loop. */
	asm volatile("" : : "r" (room) : "memory");
	return below + room[1999];
}

static void *use_deeply(void *arg)
{
	stack_t alternate = { .ss_size = SIGNAL_STACK };
	struct sigaction action = { .sa_handler = on_overflow,
				    .sa_flags = SA_ONSTACK };
	struct deep *deep = arg;

	alternate.ss_sp = malloc(SIGNAL_STACK);
	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	overflows = 0;
	if (!sigsetjmp(out_of_it, 1))
		deep->depth = recurse(deep->depth);
	deep->caught = overflows;
	if (deep->again && deep->caught) {
		wr_protect(deep->fd, deep->base + PAGES(1), PAGES(1), GUARDED);
		if (!sigsetjmp(out_of_it, 1))
			recurse(1 << 30);
		deep->caught = overflows;
	}
	alternate.ss_flags = SS_DISABLE;
	sigaltstack(&alternate, NULL);
	free(alternate.ss_sp);
	return NULL;
}

static int run_on(int fd, struct deep *deep, size_t size,
		  void *(*fn)(void *))
{
	char *base = make_stack(fd, size, 0);
	pthread_attr_t attr;
	pthread_t thread;

	CHECK(base);
	/* The C library's own data is at the top. */
	CHECK(!wr_commit(fd, base + size - KIB(32), KIB(32), RW));
	CHECK(!wr_commit(fd, base + size - KIB(36), KIB(4), GUARDED));
	deep->fd = fd;
	deep->base = base;
	CHECK(!pthread_attr_init(&attr));
	CHECK(!pthread_attr_setstack(&attr, base, size));
	CHECK(!pthread_create(&thread, &attr, fn, deep));
	CHECK(!pthread_join(thread, NULL));
	CHECK(!wr_release(fd, base, 0));
	return 0;
}

/* Rules: GP-17 */
TEST(recursion)
{
	struct deep deep = { .depth = 200 };
	int fd = wr_open();

	ASSERT_EQ(0, run_on(fd, &deep, MIB(1), use_deeply));
	EXPECT_EQ(200, deep.depth);
	EXPECT_EQ(0, deep.caught);
	close(fd);
}

/* Rules: GP-17 */
TEST(endless_recursion)
{
	struct deep deep = { .depth = 1 << 30 };
	int fd = wr_open();

	ASSERT_EQ(0, run_on(fd, &deep, MIB(1), use_deeply));
	EXPECT_EQ(1, deep.caught);
	deep.depth = 1 << 30;
	deep.again = true;
	ASSERT_EQ(0, run_on(fd, &deep, MIB(1), use_deeply));
	EXPECT_EQ(2, deep.caught);
	close(fd);
}

static void on_frame(int sig)
{
	frames++;
}

/* One signal a frame, each some bytes further down */
static __attribute__((noinline)) int raise_below(int depth)
{
	volatile char room[208];
	int below;

	room[0] = 0;
	raise(SIGUSR1);
	below = depth ? raise_below(depth - 1) : frames;
	asm volatile("" : : "r" (room) : "memory");
	return below + room[0];
}

static void *raise_often(void *arg)
{
	struct sigaction action = { .sa_handler = on_frame };
	struct deep *deep = arg;

	sigaction(SIGUSR1, &action, NULL);
	frames = 0;
	deep->caught = raise_below(deep->depth);
	return NULL;
}

/* The frame of a signal, without a stack of its own. Rules: GP-17 */
TEST(signal_frames)
{
	struct deep deep = { .depth = 200 };
	int fd = wr_open();

	ASSERT_EQ(0, run_on(fd, &deep, MIB(1), raise_often));
	EXPECT_EQ(201, deep.caught);
	close(fd);
}

#define MANY 10000

/* Ten thousand of them have no mappings each, nor memory. Rules: GP-17 */
TEST(many_share_mappings)
{
	size_t before = count_all_vmas();
	static char *stacks[MANY];
	int fd = wr_open(), i;
	int64_t rss;

	ASSERT_LE(0, fd);
	rss = self_status("VmRSS");
	for (i = 0; i < MANY; i++) {
		stacks[i] = make_stack(fd, MIB(1), 0);
		ASSERT_NE(NULL, stacks[i]);
	}
	EXPECT_GT(100, count_all_vmas() - before);
	/* What is read of the program itself is in it, some hundred KiB at a time. */
	EXPECT_GT(MIB(4), self_status("VmRSS") - rss);
	EXPECT_TRUE(try_write(stacks[MANY / 2] + MIB(1) - PAGES(5)));
	EXPECT_TRUE(wr_is(fd, stacks[MANY / 2] + MIB(1) - PAGES(6), GUARDED));
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(0, wr_release(fd, stacks[i], 0));
	EXPECT_EQ(0, WR_INFO(fd, out_committed));
	close(fd);
}

/* Races */

struct two {
	pthread_barrier_t barrier;
	char *volatile page;
	volatile uint64_t failed;
};

static void *touch_with_other(void *arg)
{
	struct two *two = arg;
	uint64_t value = 1;

	for (;;) {
		pthread_barrier_wait(&two->barrier);
		if (!two->page)
			return NULL;
		if (!user_access((uint64_t *)two->page, &value, true))
			race_add(&two->failed, 1);
		pthread_barrier_wait(&two->barrier);
	}
}

/* Two threads at the guard move it once. Rules: GP-17 */
TEST_F_TIMEOUT(stack, touched_by_two, 120)
{
	long turn, turns = rounds(stack_touched_by_two);
	struct crew crew = {};
	struct two two = {};

	race_catch_faults();
	pthread_barrier_init(&two.barrier, NULL, 3);
	crew_add(&crew, touch_with_other, &two);
	crew_add(&crew, touch_with_other, &two);
	for (turn = 0; turn < turns; turn++) {
		two.page = self->guard;
		pthread_barrier_wait(&two.barrier);
		pthread_barrier_wait(&two.barrier);
		EXPECT_GUARD(self->guard - PAGES(1));
		ASSERT_EQ(0, wr_decommit(self->fd, self->guard - PAGES(1),
					 PAGES(1)));
		ASSERT_EQ(0, wr_protect(self->fd, self->guard, PAGES(1),
					GUARDED));
	}
	two.page = NULL;
	pthread_barrier_wait(&two.barrier);
	crew_join(&crew);
	EXPECT_EQ(0, two.failed);
	pthread_barrier_destroy(&two.barrier);
}

struct chaos {
	struct crew crew;
	int fd;
	char *base;
	size_t size;
	volatile uint64_t grown;
};

static void *touch_anywhere(void *arg)
{
	int file = memfd_create("word", MFD_CLOEXEC);
	struct chaos *chaos = arg;
	uint64_t state = (uintptr_t)&state | 1, value;
	volatile uint64_t *word;

	while (crew_goes_on(&chaos->crew)) {
		word = (uint64_t *)(chaos->base +
				    PAGES(race_random(&state, 16)));
		value = 1;
		if (race_access(race_random(&state, RACE_KINDS), file, word,
				&value))
			race_add(&chaos->grown, 1);
	}
	close(file);
	return NULL;
}

static void *change_anything(void *arg)
{
	uint64_t state = (uintptr_t)&state | 1;
	struct chaos *chaos = arg;
	uint32_t pages;
	char *page;

	while (crew_goes_on(&chaos->crew)) {
		page = chaos->base + PAGES(race_random(&state, 16));
		pages = 1 + race_random(&state, 3);
		switch (race_random(&state, 6)) {
		case 0:
			wr_decommit(chaos->fd, page, PAGES(pages));
			break;
		case 1:
			wr_protect(chaos->fd, page, PAGES(1), GUARDED);
			break;
		case 2:
			wr_commit(chaos->fd, page, PAGES(1), GUARDED);
			break;
		case 3:
			wr_protect(chaos->fd, page, PAGES(pages), RO);
			break;
		case 4:
			set_stack(chaos->fd, page, PAGES(pages - 1),
				  pages & WINREGION_STACK_LEAPS);
			break;
		default:
			wr_commit(chaos->fd, page, PAGES(pages), RW);
			break;
		}
	}
	return NULL;
}

/* The pages that are committed, one by one */
static uint64_t count_committed(int fd, const char *base, size_t size)
{
	uint64_t next = (uintptr_t)base, bytes = 0;
	struct winregion_run runs[64];
	long i, n;

	while (next < (uintptr_t)base + size) {
		n = wr_query_runs(fd, &next, (uintptr_t)base + size - 1, 0,
				  runs, ARRAY_SIZE(runs));
		if (n <= 0)
			return ~0ULL;
		for (i = 0; i < n; i++)
			if (runs[i].state == WINREGION_STATE_COMMIT)
				bytes += runs[i].length;
	}
	return bytes;
}

/* For as long as it takes; then they stop. */
static void let_go_on(struct chaos *chaos)
{
	struct timespec some = { .tv_nsec = 20000000 };
	long turns = rounds(stack_changed);

	while (turns--)
		nanosleep(&some, NULL);
	crew_stop(&chaos->crew);
}

/*
 * A guard that moves, beside all else that can be done to its pages: what is charged
 * is what is committed, and the region is a stack as before. Rules: GP-17
 */
TEST_F_TIMEOUT(stack, changed_meanwhile, 120)
{
	struct chaos chaos = {
		.fd = self->fd,
		.base = self->base,
		.size = variant->size,
	};

	race_catch_faults();
	crew_add(&chaos.crew, touch_anywhere, &chaos);
	crew_add(&chaos.crew, touch_anywhere, &chaos);
	crew_add(&chaos.crew, change_anything, &chaos);
	crew_add(&chaos.crew, change_anything, &chaos);
	let_go_on(&chaos);
	EXPECT_LT(0, chaos.grown);
	EXPECT_EQ(committed_of(self->fd, self->base),
		  count_committed(self->fd, self->base, variant->size));
	EXPECT_EQ(committed_of(self->fd, self->base),
		  WR_INFO(self->fd, out_committed));
	ASSERT_EQ(0, wr_decommit(self->fd, self->base, 0));
	ASSERT_EQ(0, set_stack(self->fd, self->base, 0, 0));
	ASSERT_EQ(0, arm_stack(self->fd, self->base, variant->size));
	EXPECT_TRUE(try_write(self->guard));
	EXPECT_GUARD(self->guard - PAGES(1));
}

static void *release_and_make(void *arg)
{
	struct chaos *chaos = arg;
	uint64_t base;

	while (crew_goes_on(&chaos->crew)) {
		wr_release(chaos->fd, chaos->base, 0);
		base = (uintptr_t)chaos->base;
		if (!wr_reserve_at(chaos->fd, &base, chaos->size,
				   WINREGION_RESERVE_STACK, RW))
			arm_stack(chaos->fd, chaos->base, chaos->size);
	}
	return NULL;
}

static void *touch_the_guard(void *arg)
{
	struct chaos *chaos = arg;
	uint64_t state = (uintptr_t)&state | 1, value = 1;
	char *top = chaos->base + chaos->size;

	while (crew_goes_on(&chaos->crew))
		if (user_access((uint64_t *)(top - PAGES(1 +
						race_random(&state, 8))),
				&value, true))
			race_add(&chaos->grown, 1);
	return NULL;
}

/* Released under those who touch it. Rules: GP-17 */
TEST_F_TIMEOUT(stack, released_meanwhile, 120)
{
	struct chaos chaos = {
		.fd = self->fd,
		.base = self->base,
		.size = variant->size,
	};

	race_catch_faults();
	crew_add(&chaos.crew, touch_the_guard, &chaos);
	crew_add(&chaos.crew, touch_the_guard, &chaos);
	crew_add(&chaos.crew, release_and_make, &chaos);
	let_go_on(&chaos);
	EXPECT_EQ(committed_of(self->fd, self->base),
		  count_committed(self->fd, self->base, variant->size));
	EXPECT_EQ(committed_of(self->fd, self->base),
		  WR_INFO(self->fd, out_committed));
}

TEST_HARNESS_MAIN
