// SPDX-License-Identifier: GPL-2.0
/*
 * Sections and views, by the ioctls themselves: of the paging file, and of files
 * of several file systems.
 */
/* vm: modules=loop,ext4,overlay,fuse,xfs,btrfs,squashfs mkfs timeout=900 */
#include "kselftest_harness.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include "common.h"
#include "wr_test_util.h"
#include "race.h"
#include "section_fixture.h"
#include "fail_nth.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* ---- what a view shows ---- */

/* Rules: MV-01, MV-13, MV-20, MV-26, MV-31, RI-03, CM-27. */
TEST_F(section, view_is_a_region)
{
	struct winregion_run run;
	char *base = MAP(0, 0, RW);

	EXPECT_EQ(0, (uintptr_t)base % UNIT);
	ASSERT_EQ(0, wr_query(self->fd, base + PAGES(3) + 5, &run));
	EXPECT_EQ((uintptr_t)base + PAGES(3), run.address);
	EXPECT_EQ(SIZE - PAGES(3), run.length);
	EXPECT_EQ((uintptr_t)base, run.region_address);
	EXPECT_EQ(SIZE, run.region_length);
	EXPECT_EQ(0, run.region_committed);
	EXPECT_EQ(RW, run.region_protection);
	EXPECT_EQ(WINREGION_STATE_COMMIT, run.state);
	EXPECT_EQ(RW, run.protection);
	EXPECT_EQ(WINREGION_TYPE_MAPPED, run.type);
	EXPECT_EQ(0, run.flags);
	EXPECT_EQ(1, count_vmas(base, SIZE));
	EXPECT_TRUE(page_is_zero(base));
	EXPECT_TRUE(page_is_zero(base + SIZE - 4096));
	ASSERT_EQ(0, wr_query_flags(self->fd, base, WINREGION_QUERY_RESIDENT,
				    &run));
	EXPECT_LE(PAGES(2), run.resident);
	UNMAP(base);
	EXPECT_TRUE(wr_is_gone(self->fd, base));
}

/* Rules: MV-50, MV-51. Views, mmap(), read() and write() show the same. */
TEST_F(section, coherent)
{
	char *a = MAP(0, 0, RW), *b = MAP(UNIT, 0, RW), *c = MAP(0, 0, RO);
	uint64_t word = 77;
	char *plain;

	fill_pages(a, 64, 100);
	EXPECT_TRUE(pages_have(b, 48, 116));
	EXPECT_TRUE(pages_have(c, 64, 100));
	fill_page(b + PAGES(5), 9);
	EXPECT_TRUE(page_has(a + UNIT + PAGES(5), 9));
	if (self->file >= 0) {
		plain = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			     self->file, 0);
		ASSERT_NE(MAP_FAILED, plain);
		EXPECT_TRUE(pages_have(plain, 16, 100));
		fill_page(plain + PAGES(2), 55);
		EXPECT_TRUE(page_has(c + PAGES(2), 55));
		ASSERT_EQ(8, pwrite(self->file, &word, 8, PAGES(7)));
		EXPECT_EQ(77, *(uint64_t *)(c + PAGES(7)));
		*(uint64_t *)(a + PAGES(8)) = 88;
		ASSERT_EQ(8, pread(self->file, &word, 8, PAGES(8)));
		EXPECT_EQ(88, word);
		munmap(plain, SIZE);
	}
	UNMAP(a);
	UNMAP(b);
	UNMAP(c);
}

/* Rules: CM-47, UM-04. The view keeps all it needs. */
TEST_F(section, view_outlives_descriptors)
{
	char *base = MAP(0, 0, RW);

	close(self->section);
	if (self->file >= 0)
		close(self->file);
	fill_pages(base, 20, 3);
	ASSERT_EQ(0, wr_protect(self->fd, base, 4096, RO));
	EXPECT_FALSE(try_write(base));
	EXPECT_TRUE(pages_have(base, 20, 3));
	UNMAP(base);
}

/* Rules: UM-05. */
TEST_F(section, changes_outlive_view)
{
	char *base = MAP(0, 0, RW);

	fill_pages(base, 20, 3);
	UNMAP(base);
	base = MAP(0, 0, RO);
	EXPECT_TRUE(pages_have(base, 20, 3));
	UNMAP(base);
}

/* ---- protection ---- */

/*
 * Rules: VV-01. Single pages have a protection of their own, in one VMA, and what
 * is in them stays.
 */
TEST_F(section, protect_pages)
{
	char *base = MAP(0, 0, RW), *other = MAP(0, 0, RW);
	struct winregion_run run;
	uint32_t old;

	fill_pages(base, NR_PAGES, 7);
	ASSERT_EQ(0, wr_change(self->fd, WINREGION_PROTECT, base + PAGES(10),
			       PAGES(2), RO, &old));
	EXPECT_EQ(RW, old);
	ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(20), 1, NA));
	EXPECT_EQ(1, count_vmas(base, SIZE));
	EXPECT_FALSE(try_write(base + PAGES(10)));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
	EXPECT_FALSE(try_write(base + PAGES(12) - 1));
	EXPECT_TRUE(try_read(base + PAGES(10)));
	EXPECT_FALSE(try_read(base + PAGES(20)));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
	EXPECT_FALSE(try_write(base + PAGES(20)));
	EXPECT_TRUE(try_write(base + PAGES(9) + 5));
	EXPECT_TRUE(try_write(base + PAGES(12) + 5));
	EXPECT_TRUE(try_read(base + PAGES(19)));
	EXPECT_TRUE(try_read(base + PAGES(21)));
	/* Nobody else notices. */
	EXPECT_TRUE(try_write(other + PAGES(10) + 5));
	EXPECT_TRUE(try_write(other + PAGES(20) + 5));
	ASSERT_EQ(0, wr_query(self->fd, base, &run));
	EXPECT_EQ(PAGES(10), run.length);
	ASSERT_EQ(0, wr_query(self->fd, base + PAGES(10), &run));
	EXPECT_EQ(PAGES(2), run.length);
	EXPECT_EQ(RO, run.protection);
	EXPECT_EQ(RW, run.region_protection);
	ASSERT_EQ(0, wr_change(self->fd, WINREGION_PROTECT, base + PAGES(20),
			       1, RW, &old));
	EXPECT_EQ(NA, old);
	EXPECT_TRUE(page_has(other + PAGES(21), 7 + 21));
	EXPECT_TRUE(try_write(base + PAGES(20) + 5));
	ASSERT_EQ(0, wr_protect(self->fd, base, SIZE, RW));
	ASSERT_EQ(0, wr_query(self->fd, base, &run));
	EXPECT_EQ(SIZE, run.length);
	EXPECT_TRUE(try_write(base + PAGES(10) + 5));
	EXPECT_TRUE(page_has(base + PAGES(13), 7 + 13));
	UNMAP(base);
	UNMAP(other);
}

/* What the kernel does for the program obeys the pages' protection. */
TEST_F(section, system_calls_obey)
{
	char *base = MAP(0, 0, RW);
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	fill_pages(base, 8, 1);
	ASSERT_EQ(0, wr_protect(self->fd, base + 4096, 4096, RO));
	ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(2), 4096, NA));
	EXPECT_EQ(8, read(zero, base, 8));
	EXPECT_EQ(-1, read(zero, base + 4096, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(8, write(fds[1], base + 4096, 8));
	EXPECT_EQ(-1, write(fds[1], base + PAGES(2), 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(8, write(fds[1], base + PAGES(3), 8));
	close(zero);
	close(null);
	close(fds[0]);
	close(fds[1]);
	UNMAP(base);
}

/* What the view has not been mapped with no page gets: our part of VV-02. */
TEST_F(section, protect_beyond)
{
	char *base = MAP(0, 0, RO), *none = MAP(0, 0, NA);

	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, base, 4096, RW));
	EXPECT_TRUE(wr_is(self->fd, base, RO));
	EXPECT_FALSE(try_write(base));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
	EXPECT_TRUE(try_read(base));
	EXPECT_EQ(0, wr_protect(self->fd, base, 4096, NA));
	EXPECT_FALSE(try_read(base));
	EXPECT_EQ(0, wr_protect(self->fd, base, 4096, RO));
	EXPECT_TRUE(try_read(base));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, none, 4096, RO));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, none, 4096, RW));
	EXPECT_EQ(0, wr_protect(self->fd, none, 4096, NA));
	EXPECT_FALSE(try_read(none));
	EXPECT_EQ(-EDOM, wr_protect(self->fd, base, 4096, 0));
	EXPECT_EQ(-EDOM, wr_protect(self->fd, base, 4096,
				    RO | WINREGION_WRITECOMBINE));
	UNMAP(base);
	UNMAP(none);
}

