// SPDX-License-Identifier: GPL-2.0
/*
 * Views: windows that map a part of a section.
 *
 * To the core the VMA of a view is a mapping of the file underneath. Write-back,
 * truncation, reclaim and memory errors find its PTEs as they find anybody's, and
 * what others do to the file is seen at once. Only the operations of the VMA are
 * ours: they ask the states, and then let the file's own do the work.
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
 * The VMA of a view that only reads is a private mapping that can never be written:
 * for seals, for the file system, and for whoever takes a page of it. The file in
 * the VMA is always one that is open for reading only, also where the view writes.
 * The core asks that file's mode before it does to it what a program wants done by
 * way of the VMA: to map another part of it by remap_file_pages(), to punch a hole
 * by MADV_REMOVE. Neither asks us, nor does the section's size, nor what is committed.
 *
 * A page can have a copy, which is ours, in place of the file's: see copies.c. The
 * file is only ever read for that, whatever the fault wants. The VMA is a shared one
 * then that can be written, or the core would make copies of its own, which are no
 * affair of ours; but the file has never been told. Such a VMA also gets an anon_vma,
 * as of a private one that was written. Nobody looks at that but fork and who collapses
 * the pages of a file into a large one: he would take the table of PTEs away as empty,
 * and with it those of copies.
 */
#include <linux/file.h>
#include <linux/folio_batch.h>
#include <linux/magic.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/writeback.h>

#include "copies.h"
#include "fault.h"
#include "layout.h"
#include "locked.h"
#include "pieces.h"
#include "place.h"
#include "record.h"
#include "regiontree.h"
#include "view.h"

/* ---- states ---- */

/* wr_view_span(), with the section's lock held. */
static u8 span_locked(struct wr_window *window, pgoff_t index, pgoff_t end,
		      pgoff_t *next)
{
	u8 state = wr_runs_near_span(&window->runs, index, end, next);
	pgoff_t stop;

	if (!wr_section_commit_span(window->view->section,
				    wr_window_offset(window, index),
				    wr_window_offset(window, *next), &stop))
		state = 0;
	*next = wr_window_index(window, stop);
	return state;
}

/**
 * wr_view_span - the state of pages of a view
 * @window: the view; its lock is held
 * @index: the first page
 * @end: the page behind the last
 * @next: set to the first page that may differ, or @end
 *
 * Return: the state, 0 for what is not committed.
 */
u8 wr_view_span(struct wr_window *window, pgoff_t index, pgoff_t end,
		pgoff_t *next)
{
	struct wr_section *section = window->view->section;
	u8 state;

	lockdep_assert_held(&window->lock);
	if (!wr_view_is_reserved(window))
		return wr_runs_near_span(&window->runs, index, end, next);
	mutex_lock(&section->lock);
	state = span_locked(window, index, end, next);
	mutex_unlock(&section->lock);
	return state;
}

/* That of one page. */
u8 wr_view_state(struct wr_window *window, pgoff_t index)
{
	pgoff_t next;

	return wr_view_span(window, index, index + 1, &next);
}

/* Pages of the range of which the file has some in memory. */
static unsigned long count_cached(struct wr_window *window, pgoff_t first,
				  pgoff_t end)
{
	pgoff_t start = wr_window_offset(window, first);
	pgoff_t last = wr_window_offset(window, end) - 1;
	struct folio_batch batch;
	unsigned long pages = 0;
	struct folio *folio;
	unsigned int i;

	folio_batch_init(&batch);
	while (filemap_get_folios(window->view->mapping, &start, last,
				  &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			folio = batch.folios[i];
			pages += min(folio_next_index(folio), last + 1) -
				 max(folio->index,
				     wr_window_offset(window, first));
		}
		folio_batch_release(&batch);
		cond_resched();
		if (fatal_signal_pending(current))
			break;
	}
	return pages;
}

/*
 * Pages of the range that are in memory, whoever has touched them. The window is
 * locked.
 */
