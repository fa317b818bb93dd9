// SPDX-License-Identifier: GPL-2.0
/*
 * Regions of large pages: all of them are there when the region is, and stay as long
 * as it does.
 *
 * Each slot of such a region is one 2 MiB page, as in huge.c, which says how it is
 * mapped; here it is not a matter of luck whether there is one. That its pages are
 * locked, for good, is noted where all locked pages are (WR_LOCKED_LARGE), in one step
 * with the commit and before there is any of them: so they are charged as those are, and
 * nobody resets them or takes them out of memory, nor locks them. What would take some
 * away, a decommit, an offer or the release of a part, is refused.
 *
 * A fork copies them, page by page, for an ordinary region of the child's. If the child
 * had the same pages, those of the parent would become small ones as it writes.
 *
 * Where the program wants such a region among others, in a window that may not have
 * large pages mapped as such, or its pages are executable, they are mapped in parts.
 */
#include <linux/sched/signal.h>

#include "account.h"
#include "large.h"
#include "locked.h"
#include "page.h"
#include "regiontree.h"
#include "resident.h"

/**
 * struct wr_filling - a region that gets its pages
 * @window: its window; referenced
 * @first: its first page
 * @end: the page behind its last
 * @serial: which one it is
 * @node: where its pages are to be, or NUMA_NO_NODE
 */
struct wr_filling {
	struct wr_window *window;
	pgoff_t first;
	pgoff_t end;
	u64 serial;
	int node;
};

/* Whether the region is there still. The window is locked. */
static bool is_there(struct wr_filling *filling)
{
	struct wr_region *region =
		wr_region_find(filling->window, filling->first);

	return region && region->serial == filling->serial;
}

static int find_node(struct wr_filling *filling)
{
	struct wr_window *window = filling->window;
	int err = -ENOENT;

	mutex_lock(&window->lock);
	if (is_there(filling)) {
		filling->node = wr_region_node(window, filling->first);
		err = 0;
	}
	mutex_unlock(&window->lock);
	return err;
}

/* Whether the program has unmapped nothing of a slot of the region. */
static bool is_whole(struct wr_window *window, pgoff_t index)
{
	pgoff_t end = index + WR_SLOT_PAGES, next;

	return !wr_window_lost_at(window, index, end, &next) && next == end;
}

/* What other threads have touched meanwhile is nobody's yet. */
static int put(struct wr_filling *filling, pgoff_t index, struct page *page)
{
	struct wr_window *window = filling->window;
	int err = -ENOENT;

	mutex_lock(&window->lock);
	if (is_there(filling) && is_whole(window, index))
		err = wr_resident_put_huge(window, index, page);
	mutex_unlock(&window->lock);
	return err;
}

static int fill_slot(struct wr_filling *filling, pgoff_t index)
{
	struct wr_window *window = filling->window;
	struct page *page;
	int err;

	page = wr_page_alloc_huge(window->file->f_mapping,
				  wr_resident_stamp(window, index),
				  filling->node);
	if (!page)
		return -ENOBUFS;
	err = put(filling, index, page);
	if (!err)
		return 0;
	wr_folio_disown(page_folio(page));
	folio_put_refs(page_folio(page), WR_SLOT_PAGES);
	return err;
}

static int fill_all(struct wr_filling *filling)
{
	struct wr_account account;
	int err = 0;
	pgoff_t i;

	wr_account_begin(&account, filling->window->space->mm);
	for (i = filling->first; i < filling->end && !err; i += WR_SLOT_PAGES) {
		err = fatal_signal_pending(current) ? -EINTR :
						      fill_slot(filling, i);
		cond_resched();
	}
	wr_account_end(&account);
	return err;
}

/**
 * wr_large_fill - give a region of large pages, which is committed, its pages
 * @space: where
 * @first: its first page
 * @pages: how many it has
 * @serial: which one it is
 *
 * What it has of them when it fails goes with the region.
 *
 * Return: 0, or -ENOBUFS if there are not as many, -ENOENT if it has been released,
 * -ENOMEM or -EINTR.
 */
int wr_large_fill(struct wr_space *space, pgoff_t first, unsigned long pages,
		  u64 serial)
{
	struct wr_filling filling = {
		.window = wr_window_find(space, first),
		.first = first,
		.end = first + pages,
		.serial = serial,
	};
	int err;

	if (!filling.window)
		return -ENOENT;
	err = find_node(&filling);
	if (!err)
		err = fill_all(&filling);
	wr_window_put(filling.window);
	return err;
}
