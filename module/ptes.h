/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_PTES_H
#define _WR_PTES_H

#include "window.h"

void wr_ptes_allow_write(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_ptes_allow_write_in(struct wr_window *window,
			    struct vm_area_struct *vma, pgoff_t first,
			    pgoff_t end);
void wr_ptes_forbid_for_fork(struct wr_window *window, pgoff_t first,
			     pgoff_t end);
void wr_ptes_forbid_write(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_ptes_age(struct wr_window *window, pgoff_t first, unsigned long *stay,
		 bool any_age);
bool wr_ptes_collect(struct wr_window *window, pgoff_t first, pgoff_t end);
bool wr_ptes_guard(struct mm_struct *mm, unsigned long addr,
		   unsigned long *next);

#endif /* _WR_PTES_H */
