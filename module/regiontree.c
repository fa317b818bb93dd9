// SPDX-License-Identifier: GPL-2.0
/*
 * The regions of a window, by address.
 *
 * A red-black tree, because adding and removing need no memory, augmented by
 * the free pages in front of each region, so that a free place is found in one
 * walk down. Regions start at units, so only pages from the start of a unit on
 * count.
 *
 * The caller holds the window's lock.
 */
#include <linux/nodemask.h>
#include <linux/rbtree_augmented.h>

#include "regiontree.h"

static unsigned long region_gap(struct wr_region *region)
{
	return region->gap;
}

RB_DECLARE_CALLBACKS_MAX(static, gap_callbacks, struct wr_region, node,
			 unsigned long, max_gap, region_gap)

static struct wr_region *to_region(struct rb_node *node)
{
	return rb_entry_safe(node, struct wr_region, node);
}

/* The region with the lowest address, or NULL. The window is locked. */
struct wr_region *wr_region_first(struct wr_window *window)
{
	return to_region(rb_first(&window->regions));
}

/* The region with the highest address, or NULL. The window is locked. */
struct wr_region *wr_region_last(struct wr_window *window)
{
	return to_region(rb_last(&window->regions));
}

/* The next region by address, or NULL. The window is locked. */
struct wr_region *wr_region_after(struct wr_region *region)
{
	return to_region(rb_next(&region->node));
}

/* The region with the page @index, or the next one behind it, or NULL. */
struct wr_region *wr_region_next(struct wr_window *window, pgoff_t index)
{
	struct rb_node *node = window->regions.rb_node;
	struct wr_region *next = NULL, *region;

	lockdep_assert_held(&window->lock);
	while (node) {
		region = to_region(node);
		if (region->end <= index) {
			node = node->rb_right;
			continue;
		}
		next = region;
		if (region->first <= index)
			break;
		node = node->rb_left;
	}
	return next;
}

/*
 * For wr_region_trylock(), if the region is not in @recent, which is locked or
 * NULL. Return: a window that has it, locked, or NULL.
 */
struct wr_window *wr_region_trylock_far(struct mm_struct *mm, pgoff_t index,
					struct wr_window *recent)
{
	struct wr_space *space = wr_space_peek(mm);
	struct wr_window *window;

	if (recent)
		mutex_unlock(&recent->lock);
	window = space ? wr_window_trylock(space, index) : NULL;
	if (window && !wr_region_find(window, index)) {
		mutex_unlock(&window->lock);
		window = NULL;
	}
	return window;
}

/* The first page of the units that are free behind @region (or none). */
static pgoff_t free_from(struct wr_window *window, struct wr_region *region)
{
	return round_up(region ? region->end : window->first, WR_UNIT_PAGES);
}

static unsigned long gap_before(struct wr_window *window,
				struct wr_region *region)
{
	struct wr_region *prev = to_region(rb_prev(&region->node));
	pgoff_t first = free_from(window, prev);

	if (first >= region->first)
		return 0;
	return region->first - first;
}

static void update_gap(struct wr_window *window, struct wr_region *region)
{
	if (!region)
		return;
	region->gap = gap_before(window, region);
	gap_callbacks_propagate(&region->node, NULL);
}