/* Guard pages trip once, here too, and in this view only. */
TEST_F(section, guard)
{
	char *base = MAP(0, 0, RW), *other = MAP(0, 0, RW), *armed;
	uint32_t old;

	fill_pages(base, 8, 4);
	ASSERT_EQ(0, wr_protect(self->fd, base + 4096, PAGES(2),
				RW | WINREGION_GUARD));
	EXPECT_TRUE(wr_is(self->fd, base + 4096, RW | WINREGION_GUARD));
	EXPECT_TRUE(try_read(other + 4096));
	EXPECT_FALSE(try_read(base + 4096));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
	EXPECT_TRUE(try_read(base + 4096));
	EXPECT_TRUE(page_has(base + 4096, 5));
	EXPECT_TRUE(wr_is(self->fd, base + 4096, RW));
	EXPECT_TRUE(wr_is(self->fd, base + PAGES(2), RW | WINREGION_GUARD));
	ASSERT_EQ(0, wr_change(self->fd, WINREGION_PROTECT, base + PAGES(2),
			       1, RO, &old));
	EXPECT_EQ(RW | WINREGION_GUARD, old);
	EXPECT_TRUE(page_has(base + PAGES(2), 6));
	armed = MAP(0, UNIT, RW | WINREGION_GUARD);
	EXPECT_FALSE(try_write(armed + 8));
	EXPECT_TRUE(try_write(armed + 8));
	EXPECT_FALSE(try_write(armed + 4096 + 8));
	UNMAP(base);
	UNMAP(other);
	UNMAP(armed);
	/* A write sets it off also where it is not allowed. */
	armed = MAP(0, UNIT, RO | WINREGION_GUARD);
	EXPECT_FALSE(try_write(armed));
	EXPECT_TRUE(wr_is(self->fd, armed, RO));
	EXPECT_TRUE(wr_is(self->fd, armed + 4096, RO | WINREGION_GUARD));
	EXPECT_FALSE(try_write(armed));
	EXPECT_TRUE(try_read(armed));
	EXPECT_FALSE(try_write(armed));
	UNMAP(armed);
}

/* Whole ranges in several views, and in other memory, or nothing. */
TEST_F(section, protect_several)
{
	char *a = MAP(0, 0, RW), *b = MAP(UNIT, UNIT, RO);
	char *memory = wr_alloc(self->fd, UNIT);
	struct winregion_range ranges[] = {
		{ .address = (uintptr_t)a, .length = 4096, .protection = RO },
		{ .address = (uintptr_t)memory, .length = 4096,
		  .protection = RO },
		{ .address = (uintptr_t)b, .length = 4096, .protection = RW },
	};

	ASSERT_NE(NULL, memory);
	EXPECT_EQ(-EKEYREJECTED, wr_vector(self->fd, WINREGION_PROTECT, ranges, 3));
	EXPECT_TRUE(wr_is(self->fd, a, RW));
	EXPECT_TRUE(wr_is(self->fd, memory, RW));
	EXPECT_TRUE(try_write(a));
	ranges[2].protection = NA;
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, ranges, 3));
	EXPECT_EQ(RW, ranges[0].out_old_protection);
	EXPECT_EQ(RO, ranges[2].out_old_protection);
	EXPECT_FALSE(try_write(a));
	EXPECT_FALSE(try_write(memory));
	EXPECT_FALSE(try_read(b));
	EXPECT_TRUE(try_read(b + 4096));
	wr_release(self->fd, memory, 0);
	UNMAP(a);
	UNMAP(b);
}

/* Every other page, read only: neighbours are never mapped along with one. */
TEST_F(section, alternating)
{
	char *base = MAP(0, 0, RW);
	unsigned int i, wrong = 0;

	fill_pages(base, NR_PAGES, 60);
	for (i = 0; i < 300; i += 2) {
		ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(i), 4096, NA));
		ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(i + 1), 4096,
					i % 4 ? RO : RW));
	}
	EXPECT_EQ(0, madvise(base, SIZE, MADV_DONTNEED));
	for (i = 0; i < 300; i += 2) {
		wrong += try_read(base + PAGES(i));
		wrong += !try_read(base + PAGES(i + 1));
		wrong += try_write(base + PAGES(i + 1) + 9) != !(i % 4);
		wrong += try_read(base + PAGES(i));
	}
	EXPECT_EQ(0, wrong);
	wrong = 0;
	for (i = 301; i < NR_PAGES; i++)
		wrong += !page_has(base + PAGES(i), 60 + i);
	EXPECT_EQ(0, wrong);
	UNMAP(base);
}

struct writer {
	volatile uint64_t *word;
	volatile uint64_t written;
	volatile bool stop;
};

static void *write_on(void *arg)
{
	struct writer *writer = arg;
	uint64_t value = 0;

	race_catch_faults();
	while (!writer->stop) {
		value++;
		if (user_access(writer->word, &value, true))
			writer->written++;
	}
	return NULL;
}

/* Once rights have been taken away nobody has them, also who is just writing. */
TEST_F(section, revoked_while_writing)
{
	char *base = MAP(0, 0, RW), *other = MAP(0, 0, RO);
	struct writer writer = { .word = (uint64_t *)(base + PAGES(3)) };
	const volatile uint64_t *seen = (uint64_t *)(other + PAGES(3));
	unsigned int i, wrong = 0;
	uint64_t before, value;
	pthread_t thread;

	race_catch_faults();
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_on, &writer));
	for (i = 0; i < rounds(section_revoked); i++) {
		before = writer.written;
		while (writer.written == before)
			sched_yield();
		ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(3), 4096,
					i % 2 ? RO : NA));
		value = *seen;
		sched_yield();
		wrong += value != *seen;
		ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(3), 4096, RW));
	}
	writer.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, wrong);
	UNMAP(base);
	UNMAP(other);
}

/* ---- what the core can do to a view ---- */

