// SPDX-License-Identifier: GPL-2.0
/*
 * Views that copy what is written to them, by the ioctls themselves: of the paging
 * file, and of files of several file systems.
 */
/* vm: modules=loop,ext4,overlay,fuse,xfs,btrfs,squashfs mkfs timeout=900 */
#include "kselftest_harness.h"

#include <sys/uio.h>

#include "common.h"
#include "wr_test_util.h"
#include "race.h"
#include "section_fixture.h"
#include "fail_nth.h"

#define WC WINREGION_WRITECOPY

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static uint64_t committed(int fd, const volatile void *address)
{
	struct winregion_run run;

	return wr_query(fd, address, &run) ? ~0ULL : run.region_committed;
}

static uint64_t run_length(int fd, const volatile void *address)
{
	struct winregion_run run;

	return wr_query(fd, address, &run) ? 0 : run.length;
}

/* The protection that it had, or 0 */
static uint32_t protect(int fd, volatile void *address, uint64_t length,
			uint32_t protection)
{
	uint32_t old;

	if (wr_change(fd, WINREGION_PROTECT, address, length, protection, &old))
		return 0;
	return old;
}

/*
 * Rules: MV-52, MV-54, VV-04, VV-07, VQ-10, MV-01. What is written is the view's own,
 * and all else is the section's.
 */
TEST_F(section, copies)
{
	char *shared = MAP(0, 0, RW), *base, *second;
	struct winregion_run run;
	uint64_t word;

	fill_pages(shared, NR_PAGES, 100);
	base = MAP(0, 0, WC);
	second = MAP(0, 0, WC);
	ASSERT_EQ(0, wr_query(self->fd, base, &run));
	EXPECT_EQ(WC, run.region_protection);
	EXPECT_EQ(WC, run.protection);
	EXPECT_EQ(SIZE, run.length);
	EXPECT_EQ(WINREGION_TYPE_MAPPED, run.type);
	EXPECT_EQ(1, count_vmas(base, SIZE));
	EXPECT_TRUE(page_has(base + PAGES(3), 103));
	/* One that was read, and one that was not */
	fill_page(base + PAGES(3), 7);
	fill_page(base + PAGES(700), 8);
	EXPECT_TRUE(page_has(base + PAGES(3), 7));
	EXPECT_TRUE(page_has(base + PAGES(700), 8));
	EXPECT_TRUE(page_has(shared + PAGES(3), 103));
	EXPECT_TRUE(page_has(second + PAGES(3), 103));
	EXPECT_TRUE(page_has(shared + PAGES(700), 800));
	EXPECT_TRUE(page_has(second + PAGES(700), 800));
	EXPECT_TRUE(page_has(base + PAGES(2), 102));
	EXPECT_TRUE(page_has(base + PAGES(4), 104));
	ASSERT_EQ(0, wr_query(self->fd, base + PAGES(3), &run));
	EXPECT_EQ(RW, run.protection);
	EXPECT_EQ(WC, run.region_protection);
	EXPECT_EQ(PAGES(1), run.length);
	EXPECT_EQ(WINREGION_TYPE_MAPPED, run.type);
	EXPECT_TRUE(wr_is(self->fd, base + PAGES(2), WC));
	EXPECT_TRUE(wr_is(self->fd, base + PAGES(4), WC));
	EXPECT_EQ(1, count_vmas(base, SIZE));
	/* What others write shows where there is no copy. */
	fill_page(shared + PAGES(3), 55);
	fill_page(shared + PAGES(4), 56);
	EXPECT_TRUE(page_has(base + PAGES(3), 7));
	EXPECT_TRUE(page_has(base + PAGES(4), 56));
	EXPECT_TRUE(page_has(second + PAGES(3), 55));
	if (self->file >= 0) {
		ASSERT_EQ(8, pread(self->file, &word, 8, PAGES(700)));
		EXPECT_EQ(*(uint64_t *)(shared + PAGES(700)), word);
		word = 77;
		ASSERT_EQ(8, pwrite(self->file, &word, 8, PAGES(3)));
		ASSERT_EQ(8, pwrite(self->file, &word, 8, PAGES(5)));
		EXPECT_TRUE(page_has(base + PAGES(3), 7));
		EXPECT_EQ(77, *(uint64_t *)(base + PAGES(5)));
	}
	ASSERT_EQ(0, wr_query_flags(self->fd, base + PAGES(3),
				    WINREGION_QUERY_RESIDENT, &run));
	EXPECT_EQ(PAGES(1), run.resident);
	UNMAP(base);
	base = MAP(0, 0, WC);
	EXPECT_TRUE(page_has(base + PAGES(700), 800));
	UNMAP(base);
	UNMAP(second);
	UNMAP(shared);
}

