// SPDX-License-Identifier: GPL-2.0
/*
 * The model: states, allocations, granularity, all or nothing (rules M-*).
 */
#include "kselftest_harness.h"

#include "region_fixture.h"

/* Rules: M-01 */
TEST_F(region, each_page_has_one_of_three_states)
{
	COMMIT(PAGE, PAGE, PAGE_READWRITE);
	REGION_RESERVED(0, PAGE);
	REGION_COMMITTED(PAGE, PAGE, PAGE_READWRITE);
	REGION_RESERVED(2 * PAGE, self->size - 2 * PAGE);
	ASSERT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
	EXPECT_FREE(self->base);
	EXPECT_FREE(self->base + PAGE);
	ASSERT_EQ(self->base, VirtualAlloc(self->base, self->size, MEM_RESERVE,
					   PAGE_READWRITE));
}

/* Rules: M-01 */
TEST_F(region, protection_goes_by_whole_pages)
{
	DWORD old = POISON;

	COMMIT(0, 4 * PAGE, PAGE_READWRITE);
	ASSERT_TRUE(VirtualProtect(self->base + PAGE + 17, 1, PAGE_READONLY,
				   &old));
	REGION_COMMITTED(0, PAGE, PAGE_READWRITE);
	REGION_COMMITTED(PAGE, PAGE, PAGE_READONLY);
	REGION_COMMITTED(2 * PAGE, 2 * PAGE, PAGE_READWRITE);
	EXPECT_FALSE(try_write(self->base + PAGE));
	EXPECT_FALSE(try_write(self->base + 2 * PAGE - 1));
	EXPECT_TRUE(try_write(self->base + PAGE - 1));
	EXPECT_TRUE(try_write(self->base + 2 * PAGE));
}

/* Neither a read nor a write nor a call gets through. */
#define EXPECT_NO_ACCESS(address) do {					\
	EXPECT_FALSE(try_read(address));				\
	EXPECT_EQ(SIGSEGV, probe_fault.sig);				\
	EXPECT_EQ((void *)(address), probe_fault.addr);			\
	EXPECT_FALSE(try_write(address));				\
	EXPECT_EQ(SIGSEGV, probe_fault.sig);				\
	EXPECT_EQ((void *)(address), probe_fault.addr);			\
	EXPECT_FALSE(try_exec(address));				\
	EXPECT_EQ(SIGSEGV, probe_fault.sig);				\
} while (0)

/* Rules: M-02 */
TEST_F(region, reserved_pages_fault)
{
	COMMIT(PAGE, PAGE, code_or(PAGE_EXECUTE_READWRITE, PAGE_READWRITE));
	EXPECT_NO_ACCESS(self->base);
	EXPECT_NO_ACCESS(self->base + PAGE - 1);
	EXPECT_NO_ACCESS(self->base + 2 * PAGE);
	EXPECT_NO_ACCESS(self->base + self->size - 1);
	EXPECT_TRUE(try_write(self->base + PAGE));
	EXPECT_TRUE(try_write(self->base + 2 * PAGE - 1));
}

/* Rules: M-02 */
TEST_F(region, decommitted_pages_fault)
{
	COMMIT(0, 4 * PAGE, PAGE_READWRITE);
	memset(self->base, 1, 4 * PAGE);
	DECOMMIT(PAGE, 2 * PAGE);
	EXPECT_NO_ACCESS(self->base + PAGE);
	EXPECT_NO_ACCESS(self->base + 3 * PAGE - 1);
	EXPECT_TRUE(try_read(self->base + PAGE - 1));
	EXPECT_TRUE(try_read(self->base + 3 * PAGE));
}

/* Rules: M-02 */
TEST_F(region, free_pages_fault)
{
	COMMIT(0, self->size,
	       code_or(PAGE_EXECUTE_READWRITE, PAGE_READWRITE));
	memset(self->base, 1, self->size);
	ASSERT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
	EXPECT_NO_ACCESS(self->base);
	EXPECT_NO_ACCESS(self->base + self->size - 1);
	ASSERT_EQ(self->base, VirtualAlloc(self->base, self->size, MEM_RESERVE,
					   PAGE_READWRITE));
}

