// SPDX-License-Identifier: GPL-2.0
/*
 * Frames: pages that a program has by number, wherever they are mapped, if they are.
 *
 * They are there from the call that makes them until the one that frees them, zeroed
 * once, and never leave memory; so they are charged as committed and as locked. What
 * maps them is in physical.c.
 *
 * No window keeps them, so something else has to end them with the address space: the
 * keeper, a page of addresses that nobody can touch. Its file has the frames freed when
 * it is released, which is when the last mapping has gone: as the program ends, by an
 * exec, or by an munmap() of the program's, which the frames then do not survive. A
 * child has neither keeper nor frames.
 *
 * The mapping and index of a frame's page are those of the keeper's file and of its
 * number, wherever the frame is: so a shared futex in it stays the same one.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "account.h"
#include "frames.h"
#include "locked.h"
#include "page.h"
#include "regiontree.h"
#include "resident.h"

/* Frames that are charged together */
#define AT_ONCE 512UL

/* If there is none to be had there are fewer frames: nothing is killed for them. */
#define FRAME_GFP (__GFP_ZERO | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* ---- locks ---- */

/**
 * wr_frames_lock - before frames are mapped or unmapped
 * @space: whose
 *
 * Takes mmap_lock for reading as well: PTEs can be inserted, and where they are removed
 * in a forked window relatives do not notice.
 *
 * Context: takes frames->lock and mmap_lock.
 * Return: 0, or -EINTR.
 */
int wr_frames_lock(struct wr_space *space)
{
	struct wr_frames *frames = &space->frames;

	if (mutex_lock_killable(&frames->lock))
		return -EINTR;
	if (mmap_read_lock_killable(space->mm)) {
		mutex_unlock(&frames->lock);
		return -EINTR;
	}
	frames->reads_mmap = true;
	return 0;
}

/* After wr_frames_lock() */
void wr_frames_unlock(struct wr_space *space)
{
	space->frames.reads_mmap = false;
	mmap_read_unlock(space->mm);
	mutex_unlock(&space->frames.lock);
}

/* frames->lock is held. */
void wr_frames_lock_window(struct wr_window *window)
{
	lockdep_assert_held(&window->space->frames.lock);
	mutex_lock(&window->lock);
	window->held.mmap = window->space->frames.reads_mmap;
}

/* With its reference */
void wr_frames_unlock_window(struct wr_window *window)
{
	window->held.mmap = false;
	mutex_unlock(&window->lock);
	wr_window_put(window);
}

/* ---- where frames are ---- */

/* By its number, or NULL. frames->lock is held. */
struct wr_frame *wr_frame_find(struct wr_space *space, u64 number)
{
	lockdep_assert_held(&space->frames.lock);
	return number <= U32_MAX ? xa_load(&space->frames.table, number) : NULL;
}

/* Where it was is not where it is. */
static void forget_place(struct wr_space *space, struct wr_frame *frame)
{
	struct xarray *places = &space->frames.places;

	lockdep_assert_held(&space->frames.lock);
	if (frame->index && xa_load(places, frame->index) == frame)
		xa_erase(places, frame->index);
	frame->index = 0;
}

static bool is_frame(struct wr_window *window, pgoff_t index)
{
	return !window->dead && wr_window_has(window, index) &&
	       wr_runs_state(&window->runs, index) == WR_STATE_FRAME;
}

/**
 * lock_place - the window that a frame is mapped in
 * @space: whose
 * @frame: the frame; frames->lock is held
 *
 * If it is not mapped, where it was before is forgotten.
 *
 * Return: the window, with a reference and locked, or NULL.
 */
static struct wr_window *lock_place(struct wr_space *space,
				    struct wr_frame *frame)
{
	struct xarray *places = &space->frames.places;
	struct wr_window *window;

	/* Mostly another one is there: what a call has replaced. */
	if (!frame->index || xa_load(places, frame->index) != frame) {
		frame->index = 0;
		return NULL;
	}
	window = wr_window_find(space, frame->index);
	if (window) {
		wr_frames_lock_window(window);
		if (is_frame(window, frame->index))
			return window;
		wr_frames_unlock_window(window);
	}
	forget_place(space, frame);
	return NULL;
}

