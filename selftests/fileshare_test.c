// SPDX-License-Identifier: GPL-2.0
/*
 * Share modes: who may open, delete and move a file that others have open
 */
#include "kselftest_harness.h"

#include <spawn.h>

#include "file_fixture.h"
#include "rounds.h"

/* A second way to open the file, with the result that a first one leaves it */
static bool opens_beside(const char *name, DWORD access, DWORD share)
{
	HANDLE file;

	SetLastError(OUR_ERROR);
	file = open_file(name, access, share, OPEN_EXISTING, 0);
	if (file != BAD) {
		CloseHandle(file);
		return true;
	}
	if (GetLastError() != ERROR_SHARING_VIOLATION)
		fprintf(stderr, "# last error %u\n", GetLastError());
	return false;
}

/* ---- the table ---- */

#define READS (FILE_READ_DATA | FILE_EXECUTE)
#define WRITES (FILE_WRITE_DATA | FILE_APPEND_DATA)

static const DWORD accesses[] = {
	0,
	GENERIC_READ,
	GENERIC_WRITE,
	READ_WRITE,
	GENERIC_EXECUTE,
	GENERIC_ALL,
	DELETE,
	GENERIC_READ | DELETE,
	FILE_APPEND_DATA,
	FILE_READ_EA | FILE_WRITE_ATTRIBUTES,
};

static DWORD specific(DWORD access)
{
	if (access & GENERIC_READ)
		access |= FILE_GENERIC_READ;
	if (access & GENERIC_WRITE)
		access |= FILE_GENERIC_WRITE;
	if (access & GENERIC_EXECUTE)
		access |= FILE_GENERIC_EXECUTE;
	if (access & GENERIC_ALL)
		access |= FILE_ALL_ACCESS;
	return access & (READS | WRITES | DELETE);
}

/* What one side uses the other shares. */
static bool allows(DWORD access, DWORD share)
{
	return (!(access & READS) || share & FILE_SHARE_READ) &&
	       (!(access & WRITES) || share & FILE_SHARE_WRITE) &&
	       (!(access & DELETE) || share & FILE_SHARE_DELETE);
}

static bool go_together(DWORD access1, DWORD share1, DWORD access2, DWORD share2)
{
	access1 = specific(access1);
	access2 = specific(access2);
	return !access1 || !access2 ||
	       (allows(access1, share2) && allows(access2, share1));
}

/* Is every second opening as the table has it? */
static bool go_as_they_should(DWORD access1, DWORD share1)
{
	DWORD access2, share2;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(accesses) * (SHARE_ALL + 1); i++) {
		access2 = accesses[i / (SHARE_ALL + 1)];
		share2 = i % (SHARE_ALL + 1);
		if (go_together(access1, share1, access2, share2) !=
		    opens_beside("file", access2, share2)) {
			fprintf(stderr, "# %#x %u, %#x %u\n", access1, share1,
				access2, share2);
			return false;
		}
	}
	return true;
}

/* Rules: FILE-20, FILE-24. */
TEST_F_TIMEOUT(files, every_pair, 120)
{
	DWORD share;
	HANDLE first;
	size_t i;

	ASSERT_TRUE(make_file("file", "text"));
	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		for (share = 0; share <= SHARE_ALL; share++) {
			first = open_file("file", accesses[i], share,
					  OPEN_EXISTING, 0);
			ASSERT_NE(BAD, first);
			ASSERT_TRUE(go_as_they_should(accesses[i], share));
			ASSERT_TRUE(CloseHandle(first));
		}
	}
	EXPECT_EQ(self->fds, count_fds());
}

/* ---- several processes ---- */

struct holder {
	struct rendezvous rv;
	DWORD access;
	DWORD share;
};

static int hold(void *arg)
{
	struct holder *holder = arg;
	HANDLE file = open_file("file", holder->access, holder->share,
				OPEN_EXISTING, 0);

	CHECK(file != BAD);
	rendezvous_signal(&holder->rv, 1);
	rendezvous_wait(&holder->rv, 1);
	CHECK(CloseHandle(file));
	rendezvous_signal(&holder->rv, 1);
	rendezvous_wait(&holder->rv, 1);
	return 0;
}

