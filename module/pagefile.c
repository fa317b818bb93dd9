// SPDX-License-Identifier: GPL-2.0
/*
 * The commit charge: what makes a commit a promise.
 *
 * Committed pages are charged to the system as the size of shmem files that
 * never get a page: the core counts such sizes in Committed_AS and refuses them
 * by vm.overcommit_memory and vm.overcommit_ratio. Files are made, not grown,
 * because growing one can end in SIGXFSZ (RLIMIT_FSIZE). They are made in
 * quanta that grow with what is in use, so that most commits only move a
 * counter.
 *
 * In overcommit mode 0 the core compares each single request with the size of
 * memory, so any number of small ones passes. Hence this module keeps a total
 * of its own, and a limit: RAM, because its pages cannot be swapped out, or the
 * parameter commit_limit_mb. In mode 1, where the administrator asked for no
 * limit, there is none.
 *
 * A space owns one struct wr_pagefile; it ends with the space.
 */
#include <linux/atomic.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "pagefile.h"

#define MIN_STORE (SZ_1M >> PAGE_SHIFT)
#define MAX_STORE (SZ_64M >> PAGE_SHIFT)

/* A shmem file without pages, for its size. */
struct wr_quantum {
	struct list_head node;
	struct file *file;
	unsigned long pages;
};

static unsigned long commit_limit_mb;
module_param(commit_limit_mb, ulong, 0644);
MODULE_PARM_DESC(commit_limit_mb,
		 "Limit of all commits together in MiB (0: the size of RAM)");

/* Sum of all quotas. */
static atomic_long_t total_pages = ATOMIC_LONG_INIT(0);

/*
 * Charge kept in store for the next commits: a quarter of what is in use, but
 * not much of a lot. The last term bounds the number of files.
 */
static unsigned long store_size(unsigned long used)
{
	return clamp_t(unsigned long, used / 4, MIN_STORE,
		       max_t(unsigned long, MAX_STORE, used / 64));
}

static struct file *charge_file(unsigned long pages)
{
	if (pages > MAX_LFS_FILESIZE >> PAGE_SHIFT)
		return ERR_PTR(-ENOMEM);
	return shmem_file_setup("winregion-commit", (loff_t)pages << PAGE_SHIFT,
				WR_SHMEM_NO_FLAGS);
}

/*
 * The overcommit mode is not exported, but only mode 1 grants more than there
 * is memory and swap. Return: 0 if it does, -ENFILE if that can't be told, or
 * another error.
 */
static int overcommit_without_limit(void)
{
	struct sysinfo si;
	struct file *file;

	si_meminfo(&si);
	file = charge_file(si.totalram + (1UL << 34));
	if (IS_ERR(file))
		return PTR_ERR(file);
	fput(file);
	return 0;
}

static unsigned long ram_limit(void)
{
	struct sysinfo si;
	unsigned long mb = READ_ONCE(commit_limit_mb);

	if (mb)
		return min(mb, ULONG_MAX >> 20) << (20 - PAGE_SHIFT);
	si_meminfo(&si);
	return si.totalram;
}

/* All pages charged by this module. */
unsigned long wr_pagefile_total(void)
{
	return atomic_long_read(&total_pages);
}

/* The limit of the total in pages, ULONG_MAX if there is none. */
unsigned long wr_pagefile_limit(void)
{
	return overcommit_without_limit() ? ram_limit() : ULONG_MAX;
}

static int charge_total(unsigned long pages)
{
	long total = atomic_long_add_return(pages, &total_pages);
	int err = -EDQUOT;

	if (total >= 0 && (unsigned long)total <= ram_limit())
		return 0;
	if (total >= 0)
		err = overcommit_without_limit();
	if (!err)
		return 0;
	atomic_long_sub(pages, &total_pages);
	return err == -ENFILE ? err : -EDQUOT;
}

/* Nothing is charged; pairs with wr_pagefile_destroy(). */
void wr_pagefile_init(struct wr_pagefile *pagefile)
{
	spin_lock_init(&pagefile->lock);
	INIT_LIST_HEAD(&pagefile->quanta);
	mutex_init(&pagefile->grow_lock);
}

/* Pages committed; exact under pagefile->lock. */
unsigned long wr_pagefile_used(struct wr_pagefile *pagefile)
{
	return READ_ONCE(pagefile->quota) - atomic_long_read(&pagefile->store);
}

static void add_quota(struct wr_pagefile *pagefile, long pages)
{
	spin_lock(&pagefile->lock);
	WRITE_ONCE(pagefile->quota, pagefile->quota + pages);
	atomic_long_add(pages, &pagefile->store);
	spin_unlock(&pagefile->lock);
}

static struct wr_quantum *newest(struct wr_pagefile *pagefile)
{
	return list_first_entry_or_null(&pagefile->quanta, struct wr_quantum,
					node);
}

static void free_quantum(struct wr_quantum *quantum)
{
	list_del(&quantum->node);
	atomic_long_sub(quantum->pages, &total_pages);
	fput(quantum->file);
	kfree(quantum);
}

/* Nothing is used any more: give back what was kept in store. */
void wr_pagefile_destroy(struct wr_pagefile *pagefile)
{
	struct wr_quantum *quantum;

	WARN_ON_ONCE(wr_pagefile_used(pagefile));
	while ((quantum = newest(pagefile)))
		free_quantum(quantum);
	mutex_destroy(&pagefile->grow_lock);
}

