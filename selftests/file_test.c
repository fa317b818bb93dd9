// SPDX-License-Identifier: GPL-2.0
/*
 * Files: opening and making them, names, transfers, positions, attributes,
 * deleting and moving. fileshare_test has share modes, filelock_test locks.
 */
#include "kselftest_harness.h"

#include <sys/auxv.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/xattr.h>

#include "file_fixture.h"

#define LONG_NAME 255

/* ---- opening and making ---- */

static bool opens(const char *name, DWORD disposition, DWORD error)
{
	HANDLE file;

	SetLastError(OUR_ERROR);
	errno = OUR_ERRNO;
	file = open_shared(name, disposition);
	if (file == BAD || GetLastError() != error || errno != OUR_ERRNO) {
		fprintf(stderr, "# last error %u\n", GetLastError());
		return false;
	}
	return CloseHandle(file);
}

/* Rules: FILE-01, FILE-02, FILE-03, FILE-04, FILE-05, FILE-08. */
TEST_F(files, dispositions)
{
	EXPECT_NO_OPEN(ERROR_FILE_NOT_FOUND, open_shared("file", OPEN_EXISTING));
	EXPECT_NO_OPEN(ERROR_FILE_NOT_FOUND,
		       open_shared("file", TRUNCATE_EXISTING));
	EXPECT_FALSE(is_there("file"));
	EXPECT_TRUE(opens("file", CREATE_NEW, 0));
	EXPECT_TRUE(file_has("file", ""));
	EXPECT_NO_OPEN(ERROR_FILE_EXISTS, open_shared("file", CREATE_NEW));

	ASSERT_TRUE(make_file("file", "text"));
	EXPECT_TRUE(opens("file", OPEN_EXISTING, 0));
	EXPECT_TRUE(opens("file", OPEN_ALWAYS, ERROR_ALREADY_EXISTS));
	EXPECT_TRUE(file_has("file", "text"));
	EXPECT_TRUE(opens("file", TRUNCATE_EXISTING, 0));
	EXPECT_TRUE(file_has("file", ""));
	ASSERT_TRUE(make_file("file", "text"));
	EXPECT_TRUE(opens("file", CREATE_ALWAYS, ERROR_ALREADY_EXISTS));
	EXPECT_TRUE(file_has("file", ""));
	EXPECT_TRUE(opens("new", OPEN_ALWAYS, 0));
	EXPECT_TRUE(opens("newer", CREATE_ALWAYS, 0));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: FILE-03. It is cut though the handle may only read, or nothing. */
TEST_F(files, cut_without_rights)
{
	HANDLE file;
	DWORD done;

	ASSERT_TRUE(make_file("file", "text"));
	file = open_file("file", GENERIC_READ, SHARE_ALL, CREATE_ALWAYS, 0);
	ASSERT_NE(BAD, file);
	EXPECT_TRUE(file_has("file", ""));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, WriteFile(file, "x", 1, &done, NULL));
	EXPECT_TRUE(CloseHandle(file));
	ASSERT_TRUE(make_file("file", "text"));
	file = open_file("file", 0, SHARE_ALL, CREATE_ALWAYS, 0);
	ASSERT_NE(BAD, file);
	EXPECT_TRUE(file_has("file", ""));
	EXPECT_TRUE(CloseHandle(file));
	file = open_file("new", 0, 0, CREATE_NEW, 0);
	ASSERT_NE(BAD, file);
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(is_there("new"));
}

/* Rules: FILE-06, FILE-07. */
TEST_F(files, bad_arguments)
{
	EXPECT_NO_OPEN(ERROR_PATH_NOT_FOUND, open_shared("", OPEN_EXISTING));
	EXPECT_NO_OPEN(ERROR_PATH_NOT_FOUND, open_shared(NULL, CREATE_NEW));
	EXPECT_NO_OPEN(ERROR_PATH_NOT_FOUND,
		       open_shared("none/file", OPEN_EXISTING));
	EXPECT_NO_OPEN(ERROR_PATH_NOT_FOUND, open_shared("none/x/", CREATE_NEW));
	EXPECT_NO_OPEN(ERROR_FILE_NOT_FOUND, open_shared("/none", OPEN_EXISTING));
	ASSERT_TRUE(make_file("file", ""));
	EXPECT_NO_OPEN(ERROR_PATH_NOT_FOUND,
		       open_shared("file/x", OPEN_EXISTING));

	EXPECT_NO_OPEN(ERROR_INVALID_PARAMETER, open_shared("file", 0));
	EXPECT_NO_OPEN(ERROR_INVALID_PARAMETER, open_shared("file", 6));
	EXPECT_NO_OPEN(ERROR_INVALID_PARAMETER,
		       open_file("file", GENERIC_READ, 8, OPEN_EXISTING, 0));
	EXPECT_NO_OPEN(ERROR_INVALID_PARAMETER,
		       open_file("file", GENERIC_READ, 0, TRUNCATE_EXISTING, 0));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: FILE-05. A link that leads nowhere: what it names is made. */
TEST_F(files, link_to_nothing)
{
	ASSERT_EQ(0, symlink("target", "link"));
	EXPECT_NO_OPEN(ERROR_FILE_NOT_FOUND, open_shared("link", OPEN_EXISTING));
	EXPECT_NO_OPEN(ERROR_FILE_EXISTS, open_shared("link", CREATE_NEW));
	EXPECT_FALSE(is_there("target"));
	EXPECT_TRUE(opens("link", OPEN_ALWAYS, 0));
	EXPECT_TRUE(is_there("target"));
	ASSERT_EQ(0, symlink("loop", "loop"));
	EXPECT_NO_OPEN(ERROR_CANT_RESOLVE_FILENAME,
		       open_shared("loop", OPEN_ALWAYS));
}

/* Rules: FILE-09. */
TEST_F(files, directories)
{
	HANDLE directory;
	DWORD done;
	char c;

	ASSERT_EQ(0, mkdir("dir", 0755));
	EXPECT_NO_OPEN(ERROR_ACCESS_DENIED,
		       open_file("dir", GENERIC_READ, SHARE_ALL, OPEN_EXISTING,
				 0));
	EXPECT_NO_OPEN(ERROR_ACCESS_DENIED,
		       open_file("dir", GENERIC_WRITE, SHARE_ALL, OPEN_EXISTING,
				 0));
	EXPECT_NO_OPEN(ERROR_ACCESS_DENIED,
		       open_file("dir", 0, SHARE_ALL, OPEN_EXISTING, 0));
	EXPECT_NO_OPEN(ERROR_FILE_EXISTS, open_shared("dir", CREATE_NEW));
	EXPECT_NO_OPEN(ERROR_ACCESS_DENIED,
		       open_file("dir", READ_WRITE, SHARE_ALL, CREATE_ALWAYS,
				 FILE_FLAG_BACKUP_SEMANTICS));
	directory = open_file("dir", READ_WRITE, SHARE_ALL, OPEN_EXISTING,
			      FILE_FLAG_BACKUP_SEMANTICS);
	ASSERT_NE(BAD, directory);
	EXPECT_FAILS(ERROR_INVALID_FUNCTION,
		     ReadFile(directory, &c, 1, &done, NULL));
	EXPECT_FAILS(ERROR_INVALID_FUNCTION,
		     WriteFile(directory, &c, 1, &done, NULL));
	EXPECT_TRUE(FlushFileBuffers(directory));
	EXPECT_EQ(0, GetFileSize(directory, NULL));
	EXPECT_EQ(FILE_TYPE_DISK, GetFileType(directory));
	EXPECT_TRUE(CloseHandle(directory));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: FILE-10. */
TEST_F(files, rights)
{
	DWORD done;
	HANDLE file;
	char c;

	ASSERT_TRUE(make_file("file", "text"));
	file = open_file("file", GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0);
	EXPECT_FAILS(ERROR_ACCESS_DENIED, WriteFile(file, "x", 1, &done, NULL));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, SetEndOfFile(file));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, FlushFileBuffers(file));
	EXPECT_TRUE(gets(file, "text"));
	EXPECT_TRUE(CloseHandle(file));
	file = open_file("file", GENERIC_WRITE, SHARE_ALL, OPEN_EXISTING, 0);
	EXPECT_FAILS(ERROR_ACCESS_DENIED, ReadFile(file, &c, 1, &done, NULL));
	EXPECT_TRUE(put(file, "T"));
	EXPECT_TRUE(FlushFileBuffers(file));
	EXPECT_TRUE(CloseHandle(file));
	file = open_file("file", GENERIC_EXECUTE, SHARE_ALL, OPEN_EXISTING, 0);
	EXPECT_FAILS(ERROR_ACCESS_DENIED, ReadFile(file, &c, 1, &done, NULL));
	EXPECT_TRUE(CloseHandle(file));
	file = open_file("file", GENERIC_ALL, SHARE_ALL, OPEN_EXISTING, 0);
	EXPECT_TRUE(gets(file, "Text"));
	EXPECT_TRUE(put(file, "x"));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(file_has("file", "Textx"));
}

static int open_as_nobody(void *arg)
{
	HANDLE file;
	DWORD done;
	char c;

	CHECK(!setresuid(NOBODY, NOBODY, NOBODY));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 open_file("file", GENERIC_READ, SHARE_ALL,
				   OPEN_EXISTING, 0) != BAD));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 open_file("file", GENERIC_WRITE, SHARE_ALL,
				   OPEN_EXISTING, 0) != BAD));
	file = open_file("file", 0, 0, OPEN_EXISTING, 0);
	CHECK(file != BAD);
	CHECK(GetFileSize(file, NULL) == 4);
	CHECK(CloseHandle(file));
	/* DELETE needs no right to the contents either. */
	file = open_file("file", DELETE, 0, OPEN_EXISTING, 0);
	CHECK(file != BAD);
	CHECK(CloseHandle(file));

	file = open_file("log", GENERIC_WRITE, 0, OPEN_EXISTING, 0);
	CHECK(file != BAD);
	CHECK(WriteFile(file, "x", 1, &done, NULL));
	CHECK(CloseHandle(file));

	file = open_file("text", MAXIMUM_ALLOWED, SHARE_ALL, OPEN_EXISTING, 0);
	CHECK(file != BAD);
	CHECK(gets(file, "text"));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 WriteFile(file, "x", 1, &done, NULL)));
	CHECK(CloseHandle(file));
	file = open_file("log", MAXIMUM_ALLOWED, SHARE_ALL, OPEN_EXISTING, 0);
	CHECK(file != BAD);
	CHECK(put(file, "y"));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 ReadFile(file, &c, 1, &done, NULL)));
	CHECK(CloseHandle(file));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 open_file("log", MAXIMUM_ALLOWED | GENERIC_READ,
				   SHARE_ALL, OPEN_EXISTING, 0) != BAD));
	file = open_file("file", MAXIMUM_ALLOWED, SHARE_ALL, OPEN_EXISTING, 0);
	CHECK(file != BAD);
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 WriteFile(file, "x", 1, &done, NULL)));
	CHECK(CloseHandle(file));
	return 0;
}

/* Rules: FILE-14, FILE-15. */
TEST_F(files, rights_of_others)
{
	HANDLE file;

	if (geteuid())
		SKIP(return, "not root");
	ASSERT_TRUE(make_file("file", "text"));
	ASSERT_TRUE(make_file("text", "text"));
	ASSERT_TRUE(make_file("log", ""));
	ASSERT_EQ(0, chmod("file", 0600));
	ASSERT_EQ(0, chmod("log", 0622));
	EXPECT_EQ(0, in_child(open_as_nobody, NULL));
	EXPECT_TRUE(file_has("log", "y"));
	file = open_file("file", MAXIMUM_ALLOWED, SHARE_ALL, OPEN_EXISTING, 0);
	ASSERT_NE(BAD, file);
	EXPECT_TRUE(put(file, "T"));
	EXPECT_TRUE(CloseHandle(file));
}

