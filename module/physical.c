// SPDX-License-Identifier: GPL-2.0
/*
 * Regions for frames: which frame is mapped where.
 *
 * In such a region, which Windows calls an AWE window, each page is empty, and as if
 * reserved, or a frame is mapped there: then it can be read and written. That is a state
 * of its own, WR_STATE_FRAME, and which frame it is says frames->places. Whoever gives up
 * pages of a window, a release or an munmap(), resets the state and knows nothing of
 * frames; what places has there is old then, and is forgotten when the frame is looked
 * at next. So a frame is mapped where its index says if places has it there, and the
 * state says that it has one.
 *
 * A call that maps frames takes all of them, and all that was mapped where they go, away
 * first, and then maps them: none is ever in two places. All of it is checked before
 * anything changes. frames->lock is held all the time, and mmap_lock for reading: so PTEs
 * are inserted at once under the window's lock, which spares a fault for each, and where
 * some are removed only those of this address space are. The former is done as in a fault,
 * and what cannot be inserted is left to faults.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "account.h"
#include "fault.h"
#include "physical.h"
#include "regiontree.h"
#include "resident.h"

/* Pages that are changed under one hold of a window's lock */
#define AT_ONCE 512UL

/* PTEs that are inserted together */
#define INSERTED_AT_ONCE 64UL

/* ---- several places ---- */

/**
 * lock_window - the window of places
 * @space: whose
 * @first: the first of them
 * @end: the page behind the last; set to where they end in the region
 * @region: set to the region
 *
 * Return: the window, with a reference and locked, or NULL if there is no region for
 * frames.
 */
static struct wr_window *lock_window(struct wr_space *space, pgoff_t first,
				     pgoff_t *end, struct wr_region **region)
{
	struct wr_window *window = wr_window_find(space, first);

	if (!window)
		return NULL;
	wr_frames_lock_window(window);
	*region = window->dead ? NULL : wr_region_find(window, first);
	if (*region && wr_region_is_physical(*region)) {
		*end = min(*end, (*region)->end);
		return window;
	}
	wr_frames_unlock_window(window);
	return NULL;
}

/* Whether the program has unmapped something there. */
static bool has_lost(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;

	for (; window->lost && first < end; first = next) {
		if (wr_window_lost_at(window, first, end, &next))
			return true;
		cond_resched();
	}
	return false;
}

/* Frames that are mapped there now may be mapped elsewhere by this call: 0 or -EINTR. */
static int mark_taken(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_frames *frames = &window->space->frames;
	struct wr_frame *frame;
	pgoff_t i, next;

	for (i = first; i < end; i = next) {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		if (wr_runs_span(&window->runs, i, end, &next) !=
		    WR_STATE_FRAME)
			continue;
		next = min(next, i + AT_ONCE);
		for (; i < next; i++) {
			frame = xa_load(&frames->places, i);
			frame->taken_from = frames->call;
		}
	}
	return 0;
}

/*
 * Whether frames can be mapped there: 0, -EINVAL or -EINTR. What is mapped there is
 * marked.
 */
static int check_range(struct wr_space *space, pgoff_t first, pgoff_t end)
{
	struct wr_region *region;
	struct wr_window *window;
	pgoff_t stop;
	int err = 0;

	for (; !err && first < end; first = stop) {
		stop = end;
		window = lock_window(space, first, &stop, &region);
		if (!window)
			return -EINVAL;
		err = has_lost(window, first, stop) ?
			      -EINVAL :
			      mark_taken(window, first, stop);
		wr_frames_unlock_window(window);
		cond_resched();
	}
	return err;
}

/* How many places from the first on lie side by side. */
static unsigned long side_by_side(struct wr_placing *placings, unsigned long n)
{
	unsigned long i;

	for (i = 1; i < n; i++)
		if (placings[i].index != placings[i - 1].index + 1)
			break;
	return i;
}

/* From a page in no region for frames to the next that may be in one, at most @end. */
static pgoff_t skip(struct wr_space *space, pgoff_t first, pgoff_t end)
{
	struct wr_window *window = wr_window_next(space, first);
	struct wr_region *region;
	pgoff_t next;

	if (!window)
		return end;
	wr_frames_lock_window(window);
	region = wr_region_next(window, first);
	if (region)
		next = region->first > first ? region->first : region->end;
	else
		next = max(window->end, first + 1);
	wr_frames_unlock_window(window);
	return min(next, end);
}

