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
 *
 * To make pages executable a VMA is mapped over them, so that the core asks
 * whoever may forbid it. Where that is over, the VMA just loses the right, which
 * cannot fail. Then it may join its neighbours, which the core never does for
 * ours (VM_DONTEXPAND): one VMA is mapped over all of them, and what is in memory
 * is mapped again. That takes time by pages in memory, so each change pays for
 * some, and VMAs with many more are left as they are until enough is saved up.
 */
#include <linux/mman.h>

#include "fault.h"
#include "layout.h"
#include "pieces.h"
#include "ptes.h"
#include "resident.h"

/* Pages in memory that each change of an executable page may map again */
#define JOIN_PAGES 128UL

/* Whether it is a VMA of the window's that is executable, or one that is not. */
static bool vma_is(struct wr_window *window, struct vm_area_struct *vma,
		   bool exec)
{
	return vma && wr_vma_is_ours(vma) && vma->vm_private_data == window &&
	       exec == !!(vma->vm_flags & VM_EXEC);
}

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
			*lost = wr_state_is_lost(state);
		} else if (exec != wr_window_exec_at(window, state) ||
			   *lost != wr_state_is_lost(state)) {
			break;
		}
		stop = *next;
	}
	*next = stop;
	mutex_unlock(&window->lock);
	return exec;
}

static pgoff_t vma_end(struct vm_area_struct *vma)
{
	return vma->vm_end >> PAGE_SHIFT;
}

/*
 * What of [@first, @end) is in VMAs of the other kind, from the first such page to
 * the last: moves both, to nothing if there is none. With @whole what is in VMAs
 * that reach out of the range only. Return: 0, or -ENOENT if some of it is no
 * VMA of the window's.
 */
static int find_misfits(struct wr_window *window, pgoff_t *first, pgoff_t *end,
			bool exec, bool whole)
{
	VMA_ITERATOR(vmi, window->space->mm, *first << PAGE_SHIFT);
	struct mm_struct *mm = window->space->mm;
	pgoff_t from = *end, to = *first;
	struct vm_area_struct *vma;
	int err = 0;

	mmap_read_lock(mm);
	if (!wr_layout_all_ours(window, *first << PAGE_SHIFT,
				*end << PAGE_SHIFT))
		err = -ENOENT;
	for_each_vma_range(vmi, vma, *end << PAGE_SHIFT) {
		if (!vma_is(window, vma, !exec) ||
		    (whole && vma->vm_pgoff >= *first && vma_end(vma) <= *end))
			continue;
		from = min(from, max(*first, vma->vm_pgoff));
		to = max(to, min(*end, vma_end(vma)));
	}
	mmap_read_unlock(mm);
	*first = from;
	*end = max(from, to);
	return err;
}

/*
 * Makes whole VMAs in a range executable, or no longer, where they are. Their
 * pages are faulted in again. Only what was executable just before may be made so
 * again.
 */
static void flip_vmas(struct wr_window *window, pgoff_t first, pgoff_t end,
		      bool exec)
{
	VMA_ITERATOR(vmi, window->space->mm, first << PAGE_SHIFT);
	struct mm_struct *mm = window->space->mm;
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	for_each_vma_range(vmi, vma, end << PAGE_SHIFT) {
		if (!vma_is(window, vma, !exec) || vma->vm_pgoff < first ||
		    vma_end(vma) > end)
			continue;
		wr_vma_set_exec(vma, exec);
		unmap_mapping_pages(vma->vm_file->f_mapping, vma->vm_pgoff,
				    vma_pages(vma), false);
	}
	mmap_write_unlock(mm);
}

