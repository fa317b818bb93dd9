// SPDX-License-Identifier: GPL-2.0
/* vm: cpus=2 */
/*
 * Address windowing: frames, and the regions in which they are mapped, by the Win32 names
 * and by the ioctls.
 */
#include "kselftest_harness.h"

#include <limits.h>
#include <sys/wait.h>

#include <winregion/memoryapi.h>
#include <winregion/winbase.h>

#include "memory.h"
#include "pins.h"
#include "wr_test_util.h"
#include "race.h"
#include "rounds.h"

#define NR 32
#define SIZE PAGES(NR)
#define TYPE (MEM_RESERVE | MEM_PHYSICAL)

static char *window_at(void *address, size_t size)
{
	return VirtualAlloc(address, size, TYPE, PAGE_READWRITE);
}

static char *window(size_t size)
{
	return window_at(NULL, size);
}

static bool release(void *base)
{
	return VirtualFree(base, 0, MEM_RELEASE);
}

/* All of them, or abort */
static void take(ULONG_PTR *frames, ULONG_PTR n)
{
	ULONG_PTR got = n;

	if (!AllocateUserPhysicalPages(SELF, &got, frames) || got != n)
		abort();
}

static bool give(ULONG_PTR *frames, ULONG_PTR n)
{
	ULONG_PTR freed = n;

	return FreeUserPhysicalPages(SELF, &freed, frames) && freed == n;
}

static bool map(void *base, ULONG_PTR n, ULONG_PTR *frames)
{
	return MapUserPhysicalPages(base, n, frames);
}

static int64_t all_locked(void)
{
	return self_status("VmLck");
}

static bool are_zero(const char *base, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!page_is_zero(base + PAGES(i)))
			return false;
	return true;
}

static bool none_is_mapped(const char *base, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (try_read(base + PAGES(i)))
			return false;
	return true;
}

/* A call that must fail, and leave what is mapped from base on */
#define EXPECT_MAP_FAILS(error, call) do {				\
	EXPECT_FAILS(error, call);					\
	EXPECT_TRUE(pages_have(base, NR, 7));				\
} while (0)

/* ---- frames ---- */

/* Rules: AW-03, AW-11, AW-05, M-02. Zeroed once; what they hold stays with them. */
TEST(frames_and_windows)
{
	ULONG_PTR frames[NR];
	char *base, *other;
	int i, j;

	take(frames, NR);
	for (i = 0; i < NR; i++) {
		EXPECT_NE(0, frames[i]);
		for (j = 0; j < i; j++)
			EXPECT_NE(frames[i], frames[j]);
	}
	base = window(SIZE);
	other = window(SIZE);
	ASSERT_TRUE(base && other);
	EXPECT_TRUE(none_is_mapped(base, NR));
	ASSERT_TRUE(map(base, NR, frames));
	EXPECT_TRUE(are_zero(base, NR));
	fill_pages(base, NR, 7);
	EXPECT_TRUE(pages_have(base, NR, 7));

	EXPECT_TRUE(map(base, NR, NULL));
	EXPECT_TRUE(none_is_mapped(base, NR));
	EXPECT_TRUE(map(base, NR, NULL));
	ASSERT_TRUE(map(other, NR, frames));
	EXPECT_TRUE(pages_have(other, NR, 7));
	EXPECT_TRUE(none_is_mapped(base, NR));
	EXPECT_TRUE(release(other));
	EXPECT_FALSE(try_read(other));
	ASSERT_TRUE(map(base, NR, frames));
	EXPECT_TRUE(pages_have(base, NR, 7));
	EXPECT_TRUE(give(frames, NR));
	EXPECT_TRUE(none_is_mapped(base, NR));
	EXPECT_TRUE(release(base));
}

/* Rules: LP-04, VA-13 */
TEST(window_errors)
{
	static const DWORD types[] = {
		MEM_PHYSICAL,
		MEM_PHYSICAL | MEM_COMMIT,
		TYPE | MEM_COMMIT,
		TYPE | MEM_RESET,
		TYPE | MEM_WRITE_WATCH,
		TYPE | MEM_LARGE_PAGES,
		TYPE | MEM_RESERVE_PLACEHOLDER,
		TYPE | MEM_REPLACE_PLACEHOLDER,
	};
	static const DWORD protections[] = {
		PAGE_NOACCESS, PAGE_READONLY, PAGE_EXECUTE_READWRITE,
		PAGE_READWRITE | PAGE_GUARD, PAGE_READWRITE | PAGE_NOCACHE,
		PAGE_READWRITE | PAGE_WRITECOMBINE, PAGE_WRITECOPY, 0,
	};
	unsigned int i;
	char *base;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(NULL, SIZE, types[i],
					  PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc2(NULL, ARENA, SIZE, types[i],
					   PAGE_READWRITE, NULL, 0));
	}
	for (i = 0; i < ARRAY_SIZE(protections); i++)
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(NULL, SIZE, TYPE, protections[i]));
	base = VirtualAlloc(NULL, SIZE, TYPE | MEM_TOP_DOWN, PAGE_READWRITE);
	ASSERT_NE(NULL, base);
	EXPECT_RESERVED(base, SIZE, base, PAGE_READWRITE);
	EXPECT_TRUE(release(base));
	ASSERT_EQ(ARENA, window_at(ARENA + 1, SIZE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, window_at(ARENA + UNIT, UNIT));
	EXPECT_TRUE(release(ARENA));
}

/* ---- MapUserPhysicalPages() ---- */

