// SPDX-License-Identifier: GPL-2.0
/*
 * Output variables in bad places: in the very pages that a call changes, where
 * what was done is told nevertheless (rule M-14), and where they cannot be
 * written before it either, in which case nothing is done.
 */
#include "kselftest_harness.h"

#include <pthread.h>

#include "region_fixture.h"
#include "wr_test_util.h"

/* The variables of a call, wherever they are */
struct outputs {
	PVOID base;
	SIZE_T size;
	ULONG old;
};

/* Put them to @offset of the region, about @size bytes from there on. */
static struct outputs *outputs_at(char *base, size_t offset, SIZE_T size)
{
	struct outputs *out = (void *)(base + offset);

	out->base = base + offset;
	out->size = size;
	out->old = POISON;
	return out;
}

static const DWORD unwritable[] = {
	PAGE_READONLY,
	PAGE_NOACCESS,
	PAGE_READWRITE | PAGE_GUARD,
	PAGE_EXECUTE,
	PAGE_EXECUTE_READ,
};

/* Without those of code, where that is refused */
static size_t nr_unwritable(void)
{
	return ARRAY_SIZE(unwritable) - (code_is_refused() ? 2 : 0);
}

/* Who tries to tell what was done touches the page, and so takes a guard (GP-10). */
static DWORD once_touched(DWORD protect)
{
	return protect & ~(DWORD)PAGE_GUARD;
}

/* Is all of it so, or without its guard? The runs of pages differ then. */
static bool all_are(const char *base, size_t size, DWORD protect)
{
	MEMORY_BASIC_INFORMATION info;
	size_t at;

	for (at = 0; at < size; at += PAGE)
		if (!VirtualQuery(base + at, &info, sizeof(info)) ||
		    (info.Protect != protect &&
		     info.Protect != once_touched(protect)))
			return false;
	return true;
}

/* Where the variables are in their page: also at its very end */
static const size_t places[] = { 0, 40, PAGE - sizeof(struct outputs) };

/* Rules: M-14 */
TEST_F(region, old_protection_in_the_page)
{
	size_t nr = nr_unwritable();
	struct outputs *out;
	size_t i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < ARRAY_SIZE(places); j++) {
			COMMIT(0, 2 * PAGE, PAGE_READWRITE);
			out = outputs_at(self->base, places[j], 1);
			EXPECT_TRUE(VirtualProtect(self->base, 1,
						   unwritable[i], &out->old)) {
				TH_LOG("protection %#x", unwritable[i]);
			}
			EXPECT_TRUE(all_are(self->base, PAGE, unwritable[i]));
			COMMIT(0, 2 * PAGE, PAGE_READWRITE);
			EXPECT_EQ(POISON, out->old);
		}
}

/* Rules: M-14. What can be written still is. */
TEST_F(region, outputs_in_a_page_that_stays_writable)
{
	struct outputs *out;

	COMMIT(0, 2 * PAGE, PAGE_READWRITE);
	out = outputs_at(self->base, 40, 1);
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtProtectVirtualMemory(SELF, &out->base, &out->size,
					     code_or(PAGE_EXECUTE_READWRITE,
						     PAGE_READWRITE),
					     &out->old));
	EXPECT_EQ((PVOID)self->base, out->base);
	EXPECT_EQ(PAGE, out->size);
	EXPECT_EQ(PAGE_READWRITE, out->old);
	out->size = PAGE + 1;
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtAllocateVirtualMemory(SELF, &out->base, 0, &out->size,
					      MEM_COMMIT, PAGE_READWRITE));
	EXPECT_EQ((PVOID)self->base, out->base);
	EXPECT_EQ(2 * PAGE, out->size);
}

/* Rules: M-14. One is in the pages that change, the other is beside them. */
TEST_F(region, one_output_in_the_page)
{
	PVOID base = self->base + PAGE + 7;
	SIZE_T size = 1;
	SIZE_T *inside = (void *)(self->base + PAGE);
	ULONG *old = (void *)(self->base + 2 * PAGE);

	COMMIT(0, 3 * PAGE, PAGE_READWRITE);
	*inside = 1;
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtProtectVirtualMemory(SELF, &base, inside,
					     PAGE_READONLY, old));
	EXPECT_EQ((PVOID)(self->base + PAGE), base);
	EXPECT_EQ(1, *inside);
	EXPECT_EQ(PAGE_READWRITE, *old);
	*old = POISON;
	base = (PVOID)old;
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtProtectVirtualMemory(SELF, &base, &size,
					     PAGE_NOACCESS, old));
	EXPECT_EQ((PVOID)old, base);
	EXPECT_EQ(PAGE, size);
	REGION_COMMITTED(2 * PAGE, PAGE, PAGE_NOACCESS);
}

