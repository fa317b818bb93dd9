// SPDX-License-Identifier: GPL-2.0
/*
 * The power fails: what FlushViewOfFile() and FlushFileBuffers() have written by then is
 * there, whole, when the disk is mounted again.
 *
 * The disk is a file, which is copied as it is at that moment, while the file system on
 * it is mounted and has more to write. What is found on the copies is looked at once
 * the disk itself has been unmounted: some kinds know each other by their number.
 */
/* vm: modules=loop,ext4,overlay,xfs,btrfs mkfs kernels=turn timeout=900 */
#include "kselftest_harness.h"

#include <linux/btrfs.h>
#include <sys/stat.h>

#include <winregion/windows.h>

#include "common.h"
#include "wr_test_util.h"
#include "disks.h"

#define MOUNTED "/tmp/wr_power"
#define IMAGE "/tmp/wr_power.img"
#define NR_CUTS 3

/* ---- the disk ---- */

struct writes {
	uint64_t done;
	uint64_t flushes;
	uint64_t in_flight;
};

/* What the device of @loop has been asked to write */
static struct writes writes_of(const char *device)
{
	unsigned long long n[16] = { 0 };
	struct writes writes;
	char path[64];
	unsigned int i;
	FILE *stat;

	snprintf(path, sizeof(path), "/sys/block/%s/stat", device + 5);
	stat = fopen(path, "re");
	for (i = 0; stat && i < ARRAY_SIZE(n); i++)
		if (fscanf(stat, "%llu", &n[i]) != 1)
			break;
	if (stat)
		fclose(stat);
	writes.done = n[4] + n[6];
	writes.in_flight = n[8];
	writes.flushes = n[15];
	return writes;
}

static void image_of(char *name, size_t size, unsigned int cut)
{
	snprintf(name, size, IMAGE ".%u", cut);
}

/* A copy of the disk at one moment: nothing is written meanwhile. */
static bool cut_power(const char *device, unsigned int cut)
{
	struct writes before, after;
	unsigned int tries;
	char name[64];
	struct stat st;
	int from, to;
	bool done = false;

	image_of(name, sizeof(name), cut);
	for (tries = 0; !done && tries < 20; tries++) {
		from = open(IMAGE, O_RDONLY | O_CLOEXEC);
		to = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		before = writes_of(device);
		done = !fstat(from, &st) && copy_image(from, to, st.st_size);
		after = writes_of(device);
		close(from);
		close(to);
		done &= !before.in_flight && before.done == after.done;
	}
	return done;
}

/* So that only who is asked to writes; what was there before */
static int64_t set_writeback(int64_t centiseconds)
{
	static const char path[] = "/proc/sys/vm/dirty_writeback_centisecs";
	int64_t was = read_number(path);

	return write_number(path, centiseconds) ? was : -1;
}

FIXTURE(power)
{
	int64_t writeback;
	char device[32];
	int loop;
};

FIXTURE_VARIANT(power)
{
	const struct disk *disk;
	bool tracked;
};

FIXTURE_VARIANT_ADD(power, ext2) { &disk_ext2, false };
FIXTURE_VARIANT_ADD(power, ext4) { &disk_ext4, false };
FIXTURE_VARIANT_ADD(power, ext4_tracked) { &disk_ext4, true };
FIXTURE_VARIANT_ADD(power, xfs) { &disk_xfs, false };
FIXTURE_VARIANT_ADD(power, xfs_tracked) { &disk_xfs, true };
FIXTURE_VARIANT_ADD(power, btrfs) { &disk_btrfs, false };
FIXTURE_VARIANT_ADD(power, btrfs_tracked) { &disk_btrfs, true };

static bool mount_disk(const struct disk *disk, const char *device)
{
	return !mount(device, MOUNTED, disk->driver, 0, disk->options);
}

FIXTURE_SETUP(power)
{
	const char *missing = disk_missing(variant->disk);

	self->loop = -1;
	self->writeback = -1;
	if (missing)
		SKIP(return, "%s", missing);
	self->writeback = set_writeback(0);
	mkdir(MOUNTED, 0700);
	self->loop = loop_begin(IMAGE, variant->disk->bytes, self->device,
				sizeof(self->device));
	ASSERT_LE(0, self->loop);
	ASSERT_TRUE(disk_make(variant->disk, self->device));
	ASSERT_TRUE(mount_disk(variant->disk, self->device));
}

FIXTURE_TEARDOWN(power)
{
	unsigned int i;
	char name[64];

	if (self->writeback >= 0)
		set_writeback(self->writeback);
	if (self->loop < 0)
		return;
	umount(MOUNTED);
	loop_end(self->loop, IMAGE);
	for (i = 0; i < NR_CUTS; i++) {
		image_of(name, sizeof(name), i);
		unlink(name);
	}
}

