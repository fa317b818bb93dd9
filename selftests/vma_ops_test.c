// SPDX-License-Identifier: GPL-2.0
/*
 * What the program's own munmap(), mprotect(), mremap() and the like do to a
 * region: refused with nothing changed, or, for a whole mapping, the end of
 * what is in it. And how few mappings there are.
 */
#include "kselftest_harness.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common.h"
#include "wr_test_util.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define SIZE MIB(4)
#define NR_PAGES 1024

/*
 * A region with a mapping of its own, between two foreign ones:
 *
 *	before (64 KiB) | base (SIZE)             | after (64 KiB)
 *	anonymous       | pages 0..63 committed   | anonymous
 *
 * Page 8 is read-only, page 9 no access, 16 to 23 are reserved again.
 */
FIXTURE(vma)
{
	int fd;
	char *base;
	char *before;
	char *after;
	uint64_t committed;
	struct winregion_run runs[16];
	long nr_runs;
};

static long query_region(FIXTURE_DATA(vma) *self, struct winregion_run *runs)
{
	uint64_t next = (uintptr_t)self->base;

	memset(runs, 0, sizeof(self->runs));
	return wr_query_runs(self->fd, &next, next + SIZE - 1, 0, runs, 16);
}

FIXTURE_SETUP(vma)
{
	char *arena = mmap(NULL, SIZE + KIB(256), PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t addr = ((uintptr_t)arena + KIB(128) - 1) & ~(KIB(64) - 1);

	ASSERT_NE(MAP_FAILED, arena);
	/* There is room for all three, and no more. */
	ASSERT_EQ(0, munmap(arena, SIZE + KIB(256)));
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, wr_reserve_at(self->fd, &addr, SIZE, 0, RW));
	self->base = (char *)(uintptr_t)addr;
	self->before = mmap(self->base - KIB(64), KIB(64),
			    PROT_READ | PROT_WRITE, MAP_PRIVATE |
			    MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	ASSERT_EQ(self->base - KIB(64), self->before);
	self->after = mmap(self->base + SIZE, KIB(64), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			   -1, 0);
	ASSERT_EQ(self->base + SIZE, self->after);
	fill_pages(self->before, 16, 10);
	fill_pages(self->after, 16, 50);

	ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(64), RW));
	fill_pages(self->base, 64, 100);
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(8), PAGES(1),
				RO));
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(9), PAGES(1),
				NA));
	ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(16), PAGES(8)));
	self->committed = PAGES(56);
	self->nr_runs = query_region(self, self->runs);
	ASSERT_EQ(7, self->nr_runs);
}

FIXTURE_TEARDOWN(vma)
{
	close(self->fd);
}

static bool foreign_intact(FIXTURE_DATA(vma) *self)
{
	return pages_have(self->before, 16, 10) &&
	       pages_have(self->after, 16, 50);
}

/* Is the region what the fixture made, and nothing else? */
static bool region_intact(FIXTURE_DATA(vma) *self)
{
	struct winregion_run runs[16];
	struct vma vma;

	return query_region(self, runs) == self->nr_runs &&
	       !memcmp(runs, self->runs, sizeof(runs)) &&
	       WR_INFO(self->fd, out_regions) == 1 &&
	       WR_INFO(self->fd, out_committed) == self->committed &&
	       find_vma(self->base, &vma) &&
	       vma.start == (uintptr_t)self->base &&
	       vma.end == (uintptr_t)self->base + SIZE &&
	       pages_have(self->base, 9, 100) &&
	       pages_have(self->base + PAGES(10), 6, 110) &&
	       pages_have(self->base + PAGES(24), 40, 124) &&
	       !try_write(self->base + PAGES(8)) &&
	       !try_read(self->base + PAGES(9)) &&
	       !try_read(self->base + PAGES(16)) &&
	       !try_read(self->base + PAGES(64)) &&
	       try_write_byte(self->base + 100, 0);
}

/* Has the region gone, with all that it had? */
static bool region_gone(FIXTURE_DATA(vma) *self)
{
	return wr_is_gone(self->fd, self->base) &&
	       wr_is_gone(self->fd, self->base + PAGES(8)) &&
	       wr_is_gone(self->fd, self->base + SIZE - 1) &&
	       WR_INFO(self->fd, out_regions) == 0 &&
	       WR_INFO(self->fd, out_committed) == 0;
}

/* Nothing has changed, there and around it. */
#define EXPECT_INTACT() do {						\
	EXPECT_TRUE(region_intact(self));				\
	EXPECT_TRUE(foreign_intact(self));				\
} while (0)

