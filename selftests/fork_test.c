// SPDX-License-Identifier: GPL-2.0
/*
 * fork(): a child has what its parent had at that moment, and from then on
 * each side its own. vfork(), exec() and posix_spawn() beside it.
 */
#include "kselftest_harness.h"

#include <linux/futex.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include "common.h"
#include "rounds.h"
#include "wr_test_util.h"
#include "ring.h"
#include "sections.h"

#define NR_PAGES 64

FIXTURE(forked)
{
	int fd;
	char *base;
	struct rendezvous rv;
};

FIXTURE_VARIANT(forked)
{
	uint64_t size;
	uint64_t alignment;
	bool whole;
};

FIXTURE_VARIANT_ADD(forked, small)
{
	.size = KIB(512),
};

FIXTURE_VARIANT_ADD(forked, large)
{
	.size = MIB(4) + KIB(64),
};

/* 2 MiB pages may be there. */
FIXTURE_VARIANT_ADD(forked, huge)
{
	.size = MIB(4),
	.alignment = MIB(2),
	.whole = true,
};

/*
 * Pages 0..63 are committed and have contents, 64..71 are reserved, 72..79
 * committed and untouched.
 */
FIXTURE_SETUP(forked)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->base = wr_reserve_aligned(self->fd, variant->size,
					variant->alignment, variant->whole);
	ASSERT_NE(NULL, self->base);
	ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(80), RW));
	fill_pages(self->base, NR_PAGES, 100);
	if (!variant->whole)
		ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(64),
					 PAGES(8)));
	ASSERT_TRUE(rendezvous_init(&self->rv));
}

FIXTURE_TEARDOWN(forked)
{
	close(self->fd);
}

/* Both sides write, at the same time and in turn: each sees its own. */
static int child_writes(void *arg)
{
	FIXTURE_DATA(forked) *self = arg;
	int i;

	/* The parent writes the even pages before we look. */
	rendezvous_wait(&self->rv, 1);
	CHECK(pages_have(self->base, NR_PAGES, 100));
	for (i = 0; i < NR_PAGES; i += 3)
		fill_page(self->base + PAGES(i), 1000 + i);
	rendezvous_signal(&self->rv, 1);
	rendezvous_wait(&self->rv, 1);
	for (i = 0; i < NR_PAGES; i++)
		CHECK(page_has(self->base + PAGES(i),
			       i % 3 ? 100 + i : 1000 + i));
	CHECK(page_is_zero(self->base + PAGES(75)));
	fill_page(self->base + PAGES(76), 4);
	/* Once more, over what is ours alone by now */
	fill_pages(self->base, NR_PAGES, 3000);
	rendezvous_signal(&self->rv, 1);
	rendezvous_wait(&self->rv, 1);
	CHECK(pages_have(self->base, NR_PAGES, 3000));
	return 0;
}

TEST_F(forked, copy_on_write)
{
	struct child child = start_child(child_writes, self);
	int i;

	for (i = 0; i < NR_PAGES; i += 2)
		fill_page(self->base + PAGES(i), 2000 + i);
	rendezvous_signal(&self->rv, 0);
	rendezvous_wait(&self->rv, 0);
	for (i = 0; i < NR_PAGES; i++)
		EXPECT_TRUE(page_has(self->base + PAGES(i),
				     i % 2 ? 100 + i : 2000 + i));
	fill_page(self->base + PAGES(77), 5);
	rendezvous_signal(&self->rv, 0);
	rendezvous_wait(&self->rv, 0);
	EXPECT_TRUE(page_is_zero(self->base + PAGES(76)));
	EXPECT_TRUE(page_has(self->base + PAGES(77), 5));
	for (i = 0; i < NR_PAGES; i++)
		EXPECT_TRUE(page_has(self->base + PAGES(i),
				     i % 2 ? 100 + i : 2000 + i));
	fill_pages(self->base, NR_PAGES, 4000);
	rendezvous_signal(&self->rv, 0);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 4000));
}

/* States and protections, and what a query says, come along. */
static int child_sees_states(void *arg)
{
	FIXTURE_DATA(forked) *self = arg;
	struct winregion_run run;

	CHECK(!wr_query(self->fd, self->base, &run));
	CHECK(run.state == WINREGION_STATE_COMMIT && run.protection == RO);
	CHECK(run.region_address == (uintptr_t)self->base);
	CHECK(wr_is(self->fd, self->base + PAGES(2), NA));
	CHECK(wr_is(self->fd, self->base + PAGES(3), RW | WINREGION_GUARD));
	CHECK(wr_is_reserved(self->fd, self->base + PAGES(8)));
	CHECK(WR_INFO(self->fd, out_regions) == 1);
	CHECK(!try_write(self->base) && probe_fault.sig == SIGSEGV);
	CHECK(page_has(self->base, 100));
	CHECK(!try_read(self->base + PAGES(2)));
	CHECK(!try_read(self->base + PAGES(8)));
	/* Its guard fires, and only its own. */
	CHECK(!try_read(self->base + PAGES(3)));
	CHECK(page_has(self->base + PAGES(3), 103));
	CHECK(wr_is(self->fd, self->base + PAGES(3), RW));
	CHECK(!wr_protect(self->fd, self->base + PAGES(2), PAGES(1), RW));
	CHECK(page_has(self->base + PAGES(2), 102));
	return 0;
}

