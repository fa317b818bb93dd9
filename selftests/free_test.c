// SPDX-License-Identifier: GPL-2.0
/*
 * VirtualFree (rules VF-*) and what only NtFreeVirtualMemory can do: release a
 * part of an allocation (rules NF-*).
 */
#include "kselftest_harness.h"

#include "region_fixture.h"

/* A region that has pages of every kind; the fixture reserved it. */
#define MIX_STATES() do {						\
	COMMIT(0, 4 * PAGE, PAGE_READWRITE);				\
	fill(self->base, 4 * PAGE);					\
	COMMIT(PAGE, PAGE, PAGE_READONLY);				\
	COMMIT(2 * PAGE, PAGE, PAGE_NOACCESS);				\
	COMMIT(8 * PAGE, PAGE,						\
	       code_is_refused() ? PAGE_READONLY : PAGE_EXECUTE_READ);	\
	COMMIT(self->size - PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD);	\
} while (0)

/* The test has released the region: give the teardown another. */
#define RESERVE_AGAIN()							\
	ASSERT_EQ(self->base, VirtualAlloc(self->base, self->size,	\
					   MEM_RESERVE, PAGE_READWRITE))

/* Rules: VF-01 */
TEST_F(region, type_zero_is_refused)
{
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, VirtualFree(self->base, 0, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(self->base, PAGE, 0));
}

/* Rules: VF-02 */
TEST_F(region, type_free_is_refused)
{
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(self->base, 0, MEM_FREE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(self->base, PAGE, MEM_FREE));
}

/* Rules: VF-03 */
TEST_F(region, mixed_types_are_refused)
{
	static const DWORD types[] = {
		MEM_RELEASE | MEM_DECOMMIT,
		MEM_RELEASE | MEM_FREE,
		MEM_DECOMMIT | MEM_FREE,
		MEM_RELEASE | MEM_RESERVE,
		MEM_DECOMMIT | MEM_COMMIT,
		MEM_DECOMMIT | MEM_COALESCE_PLACEHOLDERS,
		MEM_DECOMMIT | MEM_PRESERVE_PLACEHOLDER,
		0xffffffff,
	};
	size_t i;

	MIX_STATES();
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualFree(self->base, 0, types[i]));
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualFree(self->base, PAGE, types[i]));
	}
}

/* Rules: VF-04 */
TEST_F(region, release_with_a_size_is_refused)
{
	MIX_STATES();
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(self->base, 1, MEM_RELEASE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(self->base, PAGE, MEM_RELEASE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(self->base, self->size, MEM_RELEASE));
	EXPECT_TRUE(is_filled(self->base, PAGE));
}

/* Rules: VF-05 */
TEST_F(region, release_takes_any_mixture)
{
	MIX_STATES();
	ASSERT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
	EXPECT_FREE(self->base);
	EXPECT_FREE(self->base + 2 * PAGE);
	EXPECT_FREE(self->base + 8 * PAGE);
	EXPECT_FREE(self->base + self->size - 1);
	EXPECT_FALSE(try_read(self->base));
	EXPECT_FALSE(try_read(self->base + self->size - 1));
	RESERVE_AGAIN();
	REGION_RESERVED(0, self->size);
}

/* Rules: VF-05 */
TEST_F(region, release_takes_any_byte_of_the_first_page)
{
	static const size_t offsets[] = { 0, 1, 0x800, 0xfff };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		MIX_STATES();
		ASSERT_TRUE(VirtualFree(self->base + offsets[i], 0,
					MEM_RELEASE));
		EXPECT_FREE(self->base);
		EXPECT_FREE(self->base + self->size - 1);
		RESERVE_AGAIN();
	}
}

/* Rules: VF-06 */
TEST_F(region, release_at_a_later_page_is_refused)
{
	PVOID base = self->base + PAGE;
	SIZE_T size = 0;

	MIX_STATES();
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualFree(self->base + PAGE, 0, MEM_RELEASE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualFree(self->base + self->size - 1, 0, MEM_RELEASE));
	EXPECT_STATUS_FAILS(STATUS_FREE_VM_NOT_AT_BASE,
			    NtFreeVirtualMemory(SELF, &base, &size,
						MEM_RELEASE));
}

