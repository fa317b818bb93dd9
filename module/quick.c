// SPDX-License-Identifier: GPL-2.0
/*
 * What of the common change (quick.h) is not for a function of its own: the first
 * commit in a slot, and what change.c tries before it prepares anything.
 */
#include <linux/bitops.h>
#include <linux/string.h>

#include "quick.h"

/* wr_quick_check() once more, with the array that was missing. */
static bool check_split(struct wr_window *window, struct wr_change *change,
			unsigned long *charge)
{
	u8 old = wr_runs_state(&window->runs, change->first);
	struct wr_rights rights = {};
	struct wr_needs needs = {};

	return !window->view &&
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
	}
	if (charge != used) /* ranges overlap */
		wr_pagefile_uncharge(pagefile, charge - used);
	if (compacts)
		compact_all(window, changes, end);
	return true;
}
