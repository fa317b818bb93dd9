// SPDX-License-Identifier: GPL-2.0
/* vm: modules=algif_skcipher */
/*
 * Write watch (rules WW-*): which pages were written, by the program or by the
 * kernel, whatever else becomes of them, and no write is lost.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"

#include <linux/if_alg.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "placeholders.h"
#include "wr_test_util.h"
#include "fail_nth.h"
#include "pins.h"
#include "race.h"
#include "ring.h"

#include <winregion/memoryapi.h>
#include <winregion/psapi.h>

#define MAX_TOLD 4096
#define NO_ANSWER (~0U)

static PVOID told[MAX_TOLD];

/* How many pages were written, of which @told has the addresses; or -1 */
static long ask(const volatile void *base, size_t size, bool reset)
{
	DWORD granularity = POISON;
	ULONG_PTR count = MAX_TOLD;

	if (GetWriteWatch(reset ? WRITE_WATCH_FLAG_RESET : 0, (PVOID)base, size,
			  told, &count, &granularity) ||
	    granularity != PAGE)
		return -1;
	return count;
}

/* Are just the pages @pages, which end with -1, told? */
static bool tells(const volatile char *base, size_t size, bool reset,
		  const int *pages)
{
	long n = ask(base, size, reset), i;

	for (i = 0; i < n; i++)
		if (pages[i] < 0 || told[i] != base + PAGES(pages[i]))
			break;
	if (n >= 0 && i == n && pages[n] < 0)
		return true;
	fprintf(stderr, "# %ld pages told:", n);
	for (i = 0; i < n && i < 40; i++)
		fprintf(stderr, " %ld",
			(long)((char *)told[i] - (char *)base) / (long)PAGE);
	fprintf(stderr, "\n");
	return false;
}

/* What is told of the region, and forgotten or not; the numbers of pages or NONE */
#define NONE (-1)
#define EXPECT_TOLD(...)						\
	EXPECT_TRUE(tells(self->base, self->size, false,		\
			  (int[]){ __VA_ARGS__, -1 }))
#define EXPECT_TOLD_AND_RESET(...)					\
	EXPECT_TRUE(tells(self->base, self->size, true,			\
			  (int[]){ __VA_ARGS__, -1 }))

static void write_page(volatile char *base, unsigned int page)
{
	base[PAGES(page) + 17]++;
}

static char *watched_at(char *address, size_t size, DWORD type, DWORD protect)
{
	return VirtualAlloc(address, size, MEM_RESERVE | MEM_WRITE_WATCH | type,
			    protect);
}

static char *watched(size_t size)
{
	return watched_at(NULL, size, MEM_COMMIT, PAGE_READWRITE);
}

/* A watched region, all of it committed, once for each way it may be looked at. */
FIXTURE(watch)
{
	int fd;
	char *base;
	size_t size;
};

FIXTURE_VARIANT(watch)
{
	size_t size;
	DWORD protect;
	bool track;
};

FIXTURE_VARIANT_ADD(watch, small)
{
	.size = UNIT,
	.protect = PAGE_READWRITE,
};

/* Where large pages could be */
FIXTURE_VARIANT_ADD(watch, large)
{
	.size = MIB(4),
	.protect = PAGE_READWRITE,
};

/* Where writes are asked for, once pages have been read only */
FIXTURE_VARIANT_ADD(watch, tracked)
{
	.size = MIB(1),
	.protect = PAGE_READWRITE,
	.track = true,
};

FIXTURE_VARIANT_ADD(watch, executable)
{
	.size = UNIT,
	.protect = PAGE_EXECUTE_READWRITE,
};

FIXTURE_SETUP(watch)
{
	DWORD old;

	if (variant->protect == PAGE_EXECUTE_READWRITE)
		NEEDS_CODE();
	set_large(true);
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->size = variant->size;
	self->base = watched_at(NULL, self->size, MEM_COMMIT, variant->protect);
	ASSERT_NE(NULL, self->base);
	if (variant->track) {
		ASSERT_TRUE(VirtualProtect(self->base, PAGE, PAGE_READONLY,
					   &old));
		ASSERT_TRUE(VirtualProtect(self->base, PAGE, variant->protect,
					   &old));
	}
}

FIXTURE_TEARDOWN(watch)
{
	EXPECT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
	close(self->fd);
}

/* ---- parameters ---- */

#define EXPECT_GET_FAILS(error, flags, base, size, array, count, granularity) \
	do {								\
		SetLastError(POISON);					\
		EXPECT_EQ(NO_ANSWER, GetWriteWatch(flags, base, size, array, \
						count, granularity));	\
		EXPECT_EQ((DWORD)(error), GetLastError());		\
	} while (0)
#define EXPECT_RESET_FAILS(error, base, size)				\
	do {								\
		SetLastError(POISON);					\
		EXPECT_EQ(NO_ANSWER, ResetWriteWatch(base, size));		\
		EXPECT_EQ((DWORD)(error), GetLastError());		\
	} while (0)

/* Rules: WW-01 WW-02 WW-05 WW-06 WW-07 WW-08 WW-09 */
TEST_F(watch, parameters)
{
	DWORD granularity = POISON, bad;
	ULONG_PTR count = 8, none = 0;
	char *base = self->base;

	write_page(base, 1);
	for (bad = 2; bad; bad <<= 1)
		EXPECT_GET_FAILS(ERROR_INVALID_PARAMETER, bad, base, UNIT, told,
				 &count, &granularity);
	EXPECT_GET_FAILS(ERROR_INVALID_PARAMETER, ~0U, base, UNIT, told, &count,
			 &granularity);
	EXPECT_GET_FAILS(ERROR_INVALID_PARAMETER, 0, base, 0, told, &count,
			 &granularity);
	EXPECT_GET_FAILS(ERROR_INVALID_PARAMETER, 0, base, UNIT, told, &none,
			 &granularity);
	EXPECT_GET_FAILS(ERROR_INVALID_PARAMETER, 0, base, UNIT, NULL, &none,
			 &granularity);
	EXPECT_GET_FAILS(ERROR_NOACCESS, 0, base, UNIT, NULL, &count,
			 &granularity);
	EXPECT_GET_FAILS(ERROR_NOACCESS, 0, base, UNIT, told, NULL,
			 &granularity);
	EXPECT_GET_FAILS(ERROR_NOACCESS, 0, base, UNIT, told, &count, NULL);
	/* Pointers come before values, values before the array, that before the range. */
	EXPECT_GET_FAILS(ERROR_NOACCESS, 2, base, 0, NULL, NULL, NULL);
	EXPECT_GET_FAILS(ERROR_INVALID_PARAMETER, 2, NULL, UNIT, NULL, &count,
			 &granularity);
	EXPECT_GET_FAILS(ERROR_NOACCESS, 0, NULL, UNIT, NULL, &count,
			 &granularity);
	/* Pointers that are none */
	EXPECT_GET_FAILS(ERROR_NOACCESS, 0, base, UNIT, told,
			 (ULONG_PTR *)KERNEL_ADDRESS, &granularity);
	EXPECT_GET_FAILS(ERROR_NOACCESS, 0, base, UNIT, told, &count,
			 (LPDWORD)KERNEL_ADDRESS);
	EXPECT_EQ(8, count);
	EXPECT_EQ(POISON, granularity);
	EXPECT_TOLD_AND_RESET(1);
}

/* Rules: WW-03 WW-04 WW-10 */
TEST_F(watch, ranges)
{
	char *plain = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
				   PAGE_READWRITE);
	HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
					    PAGE_READWRITE, 0, UNIT, NULL);
	char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	char *end = self->base + self->size;
	ULONG_PTR count = 8;
	DWORD granularity;
	struct {
		char *base;
		size_t size;
	} bad[] = {
		{ NULL, PAGE },
		{ ARENA, PAGE },
		{ plain, PAGE },
		{ view, PAGE },
		{ (char *)told, PAGE },
		{ KERNEL_ADDRESS, PAGE },
		{ self->base, 2 * self->size },
		{ self->base, self->size + 1 },
		{ end - PAGE, PAGE + 1 },
		{ self->base, ~0UL },
		{ self->base, -(uintptr_t)self->base },
	};
	size_t i;

	ASSERT_NE(NULL, plain);
	ASSERT_NE(NULL, view);
	write_page(self->base, 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_GET_FAILS(ERROR_INVALID_PARAMETER, 1, bad[i].base,
				 bad[i].size, told, &count, &granularity);
		EXPECT_RESET_FAILS(ERROR_INVALID_PARAMETER, bad[i].base,
				   bad[i].size);
	}
	EXPECT_RESET_FAILS(ERROR_INVALID_PARAMETER, self->base, 0);
	EXPECT_STATUS(STATUS_INVALID_PARAMETER,
		      NtResetWriteWatch(SELF, plain, PAGE));
	EXPECT_STATUS(STATUS_INVALID_HANDLE,
		      NtResetWriteWatch(NULL, self->base, PAGE));
	EXPECT_STATUS(STATUS_INVALID_HANDLE,
		      NtGetWriteWatch(NULL, 0, self->base, PAGE, told, &count,
				      &granularity));
	EXPECT_STATUS(STATUS_ACCESS_VIOLATION,
		      NtGetWriteWatch(SELF, 0, self->base, PAGE, NULL, &count,
				      &granularity));
	EXPECT_TOLD_AND_RESET(0);
	EXPECT_TRUE(UnmapViewOfFile(view));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_TRUE(VirtualFree(plain, 0, MEM_RELEASE));
}

