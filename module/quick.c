// SPDX-License-Identifier: GPL-2.0
/*
 * The common change, without the preparations of change.c: pages of one slot,
 * all in one state, which has an array for them already; no page has to go, no
 * PTE to change, and no VMA. There is nothing to split, so nothing that can fail
 * but the charge. For commits the arrays are made first.
 *
 * A call for one such range is done by one function, from its argument to its
 * answer. Whatever is not like that, errors included, is left to ioctl.c.
 */
#include <linux/bitops.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "change.h"
#include "ioctl.h"
#include "regiontree.h"
#include "states.h"

/* Whether pages may go from state @old to @new without more ado. */
static __always_inline bool is_quick(struct wr_window *window, enum wr_op op,
				     u8 old, u8 new)
{
	if (op == WR_PROTECT && !wr_state_is_committed(old))
		return false;
	if (wr_state_is_lost(old) ||
	    wr_window_exec_at(window, old) != wr_window_exec_at(window, new))
		return false;
	return !wr_state_needs_tracking(new) || window->tracked;
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
	slot = wr_runs_peek(&window->runs, change->first);
	if (!slot || !slot->states)
		return NULL;
	states = slot->states + wr_slot_offset(change->first);
	if (!wr_states_are(states, *states, n))
		return NULL;
	if (slot->nr_resident && wr_state_is_committed(*states) &&
	    (op == WR_DECOMMIT ||
	     wr_state_rights(*states) != wr_state_rights(change->state)))
		return NULL;
	return slot;
}

/*
 * Whether a change, of which the region is known, is easy; if it is, change->slot
 * is set, and what it will charge is added to @charge.
 */
static __always_inline bool check(struct wr_window *window, enum wr_op op,
				  struct wr_change *change,
				  unsigned long *charge)
{
	unsigned long pages = change->end - change->first;
	struct wr_region *region = change->region;
	struct wr_slot *slot;
	u8 old;

	lockdep_assert_held(&window->lock);
	if (!region || !pages || change->end > region->end)
		return false;
	slot = quick_slot(window, op, change);
	if (!slot)
		return false;
	old = slot->states[wr_slot_offset(change->first)];
	if (!is_quick(window, op, old, change->state))
		return false;
	if (op == WR_COMMIT && !wr_state_is_committed(old))
		*charge += pages;
	change->slot = slot;
	return true;
}

/* Return: whether the runs should be compacted. */
static __always_inline bool apply(enum wr_op op, struct wr_change *change)
{
	unsigned int offset = wr_slot_offset(change->first);
	u8 *states = change->slot->states + offset;

	if (op == WR_PROTECT)
		change->old_protection =
			wr_state_protection(*states,
					    change->region->protection);
	wr_states_fill(states, change->state, change->end - change->first);
	return !wr_slot_stays_split(change->slot, offset);
}

/* What a change of one range does to the charge, if a counter is enough for it. */
static __always_inline bool charge_one(struct wr_window *window, enum wr_op op,
				       struct wr_change *change,
				       unsigned long charge)
{
	struct wr_pagefile *pagefile = &window->space->pagefile;
	u8 old = change->slot->states[wr_slot_offset(change->first)];
	unsigned long pages = change->end - change->first;

	if (charge) {
		if (!wr_pagefile_charge_quick(pagefile, charge))
			return false;
		change->region->committed += charge;
	}
	if (op == WR_DECOMMIT && wr_state_is_committed(old)) {
		if (!wr_pagefile_uncharge_quick(pagefile, pages))
			return false;
		change->region->committed -= pages;
	}
	return true;
}

/* Whether what is missing is the array of their slot. */
static __always_inline bool has_no_states(struct wr_window *window,
					  struct wr_change *change)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, change->first);

	return (!slot || !slot->states) && change->region &&
	       change->end <= change->region->end &&
	       wr_slot_first(change->first) == wr_slot_first(change->end - 1) &&
	       change->end - change->first < WR_SLOT_PAGES;
}

/* check() once more, with the array that was missing. */
static bool check_split(struct wr_window *window, struct wr_change *change,
			unsigned long *charge)
{
	u8 old = wr_runs_state(&window->runs, change->first);

	return is_quick(window, WR_COMMIT, old, change->state) &&
	       wr_runs_make_states(&window->runs, change->first) &&
	       check(window, WR_COMMIT, change, charge);
}

/* The first commit in a slot, or another of the few that need an array. */
static noinline bool commit_split(struct wr_window *window,
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
	bool done;

	done = check_split(window, &change, &charge) &&
	       charge_one(window, WR_COMMIT, &change, charge);
	if (!done || apply(WR_COMMIT, &change))
		wr_change_compact(window, &change);
	return done;
}

