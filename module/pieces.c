// SPDX-License-Identifier: GPL-2.0
/*
 * Executable pieces.
 *
 * The core knows the executable right of VMAs only, and asks whoever may forbid it
 * when one gets it. So pages that may be executed are in VMAs that are executable:
 * a window's own VMA is, or is not, after the protection that its regions were
 * reserved with, and where it is not, such pages get VMAs of their own over the same
 * offsets. VMA changes come before the change of states, as they are what can fail.
 *
 * The other way round nothing has to fit: any page may be in a VMA that is
 * executable. Whether it may be executed is up to its PTE there, which we insert
 * ourselves and not the core, after the page's state: wr_vma_set_rights(). So to take
 * the right away no VMA changes, and a page that gets it again finds one. A program
 * that does so with one page is likely to do so with others of the region: from
 * then on, or once there are too many of them, its pieces are larger than what they
 * are made for, and grow as they are needed, so that there are few.
 *
 * A piece where nothing may be executed any more stays for the next time. When there
 * are many VMAs it is looked which are needed; the others lose the right, and join
 * their neighbours, which the core never does for ours (VM_DONTEXPAND): one VMA
 * is mapped over all of them. Then, as when a piece grows, what is in memory is
 * mapped again. That takes time by pages in memory, so each change pays for
 * some, and VMAs with many more are left as they are until enough is saved up.
 */
#include <linux/mman.h>
#include <linux/sched/signal.h>

#include "fault.h"
#include "layout.h"
#include "pieces.h"
#include "ptes.h"
#include "regiontree.h"
#include "resident.h"

/* Pages in memory that each look at a VMA may map again */
#define JOIN_PAGES 128UL

/* So many pages are mapped at once when they become executable, or no longer are. */
#define MAP_AGAIN 64UL

/*
 * From so many VMAs of a window on it is looked which of them are needed: each look
 * takes all of mmap_lock, and most windows, with a piece or a hole or two, never have
 * as many. It is also what one look joins on either side, so that the next one comes
 * when there are as many again.
 */
#define MANY_VMAS 8UL

/*
 * From so many on pieces are larger than what they are made for in any case: a program
 * that has code between its data would run out of VMAs.
 */
#define TOO_MANY_VMAS 256UL

/* Whether it is a VMA of the window's that is executable, or one that is not. */
static bool vma_is(struct wr_window *window, struct vm_area_struct *vma,
		   bool exec)
{
	return vma && wr_vma_window(vma) == window &&
	       exec == !!(vma->vm_flags & VM_EXEC);
}

static pgoff_t vma_end(struct vm_area_struct *vma)
{
	return vma->vm_end >> PAGE_SHIFT;
}

/**
 * wr_window_fits - whether pages can become executable, or not, with the VMAs there are
 * @window: the window
 * @first: the first page
 * @end: the page behind the last
 * @exec: which
 *
 * Context: mmap_lock is held, until their states have changed.
 * Return: whether; no, if current is being killed. If not, wr_window_remap() has the
 * error, or makes them fit.
 */
bool wr_window_fits(struct wr_window *window, pgoff_t first, pgoff_t end,
		    bool exec)
{
	VMA_ITERATOR(vmi, window->space->mm, first << PAGE_SHIFT);
	struct mm_struct *mm = window->space->mm;
	struct vm_area_struct *vma;

	mmap_assert_locked(mm);
	if (exec && wr_mm_denies_exec(mm))
		return false;
	for_each_vma_range(vmi, vma, end << PAGE_SHIFT) {
		if (exec &&
		    (!vma_is(window, vma, true) || vma->vm_pgoff > first))
			return false;
		if (!exec && vma_is(window, vma, true) && wr_vma_is_sealed(vma))
			return false;
		first = vma_end(vma);
		if (first >= end)
			break; /* mostly there is one */
		cond_resched();
		if (fatal_signal_pending(current))
			return false;
	}
	return !exec || first >= end;
}

/* Whether pages can lose the right where they are: 0, -EACCES or -EINTR. */
static int check_fits(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	bool fits;

	if (mmap_read_lock_killable(window->space->mm))
		return -EINTR;
	fits = wr_window_fits(window, first, end, false);
	mmap_read_unlock(window->space->mm);
	if (fits)
		return 0;
	return fatal_signal_pending(current) ? -EINTR : -EACCES;
}

