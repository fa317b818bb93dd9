// SPDX-License-Identifier: GPL-2.0
/* vm: cpus=1 mem=384M timeout=600 modules=loop,fuse */
/*
 * Swap on a disk that fails: a loop device over a file of which a page cannot be read,
 * as its server says, or that can no longer be written.
 */
#include "kselftest_harness.h"

#include <sys/uio.h>

#define DISK_BYTES (4 << 20)
#define FUSE_BYTES DISK_BYTES

#include "common.h"
#include "wr_test_util.h"
#include "fuse_server.h"
#include "loop.h"
#include "paging.h"

#define MOUNTED "/tmp/wr_disk"
#define PAGE_CLUSTER "/proc/sys/vm/page-cluster"
#define SIZE MIB(1)
#define NR (SIZE / 4096)
#define BAD 5 /* the page that cannot be read; others come in with the one in front */

FIXTURE(disk)
{
	int fd;
	int image;
	int loop;
	char device[32];
	char cluster[16];
	struct fuse_server server;
	char *base;
	int64_t used;
};

/* Each page is read and written by itself: else more than one would fail. */
static bool use_disk(FIXTURE_DATA(disk) *self, int image)
{
	char path[64];

	self->image = image;
	if (image < 0 || !write_swap_head(image, DISK_BYTES))
		return false;
	self->loop = loop_over(dup(image), self->device, sizeof(self->device));
	snprintf(path, sizeof(path), "/sys/block/%s/queue/nomerges",
		 self->device + strlen("/dev/"));
	return self->loop >= 0 && write_text(path, "2") &&
	       !swapon(self->device, 0);
}

static bool read_cluster(char *text, size_t size)
{
	int fd = open(PAGE_CLUSTER, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, size - 1);

	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* But for where the stack begins, which is what tells the module that all is locked. */
static bool lock_all_else(void)
{
	uintptr_t page = (uintptr_t)environ & ~4095UL;

	return !mlockall(MCL_CURRENT) &&
	       !munlock((void *)(page - 4096), 2 * 4096);
}

/*
 * What a test has beside the region is to stay. What the core reads ahead, it reads in one
 * piece on some kernels, such as 7.3, and an error is that of all of it then.
 */
FIXTURE_SETUP(disk)
{
	ASSERT_TRUE(read_cluster(self->cluster, sizeof(self->cluster)));
	ASSERT_TRUE(write_text(PAGE_CLUSTER, "0"));
	self->loop = -1;
	self->image = -1;
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->used = swap_used();
	ASSERT_TRUE(fuse_prepare(&self->server));
	self->server.shared->file[0].open_flags = FOPEN_DIRECT_IO;
	ASSERT_TRUE(fuse_start(&self->server, MOUNTED));
	ASSERT_TRUE(lock_all_else());
	ASSERT_TRUE(make_group("max"));
	ASSERT_TRUE(group_write("cgroup.procs", "0"));
	self->base = wr_reserve_aligned(self->fd, SIZE, MIB(2), false);
	ASSERT_NE(NULL, self->base);
	ASSERT_EQ(0, wr_commit(self->fd, self->base, SIZE, RW));
	/* Backwards, so that each is a page of its own */
	for (size_t i = NR; i--;)
		fill_page(self->base + PAGES(i), 1 + i);
}

/* Whatever was wrong with the disk, nothing of it is needed any more. */
FIXTURE_TEARDOWN(disk)
{
	EXPECT_EQ(0, wr_release(self->fd, self->base, 0));
	swapoff(self->device);
	EXPECT_EQ(self->used, swap_used());
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) <= MIB(1)));
	close(self->image);
	loop_end(self->loop, "");
	EXPECT_TRUE(fuse_stop(&self->server));
	EXPECT_TRUE(write_text(PAGE_CLUSTER, self->cluster));
	EXPECT_TRUE(write_text(CGROUP_ROOT "/cgroup.procs", "0"));
	EXPECT_TRUE(SETTLES(!rmdir(group)));
	close(self->fd);
}

/* What was written stays in memory until somebody wants that. */
static bool is_only_on_disk(void)
{
	group_write("memory.reclaim", "4M");
	return !meminfo("SwapCached");
}

static int open_image(void)
{
	return open(MOUNTED "/0", O_RDWR | O_CLOEXEC);
}