static __always_inline bool
change_locked(struct wr_window *window, enum wr_op op, struct wr_change *change)
{
	unsigned long charge = 0;

	if (!check(window, op, change, &charge))
		return op == WR_COMMIT && has_no_states(window, change) &&
		       commit_split(window, change->region, change->first,
				    change->end, change->state);
	if (!charge_one(window, op, change, charge))
		return false;
	if (apply(op, change))
		wr_change_compact(window, change);
	return true;
}

/**
 * wr_change_quick_locked - change the pages of a range if that is easy
 * @window: the window of the range; its lock is held
 * @op: what to do
 * @change: the range
 *
 * Context: may sleep.
 * Return: whether it is done. If not, nothing has changed.
 */
bool wr_change_quick_locked(struct wr_window *window, enum wr_op op,
			    struct wr_change *change)
{
	change->region = wr_region_find(window, change->first);
	if (change->serial && change->region &&
	    change->region->serial != change->serial)
		return false;
	return change_locked(window, op, change);
}

enum wr_quick {
	WR_DONE,
	WR_NOT_TRIED, /* there is no such region, or its window is locked */
	WR_HARD,
};

/* The same for the calling process, unless others have the window locked. */
static __always_inline enum wr_quick change_here(enum wr_op op,
						 struct wr_change *change)
{
	struct wr_window *window;
	bool done;

	change->region = wr_region_trylock(change->first, &window);
	if (!change->region)
		return WR_NOT_TRIED;
	done = change_locked(window, op, change);
	wr_window_unlock(window);
	return done ? WR_DONE : WR_HARD;
}

/*
 * Reads what is one range without flags. No address that a region can contain
 * is out of bounds, so that need not be looked at. Return: whether it is.
 */
static __always_inline bool read_plain(enum wr_op op,
				       struct winregion_change __user *user,
				       struct wr_change *change)
{
	u64 __user *words = (u64 __user *)user;
	u64 head, more, ranges, address, length;
	u32 protection;

	if (!user_read_access_begin(user, sizeof(*user)))
		return false;
	unsafe_get_user(head, &words[0], fault);
	unsafe_get_user(more, &words[1], fault);
	unsafe_get_user(ranges, &user->ranges, fault);
	unsafe_get_user(address, &user->range.address, fault);
	unsafe_get_user(length, &user->range.length, fault);
	unsafe_get_user(protection, &user->range.protection, fault);
	user_read_access_end();
	if (head != wr_plain_head(sizeof(*user)) || more | ranges)
		return false;
	if (--length >= PMD_SIZE)
		return false;
	change->first = address >> PAGE_SHIFT;
	change->end = ((address + length) >> PAGE_SHIFT) + 1;
	if (op == WR_DECOMMIT) {
		change->state = 0;
		return !protection;
	}
	change->state = wr_protection_alone(protection);
	return change->state;
fault:
	user_read_access_end();
	return false;
}

static __always_inline long change_plain(enum wr_op op,
					 struct winregion_change __user *user)
{
	struct wr_change change = {}; /* else the compiler may clear it first */
	enum wr_quick done = WR_NOT_TRIED;

	if (read_plain(op, user, &change))
		done = change_here(op, &change);
	if (done != WR_DONE)
		return wr_ioctl_change(op, user, done == WR_HARD);
	if (op == WR_PROTECT) /* as far as that can be told: see return_old() */
		put_user(change.old_protection,
			 &user->range.out_old_protection);
	return 0;
}

/**
 * wr_commit_plain - WINREGION_COMMIT
 * @user: the argument
 *
 * In one step if that is easy, else by wr_ioctl_change().
 *
 * Return: 0 or an error.
 */
long wr_commit_plain(struct winregion_change __user *user)
{
	return change_plain(WR_COMMIT, user);
}

/* The same for WINREGION_DECOMMIT. */
long wr_decommit_plain(struct winregion_change __user *user)
{
	return change_plain(WR_DECOMMIT, user);
}

/* The same for WINREGION_PROTECT. */
long wr_protect_plain(struct winregion_change __user *user)
{
	return change_plain(WR_PROTECT, user);
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

	for (change = changes; change < end; change++) {
		change->region = wr_region_find(window, change->first);
		if (!check(window, WR_COMMIT, change, &charge) &&
		    (!has_no_states(window, change) ||
		     !check_split(window, change, &charge)))
			break;
	}
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
