/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_SPACE_H
#define _WR_SPACE_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include <linux/winregion.h>

#include "pagefile.h"
#include "record.h"

/* What differs between the two is in compat/linux/mm.h. */
#if !defined(CONFIG_X86_64) && !defined(CONFIG_ARM64) || defined(CONFIG_UML)
#error "winregion is for x86-64 and arm64: it was never tried on anything else"
#endif

#if PAGE_SHIFT != 12 || defined(CONFIG_CPU_BIG_ENDIAN)
#error "winregion has pages of 4 KiB, as Windows has, and is little endian"
#endif

/*
 * Lock order, outermost first:
 *
 *	space->lock_calls	pages are locked in memory, or unlocked
 *	frames->lock		frames, and where they are mapped
 *	space->layout_lock	reserve, release; vm_mmap() and vm_munmap()
 *	  mmap_lock		never taken under a lock further down
 *	    vma lock
 *	      space->batch_lock	one change of several windows
 *	        window->lock	states and pages; of several windows only under
 *				batch_lock, of a child's only in a fork
 *	          section->lock	what of a section is committed
 *	          page lock
 *	            i_mmap_rwsem
 *
 * A list of stashed pages has a spinlock of its own, which is taken under window->lock, and
 * by the shrinker, under which all of the above may be held. Under it there are page
 * locks, which are only tried.
 *
 * A page of a file that a view maps is locked by the core, before window->lock of the
 * view is taken; no such lock is taken under it.
 *
 * space->lock, the locks of what frames are in, records->lock, pagefile->lock, inside
 * that of commit.c, and the lock of the table of spaces are leaves.
 * No fault and no VMA callback takes layout_lock. No user memory is touched
 * under any of them.
 */

struct wr_region;
struct wr_slot;
struct wr_window;

/* What a change of VMAs does to what is at its place before. */
enum wr_step {
	WR_STEP_NEW, /* a new window, over nothing but free pages of others */
	WR_STEP_REPLACE, /* another VMA of the same window */
	WR_STEP_OVER, /* a new window, over placeholders of others, or a view */
	WR_STEP_REFILL, /* a VMA where its window has a hole, maybe with a view */
	WR_STEP_LEAVE, /* none: free pages leave their window */
};

/**
 * struct wr_layout - the VMA change that is going on
 * @task: who is at it; NULL if nobody
 * @window: the window that the VMA belongs to
 * @addr: first byte of the VMA; chosen on the way if @place is set
 * @len: its bytes
 * @step: what it does
 * @place: the address is to be chosen
 * @aligned: as a multiple of 2 MiB, if @place is set
 * @exec: the VMA is to be executable
 * @left: pages have left a window on the way
 * @over: the one window that has the pages before; NULL for any, of placeholders
 * @region: what the pages belong to as soon as they are mapped, with which a new
 *	window is published; NULL once it is there
 * @keep: what the program has set for the VMA that is replaced
 *
 * Protected by layout_lock; callbacks of the core, which the holder is in,
 * compare @task with current first.
 */
struct wr_layout {
	struct task_struct *task;
	struct wr_window *window;
	unsigned long addr;
	unsigned long len;
	enum wr_step step;
	bool place;
	bool aligned;
	bool exec;
	bool left;
	struct wr_window *over;
	struct wr_region *region;
	unsigned long keep;
};

/* What madvise() sets in a VMA; see also name() in fault.c */
#define WR_PROGRAM_FLAGS \
	(VM_DONTCOPY | VM_DONTDUMP | VM_HUGEPAGE | VM_NOHUGEPAGE | \
	 VM_RAND_READ | VM_SEQ_READ)

/**
 * struct wr_frames - the frames of a space
 * @lock: see the lock order
 * @table: by number; a call that makes some has their numbers first
 * @places: by the page where they are mapped: what the state there says is a frame is
 *	this one. Else it may be one that was there before, or none. Its own lock, and
 *	to change what a state stands for also that of the window
 * @count: how many there are in @table, or will be: atomic
 * @keeper: the file whose mapping lets them live; @lock
 * @call: the last call that has mapped some; @lock
 * @reads_mmap: who holds @lock has mmap_lock for reading, too; @lock
 */
struct wr_frames {
	struct mutex lock; /* the frames, and where they are */
	struct xarray table;
	struct xarray places;
	atomic_long_t count;
	struct file *keeper;
	u32 call;
	bool reads_mmap;
};

