/* SPDX-License-Identifier: GPL-2.0 */
/* What <linux/mmap_lock.h> of older kernels has only for the kernel itself. */
#ifndef _WR_COMPAT_LINUX_MMAP_LOCK_H
#define _WR_COMPAT_LINUX_MMAP_LOCK_H

#include_next <linux/mmap_lock.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
/* With CONFIG_DEBUG_VM these call dump_mm(), which 6.1 does not export. */
#define mmap_assert_locked(mm) lockdep_assert_held(&(mm)->mmap_lock)
#define mmap_assert_write_locked(mm) lockdep_assert_held_write(&(mm)->mmap_lock)
#endif

/*
 * mmap_write_trylock(), which newer kernels have no more, and its end: for who changes no
 * VMA, as those that are locked one by one are not told.
 */
static inline bool wr_mmap_trylock(struct mm_struct *mm)
{
	return down_write_trylock(&mm->mmap_lock);
}

static inline void wr_mmap_unlock(struct mm_struct *mm)
{
	up_write(&mm->mmap_lock);
}

#endif /* _WR_COMPAT_LINUX_MMAP_LOCK_H */
