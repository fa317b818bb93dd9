/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_RESIDENT_H
#define _WR_RESIDENT_H

#include "window.h"

/* Whether other windows own the page too. */
static inline bool wr_page_is_shared(struct page *page)
{
	return READ_ONCE(page_private(compound_head(page))) > 1;
}

/* The index of @page's folio, if @page is that of @index in this window. */
static inline pgoff_t wr_page_stamp(struct wr_window *window, pgoff_t index,
				    struct page *page)
{
	return index + window->stamp - (page - compound_head(page));
}

unsigned long wr_resident_at_most(struct wr_window *window, pgoff_t first,
				  pgoff_t end, unsigned long enough);
struct page *wr_resident_find(struct wr_window *window, pgoff_t index);
struct page *wr_resident_get(struct wr_window *window, pgoff_t index);
struct page *wr_resident_own(struct wr_window *window, pgoff_t index);
void wr_resident_make_huge(struct wr_window *window, pgoff_t first);
struct page **wr_resident_make_unit(struct wr_window *window, pgoff_t first);
int wr_resident_replace(struct wr_window *window, pgoff_t index);
unsigned int wr_resident_ahead(struct wr_window *window, pgoff_t index,
			       unsigned long max, struct page **pages);
unsigned long wr_resident_count(struct wr_window *window, pgoff_t first,
				pgoff_t end);
void wr_resident_unmap(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_resident_drop(struct wr_window *window, pgoff_t first, pgoff_t end,
		      bool mapped);
int wr_resident_fork(struct wr_window *parent, struct wr_window *child,
		     pgoff_t first, pgoff_t end);

#endif /* _WR_RESIDENT_H */
