// SPDX-License-Identifier: GPL-2.0
/*
 * Where a reservation goes: address requirements (rules AR-*), which the
 * RESERVE ioctl has and VirtualAlloc has not.
 */
#include "kselftest_harness.h"

#include "memory.h"

/* ARENA and all 1 GiB from it on is empty when a test starts. */
#define ARENA_SIZE GIB(1)

static int reserve(struct winregion_reserve *request)
{
	request->protection = WINREGION_READWRITE;
	return winregion_reserve(request);
}

/* The request fails with @error and reserves nothing. */
#define EXPECT_REFUSED(error, ...) do {					\
	struct winregion_reserve request_ = { __VA_ARGS__ };		\
	struct winregion_reserve before_ = request_;			\
									\
	EXPECT_TRUE(snapshot_before());					\
	EXPECT_EQ(-(error), reserve(&request_));			\
	EXPECT_TRUE(snapshot_unchanged());				\
	EXPECT_EQ(before_.address, request_.address);			\
	EXPECT_EQ(before_.length, request_.length);			\
} while (0)

/* Reserve as the fields say; the base is in @base. */
#define RESERVE(base, ...) do {						\
	struct winregion_reserve request_ = { __VA_ARGS__ };		\
									\
	ASSERT_EQ(0, reserve(&request_));				\
	(base) = request_.address;					\
} while (0)

static bool release(uint64_t base)
{
	return VirtualFree((void *)(uintptr_t)base, 0, MEM_RELEASE);
}

/* Rules: AR-01 */
TEST(no_requirement_allows_an_address)
{
	uint64_t base;

	RESERVE(base, .length = UNIT);
	EXPECT_NE(0, base);
	EXPECT_EQ(0, base % UNIT);
	EXPECT_TRUE(release(base));
	RESERVE(base, .address = (uintptr_t)ARENA + 5, .length = 1);
	EXPECT_EQ((uintptr_t)ARENA, base);
	EXPECT_RESERVED(ARENA, PAGE, ARENA, PAGE_READWRITE);
	EXPECT_TRUE(release(base));
}

/* Rules: AR-02 */
TEST(region_ends_at_the_highest_address)
{
	static const uint64_t highest[] = {
		0x20000fff, 0x2fffffff, 0x2000ffff, 0x7fffffff,
		0x100000ffffff,
	};
	static const uint64_t sizes[] = { 0x1000, 0x10000, 0x11000, 0x200000 };
	uint64_t base;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(highest); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			RESERVE(base, .length = sizes[j],
				.highest = highest[i]);
			EXPECT_EQ(0, base % UNIT);
			EXPECT_LE(USER_LOWEST, base);
			EXPECT_GE(highest[i], base + sizes[j] - 1);
			EXPECT_TRUE(release(base));
		}
	}
}

/* Rules: AR-02 */
TEST(highest_address_is_inclusive)
{
	const uint64_t arena = (uintptr_t)ARENA;
	uint64_t base;

	/* Exactly one place is left, and it ends with the last byte. */
	RESERVE(base, .length = UNIT, .lowest = arena,
		.highest = arena + UNIT - 1);
	EXPECT_EQ(arena, base);
	EXPECT_TRUE(release(base));
	RESERVE(base, .length = PAGE, .lowest = arena,
		.highest = arena + PAGE - 1);
	EXPECT_EQ(arena, base);
	EXPECT_TRUE(release(base));
	EXPECT_REFUSED(ENOSPC, .length = UNIT + PAGE, .lowest = arena,
		       .highest = arena + UNIT - 1);
	EXPECT_REFUSED(ENOSPC, .length = 2 * PAGE, .lowest = arena,
		       .highest = arena + PAGE - 1);
}

/* Rules: AR-01, AR-02 */
TEST(lowest_address_is_inclusive_from_above)
{
	const uint64_t arena = (uintptr_t)ARENA;
	uint64_t base[3];
	size_t i;

	/* Whoever looks from above comes to the lowest place in the end. */
	for (i = 0; i < ARRAY_SIZE(base); i++) {
		RESERVE(base[i], .length = UNIT, .lowest = arena,
			.highest = arena + 3 * UNIT - 1,
			.flags = WINREGION_RESERVE_TOP_DOWN);
		EXPECT_EQ(arena + (2 - i) * UNIT, base[i]);
	}
	EXPECT_REFUSED(ENOSPC, .length = UNIT, .lowest = arena,
		       .highest = arena + 3 * UNIT - 1,
		       .flags = WINREGION_RESERVE_TOP_DOWN);
	for (i = 0; i < ARRAY_SIZE(base); i++)
		EXPECT_TRUE(release(base[i]));
}