/* Rules: AW-04. All or nothing */
TEST(map_errors)
{
	ULONG_PTR frames[NR], more[2], wrong[NR];
	char *base = window(2 * SIZE);
	char *plain = VirtualAlloc(NULL, SIZE, MEM_RESERVE | MEM_COMMIT,
				   PAGE_READWRITE);

	take(frames, NR);
	take(more, 2);
	ASSERT_TRUE(base && plain && map(base, NR, frames));
	fill_pages(base, NR, 7);
	/* No frame, twice the same, mapped elsewhere, no window */
	memcpy(wrong, frames, sizeof(wrong));
	wrong[NR - 1] = 0;
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER, map(base, NR, wrong));
	wrong[NR - 1] = 1UL << 40 | frames[NR - 1];
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER, map(base, NR, wrong));
	wrong[NR - 1] = UINT_MAX;
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER, map(base, NR, wrong));
	wrong[NR - 1] = wrong[0];
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER, map(base, NR, wrong));
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER,
			 map(base + SIZE, NR, frames));
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER,
			 map(base + PAGES(1), NR, frames));
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER, map(plain, 2, more));
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER, map(plain, 2, NULL));
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER,
			 map(base + 2 * SIZE - PAGE, 2, more));
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER, map(NULL, 2, more));
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER,
			 map(KERNEL_ADDRESS, 2, more));
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER, map(base, ~0UL, more));
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER, map(base, ~0UL, NULL));
	EXPECT_MAP_FAILS(ERROR_INVALID_PARAMETER,
			 map(base, 1UL << 30, more));
	EXPECT_MAP_FAILS(ERROR_NOACCESS,
			 map(base, 2, (ULONG_PTR *)KERNEL_ADDRESS));
	EXPECT_TRUE(none_is_mapped(base + SIZE, NR));
	EXPECT_TRUE(map(base + SIZE, 2, more));
	EXPECT_TRUE(are_zero(base + SIZE, 2));
	EXPECT_TRUE(map(base, 0, frames) && map(base, 0, NULL));
	EXPECT_TRUE(pages_have(base, NR, 7));
	EXPECT_TRUE(give(frames, NR) && give(more, 2));
	EXPECT_TRUE(release(base) && release(plain));
}

/* Rules: AW-06. What was there is nowhere then; what the call moves is where it says. */
TEST(replace)
{
	ULONG_PTR frames[NR], others[NR], turned[NR];
	char *base = window(SIZE);
	int i;

	take(frames, NR);
	take(others, NR);
	ASSERT_TRUE(base && map(base, NR, frames));
	fill_pages(base, NR, 1);
	ASSERT_TRUE(map(base, NR, others));
	EXPECT_TRUE(are_zero(base, NR));
	fill_pages(base, NR, 100);
	ASSERT_TRUE(map(base, NR, frames));
	EXPECT_TRUE(pages_have(base, NR, 1));
	/* Each one place on, and those of a half to the other */
	for (i = 0; i < NR; i++)
		turned[i] = frames[(i + 1) % NR];
	ASSERT_TRUE(map(base, NR, turned));
	EXPECT_TRUE(pages_have(base, NR - 1, 2));
	EXPECT_TRUE(page_has(base + SIZE - PAGE, 1));
	ASSERT_TRUE(map(base, NR, frames));
	EXPECT_TRUE(pages_have(base, NR, 1));
	EXPECT_FALSE(map(base, NR / 2, frames + NR / 2));
	ASSERT_TRUE(map(base + SIZE / 2, NR / 2, NULL));
	ASSERT_TRUE(map(base, NR / 2, frames + NR / 2));
	EXPECT_TRUE(pages_have(base, NR / 2, 1 + NR / 2));
	EXPECT_TRUE(none_is_mapped(base + SIZE / 2, NR / 2));
	ASSERT_TRUE(map(base + SIZE / 2, NR / 2, frames));
	EXPECT_TRUE(pages_have(base + SIZE / 2, NR / 2, 1));
	EXPECT_TRUE(give(frames, NR) && give(others, NR));
	EXPECT_TRUE(none_is_mapped(base, NR));
	EXPECT_TRUE(release(base));
}

/* Rules: AW-07. One address for each, in any windows and order */
TEST(scatter)
{
	char *base = window(SIZE), *other = window(SIZE);
	ULONG_PTR frames[NR];
	PVOID at[NR];
	int i;

	take(frames, NR);
	ASSERT_TRUE(base && other);
	for (i = 0; i < NR; i++)
		at[i] = (i % 2 ? base : other) + PAGES(NR - 1 - i);
	ASSERT_TRUE(MapUserPhysicalPagesScatter(at, NR, frames));
	for (i = 0; i < NR; i++)
		fill_page(at[i], i);
	EXPECT_FALSE(try_read(base + SIZE - PAGE));
	EXPECT_FALSE(try_read(other + SIZE - PAGES(2)));
	/* The other way round, within the same places */
	for (i = 0; i < NR / 2; i++) {
		PVOID there = at[i];

		at[i] = at[NR - 1 - i];
		at[NR - 1 - i] = there;
	}
	ASSERT_TRUE(MapUserPhysicalPagesScatter(at, NR, frames));
	for (i = 0; i < NR; i++)
		EXPECT_TRUE(page_has(at[i], i));
	/* All or nothing */
	at[NR - 1] = base + SIZE;
	EXPECT_FALSE(MapUserPhysicalPagesScatter(at, NR, frames));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_FALSE(MapUserPhysicalPagesScatter(at, NR, NULL));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_FALSE(MapUserPhysicalPagesScatter(NULL, NR, frames));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_FALSE(MapUserPhysicalPagesScatter((PVOID *)KERNEL_ADDRESS, NR,
						 frames));
	EXPECT_EQ(ERROR_NOACCESS, GetLastError());
	for (i = 0; i < NR - 1; i++)
		EXPECT_TRUE(page_has(at[i], i));
	/* Twice the same place: the last one counts. */
	ASSERT_TRUE(map(at[1], 1, NULL));
	at[1] = at[0];
	ASSERT_TRUE(MapUserPhysicalPagesScatter(at, 2, frames));
	EXPECT_TRUE(page_has(at[0], 1));
	ASSERT_TRUE(map(base + SIZE - PAGE, 1, frames));
	EXPECT_TRUE(page_has(base + SIZE - PAGE, 0));
	EXPECT_TRUE(MapUserPhysicalPagesScatter(at, NR - 1, NULL));
	EXPECT_FALSE(try_read(at[0]));
	EXPECT_TRUE(page_has(base + SIZE - PAGE, 0));
	EXPECT_TRUE(release(base) && release(other));
	EXPECT_TRUE(give(frames, NR));
}

