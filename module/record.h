/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_RECORD_H
#define _WR_RECORD_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>

#include <linux/winregion.h>

/**
 * struct wr_records - the last failed access of each thread of a space
 * @lock: a leaf; protects the rest
 * @threads: struct wr_record, by @pid
 * @age: the same, those first that have not been looked at for longest
 */
struct wr_records {
	spinlock_t lock; /* the records */
	struct rb_root threads;
	struct list_head age;
};

void wr_records_init(struct wr_records *records);
void wr_records_destroy(struct wr_records *records);
int wr_record_prepare(struct wr_records *records, struct vm_fault *vmf,
		      gfp_t gfp);
void wr_record_fault(struct wr_records *records, struct vm_fault *vmf,
		     u32 reason);
void wr_record_read(struct wr_records *records,
		    struct winregion_last_fault *last);

#endif /* _WR_RECORD_H */