/* Rules: M-03 */
TEST_F(region, allocation_keeps_base_and_protection)
{
	DWORD old = POISON;

	REGION_RESERVED(0, self->size);
	COMMIT(PAGE, 2 * PAGE, PAGE_READONLY);
	REGION_COMMITTED(PAGE, 2 * PAGE, PAGE_READONLY);
	ASSERT_TRUE(VirtualProtect(self->base + PAGE, 2 * PAGE, PAGE_NOACCESS,
				   &old));
	REGION_COMMITTED(PAGE, 2 * PAGE, PAGE_NOACCESS);
	DECOMMIT(PAGE, PAGE);
	REGION_RESERVED(0, 2 * PAGE);
	REGION_COMMITTED(2 * PAGE, PAGE, PAGE_NOACCESS);
	REGION_RESERVED(3 * PAGE, self->size - 3 * PAGE);
}

/* Rules: M-04 */
TEST(chosen_addresses_are_granular)
{
	static const size_t sizes[] = {
		1, 4095, 4096, 4097, 65535, 65536, 65537, 0x12345, 1 << 20,
		(1 << 20) + 1, 2 << 20, 33 << 20, (64 << 20) - 4096,
	};
	char *bases[2 * ARRAY_SIZE(sizes)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		bases[i] = VirtualAlloc(NULL, sizes[i / 2],
					MEM_RESERVE | (i % 2 ? MEM_COMMIT : 0),
					PAGE_READWRITE);
		ASSERT_NE(NULL, bases[i]);
		EXPECT_EQ(0, (uintptr_t)bases[i] % UNIT);
		EXPECT_LE(USER_LOWEST, (uintptr_t)bases[i]);
		EXPECT_GE(USER_HIGHEST, (uintptr_t)bases[i] + sizes[i / 2] - 1);
	}
	for (i = 0; i < ARRAY_SIZE(bases); i++)
		EXPECT_TRUE(VirtualFree(bases[i], 0, MEM_RELEASE));
}

/* Rules: M-05, M-06 */
TEST(given_addresses_round_down_and_ends_up)
{
	static const struct {
		uintptr_t address;
		size_t size;
		uintptr_t base;
		size_t result;
	} cases[] = {
		{ 0x50000000, 1, 0x50000000, 0x1000 },
		{ 0x50008000, 1, 0x50000000, 0x9000 },
		{ 0x50000010, 0x1000, 0x50000000, 0x2000 },
		{ 0x50010000, 0x2000, 0x50010000, 0x2000 },
		{ 0x5000ffff, 0x3000, 0x50000000, 0x13000 },
		{ 0x50001010, 0x7000, 0x50000000, 0x9000 },
		{ 0x50001010, 0xc000, 0x50000000, 0xe000 },
		{ 0x5000f000, 0x1000, 0x50000000, 0x10000 },
		{ 0x5000f000, 0x1001, 0x50000000, 0x11000 },
		{ 0x5000ffff, 1, 0x50000000, 0x10000 },
	};
	void *base;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		base = VirtualAlloc((void *)cases[i].address, cases[i].size,
				    MEM_RESERVE, PAGE_READONLY);
		ASSERT_EQ((void *)cases[i].base, base);
		EXPECT_RESERVED(base, cases[i].result, base, PAGE_READONLY);
		EXPECT_FREE((char *)base - 1);
		EXPECT_FREE((char *)base + cases[i].result);
		ASSERT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
		EXPECT_FREE(base);
	}
}

/* Rules: M-07 */
TEST(tail_of_the_last_unit_is_free)
{
	static char *const places[] = { ARENA, NULL };
	char *base;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		base = VirtualAlloc(places[i], 1, MEM_RESERVE, PAGE_READWRITE);
		ASSERT_NE(NULL, base);
		EXPECT_RESERVED(base, PAGE, base, PAGE_READWRITE);
		EXPECT_FREE(base + PAGE);
		EXPECT_FREE(base + UNIT - 1);
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualAlloc(base + PAGE, PAGE, MEM_COMMIT,
					  PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualFree(base + PAGE, 0, MEM_RELEASE));
		ASSERT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	}
}

/* Rules: M-08 */
TEST(unit_with_used_head_cannot_be_reserved)
{
	static char *const places[] = { ARENA, NULL };
	char *base;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		base = VirtualAlloc(places[i], PAGE, MEM_RESERVE,
				    PAGE_READWRITE);
		ASSERT_NE(NULL, base);
		EXPECT_FREE(base + PAGE);
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualAlloc(base + PAGE, PAGE, MEM_RESERVE,
					  PAGE_READWRITE));
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     VirtualAlloc(base + 8 * PAGE, PAGE, MEM_RESERVE,
					  PAGE_READWRITE));
		ASSERT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	}
}

/* Rules: M-08 */
TEST_F(region, conflicting_reservation_has_its_own_status)
{
	PVOID base = self->base + PAGE;
	SIZE_T size = PAGE;

	EXPECT_STATUS_FAILS(STATUS_CONFLICTING_ADDRESSES,
			    NtAllocateVirtualMemory(SELF, &base, 0,
						    &size, MEM_RESERVE,
						    PAGE_READWRITE));
}

