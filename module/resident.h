/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_RESIDENT_H
#define _WR_RESIDENT_H

#include "page.h"
#include "window.h"

/* The index that the page at @index has in the window's file. */
static inline pgoff_t wr_resident_stamp(struct wr_window *window, pgoff_t index)
{
	return index + window->stamp;
}

/* Whether @page, that of @index, may be written in place: see page.c. */
static inline bool wr_resident_is_own(struct wr_window *window, pgoff_t index,
				      struct page *page)
{
	struct page *head = compound_head(page);

	return wr_page_is_exclusive(page) &&
	       page_folio(page)->index + (page - head) ==
		       wr_resident_stamp(window, index);
}

unsigned long wr_resident_at_most(struct wr_window *window, pgoff_t first,
				  pgoff_t end, unsigned long enough);
struct page *wr_resident_find(struct wr_window *window, pgoff_t index);
pgoff_t wr_resident_next(struct wr_window *window, pgoff_t index, pgoff_t end);
void wr_resident_adopt(struct wr_window *window, pgoff_t index,
		       struct page *page);
struct page *wr_resident_get(struct wr_window *window, pgoff_t index);
int wr_resident_make_room(struct wr_window *window, pgoff_t index);
int wr_resident_add(struct wr_window *window, pgoff_t index, struct page *page);
struct page *wr_resident_own(struct wr_window *window, pgoff_t index,
			     struct page *held);
void wr_resident_make_huge(struct wr_window *window, pgoff_t first);
int wr_resident_put_huge(struct wr_window *window, pgoff_t first,
			 struct page *page);
struct page **wr_resident_make_unit(struct wr_window *window, pgoff_t first);
void wr_resident_break(struct wr_window *window, struct wr_slot *slot,
		       pgoff_t index);
int wr_resident_replace(struct wr_window *window, pgoff_t index);
void wr_resident_claim(struct wr_window *window, pgoff_t first, pgoff_t end);
unsigned int wr_resident_ahead(struct wr_window *window, pgoff_t index,
			       unsigned long max, struct page **pages);
unsigned long wr_resident_count(struct wr_window *window, pgoff_t first,
				pgoff_t end);
void wr_resident_zap(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_resident_unmap(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_resident_drop(struct wr_window *window, pgoff_t first, pgoff_t end,
		      bool mapped);
void wr_resident_drop_from(struct wr_window *window, struct wr_slot *slot,
			   pgoff_t first, pgoff_t end);
int wr_resident_fork(struct wr_window *parent, struct wr_window *child,
		     pgoff_t first, pgoff_t end);

#endif /* _WR_RESIDENT_H */
