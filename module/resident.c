// SPDX-License-Identifier: GPL-2.0
/*
 * The pages of a window that are in memory: which page is where. What a page is,
 * and who owns it, is in page.c.
 *
 * No PTE appears but under its page's lock, taken while the fault handler looked
 * at the states under the window's lock, or under the latter itself. So
 * whoever changes the states and then sees each page unlocked has waited
 * for every fault that saw the old states, and can unmap what they left:
 * wr_resident_unmap(). This is good for taking all access away, not for making
 * PTEs read-only.
 */
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "locked.h"
#include "pageout.h"
#include "regiontree.h"
#include "resident.h"
#include "stash.h"

/* Where there is another way if memory is short */
#define EASILY (__GFP_NORETRY | __GFP_NOWARN)

/* New pages of a watched window are clean until somebody writes them. */
static void be_born(struct wr_window *window, struct page **pages,
		    unsigned int n)
{
	if (likely(!window->watch))
		return;
	while (n--)
		ClearPageDirty(*pages++);
}

/* A page that the caller has made is the window's, which does not know of it yet. */
void wr_resident_adopt(struct wr_window *window, pgoff_t index,
		       struct page *page)
{
	wr_page_adopt(page, window->file->f_mapping,
		      wr_resident_stamp(window, index));
	be_born(window, &page, 1);
}

/* What was made before, as there is no memory, or NULL: then it is to be. */
static struct page *take_room(struct wr_window *window, pgoff_t index)
{
	struct wr_room *room = window->held.room;
	struct page *page = room->page;

	if (!page || room->out.serial) {
		wr_pageout_want(window, (struct wr_out){});
		return NULL;
	}
	room->page = NULL;
	wr_resident_adopt(window, index, page);
	return page;
}

static struct page *page_alloc(struct wr_window *window, pgoff_t index,
			       gfp_t gfp)
{
	struct address_space *mapping = window->file->f_mapping;
	pgoff_t stamp = wr_resident_stamp(window, index);
	int node = wr_region_node(window, index);
	struct page *page;

	if (likely(!window->held.room))
		page = wr_page_alloc(mapping, stamp, gfp, node);
	else
		page = wr_page_alloc_now(mapping, stamp, gfp, node);
	if (page)
		be_born(window, &page, 1);
	else if (window->held.room && !(gfp & __GFP_NORETRY))
		page = take_room(window, index);
	return page;
}

/* Whether a page of the unit of @offset is a part of @folio. */
static bool unit_has(struct wr_slot *slot, unsigned int offset,
		     struct folio *folio)
{
	unsigned int i = round_down(offset, WR_UNIT_PAGES), n;

	for (n = 0; n < WR_UNIT_PAGES; n++, i++)
		if (slot->pages[i] && page_folio(slot->pages[i]) == folio)
			return true;
	return false;
}

/* @slot has lost a part of @folio. Return: whether that was the last one. */
static bool lost_last_part(struct wr_slot *slot, unsigned int offset,
			   struct folio *folio)
{
	if (folio_order(folio) == WR_SLOT_SHIFT)
		return !--slot->nr_huge;
	slot->units &= ~wr_slot_unit(offset);
	return !unit_has(slot, offset, folio);
}

/*
 * Gives up a window's ownership of a page that was in @slot at @offset; others
 * may own it, or have it pinned. With @all the other parts of a large one go too.
 * The reference is left to the caller. Waits for faults.
 */
static void page_disown(struct wr_slot *slot, unsigned int offset,
			struct page *page, bool all)
{
	struct folio *folio = page_folio(page);

	if (!folio_test_large(folio) || lost_last_part(slot, offset, folio))
		wr_folio_disown(folio);
	else if (all)
		folio_wait_locked(folio);
	else
		wr_folio_thin(folio);
}

/* Most of the pages of the range that can be in memory, up to @enough. */
unsigned long wr_resident_at_most(struct wr_window *window, pgoff_t first,
				  pgoff_t end, unsigned long enough)
{
	unsigned long n = 0;
	struct wr_slot *slot;
	pgoff_t next;

	lockdep_assert_held(&window->lock);
	if (!window->nr_resident || end - first < enough)
		return 0;
	for (; first < end && n < enough; first = next) {
		slot = wr_runs_slot(&window->runs, first, &next);
		if (slot)
			n += min_t(unsigned long, slot->nr_resident,
				   min(next, end) - first);
	}
	return n;
}

/* The page in memory at @index, or NULL. No reference is taken. */
struct page *wr_resident_find(struct wr_window *window, pgoff_t index)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, index);

	lockdep_assert_held(&window->lock);
	return slot ? wr_slot_page(slot, wr_slot_offset(index)) : NULL;
}

