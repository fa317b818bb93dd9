/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_QUICK_H
#define _WR_QUICK_H

#include <linux/string.h>

#include "change.h"
#include "regiontree.h"
#include "stash.h"

/*
 * The common change, without the preparations of change.c: pages of one slot,
 * all in one state, which has an array for them already; no page has to go, no
 * PTE to change, and no VMA. There is nothing to split, so nothing that can fail
 * but the charge. For commits the arrays are made first.
 *
 * What is asked, and what becomes of the pages, is what change.c asks and does.
 * Left out is only what was seen to have nothing to do. In a header, so that a
 * call for one such range is one function, from its argument to its answer.
 */

/**
 * struct wr_protected - what has come of protecting pages of a view
 * @done: whether it is done; if not, nothing has changed
 * @lost: rights that pages lose, if it is easy but for that
 * @old: the protection that the first page had, if @done
 */
struct wr_protected {
	bool done;
	u8 lost;
	u32 old;
};

bool wr_quick_commit_split(struct wr_window *window, struct wr_region *region,
			   pgoff_t first, pgoff_t end, u8 state);
bool wr_quick_commit_view(struct wr_window *window, pgoff_t first, pgoff_t end,
			  u8 state);
struct wr_protected wr_quick_protect_view(struct wr_window *window,
					  struct wr_region *region,
					  pgoff_t first, pgoff_t end, u8 state);
struct wr_protected wr_quick_revoke(struct mm_struct *mm, pgoff_t first,
				    pgoff_t end, u8 state);
bool wr_quick_change(struct wr_window *window, enum wr_op op,
		     struct wr_change *change);
bool wr_quick_commit(struct wr_window *window, struct wr_change *changes,
		     unsigned int nr);

/* The slot of the range, if it has an array of states and they are alike. */
static __always_inline struct wr_slot *wr_quick_slot(struct wr_window *window,
						     struct wr_change *change)
{
	struct wr_slot *slot;
	u8 *states;

	if (wr_slot_first(change->first) != wr_slot_first(change->end - 1))
		return NULL;
	slot = wr_runs_peek(&window->runs, change->first);
	if (!slot || !slot->states)
		return NULL;
	states = slot->states + wr_slot_offset(change->first);
	if (!wr_states_are(states, *states, change->end - change->first))
		return NULL;
	return slot;
}

/*
 * Whether a change, of which the region is known, is easy; if it is, change->slot
 * is set, and what it will charge is added to @charge.
 */
static __always_inline bool wr_quick_check(struct wr_window *window,
					   enum wr_op op,
					   struct wr_change *change,
					   unsigned long *charge)
{
	unsigned long pages = change->end - change->first;
	struct wr_region *region = change->region;
	struct wr_rights rights = {};
	struct wr_needs needs = {};
	struct wr_slot *slot;
	u8 old;

	lockdep_assert_held(&window->lock);
	if (!region || !pages || change->end > region->end)
		return false;
	if (unlikely(window->view) ||
	    unlikely(region->kind >= (op == WR_COMMIT ? WR_REGION_PLACEHOLDER :
							WR_REGION_LARGE)))
		return false;
	slot = wr_quick_slot(window, change);
	if (!slot)
		return false;
	old = slot->states[wr_slot_offset(change->first)];
	if (wr_change_check_run(window, op, old, change->state, pages, &rights,
				&needs))
		return false;
	if (needs.track || needs.exec || needs.denied || wr_state_is_lost(old))
		return false;
	/* Pages that are not committed are not in memory. */
	if (slot->nr_resident && wr_state_is_committed(old) &&
	    (op == WR_DECOMMIT || rights.unlike))
		return false;
	if (op == WR_DECOMMIT &&
	    unlikely(wr_stash_any(window) || window->watch))
		return false;
	*charge += needs.charge;
	change->slot = slot;
	return true;
}

/*
 * @more: how many more of the pages are committed then. Their VMA stays, so they
 * are as odd as before. Return: whether the runs should be compacted.
 */
