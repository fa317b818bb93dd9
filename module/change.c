// SPDX-License-Identifier: GPL-2.0
/*
 * Commit, decommit, protect: validate, then apply.
 *
 * All ranges of a call change in one step, under the locks of all of their
 * windows. First everything that can fail: the check of the states, room
 * for the new states, the commit charge. Then what cannot: the states,
 * then the pages.
 *
 * A change of one range takes no mmap_lock, one of several takes it for reading,
 * so that no fork falls into it; and so does one that unmaps pages after a fork, to
 * find its own VMAs. One that takes rights away from pages in memory waits for the
 * faults that saw the old states and unmaps the pages, all under the window's lock:
 * wr_resident_unmap(). Three things that a change may need are done under mmap_lock,
 * and the change starts over: to make a window tracked (for its first page that can
 * be read but not written); to give pages a VMA that is executable, or one that is
 * not, under layout_lock and so one at a time; and to edit the PTEs of many pages
 * (ptes.c), which is cheaper than to unmap them and have them faulted in again.
 */
#include <linux/sched/signal.h>

#include "change.h"
#include "copies.h"
#include "fault.h"
#include "huge.h"
#include "large.h"
#include "layout.h"
#include "locked.h"
#include "overlap.h"
#include "pageout.h"
#include "pieces.h"
#include "ptes.h"
#include "quick.h"
#include "regiontree.h"
#include "reset.h"
#include "resident.h"
#include "trace.h"
#include "view_state.h"
#include "view_vma.h"
#include "states.h"

/* From so many pages in memory on, PTEs are edited instead of unmapped. */
#define MANY_TO_FORBID 64UL
#define MANY_TO_ALLOW 16UL

/* Runs to look at between two looks for a fatal signal. */
#define RUNS_AT_A_TIME 64

/**
 * struct wr_batch - a change that is going on
 * @space: where
 * @op: what
 * @changes: the ranges
 * @nr: how many
 * @overlap: for what they come to where they overlap; NULL if they do not
 * @spans: what they come to: @changes, or in @overlap; no page is in two of them
 * @nr_spans: how many
 * @runs: runs that were looked at
 * @windows: the windows that are locked, if there are several
 * @several: batch_lock is held, and each window in @windows
 * @mmap: how mmap_lock is held
 */
struct wr_batch {
	struct wr_space *space;
	enum wr_op op;
	struct wr_change *changes;
	unsigned int nr;
	struct wr_overlap *overlap;
	struct wr_change *spans;
	unsigned int nr_spans;
	unsigned int runs;
	struct list_head windows;
	bool several;
	enum wr_mmap mmap;
};

/* The window of the range before is the range's too; it has one reference then. */
static bool same_as_before(struct wr_batch *batch, unsigned int i)
{
	struct wr_change *change = &batch->changes[i];
	struct wr_window *window = i ? change[-1].window : NULL;

	/* In a hole there may be a view. */
	return window && wr_window_has(window, change->first) && !window->lost;
}

static int find_windows(struct wr_batch *batch)
{
	struct wr_change *change = batch->changes;
	unsigned int i;

	for (i = 0; i < batch->nr; i++, change++) {
		if (same_as_before(batch, i)) {
			change->window = change[-1].window;
			continue;
		}
		change->window = wr_window_find(batch->space, change->first);
		if (!change->window)
			return -ENOENT;
		if (i && change->window == change[-1].window)
			wr_window_put(change->window);
		if (change->window != batch->changes[0].window)
			batch->several = true;
	}
	return 0;
}

static void put_windows(struct wr_batch *batch)
{
	struct wr_window *last = NULL;
	unsigned int i;

	for (i = 0; i < batch->nr && batch->changes[i].window; i++) {
		if (batch->changes[i].window != last)
			wr_window_put(batch->changes[i].window);
		last = batch->changes[i].window;
	}
}

/* Tells the windows whether their VMAs can change. */
static void note_mmap(struct wr_batch *batch, bool held)
{
	struct wr_window *window;

	if (!batch->several)
		batch->changes[0].window->held.mmap = held;
	else
		list_for_each_entry(window, &batch->windows, batch)
			window->held.mmap = held;
}

