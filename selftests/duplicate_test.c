// SPDX-License-Identifier: GPL-2.0
/* vm: cpus=2 */
/*
 * Handles of other processes: what one can have of them here, who may, and what becomes
 * of it when that process changes its own, lies, ends or runs another program.
 */
#include "kselftest_harness.h"

#include <sys/syscall.h>

#include "file_fixture.h"
#include "race.h"

#define SELF GetCurrentProcess()
#define DUP PROCESS_DUP_HANDLE
#define SAME DUPLICATE_SAME_ACCESS

/* ---- a process with handles, which does what it is told ---- */

enum {
	AT_FILE, /* has "one two", and is in front of " two" */
	AT_READER, /* the same file, to be read only */
	AT_SECTION, /* full of 5s */
	AT_PROCESS, /* this one */
	AT_EVENT,
	AT_THREAD,
	AT_CLOSED,
	NR_HANDLES
};

enum order {
	POSITION, /* of its file */
	PEEK, /* the first byte of its section */
	CLOSE, /* all */
	TAKE, /* what @handle is in its parent, and write 6 to that section */
	LIE, /* descriptors behind handles become others */
	CHURN, /* one slot, for ever */
	RUN_ANOTHER, /* program */
	END,
};

struct talk {
	uint32_t asked;
	uint32_t answered;
	enum order order;
	HANDLE handle;
	int64_t result;
	HANDLE handles[NR_HANDLES];
};

static void wait_for(uint32_t *word, uint32_t old)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == old)
		sleep_ms(1);
}

static char *view_of(HANDLE section, DWORD access)
{
	return MapViewOfFile(section, access, 0, 0, 0);
}

static bool make_handles(HANDLE *handles)
{
	char *view;

	handles[AT_FILE] = open_shared("file", CREATE_ALWAYS);
	put(handles[AT_FILE], "one two");
	SetFilePointer(handles[AT_FILE], 3, NULL, FILE_BEGIN);
	DuplicateHandle(SELF, handles[AT_FILE], SELF, &handles[AT_READER],
			GENERIC_READ, FALSE, 0);
	handles[AT_SECTION] = CreateFileMappingA(BAD, NULL, PAGE_READWRITE, 0,
						 PAGES(20), NULL);
	view = view_of(handles[AT_SECTION], FILE_MAP_WRITE);
	if (!view)
		return false;
	memset(view, 5, PAGES(20));
	UnmapViewOfFile(view);
	handles[AT_PROCESS] = OpenProcess(PROCESS_ALL_ACCESS, FALSE, getppid());
	handles[AT_EVENT] = CreateEventA(NULL, TRUE, TRUE, NULL);
	DuplicateHandle(SELF, GetCurrentThread(), SELF, &handles[AT_THREAD], 0,
			FALSE, SAME);
	handles[AT_CLOSED] = open_shared("file", OPEN_EXISTING);
	return CloseHandle(handles[AT_CLOSED]);
}

static int64_t peek(HANDLE section)
{
	char *view = view_of(section, FILE_MAP_READ);
	int64_t byte = view ? *view : -1;

	UnmapViewOfFile(view);
	return byte;
}

static int64_t take_from_parent(HANDLE handle)
{
	HANDLE parent = OpenProcess(DUP, FALSE, getppid()), taken;
	char *view;

	if (!DuplicateHandle(parent, handle, SELF, &taken, 0, FALSE, SAME))
		return 0;
	view = view_of(taken, FILE_MAP_WRITE);
	if (!view)
		return 0;
	*view = 6;
	return UnmapViewOfFile(view) && CloseHandle(taken) &&
	       CloseHandle(parent);
}

static int64_t lie(void)
{
	int file = open("file", O_RDONLY | O_CLOEXEC);
	int init = syscall(SYS_pidfd_open, 1, 0);

	return dup2(init, find_fd("[pidfd]")) >= 0 &&
	       dup2(file, find_fd("[winregion-section]")) >= 0;
}