TEST_F(forked, states)
{
	uint64_t committed;

	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(2), RO));
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(2), PAGES(1),
				NA));
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(3), PAGES(1),
				RW | WINREGION_GUARD));
	ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(8), PAGES(2)));
	committed = WR_INFO(self->fd, out_committed);
	EXPECT_EQ(0, in_child(child_sees_states, self));
	EXPECT_EQ(committed, WR_INFO(self->fd, out_committed));
	EXPECT_TRUE(wr_is(self->fd, self->base + PAGES(3),
			  RW | WINREGION_GUARD));
	EXPECT_TRUE(wr_is(self->fd, self->base + PAGES(2), NA));
	EXPECT_FALSE(try_write(self->base));
	EXPECT_FALSE(try_read(self->base + PAGES(3)));
	EXPECT_TRUE(page_has(self->base + PAGES(3), 103));
}

/* The child pays for its copy, and gives the charge back when it ends. */
static int child_is_charged(void *arg)
{
	FIXTURE_DATA(forked) *self = arg;
	uint64_t total;

	rendezvous_wait(&self->rv, 1);
	CHECK(read(self->rv.fd[0][0], &total, 8) == 8);
	CHECK(WR_INFO(self->fd, out_total) >=
	      total + WR_INFO(self->fd, out_committed));
	CHECK(WR_INFO(self->fd, out_charged) >=
	      WR_INFO(self->fd, out_committed));
	return 0;
}

TEST_F(forked, charge)
{
	uint64_t total = WR_INFO(self->fd, out_total);
	struct child child = start_child(child_is_charged, self);

	rendezvous_signal(&self->rv, 0);
	ASSERT_EQ(8, write(self->rv.fd[0][1], &total, 8));
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

/* Whatever the child calls is about its own regions. */
static int child_changes_all(void *arg)
{
	FIXTURE_DATA(forked) *self = arg;
	uint64_t addr = (uintptr_t)self->base;
	char *region;

	CHECK(!wr_decommit(self->fd, self->base, PAGES(8)));
	CHECK(!wr_protect(self->fd, self->base + PAGES(8), PAGES(8), NA));
	CHECK(!wr_commit(self->fd, self->base + PAGES(64), PAGES(8), RW));
	fill_pages(self->base + PAGES(64), 8, 1);
	CHECK(!try_read(self->base));
	CHECK(!try_read(self->base + PAGES(8)));
	CHECK(!wr_commit(self->fd, self->base, PAGES(8), RW));
	CHECK(page_is_zero(self->base));
	fill_pages(self->base, 8, 9000);
	region = wr_alloc(self->fd, MIB(2));
	CHECK(region);
	fill_page(region, 1);
	CHECK(pages_have(self->base + PAGES(16), 48, 116));
	CHECK(!wr_release(self->fd, self->base, 0));
	CHECK(!try_read(self->base));
	CHECK(wr_is_gone(self->fd, self->base));
	/* Something new at the same place */
	CHECK(!wr_reserve_at(self->fd, &addr, KIB(512),
			     WINREGION_RESERVE_COMMIT, RW));
	CHECK(addr == (uintptr_t)self->base);
	CHECK(page_is_zero(self->base + PAGES(9)));
	fill_pages(self->base, 128, 70);
	CHECK(pages_have(self->base, 128, 70));
	return 0;
}

TEST_F(forked, child_changes_stay_there)
{
	struct winregion_get_info before, after;

	ASSERT_EQ(0, wr_get_info(self->fd, &before));
	EXPECT_EQ(0, in_child(child_changes_all, self));
	ASSERT_EQ(0, wr_get_info(self->fd, &after));
	EXPECT_EQ(before.out_regions, after.out_regions);
	EXPECT_EQ(before.out_committed, after.out_committed);
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	if (!variant->whole) {
		EXPECT_FALSE(try_read(self->base + PAGES(64)));
		EXPECT_TRUE(wr_is_reserved(self->fd,
					   self->base + PAGES(64)));
	}
	fill_pages(self->base, NR_PAGES, 200);
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 200));
}

/* And the other way round */
static int child_outlives_changes(void *arg)
{
	FIXTURE_DATA(forked) *self = arg;

	rendezvous_wait(&self->rv, 1);
	CHECK(pages_have(self->base, NR_PAGES, 100));
	CHECK(WR_INFO(self->fd, out_regions) == 1);
	fill_pages(self->base, NR_PAGES, 101);
	rendezvous_signal(&self->rv, 1);
	rendezvous_wait(&self->rv, 1);
	CHECK(pages_have(self->base, NR_PAGES, 101));
	CHECK(!wr_release(self->fd, self->base, 0));
	CHECK(!try_read(self->base));
	return 0;
}