/* Cuts out what VMAs reach out of the range. */
static int cut_misfits(struct wr_window *window, pgoff_t first, pgoff_t end,
		       bool exec)
{
	int err;

	err = find_misfits(window, &first, &end, exec, true);
	if (err || first == end)
		return err;
	return wr_layout_map(window, first, end - first, exec, MAP_FIXED);
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

/* The core is not asked when a VMA loses a right. */
static bool is_sealed(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	VMA_ITERATOR(vmi, window->space->mm, first << PAGE_SHIFT);
	struct vm_area_struct *vma;
	bool sealed = false;

	mmap_read_lock(window->space->mm);
	for_each_vma_range(vmi, vma, end << PAGE_SHIFT)
		sealed |= vma_is(window, vma, true) && wr_vma_is_sealed(vma);
	mmap_read_unlock(window->space->mm);
	return sealed;
}

/* Gives pages, none of them lost, a VMA of a kind. */
static int move_span(struct wr_window *window, pgoff_t first, pgoff_t end,
		     bool exec)
{
	int err;

	if (exec) {
		err = find_misfits(window, &first, &end, exec, false);
		if (err || first == end)
			return err;
		return wr_layout_map(window, first, end - first, exec,
				     MAP_FIXED);
	}
	if (is_sealed(window, first, end))
		return -EACCES;
	err = cut_misfits(window, first, end, exec);
	if (!err)
		flip_vmas(window, first, end, exec);
	return err;
}

/* The second try fills the hole that the first one may have left. */
static int refit_piece(struct wr_window *window, pgoff_t first, pgoff_t end,
		       bool exec)
{
	flip_vmas(window, first, end, exec);
	if (!cut_misfits(window, first, end, exec))
		return 0;
	if (is_ours_now(window, first, end))
		return wr_layout_map(window, first, end - first, exec,
				     MAP_FIXED);
	return wr_layout_map(window, first, end - first, exec,
			     MAP_FIXED_NOREPLACE);
}

/**
 * wr_window_refit_or_lose - make the VMAs fit the states
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last
 *
 * For pages that were released, and for when a change of VMAs has failed half
 * way, where the core can leave a hole. What cannot be mapped again is lost.
 */
void wr_window_refit_or_lose(struct wr_window *window, pgoff_t first,
			     pgoff_t end)
{
	bool exec, lost = false;
	pgoff_t next;

	for (; first < end; first = next) {
		exec = state_is_exec_at(window, first, end, &next, &lost);
		if (!lost && refit_piece(window, first, next, exec))
			wr_window_unmapped(window, first, next);
		cond_resched();
	}
}

/* The pages from *@first on that are not lost: up to the one returned. */
static pgoff_t kept_span(struct wr_window *window, pgoff_t *first, pgoff_t end)
{
	pgoff_t i, next;
	bool lost;

	mutex_lock(&window->lock);
	for (i = *first; i < end; i = next) {
		lost = wr_window_lost_at(window, i, end, &next);
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

	for (; i < end && !err; i = next) {
		next = kept_span(window, &i, end);
		if (i < next)
			err = move_span(window, i, next, exec);
		cond_resched();
	}
	if (err)
		wr_window_refit_or_lose(window, first, end);
	return err;
}

/**
 * wr_window_announce - tell forks what the pages of a VMA will be
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last; @first if it is over
 * @state: their state once they have moved
 */
void wr_window_announce(struct wr_window *window, pgoff_t first, pgoff_t end,
			u8 state)
{
	mutex_lock(&window->lock);
	window->moving.first = first;
	window->moving.end = end;
	window->moving.state = state;
	mutex_unlock(&window->lock);
}

/* ---- joining VMAs ---- */

/**
 * struct wr_join - VMAs that are to become one
 * @first: the first page
 * @end: the page behind the last
 * @vmas: how many
 * @pages: pages in memory that have to be mapped again
 * @budget: how many of them there may be
 */
struct wr_join {
	pgoff_t first;
	pgoff_t end;
	unsigned int vmas;
	unsigned long pages;
	unsigned long budget;
};

/* VMAs on either side that one change joins, at most */
#define JOIN_NEIGHBOURS 8

static unsigned long count_resident(struct wr_window *window, pgoff_t first,
				    pgoff_t end, unsigned long enough)
{
	unsigned long n;

	mutex_lock(&window->lock);
	if (end - first < enough)
		n = wr_resident_count(window, first, end);
	else
		n = wr_resident_at_most(window, first, end, enough);
	mutex_unlock(&window->lock);
	return n;
}

/* Adds a VMA if it is one, touches the others, and is within the budget. */
static bool join_add(struct wr_window *window, struct wr_join *join,
		     struct vm_area_struct *vma)
{
	unsigned long n;

	if (!vma_is(window, vma, window->exec) ||
	    vma->vm_flags & WR_PROGRAM_FLAGS ||
	    (vma->vm_pgoff != join->end && vma_end(vma) != join->first))
		return false;
	n = count_resident(window, vma->vm_pgoff, vma_end(vma),
			   join->budget + 1);
	if (n > join->budget - join->pages)
		return false;
	join->first = min(join->first, vma->vm_pgoff);
	join->end = max(join->end, vma_end(vma));
	join->pages += n;
	join->vmas++;
	return true;
}

/* Those that have [@first, @end), which are all of the window's own kind or none. */
static bool join_inside(struct wr_window *window, struct wr_join *join,
			pgoff_t first, pgoff_t end)
{
	VMA_ITERATOR(vmi, window->space->mm, first << PAGE_SHIFT);
	struct vm_area_struct *vma;

	join->first = first;
	join->end = first;
	for_each_vma_range(vmi, vma, end << PAGE_SHIFT) {
		if (vma->vm_pgoff < first && !join->vmas) {
			join->first = vma->vm_pgoff;
			join->end = vma->vm_pgoff;
		}
		if (!join_add(window, join, vma))
			return false;
	}
	return join->vmas;
}

static void join_neighbours(struct wr_window *window, struct wr_join *join)
{
	struct mm_struct *mm = window->space->mm;
	bool below = true, above = true;
	unsigned int i;

	for (i = 0; i < JOIN_NEIGHBOURS && (below || above); i++) {
		below = below && join->first &&
			join_add(window, join,
				 find_vma(mm, (join->first - 1) << PAGE_SHIFT));
		above = above &&
			join_add(window, join,
				 find_vma(mm, join->end << PAGE_SHIFT));
	}
}

/* Pages from @first on that are in memory one by one. Return: how many. */
static unsigned long gather(struct wr_window *window, pgoff_t first,
			    pgoff_t end, struct page **pages)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, first);
	unsigned long n = 0;
	struct page *page;

	end = min(end, first + WR_UNIT_PAGES);
	end = min(end, wr_slot_first(first) + WR_SLOT_PAGES);
	if (!slot || slot->intact)
		return 0;
	for (; first + n < end; n++) {
		page = wr_slot_page(slot, wr_slot_offset(first + n));
		if (!page || PageHWPoison(page))
			break;
		pages[n] = page;
	}
	return n;
}

