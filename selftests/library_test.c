// SPDX-License-Identifier: GPL-2.0
/*
 * What the library does beside converting calls: its descriptor of the device,
 * what it says where the device cannot be used, and what needs no device. Each
 * test names the manual page in userlib/man that it holds the library to.
 *
 * Every test is a process of its own in which the library was not used before.
 */
#include "kselftest_harness.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>

#include "memory.h"
#include "rounds.h"
#include "sandbox.h"
#include "wr_test_util.h"

/* No call may change these. */
#define OUR_ERRNO 4711
#define OUR_ERROR 0x4711

#define NOBODY 65534

/* ---- what the library says and does ---- */

static void set_errors(void)
{
	errno = OUR_ERRNO;
	SetLastError(OUR_ERROR);
}

static bool errors_are_ours(void)
{
	return errno == OUR_ERRNO && GetLastError() == OUR_ERROR;
}

/* One line, without a full stop or a newline at its end */
static bool is_one_line(const char *text)
{
	size_t length = strlen(text);

	return length && text[length - 1] != '.' && !strchr(text, '\n');
}

/* Whether winregion_unavailable() says something with @part in it. */
static bool says(const char *part)
{
	const char *why;

	set_errors();
	why = winregion_unavailable();
	if (why && strstr(why, part) && is_one_line(why) && errors_are_ours())
		return true;
	fprintf(stderr, "# said \"%s\", errno %d\n", why ? why : "", errno);
	return false;
}

/* Whether it has nothing to say. */
static bool says_nothing(void)
{
	const char *why;

	set_errors();
	why = winregion_unavailable();
	if (!why && errors_are_ours())
		return true;
	fprintf(stderr, "# said \"%s\", errno %d\n", why ? why : "", errno);
	return false;
}

/* All three layers, where there is no device: 0 or the line that failed. */
static int check_refused(int err)
{
	struct winregion_reserve reserve = {
		.protection = RW,
		.length = UNIT,
	};
	MEMORY_BASIC_INFORMATION mbi;
	PVOID base = NULL;
	SIZE_T size = UNIT;
	DWORD old;

	set_errors();
	CHECK(winregion_reserve(&reserve) == err);
	CHECK(NtAllocateVirtualMemory(SELF, &base, 0, &size, MEM_RESERVE,
				      PAGE_READWRITE) == STATUS_NOT_SUPPORTED);
	/* This one asks for the highest address first. */
	CHECK(NtAllocateVirtualMemory(SELF, &base, 1, &size, MEM_RESERVE,
				      PAGE_READWRITE) == STATUS_NOT_SUPPORTED);
	CHECK(errors_are_ours());
	CHECK(!base && size == UNIT);
	CHECK(!VirtualAlloc(NULL, UNIT, MEM_COMMIT, PAGE_READWRITE));
	CHECK(GetLastError() == ERROR_NOT_SUPPORTED);
	SetLastError(OUR_ERROR);
	CHECK(!VirtualFree(ARENA, 0, MEM_RELEASE));
	CHECK(GetLastError() == ERROR_NOT_SUPPORTED);
	SetLastError(OUR_ERROR);
	CHECK(!VirtualProtect(ARENA, PAGE, PAGE_READONLY, &old));
	CHECK(GetLastError() == ERROR_NOT_SUPPORTED);
	SetLastError(OUR_ERROR);
	CHECK(!VirtualQuery(ARENA, &mbi, sizeof(mbi)));
	CHECK(GetLastError() == ERROR_NOT_SUPPORTED);
	CHECK(errno == OUR_ERRNO);
	return 0;
}

/* ---- the descriptor ---- */

/* No test lets there be more descriptors. */
#define MAX_FDS 128

/* How many descriptors of the device there are; @fd gets the last one, or -1 */
static int count_device_fds(int *fd)
{
	struct stat device, st;
	int i, n = 0;

	*fd = -1;
	if (stat(WR_DEVICE, &device))
		return -1;
	for (i = 0; i < MAX_FDS; i++) {
		if (fstat(i, &st) || !S_ISCHR(st.st_mode) ||
		    st.st_rdev != device.st_rdev)
			continue;
		*fd = i;
		n++;
	}
	return n;
}

