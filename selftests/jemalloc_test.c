// SPDX-License-Identifier: GPL-2.0
/*
 * jemalloc by its own code for Windows on the library, beside the same as it is built
 * for Linux: memory that is reserved, committed and decommitted, locks, and threads whose
 * data goes as they end.
 *
 * programs/jemalloc makes the two builds of each test. The time of both is printed. Where
 * they differ most, in mallocx, it is by what jemalloc does: to have zeros again it drops
 * pages on Linux, and on Windows, where its code cannot, it writes 600 MiB of them. The
 * calls of the library are a small part of that time.
 */
/* vm: programs=jemalloc full timeout=900 */
#include "kselftest_harness.h"

#define DIRECTORY "/tmp/wr_jemalloc"
/* All that they say */
#define ERRORS_TOO

#include "common.h"
#include "own_tests.h"

static bool is_to_compare(char *line)
{
	return true;
}

FIXTURE(jemalloc)
{
	struct place place;
};

FIXTURE_SETUP(jemalloc)
{
	ASSERT_TRUE(find_programs("jemalloc"));
	ASSERT_TRUE(make_place(&self->place, false));
}

FIXTURE_TEARDOWN(jemalloc)
{
	remove_place(&self->place);
}

/* Of each: what all its tests have come to */
static bool all_say_the_same(struct place *place, const char *const *programs)
{
	bool done = true;

	for (; *programs; programs++)
		done &= both_say_the_same(place, *programs, 2);
	return done;
}

static const char *const parts[] = {
	"arena_reset", "base",	"edata_cache", "hook",	  "inspect",
	"mq",	       "mtx",	"nstime",      "pa",	  "pack",
	"pages",       "psset", "retained",    "rtree",	  "sec",
	"slab",	       "stats", "tsd",	       "witness", NULL
};

TEST_F_TIMEOUT(jemalloc, parts, 600)
{
	EXPECT_TRUE(all_say_the_same(&self->place, parts));
	EXPECT_LT(10, calls_of(&self->place, "RESERVE"));
	EXPECT_LT(10, calls_of(&self->place, "RELEASE"));
	EXPECT_LT(10, calls_of(&self->place, "DECOMMIT"));
}

static const char *const whole[] = { "aligned_alloc", "extent",
				     "malloc",	      "mallocx",
				     "overflow",      "posix_memalign",
				     "rallocx",	      "sdallocx",
				     "thread_arena",  "thread_tcache_enabled",
				     "xallocx",	      NULL };

TEST_F_TIMEOUT(jemalloc, whole, 600)
{
	EXPECT_TRUE(all_say_the_same(&self->place, whole));
	EXPECT_LT(10, calls_of(&self->place, "RESERVE"));
	EXPECT_LT(10, calls_of(&self->place, "COMMIT"));
}

TEST_HARNESS_MAIN
