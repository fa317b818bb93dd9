/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_QUERY_H
#define _WR_QUERY_H

#include "regiontree.h"
#include "view_state.h"

/**
 * struct wr_found - a run of pages in a region
 * @first: its first page
 * @pages: their number
 * @region_first: the first page of the region
 * @region_end: the page behind the region's last
 * @committed: committed pages of the region
 * @protection: allocation protection of the region
 * @type: WINREGION_TYPE_*
 * @state: of the pages of the run; reserved if not committed
 * @flags: WINREGION_RUN_*
 */
struct wr_found {
	pgoff_t first;
	unsigned long pages;
	pgoff_t region_first;
	pgoff_t region_end;
	unsigned long committed;
	u32 protection;
	u32 type;
	u8 state;
	u32 flags;
};

static __always_inline u32 wr_found_flags(const struct wr_region *region)
{
	return unlikely(wr_region_is_large(region)) ?
		       WINREGION_RUN_LARGE_PAGES :
		       0;
}

static __always_inline void wr_found_run(const struct wr_found *found,
					 struct winregion_run *run)
{
	u8 state = found->state;

	run->address = found->first << PAGE_SHIFT;
	run->length = found->pages << PAGE_SHIFT;
	run->region_address = found->region_first << PAGE_SHIFT;
	run->region_length = (found->region_end - found->region_first)
			     << PAGE_SHIFT;
	run->region_committed = found->committed << PAGE_SHIFT;
	run->resident = 0;
	run->region_protection = found->protection;
	run->state = wr_state_is_memory(state) ? WINREGION_STATE_COMMIT :
						 WINREGION_STATE_RESERVE;
	run->protection = wr_state_protection(state, found->protection);
	run->type = found->type;
	run->flags = found->flags;
	run->__reserved = 0;
}

void wr_found_in_view(struct wr_found *found, struct wr_window *window);
pgoff_t wr_found_reserved_end(struct wr_runs *runs, pgoff_t next, pgoff_t end);

/* The run from @index on, in a region; a lost page is merely reserved. */
static __always_inline struct wr_found
wr_found_at(struct wr_window *window, struct wr_region *region, pgoff_t index)
{
	struct wr_runs *runs = &window->runs;
	pgoff_t end = region->end, next;
	struct wr_found found;
	u8 state;

	if (unlikely(window->view))
		state = wr_view_span(window, index, end, &next);
	else
		state = wr_runs_near_span(runs, index, end, &next);

	if (!wr_state_is_memory(state) && unlikely(window->lost))
		next = wr_found_reserved_end(runs, next, end);
	found = (struct wr_found){
		.first = index,
		.pages = next - index,
		.region_first = region->first,
		.region_end = end,
		.committed = region->committed,
		.protection = region->protection,
		.type = WINREGION_TYPE_PRIVATE,
		.state = state,
		.flags = wr_found_flags(region),
	};
	if (unlikely(window->view))
		wr_found_in_view(&found, window);
	return found;
}

int wr_query_runs(struct mm_struct *mm, struct wr_space *space, u64 *addr,
		  u64 last, u32 flags, struct winregion_run *runs,
		  unsigned int max);

#endif /* _WR_QUERY_H */