/* Rules: FILE-11. For everybody, unlike Linux' rights. */
TEST_F(files, read_only)
{
	HANDLE file = open_file("file", READ_WRITE, SHARE_ALL, CREATE_NEW,
				FILE_ATTRIBUTE_READONLY);

	/* Who makes it may write to it. */
	EXPECT_TRUE(put(file, "text"));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_ARCHIVE,
		  GetFileAttributesA("file"));
	EXPECT_NO_OPEN(ERROR_ACCESS_DENIED,
		       open_file("file", GENERIC_WRITE, SHARE_ALL, OPEN_EXISTING,
				 0));
	EXPECT_NO_OPEN(ERROR_ACCESS_DENIED, open_shared("file", CREATE_ALWAYS));
	EXPECT_NO_OPEN(ERROR_ACCESS_DENIED,
		       open_file("file", GENERIC_READ, SHARE_ALL, OPEN_EXISTING,
				 FILE_FLAG_DELETE_ON_CLOSE));
	EXPECT_NO_OPEN(ERROR_ACCESS_DENIED,
		       open_file("new", READ_WRITE, SHARE_ALL, CREATE_NEW,
				 FILE_FLAG_DELETE_ON_CLOSE |
				 FILE_ATTRIBUTE_READONLY));
	EXPECT_FALSE(is_there("new"));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, DeleteFileA("file"));
	ASSERT_TRUE(make_file("new", ""));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     MoveFileExA("new", "file", MOVEFILE_REPLACE_EXISTING));
	file = open_file("file", GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0);
	EXPECT_TRUE(gets(file, "text"));
	EXPECT_TRUE(CloseHandle(file));

	EXPECT_TRUE(SetFileAttributesA("file", FILE_ATTRIBUTE_NORMAL));
	file = open_file("file", READ_WRITE, SHARE_ALL, CREATE_ALWAYS,
			 FILE_ATTRIBUTE_READONLY);
	EXPECT_NE(BAD, file);
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_ARCHIVE,
		  GetFileAttributesA("file"));
	EXPECT_TRUE(SetFileAttributesA("file", 0));
	EXPECT_TRUE(DeleteFileA("file"));
}

/* Rules: FILE-16. */
TEST_F(files, createfile2_and_template)
{
	CREATEFILE2_EXTENDED_PARAMETERS more = { .dwSize = sizeof(more) };
	HANDLE file, template;

	file = CreateFile2(W("file"), READ_WRITE, 0, CREATE_NEW, NULL);
	ASSERT_NE(BAD, file);
	EXPECT_TRUE(CloseHandle(file));
	more.dwSize--;
	EXPECT_NO_OPEN(ERROR_INVALID_PARAMETER,
		       CreateFile2(W("file"), 0, 0, OPEN_EXISTING, &more));
	more.dwSize++;
	more.dwFileAttributes = FILE_ATTRIBUTE_READONLY;
	file = CreateFile2(W("read-only"), GENERIC_WRITE, 0, CREATE_NEW, &more);
	ASSERT_NE(BAD, file);
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(GetFileAttributesA("read-only") & FILE_ATTRIBUTE_READONLY);
	more.dwFileAttributes = 0;
	more.dwFileFlags = FILE_FLAG_DELETE_ON_CLOSE;
	file = CreateFile2(W("file"), GENERIC_READ, 0, OPEN_EXISTING, &more);
	ASSERT_NE(BAD, file);
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_FALSE(is_there("file"));

	template = open_file("read-only", GENERIC_READ, SHARE_ALL,
			     OPEN_EXISTING, 0);
	file = CreateFileA("like it", GENERIC_WRITE, 0, NULL, CREATE_NEW, 0,
			   template);
	ASSERT_NE(BAD, file);
	EXPECT_TRUE(GetFileAttributesA("like it") & FILE_ATTRIBUTE_READONLY);
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(CloseHandle(template));
	EXPECT_NO_OPEN(ERROR_INVALID_HANDLE,
		       CreateFileA("x", GENERIC_WRITE, 0, NULL, CREATE_NEW, 0,
				   template));
	EXPECT_FALSE(is_there("x"));
	/* Nobody looks at it where nothing is made. */
	file = CreateFileA("like it", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0,
			   template);
	EXPECT_TRUE(CloseHandle(file));
}

/* ---- deleted when closed ---- */

static int close_in_child(void *arg)
{
	CHECK(CloseHandle(*(HANDLE *)arg));
	return 0;
}

static int exit_with_file(void *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (open_file("temp", READ_WRITE, 0, CREATE_NEW,
			      FILE_FLAG_DELETE_ON_CLOSE) == BAD)
			_exit(1);
		exit(is_there("temp") ? 0 : 2);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(status == 0);
	CHECK(!is_there("temp"));
	return 0;
}

/* Rules: FILE-12, HANDLE-05. */
TEST_F(files, delete_on_close)
{
	HANDLE file, other;

	file = open_file("temp", READ_WRITE, SHARE_ALL, CREATE_NEW,
			 FILE_FLAG_DELETE_ON_CLOSE);
	ASSERT_NE(BAD, file);
	EXPECT_TRUE(put(file, "text"));
	ASSERT_TRUE(DuplicateHandle(GetCurrentProcess(), file,
				    GetCurrentProcess(), &other, 0, FALSE,
				    DUPLICATE_SAME_ACCESS));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(file_has("temp", "text"));
	/* A child's handles are not the last ones. */
	EXPECT_EQ(0, in_child(close_in_child, &other));
	EXPECT_TRUE(file_has("temp", "text"));
	/* It is found by the name that it has then, in whatever directory. */
	ASSERT_EQ(0, mkdir("dir", 0755));
	ASSERT_EQ(0, rename("temp", "dir/name"));
	ASSERT_TRUE(make_file("temp", "another"));
	ASSERT_EQ(0, chdir("/"));
	EXPECT_TRUE(CloseHandle(other));
	ASSERT_EQ(0, chdir(self->directory));
	EXPECT_FALSE(is_there("dir/name"));
	EXPECT_TRUE(file_has("temp", "another"));
	ASSERT_EQ(0, unlink("temp"));
	EXPECT_EQ(0, exit_with_file(NULL));

	/* Deleted already, and the name is another file's */
	file = open_file("temp", READ_WRITE, SHARE_ALL, CREATE_NEW,
			 FILE_FLAG_DELETE_ON_CLOSE);
	EXPECT_TRUE(DeleteFileA("temp"));
	ASSERT_TRUE(make_file("temp", "another"));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(file_has("temp", "another"));
}

/* What a program does that closes all descriptors, and then opens a file of its own */
static bool lose_descriptor(int fd, const char *name)
{
	return !close(fd) && open(name, O_RDONLY | O_CLOEXEC) == fd;
}

static bool is_device(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISCHR(st.st_mode);
}

static int lowest_free(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	close(fd);
	return fd;
}

static int close_lost(void *at_exit)
{
	int fd = lowest_free();
	HANDLE file = open_file("temp", READ_WRITE, SHARE_ALL, CREATE_NEW,
				FILE_FLAG_DELETE_ON_CLOSE);

	CHECK(file != BAD);
	CHECK(lose_descriptor(fd, "important"));
	if (at_exit)
		exit(0);
	CHECK(CloseHandle(file));
	CHECK(!fcntl(fd, F_SETFD, 0));
	return 0;
}

/* What has the number of a descriptor now is no handle's. Rules: FILE-12, HANDLE-05. */
TEST_F(files, descriptor_of_another_file)
{
	HANDLE section;
	int fd;

	ASSERT_TRUE(make_file("important", "text"));
	EXPECT_EQ(0, in_child(close_lost, NULL));
	EXPECT_TRUE(file_has("important", "text"));
	EXPECT_EQ(0, unlink("temp"));
	EXPECT_EQ(0, in_child(close_lost, self));
	EXPECT_TRUE(file_has("important", "text"));

	fd = lowest_free();
	section = CreateFileMappingA(BAD, NULL, PAGE_READWRITE, 0, 4096, NULL);
	ASSERT_NE(NULL, section);
	/* The device may have been opened as well. */
	while (fd >= 0 && is_device(fd))
		fd++;
	ASSERT_TRUE(lose_descriptor(fd, "important"));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_EQ(0, close(fd));
}

/* A file system in memory on @place, for this process alone */
static bool mount_memory(const char *place, const char *options)
{
	return !unshare(CLONE_NEWNS) &&
	       !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("tmpfs", place, "tmpfs", 0, options);
}

static HANDLE open_temp(const char *name)
{
	return open_file(name, READ_WRITE, SHARE_ALL, OPEN_ALWAYS,
			 FILE_FLAG_DELETE_ON_CLOSE);
}

static int close_without_proc(void *arg)
{
	HANDLE file;

	CHECK(mount_memory("/proc", NULL));
	CHECK(!is_there("/proc/self"));
	CHECK(!mkdir("dir", 0755));
	file = open_temp("dir/temp");
	CHECK(file != BAD && is_there("dir/temp"));
	CHECK(!chdir("/tmp"));
	CHECK(CloseHandle(file));
	CHECK(!chdir(arg) && !is_there("dir/temp"));

	/* A link is followed, and stays. */
	CHECK(!symlink("dir/temp", "link"));
	file = open_temp("link");
	CHECK(file != BAD && is_there("dir/temp"));
	CHECK(CloseHandle(file));
	CHECK(!is_there("dir/temp") && is_there("link"));

	/* Only the file itself is deleted. */
	file = open_temp("temp");
	CHECK(file != BAD);
	CHECK(!rename("temp", "moved") && make_file("temp", "another"));
	CHECK(CloseHandle(file));
	CHECK(file_has("temp", "another") && is_there("moved"));
	return 0;
}

static volatile pid_t reader;

static void *read_until_end(void *arg)
{
	char text[8];
	DWORD done;

	reader = gettid();
	ReadFile(arg, text, sizeof(text), &done, NULL);
	return NULL;
}

