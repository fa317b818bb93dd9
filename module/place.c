// SPDX-License-Identifier: GPL-2.0
/*
 * Where there is room: what is free between VMAs, windows and regions.
 */
#include <linux/log2.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "fault.h"
#include "place.h"
#include "regiontree.h"

/* The first window in [@addr, @end). */
static bool window_between(struct wr_space *space, unsigned long addr,
			   unsigned long end, unsigned long *window_first,
			   unsigned long *window_end)
{
	struct wr_window *window = wr_window_next(space, addr >> PAGE_SHIFT);
	bool found;

	if (!window)
		return false;
	*window_first = READ_ONCE(window->first) << PAGE_SHIFT;
	*window_end = READ_ONCE(window->end) << PAGE_SHIFT;
	found = *window_first < end;
	wr_window_put(window);
	return found;
}

/*
 * Where a VMA starts, or may start once it has grown: stacks keep their room,
 * and the gap below them (vm_start_gap() is not for modules).
 */
static unsigned long growth_start(struct vm_area_struct *vma)
{
	unsigned long room = min_t(unsigned long, rlimit(RLIMIT_STACK), SZ_1G);

	if (!(vma->vm_flags & VM_GROWSDOWN))
		return vma->vm_start;
	room = max(room, vma->vm_end - vma->vm_start) + SZ_1M;
	return vma->vm_end - min(room, vma->vm_end);
}

/*
 * The first obstacle in [@addr, @end): a VMA, or a window, part of which the
 * program may have unmapped.
 */
static bool find_obstacle(struct wr_space *space, unsigned long addr,
			  unsigned long end, unsigned long *first,
			  unsigned long *stop)
{
	struct vm_area_struct *vma = find_vma(space->mm, addr);

	*first = vma ? growth_start(vma) : end;
	if (*first < end) {
		*stop = vma->vm_end;
		return true;
	}
	return window_between(space, addr, end, first, stop);
}

/* The first page of a window in the range that a region could not have. */
static bool taken_in(struct wr_window *window, pgoff_t first, pgoff_t end,
		     pgoff_t *taken)
{
	struct wr_region *region;

	mutex_lock(&window->lock);
	*taken = end;
	if (!window->dead) {
		region = wr_region_next(window, first);
		if (region)
			*taken = region->first;
	}
	mutex_unlock(&window->lock);
	return *taken < end;
}

static pgoff_t taken_by_regions(struct wr_space *space, pgoff_t first,
				pgoff_t end)
{
	struct wr_window *window;
	pgoff_t taken, i = first;

	while ((window = wr_window_next(space, i))) {
		i = window->end;
		if (window->first >= end)
			taken = end;
		else if (!taken_in(window, first, end, &taken))
			taken = i < end ? 0 : end; /* on with the next one */
		wr_window_put(window);
		if (taken)
			return taken;
	}
	return end;
}

static unsigned long taken_by_others(struct mm_struct *mm, unsigned long addr,
				     unsigned long end)
{
	VMA_ITERATOR(vmi, mm, addr);
	struct vm_area_struct *vma;

	for_each_vma(vmi, vma) {
		if (!wr_vma_is_ours(vma))
			return min(end, growth_start(vma));
		/* Further than any stack grows */
		if (vma->vm_start > end && vma->vm_start - end > 2UL * SZ_1G)
			break;
	}
	return end;
}

/* Whether neither a VMA nor a window has any of it. mmap_lock is held. */
bool wr_place_is_unmapped(struct wr_space *space, unsigned long addr,
			  unsigned long end)
{
	unsigned long first, stop;

	return !find_obstacle(space, addr, end, &first, &stop);
}

/**
 * wr_place_taken - whether a new region could not be somewhere
 * @space: the space; its layout_lock is held
 * @addr: the first byte
 * @end: the byte behind the last
 *
 * What is free inside a window is free. Context: mmap_lock is held.
 *
 * Return: the start of what is there already, maybe below @addr; or @end.
 */
unsigned long wr_place_taken(struct wr_space *space, unsigned long addr,
			     unsigned long end)
{
	pgoff_t ours =
		taken_by_regions(space, addr >> PAGE_SHIFT, end >> PAGE_SHIFT);

	return min(taken_by_others(space->mm, addr, end), ours << PAGE_SHIFT);
}

static unsigned long search_up(struct wr_space *space, unsigned long len,
			       unsigned long alignment)
{
	unsigned long addr = ALIGN(wr_lowest(), alignment), first, stop;

	while (addr <= wr_highest() && wr_highest() - addr >= len - 1) {
		if (!find_obstacle(space, addr, addr + len, &first, &stop))
			return addr;
		addr = ALIGN(stop, alignment);
	}
	return -ENOMEM;
}

/*
 * Where the core would put it, so that address randomisation works. At a multiple
 * of its size, or of 2 MiB, it has few slots; but any hole will do.
 */
unsigned long wr_place_default(struct wr_space *space, struct wr_layout *layout,
			       struct file *file, unsigned long flags)
{
	unsigned long len = layout->len, alignment, addr, first, stop;

	alignment = clamp_t(unsigned long, rounddown_pow_of_two(len),
			    WINREGION_GRANULARITY, PMD_SIZE);
	addr = mm_get_unmapped_area(file, 0, len + alignment - PAGE_SIZE, 0,
				    flags);
	if (!IS_ERR_VALUE(addr)) {
		addr = ALIGN(addr, alignment);
		if (addr >= wr_lowest() && addr <= wr_highest() &&
		    wr_highest() - addr >= len - 1 &&
		    !find_obstacle(space, addr, addr + len, &first, &stop))
			return addr;
	}
	addr = search_up(space, len, alignment);
	if (IS_ERR_VALUE(addr))
		addr = search_up(space, len, WINREGION_GRANULARITY);
	return addr;
}
