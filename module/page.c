// SPDX-License-Identifier: GPL-2.0
/*
 * A page of a window, or a large one, as an object: who owns it, and whether its
 * one owner is alone with it.
 *
 * A page is made for one window, and freed when its last owner gives it up and
 * nobody has a reference any more. While it is owned its mapping is the
 * window's file, as shared futexes and the handling of hardware poison need.
 * After a fork, parent and child own the same pages until one of them writes.
 *
 * Being the only owner is not enough for a write in place: what owned the page
 * as well may have left a reference to it in a pipe, or with a device that still
 * reads it, and must not see what is written now. So a fork marks what it
 * shares, and the first write after that which finds one owner compares the
 * references with those that are known: wr_folio_claim(). Without the mark
 * whoever has a reference has it from the only owner, and shall see its writes.
 *
 * What is committed and in memory is counted here, see commit.c: a page from its
 * birth until its last owner gives it up, however many there are between. Of a large
 * one that is shared nobody knows which of its pages still have an owner, so each
 * that any owner gives up alone counts no more, until there is one owner again that
 * claims it. So the number is never more than there are.
 *
 * Pages are dirty from birth: the core takes a read-only PTE of a shared
 * mapping for one that may become writable again once it is dirty but its page
 * is not (NUMA balancing, userfaultfd). But for those of watched windows: watch.c.
 */
#include <linux/log2.h>
#include <linux/pagemap.h>

#include "commit.h"
#include "page.h"
#include "runs.h"
#include "written.h"

/* Never movable, so that pages can be pinned for long. */
#define PAGE_GFP (GFP_HIGHUSER | __GFP_ACCOUNT)

/* Where there is another way if memory is short */
#define EASILY (__GFP_NORETRY | __GFP_NOWARN)

/* A large page, without reclaim: that would be under the window's lock, and long. */
#define LARGE_GFP \
	((PAGE_GFP | __GFP_COMP | __GFP_ZERO | EASILY) & ~__GFP_DIRECT_RECLAIM)

/* For more pages than are asked for, in the same way */
#define SOME_GFP ((PAGE_GFP | __GFP_ZERO | EASILY) & ~__GFP_DIRECT_RECLAIM)

/* A 2 MiB page for who insists: memory is made free, but nothing is killed for it. */
#define HUGE_GFP \
	(PAGE_GFP | __GFP_COMP | __GFP_ZERO | __GFP_RETRY_MAYFAIL | \
	 __GFP_NOWARN)

/* @index: of @page, which may be a part of a large one; under its lock. */
void wr_page_stamp(struct page *page, struct address_space *mapping,
		   pgoff_t index)
{
	struct folio *folio = page_folio(page);

	folio->mapping = mapping;
	folio->index = index - (page - &folio->page);
}

/* From @node if it has some, or as the program's policy says. */
static struct page *alloc_at(int node, gfp_t gfp, unsigned int order)
{
	return node == NUMA_NO_NODE ? alloc_pages(gfp, order) :
				      alloc_pages_node(node, gfp, order);
}

/* A new page, which nobody else knows. */
static void adopt(struct page *page, struct address_space *mapping,
		  pgoff_t index)
{
	wr_page_stamp(page, mapping, index);
	set_page_private(page, 1);
	SetPageDirty(page);
}

/* The same for who has made it before: it counts from now on. */
void wr_page_adopt(struct page *page, struct address_space *mapping,
		   pgoff_t index)
{
	adopt(page, mapping, index);
	wr_commit_touched(1);
}

/**
 * wr_page_alloc - a new page with one owner
 * @mapping: of the window's file
 * @index: the page's index there
 * @gfp: __GFP_ZERO, or what says how hard to try
 * @node: where it is to be, if possible, or NUMA_NO_NODE
 *
 * Return: the page, or NULL.
 */
struct page *wr_page_alloc(struct address_space *mapping, pgoff_t index,
			   gfp_t gfp, int node)
{
	struct page *page = alloc_at(node, PAGE_GFP | gfp, 0);

	if (page)
		wr_page_adopt(page, mapping, index);
	return page;
}

