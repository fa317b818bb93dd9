/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the Win32 and NT names share: one-line checks of what a
 * query says, and of calls that must fail and leave everything as it was.
 *
 * Include it after kselftest_harness.h, whose macros it uses.
 */
#ifndef _SELFTESTS_MEMORY_H
#define _SELFTESTS_MEMORY_H

#include <winregion/nt.h>
#include <winregion/windows.h>
#include <winregion/winregion.h>

#include "common.h"

#define PAGE PAGES(1)
#define UNIT KIB(64)

/* An output that still has this value was not written. */
#define POISON 0xcccccccc

/* Far from where the kernel puts anything: nothing but the test's is there. */
#define ARENA ((char *)0x100000000000)

/* The handle of this process. */
#define SELF ((HANDLE)~(uintptr_t)0)

/* Not an address of the user's. */
#define KERNEL_ADDRESS ((char *)0xffff800000000000)

/* One line that says what is at an address */

static inline void print_mbi(const char *what,
			     const MEMORY_BASIC_INFORMATION *mbi)
{
	fprintf(stderr,
		"# %s %p + %#zx state %#x protect %#x type %#x allocation %p protect %#x\n",
		what, mbi->BaseAddress, (size_t)mbi->RegionSize,
		(unsigned int)mbi->State, (unsigned int)mbi->Protect,
		(unsigned int)mbi->Type, mbi->AllocationBase,
		(unsigned int)mbi->AllocationProtect);
}

/* Does a query of @address say exactly this? A @size of 0 is any size. */
static inline bool mbi_is(const void *address, size_t size, DWORD state,
			  DWORD protect, const void *allocation,
			  DWORD allocation_protect)
{
	MEMORY_BASIC_INFORMATION want = {
		.BaseAddress = (void *)((uintptr_t)address & ~(PAGE - 1)),
		.AllocationBase = (void *)allocation,
		.AllocationProtect = allocation_protect,
		.RegionSize = size,
		.State = state,
		.Protect = protect,
		.Type = state == MEM_FREE ? 0 : MEM_PRIVATE,
	};
	MEMORY_BASIC_INFORMATION is;

	memset(&is, 0xcc, sizeof(is));
	if (VirtualQuery(address, &is, sizeof(is)) != sizeof(is)) {
		fprintf(stderr, "# no query of %p: error %u\n", address,
			(unsigned int)GetLastError());
		return false;
	}
	if (!size)
		want.RegionSize = is.RegionSize;
	if (is.BaseAddress == want.BaseAddress &&
	    is.AllocationBase == want.AllocationBase &&
	    is.AllocationProtect == want.AllocationProtect &&
	    is.RegionSize == want.RegionSize && is.State == want.State &&
	    is.Protect == want.Protect && is.Type == want.Type)
		return true;
	print_mbi("expected", &want);
	print_mbi("found   ", &is);
	return false;
}

/* A run of @size committed pages starts with that of @address. */
#define EXPECT_COMMITTED(address, size, protect, base, base_protect)	\
	EXPECT_TRUE(mbi_is(address, size, MEM_COMMIT, protect, base,	\
			   base_protect))

/* A run of @size reserved pages starts with that of @address. */
#define EXPECT_RESERVED(address, size, base, base_protect)		\
	EXPECT_TRUE(mbi_is(address, size, MEM_RESERVE, 0, base,		\
			   base_protect))

/* The page of @address is free. */
#define EXPECT_FREE(address)						\
	EXPECT_TRUE(mbi_is(address, 0, MEM_FREE, PAGE_NOACCESS, NULL, 0))

/* All regions of the process, to compare */

struct snapshot {
	struct winregion_run runs[256];
	__u32 nr;
};

static struct snapshot snapshots[2];

static inline bool take_snapshot(struct snapshot *snapshot)
{
	struct winregion_query_runs query = {
		.size = sizeof(query),
		.flags = WINREGION_QUERY_REGIONS,
		.last = USER_HIGHEST,
		.runs = (uintptr_t)snapshot->runs,
		.nr_runs = ARRAY_SIZE(snapshot->runs),
	};

	memset(snapshot, 0, sizeof(*snapshot));
	if (winregion_query_runs(&query) || query.address <= query.last)
		return false;
	snapshot->nr = query.nr_runs;
	return true;
}

static inline bool snapshot_before(void)
{
	return take_snapshot(&snapshots[0]);
}

/* Is every page of every region as it was at snapshot_before()? */
static inline bool snapshot_unchanged(void)
{
	return take_snapshot(&snapshots[1]) &&
	       !memcmp(&snapshots[0], &snapshots[1], sizeof(snapshots[0]));
}

/* Calls that must fail and change nothing */

/* @call returns 0 or NULL with @error. */
#define EXPECT_FAILS(error, call) do {					\
	uintptr_t result_;						\
	DWORD error_;							\
									\
	EXPECT_TRUE(snapshot_before());					\
	SetLastError(POISON);						\
	result_ = (uintptr_t)(call);					\
	error_ = GetLastError();					\
	EXPECT_EQ(0, result_);						\
	EXPECT_EQ((DWORD)(error), error_);				\
	EXPECT_TRUE(snapshot_unchanged());				\
} while (0)

/* @call returns the NTSTATUS @status. */
#define EXPECT_STATUS_FAILS(status, call) do {				\
	EXPECT_TRUE(snapshot_before());					\
	EXPECT_EQ((__u32)(status), (__u32)(call));			\
	EXPECT_TRUE(snapshot_unchanged());				\
} while (0)

#define EXPECT_STATUS(status, call)					\
	EXPECT_EQ((__u32)(status), (__u32)(call))

static inline uint32_t fill_word(const uint32_t *word)
{
	return (uintptr_t)word * 2654435761u + 1;
}

/* Fill @size bytes with numbers that tell every page from the next. */
static inline void fill(void *address, size_t size)
{
	uint32_t *word = address;
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++)
		word[i] = fill_word(&word[i]);
}

static inline bool is_filled(const void *address, size_t size)
{
	const uint32_t *word = address;
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++)
		if (word[i] != fill_word(&word[i]))
			return false;
	return true;
}

#endif /* _SELFTESTS_MEMORY_H */
