// SPDX-License-Identifier: GPL-2.0
/*
 * What a child gets: windows with their regions, states and pages.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "fault.h"
#include "fork.h"
#include "layout.h"
#include "ptes.h"
#include "regiontree.h"
#include "resident.h"

/**
 * struct wr_fork - a window that is being copied; both windows are locked
 * @parent: the parent's
 * @child: the child's
 * @moved_first: the first page of those that have just moved to other VMAs, and are
 *	what they will be by that for the child
 * @moved_end: the page behind the last; @moved_first if there are none
 * @kept: pages of @child that are not lost
 * @committed: and those of them that are committed
 */
struct wr_fork {
	struct wr_window *parent;
	struct wr_window *child;
	pgoff_t moved_first;
	pgoff_t moved_end;
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
	struct wr_region *copy = kzalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);
	int err;

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
	copy->serial = region->serial;
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
	}
	return err;
}

/*
 * A fork can fall between the change of VMAs and that of the states. If all pages of
 * a call for one range have moved by then, the call is over for the child; else
 * it has not begun, and a VMA that does not fit is one of the other kind for the
 * child. If some of its pages would not fit either, those are not executable, or
 * not committed, there.
 */
enum fork_how {
	FORK_FITS,
	FORK_FLIPS,
	FORK_ODD,
};

static bool is_copied(struct wr_window *parent, struct vm_area_struct *vma)
{
	return vma && wr_vma_is_ours(vma) && vma->vm_private_data == parent &&
	       !(vma->vm_flags & VM_DONTCOPY);
}

/* Whether all that is moving is in VMAs of the kind that it will need. */
static bool has_moved(struct wr_window *parent)
{
	VMA_ITERATOR(vmi, parent->space->mm,
		     parent->moving.first << PAGE_SHIFT);
	bool exec = wr_window_exec_at(parent, parent->moving.state);
	struct vm_area_struct *vma;

	if (parent->moving.first == parent->moving.end)
		return false;
	for_each_vma_range(vmi, vma, parent->moving.end << PAGE_SHIFT)
		if (wr_vma_is_ours(vma) && vma->vm_private_data == parent &&
		    exec != !!(vma->vm_flags & VM_EXEC))
			return false;
	return true;
}

static void note_moved(struct wr_fork *fork)
{
	if (!has_moved(fork->parent))
		return;
	fork->moved_first = fork->parent->moving.first;
	fork->moved_end = fork->parent->moving.end;
}

/* Whether some of the pages have just moved. */
static bool some_moved(struct wr_fork *fork, pgoff_t first, pgoff_t end)
{
	return first < fork->moved_end && end > fork->moved_first;
}

/* The state of a page as it is for the child; *@next: where another one may begin. */
static u8 fork_span(struct wr_fork *fork, pgoff_t first, pgoff_t end,
		    pgoff_t *next)
{
	bool moved = some_moved(fork, first, first + 1);
	u8 state;

	if (moved)
		end = min(end, fork->moved_end);
	else if (first < fork->moved_first)
		end = min(end, fork->moved_first);
	state = wr_runs_span(&fork->parent->runs, first, end, next);
	if (moved && !wr_state_is_lost(state))
		return fork->parent->moving.state;
	return state;
}

/* Whether all pages of a VMA belong into one that is executable, or is not. */
static bool vma_fits(struct wr_fork *fork, struct vm_area_struct *vma,
		     bool exec)
{
	pgoff_t i = vma->vm_pgoff, end = i + vma_pages(vma), next;
	u8 state;

	for (; i < end; i = next) {
		cond_resched();
		state = fork_span(fork, i, end, &next);
		if (!wr_state_is_lost(state) &&
		    wr_window_exec_at(fork->parent, state) != exec)
			return false;
	}
	return true;
}

static enum fork_how fork_how(struct wr_fork *fork, struct vm_area_struct *vma)
{
	bool exec = vma->vm_flags & VM_EXEC;

	if (vma_fits(fork, vma, exec))
		return FORK_FITS;
	return vma_fits(fork, vma, !exec) ? FORK_FLIPS : FORK_ODD;
}

static u8 fork_state(struct wr_window *parent, u8 state, enum fork_how how)
{
	if (how != FORK_ODD || wr_state_is_lost(state))
		return state;
	if (wr_state_is_committed(state))
		return wr_state_no_exec(state);
	return parent->exec ? WR_STATE_LOST : state;
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
	if (wr_window_is_odd(child, state))
		child->nr_odd += end - first;
	if (!wr_state_is_lost(state))
		fork->kept += end - first;
	return 0;
}