TEST_F(forked, parent_changes_stay_there)
{
	struct child child = start_child(child_outlives_changes, self);

	ASSERT_EQ(0, wr_decommit(self->fd, self->base, PAGES(8)));
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(8), PAGES(8),
				NA));
	rendezvous_signal(&self->rv, 0);
	rendezvous_wait(&self->rv, 0);
	ASSERT_EQ(0, wr_release(self->fd, self->base, 0));
	EXPECT_FALSE(try_read(self->base + PAGES(20)));
	rendezvous_signal(&self->rv, 0);
	EXPECT_EQ(0, end_child(&child));
}

/* Generations: each has its own pages, wherever they came from. */
struct generation {
	FIXTURE_DATA(forked) *self;
	int depth;
};

static int descend(void *arg)
{
	FIXTURE_DATA(forked) *self = ((struct generation *)arg)->self;
	struct generation me = *(struct generation *)arg;
	int page, from;

	/* Page n was last written by generation n % 4, if it is above us. */
	for (page = 0; page < NR_PAGES; page++) {
		from = page % 4;
		CHECK(page_has(self->base + PAGES(page),
			       from && from < me.depth ?
			       10000 * from + page : 100 + page));
	}
	for (page = me.depth % 4; page < NR_PAGES; page += 4)
		fill_page(self->base + PAGES(page), 10000 * me.depth + page);
	if (me.depth < 3) {
		struct generation next = { self, me.depth + 1 };
		struct child child = start_child(descend, &next);
		int line;

		/* At the same time as the grandchild reads and writes */
		for (page = 0; page < NR_PAGES; page += 4)
			fill_page(self->base + PAGES(page), 77);
		line = end_child(&child);
		if (line)
			return line;
	}
	for (page = 1; page < NR_PAGES; page++) {
		from = page % 4;
		if (!from)
			continue;
		CHECK(page_has(self->base + PAGES(page), from <= me.depth ?
			       10000 * from + page : 100 + page));
	}
	return 0;
}

TEST_F(forked, three_deep)
{
	struct generation first = { self, 1 };
	int round;

	for (round = 0; round < 3; round++) {
		EXPECT_EQ(0, in_child(descend, &first));
		EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	}
}

/* A child whose parent has gone */
struct orphan {
	FIXTURE_DATA(forked) *self;
	int go[2];
	int result[2];
};

static int live_on(struct orphan *orphan)
{
	FIXTURE_DATA(forked) *self = orphan->self;
	char byte;

	CHECK(read(orphan->go[0], &byte, 1) == 1);
	CHECK(page_has(self->base, 1));
	CHECK(pages_have(self->base + PAGES(1), NR_PAGES - 1, 101));
	fill_pages(self->base, NR_PAGES, 5000);
	CHECK(!wr_decommit(self->fd, self->base, PAGES(4)));
	CHECK(!wr_commit(self->fd, self->base, PAGES(4), RW));
	CHECK(page_is_zero(self->base));
	CHECK(pages_have(self->base + PAGES(4), NR_PAGES - 4, 5004));
	CHECK(!wr_protect(self->fd, self->base, PAGES(4),
			  code_is_refused() ? RO : RX));
	CHECK(wr_alloc(self->fd, KIB(64)));
	CHECK(!wr_release(self->fd, self->base, 0));
	return 0;
}

static int leave_orphan(void *arg)
{
	struct orphan *orphan = arg;
	int line;

	fill_page(orphan->self->base, 1);
	switch (fork()) {
	case -1:
		return __LINE__;
	case 0:
		line = live_on(orphan);
		if (write(orphan->result[1], &line, sizeof(line)) < 0)
			_exit(1);
		_exit(0);
	}
	/* What was made by this process goes with it. */
	fill_pages(orphan->self->base, NR_PAGES, 1);
	return 0;
}

TEST_F(forked, child_outlives_parent)
{
	struct orphan orphan = { .self = self };
	int line = -1;

	ASSERT_EQ(0, pipe(orphan.go));
	ASSERT_EQ(0, pipe(orphan.result));
	ASSERT_EQ(0, in_child(leave_orphan, &orphan));
	fill_pages(self->base, NR_PAGES, 300);
	ASSERT_EQ(1, write(orphan.go[1], "x", 1));
	ASSERT_EQ(sizeof(line), read(orphan.result[0], &line, sizeof(line)));
	EXPECT_EQ(0, line);
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 300));
}

/* Threads that write while another forks */

struct writer {
	volatile uint64_t *first;
	volatile uint64_t *second;
	volatile int *stop;
};

/* @second is never ahead of @first, and at most one behind. */
static void *write_pair(void *arg)
{
	struct writer *writer = arg;
	uint64_t i;

	for (i = 1; !*writer->stop; i++) {
		*writer->first = i;
		*writer->second = i;
	}
	return NULL;
}