/* Every second page is copied, whatever large pages there are underneath. */
TEST_F(section, every_second_page)
{
	char *shared = MAP(0, 0, RW), *base = MAP(0, 0, WC);
	unsigned int i;

	fill_pages(shared, NR_PAGES, 1);
	for (i = 0; i < NR_PAGES; i += 2)
		fill_page(base + PAGES(i), 5000 + i);
	for (i = 0; i < NR_PAGES; i++) {
		EXPECT_TRUE(page_has(base + PAGES(i),
				     i % 2 ? 1 + i : 5000 + i));
		EXPECT_TRUE(page_has(shared + PAGES(i), 1 + i));
	}
	ASSERT_EQ(0, madvise(base, SIZE, MADV_DONTNEED));
	for (i = 0; i < NR_PAGES; i++)
		EXPECT_TRUE(page_has(base + PAGES(i),
				     i % 2 ? 1 + i : 5000 + i));
	fill_pages(shared, NR_PAGES, 9);
	for (i = 0; i < NR_PAGES; i++)
		EXPECT_TRUE(page_has(base + PAGES(i),
				     i % 2 ? 9 + i : 5000 + i));
	UNMAP(base);
	UNMAP(shared);
}

/* Rules: VV-03, VV-05, VV-06, VV-08, VV-02. */
TEST_F(section, protect)
{
	char *base = MAP(0, 0, WC), *none = MAP(0, 0, NA);

	EXPECT_EQ(WC, protect(self->fd, base, 4096, RO));
	EXPECT_FALSE(try_write(base));
	EXPECT_EQ(RO, protect(self->fd, base, 4096, WC));
	fill_page(base, 3);
	EXPECT_EQ(RW, protect(self->fd, base, 4096, RO));
	EXPECT_FALSE(try_write(base));
	EXPECT_TRUE(page_has(base, 3));
	/* It has its copy, which says so at once. */
	EXPECT_EQ(RO, protect(self->fd, base, PAGES(2), WC));
	EXPECT_TRUE(wr_is(self->fd, base, RW));
	EXPECT_TRUE(wr_is(self->fd, base + 4096, WC));
	EXPECT_TRUE(page_has(base, 3));
	fill_page(base, 4);
	EXPECT_EQ(RW, protect(self->fd, base, 4096, NA));
	EXPECT_FALSE(try_read(base));
	EXPECT_EQ(NA, protect(self->fd, base, 4096, WC));
	EXPECT_TRUE(page_has(base, 4));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, base, 4096, RW));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, base + 4096, 4096, RW));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, none, 4096, WC));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, base, 4096,
					    WINREGION_EXECUTE_WRITECOPY));
	EXPECT_EQ(-EDOM, wr_protect(self->fd, base, 4096,
				    WC | WINREGION_WRITECOMBINE));
	EXPECT_EQ(RW, protect(self->fd, base, SIZE, WC));
	EXPECT_EQ(RW, protect(self->fd, base, SIZE, RO));
	EXPECT_EQ(SIZE, run_length(self->fd, base));
	UNMAP(base);
	UNMAP(none);
}

