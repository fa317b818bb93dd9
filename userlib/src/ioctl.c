// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The ioctls of /dev/winregion
 *
 * One file descriptor serves the whole process. An ioctl acts on the address
 * space of its caller, so a forked child goes on with the descriptor that it
 * inherited. No locks: every function may run in a signal handler, and in the
 * child of a fork() by a process with threads.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <winregion/winregion.h>

#include "internal.h"

#define DEVICE "/dev/winregion"
#define MODULE "/sys/module/winregion"

/* The number of the module's device, as text */
#define MODULE_DEVICE "/sys/class/misc/winregion/dev"

/* How often a call looks for the device that others took away from it */
#define MAX_TRIES 16

/*
 * The descriptor to use, unless somebody took its number away, or -1. @nr counts
 * the descriptors, as the next one often gets the number of the last.
 */
struct device {
	int fd;
	unsigned int nr;
};

static _Atomic struct device device = { -1, 0 };

_Static_assert(sizeof(struct device) == 8 && ATOMIC_LLONG_LOCK_FREE == 2,
	       "signal handlers use it");

/* What the descriptor leads to as long as it is ours */
static atomic_ulong device_number;

/*
 * Each wrapper passes the size that its structure has in the headers which the
 * library was built with, so a program built with an older header would pass
 * less. A structure that grows therefore needs a new version of its function's
 * symbol, and the old one keeps the old size.
 */
_Static_assert(sizeof(struct winregion_get_info) == 104, "new symbol version");
_Static_assert(sizeof(struct winregion_reserve) == 56, "new symbol version");
_Static_assert(sizeof(struct winregion_release) == 24, "new symbol version");
_Static_assert(sizeof(struct winregion_set_stack) == 24, "new symbol version");
_Static_assert(sizeof(struct winregion_change) == 48, "new symbol version");
_Static_assert(sizeof(struct winregion_reset) == 56, "new symbol version");
_Static_assert(sizeof(struct winregion_query) == 88, "new symbol version");
_Static_assert(sizeof(struct winregion_query_runs) == 40, "new symbol version");
_Static_assert(sizeof(struct winregion_last_fault) == 40, "new symbol version");
_Static_assert(sizeof(struct winregion_write_watch) == 48,
	       "new symbol version");
_Static_assert(sizeof(struct winregion_lock) == 40, "new symbol version");
_Static_assert(sizeof(struct winregion_frames) == 32, "new symbol version");
_Static_assert(sizeof(struct winregion_map_frames) == 40, "new symbol version");

/*
 * Whether @fd still is the device: "close all files" loops know nothing of a
 * library's descriptors, and the next open() gets the number again.
 */
static bool fd_is_device(int fd)
{
	struct stat st;

	/* What else it may say comes from a sandbox, and tells nothing. */
	if (fstat(fd, &st))
		return errno != EBADF;

	return S_ISCHR(st.st_mode) && st.st_rdev == device_number;
}

/*
 * Programs that have closed standard input, output or error, and those that put
 * new files in their place, must not meet the device there.
 */
int wr_above_stderr(int fd)
{
	int moved, err;

	if (fd > STDERR_FILENO)
		return fd;

	moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	/* EINVAL: RLIMIT_NOFILE allows no number above standard error's. */
	err = errno == EINVAL ? EMFILE : errno;
	wr_close(fd);
	errno = err;

	return moved;
}

/*
 * A new descriptor of the device, or -errno. Nothing is done with it here, so
 * that it does not matter yet if another thread closes it at once.
 */
static int open_device(void)
{
	struct stat st;
	int fd;

	if (stat(DEVICE, &st))
		return -errno;
	if (!S_ISCHR(st.st_mode))
		return -ENOTTY;
	device_number = st.st_rdev;

	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		fd = wr_above_stderr(fd);

	return fd < 0 ? -errno : fd;
}

/*
 * Replace @old, the descriptor of which is not the device's. When several
 * threads come here at once, one of them wins and the others use what it
 * opened. The old descriptor is not closed: it is not ours any more. Return:
 * what to use, or -errno as its descriptor.
 */
static struct device replace_device(struct device old)
{
	struct device new = { .nr = old.nr + 1 };

	WR_NO_CANCEL();