static void lock_windows(struct wr_batch *batch)
{
	struct wr_window *window;
	unsigned int i;

	if (!batch->several) {
		mutex_lock(&batch->changes[0].window->lock);
		note_mmap(batch, batch->mmap != WR_MMAP_NONE);
		return;
	}
	mutex_lock(&batch->space->batch_lock);
	for (i = 0; i < batch->nr; i++) {
		window = batch->changes[i].window;
		if (!list_empty(&window->batch))
			continue;
		mutex_lock_nest_lock(&window->lock, &batch->space->batch_lock);
		list_add(&window->batch, &batch->windows);
	}
	note_mmap(batch, batch->mmap != WR_MMAP_NONE);
}

static void unlock_windows(struct wr_batch *batch)
{
	struct wr_window *window, *next;

	note_mmap(batch, false);
	if (!batch->several) {
		mutex_unlock(&batch->changes[0].window->lock);
		return;
	}
	list_for_each_entry_safe(window, next, &batch->windows, batch) {
		list_del_init(&window->batch);
		mutex_unlock(&window->lock);
	}
	mutex_unlock(&batch->space->batch_lock);
}

/* Waits for the faults that are on their way in the ranges. Return: 0 or -EINTR. */
static int lock_vmas(struct wr_batch *batch)
{
	struct wr_change *change = batch->spans;
	struct vm_area_struct *vma;
	unsigned int i;

	for (i = 0; i < batch->nr_spans; i++, change++) {
		VMA_ITERATOR(vmi, batch->space->mm,
			     change->first << PAGE_SHIFT);

		for_each_vma_range(vmi, vma, change->end << PAGE_SHIFT) {
			if (wr_vma_window(vma) || wr_vma_view(vma))
				vma_start_write(vma);
			cond_resched();
			if (fatal_signal_pending(current))
				return -EINTR;
		}
	}
	return 0;
}

/*
 * Besides what the change needs: a fork copies one VMA after the other, under
 * mmap_lock, and shall not fall into a change of several ranges.
 */
static int lock_mmap(struct wr_batch *batch)
{
	struct mm_struct *mm = batch->space->mm;
	int err = 0;

	if (batch->nr > 1)
		batch->mmap = max(batch->mmap, WR_MMAP_READ);
	if (batch->mmap == WR_MMAP_READ)
		err = mmap_read_lock_killable(mm);
	if (batch->mmap == WR_MMAP_WRITE)
		err = mmap_write_lock_killable(mm);
	if (err)
		return -EINTR;
	if (batch->mmap == WR_MMAP_WRITE)
		err = lock_vmas(batch);
	if (err)
		mmap_write_unlock(mm);
	return err;
}

static void unlock_mmap(struct wr_batch *batch)
{
	if (batch->mmap == WR_MMAP_READ)
		mmap_read_unlock(batch->space->mm);
	if (batch->mmap == WR_MMAP_WRITE)
		mmap_write_unlock(batch->space->mm);
}

/* ---- checks; the windows are locked ---- */

/*
 * To be asked for each run: a program decides how many there are. Return:
 * whether the process is being killed, once in a while.
 */
static bool is_killed(struct wr_batch *batch)
{
	if (++batch->runs % RUNS_AT_A_TIME)
		return false;
	cond_resched();
	return fatal_signal_pending(current);
}

/* Nothing is committed in a placeholder, but by what replaces all of it. */
static int check_placeholder(enum wr_op op, struct wr_change *change)
{
	struct wr_region *region = change->region;
	bool wrong = wr_region_is_placeholder(region);

	if (op != WR_COMMIT)
		return 0;
	if (change->replaces)
		wrong = !wr_region_is_replaceable(region, change->first,
						  change->end);
	return wrong ? -EBADSLT : 0;
}

/*
 * Large pages are there as long as their region, and can always be read. Frames are
 * mapped and unmapped by calls of their own, and can always be written.
 */
static int check_kind(enum wr_op op, struct wr_change *change)
{
	struct wr_region *region = change->region;

	if (!wr_region_is_large(region) && !wr_region_is_physical(region))
		return 0;
	if (op == WR_PROTECT && wr_region_is_large(region))
		return wr_large_allows(change->state) ? 0 : -EDOM;
	if (op == WR_PROTECT)
		return change->state == WR_STATE_READWRITE ? 0 : -EDOM;
	return (op == WR_COMMIT && !change->large) || op == WR_DECOMMIT ||
			       op == WR_OFFER ?
		       -ENOTBLK :
		       0;
}

