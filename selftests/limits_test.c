// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges that cannot be, and everything that can run out: address space, the
 * commit limit, resource limits, a memory cgroup. What fails must fail at the
 * call, with the right errno, and leave nothing behind.
 */
#include "kselftest_harness.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "common.h"
#include "rounds.h"
#include "wr_test_util.h"
#include "sections.h"

#define OVERCOMMIT "/proc/sys/vm/overcommit_memory"
#define OVERCOMMIT_KBYTES "/proc/sys/vm/overcommit_kbytes"
#define OVERCOMMIT_RATIO "/proc/sys/vm/overcommit_ratio"
#define COMMIT_LIMIT "/sys/module/winregion/parameters/commit_limit_mb"

FIXTURE(limits)
{
	int fd;
	struct winregion_get_info before;
};

FIXTURE_SETUP(limits)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, wr_get_info(self->fd, &self->before));
}

FIXTURE_TEARDOWN(limits)
{
	close(self->fd);
}

/* Ranges */

/* Every call that takes a range refuses the impossible ones alike. */
TEST_F(limits, impossible_ranges)
{
	static const unsigned long cmds[] = {
		WINREGION_COMMIT, WINREGION_DECOMMIT, WINREGION_PROTECT,
		WINREGION_RELEASE,
	};
	char *region = wr_alloc(self->fd, MIB(2));
	const uint64_t base = (uintptr_t)region;
	const struct {
		uint64_t address, length;
		int err;
	} bad[] = {
		/* Addresses that nothing can have */
		{ 0, PAGES(1), EADDRNOTAVAIL },
		{ 0xffff, 1, EADDRNOTAVAIL },
		{ USER_HIGHEST + 1, PAGES(1), EADDRNOTAVAIL },
		{ USER_END, 1, EADDRNOTAVAIL },
		{ 0xffff888000000000, PAGES(1), EADDRNOTAVAIL },
		{ 0xffffffffffffffff, 1, EADDRNOTAVAIL },
		/* Ranges that wrap, or run out of the usable addresses */
		{ base, 0xffffffffffffffff, EOVERFLOW },
		{ base, 0 - base, EOVERFLOW },
		{ base, 1 - base, EOVERFLOW },
		{ base, USER_HIGHEST + 2 - base, EOVERFLOW },
		{ base + PAGES(3), 0x8000000000000000, EOVERFLOW },
		/* Ranges that leave the region */
		{ base, MIB(2) + 1, EXDEV },
		{ base + PAGES(1), MIB(2), EXDEV },
		{ base + MIB(2) - 1, 2, EXDEV },
		{ base, USER_HIGHEST + 1 - base, EXDEV },
		/* Addresses in no region */
		{ base + MIB(2), 1, ENOENT },
		{ base - 1, 1, ENOENT },
		{ base - PAGES(1), MIB(4), ENOENT },
		{ 0x10000, 1, ENOENT },
		{ USER_HIGHEST, 1, ENOENT },
		{ (uintptr_t)&cmds, 8, ENOENT },
	};
	struct winregion_run run;
	unsigned int i, j;
	int ret;

	ASSERT_NE(NULL, region);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (j = 0; j < ARRAY_SIZE(cmds); j++) {
			char *addr = (char *)(uintptr_t)bad[i].address;

			if (cmds[j] == WINREGION_RELEASE)
				ret = wr_release(self->fd, addr,
						 bad[i].length);
			else
				ret = wr_change(self->fd, cmds[j], addr,
						bad[i].length,
						cmds[j] == WINREGION_DECOMMIT ?
						0 : RO, NULL);
			EXPECT_EQ(-bad[i].err, ret) {
				TH_LOG("range %u, ioctl %lx", i, cmds[j]);
			}
		}
	}
	/* Length 0 is a mistake, or means all that starts there. */
	EXPECT_EQ(-EOVERFLOW, wr_commit(self->fd, region, 0, RO));
	EXPECT_EQ(-EOVERFLOW, wr_protect(self->fd, region, 0, RO));
	EXPECT_EQ(-ESPIPE, wr_decommit(self->fd, region + PAGES(1), 0));
	EXPECT_EQ(-ESPIPE, wr_release(self->fd, region + PAGES(1), 0));
	EXPECT_EQ(-ENOENT, wr_decommit(self->fd, region + MIB(2), 0));
	EXPECT_EQ(-ENOENT, wr_release(self->fd, region + MIB(2), 0));

	ASSERT_EQ(0, wr_query(self->fd, region, &run));
	EXPECT_EQ(MIB(2), run.length);
	EXPECT_EQ(RW, run.protection);
	EXPECT_EQ(1, WR_INFO(self->fd, out_regions));
}

/* Reservations that cannot be */
TEST_F(limits, impossible_reservations)
{
	const struct {
		uint64_t address, length;
		int err;
	} bad[] = {
		{ 0, 0, EOVERFLOW },
		{ 0x10000000000, 0, EOVERFLOW },
		{ 0, 0xffffffffffffffff, EOVERFLOW },
		{ 0, 0x8000000000000000, EOVERFLOW },
		{ 0, USER_HIGHEST + 1, EOVERFLOW },
		{ 0x10000000000, 0xffffffffffffffff, EOVERFLOW },
		{ 0x10000000000, 0 - 0x10000000000, EOVERFLOW },
		{ 0x10000000000, USER_HIGHEST + 2 - 0x10000000000,
		  EOVERFLOW },
		{ 1, PAGES(1), EADDRNOTAVAIL },
		{ 0xffff, PAGES(1), EADDRNOTAVAIL },
		{ USER_HIGHEST + 1, PAGES(1), EADDRNOTAVAIL },
		{ 0xffff888000000000, PAGES(1), EADDRNOTAVAIL },
		/* It fits in the usable addresses, but not between others. */
		{ 0, USER_HIGHEST + 1 - USER_LOWEST, ENOSPC },
		/* Somebody is there. */
		{ (uintptr_t)&errno, PAGES(1), EEXIST },
		{ 0x10000000000, USER_HIGHEST + 1 - 0x10000000000, EEXIST },
	};
	struct winregion_get_info after;
	unsigned int i;
	uint64_t addr;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		addr = bad[i].address;
		EXPECT_EQ(-bad[i].err, wr_reserve_at(self->fd, &addr,
						     bad[i].length, 0, RW)) {
			TH_LOG("reservation %u", i);
		}
	}
	ASSERT_EQ(0, wr_get_info(self->fd, &after));
	EXPECT_EQ(0, after.out_regions);
	EXPECT_EQ(0, after.out_windows);
}

