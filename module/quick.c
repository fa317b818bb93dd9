// SPDX-License-Identifier: GPL-2.0
/*
 * What of the common change (quick.h) is not for a function of its own: the first
 * commit in a slot, and what change.c tries before it prepares anything.
 */
#include <linux/bitops.h>
#include <linux/string.h>

#include "fault.h"
#include "quick.h"
#include "view_state.h"

/*
 * wr_quick_check() once more, with the array that was missing. Not where that may be
 * overdrawn, which is for who repays it.
 */
static bool check_split(struct wr_window *window, struct wr_change *change,
			unsigned long *charge)
{
	u8 old = wr_runs_state(&window->runs, change->first);
	struct wr_rights rights = {};
	struct wr_needs needs = {};

	return !window->view && !wr_runs_may_overdraw() &&
	       !wr_change_check_run(window, WR_COMMIT, old, change->state, 0,
				    &rights, &needs) &&
	       !needs.track && !needs.exec && !needs.denied &&
	       wr_runs_make_states(&window->runs, change->first) &&
	       wr_quick_check(window, WR_COMMIT, change, charge);
}

/**
 * wr_quick_commit_split - the first commit in a slot, or another of the few that
 *	need an array
 * @window: the window of the range; its lock is held
 * @region: its region
 * @first: the first page
 * @end: the page behind the last
 * @state: what they become
 *
 * Context: may sleep.
 * Return: whether it is done. If not, nothing has changed.
 */
noinline bool wr_quick_commit_split(struct wr_window *window,
				    struct wr_region *region, pgoff_t first,
				    pgoff_t end, u8 state)
{
	struct wr_change change = {
		.region = region,
		.first = first,
		.end = end,
		.state = state,
	};
	unsigned long charge = 0;

	if (check_split(window, &change, &charge) &&
	    wr_quick_finish(window, WR_COMMIT, &change))
		return true;
	wr_change_compact(window, &change);
	return false;
}

/* ---- views ---- */

/* By itself, so that who is not told has nothing to keep for it. */
static noinline bool commit_and_tell(struct wr_window *window, pgoff_t first,
				     pgoff_t end, u8 state)
{
	if (!wr_section_commit_quick(window->view->section,
				     wr_window_offset(window, first),
				     wr_window_offset(window, end)))
		return false;
	wr_change_trace(window, WR_COMMIT, first, end, state);
	return true;
}

/**
 * wr_quick_commit_view - commit pages of a view if that is easy
 * @window: the view; its lock is held
 * @first: the first page, of its region
 * @end: the page behind the last
 * @state: what they become
 *
 * That is if they become what their own states have said since they were mapped, so
 * that only the section changes. Whether they may be so was asked then; but a copy has
 * a state that a call may not ask for.
 *
 * Context: may sleep.
 * Return: whether it is done. If not, nothing has changed.
 */
noinline bool wr_quick_commit_view(struct wr_window *window, pgoff_t first,
				   pgoff_t end, u8 state)
{
	pgoff_t next;

	if (!wr_view_commits(window) || window->nr_resident ||
	    wr_state_is_exec(state) ||
	    wr_runs_near_span(&window->runs, first, end, &next) != state ||
	    next != end)
		return false;
	if (wr_change_is_traced(WR_COMMIT))
		return commit_and_tell(window, first, end, state);
	return wr_section_commit_quick(window->view->section,
				       wr_window_offset(window, first),
				       wr_window_offset(window, end));
}

/*
 * Whether pages in one state can have another, if none has a copy. Of a view that can
 * be executed all of its pages would have to be looked at.
 */
static bool may_protect(struct wr_window *window, u8 old, u8 new)
{
	u8 rights = window->view->rights;

	return window->tracked && !window->nr_resident && !(rights & WR_EXEC) &&
	       wr_state_is_committed(old) && !wr_state_copies(old) &&
	       !wr_state_copies(new) && !wr_state_is_guard(new) &&
	       (!window->locked || wr_state_allows(new, WR_READ)) &&
	       !wr_view_check_state(rights, new);
}

/* Nothing is left to do then but to remove PTEs, if rights are lost. */
static struct wr_protected protect_view(struct wr_window *window,
					struct wr_change *change, bool may_lose)
{
	struct wr_protected answer = {};
	u8 old;

	if (wr_view_is_reserved(window))
		return answer; /* not all of their state is here */
	change->slot = wr_quick_slot(window, change);
	if (!change->slot)
		return answer;
	old = change->slot->states[wr_slot_offset(change->first)];
	if (!may_protect(window, old, change->state))
		return answer;
	answer.lost = wr_state_rights(old) & ~wr_state_rights(change->state);
	if (answer.lost && !may_lose)
		return answer;
	if (wr_quick_apply(WR_PROTECT, change, 0))
		wr_change_compact(window, change);
	wr_change_tell(window, WR_PROTECT, change->first, change->end,
		       change->state);
	answer.old = change->old_protection;
	answer.done = true;
	return answer;
}

/**
 * wr_quick_protect_view - protect pages of a view if that is easy
 * @window: the view; its lock is held
 * @region: its region
 * @first: the first page
 * @end: the page behind the last
 * @state: what they become
 *
 * Return: what has come of it.
 */
