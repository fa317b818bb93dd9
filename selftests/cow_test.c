// SPDX-License-Identifier: GPL-2.0
/*
 * Copy-on-write beside those who hold a page without owning it: what was put
 * into a pipe by one process does not change when another one writes, whoever
 * of them is gone by then, and whatever way the page became writable again. And
 * what a fork leaves alone: the parent's memory stays mapped, and nobody notices
 * what a relative does to its own.
 *
 * Rules: M-07
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "common.h"
#include "wr_test_util.h"

FIXTURE(cow)
{
	int fd;
	char *base;
	char *page; /* the one that is in a pipe */
	size_t pages;
	int in;
	int out;
	struct rendezvous rv;
};

FIXTURE_VARIANT(cow)
{
	size_t pages;
	bool large;
	bool backwards;
};

/* Touched from the end, no page comes with another. */
FIXTURE_VARIANT_ADD(cow, pages_4k)
{
	.pages = 64,
	.backwards = true,
};

/* All units but the first are large pages. */
FIXTURE_VARIANT_ADD(cow, units_64k)
{
	.pages = 64,
};

FIXTURE_VARIANT_ADD(cow, pages_2m)
{
	.pages = 1024,
	.large = true,
};

FIXTURE_SETUP(cow)
{
	int ends[2];
	size_t i;

	ASSERT_TRUE(set_large(variant->large));
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->pages = variant->pages;
	self->base = wr_alloc(self->fd, PAGES(self->pages));
	ASSERT_NE(NULL, self->base);
	for (i = self->pages; variant->backwards && i--; )
		fill_page(self->base + PAGES(i), 100 + i);
	fill_pages(self->base, self->pages, 100);
	self->page = self->base + PAGES(self->pages / 2 + 5);
	if (!variant->backwards)
		ASSERT_TRUE(is_part(self->page));
	ASSERT_EQ(0, pipe(ends));
	self->out = ends[0];
	self->in = ends[1];
	ASSERT_TRUE(rendezvous_init(&self->rv));
}

FIXTURE_TEARDOWN(cow)
{
	close(self->fd);
}

static uint64_t number(FIXTURE_DATA(cow) *self)
{
	return 100 + (self->page - self->base) / PAGES(1);
}

static bool put(FIXTURE_DATA(cow) *self)
{
	struct iovec iov = { self->page, PAGES(1) };

	return vmsplice(self->in, &iov, 1, 0) == (ssize_t)PAGES(1);
}

static bool has(int out, uint64_t number)
{
	static char page[PAGES(1)];

	return read(out, page, PAGES(1)) == (ssize_t)PAGES(1) &&
	       page_has(page, number);
}

/* ---- the child has it in a pipe, the parent writes ---- */

struct giving {
	FIXTURE_DATA(cow) *self;
	int (*give_up)(FIXTURE_DATA(cow) *self);
	bool exit;
};

static int by_decommit(FIXTURE_DATA(cow) *self)
{
	return wr_decommit(self->fd, self->base, PAGES(self->pages));
}

static int by_decommit_of_one(FIXTURE_DATA(cow) *self)
{
	return wr_decommit(self->fd, self->page, PAGES(1));
}

static int by_release(FIXTURE_DATA(cow) *self)
{
	return wr_release(self->fd, self->base, 0);
}

static int by_write(FIXTURE_DATA(cow) *self)
{
	fill_page(self->page, 5);
	return 0;
}

static int nothing(FIXTURE_DATA(cow) *self)
{
	return 0;
}

static int child_keeps(void *arg)
{
	FIXTURE_DATA(cow) *self = ((struct giving *)arg)->self;
	struct giving *giving = arg;

	CHECK(put(self));
	CHECK(!giving->give_up(self));
	if (giving->exit)
		return 0;
	rendezvous_signal(&self->rv, 1);
	rendezvous_wait(&self->rv, 1);
	CHECK(has(self->out, number(self)));
	return 0;
}

static void keep(struct __test_metadata *_metadata, FIXTURE_DATA(cow) *self,
		 int (*give_up)(FIXTURE_DATA(cow) *self), bool exit)
{
	struct giving giving = { self, give_up, exit };
	struct child child = start_child(child_keeps, &giving);

	if (exit) {
		EXPECT_EQ(0, end_child(&child));
	} else {
		rendezvous_wait(&self->rv, 0);
	}
	fill_page(self->page, 7);
	if (exit) {
		EXPECT_TRUE(has(self->out, number(self)));
	} else {
		rendezvous_signal(&self->rv, 0);
		EXPECT_EQ(0, end_child(&child));
	}
	EXPECT_TRUE(page_has(self->page, 7));
}

