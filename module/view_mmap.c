// SPDX-License-Identifier: GPL-2.0
/*
 * The VMA of a view comes, and goes.
 *
 * To the core the VMA of a view is a mapping of the file underneath. Write-back,
 * truncation, reclaim and memory errors find its PTEs as they find anybody's, and
 * what others do to the file is seen at once. Only the operations of the VMA are
 * ours: they ask the states, and then let the file's own do the work.
 *
 * The VMA of a view that only reads is a private mapping that can never be written:
 * for seals, for the file system, and for whoever takes a page of it. The file in
 * the VMA is always one that is open for reading only, also where the view writes.
 * The core asks that file's mode before it does to it what a program wants done by
 * way of the VMA: to map another part of it by remap_file_pages(), to punch a hole
 * by MADV_REMOVE. Neither asks us, nor does the section's size, nor what is committed.
 */
#include <linux/file.h>
#include <linux/magic.h>
#include <linux/mman.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "copies.h"
#include "fault.h"
#include "layout.h"
#include "locked.h"
#include "trace.h"
#include "view_fault.h"
#include "view_fork.h"
#include "view_mmap.h"
#include "view_vma.h"

/* Return: whether the window's reference is to be put. */
static bool end_view(struct wr_window *window)
{
	if (--window->nr_vmas)
		return false;
	wr_locked_clear(window, window->first, window->end);
	wr_copies_drop(window);
	wr_window_free_regions(window);
	return wr_window_unpublish(window);
}

static void view_close(struct vm_area_struct *vma)
{
	struct wr_window *window = wr_view_close_vma(vma);
	enum wr_closing why;
	bool put;

	why = wr_layout_closing(window);
	mutex_lock(&window->lock);
	put = end_view(window);
	mutex_unlock(&window->lock);
	if (why == WR_CLOSE_UNMAPPED) { /* else wr_view_unmap() does it */
		trace_wr_lost(window->space->mm, window->first, window->end);
		wr_pagefile_trim(&window->space->pagefile, false);
	}
	if (put)
		wr_window_put(window);
	wr_window_put(window);
}

/* Field by field: what else the file's own have is not for views. */
static void fill_ops(struct wr_view_ops *table)
{
	const struct vm_operations_struct *host = table->host;
	struct vm_operations_struct ops = {
		.open = wr_view_open,
		.close = view_close,
		.may_split = wr_vma_may_split,
		.mprotect = wr_vma_mprotect,
		.mremap = wr_vma_mremap,
		.fault = wr_view_simple_fault,
		.map_pages = host->map_pages,
		.page_mkwrite = host->page_mkwrite ? wr_view_simple_mkwrite :
						     NULL,
#ifdef CONFIG_NUMA
		.set_policy = host->set_policy,
		.get_policy = host->get_policy,
#endif
	};

	if (!(table->rights & WR_WRITE)) {
		ops.fault = wr_view_read_only_fault;
		ops.page_mkwrite = wr_view_read_only_mkwrite;
	}
	table->simple = ops;
	ops.fault = wr_view_tracked_fault;
	ops.page_mkwrite = wr_view_tracked_mkwrite;
	if (host->map_pages)
		ops.map_pages = wr_view_tracked_map_pages;
	table->tracked = ops;
}

static struct wr_view_ops *add_ops(struct wr_view *view)
{
	struct wr_section *section = view->section;
	struct wr_view_ops *ops = kzalloc(sizeof(*ops), GFP_KERNEL_ACCOUNT);

	if (!ops)
		return NULL;
	ops->host = view->host;
	ops->rights = view->rights;
	fill_ops(ops);
	ops->next = section->ops;
	section->ops = ops;
	return ops;
}

/* A section's file has one kind of operations, or a few. Return: 0 or -ENOMEM. */
static int find_ops(struct wr_view *view)
{
	struct wr_section *section = view->section;
	struct wr_view_ops *ops;

	mutex_lock(&section->lock);
	for (ops = section->ops; ops; ops = ops->next)
		if (ops->host == view->host && ops->rights == view->rights)
			break;
	if (!ops)
		ops = add_ops(view);
	mutex_unlock(&section->lock);
	view->ops = ops;
	return ops ? 0 : -ENOMEM;
}

/*
 * A seal against future writing may have come since the section was made. Later
 * kernels look for it before they ask the file to map, and ours has none.
 */