unsigned long wr_view_resident(struct wr_window *window, pgoff_t first,
			       pgoff_t end)
{
	unsigned long pages = 0;
	pgoff_t next;

	for (; first < end && !fatal_signal_pending(current); first = next) {
		next = wr_resident_next(window, first, end);
		if (first < next) {
			pages += count_cached(window, first, next);
			continue;
		}
		pages++;
		next++;
		cond_resched();
	}
	return pages;
}

/* ---- faults ---- */

/* wr_view_span() between trylock_states() and unlock_states(). */
static u8 states_span(struct wr_window *window, pgoff_t first, pgoff_t end,
		      pgoff_t *next)
{
	if (wr_view_is_reserved(window))
		return span_locked(window, first, end, next);
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

	if (host->page_mkwrite) {
		vmf->flags = FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE;
		ret = host->page_mkwrite(vmf);
		vmf->flags = flags;
		if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY |
			   VM_FAULT_LOCKED))
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

static void insert_pages(struct vm_fault *vmf, struct wr_window *window,
			 struct folio *folio, pgoff_t first, pgoff_t end)
{
	struct page *page;

	for (; first < end; first++) {
		page = folio_file_page(folio, wr_window_offset(window, first));
		if (!PageHWPoison(page))
			wr_vmf_insert_at(vmf, wr_address(first), page);
	}
}

/*
 * PTEs for those pages of a locked folio in one table that may be written: that of
 * the fault, which has been looked at, and if the states can be had the others.
 */
static void map_writable(struct vm_fault *vmf, struct wr_window *window)
{
	struct folio *folio = page_folio(vmf->page);
	pgoff_t own = wr_vmf_index(vmf), first, end, next;

	find_part(vmf, window, folio, &first, &end);
	if (!trylock_states(window)) {
		insert_pages(vmf, window, folio, own, min(own + 1, end));
		return;
	}
	for (; first < end; first = next)
		if (span_allows(window, first, end, WR_READ | WR_WRITE, &next))
			insert_pages(vmf, window, folio, first, next);
	unlock_states(window);
}

/*
 * To make one page of a large folio writable costs a file system as much as all of
 * it. So all pages of it that may be written become so at once, as where the core
 * maps a folio as a whole. The page is referenced, and not locked.
 */
static vm_fault_t write_around(struct vm_fault *vmf, struct wr_window *window)
{
	struct address_space *mapping = vmf->vma->vm_file->f_mapping;
	vm_fault_t ret = host_mkwrite(vmf, window);

	if (!(ret & VM_FAULT_LOCKED))
		return ret;
	map_writable(vmf, window);
	set_page_dirty(vmf->page);
	unlock_page(vmf->page);
	balance_dirty_pages_ratelimited(mapping);
	return VM_FAULT_NOPAGE;
}

/* One page of a folio that must not be mapped as a whole. */
static vm_fault_t map_part(struct vm_fault *vmf, struct wr_window *window)
{
	vm_fault_t ret;

	if (!(vmf->flags & FAULT_FLAG_WRITE)) {
		ret = wr_vmf_map_part(vmf, vmf->page);
		drop_page(vmf);
		return ret;
	}
	unlock_page(vmf->page);
	ret = write_around(vmf, window);
	put_page(vmf->page);
	vmf->page = NULL;
	return ret;
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
	struct wr_window *window = vmf->vma->vm_private_data;
	u32 reason = WINREGION_FAULT_IN_PAGE;

	if (likely(!(ret & (VM_FAULT_SIGBUS | VM_FAULT_HWPOISON))))
		return ret;
	if (ret & VM_FAULT_HWPOISON)
		reason = WINREGION_FAULT_POISONED;
	else if (is_behind_end(vmf, window))
		reason = WINREGION_FAULT_BEHIND_END;
	wr_record_fault(&window->space->records, vmf, reason);
	return ret;
}

static vm_fault_t simple_fault(struct vm_fault *vmf)
{
	struct wr_window *window = vmf->vma->vm_private_data;

	return tell_error(vmf, window->view->host->fault(vmf));
}

