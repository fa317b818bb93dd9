// SPDX-License-Identifier: GPL-2.0
/*
 * LuaJIT, with its memory as for Windows on the library, beside the same as it is built
 * for Linux: both of its modes do the same with a program that becomes machine code, and
 * have their memory where they want it.
 *
 * programs/luajit makes the two builds of each. The time of both is printed.
 */
/* vm: programs=luajit kernels=turn timeout=900 */
/* vm: arch=amd64 (regions have no code there, and its pointers have 47 bits) */
#include "kselftest_harness.h"

#define DIRECTORY "/tmp/wr_luajit"

#include "common.h"
#include "own_tests.h"

static bool is_to_compare(char *line)
{
	return true;
}

FIXTURE(luajit)
{
	struct place place;
};

FIXTURE_VARIANT(luajit)
{
	const char *program;
	/* What memory.lua is told */
	const char *where;
};

FIXTURE_VARIANT_ADD(luajit, pointers_of_64_bits)
{
	.program = "luajit",
	.where = "any",
};

/* By NtAllocateVirtualMemory(), with a number of bits that are zero */
FIXTURE_VARIANT_ADD(luajit, pointers_of_32_bits)
{
	.program = "luajit32",
	.where = "low",
};

FIXTURE_SETUP(luajit)
{
	ASSERT_TRUE(find_programs("luajit"));
	ASSERT_TRUE(make_place(&self->place, false));
}

FIXTURE_TEARDOWN(luajit)
{
	remove_place(&self->place);
}

TEST_F_TIMEOUT(luajit, results, 60)
{
	char command[64];

	snprintf(command, sizeof(command), "%s data/bench.lua",
		 variant->program);
	EXPECT_TRUE(both_say_the_same(&self->place, command, 11));
	EXPECT_LT(20, calls_of(&self->place, "RESERVE"));
	EXPECT_LT(20, calls_of(&self->place, "RELEASE"));
	EXPECT_LT(100, calls_of(&self->place, "PROTECT"));
}

/* One build's memory is the module's, and not the other's. */
TEST_F_TIMEOUT(luajit, memory, 60)
{
	static const char *const whose[BUILDS] = { "none", "regions" };
	char command[64];
	int build;

	for (build = NATIVE; build < BUILDS; build++) {
		snprintf(command, sizeof(command), "%s data/memory.lua %s %s",
			 variant->program, whose[build], variant->where);
		EXPECT_TRUE(succeeds(&self->place, build, command));
	}
}

TEST_HARNESS_MAIN
