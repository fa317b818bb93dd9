// SPDX-License-Identifier: GPL-2.0
/* vm: timeout=600 */
/*
 * Units: the 16 pages of 64 KiB that a program comes to by touching one page
 * after the other are made at once, as one large page. There are some, where
 * and only where they may be; and each change of a part of one does to the
 * program's memory just what it would do to pages of their own.
 */
#include "kselftest_harness.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/uio.h>

#include "common.h"
#include "wr_test_util.h"
#include "pins.h"
#include "race.h"

#define UNIT_PAGES 16U
#define UNIT KIB(64)

/* The tests use so much of the region; the rest is never touched. */
#define NR_UNITS 16U
#define NR_PAGES (NR_UNITS * UNIT_PAGES)

FIXTURE(unit)
{
	int fd;
	char *base;
	uint64_t size;
};

FIXTURE_VARIANT(unit)
{
	uint64_t size;
};

/* Of a size that shares a window with others, if there are any */
FIXTURE_VARIANT_ADD(unit, small)
{
	.size = MIB(1),
};

/* In a window of its own, which could have 2 MiB pages */
FIXTURE_VARIANT_ADD(unit, large)
{
	.size = MIB(3),
};

/* The first unit of each 2 MiB is never made at once: none is in front of it. */
FIXTURE_SETUP(unit)
{
	if (variant->size >= MIB(2))
		small_pages_only();
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->size = variant->size;
	self->base = wr_reserve_aligned(self->fd, self->size, MIB(2), true);
	ASSERT_NE(NULL, self->base);
}

FIXTURE_TEARDOWN(unit)
{
	close(self->fd);
}

#define PAGE_AT(n) (self->base + PAGES(n))
#define UNIT_AT(n) (self->base + UNIT * (n))

/* How many pages of the region are in memory, or -1 */
static long resident(const FIXTURE_DATA(unit) *self)
{
	uint64_t next = (uintptr_t)self->base, last = next + self->size - 1;
	struct winregion_run runs[64];
	uint64_t bytes = 0;
	long n, i;

	while (next <= last) {
		n = wr_query_runs(self->fd, &next, last,
				  WINREGION_QUERY_RESIDENT, runs, 64);
		if (n <= 0)
			return -1;
		for (i = 0; i < n; i++)
			bytes += runs[i].resident;
	}
	return bytes / 4096;
}

/* How many of the pages are mapped as parts of a larger one */
static unsigned int count_parts(const char *base, unsigned int pages)
{
	unsigned int i, n = 0;

	for (i = 0; i < pages; i++)
		n += is_part(base + PAGES(i));
	return n;
}

/* How many of the pages are mapped at all */
static unsigned int count_mapped(const char *base, unsigned int pages)
{
	unsigned int i, n = 0;

	for (i = 0; i < pages; i++)
		n += !!page_frame(base + PAGES(i));
	return n;
}

static unsigned int count_readable(const char *base, unsigned int pages)
{
	unsigned int i, n = 0;

	for (i = 0; i < pages; i++)
		n += try_read(base + PAGES(i));
	return n;
}

static bool pages_are_zero(const char *base, unsigned int pages)
{
	unsigned int i;

	for (i = 0; i < pages && page_is_zero(base + PAGES(i)); i++)
		;
	return i == pages;
}

/* Touch all in sequence; page n has the number 1000 + n. */
#define FILL() do {							\
	fill_pages(self->base, NR_PAGES, 1000);				\
	ASSERT_EQ(NR_PAGES, resident(self));				\
	ASSERT_EQ(NR_PAGES - UNIT_PAGES,				\
		  count_parts(self->base, NR_PAGES));			\
} while (0)

static bool has(const FIXTURE_DATA(unit) *self, unsigned int first,
		unsigned int end)
{
	return first >= end ||
	       pages_have(self->base + PAGES(first), end - first, 1000 + first);
}

#define HAS(first, end) has(self, first, end)
#define HAS_ALL() HAS(0, NR_PAGES)

#define DECOMMIT(first, pages)						\
	ASSERT_EQ(0, wr_decommit(self->fd, PAGE_AT(first), PAGES(pages)))
#define COMMIT(first, pages)						\
	ASSERT_EQ(0, wr_commit(self->fd, PAGE_AT(first), PAGES(pages), RW))
#define PROTECT(first, pages, protection)				\
	ASSERT_EQ(0, wr_protect(self->fd, PAGE_AT(first), PAGES(pages),	\
				protection))

/* All that the tests use is given up, and is nothing but zeros afterwards. */
#define NOTHING_REMAINS() do {						\
	DECOMMIT(0, NR_PAGES);						\
	EXPECT_EQ(0, resident(self));					\
	EXPECT_EQ(0, count_readable(self->base, NR_PAGES));		\
	COMMIT(0, NR_PAGES);						\
	EXPECT_EQ(0, resident(self));					\
	EXPECT_TRUE(pages_are_zero(self->base, NR_PAGES));		\
} while (0)

/* Where there are units, and where not */

TEST_F(unit, sequential)
{
	unsigned int i;

	fill_pages(self->base, UNIT_PAGES, 1000);
	EXPECT_EQ(UNIT_PAGES, resident(self));
	EXPECT_EQ(0, count_parts(self->base, UNIT_PAGES));
	for (i = 1; i < NR_UNITS; i++) {
		EXPECT_EQ(0, count_mapped(UNIT_AT(i), UNIT_PAGES));
		fill_page(UNIT_AT(i), 1);
		EXPECT_EQ((i + 1) * UNIT_PAGES, resident(self));
		EXPECT_EQ(UNIT_PAGES, count_mapped(UNIT_AT(i), UNIT_PAGES));
		EXPECT_EQ(UNIT_PAGES, count_parts(UNIT_AT(i), UNIT_PAGES));
		EXPECT_TRUE(pages_are_zero(UNIT_AT(i) + PAGES(1),
					   UNIT_PAGES - 1));
		EXPECT_TRUE(flags_of(UNIT_AT(i)) >> KPF_DIRTY & 1);
		fill_pages(UNIT_AT(i), UNIT_PAGES, 1000 + i * UNIT_PAGES);
	}
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(NR_PAGES, resident(self));
	EXPECT_EQ(self->size, WR_INFO(self->fd, out_committed));
}

/* Reads do it, and what the kernel does for the program itself. */
TEST_F(unit, sequential_otherwise)
{
	int file = memfd_create("unit", MFD_CLOEXEC);
	char byte = 7;

	ASSERT_EQ(1, pwrite(file, &byte, 1, 0));
	EXPECT_TRUE(pages_are_zero(self->base, UNIT_PAGES));
	EXPECT_TRUE(try_read(UNIT_AT(1)));
	EXPECT_EQ(UNIT_PAGES, count_parts(UNIT_AT(1), UNIT_PAGES));
	ASSERT_EQ(1, pread(file, UNIT_AT(2), 1, 0));
	EXPECT_EQ(UNIT_PAGES, count_parts(UNIT_AT(2), UNIT_PAGES));
	EXPECT_EQ(7, *UNIT_AT(2));
	EXPECT_EQ(3 * UNIT_PAGES, resident(self));
	close(file);
}

TEST_F(unit, not_at_random)
{
	unsigned int i;

	/* Downwards, so that nothing is in front of what is touched */
	for (i = NR_UNITS; i--;)
		fill_page(UNIT_AT(i), 1);
	EXPECT_EQ(NR_UNITS, resident(self));
	for (i = 0; i < NR_PAGES; i += 5)
		fill_page(PAGE_AT(i * 107 % NR_PAGES), 1);
	EXPECT_EQ(0, count_parts(self->base, NR_PAGES));
	NOTHING_REMAINS();
}

/* One of the pages in front is missing, or one of the unit is there. */
TEST_F(unit, not_beside_gaps)
{
	fill_pages(self->base, UNIT_PAGES, 1);
	DECOMMIT(0, 1);
	COMMIT(0, 1);
	fill_page(UNIT_AT(1), 1);
	/* What is in memory in front is doubled, as without units. */
	EXPECT_EQ(2 * UNIT_PAGES - 1, resident(self));
	EXPECT_EQ(0, count_parts(self->base, 2 * UNIT_PAGES));
	fill_page(UNIT_AT(2) + PAGES(15), 1);
	fill_page(UNIT_AT(2), 1);
	EXPECT_EQ(3 * UNIT_PAGES - 1, resident(self));
	EXPECT_EQ(0, count_parts(self->base, 3 * UNIT_PAGES));
	/* By another page than its first */
	fill_page(UNIT_AT(3) + PAGES(1), 1);
	EXPECT_EQ(3 * UNIT_PAGES, resident(self));
	EXPECT_EQ(0, count_parts(UNIT_AT(3), UNIT_PAGES));
}