static int close_standard(void *arg)
{
	unsigned int closed = *(unsigned int *)arg;
	int i, fd;

	for (i = 0; i < 3; i++)
		if (closed & (1U << i))
			close(i);
	set_errors();
	CHECK(!winregion_unavailable());
	CHECK(errors_are_ours());
	CHECK(count_device_fds(&fd) == 1);
	CHECK(fd > 2);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	/* What was closed stays so. */
	for (i = 0; i < 3; i++)
		CHECK(!(closed & (1U << i)) == (fcntl(i, F_GETFD) >= 0));
	return 0;
}

/* libwinregion(7): it is closed by execve(), and never 0, 1 or 2. */
TEST(descriptor_is_not_a_standard_one)
{
	unsigned int closed;

	for (closed = 0; closed < 8; closed++) {
		EXPECT_EQ(0, in_child(close_standard, &closed)) {
			TH_LOG("closed: %#x", closed);
		}
	}
}

/* What the program makes of the library's descriptor */
FIXTURE(taken)
{
	int number;
};

FIXTURE_VARIANT(taken)
{
	/* What it opens in its place, or NULL if it closes it only */
	const char *path;
	int flags;
};

FIXTURE_VARIANT_ADD(taken, closed)
{
	.path = NULL,
};

FIXTURE_VARIANT_ADD(taken, by_file)
{
	.path = "/proc/self/stat",
	.flags = O_RDONLY,
};

FIXTURE_VARIANT_ADD(taken, by_directory)
{
	.path = "/",
	.flags = O_RDONLY,
};

/* This driver says ENOTTY. */
FIXTURE_VARIANT_ADD(taken, by_null)
{
	.path = "/dev/null",
	.flags = O_RDWR,
};

/* This one says EINVAL. */
FIXTURE_VARIANT_ADD(taken, by_urandom)
{
	.path = "/dev/urandom",
	.flags = O_RDONLY,
};

/* And here no driver is asked: EBADF. */
FIXTURE_VARIANT_ADD(taken, by_path)
{
	.path = "/dev/null",
	.flags = O_PATH,
};

FIXTURE_SETUP(taken)
{
	ASSERT_EQ(NULL, winregion_unavailable());
}

FIXTURE_TEARDOWN(taken)
{
}

/*
 * Take the library's descriptor away, and what has been put in place of the last
 * one before: the program may do both.
 */
static bool take(FIXTURE_DATA(taken) *self,
		 const FIXTURE_VARIANT(taken) *variant)
{
	int fd, opened;

	if (count_device_fds(&fd) != 1)
		return false;
	close(fd);
	self->number = fd;
	if (!variant->path)
		return true;
	opened = open(variant->path, variant->flags | O_CLOEXEC);
	if (opened < 0 || dup2(opened, fd) != fd)
		return false;
	if (opened != fd)
		close(opened);
	return true;
}

/* Whether the program's own file is where it was put. Closes it. */
static bool put_back(FIXTURE_DATA(taken) *self,
		     const FIXTURE_VARIANT(taken) *variant)
{
	struct stat want, is;

	if (!variant->path)
		return true;
	return !stat(variant->path, &want) && !fstat(self->number, &is) &&
	       want.st_dev == is.st_dev && want.st_ino == is.st_ino &&
	       !close(self->number);
}

/* @call works although the descriptor is not there, and changes no error. */
#define EXPECT_WORKS(call) do {						\
	ASSERT_TRUE(take(self, variant));				\
	set_errors();							\
	EXPECT_TRUE(call);						\
	EXPECT_TRUE(errors_are_ours());					\
	EXPECT_TRUE(put_back(self, variant));				\
} while (0)

/* libwinregion(7): it is opened again, and the program's own file is left be. */
TEST_F(taken, calls_go_on)
{
	struct winregion_get_info info = { 0 };
	MEMORY_BASIC_INFORMATION mbi = { 0 };
	char *base = ARENA;
	DWORD old = POISON;
	int fd;

	EXPECT_WORKS(!winregion_get_info(&info));
	EXPECT_EQ(WINREGION_ABI_VERSION, info.out_abi_version);
	EXPECT_WORKS(VirtualAlloc(base, UNIT, MEM_RESERVE, PAGE_READWRITE) ==
		     base);
	EXPECT_WORKS(VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE) ==
		     base);
	EXPECT_TRUE(try_write_byte(base, 42));
	EXPECT_WORKS(VirtualProtect(base, PAGE, PAGE_READONLY, &old));
	EXPECT_EQ(PAGE_READWRITE, old);
	EXPECT_WORKS(VirtualQuery(base, &mbi, sizeof(mbi)) == sizeof(mbi));
	EXPECT_EQ(PAGE_READONLY, mbi.Protect);
	EXPECT_EQ(42, base[0]);
	EXPECT_WORKS(VirtualFree(base, PAGE, MEM_DECOMMIT));
	EXPECT_WORKS(VirtualFree(base, 0, MEM_RELEASE));
	EXPECT_WORKS(!winregion_unavailable());
	EXPECT_EQ(1, count_device_fds(&fd));
}

