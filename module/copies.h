/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_COPIES_H
#define _WR_COPIES_H

#include "regiontree.h"
#include "resident.h"
#include "view_state.h"

/* Whether the page at @index has a copy. The window is locked. */
static inline bool wr_copies_has(struct wr_window *window, pgoff_t index)
{
	return window->nr_resident && wr_resident_find(window, index);
}

/* What a page shows that is given @state: it can have a copy. The window is locked. */
static inline u8 wr_copies_state(struct wr_window *window, pgoff_t index,
				 u8 state)
{
	u8 copied = wr_states[state].copied;

	return copied && wr_copies_has(window, index) ? copied : state;
}

/*
 * The same for who has the page of the file locked: no is no, as it was locked when
 * the copy was stored.
 */
static inline bool wr_copies_maybe(struct wr_window *window)
{
	return READ_ONCE(window->nr_resident);
}

bool wr_copies_lock(struct wr_window *window, struct page *page);
struct page *wr_copies_alloc(struct wr_window *window, pgoff_t index);
void wr_copies_free(struct page *copy);
int wr_copies_store(struct wr_window *window, pgoff_t index, struct page *page,
		    struct page *copy);
vm_fault_t wr_copies_give(struct vm_fault *vmf, struct wr_window *window);
long wr_copies_more(struct wr_window *window, u8 old, u8 state, pgoff_t first,
		    pgoff_t end);
int wr_copies_prepare(struct wr_window *window, pgoff_t first, pgoff_t end,
		      u8 state);
void wr_copies_fill(struct wr_window *window, pgoff_t first, pgoff_t end,
		    u8 state);
int wr_copies_fork(struct wr_window *parent, struct wr_window *child,
		   struct vm_area_struct *vma);
void wr_copies_drop(struct wr_window *window);

#endif /* _WR_COPIES_H */
