// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that are locked in memory, and pages that leave the working set.
 *
 * A range can have pages of several regions, and views, one behind the other: so it is
 * gone through by VMAs. To lock pages, all are looked at first, in order, and noted as
 * about to be locked, which those who take pages away respect; then they are touched,
 * under mmap_lock for reading only and no lock of ours, as that may read from a disk.
 * Calls that lock or unlock come one after the other, so that each knows which pages
 * it has noted.
 *
 * A page that leaves the working set has no PTE any more. It keeps what it holds, and
 * its place: the next access finds it again.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "fault.h"
#include "lock.h"
#include "locked.h"
#include "regiontree.h"
#include "pageout.h"
#include "resident.h"
#include "trim.h"
#include "view_state.h"

/* Pages to touch before others may have mmap_lock. */
#define AT_ONCE 256UL

/**
 * struct wr_lock_call - a call that is going on
 * @space: where
 * @first: the first page
 * @end: the page behind the last
 * @locked: pages of the range that are locked
 * @trimmed: the page behind those that have left the working set
 */
struct wr_lock_call {
	struct wr_space *space;
	pgoff_t first;
	pgoff_t end;
	unsigned long locked;
	pgoff_t trimmed;
};

/* What is done with pages of one VMA. Its window is locked. Return: 0 or an error. */
typedef int (*part_fn)(struct wr_lock_call *call, struct wr_window *window,
		       struct vm_area_struct *vma, pgoff_t first, pgoff_t end);

/* The window, or view, of a VMA of the space, or NULL. */
static struct wr_window *window_of(struct wr_space *space,
				   struct vm_area_struct *vma)
{
	struct wr_window *window = wr_vma_window(vma);

	if (!window)
		window = wr_vma_view(vma);
	/* A child that had no memory for a view has the parent's. */
	return window && window->space == space ? window : NULL;
}

/*
 * Calls @fn for each VMA of ours in the range. mmap_lock is held. Return: 0, an error
 * of @fn, at which it stops, -EINTR, or -ENOENT if there is something else as well.
 */
static int visit_parts(struct wr_lock_call *call, bool all, part_fn fn)
{
	VMA_ITERATOR(vmi, call->space->mm, wr_address(call->first));
	struct vm_area_struct *vma;
	struct wr_window *window;
	pgoff_t at = call->first, first, end;
	int err = 0;

	for_each_vma_range(vmi, vma, wr_address(call->end)) {
		first = max(call->first, wr_vma_first(vma));
		end = min(call->end, wr_vma_end(vma));
		window = window_of(call->space, vma);
		if (window && first == at)
			at = end;
		else if (all)
			break;
		if (!window)
			continue;
		mutex_lock(&window->lock);
		window->held.mmap = true;
		err = fn(call, window, vma, first, end);
		window->held.mmap = false;
		mutex_unlock(&window->lock);
		if (err)
			return err;
		cond_resched();
	}
	return at < call->end ? -ENOENT : 0;
}

