// SPDX-License-Identifier: GPL-2.0
/*
 * Faults in views.
 *
 * A view starts simple: all of its pages have the rights that it was mapped with,
 * and a fault is the file's own affair, with all that it maps around it. The first
 * page that differs makes it tracked: fault, map_pages and page_mkwrite are asked
 * from then on.
 *
 * The states are not looked at again once the file's own fault has found a page: who
 * takes rights away holds mmap_lock, and the VMA's lock, for writing. So all faults
 * are over by then, and PTEs are removed in this VMA only. To give rights takes the
 * window's lock alone. It is not held while the file's operations run, which may
 * read from a disk, but for map_pages, which does not wait.
 *
 * A page can have a copy, which is ours, in place of the file's: see copies.c. The
 * file is only ever read for that, whatever the fault wants.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/writeback.h>

#include "copies.h"
#include "fault.h"
#include "record.h"
#include "trace.h"
#include "view_fault.h"

/* wr_view_span() between trylock_states() and unlock_states(). */
static u8 states_span(struct wr_window *window, pgoff_t first, pgoff_t end,
		      pgoff_t *next)
{
	if (wr_view_is_reserved(window))
		return wr_view_span_locked(window, first, end, next);
	return wr_runs_near_span(&window->runs, first, end, next);
}

/*
 * Whether the file's pages may be used so, from @first to @next, at most @end. The
 * states are locked.
 */
static bool span_allows(struct wr_window *window, pgoff_t first, pgoff_t end,
			u8 wanted, pgoff_t *next)
{
	u8 state = states_span(window, first, end, next);
	pgoff_t copy;

	if (!wr_state_allows(state, wanted))
		return false;
	copy = wr_resident_next(window, first, *next);
	*next = max(copy, first + 1);
	return copy > first;
}

/* Whether all pages of a range may be used so. The states are locked. */
static bool range_allows(struct wr_window *window, pgoff_t first, pgoff_t end,
			 u8 wanted)
{
	pgoff_t next;

	for (; first < end; first = next)
		if (!span_allows(window, first, end, wanted, &next))
			return false;
	return true;
}

/*
 * For who has a page of the file locked, or may not sleep. Whoever has the window's
 * lock may wait for memory, and so for the file system, which may wait for the page.
 */
static bool trylock_states(struct wr_window *window)
{
	if (!mutex_trylock(&window->lock))
		return false;
	if (!wr_view_is_reserved(window) ||
	    mutex_trylock(&window->view->section->lock))
		return true;
	mutex_unlock(&window->lock);
	return false;
}

static void unlock_states(struct wr_window *window)
{
	if (wr_view_is_reserved(window))
		mutex_unlock(&window->view->section->lock);
	mutex_unlock(&window->lock);
}

/* Whether all pages of a folio may be mapped as the fault wants it. */
static bool folio_allows(struct vm_fault *vmf, struct wr_window *window,
			 struct folio *folio)
{
	pgoff_t first, end;
	bool allows;

	if (!trylock_states(window))
		return false;
	/* An index in front of the VMA would wrap. */
	if (folio->index < wr_window_offset(window, wr_vma_first(vmf->vma)))
		first = wr_vma_first(vmf->vma);
	else
		first = wr_window_index(window, folio->index);
	end = min(wr_window_index(window, folio_next_index(folio)),
		  wr_vma_end(vmf->vma));
	allows = range_allows(window, first, end, wr_fault_wants(vmf));
	unlock_states(window);
	return allows;
}

/* The page has left the file, or was never its. It is locked. */
static bool is_gone(struct vm_fault *vmf)
{
	return page_folio(vmf->page)->mapping != vmf->vma->vm_file->f_mapping;
}

static void drop_page(struct vm_fault *vmf)
{
	unlock_page(vmf->page);
	put_page(vmf->page);
	vmf->page = NULL;
}

