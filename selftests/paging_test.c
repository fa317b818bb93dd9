// SPDX-License-Identifier: GPL-2.0
/* vm: cpus=2 mem=384M timeout=1800 modules=zram */
/*
 * Paging: committed memory that goes out to swap and comes back.
 */
#include "kselftest_harness.h"

#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <winregion/psapi.h>

#include "common.h"
#include "memory.h"
#include "wr_test_util.h"
#include "paging.h"
#include "pins.h"
#include "race.h"
#include "rounds.h"

enum kind {
	SINGLE, /* pages of their own */
	UNITS, /* 64 KiB together */
	HUGE, /* 2 MiB together */
	WATCHED, /* with a write watch */
};

FIXTURE(paging)
{
	int fd;
	char *base;
	int64_t used;
	uint64_t total;
};

FIXTURE_VARIANT(paging)
{
	enum kind kind;
};

FIXTURE_VARIANT_ADD(paging, single) { .kind = SINGLE };
FIXTURE_VARIANT_ADD(paging, units) { .kind = UNITS };
FIXTURE_VARIANT_ADD(paging, huge) { .kind = HUGE };
FIXTURE_VARIANT_ADD(paging, watched) { .kind = WATCHED };

#define COMPACT "/proc/sys/vm/compact_memory"
#define SIZE MIB(4)
#define SLACK (int64_t)MIB(2) /* slots that the core's processors keep for the next */
#define NR (SIZE / 4096)

/* Pages with contents of their own, in an order that makes them what they are to be */
static void fill_as(enum kind kind, char *base, uint64_t seed)
{
	size_t i;

	if (kind != SINGLE) {
		fill_pages(base, NR, seed);
		return;
	}
	for (i = NR; i--;)
		fill_page(base + PAGES(i), seed + i);
}

static char *reserve_watched(int fd)
{
	uint64_t addr = 0;

	if (wr_reserve_at(fd, &addr, SIZE, WINREGION_RESERVE_WRITE_WATCH, RW))
		return NULL;
	return (char *)(uintptr_t)addr;
}

static char *try_region(int fd, enum kind kind)
{
	char *base = NULL;

	if (kind == HUGE)
		base = wr_reserve_aligned(fd, SIZE, MIB(2), false);
	else if (kind == WATCHED)
		base = reserve_watched(fd);
	else
		base = wr_reserve(fd, SIZE);
	if (!base || wr_commit(fd, base, SIZE, RW))
		return NULL;
	fill_as(kind, base, 1);
	return base;
}

static char *make_region(int fd, enum kind kind)
{
	char *base = set_large(kind == HUGE) ? try_region(fd, kind) : NULL;
	int tries;

	/* Where memory is in pieces, it has to be put together. */
	for (tries = 0; tries < 5; tries++) {
		if (!base || kind != HUGE ||
		    (is_part(base) && is_part(base + SIZE / 2)))
			return base;
		if (wr_release(fd, base, 0) || !write_text(COMPACT, "1"))
			return NULL;
		base = try_region(fd, kind);
	}
	return NULL;
}

/* What ran before in this machine may have left something there. */
__attribute__((constructor)) static void empty_swap(void)
{
	swapoff(SWAP_DEVICE);
}

FIXTURE_SETUP(paging)
{
	ASSERT_TRUE(write_text(DROP_CACHES, "4"));
	ASSERT_TRUE(have_swap());
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->total = total_beside_ended(self->fd);
	EXPECT_TRUE(SETTLES(swap_used() <= SLACK));
	self->used = swap_used();
	self->base = make_region(self->fd, variant->kind);
	ASSERT_NE(NULL, self->base);
}

/* Whatever has happened, nothing is left in swap. */
FIXTURE_TEARDOWN(paging)
{
	EXPECT_EQ(0, wr_release(self->fd, self->base, 0));
	EXPECT_TRUE(SETTLES(swap_used() <= self->used + SLACK));
	/* Some of it may be in store for the next commit. */
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) <=
			    self->total + MIB(1)));
	close(self->fd);
}

TEST_F(paging, out_and_back)
{
	uint64_t committed = WR_INFO(self->fd, out_committed);

	EXPECT_EQ(SIZE, wr_resident(self->fd, self->base, SIZE));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(0, wr_resident(self->fd, self->base, SIZE));
	EXPECT_LE(self->used + (int64_t)SIZE / 2, swap_used());
	EXPECT_EQ(committed, WR_INFO(self->fd, out_committed));
	EXPECT_TRUE(wr_is(self->fd, self->base, RW));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	EXPECT_EQ(SIZE, wr_resident(self->fd, self->base, SIZE));
	/* And once more, with other contents */
	fill_pages(self->base, NR, 5000);
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(0, wr_resident(self->fd, self->base, SIZE));
	fill_page(self->base + PAGES(7), 77);
	EXPECT_TRUE(pages_have(self->base, 7, 5000));
	EXPECT_TRUE(page_has(self->base + PAGES(7), 77));
	EXPECT_TRUE(pages_have(self->base + PAGES(8), NR - 8, 5008));
}

/* What was only trimmed is in memory still. */
TEST_F(paging, back_before_it_is_out)
{
	ASSERT_EQ(0, trim(self->fd, self->base, SIZE));
	EXPECT_EQ(SIZE, wr_resident(self->fd, self->base, SIZE));
	EXPECT_GE(self->used + SLACK, swap_used());
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	ASSERT_EQ(0, trim(self->fd, self->base, SIZE));
	fill_pages(self->base, NR, 300);
	EXPECT_TRUE(pages_have(self->base, NR, 300));
}

/* How many pages were written, which @told has then; or an error */
static long ask_written(int fd, const char *base, bool reset, uint64_t *told)
{
	struct winregion_write_watch arg = {
		.size = sizeof(arg),
		.flags = WINREGION_WATCH_GET |
			 (reset ? WINREGION_WATCH_RESET : 0),
		.address = (uintptr_t)base,
		.length = SIZE,
		.pages = (uintptr_t)told,
		.nr_pages = NR,
	};
	int err = wr_ioctl(fd, WINREGION_WRITE_WATCH, &arg);

	return err ? err : (long)arg.nr_pages;
}

/*
 * What was written before it left is told, be it out or back again; to come back is no
 * write. Rules: WW-03
 */
TEST_F(paging, written_is_told)
{
	uint64_t told[NR], base = (uintptr_t)self->base;

	if (variant->kind != WATCHED) {
		EXPECT_EQ(-EUNATCH,
			  ask_written(self->fd, self->base, false, told));
		return;
	}
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(0, wr_resident(self->fd, self->base, SIZE));
	EXPECT_EQ(NR, ask_written(self->fd, self->base, true, told));
	EXPECT_EQ(0, ask_written(self->fd, self->base, false, told));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	EXPECT_EQ(0, ask_written(self->fd, self->base, false, told));
	fill_page(self->base + PAGES(5), 6);
	fill_page(self->base + PAGES(700), 701);
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(2, ask_written(self->fd, self->base, false, told));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	ASSERT_EQ(2, ask_written(self->fd, self->base, true, told));
	EXPECT_EQ(base + PAGES(5), told[0]);
	EXPECT_EQ(base + PAGES(700), told[1]);
	ASSERT_EQ(0, trim(self->fd, self->base, SIZE));
	fill_page(self->base + PAGES(9), 10);
	ASSERT_TRUE(push_out(self->fd, self->base + SIZE / 2, SIZE / 2));
	fill_page(self->base + PAGES(NR - 1), NR);
	ASSERT_EQ(2, ask_written(self->fd, self->base, true, told));
	EXPECT_EQ(base + PAGES(9), told[0]);
	EXPECT_EQ(base + PAGES(NR - 1), told[1]);
	/* What is decommitted is not told any more. */
	fill_page(self->base, 1);
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	ASSERT_EQ(0, wr_decommit(self->fd, self->base, 4096));
	EXPECT_EQ(0, ask_written(self->fd, self->base, true, told));
	EXPECT_TRUE(pages_have(self->base + PAGES(1), NR - 1, 2));
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* Those that had to read something */
static long major_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_majflt;
}