/* The first page in memory from @index on, or @end. */
pgoff_t wr_resident_next(struct wr_window *window, pgoff_t index, pgoff_t end)
{
	struct wr_slot *slot;
	pgoff_t next;

	lockdep_assert_held(&window->lock);
	if (!window->nr_resident)
		return end;
	for (; index < end; index = next) {
		slot = wr_runs_slot(&window->runs, index, &next);
		next = min(next, end);
		if (!slot || !slot->nr_resident)
			continue;
		for (; index < next; index++)
			if (wr_slot_page(slot, wr_slot_offset(index)))
				return index;
	}
	return end;
}

/*
 * A slot for @index that has all of its pages, or room for them, or NULL if there
 * is no memory.
 */
static struct wr_slot *slot_for(struct wr_window *window, pgoff_t index)
{
	struct wr_slot *slot = wr_runs_make_slot(&window->runs, index);

	if (!slot || slot->pages)
		return slot;
	slot->pages = wr_runs_alloc(WR_SLOT_PAGES * sizeof(*slot->pages),
				    GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return slot->pages ? slot : NULL;
}

/**
 * wr_resident_make_room - have a slot that can point to its pages
 * @window: the window; its lock is held
 * @index: a page of the slot
 *
 * Return: 0 or -ENOMEM.
 */
int wr_resident_make_room(struct wr_window *window, pgoff_t index)
{
	struct wr_slot *slot = slot_for(window, index);

	lockdep_assert_held(&window->lock);
	return slot ? wr_slot_spell_out(slot, GFP_KERNEL_ACCOUNT) : -ENOMEM;
}

static void slot_add(struct wr_window *window, struct wr_slot *slot,
		     pgoff_t index, struct page *page)
{
	slot->pages[wr_slot_offset(index)] = page;
	slot->nr_resident++;
	window->nr_resident++;
}

/**
 * wr_resident_add - add a page where there is none
 * @window: the window; its lock is held
 * @index: where
 * @page: the page; the caller's reference and ownership are the window's then
 *
 * Return: 0 or -ENOMEM.
 */
int wr_resident_add(struct wr_window *window, pgoff_t index, struct page *page)
{
	struct wr_slot *slot = slot_for(window, index);

	lockdep_assert_held(&window->lock);
	if (!slot || WARN_ON_ONCE(slot->is_whole))
		return -ENOMEM;
	slot_add(window, slot, index, page);
	return 0;
}

/*
 * The page at @index, made with zeros if need be; -ENOMEM, -EACCES if it is offered, or
 * -EHWPOISON for one with a memory error, which nobody may even read, not to copy it
 * either.
 */
struct page *wr_resident_get(struct wr_window *window, pgoff_t index)
{
	int err = wr_stash_touch(window, index);
	struct wr_slot *slot;
	struct page *page;

	lockdep_assert_held(&window->lock);
	if (err)
		return ERR_PTR(err);
	slot = slot_for(window, index);
	if (!slot)
		return ERR_PTR(-ENOMEM);
	page = wr_slot_page(slot, wr_slot_offset(index));
	if (page)
		return PageHWPoison(page) ? ERR_PTR(-EHWPOISON) : page;
	page = page_alloc(window, index, __GFP_ZERO);
	if (!page)
		return ERR_PTR(-ENOMEM);
	slot_add(window, slot, index, page);
	return page;
}

/* A large page of 1 << @order pages, which begins at @index, if that is easy. */
static struct page *add_large(struct wr_window *window, struct wr_slot *slot,
			      pgoff_t index, unsigned int order)
{
	struct page *page;

	page = wr_page_alloc_large(window->file->f_mapping,
				   wr_resident_stamp(window, index), order,
				   wr_region_node(window, index));
	if (page) {
		slot->nr_resident += 1 << order;
		window->nr_resident += 1 << order;
	}
	return page;
}

/**
 * wr_resident_make_huge - make all pages of a slot at once, if that is easy
 * @window: the window
 * @first: the slot's first page; none of it is in memory
 */
void wr_resident_make_huge(struct wr_window *window, pgoff_t first)
{
	struct wr_slot *slot = wr_runs_make_slot(&window->runs, first);
	struct page *page;

	lockdep_assert_held(&window->lock);
	if (!slot)
		return;
	page = add_large(window, slot, first, WR_SLOT_SHIFT);
	if (!page)
		return;
	window->has_huge = true;
	kfree(slot->pages);
	slot->whole = page;
	slot->is_whole = true;
	slot->nr_huge = WR_SLOT_PAGES;
	slot->intact = true;
}

/**
 * wr_resident_put_huge - have a slot be one 2 MiB page
 * @window: the window; its lock is held
 * @first: the slot's first page; what is in memory of it goes
 * @page: the page; the caller's references and ownership are the window's then
 *
 * It is mapped in parts, until a fault sees that it need not be: wr_huge_prepare().
 *
 * Return: 0 or -ENOMEM.
 */
int wr_resident_put_huge(struct wr_window *window, pgoff_t first,
			 struct page *page)
{
	struct wr_slot *slot = wr_runs_make_slot(&window->runs, first);