static int ask_ioctl(int fd, uint32_t flags, const void *base, size_t size,
		     void *pages, uint64_t *nr)
{
	struct winregion_write_watch arg = {
		.size = sizeof(arg),
		.flags = flags,
		.address = (uintptr_t)base,
		.length = size,
		.pages = (uintptr_t)pages,
		.nr_pages = *nr,
	};
	int ret = wr_ioctl(fd, WINREGION_WRITE_WATCH, &arg);

	*nr = arg.nr_pages;
	return ret;
}

TEST_F(watch, ioctls)
{
	uint32_t get = WINREGION_WATCH_GET, reset = WINREGION_WATCH_RESET;
	uint64_t none = 0, nr = 4;

	write_page(self->base, 2);
	EXPECT_EQ(-EINVAL, ask_ioctl(self->fd, 0, self->base, PAGE, told,
				     &nr));
	EXPECT_EQ(-EOPNOTSUPP,
		  ask_ioctl(self->fd, 4, self->base, PAGE, told, &nr));
	EXPECT_EQ(-EINVAL, ask_ioctl(self->fd, get, self->base, PAGE, told,
				     &none));
	EXPECT_EQ(-EINVAL, ask_ioctl(self->fd, reset, self->base, PAGE, NULL,
				     &nr));
	EXPECT_EQ(-EINVAL, ask_ioctl(self->fd, reset, self->base, PAGE, told,
				     &none));
	EXPECT_EQ(-EOVERFLOW,
		  ask_ioctl(self->fd, get, self->base, 0, told, &nr));
	EXPECT_EQ(-EADDRNOTAVAIL,
		  ask_ioctl(self->fd, get, NULL, PAGE, told, &nr));
	EXPECT_EQ(-ENOENT,
		  ask_ioctl(self->fd, get, ARENA, PAGE, told, &nr));
	EXPECT_EQ(-EXDEV, ask_ioctl(self->fd, get, self->base,
				    self->size + 1, told, &nr));
	EXPECT_TRUE(WR_INFO(self->fd, out_features) &
		    WINREGION_FEATURE_WRITE_WATCH);
	EXPECT_EQ(4, nr);
	/* Any byte of a page is the page. */
	EXPECT_EQ(0, ask_ioctl(self->fd, get, self->base + PAGES(2) + 77, 1,
			       told, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_EQ(0, ask_ioctl(self->fd, reset, self->base, self->size, NULL,
			       &none));
	EXPECT_TOLD(NONE);
}

/* Rules: VA-16 */
TEST(commits_do_not_repeat_it)
{
	DWORD granularity;
	ULONG_PTR count = 1;
	char *base = watched_at(NULL, UNIT, 0, PAGE_READWRITE);

	ASSERT_NE(NULL, base);
	ASSERT_EQ(base, VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE));
	write_page(base, 0);
	EXPECT_EQ(1, ask(base, UNIT, true));
	EXPECT_TRUE(VirtualFree(base, PAGE, MEM_DECOMMIT));
	ASSERT_EQ(base, VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE));
	write_page(base, 0);
	EXPECT_EQ(1, ask(base, UNIT, true));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(base, PAGE, MEM_COMMIT | MEM_WRITE_WATCH,
				  PAGE_READWRITE));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	EXPECT_GET_FAILS(ERROR_INVALID_PARAMETER, 0, base, PAGE, told, &count,
			 &granularity);
}

/* ---- what is told ---- */

/* Rules: WW-20 WW-21 WW-26 WW-27 */
TEST_F(watch, addresses)
{
	ULONG_PTR count = 16;
	DWORD granularity;
	int i;

	EXPECT_TOLD_AND_RESET(NONE);
	for (i = 0; i < 16; i++)
		told[i] = (PVOID)(uintptr_t)POISON;
	write_page(self->base, 9);
	write_page(self->base, 3);
	write_page(self->base, 15);
	write_page(self->base, 9);
	ASSERT_EQ(0, GetWriteWatch(0, self->base + 123, self->size - 123, told,
				   &count, &granularity));
	EXPECT_EQ(3, count);
	EXPECT_EQ(PAGE, granularity);
	EXPECT_EQ(self->base + PAGES(3), told[0]);
	EXPECT_EQ(self->base + PAGES(9), told[1]);
	EXPECT_EQ(self->base + PAGES(15), told[2]);
	for (i = 3; i < 16; i++)
		EXPECT_EQ((PVOID)(uintptr_t)POISON, told[i]);
}

/* Rules: WW-22 WW-23 WW-24 WW-25 */
TEST_F(watch, too_many_for_the_array)
{
	ULONG_PTR count;
	DWORD granularity;
	unsigned int i;

	for (i = 0; i < 10; i++)
		write_page(self->base, i);
	for (i = 0; i < 2; i++) {
		count = 4;
		ASSERT_EQ(0, GetWriteWatch(0, self->base, self->size, told,
					   &count, &granularity));
		EXPECT_EQ(4, count);
		EXPECT_EQ(self->base + PAGES(3), told[3]);
	}
	ASSERT_EQ(0, GetWriteWatch(WRITE_WATCH_FLAG_RESET, self->base,
				   self->size, told, &count, &granularity));
	EXPECT_EQ(4, count);
	EXPECT_TOLD(4, 5, 6, 7, 8, 9);
	EXPECT_TOLD(4, 5, 6, 7, 8, 9);
	EXPECT_EQ(2, ask(self->base + PAGES(6), PAGES(2), true));
	EXPECT_TOLD(4, 5, 8, 9);
	EXPECT_EQ(0, ResetWriteWatch(self->base + PAGES(5), PAGES(4)));
	EXPECT_TOLD_AND_RESET(4, 9);
	EXPECT_TOLD(NONE);
}

/* Rules: WW-28 WW-33 WW-38 WW-32 */
TEST(reserved_first)
{
	static const DWORD first[] = { PAGE_NOACCESS, PAGE_READONLY,
				       PAGE_READWRITE };
	DWORD old;
	size_t i;
	char *base;

	for (i = 0; i < ARRAY_SIZE(first); i++) {
		base = watched_at(NULL, UNIT, 0, first[i]);
		ASSERT_NE(NULL, base);
		EXPECT_EQ(0, ask(base, UNIT, true));
		EXPECT_EQ(0, ResetWriteWatch(base, UNIT));
		ASSERT_EQ(base + PAGES(4),
			  VirtualAlloc(base + PAGES(4), PAGES(4), MEM_COMMIT,
				       first[i]));
		EXPECT_EQ(0, ask(base, UNIT, true));
		try_read(base + PAGES(5));
		ASSERT_TRUE(VirtualProtect(base + PAGES(4), PAGES(4),
					   PAGE_READWRITE, &old));
		EXPECT_EQ(0, ask(base, UNIT, false));
		EXPECT_TRUE(try_read(base + PAGES(5)));
		EXPECT_EQ(0, ask(base, UNIT, false));
		EXPECT_TRUE(try_write(base + PAGES(5)));
		EXPECT_TRUE(try_write(base + PAGES(6)));
		EXPECT_TRUE(tells(base, UNIT, false, (int[]){ 5, 6, -1 }));
		EXPECT_TRUE(VirtualFree(base + PAGES(4), PAGES(2),
					MEM_DECOMMIT));
		EXPECT_TRUE(tells(base, UNIT, true, (int[]){ 6, -1 }));
		EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	}
}

/* Rules: WW-29 WW-30 */
TEST_F(watch, reads_and_straddling)
{
	unsigned int i;

	for (i = 0; i < self->size / PAGE; i++)
		EXPECT_EQ(0, *(volatile char *)(self->base + PAGES(i)));
	EXPECT_TOLD(NONE);
	*(volatile uint64_t *)(self->base + PAGES(6) - 4) = ~0UL;
	EXPECT_TOLD_AND_RESET(5, 6);
	for (i = 0; i < self->size / PAGE; i++)
		(void)*(volatile char *)(self->base + PAGES(i));
	EXPECT_TOLD(NONE);
	/* Now it is in memory, and mapped. */
	*(volatile uint64_t *)(self->base + PAGES(6) - 4) = 1;
	EXPECT_TOLD_AND_RESET(5, 6);
	EXPECT_TOLD(NONE);
}