/* Rules: UM-01, UM-02. And our part of UM-03 and VF-14. */
TEST_F(section, unmap)
{
	static const uint64_t offsets[] = { 0, 100, 0x1050, SIZE - 1 };
	char *memory = wr_alloc(self->fd, UNIT), *base;
	struct winregion_unmap_view arg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		base = MAP(0, 0, RW);
		*base = 1;
		EXPECT_EQ(-EBUSY, wr_release(self->fd, base, 0));
		EXPECT_EQ(-EBUSY, wr_release(self->fd, base, 4096));
		EXPECT_EQ(-EBUSY, wr_decommit(self->fd, base, 4096));
		EXPECT_EQ(-EBUSY, wr_decommit(self->fd, base, 0));
		arg = (struct winregion_unmap_view){
			.size = sizeof(arg),
			.address = (uintptr_t)base + offsets[i],
		};
		EXPECT_EQ(0, wr_ioctl(self->fd, WINREGION_UNMAP_VIEW, &arg));
		EXPECT_EQ((uintptr_t)base, arg.address);
		EXPECT_EQ(SIZE, arg.out_length);
		EXPECT_TRUE(wr_is_gone(self->fd, base));
		EXPECT_FALSE(try_read(base));
		EXPECT_EQ(-ENOENT, sec_unmap(self->fd, base));
	}
	EXPECT_EQ(-ENOENT, sec_unmap(self->fd, memory));
	EXPECT_EQ(-ENOENT, sec_unmap(self->fd, &arg));
	EXPECT_EQ(-EADDRNOTAVAIL, sec_unmap(self->fd, NULL));
	wr_release(self->fd, memory, 0);
	/* By the system call as well, but only as a whole */
	base = MAP(0, 0, RW);
	EXPECT_EQ(-1, munmap(base, 4096));
	EXPECT_EQ(-1, munmap(base + 4096, SIZE - 4096));
	EXPECT_EQ(MAP_FAILED, mmap(base + 4096, 4096, PROT_READ, MAP_PRIVATE |
				   MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_TRUE(wr_is(self->fd, base, RW));
	EXPECT_TRUE(try_write(base));
	EXPECT_EQ(0, munmap(base, SIZE));
	EXPECT_TRUE(wr_is_gone(self->fd, base));
}

/* What would change a view behind our back is refused, or harmless. */
TEST_F(section, mapping_calls)
{
	char *base = MAP(0, 0, RO), *other;
	int advice[] = { MADV_DONTNEED, MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT,
			 MADV_RANDOM, MADV_NORMAL };
	unsigned int i;

	ASSERT_EQ(0, wr_protect(self->fd, base + 4096, 4096, NA));
	EXPECT_EQ(-1, mprotect(base, SIZE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(-1, mprotect(base, SIZE, PROT_READ | PROT_EXEC));
	EXPECT_EQ(MAP_FAILED, mremap(base, SIZE, 2 * SIZE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(base, 0, SIZE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(base, SIZE, 4096, 0));
	other = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	EXPECT_EQ(MAP_FAILED, mremap(base, SIZE, SIZE, MREMAP_MAYMOVE |
				     MREMAP_FIXED, other));
	munmap(other, SIZE);
	EXPECT_TRUE(try_read(base));
	EXPECT_EQ(-1, madvise(base, SIZE, MADV_REMOVE));
	for (i = 0; i < ARRAY_SIZE(advice); i++)
		madvise(base, SIZE, advice[i]);
	EXPECT_FALSE(try_write(base));
	EXPECT_FALSE(try_read(base + 4096));
	EXPECT_TRUE(wr_is(self->fd, base, RO));
	UNMAP(base);
}

/*
 * The core maps another part of the file in a view's place for who asks it so, and
 * punches holes, where the file in the VMA may be written.
 */
TEST_F(section, no_way_to_the_file)
{
	const uint32_t protections[] = { RO, RW, NA };
	unsigned int i;
	char *base;

	for (i = 0; i < ARRAY_SIZE(protections); i++) {
		base = MAP(0, UNIT, protections[i]);
		EXPECT_EQ(-1, syscall(SYS_remap_file_pages, base, UNIT, 0, 16,
				      0));
		EXPECT_EQ(-1, syscall(SYS_remap_file_pages, base, UNIT, 0, 0,
				      0));
		EXPECT_EQ(-1, syscall(SYS_remap_file_pages, base, 4096, 0, 1,
				      0));
		EXPECT_EQ(-1, madvise(base, UNIT, MADV_REMOVE));
		EXPECT_TRUE(wr_is(self->fd, base, protections[i]));
		UNMAP(base);
	}
}

/* Of two views beside each other, too */
TEST_F(section, no_way_by_two_views)
{
	char *base = MAP(0, 0, RW), *second;

	UNMAP(base);
	ASSERT_EQ(0, sec_map_at(self->section, base, 0, UNIT, RW));
	second = base + UNIT;
	ASSERT_EQ(0, sec_map_at(self->section, second, UNIT, UNIT, RW));
	EXPECT_EQ(-1, syscall(SYS_remap_file_pages, base, 2 * UNIT, 0, 0, 0));
	EXPECT_TRUE(wr_is(self->fd, base, RW));
	UNMAP(base);
	UNMAP(second);
}

/* A debugger cannot write what the view cannot, either. */
TEST_F(section, proc_mem)
{
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char *base = MAP(0, 0, RO), *whole = MAP(0, 0, RW);
	uint64_t word = 5;

	ASSERT_LE(0, mem);
	EXPECT_EQ(-1, pwrite(mem, &word, 8, (uintptr_t)base));
	EXPECT_EQ(8, pwrite(mem, &word, 8, (uintptr_t)whole + 8));
	EXPECT_EQ(8, pread(mem, &word, 8, (uintptr_t)base + 8));
	EXPECT_EQ(5, word);
	EXPECT_EQ(0, *(uint64_t *)base);
	close(mem);
	UNMAP(base);
	UNMAP(whole);
}

static bool is_later(const struct timespec *time, const struct timespec *than)
{
	if (time->tv_sec != than->tv_sec)
		return time->tv_sec > than->tv_sec;
	return time->tv_nsec > than->tv_nsec;
}

/* A write is one to the file, also where each page is asked for. */
TEST_F(section, time_of_writing)
{
	char *base = MAP(0, 0, RW);
	const struct timespec long_ago[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct stat before, after;

	ASSERT_EQ(0, wr_protect(self->fd, base + UNIT, 1, RO));
	if (self->file >= 0) {
		/* Some count whole seconds. */
		ASSERT_EQ(0, futimens(self->file, long_ago));
		ASSERT_EQ(0, fstat(self->file, &before));
		*(volatile char *)base = 1;
		ASSERT_EQ(0, fstat(self->file, &after));
		EXPECT_TRUE(is_later(&after.st_mtim, &before.st_mtim));
	}
	UNMAP(base);
}

/* ---- processes ---- */

struct shared {
	int fd;
	int section;
	char *base;
};

static int use_inherited(void *arg)
{
	struct shared *shared = arg;
	char *base = shared->base, *mine;
	struct winregion_run run;

	CHECK(!wr_query(shared->fd, base, &run));
	CHECK(run.type == WINREGION_TYPE_MAPPED);
	CHECK(wr_is(shared->fd, base + 4096, RO));
	CHECK(!try_write(base + 4096));
	CHECK(page_has(base + 4096, 31));
	CHECK(try_write_byte(base + PAGES(5), 42));
	CHECK(!wr_protect(shared->fd, base + PAGES(6), 4096, NA));
	CHECK(!try_read(base + PAGES(6)));
	CHECK(!wr_protect(shared->fd, base + 4096, 4096, RW));
	CHECK(!sec_map(shared->section, 0, 0, RW, &mine));
	CHECK(page_has(mine + 4096, 31));
	CHECK(!sec_unmap(shared->fd, base));
	CHECK(wr_is_gone(shared->fd, base));
	return 0;
}

/* A fork copies views, with the protection of their pages; they show the same. */
TEST_F(section, fork)
{
	struct shared shared = {
		.fd = self->fd,
		.section = self->section,
		.base = MAP(0, 0, RW),
	};
	char *base = shared.base;

	fill_pages(base, 16, 30);
	ASSERT_EQ(0, wr_protect(self->fd, base + 4096, 4096, RO));
	EXPECT_EQ(0, in_child(use_inherited, &shared));
	EXPECT_EQ(42, base[PAGES(5)]);
	EXPECT_TRUE(try_read(base + PAGES(6)));
	EXPECT_FALSE(try_write(base + 4096));
	EXPECT_TRUE(wr_is(self->fd, base, RW));
	UNMAP(base);
}

/* Its status tells whether something is mapped there. */
static int exec_look(void *base)
{
	char script[80];

	snprintf(script, sizeof(script), "! grep -q '^%lx-' /proc/self/maps",
		 (unsigned long)base);
	execl("/bin/sh", "sh", "-c", script, NULL);
	return __LINE__;
}

/* Nothing is left of who is gone, and all of it for who stays. Rule: MV-56. */
TEST_F(section, ends_with_process)
{
	uint64_t regions = WR_INFO(self->fd, out_regions);
	char *base = MAP(0, 0, RW);
	unsigned int i;
	pid_t pid;

	fill_pages(base, 4, 8);
	for (i = 0; i < 20; i++) {
		pid = fork();
		if (!pid) {
			for (;;) {
				char *mine;

				if (sec_map(self->section, 0, 0, RW, &mine) ||
				    wr_protect(self->fd, mine, 4096, RO) ||
				    (i % 2 && sec_unmap(self->fd, mine)))
					pause();
			}
		}
		ASSERT_LT(0, pid);
		sleep_ms(i);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	EXPECT_EQ(0, in_child(exec_look, base));
	EXPECT_TRUE(pages_have(base, 4, 8));
	EXPECT_EQ(regions + 1, WR_INFO(self->fd, out_regions));
	UNMAP(base);
	EXPECT_EQ(regions, WR_INFO(self->fd, out_regions));
}

/* ---- places ---- */

/* Our part of MV-24, MV-25, MV-27, MV-28, and AR-22. */
TEST_F(section, given_address)
{
	char *memory = wr_reserve(self->fd, 4 * UNIT), *base;
	struct winregion_map_view arg = { .protection = RW };

	ASSERT_NE(NULL, memory);
	EXPECT_EQ(-EEXIST, sec_map_at(self->section, memory, 0, UNIT, RW));
	EXPECT_EQ(-EEXIST, sec_map_at(self->section, memory + 3 * UNIT, 0,
				      2 * UNIT, RW));
	ASSERT_EQ(0, wr_release(self->fd, memory, 0));
	/* A ring: the same pages twice, one behind the other */
	ASSERT_EQ(0, sec_map_at(self->section, memory, 0, 2 * UNIT, RW));
	ASSERT_EQ(0, sec_map_at(self->section, memory + 2 * UNIT, 0, 2 * UNIT,
				RW));
	fill_pages(memory, 32, 12);
	EXPECT_TRUE(pages_have(memory + 2 * UNIT, 32, 12));
	EXPECT_EQ(-EEXIST, sec_map_at(self->section, memory + UNIT, 0, UNIT,
				      RW));
	EXPECT_TRUE(pages_have(memory, 32, 12));
	/* Whole ranges of regions do not mind, nor other mappings. */
	EXPECT_EQ(-EEXIST, wr_reserve_at(self->fd, &(uint64_t){
					 (uintptr_t)memory + UNIT }, UNIT, 0,
					 RW));
	UNMAP(memory + UNIT);
	EXPECT_TRUE(pages_have(memory + 2 * UNIT, 32, 12));
	base = memory;
	ASSERT_EQ(0, wr_reserve_at(self->fd, &(uint64_t){ (uintptr_t)base },
				   2 * UNIT, 0, RW));
	EXPECT_EQ(0, wr_commit(self->fd, base, 2 * UNIT, RW));
	EXPECT_TRUE(page_is_zero(base));
	EXPECT_EQ(0, wr_release(self->fd, base, 0));
	UNMAP(memory + 2 * UNIT);
	arg.offset = 4096;
	EXPECT_EQ(-EINVAL, sec_map_with(self->section, &arg, &base));
	arg.offset = SIZE;
	EXPECT_EQ(-ERANGE, sec_map_with(self->section, &arg, &base));
	EXPECT_EQ(-EINVAL, sec_map_at(self->section, memory + 4096, 0, 0, RW));
	EXPECT_EQ(-EADDRNOTAVAIL, sec_map_at(self->section,
					     (void *)(USER_END - 0x10000), 0, 0,
					     RW));
	EXPECT_EQ(-EOVERFLOW, sec_map_at(self->section,
					 (void *)(USER_END - 0x30000), 0,
					 0, RW));
	arg = (struct winregion_map_view){
		.protection = RW,
		.address = (uintptr_t)memory,
		.highest = USER_HIGHEST,
	};
	EXPECT_EQ(-EINVAL, sec_map_with(self->section, &arg, &base));
}

/* Rules: MV-44. And our part of AR-21. */
TEST_F(section, limits_of_address)
{
	struct winregion_map_view arg = {
		.protection = RW,
		.length = UNIT,
		.lowest = 0x100000000,
		.highest = 0x1ffffffff,
	};
	char *base, *high;

	ASSERT_EQ(0, sec_map_with(self->section, &arg, &base));
	EXPECT_LE(0x100000000, (uintptr_t)base);
	EXPECT_GE(0x1ffffffff, (uintptr_t)base + UNIT - 1);
	EXPECT_TRUE(try_write(base));
	UNMAP(base);
	arg.address = 0;
	arg.flags = WINREGION_VIEW_TOP_DOWN;
	ASSERT_EQ(0, sec_map_with(self->section, &arg, &high));
	EXPECT_EQ(0x200000000 - UNIT, (uintptr_t)high);
	UNMAP(high);
	arg.address = 0;
	arg.highest = 0x1fffffffe;
	EXPECT_EQ(-EINVAL, sec_map_with(self->section, &arg, &base));
	arg.highest = 0xffffffff;
	EXPECT_EQ(-EINVAL, sec_map_with(self->section, &arg, &base));
	arg.highest = 0x10000ffff;
	arg.length = 2 * UNIT;
	EXPECT_EQ(-ENOSPC, sec_map_with(self->section, &arg, &base));
	arg.lowest = 4096;
	EXPECT_EQ(-EINVAL, sec_map_with(self->section, &arg, &base));
}

/* ---- flush ---- */

/* Rules: FV-01, FV-02, FV-03. And our part of FV-04. */
TEST_F(section, flush)
{
	char *base = MAP(UNIT, 4 * UNIT, RW);

	fill_pages(base, 64, 2);
	EXPECT_EQ(0, sec_flush(self->fd, base, 0));
	EXPECT_EQ(0, sec_flush(self->fd, base + 5, 4096));
	EXPECT_EQ(0, sec_flush(self->fd, base, 4 * UNIT));
	EXPECT_EQ(-EXDEV, sec_flush(self->fd, base + 1, 4 * UNIT));
	EXPECT_TRUE(try_write(base));
	UNMAP(base);
	EXPECT_EQ(-ENOENT, sec_flush(self->fd, base, 0));
}

/* ---- files ---- */

/* Pages behind the end raise SIGBUS, and come back with the file. */
TEST_F(section, truncation)
{
	char *base;
	unsigned int i;

	if (self->file < 0)
		SKIP(return, "nobody can truncate it");
	base = MAP(0, 0, RW);
	fill_pages(base, NR_PAGES, 1);
	ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(2), 4096, RO));
	EXPECT_EQ(SIZE, sec_query_file(self->fd, self->file));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ftruncate(self->file, 0));
		EXPECT_FALSE(try_read(base + PAGES(2)));
		EXPECT_EQ(SIGBUS, probe_fault.sig);
		EXPECT_FALSE(try_write(base + PAGES(3)));
		EXPECT_EQ(SIGBUS, probe_fault.sig);
		EXPECT_FALSE(try_write(base + PAGES(2)));
		EXPECT_EQ(SIGSEGV, probe_fault.sig);
		ASSERT_EQ(0, ftruncate(self->file, SIZE));
		EXPECT_TRUE(page_is_zero(base + PAGES(2)));
		EXPECT_TRUE(try_write(base + PAGES(3)));
		EXPECT_FALSE(try_write(base + PAGES(2)));
	}
	UNMAP(base);
	close(self->section);
	self->section = -1;
	EXPECT_TRUE(SETTLES(!sec_query_file(self->fd, self->file)));
}

/*
 * A file that ends within a large page, all of which some kernels map when it is read.
 * What is behind the end may be there then, but no access goes on for ever.
 */
TEST_F(section, end_within_a_large_page)
{
	const unsigned int end = NR_PAGES / 2 + 3;
	unsigned int i;
	char *base;

	if (self->file < 0)
		SKIP(return, "nobody can truncate it");
	base = MAP(0, 0, RW);
	ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(2), 4096, RO));
	ASSERT_EQ(0, ftruncate(self->file, 0));
	ASSERT_EQ(0, ftruncate(self->file, PAGES(end)));
	for (i = 0; i < NR_PAGES; i++) {
		EXPECT_TRUE(try_read(base + PAGES(i)) ||
			    (i >= end && probe_fault.sig == SIGBUS));
		EXPECT_TRUE(i == 2 || try_write(base + PAGES(i)) ||
			    (i >= end && probe_fault.sig == SIGBUS));
	}
	ASSERT_EQ(0, ftruncate(self->file, SIZE));
	EXPECT_TRUE(try_write(base + PAGES(end + 1)));
	UNMAP(base);
}

/* Rules: CM-20, CM-25, MV-30, VQ-16. Files have any number of bytes. */
TEST_F(section, odd_sizes)
{
	struct winregion_query_section info;
	struct winregion_run run;
	uint64_t length = 0;
	struct stat st;
	int section;
	char *base;

	if (self->file < 0)
		SKIP(return, "of memory there are whole pages");
	ASSERT_EQ(0, ftruncate(self->file, 0x3452));
	section = sec_create_as(self->fd, self->file, &length, 0, RO,
				WINREGION_SECTION_ALL);
	ASSERT_LE(0, section);
	EXPECT_EQ(0x3452, length);
	ASSERT_EQ(0, sec_query(section, &info));
	EXPECT_EQ(0x3452, info.out_length);
	EXPECT_EQ(WINREGION_SECTION_FILE, info.out_flags);
	EXPECT_EQ(RO, info.out_protection);
	EXPECT_EQ(WINREGION_SECTION_ALL, info.out_access);
	ASSERT_EQ(0, fstat(self->file, &st));
	EXPECT_EQ(st.st_dev, info.out_device);
	EXPECT_EQ(st.st_ino, info.out_inode);
	ASSERT_EQ(0, sec_map(section, 0, 0x3452, RO, &base));
	EXPECT_EQ(0, base[0x3fff]);
	ASSERT_EQ(0, wr_query(self->fd, base, &run));
	EXPECT_EQ(0x4000, run.length);
	UNMAP(base);
	EXPECT_EQ(-ERANGE, sec_map(section, 0, 0x3453, RO, &base));
	EXPECT_EQ(-EFBIG, sec_create(self->fd, self->file, 0x3453, 0, RO));
	ASSERT_EQ(0, ftruncate(self->file, 0x5000));
	EXPECT_EQ(-EFBIG, sec_extend(section, 0x5001));
	EXPECT_EQ(0, sec_extend(section, 0x5000));
	EXPECT_EQ(0, sec_extend(section, 0x4000));
	ASSERT_EQ(0, sec_map(section, 0, 0x5000, RO, &base));
	UNMAP(base);
	close(section);
	ASSERT_EQ(0, ftruncate(self->file, 0));
	EXPECT_EQ(-ENXIO, sec_create(self->fd, self->file, 0, 0, RO));
}

/* ---- rights ---- */

/*
 * Rules: OM-05. A descriptor gives no more than it was made with: our part of
 * CM-48, CM-49, MV-10, OM-02, OM-03, OM-06, and OM-07.
 */
TEST_F(section, descriptors)
{
	struct winregion_query_section info;
	int reader, writer, none, ro;
	char *base;

	reader = sec_duplicate(self->section, WINREGION_SECTION_MAP_READ);
	writer = sec_duplicate(self->section, WINREGION_SECTION_MAP_WRITE);
	none = sec_duplicate(self->section, 0);
	ASSERT_LE(0, reader);
	ASSERT_LE(0, writer);
	ASSERT_LE(0, none);
	EXPECT_EQ(FD_CLOEXEC, fcntl(reader, F_GETFD));
	EXPECT_EQ(-EKEYREJECTED, sec_map(reader, 0, 0, RW, &base));
	ASSERT_EQ(0, sec_map(reader, 0, 0, RO, &base));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, base, 1, RW));
	UNMAP(base);
	ASSERT_EQ(0, sec_map(reader, 0, 0, NA, &base));
	UNMAP(base);
	EXPECT_EQ(-EKEYREJECTED, sec_map(writer, 0, 0, RO, &base));
	ASSERT_EQ(0, sec_map(writer, 0, 0, RW, &base));
	EXPECT_TRUE(try_write(base));
	UNMAP(base);
	EXPECT_EQ(-EKEYREJECTED, sec_map(none, 0, 0, NA, &base));
	EXPECT_EQ(-EKEYREJECTED, sec_map(none, 0, 0, RO, &base));
	EXPECT_EQ(-EKEYREJECTED, sec_query(reader, &info));
	EXPECT_EQ(-EKEYREJECTED, sec_duplicate(reader, WINREGION_SECTION_MAP_WRITE));
	EXPECT_EQ(-EKEYREJECTED, sec_extend(reader, 1));
	EXPECT_EQ(-EOPNOTSUPP, sec_duplicate(self->section, 0x20));
	close(reader);
	close(writer);
	close(none);
	ro = sec_create(self->fd, self->file, SIZE, 0, RO);
	ASSERT_LE(0, ro);
	EXPECT_EQ(-EKEYREJECTED, sec_map(ro, 0, 0, RW, &base));
	ASSERT_EQ(0, sec_map(ro, 0, 0, RO, &base));
	EXPECT_FALSE(try_write(base));
	UNMAP(base);
	close(ro);
}