/* libwinregion(7): a call that fails for its own reason still does. */
TEST_F(taken, errors_are_the_same)
{
	ASSERT_TRUE(take(self, variant));
	set_errors();
	EXPECT_FALSE(VirtualAlloc(ARENA, PAGE, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_EQ(ERROR_INVALID_ADDRESS, GetLastError());
	EXPECT_EQ(OUR_ERRNO, errno);
}

static int close_inherited(void *arg)
{
	int fd;

	CHECK(count_device_fds(&fd) == 1);
	/* As it was inherited */
	CHECK(!winregion_unavailable());
	CHECK(fd == *(int *)arg);
	close(fd);
	CHECK(VirtualAlloc(ARENA, PAGE, MEM_RESERVE, PAGE_READWRITE) == ARENA);
	CHECK(count_device_fds(&fd) == 1);
	return 0;
}

/* libwinregion(7), "fork": what a child does to its descriptor is its own. */
TEST(child_has_its_own_descriptor)
{
	int fd, now;

	EXPECT_TRUE(says_nothing());
	ASSERT_EQ(1, count_device_fds(&fd));
	EXPECT_EQ(0, in_child(close_inherited, &fd));
	EXPECT_EQ(1, count_device_fds(&now));
	EXPECT_EQ(fd, now);
	EXPECT_TRUE(mbi_is(ARENA, 0, MEM_FREE, PAGE_NOACCESS, NULL, 0));
}

static pthread_barrier_t start;

static void *use_first(void *arg)
{
	struct winregion_get_info info = {};

	pthread_barrier_wait(&start);
	return (void *)(intptr_t)winregion_get_info(&info);
}

/* libwinregion(7): one descriptor, however many threads want it at first */
TEST(threads_share_one_descriptor)
{
	pthread_t threads[4];
	int round, i, fd;
	void *err;

	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, ARRAY_SIZE(threads)));
	for (round = 0; round < rounds(library_threads); round++) {
		for (i = 0; i < (int)ARRAY_SIZE(threads); i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL,
						    use_first, NULL));
		for (i = 0; i < (int)ARRAY_SIZE(threads); i++) {
			ASSERT_EQ(0, pthread_join(threads[i], &err));
			EXPECT_EQ(NULL, err);
		}
		ASSERT_EQ(1, count_device_fds(&fd));
		close(fd);
	}
}

/* ---- no descriptor left ---- */

static bool allow_descriptors(rlim_t n)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return false;
	limit.rlim_cur = n;
	return !setrlimit(RLIMIT_NOFILE, &limit);
}

/* Use up all that are left; the last one, or -1 if others fail. */
static int use_descriptors_up(void)
{
	int fd, last = -1;

	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		last = fd;
	return errno == EMFILE ? last : -1;
}

/* winregion_unavailable(3): no free descriptor is left. */
TEST(no_descriptor_is_free)
{
	int last, fd;

	ASSERT_TRUE(allow_descriptors(MAX_FDS / 2));
	last = use_descriptors_up();
	ASSERT_LE(0, last);
	EXPECT_TRUE(says("no free file descriptor: raise RLIMIT_NOFILE"));
	EXPECT_EQ(0, check_refused(-ENODEV));
	/* As soon as there is one it works. */
	close(last);
	EXPECT_TRUE(says_nothing());
	EXPECT_EQ(1, count_device_fds(&fd));
	EXPECT_EQ(last, fd);
	ASSERT_TRUE(allow_descriptors(MAX_FDS));
}