/* Rules: VV-03, VV-06, VV-07. Of views that were mapped otherwise. */
TEST_F(section, protect_other_views)
{
	char *shared = MAP(0, 0, RW), *ro;

	fill_pages(shared, 16, 40);
	ro = MAP(0, 0, RO);
	EXPECT_TRUE(page_has(ro + PAGES(1), 41));
	EXPECT_EQ(0, committed(self->fd, ro));
	EXPECT_EQ(RO, protect(self->fd, ro + PAGES(1), PAGES(3), WC));
	EXPECT_EQ(PAGES(3), committed(self->fd, ro));
	EXPECT_TRUE(page_has(ro + PAGES(1), 41));
	fill_page(ro + PAGES(1), 1);
	fill_page(ro + PAGES(2), 2);
	EXPECT_FALSE(try_write(ro));
	EXPECT_FALSE(try_write(ro + PAGES(4)));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, ro + PAGES(1), 4096, RW));
	EXPECT_EQ(1, count_vmas(ro, SIZE));
	/* Only what has a copy counts then. */
	EXPECT_EQ(RW, protect(self->fd, ro + PAGES(1), PAGES(3), RO));
	EXPECT_EQ(PAGES(2), committed(self->fd, ro));
	EXPECT_TRUE(page_has(ro + PAGES(1), 1));
	EXPECT_TRUE(page_has(shared + PAGES(1), 41));
	/* In one that writes, too */
	EXPECT_EQ(RW, protect(self->fd, shared + PAGES(5), PAGES(2), WC));
	fill_page(shared + PAGES(5), 9);
	EXPECT_TRUE(page_has(ro + PAGES(5), 45));
	EXPECT_EQ(RW, protect(self->fd, shared + PAGES(5), PAGES(2), RW));
	fill_page(shared + PAGES(5), 10);
	fill_page(shared + PAGES(6), 11);
	EXPECT_TRUE(page_has(ro + PAGES(5), 45));
	EXPECT_TRUE(page_has(ro + PAGES(6), 11));
	EXPECT_EQ(PAGES(1), committed(self->fd, shared));
	UNMAP(ro);
	UNMAP(shared);
}

/* Rules: VV-05. A guard is on a page whether it has a copy or not. */
TEST_F(section, guard)
{
	char *base = MAP(0, 0, WC);

	fill_page(base, 6);
	EXPECT_EQ(RW, protect(self->fd, base, PAGES(2), WC | WINREGION_GUARD));
	EXPECT_TRUE(wr_is(self->fd, base, RW | WINREGION_GUARD));
	EXPECT_TRUE(wr_is(self->fd, base + 4096, WC | WINREGION_GUARD));
	EXPECT_FALSE(try_write(base));
	EXPECT_FALSE(try_write(base + 4096));
	EXPECT_TRUE(wr_is(self->fd, base, RW));
	EXPECT_TRUE(wr_is(self->fd, base + 4096, WC));
	EXPECT_TRUE(page_has(base, 6));
	fill_page(base + 4096, 7);
	EXPECT_TRUE(wr_is(self->fd, base + 4096, RW));
	UNMAP(base);
}

/* Rules: MV-53, RI-04, RI-03. */
TEST_F(section, charge)
{
	uint64_t before = WR_INFO(self->fd, out_committed);
	char *base = MAP(0, 0, WC), *ro = MAP(0, 0, RO);

	EXPECT_EQ(SIZE, committed(self->fd, base));
	EXPECT_EQ(before + SIZE, WR_INFO(self->fd, out_committed));
	fill_page(base, 1);
	EXPECT_EQ(SIZE, committed(self->fd, base));
	ASSERT_EQ(0, wr_protect(self->fd, base, SIZE, RO));
	EXPECT_EQ(SIZE, committed(self->fd, base));
	EXPECT_EQ(0, committed(self->fd, ro));
	ASSERT_EQ(0, wr_protect(self->fd, ro, SIZE, WC));
	fill_page(ro + PAGES(9), 1);
	EXPECT_EQ(SIZE, committed(self->fd, ro));
	EXPECT_EQ(before + 2 * SIZE, WR_INFO(self->fd, out_committed));
	UNMAP(base);
	EXPECT_EQ(before + SIZE, WR_INFO(self->fd, out_committed));
	ASSERT_EQ(0, munmap(ro, SIZE));
	EXPECT_EQ(before, WR_INFO(self->fd, out_committed));
}