static int pairs_are_consistent(void *arg)
{
	FIXTURE_DATA(forked) *self = arg;
	uint64_t first, second;
	int i;

	for (i = 0; i < 4; i += 2) {
		second = *(volatile uint64_t *)(self->base + PAGES(i + 1));
		first = *(volatile uint64_t *)(self->base + PAGES(i));
		CHECK(first == second || first == second + 1);
		/* It stays so: nobody writes here any more. */
		sleep_ms(1);
		CHECK(*(volatile uint64_t *)(self->base + PAGES(i)) == first);
		*(volatile uint64_t *)(self->base + PAGES(i)) = 1ULL << 60;
	}
	CHECK(pages_have(self->base + PAGES(4), NR_PAGES - 4, 104));
	return 0;
}

/* fork() is one moment for the pages of all threads, and loses no write. */
TEST_F(forked, threads_write_during_fork)
{
	volatile int stop = 0;
	struct writer writer[2];
	pthread_t thread[2];
	int i, round;

	for (i = 0; i < 2; i++) {
		writer[i].first = (void *)(self->base + PAGES(2 * i));
		writer[i].second = (void *)(self->base + PAGES(2 * i + 1));
		writer[i].stop = &stop;
		*writer[i].first = 0;
		*writer[i].second = 0;
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, write_pair,
					    &writer[i]));
	}
	for (round = 0; round < rounds(fork_writers); round++)
		EXPECT_EQ(0, in_child(pairs_are_consistent, self));
	stop = 1;
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(*writer[i].first, *writer[i].second);
		EXPECT_GT(1ULL << 60, *writer[i].first);
	}
}

/* A reader and a writer of one page, in a child: a copy loses nobody. */
struct reader {
	volatile uint64_t *word;
	volatile int *stop;
	int bad;
};

static void *read_upwards(void *arg)
{
	struct reader *reader = arg;
	uint64_t last = 0, now;

	while (!*reader->stop) {
		now = *reader->word;
		if (now < last)
			reader->bad++;
		last = now;
	}
	return NULL;
}

static int read_while_writing(void *arg)
{
	FIXTURE_DATA(forked) *self = arg;
	volatile int stop = 0;
	struct reader reader = { .stop = &stop };
	pthread_t thread;
	uint64_t i;
	int page;
	pid_t pid;

	for (page = 0; page < 16; page++) {
		reader.word = (void *)(self->base + PAGES(page));
		*reader.word = 0;
		stop = 0;
	}
	/* All pages are shared with the parent again after this. */
	pid = fork();
	if (!pid)
		_exit(0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	for (page = 0; page < 16; page++) {
		reader.word = (void *)(self->base + PAGES(page));
		stop = 0;
		CHECK(!pthread_create(&thread, NULL, read_upwards, &reader));
		for (i = 1; i < 2000; i++)
			*reader.word = i;
		stop = 1;
		pthread_join(thread, NULL);
		CHECK(!reader.bad);
		CHECK(*reader.word == 1999);
	}
	return 0;
}

/* Copying a page while another thread faults it in must not hang either. */
TEST_F(forked, reader_during_copy)
{
	int round;

	for (round = 0; round < 4; round++)
		EXPECT_EQ(0, in_child(read_while_writing, self));
}

/* Memory does not grow with the number of children that came and went. */
static int touch_everything(void *arg)
{
	FIXTURE_DATA(forked) *self = arg;

	fill_pages(self->base, NR_PAGES, 1);
	return 0;
}

TEST_F(forked, many_children)
{
	uint64_t total = WR_INFO(self->fd, out_total);
	struct child child[8];
	int round, i;

	for (round = 0; round < 10; round++) {
		for (i = 0; i < 8; i++)
			child[i] = start_child(touch_everything, self);
		fill_page(self->base + PAGES(round), 100 + round);
		for (i = 0; i < 8; i++)
			EXPECT_EQ(0, end_child(&child[i]));
	}
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

/* Executable pages have mappings of their own; they come along as well. */
static int run_and_change(void *arg)
{
	FIXTURE_DATA(forked) *self = arg;

	CHECK(try_exec(self->base + PAGES(4)));
	CHECK(!try_exec(self->base + PAGES(5)));
	CHECK(!try_write(self->base + PAGES(4)));
	CHECK(!wr_protect(self->fd, self->base + PAGES(4), PAGES(1), RW));
	fill_page(self->base + PAGES(4), 1);
	CHECK(!try_exec(self->base + PAGES(4)));
	CHECK(pages_have(self->base, 4, 100));
	CHECK(page_has(self->base + PAGES(6), 106));
	write_code(self->base + PAGES(9));
	CHECK(!wr_protect(self->fd, self->base + PAGES(9), PAGES(2), RX));
	CHECK(try_exec(self->base + PAGES(9)));
	CHECK(page_has(self->base + PAGES(10), 110));
	CHECK(!wr_protect(self->fd, self->base + PAGES(9), PAGES(2), RW));
	CHECK(page_has(self->base + PAGES(10), 110));
	return 0;
}

TEST_F(forked, executable_pages)
{
	NEEDS_CODE();
	write_code(self->base + PAGES(4));
	write_code(self->base + PAGES(5));
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(4), PAGES(1),
				RX));
	EXPECT_EQ(0, in_child(run_and_change, self));
	EXPECT_TRUE(try_exec(self->base + PAGES(4)));
	EXPECT_FALSE(try_exec(self->base + PAGES(5)));
	EXPECT_TRUE(page_has(self->base + PAGES(10), 110));
	/* Changes of mappings on this side while a child lives */
	{
		struct child child = start_child(child_outlives_changes, self);

		fill_pages(self->base + PAGES(5), 8, 105);
		kill(child.pid, SIGKILL);
		EXPECT_EQ(-SIGKILL, end_child(&child));
	}
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(4), PAGES(1),
				RW));
	EXPECT_FALSE(try_exec(self->base + PAGES(4)));
}

