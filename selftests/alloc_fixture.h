/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture "alloc", for tests of the ioctls: the device, and a region of
 * committed, writable pages.
 */
#ifndef _SELFTESTS_ALLOC_FIXTURE_H
#define _SELFTESTS_ALLOC_FIXTURE_H

#include "wr_test_util.h"

/* Of the small region; the large one has more. */
#define NR_PAGES 16

FIXTURE(alloc)
{
	int fd;
	char *base;
};

FIXTURE_VARIANT(alloc)
{
	uint64_t size;
};

/* In a window with others */
FIXTURE_VARIANT_ADD(alloc, small)
{
	.size = PAGES(NR_PAGES),
};

/* In a window of its own */
FIXTURE_VARIANT_ADD(alloc, large)
{
	.size = MIB(4),
};

FIXTURE_SETUP(alloc)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->base = wr_alloc(self->fd, variant->size);
	ASSERT_NE(NULL, self->base);
}

FIXTURE_TEARDOWN(alloc)
{
	close(self->fd);
}

#endif /* _SELFTESTS_ALLOC_FIXTURE_H */
