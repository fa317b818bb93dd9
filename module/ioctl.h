/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_IOCTL_H
#define _WR_IOCTL_H

#include <linux/fs.h>

#include <linux/winregion.h>

#include "change.h"

/* The first word of an argument: its size, and no flags. */
static inline u64 wr_plain_head(u32 size)
{
	return IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) ? (u64)size << 32 : size;
}

long wr_ioctl_change(enum wr_op op, struct winregion_change __user *user,
		     bool hard);
long wr_ioctl_query(struct winregion_query __user *user);
long wr_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _WR_IOCTL_H */