/* Nothing comes into memory that was not committed. */
TEST_F(unit, not_where_pages_differ)
{
	fill_pages(self->base, UNIT_PAGES, 1000);
	DECOMMIT(2 * UNIT_PAGES - 1, 1);
	fill_page(UNIT_AT(1), 1);
	EXPECT_EQ(2 * UNIT_PAGES - 1, resident(self));
	EXPECT_EQ(0, count_parts(UNIT_AT(1), UNIT_PAGES));
	EXPECT_FALSE(try_read(UNIT_AT(2) - PAGES(1)));
	COMMIT(2 * UNIT_PAGES - 1, 1);
	fill_page(UNIT_AT(2) - PAGES(1), 1);
	/* One in the middle, with another protection */
	PROTECT(2 * UNIT_PAGES + 6, 1, NA);
	fill_page(UNIT_AT(2), 1);
	EXPECT_EQ(2 * UNIT_PAGES + 6, resident(self));
	EXPECT_EQ(0, count_parts(UNIT_AT(2), UNIT_PAGES));
	EXPECT_FALSE(try_read(UNIT_AT(2) + PAGES(6)));
	PROTECT(2 * UNIT_PAGES + 6, 1, RW);
	fill_pages(UNIT_AT(2), UNIT_PAGES, 1);
	PROTECT(3 * UNIT_PAGES + 1, 1, RW | WINREGION_GUARD);
	fill_page(UNIT_AT(3), 1);
	EXPECT_EQ(3 * UNIT_PAGES + 1, resident(self));
	EXPECT_EQ(0, count_parts(UNIT_AT(3), UNIT_PAGES));
	EXPECT_FALSE(try_read(UNIT_AT(3) + PAGES(1)));
	EXPECT_TRUE(try_read(UNIT_AT(3) + PAGES(1)));
}

/* In a region that ends within a unit */
TEST_F(unit, not_beyond_the_end)
{
	FIXTURE_DATA(unit) odd = { .fd = self->fd };

	odd.size = self->size + UNIT + PAGES(5);
	odd.base = wr_reserve_aligned(self->fd, odd.size, MIB(2), true);
	ASSERT_NE(NULL, odd.base);
	fill_pages(odd.base + self->size, UNIT_PAGES, 1);
	fill_page(odd.base + self->size + UNIT, 1);
	EXPECT_EQ(UNIT_PAGES + 5, resident(&odd));
	EXPECT_FALSE(is_part(odd.base + self->size + UNIT));
	EXPECT_FALSE(try_read(odd.base + odd.size));
	EXPECT_TRUE(page_is_zero(odd.base + odd.size - PAGES(1)));
	EXPECT_EQ(UNIT_PAGES + 5, resident(&odd));
}

/* Not where a write takes a fault of its own: VP-01 at work, or a fork. */
TEST_F(unit, not_in_tracked_windows)
{
	fill_pages(self->base, UNIT_PAGES, 1);
	PROTECT(NR_PAGES - 1, 1, RO);
	fill_pages(UNIT_AT(1), 3 * UNIT_PAGES, 1);
	EXPECT_EQ(0, count_parts(self->base, 4 * UNIT_PAGES));
	EXPECT_EQ(4 * UNIT_PAGES, resident(self));
}

static int do_nothing(void *arg)
{
	return 0;
}

TEST_F(unit, not_after_a_fork)
{
	fill_pages(self->base, 3 * UNIT_PAGES, 1000);
	EXPECT_EQ(2 * UNIT_PAGES, count_parts(self->base, 3 * UNIT_PAGES));
	ASSERT_EQ(0, in_child(do_nothing, NULL));
	fill_pages(UNIT_AT(3), UNIT_PAGES, 1048);
	EXPECT_EQ(0, count_parts(UNIT_AT(3), UNIT_PAGES));
	EXPECT_TRUE(HAS(0, 4 * UNIT_PAGES));
	EXPECT_EQ(2 * UNIT_PAGES, count_parts(self->base, 4 * UNIT_PAGES));
	NOTHING_REMAINS();
}

/* Whole units are given up */

/* Rules: M-12, VF-08, VF-16 */
TEST_F(unit, decommit_whole)
{
	FILL();
	DECOMMIT(3 * UNIT_PAGES, UNIT_PAGES);
	EXPECT_EQ(NR_PAGES - UNIT_PAGES, resident(self));
	EXPECT_EQ(0, count_readable(UNIT_AT(3), UNIT_PAGES));
	EXPECT_TRUE(HAS(0, 3 * UNIT_PAGES));
	EXPECT_TRUE(HAS(4 * UNIT_PAGES, NR_PAGES));
	COMMIT(3 * UNIT_PAGES, UNIT_PAGES);
	EXPECT_EQ(NR_PAGES - UNIT_PAGES, resident(self));
	EXPECT_TRUE(pages_are_zero(UNIT_AT(3), UNIT_PAGES));
	EXPECT_EQ(UNIT_PAGES, count_parts(UNIT_AT(3), UNIT_PAGES));
	fill_pages(UNIT_AT(3), UNIT_PAGES, 1000 + 3 * UNIT_PAGES);
	EXPECT_TRUE(HAS_ALL());
	NOTHING_REMAINS();
	FILL();
	NOTHING_REMAINS();
}

/* A range with parts of units at both of its ends */
TEST_F(unit, decommit_ragged)
{
	FILL();
	DECOMMIT(20, 100);
	EXPECT_EQ(NR_PAGES - 100, resident(self));
	EXPECT_EQ(0, count_readable(PAGE_AT(20), 100));
	EXPECT_TRUE(HAS(0, 20));
	EXPECT_TRUE(HAS(120, NR_PAGES));
	/* What is left on both sides is copied. */
	EXPECT_EQ(0, count_parts(UNIT_AT(1), 4));
	EXPECT_EQ(0, count_parts(UNIT_AT(7), UNIT_PAGES));
	COMMIT(20, 100);
	EXPECT_EQ(NR_PAGES - 100, resident(self));
	EXPECT_TRUE(pages_are_zero(PAGE_AT(20), 100));
	EXPECT_EQ(NR_PAGES, resident(self));
	fill_pages(PAGE_AT(20), 100, 1020);
	EXPECT_TRUE(HAS_ALL());
	NOTHING_REMAINS();
}

/* Parts of units are given up, and what is left is copied */

/* @pages of unit 5, from its page @first on, are given up and come back. */
static void decommit_part(struct __test_metadata *_metadata,
			  FIXTURE_DATA(unit) *self, unsigned int first,
			  unsigned int pages)
{
	const unsigned int at = 5 * UNIT_PAGES;
	unsigned int begin = at + first;

	FILL();
	DECOMMIT(begin, pages);
	EXPECT_EQ(NR_PAGES - pages, resident(self));
	EXPECT_EQ(0, count_readable(PAGE_AT(begin), pages));
	EXPECT_TRUE(HAS(0, begin));
	EXPECT_TRUE(HAS(begin + pages, NR_PAGES));
	EXPECT_EQ(0, count_parts(PAGE_AT(at), UNIT_PAGES));
	COMMIT(begin, pages);
	EXPECT_EQ(NR_PAGES - pages, resident(self));
	EXPECT_TRUE(pages_are_zero(PAGE_AT(begin), pages));
	EXPECT_EQ(NR_PAGES, resident(self));
	fill_pages(PAGE_AT(begin), pages, 1000 + begin);
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(0, count_parts(PAGE_AT(at), UNIT_PAGES));
	/* All of it, now that it is no large page */
	DECOMMIT(at, UNIT_PAGES);
	EXPECT_EQ(NR_PAGES - UNIT_PAGES, resident(self));
	COMMIT(at, UNIT_PAGES);
}

