/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_PAGEFILE_H
#define _WR_PAGEFILE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>

struct inode;
struct wr_share;

/**
 * struct wr_pagefile - the commit charge of one space
 * @lock: a leaf; protects @quota, and both counters when they change together
 * @quota: pages charged to the system; changes under the lock of commit.c too
 * @store: those of them that are not committed
 * @node: in the list of those that have a quota; the lock of commit.c
 * @backed: it has backing of its own in the core's accounts; never changes once there
 *	is a quota
 * @share: where @quota is counted, or NULL; the lock of commit.c
 * @fixed_share: whoever commits, that is where; never changes once there is a quota
 * @inode: of the shmem file that its pages are in, if they are in one
 * @in_file: how many that were when it was looked at last; the lock of commit.c. If
 *	it is not @backed, the core counts them itself by then
 * @file_node: in the list of those that have @inode; the lock of commit.c
 */
struct wr_pagefile {
	spinlock_t lock; /* the counters */
	unsigned long quota;
	atomic_long_t store;
	struct list_head node;
	bool backed;
	struct wr_share *share;
	bool fixed_share;
	struct inode *inode;
	unsigned long in_file;
	struct list_head file_node;
};

void wr_pagefile_init(struct wr_pagefile *pagefile);
void wr_pagefile_destroy(struct wr_pagefile *pagefile);
int wr_pagefile_charge(struct wr_pagefile *pagefile, unsigned long pages);
bool wr_pagefile_uncharge_quick(struct wr_pagefile *pagefile,
				unsigned long pages);
void wr_pagefile_uncharge(struct wr_pagefile *pagefile, unsigned long pages);
unsigned long wr_pagefile_used(struct wr_pagefile *pagefile);
void wr_pagefile_trim(struct wr_pagefile *pagefile, bool may_truncate);

/* Takes charge if there is enough in store. Does not sleep. */
static __always_inline bool
wr_pagefile_charge_quick(struct wr_pagefile *pagefile, unsigned long pages)
{
	long store = atomic_long_read(&pagefile->store);

	do {
		if (pages > (unsigned long)store)
			return false;
	} while (!atomic_long_try_cmpxchg(&pagefile->store, &store,
					  store - pages));
	return true;
}

#endif /* _WR_PAGEFILE_H */
