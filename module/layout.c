// SPDX-License-Identifier: GPL-2.0
/*
 * The one place where VMAs of ours are made, replaced and unmapped, and the gate
 * that keeps everybody else from it.
 *
 * A page's state is found by its address alone, and so is its offset in the file:
 * wr_window_offset(). So the only VMA changes are those that the holder of
 * layout_lock announces in space->layout; wr_layout_allows() is the one test, asked
 * from get_unmapped_area (before the core unmaps anything), mmap and may_split.
 *
 * What a window thinks that it covers and what its VMAs cover is the same
 * whenever mmap_lock is free, as the program can unmap them at any such moment:
 * the close of a VMA moves the window's ends, or ends the window, under the
 * mmap_lock under which the VMA goes.
 *
 * vm_munmap() asks nobody whose mapping it removes, and the program may have
 * put its own there meanwhile. mmap(MAP_FIXED) of our file does ask, under
 * mmap_lock, and then unmaps what is there before it asks our mmap, which
 * says no: that is how free pages leave a window.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "account.h"
#include "errand.h"
#include "fault.h"
#include "huge.h"
#include "layout.h"
#include "place.h"
#include "regiontree.h"
#include "settings.h"
#include "watch.h"

/* Whether current has announced a change of VMAs, so holds layout_lock. */
bool wr_layout_is_mine(struct wr_space *space)
{
	return READ_ONCE(space->layout.task) == current;
}

/* What the calling task has announced, or NULL; who has, has a reference. */
static struct wr_layout *current_layout(struct file *file)
{
	struct wr_layout *layout = NULL;
	struct wr_space *space;

	rcu_read_lock();
	space = wr_space_peek(current->mm);
	if (space && wr_layout_is_mine(space) &&
	    space->layout.window->file == file)
		layout = &space->layout;
	rcu_read_unlock();
	return layout;
}

/*
 * What was announced, if this mapping of @file is exactly that, or NULL. It is the
 * caller who has announced it, so it stays.
 */
struct wr_layout *wr_layout_announced(struct file *file, unsigned long addr,
				      unsigned long len, unsigned long pgoff)
{
	struct wr_layout *layout = current_layout(file);

	if (layout && layout->addr == addr && layout->len == len &&
	    (layout->place ||
	     pgoff == wr_window_offset(layout->window, wr_index(addr))))
		return layout;
	return NULL;
}

/* Whether this mapping of @file is exactly what was announced. */
bool wr_layout_allows(struct file *file, unsigned long addr, unsigned long len,
		      unsigned long pgoff)
{
	return wr_layout_announced(file, addr, len, pgoff);
}

/* Whether all bytes belong to VMAs of the window. */
bool wr_layout_all_ours(struct wr_window *window, unsigned long addr,
			unsigned long end)
{
	VMA_ITERATOR(vmi, window->space->mm, addr);
	struct vm_area_struct *vma;

	mmap_assert_locked(window->space->mm);
	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_start > addr || (wr_vma_window(vma) != window &&
					     wr_vma_view(vma) != window))
			return false;
		addr = vma->vm_end;
		cond_resched();
	}
	return addr >= end;
}

/*
 * Whether the program has unmapped some of the pages. mmap_lock is held, or nobody
 * could unmap any meanwhile.
 */
static bool is_gone(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;
	bool gone;

	mutex_lock(&window->lock);
	gone = window->dead;
	for (; !gone && first < end; first = next) {
		gone = wr_window_lost_at(window, first, end, &next);
		cond_resched();
	}
	mutex_unlock(&window->lock);
	return gone;
}

/* Whether the window, which is locked, has a region there. */
static bool has_region(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_region *region = wr_region_next(window, first);

	lockdep_assert_held(&window->lock);
	return region && region->first < end;
}

/* The same of one that is not. */
static bool is_in_region(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	bool is_in;

	mutex_lock(&window->lock);
	is_in = has_region(window, first, end);
	mutex_unlock(&window->lock);
	return is_in;
}

/* Whether the pages may leave their window; mmap_lock or layout_lock is held. */
static bool may_leave(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	bool may;

	if (window->view)
		return true; /* it goes with its region */
	mutex_lock(&window->lock);
	may = wr_window_can_lose(window, first, end) &&
	      !has_region(window, first, end);
	mutex_unlock(&window->lock);
	return may;
}

