/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _WR_EXTENDED_H
#define _WR_EXTENDED_H

#include "internal.h"

/* What is asked for by a list of extended parameters; 0: nothing */
struct wr_extended {
	uint64_t lowest;
	uint64_t highest;
	SIZE_T alignment;
	/* A node is preferred. */
	bool has_node;
	ULONG node;
};

/*
 * nt.c: what a call with such a list allocates. @range must be a variable of the
 * library's own; on success it is what was really changed.
 */
NTSTATUS wr_allocate_extended(HANDLE process, struct wr_range *range,
			      ULONG type, ULONG protect,
			      const MEM_EXTENDED_PARAMETER *list, ULONG count);

/* extended.c: read it */
NTSTATUS wr_extended_read(const MEM_EXTENDED_PARAMETER *list, ULONG count,
			  struct wr_extended *extended);

#endif /* _WR_EXTENDED_H */
