// SPDX-License-Identifier: GPL-2.0
/*
 * AsmJit, with its memory as for Windows on the library, beside the same as it is built
 * for Linux: its allocator for code, which also maps memory twice, and functions that
 * are compiled, run and freed.
 *
 * programs/asmjit makes the two builds of each. The time of both is printed.
 */
/* vm: programs=asmjit full timeout=900 */
/* vm: arch=amd64 (it puts code into regions, which have none there) */
#include "kselftest_harness.h"

#define DIRECTORY "/tmp/wr_asmjit"

#include "common.h"
#include "own_tests.h"

/* What it says of the time that it took differs. */
static bool is_to_compare(char *line)
{
	return !strstr(line, "Time: ");
}

FIXTURE(asmjit)
{
	struct place place;
};

FIXTURE_SETUP(asmjit)
{
	ASSERT_TRUE(find_programs("asmjit"));
	ASSERT_TRUE(make_place(&self->place, false));
}

FIXTURE_TEARDOWN(asmjit)
{
	remove_place(&self->place);
}

TEST_F_TIMEOUT(asmjit, parts, 120)
{
	EXPECT_TRUE(both_say_the_same(&self->place, "unit --quick", 100));
	EXPECT_LT(10, calls_of(&self->place, "RESERVE"));
	EXPECT_LT(10, calls_of(&self->place, "RELEASE"));
	EXPECT_LT(2, calls_of(&self->place, "MAP_VIEW"));
}

TEST_F_TIMEOUT(asmjit, functions, 120)
{
	EXPECT_TRUE(both_say_the_same(&self->place, "compiler", 100));
	EXPECT_LT(0, calls_of(&self->place, "RESERVE"));
}

TEST_HARNESS_MAIN