/* The file is told that the page will be written. Return: as page_mkwrite. */
static vm_fault_t host_mkwrite(struct vm_fault *vmf, struct wr_window *window)
{
	const struct vm_operations_struct *host = window->view->host;
	unsigned int flags = vmf->flags;
	vm_fault_t ret;

	/* As the core does where it is the one to ask. */
	if (IS_SWAPFILE(window->view->mapping->host))
		return VM_FAULT_SIGBUS;
	if (host->page_mkwrite) {
		vmf->flags = FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE;
		ret = host->page_mkwrite(vmf);
		vmf->flags = flags;
		/* The page is not locked then, whatever it says. */
		if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE))
			return ret & ~VM_FAULT_LOCKED;
		if (ret & (VM_FAULT_RETRY | VM_FAULT_LOCKED))
			return ret;
	} else {
		/* The core does so only where page_mkwrite is not asked. */
		file_update_time(vmf->vma->vm_file);
	}
	lock_page(vmf->page);
	if (!is_gone(vmf))
		return VM_FAULT_LOCKED;
	unlock_page(vmf->page);
	return VM_FAULT_NOPAGE;
}

/*
 * The pages of a folio that are in the table of PTEs of a fault. A folio may reach
 * behind the end of the file; PTEs must not.
 */
static void find_part(struct vm_fault *vmf, struct wr_window *window,
		      struct folio *folio, pgoff_t *first, pgoff_t *end)
{
	struct vm_area_struct *vma = vmf->vma;
	pgoff_t slot = wr_slot_first(wr_vmf_index(vmf)), from, to;
	loff_t size = i_size_read(vma->vm_file->f_mapping->host);

	from = wr_window_offset(window, max(slot, wr_vma_first(vma)));
	to = wr_window_offset(window,
			      min(slot + WR_SLOT_PAGES, wr_vma_end(vma)));
	from = max(from, folio->index);
	to = min(to, folio_next_index(folio));
	to = min_t(pgoff_t, to, DIV_ROUND_UP(size, PAGE_SIZE));
	*first = wr_window_index(window, from);
	*end = wr_window_index(window, max(from, to));
}

/* But not that at @except. */
static void insert_pages(struct vm_fault *vmf, struct wr_window *window,
			 struct folio *folio, pgoff_t first, pgoff_t end,
			 pgoff_t except)
{
	struct page *page;

	for (; first < end; first++) {
		page = folio_file_page(folio, wr_window_offset(window, first));
		if (first != except && !PageHWPoison(page))
			wr_vmf_insert_at(vmf, wr_address(first), page);
	}
}

/*
 * PTEs for those other pages of a locked folio in one table that may be written, if the
 * states can be had.
 *
 * Return: whether that of the fault can be. It cannot if it is behind the end of the
 * file: where the core maps a folio of shmem to be read, it maps those pages, too.
 */
static bool map_others(struct vm_fault *vmf, struct wr_window *window)
{
	struct folio *folio = page_folio(vmf->page);
	pgoff_t own = wr_vmf_index(vmf), first, end, next;

	find_part(vmf, window, folio, &first, &end);
	if (own >= end)
		return false;
	if (!trylock_states(window))
		return true;
	for (; first < end; first = next)
		if (span_allows(window, first, end, WR_READ | WR_WRITE, &next))
			insert_pages(vmf, window, folio, first, next, own);
	unlock_states(window);
	return true;
}

/*
 * To make one page of a large folio writable costs a file system as much as all of
 * it. So all pages of it that may be written become so at once, as where the core
 * maps a folio as a whole. The page is referenced, and not locked; the core goes on with
 * it where it is locked in the end.
 */
static vm_fault_t write_around(struct vm_fault *vmf, struct wr_window *window)
{
	vm_fault_t ret = host_mkwrite(vmf, window);

	if (!(ret & VM_FAULT_LOCKED) || map_others(vmf, window))
		return ret;
	unlock_page(vmf->page);
	return VM_FAULT_SIGBUS;
}

/* The same where nothing maps the page. */
static vm_fault_t write_all(struct vm_fault *vmf, struct wr_window *window)
{
	vm_fault_t ret = write_around(vmf, window);
	pgoff_t own = wr_vmf_index(vmf);

	/*
	 * From page_mkwrite VM_FAULT_RETRY is "again". From a fault it would be that the
	 * lock has been given up under which the VMA is there, which it has not.
	 */
	if (!(ret & VM_FAULT_LOCKED))
		return ret & VM_FAULT_RETRY ? VM_FAULT_NOPAGE : ret;
	insert_pages(vmf, window, page_folio(vmf->page), own, own + 1,
		     ULONG_MAX);
	set_page_dirty(vmf->page);
	unlock_page(vmf->page);
	return VM_FAULT_NOPAGE;
}