/* ---- where a piece is to be ---- */

/*
 * What of [@first, @end) is in VMAs that are not executable, from the first such page
 * to the last: moves both, to nothing if there is none. Return: 0, -EINTR, or
 * -ENOENT if some of it is no VMA of the window's.
 */
static int find_misfits(struct wr_window *window, pgoff_t *first, pgoff_t *end)
{
	VMA_ITERATOR(vmi, window->space->mm, *first << PAGE_SHIFT);
	struct mm_struct *mm = window->space->mm;
	pgoff_t from = *end, to = *first;
	struct vm_area_struct *vma;
	int err = 0;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (!wr_layout_all_ours(window, *first << PAGE_SHIFT,
				*end << PAGE_SHIFT))
		err = -ENOENT;
	for_each_vma_range(vmi, vma, *end << PAGE_SHIFT) {
		cond_resched();
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		if (!vma_is(window, vma, false))
			continue;
		from = min(from, max(*first, vma->vm_pgoff));
		to = max(to, min(*end, vma_end(vma)));
	}
	mmap_read_unlock(mm);
	*first = from;
	*end = max(from, to);
	return err;
}

/**
 * struct wr_span - pages from one to another
 * @first: the first one
 * @end: the one behind the last
 */
struct wr_span {
	pgoff_t first;
	pgoff_t end;
};

/* The executable VMA with a page, if all of it is within @bounds, else nothing. */
static struct wr_span exec_vma_at(struct wr_window *window, pgoff_t index,
				  struct wr_span *bounds)
{
	struct vm_area_struct *vma =
		vma_lookup(window->space->mm, index << PAGE_SHIFT);
	struct wr_span span = {};

	if (vma_is(window, vma, true) && vma->vm_pgoff >= bounds->first &&
	    vma_end(vma) <= bounds->end) {
		span.first = vma->vm_pgoff;
		span.end = vma_end(vma);
	}
	return span;
}

/*
 * Takes in the executable VMAs on both sides, and as many pages again as those have:
 * so each page is mapped again a few times only, however the piece grows.
 */
static void take_in(struct wr_window *window, struct wr_span *piece,
		    struct wr_span *bounds)
{
	struct wr_span below = {}, above = {};
	pgoff_t first = piece->first, end = piece->end;

	if (first > bounds->first)
		below = exec_vma_at(window, first - 1, bounds);
	if (end < bounds->end)
		above = exec_vma_at(window, end, bounds);
	if (below.end) {
		piece->first = below.first;
		piece->end = min(bounds->end, end + (below.end - below.first));
	}
	if (above.end) {
		first -= min(first - bounds->first, above.end - above.first);
		piece->first = min(piece->first, first);
		piece->end = max(piece->end, above.end);
	}
}

/* A VMA that is executable is wholly in it, or not at all. */
static void leave_whole(struct wr_window *window, struct wr_span *piece)
{
	struct mm_struct *mm = window->space->mm;
	struct vm_area_struct *vma;

	vma = vma_lookup(mm, piece->first << PAGE_SHIFT);
	if (vma_is(window, vma, true) && vma->vm_pgoff < piece->first)
		piece->first = vma_end(vma);
	vma = vma_lookup(mm, (piece->end - 1) << PAGE_SHIFT);
	if (vma_is(window, vma, true) && vma_end(vma) > piece->end)
		piece->end = vma->vm_pgoff;
}

/* Whether one VMA can stand for those that are there. */
static bool may_be_one(struct wr_window *window, struct wr_span *piece)
{
	VMA_ITERATOR(vmi, window->space->mm, piece->first << PAGE_SHIFT);
	struct vm_area_struct *vma;

	for_each_vma_range(vmi, vma, piece->end << PAGE_SHIFT) {
		if (vma->vm_flags & WR_PROGRAM_FLAGS || wr_vma_is_sealed(vma) ||
		    fatal_signal_pending(current))
			return false;
		cond_resched();
	}
	return wr_layout_all_ours(window, piece->first << PAGE_SHIFT,
				  piece->end << PAGE_SHIFT);
}