static HANDLE open_churned(const char *name, DWORD access)
{
	return open_file(name, access, SHARE_ALL, OPEN_EXISTING, 0);
}

/* For a while, so that others find it */
static void use(HANDLE handle)
{
	DWORD flags;
	int i;

	for (i = 0; i < 10; i++)
		GetHandleInformation(handle, &flags);
}

/* Handles of one file that stays open: the number is another's at once. */
static void churn_handles(HANDLE kept)
{
	HANDLE handle;
	int i;

	for (i = 0; i < 20; i++) {
		DuplicateHandle(SELF, kept, SELF, &handle, 0, FALSE, SAME);
		use(handle);
		CloseHandle(handle);
	}
}

/* Readers of one file and writers of another, by the same number, one after another */
static void churn(void)
{
	HANDLE first = open_churned("reader", GENERIC_READ);
	HANDLE kept = open_churned("reader", GENERIC_READ);
	int turn;

	CloseHandle(first);
	for (turn = 0;; turn++) {
		first = open_churned("reader", GENERIC_READ);
		/* The table grows, until there is no descriptor left. */
		if (turn % 100 == 0)
			open_churned("file", GENERIC_READ);
		CloseHandle(first);
		CloseHandle(open_churned("writer", GENERIC_WRITE));
		churn_handles(kept);
	}
}

static int64_t obey(struct talk *talk)
{
	int i;

	switch (talk->order) {
	case POSITION:
		return position_of(talk->handles[AT_FILE]);
	case PEEK:
		return peek(talk->handles[AT_SECTION]);
	case CLOSE:
		for (i = 0; i < AT_CLOSED; i++)
			if (!CloseHandle(talk->handles[i]))
				return 0;
		return 1;
	case TAKE:
		return take_from_parent(talk->handle);
	case LIE:
		return lie();
	case CHURN:
		__atomic_add_fetch(&talk->answered, 1, __ATOMIC_RELEASE);
		churn();
		return 0;
	case RUN_ANOTHER:
		execl("/bin/sh", "sh", "-c", "kill -STOP $$", NULL);
		return 0;
	default:
		_exit(42);
	}
}

static void obey_for_ever(struct talk *talk)
{
	uint32_t done;

	if (!make_handles(talk->handles))
		_exit(1);
	__atomic_store_n(&talk->answered, 1, __ATOMIC_RELEASE);
	for (done = 0;; done++) {
		wait_for(&talk->asked, done);
		talk->result = obey(talk);
		__atomic_store_n(&talk->answered, done + 2, __ATOMIC_RELEASE);
	}
}

static int64_t tell(struct talk *talk, enum order order, HANDLE handle)
{
	talk->order = order;
	talk->handle = handle;
	__atomic_add_fetch(&talk->asked, 1, __ATOMIC_RELEASE);
	wait_for(&talk->answered, talk->asked);
	return talk->result;
}

struct other {
	struct talk *talk;
	pid_t pid;
	HANDLE process;
	int fds;
};

