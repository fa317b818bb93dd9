// SPDX-License-Identifier: GPL-2.0
/* vm: cpus=2 */
/*
 * Large pages: MEM_LARGE_PAGES, by VirtualAlloc() and by the ioctl; what can be done
 * with such a region, what it counts as, and what a child has of it.
 */
#include "kselftest_harness.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <winregion/memoryapi.h>
#include <winregion/psapi.h>

#include "memory.h"
#include "pins.h"
#include "wr_test_util.h"
#include "race.h"
#include "rounds.h"

#define LARGE ((size_t)WINREGION_LARGE_PAGE)
#define NR_LARGE 4
#define SIZE (NR_LARGE * LARGE)
#define TYPE (MEM_RESERVE | MEM_COMMIT | MEM_LARGE_PAGES)
#define GUARDED (PAGE_READWRITE | PAGE_GUARD)

static char *large_at(void *address, size_t size, DWORD protect)
{
	return VirtualAlloc(address, size, TYPE, protect);
}

static char *large(size_t size)
{
	return large_at(NULL, size, PAGE_READWRITE);
}

static bool release(void *base)
{
	return VirtualFree(base, 0, MEM_RELEASE);
}

/* What is locked, as the system counts it */
static int64_t all_locked(void)
{
	return self_status("VmLck");
}

static PSAPI_WORKING_SET_EX_BLOCK block_of(void *address)
{
	PSAPI_WORKING_SET_EX_INFORMATION info = { .VirtualAddress = address };

	if (!QueryWorkingSetEx(GetCurrentProcess(), &info, sizeof(info)))
		abort();
	return info.VirtualAttributes;
}

/* By the module: bytes of the region that are in memory */
static uint64_t in_memory(const void *base)
{
	struct winregion_query arg = {
		.flags = WINREGION_QUERY_RESIDENT,
		.address = (uintptr_t)base,
	};

	return winregion_query(&arg) ? 0 : arg.out.resident;
}

static bool is_said_to_be_large(const void *address)
{
	struct winregion_query arg = { .address = (uintptr_t)address };

	return !winregion_query(&arg) &&
	       arg.out.flags == WINREGION_RUN_LARGE_PAGES;
}

/* Whether the physical pages of @base are one piece, where a piece can be */
static bool is_one_piece(volatile char *base)
{
	uint64_t first;
	size_t i;

	for (i = 0; i < LARGE; i += PAGE)
		base[i]++;
	first = page_frame(base);
	if (!first || first % (LARGE / PAGE))
		return false;
	for (i = 0; i < LARGE; i += PAGE)
		if (page_frame(base + i) != first + i / PAGE)
			return false;
	return true;
}

/* How many of the pieces of a region are such */
static size_t pieces(char *base, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < size; i += LARGE)
		n += is_one_piece(base + i);
	return n;
}

static bool is_zero(const char *base, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += PAGE)
		if (!page_is_zero(base + i))
			return false;
	return true;
}

/* ---- what it is ---- */

/* Rules: LP-03. All is there at once. */
TEST(there_at_once)
{
	MEMORY_BASIC_INFORMATION info;
	MEMORY_REGION_INFORMATION region;
	char *base;

	ASSERT_EQ(LARGE, GetLargePageMinimum());
	base = large(SIZE);
	ASSERT_NE(NULL, base);
	EXPECT_EQ(0, (uintptr_t)base % LARGE);
	EXPECT_EQ(SIZE, in_memory(base));
	EXPECT_TRUE(is_said_to_be_large(base + SIZE - 1));
	ASSERT_EQ(sizeof(info), VirtualQuery(base, &info, sizeof(info)));
	EXPECT_EQ(MEM_COMMIT, info.State);
	EXPECT_EQ(PAGE_READWRITE, info.Protect);
	EXPECT_EQ(MEM_PRIVATE, info.Type);
	EXPECT_EQ(SIZE, info.RegionSize);
	ASSERT_EQ(STATUS_SUCCESS,
		  NtQueryVirtualMemory(NtCurrentProcess(), base,
				       MemoryRegionInformation, &region,
				       sizeof(region), NULL));
	EXPECT_EQ(SIZE, region.CommitSize);
	EXPECT_TRUE(!!region.PageSizeLarge);
	EXPECT_TRUE(!!block_of(base + PAGE).Valid);
	EXPECT_TRUE(!!block_of(base + PAGE).LargePage);
	EXPECT_TRUE(!!block_of(base + PAGE).Locked);
	EXPECT_TRUE(is_zero(base, SIZE));
	EXPECT_EQ(NR_LARGE, pieces(base, SIZE));
	EXPECT_TRUE(release(base));
	EXPECT_FALSE(try_read(base));
}