/* A thread is in a call on it, with or without its handle, as the program ends. */
static int exit_while_in_use(void *closed)
{
	pid_t pid = fork();
	pthread_t thread;
	HANDLE pipe;
	int status;

	if (!pid) {
		pipe = open_file("pipe", READ_WRITE, 0, OPEN_EXISTING,
				 FILE_FLAG_DELETE_ON_CLOSE);
		if (pipe == BAD ||
		    pthread_create(&thread, NULL, read_until_end, pipe))
			_exit(1);
		if (!SETTLES(reader && thread_sleeps(reader)))
			_exit(4);
		if (closed && !CloseHandle(pipe))
			_exit(2);
		exit(is_there("pipe") ? 0 : 3);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(status == 0);
	CHECK(!is_there("pipe"));
	return 0;
}

/* Rules: FILE-12. */
TEST_F(files, delete_on_close_in_use)
{
	ASSERT_EQ(0, mkfifo("pipe", 0600));
	EXPECT_EQ(0, exit_while_in_use(NULL));
	ASSERT_EQ(0, mkfifo("pipe", 0600));
	EXPECT_EQ(0, exit_while_in_use(self));
}

/* Rules: FILE-12. */
TEST_F(files, delete_on_close_without_proc)
{
	if (geteuid())
		SKIP(return, "not root");
	EXPECT_EQ(0, in_child(close_without_proc, self->directory));
}

/* ---- what is full, read-only or unusual ---- */

/* Rules: FILE-17. */
TEST_F(files, no_descriptors)
{
	const struct rlimit few = { self->fds + 4, self->fds + 4 };
	HANDLE files[64];
	int i, n = 0;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	for (i = 0; i < 64; i++) {
		files[n] = open_shared("file", OPEN_ALWAYS);
		if (files[n] == BAD)
			break;
		n++;
	}
	EXPECT_EQ(ERROR_TOO_MANY_OPEN_FILES, GetLastError());
	EXPECT_LT(1, n);
	/* What has failed has taken nothing. */
	for (i = 0; i < 100; i++)
		EXPECT_NO_OPEN(ERROR_TOO_MANY_OPEN_FILES,
			       open_shared("file", OPEN_ALWAYS));
	/* Nobody can be asked whether he shares it. */
	EXPECT_FAILS(ERROR_TOO_MANY_OPEN_FILES, DeleteFileA("file"));
	EXPECT_FAILS(ERROR_TOO_MANY_OPEN_FILES, MoveFileExA("file", "new", 0));
	EXPECT_TRUE(is_there("file"));
	EXPECT_TRUE(CloseHandle(files[--n]));
	files[n] = open_file("file", GENERIC_READ, SHARE_ALL, OPEN_ALWAYS, 0);
	EXPECT_NE(BAD, files[n]);
	/* This takes a descriptor for writing. */
	EXPECT_FAILS(ERROR_TOO_MANY_OPEN_FILES, LockFile(files[n], 0, 0, 1, 0));
	EXPECT_TRUE(CloseHandle(files[--n]));
	EXPECT_TRUE(LockFile(files[n + 1], 0, 0, 1, 0));
	EXPECT_TRUE(CloseHandle(files[n + 1]));
	files[n] = open_shared("file", OPEN_ALWAYS);
	EXPECT_NE(BAD, files[n]);
	for (i = 0; i <= n; i++)
		EXPECT_TRUE(CloseHandle(files[i]));
	EXPECT_EQ(self->fds, count_fds());
}

static int use_read_only_mount(void *arg)
{
	HANDLE file;

	CHECK(!mkdir("mnt", 0755) && mount_memory("mnt", NULL));
	CHECK(make_file("mnt/file", "text"));
	CHECK(!mount("tmpfs", "mnt", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL));
	CHECK(FAILS_WITH(ERROR_WRITE_PROTECT,
			 open_shared("mnt/file", OPEN_EXISTING) != BAD));
	CHECK(FAILS_WITH(ERROR_WRITE_PROTECT,
			 open_shared("mnt/new", CREATE_NEW) != BAD));
	CHECK(FAILS_WITH(ERROR_WRITE_PROTECT,
			 open_file("mnt/file", GENERIC_READ, 0, CREATE_ALWAYS,
				   0) != BAD));
	CHECK(FAILS_WITH(ERROR_WRITE_PROTECT,
			 open_file("mnt/file", GENERIC_READ, 0, OPEN_EXISTING,
				   FILE_FLAG_DELETE_ON_CLOSE) != BAD));
	CHECK(FAILS_WITH(ERROR_WRITE_PROTECT,
			 open_file("mnt/file", 0, 0, OPEN_ALWAYS,
				   FILE_FLAG_DELETE_ON_CLOSE) != BAD));
	CHECK(FAILS_WITH(ERROR_WRITE_PROTECT, DeleteFileA("mnt/file")));
	CHECK(FAILS_WITH(ERROR_WRITE_PROTECT,
			 MoveFileExA("mnt/file", "mnt/x", 0)));
	CHECK(FAILS_WITH(ERROR_WRITE_PROTECT,
			 SetFileAttributesA("mnt/file", 1)));
	file = open_file("mnt/file", GENERIC_READ, 0, OPEN_EXISTING, 0);
	CHECK(file != BAD);
	CHECK(gets(file, "text"));
	/* Share modes are kept there as anywhere. */
	CHECK(FAILS_WITH(ERROR_SHARING_VIOLATION,
			 open_file("mnt/file", GENERIC_READ, SHARE_ALL,
				   OPEN_EXISTING, 0) != BAD));
	CHECK(CloseHandle(file));
	file = open_file("mnt/file", MAXIMUM_ALLOWED, 0, OPEN_EXISTING, 0);
	CHECK(file != BAD);
	CHECK(gets(file, "text"));
	return 0;
}

/* Rules: FILE-18. */
TEST_F(files, read_only_file_system)
{
	if (geteuid())
		SKIP(return, "not root");
	EXPECT_EQ(0, in_child(use_read_only_mount, NULL));
}

static int fill_file_system(void *arg)
{
	static char block[1 << 20];
	HANDLE file;
	DWORD done;

	CHECK(!mkdir("mnt", 0755) && mount_memory("mnt", "size=256k"));
	file = open_shared("mnt/file", CREATE_NEW);
	CHECK(FAILS_WITH(ERROR_DISK_FULL,
			 WriteFile(file, block, sizeof(block), &done, NULL)));
	/* The kernel writes less than was asked for before it fails. */
	CHECK(done == GetFileSize(file, NULL));
	CHECK(done == position_of(file));
	CHECK(done > 0 && done <= 256 << 10);
	return 0;
}

/* Rules: FILE-48. */
TEST_F(files, full_file_system)
{
	if (geteuid())
		SKIP(return, "not root");
	EXPECT_EQ(0, in_child(fill_file_system, NULL));
}

static int open_without_standard(void *arg)
{
	struct stat st;
	HANDLE file;
	int i;

	for (i = 0; i < 3; i++)
		close(i);
	file = open_shared("file", OPEN_ALWAYS);
	if (file == BAD)
		return __LINE__;
	for (i = 0; i < 3; i++)
		if (!fstat(i, &st))
			return __LINE__;
	return !put(file, "text") || !file_has("file", "text");
}

/* Rules: FILE-19. */
TEST_F(files, not_a_standard_descriptor)
{
	EXPECT_EQ(0, in_child(open_without_standard, NULL));
}

/* Rules: FILE-13. */
TEST_F(files, unbuffered)
{
	static char block[8192] __attribute__((aligned(4096)));
	HANDLE file;
	DWORD done;

	file = open_file("file", READ_WRITE, 0, CREATE_NEW,
			 FILE_FLAG_NO_BUFFERING | FILE_FLAG_WRITE_THROUGH);
	ASSERT_NE(BAD, file);
	memset(block, 'x', sizeof(block));
	EXPECT_TRUE(WriteFile(file, block, 4096, &done, NULL));
	EXPECT_EQ(4096, done);
	EXPECT_EQ(0, SetFilePointer(file, 0, NULL, FILE_BEGIN));
	memset(block, 0, sizeof(block));
	/* It ends at the end of the file, without asking behind it. */
	EXPECT_TRUE(ReadFile(file, block, 8192, &done, NULL));
	EXPECT_EQ(4096, done);
	EXPECT_EQ('x', block[4095]);
	EXPECT_TRUE(ReadFile(file, block, 4096, &done, NULL));
	EXPECT_EQ(0, done);
	EXPECT_TRUE(CloseHandle(file));
}

/* Rules: FILE-84, FILE-40, FILE-57. */
TEST_F(files, devices_and_pipes)
{
	HANDLE null, pipe, end;
	DWORD done, high;
	char buffer[8];

	null = open_file("NUL", READ_WRITE, 0, OPEN_EXISTING, 0);
	ASSERT_NE(BAD, null);
	EXPECT_EQ(FILE_TYPE_CHAR, GetFileType(null));
	EXPECT_TRUE(put(null, "text"));
	EXPECT_TRUE(ReadFile(null, buffer, 8, &done, NULL));
	EXPECT_EQ(0, done);
	EXPECT_FAILS(ERROR_INVALID_FUNCTION,
		     GetFileSize(null, &high) != INVALID_FILE_SIZE);
	EXPECT_FAILS(ERROR_INVALID_FUNCTION, SetEndOfFile(null));
	EXPECT_TRUE(CloseHandle(null));

	ASSERT_EQ(0, mkfifo("pipe", 0600));
	pipe = open_file("pipe", READ_WRITE, 0, OPEN_EXISTING, 0);
	end = open_file("pipe", GENERIC_READ, 0, OPEN_EXISTING, 0);
	ASSERT_NE(BAD, pipe);
	ASSERT_NE(BAD, end);
	EXPECT_EQ(FILE_TYPE_PIPE, GetFileType(pipe));
	EXPECT_TRUE(put(pipe, "text"));
	/* What is there is enough. */
	EXPECT_TRUE(ReadFile(end, buffer, 8, &done, NULL));
	EXPECT_EQ(4, done);
	EXPECT_FAILS(ERROR_SEEK_ON_DEVICE,
		     SetFilePointer(pipe, 0, NULL, FILE_CURRENT) !=
		     INVALID_SET_FILE_POINTER);
	EXPECT_TRUE(CloseHandle(pipe));
	EXPECT_FAILS(ERROR_BROKEN_PIPE, ReadFile(end, buffer, 8, &done, NULL));
	EXPECT_TRUE(CloseHandle(end));

	SetLastError(OUR_ERROR);
	EXPECT_EQ(FILE_TYPE_UNKNOWN, GetFileType(end));
	EXPECT_EQ(ERROR_INVALID_HANDLE, GetLastError());
}

/* ---- names ---- */

/* Rules: FILE-30, FILE-31, FILE-32, FILE-33, FILE-34, FILE-98. */
TEST_F(files, names)
{
	char name[256], *c;

	ASSERT_EQ(0, mkdir("dir", 0755));
	ASSERT_TRUE(make_file("dir/file", ""));
	EXPECT_TRUE(opens("dir/file", OPEN_EXISTING, 0));
	EXPECT_TRUE(opens("dir\\file", OPEN_EXISTING, 0));
	EXPECT_TRUE(opens(".\\dir//.\\file", OPEN_EXISTING, 0));
	EXPECT_TRUE(opens("C:dir\\file", OPEN_EXISTING, 0));
	EXPECT_NO_OPEN(ERROR_PATH_NOT_FOUND,
		       open_shared("D:dir\\file", OPEN_EXISTING));
	EXPECT_NO_OPEN(ERROR_PATH_NOT_FOUND,
		       open_shared("z:\\file", CREATE_NEW));

	snprintf(name, sizeof(name), "c:%s\\dir\\file", self->directory);
	for (c = name; *c; c++)
		*c = *c == '/' ? '\\' : *c;
	EXPECT_TRUE(opens(name, OPEN_EXISTING, 0));
	snprintf(name, sizeof(name), "\\\\?\\C:%s\\dir\\file", self->directory);
	EXPECT_TRUE(opens(name, OPEN_EXISTING, 0));
	snprintf(name, sizeof(name), "\\??\\C:%s\\dir\\file", self->directory);
	EXPECT_TRUE(opens(name, OPEN_EXISTING, 0));
	snprintf(name, sizeof(name), "\\\\?\\%s\\dir\\file", self->directory);
	EXPECT_TRUE(opens(name, OPEN_EXISTING, 0));
	snprintf(name, sizeof(name), "\\\\.\\c:%s/dir/file", self->directory);
	EXPECT_TRUE(opens(name, OPEN_EXISTING, 0));
	EXPECT_NO_OPEN(ERROR_PATH_NOT_FOUND,
		       open_shared("\\\\?\\dir\\file", OPEN_EXISTING));
	EXPECT_NO_OPEN(ERROR_PATH_NOT_FOUND,
		       open_shared("\\\\?\\D:\\file", OPEN_EXISTING));
	EXPECT_NO_OPEN(ERROR_BAD_NETPATH,
		       open_shared("\\\\server\\share\\file", OPEN_EXISTING));
	EXPECT_NO_OPEN(ERROR_BAD_NETPATH,
		       open_shared("\\\\?\\UNC\\server\\x", OPEN_EXISTING));
	EXPECT_NO_OPEN(ERROR_FILE_NOT_FOUND,
		       open_shared("\\\\.\\pipe\\name", OPEN_EXISTING));
	EXPECT_NO_OPEN(ERROR_FILE_NOT_FOUND,
		       open_shared("\\\\.\\C:", OPEN_EXISTING));
	EXPECT_TRUE(opens("nul", OPEN_EXISTING, 0));
	EXPECT_TRUE(opens("NUL", CREATE_NEW, 0));
	EXPECT_TRUE(opens("NUL:", OPEN_ALWAYS, 0));
	EXPECT_TRUE(opens("\\\\.\\NUL", CREATE_ALWAYS, 0));
	EXPECT_TRUE(opens("nul", TRUNCATE_EXISTING, 0));
	EXPECT_TRUE(opens("/dev/null", CREATE_NEW, 0));
	EXPECT_TRUE(opens("./nul", CREATE_NEW, 0));
	EXPECT_TRUE(is_there("nul"));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: FILE-35. */
TEST_F(files, long_names)
{
	char path[2 * PATH_MAX], name[LONG_NAME + 2];
	HANDLE file;
	int i;

	memset(name, 'x', sizeof(name));
	name[LONG_NAME] = '\0';
	EXPECT_TRUE(opens(name, CREATE_NEW, 0));
	name[LONG_NAME] = 'x';
	name[LONG_NAME + 1] = '\0';
	EXPECT_NO_OPEN(ERROR_FILENAME_EXCED_RANGE, open_shared(name, CREATE_NEW));

	/* More than MAX_PATH is no matter, more than PATH_MAX is. */
	ASSERT_EQ(0, mkdir("d", 0755));
	path[0] = '\0';
	for (i = 0; i < 2040; i++)
		strcat(path, "./");
	strcat(path, "d/file");
	file = open_shared(path, CREATE_NEW);
	EXPECT_NE(BAD, file);
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(is_there("d/file"));
	for (i = 0; i < 10; i++)
		strcat(path, "././");
	EXPECT_NO_OPEN(ERROR_FILENAME_EXCED_RANGE,
		       open_shared(path, OPEN_EXISTING));
	EXPECT_FAILS(ERROR_FILENAME_EXCED_RANGE, DeleteFileA(path));
}

static HANDLE open_wide(const WCHAR *name, DWORD disposition)
{
	return CreateFileW(name, READ_WRITE, SHARE_ALL, NULL, disposition, 0,
			   NULL);
}

/* Rules: FILE-36. */
TEST_F(files, wide_names)
{
	static WCHAR endless[2 * PATH_MAX];
	HANDLE file;
	int i;

	file = open_wide(W("gr\xfc\xdf\xd83d\xde42"), CREATE_NEW);
	ASSERT_NE(BAD, file);
	EXPECT_TRUE(is_there("gr\xc3\xbc\xc3\x9f\xf0\x9f\x99\x82"));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(FILE_ATTRIBUTE_ARCHIVE,
		  GetFileAttributesW(W(".\\gr\xfc\xdf\xd83d\xde42")));
	EXPECT_TRUE(MoveFileExW(W("gr\xfc\xdf\xd83d\xde42"), W("\x3b1"), 0));
	EXPECT_TRUE(SetFileAttributesW(W("\x3b1"), FILE_ATTRIBUTE_NORMAL));
	EXPECT_TRUE(DeleteFileW(W("\x3b1")));
	EXPECT_NO_OPEN(ERROR_FILE_NOT_FOUND,
		       open_wide(W("\x3b1"), OPEN_EXISTING));

	EXPECT_NO_OPEN(ERROR_INVALID_NAME, open_wide(W("x\xd800"), CREATE_NEW));
	EXPECT_NO_OPEN(ERROR_INVALID_NAME, open_wide(W("\xdc00x"), CREATE_NEW));
	EXPECT_FAILS(ERROR_INVALID_NAME, DeleteFileW(W("\xd800")));
	EXPECT_FAILS(ERROR_INVALID_NAME,
		     GetFileAttributesW(W("\xd800")) != INVALID_FILE_ATTRIBUTES);
	EXPECT_NO_OPEN(ERROR_PATH_NOT_FOUND, open_wide(W(""), CREATE_NEW));
	EXPECT_NO_OPEN(ERROR_PATH_NOT_FOUND, open_wide(NULL, CREATE_NEW));
	for (i = 0; i < 2 * PATH_MAX - 1; i++)
		endless[i] = '/';
	EXPECT_NO_OPEN(ERROR_FILENAME_EXCED_RANGE,
		       open_wide(endless, OPEN_EXISTING));
	/* What is no UTF-8 can be opened by the other function. */
	EXPECT_TRUE(opens("\xff", CREATE_NEW, 0));
}

static bool full_is(const char *name, const char *full, const char *part)
{
	char buffer[2 * PATH_MAX], *file_part = buffer;
	DWORD n = GetFullPathNameA(name, sizeof(buffer), buffer, &file_part);

	if (n == strlen(full) && !strcmp(buffer, full) &&
	    (part ? file_part && !strcmp(file_part, part) : !file_part))
		return true;
	fprintf(stderr, "# %s: %u, %s\n", name, n, buffer);
	return false;
}

/* Rules: FILE-90, FILE-91. */
TEST_F(files, full_path)
{
	WCHAR wide[64], *wide_part;
	char buffer[64], *part;
	char full[64];

	EXPECT_TRUE(full_is("/", "/", NULL));
	EXPECT_TRUE(full_is("C:\\", "/", NULL));
	EXPECT_TRUE(full_is("/a", "/a", "a"));
	EXPECT_TRUE(full_is("\\a\\\\.\\b\\..\\c", "/a/c", "c"));
	EXPECT_TRUE(full_is("/../../a/", "/a/", NULL));
	EXPECT_TRUE(full_is("/a/..", "/", NULL));
	EXPECT_TRUE(full_is("/a/...", "/a/...", "..."));
	EXPECT_TRUE(full_is("nul", "/dev/null", "null"));
	snprintf(full, sizeof(full), "%s/x/y", self->directory);
	EXPECT_TRUE(full_is("x\\y", full, "y"));
	EXPECT_TRUE(full_is("c:.\\x\\z\\..\\y", full, "y"));
	snprintf(full, sizeof(full), "%s", self->directory);
	EXPECT_TRUE(full_is(".", full, strrchr(full, '/') + 1));
	EXPECT_TRUE(full_is("C:", full, strrchr(full, '/') + 1));

	/* The size that is needed, or the length that is there */
	EXPECT_EQ(5, GetFullPathNameA("/abc", 0, NULL, NULL));
	EXPECT_EQ(5, GetFullPathNameA("/abc", 4, buffer, &part));
	EXPECT_EQ(4, GetFullPathNameA("/abc", 5, buffer, &part));
	EXPECT_EQ(buffer + 1, part);
	EXPECT_EQ(6, GetFullPathNameW(W("/\xd83d\xde42xy"), 5, wide, NULL));
	EXPECT_EQ(5, GetFullPathNameW(W("/\xd83d\xde42xy"), 6, wide,
				      &wide_part));
	EXPECT_EQ(wide + 1, wide_part);
	EXPECT_EQ(0xde42, wide[2]);
	EXPECT_EQ(0, wide[5]);
	EXPECT_EQ(3, GetFullPathNameW(W("/a/"), 6, wide, &wide_part));
	EXPECT_EQ(NULL, wide_part);

	EXPECT_FAILS(ERROR_INVALID_NAME, GetFullPathNameA("", 9, buffer, NULL));
	EXPECT_FAILS(ERROR_INVALID_NAME, GetFullPathNameA(NULL, 9, buffer, NULL));
	EXPECT_FAILS(ERROR_INVALID_NAME, GetFullPathNameW(W(""), 9, wide, NULL));
	EXPECT_FAILS(ERROR_INVALID_NAME,
		     GetFullPathNameW(W("\xd800"), 9, wide, NULL));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND,
		     GetFullPathNameA("E:x", 9, buffer, NULL));
	/* The current directory has a name that UTF-16 has not. */
	ASSERT_EQ(0, mkdir("\xff", 0755));
	ASSERT_EQ(0, chdir("\xff"));
	EXPECT_FAILS(ERROR_NO_UNICODE_TRANSLATION,
		     GetFullPathNameW(W("x"), 64, wide, NULL));
	EXPECT_FAILS(ERROR_NO_UNICODE_TRANSLATION,
		     GetCurrentDirectoryW(64, wide));
}

/* Rules: FILE-92. */
TEST_F(files, current_directory)
{
	size_t i, length = strlen(self->directory);
	char buffer[64];
	WCHAR wide[64];

	EXPECT_EQ(length + 1, GetCurrentDirectoryA(0, NULL));
	EXPECT_EQ(length + 1, GetCurrentDirectoryA(length, buffer));
	EXPECT_EQ(length, GetCurrentDirectoryA(length + 1, buffer));
	EXPECT_STREQ(self->directory, buffer);
	EXPECT_EQ(length + 1, GetCurrentDirectoryW(length, wide));
	EXPECT_EQ(length, GetCurrentDirectoryW(64, wide));
	for (i = 0; i <= length; i++)
		EXPECT_EQ(self->directory[i], wide[i]);
}

/* Rules: FILE-93. */
TEST_F(files, temp_path)
{
	char buffer[64];
	WCHAR wide[64];

	unsetenv("TMP");
	unsetenv("TEMP");
	unsetenv("TMPDIR");
	EXPECT_EQ(5, GetTempPathA(64, buffer));
	EXPECT_STREQ("/tmp/", buffer);
	setenv("TMPDIR", "/c", 1);
	EXPECT_EQ(3, GetTempPathA(64, buffer));
	EXPECT_STREQ("/c/", buffer);
	setenv("TEMP", "C:\\b\\", 1);
	EXPECT_EQ(3, GetTempPathA(64, buffer));
	EXPECT_STREQ("/b/", buffer);
	setenv("TMP", "", 1);
	EXPECT_EQ(3, GetTempPathA(64, buffer));
	setenv("TMP", "/a", 1);
	EXPECT_EQ(3, GetTempPathW(4, wide));
	EXPECT_EQ('a', wide[1]);
	EXPECT_EQ(0, wide[3]);
	EXPECT_EQ(4, GetTempPathW(3, wide));
	EXPECT_EQ(4, GetTempPathA(0, NULL));
}

/* What a set-user-ID program does here is all done before main(). */
__attribute__((constructor)) static void tell_temp_path(void)
{
	char buffer[64];

	if (!getauxval(AT_SECURE))
		return;
	GetTempPathA(sizeof(buffer), buffer);
	_exit(strcmp(buffer, "/tmp/") ? 2 : 0);
}

static int run_as_nobody(void *program)
{
	CHECK(!setenv("TMP", "/a", 1) && !setenv("TEMP", "/b", 1));
	CHECK(!setenv("TMPDIR", "/c", 1));
	CHECK(!setgid(NOBODY) && !setuid(NOBODY));
	execl(program, program, NULL);
	return __LINE__;
}

/* Who starts a program that has more rights does not say where. Rules: FILE-93. */
TEST_F(files, temp_path_of_secure_program)
{
	if (geteuid())
		SKIP(return, "only root can make a program for others");
	ASSERT_TRUE(copy_program("program", 04755));
	EXPECT_EQ(0, in_child(run_as_nobody, "./program"));
}

static mode_t mode_of_temp(const char *directory)
{
	char name[MAX_PATH];
	struct stat st;

	if (!GetTempFileNameA(directory, "t", 0, name) || stat(name, &st))
		return 0;
	return st.st_mode & 07777;
}

/* Nobody else reads what is made where all make files. Rules: FILE-94. */
TEST_F(files, mode_of_temp_files)
{
	umask(022);
	ASSERT_EQ(0, mkdir("own", 0755));
	EXPECT_EQ(0644, mode_of_temp("own"));
	EXPECT_EQ(0600, mode_of_temp("."));
	ASSERT_EQ(0, chmod("own", 0775));
	EXPECT_EQ(0644, mode_of_temp("own"));
}

/* Rules: FILE-94, FILE-95, FILE-96. */
TEST_F(files, temp_name)
{
	char name[MAX_PATH], path[MAX_PATH + 1], other[MAX_PATH];
	WCHAR wide[MAX_PATH];
	UINT n;

	n = GetTempFileNameA(self->directory, "prefix", 0, name);
	ASSERT_NE(0, n);
	ASSERT_GE(0xffff, n);
	snprintf(path, sizeof(path), "%s/pre%X.tmp", self->directory, n);
	EXPECT_STREQ(path, name);
	EXPECT_TRUE(file_has(name, ""));
	EXPECT_NE(0, GetTempFileNameA(self->directory, "prefix", 0, other));
	EXPECT_TRUE(strcmp(name, other));

	/* A name that is wanted is not looked for, nor made. */
	EXPECT_EQ(0x12345, GetTempFileNameA("none\\", NULL, 0x12345, name));
	EXPECT_STREQ("none/2345.tmp", name);
	EXPECT_EQ(0xabc, GetTempFileNameW(W("."), W("\xfc\xfc\xfc\xfc"), 0xabc,
					  wide));
	EXPECT_EQ('.', wide[0]);
	EXPECT_EQ(0xfc, wide[4]);
	EXPECT_EQ('A', wide[5]);
	EXPECT_NE(0, GetTempFileNameW(W("."), W("w"), 0, wide));
	EXPECT_EQ(FILE_ATTRIBUTE_ARCHIVE, GetFileAttributesW(wide));

	EXPECT_FAILS(ERROR_DIRECTORY, GetTempFileNameA("none", "x", 0, name));
	ASSERT_TRUE(make_file("file", ""));
	EXPECT_FAILS(ERROR_DIRECTORY, GetTempFileNameA("file", "x", 0, name));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     GetTempFileNameA(NULL, "x", 0, name));
	memset(path, '/', MAX_PATH);
	path[MAX_PATH - 13] = '\0';
	EXPECT_FAILS(ERROR_BUFFER_OVERFLOW, GetTempFileNameA(path, "x", 0, name));
}

