// SPDX-License-Identifier: GPL-2.0
/* vm: cpus=2 */
/*
 * Memory that is locked: VirtualLock() and VirtualUnlock(), in regions, views and
 * other memory, and what ends it.
 */
#include "kselftest_harness.h"

#include <sys/resource.h>
#include <sys/syscall.h>

#include <winregion/memoryapi.h>
#include <winregion/nt.h>
#include <winregion/psapi.h>

#include "region_fixture.h"
#include "wr_test_util.h"
#include "race.h"
#include "rounds.h"

#define GUARDED (PAGE_READWRITE | PAGE_GUARD)
#define SETTLE_MS 60000

/* By the module: bytes of the range that are locked, or -errno */
static int64_t locked_in(const void *address, size_t size)
{
	struct winregion_lock arg = {
		.operation = WINREGION_LOCK_COUNT,
		.address = (uintptr_t)address,
		.length = size,
	};
	int err = winregion_lock(&arg);

	return err ? err : (int64_t)arg.out_locked;
}

/* What mlock() and we have locked, as the system counts it */
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

static bool is_valid(void *address)
{
	return block_of(address).Valid;
}

static bool is_locked(void *address)
{
	return block_of(address).Locked;
}

/* Rules: LK-01 */
TEST_F(region, resident_at_once)
{
	char *page = self->base + PAGE;

	COMMIT(0, 8 * PAGE, PAGE_READWRITE);
	EXPECT_FALSE(is_valid(page));
	ASSERT_TRUE(VirtualLock(page + 100, 2 * PAGE));
	EXPECT_EQ(3 * PAGE, locked_in(self->base, UNIT));
	EXPECT_EQ(3 * PAGE, all_locked());
	EXPECT_TRUE(is_valid(page) && is_valid(page + 2 * PAGE));
	EXPECT_TRUE(is_locked(page) && is_locked(page + 2 * PAGE));
	EXPECT_FALSE(is_locked(self->base) || is_locked(page + 3 * PAGE));
	EXPECT_TRUE(EmptyWorkingSet(GetCurrentProcess()));
	EXPECT_TRUE(is_valid(page) && is_valid(page + 2 * PAGE));
	EXPECT_TRUE(try_write(page));
	ASSERT_TRUE(VirtualUnlock(page, 3 * PAGE));
	EXPECT_EQ(0, locked_in(self->base, UNIT));
	EXPECT_EQ(0, all_locked());
	EXPECT_TRUE(is_valid(page));
	EXPECT_FALSE(is_locked(page));
}

/* Rules: LK-02, LK-03. Nothing is locked then */
TEST_F(region, what_cannot_be_locked)
{
	DWORD old;

	COMMIT(0, 8 * PAGE, PAGE_READWRITE);
	EXPECT_FAILS(ERROR_NOACCESS, VirtualLock(self->base, 9 * PAGE));
	EXPECT_EQ(0, all_locked());
	ASSERT_TRUE(VirtualProtect(self->base + 5 * PAGE, PAGE, PAGE_NOACCESS,
				   &old));
	EXPECT_FAILS(ERROR_NOACCESS, VirtualLock(self->base, 8 * PAGE));
	EXPECT_EQ(0, locked_in(self->base, UNIT));
	EXPECT_EQ(0, all_locked());
	EXPECT_FALSE(is_valid(self->base));
	EXPECT_TRUE(VirtualLock(self->base, 5 * PAGE));
	EXPECT_FAILS(ERROR_NOACCESS, VirtualLock(self->base, 8 * PAGE));
	EXPECT_EQ(5 * PAGE, locked_in(self->base, UNIT));
	EXPECT_EQ(5 * PAGE, all_locked());
	EXPECT_FAILS(ERROR_NOACCESS, VirtualLock(NULL, PAGE));
	EXPECT_FAILS(ERROR_NOACCESS,
		     VirtualLock((void *)0x3fff00000000, PAGE));
}

