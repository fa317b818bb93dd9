/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_WINDOW_H
#define _WR_WINDOW_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>

#include "runs.h"
#include "space.h"
#include "states.h"

struct wr_locked;
struct wr_region;
struct wr_room;
struct wr_trim;
struct wr_view;
struct wr_watch;

/**
 * struct wr_window - a range of addresses that we have mapped
 * @refs: one for each VMA, one for space->windows, one for each user
 * @rcu: for wr_region_trylock()
 * @space: whose it is; counted, never changes
 * @file: the file that it maps; counted, never changes. In a forked process it
 *	is the parent's.
 * @stamp: added to the index of its pages, so that shared futexes in a forked
 *	window are not taken for a relative's; never changes
 * @shift: how much the index of a page is above its offset in @file; never changes
 *	once it is mapped
 * @view: what a view has besides, NULL for all other windows; never changes
 * @exec: its own VMA is executable; never changes once it is mapped
 * @huge: it may have 2 MiB pages, and no VM_MIXEDMAP; as @exec
 * @has_huge: it has, or had, a 2 MiB page; @lock, never reset
 * @copied_from: where the first VMA may be that a fork copies: a hint; mmap_lock for
 *	writing
 * @node: in space->windows, or space->views; space->lock
 * @first: the first page; changes under mmap_lock, @lock and space->lock
 * @end: the page behind the last; as @first
 * @peeked: somebody may have found it who has no reference; space->lock, never reset
 * @shared: in space->shared, or empty; space->lock
 * @roomy: in space->roomy, or empty; @lock and space->lock
 * @batch: in the list of windows that a change has locked; batch_lock
 * @lock: see the lock order; protects the rest
 * @nr_vmas: its VMAs; it ends with the last of them
 * @dead: it has left space->windows, and has neither VMA nor regions
 * @tracked: its VMAs ask before a page becomes writable; set under mmap_lock as
 *	well, and never reset
 * @forked: others may own some of its pages too; never reset
 * @lost: some of its pages are lost
 * @has_nodes: it has, or had, a region with a memory node; never reset
 * @hands_over: a fault has left it to the core to map a frame; never reset
 * @toggles: pages of it have been executable and are so no longer
 * @watch: what was written, if it has, or had, a region with a write watch: else
 *	NULL; never reset
 * @taken_up_to: in front of it others have some of each hole, or had; layout_lock
 *	instead
 * @join_budget: pages in memory that joining VMAs may map again; layout_lock
 *	instead
 * @tidy_at: from so many VMAs on it is looked which are needed
 * @nr_resident: pages in memory
 * @stashes: those that may be freed besides: see stash.c
 * @trim: how it is found by who looks for pages to leave memory, or NULL; never reset
 * @held: what the holder of @lock has besides: @vma, in which a fault is; @mmap,
 *	that is mmap_lock; @room, to be made where memory is missing, see pageout.h
 * @regions: the regions by address
 * @runs: the states of all pages, and the pages in memory
 * @locked: which pages are locked in memory, or NULL if none ever was
 *
 * Normally one VMA, which holds one large region or many small ones. Pages that may
 * be executed where the window's VMA may not have VMAs of their own, all of which
 * share the window. It ends with its last VMA, whoever unmaps that: mostly we, when
 * its last region is released.
 */
struct wr_window {
	refcount_t refs;
	struct rcu_head rcu;
	struct wr_space *space;
	struct file *file;
	pgoff_t stamp;
	pgoff_t shift;
	struct wr_view *view;
	bool exec;
	bool huge;
	bool has_huge;
	unsigned long copied_from;
	struct rb_node node;
	pgoff_t first;
	pgoff_t end;
	bool peeked;
	struct list_head shared;
	struct rb_node roomy;
	struct list_head batch;
	struct mutex lock; /* states, regions and pages */
	unsigned long nr_vmas;
	bool dead;
	bool tracked;
	bool forked;
	bool lost;
	bool has_nodes;
	bool hands_over;
	bool toggles;
	struct wr_watch *watch;
	pgoff_t taken_up_to;
	unsigned long join_budget;
	unsigned long tidy_at;
	unsigned long nr_resident;
	struct rb_root stashes;
	struct wr_trim *trim;
	struct {
		struct vm_area_struct *vma;
		struct wr_room *room;
		bool mmap;
	} held;
	struct rb_root regions;
	struct wr_runs runs;
	struct wr_locked *locked;
};

