// SPDX-License-Identifier: GPL-2.0
/*
 * The one place where VMAs of ours are made, replaced and unmapped, and the gate
 * that keeps everybody else from it.
 *
 * A page's state is found by its address alone: offset in the file == address,
 * always. So the only VMA changes are those that the holder of layout_lock
 * announces in space->layout; wr_layout_allows() is the one test, asked from
 * get_unmapped_area (before the core unmaps anything), mmap and may_split.
 */
#include <linux/mman.h>
#include <linux/sched/mm.h>

#include "fault.h"
#include "layout.h"
#include "place.h"
#include "regiontree.h"

/* Whether current has announced a change of VMAs, so holds layout_lock. */
bool wr_layout_is_mine(struct wr_space *space)
{
	return READ_ONCE(space->layout.task) == current;
}

/* What the calling task has announced, or NULL. */
static struct wr_layout *current_layout(struct file *file)
{
	struct wr_space *space = wr_space_find(current->mm);
	struct wr_layout *layout = NULL;

	if (!space)
		return NULL;
	if (wr_layout_is_mine(space) && space->layout.window->file == file)
		layout = &space->layout;
	wr_space_put(space); /* the window has a reference */
	return layout;
}

/* Whether this mapping of @file is exactly what was announced. */
bool wr_layout_allows(struct file *file, unsigned long addr, unsigned long len,
		      unsigned long pgoff)
{
	struct wr_layout *layout = current_layout(file);

	return layout && layout->addr == addr && layout->len == len &&
	       (layout->place || pgoff == addr >> PAGE_SHIFT);
}

/* Whether all bytes belong to VMAs of the window. */
bool wr_layout_all_ours(struct wr_window *window, unsigned long addr,
			unsigned long end)
{
	VMA_ITERATOR(vmi, window->space->mm, addr);
	struct vm_area_struct *vma;

	mmap_assert_locked(window->space->mm);
	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_start > addr || !wr_vma_is_ours(vma) ||
		    vma->vm_private_data != window)
			return false;
		addr = vma->vm_end;
	}
	return addr >= end;
}

static unsigned long place(struct wr_layout *layout, struct file *file,
			   unsigned long flags)
{
	struct wr_window *window = layout->window;
	unsigned long addr;

	mmap_assert_write_locked(window->space->mm);
	addr = wr_place_default(window->space, layout, file, flags);
	if (IS_ERR_VALUE(addr))
		return addr;
	layout->addr = addr;
	wr_window_set_range(window, addr >> PAGE_SHIFT,
			    (addr + layout->len) >> PAGE_SHIFT);
	return addr;
}

/* Whether the program has unmapped some of the pages. mmap_lock is held. */
static bool is_gone(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;
	bool gone;

	mmap_assert_locked(window->space->mm);
	mutex_lock(&window->lock);
	gone = window->dead;
	for (; !gone && first < end; first = next)
		gone = wr_runs_span(&window->runs, first, end, &next) & WR_LOST;
	mutex_unlock(&window->lock);
	return gone;
}

/*
 * f_op->get_unmapped_area of our file: under mmap_lock for writing, before
 * anything has been unmapped. mremap() and remap_file_pages() come here too,
 * and are refused.
 */
unsigned long wr_layout_address(struct file *file, unsigned long addr,
				unsigned long len, unsigned long pgoff,
				unsigned long flags)
{
	struct wr_layout *layout = current_layout(file);

	if (!layout || layout->len != len)
		return -EINVAL;
	if (layout->place)
		return place(layout, file, flags);
	if (layout->addr != addr || pgoff != addr >> PAGE_SHIFT)
		return -EINVAL;
	/* What has been unmapped since it was announced stays so. */
	if (is_gone(layout->window, pgoff, (addr + len) >> PAGE_SHIFT))
		return -ENOENT;
	if ((flags & MAP_FIXED) && !(flags & MAP_FIXED_NOREPLACE) &&
	    !wr_layout_all_ours(layout->window, addr, addr + len))
		return -EEXIST;
	return addr;
}

static void layout_begin(struct wr_window *window, unsigned long addr,
			 unsigned long len)
{
	struct wr_layout *layout = &window->space->layout;

	lockdep_assert_held(&window->space->layout_lock);
	layout->window = window;
	layout->addr = addr;
	layout->len = len;
	WRITE_ONCE(layout->task, current);
}

static void layout_end(struct wr_window *window)
{
	WRITE_ONCE(window->space->layout.task, NULL);
	window->space->layout.place = false;
	window->space->layout.exec = false;
}

static int map_error(unsigned long addr)
{
	if (!IS_ERR_VALUE(addr))
		return 0;
	switch ((long)addr) {
	case -ENOMEM:
		return -ENOSPC;
	case -EPERM:
		return -EACCES;
	default:
		return addr;
	}
}

/* vm_mmap() of the window's file as announced; @flags: MAP_FIXED... or 0 */
int wr_layout_map(struct wr_window *window, pgoff_t first, unsigned long pages,
		  bool exec, unsigned long flags)
{
	unsigned long prot = PROT_READ | PROT_WRITE;
	unsigned long addr = first << PAGE_SHIFT, ret;

	if (exec)
		prot |= PROT_EXEC;
	layout_begin(window, addr, pages << PAGE_SHIFT);
	window->space->layout.exec = exec;
	ret = vm_mmap(window->file, addr, pages << PAGE_SHIFT, prot,
		      MAP_SHARED | flags, addr);
	layout_end(window);
	return map_error(ret);
}