/* Whatever the system's setting is, and in a process that is to have none */
TEST(needs_no_setting)
{
	char *base;

	ASSERT_TRUE(set_large(false));
	base = large(SIZE);
	ASSERT_NE(NULL, base);
	EXPECT_EQ(NR_LARGE, pieces(base, SIZE));
	EXPECT_TRUE(release(base));
	small_pages_only();
	base = large(SIZE);
	ASSERT_NE(NULL, base);
	EXPECT_EQ(NR_LARGE, pieces(base, SIZE));
	EXPECT_TRUE(release(base));
	EXPECT_TRUE(set_large(true));
}

/* Rules: LP-01 */
TEST(errors)
{
	static const DWORD types[] = {
		MEM_LARGE_PAGES,
		MEM_LARGE_PAGES | MEM_RESERVE,
		MEM_LARGE_PAGES | MEM_COMMIT,
		TYPE | MEM_RESET,
		TYPE | MEM_PHYSICAL,
		TYPE | MEM_WRITE_WATCH,
		TYPE | MEM_RESERVE_PLACEHOLDER,
		TYPE | MEM_REPLACE_PLACEHOLDER,
	};
	static const DWORD protections[] = {
		PAGE_NOACCESS, GUARDED, PAGE_READWRITE | PAGE_NOCACHE,
		PAGE_READWRITE | PAGE_WRITECOMBINE, PAGE_WRITECOPY, 0,
	};
	int64_t before = all_locked();
	unsigned int i;

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
			     large_at(NULL, SIZE, protections[i]));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, large(0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, large(PAGE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, large(LARGE + PAGE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     large_at(ARENA + UNIT, LARGE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     large_at(ARENA, LARGE - 1, PAGE_READWRITE));
	EXPECT_EQ(before, all_locked());
}

/* The ioctl: flags that do not go together, and what an answer costs */
TEST(flags)
{
	static const uint32_t wrong[] = {
		0, /* no commit */
		WINREGION_RESERVE_COMMIT | WINREGION_RESERVE_WRITE_WATCH,
		WINREGION_RESERVE_PLACEHOLDER,
		WINREGION_RESERVE_COMMIT | WINREGION_RESERVE_REPLACE,
		WINREGION_RESERVE_COMMIT | WINREGION_RESERVE_STACK,
	};
	struct winregion_reserve arg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		arg = (struct winregion_reserve){
			.flags = WINREGION_RESERVE_LARGE_PAGES | wrong[i],
			.protection = WINREGION_READWRITE,
			.address = (uintptr_t)ARENA,
			.length = LARGE,
		};
		EXPECT_EQ(-EINVAL, winregion_reserve(&arg));
	}
	arg = (struct winregion_reserve){
		.flags = WINREGION_RESERVE_LARGE_PAGES |
			 WINREGION_RESERVE_COMMIT | WINREGION_RESERVE_TOP_DOWN,
		.protection = WINREGION_READWRITE,
		.length = LARGE,
		.alignment = 16 * LARGE,
		.highest = (uintptr_t)ARENA - 1,
	};
	ASSERT_EQ(0, winregion_reserve(&arg));
	EXPECT_EQ(0, arg.address % (16 * LARGE));
	EXPECT_GE((uintptr_t)ARENA, arg.address + LARGE);
	EXPECT_TRUE(release((void *)(uintptr_t)arg.address));
}

/* ---- where it is ---- */

/* Also among others, in a place that is free according to a query, and with rights */
TEST(places)
{
	char *other = VirtualAlloc(NULL, MIB(64), MEM_RESERVE, PAGE_READWRITE);
	char *base = large_at(ARENA, SIZE, PAGE_READWRITE), *middle;

	ASSERT_EQ(ARENA, base);
	EXPECT_EQ(NR_LARGE, pieces(base, SIZE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     large_at(ARENA + LARGE, LARGE, PAGE_READWRITE));
	EXPECT_TRUE(release(base));
	middle = (char *)(((uintptr_t)other + MIB(32)) & ~(LARGE - 1));
	ASSERT_TRUE(VirtualFree(other, 0, MEM_RELEASE));
	ASSERT_EQ(other, VirtualAlloc(other, UNIT, TYPE & ~MEM_LARGE_PAGES,
				      PAGE_READWRITE));
	EXPECT_EQ(middle, large_at(middle, LARGE, PAGE_READWRITE));
	EXPECT_EQ(1, pieces(middle, LARGE));
	EXPECT_TRUE(release(middle));
	EXPECT_TRUE(release(other));
}

/* In the free part of a window that others are in, and stay in */
TEST(among_others)
{
	char *base = VirtualAlloc(ARENA, MIB(16), MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);
	PVOID at = ARENA + MIB(4);
	SIZE_T size = MIB(8);

	ASSERT_EQ(ARENA, base);
	fill_page(base, 1);
	fill_page(base + MIB(15), 2);
	/* A hole in the middle */
	ASSERT_EQ(STATUS_SUCCESS,
		  NtFreeVirtualMemory(NtCurrentProcess(), &at, &size,
				      MEM_RELEASE));
	base = large_at(ARENA + MIB(6), 2 * LARGE, PAGE_READWRITE);
	ASSERT_EQ(ARENA + MIB(6), base);
	EXPECT_EQ(2 * LARGE, in_memory(base));
	EXPECT_TRUE(is_zero(base, 2 * LARGE));
	EXPECT_EQ(2, pieces(base, 2 * LARGE));
	EXPECT_TRUE(is_said_to_be_large(base));
	EXPECT_FALSE(is_said_to_be_large(ARENA));
	EXPECT_TRUE(release(base));
	EXPECT_TRUE(page_has(ARENA, 1) && page_has(ARENA + MIB(15), 2));
	EXPECT_TRUE(release(ARENA) && release(ARENA + MIB(12)));
}

#define NR_SMALL 64

/* Small regions side by side, of which two are where a large page can be, or NULL */
static char *make_small(char **small)
{
	unsigned int i, j;

	for (i = 0; i < NR_SMALL; i++)
		small[i] = VirtualAlloc(NULL, MIB(1), MEM_RESERVE,
					PAGE_READWRITE);
	for (i = 0; i < NR_SMALL; i++)
		for (j = 0; j < NR_SMALL; j++)
			if (small[i] && !((uintptr_t)small[i] % LARGE) &&
			    small[j] == small[i] + MIB(1) &&
			    release(small[i]) && release(small[j])) {
				small[j] = NULL;
				return small[i];
			}
	return NULL;
}

/* Of one among small regions little is left; what has gone from memory is no longer charged. */
TEST(little_is_left)
{
	const size_t part = LARGE - KIB(64);
	int64_t locked = all_locked();
	char *small[NR_SMALL], *base;
	unsigned int i;
	DWORD old;

	NEEDS_CODE();
	base = make_small(small);
	ASSERT_NE(NULL, base);
	ASSERT_EQ(base, large_at(base, LARGE, PAGE_READWRITE));
	fill_pages(base, 16, 3);
	EXPECT_TRUE(is_part(base));
	/* Has a mapping of its own, which the program unmaps */
	ASSERT_TRUE(VirtualProtect(base + KIB(64), part, PAGE_EXECUTE_READWRITE,
				   &old));
	ASSERT_EQ(0, munmap(base + KIB(64), part));
	EXPECT_TRUE(SETTLES(all_locked() == locked + (int64_t)KIB(64)));
	EXPECT_TRUE(pages_have(base, 16, 3));
	EXPECT_FALSE(is_part(base));
	for (i = 0; i < NR_SMALL; i++)
		EXPECT_TRUE(!small[i] || release(small[i]));
}

/* ---- what can be done with it ---- */

/* Rules: LP-03, VP-01. Protections page by page; the memory stays. */
TEST(protect)
{
	char *base = large(SIZE), *page = base + LARGE + 5 * PAGE;
	DWORD all = code_or(PAGE_EXECUTE_READWRITE, PAGE_READWRITE);
	DWORD old = 0;

	ASSERT_NE(NULL, base);
	EXPECT_EQ(NR_LARGE, pieces(base, SIZE));
	fill_pages(base, SIZE / PAGE, 100);
	ASSERT_TRUE(VirtualProtect(page, PAGE, PAGE_READONLY, &old));
	EXPECT_EQ(PAGE_READWRITE, old);
	EXPECT_TRUE(try_read(page));
	EXPECT_FALSE(try_write(page));
	EXPECT_TRUE(try_write(page - PAGE) && try_write(page + PAGE));
	EXPECT_TRUE(VirtualProtect(page, PAGE, PAGE_READWRITE, &old));
	EXPECT_EQ(PAGE_READONLY, old);
	EXPECT_TRUE(VirtualProtect(base, SIZE, PAGE_READONLY, &old));
	EXPECT_FALSE(try_write(base));
	EXPECT_TRUE(VirtualProtect(base, SIZE, all, &old));
	write_code(base + 3 * LARGE);
	EXPECT_EQ(all != PAGE_READWRITE, try_exec(base + 3 * LARGE));
	EXPECT_TRUE(VirtualProtect(base, SIZE, PAGE_READWRITE, &old));
	EXPECT_EQ(all, old);
	EXPECT_EQ(SIZE, in_memory(base));
	EXPECT_EQ((int64_t)SIZE, all_locked());
	EXPECT_EQ(NR_LARGE, pieces(base, SIZE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(base, PAGE, PAGE_NOACCESS, &old));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(base, PAGE, GUARDED, &old));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(base, PAGE,
				    PAGE_READWRITE | PAGE_WRITECOMBINE, &old));
	EXPECT_TRUE(try_write(base));
	EXPECT_TRUE(release(base));
}

/* Executable from the start */
TEST(execute)
{
	char *base = large_at(NULL, SIZE, PAGE_EXECUTE_READWRITE);

	NEEDS_CODE();
	ASSERT_NE(NULL, base);
	write_code(base + LARGE - 16);
	EXPECT_TRUE(try_exec(base + LARGE - 16));
	EXPECT_EQ(SIZE, in_memory(base));
	EXPECT_EQ(NR_LARGE, pieces(base, SIZE));
	EXPECT_TRUE(release(base));
}

/* Rules VA-30, LP-05: nothing of it goes, or comes again. */
TEST(refused)
{
	char *base = large(SIZE);
	PVOID at = base;
	SIZE_T size = LARGE;
	DWORD old;

	ASSERT_NE(NULL, base);
	EXPECT_TRUE(VirtualProtect(base, PAGE, PAGE_READONLY, &old));
	fill_pages(base + LARGE, LARGE / PAGE, 3);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualFree(base, PAGE, MEM_DECOMMIT));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualFree(base + LARGE, LARGE, MEM_DECOMMIT));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, VirtualFree(base, 0, MEM_DECOMMIT));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED,
		  NtFreeVirtualMemory(NtCurrentProcess(), &at, &size,
				      MEM_DECOMMIT));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED,
		  NtFreeVirtualMemory(NtCurrentProcess(), &at, &size,
				      MEM_RELEASE));
	EXPECT_EQ(STATUS_CONFLICTING_ADDRESSES,
		  NtAllocateVirtualMemory(NtCurrentProcess(), &at, 0, &size,
					  MEM_COMMIT, PAGE_READWRITE));
	EXPECT_FALSE(VirtualFree(base, LARGE,
				 MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER));
	EXPECT_EQ(ERROR_INVALID_PARAMETER,
		  OfferVirtualMemory(base, LARGE, VmOfferPriorityLow));
	EXPECT_EQ(~0U, GetWriteWatch(0, base, PAGE, &at, &size,
				     &(DWORD){ 0 }));
	EXPECT_EQ(SIZE - PAGE, in_memory(base + PAGE));
	EXPECT_TRUE(pages_have(base + LARGE, LARGE / PAGE, 3));
	size = SIZE;
	EXPECT_EQ(STATUS_SUCCESS,
		  NtFreeVirtualMemory(NtCurrentProcess(), &at, &size,
				      MEM_RELEASE));
	EXPECT_EQ(0, all_locked());
}