/* Rules: M-09 */
TEST_F(region, free_head_of_a_unit_can_be_reserved)
{
	PVOID base = self->base;
	SIZE_T size = 2 * PAGE;

	ASSERT_EQ(STATUS_SUCCESS,
		  NtFreeVirtualMemory(SELF, &base, &size, MEM_RELEASE));
	EXPECT_FREE(self->base);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(self->base, 3 * PAGE, MEM_RESERVE,
				  PAGE_READONLY));
	ASSERT_EQ(self->base, VirtualAlloc(self->base, 2 * PAGE, MEM_RESERVE,
					   PAGE_READONLY));
	EXPECT_RESERVED(self->base, 2 * PAGE, self->base, PAGE_READONLY);
	EXPECT_RESERVED(self->base + 2 * PAGE, self->size - 2 * PAGE,
			self->base + 2 * PAGE, PAGE_READWRITE);
	EXPECT_TRUE(VirtualFree(self->base + 2 * PAGE, 0, MEM_RELEASE));
}

/* Rules: M-10 */
TEST(commit_over_two_allocations_fails)
{
	char *base;

	base = VirtualAlloc(ARENA, UNIT, MEM_RESERVE, PAGE_READWRITE);
	ASSERT_EQ(ARENA, base);
	ASSERT_EQ(base + UNIT, VirtualAlloc(base + UNIT, UNIT, MEM_RESERVE,
					    PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(base + UNIT - PAGE, 2 * PAGE, MEM_COMMIT,
				  PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(base, 2 * UNIT, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_RESERVED(base, UNIT, base, PAGE_READWRITE);
	EXPECT_RESERVED(base + UNIT, UNIT, base + UNIT, PAGE_READWRITE);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	EXPECT_TRUE(VirtualFree(base + UNIT, 0, MEM_RELEASE));
}

/* Rules: M-10 */
TEST_F(region, commit_over_two_parts_of_one_reservation_fails)
{
	PVOID base = self->base + 2 * PAGE;
	SIZE_T size = PAGE;

	/* The middle is an allocation of its own between the two rests. */
	ASSERT_EQ(STATUS_SUCCESS,
		  NtFreeVirtualMemory(SELF, &base, &size, MEM_RELEASE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(self->base, 4 * PAGE, MEM_COMMIT,
				  PAGE_READWRITE));
	base = self->base;
	size = 4 * PAGE;
	EXPECT_STATUS_FAILS(STATUS_CONFLICTING_ADDRESSES,
			    NtAllocateVirtualMemory(SELF, &base, 0,
						    &size, MEM_COMMIT,
						    PAGE_READWRITE));
	EXPECT_TRUE(VirtualFree(self->base + 3 * PAGE, 0, MEM_RELEASE));
}

/*
 * Each call below could do its first pages and fails at a later one.
 *
 * Rules: M-11
 */
TEST_F(region, failed_calls_change_nothing)
{
	DWORD old = POISON;

	COMMIT(0, 4 * PAGE, PAGE_READWRITE);
	COMMIT(self->size - 4 * PAGE, 4 * PAGE, PAGE_READWRITE);
	fill(self->base, 4 * PAGE);
	fill(self->base + self->size - 4 * PAGE, 4 * PAGE);

	/* A reserved page after committed ones. */
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualProtect(self->base, 5 * PAGE, PAGE_READONLY, &old));
	/* The end of the allocation after committed pages. */
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualProtect(self->base + self->size - 4 * PAGE,
				    5 * PAGE, PAGE_READONLY, &old));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(self->base + PAGE, self->size, MEM_COMMIT,
				  PAGE_READONLY));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(self->base + PAGE, self->size, MEM_DECOMMIT));
	/* A free unit before one that is not. */
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualAlloc(self->base - UNIT, UNIT + PAGE, MEM_RESERVE,
				  PAGE_READONLY));

	EXPECT_TRUE(is_filled(self->base, 4 * PAGE));
	EXPECT_TRUE(is_filled(self->base + self->size - 4 * PAGE, 4 * PAGE));
	EXPECT_TRUE(try_write(self->base));
	EXPECT_FALSE(try_read(self->base + 4 * PAGE));
}