/* Rules: CM-04. How the file was opened decides. */
TEST_F(section, modes_of_files)
{
	char path[64];
	int file, section;

	if (self->file < 0)
		SKIP(return, "there is no file");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->file);
	file = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, file);
	EXPECT_EQ(-EKEYREJECTED, sec_create(self->fd, file, 0, 0, RW));
	section = sec_create(self->fd, file, 0, 0, RO);
	EXPECT_LE(0, section);
	close(section);
	close(file);
	file = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, file);
	EXPECT_EQ(-EKEYREJECTED, sec_create(self->fd, file, 0, 0, RW));
	EXPECT_EQ(-EKEYREJECTED, sec_create(self->fd, file, 0, 0, RO));
	close(file);
	file = open(path, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, file);
	EXPECT_EQ(-EBADF, sec_create(self->fd, file, 0, 0, RO));
	close(file);
}

FIXTURE(sections)
{
	int fd;
};

FIXTURE_SETUP(sections)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(sections)
{
	close(self->fd);
}

/* Rules: CM-08, CM-26, MV-22. And our part of CM-02 and CM-31. */
TEST_F(sections, create_errors)
{
	static const uint32_t bad[] = {
		0, WINREGION_NOACCESS, WINREGION_EXECUTE, RO | RW, 0x200,
		RW | WINREGION_GUARD, ~0U,
	};
	struct winregion_query_section info;
	uint64_t length = 0x3452;
	int section, fds[2];
	unsigned int i;
	char *base;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EDOM, sec_create(self->fd, -1, 4096, 0, bad[i]));
	EXPECT_EQ(-EINVAL, sec_create(self->fd, -1, 0, 0, RW));
	EXPECT_EQ(-EINVAL, sec_create(self->fd, -2, 4096, 0, RW));
	EXPECT_EQ(-EBADF, sec_create(self->fd, 999, 4096, 0, RW));
	EXPECT_EQ(-EOPNOTSUPP, sec_create(self->fd, -1, 4096, 1 << 3, RW));
	EXPECT_EQ(-EFBIG, sec_create(self->fd, -1, 1ULL << 47,
				     WINREGION_SECTION_RESERVE, RW));
	EXPECT_EQ(-EFBIG, sec_create(self->fd, -1, ~0ULL, 0, RW));
	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(-EMEDIUMTYPE, sec_create(self->fd, fds[0], 0, 0, RO));
	close(fds[0]);
	close(fds[1]);
	EXPECT_EQ(-EMEDIUMTYPE, sec_create(self->fd, self->fd, 0, 0, RO));
	fds[0] = open("/tmp", O_RDONLY | O_DIRECTORY);
	EXPECT_EQ(-EMEDIUMTYPE, sec_create(self->fd, fds[0], 0, 0, RO));
	close(fds[0]);
	fds[0] = open("/proc/self/maps", O_RDONLY);
	EXPECT_GT(0, sec_create(self->fd, fds[0], 4096, 0, RO));
	close(fds[0]);
	section = sec_create_as(self->fd, -1, &length, 0, RW,
				WINREGION_SECTION_QUERY);
	ASSERT_LE(0, section);
	EXPECT_EQ(0x4000, length);
	ASSERT_EQ(0, sec_query(section, &info));
	EXPECT_EQ(0x4000, info.out_length);
	EXPECT_EQ(0, info.out_flags);
	EXPECT_EQ(WINREGION_SECTION_QUERY, info.out_access);
	close(section);
	section = sec_create(self->fd, -1, 0x3452, 0, RW);
	ASSERT_EQ(0, sec_map(section, 0, 0x4000, RW, &base));
	EXPECT_TRUE(try_write(base + 0x3fff));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	EXPECT_EQ(-ERANGE, sec_map(section, 0, 0x4001, RW, &base));
	EXPECT_EQ(-ENOTTY, sec_unmap(section, (void *)UNIT));
	EXPECT_EQ(-ENOTTY, sec_query(self->fd, &info));
	close(section);
}

