/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_STASH_H
#define _WR_STASH_H

#include "window.h"

/* Why pages may be freed: they were reset, or offered; the first are freed first. */
enum wr_stash_class {
	WR_STASH_RESET,
	WR_STASH_OFFER_FIRST, /* and a class for each further priority */
	WR_STASH_OFFER_LAST = WR_STASH_OFFER_FIRST + 3,
	WR_STASH_COLD, /* not freed, but written to swap: see pageout.c */
	WR_STASH_CLASSES,
};

/**
 * struct wr_stash_set - classes that follow each other
 * @first: the first one
 * @last: the last one
 */
struct wr_stash_set {
	enum wr_stash_class first;
	enum wr_stash_class last;
};

#define WR_STASH_ONLY_RESET \
	((struct wr_stash_set){ WR_STASH_RESET, WR_STASH_RESET })
#define WR_STASH_ONLY_COLD \
	((struct wr_stash_set){ WR_STASH_COLD, WR_STASH_COLD })
#define WR_STASH_ALL_OFFERS \
	((struct wr_stash_set){ WR_STASH_OFFER_FIRST, WR_STASH_OFFER_LAST })

/* Whether any page of the window was ever stashed, and the window knows of it still. */
static __always_inline bool wr_stash_any(const struct wr_window *window)
{
	return !RB_EMPTY_ROOT(&window->stashes);
}

int wr_stash_prepare(struct wr_window *window, pgoff_t first, pgoff_t end,
		     enum wr_stash_class class);
int wr_stash_prepare_back(struct wr_window *window, pgoff_t first, pgoff_t end,
			  struct wr_stash_set set);
void wr_stash_forget(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_stash_put(struct wr_window *window, pgoff_t first, pgoff_t end,
		  enum wr_stash_class class);
unsigned long wr_stash_take_back(struct wr_window *window, pgoff_t first,
				 pgoff_t end, struct wr_stash_set set);
void wr_stash_drop(struct wr_window *window, pgoff_t first, pgoff_t end);
int wr_stash_touch_any(struct wr_window *window, pgoff_t index);
bool wr_stash_in_slot(struct wr_window *window, pgoff_t index);
bool wr_stash_offered(struct wr_window *window, pgoff_t first, pgoff_t end);
unsigned long wr_stash_count(struct wr_window *window, pgoff_t first,
			     pgoff_t end);
bool wr_stash_any_cold(struct wr_window *window, pgoff_t first, pgoff_t end);
int wr_stash_fork(struct wr_window *parent, struct wr_window *child);
int wr_stash_init(void);
void wr_stash_exit(void);

/**
 * wr_stash_touch - a page is about to be used
 * @window: the window; its lock is held
 * @index: the page
 *
 * What was reset is in use again.
 *
 * Return: 0, -EACCES if it is offered, or -ENOMEM.
 */
static __always_inline int wr_stash_touch(struct wr_window *window,
					  pgoff_t index)
{
	return unlikely(wr_stash_any(window)) ?
		       wr_stash_touch_any(window, index) :
		       0;
}

#endif /* _WR_STASH_H */
