// SPDX-License-Identifier: GPL-2.0
/*
 * Executable pieces.
 *
 * The executable right is a VMA's, not a page's: a page that may not be
 * executed must not be mapped in an executable VMA, where it would only fault
 * for ever. So a window's own VMA is executable or not, after the protection
 * that its regions were reserved with, and committed pages that do not fit get
 * VMAs of their own over the same offsets; what is in memory stays, as it
 * belongs to the window. Pages that are not committed have no PTEs and fit
 * anywhere; they are kept in the window's own VMA. VMA changes come before the
 * change of states, as they are what can fail.
 */
#include <linux/mman.h>

#include "layout.h"
#include "pieces.h"

static bool state_is_exec_at(struct wr_window *window, pgoff_t first,
			     pgoff_t end, pgoff_t *next, bool *lost)
{
	pgoff_t stop = first;
	bool exec = false;
	u8 state;

	mutex_lock(&window->lock);
	while (stop < end) {
		state = wr_runs_span(&window->runs, stop, end, next);
		if (stop == first) {
			exec = wr_window_exec_at(window, state);
			*lost = state & WR_LOST;
		} else if (exec != wr_window_exec_at(window, state) ||
			   *lost != !!(state & WR_LOST)) {
			break;
		}
		stop = *next;
	}
	*next = stop;
	mutex_unlock(&window->lock);
	return exec;
}

/* Whether the VMAs of pages that agree fit them. */
static bool piece_fits(struct wr_window *window, pgoff_t first, pgoff_t end,
		       bool exec)
{
	VMA_ITERATOR(vmi, window->space->mm, first << PAGE_SHIFT);
	struct mm_struct *mm = window->space->mm;
	struct vm_area_struct *vma;
	bool fits;

	mmap_read_lock(mm);
	fits = wr_layout_all_ours(window, first << PAGE_SHIFT,
				  end << PAGE_SHIFT);
	if (fits)
		for_each_vma_range(vmi, vma, end << PAGE_SHIFT)
			if (exec != !!(vma->vm_flags & VM_EXEC))
				fits = false;
	mmap_read_unlock(mm);
	return fits;
}

static bool is_ours_now(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	bool ours;

	mmap_read_lock(window->space->mm);
	ours = wr_layout_all_ours(window, first << PAGE_SHIFT,
				  end << PAGE_SHIFT);
	mmap_read_unlock(window->space->mm);
	return ours;
}

/* The second try fills the hole that the first one may have left. */
static int restore_piece(struct wr_window *window, pgoff_t first, pgoff_t end,
			 bool exec)
{
	unsigned long flags = MAP_FIXED;

	if (piece_fits(window, first, end, exec) ||
	    !wr_layout_map(window, first, end - first, exec, flags))
		return 0;
	if (!is_ours_now(window, first, end))
		flags = MAP_FIXED_NOREPLACE;
	return wr_layout_map(window, first, end - first, exec, flags);
}

/**
 * wr_window_restore - make the VMAs fit the states
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last
 *
 * For pages that were released, and for when a change of VMAs has failed half
 * way, where the core can leave a hole. What cannot be mapped again is lost.
 */
void wr_window_restore(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	bool exec, lost = false;
	pgoff_t next;

	for (; first < end; first = next) {
		exec = state_is_exec_at(window, first, end, &next, &lost);
		if (lost || !restore_piece(window, first, next, exec))
			continue;
		wr_window_unmapped(window, first, next);
	}
}

/* The pages from *@first on that are not lost: up to the one returned. */
static pgoff_t kept_span(struct wr_window *window, pgoff_t *first, pgoff_t end)
{
	pgoff_t i, next;
	bool lost;

	mutex_lock(&window->lock);
	for (i = *first; i < end; i = next) {
		lost = wr_runs_span(&window->runs, i, end, &next) & WR_LOST;
		if (lost && i > *first)
			break;
		if (lost)
			*first = next;
	}
	mutex_unlock(&window->lock);
	return i;
}

/**
 * wr_window_remap - give pages a VMA that is executable, or one that is not
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last
 * @exec: which
 *
 * Lost pages are left out.
 *
 * Return: 0, or an error with nothing changed.
 */
int wr_window_remap(struct wr_window *window, pgoff_t first, pgoff_t end,
		    bool exec)
{
	pgoff_t i = first, next;
	int err = 0;

	mutex_lock(&window->lock);
	window->pieces = true;
	mutex_unlock(&window->lock);
	for (; i < end && !err; i = next) {
		next = kept_span(window, &i, end);
		if (i < next)
			err = wr_layout_map(window, i, next - i, exec,
					    MAP_FIXED);
	}
	if (err)
		wr_window_restore(window, first, end);
	return err;
}

/**
 * wr_window_move - tell forks what the pages of a VMA will be
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last; @first if it is over
 * @state: their state once they have moved
 */
void wr_window_move(struct wr_window *window, pgoff_t first, pgoff_t end,
		    u8 state)
{
	mutex_lock(&window->lock);
	window->moving.first = first;
	window->moving.end = end;
	window->moving.state = state;
	mutex_unlock(&window->lock);
}

/**
 * wr_window_rejoin - make a window one VMA again
 * @window: the window; its space's layout_lock is held
 *
 * The core never merges VMAs of ours (VM_DONTEXPAND). If it fails the window
 * stays in pieces, which is only less tidy.
 */
void wr_window_rejoin(struct wr_window *window)
{
	bool join;

	mutex_lock(&window->lock);
	join = window->pieces && !window->nr_odd && !window->lost;
	mutex_unlock(&window->lock);
	if (join &&
	    !wr_window_remap(window, window->first, window->end, window->exec))
		window->pieces = false;
}
