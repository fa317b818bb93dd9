// SPDX-License-Identifier: GPL-2.0
/*
 * Views: windows that map a part of a section. How they are mapped, also in place of a
 * placeholder, unmapped, and flushed.
 *
 *	view_mmap.c	their VMAs come and go: what the core asks our file
 *	view_fork.c	what a child has of them
 *	view_vma.c	changes of a VMA that is there
 *	view_fault.c	faults, which ask the states, and then the file underneath
 *	copies.c	pages that a view has for itself
 *	view_state.c	what a view is, and the states of its pages
 *	section.c	what they are views of
 */
#include <linux/magic.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "copies.h"
#include "errand.h"
#include "layout.h"
#include "locked.h"
#include "pieces.h"
#include "place.h"
#include "regiontree.h"
#include "trace.h"
#include "view.h"
#include "view_mmap.h"
#include "view_vma.h"

/* ---- map ---- */

/* The length of the view, checked against the section's. */
static int find_length(struct wr_section *section,
		       struct wr_view_request *request)
{
	u64 size = wr_section_size(section);

	if (request->offset >= size)
		return -ERANGE;
	if (!request->length)
		request->length = size - request->offset;
	if (request->length > size - request->offset && !request->grows)
		return -ERANGE;
	if (request->length >
	    wr_highest()) /* no address space has room for it */
		return -EOVERFLOW;
	if (request->commit > request->length)
		return -ERANGE;
	request->length = PAGE_ALIGN(request->length);
	return 0;
}

static struct wr_window *make_window(struct wr_space *space,
				     struct wr_section *section,
				     struct wr_view_request *request)
{
	u8 rights = wr_view_rights(request->state);
	struct wr_window *window = wr_view_alloc(space, section, rights);

	if (!window)
		return NULL;
	window->view->state = request->state;
	window->view->executes = rights & WR_EXEC;
	window->view->writes = rights & WR_WRITE;
	window->view->grows = request->grows;
	window->view->image = request->image;
	wr_window_set_range(window, 0, request->length >> PAGE_SHIFT);
	window->shift = -(request->offset >> PAGE_SHIFT);
	window->tracked = wr_view_is_reserved(window) || !rights ||
			  wr_state_is_guard(request->state) ||
			  wr_state_copies(request->state);
	if (wr_copies_prepare(window, 0, 0, request->state)) {
		wr_window_put(window);
		return NULL;
	}
	return window;
}

/* What it is, once it is known where. */
static void fill_region(struct wr_region *region,
			struct wr_view_request *request)
{
	region->first = request->first;
	region->end = request->first + wr_index(request->length);
	wr_region_become(region,
			 request->replace ? WR_REGION_REPLACED :
					    WR_REGION_ORDINARY,
			 request->protection);
	request->serial = region->serial;
}

static int publish(struct wr_window *window, struct wr_region *region,
		   struct wr_view_request *request)
{
	int err;

	mutex_lock(&window->lock);
	err = wr_window_publish(window);
	if (!err) {
		request->first = window->first;
		fill_region(region, request);
		wr_region_add(window, region);
	}
	mutex_unlock(&window->lock);
	return err ? -ENOSPC : 0;
}

/* Whether others have some of it, or a stack may want it. */
static int check_foreign(struct wr_space *space,
			 struct wr_view_request *request)
{
	unsigned long addr = wr_address(request->first), first;
	bool foreign;

	if (mmap_read_lock_killable(space->mm))
		return -EINTR;
	foreign = wr_place_foreign(space->mm, addr, addr + request->length,
				   &first);
	mmap_read_unlock(space->mm);
	return foreign ? -EEXIST : 0;
}

static int map_fixed(struct wr_space *space, struct wr_window *window,
		     struct wr_view_request *request)
{
	int err = check_foreign(space, request);

	if (!err)
		err = wr_layout_map_view(window, request->first,
					 window->view->rights, NULL);
	if (err == -EACCES && wr_place_is_refused(wr_address(request->first)))
		err = -EADDRNOTAVAIL;
	return err;
}

