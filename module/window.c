// SPDX-License-Identifier: GPL-2.0
/*
 * A window: a range of addresses that maps our file; its life, and how it is
 * found.
 *
 * The core owns the VMAs, and the program may do to them what it may do to any:
 * unmap whole ones, and fork. See layout.c for what we do to them.
 *
 * A program can unmap an executable piece alone. Its pages become lost: the
 * region keeps its identity, but nobody may map there again, since by now the
 * addresses can belong to somebody else. Free pages that were given back are lost
 * too. Those that are in no region are a hole, and the window's again once there is
 * a region to be put there, if nobody else has them by then; at the window's ends
 * they just leave it.
 */
#include <linux/file.h>
#include <linux/idr.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "frames.h"
#include "huge.h"
#include "locked.h"
#include "regiontree.h"
#include "resident.h"
#include "stash.h"
#include "trace.h"
#include "trim.h"
#include "watch.h"
#include "window.h"

/*
 * Stamps of forked windows: a window's stays its own until it is freed. No address
 * of a process has so many bits that a page index reaches them.
 */
#define STAMP_SHIFT 36
#define STAMP_MAX ((1U << (BITS_PER_LONG - STAMP_SHIFT)) - 1)

static DEFINE_IDA(stamps);

/* Of a tree of windows, the one with the page @index or the next one behind. */
static struct wr_window *next_in(struct rb_root *root, pgoff_t index)
{
	struct wr_window *next = NULL, *window;
	struct rb_node *node = root->rb_node;

	while (node) {
		window = rb_entry(node, struct wr_window, node);
		if (window->end <= index) {
			node = node->rb_right;
			continue;
		}
		next = window;
		if (window->first <= index)
			break;
		node = node->rb_left;
	}
	return next;
}

static struct wr_window *get_next_in(struct wr_space *space,
				     struct rb_root *root, pgoff_t index)
{
	struct wr_window *next;

	spin_lock(&space->lock);
	next = next_in(root, index);
	if (next)
		refcount_inc(&next->refs);
	spin_unlock(&space->lock);
	return next;
}

/*
 * The window with the page @index or the next one behind, with a reference. Not a
 * view, which is like a mapping of somebody else's to all other windows.
 */
struct wr_window *wr_window_next(struct wr_space *space, pgoff_t index)
{
	return get_next_in(space, &space->windows, index);
}

/* The same among views only. */
struct wr_window *wr_window_next_view(struct wr_space *space, pgoff_t index)
{
	return get_next_in(space, &space->views, index);
}

/* A view may be in a hole of another window, and is the one meant then. */
static struct wr_window *window_at(struct wr_space *space, pgoff_t index)
{
	struct wr_window *window = next_in(&space->views, index);

	lockdep_assert_held(&space->lock);
	if (!window || window->first > index)
		window = next_in(&space->windows, index);
	return window && window->first <= index ? window : NULL;
}

/* The window, or view, with the page @index, with a reference, or NULL. */
struct wr_window *wr_window_find(struct wr_space *space, pgoff_t index)
{
	struct wr_window *window;

	spin_lock(&space->lock);
	window = window_at(space, index);
	if (window)
		refcount_inc(&window->refs);
	spin_unlock(&space->lock);
	return window;
}

DEFINE_PER_CPU(struct wr_window *, wr_recent);

/*
 * The window with the page @index, locked; NULL also if others have it locked.
 * Without a reference, so in the caller's RCU read-side section.
 */
struct wr_window *wr_window_trylock(struct wr_space *space, pgoff_t index)
{
	struct wr_window *window;

	spin_lock(&space->lock);
	window = window_at(space, index);
	if (window && !mutex_trylock(&window->lock))
		window = NULL;
	if (window) {
		window->peeked = true;
		this_cpu_write(wr_recent, window);
	}
	spin_unlock(&space->lock);
	return window;
}

/* The caller has a reference already, or holds space->lock. */
void wr_window_get(struct wr_window *window)
{
	refcount_inc(&window->refs);
}

/* The last reference frees the window, and gives back that to its space. */
void wr_window_put(struct wr_window *window)
{
	if (!refcount_dec_and_test(&window->refs))
		return;
	WARN_ON_ONCE(wr_stash_any(window));
	wr_trim_forget(window);
	wr_runs_destroy(&window->runs);
	wr_watch_free(window->watch);
	wr_locked_free(window);
	if (window->stamp)
		ida_free(&stamps, window->stamp >> STAMP_SHIFT);
	fput(window->file);
	wr_space_put(window->space);
	/* Who has no reference has found it by wr_window_trylock(), while it was in. */
	if (window->peeked)
		kfree_rcu(window, rcu);
	else
		kfree(window);
}