	lockdep_assert_held(&window->lock);
	if (!slot)
		return -ENOMEM;
	if (slot->nr_resident)
		wr_resident_drop(window, first, first + WR_SLOT_PAGES, true);
	window->has_huge = true;
	slot->nr_resident = WR_SLOT_PAGES;
	window->nr_resident += WR_SLOT_PAGES;
	kfree(slot->pages);
	slot->whole = page;
	slot->is_whole = true;
	slot->nr_huge = WR_SLOT_PAGES;
	return 0;
}

/*
 * Those in the VMAs of the window. Return: whether that is all there can be: what is
 * just being unmapped is no VMA of the tree any more, but has its PTEs still.
 */
static bool zap_vmas(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	VMA_ITERATOR(vmi, window->space->mm, wr_address(first));
	struct vm_area_struct *vma = window->held.vma;
	pgoff_t from, to, zapped = 0;

	if (vma && first >= wr_vma_first(vma) && end <= wr_vma_end(vma)) {
		wr_zap_vma(vma, wr_address(first), wr_address(end));
		return true;
	}
	if (!window->held.mmap)
		return false;
	mmap_assert_locked(window->space->mm);
	for_each_vma_range(vmi, vma, wr_address(end)) {
		if (vma->vm_private_data != window ||
		    vma->vm_file != window->file)
			continue;
		from = max(first, wr_vma_first(vma));
		to = min(end, wr_vma_end(vma));
		wr_zap_vma(vma, wr_address(from), wr_address(to));
		zapped += to - from;
	}
	return zapped == end - first;
}

/**
 * wr_resident_zap - remove what maps pages of a window
 * @window: the window; its lock is held
 * @first: the first page
 * @end: the page behind the last
 *
 * A forked window's relatives map the same file, and shall not notice: so where
 * the VMAs are known not to change, only those are looked at. The VMA of a view maps
 * another file, and whoever replaces a page there has it.
 */
void wr_resident_zap(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	lockdep_assert_held(&window->lock);
	if (!(window->forked || window->view) || !zap_vmas(window, first, end))
		unmap_mapping_pages(window->file->f_mapping,
				    wr_window_offset(window, first),
				    end - first, false);
}

/**
 * wr_resident_break - have a slot that is one 2 MiB page mapped in parts only
 * @window: the window; its lock is held
 * @slot: the slot, which is intact
 * @index: a page of it
 *
 * When it returns, nobody maps the slot as a whole any more, nor will.
 */
void wr_resident_break(struct wr_window *window, struct wr_slot *slot,
		       pgoff_t index)
{
	pgoff_t first = wr_slot_first(index);

	slot->intact = false;
	wr_resident_unmap(window, first, first + WR_SLOT_PAGES);
}

/* A copy of @old for @index. An error: -ENOMEM, or -EHWPOISON if @old has one. */
static struct page *page_copy(struct wr_window *window, pgoff_t index,
			      struct page *old, gfp_t gfp)
{
	struct page *page = page_alloc(window, index, gfp);

	if (!page)
		return ERR_PTR(-ENOMEM);
	if (!copy_mc_highpage(page, old))
		return page;
	wr_folio_disown(page_folio(page));
	put_page(page);
	return ERR_PTR(-EHWPOISON);
}

/* Replaces @old by a copy. */
static struct page *page_replace(struct wr_window *window, pgoff_t index,
				 struct page *old, bool mapped, gfp_t gfp)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, index);
	struct page *page;

	if (wr_slot_spell_out(slot, GFP_KERNEL_ACCOUNT | gfp))
		return ERR_PTR(-ENOMEM);
	page = page_copy(window, index, old, gfp);
	if (IS_ERR(page))
		return page;
	slot->pages[wr_slot_offset(index)] = page;
	if (mapped) {
		/* Faults that return @old hold its lock until they are done. */
		lock_page(old);
		unlock_page(old);
		wr_resident_zap(window, index, index + 1);
	}
	page_disown(slot, wr_slot_offset(index), old, false);
	put_page(old);
	return page;
}