/* The only free descriptor is standard input's. It stays free. */
static int only_standard_input(void *arg)
{
	int limit = *(int *)arg, fd;

	CHECK(allow_descriptors(limit));
	use_descriptors_up();
	close(0);
	CHECK(says("no free file descriptor: raise RLIMIT_NOFILE"));
	CHECK(!check_refused(-ENODEV));
	CHECK(count_device_fds(&fd) == 0);
	CHECK(fcntl(0, F_GETFD) < 0);
	CHECK(allow_descriptors(MAX_FDS));
	CHECK(says_nothing());
	CHECK(count_device_fds(&fd) == 1 && fd > 2);
	return 0;
}

/* winregion_unavailable(3), libwinregion(7): never 0, 1 or 2 */
TEST(no_descriptor_above_2_is_free)
{
	int limit = MAX_FDS / 2;

	EXPECT_EQ(0, in_child(only_standard_input, &limit));
	/* There is no number above 2 at all. */
	limit = 3;
	EXPECT_EQ(0, in_child(only_standard_input, &limit));
}

/* ---- something else in place of the device ---- */

/* A process that sees an empty /dev */
FIXTURE(hidden)
{
	dev_t number;
};

static bool cover(const char *directory)
{
	return !mount("none", directory, "tmpfs", 0, "mode=755");
}

static bool make_device(mode_t mode, dev_t number)
{
	return !mknod(WR_DEVICE, S_IFCHR | mode, number) &&
	       !chmod(WR_DEVICE, mode);
}

FIXTURE_SETUP(hidden)
{
	struct stat st;

	ASSERT_EQ(0, stat(WR_DEVICE, &st));
	self->number = st.st_rdev;
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_TRUE(cover("/dev"));
}

FIXTURE_TEARDOWN(hidden)
{
}

/* libwinregion(7), "Without the module" */
TEST_F(hidden, node_is_missing)
{
	EXPECT_TRUE(says("is missing, but the module is loaded: see to /dev"));
	EXPECT_EQ(0, check_refused(-ENODEV));
	/* The next call finds it. */
	ASSERT_TRUE(make_device(0666, self->number));
	EXPECT_TRUE(says_nothing());
	EXPECT_EQ(ARENA, VirtualAlloc(ARENA, PAGE, MEM_RESERVE,
				      PAGE_READWRITE));
}

/* libwinregion(7), "Without the module" */
TEST_F(hidden, module_is_not_loaded)
{
	ASSERT_TRUE(cover("/sys/module"));
	EXPECT_TRUE(says("module is not loaded: type sudo modprobe winregion"));
	EXPECT_EQ(0, check_refused(-ENODEV));
}

/* winregion_unavailable(3): a device node that outlived its module */
TEST_F(hidden, node_has_no_driver)
{
	/* ENXIO: no driver has so high a number. */
	ASSERT_TRUE(make_device(0666, makedev(4000, 1)));
	EXPECT_TRUE(says("has no driver: type sudo modprobe winregion"));
	EXPECT_EQ(0, check_refused(-ENODEV));
	ASSERT_EQ(0, unlink(WR_DEVICE));
	/* ENODEV: one of the many small drivers that share a number */
	ASSERT_TRUE(make_device(0666, makedev(major(self->number), 255)));
	EXPECT_TRUE(says("has no driver: type sudo modprobe winregion"));
	EXPECT_EQ(0, check_refused(-ENODEV));
}

/* winregion_unavailable(3): no permission */
TEST_F(hidden, node_may_not_be_opened)
{
	ASSERT_TRUE(make_device(0600, self->number));
	ASSERT_EQ(0, seteuid(NOBODY));
	EXPECT_TRUE(says("no permission to open /dev/winregion"));
	EXPECT_EQ(0, check_refused(-ENODEV));
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, chmod(WR_DEVICE, 0666));
	ASSERT_EQ(0, seteuid(NOBODY));
	EXPECT_TRUE(says_nothing());
	ASSERT_EQ(0, seteuid(0));
}

/* winregion_unavailable(3): the device node is something else. */
TEST_F(hidden, node_is_no_device)
{
	int fd = creat(WR_DEVICE, 0666);

	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_TRUE(says("is no device: remove it and load the module again"));
	EXPECT_EQ(0, check_refused(-ENODEV));
	ASSERT_EQ(0, unlink(WR_DEVICE));
	/* Nor is that one opened, which would wait for somebody. */
	ASSERT_EQ(0, mkfifo(WR_DEVICE, 0666));
	EXPECT_TRUE(says("is no device: remove it and load the module again"));
	EXPECT_EQ(0, check_refused(-ENODEV));
}