/* Rules: LP-03. What makes other pages leave memory leaves these. */
TEST(stays_in_memory)
{
	char *base = large(SIZE);

	ASSERT_NE(NULL, base);
	fill_pages(base, SIZE / PAGE, 5);
	EXPECT_EQ(base, VirtualAlloc(base, SIZE, MEM_RESET, PAGE_READWRITE));
	EXPECT_TRUE(write_text(DROP_CACHES, "3"));
	EXPECT_EQ(base, VirtualAlloc(base, SIZE, MEM_RESET_UNDO,
				     PAGE_READWRITE));
	EXPECT_TRUE(pages_have(base, SIZE / PAGE, 5));
	EXPECT_TRUE(EmptyWorkingSet(GetCurrentProcess()));
	EXPECT_TRUE(!!block_of(base + LARGE).Valid);
	madvise(base, SIZE, MADV_DONTNEED);
	madvise(base, SIZE, MADV_PAGEOUT);
	EXPECT_TRUE(pages_have(base, SIZE / PAGE, 5));
	EXPECT_EQ(ERROR_SUCCESS, DiscardVirtualMemory(base, LARGE));
	EXPECT_TRUE(is_zero(base, LARGE));
	EXPECT_TRUE(pages_have(base + LARGE, (SIZE - LARGE) / PAGE,
			       5 + LARGE / PAGE));
	EXPECT_EQ(SIZE, in_memory(base));
	EXPECT_EQ(NR_LARGE, pieces(base, SIZE));
	EXPECT_TRUE(release(base));
}