static bool start(struct other *other)
{
	other->talk = mmap(NULL, PAGES(1), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (other->talk == MAP_FAILED)
		return false;
	fflush(NULL);
	other->pid = fork();
	if (!other->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		obey_for_ever(other->talk);
	}
	if (other->pid < 0)
		return false;
	wait_for(&other->talk->answered, 0);
	other->process = OpenProcess(DUP, FALSE, other->pid);
	/* The library's own descriptor is there from now on. */
	VirtualFree(VirtualAlloc(NULL, 1, MEM_RESERVE, PAGE_NOACCESS), 0,
		    MEM_RELEASE);
	other->fds = count_fds();
	return other->process;
}

static void kill_it(struct other *other)
{
	kill(other->pid, SIGKILL);
	waitpid(other->pid, NULL, 0);
}

static void end(struct other *other)
{
	CloseHandle(other->process);
	kill_it(other);
	munmap(other->talk, PAGES(1));
}

static HANDLE handle_at(HANDLE handle, long distance)
{
	uintptr_t number = (uintptr_t)handle + distance;

	return (HANDLE)number;
}

static bool take(struct other *other, HANDLE handle, HANDLE *taken,
		 DWORD access, DWORD options)
{
	return DuplicateHandle(other->process, handle, SELF, taken, access,
			       FALSE, options);
}

#define THERE(which) (other.talk->handles[AT_##which])

/* ---- what one can have ---- */

/* Rules: HANDLE-10, HANDLE-30, HANDLE-05. */
TEST_F(files, file_of_another_process)
{
	HANDLE file = (HANDLE)0x4711, second;
	struct other other;

	ASSERT_TRUE(start(&other));
	SetLastError(OUR_ERROR);
	errno = OUR_ERRNO;
	ASSERT_TRUE(take(&other, THERE(FILE), &file, 0, SAME));
	EXPECT_EQ(OUR_ERROR, GetLastError());
	EXPECT_EQ(OUR_ERRNO, errno);
	EXPECT_EQ(other.fds + 1, count_fds());
	EXPECT_EQ(3, position_of(file));
	EXPECT_TRUE(gets(file, " two"));
	EXPECT_EQ(7, tell(other.talk, POSITION, NULL));
	EXPECT_TRUE(put(file, " three"));
	EXPECT_EQ(13, tell(other.talk, POSITION, NULL));

	/* The lowest bits are the program's there, too. */
	ASSERT_TRUE(take(&other, handle_at(THERE(FILE), 3), &second, 0, SAME));
	EXPECT_TRUE(CloseHandle(second));

	/* It stays when it is closed there, and when that process ends. */
	EXPECT_TRUE(tell(other.talk, CLOSE, NULL));
	EXPECT_EQ(13, position_of(file));
	kill_it(&other);
	EXPECT_TRUE(put(file, " four"));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(other.fds, count_fds());
	EXPECT_TRUE(file_has("file", "one two three four"));
	end(&other);
}

/* Rules: FILE-25, FILE-66, HANDLE-30. Who closes it keeps nothing of it from others. */
TEST_F(files, locks_of_a_duplicate)
{
	HANDLE file = NULL, third = open_shared("file", CREATE_ALWAYS);
	struct other other;

	ASSERT_NE(BAD, third);
	ASSERT_TRUE(start(&other));
	ASSERT_TRUE(take(&other, THERE(FILE), &file, 0, SAME));
	EXPECT_TRUE(LockFile(file, 0, 0, 1, 0));
	EXPECT_TRUE(tell(other.talk, CLOSE, NULL));
	EXPECT_FAILS(ERROR_LOCK_VIOLATION, LockFile(third, 0, 0, 1, 0));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(LockFile(third, 0, 0, 1, 0));
	EXPECT_TRUE(CloseHandle(third));
	end(&other);
}

/* Rules: HANDLE-11, HANDLE-12, HANDLE-30. */
TEST_F(files, with_fewer_rights)
{
	struct other other;
	HANDLE file;
	DWORD done;

	ASSERT_TRUE(start(&other));
	ASSERT_TRUE(take(&other, THERE(FILE), &file, GENERIC_READ, 0));
	EXPECT_TRUE(gets(file, " two"));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, WriteFile(file, "x", 1, &done, NULL));
	EXPECT_TRUE(CloseHandle(file));

	ASSERT_TRUE(take(&other, THERE(READER), &file, GENERIC_WRITE, SAME));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, WriteFile(file, "x", 1, &done, NULL));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     take(&other, THERE(READER), &file, GENERIC_WRITE, 0));
	EXPECT_EQ(other.fds, count_fds());
	end(&other);
}