/* Mappings that a program keeps from its children */
static int has_no_region(void *arg)
{
	FIXTURE_DATA(forked) *self = arg;
	char *region;

	CHECK(!try_read(self->base));
	CHECK(wr_is_gone(self->fd, self->base));
	CHECK(WR_INFO(self->fd, out_committed) == 0);
	CHECK(WR_INFO(self->fd, out_regions) == 0);
	region = wr_alloc(self->fd, MIB(2));
	CHECK(region);
	fill_page(region, 1);
	return 0;
}

TEST_F(forked, madv_dontfork)
{
	struct vma vma = { 0 };

	ASSERT_TRUE(find_vma(self->base, &vma));
	ASSERT_EQ(0, madvise((void *)(uintptr_t)vma.start,
			     vma.end - vma.start, MADV_DONTFORK));
	EXPECT_EQ(0, in_child(has_no_region, self));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	fill_pages(self->base, NR_PAGES, 2);
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 2));
}

/* A window of several mappings */

#define WHOLE_PAGES 256UL

/* Every second page had a mapping of its own, and may still have. */
static char *make_pieces(int fd)
{
	char *base = wr_alloc(fd, PAGES(WHOLE_PAGES + 16));
	unsigned int i;

	/* One that stays, so that the others' mappings do */
	if (!base || wr_protect(fd, base + PAGES(WHOLE_PAGES + 8), PAGES(1), RX))
		return NULL;
	for (i = 1; i < WHOLE_PAGES; i += 2)
		if (wr_protect(fd, base + PAGES(i), PAGES(1), RX))
			return NULL;
	for (i = 1; i < WHOLE_PAGES; i += 2)
		if (wr_protect(fd, base + PAGES(i), PAGES(1), RW))
			return NULL;
	return base;
}

struct turner {
	int fd;
	char *base;
	volatile bool stop;
};

static void *turn_to_and_fro(void *arg)
{
	struct turner *me = arg;

	while (!me->stop) {
		wr_protect(me->fd, me->base, PAGES(WHOLE_PAGES), NA);
		wr_protect(me->fd, me->base, PAGES(WHOLE_PAGES), RW);
	}
	return NULL;
}

static int is_all_one(void *arg)
{
	struct turner *me = arg;
	struct winregion_run run;

	CHECK(!wr_query(me->fd, me->base, &run));
	CHECK(run.length >= PAGES(WHOLE_PAGES));
	return 0;
}

/* One change of one range has happened for a child, or has not. */
TEST_F_TIMEOUT(forked, change_of_many_mappings, 60)
{
	struct turner turner = { self->fd, make_pieces(self->fd), false };
	pthread_t thread;
	int i;

	NEEDS_CODE();
	ASSERT_NE(NULL, turner.base);
	ASSERT_EQ(0, pthread_create(&thread, NULL, turn_to_and_fro, &turner));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, in_child(is_all_one, &turner));
	turner.stop = true;
	pthread_join(thread, NULL);
}

/* A mapping that is kept from children is lost to them; the others are not. */
static int has_no_piece(void *arg)
{
	struct turner *me = arg;

	CHECK(!try_read(me->base + PAGES(5)));
	CHECK(wr_is_reserved(me->fd, me->base + PAGES(5)));
	CHECK(wr_commit(me->fd, me->base + PAGES(5), PAGES(1), RW) == -ENOENT);
	CHECK(page_has(me->base + PAGES(4), 4));
	CHECK(page_has(me->base + PAGES(6), 6));
	CHECK(!wr_release(me->fd, me->base, 0));
	return 0;
}

TEST_F(forked, madv_dontfork_of_piece)
{
	struct turner turner = { self->fd, wr_alloc(self->fd, MIB(2)), false };
	int i;

	NEEDS_CODE();
	ASSERT_NE(NULL, turner.base);
	for (i = 0; i < 16; i++)
		fill_page(turner.base + PAGES(i), i);
	ASSERT_EQ(0, wr_protect(self->fd, turner.base + PAGES(5), PAGES(1), RX));
	ASSERT_EQ(0, madvise(turner.base + PAGES(5), PAGES(1), MADV_DONTFORK));
	EXPECT_EQ(0, in_child(has_no_piece, &turner));
	EXPECT_TRUE(page_has(turner.base + PAGES(5), 5));
}