/* One that has seen the disk wants no older copy of it. */
static void forget_disks(void)
{
	struct btrfs_ioctl_vol_args all = { 0 };
	int control = open("/dev/btrfs-control", O_RDWR | O_CLOEXEC);

	ioctl(control, BTRFS_IOC_FORGET_DEV, &all);
	close(control);
}

/* A descriptor for loop_end(), of a copy that is mounted; or -1 */
static int mount_copy(const struct disk *disk, unsigned int cut)
{
	char name[64], device[32];
	int file, loop;

	image_of(name, sizeof(name), cut);
	file = open(name, O_RDWR | O_CLOEXEC);
	if (file < 0)
		return -1;
	loop = loop_over(file, device, sizeof(device));
	forget_disks();
	if (loop >= 0 && mount_disk(disk, device))
		return loop;
	loop_end(loop, name);
	return -1;
}

static bool unmount_copy(int loop, unsigned int cut)
{
	bool done = SETTLES(!umount(MOUNTED));
	char name[64];

	image_of(name, sizeof(name), cut);
	loop_end(loop, name);
	return done;
}

/* ---- files and views ---- */

struct written {
	HANDLE file;
	char *view;
};

static HANDLE open_file(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), MOUNTED "/%s", name);
	return CreateFileA(path, GENERIC_READ | GENERIC_WRITE,
			   FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
			   OPEN_ALWAYS, 0, NULL);
}

/* A view of all of it, which is @pages then */
static bool begin_view(struct written *written, const char *name,
		       unsigned int pages, bool tracked)
{
	HANDLE section;
	DWORD old;

	written->file = open_file(name);
	section = CreateFileMappingA(written->file, NULL, PAGE_READWRITE, 0,
				     PAGES(pages), NULL);
	written->view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	CloseHandle(section);
	return written->view &&
	       (!tracked ||
		(VirtualProtect(written->view, 4096, PAGE_NOACCESS, &old) &&
		 VirtualProtect(written->view, 4096, PAGE_READWRITE, &old)));
}

static bool flush_view(struct written *written)
{
	return FlushViewOfFile(written->view, 0) &&
	       FlushFileBuffers(written->file);
}

static bool end_view(struct written *written)
{
	return UnmapViewOfFile(written->view) && CloseHandle(written->file);
}