/* Who goes through memory has the next pages with each that is read, and others not. */
TEST_F(paging, read_in_order)
{
	uint64_t first = -(uintptr_t)self->base % MIB(2) / 4096;
	char *slot = self->base + PAGES(first);
	long before;

	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_TRUE(page_has(slot, first + 1));
	EXPECT_EQ(PAGES(16), wr_resident(self->fd, self->base, SIZE));
	before = faults();
	EXPECT_TRUE(pages_have(slot, 16, first + 1));
	if (variant->kind != HUGE)
		EXPECT_EQ(before, faults());
	EXPECT_TRUE(page_has(slot + PAGES(16), first + 17));
	EXPECT_EQ(PAGES(32), wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(page_has(slot + PAGES(300), first + 301));
	EXPECT_EQ(PAGES(33), wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(page_has(slot + PAGES(302), first + 303));
	EXPECT_EQ(PAGES(49), wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
}

TEST_F(paging, decommitted_and_committed)
{
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(3), PAGES(1000)));
	ASSERT_EQ(0, wr_commit(self->fd, self->base, SIZE, RW));
	EXPECT_TRUE(pages_have(self->base, 3, 1));
	EXPECT_TRUE(page_is_zero(self->base + PAGES(3)));
	EXPECT_TRUE(page_is_zero(self->base + PAGES(1002)));
	EXPECT_TRUE(pages_have(self->base + PAGES(1003), NR - 1003, 1004));
}

TEST_F(paging, released)
{
	char *other = make_region(self->fd, variant->kind);

	ASSERT_NE(NULL, other);
	ASSERT_TRUE(push_out(self->fd, other, SIZE));
	EXPECT_EQ(0, wr_resident(self->fd, other, SIZE));
	EXPECT_EQ(0, wr_release(self->fd, other, 0));
	/* It may have gone out as well. */
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	EXPECT_TRUE(SETTLES(swap_used() <= self->used + SLACK));
}

TEST_F(paging, protected_meanwhile)
{
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(600), RO));
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(600), PAGES(100),
				NA));
	EXPECT_FALSE(try_write(self->base));
	EXPECT_TRUE(pages_have(self->base, 600, 1));
	EXPECT_FALSE(try_read(self->base + PAGES(600)));
	EXPECT_TRUE(pages_have(self->base + PAGES(700), NR - 700, 701));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, SIZE, RW));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
}

/* By system calls, and by others */
TEST_F(paging, read_and_written_by_the_kernel)
{
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	uint64_t word;
	struct iovec here = { &word, 8 }, there = { NULL, 8 };
	int pipes[2];

	ASSERT_LE(0, mem);
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	ASSERT_EQ(8, pread(mem, &word, 8, (uintptr_t)self->base + PAGES(9)));
	EXPECT_EQ(10, word);
	there.iov_base = self->base + PAGES(10);
	ASSERT_EQ(8, process_vm_readv(getpid(), &here, 1, &there, 1, 0));
	EXPECT_EQ(11, word);
	ASSERT_EQ(4096, write(pipes[1], self->base + PAGES(11), 4096));
	ASSERT_EQ(4096, read(pipes[0], self->base + PAGES(12), 4096));
	EXPECT_TRUE(page_has(self->base + PAGES(12), 12));
	word = 99;
	ASSERT_EQ(8, pwrite(mem, &word, 8, (uintptr_t)self->base + PAGES(20)));
	EXPECT_EQ(99, *(uint64_t *)(self->base + PAGES(20)));
	EXPECT_EQ(~21ULL, *(uint64_t *)(self->base + PAGES(20) + 255 * 8));
	close(mem);
	close(pipes[0]);
	close(pipes[1]);
}

