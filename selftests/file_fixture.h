/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of files and handles share: a directory of their own to work in,
 * and short words for files in it.
 *
 * Include it after kselftest_harness.h.
 */
#ifndef _SELFTESTS_FILE_FIXTURE_H
#define _SELFTESTS_FILE_FIXTURE_H

#include <dirent.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <winregion/nt.h>

#include "common.h"
#include "wr_test_util.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define READ_WRITE (GENERIC_READ | GENERIC_WRITE)
#define BAD INVALID_HANDLE_VALUE

/* No call may change errno, nor the last error by chance. */
#define OUR_ERRNO 4711
#define OUR_ERROR 0x4711

#define NOBODY 65534

/* The call fails with this error; it does not touch errno. */
#define FAILS_WITH(error, call) ({					\
	bool __failed;							\
									\
	errno = OUR_ERRNO;						\
	SetLastError(OUR_ERROR);					\
	__failed = !(call);						\
	if (GetLastError() != (error) || errno != OUR_ERRNO)		\
		fprintf(stderr, "# %s:%d: last error %u, errno %d\n",	\
			__FILE__, __LINE__, GetLastError(), errno);	\
	__failed && GetLastError() == (error) && errno == OUR_ERRNO;	\
})

#define EXPECT_FAILS(error, call) EXPECT_TRUE(FAILS_WITH(error, call))
#define EXPECT_NO_OPEN(error, call) \
	EXPECT_TRUE(FAILS_WITH(error, (call) != BAD))

/* UTF-16 of the tests, whatever wchar_t is here */
#define W(text) ((const WCHAR *)u##text)

static inline HANDLE open_file(const char *name, DWORD access, DWORD share,
			       DWORD disposition, DWORD flags)
{
	return CreateFileA(name, access, share, NULL, disposition, flags, NULL);
}

/* A file that all may use */
static inline HANDLE open_shared(const char *name, DWORD disposition)
{
	return open_file(name, READ_WRITE | DELETE, SHARE_ALL, disposition, 0);
}

static inline bool make_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool done = fd >= 0 &&
		    write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return done;
}

static inline bool is_there(const char *name)
{
	struct stat st;

	return !lstat(name, &st);
}

static inline bool file_has(const char *name, const char *text)
{
	char buffer[256];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, buffer, sizeof(buffer));

	close(fd);
	return n == (ssize_t)strlen(text) && !memcmp(buffer, text, n);
}

static inline int count_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(directory))
		n++;
	closedir(directory);
	return n;
}

/* A descriptor of this process's that is such a file */
static inline int find_fd(const char *name)
{
	char link[32], path[256];
	ssize_t n;
	int fd;

	for (fd = 3; fd < 64; fd++) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, path, sizeof(path) - 1);
		path[n < 0 ? 0 : n] = '\0';
		if (strstr(path, name))
			return fd;
	}
	return -1;
}

#define NR_OWN 32

/* Closes all descriptors, as daemons do, and opens files of the program in their place. */
static inline bool replace_all(int *own)
{
	int i;

	for (i = 3; i < 256; i++)
		close(i);
	for (i = 0; i < NR_OWN; i++) {
		own[i] = open("own", O_RDONLY);
		if (own[i] != 3 + i)
			return false;
	}
	return true;
}

/* They are open, and would stay so in another program. */
static inline bool all_are_there(const int *own)
{
	int i, lost = 0;

	for (i = 0; i < NR_OWN; i++)
		if (fcntl(own[i], F_GETFD)) {
			fprintf(stderr, "# %d is not as it was\n", own[i]);
			lost++;
		}
	return !lost;
}

static inline bool put(HANDLE file, const char *text)
{
	DWORD done;

	return WriteFile(file, text, strlen(text), &done, NULL) &&
	       done == strlen(text);
}

/* The whole text follows where the handle is. */
static inline bool gets(HANDLE file, const char *text)
{
	char buffer[256];
	DWORD done;

	return ReadFile(file, buffer, strlen(text), &done, NULL) &&
	       done == strlen(text) && !memcmp(buffer, text, done);
}

static inline int64_t position_of(HANDLE file)
{
	LARGE_INTEGER zero = { .QuadPart = 0 }, now;

	return SetFilePointerEx(file, zero, &now, FILE_CURRENT) ?
		       now.QuadPart : -1;
}

/* A thread that waits for the result of a call in another one */
struct result {
	pthread_t thread;
	HANDLE file;
	OVERLAPPED *where;
	DWORD done;
	/* As the last error, which is 0 for success */
	DWORD error;
	volatile int state;
};

static inline void *get_result(void *arg)
{
	struct result *result = arg;

	result->state = 1;
	if (!GetOverlappedResult(result->file, result->where, &result->done,
				 TRUE))
		result->error = GetLastError();
	result->state = 2;
	return NULL;
}

/* There is no result, and who waits for it goes on waiting. */
static inline bool waits_for_result(struct result *result)
{
	DWORD done;
	int i;

	for (i = 0; i < 1000 && HasOverlappedIoCompleted(result->where); i++)
		sleep_ms(5);
	if (!FAILS_WITH(ERROR_IO_INCOMPLETE,
			GetOverlappedResult(result->file, result->where, &done,
					    FALSE)) ||
	    pthread_create(&result->thread, NULL, get_result, result))
		return false;
	while (!result->state)
		sleep_ms(1);
	sleep_ms(50);
	return result->state == 1;
}

/*
 * A child of vfork(2), which has copies of all descriptors, as that of posix_spawn(3) until
 * it executes a program. This one waits; only the thread that has made it waits for it.
 */
struct vforked {
	pthread_t thread;
	volatile bool is_there;
	volatile bool may_end;
};

static inline void *vfork_child(void *arg)
{
	struct vforked *child = arg;
	pid_t pid = vfork();

	if (!pid) {
		child->is_there = true;
		while (!child->may_end)
			usleep(1000);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return NULL;
}

static inline bool start_vforked(struct vforked *child)
{
	child->is_there = false;
	child->may_end = false;
	if (pthread_create(&child->thread, NULL, vfork_child, child))
		return false;
	return SETTLES(child->is_there);
}

static inline bool end_vforked(struct vforked *child)
{
	child->may_end = true;
	return !pthread_join(child->thread, NULL);
}

/* Every test is in an empty directory of its own. */
FIXTURE(files)
{
	char directory[32];
	int fds;
};

FIXTURE_SETUP(files)
{
	snprintf(self->directory, sizeof(self->directory), "/tmp/files.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->directory));
	ASSERT_EQ(0, chmod(self->directory, 01777));
	ASSERT_EQ(0, chdir(self->directory));
	self->fds = count_fds();
}

static inline void remove_tree(const char *name)
{
	struct dirent *entry;
	DIR *directory;

	if (!unlink(name))
		return;
	directory = opendir(name);
	if (directory && !chdir(name)) {
		while ((entry = readdir(directory)))
			if (strcmp(entry->d_name, ".") &&
			    strcmp(entry->d_name, ".."))
				remove_tree(entry->d_name);
		if (chdir(".."))
			perror("chdir");
	}
	if (directory)
		closedir(directory);
	rmdir(name);
}

FIXTURE_TEARDOWN(files)
{
	if (!chdir("/"))
		remove_tree(self->directory);
}

#endif /* _SELFTESTS_FILE_FIXTURE_H */
