/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture "region": a reserved region, READWRITE, once for each kind of
 * place that a region can have.
 */
#ifndef _SELFTESTS_REGION_FIXTURE_H
#define _SELFTESTS_REGION_FIXTURE_H

#include "memory.h"

FIXTURE(region) {
	char *base;
	size_t size;
};

FIXTURE_VARIANT(region) {
	char *address;
	size_t size;
};

/* At an address of the test's: a mapping of its own. */
FIXTURE_VARIANT_ADD(region, given) {
	.address = ARENA,
	.size = UNIT,
};

/* Anywhere: a small one may share its mapping with others. */
FIXTURE_VARIANT_ADD(region, small) {
	.address = NULL,
	.size = UNIT,
};

/* Anywhere: a large one may use large pages. */
FIXTURE_VARIANT_ADD(region, large) {
	.address = NULL,
	.size = MIB(8),
};

FIXTURE_SETUP(region)
{
	self->size = variant->size;
	self->base = VirtualAlloc(variant->address, self->size, MEM_RESERVE,
				  PAGE_READWRITE);
	ASSERT_NE(NULL, self->base);
}

FIXTURE_TEARDOWN(region)
{
	EXPECT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
}

/* Commit @size bytes at @offset with @protect, and be sure of it. */
#define COMMIT(offset, size, protect)					\
	ASSERT_EQ(self->base + (offset),				\
		  VirtualAlloc(self->base + (offset), size, MEM_COMMIT,	\
			       protect))

#define DECOMMIT(offset, size)						\
	ASSERT_TRUE(VirtualFree(self->base + (offset), size, MEM_DECOMMIT))

/* EXPECT_COMMITTED() and EXPECT_RESERVED() of this region. */
#define REGION_COMMITTED(offset, size, protect)				\
	EXPECT_COMMITTED(self->base + (offset), size, protect, self->base, \
			 PAGE_READWRITE)
#define REGION_RESERVED(offset, size)					\
	EXPECT_RESERVED(self->base + (offset), size, self->base,	\
			PAGE_READWRITE)

#endif /* _SELFTESTS_REGION_FIXTURE_H */
