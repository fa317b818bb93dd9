// SPDX-License-Identifier: GPL-2.0
/*
 * Copies: pages of a view that a program has written, and shall have for itself.
 *
 * A copy is a page of ours, as a window's are, in the store of the view's window, and
 * in the same VMA as the pages of the file. There is one where the state of a page has
 * said so (WINREGION_WRITECOPY) when it was written; from then on that is another
 * state, so no page with a copy is ever in one that copies. A copy goes with the view.
 *
 * A copy is stored with the page of the file locked, and who is about to map that page
 * locks it too and looks once more whether there is a copy. So when the page is
 * unlocked nobody is on his way to map it any more, and what has been mapped before
 * can be removed. The locks of pages of files come before that of the window; whoever
 * has the latter may wait for memory, and so for the file system, which may wait for
 * the page. So it is only tried, and if that fails, waited for without the page.
 *
 * Charged are the pages that can be written that way, or have been: of a view that was
 * mapped so all of them, as long as it is there.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>

#include "account.h"
#include "copies.h"

/**
 * wr_copies_lock - lock the window of who has a page of the file locked
 * @window: the window
 * @page: the page; it may be unlocked meanwhile, and leave its file
 *
 * No memory may be waited for then in a way that needs the file system.
 *
 * Return: whether it is; if not, neither is locked.
 */
bool wr_copies_lock(struct wr_window *window, struct page *page)
{
	if (mutex_trylock(&window->lock))
		return true;
	unlock_page(page);
	mutex_lock(&window->lock);
	if (trylock_page(page))
		return true;
	mutex_unlock(&window->lock);
	return false;
}

/* Room for a copy, to be stored, or freed. Return: NULL if there is no memory. */
struct page *wr_copies_alloc(struct wr_window *window, pgoff_t index)
{
	struct wr_account account;
	struct page *copy;

	wr_account_begin(&account, window->space->mm);
	copy = wr_page_alloc(window->file->f_mapping,
			     wr_resident_stamp(window, index), 0, NUMA_NO_NODE);
	wr_account_end(&account);
	return copy;
}

/* What wr_copies_alloc() has made, and was not stored. */
void wr_copies_free(struct page *copy)
{
	wr_folio_disown(page_folio(copy));
	put_page(copy);
}

/* So that one page can be in another state, and have a copy. */
static int make_room(struct wr_window *window, pgoff_t index, struct page *copy)
{
	struct wr_runs *runs = &window->runs;
	int err;

	err = wr_runs_split(runs, index, GFP_KERNEL_ACCOUNT);
	if (!err)
		err = wr_runs_split(runs, index + 1, GFP_KERNEL_ACCOUNT);
	if (!err)
		err = wr_resident_add(window, index, copy);
	return err;
}

/**
 * wr_copies_store - make a copy of a page
 * @window: the window, locked by wr_copies_lock()
 * @index: the page
 * @page: that of the file, locked
 * @copy: by wr_copies_alloc(); the window's then
 *
 * Return: 0, -EAGAIN if there is one, or none is to be made any more, -EHWPOISON or
 * -ENOMEM.
 */
int wr_copies_store(struct wr_window *window, pgoff_t index, struct page *page,
		    struct page *copy)
{
	u8 state = wr_runs_state(&window->runs, index);
	struct wr_account account;
	unsigned int flags;
	int err;

	lockdep_assert_held(&window->lock);
	if (!wr_state_copies(state) || wr_state_is_guard(state) ||
	    wr_copies_has(window, index))
		return -EAGAIN;
	if (copy_mc_highpage(copy, page))
		return -EHWPOISON;
	flags = memalloc_nofs_save();
	wr_account_begin(&account, window->space->mm);
	err = make_room(window, index, copy);
	wr_account_end(&account);
	memalloc_nofs_restore(flags);
	if (!err)
		wr_runs_fill(&window->runs, index, index + 1,
			     wr_states[state].copied);
	return err;
}

/* The copy for a fault: after a fork others may have it too. */
static struct page *own_copy(struct vm_fault *vmf, struct wr_window *window)
{
	bool mapped = vmf->flags & FAULT_FLAG_MKWRITE;

	if (!(vmf->flags & FAULT_FLAG_WRITE))
		return wr_resident_get(window, wr_vmf_index(vmf));
	return wr_resident_own(window, wr_vmf_index(vmf),
			       mapped ? vmf->page : NULL);
}

static vm_fault_t give_page(struct vm_fault *vmf, struct page *copy)
{
	unsigned long addr = vmf->address & PAGE_MASK;

	if (!(vmf->flags & FAULT_FLAG_MKWRITE)) {
		get_page(copy);
		vmf->page = copy;
	} else if (vmf->page != copy) {
		wr_zap_vma(vmf->vma, addr, addr + PAGE_SIZE);
		return VM_FAULT_NOPAGE;
	}
	lock_page(copy);
	return VM_FAULT_LOCKED;
}

