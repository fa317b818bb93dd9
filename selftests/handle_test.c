// SPDX-License-Identifier: GPL-2.0
/*
 * Handles: the table, duplicates and their rights, inheritance. The objects are
 * files, as these are what there is.
 */
#include "kselftest_harness.h"

#include <winregion/psapi.h>
#include <winregion/tlhelp32.h>

#include "file_fixture.h"
#include "rounds.h"

#define SELF GetCurrentProcess()
#define NR_HANDLES 1000

static HANDLE handle_at(HANDLE handle, long distance)
{
	return (HANDLE)((uintptr_t)handle + distance);
}

/* Rules: HANDLE-01. */
TEST_F(files, multiples_of_four)
{
	static HANDLE handles[NR_HANDLES];
	DWORD flags;
	int i;

	for (i = 0; i < NR_HANDLES; i++) {
		handles[i] = open_shared("file", OPEN_ALWAYS);
		ASSERT_NE(BAD, handles[i]);
		ASSERT_NE(NULL, handles[i]);
		ASSERT_EQ(0, (uintptr_t)handles[i] % 4);
		ASSERT_TRUE(i == 0 || handles[i] != handles[i - 1]);
	}
	for (i = 0; i < 4; i++)
		EXPECT_TRUE(GetHandleInformation(handle_at(handles[7], i),
						 &flags));
	/* The next one is another's. */
	EXPECT_TRUE(CloseHandle(handle_at(handles[7], 3)));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     GetHandleInformation(handles[7], &flags));
	EXPECT_TRUE(GetHandleInformation(handles[8], &flags));
	for (i = 0; i < NR_HANDLES; i++)
		EXPECT_EQ(i != 7, CloseHandle(handles[i]));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: HANDLE-02, HANDLE-03. */
TEST_F(files, close)
{
	HANDLE file = open_shared("file", CREATE_NEW);
	DWORD done;
	char c;

	ASSERT_NE(BAD, file);
	SetLastError(OUR_ERROR);
	errno = OUR_ERRNO;
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(OUR_ERROR, GetLastError());
	EXPECT_EQ(OUR_ERRNO, errno);
	EXPECT_FAILS(ERROR_INVALID_HANDLE, CloseHandle(file));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, CloseHandle(NULL));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, CloseHandle((HANDLE)0x123450));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, CloseHandle((HANDLE)1));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, CloseHandle((HANDLE)~0xfffUL));
	EXPECT_TRUE(CloseHandle(SELF));
	EXPECT_TRUE(CloseHandle(SELF));
	EXPECT_EQ((HANDLE)-1, SELF);
	/* It is no file. */
	EXPECT_FAILS(ERROR_INVALID_HANDLE, ReadFile(SELF, &c, 1, &done, NULL));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, ReadFile(NULL, &c, 1, &done, NULL));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, ReadFile(file, &c, 1, &done, NULL));
}

