/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_LOCK_H
#define _WR_LOCK_H

#include "space.h"

int wr_lock(struct wr_space *space, pgoff_t first, pgoff_t end,
	    unsigned long *before);
int wr_unlock(struct wr_space *space, pgoff_t first, pgoff_t end,
	      unsigned long *before);
int wr_lock_trim(struct wr_space *space, pgoff_t first, pgoff_t end,
		 unsigned long *locked);
int wr_lock_count(struct wr_space *space, pgoff_t first, pgoff_t end,
		  unsigned long *locked);

#endif /* _WR_LOCK_H */
