// SPDX-License-Identifier: GPL-2.0
/*
 * Examples of the library that check what they do: each is to succeed.
 */
/* vm: modules=loop,ext4 */
#include "kselftest_harness.h"

#include <sys/stat.h>

#include "common.h"
#include "loop.h"
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

#define main zeros_main
#include "../userlib/examples/count_zeros.c"
#undef main

#define main window_main
#include "../userlib/examples/window_on_memory.c"
#undef main

#define main mmap_main
#undef PAGE
#include "../userlib/examples/beside_mmap.c"
#undef main

#define main fault_main
#undef SIZE
#undef PAGE
#include "../userlib/examples/commit_on_fault.c"
#undef main

TEST(ring_buffer)
{
	EXPECT_EQ(0, ring_main());
}

TEST(write_and_run)
{
	EXPECT_EQ(0, code_main());
}

TEST(beside_mmap)
{
	EXPECT_EQ(0, mmap_main());
}

/* Rules: EX-01 */
TEST(commit_on_fault)
{
	EXPECT_EQ(0, fault_main());
}

/* Rules: AW-02, AW-11 */
TEST(window_on_memory)
{
	char program[] = "window_on_memory", cache[] = "65", window[] = "3";
	char *argv[] = { program, cache, window, NULL };

	EXPECT_EQ(0, window_main(1, argv));
	EXPECT_EQ(0, window_main(3, argv));
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

static int zeros_with(char *name, char *size, char *part)
{
	char program[] = "count_zeros";
	char *argv[] = { program, name, size, part, NULL };

	return zeros_main(part ? 4 : 3, argv);
}

/* Less than a unit, no more than one, and views that end anywhere, looked at in full */
TEST(count_zeros)
{
	static const char *const sizes[] = { "144", "65536", "16777216",
					     "50331653", "67108873" };
	char name[] = "/tmp/count-zeros-test";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		char size[16];

		snprintf(size, sizeof(size), "%s", sizes[i]);
		EXPECT_EQ(0, zeros_with(name, size, NULL));
	}
}

#define DISK "/tmp/wr_examples"
#define IMAGE DISK ".img"

/* 10 GiB on a disk of 16 MiB. Holes become pages, so it is not all of each view. */
TEST(count_zeros_of_large_file)
{
	char name[] = DISK "/file", size[] = "10737418245", part[] = "0x80000";
	char device[32];
	int loop;

	if (geteuid())
		SKIP(return, "only root may mount");
	if (access("/dev/loop-control", F_OK))
		SKIP(return, "no loop devices; \"make test\" has them");
	mkdir(DISK, 0700);
	loop = loop_begin(IMAGE, MIB(16), device, sizeof(device));
	ASSERT_LE(0, loop);
	ASSERT_TRUE(loop_mount(device, DISK));
	EXPECT_EQ(0, zeros_with(name, size, part));
	EXPECT_TRUE(SETTLES(!umount(DISK)));
	loop_end(loop, IMAGE);
}

TEST_HARNESS_MAIN
