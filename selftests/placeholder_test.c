// SPDX-License-Identifier: GPL-2.0
/*
 * Placeholders of private memory, and VirtualAlloc2() (rules PH-*, VX-*, AR-*)
 */
#include "kselftest_harness.h"

#include <sys/wait.h>

#include "placeholders.h"
#include "wr_test_util.h"
#include "race.h"

/* ---- what a placeholder is ---- */

/* Rules: PH-01, PH-10 */
TEST_F(placeholder, is_reserved_and_without_access)
{
	DWORD old;

	EXPECT_PLACEHOLDER(self->base, self->size);
	EXPECT_FALSE(try_read(self->base));
	EXPECT_FALSE(try_write(self->base + self->size - 1));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualProtect(self->base, PAGE, PAGE_READWRITE, &old));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualProtect(self->base, self->size, PAGE_NOACCESS,
				    &old));
}

/* Also in a process that has no regions yet. Rules: PH-20 */
TEST(nothing_is_made_one_of_nothing)
{
	struct winregion_release arg = {
		.size = sizeof(arg),
		.flags = WINREGION_RELEASE_COALESCE,
		.address = (uintptr_t)ARENA,
		.length = 2 * UNIT,
	};
	int fd = wr_open();

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, WR_INFO(fd, out_regions));
	EXPECT_EQ(-EBADSLT, wr_ioctl(fd, WINREGION_RELEASE, &arg));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(ARENA, 2 * UNIT));
	close(fd);
}

/* Rules: PH-02 */
TEST(no_other_protection_makes_one)
{
	static const ULONG protections[] = {
		0, PAGE_READONLY, PAGE_READWRITE, PAGE_EXECUTE,
		PAGE_EXECUTE_READWRITE, PAGE_WRITECOPY,
		PAGE_READWRITE | PAGE_GUARD, PAGE_NOACCESS | PAGE_NOCACHE,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(protections); i++)
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     alloc2(NULL, UNIT, MAKE, protections[i]));
}

/* Rules: PH-03 */
TEST_F(placeholder, older_calls_know_of_none)
{
	PVOID base = NULL;
	SIZE_T size = UNIT;

	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(NULL, UNIT, MAKE, PAGE_NOACCESS));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAllocFromApp(NULL, UNIT, MAKE, PAGE_NOACCESS));
	EXPECT_STATUS_FAILS(STATUS_INVALID_PARAMETER,
			    NtAllocateVirtualMemory(SELF, &base, 0, &size, MAKE,
						    PAGE_NOACCESS));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(self->base, self->size, REPLACE,
				  PAGE_READWRITE));
}

/* Rules: PH-04, PH-09 */
TEST_F(placeholder, keeps_its_addresses)
{
	PVOID base = self->base;
	SIZE_T size = self->size;

	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     alloc2(self->base, self->size, MAKE, PAGE_NOACCESS));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     alloc2(self->base, self->size, MEM_RESERVE,
			    PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(self->base, PAGE, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(self->base, self->size, MEM_COMMIT,
				  PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(self->base + PAGE, PAGE, MEM_COMMIT,
				  PAGE_EXECUTE_READ));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     alloc2(self->base, self->size, MEM_COMMIT,
			    PAGE_READWRITE));
	EXPECT_STATUS_FAILS(STATUS_CONFLICTING_ADDRESSES,
			    NtAllocateVirtualMemory(SELF, &base, 0, &size,
						    MEM_COMMIT,
						    PAGE_READWRITE));
	EXPECT_EQ(MAP_FAILED,
		  mmap(self->base + PAGE, PAGE, PROT_READ,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		       0));
	EXPECT_PLACEHOLDER(self->base, self->size);
}

/* Rules: PH-09 */
TEST_F(placeholder, commit_in_a_list_is_refused_as_a_whole)
{
	struct winregion_range ranges[2] = {
		{ .length = PAGE, .protection = WINREGION_READWRITE },
		{ .length = PAGE, .protection = WINREGION_READWRITE },
	};
	struct winregion_change change = {
		.nr_ranges = 2,
		.ranges = (uintptr_t)ranges,
	};
	char *other = VirtualAlloc(NULL, UNIT, MEM_RESERVE, PAGE_READWRITE);

	ASSERT_NE(NULL, other);
	ranges[0].address = (uintptr_t)other;
	ranges[1].address = (uintptr_t)self->base;
	EXPECT_EQ(-EBADSLT, winregion_commit(&change));
	EXPECT_RESERVED(other, UNIT, other, PAGE_READWRITE);
	EXPECT_TRUE(VirtualFree(other, 0, MEM_RELEASE));
}

