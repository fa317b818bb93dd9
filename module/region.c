// SPDX-License-Identifier: GPL-2.0
/*
 * Where a region goes: reserve and release.
 *
 * A region starts at a multiple of 64 KiB and ends with a page: with
 * WINREGION_GRANULARITY = 0x10000, reserving 0x1000 bytes at 0x50008000 makes
 * the region [0x50000000, 0x50009000), and the rest of the unit stays free.
 * Nobody owns a unit: another region may start at 0x50010000.
 *
 * Regions of more than 1 MiB have a window of their own, exactly as large, and
 * so has one at a given address outside all windows. Smaller ones are packed
 * into shared windows, the first of 1 MiB, each next one as large as all before
 * together, in whole MiB, so that small processes stay small and a hundred thousand
 * regions need a few dozen VMAs. So are stacks of up to 8 MiB, as there may be thousands.
 * What is free inside a window is free.
 *
 * A region with a write watch has a window of its own wherever that is possible, as
 * it has pages unlike those of others. Where the program wants it among others, or in
 * place of a placeholder, all of the window is watched.
 *
 * layout_lock serialises it all. Pages count, not bytes; ends are exclusive.
 */
#include <linux/sizes.h>
#include <linux/slab.h>

#include "change.h"
#include "region.h"
#include "huge.h"
#include "large.h"
#include "layout.h"
#include "locked.h"
#include "pieces.h"
#include "place.h"
#include "regiontree.h"
#include "trace.h"
#include "watch.h"

#define SHARED_REGION_MAX (SZ_1M >> PAGE_SHIFT)
#define SHARED_STACK_MAX (SZ_8M >> PAGE_SHIFT)
#define SHARED_WINDOW_MIN (SZ_1M >> PAGE_SHIFT)
#define SHARED_WINDOW_MAX (SZ_1G >> PAGE_SHIFT)

static enum wr_kind kind_of(struct wr_reserve *request)
{
	if (request->large)
		return WR_REGION_LARGE;
	if (request->physical)
		return WR_REGION_PHYSICAL;
	return request->placeholder ? WR_REGION_PLACEHOLDER :
				      WR_REGION_ORDINARY;
}

/* Puts the region in at @first, where there is room. The window is locked. */
static void put_region(struct wr_window *window, struct wr_region *region,
		       struct wr_reserve *request, pgoff_t first)
{
	request->first = first;
	region->first = first;
	region->end = first + request->pages;
	wr_region_become(region, kind_of(request), request->protection);
	region->stack = request->stack;
	request->serial = region->serial;
	if (request->watched)
		wr_region_watch(window, region, &request->watch);
	wr_region_set_node(window, region, request->node);
	wr_region_add(window, region);
}

/* Publishes a new window, or unmaps it again if the program was faster. */
static int publish(struct wr_window *window, struct wr_region *region,
		   struct wr_reserve *request, pgoff_t first)
{
	int err;

	mutex_lock(&window->lock);
	err = wr_window_publish(window);
	if (!err && region)
		put_region(window, region, request, first);
	if (!err)
		wr_window_note_room(window);
	mutex_unlock(&window->lock);
	if (err)
		wr_window_put(window);
	return err ? -ENOSPC : 0;
}

/* A window for this region alone, where space->layout says. */
static int reserve_own(struct wr_space *space, struct wr_region *region,
		       struct wr_reserve *request)
{
	bool huge = request->pages >= WR_SLOT_PAGES && !request->exec &&
		    !request->stack && !request->watched &&
		    !request->physical &&
		    (request->large || wr_huge_enabled(space->mm));
	struct wr_window *window;

	window = wr_window_create(space, request->pages, request->exec, huge,
				  request->watched);
	if (IS_ERR(window))
		return PTR_ERR(window);
	return publish(window, region, request, window->first);
}

/* Whether it is for a window of many regions. */
static bool is_small(struct wr_reserve *request)
{
	return !request->watched && !request->large && !request->physical &&
	       request->pages <=
		       (request->stack ? SHARED_STACK_MAX : SHARED_REGION_MAX);
}