/* Returns what it is refused with, or 0. No mapping stays. */
static int create_leaves_nothing(int fd, int file)
{
	size_t before = count_all_vmas();
	int section = sec_create(fd, file, 0, 0, RW);

	if (section >= 0)
		close(section);
	return count_all_vmas() == before ? section < 0 ? section : 0 : -EDOM;
}

/* One page can be locked, and not two. */
static int create_with_little_lock(void *arg)
{
	struct rlimit limit = { .rlim_cur = 4096, .rlim_max = 4096 };
	int file = memfd_create("limits", MFD_CLOEXEC), fd = wr_open();

	CHECK(!ftruncate(file, UNIT));
	CHECK(!setrlimit(RLIMIT_MEMLOCK, &limit));
	CHECK(!setgid(65534) && !setuid(65534));
	CHECK(!mlockall(MCL_FUTURE));
	CHECK(create_leaves_nothing(fd, file) == -EAGAIN);
	CHECK(!munlockall());
	CHECK(!create_leaves_nothing(fd, file));
	return 0;
}

static int create_with_few_maps(void *arg)
{
	int file = memfd_create("limits", MFD_CLOEXEC), fd = wr_open();
	int i, err, refused = 0, before = count_all_vmas();

	CHECK(!ftruncate(file, UNIT));
	for (i = -4; i < 4; i++) {
		CHECK(write_number(MAX_MAP_COUNT, before + i));
		err = create_leaves_nothing(fd, file);
		CHECK(!err || err == -ENOSPC);
		refused += !!err;
	}
	CHECK(refused > 1 && refused < 8);
	return 0;
}

/* A page of the file is mapped to try it. It does not stay. */
TEST_F(sections, tried_at_the_limits)
{
	int64_t max_maps = read_number(MAX_MAP_COUNT);

	if (geteuid())
		SKIP(return, "only root may set limits");
	EXPECT_EQ(0, in_child(create_with_little_lock, NULL));
	EXPECT_EQ(0, in_child(create_with_few_maps, NULL));
	EXPECT_TRUE(write_number(MAX_MAP_COUNT, max_maps));
}

/* What is sealed is refused to writers; who only reads keeps nobody from sealing. */
TEST_F(sections, seals)
{
	int file = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int section;
	char *base;

	ASSERT_EQ(0, ftruncate(file, UNIT));
	section = sec_create(self->fd, file, 0, 0, RW);
	ASSERT_LE(0, section);
	EXPECT_EQ(-1, fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(EBUSY, errno);
	close(section);
	EXPECT_TRUE(SETTLES(!fcntl(file, F_ADD_SEALS, F_SEAL_FUTURE_WRITE)));
	EXPECT_EQ(-EKEYREJECTED, sec_create(self->fd, file, 0, 0, RW));
	section = sec_create(self->fd, file, 0, 0, RO);
	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_map(section, 0, 0, RO, &base));
	EXPECT_FALSE(try_write(base));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, base, 1, RW));
	EXPECT_EQ(0, fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_TRUE(try_read(base));
	EXPECT_FALSE(try_write(base));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	ASSERT_EQ(0, sec_map(section, 0, 0, RO, &base));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	close(section);
	EXPECT_EQ(-EKEYREJECTED, sec_create(self->fd, file, 0, 0, RW));
	section = sec_create(self->fd, file, 0, 0, RO);
	EXPECT_LE(0, section);
	close(section);
	close(file);
}