/* What the kernel does for the program: it copies, and writes nothing back. */
TEST_F(section, system_calls)
{
	char *shared = MAP(0, 0, RW), *base;
	int zero = open("/dev/zero", O_RDONLY);
	struct iovec local, remote;
	uint64_t word = 123;

	fill_pages(shared, 16, 20);
	base = MAP(0, 0, WC);
	EXPECT_EQ(4096, read(zero, base, 4096));
	EXPECT_TRUE(page_is_zero(base));
	EXPECT_TRUE(page_has(shared, 20));
	local = (struct iovec){ &word, 8 };
	remote = (struct iovec){ base + PAGES(1), 8 };
	EXPECT_EQ(8, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(123, *(uint64_t *)(base + PAGES(1)));
	EXPECT_TRUE(page_has(shared + PAGES(1), 21));
	EXPECT_TRUE(wr_is(self->fd, base + PAGES(1), RW));
	ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(2), 4096, RO));
	EXPECT_EQ(-1, read(zero, base + PAGES(2), 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, msync(base, SIZE, MS_SYNC));
	EXPECT_EQ(0, sec_flush(self->fd, base, 0));
	EXPECT_TRUE(page_has(shared + PAGES(1), 21));
	EXPECT_NE(0, madvise(base, SIZE, MADV_REMOVE));
	EXPECT_NE(0, mprotect(base, SIZE, PROT_READ));
	EXPECT_NE(0, munmap(base, 4096));
	EXPECT_NE(0, syscall(SYS_remap_file_pages, base, SIZE, 0, 1, 0));
	EXPECT_EQ(MAP_FAILED, mremap(base, SIZE, SIZE / 2, MREMAP_MAYMOVE));
	EXPECT_TRUE(page_is_zero(base));
	EXPECT_TRUE(page_has(shared + PAGES(2), 22));
	close(zero);
	UNMAP(base);
	UNMAP(shared);
}

struct copier {
	int fd;
	char *base;
};

static int use_copies(void *arg)
{
	struct copier *copier = arg;
	char *base = copier->base;

	CHECK(page_has(base, 1));
	CHECK(page_has(base + PAGES(1), 2));
	CHECK(wr_is(copier->fd, base, RW));
	CHECK(wr_is(copier->fd, base + PAGES(2), WC));
	fill_page(base, 11);
	fill_page(base + PAGES(2), 13);
	CHECK(page_has(base, 11));
	CHECK(page_has(base + PAGES(1), 2));
	CHECK(page_has(base + PAGES(3), 33));
	CHECK(committed(copier->fd, base) == SIZE);
	CHECK(WR_INFO(copier->fd, out_committed) == SIZE);
	return 0;
}

static int grandchild(void *arg)
{
	struct copier *copier = arg;
	int err = use_copies(copier);

	if (err)
		return err;
	fill_page(copier->base, 1);
	fill_page(copier->base + PAGES(2), 32);
	CHECK(wr_is(copier->fd, copier->base + PAGES(2), RW));
	CHECK(!sec_unmap(copier->fd, copier->base));
	CHECK(!WR_INFO(copier->fd, out_committed));
	return 0;
}

/* A child has the copies too, and who writes one has another one. */
TEST_F(section, fork)
{
	char *shared = MAP(0, 0, RW);
	struct copier copier = { .fd = self->fd };

	fill_pages(shared, 16, 30);
	copier.base = MAP(0, 0, WC);
	fill_page(copier.base, 1);
	fill_page(copier.base + PAGES(1), 2);
	EXPECT_TRUE(page_has(copier.base + PAGES(3), 33));
	EXPECT_EQ(0, in_child(use_copies, &copier));
	EXPECT_EQ(0, in_child(grandchild, &copier));
	EXPECT_TRUE(page_has(copier.base, 1));
	EXPECT_TRUE(page_has(copier.base + PAGES(2), 32));
	EXPECT_TRUE(wr_is(self->fd, copier.base + PAGES(2), WC));
	fill_page(copier.base, 5);
	EXPECT_TRUE(page_has(copier.base, 5));
	EXPECT_TRUE(page_has(shared, 30));
	UNMAP(copier.base);
	UNMAP(shared);
}