/* Rules: AW-04, AW-07. Windows side by side are two, but no matter to a call. */
TEST(neighbours)
{
	ULONG_PTR frames[2 * NR];

	take(frames, 2 * NR);
	ASSERT_EQ(ARENA, window_at(ARENA, SIZE));
	ASSERT_EQ(ARENA + SIZE, window_at(ARENA + SIZE, SIZE));
	ASSERT_TRUE(map(ARENA, 2 * NR, frames));
	fill_pages(ARENA, 2 * NR, 3);
	EXPECT_TRUE(release(ARENA + SIZE));
	EXPECT_TRUE(pages_have(ARENA, NR, 3));
	EXPECT_FALSE(map(ARENA, 2 * NR, frames));
	EXPECT_TRUE(pages_have(ARENA, NR, 3));
	ASSERT_EQ(ARENA + SIZE, window_at(ARENA + SIZE, SIZE));
	EXPECT_TRUE(none_is_mapped(ARENA + SIZE, NR));
	ASSERT_TRUE(map(ARENA + SIZE, NR, frames + NR));
	EXPECT_TRUE(pages_have(ARENA, 2 * NR, 3));
	EXPECT_TRUE(give(frames, 2 * NR));
	EXPECT_TRUE(release(ARENA) && release(ARENA + SIZE));
}

/* ---- AllocateUserPhysicalPages(), FreeUserPhysicalPages() ---- */

/* Rules: AW-08 */
TEST(free_frames)
{
	ULONG_PTR frames[NR], n;
	int64_t locked = all_locked();
	char *base = window(SIZE);
	int fd = wr_open();
	uint64_t committed = WR_INFO(fd, out_committed);

	take(frames, NR);
	EXPECT_EQ(committed + SIZE, WR_INFO(fd, out_committed));
	EXPECT_EQ(locked + (int64_t)SIZE, all_locked());
	ASSERT_TRUE(base && map(base, NR, frames));
	fill_pages(base, NR, 7);
	/* As far as it goes */
	n = 4;
	EXPECT_TRUE(FreeUserPhysicalPages(SELF, &n, frames));
	EXPECT_EQ(4, n);
	EXPECT_TRUE(none_is_mapped(base, 4));
	EXPECT_TRUE(pages_have(base + PAGES(4), NR - 4, 11));
	n = 4;
	EXPECT_FALSE(FreeUserPhysicalPages(SELF, &n, frames + 2));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_EQ(0, n);
	frames[6] = frames[4];
	n = 4;
	EXPECT_FALSE(FreeUserPhysicalPages(SELF, &n, frames + 4));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_EQ(2, n);
	EXPECT_TRUE(pages_have(base + PAGES(6), NR - 6, 13));
	EXPECT_EQ(committed + SIZE - PAGES(6), WR_INFO(fd, out_committed));
	EXPECT_EQ(locked + (int64_t)(SIZE - PAGES(6)), all_locked());
	n = 0;
	EXPECT_FALSE(FreeUserPhysicalPages(SELF, &n, frames));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	n = 1;
	EXPECT_FALSE(FreeUserPhysicalPages(SELF, NULL, frames));
	EXPECT_EQ(ERROR_NOACCESS, GetLastError());
	EXPECT_FALSE(FreeUserPhysicalPages(NULL, &n, frames));
	EXPECT_EQ(ERROR_INVALID_HANDLE, GetLastError());
	n = 1;
	EXPECT_FALSE(FreeUserPhysicalPages(SELF, &n,
					   (PULONG_PTR)KERNEL_ADDRESS));
	EXPECT_EQ(ERROR_NOACCESS, GetLastError());
	EXPECT_TRUE(give(frames + 7, NR - 7));
	EXPECT_TRUE(release(base));
	EXPECT_EQ(committed + PAGE, WR_INFO(fd, out_committed));
	close(fd);
}

/* Rules: AW-03 */
TEST(allocate_errors)
{
	ULONG_PTR frames[NR], n = 0;
	int fd = wr_open();
	uint64_t committed = WR_INFO(fd, out_committed);
	int64_t locked = all_locked();

	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     AllocateUserPhysicalPages(SELF, &n, frames));
	n = ~0UL;
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     AllocateUserPhysicalPages(SELF, &n, frames));
	n = NR;
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     AllocateUserPhysicalPages(NULL, &n, frames));
	EXPECT_FAILS(ERROR_NOACCESS,
		     AllocateUserPhysicalPages(SELF, NULL, frames));
	EXPECT_FAILS(ERROR_NOACCESS,
		     AllocateUserPhysicalPages(SELF, &n, NULL));
	EXPECT_FAILS(ERROR_NOACCESS,
		     AllocateUserPhysicalPages(SELF, &n,
					       (PULONG_PTR)KERNEL_ADDRESS));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     AllocateUserPhysicalPagesNuma(SELF, &n, frames, 63));
	EXPECT_EQ(NR, n);
	EXPECT_EQ(committed, WR_INFO(fd, out_committed));
	EXPECT_EQ(locked, all_locked());
	EXPECT_TRUE(AllocateUserPhysicalPagesNuma(SELF, &n, frames, 0));
	EXPECT_TRUE(give(frames, NR));
	EXPECT_TRUE(AllocateUserPhysicalPagesNuma(SELF, &n, frames,
						  NUMA_NO_PREFERRED_NODE));
	EXPECT_TRUE(give(frames, NR));
	close(fd);
}

