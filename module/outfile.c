// SPDX-License-Identifier: GPL-2.0
/*
 * What pages hold that are out of memory: in a file of shmem, which nobody else can
 * open, and from which the core writes to swap, and reads back.
 *
 * A place is a page of the file, with a number of its own. Whoever writes to one has its
 * page locked from before anybody can know the place until the bytes are there. After
 * that they never change: so who reads only waits for the lock once, and relatives by
 * a fork may all have the place, each of which reads a copy for itself. The last one
 * who gives it up frees it.
 *
 * What is read there may meanwhile be somebody else's, if the reader holds no lock under
 * which the place is known: then it looks at the serial number again before it uses it.
 *
 * A page that is out counts as one in memory does, see commit.c: the promise is kept.
 */
#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/idr.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/xarray.h>

#include "commit.h"
#include "outfile.h"

/* By who makes memory free */
#define OUT_GFP ((GFP_HIGHUSER & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN)

#define NO_LARGE_PLACES \
	"winregion: no paging while transparent_hugepage/shmem_enabled is force\n"

/* After one so long none is asked for. */
#define NO_PLACES_FOR (10 * HZ)

static struct vfsmount *mount;
static struct file *file;
static DEFINE_IDA(places);
static atomic_t serials;
static atomic_long_t nr_used;

/*
 * Of places that are not one's alone, or need not stay so: the serial number, and how
 * many others have it; and which could not be read when they were to be written
 */
static DEFINE_XARRAY_FLAGS(others, XA_FLAGS_ACCOUNT);
static DEFINE_XARRAY(broken);

/* Those of them for which there was no memory, plus 1, or 0; and whether it was too small */
static u32 few_broken[16];
static bool all_broken;

static bool is_of_few(u32 place)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(few_broken); i++)
		if (READ_ONCE(few_broken[i]) == place + 1)
			return true;
	return false;
}

/* Puts a place where there is room in the few, or takes it away from there. */
static bool replace_in_few(u32 old, u32 new)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(few_broken); i++)
		if (cmpxchg(&few_broken[i], old, new) == old)
			return true;
	return false;
}

/* What was there could not be read: nor can it be now. */
static void note_broken(u32 place)
{
	void *old = xa_store(&broken, place, xa_mk_value(1),
			     GFP_NOWAIT | __GFP_HIGH | __GFP_NOWARN);

	if (!xa_err(old) || replace_in_few(0, place + 1))
		return;
	/* Nothing can be told any more: so no more is to come. */
	WRITE_ONCE(all_broken, true);
	wr_commit_no_swap(MAX_JIFFY_OFFSET);
}

static bool is_broken(u32 place)
{
	return unlikely(READ_ONCE(all_broken)) || xa_load(&broken, place) ||
	       is_of_few(place);
}

/* Nobody writes it any more. */
static void forget_broken(u32 place)
{
	if (unlikely(!xa_empty(&broken)))
		xa_erase(&broken, place);
	if (unlikely(is_of_few(place)))
		replace_in_few(place + 1, 0);
}

static void forget_place(u32 place)
{
	loff_t at = (loff_t)place << PAGE_SHIFT;

	shmem_truncate_range(file_inode(file), at, at + PAGE_SIZE - 1);
	forget_broken(place);
	ida_free(&places, place);
}

static struct wr_out new_out(u32 place)
{
	u32 serial = atomic_inc_return(&serials) & GENMASK(WR_OUT_BITS - 1, 0);

	return (struct wr_out){ .place = place, .serial = serial ?: 1 };
}

/**
 * wr_outfile_make - a new place
 * @to: set to it
 * @kept: what its page may take of what is kept for this, as WR_KEPT_NONE
 *
 * Context: as of reclaim; reclaims nothing itself.
 * Return: whether there is one. If so, wr_outfile_fill() or wr_outfile_abandon() is to
 * follow.
 */