/* ---- what it counts as ---- */

/* To lock, and to unlock, does nothing. */
TEST(locked)
{
	int64_t before = all_locked();
	char *base = large(SIZE);

	ASSERT_NE(NULL, base);
	EXPECT_EQ(before + (int64_t)SIZE, all_locked());
	EXPECT_TRUE(VirtualLock(base + PAGE, LARGE));
	EXPECT_EQ(before + (int64_t)SIZE, all_locked());
	EXPECT_TRUE(VirtualUnlock(base, SIZE));
	EXPECT_EQ(before + (int64_t)SIZE, all_locked());
	EXPECT_TRUE(!!block_of(base).Locked);
	EXPECT_TRUE(release(base));
	EXPECT_EQ(before, all_locked());
	/* By munmap(), which nobody tells of it */
	base = large(SIZE);
	ASSERT_NE(NULL, base);
	EXPECT_EQ(before + (int64_t)SIZE, all_locked());
	EXPECT_EQ(-1, munmap(base, LARGE));
	EXPECT_EQ(0, munmap(base, SIZE));
	EXPECT_TRUE(SETTLES(all_locked() == before));
}

static int within_limit(void *arg)
{
	int fd = wr_open();
	uint64_t regions, committed;
	char *base;

	CHECK(become_nobody(3 * LARGE));
	regions = WR_INFO(fd, out_regions);
	committed = WR_INFO(fd, out_committed);
	CHECK(!large(4 * LARGE));
	CHECK(GetLastError() == ERROR_PRIVILEGE_NOT_HELD);
	CHECK(WR_INFO(fd, out_regions) == regions);
	CHECK(WR_INFO(fd, out_committed) == committed);
	CHECK(all_locked() == 0);
	base = large(2 * LARGE);
	CHECK(base);
	CHECK(!large(2 * LARGE));
	CHECK(GetLastError() == ERROR_PRIVILEGE_NOT_HELD);
	CHECK(VirtualLock(base, LARGE)); /* costs nothing */
	CHECK(all_locked() == 2 * (int64_t)LARGE);
	CHECK(release(base));
	base = large(3 * LARGE);
	CHECK(base);
	CHECK(release(base));
	return 0;
}

