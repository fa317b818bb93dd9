/* SPDX-License-Identifier: GPL-2.0 */
/* Names of the system's work queues, of which newer kernels warn by the old ones. */
#ifndef _WR_COMPAT_LINUX_WORKQUEUE_H
#define _WR_COMPAT_LINUX_WORKQUEUE_H

#include <linux/version.h>
#include_next <linux/workqueue.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define wr_percpu_wq system_wq
#define wr_unbound_wq system_unbound_wq
#else
#define wr_percpu_wq system_percpu_wq
#define wr_unbound_wq system_dfl_wq
#endif

#endif /* _WR_COMPAT_LINUX_WORKQUEUE_H */