static int within_limit(void *arg)
{
	ULONG_PTR frames[NR], n = NR;

	CHECK(become_nobody(PAGES(11)));
	CHECK(AllocateUserPhysicalPages(SELF, &n, frames));
	CHECK(n == 11);
	CHECK(all_locked() == PAGES(11));
	n = 1;
	CHECK(!AllocateUserPhysicalPages(SELF, &n, frames + 11));
	CHECK(GetLastError() == ERROR_PRIVILEGE_NOT_HELD);
	CHECK(n == 1);
	CHECK(give(frames, 5));
	CHECK(all_locked() == PAGES(6));
	n = NR;
	CHECK(AllocateUserPhysicalPages(SELF, &n, frames));
	CHECK(n == 5);
	return 0;
}

static int without_limit(void *arg)
{
	ULONG_PTR frames[1], n = 1;

	CHECK(become_nobody(0));
	CHECK(!AllocateUserPhysicalPages(SELF, &n, frames));
	CHECK(GetLastError() == ERROR_PRIVILEGE_NOT_HELD);
	return 0;
}

/* Rules: AW-01, AW-02. RLIMIT_MEMLOCK, unless there is CAP_IPC_LOCK */
TEST(limit)
{
	EXPECT_EQ(0, in_child(within_limit, NULL));
	EXPECT_EQ(0, in_child(without_limit, NULL));
}

/* ---- what else can be done with such a region ---- */

/* Rules: VA-30, LP-05, AW-10 */
TEST(refused)
{
	char *base = window(SIZE);
	ULONG_PTR frames[2];
	DWORD old = 0;

	take(frames, 2);
	ASSERT_TRUE(base && map(base + PAGE, 2, frames));
	fill_pages(base + PAGE, 2, 7);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(base + PAGE, PAGE, MEM_COMMIT,
				  PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualFree(base, SIZE, MEM_DECOMMIT));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, VirtualFree(base, 0, MEM_DECOMMIT));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(base + PAGE, PAGE, PAGE_READONLY, &old));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(base + PAGE, PAGE,
				    PAGE_READWRITE | PAGE_GUARD, &old));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualProtect(base, PAGE, PAGE_READWRITE, &old));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualProtect(base, PAGES(2), PAGE_READWRITE, &old));
	EXPECT_TRUE(VirtualProtect(base + PAGE, PAGES(2), PAGE_READWRITE,
				   &old));
	EXPECT_EQ(PAGE_READWRITE, old);
	/* To say that contents do not matter frees nothing. */
	EXPECT_TRUE(!!VirtualAlloc(base, SIZE, MEM_RESET, PAGE_READWRITE));
	EXPECT_TRUE(pages_have(base + PAGE, 2, 7));
	EXPECT_NE(ERROR_SUCCESS, DiscardVirtualMemory(base + PAGE, PAGE));
	EXPECT_NE(ERROR_SUCCESS, OfferVirtualMemory(base + PAGE, PAGE,
						    VmOfferPriorityLow));
	EXPECT_FALSE(VirtualFree(base, SIZE,
				 MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER));
	EXPECT_EQ(-1, mprotect(base, SIZE, PROT_READ));
	madvise(base, SIZE, MADV_DONTNEED);
	EXPECT_TRUE(pages_have(base + PAGE, 2, 7));
	EXPECT_TRUE(release(base) && give(frames, 2));
}

/* What a query says */
TEST(query)
{
	struct winregion_query arg = { .flags = WINREGION_QUERY_RESIDENT };
	char *base = window(SIZE);
	ULONG_PTR frames[4];

	take(frames, 4);
	ASSERT_TRUE(base && map(base + PAGES(2), 4, frames));
	EXPECT_RESERVED(base, PAGES(2), base, PAGE_READWRITE);
	EXPECT_COMMITTED(base + PAGES(2), PAGES(4), PAGE_READWRITE, base,
			 PAGE_READWRITE);
	EXPECT_RESERVED(base + PAGES(6), SIZE - PAGES(6), base, PAGE_READWRITE);
	arg.address = (uintptr_t)base + PAGES(2);
	ASSERT_EQ(0, winregion_query(&arg));
	EXPECT_EQ(PAGES(4), arg.out.resident);
	EXPECT_EQ(PAGES(4), arg.out.length);
	EXPECT_TRUE(map(base + PAGES(3), 1, NULL));
	EXPECT_COMMITTED(base + PAGES(2), PAGE, PAGE_READWRITE, base,
			 PAGE_READWRITE);
	EXPECT_RESERVED(base + PAGES(3), PAGE, base, PAGE_READWRITE);
	EXPECT_TRUE(map(base, NR, NULL));
	EXPECT_RESERVED(base, SIZE, base, PAGE_READWRITE);
	EXPECT_TRUE(release(base) && give(frames, 4));
}

/* ---- how regions end ---- */