/*
 * Replaces a page, which nothing maps, by a copy, if that is easy. Return: 0, or
 * -ENOMEM, or -EHWPOISON.
 */
int wr_resident_replace(struct wr_window *window, pgoff_t index)
{
	struct page *old = wr_resident_find(window, index), *page;

	if (PageHWPoison(old))
		return -EHWPOISON;
	page = page_replace(window, index, old, false, EASILY);
	return PTR_ERR_OR_ZERO(page);
}

/*
 * Replaces the other pages of the unit of @index too that are parts of @folio, if
 * that is easy: its memory is for those who go on with all of it. Nothing maps
 * them.
 */
static void replace_others(struct wr_window *window, pgoff_t index,
			   struct folio *folio)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, index);
	pgoff_t end = round_up(index + 1, WR_UNIT_PAGES);
	struct page *page;

	if (folio_maybe_dma_pinned(folio))
		return;
	for (index = end - WR_UNIT_PAGES; index < end; index++) {
		page = wr_slot_page(slot, wr_slot_offset(index));
		if (page && page_folio(page) == folio && !PageHWPoison(page) &&
		    IS_ERR(page_replace(window, index, page, false, EASILY)))
			return;
	}
}

/* A copy of a page to which others have references too. */
static struct page *page_unshare(struct wr_window *window, pgoff_t index,
				 struct page *page)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, index);
	pgoff_t first = round_down(index, WR_UNIT_PAGES);
	struct folio *folio = page_folio(page);
	bool unit = folio_test_large(folio) &&
		    folio_order(folio) != WR_SLOT_SHIFT;
	struct page *copy;

	if (slot->intact)
		wr_resident_break(window, slot, index);
	if (unit)
		wr_resident_unmap(window, first, first + WR_UNIT_PAGES);
	folio_get(folio);
	copy = page_replace(window, index, page, !unit, 0);
	if (!IS_ERR(copy) && unit)
		replace_others(window, index, folio);
	folio_put(folio);
	return copy;
}

/* How many parts of the folio of @page, that of @index, the window has. */
static unsigned int count_parts(struct wr_window *window, pgoff_t index,
				struct page *page)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, index);
	unsigned int offset = wr_slot_offset(index), i, parts = 0;
	struct folio *folio = page_folio(page);
	struct page *other;

	if (!folio_test_large(folio))
		return 1;
	if (folio_order(folio) == WR_SLOT_SHIFT)
		return slot->nr_huge;
	offset = round_down(offset, WR_UNIT_PAGES);
	for (i = 0; i < WR_UNIT_PAGES; i++) {
		other = wr_slot_page(slot, offset + i);
		parts += other && page_folio(other) == folio;
	}
	return parts;
}

/*
 * Whether this window is alone with a page, of which @held references are the
 * caller's. It was shared once, and is left to this window by the others.
 */
static bool claim(struct wr_window *window, pgoff_t index, struct page *page,
		  unsigned int held)
{
	return wr_folio_claim(page_folio(page),
			      count_parts(window, index, page), held);
}

/* The page was left to us by others; a shared futex in it is ours now. */
static void stamp(struct wr_window *window, pgoff_t index, struct page *page)
{
	lock_page(page);
	wr_page_stamp(page, window->file->f_mapping,
		      wr_resident_stamp(window, index));
	unlock_page(page);
}

/* See wr_resident_own(). */
static struct page *make_own(struct wr_window *window, pgoff_t index,
			     struct page *page, struct page *held)
{
	bool is_held = held && page_folio(held) == page_folio(page);

	if (!wr_page_is_exclusive(page)) {
		if (wr_page_is_shared(page) ||
		    !claim(window, index, page, is_held))
			return page_unshare(window, index, page);
	}
	/* Nobody looked a futex up before: that takes write access. */
	stamp(window, index, page);
	return page;
}

/**
 * wr_resident_own - the page at an index, for this window alone
 * @window: the window
 * @index: the index
 * @held: a page to which the caller has a reference, or NULL
 *
 * What a write needs: zeros if there was no page, a copy if the page was shared
 * by a fork, and is still, or somebody has kept a reference since.
 *
 * Return: the page without a reference, or an error as by wr_resident_get().
 */
struct page *wr_resident_own(struct wr_window *window, pgoff_t index,
			     struct page *held)
{
	struct page *page = wr_resident_get(window, index);

	if (IS_ERR(page) || likely(!window->tracked) ||
	    likely(wr_resident_is_own(window, index, page)))
		return page;
	return make_own(window, index, page, held);
}

