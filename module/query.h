/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_QUERY_H
#define _WR_QUERY_H

#include "space.h"

int wr_query_runs(struct wr_space *space, u64 *addr, u64 last, u32 flags,
		  struct winregion_run *runs, unsigned int max);
long wr_query_plain(struct winregion_query __user *user);
int wr_query(u64 addr, u32 flags, struct winregion_run *run);

#endif /* _WR_QUERY_H */