/* What may not be mapped to write any more is not by a section made before, either. */
TEST_F(sections, sealed_later)
{
	int file = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int section;
	char *base;

	ASSERT_EQ(0, ftruncate(file, UNIT));
	section = sec_create(self->fd, file, 0, 0, RW);
	ASSERT_LE(0, section);
	ASSERT_EQ(0, fcntl(file, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	EXPECT_EQ(-EACCES, sec_map(section, 0, 0, RW, &base));
	ASSERT_EQ(0, sec_map(section, 0, 0, RO, &base));
	EXPECT_FALSE(try_write(base));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	close(section);
	close(file);
}

/* Rules: CM-29. Memory is charged to its last byte, and given back. */
TEST_F(sections, charge)
{
	uint64_t total = WR_INFO(self->fd, out_total);
	char *base;
	int section;

	section = sec_create(self->fd, -1, MIB(32), 0, RW);
	ASSERT_LE(0, section);
	EXPECT_EQ(total + MIB(32), WR_INFO(self->fd, out_total));
	ASSERT_EQ(0, sec_map(section, 0, 0, RW, &base));
	fill_pages(base, 100, 1);
	close(section);
	EXPECT_EQ(total + MIB(32), WR_INFO(self->fd, out_total));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
	section = sec_create(self->fd, -1, GIB(8), WINREGION_SECTION_RESERVE,
			     RW);
	EXPECT_LE(0, section);
	EXPECT_EQ(total, WR_INFO(self->fd, out_total));
	close(section);
	EXPECT_EQ(-EDQUOT, sec_create(self->fd, -1, GIB(512), 0, RW));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

/*
 * What can still be committed. Free pages that the core keeps for each processor are
 * not available by its own account; it gives some of them back each time that it
 * counts, which is once in a second if nobody asks.
 */
static int64_t room(int fd)
{
	struct winregion_get_info info;

	read_number("/proc/sys/vm/stat_refresh");
	if (wr_get_info(fd, &info))
		return -1;
	return info.out_limit - info.out_total;
}

/*
 * Pages that are in memory are no promises any more. Memory of a section is not to
 * count twice, as promised and as what the system cannot give any more. What can be
 * committed moves in steps of a 64th of memory, and some is the core's for a while.
 */
TEST_F(sections, touched_is_promised_no_more)
{
	const int64_t length = MIB(256), more = MIB(128);
	const uint32_t flags[] = { 0, WINREGION_SECTION_RESERVE };
	int64_t before, others;
	unsigned int i;
	int section;
	char *base;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		before = room(self->fd);
		others = promised_beside_ours(self->fd);
		section = sec_create(self->fd, -1, length, flags[i], RW);
		ASSERT_LE(0, section);
		ASSERT_EQ(0, sec_map(section, 0, 0, RW, &base));
		ASSERT_EQ(0, wr_commit(self->fd, base, length, RW));
		fill_pages(base, length / 4096, 1);
		EXPECT_TRUE(SETTLES(room(self->fd) > before - length - more));
		/* Nor in the core's accounts. */
		EXPECT_LT(promised_beside_ours(self->fd), others + MIB(16));
		EXPECT_EQ(0, sec_unmap(self->fd, base));
		close(section);
		EXPECT_TRUE(SETTLES(room(self->fd) > before - more));
	}
}

static int commit_for_another(void *arg)
{
	char *base = arg;
	int fd = wr_open();
	int64_t before;

	CHECK(!setresuid(1001, 1001, 1001));
	before = room(fd);
	CHECK(!wr_commit(fd, base + MIB(32), 4096, RW));
	CHECK(SETTLES(before - room(fd) < (int64_t)MIB(8)));
	return 0;
}

static int pay_for_all(void *arg)
{
	int fd = wr_open(), section;
	char *base;

	CHECK(!setresuid(1000, 1000, 0));
	section = sec_create(fd, -1, MIB(64), WINREGION_SECTION_RESERVE, RW);
	CHECK(section >= 0);
	CHECK(!sec_map(section, 0, 0, RW, &base));
	CHECK(!wr_commit(fd, base, MIB(32), RW));
	CHECK(!setresuid(0, 0, 0));
	return in_child(commit_for_another, base);
}

#define SEEN "/tmp/wr_section_seen"
#define SEEN_PAGES 8

/* What a query tells of a file that is open for reading, and what mincore() does */
static int look_into(int fd, uint64_t *told, unsigned int *seen)
{
	int file = open(SEEN, O_RDONLY | O_CLOEXEC), section;
	unsigned char vec[SEEN_PAGES];
	struct winregion_run run;
	unsigned int i;
	char *base;

	CHECK(file >= 0);
	base = mmap(NULL, PAGES(SEEN_PAGES), PROT_READ, MAP_SHARED, file, 0);
	CHECK(base != MAP_FAILED && !mincore(base, PAGES(SEEN_PAGES), vec));
	for (*seen = 0, i = 0; i < SEEN_PAGES; i++)
		*seen += vec[i] & 1;
	section = sec_create(fd, file, 0, 0, RO);
	CHECK(section >= 0);
	CHECK(!sec_map(section, 0, 0, RO, &base));
	CHECK(!wr_query_flags(fd, base, WINREGION_QUERY_RESIDENT, &run));
	*told = run.resident;
	CHECK(!sec_unmap(fd, base));
	close(section);
	close(file);
	return 0;
}

static int look_as_another(void *arg)
{
	int fd = *(int *)arg;
	unsigned int seen;
	uint64_t told;

	CHECK(!setresuid(1001, 1001, 1001));
	CHECK(!look_into(fd, &told, &seen));
	CHECK(seen == SEEN_PAGES);
	CHECK(told == PAGES(SEEN_PAGES));
	return 0;
}

/* Nobody is told more of another user's file than mincore() tells him. */
TEST_F(sections, resident_of_another_user)
{
	int file = open(SEEN, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	unsigned int seen;
	uint64_t told;

	ASSERT_LE(0, file);
	if (geteuid())
		SKIP(return, "only root can be somebody else");
	ASSERT_EQ(0, ftruncate(file, PAGES(SEEN_PAGES)));
	ASSERT_EQ(1, pwrite(file, "x", 1, PAGES(3)));
	EXPECT_EQ(0, look_into(self->fd, &told, &seen));
	EXPECT_EQ(1, seen);
	EXPECT_EQ(PAGES(1), told);
	EXPECT_EQ(0, in_child(look_as_another, &self->fd));
	close(file);
	unlink(SEEN);
}

/* Who makes a section pays for it, whoever commits its pages. */
TEST_F(sections, who_pays)
{
	if (geteuid())
		SKIP(return, "only root can be somebody else");
	EXPECT_EQ(0, in_child(pay_for_all, NULL));
}

struct reserve {
	int fd;
	int section;
	char *base;
	struct rendezvous rv;
};

static int other_process(void *arg)
{
	struct reserve *reserve = arg;
	struct winregion_run run;
	char *base;

	CHECK(!sec_map(reserve->section, 0, 0, RO, &base));
	CHECK(wr_is_reserved(reserve->fd, base));
	CHECK(!try_read(base + PAGES(2)));
	rendezvous_signal(&reserve->rv, 1);
	rendezvous_wait(&reserve->rv, 1);
	CHECK(wr_is(reserve->fd, base + PAGES(2), RO));
	CHECK(try_read(base + PAGES(2)));
	CHECK(page_has(base + PAGES(2), 21));
	CHECK(!try_read(base + 4096));
	CHECK(!wr_query(reserve->fd, base, &run));
	CHECK(run.length == PAGES(2));
	CHECK(wr_is(reserve->fd, reserve->base + PAGES(2), RW));
	return 0;
}

/* Rules: SR-01, SR-02, SR-03, SR-04, SR-05, SR-07, SR-08, SR-09, SR-12. */
TEST_F(sections, demand_commit)
{
	struct reserve reserve = { .fd = self->fd };
	uint64_t total = WR_INFO(self->fd, out_total);
	struct winregion_run run;
	struct child child;
	char *base, *again;

	reserve.section = sec_create(self->fd, -1, GIB(8),
				     WINREGION_SECTION_RESERVE, RW);
	ASSERT_LE(0, reserve.section);
	EXPECT_EQ(total, WR_INFO(self->fd, out_total));
	ASSERT_EQ(0, sec_map(reserve.section, 0, 0, RW, &base));
	reserve.base = base;
	ASSERT_EQ(0, wr_query(self->fd, base, &run));
	EXPECT_EQ(WINREGION_STATE_RESERVE, run.state);
	EXPECT_EQ(0, run.protection);
	EXPECT_EQ(RW, run.region_protection);
	EXPECT_EQ(WINREGION_TYPE_MAPPED, run.type);
	EXPECT_EQ(GIB(8), run.length);
	EXPECT_FALSE(try_read(base));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
	EXPECT_EQ(-ENODATA, wr_protect(self->fd, base, 4096, RO));
	ASSERT_TRUE(rendezvous_init(&reserve.rv));
	child = start_child(other_process, &reserve);
	rendezvous_wait(&reserve.rv, 0);
	ASSERT_EQ(0, wr_commit(self->fd, base + PAGES(2), PAGES(3), RW));
	fill_pages(base + PAGES(2), 3, 21);
	rendezvous_signal(&reserve.rv, 0);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_LE(total + PAGES(3), WR_INFO(self->fd, out_total));
	ASSERT_EQ(0, wr_query(self->fd, base + PAGES(2), &run));
	EXPECT_EQ(PAGES(3), run.length);
	EXPECT_EQ(-EBUSY, wr_decommit(self->fd, base + PAGES(2), 4096));
	ASSERT_EQ(0, wr_commit(self->fd, base + PAGES(3), PAGES(3), RO));
	EXPECT_FALSE(try_write(base + PAGES(3)));
	EXPECT_TRUE(page_has(base + PAGES(3), 22));
	EXPECT_TRUE(page_is_zero(base + PAGES(5)));
	EXPECT_EQ(0, sec_map(reserve.section, 0, 0, RW, &again));
	EXPECT_TRUE(wr_is(self->fd, again + PAGES(3), RW));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	EXPECT_TRUE(page_has(again + PAGES(4), 23));
	EXPECT_EQ(0, sec_unmap(self->fd, again));
	ASSERT_EQ(0, sec_map(reserve.section, 0, MIB(1), RO, &again));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, again, 4096, RW));
	EXPECT_EQ(-EKEYREJECTED, wr_commit(self->fd, again, 4096, RW));
	EXPECT_TRUE(page_has(again + PAGES(4), 23));
	EXPECT_EQ(0, sec_unmap(self->fd, again));
	close(reserve.section);
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

/* Rules: MV-46. */
TEST_F(sections, commit_with_map)
{
	struct winregion_map_view arg = {
		.protection = RW,
		.offset = UNIT,
		.commit = 4097,
	};
	int section, file;
	char *base;

	section = sec_create(self->fd, -1, MIB(1), WINREGION_SECTION_RESERVE,
			     RW);
	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_map_with(section, &arg, &base));
	EXPECT_TRUE(wr_is(self->fd, base + 4096, RW));
	EXPECT_TRUE(wr_is_reserved(self->fd, base + PAGES(2)));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	arg = (struct winregion_map_view){ .protection = RW, .length = UNIT,
					   .commit = UNIT + 1 };
	EXPECT_EQ(-ERANGE, sec_map_with(section, &arg, &base));
	close(section);
	file = memfd_create("file", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(file, UNIT));
	section = sec_create(self->fd, file, 0, 0, RW);
	arg.commit = 4096;
	EXPECT_EQ(-EINVAL, sec_map_with(section, &arg, &base));
	close(section);
	close(file);
}

/*
 * A view that is larger than its section shows of the file what the section has: all that
 * it grows to, or the part that the section is of, and no more. Rules: MV-42, MV-43.
 */
TEST_F(sections, larger_than_the_section)
{
	struct winregion_map_view arg = {
		.flags = WINREGION_VIEW_RESERVE,
		.protection = RW,
		.length = 2 * UNIT,
	};
	int file = memfd_create("file", MFD_CLOEXEC), whole, part;
	char *all, *some;

	ASSERT_EQ(0, ftruncate(file, PAGES(3)));
	whole = sec_create(self->fd, file, 0, 0, RW);
	part = sec_create(self->fd, file, 100, 0, RW);
	ASSERT_EQ(0, sec_map_with(whole, &arg, &all));
	arg.address = 0;
	arg.length = 2 * UNIT;
	ASSERT_EQ(0, sec_map_with(part, &arg, &some));
	EXPECT_TRUE(try_write(all + PAGES(3) - 1));
	EXPECT_TRUE(wr_is_reserved(self->fd, all + PAGES(3)));
	EXPECT_TRUE(try_write(some + PAGES(1) - 1));
	EXPECT_FALSE(try_read(some + PAGES(1)));
	EXPECT_TRUE(wr_is_reserved(self->fd, some + PAGES(1)));

	ASSERT_EQ(0, ftruncate(file, PAGES(4)));
	EXPECT_TRUE(try_write(all + PAGES(4) - 1));
	EXPECT_FALSE(try_read(some + PAGES(1)));
	EXPECT_EQ(-ENODATA, wr_protect(self->fd, some + PAGES(1), 4096, RO));

	EXPECT_EQ(0, sec_extend(part, PAGES(2)));
	EXPECT_TRUE(try_write(some + PAGES(2) - 1));
	EXPECT_EQ(all[PAGES(2) - 1], some[PAGES(2) - 1]);
	EXPECT_FALSE(try_read(some + PAGES(2)));
	EXPECT_EQ(0, sec_unmap(self->fd, some));
	EXPECT_EQ(0, sec_unmap(self->fd, all));
	close(part);
	close(whole);
	close(file);
}

/* Rules: VC-02, SR-10. Commits in views */
TEST_F(sections, commit)
{
	int file = memfd_create("file", MFD_CLOEXEC), section;
	uint64_t total;
	char *base;

	ASSERT_EQ(0, ftruncate(file, UNIT));
	section = sec_create(self->fd, file, 0, 0, RW);
	ASSERT_EQ(0, sec_map(section, 0, 0, RW, &base));
	EXPECT_EQ(-EALREADY, wr_commit(self->fd, base, 4096, RW));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	close(section);
	close(file);
	section = sec_create(self->fd, -1, UNIT, 0, RW);
	ASSERT_EQ(0, sec_map(section, 0, 0, RW, &base));
	total = WR_INFO(self->fd, out_total);
	fill_pages(base, 4, 1);
	EXPECT_EQ(0, wr_commit(self->fd, base, 4096, RO));
	EXPECT_FALSE(try_write(base));
	EXPECT_TRUE(pages_have(base, 4, 1));
	EXPECT_EQ(total, WR_INFO(self->fd, out_total));
	EXPECT_EQ(-EXDEV, wr_commit(self->fd, base, UNIT + 1, RO));
	EXPECT_EQ(-EEXIST, wr_reserve_at(self->fd, &(uint64_t){
					 (uintptr_t)base }, 4096, 0, RW));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	ASSERT_EQ(0, sec_map(section, 0, 0, RO, &base));
	EXPECT_EQ(-EKEYREJECTED, wr_commit(self->fd, base, 4096, RW));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	close(section);
}

/* Rules: CM-10, CM-11. */
TEST_F(sections, attributes)
{
	int file = memfd_create("file", MFD_CLOEXEC), section;
	struct winregion_query_section info;
	char *base;

	section = sec_create(self->fd, -1, UNIT, WINREGION_SECTION_NOCACHE,
			     RW);
	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_map(section, 0, 0, RW, &base));
	EXPECT_TRUE(wr_is(self->fd, base, RW | WINREGION_NOCACHE));
	EXPECT_EQ(0, wr_commit(self->fd, base, 4096, RO));
	EXPECT_TRUE(wr_is(self->fd, base, RO | WINREGION_NOCACHE));
	ASSERT_EQ(0, sec_query(section, &info));
	EXPECT_EQ(WINREGION_SECTION_NOCACHE, info.out_flags);
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	close(section);
	ASSERT_EQ(0, ftruncate(file, UNIT));
	section = sec_create(self->fd, file, 0, WINREGION_SECTION_RESERVE, RW);
	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_query(section, &info));
	EXPECT_EQ(WINREGION_SECTION_FILE, info.out_flags);
	ASSERT_EQ(0, sec_map(section, 0, 0, RW, &base));
	EXPECT_TRUE(wr_is(self->fd, base, RW));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	close(section);
	close(file);
}