/* A copy stays where the file ends before it; what is none raises SIGBUS. */
TEST_F(section, truncation)
{
	char *base;

	if (self->file < 0)
		SKIP(return, "no file");
	base = MAP(0, 0, WC);
	fill_page(base + PAGES(600), 6);
	EXPECT_TRUE(try_read(base + PAGES(610)));
	ASSERT_EQ(0, ftruncate(self->file, PAGES(2)));
	EXPECT_TRUE(page_has(base + PAGES(600), 6));
	fill_page(base + PAGES(600), 7);
	if (variant->where != TMPFS_HUGE) { /* else the page reaches so far */
		EXPECT_FALSE(try_read(base + PAGES(610)));
		EXPECT_EQ(SIGBUS, probe_fault.sig);
		EXPECT_FALSE(try_write(base + PAGES(611)));
		EXPECT_EQ(SIGBUS, probe_fault.sig);
	}
	ASSERT_EQ(0, ftruncate(self->file, SIZE));
	EXPECT_TRUE(page_has(base + PAGES(600), 7));
	EXPECT_TRUE(page_is_zero(base + PAGES(610)));
	UNMAP(base);
}

/*
 * Somebody collapses the pages of the file into large ones, which takes tables of
 * PTEs away where they should be empty.
 */
TEST_F(section, collapse)
{
	char *base, *plain, *place;
	unsigned int i, round;

	if (self->file < 0 || variant->where >= EXT4)
		SKIP(return, "no pages that can be collapsed");
	place = wr_reserve_aligned(self->fd, SIZE, MIB(2), false);
	ASSERT_NE(NULL, place);
	ASSERT_EQ(0, wr_release(self->fd, place, 0));
	base = place;
	ASSERT_EQ(0, sec_map_at(self->section, base, 0, SIZE, WC));
	plain = mmap(NULL, SIZE + MIB(2), PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	plain = (char *)(((uintptr_t)plain + MIB(2) - 1) & -MIB(2));
	plain = mmap(plain, SIZE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, self->file, 0);
	ASSERT_NE(MAP_FAILED, plain);
	for (round = 0; round < 3; round++) {
		fill_pages(plain, NR_PAGES, 50);
		for (i = 0; i < NR_PAGES; i += 3)
			fill_page(base + PAGES(i), 9000 + i + round);
		madvise(plain, SIZE, MADV_COLLAPSE);
		for (i = 0; i < NR_PAGES; i++)
			EXPECT_TRUE(page_has(base + PAGES(i),
					     i % 3 ? 50 + i :
						     9000 + i + round));
		ASSERT_EQ(0, ftruncate(self->file, 0));
		ASSERT_EQ(0, ftruncate(self->file, SIZE));
	}
	munmap(plain, SIZE);
	UNMAP(base);
}

struct readers {
	volatile char *base;
	bool stale;
	volatile bool stop;
};

static void *watch_copy(void *arg)
{
	struct readers *readers = arg;
	volatile uint64_t *words = (volatile uint64_t *)readers->base;
	uint64_t seen[16] = {}, now;
	unsigned int i;

	while (!readers->stop) {
		for (i = 0; i < 16; i++) {
			now = words[i * 512];
			if (now < seen[i])
				readers->stale = true;
			seen[i] = now;
		}
		if (!(now % 8))
			madvise((void *)readers->base, PAGES(16),
				MADV_DONTNEED);
	}
	return NULL;
}

/* Whoever has seen the copy never sees the page of the file again. */
TEST_F(section, readers_beside)
{
	char *shared = MAP(0, 0, RW);
	unsigned int round, i;
	pthread_t threads[2];

	for (i = 0; i < 16; i++)
		*(uint64_t *)(shared + PAGES(i)) = 1;
	for (round = rounds(copy_readers); round; round--) {
		struct readers readers = { .base = MAP(0, 0, WC) };
		volatile uint64_t *words = (volatile uint64_t *)readers.base;

		for (i = 0; i < 2; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL,
						    watch_copy, &readers));
		for (i = 0; i < 64; i++)
			words[i % 16 * 512]++;
		readers.stop = true;
		for (i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		EXPECT_FALSE(readers.stale);
		for (i = 0; i < 16; i++)
			EXPECT_EQ(5, words[i * 512]);
		UNMAP((char *)readers.base);
	}
	for (i = 0; i < 16; i++)
		EXPECT_EQ(1, *(uint64_t *)(shared + PAGES(i)));
	UNMAP(shared);
}

/* Nothing is left of who is gone. */
TEST_F(section, killed)
{
	uint64_t total = WR_INFO(self->fd, out_total);
	unsigned int i;
	pid_t pid;

	for (i = 0; i < 10; i++) {
		pid = fork();
		if (!pid) {
			for (;;) {
				char *mine;

				if (sec_map(self->section, 0, 0, WC, &mine))
					pause();
				fill_pages(mine, 100, 1);
				if (i % 3 && sec_unmap(self->fd, mine))
					pause();
			}
		}
		ASSERT_LT(0, pid);
		sleep_ms(3 * i);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

FIXTURE(copy_sections)
{
	int fd;
};

FIXTURE_SETUP(copy_sections)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(copy_sections)
{
	close(self->fd);
}

/* Rules: CM-03, MV-10, P-03. */
TEST_F(copy_sections, rights)
{
	struct winregion_query_section info;
	uint64_t length = UNIT;
	int file, section, only_write;
	char *base;

	section = sec_create(self->fd, -1, UNIT, 0, WC);
	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_query(section, &info));
	EXPECT_EQ(WC, info.out_protection);
	EXPECT_EQ(-EKEYREJECTED, sec_map(section, 0, 0, RW, &base));
	EXPECT_EQ(0, sec_map(section, 0, 0, RO, &base));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	EXPECT_EQ(0, sec_map(section, 0, 0, WC, &base));
	fill_page(base, 3);
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	close(section);
	/* To copy is to read. */
	only_write = sec_create_as(self->fd, -1, &length, 0, RW,
				   WINREGION_SECTION_MAP_WRITE);
	EXPECT_EQ(-EKEYREJECTED, sec_map(only_write, 0, 0, WC, &base));
	close(only_write);
	/* A file that is open for reading will do. */
	file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	section = sec_create(self->fd, file, 0, 0, WC);
	if (section >= 0) {
		ASSERT_EQ(0, sec_map(section, 0, 4096, WC, &base));
		EXPECT_EQ(0, memcmp(base, "\177ELF", 4));
		fill_page(base, 3);
		EXPECT_TRUE(page_has(base, 3));
		EXPECT_EQ(0, sec_unmap(self->fd, base));
		close(section);
	}
	close(file);
	EXPECT_EQ(-EDOM, sec_create(self->fd, -1, UNIT, 0, WC | RO));
	base = wr_alloc(self->fd, UNIT);
	EXPECT_EQ(-EDOM, wr_protect(self->fd, base, 4096, WC));
	EXPECT_EQ(-EDOM, wr_protect(self->fd, base, 4096,
				    WINREGION_EXECUTE_WRITECOPY));
	EXPECT_EQ(-EDOM, wr_protect(self->fd, base, 4096,
				    WINREGION_EXECUTE_WRITECOPY | WINREGION_GUARD));
	EXPECT_EQ(-EDOM, wr_protect(self->fd, base, 4096, WC | WINREGION_GUARD));
	EXPECT_EQ(-EDOM, wr_commit(self->fd, base, 4096, WC));
	EXPECT_EQ(0, wr_release(self->fd, base, 0));
}

/* Rules: MV-53, VV-06, VC-03. All of it is promised at once, and charged where there is room. */
TEST_F(copy_sections, over_limit)
{
	uint64_t committed = WR_INFO(self->fd, out_committed);
	int section = sec_create(self->fd, -1, GIB(512),
				 WINREGION_SECTION_RESERVE, RW);
	char *base;

	ASSERT_LE(0, section);
	EXPECT_EQ(-EDQUOT, sec_map(section, 0, 0, WC, &base));
	EXPECT_EQ(committed, WR_INFO(self->fd, out_committed));
	EXPECT_EQ(0, sec_map(section, 0, UNIT, WC, &base));
	/* What is not committed is not there, however it would be. */
	EXPECT_FALSE(try_read(base));
	ASSERT_EQ(0, wr_commit(self->fd, base, 4096, RO));
	EXPECT_TRUE(page_is_zero(base));
	EXPECT_EQ(RO, protect(self->fd, base, 4096, WC));
	fill_page(base, 2);
	EXPECT_TRUE(page_has(base, 2));
	/* Nor is what a copy shows a protection that a call can have. */
	EXPECT_TRUE(wr_is(self->fd, base, RW));
	EXPECT_EQ(-EKEYREJECTED, wr_commit(self->fd, base, 4096, RW));
	EXPECT_EQ(-EKEYREJECTED, wr_commit(self->fd, base + 4096, 4096, RW));
	EXPECT_EQ(-ENODATA, wr_protect(self->fd, base, UNIT, WC));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	close(section);
}

/*
 * Rules: VV-05, VV-08. Ranges of one call that overlap: the old protection of each is
 * what the one before it has made of the page, which has a copy, or not.
 */
TEST_F(copy_sections, ranges_that_overlap)
{
	int section = sec_create(self->fd, -1, UNIT, 0, RW), i;
	struct winregion_range ranges[6];
	char *base;

	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_map(section, 0, 0, WC, &base));
	fill_page(base, 1);
	for (i = 0; i < 6; i++)
		ranges[i] = (struct winregion_range) {
			.address = (uintptr_t)base + PAGES(i % 2),
			.length = PAGES(1),
			.protection = i / 2 == 1 ? RO : WC,
		};
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, ranges, 6));
	EXPECT_EQ(RW, ranges[0].out_old_protection);
	EXPECT_EQ(RW, ranges[2].out_old_protection);
	EXPECT_EQ(RO, ranges[4].out_old_protection);
	EXPECT_EQ(WC, ranges[1].out_old_protection);
	EXPECT_EQ(WC, ranges[3].out_old_protection);
	EXPECT_EQ(RO, ranges[5].out_old_protection);
	EXPECT_TRUE(wr_is(self->fd, base, RW));
	EXPECT_TRUE(wr_is(self->fd, base + PAGES(1), WC));
	EXPECT_TRUE(page_has(base, 1));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	close(section);
}