/* Rules: PH-23, PH-25 */
TEST_F(placeholder, can_be_released)
{
	char *middle = self->base + UNIT / 2;

	ASSERT_TRUE(preserve(middle, PAGE));
	ASSERT_TRUE(VirtualFree(middle, 0, MEM_RELEASE));
	EXPECT_FREE(middle);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, VirtualFree(middle, 0, MEM_RELEASE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, preserve(middle, PAGE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     coalesce(middle, self->base + self->size - middle));
	EXPECT_PLACEHOLDER(self->base, UNIT / 2);
	EXPECT_PLACEHOLDER(middle + PAGE, self->size - UNIT / 2 - PAGE);
	ASSERT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
	ASSERT_TRUE(VirtualFree(middle + PAGE, 0, MEM_RELEASE));
	EXPECT_FREE(self->base);
	EXPECT_FREE(middle + PAGE);
}

/* ---- split ---- */

/* Rules: PH-15, PH-34, RI-05 */
TEST_F(placeholder, is_split_at_any_page)
{
	WIN32_MEMORY_REGION_INFORMATION info;
	size_t odd = 3 * PAGE, rest = self->size - 4 * PAGE;
	char *page = self->base + odd;

	ASSERT_TRUE(preserve(page, PAGE));
	EXPECT_PLACEHOLDER(self->base, odd);
	EXPECT_PLACEHOLDER(page, PAGE);
	EXPECT_PLACEHOLDER(page + PAGE, rest);
	ASSERT_TRUE(preserve(self->base, PAGE));
	EXPECT_PLACEHOLDER(self->base, PAGE);
	EXPECT_PLACEHOLDER(self->base + PAGE, odd - PAGE);
	ASSERT_TRUE(preserve(self->base + self->size - PAGE, PAGE));
	EXPECT_PLACEHOLDER(page + PAGE, rest - PAGE);
	EXPECT_PLACEHOLDER(self->base + self->size - PAGE, PAGE);
	memset(&info, 0xcc, sizeof(info));
	ASSERT_TRUE(QueryVirtualMemoryInformation(SELF, page + 5,
						  MemoryRegionInfo, &info,
						  sizeof(info), NULL));
	EXPECT_EQ(page, (char *)info.AllocationBase);
	EXPECT_EQ(PAGE, info.RegionSize);
	EXPECT_EQ(0, info.CommitSize);
	EXPECT_EQ(PAGE_NOACCESS, info.AllocationProtect);
}

/* Rules: PH-15, PH-26 */
TEST_F(placeholder, range_is_widened_to_pages)
{
	PVOID base = self->base + PAGE + 1;
	SIZE_T size = PAGE;

	EXPECT_STATUS(STATUS_SUCCESS,
		      NtFreeVirtualMemory(SELF, &base, &size, PRESERVE));
	EXPECT_EQ(self->base + PAGE, (char *)base);
	EXPECT_EQ(2 * PAGE, size);
	EXPECT_PLACEHOLDER(self->base + PAGE, 2 * PAGE);
}

/* Rules: PH-13, PH-16, PH-17, PH-21, PH-22, PH-24 */
TEST_F(placeholder, bad_splits_are_refused)
{
	static const DWORD types[] = {
		MEM_PRESERVE_PLACEHOLDER, MEM_COALESCE_PLACEHOLDERS,
		MEM_DECOMMIT | MEM_PRESERVE_PLACEHOLDER,
		MEM_DECOMMIT | MEM_COALESCE_PLACEHOLDERS,
		PRESERVE | MEM_COALESCE_PLACEHOLDERS,
		PRESERVE | MEM_DECOMMIT, PRESERVE | 4,
	};
	PVOID base = self->base;
	SIZE_T size = 0;
	size_t i;

	EXPECT_FAILS(ERROR_INVALID_ADDRESS, preserve(self->base, self->size));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, preserve(self->base, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, coalesce(self->base, 0));
	EXPECT_STATUS_FAILS(STATUS_INVALID_PARAMETER_3,
			    NtFreeVirtualMemory(SELF, &base, &size, PRESERVE));
	EXPECT_STATUS_FAILS(STATUS_INVALID_PARAMETER_3,
			    NtFreeVirtualMemory(SELF, &base, &size, COALESCE));
	for (i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualFree(self->base, PAGE, types[i]));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     preserve(self->base + PAGE, self->size));
	ASSERT_TRUE(preserve(self->base, 2 * PAGE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     preserve(self->base + PAGE, 2 * PAGE));
	size = self->size;
	EXPECT_STATUS_FAILS(STATUS_UNABLE_TO_FREE_VM,
			    NtFreeVirtualMemory(SELF, &base, &size,
						MEM_RELEASE));
	EXPECT_EQ(self->base, (char *)base);
	EXPECT_EQ(self->size, size);
}

/* Rules: NF-07 */
TEST_F(placeholder, part_that_is_released_leaves_placeholders)
{
	PVOID base = self->base + 4 * PAGE;
	SIZE_T size = 4 * PAGE;

	EXPECT_STATUS(STATUS_SUCCESS,
		      NtFreeVirtualMemory(SELF, &base, &size, MEM_RELEASE));
	EXPECT_FREE(base);
	EXPECT_PLACEHOLDER(self->base, 4 * PAGE);
	EXPECT_PLACEHOLDER(self->base + 8 * PAGE, self->size - 8 * PAGE);
	base = self->base;
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtFreeVirtualMemory(SELF, &base, &size, MEM_RELEASE));
	EXPECT_FREE(self->base);
	base = self->base + 8 * PAGE;
	EXPECT_EQ((char *)base, alloc2(base, self->size - 8 * PAGE, REPLACE,
				       PAGE_READWRITE));
}

/* ---- coalesce ---- */

/* Rules: PH-18 */
TEST_F(placeholder, pieces_become_one_again)
{
	ASSERT_TRUE(preserve(self->base + PAGE, 2 * PAGE));
	ASSERT_TRUE(coalesce(self->base, 3 * PAGE));
	EXPECT_PLACEHOLDER(self->base, 3 * PAGE);
	EXPECT_PLACEHOLDER(self->base + 3 * PAGE, self->size - 3 * PAGE);
	ASSERT_TRUE(preserve(self->base + 5 * PAGE, PAGE));
	ASSERT_TRUE(coalesce(self->base, self->size));
	EXPECT_PLACEHOLDER(self->base, self->size);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, self->size));
}

