/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_FORK_H
#define _WR_FORK_H

#include "window.h"

struct wr_window *wr_window_fork(struct wr_window *parent,
				 struct vm_area_struct *vma);

#endif /* _WR_FORK_H */