/* A sealed file has no such views, and one with such views is not sealed. */
TEST_F(copy_sections, seals)
{
	int file = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int section;
	char *base;

	ASSERT_EQ(0, ftruncate(file, UNIT));
	section = sec_create(self->fd, file, 0, 0, WC);
	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_map(section, 0, 0, WC, &base));
	fill_page(base, 1);
	EXPECT_NE(0, fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	ASSERT_TRUE(SETTLES(!fcntl(file, F_ADD_SEALS, F_SEAL_WRITE)));
	EXPECT_EQ(-EKEYREJECTED, sec_map(section, 0, 0, WC, &base));
	ASSERT_EQ(0, sec_map(section, 0, 0, RO, &base));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, base, 4096, WC));
	EXPECT_TRUE(wr_is(self->fd, base, RO));
	EXPECT_TRUE(page_is_zero(base));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	close(section);
	close(file);
}

/**
 * struct replacer - a placeholder that becomes a view, and one again, all the time
 * @base: where
 * @section: what the view is of
 * @wrong: a write has failed where a query said that it would not
 * @failed: a call has
 */
struct replacer {
	int fd;
	char *base;
	int section;
	struct crew crew;
	volatile uint64_t wrong;
	volatile uint64_t failed;
};

static int replace_once(struct replacer *replacer)
{
	struct winregion_map_view map = {
		.flags = WINREGION_VIEW_REPLACE,
		.protection = WC,
		.address = (uintptr_t)replacer->base,
	};
	struct winregion_unmap_view unmap = {
		.size = sizeof(unmap),
		.flags = WINREGION_UNMAP_PRESERVE,
		.address = (uintptr_t)replacer->base,
	};
	char *base;
	int ret = sec_map_with(replacer->section, &map, &base);

	return ret ? ret : wr_ioctl(replacer->fd, WINREGION_UNMAP_VIEW, &unmap);
}