/* Rules: PH-18 */
TEST_F(placeholder, every_page_of_one_can_be_a_piece)
{
	size_t i, pages = UNIT / PAGE;

	for (i = 0; i + 1 < pages; i++)
		ASSERT_TRUE(preserve(self->base + i * PAGE, PAGE) ||
			    self->size == (i + 2) * PAGE);
	for (i = 0; i + 1 < pages; i++)
		EXPECT_PLACEHOLDER(self->base + i * PAGE, PAGE);
	ASSERT_TRUE(coalesce(self->base, self->size));
	EXPECT_PLACEHOLDER(self->base, self->size);
}

/* Rules: PH-19 */
TEST_F(placeholder, bad_ranges_are_not_coalesced)
{
	char *end = self->base + self->size;

	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, self->size));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, PAGE));
	ASSERT_TRUE(preserve(self->base, 4 * PAGE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, 4 * PAGE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, 5 * PAGE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     coalesce(self->base, self->size - PAGE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     coalesce(self->base + PAGE, self->size - PAGE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     coalesce(self->base, self->size + PAGE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(end, PAGE));
	EXPECT_TRUE(coalesce(self->base, self->size));
}

/* Rules: PH-20 */
TEST_F(placeholder, what_is_none_is_not_coalesced)
{
	char *middle = self->base + 4 * PAGE;

	ASSERT_TRUE(preserve(middle, 4 * PAGE));
	ASSERT_EQ(middle, alloc2(middle, 4 * PAGE, REPLACE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, self->size));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, 8 * PAGE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     coalesce(middle, self->size - 4 * PAGE));
	ASSERT_TRUE(VirtualFree(middle, 0, MEM_RELEASE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, self->size));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, 8 * PAGE));
}

/* ---- replace ---- */

/* Rules: PH-05, PH-30 */
TEST_F(placeholder, is_replaced_by_memory)
{
	char *piece = self->base + 4 * PAGE;

	ASSERT_TRUE(preserve(piece, 4 * PAGE));
	ASSERT_EQ(piece, alloc2(piece, 4 * PAGE, REPLACE_NOW, PAGE_READWRITE));
	EXPECT_COMMITTED(piece, 4 * PAGE, PAGE_READWRITE, piece,
			 PAGE_READWRITE);
	EXPECT_TRUE(is_zero(piece, 4 * PAGE));
	fill(piece, 4 * PAGE);
	EXPECT_TRUE(is_filled(piece, 4 * PAGE));
	EXPECT_PLACEHOLDER(self->base, 4 * PAGE);
	EXPECT_PLACEHOLDER(piece + 4 * PAGE, self->size - 8 * PAGE);
	ASSERT_EQ(self->base,
		  alloc2(self->base, 4 * PAGE, REPLACE_NOW, PAGE_READONLY));
	EXPECT_COMMITTED(self->base, 4 * PAGE, PAGE_READONLY, self->base,
			 PAGE_READONLY);
	EXPECT_FALSE(try_write(self->base));
}

/* Rules: PH-05 */
TEST_F(placeholder, is_replaced_by_code)
{
	NEEDS_CODE();
	ASSERT_EQ(self->base, alloc2(self->base, self->size, REPLACE_NOW,
				     PAGE_EXECUTE_READWRITE));
	EXPECT_COMMITTED(self->base, self->size, PAGE_EXECUTE_READWRITE,
			 self->base, PAGE_EXECUTE_READWRITE);
	ASSERT_TRUE(preserve(self->base, self->size));
	EXPECT_PLACEHOLDER(self->base, self->size);
	ASSERT_EQ(self->base, alloc2(self->base, self->size, REPLACE_NOW,
				     PAGE_READWRITE | PAGE_GUARD));
	EXPECT_FALSE(try_read(self->base));
	EXPECT_TRUE(try_read(self->base));
}

/* Rules: PH-33 */
TEST_F(placeholder, what_replaces_it_can_be_committed_later)
{
	ASSERT_EQ(self->base,
		  alloc2(self->base, self->size, REPLACE, PAGE_READONLY));
	EXPECT_RESERVED(self->base, self->size, self->base, PAGE_READONLY);
	ASSERT_EQ(self->base + PAGE,
		  VirtualAlloc(self->base + PAGE, PAGE, MEM_COMMIT,
			       PAGE_READWRITE));
	EXPECT_COMMITTED(self->base + PAGE, PAGE, PAGE_READWRITE, self->base,
			 PAGE_READONLY);
	EXPECT_TRUE(is_zero(self->base + PAGE, PAGE));
	ASSERT_TRUE(VirtualFree(self->base + PAGE, PAGE, MEM_DECOMMIT));
	EXPECT_RESERVED(self->base, self->size, self->base, PAGE_READONLY);
}

