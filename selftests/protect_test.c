// SPDX-License-Identifier: GPL-2.0
/*
 * VirtualProtect (rules VP-*).
 */
#include "kselftest_harness.h"

#include "region_fixture.h"

/* Set @protection at @offset; the old value must be @old_value. */
#define PROTECT(offset, size, protection, old_value) do {		\
	DWORD old_ = POISON;						\
									\
	ASSERT_TRUE(VirtualProtect(self->base + (offset), size,		\
				   protection, &old_));			\
	EXPECT_EQ((DWORD)(old_value), old_);				\
} while (0)

/* Rules: VP-01 */
TEST_F(region, old_value_is_the_first_pages)
{
	COMMIT(0, 6 * PAGE, PAGE_READWRITE);
	COMMIT(PAGE, PAGE, PAGE_READONLY);
	COMMIT(2 * PAGE, PAGE, code_or(PAGE_EXECUTE_READ, PAGE_READONLY));
	COMMIT(3 * PAGE, PAGE, PAGE_NOACCESS);
	COMMIT(4 * PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD);

	PROTECT(0, PAGE, PAGE_READWRITE, PAGE_READWRITE);
	PROTECT(PAGE, 4 * PAGE, PAGE_READONLY, PAGE_READONLY);
	REGION_COMMITTED(0, PAGE, PAGE_READWRITE);
	REGION_COMMITTED(PAGE, 4 * PAGE, PAGE_READONLY);
	REGION_COMMITTED(5 * PAGE, PAGE, PAGE_READWRITE);
	EXPECT_TRUE(try_read(self->base + 3 * PAGE));
	EXPECT_TRUE(try_read(self->base + 4 * PAGE));
	EXPECT_FALSE(try_exec(self->base + 2 * PAGE));

	PROTECT(0, 6 * PAGE, PAGE_NOACCESS, PAGE_READWRITE);
	REGION_COMMITTED(0, 6 * PAGE, PAGE_NOACCESS);
	PROTECT(0, 6 * PAGE, PAGE_READWRITE, PAGE_NOACCESS);
	REGION_COMMITTED(0, 6 * PAGE, PAGE_READWRITE);
	EXPECT_TRUE(try_write(self->base + 2 * PAGE));
	EXPECT_TRUE(try_write(self->base + 4 * PAGE));
}

/* Rules: VP-01 */
TEST_F(region, old_value_has_the_modifiers)
{
	COMMIT(0, 2 * PAGE, PAGE_READWRITE | PAGE_GUARD);
	PROTECT(0, 2 * PAGE, PAGE_READONLY | PAGE_GUARD,
		PAGE_READWRITE | PAGE_GUARD);
	PROTECT(0, 2 * PAGE, PAGE_READWRITE, PAGE_READONLY | PAGE_GUARD);
	EXPECT_TRUE(try_write(self->base));
}

/* Rules: VP-02 */
TEST_F(region, range_widens_to_pages)
{
	COMMIT(0, 6 * PAGE, PAGE_READWRITE);
	PROTECT(PAGE + 1, 1, PAGE_READONLY, PAGE_READWRITE);
	REGION_COMMITTED(PAGE, PAGE, PAGE_READONLY);
	PROTECT(4 * PAGE - 1, 2, PAGE_READONLY, PAGE_READWRITE);
	REGION_COMMITTED(2 * PAGE, PAGE, PAGE_READWRITE);
	REGION_COMMITTED(3 * PAGE, 2 * PAGE, PAGE_READONLY);
	REGION_COMMITTED(5 * PAGE, PAGE, PAGE_READWRITE);
	EXPECT_FALSE(try_write(self->base + PAGE));
	EXPECT_TRUE(try_write(self->base + 3 * PAGE - 1));
	EXPECT_FALSE(try_write(self->base + 3 * PAGE));
	EXPECT_FALSE(try_write(self->base + 5 * PAGE - 1));
	EXPECT_TRUE(try_write(self->base + 5 * PAGE));
}

