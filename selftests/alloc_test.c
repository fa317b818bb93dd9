// SPDX-License-Identifier: GPL-2.0
/*
 * VirtualAlloc (rules VA-*) and the range of addresses that it works in.
 */
#include "kselftest_harness.h"

#include <pthread.h>
#include <sys/resource.h>

#include "region_fixture.h"
#include "rounds.h"

/* Rules: VA-01 */
TEST_F(region, size_zero_is_refused)
{
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(NULL, 0, MEM_RESERVE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(NULL, 0, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(ARENA + UNIT, 0, MEM_RESERVE,
				  PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(self->base, 0, MEM_COMMIT, PAGE_READWRITE));
}

/* Rules: VA-02, VA-03 */
TEST(reserve_then_commit_the_first_page)
{
	char *base;

	base = VirtualAlloc(NULL, 0xfffc, MEM_RESERVE, PAGE_NOACCESS);
	ASSERT_NE(NULL, base);
	EXPECT_RESERVED(base, 0x10000, base, PAGE_NOACCESS);

	ASSERT_EQ(base, VirtualAlloc(base, 0x1000, MEM_COMMIT, PAGE_NOACCESS));
	EXPECT_COMMITTED(base, 0x1000, PAGE_NOACCESS, base, PAGE_NOACCESS);
	EXPECT_RESERVED(base + 0x1000, 0xf000, base, PAGE_NOACCESS);
	EXPECT_FALSE(try_read(base));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: VA-04 */
TEST(commit_without_address_reserves)
{
	static const size_t sizes[] = { 1, 0x1000, 0x10001, 4 << 20 };
	size_t i, size;
	char *base;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size = (sizes[i] + PAGE - 1) & ~(PAGE - 1);
		base = VirtualAlloc(NULL, sizes[i], MEM_COMMIT, PAGE_READONLY);
		ASSERT_NE(NULL, base);
		EXPECT_EQ(0, (uintptr_t)base % UNIT);
		EXPECT_COMMITTED(base, size, PAGE_READONLY, base,
				 PAGE_READONLY);
		EXPECT_TRUE(try_read(base + size - 1));
		EXPECT_FALSE(try_write(base));
		EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	}
}

/* Rules: VA-05 */
TEST_F(region, commit_outside_an_allocation_is_refused)
{
	/* Nothing there at all. */
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(ARENA + MIB(64), PAGE, MEM_COMMIT,
				  PAGE_READWRITE));
	/* Its end sticks out. */
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(self->base + self->size - PAGE, PAGE + 1,
				  MEM_COMMIT, PAGE_READWRITE));
	/* Its start sticks out. */
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(self->base - PAGE, 2 * PAGE, MEM_COMMIT,
				  PAGE_READWRITE));
	REGION_RESERVED(0, self->size);
}

/* Rules: VA-05 */
TEST_F(region, commit_outside_an_allocation_has_its_own_status)
{
	PVOID base = self->base + self->size - PAGE;
	SIZE_T size = 2 * PAGE;

	EXPECT_STATUS_FAILS(STATUS_CONFLICTING_ADDRESSES,
			    NtAllocateVirtualMemory(SELF, &base, 0,
						    &size, MEM_COMMIT,
						    PAGE_READWRITE));
	base = ARENA + MIB(64);
	EXPECT_STATUS_FAILS(STATUS_CONFLICTING_ADDRESSES,
			    NtAllocateVirtualMemory(SELF, &base, 0,
						    &size, MEM_COMMIT,
						    PAGE_READWRITE));
}

/* Rules: VA-06 */
TEST_F(region, commit_widens_to_pages)
{
	ASSERT_EQ(self->base + PAGE,
		  VirtualAlloc(self->base + PAGE + 0xfff, 2, MEM_COMMIT,
			       PAGE_READWRITE));
	REGION_RESERVED(0, PAGE);
	REGION_COMMITTED(PAGE, 2 * PAGE, PAGE_READWRITE);
	REGION_RESERVED(3 * PAGE, self->size - 3 * PAGE);

	ASSERT_EQ(self->base + 5 * PAGE,
		  VirtualAlloc(self->base + 5 * PAGE + 1, PAGE - 1, MEM_COMMIT,
			       PAGE_READWRITE));
	REGION_COMMITTED(5 * PAGE, PAGE, PAGE_READWRITE);
	REGION_RESERVED(6 * PAGE, self->size - 6 * PAGE);
}

