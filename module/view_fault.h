/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_VIEW_FAULT_H
#define _WR_VIEW_FAULT_H

#include <linux/mm.h>

vm_fault_t wr_view_simple_fault(struct vm_fault *vmf);
vm_fault_t wr_view_simple_mkwrite(struct vm_fault *vmf);
vm_fault_t wr_view_read_only_fault(struct vm_fault *vmf);
vm_fault_t wr_view_read_only_mkwrite(struct vm_fault *vmf);
vm_fault_t wr_view_tracked_fault(struct vm_fault *vmf);
vm_fault_t wr_view_tracked_mkwrite(struct vm_fault *vmf);
vm_fault_t wr_view_tracked_map_pages(struct vm_fault *vmf, pgoff_t first,
				     pgoff_t last);

#endif /* _WR_VIEW_FAULT_H */