/* Rules: AW-09. By a release of all or a part, or an munmap() */
TEST(regions_end)
{
	char *base = window(SIZE), *other;
	PVOID at = base + SIZE / 2;
	SIZE_T size = SIZE / 2;
	ULONG_PTR frames[NR];

	take(frames, NR);
	ASSERT_TRUE(base && map(base, NR, frames));
	fill_pages(base, NR, 7);
	ASSERT_EQ(STATUS_SUCCESS,
		  NtFreeVirtualMemory(NtCurrentProcess(), &at, &size,
				      MEM_RELEASE));
	EXPECT_TRUE(none_is_mapped(base + SIZE / 2, NR / 2));
	EXPECT_TRUE(pages_have(base, NR / 2, 7));
	other = window(SIZE);
	ASSERT_NE(NULL, other);
	EXPECT_FALSE(map(other, NR, frames));
	EXPECT_TRUE(map(other, NR / 2, frames + NR / 2));
	EXPECT_TRUE(pages_have(other, NR / 2, 7 + NR / 2));
	/* What is reserved there anew is empty. */
	EXPECT_EQ(0, munmap(other, SIZE));
	EXPECT_EQ(other, window_at(other, SIZE));
	EXPECT_TRUE(none_is_mapped(other, NR));
	EXPECT_TRUE(release(base));
	ASSERT_TRUE(map(other, NR, frames));
	EXPECT_TRUE(pages_have(other, NR, 7));
	EXPECT_TRUE(release(other));
	other = VirtualAlloc(other, SIZE, MEM_RESERVE | MEM_COMMIT,
			     PAGE_READWRITE);
	ASSERT_NE(NULL, other);
	EXPECT_TRUE(are_zero(other, NR));
	EXPECT_FALSE(map(other, NR, frames));
	fill_pages(other, NR, 50);
	EXPECT_TRUE(give(frames, NR));
	EXPECT_TRUE(pages_have(other, NR, 50));
	EXPECT_TRUE(release(other));
}

/* Regions around a hole of 8 MiB, in one window, of small pages or large: ARENA */
static bool make_hole(bool large)
{
	PVOID at = ARENA + MIB(4);
	SIZE_T size = MIB(8);

	if (!set_large(large) ||
	    VirtualAlloc(ARENA, MIB(16), MEM_RESERVE | MEM_COMMIT,
			 PAGE_READWRITE) != ARENA)
		return false;
	fill_page(ARENA + MIB(4) - PAGE, 1);
	fill_page(ARENA + MIB(12), 2);
	return NtFreeVirtualMemory(NtCurrentProcess(), &at, &size,
				   MEM_RELEASE) == STATUS_SUCCESS;
}

static bool release_around_hole(void)
{
	return page_has(ARENA + MIB(4) - PAGE, 1) &&
	       page_has(ARENA + MIB(12), 2) && release(ARENA) &&
	       release(ARENA + MIB(12));
}

/* Also in a hole of a window that others are in, of small pages or large */
TEST(among_others)
{
	static const bool large[] = { false, true };
	ULONG_PTR frames[NR];
	unsigned int i;
	char *base;

	take(frames, NR);
	for (i = 0; i < ARRAY_SIZE(large); i++) {
		ASSERT_TRUE(make_hole(large[i]));
		base = window_at(ARENA + MIB(6), SIZE);
		ASSERT_EQ(ARENA + MIB(6), base);
		ASSERT_TRUE(map(base, NR, frames));
		fill_pages(base, NR, i);
		EXPECT_TRUE(map(base, NR / 2, frames));
		EXPECT_TRUE(pages_have(base, NR, i));
		EXPECT_TRUE(map(base, NR, NULL));
		EXPECT_TRUE(none_is_mapped(base, NR));
		EXPECT_TRUE(map(base, NR, frames));
		EXPECT_TRUE(pages_have(base, NR, i));
		EXPECT_TRUE(release(base));
		EXPECT_TRUE(none_is_mapped(base, NR));
		EXPECT_TRUE(release_around_hole());
	}
	EXPECT_TRUE(give(frames, NR));
}

#define MANY (MIB(2) / PAGE)

/* Where a large page could be there are frames as well, if they are mapped there. */
TEST(in_place_of_a_large_page)
{
	static ULONG_PTR frames[MANY];
	char *base, *other;

	take(frames, MANY);
	ASSERT_TRUE(make_hole(true));
	base = window_at(ARENA + MIB(6), MIB(2));
	ASSERT_EQ(ARENA + MIB(6), base);
	other = window(MIB(2));
	ASSERT_NE(NULL, other);
	ASSERT_TRUE(map(base, MANY, frames));
	fill_pages(base, MANY, 1);
	EXPECT_TRUE(pages_have(base, MANY, 1));
	EXPECT_TRUE(map(base, MANY, NULL));
	ASSERT_TRUE(map(other, MANY, frames));
	EXPECT_TRUE(pages_have(other, MANY, 1));
	EXPECT_TRUE(release(base) && release(other));
	EXPECT_TRUE(release_around_hole());
	EXPECT_TRUE(give(frames, MANY));
}

/* The page of addresses that the frames end with */
static char *find_keeper(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long first = 0;
	char text[512];

	while (maps && fgets(text, sizeof(text), maps))
		if (strstr(text, "winregion-frames"))
			sscanf(text, "%lx", &first);
	if (maps)
		fclose(maps);
	return (char *)first;
}

/* Without it there are no frames, until others are made. */
TEST(keeper)
{
	ULONG_PTR frames[NR], n = NR;
	char *base = window(SIZE), *keeper;
	int64_t locked = all_locked();

	take(frames, NR);
	keeper = find_keeper();
	ASSERT_NE(NULL, keeper);
	EXPECT_FALSE(try_read(keeper));
	EXPECT_EQ(-1, mprotect(keeper, PAGE, PROT_READ));
	EXPECT_EQ(-1, mprotect(keeper, PAGE, PROT_EXEC));
	EXPECT_EQ(-1, madvise(keeper, PAGE, MADV_DOFORK));
	ASSERT_TRUE(base && map(base, NR, frames));
	ASSERT_EQ(0, munmap(keeper, PAGE));
	EXPECT_TRUE(none_is_mapped(base, NR));
	EXPECT_TRUE(SETTLES(all_locked() == locked));
	EXPECT_FALSE(map(base, NR, frames));
	EXPECT_FALSE(FreeUserPhysicalPages(SELF, &n, frames));
	EXPECT_EQ(0, n);
	take(frames, NR);
	EXPECT_NE(NULL, find_keeper());
	EXPECT_TRUE(map(base, NR, frames));
	EXPECT_TRUE(are_zero(base, NR));
	EXPECT_TRUE(give(frames, NR) && release(base));
}