TEST_F_TIMEOUT(unit, decommit_parts, 60)
{
	static const struct {
		unsigned int first, pages;
	} ranges[] = {
		{ 0, 1 }, { 15, 1 }, { 7, 2 }, { 0, 15 }, { 1, 15 }, { 1, 14 },
		{ 0, 7 }, { 0, 8 }, { 0, 9 }, { 9, 7 }, { 8, 8 }, { 7, 9 },
		{ 4, 7 }, { 4, 8 }, { 3, 9 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		decommit_part(_metadata, self, ranges[i].first,
			      ranges[i].pages);
	NOTHING_REMAINS();
}

/* Page by page, in some order */
static void decommit_by_order(struct __test_metadata *_metadata,
			      FIXTURE_DATA(unit) *self,
			      const unsigned int *order)
{
	bool gone[UNIT_PAGES] = { false };
	const unsigned int at = 9 * UNIT_PAGES;
	unsigned int i, k;

	FILL();
	for (i = 0; i < UNIT_PAGES; i++) {
		DECOMMIT(at + order[i], 1);
		gone[order[i]] = true;
		ASSERT_EQ(NR_PAGES - 1 - i, resident(self));
		for (k = 0; k < UNIT_PAGES; k++) {
			ASSERT_EQ(!gone[k], try_read(PAGE_AT(at + k)));
			ASSERT_TRUE(gone[k] || HAS(at + k, at + k + 1));
		}
		ASSERT_EQ(0, count_parts(PAGE_AT(at), UNIT_PAGES));
	}
	EXPECT_TRUE(HAS(0, at));
	EXPECT_TRUE(HAS(at + UNIT_PAGES, NR_PAGES));
	COMMIT(at, UNIT_PAGES);
	EXPECT_TRUE(pages_are_zero(PAGE_AT(at), UNIT_PAGES));
	DECOMMIT(at, UNIT_PAGES);
	COMMIT(at, UNIT_PAGES);
}

TEST_F_TIMEOUT(unit, decommit_page_by_page, 60)
{
	unsigned int up[UNIT_PAGES], down[UNIT_PAGES], out[UNIT_PAGES], i;

	for (i = 0; i < UNIT_PAGES; i++) {
		up[i] = i;
		down[i] = UNIT_PAGES - 1 - i;
		out[i] = i % 2 ? 8 + i / 2 : 7 - i / 2;
	}
	decommit_by_order(_metadata, self, up);
	decommit_by_order(_metadata, self, down);
	decommit_by_order(_metadata, self, out);
	NOTHING_REMAINS();
}

/* Each page is given up and comes back before the next one goes. */
TEST_F(unit, replaced_page_by_page)
{
	const unsigned int at = 2 * UNIT_PAGES;
	unsigned int i;

	FILL();
	for (i = 0; i < UNIT_PAGES; i++) {
		DECOMMIT(at + i, 1);
		EXPECT_EQ(NR_PAGES - 1, resident(self));
		COMMIT(at + i, 1);
		EXPECT_TRUE(page_is_zero(PAGE_AT(at + i)));
		fill_page(PAGE_AT(at + i), 1000 + at + i);
		EXPECT_TRUE(HAS(at, at + UNIT_PAGES));
		EXPECT_EQ(0, count_parts(PAGE_AT(at), UNIT_PAGES));
		EXPECT_EQ(NR_PAGES, resident(self));
	}
	/* It looks like a unit and is none. */
	DECOMMIT(at, UNIT_PAGES);
	EXPECT_EQ(NR_PAGES - UNIT_PAGES, resident(self));
	COMMIT(at, UNIT_PAGES);
	EXPECT_TRUE(pages_are_zero(PAGE_AT(at), UNIT_PAGES));
	EXPECT_EQ(UNIT_PAGES, count_parts(PAGE_AT(at), UNIT_PAGES));
	NOTHING_REMAINS();
}

/* Where a unit was there are pages of their own, which are given up at once. */
TEST_F(unit, pages_where_a_unit_was)
{
	unsigned int i;

	FILL();
	DECOMMIT(3 * UNIT_PAGES, 5 * UNIT_PAGES);
	COMMIT(3 * UNIT_PAGES, 5 * UNIT_PAGES);
	fill_page(UNIT_AT(4), 1);
	for (i = 6 * UNIT_PAGES; i-- > 5 * UNIT_PAGES;)
		fill_page(PAGE_AT(i), 1000 + i);
	PROTECT(0, 1, RO);
	fill_pages(UNIT_AT(6), UNIT_PAGES, 1000 + 6 * UNIT_PAGES);
	EXPECT_EQ(0, count_parts(UNIT_AT(3), 5 * UNIT_PAGES));
	EXPECT_EQ(NR_PAGES - 3 * UNIT_PAGES + 1, resident(self));
	DECOMMIT(4 * UNIT_PAGES, UNIT_PAGES);
	DECOMMIT(6 * UNIT_PAGES, UNIT_PAGES);
	EXPECT_EQ(NR_PAGES - 4 * UNIT_PAGES, resident(self));
	EXPECT_TRUE(HAS(0, 3 * UNIT_PAGES));
	EXPECT_TRUE(HAS(5 * UNIT_PAGES, 6 * UNIT_PAGES));
	EXPECT_TRUE(HAS(8 * UNIT_PAGES, NR_PAGES));
	DECOMMIT(5 * UNIT_PAGES, UNIT_PAGES);
	EXPECT_EQ(NR_PAGES - 5 * UNIT_PAGES, resident(self));
	NOTHING_REMAINS();
}

/* A unit whose pages are of two regions, which go one after the other */
TEST_F(unit, two_regions)
{
	uint64_t addr = (uintptr_t)UNIT_AT(2);

	ASSERT_EQ(0, wr_release(self->fd, UNIT_AT(2), PAGES(8)));
	ASSERT_EQ(0, wr_reserve_at(self->fd, &addr, PAGES(8),
				   WINREGION_RESERVE_COMMIT, RW));
	ASSERT_EQ((uintptr_t)UNIT_AT(2), addr);
	fill_pages(self->base, NR_PAGES, 1000);
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(NR_PAGES, resident(self));
	ASSERT_EQ(0, wr_release(self->fd, UNIT_AT(2), 0));
	EXPECT_EQ(NR_PAGES - 8, resident(self));
	EXPECT_EQ(0, count_readable(UNIT_AT(2), 8));
	EXPECT_TRUE(HAS(2 * UNIT_PAGES + 8, NR_PAGES));
	DECOMMIT(2 * UNIT_PAGES + 8, 1);
	EXPECT_TRUE(HAS(2 * UNIT_PAGES + 9, NR_PAGES));
	EXPECT_EQ(0, count_parts(UNIT_AT(2), UNIT_PAGES));
	EXPECT_EQ(NR_PAGES - 9, resident(self));
}

/* Rights of parts */

TEST_F(unit, protect_parts)
{
	const unsigned int at = 3 * UNIT_PAGES;

	FILL();
	PROTECT(at + 4, 5, RO);
	EXPECT_FALSE(try_write(PAGE_AT(at + 4)));
	EXPECT_FALSE(try_write(PAGE_AT(at + 8)));
	EXPECT_TRUE(HAS_ALL());
	fill_pages(PAGE_AT(at), 4, 1000 + at);
	fill_pages(PAGE_AT(at + 9), 7, 1000 + at + 9);
	EXPECT_FALSE(try_write(PAGE_AT(at + 6)));
	PROTECT(at + 15, 2, NA);
	EXPECT_EQ(0, count_readable(PAGE_AT(at + 15), 2));
	EXPECT_TRUE(HAS(0, at + 15));
	EXPECT_TRUE(HAS(at + 17, NR_PAGES));
	EXPECT_EQ(0, count_readable(PAGE_AT(at + 15), 2));
	EXPECT_FALSE(try_write(PAGE_AT(at + 5)));
	PROTECT(at, 2 * UNIT_PAGES, RW);
	EXPECT_TRUE(HAS_ALL());
	fill_pages(PAGE_AT(at), 2 * UNIT_PAGES, 1000 + at);
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(NR_PAGES, resident(self));
	EXPECT_EQ(UNIT_PAGES, count_parts(PAGE_AT(at), UNIT_PAGES));
	/* As above, where the window asks before each write */
	DECOMMIT(at + 2, 9);
	EXPECT_TRUE(HAS(0, at + 2));
	EXPECT_TRUE(HAS(at + 11, NR_PAGES));
	EXPECT_EQ(0, count_parts(PAGE_AT(at), UNIT_PAGES));
	NOTHING_REMAINS();
}

/* Rights of many, which change where they are: see ptes_test */
TEST_F(unit, protect_many)
{
	unsigned int i, n = 0;

	FILL();
	PROTECT(8, NR_PAGES - 16, RO);
	for (i = 8; i < NR_PAGES - 8; i++)
		n += try_write(PAGE_AT(i));
	EXPECT_EQ(0, n);
	fill_pages(self->base, 8, 1000);
	EXPECT_TRUE(HAS_ALL());
	PROTECT(0, NR_PAGES, RW);
	fill_pages(self->base, NR_PAGES, 1000);
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(NR_PAGES - UNIT_PAGES, count_parts(self->base, NR_PAGES));
	PROTECT(0, NR_PAGES, NA);
	EXPECT_EQ(0, count_readable(self->base, NR_PAGES));
	PROTECT(0, NR_PAGES, RO);
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(NR_PAGES, resident(self));
	NOTHING_REMAINS();
}

TEST_F(unit, guards)
{
	const unsigned int at = 6 * UNIT_PAGES;

	FILL();
	PROTECT(at + 7, 2, RW | WINREGION_GUARD);
	EXPECT_FALSE(try_write(PAGE_AT(at + 7)));
	EXPECT_TRUE(HAS(0, at + 8));
	EXPECT_TRUE(HAS(at + 9, NR_PAGES));
	EXPECT_TRUE(wr_is(self->fd, PAGE_AT(at + 7), RW));
	EXPECT_TRUE(wr_is(self->fd, PAGE_AT(at + 8), RW | WINREGION_GUARD));
	EXPECT_FALSE(try_read(PAGE_AT(at + 8)));
	EXPECT_TRUE(HAS_ALL());
	/* A whole unit of them, of which one goes off and one is given up */
	PROTECT(at, UNIT_PAGES, RW | WINREGION_GUARD);
	EXPECT_FALSE(try_read(PAGE_AT(at + 3)));
	EXPECT_TRUE(HAS(at + 3, at + 4));
	DECOMMIT(at + 4, 1);
	COMMIT(at + 4, 1);
	EXPECT_TRUE(page_is_zero(PAGE_AT(at + 4)));
	EXPECT_EQ(2, count_readable(PAGE_AT(at), UNIT_PAGES));
	fill_page(PAGE_AT(at + 4), 1000 + at + 4);
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(NR_PAGES, resident(self));
	NOTHING_REMAINS();
}

/* Units in a piece with a VMA of its own, and across its edges */
TEST_F(unit, executable_pieces)
{
	const unsigned int piece = 4 * UNIT_PAGES, odd = 9 * UNIT_PAGES;

	NEEDS_CODE();
	FILL();
	PROTECT(piece, 4 * UNIT_PAGES, RWX);
	PROTECT(odd + 3, 6, RWX);
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(NR_PAGES - UNIT_PAGES, count_parts(self->base, NR_PAGES));
	DECOMMIT(odd + 1, 4);
	EXPECT_EQ(NR_PAGES - 4, resident(self));
	EXPECT_TRUE(HAS(0, odd + 1));
	EXPECT_TRUE(HAS(odd + 5, NR_PAGES));
	DECOMMIT(odd + 7, 5);
	EXPECT_EQ(0, count_readable(PAGE_AT(odd + 7), 5));
	EXPECT_TRUE(HAS(odd + 5, odd + 7));
	EXPECT_TRUE(HAS(odd + 12, NR_PAGES));
	EXPECT_EQ(0, count_parts(PAGE_AT(odd), UNIT_PAGES));
	EXPECT_EQ(NR_PAGES - 9, resident(self));
	DECOMMIT(piece + UNIT_PAGES, UNIT_PAGES);
	ASSERT_EQ(0, wr_commit(self->fd, PAGE_AT(piece + UNIT_PAGES), UNIT,
			       RWX));
	EXPECT_TRUE(pages_are_zero(PAGE_AT(piece + UNIT_PAGES), UNIT_PAGES));
	write_code(PAGE_AT(piece + UNIT_PAGES));
	EXPECT_TRUE(try_exec(PAGE_AT(piece + UNIT_PAGES)));
	EXPECT_EQ(NR_PAGES - 9, resident(self));
	NOTHING_REMAINS();
}

/* Forks */

struct family {
	FIXTURE_DATA(unit) *self;
	struct rendezvous rv;
};

/* Pages 16..63 are written by both, then some of the rest given up. */
static int child_writes(FIXTURE_DATA(unit) *self)
{
	unsigned int i;

	CHECK(HAS_ALL());
	CHECK(resident(self) == NR_PAGES);
	for (i = 16; i < 64; i += 3)
		fill_page(PAGE_AT(i), 7000 + i);
	for (i = 16; i < 64; i++)
		CHECK(page_has(PAGE_AT(i), (i % 3 == 1 ? 7000 : 1000) + i));
	CHECK(HAS(64, NR_PAGES));
	CHECK(resident(self) == NR_PAGES);
	return 0;
}

static int child_gives_up(FIXTURE_DATA(unit) *self)
{
	CHECK(!wr_decommit(self->fd, UNIT_AT(4), PAGES(9)));
	CHECK(!wr_decommit(self->fd, UNIT_AT(6), UNIT));
	CHECK(!wr_decommit(self->fd, UNIT_AT(9), UNIT));
	CHECK(resident(self) == NR_PAGES - 9 - 2 * UNIT_PAGES);
	CHECK(!count_readable(UNIT_AT(4), 9));
	CHECK(!count_readable(UNIT_AT(6), UNIT_PAGES));
	CHECK(HAS(4 * UNIT_PAGES + 9, 6 * UNIT_PAGES));
	/* Nothing would be won by a copy of what the parent has too. */
	CHECK(count_parts(UNIT_AT(4), UNIT_PAGES) == 7);
	CHECK(!wr_commit(self->fd, UNIT_AT(6), UNIT, RW));
	CHECK(pages_are_zero(UNIT_AT(6), UNIT_PAGES));
	fill_pages(UNIT_AT(6), UNIT_PAGES, 4);
	return 0;
}

static int grandchild(void *arg)
{
	FIXTURE_DATA(unit) *self = ((struct family *)arg)->self;

	CHECK(HAS(10 * UNIT_PAGES, NR_PAGES));
	CHECK(pages_have(UNIT_AT(6), UNIT_PAGES, 4));
	fill_pages(UNIT_AT(5), 8 * UNIT_PAGES - 3, 5);
	CHECK(!wr_decommit(self->fd, UNIT_AT(13), PAGES(13)));
	CHECK(!wr_decommit(self->fd, UNIT_AT(14), UNIT));
	CHECK(pages_have(UNIT_AT(5), 8 * UNIT_PAGES - 3, 5));
	CHECK(HAS(13 * UNIT_PAGES - 3, 13 * UNIT_PAGES));
	CHECK(HAS(14 * UNIT_PAGES - 3, 14 * UNIT_PAGES));
	CHECK(HAS(15 * UNIT_PAGES, NR_PAGES));
	return 0;
}

static int child_of_units(void *arg)
{
	FIXTURE_DATA(unit) *self = ((struct family *)arg)->self;
	struct family *family = arg;
	int line;

	line = child_writes(self) ? : child_gives_up(self);
	rendezvous_signal(&family->rv, 1);
	if (line)
		return line;
	rendezvous_wait(&family->rv, 1);
	/* What the parent did since is not seen here. */
	CHECK(HAS(4 * UNIT_PAGES + 9, 6 * UNIT_PAGES));
	CHECK(pages_have(UNIT_AT(6), UNIT_PAGES, 4));
	CHECK(HAS(7 * UNIT_PAGES, 9 * UNIT_PAGES));
	CHECK(HAS(10 * UNIT_PAGES, NR_PAGES));
	CHECK(resident(self) == NR_PAGES - 9 - UNIT_PAGES);
	CHECK(!wr_commit(self->fd, UNIT_AT(9), UNIT, RW));
	line = in_child(grandchild, family);
	if (line)
		return line;
	CHECK(pages_have(UNIT_AT(6), UNIT_PAGES, 4));
	CHECK(HAS(7 * UNIT_PAGES, 9 * UNIT_PAGES));
	CHECK(pages_are_zero(UNIT_AT(9), UNIT_PAGES));
	CHECK(HAS(10 * UNIT_PAGES, NR_PAGES));
	CHECK(!wr_decommit(self->fd, self->base, PAGES(NR_PAGES)));
	CHECK(!resident(self));
	return 0;
}

/* Parent and child own the parts together, until one of them writes. */
TEST_F(unit, fork)
{
	struct family family = { .self = self };
	struct child child;
	unsigned int i;

	FILL();
	ASSERT_TRUE(rendezvous_init(&family.rv));
	child = start_child(child_of_units, &family);
	for (i = 16; i < 64; i += 2)
		fill_page(PAGE_AT(i), 9000 + i);
	rendezvous_wait(&family.rv, 0);
	for (i = 16; i < 64; i++)
		EXPECT_TRUE(page_has(PAGE_AT(i), (i % 2 ? 1000 : 9000) + i));
	EXPECT_TRUE(HAS(64, NR_PAGES));
	EXPECT_EQ(NR_PAGES, resident(self));
	DECOMMIT(5 * UNIT_PAGES + 4, 10);
	DECOMMIT(7 * UNIT_PAGES, UNIT_PAGES);
	DECOMMIT(9 * UNIT_PAGES, UNIT_PAGES);
	EXPECT_EQ(NR_PAGES - 10 - 2 * UNIT_PAGES, resident(self));
	EXPECT_TRUE(HAS(5 * UNIT_PAGES, 5 * UNIT_PAGES + 4));
	EXPECT_TRUE(HAS(5 * UNIT_PAGES + 14, 7 * UNIT_PAGES));
	EXPECT_EQ(6, count_parts(UNIT_AT(5), UNIT_PAGES));
	rendezvous_signal(&family.rv, 0);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(HAS(4 * UNIT_PAGES, 5 * UNIT_PAGES));
	EXPECT_TRUE(HAS(6 * UNIT_PAGES, 7 * UNIT_PAGES));
	EXPECT_TRUE(HAS(8 * UNIT_PAGES, 9 * UNIT_PAGES));
	EXPECT_TRUE(HAS(10 * UNIT_PAGES, NR_PAGES));
	/* Nobody else has them now: what is left of them can go. */
	DECOMMIT(5 * UNIT_PAGES, 1);
	EXPECT_TRUE(HAS(5 * UNIT_PAGES + 1, 5 * UNIT_PAGES + 4));
	EXPECT_EQ(0, count_parts(UNIT_AT(5), UNIT_PAGES));
	DECOMMIT(8 * UNIT_PAGES + 3, 9);
	EXPECT_TRUE(HAS(8 * UNIT_PAGES, 8 * UNIT_PAGES + 3));
	EXPECT_TRUE(HAS(8 * UNIT_PAGES + 12, 9 * UNIT_PAGES));
	EXPECT_EQ(0, count_parts(UNIT_AT(8), UNIT_PAGES));
	NOTHING_REMAINS();
}

static int child_writes_one(void *arg)
{
	FIXTURE_DATA(unit) *self = ((struct family *)arg)->self;

	fill_page(UNIT_AT(2) + PAGES(5), 7);
	CHECK(HAS(0, 2 * UNIT_PAGES + 5));
	CHECK(HAS(2 * UNIT_PAGES + 6, NR_PAGES));
	CHECK(!count_parts(UNIT_AT(2), UNIT_PAGES));
	CHECK(count_parts(UNIT_AT(3), UNIT_PAGES) == UNIT_PAGES);
	CHECK(resident(self) == NR_PAGES);
	return 0;
}

static int child_waits(void *arg)
{
	FIXTURE_DATA(unit) *self = ((struct family *)arg)->self;
	struct family *family = arg;

	rendezvous_wait(&family->rv, 1);
	CHECK(HAS_ALL());
	return 0;
}

/* Who writes has none of the large page any more, which is the other's then. */
TEST_F(unit, fork_copies_all_of_it)
{
	struct family family = { .self = self };
	struct child child;

	FILL();
	EXPECT_EQ(0, in_child(child_writes_one, &family));
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(UNIT_PAGES, count_parts(UNIT_AT(2), UNIT_PAGES));
	ASSERT_TRUE(rendezvous_init(&family.rv));
	child = start_child(child_waits, &family);
	fill_page(UNIT_AT(4) + PAGES(15), 9);
	EXPECT_TRUE(HAS(4 * UNIT_PAGES, 5 * UNIT_PAGES - 1));
	EXPECT_EQ(0, count_parts(UNIT_AT(4), UNIT_PAGES));
	rendezvous_signal(&family.rv, 0);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(page_has(UNIT_AT(4) + PAGES(15), 9));
	EXPECT_TRUE(HAS(5 * UNIT_PAGES, NR_PAGES));
	EXPECT_EQ(NR_PAGES, resident(self));
	NOTHING_REMAINS();
}

/* Rights of many, where some are owned by both */
static int child_protects(void *arg)
{
	FIXTURE_DATA(unit) *self = arg;

	fill_pages(UNIT_AT(2), UNIT_PAGES + 5, 3);
	CHECK(!wr_protect(self->fd, self->base, PAGES(NR_PAGES), RO));
	CHECK(!try_write(UNIT_AT(2)) && !try_write(UNIT_AT(5)));
	CHECK(!wr_protect(self->fd, self->base, PAGES(NR_PAGES), RW));
	CHECK(pages_have(UNIT_AT(2), UNIT_PAGES + 5, 3));
	CHECK(HAS(3 * UNIT_PAGES + 5, NR_PAGES));
	fill_pages(self->base, NR_PAGES, 30);
	CHECK(pages_have(self->base, NR_PAGES, 30));
	CHECK(!wr_release(self->fd, self->base, 0));
	return 0;
}

TEST_F(unit, protected_in_child)
{
	int round;

	FILL();
	for (round = 0; round < 3; round++) {
		EXPECT_EQ(0, in_child(child_protects, self));
		EXPECT_TRUE(HAS_ALL());
		EXPECT_EQ(NR_PAGES, resident(self));
	}
	EXPECT_EQ(NR_PAGES - UNIT_PAGES, count_parts(self->base, NR_PAGES));
	fill_pages(self->base, NR_PAGES, 1000);
	/* Nobody else has them: they are written where they are. */
	EXPECT_EQ(NR_PAGES - UNIT_PAGES, count_parts(self->base, NR_PAGES));
	NOTHING_REMAINS();
}

/* The parent gives everything up while the child has it. */
static int child_outlives_units(void *arg)
{
	FIXTURE_DATA(unit) *self = ((struct family *)arg)->self;
	struct family *family = arg;

	rendezvous_wait(&family->rv, 1);
	CHECK(HAS_ALL());
	CHECK(resident(self) == NR_PAGES);
	fill_pages(UNIT_AT(1), 24, 1016);
	CHECK(HAS_ALL());
	CHECK(!wr_decommit(self->fd, UNIT_AT(3), PAGES(9)));
	CHECK(HAS(3 * UNIT_PAGES + 9, NR_PAGES));
	CHECK(!count_parts(UNIT_AT(3), UNIT_PAGES));
	CHECK(resident(self) == NR_PAGES - 9);
	return 0;
}

TEST_F(unit, given_up_by_the_parent)
{
	struct family family = { .self = self };
	struct child child;

	FILL();
	ASSERT_TRUE(rendezvous_init(&family.rv));
	child = start_child(child_outlives_units, &family);
	NOTHING_REMAINS();
	fill_pages(self->base, NR_PAGES, 2);
	rendezvous_signal(&family.rv, 0);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 2));
}