/* munmap() of a part would cut the mapping: refused. */
TEST_F(vma, munmap_part)
{
	static const struct {
		uint64_t offset, length;
	} parts[] = {
		{ 0, PAGES(1) }, { 0, SIZE - PAGES(1) }, { 0, SIZE / 2 },
		{ PAGES(1), SIZE - PAGES(1) }, { SIZE - PAGES(1), PAGES(1) },
		{ PAGES(8), PAGES(1) }, { PAGES(16), PAGES(8) },
		{ PAGES(700), PAGES(3) }, { SIZE / 2, SIZE / 2 },
		{ MIB(2), MIB(1) },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		EXPECT_EQ(-1, munmap(self->base + parts[i].offset,
				     parts[i].length));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_INTACT();
}

/* Together with a neighbour: the neighbour stays, too. */
TEST_F(vma, munmap_part_and_neighbour)
{
	EXPECT_EQ(-1, munmap(self->before, KIB(64) + PAGES(1)));
	EXPECT_EQ(-1, munmap(self->before + PAGES(3), KIB(64)));
	EXPECT_EQ(-1, munmap(self->base + PAGES(1), SIZE));
	EXPECT_EQ(-1, munmap(self->base + SIZE - PAGES(1), PAGES(5)));
	EXPECT_INTACT();
}

/* munmap() of all of it is a release. */
TEST_F(vma, munmap_whole)
{
	uint64_t addr = (uintptr_t)self->base;
	uint64_t total;

	ASSERT_EQ(0, wr_commit(self->fd, self->base, SIZE, RW));
	total = WR_INFO(self->fd, out_total);
	ASSERT_EQ(0, munmap(self->base, SIZE));
	EXPECT_TRUE(region_gone(self));
	EXPECT_FALSE(try_read(self->base));
	EXPECT_EQ(WINREGION_STATE_FREE, wr_state(self->fd, self->base));
	EXPECT_GT(total, WR_INFO(self->fd, out_total));
	EXPECT_EQ(0, WR_INFO(self->fd, out_windows));
	EXPECT_TRUE(foreign_intact(self));
	EXPECT_EQ(-ENOENT, wr_commit(self->fd, self->base, PAGES(1), RW));
	EXPECT_EQ(-ENOENT, wr_release(self->fd, self->base, 0));
	/* The place is free for a region again, a new one. */
	ASSERT_EQ(0, wr_reserve_at(self->fd, &addr, SIZE, 0, RW));
	EXPECT_TRUE(wr_is_reserved(self->fd, self->base));
	ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(64), RW));
	EXPECT_TRUE(page_is_zero(self->base));
}

/* The range may be larger, whatever else is in it. */
TEST_F(vma, munmap_around)
{
	ASSERT_EQ(0, munmap(self->before + PAGES(4), SIZE + KIB(64)));
	EXPECT_TRUE(region_gone(self));
	EXPECT_TRUE(pages_have(self->before, 4, 10));
	EXPECT_FALSE(try_read(self->before + PAGES(4)));
	EXPECT_FALSE(try_read(self->base));
	EXPECT_TRUE(pages_have(self->after + PAGES(12), 4, 62));
}

/* mprotect() is not how protection is changed, on a part or on all of it. */
TEST_F(vma, mprotect)
{
	static const int prots[] = {
		PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
		PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(prots); i++) {
		EXPECT_EQ(-1, mprotect(self->base, SIZE, prots[i]));
		EXPECT_EQ(-1, mprotect(self->base, PAGES(1), prots[i]));
		EXPECT_EQ(-1, mprotect(self->base + PAGES(8), PAGES(2),
				       prots[i]));
		EXPECT_EQ(-1, mprotect(self->base + PAGES(60),
				       SIZE - PAGES(60), prots[i]));
		EXPECT_EQ(-1, syscall(SYS_pkey_mprotect, self->base, SIZE,
				      prots[i], -1));
	}
	EXPECT_INTACT();
}

