/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_VIEW_VMA_H
#define _WR_VIEW_VMA_H

#include "view_state.h"

extern const struct vm_operations_struct wr_view_closed_ops;

vm_fault_t wr_view_no_fault(struct vm_fault *vmf);
struct wr_window *wr_view_close_vma(struct vm_area_struct *vma);
struct vm_area_struct *wr_view_vma(struct wr_window *window);
void wr_view_zap(struct wr_window *window, pgoff_t first, pgoff_t end);
int wr_view_track(struct wr_window *window, u8 state);
bool wr_view_changes_exec(struct wr_window *window, u8 state);
int wr_view_may_change_exec(struct wr_window *window, pgoff_t first,
			    pgoff_t end, bool locked);
void wr_view_change_exec(struct wr_window *window);

#endif /* _WR_VIEW_VMA_H */