/* Rules: PH-06 */
TEST_F(placeholder, another_range_does_not_replace_it)
{
	static const ULONG types[] = { REPLACE, REPLACE_NOW };
	char *middle = self->base + 4 * PAGE;
	size_t i;

	ASSERT_TRUE(preserve(middle, 4 * PAGE));
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     alloc2(middle, 3 * PAGE, types[i],
				    PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     alloc2(middle, 5 * PAGE, types[i],
				    PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     alloc2(middle + PAGE, 3 * PAGE, types[i],
				    PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     alloc2(middle + PAGE, 4 * PAGE, types[i],
				    PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     alloc2(self->base, self->size, types[i],
				    PAGE_READWRITE));
	}
}

/* Rules: PH-07, PH-12 */
TEST(what_is_no_placeholder_is_not_replaced)
{
	static const ULONG types[] = { REPLACE, REPLACE_NOW };
	char *base;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     alloc2(ARENA, UNIT, types[i], PAGE_READWRITE));
	base = VirtualAlloc(NULL, UNIT, MEM_RESERVE, PAGE_NOACCESS);
	ASSERT_NE(NULL, base);
	for (i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     alloc2(base, UNIT, types[i], PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, preserve(base, UNIT));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, preserve(base, PAGE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(base, UNIT));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: PH-08 */
TEST_F(placeholder, types_that_do_not_go_together_are_refused)
{
	static const ULONG types[] = {
		MEM_REPLACE_PLACEHOLDER, MEM_REPLACE_PLACEHOLDER | MEM_COMMIT,
		MEM_RESERVE_PLACEHOLDER, MEM_RESERVE_PLACEHOLDER | MEM_COMMIT,
		MAKE | MEM_COMMIT, MAKE | MEM_REPLACE_PLACEHOLDER, MAKE | 1,
		REPLACE | 1, REPLACE | MEM_RESERVE_PLACEHOLDER,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     alloc2(self->base, self->size, types[i],
				    PAGE_NOACCESS));
	/* Nowhere is no place to replace something. */
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(NULL, UNIT, REPLACE, PAGE_READWRITE));
}

/* Rules: VX-09, VX-10 */
TEST_F(placeholder, bad_arguments_do_not_replace_it)
{
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(self->base + 1, self->size, REPLACE,
			    PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(self->base, self->size - 1, REPLACE,
			    PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(self->base, 0, REPLACE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(self->base, self->size, REPLACE, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(self->base, self->size, REPLACE_NOW,
			    PAGE_WRITECOPY));
}

/* Rules: PH-05, M-11 */
TEST(replacement_without_charge_leaves_the_placeholder)
{
	char *base = alloc2(NULL, TIB(8), MAKE, PAGE_NOACCESS);

	ASSERT_NE(NULL, base);
	EXPECT_FAILS(ERROR_COMMITMENT_LIMIT,
		     alloc2(base, TIB(8), REPLACE_NOW, PAGE_READWRITE));
	EXPECT_PLACEHOLDER(base, TIB(8));
	EXPECT_EQ(base, alloc2(base, TIB(8), REPLACE, PAGE_READWRITE));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* ---- and back ---- */

/* Rules: PH-11, PH-32 */
TEST_F(placeholder, comes_back_without_contents)
{
	unsigned int round;

	for (round = 0; round < 3; round++) {
		ASSERT_EQ(self->base, alloc2(self->base, self->size,
					     REPLACE_NOW, PAGE_READWRITE));
		EXPECT_TRUE(is_zero(self->base, self->size));
		fill(self->base, self->size);
		ASSERT_TRUE(preserve(self->base, self->size));
		EXPECT_PLACEHOLDER(self->base, self->size);
		EXPECT_FALSE(try_read(self->base));
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualAlloc(self->base, PAGE, MEM_COMMIT,
					  PAGE_READWRITE));
	}
}

/* Rules: PH-14 */
TEST_F(placeholder, comes_back_in_a_part)
{
	char *middle = self->base + 4 * PAGE, *behind = middle + 4 * PAGE;
	size_t rest = self->size - 8 * PAGE;

	ASSERT_EQ(self->base, alloc2(self->base, self->size, REPLACE_NOW,
				     PAGE_READWRITE));
	fill(self->base, self->size);
	ASSERT_TRUE(preserve(middle, 4 * PAGE));
	EXPECT_PLACEHOLDER(middle, 4 * PAGE);
	EXPECT_COMMITTED(self->base, 4 * PAGE, PAGE_READWRITE, self->base,
			 PAGE_READWRITE);
	EXPECT_COMMITTED(behind, rest, PAGE_READWRITE, behind, PAGE_READWRITE);
	EXPECT_TRUE(is_filled(self->base, 4 * PAGE));
	EXPECT_TRUE(is_filled(behind, rest));
	/* What is left has replaced one, too. */
	ASSERT_TRUE(preserve(self->base, PAGE));
	EXPECT_TRUE(is_filled(self->base + PAGE, 3 * PAGE));
	ASSERT_TRUE(preserve(self->base + PAGE, 3 * PAGE));
	ASSERT_TRUE(preserve(behind, rest));
	ASSERT_TRUE(coalesce(self->base, self->size));
	EXPECT_PLACEHOLDER(self->base, self->size);
}

/* Rules: PH-29 */
TEST_F(placeholder, does_not_come_back_by_a_plain_release)
{
	char *piece = self->base + 4 * PAGE;
	PVOID base = piece;
	SIZE_T size = 4 * PAGE;

	ASSERT_TRUE(preserve(piece, 4 * PAGE));
	ASSERT_EQ(piece, alloc2(piece, 4 * PAGE, REPLACE_NOW, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(piece, 4 * PAGE, MEM_RELEASE));
	ASSERT_TRUE(VirtualFree(piece, 0, MEM_RELEASE));
	EXPECT_FREE(piece);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, self->size));
	EXPECT_STATUS_FAILS(STATUS_MEMORY_NOT_ALLOCATED,
			    NtFreeVirtualMemory(SELF, &base, &size, PRESERVE));
	EXPECT_STATUS_FAILS(STATUS_MEMORY_NOT_ALLOCATED,
			    NtFreeVirtualMemory(SELF, &base, &size,
						MEM_RELEASE));
}

/* Rules: PH-11, PH-32 */
TEST_F(placeholder, has_no_charge)
{
	struct winregion_get_info before = {}, after = {};

	ASSERT_EQ(0, winregion_get_info(&before));
	ASSERT_EQ(self->base, alloc2(self->base, self->size, REPLACE_NOW,
				     PAGE_READWRITE));
	ASSERT_EQ(0, winregion_get_info(&after));
	EXPECT_EQ(before.out_committed + self->size, after.out_committed);
	ASSERT_TRUE(preserve(self->base + PAGE, self->size - PAGE));
	ASSERT_EQ(0, winregion_get_info(&after));
	EXPECT_EQ(before.out_committed + PAGE, after.out_committed);
	EXPECT_EQ(before.out_regions + 1, after.out_regions);
	ASSERT_TRUE(preserve(self->base, PAGE));
	ASSERT_TRUE(coalesce(self->base, self->size));
	ASSERT_EQ(0, winregion_get_info(&after));
	EXPECT_EQ(before.out_committed, after.out_committed);
	EXPECT_EQ(before.out_regions, after.out_regions);
}

/* ---- the ioctls ---- */

/* Rules: PH-01 to PH-08, PH-13, PH-21 */
TEST_F(placeholder, ioctls_refuse_what_is_invalid)
{
	struct winregion_reserve reserve = {
		.flags = WINREGION_RESERVE_PLACEHOLDER,
		.protection = WINREGION_READWRITE,
		.length = PAGE,
	};
	struct winregion_release release = {
		.flags = WINREGION_RELEASE_PRESERVE |
			 WINREGION_RELEASE_COALESCE,
		.address = (uintptr_t)self->base,
		.length = PAGE,
	};

	EXPECT_EQ(-EDOM, winregion_reserve(&reserve));
	reserve.protection = WINREGION_NOACCESS;
	reserve.flags |= WINREGION_RESERVE_COMMIT;
	EXPECT_EQ(-EINVAL, winregion_reserve(&reserve));
	reserve.flags = WINREGION_RESERVE_PLACEHOLDER |
			WINREGION_RESERVE_REPLACE;
	EXPECT_EQ(-EINVAL, winregion_reserve(&reserve));
	reserve.flags = WINREGION_RESERVE_REPLACE;
	EXPECT_EQ(-EINVAL, winregion_reserve(&reserve));
	reserve.address = (uintptr_t)self->base;
	reserve.lowest = UNIT;
	EXPECT_EQ(-EINVAL, winregion_reserve(&reserve));
	reserve.lowest = 0;
	EXPECT_EQ(-EBADSLT, winregion_reserve(&reserve));
	EXPECT_EQ(-EINVAL, winregion_release(&release));
	release.flags = 4;
	EXPECT_EQ(-EOPNOTSUPP, winregion_release(&release));
	release.flags = WINREGION_RELEASE_PRESERVE;
	release.length = 0;
	EXPECT_EQ(-EOVERFLOW, winregion_release(&release));
	release.flags = WINREGION_RELEASE_COALESCE;
	EXPECT_EQ(-EOVERFLOW, winregion_release(&release));
	EXPECT_PLACEHOLDER(self->base, self->size);
}

/* Rules: PH-05, M-11 */
TEST_F(placeholder, replacement_that_cannot_be_told_is_undone)
{
	struct winregion_reserve *reserve;
	int fd;

	reserve = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)reserve);
	*reserve = (struct winregion_reserve){
		.size = sizeof(*reserve),
		.flags = WINREGION_RESERVE_REPLACE | WINREGION_RESERVE_COMMIT,
		.protection = WINREGION_READWRITE,
		.address = (uintptr_t)self->base,
		.length = self->size,
	};
	ASSERT_EQ(0, mprotect(reserve, PAGE, PROT_READ));
	fd = wr_open();
	EXPECT_EQ(-1, ioctl(fd, WINREGION_RESERVE, reserve));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_PLACEHOLDER(self->base, self->size);
	EXPECT_EQ(self->base, alloc2(self->base, self->size, REPLACE,
				     PAGE_READWRITE));
	munmap(reserve, PAGE);
	close(fd);
}

/* ---- fork ---- */

static int use_in_child(char *base, char *replaced)
{
	if (!is_filled(replaced, 4 * PAGE))
		return 1;
	if (VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE))
		return 2;
	if (!preserve(replaced, 4 * PAGE))
		return 3;
	if (!coalesce(base, 8 * PAGE))
		return 4;
	if (alloc2(base, 8 * PAGE, REPLACE_NOW, PAGE_READWRITE) != base)
		return 5;
	return is_zero(base, 8 * PAGE) ? 0 : 6;
}

/* Rules: PH-11, PH-18 */
TEST_F(placeholder, child_has_the_same)
{
	char *replaced = self->base + 4 * PAGE;
	int status;
	pid_t pid;

	ASSERT_TRUE(preserve(replaced, 4 * PAGE));
	ASSERT_EQ(replaced, alloc2(replaced, 4 * PAGE, REPLACE_NOW,
				   PAGE_READWRITE));
	fill(replaced, 4 * PAGE);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(use_in_child(self->base, replaced));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(is_filled(replaced, 4 * PAGE));
	EXPECT_PLACEHOLDER(self->base, 4 * PAGE);
	EXPECT_TRUE(preserve(replaced, 4 * PAGE));
}

/* ---- races ---- */

#define PIECES 8
#define PIECE (2 * PAGE)

struct stage {
	char *base;
	struct crew crew;
	volatile uint64_t wrong;
	volatile uint64_t next;
};

/* Splits off a piece of its own, uses it, and gives it back. */
static void *user(void *arg)
{
	struct stage *stage = arg;
	uint64_t number = __atomic_fetch_add(&stage->next, 1, __ATOMIC_SEQ_CST);
	char *piece = stage->base + number * PIECE;
	unsigned long round;

	for (round = 0; crew_goes_on(&stage->crew); round++) {
		preserve(piece, PIECE);
		if (alloc2(piece, PIECE, round & 1 ? REPLACE_NOW : REPLACE,
			   PAGE_READWRITE) != piece)
			continue;
		if (!(round & 1) &&
		    VirtualAlloc(piece, PIECE, MEM_COMMIT, PAGE_READWRITE) !=
			    piece)
			race_add(&stage->wrong, 1);
		if (!is_zero(piece, PIECE))
			race_add(&stage->wrong, 1);
		fill(piece, PIECE);
		if (!is_filled(piece, PIECE))
			race_add(&stage->wrong, 1);
		if (!preserve(piece, PIECE))
			race_add(&stage->wrong, 1);
	}
	return NULL;
}

/* Makes one of all whenever nobody uses a piece. */
static void *joiner(void *arg)
{
	struct stage *stage = arg;
	unsigned int i;

	while (crew_goes_on(&stage->crew))
		for (i = 0; i < PIECES - 1; i++)
			coalesce(stage->base + i * PIECE, 2 * PIECE);
	return NULL;
}

/* Wants some of it for itself. */
static void *intruder(void *arg)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
	struct stage *stage = arg;
	MEMORY_BASIC_INFORMATION mbi;
	uint64_t random = 77;
	char *at;

	while (crew_goes_on(&stage->crew)) {
		at = stage->base +
		     race_random(&random, PIECES * PIECE / PAGE) * PAGE;
		if (mmap(at, PAGE, PROT_READ, flags, -1, 0) != MAP_FAILED ||
		    VirtualAlloc(at, PAGE, MEM_RESERVE, PAGE_READONLY) ||
		    !VirtualQuery(at, &mbi, sizeof(mbi)) ||
		    mbi.State == MEM_FREE)
			race_add(&stage->wrong, 1);
	}
	return NULL;
}