bool wr_outfile_make(struct wr_out_page *to, gfp_t kept)
{
	struct address_space *mapping = file->f_mapping;
	int place = ida_alloc(&places, GFP_NOWAIT | __GFP_NOWARN);
	struct page *page;

	if (place < 0)
		return false;
	page = shmem_read_mapping_page_gfp(mapping, place, OUT_GFP | kept);
	if (IS_ERR(page)) {
		ida_free(&places, place);
		return false;
	}
	/* Several places in one would have one lock. */
	if (PageCompound(page)) {
		pr_warn_once(NO_LARGE_PLACES);
		wr_commit_no_swap(NO_PLACES_FOR);
		put_page(page);
		forget_place(place);
		return false;
	}
	lock_page(page);
	to->page = page;
	to->out = new_out(place);
	if (page_folio(page)->mapping == mapping)
		return true;
	wr_outfile_abandon(to); /* it has gone to swap already */
	return false;
}

/* Nobody has come to know it. */
void wr_outfile_abandon(struct wr_out_page *to)
{
	unlock_page(to->page);
	put_page(to->page);
	forget_place(to->out.place);
}

/**
 * wr_outfile_fill - have a page be out
 * @to: a place, which others may know by now
 * @from: the page, which does not change
 *
 * From then on nobody who reads the place, or gives it up, waits for the caller.
 *
 * Context: as of reclaim; waits for nothing. wr_outfile_send() is to follow.
 */
void wr_outfile_fill(struct wr_out_page *to, struct page *from)
{
	if (copy_mc_highpage(to->page, from))
		note_broken(to->out.place);
	wr_commit_touched(1);
	atomic_long_inc(&nr_used);
	folio_mark_dirty(page_folio(to->page));
	unlock_page(to->page);
}

/* Return: whether it is on its way to swap; it is unlocked. */
static bool send_off(struct folio *folio)
{
	folio_mark_dirty(folio);
	folio_clear_dirty_for_io(folio);
	folio_set_reclaim(folio);
	if (wr_shmem_write(folio) != AOP_WRITEPAGE_ACTIVATE)
		return true;
	folio_clear_reclaim(folio);
	folio_unlock(folio);
	return false;
}

/**
 * wr_outfile_send - have a page that is out go to swap
 * @to: the place, which may have been given up; no more the caller's after that
 *
 * Context: as of reclaim; waits as long as the disk takes no more.
 * Return: false if swap took it not: its bytes stay in memory, but in the file.
 */
bool wr_outfile_send(struct wr_out_page *to)
{
	struct folio *folio = page_folio(to->page);
	bool sent = true;

	/* If another has the lock, it is read, or given up, or sent by the core. */
	if (folio_trylock(folio)) {
		if (folio->mapping == file->f_mapping)
			sent = send_off(folio);
		else
			folio_unlock(folio);
	}
	put_page(to->page);
	return sent;
}

/**
 * wr_outfile_read - what a page holds that is out
 * @out: where
 * @to: set to it
 *
 * Context: may sleep, for as long as swap takes.
 * Return: 0, -ENOMEM, or -EIO if it cannot be read.
 */
int wr_outfile_read(struct wr_out out, struct page *to)
{
	loff_t at = (loff_t)out.place << PAGE_SHIFT;
	void *kaddr;
	ssize_t n;

	/* Makes no page, if the place is nobody's by now; waits for who writes it. */
	kaddr = kmap_local_page(to);
	n = kernel_read(file, kaddr, PAGE_SIZE, &at);
	kunmap_local(kaddr);
	if (n == -ENOMEM)
		return -ENOMEM;
	return n != PAGE_SIZE || is_broken(out.place) ? -EIO : 0;
}

/* How many others have a place; the lock of others is held. */
static unsigned long others_of(struct wr_out out)
{
	void *entry = xa_load(&others, out.place);

	return entry ? xa_to_value(entry) & GENMASK(WR_OUT_BITS - 1, 0) : 0;
}

/* Sets how many; the lock of others is held. Return: 0 or -ENOMEM. */
static int set_others(struct wr_out out, unsigned long n)
{
	unsigned long value = (unsigned long)out.serial << WR_OUT_BITS | n;

	return xa_err(__xa_store(&others, out.place, xa_mk_value(value),
				 GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN));
}