/* Rules: M-14. A variable that lies in two pages is written whole or not. */
TEST_F(region, output_across_the_edge)
{
	DWORD *old = (void *)(self->base + PAGE - 2);

	COMMIT(0, 2 * PAGE, PAGE_READWRITE);
	*old = POISON;
	EXPECT_TRUE(VirtualProtect(self->base + PAGE, 1, PAGE_READONLY, old));
	EXPECT_EQ(POISON, *old);
	COMMIT(0, 2 * PAGE, PAGE_READWRITE);
	EXPECT_TRUE(VirtualProtect(self->base, 1, PAGE_NOACCESS, old));
	COMMIT(0, 2 * PAGE, PAGE_READWRITE);
	EXPECT_EQ(POISON, *old);
}

/* Rules: M-14 */
TEST_F(region, range_in_the_page_protected)
{
	struct outputs *out;
	ULONG old;
	size_t i;

	for (i = 0; i < nr_unwritable(); i++) {
		COMMIT(0, 2 * PAGE, PAGE_READWRITE);
		out = outputs_at(self->base, 40, PAGE);
		old = POISON;
		EXPECT_STATUS(STATUS_SUCCESS,
			      NtProtectVirtualMemory(SELF, &out->base,
						     &out->size, unwritable[i],
						     &old));
		EXPECT_EQ(PAGE_READWRITE, old);
		EXPECT_TRUE(all_are(self->base, 2 * PAGE, unwritable[i]));
	}
}

/* Rules: M-14 */
TEST_F(region, range_in_the_page_committed_again)
{
	struct outputs *out;
	size_t i;

	for (i = 0; i < nr_unwritable(); i++) {
		COMMIT(0, 2 * PAGE, PAGE_READWRITE);
		out = outputs_at(self->base, 40, PAGE);
		EXPECT_STATUS(STATUS_SUCCESS,
			      NtAllocateVirtualMemory(SELF, &out->base, 0,
						      &out->size, MEM_COMMIT,
						      unwritable[i]));
		EXPECT_TRUE(all_are(self->base, 2 * PAGE, unwritable[i]));
	}
}

/* Rules: M-14 */
TEST_F(region, range_in_the_page_decommitted)
{
	struct outputs *out;

	COMMIT(0, 3 * PAGE, PAGE_READWRITE);
	out = outputs_at(self->base, 0, PAGE);
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtFreeVirtualMemory(SELF, &out->base, &out->size,
					  MEM_DECOMMIT));
	REGION_RESERVED(0, PAGE);
	REGION_COMMITTED(PAGE, 2 * PAGE, PAGE_READWRITE);
	/* All of the region, of which no size is told */
	out = outputs_at(self->base, 2 * PAGE, 0);
	out->base = self->base + 1;
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtFreeVirtualMemory(SELF, &out->base, &out->size,
					  MEM_DECOMMIT));
	REGION_RESERVED(0, self->size);
}

/* Rules: M-14 */
TEST(range_in_the_region_released)
{
	static const SIZE_T sizes[] = { 0, PAGE, UNIT };
	struct outputs *out;
	char *base;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		base = VirtualAlloc(ARENA, UNIT, MEM_COMMIT | MEM_RESERVE,
				    PAGE_READWRITE);
		ASSERT_EQ(ARENA, base);
		out = outputs_at(base, 0, sizes[i]);
		EXPECT_STATUS(STATUS_SUCCESS,
			      NtFreeVirtualMemory(SELF, &out->base,
						  &out->size, MEM_RELEASE));
		EXPECT_FREE(base);
		if (sizes[i] == PAGE)
			EXPECT_TRUE(VirtualFree(base + PAGE, 0, MEM_RELEASE));
	}
}

/* Rules: VA-29, VP-04, M-14. Bad before the call: nothing is done. */
TEST_F(region, outputs_that_never_were_writable)
{
	static const DWORD bad[] = {
		PAGE_READONLY, PAGE_NOACCESS, PAGE_EXECUTE_READ,
	};
	struct outputs *out;
	PVOID base = self->base + 2 * PAGE;
	SIZE_T size = PAGE;
	ULONG old;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad) - code_is_refused(); i++) {
		COMMIT(0, 3 * PAGE, PAGE_READWRITE);
		out = outputs_at(self->base, 0, PAGE);
		COMMIT(0, PAGE, bad[i]);
		EXPECT_STATUS_FAILS(STATUS_ACCESS_VIOLATION,
				    NtProtectVirtualMemory(SELF, &base, &size,
							   PAGE_NOACCESS,
							   &out->old));
		EXPECT_STATUS_FAILS(STATUS_ACCESS_VIOLATION,
				    NtProtectVirtualMemory(SELF, &out->base,
							   &size, PAGE_NOACCESS,
							   &old));
		EXPECT_STATUS_FAILS(STATUS_ACCESS_VIOLATION,
				    NtAllocateVirtualMemory(SELF, &base, 0,
							    &out->size,
							    MEM_COMMIT,
							    PAGE_READONLY));
		EXPECT_STATUS_FAILS(STATUS_ACCESS_VIOLATION,
				    NtFreeVirtualMemory(SELF, &out->base, &size,
							MEM_DECOMMIT));
		EXPECT_FAILS(ERROR_NOACCESS,
			     VirtualProtect(base, PAGE, PAGE_NOACCESS,
					    &out->old));
		EXPECT_EQ((PVOID)(self->base + 2 * PAGE), base);
		EXPECT_EQ(PAGE, size);
		REGION_COMMITTED(0, PAGE, bad[i]);
		REGION_COMMITTED(PAGE, 2 * PAGE, PAGE_READWRITE);
	}
}