/* Rules: HANDLE-10, HANDLE-05. */
TEST_F(files, duplicate_is_the_same_file)
{
	HANDLE file = open_shared("file", CREATE_NEW), other;

	ASSERT_TRUE(put(file, "one two"));
	SetLastError(OUR_ERROR);
	ASSERT_TRUE(DuplicateHandle(SELF, file, SELF, &other, 0, FALSE,
				    DUPLICATE_SAME_ACCESS));
	EXPECT_EQ(OUR_ERROR, GetLastError());
	EXPECT_NE(file, other);
	EXPECT_EQ(7, position_of(other));
	EXPECT_EQ(3, SetFilePointer(other, 3, NULL, FILE_BEGIN));
	EXPECT_EQ(3, position_of(file));
	EXPECT_EQ(self->fds + 1, count_fds());
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(gets(other, " two"));
	EXPECT_EQ(self->fds + 1, count_fds());
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: HANDLE-11, HANDLE-12, FILE-10. */
TEST_F(files, duplicate_with_fewer_rights)
{
	HANDLE file = open_shared("file", CREATE_NEW), reader, other, none;
	BY_HANDLE_FILE_INFORMATION data;
	DWORD done;
	char c;

	ASSERT_TRUE(put(file, "text"));
	ASSERT_EQ(0, SetFilePointer(file, 0, NULL, FILE_BEGIN));
	ASSERT_TRUE(DuplicateHandle(SELF, file, SELF, &reader, GENERIC_READ,
				    FALSE, 0));
	EXPECT_TRUE(gets(reader, "t"));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, WriteFile(reader, "x", 1, &done, NULL));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, SetEndOfFile(reader));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, FlushFileBuffers(reader));
	EXPECT_TRUE(put(file, "x"));

	/* No way back */
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     DuplicateHandle(SELF, reader, SELF, &other, GENERIC_WRITE,
				     FALSE, 0));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     DuplicateHandle(SELF, reader, SELF, &other, READ_WRITE,
				     FALSE, 0));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     DuplicateHandle(SELF, reader, SELF, &other, GENERIC_ALL,
				     FALSE, 0));
	ASSERT_TRUE(DuplicateHandle(SELF, reader, SELF, &other, GENERIC_WRITE,
				    FALSE, DUPLICATE_SAME_ACCESS));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, WriteFile(other, "x", 1, &done, NULL));

	ASSERT_TRUE(DuplicateHandle(SELF, file, SELF, &none, 0, FALSE, 0));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, ReadFile(none, &c, 1, &done, NULL));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, WriteFile(none, "x", 1, &done, NULL));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     GetFileInformationByHandle(none, &data));
	EXPECT_TRUE(CloseHandle(none));
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_TRUE(CloseHandle(reader));
	EXPECT_TRUE(CloseHandle(file));
}

/* Rules: HANDLE-13, HANDLE-15. */
TEST_F(files, duplicate_refuses)
{
	HANDLE file = open_shared("file", CREATE_NEW), other = (HANDLE)0x4711;

	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     DuplicateHandle(NULL, file, SELF, &other, 0, FALSE, 0));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     DuplicateHandle(file, file, SELF, &other, 0, FALSE, 0));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     DuplicateHandle(SELF, file, NULL, &other, 0, FALSE, 0));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     DuplicateHandle(SELF, file, file, &other, 0, FALSE, 0));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     DuplicateHandle(SELF, NULL, SELF, &other, 0, FALSE, 0));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     DuplicateHandle(SELF, handle_at(file, 4), SELF, &other, 0,
				     FALSE, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     DuplicateHandle(SELF, file, SELF, &other, 0, FALSE, 4));
	EXPECT_FAILS(ERROR_NOACCESS,
		     DuplicateHandle(SELF, file, SELF, (LPHANDLE)0x10, 0, FALSE,
				     0));
	EXPECT_EQ((HANDLE)0x4711, other);
	EXPECT_TRUE(CloseHandle(file));
}

/* Rules: HANDLE-14. */
TEST_F(files, duplicate_closes_the_source)
{
	HANDLE file = open_shared("file", CREATE_NEW), other, third;
	DWORD flags;

	ASSERT_TRUE(DuplicateHandle(SELF, file, SELF, &other, GENERIC_READ,
				    FALSE, DUPLICATE_CLOSE_SOURCE));
	/* The number may be the new handle's. */
	EXPECT_TRUE(other == file || !GetHandleInformation(file, &flags));
	EXPECT_TRUE(GetHandleInformation(other, &flags));

	/* It is closed if the rest fails, too. */
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     DuplicateHandle(SELF, other, SELF, &third, GENERIC_WRITE,
				     FALSE, DUPLICATE_CLOSE_SOURCE));
	EXPECT_FALSE(GetHandleInformation(other, &flags));
	EXPECT_EQ(self->fds, count_fds());

	file = open_shared("file", OPEN_EXISTING);
	EXPECT_TRUE(DuplicateHandle(SELF, file, NULL, NULL, 0, FALSE,
				    DUPLICATE_CLOSE_SOURCE));
	EXPECT_FALSE(GetHandleInformation(file, &flags));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: HANDLE-16. */
TEST_F(files, duplicate_that_is_not_told)
{
	HANDLE file = open_shared("file", CREATE_NEW);

	EXPECT_TRUE(DuplicateHandle(SELF, file, SELF, NULL, 0, FALSE,
				    DUPLICATE_SAME_ACCESS));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(self->fds + 1, count_fds());
}

