// SPDX-License-Identifier: GPL-2.0
/*
 * Views of files whose file system makes it difficult: a server that is late, lies,
 * fails or dies, a disk that is full or broken, files that become others. Each case
 * is run with a mapping by mmap() as well, and with a view in its two forms: as
 * coherent and as erroneous as that is what a view has to be.
 */
/* vm: modules=loop,ext4,overlay,fuse,xfs,btrfs,squashfs mkfs timeout=900 */
#include "kselftest_harness.h"

#include <linux/fs.h>
#include <linux/futex.h>
#include <pthread.h>

#include "common.h"
#include "disks.h"
#include "wr_test_util.h"
#include "sections.h"
#include "fuse_server.h"
#include "swap.h"

#define MOUNTED "/tmp/wr_fs"
#define IMAGE "/tmp/wr_fs.img"
#define FILE_PATH MOUNTED "/0"
#define OTHER_PATH MOUNTED "/1"
#define HOLE_PATH MOUNTED "/hole"
#define SIZE FUSE_BYTES
#define NR_PAGES (SIZE / 4096)

enum how {
	MMAP,
	VIEW,
	TRACKED, /* each page is asked for */
};

struct mapped {
	int fd;
	enum how how;
	size_t size; /* of the file; 0: SIZE */
	int section;
	char *base;
};

/* 0 or -errno */
static int map_file(struct mapped *mapped, int file, bool writes)
{
	int err;

	mapped->section = -1;
	mapped->size = mapped->size ?: SIZE;
	if (mapped->how == MMAP) {
		mapped->base = mmap(NULL, mapped->size,
				    writes ? PROT_READ | PROT_WRITE : PROT_READ,
				    MAP_SHARED, file, 0);
		return mapped->base == MAP_FAILED ? -errno : 0;
	}
	mapped->section = sec_create(mapped->fd, file, 0, 0, writes ? RW : RO);
	if (mapped->section < 0)
		return mapped->section;
	err = sec_map(mapped->section, 0, 0, writes ? RW : RO, &mapped->base);
	if (!err && mapped->how == TRACKED)
		err = wr_protect(mapped->fd, mapped->base, 4096, NA) ?:
		      wr_protect(mapped->fd, mapped->base, 4096,
				 writes ? RW : RO);
	return err;
}

static int unmap_file(struct mapped *mapped)
{
	if (mapped->how == MMAP)
		return munmap(mapped->base, mapped->size) ? -errno : 0;
	close(mapped->section);
	return sec_unmap(mapped->fd, mapped->base);
}

static int flush_file(struct mapped *mapped)
{
	if (mapped->how == MMAP)
		return msync(mapped->base, mapped->size, MS_SYNC) ? -errno : 0;
	return sec_flush(mapped->fd, mapped->base, 0);
}

/* The signal that it is */
static int reads(const volatile char *addr)
{
	return try_read(addr) ? 0 : probe_fault.sig;
}

static int writes(volatile char *addr)
{
	return try_write(addr) ? 0 : probe_fault.sig;
}

/* Kills a child that waits for something. Whether it ends. */
static bool dies(struct child *child)
{
	int status;

	kill(child->pid, SIGKILL);
	if (!SETTLES(waitpid(child->pid, &status, WNOHANG) == child->pid))
		return false;
	munmap((void *)child->line, 4096);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static bool is_dead(struct child *child)
{
	int status;

	return waitpid(child->pid, &status, WNOHANG) == child->pid;
}

/* ---- a server ---- */

FIXTURE(fuse)
{
	struct fuse_server server;
	struct fuse_shared *shared;
	struct mapped mapped;
	uint64_t regions;
	int file;
};

FIXTURE_VARIANT(fuse)
{
	enum how how;
};

FIXTURE_VARIANT_ADD(fuse, mmap) { .how = MMAP };
FIXTURE_VARIANT_ADD(fuse, view) { .how = VIEW };
FIXTURE_VARIANT_ADD(fuse, tracked) { .how = TRACKED };

FIXTURE_SETUP(fuse)
{
	if (geteuid())
		SKIP(return, "only root may mount");
	if (access("/dev/fuse", F_OK))
		SKIP(return, "no FUSE; \"make test\" has it");
	self->mapped.fd = wr_open();
	self->mapped.how = variant->how;
	ASSERT_LE(0, self->mapped.fd);
	self->regions = WR_INFO(self->mapped.fd, out_regions);
	ASSERT_TRUE(fuse_prepare(&self->server));
	self->shared = self->server.shared;
	fill_pages(self->shared->file[0].data, NR_PAGES, 100);
	fill_pages(self->shared->file[1].data, NR_PAGES, 500);
	ASSERT_TRUE(fuse_start(&self->server, MOUNTED));
	self->file = open(FILE_PATH, O_RDWR | O_CLOEXEC);
	/* Whether a close has a request of its own is asked once. */
	close(self->file);
	self->file = open(FILE_PATH, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->file);
}

/* Whatever has happened, the file system can be unmounted. */
FIXTURE_TEARDOWN(fuse)
{
	close(self->file);
	if (self->server.pid)
		EXPECT_TRUE(fuse_stop(&self->server));
	EXPECT_EQ(self->regions, WR_INFO(self->mapped.fd, out_regions));
	close(self->mapped.fd);
}

#define MAP_IT(writes)						\
	ASSERT_EQ(0, map_file(&self->mapped, self->file, writes))
#define UNMAP_IT() do {						\
	EXPECT_EQ(0, unmap_file(&self->mapped));			\
	close(self->file);						\
} while (0)

/* Rules: MV-50, FV-01. All of it reaches the server, by a handle that may write. */
TEST_F(fuse, written)
{
	const char *data = self->shared->file[0].data;
	char *base;

	MAP_IT(true);
	base = self->mapped.base;
	close(self->file);
	EXPECT_TRUE(pages_have(base, NR_PAGES, 100));
	fill_pages(base, 5, 900);
	fill_page(base + PAGES(9), 77);
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_TRUE(pages_have(data, 5, 900));
	EXPECT_TRUE(page_has(data + PAGES(5), 105));
	EXPECT_TRUE(page_has(data + PAGES(9), 77));
	fill_pages(base, NR_PAGES, 40);
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_TRUE(pages_have(data, NR_PAGES, 40));
	/* And what is left when the view ends */
	fill_page(base + PAGES(3), 1);
	UNMAP_IT();
	EXPECT_TRUE(SETTLES(page_has(data + PAGES(3), 1)));
	EXPECT_LT(0, self->shared->writes);
	EXPECT_EQ(0, self->shared->wrong_writes);
}

/*
 * A section has the file open, too. Its end is no close by the program, of which the
 * server would be told, and might never answer; and all is written before. Rules: FV-01;
 * hazard V38.
 */
TEST_F(fuse, ends_without_the_server)
{
	close(self->file);
	ASSERT_TRUE(fuse_stop(&self->server));
	ASSERT_TRUE(fuse_prepare(&self->server));
	self->shared = self->server.shared;
	self->shared->wants_flush = true;
	ASSERT_TRUE(fuse_start(&self->server, MOUNTED));
	self->file = open(FILE_PATH, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->file);
	MAP_IT(true);
	close(self->file);
	self->file = -1;
	EXPECT_TRUE(SETTLES(self->shared->flushes == 1));
	fill_page(self->mapped.base, 1);
	EXPECT_EQ(0, unmap_file(&self->mapped));
	EXPECT_TRUE(SETTLES(page_has(self->shared->file[0].data, 1)));
	EXPECT_EQ(1, self->shared->flushes);
}

/* Who only reads opens for nothing else, and writes nothing. */
TEST_F(fuse, read_only)
{
	int opened = self->shared->opened;

	close(self->file);
	self->file = open(FILE_PATH, O_RDONLY | O_CLOEXEC);
	MAP_IT(false);
	EXPECT_TRUE(pages_have(self->mapped.base, NR_PAGES, 100));
	EXPECT_EQ(SIGSEGV, writes(self->mapped.base));
	EXPECT_EQ(0, flush_file(&self->mapped));
	UNMAP_IT();
	EXPECT_EQ(opened, self->shared->opened);
	EXPECT_EQ(0, self->shared->writes);
}

