// SPDX-License-Identifier: GPL-2.0
/*
 * PCRE2, which compiles patterns to machine code, by its own code for Windows on the
 * library beside the same as it is built for Linux. VirtualAlloc() is for the code, and
 * for the stacks that it runs on, which grow and shrink by commits.
 *
 * programs/pcre2 makes the two builds of each program. The time of both is printed.
 */
/* vm: programs=pcre2 kernels=turn timeout=900 */
/* vm: arch=amd64 (it puts code into regions, which have none there) */
#include "kselftest_harness.h"

#define DIRECTORY "/tmp/wr_pcre2"

#include "common.h"
#include "own_tests.h"

static bool is_to_compare(char *line)
{
	return true;
}

FIXTURE(pcre2)
{
	struct place place;
};

FIXTURE_SETUP(pcre2)
{
	ASSERT_TRUE(find_programs("pcre2"));
	ASSERT_TRUE(make_place(&self->place, false));
}

FIXTURE_TEARDOWN(pcre2)
{
	remove_place(&self->place);
}

/* Patterns of all kinds: an emulated machine needs minutes for their code. */
TEST_F_TIMEOUT(pcre2, own_test, 120)
{
	if (!rounds(pcre2_own_test))
		return;
	EXPECT_TRUE(both_say_the_same(&self->place, "pcre2_jit_test", 5));
	EXPECT_LT(10, calls_of(&self->place, "RESERVE"));
	EXPECT_LT(10, calls_of(&self->place, "RELEASE"));
}

/* What @program says of what comes with it is what is expected, too. */
static bool knows(struct place *place, const char *program, const char *number)
{
	char command[64], expected[32];

	snprintf(command, sizeof(command), "%s -q -jit data/testinput%s",
		 program, number);
	snprintf(expected, sizeof(expected), "data/testoutput%s", number);
	return both_say_the_same(place, command, 500) &&
	       same_text(place->directory[WIN32], "said", programs, expected,
			 500);
}

TEST_F_TIMEOUT(pcre2, patterns, 60)
{
	EXPECT_TRUE(knows(&self->place, "pcre2test", "1"));
	EXPECT_TRUE(knows(&self->place, "pcre2test", "4"));
	EXPECT_TRUE(knows(&self->place, "pcre2test", "17"));
	EXPECT_LT(10, calls_of(&self->place, "RESERVE"));
	EXPECT_LT(10, calls_of(&self->place, "COMMIT"));
}

/* Code is protected as it is made, run and freed. */
TEST_F_TIMEOUT(pcre2, protecting, 60)
{
	EXPECT_TRUE(knows(&self->place, "pcre2test_wx", "17"));
	EXPECT_LT(100, calls_of(&self->place, "RESERVE"));
	EXPECT_LT(100, calls_of(&self->place, "PROTECT"));
	EXPECT_LT(100, calls_of(&self->place, "RELEASE"));
}

TEST_HARNESS_MAIN