/* Somebody else's mmap() can be faster at the place that was found. */
static int map_within(struct wr_space *space, struct wr_window *window,
		      struct wr_view_request *request)
{
	struct wr_place place = {
		.lowest = request->lowest,
		.highest = request->highest,
		.len = request->length,
		.alignment = WINREGION_GRANULARITY,
	};
	int tries = 16, err;
	unsigned long addr;

	do {
		addr = wr_place_search(space, &place);
		if (IS_ERR_VALUE(addr))
			return addr;
		request->first = wr_index(addr);
		err = map_fixed(space, window, request);
		if (err == -EADDRNOTAVAIL)
			place.lowest = max(place.lowest, wr_place_lowest());
	} while ((err == -EEXIST || err == -EADDRNOTAVAIL) && --tries);
	return tries ? err : -ENOSPC;
}

static int map_locked(struct wr_space *space, struct wr_window *window,
		      struct wr_view_request *request)
{
	int err = -ENOSPC;

	if (request->fixed)
		return map_fixed(space, window, request);
	if (!request->bound && !request->top_down)
		err = wr_layout_map_view(window, 0, window->view->rights, NULL);
	/* What windows have free is free, too. */
	return err == -ENOSPC ? map_within(space, window, request) : err;
}

/* ---- map over a placeholder ---- */

/* Has the placeholder of just the pages go, or not. Return: whether there is one. */
static bool take(struct wr_window *under, struct wr_view_request *request,
		 bool taken)
{
	pgoff_t end = request->first + wr_index(request->length);
	struct wr_region *region;
	bool found;

	mutex_lock(&under->lock);
	region = wr_region_find(under, request->first);
	if (region && !taken)
		region->taken = false;
	found = region && wr_region_is_replaceable(region, request->first, end);
	if (found)
		region->taken = taken;
	mutex_unlock(&under->lock);
	return found;
}

/* A placeholder of those pages, counted like any region. */
static struct wr_region *make_placeholder(struct wr_space *space, pgoff_t first,
					  pgoff_t end)
{
	struct wr_region *region = wr_region_new(space);

	if (IS_ERR(region))
		return region;
	region->first = first;
	region->end = end;
	wr_region_become(region, WR_REGION_PLACEHOLDER, WINREGION_NOACCESS);
	return region;
}

/*
 * A placeholder over a view, or where there is nothing, if @view is NULL. Return: 0 or an
 * error.
 */
static int put_back(struct wr_space *space, pgoff_t first, pgoff_t end,
		    struct wr_window *view)
{
	struct wr_region *region = make_placeholder(space, first, end);
	struct wr_window *window;
	int err;

	if (IS_ERR(region))
		return PTR_ERR(region);
	err = wr_layout_keep(space, region, view, !view);
	if (space->layout.region)
		wr_region_discard(space, region);
	space->layout.region = NULL;
	if (err)
		return err;
	if (view)
		trace_wr_unmap_view(space->mm, first, end);
	trace_wr_reserve(space->mm, first, end, WINREGION_NOACCESS,
			 WINREGION_RESERVE_PLACEHOLDER);
	window = wr_window_find(space, first);
	if (!window)
		return 0;
	if (wr_window_has_many_vmas(window))
		wr_window_rejoin(window, first, end);
	wr_window_put(window);
	return 0;
}

/* What the core would refuse after the placeholder has gone is refused before. */
static int map_over(struct wr_space *space, struct wr_window *window,
		    struct wr_region *region, struct wr_view_request *request)
{
	pgoff_t first = request->first, end = first + wr_index(request->length);
	struct wr_view *view = window->view;
	struct wr_window *under;
	int err = -EBADSLT;

	if (wr_view_is_sealed(view))
		return -EACCES;
	under = wr_window_find(space, first);
	if (!under)
		return err;
	if (!under->view && take(under, request, true)) {
		fill_region(region, request);
		space->layout.region = region;
		err = wr_layout_map_view(window, first, view->rights, under);
		request->arrived = !space->layout.region;
		space->layout.region = NULL;
		if (err && space->layout.left)
			put_back(space, first, end, NULL);
		else if (err)
			take(under, request, false);
	}
	wr_window_put(under);
	/* The program has unmapped some of it. */
	return err == -ENOENT || err == -EEXIST ? -EBADSLT : err;
}

