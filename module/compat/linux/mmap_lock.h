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

#endif /* _WR_COMPAT_LINUX_MMAP_LOCK_H */
