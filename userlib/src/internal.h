/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the layers of the library share
 */
#ifndef _WINREGION_INTERNAL_H
#define _WINREGION_INTERNAL_H

#include <linux/winregion.h>
#include <winregion/nt.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The families of calls that have statuses of their own for an errno */
enum wr_family {
	WR_ALLOCATE,
	WR_FREE,
	WR_PROTECT,
	WR_QUERY,
	WR_FAMILIES
};

/* error.c: the status for @err: 0 or -errno */
NTSTATUS wr_status(enum wr_family family, int err);

/* probe.c: whether @length bytes at @pointer can be written */
int wr_writable(const void *pointer, size_t length);

/* error.c: set the last error to that of @status; returns NT_SUCCESS() */
BOOL wr_succeeded(NTSTATUS status);

#endif /* _WINREGION_INTERNAL_H */