/* Of a place that the caller has. Return: 0 or -ENOMEM. */
static int add_others(struct wr_out out, unsigned long n)
{
	int err;

	xa_lock(&others);
	err = set_others(out, others_of(out) + n);
	xa_unlock(&others);
	return err;
}

/**
 * wr_outfile_share - one more has a place
 * @out: the place, which the caller has
 *
 * Return: 0 or -ENOMEM.
 */
int wr_outfile_share(struct wr_out out)
{
	int err;

	while (add_others(out, 1)) {
		err = xa_reserve(&others, out.place, GFP_KERNEL_ACCOUNT);
		if (err)
			return err;
	}
	return 0;
}

/**
 * wr_outfile_let_join - others may have a place, too, without asking who has it
 * @out: the place, which the caller has
 *
 * Context: waits for nothing.
 * Return: whether there was memory for it.
 */
bool wr_outfile_let_join(struct wr_out out)
{
	return !add_others(out, 0);
}

/**
 * wr_outfile_join - one more has a place, if anybody has it still
 * @out: the place
 *
 * Context: waits for nothing.
 * Return: whether.
 */
bool wr_outfile_join(struct wr_out out)
{
	void *entry;
	bool same;

	xa_lock(&others);
	entry = xa_load(&others, out.place);
	same = entry && xa_to_value(entry) >> WR_OUT_BITS == out.serial;
	if (same)
		set_others(out, others_of(out) + 1); /* takes no memory */
	xa_unlock(&others);
	return same;
}

/* Return: whether others have it still. If not, nobody can join any more. */
static bool leave_to_others(struct wr_out out)
{
	unsigned long n;

	if (likely(xa_empty(&others)))
		return false;
	xa_lock(&others);
	n = others_of(out);
	if (n)
		set_others(out, n - 1);
	else
		__xa_erase(&others, out.place);
	xa_unlock(&others);
	return n;
}

/* One less has the place. Context: waits for who fills it, or is just sending it. */
void wr_outfile_free(struct wr_out out)
{
	if (leave_to_others(out))
		return;
	forget_place(out.place);
	atomic_long_dec(&nr_used);
	wr_commit_touched(-1);
}

/* Pages that are out, of all processes */
unsigned long wr_outfile_used(void)
{
	return atomic_long_read(&nr_used);
}

/* The kernel's own has large pages where shmem_enabled says so: this one has none. */
static struct vfsmount *mount_shmem(void)
{
	struct file_system_type *type = get_fs_type("tmpfs");
	char options[] = "huge=never"; /* is cut up */
	struct vfsmount *mnt;

	if (!type)
		return ERR_PTR(-ENODEV);
	mnt = vfs_kern_mount(type, SB_KERNMOUNT, type->name, options);
	module_put(type->owner);
	return mnt;
}

/*
 * The module has come. Without VM_NORESERVE a file is charged by its size, when that
 * is set by a call: so this one is charged nothing, as who has committed the pages has
 * paid for them. Return: 0 or an error.
 */
int wr_outfile_init(void)
{
	mount = mount_shmem();
	if (IS_ERR(mount))
		return PTR_ERR(mount);
	file = shmem_file_setup_with_mnt(mount, "winregion-out", 0,
					 WR_SHMEM_NO_FLAGS);
	if (IS_ERR(file)) {
		kern_unmount(mount);
		return PTR_ERR(file);
	}
	i_size_write(file_inode(file), MAX_LFS_FILESIZE);
	file_inode(file)->i_flags |=
		S_PRIVATE; /* whoever has a fault may read it */
	return 0;
}

/* The module is about to go: no page is out. */
void wr_outfile_exit(void)
{
	WARN_ON_ONCE(wr_outfile_used());
	shmem_truncate_range(file_inode(file), 0, -1);
	i_size_write(file_inode(file), 0);
	fput(file);
	kern_unmount(mount);
	ida_destroy(&places);
	xa_destroy(&others);
	xa_destroy(&broken);
}