/* Rules: WW-31 */
TEST_F(watch, protections)
{
	DWORD old;
	int i;

	for (i = 0; i < 8; i++)
		write_page(self->base, i);
	ASSERT_TRUE(VirtualProtect(self->base, PAGES(4), PAGE_READONLY, &old));
	ASSERT_TRUE(VirtualProtect(self->base + PAGES(4), PAGES(2),
				   PAGE_NOACCESS, &old));
	EXPECT_TOLD(0, 1, 2, 3, 4, 5, 6, 7);
	ASSERT_TRUE(VirtualProtect(self->base, PAGES(8), PAGE_READWRITE, &old));
	EXPECT_TOLD(0, 1, 2, 3, 4, 5, 6, 7);
	/* Commit again with another one */
	ASSERT_NE(NULL, VirtualAlloc(self->base, PAGES(8), MEM_COMMIT,
				     PAGE_READONLY));
	EXPECT_TOLD_AND_RESET(0, 1, 2, 3, 4, 5, 6, 7);
	EXPECT_TRUE(try_read(self->base));
	EXPECT_FALSE(try_write(self->base));
	ASSERT_NE(NULL, VirtualAlloc(self->base, PAGES(8), MEM_COMMIT,
				     PAGE_READWRITE));
	EXPECT_TOLD(NONE);
	EXPECT_TRUE(try_write(self->base + PAGES(2)));
	EXPECT_TOLD_AND_RESET(2);
}

/* Rules: WW-33 WW-34 */
TEST_F(watch, decommit)
{
	DWORD old;

	write_page(self->base, 3);
	ASSERT_TRUE(VirtualProtect(self->base, PAGES(6), PAGE_READWRITE, &old));
	write_page(self->base, 5);
	EXPECT_TOLD(3, 5);
	EXPECT_TRUE(VirtualFree(self->base, PAGES(8), MEM_DECOMMIT));
	EXPECT_TOLD(NONE);
	ASSERT_NE(NULL, VirtualAlloc(self->base, PAGES(8), MEM_COMMIT,
				     PAGE_READWRITE));
	EXPECT_TOLD(NONE);
	write_page(self->base, 4);
	write_page(self->base, 2);
	write_page(self->base, 6);
	EXPECT_TOLD(2, 4, 6);
	/* All of it, what is asked for afterwards and what is not */
	EXPECT_TRUE(VirtualFree(self->base, 0, MEM_DECOMMIT));
	EXPECT_TOLD(NONE);
	ASSERT_NE(NULL, VirtualAlloc(self->base, self->size, MEM_COMMIT,
				     PAGE_READWRITE));
	EXPECT_TRUE(try_read(self->base));
	EXPECT_TOLD(NONE);
}