/* The structures are checked as those of other ioctls. */
TEST_F(sections, structures)
{
	const uint32_t old = offsetof(struct winregion_map_view, image);
	struct winregion_map_view map = { .size = old - 1,
					  .protection = RW };
	struct winregion_create_section create = { .size = sizeof(create),
						   .file = -1,
						   .protection = RW,
						   .length = UNIT };
	struct {
		struct winregion_map_view map;
		uint64_t more;
	} larger = { .map = { .size = sizeof(larger), .protection = RW } };
	int section = sec_create(self->fd, -1, UNIT, 0, RW);
	char *readonly = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t regions = WR_INFO(self->fd, out_regions);

	ASSERT_LE(0, section);
	EXPECT_EQ(-EINVAL, wr_ioctl(section, WINREGION_MAP_VIEW, &map));
	larger.more = 1;
	EXPECT_EQ(-E2BIG, wr_ioctl(section, WINREGION_MAP_VIEW, &larger));
	larger.more = 0;
	EXPECT_EQ(0, wr_ioctl(section, WINREGION_MAP_VIEW, &larger));
	EXPECT_EQ(0, sec_unmap(self->fd, (void *)(uintptr_t)larger.map.address));
	/* As it was once, whatever is behind it */
	map.size = old;
	map.image = UNIT;
	EXPECT_EQ(0, wr_ioctl(section, WINREGION_MAP_VIEW, &map));
	EXPECT_EQ(0, sec_unmap(self->fd, (void *)(uintptr_t)map.address));
	map = (struct winregion_map_view){ .size = sizeof(map),
					   .protection = RW };
	map.flags = 16;
	EXPECT_EQ(-EOPNOTSUPP, wr_ioctl(section, WINREGION_MAP_VIEW, &map));
	map.flags = 0;
	map.section = 1;
	EXPECT_EQ(-EINVAL, wr_ioctl(section, WINREGION_MAP_VIEW, &map));
	map.section = 0;
	EXPECT_EQ(-EFAULT, wr_ioctl(section, WINREGION_MAP_VIEW, NULL));
	/* No name in what had none */
	create.size = offsetof(struct winregion_create_section, out_existed);
	create.name = (uintptr_t)"old";
	create.name_length = 3;
	EXPECT_EQ(-EINVAL, wr_ioctl(self->fd, WINREGION_CREATE_SECTION,
				    &create));
	create.size = sizeof(create);
	create.name = 0;
	create.name_length = 0;
	/* What cannot be told is undone. */
	memcpy(readonly, &map, sizeof(map));
	memcpy(readonly + 2048, &create, sizeof(create));
	ASSERT_EQ(0, mprotect(readonly, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, wr_ioctl(section, WINREGION_MAP_VIEW, readonly));
	EXPECT_EQ(regions, WR_INFO(self->fd, out_regions));
	EXPECT_EQ(-EFAULT, wr_ioctl(self->fd, WINREGION_CREATE_SECTION,
				    readonly + 2048));
	munmap(readonly, 4096);
	close(section);
	EXPECT_TRUE(WR_INFO(self->fd, out_features) &
		    WINREGION_FEATURE_SECTION);
}

/* A view in a hole of another window is found, and the window's regions too. */
TEST_F(sections, in_a_hole)
{
	char *memory[16], *base;
	struct winregion_run run;
	int section = sec_create(self->fd, -1, UNIT, 0, RW);
	unsigned int i;

	for (i = 0; i < 16; i++) {
		memory[i] = wr_alloc(self->fd, UNIT);
		ASSERT_NE(NULL, memory[i]);
		fill_page(memory[i], i);
	}
	for (i = 1; i < 16; i += 2) {
		ASSERT_EQ(0, wr_release(self->fd, memory[i], 0));
		ASSERT_EQ(0, sec_map_at(section, memory[i], 0, 0, RW));
	}
	fill_page(memory[1], 99);
	for (i = 0; i < 16; i++) {
		EXPECT_TRUE(page_has(memory[i], i % 2 ? 99 : i));
		ASSERT_EQ(0, wr_query(self->fd, memory[i], &run));
		EXPECT_EQ(i % 2 ? WINREGION_TYPE_MAPPED :
				  WINREGION_TYPE_PRIVATE, run.type);
		EXPECT_EQ((uintptr_t)memory[i], run.region_address);
		EXPECT_EQ(0, wr_protect(self->fd, memory[i], 4096, RO));
		EXPECT_FALSE(try_write(memory[i]));
	}
	for (i = 1; i < 16; i += 2) {
		ASSERT_EQ(0, sec_unmap(self->fd, memory[i]));
		base = memory[i];
		ASSERT_EQ(0, wr_reserve_at(self->fd, &(uint64_t){
					   (uintptr_t)base }, UNIT, 0, RW));
	}
	for (i = 0; i < 16; i++)
		EXPECT_EQ(0, wr_release(self->fd, memory[i], 0));
	close(section);
}

/* QUERY_RUNS goes through regions and views in order. */
TEST_F(sections, query_runs)
{
	int section = sec_create(self->fd, -1, MIB(1), 0, RW);
	struct winregion_run runs[64];
	uint64_t next, last;
	unsigned int seen = 0;
	char *base;
	long i, n;

	ASSERT_EQ(0, sec_map(section, 0, 0, RW, &base));
	for (i = 0; i < 10; i += 2)
		ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(i), 4096, RO));
	next = (uintptr_t)base;
	last = next + MIB(1) - 1;
	n = wr_query_runs(self->fd, &next, last, 0, runs, 64);
	ASSERT_EQ(10, n);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(i % 2 ? RW : RO, runs[i].protection);
		EXPECT_EQ(WINREGION_TYPE_MAPPED, runs[i].type);
		EXPECT_EQ(i < 9 ? 4096 : MIB(1) - PAGES(9), runs[i].length);
	}
	next = 0x10000;
	do {
		n = wr_query_runs(self->fd, &next, USER_HIGHEST,
				  WINREGION_QUERY_REGIONS, runs, 64);
		ASSERT_LE(0, n);
		for (i = 0; i < n; i++)
			seen += runs[i].region_address == (uintptr_t)base;
	} while (n == 64);
	EXPECT_EQ(10, seen);
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	close(section);
}

/* ---- all at once ---- */

struct crowd {
	int fd;
	int section;
	int file;
	char *shared; /* a view that all of them use */
	volatile uint64_t errors;
	volatile uint64_t seed;
};