/* Rules: HANDLE-20, HANDLE-21, HANDLE-22. */
TEST_F(files, flags)
{
	HANDLE file = open_shared("file", CREATE_NEW);
	DWORD flags = 0x4711;

	EXPECT_TRUE(GetHandleInformation(file, &flags));
	EXPECT_EQ(0, flags);
	EXPECT_TRUE(SetHandleInformation(file, HANDLE_FLAG_PROTECT_FROM_CLOSE,
					 ~0U));
	EXPECT_TRUE(GetHandleInformation(file, &flags));
	EXPECT_EQ(HANDLE_FLAG_PROTECT_FROM_CLOSE, flags);
	EXPECT_FAILS(ERROR_INVALID_HANDLE, CloseHandle(file));
	EXPECT_TRUE(put(file, "still there"));
	EXPECT_TRUE(SetHandleInformation(file, HANDLE_FLAG_INHERIT,
					 HANDLE_FLAG_INHERIT));
	EXPECT_TRUE(GetHandleInformation(file, &flags));
	EXPECT_EQ(HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE, flags);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, SetHandleInformation(file, 4, 4));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, SetHandleInformation(file, 7, 0));
	EXPECT_TRUE(SetHandleInformation(file, 0, 3));
	EXPECT_TRUE(GetHandleInformation(file, &flags));
	EXPECT_EQ(HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE, flags);
	EXPECT_TRUE(SetHandleInformation(file, 3, 0));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, GetHandleInformation(file, &flags));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, SetHandleInformation(file, 3, 0));
	EXPECT_FAILS(ERROR_NOACCESS, GetHandleInformation(file, NULL));
}

/* Which descriptors that execve(2) does not close there are now, but for 0 to 2 */
static int count_kept(void)
{
	int fd, n = 0, flags;

	for (fd = 3; fd < 64; fd++) {
		flags = fcntl(fd, F_GETFD);
		if (flags >= 0 && !(flags & FD_CLOEXEC))
			n++;
	}
	return n;
}

/* Rules: HANDLE-23. */
TEST_F(files, inheritance)
{
	SECURITY_ATTRIBUTES attributes = { sizeof(attributes), NULL, TRUE };
	int before = count_kept();
	HANDLE file, other;
	DWORD flags;

	file = open_shared("file", CREATE_NEW);
	EXPECT_EQ(before, count_kept());
	EXPECT_TRUE(SetHandleInformation(file, HANDLE_FLAG_INHERIT, 1));
	EXPECT_EQ(before + 1, count_kept());
	EXPECT_TRUE(SetHandleInformation(file, HANDLE_FLAG_INHERIT, 0));
	EXPECT_EQ(before, count_kept());

	/* One handle of two is enough. */
	ASSERT_TRUE(DuplicateHandle(SELF, file, SELF, &other, 0, TRUE,
				    DUPLICATE_SAME_ACCESS));
	EXPECT_TRUE(GetHandleInformation(other, &flags));
	EXPECT_EQ(HANDLE_FLAG_INHERIT, flags);
	EXPECT_TRUE(GetHandleInformation(file, &flags));
	EXPECT_EQ(0, flags);
	EXPECT_EQ(before + 1, count_kept());
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_EQ(before, count_kept());
	EXPECT_TRUE(CloseHandle(file));

	file = CreateFileA("file", GENERIC_READ, 0, &attributes, OPEN_EXISTING,
			   0, NULL);
	ASSERT_NE(BAD, file);
	EXPECT_TRUE(GetHandleInformation(file, &flags));
	EXPECT_EQ(HANDLE_FLAG_INHERIT, flags);
	EXPECT_EQ(before + 1, count_kept());
	EXPECT_TRUE(CloseHandle(file));
}

/* What this program does when it is started as another one: is the file open? */
#define LOOK_FOR "HANDLE_TEST_LOOKS_FOR"

__attribute__((constructor)) static void look_for_file(void)
{
	const char *name = getenv(LOOK_FOR);

	if (name)
		_exit(find_fd(name) >= 0);
}

static int run_program(const char *name)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		setenv(LOOK_FOR, name, 1);
		execl("/proc/self/exe", "handle_test", NULL);
		_exit(2);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Rules: HANDLE-23. The descriptor is there in the new program, or it is not. */
