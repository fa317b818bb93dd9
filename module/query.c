// SPDX-License-Identifier: GPL-2.0
/*
 * What is at an address.
 *
 * Inside a region the answer needs the window's lock alone; for one page it is
 * merely tried, so that no reference has to be taken. Outside, the rest of the
 * address space matters too: what other mappings of the process occupy is not
 * free, so those are looked at under mmap_lock.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "fault.h"
#include "layout.h"
#include "place.h"
#include "ptes.h"
#include "query.h"
#include "regiontree.h"
#include "resident.h"
#include "stash.h"
#include "view_state.h"
#include "states.h"

/* Of a mapping of a device, how many pages are looked at for one answer. */
#define FOREIGN_PAGES 512

/* Of one with guards, how many PTEs, or places where there are none. */
#define GUARD_LOOKS 16384

/* The parts of an image are one region. */
noinline void wr_found_in_view(struct wr_found *found, struct wr_window *window)
{
	struct wr_view *view = window->view;

	found->type = WINREGION_TYPE_MAPPED;
	if (!view->image)
		return;
	found->type = WINREGION_TYPE_IMAGE;
	found->region_first = view->image;
	found->region_end = view->image + view->section->image->pages;
}

/* How far a page stays like a reserved one if some after it are lost. */
noinline pgoff_t wr_found_reserved_end(struct wr_runs *runs, pgoff_t next,
				       pgoff_t end)
{
	pgoff_t stop;

	for (; next < end; next = stop)
		if (wr_state_is_memory(wr_runs_span(runs, next, end, &stop)))
			break;
	return next;
}

/*
 * Describes the runs from page *@index to @end that end in the same slot, none
 * of them lost, and moves *@index on. Return: how many, at most @max.
 */
static unsigned int describe_slot(struct wr_window *window,
				  struct wr_region *region, pgoff_t *index,
				  pgoff_t end, struct winregion_run *runs,
				  unsigned int max)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, *index);
	struct wr_found found = {
		.first = *index,
		.region_first = region->first,
		.region_end = region->end,
		.committed = region->committed,
		.protection = region->protection,
		.type = WINREGION_TYPE_PRIVATE,
		.flags = wr_found_flags(region),
	};
	const u8 *at, *next, *stop;
	unsigned int n;

	if (!slot || !slot->states)
		return 0;
	if (window->view)
		wr_found_in_view(&found, window);
	at = slot->states + wr_slot_offset(*index);
	stop = slot->states +
	       min(WR_SLOT_PAGES, region->end - wr_slot_first(*index));
	for (n = 0; n < max && found.first < end; n++, at = next) {
		next = at + 1;
		if (next < stop && *next == *at)
			next += wr_states_same(next, *at, stop - next);
		if (next == stop)
			break;
		found.state = *at;
		found.pages = next - at;
		wr_found_run(&found, &runs[n]);
		found.first += found.pages;
	}
	*index = found.first;
	return n;
}

/* Of the pages of one run. */
static unsigned long count_resident(struct wr_window *window, u8 state,
				    pgoff_t first, pgoff_t end)
{
	if (state == WR_STATE_FRAME)
		return end - first;
	if (window->view)
		return wr_view_resident(window, first, end);
	return wr_resident_count(window, first, end) +
	       wr_stash_count(window, first, end);
}

/*
 * Describes the runs from page *@index to @end and moves *@index on, until a
 * page is in no region. Return: how many, at most @max.
 */
static unsigned int describe_runs(struct wr_window *window, pgoff_t *index,
				  pgoff_t end, u32 flags,
				  struct winregion_run *runs, unsigned int max)
{
	bool plain = !window->lost && !(flags & WINREGION_QUERY_RESIDENT) &&
		     !(window->view && wr_view_is_reserved(window));
	struct wr_region *region;
	struct wr_found found;
	unsigned int n = 0;