/* The pages of a region around @piece, if more of them are likely to be executable. */
static bool find_bounds(struct wr_window *window, struct wr_span *piece,
			struct wr_span *bounds)
{
	struct wr_region *region;
	bool found;

	mutex_lock(&window->lock);
	region = wr_region_find(window, piece->first);
	found = region && region->end >= piece->end &&
		(window->toggles || window->nr_vmas >= TOO_MANY_VMAS);
	if (found) {
		bounds->first = region->first;
		bounds->end = region->end;
	}
	mutex_unlock(&window->lock);
	return found;
}

/* Makes a piece larger, if more of its region is likely to be needed. */
static void grow(struct wr_window *window, struct wr_span *piece)
{
	struct mm_struct *mm = window->space->mm;
	struct wr_span bounds, grown = *piece;

	if (!find_bounds(window, piece, &bounds))
		return;
	grown.first = max(bounds.first, wr_slot_first(grown.first));
	grown.end =
		min(bounds.end, wr_slot_first(grown.end - 1) + WR_SLOT_PAGES);
	if (bounds.end - bounds.first <= WR_SLOT_PAGES)
		grown = bounds;
	if (mmap_read_lock_killable(mm))
		return;
	take_in(window, &grown, &bounds);
	leave_whole(window, &grown);
	if (grown.first <= piece->first && grown.end >= piece->end &&
	    may_be_one(window, &grown))
		*piece = grown;
	mmap_read_unlock(mm);
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
		cond_resched();
	}
	*next = stop;
	mutex_unlock(&window->lock);
	return exec;
}

/* ---- holes ---- */

/*
 * The first pages of [*@first, @end) without a VMA of the window's: from *@first, which
 * is moved, to the one returned.
 */
static pgoff_t find_hole(struct wr_window *window, pgoff_t *first, pgoff_t end)
{
	VMA_ITERATOR(vmi, window->space->mm, *first << PAGE_SHIFT);
	struct vm_area_struct *vma;

	mmap_read_lock(window->space->mm);
	for_each_vma_range(vmi, vma, end << PAGE_SHIFT) {
		if (wr_vma_window(vma) != window)
			continue;
		if (vma->vm_pgoff > *first) {
			end = vma->vm_pgoff;
			break;
		}
		*first = vma_end(vma);
		cond_resched();
	}
	mmap_read_unlock(window->space->mm);
	*first = min(*first, end);
	return end;
}

static void fill_hole(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	bool exec, lost = false;
	pgoff_t next;

	for (; first < end; first = next) {
		exec = state_is_exec_at(window, first, end, &next, &lost);
		if (!lost &&
		    wr_layout_map(window, first, next - first,
				  exec || window->exec, MAP_FIXED_NOREPLACE))
			wr_window_unmapped(window, first, next);
		cond_resched();
	}
}

/**
 * wr_window_refit_or_lose - map again what has no VMA any more
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last
 *
 * For when a change of VMAs has failed half way, where the core can leave a hole.
 * What cannot be mapped again is lost.
 */
void wr_window_refit_or_lose(struct wr_window *window, pgoff_t first,
			     pgoff_t end)
{
	pgoff_t next;

	for (; first < end; first = next) {
		next = find_hole(window, &first, end);
		if (first < next)
			fill_hole(window, first, next);
	}
}

/* ---- what is in memory ---- */

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
	u8 state, rights;

	for (i = first; i < end && !fatal_signal_pending(current); i = next) {
		state = wr_runs_span(&window->runs, i, end, &next);
		rights = wr_state_rights(state);
		cond_resched();
		if (!(rights & WR_READ))
			continue;
		wr_vma_set_rights(vma, rights, !window->forked);
		populate_run(window, vma, i, next);
		if (rights & WR_WRITE && window->tracked &&
		    (window->forked || !(vma->vm_flags & VM_EXEC)))
			wr_ptes_allow_write(window, i, next);
	}
	wr_vma_drop_rights(vma);
}

