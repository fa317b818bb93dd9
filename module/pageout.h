/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_PAGEOUT_H
#define _WR_PAGEOUT_H

#include "commit.h"
#include "outfile.h"
#include "window.h"

/**
 * struct wr_room - a page that a fault has made before it came for the window's lock
 * @page: it, nobody's yet, or NULL
 * @out: what it holds; none is zeros
 * @wanted: what it is to hold, if @wants
 * @wants: the fault could not go on without one, and is to come again
 * @err: why it cannot be had, or 0
 *
 * Who waits for memory under the lock of a window keeps that window's pages from
 * leaving: so nobody does, but gives the lock up for it.
 */
struct wr_room {
	struct page *page;
	struct wr_out out;
	struct wr_out wanted;
	bool wants;
	int err;
};

void wr_pageout_want(struct wr_window *window, struct wr_out out);
bool wr_pageout_make_room(struct wr_room *room);
void wr_pageout_end_room(struct wr_room *room);
int wr_pageout_undo(struct wr_window *window, pgoff_t index, struct wr_out out);
int wr_pageout_init(void);
void wr_pageout_exit(void);

#endif /* _WR_PAGEOUT_H */