/* Parts that somebody else refers to */

struct pipe {
	int in, out;
};

static bool pipe_init(struct pipe *pipe)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		return false;
	pipe->out = fd[0];
	pipe->in = fd[1];
	return true;
}

static bool put_page(struct pipe *pipe, char *page)
{
	struct iovec iov = { page, PAGES(1) };

	return vmsplice(pipe->in, &iov, 1, 0) == PAGES(1);
}

static bool pipe_has(struct pipe *pipe, uint64_t number)
{
	static char page[PAGES(1)];

	return read(pipe->out, page, PAGES(1)) == PAGES(1) &&
	       page_has(page, number);
}

/* The neighbours go: who holds the page still sees what is written to it. */
TEST_F(unit, neighbours_of_a_part_in_a_pipe)
{
	const unsigned int at = 4 * UNIT_PAGES;
	struct pipe pipe;

	FILL();
	ASSERT_TRUE(pipe_init(&pipe));
	ASSERT_TRUE(put_page(&pipe, PAGE_AT(at + 5)));
	DECOMMIT(at, 5);
	DECOMMIT(at + 6, 10);
	EXPECT_EQ(NR_PAGES - 15, resident(self));
	EXPECT_TRUE(HAS(at + 5, at + 6));
	EXPECT_EQ(1, count_parts(PAGE_AT(at), UNIT_PAGES));
	COMMIT(at, UNIT_PAGES);
	EXPECT_TRUE(pages_are_zero(PAGE_AT(at), 5));
	EXPECT_TRUE(pages_are_zero(PAGE_AT(at + 6), 10));
	fill_pages(PAGE_AT(at), UNIT_PAGES, 70);
	EXPECT_TRUE(pipe_has(&pipe, 75));
	EXPECT_TRUE(pages_have(PAGE_AT(at), UNIT_PAGES, 70));
	/* Now nobody holds it, and it makes room. */
	DECOMMIT(at + 6, 1);
	EXPECT_TRUE(pages_have(PAGE_AT(at), 6, 70));
	EXPECT_EQ(0, count_parts(PAGE_AT(at), UNIT_PAGES));
	EXPECT_EQ(NR_PAGES - 1, resident(self));
	NOTHING_REMAINS();
}

