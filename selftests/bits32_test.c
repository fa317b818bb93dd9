// SPDX-License-Identifier: GPL-2.0
/*
 * Programs of 32 bits, with the library of 32 bits: each test is a job of a program in
 * programs/bits32, which says what is wrong. compat32_test is about the module alone.
 */
/* vm: programs=bits32 cpus=2 */
/* vm: arch=amd64 (its programs have 32 bits) */
#include "kselftest_harness.h"

#include <linux/futex.h>
#include <sys/personality.h>
#include <sys/wait.h>

#include "common.h"
#include "programs.h"
#include "wr_test_util.h"

FIXTURE(bits32)
{
	char program[PATH_MAX + 16];
};

FIXTURE_SETUP(bits32)
{
	ASSERT_TRUE(find_programs("bits32"));
	snprintf(self->program, sizeof(self->program), "%s/calls32", programs);
}

FIXTURE_TEARDOWN(bits32)
{
}

/* Return: its exit status, or -1, where it died. @persona: of personality(2) */
static int job(FIXTURE_DATA(bits32) *self, const char *name, int persona)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		personality(persona);
		execl(self->program, "calls32", name, NULL);
		_exit(errno);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/*
 * Kernels that have no times of 32 bits have no futex() for programs of 32 bits, which the
 * C library needs where threads wait for each other.
 */
static bool has_futex(void)
{
	int ret = 240; /* futex() there */

	asm volatile("int $0x80" : "+a" (ret)
		     : "b" (0), "c" (FUTEX_WAKE), "d" (1)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret != -ENOSYS;
}

/* Rule BT-01 */
TEST_F(bits32, memory)
{
	EXPECT_EQ(0, job(self, "readme", 0));
	EXPECT_EQ(0, job(self, "query", 0));
	EXPECT_EQ(0, job(self, "status", 0));
}

/* Rule BT-02 */
TEST_F(bits32, ranges)
{
	EXPECT_EQ(0, job(self, "range4", 0));
	EXPECT_EQ(0, job(self, "range3", ADDR_LIMIT_3GB));
	/* And it tells one from the other. */
	EXPECT_EQ(1, job(self, "range4", ADDR_LIMIT_3GB));
}

/* Rule BT-03 */
TEST_F(bits32, write_watch)
{
	EXPECT_EQ(0, job(self, "watch", 0));
}

/* Rule BT-04 */
TEST_F(bits32, not_there)
{
	EXPECT_EQ(0, job(self, "not_there", 0));
}

/* Rule BT-05 */
TEST_F(bits32, sections)
{
	EXPECT_EQ(0, job(self, "sections", 0));
	EXPECT_EQ(0, job(self, "large_file", 0));
}

/* Rule BT-06 */
TEST_F(bits32, exceptions)
{
	if (!has_futex())
		SKIP(return, "this kernel has no futexes for 32 bits");
	EXPECT_EQ(0, job(self, "guards", 0));
	EXPECT_EQ(0, job(self, "registers", 0));
	EXPECT_EQ(0, job(self, "blocks", 0));
	EXPECT_EQ(0, job(self, "contexts", 0));
}

/* Rule BT-07 */
TEST_F(bits32, threads)
{
	if (!has_futex())
		SKIP(return, "this kernel has no futexes for 32 bits");
	EXPECT_EQ(0, job(self, "threads", 0));
	EXPECT_EQ(0, job(self, "fibers", 0));
}

TEST_HARNESS_MAIN