static int ends_with_frames(void *arg)
{
	ULONG_PTR frames[NR];
	char *base = window(SIZE);

	take(frames, NR);
	CHECK(map(base, NR / 2, frames));
	fill_pages(base, NR / 2, 1);
	return 0;
}

static int execs_with_frames(void *arg)
{
	CHECK(!ends_with_frames(arg));
	execl("/bin/true", "true", NULL);
	return __LINE__;
}

/* Rules: M-14. What a process leaves */
TEST(processes_end)
{
	int fd = wr_open();
	uint64_t total = total_beside_ended(fd);

	EXPECT_EQ(0, in_child(ends_with_frames, NULL));
	EXPECT_EQ(0, in_child(execs_with_frames, NULL));
	EXPECT_TRUE(SETTLES(WR_INFO(fd, out_total) == total));
	close(fd);
}

/* Rule: M-14. The number of those that are freed goes to one of them, and is lost. */
TEST(count_in_a_frame)
{
	ULONG_PTR frames[4], *count;
	char *base = window(SIZE);

	take(frames, 4);
	ASSERT_TRUE(base && map(base, 4, frames));
	count = (ULONG_PTR *)(base + PAGES(1));
	*count = 4;
	EXPECT_TRUE(FreeUserPhysicalPages(SELF, count, frames));
	EXPECT_TRUE(none_is_mapped(base, 4));
	take(frames, 4);
	ASSERT_TRUE(map(base, 4, frames));
	memcpy(base, frames, sizeof(frames));
	EXPECT_TRUE(give((ULONG_PTR *)base, 4));
	EXPECT_TRUE(none_is_mapped(base, 4));
	EXPECT_TRUE(release(base));
}

/* ---- forks ---- */

struct family {
	char *base;
	ULONG_PTR frames[NR];
};

static int child_has_none(void *arg)
{
	struct family *family = arg;
	ULONG_PTR own[NR], n = NR;

	CHECK(!find_keeper());
	CHECK(all_locked() == 0);
	CHECK(mbi_is(family->base, SIZE, MEM_RESERVE, 0, family->base,
		     PAGE_READWRITE));
	CHECK(none_is_mapped(family->base, NR));
	CHECK(!map(family->base, NR, family->frames));
	CHECK(!FreeUserPhysicalPages(SELF, &n, family->frames));
	take(own, NR);
	CHECK(map(family->base, NR, own));
	CHECK(are_zero(family->base, NR));
	fill_pages(family->base, NR, 70);
	CHECK(map(family->base, NR / 2, NULL));
	CHECK(pages_have(family->base + SIZE / 2, NR / 2, 70 + NR / 2));
	CHECK(release(family->base));
	return 0;
}

struct relatives {
	struct rendezvous rv;
	char *base;
};

/* It has frames of its own in the same place, and reads them after calls of ours. */
static int child_reads_on(void *arg)
{
	struct relatives *self = arg;
	ULONG_PTR own[NR];
	long faults;
	int call;

	take(own, NR);
	CHECK(map(self->base, NR, own));
	fill_pages(self->base, NR, 70);
	for (call = 0; call < 3; call++) {
		faults = minor_faults();
		rendezvous_signal(&self->rv, 1);
		rendezvous_wait(&self->rv, 1);
		CHECK(pages_have(self->base, NR, 70));
		CHECK(minor_faults() - faults < NR / 2);
	}
	return 0;
}

/*
 * Relatives have windows of their own, whose pages are in the same file: what one of them
 * unmaps is not unmapped in all.
 */
TEST(relatives_notice_nothing)
{
	struct relatives self = { .base = window(SIZE) };
	ULONG_PTR frames[NR];
	struct child child;

	ASSERT_TRUE(rendezvous_init(&self.rv));
	take(frames, NR);
	ASSERT_TRUE(self.base && map(self.base, NR, frames));
	child = start_child(child_reads_on, &self);
	rendezvous_wait(&self.rv, 0);
	EXPECT_TRUE(map(self.base, NR, NULL) && map(self.base, NR, frames));
	rendezvous_signal(&self.rv, 0);
	rendezvous_wait(&self.rv, 0);
	EXPECT_TRUE(map(self.base + SIZE / 2, NR / 2, frames + NR / 2));
	EXPECT_TRUE(map(self.base, NR, NULL) && map(self.base, NR, frames));
	rendezvous_signal(&self.rv, 0);
	rendezvous_wait(&self.rv, 0);
	EXPECT_TRUE(give(frames, NR));
	rendezvous_signal(&self.rv, 0);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(release(self.base));
}

/* A child has neither frames nor what is mapped; the parent notices nothing. */
TEST(forked)
{
	struct family family = { .base = window(SIZE) };
	struct child child;
	int i;

	take(family.frames, NR);
	ASSERT_TRUE(family.base && map(family.base, NR, family.frames));
	fill_pages(family.base, NR, 7);
	EXPECT_EQ(0, in_child(child_has_none, &family));
	EXPECT_TRUE(pages_have(family.base, NR, 7));
	child = start_child(child_has_none, &family);
	for (i = 0; i < 100; i++) {
		ASSERT_TRUE(map(family.base, NR, NULL));
		ASSERT_TRUE(map(family.base, NR, family.frames));
		EXPECT_TRUE(pages_have(family.base, NR, 7));
	}
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(pages_have(family.base, NR, 7));
	EXPECT_TRUE(give(family.frames, NR) && release(family.base));
}

/* ---- system calls, debuggers, devices ---- */

