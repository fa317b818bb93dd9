// SPDX-License-Identifier: GPL-2.0
/*
 * The Boehm-Demers-Weiser collector by its own code for Windows on the library, beside
 * the same as it is built for Linux: incremental collections, which ask GetWriteWatch()
 * what was written, and heaps that grow and shrink.
 *
 * programs/bdwgc makes the two builds of each test. The time of both is printed.
 */
/* vm: programs=bdwgc full timeout=900 */
/* vm: arch=amd64 (its code for Windows takes each processor of 64 bits for x86-64) */
#include "kselftest_harness.h"

#define DIRECTORY "/tmp/wr_bdwgc"

#include "common.h"
#include "own_tests.h"

static bool is_to_compare(char *line)
{
	return true;
}

FIXTURE(bdwgc)
{
	struct place place;
};

FIXTURE_SETUP(bdwgc)
{
	ASSERT_TRUE(find_programs("bdwgc"));
	ASSERT_TRUE(make_place(&self->place, false));
}

FIXTURE_TEARDOWN(bdwgc)
{
	remove_place(&self->place);
}

static bool both_succeed(struct place *place, const char *command)
{
	bool done = succeeds(place, NATIVE, command) &&
		    succeeds(place, WIN32, command);

	show_times(place, command);
	return done;
}

/* Its main test, which looks at what every object has: it is incremental. */
TEST_F_TIMEOUT(bdwgc, own_test, 120)
{
	EXPECT_TRUE(both_succeed(&self->place, "test"));
	EXPECT_LT(10, calls_of(&self->place, "WRITE_WATCH"));
	EXPECT_LT(0, calls_of(&self->place, "RESERVE"));
}

TEST_F_TIMEOUT(bdwgc, heaps, 120)
{
	EXPECT_TRUE(both_succeed(&self->place, "huge_test"));
	EXPECT_TRUE(both_succeed(&self->place, "middle"));
	EXPECT_TRUE(both_succeed(&self->place, "realloc_test"));
	EXPECT_LT(2, calls_of(&self->place, "RESERVE"));
}

TEST_HARNESS_MAIN