/* Rules: MV-50. write() and read() of the file see the same. */
TEST_F(fuse, coherent)
{
	uint64_t word = 31;
	char *base;

	MAP_IT(true);
	base = self->mapped.base;
	EXPECT_EQ(0, reads(base));
	ASSERT_EQ(8, pwrite(self->file, &word, 8, PAGES(2)));
	EXPECT_EQ(31, *(volatile uint64_t *)(base + PAGES(2)));
	*(volatile uint64_t *)(base + PAGES(4)) = 32;
	ASSERT_EQ(8, pread(self->file, &word, 8, PAGES(4)));
	EXPECT_EQ(32, word);
	ASSERT_EQ(0, ftruncate(self->file, PAGES(8)));
	EXPECT_EQ(SIGBUS, reads(base + PAGES(8)));
	EXPECT_EQ(0, reads(base + PAGES(7)));
	ASSERT_EQ(0, ftruncate(self->file, SIZE));
	EXPECT_EQ(0, writes(base + PAGES(8)));
	UNMAP_IT();
}

/* A page that cannot be read is SIGBUS, that page alone and only as long. */
TEST_F(fuse, error_of_a_page)
{
	char *base;

	self->shared->file[0].bad = 5;
	MAP_IT(true);
	base = self->mapped.base;
	EXPECT_EQ(SIGBUS, reads(base + PAGES(5)));
	EXPECT_EQ(SIGBUS, writes(base + PAGES(5)));
	EXPECT_EQ(BUS_ADRERR, probe_fault.code);
	EXPECT_TRUE(pages_have(base, 5, 100));
	EXPECT_TRUE(pages_have(base + PAGES(6), 10, 106));
	fill_page(base + PAGES(6), 8);
	self->shared->file[0].bad = -1;
	EXPECT_TRUE(page_has(base + PAGES(5), 105));
	EXPECT_EQ(0, writes(base + PAGES(5) + 8));
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_TRUE(page_has(self->shared->file[0].data + PAGES(6), 8));
	UNMAP_IT();
}

/* One that cannot be written is told, and not again, and the others are written. */
TEST_F(fuse, error_of_a_write)
{
	const char *data = self->shared->file[0].data;
	char *base;

	MAP_IT(true);
	base = self->mapped.base;
	self->shared->file[0].bad_write = 3;
	fill_page(base + PAGES(1), 1);
	fill_page(base + PAGES(3), 3);
	fill_page(base + PAGES(5), 5);
	EXPECT_EQ(-EIO, flush_file(&self->mapped));
	/* Who is told of an error may not have waited for the others. */
	EXPECT_TRUE(SETTLES(page_has(data + PAGES(1), 1) &&
			    page_has(data + PAGES(5), 5)));
	EXPECT_TRUE(page_has(data + PAGES(3), 103));
	EXPECT_TRUE(page_has(base + PAGES(3), 3));
	/*
	 * The kernel may have begun to write the page while it was filled, and
	 * each time that it tried is an error of its own.
	 */
	EXPECT_TRUE(SETTLES(!flush_file(&self->mapped)));
	self->shared->file[0].bad_write = -1;
	fill_page(base + PAGES(3), 4);
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_TRUE(page_has(data + PAGES(3), 4));
	UNMAP_IT();
}

/* What reads do not give, of a file that is said to have it, is zero or SIGBUS. */
TEST_F(fuse, less_than_it_says)
{
	unsigned int i, wrong = 0;
	char *base;
	int sig;

	self->shared->file[0].readable = PAGES(4);
	MAP_IT(true);
	base = self->mapped.base;
	EXPECT_TRUE(pages_have(base, 4, 100));
	for (i = 4; i < NR_PAGES; i++) {
		sig = reads(base + PAGES(i));
		wrong += sig && sig != SIGBUS;
		wrong += !sig && base[PAGES(i)];
	}
	EXPECT_EQ(0, wrong);
	EXPECT_TRUE(pages_have(base, 4, 100));
	self->shared->file[0].readable = SIZE;
	UNMAP_IT();
}

/* What is behind the size that it says is not there. */
TEST_F(fuse, more_than_it_says)
{
	struct stat status;
	char *base;

	self->shared->file[0].size = PAGES(4) + 8;
	ASSERT_EQ(0, fstat(self->file, &status));
	if (variant->how != MMAP)
		EXPECT_EQ(-EFBIG, sec_create(self->mapped.fd, self->file, SIZE,
					     0, RO));
	self->shared->file[0].size = SIZE;
	ASSERT_EQ(0, fstat(self->file, &status));
	MAP_IT(true);
	base = self->mapped.base;
	self->shared->file[0].size = PAGES(4) + 8;
	ASSERT_EQ(0, fstat(self->file, &status));
	EXPECT_TRUE(pages_have(base, 4, 100));
	EXPECT_EQ(0, reads(base + PAGES(4)));
	EXPECT_EQ(SIGBUS, reads(base + PAGES(5)));
	EXPECT_EQ(SIGBUS, writes(base + PAGES(5)));
	self->shared->file[0].size = SIZE;
	ASSERT_EQ(0, fstat(self->file, &status));
	EXPECT_TRUE(pages_have(base + PAGES(5), NR_PAGES - 5, 105));
	UNMAP_IT();
}

/* What the server has others do is seen once it says so. */
TEST_F(fuse, forgotten)
{
	char *data = self->shared->file[0].data, *base;

	MAP_IT(true);
	base = self->mapped.base;
	EXPECT_TRUE(pages_have(base, NR_PAGES, 100));
	fill_pages(data, NR_PAGES, 300);
	EXPECT_TRUE(pages_have(base, NR_PAGES, 100));
	ASSERT_TRUE(fuse_forget(&self->server, 0));
	EXPECT_TRUE(pages_have(base, NR_PAGES, 300));
	fill_page(base, 5);
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_TRUE(page_has(data, 5));
	UNMAP_IT();
}

/* An open forgets the pages, unless the server says otherwise. */
TEST_F(fuse, opened_again)
{
	char *data = self->shared->file[0].data, *base;
	int again;

	MAP_IT(true);
	base = self->mapped.base;
	EXPECT_TRUE(pages_have(base, NR_PAGES, 100));
	fill_pages(data, NR_PAGES, 300);
	self->shared->file[0].open_flags = FOPEN_KEEP_CACHE;
	again = open(FILE_PATH, O_RDONLY | O_CLOEXEC);
	EXPECT_TRUE(pages_have(base, NR_PAGES, 100));
	close(again);
	self->shared->file[0].open_flags = 0;
	again = open(FILE_PATH, O_RDONLY | O_CLOEXEC);
	EXPECT_TRUE(pages_have(base, NR_PAGES, 300));
	close(again);
	UNMAP_IT();
}

/* A file without pages of its own is refused, and nothing stays. */
TEST_F(fuse, direct)
{
	size_t before;

	close(self->file);
	self->shared->file[0].open_flags = FOPEN_DIRECT_IO;
	self->file = open(FILE_PATH, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->file);
	before = count_all_vmas();
	EXPECT_EQ(variant->how == MMAP ? -ENODEV : -EMEDIUMTYPE,
		  map_file(&self->mapped, self->file, true));
	EXPECT_EQ(variant->how == MMAP ? -ENODEV : -EMEDIUMTYPE,
		  map_file(&self->mapped, self->file, false));
	EXPECT_EQ(before, count_all_vmas());
	close(self->file);
}