TEST_F(files, inheritance_by_a_program)
{
	HANDLE file = open_shared("file", CREATE_NEW);

	EXPECT_EQ(0, run_program(self->directory));
	EXPECT_TRUE(SetHandleInformation(file, HANDLE_FLAG_INHERIT, 1));
	EXPECT_EQ(1, run_program(self->directory));
	EXPECT_TRUE(SetHandleInformation(file, HANDLE_FLAG_INHERIT, 0));
	EXPECT_EQ(0, run_program(self->directory));
	EXPECT_TRUE(CloseHandle(file));
}

static int use_in_child(void *arg)
{
	HANDLE file = *(HANDLE *)arg, other;

	CHECK(gets(file, "text"));
	CHECK(DuplicateHandle(SELF, file, SELF, &other, 0, FALSE,
			      DUPLICATE_SAME_ACCESS));
	CHECK(CloseHandle(file));
	CHECK(position_of(other) == 4);
	CHECK(CloseHandle(other));
	CHECK(FAILS_WITH(ERROR_INVALID_HANDLE, CloseHandle(other)));
	return 0;
}

/* Rules: HANDLE-06. The table is a copy, the file's position is one. */
TEST_F(files, fork)
{
	HANDLE file = open_shared("file", CREATE_NEW);

	ASSERT_TRUE(put(file, "text"));
	ASSERT_EQ(0, SetFilePointer(file, 0, NULL, FILE_BEGIN));
	EXPECT_EQ(0, in_child(use_in_child, &file));
	EXPECT_EQ(4, position_of(file));
	EXPECT_TRUE(put(file, "more"));
	EXPECT_TRUE(CloseHandle(file));
}

/* ---- descriptors that are the program's by now ---- */

static int close_after_others(void *unused)
{
	SECURITY_ATTRIBUTES inherit = { .bInheritHandle = TRUE };
	HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, getppid());
	HANDLE mutex = CreateMutexA(NULL, TRUE, "of_handle_test");
	HANDLE file = CreateFileA("file", READ_WRITE, 0, &inherit,
				  CREATE_ALWAYS, 0, NULL);
	HANDLE section = CreateFileMappingA(file, &inherit, PAGE_READWRITE, 0,
					    4096, NULL);
	int own[NR_OWN];

	CHECK(process && mutex && file != BAD && section);
	CHECK(replace_all(own));
	CHECK(SetHandleInformation(file, HANDLE_FLAG_INHERIT, 0));
	CHECK(all_are_there(own));
	CHECK(CloseHandle(file));
	CHECK(CloseHandle(section));
	CHECK(all_are_there(own));
	CHECK(CloseHandle(process));
	CHECK(all_are_there(own));
	CHECK(ReleaseMutex(mutex));
	CHECK(CloseHandle(mutex));
	CHECK(all_are_there(own));
	return 0;
}

/* Rules: HANDLE-05, HANDLE-08. */
TEST_F(files, after_all_are_closed)
{
	ASSERT_TRUE(make_file("own", "text"));
	EXPECT_EQ(0, in_child(close_after_others, NULL));
}

/* ---- threads ---- */

struct reader {
	HANDLE file;
	volatile pid_t tid;
	BOOL result;
	DWORD done;
	char c;
};

static void *read_pipe(void *arg)
{
	struct reader *reader = arg;

	reader->tid = gettid();
	reader->result = ReadFile(reader->file, &reader->c, 1, &reader->done,
				  NULL);
	return NULL;
}

/* A thread waits for a pipe. Return: its other end, or -1 */
static int start_reader(struct reader *reader, pthread_t *thread)
{
	int fd;

	if (mkfifo("pipe", 0600))
		return -1;
	fd = open("pipe", O_RDWR | O_CLOEXEC);
	reader->file = open_file("pipe", GENERIC_READ, 0, OPEN_EXISTING, 0);
	if (reader->file == BAD ||
	    pthread_create(thread, NULL, read_pipe, reader) ||
	    !SETTLES(reader->tid && thread_sleeps(reader->tid)))
		return -1;
	return fd;
}

/* Rules: HANDLE-04. */
TEST_F(files, closed_while_in_use)
{
	struct reader reader = { .result = FALSE };
	pthread_t thread;
	int fd;

	fd = start_reader(&reader, &thread);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(CloseHandle(reader.file));
	/* Its descriptor is not the next file's yet. */
	EXPECT_EQ(self->fds + 2, count_fds());
	ASSERT_EQ(1, write(fd, "x", 1));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(reader.result);
	EXPECT_EQ(1, reader.done);
	EXPECT_EQ('x', reader.c);
	EXPECT_EQ(self->fds + 1, count_fds());
	close(fd);
}

