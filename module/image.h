/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_IMAGE_H
#define _WR_IMAGE_H

#include <linux/fs.h>
#include <linux/types.h>

/**
 * struct wr_piece - a part of an image
 * @first: its first page in the section
 * @end: the page behind its last
 * @offset: where in the file its contents begin
 * @bytes: how many there are; zeros follow
 * @rights: those that views of it can have; WR_WRITE is to write it for all
 */
struct wr_piece {
	pgoff_t first;
	pgoff_t end;
	u64 offset;
	u64 bytes;
	u8 rights;
};

/**
 * struct wr_source - a file that an image was made of, and as it was then
 * @dev: of its file system
 * @ino: its number there
 * @size: bytes
 * @mtime: when it was written last
 * @ctime: when it was changed last
 */
struct wr_source {
	dev_t dev;
	u64 ino;
	loff_t size;
	struct timespec64 mtime;
	struct timespec64 ctime;
};

/**
 * struct wr_image - what a section of an image has besides
 * @pages: of the section
 * @source: the file, from before the first byte was read on
 * @nr: pieces
 * @pieces: in the order of their pages, which do not overlap
 *
 * Never changes once others can find the section.
 */
struct wr_image {
	pgoff_t pages;
	struct wr_source source;
	unsigned int nr;
	struct wr_piece pieces[];
};

struct wr_image *wr_image_read(u64 user, u32 nr, u64 size, u8 rights);
void wr_image_free(struct wr_image *image);
int wr_image_fill(struct wr_image *image, struct file *file,
		  struct address_space *mapping);
bool wr_image_is_written(const struct wr_image *image);
int wr_image_compare(const struct wr_image *image,
		     struct address_space *mapping,
		     const struct wr_image *other, struct file *file);
u8 wr_image_rights(const struct wr_image *image, pgoff_t first, pgoff_t end);

#endif /* _WR_IMAGE_H */