/* One that becomes so, or cannot be opened, once a section opens it again */
TEST_F(fuse, opens_that_differ)
{
	static const struct {
		int refused;
		int err;
	} opens[] = {
		{ EACCES, -EKEYREJECTED }, { EIO, -EKEYREJECTED },
		{ ENOMEM, -ENOMEM }, { EINTR, -EINTR },
	};
	const uint32_t protections[] = { RW, RO, NA };
	size_t before = count_all_vmas();
	unsigned int i;
	int section;
	char *base;

	if (variant->how == MMAP)
		SKIP(return, "mmap() opens nothing");
	for (i = 0; i < ARRAY_SIZE(opens); i++) {
		self->shared->file[0].refused = opens[i].refused;
		EXPECT_EQ(opens[i].err, sec_create(self->mapped.fd, self->file,
						   0, 0, RW));
		EXPECT_EQ(before, count_all_vmas());
	}
	self->shared->file[0].refused = 0;
	self->shared->file[0].open_flags = FOPEN_DIRECT_IO;
	section = sec_create(self->mapped.fd, self->file, 0, 0, RW);
	EXPECT_TRUE(section >= 0 || section == -EMEDIUMTYPE);
	for (i = 0; section >= 0 && i < ARRAY_SIZE(protections); i++) {
		if (sec_map(section, 0, 0, protections[i], &base))
			continue;
		EXPECT_TRUE(protections[i] == NA || page_has(base, 100));
		EXPECT_EQ(0, sec_unmap(self->mapped.fd, base));
	}
	EXPECT_EQ(before, count_all_vmas());
	close(section);
	close(self->file);
}

/* Rules: VV-01. States of pages come before what the server has to say. */
TEST_F(fuse, states)
{
	int fd = self->mapped.fd;
	char *base;

	if (variant->how == MMAP)
		SKIP(return, "there are no states");
	self->shared->file[0].bad = 5;
	MAP_IT(true);
	base = self->mapped.base;
	ASSERT_EQ(0, wr_protect(fd, base + PAGES(1), 4096, RO));
	ASSERT_EQ(0, wr_protect(fd, base + PAGES(2), 4096, NA));
	ASSERT_EQ(0, wr_protect(fd, base + PAGES(4), PAGES(2),
				RW | WINREGION_GUARD));
	EXPECT_EQ(SIGSEGV, writes(base + PAGES(1)));
	EXPECT_EQ(0, reads(base + PAGES(1)));
	EXPECT_EQ(SIGSEGV, reads(base + PAGES(2)));
	EXPECT_EQ(SIGSEGV, reads(base + PAGES(4)));
	EXPECT_EQ(0, writes(base + PAGES(4) + 8));
	EXPECT_EQ(SIGSEGV, reads(base + PAGES(5)));
	EXPECT_EQ(SIGBUS, reads(base + PAGES(5)));
	ASSERT_EQ(0, wr_protect(fd, base + PAGES(5), 4096, NA));
	EXPECT_EQ(SIGSEGV, reads(base + PAGES(5)));
	ASSERT_EQ(0, flush_file(&self->mapped));
	ASSERT_TRUE(fuse_forget(&self->server, 0));
	EXPECT_EQ(SIGSEGV, writes(base + PAGES(1)));
	EXPECT_EQ(SIGSEGV, reads(base + PAGES(2)));
	self->shared->file[0].bad = -1;
	ASSERT_EQ(0, wr_protect(fd, base, SIZE, RW));
	EXPECT_TRUE(page_has(base + PAGES(5), 105));
	EXPECT_TRUE(page_has(base + PAGES(2), 102));
	UNMAP_IT();
}

static int use_in_child(void *arg)
{
	struct mapped *mapped = arg;
	char *mine;

	CHECK(page_has(mapped->base, 100));
	fill_page(mapped->base + PAGES(1), 7);
	if (mapped->how != MMAP) {
		CHECK(!wr_protect(mapped->fd, mapped->base, 4096, NA));
		CHECK(!sec_map(mapped->section, 0, 0, RW, &mine));
		CHECK(page_has(mine + PAGES(1), 7));
		fill_page(mine + PAGES(2), 8);
		CHECK(!sec_unmap(mapped->fd, mine));
	} else {
		fill_page(mapped->base + PAGES(2), 8);
	}
	CHECK(!flush_file(mapped));
	fill_page(mapped->base + PAGES(3), 9);
	return 0;
}

/* Two processes, by a fork and by a section, see the same, and so does the server. */
TEST_F(fuse, two_processes)
{
	const char *data = self->shared->file[0].data;
	char *base;

	MAP_IT(true);
	base = self->mapped.base;
	ASSERT_EQ(0, in_child(use_in_child, &self->mapped));
	EXPECT_TRUE(page_has(base, 100));
	EXPECT_TRUE(page_has(base + PAGES(1), 7));
	EXPECT_TRUE(page_has(base + PAGES(2), 8));
	EXPECT_TRUE(page_has(base + PAGES(3), 9));
	EXPECT_TRUE(page_has(data + PAGES(1), 7));
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_TRUE(page_has(data + PAGES(3), 9));
	UNMAP_IT();
	EXPECT_EQ(0, self->shared->wrong_writes);
}

/* ---- one that is late ---- */

struct late {
	struct mapped *mapped;
	int file;
};

static void *read_late(void *base)
{
	return (void *)(intptr_t)reads(base);
}

/*
 * A fault waits for its page without a lock, and the view ends meanwhile: what it comes
 * back to is there as long, which is the module as well.
 */
TEST_F(fuse, view_ends_in_a_fault)
{
	int64_t before = users_at_rest();
	pthread_t thread;
	void *sig;

	ASSERT_LT(0, before);
	MAP_IT(true);
	self->shared->hold = FUSE_READ;
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_late,
				    self->mapped.base));
	EXPECT_TRUE(SETTLES(self->shared->held));
	sleep_ms(100);
	UNMAP_IT();
	sleep_ms(100);
	if (variant->how != MMAP)
		EXPECT_LT(before, module_users());
	self->shared->hold = 0;
	ASSERT_EQ(0, pthread_join(thread, &sig));
	EXPECT_EQ(SIGSEGV, (intptr_t)sig);
	EXPECT_TRUE(SETTLES(module_users() <= before));
}

static int touch_late(void *arg)
{
	struct late *late = arg;

	return !*(volatile char *)late->mapped->base;
}

static int create_late(void *arg)
{
	struct late *late = arg;

	return sec_create(late->mapped->fd, late->file, 0, 0, RW) < 0;
}

static int write_on_and_on(void *arg)
{
	struct late *late = arg;
	volatile uint64_t *word = (uint64_t *)late->mapped->base;

	for (;;) {
		++*word;
		CHECK(!flush_file(late->mapped));
	}
}

/* Who waits for a page can be killed. */
TEST_F(fuse, killed_in_a_fault)
{
	struct late late = { &self->mapped, self->file };
	struct child child;

	MAP_IT(true);
	self->shared->hold = FUSE_READ;
	child = start_child(touch_late, &late);
	EXPECT_TRUE(SETTLES(self->shared->held));
	EXPECT_TRUE(dies(&child));
	self->shared->hold = 0;
	EXPECT_TRUE(page_has(self->mapped.base, 100));
	UNMAP_IT();
}

/* Who makes a section: the file is opened again for it. */
TEST_F(fuse, killed_in_create)
{
	struct late late = { &self->mapped, self->file };
	struct child child;

	if (variant->how != VIEW)
		SKIP(return, "views come later");
	self->shared->interruptible = true;
	self->shared->hold = FUSE_OPEN;
	child = start_child(create_late, &late);
	EXPECT_TRUE(SETTLES(self->shared->held));
	EXPECT_TRUE(dies(&child));
	self->shared->hold = 0;
	self->shared->deaf = true;
	EXPECT_TRUE(SETTLES(self->shared->is_deaf));
	child = start_child(create_late, &late);
	sleep_ms(300);
	EXPECT_FALSE(is_dead(&child));
	EXPECT_TRUE(dies(&child));
	self->shared->deaf = false;
	MAP_IT(true);
	UNMAP_IT();
}

