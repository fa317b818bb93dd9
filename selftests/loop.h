/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small file system of a disk: in an image, by a loop device.
 */
#ifndef _SELFTESTS_LOOP_H
#define _SELFTESTS_LOOP_H

#include <fcntl.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

/*
 * Other processes may be faster at the device that is free. Return: a descriptor
 * that was opened to write, or -1.
 */
static inline int loop_take(int image, char *device, size_t size)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int loop = -1, tries;

	for (tries = 0; control >= 0 && loop < 0 && tries < 50; tries++) {
		snprintf(device, size, "/dev/loop%d",
			 ioctl(control, LOOP_CTL_GET_FREE));
		loop = open(device, O_RDWR | O_CLOEXEC);
		if (loop >= 0 && ioctl(loop, LOOP_SET_FD, image)) {
			close(loop);
			loop = -1;
		}
	}
	close(control);
	return loop;
}

/* The device over the image that is open as @file, which is closed, or -1 */
static inline int loop_over(int file, char *device, size_t size)
{
	int loop = loop_take(file, device, size), reader = -1;

	close(file);
	/* What somebody has open for writing is not mounted everywhere. */
	if (loop >= 0)
		reader = open(device, O_RDONLY | O_CLOEXEC);
	close(loop);
	return reader;
}

/* The device over a new @image of @bytes, for loop_end(), or -1 */
static inline int loop_begin(const char *image, off_t bytes, char *device,
			     size_t size)
{
	int file = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (file < 0)
		return -1;
	if (!ftruncate(file, bytes))
		return loop_over(file, device, size);
	close(file);
	return -1;
}

static inline void loop_end(int loop, const char *image)
{
	if (loop >= 0) {
		ioctl(loop, LOOP_CLR_FD);
		close(loop);
	}
	unlink(image);
}

/*
 * An empty file system on the device, mounted at @path. Where it is busybox that makes
 * it, it is an ext2, which the driver of ext4 takes as well.
 */
static inline bool loop_mount(const char *device, const char *path)
{
	char command[80];

	snprintf(command, sizeof(command),
		 "mke2fs -F -b 4096 %s >/dev/null 2>&1", device);
	return !system(command) && !mount(device, path, "ext4", 0, NULL);
}

#endif /* _SELFTESTS_LOOP_H */
