/* SPDX-License-Identifier: GPL-2.0 */
/* All that is here is for the kernels of doc/install.md, of which this is the oldest. */
#ifndef _WR_COMPAT_LINUX_VERSION_H
#define _WR_COMPAT_LINUX_VERSION_H

#include_next <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "winregion needs Linux 6.1 or newer"
#endif

#endif /* _WR_COMPAT_LINUX_VERSION_H */