/* Rules: VA-07 */
TEST(reserve_and_commit_start_at_the_unit)
{
	char *base = VirtualAlloc((void *)0x50004080, 0x1000,
				  MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	ASSERT_EQ((char *)0x50000000, base);
	EXPECT_COMMITTED(base, 0x6000, PAGE_READWRITE, base, PAGE_READWRITE);
	EXPECT_FREE(base + 0x6000);
	EXPECT_TRUE(try_write(base));
	EXPECT_TRUE(try_write(base + 0x5fff));
	EXPECT_FALSE(try_write(base + 0x6000));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: VA-08 */
TEST_F(region, commit_again_sets_protection_and_keeps_contents)
{
	COMMIT(0, self->size, PAGE_READWRITE);
	fill(self->base, self->size);

	COMMIT(PAGE, 2 * PAGE, PAGE_READONLY);
	REGION_COMMITTED(0, PAGE, PAGE_READWRITE);
	REGION_COMMITTED(PAGE, 2 * PAGE, PAGE_READONLY);
	REGION_COMMITTED(3 * PAGE, self->size - 3 * PAGE, PAGE_READWRITE);
	EXPECT_FALSE(try_write(self->base + PAGE));
	EXPECT_FALSE(try_write(self->base + 3 * PAGE - 1));
	EXPECT_TRUE(is_filled(self->base, self->size));

	COMMIT(0, self->size, PAGE_NOACCESS);
	REGION_COMMITTED(0, self->size, PAGE_NOACCESS);
	EXPECT_FALSE(try_read(self->base));

	COMMIT(0, self->size, PAGE_READWRITE);
	REGION_COMMITTED(0, self->size, PAGE_READWRITE);
	EXPECT_TRUE(is_filled(self->base, self->size));
	EXPECT_TRUE(try_write(self->base + PAGE));
}

/* Rules: VA-09 */
TEST_F(region, commit_takes_committed_and_reserved_pages)
{
	COMMIT(PAGE, 2 * PAGE, PAGE_READWRITE);
	fill(self->base + PAGE, 2 * PAGE);
	COMMIT(0, 5 * PAGE, PAGE_READONLY);
	REGION_COMMITTED(0, 5 * PAGE, PAGE_READONLY);
	REGION_RESERVED(5 * PAGE, self->size - 5 * PAGE);
	EXPECT_TRUE(all_bytes(self->base, PAGE, 0));
	EXPECT_TRUE(is_filled(self->base + PAGE, 2 * PAGE));
	EXPECT_TRUE(all_bytes(self->base + 3 * PAGE, 2 * PAGE, 0));
	EXPECT_FALSE(try_write(self->base + 2 * PAGE));
	EXPECT_FALSE(try_write(self->base + 4 * PAGE));
}

/* Rules: VA-10 */
TEST_F(region, reserve_over_used_pages_is_refused)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualAlloc(self->base, self->size, MEM_RESERVE,
					  PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualAlloc(self->base + self->size - 1, 1,
					  MEM_RESERVE | MEM_COMMIT,
					  PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualAlloc(self->base - UNIT, UNIT + 1,
					  MEM_RESERVE, PAGE_READWRITE));
		COMMIT(0, self->size, PAGE_READWRITE);
	}
}

/* Rules: VA-10 */
TEST(reserve_over_other_mappings_is_refused)
{
	char *map = mmap(ARENA + UNIT + 4 * PAGE, PAGE, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			 0);

	ASSERT_EQ(ARENA + UNIT + 4 * PAGE, map);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(ARENA, MIB(1), MEM_RESERVE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(map, PAGE, MEM_RESERVE, PAGE_READWRITE));
	EXPECT_TRUE(try_read(map));
	ASSERT_EQ(ARENA, VirtualAlloc(ARENA, UNIT + 4 * PAGE, MEM_RESERVE,
				      PAGE_READWRITE));
	EXPECT_TRUE(VirtualFree(ARENA, 0, MEM_RELEASE));
}

/* Rules: VA-11 */
TEST_F(region, released_place_can_be_reserved_again)
{
	size_t i;

	for (i = 1; i <= 4; i++) {
		COMMIT(0, self->size, PAGE_READWRITE);
		fill(self->base, self->size);
		ASSERT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
		ASSERT_EQ(self->base, VirtualAlloc(self->base, i * PAGE,
						   MEM_RESERVE,
						   PAGE_READWRITE));
		REGION_RESERVED(0, i * PAGE);
		ASSERT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
		ASSERT_EQ(self->base, VirtualAlloc(self->base, self->size,
						   MEM_RESERVE,
						   PAGE_READWRITE));
		REGION_RESERVED(0, self->size);
	}
}

static const DWORD bad_flags[] = {
	0,
	MEM_TOP_DOWN,
	MEM_PHYSICAL,
	MEM_COMMIT | MEM_RESET,
	MEM_TOP_DOWN | MEM_RESET,
	MEM_PHYSICAL | MEM_COMMIT,
	MEM_RESET | MEM_COMMIT | MEM_RESERVE,
	0xffffffff,
};

/* Rules: VA-13 */
TEST_F(region, impossible_flags_are_refused)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_flags); i++) {
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(NULL, PAGE, bad_flags[i],
					  PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(self->base, PAGE, bad_flags[i],
					  PAGE_READWRITE));
	}
}