static int without_limit(void *arg)
{
	CHECK(become_nobody(0));
	CHECK(!large(LARGE));
	CHECK(GetLastError() == ERROR_PRIVILEGE_NOT_HELD);
	return 0;
}

/* Rules: LP-02. RLIMIT_MEMLOCK, unless there is CAP_IPC_LOCK */
TEST(limit)
{
	EXPECT_EQ(0, in_child(within_limit, NULL));
	EXPECT_EQ(0, in_child(without_limit, NULL));
}

/* More than there is: an error, and nothing of it is left. */
TEST(none_left)
{
	int fd = wr_open();
	uint64_t committed = WR_INFO(fd, out_committed);
	int64_t free = meminfo("MemFree"), locked = all_locked();
	size_t size = (free + MIB(64)) & ~(LARGE - 1);

	EXPECT_EQ(NULL, large(size));
	EXPECT_TRUE(GetLastError() == ERROR_NO_SYSTEM_RESOURCES ||
		    GetLastError() == ERROR_COMMITMENT_LIMIT);
	EXPECT_EQ(committed, WR_INFO(fd, out_committed));
	EXPECT_EQ(locked, all_locked());
	EXPECT_TRUE(SETTLES(meminfo("MemFree") > free / 2));
	close(fd);
}

/* ---- forks ---- */

