/* SPDX-License-Identifier: GPL-2.0 */
/* What <linux/swap.h> of older kernels lacks. */
#ifndef _WR_COMPAT_LINUX_SWAP_H
#define _WR_COMPAT_LINUX_SWAP_H

#include_next <linux/swap.h>
#include <linux/sched.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
/* c7b23b68e2aa9 ("mm: vmscan: refactor updating current->reclaim_state") */
static inline void mm_account_reclaimed_pages(unsigned long pages)
{
	if (current->reclaim_state)
		current->reclaim_state->reclaimed_slab += pages;
}
#endif

#endif /* _WR_COMPAT_LINUX_SWAP_H */