noinline struct wr_protected wr_quick_protect_view(struct wr_window *window,
						   struct wr_region *region,
						   pgoff_t first, pgoff_t end,
						   u8 state)
{
	struct wr_change change = {
		.region = region,
		.first = first,
		.end = end,
		.state = state,
	};

	return protect_view(window, &change, false);
}

/* A child that had no memory for a view has the parent's in its VMA. */
static bool is_view_in(struct vm_area_struct *vma, struct mm_struct *mm)
{
	struct wr_window *window = wr_vma_view(vma);

	return window && window->space->mm == mm;
}

/* The VMA and mmap_lock are locked for writing. */
static struct wr_protected revoke_in_vma(struct vm_area_struct *vma,
					 struct wr_change *change)
{
	struct wr_window *window = wr_vma_view(vma);
	struct wr_protected answer = {};

	mutex_lock(&window->lock);
	change->region = wr_region_find(window, change->first);
	if (change->region && change->end <= change->region->end)
		answer = protect_view(window, change, true);
	if (answer.done)
		wr_zap_vma(vma, wr_address(change->first),
			   wr_address(change->end));
	mutex_unlock(&window->lock);
	return answer;
}

/**
 * wr_quick_revoke - protect pages of a view that lose rights, if that is easy
 * @mm: whose
 * @first: the first page
 * @end: the page behind the last
 * @state: what they become
 *
 * As change.c does it: under mmap_lock and the VMA's lock for writing, so no fault is
 * on its way.
 *
 * Context: takes mmap_lock.
 * Return: what has come of it.
 */
noinline struct wr_protected
wr_quick_revoke(struct mm_struct *mm, pgoff_t first, pgoff_t end, u8 state)
{
	struct wr_change change = {
		.first = first,
		.end = end,
		.state = state,
	};
	struct wr_protected answer = {};
	struct vm_area_struct *vma;

	if (mmap_write_lock_killable(mm))
		return answer;
	vma = vma_lookup(mm, wr_address(first));
	if (vma && is_view_in(vma, mm)) {
		vma_start_write(vma);
		answer = revoke_in_vma(vma, &change);
	}
	mmap_write_unlock(mm);
	return answer;
}

/* ---- what change.c tries first ---- */

/**
 * wr_quick_change - change the pages of a range if that is easy
 * @window: the window of the range; its lock is held
 * @op: what to do
 * @change: the range
 *
 * Context: may sleep.
 * Return: whether it is done. If not, nothing has changed.
 */
bool wr_quick_change(struct wr_window *window, enum wr_op op,
		     struct wr_change *change)
{
	change->region = wr_region_find(window, change->first);
	if (change->serial && change->region &&
	    change->region->serial != change->serial)
		return false;
	return wr_quick_change_locked(window, op, change);
}

/* Up to the change @end, the last of which may be no good. */
static void compact_all(struct wr_window *window, struct wr_change *change,
			struct wr_change *end)
{
	for (; change < end; change++)
		if (change->region && change->end <= change->region->end)
			wr_change_compact(window, change);
}

/* How many pages are committed of a range that can overlap with others. */
static unsigned int count_committed(struct wr_change *change)
{
	const u8 *states = change->slot->states + wr_slot_offset(change->first);
	unsigned int n = change->end - change->first, committed = 0;
	u64 eight;

	for (; n >= sizeof(eight); n -= sizeof(eight)) {
		memcpy(&eight, states, sizeof(eight));
		committed += hweight64(eight & wr_eight(WR_COMMITTED));
		states += sizeof(eight);
	}
	while (n--)
		committed += wr_state_is_committed(*states++);
	return committed;
}

/**
 * wr_quick_commit - commit the pages of several ranges if all of that is easy
 * @window: the window of all of them; its lock is held
 * @changes: the ranges
 * @nr: how many
 *
 * Context: may sleep.
 * Return: whether it is done. If not, nothing has changed.
 */
bool wr_quick_commit(struct wr_window *window, struct wr_change *changes,
		     unsigned int nr)
{
	struct wr_pagefile *pagefile = &window->space->pagefile;
	struct wr_change *change, *end = changes + nr;
	unsigned long charge = 0, used = 0, more;
	bool compacts = false;

	for (change = changes; change < end; change++) {
		change->region = wr_region_find(window, change->first);
		if (!wr_quick_check(window, WR_COMMIT, change, &charge) &&
		    (!wr_quick_has_no_states(window, change) ||
		     !check_split(window, change, &charge)))
			break;
	}
	if (change < end || (charge && wr_pagefile_charge(pagefile, charge))) {
		compact_all(window, changes, min(change + 1, end));
		return false;
	}
	for (change = changes; change < end; change++) {
		more = change->end - change->first - count_committed(change);
		used += more;
		compacts |= wr_quick_apply(WR_COMMIT, change, more);
		wr_change_tell(window, WR_COMMIT, change->first, change->end,
			       change->state);
	}
	if (charge != used) /* ranges overlap */
		wr_pagefile_uncharge(pagefile, charge - used);
	if (compacts)
		compact_all(window, changes, end);
	return true;
}