TEST(system_calls)
{
	int file = memfd_create("data", MFD_CLOEXEC);
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char *base = window(SIZE);
	struct iovec here = { base, PAGES(2) };
	struct iovec there = { base + PAGES(4), PAGES(2) };
	ULONG_PTR frames[6];
	char page[4096];

	take(frames, 6);
	ASSERT_TRUE(base && map(base, 6, frames));
	fill_pages(base, 2, 11);
	ASSERT_EQ(8192, write(file, base, 8192));
	ASSERT_EQ(8192, pread(file, base + PAGES(2), 8192, 0));
	EXPECT_TRUE(pages_have(base + PAGES(2), 2, 11));
	ASSERT_EQ(8192, process_vm_writev(getpid(), &here, 1, &there, 1, 0));
	EXPECT_TRUE(pages_have(base + PAGES(4), 2, 11));
	ASSERT_EQ(4096, pread(mem, page, 4096, (uintptr_t)base + PAGE));
	EXPECT_TRUE(page_has(page, 12));
	fill_page(page, 99);
	ASSERT_EQ(4096, pwrite(mem, page, 4096, (uintptr_t)base));
	EXPECT_TRUE(page_has(base, 99));
	EXPECT_EQ(-1, pread(file, base + PAGES(6), 4096, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(MAP_FAILED, mremap(base, SIZE, 2 * SIZE, MREMAP_MAYMOVE));
	close(mem);
	close(file);
	EXPECT_TRUE(give(frames, 6) && release(base));
}

/* A device goes on with what was freed, which nobody else has then. */
TEST(pinned)
{
	char *base = window(SIZE);
	ULONG_PTR frames[NR];
	int sock;

	take(frames, NR);
	ASSERT_TRUE(base && map(base, NR, frames));
	fill_pages(base, NR, 7);
	sock = pin_pages(base, 4);
	if (sock < 0) {
		release(base);
		SKIP(return, "no AF_XDP socket here");
	}
	EXPECT_TRUE(map(base, NR, NULL));
	EXPECT_TRUE(give(frames, NR));
	take(frames, NR);
	EXPECT_TRUE(map(base, NR, frames));
	EXPECT_TRUE(are_zero(base, NR));
	close(sock);
	EXPECT_TRUE(are_zero(base, NR));
	EXPECT_TRUE(give(frames, NR) && release(base));
}

/* A window as large as there is room for costs nothing, nor what is in no window. */
TEST(largest_window)
{
	const size_t size = TIB(64);
	ULONG_PTR frames[2];
	char *base = window(size);

	take(frames, 2);
	ASSERT_NE(NULL, base);
	ASSERT_TRUE(map(base, 1, frames));
	ASSERT_TRUE(map(base + size - PAGE, 1, frames + 1));
	EXPECT_TRUE(map(base, size / PAGE, NULL));
	EXPECT_FALSE(try_read(base) || try_read(base + size - PAGE));
	ASSERT_TRUE(map(base + size / 2, 2, frames));
	EXPECT_TRUE(release(base));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, map(base, size / PAGE, NULL));
	EXPECT_FAILS(ERROR_NOT_ENOUGH_MEMORY,
		     MapUserPhysicalPagesScatter((PVOID *)frames, 65537, NULL));
	EXPECT_TRUE(give(frames, 2));
}

/* Many, through a small window: more than one step of everything */
TEST(many)
{
	static ULONG_PTR frames[4 * 1500];
	const size_t n = 1500, all = 4 * n;
	char *base = window(PAGES(n));
	size_t i;

	take(frames, all);
	ASSERT_NE(NULL, base);
	for (i = 0; i < all; i += n) {
		ASSERT_TRUE(map(base, n, frames + i));
		fill_pages(base, n, i);
	}
	for (i = 0; i < all; i += n) {
		ASSERT_TRUE(map(base, n, frames + i));
		EXPECT_TRUE(pages_have(base, n, i));
	}
	EXPECT_TRUE(map(base, n, NULL));
	EXPECT_TRUE(none_is_mapped(base, n));
	EXPECT_TRUE(give(frames, all) && release(base));
}

/* ---- races ---- */

#define RACE_BASE (ARENA + GIB(1))
#define RACE_PAGES 16

static struct crew crew;
static ULONG_PTR raced[RACE_PAGES];
static volatile uint64_t seed = 88172645463325252ULL;

static uint64_t own_seed(void)
{
	return __atomic_add_fetch(&seed, 7919, __ATOMIC_SEQ_CST);
}

/* Touches, in all ways; @arg: a file to copy by, or NULL */
static void *look(void *arg)
{
	uint64_t random = own_seed(), value = 1;
	int file = arg ? *(int *)arg : -1;
	volatile uint64_t *page;
	unsigned int i;

	while (crew_goes_on(&crew)) {
		i = race_random(&random, RACE_PAGES);
		page = (void *)(RACE_BASE + PAGES(i));
		race_access(race_random(&random, RACE_KINDS), file, page,
			    &value);
	}
	return NULL;
}

static void *shuffle(void *arg)
{
	uint64_t random = own_seed();
	ULONG_PTR some[RACE_PAGES];
	unsigned int i, j, n;
	PVOID at[RACE_PAGES];

	while (crew_goes_on(&crew)) {
		n = 1 + race_random(&random, RACE_PAGES - 1);
		j = race_random(&random, RACE_PAGES);
		for (i = 0; i < n; i++) {
			some[i] = raced[(i + j) % RACE_PAGES];
			at[i] = RACE_BASE + PAGES((i * 7 + j) % RACE_PAGES);
		}
		switch (race_random(&random, 4)) {
		case 0:
			map(RACE_BASE, n, some);
			break;
		case 1:
			map(RACE_BASE, n, NULL);
			break;
		case 2:
			MapUserPhysicalPagesScatter(at, n, some);
			break;
		default:
			MapUserPhysicalPagesScatter(at, n, NULL);
		}
	}
	return NULL;
}

static void *make_and_release(void *arg)
{
	while (crew_goes_on(&crew)) {
		window_at(RACE_BASE, PAGES(RACE_PAGES));
		sched_yield();
		release(RACE_BASE);
	}
	return NULL;
}

static void *take_and_give(void *arg)
{
	uint64_t random = own_seed();
	unsigned int i;
	ULONG_PTR n;

	while (crew_goes_on(&crew)) {
		i = race_random(&random, RACE_PAGES);
		n = 1;
		if (FreeUserPhysicalPages(SELF, &n, &raced[i])) {
			n = 1;
			AllocateUserPhysicalPages(SELF, &n, &raced[i]);
		}
	}
	return NULL;
}

static int child_ends(void *arg)
{
	return try_read(RACE_BASE);
}

static void *end_all(void *arg)
{
	while (crew_goes_on(&crew)) {
		char *keeper = find_keeper();

		if (keeper)
			munmap(keeper, PAGE);
		sleep_ms(20);
	}
	return NULL;
}

/* Everything at once; what is left is nothing. A child has no frames at any time. */
TEST(races)
{
	int file = memfd_create("data", MFD_CLOEXEC), fd = wr_open();
	unsigned int i, n = rounds(awe_races);
	int64_t locked = all_locked();

	race_catch_faults();
	take(raced, RACE_PAGES);
	crew_add(&crew, look, &file);
	crew_add(&crew, look, &file);
	crew_add(&crew, shuffle, NULL);
	crew_add(&crew, shuffle, NULL);
	crew_add(&crew, make_and_release, NULL);
	crew_add(&crew, take_and_give, NULL);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(0, in_child(child_ends, NULL));
		if (i == n / 2)
			crew_add(&crew, end_all, NULL);
	}
	crew_stop(&crew);
	release(RACE_BASE);
	if (find_keeper())
		munmap(find_keeper(), PAGE);
	EXPECT_TRUE(SETTLES(all_locked() == locked));
	EXPECT_TRUE(SETTLES(WR_INFO(fd, out_committed) == 0));
	close(file);
	close(fd);
}