static vm_fault_t simple_mkwrite(struct vm_fault *vmf)
{
	struct wr_window *window = vmf->vma->vm_private_data;

	return tell_error(vmf, window->view->host->page_mkwrite(vmf));
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

static vm_fault_t tracked_fault(struct vm_fault *vmf)
{
	struct wr_window *window = vmf->vma->vm_private_data;

	return tell_error(vmf, fault_by_state(vmf, window));
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
	 * Of a page that tracked_fault() has just returned for a write. It has seen the
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

static vm_fault_t tracked_mkwrite(struct vm_fault *vmf)
{
	struct wr_window *window = vmf->vma->vm_private_data;

	return tell_error(vmf, mkwrite_by_state(vmf, window));
}

/* Of a view that does not write. Before the file says that it ends before. */
static vm_fault_t read_only_fault(struct vm_fault *vmf)
{
	struct wr_window *window = vmf->vma->vm_private_data;

	if (vmf->flags & FAULT_FLAG_WRITE)
		return wr_fault_refuse(vmf, window, window->view->state);
	return simple_fault(vmf);
}

static vm_fault_t read_only_mkwrite(struct vm_fault *vmf)
{
	struct wr_window *window = vmf->vma->vm_private_data;

	return wr_fault_refuse(vmf, window, window->view->state);
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
	    !mapping_large_folio_support(vma->vm_file->f_mapping))
		return true;
	return range_allows(window, max(slot, wr_vma_first(vma)),
			    min(slot + WR_SLOT_PAGES, wr_vma_end(vma)),
			    WR_READ);
}

/*
 * Called under rcu_read_lock(). The states stay as they are while the file maps its
 * pages; a table of PTEs must be there, or it would map one large page.
 */
static vm_fault_t tracked_map_pages(struct vm_fault *vmf, pgoff_t first,
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

/* ---- VMAs ---- */

static vm_fault_t no_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

/* Of a VMA that is about to go. */
static const struct vm_operations_struct closed_ops = {
	.fault = no_fault,
	.may_split = wr_vma_may_split,
};

/* A view is never split, so this is a fork, or a mremap() that will fail. */
static void view_open(struct vm_area_struct *vma);

/* Return: whether the window's reference is to be put. */
static bool end_view(struct wr_window *window)
{
	if (--window->nr_vmas)
		return false;
	wr_locked_clear(window, window->first, window->end);
	wr_copies_drop(window);
	wr_window_free_regions(window);
	return wr_window_unpublish(window);
}

/* The file is told of the end of a VMA. Return: the window that it had. */
static struct wr_window *close_vma(struct vm_area_struct *vma)
{
	struct wr_window *window = vma->vm_private_data;
	const struct vm_operations_struct *host = window->view->host;

	if (host->close)
		host->close(vma);
	vma->vm_ops = &closed_ops;
	vma->vm_private_data = NULL;
	return window;
}

static void view_close(struct vm_area_struct *vma)
{
	struct wr_window *window = close_vma(vma);
	enum wr_closing why;
	bool put;

	why = wr_layout_closing(window);
	mutex_lock(&window->lock);
	put = end_view(window);
	mutex_unlock(&window->lock);
	if (why == WR_CLOSE_UNMAPPED) /* else wr_view_unmap() does it */
		wr_pagefile_trim(&window->space->pagefile, false);
	if (put)
		wr_window_put(window);
	wr_window_put(window);
}

/* Of a child that has no memory for a view: it has the parent's window. */
static void orphan_open(struct vm_area_struct *vma)
{
	struct wr_window *window = vma->vm_private_data;
	const struct vm_operations_struct *host = window->view->host;

	if (host->open)
		host->open(vma);
	wr_window_get(window);
}

static void orphan_close(struct vm_area_struct *vma)
{
	wr_window_put(close_vma(vma));
}

static const struct vm_operations_struct orphan_ops = {
	.open = orphan_open,
	.close = orphan_close,
	.may_split = wr_vma_may_split,
	.mprotect = wr_vma_mprotect,
	.mremap = wr_vma_mremap,
	.fault = no_fault,
};

/* Field by field: what else the file's own have is not for views. */
static void fill_ops(struct wr_view_ops *table)
{
	const struct vm_operations_struct *host = table->host;
	struct vm_operations_struct ops = {
		.open = view_open,
		.close = view_close,
		.may_split = wr_vma_may_split,
		.mprotect = wr_vma_mprotect,
		.mremap = wr_vma_mremap,
		.fault = simple_fault,
		.map_pages = host->map_pages,
		.page_mkwrite = host->page_mkwrite ? simple_mkwrite : NULL,
#ifdef CONFIG_NUMA
		.set_policy = host->set_policy,
		.get_policy = host->get_policy,
#endif
	};

	if (!(table->rights & WR_WRITE)) {
		ops.fault = read_only_fault;
		ops.page_mkwrite = read_only_mkwrite;
	}
	table->simple = ops;
	ops.fault = tracked_fault;
	ops.page_mkwrite = tracked_mkwrite;
	if (host->map_pages)
		ops.map_pages = tracked_map_pages;
	table->tracked = ops;
}

static struct wr_view_ops *add_ops(struct wr_view *view)
{
	struct wr_section *section = view->section;
	struct wr_view_ops *ops = kzalloc(sizeof(*ops), GFP_KERNEL_ACCOUNT);

	if (!ops)
		return NULL;
	ops->host = view->host;
	ops->rights = view->rights;
	fill_ops(ops);
	ops->next = section->ops;
	section->ops = ops;
	return ops;
}

/* A section's file has one kind of operations, or a few. Return: 0 or -ENOMEM. */
static int find_ops(struct wr_view *view)
{
	struct wr_section *section = view->section;
	struct wr_view_ops *ops;

	mutex_lock(&section->lock);
	for (ops = section->ops; ops; ops = ops->next)
		if (ops->host == view->host && ops->rights == view->rights)
			break;
	if (!ops)
		ops = add_ops(view);
	mutex_unlock(&section->lock);
	view->ops = ops;
	return ops ? 0 : -ENOMEM;
}

static const struct vm_operations_struct *ops_of(struct wr_window *window)
{
	struct wr_view_ops *ops = window->view->ops;

	return window->tracked ? &ops->tracked : &ops->simple;
}

/*
 * A seal against future writing may have come since the section was made. Later
 * kernels look for it before they ask the file to map, and ours has none.
 */
static bool is_sealed(struct file *file)
{
	struct inode *inode = file_inode(file);

	return inode->i_sb->s_magic == TMPFS_MAGIC &&
	       SHMEM_I(inode)->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
}

/* Which file is asked to set up the VMA. Some want to know who writes. */
static struct file *host_file(struct wr_view *view)
{
	struct wr_section *section = view->section;

	return view->rights & WR_WRITE && !section->stacked ? section->writer :
							      section->reader;
}

/* What the file has made of the VMA. Return: 0, or an error if it is of no use. */
static int look_at_host(struct wr_view *view, struct vm_area_struct *vma)
{
	if (!wr_section_may_map(view->section, vma) ||
	    vma->vm_file->f_mode & FMODE_WRITE)
		return -EMEDIUMTYPE;
	view->host = vma->vm_ops;
	view->mapping = vma->vm_file->f_mapping;
	return find_ops(view);
}

/* Has the file set up the VMA, and leaves one in it that only reads. */
static int host_mmap(struct wr_window *window, struct vm_area_struct *vma)
{
	struct file *file = host_file(window->view);
	int err;

	if (window->view->rights & WR_WRITE && is_sealed(file))
		return -EPERM;
	vma_set_file(vma, file);
	err = wr_call_mmap(file, vma);
	if (err)
		return err;
	if (vma->vm_file == file)
		vma_set_file(vma, window->view->section->reader);
	err = look_at_host(window->view, vma);
	if (!err)
		return 0;
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	vma->vm_ops = &closed_ops;
	return err;
}

/* Nobody knows the window yet. */
static void set_all_states(struct wr_window *window, u8 state)
{
	struct wr_runs *runs = &window->runs;

	wr_runs_fill(runs, runs->base, runs->base + (1UL << runs->shift),
		     state);
}

/**
 * wr_view_attach - mmap of a section's pseudo file
 * @file: that
 * @vma: the VMA that is being made
 *
 * VM_DONTEXPAND as for windows: see fault.c.
 *
 * Return: 0 or an error.
 */
int wr_view_attach(struct file *file, struct vm_area_struct *vma)
{
	unsigned long len = vma->vm_end - vma->vm_start;
	struct wr_window *window;
	struct wr_layout *layout;
	struct wr_view *view;
	int err;

	layout = wr_layout_announced(file, vma->vm_start, len, vma->vm_pgoff);
	if (!layout)
		return -EINVAL;
	if (layout->step != WR_STEP_NEW && layout->step != WR_STEP_OVER)
		return -ECANCELED; /* what was here is unmapped */
	window = layout->window;
	view = window->view;
	if (!(view->rights & WR_WRITE))
		vm_flags_clear(vma, VM_MAYWRITE);
	err = host_mmap(window, vma);
	if (err)
		return err;
	if (view->rights & WR_EXEC)
		vm_flags_set(vma, VM_MAYSHARE); /* no breakpoints of uprobes */
	else /* personality(READ_IMPLIES_EXEC) */
		vm_flags_clear(vma, VM_EXEC | VM_MAYEXEC);
	vm_flags_set(vma, VM_DONTEXPAND);
	set_all_states(window, view->state);
	vma->vm_ops = ops_of(window);
	vma->vm_private_data = window;
	wr_window_opened(window);
	wr_layout_arrived(window);
	return 0;
}

/* The VMA of a view; mmap_lock is held. */
static struct vm_area_struct *vma_of(struct wr_window *window)
{
	struct vm_area_struct *vma;

	mmap_assert_locked(window->space->mm);
	vma = vma_lookup(window->space->mm, wr_address(window->first));
	if (!vma || wr_vma_view(vma) != window)
		return NULL;
	return vma;
}

/**
 * wr_view_zap - remove what maps pages of a view
 * @window: the view; mmap_lock is held, and if rights are to go, for writing, with
 *	the VMA's lock
 * @first: the first page
 * @end: the page behind the last
 */
void wr_view_zap(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct vm_area_struct *vma = vma_of(window);

	if (vma)
		wr_zap_vma(vma, wr_address(first), wr_address(end));
}

/*
 * The only way to an anon_vma: what a private mapping gets for a write, before the
 * fault handler is asked, which has none. There are no PTEs, nor faults but this one.
 */
static int make_anon_vma(struct vm_area_struct *vma)
{
	const struct vm_operations_struct *ops = vma->vm_ops;
	const vm_flags_t write = VM_WRITE | VM_MAYWRITE;
	const vm_flags_t flags = vma->vm_flags;
	int err;

	if (vma->anon_vma)
		return 0;
	vma->vm_ops = &closed_ops;
	vm_flags_clear(vma, VM_SHARED);
	vm_flags_set(vma, write);
	err = fixup_user_fault(vma->vm_mm, vma->vm_start, FAULT_FLAG_WRITE,
			       NULL);
	vm_flags_clear(vma, write);
	vm_flags_set(vma, flags & (VM_SHARED | write));
	vma->vm_ops = ops;
	if (vma->anon_vma)
		return 0;
	return err == -EINTR ? -EINTR : -ENOMEM;
}

/* As the core does it: of mappings for code, with which it shows those of libraries */
static long code_pages(struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_EXEC | VM_WRITE)) == VM_EXEC ?
		       vma_pages(vma) :
		       0;
}