/* Rules: VA-14 */
TEST(commit_top_down_reserves)
{
	char *base = VirtualAlloc(NULL, 2 * UNIT, MEM_COMMIT | MEM_TOP_DOWN,
				  PAGE_READWRITE);

	ASSERT_NE(NULL, base);
	EXPECT_EQ(0, (uintptr_t)base % UNIT);
	EXPECT_COMMITTED(base, 2 * UNIT, PAGE_READWRITE, base, PAGE_READWRITE);
	EXPECT_TRUE(try_write(base));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: VA-15 */
TEST_F(region, write_watch_without_reserve_is_refused)
{
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(NULL, PAGE, MEM_WRITE_WATCH,
				  PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(self->base, PAGE,
				  MEM_COMMIT | MEM_WRITE_WATCH,
				  PAGE_READWRITE));
}

/* Rules: VA-17 */
TEST(round_to_page_is_refused)
{
	const DWORD at_round_to_page = 0x40000000;

	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(ARENA, PAGE, MEM_RESERVE | at_round_to_page,
				  PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(NULL, PAGE,
				  MEM_RESERVE | MEM_COMMIT | at_round_to_page,
				  PAGE_READWRITE));
}

/* Rules: VA-18 */
TEST(placeholder_is_refused)
{
	ULONG type = MEM_RESERVE | MEM_RESERVE_PLACEHOLDER;
	PVOID base = NULL;
	SIZE_T size = UNIT;

	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(NULL, UNIT,
				  MEM_RESERVE | MEM_RESERVE_PLACEHOLDER,
				  PAGE_NOACCESS));
	EXPECT_STATUS_FAILS(STATUS_INVALID_PARAMETER,
			    NtAllocateVirtualMemory(SELF, &base, 0, &size,
						    type, PAGE_NOACCESS));
	/* Not without MEM_RESERVE, nor together with what nobody knows. */
	type = MEM_RESERVE_PLACEHOLDER;
	EXPECT_STATUS_FAILS(STATUS_INVALID_PARAMETER_5,
			    NtAllocateVirtualMemory(SELF, &base, 0, &size,
						    type, PAGE_NOACCESS));
	type = ~0U;
	EXPECT_STATUS_FAILS(STATUS_INVALID_PARAMETER_5,
			    NtAllocateVirtualMemory(SELF, &base, 0, &size,
						    type, PAGE_NOACCESS));
}

/* Rules: VA-19 */
TEST_F(region, call_without_process_is_refused)
{
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     VirtualAllocEx(NULL, NULL, PAGE, MEM_RESERVE,
				    PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     VirtualAllocEx(NULL, self->base, PAGE, MEM_COMMIT,
				    PAGE_READWRITE));
}

/* Rules: XP-02 */
TEST_F(region, current_process_is_minus_one)
{
	ASSERT_EQ(self->base,
		  VirtualAllocEx(SELF, self->base, PAGE, MEM_COMMIT,
				 PAGE_READWRITE));
	REGION_COMMITTED(0, PAGE, PAGE_READWRITE);
}

/* Rules: VA-21 */
TEST(kernel_addresses_are_refused)
{
	static char *const addresses[] = {
		(char *)USER_HIGHEST + 1,
		(char *)USER_END - PAGE,
		(char *)USER_END,
		KERNEL_ADDRESS,
		(char *)0xfffffffffffff000,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(addresses[i], PAGE, MEM_RESERVE,
					  PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(addresses[i], PAGE, MEM_COMMIT,
					  PAGE_READWRITE));
	}
}