/**
 * wr_resident_claim - find out which pages are this window's alone by now
 * @window: the window, forked
 * @first: the first page
 * @end: the page behind the last
 *
 * Large pages are left for when they are written.
 */
void wr_resident_claim(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct page *page;

	for (; first < end; first++) {
		page = wr_resident_find(window, first);
		if (page && !PageCompound(page) && !PageHWPoison(page) &&
		    !wr_page_is_exclusive(page) && !wr_page_is_shared(page) &&
		    claim(window, first, page, 0))
			stamp(window, first, page);
	}
}

/* Pages in memory right in front of @offset, as far as they matter. */
static unsigned int count_before(struct wr_slot *slot, unsigned int offset)
{
	unsigned int n = 0;

	while (n < offset && n < WR_UNIT_PAGES && slot->pages[offset - n - 1])
		n++;
	return n;
}

static unsigned int count_absent(struct wr_slot *slot, unsigned int offset,
				 unsigned int max)
{
	unsigned int n = 0;

	while (n < max && !slot->pages[offset + n])
		n++;
	return n;
}

/**
 * wr_resident_make_unit - make the pages of a unit at once, if that is easy
 * @window: the window
 * @first: the unit's first page; all of it is in the same state
 *
 * That is one large page, where none of the unit is in memory and all of the
 * one in front of it is: see wr_resident_ahead().
 *
 * Return: the pages, without references, or NULL.
 */
struct page **wr_resident_make_unit(struct wr_window *window, pgoff_t first)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, first);
	unsigned int offset = wr_slot_offset(first), i;
	struct page *page;

	lockdep_assert_held(&window->lock);
	if (!slot || !slot->pages || slot->is_whole || window->watch ||
	    count_before(slot, offset) < WR_UNIT_PAGES ||
	    count_absent(slot, offset, WR_UNIT_PAGES) < WR_UNIT_PAGES)
		return NULL;
	page = add_large(window, slot, first, ilog2(WR_UNIT_PAGES));
	if (!page)
		return NULL;
	for (i = 0; i < WR_UNIT_PAGES; i++)
		slot->pages[offset + i] = page + i;
	slot->units |= wr_slot_unit(offset);
	return slot->pages + offset;
}

/* Up to @n pages from @index on, if that is easy. Return: how many. */
static unsigned int alloc_some(struct wr_window *window, struct wr_slot *slot,
			       pgoff_t index, unsigned int n,
			       struct page **pages)
{
	unsigned int i;

	n = wr_page_alloc_some(window->file->f_mapping,
			       wr_resident_stamp(window, index), n, pages,
			       wr_region_node(window, index));
	be_born(window, pages, n);
	for (i = 0; i < n; i++)
		slot_add(window, slot, index + i, pages[i]);
	return n;
}

/**
 * wr_resident_ahead - make the pages that a sequential program touches next
 * @window: the window
 * @index: the page that has just been made
 * @max: pages behind it that are in the same state
 * @pages: room for WR_UNIT_PAGES pages
 *
 * Not beyond the unit of @index, nor more than there are in memory in front of
 * it: so never more than half of all have been made in vain.
 *
 * Return: how many pages behind @index were made, without references.
 */
unsigned int wr_resident_ahead(struct wr_window *window, pgoff_t index,
			       unsigned long max, struct page **pages)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, index);
	unsigned int offset = wr_slot_offset(index), n, some, done = 0;

	lockdep_assert_held(&window->lock);
	max = min(max, WR_UNIT_PAGES - 1 - (index & (WR_UNIT_PAGES - 1)));
	n = min_t(unsigned long, max, count_before(slot, offset));
	n = count_absent(slot, offset + 1, n);
	while (done < n) {
		some = alloc_some(window, slot, index + 1 + done, n - done,
				  pages + done);
		if (!some)
			break;
		done += some;
	}
	return done;
}

typedef int (*page_fn)(struct wr_window *window, pgoff_t index,
		       struct wr_slot *slot, void *data);

/**
 * struct wr_visit - what to call for pages in memory
 * @page: for each of them
 * @unit: if not NULL, once for a unit that is one large page
 * @whole: if not NULL, once for all of a slot that are one 2 MiB page
 */
struct wr_visit {
	page_fn page;
	page_fn unit;
	page_fn whole;
};