/*
 * Whether so much is dirty that who writes has to wait. That can take long, and is not
 * done with mmap_lock: the core gives it up where a page that is mapped becomes writable.
 */
static bool has_to_wait(struct vm_fault *vmf)
{
	struct address_space *mapping = vmf->vma->vm_file->f_mapping;

	return balance_dirty_pages_ratelimited_flags(mapping, BDP_ASYNC);
}

/* A page that is locked, and no other of its folio. The file is not told of a write. */
static vm_fault_t read_part(struct vm_fault *vmf)
{
	vm_fault_t ret = wr_vmf_map_part(vmf, vmf->page, false);

	drop_page(vmf);
	return ret;
}

/*
 * To be written, and unlocked: whoever has a page of a file locked must not take memory,
 * which it takes to ask whether to wait. If so, it is mapped to be read.
 */
static vm_fault_t write_part(struct vm_fault *vmf, struct wr_window *window)
{
	vm_fault_t ret;

	if (has_to_wait(vmf)) {
		lock_page(vmf->page);
		if (!is_gone(vmf))
			return read_part(vmf);
		drop_page(vmf);
		return VM_FAULT_NOPAGE;
	}
	ret = write_all(vmf, window);
	put_page(vmf->page);
	vmf->page = NULL;
	return ret;
}

/* One page of a folio that must not be mapped as a whole. */
static vm_fault_t map_part(struct vm_fault *vmf, struct wr_window *window)
{
	if (!(vmf->flags & FAULT_FLAG_WRITE))
		return read_part(vmf);
	unlock_page(vmf->page);
	return write_part(vmf, window);
}

/*
 * Whether a copy has been made since the fault has looked for one. The page is
 * locked; if it is not any more in the end, there is none to return.
 */
static bool is_copied(struct vm_fault *vmf, struct wr_window *window)
{
	bool copied;

	if (!wr_copies_maybe(window))
		return false;
	if (!wr_copies_lock(window, vmf->page)) {
		put_page(vmf->page);
		vmf->page = NULL;
		return true;
	}
	copied = is_gone(vmf) || wr_copies_has(window, wr_vmf_index(vmf));
	mutex_unlock(&window->lock);
	if (copied)
		drop_page(vmf);
	return copied;
}

/* What the file's own fault has found is locked. Return: whether it is its still. */
static bool lock_found(struct vm_fault *vmf, vm_fault_t ret)
{
	if (!(ret & VM_FAULT_LOCKED))
		lock_page(vmf->page);
	if (!is_gone(vmf))
		return true;
	drop_page(vmf);
	return false;
}

/* What the file's own fault has found, with a reference. */
static vm_fault_t found_page(struct vm_fault *vmf, struct wr_window *window,
			     vm_fault_t ret)
{
	struct folio *folio = page_folio(vmf->page);

	if (!lock_found(vmf, ret) || is_copied(vmf, window))
		return VM_FAULT_NOPAGE;
	ret |= VM_FAULT_LOCKED;
	if (!folio_test_large(folio) || PageHWPoison(vmf->page))
		return ret;
	if (wr_core_maps_folios()) {
		if (folio_allows(vmf, window, folio))
			return ret;
		return (ret & VM_FAULT_MAJOR) | map_part(vmf, window);
	}
	/* Where there is no table of PTEs the core would map it by a PMD. */
	if (pmd_none(READ_ONCE(*vmf->pmd))) {
		drop_page(vmf);
		return VM_FAULT_NOPAGE;
	}
	return ret;
}