/* Commits pages that nobody knows yet. */
static int commit_head(struct wr_section *section,
		       struct wr_view_request *request)
{
	pgoff_t first = request->offset >> PAGE_SHIFT;
	pgoff_t end = first + (PAGE_ALIGN(request->commit) >> PAGE_SHIFT);
	unsigned long charged;
	int err;

	if (!request->commit)
		return 0;
	err = wr_section_charge(section, first, end, &charged);
	if (!err)
		wr_section_commit(section, first, end, charged);
	return err;
}

/* What is left to do for a view that is there. */
static int finish_map(struct wr_section *section, struct wr_window *window,
		      struct wr_view_request *request)
{
	int err = 0;

	if (wr_view_begins_late(window->view)) {
		err = wr_view_track(window, request->state);
		if (!err)
			err = wr_view_begin(window);
	}
	if (err == -ENOENT) /* somebody else has unmapped it */
		err = -ENOSPC;
	return err ? err : commit_head(section, request);
}

/* Whether the pieces of an image let a view of them do that. */
static int check_pieces(struct wr_section *section,
			struct wr_view_request *request)
{
	pgoff_t first = request->offset >> PAGE_SHIFT;
	u8 rights;

	if (!section->image)
		return 0;
	rights = wr_image_rights(section->image, first,
				 first + (request->length >> PAGE_SHIFT));
	return wr_view_rights(request->state) & ~rights ? -EKEYREJECTED : 0;
}

/* Whether the program, and the mount, let it execute the view. */
static int check_exec(struct wr_space *space, struct wr_section *section,
		      struct wr_view_request *request)
{
	if (!wr_state_is_exec(request->state))
		return 0;
	/* A copy will be written and executed; of the rest the core sees to that. */
	if (wr_state_copies(request->state) && wr_mm_denies_exec(space->mm))
		return -EACCES;
	return wr_section_check_exec(section);
}

static int map_window(struct wr_space *space, struct wr_window *window,
		      struct wr_view_request *request)
{
	struct wr_region *region = &window->view->region;
	int err;

	err = wr_space_add_regions(space, 1);
	if (err)
		return err;
	if (wr_state_copies(request->state))
		region->committed = wr_index(request->length);
	err = wr_pagefile_charge(&space->pagefile, region->committed);
	if (err)
		goto err_region;
	err = mutex_lock_killable(&space->layout_lock);
	if (err)
		goto err_charge;
	if (request->replace) {
		err = map_over(space, window, region, request);
	} else {
		err = map_locked(space, window, request);
		if (!err)
			err = publish(window, region, request);
	}
	if (!err)
		trace_wr_map_view(space->mm, window->first, window->end,
				  request->offset, request->protection,
				  window->view->section);
	mutex_unlock(&space->layout_lock);
	if (err && !request->arrived)
		goto err_charge;
	if (err) /* it has been closed by us */
		wr_pagefile_trim(&space->pagefile, true);
	return err;

err_charge:
	wr_pagefile_uncharge(&space->pagefile, region->committed);
	wr_pagefile_trim(&space->pagefile, true);
err_region:
	wr_space_add_regions(space, -1);
	return err;
}

/**
 * wr_view_map - map a view
 * @space: where
 * @section: of what
 * @request: how; set to what it is
 *
 * Context: takes layout_lock and mmap_lock.
 * Return: 0, or -ERANGE, -EEXIST, -EADDRNOTAVAIL, -ENOSPC, -EMFILE, -EAGAIN,
 * -EACCES, -EKEYREJECTED, -EDQUOT, -ENOMEM, -ENFILE, -EINTR, or what the file's own mmap says;
 * -EBADSLT if there is no such placeholder.
 */
int wr_view_map(struct wr_space *space, struct wr_section *section,
		struct wr_view_request *request)
{
	struct wr_window *window;
	int err;

