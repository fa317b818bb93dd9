/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A section of 4 MiB, once of each kind: of the paging file, and of files of several
 * file systems.
 *
 * Include it after kselftest_harness.h, common.h and wr_test_util.h.
 */
#ifndef _SELFTESTS_SECTION_FIXTURE_H
#define _SELFTESTS_SECTION_FIXTURE_H

#include <sys/mount.h>
#include <sys/stat.h>

#include "disks.h"
#include "sections.h"

#define UNIT 0x10000UL
#define SIZE MIB(4)
#define NR_PAGES (SIZE / 4096)

enum where {
	PAGING,
	RESERVED,
	MEMFD,
	TMPFS_HUGE,
	OVERLAY,
	EXT4,
	XFS,
	BTRFS,
};

FIXTURE(section)
{
	int fd;
	int file;
	int section;
	int loop;
	const char *mounted;
};

FIXTURE_VARIANT(section)
{
	enum where where;
};

FIXTURE_VARIANT_ADD(section, paging) { .where = PAGING };
FIXTURE_VARIANT_ADD(section, reserved) { .where = RESERVED };
FIXTURE_VARIANT_ADD(section, memfd) { .where = MEMFD };
FIXTURE_VARIANT_ADD(section, tmpfs_huge) { .where = TMPFS_HUGE };
FIXTURE_VARIANT_ADD(section, overlay) { .where = OVERLAY };
FIXTURE_VARIANT_ADD(section, ext4) { .where = EXT4 };
FIXTURE_VARIANT_ADD(section, xfs) { .where = XFS };
FIXTURE_VARIANT_ADD(section, btrfs) { .where = BTRFS };

#define MOUNTED "/tmp/wr_section"
#define IMAGE "/tmp/wr_section.img"
#define FILE_PATH MOUNTED "/file"

static bool mount_ext4(int *loop)
{
	char device[32];

	*loop = loop_begin(IMAGE, MIB(16), device, sizeof(device));
	return *loop >= 0 && loop_mount(device, MOUNTED);
}

static const struct disk *const disks[] = {
	[XFS] = &disk_xfs,
	[BTRFS] = &disk_btrfs,
};

static bool mount_disk(int where, int *loop)
{
	*loop = disk_again(disks[where], MOUNTED);
	unlink(FILE_PATH);
	return *loop >= 0;
}

/* NULL, or why there is no such file here */
static const char *missing(int where)
{
	if (where > MEMFD && geteuid())
		return "only root may mount";
	if (where == EXT4 && access("/dev/loop-control", F_OK))
		return "no loop devices; \"make test\" has them";
	return where > EXT4 ? disk_missing(disks[where]) : NULL;
}

/* Over a tmpfs that is mounted at the same place */
static bool mount_overlay(void)
{
	return !mkdir(MOUNTED "/lower", 0700) &&
	       !mkdir(MOUNTED "/upper", 0700) &&
	       !mkdir(MOUNTED "/work", 0700) &&
	       !mount("overlay", MOUNTED, "overlay", 0,
		      "lowerdir=" MOUNTED "/lower,upperdir=" MOUNTED
		      "/upper,workdir=" MOUNTED "/work");
}

static int open_file(int where, int *loop)
{
	mkdir(MOUNTED, 0700);
	if (where == OVERLAY &&
	    (mount("tmpfs", MOUNTED, "tmpfs", 0, "size=64m") ||
	     !mount_overlay()))
		return -1;
	if (where == TMPFS_HUGE &&
	    mount("tmpfs", MOUNTED, "tmpfs", 0, "huge=always,size=64m"))
		return -1;
	if (where == EXT4 && !mount_ext4(loop))
		return -1;
	if (where > EXT4 && !mount_disk(where, loop))
		return -1;
	if (where == MEMFD)
		return memfd_create("section", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return open(FILE_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* All of the section can be touched. */
static bool commit_all(int fd, int section)
{
	char *base;

	if (sec_map(section, 0, 0, RW, &base))
		return false;
	return !wr_commit(fd, base, SIZE, RW) && !sec_unmap(fd, base);
}

FIXTURE_SETUP(section)
{
	uint32_t flags = variant->where == RESERVED ?
			 WINREGION_SECTION_RESERVE : 0;

	self->file = -1;
	self->loop = -1;
	self->section = -1;
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	if (missing(variant->where))
		SKIP(return, "%s", missing(variant->where));
	if (variant->where >= MEMFD) {
		self->file = open_file(variant->where, &self->loop);
		ASSERT_LE(0, self->file);
		ASSERT_EQ(0, ftruncate(self->file, SIZE));
	}
	self->section = sec_create(self->fd, self->file, SIZE, flags, RW);
	ASSERT_LE(0, self->section);
	if (variant->where == RESERVED)
		ASSERT_TRUE(commit_all(self->fd, self->section));
}

/* Once it is all gone the file system can be unmounted. */
FIXTURE_TEARDOWN(section)
{
	close(self->section);
	close(self->file);
	if (variant->where >= TMPFS_HUGE && self->file >= 0)
		EXPECT_TRUE(SETTLES(!umount(MOUNTED)));
	if (variant->where == OVERLAY && self->file >= 0)
		EXPECT_TRUE(SETTLES(!umount(MOUNTED)));
	if (self->loop >= 0)
		loop_end(self->loop, IMAGE);
	close(self->fd);
}

#define MAP(offset, length, protection) ({				\
	char *__base;							\
									\
	ASSERT_EQ(0, sec_map(self->section, offset, length, protection,	\
			     &__base));					\
	__base;								\
})

#define UNMAP(base) ASSERT_EQ(0, sec_unmap(self->fd, base))

#endif /* _SELFTESTS_SECTION_FIXTURE_H */
