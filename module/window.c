// SPDX-License-Identifier: GPL-2.0
/*
 * A window: a range of addresses that maps our file.
 *
 * The core owns the VMAs, and the program may do to them what it may do to any:
 * unmap whole ones, and fork. Everything else is refused, because a page's
 * state is found by its address alone: offset in the file == address, always.
 * The only VMA changes are those that the holder of layout_lock announces in
 * space->layout; wr_layout_allows() is the one test, asked from
 * get_unmapped_area (before the core unmaps anything), mmap and may_split.
 *
 * The executable right is a VMA's, not a page's: a page that may not be
 * executed must not be mapped in an executable VMA, where it would only fault
 * for ever. So a window's own VMA is executable or not, after the protection
 * that its regions were reserved with, and committed pages that do not fit get
 * VMAs of their own over the same offsets; what is in memory stays, as it
 * belongs to the window. Pages that are not committed have no PTEs and fit
 * anywhere; they are kept in the window's own VMA. VMA changes come before the
 * change of states, as they are what can fail.
 *
 * A program can unmap such a piece alone. Its pages become WR_LOST: the region
 * keeps its identity, but nobody may map there again, since by now the
 * addresses can belong to somebody else.
 */
#include <linux/atomic.h>
#include <linux/file.h>
#include <linux/log2.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "fault.h"
#include "huge.h"
#include "regiontree.h"
#include "resident.h"

/* No address of a process has so many bits that a page index reaches here. */
#define STAMP_SHIFT 36

static atomic_long_t last_stamp = ATOMIC_LONG_INIT(0);

/* The window with the page @index or the next one behind. */
static struct wr_window *next_window(struct wr_space *space, pgoff_t index)
{
	struct rb_node *node = space->windows.rb_node;
	struct wr_window *next = NULL, *window;

	lockdep_assert_held(&space->lock);
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

/* The window with the page @index or the next one behind, with a reference. */
struct wr_window *wr_window_next(struct wr_space *space, pgoff_t index)
{
	struct wr_window *next;

	spin_lock(&space->lock);
	next = next_window(space, index);
	if (next)
		refcount_inc(&next->refs);
	spin_unlock(&space->lock);
	return next;
}

/* The window with the page @index, with a reference, or NULL. */
struct wr_window *wr_window_find(struct wr_space *space, pgoff_t index)
{
	struct wr_window *window = wr_window_next(space, index);

	if (!window || READ_ONCE(window->first) <= index)
		return window;
	wr_window_put(window);
	return NULL;
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
	window = next_window(space, index);
	if (window && (window->first > index || !mutex_trylock(&window->lock)))
		window = NULL;
	if (window)
		this_cpu_write(wr_recent, window);
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
	wr_runs_destroy(&window->runs);
	fput(window->file);
	wr_space_put(window->space);
	kfree_rcu(window, rcu);
}

static struct wr_window *alloc_window(struct wr_space *space, struct file *file)
{
	struct wr_window *window;

	window = kzalloc(sizeof(*window), GFP_KERNEL_ACCOUNT);
	if (!window)
		return NULL;
	refcount_set(&window->refs, 1);
	mutex_init(&window->lock);
	INIT_LIST_HEAD(&window->shared);
	INIT_LIST_HEAD(&window->batch);
	RB_CLEAR_NODE(&window->node);
	window->regions = RB_ROOT;
	window->file = get_file(file);
	window->space = space;
	wr_space_get(space);
	wr_runs_init(&window->runs, 0, 1, &space->spare);
	return window;
}

static void set_range(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	window->first = first;
	window->end = end;
	wr_runs_init(&window->runs, first, end, &window->space->spare);
}

/*
 * Adds the window to space->windows, which takes over the creator's reference.
 * Its lock is held. Return: 0, or -ENOENT if the program has unmapped it
 * already.
 */
int wr_window_publish(struct wr_window *window)
{
	struct rb_root *root = &window->space->windows;
	struct rb_node **link = &root->rb_node, *parent = NULL;

	lockdep_assert_held(&window->lock);
	if (window->dead)
		return -ENOENT;
	spin_lock(&window->space->lock);
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

/* Takes it out of space->windows. Return: whether it was in. */
static bool unpublish(struct wr_window *window)
{
	struct wr_space *space = window->space;

	lockdep_assert_held(&window->lock);
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&window->regions));
	window->dead = true;
	if (RB_EMPTY_NODE(&window->node))
		return false;
	spin_lock(&space->lock);
	rb_erase(&window->node, &space->windows);
	RB_CLEAR_NODE(&window->node);
	space->nr_windows--;
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

/* ---- the one gate for every VMA of ours ---- */

/* Whether current has announced a change of VMAs, so holds layout_lock. */
bool wr_layout_is_mine(struct wr_space *space)
{
	return READ_ONCE(space->layout.task) == current;
}

/* What the calling task has announced, or NULL. */
static struct wr_layout *current_layout(struct file *file)
{
	struct wr_space *space = wr_space_find(current->mm);
	struct wr_layout *layout = NULL;