	err = find_length(section, request);
	if (!err)
		err = check_pieces(section, request);
	if (err)
		return err;
	if (request->fixed &&
	    request->length - 1 > wr_highest() - wr_address(request->first))
		return -EOVERFLOW;
	err = check_exec(space, section, request);
	if (err)
		return err;
	window = make_window(space, section, request);
	if (!window)
		return -ENOMEM;
	wr_window_get(window);
	err = map_window(space, window, request);
	if (!err) {
		err = finish_map(section, window, request);
		if (err)
			wr_view_undo(space, request);
	} else if (!request->arrived) {
		wr_window_put(window); /* which nobody has taken over */
	}
	wr_window_put(window);
	return err;
}

/* ---- unmap, flush ---- */

/* The view with the page @index, with a reference, or NULL. */
static struct wr_window *find_view(struct wr_space *space, pgoff_t index)
{
	struct wr_window *window = wr_window_find(space, index);

	if (!window || window->view)
		return window;
	wr_window_put(window);
	return NULL;
}

/* Whether it is still mapped, and if @serial is not 0, the one that is meant. */
static bool is_there(struct wr_window *window, u64 serial)
{
	struct wr_region *region;
	bool there;

	mutex_lock(&window->lock);
	region = wr_region_first(window);
	there = region && (!serial || region->serial == serial);
	mutex_unlock(&window->lock);
	return there;
}

/* A placeholder comes back to its place, in one step. */
static int preserve(struct wr_space *space, struct wr_window *window)
{
	struct wr_region *region;
	bool replaced;

	mutex_lock(&window->lock);
	region = wr_region_first(window);
	replaced = region && region->kind == WR_REGION_REPLACED;
	mutex_unlock(&window->lock);
	if (!replaced)
		return -EBADSLT;
	return put_back(space, window->first, window->end, window);
}

/* The first part of an image that begins at @first or behind, with a reference, or NULL. */
static struct wr_window *next_part(struct wr_space *space, pgoff_t first,
				   pgoff_t image, pgoff_t end)
{
	struct wr_window *window;
	pgoff_t index = first;

	while (index < end) {
		window = wr_window_next_view(space, index);
		if (!window)
			break;
		index = READ_ONCE(window->end);
		if (READ_ONCE(window->first) >= first &&
		    READ_ONCE(window->first) < end &&
		    window->view->image == image && is_there(window, 0))
			return window;
		wr_window_put(window);
		cond_resched();
	}
	return NULL;
}

/* All parts from @first on, up to @end. Under layout_lock no other ones come. */
static int unmap_parts(struct wr_space *space, pgoff_t image, pgoff_t first,
		       pgoff_t end)
{
	struct wr_window *window;
	int err = 0;

	while (!err && (window = next_part(space, first, image, end))) {
		first = window->end;
		err = fatal_signal_pending(current) ?
			      -EINTR :
			      wr_layout_unmap_view(window);
		wr_window_put(window);
	}
	return err;
}

/* Its address is free only when all of it is. */
static int unmap_image(struct wr_space *space, struct wr_window *window,
		       pgoff_t *first, unsigned long *pages)
{
	pgoff_t image = window->view->image;
	pgoff_t end = image + window->view->section->image->pages;
	int err;

	*first = image;
	*pages = end - image;
	err = unmap_parts(space, image, image + 1, end);
	return err ? err : unmap_parts(space, image, image, image + 1);
}

static int unmap_locked(struct wr_space *space, pgoff_t *first,
			unsigned long *pages, u64 serial, bool keep)
{
	struct wr_window *window = find_view(space, *first);
	int err = -ENOENT;

	if (!window)
		return err;
	if (window->view->image && !serial && is_there(window, 0)) {
		err = keep ? -EBADSLT :
			     unmap_image(space, window, first, pages);
	} else if (is_there(window, serial)) {
		*first = window->first;
		*pages = window->end - window->first;
		err = keep ? preserve(space, window) :
			     wr_layout_unmap_view(window);
	}
	wr_window_put(window);
	if (!err && !keep) /* else it is told before what comes in its place */
		trace_wr_unmap_view(space->mm, *first, *first + *pages);
	return err;
}