/* Some of those of a part of a region; @end is set to how far it has come. */
static void take_some_away(struct wr_window *window, struct wr_region *region,
			   pgoff_t first, pgoff_t *end)
{
	pgoff_t next;

	for (; first < *end; first = next) {
		if (wr_runs_span(&window->runs, first, *end, &next) ==
		    WR_STATE_FRAME)
			break;
		cond_resched();
	}
	if (first >= *end)
		return;
	*end = min(next, first + AT_ONCE);
	wr_frames_take_away(window, region, first, *end);
}

/* What is mapped in a range, of which some may be in no region by now. */
static void take_range_away(struct wr_space *space, pgoff_t first, pgoff_t end)
{
	struct wr_region *region;
	struct wr_window *window;
	pgoff_t stop;

	for (; first < end; first = stop) {
		stop = end;
		window = lock_window(space, first, &stop, &region);
		if (!window) {
			stop = skip(space, first, end);
			continue;
		}
		take_some_away(window, region, first, &stop);
		wr_frames_unlock_window(window);
		cond_resched();
	}
}

/* What is mapped in places. */
static void take_all_away(struct wr_space *space, struct wr_placing *placings,
			  unsigned long n)
{
	unsigned long i, more;

	for (i = 0; i < n; i += more) {
		more = side_by_side(placings + i, n - i);
		take_range_away(space, placings[i].index,
				placings[i].index + more);
	}
}

/* ---- the checks of a call that maps ---- */

/* The number of a call: no frame has it yet, and 0 is that of a new one. */
static void begin_call(struct wr_frames *frames)
{
	struct wr_frame *frame;
	unsigned long number;

	if (++frames->call)
		return;
	xa_for_each(&frames->table, number, frame) {
		frame->taken_from = 0;
		frame->put_by = 0;
		cond_resched();
	}
	frames->call = 1;
}

/* Asked for each frame: a program decides how many there are. */
static int yield_or_die(unsigned long i)
{
	if (i % AT_ONCE)
		return 0;
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* The places are in regions for frames. */
static int check_places(struct wr_space *space, struct wr_placing *placings,
			unsigned long n)
{
	unsigned long i, more;
	int err = 0;

	for (i = 0; !err && i < n; i += more) {
		err = yield_or_die(0);
		more = side_by_side(placings + i, min(n - i, AT_ONCE));
		if (!err)
			err = check_range(space, placings[i].index,
					  placings[i].index + more);
	}
	return err;
}

/* Each frame is one, once, and in no other place. */
static int find_frames(struct wr_space *space, struct wr_placing *placings,
		       unsigned long n)
{
	u32 call = space->frames.call;
	struct wr_frame *frame;
	unsigned long i;
	int err = 0;

	for (i = 0; !err && i < n; i++) {
		err = yield_or_die(i);
		frame = wr_frame_find(space, placings[i].number);
		if (!frame || frame->put_by == call)
			return -EINVAL;
		frame->put_by = call;
		if (frame->index && frame->taken_from != call &&
		    wr_frame_is_mapped(space, frame))
			return -EINVAL;
		placings[i].frame = frame;
	}
	return err;
}

static int check_map(struct wr_space *space, struct wr_placing *placings,
		     unsigned long n)
{
	int err = check_places(space, placings, n);

	return err ? err : find_frames(space, placings, n);
}

/* ---- mapping: cannot fail ---- */

/* From @addr on, at most @n pages. Return: how many were looked at. */
static unsigned long insert_some(struct wr_window *window, unsigned long addr,
				 struct wr_placing *placings, unsigned long n)
{
	struct vm_area_struct *vma = vma_lookup(window->space->mm, addr);
	struct page *pages[INSERTED_AT_ONCE];
	unsigned long i, left;

	n = min(n, INSERTED_AT_ONCE);
	if (!vma || wr_vma_window(vma) != window ||
	    !(vma->vm_flags & VM_MIXEDMAP) || vma->vm_flags & VM_EXEC)
		return n;
	n = min(n, wr_vma_end(vma) - wr_index(addr));
	for (i = 0; i < n; i++) {
		pages[i] = placings[i].frame->page;
		if (PageHWPoison(pages[i]))
			return n;
	}
	left = n;
	vm_insert_pages(vma, addr, pages, &left);
	return n;
}

static void insert(struct wr_window *window, struct wr_placing *placings,
		   unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; cond_resched())
		i += insert_some(window, wr_address(placings[i].index),
				 placings + i, n - i);
}

static bool has_frames(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;

	for (; first < end; first = next)
		if (wr_runs_span(&window->runs, first, end, &next) ==
		    WR_STATE_FRAME)
			return true;
	return false;
}