/* ---- transfers ---- */

/* Rules: FILE-40. */
TEST_F(files, read_and_write)
{
	HANDLE file = open_shared("file", CREATE_NEW);
	DWORD done = 4711;
	char buffer[8];

	EXPECT_TRUE(WriteFile(file, "", 0, &done, NULL));
	EXPECT_EQ(0, done);
	EXPECT_TRUE(put(file, "text"));
	done = 4711;
	SetLastError(OUR_ERROR);
	EXPECT_TRUE(ReadFile(file, buffer, 8, &done, NULL));
	EXPECT_EQ(0, done);
	EXPECT_EQ(OUR_ERROR, GetLastError());
	EXPECT_EQ(2, SetFilePointer(file, 2, NULL, FILE_BEGIN));
	EXPECT_TRUE(ReadFile(file, buffer, 8, &done, NULL));
	EXPECT_EQ(2, done);
	EXPECT_EQ('x', buffer[0]);
	EXPECT_TRUE(ReadFile(file, buffer, 0, &done, NULL));
	EXPECT_EQ(0, done);
	EXPECT_TRUE(CloseHandle(file));
}

/* Rules: FILE-41, FILE-42, FILE-49. */
TEST_F(files, transfers_at_offsets)
{
	HANDLE file = open_shared("file", CREATE_NEW);
	OVERLAPPED where = { .Offset = 10 };
	char buffer[8];
	DWORD done;

	EXPECT_TRUE(WriteFile(file, "text", 4, &done, &where));
	EXPECT_EQ(4, done);
	EXPECT_EQ(14, position_of(file));
	EXPECT_EQ(STATUS_SUCCESS, where.Internal);
	EXPECT_EQ(4, where.InternalHigh);
	EXPECT_TRUE(HasOverlappedIoCompleted(&where));
	where.Offset = 12;
	EXPECT_TRUE(ReadFile(file, buffer, 8, NULL, &where));
	EXPECT_EQ(2, where.InternalHigh);
	EXPECT_EQ(14, position_of(file));
	EXPECT_TRUE(GetOverlappedResult(file, &where, &done, TRUE));
	EXPECT_EQ(2, done);

	where.Offset = 14;
	done = 4711;
	EXPECT_FAILS(ERROR_HANDLE_EOF, ReadFile(file, buffer, 8, &done, &where));
	EXPECT_EQ(0, done);
	EXPECT_EQ((DWORD)STATUS_END_OF_FILE, where.Internal);
	EXPECT_FAILS(ERROR_HANDLE_EOF,
		     GetOverlappedResult(file, &where, &done, FALSE));
	EXPECT_EQ(0, done);
	where.OffsetHigh = 0x80000000;
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     ReadFile(file, buffer, 8, &done, &where));
	where.OffsetHigh = 0;
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     GetOverlappedResult(file, &where, &done, FALSE));
}