/* Rules: FILE-21. */
TEST_F(files, another_process)
{
	struct holder holder = {
		.access = GENERIC_READ,
		.share = FILE_SHARE_READ,
	};
	struct child child;

	ASSERT_TRUE(make_file("file", "text"));
	ASSERT_TRUE(rendezvous_init(&holder.rv));
	child = start_child(hold, &holder);
	rendezvous_wait(&holder.rv, 0);
	EXPECT_FALSE(opens_beside("file", READ_WRITE, SHARE_ALL));
	EXPECT_EQ(ERROR_SHARING_VIOLATION, GetLastError());
	EXPECT_FALSE(opens_beside("file", DELETE, SHARE_ALL));
	EXPECT_FALSE(opens_beside("file", GENERIC_READ, FILE_SHARE_WRITE));
	EXPECT_TRUE(opens_beside("file", GENERIC_READ, FILE_SHARE_READ));
	EXPECT_TRUE(opens_beside("file", 0, 0));
	EXPECT_FAILS(ERROR_SHARING_VIOLATION, DeleteFileA("file"));
	rendezvous_signal(&holder.rv, 0);
	rendezvous_wait(&holder.rv, 0);
	EXPECT_TRUE(opens_beside("file", READ_WRITE | DELETE, 0));
	rendezvous_signal(&holder.rv, 0);
	EXPECT_EQ(0, end_child(&child));
}

/* Rules: FILE-22. */
TEST_F(files, killed)
{
	struct holder holder = { .access = READ_WRITE, .share = 0 };
	struct child child;

	ASSERT_TRUE(make_file("file", "text"));
	ASSERT_TRUE(rendezvous_init(&holder.rv));
	child = start_child(hold, &holder);
	rendezvous_wait(&holder.rv, 0);
	EXPECT_FALSE(opens_beside("file", GENERIC_READ, SHARE_ALL));
	ASSERT_EQ(0, kill(child.pid, SIGKILL));
	EXPECT_EQ(-SIGKILL, end_child(&child));
	EXPECT_TRUE(opens_beside("file", READ_WRITE | DELETE, 0));
}

static int keep_open(void *arg)
{
	struct rendezvous *rv = arg;

	rendezvous_signal(rv, 1);
	rendezvous_wait(rv, 1);
	return 0;
}

/* Rules: FILE-25. */
TEST_F(files, until_the_last_handle)
{
	HANDLE file = open_file("file", GENERIC_READ, 0, CREATE_NEW, 0), other;
	struct rendezvous rv;
	struct child child;

	ASSERT_NE(BAD, file);
	ASSERT_TRUE(DuplicateHandle(GetCurrentProcess(), file,
				    GetCurrentProcess(), &other, 0, FALSE, 0));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_FALSE(opens_beside("file", GENERIC_READ, SHARE_ALL));
	ASSERT_TRUE(rendezvous_init(&rv));
	child = start_child(keep_open, &rv);
	rendezvous_wait(&rv, 0);
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_FALSE(opens_beside("file", GENERIC_READ, SHARE_ALL));
	rendezvous_signal(&rv, 0);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(opens_beside("file", GENERIC_READ, SHARE_ALL));
}

/* Rules: FILE-29. */
TEST_F(files, closed_beside_a_vfork)
{
	HANDLE file = open_file("file", READ_WRITE, 0, CREATE_NEW, 0);
	struct vforked child;

	ASSERT_NE(BAD, file);
	ASSERT_TRUE(start_vforked(&child));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(opens_beside("file", READ_WRITE | DELETE, 0));
	EXPECT_TRUE(MoveFileExA("file", "other", 0));
	EXPECT_TRUE(end_vforked(&child));
	/* What is open for a moment only */
	file = open_file("other", GENERIC_WRITE, FILE_SHARE_DELETE,
			 OPEN_EXISTING, 0);
	ASSERT_TRUE(start_vforked(&child));
	EXPECT_NO_OPEN(ERROR_SHARING_VIOLATION,
		       open_file("other", GENERIC_READ, 0, OPEN_EXISTING, 0));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(opens_beside("other", READ_WRITE, 0));
	EXPECT_TRUE(DeleteFileA("other"));
	EXPECT_TRUE(end_vforked(&child));
}

/* Rules: FILE-25. A descriptor of another program is not taken away from it. */
TEST_F(files, closed_after_an_inheritor)
{
	HANDLE file = open_file("file", READ_WRITE, 0, CREATE_NEW, 0);
	struct vforked child;

	ASSERT_NE(BAD, file);
	ASSERT_TRUE(SetHandleInformation(file, HANDLE_FLAG_INHERIT,
					 HANDLE_FLAG_INHERIT));
	ASSERT_TRUE(start_vforked(&child));
	ASSERT_TRUE(SetHandleInformation(file, HANDLE_FLAG_INHERIT, 0));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_FALSE(opens_beside("file", GENERIC_READ, SHARE_ALL));
	EXPECT_TRUE(end_vforked(&child));
	EXPECT_TRUE(opens_beside("file", GENERIC_READ, SHARE_ALL));
}

static void *spawn_often(void *arg)
{
	char name[] = "true", *argv[] = { name, NULL };
	volatile bool *stop = arg;
	pid_t pid;

	/* Of a program that is not there the child ends after all that, too. */
	while (!*stop)
		if (!posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ))
			waitpid(pid, NULL, 0);
	return NULL;
}