/* To map a view, to unmap it, and to change its states takes no server. */
TEST_F(fuse, needs_no_server)
{
	char *base, *other;

	if (variant->how == MMAP)
		SKIP(return, "no views");
	MAP_IT(true);
	base = self->mapped.base;
	EXPECT_EQ(0, reads(base));
	self->shared->deaf = true;
	EXPECT_TRUE(SETTLES(self->shared->is_deaf));
	ASSERT_EQ(0, sec_map(self->mapped.section, 0, 0, RW, &other));
	EXPECT_EQ(0, wr_protect(self->mapped.fd, base, SIZE, RO));
	EXPECT_EQ(0, wr_protect(self->mapped.fd, other, SIZE, NA));
	EXPECT_EQ(0, sec_unmap(self->mapped.fd, other));
	self->shared->deaf = false;
	UNMAP_IT();
}

/*
 * What is being written has to be, here as by msync(), until the server answers or
 * is gone; and then it ends. All stores are the child's, since the system may write
 * the page back before the flush does, even in the fault of the store, and who then
 * stores waits, too.
 */
TEST_F(fuse, killed_in_a_flush)
{
	struct late late = { &self->mapped, self->file };
	volatile uint64_t *word;
	struct child child;

	MAP_IT(true);
	word = (uint64_t *)self->mapped.base;
	*word = 6;
	self->shared->hold = FUSE_WRITE;
	child = start_child(write_on_and_on, &late);
	EXPECT_TRUE(SETTLES(self->shared->held));
	kill(child.pid, SIGKILL);
	sleep_ms(300);
	self->shared->hold = 0;
	EXPECT_TRUE(dies(&child));
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_LE(6, *word);
	EXPECT_EQ(*word, *(uint64_t *)self->shared->file[0].data);
	self->shared->held = 0;
	self->shared->hold = FUSE_WRITE;
	child = start_child(write_on_and_on, &late);
	EXPECT_TRUE(SETTLES(self->shared->held));
	kill(child.pid, SIGKILL);
	fuse_die(&self->server);
	EXPECT_TRUE(dies(&child));
	EXPECT_EQ(0, reads((char *)word));
	UNMAP_IT();
}

/* Memory of which the first part is locked, or NULL */
static char *alloc_locked(int fd)
{
	char *base = wr_alloc(fd, MIB(2));
	struct winregion_lock arg = {
		.size = sizeof(arg),
		.operation = WINREGION_LOCK_ADD,
		.address = (uintptr_t)base,
		.length = KIB(64),
	};

	return base && !wr_ioctl(fd, WINREGION_LOCK, &arg) ? base : NULL;
}

static int futex_word;

/* Waits for the server with mmap_lock held, as it is the page tables that it waits for. */
static void *wake_by_file(void *file)
{
	syscall(SYS_futex, &futex_word, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1,
		NULL, file, 0);
	return NULL;
}

static int unlock_beside_it(void *arg)
{
	struct late *late = arg;
	char *base = alloc_locked(late->mapped->fd);
	void *file = mmap(NULL, PAGES(1), PROT_READ | PROT_WRITE, MAP_PRIVATE,
			  late->file, 0);
	pthread_t thread;

	CHECK(base && file != MAP_FAILED);
	CHECK(!pthread_create(&thread, NULL, wake_by_file, file));
	sleep_ms(300);
	wr_decommit(late->mapped->fd, base, KIB(64));
	pause();
	return 0;
}

/* Who has mmap_lock held for long keeps nobody else's charge from being settled. */
TEST_F(fuse, settled_beside_a_held_lock)
{
	struct late late = { &self->mapped, self->file };
	int64_t before = self_status("VmLck");
	struct child child;
	char *base;

	MAP_IT(true);
	base = alloc_locked(self->mapped.fd);
	ASSERT_NE(NULL, base);
	self->shared->hold = FUSE_READ;
	child = start_child(unlock_beside_it, &late);
	EXPECT_TRUE(SETTLES(self->shared->held));
	sleep_ms(600);
	EXPECT_EQ(before + (int64_t)KIB(64), self_status("VmLck"));
	/* By munmap(), for which the worker has to come */
	ASSERT_EQ(0, munmap(base, MIB(2)));
	EXPECT_TRUE(SETTLES(self_status("VmLck") == before));
	self->shared->hold = 0;
	EXPECT_TRUE(dies(&child));
	UNMAP_IT();
}

/* ---- one that stops somebody else ---- */

struct stopped {
	struct late late;
	struct fuse_shared *shared;
	void *file;
	pid_t pid;
};

static void *wake_then(void *arg)
{
	struct stopped *stopped = arg;

	if (SETTLES(stopped->shared->held))
		wake_by_file(stopped->file);
	return NULL;
}

static void *map_then(void *arg)
{
	struct stopped *stopped = arg;

	if (!SETTLES(stopped->shared->held))
		return NULL;
	sleep_ms(300);
	return mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* When somebody waits for its page, one thread has mmap_lock, and one waits for it. */
static int stop_others(void *arg)
{
	struct stopped *stopped = arg;
	pthread_t threads[2];

	stopped->file = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			     stopped->late.file, 0);
	CHECK(stopped->file != MAP_FAILED);
	CHECK(!pthread_create(&threads[0], NULL, wake_then, stopped));
	CHECK(!pthread_create(&threads[1], NULL, map_then, stopped));
	pause();
	return 0;
}

/* Locks a page of the view of another process. */
static int lock_of_other(void *arg)
{
	struct stopped *stopped = arg;
	struct winregion_open_process process = {
		.size = sizeof(process),
		.flags = WINREGION_PROCESS_CHANGE,
	};
	struct winregion_lock lock = {
		.size = sizeof(lock),
		.operation = WINREGION_LOCK_ADD,
		.address = (uintptr_t)stopped->late.mapped->base,
		.length = 4096,
	};
	char name[64];

	snprintf(name, sizeof(name), "/proc/%d/mem", stopped->pid);
	process.memory = open(name, O_RDWR | O_CLOEXEC);
	CHECK(process.memory >= 0);
	CHECK(!wr_ioctl(stopped->late.mapped->fd, WINREGION_OPEN_PROCESS,
			&process));
	CHECK(!wr_ioctl(process.out_fd, WINREGION_LOCK, &lock));
	return 0;
}

/*
 * Hazard P3. Who waits for a page of another process, which is not to be had, can be
 * killed, although even the core waits for that process.
 */
TEST_F(fuse, killed_in_a_call_about_another)
{
	struct stopped stopped = {
		.late = { &self->mapped, self->file },
		.shared = self->shared,
	};
	int64_t before = users_at_rest();
	struct child owner, child;

	if (variant->how != VIEW)
		SKIP(return, "once is enough");
	MAP_IT(true);
	owner = start_child(stop_others, &stopped);
	stopped.pid = owner.pid;
	sleep_ms(100);
	self->shared->hold = FUSE_READ;
	child = start_child(lock_of_other, &stopped);
	EXPECT_TRUE(SETTLES(self->shared->held));
	sleep_ms(800);
	EXPECT_TRUE(dies(&child));
	self->shared->hold = 0;
	EXPECT_TRUE(dies(&owner));
	UNMAP_IT();
	/* The thread that was left behind has ended, too. */
	EXPECT_TRUE(SETTLES(module_users() <= before));
}

/* ---- one that dies ---- */

static int bus_error_late(void *arg)
{
	struct late *late = arg;

	return reads(late->mapped->base) != SIGBUS;
}