/* What a call has failed with is told again, whatever it is. Rules: FILE-49, FILE-89. */
TEST_F(files, results_of_failures)
{
	HANDLE file = open_shared("file", CREATE_NEW), pipe;
	OVERLAPPED where = { 0 };
	char buffer[8];
	DWORD done;

	ASSERT_NE(INVALID_HANDLE_VALUE, file);
	EXPECT_FAILS(ERROR_HANDLE_EOF, ReadFile(file, buffer, 8, &done, &where));
	EXPECT_TRUE(LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &where));
	EXPECT_TRUE(GetOverlappedResult(file, &where, &done, FALSE));
	EXPECT_TRUE(UnlockFileEx(file, 0, 1, 0, &where));
	EXPECT_FAILS(ERROR_NOT_LOCKED, UnlockFileEx(file, 0, 1, 0, &where));
	EXPECT_EQ((DWORD)STATUS_RANGE_NOT_LOCKED, where.Internal);
	EXPECT_FAILS(ERROR_NOT_LOCKED,
		     GetOverlappedResult(file, &where, &done, FALSE));
	where.Internal = STATUS_PENDING;
	EXPECT_FAILS(ERROR_IO_INCOMPLETE,
		     GetOverlappedResult(file, &where, &done, FALSE));
	EXPECT_TRUE(CloseHandle(file));

	ASSERT_EQ(0, mkfifo("pipe", 0600));
	file = open_file("pipe", READ_WRITE, 0, OPEN_EXISTING, 0);
	pipe = open_file("pipe", GENERIC_READ, 0, OPEN_EXISTING, 0);
	ASSERT_NE(BAD, pipe);
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_FAILS(ERROR_BROKEN_PIPE, ReadFile(pipe, buffer, 8, &done, &where));
	EXPECT_EQ((DWORD)STATUS_PIPE_BROKEN, where.Internal);
	EXPECT_FAILS(ERROR_BROKEN_PIPE,
		     GetOverlappedResult(pipe, &where, &done, FALSE));
	file = open_file("pipe", READ_WRITE, 0, OPEN_EXISTING, 0);
	EXPECT_TRUE(CloseHandle(pipe));
	pipe = open_file("pipe", GENERIC_WRITE, 0, OPEN_EXISTING, 0);
	ASSERT_NE(BAD, pipe);
	EXPECT_TRUE(CloseHandle(file));
	signal(SIGPIPE, SIG_IGN);
	EXPECT_FAILS(ERROR_NO_DATA, WriteFile(pipe, buffer, 8, &done, &where));
	EXPECT_EQ((DWORD)STATUS_PIPE_CLOSING, where.Internal);
	EXPECT_TRUE(CloseHandle(pipe));
}

struct pending_read {
	HANDLE file;
	OVERLAPPED where;
	char text[8];
};

static void *read_at(void *arg)
{
	struct pending_read *read = arg;

	ReadFile(read->file, read->text, sizeof(read->text), NULL,
		 &read->where);
	return NULL;
}

/* A transfer has no result while it waits, nor that of the one before. Rules: FILE-49. */
TEST_F(files, no_result_before_the_end)
{
	struct pending_read read = { 0 };
	struct result result = { .where = &read.where };
	HANDLE writer;
	pthread_t thread;

	ASSERT_EQ(0, mkfifo("pipe", 0600));
	writer = open_file("pipe", READ_WRITE, 0, OPEN_EXISTING, 0);
	read.file = open_file("pipe", GENERIC_READ, 0, OPEN_EXISTING, 0);
	result.file = read.file;
	ASSERT_TRUE(put(writer, "first"));
	ASSERT_TRUE(ReadFile(read.file, read.text, 5, NULL, &read.where));
	EXPECT_EQ(5, read.where.InternalHigh);

	ASSERT_EQ(0, pthread_create(&thread, NULL, read_at, &read));
	ASSERT_TRUE(waits_for_result(&result));
	EXPECT_TRUE(put(writer, "any"));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, pthread_join(result.thread, NULL));
	EXPECT_EQ(0, result.error);
	EXPECT_EQ(3, result.done);
	EXPECT_EQ(0, memcmp(read.text, "any", 3));

	/* The end of the pipe is a result, too. */
	result.state = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_at, &read));
	ASSERT_TRUE(waits_for_result(&result));
	EXPECT_TRUE(CloseHandle(writer));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, pthread_join(result.thread, NULL));
	EXPECT_EQ(ERROR_BROKEN_PIPE, result.error);
	EXPECT_EQ(0, result.done);
	EXPECT_TRUE(CloseHandle(read.file));
}

static bool is_set(HANDLE event)
{
	return !WaitForSingleObject(event, 0);
}

/* Rules: FILE-58, FILE-59. */
TEST_F(files, event)
{
	HANDLE file = open_shared("file", CREATE_NEW), weak;
	OVERLAPPED where = { .hEvent = CreateEventA(NULL, TRUE, FALSE, NULL) };
	HANDLE event = where.hEvent;
	char buffer[8];
	DWORD done;

	ASSERT_TRUE(WriteFile(file, "text", 4, &done, &where));
	EXPECT_TRUE(is_set(event));
	/* With the lowest bit as well, which is about ports. */
	ASSERT_TRUE(ResetEvent(event));
	where.hEvent = (HANDLE)((uintptr_t)event | 1);
	EXPECT_TRUE(ReadFile(file, buffer, 4, NULL, &where));
	EXPECT_TRUE(is_set(event));
	/* A transfer that fails has reset it. */
	where.Offset = 4;
	EXPECT_FAILS(ERROR_HANDLE_EOF, ReadFile(file, buffer, 4, &done, &where));
	EXPECT_FALSE(is_set(event));

	ASSERT_TRUE(DuplicateHandle(GetCurrentProcess(), event,
				    GetCurrentProcess(), &weak, SYNCHRONIZE,
				    FALSE, 0));
	ASSERT_TRUE(SetEvent(event));
	where.Offset = 0;
	where.hEvent = weak;
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     ReadFile(file, buffer, 4, &done, &where));
	EXPECT_EQ((DWORD)STATUS_ACCESS_DENIED, where.Internal);
	EXPECT_TRUE(CloseHandle(weak));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     ReadFile(file, buffer, 4, &done, &where));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     GetOverlappedResult(file, &where, &done, TRUE));
	where.hEvent = file;
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     WriteFile(file, "more", 4, &done, &where));
	EXPECT_TRUE(is_set(event));
	EXPECT_TRUE(file_has("file", "text"));
	EXPECT_TRUE(CloseHandle(event));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: FILE-43. */
TEST_F(files, overlapped_handle)
{
	HANDLE file = open_file("file", READ_WRITE, 0, CREATE_NEW,
				FILE_FLAG_OVERLAPPED);
	OVERLAPPED where = { .Offset = 2 };
	char buffer[8];
	DWORD done;

	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     WriteFile(file, "x", 1, &done, NULL));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     ReadFile(file, buffer, 1, &done, NULL));
	EXPECT_TRUE(WriteFile(file, "text", 4, NULL, &where));
	EXPECT_EQ(0, position_of(file));
	EXPECT_TRUE(ReadFile(file, buffer, 4, NULL, &where));
	EXPECT_EQ(4, where.InternalHigh);
	EXPECT_EQ(0, memcmp("text", buffer, 4));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     ReadFile(file, buffer, 4, NULL, NULL));
}

/* Rules: FILE-44. */
TEST_F(files, append)
{
	OVERLAPPED end = { .Offset = ~0U, .OffsetHigh = ~0U }, start = { 0 };
	HANDLE file, appender;
	DWORD done;

	file = open_shared("file", CREATE_NEW);
	ASSERT_TRUE(put(file, "one"));
	appender = open_file("file", FILE_APPEND_DATA, SHARE_ALL, OPEN_EXISTING,
			     0);
	ASSERT_NE(BAD, appender);
	EXPECT_TRUE(put(appender, " two"));
	EXPECT_EQ(0, SetFilePointer(appender, 0, NULL, FILE_BEGIN));
	EXPECT_TRUE(put(appender, " three"));
	EXPECT_TRUE(WriteFile(appender, " four", 5, &done, &start));
	EXPECT_TRUE(WriteFile(file, " five", 5, &done, &end));
	EXPECT_EQ(5, done);
	EXPECT_TRUE(file_has("file", "one two three four five"));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, SetEndOfFile(appender));
	EXPECT_TRUE(CloseHandle(appender));

	/* The right of a handle counts, not that of the file. */
	ASSERT_TRUE(DuplicateHandle(GetCurrentProcess(), file,
				    GetCurrentProcess(), &appender,
				    FILE_APPEND_DATA, FALSE, 0));
	EXPECT_EQ(0, SetFilePointer(appender, 0, NULL, FILE_BEGIN));
	EXPECT_TRUE(put(appender, "!"));
	EXPECT_TRUE(file_has("file", "one two three four five!"));
	EXPECT_TRUE(CloseHandle(appender));
	EXPECT_TRUE(CloseHandle(file));
}

/* Rules: FILE-45. */
TEST_F(files, bad_buffers)
{
	HANDLE file = open_shared("file", CREATE_NEW);
	DWORD done;
	char c;

	EXPECT_FAILS(ERROR_NOACCESS,
		     WriteFile(file, (void *)0x10, 1, &done, NULL));
	EXPECT_TRUE(put(file, "text"));
	EXPECT_EQ(0, SetFilePointer(file, 0, NULL, FILE_BEGIN));
	EXPECT_FAILS(ERROR_NOACCESS,
		     ReadFile(file, (void *)0x10, 1, &done, NULL));
	EXPECT_EQ(0, done);
	EXPECT_EQ(0, position_of(file));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, ReadFile(file, &c, 1, NULL, NULL));
	EXPECT_TRUE(CloseHandle(file));
}