/* A region of 2^46 bytes is cheap as long as nothing is committed in it. */
TEST_F(limits, huge_region)
{
	const uint64_t size = 1ULL << 46;
	struct winregion_run run;
	char *region, *page;
	int i;

	region = wr_reserve(self->fd, size);
	ASSERT_NE(NULL, region);
	ASSERT_EQ(0, wr_query(self->fd, region, &run));
	EXPECT_EQ(size, run.length);
	EXPECT_EQ(WINREGION_STATE_RESERVE, run.state);
	/* More than there is */
	EXPECT_EQ(-EDQUOT, wr_commit(self->fd, region, size, RW));
	EXPECT_EQ(-EDQUOT, wr_commit(self->fd, region, size - 1, RO));
	EXPECT_EQ(-EDQUOT, wr_commit(self->fd, region + size / 2, size / 2,
				     RW));
	EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
	EXPECT_TRUE(wr_is_reserved(self->fd, region));

	/* Some pages far apart */
	for (i = 0; i < 40; i++) {
		page = region + (size / 40 & ~0xfffULL) * i;
		ASSERT_EQ(0, wr_commit(self->fd, page, PAGES(2), RW));
		fill_pages(page, 2, i);
	}
	ASSERT_EQ(0, wr_commit(self->fd, region + size - 1, 1, RW));
	fill_page(region + size - PAGES(1), 99);
	EXPECT_EQ(-EXDEV, wr_commit(self->fd, region + size - 1, 2, RW));
	for (i = 0; i < 40; i++) {
		page = region + (size / 40 & ~0xfffULL) * i;
		EXPECT_TRUE(pages_have(page, 2, i));
		EXPECT_FALSE(try_read(page + PAGES(2)));
	}
	ASSERT_EQ(0, wr_query(self->fd, region, &run));
	EXPECT_EQ(PAGES(81), run.region_committed);
	EXPECT_EQ(size, run.region_length);
	EXPECT_EQ(1, count_vmas(region, size));
	/* A refused commit over some that are committed */
	EXPECT_EQ(-EDQUOT, wr_commit(self->fd, region, size, RO));
	EXPECT_EQ(PAGES(81), WR_INFO(self->fd, out_committed));
	EXPECT_TRUE(try_write(region + 100));
	ASSERT_EQ(0, wr_decommit(self->fd, region, size));
	EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
	ASSERT_EQ(0, wr_release(self->fd, region, 0));
	EXPECT_EQ(0, WR_INFO(self->fd, out_regions));
}

/* The address space can be used up, and is there again afterwards. */
TEST_F(limits, address_space_exhausted)
{
	static char *region[4096];
	uint64_t size = 1ULL << 46;
	unsigned int n = 0, i;

	while (size >= MIB(64) && n < ARRAY_SIZE(region)) {
		region[n] = wr_reserve(self->fd, size);
		if (region[n]) {
			n++;
			continue;
		}
		ASSERT_EQ(ENOSPC, errno);
		size /= 2;
	}
	EXPECT_GT(MIB(64), size);
	EXPECT_EQ(n, WR_INFO(self->fd, out_regions));
	for (i = 0; i < n; i++)
		ASSERT_EQ(0, wr_release(self->fd, region[i], 0));
	region[0] = wr_reserve(self->fd, 1ULL << 46);
	EXPECT_NE(NULL, region[0]);
}

/* Resource limits */

struct job {
	int fd;
	uint64_t size;
};

static int under_rlimit_as(void *arg)
{
	struct job *job = arg;
	uint32_t code = code_or(RX, RO);
	struct rlimit old, limit;
	char *small, *region;
	uint64_t addr = 0;

	small = wr_reserve(job->fd, KIB(64));
	CHECK(small);
	CHECK(!getrlimit(RLIMIT_AS, &old));
	limit = old;
	limit.rlim_cur = self_status("VmSize") + MIB(16);
	CHECK(!setrlimit(RLIMIT_AS, &limit));
	CHECK(wr_reserve_at(job->fd, &addr, MIB(64), 0, RW) == -ENOSPC);
	CHECK(wr_reserve_at(job->fd, &addr, MIB(64), WINREGION_RESERVE_COMMIT,
			    RW) == -ENOSPC);
	addr = 0x100000000000;
	CHECK(wr_reserve_at(job->fd, &addr, MIB(64), 0, RW) == -ENOSPC);
	CHECK(WR_INFO(job->fd, out_regions) == 1);
	CHECK(WR_INFO(job->fd, out_committed) == 0);
	/* What fits is still there. */
	region = wr_alloc(job->fd, MIB(4));
	CHECK(region);
	fill_pages(region, 1024, 1);
	CHECK(pages_have(region, 1024, 1));
	/* Changes of what exists need no address space. */
	CHECK(!wr_commit(job->fd, small, KIB(64), RW));
	CHECK(!wr_protect(job->fd, region + PAGES(4), PAGES(4), code));
	CHECK(!wr_protect(job->fd, region + PAGES(4), PAGES(4), RW));
	CHECK(pages_have(region, 1024, 1));
	CHECK(!wr_release(job->fd, region, 0));
	CHECK(!setrlimit(RLIMIT_AS, &old));
	CHECK(wr_reserve(job->fd, MIB(64)));
	return 0;
}

TEST_F(limits, rlimit_as)
{
	struct job job = { self->fd, 0 };

	EXPECT_EQ(0, in_child(under_rlimit_as, &job));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) ==
			    self->before.out_total));
}

/* Small regions end somewhere as well. */
static int small_regions_under_rlimit_as(void *arg)
{
	struct job *job = arg;
	struct rlimit limit = { self_status("VmSize") + MIB(32),
				RLIM_INFINITY };
	unsigned int n;
	char *last = NULL, *region;

	CHECK(!setrlimit(RLIMIT_AS, &limit));
	for (n = 0; n < 2000; n++) {
		region = wr_reserve(job->fd, KIB(64));
		if (!region)
			break;
		last = region;
	}
	CHECK(errno == ENOSPC);
	/* Most of what is allowed can be used. */
	CHECK(n >= 128 && n <= 512);
	CHECK(WR_INFO(job->fd, out_regions) == n);
	CHECK(!wr_commit(job->fd, last, KIB(64), RW));
	fill_page(last, 1);
	CHECK(!wr_release(job->fd, last, 0));
	CHECK(wr_reserve(job->fd, KIB(64)));
	return 0;
}

TEST_F(limits, rlimit_as_small_regions)
{
	struct job job = { self->fd, 0 };

	EXPECT_EQ(0, in_child(small_regions_under_rlimit_as, &job));
}

/* The charge is a file's size inside; that is not the program's business. */
static int under_rlimit_fsize(void *arg)
{
	struct job *job = arg;
	struct rlimit limit = { 0, 0 };
	char *region;
	int i;

	CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
	region = wr_reserve(job->fd, MIB(64));
	CHECK(region);
	for (i = 0; i < 64; i++)
		CHECK(!wr_commit(job->fd, region + MIB(i), MIB(1), RW));
	for (i = 0; i < 64; i++)
		fill_page(region + MIB(i), i);
	CHECK(!wr_decommit(job->fd, region, MIB(32)));
	CHECK(!wr_commit(job->fd, region, MIB(32), RW));
	CHECK(wr_alloc(job->fd, MIB(16)));
	CHECK(!wr_release(job->fd, region, 0));
	return 0;
}

TEST_F(limits, rlimit_fsize)
{
	struct job job = { self->fd, 0 };

	EXPECT_EQ(0, in_child(under_rlimit_fsize, &job));
}

/* Files that a process may have open do not matter either. */
static int under_rlimit_nofile(void *arg)
{
	struct job *job = arg;
	struct rlimit limit = { 0, 0 };
	uint32_t code = code_or(RX, RO);
	char *region;

	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	region = wr_alloc(job->fd, MIB(16));
	CHECK(region);
	fill_page(region, 1);
	CHECK(!wr_protect(job->fd, region, PAGES(1), code));
	CHECK(page_has(region, 1));
	return 0;
}

TEST_F(limits, rlimit_nofile)
{
	struct job job = { self->fd, 0 };

	EXPECT_EQ(0, in_child(under_rlimit_nofile, &job));
}

/* The commit limit */

/* Commit in steps of @step until it is refused; the number of steps */
static int commit_steps(int fd, char *region, uint64_t size, uint64_t step,
			int *err)
{
	uint64_t done;

	*err = 0;
	for (done = 0; done + step <= size; done += step) {
		*err = wr_commit(fd, region + done, step, RW);
		if (*err)
			break;
	}
	return done / step;
}