static bool flush_directory(void)
{
	int directory = open(MOUNTED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = !fsync(directory);

	close(directory);
	return done;
}

/* Whether page @page of the file is @number, or zeros if that is 0 */
static bool file_page_has(const char *name, unsigned int page, uint64_t number)
{
	char path[64], buffer[4096] = { 1 };
	bool has = false;
	int file;

	snprintf(path, sizeof(path), MOUNTED "/%s", name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (pread(file, buffer, 4096, PAGES(page)) == 4096)
		has = number ? page_has(buffer, number) : page_is_zero(buffer);
	close(file);
	if (!has)
		fprintf(stderr, "# %s: page %u is not %lu\n", name, page,
			(unsigned long)number);
	return has;
}

/* ---- what is written before a cut, and what after it ---- */

#define NR_GROW 24	/* pages, by which a file grows */
#define NR_HOLE 200	/* pages of a file that was none but a hole */
#define NR_NEW 40	/* pages of a file that is new */

static uint64_t number_of(unsigned int cut, unsigned int page)
{
	return (cut + 1) * 100000 + page + 1;
}

/* What nobody has flushed */
static uint64_t late_number_of(unsigned int cut)
{
	return number_of(cut, 50000);
}

/* Pages of the hole that are written before @cut: every seventh, from another on */
static bool is_in_hole(unsigned int cut, unsigned int page)
{
	return page % 7 == cut && page != NR_HOLE - 1;
}

static void new_name(char *name, size_t size, unsigned int cut)
{
	snprintf(name, size, "new%u", cut);
}

static bool write_grown(struct written *written, unsigned int cut, bool tracked)
{
	unsigned int page;

	if (!begin_view(written, "grown", (cut + 1) * NR_GROW, tracked))
		return false;
	for (page = cut * NR_GROW; page < (cut + 1) * NR_GROW; page++)
		fill_page(written->view + PAGES(page), number_of(cut, page));
	/* Of what was there before, one page in place */
	fill_page(written->view, number_of(cut, 0));
	return flush_view(written);
}

static bool write_hole(struct written *written, unsigned int cut, bool tracked)
{
	unsigned int page;

	if (!begin_view(written, "hole", NR_HOLE, tracked))
		return false;
	for (page = 0; page < NR_HOLE; page++)
		if (is_in_hole(cut, page))
			fill_page(written->view + PAGES(page),
				  number_of(cut, page));
	return flush_view(written);
}

static bool write_new(struct written *written, unsigned int cut, bool tracked)
{
	unsigned int page;
	char name[16];

	new_name(name, sizeof(name), cut);
	if (!begin_view(written, name, NR_NEW, tracked))
		return false;
	for (page = 0; page < NR_NEW; page++)
		fill_page(written->view + PAGES(page), number_of(cut, page));
	return flush_view(written) && flush_directory();
}

/* It is in the file for everybody, but not on the disk. */
static void write_late(struct written written[3], unsigned int cut)
{
	fill_page(written[0].view + PAGES(1), late_number_of(cut));
	fill_page(written[1].view + PAGES(NR_HOLE - 1), late_number_of(cut));
	fill_page(written[2].view, late_number_of(cut));
}

static bool grown_is_there(unsigned int cut)
{
	bool good = file_page_has("grown", 0, number_of(cut, 0));
	unsigned int page;

	good &= file_page_has("grown", 1, cut ? late_number_of(cut - 1) :
						number_of(0, 1));
	for (page = 2; page < (cut + 1) * NR_GROW; page++)
		good &= file_page_has("grown", page,
				      number_of(page / NR_GROW, page));
	return good;
}

static bool hole_is_there(unsigned int cut)
{
	unsigned int page;
	bool good = true;

	for (page = 0; page < NR_HOLE - 1; page++)
		good &= file_page_has("hole", page, page % 7 <= cut ?
				      number_of(page % 7, page) : 0);
	return good && file_page_has("hole", page, cut ?
				     late_number_of(cut - 1) : 0);
}

static bool new_is_there(unsigned int cut)
{
	unsigned int page;
	bool good = true;
	char name[16];

	new_name(name, sizeof(name), cut);
	for (page = 0; page < NR_NEW; page++)
		good &= file_page_has(name, page, number_of(cut, page));
	return good;
}

/* Rules: FV-01, FV-02. And what was not flushed is not there, so that it is seen. */
TEST_F(power, flushed)
{
	bool tracked = variant->tracked;
	struct written written[3];
	unsigned int cut, i;
	uint64_t flushes;
	int loop;

	for (cut = 0; cut < NR_CUTS; cut++) {
		flushes = writes_of(self->device).flushes;
		ASSERT_TRUE(write_grown(&written[0], cut, tracked));
		ASSERT_TRUE(write_hole(&written[1], cut, tracked));
		ASSERT_TRUE(write_new(&written[2], cut, tracked));
		/* The disk's own cache, too */
		EXPECT_LT(flushes, writes_of(self->device).flushes);
		write_late(written, cut);
		ASSERT_TRUE(cut_power(self->device, cut));
		for (i = 0; i < 3; i++)
			ASSERT_TRUE(end_view(&written[i]));
	}
	ASSERT_TRUE(SETTLES(!umount(MOUNTED)));
	for (cut = 0; cut < NR_CUTS; cut++) {
		loop = mount_copy(variant->disk, cut);
		ASSERT_LE(0, loop);
		EXPECT_TRUE(grown_is_there(cut));
		EXPECT_TRUE(hole_is_there(cut));
		EXPECT_TRUE(new_is_there(cut));
		EXPECT_TRUE(unmount_copy(loop, cut));
	}
}

/* What a view that is no more has left is written by who flushes the file. */
TEST_F(power, flushed_by_another)
{
	struct written written;
	HANDLE other;
	int loop;

	ASSERT_TRUE(write_new(&written, 0, variant->tracked));
	fill_pages(written.view, NR_NEW, 7000);
	other = open_file("new0");
	ASSERT_TRUE(end_view(&written));
	ASSERT_TRUE(cut_power(self->device, 0));
	ASSERT_TRUE(FlushFileBuffers(other));
	ASSERT_TRUE(cut_power(self->device, 1));
	ASSERT_TRUE(CloseHandle(other));
	ASSERT_TRUE(SETTLES(!umount(MOUNTED)));
	loop = mount_copy(variant->disk, 0);
	ASSERT_LE(0, loop);
	EXPECT_TRUE(new_is_there(0));
	EXPECT_TRUE(unmount_copy(loop, 0));
	loop = mount_copy(variant->disk, 1);
	ASSERT_LE(0, loop);
	EXPECT_TRUE(file_page_has("new0", 0, 7000));
	EXPECT_TRUE(file_page_has("new0", NR_NEW - 1, 7000 + NR_NEW - 1));
	EXPECT_TRUE(unmount_copy(loop, 1));
}

TEST_HARNESS_MAIN
