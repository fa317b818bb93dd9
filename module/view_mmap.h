/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_VIEW_MMAP_H
#define _WR_VIEW_MMAP_H

#include "view_state.h"

bool wr_view_is_sealed(struct wr_view *view);
int wr_view_begin(struct wr_window *window);
int wr_view_attach(struct file *file, struct vm_area_struct *vma);

#endif /* _WR_VIEW_MMAP_H */
