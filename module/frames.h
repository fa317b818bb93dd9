/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_FRAMES_H
#define _WR_FRAMES_H

#include "window.h"

/**
 * struct wr_frame - a page that a program has by its number
 * @page: the page; never changes
 * @index: where it was mapped last, or 0. Whether it still is, the state there says:
 *	frames.c
 * @next: before it is in the table: the next one of the call that has made it
 * @number: what the program calls it; never changes
 * @taken_from: the call that takes it away from where it is
 * @put_by: the call that is to map it
 *
 * What changes: frames->lock.
 */
struct wr_frame {
	struct page *page;
	union {
		pgoff_t index;
		struct wr_frame *next;
	};
	u32 number;
	u32 taken_from;
	u32 put_by;
};

/**
 * struct wr_new_frames - frames that a call has made, for nobody yet
 * @space: whose they are to be
 * @first: a list of them
 * @last: its end
 * @count: how many there are
 */
struct wr_new_frames {
	struct wr_space *space;
	struct wr_frame *first;
	struct wr_frame *last;
	unsigned long count;
};

int wr_frames_make(struct wr_space *space, unsigned long wanted, int node,
		   struct wr_new_frames *made);
int wr_frames_publish(struct wr_new_frames *made);
void wr_frames_discard(struct wr_new_frames *made);
int wr_frames_free(struct wr_space *space, const u64 *numbers, unsigned int n,
		   unsigned int *freed);

int wr_frames_lock(struct wr_space *space);
void wr_frames_unlock(struct wr_space *space);
void wr_frames_lock_window(struct wr_window *window);
void wr_frames_unlock_window(struct wr_window *window);
struct wr_frame *wr_frame_find(struct wr_space *space, u64 number);
void wr_frame_unmap(struct wr_space *space, struct wr_frame *frame);
bool wr_frame_is_mapped(struct wr_space *space, struct wr_frame *frame);
struct page *wr_frames_page(struct wr_window *window, pgoff_t index);
unsigned long wr_frames_at_most(struct wr_window *window, pgoff_t first,
				pgoff_t end, unsigned long enough);
void wr_frames_clear(struct wr_window *window, pgoff_t first, pgoff_t end,
		     bool mapped);
void wr_frames_take_away(struct wr_window *window, struct wr_region *region,
			 pgoff_t first, pgoff_t end);

#endif /* _WR_FRAMES_H */