/* The same without reclaim, for who has another way. */
struct page *wr_page_alloc_now(struct address_space *mapping, pgoff_t index,
			       gfp_t gfp, int node)
{
	struct page *page;

	gfp |= PAGE_GFP | __GFP_NOWARN;
	page = alloc_at(node, gfp & ~__GFP_DIRECT_RECLAIM, 0);
	if (page)
		wr_page_adopt(page, mapping, index);
	return page;
}

/*
 * A page that has no owner yet, and is not zeroed, or NULL: for wr_page_adopt(). @gfp is
 * added to how it is allocated.
 */
struct page *wr_page_alloc_nobodys(gfp_t gfp)
{
	return alloc_page(PAGE_GFP | gfp);
}

static struct page *alloc_large(struct address_space *mapping, pgoff_t index,
				unsigned int order, gfp_t gfp, int node)
{
	struct page *page = alloc_at(node, gfp, order);

	if (!page)
		return NULL;
	adopt(page, mapping, index);
	folio_ref_add(page_folio(page), (1 << order) - 1);
	wr_commit_touched(1 << order);
	return page;
}

/**
 * wr_page_alloc_large - a large page of zeros, if that is easy
 * @mapping: of the window's file
 * @index: the index of its first page there
 * @order: how many pages it has
 * @node: where it has to be, or NUMA_NO_NODE: small ones in the right place are better
 *
 * It has a reference for each page. Those are what the core expects of one in the
 * page cache, which it would split; only that the page is not found in the cache
 * keeps it from that.
 *
 * Return: the first page, or NULL.
 */
struct page *wr_page_alloc_large(struct address_space *mapping, pgoff_t index,
				 unsigned int order, int node)
{
	gfp_t here = node == NUMA_NO_NODE ? 0 : __GFP_THISNODE;

	return alloc_large(mapping, index, order, LARGE_GFP | here, node);
}

/**
 * wr_page_alloc_huge - a 2 MiB page of zeros, if there is one to be had
 * @mapping: of the window's file
 * @index: the index of its first page there
 * @node: where it is to be, if possible, or NUMA_NO_NODE
 *
 * As by wr_page_alloc_large(), but harder, so not for who holds a lock.
 *
 * Return: the first page, or NULL.
 */
struct page *wr_page_alloc_huge(struct address_space *mapping, pgoff_t index,
				int node)
{
	return alloc_large(mapping, index, WR_SLOT_SHIFT, HUGE_GFP, node);
}

/**
 * wr_page_alloc_some - pages of zeros that lie together, if that is easy
 * @mapping: of the window's file
 * @index: the index of the first
 * @n: at most so many
 * @pages: set to them
 * @node: as of wr_page_alloc()
 *
 * Return: how many, or 0.
 */
unsigned int wr_page_alloc_some(struct address_space *mapping, pgoff_t index,
				unsigned int n, struct page **pages, int node)
{
	unsigned int order = ilog2(n), i;
	struct page *page;

	page = alloc_at(node, SOME_GFP, order);
	if (!page)
		return 0;
	split_page(page, order);
	for (i = 0; i < 1U << order; i++) {
		pages[i] = page + i;
		adopt(pages[i], mapping, index + i);
	}
	wr_commit_touched(i);
	return i;
}

static void own(struct folio *folio, unsigned long flags)
{
	struct page *page = &folio->page;

	folio_lock(folio);
	set_page_private(page, (page_private(page) + 1) | flags);
	folio_unlock(folio);
}

/* One window more owns a folio: a fork. */
void wr_folio_own(struct folio *folio)
{
	own(folio, WR_PAGE_WAS_SHARED);
}

/* The same, but it does not get all of it. */
void wr_folio_own_parts(struct folio *folio)
{
	own(folio, WR_PAGE_WAS_SHARED |
			   (folio_test_large(folio) ? WR_PAGE_UNEVEN : 0));
}

static bool has_error(struct folio *folio)
{
	long i, n = folio_nr_pages(folio);

	for (i = 0; i < n; i++)
		if (PageHWPoison(folio_page(folio, i)))
			return true;
	return false;
}

