// SPDX-License-Identifier: GPL-2.0
/*
 * Placeholders: ranges that are kept for what will replace them.
 *
 * A placeholder is a region that nothing can be committed in. Parts of it become
 * placeholders of their own, at any page, by a release that leaves one (region.c), and
 * several that touch become one again. What replaces it has just its pages: it is the
 * same region, with another protection. So there is no moment when its pages are free,
 * nor is there one when what is to be committed in it is only reserved: that, and the
 * change of what it is, are one step under the window's lock (change.c).
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "change.h"
#include "layout.h"
#include "region.h"
#include "pieces.h"
#include "regiontree.h"
#include "trace.h"

/* ---- replace ---- */

static int replace_locked(struct wr_window *window, struct wr_reserve *request)
{
	struct wr_region *region = wr_region_find(window, request->first);

	if (!region ||
	    !wr_region_is_replaceable(region, request->first,
				      request->first + request->pages))
		return -EBADSLT;
	wr_region_become(region, WR_REGION_REPLACED, request->protection);
	if (request->watched)
		wr_region_watch(window, region, &request->watch);
	wr_region_set_node(window, region, request->node);
	request->serial = region->serial;
	trace_wr_reserve(window->space->mm, region->first, region->end,
			 region->protection, WINREGION_RESERVE_REPLACE);
	return 0;
}

static int replace_reserved(struct wr_space *space, struct wr_reserve *request)
{
	struct wr_window *window = wr_window_find(space, request->first);
	int err;

	if (!window)
		return -EBADSLT;
	mutex_lock(&window->lock);
	err = replace_locked(window, request);
	mutex_unlock(&window->lock);
	wr_window_put(window);
	return err;
}

static int replace_committed(struct wr_space *space, struct wr_reserve *request)
{
	struct wr_change change = {
		.first = request->first,
		.end = request->first + request->pages,
		.state = request->state,
		.replaces = true,
		.protection = request->protection,
		.watch = request->watch,
		.node = request->node,
		.hard = true,
	};
	int err = wr_change(space, WR_COMMIT, &change, 1);

	request->watch = change.watch;
	request->serial = change.serial;
	return err == -ENOENT ? -EBADSLT : err;
}

/**
 * wr_placeholder_replace - make a region of a placeholder
 * @space: where
 * @request: what; @request->serial is set to what it is
 *
 * Context: takes layout_lock and mmap_lock.
 * Return: 0, -EBADSLT if the pages are not those of one placeholder, or an error of
 * wr_change().
 */
int wr_placeholder_replace(struct wr_space *space, struct wr_reserve *request)
{
	return request->commit ? replace_committed(space, request) :
				 replace_reserved(space, request);
}

/* ---- coalesce ---- */

/*
 * How many placeholders, at least two, have just the pages, without a hole; or
 * -EBADSLT, or -EINTR. The window is locked.
 */
