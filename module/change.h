/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_CHANGE_H
#define _WR_CHANGE_H

#include "regiontree.h"
#include "window.h"

enum wr_op {
	WR_COMMIT,
	WR_DECOMMIT,
	WR_PROTECT,
};

/**
 * struct wr_change - one range of a change
 * @first: the first page
 * @end: the page behind the last; @first for the whole region (WR_DECOMMIT)
 * @state: what the pages become; 0 for WR_DECOMMIT
 * @lost: rights that some page loses
 * @gained: rights that some readable page gains
 * @unlike: some page has other rights than before
 * @hard: it is known not to be easy
 * @whole: the whole region, whatever is there each time that it is looked at
 * @serial: of the region, if it must be a certain one
 * @old_protection: set to what the first page had (WR_PROTECT)
 * @window: the window of the range; referenced while the change runs
 * @region: its region; valid under the window's lock
 * @slot: the slot that it is in if it is easy; as @region
 */
struct wr_change {
	pgoff_t first;
	pgoff_t end;
	u8 state;
	u8 lost;
	u8 gained;
	bool unlike;
	bool hard;
	bool whole;
	u64 serial;
	u32 old_protection;
	struct wr_window *window;
	struct wr_region *region;
	struct wr_slot *slot;
};

long wr_commit_plain(struct winregion_change __user *user);
long wr_decommit_plain(struct winregion_change __user *user);
long wr_protect_plain(struct winregion_change __user *user);
bool wr_change_quick_locked(struct wr_window *window, enum wr_op op,
			    struct wr_change *change);
bool wr_commit_quick(struct wr_window *window, struct wr_change *changes,
		     unsigned int nr);
int wr_change(struct wr_space *space, enum wr_op op, struct wr_change *changes,
	      unsigned int nr);

/* Frees what no longer tells a difference; the window is locked. */
static __always_inline void wr_change_compact(struct wr_window *window,
					      struct wr_change *change)
{
	wr_runs_compact(&window->runs, change->first, change->end,
			change->region->first, change->region->end);
}

#endif /* _WR_CHANGE_H */