/* Of a VMA that is there. mmap_lock is held for writing. */
static void change_flags(struct vm_area_struct *vma, vm_flags_t set,
			 vm_flags_t clear)
{
	long before = code_pages(vma);

	mmap_assert_write_locked(vma->vm_mm);
	vm_flags_clear(vma, clear);
	vm_flags_set(vma, set);
	vma->vm_mm->exec_vm += code_pages(vma) - before;
}

/*
 * Has writes come to our handlers, in a VMA of pages that may only be read: the core
 * takes it for one that writes the file. It is locked, and has no PTEs.
 */
static int admit_writes(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_SHARED)
		return 0;
	if (mapping_map_writable(vma->vm_file->f_mapping))
		return -EKEYREJECTED;
	change_flags(vma, VM_SHARED | VM_MAYSHARE | VM_WRITE | VM_MAYWRITE, 0);
	return 0;
}

/*
 * Lets guards of a VMA, which is tracked, be set off by writes. Where the file has been
 * sealed, only reads do it. mmap_lock is held for writing.
 */
static void admit_guards(struct wr_window *window, struct vm_area_struct *vma)
{
	if (window->view->writes)
		return;
	vma_start_write(vma);
	wr_zap_vma(vma, vma->vm_start, vma->vm_end);
	admit_writes(vma);
	mutex_lock(&window->lock);
	WRITE_ONCE(window->view->writes, true);
	mutex_unlock(&window->lock);
}