static int unmap_span(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	unsigned long addr = first << PAGE_SHIFT;
	unsigned long len = (end - first) << PAGE_SHIFT;
	int err;

	layout_begin(window, addr, len);
	err = vm_munmap(addr, len);
	layout_end(window);
	return err;
}

/*
 * vm_munmap() of what the window still has of these pages, which are free. If
 * the core refuses (no memory, sealed, killed), what was before that is lost.
 */
int wr_layout_unmap(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t at, next;
	int err = 0;
	u8 state;

	for (at = first; at < end; at = next) {
		mutex_lock(&window->lock);
		state = wr_runs_span(&window->runs, at, end, &next);
		mutex_unlock(&window->lock);
		if (!(state & WR_LOST))
			err = unmap_span(window, at, next);
		if (err)
			break;
	}
	if (err && at > first) {
		mutex_lock(&window->lock);
		wr_window_mark_lost(window, first, at);
		mutex_unlock(&window->lock);
	}
	return err;
}

/**
 * wr_window_create - map a new window
 * @space: whose; its layout_lock is held, and space->layout says where: at
 *	@addr, or anywhere within the limits if @place is set
 * @pages: its size
 * @exec: most of its pages will be executable
 * @huge: they may be large
 *
 * Return: the window, not in space->windows yet, or an error pointer: -ENOSPC,
 * -EEXIST, -EAGAIN, -EACCES, -ENOMEM, -ENFILE, -EINTR.
 */
struct wr_window *wr_window_create(struct wr_space *space, unsigned long pages,
				   bool exec, bool huge)
{
	struct wr_layout *layout = &space->layout;
	pgoff_t first = layout->addr >> PAGE_SHIFT;
	struct file *file = wr_space_file(space);
	struct wr_window *window;
	int err;

	if (IS_ERR(file))
		return ERR_CAST(file);
	window = wr_window_alloc(space, file);
	if (!window)
		return ERR_PTR(-ENOMEM);
	window->exec = exec;
	window->huge = huge;
	if (layout->place) {
		err = wr_layout_map(window, 0, pages, exec, 0);
	} else {
		wr_window_set_range(window, first, first + pages);
		err = wr_layout_map(window, first, pages, exec,
				    MAP_FIXED_NOREPLACE);
	}
	if (!err)
		return window;
	wr_window_put(window);
	return ERR_PTR(err);
}

/**
 * wr_window_destroy - unmap a window without regions
 * @window: the window; its space's layout_lock is held
 *
 * Return: 0, or an error if the core refused (no memory, sealed, killed); then
 * it stays, all free.
 */
int wr_window_destroy(struct wr_window *window)
{
	bool published;
	int err = wr_layout_unmap(window, window->first, window->end);

	if (err)
		return err;
	mutex_lock(&window->lock);
	published = wr_window_unpublish(window);
	mutex_unlock(&window->lock);
	if (published)
		wr_window_put(window);
	return 0;
}

/**
 * wr_window_trim - unmap the free pages at an end of a window
 * @window: the window; its space's layout_lock is held
 * @first: the first page; no region of the window is in the range
 * @end: the page behind the last; the range leaves the window on a side
 *
 * Return: 0, or an error if the core refused.
 */
int wr_window_trim(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_region *region;
	int err;

	first = max(first, window->first);
	end = min(end, window->end);
	if (first == window->first && end == window->end)
		return wr_window_destroy(window);
	err = wr_layout_unmap(window, first, end);
	if (err)
		return err;
	mutex_lock(&window->lock);
	spin_lock(&window->space->lock);
	if (!list_empty(&window->shared))
		window->space->shared_pages -= end - first;
	if (first == window->first)
		window->first = end;
	else
		window->end = first;
	spin_unlock(&window->space->lock);
	region = wr_region_first(window);
	if (region) { /* the gap in front of it has changed */
		wr_region_remove(window, region);
		wr_region_add(window, region);
	}
	mutex_unlock(&window->lock);
	return 0;
}

/* ---- simple and tracked ---- */

/* Waits for faults, which want the window's lock; so it is not held here. */
void wr_layout_track(struct wr_window *window)
{
	VMA_ITERATOR(vmi, window->space->mm, window->first << PAGE_SHIFT);
	struct vm_area_struct *vma;

	mmap_assert_write_locked(window->space->mm);
	for_each_vma_range(vmi, vma, window->end << PAGE_SHIFT)
		if (wr_vma_is_ours(vma) && vma->vm_private_data == window)
			wr_vma_set_tracked(vma);
	mutex_lock(&window->lock);
	window->tracked = true;
	mutex_unlock(&window->lock);
}

/**
 * wr_window_track - from now on ask before a page becomes writable
 * @window: the window
 *
 * Return: 0 or -EINTR.
 */
int wr_window_track(struct wr_window *window)
{
	if (mmap_write_lock_killable(window->space->mm))
		return -EINTR;
	if (!window->tracked)
		wr_layout_track(window);
	mmap_write_unlock(window->space->mm);
	return 0;
}