/* Rules: WW-36 */
TEST(large_region)
{
	const unsigned int pages = 2048;
	char *base = watched(PAGES(pages));
	unsigned int i;
	DWORD old;

	ASSERT_NE(NULL, base);
	for (i = 0; i < pages; i += 2)
		write_page(base, i);
	ASSERT_EQ(pages / 2, ask(base, PAGES(pages), false));
	for (i = 0; i < pages / 2; i++)
		ASSERT_EQ(base + PAGES(2 * i), told[i]);
	ASSERT_TRUE(VirtualProtect(base, PAGES(pages / 2), PAGE_READONLY,
				   &old));
	ASSERT_EQ(pages / 2, ask(base, PAGES(pages), false));
	ASSERT_EQ(base + PAGES(pages - 2), told[pages / 2 - 1]);
	EXPECT_EQ(0, ResetWriteWatch(base, PAGES(pages)));
	EXPECT_EQ(0, ask(base, PAGES(pages), false));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: WW-37 */
TEST(released)
{
	ULONG_PTR count = 1;
	DWORD granularity;
	char *base = watched_at(ARENA, UNIT, MEM_COMMIT, PAGE_READWRITE);

	ASSERT_EQ(ARENA, base);
	write_page(base, 1);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	ASSERT_EQ(base, VirtualAlloc(base, UNIT, MEM_RESERVE | MEM_COMMIT,
				     PAGE_READWRITE));
	EXPECT_GET_FAILS(ERROR_INVALID_PARAMETER, 0, base, UNIT, told, &count,
			 &granularity);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	ASSERT_EQ(base, watched_at(base, UNIT, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_EQ(0, ask(base, UNIT, false));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* A region in slots of which more are looked at than at once, and its answer */
TEST(many_slots)
{
	const unsigned int slots = 700;
	char *base = watched_at(NULL, MIB(2) * slots, 0, PAGE_READWRITE);
	unsigned int i;

	ASSERT_NE(NULL, base);
	for (i = 0; i < slots; i++) {
		ASSERT_NE(NULL, VirtualAlloc(base + MIB(2) * i, PAGES(2),
					     MEM_COMMIT, PAGE_READWRITE));
		write_page(base + MIB(2) * i, i % 2);
	}
	for (i = 0; i < 2; i++)
		ASSERT_EQ(slots, ask(base, MIB(2) * slots, false));
	ASSERT_EQ(300, ask(base + MIB(2), MIB(2) * 300, true));
	ASSERT_EQ(slots - 300, ask(base, MIB(2) * slots, true));
	EXPECT_EQ(base, told[0]);
	EXPECT_EQ(base + MIB(2) * (slots - 1) + PAGES((slots - 1) % 2),
		  told[slots - 301]);
	EXPECT_EQ(0, ask(base, MIB(2) * slots, true));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* An answer that cannot be given is none: nothing is forgotten. */
TEST_F(watch, array_cannot_be_written)
{
	char *array = mmap(NULL, PAGES(2), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ULONG_PTR count = 16;
	DWORD granularity;
	int i;

	ASSERT_NE(MAP_FAILED, array);
	ASSERT_EQ(0, mprotect(array + PAGE, PAGE, PROT_READ));
	for (i = 0; i < 10; i++)
		write_page(self->base, i);
	EXPECT_GET_FAILS(ERROR_NOACCESS, WRITE_WATCH_FLAG_RESET, self->base,
			 self->size, (PVOID *)(array + PAGE), &count,
			 &granularity);
	EXPECT_GET_FAILS(ERROR_NOACCESS, WRITE_WATCH_FLAG_RESET, self->base,
			 self->size, (PVOID *)(array + PAGE - 40), &count,
			 &granularity);
	EXPECT_GET_FAILS(ERROR_NOACCESS, WRITE_WATCH_FLAG_RESET, self->base,
			 self->size, (PVOID *)KERNEL_ADDRESS, &count,
			 &granularity);
	EXPECT_EQ(16, count);
	EXPECT_TOLD(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
	/* But what fits can be told. */
	count = 5;
	EXPECT_EQ(0, GetWriteWatch(WRITE_WATCH_FLAG_RESET, self->base,
				   self->size, (PVOID *)(array + PAGE - 40),
				   &count, &granularity));
	EXPECT_TOLD_AND_RESET(5, 6, 7, 8, 9);
	munmap(array, PAGES(2));
}

/* The variables of the call are in the region that it is about. */
TEST_F(watch, array_in_the_region)
{
	PVOID *array = (PVOID *)(self->base + PAGES(3));
	ULONG_PTR *count = (ULONG_PTR *)(self->base + PAGES(5));
	DWORD granularity;

	*count = 16;
	write_page(self->base, 7);
	ASSERT_EQ(0, GetWriteWatch(WRITE_WATCH_FLAG_RESET, self->base,
				   self->size, array, count, &granularity));
	EXPECT_EQ(2, *count);
	EXPECT_EQ(self->base + PAGES(5), array[0]);
	EXPECT_EQ(self->base + PAGES(7), array[1]);
	/* They were written after it was collected. */
	EXPECT_TOLD_AND_RESET(3, 5);
}

/* ---- guard pages ---- */

/* Rules: GP-13 GP-14 */
TEST_F(watch, guards)
{
	DWORD old;

	ASSERT_TRUE(VirtualProtect(self->base + PAGES(1), PAGES(3),
				   PAGE_READWRITE | PAGE_GUARD, &old));
	EXPECT_FALSE(try_write(self->base + PAGES(1)));
	EXPECT_FALSE(try_read(self->base + PAGES(2)));
	EXPECT_TOLD(NONE);
	EXPECT_TRUE(try_write(self->base + PAGES(1)));
	EXPECT_TRUE(try_read(self->base + PAGES(2)));
	EXPECT_TOLD_AND_RESET(1);
}

/* Rules: GP-15. To lock a page writes nothing, neither when it fails. */
TEST_F(watch, locked_guard)
{
	DWORD old;

	ASSERT_TRUE(VirtualProtect(self->base + PAGES(1), PAGES(1),
				   PAGE_READWRITE | PAGE_GUARD, &old));
	EXPECT_FALSE(VirtualLock(self->base + PAGES(1), PAGES(1)));
	EXPECT_TOLD(NONE);
	EXPECT_TRUE(VirtualLock(self->base + PAGES(1), PAGES(1)));
	EXPECT_TOLD(NONE);
	EXPECT_TRUE(try_write(self->base + PAGES(1)));
	EXPECT_TRUE(VirtualUnlock(self->base + PAGES(1), PAGES(1)));
	EXPECT_TOLD_AND_RESET(1);
}

/* ---- writes of the kernel ---- */

static int file_of(size_t size)
{
	int fd = memfd_create("watch", MFD_CLOEXEC);
	static char data[PAGES(16)];

	memset(data, 0x5a, sizeof(data));
	if (fd >= 0 && write(fd, data, size) != (ssize_t)size)
		abort();
	return fd;
}

/* Before what is tested: pages are in memory and clean, or have never been there. */
static void touch(char *base, size_t size, bool in_memory)
{
	size_t i;

	for (i = 0; in_memory && i < size; i += PAGE)
		base[i] = 1;
	if (ResetWriteWatch(base, size))
		abort();
}

/* Rules: WW-44 WW-43 */
TEST_F(watch, read_and_recv)
{
	int file = file_of(PAGES(3)), sock[2], i;
	struct iovec parts[2] = {
		{ self->base + PAGES(10) + 1, 1 },
		{ self->base + PAGES(12), PAGES(1) },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	ASSERT_LE(0, file);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	for (i = 0; i < 2; i++) {
		touch(self->base, self->size, i);
		EXPECT_EQ(-1, read(-1, self->base, PAGE));
		EXPECT_TOLD(NONE);
		EXPECT_EQ(PAGES(2), pread(file, self->base + PAGES(4) + 8,
					  PAGES(2), 0));
		EXPECT_TOLD_AND_RESET(4, 5, 6);
		EXPECT_EQ(10, write(sock[0], "0123456789", 10));
		EXPECT_EQ(10, recvmsg(sock[1], &message, 0));
		EXPECT_TOLD_AND_RESET(10, 12);
		EXPECT_EQ(1, write(sock[0], "0", 1));
		EXPECT_EQ(1, recv(sock[1], self->base + PAGES(1), PAGES(1), 0));
		EXPECT_TOLD_AND_RESET(1);
	}
	close(file);
	close(sock[0]);
	close(sock[1]);
}

struct pending {
	int fd;
	char *at;
	ssize_t n;
};

static void *read_pending(void *arg)
{
	struct pending *pending = arg;

	pending->n = read(pending->fd, pending->at, PAGES(4));
	return NULL;
}

/* Rules: WW-41 */
TEST_F(watch, pending_read)
{
	struct pending pending = { .at = self->base + PAGES(4) };
	pthread_t reader;
	int ends[2], i;

	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	pending.fd = ends[0];
	for (i = 0; i < 2; i++) {
		touch(self->base, self->size, i);
		ASSERT_EQ(0, pthread_create(&reader, NULL, read_pending,
					    &pending));
		sleep_ms(100);
		EXPECT_EQ(0, ResetWriteWatch(self->base, self->size));
		EXPECT_EQ(3, write(ends[1], "abc", 3));
		pthread_join(reader, NULL);
		EXPECT_EQ(3, pending.n);
		EXPECT_TOLD_AND_RESET(4);
	}
	close(ends[0]);
	close(ends[1]);
}

struct foreign {
	char *base;
	pid_t pid;
};

static int write_to_parent(void *arg)
{
	struct foreign *at = arg;
	uint64_t value = 0x1122334455667788;
	struct iovec local = { &value, 8 };
	struct iovec remote = { at->base + PAGES(3) - 4, 8 };

	CHECK(process_vm_writev(at->pid, &local, 1, &remote, 1, 0) == 8);
	return 0;
}

/* Rules: WW-44 */
TEST_F(watch, other_process)
{
	struct foreign at = { self->base, getpid() };
	int i;

	for (i = 0; i < 2; i++) {
		touch(self->base, self->size, i);
		EXPECT_EQ(0, in_child(write_to_parent, &at));
		EXPECT_EQ(0x44, self->base[PAGES(3)]);
		EXPECT_TOLD_AND_RESET(2, 3);
	}
}

/* Rules: WW-44 */
TEST_F(watch, proc_mem)
{
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC), i;
	char byte = 3;

	ASSERT_LE(0, mem);
	for (i = 0; i < 2; i++) {
		touch(self->base, self->size, i);
		EXPECT_EQ(1, pread(mem, &byte, 1,
				   (uintptr_t)self->base + PAGES(6)));
		EXPECT_TOLD(NONE);
		EXPECT_EQ(1, pwrite(mem, &byte, 1,
				    (uintptr_t)self->base + PAGES(7)));
		EXPECT_TOLD_AND_RESET(7);
	}
	close(mem);
}

/* What a debugger writes to what the program itself could not */
static int written_by_a_debugger(void *arg)
{
	struct foreign *at = arg;
	long n;
	DWORD old;

	CHECK(VirtualProtect(at->base, PAGES(4), PAGE_READONLY, &old));
	CHECK(!ptrace(PTRACE_TRACEME, 0, 0, 0));
	raise(SIGSTOP);
	n = ask(at->base, UNIT, true);
	CHECK(n == 1);
	CHECK(told[0] == at->base + PAGES(2));
	CHECK(at->base[PAGES(2)] == 0x77);
	CHECK(ask(at->base, UNIT, true) == 0);
	return 0;
}

/* Rules: WW-44 */
TEST_F(watch, debugger)
{
	struct foreign at = { self->base, 0 };
	struct child child;
	int status, i;

	for (i = 0; i < 2; i++) {
		touch(self->base, self->size, i);
		child = start_child(written_by_a_debugger, &at);
		ASSERT_EQ(child.pid, waitpid(child.pid, &status, 0));
		ASSERT_TRUE(WIFSTOPPED(status));
		EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, child.pid,
				    self->base + PAGES(2), 0x77L));
		EXPECT_EQ(0, ptrace(PTRACE_DETACH, child.pid, 0, 0));
		EXPECT_EQ(0, end_child(&child));
		EXPECT_TOLD(NONE);
	}
}

/* Rules: WW-44 */
TEST_F(watch, io_uring)
{
	int file = file_of(PAGES(3)), i;
	struct ring ring;

	ASSERT_LE(0, file);
	if (ring_open(&ring))
		SKIP(return, "no io_uring");
	for (i = 0; i < 2; i++) {
		touch(self->base, self->size, i);
		ASSERT_EQ(0, ring_submit(&ring, IORING_OP_READ, file,
					 self->base + PAGES(8), PAGES(2), 0));
		EXPECT_EQ(PAGES(2), ring_wait(&ring));
		EXPECT_TOLD_AND_RESET(8, 9);
	}
	close(ring.fd);
	close(file);
}

/*
 * When nothing has pages pinned any more: sockets end by work that is put off, and a
 * buffer that was unregistered has the request that used it last as a user until that is
 * given up, which may be after its completion was seen.
 */
#define EXPECT_NONE_SOON() \
	EXPECT_TRUE(SETTLES(ask(self->base, self->size, true) == 0))

/* Rules: WW-45. A device that has pages pinned may write them at any time. */
TEST_F(watch, pinned)
{
	int sock;

	touch(self->base, self->size, true);
	sock = pin_pages(self->base + PAGES(2), 2);
	if (sock < 0)
		SKIP(return, "cannot be pinned here: %d", sock);
	EXPECT_TOLD_AND_RESET(2, 3);
	EXPECT_TOLD_AND_RESET(2, 3);
	EXPECT_EQ(0, ResetWriteWatch(self->base, self->size));
	EXPECT_TOLD(2, 3);
	close(sock);
	EXPECT_NONE_SOON();
}

/* What goes into a buffer that io_uring has pinned: nobody marks it. */
static void read_fixed(struct __test_metadata *_metadata, struct ring *ring,
		       int file, char *page)
{
	EXPECT_EQ(PAGES(1), ring_io(ring, IORING_OP_READ_FIXED, file, page,
				    PAGES(1)));
}

static int register_buffer(struct ring *ring, char *base, unsigned int pages)
{
	struct iovec iov = { base, PAGES(pages) };

	return syscall(SYS_io_uring_register, ring->fd,
		       0 /* IORING_REGISTER_BUFFERS */, &iov, 1);
}

static void unregister_buffer(struct __test_metadata *_metadata,
			      struct ring *ring)
{
	EXPECT_EQ(0, syscall(SYS_io_uring_register, ring->fd,
			     1 /* IORING_UNREGISTER_BUFFERS */, NULL, 0));
}

/* Rules: WW-44 WW-45. What was written last is told when nothing is pinned any more. */
TEST_F(watch, registered_buffer)
{
	int file = file_of(PAGES(1)), i;
	struct ring ring;

	ASSERT_LE(0, file);
	if (ring_open(&ring))
		SKIP(return, "no io_uring");
	for (i = 0; i < 2; i++) {
		touch(self->base, self->size, true);
		if (register_buffer(&ring, self->base + PAGES(2), 2))
			SKIP(return, "io_uring pins no such memory");
		EXPECT_TOLD_AND_RESET(2, 3);
		read_fixed(_metadata, &ring, file, self->base + PAGES(2));
		/* Whether it was asked in between, or not */
		if (i)
			EXPECT_EQ(0, ResetWriteWatch(self->base, self->size));
		read_fixed(_metadata, &ring, file, self->base + PAGES(3));
		unregister_buffer(_metadata, &ring);
		EXPECT_TOLD(2, 3);
		EXPECT_TOLD_AND_RESET(2, 3);
		EXPECT_NONE_SOON();
	}
	close(ring.fd);
	close(file);
}

/* Rules: WW-33 WW-45. The buffer stays the old page. */
TEST_F(watch, registered_and_decommitted)
{
	char *page = self->base + PAGES(2);
	int file = file_of(PAGES(1));
	struct ring ring;

	ASSERT_LE(0, file);
	if (ring_open(&ring))
		SKIP(return, "no io_uring");
	touch(self->base, self->size, true);
	if (register_buffer(&ring, page, 2))
		SKIP(return, "io_uring pins no such memory");
	EXPECT_TOLD_AND_RESET(2, 3);
	ASSERT_TRUE(VirtualFree(page, PAGE, MEM_DECOMMIT));
	ASSERT_EQ(page, VirtualAlloc(page, PAGE, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_EQ(0, *page);
	read_fixed(_metadata, &ring, file, page);
	EXPECT_EQ(0, *page);
	EXPECT_TOLD_AND_RESET(3);
	unregister_buffer(_metadata, &ring);
	EXPECT_TOLD_AND_RESET(3);
	EXPECT_NONE_SOON();
	close(ring.fd);
	close(file);
}

/* A socket of the kernel's ciphers, with which pages are encrypted, or -1: it has none */
static int open_cipher(void)
{
	struct sockaddr_alg address = {
		.salg_family = AF_ALG,
		.salg_type = "skcipher",
		.salg_name = "ecb(aes)",
	};
	int sock = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), cipher;

	if (sock < 0)
		return -1;
	if (bind(sock, (struct sockaddr *)&address, sizeof(address))) {
		close(sock);
		return -1;
	}
	if (setsockopt(sock, SOL_ALG, ALG_SET_KEY, "0123456789abcdef", 16))
		abort();
	cipher = accept4(sock, NULL, NULL, SOCK_CLOEXEC);
	close(sock);
	return cipher;
}

/* What is encrypted goes to @page, by a reference to that. */
static bool encrypt(int cipher, char *page)
{
	char control[CMSG_SPACE(4)] = {}, data[4096] = "text";
	struct iovec part = { data, sizeof(data) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *operation = CMSG_FIRSTHDR(&message);

	operation->cmsg_level = SOL_ALG;
	operation->cmsg_type = ALG_SET_OP;
	operation->cmsg_len = CMSG_LEN(4);
	*(uint32_t *)CMSG_DATA(operation) = ALG_OP_ENCRYPT;
	return sendmsg(cipher, &message, 0) == sizeof(data) &&
	       read(cipher, page, sizeof(data)) == sizeof(data) &&
	       memcmp(page, data, sizeof(data));
}

/* Rules: WW-44. Nobody marks the page, whose PTE is writable, and clean. */
TEST_F(watch, cipher)
{
	int cipher, i;
	DWORD old;

	if (!kernel_is(6, 3))
		SKIP(return, "this kernel pins no such pages");
	cipher = open_cipher();
	if (cipher < 0)
		SKIP(return, "no ciphers of the kernel");
	for (i = 0; i < 2; i++) {
		touch(self->base, self->size, true);
		EXPECT_TRUE(encrypt(cipher, self->base + PAGES(5)));
		EXPECT_TOLD_AND_RESET(5);
		EXPECT_TOLD(NONE);
		/* Also when its PTE has gone, and it has been read */
		EXPECT_TRUE(encrypt(cipher, self->base + PAGES(6)));
		ASSERT_TRUE(VirtualProtect(self->base + PAGES(6), PAGE,
					   PAGE_READONLY, &old));
		EXPECT_TRUE(try_read(self->base + PAGES(6)));
		ASSERT_TRUE(VirtualProtect(self->base + PAGES(6), PAGE,
					   variant->protect, &old));
		EXPECT_TOLD_AND_RESET(6);
		/* What is only read, protected or unmapped is not told. */
		EXPECT_TRUE(try_read(self->base + PAGES(7)));
		ASSERT_TRUE(VirtualProtect(self->base + PAGES(7), PAGE,
					   PAGE_READONLY, &old));
		ASSERT_TRUE(VirtualProtect(self->base + PAGES(7), PAGE,
					   variant->protect, &old));
		madvise(self->base, self->size, MADV_DONTNEED);
		EXPECT_TOLD(NONE);
	}
	close(cipher);
}

/* ---- what the core does to PTEs ---- */

TEST_F(watch, advice)
{
	static const int advice[] = { MADV_DONTNEED, MADV_COLD, MADV_PAGEOUT,
				      MADV_WILLNEED };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(advice); i++) {
		write_page(self->base, 3);
		write_page(self->base, 4);
		EXPECT_EQ(0, madvise(self->base, self->size, advice[i]));
		EXPECT_TOLD(3, 4);
		EXPECT_EQ(0, madvise(self->base, self->size, advice[i]));
		EXPECT_EQ(0, *(volatile char *)(self->base + PAGES(5)));
		EXPECT_TOLD_AND_RESET(3, 4);
		EXPECT_EQ(0, madvise(self->base, self->size, advice[i]));
		EXPECT_TOLD(NONE);
		EXPECT_EQ(i + 1, self->base[PAGES(3) + 17]);
		EXPECT_TOLD(NONE);
	}
}

/* Soft-dirty bits are somebody else's. */
TEST_F(watch, clear_refs)
{
	write_page(self->base, 1);
	EXPECT_TRUE(write_text("/proc/self/clear_refs", "4"));
	EXPECT_TOLD_AND_RESET(1);
	EXPECT_TRUE(write_text("/proc/self/clear_refs", "4"));
	EXPECT_TOLD(NONE);
	write_page(self->base, 1);
	EXPECT_TRUE(write_text("/proc/self/clear_refs", "4"));
	write_page(self->base, 2);
	EXPECT_TOLD_AND_RESET(1, 2);
	write_page(self->base, 1);
	EXPECT_TOLD_AND_RESET(1);
}

/* It takes no fault, and no large page. */
TEST_F(watch, no_faults)
{
	unsigned int pages = self->size / PAGE, i, round;
	long faults;

	touch(self->base, self->size, true);
	for (i = 0; i < pages; i++)
		ASSERT_FALSE(is_part(self->base + PAGES(i)));
	faults = minor_faults();
	for (round = 0; round < 8; round++) {
		for (i = 0; i < pages; i++)
			write_page(self->base, i);
		ASSERT_EQ(pages, ask(self->base, self->size, true));
	}
	/* One for each round, and some for the stack and the harness */
	if (EDITS_PTES)
		EXPECT_GE(40, minor_faults() - faults);
}

/* ---- beside others ---- */

/* A watched region where the module has others around it, and the other way round. */
TEST(among_others)
{
	DWORD granularity;
	ULONG_PTR count = 8;
	char *other[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(other); i++) {
		other[i] = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
					PAGE_READWRITE);
		ASSERT_NE(NULL, other[i]);
		fill(other[i], UNIT);
	}
	for (i = 1; i < ARRAY_SIZE(other); i += 3) {
		EXPECT_TRUE(VirtualFree(other[i], 0, MEM_RELEASE));
		ASSERT_EQ(other[i], watched_at(other[i], UNIT, MEM_COMMIT,
					       PAGE_READWRITE));
		EXPECT_EQ(0, ask(other[i], UNIT, false));
	}
	for (i = 0; i < ARRAY_SIZE(other); i++)
		write_page(other[i], i % 16);
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		if (i % 3 == 1) {
			EXPECT_TRUE(tells(other[i], UNIT, true,
					  (int[]){ i % 16, -1 }));
			EXPECT_TRUE(tells(other[i], UNIT, true,
					  (int[]){ -1 }));
		} else {
			EXPECT_GET_FAILS(ERROR_INVALID_PARAMETER, 0, other[i],
					 PAGE, told, &count, &granularity);
		}
		EXPECT_TRUE(VirtualFree(other[i], 0, MEM_RELEASE));
	}
}

/* ---- in place of a placeholder ---- */

static bool is_watched(char *base)
{
	return ask(base, PAGE, false) >= 0;
}

/* Of pages [4, 12) of a placeholder, with plain memory on both sides that is written */
static char *part_of_placeholder(char *address, size_t size)
{
	char *base = alloc2(address, size, MAKE, PAGE_NOACCESS);
	char *part = base + PAGES(4);

	if (!base || !preserve(part, PAGES(8)) ||
	    !alloc2(base, PAGES(4), REPLACE_NOW, PAGE_READWRITE) ||
	    !alloc2(part + PAGES(8), size - PAGES(12), REPLACE_NOW,
		    PAGE_READWRITE))
		return NULL;
	fill(base, PAGES(4));
	fill(part + PAGES(8), size - PAGES(12));
	return part;
}

static void replace_and_preserve(struct __test_metadata *_metadata,
				 char *part, DWORD commit)
{
	const DWORD type = REPLACE | MEM_WRITE_WATCH | commit;

	/* What fails leaves the placeholder. */
	EXPECT_FALSE(alloc2(part, PAGES(7), type, PAGE_READWRITE));
	EXPECT_PLACEHOLDER(part, PAGES(8));
	ASSERT_EQ(part, alloc2(part, PAGES(8), type, PAGE_READWRITE));
	EXPECT_FALSE(alloc2(part, PAGES(8), type, PAGE_READWRITE));
	if (!commit)
		ASSERT_EQ(part, VirtualAlloc(part, PAGES(8), MEM_COMMIT,
					     PAGE_READWRITE));
	EXPECT_TRUE(tells(part, PAGES(8), false, (int[]){ -1 }));
	EXPECT_TRUE(is_zero(part, PAGES(8)));
	write_page(part, 3);
	write_page(part, 7);
	write_page(part - PAGES(4), 1);
	write_page(part + PAGES(8), 1);
	EXPECT_TRUE(tells(part, PAGES(8), true, (int[]){ 3, 7, -1 }));
	EXPECT_TRUE(tells(part, PAGES(8), false, (int[]){ -1 }));
	write_page(part, 7);
	EXPECT_FALSE(is_watched(part - PAGES(4)));
	EXPECT_FALSE(is_watched(part + PAGES(8)));
	/* Half of it stays so when the rest is a placeholder again. */
	ASSERT_TRUE(preserve(part, PAGES(4)));
	EXPECT_FALSE(is_watched(part));
	EXPECT_TRUE(tells(part + PAGES(4), PAGES(4), false, (int[]){ 3, -1 }));
	ASSERT_TRUE(preserve(part + PAGES(4), PAGES(4)));
	ASSERT_TRUE(coalesce(part, PAGES(8)));
	EXPECT_PLACEHOLDER(part, PAGES(8));
	/* The next one needs the flag as well. */
	ASSERT_EQ(part, alloc2(part, PAGES(8), REPLACE_NOW, PAGE_READWRITE));
	EXPECT_FALSE(is_watched(part));
	write_page(part, 2);
	ASSERT_TRUE(preserve(part, PAGES(8)));
}

/* Rules: WW-35, PH-05, PH-27 */
TEST(replaces_a_placeholder)
{
	static const size_t sizes[] = { UNIT, MIB(8) };
	char *part, *base;
	unsigned int i;

	set_large(true);
	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		base = i % 2 ? ARENA : NULL;
		part = part_of_placeholder(base, sizes[i / 2]);
		ASSERT_NE(NULL, part);
		replace_and_preserve(_metadata, part, MEM_COMMIT);
		replace_and_preserve(_metadata, part, 0);
		base = part - PAGES(4);
		EXPECT_TRUE(is_filled(base + PAGES(3), PAGES(1)));
		EXPECT_TRUE(release_all(base, sizes[i / 2]));
	}
}

/* All of a large one, where large pages could be. Rules: WW-35 */
TEST(replaces_a_large_placeholder)
{
	const size_t size = MIB(8);
	char *base;

	set_large(true);
	base = alloc2(NULL, size, MAKE, PAGE_NOACCESS);
	ASSERT_NE(NULL, base);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(NULL, size, MAKE | MEM_WRITE_WATCH, PAGE_NOACCESS));
	ASSERT_EQ(base, alloc2(base, size, REPLACE_NOW, PAGE_READWRITE));
	fill(base, size);
	ASSERT_TRUE(preserve(base, size));
	ASSERT_EQ(base, alloc2(base, size, REPLACE_NOW | MEM_WRITE_WATCH,
			       PAGE_READWRITE));
	EXPECT_TRUE(is_zero(base, size));
	write_page(base, 5);
	write_page(base, 700);
	EXPECT_TRUE(tells(base, size, true, (int[]){ 5, 700, -1 }));
	EXPECT_TRUE(tells(base, size, true, (int[]){ -1 }));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* A part is released: what is left on both sides is watched on. */
TEST(part_is_released)
{
	char *base = watched(PAGES(32));
	PVOID part = base + PAGES(8);
	SIZE_T size = PAGES(8);
	unsigned int i;

	ASSERT_NE(NULL, base);
	for (i = 0; i < 32; i += 4)
		write_page(base, i);
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtFreeVirtualMemory(SELF, &part, &size, MEM_RELEASE));
	EXPECT_TRUE(tells(base, PAGES(8), true, (int[]){ 0, 4, -1 }));
	EXPECT_TRUE(tells(base + PAGES(16), PAGES(16), true,
			  (int[]){ 0, 4, 8, 12, -1 }));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	EXPECT_TRUE(VirtualFree(base + PAGES(16), 0, MEM_RELEASE));
}

/* At the highest place, or below a limit, it is no different. */
TEST(placed)
{
	PVOID low = NULL;
	SIZE_T size = UNIT;
	char *base;

	base = watched_at(NULL, UNIT, MEM_COMMIT | MEM_TOP_DOWN,
			  PAGE_READWRITE);
	ASSERT_NE(NULL, base);
	write_page(base, 3);
	EXPECT_EQ(1, ask(base, UNIT, true));
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtAllocateVirtualMemory(SELF, &low, 1, &size,
					      MEM_RESERVE | MEM_COMMIT |
						      MEM_WRITE_WATCH,
					      PAGE_READWRITE));
	EXPECT_GT(0x80000000UL, (uintptr_t)low);
	write_page(low, 3);
	EXPECT_EQ(1, ask(low, UNIT, true));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	EXPECT_TRUE(VirtualFree(low, 0, MEM_RELEASE));
}

/* ---- forks ---- */

struct family {
	char *base;
	size_t size;
	unsigned int generation;
};

/* It goes on with what the parent knew, and on its own. */
static int child_of_watcher(void *arg)
{
	struct family *family = arg;
	char *base = family->base;

	CHECK(tells(base, family->size, false, (int[]){ 1, 2, -1 }));
	write_page(base, 3);
	CHECK(tells(base, family->size, false, (int[]){ 1, 2, 3, -1 }));
	if (family->generation--) {
		CHECK(tells(base, family->size, true, (int[]){ 1, 2, 3, -1 }));
		write_page(base, 1);
		write_page(base, 2);
		CHECK(!in_child(child_of_watcher, family));
		CHECK(tells(base, family->size, true, (int[]){ 1, 2, -1 }));
	}
	CHECK(VirtualFree(base, 0, MEM_RELEASE));
	return 0;
}

/* The child of a fork, and the parent after it */
TEST_F(watch, fork)
{
	struct family family = { self->base, self->size, 2 };
	int i;

	for (i = 0; i < 2; i++) {
		touch(self->base, self->size, i);
		write_page(self->base, 1);
		write_page(self->base, 2);
		EXPECT_EQ(0, in_child(child_of_watcher, &family));
		EXPECT_TOLD(1, 2);
		write_page(self->base, 4);
		EXPECT_TOLD_AND_RESET(1, 2, 4);
		write_page(self->base, 4);
		EXPECT_TOLD_AND_RESET(4);
		EXPECT_TOLD(NONE);
	}
}

static int waits(void *arg)
{
	struct rendezvous *rv = arg;

	rendezvous_wait(rv, 1);
	return 0;
}

/* While a child has the pages too, which are copied when they are written */
TEST_F(watch, child_is_there)
{
	struct rendezvous rv;
	struct child child;
	int file = file_of(PAGE), i;

	ASSERT_TRUE(rendezvous_init(&rv));
	for (i = 0; i < (int)(self->size / PAGE); i++)
		write_page(self->base, i);
	EXPECT_EQ(0, ResetWriteWatch(self->base, self->size));
	child = start_child(waits, &rv);
	EXPECT_TOLD(NONE);
	EXPECT_EQ(1, *(volatile char *)(self->base + PAGES(3) + 17));
	EXPECT_TOLD(NONE);
	write_page(self->base, 5);
	EXPECT_TOLD_AND_RESET(5);
	EXPECT_EQ(100, pread(file, self->base + PAGES(7), 100, 0));
	EXPECT_TOLD_AND_RESET(7);
	write_page(self->base, 5);
	write_page(self->base, 9);
	EXPECT_TOLD_AND_RESET(5, 9);
	rendezvous_signal(&rv, 0);
	EXPECT_EQ(0, end_child(&child));
	/* What it has left to us */
	write_page(self->base, 11);
	EXPECT_TOLD_AND_RESET(11);
	write_page(self->base, 12);
	EXPECT_TOLD_AND_RESET(12);
	close(file);
}

/* ---- contents that may be freed ---- */

static bool press(void)
{
	return write_text(DROP_CACHES, "2");
}

static bool reset_pages(char *base, unsigned int page, unsigned int n)
{
	return VirtualAlloc(base + PAGES(page), PAGES(n), MEM_RESET,
			    PAGE_NOACCESS);
}

/* Rule WW-39: what was written before is told, wherever the page is. */
TEST_F(watch, written_and_reset)
{
	write_page(self->base, 1);
	write_page(self->base, 2);
	ASSERT_TRUE(reset_pages(self->base, 1, 1));
	EXPECT_TOLD_AND_RESET(1, 2);
	EXPECT_TOLD(NONE);
	EXPECT_EQ(1, self->base[PAGES(1) + 17]); /* and so it is back */
	EXPECT_TOLD(NONE);
	write_page(self->base, 1);
	ASSERT_TRUE(reset_pages(self->base, 0, 16));
	ASSERT_EQ(1, VirtualAlloc(self->base, PAGES(16), MEM_RESET_UNDO,
				  PAGE_NOACCESS) == self->base);
	EXPECT_TOLD_AND_RESET(1);
	/* While all of the slot is away */
	write_page(self->base, 3);
	ASSERT_TRUE(reset_pages(self->base, 0, 16));
	EXPECT_TOLD(3);
	ASSERT_TRUE(press());
	EXPECT_TOLD(3);
	EXPECT_EQ(0, self->base[PAGES(3) + 17]);
	EXPECT_TOLD_AND_RESET(3);
	/* To be freed is no write, to write what was is one. */
	ASSERT_TRUE(reset_pages(self->base, 0, 16));
	ASSERT_TRUE(press());
	EXPECT_EQ(0, self->base[PAGES(1) + 17]);
	EXPECT_TOLD(NONE);
	write_page(self->base, 1);
	EXPECT_TOLD_AND_RESET(1);
}

/* Rule WW-39 */
TEST_F(watch, written_and_offered)
{
	write_page(self->base, 4);
	write_page(self->base, 6);
	ASSERT_EQ(0, OfferVirtualMemory(self->base + PAGES(4), PAGES(2),
					VmOfferPriorityLow));
	EXPECT_TOLD(4, 6);
	ASSERT_EQ(0, ReclaimVirtualMemory(self->base + PAGES(4), PAGES(2)));
	EXPECT_TOLD_AND_RESET(4, 6);
	EXPECT_TOLD(NONE);
	write_page(self->base, 5);
	ASSERT_EQ(0, OfferVirtualMemory(self->base, PAGES(16),
					VmOfferPriorityLow));
	ASSERT_TRUE(press());
	EXPECT_TOLD_AND_RESET(5);
	ASSERT_EQ((DWORD)ERROR_BUSY,
		  ReclaimVirtualMemory(self->base, PAGES(16)));
	EXPECT_TOLD(NONE);
	write_page(self->base, 5);
	EXPECT_TOLD_AND_RESET(5);
}

/* Rules WW-33, WW-39. */
TEST_F(watch, written_and_discarded)
{
	DWORD old;

	ASSERT_TRUE(VirtualProtect(self->base, self->size, PAGE_READWRITE,
				   &old));
	write_page(self->base, 7);
	write_page(self->base, 8);
	ASSERT_EQ(0, DiscardVirtualMemory(self->base + PAGES(8), PAGE));
	EXPECT_TOLD(7, 8);
	ASSERT_EQ(0, DiscardVirtualMemory(self->base, self->size));
	EXPECT_TOLD(7, 8);
	/* Given up where no page is any more */
	ASSERT_TRUE(VirtualFree(self->base + PAGES(8), PAGE, MEM_DECOMMIT));
	EXPECT_TOLD(7);
	ASSERT_TRUE(VirtualAlloc(self->base + PAGES(8), PAGE, MEM_COMMIT,
				 PAGE_READWRITE));
	EXPECT_TOLD_AND_RESET(7);
	EXPECT_TOLD(NONE);
}

/* Rules LK-01, WW-39. */
TEST_F(watch, locked)
{
	ASSERT_TRUE(VirtualLock(self->base, PAGES(16)));
	EXPECT_TOLD(NONE);
	write_page(self->base, 3);
	EXPECT_TRUE(EmptyWorkingSet(GetCurrentProcess()));
	ASSERT_TRUE(reset_pages(self->base, 0, 16));
	EXPECT_TOLD_AND_RESET(3);
	write_page(self->base, 3);
	ASSERT_TRUE(VirtualUnlock(self->base, PAGES(16)));
	EXPECT_TRUE(EmptyWorkingSet(GetCurrentProcess()));
	EXPECT_TOLD_AND_RESET(3);
	EXPECT_EQ(2, self->base[PAGES(3) + 17]);
	EXPECT_TOLD(NONE);
}

/* Who touches @page stays there until what is returned is closed; or -1. */
static int stop_at(char *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (uintptr_t)page, PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (uffd < 0)
		return -1;
	if (!ioctl(uffd, UFFDIO_API, &api) &&
	    !ioctl(uffd, UFFDIO_REGISTER, &reg))
		return uffd;
	close(uffd);
	return -1;
}

struct asking {
	int fd;
	char *base;
	char *array;
	int uffd;
	pthread_t thread;
	int ret;
};

static void *ask_for_one(void *arg)
{
	struct asking *asking = arg;
	uint64_t nr = 1;

	asking->ret = ask_ioctl(asking->fd,
				WINREGION_WATCH_GET | WINREGION_WATCH_RESET,
				asking->base, UNIT, asking->array, &nr);
	return NULL;
}

/* A question is about to answer, and cannot go on. */
static bool begin_asking(struct asking *asking)
{
	struct uffd_msg msg;

	asking->array = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (asking->array == MAP_FAILED)
		return false;
	asking->uffd = stop_at(asking->array);
	return asking->uffd >= 0 &&
	       !pthread_create(&asking->thread, NULL, ask_for_one, asking) &&
	       read(asking->uffd, &msg, sizeof(msg)) == sizeof(msg);
}

/* It finds that it cannot answer. Return: what it says. */
static int end_asking(struct asking *asking)
{
	munmap(asking->array, PAGE);
	close(asking->uffd);
	pthread_join(asking->thread, NULL);
	return asking->ret;
}

/*
 * Rule WW-39. Before it is known that an answer cannot be given, the only other page that
 * something could be noted of is decommitted.
 */
TEST_F(watch, decommit_before_an_answer)
{
	struct asking asking = { .fd = self->fd, .base = self->base };

	write_page(self->base, 1);
	ASSERT_TRUE(reset_pages(self->base, 0, 16));
	if (!begin_asking(&asking))
		SKIP(return, "no userfaultfd here");
	EXPECT_TOLD(NONE);
	EXPECT_TRUE(VirtualFree(self->base + PAGES(5), PAGE, MEM_DECOMMIT));
	EXPECT_EQ(-EFAULT, end_asking(&asking));
	EXPECT_TOLD_AND_RESET(1);
	/* And what was noted goes when it may. */
	EXPECT_TRUE(VirtualFree(self->base, self->size, MEM_DECOMMIT));
	EXPECT_TOLD(NONE);
}

/* The same; now its first page is released, and what is left is told by its own. */
TEST_F(watch, release_before_an_answer)
{
	struct asking asking = { .fd = self->fd, .base = self->base };
	PVOID part = self->base;
	SIZE_T size = PAGE;

	write_page(self->base, 1);
	if (!begin_asking(&asking))
		SKIP(return, "no userfaultfd here");
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtFreeVirtualMemory(SELF, &part, &size, MEM_RELEASE));
	self->base += PAGE;
	self->size -= PAGE;
	EXPECT_EQ(-EFAULT, end_asking(&asking));
	EXPECT_TOLD_AND_RESET(0);
}