/* mremap() in all its forms: the pages belong to their addresses. */
TEST_F(vma, mremap)
{
	static const struct {
		uint64_t offset, old_length, new_length;
		int flags;
	} calls[] = {
		/* grow */
		{ 0, SIZE, SIZE + PAGES(1), MREMAP_MAYMOVE },
		{ 0, SIZE, SIZE + PAGES(1), 0 },
		{ PAGES(1020), PAGES(4), PAGES(8), MREMAP_MAYMOVE },
		/* shrink */
		{ 0, SIZE, SIZE - PAGES(1), 0 },
		{ 0, SIZE, PAGES(1), MREMAP_MAYMOVE },
		{ PAGES(8), PAGES(4), PAGES(2), 0 },
		/* a second mapping of the same pages */
		{ 0, 0, SIZE, MREMAP_MAYMOVE },
		{ PAGES(8), 0, PAGES(1), MREMAP_MAYMOVE },
		{ 0, 0, PAGES(1), MREMAP_MAYMOVE | MREMAP_FIXED },
		/* move */
		{ 0, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED },
		{ 0, PAGES(1), PAGES(1), MREMAP_MAYMOVE | MREMAP_FIXED },
		{ PAGES(8), PAGES(4), PAGES(2),
		  MREMAP_MAYMOVE | MREMAP_FIXED },
		{ PAGES(8), PAGES(1), PAGES(2),
		  MREMAP_MAYMOVE | MREMAP_FIXED },
		/* move, and keep an empty mapping */
		{ 0, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP },
		{ 0, SIZE, SIZE,
		  MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED },
		{ PAGES(8), PAGES(1), PAGES(1),
		  MREMAP_MAYMOVE | MREMAP_DONTUNMAP },
	};
	char *target = mmap(NULL, SIZE * 2, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t vmas;
	unsigned int i;

	ASSERT_NE(MAP_FAILED, target);
	ASSERT_EQ(0, munmap(target, SIZE * 2));
	vmas = count_all_vmas();
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		EXPECT_EQ(MAP_FAILED,
			  mremap(self->base + calls[i].offset,
				 calls[i].old_length, calls[i].new_length,
				 calls[i].flags, target)) {
			TH_LOG("call %u", i);
		}
		EXPECT_TRUE(region_intact(self)) {
			TH_LOG("call %u", i);
		}
	}
	EXPECT_EQ(vmas, count_all_vmas());
	EXPECT_INTACT();
	/* Something else that is moved to where the region is: the same */
	EXPECT_EQ(MAP_FAILED, mremap(self->before, KIB(64), KIB(64),
				     MREMAP_MAYMOVE | MREMAP_FIXED,
				     self->base + PAGES(4)));
	EXPECT_INTACT();
	/* What changes nothing is not worth an error. */
	mremap(self->base, SIZE, SIZE, 0);
	EXPECT_INTACT();
}

/*
 * remap_file_pages() needs no descriptor: it would map the file at other
 * offsets, where a page has another protection.
 */
TEST_F(vma, remap_file_pages)
{
	static const size_t page_offsets[] = { 0, 1, 8, 1024, 0x7ffffffff };
	static const int flags[] = { 0, MAP_NONBLOCK };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(page_offsets); i++) {
		for (j = 0; j < 2; j++) {
			EXPECT_EQ(-1, remap_file_pages(self->base, SIZE, 0,
						       page_offsets[i],
						       flags[j]));
			EXPECT_EQ(-1, remap_file_pages(self->base, PAGES(1), 0,
						       page_offsets[i],
						       flags[j]));
			EXPECT_EQ(-1, remap_file_pages(self->base + PAGES(4),
						       PAGES(8), 0,
						       page_offsets[i],
						       flags[j]));
		}
	}
	/* Not even with the offset that it has */
	remap_file_pages(self->base, SIZE, 0, (uintptr_t)self->base / 4096, 0);
	EXPECT_INTACT();
}