/* In the default mode all promises together stay within what there is. */
static int commit_beyond_memory(void *arg)
{
	struct job *job = arg;
	uint64_t size = WR_INFO(job->fd, out_limit) * 2;
	uint64_t limit = WR_INFO(job->fd, out_limit);
	struct winregion_get_info info;
	char *region;
	int n, err;

	CHECK(limit != ~0ULL);
	CHECK(limit <= (uint64_t)(meminfo("MemTotal") +
				  meminfo("SwapTotal")));
	region = wr_reserve(job->fd, size);
	CHECK(region);
	n = commit_steps(job->fd, region, size, MIB(64), &err);
	CHECK(err == -EDQUOT);
	CHECK(!wr_get_info(job->fd, &info));
	CHECK(info.out_committed == n * MIB(64));
	CHECK(info.out_total <= info.out_limit);
	CHECK(info.out_committed >= limit / 2);
	/* What was refused is not committed, what was not is. */
	CHECK(wr_is_reserved(job->fd, region + n * MIB(64)));
	CHECK(wr_is(job->fd, region + n * MIB(64) - 1, RW));
	fill_page(region, 1);
	/* A decommit makes room for just as much. */
	CHECK(!wr_decommit(job->fd, region, MIB(64)));
	CHECK(!wr_commit(job->fd, region + n * MIB(64), MIB(64), RW));
	CHECK(wr_commit(job->fd, region, MIB(64), RW) == -EDQUOT);
	/* Protecting is free. */
	CHECK(!wr_protect(job->fd, region + MIB(64), MIB(64), RO));
	CHECK(!wr_commit(job->fd, region + MIB(64), MIB(64), RW));
	CHECK(!wr_release(job->fd, region, 0));
	CHECK(WR_INFO(job->fd, out_committed) == 0);
	region = wr_alloc(job->fd, MIB(64));
	CHECK(region);
	return 0;
}

TEST_F(limits, commit_limit)
{
	struct job job = { self->fd, 0 };

	if (read_number(OVERCOMMIT))
		SKIP(return, "not in the default overcommit mode");
	EXPECT_EQ(0, in_child(commit_beyond_memory, &job));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) ==
			    self->before.out_total));
}

/*
 * Inside, the charge and the mappings are open files, of which the system may
 * have a number only: they are few, however much is committed, in however many
 * calls and regions.
 */
#define FILE_NR "/proc/sys/fs/file-nr"
#define FILE_MAX "/proc/sys/fs/file-max"
#define NOBODY 65534
#define MANY_CALLS 4096
#define MANY_REGIONS 1024

static int commit_by_many_calls(void *arg)
{
	struct job *job = arg;
	int64_t before = read_number(FILE_NR);
	char *region, *other;
	int n, err;

	CHECK(before >= 0);
	region = wr_reserve(job->fd, MANY_CALLS * KIB(64));
	CHECK(region);
	n = commit_steps(job->fd, region, MANY_CALLS * KIB(64), KIB(64), &err);
	CHECK(!err && n == MANY_CALLS);
	/* The kernel counts each CPU's files apart, and may be off by some. */
	CHECK(read_number(FILE_NR) < before + MANY_CALLS / 8);
	for (n = 0; n < MANY_REGIONS; n++) {
		/* With a mapping each, and without */
		other = wr_reserve(job->fd, MIB(2));
		CHECK(other && !wr_commit(job->fd, other, KIB(64), RW));
		CHECK(wr_alloc(job->fd, KIB(64)));
	}
	CHECK(read_number(FILE_NR) < before + MANY_CALLS / 8);
	return 0;
}

/* Hazard B12. */
TEST_F(limits, charge_is_few_files)
{
	struct job job = { self->fd, 0 };

	EXPECT_EQ(0, in_child(commit_by_many_calls, &job));
}

/*
 * Lets the system have no more files, for those that are not root, of which we
 * are one until files_are_back().
 */
static bool files_run_out(void)
{
	return write_number(FILE_MAX, 0) && !seteuid(NOBODY) &&
	       open("/dev/null", O_RDONLY | O_CLOEXEC) < 0 && errno == ENFILE;
}

static bool files_are_back(int64_t max)
{
	return !seteuid(0) && write_number(FILE_MAX, max);
}

static int do_nothing(void *arg)
{
	return 0;
}

/* The first region of a process needs a file that it can map. */
static int reserve_without_files(void *arg)
{
	struct job *job = arg;
	int64_t max = read_number(FILE_MAX);
	uint64_t addr = 0;

	CHECK(max > 0);
	CHECK(files_run_out());
	CHECK(wr_reserve_at(job->fd, &addr, KIB(64), 0, RW) == -ENFILE);
	CHECK(wr_reserve_at(job->fd, &addr, MIB(4), 0, RW) == -ENFILE);
	CHECK(wr_reserve_at(job->fd, &addr, MIB(4), WINREGION_RESERVE_COMMIT,
			    RW) == -ENFILE);
	addr = 0x100000000000;
	CHECK(wr_reserve_at(job->fd, &addr, MIB(4), 0, RW) == -ENFILE);
	CHECK(WR_INFO(job->fd, out_regions) == 0);
	CHECK(WR_INFO(job->fd, out_windows) == 0);
	CHECK(files_are_back(max));
	CHECK(!wr_reserve_at(job->fd, &addr, MIB(4), 0, RW));
	CHECK(addr == 0x100000000000);
	CHECK(wr_alloc(job->fd, KIB(64)));
	return 0;
}

/* A commit needs one where what is kept in store is not enough. */
static int commit_without_files(void *arg)
{
	struct job *job = arg;
	uint32_t code = code_or(RX, RO);
	int64_t max = read_number(FILE_MAX);
	char *region = wr_reserve(job->fd, MIB(64));
	struct winregion_get_info before, after;
	uint64_t addr = 0;

	CHECK(max > 0);
	CHECK(region);
	CHECK(!wr_commit(job->fd, region, PAGES(4), RW));
	fill_pages(region, 4, 1);
	CHECK(!wr_get_info(job->fd, &before));
	CHECK(files_run_out());
	CHECK(wr_commit(job->fd, region, MIB(32), RO) == -ENFILE);
	CHECK(wr_commit(job->fd, region + MIB(16), MIB(32), RW) == -ENFILE);
	CHECK(wr_reserve_at(job->fd, &addr, MIB(32), WINREGION_RESERVE_COMMIT,
			    RW) == -ENFILE);
	CHECK(!wr_get_info(job->fd, &after));
	after.out_limit = before.out_limit; /* changes with the memory left */
	CHECK(!memcmp(&before, &after, sizeof(before)));
	CHECK(wr_is(job->fd, region, RW));
	CHECK(pages_have(region, 4, 1));
	CHECK(wr_is_reserved(job->fd, region + PAGES(4)));
	CHECK(wr_is_reserved(job->fd, region + MIB(16)));
	/* What needs none works. */
	CHECK(!wr_commit(job->fd, region + PAGES(4), PAGES(4), RW));
	CHECK(!wr_protect(job->fd, region, PAGES(1), code));
	CHECK(wr_reserve(job->fd, MIB(4)));
	CHECK(!wr_decommit(job->fd, region + PAGES(4), PAGES(4)));
	CHECK(files_are_back(max));
	CHECK(!wr_commit(job->fd, region + MIB(16), MIB(32), RW));
	fill_page(region + MIB(16), 2);
	CHECK(pages_have(region, 4, 1));
	return 0;
}