/* Free addresses, those below any region too */
static char *const free_addresses[] = {
	NULL, (char *)0x1000, (char *)0xffff, (char *)0x10000, ARENA + MIB(64),
};

/* Rules: VF-07 */
TEST_F(region, release_of_free_address_is_refused)
{
	PVOID base = ARENA + MIB(64);
	SIZE_T size = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(free_addresses); i++)
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualFree(free_addresses[i], 0, MEM_RELEASE));
	EXPECT_STATUS_FAILS(STATUS_MEMORY_NOT_ALLOCATED,
			    NtFreeVirtualMemory(SELF, &base, &size,
						MEM_RELEASE));
	ASSERT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualFree(self->base, 0, MEM_RELEASE));
	RESERVE_AGAIN();
}

/* Rules: VF-08 */
TEST_F(region, decommit_widens_to_pages)
{
	COMMIT(0, 6 * PAGE, PAGE_READWRITE);
	fill(self->base, 6 * PAGE);
	ASSERT_TRUE(VirtualFree(self->base + 0x1fff, 2, MEM_DECOMMIT));
	REGION_COMMITTED(0, PAGE, PAGE_READWRITE);
	REGION_RESERVED(PAGE, 2 * PAGE);
	REGION_COMMITTED(3 * PAGE, 3 * PAGE, PAGE_READWRITE);
	EXPECT_TRUE(is_filled(self->base, PAGE));
	EXPECT_FALSE(try_read(self->base + PAGE));
	EXPECT_FALSE(try_read(self->base + 3 * PAGE - 1));
	EXPECT_TRUE(is_filled(self->base + 3 * PAGE, 3 * PAGE));
}

/* Rules: VF-08, NF-06 */
TEST_F(region, nt_decommit_reports_the_widened_range)
{
	PVOID base = self->base + 0x1fff;
	SIZE_T size = 2;

	COMMIT(0, 6 * PAGE, PAGE_READWRITE);
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtFreeVirtualMemory(SELF, &base, &size,
					  MEM_DECOMMIT));
	EXPECT_EQ((PVOID)(self->base + PAGE), base);
	EXPECT_EQ(2 * PAGE, size);
}

/* Rules: VF-09 */
TEST_F(region, decommit_passes_over_reserved_pages)
{
	COMMIT(3 * PAGE, PAGE, PAGE_READWRITE);
	DECOMMIT(0, self->size);
	REGION_RESERVED(0, self->size);
	DECOMMIT(0, self->size);
	DECOMMIT(5 * PAGE, PAGE);
	REGION_RESERVED(0, self->size);
}

/* Rules: VF-10 */
TEST_F(region, decommit_without_size_takes_the_allocation)
{
	static const size_t offsets[] = { 0, 1, 0xffe, 0xfff };
	PVOID base;
	SIZE_T size;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		MIX_STATES();
		ASSERT_TRUE(VirtualFree(self->base + offsets[i], 0,
					MEM_DECOMMIT));
		REGION_RESERVED(0, self->size);

		MIX_STATES();
		base = self->base + offsets[i];
		size = 0;
		EXPECT_STATUS(STATUS_SUCCESS,
			      NtFreeVirtualMemory(SELF, &base, &size,
						  MEM_DECOMMIT));
		EXPECT_EQ((PVOID)self->base, base);
		EXPECT_EQ(0, size);
		REGION_RESERVED(0, self->size);
	}
}

/* Rules: VF-11 */
TEST_F(region, decommit_without_size_at_a_later_page_is_refused)
{
	PVOID base = self->base + PAGE;
	SIZE_T size = 0;

	MIX_STATES();
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualFree(self->base + PAGE, 0, MEM_DECOMMIT));
	EXPECT_STATUS_FAILS(STATUS_FREE_VM_NOT_AT_BASE,
			    NtFreeVirtualMemory(SELF, &base, &size,
						MEM_DECOMMIT));
}

/* Rules: VF-12 */
TEST_F(region, decommit_past_the_end_is_refused)
{
	PVOID base = self->base + PAGE;
	SIZE_T size = self->size;

	MIX_STATES();
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(self->base, self->size + 1, MEM_DECOMMIT));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(self->base + self->size - 1, 2,
				 MEM_DECOMMIT));
	EXPECT_STATUS_FAILS(STATUS_UNABLE_TO_FREE_VM,
			    NtFreeVirtualMemory(SELF, &base, &size,
						MEM_DECOMMIT));
	EXPECT_TRUE(is_filled(self->base, PAGE));
}