#define FAR_AWAY (5LL << 32)

/* Rules: FILE-46, FILE-50, FILE-54. */
TEST_F(files, beyond_4_gib)
{
	HANDLE file = open_shared("file", CREATE_NEW);
	OVERLAPPED where = { .Offset = 7, .OffsetHigh = 5 };
	LARGE_INTEGER size;
	DWORD done, high;
	LONG move = 5;

	ASSERT_TRUE(WriteFile(file, "text", 4, &done, &where));
	EXPECT_TRUE(GetFileSizeEx(file, &size));
	EXPECT_EQ(FAR_AWAY + 11, size.QuadPart);
	EXPECT_EQ(11, GetFileSize(file, &high));
	EXPECT_EQ(5, high);
	EXPECT_EQ(7, SetFilePointer(file, 7, &move, FILE_BEGIN));
	EXPECT_EQ(5, move);
	EXPECT_TRUE(gets(file, "text"));
	move = -1;
	EXPECT_EQ(7, SetFilePointer(file, -4, &move, FILE_CURRENT));
	EXPECT_EQ(5, move);
	EXPECT_EQ(FAR_AWAY + 7, position_of(file));
	move = 0;
	EXPECT_EQ(11, SetFilePointer(file, 0, &move, FILE_END));
	EXPECT_EQ(5, move);
	EXPECT_TRUE(SetEndOfFile(file));
	EXPECT_TRUE(CloseHandle(file));
}

/* ---- signals ---- */

static volatile sig_atomic_t alarms;

static void count_alarm(int sig)
{
	alarms++;
}

static void *write_later(void *arg)
{
	sigset_t all;
	long i;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (i = 0; i < 1000 && alarms < 3; i++)
		usleep(10000);
	return (void *)(write(*(int *)arg, "x", 1) - 1);
}

/* Rules: FILE-47. */
TEST_F(files, signals)
{
	const struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = { };
	const struct sigaction action = { .sa_handler = count_alarm };
	pthread_t thread;
	void *failed;
	HANDLE file;
	DWORD done;
	char c;
	int fd;

	ASSERT_EQ(0, mkfifo("pipe", 0600));
	fd = open("pipe", O_RDWR | O_CLOEXEC);
	file = open_file("pipe", GENERIC_READ, 0, OPEN_EXISTING, 0);
	ASSERT_NE(BAD, file);
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_later, &fd));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	EXPECT_TRUE(ReadFile(file, &c, 1, &done, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &never, NULL));
	EXPECT_EQ(1, done);
	EXPECT_EQ('x', c);
	EXPECT_LE(3, alarms);
	ASSERT_EQ(0, pthread_join(thread, &failed));
	EXPECT_EQ(NULL, failed);
	EXPECT_TRUE(CloseHandle(file));
	close(fd);
}

/* ---- position and size ---- */

static bool moves(HANDLE file, int64_t distance, DWORD method, int64_t to)
{
	LARGE_INTEGER move = { .QuadPart = distance }, now;

	return SetFilePointerEx(file, move, &now, method) &&
	       now.QuadPart == to && position_of(file) == to &&
	       SetFilePointerEx(file, now, NULL, FILE_BEGIN);
}

/* Rules: FILE-50, FILE-51, FILE-52, FILE-53. */
TEST_F(files, positions)
{
	HANDLE file = open_shared("file", CREATE_NEW);
	LARGE_INTEGER back = { .QuadPart = -100 };
	LONG high;

	ASSERT_TRUE(put(file, "text"));
	EXPECT_TRUE(moves(file, 2, FILE_BEGIN, 2));
	EXPECT_TRUE(moves(file, 3, FILE_CURRENT, 5));
	EXPECT_TRUE(moves(file, -1, FILE_END, 3));
	EXPECT_TRUE(moves(file, 1LL << 40, FILE_BEGIN, 1LL << 40));
	EXPECT_TRUE(moves(file, 3, FILE_BEGIN, 3));
	EXPECT_FAILS(ERROR_NEGATIVE_SEEK,
		     SetFilePointerEx(file, back, NULL, FILE_BEGIN));
	EXPECT_FAILS(ERROR_NEGATIVE_SEEK,
		     SetFilePointerEx(file, back, NULL, FILE_CURRENT));
	EXPECT_FAILS(ERROR_NEGATIVE_SEEK,
		     SetFilePointerEx(file, back, NULL, FILE_END));
#define SEEK_FAILS(...) \
	(SetFilePointer(file, __VA_ARGS__) != INVALID_SET_FILE_POINTER)
	EXPECT_FAILS(ERROR_NEGATIVE_SEEK, SEEK_FAILS(-1, NULL, FILE_BEGIN));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SetFilePointerEx(file, back, NULL, 3));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, SEEK_FAILS(0, NULL, 4711));
	EXPECT_EQ(3, position_of(file));

	/* Without a place for them no high bits are made. */
	high = 1;
	EXPECT_EQ(0, SetFilePointer(file, 0, &high, FILE_BEGIN));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, SEEK_FAILS(1, NULL, FILE_CURRENT));
	EXPECT_EQ(1LL << 32, position_of(file));
	high = 0;
	EXPECT_EQ(0xfffffff0, SetFilePointer(file, 0xfffffff0, &high,
					     FILE_BEGIN));
	EXPECT_EQ(0, high);
	EXPECT_EQ(0xfffffff8, SetFilePointer(file, 8, NULL, FILE_CURRENT));

	/* Success, by the last error */
	SetLastError(OUR_ERROR);
	EXPECT_EQ(0xffffffff, SetFilePointer(file, 7, NULL, FILE_CURRENT));
	EXPECT_EQ(NO_ERROR, GetLastError());
	EXPECT_TRUE(SetEndOfFile(file));
	SetLastError(OUR_ERROR);
	EXPECT_EQ(INVALID_FILE_SIZE, GetFileSize(file, NULL));
	EXPECT_EQ(NO_ERROR, GetLastError());
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, SEEK_FAILS(0, NULL, FILE_BEGIN));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     GetFileSize(file, NULL) != INVALID_FILE_SIZE);
}

/* Rules: FILE-50, FILE-51, FILE-52, FILE-57. Handles with no right have a position. */
TEST_F(files, position_without_rights)
{
	LARGE_INTEGER most = { .QuadPart = INT64_MAX };
	LARGE_INTEGER back = { .QuadPart = -1 };
	HANDLE file, pipe, null;

	ASSERT_TRUE(make_file("file", "text"));
	file = open_file("file", 0, 0, OPEN_EXISTING, 0);
	ASSERT_NE(BAD, file);
	EXPECT_EQ(0, position_of(file));
	EXPECT_TRUE(moves(file, 2, FILE_BEGIN, 2));
	EXPECT_TRUE(moves(file, 3, FILE_CURRENT, 5));
	EXPECT_TRUE(moves(file, 0, FILE_END, 4));
	EXPECT_FAILS(ERROR_NEGATIVE_SEEK,
		     SetFilePointerEx(file, back, NULL, FILE_BEGIN));
	EXPECT_EQ(3, SetFilePointer(file, -1, NULL, FILE_CURRENT));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SetFilePointerEx(file, most, NULL, FILE_CURRENT));
	EXPECT_EQ(3, position_of(file));
	EXPECT_TRUE(moves(file, 1LL << 32, FILE_BEGIN, 1LL << 32));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, SEEK_FAILS(1, NULL, FILE_CURRENT));
	EXPECT_EQ(1LL << 32, position_of(file));
	EXPECT_TRUE(CloseHandle(file));

	ASSERT_EQ(0, mkfifo("pipe", 0600));
	pipe = open_file("pipe", 0, 0, OPEN_EXISTING, 0);
	EXPECT_FAILS(ERROR_SEEK_ON_DEVICE,
		     SetFilePointerEx(pipe, most, NULL, FILE_BEGIN));
	EXPECT_TRUE(CloseHandle(pipe));
	pipe = open_file("CON", 0, 0, OPEN_EXISTING, 0);
	EXPECT_FAILS(ERROR_SEEK_ON_DEVICE,
		     SetFilePointerEx(pipe, back, NULL, FILE_CURRENT));
	EXPECT_FAILS(ERROR_SEEK_ON_DEVICE, position_of(pipe) != -1);
	EXPECT_TRUE(CloseHandle(pipe));
	/* As with rights: what has no end is at its beginning. */
	null = open_file("NUL", 0, 0, OPEN_EXISTING, 0);
	EXPECT_EQ(0, SetFilePointer(null, 5, NULL, FILE_CURRENT));
	EXPECT_TRUE(CloseHandle(null));
}

#define STEPS 50000
#define STEPPERS 4

static void *step(void *file)
{
	const LARGE_INTEGER one = { .QuadPart = 1 };
	int i;

	for (i = 0; i < STEPS; i++)
		if (!SetFilePointerEx(file, one, NULL, FILE_CURRENT))
			return NULL;
	return file;
}

/* No step is lost. Rules: FILE-50. */
TEST_F(files, position_of_threads)
{
	static const DWORD rights[] = { 0, GENERIC_READ };
	pthread_t threads[STEPPERS];
	HANDLE file;
	void *done;
	int i, j;

	ASSERT_TRUE(make_file("file", "text"));
	for (j = 0; j < 2; j++) {
		file = open_file("file", rights[j], 0, OPEN_EXISTING, 0);
		ASSERT_NE(BAD, file);
		for (i = 0; i < STEPPERS; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, step,
						    file));
		for (i = 0; i < STEPPERS; i++) {
			ASSERT_EQ(0, pthread_join(threads[i], &done));
			EXPECT_EQ(file, done);
		}
		EXPECT_EQ(STEPS * STEPPERS, position_of(file));
		EXPECT_TRUE(CloseHandle(file));
	}
}

/* Rules: FILE-55, FILE-56. */
TEST_F(files, end_of_file)
{
	HANDLE file = open_shared("file", CREATE_NEW);
	LARGE_INTEGER size;
	int i;

	ASSERT_TRUE(put(file, "text"));
	EXPECT_EQ(2, SetFilePointer(file, 2, NULL, FILE_BEGIN));
	EXPECT_TRUE(SetEndOfFile(file));
	EXPECT_TRUE(file_has("file", "te"));
	EXPECT_EQ(100, SetFilePointer(file, 100, NULL, FILE_BEGIN));
	/* A position changes nothing. */
	EXPECT_EQ(2, GetFileSize(file, NULL));
	EXPECT_TRUE(SetEndOfFile(file));
	EXPECT_TRUE(GetFileSizeEx(file, &size));
	EXPECT_EQ(100, size.QuadPart);
	EXPECT_EQ(2, SetFilePointer(file, 2, NULL, FILE_BEGIN));
	for (i = 0; i < 98; i++)
		EXPECT_TRUE(ReadFile(file, &size, 1, &size.u.LowPart, NULL) &&
			    !size.u.HighPart);
	EXPECT_EQ(100, position_of(file));
	EXPECT_TRUE(FlushFileBuffers(file));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, FlushFileBuffers(file));
}

/* ---- deleting and moving ---- */

/* Rules: FILE-70, FILE-72. */
TEST_F(files, delete)
{
	HANDLE file;

	ASSERT_TRUE(make_file("file", "text"));
	ASSERT_EQ(0, mkdir("dir", 0755));
	ASSERT_EQ(0, symlink("file", "link"));
	EXPECT_TRUE(DeleteFileA("link"));
	EXPECT_TRUE(is_there("file"));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, DeleteFileA("dir"));
	EXPECT_FAILS(ERROR_FILE_NOT_FOUND, DeleteFileA("none"));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND, DeleteFileA("none/file"));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND, DeleteFileA(""));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND, DeleteFileA(NULL));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND, DeleteFileW(NULL));

	file = open_shared("file", OPEN_EXISTING);
	EXPECT_TRUE(DeleteFileA("file"));
	EXPECT_FALSE(is_there("file"));
	EXPECT_TRUE(gets(file, "text"));
	EXPECT_TRUE(opens("file", CREATE_NEW, 0));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: FILE-73, FILE-74, FILE-78, FILE-79. */