/* Who waits for it gets SIGBUS, and so does who comes later. */
TEST_F(fuse, dies)
{
	struct late late = { &self->mapped, self->file };
	struct mapped other = self->mapped;
	int memory = memfd_create("other", MFD_CLOEXEC);
	struct child child;
	char *base;

	ASSERT_EQ(0, ftruncate(memory, SIZE));
	ASSERT_EQ(0, map_file(&other, memory, true));
	MAP_IT(true);
	base = self->mapped.base;
	self->shared->hold = FUSE_READ;
	child = start_child(bus_error_late, &late);
	EXPECT_TRUE(SETTLES(self->shared->held));
	fuse_die(&self->server);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_EQ(SIGBUS, reads(base));
	EXPECT_EQ(SIGBUS, writes(base + PAGES(7)));
	EXPECT_EQ(0, writes(other.base));
	EXPECT_EQ(0, flush_file(&other));
	EXPECT_EQ(0, unmap_file(&other));
	close(memory);
	UNMAP_IT();
}

/* What is there stays, and what was written cannot be any more. */
TEST_F(fuse, dies_later)
{
	char *base;
	int err;

	MAP_IT(true);
	base = self->mapped.base;
	EXPECT_TRUE(pages_have(base, NR_PAGES, 100));
	fill_page(base + PAGES(2), 6);
	fuse_die(&self->server);
	EXPECT_TRUE(page_has(base + PAGES(2), 6));
	EXPECT_TRUE(page_has(base + PAGES(3), 103));
	err = flush_file(&self->mapped);
	EXPECT_TRUE(variant->how == MMAP ? err < 0 : err == -EIO);
	UNMAP_IT();
}

struct copier {
	char *page;
};

static int copy_late(void *arg)
{
	struct copier *copier = arg;

	return writes(copier->page);
}

/*
 * Rules: MV-52, MV-55. A copy takes a page that can be read, and no more of the server:
 * where there is none the page is not copied, and what has been stays when it dies.
 */
TEST_F(fuse, copies)
{
	const char *data = self->shared->file[0].data;
	struct copier copier;
	struct child child;
	int section;
	char *base;

	if (variant->how != VIEW)
		SKIP(return, "it has a view of its own");
	self->shared->file[0].bad = 5;
	section = sec_create(self->mapped.fd, self->file, 0, 0, RO);
	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_map(section, 0, 0, WINREGION_WRITECOPY, &base));
	EXPECT_EQ(SIGBUS, writes(base + PAGES(5)));
	EXPECT_TRUE(wr_is(self->mapped.fd, base + PAGES(5),
			  WINREGION_WRITECOPY));
	fill_page(base + PAGES(6), 8);
	self->shared->file[0].bad = -1;
	fill_page(base + PAGES(5), 9);
	EXPECT_TRUE(page_has(base + PAGES(5), 9));
	EXPECT_EQ(0, sec_flush(self->mapped.fd, base, 0));
	EXPECT_EQ(0, self->shared->writes);
	EXPECT_TRUE(pages_have(data, NR_PAGES, 100));
	/* Who waits for a page to be copied can be killed. */
	ASSERT_TRUE(write_text(DROP_CACHES, "1"));
	self->shared->hold = FUSE_READ;
	copier.page = base + PAGES(7);
	child = start_child(copy_late, &copier);
	EXPECT_TRUE(SETTLES(self->shared->held));
	EXPECT_TRUE(dies(&child));
	self->shared->hold = 0;
	EXPECT_TRUE(page_has(base + PAGES(7), 107));
	fuse_die(&self->server);
	EXPECT_TRUE(page_has(base + PAGES(6), 8));
	fill_page(base + PAGES(6), 10);
	fill_page(base + PAGES(7), 11); /* which the kernel has */
	EXPECT_TRUE(page_has(base + PAGES(6), 10));
	EXPECT_TRUE(page_has(base + PAGES(7), 11));
	EXPECT_EQ(0, sec_unmap(self->mapped.fd, base));
	close(section);
	close(self->file);
}

/* ---- files that are others ---- */

FIXTURE(stacked)
{
	struct mapped mapped;
	size_t vmas;
};

FIXTURE_VARIANT(stacked)
{
	enum how how;
};

FIXTURE_VARIANT_ADD(stacked, mmap) { .how = MMAP };
FIXTURE_VARIANT_ADD(stacked, view) { .how = VIEW };
FIXTURE_VARIANT_ADD(stacked, tracked) { .how = TRACKED };

static bool write_file(const char *path, uint64_t seed)
{
	static char data[SIZE];
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool done;

	fill_pages(data, NR_PAGES, seed);
	done = pwrite(file, data, SIZE, 0) == SIZE;
	return !close(file) && done;
}

FIXTURE_SETUP(stacked)
{
	if (geteuid())
		SKIP(return, "only root may mount");
	self->mapped.fd = wr_open();
	self->mapped.how = variant->how;
	mkdir(MOUNTED, 0700);
	ASSERT_EQ(0, mount("tmpfs", MOUNTED, "tmpfs", 0, "size=64m"));
	self->vmas = count_all_vmas();
}

/* No mapping stays, either. */
FIXTURE_TEARDOWN(stacked)
{
	EXPECT_EQ(self->vmas, count_all_vmas());
	EXPECT_TRUE(SETTLES(!umount(MOUNTED)));
	close(self->mapped.fd);
}

static bool mount_overlay(void)
{
	return !mkdir(MOUNTED "/lower", 0700) &&
	       !mkdir(MOUNTED "/upper", 0700) &&
	       !mkdir(MOUNTED "/work", 0700) &&
	       write_file(MOUNTED "/lower/0", 100) &&
	       !mount("overlay", MOUNTED, "overlay", 0,
		      "lowerdir=" MOUNTED "/lower,upperdir=" MOUNTED
		      "/upper,workdir=" MOUNTED "/work");
}

/* A file that is written first then is another one: who has it keeps the old one. */
TEST_F(stacked, copied_up)
{
	struct mapped later = self->mapped, fresh = self->mapped;
	int file, again;
	char *base;

	ASSERT_TRUE(mount_overlay());
	file = open(FILE_PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, map_file(&self->mapped, file, false));
	base = self->mapped.base;
	EXPECT_TRUE(pages_have(base, 4, 100));
	ASSERT_TRUE(write_file(FILE_PATH, 300));
	EXPECT_TRUE(pages_have(base, NR_PAGES, 100));
	/* That of a descriptor that was there before */
	ASSERT_EQ(0, map_file(&later, file, false));
	EXPECT_TRUE(pages_have(later.base, NR_PAGES, 100));
	again = open(FILE_PATH, O_RDWR | O_CLOEXEC);
	ASSERT_EQ(0, map_file(&fresh, again, true));
	EXPECT_TRUE(pages_have(fresh.base, NR_PAGES, 300));
	fill_page(fresh.base, 1);
	EXPECT_TRUE(page_has(base, 100));
	EXPECT_EQ(0, unmap_file(&self->mapped));
	EXPECT_EQ(0, unmap_file(&later));
	EXPECT_EQ(0, unmap_file(&fresh));
	close(file);
	close(again);
	EXPECT_TRUE(SETTLES(!umount(MOUNTED)));
}

/* A server that hands its file's pages to one of another file system */
TEST_F(stacked, passed_through)
{
	struct fuse_server server;
	static char page[4096];
	int file, below, ret;

	if (access("/dev/fuse", F_OK))
		SKIP(return, "no FUSE; \"make test\" has it");
	ASSERT_TRUE(write_file(MOUNTED "/below", 100));
	ASSERT_TRUE(fuse_prepare(&server));
	below = open(MOUNTED "/below", O_RDWR | O_CLOEXEC);
	server.shared->backing = below;
	server.shared->file[0].open_flags = FUSE_OPENED_PASSTHROUGH;
	self->vmas = count_all_vmas();
	ASSERT_TRUE(fuse_start(&server, MOUNTED));
	file = open(FILE_PATH, O_RDWR | O_CLOEXEC);
	ret = server.shared->backing_error;
	if (file >= 0 && !ret && kernel_is(6, 9)) {
		ASSERT_EQ(0, map_file(&self->mapped, file, true));
		EXPECT_TRUE(pages_have(self->mapped.base, NR_PAGES, 100));
		fill_page(self->mapped.base + PAGES(2), 7);
		EXPECT_EQ(0, flush_file(&self->mapped));
		ASSERT_EQ(4096, pread(below, page, 4096, PAGES(2)));
		EXPECT_TRUE(page_has(page, 7));
		EXPECT_EQ(0, unmap_file(&self->mapped));
	} else {
		TH_LOG("no passthrough here: %d", ret);
	}
	close(file);
	EXPECT_EQ(self->vmas, count_all_vmas());
	EXPECT_TRUE(fuse_stop(&server));
	self->vmas--; /* what it was told by */
	close(below);
}