static int child_has_copy(void *arg)
{
	char *base = arg;
	DWORD old;

	CHECK(all_locked() == 0);
	CHECK(!is_said_to_be_large(base));
	CHECK(pages_have(base, SIZE / PAGE, 7));
	fill_pages(base, SIZE / PAGE, 9);
	CHECK(VirtualProtect(base, PAGE, PAGE_NOACCESS, &old));
	CHECK(VirtualFree(base, LARGE, MEM_DECOMMIT));
	CHECK(VirtualAlloc(base, LARGE, MEM_COMMIT, PAGE_READWRITE));
	CHECK(is_zero(base, LARGE));
	CHECK(pages_have(base + LARGE, (SIZE - LARGE) / PAGE,
			 9 + LARGE / PAGE));
	CHECK(release(base));
	base = large(SIZE);
	CHECK(base);
	CHECK(pieces(base, SIZE) == NR_LARGE);
	return 0;
}

/* The child has a copy; the parent goes on with its large pages. */
TEST(forked)
{
	char *base = large(SIZE);
	DWORD old;

	ASSERT_NE(NULL, base);
	EXPECT_EQ(NR_LARGE, pieces(base, SIZE));
	fill_pages(base, SIZE / PAGE, 7);
	EXPECT_EQ(0, in_child(child_has_copy, base));
	EXPECT_TRUE(pages_have(base, SIZE / PAGE, 7));
	EXPECT_EQ((int64_t)SIZE, all_locked());
	/* Also if a part of one is unlike the rest */
	ASSERT_TRUE(VirtualProtect(base + PAGE, PAGE, PAGE_READONLY, &old));
	EXPECT_TRUE(VirtualProtect(base + PAGE, PAGE, PAGE_READWRITE, &old));
	EXPECT_EQ(0, in_child(child_has_copy, base));
	fill_pages(base, SIZE / PAGE, 8);
	EXPECT_EQ(NR_LARGE, pieces(base, SIZE));
	EXPECT_EQ(SIZE, in_memory(base));
	EXPECT_TRUE(release(base));
	EXPECT_EQ(0, all_locked());
}

static int child_is_apart(void *arg)
{
	char *base = arg;
	uint64_t end = now_ms() + 200;

	CHECK(pages_have(base, LARGE / PAGE, 1));
	while (now_ms() < end)
		CHECK(pages_have(base, LARGE / PAGE, 1));
	return 0;
}

/* What the parent writes meanwhile the child does not see. */
TEST(writes_beside_child)
{
	char *base = large(LARGE);
	struct child child;

	ASSERT_NE(NULL, base);
	fill_pages(base, LARGE / PAGE, 1);
	child = start_child(child_is_apart, base);
	fill_pages(base, LARGE / PAGE, 2);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(pages_have(base, LARGE / PAGE, 2));
	EXPECT_EQ(1, pieces(base, LARGE));
	EXPECT_TRUE(release(base));
}

/* ---- pins, system calls, others' mappings ---- */