static struct list_head *shared_list(struct wr_space *space,
				     struct wr_reserve *request)
{
	return &space->shared[request->exec];
}

/* Whether the pages, which are in no region, have VMAs. */
static bool range_is_free(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;

	if (!window->lost)
		return true;
	for (; first < end; first = next) {
		if (wr_window_lost_at(window, first, end, &next))
			return false;
		cond_resched();
	}
	return true;
}

/* Where some of the pages had been given back, or lost. */
static int reserve_in_hole(struct wr_window *window, struct wr_region *region,
			   struct wr_reserve *request, pgoff_t first)
{
	pgoff_t end = first + request->pages, low, high;
	int err;

	/* All of it, as few VMAs are never joined; unless others have a part. */
	wr_region_free_around(window, first, &low, &high);
	err = wr_layout_refill(window, low, high);
	if (err && err != -EINTR)
		err = wr_layout_refill(window, first, end);
	if (err)
		return err;
	if (wr_window_has_many_vmas(window))
		wr_window_rejoin(window, first, end);
	mutex_lock(&window->lock);
	if (window->dead || !range_is_free(window, first, end))
		err = -EEXIST;
	else
		put_region(window, region, request, first);
	mutex_unlock(&window->lock);
	return err;
}

/* From @from on. Return: 1 if it is there, 0 if in a hole at *@first, -1 if nowhere. */
static int reserve_from(struct wr_window *window, struct wr_region *region,
			struct wr_reserve *request, pgoff_t from,
			pgoff_t *first)
{
	int ret = -1;

	mutex_lock(&window->lock);
	if (!window->dead &&
	    wr_region_find_gap(window, from, request->pages, first))
		ret = range_is_free(window, *first, *first + request->pages);
	if (ret > 0)
		put_region(window, region, request, *first);
	mutex_unlock(&window->lock);
	return ret;
}

/* The first page behind what others have of a place, or 0. */
static pgoff_t behind_others(struct wr_window *window, pgoff_t first,
			     unsigned long pages)
{
	struct mm_struct *mm = window->space->mm;
	struct vm_area_struct *vma;
	unsigned long start;
	pgoff_t behind = 0;

	if (mmap_read_lock_killable(mm))
		return 0;
	vma = wr_place_foreign(mm, first << PAGE_SHIFT,
			       (first + pages) << PAGE_SHIFT, &start);
	if (vma)
		behind = vma->vm_end >> PAGE_SHIFT;
	mmap_read_unlock(mm);
	return behind;
}

/* Holes that others have some of, to be passed over in one go */
#define MAX_TAKEN_HOLES 16

/*
 * In the lowest place, or where holes are that others have some of behind those. How
 * many there are is up to the program, so the next region goes on where this one has
 * stopped.
 */
static bool reserve_past(struct wr_window *window, struct wr_region *region,
			 struct wr_reserve *request)
{
	unsigned int tries = MAX_TAKEN_HOLES;
	pgoff_t from = 0, first;
	int ret;

	while ((ret = reserve_from(window, region, request, from, &first)) ==
	       0) {
		if (first >= window->taken_up_to) {
			if (!reserve_in_hole(window, region, request, first))
				return true;
			window->taken_up_to =
				behind_others(window, first, request->pages);
			tries--;
		}
		if (!tries || window->taken_up_to <= first)
			return false;
		from = window->taken_up_to;
	}
	if (ret < 0)
		window->taken_up_to = 0;
	return ret > 0;
}

/* Once more from the start, if there is nothing left behind. */
static bool reserve_in(struct wr_window *window, struct wr_region *region,
		       struct wr_reserve *request)
{
	bool began_behind = window->taken_up_to;

	return reserve_past(window, region, request) ||
	       (began_behind && !window->taken_up_to &&
		reserve_past(window, region, request));
}

static bool reserve_shared(struct wr_space *space, struct wr_region *region,
			   struct wr_reserve *request)
{
	struct list_head *list = shared_list(space, request);
	struct wr_window *window = NULL;