/* Rules: AR-03 */
TEST(highest_address_must_end_a_page)
{
	EXPECT_REFUSED(EINVAL, .length = UNIT, .highest = 0x20001001);
	EXPECT_REFUSED(EINVAL, .length = UNIT, .highest = 0x20001000);
	EXPECT_REFUSED(EINVAL, .length = UNIT, .highest = 0x20000ffe);
	EXPECT_REFUSED(EINVAL, .length = UNIT, .highest = 0x200007ff);
}

/* Rules: AR-04 */
TEST(highest_address_must_be_in_the_user_range)
{
	uint64_t base;

	EXPECT_REFUSED(EINVAL, .length = UNIT,
		       .highest = USER_HIGHEST + PAGE);
	EXPECT_REFUSED(EINVAL, .length = UNIT, .highest = USER_END - 1);
	EXPECT_REFUSED(EINVAL, .length = UNIT, .highest = UINT64_MAX);
	RESERVE(base, .length = UNIT, .highest = USER_HIGHEST);
	EXPECT_GE(USER_HIGHEST, base + UNIT - 1);
	EXPECT_TRUE(release(base));
}

/* Rules: AR-05 */
TEST(lowest_address_must_start_a_unit)
{
	uint64_t base;

	EXPECT_REFUSED(EINVAL, .length = UNIT, .lowest = 0x20001000);
	EXPECT_REFUSED(EINVAL, .length = UNIT, .lowest = 0x20000fff);
	EXPECT_REFUSED(EINVAL, .length = UNIT, .lowest = 0x20001001);
	EXPECT_REFUSED(EINVAL, .length = UNIT, .lowest = 0x20008000);
	RESERVE(base, .length = UNIT, .lowest = 0x20010000);
	EXPECT_LE(0x20010000, base);
	EXPECT_TRUE(release(base));
}

/* Rules: AR-06 */
TEST(lowest_address_must_be_below_the_highest)
{
	EXPECT_REFUSED(EINVAL, .length = UNIT, .lowest = USER_HIGHEST + 1);
	EXPECT_REFUSED(EINVAL, .length = UNIT, .lowest = USER_END);
	EXPECT_REFUSED(EINVAL, .length = UNIT, .lowest = 0x20020000,
		       .highest = 0x2001ffff);
	EXPECT_REFUSED(EINVAL, .length = UNIT, .lowest = 0x20020000,
		       .highest = 0x20000fff);
}

/* Rules: AR-07 */
TEST(alignment_must_be_a_power_of_two)
{
	static const uint64_t good[] = {
		0x10000, 0x20000, 0x40000, 0x200000, 0x40000000, 0x4000000000,
	};
	static const uint64_t bad[] = {
		1, 0x1000, 0x8000, 0xffff, 0x10001, 0x30000, 0x18000,
		0x7fffffffffffffff, UINT64_MAX,
	};
	uint64_t base;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		RESERVE(base, .length = UNIT, .alignment = good[i]);
		EXPECT_NE(0, base);
		EXPECT_EQ(0, base % good[i]);
		EXPECT_TRUE(release(base));
		RESERVE(base, .length = MIB(3), .alignment = good[i],
			.flags = WINREGION_RESERVE_TOP_DOWN);
		EXPECT_NE(0, base);
		EXPECT_EQ(0, base % good[i]);
		EXPECT_TRUE(release(base));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_REFUSED(EINVAL, .length = UNIT, .alignment = bad[i]);
}

/* Rules: AR-07 */
TEST(alignment_holds_inside_limits)
{
	const uint64_t arena = (uintptr_t)ARENA;
	uint64_t base;

	/* The one place of 4 MiB alignment between the limits. */
	RESERVE(base, .length = UNIT, .lowest = arena + UNIT,
		.highest = arena + MIB(8) - 1, .alignment = MIB(4));
	EXPECT_EQ(arena + MIB(4), base);
	EXPECT_REFUSED(ENOSPC, .length = UNIT, .lowest = arena + UNIT,
		       .highest = arena + MIB(8) - 1, .alignment = MIB(4));
	EXPECT_TRUE(release(base));
	EXPECT_REFUSED(ENOSPC, .length = UNIT, .lowest = arena + UNIT,
		       .highest = arena + MIB(4) - 1, .alignment = MIB(4));
}