/* Rules: VF-12 */
TEST(decommit_over_two_allocations_is_refused)
{
	ASSERT_EQ(ARENA, VirtualAlloc(ARENA, UNIT, MEM_COMMIT | MEM_RESERVE,
				      PAGE_READWRITE));
	ASSERT_EQ(ARENA + UNIT, VirtualAlloc(ARENA + UNIT, UNIT,
					     MEM_COMMIT | MEM_RESERVE,
					     PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(ARENA, 2 * UNIT, MEM_DECOMMIT));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(ARENA + UNIT - 1, 2, MEM_DECOMMIT));
}

/* Rules: VF-13 */
TEST_F(region, decommit_of_free_address_is_refused)
{
	PVOID base = ARENA + MIB(64);
	SIZE_T size = PAGE;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(free_addresses); i++) {
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualFree(free_addresses[i], PAGE,
					 MEM_DECOMMIT));
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualFree(free_addresses[i], 0, MEM_DECOMMIT));
	}
	EXPECT_STATUS_FAILS(STATUS_MEMORY_NOT_ALLOCATED,
			    NtFreeVirtualMemory(SELF, &base, &size,
						MEM_DECOMMIT));
	ASSERT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualFree(self->base, PAGE, MEM_DECOMMIT));
	RESERVE_AGAIN();
}

/* Rules: VF-15 */
TEST_F(region, free_without_process_is_refused)
{
	MIX_STATES();
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     VirtualFreeEx(NULL, self->base, 0, MEM_RELEASE));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     VirtualFreeEx(NULL, self->base, PAGE, MEM_DECOMMIT));
}

/* Rules: VF-05, VF-08 */
TEST_F(region, free_takes_minus_one_as_process)
{
	MIX_STATES();
	EXPECT_TRUE(VirtualFreeEx(SELF, self->base, PAGE, MEM_DECOMMIT));
	REGION_RESERVED(0, PAGE);
	EXPECT_TRUE(VirtualFreeEx(SELF, self->base, 0, MEM_RELEASE));
	EXPECT_FREE(self->base);
	RESERVE_AGAIN();
}

/* Rules: VF-16, VF-17 */
TEST_F(region, decommit_forgets_contents_and_protection)
{
	DWORD before = code_is_refused() ? PAGE_READWRITE : PAGE_EXECUTE_READ;

	COMMIT(0, 4 * PAGE, PAGE_READWRITE);
	fill(self->base, 4 * PAGE);
	COMMIT(0, 4 * PAGE, before);
	DECOMMIT(PAGE, 2 * PAGE);
	REGION_RESERVED(PAGE, 2 * PAGE);
	COMMIT(PAGE, 2 * PAGE, PAGE_READONLY);
	REGION_COMMITTED(0, PAGE, before);
	REGION_COMMITTED(PAGE, 2 * PAGE, PAGE_READONLY);
	REGION_COMMITTED(3 * PAGE, PAGE, before);
	EXPECT_TRUE(all_bytes(self->base + PAGE, 2 * PAGE, 0));
	EXPECT_TRUE(is_filled(self->base, PAGE));
	EXPECT_TRUE(is_filled(self->base + 3 * PAGE, PAGE));
}

/* Rules: VF-18 */
TEST_F(region, free_beyond_the_user_range_is_refused)
{
	static char *const addresses[] = {
		(char *)USER_HIGHEST + 1,
		(char *)USER_END,
		KERNEL_ADDRESS,
	};
	size_t i;

	MIX_STATES();
	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualFree(addresses[i], 0, MEM_RELEASE));
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualFree(addresses[i], PAGE, MEM_DECOMMIT));
	}
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(self->base, -1, MEM_DECOMMIT));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(self->base,
				 USER_HIGHEST + 2 - (uintptr_t)self->base,
				 MEM_DECOMMIT));
}

