// SPDX-License-Identifier: GPL-2.0
/*
 * Where there is room: what is free between VMAs, windows and regions.
 */
#include <linux/log2.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "fault.h"
#include "place.h"
#include "regiontree.h"

/* ---- what the core refuses ---- */

/**
 * wr_place_is_refused - whether the core lets this process map nothing there
 * @addr: the address of a page
 *
 * As below vm.mmap_min_addr, which is not for modules to read. It is asked by a
 * mapping of no type, which is refused in any case, but for that only after its
 * address. Context: takes mmap_lock.
 *
 * Return: whether.
 */
bool wr_place_is_refused(unsigned long addr)
{
	return vm_mmap(NULL, addr, PAGE_SIZE, PROT_NONE,
		       MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		       0) == (unsigned long)-EPERM;
}

/**
 * wr_place_lowest - the lowest address that a region of this process can have
 *
 * Context: takes mmap_lock.
 *
 * Return: wr_lowest(), or what the core allows if that is higher.
 */
unsigned long wr_place_lowest(void)
{
	unsigned long refused = wr_lowest(), middle;
	unsigned long highest = wr_highest_new(current->mm);
	unsigned long allowed = highest + 1 - WINREGION_GRANULARITY;

	if (!wr_place_is_refused(refused) || wr_place_is_refused(allowed))
		return refused;
	while (allowed - refused > WINREGION_GRANULARITY) {
		middle = ALIGN_DOWN(refused + (allowed - refused) / 2,
				    WINREGION_GRANULARITY);
		if (wr_place_is_refused(middle))
			refused = middle;
		else
			allowed = middle;
	}
	return allowed;
}

/* ---- what is there ---- */

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
	room = max(PAGE_ALIGN(room), vma->vm_end - vma->vm_start) + SZ_1M;
	return vma->vm_end - min(room, vma->vm_end);
}

/* The same, but not below what is mapped in front of it. */
static unsigned long room_start(struct vm_area_struct *vma)
{
	MA_STATE(mas, &vma->vm_mm->mm_mt, vma->vm_start, vma->vm_start);
	struct vm_area_struct *prev;

	if (!(vma->vm_flags & VM_GROWSDOWN))
		return vma->vm_start;
	mas_walk(&mas);
	prev = mas_prev(&mas, 0);
	return prev ? max(prev->vm_end, growth_start(vma)) : growth_start(vma);
}

/**
 * wr_place_foreign - the first mapping in a range that is not a window's
 * @mm: whose, its mmap_lock is held
 * @addr: the first byte
 * @end: the byte behind the last
 * @first: set to where it starts, maybe below @addr, with the room into which
 *	it may grow
 *
 * Return: the VMA, or NULL.
 */
