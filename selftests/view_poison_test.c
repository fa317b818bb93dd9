// SPDX-License-Identifier: GPL-2.0
/*
 * Memory errors in pages of views: of the section's file, and of copies. Who touches
 * the page gets a SIGBUS; all else goes on, and nothing is left.
 */
/* vm: modules=loop,ext4,overlay,xfs,btrfs mkfs timeout=600 */
#include "kselftest_harness.h"

#include <signal.h>

#include "common.h"
#include "wr_test_util.h"
#include "race.h"
#include "section_fixture.h"

#define WC WINREGION_WRITECOPY
#define FAR 560

#ifndef BUS_MCEERR_AR
#define BUS_MCEERR_AR 4
#endif

static void ignore_signal(int sig)
{
}

/* Whether the access was refused for a memory error of just that page */
static bool is_poisoned(volatile char *page)
{
	return !try_read(page + 5) && probe_fault.sig == SIGBUS &&
	       probe_fault.code == BUS_MCEERR_AR &&
	       ((uintptr_t)probe_fault.addr ^ (uintptr_t)page) < 4096;
}

static bool is_poisoned_to_write(volatile char *page)
{
	return !try_write(page + 5) && probe_fault.sig == SIGBUS &&
	       probe_fault.code == BUS_MCEERR_AR;
}

/*
 * The page that is mapped at an address gets a memory error. Return: whether this
 * kernel can do that. It says that it cannot handle pages that it does not know.
 */
static bool poison(volatile char *page)
{
	return !madvise((void *)page, 4096, MADV_HWPOISON) || errno != EINVAL;
}

struct poisoner {
	int section;
	uint64_t page;
};

/* In a child, as the kernel may kill for it: 0, or it was killed, or 1: it cannot. */
static int poison_section(void *arg)
{
	struct poisoner *poisoner = arg;
	char *base;

	if (sec_map(poisoner->section, 0, 0, RW, &base))
		return 2;
	if (!try_read(base + PAGES(poisoner->page)))
		return 3;
	return poison(base + PAGES(poisoner->page)) ? 0 : 1;
}

/* Return: whether a page of the section has a memory error now. */
static bool poison_page(int section, uint64_t page)
{
	struct poisoner poisoner = { section, page };
	int status = in_child(poison_section, &poisoner);

	return !status || status == -SIGBUS;
}

/* What is broken stays in a file that is memory, and is read anew from a disk. */
static bool stays_broken(enum where where)
{
	return where < EXT4;
}

/* Views that are made here, and what is wrong with them: 0, or a line */
struct views {
	int fd;
	char *copies;
};

static int use_copies(void *arg)
{
	struct views *views = arg;
	char *base = views->copies;
	int pipefd[2];

	CHECK(!pipe(pipefd));
	CHECK(is_poisoned(base + PAGES(3)));
	CHECK(is_poisoned_to_write(base + PAGES(3)));
	CHECK(write(pipefd[1], base + PAGES(3), 1) == -1);
	CHECK(errno == EFAULT);
	CHECK(page_has(base + PAGES(2), 1002));
	CHECK(page_has(base + PAGES(4), 1004));
	CHECK(page_has(base + PAGES(5), 105));
	CHECK(wr_is(views->fd, base + PAGES(3), RW));
	fill_page(base + PAGES(2), 7);
	fill_page(base + PAGES(5), 8);
	CHECK(page_has(base + PAGES(2), 7));
	CHECK(page_has(base + PAGES(4), 1004));
	return 0;
}