/* Release @length bytes at @offset by the NT call; see what it reports. */
#define RELEASE_PART(offset, length, out_offset, out_length) do {	\
	PVOID base_ = self->base + (offset);				\
	SIZE_T size_ = (length);					\
									\
	EXPECT_STATUS(STATUS_SUCCESS,					\
		      NtFreeVirtualMemory(SELF, &base_, &size_,	\
					  MEM_RELEASE));		\
	EXPECT_EQ((PVOID)(self->base + (out_offset)), base_);		\
	EXPECT_EQ((out_length), size_);					\
} while (0)

/* Rules: NF-01, NF-06 */
TEST_F(region, head_can_be_released)
{
	const size_t rest = self->size - 3 * PAGE;
	char *base = self->base + 3 * PAGE;

	COMMIT(0, self->size, PAGE_READWRITE);
	fill(self->base, self->size);
	RELEASE_PART(0, 3 * PAGE, 0, 3 * PAGE);
	EXPECT_FREE(self->base);
	EXPECT_FREE(self->base + 3 * PAGE - 1);
	EXPECT_FALSE(try_read(self->base + 3 * PAGE - 1));
	EXPECT_COMMITTED(base, rest, PAGE_READWRITE, base, PAGE_READWRITE);
	EXPECT_TRUE(is_filled(base, rest));
	ASSERT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	RESERVE_AGAIN();
}

/* Rules: NF-01, NF-06 */
TEST_F(region, tail_can_be_released)
{
	const size_t rest = self->size - 3 * PAGE;

	COMMIT(0, self->size, PAGE_READWRITE);
	fill(self->base, self->size);
	RELEASE_PART(rest, 3 * PAGE, rest, 3 * PAGE);
	EXPECT_FREE(self->base + rest);
	EXPECT_FREE(self->base + self->size - 1);
	EXPECT_FALSE(try_read(self->base + rest));
	REGION_COMMITTED(0, rest, PAGE_READWRITE);
	EXPECT_TRUE(is_filled(self->base, rest));
}

/* Rules: NF-01, NF-05, NF-06 */
TEST_F(region, middle_can_be_released_and_then_the_rests)
{
	char *right = self->base + 7 * PAGE;
	const size_t rest = self->size - 7 * PAGE;

	COMMIT(0, self->size, PAGE_READWRITE);
	fill(self->base, self->size);
	RELEASE_PART(5 * PAGE, 2 * PAGE, 5 * PAGE, 2 * PAGE);
	REGION_COMMITTED(0, 5 * PAGE, PAGE_READWRITE);
	EXPECT_FREE(self->base + 5 * PAGE);
	EXPECT_COMMITTED(right, rest, PAGE_READWRITE, right, PAGE_READWRITE);
	EXPECT_TRUE(is_filled(self->base, 5 * PAGE));
	EXPECT_TRUE(is_filled(right, rest));

	/* Each is an allocation like any other. */
	ASSERT_TRUE(VirtualFree(right, PAGE, MEM_DECOMMIT));
	EXPECT_RESERVED(right, PAGE, right, PAGE_READWRITE);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(self->base, 8 * PAGE, MEM_COMMIT,
				  PAGE_READWRITE));

	ASSERT_TRUE(VirtualFree(right, 0, MEM_RELEASE));
	EXPECT_FREE(right);
	REGION_COMMITTED(0, 5 * PAGE, PAGE_READWRITE);
	ASSERT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
	EXPECT_FREE(self->base);
	RESERVE_AGAIN();
	REGION_RESERVED(0, self->size);
}

/* Rules: NF-01 */
TEST_F(region, all_pages_can_be_released_one_by_one)
{
	size_t i;

	COMMIT(0, 16 * PAGE, PAGE_READWRITE);
	for (i = 1; i < 16; i += 2)
		RELEASE_PART(i * PAGE, PAGE, i * PAGE, PAGE);
	for (i = 0; i < 16; i += 2) {
		EXPECT_COMMITTED(self->base + i * PAGE, PAGE, PAGE_READWRITE,
				 self->base + i * PAGE, PAGE_READWRITE);
		EXPECT_FREE(self->base + (i + 1) * PAGE);
		RELEASE_PART(i * PAGE, 0, i * PAGE, PAGE);
		EXPECT_FREE(self->base + i * PAGE);
	}
	if (self->size > 16 * PAGE)
		EXPECT_TRUE(VirtualFree(self->base + 16 * PAGE, 0,
					MEM_RELEASE));
	RESERVE_AGAIN();
}

