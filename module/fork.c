// SPDX-License-Identifier: GPL-2.0
/*
 * What a child gets: windows with their regions, states and pages.
 */
#include <linux/sched/signal.h>

#include "commit.h"
#include "fault.h"
#include "fork.h"
#include "layout.h"
#include "ptes.h"
#include "regiontree.h"
#include "resident.h"
#include "stash.h"
#include "trace.h"
#include "trim.h"
#include "watch.h"

/**
 * struct wr_fork - a window that is being copied; both windows are locked
 * @parent: the parent's
 * @child: the child's
 * @kept: pages of @child that are not lost
 * @committed: and those of them that are committed
 */
struct wr_fork {
	struct wr_window *parent;
	struct wr_window *child;
	unsigned long kept;
	unsigned long committed;
};

/* Asked for each of what a program decides how many there are. */
static int yield_or_die(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static int fork_region(struct wr_window *child, struct wr_region *region)
{
	struct wr_region *copy = wr_region_new(child->space);

	if (IS_ERR(copy))
		return PTR_ERR(copy);
	copy->first = region->first;
	copy->end = region->end;
	wr_region_inherit(copy, region);
	wr_region_set_node(child, copy, region->numa);
	if (wr_region_is_large(region))
		copy->kind = WR_REGION_ORDINARY; /* its pages are copies */
	wr_region_add(child, copy);
	return 0;
}

static int fork_regions(struct wr_fork *fork)
{
	struct wr_region *region = wr_region_first(fork->parent);
	int err = 0;

	for (; region && !err; region = wr_region_after(region)) {
		err = yield_or_die();
		if (!err)
			err = fork_region(fork->child, region);
		/* The child has no frames, and is to get no PTEs of them. */
		if (wr_region_is_physical(region))
			wr_resident_zap(fork->parent, region->first,
					region->end);
	}
	return err;
}

static bool is_copied(struct wr_window *parent, struct vm_area_struct *vma)
{
	return vma && wr_vma_window(vma) == parent &&
	       !(vma->vm_flags & VM_DONTCOPY);
}

static int fork_run(struct wr_fork *fork, pgoff_t first, pgoff_t end, u8 state)
{
	struct wr_window *child = fork->child;
	int err;

	err = wr_runs_split(&child->runs, first, GFP_KERNEL_ACCOUNT);
	if (!err)
		err = wr_runs_split(&child->runs, end, GFP_KERNEL_ACCOUNT);
	if (err)
		return err;
	wr_runs_fill(&child->runs, first, end, state);
	if (!wr_state_is_lost(state))
		fork->kept += end - first;
	return 0;
}

/* The states of a region, or of free pages where @region is NULL. */
static int fork_runs(struct wr_fork *fork, struct wr_region *region,
		     pgoff_t first, pgoff_t end)
{
	pgoff_t next;
	int err;
	u8 state;

	for (; first < end; first = next) {
		err = yield_or_die();
		if (err)
			return err;
		state = wr_runs_span(&fork->parent->runs, first, end, &next);
		if (state == WR_STATE_FRAME)
			state = WR_STATE_NONE;
		err = fork_run(fork, first, next, state);
		if (err)
			return err;
		if (region && wr_state_is_committed(state)) {
			region->committed += next - first;
			fork->committed += next - first;
		}
	}
	return 0;
}

static int fork_states(struct wr_fork *fork, pgoff_t first, pgoff_t end)
{
	struct wr_region *region;
	pgoff_t stop;
	int err;

	for (; first < end; first = stop) {
		region = wr_region_next(fork->child, first);
		if (!region || region->first >= end)
			stop = end;
		else if (region->first > first)
			stop = region->first;
		else
			stop = min(end, region->end);
		if (region && region->first > first)
			region = NULL;
		err = fork_runs(fork, region, first, stop);
		if (err)
			return err;
	}
	return 0;
}

static int fork_pages(struct wr_fork *fork, pgoff_t first, pgoff_t end)
{
	int err = 0;

	wr_ptes_forbid_for_fork(fork->parent, first, end);
	if (fork->parent->watch)
		err = wr_watch_fork(fork->parent, fork->child, first, end);
	if (err)
		return err;
	return wr_resident_fork(fork->parent, fork->child, first, end);
}

typedef int (*fork_fn)(struct wr_fork *fork, pgoff_t first, pgoff_t end);

/*
 * Calls @fn for each VMA of the parent that the child gets too: not for those
 * with MADV_DONTFORK. All mmap_locks are held, so they stay the same.
 */
static int fork_vmas(struct wr_fork *fork, fork_fn fn)
{
	VMA_ITERATOR(vmi, fork->parent->space->mm,
		     wr_address(fork->parent->first));
	struct wr_window *parent = fork->parent;
	struct vm_area_struct *vma;
	int err = 0;

	for_each_vma_range(vmi, vma, wr_address(parent->end)) {
		if (!is_copied(parent, vma))
			continue;
		err = fn(fork, wr_vma_first(vma), wr_vma_end(vma));
		if (err)
			break;
	}
	return err;
}

/* Pages that were to leave are in the window again, and the child's too. */
static int take_back_cold(struct wr_window *parent)
{
	int err;

	if (!wr_stash_any(parent))
		return 0;
	err = wr_stash_prepare_back(parent, parent->first, parent->end,
				    WR_STASH_ONLY_COLD);
	if (!err)
		wr_stash_take_back(parent, parent->first, parent->end,
				   WR_STASH_ONLY_COLD);
	/* They may leave, though nobody touches them. */
	if (wr_paging && parent->nr_resident)
		wr_trim_note(parent, parent->space->mm);
	return err;
}

static int fork_window_locked(struct wr_fork *fork)
{
	struct wr_window *child = fork->child;
	int err;

	err = fork_regions(fork);
	if (!err)
		err = fork_vmas(fork, fork_states);
	if (!err)
		err = wr_pagefile_charge(&child->space->pagefile,
					 fork->committed);
	if (err) {
		wr_window_free_regions(child);
		return err;
	}
	child->lost = fork->kept < child->end - child->first;
	err = take_back_cold(fork->parent);
	if (!err)
		err = fork_vmas(fork, fork_pages);
	if (!err)
		err = wr_stash_fork(fork->parent, child);
	if (!err)
		err = wr_window_publish(child);
	if (err) {
		wr_window_end(child);
		return err;
	}
	wr_window_note_room(child);
	/* Who only reads takes no fault for what the core has copied. */
	if (wr_paging)
		wr_trim_note(child, fork->parent->space->mm);
	return 0;
}

static struct wr_window *alloc_child(struct wr_window *parent,
				     struct wr_space *space)
{
	struct wr_window *child = wr_window_alloc(space, parent->file, 0);
	struct wr_runs *runs;

	if (!child)
		return NULL;
	if (parent->watch)
		child->watch = wr_watch_new();
	if ((parent->watch && !child->watch) || wr_window_stamp(child)) {
		wr_window_put(child);
		return NULL;
	}
	wr_window_set_range(child, parent->first, parent->end);
	child->exec = parent->exec;
	child->toggles = parent->toggles;
	child->huge = parent->huge; /* its VMAs have no VM_MIXEDMAP */
	child->tracked = true;
	child->forked = true;
	/* Pages whose VMA is not copied are lost. */
	runs = &child->runs;
	wr_runs_fill(runs, runs->base, runs->base + (1UL << runs->shift),
		     WR_STATE_LOST);
	return child;
}

/* Return: the child's window, with a reference for its space, or NULL. */
static struct wr_window *fork_window(struct wr_window *parent,
				     struct wr_space *space)
{
	struct wr_fork fork = {
		.parent = parent,
		.child = alloc_child(parent, space),
	};
	int err;

	if (!fork.child)
		return NULL;
	mutex_lock_nested(&fork.child->lock, SINGLE_DEPTH_NESTING);
	err = fork_window_locked(&fork);
	mutex_unlock(&fork.child->lock);
	if (!err)
		return fork.child;
	wr_window_put(fork.child);
	return NULL;
}

/*
 * Whether none comes before it: else there was no memory for that one. Each VMA
 * behind it asks, and there may be many in front of all that are copied.
 */
static bool is_first_vma(struct wr_window *parent, struct vm_area_struct *child)
{
	VMA_ITERATOR(vmi, parent->space->mm, wr_address(parent->first));
	struct vm_area_struct *vma;

	vma = vma_lookup(parent->space->mm, parent->copied_from);
	if (is_copied(parent, vma) && vma->vm_start < child->vm_start)
		return false;
	for_each_vma_range(vmi, vma, child->vm_end) {
		if (!is_copied(parent, vma))
			continue;
		parent->copied_from = vma->vm_start;
		return vma->vm_start == child->vm_start;
	}
	return false;
}

/* None of the parent is on its way then, nor comes: mmap_lock is held. */
static void wait_for_faults(struct wr_window *parent)
{
	VMA_ITERATOR(vmi, parent->space->mm, wr_address(parent->first));
	struct vm_area_struct *vma;

	for_each_vma_range(vmi, vma, wr_address(parent->end))
		if (wr_vma_window(vma) == parent)
			vma_start_write(vma);
}

static struct wr_window *first_fork(struct wr_window *parent,
				    struct wr_space *space)
{
	struct wr_window *child;

	if (!parent->tracked)
		wr_layout_track(parent);
	wait_for_faults(parent);
	if (READ_ONCE(parent->space->file) == parent->file)
		WRITE_ONCE(parent->space->file_forked, true);
	mutex_lock(&parent->lock);
	parent->held.mmap = true;
	parent->forked = true;
	child = fork_window(parent, space);
	parent->held.mmap = false;
	trace_wr_fork(parent->space->mm, parent->first, parent->end, child);
	mutex_unlock(&parent->lock);
	if (child)
		wr_window_get(child);
	return child;
}

/* A view may be where the first page is lost, and is not meant. */
static struct wr_window *copy_of(struct wr_window *parent,
				 struct wr_space *space)
{
	struct wr_window *child = wr_window_next(space, parent->first);

	if (child && child->first == parent->first)
		return child;
	if (child)
		wr_window_put(child);
	return NULL;
}

/**
 * wr_window_fork - a child's copy of a window, for one of its VMAs
 * @parent: the parent's window
 * @vma: the child's VMA; both mmap_locks are held for writing
 *
 * Both sides go on with the same pages, until one of them writes. The first VMA
 * has all of the window copied, under one hold of the parent's lock: so a change
 * of one range is before the fork or after it, whatever VMAs it is in. Nothing
 * is looked up in the child's VMA tree, which is being built.
 *
 * Return: the window with a reference for the VMA, or NULL if there was no
 * memory or no commit charge; the child then has no memory in all of the window.
 */
struct wr_window *wr_window_fork(struct wr_window *parent,
				 struct vm_area_struct *vma)
{
	struct wr_space *space = wr_space_get_for(vma->vm_mm);
	struct wr_window *child;

	if (!space)
		return NULL;
	mmap_assert_write_locked(parent->space->mm);
	child = copy_of(parent, space);
	if (!child && is_first_vma(parent, vma))
		child = first_fork(parent, space);
	if (child) {
		mutex_lock(&child->lock);
		child->nr_vmas++;
		mutex_unlock(&child->lock);
	}
	wr_space_put(space);
	return child;
}