/* Rules: FILE-29. */
TEST_F_TIMEOUT(files, opened_while_a_thread_spawns, 120)
{
	long round, rounds = race_rounds(10000);
	volatile bool stop = false;
	pthread_t thread;
	HANDLE file;

	ASSERT_EQ(0, pthread_create(&thread, NULL, spawn_often,
				    (void *)&stop));
	for (round = 0; round < rounds; round++) {
		file = open_file("file", READ_WRITE, 0, OPEN_ALWAYS, 0);
		ASSERT_NE(BAD, file);
		ASSERT_TRUE(CloseHandle(file));
		if (round % 4 == 0)
			ASSERT_TRUE(DeleteFileA("file"));
	}
	stop = true;
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

/* ---- many at once ---- */

#define NR_RACERS 4

struct race {
	DWORD access;
	int arrived;
	int winners;
	int wrong;
	int bad_rounds;
};

/* All racers come here, or nobody goes on. */
static void meet(struct race *race, int *phase)
{
	*phase += NR_RACERS;
	__atomic_add_fetch(&race->arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&race->arrived, __ATOMIC_SEQ_CST) < *phase)
		sched_yield();
}

struct racer {
	struct race *race;
	int number;
};

static int run_races(void *arg)
{
	struct racer *racer = arg;
	struct race *race = racer->race;
	long round, nr = rounds(fileshare_winners);
	int phase = 0;
	HANDLE file;

	for (round = 0; round < nr; round++) {
		meet(race, &phase);
		file = open_file("file", race->access, 0, OPEN_EXISTING, 0);
		if (file != BAD)
			__atomic_add_fetch(&race->winners, 1, __ATOMIC_SEQ_CST);
		else if (GetLastError() != ERROR_SHARING_VIOLATION)
			__atomic_add_fetch(&race->wrong, 1, __ATOMIC_SEQ_CST);
		meet(race, &phase);
		if (racer->number == 0 && race->winners != 1)
			race->bad_rounds++;
		if (file != BAD)
			CloseHandle(file);
		meet(race, &phase);
		if (racer->number == 0)
			race->winners = 0;
	}
	return 0;
}

FIXTURE(race)
{
	struct race *race;
	char directory[32];
};

FIXTURE_VARIANT(race)
{
	DWORD access;
};

FIXTURE_VARIANT_ADD(race, readers)
{
	.access = GENERIC_READ,
};

FIXTURE_VARIANT_ADD(race, writers)
{
	.access = READ_WRITE,
};

FIXTURE_SETUP(race)
{
	snprintf(self->directory, sizeof(self->directory), "/tmp/files.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->directory));
	ASSERT_EQ(0, chdir(self->directory));
	self->race = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->race);
	self->race->access = variant->access;
}

FIXTURE_TEARDOWN(race)
{
	if (!chdir("/"))
		remove_tree(self->directory);
}

/* Rules: FILE-23. */
TEST_F_TIMEOUT(race, one_winner, 300)
{
	struct child children[NR_RACERS];
	int i;

	ASSERT_TRUE(make_file("file", "text"));
	for (i = 0; i < NR_RACERS; i++)
		children[i] = start_child(run_races,
					  &(struct racer){ self->race, i });
	for (i = 0; i < NR_RACERS; i++)
		EXPECT_EQ(0, end_child(&children[i]));
	EXPECT_EQ(0, self->race->wrong);
	EXPECT_EQ(0, self->race->bad_rounds);
}

/* ---- what is made, cut, deleted or moved ---- */

/* Rules: FILE-26. */
TEST_F(files, cut_is_a_write)
{
	HANDLE file;

	ASSERT_TRUE(make_file("file", "text"));
	file = open_file("file", GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING,
			 0);
	EXPECT_NO_OPEN(ERROR_SHARING_VIOLATION,
		       open_file("file", GENERIC_READ, SHARE_ALL, CREATE_ALWAYS,
				 0));
	EXPECT_NO_OPEN(ERROR_SHARING_VIOLATION,
		       open_file("file", 0, SHARE_ALL, CREATE_ALWAYS, 0));
	EXPECT_NO_OPEN(ERROR_SHARING_VIOLATION,
		       open_file("file", READ_WRITE, SHARE_ALL,
				 TRUNCATE_EXISTING, 0));
	EXPECT_TRUE(file_has("file", "text"));
	EXPECT_TRUE(CloseHandle(file));

	/* Who has cut it to read it does not write any more. */
	file = open_file("file", GENERIC_READ, SHARE_ALL, CREATE_ALWAYS, 0);
	ASSERT_NE(BAD, file);
	EXPECT_TRUE(opens_beside("file", GENERIC_READ, FILE_SHARE_READ));
	EXPECT_TRUE(CloseHandle(file));
}