/* The part itself goes, with all of its unit or without. */
TEST_F(unit, part_in_a_pipe)
{
	struct pipe pipe;
	unsigned int i;

	FILL();
	ASSERT_TRUE(pipe_init(&pipe));
	for (i = 0; i < 4; i++)
		ASSERT_TRUE(put_page(&pipe, UNIT_AT(2 * i + 2) + PAGES(5 * i)));
	DECOMMIT(2 * UNIT_PAGES, UNIT_PAGES);
	DECOMMIT(4 * UNIT_PAGES + 5, 1);
	DECOMMIT(6 * UNIT_PAGES + 4, 12);
	DECOMMIT(8 * UNIT_PAGES, UNIT_PAGES);
	EXPECT_EQ(NR_PAGES - 45, resident(self));
	COMMIT(0, NR_PAGES);
	EXPECT_TRUE(pages_are_zero(UNIT_AT(2), UNIT_PAGES));
	EXPECT_TRUE(page_is_zero(UNIT_AT(4) + PAGES(5)));
	EXPECT_TRUE(pages_are_zero(UNIT_AT(6) + PAGES(4), 12));
	EXPECT_TRUE(pages_are_zero(UNIT_AT(8), UNIT_PAGES));
	EXPECT_TRUE(HAS(3 * UNIT_PAGES, 4 * UNIT_PAGES + 5));
	EXPECT_TRUE(HAS(6 * UNIT_PAGES, 6 * UNIT_PAGES + 4));
	fill_pages(self->base, NR_PAGES, 1);
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(pipe_has(&pipe, 1032 + 37 * i));
	/* The last one is there when the region has gone. */
	ASSERT_EQ(0, wr_release(self->fd, self->base, 0));
	EXPECT_TRUE(pipe_has(&pipe, 1143));
}