	while (n < max && *index < end) {
		region = wr_region_find(window, *index);
		if (!region)
			break;
		if (plain)
			n += describe_slot(window, region, index, end, runs + n,
					   max - n);
		if (n == max || *index >= end)
			break;
		found = wr_found_at(window, region, *index);
		wr_found_run(&found, &runs[n]);
		*index = found.first + found.pages;
		if (flags & WINREGION_QUERY_RESIDENT)
			runs[n].resident = count_resident(window, found.state,
							  found.first, *index)
					   << PAGE_SHIFT;
		n++;
	}
	return n;
}

static unsigned int query_window(struct wr_space *space, pgoff_t *index,
				 pgoff_t end, u32 flags,
				 struct winregion_run *runs, unsigned int max)
{
	struct wr_window *window = wr_window_find(space, *index);
	unsigned int n;

	if (!window)
		return 0;
	mutex_lock(&window->lock);
	n = describe_runs(window, index, end, flags, runs, max);
	mutex_unlock(&window->lock);
	wr_window_put(window);
	return n;
}

/*
 * The first page from @index on that is in a region, or ULONG_MAX. A process that
 * is being killed need not know.
 */
static pgoff_t next_region_page(struct wr_space *space, pgoff_t index)
{
	struct wr_window *window = wr_window_next_view(space, index);
	pgoff_t found = ULONG_MAX, view = ULONG_MAX;
	struct wr_region *region;

	if (window) {
		view = max(READ_ONCE(window->first), index);
		wr_window_put(window);
	}
	while (found == ULONG_MAX && !fatal_signal_pending(current) &&
	       (window = wr_window_next(space, index))) {
		mutex_lock(&window->lock);
		region = wr_region_next(window, index);
		if (region)
			found = max(region->first, index);
		index = window->end;
		mutex_unlock(&window->lock);
		wr_window_put(window);
		cond_resched();
	}
	return min(found, view);
}

static u32 foreign_protection(vm_flags_t flags)
{
	if (!(flags & (VM_READ | VM_WRITE | VM_EXEC)))
		return 0;
	if (flags & VM_EXEC) {
		if (flags & VM_WRITE)
			return WINREGION_EXECUTE_READWRITE;
		return flags & VM_READ ? WINREGION_EXECUTE_READ :
					 WINREGION_EXECUTE;
	}
	return flags & VM_WRITE ? WINREGION_READWRITE : WINREGION_READONLY;
}

/* Where the file ends that a VMA maps, if it has an end. */
static unsigned long foreign_file_end(struct vm_area_struct *vma)
{
	struct inode *inode;
	pgoff_t pages;

	if (!vma->vm_file || !S_ISREG(file_inode(vma->vm_file)->i_mode))
		return vma->vm_end;
	inode = file_inode(vma->vm_file);
	pages = DIV_ROUND_UP_ULL(i_size_read(inode), PAGE_SIZE);
	if (pages <= vma->vm_pgoff)
		return vma->vm_start;
	pages = min(pages - vma->vm_pgoff, vma_pages(vma));
	return vma->vm_start + (pages << PAGE_SHIFT);
}

/* Whether a read would be served. The answer is in the PTE afterwards. */
static bool foreign_serves(struct vm_area_struct *vma, unsigned long addr)
{
	return !fixup_user_fault(vma->vm_mm, addr, 0, NULL);
}

/*
 * Special mappings, [vvar] for one, have holes that only a fault tells from their pages;
 * of a large one a run is told up to FOREIGN_PAGES long.
 */
static bool special_is_readable(struct vm_area_struct *vma, unsigned long addr,
				unsigned long *end)
{
	bool readable = foreign_serves(vma, addr);
	unsigned long next;

	*end = min(*end, addr + FOREIGN_PAGES * PAGE_SIZE);
	for (next = addr + PAGE_SIZE; next < *end; next += PAGE_SIZE) {
		if (foreign_serves(vma, next) != readable)
			*end = next;
		cond_resched();
	}
	return readable;
}

/*
 * Whether the page at @addr can be read, in a VMA that allows it; *@end becomes
 * where that ends. Behind the end of a file the first page speaks for all.
 *
 * In another process nothing is tried: a fault would map a page there. That of a special
 * mapping may be the process's own affair, as that of [vvar], so that the core lets nobody
 * else read such a mapping.
 */