/* Where a page of a window is in its file, and which one is there. */
static __always_inline pgoff_t wr_window_offset(const struct wr_window *window,
						pgoff_t index)
{
	return index - window->shift;
}

static __always_inline pgoff_t wr_window_index(const struct wr_window *window,
					       pgoff_t offset)
{
	return offset + window->shift;
}

/* Why a VMA of a window goes. */
enum wr_closing {
	WR_CLOSE_UNMAPPED, /* the program has unmapped it, or ends */
	WR_CLOSE_LEFT, /* it was free, and leaves the window */
	WR_CLOSE_REPLACED, /* another one comes to its place, or it was none */
};

/*
 * Whether a page in this state needs a VMA that is executable; one that is not
 * committed fits into that of the window. Where this changes VMAs are looked at.
 */
static inline bool wr_window_exec_at(struct wr_window *window, u8 state)
{
	return wr_state_is_committed(state) ? wr_state_is_exec(state) :
					      window->exec;
}

/* Pages in state @old cannot be executed any more: their VMA may not be needed. */
static inline void wr_window_note_exec_lost(struct wr_window *window, u8 old)
{
	if (wr_state_is_exec(old))
		window->tidy_at -= min(window->tidy_at, 4UL);
}

/* Whether the pages from @index to @next, at most @end, are lost. */
static inline bool wr_window_lost_at(struct wr_window *window, pgoff_t index,
				     pgoff_t end, pgoff_t *next)
{
	return wr_state_is_lost(wr_runs_span(&window->runs, index, end, next));
}

struct wr_window *wr_window_next(struct wr_space *space, pgoff_t index);
struct wr_window *wr_window_next_view(struct wr_space *space, pgoff_t index);
struct wr_window *wr_window_find(struct wr_space *space, pgoff_t index);
struct wr_window *wr_window_trylock(struct wr_space *space, pgoff_t index);

/*
 * The window that this processor has looked for last, whosesoever it is, or
 * NULL. Read under RCU; written under space->lock of the window's space.
 */
DECLARE_PER_CPU(struct wr_window *, wr_recent);

void wr_window_get(struct wr_window *window);
void wr_window_put(struct wr_window *window);

struct wr_window *wr_window_alloc(struct wr_space *space, struct file *file,
				  size_t view_size);
int wr_window_stamp(struct wr_window *window);
void wr_window_set_range(struct wr_window *window, pgoff_t first, pgoff_t end);
int wr_window_publish(struct wr_window *window);
bool wr_window_unpublish(struct wr_window *window);
void wr_window_note_room(struct wr_window *window);
struct wr_window *wr_window_roomy(struct wr_space *space, pgoff_t index);
void wr_window_share(struct wr_window *window, struct list_head *list);
struct wr_window *wr_window_next_shared(struct wr_space *space,
					struct list_head *list,
					struct wr_window *prev);
void wr_window_clear(struct wr_window *window, struct wr_region *region,
		     pgoff_t first, pgoff_t end, bool mapped);
struct wr_region *wr_region_new(struct wr_space *space);
void wr_region_discard(struct wr_space *space, struct wr_region *region);
void wr_window_free_regions(struct wr_window *window);
void wr_window_lose(struct wr_window *window, pgoff_t first, pgoff_t end);
bool wr_window_end(struct wr_window *window);
void wr_window_trim(struct wr_window *window);
bool wr_window_can_lose(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_window_opened(struct wr_window *window);
void wr_window_closed(struct wr_window *window, pgoff_t first, pgoff_t end,
		      enum wr_closing why);
void wr_window_refilled(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_window_settle(struct wr_window *window);
void wr_window_unmapped(struct wr_window *window, pgoff_t first, pgoff_t end);

static __always_inline bool wr_window_has(struct wr_window *window,
					  pgoff_t index)
{
	return READ_ONCE(window->first) <= index &&
	       READ_ONCE(window->end) > index;
}

/* Once it is unlocked others may end it, while mutex_unlock() is not yet over. */
static __always_inline void wr_window_unlock(struct wr_window *window)
{
	wr_peek_begin();
	mutex_unlock(&window->lock);
	wr_peek_end();
}

#endif /* _WR_WINDOW_H */