/* One that is in a pipe while parent and child part */
static int child_beside_pipe(void *arg)
{
	FIXTURE_DATA(unit) *self = arg;

	CHECK(HAS_ALL());
	fill_pages(UNIT_AT(2), UNIT_PAGES, 8);
	CHECK(!wr_decommit(self->fd, UNIT_AT(3), PAGES(9)));
	CHECK(!wr_decommit(self->fd, UNIT_AT(4), UNIT));
	CHECK(pages_have(UNIT_AT(2), UNIT_PAGES, 8));
	CHECK(HAS(3 * UNIT_PAGES + 9, 4 * UNIT_PAGES));
	return 0;
}

TEST_F(unit, part_in_a_pipe_over_fork)
{
	struct pipe pipe;

	FILL();
	ASSERT_TRUE(pipe_init(&pipe));
	ASSERT_TRUE(put_page(&pipe, UNIT_AT(2) + PAGES(1)));
	ASSERT_TRUE(put_page(&pipe, UNIT_AT(3) + PAGES(2)));
	ASSERT_TRUE(put_page(&pipe, UNIT_AT(4) + PAGES(3)));
	EXPECT_EQ(0, in_child(child_beside_pipe, self));
	EXPECT_TRUE(HAS_ALL());
	DECOMMIT(2 * UNIT_PAGES, 3 * UNIT_PAGES);
	COMMIT(2 * UNIT_PAGES, 3 * UNIT_PAGES);
	EXPECT_TRUE(pages_are_zero(UNIT_AT(2), 3 * UNIT_PAGES));
	fill_pages(UNIT_AT(2), 3 * UNIT_PAGES, 1032);
	EXPECT_TRUE(HAS_ALL());
	EXPECT_TRUE(pipe_has(&pipe, 1033));
	EXPECT_TRUE(pipe_has(&pipe, 1050));
	EXPECT_TRUE(pipe_has(&pipe, 1067));
	NOTHING_REMAINS();
}

/* Parts that a device has pinned stay the parent's, with their neighbours. */
static int child_beside_pins(void *arg)
{
	FIXTURE_DATA(unit) *self = arg;

	CHECK(HAS_ALL());
	CHECK(resident(self) == NR_PAGES);
	fill_pages(self->base, NR_PAGES, 6);
	CHECK(!wr_decommit(self->fd, UNIT_AT(3), PAGES(9)));
	CHECK(resident(self) == NR_PAGES - 9);
	CHECK(pages_have(UNIT_AT(3) + PAGES(9), 7, 6 + 57));
	return 0;
}

TEST_F(unit, pinned_parts)
{
	char *page = UNIT_AT(3) + PAGES(6);
	uint64_t frame;
	int sock;

	FILL();
	sock = pin_pages(page, 2);
	if (sock == -EAFNOSUPPORT)
		SKIP(return, "this kernel has no AF_XDP sockets to pin with");
	ASSERT_LE(0, sock);
	frame = page_frame(page);
	ASSERT_NE(0, frame);
	EXPECT_EQ(0, in_child(child_beside_pins, self));
	EXPECT_TRUE(HAS_ALL());
	fill_pages(self->base, NR_PAGES, 1000);
	EXPECT_EQ(frame, page_frame(page));
	/* Not copied out, however little is left */
	DECOMMIT(3 * UNIT_PAGES, 6);
	DECOMMIT(3 * UNIT_PAGES + 7, 9);
	EXPECT_TRUE(HAS(3 * UNIT_PAGES + 6, 3 * UNIT_PAGES + 7));
	EXPECT_EQ(frame, page_frame(page));
	EXPECT_EQ(NR_PAGES - 15, resident(self));
	/* The pins outlive the pages. */
	NOTHING_REMAINS();
	EXPECT_NE(frame, page_frame(page));
	close(sock);
}

struct sleeper {
	uint32_t *word;
	long woken;
};

static void *sleep_on_word(void *arg)
{
	struct sleeper *sleeper = arg;
	struct timespec limit = { .tv_sec = 20 };

	sleeper->woken = futex(sleeper->word, FUTEX_WAIT, 7, &limit);
	return NULL;
}

/* Who waits at a part is found after it has been copied out. */
TEST_F(unit, futex)
{
	struct sleeper sleeper = { .word = (void *)(UNIT_AT(3) + 4096 + 8) };
	uint64_t end = now_ms() + 10000;
	pthread_t thread;
	long n = 0;

	FILL();
	*sleeper.word = 7;
	ASSERT_EQ(0, pthread_create(&thread, NULL, sleep_on_word, &sleeper));
	sleep_ms(200);
	DECOMMIT(3 * UNIT_PAGES + 2, 14);
	EXPECT_TRUE(page_has(UNIT_AT(3) + PAGES(1), 1049));
	EXPECT_FALSE(is_part(UNIT_AT(3) + PAGES(1)));
	EXPECT_EQ(0, futex(sleeper.word - 1024, FUTEX_WAKE, 1, NULL));
	while (!n && now_ms() < end)
		n = futex(sleeper.word, FUTEX_WAKE, 1, NULL);
	EXPECT_EQ(1, n);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, sleeper.woken);
}

/* What the kernel may do to parts */

/* A memory error in page 3 of the unit at @unit; the others are intact. */
static int touch_around_error(void *arg)
{
	char *unit = arg;
	char byte = 1;
	int pipefd[2];

	CHECK(!pipe(pipefd));
	CHECK(write(pipefd[1], unit + PAGES(3), 1) == -1 && errno == EFAULT);
	CHECK(write(pipefd[1], &byte, 1) == 1);
	CHECK(read(pipefd[0], unit + PAGES(3), 1) == -1 && errno == EFAULT);
	CHECK(pages_have(unit, 3, 1080));
	CHECK(pages_have(unit + PAGES(4), 12, 1084));
	fill_pages(unit, 3, 90);
	fill_pages(unit + PAGES(4), 12, 94);
	CHECK(pages_have(unit, 3, 90));
	CHECK(pages_have(unit + PAGES(4), 12, 94));
	return 0;
}

static void ignore_signal(int sig)
{
}

/*
 * As in fault_test: accesses are the kernel's, because one by the program would
 * be logged as if it were an accident. Of an error in a large page some kernels
 * tell the program at once.
 */
static bool inject_error(char *page)
{
	signal(SIGBUS, ignore_signal);
	if (madvise(page, PAGES(1), MADV_HWPOISON) && errno == EINVAL)
		return false;
	madvise(page - PAGES(3), UNIT, MADV_DONTNEED);
	return true;
}

TEST_F(unit, memory_error)
{
	const unsigned int at = 5 * UNIT_PAGES;

	FILL();
	if (!inject_error(PAGE_AT(at + 3)))
		SKIP(return, "this kernel cannot inject memory errors");
	EXPECT_EQ(0, touch_around_error(PAGE_AT(at)));
	fill_pages(PAGE_AT(at), 3, 1000 + at);
	fill_pages(PAGE_AT(at + 4), 12, 1004 + at);
	EXPECT_EQ(0, in_child(touch_around_error, PAGE_AT(at)));
	EXPECT_TRUE(HAS(0, at + 3));
	EXPECT_TRUE(HAS(at + 4, NR_PAGES));
	/* Little is left, and one of these cannot be copied. */
	DECOMMIT(at + 5, 10);
	EXPECT_TRUE(HAS(0, at + 3));
	EXPECT_TRUE(HAS(at + 4, at + 5));
	EXPECT_TRUE(HAS(at + 15, NR_PAGES));
	EXPECT_EQ(NR_PAGES - 10, resident(self));
	/* A decommit gets rid of it. */
	DECOMMIT(at + 3, 1);
	COMMIT(at, UNIT_PAGES);
	EXPECT_TRUE(page_is_zero(PAGE_AT(at + 3)));
	EXPECT_TRUE(HAS(0, at + 3));
	EXPECT_TRUE(HAS(at + 4, at + 5));
	fill_pages(PAGE_AT(at), UNIT_PAGES, 1000 + at);
	EXPECT_TRUE(HAS_ALL());
	NOTHING_REMAINS();
}

/* Units with an error that go as a whole, and with the region */
TEST_F(unit, memory_error_given_up)
{
	FILL();
	if (!inject_error(UNIT_AT(5) + PAGES(3)))
		SKIP(return, "this kernel cannot inject memory errors");
	DECOMMIT(5 * UNIT_PAGES, UNIT_PAGES);
	EXPECT_EQ(NR_PAGES - UNIT_PAGES, resident(self));
	COMMIT(5 * UNIT_PAGES, UNIT_PAGES);
	EXPECT_TRUE(pages_are_zero(UNIT_AT(5), UNIT_PAGES));
	fill_pages(UNIT_AT(5), UNIT_PAGES, 1080);
	EXPECT_TRUE(HAS_ALL());
	ASSERT_TRUE(inject_error(UNIT_AT(7) + PAGES(3)));
	EXPECT_TRUE(HAS(0, 7 * UNIT_PAGES + 3));
	EXPECT_TRUE(HAS(7 * UNIT_PAGES + 4, NR_PAGES));
	EXPECT_EQ(0, wr_release(self->fd, self->base, 0));
	EXPECT_FALSE(try_read(self->base));
}