/* Rules: M-11, VA-24 */
TEST(commit_without_charge_changes_nothing)
{
	size_t size = 2 * meminfo("MemTotal") + 2 * meminfo("SwapTotal");
	char *base;

	if (read_number("/proc/sys/vm/overcommit_memory") == 1)
		SKIP(return, "vm.overcommit_memory is 1");
	base = VirtualAlloc(ARENA, size, MEM_RESERVE, PAGE_READWRITE);
	ASSERT_EQ(ARENA, base);
	ASSERT_EQ(base + PAGE, VirtualAlloc(base + PAGE, PAGE, MEM_COMMIT,
					    PAGE_READONLY));
	EXPECT_FAILS(ERROR_COMMITMENT_LIMIT,
		     VirtualAlloc(base, size, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_RESERVED(base, PAGE, base, PAGE_READWRITE);
	EXPECT_COMMITTED(base + PAGE, PAGE, PAGE_READONLY, base,
			 PAGE_READWRITE);
	EXPECT_RESERVED(base + 2 * PAGE, size - 2 * PAGE, base, PAGE_READWRITE);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: M-12 */
TEST_F(region, fresh_pages_are_zero)
{
	COMMIT(0, self->size, PAGE_READONLY);
	EXPECT_TRUE(all_bytes(self->base, self->size, 0));
}

/* Rules: M-12, VF-16 */
TEST_F(region, recommitted_pages_are_zero)
{
	COMMIT(0, self->size, PAGE_READWRITE);
	fill(self->base, self->size);
	DECOMMIT(3 * PAGE, 5 * PAGE);
	COMMIT(3 * PAGE, 5 * PAGE, PAGE_READWRITE);
	EXPECT_TRUE(is_filled(self->base, 3 * PAGE));
	EXPECT_TRUE(all_bytes(self->base + 3 * PAGE, 5 * PAGE, 0));
	EXPECT_TRUE(is_filled(self->base + 8 * PAGE, self->size - 8 * PAGE));

	DECOMMIT(0, self->size);
	COMMIT(0, self->size, PAGE_READWRITE);
	EXPECT_TRUE(all_bytes(self->base, self->size, 0));
}

/* Rules: M-12 */
TEST_F(region, pages_of_a_released_place_are_zero)
{
	int i;

	for (i = 0; i < 3; i++) {
		COMMIT(0, self->size, PAGE_READWRITE);
		EXPECT_TRUE(all_bytes(self->base, self->size, 0));
		fill(self->base, self->size);
		ASSERT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
		ASSERT_EQ(self->base, VirtualAlloc(self->base, self->size,
						   MEM_RESERVE,
						   PAGE_READWRITE));
	}
}

static uint64_t committed(void)
{
	struct winregion_get_info info = { .size = sizeof(info) };

	return winregion_get_info(&info) ? UINT64_MAX : info.out_committed;
}

static uint64_t resident(void *address)
{
	struct winregion_query query = {
		.size = sizeof(query),
		.flags = WINREGION_QUERY_RESIDENT,
		.address = (uintptr_t)address,
	};

	return winregion_query(&query) ? UINT64_MAX : query.out.resident;
}

/* Rules: M-13 */
TEST(commit_charges_at_once_and_takes_memory_at_touch)
{
	const int64_t slack = MIB(2);
	const size_t size = MIB(64);
	uint64_t before = committed();
	int64_t as = committed_as();
	int64_t rss;
	char *base;

	base = VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_READWRITE);
	ASSERT_NE(NULL, base);
	EXPECT_EQ(before, committed());
	EXPECT_GT(as + slack, committed_as());

	rss = self_status("VmRSS");
	ASSERT_EQ(base, VirtualAlloc(base, size, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_EQ(before + size, committed());
	EXPECT_LT(as + (int64_t)size - slack, committed_as());
	EXPECT_EQ(0, resident(base));
	EXPECT_GT(rss + slack, self_status("VmRSS"));

	/* The touch may bring more than its page, but not all. */
	base[0] = 1;
	EXPECT_LE(PAGE, resident(base));
	EXPECT_GE(MIB(2), resident(base));
	EXPECT_EQ(before + size, committed());

	memset(base, 1, size);
	EXPECT_EQ(size, resident(base));
	EXPECT_LT(rss + (int64_t)size - slack, self_status("VmRSS"));
	EXPECT_EQ(before + size, committed());

	ASSERT_TRUE(VirtualFree(base, size / 2, MEM_DECOMMIT));
	EXPECT_EQ(before + size / 2, committed());
	EXPECT_GT(rss + (int64_t)size / 2 + slack, self_status("VmRSS"));
	ASSERT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	EXPECT_EQ(before, committed());
	EXPECT_GT(as + slack, committed_as());
}

TEST_HARNESS_MAIN