/* The states of a region, or of free pages where @region is NULL. */
static int fork_runs(struct wr_fork *fork, struct wr_region *region,
		     pgoff_t first, pgoff_t end, enum fork_how how)
{
	pgoff_t next;
	int err;
	u8 state;

	for (; first < end; first = next) {
		err = yield_or_die();
		if (err)
			return err;
		state = fork_span(fork, first, end, &next);
		state = fork_state(fork->parent, state, how);
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

static int fork_states(struct wr_fork *fork, pgoff_t first, pgoff_t end,
		       enum fork_how how)
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
		err = fork_runs(fork, region, first, stop, how);
		if (err)
			return err;
	}
	return 0;
}

static int fork_pages(struct wr_fork *fork, pgoff_t first, pgoff_t end,
		      enum fork_how how)
{
	bool moved = some_moved(fork, first, end);
	int err;

	if (how == FORK_FITS && !moved)
		wr_ptes_forbid_for_fork(fork->parent, first, end);
	else /* the core copies PTEs: those may not be right for the child */
		wr_resident_unmap(fork->parent, first, end);
	err = wr_resident_fork(fork->parent, fork->child, first, end);
	if (!err && moved &&
	    !wr_state_is_committed(fork->parent->moving.state))
		wr_resident_drop(fork->child, max(first, fork->moved_first),
				 min(end, fork->moved_end), false);
	return err;
}

typedef int (*fork_fn)(struct wr_fork *fork, pgoff_t first, pgoff_t end,
		       enum fork_how how);

/*
 * Calls @fn for each VMA of the parent that the child gets too: not for those
 * with MADV_DONTFORK. All mmap_locks are held, so they stay the same.
 */
static int fork_vmas(struct wr_fork *fork, fork_fn fn)
{
	VMA_ITERATOR(vmi, fork->parent->space->mm,
		     fork->parent->first << PAGE_SHIFT);
	struct wr_window *parent = fork->parent;
	struct vm_area_struct *vma;
	int err = 0;

	for_each_vma_range(vmi, vma, parent->end << PAGE_SHIFT) {
		if (!is_copied(parent, vma))
			continue;
		err = fn(fork, vma->vm_pgoff, vma->vm_pgoff + vma_pages(vma),
			 fork_how(fork, vma));
		if (err)
			break;
	}
	return err;
}

static int fork_window_locked(struct wr_fork *fork)
{
	struct wr_window *child = fork->child;
	int err;

	note_moved(fork);
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
	err = fork_vmas(fork, fork_pages);
	if (!err)
		err = wr_window_publish(child);
	if (err)
		wr_window_end(child);
	else
		wr_window_note_room(child);
	return err;
}

static struct wr_window *alloc_child(struct wr_window *parent,
				     struct wr_space *space)
{
	struct wr_window *child = wr_window_alloc(space, parent->file);
	struct wr_runs *runs;

	if (!child)
		return NULL;
	if (wr_window_stamp(child)) {
		wr_window_put(child);
		return NULL;
	}
	wr_window_set_range(child, parent->first, parent->end);
	child->exec = parent->exec;
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
	VMA_ITERATOR(vmi, parent->space->mm, parent->first << PAGE_SHIFT);
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
	VMA_ITERATOR(vmi, parent->space->mm, parent->first << PAGE_SHIFT);
	struct vm_area_struct *vma;

	for_each_vma_range(vmi, vma, parent->end << PAGE_SHIFT)
		if (wr_vma_is_ours(vma) && vma->vm_private_data == parent)
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
	mutex_unlock(&parent->lock);
	if (child)
		wr_window_get(child);
	return child;
}

/* The VMA becomes one of the kind that the child's states need, see fork_how(). */
static void add_vma(struct wr_window *child, struct vm_area_struct *vma)
{
	struct wr_fork states = { .parent = child }; /* as they are */
	bool exec = vma->vm_flags & VM_EXEC;

	mutex_lock(&child->lock);
	child->nr_vmas++;
	if (vma_fits(&states, vma, exec))
		goto unlock;
	if (exec)
		vm_flags_clear(vma, VM_EXEC);
	else
		vm_flags_set(vma, VM_EXEC);
unlock:
	mutex_unlock(&child->lock);
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
	child = wr_window_find(space, parent->first);
	if (!child) {
		if (is_first_vma(parent, vma))
			child = first_fork(parent, space);
	} else if (child->file != parent->file) {
		wr_window_put(child); /* not a copy of this one */
		child = NULL;
	}
	if (child)
		add_vma(child, vma);
	wr_space_put(space);
	return child;
}