/* Rules: PH-05, PH-11, PH-15, PH-18 */
TEST_F_TIMEOUT(placeholder, nobody_gets_between, 300)
{
	struct stage stage = { .base = self->base };
	long rounds = race_rounds(60);
	int status;
	pid_t pid;

	crew_add(&stage.crew, user, &stage);
	crew_add(&stage.crew, user, &stage);
	crew_add(&stage.crew, user, &stage);
	crew_add(&stage.crew, joiner, &stage);
	crew_add(&stage.crew, intruder, &stage);
	while (rounds--) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(look_for_holes(self->base, PIECES * PIECE));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
	crew_stop(&stage.crew);
	EXPECT_EQ(0, stage.wrong);
	coalesce(self->base, PIECES * PIECE);
}

/* ---- VirtualAlloc2() ---- */

/* Rules: VX-01, VX-11 */
TEST(alloc2_does_what_virtual_alloc_does)
{
	PVOID nt = NULL;
	SIZE_T size = UNIT;
	char *base;

	base = alloc2(NULL, UNIT, MEM_RESERVE, PAGE_READWRITE);
	ASSERT_NE(NULL, base);
	EXPECT_RESERVED(base, UNIT, base, PAGE_READWRITE);
	EXPECT_EQ(base + PAGE, alloc2(base + PAGE, PAGE, MEM_COMMIT,
				      PAGE_READONLY));
	EXPECT_COMMITTED(base + PAGE, PAGE, PAGE_READONLY, base,
			 PAGE_READWRITE);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	base = VirtualAlloc2FromApp(SELF, ARENA, 2 * PAGE,
				    MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE,
				    NULL, 0);
	EXPECT_EQ(ARENA, base);
	EXPECT_COMMITTED(ARENA, 2 * PAGE, PAGE_READWRITE, ARENA,
			 PAGE_READWRITE);
	EXPECT_TRUE(VirtualFree(ARENA, 0, MEM_RELEASE));
	base = alloc2(NULL, PAGE, MEM_COMMIT | MEM_TOP_DOWN, PAGE_READWRITE);
	ASSERT_NE(NULL, base);
	EXPECT_COMMITTED(base, PAGE, PAGE_READWRITE, base, PAGE_READWRITE);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	/* Only the call above takes no process for this one. */
	EXPECT_STATUS_FAILS(STATUS_INVALID_HANDLE,
			    NtAllocateVirtualMemoryEx(NULL, &nt, &size,
						      MEM_RESERVE,
						      PAGE_READWRITE, NULL, 0));
	/* It rounds, as the older one. */
	nt = ARENA + 5;
	size = 1;
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtAllocateVirtualMemoryEx(SELF, &nt, &size, MEM_RESERVE,
						PAGE_READWRITE, NULL, 0));
	EXPECT_EQ(ARENA, (char *)nt);
	EXPECT_EQ(PAGE, size);
	EXPECT_TRUE(VirtualFree(ARENA, 0, MEM_RELEASE));
}