static long count_in(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_region *region = wr_region_find(window, first);
	pgoff_t next = first;
	long n = 0;

	for (; region && next < end; region = wr_region_after(region), n++) {
		if (!wr_region_is_placeholder(region) || region->first != next)
			return -EBADSLT;
		next = region->end;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return next == end && n > 1 ? n : -EBADSLT;
}

/* Cannot fail. */
static void merge(struct wr_window *window, pgoff_t first, pgoff_t end, long n)
{
	struct wr_region *region = wr_region_find(window, first), *other;

	while (--n) {
		other = wr_region_after(region);
		wr_region_remove(window, other);
		kfree(other);
		wr_space_add_regions(window->space, -1);
		cond_resched();
	}
	wr_region_remove(window, region);
	region->end = end;
	wr_region_add(window, region);
	wr_region_become(region, WR_REGION_PLACEHOLDER, WINREGION_NOACCESS);
}

static int coalesce_in(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	long n;

	mutex_lock(&window->lock);
	n = count_in(window, first, end);
	if (n > 0)
		merge(window, first, end, n);
	mutex_unlock(&window->lock);
	if (n < 0)
		return n;
	wr_window_rejoin(window, first, end);
	return 0;
}

/* ---- coalesce across windows ---- */

/**
 * struct wr_coalesce - placeholders that become one, in several windows
 * @space: where
 * @first: the first page
 * @end: the page behind the last
 * @next: up to there they have been found
 * @n: how many
 */
struct wr_coalesce {
	struct wr_space *space;
	pgoff_t first;
	pgoff_t end;
	pgoff_t next;
	long n;
};

/* Takes those of a window, from where the one before has ended. It is locked. */
static int take_in(struct wr_window *window, struct wr_coalesce *coalesce)
{
	struct wr_region *region = wr_region_find(window, coalesce->next);
	pgoff_t stop = min(coalesce->end, window->end);

	while (coalesce->next < stop) {
		if (!region || !wr_region_is_placeholder(region) ||
		    region->first != coalesce->next || region->end > stop)
			return -EBADSLT;
		region->taken = true;
		coalesce->next = region->end;
		coalesce->n++;
		region = wr_region_after(region);
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

static int take_all(struct wr_coalesce *coalesce)
{
	struct wr_window *window;
	int err = 0;

	while (!err && coalesce->next < coalesce->end) {
		window = wr_window_next(coalesce->space, coalesce->next);
		if (!window)
			return -EBADSLT;
		mutex_lock(&window->lock);
		err = window->first <= coalesce->next ?
			      take_in(window, coalesce) :
			      -EBADSLT;
		mutex_unlock(&window->lock);
		wr_window_put(window);
	}
	if (!err && coalesce->n < 2)
		err = -EBADSLT;
	return err;
}

static void leave_all(struct wr_coalesce *coalesce)
{
	struct wr_window *window;
	struct wr_region *region;
	pgoff_t i = coalesce->first;

	while (i < coalesce->end &&
	       (window = wr_window_next(coalesce->space, i))) {
		mutex_lock(&window->lock);
		region = wr_region_next(window, i);
		for (; region && region->first < coalesce->end;
		     region = wr_region_after(region)) {
			region->taken = false;
			cond_resched();
		}
		i = max(i + 1, window->end);
		mutex_unlock(&window->lock);
		wr_window_put(window);
	}
}

/* One window for all of them is mapped over those that they are in. */
static int coalesce_taken(struct wr_coalesce *coalesce)
{
	struct wr_space *space = coalesce->space;
	struct wr_region *region = wr_region_new(space);
	int err;

	if (IS_ERR(region))
		return PTR_ERR(region);
	region->first = coalesce->first;
	region->end = coalesce->end;
	wr_region_become(region, WR_REGION_PLACEHOLDER, WINREGION_NOACCESS);
	err = wr_layout_keep(space, region, NULL, false);
	if (space->layout.region)
		wr_region_discard(space, region);
	space->layout.region = NULL;
	/* The program has unmapped some of it. */
	return err == -ENOENT || err == -EEXIST ? -EBADSLT : err;
}

static int coalesce_across(struct wr_space *space, pgoff_t first, pgoff_t end)
{
	struct wr_coalesce coalesce = {
		.space = space,
		.first = first,
		.end = end,
		.next = first,
	};
	int err = take_all(&coalesce);

	if (!err)
		err = coalesce_taken(&coalesce);
	if (err)
		leave_all(&coalesce);
	return err;
}

/**
 * wr_placeholder_coalesce - make one placeholder of several that touch
 * @space: where
 * @first: the first page of the first one
 * @pages: how many they have
 *
 * Context: takes layout_lock and mmap_lock.
 * Return: 0, -EINTR, -EBADSLT if the pages are not those of at least two, or, where they
 * are in several windows, -EMFILE, -ENOSPC, -EAGAIN, -EACCES, -ENOMEM, -ENFILE.
 */
int wr_placeholder_coalesce(struct wr_space *space, pgoff_t first,
			    unsigned long pages)
{
	struct wr_window *window;
	int err = -EBADSLT;

	if (mutex_lock_killable(&space->layout_lock))
		return -EINTR;
	window = wr_window_find(space, first);
	if (window && !window->view && first + pages > window->end)
		err = coalesce_across(space, first, first + pages);
	else if (window)
		err = coalesce_in(window, first, first + pages);
	if (window)
		wr_window_put(window);
	if (!err)
		trace_wr_coalesce(space->mm, first, first + pages);
	mutex_unlock(&space->layout_lock);
	return err;
}