/* Rules: VP-02 */
TEST_F(region, nt_call_reports_the_widened_range)
{
	PVOID base = self->base + 2 * PAGE - 1;
	SIZE_T size = 2;
	ULONG old = POISON;

	COMMIT(0, 6 * PAGE, PAGE_READWRITE);
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtProtectVirtualMemory(SELF, &base, &size,
					     PAGE_READONLY, &old));
	EXPECT_EQ((PVOID)(self->base + PAGE), base);
	EXPECT_EQ(2 * PAGE, size);
	EXPECT_EQ(PAGE_READWRITE, old);
}

/* Rules: VP-03 */
TEST_F(region, old_pointer_is_needed)
{
	PVOID base = self->base;
	SIZE_T size = PAGE;

	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_FAILS(ERROR_NOACCESS,
		     VirtualProtect(self->base, PAGE, PAGE_READONLY, NULL));
	EXPECT_STATUS_FAILS(STATUS_ACCESS_VIOLATION,
			    NtProtectVirtualMemory(SELF, &base, &size,
						   PAGE_READONLY, NULL));
	EXPECT_TRUE(try_write(self->base));
}

/* Rules: VP-04 */
TEST_F(region, old_pointer_must_be_writable)
{
	DWORD *bad = mmap(NULL, 2 * PAGE, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, bad);
	ASSERT_EQ(0, munmap((char *)bad + PAGE, PAGE));
	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_FAILS(ERROR_NOACCESS,
		     VirtualProtect(self->base, PAGE, PAGE_READONLY, bad));
	ASSERT_EQ(0, mprotect(bad, PAGE, PROT_NONE));
	EXPECT_FAILS(ERROR_NOACCESS,
		     VirtualProtect(self->base, PAGE, PAGE_READONLY, bad));
	EXPECT_FAILS(ERROR_NOACCESS,
		     VirtualProtect(self->base, PAGE, PAGE_READONLY,
				    (PDWORD)((char *)bad + PAGE)));
	EXPECT_FAILS(ERROR_NOACCESS,
		     VirtualProtect(self->base, PAGE, PAGE_READONLY,
				    (PDWORD)(self->base + PAGE)));
	EXPECT_FAILS(ERROR_NOACCESS,
		     VirtualProtect(self->base, PAGE, PAGE_READONLY,
				    (PDWORD)KERNEL_ADDRESS));
	EXPECT_TRUE(try_write(self->base));
}

/* Rules: VP-05, VP-07 */
TEST_F(region, reserved_page_in_the_range_is_refused)
{
	static const struct {
		size_t offset;
		size_t size;
	} ranges[] = {
		{ 4 * PAGE, PAGE },	/* only reserved ones */
		{ 3 * PAGE, 2 * PAGE },	/* the last one */
		{ 4 * PAGE, 2 * PAGE },	/* the first one */
		{ 0, 9 * PAGE },	/* one in the middle */
		{ 4 * PAGE - 1, 2 },
	};
	DWORD old;
	size_t i;

	COMMIT(0, 4 * PAGE, PAGE_READWRITE);
	COMMIT(5 * PAGE, 4 * PAGE, PAGE_READWRITE);
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		old = POISON;
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualProtect(self->base + ranges[i].offset,
					    ranges[i].size, PAGE_READONLY,
					    &old));
		EXPECT_EQ(PAGE_NOACCESS, old);
	}
	EXPECT_TRUE(try_write(self->base));
}

/* Rules: VP-05 */
TEST_F(region, reserved_page_has_its_own_status)
{
	PVOID base = self->base + 1;
	SIZE_T size = PAGE;
	ULONG old = POISON;

	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_STATUS_FAILS(STATUS_NOT_COMMITTED,
			    NtProtectVirtualMemory(SELF, &base, &size,
						   PAGE_READONLY, &old));
	EXPECT_EQ((PVOID)(self->base + 1), base);
	EXPECT_EQ(PAGE, size);
}