/* Pages [@index, @end) of one slot. */
static __always_inline int visit_slot(struct wr_window *window, pgoff_t index,
				      pgoff_t end, struct wr_slot *slot,
				      const struct wr_visit *visit, void *data)
{
	unsigned int offset, n;
	int err = 0;

	if (visit->whole && slot->nr_huge == WR_SLOT_PAGES &&
	    end - index == WR_SLOT_PAGES)
		return visit->whole(window, index, slot, data);
	for (; !err && index < end; index += n) {
		offset = wr_slot_offset(index);
		n = 1;
		if (!wr_slot_page(slot, offset))
			continue;
		if (visit->unit && slot->units & wr_slot_unit(offset) &&
		    wr_is_unit(index, end)) {
			n = WR_UNIT_PAGES;
			err = visit->unit(window, index, slot, data);
		} else {
			err = visit->page(window, index, slot, data);
		}
	}
	return err;
}

/* Visits the pages in memory of [@first, @end), up to the first error. */
static __always_inline int visit_pages(struct wr_window *window, pgoff_t first,
				       pgoff_t end,
				       const struct wr_visit *visit, void *data)
{
	struct wr_slot *slot;
	pgoff_t next;
	int err = 0;

	lockdep_assert_held(&window->lock);
	for (; !err && first < end; first = next) {
		slot = wr_runs_slot(&window->runs, first, &next);
		next = min(next, end);
		if (!slot || !slot->nr_resident)
			continue;
		err = visit_slot(window, first, next, slot, visit, data);
		cond_resched();
	}
	return err;
}

static int count_page(struct wr_window *window, pgoff_t index,
		      struct wr_slot *slot, void *data)
{
	++*(unsigned long *)data;
	return 0;
}

static int count_whole(struct wr_window *window, pgoff_t index,
		       struct wr_slot *slot, void *data)
{
	*(unsigned long *)data += WR_SLOT_PAGES;
	return 0;
}

static const struct wr_visit count = {
	.page = count_page,
	.whole = count_whole,
};

/* Pages of the range that are in memory. The window is locked. */
unsigned long wr_resident_count(struct wr_window *window, pgoff_t first,
				pgoff_t end)
{
	unsigned long n = 0;

	if (window->nr_resident)
		visit_pages(window, first, end, &count, &n);
	return n;
}

static int wait_for_page(struct wr_window *window, pgoff_t index,
			 struct wr_slot *slot, void *data)
{
	struct page *page = wr_slot_page(slot, wr_slot_offset(index));

	/* A fault that saw the old states has locked it before we came. */
	folio_wait_locked(page_folio(page));
	*(bool *)data = true;
	return 0;
}

static const struct wr_visit wait = {
	.page = wait_for_page,
	.unit = wait_for_page,
	.whole = wait_for_page,
};

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
	visit_pages(window, first, end, &wait, &any);
	if (any)
		wr_resident_zap(window, first, end);
}

/* Pages of a range that nothing maps, to be freed together */
struct wr_dropped {
	struct page *pages[32];
	unsigned int nr;
	pgoff_t first;
	pgoff_t end;
	bool mapped;
	bool any;
};

/* Whether all that there can be of the folio of page @index is dropped. */
static bool drops_all(struct wr_dropped *dropped, pgoff_t index,
		      struct page *page)
{
	unsigned long n = folio_nr_pages(page_folio(page));
	pgoff_t first = round_down(index, n);

	return first >= dropped->first && first + n <= dropped->end;
}

static int drop_page(struct wr_window *window, pgoff_t index,
		     struct wr_slot *slot, void *data)
{
	unsigned int offset = wr_slot_offset(index);
	struct wr_dropped *dropped = data;
	struct page *page;

	if (WARN_ON_ONCE(slot->is_whole))
		return 0; /* the slot has been split, or is left as a whole */
	page = slot->pages[offset];
	slot->pages[offset] = NULL;
	slot->nr_resident--;
	window->nr_resident--;
	/* Waits for faults as well */
	page_disown(slot, offset, page, drops_all(dropped, index, page));
	dropped->any = true;
	if (dropped->mapped) {
		put_page(page); /* its PTE has a reference, most likely */
		return 0;
	}
	dropped->pages[dropped->nr++] = page;
	if (dropped->nr == ARRAY_SIZE(dropped->pages)) {
		release_pages(dropped->pages, dropped->nr);
		dropped->nr = 0;
	}
	return 0;
}

/* All @n parts of a large page, to which the slot no longer points. */
static void drop_folio(struct wr_window *window, struct wr_slot *slot,
		       struct page *page, unsigned int n,
		       struct wr_dropped *dropped)
{
	struct folio *folio = page_folio(page);

	slot->nr_resident -= n;
	window->nr_resident -= n;
	wr_folio_disown(folio);
	dropped->any = true;
	folio_put_refs(folio, n);
}

static int drop_whole(struct wr_window *window, pgoff_t index,
		      struct wr_slot *slot, void *data)
{
	struct page *page = wr_slot_page(slot, 0);

