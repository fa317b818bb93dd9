/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_SECTION_H
#define _WR_SECTION_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>

#include "image.h"
#include "pagefile.h"
#include "runs.h"

/**
 * struct wr_view_ops - operations of the VMAs of views
 * @next: the next ones of the same section
 * @host: those of the file underneath
 * @rights: those that the pages of such a view can have
 * @simple: while all pages have @rights
 * @tracked: from the first page on that differs
 *
 * Never changes once it is in the section's list, and ends with the section.
 */
struct wr_view_ops {
	struct wr_view_ops *next;
	const struct vm_operations_struct *host;
	u8 rights;
	struct vm_operations_struct simple;
	struct vm_operations_struct tracked;
};

/**
 * struct wr_section - what views map: a user's file, or memory of its own
 * @pseudo: a file of ours that vm_mmap() is called for; who has a reference to it
 *	has one to the section
 * @reader: the file underneath, open for reading only; the one that VMAs have
 * @writer: the same, open for reading and writing, or NULL if no view may write
 * @mapping: of both
 * @counted: @mapping can have no seal against writing while there is the section
 * @stacked: the file's mmap puts another file into the VMA
 * @flags: WINREGION_SECTION_*
 * @protection: WINREGION_*, as it was made with
 * @rights: what views may do
 * @paging: the file underneath is ours, and nobody else's
 * @tells: which pages of the user's file are in memory is told
 * @image: its pieces, if it is an image, or NULL
 * @whole: of a file that had no more when it was made: it may be seen how the file grows
 * @prober: who tries whether the user's file can be mapped, or NULL; set by that
 *	task, and compared with current
 * @probed: where it has been mapped for that; @prober's
 * @fit: whether that was a mapping as a view needs it; @prober's
 * @node: in the table of sections; its lock
 * @mapped: @size as it is known there; its lock
 * @lock: protects the rest; inside a window's lock
 * @size: bytes; of a user's file as many as wanted, else whole pages
 * @commits: WR_COMMITTED or 0 for each page, if @flags has WINREGION_SECTION_RESERVE;
 *	what is committed stays so
 * @spare: for @commits; atomic
 * @ops: operations of its views
 * @pagefile: what of @paging memory is charged; has its own locks
 *
 * What has no lock never changes.
 */
struct wr_section {
	struct file *pseudo;
	struct file *reader;
	struct file *writer;
	struct address_space *mapping;
	bool counted;
	bool stacked;
	u32 flags;
	u32 protection;
	u8 rights;
	bool paging;
	bool tells;
	struct wr_image *image;
	bool whole;
	struct task_struct *prober;
	unsigned long probed;
	bool fit;
	struct rb_node node;
	u64 mapped;
	struct mutex lock; /* size, commits and ops */
	u64 size;
	struct wr_runs commits;
	struct wr_slot *spare;
	struct wr_view_ops *ops;
	struct wr_pagefile pagefile;
};

/**
 * struct wr_section_request - a section that is to be made
 * @file: the user's file, or NULL for the paging file
 * @size: bytes, or 0 for all of the file
 * @flags: WINREGION_SECTION_*
 * @protection: WINREGION_*
 * @rights: what that comes to
 * @image: the pieces of @file that it is made of, or NULL; taken over
 * @whole: set to whether @size is all of @file
 */
struct wr_section_request {
	struct file *file;
	u64 size;
	u32 flags;
	u32 protection;
	u8 rights;
	struct wr_image *image;
	bool whole;
};

struct wr_section *wr_section_create(struct wr_section_request *request);
unsigned long wr_section_count(void);
void wr_section_get(struct wr_section *section);
void wr_section_put(struct wr_section *section);
int wr_section_extend(struct wr_section *section, u64 size);
u64 wr_section_size(struct wr_section *section);
u64 wr_section_mapped_size(struct file *file);
int wr_section_check_exec(struct wr_section *section);
bool wr_section_may_map(struct wr_section *section, struct vm_area_struct *vma);
u8 wr_section_commit_span(struct wr_section *section, pgoff_t first,
			  pgoff_t end, pgoff_t *next);
int wr_section_charge(struct wr_section *section, pgoff_t first, pgoff_t end,
		      unsigned long *charged);
void wr_section_uncharge(struct wr_section *section, unsigned long pages);
void wr_section_commit(struct wr_section *section, pgoff_t first, pgoff_t end,
		       unsigned long charged);
bool wr_section_commit_quick(struct wr_section *section, pgoff_t first,
			     pgoff_t end);

#endif /* _WR_SECTION_H */
