// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc/PID/fdinfo says of descriptors of the device, of sections and of processes,
 * and debugfs of all memory.
 */
#include "kselftest_harness.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>

#include <winregion/windows.h>

#include "common.h"
#include "wr_test_util.h"
#include "sections.h"

#define DEBUG "/sys/kernel/debug/winregion/memory"
#define LARGE (int64_t)MIB(4)
#define UNIT (int64_t)KIB(64)
#define SOMEBODY 54321

/* A number there, in bytes where it is memory */
static int64_t told(pid_t pid, int fd, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	return read_proc_field(path, name);
}

/* All that is there; for free() */
static char *told_in_words(int fd)
{
	char path[64], *text = calloc(1, 4096);
	int file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (!text || read(file, text, 4095) <= 0)
		abort();
	close(file);
	return text;
}

FIXTURE(fdinfo)
{
	int fd;
	pid_t pid;
};

FIXTURE_SETUP(fdinfo)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->pid = getpid();
}

FIXTURE_TEARDOWN(fdinfo)
{
	close(self->fd);
}

/* Rules: FI-01. */
TEST_F(fdinfo, device)
{
	int section = sec_create(self->fd, -1, UNIT, 0, RW);
	struct winregion_lock lock = {
		.size = sizeof(lock),
		.length = 4096,
	};
	struct winregion_get_info info;
	char *base, *view;

	EXPECT_EQ(0, told(self->pid, self->fd, "regions"));
	EXPECT_EQ(0, told(self->pid, self->fd, "committed"));
	base = wr_reserve(self->fd, LARGE);
	ASSERT_TRUE(base);
	ASSERT_EQ(0, wr_commit(self->fd, base, KIB(400), RW));
	ASSERT_TRUE(try_write(base) && try_write(base + KIB(100)) &&
		    try_write(base + KIB(200)));
	lock.address = (uintptr_t)base;
	ASSERT_EQ(0, wr_ioctl(self->fd, WINREGION_LOCK, &lock));
	ASSERT_EQ(0, sec_map(section, 0, 0, RW, &view));
	EXPECT_EQ(2, told(self->pid, self->fd, "regions"));
	EXPECT_EQ(1, told(self->pid, self->fd, "windows"));
	EXPECT_EQ(1, told(self->pid, self->fd, "views"));
	EXPECT_EQ(LARGE + UNIT, told(self->pid, self->fd, "mapped"));
	EXPECT_EQ((int64_t)KIB(400), told(self->pid, self->fd, "committed"));
	EXPECT_EQ((int64_t)KIB(12), told(self->pid, self->fd, "resident"));
	EXPECT_EQ((int64_t)KIB(4), told(self->pid, self->fd, "locked"));
	EXPECT_EQ(0, told(self->pid, self->fd, "frames"));
	ASSERT_EQ(0, wr_get_info(self->fd, &info));
	EXPECT_EQ((int64_t)info.out_charged,
		  told(self->pid, self->fd, "charged"));
	ASSERT_EQ(0, wr_release(self->fd, base, 0));
	ASSERT_EQ(0, sec_unmap(self->fd, view));
	EXPECT_EQ(0, told(self->pid, self->fd, "regions"));
	EXPECT_EQ(0, told(self->pid, self->fd, "mapped"));
}

/* Rules: FI-02. The memory of who has the descriptor, not of who has opened it */
TEST_F(fdinfo, whose)
{
	struct child child = { .pid = fork() };
	int64_t committed;

	ASSERT_LE(0, child.pid);
	if (!child.pid) {
		if (wr_reserve_aligned(self->fd, MIB(2), 0, true))
			pause();
		_exit(1);
	}
	while ((committed = told(child.pid, self->fd, "committed")) == 0)
		sleep_ms(1);
	EXPECT_EQ((int64_t)MIB(2), committed);
	EXPECT_EQ(0, told(self->pid, self->fd, "committed"));
	kill(child.pid, SIGKILL);
	waitid(P_PID, child.pid, NULL, WEXITED | WNOWAIT);
	/* It has no descriptors any more. */
	EXPECT_EQ(-1, told(child.pid, self->fd, "committed"));
	waitpid(child.pid, NULL, 0);
}

static int read_of_thread(void *fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fdinfo/%d", getpid(),
		 getpid(), *(int *)fd);
	CHECK(wr_reserve_aligned(*(int *)fd, MIB(2), 0, true));
	CHECK(read_proc_field(path, "committed") == MIB(2));
	return 0;
}

/* Rules: FI-02. By the path of a thread, too */
TEST_F(fdinfo, of_a_thread)
{
	EXPECT_EQ(0, in_child(read_of_thread, &self->fd));
}

/* ---- a program with more rights ---- */

#define PROGRAM "/tmp/wr_fdinfo_test"
#define MIGHTY "--mighty"