TEST_F(files, move)
{
	ASSERT_TRUE(make_file("a", "a"));
	ASSERT_TRUE(make_file("b", "b"));
	ASSERT_EQ(0, mkdir("dir", 0755));
	ASSERT_EQ(0, mkdir("dir2", 0755));
	EXPECT_FAILS(ERROR_ALREADY_EXISTS, MoveFileExA("a", "b", 0));
	EXPECT_TRUE(file_has("a", "a") && file_has("b", "b"));
	EXPECT_TRUE(MoveFileExA("a", "b", MOVEFILE_REPLACE_EXISTING));
	EXPECT_TRUE(!is_there("a") && file_has("b", "a"));
	EXPECT_TRUE(MoveFileExA("b", "dir\\c", MOVEFILE_WRITE_THROUGH));
	EXPECT_TRUE(file_has("dir/c", "a"));
	EXPECT_TRUE(MoveFileExA("dir/c", "dir/c", 0));
	EXPECT_TRUE(MoveFileExA("dir", "dir3", 0));
	EXPECT_TRUE(file_has("dir3/c", "a"));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     MoveFileExA("dir3/c", "dir2", MOVEFILE_REPLACE_EXISTING));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     MoveFileExA("dir3", "dir2", MOVEFILE_REPLACE_EXISTING));
	EXPECT_FAILS(ERROR_FILE_NOT_FOUND, MoveFileExA("none", "x", 0));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND, MoveFileExA("none/x", "x", 0));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND, MoveFileExA("dir3/c", "none/x", 0));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND, MoveFileExA("", "x", 0));
	EXPECT_FAILS(ERROR_FILE_NOT_FOUND, MoveFileExA("none", "none", 0));
}

/* Rules: FILE-78. Names are compared by where they lead. */
TEST_F(files, move_to_itself)
{
	char name[64];

	ASSERT_TRUE(make_file("a", "a"));
	ASSERT_EQ(0, mkdir("dir", 0755));
	ASSERT_EQ(0, symlink("dir", "link"));
	EXPECT_TRUE(MoveFileExA("a", ".\\a", 0));
	EXPECT_TRUE(MoveFileExA("dir\\..\\a", "a", 0));
	EXPECT_TRUE(MoveFileExA("a", "link\\..\\a", 0));
	snprintf(name, sizeof(name), "%s/a", self->directory);
	EXPECT_TRUE(MoveFileExA("a", name, 0));
	snprintf(name, sizeof(name), "C:%s\\a", self->directory);
	EXPECT_TRUE(MoveFileExA(name, "a", 0));
	EXPECT_TRUE(MoveFileExA("dir", "dir\\", 0));
	EXPECT_TRUE(MoveFileExA(".\\dir\\.", "dir", 0));
	EXPECT_TRUE(MoveFileExA("\\", "/", 0));
	/* Directories that are not named by what they are called */
	ASSERT_EQ(0, mkdir("dir/in", 0755));
	EXPECT_TRUE(MoveFileExA("dir\\in\\..", "dir", 0));
	EXPECT_TRUE(MoveFileExA("dir", "link/in/..", 0));
	EXPECT_TRUE(MoveFileExA(".", self->directory, 0));
	EXPECT_FAILS(ERROR_ALREADY_EXISTS, MoveFileExA("dir\\in\\..", ".", 0));
	EXPECT_TRUE(file_has("a", "a") && is_there("dir"));

	/* One file, but by another name or in another directory */
	ASSERT_EQ(0, link("a", "b"));
	ASSERT_EQ(0, link("a", "dir/a"));
	EXPECT_FAILS(ERROR_ALREADY_EXISTS, MoveFileExA("a", "b", 0));
	EXPECT_FAILS(ERROR_ALREADY_EXISTS, MoveFileExA("a", "link\\a", 0));
	EXPECT_TRUE(MoveFileExA("dir\\a", "link\\a", 0));
	EXPECT_FAILS(ERROR_ALREADY_EXISTS, MoveFileExA("link", "dir", 0));
	EXPECT_FAILS(ERROR_FILE_NOT_FOUND, MoveFileExA("none", "./none", 0));
	/* No file has a name that ends so. */
	EXPECT_FAILS(ERROR_ALREADY_EXISTS, MoveFileExA("a", "a\\", 0));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND,
		     MoveFileExA("a", "a\\", MOVEFILE_REPLACE_EXISTING));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND, MoveFileExA("a", "c\\", 0));
	EXPECT_FAILS(ERROR_ALREADY_EXISTS, MoveFileExA("link\\", "link", 0));
	EXPECT_TRUE(file_has("a", "a") && file_has("b", "a"));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: FILE-99. */
TEST_F(files, move_without_flags)
{
	ASSERT_TRUE(make_file("a", "a"));
	ASSERT_TRUE(make_file("b", "b"));
	ASSERT_EQ(0, mkdir("dir", 0755));
	EXPECT_FAILS(ERROR_ALREADY_EXISTS, MoveFileA("a", "b"));
	EXPECT_FAILS(ERROR_ALREADY_EXISTS, MoveFileW(W("a"), W("b")));
	EXPECT_FAILS(ERROR_FILE_NOT_FOUND, MoveFileA("none", "x"));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, MoveFileA("a", NULL));
	EXPECT_TRUE(MoveFileA("a", "dir\\a"));
	EXPECT_TRUE(MoveFileW(W("dir"), W("other")));
	EXPECT_TRUE(file_has("other/a", "a") && file_has("b", "b"));
}

/* Rules: FILE-77. */
TEST_F(files, move_flags)
{
	ASSERT_TRUE(make_file("a", "a"));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, MoveFileExA("a", "b", 0x40));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, MoveFileExA("a", NULL, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, MoveFileExW(W("a"), NULL, 0));
	EXPECT_FAILS(ERROR_NOT_SUPPORTED,
		     MoveFileExA("a", "b", MOVEFILE_DELAY_UNTIL_REBOOT));
	EXPECT_FAILS(ERROR_NOT_SUPPORTED,
		     MoveFileExA("a", NULL, MOVEFILE_DELAY_UNTIL_REBOOT));
	EXPECT_TRUE(file_has("a", "a") && !is_there("b"));
}

static int move_across(void *arg)
{
	const struct timespec times[] = { { 1000, 0 }, { 2000, 0 } };
	static char block[100000];
	struct stat st;
	int fd;

	CHECK(!mkdir("mnt", 0755) && mount_memory("mnt", "size=256k"));
	CHECK(make_file("a", "text"));
	CHECK(!chmod("a", 0751));
	CHECK(!utimensat(AT_FDCWD, "a", times, 0));
	CHECK(FAILS_WITH(ERROR_NOT_SAME_DEVICE, MoveFileExA("a", "mnt/a", 0)));
	CHECK(file_has("a", "text") && !is_there("mnt/a"));
	CHECK(MoveFileExA("a", "mnt/a", MOVEFILE_COPY_ALLOWED));
	CHECK(!is_there("a") && file_has("mnt/a", "text"));
	CHECK(!stat("mnt/a", &st));
	CHECK((st.st_mode & 07777) == 0751 && st.st_mtime == 2000);

	CHECK(make_file("b", "other"));
	CHECK(FAILS_WITH(ERROR_ALREADY_EXISTS,
			 MoveFileExA("b", "mnt/a", MOVEFILE_COPY_ALLOWED)));
	CHECK(MoveFileExA("b", "mnt/a", MOVEFILE_COPY_ALLOWED |
			  MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH));
	CHECK(!is_there("b") && file_has("mnt/a", "other"));
	CHECK(!mkdir("dir", 0755));
	CHECK(FAILS_WITH(ERROR_NOT_SAME_DEVICE,
			 MoveFileExA("dir", "mnt/d", MOVEFILE_COPY_ALLOWED)));

	/* What has no place leaves nothing there, and the file where it was. */
	fd = open("c", O_WRONLY | O_CREAT, 0644);
	CHECK(write(fd, block, sizeof(block)) == sizeof(block));
	CHECK(!ftruncate(fd, 300000));
	close(fd);
	CHECK(FAILS_WITH(ERROR_DISK_FULL,
			 MoveFileExA("c", "mnt/c", MOVEFILE_COPY_ALLOWED)));
	CHECK(is_there("c") && !is_there("mnt/c"));
	CHECK(make_file("d", "text"));
	CHECK(FAILS_WITH(ERROR_ALREADY_EXISTS, MoveFileA("d", "mnt/a")));
	CHECK(MoveFileA("d", "mnt/d"));
	CHECK(!is_there("d") && file_has("mnt/d", "text"));
	CHECK(MoveFileW(W("mnt/d"), W("d")));
	CHECK(!is_there("mnt/d") && file_has("d", "text"));
	CHECK(FAILS_WITH(ERROR_DISK_FULL, MoveFileA("c", "mnt/c")));
	CHECK(!unlink("mnt/a") && !umount("mnt"));
	return 0;
}

/* Rules: FILE-76, FILE-99. */
TEST_F(files, move_to_another_file_system)
{
	if (geteuid())
		SKIP(return, "not root");
	EXPECT_EQ(0, in_child(move_across, NULL));
}

/* ---- the owner of a copy ---- */

static bool make_owned(const char *name, uid_t owner, mode_t mode)
{
	return make_file(name, "text") && !chown(name, owner, owner) &&
	       !chmod(name, mode);
}

static bool is_owned(const char *name, uid_t owner, mode_t mode)
{
	struct stat st;

	return !stat(name, &st) && st.st_uid == owner && st.st_gid == owner &&
	       (st.st_mode & 07777) == mode;
}

static int move_of_nobody(void *arg)
{
	CHECK(!setresgid(NOBODY, NOBODY, NOBODY));
	CHECK(!setresuid(NOBODY, NOBODY, NOBODY));
	CHECK(MoveFileA("dir/root", "mnt/root"));
	CHECK(is_owned("mnt/root", NOBODY, 0755));
	CHECK(MoveFileA("dir/mine", "mnt/mine"));
	CHECK(is_owned("mnt/mine", NOBODY, 06751));
	return 0;
}

static int move_owned(void *arg)
{
	CHECK(!mkdir("mnt", 0755) && mount_memory("mnt", "mode=777"));
	CHECK(make_owned("a", NOBODY, 06755));
	CHECK(MoveFileA("a", "mnt/a"));
	CHECK(is_owned("mnt/a", NOBODY, 06755));
	CHECK(MoveFileA("mnt/a", "a"));
	CHECK(is_owned("a", NOBODY, 06755));

	/* Who may not give a file away has one of his own, and nobody's rights. */
	CHECK(!mkdir("dir", 0777) && !chmod("dir", 0777));
	CHECK(make_owned("dir/root", 0, 07755));
	CHECK(make_owned("dir/mine", NOBODY, 06751));
	return in_child(move_of_nobody, NULL);
}

/* Rules: FILE-86. */
TEST_F(files, owner_of_a_copy)
{
	if (geteuid())
		SKIP(return, "not root");
	EXPECT_EQ(0, in_child(move_owned, NULL));
}

/* As the kernel has it: its version, and who gets what */
static const struct access_list {
	uint32_t version;
	struct {
		uint16_t tag;
		uint16_t permissions;
		uint32_t id;
	} entries[5];
} one_may_read = {
	2,
	{
		{ 0x01, 6, -1 },	/* the owner */
		{ 0x02, 4, NOBODY },
		{ 0x04, 0, -1 },	/* the group */
		{ 0x10, 4, -1 },	/* the most */
		{ 0x20, 0, -1 },	/* others */
	},
};

#define ACCESS_LIST "system.posix_acl_access"

static bool has_list(const char *name)
{
	struct access_list list;

	return getxattr(name, ACCESS_LIST, &list, sizeof(list)) ==
		       sizeof(list) &&
	       !memcmp(&list, &one_may_read, sizeof(list));
}

