/* SPDX-License-Identifier: GPL-2.0 */
/* Flags of shmem_file_setup(), whatever their type. */
#ifndef _WR_COMPAT_LINUX_SHMEM_FS_H
#define _WR_COMPAT_LINUX_SHMEM_FS_H

#include_next <linux/shmem_fs.h>

#ifdef EMPTY_VMA_FLAGS
#define WR_SHMEM_NO_FLAGS EMPTY_VMA_FLAGS
#define WR_SHMEM_NORESERVE mk_vma_flags(VMA_NORESERVE_BIT)
#else
#define WR_SHMEM_NO_FLAGS 0
#define WR_SHMEM_NORESERVE VM_NORESERVE
#endif

#endif /* _WR_COMPAT_LINUX_SHMEM_FS_H */