	if (!space)
		return NULL;
	if (wr_layout_is_mine(space) && space->layout.window->file == file)
		layout = &space->layout;
	wr_space_put(space); /* the window has a reference */
	return layout;
}

/* Whether this mapping of @file is exactly what was announced. */
bool wr_layout_allows(struct file *file, unsigned long addr, unsigned long len,
		      unsigned long pgoff)
{
	struct wr_layout *layout = current_layout(file);

	return layout && layout->addr == addr && layout->len == len &&
	       (layout->place || pgoff == addr >> PAGE_SHIFT);
}

/* Whether all bytes belong to VMAs of the window. */
static bool all_ours(struct wr_window *window, unsigned long addr,
		     unsigned long end)
{
	VMA_ITERATOR(vmi, window->space->mm, addr);
	struct vm_area_struct *vma;

	mmap_assert_locked(window->space->mm);
	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_start > addr || !wr_vma_is_ours(vma) ||
		    vma->vm_private_data != window)
			return false;
		addr = vma->vm_end;
	}
	return addr >= end;
}

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
	if (window->lost) {
		*taken = window->first;
	} else if (!window->dead) {
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
bool wr_space_is_unmapped(struct wr_space *space, unsigned long addr,
			  unsigned long end)
{
	unsigned long first, stop;

	return !find_obstacle(space, addr, end, &first, &stop);
}

/**
 * wr_space_taken - whether a new region could not be somewhere
 * @space: the space; its layout_lock is held
 * @addr: the first byte
 * @end: the byte behind the last
 *
 * What is free inside a window is free. Context: mmap_lock is held.
 *
 * Return: the start of what is there already, maybe below @addr; or @end.
 */
unsigned long wr_space_taken(struct wr_space *space, unsigned long addr,
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
static unsigned long search_default(struct wr_space *space,
				    struct wr_layout *layout, struct file *file,
				    unsigned long flags)
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

static unsigned long place(struct wr_layout *layout, struct file *file,
			   unsigned long flags)
{
	struct wr_window *window = layout->window;
	unsigned long addr;

	mmap_assert_write_locked(window->space->mm);
	addr = search_default(window->space, layout, file, flags);
	if (IS_ERR_VALUE(addr))
		return addr;
	layout->addr = addr;
	set_range(window, addr >> PAGE_SHIFT,
		  (addr + layout->len) >> PAGE_SHIFT);
	return addr;
}

/* Whether the program has unmapped some of the pages. mmap_lock is held. */
static bool is_gone(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;
	bool gone;

	mmap_assert_locked(window->space->mm);
	mutex_lock(&window->lock);
	gone = window->dead;
	for (; !gone && first < end; first = next)
		gone = wr_runs_span(&window->runs, first, end, &next) & WR_LOST;
	mutex_unlock(&window->lock);
	return gone;
}

/*
 * f_op->get_unmapped_area of our file: under mmap_lock for writing, before
 * anything has been unmapped. mremap() and remap_file_pages() come here too,
 * and are refused.
 */
unsigned long wr_layout_address(struct file *file, unsigned long addr,
				unsigned long len, unsigned long pgoff,
				unsigned long flags)
{
	struct wr_layout *layout = current_layout(file);

	if (!layout || layout->len != len)
		return -EINVAL;
	if (layout->place)
		return place(layout, file, flags);
	if (layout->addr != addr || pgoff != addr >> PAGE_SHIFT)
		return -EINVAL;
	/* What has been unmapped since it was announced stays so. */
	if (is_gone(layout->window, pgoff, (addr + len) >> PAGE_SHIFT))
		return -ENOENT;
	if ((flags & MAP_FIXED) && !(flags & MAP_FIXED_NOREPLACE) &&
	    !all_ours(layout->window, addr, addr + len))
		return -EEXIST;
	return addr;
}

static void layout_begin(struct wr_window *window, unsigned long addr,
			 unsigned long len)
{
	struct wr_layout *layout = &window->space->layout;

	lockdep_assert_held(&window->space->layout_lock);
	layout->window = window;
	layout->addr = addr;
	layout->len = len;
	WRITE_ONCE(layout->task, current);
}

static void layout_end(struct wr_window *window)
{
	WRITE_ONCE(window->space->layout.task, NULL);
	window->space->layout.place = false;
	window->space->layout.exec = false;
}

static int map_error(unsigned long addr)
{
	if (!IS_ERR_VALUE(addr))
		return 0;
	switch ((long)addr) {
	case -ENOMEM:
		return -ENOSPC;
	case -EPERM:
		return -EACCES;
	default:
		return addr;
	}
}

/* vm_mmap() of the window's file as announced; @flags: MAP_FIXED... or 0 */
static int map_pages(struct wr_window *window, pgoff_t first,
		     unsigned long pages, bool exec, unsigned long flags)
{
	unsigned long prot = PROT_READ | PROT_WRITE;
	unsigned long addr = first << PAGE_SHIFT, ret;

	if (exec)
		prot |= PROT_EXEC;
	layout_begin(window, addr, pages << PAGE_SHIFT);
	window->space->layout.exec = exec;
	ret = vm_mmap(window->file, addr, pages << PAGE_SHIFT, prot,
		      MAP_SHARED | flags, addr);
	layout_end(window);
	return map_error(ret);
}

/* For what cannot fail, as the program's munmap() cannot. */
#define GFP_MUST (GFP_KERNEL_ACCOUNT | __GFP_NOFAIL)

/* Pages that have no VMA any more, and belong to no region. */
static void mark_lost(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	lockdep_assert_held(&window->lock);
	wr_runs_split(&window->runs, first, GFP_MUST);
	wr_runs_split(&window->runs, end, GFP_MUST);
	wr_runs_fill(&window->runs, first, end, WR_LOST);
	window->lost = true;
}

static int unmap_span(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	unsigned long addr = first << PAGE_SHIFT;
	unsigned long len = (end - first) << PAGE_SHIFT;
	int err;

	layout_begin(window, addr, len);
	err = vm_munmap(addr, len);
	layout_end(window);
	return err;
}

/*
 * vm_munmap() of what the window still has of these pages, which are free. If
 * the core refuses (no memory, sealed, killed), what was before that is lost.
 */
static int unmap_pages(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t at, next;
	int err = 0;
	u8 state;

	for (at = first; at < end; at = next) {
		mutex_lock(&window->lock);
		state = wr_runs_span(&window->runs, at, end, &next);
		mutex_unlock(&window->lock);
		if (!(state & WR_LOST))
			err = unmap_span(window, at, next);
		if (err)
			break;
	}
	if (err && at > first) {
		mutex_lock(&window->lock);
		mark_lost(window, first, at);
		mutex_unlock(&window->lock);
	}
	return err;
}

/**
 * wr_window_create - map a new window
 * @space: whose; its layout_lock is held, and space->layout says where: at
 *	@addr, or anywhere within the limits if @place is set
 * @pages: its size
 * @exec: most of its pages will be executable
 * @huge: they may be large
 *
 * Return: the window, not in space->windows yet, or an error pointer: -ENOSPC,
 * -EEXIST, -EAGAIN, -EACCES, -ENOMEM, -ENFILE, -EINTR.
 */
struct wr_window *wr_window_create(struct wr_space *space, unsigned long pages,
				   bool exec, bool huge)
{
	struct wr_layout *layout = &space->layout;
	pgoff_t first = layout->addr >> PAGE_SHIFT;
	struct file *file = wr_space_file(space);
	struct wr_window *window;
	int err;

	if (IS_ERR(file))
		return ERR_CAST(file);
	window = alloc_window(space, file);
	if (!window)
		return ERR_PTR(-ENOMEM);
	window->exec = exec;
	window->huge = huge;
	if (layout->place) {
		err = map_pages(window, 0, pages, exec, 0);
	} else {
		set_range(window, first, first + pages);
		err = map_pages(window, first, pages, exec,
				MAP_FIXED_NOREPLACE);
	}
	if (!err)
		return window;
	wr_window_put(window);
	return ERR_PTR(err);
}

/**
 * wr_window_destroy - unmap a window without regions
 * @window: the window; its space's layout_lock is held
 *
 * Return: 0, or an error if the core refused (no memory, sealed, killed); then
 * it stays, all free.
 */
int wr_window_destroy(struct wr_window *window)
{
	bool published;
	int err = unmap_pages(window, window->first, window->end);

	if (err)
		return err;
	mutex_lock(&window->lock);
	published = unpublish(window);
	mutex_unlock(&window->lock);
	if (published)
		wr_window_put(window);
	return 0;
}

/**
 * wr_window_trim - unmap the free pages at an end of a window
 * @window: the window; its space's layout_lock is held
 * @first: the first page; no region of the window is in the range
 * @end: the page behind the last; the range leaves the window on a side
 *
 * Return: 0, or an error if the core refused.
 */
int wr_window_trim(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_region *region;
	int err;

	first = max(first, window->first);
	end = min(end, window->end);
	if (first == window->first && end == window->end)
		return wr_window_destroy(window);
	err = unmap_pages(window, first, end);
	if (err)
		return err;
	mutex_lock(&window->lock);
	spin_lock(&window->space->lock);
	if (!list_empty(&window->shared))
		window->space->shared_pages -= end - first;
	if (first == window->first)
		window->first = end;
	else
		window->end = first;
	spin_unlock(&window->space->lock);
	region = wr_region_first(window);
	if (region) { /* the gap in front of it has changed */
		wr_region_remove(window, region);
		wr_region_add(window, region);
	}
	mutex_unlock(&window->lock);
	return 0;
}

/* ---- simple and tracked ---- */

/* Waits for faults, which want the window's lock; so it is not held here. */
static void track_vmas(struct wr_window *window)
{
	VMA_ITERATOR(vmi, window->space->mm, window->first << PAGE_SHIFT);
	struct vm_area_struct *vma;

	mmap_assert_write_locked(window->space->mm);
	for_each_vma_range(vmi, vma, window->end << PAGE_SHIFT)
		if (wr_vma_is_ours(vma) && vma->vm_private_data == window)
			wr_vma_set_tracked(vma);
	mutex_lock(&window->lock);
	window->tracked = true;
	mutex_unlock(&window->lock);
}

/**
 * wr_window_track - from now on ask before a page becomes writable
 * @window: the window
 *
 * Return: 0 or -EINTR.
 */
int wr_window_track(struct wr_window *window)
{
	if (mmap_write_lock_killable(window->space->mm))
		return -EINTR;
	if (!window->tracked)
		track_vmas(window);
	mmap_write_unlock(window->space->mm);
	return 0;
}

/* ---- pages that are no longer committed ---- */

static void count_run(struct wr_window *window, u8 state, unsigned long pages,
		      unsigned long *committed)
{
	if (state & WR_COMMITTED)
		*committed += pages;
	if (wr_window_is_odd(window, state))
		window->nr_odd -= pages;
}

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
	wr_huge_break(window, first, end);
	for (i = first; i < end; i = next) {
		state = wr_runs_span(&window->runs, i, end, &next);
		count_run(window, state, next - i, &committed);
		if (state && !(state & WR_LOST))
			wr_runs_fill(&window->runs, i, next, 0);
	}
	wr_resident_drop(window, first, end, mapped);
	wr_huge_thin(window, first, end);
	wr_runs_compact(&window->runs, first, end, region->first, region->end);
	region->committed -= committed;
	wr_pagefile_uncharge(&window->space->pagefile, committed);
}

static void clear_regions(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_region *region = wr_region_next(window, first);

	for (; region && region->first < end; region = wr_region_after(region))
		wr_window_clear(window, region, max(first, region->first),
				min(end, region->end), false);
}

static void free_regions(struct wr_window *window)
{
	struct wr_region *region;
	long n = 0;

	while ((region = wr_region_first(window))) {
		wr_region_remove(window, region);
		kfree(region);
		n++;
	}
	wr_space_add_regions(window->space, -n);
}

/* Whether all pages are lost, or else (@lost) whether none is. */
static bool all_pages(struct wr_window *window, bool lost)
{
	pgoff_t i, next;
	u8 state;

	for (i = window->first; i < window->end; i = next) {
		state = wr_runs_span(&window->runs, i, window->end, &next);
		if (lost != !!(state & WR_LOST))
			return false;
	}
	return true;
}

/* The pages have no VMA any more; what they held is gone. */
static void lose_pages(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	wr_runs_split(&window->runs, first, GFP_MUST);
	wr_runs_split(&window->runs, end, GFP_MUST);
	clear_regions(window, first, end);
	/* Compacting may have joined what the edges need. */
	mark_lost(window, first, end);
}

/* The whole window is gone. Return: whether its reference is to be put. */
static bool end_window(struct wr_window *window)
{
	clear_regions(window, window->first, window->end);
	free_regions(window);
	return unpublish(window);
}

/**
 * wr_window_unmapped - the program, or its end, has unmapped a VMA, or there is
 *	none any more because it could not be replaced
 * @window: the VMA's window
 * @first: its first page
 * @end: the page behind its last
 *
 * A whole window is released with all that is in it. Of a piece the
 * regions remain, with nothing that could be committed there again.
 *
 * Context: mostly under mmap_lock, for reading or writing; takes no layout_lock.
 */
void wr_window_unmapped(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	bool put = false, whole;

	mutex_lock(&window->lock);
	whole = first <= window->first && end >= window->end;
	if (!window->dead && !whole) {
		lose_pages(window, first, end);
		whole = all_pages(window, true);
	}
	if (!window->dead && whole)
		put = end_window(window);
	mutex_unlock(&window->lock);
	wr_pagefile_trim(&window->space->pagefile, false);
	if (put)
		wr_window_put(window);
}

/* ---- executable pieces ---- */

static bool state_is_exec_at(struct wr_window *window, pgoff_t first,
			     pgoff_t end, pgoff_t *next, bool *lost)
{
	pgoff_t stop = first;
	bool exec = false;
	u8 state;

	mutex_lock(&window->lock);
	while (stop < end) {
		state = wr_runs_span(&window->runs, stop, end, next);
		if (stop == first) {
			exec = wr_window_exec_at(window, state);
			*lost = state & WR_LOST;
		} else if (exec != wr_window_exec_at(window, state) ||
			   *lost != !!(state & WR_LOST)) {
			break;
		}
		stop = *next;
	}
	*next = stop;
	mutex_unlock(&window->lock);
	return exec;
}

/* Whether the VMAs of pages that agree fit them. */
static bool piece_fits(struct wr_window *window, pgoff_t first, pgoff_t end,
		       bool exec)
{
	VMA_ITERATOR(vmi, window->space->mm, first << PAGE_SHIFT);
	struct mm_struct *mm = window->space->mm;
	struct vm_area_struct *vma;
	bool fits;

	mmap_read_lock(mm);
	fits = all_ours(window, first << PAGE_SHIFT, end << PAGE_SHIFT);
	if (fits)
		for_each_vma_range(vmi, vma, end << PAGE_SHIFT)
			if (exec != !!(vma->vm_flags & VM_EXEC))
				fits = false;
	mmap_read_unlock(mm);
	return fits;
}

static bool is_ours_now(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	bool ours;

	mmap_read_lock(window->space->mm);
	ours = all_ours(window, first << PAGE_SHIFT, end << PAGE_SHIFT);
	mmap_read_unlock(window->space->mm);
	return ours;
}

/* The second try fills the hole that the first one may have left. */
static int restore_piece(struct wr_window *window, pgoff_t first, pgoff_t end,
			 bool exec)
{
	unsigned long flags = MAP_FIXED;

	if (piece_fits(window, first, end, exec) ||
	    !map_pages(window, first, end - first, exec, flags))
		return 0;
	if (!is_ours_now(window, first, end))
		flags = MAP_FIXED_NOREPLACE;
	return map_pages(window, first, end - first, exec, flags);
}

/**
 * wr_window_restore - make the VMAs fit the states
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last
 *
 * For pages that were released, and for when a change of VMAs has failed half
 * way, where the core can leave a hole. What cannot be mapped again is lost.
 */
void wr_window_restore(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	bool exec, lost = false;
	pgoff_t next;

	for (; first < end; first = next) {
		exec = state_is_exec_at(window, first, end, &next, &lost);
		if (lost || !restore_piece(window, first, next, exec))
			continue;
		if (is_ours_now(window, first, next))
			unmap_pages(window, first, next);
		/* No VMA of the window may be left to be closed. */
		wr_window_unmapped(window, first, next);
	}
}

/* The pages from *@first on that are not lost: up to the one returned. */
static pgoff_t kept_span(struct wr_window *window, pgoff_t *first, pgoff_t end)
{
	pgoff_t i, next;
	bool lost;

	mutex_lock(&window->lock);
	for (i = *first; i < end; i = next) {
		lost = wr_runs_span(&window->runs, i, end, &next) & WR_LOST;
		if (lost && i > *first)
			break;
		if (lost)
			*first = next;
	}
	mutex_unlock(&window->lock);
	return i;
}

/**
 * wr_window_remap - give pages a VMA that is executable, or one that is not
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last
 * @exec: which
 *
 * Lost pages are left out.
 *
 * Return: 0, or an error with nothing changed.
 */
int wr_window_remap(struct wr_window *window, pgoff_t first, pgoff_t end,
		    bool exec)
{
	pgoff_t i = first, next;
	int err = 0;

	mutex_lock(&window->lock);
	window->pieces = true;
	mutex_unlock(&window->lock);
	for (; i < end && !err; i = next) {
		next = kept_span(window, &i, end);
		if (i < next)
			err = map_pages(window, i, next - i, exec, MAP_FIXED);
	}
	if (err)
		wr_window_restore(window, first, end);
	return err;
}

/**
 * wr_window_move - tell forks what the pages of a VMA will be
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last; @first if it is over
 * @state: their state once they have moved
 */
void wr_window_move(struct wr_window *window, pgoff_t first, pgoff_t end,
		    u8 state)
{
	mutex_lock(&window->lock);
	window->moving.first = first;
	window->moving.end = end;
	window->moving.state = state;
	mutex_unlock(&window->lock);
}

/**
 * wr_window_rejoin - make a window one VMA again
 * @window: the window; its space's layout_lock is held
 *
 * The core never merges VMAs of ours (VM_DONTEXPAND). If it fails the window
 * stays in pieces, which is only less tidy.
 */
void wr_window_rejoin(struct wr_window *window)
{
	bool join;

	mutex_lock(&window->lock);
	join = window->pieces && !window->nr_odd && !window->lost;
	mutex_unlock(&window->lock);
	if (join &&
	    !wr_window_remap(window, window->first, window->end, window->exec))
		window->pieces = false;
}

/* ---- fork ---- */

static int fork_regions(struct wr_window *parent, struct wr_window *child)
{
	struct wr_region *region = wr_region_first(parent), *copy;
	int err;

	for (; region; region = wr_region_after(region)) {
		copy = kzalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);
		if (!copy)
			return -ENOMEM;
		err = wr_space_add_regions(child->space, 1);
		if (err) {
			kfree(copy);
			return err;
		}
		copy->first = region->first;
		copy->end = region->end;
		copy->protection = region->protection;
		wr_region_add(child, copy);
	}
	return 0;
}