/* What somebody has a reference to stays, and what is written there is seen. */
TEST_F(paging, pinned_stays)
{
	int pin = pin_pages(self->base + PAGES(32), 2);

	if (pin < 0)
		SKIP(return, "no way to pin pages here");
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_LE(PAGES(2), wr_resident(self->fd, self->base, SIZE));
	EXPECT_GT(SIZE, wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	close(pin);
}

TEST_F(paging, locked_stays)
{
	struct winregion_lock arg = {
		.size = sizeof(arg),
		.operation = WINREGION_LOCK_ADD,
		.address = (uintptr_t)self->base + PAGES(512),
		.length = PAGES(512),
	};

	ASSERT_EQ(0, wr_ioctl(self->fd, WINREGION_LOCK, &arg));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(PAGES(512), wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(SIZE, wr_resident(self->fd, self->base, SIZE));
	ASSERT_EQ(0, munlockall());
}

/* Without MCL_FUTURE the core marks the stack, and none of ours. Hazard G19 */
TEST_F(paging, all_that_is_there_is_locked)
{
	ASSERT_EQ(0, mlockall(MCL_CURRENT));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(SIZE, wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	ASSERT_EQ(0, munlockall());
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_GT(SIZE, wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
}

struct family {
	int fd;
	char *base;
};

static int64_t swapped(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return read_proc_field(path, "swapped");
}

static int read_and_write_all(void *arg)
{
	struct family *family = arg;

	CHECK(pages_have(family->base, NR, 1));
	fill_pages(family->base, NR, 9000);
	CHECK(push_out(family->fd, family->base, SIZE));
	CHECK(pages_have(family->base, NR, 9000));
	return 0;
}

/* Parent and child have both what was out at the fork, each for itself. */
TEST_F(paging, forked)
{
	struct family family = { self->fd, self->base };

	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(0, in_child(read_and_write_all, &family));
	EXPECT_EQ(0, wr_resident(self->fd, self->base, SIZE));
	EXPECT_EQ(0, in_child(read_and_write_all, &family));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
}

static int read_half_and_fork(void *arg)
{
	struct family *family = arg;

	CHECK(pages_have(family->base, NR / 2, 1));
	return in_child(read_and_write_all, arg);
}

TEST_F(paging, forked_twice)
{
	struct family family = { self->fd, self->base };

	ASSERT_EQ(0, trim(self->fd, self->base, SIZE / 4));
	EXPECT_EQ(0, in_child(read_half_and_fork, &family));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	fill_page(self->base, 1);
	EXPECT_EQ(0, in_child(read_half_and_fork, &family));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
}

struct relatives {
	struct family family;
	struct rendezvous rv;
	struct child child;
	enum kind kind;
};

#define RELATIVES							\
	{								\
		.family = { self->fd, self->base },			\
		.kind = variant->kind,					\
	}

static bool start_relative(struct relatives *relatives, int (*fn)(void *))
{
	if (!rendezvous_init(&relatives->rv))
		return false;
	relatives->child = start_child(fn, relatives);
	rendezvous_take(&relatives->rv, 0);
	return true;
}

/* It goes on until it says so. */
static void let_relative_go_on(struct relatives *relatives)
{
	rendezvous_signal(&relatives->rv, 0);
	rendezvous_wait(&relatives->rv, 0);
}

/* It goes on to its end, which is as of end_child(). */
static int end_relative(struct relatives *relatives)
{
	rendezvous_signal(&relatives->rv, 0);
	return end_child(&relatives->child);
}

/* What both have can leave, but not where it is a 2 MiB page. */
static uint64_t left_of(enum kind kind)
{
	return kind == HUGE ? SIZE : 0;
}

static int leave_with_parent(void *arg)
{
	struct relatives *relatives = arg;
	char *base = relatives->family.base;
	int fd = relatives->family.fd;

	rendezvous_take(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	CHECK(push_out(fd, base, SIZE));
	CHECK(wr_resident(fd, base, SIZE) == left_of(relatives->kind));
	CHECK(swapped(fd) == (int64_t)(SIZE - left_of(relatives->kind)));
	rendezvous_signal(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	CHECK(pages_have(base, NR, 1));
	fill_pages(base, NR / 2, 9000);
	CHECK(push_out(fd, base, SIZE));
	CHECK(pages_have(base, NR / 2, 9000));
	CHECK(pages_have(base + SIZE / 2, NR / 2, NR / 2 + 1));
	return 0;
}

/* What neither has used lately leaves both, and is written once. */
TEST_F(paging, relatives_leave)
{
	struct relatives relatives = RELATIVES;
	uint64_t left = left_of(variant->kind);

	ASSERT_TRUE(start_relative(&relatives, leave_with_parent));
	ASSERT_EQ(0, trim(self->fd, self->base, SIZE));
	EXPECT_EQ(SIZE, wr_resident(self->fd, self->base, SIZE));
	let_relative_go_on(&relatives);
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(left, wr_resident(self->fd, self->base, SIZE));
	EXPECT_EQ(SIZE - left, swapped(self->fd));
	EXPECT_GE(self->used + (int64_t)SIZE + SLACK / 2, swap_used());
	/* The child's go on being what they were. */
	fill_page(self->base, 77);
	fill_page(self->base + PAGES(NR - 1), 78);
	EXPECT_EQ(0, end_relative(&relatives));
	EXPECT_TRUE(page_has(self->base, 77));
	EXPECT_TRUE(pages_have(self->base + PAGES(1), NR - 2, 2));
	EXPECT_TRUE(page_has(self->base + PAGES(NR - 1), 78));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(0, wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base + PAGES(1), NR - 2, 2));
}

struct heir {
	struct family family;
	int64_t swapped;
};

static int has_its_part(void *arg)
{
	struct heir *heir = arg;

	CHECK(swapped(heir->family.fd) == heir->swapped);
	CHECK(pages_have(heir->family.base + SIZE / 2, NR / 2, 1 + NR / 2));
	return 0;
}

/* Whose pages are in several states, and mappings, leaves as well. Rule WS-01 */
TEST_F(paging, in_many_states)
{
	unsigned int i;

	NEEDS_CODE();
	for (i = 0; i < NR; i += NR / 4)
		ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(i + 1),
					PAGES(1), i % (NR / 2) ? RX : RO));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(0, wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
}

/* A child has nothing out where it has no memory. Hazard G24 */
TEST_F(paging, half_is_not_forked)
{
	struct heir heir = { .family = { self->fd, self->base } };
	char *middle = self->base + SIZE / 2;

	NEEDS_CODE();
	/* What is code has a mapping of its own, and so have both sides. */
	ASSERT_EQ(0, wr_protect(self->fd, middle, PAGES(1), RX));
	ASSERT_EQ(0, madvise(self->base, SIZE / 2, MADV_DONTFORK));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	heir.swapped = swapped(self->fd) - SIZE / 2 +
		       wr_resident(self->fd, self->base, SIZE / 2);
	EXPECT_LT(0, heir.swapped);
	EXPECT_EQ(0, in_child(has_its_part, &heir));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
}

static int use_all(void *arg)
{
	struct relatives *relatives = arg;

	rendezvous_take(&relatives->rv, 1);
	CHECK(pages_have(relatives->family.base, NR, 1));
	rendezvous_signal(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	CHECK(pages_have(relatives->family.base, NR, 1));
	return 0;
}

/* One of them goes on using it. */
TEST_F(paging, relative_uses_it)
{
	struct relatives relatives = RELATIVES;

	ASSERT_TRUE(start_relative(&relatives, use_all));
	rendezvous_wait(&relatives.rv, 0);
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	ASSERT_EQ(0, trim(self->fd, self->base, SIZE));
	EXPECT_EQ(0, end_relative(&relatives));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(0, wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
}

static int pin_and_leave(void *arg)
{
	struct relatives *relatives = arg;
	char *base = relatives->family.base, page[4096];
	struct iovec vec = { base + PAGES(40), 4096 };
	int pipes[2];

	rendezvous_take(&relatives->rv, 1);
	CHECK(!pipe(pipes));
	CHECK(vmsplice(pipes[1], &vec, 1, 0) == 4096);
	CHECK(trim(relatives->family.fd, base, SIZE) == 0);
	rendezvous_signal(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	fill_page(base + PAGES(40), 99);
	CHECK(read(pipes[0], page, sizeof(page)) == sizeof(page));
	CHECK(page_has(page, 41));
	CHECK(page_has(base + PAGES(40), 99));
	return 0;
}

/* One has a page in a pipe: that stays, for both, and is what it was. */
TEST_F(paging, relative_has_it_pinned)
{
	struct relatives relatives = RELATIVES;

	ASSERT_TRUE(start_relative(&relatives, pin_and_leave));
	rendezvous_wait(&relatives.rv, 0);
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_LE(4096, wr_resident(self->fd, self->base, SIZE));
	if (variant->kind != HUGE)
		EXPECT_GE(PAGES(16), wr_resident(self->fd, self->base, SIZE));
	EXPECT_EQ(0, end_relative(&relatives));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(0, wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
}

static int write_some_each(void *arg)
{
	struct relatives *relatives = arg;
	char *base = relatives->family.base;
	size_t i;

	rendezvous_take(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	for (i = 0; i < NR; i += 5)
		fill_page(base + PAGES(i), 50000 + i);
	CHECK(push_out(relatives->family.fd, base, SIZE));
	rendezvous_signal(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	for (i = 0; i < NR; i++)
		CHECK(page_has(base + PAGES(i), i % 5 ? i + 1 : 50000 + i));
	return 0;
}

/* Of what lies together one has copies of some, and lets the others have the rest. */
TEST_F(paging, relative_has_parts)
{
	struct relatives relatives = RELATIVES;

	ASSERT_TRUE(start_relative(&relatives, write_some_each));
	ASSERT_EQ(0, trim(self->fd, self->base, SIZE));
	let_relative_go_on(&relatives);
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	if (variant->kind != HUGE)
		EXPECT_EQ(0, wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	fill_pages(self->base, NR, 300);
	EXPECT_EQ(0, end_relative(&relatives));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 300));
}

/* The two pages of each 64 KiB that the parent gives up */
static bool is_given_up(size_t page)
{
	return page % 16 == 3 || page % 16 == 4;
}

static int leave_with_all(void *arg)
{
	struct relatives *relatives = arg;
	char *base = relatives->family.base;

	rendezvous_take(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	CHECK(push_out(relatives->family.fd, base, SIZE));
	CHECK(wr_resident(relatives->family.fd, base, SIZE) ==
	      left_of(relatives->kind));
	rendezvous_signal(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	CHECK(pages_have(base, NR, 1));
	return 0;
}

/* One has given parts of what lies together up, and nobody has a copy. */
TEST_F(paging, relative_gave_parts_up)
{
	struct relatives relatives = RELATIVES;
	size_t i;

	ASSERT_TRUE(start_relative(&relatives, leave_with_all));
	for (i = 0; i < NR; i++)
		if (is_given_up(i))
			EXPECT_EQ(0, wr_decommit(self->fd,
						 self->base + PAGES(i), 4096));
	ASSERT_EQ(0, trim(self->fd, self->base, SIZE));
	let_relative_go_on(&relatives);
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	if (variant->kind != HUGE)
		EXPECT_EQ(0, wr_resident(self->fd, self->base, SIZE));
	for (i = 0; i < NR; i++)
		if (!is_given_up(i))
			EXPECT_TRUE(page_has(self->base + PAGES(i), i + 1));
	EXPECT_EQ(0, end_relative(&relatives));
}

/* Goes into a cgroup of its own, which is then short of memory. */
static int leave_alone(void *arg)
{
	struct relatives *relatives = arg;
	char *base = relatives->family.base;
	int fd = relatives->family.fd;
	uint64_t out;

	rendezvous_take(&relatives->rv, 1);
	CHECK(group_write("cgroup.procs", "0"));
	rendezvous_signal(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	CHECK(!trim(fd, base, SIZE));
	group_write("memory.reclaim", "64M"); /* as much as there is */
	out = SIZE - left_of(relatives->kind);
	CHECK(swapped(fd) == (int64_t)out);
	rendezvous_signal(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	CHECK(pages_have(base, NR, 1));
	return 0;
}

/*
 * What the child has had written is the parent's alone then, and changes where it is: so
 * it has to be written again.
 */
TEST_F(paging, relative_writes_what_is_written)
{
	struct relatives relatives = RELATIVES;

	ASSERT_TRUE(make_group("max"));
	ASSERT_TRUE(start_relative(&relatives, leave_alone));
	rendezvous_wait(&relatives.rv, 0);
	ASSERT_EQ(0, trim(self->fd, self->base, SIZE));
	let_relative_go_on(&relatives);
	EXPECT_EQ(SIZE, wr_resident(self->fd, self->base, SIZE));
	fill_pages(self->base, NR, 7000);
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(0, wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 7000));
	EXPECT_EQ(0, end_relative(&relatives));
	EXPECT_TRUE(SETTLES(!rmdir(group)));
}

/* Offered, reset and discarded while it is out */
TEST_F(paging, offered_and_reset)
{
	struct winregion_reset arg = {
		.size = sizeof(arg),
		.operation = WINREGION_OP_OFFER,
		.range = {
			.address = (uintptr_t)self->base,
			.length = PAGES(700),
			.protection = 1,
		},
	};

	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	ASSERT_EQ(0, wr_ioctl(self->fd, WINREGION_RESET, &arg));
	EXPECT_FALSE(try_read(self->base));
	EXPECT_TRUE(pages_have(self->base + PAGES(700), NR - 700, 701));
	arg.operation = WINREGION_OP_RECLAIM;
	arg.range.protection = 0;
	ASSERT_EQ(0, wr_ioctl(self->fd, WINREGION_RESET, &arg));
	if (!arg.out_gone)
		EXPECT_TRUE(pages_have(self->base, 700, 1));
	arg.operation = WINREGION_OP_DISCARD;
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	ASSERT_EQ(0, wr_ioctl(self->fd, WINREGION_RESET, &arg));
	EXPECT_TRUE(page_is_zero(self->base + PAGES(1)));
	EXPECT_TRUE(pages_have(self->base + PAGES(700), NR - 700, 701));
}

/*
 * What comes in unasked is not what has been offered, and is as it may be used.
 * Rules: OF-03
 */
TEST_F(paging, read_in_order_but_offered)
{
	uint64_t first = -(uintptr_t)self->base % MIB(2) / 4096;
	char *slot = self->base + PAGES(first);
	struct winregion_reset arg = {
		.size = sizeof(arg),
		.operation = WINREGION_OP_OFFER,
		.range = {
			.address = (uintptr_t)slot + PAGES(4),
			.length = PAGES(4),
			.protection = 1,
		},
	};

	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	ASSERT_EQ(0, wr_ioctl(self->fd, WINREGION_RESET, &arg));
	EXPECT_TRUE(page_has(slot, first + 1));
	EXPECT_FALSE(try_read(slot + PAGES(4)));
	EXPECT_FALSE(try_write(slot + PAGES(7)));
	EXPECT_EQ(PAGES(12), wr_resident(self->fd, self->base, SIZE));
	ASSERT_EQ(0, wr_protect(self->fd, slot + PAGES(20), PAGES(1), NA));
	ASSERT_EQ(0, wr_protect(self->fd, slot + PAGES(22), PAGES(1), RO));
	EXPECT_TRUE(page_has(slot + PAGES(16), first + 17));
	EXPECT_EQ(PAGES(28), wr_resident(self->fd, self->base, SIZE));
	EXPECT_FALSE(try_read(slot + PAGES(20)));
	EXPECT_FALSE(try_write(slot + PAGES(22)));
	arg.operation = WINREGION_OP_RECLAIM;
	arg.range.protection = 0;
	ASSERT_EQ(0, wr_ioctl(self->fd, WINREGION_RESET, &arg));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, SIZE, RW));
	if (!arg.out_gone)
		EXPECT_TRUE(pages_have(self->base, NR, 1));
}

/* ---- what others are told ---- */

#define CORE_SLACK (int64_t)MIB(1) /* the core's processors count some for themselves */

/* By the device exactly, and by the core as of any memory */
static bool tells(int fd, int64_t bytes)
{
	int64_t core = read_proc_field("/proc/self/status", "VmSwap");

	return swapped(fd) == bytes && core >= bytes - CORE_SLACK &&
	       core <= bytes + CORE_SLACK;
}

static int child_is_told(void *arg)
{
	struct family *family = arg;

	CHECK(tells(family->fd, SIZE));
	CHECK(page_has(family->base + PAGES(999), 1000));
	CHECK(swapped(family->fd) == SIZE - 4096);
	return 0;
}

TEST_F(paging, told)
{
	uint64_t first = -(uintptr_t)self->base % MIB(2) / 4096;
	struct family family = { self->fd, self->base };
	long major;

	EXPECT_TRUE(tells(self->fd, 0));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_TRUE(tells(self->fd, SIZE));
	EXPECT_EQ(0, in_child(child_is_told, &family));
	EXPECT_TRUE(tells(self->fd, SIZE));
	major = major_faults();
	EXPECT_TRUE(pages_have(self->base + PAGES(first), 16, first + 1));
	EXPECT_EQ(SIZE - PAGES(16), swapped(self->fd));
	EXPECT_EQ(major + 1, major_faults());
	ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(first + 16),
				 PAGES(400)));
	EXPECT_EQ(SIZE - PAGES(416), swapped(self->fd));
	ASSERT_EQ(0, wr_decommit(self->fd, self->base, SIZE));
	EXPECT_TRUE(tells(self->fd, 0));
}

struct told {
	MEMORYSTATUSEX memory;
	PERFORMANCE_INFORMATION all;
	PROCESS_MEMORY_COUNTERS_EX own;
};

static bool ask(struct told *told)
{
	PROCESS_MEMORY_COUNTERS *own = (void *)&told->own;

	told->memory.dwLength = sizeof(told->memory);
	return GlobalMemoryStatusEx(&told->memory) &&
	       GetPerformanceInfo(&told->all, sizeof(told->all)) &&
	       GetProcessMemoryInfo(GetCurrentProcess(), own,
				    sizeof(told->own));
}

/* The limit goes by what is available just then, and by steps of it. */
static bool is_near(int64_t a, int64_t b)
{
	int64_t slack = meminfo("MemTotal") / 16;

	return a >= b - slack && a <= b + slack;
}

/* Both calls say the same. */
static bool agrees(const struct told *told)
{
	const MEMORYSTATUSEX *memory = &told->memory;

	return is_near(memory->ullTotalPageFile, PAGES(told->all.CommitLimit)) &&
	       is_near(memory->ullTotalPageFile - memory->ullAvailPageFile,
		       PAGES(told->all.CommitTotal));
}

/* Some kernels, such as 6.1, count what a thread has touched by 64 faults. */
static bool be_counted(void)
{
	size_t i, length = PAGES(128);
	char *at = mmap(NULL, length, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (i = 0; at != MAP_FAILED && i < length; i += 4096)
		at[i] = 1;
	return at != MAP_FAILED && !munmap(at, length);
}

static size_t valid_pages(const char *base)
{
	PSAPI_WORKING_SET_EX_INFORMATION info[NR];
	size_t i, n = 0;

	for (i = 0; i < NR; i++)
		info[i].VirtualAddress = (char *)base + PAGES(i);
	if (!QueryWorkingSetEx(GetCurrentProcess(), info, sizeof(info)))
		return NR + 1;
	for (i = 0; i < NR; i++)
		n += info[i].VirtualAttributes.Valid;
	return n;
}

/*
 * What is promised is the same wherever pages are; what is in memory is not.
 * Rules: GM-01, GM-03, GM-04, PI-06, QW-03, WS-08
 */
TEST_F(paging, figures)
{
	struct told in, out, back;

	ASSERT_TRUE(be_counted());
	ASSERT_TRUE(ask(&in));
	EXPECT_TRUE(agrees(&in));
	EXPECT_EQ(NR, valid_pages(self->base));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(0, valid_pages(self->base));
	ASSERT_TRUE(ask(&out));
	EXPECT_TRUE(agrees(&out));
	EXPECT_EQ(in.own.PagefileUsage, out.own.PagefileUsage);
	EXPECT_EQ(in.own.PrivateUsage, out.own.PrivateUsage);
	EXPECT_LE(out.own.WorkingSetSize + SIZE, in.own.WorkingSetSize + MIB(1));
	EXPECT_EQ(in.all.CommitTotal, out.all.CommitTotal);
	EXPECT_TRUE(is_near(in.memory.ullTotalPageFile,
			    out.memory.ullTotalPageFile));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	EXPECT_EQ(NR, valid_pages(self->base));
	ASSERT_TRUE(ask(&back));
	EXPECT_EQ(in.own.PagefileUsage, back.own.PagefileUsage);
	EXPECT_LT(out.own.PageFaultCount, back.own.PageFaultCount);
	/* Less can be promised without swap, but nothing has been broken. */
	ASSERT_EQ(0, swapoff(SWAP_DEVICE));
	ASSERT_TRUE(ask(&out));
	EXPECT_TRUE(agrees(&out));
	EXPECT_TRUE(is_near(in.memory.ullTotalPageFile - SWAP_BYTES,
			    out.memory.ullTotalPageFile));
	EXPECT_EQ(in.own.PagefileUsage, out.own.PagefileUsage);
	EXPECT_EQ(in.all.CommitTotal, out.all.CommitTotal);
	ASSERT_EQ(0, swapon(SWAP_DEVICE, 0));
}

/* The administrator takes the swap away. */
TEST_F(paging, swapoff)
{
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	ASSERT_EQ(0, swapoff(SWAP_DEVICE));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	/* There is none to go to. */
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_EQ(SIZE, wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	ASSERT_EQ(0, swapon(SWAP_DEVICE, 0));
}

/* ---- what is asked for ---- */

#define RW_GUARD (RW | WINREGION_GUARD)

static bool prefetch(const char *base, size_t size)
{
	WIN32_MEMORY_RANGE_ENTRY entry = { (void *)base, size };

	return PrefetchVirtualMemory(SELF, 1, &entry, 0);
}

struct churn {
	struct crew crew;
	int fd;
	char *base;
	volatile uint64_t lost;
	volatile unsigned int next;
	volatile bool written[NR];
};

/* Rules: PF-08. A watched region is left as it is, as all of it would count as written. */
TEST_F(paging, prefetched)
{
	uint64_t told[NR];
	long before;

	EXPECT_COMMITTED(self->base, SIZE, RW, self->base, RW);
	if (variant->kind == WATCHED)
		ASSERT_EQ(NR, ask_written(self->fd, self->base, true, told));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_TRUE(prefetch(self->base, SIZE));
	if (variant->kind == WATCHED) {
		EXPECT_TRUE(pages_have(self->base, NR, 1));
		EXPECT_EQ(0, ask_written(self->fd, self->base, false, told));
		return;
	}
	EXPECT_EQ(SIZE, wr_resident(self->fd, self->base, SIZE));
	before = major_faults();
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	EXPECT_EQ(before, major_faults());
	/* A few pages, of which one is only touched by the range */
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_TRUE(prefetch(self->base + PAGES(700) + 5, PAGES(3)));
	EXPECT_LE(PAGES(4), wr_resident(self->fd, self->base, SIZE));
	EXPECT_GE(PAGES(64), wr_resident(self->fd, self->base, SIZE));
	before = major_faults();
	EXPECT_TRUE(pages_have(self->base + PAGES(700), 4, 701));
	EXPECT_EQ(before, major_faults());
}

/* Rules: PF-08. What must not be touched is not, and all around it comes. */
TEST_F(paging, prefetched_but_guards)
{
	char *guard = self->base + PAGES(5), *none = self->base + PAGES(701);
	uint64_t least = SIZE - PAGES(64);

	if (variant->kind == WATCHED)
		return;
	EXPECT_COMMITTED(self->base, SIZE, RW, self->base, RW);
	ASSERT_EQ(0, wr_protect(self->fd, guard, PAGES(1), RW_GUARD));
	ASSERT_EQ(0, wr_protect(self->fd, none, PAGES(1), NA));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_TRUE(prefetch(self->base, SIZE));
	EXPECT_LE(least, wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(wr_is(self->fd, guard, RW_GUARD));
	EXPECT_TRUE(wr_is(self->fd, none, NA));
	EXPECT_FALSE(try_read(guard));
	EXPECT_TRUE(wr_is(self->fd, guard, RW));
	EXPECT_TRUE(pages_have(self->base, 701, 1));
}

#define ROOMY MIB(128)
#define FILLED MIB(32) /* as far as it may look for the next that is out */

/*
 * Rules: PF-08. What was never touched is not made, but for little, to find what is out.
 */
TEST_F(paging, prefetched_but_untouched)
{
	char *base = wr_alloc(self->fd, ROOMY), *filled = base + ROOMY / 2;
	uint64_t most = variant->kind == HUGE ? MIB(24) : MIB(1);
	int64_t out;

	ASSERT_NE(NULL, base);
	EXPECT_COMMITTED(base, ROOMY, RW, base, RW);
	if (variant->kind == SINGLE) {
		/* Nothing is out. */
		EXPECT_TRUE(prefetch(base, ROOMY));
		EXPECT_EQ(0, wr_resident(self->fd, base, ROOMY));
	}
	fill_pages(filled, FILLED / 4096, 1);
	ASSERT_TRUE(push_out(self->fd, filled, FILLED));
	EXPECT_EQ(0, wr_resident(self->fd, base, ROOMY));
	out = swapped(self->fd);
	EXPECT_TRUE(prefetch(base, ROOMY));
	EXPECT_EQ(out - (int64_t)FILLED, swapped(self->fd));
	EXPECT_GE(FILLED + most, wr_resident(self->fd, base, ROOMY));
	EXPECT_TRUE(pages_have(filled, FILLED / 4096, 1));
	EXPECT_EQ(0, wr_release(self->fd, base, 0));
}

static void *prefetch_all(void *arg)
{
	struct churn *churn = arg;

	while (crew_goes_on(&churn->crew))
		churn->lost += !prefetch(churn->base, UNIT);
	return NULL;
}

/* Rules: PF-08. A guard that comes meanwhile is there until the program touches it. */
TEST_F_TIMEOUT(paging, prefetched_beside_guards, 120)
{
	struct churn churn = { .fd = self->fd, .base = self->base };
	unsigned int i, kept = 0, n = rounds(paging_guards);
	char *guard = self->base + PAGES(3), *other;

	if (variant->kind != UNITS)
		return;
	other = make_region(self->fd, SINGLE);
	ASSERT_NE(NULL, other);
	EXPECT_COMMITTED(self->base, SIZE, RW, self->base, RW);
	/* Else nothing would be looked for. */
	ASSERT_TRUE(push_out(self->fd, other, SIZE));
	crew_add(&churn.crew, prefetch_all, &churn);
	for (i = 0; i < n; i++) {
		trim(self->fd, self->base, UNIT);
		ASSERT_EQ(0, wr_protect(self->fd, guard, 4096, RW_GUARD));
		sched_yield();
		kept += wr_is(self->fd, guard, RW_GUARD);
		ASSERT_EQ(0, wr_protect(self->fd, guard, 4096, RW));
	}
	crew_stop(&churn.crew);
	EXPECT_EQ(n, kept);
	EXPECT_EQ(0, churn.lost);
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	EXPECT_EQ(0, wr_release(self->fd, other, 0));
}

/* ---- at once ---- */

/* Each has every fourth page for itself, and knows what it has. */
static void *use_pages(void *arg)
{
	struct churn *churn = arg;
	unsigned int nr = __sync_fetch_and_add(&churn->next, 1);
	uint64_t random = nr + 1, round[NR] = {};
	volatile uint64_t *word;
	unsigned int i;

	while (crew_goes_on(&churn->crew)) {
		i = race_random(&random, NR / 4) * 4 + nr;
		word = (uint64_t *)(churn->base + PAGES(i));
		if (round[i] && (word[1] != round[i] || word[511] != round[i]))
			churn->lost++;
		round[i]++;
		word[1] = round[i];
		word[511] = round[i];
		churn->written[i] = true;
	}
	return NULL;
}

static void *drive_out(void *arg)
{
	struct churn *churn = arg;
	uint64_t random = 7;

	while (crew_goes_on(&churn->crew)) {
		trim(churn->fd, churn->base + PAGES(race_random(&random, NR)),
		     PAGES(1 + race_random(&random, 300)));
		if (!race_random(&random, 4))
			write_text(DROP_CACHES, "2");
	}
	return NULL;
}

/* In a child nobody else writes, whoever has what it has leave. */
static int look_alone(void *arg)
{
	struct churn *churn = arg;
	volatile uint64_t *word;
	uint64_t seen[NR];
	unsigned int i;

	for (i = 0; i < NR; i++)
		seen[i] = *(uint64_t *)(churn->base + PAGES(i) + 8);
	CHECK(push_out(churn->fd, churn->base, SIZE));
	for (i = 0; i < NR; i++) {
		word = (uint64_t *)(churn->base + PAGES(i));
		CHECK(word[1] == seen[i]);
		word[1] = seen[i] + 1;
		CHECK(word[1] == seen[i] + 1);
	}
	return 0;
}

/* Pages that were written, and are not told */
static unsigned int untold(const struct churn *churn)
{
	uint64_t told[NR], page = (uintptr_t)churn->base;
	long n = ask_written(churn->fd, churn->base, false, told), i = 0;
	unsigned int missing = 0, nr;

	for (nr = 0; nr < NR; nr++, page += 4096) {
		if (i < n && told[i] == page)
			i++;
		else
			missing += churn->written[nr];
	}
	return missing;
}

TEST_F_TIMEOUT(paging, used_on_its_way, 120)
{
	struct churn churn = { .fd = self->fd, .base = self->base };
	bool watched = variant->kind == WATCHED;
	uint64_t told[NR];
	unsigned int i;

	if (watched)
		ASSERT_EQ(NR, ask_written(self->fd, self->base, true, told));
	for (i = 0; i < 4; i++)
		crew_add(&churn.crew, use_pages, &churn);
	crew_add(&churn.crew, drive_out, &churn);
	for (i = rounds(paging_forks); i; i--)
		EXPECT_EQ(0, in_child(look_alone, &churn));
	crew_stop(&churn.crew);
	EXPECT_EQ(0, churn.lost);
	if (watched)
		EXPECT_EQ(0, untold(&churn));
}

/* ---- memory that is short ---- */

FIXTURE(short_of_memory)
{
	int fd;
	char *base;
};

FIXTURE_SETUP(short_of_memory)
{
	ASSERT_TRUE(have_swap());
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->base = make_region(self->fd, UNITS);
	ASSERT_NE(NULL, self->base);
}

FIXTURE_TEARDOWN(short_of_memory)
{
	EXPECT_EQ(0, wr_release(self->fd, self->base, 0));
	close(self->fd);
}

#define LARGE_JOB MIB(420)

static int do_job(struct family *family, size_t size, size_t alignment)
{
	char *base = wr_reserve_aligned(family->fd, size, alignment, false);

	CHECK(base);
	CHECK(!wr_commit(family->fd, base, size, RW));
	fill_pages(base, size / 4096, 10);
	CHECK(pages_have(base, size / 4096, 10));
	CHECK(!wr_release(family->fd, base, 0));
	return 0;
}

static int big_job(void *arg)
{
	return do_job(arg, LARGE_JOB, UNIT);
}

/* The three that follow: each on one kernel in three, or where swap wants memory itself */
static bool is_due(unsigned int nth)
{
	return has_turn(nth, 3) || kernel_is(6, 18);
}

/* More than there is of memory; what is written again is below. Hazard G34 */
TEST_F_TIMEOUT(short_of_memory, more_than_memory, 300)
{
	struct family family = { self->fd, self->base };
	long kills = oom_kills();

	if (!is_due(0))
		SKIP(return, "another time: on one kernel in three");
	EXPECT_EQ(0, in_child(big_job, &family));
	EXPECT_EQ(kills, oom_kills());
	EXPECT_TRUE(pages_have(self->base, NR, 1));
}

#define CROWD 8

static int part_of_job(void *arg)
{
	return do_job(arg, LARGE_JOB / CROWD, UNIT);
}

/* Nothing is free before all 512 parts of a page are out. */
static int large_part_of_job(void *arg)
{
	return do_job(arg, LARGE_JOB / CROWD, MIB(2));
}

/* As much by many at once, each of whom makes memory free. Hazard G34 */
TEST_F_TIMEOUT(short_of_memory, more_than_memory_by_a_crowd, 300)
{
	struct family family = { self->fd, self->base };
	struct child child[CROWD];
	long kills = oom_kills();
	unsigned int i;

	if (!is_due(1))
		SKIP(return, "another time: on one kernel in three");
	set_large(true);
	for (i = 0; i < CROWD; i++)
		child[i] = start_child(i % 2 ? large_part_of_job : part_of_job,
				       &family);
	for (i = 0; i < CROWD; i++)
		EXPECT_EQ(0, end_child(&child[i]));
	EXPECT_EQ(kills, oom_kills());
}

static int job_of_relatives(void *arg)
{
	struct family *family = arg;
	char *base = wr_alloc(family->fd, LARGE_JOB / 2);
	struct child child;

	CHECK(base);
	fill_pages(base, LARGE_JOB / 2 / 4096, 20);
	child = start_child(stay_for_ever, NULL);
	CHECK(!do_job(family, LARGE_JOB / 2, UNIT));
	CHECK(pages_have(base, LARGE_JOB / 2 / 4096, 20));
	kill(child.pid, SIGKILL);
	CHECK(end_child(&child) == -SIGKILL);
	return 0;
}

/* Half of it is another's, too: parts of its folios go at a time. Hazard G34 */
TEST_F_TIMEOUT(short_of_memory, more_than_memory_of_relatives, 300)
{
	struct family family = { self->fd, self->base };
	long kills = oom_kills();

	if (!is_due(2))
		SKIP(return, "another time: on one kernel in three");
	EXPECT_EQ(0, in_child(job_of_relatives, &family));
	EXPECT_EQ(kills, oom_kills());
}

static int64_t group_read(const char *file)
{
	char path[192], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		text[0] = 0;
	close(fd);
	return strtoll(text, NULL, 10);
}

/* A child does something in a group of its own, which is gone then. */
#define IN_GROUP(limit, fn) do {					\
	struct family family = { self->fd, self->base };		\
									\
	ASSERT_TRUE(make_group(limit));					\
	EXPECT_EQ(0, in_child(fn, &family));				\
	EXPECT_TRUE(SETTLES(!rmdir(group)));				\
} while (0)

#define GROUP_JOB MIB(64)

static int job_in_group(void *arg)
{
	struct family *family = arg;
	size_t nr = GROUP_JOB / 4096;
	char *base;

	CHECK(group_write("cgroup.procs", "0"));
	base = wr_alloc(family->fd, GROUP_JOB);
	CHECK(base);
	fill_pages(base, nr, 10);
	CHECK(pages_have(base, nr, 10));
	fill_pages(base, nr, 20);
	CHECK(pages_have(base, nr, 20));
	return 0;
}

/* More than a cgroup may have; what others have stays. */
TEST_F_TIMEOUT(short_of_memory, more_than_the_group, 120)
{
	long kills = oom_kills();

	IN_GROUP("28M", job_in_group);
	EXPECT_EQ(kills, oom_kills());
	EXPECT_EQ(SIZE, wr_resident(self->fd, self->base, SIZE));
}

static int look_when_told(void *arg)
{
	struct relatives *relatives = arg;

	rendezvous_take(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	CHECK(pages_have(relatives->family.base, NR, 10));
	return 0;
}

static int leave_it_to_child(void *arg)
{
	struct relatives relatives = { .family = *(struct family *)arg };
	char *base;

	CHECK(group_write("cgroup.procs", "0"));
	base = wr_alloc(relatives.family.fd, SIZE);
	CHECK(base);
	fill_as(SINGLE, base, 10);
	relatives.family.base = base;
	CHECK(start_relative(&relatives, look_when_told));
	CHECK(!wr_release(relatives.family.fd, base, 0));
	CHECK(SETTLES((group_write("memory.reclaim", "2M"),
		       group_read("memory.swap.current") >=
			       (int64_t)(SIZE - SIZE / 8))));
	CHECK(!end_relative(&relatives));
	return 0;
}

/* What a child has leaves, though it has not touched it since the fork. Hazard G23 */
TEST_F(short_of_memory, child_only_has_it)
{
	IN_GROUP("max", leave_it_to_child);
}

/* Here its window has come to the list of one group; the pages are another's. */
static int job_after_a_move(void *arg)
{
	struct family *family = arg;
	size_t nr = GROUP_JOB / 4096;
	char *base;

	CHECK(group_write("cgroup.procs", "0"));
	base = wr_alloc(family->fd, GROUP_JOB);
	CHECK(base);
	fill_page(base, 10);
	CHECK(make_group("28M"));
	CHECK(group_write("cgroup.procs", "0"));
	fill_pages(base, nr, 10);
	CHECK(pages_have(base, nr, 10));
	return 0;
}

/* Who has moved to another group has memory that leaves for that one. Hazard G25 */
TEST_F_TIMEOUT(short_of_memory, moved_to_another_group, 120)
{
	struct family family = { self->fd, self->base };
	long kills = oom_kills();
	struct child child;

	ASSERT_TRUE(make_group("max"));
	child = start_child(job_after_a_move, &family);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_EQ(kills, oom_kills());
	EXPECT_TRUE(SETTLES(!rmdir(group)));
	snprintf(group, sizeof(group), CGROUP_ROOT "/wr_paging.%d", child.pid);
	EXPECT_TRUE(SETTLES(!rmdir(group)));
}

static int forbid_and_wait(void *arg)
{
	struct relatives *relatives = arg;
	char *base = relatives->family.base;

	rendezvous_take(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	CHECK(group_write("cgroup.procs", "0"));
	fill_pages(base, GROUP_JOB / 4096, 10);
	CHECK(!wr_protect(relatives->family.fd, base, GROUP_JOB, NA));
	rendezvous_signal(&relatives->rv, 1);
	rendezvous_wait(&relatives->rv, 1);
	return 0;
}

static bool debugger_reads(pid_t pid, const char *base, size_t nr,
			   uint64_t seed)
{
	char path[64], *text = malloc(MIB(1));
	bool same = true;
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (i = 0; i < nr && same; i += MIB(1) / 4096)
		same = pread(fd, text, MIB(1), (uintptr_t)base + PAGES(i)) ==
			       (ssize_t)MIB(1) &&
		       pages_have(text, MIB(1) / 4096, seed + i);
	close(fd);
	free(text);
	return same;
}

/* A debugger reads more than the group of who is read may have. Hazard G26 */
TEST_F_TIMEOUT(short_of_memory, read_by_a_debugger, 120)
{
	char *base = wr_alloc(self->fd, GROUP_JOB);
	struct relatives relatives = { .family = { self->fd, base } };
	long kills = oom_kills();

	ASSERT_NE(NULL, base);
	ASSERT_TRUE(make_group("28M"));
	ASSERT_TRUE(start_relative(&relatives, forbid_and_wait));
	let_relative_go_on(&relatives);
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, relatives.child.pid, NULL, NULL));
	ASSERT_EQ(relatives.child.pid,
		  waitpid(relatives.child.pid, NULL, __WALL));
	EXPECT_TRUE(debugger_reads(relatives.child.pid, base, GROUP_JOB / 4096,
				   10));
	EXPECT_EQ(0, ptrace(PTRACE_DETACH, relatives.child.pid, NULL, NULL));
	EXPECT_EQ(0, end_relative(&relatives));
	EXPECT_EQ(0, wr_release(self->fd, base, 0));
	EXPECT_EQ(kills, oom_kills());
	EXPECT_TRUE(SETTLES(!rmdir(group)));
}

#define POOR 24

/* A group that may have no swap, and looks for memory as often as leaves time to others */
static int be_poor(void *arg)
{
	struct family *family = arg;
	uint64_t began;
	char *base;

	CHECK(make_group("max"));
	CHECK(group_write("memory.swap.max", "0"));
	CHECK(group_write("cgroup.procs", "0"));
	base = wr_alloc(family->fd, MIB(1));
	CHECK(base);
	fill_pages(base, MIB(1) / 4096, 1);
	while (1) {
		began = now_ms();
		group_write("memory.reclaim", "65536");
		sleep_ms(200 + 2 * POOR * (now_ms() - began));
	}
}

/* A little more than a group of 28 MiB may have in memory */
static int job_beside_them(void *arg)
{
	size_t nr = MIB(40) / 4096;
	struct family *family = arg;
	char *base;

	CHECK(group_write("cgroup.procs", "0"));
	base = wr_alloc(family->fd, MIB(40));
	CHECK(base);
	fill_pages(base, nr, 10);
	CHECK(pages_have(base, nr, 10));
	return 0;
}

/* Whether it has its group. Who makes one keeps all from shrinkers on 6.1. */
static bool is_poor(struct child *child)
{
	char path[192];

	snprintf(path, sizeof(path), CGROUP_ROOT "/wr_paging.%d/cgroup.events",
		 child->pid);
	return *read_from(path, "populated 1");
}

static void end_poor(struct child *child)
{
	kill(child->pid, SIGKILL);
	snprintf(group, sizeof(group), CGROUP_ROOT "/wr_paging.%d", child->pid);
	end_child(child);
	SETTLES(!rmdir(group));
}

/* What one group is refused is nothing to others, however many there are. Hazard G16 */
TEST_F_TIMEOUT(short_of_memory, beside_the_poor, 200)
{
	struct family family = { self->fd, self->base };
	struct child poor[POOR];
	long kills = oom_kills();
	int i;

	ASSERT_TRUE(make_group("max"));
	for (i = 0; i < POOR; i++)
		poor[i] = start_child(be_poor, &family);
	for (i = 0; i < POOR; i++)
		EXPECT_TRUE(SETTLES(is_poor(&poor[i])));
	for (i = 0; i < 2; i++) {
		rmdir(group);
		ASSERT_TRUE(make_group("28M"));
		EXPECT_EQ(0, in_child(job_beside_them, &family));
	}
	EXPECT_EQ(kills, oom_kills());
	EXPECT_TRUE(SETTLES(!rmdir(group)));
	for (i = 0; i < POOR; i++)
		end_poor(&poor[i]);
}

#define SPARSE_PAGES 3500

static int contents(int fd, uint32_t operation, const char *base,
		    uint64_t length, uint32_t word)
{
	struct winregion_reset arg = {
		.size = sizeof(arg),
		.operation = operation,
		.range = {
			.address = (uintptr_t)base,
			.length = length,
			.protection = word,
		},
	};

	return wr_ioctl(fd, WINREGION_RESET, &arg);
}

/* One page in each of many tables of pages; or NULL */
static char *fill_sparsely(int fd, uint32_t flags)
{
	uint64_t addr = 0;
	unsigned int i;
	char *base;

	if (wr_reserve_at(fd, &addr, SPARSE_PAGES * MIB(2), flags, RW))
		return NULL;
	base = (char *)(uintptr_t)addr;
	for (i = 0; i < SPARSE_PAGES; i++) {
		if (wr_commit(fd, base + i * MIB(2), PAGE, RW))
			return NULL;
		fill_page(base + i * MIB(2), i);
	}
	return base;
}

static int sparse_job(void *arg)
{
	struct family *family = arg;
	unsigned int i;
	char *base;

	CHECK(group_write("cgroup.procs", "0"));
	base = fill_sparsely(family->fd, 0);
	CHECK(base);
	for (i = 0; i < SPARSE_PAGES; i++)
		CHECK(page_has(base + i * MIB(2), i));
	CHECK(!contents(family->fd, WINREGION_OP_RESET, base,
			SPARSE_PAGES * MIB(2), RW));
	return 0;
}

/* What it takes to know where pages are is less than what they have given back. */
TEST_F_TIMEOUT(short_of_memory, sparse, 120)
{
	long kills = oom_kills();

	/* A kernel that checks everything has more beside each object. */
	IN_GROUP(getenv("KSFT_SLOWDOWN") ? "64M" : "40M", sparse_job);
	EXPECT_EQ(kills, oom_kills());
}

/* It may have no more than it has. */
static bool close_group(void)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld",
		 (long long)group_read("memory.current"));
	return group_write("memory.max", text);
}

static int sparse_watched_job(void *arg)
{
	struct family *family = arg;
	struct winregion_write_watch question = {
		.size = sizeof(question),
		.flags = WINREGION_WATCH_RESET,
		.length = SPARSE_PAGES * MIB(2),
	};
	char *base;

	CHECK(group_write("cgroup.procs", "0"));
	base = fill_sparsely(family->fd, WINREGION_RESERVE_WRITE_WATCH);
	CHECK(base);
	question.address = (uintptr_t)base;
	CHECK(close_group());
	CHECK(!wr_ioctl(family->fd, WINREGION_WRITE_WATCH, &question));
	return 0;
}

/* All that could leave is what a question is about, which takes memory itself. */
TEST_F_TIMEOUT(short_of_memory, sparse_and_watched, 120)
{
	long kills = oom_kills();

	IN_GROUP("max", sparse_watched_job);
	EXPECT_EQ(kills, oom_kills());
}

#define VM "/proc/sys/vm/"
#define OVERCOMMIT VM "overcommit_memory"

/* 250 bytes for each 2 MiB are more than the group may have. */
#define EMPTY (512ULL << 30)

static int offer_what_is_empty(void *arg)
{
	struct family *family = arg;
	char *base;

	CHECK(group_write("cgroup.procs", "0"));
	base = wr_reserve(family->fd, EMPTY);
	CHECK(base && !wr_commit(family->fd, base, EMPTY, RW));
	fill_page(base, 1);
	CHECK(contents(family->fd, WINREGION_OP_OFFER, base, EMPTY,
		       WINREGION_PRIORITY_LOW) == -ENOMEM);
	CHECK(page_has(base, 1));
	CHECK(group_read("memory.peak") < (int64_t)MIB(30));
	return 0;
}

/* It takes no more than the group may have where nothing leaves for it. Hazard G30 */
TEST_F_TIMEOUT(short_of_memory, offered_but_empty, 120)
{
	int64_t mode = read_number(OVERCOMMIT);
	long kills = oom_kills();

	ASSERT_TRUE(write_number(OVERCOMMIT, 1));
	IN_GROUP("28M", offer_what_is_empty);
	EXPECT_TRUE(write_number(OVERCOMMIT, mode));
	EXPECT_EQ(kills, oom_kills());
}

static int goes_before_kill(struct family *family, bool trimmed)
{
	struct child child;
	char *base;

	CHECK(group_write("cgroup.procs", "0"));
	child = start_child(stay_for_ever, NULL);
	base = wr_alloc(family->fd, SIZE);
	CHECK(base);
	fill_as(SINGLE, base, 10);
	CHECK(!trimmed || !trim(family->fd, base, SIZE));
	CHECK(!group_read("memory.swap.current"));
	CHECK(is_first_to_go(&child));
	CHECK(SETTLES(group_read("memory.swap.current") >= (int64_t)PAGES(32)));
	CHECK(pages_have(base, NR, 10));
	return 0;
}

static int is_charged(void *arg)
{
	return goes_before_kill(arg, true);
}

static int goes_instead(void *arg)
{
	return goes_before_kill(arg, false);
}

/* Before it kills, pages go, and whose they were has it charged. Hazard G7 */
TEST_F(short_of_memory, asked_before_it_kills)
{
	IN_GROUP("max", is_charged);
}

/* More than are looked at for one list at a time */
#define LOCKED_WINDOWS 16

static bool make_locked(int fd, uint64_t *addr)
{
	unsigned int i;

	for (i = 0; i < LOCKED_WINDOWS; i++) {
		addr[i] = 0;
		if (wr_reserve_at(fd, &addr[i], UNIT,
				  WINREGION_RESERVE_WRITE_WATCH |
					  WINREGION_RESERVE_COMMIT, RW))
			return false;
		fill_pages((char *)(uintptr_t)addr[i], UNIT / 4096, 1);
	}
	return !mlockall(MCL_CURRENT | MCL_FUTURE);
}

/* The first that are asked are all locked, and others are asked. Hazard G20 */
TEST_F(short_of_memory, locked_ones_in_front)
{
	struct family family = { self->fd, self->base };
	uint64_t addr[LOCKED_WINDOWS];
	unsigned int i;

	ASSERT_TRUE(make_group("max"));
	ASSERT_TRUE(make_locked(self->fd, addr));
	EXPECT_EQ(0, in_child(goes_instead, &family));
	EXPECT_TRUE(SETTLES(!rmdir(group)));
	ASSERT_EQ(0, munlockall());
	for (i = 0; i < LOCKED_WINDOWS; i++)
		EXPECT_EQ(0, wr_release(self->fd, (char *)(uintptr_t)addr[i],
					0));
}

static void *map_for_ever(void *arg)
{
	void *at;

	while (!__atomic_load_n((int *)arg, __ATOMIC_RELAXED)) {
		at = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		munmap(at, 4096);
	}
	return NULL;
}

static int job_beside_who_maps(void *arg)
{
	pthread_t threads[2];
	int stop = 0, ret;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK(!pthread_create(&threads[i], NULL, map_for_ever, &stop));
	ret = job_in_group(arg);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	return ret;
}

/* Threads that map and unmap keep nothing from leaving. Hazard G32 */
TEST_F_TIMEOUT(short_of_memory, beside_who_maps, 120)
{
	long kills = oom_kills();

	IN_GROUP("28M", job_beside_who_maps);
	EXPECT_EQ(kills, oom_kills());
}

/* More than there is of swap */
#define NOT_FORKED MIB(1000)

/* A region, and in the same 2 MiB what no fork gets: so it fails when it has the region. */
static char *make_unforkable(int fd)
{
	char *at = mmap(NULL, NOT_FORKED + MIB(4), PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *base = (char *)(((uintptr_t)at + MIB(2)) & ~(MIB(2) - 1));
	uint64_t addr = (uintptr_t)base;

	if (at == MAP_FAILED || munmap(at, NOT_FORKED + MIB(4)) ||
	    wr_reserve_at(fd, &addr, MIB(1), WINREGION_RESERVE_COMMIT, RW) ||
	    mmap(base + MIB(1), NOT_FORKED, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		 0) == MAP_FAILED)
		return NULL;
	fill_pages(base, MIB(1) / 4096, 1);
	return base;
}

static int fail_to_fork(void *arg)
{
	struct family *family = arg;
	int64_t more;
	unsigned int i;
	char *base;

	CHECK(group_write("cgroup.procs", "0"));
	CHECK(write_number(OVERCOMMIT, 1));
	base = make_unforkable(family->fd);
	CHECK(base);
	more = meminfo("Committed_AS") + MIB(64) - meminfo("SwapTotal");
	CHECK(more > 0 && write_number(VM "overcommit_kbytes", more / 1024));
	CHECK(write_number(OVERCOMMIT, 2));
	for (i = rounds(paging_failed_forks); i; i--) {
		CHECK(fork() == -1 && errno == ENOMEM);
		if (!(i % 64))
			fill_pages(base, MIB(1) / 4096, 1);
	}
	CHECK(pages_have(base, MIB(1) / 4096, 1));
	return 0;
}

static void *reclaim_for_ever(void *arg)
{
	while (!__atomic_load_n((int *)arg, __ATOMIC_RELAXED))
		group_write("memory.reclaim", "64K");
	return NULL;
}

/* What a fork has begun is looked at by nobody until it is done. Hazard G31 */
TEST_F_TIMEOUT(short_of_memory, failed_forks, 300)
{
	struct family family = { self->fd, self->base };
	int64_t mode = read_number(OVERCOMMIT);
	int64_t ratio = read_number(VM "overcommit_ratio");
	pthread_t thread;
	int stop = 0;

	ASSERT_TRUE(make_group("max"));
	ASSERT_EQ(0, pthread_create(&thread, NULL, reclaim_for_ever, &stop));
	EXPECT_EQ(0, in_child(fail_to_fork, &family));
	EXPECT_TRUE(write_number(OVERCOMMIT, mode));
	EXPECT_TRUE(write_number(VM "overcommit_ratio", ratio));
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_TRUE(SETTLES(!rmdir(group)));
}

/* More than all that who is charged looks at before the core kills */
#define IN_FRONT 2500

static int has_more_behind(void *arg)
{
	struct family *family = arg;
	uint64_t *addr = calloc(IN_FRONT, sizeof(*addr));
	size_t nr = GROUP_JOB / 4096;
	char limit[32], *base;
	unsigned int i;

	CHECK(group_write("cgroup.procs", "0"));
	for (i = 0; i < IN_FRONT; i++) {
		CHECK(!wr_reserve_at(family->fd, &addr[i], MIB(1) + UNIT, 0,
				     RW));
		base = (char *)(uintptr_t)addr[i];
		CHECK(!wr_commit(family->fd, base, 4096, RW));
		fill_page(base, i);
		CHECK(!trim(family->fd, base, 4096));
	}
	CHECK(WR_INFO(family->fd, out_windows) >= IN_FRONT);
	CHECK(write_text(DROP_CACHES, "2"));
	snprintf(limit, sizeof(limit), "%lld",
		 (long long)group_read("memory.current") + (long long)MIB(24));
	CHECK(group_write("memory.max", limit));
	base = wr_alloc(family->fd, GROUP_JOB);
	CHECK(base);
	fill_pages(base, nr, 10);
	CHECK(pages_have(base, nr, 10));
	for (i = 0; i < IN_FRONT; i += 97)
		CHECK(page_has((char *)(uintptr_t)addr[i], i));
	return 0;
}

/* Thousands that have nothing in memory do not hide one that has. Hazard G27 */
TEST_F_TIMEOUT(short_of_memory, empty_ones_in_front, 120)
{
	long kills = oom_kills();

	IN_GROUP("max", has_more_behind);
	EXPECT_EQ(kills, oom_kills());
}

struct hot {
	char *base;
	int stop;
	unsigned int passes;
	long faults;
};

#define HOT MIB(8)

static long thread_major_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_majflt;
}

/* Uses all of it, again and again. */
static void *use_often(void *arg)
{
	struct hot *hot = arg;
	uint64_t i;

	while (!__atomic_load_n(&hot->stop, __ATOMIC_RELAXED)) {
		for (i = 0; i < HOT; i += 4096)
			((volatile char *)hot->base)[i]++;
		__atomic_store_n(&hot->faults, thread_major_faults(),
				 __ATOMIC_RELAXED);
		__atomic_add_fetch(&hot->passes, 1, __ATOMIC_RELAXED);
		usleep(2000);
	}
	return NULL;
}

/* A machine whose other processor stands still uses nothing meanwhile. */
static void wait_for_uses(struct hot *hot)
{
	unsigned int first = __atomic_load_n(&hot->passes, __ATOMIC_RELAXED);

	sleep_ms(300);
	while (__atomic_load_n(&hot->passes, __ATOMIC_RELAXED) - first < 2)
		sleep_ms(1);
}

static int use_some_beside(void *arg)
{
	struct family *family = arg;
	struct hot hot = { .base = wr_alloc(family->fd, HOT) };
	char *cold = wr_alloc(family->fd, GROUP_JOB);
	pthread_t thread;
	unsigned int i;
	long before;

	CHECK(group_write("cgroup.procs", "0"));
	CHECK(hot.base && cold);
	fill_pages(hot.base, HOT / 4096, 1);
	fill_pages(cold, GROUP_JOB / 4096, 10);
	CHECK(!pthread_create(&thread, NULL, use_often, &hot));
	/* All was used just now: one look for nothing. */
	group_write("memory.reclaim", "1M");
	sleep_ms(500);
	before = __atomic_load_n(&hot.faults, __ATOMIC_RELAXED);
	for (i = 0; i < 8; i++) {
		group_write("memory.reclaim", "3M");
		wait_for_uses(&hot);
	}
	CHECK(group_read("memory.swap.current") >= (int64_t)MIB(16));
	CHECK(__atomic_load_n(&hot.faults, __ATOMIC_RELAXED) - before < 32);
	__atomic_store_n(&hot.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	CHECK(pages_have(cold, GROUP_JOB / 4096, 10));
	return 0;
}

/*
 * What is used all the time stays, and what is idle goes: up to 16 pages come in with a
 * fault, so that of all of them there would be 128. Hazard G28
 */
TEST_F_TIMEOUT(short_of_memory, hot_ones_stay, 120)
{
	IN_GROUP("max", use_some_beside);
}

/* Whoever has caches dropped has nothing leave that was not told to. Hazard G29 */
TEST_F(paging, caches_are_dropped)
{
	ASSERT_TRUE(write_text(DROP_CACHES, "2"));
	EXPECT_EQ(0, swapped(self->fd));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE / 2));
	EXPECT_EQ((int64_t)SIZE / 2, swapped(self->fd));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
}

#define SHMEM_LARGE "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

/* Whatever the kernel's own shmem has for pages. Hazard G33 */
TEST_F(paging, shmem_is_large)
{
	ASSERT_TRUE(write_text(SHMEM_LARGE, "always"));
	EXPECT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_TRUE(write_text(SHMEM_LARGE, "never"));
	EXPECT_EQ((int64_t)SIZE, swapped(self->fd));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
}

#define SWAPPINESS VM "swappiness"

static int goes_by_swappiness(void *arg)
{
	struct family *family = arg;
	char *base, *cold;
	int i;

	CHECK(group_write("cgroup.procs", "0"));
	base = wr_alloc(family->fd, SIZE);
	cold = wr_alloc(family->fd, UNIT);
	CHECK(base && cold);
	fill_pages(base, NR, 10);
	fill_pages(cold, UNIT / 4096, 5);
	CHECK(!trim(family->fd, cold, UNIT));
	/* The module knows it from the second time on. */
	CHECK(write_number(SWAPPINESS, 0));
	write_text(DROP_CACHES, "2");
	sleep_ms(300);
	for (i = 0; i < 4; i++)
		group_write("memory.reclaim", "2M");
	CHECK(group_read("memory.swap.current") <= (int64_t)UNIT);
	CHECK(write_number(SWAPPINESS, 100));
	CHECK(SETTLES((group_write("memory.reclaim", "2M"),
		       group_read("memory.swap.current") >=
			       (int64_t)PAGES(32))));
	CHECK(pages_have(base, NR, 10));
	return 0;
}

/* Who wants nothing to be swapped gets no more than what was trimmed by name. Hazard G22 */
TEST_F(short_of_memory, swappiness)
{
	struct family family = { self->fd, self->base };
	int64_t swappiness = read_number(SWAPPINESS);

	ASSERT_TRUE(make_group("max"));
	EXPECT_EQ(0, in_child(goes_by_swappiness, &family));
	EXPECT_TRUE(write_number(SWAPPINESS, swappiness));
	EXPECT_TRUE(SETTLES(!rmdir(group)));
}

#define ALL_MEMORY "/sys/kernel/debug/winregion/memory"

static int stays_where_it_is(void *arg)
{
	struct family *family = arg;
	int64_t cold = read_proc_field(ALL_MEMORY, "cold");
	char *base;

	CHECK(group_write("memory.swap.max", "0"));
	CHECK(group_write("cgroup.procs", "0"));
	base = wr_alloc(family->fd, SIZE);
	CHECK(base);
	fill_pages(base, NR, 10);
	CHECK(push_out(family->fd, base, SIZE));
	CHECK(read_proc_field(ALL_MEMORY, "cold") == cold);
	CHECK(wr_resident(family->fd, base, SIZE) == SIZE);
	CHECK(pages_have(base, NR, 10));
	CHECK(group_write("memory.swap.max", "max"));
	CHECK(push_out(family->fd, base, SIZE));
	CHECK(wr_resident(family->fd, base, SIZE) < SIZE);
	CHECK(pages_have(base, NR, 10));
	return 0;
}

/* Nothing is taken out that could not go anywhere. Hazard G21 */
TEST_F(short_of_memory, without_swap)
{
	IN_GROUP("max", stays_where_it_is);
}

TEST_HARNESS_MAIN