/* What this program is as PROGRAM: it has memory, and tells that it has */
__attribute__((constructor)) static void be_mighty(int argc, char **argv)
{
	int fd;

	if (argc < 3 || strcmp(argv[1], MIGHTY))
		return;
	fd = wr_open();
	if (geteuid() || !wr_reserve_aligned(fd, MIB(2), 0, true) ||
	    write(atoi(argv[2]), "x", 1) != 1)
		_exit(1);
	pause();
	_exit(0);
}

static bool says(int file, const char *name)
{
	char text[1024] = "";

	/* The core says something of each descriptor. */
	if (pread(file, text, sizeof(text) - 1, 0) <= 0 || !strstr(text, "pos:"))
		abort();
	return strstr(text, name);
}

static int look_on(void *arg)
{
	int fd = fcntl(*(int *)arg, F_DUPFD, 3);
	char path[64], number[16], c;
	int go[2], there[2], file;
	pid_t pid;

	CHECK(!setgid(SOMEBODY) && !setuid(SOMEBODY));
	CHECK(!prctl(PR_SET_DUMPABLE, 1));
	CHECK(!pipe(go) && !pipe(there));
	pid = fork();
	if (!pid) {
		snprintf(number, sizeof(number), "%d", there[1]);
		if (read(go[0], &c, 1) == 1)
			execl(PROGRAM, PROGRAM, MIGHTY, number, NULL);
		_exit(1);
	}
	close(there[1]);
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(file >= 0 && says(file, "committed:"));
	CHECK(write(go[1], "x", 1) == 1 && read(there[0], &c, 1) == 1);
	CHECK(!says(file, "committed:"));
	CHECK(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	return 0;
}

/* Rules: FI-06. Who has opened the file before looks at a set-user-ID program. */
TEST_F(fdinfo, of_a_program_with_more_rights)
{
	if (geteuid())
		SKIP(return, "only root can make such a program");
	unlink(PROGRAM);
	ASSERT_TRUE(copy_program(PROGRAM, 04755));
	EXPECT_EQ(0, in_child(look_on, &self->fd));
	unlink(PROGRAM);
}

/* Rules: FI-06. Who may look at everybody */
TEST_F(fdinfo, of_another_user)
{
	pid_t pid;
	int64_t committed;

	if (geteuid())
		SKIP(return, "only root may look");
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (!setuid(SOMEBODY) &&
		    wr_reserve_aligned(self->fd, MIB(2), 0, true))
			pause();
		_exit(1);
	}
	while ((committed = told(pid, self->fd, "committed")) == 0)
		sleep_ms(1);
	EXPECT_EQ((int64_t)MIB(2), committed);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int descriptor_of(int fd, pid_t pid)
{
	struct winregion_open_process arg = {
		.size = sizeof(arg),
		.out_fd = -1,
	};
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	arg.memory = open(path, O_RDONLY | O_CLOEXEC);
	if (arg.memory < 0 || wr_ioctl(fd, WINREGION_OPEN_PROCESS, &arg))
		return -1;
	close(arg.memory);
	return arg.out_fd;
}

/* As the first process of a namespace */
static int look_inside(void *arg)
{
	int fd = *(int *)arg, process;
	pid_t pid;

	CHECK(getpid() == 1);
	CHECK(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(!mount("proc", "/proc", "proc", 0, NULL));
	CHECK(wr_reserve_aligned(fd, MIB(2), 0, true));
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	process = descriptor_of(fd, pid);
	CHECK(process >= 0);
	CHECK(told(1, fd, "committed") == MIB(2));
	CHECK(told(pid, fd, "committed") == MIB(2));
	CHECK(told(1, process, "process") == pid);
	CHECK(told(1, process, "committed") == MIB(2));
	return 0;
}

static int make_inside(void *fd)
{
	CHECK(!unshare(CLONE_NEWPID | CLONE_NEWNS));
	return in_child(look_inside, fd);
}

/* Rules: FI-02, FI-04. Processes have the numbers that are theirs where one looks. */
TEST_F(fdinfo, in_a_namespace)
{
	if (geteuid())
		SKIP(return, "only root may make one");
	EXPECT_EQ(0, in_child(make_inside, &self->fd));
}

/* ---- many ---- */

#define MANY 2000

struct churn {
	int fd;
	bool stop;
};

static void *come_and_go(void *arg)
{
	struct churn *churn = arg;
	char *base;

	while (!__atomic_load_n(&churn->stop, __ATOMIC_RELAXED)) {
		base = wr_reserve(churn->fd, LARGE);
		if (!base || wr_release(churn->fd, base, 0))
			return churn;
	}
	return NULL;
}

/* Rules: FI-01, FI-05. What is looked at is no obstacle, and does not get lost. */
TEST_F(fdinfo, many_windows)
{
	struct churn churn = { .fd = self->fd };
	int64_t n;
	unsigned int i;
	pthread_t thread;
	void *failed;

	for (i = 0; i < MANY; i++)
		ASSERT_TRUE(wr_reserve(self->fd, LARGE));
	ASSERT_EQ(0, pthread_create(&thread, NULL, come_and_go, &churn));
	for (i = 0; i < 50; i++) {
		n = told(self->pid, self->fd, "windows");
		EXPECT_TRUE(n == MANY || n == MANY + 1);
	}
	__atomic_store_n(&churn.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, &failed);
	EXPECT_EQ(NULL, failed);
	EXPECT_EQ(MANY, told(self->pid, self->fd, "windows"));
	EXPECT_EQ(MANY, told(self->pid, self->fd, "regions"));
	EXPECT_EQ(MANY * LARGE, told(self->pid, self->fd, "mapped"));
}

/* ---- sections and processes ---- */

/* Rules: FI-03. */
TEST_F(fdinfo, section)
{
	struct winregion_create_section arg = {
		.length = MIB(1),
	};
	int named = sec_create_named_with(self->fd, "a\\b \001c", &arg);
	int reserved = sec_create(self->fd, -1, MIB(1),
				  WINREGION_SECTION_RESERVE, RW);
	char *text, owner[32];

	ASSERT_LE(0, named);
	ASSERT_LE(0, reserved);
	text = told_in_words(named);
	EXPECT_TRUE(strstr(text, "section:\tmemory\n"));
	EXPECT_TRUE(strstr(text, "access:\t0x1f\n"));
	EXPECT_TRUE(strstr(text, "protection:\t0x4\n"));
	EXPECT_TRUE(strstr(text, "size:\t1048576 bytes\n"));
	EXPECT_TRUE(strstr(text, "name:\tLocal\\a\\134b \\001c\n"));
	snprintf(owner, sizeof(owner), "owner:\t%u\n", geteuid());
	EXPECT_TRUE(strstr(text, owner));
	EXPECT_FALSE(strstr(text, "file:"));
	free(text);
	EXPECT_EQ((int64_t)MIB(1), told(self->pid, named, "committed"));
	EXPECT_EQ(0, told(self->pid, reserved, "committed"));
	close(reserved);
	close(named);
}

#define FILE_PATH "/tmp/wr fdinfo"

/* Rules: FI-03. */
TEST_F(fdinfo, section_of_file)
{
	int file = open(FILE_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int section;
	char *text;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, 5000));
	section = sec_create(self->fd, file, 0, 0, RO);
	ASSERT_LE(0, section);
	text = told_in_words(section);
	EXPECT_TRUE(strstr(text, "section:\tfile\n"));
	EXPECT_TRUE(strstr(text, "size:\t5000 bytes\n"));
	EXPECT_TRUE(strstr(text, "file:\t/tmp/wr\\040fdinfo\n"));
	EXPECT_FALSE(strstr(text, "name:"));
	free(text);
	close(section);
	close(file);
	unlink(FILE_PATH);
}

/* Rules: FI-04. Of a process, as long as it is there; then nothing */
TEST_F(fdinfo, process)
{
	char *base = wr_reserve_aligned(self->fd, MIB(2), 0, true);
	pid_t pid = fork();
	int process;
	char *text;

	ASSERT_TRUE(base);
	ASSERT_LE(0, pid);
	if (!pid) {
		pause();
		_exit(1);
	}
	process = descriptor_of(self->fd, pid);
	ASSERT_LE(0, process);
	EXPECT_EQ(pid, told(self->pid, process, "process"));
	EXPECT_EQ((int64_t)MIB(2), told(self->pid, process, "committed"));
	text = told_in_words(process);
	EXPECT_TRUE(strstr(text, "access:\tquery\n"));
	free(text);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	EXPECT_EQ(0, told(self->pid, process, "process"));
	EXPECT_EQ(0, told(self->pid, process, "committed"));
	close(process);
}

static int64_t all(const char *name)
{
	return read_proc_field(DEBUG, name);
}

/* Rules: FI-05. */
TEST_F(fdinfo, of_all)
{
	struct winregion_get_info info;
	int64_t sections, processes;
	int section;
	char *base;

	if (geteuid())
		SKIP(return, "only root may look");
	sections = all("sections");
	processes = all("processes");
	EXPECT_LE(0, sections);
	section = sec_create(self->fd, -1, UNIT, 0, RW);
	base = wr_alloc(self->fd, LARGE);
	ASSERT_TRUE(section >= 0 && base);
	EXPECT_EQ(sections + 1, all("sections"));
	EXPECT_EQ(processes + 1, all("processes"));
	EXPECT_LE(LARGE, all("committed"));
	EXPECT_LE(LARGE, all("mapped"));
	ASSERT_EQ(0, wr_get_info(self->fd, &info));
	EXPECT_EQ((int64_t)info.out_total, all("total"));
	ASSERT_TRUE(try_write(base));
	ASSERT_EQ(base, VirtualAlloc(base, KIB(4), MEM_RESET, PAGE_READWRITE));
	EXPECT_LE((int64_t)KIB(4), all("freeable"));
	EXPECT_EQ(0, all("cold"));
	EXPECT_EQ(0, all("out"));
	close(section);
	EXPECT_EQ(sections, all("sections"));
}

TEST_HARNESS_MAIN