static int find_region(struct wr_batch *batch, struct wr_change *change)
{
	struct wr_window *window = change->window;
	int err;

	change->region = wr_region_find(window, change->first);
	if (!change->region)
		return -ENOENT;
	if (change->serial && change->serial != change->region->serial)
		return -ENOENT;
	if (change->end == change->first)
		change->whole = true;
	if (change->whole) {
		if (change->first != change->region->first)
			return -ESPIPE;
		change->end = change->region->end;
	}
	if (change->end > change->region->end)
		return change->replaces ? -EBADSLT : -EXDEV;
	err = check_kind(batch->op, change);
	return err ? err : check_placeholder(batch->op, change);
}

/* Whether PTEs can be made read only in place. */
static bool only_write_goes(struct wr_change *change)
{
	return change->rights.lost == WR_WRITE &&
	       !(change->rights.gained & WR_EXEC) &&
	       wr_state_needs_tracking(change->state);
}

/* How mmap_lock should be held, by the number of PTEs to edit. */
static enum wr_mmap mmap_for(struct wr_change *change)
{
	struct wr_window *window = change->window;

	if (only_write_goes(change) &&
	    wr_resident_at_most(window, change->first, change->end,
				MANY_TO_FORBID) >= MANY_TO_FORBID)
		return WR_MMAP_WRITE;
	if (change->rights.gained & WR_WRITE && window->tracked &&
	    wr_resident_at_most(window, change->first, change->end,
				MANY_TO_ALLOW) >= MANY_TO_ALLOW)
		return WR_MMAP_READ;
	return WR_MMAP_NONE;
}

/* Whether pages are unmapped that relatives can have too: wr_resident_zap(). */
static bool zaps_forked(struct wr_batch *batch, struct wr_change *change)
{
	struct wr_window *window = change->window;

	return window->forked && window->nr_resident &&
	       (batch->op == WR_DECOMMIT || change->rights.lost ||
		change->rights.unlike);
}

/* Whether a view can have that, whatever its pages are. */
static int view_allows(struct wr_batch *batch, struct wr_change *change)
{
	struct wr_view *view = change->window->view;

	if (batch->op == WR_DECOMMIT)
		return -EBUSY;
	if (batch->op == WR_COMMIT && !view->section->paging)
		return -EALREADY;
	if (batch->op == WR_COMMIT && change->nocache)
		return -EDOM;
	/* What of an image is not shared is copied when it is written. */
	if (view->image && !(view->rights & WR_WRITE))
		change->state = wr_state_copying(change->state);
	return wr_view_check_state(view->rights, change->state);
}

/* Whether PR_SET_MDWE denies that pages of a view become executable. */
static bool is_denied_in_view(struct wr_window *window, u8 old, u8 new)
{
	if (!wr_state_is_exec(new))
		return false;
	if (wr_change_is_denied(window, old, new))
		return true;
	return (wr_state_copies(new) || !window->view->executes) &&
	       wr_mm_denies_exec(window->space->mm);
}

/*
 * What the range, and not its pages, must be like. A view's VMA is, or can be made, such
 * as the new state wants it; in a call of several ranges it stays as it is, as another
 * one may make pages that can be read.
 */
static int check_range(struct wr_batch *batch, struct wr_change *change,
		       struct wr_needs *needs)
{
	struct wr_window *window = change->window;
	int err;

	if (!window->view)
		return wr_state_copies(change->state) ? -EDOM : 0;
	err = view_allows(batch, change);
	if (err || !wr_view_changes_exec(window, change->state))
		return err;
	if (batch->nr > 1)
		return -EDOM;
	needs->mmap = WR_MMAP_WRITE;
	return wr_view_may_change_exec(window, change->first, change->end,
				       batch->mmap == WR_MMAP_WRITE);
}

/* Some pages of the range are in the state @old. */
static int check_view_state(struct wr_batch *batch, struct wr_change *change,
			    u8 old, struct wr_needs *needs)
{
	u8 new = change->state;

	wr_rights_note(&change->rights, wr_state_rights(old),
		       wr_state_rights(new));
	needs->denied |= is_denied_in_view(change->window, old, new);
	return batch->op == WR_PROTECT && !wr_state_is_committed(old) ?
		       -ENODATA :
		       0;
}