/* A copy with an error: others, its view and what the page is a copy of go on. */
TEST_F(section, copy)
{
	uint64_t charged = WR_INFO(self->fd, out_committed);
	uint64_t total = WR_INFO(self->fd, out_total);
	struct views views = { .fd = self->fd };
	char *shared = MAP(0, 0, RW), *base;
	unsigned int i;

	ASSERT_NE(SIG_ERR, signal(SIGBUS, ignore_signal));
	fill_pages(shared, 16, 100);
	base = MAP(0, 0, WC);
	for (i = 2; i < 5; i++)
		fill_page(base + PAGES(i), 1000 + i);
	views.copies = base;
	if (!poison(base + PAGES(3)))
		SKIP(return, "this kernel cannot inject memory errors");
	ASSERT_EQ(0, madvise(base, PAGES(16), MADV_DONTNEED));
	EXPECT_EQ(0, in_child(use_copies, &views));
	EXPECT_TRUE(is_poisoned(base + PAGES(3)));
	EXPECT_TRUE(is_poisoned_to_write(base + PAGES(3)));
	EXPECT_TRUE(page_has(base + PAGES(2), 1002));
	EXPECT_TRUE(page_has(base + PAGES(5), 105));
	EXPECT_TRUE(pages_have(shared, 16, 100));
	/* It stays a copy, whatever its protection. */
	ASSERT_EQ(0, wr_protect(self->fd, base, PAGES(8), RO));
	EXPECT_TRUE(is_poisoned(base + PAGES(3)));
	EXPECT_FALSE(try_write(base + PAGES(3)));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
	ASSERT_EQ(0, wr_protect(self->fd, base, PAGES(8), WC));
	EXPECT_TRUE(wr_is(self->fd, base + PAGES(3), RW));
	EXPECT_TRUE(is_poisoned(base + PAGES(3)));
	fill_page(base + PAGES(2), 9);
	EXPECT_EQ(0, sec_flush(self->fd, base, 0));
	UNMAP(base);
	base = MAP(0, 0, WC);
	EXPECT_TRUE(pages_have(base, 16, 100));
	fill_page(base + PAGES(3), 1);
	UNMAP(base);
	UNMAP(shared);
	EXPECT_EQ(charged, WR_INFO(self->fd, out_committed));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

/* What maps the page, and said so, is forgotten. */
static bool look_again(char *base)
{
	return !madvise(base, PAGES(16), MADV_DONTNEED);
}

/*
 * A page of the section with an error, which was not dirty. What has a copy of it does
 * not notice.
 */
TEST_F(section, page_of_the_file)
{
	uint64_t total = WR_INFO(self->fd, out_total);
	char *shared = MAP(0, 0, RW), *tracked = MAP(0, 0, RW), *copier, *fresh;
	bool broken = stays_broken(variant->where);

	fill_pages(shared, 16, 100);
	if (self->file >= 0)
		ASSERT_EQ(0, fsync(self->file));
	ASSERT_EQ(0, wr_protect(self->fd, tracked + PAGES(9), 4096, RO));
	copier = MAP(0, 0, WC);
	fresh = MAP(0, 0, WC);
	EXPECT_TRUE(pages_have(tracked, 16, 100));
	EXPECT_TRUE(pages_have(fresh, 16, 100));
	fill_page(copier + PAGES(5), 7);
	if (!poison_page(self->section, 5))
		SKIP(return, "this kernel cannot inject memory errors");
	EXPECT_TRUE(page_has(copier + PAGES(5), 7));
	EXPECT_TRUE(look_again(shared) && look_again(tracked) &&
		    look_again(copier) && look_again(fresh));
	EXPECT_EQ(broken, is_poisoned(shared + PAGES(5)));
	EXPECT_EQ(broken, is_poisoned(tracked + PAGES(5)));
	EXPECT_EQ(broken, is_poisoned(fresh + PAGES(5)));
	EXPECT_TRUE(broken || page_has(tracked + PAGES(5), 105));
	EXPECT_EQ(broken, is_poisoned_to_write(fresh + PAGES(5)));
	EXPECT_TRUE(wr_is(self->fd, fresh + PAGES(5), broken ? WC : RW));
	EXPECT_EQ(broken, is_poisoned_to_write(tracked + PAGES(5)));
	EXPECT_TRUE(page_has(copier + PAGES(5), 7));
	fill_page(copier + PAGES(5), 8);
	EXPECT_TRUE(page_has(copier + PAGES(5), 8));
	EXPECT_TRUE(page_has(shared + PAGES(4), 104));
	fill_page(tracked + PAGES(4), 44);
	fill_page(tracked + PAGES(6), 46);
	fill_page(fresh + PAGES(6), 66);
	EXPECT_TRUE(page_has(shared + PAGES(4), 44));
	EXPECT_TRUE(page_has(shared + PAGES(6), 46));
	EXPECT_TRUE(page_has(fresh + PAGES(6), 66));
	EXPECT_TRUE(page_has(fresh + PAGES(4), 44));
	UNMAP(fresh);
	UNMAP(copier);
	UNMAP(tracked);
	UNMAP(shared);
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

/* Has the system read all of a file, in large pages if it likes. */
static bool read_file(int file)
{
	static char buffer[1 << 16];
	off_t at;

	for (at = 0; at < (off_t)SIZE; at += sizeof(buffer))
		if (pread(file, buffer, sizeof(buffer), at) != sizeof(buffer))
			return false;
	return true;
}

/*
 * A dirty page of a disk's file with an error: what is mapped says so as long as it is,
 * also when the file has another page in its place by then, and its neighbours are written.
 * Of a large page that is dirty, which they cannot split, some kernels leave all as it is.
 */
TEST_F(section, dirty_page)
{
	char *tracked, *part, *view, *base;
	bool lost;

	if (stays_broken(variant->where))
		SKIP(return, "no file of a disk");
	tracked = MAP(0, 0, RW);
	ASSERT_EQ(0, wr_protect(self->fd, tracked, 4096, RO));
	/* Where who reads all of it gets large pages by then */
	part = tracked + PAGES(FAR);
	fill_pages(part, 64, 100);
	ASSERT_EQ(0, fsync(self->file));
	fill_page(part + PAGES(9), 1);
	if (!poison_page(self->section, FAR + 9))
		SKIP(return, "this kernel cannot inject memory errors");
	lost = is_poisoned(part + PAGES(9));
	fsync(self->file); /* an error is told */
	ASSERT_EQ(0, madvise(part, PAGES(9), MADV_DONTNEED));
	ASSERT_EQ(0, madvise(part + PAGES(10), PAGES(54), MADV_DONTNEED));
	ASSERT_TRUE(write_text(DROP_CACHES, "1"));
	EXPECT_TRUE(read_file(self->file) || !lost);
	EXPECT_TRUE(page_has(part + PAGES(8), 108));
	fill_page(part + PAGES(8), 8);
	fill_page(part + PAGES(10), 10);
	EXPECT_EQ(lost, is_poisoned(part + PAGES(9)));
	EXPECT_EQ(lost, is_poisoned_to_write(part + PAGES(9)));
	EXPECT_TRUE(page_has(part + PAGES(11), 111));
	view = MAP(0, 0, WC);
	base = view + PAGES(FAR);
	EXPECT_TRUE(page_has(base + PAGES(8), 8));
	EXPECT_EQ(!lost, is_poisoned(base + PAGES(9)));
	EXPECT_TRUE(look_again(part));
	EXPECT_EQ(!lost, is_poisoned_to_write(part + PAGES(9)));
	EXPECT_EQ(!lost, is_poisoned_to_write(base + PAGES(9)));
	EXPECT_TRUE(wr_is(self->fd, base + PAGES(9), lost ? RW : WC));
	fill_page(base + PAGES(10), 7);
	EXPECT_TRUE(page_has(part + PAGES(10), 10));
	UNMAP(view);
	UNMAP(tracked);
}

TEST_HARNESS_MAIN