/* Rules: VP-06, VP-07 */
TEST_F(region, free_address_is_refused)
{
	static char *const addresses[] = {
		NULL, (char *)0x20000, ARENA + MIB(64),
	};
	PVOID base = ARENA + MIB(64);
	SIZE_T size = PAGE;
	DWORD old;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		old = POISON;
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualProtect(addresses[i], PAGE, PAGE_READONLY,
					    &old));
		EXPECT_EQ(PAGE_NOACCESS, old);
	}
	EXPECT_STATUS_FAILS(STATUS_CONFLICTING_ADDRESSES,
			    NtProtectVirtualMemory(SELF, &base, &size,
						   PAGE_READONLY, &old));
}

/* Rules: VP-08 */
TEST_F(region, invalid_protection_is_refused)
{
	static const DWORD values[] = {
		0, PAGE_READONLY | PAGE_READWRITE, PAGE_WRITECOPY,
		PAGE_EXECUTE_WRITECOPY, PAGE_EXECUTE_READ | PAGE_READONLY,
	};
	DWORD old = POISON;
	size_t i;

	COMMIT(0, PAGE, PAGE_READWRITE);
	for (i = 0; i < ARRAY_SIZE(values); i++)
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualProtect(self->base, PAGE, values[i], &old));
	REGION_COMMITTED(0, PAGE, PAGE_READWRITE);
	EXPECT_TRUE(try_write(self->base));
}

/* Rules: VP-09 */
TEST(range_over_two_allocations_is_refused)
{
	DWORD old = POISON;

	ASSERT_EQ(ARENA, VirtualAlloc(ARENA, UNIT, MEM_COMMIT | MEM_RESERVE,
				      PAGE_READWRITE));
	ASSERT_EQ(ARENA + UNIT, VirtualAlloc(ARENA + UNIT, UNIT,
					     MEM_COMMIT | MEM_RESERVE,
					     PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualProtect(ARENA + UNIT - 1, 2, PAGE_READONLY, &old));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualProtect(ARENA, 2 * UNIT, PAGE_READONLY, &old));
	EXPECT_TRUE(try_write(ARENA + UNIT - 1));
	EXPECT_TRUE(try_write(ARENA + UNIT));
}

/* Rules: VP-10 */
TEST_F(region, size_zero_is_refused)
{
	DWORD old = POISON;

	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(self->base, 0, PAGE_READONLY, &old));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtectEx(NULL, self->base, 0, PAGE_READONLY,
				      &old));
}

/* Rules: VP-11 */
TEST_F(region, call_without_process_is_refused)
{
	DWORD old = POISON;

	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     VirtualProtectEx(NULL, self->base, PAGE, PAGE_READONLY,
				      &old));
	EXPECT_TRUE(VirtualProtectEx(SELF, self->base, PAGE,
				     PAGE_READONLY, &old));
	EXPECT_EQ(PAGE_READWRITE, old);
}

/* Rules: VP-12 */
TEST_F(region, contents_survive_noaccess)
{
	DWORD all = code_or(PAGE_EXECUTE_READWRITE, PAGE_READWRITE);

	COMMIT(0, self->size, PAGE_READWRITE);
	fill(self->base, self->size);
	PROTECT(0, self->size, PAGE_NOACCESS, PAGE_READWRITE);
	EXPECT_FALSE(try_read(self->base));
	EXPECT_FALSE(try_read(self->base + self->size - 1));
	PROTECT(0, self->size, PAGE_READONLY, PAGE_NOACCESS);
	EXPECT_TRUE(is_filled(self->base, self->size));
	EXPECT_FALSE(try_write(self->base));
	PROTECT(0, self->size, PAGE_NOACCESS, PAGE_READONLY);
	PROTECT(0, self->size, all, PAGE_NOACCESS);
	EXPECT_TRUE(is_filled(self->base, self->size));
	PROTECT(0, self->size, PAGE_READWRITE, all);
	EXPECT_TRUE(is_filled(self->base, self->size));
	EXPECT_TRUE(try_write(self->base));
}