static void *write_on(void *arg)
{
	uint64_t value = 1;

	while (crew_goes_on(&crew))
		user_access(arg, &value, true);
	return NULL;
}

static int child_goes(void *arg)
{
	return 0;
}

/*
 * What is mapped is what the last call has mapped there, though a thread was just writing
 * to what was there before. After a fork, and in a hole of large pages, the core maps it.
 */
TEST(replaced_while_written)
{
	volatile uint64_t *words = (void *)(ARENA + MIB(6));
	unsigned int i, n = rounds(awe_replaced), wrong = 0;
	ULONG_PTR frames[2];
	uint64_t found;

	race_catch_faults();
	take(frames, 2);
	ASSERT_TRUE(make_hole(true));
	ASSERT_EQ(words, window_at((void *)words, UNIT));
	EXPECT_EQ(0, in_child(child_goes, NULL));
	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(map((void *)words, 1, &frames[i]));
		words[1] = i;
	}
	crew_add(&crew, write_on, (void *)words);
	for (i = 0; i < n; i++) {
		found = -1;
		map((void *)words, 1, &frames[i % 2]);
		user_access(words + 1, &found, false);
		wrong += found != i % 2;
	}
	crew_stop(&crew);
	EXPECT_EQ(0, wrong);
	EXPECT_TRUE(release((void *)words));
	EXPECT_TRUE(release_around_hole());
	EXPECT_TRUE(give(frames, 2));
}

#define PARTS 8
#define PART_PAGES (UNIT / PAGE)

static void *release_a_part(void *arg)
{
	uint64_t random = own_seed();
	SIZE_T size;
	PVOID at;

	while (crew_goes_on(&crew)) {
		at = RACE_BASE + race_random(&random, PARTS) * UNIT;
		size = UNIT;
		NtFreeVirtualMemory(NtCurrentProcess(), &at, &size,
				    MEM_RELEASE);
		window_at(at, UNIT);
	}
	return NULL;
}

/* Parts of a window are released while a call moves frames from place to place in it. */
TEST(released_meanwhile)
{
	static ULONG_PTR frames[2 * PARTS * PART_PAGES];
	const size_t n = PARTS * PART_PAGES;
	unsigned int i, left = rounds(awe_released);

	race_catch_faults();
	take(frames, n);
	memcpy(frames + n, frames, n * sizeof(*frames));
	for (i = 0; i < PARTS; i++)
		window_at(RACE_BASE + i * UNIT, UNIT);
	crew_add(&crew, release_a_part, NULL);
	crew_add(&crew, look, NULL);
	while (left--)
		map(RACE_BASE, n, frames + left % n);
	crew_stop(&crew);
	EXPECT_TRUE(give(frames, n));
	EXPECT_TRUE(none_is_mapped(RACE_BASE, n));
	for (i = 0; i < PARTS; i++)
		EXPECT_TRUE(release(RACE_BASE + i * UNIT));
}

static int make_for_ever(void *arg)
{
	ULONG_PTR frames[RACE_PAGES];
	char *base = window(PAGES(RACE_PAGES));

	for (;;) {
		take(frames, RACE_PAGES);
		map(base, RACE_PAGES, frames);
		give(frames, RACE_PAGES);
	}
	return 0;
}

/* A process that is killed on the way leaves nothing. */
TEST(killed)
{
	int fd = wr_open();
	uint64_t total = total_beside_ended(fd);

	kill_on_the_way(make_for_ever, NULL);
	EXPECT_TRUE(SETTLES(WR_INFO(fd, out_total) == total));
	close(fd);
}

TEST_HARNESS_MAIN
