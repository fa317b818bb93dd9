// SPDX-License-Identifier: GPL-2.0
/*
 * The pages of a window that are in memory.
 *
 * A page is made at first touch, owned by the window whose slot points to it,
 * and freed when the window gives it up. While it is owned its mapping is the
 * window's file, as shared futexes and the handling of hardware poison need,
 * and page_private() counts the windows that own it: after a fork, parent and
 * child own the same pages until one of them writes. mapping, index and private
 * change under the page lock.
 *
 * Pages are dirty from birth: the core takes a read-only PTE of a shared
 * mapping for one that may become writable again once it is dirty but its page
 * is not (NUMA balancing, userfaultfd).
 *
 * No PTE appears but under its page's lock, after the fault handler looked
 * at the states under the window's lock. So whoever changes the states and then
 * takes the lock of each page in turn has waited for every fault that saw
 * the old states, and can unmap what they left: wr_resident_unmap(). This is
 * good for taking all access away, not for making PTEs read-only.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "resident.h"

static unsigned int slot_offset(pgoff_t index)
{
	return index & (WR_SLOT_PAGES - 1);
}

static void page_stamp(struct page *page, struct wr_window *window,
		       pgoff_t index)
{
	struct folio *folio = page_folio(page);

	folio->mapping = window->file->f_mapping;
	folio->index = index + window->stamp;
}

static struct page *page_alloc(struct wr_window *window, pgoff_t index,
			       gfp_t gfp)
{
	struct page *page = alloc_page(GFP_HIGHUSER | __GFP_ACCOUNT | gfp);

	if (!page)
		return NULL;
	page_stamp(page, window, index);
	set_page_private(page, 1);
	SetPageDirty(page);
	return page;
}

/* Gives up one window's ownership; others may own it, or have it pinned. */
static void page_disown(struct page *page)
{
	struct folio *folio = page_folio(page);

	folio_lock(folio);
	set_page_private(page, page_private(page) - 1);
	if (!page_private(page))
		folio->mapping = NULL;
	folio_unlock(folio);
	folio_put(folio);
}

/* Whether other windows own it too. */
static bool is_shared(struct page *page)
{
	return READ_ONCE(page_private(page)) > 1;
}

/* The page in memory at @index, or NULL. No reference is taken. */
struct page *wr_resident_find(struct wr_window *window, pgoff_t index)
{
	struct wr_slot *slot = wr_runs_slot(&window->runs, index, NULL);

	lockdep_assert_held(&window->lock);
	return slot && slot->pages ? slot->pages[slot_offset(index)] : NULL;
}

/* A slot for @index with room for pages, or NULL if there is no memory. */
static struct wr_slot *slot_for(struct wr_window *window, pgoff_t index)
{
	struct wr_slot *slot = wr_runs_make_slot(&window->runs, index);

	if (!slot || slot->pages)
		return slot;
	slot->pages = kcalloc(WR_SLOT_PAGES, sizeof(*slot->pages),
			      GFP_KERNEL_ACCOUNT);
	return slot->pages ? slot : NULL;
}

static void slot_add(struct wr_window *window, struct wr_slot *slot,
		     pgoff_t index, struct page *page)
{
	slot->pages[slot_offset(index)] = page;
	slot->nr_resident++;
	window->nr_resident++;
}

/*
 * The page at @index, made with zeros if need be; -ENOMEM, or -EHWPOISON for one
 * with a memory error, which nobody may even read, not to copy it either.
 */
struct page *wr_resident_get(struct wr_window *window, pgoff_t index)
{
	struct wr_slot *slot = slot_for(window, index);
	struct page *page;

	lockdep_assert_held(&window->lock);
	if (!slot)
		return ERR_PTR(-ENOMEM);
	page = slot->pages[slot_offset(index)];
	if (page)
		return PageHWPoison(page) ? ERR_PTR(-EHWPOISON) : page;
	page = page_alloc(window, index, __GFP_ZERO);
	if (!page)
		return ERR_PTR(-ENOMEM);
	slot_add(window, slot, index, page);
	return page;
}

/* Replaces @old, which others own too, by a copy. */
static struct page *page_copy(struct wr_window *window, pgoff_t index,
			      struct page *old)
{
	struct wr_slot *slot = wr_runs_slot(&window->runs, index, NULL);
	struct page *page = page_alloc(window, index, 0);

	if (!page)
		return ERR_PTR(-ENOMEM);
	copy_highpage(page, old);
	slot->pages[slot_offset(index)] = page;
	/* Faults that return @old hold its lock until they are done. */
	lock_page(old);
	unlock_page(old);
	unmap_mapping_pages(window->file->f_mapping, index, 1, false);
	page_disown(old);
	return page;
}

/**
 * wr_resident_own - the page at an index, for this window alone
 * @window: the window
 * @index: the index
 *
 * What a write needs: zeros if there was no page, a copy if the page was shared
 * by a fork.
 *
 * Return: the page without a reference, -ENOMEM, or -EHWPOISON.
 */