/* Several mappings that are to be changed in one step, and a fork between two */

struct mover {
	int fd;
	char *base;
	volatile bool stop;
	int failed;
};

#define LOST 8
#define MOVED 16

static int commit_around_lost(struct mover *me)
{
	struct winregion_range ranges[2] = {
		{ (uintptr_t)me->base, PAGES(LOST), RX, 0 },
		{ (uintptr_t)me->base + PAGES(LOST + 1), PAGES(7), RX, 0 },
	};

	return wr_vector(me->fd, WINREGION_COMMIT, ranges, 2);
}

/* Two mappings, between which there is none, that become one kind or the other */
static void *move_around_lost(void *arg)
{
	struct mover *me = arg;

	while (!me->stop && !me->failed) {
		me->failed |= commit_around_lost(me);
		me->failed |= wr_decommit(me->fd, me->base, PAGES(MOVED));
	}
	return NULL;
}

static int is_alike_around_lost(void *arg)
{
	struct mover *me = arg;
	uint32_t state = wr_state(me->fd, me->base);
	int i;

	for (i = 0; i < MOVED; i++) {
		if (i == LOST)
			continue;
		CHECK(wr_state(me->fd, me->base + PAGES(i)) == state);
		CHECK(try_read(me->base + PAGES(i)) ==
		      (state == WINREGION_STATE_COMMIT));
		CHECK(!try_write(me->base + PAGES(i)));
	}
	CHECK(!wr_decommit(me->fd, me->base, PAGES(MOVED)));
	CHECK(!commit_around_lost(me));
	CHECK(try_read(me->base) && try_read(me->base + PAGES(LOST + 1)));
	return 0;
}

/* Only a part of the first mapping, and all of the second */
static void *move_a_part(void *arg)
{
	struct mover *me = arg;

	while (!me->stop && !me->failed) {
		me->failed |= wr_protect(me->fd, me->base, PAGES(MOVED), RW);
		me->failed |= wr_protect(me->fd, me->base, PAGES(8), RX);
		me->failed |= wr_protect(me->fd, me->base + PAGES(8), PAGES(8),
					 RX);
		me->failed |= wr_protect(me->fd, me->base + PAGES(4),
					 PAGES(12), RW);
	}
	return NULL;
}

static int has_no_half(void *arg)
{
	struct mover *me = arg;
	bool first = wr_is(me->fd, me->base + PAGES(5), RX);
	bool second = wr_is(me->fd, me->base + PAGES(9), RX);

	CHECK(first || wr_is(me->fd, me->base + PAGES(5), RW));
	CHECK(second || wr_is(me->fd, me->base + PAGES(9), RW));
	CHECK(first || !second);
	CHECK(try_write(me->base + PAGES(5)) == !first);
	CHECK(try_write(me->base + PAGES(9)) == !second);
	CHECK(!wr_protect(me->fd, me->base, PAGES(MOVED), RX));
	CHECK(!wr_protect(me->fd, me->base, PAGES(MOVED), RW));
	CHECK(try_write(me->base + PAGES(5)) && try_write(me->base + PAGES(9)));
	return 0;
}

static void fork_beside(struct __test_metadata *_metadata, struct mover *mover,
			void *(*move)(void *), int (*look)(void *))
{
	pthread_t thread;
	int i;

	mover->stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, move, mover));
	for (i = 0; i < rounds(fork_moving); i++)
		ASSERT_EQ(0, in_child(look, mover));
	mover->stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, mover->failed);
}

/* Hazards B15, B20. A call for one range, whatever mappings it is about */
TEST_F_TIMEOUT(forked, change_is_never_half, 120)
{
	struct mover mover = {
		.fd = self->fd,
		.base = wr_reserve(self->fd, KIB(64)),
	};

	NEEDS_CODE();
	/* The first executable page has a mapping of its own. */
	ASSERT_NE(NULL, mover.base);
	ASSERT_EQ(0, wr_commit(self->fd, mover.base + PAGES(LOST), PAGES(1),
			       RX));
	ASSERT_EQ(0, munmap(mover.base + PAGES(LOST), PAGES(1)));
	fork_beside(_metadata, &mover, move_around_lost, is_alike_around_lost);
	mover.base = wr_reserve(self->fd, KIB(64));
	ASSERT_NE(NULL, mover.base);
	ASSERT_EQ(0, wr_commit(self->fd, mover.base, PAGES(MOVED), RW));
	fork_beside(_metadata, &mover, move_a_part, has_no_half);
}

/* Children for which there was no charge leave nothing behind with their parent. */

#define COMMIT_LIMIT "/sys/module/winregion/parameters/commit_limit_mb"
#define POOR_CHILDREN 120