/* ---- threads that are cancelled ---- */

static HANDLE used;

static void close_used(void)
{
	CloseHandle(used);
}

static void flush_and_close(void)
{
	FlushFileBuffers(used);
	CloseHandle(used);
}

static void map_and_close(void)
{
	HANDLE section = CreateFileMappingA(used, NULL, PAGE_READWRITE, 0, 4096,
					    NULL);

	CloseHandle(section);
	CloseHandle(used);
}

static void *cancelled(void *call)
{
	pthread_cancel(pthread_self());
	((void (*)(void))call)();
	pthread_testcancel();
	return NULL;
}

/* Rules: HANDLE-07. What a call has taken out of the table is closed, with its locks. */
TEST_F(files, closed_by_who_is_cancelled)
{
	void (*const calls[])(void) = {
		close_used, flush_and_close, map_and_close,
	};
	pthread_t thread;
	unsigned int i;
	void *end;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		used = open_file("file", READ_WRITE, 0, OPEN_ALWAYS, 0);
		ASSERT_NE(BAD, used);
		ASSERT_EQ(0, pthread_create(&thread, NULL, cancelled,
					    calls[i]));
		ASSERT_EQ(0, pthread_join(thread, &end));
		EXPECT_EQ(PTHREAD_CANCELED, end);
		EXPECT_FAILS(ERROR_INVALID_HANDLE, CloseHandle(used));
		used = open_file("file", READ_WRITE, 0, OPEN_ALWAYS, 0);
		ASSERT_NE(BAD, used) {
			TH_LOG("call %u", i);
		}
		EXPECT_TRUE(CloseHandle(used));
	}
}

static HANDLE child_process, child_notification;
static DWORD child_id;

static void open_child(void)
{
	CloseHandle(OpenProcess(PROCESS_ALL_ACCESS, FALSE, child_id));
}

static void duplicate_process(void)
{
	HANDLE other = NULL;

	DuplicateHandle(SELF, SELF, SELF, &other, 0, FALSE,
			DUPLICATE_SAME_ACCESS);
	CloseHandle(other);
}

static void take_from_child(void)
{
	HANDLE other = NULL;

	DuplicateHandle(child_process, used, SELF, &other, 0, FALSE,
			DUPLICATE_SAME_ACCESS);
	CloseHandle(other);
}

static void snapshot_all(void)
{
	CloseHandle(CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS |
					     TH32CS_SNAPTHREAD, 0));
}

static void snapshot_child(void)
{
	CloseHandle(CreateToolhelp32Snapshot(TH32CS_SNAPMODULE, child_id));
}

static void ask_for_pages(void)
{
	PSAPI_WORKING_SET_EX_INFORMATION page = {
		.VirtualAddress = &child_id,
	};

	QueryWorkingSetEx(child_process, &page, sizeof(page));
}

static void ask_for_all_pages(void)
{
	PSAPI_WORKING_SET_INFORMATION all;

	QueryWorkingSet(child_process, &all, sizeof(all));
}

static void ask_for_name(void)
{
	char name[4096];

	GetMappedFileNameA(child_process, &child_id, name, sizeof(name));
}

static void ask_for_counters(void)
{
	PROCESS_MEMORY_COUNTERS counters;

	GetProcessMemoryInfo(child_process, &counters, sizeof(counters));
}

static void ask_for_performance(void)
{
	PERFORMANCE_INFORMATION information;

	GetPerformanceInfo(&information, sizeof(information));
}

static void ask_for_installed(void)
{
	ULONGLONG size;

	GetPhysicallyInstalledSystemMemory(&size);
}

static void ask_for_memory(void)
{
	BOOL is_low;

	QueryMemoryResourceNotification(child_notification, &is_low);
}

static void unlock_other_memory(void)
{
	VirtualUnlock(&child_id, sizeof(child_id));
}

