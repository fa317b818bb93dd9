/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_QUERY_H
#define _WR_QUERY_H

#include "space.h"

int wr_query_runs(struct wr_space *space, u64 *addr, u64 last, u32 flags,
		  struct winregion_run *runs, unsigned int max);
bool wr_query_at_once(u64 addr, struct winregion_run *run);
int wr_query(u64 addr, u32 flags, struct winregion_run *run);

#endif /* _WR_QUERY_H */
