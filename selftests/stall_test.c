// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing that a program can ask for keeps a processor to itself, or the
 * process alive once it is killed: every ioctl, fork, exit and core dump at
 * sizes at which a loop in a loop would take minutes.
 */
#include "kselftest_harness.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common.h"
#include "wr_test_util.h"
#include "sections.h"

#define BATCH WINREGION_MAX_RANGES
#define HUGE_SIZE TIB(64)
#define PIECES scaled(8192)
#define MOST_PIECES scaled(24 * BATCH)
#define WINDOWS scaled(60000)
#define RUNS scaled(0x40000)
#define MANY_RUNS scaled(0x100000)
#define CORE_PATTERN "/proc/sys/kernel/core_pattern"

/* What a process may take to die: 2 seconds on a machine that is not emulated */
#define LIMIT_MS 2000

static struct winregion_range ranges[BATCH];
static struct winregion_run runs[BATCH];

/* Kernels that check everything they do are given less to do, and more time. */
static unsigned int scaled(unsigned int n)
{
	return getenv("KSFT_SLOWDOWN") ? n / 8 : n;
}

/* How much slower than usual is this machine? */
static int64_t times_slower(void)
{
	volatile unsigned int i;
	int64_t start = now_ms(), took;

	for (i = 0; i < 100000000; i++)
		;
	took = (now_ms() - start) / 100;
	took = took < 1 ? 1 : took > 15 ? 15 : took;
	return getenv("KSFT_SLOWDOWN") ? 4 * took : took;
}

static void ready(int fd)
{
	pid_t pid = getpid();

	if (write(fd, &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
}

typedef void (*stall_fn)(int fd, int ready_fd);

/*
 * A child, or one of its own that it leaves to us, says when it has made ready, and goes
 * on with what could take long; it is killed while it does. Return: the ms that it lived
 * after that, or -1.
 */
static int64_t die_in(stall_fn fn, int fd)
{
	pid_t pid, made_ready = 0;
	int pipe_fds[2], status;
	int64_t start;

	if (pipe(pipe_fds))
		return -1;
	pid = fork();
	if (!pid) {
		fn(fd, pipe_fds[1]);
		_exit(0);
	}
	close(pipe_fds[1]);
	if (read(pipe_fds[0], &made_ready, sizeof(pid)) != sizeof(pid))
		made_ready = 0;
	close(pipe_fds[0]);
	if (made_ready != pid)
		waitpid(pid, &status, 0);
	if (!made_ready)
		return -1;
	sleep_ms(300);
	start = now_ms();
	kill(made_ready, SIGKILL);
	waitpid(made_ready, &status, 0);
	return now_ms() - start;
}

FIXTURE(stall)
{
	int fd;
	int64_t limit;
};

FIXTURE_SETUP(stall)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->limit = LIMIT_MS * times_slower();
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
}

FIXTURE_TEARDOWN(stall)
{
	close(self->fd);
}

#define DIES_IN(fn) do {						\
	int64_t took = die_in(fn, self->fd);				\
									\
	EXPECT_LE(0, took);						\
	EXPECT_GT(self->limit, took) {					\
		TH_LOG("killed, it lived for another %lld ms",		\
		       (long long)took);				\
	}								\
} while (0)

/* Has every second page changed. Return: whether they are. */
static bool every_second(int fd, unsigned long cmd, char *base, size_t pages,
			 uint32_t protection)
{
	size_t page, i;

	for (page = 0; page < pages; page += 2 * BATCH) {
		for (i = 0; i < BATCH; i++)
			ranges[i] = (struct winregion_range) {
				.address = (uintptr_t)base +
					   PAGES(page + 2 * i),
				.length = PAGES(1),
				.protection = protection,
			};
		if (wr_vector(fd, cmd, ranges, BATCH))
			return false;
	}
	return true;
}

/* A region of which every second page is different */
static char *many_runs(int fd, size_t pages, uint32_t protection)
{
	char *base = wr_alloc(fd, PAGES(pages));

	if (!base ||
	    !every_second(fd, WINREGION_PROTECT, base, pages, protection))
		_exit(1);
	return base;
}

static void all_the_same(char *base, uint64_t length, uint32_t protection)
{
	int i;

	for (i = 0; i < BATCH; i++)
		ranges[i] = (struct winregion_range) {
			.address = (uintptr_t)base,
			.length = length,
			.protection = protection,
		};
}

/* The last range is not good, so nothing ever changes. */
static void protect_the_same(int fd, int ready_fd)
{
	char *base = many_runs(fd, RUNS, NA);

	all_the_same(base, PAGES(RUNS), RW);
	ranges[BATCH - 1].length++;
	ready(ready_fd);
	for (;;)
		wr_vector(fd, WINREGION_PROTECT, ranges, BATCH);
}

static void commit_the_same(int fd, int ready_fd)
{
	char *base = many_runs(fd, RUNS, NA);
	int i;

	all_the_same(base, PAGES(RUNS), code_or(RX, RO));
	for (i = 0; i < BATCH; i++)
		ranges[i].address += PAGES(i % 2);
	ranges[BATCH - 1].length++;
	ready(ready_fd);
	for (;;)
		wr_vector(fd, WINREGION_COMMIT, ranges, BATCH);
}