static int check_view(struct wr_batch *batch, struct wr_change *change,
		      struct wr_needs *needs)
{
	struct wr_window *window = change->window;
	u8 new = change->state, states[2];
	pgoff_t i, next;
	unsigned int n;
	int err = 0;

	if (!window->view->begun)
		return -ENODATA;
	for (i = change->first; !err && i < change->end; i = next) {
		n = wr_view_look(window, i, change->end, states, &next);
		while (n-- && !err)
			err = check_view_state(batch, change, states[n], needs);
		if (wr_state_copies(new))
			needs->charge += wr_copies_more(window,
							states[0] | states[1],
							new, i, next);
		if (is_killed(batch))
			return -EINTR;
	}
	if (!err && ((change->rights.unlike && !window->tracked) ||
		     !wr_view_is_ready(window, new))) {
		needs->track = window;
		needs->state = new;
	}
	if (!err && change->rights.lost)
		needs->mmap = WR_MMAP_WRITE;
	return err;
}

/* To be what they are, which is all that they can be: see check_kind(). */
static int check_frames(struct wr_change *change)
{
	pgoff_t i, next;

	for (i = change->first; i < change->end; i = next) {
		if (wr_runs_span(&change->window->runs, i, change->end,
				 &next) != WR_STATE_FRAME)
			return -ENODATA;
		cond_resched();
	}
	return 0;
}

static int check_change(struct wr_batch *batch, struct wr_change *change,
			struct wr_needs *needs)
{
	struct wr_window *window = change->window;
	pgoff_t i, next;
	int err = 0;
	u8 old;

	change->rights = (struct wr_rights){};
	if (wr_op_resets(batch->op))
		return wr_reset_check(batch->op, change, needs);
	if (window->view)
		return check_view(batch, change, needs);
	if (wr_region_is_physical(change->region))
		return check_frames(change);
	for (i = change->first; !err && i < change->end; i = next) {
		old = wr_runs_span(&window->runs, i, change->end, &next);
		err = wr_change_check_run(window, batch->op, old, change->state,
					  next - i, &change->rights, needs);
		if (is_killed(batch))
			return -EINTR;
	}
	if (!err && batch->op != WR_DECOMMIT)
		needs->mmap = max(needs->mmap, mmap_for(change));
	if (!err && zaps_forked(batch, change))
		needs->mmap = max(needs->mmap, WR_MMAP_READ);
	return err;
}

/* Finds out what the first @n ranges come to. Return: 0 or -ENOMEM. */
static int find_spans(struct wr_batch *batch, unsigned int n)
{
	if (!batch->overlap && wr_overlap_is_possible(batch->changes, n)) {
		batch->overlap = wr_overlap_alloc(batch->changes, batch->nr,
						  &batch->spans);
		if (!batch->overlap)
			return -ENOMEM;
	}
	batch->nr_spans =
		batch->overlap ? wr_overlap_resolve(batch->overlap, n) : n;
	return 0;
}

/*
 * What can be wrong with a page is the same error for all ranges of a call, so
 * the spans tell it as well: of those in front of a range without a region.
 */
static int check_all(struct wr_batch *batch, struct wr_needs *needs)
{
	int found = 0, err;
	unsigned int i;

	memset(needs, 0, sizeof(*needs));
	for (i = 0; i < batch->nr && !found; i++) {
		found = find_region(batch, &batch->changes[i]);
		if (!found && !wr_op_resets(batch->op))
			found = check_range(batch, &batch->changes[i], needs);
	}
	err = find_spans(batch, found ? i - 1 : i);
	for (i = 0; i < batch->nr_spans && !err; i++)
		err = check_change(batch, &batch->spans[i], needs);
	if (!err && !found && needs->denied)
		err = -EACCES;
	return err ? err : found;
}

/* ---- preparing: may fail, changes no state ---- */