/* Rules: NF-02 */
TEST_F(region, released_part_widens_to_pages)
{
	COMMIT(0, self->size, PAGE_READWRITE);
	RELEASE_PART(1, 0xfff, 0, PAGE);
	RELEASE_PART(0x3fff, 2, 3 * PAGE, 2 * PAGE);
	EXPECT_FREE(self->base);
	EXPECT_COMMITTED(self->base + PAGE, 2 * PAGE, PAGE_READWRITE,
			 self->base + PAGE, PAGE_READWRITE);
	EXPECT_FREE(self->base + 3 * PAGE);
	EXPECT_FREE(self->base + 4 * PAGE);
	EXPECT_COMMITTED(self->base + 5 * PAGE, self->size - 5 * PAGE,
			 PAGE_READWRITE, self->base + 5 * PAGE,
			 PAGE_READWRITE);
	EXPECT_TRUE(VirtualFree(self->base + PAGE, 0, MEM_RELEASE));
	EXPECT_TRUE(VirtualFree(self->base + 5 * PAGE, 0, MEM_RELEASE));
	RESERVE_AGAIN();
}

/* The NT call with @type fails with @status and leaves both variables alone. */
#define EXPECT_FREE_UNTOUCHED(status, address, length, type) do {	\
	PVOID base_ = (address);					\
	SIZE_T size_ = (length);					\
									\
	EXPECT_STATUS_FAILS(status,					\
			    NtFreeVirtualMemory(SELF, &base_,	\
						&size_, type));		\
	EXPECT_EQ((PVOID)(address), base_);				\
	EXPECT_EQ((SIZE_T)(length), size_);				\
} while (0)

/* Rules: NF-03, NF-06 */
TEST_F(region, part_past_the_end_is_refused)
{
	MIX_STATES();
	EXPECT_FREE_UNTOUCHED(STATUS_UNABLE_TO_FREE_VM, self->base + 1,
			      self->size, MEM_RELEASE);
	EXPECT_FREE_UNTOUCHED(STATUS_UNABLE_TO_FREE_VM,
			      self->base + self->size - PAGE, PAGE + 1,
			      MEM_RELEASE);
}

/* Rules: NF-04, NF-06 */
TEST(part_over_several_allocations_is_refused)
{
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(ARENA + i * UNIT,
			  VirtualAlloc(ARENA + i * UNIT, UNIT, MEM_RESERVE,
				       PAGE_READWRITE));
	EXPECT_FREE_UNTOUCHED(STATUS_UNABLE_TO_FREE_VM, ARENA, 2 * UNIT,
			      MEM_RELEASE);
	EXPECT_FREE_UNTOUCHED(STATUS_UNABLE_TO_FREE_VM, ARENA, 3 * UNIT,
			      MEM_RELEASE);
	EXPECT_FREE_UNTOUCHED(STATUS_UNABLE_TO_FREE_VM, ARENA + UNIT - 1, 2,
			      MEM_RELEASE);
}

/* Rules: NF-06 */
TEST_F(region, failed_nt_free_leaves_address_and_size)
{
	MIX_STATES();
	EXPECT_FREE_UNTOUCHED(STATUS_FREE_VM_NOT_AT_BASE,
			      self->base + PAGE + 3, 0, MEM_RELEASE);
	EXPECT_FREE_UNTOUCHED(STATUS_FREE_VM_NOT_AT_BASE,
			      self->base + PAGE + 3, 0, MEM_DECOMMIT);
	EXPECT_FREE_UNTOUCHED(STATUS_UNABLE_TO_FREE_VM, self->base + 3,
			      self->size, MEM_DECOMMIT);
	EXPECT_FREE_UNTOUCHED(STATUS_MEMORY_NOT_ALLOCATED,
			      ARENA + MIB(64) + 3, 5, MEM_RELEASE);
	EXPECT_FREE_UNTOUCHED(STATUS_MEMORY_NOT_ALLOCATED,
			      ARENA + MIB(64) + 3, 5, MEM_DECOMMIT);
}

/* Rules: NF-06 */
TEST_F(region, nt_release_reports_the_whole)
{
	RELEASE_PART(0xfff, 0, 0, self->size);
	EXPECT_FREE(self->base);
	RESERVE_AGAIN();
}

TEST_HARNESS_MAIN