/* winregion_unavailable(3), winregion_reserve(3): no winregion device */
TEST_F(hidden, node_is_of_another_driver)
{
	ASSERT_TRUE(make_device(0666, makedev(1, 3)));
	EXPECT_TRUE(says("belongs to another driver: load the module again"));
	EXPECT_EQ(0, check_refused(-ENOTTY));
}

/* libwinregion(7): what the program closed cannot be opened again. */
TEST_F(hidden, node_is_missing_after_close)
{
	int fd;

	ASSERT_TRUE(make_device(0666, self->number));
	EXPECT_TRUE(says_nothing());
	ASSERT_EQ(1, count_device_fds(&fd));
	ASSERT_EQ(0, unlink(WR_DEVICE));
	/* Without need it is not opened. */
	EXPECT_TRUE(says_nothing());
	close(fd);
	EXPECT_TRUE(says("was closed by the program"));
	EXPECT_EQ(0, check_refused(-ENODEV));
	ASSERT_TRUE(make_device(0666, self->number));
	EXPECT_TRUE(says_nothing());
}

/* GetSystemInfo(3): without the module the addresses are those of Windows. */
TEST_F(hidden, system_info_has_defaults)
{
	SYSTEM_INFO info;

	memset(&info, 0xcc, sizeof(info));
	set_errors();
	GetSystemInfo(&info);
	EXPECT_TRUE(errors_are_ours());
	EXPECT_EQ(0x10000, (uintptr_t)info.lpMinimumApplicationAddress);
	EXPECT_EQ(USER_HIGHEST, (uintptr_t)info.lpMaximumApplicationAddress);
	EXPECT_EQ(4096, info.dwPageSize);
	EXPECT_EQ(UNIT, info.dwAllocationGranularity);
	EXPECT_EQ(sysconf(_SC_NPROCESSORS_ONLN), info.dwNumberOfProcessors);
}

/* ---- what open() and the module may say ---- */

struct answer {
	int err;
	const char *words;
};

static int open_fails(void *arg)
{
	const struct answer *answer = arg;

	CHECK(intercept(SYS_openat, 2, O_RDWR | O_CLOEXEC, answer->err));
	CHECK(says(answer->words));
	CHECK(!check_refused(-ENODEV));
	return 0;
}

/* winregion_unavailable(3): what else open(2) may say */
TEST(words_for_each_error_of_open)
{
	static struct answer answers[] = {
		{ EPERM, "no permission to open /dev/winregion: the container" },
		{ EACCES, "no permission to open /dev/winregion: change its" },
		{ ENFILE, "the system has no memory or no free file" },
		{ ENOMEM, "the system has no memory or no free file" },
		{ EIO, "cannot be opened: see what open() says under strace" },
	};
	size_t i;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		SKIP(return, "no seccomp here");
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		EXPECT_EQ(0, in_child(open_fails, &answers[i])) {
			TH_LOG("errno %d", answers[i].err);
		}
	}
}

static int module_answers(void *arg)
{
	const struct answer *answer = arg;

	CHECK(intercept(SYS_ioctl, 1, WINREGION_GET_INFO, answer->err));
	CHECK(says(answer->words));
	return 0;
}

/* winregion_unavailable(3): the module is another one than the library's. */
TEST(words_for_other_modules)
{
	static struct answer answers[] = {
		/* It knows less than was asked for. */
		{ E2BIG, "library and module do not fit: install both" },
		{ EINVAL, "library and module do not fit: install both" },
		/* It says yes, and its version is 0. */
		{ 0, "the module is older than this library: install both" },
	};
	size_t i;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		SKIP(return, "no seccomp here");
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		EXPECT_EQ(0, in_child(module_answers, &answers[i])) {
			TH_LOG("errno %d", answers[i].err);
		}
	}
}

/* ---- a sandbox in front of the module ---- */

/* From now on all ioctls of the module fail with @err: @from and above. */
static bool sandbox(uint32_t from, int err)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, from, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, WINREGION_QUERY_RUNS, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* What a sandbox answers, and what that is in the two other layers */
struct sandboxed {
	int err;
	NTSTATUS status;
	DWORD error;
};