/* Lets a VMA, which is tracked, have copies. mmap_lock is held for writing. */
static int admit_copies(struct wr_window *window, struct vm_area_struct *vma)
{
	int err;

	if (window->view->copies)
		return 0;
	vma_start_write(vma);
	wr_zap_vma(vma, vma->vm_start, vma->vm_end);
	err = make_anon_vma(vma);
	if (!err)
		err = admit_writes(vma);
	if (err)
		return err;
	mutex_lock(&window->lock);
	WRITE_ONCE(window->view->copies, true);
	WRITE_ONCE(window->view->writes, true);
	mutex_unlock(&window->lock);
	return 0;
}

static void track_vma(struct wr_window *window, struct vm_area_struct *vma)
{
	vma_start_write(vma);
	vma->vm_ops = &window->view->ops->tracked;
	/* As the core does: where page_mkwrite is asked, nothing is writable. */
	WRITE_ONCE(vma->vm_page_prot,
		   vm_get_page_prot(vma->vm_flags & ~VM_SHARED));
	wr_zap_vma(vma, vma->vm_start, vma->vm_end);
	mutex_lock(&window->lock);
	window->tracked = true;
	mutex_unlock(&window->lock);
}

/**
 * wr_view_track - from now on ask for each page of a view
 * @window: the view
 * @state: some will have that state
 *
 * Return: 0, -ENOENT if it is gone, -EINTR, and for copies -ENOMEM, or -EKEYREJECTED
 * if the file is sealed.
 */