/* Maps pages of one state that may be read; what fails is left to faults. */
static void populate_run(struct wr_window *window, struct vm_area_struct *vma,
			 pgoff_t first, pgoff_t end)
{
	struct page *pages[WR_UNIT_PAGES];
	unsigned long n, left;
	struct wr_slot *slot;
	pgoff_t next;

	for (; first < end; first = next) {
		slot = wr_runs_slot(&window->runs, first, &next);
		if (!slot || !slot->nr_resident)
			continue;
		n = gather(window, first, end, pages);
		next = first + max(n, 1UL);
		left = n;
		if (n)
			vm_insert_pages(vma, first << PAGE_SHIFT, pages, &left);
		cond_resched();
	}
}

static void populate_locked(struct wr_window *window,
			    struct vm_area_struct *vma, pgoff_t first,
			    pgoff_t end)
{
	pgoff_t i, next;
	u8 state;

	for (i = first; i < end; i = next) {
		state = wr_runs_span(&window->runs, i, end, &next);
		if (!wr_state_allows(state, WR_READ))
			continue;
		populate_run(window, vma, i, next);
		if (window->tracked && wr_state_allows(state, WR_WRITE))
			wr_ptes_allow_write(window, i, next);
	}
}

/*
 * Maps what is in memory again, where vm_insert_pages() may. VM_MIXEDMAP is not to be
 * set for a moment only: others would take a 2 MiB page for something else.
 */
static void populate(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct mm_struct *mm = window->space->mm;
	struct vm_area_struct *vma;

	if (mmap_write_lock_killable(mm))
		return;
	vma = find_vma(mm, first << PAGE_SHIFT);
	if (vma_is(window, vma, window->exec) && vma->vm_pgoff == first &&
	    vma_end(vma) == end && vma->vm_flags & VM_MIXEDMAP) {
		vma_start_write(vma);
		mutex_lock(&window->lock);
		populate_locked(window, vma, first, end);
		mutex_unlock(&window->lock);
	}
	mmap_write_unlock(mm);
}

/**
 * wr_window_rejoin - make VMAs of the window's own kind one again
 * @window: the window; its space's layout_lock is held
 * @first: the first page that has changed
 * @end: the page behind the last
 *
 * If it fails the window stays in pieces, which is only less tidy.
 */
void wr_window_rejoin(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct mm_struct *mm = window->space->mm;
	struct wr_join join = {};
	bool possible;

	if (READ_ONCE(window->nr_vmas) < 2)
		return;
	window->join_budget += JOIN_PAGES + window->nr_vmas / 8;
	join.budget = window->join_budget;
	mmap_read_lock(mm);
	possible = join_inside(window, &join, first, end);
	if (possible)
		join_neighbours(window, &join);
	mmap_read_unlock(mm);
	if (!possible || join.vmas < 2)
		return;
	window->join_budget -= join.pages;
	if (!wr_layout_map(window, join.first, join.end - join.first,
			   window->exec, MAP_FIXED))
		populate(window, join.first, join.end);
	else
		wr_window_refit_or_lose(window, join.first, join.end);
}
