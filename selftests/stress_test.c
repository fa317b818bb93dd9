// SPDX-License-Identifier: GPL-2.0
/*
 * A short run of what the program stress does at length; each test with other seeds.
 */
/* vm: timeout=600 */
#include "kselftest_harness.h"

#include "stress.h"

FIXTURE(stress)
{
	int fd;
	uint64_t total;
};

FIXTURE_VARIANT(stress)
{
	uint64_t ops;
	unsigned int processes;
	unsigned int threads;
	uint64_t seed;
};

FIXTURE_VARIANT_ADD(stress, one_process)
{
	.ops = 30000,
	.processes = 1,
	.threads = 1,
	.seed = 1,
};

FIXTURE_VARIANT_ADD(stress, four_processes)
{
	.ops = 6000,
	.processes = 4,
	.threads = 1,
	.seed = 100,
};

FIXTURE_VARIANT_ADD(stress, four_threads)
{
	.ops = 24000,
	.processes = 1,
	.threads = 4,
	.seed = 200,
};

FIXTURE_SETUP(stress)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->total = WR_INFO(self->fd, out_total);
}

FIXTURE_TEARDOWN(stress)
{
	close(self->fd);
}

/* No page ever has other contents or another state than the model says. */
TEST_F_TIMEOUT(stress, random_calls, 120)
{
	EXPECT_EQ(0, stress_run(variant->ops, variant->processes,
				variant->seed, variant->threads));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == self->total));
}

TEST_HARNESS_MAIN