static bool foreign_is_readable(struct vm_area_struct *vma, unsigned long addr,
				unsigned long *end)
{
	bool own = vma->vm_mm == current->mm;
	unsigned long file_end;

	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return own && special_is_readable(vma, addr, end);
	file_end = foreign_file_end(vma);
	if (addr >= file_end)
		return own && foreign_serves(vma, addr);
	*end = min(*end, file_end);
	return true;
}

/*
 * Whether the page at @addr is a guard; *@end becomes where that ends. Stacks of
 * threads have such guards, so a run is told whole if it is not very large.
 */
static bool foreign_is_guard(struct vm_area_struct *vma, unsigned long addr,
			     unsigned long *end)
{
	unsigned long at, next = addr;
	unsigned int looks;
	bool guard;

	if (!(vma->vm_flags & WR_MAYBE_GUARD))
		return false;
	guard = wr_ptes_guard(vma->vm_mm, addr, &next);
	for (looks = 1; looks < GUARD_LOOKS && next < *end; looks++) {
		at = next;
		if (wr_ptes_guard(vma->vm_mm, at, &next) != guard) {
			next = at;
			break;
		}
		cond_resched();
	}
	*end = min(*end, next);
	return guard;
}

/* What others have, or keep others from having. */
static void describe_kept(unsigned long addr, unsigned long end,
			  unsigned long first, unsigned long stop,
			  struct winregion_run *run)
{
	*run = (struct winregion_run){
		.address = addr,
		.length = end - addr,
		.region_address = first,
		.region_length = stop - first,
		.region_protection = WINREGION_NOACCESS,
		.state = WINREGION_STATE_RESERVE,
		.type = WINREGION_TYPE_PRIVATE,
		.flags = WINREGION_RUN_FOREIGN,
	};
}

/* Memory that nobody may touch is reserved, as far as one can tell. */
static void describe_foreign(struct vm_area_struct *vma, unsigned long addr,
			     unsigned long end, struct winregion_run *run)
{
	u32 protection = foreign_protection(vma->vm_flags), here = protection;
	unsigned long length = vma->vm_end - vma->vm_start;

	end = min(vma->vm_end, end);
	if (protection && foreign_is_guard(vma, addr, &end))
		here = WINREGION_NOACCESS;
	else if (vma->vm_flags & VM_READ &&
		 !foreign_is_readable(vma, addr, &end))
		here = WINREGION_NOACCESS;
	*run = (struct winregion_run){
		.address = addr,
		.length = end - addr,
		.region_address = vma->vm_start,
		.region_length = length,
		.region_committed = protection ? length : 0,
		.region_protection = protection ? protection :
						  WINREGION_NOACCESS,
		.state = protection ? WINREGION_STATE_COMMIT :
				      WINREGION_STATE_RESERVE,
		.protection = here,
		.type = vma->vm_file ? WINREGION_TYPE_MAPPED :
				       WINREGION_TYPE_PRIVATE,
		.flags = WINREGION_RUN_FOREIGN,
	};
}

static void describe_free(unsigned long addr, unsigned long end,
			  struct winregion_run *run)
{
	*run = (struct winregion_run){
		.address = addr,
		.length = end - addr,
		.state = WINREGION_STATE_FREE,
		.protection = WINREGION_NOACCESS,
	};
}

/* Above any vm.mmap_min_addr that makes sense. */
#define LOW_END SZ_4G

/*
 * Nobody may have what the core refuses to map. @usable: from where on there is
 * no such thing, as far as is known.
 */
static void look_low(struct winregion_run *run, unsigned long *usable)
{
	unsigned long end = run->address + run->length;

	if (run->state != WINREGION_STATE_FREE || run->address >= *usable)
		return;
	*usable = wr_place_lowest();
	if (run->address >= *usable)
		return;
	if (run->address >= wr_lowest())
		describe_kept(run->address, min(end, *usable), wr_lowest(),
			      *usable, run);
	else if (*usable > wr_lowest())
		describe_free(run->address, min(end, wr_lowest()), run);
}