/* What one of many does; nothing of it may fail but for want of what others took. */
static void do_something(struct crowd *crowd, uint64_t *random)
{
	char *page = crowd->shared + PAGES(race_random(random, NR_PAGES));
	static const uint32_t protections[] = { RW, RO, NA,
						RW | WINREGION_GUARD };
	struct winregion_run run;
	uint32_t protection;
	uint64_t value = 1;
	char *base;

	switch (race_random(random, 10)) {
	case 0:
		if (sec_map(crowd->section, UNIT * race_random(random, 8), 0,
			    race_random(random, 2) ? RW : RO, &base))
			race_add(&crowd->errors, 1);
		else if (wr_protect(crowd->fd, base, PAGES(3), RO) ||
			 (user_access((uint64_t *)base, &value, false) &&
			  user_access((uint64_t *)base, &value, true)) ||
			 sec_unmap(crowd->fd, base + 9))
			race_add(&crowd->errors, 1);
		break;
	case 1:
		protection = protections[race_random(random,
						     ARRAY_SIZE(protections))];
		if (wr_protect(crowd->fd, page, 1, protection))
			race_add(&crowd->errors, 1);
		break;
	case 2:
		if (wr_query(crowd->fd, page, &run) ||
		    run.type != WINREGION_TYPE_MAPPED)
			race_add(&crowd->errors, 1);
		break;
	case 3:
		madvise(page, 4096, MADV_DONTNEED);
		break;
	case 4:
		if (crowd->file >= 0)
			(void)!ftruncate(crowd->file, SIZE -
					 PAGES(race_random(random, 600)));
		break;
	case 5:
		if (sec_flush(crowd->fd, crowd->shared, 0) && crowd->file < 0)
			race_add(&crowd->errors, 1);
		break;
	default:
		user_access((uint64_t *)page, &value, race_random(random, 2));
	}
}

static void *be_one_of_many(void *arg)
{
	struct crowd *crowd = arg;
	uint64_t random = __atomic_add_fetch(&crowd->seed, 7919,
					     __ATOMIC_SEQ_CST);
	unsigned int i;

	race_catch_faults();
	for (i = 0; i < 400; i++)
		do_something(crowd, &random);
	return NULL;
}

/* Threads, and forks of all that, use the same views and sections. */
TEST_F_TIMEOUT(section, crowd, 120)
{
	struct crowd crowd = {
		.fd = self->fd,
		.section = self->section,
		.file = self->file,
		.seed = 1,
	};
	uint64_t regions = WR_INFO(self->fd, out_regions);
	pthread_t threads[3];
	unsigned int i;
	pid_t pid;

	crowd.shared = MAP(0, 0, RW);
	race_catch_faults();
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, be_one_of_many,
					    &crowd));
	for (i = 0; i < rounds(section_crowd); i++) {
		pid = fork();
		if (!pid) {
			be_one_of_many(&crowd);
			_exit(0);
		}
		ASSERT_LT(0, pid);
		if (i % 3 == 0)
			kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, crowd.errors);
	EXPECT_EQ(regions + 1, WR_INFO(self->fd, out_regions));
	if (self->file >= 0)
		ASSERT_EQ(0, ftruncate(self->file, SIZE));
	ASSERT_EQ(0, wr_protect(self->fd, crowd.shared, SIZE, RW));
	fill_pages(crowd.shared, NR_PAGES, 5);
	EXPECT_TRUE(pages_have(crowd.shared, NR_PAGES, 5));
	UNMAP(crowd.shared);
}

/* ---- failures ---- */

/* What the calls under test work with */
struct trial {
	int fd;
	int file;
	int memory;
	int reserved;
	int made;
	char *view;
	char *hole;
	char *base;
};

struct attempt {
	const char *name;
	int (*run)(struct trial *trial);
	int (*undo)(struct trial *trial);
};

static int close_made(struct trial *trial)
{
	return close(trial->made);
}

static int unmap_made(struct trial *trial)
{
	return sec_unmap(trial->fd, trial->base);
}

static int try_create(struct trial *trial, int file, uint32_t flags)
{
	trial->made = sec_create(trial->fd, file, UNIT, flags, RW);
	return trial->made < 0 ? trial->made : 0;
}

static int create_memory(struct trial *trial)
{
	return try_create(trial, -1, 0);
}

static int create_reserved(struct trial *trial)
{
	return try_create(trial, -1, WINREGION_SECTION_RESERVE);
}

static int create_of_file(struct trial *trial)
{
	return try_create(trial, trial->file, 0);
}

static int duplicate(struct trial *trial)
{
	trial->made = sec_duplicate(trial->memory, WINREGION_SECTION_MAP_READ);
	return trial->made < 0 ? trial->made : 0;
}

static int map_anywhere(struct trial *trial)
{
	return sec_map(trial->memory, 0, 0, RW, &trial->base);
}

static int map_in_hole(struct trial *trial)
{
	trial->base = trial->hole;
	return sec_map_at(trial->memory, trial->hole, 0, UNIT, RW);
}

static int map_and_commit(struct trial *trial)
{
	struct winregion_map_view arg = { .protection = RW, .commit = 4096 };

	return sec_map_with(trial->reserved, &arg, &trial->base);
}

static int protect_one(struct trial *trial)
{
	return wr_protect(trial->fd, trial->view + PAGES(3), 4096, RO);
}

static int protect_back(struct trial *trial)
{
	return wr_protect(trial->fd, trial->view, UNIT, RW);
}

static int commit_more(struct trial *trial)
{
	int ret;

	if (!trial->base) {
		ret = sec_map(trial->reserved, 0, 0, RW, &trial->base);
		if (ret)
			return ret;
	}
	return wr_commit(trial->fd, trial->base + PAGES(2), PAGES(3), RW);
}

static int unmap_committed(struct trial *trial)
{
	int ret = sec_unmap(trial->fd, trial->base);

	trial->base = NULL;
	return ret;
}

static const struct attempt attempts[] = {
	{ "create memory", create_memory, close_made },
	{ "create reserved memory", create_reserved, close_made },
	{ "create of a file", create_of_file, close_made },
	{ "duplicate", duplicate, close_made },
	{ "map anywhere", map_anywhere, unmap_made },
	{ "map in a hole", map_in_hole, unmap_made },
	{ "map and commit", map_and_commit, unmap_made },
	{ "protect", protect_one, protect_back },
	{ "commit", commit_more, unmap_committed },
};

static bool make_trial(struct trial *trial, int fd)
{
	*trial = (struct trial){
		.fd = fd,
		.file = memfd_create("trial", MFD_CLOEXEC),
		.memory = sec_create(fd, -1, UNIT, 0, RW),
		.reserved = sec_create(fd, -1, UNIT, WINREGION_SECTION_RESERVE,
				       RW),
		.hole = wr_reserve(fd, UNIT),
	};
	return !ftruncate(trial->file, UNIT) && trial->memory >= 0 &&
	       trial->reserved >= 0 && !wr_release(fd, trial->hole, 0) &&
	       !sec_map(trial->memory, 0, 0, RW, &trial->view);
}

/* Whatever allocation fails, a call is done, or nothing of it is. */
TEST_F_TIMEOUT(sections, failures, 200)
{
	uint64_t regions, total;
	const struct attempt *attempt;
	unsigned int i, nth;
	struct trial trial;
	bool hit;
	int ret;

	if (!fail_open())
		SKIP(return, "this kernel injects no faults");
	ASSERT_TRUE(fail_everything());
	ASSERT_TRUE(make_trial(&trial, self->fd));
	regions = WR_INFO(self->fd, out_regions);
	for (i = 0; i < ARRAY_SIZE(attempts); i++) {
		attempt = &attempts[i];
		trial.base = NULL;
		total = WR_INFO(self->fd, out_total);
		nth = 0;
		do {
			ASSERT_GT(400, ++nth);
			ASSERT_TRUE(fail_set(nth));
			ret = attempt->run(&trial);
			hit = fail_clear();
			EXPECT_TRUE(!ret || hit) {
				TH_LOG("%s %u: %d", attempt->name, nth, ret);
			}
			if (ret && !trial.base)
				EXPECT_EQ(regions,
					  WR_INFO(self->fd, out_regions));
			if (ret)
				ret = attempt->run(&trial);
			EXPECT_EQ(0, ret) {
				TH_LOG("%s %u: again %d", attempt->name, nth,
				       ret);
			}
			ASSERT_EQ(0, attempt->undo(&trial));
			EXPECT_EQ(regions, WR_INFO(self->fd, out_regions));
		} while (hit);
		TH_LOG("%s: %u places", attempt->name, nth - 1);
	}
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) <= total + MIB(2)));
	EXPECT_EQ(0, sec_unmap(self->fd, trial.view));
	close(trial.file);
	close(trial.memory);
	close(trial.reserved);
}

static int use_view(void *arg)
{
	struct shared *shared = arg;

	return try_read(shared->base) ? 0 : probe_fault.sig;
}

/* A fork has the view, or SIGBUS where it is, and the parent notices nothing. */
TEST_F_TIMEOUT(sections, failed_forks, 100)
{
	struct shared shared = { .fd = self->fd };
	unsigned int nth = 0;
	struct child child;
	bool hit;
	int ret;

	if (!fail_open())
		SKIP(return, "this kernel injects no faults");
	ASSERT_TRUE(fail_everything());
	shared.section = sec_create(self->fd, -1, UNIT, 0, RW);
	ASSERT_EQ(0, sec_map(shared.section, 0, 0, RW, &shared.base));
	ASSERT_EQ(0, wr_protect(self->fd, shared.base + 4096, 4096, RO));
	fill_page(shared.base, 3);
	do {
		ASSERT_GT(4000, nth += nth < 250 ? 1 : 10);
		ASSERT_TRUE(fail_set(nth));
		child.pid = fail_fork();
		if (!child.pid)
			_exit(use_view(&shared));
		hit = fail_clear();
		if (child.pid > 0) {
			ASSERT_EQ(child.pid, waitpid(child.pid, &ret, 0));
			EXPECT_TRUE(WIFEXITED(ret) &&
				    (!WEXITSTATUS(ret) ||
				     WEXITSTATUS(ret) == SIGBUS));
		}
		EXPECT_TRUE(page_has(shared.base, 3));
		EXPECT_FALSE(try_write(shared.base + 4096));
	} while (hit);
	EXPECT_EQ(0, sec_unmap(self->fd, shared.base));
	close(shared.section);
}

TEST_HARNESS_MAIN