/**
 * struct wr_space - what this module knows of one address space
 * @node: entry in the table of spaces; its lock
 * @mm: the address space; pinned by mmgrab(), never changes
 * @refs: one for each window and each call that is going on
 * @rcu: for readers of the table
 * @layout_lock: see the lock order
 * @layout: layout_lock
 * @file: what windows made by this space map; layout_lock
 * @file_forked: a child maps @file too; set under mmap_lock, reset with @file
 * @refused: below it the core has refused a place, which may be over; layout_lock
 * @kept: windows without regions may be left that could not be unmapped, since there
 *	are too many VMAs; layout_lock
 * @batch_lock: see the lock order
 * @lock: a leaf; protects the rest
 * @windows: by address
 * @roomy: those of them that regions may not fill, by address
 * @views: windows that are views, by address; a hole of another window can have one
 * @shared: windows for small regions, [1] executable ones; the one that was
 *	used last first
 * @shared_pages: pages of all shared windows
 * @nr_windows: windows in @windows and @views
 * @nr_regions: regions in them
 * @pagefile: the commit charge; has its own locks
 * @records: the last failed access of each thread; has its own lock
 * @spare: see struct wr_runs; atomic
 * @frames: pages that are mapped by number; has its own locks
 * @lock_calls: see the lock order
 * @locked: pages that are locked in memory: see locked.c; atomic
 * @swapped: pages that are out of memory: see stash.c; atomic
 * @locked_charge: how many of them locked_vm of @mm has; mmap_lock for writing
 * @unsettled: in the list of those that a worker looks at; that list's lock
 *
 * A space is made by the first reserve, or by a fork of a process that has one,
 * and ends with its last window. No file descriptor keeps it alive.
 */
struct wr_space {
	struct hlist_node node;
	struct mm_struct *mm;
	refcount_t refs;
	struct rcu_head rcu;
	struct mutex layout_lock; /* VMAs of ours come and go */
	struct wr_layout layout;
	struct file *file;
	bool file_forked;
	unsigned long refused;
	bool kept;
	struct mutex batch_lock; /* windows locked together */
	spinlock_t lock; /* the lists of windows */
	struct rb_root windows;
	struct rb_root roomy;
	struct rb_root views;
	struct list_head shared[2];
	unsigned long shared_pages;
	unsigned long nr_windows;
	unsigned long nr_regions;
	struct wr_pagefile pagefile;
	struct wr_records records;
	struct wr_slot *spare;
	struct wr_frames frames;
	struct mutex lock_calls; /* VirtualLock() and the like */
	atomic_long_t locked;
	unsigned long locked_charge;
	atomic_long_t swapped;
	struct list_head unsettled;
};

struct wr_space *wr_space_peek(struct mm_struct *mm);
struct wr_space *wr_space_find(struct mm_struct *mm);
struct wr_space *wr_space_get_for(struct mm_struct *mm);
struct wr_space *wr_space_next(struct wr_space *prev);
void wr_space_get(struct wr_space *space);
void wr_space_put(struct wr_space *space);

/*
 * With a "/" before it, this is what others see in maps. perf looks the names of
 * code up in /tmp/perf-PID.map only where it takes a mapping for anonymous memory:
 * its name begins like that of shared anonymous memory, "/dev/zero".
 */
#define WR_FILE_NAME "dev/zero[winregion]"

struct file *wr_space_file(struct wr_space *space);
struct file *wr_space_make_file(const char *name,
				const struct file_operations *operations,
				void *data);
void wr_space_unpin_files(void);
void wr_space_keep_inode(struct file *file, struct vm_area_struct *vma);
void wr_space_exit(void);

int wr_space_add_regions(struct wr_space *space, long n);
unsigned long wr_space_max_regions(void);

/*
 * An RCU read-side section without the calls that rcu_read_lock() takes where
 * such sections can be preempted. Short, and spinlocks are taken inside.
 */
static __always_inline void wr_peek_begin(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		rcu_read_lock();
	else
		preempt_disable();
}

static __always_inline void wr_peek_end(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		rcu_read_unlock();
	else
		preempt_enable();
}

/*
 * A page has an index: which one it is in the address space. What it is in the file
 * that a window maps is another matter: wr_window_offset().
 */
static __always_inline pgoff_t wr_index(unsigned long addr)
{
	return addr >> PAGE_SHIFT;
}

static __always_inline unsigned long wr_address(pgoff_t index)
{
	return index << PAGE_SHIFT;
}

static __always_inline pgoff_t wr_vmf_index(const struct vm_fault *vmf)
{
	return wr_index(vmf->address);
}

/* The first page of a VMA, and the one behind its last. */
static __always_inline pgoff_t wr_vma_first(const struct vm_area_struct *vma)
{
	return wr_index(vma->vm_start);
}

static __always_inline pgoff_t wr_vma_end(const struct vm_area_struct *vma)
{
	return wr_index(vma->vm_end);
}

/* The usable addresses of an address space: nothing in the last unit either. */
static inline unsigned long wr_lowest(void)
{
	return WINREGION_GRANULARITY;
}

static inline unsigned long wr_highest_below(unsigned long size)
{
	size = min_t(unsigned long, size, WR_MAP_WINDOW);
	return round_up(size, WINREGION_GRANULARITY) - WINREGION_GRANULARITY -
	       1;
}

static inline unsigned long wr_highest_of(struct mm_struct *mm)
{
	return wr_highest_below(mm->task_size);
}

static inline unsigned long wr_highest(void)
{
	return wr_highest_of(current->mm);
}

/*
 * Where the core maps something new goes by the calling thread, whose personality
 * may have changed since the program was started.
 */
static inline unsigned long wr_highest_new(struct mm_struct *mm)
{
	return min(wr_highest_of(mm), wr_highest_below(TASK_SIZE));
}

#endif /* _WR_SPACE_H */