TEST_F(cow, child_keeps_it_and_decommits)
{
	keep(_metadata, self, by_decommit, false);
}

TEST_F(cow, child_keeps_it_and_decommits_one)
{
	keep(_metadata, self, by_decommit_of_one, false);
}

TEST_F(cow, child_keeps_it_and_releases)
{
	keep(_metadata, self, by_release, false);
}

TEST_F(cow, child_keeps_it_and_writes)
{
	keep(_metadata, self, by_write, false);
}

TEST_F(cow, child_keeps_it_and_ends)
{
	keep(_metadata, self, nothing, true);
}

/* The pages are made writable where they are, not by a fault. */
TEST_F(cow, writable_again_in_place)
{
	struct giving giving = { self, by_decommit, false };
	struct child child = start_child(child_keeps, &giving);

	rendezvous_wait(&self->rv, 0);
	EXPECT_TRUE(pages_have(self->base, self->pages, 100));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(self->pages), RO));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(self->pages), RW));
	fill_page(self->page, 7);
	rendezvous_signal(&self->rv, 0);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(page_has(self->page, 7));
}

/* A debugger's write is one too. */
TEST_F(cow, written_by_a_debugger)
{
	struct giving giving = { self, by_decommit, false };
	struct child child = start_child(child_keeps, &giving);
	int mem = open("/proc/self/mem", O_RDWR);
	char byte = 1;

	ASSERT_LE(0, mem);
	rendezvous_wait(&self->rv, 0);
	ASSERT_EQ(0, wr_protect(self->fd, self->page, PAGES(1), RO));
	pwrite(mem, &byte, 1, (uintptr_t)self->page);
	rendezvous_signal(&self->rv, 0);
	EXPECT_EQ(0, end_child(&child));
	close(mem);
}

/* What is in a second pipe by tee() is the same page. */
TEST_F(cow, kept_by_tee)
{
	struct giving giving = { self, by_decommit, true };
	struct child child = start_child(child_keeps, &giving);
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(0, end_child(&child));
	ASSERT_EQ((ssize_t)PAGES(1), tee(self->out, ends[1], PAGES(1), 0));
	EXPECT_TRUE(has(self->out, number(self)));
	fill_page(self->page, 7);
	EXPECT_TRUE(has(ends[0], number(self)));
	close(ends[0]);
	close(ends[1]);
}

/* ---- the parent has it in a pipe, the child writes ---- */

static int child_writes(void *arg)
{
	FIXTURE_DATA(cow) *self = arg;

	rendezvous_wait(&self->rv, 1);
	fill_page(self->page, 9);
	CHECK(page_has(self->page, 9));
	rendezvous_signal(&self->rv, 1);
	return 0;
}

TEST_F(cow, parent_keeps_it_and_writes)
{
	struct child child;

	ASSERT_TRUE(put(self));
	child = start_child(child_writes, self);
	fill_page(self->page, 8);
	rendezvous_signal(&self->rv, 0);
	rendezvous_wait(&self->rv, 0);
	EXPECT_TRUE(has(self->out, number(self)));
	EXPECT_TRUE(page_has(self->page, 8));
	EXPECT_EQ(0, end_child(&child));
}

TEST_F(cow, parent_keeps_it_and_releases)
{
	struct child child = start_child(child_writes, self);

	ASSERT_TRUE(put(self));
	ASSERT_EQ(0, wr_release(self->fd, self->base, 0));
	rendezvous_signal(&self->rv, 0);
	rendezvous_wait(&self->rv, 0);
	EXPECT_TRUE(has(self->out, number(self)));
	EXPECT_EQ(0, end_child(&child));
}

/* ---- three generations ---- */

static int grandchild(void *arg)
{
	FIXTURE_DATA(cow) *self = arg;

	CHECK(put(self));
	CHECK(!by_decommit(self));
	return 0;
}

static int generation(void *arg)
{
	FIXTURE_DATA(cow) *self = arg;

	CHECK(!in_child(grandchild, self));
	/* Of ours, while the parent has it too */
	CHECK(put(self));
	fill_page(self->page, 11);
	CHECK(put(self));
	return 0;
}

TEST_F(cow, three_generations)
{
	EXPECT_EQ(0, in_child(generation, self));
	fill_page(self->page, 12);
	EXPECT_TRUE(has(self->out, number(self)));
	EXPECT_TRUE(has(self->out, number(self)));
	EXPECT_TRUE(has(self->out, 11));
	EXPECT_TRUE(page_has(self->page, 12));
}

