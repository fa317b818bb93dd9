// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers at which the recipe of mmap() and mprotect() breaks: a million runs
 * of pages in one region, 200,000 regions at a time. The queries stay exact
 * and the mappings few.
 */
#include "kselftest_harness.h"

#include "common.h"
#include "rounds.h"
#include "wr_test_util.h"

#define OVERCOMMIT "/proc/sys/vm/overcommit_memory"
#define MAX_REGIONS "/sys/module/winregion/parameters/max_regions"
#define FEW_REGIONS 500

FIXTURE(scale)
{
	int fd;
};

FIXTURE_SETUP(scale)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(scale)
{
	close(self->fd);
}

#define RUNS ((unsigned int)rounds(scale_runs))
#define RUNS_SIZE PAGES(RUNS)
#define BATCH 1024

/* Every second page of a committed region read-only, then all one again */
static int million_runs(void *arg)
{
	static struct winregion_range ranges[BATCH];
	static struct winregion_run runs[BATCH];
	int fd = *(int *)arg;
	struct winregion_run run;
	uint64_t next, end, seen = 0;
	char *region;
	long n, i;
	unsigned int page;

	region = wr_alloc(fd, RUNS_SIZE);
	CHECK(region);
	for (page = 1; page < RUNS; page += 2 * BATCH) {
		for (i = 0; i < BATCH; i++)
			ranges[i] = (struct winregion_range) {
				.address = (uintptr_t)region +
					   PAGES(page + 2 * i),
				.length = PAGES(1),
				.protection = RO,
			};
		CHECK(!wr_vector(fd, WINREGION_PROTECT, ranges, BATCH));
	}
	CHECK(count_vmas(region, RUNS_SIZE) == 1);

	/* Exact, each of them */
	next = (uintptr_t)region;
	end = next + RUNS_SIZE;
	while (next < end) {
		n = wr_query_runs(fd, &next, end - 1, 0, runs, BATCH);
		CHECK(n > 0);
		for (i = 0; i < n; i++) {
			CHECK(runs[i].address == (uintptr_t)region +
			      PAGES(seen));
			CHECK(runs[i].length == PAGES(1));
			CHECK(runs[i].state == WINREGION_STATE_COMMIT);
			CHECK(runs[i].protection == (seen % 2 ? RO : RW));
			CHECK(runs[i].region_address == (uintptr_t)region);
			CHECK(runs[i].region_length == RUNS_SIZE);
			seen++;
		}
	}
	CHECK(seen == RUNS);
	for (page = 0; page < RUNS; page += 4099) {
		char *addr = region + PAGES(page);

		CHECK(!wr_query(fd, addr, &run));
		CHECK(run.length == PAGES(1));
		CHECK(run.region_committed == RUNS_SIZE);
		CHECK(try_write(addr) == !(page % 2));
		CHECK(try_read(addr));
	}

	/* One run again in one call, with no contents lost */
	CHECK(!wr_protect(fd, region, RUNS_SIZE, RW));
	CHECK(!wr_query(fd, region, &run));
	CHECK(run.length == RUNS_SIZE);
	CHECK(*(unsigned char *)(region + PAGES(4099 * 2)) == 0xa5);
	CHECK(try_write(region + PAGES(4099)));
	CHECK(!wr_release(fd, region, 0));
	CHECK(!WR_INFO(fd, out_committed));
	return 0;
}

