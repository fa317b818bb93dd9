/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_PAGE_H
#define _WR_PAGE_H

#include <linux/mm.h>

#include "outfile.h"

/*
 * page_private() of a page of ours, or of the first one of a large page: how many
 * windows own it; whether it was ever shared by a fork since it was last seen to be
 * one window's alone; and above that how many pages of a large one do not count as
 * in memory; whether that was shared when not all of it was there; and whether it has
 * been written for a relative (written.c). Changes under the page lock.
 */
#define WR_PAGE_OWNERS 0x7fffffffUL
#define WR_PAGE_WAS_SHARED 0x80000000UL
#define WR_PAGE_UNCOUNTED_SHIFT 32
#define WR_PAGE_UNCOUNTED_MASK 0xffffUL
#define WR_PAGE_UNEVEN BIT(61)
#define WR_PAGE_IS_WRITTEN BIT(62)

/* Whether other windows own the page too. */
static inline bool wr_page_is_shared(struct page *page)
{
	unsigned long private = READ_ONCE(page_private(compound_head(page)));

	return (private & WR_PAGE_OWNERS) > 1;
}

/*
 * Whether nobody but its one owner, and those to whom that gave it, can have a
 * reference to the page. If not, see wr_folio_claim().
 */
static inline bool wr_page_is_exclusive(struct page *page)
{
	return (u32)READ_ONCE(page_private(compound_head(page))) == 1;
}

struct page *wr_page_alloc(struct address_space *mapping, pgoff_t index,
			   gfp_t gfp, int node);
struct page *wr_page_alloc_large(struct address_space *mapping, pgoff_t index,
				 unsigned int order, int node);
struct page *wr_page_alloc_huge(struct address_space *mapping, pgoff_t index,
				int node);
struct page *wr_page_alloc_now(struct address_space *mapping, pgoff_t index,
			       gfp_t gfp, int node);
struct page *wr_page_alloc_nobodys(gfp_t gfp);
void wr_page_adopt(struct page *page, struct address_space *mapping,
		   pgoff_t index);
unsigned int wr_page_alloc_some(struct address_space *mapping, pgoff_t index,
				unsigned int n, struct page **pages, int node);
void wr_page_stamp(struct page *page, struct address_space *mapping,
		   pgoff_t index);
void wr_folio_own(struct folio *folio);
void wr_folio_own_parts(struct folio *folio);
void wr_folio_disown(struct folio *folio);
void wr_folio_thin(struct folio *folio);
bool wr_folio_is_known(struct folio *folio, unsigned int references);
bool wr_folio_is_owners(struct folio *folio);
bool wr_folio_give_up(struct folio *folio, unsigned int parts);
bool wr_folio_leave(struct folio *folio, unsigned int parts, unsigned int held);
bool wr_folio_leave_to_others(struct folio *folio, unsigned int held);
void wr_folio_note_written(struct folio *folio, struct page *page,
			   struct wr_out out);
bool wr_folio_claim(struct folio *folio, unsigned int parts, unsigned int held);

#endif /* _WR_PAGE_H */