/**
 * wr_window_alloc - a window of no range yet
 * @space: whose
 * @file: what it maps
 * @view_size: bytes of what it has besides, if it is a view, or 0
 *
 * Return: the window with a reference, or NULL if there is no memory.
 */
struct wr_window *wr_window_alloc(struct wr_space *space, struct file *file,
				  size_t view_size)
{
	struct wr_window *window;

	window = kzalloc(sizeof(*window) + view_size, GFP_KERNEL_ACCOUNT);
	if (!window)
		return NULL;
	if (view_size)
		window->view = (struct wr_view *)(window + 1);
	refcount_set(&window->refs, 1);
	mutex_init(&window->lock);
	INIT_LIST_HEAD(&window->shared);
	INIT_LIST_HEAD(&window->batch);
	RB_CLEAR_NODE(&window->node);
	RB_CLEAR_NODE(&window->roomy);
	window->regions = RB_ROOT;
	window->stashes = RB_ROOT;
	window->file = get_file(file);
	window->space = space;
	wr_space_get(space);
	wr_runs_init(&window->runs, 0, 1, &space->spare);
	return window;
}

/* Tells the window's pages from its relatives'. Return: 0 or an error. */
int wr_window_stamp(struct wr_window *window)
{
	int id = ida_alloc_range(&stamps, 1, STAMP_MAX, GFP_KERNEL_ACCOUNT);

	if (id < 0)
		return id;
	window->stamp = (pgoff_t)id << STAMP_SHIFT;
	return 0;
}

/* Where it is to be mapped; nobody else knows it yet. */
void wr_window_set_range(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	if (window->view)
		window->shift += first - window->first;
	window->first = first;
	window->end = end;
	wr_runs_init(&window->runs, first, end, &window->space->spare);
}

static struct rb_root *tree_of(struct wr_window *window)
{
	return window->view ? &window->space->views : &window->space->windows;
}

/*
 * Adds the window to space->windows, which takes over the creator's reference; a
 * view to space->views. Its lock is held. Return: 0, or -ENOENT if the program has
 * unmapped it already.
 */
int wr_window_publish(struct wr_window *window)
{
	struct rb_root *root = tree_of(window);
	struct rb_node **link = &root->rb_node, *parent = NULL;
	struct wr_window *other;

	lockdep_assert_held(&window->lock);
	if (window->dead)
		return -ENOENT;
	spin_lock(&window->space->lock);
	other = next_in(root, window->first);
	WARN_ON_ONCE(other && other->first < window->end);
	while (*link) {
		parent = *link;
		if (window->first <
		    rb_entry(parent, struct wr_window, node)->first)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&window->node, parent, link);
	rb_insert_color(&window->node, root);
	window->space->nr_windows++;
	spin_unlock(&window->space->lock);
	return 0;
}

/* ---- windows with room ---- */

static struct wr_window *to_roomy(struct rb_node *node)
{
	return rb_entry(node, struct wr_window, roomy);
}

static void add_roomy(struct wr_window *window)
{
	struct rb_root *root = &window->space->roomy;
	struct rb_node **link = &root->rb_node, *parent = NULL;

	lockdep_assert_held(&window->space->lock);
	while (*link) {
		parent = *link;
		if (window->first < to_roomy(parent)->first)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&window->roomy, parent, link);
	rb_insert_color(&window->roomy, root);
}

static void forget_room(struct wr_window *window)
{
	lockdep_assert_held(&window->space->lock);
	if (RB_EMPTY_NODE(&window->roomy))
		return;
	rb_erase(&window->roomy, &window->space->roomy);
	RB_CLEAR_NODE(&window->roomy);
}

/*
 * Has wr_window_roomy() find the window, unless regions fill it. Whoever makes
 * room in it calls this; its lock is held.
 */
void wr_window_note_room(struct wr_window *window)
{
	lockdep_assert_held(&window->lock);
	if (!RB_EMPTY_NODE(&window->roomy) || wr_region_fill(window))
		return;
	spin_lock(&window->space->lock);
	if (!RB_EMPTY_NODE(&window->node))
		add_roomy(window);
	spin_unlock(&window->space->lock);
}

/* The highest that starts below @index, with a reference, or NULL. */
static struct wr_window *roomy_below(struct wr_space *space, pgoff_t index)
{
	struct wr_window *found = NULL;
	struct rb_node *node;

