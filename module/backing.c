// SPDX-License-Identifier: GPL-2.0
/*
 * What stands behind the commit charge of all processes in the core's own
 * accounts: the size of shmem files that never get a page. The core counts such
 * sizes in Committed_AS and refuses them by vm.overcommit_memory.
 *
 * Files are made, not grown, because growing one can end in SIGXFSZ
 * (RLIMIT_FSIZE). They belong to nobody: what one process gives back stands
 * behind the next one's charge at once. Only their sum counts, and what of it is
 * spare is given back to the core, the newest file first.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "backing.h"
#include "settings.h"

/* So much may be spare, in pages, while any is in use. */
#define MAX_SPARE (SZ_1M >> PAGE_SHIFT)

/* A shmem file without pages, for its size. */
struct wr_quantum {
	struct list_head node;
	struct file *file;
	unsigned long pages;
};

/* The lock is a leaf; it protects the rest. */
static DEFINE_SPINLOCK(backing_lock);
static LIST_HEAD(quanta); /* the newest first */
static unsigned long used_pages;
static unsigned long spare_pages;

static int get_spare(char *buffer, const struct kernel_param *param)
{
	return sprintf(buffer, "%lu\n",
		       READ_ONCE(spare_pages) << (PAGE_SHIFT - 10));
}

static const struct kernel_param_ops spare_ops = { .get = get_spare };
module_param_cb(spare_kb, &spare_ops, NULL, 0444);
MODULE_PARM_DESC(spare_kb,
		 "KiB charged to the system that no process uses (read only)");

static void trim_later(struct work_struct *work)
{
	wr_backing_trim(true);
}

static DECLARE_WORK(trim_work, trim_later);

static struct file *charge_file(unsigned long pages)
{
	if (pages > MAX_LFS_FILESIZE >> PAGE_SHIFT)
		return ERR_PTR(-EDQUOT);
	return shmem_file_setup("winregion-commit", (loff_t)pages << PAGE_SHIFT,
				WR_SHMEM_NO_FLAGS);
}

/* Of a quantum that is not in the list */
static void free_quantum(struct wr_quantum *quantum)
{
	fput(quantum->file);
	kfree(quantum);
}

/* Not accounted to anybody: it will serve others too. */
static struct wr_quantum *make_quantum(unsigned long pages)
{
	struct wr_quantum *quantum = kmalloc(sizeof(*quantum), GFP_KERNEL);
	int err;

	if (!quantum)
		return ERR_PTR(-ENOMEM);
	quantum->pages = pages;
	quantum->file = charge_file(pages);
	if (!IS_ERR(quantum->file))
		return quantum;
	err = PTR_ERR(quantum->file);
	kfree(quantum);
	return ERR_PTR(err == -ENFILE ? err : -EDQUOT);
}

/* Takes up to @pages of what is spare. */
static unsigned long take_spare(unsigned long pages)
{
	unsigned long taken;

	spin_lock(&backing_lock);
	taken = min(pages, spare_pages);
	spare_pages -= taken;
	used_pages += taken;
	spin_unlock(&backing_lock);
	return taken;
}

static int add_quantum(unsigned long pages, bool admin, unsigned long *missing)
{
	unsigned long left = wr_settings_left(admin);
	struct wr_quantum *quantum;

	if (pages > left) {
		wr_settings_refresh();
		left = wr_settings_left(admin);
	}
	*missing = pages;
	if (pages > left) {
		*missing -= left;
		return -EDQUOT;
	}
	quantum = make_quantum(pages);
	if (IS_ERR(quantum))
		return PTR_ERR(quantum);
	spin_lock(&backing_lock);
	list_add(&quantum->node, &quanta);
	used_pages += pages;
	spin_unlock(&backing_lock);
	return 0;
}

/**
 * wr_backing_take - have the core count pages of commit charge
 * @pages: how many
 * @admin: the caller has CAP_SYS_ADMIN
 * @missing: set to how much too much it was, if that was the reason
 *
 * The core is not asked for what it would refuse, as far as that is known.
 *
 * Context: may sleep.
 * Return: 0, -EDQUOT (refused), -ENFILE or -ENOMEM.
 */
int wr_backing_take(unsigned long pages, bool admin, unsigned long *missing)
{
	unsigned long spare = take_spare(pages);
	int err = 0;

	if (pages > spare)
		err = add_quantum(pages - spare, admin, missing);
	if (err)
		wr_backing_give(spare);
	return err;
}

/* Never fails; wr_backing_trim() should follow. */
void wr_backing_give(unsigned long pages)
{
	spin_lock(&backing_lock);
	used_pages -= pages;
	spare_pages += pages;
	spin_unlock(&backing_lock);
}

/* What wr_backing_take() would give, at most. Context: may sleep. */
unsigned long wr_backing_left(bool admin)
{
	unsigned long left = wr_settings_left(admin);

	return left == LONG_MAX ? left : left + READ_ONCE(spare_pages);
}

static bool is_much(void)
{
	lockdep_assert_held(&backing_lock);
	return spare_pages > (used_pages ? MAX_SPARE : 0);
}

/*
 * The newest file, out of the list, and how much of it is spare; NULL if that is
 * not much, or not all of it where it is to be @whole.
 */
static struct wr_quantum *remove_spare(bool whole, unsigned long *pages)
{
	struct wr_quantum *quantum = NULL;

	spin_lock(&backing_lock);
	if (is_much())
		quantum = list_first_entry_or_null(&quanta, struct wr_quantum,
						   node);
	if (quantum && whole && spare_pages < quantum->pages)
		quantum = NULL;
	if (quantum) {
		list_del(&quantum->node);
		*pages = min(spare_pages, quantum->pages);
		spare_pages -= *pages;
	}
	spin_unlock(&backing_lock);
	return quantum;
}

/* What cannot be cut off stays spare. */
static void shrink_quantum(struct wr_quantum *quantum, unsigned long pages)
{
	loff_t size = (loff_t)(quantum->pages - pages) << PAGE_SHIFT;
	int err = vfs_truncate(&quantum->file->f_path, size);

	spin_lock(&backing_lock);
	if (err)
		spare_pages += pages;
	else
		quantum->pages -= pages;
	list_add(&quantum->node, &quanta);
	spin_unlock(&backing_lock);
}

/**
 * wr_backing_trim - give the core what is spare
 * @may_truncate: the caller holds neither mmap_lock nor a lock of ours
 *
 * Truncating takes locks of the file's inode and file system, under which other
 * shmem users take mmap_lock; where that may be held, whole files are given back,
 * and a worker does the rest.
 */
void wr_backing_trim(bool may_truncate)
{
	struct wr_quantum *quantum;
	unsigned long pages;

	while ((quantum = remove_spare(!may_truncate, &pages))) {
		if (pages < quantum->pages) {
			shrink_quantum(quantum, pages);
			return;
		}
		free_quantum(quantum);
	}
	if (!may_truncate && READ_ONCE(spare_pages) > MAX_SPARE)
		schedule_work(&trim_work);
}

/* The module is about to go; nothing is used any more. */
void wr_backing_exit(void)
{
	cancel_work_sync(&trim_work);
	wr_backing_trim(true);
	WARN_ON_ONCE(!list_empty(&quanta));
}