static int move_with_list(void *arg)
{
	CHECK(!mkdir("mnt", 0755) && mount_memory("mnt", NULL));
	CHECK(!mkdir("ram", 0755) && !mount("ramfs", "ram", "ramfs", 0, NULL));
	CHECK(make_owned("mnt/a", 0, 0600));
	if (setxattr("mnt/a", ACCESS_LIST, &one_may_read, sizeof(one_may_read),
		     0))
		return errno == EOPNOTSUPP ? 0 : __LINE__;
	CHECK(has_list("mnt/a") && is_owned("mnt/a", 0, 0640));

	/* Where there are none, the group does not get what one of the list did. */
	CHECK(make_owned("mnt/b", 0, 0600));
	CHECK(!setxattr("mnt/b", ACCESS_LIST, &one_may_read,
			sizeof(one_may_read), 0));
	CHECK(MoveFileA("mnt/b", "ram/b"));
	CHECK(is_owned("ram/b", 0, 0600));
	CHECK(MoveFileA("ram/b", "mnt/b"));

	CHECK(!mkdir("mnt2", 0755) &&
	      !mount("tmpfs", "mnt2", "tmpfs", 0, NULL));
	CHECK(MoveFileA("mnt/a", "mnt2/a"));
	CHECK(has_list("mnt2/a") && is_owned("mnt2/a", 0, 0640));
	return 0;
}

/* Rules: FILE-86. */
TEST_F(files, access_list_of_a_copy)
{
	if (geteuid())
		SKIP(return, "not root");
	EXPECT_EQ(0, in_child(move_with_list, NULL));
}

/* ---- what cannot be deleted after it was copied ---- */

static int move_of_another(void *arg)
{
	CHECK(!setresuid(NOBODY, NOBODY, NOBODY));
	CHECK(MoveFileA("sticky/a", "mnt/sticky"));
	CHECK(file_has("sticky/a", "text") && file_has("mnt/sticky", "text"));
	return 0;
}

static int move_undeletable(void *arg)
{
	CHECK(!mkdir("mnt", 0755) && mount_memory("mnt", "mode=777"));
	CHECK(!mkdir("sticky", 0777) && !chmod("sticky", 01777));
	CHECK(make_file("sticky/a", "text"));
	CHECK(!in_child(move_of_another, NULL));

	CHECK(make_file("mnt/a", "text"));
	CHECK(!mount("tmpfs", "mnt", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL));
	CHECK(MoveFileExA("mnt/a", "b", MOVEFILE_COPY_ALLOWED |
			  MOVEFILE_WRITE_THROUGH));
	CHECK(file_has("mnt/a", "text") && file_has("b", "text"));
	return 0;
}

/* Rules: FILE-88. */
TEST_F(files, move_what_stays)
{
	if (geteuid())
		SKIP(return, "not root");
	EXPECT_EQ(0, in_child(move_undeletable, NULL));
}

/* In a "/dev" of this process alone: the machine needs its own. */
static bool make_devices(void)
{
	const mode_t mode = S_IFCHR | 0666;
	const dev_t null = makedev(1, 3);
	struct stat before, now;

	return !stat("/dev", &before) && mount_memory("/dev", NULL) &&
	       !stat("/dev", &now) && before.st_dev != now.st_dev &&
	       !mknod("/dev/null", mode, null) &&
	       !mknod("/dev/tty", mode, null);
}

static bool has_devices(void)
{
	struct stat null, tty;

	return !lstat("/dev/null", &null) && S_ISCHR(null.st_mode) &&
	       !lstat("/dev/tty", &tty) && S_ISCHR(tty.st_mode);
}

static bool closes_with(const char *name, DWORD disposition, DWORD attributes)
{
	HANDLE file;

	file = open_file(name, GENERIC_WRITE, 0, disposition,
			 FILE_FLAG_DELETE_ON_CLOSE | attributes);
	return file != BAD && CloseHandle(file);
}

static bool closes(const char *name)
{
	return closes_with(name, OPEN_EXISTING, 0);
}

static bool keeps_device(const char *name)
{
	return closes(name) &&
	       closes_with(name, CREATE_ALWAYS, FILE_ATTRIBUTE_READONLY) &&
	       FAILS_WITH(ERROR_ACCESS_DENIED, DeleteFileA(name)) &&
	       FAILS_WITH(ERROR_ACCESS_DENIED,
			  MoveFileExA(name, "/dev/other", 0)) &&
	       FAILS_WITH(ERROR_ACCESS_DENIED,
			  MoveFileExA("/dev/file", name,
				      MOVEFILE_REPLACE_EXISTING)) &&
	       FAILS_WITH(ERROR_ACCESS_DENIED,
			  MoveFileExA("far", name,
				      MOVEFILE_REPLACE_EXISTING |
				      MOVEFILE_COPY_ALLOWED)) &&
	       has_devices();
}

static int use_devices(void *arg)
{
	static const char *const names[] = {
		"NUL", "nul:", "\\\\.\\NUL", "CON", "conin$", "CONOUT$",
	};
	char full[MAX_PATH];
	size_t i;

	CHECK(make_devices());
	CHECK(make_file("/dev/file", "text") && make_file("far", "text"));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		CHECK(keeps_device(names[i]));
	CHECK(!symlink("/dev/null", "link"));
	CHECK(closes("link") && closes("/dev/./tty") && has_devices());
	CHECK(GetFullPathNameA("NUL", sizeof(full), full, NULL));
	CHECK(keeps_device(full));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED, DeleteFileW(W("NUL"))));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 MoveFileExW(W("far"), W("CON"),
				     MOVEFILE_REPLACE_EXISTING)));
	CHECK(has_devices());
	CHECK(file_has("/dev/file", "text") && file_has("far", "text"));
	return 0;
}

/* Rules: FILE-97. */
TEST_F(files, devices_stay)
{
	if (geteuid())
		SKIP(return, "not root");
	EXPECT_EQ(0, in_child(use_devices, NULL));
}

/* It is opened by every disposition, and none says that it was there. */
static bool is_always_there(const char *name)
{
	DWORD disposition;

	for (disposition = CREATE_NEW; disposition <= TRUNCATE_EXISTING;
	     disposition++)
		if (!opens(name, disposition, 0))
			return false;
	return true;
}

static bool is_device_by(const char *name)
{
	bool is = keeps_device(name) && is_always_there(name);

	if (!is)
		fprintf(stderr, "# %s\n", name);
	return is;
}

static int use_places_of_devices(void *directory)
{
	static const char *const names[] = {
		"/dev/null", "/dev/./null", "\\dev\\\\null", "//dev//tty",
		"C:\\dev\\..\\dev\\null", "\\\\?\\C:\\dev\\null",
		"to-dev/null", ".\\to-dev\\null",
	};
	static const char *const there[] = { "null", ".\\tty", "C:null" };
	size_t i;

	CHECK(make_devices());
	CHECK(make_file("/dev/file", "text") && make_file("far", "text"));
	CHECK(!symlink("/dev", "to-dev"));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		CHECK(is_device_by(names[i]));

	/* What is called so elsewhere is a file, and a link to one is a link. */
	CHECK(!mkdir("dir", 0755) && make_file("dir/null", "text"));
	CHECK(opens("dir/null", CREATE_ALWAYS, ERROR_ALREADY_EXISTS));
	CHECK(DeleteFileA("dir/null"));
	CHECK(!symlink("/dev/null", "null"));
	CHECK(DeleteFileA("null") && has_devices());

	CHECK(!chdir("/dev") && make_file("far", "text"));
	for (i = 0; i < ARRAY_SIZE(there); i++)
		CHECK(is_device_by(there[i]));
	CHECK(!chdir(directory));
	return 0;
}

/* By whatever text they are named. Rules: FILE-97, FILE-98. */
TEST_F(files, devices_by_place)
{
	if (geteuid())
		SKIP(return, "not root");
	EXPECT_EQ(0, in_child(use_places_of_devices, self->directory));
}

/* ---- what files are ---- */

static uint64_t to_seconds(FILETIME time)
{
	return (((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) /
		10000000) - 11644473600;
}

/* Rules: FILE-80, FILE-81, FILE-82, FILE-85, FILE-87. */
TEST_F(files, attributes)
{
	const struct timespec times[] = { { 1000, 0 }, { 2000, 12300 } };
	WIN32_FILE_ATTRIBUTE_DATA data;

	ASSERT_TRUE(make_file("file", "text"));
	ASSERT_EQ(0, chmod("file", 0664));
	ASSERT_EQ(0, mkdir("dir", 0755));
	ASSERT_EQ(0, utimensat(AT_FDCWD, "file", times, 0));
	EXPECT_EQ(FILE_ATTRIBUTE_ARCHIVE, GetFileAttributesA("file"));
	EXPECT_EQ(FILE_ATTRIBUTE_DIRECTORY, GetFileAttributesA("dir"));
	EXPECT_EQ(FILE_ATTRIBUTE_DIRECTORY, GetFileAttributesA("dir\\"));
	EXPECT_EQ(FILE_ATTRIBUTE_NORMAL, GetFileAttributesA("nul"));
#define NO_ATTRIBUTES(name) \
	(GetFileAttributesA(name) != INVALID_FILE_ATTRIBUTES)
	EXPECT_FAILS(ERROR_FILE_NOT_FOUND, NO_ATTRIBUTES("none"));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND, NO_ATTRIBUTES("none/file"));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND, NO_ATTRIBUTES(""));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND, NO_ATTRIBUTES(NULL));

	EXPECT_TRUE(GetFileAttributesExA("file", GetFileExInfoStandard, &data));
	EXPECT_EQ(FILE_ATTRIBUTE_ARCHIVE, data.dwFileAttributes);
	EXPECT_EQ(4, data.nFileSizeLow);
	EXPECT_EQ(0, data.nFileSizeHigh);
	EXPECT_EQ(1000, to_seconds(data.ftLastAccessTime));
	EXPECT_EQ(2000, to_seconds(data.ftLastWriteTime));
	EXPECT_EQ((11644473600ULL + 2000) * 10000000 + 123,
		  (uint64_t)data.ftLastWriteTime.dwHighDateTime << 32 |
		  data.ftLastWriteTime.dwLowDateTime);
	EXPECT_TRUE(GetFileAttributesExW(W("dir"), GetFileExInfoStandard,
					 &data));
	EXPECT_EQ(FILE_ATTRIBUTE_DIRECTORY, data.dwFileAttributes);
	EXPECT_EQ(0, data.nFileSizeLow);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     GetFileAttributesExA("file", GetFileExMaxInfoLevel, &data));
	EXPECT_FAILS(ERROR_FILE_NOT_FOUND,
		     GetFileAttributesExA("none", GetFileExInfoStandard, &data));
	EXPECT_FAILS(ERROR_NOACCESS,
		     GetFileAttributesExA("file", GetFileExInfoStandard, NULL));

	EXPECT_TRUE(SetFileAttributesA("file", FILE_ATTRIBUTE_READONLY |
				       FILE_ATTRIBUTE_HIDDEN));
	EXPECT_EQ(FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_ARCHIVE,
		  GetFileAttributesA("file"));
	EXPECT_TRUE(SetFileAttributesA("file", FILE_ATTRIBUTE_NORMAL));
	EXPECT_EQ(FILE_ATTRIBUTE_ARCHIVE, GetFileAttributesA("file"));
	EXPECT_TRUE(SetFileAttributesA("dir", FILE_ATTRIBUTE_READONLY));
	EXPECT_EQ(FILE_ATTRIBUTE_DIRECTORY, GetFileAttributesA("dir"));
	EXPECT_FAILS(ERROR_FILE_NOT_FOUND, SetFileAttributesA("none", 0));
}

/* Rules: FILE-83. */
TEST_F(files, information_by_handle)
{
	BY_HANDLE_FILE_INFORMATION one, two;
	HANDLE file, other;
	struct stat st;

	ASSERT_TRUE(make_file("file", "text"));
	ASSERT_EQ(0, link("file", "second"));
	file = open_shared("file", OPEN_EXISTING);
	other = open_file("second", 0, 0, OPEN_EXISTING, 0);
	EXPECT_TRUE(GetFileInformationByHandle(file, &one));
	EXPECT_TRUE(GetFileInformationByHandle(other, &two));
	EXPECT_EQ(0, memcmp(&one, &two, sizeof(one)));
	EXPECT_EQ(2, one.nNumberOfLinks);
	EXPECT_EQ(4, one.nFileSizeLow);
	ASSERT_EQ(0, stat("file", &st));
	EXPECT_EQ(st.st_ino, (uint64_t)one.nFileIndexHigh << 32 |
		  one.nFileIndexLow);
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     GetFileInformationByHandle(other, &one));
	EXPECT_FAILS(ERROR_NOACCESS, GetFileInformationByHandle(file, NULL));
	EXPECT_TRUE(CloseHandle(file));
}

TEST_HARNESS_MAIN
