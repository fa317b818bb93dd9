// SPDX-License-Identifier: GPL-2.0
/*
 * The per-mm object: lookup, lifetime, and the file that its windows map.
 */
#include <linux/file.h>
#include <linux/hashtable.h>
#include <linux/llist.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "fault.h"
#include "runs.h"
#include "space.h"

#define WR_FS_MAGIC 0x57524547 /* "WREG" */

static unsigned long max_regions = 1UL << 20;
module_param(max_regions, ulong, 0644);
MODULE_PARM_DESC(max_regions, "Regions that one process may have");

static DEFINE_HASHTABLE(spaces, 8);
static DEFINE_SPINLOCK(spaces_lock);

/* Pinned by every space that has a file, so that they share one superblock. */
static struct vfsmount *fs_mount;
static int fs_users;

static int init_fs_context(struct fs_context *fc)
{
	if (!init_pseudo(fc, WR_FS_MAGIC))
		return -ENOMEM;
	/* Executable pages are mapped from here. */
	fc->s_iflags &= ~SB_I_NOEXEC;
	return 0;
}

static struct file_system_type fs_type = {
	.owner = THIS_MODULE,
	.name = "winregionfs",
	.init_fs_context = init_fs_context,
	.kill_sb = kill_anon_super,
};

static struct inode *make_inode(void)
{
	struct inode *inode = alloc_anon_inode(fs_mount->mnt_sb);

	if (IS_ERR(inode))
		return inode;
#ifdef S_ANON_INODE
	inode->i_flags &= ~S_ANON_INODE; /* those are never executable */
#endif
	inode->i_flags |= S_NOCMTIME;
	/*
	 * mincore() tells the truth to who may write the file, and a process may
	 * become another user's. Nobody can open it.
	 */
	inode->i_mode |= 0666;
	/* Offsets are addresses, and the core maps nothing behind the end. */
	i_size_write(inode, MAX_LFS_FILESIZE);
	/* Unlinked shared files go to core dumps by default. */
	clear_nlink(inode);
	return inode;
}

static struct file *make_file(const char *name,
			      const struct file_operations *operations)
{
	struct inode *inode;
	struct file *file;

	inode = make_inode();
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	/* __fput() drops a module reference that nobody else takes. */
	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(inode, fs_mount, name, O_RDWR, operations);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		iput(inode);
		return file;
	}
	wr_file_set_ageless(file);
	return file;
}

/**
 * wr_space_make_file - a file of ours that can be mapped
 * @name: its name
 * @operations: what it can do; release calls wr_space_unpin_files()
 * @data: for them
 *
 * Return: the file or an error pointer.
 */
struct file *wr_space_make_file(const char *name,
				const struct file_operations *operations,
				void *data)
{
	struct file *file;
	int err;

	err = simple_pin_fs(&fs_type, &fs_mount, &fs_users);
	if (err)
		return ERR_PTR(err);
	file = make_file(name, operations);
	if (IS_ERR(file))
		wr_space_unpin_files();
	else
		file->private_data = data;
	return file;
}

/* A file of ours ends. */
void wr_space_unpin_files(void)
{
	simple_release_fs(&fs_mount, &fs_users);
}

/* ---- what the core may still look at ---- */

/**
 * struct wr_late - an inode that is kept a little longer
 * @node: in @late
 * @inode: a reference; its file system is pinned, too
 */
struct wr_late {
	struct llist_node node;
	struct inode *inode;
};

static LLIST_HEAD(late);

static void put_late(struct work_struct *work)
{
	struct llist_node *all = llist_del_all(&late);
	struct wr_late *one;

	/* Who is preempted has not passed; who waits, or is back in its program, has. */
	synchronize_rcu_tasks();
	while (all) {
		one = llist_entry(all, struct wr_late, node);
		all = all->next;
		iput(one->inode);
		kfree(one);
		wr_space_unpin_files();
		cond_resched();
	}
}

static DECLARE_WORK(late_work, put_late);