static bool is_sealed(struct file *file)
{
	struct inode *inode = file_inode(file);

	return inode->i_sb->s_magic == TMPFS_MAGIC &&
	       SHMEM_I(inode)->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
}

/* Which file is asked to set up the VMA. Some want to know who writes. */
static struct file *host_file(struct wr_view *view)
{
	struct wr_section *section = view->section;

	return view->rights & WR_WRITE && !section->stacked ? section->writer :
							      section->reader;
}

/* Whether the file of a view that writes has been sealed. */
bool wr_view_is_sealed(struct wr_view *view)
{
	return view->rights & WR_WRITE && is_sealed(host_file(view));
}

/* What the file has made of the VMA. Return: 0, or an error if it is of no use. */
static int look_at_host(struct wr_view *view, struct vm_area_struct *vma)
{
	if (!wr_section_may_map(view->section, vma) ||
	    vma->vm_file->f_mode & FMODE_WRITE)
		return -EMEDIUMTYPE;
	view->host = vma->vm_ops;
	view->mapping = vma->vm_file->f_mapping;
	return find_ops(view);
}

/* Has the file set up the VMA, and leaves one in it that only reads. */
static int host_mmap(struct wr_window *window, struct vm_area_struct *vma)
{
	struct file *file = host_file(window->view);
	int err;

	if (wr_view_is_sealed(window->view))
		return -EPERM;
	vma_set_file(vma, file);
	err = wr_call_mmap(file, vma);
	if (err)
		return err;
	if (vma->vm_file == file)
		vma_set_file(vma, window->view->section->reader);
	err = look_at_host(window->view, vma);
	if (!err)
		return 0;
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	vma->vm_ops = &wr_view_closed_ops;
	return err;
}

/* Pages with a copy, as somebody else has used it already, get the state for that. */
static void set_all_states(struct wr_window *window, u8 state)
{
	struct wr_runs *runs = &window->runs;

	wr_copies_fill(window, runs->base, runs->base + (1UL << runs->shift),
		       state);
}

/**
 * wr_view_begin - the pages of a new view are what they are to be
 * @window: the view; its VMA is as that wants it: wr_view_track()
 *
 * Of one that begins late they have been reserved ones, and stay so for a child that was
 * forked before this.
 *
 * Return: 0 or -ENOMEM.
 */
int wr_view_begin(struct wr_window *window)
{
	u8 state = window->view->state;
	int err;

	mutex_lock(&window->lock);
	err = wr_copies_prepare(window, window->first, window->end, state);
	if (!err) {
		set_all_states(window, state);
		window->view->begun = true;
	}
	mutex_unlock(&window->lock);
	return err;
}

/**
 * wr_view_attach - mmap of a section's pseudo file
 * @file: that
 * @vma: the VMA that is being made
 *
 * VM_DONTEXPAND as for windows: see fault.c.
 *
 * Return: 0 or an error.
 */
int wr_view_attach(struct file *file, struct vm_area_struct *vma)
{
	unsigned long len = vma->vm_end - vma->vm_start;
	struct wr_window *window;
	struct wr_layout *layout;
	struct wr_view *view;
	int err;

	layout = wr_layout_announced(file, vma->vm_start, len, vma->vm_pgoff);
	if (!layout)
		return -EINVAL;
	if (layout->step != WR_STEP_NEW && layout->step != WR_STEP_OVER)
		return -ECANCELED; /* what was here is unmapped */
	window = layout->window;
	view = window->view;
	if (!(view->rights & WR_WRITE))
		vm_flags_clear(vma, VM_MAYWRITE);
	err = host_mmap(window, vma);
	if (err)
		return err;
	if (view->rights & WR_EXEC)
		vm_flags_set(vma, VM_MAYSHARE); /* no breakpoints of uprobes */
	else /* personality(READ_IMPLIES_EXEC) */
		vm_flags_clear(vma, VM_EXEC | VM_MAYEXEC);
	vm_flags_set(vma, VM_DONTEXPAND);
	mutex_lock(&window->lock);
	view->begun = !wr_view_begins_late(view);
	if (view->begun)
		set_all_states(window, view->state);
	mutex_unlock(&window->lock);
	vma->vm_ops = wr_view_ops_of(window);
	vma->vm_private_data = window;
	wr_window_opened(window);
	wr_layout_arrived(window);
	return 0;
}
