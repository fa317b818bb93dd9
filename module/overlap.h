/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_OVERLAP_H
#define _WR_OVERLAP_H

#include "change.h"

struct wr_overlap;

/* Whether ranges, which are not empty, may overlap: not if they ascend. */
static inline bool wr_overlap_is_possible(struct wr_change *changes,
					  unsigned int nr)
{
	unsigned int i;

	for (i = 1; i < nr; i++)
		if (changes[i].first < changes[i - 1].end)
			return true;
	return false;
}

struct wr_overlap *wr_overlap_alloc(struct wr_change *changes, unsigned int nr,
				    struct wr_change **spans);
void wr_overlap_free(struct wr_overlap *overlap);
unsigned int wr_overlap_resolve(struct wr_overlap *overlap, unsigned int nr);
struct wr_change *wr_overlap_before(struct wr_overlap *overlap,
				    unsigned int nr);

#endif /* _WR_OVERLAP_H */