static int child_of_one_reset(void *arg)
{
	char *base = arg;
	long n = ask(base, PAGES(16), true);

	CHECK(n == 1 && told[0] == base + PAGES(9));
	write_page(base, 2);
	n = ask(base, PAGES(16), true);
	CHECK(n == 1 && told[0] == base + PAGES(2));
	return 0;
}

TEST_F(watch, fork_while_reset)
{
	write_page(self->base, 9);
	ASSERT_TRUE(reset_pages(self->base, 0, 16));
	EXPECT_EQ(0, in_child(child_of_one_reset, self->base));
	EXPECT_TOLD_AND_RESET(9);
}

/* ---- no write is lost ---- */

#define RACE_PAGES 512

static struct {
	struct crew crew;
	char *base;
	char *copy;
} lost;

static volatile uint64_t *counter(unsigned int page, unsigned int writer)
{
	return (volatile uint64_t *)(lost.base + PAGES(page)) + writer * 8;
}

/* Each thread counts in words of its own, by itself and by system calls. */
static void *count_up(void *arg)
{
	unsigned int writer = (uintptr_t)arg;
	uint64_t state = 77 + writer, value;
	volatile uint64_t *word;
	int file = memfd_create("count", MFD_CLOEXEC);

	while (crew_goes_on(&lost.crew)) {
		word = counter(race_random(&state, RACE_PAGES), writer);
		value = *word + 1;
		if (race_random(&state, 64))
			*word = value;
		else if (pwrite(file, &value, 8, 0) != 8 ||
			 pread(file, (void *)word, 8, 0) != 8)
			abort();
	}
	close(file);
	return NULL;
}