	spin_lock(&space->lock);
	node = space->roomy.rb_node;
	while (node) {
		if (to_roomy(node)->first >= index) {
			node = node->rb_left;
			continue;
		}
		found = to_roomy(node);
		node = node->rb_right;
	}
	if (found)
		refcount_inc(&found->refs);
	spin_unlock(&space->lock);
	return found;
}

/* Return: whether it has room; if not it is not found again. */
static bool has_room(struct wr_window *window)
{
	bool room;

	mutex_lock(&window->lock);
	room = !window->dead && !wr_region_fill(window);
	if (!room) {
		spin_lock(&window->space->lock);
		forget_room(window);
		spin_unlock(&window->space->lock);
	}
	mutex_unlock(&window->lock);
	return room;
}

/* The highest window with room that starts below @index, with a reference. */
struct wr_window *wr_window_roomy(struct wr_space *space, pgoff_t index)
{
	struct wr_window *window;

	while ((window = roomy_below(space, index)) && !has_room(window))
		wr_window_put(window);
	return window;
}

/* A hint of another window, if one is written meanwhile, may be lost. */
static void forget_recent(struct wr_window *window)
{
	struct wr_window **recent;
	unsigned int cpu;

	lockdep_assert_held(&window->space->lock);
	for_each_possible_cpu(cpu) {
		recent = per_cpu_ptr(&wr_recent, cpu);
		if (READ_ONCE(*recent) == window)
			WRITE_ONCE(*recent, NULL);
	}
}

/* Takes it out of space->windows, or views. Return: whether it was in. */
bool wr_window_unpublish(struct wr_window *window)
{
	struct wr_space *space = window->space;

	lockdep_assert_held(&window->lock);
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&window->regions));
	window->dead = true;
	if (RB_EMPTY_NODE(&window->node))
		return false;
	spin_lock(&space->lock);
	rb_erase(&window->node, tree_of(window));
	RB_CLEAR_NODE(&window->node);
	space->nr_windows--;
	forget_room(window);
	if (window->peeked)
		forget_recent(window);
	if (!list_empty(&window->shared)) {
		list_del_init(&window->shared);
		space->shared_pages -= window->end - window->first;
	}
	spin_unlock(&space->lock);
	return true;
}

/* Lets small regions in; @list: of space->shared. Puts it in front. */
void wr_window_share(struct wr_window *window, struct list_head *list)
{
	struct wr_space *space = window->space;

	spin_lock(&space->lock);
	if (list_empty(&window->shared) && !RB_EMPTY_NODE(&window->node))
		space->shared_pages += window->end - window->first;
	if (!RB_EMPTY_NODE(&window->node))
		list_move(&window->shared, list);
	spin_unlock(&space->lock);
}

/*
 * Walks a list of shared windows: the one behind @prev (whose reference is
 * put), or the first, with a reference. If @prev has left the list the walk is
 * over.
 */
struct wr_window *wr_window_next_shared(struct wr_space *space,
					struct list_head *list,
					struct wr_window *prev)
{
	struct list_head *next = prev ? &prev->shared : list;
	struct wr_window *window = NULL;

	spin_lock(&space->lock);
	if (!list_empty(next) && next->next != list) {
		window = list_entry(next->next, struct wr_window, shared);
		refcount_inc(&window->refs);
	}
	spin_unlock(&space->lock);
	if (prev)
		wr_window_put(prev);
	return window;
}

/* ---- pages that are no longer committed ---- */

/**
 * wr_window_clear - make pages of a region not committed
 * @window: the window; its lock is held
 * @region: the region
 * @first: the first page, where the runs have been split
 * @end: the page behind the last, where they have been split too
 * @mapped: there may be PTEs
 *
 * Contents and charge are given back. Never fails.
 */
void wr_window_clear(struct wr_window *window, struct wr_region *region,
		     pgoff_t first, pgoff_t end, bool mapped)
{
	unsigned long committed = 0;
	pgoff_t i, next;
	u8 state;

	lockdep_assert_held(&window->lock);
	if (unlikely(wr_region_is_physical(region)))
		wr_frames_clear(window, first, end, mapped);
	wr_huge_break(window, first, end);
	for (i = first; i < end; i = next) {
		state = wr_runs_span(&window->runs, i, end, &next);
		wr_window_note_exec_lost(window, state);
		cond_resched();
		if (!wr_state_is_committed(state))
			continue;
		committed += next - i;
		wr_runs_fill(&window->runs, i, next, WR_STATE_NONE);
	}
	wr_stash_drop(window, first, end);
	wr_locked_clear(window, first, end);
	wr_resident_drop(window, first, end, mapped);
	if (window->watch)
		wr_watch_forget(window, first, end);
	wr_huge_thin(window, first, end);
	wr_runs_compact(&window->runs, first, end, region->first, region->end);
	region->committed -= committed;
	wr_pagefile_uncharge(&window->space->pagefile, committed);
}

