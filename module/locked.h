/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_LOCKED_H
#define _WR_LOCKED_H

#include "window.h"

/* What the map of a window says of a page. */
enum {
	WR_UNLOCKED,
	WR_LOCKING, /* a call is about to lock it, which may fail yet */
	WR_LOCKED,
	WR_LOCKED_LARGE, /* it is a large page, locked for as long as it is there */
};

u8 wr_locked_span(struct wr_window *window, pgoff_t index, pgoff_t end,
		  pgoff_t *next);
unsigned long wr_locked_count(struct wr_window *window, pgoff_t first,
			      pgoff_t end);
int wr_locked_prepare(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_locked_note_large(struct wr_window *window, pgoff_t first, pgoff_t end);
int wr_locked_begin(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_locked_finish(struct wr_window *window, pgoff_t first, pgoff_t end,
		      bool locked);
int wr_locked_pin(struct wr_window *window, pgoff_t index, struct page *page);
void wr_locked_remove(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_locked_clear(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_locked_free(struct wr_window *window);
int wr_locked_charge(struct wr_space *space);
int wr_locked_add(struct wr_space *space, unsigned long n);
void wr_locked_sub(struct wr_space *space, unsigned long n);
void wr_locked_settle(struct wr_space *space);
void wr_locked_exit(void);

/*
 * Whether the page at @index is locked, or about to be: it must not leave memory then,
 * nor lose what it holds. The window is locked, and so says it of all of its pages.
 */
static inline bool wr_locked_has(struct wr_window *window, pgoff_t index)
{
	pgoff_t next;

	return window->locked &&
	       wr_locked_span(window, index, index + 1, &next) != WR_UNLOCKED;
}

/* Whether it is a large page. */
static inline bool wr_locked_is_large(struct wr_window *window, pgoff_t index)
{
	pgoff_t next;

	return unlikely(window->locked) &&
	       wr_locked_span(window, index, index + 1, &next) ==
		       WR_LOCKED_LARGE;
}

#endif /* _WR_LOCKED_H */