static int make_placeholder(int fd, uint64_t addr)
{
	return wr_reserve_at(fd, &addr, MIB(2), WINREGION_RESERVE_PLACEHOLDER,
			     NA);
}

/* Placeholders that were made apart need a new window, after a fork with its own file. */
static int coalesce_without_files(void *arg)
{
	struct job *job = arg;
	int64_t max = read_number(FILE_MAX);
	struct winregion_release release = {
		.size = sizeof(release),
		.flags = WINREGION_RELEASE_COALESCE,
		.address = 0x100000000000,
		.length = MIB(4),
	};
	char *other = wr_reserve(job->fd, MIB(2));

	CHECK(max > 0);
	CHECK(other);
	CHECK(!make_placeholder(job->fd, release.address));
	CHECK(!make_placeholder(job->fd, release.address + MIB(2)));
	CHECK(!in_child(do_nothing, NULL));
	/* The last thing that a window has given up */
	CHECK(!wr_release(job->fd, other, 0));
	CHECK(files_run_out());
	CHECK(wr_ioctl(job->fd, WINREGION_RELEASE, &release) == -ENFILE);
	CHECK(WR_INFO(job->fd, out_regions) == 2);
	CHECK(files_are_back(max));
	CHECK(!wr_ioctl(job->fd, WINREGION_RELEASE, &release));
	CHECK(WR_INFO(job->fd, out_regions) == 1);
	return 0;
}

static int without_files(int (*fn)(void *), struct job *job)
{
	int64_t max = read_number(FILE_MAX);
	int ret = in_child(fn, job);

	/* Whatever has become of the child */
	return write_number(FILE_MAX, max) ? ret : -1000;
}

/* fs.file-max is reached: an error of its own, and nothing has changed. */
TEST_F(limits, system_out_of_files)
{
	struct job job = { self->fd, 0 };

	EXPECT_EQ(0, without_files(reserve_without_files, &job));
	EXPECT_EQ(0, without_files(commit_without_files, &job));
	EXPECT_EQ(0, without_files(coalesce_without_files, &job));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) ==
			    self->before.out_total));
}

/* The administrator may allow less, at any time. */
#define COMMIT_LIMIT "/sys/module/winregion/parameters/commit_limit_mb"

static int commit_under_limit(void *arg)
{
	struct job *job = arg;
	char *region = wr_reserve(job->fd, MIB(256));
	int n, err;

	CHECK(region);
	CHECK(WR_INFO(job->fd, out_limit) == MIB(64));
	n = commit_steps(job->fd, region, MIB(256), MIB(1), &err);
	CHECK(err == -EDQUOT);
	CHECK(n <= 64 && n >= 48);
	CHECK(WR_INFO(job->fd, out_total) <= MIB(64));
	/* The last pages, one by one */
	n = commit_steps(job->fd, region + MIB(n), MIB(2), PAGES(1), &err);
	CHECK(err == -EDQUOT);
	CHECK(WR_INFO(job->fd, out_total) <= MIB(64));
	/* What is committed may be committed again, and mixed. */
	CHECK(!wr_commit(job->fd, region, MIB(40), RO));
	CHECK(wr_commit(job->fd, region, MIB(256), RW) == -EDQUOT);
	CHECK(wr_is(job->fd, region, RO));
	CHECK(!wr_decommit(job->fd, region, MIB(8)));
	CHECK(!wr_commit(job->fd, region, MIB(4), RW));
	return 0;
}

TEST_F(limits, commit_limit_of_administrator)
{
	struct job job = { self->fd, 0 };
	int64_t limit = read_number(COMMIT_LIMIT);
	int ret;

	ASSERT_LE(0, limit);
	if (self->before.out_total)
		SKIP(return, "somebody else has regions");
	ASSERT_TRUE(write_number(COMMIT_LIMIT, 64));
	ret = in_child(commit_under_limit, &job);
	EXPECT_TRUE(write_number(COMMIT_LIMIT, limit));
	EXPECT_EQ(0, ret);
	EXPECT_LT(MIB(64), WR_INFO(self->fd, out_limit));
}

/* Two processes share the limit, and the second gets what the first leaves. */
static int commit_rest(void *arg)
{
	struct job *job = arg;
	char *region = wr_reserve(job->fd, job->size);
	int n, err;

	CHECK(region);
	n = commit_steps(job->fd, region, job->size, MIB(32), &err);
	CHECK(err == -EDQUOT);
	CHECK(n * MIB(32) <= job->size);
	CHECK(WR_INFO(job->fd, out_total) <= WR_INFO(job->fd, out_limit));
	return 0;
}

TEST_F(limits, commit_limit_is_shared)
{
	struct job job = { .fd = self->fd };
	uint64_t half = (self->before.out_limit / 2) & ~(MIB(1) - 1);
	char *region;

	if (read_number(OVERCOMMIT))
		SKIP(return, "not in the default overcommit mode");
	region = wr_reserve(self->fd, half);
	ASSERT_NE(NULL, region);
	/* A child forked now would have to pay for it, too. */
	job.size = half + MIB(128);
	{
		struct rendezvous rv;
		int line, status;
		pid_t pid;

		ASSERT_TRUE(rendezvous_init(&rv));
		pid = fork();
		if (!pid) {
			rendezvous_wait(&rv, 1);
			line = commit_rest(&job);
			if (line)
				fprintf(stderr, "# failed in line %d\n", line);
			_exit(!!line);
		}
		ASSERT_EQ(0, wr_commit(self->fd, region, half, RW));
		rendezvous_signal(&rv, 0);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) ==
			    WR_INFO(self->fd, out_charged) +
			    self->before.out_total));
}

/* A fork that cannot be paid for must not break the parent. */
static int fork_of_much(void *arg)
{
	struct job *job = arg;
	uint64_t much = (WR_INFO(job->fd, out_limit) / 3 * 2) &
			~(MIB(2) - 1);
	char *region = wr_alloc(job->fd, much);
	int status;
	pid_t pid;

	CHECK(region);
	fill_pages(region, 16, 1);
	pid = fork();
	if (!pid) {
		/* Either all is there, or nothing of it, and SIGBUS says so. */
		if (try_read(region))
			_exit(pages_have(region, 16, 1) ? 0 : 1);
		if (probe_fault.sig != SIGBUS)
			_exit(2);
		if (!wr_is_gone(job->fd, region))
			_exit(3);
		_exit(WR_INFO(job->fd, out_committed) ? 4 : 0);
	}
	if (pid > 0) {
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(!status);
	}
	CHECK(pages_have(region, 16, 1));
	fill_pages(region, 16, 2);
	CHECK(pages_have(region, 16, 2));
	CHECK(WR_INFO(job->fd, out_committed) == much);
	return 0;
}

TEST_F(limits, fork_over_limit)
{
	struct job job = { self->fd, 0 };

	if (read_number(OVERCOMMIT))
		SKIP(return, "not in the default overcommit mode");
	EXPECT_EQ(0, in_child(fork_of_much, &job));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) ==
			    self->before.out_total));
}

struct unpaid {
	struct rendezvous rv;
	char *region;
};

/* All of a child's memory is its own, or it has none. */
static int has_own_or_none(void *arg)
{
	struct unpaid *self = arg;
	bool has = try_read(self->region);
	int i;

	for (i = 0; i < 16 && !has; i++) {
		CHECK(!try_read(self->region + PAGES(i)));
		CHECK(probe_fault.sig == SIGBUS);
		CHECK(!try_write(self->region + PAGES(i)));
	}
	if (has)
		fill_pages(self->region, 8, 30);
	rendezvous_signal(&self->rv, 1);
	rendezvous_wait(&self->rv, 1);
	CHECK(try_read(self->region + PAGES(8)) == has);
	CHECK(!has || pages_have(self->region + PAGES(8), 8, 9));
	return 0;
}

