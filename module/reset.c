// SPDX-License-Identifier: GPL-2.0
/*
 * Reset, offer and discard, and their undoing: what a program says about contents that
 * it does not need. No state and no charge changes.
 *
 * As any change it is checked, prepared and applied for all ranges of a call under the
 * locks of their windows: see change.c. What may be freed from then on is stashed:
 * stash.c.
 *
 * A page that is locked is not reset, and what is discarded of such pages is zeros in
 * place. An offer unlocks them. In a watched region what was written is noted before: see watch.c.
 *
 * In views of the paging file a reset is a hint that nothing follows from: the pages
 * are the section's, and other processes may use them.
 */
#include <linux/highmem.h>
#include <linux/sched/signal.h>

#include "commit.h"
#include "huge.h"
#include "locked.h"
#include "reset.h"
#include "resident.h"
#include "stash.h"
#include "trim.h"
#include "view_state.h"
#include "watch.h"

/* What a program calls it: WINREGION_OP_* */
u32 wr_reset_operation(enum wr_op op)
{
	switch (op) {
	case WR_RESET:
		return WINREGION_OP_RESET;
	case WR_UNDO:
		return WINREGION_OP_UNDO;
	case WR_DISCARD:
		return WINREGION_OP_DISCARD;
	case WR_OFFER:
		return WINREGION_OP_OFFER;
	case WR_RECLAIM:
		return WINREGION_OP_RECLAIM;
	default: /* none that resets */
		return 0;
	}
}

/* What a page must be like: all ranges of a call are asked before any changes. */
static int check_state(enum wr_op op, u8 state)
{
	if (op == WR_DISCARD)
		return state == WR_STATE_READWRITE ? 0 : -EDOM;
	return wr_state_is_committed(state) ? 0 : -ENODATA;
}

static int check_states(enum wr_op op, struct wr_change *change)
{
	struct wr_window *window = change->window;
	pgoff_t i, next;
	int err = 0;

	for (i = change->first; !err && i < change->end; i = next) {
		err = check_state(op, wr_runs_span(&window->runs, i,
						   change->end, &next));
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return err;
}

static int check_view(enum wr_op op, struct wr_change *change)
{
	if (op != WR_RESET && op != WR_UNDO)
		return -EMEDIUMTYPE;
	return change->window->view->section->paging ? 0 : -EMEDIUMTYPE;
}

/**
 * wr_reset_check - whether a range may be reset, and what it takes
 * @op: what to do
 * @change: the range, of which the region is known
 * @needs: what it needs is added
 *
 * Return: 0, -EMEDIUMTYPE, -EDOM, -ENODATA, -ENOMSG or -EINTR.
 */
int wr_reset_check(enum wr_op op, struct wr_change *change,
		   struct wr_needs *needs)
{
	struct wr_window *window = change->window;
	int err = 0;

	if (window->view)
		return check_view(op, change);
	if (op == WR_OFFER || op == WR_DISCARD)
		err = check_states(op, change);
	if (op == WR_RECLAIM &&
	    !wr_stash_offered(window, change->first, change->end))
		err = -ENOMSG;
	/* So that relatives do not notice: wr_resident_zap(). */
	if (!err && window->forked && window->nr_resident)
		needs->mmap = max(needs->mmap, WR_MMAP_READ);
	return err;
}

/* Data outside the range is not to be lost: a page is reset as a whole or not. */
static void whole_pages(enum wr_op op, struct wr_change *change, pgoff_t *first,
			pgoff_t *end)
{
	*first = change->first;
	*end = change->end;
	if (op != WR_RESET)
		return;
	*first += change->part_first;
	*end = max(*end - change->part_last, *first);
}

/* Whether pages are left in [*@first, @end): those up to @next, which are not locked. */
static bool find_unlocked(struct wr_window *window, pgoff_t *first, pgoff_t end,
			  pgoff_t *next)
{
	for (; *first < end; *first = *next) {
		if (wr_locked_span(window, *first, end, next) == WR_UNLOCKED)
			return true;
		cond_resched();
	}
	return false;
}

/* Has the slot of a page, if it is one 2 MiB page, be able to lose a part of it. */
static int spell_out(struct wr_window *window, pgoff_t index)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, index);

	return slot ? wr_slot_spell_out(slot, GFP_KERNEL_ACCOUNT) : 0;
}

static int prepare_discard(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	int err = 0;

	if (first != wr_slot_first(first))
		err = spell_out(window, first);
	if (!err && end != wr_slot_first(end))
		err = spell_out(window, end);
	return err;
}

