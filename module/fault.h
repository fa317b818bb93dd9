/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_FAULT_H
#define _WR_FAULT_H

#include <linux/fs.h>
#include <linux/mm.h>

struct wr_window;

extern const struct file_operations wr_file_operations;

bool wr_vma_is_ours(struct vm_area_struct *vma);
struct wr_window *wr_vma_window(struct vm_area_struct *vma);
void wr_vma_set_tracked(struct vm_area_struct *vma);
void wr_vma_set_rights(struct vm_area_struct *vma, u8 rights, bool write);
void wr_vma_clear_exec(struct vm_area_struct *vma);

#endif /* _WR_FAULT_H */