#define LOWER "/tmp/wr_fs_lower"

/* A server's files are below an overlay: they can be read, and are copied up. */
TEST_F(stacked, over_a_server)
{
	struct fuse_server server;
	int file, again;

	if (access("/dev/fuse", F_OK))
		SKIP(return, "no FUSE; \"make test\" has it");
	ASSERT_TRUE(fuse_prepare(&server));
	fill_pages(server.shared->file[0].data, NR_PAGES, 100);
	server.shared->file[0].bad = 5;
	ASSERT_TRUE(fuse_start(&server, LOWER));
	ASSERT_EQ(0, mkdir(MOUNTED "/upper", 0700));
	ASSERT_EQ(0, mkdir(MOUNTED "/work", 0700));
	ASSERT_EQ(0, mount("overlay", MOUNTED, "overlay", 0, "lowerdir=" LOWER
			   ",upperdir=" MOUNTED "/upper,workdir=" MOUNTED
			   "/work"));
	file = open(FILE_PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, map_file(&self->mapped, file, false));
	EXPECT_TRUE(pages_have(self->mapped.base, 5, 100));
	EXPECT_EQ(SIGBUS, reads(self->mapped.base + PAGES(5)));
	server.shared->file[0].bad = -1;
	EXPECT_TRUE(pages_have(self->mapped.base + PAGES(5), 5, 105));
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_EQ(0, unmap_file(&self->mapped));
	again = open(FILE_PATH, O_RDWR | O_CLOEXEC);
	ASSERT_EQ(0, map_file(&self->mapped, again, true));
	fill_page(self->mapped.base, 8);
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_TRUE(page_has(server.shared->file[0].data, 100));
	EXPECT_EQ(0, unmap_file(&self->mapped));
	close(file);
	close(again);
	EXPECT_TRUE(SETTLES(!umount(MOUNTED)));
	EXPECT_TRUE(fuse_stop(&server));
}

/* ---- a disk ---- */

FIXTURE(disk)
{
	struct mapped mapped;
	bool spoiled;
	int loop;
	int file;
};

FIXTURE_VARIANT(disk)
{
	enum how how;
	const struct disk *disk;
};

FIXTURE_VARIANT_ADD(disk, mmap) { MMAP, &disk_ext2 };
FIXTURE_VARIANT_ADD(disk, view) { VIEW, &disk_ext2 };
FIXTURE_VARIANT_ADD(disk, tracked) { TRACKED, &disk_ext2 };
FIXTURE_VARIANT_ADD(disk, xfs_mmap) { MMAP, &disk_xfs };
FIXTURE_VARIANT_ADD(disk, xfs_view) { VIEW, &disk_xfs };
FIXTURE_VARIANT_ADD(disk, xfs_tracked) { TRACKED, &disk_xfs };
FIXTURE_VARIANT_ADD(disk, btrfs_mmap) { MMAP, &disk_btrfs };
FIXTURE_VARIANT_ADD(disk, btrfs_view) { VIEW, &disk_btrfs };
FIXTURE_VARIANT_ADD(disk, btrfs_tracked) { TRACKED, &disk_btrfs };

FIXTURE_SETUP(disk)
{
	const char *missing = disk_missing(variant->disk);

	self->loop = -1;
	if (missing)
		SKIP(return, "%s", missing);
	self->mapped.fd = wr_open();
	self->mapped.how = variant->how;
	mkdir(MOUNTED, 0700);
	self->loop = disk_again(variant->disk, MOUNTED);
	ASSERT_LE(0, self->loop);
	unlink(HOLE_PATH);
	unlink(OTHER_PATH);
	ASSERT_TRUE(write_file(FILE_PATH, 100));
	self->file = open(FILE_PATH, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->file);
}

FIXTURE_TEARDOWN(disk)
{
	if (self->loop < 0)
		return;
	EXPECT_TRUE(SETTLES(!umount(MOUNTED)));
	loop_end(self->loop, "");
	if (self->spoiled)
		EXPECT_EQ(0, ftruncate(variant->disk->image, 0));
	close(self->mapped.fd);
}

static int set_file_flags(int file, int flags)
{
	return ioctl(file, FS_IOC_SETFLAGS, &flags);
}

