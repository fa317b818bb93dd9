/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_IOCTL_H
#define _WR_IOCTL_H

#include <linux/fs.h>

long wr_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _WR_IOCTL_H */