/* frames->lock is held. */
bool wr_frame_is_mapped(struct wr_space *space, struct wr_frame *frame)
{
	struct wr_window *window = lock_place(space, frame);

	if (!window)
		return false;
	wr_frames_unlock_window(window);
	return true;
}

/**
 * wr_frames_page - the page that is mapped somewhere
 * @window: the window; its lock is held
 * @index: where; its state is WR_STATE_FRAME
 *
 * Return: the page, without a reference: it stays as long as the lock is held.
 */
struct page *wr_frames_page(struct wr_window *window, pgoff_t index)
{
	struct wr_frame *frame = xa_load(&window->space->frames.places, index);

	lockdep_assert_held(&window->lock);
	if (WARN_ON_ONCE(!frame))
		return ERR_PTR(-EFAULT);
	return frame->page;
}

/**
 * wr_frames_at_most - frames that are mapped in a range, up to @enough
 * @window: the window; its lock is held
 * @first: the first page
 * @end: the page behind the last
 * @enough: no more are looked for
 *
 * Return: how many. They are in none of the window's slots, so it does not count them.
 */
unsigned long wr_frames_at_most(struct wr_window *window, pgoff_t first,
				pgoff_t end, unsigned long enough)
{
	struct xarray *places = &window->space->frames.places;
	struct wr_frame *frame;
	unsigned long n = 0;
	pgoff_t i;

	lockdep_assert_held(&window->lock);
	xa_for_each_range(places, i, frame, first, end - 1) {
		if (wr_runs_state(&window->runs, i) == WR_STATE_FRAME)
			n++;
		if (n == enough || fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return n;
}

/* A fault that saw the old states has locked its page before we came. */
static void wait_for_faults(struct wr_window *window, pgoff_t first,
			    pgoff_t end)
{
	struct page *page;

	for (; first < end; first++) {
		page = wr_frames_page(window, first);
		if (!IS_ERR(page))
			folio_wait_locked(page_folio(page));
		cond_resched();
	}
}

/**
 * wr_frames_clear - no frames are mapped any more
 * @window: the window; its lock is held
 * @first: the first page, where the runs have been split
 * @end: the page behind the last, where they have been split too
 * @mapped: there may be PTEs
 */
void wr_frames_clear(struct wr_window *window, pgoff_t first, pgoff_t end,
		     bool mapped)
{
	bool any = false;
	pgoff_t i, next;

	lockdep_assert_held(&window->lock);
	for (i = first; i < end; i = next) {
		cond_resched();
		if (wr_runs_span(&window->runs, i, end, &next) !=
		    WR_STATE_FRAME)
			continue;
		any = true;
		if (mapped && window->hands_over)
			wait_for_faults(window, i, next);
		wr_runs_fill(&window->runs, i, next, WR_STATE_NONE);
	}
	if (mapped && any)
		wr_resident_zap(window, first, end);
}

/* Of a part of a region. What places has there is old then. */
void wr_frames_take_away(struct wr_window *window, struct wr_region *region,
			 pgoff_t first, pgoff_t end)
{
	wr_runs_split_surely(&window->runs, first, end);
	wr_frames_clear(window, first, end, true);
	wr_runs_compact(&window->runs, first, end, region->first, region->end);
}

/* Wherever it is, if it is mapped. frames->lock is held. */
void wr_frame_unmap(struct wr_space *space, struct wr_frame *frame)
{
	struct wr_window *window = lock_place(space, frame);
	pgoff_t index = frame->index;

	if (!window)
		return;
	wr_frames_take_away(window, wr_region_find(window, index), index,
			    index + 1);
	wr_frames_unlock_window(window);
	forget_place(space, frame);
}

/* ---- the charge ---- */

static void uncharge(struct wr_space *space, unsigned long n)
{
	if (!n)
		return;
	atomic_long_sub(n, &space->frames.count);
	wr_locked_sub(space, n);
	wr_pagefile_uncharge(&space->pagefile, n);
}

static int charge(struct wr_space *space, unsigned long n)
{
	int err = wr_pagefile_charge(&space->pagefile, n);

	if (err)
		return err;
	err = wr_locked_add(space, n);
	if (err)
		wr_pagefile_uncharge(&space->pagefile, n);
	else
		atomic_long_add(n, &space->frames.count);
	return err;
}

/* As many as the limits allow, at most *@n, which is set to that. */
static int charge_some(struct wr_space *space, unsigned long *n)
{
	int err = charge(space, *n);

	while ((err == -EDQUOT || err == -EAGAIN) && *n > 1) {
		*n /= 2;
		err = charge(space, *n);
	}
	return err;
}

/* ---- the end of frames ---- */

/* It is neither mapped nor in the table any more. */
static void end_frame(struct wr_frame *frame)
{
	wr_folio_disown(page_folio(frame->page));
	put_page(frame->page);
	kfree(frame);
}

/* The charge is the caller's to give back. */
static void free_frame(struct wr_space *space, struct wr_frame *frame)
{
	wr_frame_unmap(space, frame);
	xa_erase(&space->frames.table, frame->number);
	end_frame(frame);
}

static void free_all(struct wr_space *space)
{
	struct wr_frame *frame;
	unsigned long number, n = 0;

	xa_for_each(&space->frames.table, number, frame) {
		free_frame(space, frame);
		n++;
		cond_resched();
	}
	uncharge(space, n);
}

/* ---- the keeper ---- */

static void keeper_close(struct vm_area_struct *vma)
{
	wr_space_keep_inode(vma->vm_file, vma);
}

static const struct vm_operations_struct keeper_vm_ops = {
	.close = keeper_close,
};

/*
 * VM_IO, so that MADV_DOFORK does not undo VM_DONTCOPY; and nobody may change what it
 * can be used for, which is nothing.
 */
static int keeper_mmap(struct file *file, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_IO | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	vm_flags_clear(vma, VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &keeper_vm_ops;
	return 0;
}

static int keeper_release(struct inode *inode, struct file *file)
{
	struct wr_space *space = file->private_data;
	struct wr_frames *frames = &space->frames;

	mutex_lock(&frames->lock);
	if (frames->keeper == file) {
		frames->keeper = NULL;
		free_all(space);
	}
	mutex_unlock(&frames->lock);
	wr_space_put(space);
	wr_space_unpin_files();
	return 0;
}

static const struct file_operations keeper_operations = {
	.owner = THIS_MODULE,
	.mmap = keeper_mmap,
	.release = keeper_release,
};

/* The mapping has a reference to the file, and that one to the space. */
static int add_keeper(struct wr_space *space)
{
	unsigned long addr;
	struct file *file;

	file = wr_space_make_file("winregion-frames", &keeper_operations,
				  space);
	if (IS_ERR(file))
		return PTR_ERR(file);
	wr_space_get(space);
	addr = vm_mmap(file, 0, PAGE_SIZE, PROT_NONE, MAP_SHARED, 0);
	if (!IS_ERR_VALUE(addr))
		space->frames.keeper = file;
	fput(file);
	return IS_ERR_VALUE(addr) ? (int)addr : 0;
}

/* The caller is of the space's process. */
static int find_keeper(struct wr_space *space)
{
	struct wr_frames *frames = &space->frames;
	int err = 0;

	if (mutex_lock_killable(&frames->lock))
		return -EINTR;
	if (!frames->keeper)
		err = add_keeper(space);
	mutex_unlock(&frames->lock);
	return err;
}

/* ---- new frames ---- */

static struct wr_frame *make_frame(struct wr_new_frames *made, int node)
{
	struct wr_frames *frames = &made->space->frames;
	struct wr_frame *frame;

	frame = kzalloc(sizeof(*frame), GFP_KERNEL_ACCOUNT);
	if (!frame)
		return NULL;
	if (xa_alloc(&frames->table, &frame->number, NULL, xa_limit_32b,
		     GFP_KERNEL_ACCOUNT))
		goto free_frame;
	frame->page = wr_page_alloc(NULL, frame->number, FRAME_GFP, node);
	if (frame->page)
		return frame;
	xa_erase(&frames->table, frame->number);
free_frame:
	kfree(frame);
	return NULL;
}

static void add_to_list(struct wr_new_frames *made, struct wr_frame *frame)
{
	if (made->last)
		made->last->next = frame;
	else
		made->first = frame;
	made->last = frame;
	made->count++;
}

static int make_some(struct wr_new_frames *made, unsigned long wanted, int node)
{
	unsigned long n = min(wanted, AT_ONCE), i;
	struct wr_frame *frame;
	int err;

	if (fatal_signal_pending(current))
		return -EINTR;
	err = charge_some(made->space, &n);
	if (err)
		return err;
	for (i = 0; i < n; i++) {
		frame = make_frame(made, node);
		if (!frame)
			break;
		add_to_list(made, frame);
		cond_resched();
	}
	uncharge(made->space, n - i);
	return i < n ? -ENOMEM : 0;
}

/**
 * wr_frames_make - make frames for the calling process
 * @space: its space
 * @wanted: how many, at least 1
 * @node: where they are to be, if possible, or NUMA_NO_NODE
 * @made: set to those that there are: fewer, if limits or memory allow no more
 *
 * They have numbers, but nobody finds them by those before wr_frames_publish(). That, or
 * wr_frames_discard(), is to follow.
 *
 * Context: takes frames->lock and mmap_lock.
 * Return: 0, or if there is none at all -EAGAIN for RLIMIT_MEMLOCK, -EDQUOT for the
 * commit limit, -ENOMEM, -ENFILE; -EINTR.
 */
int wr_frames_make(struct wr_space *space, unsigned long wanted, int node,
		   struct wr_new_frames *made)
{
	int err = find_keeper(space);

	*made = (struct wr_new_frames){ .space = space };
	if (err)
		return err;
	while (!err && made->count < wanted)
		err = make_some(made, wanted - made->count, node);
	if (!err || (err != -EINTR && made->count))
		return 0;
	wr_frames_discard(made);
	return err;
}

/* They are for nobody. */
void wr_frames_discard(struct wr_new_frames *made)
{
	struct wr_frame *frame = made->first, *next;

	for (; frame; frame = next) {
		next = frame->next;
		xa_erase(&made->space->frames.table, frame->number);
		end_frame(frame);
		cond_resched();
	}
	uncharge(made->space, made->count);
}

/* Numbers that have been taken have room in the table. Nobody maps them yet. */
static void publish(struct wr_new_frames *made, struct file *keeper)
{
	struct wr_frame *frame = made->first, *next;

	for (; frame; frame = next) {
		next = frame->next;
		frame->index = 0;
		wr_page_stamp(frame->page, keeper->f_mapping, frame->number);
		xa_store(&made->space->frames.table, frame->number, frame,
			 WR_GFP_MUST);
		cond_resched();
	}
}

/**
 * wr_frames_publish - the program has the numbers of new frames
 * @made: the frames
 *
 * Return: 0, or -ENOMEM if it has unmapped the keeper meanwhile: then there are none.
 */
int wr_frames_publish(struct wr_new_frames *made)
{
	struct wr_frames *frames = &made->space->frames;
	int err = -ENOMEM;

	mutex_lock(&frames->lock);
	if (frames->keeper) {
		publish(made, frames->keeper);
		err = 0;
	}
	mutex_unlock(&frames->lock);
	if (err)
		wr_frames_discard(made);
	return err;
}

/**
 * wr_frames_free - free frames, and unmap them
 * @space: whose they are
 * @numbers: their numbers
 * @n: how many, of which there are not too many for one hold of a lock
 * @freed: set to how many that were: all in front of the first that is none
 *
 * Context: takes frames->lock, mmap_lock and window->lock.
 * Return: 0, or -EINVAL for a number of no frame, or -EINTR.
 */
int wr_frames_free(struct wr_space *space, const u64 *numbers, unsigned int n,
		   unsigned int *freed)
{
	struct wr_frame *frame;
	int err = 0;

	*freed = 0;
	if (fatal_signal_pending(current) || wr_frames_lock(space))
		return -EINTR;
	while (!err && *freed < n) {
		frame = wr_frame_find(space, numbers[*freed]);
		if (frame) {
			free_frame(space, frame);
			++*freed;
		} else {
			err = -EINVAL;
		}
		cond_resched();
	}
	uncharge(space, *freed);
	wr_frames_unlock(space);
	return err;
}
