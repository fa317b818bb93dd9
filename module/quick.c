// SPDX-License-Identifier: GPL-2.0
/*
 * The common change, without the preparations of change.c: pages of one slot,
 * all in one state, which has an array for them already; no page has to go, no
 * PTE to change, and no VMA. There is nothing to split, so nothing that can fail
 * but the charge. For a call that commits several ranges the arrays are made first.
 *
 * Whatever is not like that, errors included, is left to change.c.
 */
#include <linux/bitops.h>
#include <linux/string.h>

#include "change.h"
#include "protection.h"
#include "regiontree.h"

/* Whether pages may go from state @old to change->state without more ado. */
static __always_inline bool is_quick(struct wr_window *window, enum wr_op op,
				     u8 old, u8 new)
{
	if (old & WR_LOST || (op == WR_PROTECT && !(old & WR_COMMITTED)))
		return false;
	if (wr_window_exec_at(window, old) != wr_window_exec_at(window, new))
		return false;
	return window->tracked || !wr_state_needs_tracking(new);
}

/* The slot of the range, if it has an array of states and they are alike. */
static __always_inline struct wr_slot *
quick_slot(struct wr_window *window, enum wr_op op, struct wr_change *change)
{
	unsigned int n = change->end - change->first;
	struct wr_slot *slot;
	u8 *states;

	if (wr_slot_first(change->first) != wr_slot_first(change->end - 1))
		return NULL;
	slot = wr_runs_slot(&window->runs, change->first, NULL);
	if (!slot || !slot->states)
		return NULL;
	states = slot->states + wr_slot_offset(change->first);
	if (wr_states_same(states, *states, n) != n)
		return NULL;
	if (slot->nr_resident &&
	    (op == WR_DECOMMIT ||
	     wr_state_rights(*states) != wr_state_rights(change->state)))
		return NULL;
	return slot;
}

/*
 * Whether a change is easy; if it is, change->region and change->slot are set, and
 * what it will charge is added to @charge.
 */
static __always_inline bool check(struct wr_window *window, enum wr_op op,
				  struct wr_change *change,
				  unsigned long *charge)
{
	unsigned long pages = change->end - change->first;
	struct wr_region *region;
	struct wr_slot *slot;
	u8 old;

	lockdep_assert_held(&window->lock);
	region = window->dead ? NULL : wr_region_find(window, change->first);
	change->region = region;
	if (!region || !pages || change->end > region->end)
		return false;
	slot = quick_slot(window, op, change);
	if (!slot)
		return false;
	old = slot->states[wr_slot_offset(change->first)];
	if (!is_quick(window, op, old, change->state))
		return false;
	if (op == WR_COMMIT && !(old & WR_COMMITTED))
		*charge += pages;
	change->slot = slot;
	return true;
}

/* Return: whether the runs should be compacted. */
static __always_inline bool apply(enum wr_op op, struct wr_change *change)
{
	u8 *states = change->slot->states + wr_slot_offset(change->first);

	if (op == WR_PROTECT)
		change->old_protection =
			wr_state_protection(*states,
					    change->region->protection);
	wr_states_fill(states, change->state, change->end - change->first);
	return !wr_slot_stays_split(change->slot);
}

/* Frees what no longer tells a difference; the window is locked. */
void wr_change_compact(struct wr_window *window, struct wr_change *change)
{
	wr_runs_compact(&window->runs, change->first, change->end,
			change->region->first, change->region->end);
}

/* What a change of one range does to the charge, if a counter is enough for it. */
static bool charge_one(struct wr_window *window, enum wr_op op,
		       struct wr_change *change, unsigned long charge)
{
	struct wr_pagefile *pagefile = &window->space->pagefile;
	u8 old = change->slot->states[wr_slot_offset(change->first)];
	unsigned long pages = change->end - change->first;

	if (charge) {
		if (!wr_pagefile_charge_quick(pagefile, charge))
			return false;
		change->region->committed += charge;
	}
	if (op == WR_DECOMMIT && (old & WR_COMMITTED)) {
		if (!wr_pagefile_uncharge_quick(pagefile, pages))
			return false;
		change->region->committed -= pages;
	}
	return true;
}

/**
 * wr_change_quick_locked - change the pages of a range if that is easy
 * @window: the window of the range; its lock is held
 * @op: what to do
 * @change: the range
 *
 * Context: does not sleep.
 * Return: whether it is done. If not, nothing has changed.
 */
bool wr_change_quick_locked(struct wr_window *window, enum wr_op op,
			    struct wr_change *change)
{
	unsigned long charge = 0;

	change->hard = true;
	if (!check(window, op, change, &charge) ||
	    !charge_one(window, op, change, charge))
		return false;
	if (apply(op, change))
		wr_change_compact(window, change);
	return true;
}

/* The same for the calling process, unless others have the window locked. */
bool wr_change_quick(enum wr_op op, struct wr_change *change)
{
	struct wr_window *window = NULL;
	struct wr_space *space;
	bool done = false;

	rcu_read_lock();
	space = wr_space_peek(current->mm);
	if (space)
		window = wr_window_trylock_at(space, change->first);
	if (window) {
		done = wr_change_quick_locked(window, op, change);
		mutex_unlock(&window->lock);
	}
	rcu_read_unlock();
	return done;
}

/* Like check(), but makes the array of states if that is what is missing. */
static bool check_split(struct wr_window *window, enum wr_op op,
			struct wr_change *change, unsigned long *charge)
{
	struct wr_runs *runs = &window->runs;
	pgoff_t next;
	u8 old;

	if (check(window, op, change, charge))
		return true;
	if (!change->region || change->end > change->region->end)
		return false;
	old = wr_runs_span(runs, change->first, change->end, &next);
	if (next < change->end || !is_quick(window, op, old, change->state))
		return false;
	return !wr_runs_split(runs, change->first, GFP_KERNEL_ACCOUNT) &&
	       !wr_runs_split(runs, change->end, GFP_KERNEL_ACCOUNT) &&
	       check(window, op, change, charge);
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
		committed += !!(*states++ & WR_COMMITTED);
	return committed;
}

/**
 * wr_commit_quick - commit the pages of several ranges if all of that is easy
 * @window: the window of all of them; its lock is held
 * @changes: the ranges
 * @nr: how many
 *
 * Context: may sleep.
 * Return: whether it is done. If not, nothing has changed.
 */
bool wr_commit_quick(struct wr_window *window, struct wr_change *changes,
		     unsigned int nr)
{
	struct wr_pagefile *pagefile = &window->space->pagefile;
	struct wr_change *change, *end = changes + nr;
	unsigned long charge = 0, used = 0, more;
	bool compacts = false;

	for (change = changes; change < end; change++)
		if (!check_split(window, WR_COMMIT, change, &charge))
			break;
	if (change < end || (charge && wr_pagefile_charge(pagefile, charge))) {
		compact_all(window, changes, min(change + 1, end));
		return false;
	}
	for (change = changes; change < end; change++) {
		more = change->end - change->first - count_committed(change);
		change->region->committed += more;
		used += more;
		compacts |= apply(WR_COMMIT, change);
	}
	if (charge != used) /* ranges overlap */
		wr_pagefile_uncharge(pagefile, charge - used);
	if (compacts)
		compact_all(window, changes, end);
	return true;
}