/* Rules: LK-11 */
TEST_F(region, ranges)
{
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, VirtualLock(self->base, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, VirtualUnlock(self->base, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualLock(KERNEL_ADDRESS, PAGE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualUnlock(KERNEL_ADDRESS, PAGE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualLock(self->base, ~(size_t)0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualUnlock(self->base, USER_END));
}

/* Rules: LK-05, LK-10 */
TEST_F(region, no_count)
{
	COMMIT(0, 8 * PAGE, PAGE_READWRITE);
	EXPECT_TRUE(VirtualLock(self->base, 4 * PAGE));
	EXPECT_TRUE(VirtualLock(self->base + 2 * PAGE, 4 * PAGE));
	EXPECT_TRUE(VirtualLock(self->base, 6 * PAGE));
	EXPECT_EQ(6 * PAGE, all_locked());
	EXPECT_TRUE(VirtualUnlock(self->base + PAGE, 3 * PAGE));
	EXPECT_EQ(3 * PAGE, all_locked());
	EXPECT_EQ(PAGE, locked_in(self->base, 4 * PAGE));
	EXPECT_EQ(2 * PAGE, locked_in(self->base + 4 * PAGE, 2 * PAGE));
	EXPECT_TRUE(VirtualUnlock(self->base + 4 * PAGE, 2 * PAGE));
	EXPECT_TRUE(VirtualUnlock(self->base, PAGE));
	EXPECT_EQ(0, all_locked());
}

/* Rules: LK-13. */
TEST_F(region, nt)
{
	const HANDLE self_process = GetCurrentProcess();
	PVOID base = self->base + PAGE + 100;
	SIZE_T size = PAGE;

	COMMIT(0, 8 * PAGE, PAGE_READWRITE);
	EXPECT_EQ(STATUS_SUCCESS, NtLockVirtualMemory(self_process, &base, &size,
						      MAP_PROCESS));
	EXPECT_EQ(self->base + PAGE, base);
	EXPECT_EQ(2 * PAGE, size);
	EXPECT_EQ(2 * PAGE, locked_in(self->base, UNIT));
	base = self->base;
	EXPECT_EQ(STATUS_WAS_LOCKED, NtLockVirtualMemory(self_process, &base,
							 &size, MAP_PROCESS));
	EXPECT_EQ(3 * PAGE, locked_in(self->base, UNIT));
	size = 4 * PAGE;
	EXPECT_EQ(STATUS_NOT_LOCKED, NtUnlockVirtualMemory(self_process, &base,
							   &size, MAP_PROCESS));
	EXPECT_EQ(4 * PAGE, size);
	size = 2 * PAGE + 1;
	EXPECT_EQ(STATUS_SUCCESS, NtUnlockVirtualMemory(self_process, &base,
							&size, MAP_PROCESS));
	EXPECT_EQ(3 * PAGE, size);
	EXPECT_EQ(0, all_locked());
}

/* Rules: LK-02, LK-11, LK-13. */
TEST_F(region, nt_errors)
{
	const HANDLE self_process = GetCurrentProcess();
	PVOID base = self->base + 1;
	SIZE_T size = 9 * PAGE;
	unsigned int i;
	const struct {
		HANDLE process;
		PVOID *base;
		SIZE_T size;
		ULONG type;
		NTSTATUS status;
	} calls[] = {
		{ self_process, &base, PAGE, 0, STATUS_INVALID_PARAMETER },
		{ self_process, &base, PAGE, 4, STATUS_INVALID_PARAMETER },
		{ self_process, NULL, PAGE, 1, STATUS_ACCESS_VIOLATION },
		{ self_process, &base, 0, 1, STATUS_INVALID_PARAMETER },
		{ self_process, &base, ~(SIZE_T)0, 1,
		  STATUS_INVALID_PARAMETER },
		{ NULL, &base, PAGE, 1, STATUS_INVALID_HANDLE },
		{ self_process, &base, PAGE, MAP_SYSTEM,
		  STATUS_PRIVILEGE_NOT_HELD },
	};

	COMMIT(0, 8 * PAGE, PAGE_READWRITE);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		size = calls[i].size;
		EXPECT_EQ(calls[i].status,
			  NtLockVirtualMemory(calls[i].process, calls[i].base,
					      &size, calls[i].type));
		EXPECT_EQ(calls[i].status,
			  NtUnlockVirtualMemory(calls[i].process, calls[i].base,
						&size, calls[i].type));
		EXPECT_EQ(calls[i].size, size);
	}
	EXPECT_EQ(STATUS_ACCESS_VIOLATION,
		  NtLockVirtualMemory(self_process, &base, NULL, MAP_PROCESS));
	size = 9 * PAGE;
	EXPECT_EQ(STATUS_ACCESS_VIOLATION,
		  NtLockVirtualMemory(self_process, &base, &size, MAP_PROCESS));
	EXPECT_EQ(self->base + 1, base);
	EXPECT_EQ(9 * PAGE, size);
	EXPECT_EQ(0, all_locked());
}

/* Rules: LK-06 */
TEST_F(region, unlock_what_is_not_locked)
{
	COMMIT(0, 8 * PAGE, PAGE_READWRITE);
	fill_pages(self->base, 8, 5);
	EXPECT_TRUE(VirtualLock(self->base + 2 * PAGE, 2 * PAGE));
	EXPECT_TRUE(is_valid(self->base + PAGE));
	EXPECT_FAILS(ERROR_NOT_LOCKED, VirtualUnlock(self->base, 4 * PAGE));
	EXPECT_EQ(2 * PAGE, locked_in(self->base, UNIT));
	EXPECT_TRUE(is_valid(self->base + 3 * PAGE));
	/* In a slot that is one large page they stay with those that are locked. */
	if (self->size == UNIT) {
		EXPECT_FALSE(is_valid(self->base + PAGE));
	}
	EXPECT_TRUE(pages_have(self->base, 8, 5));
	EXPECT_FAILS(ERROR_NOT_LOCKED,
		     VirtualUnlock(self->base + UNIT - PAGE, PAGE));
	EXPECT_FAILS(ERROR_NOT_LOCKED, VirtualUnlock(NULL, PAGE));
	EXPECT_FAILS(ERROR_NOT_LOCKED,
		     VirtualUnlock((void *)0x3fff00000000, PAGE));
}

/* Rules: GP-08, GP-09, LK-08 */
TEST_F(region, guard_page)
{
	COMMIT(0, 8 * PAGE, PAGE_READWRITE);
	COMMIT(4 * PAGE, 2 * PAGE, GUARDED);
	SetLastError(POISON);
	EXPECT_FALSE(VirtualLock(self->base, 8 * PAGE));
	EXPECT_EQ((DWORD)STATUS_GUARD_PAGE_VIOLATION, GetLastError());
	EXPECT_EQ(0, all_locked());
	REGION_COMMITTED(4 * PAGE, PAGE, PAGE_READWRITE);
	REGION_COMMITTED(5 * PAGE, PAGE, GUARDED);
	EXPECT_FALSE(VirtualLock(self->base + 5 * PAGE, PAGE));
	EXPECT_EQ((DWORD)STATUS_GUARD_PAGE_VIOLATION, GetLastError());
	EXPECT_TRUE(VirtualLock(self->base, 8 * PAGE));
	EXPECT_EQ(8 * PAGE, all_locked());
}

/* Rules: LK-07 */
TEST_F(region, what_unlocks)
{
	DWORD old;

	COMMIT(0, 16 * PAGE, PAGE_READWRITE);
	EXPECT_TRUE(VirtualLock(self->base, 16 * PAGE));
	DECOMMIT(2 * PAGE, 2 * PAGE);
	EXPECT_EQ(14 * PAGE, all_locked());
	COMMIT(2 * PAGE, 2 * PAGE, PAGE_READWRITE);
	EXPECT_EQ(14 * PAGE, all_locked());
	EXPECT_TRUE(VirtualProtect(self->base, PAGE, PAGE_READONLY, &old));
	EXPECT_EQ(14 * PAGE, all_locked());
	EXPECT_TRUE(VirtualProtect(self->base, PAGE, PAGE_NOACCESS, &old));
	EXPECT_EQ(13 * PAGE, all_locked());
	COMMIT(5 * PAGE, PAGE, GUARDED);
	EXPECT_EQ(12 * PAGE, all_locked());
	EXPECT_TRUE(VirtualProtect(self->base + 6 * PAGE, 2 * PAGE,
				   code_or(PAGE_EXECUTE_READ, PAGE_READONLY),
				   &old));
	EXPECT_EQ(12 * PAGE, all_locked());
	EXPECT_EQ(2 * PAGE, locked_in(self->base + 6 * PAGE, 2 * PAGE));
	EXPECT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
	EXPECT_EQ(0, all_locked());
	self->base = VirtualAlloc(NULL, self->size, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);
	EXPECT_TRUE(VirtualLock(self->base, self->size));
	EXPECT_EQ(self->size, all_locked());
}

/* Rules: LK-12. And a hole between them */
TEST(several_regions)
{
	char *first = VirtualAlloc(ARENA, UNIT, MEM_RESERVE | MEM_COMMIT,
				   PAGE_READWRITE);
	char *next = VirtualAlloc(ARENA + UNIT, 4 * UNIT,
				  MEM_RESERVE | MEM_COMMIT, PAGE_READONLY);
	char *last = VirtualAlloc(ARENA + 5 * UNIT, MIB(4),
				  MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	ASSERT_TRUE(first && next && last);
	EXPECT_TRUE(VirtualLock(first + PAGE, 5 * UNIT + MIB(2)));
	EXPECT_EQ(5 * UNIT + MIB(2), all_locked());
	EXPECT_TRUE(VirtualUnlock(next - PAGE, 2 * PAGE));
	EXPECT_EQ(5 * UNIT + MIB(2) - 2 * PAGE, all_locked());
	EXPECT_TRUE(VirtualFree(next, 0, MEM_RELEASE));
	EXPECT_EQ(UNIT - 2 * PAGE + MIB(2) + PAGE, all_locked());
	EXPECT_FALSE(VirtualLock(first, 8 * UNIT));
	EXPECT_EQ(ERROR_NOACCESS, GetLastError());
	EXPECT_EQ(UNIT - 2 * PAGE + MIB(2) + PAGE, all_locked());
	EXPECT_TRUE(VirtualFree(first, 0, MEM_RELEASE));
	EXPECT_EQ(MIB(2) + PAGE, all_locked());
	EXPECT_TRUE(VirtualFree(last, 0, MEM_RELEASE));
	EXPECT_EQ(0, all_locked());
}

/* Part of a region is released, without memory for an edge of its own */
TEST(part_is_released)
{
	char *base = VirtualAlloc(NULL, MIB(8), MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);
	void *middle = base + MIB(1) + PAGE;
	size_t size = MIB(3);

	ASSERT_TRUE(VirtualLock(base, MIB(8)));
	EXPECT_EQ(MIB(8), all_locked());
	EXPECT_EQ(0, NtFreeVirtualMemory(GetCurrentProcess(), &middle, &size,
					 MEM_RELEASE));
	EXPECT_EQ(MIB(5), all_locked());
	EXPECT_TRUE(VirtualUnlock(base, MIB(1)));
	EXPECT_EQ(MIB(4), all_locked());
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	EXPECT_EQ(MIB(4) - PAGE, all_locked());
	EXPECT_TRUE(VirtualFree(base + MIB(4) + PAGE, 0, MEM_RELEASE));
	EXPECT_EQ(0, all_locked());
}

static bool settles_to(int64_t locked)
{
	uint64_t end = now_ms() + SETTLE_MS;

	while (all_locked() != locked && now_ms() < end)
		sleep_ms(10);
	return all_locked() == locked;
}

/* Rules: LK-07. By munmap(), which nobody tells of it */
TEST(unmapped)
{
	char *base = VirtualAlloc(NULL, MIB(4), MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);
	char *other = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
				   PAGE_READWRITE);

	ASSERT_TRUE(VirtualLock(base, MIB(4)) && VirtualLock(other, UNIT));
	EXPECT_EQ(MIB(4) + UNIT, all_locked());
	ASSERT_EQ(0, munmap(base, MIB(4)));
	EXPECT_TRUE(settles_to(UNIT));
	EXPECT_TRUE(VirtualFree(other, 0, MEM_RELEASE));
	EXPECT_EQ(0, all_locked());
}

static int child_has_no_locks(void *arg)
{
	char *base = arg;

	CHECK(all_locked() == 0);
	CHECK(locked_in(base, MIB(4)) == 0);
	CHECK(!VirtualUnlock(base, PAGE));
	CHECK(GetLastError() == ERROR_NOT_LOCKED);
	CHECK(pages_have(base, 16, 3));
	fill_pages(base, 8, 9);
	CHECK(VirtualLock(base, 16 * PAGE));
	CHECK(all_locked() == (int64_t)(16 * PAGE));
	return 0;
}

/* Rules: LK-09 */
TEST(child)
{
	char *base = VirtualAlloc(NULL, MIB(4), MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);

	fill_pages(base, 16, 3);
	ASSERT_TRUE(VirtualLock(base, 32 * PAGE));
	EXPECT_EQ(0, in_child(child_has_no_locks, base));
	EXPECT_EQ(32 * PAGE, all_locked());
	EXPECT_TRUE(pages_have(base, 16, 3));
	fill_pages(base, 32, 4);
	EXPECT_TRUE(is_valid(base) && is_locked(base));
	EXPECT_TRUE(VirtualUnlock(base, 32 * PAGE));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* ---- the quota ---- */

static int lock_within_limit(void *arg)
{
	char *base, *other;

	CHECK(become_nobody(16 * PAGE));
	base = VirtualAlloc(NULL, MIB(4), MEM_RESERVE | MEM_COMMIT,
			    PAGE_READWRITE);
	CHECK(base);
	other = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(!VirtualLock(base, 17 * PAGE));
	CHECK(GetLastError() == ERROR_WORKING_SET_QUOTA);
	CHECK(!all_locked() && !locked_in(base, MIB(4)) && !is_valid(base));
	CHECK(VirtualLock(base, 10 * PAGE));
	CHECK(VirtualLock(base + 2 * PAGE, 8 * PAGE));
	CHECK(!mlock(other, 4 * PAGE));
	CHECK(!VirtualLock(base, 13 * PAGE));
	CHECK(GetLastError() == ERROR_WORKING_SET_QUOTA);
	CHECK(locked_in(base, MIB(4)) == (int64_t)(10 * PAGE));
	CHECK(VirtualLock(base, 12 * PAGE));
	CHECK(!VirtualLock(base + MIB(1), PAGE));
	CHECK(VirtualFree(base, 2 * PAGE, MEM_DECOMMIT));
	CHECK(VirtualLock(base + MIB(1), 2 * PAGE));
	CHECK(mlock(other + PAGE, 2 * PAGE) == 0);
	CHECK(!VirtualLock(base + MIB(2), PAGE));
	CHECK(VirtualFree(base, 0, MEM_RELEASE));
	CHECK(all_locked() == (int64_t)(4 * PAGE));
	return 0;
}

/* Rules: LK-04. RLIMIT_MEMLOCK, together with mlock() */
TEST(quota)
{
	EXPECT_EQ(0, in_child(lock_within_limit, NULL));
}

/* ---- other memory ---- */

static int lock_other_memory(void *arg)
{
	char *base = mmap(ARENA + MIB(8), 16 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	char *region = VirtualAlloc(ARENA + MIB(8) + UNIT, UNIT,
				    MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	CHECK(base != MAP_FAILED && region == base + UNIT);
	CHECK(VirtualLock(base + 4 * PAGE, 4 * PAGE));
	CHECK(all_locked() == (int64_t)(4 * PAGE));
	CHECK(is_locked(base + 4 * PAGE) && !is_locked(base + 3 * PAGE));
	CHECK(!VirtualUnlock(base + 3 * PAGE, 4 * PAGE));
	CHECK(GetLastError() == ERROR_NOT_LOCKED);
	CHECK(all_locked() == (int64_t)(4 * PAGE));
	CHECK(VirtualUnlock(base + 4 * PAGE, 4 * PAGE));
	CHECK(all_locked() == 0);
	/* Both in one call */
	CHECK(VirtualLock(base + 8 * PAGE, 16 * PAGE));
	CHECK(all_locked() == (int64_t)(16 * PAGE));
	CHECK(locked_in(region, UNIT) == (int64_t)(8 * PAGE));
	CHECK(!VirtualUnlock(base + 8 * PAGE, 17 * PAGE));
	CHECK(GetLastError() == ERROR_NOT_LOCKED);
	CHECK(VirtualUnlock(base + 8 * PAGE, 16 * PAGE));
	CHECK(all_locked() == 0);
	CHECK(!mprotect(base, PAGE, PROT_NONE));
	CHECK(!VirtualLock(base, 2 * PAGE));
	CHECK(GetLastError() == ERROR_NOACCESS);
	/* Nothing is left of what was locked before it failed. */
	CHECK(VirtualFree(region + 8 * PAGE, PAGE, MEM_DECOMMIT));
	CHECK(!VirtualLock(base + 8 * PAGE, 24 * PAGE));
	CHECK(GetLastError() == ERROR_NOACCESS);
	CHECK(all_locked() == 0);
	CHECK(become_nobody(4 * PAGE));
	CHECK(!VirtualLock(base + 8 * PAGE, 5 * PAGE));
	CHECK(GetLastError() == ERROR_WORKING_SET_QUOTA);
	CHECK(all_locked() == 0);
	return 0;
}

/* Rules: LK-01, LK-03, LK-04, LK-06, LK-12. Where it is not ours */
TEST(other_memory)
{
	EXPECT_EQ(0, in_child(lock_other_memory, NULL));
}

/* ---- views ---- */

static char *map_file(HANDLE *file, const char *name, DWORD protect,
		      DWORD access, size_t size)
{
	HANDLE section;
	char *view;

	*file = INVALID_HANDLE_VALUE;
	if (name)
		*file = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 7, NULL,
				    CREATE_ALWAYS, 0, NULL);
	section = CreateFileMappingA(*file, NULL, protect, 0, size, NULL);
	view = MapViewOfFile(section, access, 0, 0, 0);
	CloseHandle(section);
	return view;
}

/* Rules: LK-01, LK-05, LK-06, LK-07. In views of memory and of a file */
TEST(views)
{
	static const char *const names[] = { NULL, "/tmp/lock_memory" };
	unsigned int i;
	HANDLE file;
	char *view;
	DWORD old;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		view = map_file(&file, names[i], PAGE_READWRITE, FILE_MAP_WRITE,
				MIB(1));
		ASSERT_NE(NULL, view);
		fill_pages(view, 4, 8);
		ASSERT_TRUE(VirtualLock(view + PAGE, 16 * PAGE));
		EXPECT_EQ(16 * PAGE, all_locked());
		EXPECT_TRUE(is_valid(view + 16 * PAGE));
		EXPECT_TRUE(is_locked(view + PAGE) && !is_locked(view));
		EXPECT_TRUE(EmptyWorkingSet(GetCurrentProcess()));
		EXPECT_TRUE(is_valid(view + PAGE) && !is_valid(view));
		EXPECT_TRUE(pages_have(view, 4, 8));
		EXPECT_FALSE(VirtualUnlock(view, 3 * PAGE));
		EXPECT_EQ(ERROR_NOT_LOCKED, GetLastError());
		EXPECT_TRUE(VirtualUnlock(view + PAGE, 3 * PAGE));
		EXPECT_EQ(13 * PAGE, all_locked());
		EXPECT_TRUE(pages_have(view, 4, 8));
		EXPECT_TRUE(VirtualProtect(view + 8 * PAGE, PAGE, PAGE_READONLY,
					   &old));
		EXPECT_EQ(13 * PAGE, all_locked());
		EXPECT_TRUE(VirtualProtect(view + 8 * PAGE, 2 * PAGE,
					   PAGE_NOACCESS, &old));
		EXPECT_EQ(11 * PAGE, all_locked());
		EXPECT_TRUE(UnmapViewOfFile(view));
		EXPECT_EQ(0, all_locked());
		if (names[i])
			CloseHandle(file);
	}
	unlink(names[1]);
}

/* Rules: GP-08, LK-03. And what a view has copied */
TEST(view_protections)
{
	HANDLE file;
	char *view = map_file(&file, "/tmp/lock_memory", PAGE_READWRITE,
			      FILE_MAP_COPY, UNIT);
	DWORD old;

	ASSERT_NE(NULL, view);
	fill_page(view, 3);
	EXPECT_TRUE(VirtualLock(view, 4 * PAGE));
	fill_page(view + PAGE, 4);
	EXPECT_TRUE(is_locked(view + PAGE));
	EXPECT_TRUE(page_has(view, 3) && page_has(view + PAGE, 4));
	EXPECT_EQ(4 * PAGE, all_locked());
	EXPECT_TRUE(VirtualProtect(view, PAGE, PAGE_NOACCESS, &old));
	EXPECT_TRUE(VirtualProtect(view + 2 * PAGE, PAGE,
				   PAGE_READONLY | PAGE_GUARD, &old));
	EXPECT_EQ(2 * PAGE, all_locked());
	EXPECT_FALSE(VirtualLock(view, PAGE));
	EXPECT_EQ(ERROR_NOACCESS, GetLastError());
	EXPECT_FALSE(VirtualLock(view + PAGE, 3 * PAGE));
	EXPECT_EQ((DWORD)STATUS_GUARD_PAGE_VIOLATION, GetLastError());
	EXPECT_TRUE(VirtualLock(view + PAGE, 3 * PAGE));
	EXPECT_EQ(3 * PAGE, all_locked());
	/* What is cut off is gone, and cannot be locked again. */
	EXPECT_TRUE(VirtualProtect(view, UNIT, PAGE_READONLY, &old));
	ASSERT_EQ(0, truncate("/tmp/lock_memory", PAGE));
	EXPECT_FALSE(VirtualLock(view + 8 * PAGE, PAGE));
	EXPECT_EQ(ERROR_SWAPERROR, GetLastError());
	EXPECT_EQ(3 * PAGE, all_locked());
	EXPECT_TRUE(UnmapViewOfFile(view));
	EXPECT_EQ(0, all_locked());
	CloseHandle(file);
	unlink("/tmp/lock_memory");
}

static bool page_is_cached(const char *address)
{
	unsigned char there = 0;

	return !mincore((void *)address, PAGE, &there) && there & 1;
}

/* Rules: LK-01. What is to be thrown away is not */
TEST(stays_in_cache)
{
	HANDLE file;
	char *view = map_file(&file, "/tmp/lock_memory", PAGE_READWRITE,
			      FILE_MAP_WRITE, UNIT);

	ASSERT_NE(NULL, view);
	fill_pages(view, 16, 6);
	ASSERT_TRUE(FlushViewOfFile(view, 0));
	ASSERT_TRUE(VirtualLock(view + 4 * PAGE, 4 * PAGE));
	ASSERT_TRUE(EmptyWorkingSet(GetCurrentProcess()));
	ASSERT_EQ(0, madvise(view, UNIT, MADV_PAGEOUT));
	EXPECT_TRUE(write_number(DROP_CACHES, 1));
	EXPECT_TRUE(page_is_cached(view + 4 * PAGE));
	EXPECT_TRUE(page_is_cached(view + 7 * PAGE));
	EXPECT_TRUE(pages_have(view, 16, 6));
	EXPECT_TRUE(UnmapViewOfFile(view));
	CloseHandle(file);
	unlink("/tmp/lock_memory");
}

/* ---- the ioctl ---- */

static int lock_ioctl(uint32_t operation, void *address, size_t size)
{
	struct winregion_lock arg = {
		.operation = operation,
		.address = (uintptr_t)address,
		.length = size,
		.out_locked = WR_POISON64,
	};
	int err = winregion_lock(&arg);

	return err && arg.out_locked != WR_POISON64 ? -1000 : err;
}

TEST_F(region, ioctl_errors)
{
	struct winregion_lock arg = {
		.size = sizeof(arg),
		.address = (uintptr_t)self->base,
		.length = PAGE,
	};
	int fd = wr_open();

	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_EQ(-ENODATA, lock_ioctl(WINREGION_LOCK_ADD, self->base, UNIT));
	EXPECT_EQ(-ENOENT, lock_ioctl(WINREGION_LOCK_ADD, (void *)UNIT, PAGE));
	EXPECT_EQ(-EINVAL, lock_ioctl(4, self->base, PAGE));
	EXPECT_EQ(-EOVERFLOW, lock_ioctl(WINREGION_LOCK_TRIM, self->base, 0));
	EXPECT_EQ(-EADDRNOTAVAIL,
		  lock_ioctl(WINREGION_LOCK_COUNT, NULL, PAGE));
	EXPECT_EQ(-ENOLCK, lock_ioctl(WINREGION_LOCK_REMOVE, self->base, PAGE));
	arg.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, wr_ioctl(fd, WINREGION_LOCK, &arg));
	arg.flags = 0;
	arg.__reserved = 1;
	EXPECT_EQ(-EINVAL, wr_ioctl(fd, WINREGION_LOCK, &arg));
	arg.__reserved = 0;
	arg.size--;
	EXPECT_EQ(-EINVAL, wr_ioctl(fd, WINREGION_LOCK, &arg));
	EXPECT_EQ(-EFAULT, wr_ioctl(fd, WINREGION_LOCK, NULL));
	arg.size++;
	EXPECT_EQ(0, wr_ioctl(fd, WINREGION_LOCK, &arg));
	EXPECT_EQ(0, arg.out_locked);
	EXPECT_EQ(0, wr_ioctl(fd, WINREGION_LOCK, &arg));
	EXPECT_EQ(PAGE, arg.out_locked);
	EXPECT_TRUE(WR_INFO(fd, out_features) & WINREGION_FEATURE_LOCK);
	close(fd);
}

/* ---- races ---- */

/* Pages that threads lock, unlock, take away and give back */
struct scene {
	char *base;
	struct crew crew;
	uint64_t random;
	volatile uint64_t locked;
};

#define SCENE_PAGES 64

static void *lock_and_unlock(void *arg)
{
	struct scene *scene = arg;
	uint64_t random = race_load(&scene->random);

	while (crew_goes_on(&scene->crew)) {
		char *at = scene->base +
			   PAGES(race_random(&random, SCENE_PAGES));
		size_t size = PAGES(1 + race_random(&random, 16));

		if (VirtualLock(at, size))
			race_add(&scene->locked, 1);
		VirtualUnlock(at, size);
		if (!(race_random(&random, 8)))
			EmptyWorkingSet(GetCurrentProcess());
	}
	return NULL;
}

static void take_and_give(struct scene *scene, unsigned int rounds)
{
	uint64_t random = 7;
	DWORD old;

	while (rounds--) {
		char *at = scene->base +
			   PAGES(race_random(&random, SCENE_PAGES));
		size_t size = PAGES(1 + race_random(&random, 16));

		switch (race_random(&random, 4)) {
		case 0:
			VirtualFree(at, size, MEM_DECOMMIT);
			break;
		case 1:
			VirtualProtect(at, size, PAGE_NOACCESS, &old);
			break;
		default:
			VirtualAlloc(at, size, MEM_COMMIT, PAGE_READWRITE);
		}
	}
}

/* What is counted is what is locked, whatever came between. */
TEST(beside_changes)
{
	struct scene scene = { .random = 1 };
	unsigned int i;

	scene.base = VirtualAlloc(NULL, PAGES(SCENE_PAGES + 16), MEM_RESERVE,
				  PAGE_READWRITE);
	ASSERT_NE(NULL, scene.base);
	VirtualAlloc(scene.base, PAGES(SCENE_PAGES + 16), MEM_COMMIT,
		     PAGE_READWRITE);
	crew_add(&scene.crew, lock_and_unlock, &scene);
	scene.random = 2;
	crew_add(&scene.crew, lock_and_unlock, &scene);
	do {
		take_and_give(&scene, rounds(lock_changes));
	} while (!race_load(&scene.locked));
	crew_stop(&scene.crew);
	EXPECT_LT(0, scene.locked);
	EXPECT_TRUE(settles_to(locked_in(scene.base, PAGES(SCENE_PAGES + 16))));
	EXPECT_TRUE(VirtualFree(scene.base, 0, MEM_RELEASE));
	EXPECT_TRUE(settles_to(0));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, all_locked());
}

static int leave(void *arg)
{
	struct scene *scene = arg;

	return all_locked() == 0 && locked_in(scene->base, UNIT) == 0 ? 0 : 1;
}

/* Forks, and regions that come and go under who locks them */
TEST(beside_forks_and_releases)
{
	struct scene scene = { .base = ARENA, .random = 3 };
	unsigned int i, n = rounds(lock_forks);
	struct child child;

	crew_add(&scene.crew, lock_and_unlock, &scene);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(ARENA, VirtualAlloc(ARENA, PAGES(SCENE_PAGES + 16),
					      MEM_RESERVE | MEM_COMMIT,
					      PAGE_READWRITE));
		child = start_child(leave, &scene);
		EXPECT_EQ(0, end_child(&child));
		if (i % 2) {
			EXPECT_TRUE(VirtualFree(ARENA, 0, MEM_RELEASE));
		} else {
			EXPECT_EQ(0, munmap(ARENA, PAGES(SCENE_PAGES + 16)));
		}
	}
	crew_stop(&scene.crew);
	EXPECT_TRUE(settles_to(0));
}

TEST_HARNESS_MAIN
