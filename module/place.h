/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_PLACE_H
#define _WR_PLACE_H

#include "window.h"

bool wr_place_is_unmapped(struct wr_space *space, unsigned long addr,
			  unsigned long end);
unsigned long wr_place_taken(struct wr_space *space, unsigned long addr,
			     unsigned long end);
unsigned long wr_place_default(struct wr_space *space, struct wr_layout *layout,
			       struct file *file, unsigned long flags);

#endif /* _WR_PLACE_H */