/* @copies: set if the page is to be copied. The window is locked. */
static vm_fault_t check_locked(struct vm_fault *vmf, struct wr_window *window,
			       bool *copies)
{
	u8 state = wr_view_state(window, wr_vmf_index(vmf));
	u8 wanted = wr_fault_wants(vmf);

	if (unlikely(wr_state_is_guard(state)))
		return wr_fault_trip_guard(vmf, window, state,
					   window->view->section->pseudo);
	*copies = wanted & WR_WRITE && wr_state_copies(state);
	if (*copies)
		return 0;
	if (!wr_state_allows(state, wanted))
		return wr_fault_refuse(vmf, window, state);
	if (wr_copies_has(window, wr_vmf_index(vmf)))
		return wr_copies_give(vmf, window);
	/* In a view that may not write only a copy has a state that allows it. */
	if (wanted & ~window->view->rights)
		return wr_fault_refuse(vmf, window, state);
	return 0;
}

/*
 * Return: 0 if the page of the file is wanted, to be copied if @copies is set to
 * true; else what the handler is to return.
 */
static vm_fault_t check_state(struct vm_fault *vmf, struct wr_window *window,
			      bool *copies)
{
	vm_fault_t ret;

	mutex_lock(&window->lock);
	ret = check_locked(vmf, window, copies);
	mutex_unlock(&window->lock);
	return ret;
}

/* Whether a file's own fault has found a page. */
static bool has_found(vm_fault_t ret)
{
	return !(ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY |
			VM_FAULT_DONE_COW));
}

/* Has the file find a page that will not be written. */
static vm_fault_t host_read(struct vm_fault *vmf, struct wr_window *window)
{
	unsigned int flags = vmf->flags;
	vm_fault_t ret;

	vmf->flags &= ~FAULT_FLAG_WRITE;
	ret = window->view->host->fault(vmf);
	vmf->flags = flags;
	return ret;
}

/* What a fault returns if wr_copies_store() says that. */
static vm_fault_t copy_error(int err)
{
	switch (err) {
	case -ENOMEM:
		return VM_FAULT_OOM;
	case -EHWPOISON:
		return VM_FAULT_HWPOISON;
	default:
		return VM_FAULT_NOPAGE; /* it will be looked at anew */
	}
}

/*
 * Stores a copy of the page, which is locked. Return: 0, with the window locked, or
 * an error. The page is no longer locked.
 */
static int store_copy(struct vm_fault *vmf, struct wr_window *window,
		      struct page *copy)
{
	int err = -EAGAIN;

	if (!wr_copies_lock(window, vmf->page))
		return err;
	if (!is_gone(vmf))
		err = wr_copies_store(window, wr_vmf_index(vmf), vmf->page,
				      copy);
	unlock_page(vmf->page);
	if (err)
		mutex_unlock(&window->lock);
	return err;
}

/* The page that has been found is to be copied. It is locked, with a reference. */
static vm_fault_t copy_found(struct vm_fault *vmf, struct wr_window *window,
			     struct page *copy)
{
	int err = store_copy(vmf, window, copy);
	vm_fault_t ret;

	put_page(vmf->page);
	vmf->page = NULL;
	if (err) {
		wr_copies_free(copy);
		return copy_error(err);
	}
	ret = wr_copies_give(vmf, window);
	mutex_unlock(&window->lock);
	return ret;
}

/* A write where nothing is mapped yet. */
static vm_fault_t copying_fault(struct vm_fault *vmf, struct wr_window *window)
{
	struct page *copy = wr_copies_alloc(window, wr_vmf_index(vmf));
	vm_fault_t ret;

	if (!copy)
		return VM_FAULT_OOM;
	ret = host_read(vmf, window);
	if (!has_found(ret)) {
		wr_copies_free(copy);
		return ret;
	}
	if (!lock_found(vmf, ret)) {
		wr_copies_free(copy);
		return VM_FAULT_NOPAGE;
	}
	if (PageHWPoison(vmf->page)) { /* which the core looks for */
		wr_copies_free(copy);
		return ret | VM_FAULT_LOCKED;
	}
	return (ret & VM_FAULT_MAJOR) | copy_found(vmf, window, copy);
}

static bool is_behind_end(struct vm_fault *vmf, struct wr_window *window)
{
	loff_t size = i_size_read(window->view->mapping->host);

	return wr_window_offset(window, wr_vmf_index(vmf)) >=
	       DIV_ROUND_UP(size, PAGE_SIZE);
}

