/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_RESET_H
#define _WR_RESET_H

#include "change.h"

/* Changes that leave all states as they are. */
static inline bool wr_op_resets(enum wr_op op)
{
	return op >= WR_RESET;
}

u32 wr_reset_operation(enum wr_op op);
int wr_reset_check(enum wr_op op, struct wr_change *change,
		   struct wr_needs *needs);
int wr_reset_prepare(enum wr_op op, struct wr_change *change);
unsigned long wr_reset_apply(enum wr_op op, struct wr_change *change);
void wr_reset_forget(struct wr_change *change);

#endif /* _WR_RESET_H */