/* Where the disk has what the page is to hold, or 0 */
static int find_bad(FIXTURE_DATA(disk) *self)
{
	const char *data = self->server.shared->file[0].data;
	int i;

	for (i = DISK_BYTES / 4096 - 1; i; i--)
		if (page_has(data + PAGES(i), 1 + BAD))
			break;
	return i;
}

/* All is out, and the disk goes bad in one place. */
static bool lose_page(FIXTURE_DATA(disk) *self)
{
	int at;

	if (!push_out(self->fd, self->base, SIZE) ||
	    wr_resident(self->fd, self->base, SIZE) ||
	    !SETTLES(is_only_on_disk()))
		return false;
	at = find_bad(self);
	self->server.shared->file[0].bad = at;
	return at;
}

static unsigned int why(int fd)
{
	struct winregion_last_fault arg = { .size = sizeof(arg) };

	return wr_ioctl(fd, WINREGION_LAST_FAULT, &arg) ? 0 : arg.out_reason;
}

static bool is_bus_error(FIXTURE_DATA(disk) *self, const char *addr)
{
	return probe_fault.sig == SIGBUS && probe_fault.addr == addr &&
	       why(self->fd) == WINREGION_FAULT_IN_PAGE;
}

static bool others_are_right(const char *base)
{
	return pages_have(base, BAD, 1) &&
	       pages_have(base + PAGES(BAD + 1), NR - BAD - 1, BAD + 2);
}

static int child_sees_the_same(void *arg)
{
	FIXTURE_DATA(disk) *self = arg;

	CHECK(!try_read(self->base + PAGES(BAD)));
	CHECK(is_bus_error(self, self->base + PAGES(BAD)));
	CHECK(others_are_right(self->base));
	return 0;
}

/* A page that is read with another one fails for itself only, and each time. */
TEST_F(disk, cannot_be_read)
{
	char *bad, word[8];
	struct iovec here = { word, 8 }, there = { NULL, 8 };
	struct winregion_lock lock = {
		.size = sizeof(lock),
		.operation = WINREGION_LOCK_ADD,
		.length = 4096,
	};
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_TRUE(use_disk(self, open_image()));
	ASSERT_TRUE(lose_page(self));
	bad = self->base + PAGES(BAD);
	EXPECT_TRUE(page_has(self->base, 1));
	EXPECT_EQ(PAGES(15), wr_resident(self->fd, self->base, SIZE));
	EXPECT_FALSE(try_read(bad + 9));
	EXPECT_TRUE(is_bus_error(self, bad + 9));
	EXPECT_FALSE(try_write(bad));
	EXPECT_TRUE(is_bus_error(self, bad));
	there.iov_base = bad;
	EXPECT_EQ(-1, process_vm_readv(getpid(), &here, 1, &there, 1, 0));
	EXPECT_EQ(-1, write(pipes[1], bad, 8));
	EXPECT_EQ(EFAULT, errno);
	lock.address = (uintptr_t)bad;
	EXPECT_EQ(-EIO, wr_ioctl(self->fd, WINREGION_LOCK, &lock));
	EXPECT_EQ(0, in_child(child_sees_the_same, self));
	EXPECT_TRUE(others_are_right(self->base));
	EXPECT_EQ(SIZE - 4096, wr_resident(self->fd, self->base, SIZE));
	EXPECT_TRUE(wr_is(self->fd, bad, RW));
	/* Who gives it up has one that is good. */
	ASSERT_EQ(0, wr_decommit(self->fd, bad, 4096));
	ASSERT_EQ(0, wr_commit(self->fd, bad, 4096, RW));
	EXPECT_TRUE(page_is_zero(bad));
	fill_page(bad, BAD + 1);
	EXPECT_EQ(0, swapoff(self->device));
	EXPECT_EQ(self->used, swap_used());
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	close(pipes[0]);
	close(pipes[1]);
}

/* The disk is taken away: all comes back but what nobody can read. */
TEST_F(disk, cannot_be_read_by_swapoff)
{
	char *bad = self->base + PAGES(BAD);

	ASSERT_TRUE(use_disk(self, open_image()));
	ASSERT_TRUE(lose_page(self));
	EXPECT_EQ(0, swapoff(self->device));
	EXPECT_EQ(self->used, swap_used());
	EXPECT_FALSE(try_read(bad));
	EXPECT_TRUE(is_bus_error(self, bad));
	EXPECT_TRUE(others_are_right(self->base));
	EXPECT_FALSE(try_write(bad));
	EXPECT_EQ(0, in_child(child_sees_the_same, self));
}