/* Whether all that windows have of the range is free, and at their ends. */
static bool windows_give_way(struct wr_space *space, pgoff_t first, pgoff_t end)
{
	struct wr_window *window;
	bool gives_way = true;
	pgoff_t next = first;

	while (gives_way && (window = wr_window_next(space, next)) &&
	       window->first < end) {
		wr_window_trim(window);
		next = window->end;
		gives_way = (window->first >= first || next <= end) &&
			    may_leave(window, first, end);
		wr_window_put(window);
		window = NULL;
		cond_resched();
	}
	if (window)
		wr_window_put(window);
	return gives_way;
}

/* Whether there are no VMAs but of ours. */
static bool no_others(struct mm_struct *mm, unsigned long addr,
		      unsigned long end)
{
	VMA_ITERATOR(vmi, mm, addr);
	struct vm_area_struct *vma;

	for_each_vma_range(vmi, vma, end) {
		if (!wr_vma_window(vma))
			return false;
		cond_resched();
	}
	return true;
}

/* Whether the range is a hole, where nobody else has mapped anything. */
static bool is_hole(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;
	bool hole;

	mutex_lock(&window->lock);
	hole = !window->dead && first >= window->first && end <= window->end &&
	       !has_region(window, first, end);
	for (; hole && first < end; first = next) {
		hole = wr_window_lost_at(window, first, end, &next);
		cond_resched();
	}
	mutex_unlock(&window->lock);
	return hole;
}

/* Whether there are no VMAs but of the window. */
static bool nobody_elses(struct wr_window *window, unsigned long addr,
			 unsigned long end)
{
	VMA_ITERATOR(vmi, window->space->mm, addr);
	struct vm_area_struct *vma;

	for_each_vma_range(vmi, vma, end) {
		if (wr_vma_window(vma) != window)
			return false;
		cond_resched();
	}
	return true;
}

/* What is to be mapped over, if a VMA is of that: a view, or a window; or NULL. */
static struct wr_window *covered(struct wr_layout *layout,
				 struct vm_area_struct *vma)
{
	struct wr_window *window = wr_vma_window(vma);

	if (!window && layout->over)
		window = wr_vma_view(vma);
	if (!window || window->space != layout->window->space ||
	    (layout->over && window != layout->over))
		return NULL;
	return window;
}

/* Whether it can be: of a window, placeholders. */
static bool may_cover(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	bool may;

	if (window->view)
		return true;
	mutex_lock(&window->lock);
	may = wr_window_can_lose(window, first, end);
	mutex_unlock(&window->lock);
	return may;
}

/* Whether all of a range is that. Each window is looked at once, not for each VMA. */
static bool may_cover_all(struct wr_layout *layout, unsigned long addr,
			  unsigned long end)
{
	VMA_ITERATOR(vmi, layout->window->space->mm, addr);
	pgoff_t first = wr_index(addr), stop = wr_index(end);
	struct wr_window *window, *last = NULL;
	struct vm_area_struct *vma;

	for_each_vma_range(vmi, vma, end) {
		window = covered(layout, vma);
		if (vma->vm_start > addr || !window ||
		    (window != last && !may_cover(window, first, stop)))
			return false;
		last = window;
		addr = vma->vm_end;
		cond_resched();
	}
	return addr >= end;
}

/* Whether what is there may go, as announced. mmap_lock is held for writing. */
static int may_go(struct wr_layout *layout, unsigned long addr,
		  unsigned long end)
{
	pgoff_t first = addr >> PAGE_SHIFT, stop = end >> PAGE_SHIFT;
	struct wr_window *window = layout->window;
	bool may;

	if (layout->step == WR_STEP_NEW) {
		may = windows_give_way(window->space, first, stop) &&
		      no_others(window->space->mm, addr, end);
	} else if (layout->step == WR_STEP_OVER) {
		may = may_cover_all(layout, addr, end);
	} else if (layout->step == WR_STEP_REFILL) {
		may = is_hole(window, first, stop) &&
		      (layout->over ? may_cover_all(layout, addr, end) :
				      nobody_elses(window, addr, end));
	} else {
		/* What has been unmapped since it was announced stays so. */
		if (is_gone(window, first, stop))
			return -ENOENT;
		may = wr_layout_all_ours(window, addr, end);
		if (layout->step == WR_STEP_LEAVE)
			may = may && may_leave(window, first, stop);
	}
	return may ? 0 : -EEXIST;
}