static __always_inline bool wr_quick_apply(enum wr_op op,
					   struct wr_change *change, long more)
{
	unsigned int offset = wr_slot_offset(change->first);
	u8 *states = change->slot->states + offset;

	if (op == WR_PROTECT)
		wr_change_note_old(change, *states);
	change->region->committed += more;
	wr_states_fill(states, change->state, change->end - change->first);
	return !wr_slot_stays_split(change->slot, offset);
}

/* Whether a counter is enough for what a change does to the charge. */
static __always_inline bool wr_quick_charge(struct wr_window *window,
					    enum wr_op op, long more)
{
	struct wr_pagefile *pagefile = &window->space->pagefile;

	if (!more)
		return true;
	return op == WR_COMMIT ? wr_pagefile_charge_quick(pagefile, more) :
				 wr_pagefile_uncharge_quick(pagefile, -more);
}

/* Charges and applies a change that is easy. */
static __always_inline bool wr_quick_finish(struct wr_window *window,
					    enum wr_op op,
					    struct wr_change *change)
{
	u8 old = change->slot->states[wr_slot_offset(change->first)];
	long more = wr_change_more(op, old, change->end - change->first);

	if (!wr_quick_charge(window, op, more))
		return false;
	if (wr_quick_apply(op, change, more))
		wr_change_compact(window, change);
	wr_change_tell(window, op, change->first, change->end, change->state);
	return true;
}

/* Whether what is missing is the array of their slot. */
static __always_inline bool wr_quick_has_no_states(struct wr_window *window,
						   struct wr_change *change)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, change->first);

	return (!slot || !slot->states) && change->region &&
	       change->end <= change->region->end &&
	       change->region->kind < WR_REGION_PLACEHOLDER &&
	       wr_slot_first(change->first) == wr_slot_first(change->end - 1) &&
	       change->end - change->first < WR_SLOT_PAGES;
}

/* In a view. The range goes by value: its struct need not be in memory then. */
static __always_inline bool wr_quick_change_view(struct wr_window *window,
						 enum wr_op op,
						 struct wr_change *change)
{
	struct wr_region *region = change->region;
	struct wr_protected answer;

	if (!region || change->first >= change->end ||
	    change->end > region->end)
		return false;
	if (op == WR_COMMIT)
		return wr_quick_commit_view(window, change->first, change->end,
					    change->state);
	if (op != WR_PROTECT)
		return false;
	answer = wr_quick_protect_view(window, region, change->first,
				       change->end, change->state);
	change->rights.lost = answer.lost;
	change->old_protection = answer.old;
	return answer.done;
}

static __always_inline bool wr_quick_change_locked(struct wr_window *window,
						   enum wr_op op,
						   struct wr_change *change)
{
	unsigned long charge = 0;

	if (wr_quick_check(window, op, change, &charge))
		return wr_quick_finish(window, op, change);
	if (unlikely(window->view))
		return wr_quick_change_view(window, op, change);
	return op == WR_COMMIT && wr_quick_has_no_states(window, change) &&
	       wr_quick_commit_split(window, change->region, change->first,
				     change->end, change->state);
}

enum wr_quick {
	WR_DONE,
	WR_NOT_TRIED, /* there is no such region, or its window is locked */
	WR_HARD,
	WR_REVOKES, /* it may be easy for wr_quick_revoke() */
};

/* A change of one range in an mm, unless others have its window locked. */
static __always_inline enum wr_quick
wr_quick_change_in(struct mm_struct *mm, enum wr_op op,
		   struct wr_change *change)
{
	struct wr_window *window;
	bool done;

	change->region = wr_region_trylock(mm, change->first, &window);
	if (!change->region)
		return WR_NOT_TRIED;
	done = wr_quick_change_locked(window, op, change);
	wr_window_unlock(window);
	if (done)
		return WR_DONE;
	return op == WR_PROTECT && change->rights.lost ? WR_REVOKES : WR_HARD;
}

#endif /* _WR_QUICK_H */
