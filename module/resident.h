/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_RESIDENT_H
#define _WR_RESIDENT_H

#include "window.h"

/* Whether other windows own the page too. */
static inline bool wr_page_is_shared(struct page *page)
{
	return READ_ONCE(page_private(page)) > 1;
}

unsigned long wr_resident_at_most(struct wr_window *window, pgoff_t first,
				  pgoff_t end, unsigned long enough);
struct page *wr_resident_find(struct wr_window *window, pgoff_t index);
struct page *wr_resident_get(struct wr_window *window, pgoff_t index);
struct page *wr_resident_own(struct wr_window *window, pgoff_t index);
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