/* Where pages may be mapped one by one, a fork could copy that. */
static int fork_of_small_pages(void *arg)
{
	struct job *job = arg;
	uint64_t much = (WR_INFO(job->fd, out_limit) / 10 * 7) & ~(MIB(2) - 1);
	struct unpaid unpaid;
	struct child child;

	small_pages_only();
	unpaid.region = wr_alloc(job->fd, much);
	CHECK(unpaid.region);
	CHECK(rendezvous_init(&unpaid.rv));
	fill_pages(unpaid.region, 16, 1);
	child = start_child(has_own_or_none, &unpaid);
	rendezvous_wait(&unpaid.rv, 0);
	CHECK(pages_have(unpaid.region, 16, 1));
	fill_pages(unpaid.region, 16, 60);
	rendezvous_signal(&unpaid.rv, 0);
	CHECK(!end_child(&child));
	CHECK(pages_have(unpaid.region, 16, 60));
	return 0;
}

TEST_F(limits, fork_over_limit_shares_nothing)
{
	struct job job = { self->fd, 0 };

	if (read_number(OVERCOMMIT))
		SKIP(return, "not in the default overcommit mode");
	EXPECT_EQ(0, in_child(fork_of_small_pages, &job));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) ==
			    self->before.out_total));
}

/* Nor does a child get a part of a window that has several mappings. */
static int fork_of_many_pieces(void *arg)
{
	struct job *job = arg;
	uint64_t much = (WR_INFO(job->fd, out_limit) / 3 * 2) &
			~(MIB(2) - 1);
	char *region = wr_alloc(job->fd, much);
	int i;

	CHECK(region);
	for (i = 1; i < 64; i += 2)
		CHECK(!wr_protect(job->fd, region + PAGES(i), PAGES(1), RX));
	fill_page(region, 1);
	CHECK(!wr_protect(job->fd, region + PAGES(3), PAGES(1), RW));
	write_code(region + PAGES(3));
	CHECK(!wr_protect(job->fd, region + PAGES(3), PAGES(1), RX));
	for (i = 0; i < 3; i++) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			for (i = 0; i < 64; i++)
				if (try_read(region + PAGES(i)) ||
				    probe_fault.sig != SIGBUS)
					_exit(1);
			_exit(WR_INFO(job->fd, out_committed) ? 2 : 0);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(!status);
		/* The parent goes on, with pages that are in memory and new ones. */
		CHECK(try_exec(region + PAGES(3)));
		CHECK(try_read(region + PAGES(i * 2 + 5)));
	}
	CHECK(page_has(region, 1));
	return 0;
}

TEST_F(limits, fork_of_pieces_over_limit)
{
	struct job job = { self->fd, 0 };

	NEEDS_CODE();
	if (read_number(OVERCOMMIT))
		SKIP(return, "not in the default overcommit mode");
	EXPECT_EQ(0, in_child(fork_of_many_pieces, &job));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) ==
			    self->before.out_total));
}

/* Below what would have pages of 2 MiB, and more than anybody has in store */
#define FORKED_PAGES 480U

static int read_in_child(void *arg)
{
	struct rusage before, after;
	char *region = arg;
	unsigned int i;

	getrusage(RUSAGE_SELF, &before);
	for (i = 0; i < FORKED_PAGES; i++)
		CHECK(region[PAGES(i)] == 1);
	getrusage(RUSAGE_SELF, &after);
	CHECK(!EDITS_PTES ||
	      after.ru_minflt - before.ru_minflt < FORKED_PAGES / 8);
	return 0;
}

static int has_none(void *arg)
{
	CHECK(!try_read(arg) && probe_fault.sig == SIGBUS);
	return 0;
}

static int fork_again(void *arg)
{
	struct job *job = arg;
	char *region = wr_alloc(job->fd, PAGES(FORKED_PAGES));
	unsigned int i;
	int line;

	CHECK(region);
	for (i = 0; i < FORKED_PAGES; i++)
		region[PAGES(i)] = 1;
	line = in_child(read_in_child, region);
	if (line)
		return line;
	CHECK(write_number(COMMIT_LIMIT, 1));
	line = in_child(has_none, region);
	CHECK(write_number(COMMIT_LIMIT, 0));
	return line ? line : in_child(read_in_child, region);
}

/* A fork that cannot be paid for costs the children of later ones nothing. */
TEST_F(limits, fork_after_one_over_limit)
{
	struct job job = { self->fd, 0 };

	if (read_number(OVERCOMMIT) || !write_number(COMMIT_LIMIT, 0))
		SKIP(return, "no commit limit here");
	EXPECT_EQ(0, in_child(fork_again, &job));
	EXPECT_EQ(0, read_number(COMMIT_LIMIT));
}

/* vm.overcommit_memory=2: the system itself keeps count. */
static int commit_in_mode_2(void *arg)
{
	struct job *job = arg;
	char *region = wr_reserve(job->fd, MIB(512));
	int64_t left, as;
	int n, again, err;

	CHECK(region);
	as = committed_as();
	left = meminfo("CommitLimit") - as;
	CHECK(left > (int64_t)MIB(16) && left < (int64_t)MIB(400));
	n = commit_steps(job->fd, region, MIB(512), MIB(4), &err);
	CHECK(err == -EDQUOT);
	/* No more than was left, and not much less. */
	CHECK(n * (int64_t)MIB(4) <= left + (int64_t)MIB(8));
	CHECK(n * (int64_t)MIB(4) >= left - (int64_t)MIB(48));
	CHECK(WR_INFO(job->fd, out_committed) == n * MIB(4));
	CHECK(committed_as() <= meminfo("CommitLimit") + (int64_t)MIB(8));
	/* What was promised is there. */
	fill_pages(region, n * 1024, 1);
	CHECK(pages_have(region, n * 1024, 1));
	/* Given back and taken again */
	CHECK(!wr_decommit(job->fd, region, MIB(512)));
	CHECK(committed_as() <= as + (int64_t)MIB(16));
	again = commit_steps(job->fd, region, MIB(512), MIB(4), &err);
	CHECK(err == -EDQUOT);
	CHECK(again >= n - 2 && again <= n + 2);
	return 0;
}

TEST_F_TIMEOUT(limits, overcommit_mode_2, 60)
{
	struct job job = { self->fd, 0 };
	int64_t mode = read_number(OVERCOMMIT);
	int64_t ratio = read_number(OVERCOMMIT_RATIO);
	int64_t kbytes = read_number(OVERCOMMIT_KBYTES);
	int64_t limit = (committed_as() + MIB(128)) / 1024;
	int ret;

	ASSERT_TRUE(write_number(OVERCOMMIT_KBYTES, limit));
	ASSERT_TRUE(write_number(OVERCOMMIT, 2));
	ret = in_child(commit_in_mode_2, &job);
	EXPECT_TRUE(write_number(OVERCOMMIT, mode));
	/* Writing one of the two clears the other. */
	if (kbytes > 0) {
		EXPECT_TRUE(write_number(OVERCOMMIT_KBYTES, kbytes));
	} else {
		EXPECT_TRUE(write_number(OVERCOMMIT_RATIO, ratio));
	}
	EXPECT_EQ(0, ret);
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) ==
			    self->before.out_total));
}