/* Rules: VX-01 */
TEST(names_for_apps_do_the_same)
{
	ULONG old = 0;
	char *base;

	base = VirtualAllocFromApp(NULL, PAGE, MEM_RESERVE | MEM_COMMIT,
				   PAGE_READWRITE);
	ASSERT_NE(NULL, base);
	EXPECT_TRUE(VirtualProtectFromApp(base, PAGE, PAGE_READONLY, &old));
	EXPECT_EQ(PAGE_READWRITE, old);
	EXPECT_COMMITTED(base, PAGE, PAGE_READONLY, base, PAGE_READWRITE);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: VX-09, VX-10 */
TEST(alloc2_wants_exact_numbers)
{
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(ARENA + PAGE, PAGE, MEM_RESERVE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(ARENA + 1, PAGE, MEM_RESERVE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(NULL, PAGE + 1, MEM_RESERVE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(NULL, 0, MEM_RESERVE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2((char *)PAGE, PAGE, MEM_RESERVE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(NULL, PAGE, MEM_RESERVE, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(NULL, PAGE, MEM_RESERVE, PAGE_WRITECOPY));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc2(NULL, PAGE, 0, PAGE_READWRITE));
}

/* By a list of parameters, in this process. */
static char *alloc_by(char *address, size_t size, ULONG type,
		      MEM_EXTENDED_PARAMETER *list, ULONG count)
{
	return VirtualAlloc2(NULL, address, size, type, PAGE_READWRITE, list,
			     count);
}

/* Rules: VX-02, VX-03, VX-04, VX-06, VX-07 */
TEST(bad_lists_are_refused)
{
	MEM_ADDRESS_REQUIREMENTS none = {};
	MEM_EXTENDED_PARAMETER list[2] = {};

	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc_by(NULL, UNIT, MEM_RESERVE, NULL, 1));
	list[0].Type = 0;
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc_by(NULL, UNIT, MEM_RESERVE, list, 1));
	list[0].Type = MemExtendedParameterMax;
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc_by(NULL, UNIT, MEM_RESERVE, list, 1));
	list[0].Type = MemExtendedParameterAddressRequirements;
	list[0].Pointer = &none;
	list[1] = list[0];
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc_by(NULL, UNIT, MEM_RESERVE, list, 2));
	list[0].Pointer = NULL;
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc_by(NULL, UNIT, MEM_RESERVE, list, 1));
	list[0].Type = MemExtendedParameterAttributeFlags;
	list[0].ULong64 = MEM_EXTENDED_PARAMETER_EC_CODE;
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     alloc_by(NULL, UNIT, MEM_RESERVE, list, 1));
	list[0].Type = MemExtendedParameterImageMachine;
	EXPECT_FAILS(ERROR_NOT_SUPPORTED,
		     alloc_by(NULL, UNIT, MEM_RESERVE, list, 1));
}

