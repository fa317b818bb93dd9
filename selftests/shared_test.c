// SPDX-License-Identifier: GPL-2.0
/*
 * Variables that all instances of a program share: winregion_share()
 *
 * The instances are copies of this very program, so that the test itself is none of
 * them. What one is to do is in its environment; it never gets to main().
 */
#include "kselftest_harness.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <winregion/shared.h>
#include <winregion/windows.h>

#include "common.h"
#include "wr_test_util.h"

#define MANY 50
#define KILLED 20
#define BEGIN 7 /* what the counter starts with */
#define NOBODY 65534
#define ROLE "SHARED_TEST_ROLE"

/* What instances have in common with who starts them */
#define TELL 100
#define END 101

static LONG volatile count WINREGION_SHARED = BEGIN;
static char text[10000] WINREGION_SHARED = "as it was initialised";

/* Counts itself until it is told to end. */
static void be_instance(void)
{
	LONG mine = InterlockedIncrement(&count);
	char byte;

	if (write(TELL, &mine, sizeof(mine)) != sizeof(mine))
		_exit(1);
	while (read(END, &byte, 1) > 0)
		;
	InterlockedDecrement(&count);
	_exit(0);
}

/* What a child of a fork does to them is seen here. */
static void be_parent(void)
{
	LONG before = count;
	pid_t pid = fork();
	int status;

	if (!pid) {
		InterlockedIncrement(&count);
		_exit(0);
	}
	_exit(waitpid(pid, &status, 0) != pid || status ||
	      count != before + 1);
}

__attribute__((constructor(1000))) static void act(void)
{
	const char *role = getenv(ROLE);

	if (!role)
		return;
	if (!strcmp(role, "instance"))
		be_instance();
	if (!strcmp(role, "fork"))
		be_parent();
	if (strcmp(text, "as it was initialised") || text[sizeof(text) - 1])
		_exit(99);
	_exit(count);
}

FIXTURE(shared)
{
	char directory[32];
	char program[64];
	int tell[2];
	int end[2];
	pid_t pid[MANY];
};

