// SPDX-License-Identifier: GPL-2.0
/*
 * What a child gets: windows with their regions, states and pages.
 */
#include <linux/atomic.h>
#include <linux/slab.h>

#include "fork.h"
#include "layout.h"
#include "regiontree.h"
#include "resident.h"

/* No address of a process has so many bits that a page index reaches here. */
#define STAMP_SHIFT 36

static atomic_long_t last_stamp = ATOMIC_LONG_INIT(0);

static int fork_regions(struct wr_window *parent, struct wr_window *child)
{
	struct wr_region *region = wr_region_first(parent), *copy;
	int err;

	for (; region; region = wr_region_after(region)) {
		copy = kzalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);
		if (!copy)
			return -ENOMEM;
		err = wr_space_add_regions(child->space, 1);
		if (err) {
			kfree(copy);
			return err;
		}
		copy->first = region->first;
		copy->end = region->end;
		copy->protection = region->protection;
		wr_region_add(child, copy);
	}
	return 0;
}

/* Whether all pages of a VMA are where they belong. */
static bool vma_fits(struct wr_window *window, struct vm_area_struct *vma)
{
	pgoff_t i = vma->vm_pgoff, end = i + vma_pages(vma), next;
	bool exec = vma->vm_flags & VM_EXEC;

	for (; i < end; i = next)
		if (wr_window_exec_at(window, wr_runs_span(&window->runs, i,
							   end, &next)) != exec)
			return false;
	return true;
}

/*
 * A fork can fall between the change of a piece's VMA and that of its states.
 * A call for one range is over then, for the child. One for several is not
 * undone for it either: what is committed is not executable, and what is not
 * committed stays so, if it would belong elsewhere.
 */
enum fork_how {
	FORK_FITS,
	FORK_MOVES,
	FORK_ODD,
};

static enum fork_how fork_how(struct wr_window *parent,
			      struct vm_area_struct *vma)
{
	pgoff_t first = vma->vm_pgoff;

	if (vma_fits(parent, vma))
		return FORK_FITS;
	if (first >= parent->moving.first &&
	    first + vma_pages(vma) <= parent->moving.end)
		return FORK_MOVES;
	return FORK_ODD;
}

static u8 fork_state(struct wr_window *parent, u8 state, enum fork_how how)
{
	if (how == FORK_FITS || state & WR_LOST)
		return state;
	if (how == FORK_MOVES)
		return parent->moving.state;
	if (state & WR_COMMITTED)
		return state & ~(WR_EXEC | WR_EXEC_ONLY);
	return parent->exec ? WR_LOST : state;
}

static int fork_run(struct wr_window *child, pgoff_t first, pgoff_t end,
		    u8 state)
{
	int err;

	err = wr_runs_split(&child->runs, first, GFP_KERNEL_ACCOUNT);
	if (!err)
		err = wr_runs_split(&child->runs, end, GFP_KERNEL_ACCOUNT);
	if (!err && (state & WR_COMMITTED))
		err = wr_pagefile_charge(&child->space->pagefile, end - first);
	if (!err) {
		wr_runs_fill(&child->runs, first, end, state);
		if (wr_window_is_odd(child, state))
			child->nr_odd += end - first;
	}
	return err;
}

/* The states of a region, or of free pages where @region is NULL. */
static int fork_runs(struct wr_window *parent, struct wr_window *child,
		     struct wr_region *region, pgoff_t first, pgoff_t end,
		     enum fork_how how)
{
	pgoff_t next;
	int err;
	u8 state;

	for (; first < end; first = next) {
		state = wr_runs_span(&parent->runs, first, end, &next);
		state = fork_state(parent, state, how);
		err = fork_run(child, first, next, state);
		if (err)
			return err;
		if (region && (state & WR_COMMITTED))
			region->committed += next - first;
	}
	return 0;
}

static int fork_states(struct wr_window *parent, struct wr_window *child,
		       pgoff_t first, pgoff_t end, enum fork_how how)
{
	struct wr_region *region;
	pgoff_t stop;
	int err;

	for (; first < end; first = stop) {
		region = wr_region_next(child, first);
		if (!region || region->first >= end)
			stop = end;
		else if (region->first > first)
			stop = region->first;
		else
			stop = min(end, region->end);
		if (region && region->first > first)
			region = NULL;
		err = fork_runs(parent, child, region, first, stop, how);
		if (err)
			return err;
	}
	return 0;
}