/* Rules: VX-02, VX-04 */
TEST(lists_that_are_not_there)
{
	MEM_EXTENDED_PARAMETER good = {
		.Type = MemExtendedParameterAttributeFlags,
	}, *last;
	char *pages = mmap(NULL, PAGES(2), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, pages);
	ASSERT_EQ(0, mprotect(pages + PAGES(1), PAGES(1), PROT_NONE));
	last = (MEM_EXTENDED_PARAMETER *)(pages + PAGES(1)) - 1;
	*last = good;
	EXPECT_FAILS(ERROR_NOACCESS,
		     alloc_by(NULL, UNIT, MEM_RESERVE, (void *)16, 1));
	EXPECT_FAILS(ERROR_NOACCESS,
		     alloc_by(NULL, UNIT, MEM_RESERVE, last, 2));
	EXPECT_FAILS(ERROR_NOACCESS,
		     alloc_by(NULL, UNIT, MEM_RESERVE, last, ~0U));
	last->Type = MemExtendedParameterAddressRequirements;
	last->Pointer = pages + PAGES(1);
	EXPECT_FAILS(ERROR_NOACCESS,
		     alloc_by(NULL, UNIT, MEM_RESERVE, last, 1));
	last->Pointer = pages + PAGES(1) - 8;
	EXPECT_FAILS(ERROR_NOACCESS,
		     alloc_by(NULL, UNIT, MEM_RESERVE, last, 1));
	EXPECT_FAILS(ERROR_NOACCESS,
		     MapViewOfFile3((HANDLE)1, NULL, NULL, 0, 0, 0,
				    PAGE_READONLY, (void *)16, 1));
	munmap(pages, PAGES(2));
}

