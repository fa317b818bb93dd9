/* SPDX-License-Identifier: GPL-2.0 */
/* What runs for a program and never goes on as it, from 6.4 on. */
#ifndef _WR_COMPAT_LINUX_SCHED_H
#define _WR_COMPAT_LINUX_SCHED_H

#include_next <linux/sched.h>

#ifndef PF_USER_WORKER
#define PF_USER_WORKER 0
#endif

#endif /* _WR_COMPAT_LINUX_SCHED_H */