static void *map_anon(void *addr, size_t length, int flags)
{
	return mmap(addr, length, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

/* A mapping over all of it is like munmap() and then a mapping. */
TEST_F(vma, map_fixed_whole)
{
	ASSERT_EQ(self->base, map_anon(self->base, SIZE, MAP_FIXED));
	EXPECT_TRUE(region_gone(self));
	EXPECT_TRUE(page_is_zero(self->base));
	fill_pages(self->base, 16, 500);
	/* It is not ours any more. */
	EXPECT_EQ(-ENOENT, wr_commit(self->fd, self->base, PAGES(1), RO));
	EXPECT_EQ(-ENOENT, wr_decommit(self->fd, self->base, PAGES(1)));
	EXPECT_EQ(-ENOENT, wr_protect(self->fd, self->base, PAGES(1), RO));
	EXPECT_EQ(-ENOENT, wr_release(self->fd, self->base, 0));
	EXPECT_TRUE(pages_have(self->base, 16, 500));
	EXPECT_TRUE(foreign_intact(self));
}

/* A mapping over a part is refused; what else it covers is intact. */
TEST_F(vma, map_fixed_part)
{
	EXPECT_EQ(MAP_FAILED, map_anon(self->base, PAGES(1), MAP_FIXED));
	EXPECT_EQ(MAP_FAILED, map_anon(self->base + PAGES(8), PAGES(2),
				       MAP_FIXED));
	EXPECT_EQ(MAP_FAILED, map_anon(self->base + PAGES(1),
				       SIZE - PAGES(1), MAP_FIXED));
	EXPECT_EQ(MAP_FAILED, map_anon(self->before + PAGES(8), KIB(64),
				       MAP_FIXED));
	EXPECT_EQ(MAP_FAILED, map_anon(self->base + SIZE - PAGES(2),
				       PAGES(10), MAP_FIXED));
	EXPECT_INTACT();
}

/* Who asks for free memory does not get ours. */
TEST_F(vma, map_fixed_noreplace)
{
	EXPECT_EQ(MAP_FAILED, map_anon(self->base, SIZE,
				       MAP_FIXED_NOREPLACE));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(MAP_FAILED, map_anon(self->base + PAGES(100), PAGES(1),
				       MAP_FIXED_NOREPLACE));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_INTACT();
}

/* A program's mmap() without an address does not land in reserved pages. */
TEST_F(vma, mmap_goes_elsewhere)
{
	char *map;
	int i;

	for (i = 0; i < 50; i++) {
		/* With a hint into the region, and without one */
		map = map_anon(i % 2 ? self->base + PAGES(100 + i) : NULL,
			       KIB(64), 0);
		ASSERT_NE(MAP_FAILED, map);
		EXPECT_TRUE(map + KIB(64) <= self->base ||
			    map >= self->base + SIZE);
	}
	EXPECT_INTACT();
}

/* The file behind the region cannot be had by /proc either. */
TEST_F(vma, map_files)
{
	struct vma vma;
	struct stat st;
	char path[128];
	int fd;

	ASSERT_TRUE(find_vma(self->base, &vma));
	snprintf(path, sizeof(path), "/proc/self/map_files/%llx-%llx",
		 (unsigned long long)vma.start, (unsigned long long)vma.end);
	EXPECT_EQ(-1, open(path, O_RDONLY));
	EXPECT_EQ(-1, open(path, O_RDWR));
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0) {
		/* A path is not a file that can be mapped or cut. */
		EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED,
					   fd, vma.offset));
		EXPECT_EQ(-1, ftruncate(fd, 0));
		/* What is mapped is before its end. Hazard B16. */
		ASSERT_EQ(0, fstat(fd, &st));
		EXPECT_LE(USER_HIGHEST, st.st_size);
		close(fd);
	}
	EXPECT_EQ(-1, truncate(path, 0));
	EXPECT_INTACT();
}

/* As a whole it may be locked; there is nothing to lock, and no harm. */
TEST_F(vma, mlock_forms)
{
	munlock(self->base, SIZE);
	mlock(self->base, SIZE);
	mlock(self->base + PAGES(4), PAGES(2));
	munlock(self->base + PAGES(4), PAGES(2));
	EXPECT_INTACT();
	mlockall(MCL_CURRENT);
	munlockall();
	EXPECT_INTACT();
}

/* A sealed mapping cannot be unmapped: then it stays, but the region ends. */
TEST_F(vma, mseal)
{
	if (syscall(SYS_MSEAL, NULL, 0, 0) && errno == ENOSYS)
		SKIP(return, "this kernel has no mseal()");
	EXPECT_EQ(-1, syscall(SYS_MSEAL, self->base, PAGES(4), 0));
	EXPECT_INTACT();
	ASSERT_EQ(0, syscall(SYS_MSEAL, self->base, SIZE, 0));
	EXPECT_INTACT();
	EXPECT_EQ(-1, munmap(self->base, SIZE));
	EXPECT_INTACT();
	/* Calls that leave the mapping as it is work. */
	EXPECT_EQ(0, wr_commit(self->fd, self->base + PAGES(16), PAGES(8),
			       RW));
	EXPECT_EQ(0, wr_protect(self->fd, self->base + PAGES(9), PAGES(1),
				RO));
	EXPECT_EQ(0, wr_decommit(self->fd, self->base + PAGES(16), PAGES(8)));
	EXPECT_EQ(0, wr_protect(self->fd, self->base + PAGES(9), PAGES(1),
				NA));
	EXPECT_INTACT();
	/* One that needs another mapping fails, with nothing changed. */
	EXPECT_NE(0, wr_protect(self->fd, self->base, PAGES(1), RWX));
	EXPECT_INTACT();

	EXPECT_EQ(0, wr_release(self->fd, self->base, 0));
	EXPECT_TRUE(region_gone(self));
	EXPECT_FALSE(try_read(self->base));
	EXPECT_FALSE(try_write(self->base));
	EXPECT_EQ(-ENOENT, wr_commit(self->fd, self->base, PAGES(1), RW));
	EXPECT_TRUE(foreign_intact(self));
}

