/* SPDX-License-Identifier: GPL-2.0 */
/* What <linux/leafops.h> has, if there is one. */
#ifndef _WR_COMPAT_LINUX_LEAFOPS_H
#define _WR_COMPAT_LINUX_LEAFOPS_H

#include <linux/mm.h>

#ifdef VM_MAYBE_GUARD
/* What it includes of 7.2 needs this, and does not say so. */
#include <linux/swap.h>
#include_next <linux/leafops.h>
#endif

/*
 * Whether a marker is there instead of a page, which nobody may touch: what
 * madvise(MADV_GUARD_INSTALL) leaves. Kernels before 6.13 have none, and later ones
 * up to 6.18 no VMA that tells.
 */
static inline bool wr_pte_is_guard(pte_t pte)
{
#ifdef VM_MAYBE_GUARD
	return softleaf_is_guard_marker(softleaf_from_pte(pte));
#else
	return false;
#endif
}

#endif /* _WR_COMPAT_LINUX_LEAFOPS_H */