static unsigned long uncounted(unsigned long private)
{
	return private >> WR_PAGE_UNCOUNTED_SHIFT & WR_PAGE_UNCOUNTED_MASK;
}

/* Pages of a folio that count as in memory; its lock is held. */
static long counted(struct folio *folio)
{
	return folio_nr_pages(folio) - uncounted(page_private(&folio->page));
}

/* Sets who owns a folio alone, or that nobody does: it may change then. Its lock is held. */
static void set_alone(struct folio *folio, unsigned long private)
{
	if (unlikely(page_private(&folio->page) & WR_PAGE_IS_WRITTEN))
		wr_written_forget(folio);
	set_page_private(&folio->page, private);
}

/* One of its pages counts no more; its lock is held. */
static void count_less(struct folio *folio)
{
	struct page *page = &folio->page;

	if (!counted(folio))
		return;
	set_page_private(page,
			 page_private(page) + (1UL << WR_PAGE_UNCOUNTED_SHIFT));
	wr_commit_touched(-1);
}

/* An owner gives up one page of a large folio, and keeps others of it. */
void wr_folio_thin(struct folio *folio)
{
	folio_lock(folio);
	count_less(folio);
	folio_unlock(folio);
}

/*
 * One window less owns a folio. A large one with a memory error is never freed:
 * the core would hand the bad page out again, with those around it.
 */
void wr_folio_disown(struct folio *folio)
{
	struct page *page = &folio->page;

	folio_lock(folio);
	set_page_private(page, page_private(page) - 1);
	if (!(page_private(page) & WR_PAGE_OWNERS)) {
		wr_commit_touched(-counted(folio));
		set_alone(folio, 0);
		/* A pipe may have it: a clean one is what FUSE takes for its cache. */
		if (!folio_test_dirty(folio))
			folio_set_dirty(folio);
		folio->mapping = NULL;
		if (folio_test_large(folio) && has_error(folio))
			folio_get(folio);
	}
	folio_unlock(folio);
}

/**
 * wr_folio_is_known - whether nobody has a reference to a folio but who is known
 * @folio: the folio
 * @references: of the only owner, and of the caller
 *
 * The references are read first, so that a PTE that is just going counts as somebody
 * else's.
 *
 * Return: whether they, and PTEs, are all there is.
 */
bool wr_folio_is_known(struct folio *folio, unsigned int references)
{
	unsigned int refs = folio_ref_count(folio);

	smp_rmb(); /* pairs with the core, which drops a PTE's reference last */
	return refs == references + wr_folio_mapcount(folio);
}

/*
 * References of all owners of a folio, or 0 where they are not known: it has to be known
 * how many parts of a large one each has. What was given up by one who owns nothing any
 * more counts as if another had a part less, so there may be more. There are less only
 * while an owner just gives up one part after the other, and then all of it.
 */
static unsigned long owners_refs(struct folio *folio)
{
	unsigned long private = READ_ONCE(page_private(&folio->page));
	unsigned long nr = folio_nr_pages(folio), less = uncounted(private);
	unsigned long owners = private & WR_PAGE_OWNERS;

	return private & WR_PAGE_UNEVEN || less >= nr ? 0 : owners * nr - less;
}

/**
 * wr_folio_is_owners - whether nobody has a reference to a folio but its owners
 * @folio: the folio, which several own
 *
 * A stranger's may be missed while another owner is about to have less, or a PTE is just
 * being made. That does no harm, as nobody may write what is shared, and who has it alone
 * later is told by an exact comparison: wr_folio_claim().
 *
 * Return: whether they, and PTEs, are all there is.
 */
bool wr_folio_is_owners(struct folio *folio)
{
	unsigned long refs = owners_refs(folio);

	return refs && wr_folio_is_known(folio, refs);
}

/**
 * wr_folio_claim - whether a folio's only owner is alone with it
 * @folio: the folio
 * @parts: pages of it that the owner has, with a reference each
 * @held: references of the caller besides
 *
 * What maps it may stay: what others had was removed before they gave the folio up,
 * and a new PTE appears under the page lock. The references are read first, so
 * that a PTE that is just going counts as somebody else's.
 *
 * Return: whether. If it is, the mark of earlier sharing is gone, and what counts is
 * exact.
 */