/* Each call of the library: 0 or the line that is wrong. */
static int check_sandboxed(const struct sandboxed *want, char *base)
{
	struct winregion_get_info info = { 0 };
	struct winregion_change change = { .range.address = (uintptr_t)base };
	MEMORY_BASIC_INFORMATION mbi;
	PVOID address = NULL;
	SIZE_T size = UNIT;
	DWORD old = POISON;

	set_errors();
	CHECK(winregion_get_info(&info) == -want->err);
	CHECK(winregion_decommit(&change) == -want->err);
	CHECK(NtAllocateVirtualMemory(SELF, &address, 0, &size, MEM_RESERVE,
				      PAGE_READWRITE) == want->status);
	CHECK(NtAllocateVirtualMemory(SELF, &address, 1, &size, MEM_RESERVE,
				      PAGE_READWRITE) == want->status);
	CHECK(!address && size == UNIT);
	CHECK(errors_are_ours());
	CHECK(!VirtualAlloc(NULL, UNIT, MEM_COMMIT, PAGE_READWRITE));
	CHECK(GetLastError() == want->error);
	SetLastError(OUR_ERROR);
	CHECK(!VirtualProtect(base, PAGE, PAGE_READONLY, &old));
	CHECK(GetLastError() == want->error && old == POISON);
	SetLastError(OUR_ERROR);
	CHECK(!VirtualFree(base, 0, MEM_RELEASE));
	CHECK(GetLastError() == want->error);
	SetLastError(OUR_ERROR);
	CHECK(!VirtualQuery(base, &mbi, sizeof(mbi)));
	CHECK(GetLastError() == want->error);
	CHECK(errno == OUR_ERRNO);
	base[0] = 1;
	return 0;
}

static int in_sandbox(void *arg)
{
	const struct sandboxed *want = arg;
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);

	CHECK(base);
	CHECK(sandbox(WINREGION_GET_INFO, want->err));
	CHECK(!check_sandboxed(want, base));
	CHECK(says("a sandbox (seccomp) or policy refuses the ioctls"));
	return 0;
}

/* libwinregion(7), winregion_unavailable(3): a sandbox is told as such. */
TEST(sandbox_refuses_the_ioctls)
{
	static struct sandboxed answers[] = {
		{ EPERM, STATUS_ACCESS_DENIED, ERROR_ACCESS_DENIED },
		{ EACCES, STATUS_ACCESS_DENIED, ERROR_ACCESS_DENIED },
		{ ENOSYS, STATUS_NOT_SUPPORTED, ERROR_NOT_SUPPORTED },
		{ ENOTTY, STATUS_NOT_SUPPORTED, ERROR_NOT_SUPPORTED },
		{ EIO, STATUS_UNSUCCESSFUL, ERROR_GEN_FAILURE },
	};
	size_t i;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		SKIP(return, "no seccomp here");
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		EXPECT_EQ(0, in_child(in_sandbox, &answers[i])) {
			TH_LOG("errno %d", answers[i].err);
		}
	}
}

static int some_refused(void *arg)
{
	uint32_t from = *(uint32_t *)arg;

	CHECK(says_nothing());
	CHECK(sandbox(from, EPERM));
	CHECK(says("a sandbox (seccomp) or policy refuses the ioctls"));
	return 0;
}

/* winregion_unavailable(3): that it lets some of them through is not enough. */
TEST(sandbox_refuses_some_ioctls)
{
	uint32_t from;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		SKIP(return, "no seccomp here");
	for (from = WINREGION_RESERVE; from <= WINREGION_QUERY_RUNS; from++) {
		EXPECT_EQ(0, in_child(some_refused, &from)) {
			TH_LOG("from %#x on", from);
		}
	}
}

static int stat_refused(void *arg)
{
	int fd, before;

	CHECK(says_nothing());
	before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK(before >= 0 && !close(before));
	/* What glibc makes fstat() of, or the system call itself */
	CHECK(intercept(SYS_newfstatat, 3, AT_EMPTY_PATH, EPERM));
	set_errors();
	CHECK(!VirtualAlloc(ARENA, PAGE, MEM_COMMIT, PAGE_READWRITE));
	CHECK(GetLastError() == ERROR_INVALID_ADDRESS);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK(fd == before);
	return 0;
}