/* Rules: FILE-71. */
TEST_F(files, delete_asks_the_users)
{
	HANDLE file = open_file("file", GENERIC_READ, FILE_SHARE_READ |
				FILE_SHARE_WRITE, CREATE_NEW, 0);

	EXPECT_FAILS(ERROR_SHARING_VIOLATION, DeleteFileA("file"));
	EXPECT_TRUE(is_there("file"));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(DeleteFileA("file"));

	/* One that is deleted when it is closed is open for deleting. */
	file = open_file("file", GENERIC_READ, FILE_SHARE_READ, CREATE_NEW,
			 FILE_FLAG_DELETE_ON_CLOSE);
	EXPECT_FALSE(opens_beside("file", GENERIC_READ, FILE_SHARE_READ));
	EXPECT_TRUE(opens_beside("file", GENERIC_READ,
				 FILE_SHARE_READ | FILE_SHARE_DELETE));
	EXPECT_TRUE(CloseHandle(file));
}

/* Rules: FILE-75. */
TEST_F(files, move_asks_the_users)
{
	HANDLE file;

	ASSERT_TRUE(make_file("a", "a"));
	ASSERT_TRUE(make_file("b", "b"));
	file = open_file("a", GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING, 0);
	EXPECT_FAILS(ERROR_SHARING_VIOLATION, MoveFileExA("a", "c", 0));
	/* Also where nothing would change */
	EXPECT_FAILS(ERROR_SHARING_VIOLATION, MoveFileExA("a", "a", 0));
	EXPECT_FAILS(ERROR_SHARING_VIOLATION, MoveFileExA("a", ".\\a", 0));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     MoveFileExA("b", "a", MOVEFILE_REPLACE_EXISTING));
	EXPECT_TRUE(file_has("a", "a") && file_has("b", "b"));
	EXPECT_TRUE(CloseHandle(file));
	file = open_shared("a", OPEN_EXISTING);
	EXPECT_TRUE(MoveFileExA("a", ".\\a", 0));
	EXPECT_TRUE(MoveFileExA("a", "c", 0));
	EXPECT_TRUE(MoveFileExA("b", "c", MOVEFILE_REPLACE_EXISTING));
	EXPECT_TRUE(gets(file, "a"));
	EXPECT_TRUE(file_has("c", "b"));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(self->fds, count_fds());
}

/* ---- how it is done ---- */

static int write_only(void *arg)
{
	HANDLE files[8];
	int i;

	CHECK(!setresuid(NOBODY, NOBODY, NOBODY));
	for (i = 0; i < 8; i++) {
		files[i] = open_file("log", GENERIC_WRITE, FILE_SHARE_WRITE,
				     OPEN_EXISTING, 0);
		CHECK(files[i] != BAD);
	}
	CHECK(!opens_beside("log", GENERIC_WRITE, 0));
	CHECK(GetLastError() == ERROR_SHARING_VIOLATION);
	for (i = 0; i < 8; i++)
		CHECK(CloseHandle(files[i]));
	files[0] = open_file("log", GENERIC_WRITE, 0, OPEN_EXISTING, 0);
	CHECK(files[0] != BAD);
	CHECK(!opens_beside("log", GENERIC_WRITE, FILE_SHARE_WRITE));
	CHECK(FAILS_WITH(ERROR_SHARING_VIOLATION, DeleteFileA("log")));
	return 0;
}

/* Rules: FILE-27. */
TEST_F(files, files_that_cannot_be_read)
{
	if (geteuid())
		SKIP(return, "not root");
	ASSERT_TRUE(make_file("log", ""));
	ASSERT_EQ(0, chmod("log", 0622));
	ASSERT_EQ(0, chmod(self->directory, 0777));
	EXPECT_EQ(0, in_child(write_only, NULL));
}

/* Rules: FILE-28. */
TEST_F(files, locks_of_others)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd;

	ASSERT_TRUE(make_file("file", "text"));
	fd = open("file", O_RDWR | O_CLOEXEC);
	/* Some bytes are no matter; the whole file, to its end, is. */
	lock.l_len = 1 << 20;
	ASSERT_EQ(0, fcntl(fd, F_OFD_SETLK, &lock));
	EXPECT_TRUE(opens_beside("file", READ_WRITE, SHARE_ALL));
	lock.l_len = 0;
	ASSERT_EQ(0, fcntl(fd, F_OFD_SETLK, &lock));
	EXPECT_FALSE(opens_beside("file", READ_WRITE, SHARE_ALL));
	EXPECT_EQ(ERROR_SHARING_VIOLATION, GetLastError());
	EXPECT_TRUE(opens_beside("file", 0, 0));
	close(fd);
	EXPECT_TRUE(opens_beside("file", READ_WRITE, SHARE_ALL));
	EXPECT_EQ(self->fds, count_fds());
}

TEST_HARNESS_MAIN
