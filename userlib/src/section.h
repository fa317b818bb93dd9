/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _WR_SECTION_H
#define _WR_SECTION_H

#include "internal.h"

/* Rule CM-31: no section is so large, and no view (rule MV-23). */
#define WR_TOO_LARGE ((uint64_t)1 << 47)

/* NULL in a program without sections */
extern const struct wr_kind wr_section_kind __attribute__((weak));

struct wr_section {
	struct wr_object object;
	/* Where its pages are to be, if a view does not say so */
	bool has_node;
	ULONG node;
};

/* What a section or view with a protection lets others see, or lets run */
static inline bool wr_writes(ULONG protect)
{
	return protect & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE);
}

static inline bool wr_executes(ULONG protect)
{
	return protect & (PAGE_EXECUTE | PAGE_EXECUTE_READ |
			  PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY);
}

#endif /* _WR_SECTION_H */