/* Whether all pages of a VMA are where they belong. */
static bool vma_fits(struct wr_window *window, struct vm_area_struct *vma)
{
	pgoff_t i = vma->vm_pgoff, end = i + vma_pages(vma), next;
	bool exec = vma->vm_flags & VM_EXEC;

	for (; i < end; i = next)
		if (wr_window_exec_at(window, wr_runs_span(&window->runs, i,
							   end, &next)) != exec)
			return false;
	return true;
}

/*
 * A fork can fall between the change of a piece's VMA and that of its states.
 * A call for one range is over then, for the child. One for several is not
 * undone for it either: what is committed is not executable, and what is not
 * committed stays so, if it would belong elsewhere.
 */
enum fork_how {
	FORK_FITS,
	FORK_MOVES,
	FORK_ODD,
};

static enum fork_how fork_how(struct wr_window *parent,
			      struct vm_area_struct *vma)
{
	pgoff_t first = vma->vm_pgoff;

	if (vma_fits(parent, vma))
		return FORK_FITS;
	if (first >= parent->moving.first &&
	    first + vma_pages(vma) <= parent->moving.end)
		return FORK_MOVES;
	return FORK_ODD;
}

static u8 fork_state(struct wr_window *parent, u8 state, enum fork_how how)
{
	if (how == FORK_FITS || state & WR_LOST)
		return state;
	if (how == FORK_MOVES)
		return parent->moving.state;
	if (state & WR_COMMITTED)
		return state & ~(WR_EXEC | WR_EXEC_ONLY);
	return parent->exec ? WR_LOST : state;
}