/* Rules: GP-10, VP-04. The call fails, and has taken the guard; nothing else. */
TEST_F(region, output_on_a_guard)
{
	struct outputs *out;

	COMMIT(0, 3 * PAGE, PAGE_READWRITE);
	out = outputs_at(self->base, 0, PAGE);
	COMMIT(0, PAGE, PAGE_READWRITE | PAGE_GUARD);
	EXPECT_FALSE(VirtualProtect(self->base + 2 * PAGE, PAGE, PAGE_NOACCESS,
				    &out->old));
	EXPECT_EQ(ERROR_NOACCESS, GetLastError());
	REGION_COMMITTED(0, 3 * PAGE, PAGE_READWRITE);
	EXPECT_EQ(POISON, out->old);
	EXPECT_TRUE(VirtualProtect(self->base + 2 * PAGE, PAGE, PAGE_NOACCESS,
				   &out->old));
	EXPECT_EQ(PAGE_READWRITE, out->old);
}

/*
 * A stack that is a region, with one page of it made read-only from below: a
 * local variable there is as bad as any other.
 */
struct on_stack {
	pthread_t thread;
	char *stack;
	int line;
};

static int use_local_page(void)
{
	char local[4 * PAGE];
	char *page = (char *)(((uintptr_t)local + PAGE) & ~(PAGE - 1));
	DWORD *low = (void *)page, *high = (void *)(page + PAGE - 4);
	DWORD old = POISON;

	*low = POISON;
	*high = POISON;
	/* What becomes read-only has the variable in it, and none of the frames. */
	CHECK(VirtualProtect(page, 1, PAGE_READONLY, low));
	CHECK(*low == POISON);
	CHECK(!VirtualProtect(page, 1, PAGE_NOACCESS, low));
	CHECK(GetLastError() == ERROR_NOACCESS);
	CHECK(!VirtualProtect(page, 1, PAGE_NOACCESS, high));
	CHECK(GetLastError() == ERROR_NOACCESS);
	CHECK(VirtualProtect(page, 1, PAGE_READWRITE, &old));
	CHECK(old == PAGE_READONLY);
	CHECK(VirtualProtect(page, 1, PAGE_NOACCESS, high));
	CHECK(VirtualProtect(page, 1, PAGE_READWRITE, &old));
	CHECK(old == PAGE_NOACCESS && *high == POISON);
	return 0;
}

/* Frames of any depth in front of it: the page may be next to the library's. */
static __attribute__((noinline)) int use_local_page_below(unsigned int depth)
{
	volatile char room[64 + 16 * (depth % 256)];

	room[0] = 0;
	return use_local_page() + room[0];
}

static void *run_on_stack(void *arg)
{
	struct on_stack *on = arg;
	unsigned int depth;

	for (depth = 0; depth < 256 && !on->line; depth++)
		on->line = use_local_page_below(depth);
	return NULL;
}

/* Rules: M-14, VP-04 */
TEST(outputs_on_a_stack_that_is_a_region)
{
	struct on_stack on = { 0 };
	pthread_attr_t attr;

	on.stack = VirtualAlloc(NULL, MIB(1), MEM_RESERVE | MEM_COMMIT,
				PAGE_READWRITE);
	ASSERT_NE(NULL, on.stack);
	ASSERT_EQ(0, pthread_attr_init(&attr));
	ASSERT_EQ(0, pthread_attr_setstack(&attr, on.stack, MIB(1)));
	ASSERT_EQ(0, pthread_create(&on.thread, &attr, run_on_stack, &on));
	ASSERT_EQ(0, pthread_join(on.thread, NULL));
	EXPECT_EQ(0, on.line);
	EXPECT_TRUE(VirtualFree(on.stack, 0, MEM_RELEASE));
}

TEST_HARNESS_MAIN