/* As is_killed() of change.c: to be asked for each run. */
static int yield_or_die(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* ---- to lock ---- */

static u8 state_span(struct wr_window *window, pgoff_t index, pgoff_t end,
		     pgoff_t *next)
{
	if (window->view)
		return wr_view_span(window, index, end, next);
	return wr_runs_span(&window->runs, index, end, next);
}

static int check_state(struct wr_window *window, pgoff_t index, u8 state)
{
	if (wr_state_is_lost(state))
		return -ENOENT;
	if (!wr_state_is_committed(state))
		return -ENODATA;
	/* The call is an access, which sets the guard off. */
	if (wr_state_is_guard(state))
		return wr_fault_disarm(window, index, state) ?: -ESTALE;
	return wr_state_allows(state, WR_READ) ? 0 : -EPROTO;
}

/* Pages of one region. */
static int check_states(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;
	int err = 0;
	u8 state;

	for (; first < end && !err; first = next) {
		state = state_span(window, first, end, &next);
		err = check_state(window, first, state);
		if (!err)
			err = yield_or_die();
	}
	return err;
}

/* Whether pages can be locked, in their order. */
static int check_pages(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_region *region;
	pgoff_t stop;
	int err = 0;

	for (; first < end && !err; first = stop) {
		region = wr_region_find(window, first);
		if (!region)
			return -ENOENT;
		stop = min(end, region->end);
		err = check_states(window, first, stop);
	}
	return err;
}

static int begin_part(struct wr_lock_call *call, struct wr_window *window,
		      struct vm_area_struct *vma, pgoff_t first, pgoff_t end)
{
	int err = check_pages(window, first, end);

	if (err)
		return err;
	call->locked += wr_locked_count(window, first, end);
	return wr_locked_begin(window, first, end);
}

static int succeed_part(struct wr_lock_call *call, struct wr_window *window,
			struct vm_area_struct *vma, pgoff_t first, pgoff_t end)
{
	wr_locked_finish(window, first, end, true);
	return 0;
}

static int fail_part(struct wr_lock_call *call, struct wr_window *window,
		     struct vm_area_struct *vma, pgoff_t first, pgoff_t end)
{
	wr_locked_finish(window, first, end, false);
	return 0;
}

/* All pages are noted and charged, or none is. */
static int begin(struct wr_lock_call *call)
{
	struct mm_struct *mm = call->space->mm;
	int err;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	err = visit_parts(call, true, begin_part);
	if (!err)
		err = wr_locked_charge(call->space);
	if (err)
		visit_parts(call, false, fail_part);
	mmap_write_unlock(mm);
	return err;
}

/* A page could not be touched: it is gone, or was never there. Return: an error. */
static int why_not(struct wr_space *space, pgoff_t index)
{
	struct wr_window *window = wr_window_find(space, index);
	pgoff_t next;
	u8 state = 0;

	if (!window)
		return -ENOENT;
	mutex_lock(&window->lock);
	if (wr_region_find(window, index))
		state = state_span(window, index, index + 1, &next);
	mutex_unlock(&window->lock);
	wr_window_put(window);
	if (!wr_state_is_committed(state))
		return -ENODATA;
	return wr_state_allows(state, WR_READ) ? -EIO : -EPROTO;
}

/* What maps a page of the file holds on to it. @page is pinned. */
static int keep_pinned(struct wr_window *window, pgoff_t index,
		       struct page *page)
{
	int err = -ENOENT;

	mutex_lock(&window->lock);
	if (page_folio(page)->mapping == window->view->mapping)
		err = wr_locked_pin(window, index, page);
	mutex_unlock(&window->lock);
	if (err)
		unpin_user_page(page);
	/* A copy is in memory as any page of ours, and needs no pin. */
	return err == -ENOENT ? 0 : err;
}

/* mmap_lock is held, and the page was touched. */
static int pin_in_view(struct wr_lock_call *call, pgoff_t index)
{
	struct mm_struct *mm = call->space->mm;
	struct vm_area_struct *vma = vma_lookup(mm, wr_address(index));
	struct wr_window *window = vma ? wr_vma_view(vma) : NULL;
	struct page *page;
	int err;

	if (!window || window->space != call->space)
		return 0;
	err = wr_pin_page_for_long(mm, wr_address(index), &page);
	return err ? err : keep_pinned(window, index, page);
}

static int touch(struct wr_lock_call *call, pgoff_t index)
{
	bool unlocked = false;
	int err;

	err = fixup_user_fault(call->space->mm, wr_address(index), 0,
			       &unlocked);
	if (!err)
		err = pin_in_view(call, index);
	if (err == -ENOMEM || err == -EINTR || !err)
		return err;
	return why_not(call->space, index);
}

static int touch_some(struct wr_lock_call *call, pgoff_t first, pgoff_t end)
{
	int err = 0;

	if (mmap_read_lock_killable(call->space->mm))
		return -EINTR;
	for (; first < end && !err; first++) {
		err = touch(call, first);
		if (!err)
			err = yield_or_die();
	}
	mmap_read_unlock(call->space->mm);
	return err;
}

static int touch_all(struct wr_lock_call *call)
{
	pgoff_t first, end;
	int err = 0;

	for (first = call->first; first < call->end && !err; first = end) {
		end = min(first + AT_ONCE, call->end);
		err = touch_some(call, first, end);
	}
	return err;
}

static int lock(struct wr_lock_call *call)
{
	struct mm_struct *mm = call->space->mm;
	int err;

	err = begin(call);
	if (err)
		return err;
	err = touch_all(call);
	mmap_read_lock(mm);
	visit_parts(call, false, err ? fail_part : succeed_part);
	mmap_read_unlock(mm);
	return err;
}

/* ---- the working set ---- */

/* Not parts of a slot that is mapped as a whole: the rest of it would go, too. */
static void trim_run(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, first);

	if (slot && slot->intact && first != wr_slot_first(first))
		first = min(end, wr_slot_first(first) + WR_SLOT_PAGES);
	slot = wr_runs_peek(&window->runs, end - 1);
	if (slot && slot->intact && end != wr_slot_first(end))
		end = max(first, wr_slot_first(end));
	if (first >= end)
		return;
	if (wr_pageout_is_possible(window->space->mm))
		wr_trim_range(window, first, end);
	/* What cannot leave memory leaves the working set. */
	wr_resident_unmap(window, first, end);
}

/*
 * All VMAs of a window together: a large page in parts may be in several, and leaves as a
 * whole.
 */
static int trim_part(struct wr_lock_call *call, struct wr_window *window,
		     struct vm_area_struct *vma, pgoff_t first, pgoff_t end)
{
	pgoff_t next;