	while ((window = wr_window_next_shared(space, list, window))) {
		if (!reserve_in(window, region, request))
			continue;
		wr_window_share(window, list);
		wr_window_put(window);
		return true;
	}
	return false;
}

/* Where there are too many VMAs for another window: in any that has room. */
static bool reserve_anywhere(struct wr_space *space, struct wr_region *region,
			     struct wr_reserve *request)
{
	struct wr_window *window;
	pgoff_t index = ULONG_MAX;
	bool done = false;

	while (!done && !fatal_signal_pending(current) &&
	       (window = wr_window_roomy(space, index))) {
		index = window->first;
		done = window->exec == request->exec &&
		       reserve_in(window, region, request);
		wr_window_put(window);
		cond_resched();
	}
	return done;
}

/*
 * If there is no room for a large one, a smaller one will do. A multiple of the largest
 * region as long as it has room for one, so that nothing is left over.
 */
static struct wr_window *create_shared(struct wr_space *space,
				       struct wr_reserve *request)
{
	unsigned long least = round_up(request->pages, WR_UNIT_PAGES);
	unsigned long pages = round_up(space->shared_pages, SHARED_WINDOW_MIN);
	unsigned long unit = SHARED_WINDOW_MIN;
	struct wr_window *window;

	pages = clamp_t(unsigned long, pages,
			max_t(unsigned long, least, SHARED_WINDOW_MIN),
			SHARED_WINDOW_MAX);
	for (;; pages = max(least, round_up(pages / 2, unit))) {
		space->layout.place = true;
		window = wr_window_create(space, pages, request->exec, false,
					  false);
		if (!IS_ERR(window) || PTR_ERR(window) != -ENOSPC ||
		    pages == least)
			return window;
		if (pages <= SHARED_WINDOW_MIN)
			unit = WR_UNIT_PAGES;
	}
}

static int add_shared(struct wr_space *space, struct wr_reserve *request)
{
	struct wr_window *window = create_shared(space, request);
	int err;

	if (IS_ERR(window))
		return PTR_ERR(window);
	wr_window_get(window);
	err = publish(window, NULL, NULL, 0);
	if (!err)
		wr_window_share(window, shared_list(space, request));
	wr_window_put(window);
	return err;
}

static int reserve_small(struct wr_space *space, struct wr_region *region,
			 struct wr_reserve *request)
{
	int err;

