/* SPDX-License-Identifier: GPL-2.0 */
/* Flags of shmem_file_setup(), whatever their type, and the way of a page to swap. */
#ifndef _WR_COMPAT_LINUX_SHMEM_FS_H
#define _WR_COMPAT_LINUX_SHMEM_FS_H

#include_next <linux/shmem_fs.h>
#include <linux/pagemap.h>
#include <linux/version.h>
#include <linux/writeback.h>

#ifdef EMPTY_VMA_FLAGS
#define WR_SHMEM_NO_FLAGS EMPTY_VMA_FLAGS
#define WR_SHMEM_NORESERVE mk_vma_flags(VMA_NORESERVE_BIT)
#else
#define WR_SHMEM_NO_FLAGS 0
#define WR_SHMEM_NORESERVE VM_NORESERVE
#endif

/**
 * wr_shmem_write - start to write a page of shmem to swap
 * @folio: the page, locked, and clean as by folio_clear_dirty_for_io()
 *
 * Context: as of reclaim.
 * Return: 0, or AOP_WRITEPAGE_ACTIVATE if there is no swap to be had: the page is dirty
 * then, and still locked.
 */
static inline int wr_shmem_write(struct folio *folio)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
	return shmem_write_folio(folio);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	/* 84798514db50 ("mm: Remove swap_writepage() and shmem_writepage()") */
	return shmem_writeout(folio, NULL, NULL);
#else
	struct writeback_control wbc = {
		.sync_mode = WB_SYNC_NONE,
		.nr_to_write = 1,
		.range_end = LLONG_MAX,
		.for_reclaim = 1,
	};

	return folio->mapping->a_ops->writepage(&folio->page, &wbc);
#endif
}

#endif /* _WR_COMPAT_LINUX_SHMEM_FS_H */
