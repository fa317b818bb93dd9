/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_COMMIT_H
#define _WR_COMMIT_H

#include <linux/percpu.h>

struct inode;
struct wr_pagefile;

/* Whether committed memory may leave for swap: see pageout.c. Never changes. */
extern bool wr_paging;

/* Committed pages in memory, counted where they came and went. */
DECLARE_PER_CPU(long, wr_resident_pages);

/* @pages more of them, or fewer. */
static __always_inline void wr_commit_touched(long pages)
{
	this_cpu_add(wr_resident_pages, pages);
}

int wr_commit_fix_share(struct wr_pagefile *pagefile);
int wr_commit_take(struct wr_pagefile *pagefile, unsigned long pages,
		   bool hard);
unsigned long wr_commit_return(struct wr_pagefile *pagefile,
			       unsigned long wanted);
void wr_commit_forget(struct wr_pagefile *pagefile);
void wr_commit_follow_file(struct wr_pagefile *pagefile, struct inode *inode);
void wr_commit_forget_file(struct wr_pagefile *pagefile);
void wr_commit_no_swap(unsigned long time);
unsigned long wr_commit_free_swap(void);
unsigned long wr_commit_resident(void);
unsigned long wr_commit_state(unsigned long *total);
void wr_commit_exit(void);

#endif /* _WR_COMMIT_H */
