// SPDX-License-Identifier: GPL-2.0
/* vm: cpus=1 mem=384M modules=zram params=paging=0 kernels=turn */
/*
 * Where the module is told to let no page leave: what is committed stays in memory, and
 * can be no more than RAM, whatever swap there is.
 */
#include "kselftest_harness.h"

#include "common.h"
#include "wr_test_util.h"
#include "paging.h"

#define SIZE MIB(4)
#define NR (SIZE / 4096)

FIXTURE(stay)
{
	int fd;
};

FIXTURE_SETUP(stay)
{
	if (!*read_from("/sys/module/winregion/parameters/paging", "N"))
		SKIP(return, "not loaded with paging=0");
	ASSERT_TRUE(have_swap());
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(stay)
{
	close(self->fd);
}

/* Rule: VA-24. Free swap is no memory here. */
TEST_F(stay, ram_is_the_limit)
{
	int64_t ram = meminfo("MemTotal");
	char *region = wr_reserve(self->fd, ram);

	ASSERT_NE(NULL, region);
	EXPECT_GE(ram, WR_INFO(self->fd, out_limit));
	EXPECT_EQ(-EDQUOT, wr_commit(self->fd, region, ram, RW));
	EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
}

/* Trimmed or wanted by the core, they are where they were. */
TEST_F(stay, pages_do)
{
	int64_t used = swap_used();
	char *region = wr_alloc(self->fd, SIZE);

	ASSERT_NE(NULL, region);
	fill_pages(region, NR, 1);
	EXPECT_TRUE(push_out(self->fd, region, SIZE));
	EXPECT_TRUE(push_out(self->fd, region, SIZE));
	EXPECT_EQ(used, swap_used());
	EXPECT_TRUE(pages_have(region, NR, 1));
}

TEST_HARNESS_MAIN