/* Locked pages are to be zeros: without what else owns them, or has a copy. */
static int own_locked(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;

	for (; first < end; first = next) {
		if (wr_locked_span(window, first, end, &next) == WR_UNLOCKED)
			continue;
		next = first + 1;
		if (wr_resident_own(window, first, NULL) == ERR_PTR(-ENOMEM))
			return -ENOMEM;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/* One with a memory error stays as it is. */
static void clear_locked(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct page *page;
	pgoff_t next;

	for (; first < end; first = next) {
		if (wr_locked_span(window, first, end, &next) == WR_UNLOCKED)
			continue;
		next = first + 1;
		wr_stash_drop(window, first, next);
		page = wr_resident_own(window, first, NULL);
		if (!IS_ERR(page))
			clear_highpage(page);
		cond_resched();
	}
}

/* Of what is not locked. */
static int prepare_unlocked(enum wr_op op, struct wr_window *window,
			    pgoff_t first, pgoff_t end)
{
	pgoff_t next;
	int err = 0;

	for (; !err && find_unlocked(window, &first, end, &next);
	     first = next) {
		if (op == WR_RESET)
			err = wr_stash_prepare(window, first, next,
					       WR_STASH_RESET);
		else
			err = prepare_discard(window, first, next);
		cond_resched();
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
	}
	return err;
}

/**
 * wr_reset_prepare - get all that a range needs
 * @op: what to do
 * @change: the range
 *
 * wr_reset_forget() is to follow, whatever comes of it.
 *
 * Return: 0, -ENOMEM or -EINTR.
 */
int wr_reset_prepare(enum wr_op op, struct wr_change *change)
{
	struct wr_window *window = change->window;
	pgoff_t first, end;
	int err = 0;

	whole_pages(op, change, &first, &end);
	if (window->view || first >= end)
		return 0;
	if (window->watch && op != WR_UNDO && op != WR_RECLAIM)
		err = wr_watch_prepare(window, first, end);
	if (err)
		return err;
	if (op == WR_DISCARD)
		err = own_locked(window, first, end);
	if (err)
		return err;
	if (op == WR_RESET || op == WR_DISCARD)
		return prepare_unlocked(op, window, first, end);
	if (op == WR_OFFER)
		return wr_stash_prepare(window, first, end, change->state);
	if (op == WR_UNDO)
		return wr_stash_prepare_back(window, first, end,
					     WR_STASH_ONLY_RESET);
	return wr_stash_prepare_back(window, first, end, WR_STASH_ALL_OFFERS);
}

/*
 * The faults that are on their way end, and nothing maps the pages then. What is known
 * of writes to them stays here.
 */
static void unmap(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	wr_resident_unmap(window, first, end);
	if (window->watch)
		wr_watch_collect(window, first, end);
}

static void stash(struct wr_window *window, pgoff_t first, pgoff_t end,
		  enum wr_stash_class class)
{
	wr_huge_break(window, first, end);
	unmap(window, first, end);
	wr_stash_put(window, first, end, class);
	wr_huge_thin(window, first, end);
}

static void discard(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	wr_huge_break(window, first, end);
	wr_stash_drop(window, first, end);
	if (window->watch)
		unmap(window, first, end);
	wr_resident_drop(window, first, end, true);
	wr_huge_thin(window, first, end);
}

static void apply_unlocked(enum wr_op op, struct wr_window *window,
			   pgoff_t first, pgoff_t end)
{
	pgoff_t next;

	for (; find_unlocked(window, &first, end, &next); first = next) {
		if (op == WR_RESET)
			stash(window, first, next, WR_STASH_RESET);
		else
			discard(window, first, next);
		cond_resched();
	}
}

/* What has come back may leave, though nobody touches it. */
static void note_back(struct wr_window *window)
{
	if (wr_paging && window->nr_resident)
		wr_trim_note(window, window->space->mm);
}

/* Parts of large pages around the range come back with it. */
static void offer(struct wr_window *window, pgoff_t first, pgoff_t end,
		  enum wr_stash_class class)
{
	wr_locked_clear(window, first, end);
	stash(window, first, end, class);
	note_back(window);
}

static unsigned long take_back(struct wr_window *window, pgoff_t first,
			       pgoff_t end, struct wr_stash_set set)
{
	unsigned long gone = wr_stash_take_back(window, first, end, set);

	note_back(window);
	return gone;
}

/**
 * wr_reset_apply - do it; cannot fail
 * @op: what to do
 * @change: the range
 *
 * Return: of what was to be taken back, pages whose contents are gone.
 */
unsigned long wr_reset_apply(enum wr_op op, struct wr_change *change)
{
	struct wr_window *window = change->window;
	pgoff_t first, end;

	whole_pages(op, change, &first, &end);
	if (window->view || first >= end)
		return 0;
	if (op == WR_DISCARD)
		clear_locked(window, first, end);
	if (op == WR_RESET || op == WR_DISCARD)
		apply_unlocked(op, window, first, end);
	if (op == WR_OFFER)
		offer(window, first, end, change->state);
	if (op == WR_UNDO)
		return take_back(window, first, end, WR_STASH_ONLY_RESET);
	if (op == WR_RECLAIM)
		return take_back(window, first, end, WR_STASH_ALL_OFFERS);
	return 0;
}

/* Frees what was prepared for a range and is not needed. */
void wr_reset_forget(struct wr_change *change)
{
	if (!change->window->view)
		wr_stash_forget(change->window, change->first, change->end);
}