/* Rules: HANDLE-30, HANDLE-11. */
TEST_F(files, section_of_another_process)
{
	HANDLE section, reader;
	struct other other;
	char *view;

	ASSERT_TRUE(start(&other));
	ASSERT_TRUE(take(&other, THERE(SECTION), &section, 0, SAME));
	view = view_of(section, FILE_MAP_WRITE);
	ASSERT_NE(NULL, view);
	EXPECT_EQ(5, view[PAGES(19)]);
	view[0] = 9;
	EXPECT_EQ(9, tell(other.talk, PEEK, NULL));
	ASSERT_TRUE(take(&other, THERE(SECTION), &reader, SECTION_MAP_READ, 0));
	EXPECT_EQ(9, peek(reader));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, view_of(reader, FILE_MAP_WRITE));
	kill_it(&other);
	EXPECT_EQ(9, peek(section));
	EXPECT_TRUE(UnmapViewOfFile(view));
	EXPECT_TRUE(CloseHandle(reader));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_EQ(other.fds, count_fds());
	end(&other);
}

/* A section that is meant for a child: the child has it. Rules: HANDLE-30. */
TEST_F(files, handed_to_a_child)
{
	HANDLE section = CreateFileMappingA(BAD, NULL, PAGE_READWRITE, 0,
					    PAGES(20), NULL);
	struct other other;

	ASSERT_NE(NULL, section);
	ASSERT_TRUE(start(&other));
	EXPECT_FALSE(tell(other.talk, TAKE, NULL));
	EXPECT_TRUE(tell(other.talk, TAKE, section));
	EXPECT_EQ(6, peek(section));
	end(&other);
	EXPECT_TRUE(CloseHandle(section));
}

/* Rules: HANDLE-23, HANDLE-30. */
TEST_F(files, that_can_be_inherited)
{
	struct other other;
	DWORD flags = 0;
	HANDLE file;

	ASSERT_TRUE(start(&other));
	ASSERT_TRUE(take(&other, THERE(FILE), &file, 0, SAME));
	EXPECT_TRUE(GetHandleInformation(file, &flags));
	EXPECT_EQ(0, flags);
	EXPECT_TRUE(CloseHandle(file));
	ASSERT_TRUE(DuplicateHandle(other.process, THERE(FILE), SELF, &file, 0,
				    TRUE, SAME));
	EXPECT_TRUE(GetHandleInformation(file, &flags));
	EXPECT_EQ(HANDLE_FLAG_INHERIT, flags);
	EXPECT_TRUE(CloseHandle(file));
	end(&other);
}

static bool reads(HANDLE process, void *address)
{
	char byte;

	return ReadProcessMemory(process, address, &byte, 1, NULL);
}

/* Rules: HANDLE-30, HANDLE-33. */
TEST_F(files, processes)
{
	static char here = 1;
	struct other other;
	HANDLE process;

	ASSERT_TRUE(start(&other));
	/* Of it to us, which is this process here */
	ASSERT_TRUE(take(&other, THERE(PROCESS), &process, 0, SAME));
	EXPECT_EQ(getpid(), GetProcessId(process));
	EXPECT_TRUE(reads(process, &here));
	EXPECT_TRUE(VirtualFreeEx(process,
				  VirtualAllocEx(process, NULL, 1, MEM_RESERVE,
						 PAGE_NOACCESS),
				  0, MEM_RELEASE));
	EXPECT_TRUE(CloseHandle(process));

	/* Of it to itself */
	ASSERT_TRUE(take(&other, SELF, &process, 0, SAME));
	EXPECT_EQ(other.pid, GetProcessId(process));
	EXPECT_TRUE(reads(process, &here));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(process, 0));
	kill_it(&other);
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(process, 0));
	EXPECT_TRUE(CloseHandle(process));
	EXPECT_EQ(other.fds, count_fds());
	end(&other);
}

