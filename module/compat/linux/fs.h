/* SPDX-License-Identifier: GPL-2.0 */
/* How a file is mapped, for whoever maps it in another one's place. */
#ifndef _WR_COMPAT_LINUX_FS_H
#define _WR_COMPAT_LINUX_FS_H

#include_next <linux/fs.h>
#include <linux/version.h>

/* Whether it can be mapped at all. */
static inline bool wr_can_mmap(struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	/* c84bf6dd2b83 ("mm: introduce new .mmap_prepare() file callback") */
	return file->f_op->mmap || file->f_op->mmap_prepare;
#else
	return file->f_op->mmap;
#endif
}

/* Has the file set up a VMA. */
static inline int wr_call_mmap(struct file *file, struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return vfs_mmap(file, vma);
#else
	return call_mmap(file, vma);
#endif
}

/* What a file is to who opened it, also if it stands for one of an overlay. */
static inline struct dentry *wr_user_dentry(const struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	/* def3ae83da02 ("fs: store real path instead of fake path in backing file") */
	return file_user_path(file)->dentry;
#else
	return file->f_path.dentry;
#endif
}

/* Later revisions of 6.1 and 6.12 have a function for it, earlier ones have not. */
static inline bool wr_file_owner_or_capable(struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	/* 01beba7957a2 ("fs: port inode_owner_or_capable() to mnt_idmap") */
	return inode_owner_or_capable(file_mnt_idmap(file), file_inode(file));
#else
	return inode_owner_or_capable(file_mnt_user_ns(file), file_inode(file));
#endif
}

/* Pages of the file are not marked as accessed when they are unmapped: wr_folio_was_got(). */
static inline void wr_file_set_ageless(struct file *file)
{
#ifdef FMODE_NOREUSE
	/* 17e810229cb3 ("mm: support POSIX_FADV_NOREUSE") */
	file->f_mode |= FMODE_NOREUSE;
#endif
}

#endif /* _WR_COMPAT_LINUX_FS_H */