/* Rules: VX-05, VX-11, AR-01 */
TEST(empty_lists_change_nothing)
{
	MEM_ADDRESS_REQUIREMENTS none = {};
	MEM_EXTENDED_PARAMETER list[2] = {
		{ .Type = MemExtendedParameterAttributeFlags },
		{ .Type = MemExtendedParameterAddressRequirements },
	};
	char *base;

	list[1].Pointer = &none;
	base = alloc_by(NULL, UNIT, MEM_RESERVE, list, 2);
	EXPECT_NE(NULL, base);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	EXPECT_EQ(ARENA, alloc_by(ARENA, UNIT, MEM_RESERVE, list, 2));
	EXPECT_EQ(ARENA + PAGE,
		  alloc_by(ARENA + PAGE, PAGE, MEM_COMMIT, list, 2));
	EXPECT_TRUE(VirtualFree(ARENA, 0, MEM_RELEASE));
	/* The list is not looked at if there is nothing in it. */
	list[0].Type = 0;
	base = alloc_by(NULL, UNIT, MEM_RESERVE, list, 0);
	EXPECT_NE(NULL, base);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Reserve with these requirements. */
static char *alloc_within(char *address, size_t size, ULONG type, uintptr_t lowest,
			  uintptr_t highest, size_t alignment)
{
	MEM_ADDRESS_REQUIREMENTS requirements = {
		.LowestStartingAddress = (PVOID)lowest,
		.HighestEndingAddress = (PVOID)highest,
		.Alignment = alignment,
	};
	MEM_EXTENDED_PARAMETER parameter = {
		.Type = MemExtendedParameterAddressRequirements,
	};

	parameter.Pointer = &requirements;
	return alloc_by(address, size, type, &parameter, 1);
}

/* Rules: AR-02, AR-07, AR-11 */
TEST(requirements_are_met)
{
	const uintptr_t low = (uintptr_t)ARENA, high = low + GIB(1);
	char *base;

	base = alloc_within(NULL, UNIT, MEM_RESERVE | MEM_COMMIT, 0, 0x7fffffff,
			    0);
	ASSERT_NE(NULL, base);
	EXPECT_LE((uintptr_t)base + UNIT - 1, 0x7fffffff);
	EXPECT_EQ(0, (uintptr_t)base % UNIT);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	base = alloc_within(NULL, MIB(2), MEM_RESERVE, low, high - 1, MIB(16));
	ASSERT_NE(NULL, base);
	EXPECT_GE((uintptr_t)base, low);
	EXPECT_LE((uintptr_t)base + MIB(2), high);
	EXPECT_EQ(0, (uintptr_t)base % MIB(16));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	base = alloc_within(NULL, UNIT, MEM_RESERVE | MEM_TOP_DOWN, low,
			    high - 1, 0);
	EXPECT_EQ(high - UNIT, (uintptr_t)base);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	/* So are those of a placeholder. */
	base = alloc_within(NULL, UNIT, MAKE, low, high - 1, MIB(1));
	EXPECT_EQ(NULL, base); /* it has PAGE_READWRITE */
}

/* Rules: AR-03 to AR-10 */
TEST(bad_requirements_are_refused)
{
	const uintptr_t low = (uintptr_t)ARENA;
	SYSTEM_INFO info;
	uintptr_t max;

	GetSystemInfo(&info);
	max = (uintptr_t)info.lpMaximumApplicationAddress;
#define REFUSED(error, address, type, ...)				\
	EXPECT_FAILS(error, alloc_within(address, UNIT, type, __VA_ARGS__))
	REFUSED(ERROR_INVALID_PARAMETER, NULL, MEM_RESERVE, 0, 0x20001001, 0);
	REFUSED(ERROR_INVALID_PARAMETER, NULL, MEM_RESERVE, 0, 0x20000ffe, 0);
	REFUSED(ERROR_INVALID_PARAMETER, NULL, MEM_RESERVE, 0, 0x200007ff, 0);
	REFUSED(ERROR_INVALID_PARAMETER, NULL, MEM_RESERVE, 0, max + PAGE, 0);
	REFUSED(ERROR_INVALID_PARAMETER, NULL, MEM_RESERVE, 0x20001000, 0, 0);
	REFUSED(ERROR_INVALID_PARAMETER, NULL, MEM_RESERVE, 0x20000fff, 0, 0);
	REFUSED(ERROR_INVALID_PARAMETER, NULL, MEM_RESERVE, max + 1, 0, 0);
	REFUSED(ERROR_INVALID_PARAMETER, NULL, MEM_RESERVE, low + UNIT, low - 1,
		0);
	REFUSED(ERROR_INVALID_PARAMETER, NULL, MEM_RESERVE, 0, 0, 0x8000);
	REFUSED(ERROR_INVALID_PARAMETER, NULL, MEM_RESERVE, 0, 0, 0x30000);
	/* Rule AR-08 */
	REFUSED(ERROR_NOT_ENOUGH_MEMORY, NULL, MEM_RESERVE, low,
		low + UNIT / 2 - 1, 0);
	/* Rule AR-09 */
	REFUSED(ERROR_INVALID_PARAMETER, ARENA, MEM_RESERVE, low, 0, 0);
	REFUSED(ERROR_INVALID_PARAMETER, ARENA, MEM_RESERVE, 0, low + GIB(1) - 1,
		0);
	REFUSED(ERROR_INVALID_PARAMETER, ARENA, MEM_RESERVE, 0, 0, UNIT);
	/* Rule AR-10 */
	REFUSED(ERROR_INVALID_PARAMETER, NULL, MEM_COMMIT, 0, low + GIB(1) - 1,
		0);
	REFUSED(ERROR_INVALID_PARAMETER, ARENA, MEM_COMMIT, 0, 0, UNIT);
#undef REFUSED
}

TEST_HARNESS_MAIN