FIXTURE_SETUP(shared)
{
	snprintf(self->directory, sizeof(self->directory),
		 "/tmp/shared.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->directory));
	ASSERT_EQ(0, chmod(self->directory, 0755));
	snprintf(self->program, sizeof(self->program), "%s/program",
		 self->directory);
	ASSERT_TRUE(copy_program(self->program, 0755));
	ASSERT_EQ(0, pipe2(self->tell, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(self->end, O_CLOEXEC));
}

FIXTURE_TEARDOWN(shared)
{
	unlink(self->program);
	rmdir(self->directory);
}

static pid_t start(FIXTURE_DATA(shared) *self, const char *program,
		   const char *role, uid_t uid)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (dup2(self->tell[1], TELL) < 0 || dup2(self->end[0], END) < 0 ||
	    (uid && setresuid(uid, uid, uid)))
		_exit(98);
	setenv(ROLE, role, 1);
	execl(program, program, NULL);
	_exit(97);
}

/* Return: its exit status, or -signal */
static int end_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1000;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int look_as(FIXTURE_DATA(shared) *self, const char *program, uid_t uid)
{
	return end_of(start(self, program, "look", uid));
}

static int look(FIXTURE_DATA(shared) *self)
{
	return look_as(self, self->program, 0);
}

/* Instances [@from, @to); each has a number of its own. */
static bool start_many(FIXTURE_DATA(shared) *self, int from, int to)
{
	bool seen[MANY + 1] = { };
	LONG number;
	int i;

	for (i = from; i < to; i++)
		self->pid[i] = start(self, self->program, "instance", 0);
	for (i = from; i < to; i++) {
		if (read(self->tell[0], &number, sizeof(number)) !=
			    sizeof(number) ||
		    number <= BEGIN || number > BEGIN + MANY ||
		    seen[number - BEGIN])
			return false;
		seen[number - BEGIN] = true;
	}
	return true;
}

static void let_end(FIXTURE_DATA(shared) *self)
{
	close(self->end[1]);
	self->end[1] = -1;
}

/* All at once, so that many are the first; and those that are killed still count. */
TEST_F(shared, fifty)
{
	int i;

	ASSERT_TRUE(start_many(self, 0, MANY));
	EXPECT_EQ(BEGIN + MANY, look(self));
	for (i = 0; i < KILLED; i++) {
		EXPECT_EQ(0, kill(self->pid[i], SIGKILL));
		EXPECT_EQ(-SIGKILL, end_of(self->pid[i]));
	}
	EXPECT_EQ(BEGIN + MANY, look(self));

	/* The last of those that live keeps what the others have left. */
	ASSERT_EQ(0, kill(self->pid[MANY - 1], SIGSTOP));
	let_end(self);
	for (i = KILLED; i < MANY - 1; i++)
		EXPECT_EQ(0, end_of(self->pid[i]));
	EXPECT_EQ(BEGIN + KILLED + 1, look(self));
	ASSERT_EQ(0, kill(self->pid[MANY - 1], SIGCONT));
	EXPECT_EQ(0, end_of(self->pid[MANY - 1]));

	/* After the last one all begins anew. */
	EXPECT_EQ(BEGIN, look(self));
}

/* Also when each of them was killed */
TEST_F(shared, all_killed)
{
	int i, round;

	for (round = 0; round < 3; round++) {
		ASSERT_TRUE(start_many(self, 0, 5));
		for (i = 0; i < 5; i++) {
			EXPECT_EQ(0, kill(self->pid[i], SIGKILL));
			EXPECT_EQ(-SIGKILL, end_of(self->pid[i]));
		}
		EXPECT_EQ(BEGIN, look(self));
	}
}

/* Another file is another program, and so is the same name once it is built anew. */
TEST_F(shared, other_file)
{
	char moved[80];

	snprintf(moved, sizeof(moved), "%s.moved", self->program);
	ASSERT_TRUE(start_many(self, 0, 3));
	ASSERT_EQ(0, rename(self->program, moved));
	ASSERT_TRUE(copy_program(self->program, 0755));
	EXPECT_EQ(BEGIN, look(self));
	EXPECT_EQ(BEGIN + 3, look_as(self, moved, 0));
	EXPECT_EQ(0, unlink(moved));
	let_end(self);
	EXPECT_EQ(0, end_of(self->pid[0]));
	EXPECT_EQ(0, end_of(self->pid[1]));
	EXPECT_EQ(0, end_of(self->pid[2]));
}

TEST_F(shared, forked)
{
	ASSERT_TRUE(start_many(self, 0, 1));
	EXPECT_EQ(0, end_of(start(self, self->program, "fork", 0)));
	EXPECT_EQ(BEGIN + 2, look(self));
	let_end(self);
	EXPECT_EQ(0, end_of(self->pid[0]));
}

/* Each user has variables of his own, and nobody else can get at them. */
TEST_F(shared, other_user)
{
	char name[64], other[64];
	struct stat st;

	snprintf(name, sizeof(name), "/dev/shm/winregion-%u", getuid());
	snprintf(other, sizeof(other), "/dev/shm/winregion-%u", NOBODY);
	if (getuid())
		SKIP(return, "only root can be somebody else");
	ASSERT_TRUE(start_many(self, 0, 2));
	EXPECT_EQ(BEGIN, look_as(self, self->program, NOBODY));
	EXPECT_EQ(BEGIN + 2, look(self));
	ASSERT_EQ(0, stat(name, &st));
	EXPECT_EQ(0700, st.st_mode & 07777);
	ASSERT_EQ(0, stat(other, &st));
	EXPECT_EQ(NOBODY, st.st_uid);
	EXPECT_EQ(0700, st.st_mode & 07777);
	let_end(self);
	EXPECT_EQ(0, end_of(self->pid[0]));
	EXPECT_EQ(0, end_of(self->pid[1]));
}

/* A program that gets rights by its file shares nothing with who starts it. */
TEST_F(shared, more_rights)
{
	LONG number;
	int i;

	if (getuid())
		SKIP(return, "only root can give them");
	ASSERT_EQ(0, chown(self->program, 0, 4242));
	ASSERT_EQ(0, chmod(self->program, 02755));
	for (i = 0; i < 2; i++) {
		self->pid[i] = start(self, self->program, "instance", NOBODY);
		ASSERT_EQ((ssize_t)sizeof(number),
			  read(self->tell[0], &number, sizeof(number)));
		EXPECT_EQ(BEGIN + 1, number);
	}
	let_end(self);
	EXPECT_EQ(0, end_of(self->pid[0]));
	EXPECT_EQ(0, end_of(self->pid[1]));
}

/* Who makes the directory first has nothing of it: the program does not start. */
TEST_F(shared, squatter)
{
	char name[64], kept[80];

	snprintf(name, sizeof(name), "/dev/shm/winregion-%u", NOBODY);
	snprintf(kept, sizeof(kept), "%s.kept", name);
	if (getuid())
		SKIP(return, "only root can be somebody else");
	rename(name, kept);
	ASSERT_EQ(0, mkdir(name, 0777));
	ASSERT_EQ(0, chmod(name, 0777));
	EXPECT_EQ(127, look_as(self, self->program, NOBODY));
	ASSERT_EQ(0, rmdir(name));
	ASSERT_EQ(0, symlink(self->directory, name));
	EXPECT_EQ(127, look_as(self, self->program, NOBODY));
	ASSERT_EQ(0, unlink(name));
	/* His own, but open to others */
	ASSERT_EQ(0, mkdir(name, 0777));
	ASSERT_EQ(0, chmod(name, 0777));
	ASSERT_EQ(0, chown(name, NOBODY, NOBODY));
	EXPECT_EQ(127, look_as(self, self->program, NOBODY));
	ASSERT_EQ(0, rmdir(name));
	rename(kept, name);
	EXPECT_EQ(BEGIN, look_as(self, self->program, NOBODY));
}

TEST_HARNESS_MAIN