static void clear_regions(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_region *region = wr_region_next(window, first);

	for (; region && region->first < end;
	     region = wr_region_after(region)) {
		wr_window_clear(window, region, max(first, region->first),
				min(end, region->end), false);
		cond_resched();
	}
}

/**
 * wr_region_new - a region that is in no window yet
 * @space: where it is counted
 *
 * Return: the region, all 0, or an error pointer: -ENOMEM, or -EMFILE if there are too
 * many.
 */
struct wr_region *wr_region_new(struct wr_space *space)
{
	struct wr_region *region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	int err;

	if (!region)
		return ERR_PTR(-ENOMEM);
	err = wr_space_add_regions(space, 1);
	if (!err)
		return region;
	kfree(region);
	return ERR_PTR(err);
}

/* What has never come to be in a window. */
void wr_region_discard(struct wr_space *space, struct wr_region *region)
{
	wr_space_add_regions(space, -1);
	kfree(region);
}

/* Its pages have been cleared, or are not needed. The window is locked. */
void wr_window_free_regions(struct wr_window *window)
{
	struct wr_region *region;
	long n = 0;

	while ((region = wr_region_first(window))) {
		wr_region_remove(window, region);
		if (!window->view) /* which has it in itself */
			kfree(region);
		n++;
		cond_resched();
	}
	wr_space_add_regions(window->space, -n);
}

/* Pages that have no VMA any more. */
static void mark_lost(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	lockdep_assert_held(&window->lock);
	wr_runs_split_surely(&window->runs, first, end);
	wr_runs_fill(&window->runs, first, end, WR_STATE_LOST);
	window->lost = true;
}

/* The pages have no VMA any more; what they held is gone. */
void wr_window_lose(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	wr_runs_split_surely(&window->runs, first, end);
	clear_regions(window, first, end);
	/* Compacting may have joined what the edges need. */
	mark_lost(window, first, end);
}

/* The whole window is gone. Return: whether its reference is to be put. */
bool wr_window_end(struct wr_window *window)
{
	clear_regions(window, window->first, window->end);
	wr_window_free_regions(window);
	return wr_window_unpublish(window);
}

/* ---- the ends of a window ---- */

/* Free pages at one end, or at both, are no longer its own. */
static void set_ends(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_space *space = window->space;
	struct wr_region *region;

	spin_lock(&space->lock);
	if (!list_empty(&window->shared))
		space->shared_pages -=
			window->end - window->first - (end - first);
	WRITE_ONCE(window->first, first);
	WRITE_ONCE(window->end, end);
	spin_unlock(&space->lock);
	region = wr_region_first(window);
	if (region) { /* the gap in front of it has changed */
		wr_region_remove(window, region);
		wr_region_add(window, region);
	}
}

static bool is_lost(struct wr_window *window, pgoff_t index)
{
	return wr_state_is_lost(wr_runs_state(&window->runs, index));
}

/*
 * From @first on, where the pages up to @end are no longer lost. How far that goes which
 * is not lost does not matter, and may be far.
 */
static pgoff_t behind_lost(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	for (; first < end && is_lost(window, first);
	     first = wr_runs_far_end(&window->runs, first, end))
		cond_resched();
	return first;
}

/* From @first on, where the lost pages begin that @end ends with. */
static pgoff_t before_lost(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	return wr_runs_same_before(&window->runs, first, end, WR_STATE_LOST);
}

/*
 * What is lost, at an end, and in no region need not be the window's. VMAs go one after
 * the other, so only that is looked at: once, as it is given up.
 */
static void give_up_ends(struct wr_window *window)
{
	struct wr_region *region = wr_region_first(window);
	pgoff_t first, end;

	if (!window->lost)
		return;
	first = behind_lost(window, window->first,
			    region ? region->first : window->end);
	region = wr_region_last(window);
	end = before_lost(window, region ? region->end : first, window->end);
	if (first < end && (first > window->first || end < window->end))
		set_ends(window, first, end);
}

/* The same for who looks whether it is in the way; mmap_lock is held for writing. */
void wr_window_trim(struct wr_window *window)
{
	mutex_lock(&window->lock);
	if (!window->dead)
		give_up_ends(window);
	mutex_unlock(&window->lock);
}

/* Whether all pages are lost. */
static bool all_lost(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	return behind_lost(window, first, end) >= end;
}