/**
 * wr_window_map_again - map pages whose rights have changed
 * @window: the window; its lock is held, and mmap_lock for reading
 * @first: the first page
 * @end: the page behind the last
 *
 * What was just written is executed next, and the other way round: a few pages of an
 * executable VMA need not take a fault each. Others, and what fails, are left to
 * faults.
 */
void wr_window_map_again(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct mm_struct *mm = window->space->mm;
	struct vm_area_struct *vma;

	mmap_assert_locked(mm);
	if (end - first > MAP_AGAIN)
		return;
	vma = vma_lookup(mm, first << PAGE_SHIFT);
	if (vma_is(window, vma, true) && vma_end(vma) >= end &&
	    vma->vm_flags & VM_MIXEDMAP)
		populate_locked(window, vma, first, end);
}

/*
 * Maps what is in memory again, where vm_insert_pages() may. VM_MIXEDMAP is not to be
 * set for a moment only: others would take a 2 MiB page for something else.
 */
static void populate(struct wr_window *window, pgoff_t first, pgoff_t end,
		     bool exec)
{
	struct mm_struct *mm = window->space->mm;
	struct vm_area_struct *vma;

	if (mmap_write_lock_killable(mm))
		return;
	vma = find_vma(mm, first << PAGE_SHIFT);
	if (vma_is(window, vma, exec) && vma->vm_pgoff == first &&
	    vma_end(vma) == end && vma->vm_flags & VM_MIXEDMAP) {
		vma_start_write(vma);
		mutex_lock(&window->lock);
		populate_locked(window, vma, first, end);
		mutex_unlock(&window->lock);
	}
	mmap_write_unlock(mm);
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

	for (i = 0; i < MANY_VMAS && (below || above); i++) {
		below = below && join->first &&
			join_add(window, join,
				 find_vma(mm, (join->first - 1) << PAGE_SHIFT));
		above = above &&
			join_add(window, join,
				 find_vma(mm, join->end << PAGE_SHIFT));
	}
}

static void rejoin(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct mm_struct *mm = window->space->mm;
	struct wr_join join = {};
	bool possible;

	if (READ_ONCE(window->nr_vmas) < 2)
		return;
	window->join_budget += JOIN_PAGES + window->nr_vmas / 8;
	join.budget = window->join_budget;
	if (mmap_read_lock_killable(mm))
		return;
	possible = join_inside(window, &join, first, end);
	if (possible)
		join_neighbours(window, &join);
	mmap_read_unlock(mm);
	if (!possible || join.vmas < 2)
		return;
	window->join_budget -= join.pages;
	if (!wr_layout_map(window, join.first, join.end - join.first,
			   window->exec, MAP_FIXED))
		populate(window, join.first, join.end, window->exec);
	else
		wr_window_refit_or_lose(window, join.first, join.end);
}

/* ---- pieces that nobody needs ---- */

static bool has_exec(struct wr_window *window, struct vm_area_struct *vma)
{
	pgoff_t i = vma->vm_pgoff, end = vma_end(vma), next;
	bool found = false;
	u8 state;

	mutex_lock(&window->lock);
	for (; i < end && !found; i = next) {
		state = wr_runs_span(&window->runs, i, end, &next);
		found = wr_state_is_exec(state);
		cond_resched();
	}
	mutex_unlock(&window->lock);
	return found;
}

/*
 * VMAs of a range in which nothing may be executed. Changes that have found theirs to
 * fit hold mmap_lock.
 */
static void disarm(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	VMA_ITERATOR(vmi, window->space->mm, first << PAGE_SHIFT);
	struct mm_struct *mm = window->space->mm;
	struct vm_area_struct *vma;

	if (window->exec || mmap_write_lock_killable(mm))
		return;
	for_each_vma_range(vmi, vma, end << PAGE_SHIFT) {
		if (vma_is(window, vma, true) && !wr_vma_is_sealed(vma) &&
		    !has_exec(window, vma))
			wr_vma_clear_exec(vma);
		cond_resched();
		if (fatal_signal_pending(current))
			break;
	}
	mmap_write_unlock(mm);
}

/*
 * The VMA with a page or the next one: its first page; *@end is behind its last. None
 * if the wait for mmap_lock is killed.
 */