/* Rules: HANDLE-33, HANDLE-12. */
TEST_F(files, this_process)
{
	HANDLE process, less;
	char here = 1;
	DWORD code;

	ASSERT_TRUE(DuplicateHandle(SELF, SELF, SELF, &process, 0, FALSE,
				    SAME));
	EXPECT_NE(SELF, process);
	EXPECT_EQ(getpid(), GetProcessId(process));
	EXPECT_TRUE(reads(process, &here));
	EXPECT_TRUE(GetExitCodeProcess(process, &code));
	EXPECT_EQ(STILL_ACTIVE, code);

	/* By it this process is meant, as by what it was made from. */
	ASSERT_TRUE(DuplicateHandle(process, process, process, &less,
				    SYNCHRONIZE, FALSE, 0));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, reads(less, &here));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     DuplicateHandle(less, SELF, SELF, &less, 0, FALSE, SAME));
	EXPECT_TRUE(CloseHandle(less));
	EXPECT_TRUE(CloseHandle(process));
	EXPECT_EQ(self->fds, count_fds());
}

/* ---- what one cannot have ---- */

/* Rules: HANDLE-13, HANDLE-15, HANDLE-32. */
TEST_F(files, refused)
{
	struct other other;
	HANDLE taken = (HANDLE)0x4711, own = open_shared("own", CREATE_NEW);
	DWORD flags;

	ASSERT_TRUE(start(&other));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     take(&other, THERE(CLOSED), &taken, 0, SAME));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, take(&other, NULL, &taken, 0, SAME));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     take(&other, (HANDLE)0x7ffffff0, &taken, 0, SAME));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     take(&other, THERE(FILE), &taken, 0, 4));
	EXPECT_FAILS(ERROR_NOACCESS,
		     take(&other, THERE(FILE), (HANDLE *)0x10, 0, SAME));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     DuplicateHandle(other.process, THERE(FILE), own, &taken, 0,
				     FALSE, SAME));

	/* What is in its memory only, and what it alone can do */
	EXPECT_FAILS(ERROR_NOT_SUPPORTED,
		     take(&other, THERE(EVENT), &taken, 0, SAME));
	EXPECT_FAILS(ERROR_NOT_SUPPORTED,
		     take(&other, THERE(THREAD), &taken, 0, SAME));
	EXPECT_FAILS(ERROR_NOT_SUPPORTED,
		     take(&other, GetCurrentThread(), &taken, 0, SAME));
	EXPECT_FAILS(ERROR_NOT_SUPPORTED,
		     take(&other, THERE(FILE), &taken, 0,
			  SAME | DUPLICATE_CLOSE_SOURCE));
	EXPECT_FAILS(ERROR_NOT_SUPPORTED,
		     DuplicateHandle(SELF, own, other.process, &taken, 0, FALSE,
				     SAME | DUPLICATE_CLOSE_SOURCE));
	EXPECT_FAILS(ERROR_NOT_SUPPORTED,
		     DuplicateHandle(other.process, THERE(FILE), other.process,
				     &taken, 0, FALSE, SAME));
	EXPECT_EQ((HANDLE)0x4711, taken);
	EXPECT_TRUE(GetHandleInformation(own, &flags));
	EXPECT_EQ(3, tell(other.talk, POSITION, NULL));
	EXPECT_EQ(other.fds, count_fds());
	EXPECT_TRUE(CloseHandle(own));
	end(&other);
}

/* Rules: HANDLE-31. */
TEST_F(files, without_the_right)
{
	HANDLE process, taken, own = open_shared("own", CREATE_NEW);
	struct other other;

	ASSERT_TRUE(start(&other));
	process = OpenProcess(PROCESS_ALL_ACCESS & ~DUP, FALSE, other.pid);
	ASSERT_NE(NULL, process);
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     DuplicateHandle(process, THERE(FILE), SELF, &taken, 0,
				     FALSE, SAME));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     DuplicateHandle(SELF, own, process, &taken, 0, FALSE,
				     SAME));
	EXPECT_TRUE(CloseHandle(process));
	EXPECT_TRUE(CloseHandle(own));
	end(&other);
}

