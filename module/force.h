/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_FORCE_H
#define _WR_FORCE_H

#include <linux/types.h>

struct mm_struct;

void wr_force_init(void);
bool wr_force_allows(struct mm_struct *mm);

#endif /* _WR_FORCE_H */
