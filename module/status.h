/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_STATUS_H
#define _WR_STATUS_H

#include <linux/mm.h>
#include <linux/seq_file.h>

#include "space.h"

/**
 * struct wr_status - what spaces have, in pages but for the first four
 * @spaces: how many
 * @regions: in them
 * @windows: that are no views
 * @views: as many as were mapped
 * @mapped: the addresses of windows and views
 * @committed: what is
 * @charged: for that, and what is in store
 * @resident: pages in memory, but for those of views that are the file's
 * @swapped: pages out of memory that will come back
 * @locked: locked pages
 * @frames: pages by number
 */
struct wr_status {
	unsigned long spaces;
	unsigned long regions;
	unsigned long windows;
	unsigned long views;
	unsigned long mapped;
	unsigned long committed;
	unsigned long charged;
	unsigned long resident;
	unsigned long swapped;
	unsigned long locked;
	unsigned long frames;
};

int wr_status_add(struct wr_space *space, struct wr_status *status);
void wr_status_show_pages(struct seq_file *m, const char *name,
			  unsigned long pages);
void wr_status_show(struct seq_file *m, const struct wr_status *status);
void wr_status_show_process(struct seq_file *m, struct mm_struct *mm,
			    bool change);
void wr_status_show_holder(struct seq_file *m);

#endif /* _WR_STATUS_H */