/*
 * What the file has answered to a fault, or to page_mkwrite. The program is told if
 * that is an error: what we refuse has been told already.
 */
static vm_fault_t tell_error(struct vm_fault *vmf, vm_fault_t ret)
{
	u32 reason = WINREGION_FAULT_IN_PAGE;
	struct wr_window *window;

	/* With a VM_FAULT_RETRY the VMA may be gone. */
	if (likely(!(ret & (VM_FAULT_SIGBUS | VM_FAULT_HWPOISON))))
		return ret;
	window = vmf->vma->vm_private_data;
	if (ret & VM_FAULT_HWPOISON)
		reason = WINREGION_FAULT_POISONED;
	else if (is_behind_end(vmf, window))
		reason = WINREGION_FAULT_BEHIND_END;
	wr_record_fault(&window->space->records, vmf, reason);
	return ret;
}

/* The same; it is the answer to the core, whatever it is. */
static vm_fault_t tell(struct vm_fault *vmf, enum wr_trace_asked asked,
		       vm_fault_t ret)
{
	ret = tell_error(vmf, ret);
	trace_wr_fault(vmf, asked, ret);
	return ret;
}

/*
 * A fault of the file's own may wait for a page without the lock under which the view is
 * there, and comes back when that may be gone, with the section, and with the module
 * itself. This file keeps both; its last reference is put by the core, when the task is
 * on its way back to the program. A kernel thread, which has no such way, keeps the lock.
 */
static struct file *keep_section(struct vm_fault *vmf,
				 const struct wr_window *window)
{
	if (current->flags & PF_KTHREAD)
		vmf->flags &= ~FAULT_FLAG_ALLOW_RETRY;
	return get_file(window->view->section->pseudo);
}

/* Of a view that writes, and in which no page differs. */
vm_fault_t wr_view_simple_fault(struct vm_fault *vmf)
{
	struct wr_window *window = vmf->vma->vm_private_data;
	struct file *kept = keep_section(vmf, window);
	vm_fault_t ret;

	ret = tell(vmf, WR_TRACE_FAULT, window->view->host->fault(vmf));
	fput(kept);
	return ret;
}

/* The same of page_mkwrite, where the file has that. */
vm_fault_t wr_view_simple_mkwrite(struct vm_fault *vmf)
{
	struct wr_window *window = vmf->vma->vm_private_data;

	return tell(vmf, WR_TRACE_WRITE, window->view->host->page_mkwrite(vmf));
}

static vm_fault_t fault_by_state(struct vm_fault *vmf, struct wr_window *window)
{
	bool copies = false;
	vm_fault_t ret;

	ret = check_state(vmf, window, &copies);
	if (ret)
		return ret;
	if (wr_vmf_make_table(vmf))
		return VM_FAULT_OOM;
	if (copies)
		return copying_fault(vmf, window);
	ret = window->view->host->fault(vmf);
	return has_found(ret) ? found_page(vmf, window, ret) : ret;
}

/* Of a view in which pages differ. */
vm_fault_t wr_view_tracked_fault(struct vm_fault *vmf)
{
	struct wr_window *window = vmf->vma->vm_private_data;
	struct file *kept = keep_section(vmf, window);
	vm_fault_t ret;

	ret = tell(vmf, WR_TRACE_FAULT, fault_by_state(vmf, window));
	fput(kept);
	return ret;
}

/* A write where the page is mapped, and so was read before. */
static vm_fault_t copying_mkwrite(struct vm_fault *vmf,
				  struct wr_window *window)
{
	struct page *copy = wr_copies_alloc(window, wr_vmf_index(vmf));
	unsigned long addr = vmf->address & PAGE_MASK;
	int err;

	if (!copy)
		return VM_FAULT_OOM;
	lock_page(vmf->page);
	err = store_copy(vmf, window, copy);
	if (err)
		wr_copies_free(copy);
	else
		mutex_unlock(&window->lock);
	/* What is mapped is not the copy, nor may it be the file's page any more. */
	wr_zap_vma(vmf->vma, addr, addr + PAGE_SIZE);
	return copy_error(err);
}