/* Objects of a kind that the kernel has, or -1 */
static long kernel_objects(const char *name)
{
	FILE *file = fopen("/proc/slabinfo", "re");
	char line[512], kind[64];
	long n, found = -1;

	while (file && found < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", kind, &n) == 2 &&
		    !strcmp(kind, name))
			found = n;
	if (file)
		fclose(file);
	return found;
}

static int do_nothing(void *arg)
{
	return 0;
}

/* Where what is freed is kept for a while, as by KASAN, it cannot be told. */
static bool ends_of_children_show(void)
{
	long before = kernel_objects("mm_struct");
	int i;

	for (i = 0; i < POOR_CHILDREN; i++)
		in_child(do_nothing, NULL);
	return before >= 0 &&
	       kernel_objects("mm_struct") < before + POOR_CHILDREN / 2;
}

static int has_no_memory(void *arg)
{
	CHECK(!try_read(arg) && probe_fault.sig == SIGBUS);
	return 0;
}

/* Each child would get another one of the windows, but there is no charge for it. */
static int have_poor_children(void *arg)
{
	long before = kernel_objects("mm_struct");
	int fd = *(int *)arg, i;
	char *region;

	for (i = 0; i < POOR_CHILDREN; i++) {
		CHECK(write_number(COMMIT_LIMIT, 0));
		region = wr_alloc(fd, MIB(2));
		CHECK(region);
		CHECK(write_number(COMMIT_LIMIT,
				   WR_INFO(fd, out_committed) >> 20));
		CHECK(!in_child(has_no_memory, region));
		CHECK(!madvise(region, MIB(2), MADV_DONTFORK));
	}
	CHECK(SETTLES(kernel_objects("mm_struct") < before + POOR_CHILDREN / 2));
	return 0;
}

TEST_F_TIMEOUT(forked, poor_children_are_forgotten, 120)
{
	if (variant->whole || !ends_of_children_show())
		SKIP(return, "not once more, or /proc/slabinfo does not tell");
	EXPECT_EQ(0, in_child(have_poor_children, &self->fd));
	EXPECT_TRUE(write_number(COMMIT_LIMIT, 0));
}

/* Parent and child do not wake each other. */

static int wake_own_word(void *arg)
{
	volatile uint32_t *word = arg;
	int i;

	for (i = 0; i < 20; i++) {
		CHECK(futex(word, FUTEX_WAKE, 1000, NULL) == 0);
		CHECK(futex(word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1000,
			    NULL) == 0);
		sleep_ms(5);
	}
	return 0;
}

static void *wait_shared(void *arg)
{
	struct timespec timeout = { .tv_sec = 20 };

	return (void *)futex(arg, FUTEX_WAIT, 0, &timeout);
}

TEST_F(forked, futexes_are_apart)
{
	volatile uint32_t *word = (void *)self->base;
	struct child child;
	pthread_t thread;
	void *result;

	*word = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_shared,
				    (void *)word));
	sleep_ms(50);
	child = start_child(wake_own_word, (void *)word);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(SETTLES(futex(word, FUTEX_WAKE, 1, NULL) == 1));
	pthread_join(thread, &result);
	EXPECT_EQ(NULL, result);
}

/*
 * Memory that a device may be reading or writing at the moment of a fork:
 * it is the parent's pages that the I/O is about, also afterwards.
 */
static int child_of_pinned(void *arg)
{
	FIXTURE_DATA(forked) *self = arg;

	rendezvous_wait(&self->rv, 1);
	CHECK(pages_have(self->base, NR_PAGES, 100));
	fill_pages(self->base, NR_PAGES, 600);
	rendezvous_signal(&self->rv, 1);
	rendezvous_wait(&self->rv, 1);
	CHECK(pages_have(self->base, NR_PAGES, 600));
	return 0;
}

TEST_F(forked, pinned_pages)
{
	struct iovec iov = { self->base, PAGES(4) };
	struct child child;
	struct ring ring;
	char copy[4096];
	int file;

	if (ring_open(&ring))
		SKIP(return, "no io_uring here");
	if (syscall(SYS_io_uring_register, ring.fd,
		    0 /* IORING_REGISTER_BUFFERS */, &iov, 1))
		SKIP(return, "io_uring pins no mapped file here");
	file = memfd_create("pinned", 0);
	ASSERT_LE(0, file);
	child = start_child(child_of_pinned, self);
	/* What we write goes out, */
	fill_pages(self->base, NR_PAGES, 700);
	rendezvous_signal(&self->rv, 0);
	rendezvous_wait(&self->rv, 0);
	EXPECT_EQ(PAGES(1), ring_io(&ring, IORING_OP_WRITE_FIXED, file,
				    self->base, PAGES(1)));
	ASSERT_EQ(PAGES(1), pread(file, copy, PAGES(1), 0));
	EXPECT_TRUE(page_has(copy, 700));
	/* what comes in we see, and the child does not. */
	fill_page(copy, 701);
	ASSERT_EQ(PAGES(1), pwrite(file, copy, PAGES(1), 0));
	EXPECT_EQ(PAGES(1), ring_io(&ring, IORING_OP_READ_FIXED, file,
				    self->base + PAGES(1), PAGES(1)));
	EXPECT_TRUE(page_has(self->base + PAGES(1), 701));
	rendezvous_signal(&self->rv, 0);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(page_has(self->base, 700));

	/* Over a decommit it is the old page that stays pinned. */
	ASSERT_EQ(0, wr_decommit(self->fd, self->base, PAGES(4)));
	ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(4), RW));
	EXPECT_EQ(PAGES(1), ring_io(&ring, IORING_OP_READ_FIXED, file,
				    self->base, PAGES(1)));
	EXPECT_TRUE(page_is_zero(self->base));
	close(ring.fd);
}