/* Rules: AR-08 */
TEST(requirement_that_no_hole_meets_fails)
{
	const uint64_t arena = (uintptr_t)ARENA;
	uint64_t bases[4];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		RESERVE(bases[i], .length = UNIT, .lowest = arena,
			.highest = arena + 4 * UNIT - 1);
		EXPECT_LE(arena, bases[i]);
		EXPECT_GT(arena + 4 * UNIT, bases[i]);
	}
	EXPECT_REFUSED(ENOSPC, .length = 1, .lowest = arena,
		       .highest = arena + 4 * UNIT - 1);
	EXPECT_REFUSED(ENOSPC, .length = 1, .lowest = arena,
		       .highest = arena + 4 * UNIT - 1,
		       .flags = WINREGION_RESERVE_TOP_DOWN);
	EXPECT_TRUE(release(bases[2]));
	EXPECT_REFUSED(ENOSPC, .length = UNIT + 1, .lowest = arena,
		       .highest = arena + 4 * UNIT - 1);
	RESERVE(bases[3], .length = UNIT, .lowest = arena,
		.highest = arena + 4 * UNIT - 1);
	EXPECT_EQ(bases[2], bases[3]);
}

/* Rules: AR-09 */
TEST(address_excludes_requirements)
{
	const uint64_t arena = (uintptr_t)ARENA;

	EXPECT_REFUSED(EINVAL, .address = arena, .length = UNIT,
		       .lowest = arena);
	EXPECT_REFUSED(EINVAL, .address = arena, .length = UNIT,
		       .highest = USER_HIGHEST);
	EXPECT_REFUSED(EINVAL, .address = arena, .length = UNIT,
		       .alignment = UNIT);
}

/* Rules: AR-11 */
TEST(top_down_takes_the_highest_fit)
{
	static const uint64_t sizes[] = { PAGE, UNIT, MIB(1), MIB(5) };
	const uint64_t arena = (uintptr_t)ARENA;
	uint64_t base, end, high;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		end = (arena + ARENA_SIZE - sizes[i]) & ~(UNIT - 1);
		RESERVE(base, .length = sizes[i], .lowest = arena,
			.highest = arena + ARENA_SIZE - 1,
			.flags = WINREGION_RESERVE_TOP_DOWN);
		EXPECT_EQ(end, base);
		/* The next one below it. */
		RESERVE(high, .length = sizes[i], .lowest = arena,
			.highest = arena + ARENA_SIZE - 1,
			.flags = WINREGION_RESERVE_TOP_DOWN);
		EXPECT_EQ((base - sizes[i]) & ~(UNIT - 1), high);
		EXPECT_TRUE(release(high));
		EXPECT_TRUE(release(base));
		/* Aligned. */
		RESERVE(base, .length = sizes[i], .lowest = arena,
			.highest = arena + ARENA_SIZE - 1,
			.alignment = MIB(16),
			.flags = WINREGION_RESERVE_TOP_DOWN);
		EXPECT_EQ(arena + ARENA_SIZE - MIB(16), base);
		EXPECT_TRUE(release(base));
	}
}

/* Rules: AR-11 */
TEST(top_down_passes_over_what_is_in_use)
{
	const uint64_t arena = (uintptr_t)ARENA;
	uint64_t blocker, base;

	RESERVE(blocker, .address = arena + ARENA_SIZE - MIB(1),
		.length = PAGE);
	ASSERT_EQ(arena + ARENA_SIZE - MIB(1), blocker);
	/* Above it is room for less than 1 MiB. */
	RESERVE(base, .length = MIB(1), .lowest = arena,
		.highest = arena + ARENA_SIZE - 1,
		.flags = WINREGION_RESERVE_TOP_DOWN);
	EXPECT_EQ(blocker - MIB(1), base);
	EXPECT_TRUE(release(base));
	RESERVE(base, .length = MIB(1) - UNIT, .lowest = arena,
		.highest = arena + ARENA_SIZE - 1,
		.flags = WINREGION_RESERVE_TOP_DOWN);
	EXPECT_EQ(blocker + UNIT, base);
	EXPECT_TRUE(release(base));
	EXPECT_TRUE(release(blocker));
}

/* Rules: AR-02, AR-08 */
TEST(limits_pass_over_other_mappings)
{
	const uint64_t arena = (uintptr_t)ARENA;
	char *map = mmap(ARENA + UNIT + 3 * PAGE, PAGE, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			 0);
	uint64_t base;

	ASSERT_EQ(ARENA + UNIT + 3 * PAGE, map);
	EXPECT_REFUSED(ENOSPC, .length = 2 * UNIT, .lowest = arena,
		       .highest = arena + 3 * UNIT - 1);
	RESERVE(base, .length = UNIT + 3 * PAGE, .lowest = arena,
		.highest = arena + 3 * UNIT - 1);
	EXPECT_EQ(arena, base);
	RESERVE(base, .length = UNIT, .lowest = arena,
		.highest = arena + 3 * UNIT - 1);
	EXPECT_EQ(arena + 2 * UNIT, base);
	EXPECT_REFUSED(ENOSPC, .length = UNIT, .lowest = arena,
		       .highest = arena + 3 * UNIT - 1);
}

TEST_HARNESS_MAIN