static void fill_disk(void)
{
	int file = open(OTHER_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	static char block[4096];
	off_t size, end = 0;

	for (size = MIB(256); size >= 4096; size /= 2)
		while (!fallocate(file, 0, end, size))
			end += size;
	lseek(file, end, SEEK_SET);
	while (write(file, block, sizeof(block)) == sizeof(block))
		;
	fsync(file);
	close(file);
}

/*
 * A hole that has no place on the disk is SIGBUS, and no other page is lost. Btrfs
 * writes no page to where it was, so that each needs place; and takes its time to be
 * as good as new.
 */
TEST_F(disk, full)
{
	char *base;
	int hole;

	hole = open(HOLE_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_EQ(0, ftruncate(hole, SIZE));
	ASSERT_EQ(0, map_file(&self->mapped, hole, true));
	base = self->mapped.base;
	fill_page(base, 1);
	ASSERT_EQ(0, flush_file(&self->mapped));
	self->spoiled = variant->disk == &disk_btrfs;
	fill_disk();
	EXPECT_EQ(0, reads(base + PAGES(5)));
	EXPECT_EQ(SIGBUS, writes(base + PAGES(5)));
	if (variant->disk != &disk_btrfs)
		fill_page(base, 2);
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_TRUE(page_is_zero(base + PAGES(5)));
	ASSERT_EQ(0, truncate(OTHER_PATH, 0));
	sync();
	EXPECT_TRUE(SETTLES(!writes(base + PAGES(5))));
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_TRUE(page_has(base, variant->disk != &disk_btrfs ? 2 : 1));
	EXPECT_EQ(0, unmap_file(&self->mapped));
	close(hole);
	close(self->file);
}

#define DIRTY_LIMIT "/proc/sys/vm/dirty_bytes"
#define DIRTY_RATIO "/proc/sys/vm/dirty_ratio"

/*
 * Who writes has to wait for the disk where that is all that may be dirty, and not under
 * the locks of a fault. Rule FV-01; hazard V39.
 */
TEST_F(disk, much_is_dirty)
{
	int64_t ratio = read_number(DIRTY_RATIO);
	char *base;
	int i;

	ASSERT_EQ(0, fsync(self->file));
	MAP_IT(true);
	base = self->mapped.base;
	ASSERT_TRUE(write_number(DIRTY_LIMIT, PAGES(4)));
	for (i = 0; i < (int)NR_PAGES; i++)
		fill_page(base + PAGES(i), 500 + i);
	EXPECT_TRUE(write_number(DIRTY_RATIO, ratio));
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_TRUE(pages_have(base, NR_PAGES, 500));
	UNMAP_IT();
	close(self->file);
}

/* A hole of that size whose page cache has large folios, if the file system has them */
static int read_hole(size_t size)
{
	const struct timespec long_ago[2] = { { .tv_sec = 9 }, { .tv_sec = 9 } };
	int file = open(HOLE_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	static char block[65536];

	if (ftruncate(file, size) || futimens(file, long_ago) || fsync(file))
		return -1;
	while (read(file, block, sizeof(block)) > 0)
		;
	return file;
}

/* As much as may be, and more */
static void make_dirty(void)
{
	int file = open(OTHER_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	static char block[65536];

	(void)!write(file, block, sizeof(block));
	close(file);
}

/* What is on the disk */
static bool disk_has(const char *path, int i, int seed)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	char page[4096];
	bool has;

	has = pread(file, page, sizeof(page), PAGES(i)) == sizeof(page) &&
	      page_has(page, seed);
	close(file);
	return has;
}

#define HOLE_PAGES 32

/*
 * Whoever waits for the disk, the file system is told that a page is written: it has a
 * place for it then, and a time. Also if its folio is mapped page by page. Rule FV-01;
 * hazard V39.
 */
TEST_F_TIMEOUT(disk, parts_while_much_is_dirty, 120)
{
	int64_t ratio = read_number(DIRTY_RATIO);
	struct stat before, after;
	char *base;
	int i;

	close(self->file);
	if (variant->how == VIEW)
		SKIP(return, "the core maps its folios as a whole");
	self->file = read_hole(PAGES(HOLE_PAGES));
	ASSERT_LE(0, self->file);
	self->mapped.size = PAGES(HOLE_PAGES);
	MAP_IT(true);
	base = self->mapped.base;
	for (i = 3; variant->how == TRACKED && i < HOLE_PAGES; i += 4)
		ASSERT_EQ(0, wr_protect(self->mapped.fd, base + PAGES(i), 4096,
					RO));
	ASSERT_EQ(0, fstat(self->file, &before));
	ASSERT_TRUE(write_number(DIRTY_LIMIT, PAGES(4)));
	make_dirty();
	for (i = 0; i < HOLE_PAGES; i += 4)
		fill_page(base + PAGES(i), 700 + i);
	EXPECT_TRUE(write_number(DIRTY_RATIO, ratio));
	ASSERT_EQ(0, fstat(self->file, &after));
	EXPECT_NE(before.st_mtime, after.st_mtime);
	EXPECT_EQ(0, flush_file(&self->mapped));
	UNMAP_IT();
	sync();
	EXPECT_TRUE(write_text("/proc/sys/vm/drop_caches", "3"));
	for (i = 0; i < HOLE_PAGES; i += 4)
		EXPECT_TRUE(disk_has(HOLE_PATH, i, 700 + i));
}

/* A file for swap whose page cache has large folios, if the file system has them */
static int make_swap_file(void)
{
	int file = open(HOLE_PATH, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);
	static char block[PAGES(HOLE_PAGES)];

	if (write(file, block, sizeof(block)) != sizeof(block) ||
	    !write_swap_head(file, sizeof(block)) || fsync(file))
		return -1;
	return file;
}

/*
 * Nobody writes what the kernel swaps to, also if a folio is mapped page by page.
 * Hazard V43.
 */
TEST_F(disk, file_is_swapped_to)
{
	char *base;
	int i;

	close(self->file);
	if (variant->disk == &disk_btrfs)
		SKIP(return, "btrfs does not swap to files that it would copy");
	self->file = make_swap_file();
	ASSERT_LE(0, self->file);
	self->mapped.size = PAGES(HOLE_PAGES);
	MAP_IT(true);
	base = self->mapped.base;
	for (i = 3; variant->how == TRACKED && i < HOLE_PAGES; i += 4)
		ASSERT_EQ(0, wr_protect(self->mapped.fd, base + PAGES(i), 4096,
					RO));
	ASSERT_EQ(0, swapon(HOLE_PATH, 0));
	for (i = 0; i < HOLE_PAGES; i += 4)
		EXPECT_EQ(SIGBUS, writes(base + PAGES(i)));
	for (i = 0; i < HOLE_PAGES; i++)
		EXPECT_EQ(0, reads(base + PAGES(i)));
	ASSERT_EQ(0, swapoff(HOLE_PATH));
	for (i = 0; i < HOLE_PAGES; i += 4)
		EXPECT_EQ(0, writes(base + PAGES(i)));
	UNMAP_IT();
}

/*
 * Rules: MV-52, VV-07. A disk is not asked for copies: where it is full, may not be
 * written, or stands still. The file gets no place for them, nor a time.
 */
TEST_F(disk, copies)
{
	const struct timespec long_ago[2] = { { .tv_sec = 9 }, { .tv_sec = 9 } };
	int hole, reader, section, place, i;
	struct stat before, after;
	char *base;

	if (variant->how != VIEW) {
		close(self->file);
		SKIP(return, "it has a view of its own");
	}
	hole = open(HOLE_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_EQ(0, ftruncate(hole, SIZE));
	ASSERT_EQ(0, futimens(hole, long_ago));
	reader = open(HOLE_PATH, O_RDONLY | O_CLOEXEC);
	section = sec_create(self->mapped.fd, reader, 0, 0,
			     WINREGION_WRITECOPY);
	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_map(section, 0, 0, WINREGION_WRITECOPY, &base));
	self->spoiled = variant->disk == &disk_btrfs;
	fill_disk();
	ASSERT_EQ(0, fstat(hole, &before));
	fill_page(base, 1);
	ASSERT_EQ(0, set_file_flags(hole, FS_IMMUTABLE_FL));
	fill_page(base + PAGES(1), 2);
	ASSERT_EQ(0, set_file_flags(hole, 0));
	place = open(MOUNTED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_EQ(0, ioctl(place, FIFREEZE, 0));
	fill_page(base + PAGES(2), 3);
	EXPECT_EQ(0, reads(base + PAGES(3)));
	fill_page(base + PAGES(3), 4);
	EXPECT_EQ(0, ioctl(place, FITHAW, 0));
	close(place);
	EXPECT_EQ(0, sec_flush(self->mapped.fd, base, 0));
	EXPECT_EQ(0, fsync(hole));
	ASSERT_EQ(0, fstat(hole, &after));
	EXPECT_EQ(before.st_mtime, after.st_mtime);
	EXPECT_EQ(before.st_blocks, after.st_blocks);
	for (i = 0; i < 4; i++)
		EXPECT_TRUE(page_has(base + PAGES(i), 1 + i));
	EXPECT_EQ(0, sec_unmap(self->mapped.fd, base));
	ASSERT_EQ(0, sec_map(section, 0, 0, RO, &base));
	EXPECT_TRUE(page_is_zero(base));
	EXPECT_EQ(0, sec_unmap(self->mapped.fd, base));
	close(section);
	close(reader);
	close(hole);
	close(self->file);
}

/* A disk that cannot be read is SIGBUS for as long as it cannot. */
TEST_F(disk, broken)
{
	off_t size = variant->disk->bytes;
	int whole = memfd_create("whole", MFD_CLOEXEC);
	int image = variant->disk->image;
	char page[4096], *base;

	ASSERT_EQ(0, fsync(self->file));
	sync();
	ASSERT_TRUE(copy_image(image, whole, size));
	ASSERT_TRUE(write_text(DROP_CACHES, "1"));
	ASSERT_EQ(0, ftruncate(image, 4096));
	if (pread(self->file, page, sizeof(page), 0) >= 0) {
		ASSERT_TRUE(copy_image(whole, image, size));
		close(whole);
		close(self->file);
		SKIP(return, "here a loop device reads zeros");
	}
	ASSERT_EQ(0, map_file(&self->mapped, self->file, true));
	base = self->mapped.base;
	EXPECT_EQ(SIGBUS, reads(base + PAGES(2)));
	EXPECT_EQ(SIGBUS, writes(base + PAGES(3)));
	ASSERT_TRUE(copy_image(whole, image, size));
	EXPECT_TRUE(pages_have(base, NR_PAGES, 100));
	EXPECT_EQ(0, writes(base + PAGES(3)));
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_EQ(0, unmap_file(&self->mapped));
	close(whole);
	close(self->file);
}

static int truncate_on(void *arg)
{
	int file = *(int *)arg, i;

	for (i = 0; i < 300; i++)
		CHECK(!ftruncate(file, i % 2 ? SIZE : PAGES(i % 8) + 100));
	return 0;
}

/* Another process makes it shorter all the time. */
TEST_F(disk, truncated_by_another)
{
	struct child child;
	unsigned int i, wrong = 0;
	char *base;
	int sig;

	ASSERT_EQ(0, map_file(&self->mapped, self->file, true));
	base = self->mapped.base;
	child = start_child(truncate_on, &self->file);
	for (i = 0; i < 2000; i++) {
		sig = i % 3 ? reads(base + PAGES(i % NR_PAGES)) :
			      writes(base + PAGES(i % NR_PAGES));
		wrong += sig && sig != SIGBUS;
	}
	EXPECT_EQ(0, end_child(&child));
	EXPECT_EQ(0, wrong);
	ASSERT_EQ(0, ftruncate(self->file, SIZE));
	fill_pages(base, NR_PAGES, 60);
	EXPECT_TRUE(pages_have(base, NR_PAGES, 60));
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_EQ(0, unmap_file(&self->mapped));
	close(self->file);
}

/* What may be written keeps its file system so. */
TEST_F(disk, remount)
{
	int reader = open(FILE_PATH, O_RDONLY | O_CLOEXEC);
	char *base;

	ASSERT_EQ(0, map_file(&self->mapped, self->file, true));
	close(self->file);
	EXPECT_EQ(-1, mount(NULL, MOUNTED, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, writes(self->mapped.base));
	EXPECT_EQ(0, unmap_file(&self->mapped));
	ASSERT_EQ(0, map_file(&self->mapped, reader, false));
	base = self->mapped.base;
	EXPECT_TRUE(SETTLES(!mount(NULL, MOUNTED, NULL,
				   MS_REMOUNT | MS_RDONLY, NULL)));
	EXPECT_TRUE(page_has(base + PAGES(1), 101));
	EXPECT_EQ(SIGSEGV, writes(base));
	EXPECT_EQ(0, unmap_file(&self->mapped));
	close(reader);
}

/* Files that can only grow are not mapped by who may write them. */
TEST_F(disk, append_only)
{
	int reader = open(FILE_PATH, O_RDONLY | O_CLOEXEC);
	int appender, refused = variant->how == MMAP ? -EACCES : -EKEYREJECTED;

	ASSERT_EQ(0, set_file_flags(reader, FS_APPEND_FL));
	appender = open(FILE_PATH, O_RDWR | O_APPEND | O_CLOEXEC);
	ASSERT_LE(0, appender);
	EXPECT_EQ(refused, map_file(&self->mapped, appender, true));
	EXPECT_EQ(refused, map_file(&self->mapped, appender, false));
	EXPECT_EQ(refused, map_file(&self->mapped, self->file, true));
	ASSERT_EQ(0, map_file(&self->mapped, reader, false));
	EXPECT_TRUE(pages_have(self->mapped.base, NR_PAGES, 100));
	EXPECT_EQ(0, unmap_file(&self->mapped));
	ASSERT_EQ(0, set_file_flags(reader, 0));
	close(appender);
	close(reader);
	close(self->file);
}

/* Pages that were not written before are not once nothing may be, where that is asked. */
TEST_F(disk, immutable)
{
	int refused = variant->disk == &disk_ext2 ? SIGBUS : 0;
	char *base;

	ASSERT_EQ(0, map_file(&self->mapped, self->file, true));
	base = self->mapped.base;
	ASSERT_EQ(0, flush_file(&self->mapped));
	ASSERT_EQ(0, set_file_flags(self->file, FS_IMMUTABLE_FL));
	EXPECT_TRUE(pages_have(base, NR_PAGES, 100));
	EXPECT_EQ(refused, writes(base + PAGES(3)));
	ASSERT_EQ(0, set_file_flags(self->file, 0));
	EXPECT_EQ(0, writes(base + PAGES(3)));
	EXPECT_EQ(0, unmap_file(&self->mapped));
	close(self->file);
}

/* What may not be executed is data like any other. */
TEST_F(disk, no_execution)
{
	ASSERT_EQ(0, mount(NULL, MOUNTED, NULL, MS_REMOUNT | MS_NOEXEC, NULL));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ | PROT_EXEC,
				   MAP_SHARED, self->file, 0));
	ASSERT_EQ(0, map_file(&self->mapped, self->file, true));
	EXPECT_EQ(0, writes(self->mapped.base));
	EXPECT_TRUE(page_has(self->mapped.base + PAGES(1), 101));
	EXPECT_EQ(0, unmap_file(&self->mapped));
	close(self->file);
}

/* ---- a disk that nobody can write ---- */

FIXTURE(squashed)
{
	struct mapped mapped;
	int loop;
	int file;
};

FIXTURE_VARIANT(squashed)
{
	enum how how;
};

FIXTURE_VARIANT_ADD(squashed, mmap) { .how = MMAP };
FIXTURE_VARIANT_ADD(squashed, view) { .how = VIEW };
FIXTURE_VARIANT_ADD(squashed, tracked) { .how = TRACKED };

static const struct disk disk_squashed = {
	.driver = "squashfs",
	.make = "mksquashfs " MOUNTED " " IMAGE " -noappend -quiet",
};

FIXTURE_SETUP(squashed)
{
	const char *missing = disk_missing(&disk_squashed);
	char device[32];

	self->loop = -1;
	if (missing)
		SKIP(return, "%s", missing);
	self->mapped.fd = wr_open();
	self->mapped.how = variant->how;
	mkdir(MOUNTED, 0700);
	ASSERT_TRUE(write_file(FILE_PATH, 100));
	ASSERT_TRUE(disk_make(&disk_squashed, ""));
	unlink(FILE_PATH);
	self->loop = loop_over(open(IMAGE, O_RDWR | O_CLOEXEC), device,
			       sizeof(device));
	ASSERT_LE(0, self->loop);
	ASSERT_EQ(0, mount(device, MOUNTED, disk_squashed.driver, MS_RDONLY,
			   NULL));
	self->file = open(FILE_PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->file);
}

FIXTURE_TEARDOWN(squashed)
{
	if (self->loop < 0)
		return;
	close(self->file);
	EXPECT_TRUE(SETTLES(!umount(MOUNTED)));
	loop_end(self->loop, IMAGE);
	close(self->mapped.fd);
}

TEST_F(squashed, read_only)
{
	int refused = variant->how == MMAP ? -EACCES : -EKEYREJECTED;

	EXPECT_EQ(refused, map_file(&self->mapped, self->file, true));
	ASSERT_EQ(0, map_file(&self->mapped, self->file, false));
	EXPECT_TRUE(pages_have(self->mapped.base, NR_PAGES, 100));
	EXPECT_EQ(SIGSEGV, writes(self->mapped.base));
	EXPECT_EQ(0, flush_file(&self->mapped));
	EXPECT_EQ(0, unmap_file(&self->mapped));
}

/* Rules: MV-52. Copies are the view's own, wherever they are from. */
TEST_F(squashed, copies)
{
	char *base, *plain;
	int section;

	if (variant->how == MMAP)
		SKIP(return, "no views");
	section = sec_create(self->mapped.fd, self->file, 0, 0,
			     WINREGION_WRITECOPY);
	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_map(section, 0, 0, WINREGION_WRITECOPY, &base));
	ASSERT_EQ(0, sec_map(section, 0, 0, RO, &plain));
	fill_page(base + PAGES(3), 7);
	EXPECT_TRUE(page_has(base + PAGES(3), 7));
	EXPECT_TRUE(pages_have(plain, NR_PAGES, 100));
	EXPECT_TRUE(page_has(base + PAGES(2), 102));
	EXPECT_EQ(0, sec_unmap(self->mapped.fd, base));
	EXPECT_EQ(0, sec_unmap(self->mapped.fd, plain));
	close(section);
}

TEST_HARNESS_MAIN