/* Rules: VP-12 */
TEST_F(region, contents_survive_changes_of_single_pages)
{
	static const DWORD values[] = {
		PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE,
		PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
	};
	const size_t nr = code_is_refused() ? 3 : ARRAY_SIZE(values);
	DWORD old;
	size_t i;

	COMMIT(0, self->size, PAGE_READWRITE);
	fill(self->base, self->size);
	for (i = 0; i < 16; i++) {
		ASSERT_TRUE(VirtualProtect(self->base + i * PAGE, PAGE,
					   values[i % nr], &old));
	}
	for (i = 0; i < 16; i++)
		PROTECT(i * PAGE, PAGE, PAGE_READONLY, values[i % nr]);
	EXPECT_TRUE(is_filled(self->base, self->size));
}

/* Rules: VP-13 */
TEST_F(region, same_value_can_be_set)
{
	static const DWORD values[] = {
		PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE,
		PAGE_READWRITE | PAGE_GUARD, PAGE_EXECUTE,
		PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
	};
	size_t i, nr = code_is_refused() ? 4 : ARRAY_SIZE(values);

	for (i = 0; i < nr; i++) {
		COMMIT(0, 2 * PAGE, values[i]);
		PROTECT(0, 2 * PAGE, values[i], values[i]);
		PROTECT(0, PAGE, values[i], values[i]);
		REGION_COMMITTED(0, 2 * PAGE, values[i]);
	}
}

/* Rules: VP-14 */
TEST_F(region, allocation_protection_stays)
{
	static const DWORD values[] = {
		PAGE_NOACCESS, PAGE_READONLY, PAGE_READONLY | PAGE_GUARD,
		PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
	};
	size_t i, nr = code_is_refused() ? 3 : ARRAY_SIZE(values);
	DWORD old;

	COMMIT(0, self->size, PAGE_READWRITE);
	for (i = 0; i < nr; i++) {
		ASSERT_TRUE(VirtualProtect(self->base, self->size, values[i],
					   &old));
		EXPECT_COMMITTED(self->base, self->size, values[i], self->base,
				 PAGE_READWRITE);
	}
}

/* Rules: VP-15 */
TEST_F(region, range_beyond_the_user_range_is_refused)
{
	static char *const addresses[] = {
		(char *)USER_HIGHEST + 1,
		(char *)USER_END,
		KERNEL_ADDRESS,
	};
	DWORD old = POISON;
	size_t i;

	COMMIT(0, self->size, PAGE_READWRITE);
	for (i = 0; i < ARRAY_SIZE(addresses); i++)
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualProtect(addresses[i], PAGE, PAGE_READONLY,
					    &old));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(self->base, -1, PAGE_READONLY, &old));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(self->base,
				    USER_HIGHEST + 2 - (uintptr_t)self->base,
				    PAGE_READONLY, &old));
	EXPECT_TRUE(try_write(self->base));
}

/* Rules: VP-16 */
TEST_F(region, one_mistake_gives_its_own_error)
{
	char *free = ARENA + MIB(64);
	const struct {
		DWORD error;
		HANDLE process;
		char *address;
		SIZE_T size;
		DWORD protect;
		bool old;
	} calls[] = {
		{ 87, SELF, self->base, PAGE, 0, true },
		{ 998, SELF, self->base, PAGE, PAGE_READONLY, false },
		{ 87, SELF, self->base, 0, PAGE_READONLY, true },
		{ 6, NULL, self->base, PAGE, PAGE_READONLY, true },
		{ 6, (HANDLE)1234, self->base, PAGE, PAGE_READONLY, true },
		{ 487, SELF, free, PAGE, PAGE_READONLY, true },
		{ 87, SELF, KERNEL_ADDRESS, PAGE, PAGE_READONLY, true },
	};
	DWORD old = POISON;
	size_t i;

	COMMIT(0, PAGE, PAGE_READWRITE);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		EXPECT_FAILS(calls[i].error,
			     VirtualProtectEx(calls[i].process,
					      calls[i].address, calls[i].size,
					      calls[i].protect,
					      calls[i].old ? &old : NULL));
}

TEST_HARNESS_MAIN