static int fork_run(struct wr_window *child, pgoff_t first, pgoff_t end,
		    u8 state)
{
	int err;

	err = wr_runs_split(&child->runs, first, GFP_KERNEL_ACCOUNT);
	if (!err)
		err = wr_runs_split(&child->runs, end, GFP_KERNEL_ACCOUNT);
	if (!err && (state & WR_COMMITTED))
		err = wr_pagefile_charge(&child->space->pagefile, end - first);
	if (!err) {
		wr_runs_fill(&child->runs, first, end, state);
		if (wr_window_is_odd(child, state))
			child->nr_odd += end - first;
	}
	return err;
}

/* The states of a region, or of free pages where @region is NULL. */
static int fork_runs(struct wr_window *parent, struct wr_window *child,
		     struct wr_region *region, pgoff_t first, pgoff_t end,
		     enum fork_how how)
{
	pgoff_t next;
	int err;
	u8 state;

	for (; first < end; first = next) {
		state = wr_runs_span(&parent->runs, first, end, &next);
		state = fork_state(parent, state, how);
		err = fork_run(child, first, next, state);
		if (err)
			return err;
		if (region && (state & WR_COMMITTED))
			region->committed += next - first;
	}
	return 0;
}

static int fork_states(struct wr_window *parent, struct wr_window *child,
		       pgoff_t first, pgoff_t end, enum fork_how how)
{
	struct wr_region *region;
	pgoff_t stop;
	int err;

	for (; first < end; first = stop) {
		region = wr_region_next(child, first);
		if (!region || region->first >= end)
			stop = end;
		else if (region->first > first)
			stop = region->first;
		else
			stop = min(end, region->end);
		if (region && region->first > first)
			region = NULL;
		err = fork_runs(parent, child, region, first, stop, how);
		if (err)
			return err;
	}
	return 0;
}

