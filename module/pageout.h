/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_PAGEOUT_H
#define _WR_PAGEOUT_H

#include "commit.h"
#include "outfile.h"
#include "window.h"

/* Most pages that are read behind one, where a program goes through its memory */
#define WR_MOST_BEHIND 15

/**
 * struct wr_behind - a page that is read with one in front of it
 * @page: it, nobody's yet, or NULL
 * @out: what it holds
 * @index: where it is to be
 */
struct wr_behind {
	struct page *page;
	struct wr_out out;
	pgoff_t index;
};

/**
 * struct wr_room - a page that a fault has made before it came for the window's lock
 * @page: it, nobody's yet, or NULL
 * @out: what it holds; none is zeros
 * @wanted: what it is to hold, if @wants
 * @wants: the fault could not go on without one, and is to come again
 * @wants_table: the same of a table of PTEs for it
 * @err: why it cannot be had, or 0
 * @nr_behind: pages that are to be read with it, or were
 * @behind: they
 * @read: something was read from swap
 * @came: so many pages behind that of the fault have come in, and are not mapped
 *
 * Who waits for memory under the lock of a window keeps that window's pages from
 * leaving: so nobody does, but gives the lock up for it.
 */
struct wr_room {
	struct page *page;
	struct wr_out out;
	struct wr_out wanted;
	bool wants;
	bool wants_table;
	int err;
	bool read;
	unsigned int nr_behind;
	unsigned int came;
	struct wr_behind behind[WR_MOST_BEHIND];
};

/* Nothing is in it yet. */
static inline void wr_pageout_begin_room(struct wr_room *room)
{
	room->page = NULL;
	room->out = (struct wr_out){};
	room->wants = false;
	room->wants_table = false;
	room->err = 0;
	room->read = false;
	room->nr_behind = 0;
	room->came = 0;
}

bool wr_pageout_is_possible(struct mm_struct *mm);
void wr_pageout_repay(struct mm_struct *mm, unsigned long before);
void wr_pageout_want(struct wr_window *window, struct wr_out out);
void wr_pageout_want_behind(struct wr_window *window, pgoff_t index,
			    struct wr_out out);
bool wr_pageout_make_room(struct wr_room *room);
void wr_pageout_end_room(struct wr_room *room);
int wr_pageout_undo(struct wr_window *window, pgoff_t index, struct wr_out out);
bool wr_pageout_undo_behind(struct wr_window *window, struct wr_behind *behind);
int wr_pageout_init(void);
void wr_pageout_exit(void);

#endif /* _WR_PAGEOUT_H */