/**
 * wr_copies_give - answer a fault by the copy of its page
 * @vmf: the fault, or what page_mkwrite is called for; its state allows it
 * @window: the window; its lock is held
 *
 * Return: as a fault handler, or page_mkwrite.
 */
vm_fault_t wr_copies_give(struct vm_fault *vmf, struct wr_window *window)
{
	struct wr_account account;
	struct page *copy;

	wr_account_begin(&account, window->space->mm);
	window->held.vma = vmf->vma;
	copy = own_copy(vmf, window);
	window->held.vma = NULL;
	wr_account_end(&account);
	if (!IS_ERR(copy))
		return give_page(vmf, copy);
	return copy == ERR_PTR(-EHWPOISON) ? VM_FAULT_HWPOISON : VM_FAULT_OOM;
}

/**
 * wr_copies_more - how many more pages are charged once they have another state
 * @window: the view; its lock is held
 * @old: the state of pages
 * @state: their new one
 * @first: the first of them
 * @end: the page behind the last
 *
 * Return: how many, below 0 for less.
 */
long wr_copies_more(struct wr_window *window, u8 old, u8 state, pgoff_t first,
		    pgoff_t end)
{
	long pages = end - first;

	if (wr_state_copies(window->view->state) ||
	    wr_state_copies(old) == wr_state_copies(state))
		return 0;
	if (wr_state_copies(old))
		return -pages;
	return pages - wr_resident_count(window, first, end);
}

/**
 * wr_copies_prepare - get ready for wr_copies_fill()
 * @window: the view; its lock is held, or nobody knows it and there are no pages
 * @first: the first page, where the runs have been split
 * @end: the page behind the last, where they have been split too
 * @state: the state that they will have
 *
 * Return: 0 or an error.
 */
int wr_copies_prepare(struct wr_window *window, pgoff_t first, pgoff_t end,
		      u8 state)
{
	int err;

	if (!wr_state_copies(state))
		return 0;
	/* Two views of a section can be at the same address, in two processes. */
	if (!window->stamp) {
		err = wr_window_stamp(window);
		if (err)
			return err == -ENOSPC ? -ENOMEM : err;
	}
	while (first < end) {
		first = wr_resident_next(window, first, end);
		if (first < end && !wr_runs_make_states(&window->runs, first))
			return -ENOMEM;
		first = wr_slot_first(first) + WR_SLOT_PAGES;
		cond_resched();
	}
	return 0;
}

/**
 * wr_copies_fill - give pages of a view a state
 * @window: the view; its lock is held
 * @first: the first page
 * @end: the page behind the last
 * @state: the state; those that have a copy get the one that stands for that
 */
void wr_copies_fill(struct wr_window *window, pgoff_t first, pgoff_t end,
		    u8 state)
{
	u8 copied = wr_states[state].copied;
	pgoff_t next;

	if (!copied) {
		wr_runs_fill(&window->runs, first, end, state);
		return;
	}
	for (; first < end; first = next) {
		next = wr_resident_next(window, first, end);
		wr_runs_fill(&window->runs, first, next, state);
		if (next < end) {
			wr_runs_fill(&window->runs, next, next + 1, copied);
			next++;
		}
		cond_resched();
	}
}

/**
 * wr_copies_fork - let a child have the copies too
 * @parent: the view
 * @child: the child's; both are locked
 * @vma: the parent's VMA; no fault is on its way there, and it has no PTEs
 *
 * Who writes one first makes a copy of it once more.
 *
 * Return: 0, -ENOMEM, -ENOENT or -EINTR; then the child has some of them.
 */
int wr_copies_fork(struct wr_window *parent, struct wr_window *child,
		   struct vm_area_struct *vma)
{
	int err;

	if (!parent->nr_resident)
		return 0;
	if (!vma)
		return -ENOENT;
	parent->held.vma = vma;
	err = wr_resident_fork(parent, child, parent->first, parent->end);
	parent->held.vma = NULL;
	return err;
}

/**
 * wr_copies_drop - give up the copies of a view, and what is charged for them
 * @window: the view; its lock is held, and it has no PTEs
 */
void wr_copies_drop(struct wr_window *window)
{
	struct wr_region *region = wr_region_first(window);

	if (window->nr_resident)
		wr_resident_drop(window, window->first, window->end, false);
	if (!region || !region->committed)
		return;
	wr_pagefile_uncharge(&window->space->pagefile, region->committed);
	region->committed = 0;
}