static int split_change(struct wr_change *change)
{
	struct wr_runs *runs = &change->window->runs;
	int err;

	err = wr_runs_split(runs, change->first, GFP_KERNEL_ACCOUNT);
	if (!err)
		err = wr_runs_split(runs, change->end, GFP_KERNEL_ACCOUNT);
	if (!err && change->window->view)
		err = wr_copies_prepare(change->window, change->first,
					change->end, change->state);
	if (!err && change->large)
		err = wr_locked_prepare(change->window, change->first,
					change->end);
	return err;
}

/* Where the pages of a view are in its section. */
static pgoff_t section_first(struct wr_change *change)
{
	return wr_window_offset(change->window, change->first);
}

static pgoff_t section_end(struct wr_change *change)
{
	return wr_window_offset(change->window, change->end);
}

/* What a commit in a view needs is charged to its section. */
static int charge_change(struct wr_batch *batch, struct wr_change *change)
{
	change->charged = 0;
	if (batch->op != WR_COMMIT || !change->window->view)
		return 0;
	return wr_section_charge(change->window->view->section,
				 section_first(change), section_end(change),
				 &change->charged);
}

static void uncharge_change(struct wr_change *change)
{
	if (change->charged)
		wr_section_uncharge(change->window->view->section,
				    change->charged);
}

/* Undoes what has been prepared for the first @nr. */
static void forget_all(struct wr_batch *batch, unsigned int nr)
{
	while (nr--) {
		uncharge_change(&batch->spans[nr]);
		if (wr_op_resets(batch->op))
			wr_reset_forget(&batch->spans[nr]);
		wr_change_compact(batch->spans[nr].window, &batch->spans[nr]);
		cond_resched();
	}
}

/* The charge first: to get it may be to wait for memory that others can still give. */
static int prepare_all(struct wr_batch *batch, struct wr_needs *needs)
{
	struct wr_pagefile *pagefile = &batch->space->pagefile;
	struct wr_change *change = batch->spans;
	unsigned int i;
	int err = 0;

	if (needs->charge)
		err = wr_pagefile_charge(pagefile, needs->charge);
	if (err)
		return err;
	for (i = 0; i < batch->nr_spans && !err; i++, change++) {
		err = charge_change(batch, change);
		if (!err && wr_op_resets(batch->op))
			err = wr_reset_prepare(batch->op, change);
		else if (!err)
			err = split_change(change);
		if (!err && is_killed(batch))
			err = -EINTR;
	}
	if (!err)
		return 0;
	forget_all(batch, i);
	if (needs->charge)
		wr_pagefile_uncharge(pagefile, needs->charge);
	return err;
}

/* ---- applying: cannot fail ---- */

/* See wr_change_tell(). */
noinline void wr_change_trace(struct wr_window *window, enum wr_op op,
			      pgoff_t first, pgoff_t end, u8 state)
{
	struct mm_struct *mm = window->space->mm;
	u32 protection = wr_state_protection(state, 0);

	if (op == WR_COMMIT)
		trace_wr_commit(mm, first, end, protection);
	else if (op == WR_PROTECT)
		trace_wr_protect(mm, first, end, protection);
	else
		trace_wr_decommit(mm, first, end);
}

static unsigned long reset(struct wr_batch *batch, struct wr_change *change)
{
	unsigned long gone = wr_reset_apply(batch->op, change);

	trace_wr_reset(batch->space->mm, change->first, change->end,
		       wr_reset_operation(batch->op), gone);
	return gone;
}

static void set_states(struct wr_batch *batch, struct wr_change *change)
{
	bool exec_lost = change->rights.lost & WR_EXEC;
	struct wr_window *window = change->window;
	pgoff_t i, next;
	u8 old;

	for (i = change->first; i < change->end; i = next) {
		old = wr_runs_span(&window->runs, i, change->end, &next);
		change->region->committed +=
			wr_change_more(batch->op, old, next - i);
		if (exec_lost)
			wr_window_note_exec_lost(window, old);
		is_killed(batch); /* only yields: it is too late to fail */
	}
	window->toggles |= exec_lost;
	wr_runs_fill(&window->runs, change->first, change->end, change->state);
}

/* What cannot be read is not locked: a guard, or without access. */
static void unlock_unreadable(struct wr_change *change)
{
	if (!wr_state_allows(change->state, WR_READ))
		wr_locked_clear(change->window, change->first, change->end);
}

