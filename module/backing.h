/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_BACKING_H
#define _WR_BACKING_H

#include <linux/types.h>

int wr_backing_take(unsigned long pages, bool admin, unsigned long *missing);
void wr_backing_give(unsigned long pages);
unsigned long wr_backing_left(bool admin);
void wr_backing_trim(bool may_truncate);
void wr_backing_exit(void);

#endif /* _WR_BACKING_H */