/* Whether it was there, and could be written */
static bool is_told_and_lacks(struct replacer *replacer)
{
	uint64_t value = 7;

	return wr_is(replacer->fd, replacer->base, WC) &&
	       !user_access((volatile uint64_t *)replacer->base, &value, true) &&
	       wr_is(replacer->fd, replacer->base, WC);
}

static void *fork_on(void *arg)
{
	struct replacer *replacer = arg;
	int status;
	pid_t pid;

	while (crew_goes_on(&replacer->crew)) {
		pid = fork();
		if (!pid)
			_exit(is_told_and_lacks(replacer));
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			race_add(&replacer->failed, 1);
		else if (status)
			race_add(&replacer->wrong, 1);
	}
	return NULL;
}

/*
 * Rule: MV-52. A child that was forked just when a view came has one whose pages are as it
 * is told, or none.
 */
TEST_F_TIMEOUT(copy_sections, forks_beside, 120)
{
	struct replacer replacer = { .fd = self->fd };
	uint64_t address = 0;
	long i;

	race_catch_faults();
	replacer.section = sec_create(self->fd, -1, UNIT, 0, RW);
	ASSERT_LE(0, replacer.section);
	ASSERT_EQ(0, wr_reserve_at(self->fd, &address, UNIT,
				   WINREGION_RESERVE_PLACEHOLDER, NA));
	replacer.base = (char *)(uintptr_t)address;
	crew_add(&replacer.crew, fork_on, &replacer);
	for (i = rounds(copy_replaced); i; i--)
		if (replace_once(&replacer))
			race_add(&replacer.failed, 1);
	crew_stop(&replacer.crew);
	EXPECT_EQ(0, replacer.failed);
	EXPECT_EQ(0, replacer.wrong);
	EXPECT_EQ(0, wr_release(self->fd, replacer.base, 0));
	close(replacer.section);
}