/* Return: 1 if what is called free is in a window of the caller from *@kept on. */
static int query_once(struct mm_struct *mm, struct wr_space *space,
		      pgoff_t index, unsigned long *usable,
		      struct winregion_run *run, unsigned long *kept)
{
	unsigned long addr = index << PAGE_SHIFT, end = wr_highest_of(mm) + 1;
	struct vm_area_struct *vma;
	pgoff_t next = ULONG_MAX;
	unsigned long first;
	int ret = 0;

	if (space)
		next = next_region_page(space, index);
	if (next < end >> PAGE_SHIFT)
		end = max(next << PAGE_SHIFT, addr + PAGE_SIZE);
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = wr_place_foreign(mm, addr, end, &first);
	if (!vma || first > addr)
		describe_free(addr, vma ? first : end, run);
	else if (addr < vma->vm_start)
		describe_kept(addr, min(end, vma->vm_start), first,
			      vma->vm_start, run);
	else if (wr_vma_is_ours(vma)) /* left by a fork that failed */
		describe_kept(addr, min(end, vma->vm_end), vma->vm_start,
			      vma->vm_end, run);
	else
		describe_foreign(vma, addr, end, run);
	vma = mm == current->mm ? find_vma(mm, addr) : NULL;
	if (run->state == WINREGION_STATE_FREE && vma &&
	    vma->vm_start < addr + run->length) {
		*kept = max(addr, vma->vm_start);
		end = min(vma->vm_end, addr + run->length);
		if (*kept == addr)
			describe_kept(addr, end, addr, end, run);
		else
			run->length = *kept - addr;
		ret = 1;
	}
	mmap_read_unlock(mm);
	look_low(run, usable);
	return ret;
}

/*
 * What is called free is free for all: windows give it back. If one cannot, that
 * counts as reserved. In another process it is free for regions: who only asks about it
 * changes nothing there.
 */
static int query_outside(struct mm_struct *mm, struct wr_space *space,
			 pgoff_t index, unsigned long *usable,
			 struct winregion_run *run)
{
	unsigned long kept, last = 0;
	int ret;

	while ((ret = query_once(mm, space, index, usable, run, &kept)) > 0) {
		if (!space || kept <= last)
			break;
		last = kept;
		ret = wr_layout_give_back(space, kept >> PAGE_SHIFT);
		if (ret)
			break;
	}
	return ret == -EINTR ? ret : 0;
}

/**
 * wr_query_runs - the runs of pages in a range
 * @mm: whose; the caller keeps it alive
 * @space: its space, or NULL if it has none
 * @addr: the first address; moved on, above @last if all is described
 * @last: the last address, at most wr_highest_of(@mm)
 * @flags: WINREGION_QUERY_*
 * @runs: the answers
 * @max: elements of @runs
 *
 * Return: how many runs, less than @max if that is all, or -EINTR.
 */
int wr_query_runs(struct mm_struct *mm, struct wr_space *space, u64 *addr,
		  u64 last, u32 flags, struct winregion_run *runs,
		  unsigned int max)
{
	pgoff_t index = *addr >> PAGE_SHIFT, end = (last >> PAGE_SHIFT) + 1;
	unsigned long usable = LOW_END;
	unsigned int n = 0, found;
	int err;

	while (n < max && index < end) {
		found = 0;
		if (space)
			found = query_window(space, &index, end, flags,
					     runs + n, max - n);
		n += found;
		if (found)
			continue;
		if (flags & WINREGION_QUERY_REGIONS) {
			index = space ? next_region_page(space, index) : end;
			index = min(index, end);
			continue;
		}
		err = query_outside(mm, space, index, &usable, &runs[n]);
		if (err)
			return err;
		index += runs[n++].length >> PAGE_SHIFT;
	}
	*addr = (u64)index << PAGE_SHIFT;
	return n;
}