/* vm.overcommit_memory=1: everything is promised. */
static int commit_in_mode_1(void *arg)
{
	struct job *job = arg;
	uint64_t size = ((uint64_t)meminfo("MemTotal") * 4) & ~(MIB(1) - 1);
	char *region = wr_reserve(job->fd, size);

	CHECK(region);
	CHECK(WR_INFO(job->fd, out_limit) == ~0ULL);
	CHECK(!wr_commit(job->fd, region, size, RW));
	CHECK(WR_INFO(job->fd, out_committed) == size);
	fill_page(region, 1);
	fill_page(region + size - PAGES(1), 2);
	CHECK(page_has(region, 1));
	CHECK(page_has(region + size - PAGES(1), 2));
	CHECK(!wr_decommit(job->fd, region, size));
	CHECK(WR_INFO(job->fd, out_committed) == 0);
	return 0;
}

TEST_F(limits, overcommit_mode_1)
{
	struct job job = { self->fd, 0 };
	int64_t mode = read_number(OVERCOMMIT);
	int ret;

	ASSERT_TRUE(write_number(OVERCOMMIT, 1));
	ret = in_child(commit_in_mode_1, &job);
	EXPECT_TRUE(write_number(OVERCOMMIT, mode));
	EXPECT_EQ(0, ret);
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) ==
			    self->before.out_total));
	EXPECT_GE(meminfo("MemTotal"), WR_INFO(self->fd, out_limit));
}

/* That there is no limit takes a file to be known. */
/* Nothing is refused either when requests come together that are each within a limit. */
struct pair {
	int fd;
	struct rendezvous rv;
};

static int commit_again_and_again(void *arg)
{
	struct pair *pair = arg;
	char *region = wr_reserve(pair->fd, MIB(48));
	int i;

	CHECK(region);
	rendezvous_signal(&pair->rv, 0);
	rendezvous_wait(&pair->rv, 0);
	for (i = 0; i < rounds(limits_at_once); i++) {
		CHECK(!wr_commit(pair->fd, region, MIB(48), RW));
		CHECK(!wr_decommit(pair->fd, region, MIB(48)));
	}
	return 0;
}

TEST_F_TIMEOUT(limits, overcommit_mode_1_at_once, 120)
{
	struct pair pair = { .fd = self->fd };
	struct child child[2];
	int i;

	if (read_number(OVERCOMMIT))
		SKIP(return, "not in the default overcommit mode");
	ASSERT_TRUE(rendezvous_init(&pair.rv));
	ASSERT_TRUE(write_number(COMMIT_LIMIT, 64));
	ASSERT_TRUE(write_number(OVERCOMMIT, 1));
	for (i = 0; i < 2; i++) {
		child[i] = start_child(commit_again_and_again, &pair);
		rendezvous_wait(&pair.rv, 1);
	}
	for (i = 0; i < 2; i++)
		rendezvous_signal(&pair.rv, 1);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, end_child(&child[i]));
	EXPECT_TRUE(write_number(OVERCOMMIT, 0));
	EXPECT_TRUE(write_number(COMMIT_LIMIT, 0));
}

static int commit_in_mode_1_without_files(void *arg)
{
	struct job *job = arg;
	int64_t max = read_number(FILE_MAX);
	uint64_t size = ((uint64_t)meminfo("MemTotal") * 2) & ~(MIB(1) - 1);
	char *region = wr_reserve(job->fd, 2 * size);

	CHECK(max > 0);
	CHECK(region);
	CHECK(!wr_commit(job->fd, region, size, RW));
	CHECK(files_run_out());
	CHECK(wr_commit(job->fd, region + size, size, RW) == -ENFILE);
	CHECK(files_are_back(max));
	CHECK(WR_INFO(job->fd, out_committed) == size);
	CHECK(!wr_commit(job->fd, region + size, size, RW));
	return 0;
}

TEST_F(limits, overcommit_mode_1_out_of_files)
{
	struct job job = { self->fd, 0 };
	int64_t mode = read_number(OVERCOMMIT);
	int ret;

	ASSERT_TRUE(write_number(OVERCOMMIT, 1));
	ret = without_files(commit_in_mode_1_without_files, &job);
	EXPECT_TRUE(write_number(OVERCOMMIT, mode));
	EXPECT_EQ(0, ret);
}

/* A memory cgroup */

#define CGROUP_ROOT "/sys/fs/cgroup"

FIXTURE(cgroup)
{
	int section;
	int fd;
	char dir[64];
	bool mounted;
};

static bool cgroup_write(FIXTURE_DATA(cgroup) *self, const char *file,
			 const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", self->dir, file);
	return write_text(path, text);
}

static int64_t cgroup_read(FIXTURE_DATA(cgroup) *self, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", self->dir, file);
	return read_number(path);
}

FIXTURE_SETUP(cgroup)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	if (access(CGROUP_ROOT "/cgroup.controllers", R_OK) &&
	    mount("none", CGROUP_ROOT, "cgroup2", 0, NULL))
		SKIP(return, "no cgroup2 here");
	write_text(CGROUP_ROOT "/cgroup.subtree_control", "+memory");
	snprintf(self->dir, sizeof(self->dir), CGROUP_ROOT "/wr_test.%d",
		 getpid());
	if (mkdir(self->dir, 0755) || cgroup_read(self, "memory.current") < 0)
		SKIP(return, "no memory controller here");
	ASSERT_TRUE(cgroup_write(self, "memory.max", "48M"));
	cgroup_write(self, "memory.swap.max", "0");
	self->mounted = true;
}

FIXTURE_TEARDOWN(cgroup)
{
	if (self->mounted)
		EXPECT_TRUE(SETTLES(!rmdir(self->dir) || errno == ENOENT));
	close(self->fd);
}

static bool enter_cgroup(FIXTURE_DATA(cgroup) *self)
{
	return cgroup_write(self, "cgroup.procs", "0");
}

/* Wait until what the dead used is given back. */
#define CGROUP_EMPTIES(self) \
	SETTLES(cgroup_read((self), "memory.current") < (int64_t)MIB(8))

/* The pages are the process's own memory, and count as such. */
static int stay_under_limit(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	int64_t start, full;
	char *region;

	CHECK(enter_cgroup(self));
	region = wr_alloc(self->fd, MIB(256));
	CHECK(region);
	/* A promise is not memory. */
	start = cgroup_read(self, "memory.current");
	CHECK(start < (int64_t)MIB(16));
	fill_pages(region, 6144, 1);
	full = cgroup_read(self, "memory.current");
	CHECK(full >= start + (int64_t)MIB(20));
	CHECK(pages_have(region, 6144, 1));
	CHECK(!wr_decommit(self->fd, region, MIB(256)));
	CHECK(SETTLES(cgroup_read(self, "memory.current") <=
		      full - (int64_t)MIB(16)));
	return 0;
}

TEST_F(cgroup, accounted)
{
	EXPECT_EQ(0, in_child(stay_under_limit, self));
	EXPECT_TRUE(CGROUP_EMPTIES(self));
}

/* Who needs more than the cgroup may have is killed, nobody else is. */
static int go_over_limit(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	char *region;
	int i;

	CHECK(enter_cgroup(self));
	region = wr_alloc(self->fd, MIB(128));
	CHECK(region);
	for (i = 0; i < 32768; i++)
		fill_page(region + PAGES(i), i);
	return __LINE__;
}

