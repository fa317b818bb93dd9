// SPDX-License-Identifier: GPL-2.0
/*
 * A short run of what "make fuzz" does at length
 */
/* vm: modules=loop,ext4 timeout=600 cpus=2 */
#include "kselftest_harness.h"

#include "common.h"
#include "fuzz/share.h"
#include "wr_test_util.h"
#include "race.h"

/* One process that runs some seeds. Return: 0, or what is wrong. */
static int run_seeds(const struct fuzz_options *options, uint64_t seed,
		     unsigned int n)
{
	struct fuzz_episode episode;
	int ret = 0;

	if (!episode_init(&episode, options))
		return 2;
	for (; n && !ret; n--, seed++)
		ret = episode_run(&episode, seed);
	if (ret > 0)
		shrink_and_print(&episode, stderr);
	episode_free(&episode);
	return ret ? 1 : 0;
}

static int run_processes(const struct fuzz_options *options, uint64_t seed,
			 unsigned int seeds, unsigned int processes)
{
	unsigned int i;
	int status, bad = 0;

	fflush(NULL);
	for (i = 0; i < processes; i++)
		if (!fork())
			_exit(run_seeds(options, seed + i * seeds, seeds));
	while (wait(&status) > 0)
		bad |= status;
	return bad;
}

FIXTURE(random)
{
	int fd;
	uint64_t total;
};

FIXTURE_VARIANT(random)
{
	struct fuzz_options options;
	unsigned int processes;
	const unsigned int *seeds;
	uint64_t seed;
};

FIXTURE_VARIANT_ADD(random, one_process)
{
	.options = { .ops = 5000, .threads = 1 },
	.processes = 1,
	.seeds = ROUNDS_OF(fuzz_one_process),
	.seed = 1000,
};

FIXTURE_VARIANT_ADD(random, four_processes)
{
	.options = { .ops = 5000, .threads = 1 },
	.processes = 4,
	.seeds = ROUNDS_OF(fuzz_four_processes),
	.seed = 2000,
};

FIXTURE_VARIANT_ADD(random, four_threads)
{
	.options = { .ops = 20000, .threads = 4 },
	.processes = 1,
	.seeds = ROUNDS_OF(fuzz_four_threads),
	.seed = 3000,
};

FIXTURE_VARIANT_ADD(random, sharing)
{
	.options = { .ops = 4000, .threads = 1, .sharers = 4 },
	.processes = 1,
	.seeds = ROUNDS_OF(fuzz_sharing),
	.seed = 4000,
};

FIXTURE_VARIANT_ADD(random, two_times_sharing)
{
	.options = { .ops = 4000, .threads = 1, .sharers = 3 },
	.processes = 2,
	.seeds = ROUNDS_OF(fuzz_two_times_sharing),
	.seed = 5000,
};

FIXTURE_SETUP(random)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->total = WR_INFO(self->fd, out_total);
}

FIXTURE_TEARDOWN(random)
{
	close(self->fd);
}

/*
 * Rules: M-01, M-02, M-10, M-11, M-12, P-09, VA-08, VF-08, VP-01, VQ-03, VQ-05,
 * NF-01, GP-02, GP-04, AR-11, MV-01, MV-20, MV-50, MV-51, SR-02, SR-03, SR-07,
 * UM-01, UM-02, VV-01, VC-02, CM-03, MV-52, MV-53, MV-54, VV-03, VV-04, VV-05, VV-06,
 * VV-07, VV-08, RI-04. Every call, access and query does what the model says,
 * and nothing is left.
 */
TEST_F_TIMEOUT(random, calls_do_what_the_model_says, 120)
{
	EXPECT_EQ(0, run_processes(&variant->options, variant->seed,
				   rounds_of(variant->seeds),
				   variant->processes));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == self->total));
}

static int run_raw(void *seed)
{
	return raw_run(rounds(fuzz_raw), (uintptr_t)seed) ? __LINE__ : 0;
}

/*
 * Bytes that no program sends: errors of the contract only, and what other
 * processes have stays as it is.
 */
TEST(raw_bytes)
{
	int fd = wr_open();
	char *mine;

	ASSERT_LE(0, fd);
	mine = wr_alloc(fd, KIB(256));
	ASSERT_NE(NULL, mine);
	fill_pages(mine, 64, 1);
	EXPECT_EQ(0, in_child(run_raw, (void *)1));
	EXPECT_EQ(0, in_child(run_raw, (void *)2));
	EXPECT_TRUE(pages_have(mine, 64, 1));
	EXPECT_EQ(0, wr_release(fd, mine, 0));
	close(fd);
}

TEST_HARNESS_MAIN
