/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_PLACE_H
#define _WR_PLACE_H

#include "window.h"

/**
 * struct wr_place - a place that is looked for
 * @lowest: the lowest address that it may have
 * @highest: the highest byte that it may have
 * @len: its bytes
 * @alignment: of its address
 * @exec: what is to be there is mostly executable
 * @alike: not in windows that differ in that
 * @easy: where there is so much room that the alignment cannot matter
 * @alone: not in windows
 */
struct wr_place {
	unsigned long lowest;
	unsigned long highest;
	unsigned long len;
	unsigned long alignment;
	bool exec;
	bool alike;
	bool easy;
	bool alone;
};

unsigned long wr_place_lowest(void);
bool wr_place_is_refused(unsigned long addr);
struct vm_area_struct *wr_place_foreign(struct mm_struct *mm,
					unsigned long addr, unsigned long end,
					unsigned long *first);
bool wr_place_is_unmapped(struct wr_space *space, unsigned long addr,
			  unsigned long end);
int wr_place_is_free(struct wr_space *space, const struct wr_place *place,
		     unsigned long addr);
unsigned long wr_place_search(struct wr_space *space,
			      const struct wr_place *place);
unsigned long wr_place_default(struct wr_space *space, struct wr_layout *layout,
			       struct file *file, unsigned long flags);

#endif /* _WR_PLACE_H */
