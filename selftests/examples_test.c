// SPDX-License-Identifier: GPL-2.0
/*
 * Examples of the library that check what they do: each is to succeed.
 */
#include "kselftest_harness.h"

#include "common.h"
#include "wr_test_util.h"

#define main ring_main
#include "../userlib/examples/ring_buffer.c"
#undef main

#define main code_main
#undef SIZE
#include "../userlib/examples/write_and_run.c"
#undef main

#define main ways_main
#define reverse ways_reverse
#include "../userlib/examples/reverse_ways.c"
#undef reverse
#undef main

TEST(ring_buffer)
{
	EXPECT_EQ(0, ring_main());
}

TEST(write_and_run)
{
	EXPECT_EQ(0, code_main());
}

/* Of an even and an odd length, of less than a page, and of one byte */
TEST(reverse_ways)
{
	static const char *const lengths[] = { "1", "4095", "1000001",
					       "2097152" };
	char program[] = "reverse_ways", name[] = "/tmp/reverse-ways-test";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		char length[16];
		char *argv[] = { program, name, length, NULL };

		snprintf(length, sizeof(length), "%s", lengths[i]);
		EXPECT_EQ(0, ways_main(3, argv));
	}
}

TEST_HARNESS_MAIN
