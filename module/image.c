// SPDX-License-Identifier: GPL-2.0
/*
 * Images: sections whose contents are pieces of a file, each with a place of its own.
 *
 * What the headers of a file say is the program's affair. It tells the pieces, which
 * are looked at here: that they are in order, in the section, and in the file. They are
 * copied when the section is made, by the caller's own right to read the file, before
 * anybody else knows of the section. So what others do to the file later changes
 * nothing; nor can anybody write a piece that is not meant to be written by all:
 * whatever a descriptor of the section allows, of the rest there are only copies.
 *
 * Who finds a section by its name gets it for an image only if it is one of the very
 * file, unchanged, in the very pieces that would have been made of it.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include <linux/winregion.h>

#include "image.h"
#include "states.h"

/* ---- the list ---- */

/* What views of a piece can do, or 0: one that copies is one that reads. */
static u8 piece_rights(u32 protection)
{
	switch (protection) {
	case WINREGION_WRITECOPY:
	case WINREGION_EXECUTE_WRITECOPY:
		return 0;
	default:
		return wr_protection_rights(protection);
	}
}

/* @after: the page behind the piece before */
static int check_piece(const struct winregion_piece *from,
		       struct wr_piece *piece, pgoff_t after, u64 size, u8 most)
{
	u64 end;

	if (!IS_ALIGNED(from->address, PAGE_SIZE) || !from->length ||
	    check_add_overflow(from->address, from->length, &end) ||
	    end > size || from->bytes > from->length)
		return -EINVAL;
	if (check_add_overflow(from->offset, from->bytes, &end) ||
	    end > MAX_LFS_FILESIZE || from->__reserved)
		return -EINVAL;
	piece->rights = piece_rights(from->protection);
	if (!piece->rights || piece->rights & ~most)
		return -EDOM;
	piece->first = from->address >> PAGE_SHIFT;
	piece->end = DIV_ROUND_UP_ULL(from->address + from->length, PAGE_SIZE);
	piece->offset = from->offset;
	piece->bytes = from->bytes;
	return piece->first < after ? -EINVAL : 0;
}

static int read_pieces(struct wr_image *image,
		       const struct winregion_piece __user *user, u64 size,
		       u8 most)
{
	struct winregion_piece piece;
	pgoff_t after = 0;
	unsigned int i;
	int err;

	for (i = 0; i < image->nr; i++) {
		if (copy_from_user(&piece, user + i, sizeof(piece)))
			return -EFAULT;
		err = check_piece(&piece, &image->pieces[i], after, size, most);
		if (err)
			return err;
		after = image->pieces[i].end;
	}
	return 0;
}

/**
 * wr_image_read - the pieces that a program tells
 * @user: where they are in its memory
 * @nr: how many
 * @size: bytes of the section, whole pages
 * @rights: the most that views of the section can do
 *
 * Return: the image, or an error pointer: -EINVAL, -EDOM, -EFAULT, -ENOMEM.
 */
struct wr_image *wr_image_read(u64 user, u32 nr, u64 size, u8 rights)
{
	struct wr_image *image;
	int err;

	if (!nr || nr > WINREGION_MAX_PIECES)
		return ERR_PTR(-EINVAL);
	image = kvzalloc(struct_size(image, pieces, nr), GFP_KERNEL_ACCOUNT);
	if (!image)
		return ERR_PTR(-ENOMEM);
	image->nr = nr;
	image->pages = size >> PAGE_SHIFT;
	err = read_pieces(image, u64_to_user_ptr(user), size, rights);
	if (!err)
		return image;
	wr_image_free(image);
	return ERR_PTR(err);
}

/* What wr_image_read() has returned, or NULL. */
void wr_image_free(struct wr_image *image)
{
	kvfree(image);
}

/* Whether there is a piece that all write. */
bool wr_image_is_written(const struct wr_image *image)
{
	unsigned int i;

	for (i = 0; i < image->nr; i++)
		if (image->pieces[i].rights & WR_WRITE)
			return true;
	return false;
}

/* ---- the contents ---- */