/* Rules: VA-22 */
TEST_F(region, sizes_beyond_the_user_range_are_refused)
{
	const size_t whole = USER_HIGHEST - USER_LOWEST + 1;

	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(NULL, -1, MEM_RESERVE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(NULL, whole + 1, MEM_RESERVE,
				  PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(ARENA, USER_HIGHEST + 2 - (uintptr_t)ARENA,
				  MEM_RESERVE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(ARENA, -1, MEM_RESERVE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(self->base, -1, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(self->base,
				  USER_HIGHEST + 2 - (uintptr_t)self->base,
				  MEM_COMMIT, PAGE_READWRITE));
}

/* Rules: VA-23 */
TEST(reservation_without_a_hole_fails)
{
	const size_t whole = USER_HIGHEST - USER_LOWEST + 1;
	PVOID base = NULL;
	SIZE_T size = whole;

	/* The whole range, in which the program itself is. */
	EXPECT_FAILS(ERROR_NOT_ENOUGH_MEMORY,
		     VirtualAlloc(NULL, whole, MEM_RESERVE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_NOT_ENOUGH_MEMORY,
		     VirtualAlloc(NULL, whole, MEM_RESERVE | MEM_TOP_DOWN,
				  PAGE_READWRITE));
	EXPECT_STATUS_FAILS(STATUS_NO_MEMORY,
			    NtAllocateVirtualMemory(SELF, &base, 0,
						    &size, MEM_RESERVE,
						    PAGE_READWRITE));
}

/*
 * Whether the only hole of @size bytes is found, which starts at any unit: one in
 * the place of the region at @base, of @room bytes.
 */
static bool finds_hole(char *base, size_t room, size_t size)
{
	char *hole = base + UNIT, *end = hole + size;
	bool found;

	if (!VirtualFree(base, 0, MEM_RELEASE) ||
	    !VirtualAlloc(base, UNIT, MEM_RESERVE, PAGE_NOACCESS) ||
	    !VirtualAlloc(end, UNIT, MEM_RESERVE, PAGE_NOACCESS) ||
	    !VirtualAlloc(end + UNIT, room - size - 2 * UNIT, MEM_RESERVE,
			  PAGE_NOACCESS))
		return false;
	found = hole == VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_NOACCESS);
	return found && VirtualFree(base, 0, MEM_RELEASE) &&
	       VirtualFree(hole, 0, MEM_RELEASE) &&
	       VirtualFree(end, 0, MEM_RELEASE) &&
	       VirtualFree(end + UNIT, 0, MEM_RELEASE) &&
	       VirtualAlloc(base, room, MEM_RESERVE, PAGE_NOACCESS);
}

/* Rules: VA-23 */
TEST(reservations_can_fill_the_address_space)
{
	char *base, *large = NULL;
	size_t size = TIB(32);
	size_t total = 0, room = 0;
	int nr = 0;

	/* Ever smaller pieces, until none of 1 MiB fits. */
	while (size >= MIB(1)) {
		base = VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_NOACCESS);
		if (base) {
			EXPECT_RESERVED(base, size, base, PAGE_NOACCESS);
			total += size;
			nr++;
			if (size >= MIB(8)) {
				large = base;
				room = size;
			}
			continue;
		}
		ASSERT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
		size /= 2;
	}
	/* All but what the program and the gaps beside it take. */
	EXPECT_LT(TIB(127), total);
	EXPECT_LT(3, nr);
	EXPECT_FAILS(ERROR_NOT_ENOUGH_MEMORY,
		     VirtualAlloc(NULL, MIB(1), MEM_RESERVE, PAGE_READWRITE));
	ASSERT_NE(NULL, large);
	EXPECT_TRUE(finds_hole(large, room, MIB(1)));
	EXPECT_TRUE(finds_hole(large, room, MIB(1) + UNIT));
	EXPECT_TRUE(finds_hole(large, room, MIB(4)));
}

/* Rules: VA-23 */
TEST(reservation_beyond_rlimit_as_fails)
{
	struct rlimit limit = { .rlim_cur = GIB(1), .rlim_max = GIB(1) };
	char *base;

	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_FAILS(ERROR_NOT_ENOUGH_MEMORY,
		     VirtualAlloc(NULL, GIB(2), MEM_RESERVE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_NOT_ENOUGH_MEMORY,
		     VirtualAlloc(ARENA, GIB(2), MEM_RESERVE, PAGE_READWRITE));
	base = VirtualAlloc(NULL, MIB(64), MEM_RESERVE, PAGE_READWRITE);
	EXPECT_NE(NULL, base);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* In this mode the system promises whatever it is asked for. */
static bool overcommits(void)
{
	return read_number("/proc/sys/vm/overcommit_memory") == 1;
}

/* Rules: VA-24 */
TEST(commit_beyond_the_limit_fails)
{
	size_t size = 2 * meminfo("MemTotal") + 2 * meminfo("SwapTotal");
	PVOID base = NULL;
	SIZE_T nt_size = size;

	if (overcommits())
		SKIP(return, "vm.overcommit_memory is 1");
	size = (size + PAGE - 1) & ~(PAGE - 1);
	EXPECT_FAILS(ERROR_COMMITMENT_LIMIT,
		     VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE));
	EXPECT_FAILS(ERROR_COMMITMENT_LIMIT,
		     VirtualAlloc(ARENA, size, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE));
	EXPECT_FREE(ARENA);
	EXPECT_STATUS_FAILS(STATUS_COMMITMENT_LIMIT,
			    NtAllocateVirtualMemory(SELF, &base, 0,
						    &nt_size,
						    MEM_RESERVE | MEM_COMMIT,
						    PAGE_READWRITE));
	ASSERT_EQ(ARENA, VirtualAlloc(ARENA, size, MEM_RESERVE,
				      PAGE_READWRITE));
	EXPECT_FAILS(ERROR_COMMITMENT_LIMIT,
		     VirtualAlloc(ARENA, size, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_RESERVED(ARENA, size, ARENA, PAGE_READWRITE);
	EXPECT_TRUE(VirtualFree(ARENA, 0, MEM_RELEASE));
}

/*
 * The limit is for the sum, not for each call.
 *
 * Rules: VA-24, M-13
 */
TEST(commits_add_up_to_the_limit)
{
	struct winregion_get_info info = { .size = sizeof(info) }, after = info;
	const size_t step = MIB(64);
	size_t size = 2 * meminfo("MemTotal");
	size_t done;

	if (overcommits())
		SKIP(return, "vm.overcommit_memory is 1");
	size -= size % step;
	ASSERT_EQ(0, winregion_get_info(&info));
	ASSERT_EQ(ARENA, VirtualAlloc(ARENA, size, MEM_RESERVE,
				      PAGE_READWRITE));
	for (done = 0; done < size; done += step)
		if (!VirtualAlloc(ARENA + done, step, MEM_COMMIT,
				  PAGE_READWRITE))
			break;
	EXPECT_EQ(ERROR_COMMITMENT_LIMIT, GetLastError());
	EXPECT_LT(0, done);
	EXPECT_GT(size, done);
	/* It changes with what the system has, which may become more meanwhile. */
	ASSERT_EQ(0, winregion_get_info(&after));
	EXPECT_LE(done, after.out_total);
	EXPECT_TRUE(after.out_total <= info.out_limit ||
		    after.out_total <= after.out_limit);
	EXPECT_COMMITTED(ARENA, done, PAGE_READWRITE, ARENA, PAGE_READWRITE);
	EXPECT_RESERVED(ARENA + done, size - done, ARENA, PAGE_READWRITE);

	/* What a decommit gives back can be committed elsewhere. */
	ASSERT_TRUE(VirtualFree(ARENA, step, MEM_DECOMMIT));
	EXPECT_EQ(ARENA + done, VirtualAlloc(ARENA + done, step, MEM_COMMIT,
					     PAGE_READWRITE));
	EXPECT_TRUE(VirtualFree(ARENA, 0, MEM_RELEASE));
}

/* Rules: VA-25 */
TEST(first_unit_is_refused)
{
	static char *const addresses[] = {
		(char *)1, (char *)0xfff, (char *)0x1000, (char *)0xf000,
		(char *)0xffff,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(addresses[i], PAGE, MEM_RESERVE,
					  PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(addresses[i], PAGE, MEM_COMMIT,
					  PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(addresses[i], PAGE,
					  MEM_RESERVE | MEM_COMMIT,
					  PAGE_READWRITE));
	}
}

/* What the main stack takes or may grow into, with its gap */
static bool stack_range(uintptr_t *first, uintptr_t *end)
{
	struct rlimit limit;
	struct vma vma;
	char here;

	if (getrlimit(RLIMIT_STACK, &limit) || !find_vma(&here, &vma))
		return false;
	/* The kernel keeps at least so much for it. */
	if (limit.rlim_cur < MIB(128))
		limit.rlim_cur = MIB(128);
	*first = vma.end - limit.rlim_cur - MIB(1);
	*end = vma.end;
	return true;
}

/* The highest place for @size bytes in the free range [@start, @end), or 0 */
static uintptr_t place_in(uintptr_t start, uintptr_t end, size_t size)
{
	uintptr_t place;

	if (end < start + size)
		return 0;
	place = (end - size) & ~(UNIT - 1);
	return place < start ? 0 : place;
}

/* The highest place for @size bytes that is sure to be for the taking */
static uintptr_t highest_place(size_t size)
{
	uintptr_t stack, stack_end, start, end, place, highest = 0;
	MEMORY_BASIC_INFORMATION mbi;
	char *address = NULL;

	if (!stack_range(&stack, &stack_end))
		return 0;
	while (VirtualQuery(address, &mbi, sizeof(mbi))) {
		address += mbi.RegionSize;
		if (mbi.State != MEM_FREE)
			continue;
		end = (uintptr_t)address;
		start = end - mbi.RegionSize;
		place = place_in(start, end < stack ? end : stack, size);
		if (place > highest)
			highest = place;
		place = place_in(start > stack_end ? start : stack_end, end,
				 size);
		if (place > highest)
			highest = place;
	}
	return highest;
}

/* Rules: VA-26 */
TEST(top_down_takes_the_highest_place)
{
	static const size_t sizes[] = {
		1 << 16, 1 << 16, 1 << 20, 1 << 16, 3 << 20, 64 << 20, 1 << 30,
		1 << 16, 3 << 20,
	};
	uintptr_t highest;
	char *base;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		highest = highest_place(sizes[i]);
		ASSERT_NE(0, highest);
		base = VirtualAlloc(NULL, sizes[i], MEM_RESERVE | MEM_TOP_DOWN,
				    PAGE_READWRITE);
		ASSERT_NE(NULL, base);
		EXPECT_LE(highest, (uintptr_t)base)
			TH_LOG("%zu KiB", sizes[i] >> 10);
	}
}

/* Rules: VA-26 */
TEST(top_down_fills_a_hole_from_above)
{
	char *high, *low;

	high = VirtualAlloc(NULL, MIB(4), MEM_RESERVE | MEM_TOP_DOWN,
			    PAGE_READWRITE);
	ASSERT_NE(NULL, high);
	low = VirtualAlloc(NULL, MIB(4), MEM_RESERVE | MEM_TOP_DOWN,
			   PAGE_READWRITE);
	ASSERT_NE(NULL, low);
	EXPECT_LT((uintptr_t)low, (uintptr_t)high);
	ASSERT_TRUE(VirtualFree(high, 0, MEM_RELEASE));
	EXPECT_EQ(high, VirtualAlloc(NULL, MIB(4), MEM_RESERVE | MEM_TOP_DOWN,
				     PAGE_READWRITE));
}

/* Rules: VA-27 */
TEST_F(region, new_code_runs)
{
	DWORD old = POISON;

	NEEDS_CODE();
	COMMIT(0, 2 * PAGE, PAGE_READWRITE);
	write_code(self->base);
	write_code(self->base + PAGE);
	EXPECT_FALSE(try_exec(self->base));
	EXPECT_TRUE(probe_fault.exec);
	ASSERT_TRUE(VirtualProtect(self->base, PAGE, PAGE_EXECUTE_READ, &old));
	EXPECT_TRUE(try_exec(self->base));
	EXPECT_FALSE(try_exec(self->base + PAGE));
	ASSERT_TRUE(VirtualProtect(self->base, PAGE, PAGE_READWRITE, &old));
	EXPECT_FALSE(try_exec(self->base));
}

/* The NT call fails with @status and leaves both variables alone. */
#define EXPECT_NT_UNTOUCHED(status, address, length, flags, protect) do { \
	PVOID base_ = (address);					\
	SIZE_T size_ = (length);					\
									\
	EXPECT_STATUS_FAILS(status,					\
			    NtAllocateVirtualMemory(SELF, &base_, 0, \
						    &size_, flags,	\
						    protect));		\
	EXPECT_EQ((PVOID)(address), base_);				\
	EXPECT_EQ((SIZE_T)(length), size_);				\
} while (0)

/* Rules: VA-29 */
TEST_F(region, failed_nt_call_leaves_address_and_size)
{
	const size_t whole = USER_HIGHEST - USER_LOWEST + 1;

	EXPECT_NT_UNTOUCHED(STATUS_CONFLICTING_ADDRESSES, self->base + 5, 77,
			    MEM_RESERVE, PAGE_READWRITE);
	EXPECT_NT_UNTOUCHED(STATUS_CONFLICTING_ADDRESSES,
			    self->base + self->size - 7, 77, MEM_COMMIT,
			    PAGE_READWRITE);
	EXPECT_NT_UNTOUCHED(STATUS_NO_MEMORY, NULL, whole - 1, MEM_RESERVE,
			    PAGE_READWRITE);
	EXPECT_NT_UNTOUCHED(STATUS_INVALID_PAGE_PROTECTION, self->base + 5, 77,
			    MEM_COMMIT, PAGE_WRITECOPY);
	EXPECT_NT_UNTOUCHED(STATUS_INVALID_PAGE_PROTECTION, NULL, 77,
			    MEM_RESERVE, PAGE_WRITECOPY);
}

/* Rules: VA-06, M-05 */
TEST_F(region, nt_call_reports_the_widened_range)
{
	PVOID base = self->base + PAGE + 5;
	SIZE_T size = PAGE;

	EXPECT_STATUS(STATUS_SUCCESS,
		      NtAllocateVirtualMemory(SELF, &base, 0, &size,
					      MEM_COMMIT, PAGE_READWRITE));
	EXPECT_EQ((PVOID)(self->base + PAGE), base);
	EXPECT_EQ(2 * PAGE, size);

	base = ARENA + MIB(64) + PAGE + 5;
	size = 7;
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtAllocateVirtualMemory(SELF, &base, 0, &size,
					      MEM_RESERVE, PAGE_READWRITE));
	EXPECT_EQ((PVOID)(ARENA + MIB(64)), base);
	EXPECT_EQ(2 * PAGE, size);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* What the NT call with @zero_bits and no address says and finds. */
static NTSTATUS reserve_below(ULONG_PTR zero_bits, PVOID *base)
{
	SIZE_T size = UNIT;

	*base = NULL;
	return NtAllocateVirtualMemory(SELF, base, zero_bits, &size,
				       MEM_RESERVE, PAGE_READWRITE);
}

/* Rules: ZB-01, ZB-02, ZB-03 */
TEST(zero_bits_limit_the_address)
{
	NTSTATUS status;
	ULONG_PTR z;
	PVOID base;

	for (z = 1; z <= 20; z++) {
		status = reserve_below(z, &base);
		/* The first 64 KiB are not to be had, the first 256 MiB are. */
		if (z >= 16)
			EXPECT_STATUS(STATUS_NO_MEMORY, status);
		if (z <= 4)
			EXPECT_STATUS(STATUS_SUCCESS, status);
		if (status != STATUS_SUCCESS) {
			EXPECT_STATUS(STATUS_NO_MEMORY, status);
			EXPECT_EQ(NULL, base);
			continue;
		}
		EXPECT_EQ(0, (uintptr_t)base % UNIT);
		EXPECT_GE(1UL << (32 - z), (uintptr_t)base + UNIT);
		EXPECT_RESERVED(base, UNIT, base, PAGE_READWRITE);
	}
	for (z = 21; z <= 31; z++)
		EXPECT_STATUS_FAILS(STATUS_INVALID_PARAMETER,
				    reserve_below(z, &base));
}

/* NtAllocateVirtualMemory(3). Rules ZB-02, ZB-03: with an address it is no limit. */
TEST_F(region, zero_bits_with_an_address)
{
	static const ULONG_PTR valid[] = {
		1, 12, 20, 32, 0x1aaaaaaa, ~0UL
	};
	PVOID base, committed = self->base;
	SIZE_T size = UNIT;
	ULONG_PTR z;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(valid); i++) {
		base = ARENA + MIB(64);
		EXPECT_STATUS(STATUS_SUCCESS,
			      NtAllocateVirtualMemory(SELF, &base, valid[i],
						      &size, MEM_RESERVE,
						      PAGE_READWRITE));
		EXPECT_EQ((PVOID)(ARENA + MIB(64)), base);
		EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
		EXPECT_STATUS(STATUS_SUCCESS,
			      NtAllocateVirtualMemory(SELF, &committed,
						      valid[i], &size,
						      MEM_COMMIT,
						      PAGE_READWRITE));
	}
	/* It has to be valid nevertheless. */
	for (z = 21; z <= 31; z++) {
		base = ARENA + MIB(64);
		EXPECT_STATUS_FAILS(STATUS_INVALID_PARAMETER,
				    NtAllocateVirtualMemory(SELF, &base, z,
							    &size, MEM_RESERVE,
							    PAGE_READWRITE));
		EXPECT_STATUS_FAILS(STATUS_INVALID_PARAMETER,
				    NtAllocateVirtualMemory(SELF, &committed, z,
							    &size, MEM_COMMIT,
							    PAGE_READWRITE));
	}
}

/* Rules: ZB-04 */
TEST(zero_bits_from_32_on_are_a_mask)
{
	static const struct {
		ULONG_PTR mask;
		uint64_t end;
	} cases[] = {
		{ 0x1aaaaaaa, 0x20000000 },
		{ 0x7fffffff, 0x80000000 },
		{ 0xffffffff, 0x100000000 },
		{ 0x10000000000, 0x20000000000 },
		{ 0x7ffffffeffff, 0x800000000000 },
		{ ~0UL, USER_END },
	};
	PVOID base;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_STATUS(STATUS_SUCCESS,
			      reserve_below(cases[i].mask, &base));
		EXPECT_NE(NULL, base);
		EXPECT_GE(cases[i].end, (uintptr_t)base + UNIT);
		EXPECT_RESERVED(base, UNIT, base, PAGE_READWRITE);
	}
}

/* Rules: ZB-06 */
TEST_F(region, used_address_conflicts_whatever_the_zero_bits)
{
	PVOID base = self->base;
	SIZE_T size = UNIT;

	EXPECT_STATUS_FAILS(STATUS_CONFLICTING_ADDRESSES,
			    NtAllocateVirtualMemory(SELF, &base, 12,
						    &size, MEM_RESERVE,
						    PAGE_READWRITE));
}

static pthread_barrier_t barrier;

static void *reserve_arena(void *arg)
{
	void *base;

	(void)arg;
	pthread_barrier_wait(&barrier);
	SetLastError(POISON);
	base = VirtualAlloc(ARENA, UNIT, MEM_RESERVE | MEM_COMMIT,
			    PAGE_READWRITE);
	return base ? NULL : (void *)(uintptr_t)GetLastError();
}

/* Rules: XP-05, M-08 */
TEST(one_thread_wins_an_address)
{
	pthread_t threads[4];
	size_t i, round, won;
	void *error;

	ASSERT_EQ(0, pthread_barrier_init(&barrier, NULL, 4));
	for (round = 0; round < (size_t)rounds(alloc_one_address); round++) {
		for (i = 0; i < 4; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL,
						    reserve_arena, NULL));
		for (won = 0, i = 0; i < 4; i++) {
			ASSERT_EQ(0, pthread_join(threads[i], &error));
			won += !error;
			if (error)
				EXPECT_EQ(ERROR_INVALID_ADDRESS,
					  (uintptr_t)error);
		}
		EXPECT_EQ(1, won);
		EXPECT_COMMITTED(ARENA, UNIT, PAGE_READWRITE, ARENA,
				 PAGE_READWRITE);
		ASSERT_TRUE(VirtualFree(ARENA, 0, MEM_RELEASE));
	}
}

/* Rules: VA-21, VA-22, VA-25 */
TEST(address_range_is_as_system_info_says)
{
	SYSTEM_INFO info;
	char *lowest, *highest, *base;

	memset(&info, 0xcc, sizeof(info));
	GetSystemInfo(&info);
	EXPECT_EQ(4096, info.dwPageSize);
	EXPECT_EQ(UNIT, info.dwAllocationGranularity);
	lowest = info.lpMinimumApplicationAddress;
	highest = info.lpMaximumApplicationAddress;
	EXPECT_EQ((char *)0x10000, lowest);
	EXPECT_EQ((char *)USER_HIGHEST, highest);
	EXPECT_LT(0, info.dwNumberOfProcessors);

	base = VirtualAlloc(lowest, 1, MEM_RESERVE | MEM_COMMIT,
			    PAGE_READWRITE);
	ASSERT_EQ(lowest, base);
	EXPECT_COMMITTED(base, PAGE, PAGE_READWRITE, base, PAGE_READWRITE);
	EXPECT_TRUE(try_write(lowest));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: VA-22 */
TEST(last_unit_can_be_reserved)
{
	char *last = (char *)USER_HIGHEST + 1 - UNIT;
	char *base;

	if (count_vmas(last, UNIT))
		SKIP(return, "the stack is there");
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(last, UNIT + 1, MEM_RESERVE,
				  PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(last + UNIT - 1, 2, MEM_RESERVE,
				  PAGE_READWRITE));
	base = VirtualAlloc(last + UNIT - 1, 1, MEM_RESERVE | MEM_COMMIT,
			    PAGE_READWRITE);
	ASSERT_EQ(last, base);
	EXPECT_COMMITTED(base, UNIT, PAGE_READWRITE, base, PAGE_READWRITE);
	EXPECT_TRUE(try_write(base + UNIT - 1));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: VA-04, VA-06, VA-11 */
TEST(unprivileged_user_can_allocate)
{
	DWORD protect = code_is_refused() ? PAGE_READONLY : PAGE_EXECUTE_READ;
	DWORD old = POISON;
	char *base;

	if (!geteuid())
		ASSERT_EQ(0, setuid(65534));
	ASSERT_NE(0, geteuid());
	base = VirtualAlloc(NULL, MIB(2), MEM_RESERVE, PAGE_NOACCESS);
	ASSERT_NE(NULL, base);
	ASSERT_EQ(base, VirtualAlloc(base, UNIT, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_TRUE(try_write(base));
	ASSERT_TRUE(VirtualProtect(base, PAGE, protect, &old));
	EXPECT_FALSE(try_write(base));
	ASSERT_TRUE(VirtualFree(base, PAGE, MEM_DECOMMIT));
	EXPECT_RESERVED(base, PAGE, base, PAGE_NOACCESS);
	EXPECT_COMMITTED(base + PAGE, UNIT - PAGE, PAGE_READWRITE, base,
			 PAGE_NOACCESS);
	ASSERT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	ASSERT_EQ(base, VirtualAlloc(base, UNIT, MEM_RESERVE, PAGE_NOACCESS));
	ASSERT_EQ(ARENA, VirtualAlloc(ARENA, PAGE, MEM_RESERVE | MEM_COMMIT,
				      PAGE_READWRITE));
}

TEST_HARNESS_MAIN
