// SPDX-License-Identifier: GPL-2.0
/*
 * The common change, without the preparations of change.c: pages of one slot,
 * all in one state, which has an array for them already; no page has to go, no
 * PTE to change, and no VMA. There is nothing to split, so nothing that can fail
 * but the charge, and the states are one memset().
 *
 * Whatever is not like that, errors included, is left to change.c.
 */
#include <linux/string.h>

#include "change.h"
#include "protection.h"
#include "regiontree.h"

/* Whether pages may go from state @old to change->state without more ado. */
static bool is_quick(struct wr_window *window, enum wr_op op, u8 old, u8 new)
{
	if (old & WR_LOST || (op == WR_PROTECT && !(old & WR_COMMITTED)))
		return false;
	if (wr_window_exec_at(window, old) != wr_window_exec_at(window, new))
		return false;
	return window->tracked || !wr_state_needs_tracking(new);
}

/* The states of the range, if there is an array and they are alike. */
static u8 *quick_states(struct wr_window *window, enum wr_op op,
			struct wr_change *change)
{
	unsigned int n = change->end - change->first;
	struct wr_slot *slot;
	pgoff_t stop;
	u8 *states;

	slot = wr_runs_slot(&window->runs, change->first, &stop);
	if (!slot || !slot->states || change->end > stop)
		return NULL;
	states = slot->states + wr_slot_offset(change->first);
	if (wr_states_same(states, *states, n) != n)
		return NULL;
	if (slot->nr_resident &&
	    (op == WR_DECOMMIT ||
	     wr_state_rights(*states) != wr_state_rights(change->state)))
		return NULL;
	return states;
}

static bool quick_locked(struct wr_window *window, enum wr_op op,
			 struct wr_change *change)
{
	struct wr_pagefile *pagefile = &window->space->pagefile;
	unsigned long pages = change->end - change->first;
	struct wr_region *region;
	u8 *states, old;

	region = window->dead ? NULL : wr_region_find(window, change->first);
	if (!region || !pages || change->end > region->end)
		return false;
	states = quick_states(window, op, change);
	if (!states || !is_quick(window, op, *states, change->state))
		return false;
	old = *states;
	if (op == WR_COMMIT && !(old & WR_COMMITTED)) {
		if (wr_pagefile_charge(pagefile, pages))
			return false;
		region->committed += pages;
	}
	if (op == WR_DECOMMIT && (old & WR_COMMITTED)) {
		wr_pagefile_uncharge(pagefile, pages);
		region->committed -= pages;
	}
	change->old_protection = wr_state_protection(old, region->protection);
	memset(states, change->state, pages);
	wr_runs_compact(&window->runs, change->first, change->end,
			region->first, region->end);
	return true;
}

/**
 * wr_change_quick - change the pages of a range if that is easy
 * @space: where
 * @op: what to do
 * @change: the range
 *
 * Context: takes the window's lock only.
 * Return: whether it is done. If not, nothing has changed.
 */
bool wr_change_quick(struct wr_space *space, enum wr_op op,
		     struct wr_change *change)
{
	struct wr_window *window = wr_window_find(space, change->first);
	bool done;

	if (!window)
		return false;
	mutex_lock(&window->lock);
	done = quick_locked(window, op, change);
	mutex_unlock(&window->lock);
	wr_window_put(window);
	return done;
}
