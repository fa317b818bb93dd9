/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_QUERY_H
#define _WR_QUERY_H

#include "space.h"

int wr_query(struct wr_space *space, unsigned long addr, u32 flags,
	     struct winregion_run *run);
int wr_query_region(struct wr_space *space, unsigned long addr, u32 flags,
		    struct winregion_run *run);

#endif /* _WR_QUERY_H */