static vm_fault_t mkwrite_by_state(struct vm_fault *vmf,
				   struct wr_window *window)
{
	bool copies = false;
	vm_fault_t ret;

	/*
	 * Of a page that wr_view_tracked_fault() has just returned for a write. It has seen the
	 * state, and whoever takes rights away waits for the fault to be over.
	 */
	if (!vmf->pte && !wr_copies_maybe(window))
		return host_mkwrite(vmf, window);
	ret = check_state(vmf, window, &copies);
	if (ret)
		return ret;
	if (copies)
		return copying_mkwrite(vmf, window);
	if (wr_core_maps_folios() && PageCompound(vmf->page) && vmf->pte)
		return write_around(vmf, window);
	return host_mkwrite(vmf, window);
}

/* A write where the page is mapped, of such a view. */
vm_fault_t wr_view_tracked_mkwrite(struct vm_fault *vmf)
{
	struct wr_window *window = vmf->vma->vm_private_data;

	return tell(vmf, WR_TRACE_WRITE, mkwrite_by_state(vmf, window));
}

static vm_fault_t refuse(struct vm_fault *vmf, enum wr_trace_asked asked)
{
	struct wr_window *window = vmf->vma->vm_private_data;
	vm_fault_t ret = wr_fault_refuse(vmf, window, window->view->state);

	trace_wr_fault(vmf, asked, ret);
	return ret;
}

/* Of a view that does not write. Before the file says that it ends before. */
vm_fault_t wr_view_read_only_fault(struct vm_fault *vmf)
{
	if (vmf->flags & FAULT_FLAG_WRITE)
		return refuse(vmf, WR_TRACE_FAULT);
	return wr_view_simple_fault(vmf);
}

/* The same where the page is mapped. */
vm_fault_t wr_view_read_only_mkwrite(struct vm_fault *vmf)
{
	return refuse(vmf, WR_TRACE_WRITE);
}

/*
 * Narrows [*@first, *@end) to the pages around the one at @index that may be read.
 * Return: whether there are any.
 */
static bool narrow(struct wr_window *window, pgoff_t index, pgoff_t *first,
		   pgoff_t *end)
{
	pgoff_t i, next;

	for (i = *first; i < *end; i = next) {
		if (span_allows(window, i, *end, WR_READ, &next))
			continue;
		if (i <= index && next > index)
			return false;
		if (i > index)
			*end = i;
		else
			*first = next;
	}
	return true;
}

/* What the file may map of large folios: all that is in one table. */
static bool folios_allow(struct vm_fault *vmf, struct wr_window *window)
{
	pgoff_t slot = wr_slot_first(wr_vmf_index(vmf));
	struct vm_area_struct *vma = vmf->vma;

	if (!wr_core_maps_around() ||
	    (!IS_ENABLED(CONFIG_READ_ONLY_THP_FOR_FS) &&
	     !mapping_large_folio_support(vma->vm_file->f_mapping)))
		return true;
	return range_allows(window, max(slot, wr_vma_first(vma)),
			    min(slot + WR_SLOT_PAGES, wr_vma_end(vma)),
			    WR_READ);
}

/*
 * Called under rcu_read_lock(). The states stay as they are while the file maps its
 * pages; a table of PTEs must be there, or it would map one large page.
 */
vm_fault_t wr_view_tracked_map_pages(struct vm_fault *vmf, pgoff_t first,
				     pgoff_t last)
{
	struct wr_window *window = vmf->vma->vm_private_data;
	const struct vm_operations_struct *host = window->view->host;
	pgoff_t from = wr_window_index(window, first);
	pgoff_t to = wr_window_index(window, last) + 1;
	vm_fault_t ret = 0;

	if (pmd_none(READ_ONCE(*vmf->pmd)) || !trylock_states(window))
		return 0;
	if (folios_allow(vmf, window) &&
	    narrow(window, wr_vmf_index(vmf), &from, &to))
		ret = host->map_pages(vmf, wr_window_offset(window, from),
				      wr_window_offset(window, to) - 1);
	unlock_states(window);
	return ret;
}