	if (slot->is_whole)
		slot->whole = NULL;
	else
		memset(slot->pages, 0, WR_SLOT_PAGES * sizeof(*slot->pages));
	slot->is_whole = false;
	slot->nr_huge = 0;
	slot->intact = false;
	drop_folio(window, slot, page, WR_SLOT_PAGES, data);
	return 0;
}

static int drop_unit(struct wr_window *window, pgoff_t index,
		     struct wr_slot *slot, void *data)
{
	struct page **pages = slot->pages + wr_slot_offset(index);
	struct page *page = *pages;

	memset(pages, 0, WR_UNIT_PAGES * sizeof(*pages));
	slot->units &= ~wr_slot_unit(wr_slot_offset(index));
	drop_folio(window, slot, page, WR_UNIT_PAGES, data);
	return 0;
}

static const struct wr_visit drop = {
	.page = drop_page,
	.unit = drop_unit,
	.whole = drop_whole,
};

/**
 * wr_resident_drop - give up pages, and all access to them
 * @window: the window
 * @first: the first page
 * @end: the page behind the last
 * @mapped: there may be PTEs
 *
 * To be called after the states have changed. PTEs have references of their
 * own: a page that is mapped is freed by the core, with what maps it. But one
 * that somebody else owns too must not be left to them before it is unmapped.
 */
void wr_resident_drop(struct wr_window *window, pgoff_t first, pgoff_t end,
		      bool mapped)
{
	struct wr_dropped dropped;

	if (!window->nr_resident)
		return;
	if (mapped && window->forked) {
		wr_resident_unmap(window, first, end);
		mapped = false;
	}
	dropped.nr = 0;
	dropped.first = first;
	dropped.end = end;
	dropped.mapped = mapped;
	dropped.any = false;
	visit_pages(window, first, end, &drop, &dropped);
	release_pages(dropped.pages, dropped.nr);
	if (mapped && dropped.any)
		wr_resident_zap(window, first, end);
}

/**
 * wr_resident_drop_from - give up pages that are in no slot of the window's states
 * @window: the window
 * @slot: where they are; nothing maps them
 * @first: the first page
 * @end: the page behind the last, in the same slot
 */
void wr_resident_drop_from(struct wr_window *window, struct wr_slot *slot,
			   pgoff_t first, pgoff_t end)
{
	struct wr_dropped dropped = { .first = first, .end = end };
	unsigned int before = slot->nr_resident;

	lockdep_assert_held(&window->lock);
	if (!before)
		return;
	visit_slot(window, first, end, slot, &drop, &dropped);
	release_pages(dropped.pages, dropped.nr);
	/* They were not among its pages. */
	window->nr_resident += before - slot->nr_resident;
}

/* What a fork hands on from one page to the next */
struct wr_heir {
	struct wr_window *child;
	struct wr_slot
		*slot; /* the child's, for the parent's slot @parent_slot */
	struct wr_slot *parent_slot;
};

/* Whether @slot, which gets a part of @folio, has none of it yet. */
static bool is_first_part(struct wr_slot *slot, unsigned int offset,
			  struct folio *folio)
{
	if (!folio_test_large(folio))
		return true;
	if (folio_order(folio) == WR_SLOT_SHIFT)
		return !slot->nr_huge++;
	return !unit_has(slot, offset, folio);
}

/* The child's slot for @index, with room for pages. */
static struct wr_slot *heir_slot(struct wr_heir *heir, pgoff_t index,
				 struct wr_slot *slot)
{
	if (heir->parent_slot != slot) {
		heir->slot = slot_for(heir->child, index);
		heir->parent_slot = heir->slot ? slot : NULL;
	}
	return heir->slot;
}

/* A page with many references looks as if it were. */
static bool is_pinned(struct wr_window *parent, struct folio *folio)
{
	return wr_mm_has_pinned(parent->space->mm) &&
	       folio_maybe_dma_pinned(folio);
}

/* Whether the child is to have a copy, and the parent goes on with its page alone. */
static bool is_kept(struct wr_window *parent, pgoff_t index,
		    struct folio *folio)
{
	return is_pinned(parent, folio) || wr_locked_is_large(parent, index);
}

static int fork_copy(struct wr_window *child, struct wr_slot *slot,
		     pgoff_t index, struct page *page)
{
	struct page *copy = page_copy(child, index, page, 0);

	if (!IS_ERR(copy))
		slot_add(child, slot, index, copy);
	return PTR_ERR_OR_ZERO(copy);
}