/* ---- who is alone writes in place ---- */

static int child_reads(void *arg)
{
	FIXTURE_DATA(cow) *self = arg;

	CHECK(pages_have(self->base, self->pages, 100));
	return 0;
}

TEST_F(cow, alone_again)
{
	uint64_t frame = page_frame(self->page);

	EXPECT_EQ(0, in_child(child_reads, self));
	fill_page(self->page, 7);
	EXPECT_EQ(frame, page_frame(self->page));
	/* It has been found to be ours: what we have given away sees us. */
	ASSERT_TRUE(put(self));
	fill_page(self->page, 8);
	EXPECT_TRUE(has(self->out, 8));
}

/* ---- others' references cost no more than they must ---- */

static void touch_all(FIXTURE_DATA(cow) *self)
{
	size_t i;

	for (i = 0; i < self->pages; i++)
		fill_page(self->base + PAGES(i), 100 + i);
}

/* What a child has left in a pipe is one page, and the others take a fault each. */
TEST_F(cow, kept_page_costs_one)
{
	struct giving giving = { self, nothing, true };
	struct child child = start_child(child_keeps, &giving);
	long before;

	EXPECT_EQ(0, end_child(&child));
	before = minor_faults();
	touch_all(self);
	EXPECT_GE(3 * (long)self->pages, minor_faults() - before);
	before = minor_faults();
	touch_all(self);
	EXPECT_GE(2, minor_faults() - before);
	EXPECT_TRUE(has(self->out, number(self)));
}

static int child_has_same_frame(void *arg)
{
	FIXTURE_DATA(cow) *self = arg;
	static uint64_t frame;

	if (!frame)
		frame = page_frame(self->page);
	(void)*(volatile char *)self->page;
	CHECK(frame && page_frame(self->page) == frame);
	return 0;
}

/* Many references are not taken for a device's. */
TEST_F(cow, many_references)
{
	struct iovec iov = { self->page, 1 };
	int ends[5][2], i, n;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, pipe(ends[i]));
		ASSERT_LE(0, fcntl(ends[i][1], F_SETPIPE_SZ, 1 << 20));
		for (n = 0; n < 256; n++)
			ASSERT_EQ(1, vmsplice(ends[i][1], &iov, 1,
					      SPLICE_F_NONBLOCK));
	}
	EXPECT_LT(0, page_frame(self->page));
	child_has_same_frame(self);
	EXPECT_EQ(0, in_child(child_has_same_frame, self));
}

/* ---- a page given up while the memory around it is being unmapped ---- */

#define DETACHED (8UL << 10) /* pages */

struct detached {
	int fd;
	char *base;
	atomic_int go;
	atomic_int over;
	atomic_long *page;
};

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Slowly, as others come first */
static void *unmap_all(void *arg)
{
	struct sched_param idle = { 0 };
	struct detached *detached = arg;

	run_on(0);
	sched_setscheduler(0, SCHED_IDLE, &idle);
	while (!detached->go)
		;
	munmap(detached->base, PAGES(DETACHED));
	detached->over = 1;
	return NULL;
}

static void *be_in_the_way(void *arg)
{
	struct detached *detached = arg;

	run_on(0);
	while (!detached->over)
		if (!detached->go)
			sched_yield();
	return NULL;
}

/* What it has given up it cannot read, or it does not see what is written then. */
static int give_up_while_unmapping(void *arg)
{
	struct detached *detached = arg;
	pthread_t thread[2];
	int ends[2];
	char byte;
	long i;

	CHECK(!pipe(ends));
	for (i = 0; i < (long)DETACHED; i++)
		(void)*(volatile char *)(detached->base + PAGES(i));
	pthread_create(&thread[0], NULL, unmap_all, detached);
	pthread_create(&thread[1], NULL, be_in_the_way, detached);
	run_on(1);
	sleep_ms(20);
	detached->go = 1;
	for (i = DETACHED - 1; i >= 0 && !detached->over; i--) {
		if (wr_decommit(detached->fd, detached->base + PAGES(i),
				PAGES(1)))
			break;
		if (write(ends[1], detached->base + PAGES(i), 1) != 1)
			continue;
		CHECK(read(ends[0], &byte, 1) == 1);
		*detached->page = i;
		while (*detached->page >= 0)
			;
		if (write(ends[1], detached->base + PAGES(i), 1) != 1)
			continue;
		CHECK(read(ends[0], &byte, 1) == 1);
		CHECK(byte != 'S');
	}
	detached->over = 1;
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	return 0;
}

