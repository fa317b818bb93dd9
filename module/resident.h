/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_RESIDENT_H
#define _WR_RESIDENT_H

#include "window.h"

struct page *wr_resident_find(struct wr_window *window, pgoff_t index);
struct page *wr_resident_get(struct wr_window *window, pgoff_t index);
struct page *wr_resident_own(struct wr_window *window, pgoff_t index);
unsigned long wr_resident_count(struct wr_window *window, pgoff_t first,
				pgoff_t end);
void wr_resident_unmap(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_resident_drop(struct wr_window *window, pgoff_t first, pgoff_t end);
int wr_resident_fork(struct wr_window *parent, struct wr_window *child,
		     pgoff_t first, pgoff_t end);

#endif /* _WR_RESIDENT_H */
