/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_LAYOUT_H
#define _WR_LAYOUT_H

#include "window.h"

bool wr_layout_all_ours(struct wr_window *window, unsigned long addr,
			unsigned long end);
int wr_layout_map(struct wr_window *window, pgoff_t first, unsigned long pages,
		  bool exec, unsigned long flags);
int wr_layout_refill(struct wr_window *window, pgoff_t first, pgoff_t end);
int wr_layout_unmap(struct wr_window *window, pgoff_t first, pgoff_t end);
int wr_layout_unmap_view(struct wr_window *window);
void wr_layout_track(struct wr_window *window);
struct wr_window *wr_window_create(struct wr_space *space, unsigned long pages,
				   bool exec, bool huge, bool watched);
int wr_layout_map_view(struct wr_window *window, pgoff_t first, u8 access,
		       struct wr_window *under);
int wr_layout_keep(struct wr_space *space, struct wr_region *region,
		   struct wr_window *over, bool gone);
int wr_window_destroy(struct wr_window *window);
int wr_window_track(struct wr_window *window);
int wr_layout_give_back(struct wr_space *space, pgoff_t index);

struct wr_layout *wr_layout_announced(struct file *file, unsigned long addr,
				      unsigned long len, unsigned long pgoff);
bool wr_layout_allows(struct file *file, unsigned long addr, unsigned long len,
		      unsigned long pgoff);
bool wr_layout_is_mine(struct wr_space *space);
void wr_layout_arrived(struct wr_window *window);
enum wr_closing wr_layout_closing(struct wr_window *window);
unsigned long wr_layout_address(struct file *file, unsigned long addr,
				unsigned long len, unsigned long pgoff,
				unsigned long flags);

#endif /* _WR_LAYOUT_H */