/* The child owns a page too. */
static void fork_share(struct wr_heir *heir, struct wr_slot *slot,
		       pgoff_t index, struct page *page)
{
	struct folio *folio = page_folio(page);

	get_page(page);
	if (is_first_part(slot, wr_slot_offset(index), folio))
		wr_folio_own_parts(folio);
	slot_add(heir->child, slot, index, page);
}

static int fork_one(struct wr_heir *heir, pgoff_t index, struct wr_slot *slot,
		    bool kept)
{
	struct page *page = wr_slot_page(slot, wr_slot_offset(index));
	struct wr_slot *child_slot;

	if (fatal_signal_pending(current))
		return -EINTR;
	child_slot = heir_slot(heir, index, slot);
	if (!child_slot)
		return -ENOMEM;
	if (kept && !PageHWPoison(page))
		return fork_copy(heir->child, child_slot, index, page);
	fork_share(heir, child_slot, index, page);
	return 0;
}

/*
 * Data may still be on its way into a pinned page: that one stays with the
 * parent, and so do large pages, which would be none any more once somebody has
 * written. One with a memory error cannot be copied. However the @n pages are mapped,
 * the core is to copy no PTEs of them: the child would see what the parent writes.
 */
static int fork_kept(struct wr_window *parent, pgoff_t index,
		     struct wr_slot *slot, unsigned int n, struct wr_heir *heir)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < n && !err; i++)
		err = fork_one(heir, index + i, slot, true);
	wr_resident_zap(parent, index, index + n);
	return err;
}

static int fork_page(struct wr_window *parent, pgoff_t index,
		     struct wr_slot *slot, void *data)
{
	struct page *page = wr_slot_page(slot, wr_slot_offset(index));

	if (is_kept(parent, index, page_folio(page)))
		return fork_kept(parent, index, slot, 1, data);
	return fork_one(data, index, slot, false);
}

/* All @n parts of a large page, to which @slot points now. */
static void fork_folio(struct wr_window *child, struct wr_slot *slot,
		       struct folio *folio, unsigned int n)
{
	folio_ref_add(folio, n);
	wr_folio_own(folio);
	slot->nr_resident += n;
	child->nr_resident += n;
}

static int fork_unit(struct wr_window *parent, pgoff_t index,
		     struct wr_slot *slot, void *data)
{
	struct page **pages = slot->pages + wr_slot_offset(index);
	struct folio *folio = page_folio(*pages);
	struct wr_heir *heir = data;
	struct wr_slot *child_slot;

	if (is_kept(parent, index, folio))
		return fork_kept(parent, index, slot, WR_UNIT_PAGES, data);
	child_slot = heir_slot(heir, index, slot);
	if (!child_slot)
		return -ENOMEM;
	memcpy(child_slot->pages + wr_slot_offset(index), pages,
	       WR_UNIT_PAGES * sizeof(*pages));
	child_slot->units |= wr_slot_unit(wr_slot_offset(index));
	fork_folio(heir->child, child_slot, folio, WR_UNIT_PAGES);
	return 0;
}

static int fork_whole(struct wr_window *parent, pgoff_t index,
		      struct wr_slot *slot, void *data)
{
	struct folio *folio = page_folio(wr_slot_page(slot, 0));
	struct wr_heir *heir = data;
	struct wr_slot *child_slot;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (is_kept(parent, index, folio))
		return fork_kept(parent, index, slot, WR_SLOT_PAGES, data);
	child_slot = wr_runs_make_slot(&heir->child->runs, index);
	if (!child_slot)
		return -ENOMEM;
	kfree(child_slot->pages);
	child_slot->whole = &folio->page;
	child_slot->is_whole = true;
	child_slot->nr_huge = WR_SLOT_PAGES;
	child_slot->intact = slot->intact;
	fork_folio(heir->child, child_slot, folio, WR_SLOT_PAGES);
	return 0;
}

static const struct wr_visit fork = {
	.page = fork_page,
	.unit = fork_unit,
	.whole = fork_whole,
};

/**
 * wr_resident_fork - let a child's window own the pages too
 * @parent: the parent's window, tracked
 * @child: the child's window
 * @first: the first page
 * @end: the page behind the last
 *
 * Called under the parent's mmap_lock for writing, so that no fault of the
 * parent is on its way, and with nothing mapped writable.
 *
 * Return: 0, -ENOMEM or -EINTR; then the child has some of the pages.
 */
int wr_resident_fork(struct wr_window *parent, struct wr_window *child,
		     pgoff_t first, pgoff_t end)
{
	struct wr_heir heir = { .child = child };

	mmap_assert_write_locked(parent->space->mm);
	return visit_pages(parent, first, end, &fork, &heir);
}
