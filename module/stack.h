/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_STACK_H
#define _WR_STACK_H

#include <linux/mm.h>

#include "space.h"

struct wr_window;

vm_fault_t wr_stack_touch(struct vm_fault *vmf, struct wr_window *window);
int wr_stack_set(struct wr_space *space, pgoff_t index, unsigned long guarantee,
		 bool leaps);

#endif /* _WR_STACK_H */
