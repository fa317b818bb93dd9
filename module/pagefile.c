// SPDX-License-Identifier: GPL-2.0
/*
 * The commit charge: what makes a commit a promise.
 *
 * A space has a quota, which is counted in all of the system's limits (commit.c)
 * and stands in the core's own accounts (backing.c). What of it is not in use is
 * in store for the next commits, so that most of them only move a counter.
 * Others may take what is in store at any time, if they would be refused without
 * it.
 *
 * A space owns one struct wr_pagefile; it ends with the space.
 */
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "backing.h"
#include "commit.h"
#include "pagefile.h"

#define MIN_STORE (SZ_1M >> PAGE_SHIFT)
#define MAX_STORE (SZ_64M >> PAGE_SHIFT)

/*
 * Charge kept in store for the next commits: a quarter of what is in use, but
 * not much of a lot. The last term bounds the number of files.
 */
static unsigned long store_size(unsigned long used)
{
	return clamp_t(unsigned long, used / 4, MIN_STORE,
		       max_t(unsigned long, MAX_STORE, used / 64));
}

/* Nothing is charged; pairs with wr_pagefile_destroy(). */
void wr_pagefile_init(struct wr_pagefile *pagefile)
{
	spin_lock_init(&pagefile->lock);
	INIT_LIST_HEAD(&pagefile->node);
	INIT_LIST_HEAD(&pagefile->file_node);
}

/* Pages committed; exact under pagefile->lock. */
unsigned long wr_pagefile_used(struct wr_pagefile *pagefile)
{
	return READ_ONCE(pagefile->quota) - atomic_long_read(&pagefile->store);
}

/* Nothing is used any more: give back what was kept in store. */
void wr_pagefile_destroy(struct wr_pagefile *pagefile)
{
	WARN_ON_ONCE(wr_pagefile_used(pagefile));
	wr_commit_forget_file(pagefile);
	if (wr_commit_return(pagefile, ULONG_MAX))
		wr_backing_trim(false);
	wr_commit_forget(pagefile);
}

/* What commits of @pages would need beyond the quota. */
static unsigned long missing(struct wr_pagefile *pagefile, unsigned long pages)
{
	unsigned long left = atomic_long_read(&pagefile->store);

	return pages > left ? pages - left : 0;
}

/* Only when the system is at its limit is nothing taken for the store. */
static int grow_for(struct wr_pagefile *pagefile, unsigned long pages)
{
	unsigned long need = missing(pagefile, pages), used;
	int err;

	if (!need)
		return 0;
	spin_lock(&pagefile->lock);
	used = wr_pagefile_used(pagefile);
	spin_unlock(&pagefile->lock);
	err = wr_commit_take(pagefile, need + store_size(used + pages), false);
	if (err == -EDQUOT)
		err = wr_commit_take(pagefile, need, true);
	return err;
}

/**
 * wr_pagefile_charge - take commit charge
 * @pagefile: whose charge
 * @pages: how many pages
 *
 * Context: may sleep.
 * Return: 0, -EDQUOT (limit), -ENFILE or -ENOMEM.
 */
int wr_pagefile_charge(struct wr_pagefile *pagefile, unsigned long pages)
{
	int err = 0;

	while (!err && !wr_pagefile_charge_quick(pagefile, pages))
		err = grow_for(pagefile, pages);
	return err;
}

/**
 * wr_pagefile_uncharge - give commit charge back
 * @pagefile: whose charge
 * @pages: how many pages
 *
 * Never fails; wr_pagefile_trim() should follow.
 */
void wr_pagefile_uncharge(struct wr_pagefile *pagefile, unsigned long pages)
{
	spin_lock(&pagefile->lock);
	if (!WARN_ON_ONCE(pages > wr_pagefile_used(pagefile)))
		atomic_long_add(pages, &pagefile->store);
	spin_unlock(&pagefile->lock);
}

/* What is in store beyond its size */
static unsigned long excess_of(struct wr_pagefile *pagefile)
{
	unsigned long left, used;

	spin_lock(&pagefile->lock);
	used = wr_pagefile_used(pagefile);
	left = pagefile->quota - used;
	spin_unlock(&pagefile->lock);
	return left - min(left, store_size(used));
}

static bool is_much(unsigned long excess, unsigned long used)
{
	return excess >= 2 * MIN_STORE && excess >= store_size(used);
}

/* Gives charge back if nothing need be trimmed then. Does not sleep. */
bool wr_pagefile_uncharge_quick(struct wr_pagefile *pagefile,
				unsigned long pages)
{
	unsigned long left = atomic_long_read(&pagefile->store) + pages;
	unsigned long used, size;

	if (left >= 3 * MIN_STORE) { /* else not even the least store is full */
		used = READ_ONCE(pagefile->quota) - left;
		size = store_size(used);
		if (left > size && is_much(left - size, used))
			return false;
	}
	atomic_long_add(pages, &pagefile->store);
	return true;
}

/**
 * wr_pagefile_trim - give the system what is no longer needed
 * @pagefile: whose charge
 * @may_truncate: see wr_backing_trim()
 */
void wr_pagefile_trim(struct wr_pagefile *pagefile, bool may_truncate)
{
	unsigned long excess = excess_of(pagefile);

	if (likely(!is_much(excess, wr_pagefile_used(pagefile))))
		return;
	wr_commit_return(pagefile, excess);
	wr_backing_trim(may_truncate);
}
