/* SPDX-License-Identifier: GPL-2.0 */
/* mm_get_unmapped_area() as the newest kernel has it: for current->mm. */
#ifndef _WR_COMPAT_LINUX_SCHED_MM_H
#define _WR_COMPAT_LINUX_SCHED_MM_H

#include_next <linux/sched/mm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
/* 529ce23a764f ("mm: switch mm->get_unmapped_area() to a flag") */
static inline unsigned long
mm_get_unmapped_area(struct file *file, unsigned long addr, unsigned long len,
		     unsigned long pgoff, unsigned long flags)
{
	return current->mm->get_unmapped_area(file, addr, len, pgoff, flags);
}
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
/* before the mm argument was dropped */
#define mm_get_unmapped_area(file, addr, len, pgoff, flags) \
	mm_get_unmapped_area(current->mm, file, addr, len, pgoff, flags)
#endif

#endif /* _WR_COMPAT_LINUX_SCHED_MM_H */
