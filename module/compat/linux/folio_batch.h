/* SPDX-License-Identifier: GPL-2.0 */
/* struct folio_batch, which older kernels have in <linux/pagevec.h>. */
#ifndef _WR_COMPAT_LINUX_FOLIO_BATCH_H
#define _WR_COMPAT_LINUX_FOLIO_BATCH_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#include <linux/pagevec.h>
#else
#include_next <linux/folio_batch.h>
#endif

#endif /* _WR_COMPAT_LINUX_FOLIO_BATCH_H */
