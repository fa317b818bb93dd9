// SPDX-License-Identifier: GPL-2.0
/*
 * Views in a fork: the child gets a window of its own, with the states and the copies.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "copies.h"
#include "fault.h"
#include "trace.h"
#include "view_fork.h"
#include "view_vma.h"

/* ---- without memory ---- */

/* Of a child that has no memory for a view: it has the parent's window. */
static void orphan_open(struct vm_area_struct *vma)
{
	struct wr_window *window = vma->vm_private_data;
	const struct vm_operations_struct *host = window->view->host;

	if (host->open)
		host->open(vma);
	wr_window_get(window);
}

static void orphan_close(struct vm_area_struct *vma)
{
	wr_window_put(wr_view_close_vma(vma));
}

static const struct vm_operations_struct orphan_ops = {
	.open = orphan_open,
	.close = orphan_close,
	.may_split = wr_vma_may_split,
	.mprotect = wr_vma_mprotect,
	.mremap = wr_vma_mremap,
	.fault = wr_view_no_fault,
};

/* ---- the child's window ---- */

static int fork_states(struct wr_window *parent, struct wr_window *child)
{
	pgoff_t i, next;
	u8 state;
	int err = 0;

	for (i = parent->first; i < parent->end && !err; i = next) {
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
		state = wr_runs_span(&parent->runs, i, parent->end, &next);
		err = wr_runs_split(&child->runs, i, GFP_KERNEL_ACCOUNT);
		if (!err)
			err = wr_runs_split(&child->runs, next,
					    GFP_KERNEL_ACCOUNT);
		if (!err)
			wr_runs_fill(&child->runs, i, next, state);
	}
	return err;
}

static int fork_region(struct wr_window *parent, struct wr_window *child)
{
	struct wr_region *region = wr_region_first(parent);
	struct wr_region *copy = &child->view->region;
	int err;

	if (!region) /* it is being unmapped, or not yet there */
		return -ENOENT;
	err = wr_space_add_regions(child->space, 1);
	if (err)
		return err;
	err = wr_pagefile_charge(&child->space->pagefile, region->committed);
	if (err) {
		wr_space_add_regions(child->space, -1);
		return err;
	}
	copy->first = region->first;
	copy->end = region->end;
	copy->committed = region->committed;
	wr_region_inherit(copy, region);
	wr_region_add(child, copy);
	return 0;
}

/* Both are locked. @vma: the parent's */
static int fork_locked(struct wr_window *parent, struct wr_window *child,
		       struct vm_area_struct *vma)
{
	int err;

	child->view->reach = parent->view->reach;
	err = fork_states(parent, child);
	if (!err && parent->stamp)
		err = wr_window_stamp(child);
	if (!err)
		err = fork_region(parent, child);
	if (!err)
		err = wr_copies_fork(parent, child, vma);
	if (!err)
		err = wr_window_publish(child);
	return err;
}

static struct wr_window *alloc_child(struct wr_window *parent,
				     struct vm_area_struct *vma)
{
	struct wr_space *space = wr_space_get_for(vma->vm_mm);
	struct wr_view *view = parent->view;
	struct wr_window *child;

	if (!space)
		return NULL;
	child = wr_view_alloc(space, view->section, view->rights);
	wr_space_put(space);
	if (!child)
		return NULL;
	wr_window_set_range(child, parent->first, parent->end);
	child->shift = parent->shift;
	child->view->state = view->state;
	child->view->executes = view->executes;
	child->view->copies = view->copies;
	child->view->writes = view->writes;
	child->view->begun = true; /* or it never would */
	child->view->grows = view->grows;
	child->view->image = view->image;
	child->view->host = view->host;
	child->view->mapping = view->mapping;
	child->view->ops = view->ops;
	return child;
}

/* Return: the child's window with a reference for the VMA, or NULL. */
static struct wr_window *fork_view(struct wr_window *parent,
				   struct vm_area_struct *vma)
{
	struct wr_window *child = alloc_child(parent, vma);
	int err;

	if (!child)
		return NULL;
	mutex_lock(&parent->lock);
	mutex_lock_nested(&child->lock, SINGLE_DEPTH_NESTING);
	child->tracked = parent->tracked;
	err = fork_locked(parent, child, wr_view_vma(parent));
	trace_wr_fork(parent->space->mm, parent->first, parent->end, !err);
	mutex_unlock(&child->lock);
	mutex_unlock(&parent->lock);
	if (!err) {
		wr_window_opened(child);
		return child;
	}
	mutex_lock(&child->lock);
	wr_copies_drop(child);
	wr_window_free_regions(child);
	mutex_unlock(&child->lock);
	wr_window_put(child);
	return NULL;
}

/*
 * With an anon_vma they would be copied, or, in some kernels, such as 6.2 to 6.8, are
 * by now. And no copy may be writable in the parent.
 */
static void forget_ptes(struct wr_window *parent, struct vm_area_struct *vma)
{
	struct vm_area_struct *from = wr_view_vma(parent);

	if (from) {
		vma_start_write(from); /* no fault is on its way then */
		wr_zap_vma(from, from->vm_start, from->vm_end);
	}
	wr_zap_vma(vma, vma->vm_start, vma->vm_end);
}

/* A view is never split, so this is a fork, or a mremap() that will fail. */
void wr_view_open(struct vm_area_struct *vma)
{
	struct wr_window *window = vma->vm_private_data, *child;
	const struct vm_operations_struct *host = window->view->host;

	if (host->open)
		host->open(vma);
	if (vma->vm_mm == window->space->mm) {
		wr_window_opened(window);
		return;
	}
	if (window->view->copies)
		forget_ptes(window, vma);
	child = fork_view(window, vma);
	if (child) {
		vma->vm_private_data = child;
		vma->vm_ops = wr_view_ops_of(child);
	} else {
		wr_window_get(window);
		vma->vm_ops = &orphan_ops;
	}
}
