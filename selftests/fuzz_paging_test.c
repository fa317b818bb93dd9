// SPDX-License-Identifier: GPL-2.0
/*
 * A short run of what "make fuzz PAGING=1" does at length: random calls while memory is
 * short, so that what they are about leaves for swap, and comes back, at any time.
 */
/* vm: cpus=2 mem=384M timeout=900 modules=zram */
#include "kselftest_harness.h"

#include "common.h"
#include "fuzz/fuzz.h"
#include "wr_test_util.h"
#include "race.h"

FIXTURE(random)
{
	int fd;
	uint64_t total;
};

FIXTURE_VARIANT(random)
{
	struct fuzz_options options;
	uint64_t seed;
};

FIXTURE_VARIANT_ADD(random, one_thread)
{
	.options = { .ops = 5000, .threads = 1, .paging = true },
	.seed = 6000,
};

FIXTURE_VARIANT_ADD(random, four_threads)
{
	.options = { .ops = 10000, .threads = 4, .paging = true },
	.seed = 7000,
};

FIXTURE_SETUP(random)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->total = total_beside_ended(self->fd);
	ASSERT_TRUE(press_begin());
}

/* Some pages must have been out. */
FIXTURE_TEARDOWN(random)
{
	EXPECT_TRUE(press_end());
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == self->total));
	close(self->fd);
}

/* All is as if nothing ever left memory. */
TEST_F_TIMEOUT(random, calls_do_what_the_model_says, 120)
{
	struct fuzz_episode episode;
	unsigned int i;
	int ret = 0;

	ASSERT_TRUE(episode_init(&episode, &variant->options));
	for (i = 0; i < rounds(fuzz_paging) && !ret; i++)
		ret = episode_run(&episode, variant->seed + i);
	EXPECT_EQ(0, ret);
	if (ret > 0)
		shrink_and_print(&episode, stderr);
	episode_free(&episode);
}

TEST_HARNESS_MAIN