int wr_view_track(struct wr_window *window, u8 state)
{
	struct vm_area_struct *vma;
	int err = -ENOENT;

	if (mmap_write_lock_killable(window->space->mm))
		return -EINTR;
	vma = vma_of(window);
	if (vma) {
		err = 0;
		if (!window->tracked)
			track_vma(window, vma);
		if (wr_state_copies(state))
			err = admit_copies(window, vma);
		else if (wr_state_is_guard(state))
			admit_guards(window, vma);
	}
	mmap_write_unlock(window->space->mm);
	return err;
}

/* ---- executing ---- */

/*
 * To the core PTEs are executable as their VMA is, also where it makes them anew, as
 * for a page that has moved. So of a view, which has one VMA, all pages that can be
 * read can be executed, or none can.
 */

/* Whether pages can have a state only if the VMA is changed. The window is locked. */
bool wr_view_changes_exec(struct wr_window *window, u8 state)
{
	struct wr_view *view = window->view;
	u8 rights = wr_view_rights(state);

	return view->rights & WR_EXEC && rights &&
	       !(rights & WR_EXEC) == view->executes;
}

static bool is_sealed_vma(struct wr_window *window)
{
	struct vm_area_struct *vma = vma_of(window);

	return vma && wr_vma_is_sealed(vma);
}

/**
 * wr_view_may_change_exec - whether the VMA can be changed with pages of a range
 * @window: the view; its lock is held
 * @first: the first page
 * @end: the page behind the last
 * @locked: mmap_lock is held; if not, there will be another look
 *
 * Return: 0, -EDOM if others can be read, -EACCES if it is sealed, or -EINTR.
 */