/* Makes the PTEs obey the new states; what is missing is left to faults. */
static void make_ptes_obey(struct wr_batch *batch, struct wr_change *change)
{
	struct wr_window *window = change->window;

	if (change->rights.unlike)
		wr_huge_break(window, change->first, change->end);
	if (batch->mmap == WR_MMAP_WRITE && only_write_goes(change))
		wr_ptes_forbid_write(window, change->first, change->end);
	else if (change->rights.lost || change->rights.gained & WR_EXEC)
		wr_resident_unmap(window, change->first, change->end);
	if ((change->rights.lost | change->rights.gained) & WR_EXEC &&
	    batch->mmap != WR_MMAP_NONE)
		wr_window_map_again(window, change->first, change->end);
	if (change->rights.gained & WR_WRITE && batch->mmap != WR_MMAP_NONE &&
	    window->tracked)
		wr_ptes_allow_write(window, change->first, change->end);
}

/* For ranges that overlap: maybe what an earlier one makes of it. */
static void note_all_old(struct wr_batch *batch)
{
	struct wr_change *change = batch->changes, *before;
	unsigned int i;
	u8 old;

	for (i = 0; i < batch->nr; i++, change++) {
		before = wr_overlap_before(batch->overlap, i);
		if (before)
			old = wr_copies_state(change->window, change->first,
					      before->state);
		else
			old = wr_runs_state(&change->window->runs,
					    change->first);
		wr_change_note_old(change, old);
		cond_resched();
	}
}

/* The charge of pages that will be written in place, or will not be written. */
static void settle_copies(struct wr_batch *batch, struct wr_change *change)
{
	struct wr_window *window = change->window;
	long more = 0, here;
	pgoff_t i, next;
	u8 old;

	for (i = change->first; i < change->end; i = next) {
		old = wr_runs_span(&window->runs, i, change->end, &next);
		here = wr_copies_more(window, old, change->state, i, next);
		change->region->committed += here;
		more += here;
		is_killed(batch); /* only yields: it is too late to fail */
	}
	if (more < 0)
		wr_pagefile_uncharge(&window->space->pagefile, -more);
}

static void apply_to_view(struct wr_batch *batch, struct wr_change *change)
{
	struct wr_window *window = change->window;

	wr_change_note_old(change, wr_view_state(window, change->first));
	settle_copies(batch, change);
	if (wr_view_changes_exec(window, change->state))
		wr_view_change_exec(window);
	wr_copies_fill(window, change->first, change->end, change->state);
	unlock_unreadable(change);
	if (batch->op == WR_COMMIT)
		wr_section_commit(window->view->section, section_first(change),
				  section_end(change), change->charged);
	if (change->rights.lost)
		wr_view_zap(window, change->first, change->end);
}

/* The placeholder is none any more. */
static void replace(struct wr_change *change)
{
	struct wr_region *region = change->region;

	wr_region_become(region, WR_REGION_REPLACED, change->protection);
	if (change->watch)
		wr_region_watch(change->window, region, &change->watch);
	wr_region_set_node(change->window, region, change->node);
	change->serial = region->serial;
	trace_wr_reserve(change->window->space->mm, region->first, region->end,
			 region->protection, WINREGION_RESERVE_REPLACE);
}

static void apply_change(struct wr_batch *batch, struct wr_change *change)
{
	struct wr_window *window = change->window;

	if (wr_op_resets(batch->op)) {
		batch->changes->gone += reset(batch, change);
		return;
	}
	if (change->replaces)
		replace(change);
	wr_change_tell(window, batch->op, change->first, change->end,
		       change->state);
	if (window->view) {
		apply_to_view(batch, change);
		return;
	}
	if (batch->op == WR_DECOMMIT) {
		wr_window_clear(window, change->region, change->first,
				change->end, true);
		return;
	}
	wr_change_note_old(change, wr_runs_state(&window->runs, change->first));
	if (wr_region_is_physical(change->region))
		return;
	set_states(batch, change);
	if (change->large)
		wr_locked_note_large(window, change->first, change->end);
	unlock_unreadable(change);
	make_ptes_obey(batch, change);
}