/* Each of the allocations of map, copy, protect and fork fails. */
TEST_F_TIMEOUT(copy_sections, failures, 300)
{
	uint64_t regions = WR_INFO(self->fd, out_regions);
	uint64_t charged = WR_INFO(self->fd, out_committed);
	int section = sec_create(self->fd, -1, UNIT, 0, RW);
	unsigned int nth = 0;
	char *base = NULL, *ro;
	pid_t pid;
	bool hit;
	int ret;

	if (!fail_open())
		SKIP(return, "this kernel injects no faults");
	ASSERT_TRUE(fail_everything());
	ASSERT_EQ(0, sec_map(section, 0, 0, RO, &ro));
	do {
		ASSERT_GT(2000, ++nth);
		ASSERT_TRUE(fail_set(nth));
		ret = sec_map(section, 0, 0, WC, &base);
		hit = fail_clear();
		if (!ret) {
			fill_page(base, nth);
			EXPECT_TRUE(page_has(base, nth));
			EXPECT_TRUE(page_is_zero(ro));
			EXPECT_EQ(0, sec_unmap(self->fd, base));
		}
		EXPECT_EQ(charged, WR_INFO(self->fd, out_committed));
		EXPECT_EQ(regions + 1, WR_INFO(self->fd, out_regions));
	} while (hit);
	for (nth = 1, hit = true; hit; nth++) {
		ASSERT_GT(2000, nth);
		ASSERT_TRUE(fail_set(nth));
		ret = wr_protect(self->fd, ro + 4096, 4096, WC);
		hit = fail_clear();
		if (!ret) {
			fill_page(ro + 4096, nth);
			EXPECT_EQ(0, sec_unmap(self->fd, ro));
			ASSERT_EQ(0, sec_map(section, 0, 0, RO, &ro));
		} else {
			EXPECT_TRUE(wr_is(self->fd, ro + 4096, RO));
		}
	}
	ASSERT_EQ(0, sec_map(section, 0, 0, WC, &base));
	fill_page(base, 3);
	for (nth = 1, hit = true; hit; nth += nth < 250 ? 1 : 10) {
		ASSERT_GT(4000, nth);
		ASSERT_TRUE(fail_set(nth));
		pid = fail_fork();
		if (!pid)
			_exit(!try_read(base) ? probe_fault.sig :
			      page_has(base, 3) ? 0 : 1);
		hit = fail_clear();
		if (pid > 0) {
			ASSERT_EQ(pid, waitpid(pid, &ret, 0));
			EXPECT_TRUE(WIFEXITED(ret) &&
				    (!WEXITSTATUS(ret) ||
				     WEXITSTATUS(ret) == SIGBUS));
		}
		EXPECT_TRUE(page_has(base, 3));
	}
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	EXPECT_EQ(0, sec_unmap(self->fd, ro));
	EXPECT_EQ(charged, WR_INFO(self->fd, out_committed));
	close(section);
}

TEST_HARNESS_MAIN