/* Return: 0, or -EFBIG where the file ends, or an error of its own */
static int read_file(struct file *file, void *buffer, u64 offset, size_t bytes)
{
	loff_t pos = offset;
	ssize_t n;

	while (bytes) {
		n = kernel_read(file, buffer, bytes, &pos);
		if (n <= 0)
			break;
		buffer += n;
		bytes -= n;
	}
	if (!bytes)
		return 0;
	switch (n) {
	case 0:
		return -EFBIG;
	case -ENOMEM:
	case -EINTR:
		return n;
	default:
		return -EIO;
	}
}

static int fill_page(struct address_space *mapping, pgoff_t index,
		     const void *contents, size_t bytes)
{
	struct page *page = shmem_read_mapping_page(mapping, index);

	if (IS_ERR(page))
		return PTR_ERR(page) == -EINTR ? -EINTR : -ENOMEM;
	lock_page(page);
	memcpy_to_page(page, 0, contents, bytes);
	set_page_dirty(page);
	unlock_page(page);
	put_page(page);
	return 0;
}

/* Return: 0, or -ENOTUNIQ if the page has something else. */
static int compare_page(struct address_space *mapping, pgoff_t index,
			const void *contents, size_t bytes)
{
	struct page *page = shmem_read_mapping_page(mapping, index);
	void *there;
	int err;

	if (IS_ERR(page))
		return PTR_ERR(page);
	there = kmap_local_page(page);
	err = memcmp(there, contents, bytes) ? -ENOTUNIQ : 0;
	kunmap_local(there);
	put_page(page);
	return err;
}

typedef int (*with_page_t)(struct address_space *mapping, pgoff_t index,
			   const void *contents, size_t bytes);

/* Has @with_page have each page of a piece, by what the file has there now. */
static int read_piece(const struct wr_piece *piece, struct file *file,
		      struct address_space *mapping, void *buffer,
		      with_page_t with_page)
{
	u64 done;
	int err = 0;

	for (done = 0; !err && done < piece->bytes; done += PAGE_SIZE) {
		size_t bytes = min_t(u64, piece->bytes - done, PAGE_SIZE);

		if (fatal_signal_pending(current))
			return -EINTR;
		err = read_file(file, buffer, piece->offset + done, bytes);
		if (!err)
			err = with_page(mapping,
					piece->first + (done >> PAGE_SHIFT),
					buffer, bytes);
		cond_resched();
	}
	return err;
}

static int read_source(struct file *file, struct wr_source *source)
{
	struct kstat stat;
	int err;

	err = vfs_getattr(&file->f_path, &stat, STATX_BASIC_STATS,
			  AT_STATX_SYNC_AS_STAT);
	if (err)
		return -EIO;
	*source = (struct wr_source){
		.dev = stat.dev,
		.ino = stat.ino,
		.size = stat.size,
		.mtime = stat.mtime,
		.ctime = stat.ctime,
	};
	return 0;
}

/* Whether the time of its last change will tell if the file is changed from now on. */
static bool is_settled(const struct wr_source *source, struct file *file)
{
	struct timespec64 now;

	ktime_get_coarse_real_ts64(&now);
	now = timestamp_truncate(now, file_inode(file));
	return timespec64_compare(&source->ctime, &now) < 0;
}

/* Ticks that are waited for that; a server of files may have the time from elsewhere. */
#define SETTLE_TICKS 4

/*
 * What was changed in this tick can be changed once more with the same times. So that one
 * is over before the first byte is read.
 */