static struct wr_window *fork_window(struct wr_window *parent,
				     struct wr_space *space)
{
	struct wr_window *child = alloc_window(space, parent->file);
	struct wr_runs *runs;
	int err;

	if (!child)
		return NULL;
	set_range(child, parent->first, parent->end);
	child->stamp = (pgoff_t)atomic_long_inc_return(&last_stamp)
		       << STAMP_SHIFT;
	child->exec = parent->exec;
	child->tracked = true;
	child->forked = true;
	child->pieces = parent->pieces;
	/* Until its VMA has been copied too, a page is lost. */
	runs = &child->runs;
	wr_runs_fill(runs, runs->base, runs->base + (1UL << runs->shift),
		     WR_LOST);
	child->lost = true;
	mutex_lock_nested(&child->lock, SINGLE_DEPTH_NESTING);
	err = fork_regions(parent, child);
	if (!err)
		err = wr_window_publish(child);
	if (err)
		free_regions(child);
	mutex_unlock(&child->lock);
	if (!err)
		return child;
	wr_window_put(child);
	return NULL;
}

/* The child's window, made by the first of its VMAs; with a reference. */
static struct wr_window *child_of(struct wr_window *parent,
				  struct wr_space *space)
{
	struct wr_window *child = wr_window_find(space, parent->first);