int wr_view_may_change_exec(struct wr_window *window, pgoff_t first,
			    pgoff_t end, bool locked)
{
	pgoff_t i, next;
	u8 state;

	if (locked && is_sealed_vma(window))
		return -EACCES;
	for (i = window->first; i < window->end; i = next) {
		state = wr_runs_span(&window->runs, i, window->end, &next);
		if (wr_view_rights(state) && (i < first || next > end))
			return -EDOM;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/* The window is locked, mmap_lock and the VMA for writing. */
void wr_view_change_exec(struct wr_window *window)
{
	struct vm_area_struct *vma = vma_of(window);
	vm_flags_t flags;

	if (!vma)
		return;
	if (window->view->executes)
		change_flags(vma, 0, VM_EXEC);
	else
		change_flags(vma, VM_EXEC, 0);
	WRITE_ONCE(window->view->executes, !window->view->executes);
	flags = window->tracked ? vma->vm_flags & ~VM_SHARED : vma->vm_flags;
	WRITE_ONCE(vma->vm_page_prot, vm_get_page_prot(flags));
	wr_zap_vma(vma, vma->vm_start, vma->vm_end);
}

/* ---- fork ---- */

static int fork_states(struct wr_window *parent, struct wr_window *child)
{
	pgoff_t i, next;
	u8 state;
	int err = 0;

	for (i = parent->first; i < parent->end && !err; i = next) {
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
		state = wr_runs_span(&parent->runs, i, parent->end, &next);
		err = wr_runs_split(&child->runs, i, GFP_KERNEL_ACCOUNT);
		if (!err)
			err = wr_runs_split(&child->runs, next,
					    GFP_KERNEL_ACCOUNT);
		if (!err)
			wr_runs_fill(&child->runs, i, next, state);
	}
	return err;
}

static int fork_region(struct wr_window *parent, struct wr_window *child)
{
	struct wr_region *region = wr_region_first(parent);
	struct wr_region *copy = &child->view->region;
	int err;

	if (!region) /* it is being unmapped, or not yet there */
		return -ENOENT;
	err = wr_space_add_regions(child->space, 1);
	if (err)
		return err;
	err = wr_pagefile_charge(&child->space->pagefile, region->committed);
	if (err) {
		wr_space_add_regions(child->space, -1);
		return err;
	}
	copy->first = region->first;
	copy->end = region->end;
	copy->committed = region->committed;
	wr_region_inherit(copy, region);
	wr_region_add(child, copy);
	return 0;
}

/* Both are locked. @vma: the parent's */
static int fork_locked(struct wr_window *parent, struct wr_window *child,
		       struct vm_area_struct *vma)
{
	int err;

	err = fork_states(parent, child);
	if (!err && parent->stamp)
		err = wr_window_stamp(child);
	if (!err)
		err = fork_region(parent, child);
	if (!err)
		err = wr_copies_fork(parent, child, vma);
	if (!err)
		err = wr_window_publish(child);
	return err;
}

static struct wr_window *alloc_window(struct wr_space *space,
				      struct wr_section *section, u8 rights)
{
	struct wr_window *window =
		wr_window_alloc(space, section->pseudo, sizeof(struct wr_view));

	if (!window)
		return NULL;
	window->view->section = section;
	window->view->rights = rights;
	return window;
}

static struct wr_window *alloc_child(struct wr_window *parent,
				     struct vm_area_struct *vma)
{
	struct wr_space *space = wr_space_get_for(vma->vm_mm);
	struct wr_view *view = parent->view;
	struct wr_window *child;

	if (!space)
		return NULL;
	child = alloc_window(space, view->section, view->rights);
	wr_space_put(space);
	if (!child)
		return NULL;
	wr_window_set_range(child, parent->first, parent->end);
	child->shift = parent->shift;
	child->view->state = view->state;
	child->view->executes = view->executes;
	child->view->copies = view->copies;
	child->view->writes = view->writes;
	child->view->host = view->host;
	child->view->mapping = view->mapping;
	child->view->ops = view->ops;
	return child;
}

/* Return: the child's window with a reference for the VMA, or NULL. */
static struct wr_window *fork_view(struct wr_window *parent,
				   struct vm_area_struct *vma)
{
	struct wr_window *child = alloc_child(parent, vma);
	int err;

	if (!child)
		return NULL;
	mutex_lock(&parent->lock);
	mutex_lock_nested(&child->lock, SINGLE_DEPTH_NESTING);
	child->tracked = parent->tracked;
	err = fork_locked(parent, child, vma_of(parent));
	mutex_unlock(&child->lock);
	mutex_unlock(&parent->lock);
	if (!err) {
		wr_window_opened(child);
		return child;
	}
	mutex_lock(&child->lock);
	wr_copies_drop(child);
	wr_window_free_regions(child);
	mutex_unlock(&child->lock);
	wr_window_put(child);
	return NULL;
}

/*
 * With an anon_vma they would be copied, or, in some kernels, such as 6.2 to 6.8, are
 * by now. And no copy may be writable in the parent.
 */
static void forget_ptes(struct wr_window *parent, struct vm_area_struct *vma)
{
	struct vm_area_struct *from = vma_of(parent);

	if (from) {
		vma_start_write(from); /* no fault is on its way then */
		wr_zap_vma(from, from->vm_start, from->vm_end);
	}
	wr_zap_vma(vma, vma->vm_start, vma->vm_end);
}

static void view_open(struct vm_area_struct *vma)
{
	struct wr_window *window = vma->vm_private_data, *child;
	const struct vm_operations_struct *host = window->view->host;

	if (host->open)
		host->open(vma);
	if (vma->vm_mm == window->space->mm) {
		wr_window_opened(window);
		return;
	}
	if (window->view->copies)
		forget_ptes(window, vma);
	child = fork_view(window, vma);
	if (child) {
		vma->vm_private_data = child;
		vma->vm_ops = ops_of(child);
	} else {
		wr_window_get(window);
		vma->vm_ops = &orphan_ops;
	}
}

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
	if (request->length > size - request->offset)
		return -ERANGE;
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
	struct wr_window *window = alloc_window(space, section, rights);

	if (!window)
		return NULL;
	window->view->state = request->state;
	window->view->executes = rights & WR_EXEC;
	window->view->writes = rights & WR_WRITE;
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
	if (request->fixed)
		return map_fixed(space, window, request);
	if (request->bound || request->top_down)
		return map_within(space, window, request);
	return wr_layout_map_view(window, 0, window->view->rights, NULL);
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

	if (view->rights & WR_WRITE && is_sealed(host_file(view)))
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

	if (!wr_view_is_ready(window, request->state))
		err = wr_view_track(window, request->state);
	if (err == -ENOENT) /* somebody else has unmapped it */
		err = -ENOSPC;
	return err ? err : commit_head(section, request);
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

static int unmap_locked(struct wr_space *space, pgoff_t *first,
			unsigned long *pages, u64 serial, bool keep)
{
	struct wr_window *window = find_view(space, *first);
	int err = -ENOENT;

	if (!window)
		return err;
	if (is_there(window, serial)) {
		*first = window->first;
		if (pages)
			*pages = window->end - window->first;
		err = keep ? preserve(space, window) :
			     wr_layout_unmap_view(window);
	}
	wr_window_put(window);
	return err;
}

/**
 * wr_view_unmap - end a view
 * @space: where
 * @first: a page of it; set to its first page
 * @pages: if not NULL, set to how many it has
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
	int err;

	mutex_lock(&space->layout_lock);
	err = unmap_locked(space, first, pages, serial, keep);
	mutex_unlock(&space->layout_lock);
	wr_locked_settle(space);
	wr_pagefile_trim(&space->pagefile, true);
	return err;
}

/**
 * wr_view_undo - unmap what wr_view_map() has mapped
 * @space: where
 * @request: how it was mapped
 *
 * If it has replaced a placeholder that is there again.
 */
void wr_view_undo(struct wr_space *space, struct wr_view_request *request)
{
	pgoff_t first = request->first;
	int err = -ENOMEM;

	if (request->replace)
		err = wr_view_unmap(space, &first, NULL, request->serial, true);
	if (err && err != -ENOENT)
		wr_view_unmap(space, &first, NULL, request->serial, false);
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