static int read_settled_source(struct file *file, struct wr_source *source)
{
	unsigned int i;
	int err;

	for (i = 0; i < SETTLE_TICKS; i++) {
		err = read_source(file, source);
		if (err || is_settled(source, file))
			return err;
		schedule_timeout_killable(1);
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return read_source(file, source);
}

static bool is_same_source(const struct wr_source *source,
			   const struct wr_source *other)
{
	return source->dev == other->dev && source->ino == other->ino &&
	       source->size == other->size &&
	       timespec64_equal(&source->mtime, &other->mtime) &&
	       timespec64_equal(&source->ctime, &other->ctime);
}

static bool is_same_piece(const struct wr_piece *piece,
			  const struct wr_piece *other)
{
	return piece->first == other->first && piece->end == other->end &&
	       piece->offset == other->offset && piece->bytes == other->bytes &&
	       piece->rights == other->rights;
}

static bool has_same_pieces(const struct wr_image *image,
			    const struct wr_image *other)
{
	unsigned int i;

	if (image->pages != other->pages || image->nr != other->nr)
		return false;
	for (i = 0; i < image->nr; i++)
		if (!is_same_piece(&image->pieces[i], &other->pieces[i]))
			return false;
	return true;
}

/*
 * Whether the file has by now what nobody can have changed in an image.
 *
 * Return: 0, -ENOTUNIQ if it has not, -EFBIG if it ends before, -EIO, -ENOMEM or -EINTR.
 */
static int compare_contents(const struct wr_image *image, struct file *file,
			    struct address_space *mapping)
{
	void *buffer = kmalloc(PAGE_SIZE, GFP_KERNEL);
	unsigned int i;
	int err = 0;

	if (!buffer)
		return -ENOMEM;
	for (i = 0; !err && i < image->nr; i++)
		if (!(image->pieces[i].rights & WR_WRITE))
			err = read_piece(&image->pieces[i], file, mapping,
					 buffer, compare_page);
	kfree(buffer);
	return err;
}

/**
 * wr_image_compare - whether an image is what one would be that is asked for
 * @image: that there is
 * @mapping: of its section
 * @other: the pieces that are asked for
 * @file: of this file
 *
 * A name can be anybody's who runs for the same user, and says nothing of what is
 * behind it. What is the same file, unchanged, in the same pieces, is the same. Its
 * numbers and times alone do not tell: a server of files can tell any, numbers of file
 * systems are used again, and a mapping that is there writes without a change of times.
 * So what only the file can have put there is compared.
 *
 * Return: 0, -ENOTUNIQ if it is not, or the caller could not read the file itself, -EIO,
 * -ENOMEM or -EINTR.
 */
int wr_image_compare(const struct wr_image *image,
		     struct address_space *mapping,
		     const struct wr_image *other, struct file *file)
{
	struct wr_source source;
	int err;

	if (!(file->f_mode & FMODE_READ) || !has_same_pieces(image, other))
		return -ENOTUNIQ;
	err = read_source(file, &source);
	if (!err && !is_same_source(&image->source, &source))
		err = -ENOTUNIQ;
	if (!err)
		err = compare_contents(image, file, mapping);
	return err == -EFBIG ? -ENOTUNIQ : err;
}

/**
 * wr_image_fill - copy the pieces of a file
 * @image: the pieces
 * @file: the file, which the caller may read
 * @mapping: of the section, all zeros, which nobody else knows
 *
 * Return: 0, -EFBIG if the file ends before, -EIO, -ENOMEM or -EINTR.
 */
int wr_image_fill(struct wr_image *image, struct file *file,
		  struct address_space *mapping)
{
	void *buffer = kmalloc(PAGE_SIZE, GFP_KERNEL);
	unsigned int i;
	int err;

	if (!buffer)
		return -ENOMEM;
	err = read_settled_source(file, &image->source);
	for (i = 0; !err && i < image->nr; i++)
		err = read_piece(&image->pieces[i], file, mapping, buffer,
				 fill_page);
	kfree(buffer);
	return err;
}

/**
 * wr_image_rights - what a view of some pages can do
 * @image: the pieces
 * @first: the first page, by its offset
 * @end: the page behind the last
 *
 * Return: WR_* rights; what is in no piece can be read.
 */
u8 wr_image_rights(const struct wr_image *image, pgoff_t first, pgoff_t end)
{
	u8 rights = WR_READ | WR_WRITE | WR_EXEC;
	pgoff_t covered = first;
	unsigned int i;

	for (i = 0; i < image->nr; i++) {
		const struct wr_piece *piece = &image->pieces[i];

		if (piece->end <= first || piece->first >= end)
			continue;
		if (piece->first > covered)
			rights &= WR_READ;
		rights &= piece->rights;
		covered = piece->end;
	}
	return covered < end ? rights & WR_READ : rights;
}