/* Whoever uses the handles, all that they lead to goes with them. */
static bool is_closed_after(void (*call)(void))
{
	int fds = count_fds();
	pthread_t thread;
	void *end;

	child_process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, child_id);
	child_notification =
		CreateMemoryResourceNotification(LowMemoryResourceNotification);
	if (!child_process || !child_notification ||
	    pthread_create(&thread, NULL, cancelled, call) ||
	    pthread_join(thread, &end) || end != PTHREAD_CANCELED ||
	    !CloseHandle(child_process) || !CloseHandle(child_notification))
		return false;
	if (count_fds() != fds)
		fprintf(stderr, "# %d descriptors, and %d before\n",
			count_fds(), fds);
	return count_fds() == fds;
}

static int be_there(void *unused)
{
	pause();
	return 0;
}

/* Rules: HANDLE-07. They have descriptors of /proc, and use the process meanwhile. */
TEST_F(files, cancelled_in_calls_about_processes)
{
	void (*const calls[])(void) = {
		open_child,	     duplicate_process,	 take_from_child,
		snapshot_all,	     snapshot_child,	 ask_for_pages,
		ask_for_all_pages,   ask_for_name,	 ask_for_counters,
		ask_for_performance, ask_for_installed,	 ask_for_memory,
		unlock_other_memory,
	};
	struct child child;
	unsigned int i;

	used = open_shared("file", CREATE_NEW);
	ASSERT_NE(BAD, used);
	child = start_child(be_there, NULL);
	child_id = child.pid;
	/* The device stays open from now on. */
	unlock_other_memory();
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		EXPECT_TRUE(is_closed_after(calls[i])) {
			TH_LOG("call %u", i);
		}
	}
	kill(child.pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, end_child(&child));
	EXPECT_TRUE(CloseHandle(used));
}

/* Rules: HANDLE-07. Who waits for a pipe can be cancelled, and uses it no more. */
TEST_F(files, cancelled_in_a_transfer)
{
	struct reader reader = { .result = FALSE };
	pthread_t thread;
	void *end;
	int fd;

	fd = start_reader(&reader, &thread);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pthread_cancel(thread));
	ASSERT_EQ(0, pthread_join(thread, &end));
	EXPECT_EQ(PTHREAD_CANCELED, end);
	EXPECT_TRUE(CloseHandle(reader.file));
	EXPECT_EQ(self->fds + 1, count_fds());
	close(fd);
}

#define NR_THREADS 4

/* Every handle leads to the file it was made for, whatever others do. */
static void *use_handles(void *arg)
{
	char name[32], mine[48];
	HANDLE file, other;
	long turn, turns = rounds(handle_threads);

	snprintf(name, sizeof(name), "file%ld", (long)arg);
	for (turn = 0; turn < turns; turn++) {
		snprintf(mine, sizeof(mine), "%ld %ld", (long)arg, turn);
		file = open_shared(name, CREATE_ALWAYS);
		if (file == BAD || !put(file, mine) ||
		    !DuplicateHandle(SELF, file, SELF, &other, GENERIC_READ,
				     FALSE, DUPLICATE_CLOSE_SOURCE) ||
		    SetFilePointer(other, 0, NULL, FILE_BEGIN) ||
		    !gets(other, mine) || !CloseHandle(other))
			return (void *)(turn + 1);
	}
	return NULL;
}

static void *fork_often(void *arg)
{
	volatile bool *stop = arg;
	int status;
	HANDLE file;
	pid_t pid;

	while (!*stop) {
		pid = fork();
		if (!pid) {
			file = open_shared("child", CREATE_ALWAYS);
			_exit(file == BAD || !CloseHandle(file));
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			return (void *)1;
	}
	return NULL;
}

/* Rules: HANDLE-04, HANDLE-06. */
TEST_F_TIMEOUT(files, threads_at_once, 120)
{
	pthread_t threads[NR_THREADS], forker;
	volatile bool stop = false;
	void *failed;
	long i;

	ASSERT_EQ(0, pthread_create(&forker, NULL, fork_often, (void *)&stop));
	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, use_handles,
					    (void *)i));
	for (i = 0; i < NR_THREADS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &failed));
		EXPECT_EQ(NULL, failed);
	}
	stop = true;
	ASSERT_EQ(0, pthread_join(forker, &failed));
	EXPECT_EQ(NULL, failed);
	EXPECT_EQ(self->fds, count_fds());
}

TEST_HARNESS_MAIN
