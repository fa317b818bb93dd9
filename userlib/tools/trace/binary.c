// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The files that a process has mapped. It chooses their names, and root opens them: what is
 * there by now may be a device that does something when it is opened, or a pipe that nobody
 * writes to.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "stacks.h"

/* btrfs and overlayfs tell other devices to stat() than the kernel has: of major 0. */
static bool is_file_of(const struct stat *stat, const struct code *code)
{
	return S_ISREG(stat->st_mode) && stat->st_ino == code->inode &&
	       (stat->st_dev == code->device || !major(stat->st_dev));
}

/* What was looked at is what is opened. */
static int open_file_of(const char *path, const struct code *code)
{
	int place = open(path, O_PATH | O_CLOEXEC), fd = -1;
	struct stat stat;
	char link[32];

	if (place < 0)
		return -1;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
	if (!fstat(place, &stat) && is_file_of(&stat, code))
		fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	close(place);
	return fd;
}

/**
 * binary_open - open the file of some code, if it is still there
 * @pid: the process, which may have its own idea of what is where. One that has ended has
 *	none any more.
 * @code: the code
 *
 * Return: a descriptor, or -1
 */
int binary_open(pid_t pid, const struct code *code)
{
	char path[PATH_MAX + 32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, code->path);
	fd = open_file_of(path, code);
	return fd < 0 ? open_file_of(code->path, code) : fd;
}