TEST(decommit_beside_munmap)
{
	struct detached detached = { .fd = wr_open() };
	struct child child;
	int round, status;
	long i;

	ASSERT_LE(0, detached.fd);
	ASSERT_TRUE(set_large(false));
	detached.page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, detached.page);
	for (round = 0; round < 2; round++) {
		detached.base = wr_alloc(detached.fd, PAGES(DETACHED));
		ASSERT_NE(NULL, detached.base);
		for (i = DETACHED - 1; i >= 0; i--)
			detached.base[PAGES(i)] = 'p';
		*detached.page = -1;
		child = start_child(give_up_while_unmapping, &detached);
		while (!(status = waitpid(child.pid, NULL,
					  WNOHANG | __WALL))) {
			i = *detached.page;
			if (i < 0) {
				sched_yield();
				continue;
			}
			detached.base[PAGES(i)] = 'S';
			*detached.page = -1;
		}
		EXPECT_EQ(0, *child.line);
		ASSERT_EQ(0, wr_release(detached.fd, detached.base, 0));
	}
	close(detached.fd);
}

/* ---- what a fork leaves alone ---- */

/* Nothing has lost its PTE since @before was resident. */
static bool stays_mapped(int64_t before)
{
	int64_t after = self_mapped();

	if (after < before)
		fprintf(stderr, "# %ld bytes less\n", (long)(before - after));
	return !EDITS_PTES || after >= before;
}

static bool reads_without_faults(FIXTURE_DATA(cow) *self)
{
	long before = minor_faults(), after;
	size_t i;

	for (i = 0; i < self->pages; i++)
		(void)*(volatile char *)(self->base + PAGES(i));
	after = minor_faults();
	if (after - before > 2)
		fprintf(stderr, "# %ld faults\n", after - before);
	return !EDITS_PTES || after - before <= 2;
}

TEST_F(cow, parent_stays_as_it_is)
{
	int64_t before = self_mapped();

	EXPECT_TRUE(reads_without_faults(self));
	EXPECT_EQ(0, in_child(child_reads, self));
	EXPECT_TRUE(stays_mapped(before));
	EXPECT_TRUE(reads_without_faults(self));
}

TEST_F(cow, parent_stays_as_it_is_locked)
{
	struct winregion_lock lock = {
		.size = sizeof(lock),
		.operation = WINREGION_LOCK_ADD,
		.address = (uintptr_t)self->base,
		.length = PAGES(self->pages),
	};
	int64_t before;

	ASSERT_EQ(0, ioctl(self->fd, WINREGION_LOCK, &lock));
	before = self_mapped();
	EXPECT_EQ(0, in_child(child_reads, self));
	EXPECT_TRUE(stays_mapped(before));
	EXPECT_TRUE(reads_without_faults(self));
}

static int child_revokes(void *arg)
{
	FIXTURE_DATA(cow) *self = arg;

	CHECK(pages_have(self->base, self->pages, 100));
	CHECK(!wr_protect(self->fd, self->base, PAGES(self->pages), RW | WINREGION_GUARD));
	CHECK(write(self->in, self->page, 1) == -1 && errno == EFAULT);
	CHECK(!wr_protect(self->fd, self->base, PAGES(self->pages), NA));
	CHECK(!wr_protect(self->fd, self->base, PAGES(self->pages), RO));
	CHECK(pages_have(self->base, self->pages, 100));
	CHECK(!wr_protect(self->fd, self->base, PAGES(self->pages), RW));
	fill_page(self->page, 5);
	CHECK(!by_decommit(self));
	CHECK(!by_release(self));
	return 0;
}

TEST_F(cow, parent_does_not_notice)
{
	struct giving giving = { self, nothing, false };
	struct child other = start_child(child_keeps, &giving);
	int64_t before;

	rendezvous_wait(&self->rv, 0);
	EXPECT_TRUE(reads_without_faults(self));
	before = self_mapped();
	EXPECT_EQ(0, in_child(child_revokes, self));
	EXPECT_TRUE(stays_mapped(before));
	EXPECT_TRUE(reads_without_faults(self));
	EXPECT_TRUE(pages_have(self->base, self->pages, 100));
	rendezvous_signal(&self->rv, 0);
	EXPECT_EQ(0, end_child(&other));
}

TEST_HARNESS_MAIN
