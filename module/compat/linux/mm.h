/* SPDX-License-Identifier: GPL-2.0 */
/* What <linux/mm.h> of older kernels lacks. */
#ifndef _WR_COMPAT_LINUX_MM_H
#define _WR_COMPAT_LINUX_MM_H

#include_next <linux/mm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
/* bc292ab00f6c ("mm: introduce vma->vm_flags wrapper functions") */
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	mmap_assert_write_locked(vma->vm_mm);
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	mmap_assert_write_locked(vma->vm_mm);
	vma->vm_flags &= ~flags;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
/* 5e31275cc997 ("mm: add per-VMA lock and helper functions to control it") */
static inline void vma_start_write(struct vm_area_struct *vma)
{
	mmap_assert_write_locked(vma->vm_mm);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
/* 2f0584f3f4bd ("mm: rename arch pte_mkwrite()'s to pte_mkwrite_novma()") */
#define pte_mkwrite_novma(pte) pte_mkwrite(pte)
#endif

#ifndef CONFIG_MAPPING_DIRTY_HELPERS
/*
 * Kernels without a driver that needs it lack it; distributions' have it. To
 * unmap is right as well, but takes a fault a page afterwards.
 */
static inline unsigned long
wp_shared_mapping_range(struct address_space *mapping, pgoff_t first_index,
			pgoff_t nr)
{
	unmap_mapping_pages(mapping, first_index, nr, false);
	return 0;
}
#endif

#endif /* _WR_COMPAT_LINUX_MM_H */
