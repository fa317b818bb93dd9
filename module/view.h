/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_VIEW_H
#define _WR_VIEW_H

#include "section.h"
#include "space.h"

/**
 * struct wr_view_request - a view that is to be mapped
 * @first: in: the first page, if @fixed; out: the first page
 * @fixed: the address is given
 * @bound: @lowest or @highest matter
 * @top_down: the highest place
 * @lowest: lowest byte allowed
 * @highest: highest byte allowed
 * @offset: bytes in the section
 * @length: in: bytes, or 0 for the rest; out: whole pages
 * @commit: bytes to commit at the beginning
 * @protection: allocation protection
 * @state: of its pages
 * @serial: what was made
 * @grows: it may be larger than the section
 * @image: the first page of the image that it is to be a part of, or 0
 * @bytes: it shows those of an image, and is no part of one
 * @replace: it is to replace a placeholder, of just its pages, at @first
 * @arrived: it came to be there, whether or not it still is
 */
struct wr_view_request {
	pgoff_t first;
	bool fixed;
	bool bound;
	bool top_down;
	unsigned long lowest;
	unsigned long highest;
	u64 offset;
	u64 length;
	u64 commit;
	u32 protection;
	u8 state;
	u64 serial;
	bool grows;
	pgoff_t image;
	bool bytes;
	bool replace;
	bool arrived;
};

int wr_view_map(struct wr_space *space, struct wr_section *section,
		struct wr_view_request *request);
int wr_view_unmap(struct wr_space *space, pgoff_t *first, unsigned long *pages,
		  u64 serial, bool keep);
void wr_view_undo(struct wr_space *space, struct wr_view_request *request);
int wr_view_flush(struct wr_space *space, u64 address, u64 length);

#endif /* _WR_VIEW_H */