/* Takes pages away from where they are mapped. */
static void *unmap(void *arg)
{
	uint64_t state = 1234;

	while (crew_goes_on(&lost.crew)) {
		madvise(lost.base + PAGES(race_random(&state, RACE_PAGES - 64)),
			PAGES(64), MADV_DONTNEED);
		sched_yield();
	}
	return NULL;
}

static int child_of_racer(void *arg)
{
	uint64_t state = 5;
	int i;

	for (i = 0; i < 300; i++)
		write_page(lost.base, race_random(&state, RACE_PAGES));
	CHECK(ask(lost.base, PAGES(RACE_PAGES), true) > 0);
	return 0;
}

/* Copies what is told. */
static bool copy_told(void)
{
	long n = ask(lost.base, PAGES(RACE_PAGES), true), i;

	for (i = 0; i < n; i++)
		memcpy(lost.copy + ((char *)told[i] - lost.base), told[i],
		       PAGE);
	return n >= 0;
}

static unsigned int count_stale(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < RACE_PAGES; i++)
		n += !!memcmp(lost.base + PAGES(i), lost.copy + PAGES(i), PAGE);
	return n;
}

/*
 * Threads count in pages, and what is told is copied: in the end the copy is the
 * same, whatever the core, changes of the protection and children did meanwhile.
 */
