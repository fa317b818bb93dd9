/* SPDX-License-Identifier: GPL-2.0 */
/* shmem_file_setup() without flags, whatever the type of its flags. */
#ifndef _WR_COMPAT_LINUX_SHMEM_FS_H
#define _WR_COMPAT_LINUX_SHMEM_FS_H

#include_next <linux/shmem_fs.h>

#ifdef EMPTY_VMA_FLAGS
#define WR_SHMEM_NO_FLAGS EMPTY_VMA_FLAGS
#else
#define WR_SHMEM_NO_FLAGS 0
#endif

#endif /* _WR_COMPAT_LINUX_SHMEM_FS_H */