/* One mapping, whatever the pages are */

/* 512 runs of different states in one region: one mapping */
TEST_F(vma, one_vma_for_many_states)
{
	static const uint32_t protections[] = {
		RW, RO, NA, RW | WINREGION_GUARD, RO | WINREGION_GUARD,
	};
	size_t vmas = count_all_vmas();
	unsigned int i;

	for (i = 0; i < NR_PAGES; i += 2)
		ASSERT_EQ(0, wr_commit(self->fd, self->base + PAGES(i),
				       PAGES(1), protections[i / 2 % 5]));
	for (i = 1; i < NR_PAGES; i += 2)
		ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(i),
					 PAGES(1)));
	for (i = 0; i < NR_PAGES; i += 2)
		try_read(self->base + PAGES(i));
	EXPECT_EQ(1, count_vmas(self->base, SIZE));
	EXPECT_EQ(vmas, count_all_vmas());
}

/* Protections come and go on resident pages: still one mapping. */
TEST_F(vma, one_vma_over_changes)
{
	unsigned int i, round;

	ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(64), RW));
	for (round = 0; round < 10; round++) {
		for (i = 0; i < 64; i++)
			ASSERT_EQ(0, wr_protect(self->fd, self->base +
						PAGES(i), PAGES(1),
						(i + round) % 2 ? RW : RO));
		EXPECT_EQ(1, count_vmas(self->base, SIZE));
	}
}

/* Many regions, few mappings */

FIXTURE(shared)
{
	int fd;
};

FIXTURE_SETUP(shared)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(shared)
{
	close(self->fd);
}

/* 4000 small regions share a handful of mappings, and give them back. */
TEST_F(shared, many_regions_few_vmas)
{
	enum { NR = 4000 };
	size_t vmas = count_all_vmas();
	static char *region[NR];
	unsigned int i;

	for (i = 0; i < NR; i++) {
		region[i] = wr_reserve(self->fd, KIB(64));
		ASSERT_NE(NULL, region[i]);
		EXPECT_EQ(0, (uintptr_t)region[i] % KIB(64));
	}
	for (i = 0; i < NR; i += 7) {
		ASSERT_EQ(0, wr_commit(self->fd, region[i], PAGES(1), RW));
		fill_page(region[i], i);
	}
	EXPECT_EQ(NR, WR_INFO(self->fd, out_regions));
	EXPECT_GE(30, WR_INFO(self->fd, out_windows));
	EXPECT_GE(vmas + 30, count_all_vmas());
	for (i = 0; i < NR; i += 7)
		EXPECT_TRUE(page_has(region[i], i));
	/* Every second, then the rest, in another order */
	for (i = 0; i < NR; i += 2)
		ASSERT_EQ(0, wr_release(self->fd, region[i], 0));
	EXPECT_EQ(NR / 2, WR_INFO(self->fd, out_regions));
	for (i = 7; i < NR; i += 14)
		EXPECT_TRUE(page_has(region[i], i));
	for (i = NR - 1; i < NR; i -= 2)
		ASSERT_EQ(0, wr_release(self->fd, region[i], 0));
	EXPECT_EQ(0, WR_INFO(self->fd, out_regions));
	EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
	EXPECT_GE(vmas + 2, count_all_vmas());
}

/* No unit is left out between two regions that fill theirs, or nearly so. */
TEST_F(shared, regions_lie_close)
{
	static const uint64_t sizes[] = { PAGES(15), PAGES(16), PAGES(17) };
	static char *region[16];
	unsigned int i, j, nr;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* The first shared mapping has 1 MiB. */
		nr = MIB(1) / ((sizes[i] + KIB(64) - 1) & ~(KIB(64) - 1));
		for (j = 0; j < nr; j++) {
			region[j] = wr_reserve(self->fd, sizes[i]);
			ASSERT_NE(NULL, region[j]);
			EXPECT_EQ(region[0] + j * (MIB(1) / nr), region[j]);
		}
		EXPECT_EQ(1, WR_INFO(self->fd, out_windows));
		for (j = 0; j < nr; j++)
			ASSERT_EQ(0, wr_release(self->fd, region[j], 0));
	}
}