/* How many VMAs more a mapping there makes. */
static int growth(struct mm_struct *mm, unsigned long addr, unsigned long end)
{
	VMA_ITERATOR(vmi, mm, addr);
	struct vm_area_struct *vma;
	int n = 1;

	for_each_vma_range(vmi, vma, end) {
		n += (vma->vm_start < addr) + (vma->vm_end > end) - 1;
		cond_resched();
	}
	return n;
}

/*
 * With one VMA more than vm.max_map_count, which the core allows, it maps nothing, so
 * free pages could not leave either. That one is not for what programs ask of us; but
 * for what is put back to where it was.
 */
static bool are_too_many(struct wr_layout *layout, unsigned long addr,
			 unsigned long end)
{
	struct wr_window *window = layout->window;
	struct mm_struct *mm = window->space->mm;
	unsigned long will_be;
	int more;

	if (layout->step == WR_STEP_LEAVE ||
	    (layout->step == WR_STEP_REPLACE && layout->exec == window->exec) ||
	    mm->map_count + 2UL <= wr_settings_max_maps(false))
		return false;
	more = growth(mm, addr, end);
	will_be = mm->map_count + more;
	return more > 0 && will_be > wr_settings_max_maps(true);
}

/* What the program has set for the VMA that will be replaced. */
static unsigned long program_flags(struct wr_window *window, unsigned long addr)
{
	struct vm_area_struct *vma = vma_lookup(window->space->mm, addr);

	if (!vma || wr_vma_window(vma) != window)
		return 0;
	return vma->vm_flags & WR_PROGRAM_FLAGS;
}

static unsigned long place(struct wr_layout *layout, struct file *file,
			   unsigned long flags)
{
	struct wr_window *window = layout->window;
	unsigned long addr;

	mmap_assert_write_locked(window->space->mm);
	addr = wr_place_default(window->space, layout, file, flags);
	if (IS_ERR_VALUE(addr))
		return addr;
	if (are_too_many(layout, addr, addr + layout->len))
		return -ENOMEM;
	layout->addr = addr;
	wr_window_set_range(window, addr >> PAGE_SHIFT,
			    (addr + layout->len) >> PAGE_SHIFT);
	return addr;
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
	int err = 0;

	if (!layout || layout->len != len)
		return -EINVAL;
	mmap_assert_write_locked(layout->window->space->mm);
	if (layout->place)
		return place(layout, file, flags);
	if (layout->addr != addr ||
	    pgoff != wr_window_offset(layout->window, wr_index(addr)))
		return -EINVAL;
	if (!(flags & MAP_FIXED_NOREPLACE)) {
		err = may_go(layout, addr, addr + len);
		layout->keep = program_flags(layout->window, addr);
	} else if (is_gone(layout->window, wr_index(addr),
			   wr_index(addr + len))) {
		err = -ENOENT;
	}
	if (!err && are_too_many(layout, addr, addr + len))
		err = -ENOMEM;
	return err ? err : addr;
}

/* Why a VMA of the window goes; mmap_lock is held, at least for reading. */
enum wr_closing wr_layout_closing(struct wr_window *window)
{
	struct wr_layout *layout = &window->space->layout;

	if (!wr_layout_is_mine(window->space))
		return WR_CLOSE_UNMAPPED;
	if (window != layout->over &&
	    (layout->step == WR_STEP_REPLACE || layout->step == WR_STEP_REFILL))
		return WR_CLOSE_REPLACED;
	layout->left = true;
	return WR_CLOSE_LEFT;
}

/**
 * wr_layout_arrived - a VMA is there, as announced
 * @window: its window
 *
 * Under mmap_lock, so that nobody ever sees the pages without their region. If the core
 * fails after all, both go with the VMA.
 */