	new.fd = open_device();
	if (new.fd < 0)
		return new;
	if (atomic_compare_exchange_strong(&device, &old, new))
		return new;

	wr_close(new.fd);

	return old;
}

static struct device get_device(void)
{
	struct device now = device;

	return now.fd >= 0 ? now : replace_device(now);
}

/* 0 or -errno. A call which a signal interrupted has done nothing yet. */
static int restarting_ioctl(int fd, unsigned long request, void *arg)
{
	int err;

	do {
		err = ioctl(fd, request, arg) < 0 ? -errno : 0;
	} while (err == -EINTR);

	return err;
}

int wr_device_fd(void)
{
	struct device now = device;

	return now.fd;
}

/*
 * A descriptor which is not ours any more makes the call fail one way or
 * another, as no other driver knows these numbers. So making sure of it costs
 * nothing while calls succeed. EBADF, which the device never gives, is tried
 * again in any case: another thread may have put the device back under the same
 * number by now. A program that goes on closing it must give up some day.
 */
int wr_device_ioctl(unsigned long request, void *arg)
{
	int saved_errno = errno;
	struct device use = get_device();
	int err = -ENODEV;
	int i;

	for (i = 0; i < MAX_TRIES && use.fd >= 0; i++) {
		err = restarting_ioctl(use.fd, request, arg);
		if (!err)
			break;
		if (!fd_is_device(use.fd))
			use = replace_device(use);
		else if (err != -EBADF)
			break;
		err = -ENODEV;
	}

	errno = saved_errno;

	return err;
}

/* A program that has not used the device does not get a descriptor of it by that. */
int wr_device_ask(unsigned long request, void *arg)
{
	struct device now = device;
	int saved_errno = errno;
	int fd, err;

	WR_NO_CANCEL();

	if (now.fd >= 0)
		return wr_device_ioctl(request, arg);

	fd = open_device();
	err = fd < 0 ? fd : restarting_ioctl(fd, request, arg);
	if (fd >= 0)
		wr_close(fd);
	errno = saved_errno;

	return err;
}

/* If it is not ours any more it is nobody's section, as far as handles go. */
int wr_section_ioctl(int fd, unsigned long request, void *arg)
{
	int saved_errno = errno;
	int err = restarting_ioctl(fd, request, arg);

	errno = saved_errno;

	return err == -ENOTTY ? -EBADF : err;
}

int winregion_get_info(struct winregion_get_info *info)
{
	info->size = sizeof(*info);

	return wr_device_ioctl(WINREGION_GET_INFO, info);
}

int winregion_reserve(struct winregion_reserve *reserve)
{
	reserve->size = sizeof(*reserve);

	return wr_device_ioctl(WINREGION_RESERVE, reserve);
}

int winregion_release(struct winregion_release *release)
{
	release->size = sizeof(*release);

	return wr_device_ioctl(WINREGION_RELEASE, release);
}

int winregion_set_stack(struct winregion_set_stack *stack)
{
	stack->size = sizeof(*stack);

	return wr_device_ioctl(WINREGION_SET_STACK, stack);
}

int winregion_commit(struct winregion_change *change)
{
	change->size = sizeof(*change);

	return wr_device_ioctl(WINREGION_COMMIT, change);
}

int winregion_decommit(struct winregion_change *change)
{
	change->size = sizeof(*change);

	return wr_device_ioctl(WINREGION_DECOMMIT, change);
}

int winregion_protect(struct winregion_change *change)
{
	change->size = sizeof(*change);

	return wr_device_ioctl(WINREGION_PROTECT, change);
}

int winregion_reset(struct winregion_reset *reset)
{
	reset->size = sizeof(*reset);

	return wr_device_ioctl(WINREGION_RESET, reset);
}

int winregion_query(struct winregion_query *query)
{
	query->size = sizeof(*query);

	return wr_device_ioctl(WINREGION_QUERY, query);
}

int winregion_query_runs(struct winregion_query_runs *query)
{
	query->size = sizeof(*query);

	return wr_device_ioctl(WINREGION_QUERY_RUNS, query);
}

int winregion_last_fault(struct winregion_last_fault *last)
{
	last->size = sizeof(*last);

	return wr_device_ioctl(WINREGION_LAST_FAULT, last);
}

int winregion_write_watch(struct winregion_write_watch *watch)
{
	watch->size = sizeof(*watch);

	return wr_device_ioctl(WINREGION_WRITE_WATCH, watch);
}