/* With layout_lock held, which is given up. */
static int unmap_and_unlock(struct wr_space *space, pgoff_t *first,
			    unsigned long *pages, u64 serial, bool keep)
{
	int err = unmap_locked(space, first, pages, serial, keep);

	mutex_unlock(&space->layout_lock);
	wr_locked_settle(space);
	wr_pagefile_trim(&space->pagefile, true);
	return err;
}

/**
 * wr_view_unmap - end a view
 * @space: where
 * @first: a page of it; set to its first page
 * @pages: set to how many it has
 * @serial: of the view, if it must be a certain one, or 0
 * @keep: leave the placeholder that it has replaced
 *
 * Context: takes layout_lock and mmap_lock.
 * Return: 0, -ENOENT if there is no such view, -EBADSLT if it has replaced no
 * placeholder, or an error if the core has refused (no memory, sealed, killed); then it
 * stays as it is.
 */
int wr_view_unmap(struct wr_space *space, pgoff_t *first, unsigned long *pages,
		  u64 serial, bool keep)
{
	int err = mutex_lock_killable(&space->layout_lock);

	if (err)
		return err;
	return unmap_and_unlock(space, first, pages, serial, keep);
}

/* The view must go, so this cannot be given up. */
static int undo(struct wr_space *space, pgoff_t *first, unsigned long *pages,
		u64 serial, bool keep)
{
	mutex_lock(&space->layout_lock);
	return unmap_and_unlock(space, first, pages, serial, keep);
}

/**
 * wr_view_undo - unmap what wr_view_map() has mapped
 * @space: where
 * @request: how it was mapped
 *
 * If it has replaced a placeholder that is there again.
 *
 * A task of the user's that is killed gets mmap_lock no more. If others have its memory
 * the view stays for them. One that has not begun stays reserved, and they can unmap it:
 * to have it begin late would be a step of every change, for nobody but those.
 */
void wr_view_undo(struct wr_space *space, struct wr_view_request *request)
{
	pgoff_t first = request->first;
	unsigned long pages;
	int err = -ENOMEM;

	wr_errand_must_end();
	if (request->replace)
		err = undo(space, &first, &pages, request->serial, true);
	if (err && err != -ENOENT)
		undo(space, &first, &pages, request->serial, false);
}

/* The bytes of its file that are meant. Return: 0 or -EXDEV. */
static int flush_range(struct wr_window *window, u64 address, u64 length,
		       loff_t *start, loff_t *last)
{
	u64 base = wr_address(window->first), end = wr_address(window->end);
	u64 offset = (u64)wr_window_offset(window, window->first) << PAGE_SHIFT;

	if (!length)
		length = end - address;
	if (length > end - address)
		return -EXDEV;
	*start = offset + (address - base);
	*last = *start + length - 1;
	return 0;
}

/*
 * Some write copies of pages, and the pages are clean before the copies are written.
 * Who syncs the file waits for these too.
 */
static int write_back(struct wr_window *window, loff_t start, loff_t last)
{
	struct address_space *mapping = window->view->mapping;

	if (mapping->host->i_sb->s_magic == FUSE_SUPER_MAGIC)
		return vfs_fsync_range(window->view->section->reader, start,
				       last, 1);
	return filemap_write_and_wait_range(mapping, start, last);
}

/**
 * wr_view_flush - have what views have changed written to the file
 * @space: where
 * @address: in a view
 * @length: bytes, or 0 for the rest of the view
 *
 * Neither the file's times nor the disk's own cache are flushed by that.
 *
 * Return: 0, -ENOENT if there is no view, -EXDEV if it ends before, or the error of
 * the file system.
 */
int wr_view_flush(struct wr_space *space, u64 address, u64 length)
{
	struct wr_window *window = find_view(space, wr_index(address));
	loff_t start, last;
	int err;

	if (!window)
		return -ENOENT;
	err = flush_range(window, address, length, &start, &last);
	if (!err && !window->view->section->paging)
		err = write_back(window, start, last);
	wr_window_put(window);
	return err;
}