TEST_F_TIMEOUT(scale, million_runs, 180)
{
	int64_t mode = read_number(OVERCOMMIT);
	uint64_t total = WR_INFO(self->fd, out_total);
	int ret;

	/* Their 4 GiB may be more than there is; few of them are touched. */
	ASSERT_TRUE(write_number(OVERCOMMIT, 1));
	ret = in_child(million_runs, &self->fd);
	EXPECT_TRUE(write_number(OVERCOMMIT, mode));
	EXPECT_EQ(0, ret);
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

/* What the same does to a program that has only mprotect() */
static int mprotect_recipe(void *arg)
{
	int64_t limit = read_number(MAX_MAP_COUNT);
	char *map, *more;
	int64_t i;

	(void)arg;
	CHECK(limit > 0 && limit < RUNS);
	map = mmap(NULL, RUNS_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		   MAP_NORESERVE, -1, 0);
	CHECK(map != MAP_FAILED);
	for (i = 1; i < RUNS; i += 2)
		if (mprotect(map + PAGES(i), PAGES(1), PROT_READ))
			break;
	CHECK(i < RUNS && errno == ENOMEM);
	CHECK(i <= limit);
	/* From now on the process can neither map nor protect anything. */
	more = mmap(NULL, PAGES(1), PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	if (more != MAP_FAILED)
		more = mmap(NULL, PAGES(1), PROT_READ, MAP_SHARED |
			    MAP_ANONYMOUS, -1, 0);
	CHECK(more == MAP_FAILED);
	CHECK(mprotect(map + PAGES(i + 3), PAGES(1), PROT_READ));
	return 0;
}

/*
 * With a limit of an eighth of the default, as kernels that check the tree of
 * VMAs at every change take time that grows with the square.
 */
TEST_F_TIMEOUT(scale, mprotect_recipe_fails, 120)
{
	int64_t limit = read_number(MAX_MAP_COUNT);
	int ret;

	ASSERT_TRUE(limit_maps(8191));
	ret = in_child(mprotect_recipe, NULL);
	EXPECT_TRUE(write_number(MAX_MAP_COUNT, limit));
	EXPECT_EQ(0, ret);
}

/* Regions work on in a process that has no mapping left. */
static int regions_without_mappings(void *arg)
{
	int64_t limit = read_number(MAX_MAP_COUNT);
	int fd = *(int *)arg;
	char *map, *small, *large, *last;
	uint64_t addr = 0;
	int64_t i;

	small = wr_alloc(fd, KIB(64));
	large = wr_reserve(fd, MIB(4));
	CHECK(small && large);
	map = mmap(NULL, PAGES(2 * limit + 2), PROT_NONE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(map != MAP_FAILED);
	for (i = 1; i < 2 * limit; i += 2)
		if (mprotect(map + PAGES(i), PAGES(1), PROT_READ))
			break;
	CHECK(i < 2 * limit);
	/* The one mapping that the kernel allows beyond its limit */
	last = mmap(NULL, PAGES(1), PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);

	for (i = 0; i < 512; i++) {
		CHECK(!wr_commit(fd, large + PAGES(2 * i), PAGES(1),
				 i % 2 ? RW : RO));
		CHECK(try_read(large + PAGES(2 * i)));
	}
	CHECK(!wr_decommit(fd, large, MIB(1)));
	CHECK(!wr_reserve_at(fd, &addr, KIB(64), 0, RW));
	addr = 0;
	CHECK(wr_reserve_at(fd, &addr, MIB(4), 0, RW) == -ENOSPC);
	CHECK(!wr_release(fd, small, 0));
	CHECK(!wr_release(fd, large, 0));
	/* No region takes that one mapping: nothing could be unmapped then. */
	CHECK(last == MAP_FAILED || !munmap(last, PAGES(1)));
	addr = 0;
	CHECK(!wr_reserve_at(fd, &addr, MIB(4), 0, RW));
	return 0;
}

TEST_F_TIMEOUT(scale, regions_without_mappings, 60)
{
	int64_t limit = read_number(MAX_MAP_COUNT);
	int ret;

	ASSERT_TRUE(limit_maps(1000));
	ret = in_child(regions_without_mappings, &self->fd);
	EXPECT_TRUE(write_number(MAX_MAP_COUNT, limit));
	EXPECT_EQ(0, ret);
}

#define MANY 200000

/* So many regions at the same time, released in another order */
TEST_F_TIMEOUT(scale, many_regions, 180)
{
	static char *region[MANY];
	static struct winregion_run runs[BATCH];
	const unsigned int regions = rounds(scale_regions);
	size_t vmas = count_all_vmas();
	uint64_t next = 0, seen = 0;
	struct winregion_run run;
	unsigned int i, j;
	char *other;
	long n;

	for (i = 0; i < regions; i++) {
		region[i] = wr_reserve(self->fd, KIB(64));
		ASSERT_NE(NULL, region[i]);
		if (i % 1000)
			continue;
		ASSERT_EQ(0, wr_commit(self->fd, region[i], PAGES(1), RW));
		fill_page(region[i], i);
	}
	EXPECT_EQ(regions, WR_INFO(self->fd, out_regions));
	EXPECT_GT(100, WR_INFO(self->fd, out_windows));
	EXPECT_GT(vmas + 100, count_all_vmas());

	/* They are all there, and no two are the same. */
	while (next <= USER_HIGHEST) {
		n = wr_query_runs(self->fd, &next, USER_HIGHEST,
				  WINREGION_QUERY_REGIONS, runs, BATCH);
		ASSERT_LE(0, n);
		for (j = 0; j < n; j++)
			seen += runs[j].address == runs[j].region_address;
	}
	EXPECT_EQ(regions, seen);
	for (i = 0; i < regions; i += 1000) {
		EXPECT_TRUE(page_has(region[i], i));
		ASSERT_EQ(0, wr_query(self->fd, region[i] + PAGES(1), &run));
		EXPECT_EQ((uintptr_t)region[i], run.region_address);
		EXPECT_EQ(KIB(64), run.region_length);
		EXPECT_EQ(PAGES(1), run.region_committed);
	}

	/* 77773 and the number of regions have no common factor. */
	for (i = 0, j = 0; i < regions; i++, j = (j + 77773) % regions) {
		other = region[j];
		ASSERT_NE(NULL, other);
		if (j % 1000 == 0) {
			EXPECT_TRUE(page_has(other, j));
		}
		ASSERT_EQ(0, wr_release(self->fd, other, 0));
		region[j] = NULL;
	}
	EXPECT_EQ(0, WR_INFO(self->fd, out_regions));
	EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
	EXPECT_GE(vmas + 3, count_all_vmas());
}

#define FEW 1000

/* At the limit: one less makes room for one more, of any kind. */
static int most_regions(void *arg)
{
	static char *region[FEW];
	int fd = *(int *)arg;
	uint64_t addr = 0;
	int i;

	CHECK(WR_INFO(fd, out_max_regions) == FEW);
	for (i = 0; i < FEW; i++) {
		region[i] = wr_reserve(fd, PAGES(4));
		CHECK(region[i]);
	}
	CHECK(wr_reserve_at(fd, &addr, PAGES(1), 0, RW) == -EMFILE);
	CHECK(wr_reserve_at(fd, &addr, MIB(2), 0, RW) == -EMFILE);
	CHECK(wr_reserve_at(fd, &addr, KIB(64), WINREGION_RESERVE_COMMIT,
			    RW) == -EMFILE);
	CHECK(WR_INFO(fd, out_regions) == FEW);
	CHECK(WR_INFO(fd, out_committed) == 0);
	/* What is left on both sides of a hole is one region more. */
	CHECK(!wr_commit(fd, region[5], PAGES(4), RW));
	fill_pages(region[5], 4, 1);
	CHECK(wr_release(fd, region[5] + PAGES(1), PAGES(1)) == -EMFILE);
	CHECK(pages_have(region[5], 4, 1));
	CHECK(!wr_release(fd, region[5] + PAGES(3), PAGES(1)));
	CHECK(pages_have(region[5], 3, 1));
	CHECK(!wr_release(fd, region[FEW - 1], 0));
	CHECK(!wr_release(fd, region[5] + PAGES(1), PAGES(1)));
	CHECK(WR_INFO(fd, out_regions) == FEW);
	addr = 0;
	CHECK(wr_reserve_at(fd, &addr, MIB(2), 0, RW) == -EMFILE);
	CHECK(!wr_release(fd, region[0], 0));
	CHECK(!wr_reserve_at(fd, &addr, MIB(2), 0, RW));
	return 0;
}

/* The number of regions has a limit of its own, and an errno for it. */
TEST_F_TIMEOUT(scale, most_regions, 60)
{
	int64_t most = read_number(MAX_REGIONS);
	int ret;

	ASSERT_LT(MANY, most);
	ASSERT_TRUE(write_number(MAX_REGIONS, FEW));
	ret = in_child(most_regions, &self->fd);
	EXPECT_TRUE(write_number(MAX_REGIONS, most));
	EXPECT_EQ(0, ret);
}

/* How many of the regions the child has, each whole or not at all, or -1 */
static int inherited(int fd, char **region)
{
	int i, n = 0;

	for (i = 0; i < FEW; i++) {
		if (try_read(region[i])) {
			if (!page_has(region[i], i) ||
			    !wr_is(fd, region[i], RW))
				return -1;
			n++;
		} else if (probe_fault.sig != SIGBUS ||
			   !wr_is_gone(fd, region[i])) {
			return -1;
		}
	}
	return n;
}

struct parent {
	int fd;
	char *region[FEW];
};

/* The child of one that has more than the limit is now: it gets what fits. */
static int child_at_limit(void *arg)
{
	struct parent *parent = arg;
	int fd = parent->fd;
	int n = inherited(fd, parent->region);
	uint64_t addr = 0;

	CHECK(n > 0 && n <= FEW / 2);
	CHECK(WR_INFO(fd, out_regions) == (uint64_t)n);
	CHECK(WR_INFO(fd, out_committed) == PAGES(n));
	/* What does not count is not in the way either. */
	CHECK(write_number(MAX_REGIONS, n + 1));
	CHECK(!wr_reserve_at(fd, &addr, MIB(2), 0, RW));
	addr = 0;
	CHECK(wr_reserve_at(fd, &addr, PAGES(1), 0, RW) == -EMFILE);
	return 0;
}

static int fork_at_limit(void *arg)
{
	static struct parent parent;
	int fd = *(int *)arg, i;

	parent.fd = fd;
	for (i = 0; i < FEW; i++) {
		parent.region[i] = wr_alloc(fd, PAGES(1));
		CHECK(parent.region[i]);
		fill_page(parent.region[i], i);
	}
	CHECK(write_number(MAX_REGIONS, FEW / 2));
	CHECK(!in_child(child_at_limit, &parent));
	CHECK(inherited(fd, parent.region) == FEW);
	CHECK(WR_INFO(fd, out_regions) == FEW);
	return 0;
}

/* A fork over the limit leaves whole mappings out, and the parent alone. */
TEST_F_TIMEOUT(scale, fork_at_limit, 60)
{
	int64_t most = read_number(MAX_REGIONS);
	uint64_t total = WR_INFO(self->fd, out_total);
	int ret;

	ASSERT_LT(MANY, most);
	ret = in_child(fork_at_limit, &self->fd);
	EXPECT_TRUE(write_number(MAX_REGIONS, most));
	EXPECT_EQ(0, ret);
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

TEST_HARNESS_MAIN