int winregion_lock(struct winregion_lock *lock)
{
	lock->size = sizeof(*lock);

	return wr_device_ioctl(WINREGION_LOCK, lock);
}

int winregion_frames(struct winregion_frames *frames)
{
	frames->size = sizeof(*frames);

	return wr_device_ioctl(WINREGION_FRAMES, frames);
}

int winregion_map_frames(struct winregion_map_frames *frames)
{
	frames->size = sizeof(*frames);

	return wr_device_ioctl(WINREGION_MAP_FRAMES, frames);
}

/* Why open() failed with @err */
static const char *explain_open(int err)
{
	switch (err) {
	case ENOENT:
		if (access(MODULE, F_OK) == 0)
			return "/dev/winregion is missing, but the module is loaded: see to /dev";
		return "the kernel module is not loaded: type sudo modprobe winregion";
	case ENODEV:
	case ENXIO:
		return "/dev/winregion has no driver: type sudo modprobe winregion";
	case EACCES:
		return "no permission to open /dev/winregion: change its mode or its group";
	case EPERM:
		return "no permission to open /dev/winregion: the container has to allow it";
	case ENOTTY:
		return "/dev/winregion is no device: remove it and load the module again";
	case EMFILE:
		return "the process has no free file descriptor: raise RLIMIT_NOFILE";
	case ENFILE:
	case ENOMEM:
		return "the system has no memory or no free file";
	default:
		return "/dev/winregion cannot be opened: see what open() says under strace";
	}
}

/* The device that the module has now, or 0 if that cannot be seen */
static dev_t module_device(void)
{
	unsigned int numbers[2] = { 0, 0 };
	char text[24];
	ssize_t i, n;
	int which = 0;
	int fd;

	WR_NO_CANCEL();

	fd = open(MODULE_DEVICE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text));
	wr_close(fd);

	for (i = 0; i < n; i++) {
		if (text[i] == ':')
			which = 1;
		else if (text[i] >= '0' && text[i] <= '9')
			numbers[which] = numbers[which] * 10 + text[i] - '0';
	}

	return makedev(numbers[0], numbers[1]);
}

static const char refused[] =
	"a sandbox (seccomp) or policy refuses the ioctls of /dev/winregion: let it allow them";

/* No driver knows the ioctls; or a sandbox says so, in the module's place. */
static const char *explain_unknown(void)
{
	dev_t number = module_device();

	if (!number)
		return "/dev/winregion is of another driver, or a sandbox (seccomp) refuses it";
	if (number == device_number)
		return refused;

	return "/dev/winregion belongs to another driver: load the module again";
}

/*
 * Whether something else answers one of the ioctls. A size of 0 is never valid,
 * so the module does nothing but say so.
 */
static bool is_refused(void)
{
	static const unsigned long requests[] = {
		WINREGION_RESERVE,    WINREGION_RELEASE, WINREGION_COMMIT,
		WINREGION_DECOMMIT,   WINREGION_PROTECT, WINREGION_QUERY,
		WINREGION_QUERY_RUNS,
	};
	struct winregion_get_info none = { 0 }; /* as large as any */
	size_t i;
	int err;

	for (i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		err = wr_device_ioctl(requests[i], &none);
		if (err != -EINVAL && err != -ENODEV)
			return true;
	}

	return false;
}

/* Whether the module that answers is one that this library can use */
static const char *explain_module(void)
{
	struct winregion_get_info info = { 0 };

	switch (winregion_get_info(&info)) {
	case 0:
		break;
	case -ENODEV:
		return "/dev/winregion was closed by the program and cannot be opened again";
	case -ENOTTY:
		return explain_unknown();
	case -EINVAL:
	case -E2BIG:
	case -EOPNOTSUPP:
		return "library and module do not fit: install both from one release";
	default:
		return refused;
	}

	if (info.out_abi_version < WINREGION_ABI_VERSION)
		return "the module is older than this library: install both from one release";

	return is_refused() ? refused : NULL;
}

const char *winregion_unavailable(void)
{
	int saved_errno = errno;
	int fd = get_device().fd;
	const char *words = fd < 0 ? explain_open(-fd) : explain_module();

	errno = saved_errno;

	return words;
}