	while (!reserve_shared(space, region, request)) {
		err = add_shared(space, request);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Return: 1 if the region is in the window now, 0 if the window will give way to
 * a new one in the range, or an error.
 */
static int make_way(struct wr_window *window, struct wr_region *region,
		    struct wr_reserve *request)
{
	pgoff_t first = request->first, end = first + request->pages;
	bool inside, hole = false;
	struct wr_region *next;
	int err;

	mutex_lock(&window->lock);
	next = wr_region_next(window, first);
	err = window->dead || (next && next->first < end) ? -EEXIST : 0;
	inside = first >= window->first && end <= window->end;
	if (inside && !err) {
		hole = !range_is_free(window, first, end);
		if (!hole)
			put_region(window, region, request, first);
	}
	mutex_unlock(&window->lock);
	if (hole)
		err = reserve_in_hole(window, region, request, first);
	return err ? err : inside;
}

/*
 * Bytes below @addr that a window for more regions could have too, of what such
 * regions may have not too much at a time.
 */
static unsigned long room_below(struct wr_space *space,
				struct wr_reserve *request, unsigned long addr)
{
	unsigned long room = space->nr_regions * WR_UNIT_PAGES;
	unsigned long most = (request->highest - request->lowest) / 16;

	room = clamp_t(unsigned long, room, SHARED_WINDOW_MIN,
		       SHARED_WINDOW_MAX);
	room = min3(room << PAGE_SHIFT, most, addr - request->lowest);
	room = round_down(room, WINREGION_GRANULARITY);
	if (mmap_read_lock_killable(space->mm))
		return 0;
	while (room && !wr_place_is_unmapped(space, addr - room, addr))
		room = round_down(room / 2, WINREGION_GRANULARITY);
	mmap_read_unlock(space->mm);
	return room;
}

/*
 * A small region with requirements: a window with the region at its upper end,
 * and room for others below it, the more regions there are the more.
 */
static int reserve_above(struct wr_space *space, struct wr_region *region,
			 struct wr_reserve *request)
{
	unsigned long addr = request->first << PAGE_SHIFT;
	unsigned long room = room_below(space, request, addr);
	struct wr_window *window;

	space->layout.addr = addr - room;
	window = wr_window_create(space, request->pages + (room >> PAGE_SHIFT),
				  request->exec, false, false);
	if (IS_ERR(window) && room) {
		space->layout.addr = addr;
		window = wr_window_create(space, request->pages, request->exec,
					  false, false);
	}
	if (IS_ERR(window))
		return PTR_ERR(window);
	return publish(window, region, request, request->first);
}

/* Whether others have some of it, or a stack may want it. */
static int check_foreign(struct wr_space *space, struct wr_reserve *request)
{
	unsigned long addr = request->first << PAGE_SHIFT, first;
	bool foreign;

	if (mmap_read_lock_killable(space->mm))
		return -EINTR;
	foreign = wr_place_foreign(space->mm, addr,
				   addr + (request->pages << PAGE_SHIFT),
				   &first);
	mmap_read_unlock(space->mm);
	return foreign ? -EEXIST : 0;
}

/* A window for the region, where nothing is. */
static int reserve_new(struct wr_space *space, struct wr_region *region,
		       struct wr_reserve *request)
{
	unsigned long addr = request->first << PAGE_SHIFT;
	int err;

	if (!request->fixed && is_small(request)) {
		err = reserve_above(space, region, request);
	} else {
		space->layout.addr = addr;
		err = reserve_own(space, region, request);
	}
	/* It may be the address that the core forbids, not what is to be there. */
	if (err == -EACCES && wr_place_is_refused(addr))
		err = -EADDRNOTAVAIL;
	return err;
}

static int reserve_fixed(struct wr_space *space, struct wr_region *region,
			 struct wr_reserve *request)
{
	pgoff_t next = request->first, end = next + request->pages;
	struct wr_window *window;
	int ret;

	ret = check_foreign(space, request);
	if (ret)
		return ret;
	while (next < end && (window = wr_window_next(space, next))) {
		next = READ_ONCE(window->end);
		ret = 0;
		if (READ_ONCE(window->first) < end)
			ret = make_way(window, region, request);
		else
			next = end;
		wr_window_put(window);
		if (ret)
			return min(ret, 0);
		cond_resched();
	}
	return reserve_new(space, region, request);
}

/* The lowest place if it is free, and otherwise the highest. */
static unsigned long search_any(struct wr_space *space, struct wr_place *place)
{
	unsigned long addr = ALIGN(place->lowest, place->alignment);
	int ret;

	if (addr < place->lowest || addr > place->highest ||
	    place->highest - addr < place->len - 1)
		return -ENOSPC;
	ret = wr_place_is_free(space, place, addr);
	if (ret)
		return ret < 0 ? ret : addr;
	return wr_place_search(space, place);
}

/*
 * The place for a region with requirements, in all that is free. Beside regions
 * that are executable, or not, as it is, if there is a choice: pages that do not
 * fit take VMAs of their own. Return: the address or an error.
 */
static unsigned long search(struct wr_space *space, struct wr_reserve *request)
{
	struct wr_place place = {
		.lowest = request->lowest,
		.highest = request->highest,
		.len = request->pages << PAGE_SHIFT,
		.alignment = request->alignment,
		.exec = request->exec,
		.alike = true,
		.easy = true,
		.alone = request->large || request->physical ||
			 (request->watched && !request->top_down),
	};
	unsigned long addr = -ENOSPC;

	if (!request->top_down)
		addr = search_any(space, &place);
	place.alike = false;
	place.easy = false;
	if (addr == (unsigned long)-ENOSPC)
		addr = wr_place_search(space, &place);
	if (addr == (unsigned long)-ENOSPC && place.alone) {
		place.alone = false;
		addr = wr_place_search(space, &place);
	}
	return addr;
}

/*
 * Somebody else's mmap() can be faster at the place that was found, and the core
 * can refuse it: then it is low, and the next one is where that is over.
 */
static int reserve_within(struct wr_space *space, struct wr_region *region,
			  struct wr_reserve *request)
{
	unsigned long addr;
	int tries = 16, err;

	do {
		addr = search(space, request);
		if (IS_ERR_VALUE(addr))
			return addr;
		request->first = addr >> PAGE_SHIFT;
		err = reserve_fixed(space, region, request);
		if (err == -EADDRNOTAVAIL) {
			space->refused = wr_place_lowest();
			request->lowest = max(request->lowest, space->refused);
		}
	} while ((err == -EEXIST || err == -EADDRNOTAVAIL) && --tries);
	return tries ? err : -ENOSPC;
}

/* First where the core has refused nothing yet. */
static int reserve_bound(struct wr_space *space, struct wr_region *region,
			 struct wr_reserve *request)
{
	const unsigned long lowest = request->lowest;
	int err = -ENOSPC;

	if (space->refused > lowest && space->refused < request->highest) {
		request->lowest = space->refused;
		err = reserve_within(space, region, request);
		request->lowest = lowest;
	}
	if (err == -ENOSPC)
		err = reserve_within(space, region, request);
	return err;
}

static int reserve_locked(struct wr_space *space, struct wr_region *region,
			  struct wr_reserve *request)
{
	int err;

	lockdep_assert_held(&space->layout_lock);
	if (request->fixed)
		return reserve_fixed(space, region, request);
	if (request->bound || request->top_down)
		return reserve_bound(space, region, request);
	if (is_small(request)) {
		err = reserve_small(space, region, request);
	} else {
		space->layout.place = true;
		space->layout.aligned = request->large;
		err = reserve_own(space, region, request);
		space->layout.aligned = false;
	}
	/* What is free of windows and what is not mapped may be one place. */
	if (err == -ENOSPC)
		err = reserve_bound(space, region, request);
	/* Large pages may not fit into a window of any other place. */
	if (err != -ENOSPC || request->large)
		return err;
	return reserve_anywhere(space, region, request) ? 0 : err;
}

/* What it is, as WINREGION_RESERVE_* say it */
static u32 flags_of(const struct wr_reserve *request)
{
	u32 flags = 0;

	if (request->placeholder)
		flags |= WINREGION_RESERVE_PLACEHOLDER;
	if (request->stack)
		flags |= WINREGION_RESERVE_STACK;
	if (request->watched)
		flags |= WINREGION_RESERVE_WRITE_WATCH;
	if (request->large)
		flags |= WINREGION_RESERVE_LARGE_PAGES;
	if (request->physical)
		flags |= WINREGION_RESERVE_PHYSICAL;
	return flags;
}

static noinline void tell_reserve(struct wr_space *space,
				  const struct wr_reserve *request)
{
	trace_wr_reserve(space->mm, request->first,
			 request->first + request->pages, request->protection,
			 flags_of(request));
}

static int reserve_region(struct wr_space *space, struct wr_reserve *request)
{
	struct wr_region *region;
	int err;

	region = wr_region_new(space);
	if (IS_ERR(region))
		return PTR_ERR(region);
	err = mutex_lock_killable(&space->layout_lock);
	if (err)
		goto err_region;
	err = reserve_locked(space, region, request);
	if (err == -EACCES && request->exec) {
		/* Only a commit needs what the policy forbids. */
		request->exec = false;
		err = reserve_locked(space, region, request);
	}
	space->layout.place = false;
	if (!err && trace_wr_reserve_enabled())
		tell_reserve(space, request);
	mutex_unlock(&space->layout_lock);
	if (err)
		goto err_region;
	return 0;

err_region:
	wr_region_discard(space, region);
	return err;
}

static int commit_region(struct wr_space *space, struct wr_reserve *request)
{
	struct wr_change change = {
		.first = request->first,
		.end = request->first + request->pages,
		.state = request->state,
		.serial = request->serial,
		.large = request->large,
	};

	return wr_change(space, WR_COMMIT, &change, 1);
}

/* At no moment is it committed and not locked, or both and not charged. */
static int make_large(struct wr_space *space, struct wr_reserve *request)
{
	int err = wr_locked_add(space, request->pages);

	if (err)
		return err;
	err = commit_region(space, request);
	if (err)
		wr_locked_sub(space, request->pages);
	else
		err = wr_large_fill(space, request->first, request->pages,
				    request->serial);
	return err;
}

static bool has_other_empty(struct wr_space *space, struct list_head *list,
			    struct wr_window *window)
{
	struct wr_window *other = NULL;

	while ((other = wr_window_next_shared(space, list, other))) {
		if (other == window || !RB_EMPTY_ROOT(&other->regions))
			continue;
		wr_window_put(other);
		return true;
	}
	return false;
}

/* An empty shared window stays if it is the only one. */
static bool keep_empty(struct wr_space *space, struct wr_window *window)
{
	unsigned int i;

	if (list_empty(&window->shared))
		return false;
	for (i = 0; i < ARRAY_SIZE(space->shared); i++)
		if (has_other_empty(space, &space->shared[i], window))
			return false;
	return true;
}

/* If the core refuses to unmap it, the window stays, all free. */
static void retire(struct wr_space *space, struct wr_window *window)
{
	int err;

	if (keep_empty(space, window)) {
		wr_window_rejoin(window, window->first, window->end);
		return;
	}
	err = wr_window_destroy(window);
	if (!err)
		return;
	space->kept |= err == -ENOSPC;
	mutex_lock(&window->lock);
	wr_window_note_room(window);
	mutex_unlock(&window->lock);
}

static bool is_empty(struct wr_window *window)
{
	bool empty;

	mutex_lock(&window->lock);
	empty = !window->dead && RB_EMPTY_ROOT(&window->regions);
	mutex_unlock(&window->lock);
	return empty;
}

/* What could not be unmapped when it became free: maybe by now */
static void retire_kept(struct wr_space *space)
{
	struct wr_window *window;
	pgoff_t index = ULONG_MAX;

	lockdep_assert_held(&space->layout_lock);
	if (likely(!space->kept))
		return;
	space->kept = false;
	while (!space->kept && (window = wr_window_roomy(space, index))) {
		index = window->first;
		if (list_empty(&window->shared) && is_empty(window))
			retire(space, window);
		wr_window_put(window);
		cond_resched();
	}
}

/*
 * Takes [@first, @end) out of a region; @tail becomes what is left behind it,
 * if there is a part on both sides.
 */
static void cut_region(struct wr_window *window, struct wr_region *region,
		       struct wr_region **tail, pgoff_t first, pgoff_t end)
{
	struct wr_region *rest = *tail;
	pgoff_t old_end = region->end, next, i;
	u8 state;

	wr_region_remove(window, region);
	if (first > region->first && end < old_end) {
		*tail = NULL;
		rest->first = end;
		rest->end = old_end;
		wr_region_inherit(rest, region);
		for (i = end; i < old_end; i = next) {
			state = wr_runs_span(&window->runs, i, old_end, &next);
			if (wr_state_is_committed(state))
				rest->committed += next - i;
			cond_resched();
		}
		region->committed -= rest->committed;
		wr_region_add(window, rest);
	}
	if (first > region->first)
		region->end = first;
	else
		region->first = end;
	wr_region_add(window, region);
}

/**
 * struct wr_release - a release that is going on
 * @first: the first page
 * @pages: how many, or 0 for the whole region
 * @serial: of the region, if it must be a certain one
 * @preserve: a placeholder is to be left
 * @tail: for what is left of the region behind them
 * @middle: for the placeholder
 */
struct wr_release {
	pgoff_t first;
	unsigned long pages;
	u64 serial;
	bool preserve;
	struct wr_region *tail;
	struct wr_region *middle;
};

/* Whether a placeholder can be left there: not where there has never been one. */
static int check_preserve(struct wr_region *region, pgoff_t first, pgoff_t end)
{
	if ((region->kind != WR_REGION_PLACEHOLDER &&
	     region->kind != WR_REGION_REPLACED) ||
	    wr_region_is_replaceable(region, first, end))
		return -EBADSLT;
	return 0;
}

/* What is to be released, up to @end, checked. The window is locked. */
static int check_release(struct wr_window *window, struct wr_release *release,
			 struct wr_region **regionp, pgoff_t *end)
{
	pgoff_t first = release->first;
	struct wr_region *region = wr_region_find(window, first);
	int err = 0;

	if (!region || (release->serial && region->serial != release->serial))
		return -ENOENT;
	*regionp = region;
	*end = release->pages ? first + release->pages : region->end;
	if (!release->pages && first != region->first)
		return -ESPIPE;
	if (*end > region->end)
		return -EXDEV;
	if (release->preserve)
		err = check_preserve(region, first, *end);
	else if (wr_region_is_large(region) &&
		 (first > region->first || *end < region->end))
		err = -ENOTBLK;
	/* What is committed at a region's edges has been split there. */
	if (err || !release->pages)
		return err;
	err = wr_runs_split(&window->runs, first, GFP_KERNEL_ACCOUNT);
	if (!err)
		err = wr_runs_split(&window->runs, *end, GFP_KERNEL_ACCOUNT);
	return err;
}

static int count_cut(struct wr_space *space, struct wr_region *region,
		     pgoff_t first, pgoff_t end, bool preserve)
{
	bool head = first > region->first, tail = end < region->end;

	return wr_space_add_regions(space, head + tail + preserve - 1);
}

/* Takes pages, which are clear, out of a region, or makes them a placeholder. */
static void take_out(struct wr_window *window, struct wr_region *region,
		     struct wr_release *release, pgoff_t first, pgoff_t end)
{
	if (first > region->first || end < region->end) {
		cut_region(window, region, &release->tail, first, end);
		if (!release->preserve)
			return;
		region = release->middle;
		release->middle = NULL;
		region->first = first;
		region->end = end;
		wr_region_add(window, region);
	}
	if (release->preserve) {
		wr_region_become(region, WR_REGION_PLACEHOLDER,
				 WINREGION_NOACCESS);
		return;
	}
	wr_region_remove(window, region);
	kfree(region);
}

/* Return: 1 if released pages may have VMAs of their own, 0 if not, or an error. */
static int release_pages_of(struct wr_window *window,
			    struct wr_release *release)
{
	pgoff_t first = release->first, end;
	struct wr_region *region;
	int err;

	err = check_release(window, release, &region, &end);
	if (err)
		return err;
	err = count_cut(window->space, region, first, end, release->preserve);
	if (err)
		return err;
	wr_window_clear(window, region, first, end, true);
	release->pages = end - first;
	take_out(window, region, release, first, end);
	trace_wr_release(window->space->mm, first, end, release->preserve);
	return window->nr_vmas > 1;
}

static int release_locked(struct wr_space *space, struct wr_window *window,
			  struct wr_release *release)
{
	bool forked = READ_ONCE(window->forked), empty;
	int ret;

	lockdep_assert_held(&space->layout_lock);
	/* So that only its own VMAs are looked at; else others are, too */
	forked = forked && !mmap_read_lock_killable(space->mm);
	mutex_lock(&window->lock);
	window->held.mmap = forked;
	ret = release_pages_of(window, release);
	empty = ret >= 0 && RB_EMPTY_ROOT(&window->regions);
	if (ret >= 0 && (!empty || !list_empty(&window->shared)))
		wr_window_note_room(window);
	window->held.mmap = false;
	mutex_unlock(&window->lock);
	if (forked)
		mmap_read_unlock(space->mm);
	if (ret < 0)
		return ret;
	/* What is free goes back to the window's own VMA. */
	if (ret && (!empty || !list_empty(&window->shared)))
		wr_window_rejoin(window, release->first,
				 release->first + release->pages);
	if (empty)
		retire(space, window);
	return 0;
}

/* Of a part both may be needed. */
static int make_spares(struct wr_release *release)
{
	if (!release->pages)
		return 0;
	release->tail = kzalloc(sizeof(*release->tail), GFP_KERNEL_ACCOUNT);
	if (!release->tail)
		return -ENOMEM;
	if (!release->preserve)
		return 0;
	release->middle = kzalloc(sizeof(*release->middle), GFP_KERNEL_ACCOUNT);
	return release->middle ? 0 : -ENOMEM;
}

static int run_release(struct wr_space *space, struct wr_release *release)
{
	struct wr_window *window;
	int err;

	err = make_spares(release);
	if (!err)
		err = mutex_lock_killable(&space->layout_lock);
	if (err)
		goto free_spares;
	err = -ENOENT;
	window = wr_window_find(space, release->first);
	if (window && window->view)
		err = -EBUSY;
	else if (window)
		err = release_locked(space, window, release);
	if (window)
		wr_window_put(window);
	retire_kept(space);
	mutex_unlock(&space->layout_lock);
	wr_locked_settle(space);
free_spares:
	kfree(release->tail);
	kfree(release->middle);
	wr_pagefile_trim(&space->pagefile, true);
	return err;
}

/**
 * wr_release - end a region, or a part of one
 * @space: where
 * @first: the first page; with @pages 0 it must be the region's
 * @pages: how many, or 0 for the whole region; set to how many it were
 * @preserve: leave a placeholder: of what has replaced one, or of a part of one
 *
 * Context: takes layout_lock and mmap_lock.
 * Return: 0, or -ENOENT, -ESPIPE, -EXDEV, -EINTR, -EBUSY for a view; of a part also
 * -EMFILE, -ENOMEM; -EBADSLT if no placeholder can be left.
 */
int wr_release(struct wr_space *space, pgoff_t first, unsigned long *pages,
	       bool preserve)
{
	struct wr_release release = {
		.first = first,
		.pages = *pages,
		.preserve = preserve,
	};
	int err = run_release(space, &release);

	*pages = release.pages;
	return err;
}

/**
 * wr_unreserve - release what wr_reserve() has made
 * @space: where
 * @request: how it was made
 *
 * If it has replaced a placeholder that is there again.
 *
 * Context: takes layout_lock and mmap_lock.
 * Return: 0, or -ENOENT if it has been released already, whatever is in its place,
 * or -EINTR.
 */
int wr_unreserve(struct wr_space *space, struct wr_reserve *request)
{
	struct wr_release release = {
		.first = request->first,
		.pages = request->replace ? request->pages : 0,
		.serial = request->serial,
		.preserve = request->replace,
	};

	return run_release(space, &release);
}

/**
 * wr_reserve - make a region
 * @space: where
 * @request: what; @request->first and @request->serial are set to what it is
 *
 * Other threads see the region before it is committed, and may even release it
 * and make another one in its place: that one is left alone. What replaces a
 * placeholder is committed in the same step.
 *
 * Context: takes layout_lock and mmap_lock.
 * Return: 0, or -EEXIST, -ENOSPC, -EDQUOT, -EMFILE, -EAGAIN, -EACCES, -ENOMEM,
 * -ENFILE, -EINTR; -EBADSLT if there is no such placeholder, -ENOBUFS no large page.
 */
int wr_reserve(struct wr_space *space, struct wr_reserve *request)
{
	int err;

	if (request->watched) {
		request->watch = wr_watch_new();
		if (!request->watch)
			return -ENOMEM;
	}
	if (request->replace)
		err = wr_placeholder_replace(space, request);
	else
		err = reserve_region(space, request);
	wr_watch_free(request->watch); /* if a window had one already */
	if (err || request->replace || !request->commit)
		return err;
	err = request->large ? make_large(space, request) :
			       commit_region(space, request);
	if (err && wr_unreserve(space, request) == -ENOENT && err == -ENOENT)
		return 0; /* as if it had been released after that */
	return err;
}