/* Side by side, so that one walk leads to all of them. */
static void note_places(struct xarray *places, struct wr_placing *placings,
			unsigned long n)
{
	XA_STATE(xas, places, placings->index);
	unsigned long i;

	do {
		xas_lock(&xas);
		for (i = xas.xa_index - placings->index; i < n; i++) {
			xas_store(&xas, placings[i].frame);
			if (xas_error(&xas))
				break;
			if (i + 1 < n)
				xas_next(&xas);
		}
		xas_unlock(&xas);
	} while (xas_nomem(&xas, WR_GFP_MUST));
}

/* Places side by side, in one region, where nothing is mapped. */
static void put(struct wr_window *window, struct wr_region *region,
		struct wr_placing *placings, unsigned long n)
{
	pgoff_t first = placings->index, end = first + n;
	unsigned long i;

	/* A place that comes twice: the last one counts. */
	if (unlikely(has_frames(window, first, end)))
		wr_frames_take_away(window, region, first, end);
	wr_runs_split_surely(&window->runs, first, end);
	for (i = 0; i < n; i++)
		placings[i].frame->index = placings[i].index;
	note_places(&window->space->frames.places, placings, n);
	wr_runs_fill(&window->runs, first, end, WR_STATE_FRAME);
	insert(window, placings, n);
	wr_runs_compact(&window->runs, first, end, region->first, region->end);
}

/* What has been released meanwhile, or unmapped by the program, is left out. */
static unsigned long put_some(struct wr_space *space,
			      struct wr_placing *placings, unsigned long n)
{
	struct wr_region *region;
	struct wr_window *window;
	pgoff_t end;

	n = side_by_side(placings, min(n, AT_ONCE));
	end = placings->index + n;
	window = lock_window(space, placings->index, &end, &region);
	if (!window)
		return 1;
	n = end - placings->index;
	if (!has_lost(window, placings->index, end))
		put(window, region, placings, n);
	wr_frames_unlock_window(window);
	return n;
}

static void map_all(struct wr_space *space, struct wr_placing *placings,
		    unsigned long n)
{
	struct wr_account account;
	unsigned long i;

	wr_account_begin(&account, space->mm);
	take_all_away(space, placings, n);
	for (i = 0; i < n; i++)
		wr_frame_unmap(space, placings[i].frame);
	for (i = 0; i < n; cond_resched())
		i += put_some(space, placings + i, n - i);
	wr_account_end(&account);
}

/**
 * wr_physical_map - map frames, all or none
 * @space: whose
 * @placings: which ones and where; @frame is set
 * @n: how many
 *
 * What was mapped there is mapped nowhere afterwards, unless the call maps it again.
 *
 * Context: takes frames->lock and mmap_lock.
 * Return: 0, or -EINVAL if a number is not one of a frame, comes twice, or is mapped
 * elsewhere, or a place is in no region for frames; -ENOMEM, -EINTR.
 */
int wr_physical_map(struct wr_space *space, struct wr_placing *placings,
		    unsigned long n)
{
	int err;

	if (wr_frames_lock(space))
		return -EINTR;
	begin_call(&space->frames);
	err = check_map(space, placings, n);
	if (!err)
		map_all(space, placings, n);
	wr_frames_unlock(space);
	return err;
}

/**
 * wr_physical_unmap_all - unmap what is mapped in some places, all or none
 * @space: whose
 * @placings: where
 * @n: how many
 *
 * Context: takes frames->lock and mmap_lock.
 * Return: 0, or -EINVAL if a place is in no region for frames, or -EINTR.
 */
int wr_physical_unmap_all(struct wr_space *space, struct wr_placing *placings,
			  unsigned long n)
{
	int err;

	if (wr_frames_lock(space))
		return -EINTR;
	err = check_places(space, placings, n);
	if (!err)
		take_all_away(space, placings, n);
	wr_frames_unlock(space);
	return err;
}

/**
 * wr_physical_unmap - unmap what is mapped in a range
 * @space: whose
 * @first: the first page
 * @end: the page behind the last
 *
 * Context: takes frames->lock and mmap_lock.
 * Return: 0, or -EINVAL if some of that is in no region for frames, or -EINTR.
 */
int wr_physical_unmap(struct wr_space *space, pgoff_t first, pgoff_t end)
{
	int err;

	if (wr_frames_lock(space))
		return -EINTR;
	err = check_range(space, first, end);
	if (!err)
		take_range_away(space, first, end);
	wr_frames_unlock(space);
	return err;
}