	if (!window->view) {
		first = max(first, call->trimmed);
		end = min(call->end, window->end);
		call->trimmed = end;
	}
	for (; first < end; first = next) {
		if (wr_locked_span(window, first, end, &next))
			call->locked += next - first;
		else if (window->view)
			wr_zap_vma(vma, wr_address(first), wr_address(next));
		else
			trim_run(window, first, next);
		if (yield_or_die())
			return -EINTR;
	}
	return 0;
}

static int trim(struct wr_lock_call *call)
{
	int err;

	call->locked = 0;
	call->trimmed = 0;
	if (mmap_read_lock_killable(call->space->mm))
		return -EINTR;
	err = visit_parts(call, false, trim_part);
	mmap_read_unlock(call->space->mm);
	return err == -EINTR ? err : 0;
}

/* ---- to unlock ---- */

static int count_part(struct wr_lock_call *call, struct wr_window *window,
		      struct vm_area_struct *vma, pgoff_t first, pgoff_t end)
{
	call->locked += wr_locked_count(window, first, end);
	return yield_or_die();
}

static int unlock_part(struct wr_lock_call *call, struct wr_window *window,
		       struct vm_area_struct *vma, pgoff_t first, pgoff_t end)
{
	wr_locked_remove(window, first, end);
	return 0;
}

static int count(struct wr_lock_call *call)
{
	int err;

	if (mmap_read_lock_killable(call->space->mm))
		return -EINTR;
	err = visit_parts(call, false, count_part);
	mmap_read_unlock(call->space->mm);
	return err == -EINTR ? err : 0;
}

static int unlock(struct wr_lock_call *call)
{
	int err = count(call);

	if (err)
		return err;
	if (call->locked < call->end - call->first) {
		err = trim(call);
		return err ? err : -ENOLCK;
	}
	mmap_read_lock(call->space->mm);
	visit_parts(call, false, unlock_part);
	mmap_read_unlock(call->space->mm);
	return 0;
}

/* ---- the calls ---- */

typedef int (*call_fn)(struct wr_lock_call *call);

static int run(struct wr_space *space, pgoff_t first, pgoff_t end,
	       unsigned long *locked, call_fn fn)
{
	struct wr_lock_call call = {
		.space = space,
		.first = first,
		.end = end,
	};
	int err = fn(&call);

	*locked = call.locked;
	return err;
}

static int run_alone(struct wr_space *space, pgoff_t first, pgoff_t end,
		     unsigned long *locked, call_fn fn)
{
	unsigned long overdrafts = wr_runs_overdrafts();
	int err;

	*locked = 0;
	if (mutex_lock_killable(&space->lock_calls))
		return -EINTR;
	err = run(space, first, end, locked, fn);
	wr_locked_settle(space);
	mutex_unlock(&space->lock_calls);
	wr_pageout_repay(space->mm, overdrafts);
	return err;
}

/**
 * wr_lock - lock pages in memory
 * @space: where
 * @first: the first page
 * @end: the page behind the last
 * @before: set to how many of them were locked already
 *
 * All or none. A guard page that is met has lost its guard.
 *
 * Context: takes mmap_lock.
 * Return: 0, or of the first page that is none of a region -ENOENT, not committed
 * -ENODATA, a guard -ESTALE, or not to be read -EPROTO; -EAGAIN by RLIMIT_MEMLOCK; -EIO
 * if one cannot be had, -ENOMEM, -EINTR.
 */
int wr_lock(struct wr_space *space, pgoff_t first, pgoff_t end,
	    unsigned long *before)
{
	return run_alone(space, first, end, before, lock);
}

/**
 * wr_unlock - unlock pages
 * @space: where
 * @first: the first page
 * @end: the page behind the last
 * @before: set to how many of them were locked
 *
 * All or none. If some are not locked, those leave the working set.
 *
 * Context: takes mmap_lock.
 * Return: 0, -ENOLCK or -EINTR.
 */
int wr_unlock(struct wr_space *space, pgoff_t first, pgoff_t end,
	      unsigned long *before)
{
	return run_alone(space, first, end, before, unlock);
}

/**
 * wr_lock_trim - have pages leave the working set
 * @space: where
 * @first: the first page
 * @end: the page behind the last
 * @locked: set to how many of them are locked: those stay
 *
 * Context: takes mmap_lock.
 * Return: 0 or -EINTR.
 */
int wr_lock_trim(struct wr_space *space, pgoff_t first, pgoff_t end,
		 unsigned long *locked)
{
	return run(space, first, end, locked, trim);
}

/**
 * wr_lock_count - how many pages are locked
 * @space: where
 * @first: the first page
 * @end: the page behind the last
 * @locked: set to how many of them are, or are about to be
 *
 * Context: takes mmap_lock.
 * Return: 0 or -EINTR.
 */
int wr_lock_count(struct wr_space *space, pgoff_t first, pgoff_t end,
		  unsigned long *locked)
{
	return run(space, first, end, locked, count);
}
