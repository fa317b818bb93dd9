/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_QUERY_H
#define _WR_QUERY_H

#include "protection.h"
#include "space.h"

/**
 * struct wr_found - a run of pages in a region
 * @first: its first page
 * @end: the page behind its last
 * @region_first: the first page of the region
 * @region_end: the page behind the region's last
 * @committed: committed pages of the region
 * @protection: allocation protection of the region
 * @state: of the pages of the run, 0 if they are reserved
 */
struct wr_found {
	pgoff_t first;
	pgoff_t end;
	pgoff_t region_first;
	pgoff_t region_end;
	unsigned long committed;
	u32 protection;
	u8 state;
};

static __always_inline void wr_found_run(const struct wr_found *found,
					 struct winregion_run *run)
{
	u8 state = found->state;

	run->address = found->first << PAGE_SHIFT;
	run->length = (found->end - found->first) << PAGE_SHIFT;
	run->region_address = found->region_first << PAGE_SHIFT;
	run->region_length = (found->region_end - found->region_first)
			     << PAGE_SHIFT;
	run->region_committed = found->committed << PAGE_SHIFT;
	run->resident = 0;
	run->region_protection = found->protection;
	run->state = state ? WINREGION_STATE_COMMIT : WINREGION_STATE_RESERVE;
	run->protection = wr_state_protection(state, found->protection);
	run->type = WINREGION_TYPE_PRIVATE;
	run->flags = 0;
	run->__reserved = 0;
}

int wr_query_runs(struct wr_space *space, u64 *addr, u64 last, u32 flags,
		  struct winregion_run *runs, unsigned int max);
long wr_query_plain(struct winregion_query __user *user);
int wr_query(u64 addr, u32 flags, struct winregion_run *run);

#endif /* _WR_QUERY_H */
