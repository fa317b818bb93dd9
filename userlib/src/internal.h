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

/* A range of addresses: first as it was passed, then as it was changed */
struct wr_range {
	PVOID base;
	SIZE_T size;
};

/*
 * nt.c: the NtXxxVirtualMemory() calls. @range must be a variable of the
 * library's own; on success it is what was really changed.
 */
NTSTATUS wr_allocate(HANDLE process, struct wr_range *range,
		     ULONG_PTR zero_bits, ULONG type, ULONG protect);
NTSTATUS wr_free(HANDLE process, struct wr_range *range, ULONG type);
NTSTATUS wr_protect(HANDLE process, struct wr_range *range, ULONG protect,
		    PULONG old_protect);

/* probe.c: whether @length bytes at @pointer can be written */
int wr_writable(const void *pointer, size_t length);

/* probe.c: the same of what could be, before the pages of @changed were changed */
int wr_still_writable(const void *pointer, size_t length,
		      const struct wr_range *changed);

/* error.c: set the last error to that of @status; returns NT_SUCCESS() */
BOOL wr_succeeded(NTSTATUS status);

#endif /* _WINREGION_INTERNAL_H */