static void apply_all(struct wr_batch *batch)
{
	unsigned int i;

	if (batch->overlap && batch->op == WR_PROTECT)
		note_all_old(batch);
	for (i = 0; i < batch->nr_spans; i++)
		apply_change(batch, &batch->spans[i]);
	for (i = 0; i < batch->nr_spans; i++) {
		if (wr_op_resets(batch->op))
			wr_reset_forget(&batch->spans[i]);
		wr_change_compact(batch->spans[i].window, &batch->spans[i]);
		cond_resched();
	}
}

/* ---- changes of VMAs ---- */

static void refit_or_lose_all(struct wr_batch *batch, unsigned int nr)
{
	while (nr--)
		wr_window_refit_or_lose(batch->spans[nr].window,
					batch->spans[nr].first,
					batch->spans[nr].end);
}

static bool change_is_exec(struct wr_change *change)
{
	return wr_state_is_exec(change->state);
}

/* Whether some page of the range is one for an executable VMA (or not). */
static bool has_exec(struct wr_change *change, bool exec)
{
	struct wr_window *window = change->window;
	pgoff_t i, next;
	bool found = false;
	u8 state;

	mutex_lock(&window->lock);
	for (i = change->first; i < change->end && !found; i = next) {
		state = wr_runs_span(&window->runs, i, change->end, &next);
		found = wr_window_exec_at(window, state) == exec;
		cond_resched();
	}
	mutex_unlock(&window->lock);
	return found;
}

static int remap_all(struct wr_batch *batch)
{
	struct wr_change *change = batch->spans;
	unsigned int i;
	int err;

	for (i = 0; i < batch->nr_spans; i++, change++) {
		if (!has_exec(change, !change_is_exec(change)))
			continue;
		err = wr_window_remap(change->window, change->first,
				      change->end, change_is_exec(change));
		if (err) {
			refit_or_lose_all(batch, i);
			return err;
		}
	}
	return 0;
}

/* Checks, prepares and applies once more, now that the VMAs fit. */
static int apply_again(struct wr_batch *batch)
{
	struct wr_needs needs;
	int err;

	err = lock_mmap(batch);
	if (err)
		return err;
	lock_windows(batch);
	err = check_all(batch, &needs);
	if (WARN_ON_ONCE(!err && needs.track))
		err = -EINVAL; /* run_batch() has seen to it */
	if (!err)
		err = prepare_all(batch, &needs);
	if (!err)
		apply_all(batch);
	unlock_windows(batch);
	unlock_mmap(batch);
	return err;
}

/* The checks of a change that needs other VMAs, without the change. */
static int check_only(struct wr_batch *batch, struct wr_needs *needs)
{
	unsigned int i;
	int err;

	lock_windows(batch);
	err = check_all(batch, needs);
	if (!err)
		err = prepare_all(batch, needs);
	if (!err && needs->charge)
		wr_pagefile_uncharge(&batch->space->pagefile, needs->charge);
	for (i = 0; i < batch->nr_spans && !err; i++)
		uncharge_change(&batch->spans[i]);
	unlock_windows(batch);
	return err;
}

static int change_vmas(struct wr_batch *batch)
{
	struct wr_needs needs;
	int err;

	if (mutex_lock_killable(&batch->space->layout_lock))
		return -EINTR;
	err = check_only(batch, &needs);
	if (err)
		goto unlock;
	err = remap_all(batch);
	if (err)
		goto unlock;
	err = apply_again(batch);
	if (err)
		refit_or_lose_all(batch, batch->nr_spans);
unlock:
	mutex_unlock(&batch->space->layout_lock);
	return err;
}

/* What is only needed for reading may be free; then it is not started over. */
static void try_mmap(struct wr_batch *batch, struct wr_needs *needs)
{
	if (batch->mmap == WR_MMAP_NONE && needs->mmap == WR_MMAP_READ &&
	    mmap_read_trylock(batch->space->mm)) {
		batch->mmap = WR_MMAP_READ;
		note_mmap(batch, true);
	}
}

static bool all_fit(struct wr_batch *batch)
{
	struct wr_change *change = batch->spans;
	unsigned int i;

	for (i = 0; i < batch->nr_spans; i++, change++)
		if (!wr_window_fits(change->window, change->first, change->end,
				    change_is_exec(change)))
			return false;
	return true;
}

