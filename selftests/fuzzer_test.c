// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the fuzzer itself: that it finds mistakes, and what it prints about
 * them. They have no more to do with one kernel than with another.
 */
/* vm: kernels=one modules=loop,ext4 timeout=900 cpus=2 */
#include "kselftest_harness.h"

#include "common.h"
#include "fuzz/share.h"
#include "rounds.h"
#include "wr_test_util.h"

/* A program that the fuzzer has printed, from what the model says */
int emitted_main(void);

FIXTURE(planted)
{
	struct fuzz_episode episode;
	char *text;
	size_t size;
	FILE *file;
};

FIXTURE_VARIANT(planted)
{
	unsigned int bug;
	unsigned int sharers;
};

FIXTURE_VARIANT_ADD(planted, old_protection) { .bug = MODEL_BUG_OLD };
FIXTURE_VARIANT_ADD(planted, contents) { .bug = MODEL_BUG_CONTENTS };
FIXTURE_VARIANT_ADD(planted, guard) { .bug = MODEL_BUG_GUARD };
FIXTURE_VARIANT_ADD(planted, charge) { .bug = MODEL_BUG_CHARGE };
FIXTURE_VARIANT_ADD(planted, vector) { .bug = MODEL_BUG_VECTOR };
FIXTURE_VARIANT_ADD(planted, lost) { .bug = MODEL_BUG_LOST };
FIXTURE_VARIANT_ADD(planted, watch) { .bug = MODEL_BUG_WATCH };
FIXTURE_VARIANT_ADD(planted, offer) { .bug = MODEL_BUG_OFFER };
FIXTURE_VARIANT_ADD(planted, lock) { .bug = MODEL_BUG_LOCK };
FIXTURE_VARIANT_ADD(planted, replace) { .bug = MODEL_BUG_REPLACE };
FIXTURE_VARIANT_ADD(planted, split) { .bug = MODEL_BUG_SPLIT };
FIXTURE_VARIANT_ADD(planted, coalesce) { .bug = MODEL_BUG_COALESCE };
FIXTURE_VARIANT_ADD(planted, view) { .bug = MODEL_BUG_VIEW };
FIXTURE_VARIANT_ADD(planted, stack) { .bug = MODEL_BUG_STACK };
FIXTURE_VARIANT_ADD(planted, leap) { .bug = MODEL_BUG_LEAP };
FIXTURE_VARIANT_ADD(planted, full) { .bug = MODEL_BUG_FULL };

FIXTURE_VARIANT_ADD(planted, shared_guard)
{
	.bug = SHARE_BUG_GUARD,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, shared_commit)
{
	.bug = SHARE_BUG_COMMIT,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, shared_truncate)
{
	.bug = SHARE_BUG_TRUNCATE,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, shared_fork)
{
	.bug = SHARE_BUG_FORK,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, shared_copy)
{
	.bug = SHARE_BUG_COPY,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, shared_copy_shown)
{
	.bug = SHARE_BUG_SHOWN,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, shared_copy_kept)
{
	.bug = SHARE_BUG_KEPT,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, shared_copy_of_child)
{
	.bug = SHARE_BUG_CHILD,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, shared_copy_charged)
{
	.bug = SHARE_BUG_CHARGE,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, pieces_of_image)
{
	.bug = SHARE_BUG_PIECES,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, rights_of_image)
{
	.bug = SHARE_BUG_RIGHTS,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, parts_of_image)
{
	.bug = SHARE_BUG_PARTS,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, order_of_pieces)
{
	.bug = SHARE_BUG_ORDER,
	.sharers = 3,
};

FIXTURE_VARIANT_ADD(planted, shared_several)
{
	.bug = SHARE_BUG_SEVERAL,
	.sharers = 3,
};

FIXTURE_SETUP(planted)
{
	struct fuzz_options options = {
		.ops = 5000, .threads = 1, .bug = variant->bug,
		.sharers = variant->sharers,
	};

	ASSERT_TRUE(episode_init(&self->episode, &options));
	self->file = open_memstream(&self->text, &self->size);
	ASSERT_NE(NULL, self->file);
}

FIXTURE_TEARDOWN(planted)
{
	fclose(self->file);
	free(self->text);
	episode_free(&self->episode);
}

/*
 * A model that is wrong differs from the kernel soon, and a handful of
 * operations are enough to show it, some seed or other.
 */
TEST_F_TIMEOUT(planted, mistake_is_found_and_shrunk, 120)
{
	unsigned int seed, least = 1000, n;

	if (!has_turn(variant->bug, 8))
		SKIP(return, "another time: one in eight is, in turn");
	for (seed = 2; seed < 8 && least > 8; seed++) {
		if (episode_run(&self->episode, seed) != 1)
			continue;
		n = shrink_and_print(&self->episode, self->file);
		ASSERT_LT(0, n);
		if (n < least)
			least = n;
	}
	EXPECT_GE(8, least);
}

static int run_emitted(void *unused)
{
	return emitted_main();
}

/* What is printed compiles, and does on this kernel what it says. */
TEST(printed_program)
{
	EXPECT_EQ(0, in_child(run_emitted, NULL));
}

TEST_HARNESS_MAIN
