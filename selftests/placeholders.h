/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of placeholders share: short names of the calls, and the fixture
 * "placeholder": one, once for each kind of place that it can have.
 */
#ifndef _SELFTESTS_PLACEHOLDERS_H
#define _SELFTESTS_PLACEHOLDERS_H

#include <winregion/memoryapi.h>

#include "memory.h"

#define MAKE (MEM_RESERVE | MEM_RESERVE_PLACEHOLDER)
#define REPLACE (MEM_RESERVE | MEM_REPLACE_PLACEHOLDER)
#define REPLACE_NOW (REPLACE | MEM_COMMIT)
#define PRESERVE (MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER)
#define COALESCE (MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS)

static inline char *alloc2(const void *address, size_t size, ULONG type,
			   ULONG protect)
{
	return VirtualAlloc2(NULL, (void *)address, size, type, protect, NULL,
			     0);
}

static inline BOOL preserve(char *address, size_t size)
{
	return VirtualFree(address, size, PRESERVE);
}

static inline BOOL coalesce(char *address, size_t size)
{
	return VirtualFree(address, size, COALESCE);
}

static inline bool is_zero(const char *address, size_t size)
{
	while (size && !*address) {
		address++;
		size--;
	}
	return !size;
}

/* Is just this range a placeholder? As far as a query can tell one. */
#define EXPECT_PLACEHOLDER(address, size)				\
	EXPECT_RESERVED(address, size, address, PAGE_NOACCESS)

/* End all that is in a range. */
static inline bool release_all(char *base, size_t size)
{
	MEMORY_BASIC_INFORMATION mbi;
	char *at = base;
	BOOL done = TRUE;

	while (done && at < base + size) {
		if (!VirtualQuery(at, &mbi, sizeof(mbi)))
			return false;
		if (mbi.Type == MEM_MAPPED)
			done = UnmapViewOfFile(mbi.AllocationBase);
		else if (mbi.State != MEM_FREE)
			done = VirtualFree(mbi.AllocationBase, 0, MEM_RELEASE);
		at = (char *)mbi.BaseAddress + mbi.RegionSize;
	}
	return done;
}

/* For a child: 0 if nothing of the range is free, and all of it can be released */
static inline int look_for_holes(char *base, size_t size)
{
	MEMORY_BASIC_INFORMATION mbi;
	char *at;

	for (at = base; at < base + size; at += mbi.RegionSize)
		if (!VirtualQuery(at, &mbi, sizeof(mbi)) ||
		    mbi.State == MEM_FREE)
			return 1;
	return release_all(base, size) ? 0 : 2;
}

FIXTURE(placeholder) {
	char *base;
	size_t size;
};

FIXTURE_VARIANT(placeholder) {
	char *address;
	size_t size;
};

/* At an address of the test's: a mapping of its own. */
FIXTURE_VARIANT_ADD(placeholder, given) {
	.address = ARENA,
	.size = UNIT,
};

/* Anywhere: a small one may share its mapping with others. */
FIXTURE_VARIANT_ADD(placeholder, small) {
	.address = NULL,
	.size = UNIT,
};

/* Anywhere: a large one, whose pages may become large. */
FIXTURE_VARIANT_ADD(placeholder, large) {
	.address = NULL,
	.size = MIB(8),
};

FIXTURE_SETUP(placeholder)
{
	self->size = variant->size;
	self->base = alloc2(variant->address, self->size, MAKE, PAGE_NOACCESS);
	ASSERT_NE(NULL, self->base);
}

FIXTURE_TEARDOWN(placeholder)
{
	EXPECT_TRUE(release_all(self->base, self->size));
}

#endif /* _SELFTESTS_PLACEHOLDERS_H */
