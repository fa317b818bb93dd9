// SPDX-License-Identifier: GPL-2.0
/*
 * mimalloc by its own code for Windows on the library, beside the same as it is built
 * for Linux: memory by VirtualAlloc2() that it finds by name, aligned and reset, and
 * threads that pass on what they have as they end.
 *
 * programs/mimalloc makes the two builds of each test. The time of both is printed.
 */
/* vm: programs=mimalloc full timeout=900 */
#include "kselftest_harness.h"

#define DIRECTORY "/tmp/wr_mimalloc"
/* All that they say */
#define ERRORS_TOO

#include "common.h"
#include "own_tests.h"

/*
 * Names of tests and what has failed. After a name there can be warnings with addresses
 * in them: the system has aligned memory at once on the one, and not on the other.
 */
static bool is_to_compare(char *line)
{
	char *after = strstr(line, "... ");

	if (!strncmp(line, "test: ", 6)) {
		if (after)
			*after = '\0';
		return true;
	}
	return !strncmp(line, "Using ", 6) ||
	       !strncmp(line, "- iterations", 12) || strstr(line, "FAILED") ||
	       strstr(line, "corrupt");
}

FIXTURE(mimalloc)
{
	struct place place;
};

FIXTURE_SETUP(mimalloc)
{
	ASSERT_TRUE(find_programs("mimalloc"));
	ASSERT_TRUE(make_place(&self->place, false));
}

FIXTURE_TEARDOWN(mimalloc)
{
	remove_place(&self->place);
}

TEST_F_TIMEOUT(mimalloc, calls, 300)
{
	EXPECT_TRUE(both_say_the_same(&self->place, "api", 30));
	EXPECT_TRUE(both_say_the_same(&self->place, "api-fill", 20));
	EXPECT_LT(1, calls_of(&self->place, "RESERVE"));
	EXPECT_LT(1, calls_of(&self->place, "COMMIT"));
}

/* Four threads, and others in their place as they end, which give what they have on */
TEST_F_TIMEOUT(mimalloc, threads, 120)
{
	EXPECT_TRUE(both_say_the_same(&self->place, "stress 4 5 20", 2));
	EXPECT_LT(0, calls_of(&self->place, "RESERVE"));
}

TEST_HARNESS_MAIN