bool wr_folio_claim(struct folio *folio, unsigned int parts, unsigned int held)
{
	unsigned long less = folio_nr_pages(folio) - parts;
	struct page *page = &folio->page;
	unsigned int refs, mapped;
	bool alone;

	folio_lock(folio);
	refs = folio_ref_count(folio);
	smp_rmb(); /* pairs with the core, which drops a PTE's reference last */
	mapped = wr_folio_mapcount(folio);
	alone = mapped <= parts && refs == parts + held + mapped &&
		(page_private(page) & WR_PAGE_OWNERS) == 1;
	if (alone) {
		wr_commit_touched((long)parts - counted(folio));
		set_alone(folio, 1 | less << WR_PAGE_UNCOUNTED_SHIFT);
	}
	folio_unlock(folio);
	return alone;
}

/**
 * wr_folio_give_up - the only owner gives a folio up, if nobody else has a reference
 * @folio: the folio, which nothing maps
 * @parts: pages of it that the owner has, with a reference each
 *
 * No window finds it any more, so no reference appears but one that is put again. One
 * with a memory error stays.
 *
 * Context: waits for nothing.
 * Return: whether. If it does, the references are left to the caller.
 */
bool wr_folio_give_up(struct folio *folio, unsigned int parts)
{
	struct page *page = &folio->page;
	bool alone;

	if (!folio_trylock(folio))
		return false;
	alone = (page_private(page) & WR_PAGE_OWNERS) == 1 &&
		folio_ref_count(folio) == parts && !has_error(folio);
	if (alone) {
		wr_commit_touched(-counted(folio));
		set_alone(folio, 0);
		folio->mapping = NULL;
	}
	folio_unlock(folio);
	return alone;
}

/**
 * wr_folio_leave - the only owner gives one page of a folio up, if nobody else has any
 * @folio: the folio, which nothing maps
 * @parts: pages of it that the owner has, with a reference each
 * @held: references of the caller besides
 *
 * As wr_folio_give_up(), but with the others of a large one left to the owner.
 *
 * Context: waits for nothing.
 * Return: whether. If it does, the page's reference is left to the caller.
 */
bool wr_folio_leave(struct folio *folio, unsigned int parts, unsigned int held)
{
	struct page *page = &folio->page;
	bool alone;

	if (!folio_trylock(folio))
		return false;
	alone = (page_private(page) & WR_PAGE_OWNERS) == 1 &&
		folio_ref_count(folio) == parts + held && !has_error(folio);
	if (alone && parts == 1) {
		wr_commit_touched(-counted(folio));
		set_alone(folio, 0);
		folio->mapping = NULL;
	} else if (alone) {
		count_less(folio);
	}
	folio_unlock(folio);
	return alone;
}

/**
 * wr_folio_leave_to_others - one of several owners gives a folio up, if nobody else has any
 * @folio: the folio; if another maps it again, he has it in use
 * @held: references of the caller besides
 *
 * It cannot change as long as this owner's references are there: so no other one takes
 * it for his alone. They are left to the caller.
 *
 * Context: waits for nothing.
 * Return: whether. If it does, the folio is locked still, for wr_folio_note_written().
 */
bool wr_folio_leave_to_others(struct folio *folio, unsigned int held)
{
	struct page *page = &folio->page;
	unsigned long refs;

	if (!folio_trylock(folio))
		return false;
	refs = owners_refs(folio);
	if (wr_page_is_shared(page) && refs && !has_error(folio) &&
	    folio_ref_count(folio) == refs + held) {
		set_page_private(page, page_private(page) - 1);
		return true;
	}
	folio_unlock(folio);
	return false;
}

/* Where a page of a folio is going to be written that others own; its lock is held. */
void wr_folio_note_written(struct folio *folio, struct page *page,
			   struct wr_out out)
{
	struct page *first = &folio->page;

	if (wr_written_note(page, out))
		set_page_private(first,
				 page_private(first) | WR_PAGE_IS_WRITTEN);
}
