/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_VIEW_FORK_H
#define _WR_VIEW_FORK_H

#include <linux/mm.h>

void wr_view_open(struct vm_area_struct *vma);

#endif /* _WR_VIEW_FORK_H */