struct vm_area_struct *wr_place_foreign(struct mm_struct *mm,
					unsigned long addr, unsigned long end,
					unsigned long *first)
{
	VMA_ITERATOR(vmi, mm, addr);
	struct vm_area_struct *vma;

	mmap_assert_locked(mm);
	for_each_vma(vmi, vma) {
		*first = room_start(vma);
		if (*first >= end)
			break;
		if (!wr_vma_window(vma))
			return vma;
		/* All free, or the end would be in front of it */
		cond_resched();
		if (vma->vm_end >= end || fatal_signal_pending(current))
			break;
	}
	return NULL;
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
static bool taken_in(struct wr_window *window, const struct wr_place *place,
		     pgoff_t first, pgoff_t end, pgoff_t *taken)
{
	struct wr_region *region;

	mutex_lock(&window->lock);
	*taken = end;
	if (place->alone || (place->alike && window->exec != place->exec)) {
		*taken = window->first;
	} else if (!window->dead) {
		region = wr_region_next(window, first);
		if (region)
			*taken = region->first;
		else if ((first < window->first || end > window->end) &&
			 !wr_window_can_lose(window, first, end))
			*taken = max(first, window->first);
	}
	mutex_unlock(&window->lock);
	return *taken < end;
}

static pgoff_t taken_by_windows(struct wr_space *space,
				const struct wr_place *place, pgoff_t first,
				pgoff_t end)
{
	struct wr_window *window;
	pgoff_t taken, i = first;

	while ((window = wr_window_next(space, i))) {
		i = window->end;
		if (window->first >= end)
			taken = end;
		else if (!taken_in(window, place, first, end, &taken))
			taken = i < end ? 0 : end; /* on with the next one */
		wr_window_put(window);
		if (taken)
			return taken;
		cond_resched();
	}
	return end;
}

/*
 * Where the first thing in [@addr, @addr + @place->len) starts that a new region
 * cannot replace, maybe below @addr; or the end. What is free inside a window is
 * free. Under layout_lock and mmap_lock.
 */
static unsigned long taken_from(struct wr_space *space,
				const struct wr_place *place,
				unsigned long addr)
{
	unsigned long end = addr + place->len, first;

	end = taken_by_windows(space, place, addr >> PAGE_SHIFT,
			       end >> PAGE_SHIFT)
	      << PAGE_SHIFT;
	if (end > addr && wr_place_foreign(space->mm, addr, end, &first))
		return first;
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
 * wr_place_is_free - whether a new region could be somewhere
 * @space: the space; its layout_lock is held
 * @place: what is looked for
 * @addr: where
 *
 * Return: 1, 0, or -EINTR.
 */
int wr_place_is_free(struct wr_space *space, const struct wr_place *place,
		     unsigned long addr)
{
	bool is_free;

	if (mmap_read_lock_killable(space->mm))
		return -EINTR;
	is_free = taken_from(space, place, addr) == addr + place->len;
	mmap_read_unlock(space->mm);
	return is_free;
}

/* ---- the search ---- */

/* Where the first VMA that ends behind @addr starts, but not below @addr. */
static unsigned long mapped_from(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	return vma ? max(vma->vm_start, addr) : ULONG_MAX;
}

/* Where, up to @end, the highest @len bytes end that nothing is mapped in; or 0. */
static unsigned long hole_end(struct mm_struct *mm, unsigned long lowest,
			      unsigned long end, unsigned long len)
{
	MA_STATE(mas, &mm->mm_mt, 0, 0);

	if (end - lowest < len ||
	    mas_empty_area_rev(&mas, lowest, end - 1, len))
		return 0;
	return mas.last + 1;
}

/*
 * Where, up to @end, the highest free range ends that has pages of a window and
 * may be long enough, or something lower that has to be looked at.
 */
static unsigned long room_end(struct wr_space *space, struct wr_window *window,
			      unsigned long end, unsigned long len)
{
	unsigned long window_end = window->end << PAGE_SHIFT;
	struct wr_region *last;
	pgoff_t room;

	mutex_lock(&window->lock);
	last = wr_region_before(window, window->end);
	room = wr_region_room_end(window, min(end >> PAGE_SHIFT, window->end),
				  len >> PAGE_SHIFT);
	if (end > window_end && (!last || last->end < window->end))
		room = ULONG_MAX; /* free on both sides of its upper edge */
	mutex_unlock(&window->lock);
	if (room == ULONG_MAX)
		return min(end, mapped_from(space->mm, window_end));
	return room << PAGE_SHIFT;
}

static struct wr_window *next_roomy(struct wr_space *space,
				    const struct wr_place *place,
				    unsigned long end)
{
	struct wr_window *window;
	pgoff_t i = end >> PAGE_SHIFT;

	if (place->alone)
		return NULL;
	while ((window = wr_window_roomy(space, i))) {
		if (!place->alike || window->exec == place->exec)
			break;
		i = window->first;
		wr_window_put(window);
		cond_resched();
	}
	return window;
}

/*
 * Passes over what has no room for sure: VMAs by the gaps that the core knows,
 * windows by those in their tree of regions. So it matters little how many there
 * are. Return: the highest address, at most @end, where the place could end; 0
 * if there is none.
 */
static unsigned long skip_down(struct wr_space *space,
			       const struct wr_place *place, unsigned long end)
{
	unsigned long more = place->easy ? place->alignment : 0;
	unsigned long hole = 0, room = 0;
	struct wr_window *window;

	if (end <= place->lowest || end - place->lowest < place->len)
		return 0;
	hole = hole_end(space->mm, place->lowest, end, place->len + more);
	window = next_roomy(space, place, end);
	if (window) {
		/* Here free pages count from the start of a unit on. */
		more -= min_t(unsigned long, more, WINREGION_GRANULARITY);
		room = room_end(space, window, end, place->len + more);
		wr_window_put(window);
	}
	return max(hole, room);
}

/* Looks at one place. Return: whether it is free; else it goes on below *@end. */
static bool try_below(struct wr_space *space, const struct wr_place *place,
		      unsigned long *end, unsigned long *addr)
{
	unsigned long taken;

	*end = skip_down(space, place, *end);
	if (*end < place->len)
		*end = 0;
	if (!*end)
		return false;
	*addr = ALIGN_DOWN(*end - place->len, place->alignment);
	if (*addr < place->lowest) {
		*end = 0;
		return false;
	}
	taken = taken_from(space, place, *addr);
	if (taken == *addr + place->len)
		return true;
	*end = taken;
	return false;
}

/**
 * wr_place_search - the highest place for a region in all that is free
 * @space: the space; its layout_lock is held
 * @place: what is looked for
 *
 * How many there are to look at is up to the program, so mmap_lock is held for
 * one at a time.
 *
 * Return: the address, -ENOSPC or -EINTR.
 */
unsigned long wr_place_search(struct wr_space *space,
			      const struct wr_place *place)
{
	unsigned long end, addr;
	bool found;

	end = min(place->highest, wr_highest_new(space->mm)) + 1;
	if (end <= place->lowest)
		return -ENOSPC;
	do {
		if (fatal_signal_pending(current) ||
		    mmap_read_lock_killable(space->mm))
			return -EINTR;
		found = try_below(space, place, &end, &addr);
		mmap_read_unlock(space->mm);
		cond_resched();
	} while (!found && end);
	return found ? addr : -ENOSPC;
}

/* The lowest unmapped place. mmap_lock is held for writing. */
static unsigned long search_up(struct wr_space *space, unsigned long len,
			       unsigned long alignment)
{
	unsigned long highest = wr_highest_new(space->mm);
	unsigned long addr = wr_lowest(), first, stop;

	while (addr < highest && highest - addr >= len - 1) {
		MA_STATE(mas, &space->mm->mm_mt, 0, 0);

		if (fatal_signal_pending(current))
			return -EINTR;
		if (mas_empty_area(&mas, addr, highest, len))
			break;
		addr = ALIGN(mas.index, alignment);
		if (addr > highest || highest - addr < len - 1)
			break;
		if (!find_obstacle(space, addr, addr + len, &first, &stop))
			return addr;
		addr = stop;
		cond_resched();
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
	unsigned long highest = wr_highest_new(space->mm);
	unsigned long len = layout->len, alignment, addr, first, stop;

	alignment = clamp_t(unsigned long, rounddown_pow_of_two(len),
			    WINREGION_GRANULARITY, PMD_SIZE);
	addr = mm_get_unmapped_area(file, 0, len + alignment - PAGE_SIZE, 0,
				    flags);
	if (!IS_ERR_VALUE(addr)) {
		addr = ALIGN(addr, alignment);
		if (addr >= wr_lowest() && addr <= highest &&
		    highest - addr >= len - 1 &&
		    !find_obstacle(space, addr, addr + len, &first, &stop))
			return addr;
	}
	addr = search_up(space, len, alignment);
	if (IS_ERR_VALUE(addr) && !layout->aligned)
		addr = search_up(space, len, WINREGION_GRANULARITY);
	return addr;
}
