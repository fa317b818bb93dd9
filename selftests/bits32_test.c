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
	char dir[PATH_MAX];
};

FIXTURE_SETUP(bits32)
{
	ASSERT_TRUE(find_programs("bits32"));
	snprintf(self->dir, sizeof(self->dir), "%s", programs);
}

FIXTURE_TEARDOWN(bits32)
{
}

/*
 * Return: what the program ends with, or -signal, of which it died. @name: of a job, or
 * NULL. @persona: of personality(2)
 */
static int run(FIXTURE_DATA(bits32) *self, const char *program,
	       const char *name, int persona)
{
	char path[PATH_MAX + 16];
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/%s", self->dir, program);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		personality(persona);
		execl(path, program, name, NULL);
		_exit(errno);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1000;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int job(FIXTURE_DATA(bits32) *self, const char *name, int persona)
{
	return run(self, "calls32", name, persona);
}

static int heap_job(FIXTURE_DATA(bits32) *self, const char *name)
{
	return run(self, "heaps32", name, 0);
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

#define NEEDS_FUTEX() do {						\
	if (!has_futex())						\
		SKIP(return, "this kernel has no futexes for 32 bits");	\
} while (0)

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
	NEEDS_FUTEX();
	EXPECT_EQ(0, job(self, "guards", 0));
	EXPECT_EQ(0, job(self, "registers", 0));
	EXPECT_EQ(0, job(self, "blocks", 0));
	EXPECT_EQ(0, job(self, "contexts", 0));
}

/* Rule BT-07 */
TEST_F(bits32, threads)
{
	NEEDS_FUTEX();
	EXPECT_EQ(0, job(self, "threads", 0));
	EXPECT_EQ(0, job(self, "conditions", 0));
	EXPECT_EQ(0, job(self, "fibers", 0));
}

/* Rule MESSAGE-13 */
TEST_F(bits32, messages)
{
	EXPECT_EQ(0, job(self, "messages", 0));
}

/* Rule BT-15 */
TEST_F(bits32, privileges)
{
	EXPECT_EQ(0, job(self, "privileges", 0));
}

/* ---- heaps ---- */

/* Rule BT-08 */
TEST_F(bits32, blocks_of_heaps)
{
	NEEDS_FUTEX();
	EXPECT_EQ(0, heap_job(self, "sizes"));
	EXPECT_EQ(0, heap_job(self, "reallocate"));
	EXPECT_EQ(0, heap_job(self, "impossible"));
	EXPECT_EQ(0, heap_job(self, "names"));
	EXPECT_EQ(0, heap_job(self, "aligned"));
}

/* Rule BT-09 */
TEST_F(bits32, fixed_heaps)
{
	NEEDS_FUTEX();
	EXPECT_EQ(0, heap_job(self, "fixed"));
}

/* Rule BT-10 */
TEST_F(bits32, walks_of_heaps)
{
	NEEDS_FUTEX();
	EXPECT_EQ(0, heap_job(self, "walk"));
}

/* Rule BT-11 */
TEST_F(bits32, moveable_memory)
{
	NEEDS_FUTEX();
	EXPECT_EQ(0, heap_job(self, "moveable"));
}

/* Rule BT-12 */
TEST_F(bits32, exhausted_heaps)
{
	EXPECT_EQ(0, heap_job(self, "exhaust"));
	EXPECT_EQ(0, run(self, "heaps32", "exhaust", ADDR_LIMIT_3GB));
	NEEDS_FUTEX();
	EXPECT_EQ(0, heap_job(self, "raise"));
}

/* Rule BT-13 */
TEST_F(bits32, heaps_of_threads)
{
	NEEDS_FUTEX();
	EXPECT_EQ(0, heap_job(self, "threads"));
}

/* What processes have left about their heaps: so many lines, each with four words */
static int proofs(const char *path)
{
	unsigned int blocks, bytes, committed;
	FILE *file = fopen(path, "r");
	char line[256];
	int nr = 0;

	while (file && fgets(line, sizeof(line), file)) {
		printf("# %s", line);
		if (sscanf(line, "malloc32 %u %u %u", &blocks, &bytes,
			   &committed) != 3 ||
		    !blocks || committed < bytes)
			nr = -100;
		nr++;
	}
	if (file)
		fclose(file);
	return nr;
}

/* Rule BT-14 */
TEST_F(bits32, preloaded_malloc)
{
	static const char proof[] = "/tmp/wr_bits32_proof";
	char preload[2 * PATH_MAX + 64];

	NEEDS_FUTEX();
	snprintf(preload, sizeof(preload),
		 "%s/libwinregion-heap-malloc.so:%s/proof32.so", self->dir,
		 self->dir);
	unlink(proof);
	setenv("PROOF", proof, 1);
	/* The first time it is the C library's own. */
	EXPECT_EQ(0, run(self, "malloc32", NULL, 0));
	EXPECT_EQ(0, proofs(proof));
	setenv("LD_PRELOAD", preload, 1);
	EXPECT_EQ(0, run(self, "malloc32", NULL, 0));
	EXPECT_EQ(-SIGABRT, run(self, "malloc32", "twice", 0));
	EXPECT_EQ(-SIGABRT, run(self, "malloc32", "beyond", 0));
	EXPECT_EQ(-SIGABRT, run(self, "malloc32", "foreign", 0));
	unsetenv("LD_PRELOAD");
	EXPECT_EQ(1, proofs(proof));
	unlink(proof);
}

TEST_HARNESS_MAIN
