/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File systems of several kinds, each on a small disk (loop.h). A test that says
 * "mkfs" has what makes them.
 *
 * Include it after kselftest_harness.h and common.h.
 */
#ifndef _SELFTESTS_DISKS_H
#define _SELFTESTS_DISKS_H

#include <sys/mman.h>
#include <sys/stat.h>

#include "loop.h"

/* A kind of file system */
struct disk {
	const char *driver;
	const char *make;	/* a command, which the device follows */
	const char *options;	/* with which nothing is written by and by */
	off_t bytes;		/* few, for such a one */
	int image;		/* for disk_again() */
};

/* Without a journal: where it is busybox that makes it, it is an ext2 */
static struct disk disk_ext2 = {
	.driver = "ext4",
	.make = "mke2fs -F -b 4096",
	.bytes = MIB(4),
};

static struct disk disk_ext4 = {
	.driver = "ext4",
	.make = "mkfs.ext4 -q -F -b 4096 -J size=4",
	.options = "commit=1000",
	.bytes = MIB(24),
};

static struct disk disk_xfs = {
	.driver = "xfs",
	.make = "mkfs.xfs -q -f",
	.bytes = MIB(300),
};

static struct disk disk_btrfs = {
	.driver = "btrfs",
	.make = "mkfs.btrfs -q -f -m single",
	.options = "commit=300",
	.bytes = MIB(128),
};

/* One for all cases of a program, which run in processes of their own */
static void __attribute__((constructor)) make_disk_images(void)
{
	disk_ext2.image = memfd_create("ext2", MFD_CLOEXEC);
	disk_ext4.image = memfd_create("ext4", MFD_CLOEXEC);
	disk_xfs.image = memfd_create("xfs", MFD_CLOEXEC);
	disk_btrfs.image = memfd_create("btrfs", MFD_CLOEXEC);
}

/* NULL, or why there is none here */
static inline const char *disk_missing(const struct disk *disk)
{
	char text[80];

	if (geteuid())
		return "only root may mount";
	if (access("/dev/loop-control", F_OK))
		return "no loop devices; \"make test\" has them";
	if (!has_driver(disk->driver))
		return "this kernel has not the file system";
	snprintf(text, sizeof(text), "command -v %.*s >/dev/null",
		 (int)strcspn(disk->make, " "), disk->make);
	if (system(text))
		return "nothing makes the file system; \"make test\" has it";
	return NULL;
}

static inline bool disk_make(const struct disk *disk, const char *device)
{
	char command[120];

	snprintf(command, sizeof(command), "%s %s >/dev/null 2>&1", disk->make,
		 device);
	return !system(command);
}

/* All of an image that is not a hole */
static inline bool copy_image(int from, int to, off_t size)
{
	static char buffer[65536];
	off_t at, end = 0;
	ssize_t n;

	while ((at = lseek(from, end, SEEK_DATA)) >= 0) {
		end = lseek(from, at, SEEK_HOLE);
		for (; at < end; at += n) {
			n = pread(from, buffer, sizeof(buffer), at);
			if (n <= 0 || pwrite(to, buffer, n, at) != n)
				return false;
		}
	}
	return errno == ENXIO && !ftruncate(to, size);
}

/*
 * A disk that is made by the first case that wants it, and left to the next one,
 * mounted at @path. For loop_end(), or -1.
 */
static inline int disk_again(const struct disk *disk, const char *path)
{
	char device[32];
	struct stat st;
	bool empty = !fstat(disk->image, &st) && !st.st_size;
	int loop;

	if (empty && ftruncate(disk->image, disk->bytes))
		return -1;
	loop = loop_over(dup(disk->image), device, sizeof(device));
	if (loop >= 0 && (!empty || disk_make(disk, device)) &&
	    !mount(device, path, disk->driver, 0, NULL))
		return loop;
	loop_end(loop, "");
	return -1;
}

#endif /* _SELFTESTS_DISKS_H */