static void decommit_the_same(int fd, int ready_fd)
{
	char *base = many_runs(fd, RUNS, NA);
	int i;

	all_the_same(base, 0, 0);
	for (i = 0; i < BATCH; i += 2)
		ranges[i].length = PAGES(RUNS);
	ranges[BATCH - 1].length = PAGES(RUNS + 1);
	ready(ready_fd);
	for (;;)
		wr_vector(fd, WINREGION_DECOMMIT, ranges, BATCH);
}

TEST_F_TIMEOUT(stall, ranges_all_the_same, 60)
{
	DIES_IN(protect_the_same);
	DIES_IN(commit_the_same);
	DIES_IN(decommit_the_same);
}

/* The same, in time to be done */
TEST_F_TIMEOUT(stall, ranges_all_the_same_are_done, 60)
{
	char *base = many_runs(self->fd, RUNS / 4, NA);
	int64_t start = now_ms();

	all_the_same(base, PAGES(RUNS / 4), RO);
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, ranges, BATCH));
	EXPECT_TRUE(wr_is(self->fd, base, RO));
	all_the_same(base, 0, 0);
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_DECOMMIT, ranges, BATCH));
	EXPECT_EQ(0, wr_release(self->fd, base, 0));
	EXPECT_GT(self->limit, (int64_t)now_ms() - start);
}

/* Ranges that differ, but are the same pages of a section, which has many runs */
TEST_F_TIMEOUT(stall, views_of_the_same, 60)
{
	int section = sec_create(self->fd, -1, PAGES(RUNS),
				 WINREGION_SECTION_RESERVE, RW), i;
	char *base;

	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_map(section, 0, 0, RW, &base));
	/* Where its section is page by page */
	ASSERT_TRUE(every_second(self->fd, WINREGION_COMMIT, base, RUNS, RW));
	for (i = 0; i < BATCH; i++) {
		ASSERT_EQ(0, sec_map(section, 0, 0, RW, &base));
		ranges[i] = (struct winregion_range) {
			.address = (uintptr_t)base,
			.length = PAGES(RUNS),
			.protection = RW,
		};
	}
	/* Each of them alone could be. */
	EXPECT_EQ(-EDQUOT, wr_vector(self->fd, WINREGION_COMMIT, ranges, BATCH));
	EXPECT_EQ(-ENODATA,
		  wr_vector(self->fd, WINREGION_PROTECT, ranges, BATCH));
	for (i = 0; i < BATCH; i++)
		EXPECT_EQ(0, sec_unmap(self->fd,
				       (char *)(uintptr_t)ranges[i].address));
	close(section);
}

/* A structure that says that it is newer, by almost 4 GiB of zeros */
static void newest_of_all(int fd, int ready_fd)
{
	const uint32_t size = UINT32_MAX - 7;
	uint32_t *arg = mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			     0);

	if (arg == MAP_FAILED)
		_exit(1);
	arg[0] = size;
	ready(ready_fd);
	for (;;)
		ioctl(fd, WINREGION_GET_INFO, arg);
}

TEST_F_TIMEOUT(stall, size_of_an_argument, 60)
{
	DIES_IN(newest_of_all);
}

/* As much address space as there is, and next to nothing of it in use */
static char *huge_region(int fd)
{
	char *base = wr_reserve(fd, HUGE_SIZE);

	if (!base ||
	    wr_commit(fd, base + HUGE_SIZE / 2, PAGES(1), RW) ||
	    wr_commit(fd, base + HUGE_SIZE - PAGES(1), PAGES(1), RW))
		_exit(1);
	return base;
}

static void query_huge(int fd, int ready_fd)
{
	char *base = huge_region(fd);
	struct winregion_run run;
	uint64_t next;

	base[HUGE_SIZE / 2] = 1;
	ready(ready_fd);
	for (;;) {
		next = (uintptr_t)base;
		wr_query_runs(fd, &next, next + HUGE_SIZE - 1,
			      WINREGION_QUERY_RESIDENT, runs, BATCH);
		wr_query(fd, base, &run);
		wr_decommit(fd, base, 0);
		wr_commit(fd, base + HUGE_SIZE / 2, PAGES(1), RW);
	}
}