/* Adds a region; its pages are free. */
void wr_region_add(struct wr_window *window, struct wr_region *region)
{
	struct rb_node **link = &window->regions.rb_node, *parent = NULL;

	lockdep_assert_held(&window->lock);
	while (*link) {
		parent = *link;
		if (region->first < to_region(parent)->first)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	region->gap = 0;
	region->max_gap = 0;
	rb_link_node(&region->node, parent, link);
	rb_insert_augmented(&region->node, &window->regions, &gap_callbacks);
	update_gap(window, region);
	update_gap(window, wr_region_after(region));
}

/* Takes no memory, so it cannot fail. */
void wr_region_remove(struct wr_window *window, struct wr_region *region)
{
	struct wr_region *next = wr_region_after(region);

	lockdep_assert_held(&window->lock);
	rb_erase_augmented(&region->node, &window->regions, &gap_callbacks);
	update_gap(window, next);
}

/* The region behind the lowest gap of at least @pages, or NULL. */
static struct wr_region *lowest_gap(struct rb_node *node, unsigned long pages)
{
	struct wr_region *left;

	if (!node || to_region(node)->max_gap < pages)
		return NULL;
	for (;;) {
		left = to_region(node->rb_left);
		if (left && left->max_gap >= pages) {
			node = node->rb_left;
			continue;
		}
		if (to_region(node)->gap >= pages)
			return to_region(node);
		node = node->rb_right;
	}
}

/* The same among @region and all behind it. */
static struct wr_region *gap_from(struct wr_region *region, unsigned long pages)
{
	struct rb_node *node = &region->node, *parent;
	struct wr_region *right;

	for (;;) {
		if (to_region(node)->gap >= pages)
			return to_region(node);
		right = to_region(node->rb_right);
		if (right && right->max_gap >= pages)
			return lowest_gap(node->rb_right, pages);
		for (; (parent = rb_parent(node)); node = parent)
			if (node == parent->rb_left)
				break;
		if (!parent)
			return NULL;
		node = parent;
	}
}

/* The region behind the lowest place from @from on, or NULL: behind all of them */
static struct wr_region *behind_gap(struct wr_window *window, pgoff_t from,
				    unsigned long pages)
{
	struct wr_region *next = wr_region_next(window, from), *before;

	if (!next)
		return NULL;
	before = to_region(rb_prev(&next->node));
	from = max(round_up(from, WR_UNIT_PAGES), free_from(window, before));
	if (from < next->first && next->first - from >= pages)
		return next;
	next = wr_region_after(next);
	return next ? gap_from(next, pages) : NULL;
}

/**
 * wr_region_find_gap - find free pages in a window
 * @window: the window; starts and ends at units
 * @from: a page of it, from which on they shall be; 0 for all of it
 * @pages: how many
 * @first: set to the first page of the lowest place, the start of a unit
 *
 * Return: whether there is room.
 */
bool wr_region_find_gap(struct wr_window *window, pgoff_t from,
			unsigned long pages, pgoff_t *first)
{
	struct wr_region *region;

	lockdep_assert_held(&window->lock);
	pages = round_up(pages, WR_UNIT_PAGES);
	region = from ? behind_gap(window, from, pages) :
			lowest_gap(window->regions.rb_node, pages);
	if (region)
		region = to_region(rb_prev(&region->node));
	else
		region = to_region(rb_last(&window->regions));
	*first = max(free_from(window, region), round_up(from, WR_UNIT_PAGES));
	return *first + pages <= window->end;
}

/* The region with the highest address below @index, or NULL. */
struct wr_region *wr_region_before(struct wr_window *window, pgoff_t index)
{
	struct rb_node *node = window->regions.rb_node;
	struct wr_region *before = NULL;

	lockdep_assert_held(&window->lock);
	while (node) {
		if (to_region(node)->first >= index) {
			node = node->rb_left;
			continue;
		}
		before = to_region(node);
		node = node->rb_right;
	}
	return before;
}

/*
 * The free pages around @index: up to regions, or the window's ends. Takes its lock.
 * Return: whether @index is one of them.
 */
bool wr_region_free_around(struct wr_window *window, pgoff_t index,
			   pgoff_t *first, pgoff_t *end)
{
	struct wr_region *before, *next;

	mutex_lock(&window->lock);
	before = wr_region_before(window, index);
	next = wr_region_next(window, index);
	*first = before ? before->end : window->first;
	*end = next ? next->first : window->end;
	mutex_unlock(&window->lock);
	return *first <= index && index < *end;
}

/* The region behind the highest gap of at least @pages, which there is. */
static struct wr_region *highest_gap(struct rb_node *node, unsigned long pages)
{
	struct wr_region *right;

	for (;;) {
		right = to_region(node->rb_right);
		if (right && right->max_gap >= pages) {
			node = node->rb_right;
			continue;
		}
		if (to_region(node)->gap >= pages)
			return to_region(node);
		node = node->rb_left;
	}
}

/* The same among @region and all in front of it, or NULL if there is none. */
static struct wr_region *gap_up_to(struct wr_region *region,
				   unsigned long pages)
{
	struct rb_node *node = &region->node, *parent;
	struct wr_region *left;

	for (;;) {
		if (to_region(node)->gap >= pages)
			return to_region(node);
		left = to_region(node->rb_left);
		if (left && left->max_gap >= pages)
			return highest_gap(node->rb_left, pages);
		for (; (parent = rb_parent(node)); node = parent)
			if (node == parent->rb_right)
				break;
		if (!parent)
			return NULL;
		node = parent;
	}
}

/**
 * wr_region_room_end - where free pages end that a region may have
 * @window: the window
 * @index: a page of it, or the one behind its last
 * @pages: how many are needed
 *
 * Return: the highest such place, at most @index. If there is none, where the
 * free pages in front of all regions end: more may be free below the window.
 */
pgoff_t wr_region_room_end(struct wr_window *window, pgoff_t index,
			   unsigned long pages)
{
	struct wr_region *region = wr_region_before(window, index);

	if (!region || free_from(window, region) + pages <= index)
		return index;
	region = gap_up_to(region, pages);
	if (!region)
		region = wr_region_first(window);
	return region->first;
}

/* Of the region that was made last, whosesoever it is: a space may end meanwhile. */
static atomic64_t last_serial = ATOMIC64_INIT(0);

/* For a new region. */
u64 wr_region_serial(void)
{
	return atomic64_inc_return(&last_serial);
}

/* What a part, or a copy in a child, has of it: all but its pages. */
void wr_region_inherit(struct wr_region *heir, const struct wr_region *region)
{
	heir->serial = region->serial;
	heir->protection = region->protection;
	heir->kind = region->kind;
	heir->guarantee = region->guarantee;
	heir->stack = region->stack;
	heir->leaps = region->leaps;
	heir->watched = region->watched;
	heir->numa = region->numa;
}

/* As if another one were in its place. The window is locked. */
void wr_region_become(struct wr_region *region, enum wr_kind kind,
		      u32 protection)
{
	region->kind = kind;
	region->protection = protection;
	region->serial = wr_region_serial();
	region->watched = false;
	region->numa = NUMA_NO_NODE;
}

/* It is watched from now on: *@watch is for a window without. That is locked. */
void wr_region_watch(struct wr_window *window, struct wr_region *region,
		     struct wr_watch **watch)
{
	region->watched = true;
	if (!window->watch)
		swap(window->watch, *watch);
}

/* Where its pages are to be; NUMA_NO_NODE: anywhere. The window is locked. */
void wr_region_set_node(struct wr_window *window, struct wr_region *region,
			int node)
{
	region->numa = node;
	if (node != NUMA_NO_NODE)
		window->has_nodes = true;
}

/* Where the page at @index is to be, or NUMA_NO_NODE. The window is locked. */
int wr_region_node(struct wr_window *window, pgoff_t index)
{
	struct wr_region *region;

	if (likely(!window->has_nodes))
		return NUMA_NO_NODE;
	region = wr_region_find(window, index);
	/* The node may have gone since. */
	return region && region->numa != NUMA_NO_NODE &&
			       node_online(region->numa) ?
		       region->numa :
		       NUMA_NO_NODE;
}

/* Whether no more region can have any of the window's pages. */
bool wr_region_fill(struct wr_window *window)
{
	struct wr_region *first = wr_region_first(window);
	struct wr_region *last = to_region(rb_last(&window->regions));

	lockdep_assert_held(&window->lock);
	return first && first->first == window->first &&
	       last->end == window->end &&
	       !to_region(window->regions.rb_node)->max_gap;
}