TEST(no_write_is_lost)
{
	long n = rounds(watch_lost), i;
	uintptr_t writer;
	DWORD old;

	lost.base = watched(PAGES(RACE_PAGES));
	lost.copy = calloc(RACE_PAGES, PAGE);
	ASSERT_NE(NULL, lost.base);
	ASSERT_NE(NULL, lost.copy);
	for (writer = 0; writer < 3; writer++)
		crew_add(&lost.crew, count_up, (void *)writer);
	crew_add(&lost.crew, unmap, NULL);
	for (i = 0; i < n; i++) {
		ASSERT_TRUE(copy_told());
		if (i % 64 == 63)
			ASSERT_EQ(0, in_child(child_of_racer, NULL));
		if (i % 16 == 15)
			ASSERT_TRUE(VirtualProtect(lost.base,
						   PAGES(RACE_PAGES),
						   PAGE_READWRITE, &old));
	}
	crew_stop(&lost.crew);
	ASSERT_TRUE(copy_told());
	EXPECT_EQ(0, count_stale());
	EXPECT_EQ(0, ask(lost.base, PAGES(RACE_PAGES), false));
	EXPECT_TRUE(VirtualFree(lost.base, 0, MEM_RELEASE));
	free(lost.copy);
}

/* The same where writes are seen at once, so that nothing but the TLBs can lie */
TEST(told_again_after_a_reset)
{
	char *base = watched(UNIT);
	long n = rounds(watch_again), i, missed = 0;

	ASSERT_NE(NULL, base);
	for (i = 0; i < n; i++) {
		write_page(base, i % 16);
		if (ask(base, UNIT, true) != 1 ||
		    told[0] != base + PAGES(i % 16))
			missed++;
		write_page(base, i % 16);
		if (ask(base, UNIT, true) != 1)
			missed++;
	}
	EXPECT_EQ(0, missed);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* ---- failures ---- */

static bool ask_once_failing(struct __test_metadata *_metadata,
			     FIXTURE_DATA(watch) *self, unsigned int nth,
			     uint32_t flags)
{
	bool get = flags & WINREGION_WATCH_GET, hit;
	uint64_t nr = get ? MAX_TOLD : 0;
	int ret;

	write_page(self->base, 1);
	write_page(self->base, 5);
	write_page(self->base, self->size / PAGE - 1);
	ASSERT_TRUE(fail_set(nth));
	ret = ask_ioctl(self->fd, flags, self->base, self->size,
			get ? told : NULL, &nr);
	hit = fail_clear();
	EXPECT_TRUE(!ret || (hit && (ret == -ENOMEM || ret == -EFAULT))) {
		TH_LOG("%u: %d", nth, ret);
	}
	EXPECT_EQ(!ret && get ? 3 : get ? MAX_TOLD : 0, nr);
	/* Nothing is forgotten but by success. */
	EXPECT_EQ(!ret && flags & WINREGION_WATCH_RESET ? 0 : 3,
		  ask(self->base, self->size, true)) {
		TH_LOG("%u: %d", nth, ret);
	}
	/* What was noted goes with the pages, so that it has to be made again. */
	EXPECT_TRUE(VirtualFree(self->base, self->size, MEM_DECOMMIT));
	EXPECT_NE(NULL, VirtualAlloc(self->base, self->size, MEM_COMMIT,
				     PAGE_READWRITE));
	return hit;
}

/* A question that fails has forgotten nothing; and so has one after it. */
TEST_F(watch, failing_questions)
{
	static const uint32_t flags[] = {
		WINREGION_WATCH_GET,
		WINREGION_WATCH_GET | WINREGION_WATCH_RESET,
		WINREGION_WATCH_RESET,
	};
	unsigned int nth;
	size_t i;

	if (!fail_open() || !fail_everything())
		SKIP(return, "this kernel injects no faults");
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		for (nth = 1; ask_once_failing(_metadata, self, nth, flags[i]);
		     nth++)
			ASSERT_GT(1000, nth);
		EXPECT_LT(2, nth);
	}
}