/* A device goes on with what was released. */
TEST(pinned)
{
	char *base = large(SIZE);
	int sock;

	ASSERT_NE(NULL, base);
	fill_page(base + LARGE, 1);
	sock = pin_pages(base + LARGE, 4);
	if (sock < 0) {
		release(base);
		SKIP(return, "no AF_XDP socket here");
	}
	fill_pages(base + LARGE, 4, 3);
	EXPECT_TRUE(release(base));
	base = large(SIZE);
	ASSERT_NE(NULL, base);
	EXPECT_TRUE(is_zero(base, SIZE));
	close(sock);
	EXPECT_TRUE(release(base));
}

TEST(system_calls)
{
	char *base = large(SIZE);
	int file = memfd_create("data", MFD_CLOEXEC);
	struct iovec here = { base + LARGE - PAGE, 2 * PAGE };
	struct iovec there = { base + 3 * LARGE - PAGE, 2 * PAGE };

	ASSERT_NE(NULL, base);
	fill_pages(base + LARGE - PAGE, 2, 11);
	ASSERT_EQ(2 * PAGE, (size_t)write(file, here.iov_base, 2 * PAGE));
	ASSERT_EQ(2 * PAGE, (size_t)pread(file, base + 2 * LARGE, 2 * PAGE, 0));
	EXPECT_TRUE(pages_have(base + 2 * LARGE, 2, 11));
	ASSERT_EQ((ssize_t)(2 * PAGE),
		  process_vm_writev(getpid(), &here, 1, &there, 1, 0));
	EXPECT_TRUE(pages_have(base + 3 * LARGE - PAGE, 2, 11));
	EXPECT_EQ(MAP_FAILED,
		  mremap(base, LARGE, 2 * LARGE, MREMAP_MAYMOVE));
	close(file);
	EXPECT_TRUE(release(base));
}

/* ---- races ---- */

#define RACE_BASE (ARENA + MIB(64))

static struct crew crew;

static void *make_and_release(void *arg)
{
	uint64_t value = 1;
	char *base;

	while (crew_goes_on(&crew)) {
		base = large_at(RACE_BASE, 2 * LARGE, PAGE_READWRITE);
		if (!base)
			continue;
		race_access(USER_WRITE, -1, (volatile uint64_t *)base, &value);
		release(base);
	}
	return NULL;
}

/* Whatever is there, also while it is being made */
static void *disturb(void *arg)
{
	uint64_t value = 1;
	DWORD old;

	while (crew_goes_on(&crew)) {
		race_access(USER_WRITE, -1,
			    (volatile uint64_t *)(RACE_BASE + LARGE), &value);
		VirtualProtect(RACE_BASE + PAGE, PAGE, PAGE_READONLY, &old);
		VirtualProtect(RACE_BASE + PAGE, PAGE, PAGE_READWRITE, &old);
		VirtualAlloc(RACE_BASE, LARGE, MEM_RESET, PAGE_READWRITE);
		VirtualUnlock(RACE_BASE, LARGE);
		VirtualFree(RACE_BASE, PAGE, MEM_DECOMMIT);
		release(RACE_BASE);
	}
	return NULL;
}

static void *unmap(void *arg)
{
	while (crew_goes_on(&crew)) {
		munmap(RACE_BASE + LARGE + PAGE, PAGE);
		sched_yield();
		munmap(RACE_BASE, 2 * LARGE);
		sched_yield();
	}
	return NULL;
}

static int child_ends(void *arg)
{
	return 0;
}

/* Releases, forks and all else while such regions are made */
TEST(races)
{
	unsigned int left = rounds(large_races);

	race_catch_faults();
	crew_add(&crew, make_and_release, NULL);
	crew_add(&crew, make_and_release, NULL);
	crew_add(&crew, disturb, NULL);
	crew_add(&crew, unmap, NULL);
	while (left--)
		EXPECT_EQ(0, in_child(child_ends, NULL));
	crew_stop(&crew);
	release(RACE_BASE);
	EXPECT_TRUE(SETTLES(all_locked() == 0));
}