/* munmap() of a whole shared mapping releases all that is in it. */
TEST_F(shared, munmap_shared_window)
{
	enum { NR = 64 };
	char *region[NR];
	struct vma vma;
	unsigned int i, inside = 0;

	for (i = 0; i < NR; i++) {
		region[i] = wr_alloc(self->fd, KIB(64));
		ASSERT_NE(NULL, region[i]);
		fill_page(region[i], i);
	}
	ASSERT_TRUE(find_vma(region[NR - 1], &vma));
	/* A part of it, even one that is just a region, is refused. */
	EXPECT_EQ(-1, munmap(region[NR - 1], KIB(64)));
	EXPECT_TRUE(page_has(region[NR - 1], NR - 1));
	ASSERT_EQ(0, munmap((void *)(uintptr_t)vma.start,
			    vma.end - vma.start));
	for (i = 0; i < NR; i++) {
		if ((uintptr_t)region[i] >= vma.start &&
		    (uintptr_t)region[i] < vma.end) {
			inside++;
			EXPECT_TRUE(wr_is_gone(self->fd, region[i]));
			EXPECT_FALSE(try_read(region[i]));
		} else {
			EXPECT_TRUE(page_has(region[i], i));
		}
	}
	EXPECT_LT(0, inside);
	EXPECT_EQ(NR - inside, WR_INFO(self->fd, out_regions));
	EXPECT_EQ(KIB(64) * (NR - inside), WR_INFO(self->fd, out_committed));
	/* Life goes on. */
	region[0] = wr_alloc(self->fd, KIB(64));
	ASSERT_NE(NULL, region[0]);
	EXPECT_TRUE(page_is_zero(region[0]));
}

/* The unused part of a shared mapping is free, and cannot be accessed. */
TEST_F(shared, unused_part_is_free)
{
	char *region = wr_alloc(self->fd, KIB(64));
	struct winregion_run run;
	struct vma vma = { 0 };
	uint64_t addr;

	ASSERT_NE(NULL, region);
	ASSERT_TRUE(find_vma(region, &vma));
	for (addr = vma.start; addr < vma.end; addr += KIB(64)) {
		ASSERT_EQ(0, wr_query(self->fd, (void *)(uintptr_t)addr,
				      &run));
		EXPECT_EQ(addr == (uintptr_t)region ?
			  WINREGION_STATE_COMMIT : WINREGION_STATE_FREE,
			  run.state);
		EXPECT_EQ(0, run.flags);
		if (addr == (uintptr_t)region)
			continue;
		EXPECT_FALSE(try_read((void *)(uintptr_t)addr));
		EXPECT_FALSE(try_write((void *)(uintptr_t)addr));
	}
	/* It is there for who asks by address. */
	for (addr = vma.start; addr < vma.end; addr += KIB(64)) {
		uint64_t at = addr;

		EXPECT_EQ(addr == (uintptr_t)region ? -EEXIST : 0,
			  wr_reserve_at(self->fd, &at, KIB(64), 0, RW));
	}
}

/* Bytes of the mapping that @addr is in */
static uint64_t mapping_size(const char *addr)
{
	struct vma vma = { 0 };

	return find_vma(addr, &vma) ? vma.end - vma.start : 0;
}

/*
 * Fill the holes that a shared mapping of 1 MiB could be put into, so that the
 * next one comes below. Then there are ROOM bytes to unmap above it.
 */
#define HOLE (MIB(1) + KIB(64))
#define ROOM (2 * HOLE)