/* What commits of @pages would need beyond the quota. */
static unsigned long missing(struct wr_pagefile *pagefile, unsigned long pages)
{
	unsigned long left = atomic_long_read(&pagefile->store);

	return pages > left ? pages - left : 0;
}

static int grow(struct wr_pagefile *pagefile, unsigned long pages)
{
	struct wr_quantum *quantum;
	int err;

	lockdep_assert_held(&pagefile->grow_lock);
	quantum = kmalloc(sizeof(*quantum), GFP_KERNEL_ACCOUNT);
	if (!quantum)
		return -ENOMEM;
	quantum->pages = pages;
	err = charge_total(pages);
	if (err)
		goto err_quantum;
	quantum->file = charge_file(pages);
	if (IS_ERR(quantum->file)) {
		err = PTR_ERR(quantum->file) == -ENFILE ? -ENFILE : -EDQUOT;
		goto err_total;
	}
	list_add(&quantum->node, &pagefile->quanta);
	add_quota(pagefile, pages);
	return 0;

err_total:
	atomic_long_sub(pages, &total_pages);
err_quantum:
	kfree(quantum);
	return err;
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
	err = grow(pagefile, need + store_size(used + pages));
	if (err == -EDQUOT)
		err = grow(pagefile, need);
	return err;
}

/**
 * wr_pagefile_charge - take commit charge
 * @pagefile: whose charge
 * @pages: how many pages
 *
 * Context: may sleep; takes grow_lock.
 * Return: 0, -EDQUOT (limit), -ENFILE or -ENOMEM.
 */
int wr_pagefile_charge(struct wr_pagefile *pagefile, unsigned long pages)
{
	int err = 0;

	if (wr_pagefile_charge_quick(pagefile, pages))
		return 0;
	mutex_lock(&pagefile->grow_lock);
	while (!err && !wr_pagefile_charge_quick(pagefile, pages))
		err = grow_for(pagefile, pages);
	mutex_unlock(&pagefile->grow_lock);
	return err;
}

/**
 * wr_pagefile_uncharge - give commit charge back
 * @pagefile: whose charge
 * @pages: how many pages
 *
 * Never fails; wr_pagefile_trim() should follow when no lock is held.
 */
void wr_pagefile_uncharge(struct wr_pagefile *pagefile, unsigned long pages)
{
	spin_lock(&pagefile->lock);
	if (!WARN_ON_ONCE(pages > wr_pagefile_used(pagefile)))
		atomic_long_add(pages, &pagefile->store);
	spin_unlock(&pagefile->lock);
}

/*
 * Takes up to @wanted pages of quota away that are not in use; returns how
 * many.
 */
static unsigned long take_quota(struct wr_pagefile *pagefile,
				unsigned long wanted)
{
	unsigned long taken;
	long store;

	spin_lock(&pagefile->lock);
	store = atomic_long_read(&pagefile->store);
	do {
		taken = min_t(unsigned long, wanted, store);
	} while (!atomic_long_try_cmpxchg(&pagefile->store, &store,
					  store - taken));
	WRITE_ONCE(pagefile->quota, pagefile->quota - taken);
	spin_unlock(&pagefile->lock);
	return taken;
}

/* Of a quantum that is not in the list */
static void shrink_quantum(struct wr_pagefile *pagefile,
			   struct wr_quantum *quantum, unsigned long pages)
{
	unsigned long taken = take_quota(pagefile, pages);
	unsigned long left = quantum->pages - taken;

	if (vfs_truncate(&quantum->file->f_path, (loff_t)left << PAGE_SHIFT)) {
		add_quota(pagefile, taken);
		return;
	}
	quantum->pages = left;
	atomic_long_sub(taken, &total_pages);
}

static bool drop_quantum(struct wr_pagefile *pagefile,
			 struct wr_quantum *quantum)
{
	unsigned long taken = take_quota(pagefile, quantum->pages);

	if (taken < quantum->pages) {
		add_quota(pagefile, taken);
		return false;
	}
	free_quantum(quantum);
	return true;
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
 * @may_truncate: the caller holds neither mmap_lock nor a lock of ours
 *
 * Truncating takes locks of the file's inode and file system, under which other
 * shmem users take mmap_lock; where that is held, only whole files are given
 * back. Nor is grow_lock held meanwhile, as it is taken under mmap_lock, in a
 * fork or an munmap.
 */
void wr_pagefile_trim(struct wr_pagefile *pagefile, bool may_truncate)
{
	unsigned long excess = excess_of(pagefile);
	struct wr_quantum *quantum;

	if (likely(!is_much(excess, wr_pagefile_used(pagefile))))
		return;
	mutex_lock(&pagefile->grow_lock);
	while ((quantum = newest(pagefile))) {
		excess = excess_of(pagefile);
		if (quantum->pages > excess || !drop_quantum(pagefile, quantum))
			break;
	}
	if (!may_truncate || !excess)
		quantum = NULL;
	if (quantum)
		list_del(&quantum->node);
	mutex_unlock(&pagefile->grow_lock);
	if (!quantum)
		return;

	shrink_quantum(pagefile, quantum, excess);
	mutex_lock(&pagefile->grow_lock);
	list_add(&quantum->node, &pagefile->quanta);
	mutex_unlock(&pagefile->grow_lock);
}