/* In a child of which the fork may have failed: all of it, or no memory there */
static int child_of_failing(FIXTURE_DATA(watch) *self)
{
	if (!try_read(self->base)) {
		CHECK(probe_fault.sig == SIGBUS);
		return 0;
	}
	CHECK(tells(self->base, self->size, true, (int[]){ 1, 2, -1 }));
	write_page(self->base, 3);
	CHECK(tells(self->base, self->size, true, (int[]){ 3, -1 }));
	return 0;
}

static bool fork_failing(struct __test_metadata *_metadata,
			 FIXTURE_DATA(watch) *self, unsigned int nth)
{
	int status;
	bool hit;
	pid_t pid;

	write_page(self->base, 1);
	write_page(self->base, 2);
	fflush(NULL);
	ASSERT_TRUE(fail_set(nth));
	pid = fail_fork();
	if (!pid)
		_exit(!!child_of_failing(self));
	hit = fail_clear();
	if (pid > 0) {
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status) {
			TH_LOG("%u", nth);
		}
	}
	EXPECT_TRUE(tells(self->base, self->size, true, (int[]){ 1, 2, -1 })) {
		TH_LOG("%u", nth);
	}
	/* What was noted is made again. */
	EXPECT_TRUE(VirtualFree(self->base, self->size, MEM_DECOMMIT));
	EXPECT_NE(NULL, VirtualAlloc(self->base, self->size, MEM_COMMIT,
				     PAGE_READWRITE));
	return hit;
}

TEST_F_TIMEOUT(watch, failing_forks, 300)
{
	unsigned int nth = 1;

	if (variant->size != UNIT || variant->protect != PAGE_READWRITE)
		SKIP(return, "once is enough");
	if (!fail_open() || !fail_everything())
		SKIP(return, "this kernel injects no faults");
	while (fork_failing(_metadata, self, nth))
		ASSERT_GT(5000, ++nth);
	EXPECT_LT(20, nth);
}

/*
 * Hazard A18. A pipe has the last reference to a page that was only read. It is not clean,
 * or FUSE would take it into its cache.
 */
TEST_F(watch, page_left_to_a_pipe)
{
	struct iovec iov = { self->base, PAGE };
	uint64_t frame;
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(0, *(volatile char *)self->base);
	frame = page_frame(self->base);
	ASSERT_NE(0, frame);
	ASSERT_EQ((ssize_t)PAGE, vmsplice(pipes[1], &iov, 1, SPLICE_F_GIFT));
	ASSERT_TRUE(VirtualFree(self->base, PAGE, MEM_DECOMMIT));
	EXPECT_TRUE(page_flags(frame) >> KPF_DIRTY & 1);
	close(pipes[0]);
	close(pipes[1]);
}

TEST_HARNESS_MAIN
