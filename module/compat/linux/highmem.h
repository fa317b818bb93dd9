/* SPDX-License-Identifier: GPL-2.0 */
/* What <linux/highmem.h> of older kernels lacks. */
#ifndef _WR_COMPAT_LINUX_HIGHMEM_H
#define _WR_COMPAT_LINUX_HIGHMEM_H

#include_next <linux/highmem.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
/* 98c76c9f1ef7 ("mm/khugepaged: recover from poisoned anonymous memory") */
static inline int copy_mc_highpage(struct page *to, struct page *from)
{
#ifdef copy_mc_to_kernel
	unsigned long left;
	char *source = kmap_local_page(from);
	char *target = kmap_local_page(to);

	left = copy_mc_to_kernel(target, source, PAGE_SIZE);
	kunmap_local(target);
	kunmap_local(source);
	if (left)
		memory_failure_queue(page_to_pfn(from), 0);
	return left;
#else
	copy_highpage(to, from);
	return 0;
#endif
}
#endif

#endif /* _WR_COMPAT_LINUX_HIGHMEM_H */