/* Whether it has a region that is not in the range, or not only. */
static bool has_region_beside(struct wr_window *window, pgoff_t first,
			      pgoff_t end)
{
	struct wr_region *region = wr_region_first(window);

	return region &&
	       (region->first < first || wr_region_last(window)->end > end);
}

/**
 * wr_window_can_lose - whether pages may leave a window
 * @window: the window; its lock is held, and mmap_lock or layout_lock
 * @first: the first page
 * @end: the page behind the last
 *
 * A window ends with its last VMA, and its regions with it. Where the program has
 * unmapped all that regions have, it is free pages, or placeholders, that keep those.
 *
 * Return: whether it has other VMAs, or no region elsewhere.
 */
bool wr_window_can_lose(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	lockdep_assert_held(&window->lock);
	return !window->lost || !has_region_beside(window, first, end) ||
	       !all_lost(window, window->first, min(first, window->end)) ||
	       !all_lost(window, max(end, window->first), window->end);
}

/* Placeholders go with their pages, all at once. */
static void drop_taken(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_region *region = wr_region_next(window, first), *next;

	for (; region && region->first < end; region = next) {
		next = wr_region_after(region);
		cond_resched();
		if (!region->taken)
			continue;
		wr_region_remove(window, region);
		kfree(region);
		wr_space_add_regions(window->space, -1);
	}
}

/* Free pages, whose VMA has gone, leave the window. */
static void leave(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	first = max(first, window->first);
	end = min(end, window->end);
	if (first >= end)
		return; /* what it had given up already */
	if (first <= window->first)
		set_ends(window, end, window->end);
	else if (end >= window->end)
		set_ends(window, window->first, first);
	else
		mark_lost(window, first, end);
	give_up_ends(window);
}

/* Return: whether the window's reference is to be put. */
static bool vma_is_gone(struct wr_window *window, pgoff_t first, pgoff_t end,
			enum wr_closing why)
{
	if (window->dead || why == WR_CLOSE_REPLACED)
		return false;
	if (!window->nr_vmas)
		return wr_window_end(window);
	if (why == WR_CLOSE_LEFT) {
		drop_taken(window, first, end);
		leave(window, first, end);
		/* What comes in their place may leave it to others. */
		wr_window_note_room(window);
	} else {
		wr_window_lose(window, first, end);
		give_up_ends(window);
	}
	return false;
}

/* A VMA has come, which gets a reference. */
void wr_window_opened(struct wr_window *window)
{
	wr_window_get(window);
	mutex_lock(&window->lock);
	window->nr_vmas++;
	mutex_unlock(&window->lock);
}

/**
 * wr_window_closed - a VMA is gone
 * @window: its window; the VMA's reference is put
 * @first: its first page
 * @end: the page behind its last
 * @why: what becomes of its pages
 *
 * The window ends with its last VMA. If the program has unmapped one of several
 * the regions remain, with nothing that could be committed there again.
 *
 * Context: mostly under mmap_lock, for reading or writing; takes no layout_lock.
 */
void wr_window_closed(struct wr_window *window, pgoff_t first, pgoff_t end,
		      enum wr_closing why)
{
	bool put;

	mutex_lock(&window->lock);
	window->nr_vmas--;
	put = vma_is_gone(window, first, end, why);
	mutex_unlock(&window->lock);
	if (why == WR_CLOSE_UNMAPPED) {
		trace_wr_lost(window->space->mm, first, end);
		wr_pagefile_trim(&window->space->pagefile, false);
	}
	if (put)
		wr_window_put(window);
	wr_window_put(window);
}

/* Lost pages, in no region, have a VMA again; mmap_lock is held. */
void wr_window_refilled(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	mutex_lock(&window->lock);
	wr_runs_split_surely(&window->runs, first, end);
	wr_runs_fill(&window->runs, first, end, WR_STATE_NONE);
	mutex_unlock(&window->lock);
}

/* Ends a window whose last VMA could not be replaced. */
void wr_window_settle(struct wr_window *window)
{
	bool put = false;

	mutex_lock(&window->lock);
	if (!window->dead && !window->nr_vmas)
		put = wr_window_end(window);
	mutex_unlock(&window->lock);
	if (put)
		wr_window_put(window);
}

/**
 * wr_window_unmapped - pages have no VMA, because it could not be replaced
 * @window: the window
 * @first: the first page
 * @end: the page behind the last
 */
void wr_window_unmapped(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	mutex_lock(&window->lock);
	if (!window->dead)
		wr_window_lose(window, first, end);
	mutex_unlock(&window->lock);
	wr_window_settle(window);
	wr_pagefile_trim(&window->space->pagefile, false);
}