/* libwinregion(7): that the descriptor cannot be looked at changes no error. */
TEST(sandbox_refuses_stat)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		SKIP(return, "no seccomp here");
	EXPECT_EQ(0, in_child(stat_refused, NULL));
}

/* ---- what needs no device ---- */

/* GetSystemInfo(3): both functions fill in the same values. */
TEST(native_system_info_is_the_same)
{
	SYSTEM_INFO info, native;

	memset(&info, 0xcc, sizeof(info));
	memset(&native, 0x33, sizeof(native));
	set_errors();
	GetSystemInfo(&info);
	GetNativeSystemInfo(&native);
	EXPECT_TRUE(errors_are_ours());
	EXPECT_EQ(0, memcmp(&info, &native, sizeof(info)));
	EXPECT_EQ(__builtin_popcountll(native.dwActiveProcessorMask),
		  native.dwNumberOfProcessors);
#ifdef __x86_64__
	EXPECT_EQ(PROCESSOR_ARCHITECTURE_AMD64, native.wProcessorArchitecture);
	EXPECT_EQ(PROCESSOR_AMD_X8664, native.dwProcessorType);
#elif defined(__aarch64__)
	EXPECT_EQ(PROCESSOR_ARCHITECTURE_ARM64, native.wProcessorArchitecture);
	EXPECT_EQ(0, native.dwProcessorType);
#endif
}

static void *thread_id(void *arg)
{
	return (void *)(uintptr_t)GetCurrentThreadId();
}

/* GetCurrentProcess(3): the ids are those of the kernel. */
TEST(ids_are_those_of_the_kernel)
{
	pthread_t thread;
	void *id;

	set_errors();
	EXPECT_EQ(SELF, GetCurrentProcess());
	EXPECT_EQ(getpid(), GetCurrentProcessId());
	EXPECT_EQ(getpid(), GetCurrentThreadId());
	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_id, NULL));
	ASSERT_EQ(0, pthread_join(thread, &id));
	EXPECT_NE(0, (uintptr_t)id);
	EXPECT_NE(getpid(), (pid_t)(uintptr_t)id);
	EXPECT_TRUE(SwitchToThread());
	EXPECT_TRUE(errors_are_ours());
}

static uint64_t boot_time_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

/* GetCurrentProcess(3): milliseconds since the start, and their low 32 bits */
TEST(ticks_are_milliseconds)
{
	uint64_t first = boot_time_ms(), ticks, last;
	DWORD low;

	set_errors();
	ticks = GetTickCount64();
	low = GetTickCount();
	EXPECT_TRUE(errors_are_ours());
	last = boot_time_ms();
	EXPECT_LE(first, ticks);
	EXPECT_LE(ticks, last);
	EXPECT_LE(low - (DWORD)ticks, (DWORD)(last - ticks));
}

static volatile sig_atomic_t alarms;

static void count_alarm(int sig)
{
	alarms++;
}

/* Signals, one every few milliseconds */
static void start_alarms(void)
{
	struct sigaction action = { .sa_handler = count_alarm };
	struct itimerval timer = {
		.it_interval.tv_usec = 20000,
		.it_value.tv_usec = 20000,
	};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static int sleep_under_alarms(void *arg)
{
	uint64_t start = now_ms();

	start_alarms();
	set_errors();
	Sleep(0);
	Sleep(1);
	/* Those that come while the machine stands still are one. */
	do {
		Sleep(1300);
	} while (alarms < 2);
	CHECK(errors_are_ours());
	CHECK(alarms > 1);
	CHECK(now_ms() - start >= 1301);
	return 0;
}

/* GetCurrentProcess(3): at least that many milliseconds, signals or not */
TEST(sleep_is_not_cut_short)
{
	EXPECT_EQ(0, in_child(sleep_under_alarms, NULL));
}

static void leave_at_tenth(int sig)
{
	if (++alarms == 10)
		_exit(0);
}

static int sleep_for_ever(void *arg)
{
	struct sigaction action = { .sa_handler = leave_at_tenth };

	start_alarms();
	sigaction(SIGALRM, &action, NULL);
	Sleep(INFINITE);
	return __LINE__;
}

/* GetCurrentProcess(3): with INFINITE it never returns. */
TEST(sleep_may_be_for_ever)
{
	EXPECT_EQ(0, in_child(sleep_for_ever, NULL));
}

TEST_HARNESS_MAIN