static char *fill_holes(void)
{
	char *lowest = NULL, *block;
	int in_a_row = 0;

	while (in_a_row < 8) {
		block = mmap(NULL, HOLE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (block == MAP_FAILED)
			return NULL;
		in_a_row = block + HOLE == lowest ? in_a_row + 1 : 0;
		lowest = block;
	}
	return lowest;
}

/* A region of 64 KiB in a shared mapping that was not there before */
static char *start_window(int fd)
{
	uint64_t windows = WR_INFO(fd, out_windows);
	char *region;

	do {
		region = wr_reserve(fd, KIB(64));
	} while (region && WR_INFO(fd, out_windows) == windows);
	return region;
}

/*
 * A region at a given address that reaches into an unused end of a shared
 * mapping takes that over. The next mapping is as large as what is left, in whole MiB.
 */
TEST_F(shared, ends_are_given_up)
{
	char *above = fill_holes(), *first, *second, *next;
	struct vma vma = { 0 };
	uint64_t at, sum;

	ASSERT_NE(NULL, above);
	first = start_window(self->fd);
	ASSERT_NE(NULL, first);
	ASSERT_EQ(0, munmap(above, ROOM));
	ASSERT_TRUE(find_vma(first, &vma));
	/* The upper end */
	at = vma.end - KIB(64);
	ASSERT_EQ(0, wr_reserve_at(self->fd, &at, MIB(2), 0, RW));
	EXPECT_EQ(MIB(2), mapping_size((char *)(uintptr_t)at));
	EXPECT_EQ(MIB(1) - KIB(64), mapping_size(first));
	/* The lower end of the next one, the first units of which are unused */
	second = start_window(self->fd);
	ASSERT_NE(NULL, second);
	ASSERT_TRUE(find_vma(second, &vma));
	ASSERT_EQ((uintptr_t)second, vma.start);
	next = wr_reserve(self->fd, KIB(512));
	ASSERT_EQ(vma.start + KIB(64), (uintptr_t)next);
	ASSERT_EQ(0, wr_commit(self->fd, next, KIB(512), RW));
	fill_pages(next, 128, 1);
	ASSERT_EQ(0, wr_release(self->fd, second, 0));
	at = vma.start - MIB(2) + KIB(64);
	ASSERT_EQ(0, wr_reserve_at(self->fd, &at, MIB(2), 0, RW));
	EXPECT_EQ(MIB(2), mapping_size((char *)(uintptr_t)at));
	EXPECT_EQ(vma.end - vma.start - KIB(64), mapping_size(next));
	EXPECT_TRUE(pages_have(next, 128, 1));
	/* What a mapping has given up counts no more. */
	sum = mapping_size(first) + mapping_size(next);
	EXPECT_EQ((sum + MIB(1) - 1) / MIB(1) * MIB(1),
		  mapping_size(start_window(self->fd)));
	EXPECT_TRUE(pages_have(next, 128, 1));
}

/* An unused mapping that is kept for later goes as a whole. */
TEST_F(shared, unused_mapping_is_given_up)
{
	char *above = fill_holes(), *region;
	struct vma vma = { 0 };
	uint64_t at;

	ASSERT_NE(NULL, above);
	region = wr_reserve(self->fd, KIB(64));
	ASSERT_NE(NULL, region);
	ASSERT_TRUE(find_vma(region, &vma));
	ASSERT_EQ(0, wr_release(self->fd, region, 0));
	EXPECT_EQ(1, WR_INFO(self->fd, out_windows));
	ASSERT_EQ(0, munmap(above, ROOM));
	at = vma.start - KIB(64);
	ASSERT_EQ(0, wr_reserve_at(self->fd, &at, MIB(2), 0, RW));
	EXPECT_EQ(1, WR_INFO(self->fd, out_windows));
	EXPECT_EQ(MIB(2), mapping_size(region));
	/* The next one starts small again. */
	EXPECT_EQ(MIB(1), mapping_size(start_window(self->fd)));
}

/* If it is sealed it stays, and there is no room. */
TEST_F(shared, sealed_ends_stay)
{
	char *above = fill_holes(), *region;
	struct vma vma = { 0 };
	uint64_t at;

	if (syscall(SYS_MSEAL, NULL, 0, 0) && errno == ENOSYS)
		SKIP(return, "this kernel has no mseal()");
	ASSERT_NE(NULL, above);
	region = wr_alloc(self->fd, KIB(64));
	ASSERT_NE(NULL, region);
	fill_pages(region, 16, 1);
	ASSERT_EQ(0, munmap(above, ROOM));
	ASSERT_TRUE(find_vma(region, &vma));
	ASSERT_EQ(0, syscall(SYS_MSEAL, vma.start, vma.end - vma.start, 0));
	at = vma.end - KIB(64);
	EXPECT_NE(0, wr_reserve_at(self->fd, &at, MIB(2), 0, RW));
	EXPECT_EQ(MIB(1), mapping_size(region));
	EXPECT_TRUE(pages_have(region, 16, 1));
	EXPECT_EQ(1, WR_INFO(self->fd, out_regions));
	/* Inside it there is. */
	EXPECT_EQ(0, wr_reserve_at(self->fd, &at, KIB(64), 0, RW));
}

/* Above 1 MiB a region has a mapping of exactly its size. */
TEST_F(shared, own_window_is_exact)
{
	static const uint64_t sizes[] = {
		MIB(1) + PAGES(1), MIB(1) + KIB(64), MIB(2), MIB(3) + PAGES(7),
	};
	struct vma vma;
	unsigned int i;
	char *region;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		region = wr_reserve(self->fd, sizes[i]);
		ASSERT_NE(NULL, region);
		ASSERT_TRUE(find_vma(region, &vma));
		EXPECT_EQ((uintptr_t)region, vma.start);
		EXPECT_EQ((uintptr_t)region + sizes[i], vma.end);
		EXPECT_EQ(0, munmap(region, sizes[i]));
		EXPECT_TRUE(wr_is_gone(self->fd, region));
	}
	EXPECT_EQ(0, WR_INFO(self->fd, out_regions));
}

