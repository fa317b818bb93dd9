/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_REGIONTREE_H
#define _WR_REGIONTREE_H

#include <linux/rbtree.h>

#include "window.h"

/*
 * What a region is besides. In those from WR_REGION_PLACEHOLDER on nothing is
 * committed, and in those from WR_REGION_LARGE on not all can be done.
 */
enum wr_kind {
	WR_REGION_ORDINARY,
	WR_REGION_REPLACED, /* one that has replaced a placeholder */
	WR_REGION_PLACEHOLDER, /* a range that is kept for what will replace it */
	WR_REGION_LARGE, /* one of large pages: see large.c */
	WR_REGION_PHYSICAL, /* one for frames: see physical.c */
};

/**
 * struct wr_region - an allocation: what one reserve made
 * @node: in window->regions
 * @first: the first page
 * @end: the page behind the last
 * @gap: pages that are free between it and the region before, from the start
 *	of a unit on
 * @max_gap: the largest @gap in the subtree
 * @committed: committed pages
 * @serial: which one it is, as another may come to its place; what a release of
 *	a part leaves goes by the same
 * @protection: allocation protection, WINREGION_*
 * @kind: what it is besides
 * @guarantee: of a stack: pages that are left when it is full
 * @stack: it is one: see stack.c
 * @leaps: of a stack: any touch makes it grow
 * @watched: it has a write watch, and its window a @watch
 * @numa: where its pages are to be, or NUMA_NO_NODE; if one of a window has one, so
 *	its @has_nodes says
 * @taken: a placeholder that a change of VMAs is about to do away with, under
 *	layout_lock
 *
 * All fields: the window's lock. Made by reserve, ended by release; commit and
 * protect never split it.
 */
struct wr_region {
	struct rb_node node;
	pgoff_t first;
	pgoff_t end;
	unsigned long gap;
	unsigned long max_gap;
	unsigned long committed;
	u64 serial;
	u32 protection;
	enum wr_kind kind;
	u32 guarantee;
	bool stack;
	bool leaps;
	bool watched;
	bool taken;
	int numa;
};

struct wr_region *wr_region_next(struct wr_window *window, pgoff_t index);
struct wr_region *wr_region_before(struct wr_window *window, pgoff_t index);
bool wr_region_free_around(struct wr_window *window, pgoff_t index,
			   pgoff_t *first, pgoff_t *end);
struct wr_region *wr_region_first(struct wr_window *window);
struct wr_region *wr_region_last(struct wr_window *window);
struct wr_region *wr_region_after(struct wr_region *region);
void wr_region_add(struct wr_window *window, struct wr_region *region);
void wr_region_remove(struct wr_window *window, struct wr_region *region);
bool wr_region_find_gap(struct wr_window *window, pgoff_t from,
			unsigned long pages, pgoff_t *first);
pgoff_t wr_region_room_end(struct wr_window *window, pgoff_t index,
			   unsigned long pages);
bool wr_region_fill(struct wr_window *window);
u64 wr_region_serial(void);
void wr_region_inherit(struct wr_region *heir, const struct wr_region *region);
void wr_region_become(struct wr_region *region, enum wr_kind kind,
		      u32 protection);
void wr_region_watch(struct wr_window *window, struct wr_region *region,
		     struct wr_watch **watch);
void wr_region_set_node(struct wr_window *window, struct wr_region *region,
			int node);
int wr_region_node(struct wr_window *window, pgoff_t index);

static inline bool wr_region_is_placeholder(const struct wr_region *region)
{
	return region->kind == WR_REGION_PLACEHOLDER;
}

static inline bool wr_region_is_large(const struct wr_region *region)
{
	return region->kind == WR_REGION_LARGE;
}

static inline bool wr_region_is_physical(const struct wr_region *region)
{
	return region->kind == WR_REGION_PHYSICAL;
}

/* Whether the pages are those of one placeholder, all of it. */
static inline bool wr_region_is_replaceable(const struct wr_region *region,
					    pgoff_t first, pgoff_t end)
{
	return wr_region_is_placeholder(region) && !region->taken &&
	       region->first == first && region->end == end;
}

/* The region with the page @index, or NULL; mostly the one in the middle. */
static __always_inline struct wr_region *
wr_region_find(struct wr_window *window, pgoff_t index)
{
	struct rb_node *node = window->regions.rb_node;
	struct wr_region *region = rb_entry(node, struct wr_region, node);

	lockdep_assert_held(&window->lock);
	if (node && region->first <= index && region->end > index)
		return region;
	region = wr_region_next(window, index);
	return region && region->first <= index ? region : NULL;
}

struct wr_window *wr_region_trylock_far(struct mm_struct *mm, pgoff_t index,
					struct wr_window *recent);

/*
 * The region of an mm with the page @index, *@locked its window, locked; NULL also
 * if others have it locked. Without a reference: both stay until
 * wr_window_unlock(). No need to ask for @dead, as then there are no regions.
 */
static __always_inline struct wr_region *
wr_region_trylock(struct mm_struct *mm, pgoff_t index,
		  struct wr_window **locked)
{
	struct wr_region *region = NULL;
	struct wr_window *window;

	wr_peek_begin();
	window = this_cpu_read(wr_recent);
	if (window &&
	    (window->space->mm != mm || !wr_window_has(window, index) ||
	     !mutex_trylock(&window->lock)))
		window = NULL;
	if (window)
		region = wr_region_find(window, index);
	if (!region) {
		window = wr_region_trylock_far(mm, index, window);
		if (window)
			region = wr_region_next(window, index);
	}
	wr_peek_end();
	*locked = window;
	return region;
}

#endif /* _WR_REGIONTREE_H */