struct page *wr_resident_own(struct wr_window *window, pgoff_t index)
{
	struct page *page = wr_resident_get(window, index);

	if (IS_ERR(page) || likely(!window->tracked))
		return page;
	if (is_shared(page))
		return page_copy(window, index, page);
	/*
	 * It was left to us by the others; a shared futex in it is ours now.
	 * Nobody looked it up before: that takes write access, which is why we
	 * are here.
	 */
	if (page_folio(page)->index != index + window->stamp) {
		lock_page(page);
		page_stamp(page, window, index);
		unlock_page(page);
	}
	return page;
}

typedef int (*page_fn)(struct wr_window *window, pgoff_t index,
		       struct wr_slot *slot, void *data);

/* Calls @fn for each page in memory of [@first, @end) up to the first error. */
static int visit_pages(struct wr_window *window, pgoff_t first, pgoff_t end,
		       page_fn fn, void *data)
{
	struct wr_slot *slot;
	pgoff_t next;
	int err;

	lockdep_assert_held(&window->lock);
	for (; first < end; first = next) {
		slot = wr_runs_slot(&window->runs, first, &next);
		next = min(next, end);
		if (!slot || !slot->nr_resident)
			continue;
		for (; first < next; first++) {
			if (!slot->pages[slot_offset(first)])
				continue;
			err = fn(window, first, slot, data);
			if (err)
				return err;
		}
		cond_resched();
	}
	return 0;
}

static int count_page(struct wr_window *window, pgoff_t index,
		      struct wr_slot *slot, void *data)
{
	++*(unsigned long *)data;
	return 0;
}

/* Pages of the range that are in memory. The window is locked. */
unsigned long wr_resident_count(struct wr_window *window, pgoff_t first,
				pgoff_t end)
{
	unsigned long n = 0;

	if (window->nr_resident)
		visit_pages(window, first, end, count_page, &n);
	return n;
}

static int wait_for_page(struct wr_window *window, pgoff_t index,
			 struct wr_slot *slot, void *data)
{
	struct page *page = slot->pages[slot_offset(index)];

	lock_page(page);
	unlock_page(page);
	*(bool *)data = true;
	return 0;
}

/**
 * wr_resident_unmap - take all access to pages away
 * @window: the window
 * @first: the first page
 * @end: the page behind the last
 *
 * To be called after the states have changed. When it returns, and until the
 * window's lock is dropped, no PTE of the window maps any of the pages.
 */
void wr_resident_unmap(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	bool any = false;

	if (!window->nr_resident)
		return;
	visit_pages(window, first, end, wait_for_page, &any);
	if (any)
		unmap_mapping_pages(window->file->f_mapping, first, end - first,
				    false);
}

static int drop_page(struct wr_window *window, pgoff_t index,
		     struct wr_slot *slot, void *data)
{
	struct page *page = slot->pages[slot_offset(index)];

	slot->pages[slot_offset(index)] = NULL;
	slot->nr_resident--;
	window->nr_resident--;
	page_disown(page);
	return 0;
}

/* Gives up pages that no PTE of the window maps any more. */
void wr_resident_drop(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	if (window->nr_resident)
		visit_pages(window, first, end, drop_page, NULL);
}

/*
 * Data may still be on its way into a pinned page: that one stays with the
 * parent. One with a memory error cannot be copied.
 */
static int fork_page(struct wr_window *parent, pgoff_t index,
		     struct wr_slot *slot, void *data)
{
	struct page *page = slot->pages[slot_offset(index)], *copy;
	struct wr_window *child = data;
	struct wr_slot *child_slot;

	if (fatal_signal_pending(current))
		return -EINTR;
	child_slot = slot_for(child, index);
	if (!child_slot)
		return -ENOMEM;
	if (folio_maybe_dma_pinned(page_folio(page)) && !PageHWPoison(page)) {
		copy = page_alloc(child, index, 0);
		if (!copy)
			return -ENOMEM;
		copy_highpage(copy, page);
		slot_add(child, child_slot, index, copy);
		return 0;
	}
	get_page(page);
	lock_page(page);
	set_page_private(page, page_private(page) + 1);
	unlock_page(page);
	slot_add(child, child_slot, index, page);
	return 0;
}

/**
 * wr_resident_fork - let a child's window own the pages too
 * @parent: the parent's window, tracked
 * @child: the child's window
 * @first: the first page
 * @end: the page behind the last
 *
 * Called under the parent's mmap_lock for writing, so that no fault of the
 * parent is on its way.
 *
 * Return: 0, -ENOMEM or -EINTR; then the child has some of the pages.
 */
int wr_resident_fork(struct wr_window *parent, struct wr_window *child,
		     pgoff_t first, pgoff_t end)
{
	mmap_assert_write_locked(parent->space->mm);
	if (!parent->nr_resident)
		return 0;
	wr_resident_unmap(parent, first, end);
	return visit_pages(parent, first, end, fork_page, child);
}