/**
 * wr_space_keep_inode - for threads that are at the end of a fault
 * @file: by wr_space_make_file(), whose mapping pages have that are not in VMAs of it
 * @vma: one that had such pages, and ends
 *
 * When the core has made a page writable, and has given up its locks, it looks at the
 * page's mapping once more. It keeps the file of the VMA for that, which here is another
 * one. So the inode stays until all who can be doing that have gone on.
 */
void wr_space_keep_inode(struct file *file, struct vm_area_struct *vma)
{
	struct wr_late *one;

	/* Nobody else is there who could, as when a process ends. */
	if (atomic_read(&vma->vm_mm->mm_users) <= 1)
		return;
	one = kmalloc(sizeof(*one), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	if (WARN_ON_ONCE(simple_pin_fs(&fs_type, &fs_mount, &fs_users))) {
		kfree(one); /* it is pinned already, by the file */
		return;
	}
	one->inode = file_inode(file);
	ihold(one->inode);
	if (llist_add(&one->node, &late))
		queue_work(wr_unbound_wq, &late_work);
}

/* The module is about to go. */
void wr_space_exit(void)
{
	flush_work(&late_work);
}

static void drop_file(struct wr_space *space)
{
	if (!space->file)
		return;
	/* Not the other way round: this may be in reclaim, and the mount's end is not for it. */
	wr_space_unpin_files();
	fput(space->file);
	WRITE_ONCE(space->file, NULL);
	WRITE_ONCE(space->file_forked, false);
}

/**
 * wr_space_file - the file that new windows of a space map
 * @space: the space; its layout_lock is held
 *
 * A new one after a fork: what is changed in a window would be looked for in the
 * child as well, at the same offsets.
 *
 * Return: the file, with no reference for the caller, or an error pointer.
 */
struct file *wr_space_file(struct wr_space *space)
{
	struct file *file;

	lockdep_assert_held(&space->layout_lock);
	if (READ_ONCE(space->file_forked))
		drop_file(space);
	if (space->file)
		return space->file;
	file = wr_space_make_file(WR_FILE_NAME, &wr_file_operations, NULL);
	if (!IS_ERR(file))
		WRITE_ONCE(space->file, file);
	return file;
}

static void init_frames(struct wr_frames *frames)
{
	mutex_init(&frames->lock);
	xa_init_flags(&frames->table, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	xa_init_flags(&frames->places, XA_FLAGS_ACCOUNT);
}

static void destroy_frames(struct wr_frames *frames)
{
	WARN_ON_ONCE(atomic_long_read(&frames->count));
	xa_destroy(&frames->table);
	xa_destroy(&frames->places);
}

static struct wr_space *alloc_space(struct mm_struct *mm)
{
	struct wr_space *space = kzalloc(sizeof(*space), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	if (!space)
		return NULL;
	refcount_set(&space->refs, 1);
	mutex_init(&space->layout_lock);
	mutex_init(&space->batch_lock);
	mutex_init(&space->lock_calls);
	INIT_LIST_HEAD(&space->unsettled);
	spin_lock_init(&space->lock);
	for (i = 0; i < ARRAY_SIZE(space->shared); i++)
		INIT_LIST_HEAD(&space->shared[i]);
	space->windows = RB_ROOT;
	space->roomy = RB_ROOT;
	space->views = RB_ROOT;
	wr_pagefile_init(&space->pagefile);
	wr_records_init(&space->records);
	init_frames(&space->frames);
	space->mm = mm;
	mmgrab(mm);
	return space;
}

static void free_space(struct wr_space *space)
{
	WARN_ON_ONCE(space->nr_windows || space->nr_regions);
	wr_pagefile_destroy(&space->pagefile);
	wr_records_destroy(&space->records);
	destroy_frames(&space->frames);
	wr_slot_free(space->spare);
	drop_file(space);
	mmdrop(space->mm);
	kfree_rcu(space, rcu);
}

/*
 * The space of an mm, or NULL; without a reference: it may be about to go, but
 * not before the caller's RCU read-side section is over.
 */
struct wr_space *wr_space_peek(struct mm_struct *mm)
{
	struct wr_space *space;

	hash_for_each_possible_rcu(spaces, space, node, (unsigned long)mm)
		if (space->mm == mm && refcount_read(&space->refs))
			break;
	return space;
}

/**
 * wr_space_find - the space of an mm
 * @mm: the mm, which the caller keeps alive
 *
 * Return: the space with a reference, or NULL.
 */
struct wr_space *wr_space_find(struct mm_struct *mm)
{
	struct wr_space *space;

	rcu_read_lock();
	do {
		space = wr_space_peek(mm);
	} while (space && !refcount_inc_not_zero(&space->refs));
	rcu_read_unlock();
	return space;
}

/* Adds @space unless the mm has got one meanwhile, which is returned then. */
static struct wr_space *publish_space(struct wr_space *space)
{
	struct wr_space *other;

	spin_lock(&spaces_lock);
	other = wr_space_find(space->mm);
	if (!other)
		hash_add_rcu(spaces, &space->node, (unsigned long)space->mm);
	spin_unlock(&spaces_lock);
	return other;
}

/**
 * wr_space_get_for - the space of an mm, made if there is none
 * @mm: the mm, which the caller keeps alive
 *
 * Return: the space with a reference, or NULL if there is no memory.
 */
struct wr_space *wr_space_get_for(struct mm_struct *mm)
{
	struct wr_space *space = wr_space_find(mm), *other;

	if (space)
		return space;
	space = alloc_space(mm);
	if (!space)
		return NULL;
	other = publish_space(space);
	if (!other)
		return space;
	free_space(space);
	return other;
}

/* The caller has a reference already. */
void wr_space_get(struct wr_space *space)
{
	refcount_inc(&space->refs);
}

/* The last reference frees the space, and its locks with it. */
void wr_space_put(struct wr_space *space)
{
	if (!refcount_dec_and_test(&space->refs))
		return;
	spin_lock(&spaces_lock);
	hash_del_rcu(&space->node);
	spin_unlock(&spaces_lock);
	free_space(space);
}

/* The first of a chain that does not end just now, with a reference, or NULL. */
static struct wr_space *first_of(struct hlist_node __rcu **chain)
{
	struct hlist_node *node = rcu_dereference(*chain);
	struct wr_space *space;

	for (; node; node = rcu_dereference(hlist_next_rcu(node))) {
		space = hlist_entry(node, struct wr_space, node);
		if (refcount_inc_not_zero(&space->refs))
			return space;
	}
	return NULL;
}

/**
 * wr_space_next - go through all spaces
 * @prev: the one before, whose reference is put, or NULL
 *
 * For who counts: some may come and go meanwhile. There are as many as programs like, so
 * nothing is held but a reference.
 *
 * Return: the next one with a reference, or NULL.
 */
struct wr_space *wr_space_next(struct wr_space *prev)
{
	struct wr_space *next = NULL;
	unsigned int i = 0;

	rcu_read_lock();
	if (prev) {
		/* It stays in its chain while it has a reference. */
		next = first_of(&hlist_next_rcu(&prev->node));
		i = hash_min((unsigned long)prev->mm, HASH_BITS(spaces)) + 1;
	}
	for (; !next && i < HASH_SIZE(spaces); i++)
		next = first_of(&hlist_first_rcu(&spaces[i]));
	rcu_read_unlock();
	if (prev)
		wr_space_put(prev);
	return next;
}

/* Of one process; root may change the parameter at any time. */
unsigned long wr_space_max_regions(void)
{
	return READ_ONCE(max_regions);
}

/* Counts @n more (or fewer) regions. Return: 0, or -EMFILE if too many. */
int wr_space_add_regions(struct wr_space *space, long n)
{
	int err = 0;

	spin_lock(&space->lock);
	if (n > 0 && space->nr_regions + n > wr_space_max_regions())
		err = -EMFILE;
	else
		space->nr_regions += n;
	spin_unlock(&space->lock);
	return err;
}