/* While a region is made: touched, reset, locked and unlocked, and its maker kept busy */
static void *meddle(void *arg)
{
	struct winregion_reset reset = {
		.operation = WINREGION_OP_RESET,
		.range.length = PAGE,
		.range.protection = WINREGION_READWRITE,
	};
	uint64_t random = 977, value = 1;
	char *page;

	while (crew_goes_on(&crew)) {
		page = RACE_BASE + PAGES(race_random(&random, 64));
		race_access(USER_WRITE, -1, (volatile uint64_t *)page, &value);
		reset.range.address = (uintptr_t)page;
		winregion_reset(&reset);
		VirtualLock(RACE_BASE, LARGE);
	}
	return NULL;
}

static void *hold_mmap(void *arg)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
	void *at;

	while (crew_goes_on(&crew)) {
		at = mmap(NULL, MIB(8), PROT_READ | PROT_WRITE, flags, -1, 0);
		munmap(at, MIB(8));
	}
	return NULL;
}

/* ---- code while there are children ---- */

/*
 * A region that a thread writes all the time while another makes it executable, and what
 * parent and child both see
 */
struct coded {
	char *base;
	volatile uint64_t *passes;	/* of the writer over all of it */
};

static volatile uint64_t *word_in(struct coded *coded, unsigned int i)
{
	return (volatile uint64_t *)(coded->base + i * LARGE + 64);
}

static void *write_all(void *arg)
{
	struct coded *coded = arg;
	unsigned int i;

	while (crew_goes_on(&crew)) {
		for (i = 0; i < NR_LARGE; i++)
			++*word_in(coded, i);
		race_add(coded->passes, 1);
	}
	return NULL;
}

static void *make_code(void *arg)
{
	struct coded *coded = arg;
	unsigned int i;
	DWORD old;

	for (i = 0; i < NR_LARGE; i++)
		if (!VirtualProtect(coded->base + i * LARGE, LARGE,
				    PAGE_EXECUTE_READWRITE, &old))
			abort();
	return NULL;
}

/* What it reads stays, however often the parent writes. */
static int child_reads_twice(void *arg)
{
	struct coded *coded = arg;
	uint64_t then = race_load(coded->passes), value[NR_LARGE];
	unsigned int i;

	for (i = 0; i < NR_LARGE; i++)
		value[i] = *word_in(coded, i);
	while (race_load(coded->passes) < then + 3)
		sched_yield();
	for (i = 0; i < NR_LARGE; i++)
		CHECK(*word_in(coded, i) == value[i]);
	return 0;
}

/* A child has copies of its own, also of what is just becoming executable. */
TEST(made_code_beside_forks)
{
	unsigned int left = rounds(large_code), i;
	struct coded coded;
	pthread_t maker;

	NEEDS_CODE();
	coded.passes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, coded.passes);
	while (left--) {
		coded.base = large(SIZE);
		ASSERT_NE(NULL, coded.base);
		fill_pages(coded.base, SIZE / PAGE, 1);
		crew_add(&crew, write_all, &coded);
		ASSERT_EQ(0, pthread_create(&maker, NULL, make_code, &coded));
		for (i = 0; i < 2; i++)
			EXPECT_EQ(0, in_child(child_reads_twice, &coded));
		pthread_join(maker, NULL);
		crew_stop(&crew);
		EXPECT_TRUE(release(coded.base));
	}
}

/* Rules: LP-03. All of it is large and locked, whoever came in between. */
TEST(meddled_with)
{
	unsigned int left = rounds(large_meddled);
	char *base;

	race_catch_faults();
	crew_add(&crew, meddle, NULL);
	crew_add(&crew, hold_mmap, NULL);
	crew_add(&crew, hold_mmap, NULL);
	while (left--) {
		base = large_at(RACE_BASE, LARGE, PAGE_READWRITE);
		ASSERT_EQ(RACE_BASE, base);
		EXPECT_EQ(LARGE, in_memory(base));
		VirtualUnlock(base, LARGE);
		EXPECT_EQ((int64_t)LARGE, all_locked());
		EXPECT_TRUE(is_one_piece(base));
		EXPECT_TRUE(release(base));
	}
	crew_stop(&crew);
	EXPECT_EQ(0, all_locked());
}

static int make_for_ever(void *arg)
{
	char *base;

	do {
		base = large(8 * LARGE);
	} while (!base || release(base));
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