static int open_as_nobody(void *arg)
{
	struct other *other = arg;
	HANDLE taken;

	CHECK(!setgid(NOBODY) && !setuid(NOBODY));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 OpenProcess(DUP, FALSE, other->pid)));
	/* The kernel is asked again. */
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 take(other, other->talk->handles[AT_FILE], &taken, 0,
			      SAME)));
	return 0;
}

/* Rules: HANDLE-31. */
TEST_F(files, foreign_user)
{
	struct other other;

	ASSERT_TRUE(start(&other));
	EXPECT_EQ(0, in_child(open_as_nobody, &other));
	end(&other);
}

/* ---- meanwhile ---- */

/* Rules: HANDLE-34. */
TEST_F(files, after_its_end)
{
	struct other other;
	HANDLE taken;

	ASSERT_TRUE(start(&other));
	kill_it(&other);
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     take(&other, THERE(FILE), &taken, 0, SAME));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     take(&other, SELF, &taken, 0, SAME));
	EXPECT_EQ(other.fds, count_fds());
	end(&other);
}

/* Rules: HANDLE-34. Its inherited descriptors are still there, which does not help. */
TEST_F(files, another_program)
{
	struct other other;
	HANDLE taken;

	ASSERT_TRUE(start(&other));
	other.talk->order = RUN_ANOTHER;
	__atomic_add_fetch(&other.talk->asked, 1, __ATOMIC_RELEASE);
	ASSERT_EQ(other.pid, waitpid(other.pid, NULL, WUNTRACED));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     take(&other, THERE(FILE), &taken, 0, SAME));
	EXPECT_EQ(other.fds, count_fds());
	end(&other);
}

/* Whoever lies gives what he has, and what fits together. Rules: HANDLE-34. */
TEST_F(files, lies)
{
	struct other other;
	HANDLE taken;

	ASSERT_TRUE(start(&other));
	ASSERT_LE(0, tell(other.talk, LIE, NULL));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     take(&other, THERE(PROCESS), &taken, 0, SAME));
	ASSERT_TRUE(take(&other, THERE(SECTION), &taken, 0, SAME));
	EXPECT_EQ(NULL, view_of(taken, FILE_MAP_READ));
	EXPECT_TRUE(CloseHandle(taken));
	EXPECT_EQ(other.fds, count_fds());
	end(&other);
}

/* The file is the one that the rights are of. */
static bool fits(HANDLE taken)
{
	BY_HANDLE_FILE_INFORMATION data;
	DWORD done;
	char c;

	if (!GetFileInformationByHandle(taken, &data))
		return false;
	if (data.nFileSizeLow == strlen("reader"))
		return ReadFile(taken, &c, 1, &done, NULL) &&
		       !WriteFile(taken, "", 0, &done, NULL);
	return !data.nFileSizeLow && !ReadFile(taken, &c, 1, &done, NULL);
}

/* Rules: HANDLE-30. What is taken is what the handle was at one moment. */
TEST_F_TIMEOUT(files, while_it_changes, 120)
{
	long round, taken_ones = 0, n = rounds(duplicate_changes);
	struct other other;
	HANDLE taken;

	ASSERT_TRUE(make_file("reader", "reader"));
	ASSERT_TRUE(make_file("writer", ""));
	ASSERT_TRUE(start(&other));
	tell(other.talk, CHURN, NULL);
	/* Until there was one at a time when it was asked for */
	for (round = 0; round < n || !taken_ones; round++) {
		if (!take(&other, THERE(CLOSED), &taken, 0, SAME)) {
			ASSERT_TRUE(GetLastError() == ERROR_INVALID_HANDLE ||
				    GetLastError() == ERROR_GEN_FAILURE);
			continue;
		}
		ASSERT_TRUE(fits(taken));
		ASSERT_TRUE(CloseHandle(taken));
		taken_ones++;
	}
	EXPECT_EQ(other.fds, count_fds());
	end(&other);
}

TEST_HARNESS_MAIN