static pgoff_t next_vma(struct wr_window *window, pgoff_t index, pgoff_t *end)
{
	struct mm_struct *mm = window->space->mm;
	struct vm_area_struct *vma;
	pgoff_t first = *end;

	if (mmap_read_lock_killable(mm))
		return first;
	vma = find_vma(mm, index << PAGE_SHIFT);
	if (vma && vma->vm_start >> PAGE_SHIFT < *end) {
		first = max(index, (pgoff_t)vma->vm_start >> PAGE_SHIFT);
		*end = min(*end, (pgoff_t)vma->vm_end >> PAGE_SHIFT);
	}
	mmap_read_unlock(mm);
	return first;
}

/**
 * wr_window_rejoin - do without VMAs that a range no longer needs
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last
 *
 * If it fails the window stays in pieces, which is only less tidy.
 */
void wr_window_rejoin(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;

	if (READ_ONCE(window->nr_vmas) < 2)
		return;
	disarm(window, first, end);
	for (; first < end && !fatal_signal_pending(current); first = next) {
		next = end;
		first = next_vma(window, first, &next);
		if (first < next)
			rejoin(window, first, next);
		cond_resched();
	}
}

/* Whether a window has many VMAs by now. */
bool wr_window_has_many_vmas(struct wr_window *window)
{
	return READ_ONCE(window->nr_vmas) >= MANY_VMAS;
}

/* Whether it is likely that it does not need some of them. */
bool wr_window_is_untidy(struct wr_window *window)
{
	return wr_window_has_many_vmas(window) &&
	       READ_ONCE(window->nr_vmas) >= READ_ONCE(window->tidy_at);
}

/**
 * wr_window_tidy - do without VMAs that a window no longer needs
 * @window: the window; its space's layout_lock is held
 */
void wr_window_tidy(struct wr_window *window)
{
	wr_window_rejoin(window, READ_ONCE(window->first),
			 READ_ONCE(window->end));
	mutex_lock(&window->lock);
	window->tidy_at = 2 * window->nr_vmas;
	mutex_unlock(&window->lock);
}

/* ---- making one ---- */

static int map_piece(struct wr_window *window, struct wr_span *piece)
{
	unsigned long pages = piece->end - piece->first;
	int err;

	err = wr_layout_map(window, piece->first, pages, true, MAP_FIXED);
	if (err)
		wr_window_refit_or_lose(window, piece->first, piece->end);
	return err;
}

/*
 * More than there has to be, if that is likely to be needed. Return: whether it is
 * there. What is in the way of it is not what the program has asked for.
 */
static bool map_grown(struct wr_window *window, struct wr_span *piece)
{
	struct wr_span grown = *piece;

	grow(window, &grown);
	if (grown.first == piece->first && grown.end == piece->end)
		return false;
	if (map_piece(window, &grown))
		return false;
	populate(window, grown.first, grown.end, true);
	return true;
}

/* Has pages, none of them lost, in VMAs that are executable. */
static int make_piece(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_span piece;
	int err;

	err = find_misfits(window, &first, &end);
	if (err || first == end)
		return err;
	piece.first = first;
	piece.end = end;
	if (map_grown(window, &piece))
		return 0;
	err = map_piece(window, &piece);
	if (err == -ENOSPC && window->nr_vmas > 2) {
		wr_window_tidy(window);
		err = map_piece(window, &piece);
	}
	return err;
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
		cond_resched();
	}
	mutex_unlock(&window->lock);
	return i;
}

/**
 * wr_window_remap - have the VMAs fit pages that become executable, or no longer are
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last
 * @exec: which
 *
 * Lost pages are left out.
 *
 * Return: 0, or an error with no page changed: -EACCES, -ENOENT, -ENOSPC, -EINTR, ...
 */
int wr_window_remap(struct wr_window *window, pgoff_t first, pgoff_t end,
		    bool exec)
{
	pgoff_t i = first, next;
	int err = 0;

	if (!exec)
		return check_fits(window, first, end);
	if (wr_mm_denies_exec(window->space->mm))
		return -EACCES;
	for (; i < end && !err; i = next) {
		next = kept_span(window, &i, end);
		if (i < next)
			err = make_piece(window, i, next);
		cond_resched();
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
	}
	return err;
}