static void fork_huge(int fd, int ready_fd)
{
	char *base = huge_region(fd);
	pid_t pid;

	*(base + HUGE_SIZE / 2) = 1;
	ready(ready_fd);
	for (;;) {
		pid = fork();
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

TEST_F_TIMEOUT(stall, huge_region, 60)
{
	DIES_IN(query_huge);
	DIES_IN(fork_huge);
}

static void dump(int fd, int ready_fd, bool touch)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	char *base = huge_region(fd);

	if (touch)
		base[HUGE_SIZE / 2] = 1;
	setrlimit(RLIMIT_CORE, &limit);
	ready(ready_fd);
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void dump_untouched(int fd, int ready_fd)
{
	dump(fd, ready_fd, false);
}

static void dump_touched(int fd, int ready_fd)
{
	dump(fd, ready_fd, true);
}

TEST_F_TIMEOUT(stall, core_dump, 60)
{
	char pattern[128] = { 0 };
	int fd = open(CORE_PATTERN, O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_LT(0, read(fd, pattern, sizeof(pattern) - 1));
	close(fd);
	ASSERT_TRUE(write_text(CORE_PATTERN, "/tmp/wr_stall_core"));
	DIES_IN(dump_untouched);
	DIES_IN(dump_touched);
	write_text(CORE_PATTERN, pattern);
	unlink("/tmp/wr_stall_core");
}

/* Each executable page has a mapping of its own. */
static void fork_pieces(int fd, int ready_fd)
{
	many_runs(fd, 2 * PIECES, RX);
	fork_huge(fd, ready_fd);
}

TEST_F_TIMEOUT(stall, pieces, 90)
{
	NEEDS_CODE();
	DIES_IN(fork_pieces);
}

/* ---- mappings that go one by one ---- */

/*
 * A small region, and free pages behind it, of which every second has a mapping of its
 * own. They stay apart, as the program has said something about each.
 */
static char *free_pieces(int fd, size_t pieces)
{
	char *base = wr_reserve(fd, PAGES(2 * pieces));

	if (!base || madvise(base, PAGES(2 * pieces), MADV_RANDOM) ||
	    !every_second(fd, WINREGION_COMMIT, base, 2 * pieces, RX) ||
	    wr_release(fd, base + KIB(64), PAGES(2 * pieces) - KIB(64)) ||
	    count_vmas(base, PAGES(2 * pieces)) < 2 * pieces - 16)
		_exit(1);
	return base;
}

/* The pieces have never been in the child that ends. */
static void exit_without_pieces(int fd, int ready_fd)
{
	char *base = free_pieces(fd, MOST_PIECES);
	size_t i;

	for (i = 0; i < MOST_PIECES; i++)
		if (madvise(base + PAGES(2 * i), PAGES(1), MADV_DONTFORK))
			_exit(1);
	if (fork())
		_exit(0);
	ready(ready_fd);
	pause();
}

TEST_F_TIMEOUT(stall, end_with_holes, 90)
{
	NEEDS_CODE();
	DIES_IN(exit_without_pieces);
}

/* A kernel that checks everything takes milliseconds for each, be they few or many. */
static size_t pieces_to_unmap(void)
{
	return times_slower() > 1 ? BATCH : MOST_PIECES;
}

static bool unmap_pieces(char *base, size_t pieces)
{
	size_t i;

	/* What is left in between has holes on both sides. */
	for (i = 8; i < pieces; i++)
		if (munmap(base + PAGES(2 * i), PAGES(1)))
			return false;
	for (i = pieces; i-- > 9;)
		if (munmap(base + PAGES(2 * i + 1), PAGES(1)))
			return false;
	return true;
}

/* From the end of a window on, one by one, and in time to be done */
TEST_F_TIMEOUT(stall, ends_that_are_given_up, 90)
{
	size_t pieces = pieces_to_unmap();
	char *base;
	int64_t start;

	NEEDS_CODE();
	base = free_pieces(self->fd, pieces);
	start = now_ms();
	EXPECT_TRUE(unmap_pieces(base, pieces));
	if (pieces == MOST_PIECES)
		EXPECT_GT(self->limit, (int64_t)now_ms() - start);
	EXPECT_TRUE(wr_is_reserved(self->fd, base + PAGES(1)));
	EXPECT_EQ(0, wr_release(self->fd, base, 0));
	EXPECT_EQ(0, WR_INFO(self->fd, out_windows));
}

static void fork_windows(int fd, int ready_fd)
{
	unsigned int i;

	for (i = 0; i < WINDOWS; i++)
		if (!wr_reserve(fd, MIB(2)))
			_exit(1);
	fork_huge(fd, ready_fd);
}

TEST_F_TIMEOUT(stall, windows, 90)
{
	DIES_IN(fork_windows);
}

static void fork_runs(int fd, int ready_fd)
{
	many_runs(fd, MANY_RUNS, NA);
	fork_huge(fd, ready_fd);
}

static void release_runs(int fd, int ready_fd)
{
	char *base = many_runs(fd, MANY_RUNS, NA);

	ready(ready_fd);
	wr_release(fd, base, 0);
	pause();
}

TEST_F_TIMEOUT(stall, million_runs, 90)
{
	int64_t mode = read_number("/proc/sys/vm/overcommit_memory");

	/* They may be more than there is; none of them is touched. */
	ASSERT_TRUE(write_number("/proc/sys/vm/overcommit_memory", 1));
	DIES_IN(fork_runs);
	DIES_IN(release_runs);
	EXPECT_TRUE(write_number("/proc/sys/vm/overcommit_memory", mode));
}

TEST_HARNESS_MAIN