/* Whatever advice there is for some of the parts; see hazard_test */
TEST_F(unit, any_advice)
{
	const unsigned int at = 7 * UNIT_PAGES;
	int advice;

	FILL();
	for (advice = 0; advice < 128; advice++) {
		if (advice == 100 /* HWPOISON */)
			continue;
		madvise(PAGE_AT(at), PAGES(3), advice);
		madvise(PAGE_AT(at + 5), PAGES(1), advice);
		madvise(PAGE_AT(at + 10), PAGES(8), advice);
		EXPECT_TRUE(HAS_ALL()) {
			TH_LOG("advice %d", advice);
		}
	}
	EXPECT_EQ(NR_PAGES, resident(self));
	fill_pages(self->base, NR_PAGES, 1000);
	DECOMMIT(at + 1, 9);
	EXPECT_TRUE(HAS(0, at + 1));
	EXPECT_TRUE(HAS(at + 10, NR_PAGES));
	EXPECT_EQ(0, count_parts(PAGE_AT(at), UNIT_PAGES));
	NOTHING_REMAINS();
}

/* By the calls for another process's memory, over the edges of units */
TEST_F(unit, process_vm)
{
	const ssize_t length = PAGES(40);
	char *copy = malloc(length);
	struct iovec local = { copy, length };
	struct iovec remote = { PAGE_AT(10), length };

	/* Of nothing: they make pages, but none ahead. */
	fill_pages(self->base, 10, 1000);
	fill_pages(PAGE_AT(10), 6, 1010);
	fill_pages(copy, 40, 500);
	ASSERT_EQ(length, process_vm_writev(getpid(), &local, 1, &remote, 1,
					    0));
	EXPECT_EQ(50, resident(self));
	EXPECT_EQ(0, count_parts(self->base, 50));
	EXPECT_TRUE(pages_have(PAGE_AT(10), 40, 500));
	NOTHING_REMAINS();
	DECOMMIT(0, NR_PAGES);
	COMMIT(0, NR_PAGES);
	FILL();
	ASSERT_EQ(length, process_vm_readv(getpid(), &local, 1, &remote, 1,
					   0));
	EXPECT_TRUE(pages_have(copy, 40, 1010));
	fill_pages(copy, 40, 600);
	remote.iov_base = PAGE_AT(100);
	ASSERT_EQ(length, process_vm_writev(getpid(), &local, 1, &remote, 1,
					    0));
	EXPECT_TRUE(pages_have(PAGE_AT(100), 40, 600));
	EXPECT_TRUE(HAS(0, 100));
	EXPECT_TRUE(HAS(140, NR_PAGES));
	/* Up to the first page that is not there */
	DECOMMIT(120, 1);
	EXPECT_EQ(PAGES(20), process_vm_writev(getpid(), &local, 1, &remote, 1,
					       0));
	EXPECT_EQ(NR_PAGES - 1, resident(self));
	free(copy);
}

/* The end of it all */

TEST_F(unit, release_parts)
{
	FILL();
	/* A part from within a unit to within another */
	ASSERT_EQ(0, wr_release(self->fd, PAGE_AT(60), PAGES(40)));
	EXPECT_EQ(NR_PAGES - 40, resident(self));
	EXPECT_EQ(0, count_readable(PAGE_AT(60), 40));
	EXPECT_TRUE(HAS(0, 60));
	EXPECT_TRUE(HAS(100, NR_PAGES));
	EXPECT_EQ(0, count_parts(UNIT_AT(3), UNIT_PAGES));
	EXPECT_EQ(0, count_parts(UNIT_AT(6), UNIT_PAGES));
	ASSERT_EQ(0, wr_release(self->fd, PAGE_AT(55), PAGES(5)));
	EXPECT_TRUE(HAS(0, 55));
	EXPECT_EQ(0, count_parts(UNIT_AT(3), UNIT_PAGES));
	EXPECT_EQ(NR_PAGES - 45, resident(self));
	ASSERT_EQ(0, wr_release(self->fd, self->base, 0));
	EXPECT_TRUE(HAS(100, NR_PAGES));
	EXPECT_EQ(NR_PAGES - 100, resident(self));
	ASSERT_EQ(0, wr_release(self->fd, PAGE_AT(100), 0));
	EXPECT_EQ(0, resident(self));
	EXPECT_EQ(0, WR_INFO(self->fd, out_regions));
}

/* Whole units, and those of which a part has gone */
static void make_remains(FIXTURE_DATA(unit) *self)
{
	fill_pages(self->base, NR_PAGES, 1000);
	wr_decommit(self->fd, PAGE_AT(20), PAGES(7));
	wr_decommit(self->fd, PAGE_AT(40), PAGES(30));
}