/* The pages of most changes are in VMAs where they may be executed already. */
static void try_vmas(struct wr_batch *batch, struct wr_needs *needs)
{
	if (batch->mmap == WR_MMAP_NONE) {
		if (!mmap_read_trylock(batch->space->mm))
			return;
		batch->mmap = WR_MMAP_READ;
		note_mmap(batch, true);
	}
	needs->exec = !all_fit(batch);
}

/* Whether it is easy, and so done. */
static bool try_quick(struct wr_batch *batch)
{
	struct wr_change *changes = batch->changes;

	if (batch->several || changes->hard)
		return false;
	changes->hard = true; /* if it is not easy now, nor next time */
	if (batch->nr == 1)
		return wr_quick_change(changes->window, batch->op, changes);
	return batch->op == WR_COMMIT &&
	       wr_quick_commit(changes->window, changes, batch->nr);
}

/* Return: 0 if done, 1 if the needs must be met first, or an error. */
static int try_change(struct wr_batch *batch, struct wr_needs *needs)
{
	int err;

	err = lock_mmap(batch);
	if (err)
		return err;
	lock_windows(batch);
	if (try_quick(batch))
		goto unlock;
	err = check_all(batch, needs);
	if (!err)
		try_mmap(batch, needs);
	if (!err && needs->exec)
		try_vmas(batch, needs);
	if (!err && (needs->track || needs->exec || needs->mmap > batch->mmap))
		err = 1;
	if (!err)
		err = prepare_all(batch, needs);
	if (!err)
		apply_all(batch);
unlock:
	unlock_windows(batch);
	unlock_mmap(batch);
	return err;
}

/* VMAs that nobody needs any more are left until there are many. */
static void tidy(struct wr_batch *batch)
{
	struct wr_space *space = batch->space;
	struct wr_change *change = batch->spans;
	unsigned int i;

	for (i = 0; i < batch->nr_spans; i++, change++) {
		if (!wr_window_is_untidy(change->window))
			continue;
		if (!mutex_trylock(&space->layout_lock))
			return; /* the next one does it */
		wr_window_tidy(change->window);
		mutex_unlock(&space->layout_lock);
		cond_resched();
	}
}

static int track(struct wr_needs *needs)
{
	if (needs->track->view)
		return wr_view_track(needs->track, needs->state);
	return wr_window_track(needs->track);
}

static int run_batch(struct wr_batch *batch)
{
	struct wr_needs needs;
	int ret;

	while ((ret = try_change(batch, &needs)) == 1) {
		batch->mmap = max(batch->mmap, needs.mmap);
		if (!needs.track && needs.exec)
			return change_vmas(batch);
		ret = needs.track ? track(&needs) : 0;
		if (ret)
			return ret;
	}
	return ret;
}

/**
 * wr_change - change the pages of some ranges, all or none
 * @space: where
 * @op: what to do
 * @changes: the ranges, checked to be usable addresses
 * @nr: how many, at least 1
 *
 * Context: may take layout_lock and mmap_lock.
 * Return: 0, or -ENOENT, -EXDEV, -ESPIPE, -ENODATA, -EDQUOT, -ENOMEM, -ENFILE,
 * -EINTR, -EDOM, -EMEDIUMTYPE, -ENOMSG, -ENOTBLK, and where executable pages are concerned
 * -EACCES, -ENOSPC, -EAGAIN.
 */
int wr_change(struct wr_space *space, enum wr_op op, struct wr_change *changes,
	      unsigned int nr)
{
	struct wr_batch batch = {
		.space = space,
		.op = op,
		.changes = changes,
		.nr = nr,
		.spans = changes,
		.nr_spans = nr,
		.windows = LIST_HEAD_INIT(batch.windows),
	};
	unsigned long overdrafts = wr_runs_overdrafts();
	int err;

	err = find_windows(&batch);
	if (!err)
		err = run_batch(&batch);
	if (!err && op != WR_COMMIT && !wr_op_resets(op))
		tidy(&batch);
	put_windows(&batch);
	wr_pageout_repay(space->mm, overdrafts);
	wr_locked_settle(space);
	wr_overlap_free(batch.overlap);
	if (op == WR_DECOMMIT || err || nr > 1)
		wr_pagefile_trim(&space->pagefile, true);
	return err;
}
