/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_FAULT_H
#define _WR_FAULT_H

#include <linux/fs.h>
#include <linux/mm.h>

struct wr_window;

extern const struct file_operations wr_file_operations;
extern const struct file_operations wr_watched_file_operations;

u8 wr_fault_wants(struct vm_fault *vmf);
vm_fault_t wr_fault_refuse(struct vm_fault *vmf, struct wr_window *window,
			   u8 state);
int wr_fault_disarm(struct wr_window *window, pgoff_t index, u8 state);
vm_fault_t wr_fault_trip_guard(struct vm_fault *vmf, struct wr_window *window,
			       u8 state, struct file *file);
int wr_vma_may_split(struct vm_area_struct *vma, unsigned long addr);
int wr_vma_mprotect(struct vm_area_struct *vma, unsigned long start,
		    unsigned long end, unsigned long newflags);
int wr_vma_mremap(struct vm_area_struct *vma);
bool wr_vma_is_ours(struct vm_area_struct *vma);
struct wr_window *wr_vma_window(struct vm_area_struct *vma);
struct wr_window *wr_vma_view(struct vm_area_struct *vma);
void wr_vma_set_tracked(struct vm_area_struct *vma);
void wr_vma_set_rights(struct vm_area_struct *vma, u8 rights, bool write);
void wr_vma_drop_rights(struct vm_area_struct *vma);
void wr_vma_clear_exec(struct vm_area_struct *vma);

#endif /* _WR_FAULT_H */