TEST_F(unit, release_whole)
{
	uint64_t total = WR_INFO(self->fd, out_total);
	uint64_t addr = (uintptr_t)self->base;
	int round;

	for (round = 0; round < 3; round++) {
		make_remains(self);
		EXPECT_EQ(NR_PAGES - 37, resident(self));
		ASSERT_EQ(0, wr_release(self->fd, self->base, 0));
		EXPECT_FALSE(try_read(self->base));
		ASSERT_EQ(0, wr_reserve_at(self->fd, &addr, self->size,
					   WINREGION_RESERVE_COMMIT, RW));
		ASSERT_EQ((uintptr_t)self->base, addr);
		EXPECT_EQ(0, resident(self));
		EXPECT_TRUE(pages_are_zero(self->base, NR_PAGES));
	}
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

TEST_F(unit, unmapped_by_the_program)
{
	struct pipe pipe;
	struct vma vma;

	make_remains(self);
	ASSERT_TRUE(pipe_init(&pipe));
	ASSERT_TRUE(put_page(&pipe, UNIT_AT(8) + PAGES(2)));
	ASSERT_TRUE(find_vma(self->base, &vma));
	ASSERT_EQ(0, munmap((void *)(uintptr_t)vma.start, vma.end - vma.start));
	EXPECT_TRUE(wr_is_gone(self->fd, self->base));
	EXPECT_EQ(0, WR_INFO(self->fd, out_regions));
	EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
	EXPECT_TRUE(pipe_has(&pipe, 1130));
}

static int exit_with_units(void *arg)
{
	FIXTURE_DATA(unit) mine = *(FIXTURE_DATA(unit) *)arg, *self = &mine;

	self->base = wr_reserve_aligned(self->fd, self->size, MIB(2), true);
	CHECK(self->base);
	make_remains(self);
	CHECK(count_parts(UNIT_AT(8), UNIT_PAGES) == UNIT_PAGES);
	CHECK(resident(self) == NR_PAGES - 37);
	return 0;
}

TEST_F(unit, exit)
{
	uint64_t total = WR_INFO(self->fd, out_total);
	int round;

	for (round = 0; round < 3; round++)
		EXPECT_EQ(0, in_child(exit_with_units, self));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

/* Races */

#define RACE_PAGES 80U

/**
 * struct race - pages that come and go, and threads that touch them
 * @self: the region
 * @crew: the threads
 * @clock: of each page: 0, when divided by 4, while it is committed, 1 while it
 *	is being given up, 2 while it is not committed, 3 while it is being
 *	committed
 * @steps: accesses, so that the director can wait for some
 */
struct race {
	FIXTURE_DATA(unit) *self;
	struct crew crew;
	volatile uint64_t clock[RACE_PAGES];
	volatile uint64_t steps;
};

/**
 * struct toucher - a thread that touches one page after the other
 * @word: which word of each page is its own
 * @kinds: how it reads and writes
 * @last: what it has written to each page last
 * @began: the page's clock just before that
 * @ended: and just after
 * @wrong: how often something was not as it must be
 */
struct toucher {
	struct race *race;
	unsigned int word;
	enum race_kind kinds[2];
	int file;
	uint64_t last[RACE_PAGES];
	uint64_t began[RACE_PAGES];
	uint64_t ended[RACE_PAGES];
	uint64_t wrong;
	char first[96];
};

static void note_wrong(struct toucher *toucher, unsigned int page, bool write,
		       bool ok, uint64_t value)
{
	if (toucher->wrong++)
		return;
	snprintf(toucher->first, sizeof(toucher->first),
		 "page %u, clock %llu, %s %s, value %llu, last %llu", page,
		 (unsigned long long)race_load(&toucher->race->clock[page]),
		 write ? "write" : "read", ok ? "went through" : "failed",
		 (unsigned long long)value,
		 (unsigned long long)toucher->last[page]);
}

/* If the page has not changed meanwhile, it must work just if it is committed. */
static bool may_be(uint64_t before, uint64_t after, bool ok)
{
	return before != after || before % 2 || ok == (before % 4 == 0);
}

/* Whether @value can be read while the clock goes from @before to @after. */
static bool may_be_read(struct toucher *toucher, unsigned int page,
			uint64_t before, uint64_t after, uint64_t value)
{
	uint64_t next = (toucher->ended[page] + 3) / 4 * 4 + 4;

	if (after == toucher->began[page])
		return value == toucher->last[page];
	if (before >= next)
		return !value;
	return !value || value == toucher->last[page];
}

static void touch(struct toucher *toucher, unsigned int page)
{
	volatile uint64_t *clock = &toucher->race->clock[page];
	volatile uint64_t *word = (void *)(toucher->race->self->base +
					   PAGES(page));
	uint64_t before = race_load(clock), after, value = 0;
	bool ok;

	word += toucher->word;
	ok = race_access(toucher->kinds[0], toucher->file, word, &value);
	after = race_load(clock);
	if (!may_be(before, after, ok) ||
	    (ok && !may_be_read(toucher, page, before, after, value)))
		note_wrong(toucher, page, false, ok, value);

	value = race_load(&toucher->race->steps) * 1000 + page + 1;
	before = race_load(clock);
	ok = race_access(toucher->kinds[1], toucher->file, word, &value);
	after = race_load(clock);
	if (!may_be(before, after, ok))
		note_wrong(toucher, page, true, ok, value);
	if (ok) {
		toucher->last[page] = value;
		toucher->began[page] = before;
		toucher->ended[page] = after;
	}
	race_add(&toucher->race->steps, 1);
}

static void *touch_in_sequence(void *arg)
{
	struct toucher *toucher = arg;
	unsigned int page = 0;

	while (crew_goes_on(&toucher->race->crew)) {
		touch(toucher, page);
		page = (page + 1) % RACE_PAGES;
	}
	return NULL;
}

static void tick(struct race *race, unsigned int first, unsigned int end)
{
	for (; first < end; first++)
		race_add(&race->clock[first], 1);
}

/* Let the others do something. */
static void await_steps(struct race *race, uint64_t n)
{
	uint64_t until = race_load(&race->steps) + n;

	while (race_load(&race->steps) < until)
		usleep(20);
}

/* A range of whole units, of a part of one, or from one into another */
static void choose_range(uint64_t *random, unsigned int *first,
			 unsigned int *end)
{
	unsigned int unit = race_random(random, RACE_PAGES / UNIT_PAGES);

	switch (race_random(random, 4)) {
	case 0:
		*first = unit * UNIT_PAGES;
		*end = *first + UNIT_PAGES;
		return;
	case 1:
		*first = unit * UNIT_PAGES + race_random(random, 8);
		*end = *first + 1 + race_random(random, 8);
		return;
	case 2:
		*first = unit * UNIT_PAGES;
		*end = RACE_PAGES;
		return;
	}
	*first = race_random(random, RACE_PAGES);
	*end = *first + 1 + race_random(random, RACE_PAGES - *first);
}

static int change_range(struct race *race, uint64_t *random)
{
	FIXTURE_DATA(unit) *self = race->self;
	unsigned int first, end;
	int err;

	choose_range(random, &first, &end);
	tick(race, first, end);
	err = wr_decommit(self->fd, PAGE_AT(first), PAGES(end - first));
	tick(race, first, end);
	await_steps(race, race_random(random, 6));
	tick(race, first, end);
	err |= wr_commit(self->fd, PAGE_AT(first), PAGES(end - first), RW);
	tick(race, first, end);
	await_steps(race, race_random(random, 100));
	return err;
}

/* Return: how often any of the units was found to be one. */
static unsigned int direct(struct __test_metadata *_metadata,
			   struct race *race, unsigned int rounds)
{
	uint64_t random = getpid();
	unsigned int i, seen = 0;

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, change_range(race, &random));
		if (i % 8 == 0)
			seen += count_parts(race->self->base, RACE_PAGES) > 0;
	}
	return seen;
}

static void toucher_init(struct toucher *toucher, struct race *race,
			 unsigned int word, enum race_kind reads,
			 enum race_kind writes)
{
	*toucher = (struct toucher) {
		.race = race,
		.word = word,
		.kinds = { reads, writes },
		.file = memfd_create("race", MFD_CLOEXEC),
	};
	if (toucher->file < 0 || ftruncate(toucher->file, 4096))
		abort();
}

static uint64_t count_wrong(struct toucher *toucher)
{
	close(toucher->file);
	if (toucher->wrong)
		fprintf(stderr, "# %llu wrong, first: %s\n",
			(unsigned long long)toucher->wrong, toucher->first);
	return toucher->wrong;
}

/*
 * No page is seen with anything but zeros after it was committed again, no
 * access goes through after a decommit has returned, none fails and no write is
 * lost without one.
 */
/* Rules: M-02, M-12, VF-08, VF-16 */
TEST_F_TIMEOUT(unit, touched_while_it_goes, 60)
{
	struct race race = { .self = self };
	struct toucher toucher;

	race_catch_faults();
	toucher_init(&toucher, &race, 0, USER_READ, USER_WRITE);
	crew_add(&race.crew, touch_in_sequence, &toucher);
	EXPECT_LT(0, direct(_metadata, &race, rounds(unit_touched)));
	crew_stop(&race.crew);
	EXPECT_EQ(0, count_wrong(&toucher));
	NOTHING_REMAINS();
}

/* The same, by the program and the kernel at once */
TEST_F_TIMEOUT(unit, touched_in_many_ways, 60)
{
	static struct toucher touchers[3];
	struct race race = { .self = self };
	unsigned int i;

	race_catch_faults();
	toucher_init(&touchers[0], &race, 0, USER_READ, USER_WRITE);
	toucher_init(&touchers[1], &race, 8, COPY_READ, COPY_WRITE);
	toucher_init(&touchers[2], &race, 16, USER_READ, REMOTE_WRITE);
	for (i = 0; i < ARRAY_SIZE(touchers); i++)
		crew_add(&race.crew, touch_in_sequence, &touchers[i]);
	EXPECT_LT(0, direct(_metadata, &race, rounds(unit_many_ways)));
	crew_stop(&race.crew);
	for (i = 0; i < ARRAY_SIZE(touchers); i++)
		EXPECT_EQ(0, count_wrong(&touchers[i]));
	NOTHING_REMAINS();
}

/* One that writes to a page that is being copied out of its unit */
struct writer {
	struct crew crew;
	volatile uint64_t *word;
	volatile uint64_t round;
	volatile uint64_t idle;
	uint64_t last;
	uint64_t wrong;
};

static void *write_upwards(void *arg)
{
	struct writer *writer = arg;

	while (crew_goes_on(&writer->crew)) {
		if (!(race_load(&writer->round) & 1)) {
			writer->idle = race_load(&writer->round);
			sched_yield();
			continue;
		}
		writer->wrong += *writer->word != writer->last;
		*writer->word = ++writer->last;
	}
	return NULL;
}

static void await_idle(struct writer *writer)
{
	while (race_load(&writer->idle) != race_load(&writer->round))
		sched_yield();
}

/* No write is lost, and neither is what else there is. */
TEST_F_TIMEOUT(unit, written_while_copied_out, 60)
{
	unsigned int i, k, at, large = 0, copied = 0;
	struct writer writer = { .last = 0 };

	FILL();
	crew_add(&writer.crew, write_upwards, &writer);
	for (i = 0; i < rounds(unit_copied_out); i++) {
		at = (1 + i % 15) * UNIT_PAGES;
		writer.word = (volatile uint64_t *)PAGE_AT(at + 11) + 100;
		writer.last = 0;
		large += is_part(PAGE_AT(at + 11));
		race_add(&writer.round, 1);
		for (k = 0; k < 10; k++)
			ASSERT_EQ(0, wr_decommit(self->fd, PAGE_AT(at + k),
						 PAGES(1)));
		race_add(&writer.round, 1);
		await_idle(&writer);
		EXPECT_EQ(writer.last, *writer.word);
		EXPECT_TRUE(HAS(at + 10, at + UNIT_PAGES));
		copied += !is_part(PAGE_AT(at + 11));
		DECOMMIT(at, UNIT_PAGES);
		COMMIT(at, UNIT_PAGES);
		fill_pages(PAGE_AT(at), UNIT_PAGES, 1000 + at);
	}
	crew_stop(&writer.crew);
	EXPECT_EQ(0, writer.wrong);
	EXPECT_EQ(rounds(unit_copied_out), large);
	EXPECT_LT(0, copied);
	EXPECT_TRUE(HAS_ALL());
	NOTHING_REMAINS();
}

TEST_HARNESS_MAIN
