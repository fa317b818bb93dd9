/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_NAME_H
#define _WR_NAME_H

#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/uidgid.h>

struct ipc_namespace;
struct wr_section;

/**
 * struct wr_name - the name of a section, or one that is looked for
 * @node: in the tree of names, if it is there; its lock
 * @users: descriptors of the section
 * @section: counted, once the name is in the tree
 * @ipc: the namespace of the caller who gave it; counted
 * @owner: that caller
 * @holder: whose it is in the tree: @owner, or INVALID_UID for what users share;
 *	the tree's lock until it is there
 * @others: WINREGION_SECTION_* that other users can open it for
 * @flags: WINREGION_NAME_*
 * @length: bytes of @text
 * @text: any bytes
 *
 * What has no lock never changes once the name is in the tree.
 */
struct wr_name {
	struct rb_node node;
	refcount_t users;
	struct wr_section *section;
	struct ipc_namespace *ipc;
	kuid_t owner;
	kuid_t holder;
	u32 others;
	u32 flags;
	u32 length;
	char text[];
};

/**
 * struct wr_wanted - a section that a name is for
 * @size: bytes of it, or 0 for those of a file
 * @flags: WINREGION_SECTION_*
 * @access: WINREGION_SECTION_* that it is to be opened for
 */
struct wr_wanted {
	u64 size;
	u32 flags;
	u32 access;
};

struct wr_name *wr_name_read(u64 text, u32 length, u32 flags, u32 others);
void wr_name_get(struct wr_name *name);
void wr_name_put(struct wr_name *name);
struct wr_name *wr_name_open(struct wr_name *wanted, u32 access, kuid_t owner);
struct wr_name *wr_name_existing(struct wr_name *wanted,
				 const struct wr_wanted *section);
struct wr_name *wr_name_give(struct wr_name *name, struct wr_section *section,
			     const struct wr_wanted *wanted);

#endif /* _WR_NAME_H */