static struct wr_window *fork_window(struct wr_window *parent,
				     struct wr_space *space)
{
	struct wr_window *child = wr_window_alloc(space, parent->file);
	struct wr_runs *runs;
	int err;

	if (!child)
		return NULL;
	wr_window_set_range(child, parent->first, parent->end);
	child->stamp = (pgoff_t)atomic_long_inc_return(&last_stamp)
		       << STAMP_SHIFT;
	child->exec = parent->exec;
	child->tracked = true;
	child->forked = true;
	/* Until its VMA has been copied too, a page is lost. */
	runs = &child->runs;
	wr_runs_fill(runs, runs->base, runs->base + (1UL << runs->shift),
		     WR_LOST);
	child->lost = true;
	mutex_lock_nested(&child->lock, SINGLE_DEPTH_NESTING);
	err = fork_regions(parent, child);
	if (!err)
		err = wr_window_publish(child);
	if (err)
		wr_window_free_regions(child);
	mutex_unlock(&child->lock);
	if (!err)
		return child;
	wr_window_put(child);
	return NULL;
}

/* The child's window, made by the first of its VMAs; with a reference. */
static struct wr_window *child_of(struct wr_window *parent,
				  struct wr_space *space)
{
	struct wr_window *child = wr_window_find(space, parent->first);

	if (child)
		return child;
	child = fork_window(parent, space);
	if (child)
		wr_window_get(child);
	return child;
}

static void fork_vma(struct wr_window *parent, struct wr_window *child,
		     struct vm_area_struct *vma, bool *failed)
{
	pgoff_t first = vma->vm_pgoff, end = first + vma_pages(vma);
	enum fork_how how = fork_how(parent, vma);
	int err;

	if (how == FORK_ODD)
		vm_flags_clear(vma, VM_EXEC);

	mutex_lock_nested(&child->lock, SINGLE_DEPTH_NESTING);
	err = fork_states(parent, child, first, end, how);
	if (!err)
		err = wr_resident_fork(parent, child, first, end);
	if (!err && how == FORK_MOVES && !(parent->moving.state & WR_COMMITTED))
		wr_resident_drop(child, first, end, false);
	if (err)
		wr_window_lose(child, first, end);
	else
		child->lost = !wr_window_all_lost(child, false);
	if (!err)
		child->nr_vmas++;
	*failed = err;
	mutex_unlock(&child->lock);
}

/* If none of the child's VMAs could be copied, neither is the window. */
static void drop_failed(struct wr_window *child)
{
	bool put = false;

	mutex_lock_nested(&child->lock, SINGLE_DEPTH_NESTING);
	if (!child->dead && wr_window_all_lost(child, true))
		put = wr_window_end(child);
	mutex_unlock(&child->lock);
	if (put)
		wr_window_put(child);
	wr_window_put(child);
}

/**
 * wr_window_fork - a child's copy of a window, as far as a VMA reaches
 * @parent: the parent's window
 * @vma: the child's VMA; both mmap_locks are held for writing
 *
 * Both sides go on with the same pages, until one of them writes. Nothing is
 * looked up in the child's VMA tree, which is being built.
 *
 * Return: the window with a reference for the VMA, or NULL if there was no
 * memory or no commit charge; the child then has no memory there.
 */
struct wr_window *wr_window_fork(struct wr_window *parent,
				 struct vm_area_struct *vma)
{
	struct wr_space *space = wr_space_get_for(vma->vm_mm);
	struct wr_window *child;
	bool failed = false;

	if (!parent->tracked)
		wr_layout_track(parent);
	if (!space)
		return NULL;
	if (READ_ONCE(parent->space->file) == parent->file)
		WRITE_ONCE(parent->space->file_forked, true);
	mutex_lock(&parent->lock);
	parent->forked = true;
	child = child_of(parent, space);
	if (child)
		fork_vma(parent, child, vma, &failed);
	mutex_unlock(&parent->lock);
	if (failed) {
		drop_failed(child);
		child = NULL;
	}
	wr_space_put(space);
	return child;
}