TEST_F_TIMEOUT(cgroup, killed_over_limit, 60)
{
	uint64_t total = WR_INFO(self->fd, out_total);
	char *mine = wr_alloc(self->fd, MIB(2));
	int ret, round;

	ASSERT_NE(NULL, mine);
	fill_pages(mine, 512, 1);
	for (round = 0; round < 3; round++) {
		ret = in_child(go_over_limit, self);
		EXPECT_TRUE(ret == -SIGKILL || ret == -SIGBUS) {
			TH_LOG("ended with %d", ret);
		}
		EXPECT_TRUE(CGROUP_EMPTIES(self));
	}
	EXPECT_TRUE(pages_have(mine, 512, 1));
	ASSERT_EQ(0, wr_release(self->fd, mine, 0));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

/* Copies of a view's pages are the memory of who has written them. */
static int copy_pages_over_limit(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	char *base;
	int i;

	CHECK(enter_cgroup(self));
	CHECK(!sec_map(self->section, 0, 0, WINREGION_WRITECOPY, &base));
	for (i = 0; i < 24576; i++)
		fill_page(base + PAGES(i), i);
	return __LINE__;
}

/* Rules: MV-52. The pages that are copied are there before, and somebody else's. */
TEST_F_TIMEOUT(cgroup, copies_over_limit, 60)
{
	uint64_t total = WR_INFO(self->fd, out_total);
	char *base;
	int ret;

	self->section = sec_create(self->fd, -1, MIB(96), 0, RW);
	ASSERT_LE(0, self->section);
	ASSERT_EQ(0, sec_map(self->section, 0, 0, RW, &base));
	fill_pages(base, 24576, 1);
	ret = in_child(copy_pages_over_limit, self);
	EXPECT_TRUE(ret == -SIGKILL || ret == -SIGBUS) {
		TH_LOG("ended with %d", ret);
	}
	EXPECT_TRUE(CGROUP_EMPTIES(self));
	EXPECT_TRUE(pages_have(base, 24576, 1));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	close(self->section);
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

/* Same when the kernel makes the faults for it. */
static int read_over_limit(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	int file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char *region;
	int i;

	CHECK(enter_cgroup(self));
	region = wr_alloc(self->fd, MIB(128));
	CHECK(region);
	for (i = 0; i < 128; i++)
		if (read(file, region + MIB(i), MIB(1)) != (ssize_t)MIB(1))
			raise(SIGBUS);
	return __LINE__;
}

TEST_F_TIMEOUT(cgroup, killed_in_system_call, 60)
{
	int ret = in_child(read_over_limit, self);

	EXPECT_TRUE(ret == -SIGKILL || ret == -SIGBUS) {
		TH_LOG("ended with %d", ret);
	}
	EXPECT_TRUE(CGROUP_EMPTIES(self));
}

/* Copies after a fork are the child's. */
struct copier {
	FIXTURE_DATA(cgroup) *self;
	/* Each page is mapped already, for reading, when it is to be copied. */
	bool reads_first;
};

static int copy_over_limit(void *arg)
{
	struct copier *copier = arg;
	char *region;
	int i, status;
	pid_t pid;

	region = wr_alloc(copier->self->fd, MIB(96));
	CHECK(region);
	fill_pages(region, 24576, 1);
	pid = fork();
	if (!pid) {
		if (!enter_cgroup(copier->self))
			_exit(1);
		if (copier->reads_first && !pages_have(region, 24576, 1))
			_exit(3);
		for (i = 0; i < 24576; i++)
			fill_page(region + PAGES(i), 2);
		_exit(2);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status));
	CHECK(WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGBUS);
	CHECK(pages_have(region, 24576, 1));
	return 0;
}

TEST_F_TIMEOUT(cgroup, fork_over_limit, 60)
{
	struct copier copier = { .self = self };

	EXPECT_EQ(0, in_child(copy_over_limit, &copier));
	EXPECT_TRUE(CGROUP_EMPTIES(self));
	copier.reads_first = true;
	EXPECT_EQ(0, in_child(copy_over_limit, &copier));
	EXPECT_TRUE(CGROUP_EMPTIES(self));
}

/* Memory is charged to its owner, also where a child that shares it is the first there. */
#define PAGES_SHARED 4096
#define SHARED_PLACES 16384

struct sharer {
	FIXTURE_DATA(cgroup) *self;
	char *region;
};

static int touch_in_cgroup(void *arg)
{
	struct sharer *sharer = arg;

	if (enter_cgroup(sharer->self))
		fill_pages(sharer->region, PAGES_SHARED, 1);
	return 0;
}

/* What there has to be known of pages that are each unlike the next */
static int commit_in_cgroup(void *arg)
{
	struct sharer *sharer = arg;
	uint64_t i;

	if (enter_cgroup(sharer->self))
		for (i = 0; i < SHARED_PLACES; i++)
			wr_commit(sharer->self->fd,
				  sharer->region + MIB(2) * i + PAGES(i % 512),
				  PAGES(1), RW);
	return 0;
}

/* By how much the cgroup has more once a child that shares the memory has done that in it */
static int64_t charged_by(struct sharer *sharer, int (*act)(void *arg))
{
	int64_t before = cgroup_read(sharer->self, "memory.current");
	int status = -1;
	pid_t pid;

	pid = clone_sharing(act, CLONE_VFORK, sharer);
	if (pid <= 0 || waitpid(pid, &status, 0) != pid || status)
		return INT64_MAX;
	return cgroup_read(sharer->self, "memory.current") - before;
}

static int share_with_cgroup(void *arg)
{
	struct sharer sharer = { .self = arg };
	int fd = sharer.self->fd;

	sharer.region = wr_alloc(fd, PAGES(PAGES_SHARED));
	CHECK(sharer.region);
	CHECK(charged_by(&sharer, touch_in_cgroup) <
	      (int64_t)PAGES(PAGES_SHARED / 2));
	CHECK(pages_have(sharer.region, PAGES_SHARED, 1));
	CHECK(!wr_release(fd, sharer.region, 0));
	sharer.region = wr_reserve(fd, MIB(2) * SHARED_PLACES);
	CHECK(sharer.region);
	CHECK(charged_by(&sharer, commit_in_cgroup) < (int64_t)KIB(256));
	CHECK(WR_INFO(fd, out_committed) == PAGES(SHARED_PLACES));
	return 0;
}

/* Hazard B5. */
TEST_F(cgroup, child_shares_memory)
{
	EXPECT_EQ(0, in_child(share_with_cgroup, self));
	EXPECT_TRUE(CGROUP_EMPTIES(self));
}

/*
 * What the module needs for itself is the process's memory as well: pages of
 * different states in so many places that their states alone are too much.
 */
#define PLACES 0x100000

static int states_over_limit(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	struct winregion_range ranges[1024];
	unsigned int place = 0, i;
	char *region;
	int ret;

	CHECK(enter_cgroup(self));
	region = wr_reserve(self->fd, MIB(2) * PLACES);
	CHECK(region);
	do {
		/* 48 MiB are not enough for a million places. */
		CHECK(place < PLACES);
		for (i = 0; i < 1024; i++, place++)
			ranges[i] = (struct winregion_range) {
				.address = (uintptr_t)region +
					   MIB(2) * place + PAGES(place % 512),
				.length = PAGES(1),
				.protection = NA,
			};
		ret = wr_vector(self->fd, WINREGION_COMMIT, ranges, 1024);
	} while (!ret);
	CHECK(ret == -ENOMEM);
	/* The call that failed has changed nothing. */
	place -= 1024;
	CHECK(WR_INFO(self->fd, out_committed) == PAGES(place));
	CHECK(wr_is_reserved(self->fd, region + MIB(2) * place +
			     PAGES(place % 512)));
	CHECK(!wr_release(self->fd, region, 0));
	return 0;
}

TEST_F_TIMEOUT(cgroup, metadata_over_limit, 120)
{
	int64_t mode = read_number(OVERCOMMIT);
	int ret;

	/* Not the commit limit, memory for the states shall run out. */
	ASSERT_TRUE(write_number(OVERCOMMIT, 1));
	ret = in_child(states_over_limit, self);
	EXPECT_TRUE(write_number(OVERCOMMIT, mode));
	EXPECT_TRUE(ret == 0 || ret == -SIGKILL) {
		TH_LOG("ended with %d", ret);
	}
	EXPECT_TRUE(CGROUP_EMPTIES(self));
}

/*
 * A commit that is refused leaves nothing, not even room for the states that it
 * would have made.
 */
#define REFUSALS 4096

static int refused_commits(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	int64_t start;
	char *region;
	int i;

	CHECK(enter_cgroup(self));
	region = wr_reserve(self->fd, TIB(1));
	CHECK(region);
	CHECK(wr_commit(self->fd, region + PAGES(1), TIB(1) / 2, RW) ==
	      -EDQUOT);
	start = cgroup_read(self, "memory.current");
	for (i = 1; i < REFUSALS; i++)
		CHECK(wr_commit(self->fd, region + MIB(2) * i + PAGES(1),
				TIB(1) / 2, RW) == -EDQUOT);
	CHECK(SETTLES(cgroup_read(self, "memory.current") <
		      start + (int64_t)MIB(1)));
	return 0;
}

TEST_F_TIMEOUT(cgroup, refused_commits_leave_nothing, 60)
{
	if (read_number(OVERCOMMIT))
		SKIP(return, "not in the default overcommit mode");
	EXPECT_EQ(0, in_child(refused_commits, self));
	EXPECT_TRUE(CGROUP_EMPTIES(self));
}

/* Nor does a commit that is taken back, in a region much smaller than a node. */
static int taken_back(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	static char *region[REFUSALS];
	int64_t start;
	int i;

	CHECK(enter_cgroup(self));
	for (i = 0; i < REFUSALS; i++) {
		region[i] = wr_reserve(self->fd, MIB(4));
		CHECK(region[i]);
	}
	start = cgroup_read(self, "memory.current");
	for (i = 0; i < REFUSALS; i++) {
		CHECK(!wr_commit(self->fd, region[i] + KIB(64), KIB(64), RW));
		CHECK(!wr_decommit(self->fd, region[i] + KIB(64), KIB(64)));
	}
	CHECK(SETTLES(cgroup_read(self, "memory.current") <
		      start + (int64_t)MIB(1)));
	return 0;
}

TEST_F_TIMEOUT(cgroup, commits_taken_back_leave_nothing, 60)
{
	EXPECT_EQ(0, in_child(taken_back, self));
	EXPECT_TRUE(CGROUP_EMPTIES(self));
}

/*
 * Memory that somebody else touches is charged to whom it belongs: to a process
 * in the cgroup, whose memory another one writes or reads.
 */
struct owner {
	FIXTURE_DATA(cgroup) *self;
	struct rendezvous rv;
	char *region;
};

static int own_memory(void *arg)
{
	struct owner *owner = arg;

	CHECK(enter_cgroup(owner->self));
	CHECK(wr_commit(owner->self->fd, owner->region, MIB(32), RW) == 0);
	rendezvous_signal(&owner->rv, 0);
	rendezvous_wait(&owner->rv, 0);
	return 0;
}

static ssize_t write_other(pid_t pid, char *region, uint64_t size, bool by_file)
{
	static char buffer[1 << 20];
	char path[32];
	struct iovec local = { buffer, sizeof(buffer) }, remote = local;
	uint64_t at;
	ssize_t n = 0;
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDWR | O_CLOEXEC);
	for (at = 0; at < size; at += sizeof(buffer)) {
		remote.iov_base = region + at;
		if (by_file)
			n += pwrite(mem, buffer, sizeof(buffer),
				    (uintptr_t)region + at);
		else
			n += process_vm_readv(pid, &local, 1, &remote, 1, 0);
	}
	close(mem);
	return n;
}