/* vfork(): the same address space, for a moment */
TEST_F(forked, vfork)
{
	char *fd_copy = (char *)(intptr_t)self->fd;
	volatile int ret = -1;
	int status;
	pid_t pid;

	pid = vfork();
	if (!pid) {
		ret = wr_commit((int)(intptr_t)fd_copy,
				self->base + PAGES(64), PAGES(2), RW);
		*(volatile char *)(self->base + PAGES(64)) = 33;
		*(volatile char *)(self->base + 100) = 34;
		_exit(0);
	}
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(33, self->base[PAGES(64)]);
	EXPECT_EQ(34, self->base[100]);
	EXPECT_TRUE(wr_is(self->fd, self->base + PAGES(64), RW));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
}

/* exec(): a new program, with nothing of the old one but the descriptor */

#define PROGRAM_VARIABLE "WR_FORK_TEST_FD"

/* What this file does as the new program, before main() */
static __attribute__((constructor(101))) void be_new_program(void)
{
	const char *text = getenv(PROGRAM_VARIABLE);
	struct winregion_get_info info;
	uint64_t addr;
	char *region;
	int fd;

	if (!text)
		return;
	fd = atoi(text);
	addr = strtoull(strchr(text, ':') + 1, NULL, 16);
	if (wr_get_info(fd, &info))
		_exit(10);
	if (info.out_regions || info.out_windows || info.out_committed)
		_exit(11);
	if (!wr_is_gone(fd, (void *)(uintptr_t)addr))
		_exit(12);
	if (wr_commit(fd, (void *)(uintptr_t)addr, PAGES(1), RW) != -ENOENT)
		_exit(13);
	region = wr_alloc(fd, MIB(2));
	if (!region)
		_exit(14);
	fill_page(region, 1);
	_exit(page_has(region, 1) ? 0 : 15);
}

/* The environment of the new program, which gets a copy of @fd. */
static char **new_environment(int fd, const char *base, int *copy)
{
	static char text[64];
	static char *environment[2] = { text };

	/* Without close-on-exec */
	*copy = dup(fd);
	snprintf(text, sizeof(text), "%s=%d:%llx", PROGRAM_VARIABLE, *copy,
		 (unsigned long long)(uintptr_t)base);
	return environment;
}

static int exec_self(void *arg)
{
	FIXTURE_DATA(forked) *self = arg;
	char *argv[2] = { "new" };
	int copy;

	execve("/proc/self/exe", argv, new_environment(self->fd, self->base,
						       &copy));
	return __LINE__;
}

TEST_F(forked, exec)
{
	uint64_t total = WR_INFO(self->fd, out_total);

	EXPECT_EQ(0, in_child(exec_self, self));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

TEST_F(forked, posix_spawn)
{
	char *argv[2] = { "new" };
	int copy, status;
	char **environment = new_environment(self->fd, self->base, &copy);
	pid_t pid;

	ASSERT_EQ(0, posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv,
				 environment));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(copy);
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	fill_pages(self->base, NR_PAGES, 5);
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 5));
}

static int has_both(void *arg)
{
	char *base = arg;

	CHECK(page_has(base, 8) && page_has(base + KIB(64), 7));
	return 0;
}

/* A view in the place that a window has lost in front is not the window. */
TEST(view_where_the_first_pages_were)
{
	char *first, *second;
	int fd = wr_open();
	int section = sec_create(fd, -1, KIB(64), 0, RW);

	ASSERT_LE(0, section);
	if (code_is_refused())
		SKIP(return, "all pages have one VMA");
	first = wr_alloc(fd, KIB(64));
	second = wr_alloc(fd, KIB(64));
	ASSERT_TRUE(first && second == first + KIB(64));
	/* So that they have a VMA of their own */
	ASSERT_EQ(0, wr_protect(fd, first, KIB(64), RWX));
	fill_page(second, 7);
	ASSERT_EQ(0, munmap(first, KIB(64)));
	ASSERT_EQ(0, wr_release(fd, first, 0));
	ASSERT_EQ(0, sec_map_at(section, first, 0, KIB(64), RW));
	fill_page(first, 8);
	EXPECT_EQ(0, in_child(has_both, first));
	EXPECT_EQ(0, has_both(first));
}

TEST_HARNESS_MAIN