/* Adjacent regions stay two mappings and two regions. */
TEST_F(shared, neighbours_do_not_merge)
{
	char *both = wr_reserve(self->fd, MIB(8));
	uint64_t addr;
	int i;

	ASSERT_NE(NULL, both);
	ASSERT_EQ(0, wr_release(self->fd, both, 0));
	for (i = 0; i < 2; i++) {
		addr = (uintptr_t)both + i * MIB(4);
		ASSERT_EQ(0, wr_reserve_at(self->fd, &addr, MIB(4),
					   WINREGION_RESERVE_COMMIT, RW));
	}
	EXPECT_EQ(2, count_vmas(both, MIB(8)));
	fill_page(both + MIB(4) - PAGES(1), 1);
	fill_page(both + MIB(4), 2);
	EXPECT_EQ(-EXDEV, wr_protect(self->fd, both + MIB(4) - PAGES(1),
				     PAGES(2), RO));
	/* munmap() of both at once, or of one */
	EXPECT_EQ(-1, munmap(both + MIB(2), MIB(4)));
	ASSERT_EQ(0, munmap(both, MIB(4)));
	EXPECT_TRUE(page_has(both + MIB(4), 2));
	EXPECT_EQ(1, WR_INFO(self->fd, out_regions));
}

/* What a process may lock */

struct lock_limit {
	int fd;
	int small, large;
	uint64_t regions, windows;
};

static int reserve_with_future_lock(void *arg)
{
	struct lock_limit *got = arg;
	struct rlimit limit = { KIB(64), KIB(64) };
	uint64_t addr = 0;

	CHECK(!setrlimit(RLIMIT_MEMLOCK, &limit));
	/* root may lock all that it likes. */
	CHECK(!setgid(65534) && !setuid(65534));
	CHECK(!mlockall(MCL_FUTURE));
	got->large = wr_reserve_at(got->fd, &addr, MIB(2), 0, RW);
	got->regions = WR_INFO(got->fd, out_regions);
	got->windows = WR_INFO(got->fd, out_windows);
	munlockall();
	CHECK(got->large == -EAGAIN);
	CHECK(got->regions == 0 && got->windows == 0);
	/* And afterwards it works. */
	CHECK(wr_reserve(got->fd, MIB(2)));
	return 0;
}

/* mlockall(MCL_FUTURE) under RLIMIT_MEMLOCK: an error of its own */
TEST_F(shared, mlockall_future)
{
	struct lock_limit got = { .fd = self->fd };

	EXPECT_EQ(0, in_child(reserve_with_future_lock, &got));
}

static int future_lock_without_limit(void *arg)
{
	int fd = *(int *)arg;
	char *region, *small;

	CHECK(!mlockall(MCL_CURRENT | MCL_FUTURE));
	region = wr_reserve(fd, MIB(4));
	CHECK(region);
	CHECK(!try_read(region));
	CHECK(!wr_commit(fd, region, MIB(1), RW));
	fill_pages(region, 256, 1);
	small = wr_alloc(fd, KIB(64));
	CHECK(small && page_is_zero(small));
	CHECK(!wr_decommit(fd, region, PAGES(4)));
	CHECK(!try_read(region));
	CHECK(!wr_protect(fd, region + PAGES(8), PAGES(1), code_or(RX, RO)));
	CHECK(page_has(region + PAGES(8), 9));
	CHECK(!wr_release(fd, region, 0));
	CHECK(!munlockall());
	return 0;
}

/* Reserved pages are not brought in by it. */
TEST_F(shared, mlockall_without_limit)
{
	EXPECT_EQ(0, in_child(future_lock_without_limit, &self->fd));
}

TEST_HARNESS_MAIN
