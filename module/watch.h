/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_WATCH_H
#define _WR_WATCH_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/xarray.h>

#include "window.h"

/**
 * struct wr_watch - what a window knows of writes to its pages
 * @slots: struct wr_written of slots, by their number
 * @resets: calls that have forgotten what they tell, and may have to note it again: as
 *	long as there are some none of @slots is freed
 * @stale: the processor may not see that dirty bits were taken
 *
 * All fields: the window's lock.
 */
struct wr_watch {
	struct xarray slots;
	unsigned int resets;
	bool stale;
};

/**
 * struct wr_told - pages of one slot that a call tells
 * @list: in wr_telling.told
 * @first: the slot's first page
 * @pages: a bit for each page
 */
struct wr_told {
	struct list_head list;
	pgoff_t first;
	DECLARE_BITMAP(pages, WR_SLOT_PAGES);
};

/**
 * struct wr_telling - a call that asks what was written
 * @first: the first page
 * @end: the page behind the last
 * @room: tell so many pages at most
 * @reset: what is told is forgotten
 * @told: what is told, of ascending addresses
 * @nr: how many pages
 * @next: where to go on
 * @serial: the region, once it is known
 * @window: the window, with a reference, once it counts the call in wr_watch.resets
 */
struct wr_telling {
	pgoff_t first;
	pgoff_t end;
	unsigned long room;
	bool reset;
	struct list_head told;
	unsigned long nr;
	pgoff_t next;
	u64 serial;
	struct wr_window *window;
};

struct file *wr_watch_make_file(const struct file_operations *operations,
				unsigned long pages);
int wr_watch_release_file(struct inode *inode, struct file *file);
struct wr_watch *wr_watch_new(void);
void wr_watch_free(struct wr_watch *watch);
unsigned long *wr_watch_written(struct wr_window *window, pgoff_t index);
void wr_watch_note(struct wr_window *window, struct page *page);
int wr_watch_prepare(struct wr_window *window, pgoff_t first, pgoff_t end);
int wr_watch_prepare_slot(struct wr_window *window, pgoff_t index, gfp_t gfp);
void wr_watch_collect(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_watch_look_again(struct wr_window *window, pgoff_t index);
void wr_watch_forget(struct wr_window *window, pgoff_t first, pgoff_t end);
int wr_watch_fork(struct wr_window *parent, struct wr_window *child,
		  pgoff_t first, pgoff_t end);
int wr_watch_tell(struct wr_space *space, struct wr_telling *telling);
void wr_watch_undo(struct wr_telling *telling);
void wr_watch_end(struct wr_telling *telling);

#endif /* _WR_WATCH_H */