void wr_layout_arrived(struct wr_window *window)
{
	struct wr_layout *layout = &window->space->layout;
	struct wr_region *region = layout->region;

	if (!region)
		return;
	layout->region = NULL;
	mutex_lock(&window->lock);
	wr_region_add(window, region);
	if (RB_EMPTY_NODE(&window->node))
		wr_window_publish(window);
	mutex_unlock(&window->lock);
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

/* vm_mmap() as announced but for who calls it; MAP_SHARED if @flags say nothing. */
static unsigned long announced_mmap(struct wr_layout *layout,
				    unsigned long prot, unsigned long flags)
{
	struct wr_window *window = layout->window;
	pgoff_t offset = wr_window_offset(window, wr_index(layout->addr));
	unsigned long ret;

	if (!(flags & MAP_TYPE))
		flags |= MAP_SHARED;
	layout->exec = prot & PROT_EXEC;
	layout->left = false;
	WRITE_ONCE(layout->task, current);
	ret = vm_mmap(window->file, layout->addr, layout->len, prot, flags,
		      offset << PAGE_SHIFT);
	WRITE_ONCE(layout->task, NULL);
	return ret;
}

/**
 * struct wr_mapping - a change of VMAs that a kernel thread does
 * @errand: for it
 * @layout: what is announced
 * @cred: whose credentials it has, or NULL: its own
 * @prot: for vm_mmap()
 * @flags: for vm_mmap()
 * @ret: what that has returned
 */
struct wr_mapping {
	struct wr_errand errand;
	struct wr_layout *layout;
	const struct cred *cred;
	unsigned long prot;
	unsigned long flags;
	unsigned long ret;
};

static struct wr_mapping *to_mapping(struct wr_errand *errand)
{
	return container_of(errand, struct wr_mapping, errand);
}

static int mmap_remotely(struct wr_errand *errand)
{
	struct wr_mapping *mapping = to_mapping(errand);
	struct mm_struct *mm = mapping->layout->window->space->mm;
	const struct cred *cred = NULL;
	struct wr_account account;

	if (mapping->cred)
		cred = override_creds(mapping->cred);
	kthread_use_mm(mm);
	wr_account_begin(&account, mm);
	mapping->ret =
		announced_mmap(mapping->layout, mapping->prot, mapping->flags);
	wr_account_end(&account);
	kthread_unuse_mm(mm);
	if (mapping->cred)
		revert_creds(cred);
	return 0;
}

static void free_mapping(struct wr_errand *errand)
{
	kfree(to_mapping(errand));
}

static unsigned long finish_mapping(struct wr_mapping *mapping)
{
	int err = wr_errand_begin(&mapping->errand);

	/* Who is killed need not be done: then it stays, all free. */
	if (!err)
		err = wr_errand_finish(&mapping->errand);
	return err ? err : mapping->ret;
}

/*
 * vm_mmap() over what the window has already asks for no address space. But the
 * core refuses it where the process has more than its limit says by now, which
 * is that of the calling task: a kernel thread has none. What only leaves is
 * nobody's to forbid.
 */
static unsigned long mmap_without_limit(struct wr_layout *layout,
					unsigned long prot, unsigned long flags)
{
	struct wr_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	unsigned long ret;

	if (!mapping)
		return -ENOMEM;
	mapping->errand.act = mmap_remotely;
	mapping->errand.free = free_mapping;
	mapping->layout = layout;
	if (layout->step != WR_STEP_LEAVE)
		mapping->cred = current_cred();
	mapping->prot = prot;
	mapping->flags = flags;
	ret = finish_mapping(mapping);
	wr_errand_free(&mapping->errand);
	return ret;
}

/* Whether it is only a limit that is in the way of what needs nothing. */
static bool is_limit(struct wr_layout *layout, unsigned long ret,
		     unsigned long flags)
{
	struct mm_struct *mm = layout->window->space->mm;

	if (layout->step == WR_STEP_NEW ||
	    (layout->step == WR_STEP_REFILL && !layout->over) ||
	    !(flags & MAP_FIXED) || layout->left)
		return false;
	if (ret == -EAGAIN)
		return layout->step == WR_STEP_LEAVE; /* mlockall() */
	return ret == -ENOMEM &&
	       READ_ONCE(mm->total_vm) > rlimit(RLIMIT_AS) >> PAGE_SHIFT;
}

static void announce(struct wr_window *window, enum wr_step step,
		     unsigned long addr, unsigned long len)
{
	struct wr_layout *layout = &window->space->layout;

	lockdep_assert_held(&window->space->layout_lock);
	layout->window = window;
	layout->addr = addr;
	layout->len = len;
	layout->step = step;
	layout->keep = 0;
}

/* Announces a step, and maps the window's file at @addr as it says. */
static unsigned long take_step(struct wr_window *window, enum wr_step step,
			       unsigned long addr, unsigned long len,
			       unsigned long prot, unsigned long flags)
{
	struct wr_layout *layout = &window->space->layout;
	unsigned long ret;

	announce(window, step, addr, len);
	ret = announced_mmap(layout, prot, flags);
	if (is_limit(layout, ret, flags))
		ret = mmap_without_limit(layout, prot, flags);
	layout->place = false;
	return ret;
}

static unsigned long rights(bool exec)
{
	return PROT_READ | PROT_WRITE | (exec ? PROT_EXEC : 0);
}

/* Another VMA for pages of a window; @flags: MAP_FIXED... */
int wr_layout_map(struct wr_window *window, pgoff_t first, unsigned long pages,
		  bool exec, unsigned long flags)
{
	return map_error(take_step(window, WR_STEP_REPLACE, first << PAGE_SHIFT,
				   pages << PAGE_SHIFT, rights(exec), flags));
}

/**
 * wr_layout_refill - get back what of a range is a hole
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last; no region is in the range
 *
 * Return: 0, or -EEXIST if somebody else has some of it, or the core's error.
 */
int wr_layout_refill(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;
	int err = 0;
	bool lost;

	for (; first < end && !err; first = next) {
		mutex_lock(&window->lock);
		lost = wr_window_lost_at(window, first, end, &next);
		mutex_unlock(&window->lock);
		if (lost)
			err = map_error(take_step(window, WR_STEP_REFILL,
						  first << PAGE_SHIFT,
						  (next - first) << PAGE_SHIFT,
						  rights(window->exec),
						  MAP_FIXED));
		cond_resched();
	}
	return err;
}

/*
 * Whether nobody else is there who could change VMAs, from now on: threads are made by
 * those that there are, and whoever has the mm for a moment, as for /proc or a
 * process_madvise(), cannot. Somebody may have done so before he went.
 */
static bool is_alone(struct mm_struct *mm)
{
	return current->mm == mm && atomic_read(&mm->mm_users) == 1;
}

/*
 * Of who is alone, if none of it is gone: then vm_munmap() finds what the window's
 * states say, and is cheaper.
 */
static int unmap_alone(struct wr_window *window, unsigned long addr,
		       unsigned long len)
{
	struct wr_layout *layout = &window->space->layout;
	int err;

	announce(window, WR_STEP_LEAVE, addr, len);
	WRITE_ONCE(layout->task, current);
	err = vm_munmap(addr, len);
	WRITE_ONCE(layout->task, NULL);
	return map_error(err);
}

static int unmap_span(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	unsigned long addr = first << PAGE_SHIFT, ret;
	unsigned long len = (end - first) << PAGE_SHIFT;
	bool alone = is_alone(window->space->mm);

	if (alone && is_gone(window, first, end))
		return -ENOENT;
	if (!may_leave(window, first, end))
		return -EEXIST;
	if (alone)
		return unmap_alone(window, addr, len);
	ret = take_step(window, WR_STEP_LEAVE, addr, len, PROT_NONE, MAP_FIXED);
	return window->space->layout.left ? 0 : map_error(ret);
}

/**
 * wr_layout_unmap - let free pages leave a window
 * @window: the window; its space's layout_lock is held
 * @first: the first page
 * @end: the page behind the last; no region is in the range
 *
 * What is no longer the window's is left alone.
 *
 * Return: 0, or an error if the core refused (no memory, sealed, killed), or they
 * are all that keeps a region, -EEXIST; then what has not left yet stays, all free.
 */
int wr_layout_unmap(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;
	int err = 0;
	bool lost;

	for (; first < end && !err; first = next) {
		mutex_lock(&window->lock);
		lost = wr_window_lost_at(window, first, end, &next);
		mutex_unlock(&window->lock);
		if (!lost)
			err = unmap_span(window, first, next);
		if (err == -ENOENT) { /* a part of it is lost by now */
			next = READ_ONCE(window->dead) ? end : first;
			err = 0;
		}
		cond_resched();
	}
	return err;
}

/* wr_layout_unmap() for all of a view, no page of which is ever lost but with it. */
int wr_layout_unmap_view(struct wr_window *window)
{
	int err = unmap_span(window, window->first, window->end);

	return err == -ENOENT ? 0 : err;
}

static struct wr_window *alloc_plain(struct wr_space *space)
{
	struct file *file = wr_space_file(space);
	struct wr_window *window;

	if (IS_ERR(file))
		return ERR_CAST(file);
	window = wr_window_alloc(space, file, 0);
	return window ? window : ERR_PTR(-ENOMEM);
}

static struct wr_window *alloc_watched(struct wr_space *space,
				       unsigned long pages)
{
	struct file *file =
		wr_watch_make_file(&wr_watched_file_operations, pages);
	struct wr_window *window;

	if (IS_ERR(file))
		return ERR_CAST(file);
	window = wr_window_alloc(space, file, 0);
	fput(file);
	return window ? window : ERR_PTR(-ENOMEM);
}

/* A window where space->layout says, and @step. */
static struct wr_window *create(struct wr_space *space, unsigned long pages,
				bool exec, bool huge, bool watched,
				enum wr_step step)
{
	unsigned long addr = space->layout.place ? 0 : space->layout.addr;
	unsigned long len = pages << PAGE_SHIFT, flags = 0;
	bool with_region = space->layout.region;
	struct wr_window *window;
	int err;

	window = watched ? alloc_watched(space, pages) : alloc_plain(space);
	if (IS_ERR(window))
		return window;
	window->exec = exec;
	window->huge = huge;
	if (!space->layout.place) {
		wr_window_set_range(window, addr >> PAGE_SHIFT,
				    (addr >> PAGE_SHIFT) + pages);
		flags = MAP_FIXED;
	}
	addr = take_step(window, step, addr, len, rights(exec), flags);
	err = map_error(addr);
	if (!err)
		return window;
	if (!with_region || space->layout.region) /* nobody has taken it over */
		wr_window_put(window);
	return ERR_PTR(err);
}

/**
 * wr_window_create - map a new window
 * @space: whose; its layout_lock is held, and space->layout says where: at
 *	@addr, or anywhere within the limits if @place is set
 * @pages: its size
 * @exec: most of its pages will be executable
 * @huge: they may be large
 * @watched: it will be watched, and has a file of its own
 *
 * At a given address the windows that reach in with free pages lose those, in
 * the same step.
 *
 * Return: the window, not in space->windows yet, or an error pointer: -ENOSPC,
 * -EEXIST, -EAGAIN, -EACCES, -ENOMEM, -ENFILE, -EINTR.
 */
struct wr_window *wr_window_create(struct wr_space *space, unsigned long pages,
				   bool exec, bool huge, bool watched)
{
	return create(space, pages, exec, huge, watched, WR_STEP_NEW);
}

static int make_room(struct wr_space *space, pgoff_t first, pgoff_t end)
{
	struct wr_window *window;
	pgoff_t next = first;
	int err = 0;

	while (!err && next < end && (window = wr_window_next(space, next))) {
		pgoff_t from = max(first, READ_ONCE(window->first));
		pgoff_t to = min(end, READ_ONCE(window->end));

		next = max(next + 1, READ_ONCE(window->end));
		if (from >= end)
			next = end;
		else if (is_in_region(window, from, to))
			err = -EEXIST;
		else if (from < to)
			err = wr_layout_unmap(window, from, to);
		wr_window_put(window);
		cond_resched();
	}
	return err;
}

static unsigned long view_prot(u8 access)
{
	return (access & WR_READ ? PROT_READ : 0) |
	       (access & WR_WRITE ? PROT_WRITE : 0) |
	       (access & WR_EXEC ? PROT_EXEC : 0);
}

/**
 * wr_layout_map_view - map a view
 * @window: the view's window, not published yet; its space's layout_lock is held
 * @first: the first page, or 0 for where the core would put it
 * @access: what its pages can ever be used for; without WR_WRITE the mapping is
 *	private
 * @under: the window whose placeholder has just those pages, which is taken; or NULL
 *
 * Free pages that windows have in the range leave them, or the placeholder does.
 *
 * Return: 0, or -EEXIST, -ENOSPC, -EAGAIN, -EACCES, -EINTR, or what the file's
 * own mmap says.
 */
int wr_layout_map_view(struct wr_window *window, pgoff_t first, u8 access,
		       struct wr_window *under)
{
	unsigned long flags = access & WR_WRITE ? MAP_SHARED : MAP_PRIVATE;
	unsigned long len = wr_address(window->end - window->first);
	enum wr_step step = under ? WR_STEP_OVER : WR_STEP_NEW;
	struct wr_space *space = window->space;
	int err;

	space->layout.place = !first;
	if (first)
		wr_window_set_range(window, first, first + wr_index(len));
	if (under) {
		flags |= MAP_FIXED;
	} else if (first) {
		err = make_room(space, first, window->end);
		if (err)
			return err;
		flags |= MAP_FIXED_NOREPLACE;
	}
	space->layout.over = under;
	err = map_error(take_step(window, step, wr_address(first), len,
				  view_prot(access), flags));
	space->layout.over = NULL;
	return err;
}

/* ---- placeholders ---- */

/* The window, not a view, with the page, or NULL. */
static struct wr_window *window_around(struct wr_space *space, pgoff_t index)
{
	struct wr_window *window = wr_window_next(space, index);

	if (!window || READ_ONCE(window->first) <= index)
		return window;
	wr_window_put(window);
	return NULL;
}

/* In the window that has a hole there, or in a new one, as always if it is of several. */
static int map_placeholder(struct wr_space *space, struct wr_region *region,
			   enum wr_step step)
{
	unsigned long pages = region->end - region->first;
	struct wr_window *window = NULL;
	pgoff_t first = region->first;
	int err;

	space->layout.region = region;
	if (space->layout.over || step == WR_STEP_NEW)
		window = window_around(space, first);
	if (window) {
		err = map_error(take_step(window, WR_STEP_REFILL,
					  wr_address(first), wr_address(pages),
					  rights(window->exec), MAP_FIXED));
		wr_window_put(window);
	} else {
		space->layout.place = false;
		space->layout.addr = wr_address(first);
		err = PTR_ERR_OR_ZERO(create(space, pages, false,
					     pages >= WR_SLOT_PAGES &&
						     wr_huge_enabled(space->mm),
					     false, step));
	}
	return err;
}

/**
 * wr_layout_keep - map a placeholder over what is there
 * @space: where; its layout_lock is held
 * @region: the placeholder
 * @over: the view that is there; or NULL, if it is placeholders, which are taken
 * @gone: there is nothing any more
 *
 * Return: 0, or an error. Then @region is the caller's still, unless
 * space->layout.region is NULL.
 */
int wr_layout_keep(struct wr_space *space, struct wr_region *region,
		   struct wr_window *over, bool gone)
{
	int err;

	space->layout.left = false; /* it may fail before anything is mapped */
	space->layout.over = over;
	err = map_placeholder(space, region, gone ? WR_STEP_NEW : WR_STEP_OVER);
	space->layout.over = NULL;
	/* Nothing is there now, but nobody else has it, mostly. */
	if (err && space->layout.region && !gone && space->layout.left)
		err = map_placeholder(space, region, WR_STEP_NEW);
	return err;
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
	return wr_layout_unmap(window, READ_ONCE(window->first),
			       READ_ONCE(window->end));
}

/* ---- what is free ---- */

/* From so many VMAs on, no more are cut just to give pages back. */
#define MAPS_FOR_HOLES 16384

static int give_back(struct wr_window *window, pgoff_t index)
{
	pgoff_t first, end;

	lockdep_assert_held(&window->space->layout_lock);
	if (!wr_region_free_around(window, index, &first, &end))
		return 0;
	if (first > window->first && end < window->end &&
	    window->space->mm->map_count > MAPS_FOR_HOLES)
		return -ENOSPC;
	return wr_layout_unmap(window, first, end);
}

/**
 * wr_layout_give_back - let the free pages around one leave their window
 * @space: the space
 * @index: the page
 *
 * So that what is called free can be had by everybody.
 *
 * Context: takes layout_lock and mmap_lock.
 * Return: 0, -EINTR, or an error if they stay where they are.
 */
int wr_layout_give_back(struct wr_space *space, pgoff_t index)
{
	struct wr_window *window;
	int err = 0;

	if (mutex_lock_killable(&space->layout_lock))
		return -EINTR;
	window = wr_window_find(space, index);
	if (window) {
		err = give_back(window, index);
		wr_window_put(window);
	}
	mutex_unlock(&space->layout_lock);
	return err;
}

/* ---- simple and tracked ---- */

/* Waits for faults, which want the window's lock; so it is not held here. */
void wr_layout_track(struct wr_window *window)
{
	VMA_ITERATOR(vmi, window->space->mm, window->first << PAGE_SHIFT);
	struct vm_area_struct *vma;

	mmap_assert_write_locked(window->space->mm);
	for_each_vma_range(vmi, vma, window->end << PAGE_SHIFT) {
		if (wr_vma_window(vma) == window)
			wr_vma_set_tracked(vma);
		cond_resched();
	}
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
		wr_layout_track(window);
	mmap_write_unlock(window->space->mm);
	return 0;
}