	if (child)
		return child;
	child = fork_window(parent, space);
	if (child)
		wr_window_get(child);
	return child;
}

static void fork_vma(struct wr_window *parent, struct wr_window *child,
		     struct vm_area_struct *vma, bool *failed)
{
	pgoff_t first = vma->vm_pgoff, end = first + vma_pages(vma);
	enum fork_how how = fork_how(parent, vma);
	int err;

	if (how == FORK_ODD)
		vm_flags_clear(vma, VM_EXEC);

	mutex_lock_nested(&child->lock, SINGLE_DEPTH_NESTING);
	err = fork_states(parent, child, first, end, how);
	if (!err)
		err = wr_resident_fork(parent, child, first, end);
	if (!err && how == FORK_MOVES && !(parent->moving.state & WR_COMMITTED))
		wr_resident_drop(child, first, end, false);
	if (err)
		lose_pages(child, first, end);
	else
		child->lost = !all_pages(child, false);
	*failed = err;
	mutex_unlock(&child->lock);
}

/* If none of the child's VMAs could be copied, neither is the window. */
static void drop_failed(struct wr_window *child)
{
	bool put = false;

	mutex_lock_nested(&child->lock, SINGLE_DEPTH_NESTING);
	if (!child->dead && all_pages(child, true))
		put = end_window(child);
	mutex_unlock(&child->lock);
	if (put)
		wr_window_put(child);
	wr_window_put(child);
}

/**
 * wr_window_fork - a child's copy of a window, as far as a VMA reaches
 * @parent: the parent's window
 * @vma: the child's VMA; both mmap_locks are held for writing
 *
 * Both sides go on with the same pages, until one of them writes. Nothing is
 * looked up in the child's VMA tree, which is being built.
 *
 * Return: the window with a reference for the VMA, or NULL if there was no
 * memory or no commit charge; the child then has no memory there.
 */
struct wr_window *wr_window_fork(struct wr_window *parent,
				 struct vm_area_struct *vma)
{
	struct wr_space *space = wr_space_get_for(vma->vm_mm);
	struct wr_window *child;
	bool failed = false;

	if (!parent->tracked)
		track_vmas(parent);
	if (!space)
		return NULL;
	if (READ_ONCE(parent->space->file) == parent->file)
		WRITE_ONCE(parent->space->file_forked, true);
	mutex_lock(&parent->lock);
	parent->forked = true;
	child = child_of(parent, space);
	if (child)
		fork_vma(parent, child, vma, &failed);
	mutex_unlock(&parent->lock);
	if (failed) {
		drop_failed(child);
		child = NULL;
	}
	wr_space_put(space);
	return child;
}