/* Hazard B5. */
TEST_F(cgroup, charged_to_owner)
{
	struct owner owner = { .self = self };
	struct child child;
	int64_t start, now;
	int i;

	/* Small pages, and a window that the child gets as a copy */
	small_pages_only();
	owner.region = wr_reserve(self->fd, MIB(32));
	ASSERT_NE(NULL, owner.region);
	ASSERT_TRUE(rendezvous_init(&owner.rv));
	child = start_child(own_memory, &owner);
	rendezvous_wait(&owner.rv, 1);
	for (i = 0; i < 2; i++) {
		start = cgroup_read(self, "memory.current");
		EXPECT_EQ(MIB(16), write_other(child.pid,
					       owner.region + MIB(16) * i,
					       MIB(16), i));
		now = cgroup_read(self, "memory.current");
		EXPECT_LE(start + (int64_t)MIB(12), now) {
			TH_LOG("way %d: %lld, then %lld", i, (long long)start,
			       (long long)now);
		}
	}
	rendezvous_signal(&owner.rv, 1);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(CGROUP_EMPTIES(self));
	EXPECT_EQ(0, wr_release(self->fd, owner.region, 0));
}

/*
 * Where RLIMIT_AS is in the way of what needs no address space, a kernel thread does it.
 * Free pages leave the middle of a mapping, so there is one mapping more each time, which
 * takes more memory than the region did that goes: by some 90 bytes where it is least.
 * So many are more than what processors keep of a cgroup's charge.
 */
#define NR_HOLES 10000

static void *stay(void *arg)
{
	pause();
	return NULL;
}

static bool make_holes(int fd, char **region)
{
	struct winregion_run run;
	unsigned int i;

	for (i = 1; i < 2 * NR_HOLES; i += 2)
		if (wr_release(fd, region[i], 0) ||
		    wr_query(fd, region[i], &run) ||
		    run.state != WINREGION_STATE_FREE)
			return false;
	return true;
}

static int make_holes_over_limit(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	static char *region[2 * NR_HOLES];
	struct rlimit limit = { MIB(1), RLIM_INFINITY };
	int64_t start;
	pthread_t thread;
	unsigned int i;

	CHECK(enter_cgroup(self));
	/* Else the process could do it alone. */
	CHECK(!pthread_create(&thread, NULL, stay, NULL));
	for (i = 0; i < ARRAY_SIZE(region); i++) {
		region[i] = wr_reserve(self->fd, KIB(64));
		CHECK(region[i]);
	}
	start = cgroup_read(self, "memory.current");
	CHECK(!setrlimit(RLIMIT_AS, &limit));
	CHECK(make_holes(self->fd, region));
	CHECK(SETTLES(cgroup_read(self, "memory.current") >= start));
	return 0;
}

/*
 * Hazard B5. A kernel that looks at all mappings whenever one changes needs a quarter of
 * an hour for so many.
 */
TEST_F_TIMEOUT(cgroup, worker_charges_owner, 120)
{
	if (!rounds(limits_worker))
		return;
	if (!has_turn(1, 3))
		SKIP(return, "another time: on one kernel in three");
	EXPECT_EQ(0, in_child(make_holes_over_limit, self));
	EXPECT_TRUE(CGROUP_EMPTIES(self));
}

TEST_HARNESS_MAIN