/* What cannot be written stays in memory. */
TEST_F(disk, cannot_be_written)
{
	int image = memfd_create("swap", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ASSERT_LE(0, image);
	ASSERT_EQ(0, ftruncate(image, DISK_BYTES));
	ASSERT_TRUE(use_disk(self, image));
	ASSERT_EQ(0, fcntl(image, F_ADD_SEALS, F_SEAL_WRITE));
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	group_write("memory.reclaim", "4M");
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	fill_pages(self->base, NR, 500);
	ASSERT_TRUE(push_out(self->fd, self->base, SIZE));
	EXPECT_TRUE(pages_have(self->base, NR / 2, 500));
	EXPECT_EQ(0, swapoff(self->device));
	EXPECT_EQ(self->used, swap_used());
	EXPECT_TRUE(pages_have(self->base, NR, 500));
}

#define VICTIMS 24

struct victims {
	FIXTURE_DATA(disk) *self;
	int ready[2];
};

/* It keeps nothing of the region. */
static int be_victim(void *arg)
{
	struct victims *victims = arg;

	CHECK(!wr_release(victims->self->fd, victims->self->base, 0));
	CHECK(write(victims->ready[1], "", 1) == 1);
	return stay_for_ever(NULL);
}

/*
 * The disk answers nothing, until more is to be written than it takes. Who needs memory
 * does not wait for ever, but has somebody killed: who has nothing of the disk open, and
 * no pages that go there, as he would have to wait for it at his end. Hazard G17
 */
TEST_F_TIMEOUT(disk, stands_still, 120)
{
	struct victims victims = { .self = self };
	struct child child[VICTIMS];
	char byte;
	int i;

	ASSERT_EQ(0, pipe(victims.ready));
	for (i = 0; i < VICTIMS; i++) {
		child[i] = start_child(be_victim, &victims);
		ASSERT_EQ(1, read(victims.ready[0], &byte, 1));
	}
	ASSERT_TRUE(use_disk(self, open_image()));
	self->server.shared->hold = FUSE_WRITE;
	for (i = 0; i < VICTIMS; i++)
		EXPECT_TRUE(is_first_to_go(&child[i]));
	self->server.shared->hold = 0;
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	close(victims.ready[0]);
	close(victims.ready[1]);
}

/* Its pages may be written. It has nothing of the disk open. */
static int be_written(void *arg)
{
	struct victims *victims = arg;
	int fd = victims->self->fd;
	char *base = wr_alloc(fd, SIZE);

	CHECK(base);
	fill_pages(base, NR, 1000);
	CHECK(!trim(fd, base, SIZE));
	CHECK(write(victims->ready[1], "", 1) == 1);
	return stay_for_ever(NULL);
}

/* Waits for the disk, and has those pages until then which the disk does not take yet. */
static int write_all(void *arg)
{
	group_write("memory.reclaim", "1M"); /* as far as that can be had */
	return 0;
}

static bool ends_soon(struct child *child)
{
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		if (waitpid(child->pid, NULL, WNOHANG) == child->pid)
			return true;
		sleep_ms(10);
	}
	return false;
}

/* Who ends gives up what is being written, and waits for no disk. Hazard G18 */
TEST_F_TIMEOUT(disk, written_by_others, 90)
{
	struct victims victims = { .self = self };
	struct child owner, writer;
	char byte;

	ASSERT_EQ(0, pipe(victims.ready));
	owner = start_child(be_written, &victims);
	ASSERT_EQ(1, read(victims.ready[0], &byte, 1));
	ASSERT_TRUE(use_disk(self, open_image()));
	self->server.shared->hold = FUSE_WRITE;
	writer = start_child(write_all, NULL);
	EXPECT_TRUE(SETTLES(self->server.shared->held &&
			    swap_used() > self->used));
	kill(owner.pid, SIGKILL);
	EXPECT_TRUE(ends_soon(&owner));
	EXPECT_EQ(0, waitpid(writer.pid, NULL, WNOHANG));
	self->server.shared->hold = 0;
	EXPECT_EQ(0, end_child(&writer));
	EXPECT_TRUE(pages_have(self->base, NR, 1));
	close(victims.ready[0]);
	close(victims.ready[1]);
}

TEST_HARNESS_MAIN
