/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_HUGE_H
#define _WR_HUGE_H

#include "window.h"

bool wr_huge_enabled(struct mm_struct *mm);
void wr_huge_init(void);
void wr_huge_exit(void);
struct folio *wr_huge_find(struct vm_fault *vmf, struct wr_window *window);
void wr_huge_prepare(struct vm_fault *vmf, struct wr_window *window);
bool wr_huge_in_parts(struct wr_window *window, pgoff_t index,
		      struct page *page);
void wr_huge_note_error(struct wr_window *window, pgoff_t index);
void wr_huge_break(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_huge_break_all(struct wr_window *window, pgoff_t first, pgoff_t end);
void wr_huge_thin(struct wr_window *window, pgoff_t first, pgoff_t end);

#endif /* _WR_HUGE_H */
