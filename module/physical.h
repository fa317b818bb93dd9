/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_PHYSICAL_H
#define _WR_PHYSICAL_H

#include "frames.h"

/**
 * struct wr_placing - a frame that is to be mapped
 * @index: where
 * @number: in: which one
 * @frame: later: that
 */
struct wr_placing {
	pgoff_t index;
	union {
		u64 number;
		struct wr_frame *frame;
	};
};

int wr_physical_map(struct wr_space *space, struct wr_placing *placings,
		    unsigned long n);
int wr_physical_unmap_all(struct wr_space *space, struct wr_placing *placings,
			  unsigned long n);
int wr_physical_unmap(struct wr_space *space, pgoff_t first, pgoff_t end);

#endif /* _WR_PHYSICAL_H */
