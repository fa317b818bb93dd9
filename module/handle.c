// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors of sections, and the ioctls that are about sections and views. User
 * memory is read and written here; no lock is held.
 *
 * A descriptor is a right. What it allows never changes, and another one that is
 * made from it allows no more; so it can be given away, by fork or by a socket.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include <linux/winregion.h>

#include "handle.h"
#include "name.h"
#include "remote.h"
#include "section.h"
#include "space.h"
#include "states.h"
#include "status.h"
#include "trace.h"
#include "view.h"
#include "view_state.h"

/**
 * struct wr_handle - what a descriptor of a section is
 * @section: the section; counted
 * @name: its name, or NULL; counted
 * @access: WINREGION_SECTION_* that it allows
 *
 * Nothing changes.
 */
struct wr_handle {
	struct wr_section *section;
	struct wr_name *name;
	u32 access;
};

/* No holes, and the same size for every caller. */
static void __maybe_unused check_abi(void)
{
	BUILD_BUG_ON(sizeof(struct winregion_create_section) != 72);
	BUILD_BUG_ON(sizeof(struct winregion_piece) != 40);
	BUILD_BUG_ON(sizeof(struct winregion_open_section) != 32);
	BUILD_BUG_ON(sizeof(struct winregion_map_view) != 72);
	BUILD_BUG_ON(sizeof(struct winregion_unmap_view) != 24);
	BUILD_BUG_ON(sizeof(struct winregion_flush_view) != 24);
	BUILD_BUG_ON(sizeof(struct winregion_query_section) != 56);
	BUILD_BUG_ON(sizeof(struct winregion_extend_section) != 16);
	BUILD_BUG_ON(sizeof(struct winregion_duplicate_section) != 16);
	BUILD_BUG_ON(sizeof(struct winregion_query_file) != 24);
}

/**
 * wr_check_new_part - what only a newer version of a structure knows has to be 0
 * @user: where that begins
 * @left: how many bytes it is, which a program decides
 *
 * Return: 0, -E2BIG, -EFAULT, or -EINTR if the caller is being killed.
 */
int wr_check_new_part(const void __user *user, u32 left)
{
	u32 some;
	int ret;

	for (; left; left -= some, user += some) {
		some = min_t(u32, left, SZ_64K);
		ret = check_zeroed_user(user, some);
		if (ret <= 0)
			return ret ? ret : -E2BIG;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* Every structure begins with its size, which was @least once. */
static int read_args_of(void *args, void __user *argp, u32 expected, u32 least)
{
	u32 size;

	if (get_user(size, (u32 __user *)argp))
		return -EFAULT;
	if (size < least)
		return -EINVAL;
	if (size > expected) {
		int err = wr_check_new_part(argp + expected, size - expected);

		if (err)
			return err;
		size = expected;
	}
	return copy_struct_from_user(args, expected, argp, size);
}

static int read_args(void *args, void __user *argp, u32 expected)
{
	return read_args_of(args, argp, expected, expected);
}

/* Those of a call that has no flags, which come behind the size. */
static int read_args_plain(void *args, void __user *argp, u32 expected,
			   u32 least)
{
	int err = read_args_of(args, argp, expected, least);

	if (!err && ((u32 *)args)[1])
		err = -EOPNOTSUPP;
	return err;
}

/* ---- descriptors ---- */

static void put_section(struct wr_section *section, struct wr_name *name)
{
	if (name)
		wr_name_put(name);
	wr_section_put(section);
}

static int handle_release(struct inode *inode, struct file *file)
{
	struct wr_handle *handle = file->private_data;

	put_section(handle->section, handle->name);
	kfree(handle);
	return 0;
}

static long handle_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg);

static void show_name(struct seq_file *m, const struct wr_name *name)
{
	seq_printf(m, "name:\t%s",
		   name->flags & WINREGION_NAME_GLOBAL ? "Global\\" :
							 "Local\\");
	seq_escape_mem(m, name->text, name->length,
		       ESCAPE_NAP | ESCAPE_OCTAL | ESCAPE_APPEND, "\\");
	seq_printf(m, "\nowner:\t%u\nothers:\t0x%x\n",
		   from_kuid_munged(seq_user_ns(m), name->owner), name->others);
}

/* What nobody has to be asked for: see status.c. */
static void handle_show(struct seq_file *m, struct file *file)
{
	struct wr_handle *handle = file->private_data;
	struct wr_section *section = handle->section;
	unsigned long committed;

	seq_printf(m, "section:\t%s\n",
		   section->image  ? "image" :
		   section->paging ? "memory" :
				     "file");
	seq_printf(m, "access:\t0x%x\nprotection:\t0x%x\nflags:\t0x%x\n",
		   handle->access, section->protection, section->flags);
	seq_printf(m, "size:\t%llu bytes\n", READ_ONCE(section->size));
	spin_lock(&section->pagefile.lock);
	committed = wr_pagefile_used(&section->pagefile);
	spin_unlock(&section->pagefile.lock);
	wr_status_show_pages(m, "committed", committed);
	if (!section->paging) {
		seq_puts(m, "file:\t");
		seq_file_path(m, section->reader, " \t\n\\");
		seq_putc(m, '\n');
	}
	if (handle->name)
		show_name(m, handle->name);
}

static const struct file_operations handle_operations = {
	.owner = THIS_MODULE,
	.show_fdinfo = handle_show,
	.unlocked_ioctl = handle_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = handle_release,
	.llseek = noop_llseek,
};

/* Takes over the caller's references to both, also if it fails. */
static struct file *make_handle(struct wr_section *section,
				struct wr_name *name, u32 access)
{
	struct wr_handle *handle;
	struct file *file;

	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle) {
		put_section(section, name);
		return ERR_PTR(-ENOMEM);
	}
	handle->section = section;
	handle->name = name;
	handle->access = access;
	file = anon_inode_getfile("[winregion-section]", &handle_operations,
				  handle, O_RDWR);
	if (IS_ERR(file)) {
		put_section(section, name);
		kfree(handle);
	}
	return file;
}

/* Of the section that has the name, the caller's reference to which it takes over. */
static struct file *make_handle_by_name(struct wr_name *name, u32 access)
{
	wr_section_get(name->section);
	return make_handle(name->section, name, access);
}

/* Tells the program the number that @file gets, which is the last that can fail. */
static int install(struct file *file, __s32 __user *user)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	int err = fd < 0 ? fd : 0;

	if (!err && put_user(fd, user)) {
		put_unused_fd(fd);
		err = -EFAULT;
	}
	if (err)
		fput(file);
	else
		fd_install(fd, file);
	return err;
}

/* ---- WINREGION_CREATE_SECTION ---- */

#define CREATE_FLAGS \
	(WINREGION_SECTION_RESERVE | WINREGION_SECTION_NOCACHE | \
	 WINREGION_SECTION_WRITECOMBINE | WINREGION_SECTION_IMAGE)
/* Addresses in an image have 32 bits. */
#define MAX_IMAGE SZ_2G

#define CREATE_NAME_FLAGS \
	(WINREGION_NAME_GLOBAL | WINREGION_NAME_NEW | WINREGION_NAME_EXISTING)

/* The pieces of an image, which are the program's to tell. */
static int parse_image(struct winregion_create_section *args,
		       struct wr_section_request *request)
{
	struct wr_image *image;

	if (args->__reserved)
		return -EINVAL;
	if (!(args->flags & WINREGION_SECTION_IMAGE))
		return args->pieces || args->nr_pieces ? -EINVAL : 0;
	if (args->flags != WINREGION_SECTION_IMAGE || args->file < 0 ||
	    !args->length || args->length > MAX_IMAGE)
		return -EINVAL;
	request->size = PAGE_ALIGN(args->length);
	image = wr_image_read(args->pieces, args->nr_pieces, request->size,
			      request->rights);
	if (IS_ERR(image))
		return PTR_ERR(image);
	request->image = image;
	/* Others who have the image write what all write. */
	if (args->others & WINREGION_SECTION_MAP_READ &&
	    !(args->others & WINREGION_SECTION_MAP_WRITE) &&
	    wr_image_is_written(image))
		return -EINVAL;
	return 0;
}

static int parse_create(struct winregion_create_section *args,
			struct wr_section_request *request)
{
	if (args->flags & ~CREATE_FLAGS ||
	    args->access & ~WINREGION_SECTION_ALL ||
	    args->name_flags & ~CREATE_NAME_FLAGS ||
	    args->others & ~WINREGION_SECTION_ALL)
		return -EOPNOTSUPP;
	request->rights = wr_protection_rights(args->protection);
	if (!request->rights)
		return -EDOM;
	request->protection = args->protection;
	request->flags = args->flags;
	request->size = args->length;
	if (args->file < -1 || (args->file < 0 && !args->length))
		return -EINVAL;
	return parse_image(args, request);
}

#define WITH_NAME_SIZE offsetofend(struct winregion_create_section, out_existed)

/* Its name, where it can have one; it is NULL or an error otherwise. */
static struct wr_name *read_name(struct winregion_create_section *args)
{
	const u32 both = WINREGION_NAME_NEW | WINREGION_NAME_EXISTING;

	if (!args->name) {
		if (args->name_length || args->name_flags || args->others)
			return ERR_PTR(-EINVAL);
		return NULL;
	}
	/* Not in the structure as it was once. */
	if (args->size < WITH_NAME_SIZE || (args->name_flags & both) == both)
		return ERR_PTR(-EINVAL);
	/* There is nobody else in a user's own names. */
	if (!(args->name_flags & WINREGION_NAME_GLOBAL))
		args->others = 0;
	return wr_name_read(args->name, args->name_length, args->name_flags,
			    args->others);
}

/* A number for @file, of which the program is told, or an error */
static int prepare(struct winregion_create_section *args, struct file *file,
		   struct winregion_create_section __user *user, bool existed)
{
	struct wr_handle *handle = file->private_data;
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	if (!put_user(fd, &user->out_fd) &&
	    !put_user(wr_section_size(handle->section), &user->length) &&
	    !(args->name && put_user((u32)existed, &user->out_existed)))
		return fd;
	put_unused_fd(fd);
	return -EFAULT;
}

/* Whether a section that is there is the image that is asked for, if one is. */
static int check_image(const struct wr_name *existing,
		       const struct wr_image *image, struct file *file)
{
	const struct wr_section *there = existing->section;

	if (!image)
		return 0;
	if (!there->image)
		return -ENOTUNIQ;
	return wr_image_compare(there->image, there->mapping, image, file);
}

/*
 * The section that has the name, if @err is none. Takes over the caller's reference to
 * it.
 */
static int give_existing(struct winregion_create_section *args,
			 struct wr_name *name, int err,
			 struct winregion_create_section __user *user)
{
	struct file *file;
	int fd;

	if (err) {
		wr_name_put(name);
		return err;
	}
	file = make_handle_by_name(name, args->access);
	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = prepare(args, file, user, true);
	if (fd < 0)
		fput(file);
	else
		fd_install(fd, file);
	return min(fd, 0);
}

/* The program is told of nothing that is not there. */
static void take_back(struct winregion_create_section *args,
		      struct winregion_create_section __user *user)
{
	put_user(args->out_fd, &user->out_fd);
	put_user(args->length, &user->length);
	put_user(args->out_existed, &user->out_existed);
}

/* What a section that is there has to be at least */
static struct wr_wanted wanted_of(struct winregion_create_section *args)
{
	return (struct wr_wanted){
		.size = args->length,
		.flags = args->flags,
		.access = args->access,
	};
}

/* The last step, and the first that others can see. Takes over @file and @fd. */
static int give_new(struct winregion_create_section *args,
		    struct wr_section_request *request, struct file *file,
		    int fd, struct winregion_create_section __user *user)
{
	struct wr_handle *handle = file->private_data;
	struct wr_wanted section = wanted_of(args);
	struct wr_name *existing = NULL;
	int err = 0;

	if (handle->name)
		existing =
			wr_name_give(handle->name, handle->section, &section);
	if (!existing) {
		fd_install(fd, file);
		return 0;
	}
	put_unused_fd(fd);
	if (!IS_ERR(existing))
		err = check_image(existing, handle->section->image,
				  request->file);
	fput(file);
	if (IS_ERR(existing))
		err = PTR_ERR(existing);
	else
		err = give_existing(args, existing, err, user);
	if (err)
		take_back(args, user);
	return err;
}

/* Takes over the caller's reference to the name, which can be NULL. */
static int create(struct winregion_create_section *args,
		  struct wr_section_request *request, struct wr_name *name,
		  struct winregion_create_section __user *user)
{
	struct wr_section *section = wr_section_create(request);
	struct file *file;
	int fd;

	if (IS_ERR(section)) {
		if (name)
			wr_name_put(name);
		return PTR_ERR(section);
	}
	file = make_handle(section, name, args->access);
	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = prepare(args, file, user, false);
	if (fd >= 0)
		return give_new(args, request, file, fd, user);
	fput(file);
	return fd;
}

static int create_named(struct winregion_create_section *args,
			struct wr_section_request *request,
			struct wr_name *name,
			struct winregion_create_section __user *user)
{
	struct wr_wanted section = wanted_of(args);
	struct wr_name *existing = wr_name_existing(name, &section);

	if (!existing && !(args->name_flags & WINREGION_NAME_EXISTING))
		return create(args, request, name, user);
	wr_name_put(name);
	if (!existing)
		return -ESRCH;
	if (IS_ERR(existing))
		return PTR_ERR(existing);
	return give_existing(args, existing,
			     check_image(existing, request->image,
					 request->file),
			     user);
}

static int create_any(struct winregion_create_section *args,
		      struct wr_section_request *request,
		      struct winregion_create_section __user *user)
{
	struct wr_name *name = read_name(args);

	if (IS_ERR(name))
		return PTR_ERR(name);
	if (name)
		return create_named(args, request, name, user);
	return create(args, request, NULL, user);
}

#define FIRST_CREATE_SIZE offsetofend(struct winregion_create_section, length)

static int ioc_create(void __user *argp)
{
	struct winregion_create_section args;
	struct wr_section_request request = {};
	int err;

	err = read_args_of(&args, argp, sizeof(args), FIRST_CREATE_SIZE);
	if (!err)
		err = parse_create(&args, &request);
	if (!err && args.file >= 0) {
		request.file = fget(args.file);
		if (!request.file)
			err = -EBADF;
	}
	if (!err)
		err = create_any(&args, &request, argp);
	if (request.file)
		fput(request.file);
	wr_image_free(request.image);
	return err;
}

/* ---- WINREGION_OPEN_SECTION ---- */

static int parse_owner(struct winregion_open_section *args, kuid_t *owner)
{
	*owner = INVALID_UID;
	if (!(args->flags & WINREGION_NAME_OWNER))
		return args->owner ? -EINVAL : 0;
	*owner = make_kuid(current_user_ns(), args->owner);
	return uid_valid(*owner) ? 0 : -EINVAL;
}

static struct wr_name *find_name(struct winregion_open_section *args)
{
	struct wr_name *wanted, *name;
	kuid_t owner;
	int err;

	if (args->flags & ~(WINREGION_NAME_GLOBAL | WINREGION_NAME_OWNER) ||
	    args->access & ~WINREGION_SECTION_ALL)
		return ERR_PTR(-EOPNOTSUPP);
	err = parse_owner(args, &owner);
	if (err)
		return ERR_PTR(err);
	wanted = wr_name_read(args->name, args->name_length, args->flags, 0);
	if (IS_ERR(wanted))
		return wanted;
	name = wr_name_open(wanted, args->access, owner);
	wr_name_put(wanted);
	return name;
}

static int ioc_open(void __user *argp)
{
	struct winregion_open_section __user *user = argp;
	struct winregion_open_section args;
	struct wr_name *name;
	struct file *file;
	int err;

	err = read_args(&args, argp, sizeof(args));
	if (err)
		return err;
	name = find_name(&args);
	if (IS_ERR(name))
		return PTR_ERR(name);
	file = make_handle_by_name(name, args.access);
	if (IS_ERR(file))
		return PTR_ERR(file);
	return install(file, &user->out_fd);
}

/* ---- WINREGION_MAP_VIEW ---- */

static int parse_protection(struct winregion_map_view *args,
			    struct wr_view_request *request)
{
	int err = wr_protection_state(args->protection, &request->state);

	if (err)
		return err;
	request->protection = wr_protection_sticky(args->protection);
	if (request->protection & ~(0xff | WINREGION_GUARD))
		return -EDOM;
	return 0;
}

static bool limits_are_valid(struct mm_struct *mm,
			     struct winregion_map_view *args)
{
	const u64 last = wr_highest_of(mm);
	u64 highest = args->highest ? args->highest : last;

	return IS_ALIGNED(args->lowest, WINREGION_GRANULARITY) &&
	       IS_ALIGNED(highest + 1, PAGE_SIZE) && highest <= last &&
	       args->lowest <= highest;
}

#define VIEW_FLAGS \
	(WINREGION_VIEW_TOP_DOWN | WINREGION_VIEW_REPLACE | \
	 WINREGION_VIEW_RESERVE | WINREGION_VIEW_IMAGE)

/* Where the image is that it will be a part of; nowhere if it shows the bytes. */
static int parse_part(struct winregion_map_view *args,
		      struct wr_view_request *request)
{
	if (!(args->flags & WINREGION_VIEW_IMAGE))
		return args->image ? -EINVAL : 0;
	request->bytes = !args->image;
	if (request->bytes)
		return 0;
	if (args->flags != (WINREGION_VIEW_IMAGE | WINREGION_VIEW_REPLACE) ||
	    !IS_ALIGNED(args->image, WINREGION_GRANULARITY) ||
	    args->image > args->address ||
	    args->address - args->image != args->offset)
		return -EINVAL;
	request->image = wr_index(args->image);
	request->protection = WINREGION_EXECUTE_WRITECOPY;
	return 0;
}

static int parse_map(struct mm_struct *mm, struct winregion_map_view *args,
		     struct wr_view_request *request)
{
	u64 unit;
	int err;

	if (args->flags & ~VIEW_FLAGS)
		return -EOPNOTSUPP;
	request->grows = args->flags & WINREGION_VIEW_RESERVE;
	request->replace = args->flags & WINREGION_VIEW_REPLACE;
	unit = request->replace ? PAGE_SIZE : WINREGION_GRANULARITY;
	request->bound = args->lowest || args->highest;
	if ((args->address && request->bound) || !limits_are_valid(mm, args) ||
	    (args->offset | args->address) & (unit - 1) ||
	    (request->replace && !args->address))
		return -EINVAL;
	err = parse_protection(args, request);
	if (!err)
		err = parse_part(args, request);
	if (err)
		return err;
	if (args->address &&
	    (args->address < wr_lowest() || args->address > wr_highest_of(mm)))
		return -EADDRNOTAVAIL;
	request->fixed = args->address;
	request->first = wr_index(args->address);
	request->top_down = args->flags & WINREGION_VIEW_TOP_DOWN;
	request->lowest = max_t(u64, args->lowest, wr_lowest());
	request->highest = args->highest ? args->highest : wr_highest_of(mm);
	request->offset = args->offset;
	request->length = args->length;
	request->commit = args->commit;
	return 0;
}

/* Whether a view may be larger than the section. Rules: MV-41 to MV-43. */
static int check_grows(struct wr_section *section)
{
	if (section->paging)
		return -EINVAL;
	return section->rights & WR_WRITE ? 0 : -EKEYREJECTED;
}

/* What the descriptor, and the section, must allow. */
static int check_access(struct wr_handle *handle,
			struct wr_view_request *request)
{
	u8 rights = wr_view_rights(request->state);
	u32 needed = rights & WR_WRITE ? WINREGION_SECTION_MAP_WRITE :
					 WINREGION_SECTION_MAP_READ;

	if (rights & WR_EXEC)
		needed |= WINREGION_SECTION_MAP_EXECUTE;
	/* To have an image is to have its pieces as they are meant: see parse_image(). */
	if (request->image)
		needed = WINREGION_SECTION_MAP_READ;
	if ((request->image || request->bytes) != !!handle->section->image)
		return -EMEDIUMTYPE;
	if (~handle->access & needed || rights & ~handle->section->rights)
		return -EKEYREJECTED;
	if (request->grows)
		return check_grows(handle->section);
	return request->commit && !handle->section->paging ? -EINVAL : 0;
}

/* Where a view comes or goes: the caller's address space, or another process's */
struct view_in {
	struct mm_struct *mm;
	bool remote;
};

struct map_in {
	struct view_in in;
	struct wr_section *section;
	struct wr_view_request request;
};

struct unmap_in {
	struct view_in in;
	pgoff_t first;
	unsigned long pages;
	bool keep;
};

static int map(void *data)
{
	struct map_in *map = data;
	struct wr_space *space = wr_space_get_for(map->in.mm);
	int err;

	if (!space)
		return -ENOMEM;
	err = wr_view_map(space, map->section, &map->request);
	wr_space_put(space);
	return err;
}

static int unmap(void *data)
{
	struct unmap_in *unmap = data;
	struct wr_space *space = wr_space_find(unmap->in.mm);
	int err;

	if (!space)
		return -ENOENT;
	err = wr_view_unmap(space, &unmap->first, &unmap->pages, 0,
			    unmap->keep);
	wr_space_put(space);
	return err;
}

static int undo(void *data)
{
	struct map_in *map = data;
	struct wr_space *space = wr_space_find(map->in.mm);

	if (!space)
		return 0;
	wr_view_undo(space, &map->request);
	wr_space_put(space);
	return 0;
}

static int hold_section(void *copy)
{
	struct map_in *map = copy;

	wr_section_get(map->section);
	return 0;
}

static void drop_section(void *copy)
{
	struct map_in *map = copy;

	wr_section_put(map->section);
}

static const struct wr_remote_ops map_ops = {
	.act = map,
	.size = sizeof(struct map_in),
	.hold = hold_section,
	.drop = drop_section,
};

static const struct wr_remote_ops undo_ops = {
	.act = undo,
	.size = sizeof(struct map_in),
	.hold = hold_section,
	.drop = drop_section,
};

static const struct wr_remote_ops unmap_ops = {
	.act = unmap,
	.size = sizeof(struct unmap_in),
};

static int map_in(const struct view_in *in, struct wr_handle *handle,
		  struct winregion_map_view *args,
		  struct winregion_map_view __user *user)
{
	struct map_in request = { .in = *in, .section = handle->section };
	int err;

	err = parse_map(in->mm, args, &request.request);
	if (!err)
		err = check_access(handle, &request.request);
	if (err)
		return err;
	if (handle->section->flags & WINREGION_SECTION_NOCACHE)
		request.request.protection |= WINREGION_NOCACHE;
	err = wr_remote_or_here(in->mm, in->remote, &map_ops, &request);
	if (err)
		return err;
	if (!put_user((u64)wr_address(request.request.first), &user->address) &&
	    !put_user(request.request.length, &user->length))
		return 0;
	wr_remote_or_here(in->mm, in->remote, &undo_ops, &request);
	return -EFAULT;
}

#define FIRST_MAP_SIZE offsetofend(struct winregion_map_view, highest)

static int ioc_map(struct wr_handle *handle, void __user *argp)
{
	const struct view_in in = { .mm = current->mm };
	struct winregion_map_view args;
	int err;

	err = read_args_of(&args, argp, sizeof(args), FIRST_MAP_SIZE);
	if (err)
		return err;
	/* What the descriptor of a process would be told */
	if (args.section)
		return -EINVAL;
	return map_in(&in, handle, &args, argp);
}

static int map_section(const struct view_in *in, void __user *argp)
{
	struct winregion_map_view args;
	struct file *file;
	int err;

	err = read_args_of(&args, argp, sizeof(args), FIRST_MAP_SIZE);
	if (err)
		return err;
	file = fget(args.section);
	if (!file)
		return -EBADF;
	if (file->f_op == &handle_operations)
		err = map_in(in, file->private_data, &args, argp);
	else
		err = -EBADF;
	fput(file);
	return err;
}

/* ---- WINREGION_UNMAP_VIEW, WINREGION_FLUSH_VIEW ---- */

static int check_address(struct mm_struct *mm, u64 address)
{
	if (address < wr_lowest() || address > wr_highest_of(mm))
		return -EADDRNOTAVAIL;
	return 0;
}

static int ioc_unmap(const struct view_in *in, void __user *argp)
{
	struct winregion_unmap_view __user *user = argp;
	struct unmap_in request = { .in = *in };
	struct winregion_unmap_view args;
	int err;

	err = read_args(&args, argp, sizeof(args));
	if (err)
		return err;
	if (args.flags & ~WINREGION_UNMAP_PRESERVE)
		return -EOPNOTSUPP;
	err = check_address(in->mm, args.address);
	if (err)
		return err;
	request.first = wr_index(args.address);
	request.keep = args.flags & WINREGION_UNMAP_PRESERVE;
	err = wr_remote_or_here(in->mm, in->remote, &unmap_ops, &request);
	if (err)
		return err;
	/* It may lie in what is gone now; and done is done. */
	put_user((u64)wr_address(request.first), &user->address);
	put_user((u64)wr_address(request.pages), &user->out_length);
	return 0;
}

static int flush_in_mm(u64 address, u64 length)
{
	struct wr_space *space = wr_space_find(current->mm);
	int err;

	if (!space)
		return -ENOENT;
	err = wr_view_flush(space, address, length);
	wr_space_put(space);
	return err;
}

static int ioc_flush(void __user *argp)
{
	struct winregion_flush_view args;
	int err;

	err = read_args_plain(&args, argp, sizeof(args), sizeof(args));
	if (err)
		return err;
	err = check_address(current->mm, args.address);
	if (!err)
		err = flush_in_mm(args.address, args.length);
	if (!err || err == -ENOENT || err == -EXDEV || err == -EADDRNOTAVAIL)
		return err;
	return -EIO;
}

/* ---- WINREGION_QUERY_FILE ---- */

static int ioc_query_file(void __user *argp)
{
	struct winregion_query_file args;
	struct file *file;
	int err;

	err = read_args_plain(&args, argp, sizeof(args), sizeof(args));
	if (err)
		return err;
	if (args.__reserved)
		return -EINVAL;
	file = fget(args.file);
	if (!file)
		return -EBADF;
	args.out_length = wr_section_mapped_size(file);
	fput(file);
	return copy_to_user(argp, &args, sizeof(args)) ? -EFAULT : 0;
}

/* ---- ioctls of a descriptor ---- */

#define FIRST_QUERY_SIZE offsetofend(struct winregion_query_section, out_inode)

static void query_name(struct wr_name *name,
		       struct winregion_query_section *args)
{
	args->out_flags |= WINREGION_SECTION_NAMED;
	args->out_owner = from_kuid(current_user_ns(), name->owner);
	args->out_others = name->others;
}

/* As stat() does, which some file systems answer by other numbers than the inode's. */
static int query_file(struct wr_section *section,
		      struct winregion_query_section *args)
{
	struct kstat stat;

	if (vfs_getattr(&section->reader->f_path, &stat, STATX_INO,
			AT_STATX_DONT_SYNC))
		return -EIO;
	args->out_flags |= WINREGION_SECTION_FILE;
	args->out_device = new_encode_dev(stat.dev);
	args->out_inode = stat.ino;
	return 0;
}

static int ioc_query(struct wr_handle *handle, void __user *argp)
{
	struct wr_section *section = handle->section;
	struct winregion_query_section args;
	u32 size;
	int err;

	err = read_args_plain(&args, argp, sizeof(args), FIRST_QUERY_SIZE);
	if (err)
		return err;
	if (!(handle->access & WINREGION_SECTION_QUERY))
		return -EKEYREJECTED;
	args = (struct winregion_query_section){
		.size = args.size,
		.out_flags = section->flags,
		.out_protection = section->protection,
		.out_access = handle->access,
		.out_length = wr_section_size(section),
	};
	if (!section->paging)
		err = query_file(section, &args);
	if (err)
		return err;
	if (handle->name)
		query_name(handle->name, &args);
	size = min_t(u32, args.size, sizeof(args));
	return copy_to_user(argp, &args, size) ? -EFAULT : 0;
}

static int ioc_extend(struct wr_handle *handle, void __user *argp)
{
	struct winregion_extend_section args;
	int err;

	err = read_args_plain(&args, argp, sizeof(args), sizeof(args));
	if (err)
		return err;
	if (!(handle->access & WINREGION_SECTION_EXTEND))
		return -EKEYREJECTED;
	return wr_section_extend(handle->section, args.length);
}

static int ioc_duplicate(struct wr_handle *handle, void __user *argp)
{
	struct winregion_duplicate_section __user *user = argp;
	struct winregion_duplicate_section args;
	struct file *file;
	int err;

	err = read_args_plain(&args, argp, sizeof(args), sizeof(args));
	if (err)
		return err;
	if (args.access & ~WINREGION_SECTION_ALL)
		return -EOPNOTSUPP;
	if (args.access & ~handle->access)
		return -EKEYREJECTED;
	wr_section_get(handle->section);
	if (handle->name)
		wr_name_get(handle->name);
	file = make_handle(handle->section, handle->name, args.access);
	if (IS_ERR(file))
		return PTR_ERR(file);
	return install(file, &user->out_fd);
}

static long call_handle(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct wr_handle *handle = file->private_data;
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case WINREGION_MAP_VIEW:
		return ioc_map(handle, argp);
	case WINREGION_QUERY_SECTION:
		return ioc_query(handle, argp);
	case WINREGION_EXTEND_SECTION:
		return ioc_extend(handle, argp);
	case WINREGION_DUPLICATE_SECTION:
		return ioc_duplicate(handle, argp);
	default:
		return -ENOTTY;
	}
}

static long handle_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (trace_wr_call_enabled())
		return wr_trace_ioctl(file, cmd, arg, call_handle);
	return call_handle(file, cmd, arg);
}

/**
 * wr_handle_device - the ioctls of /dev/winregion about sections and views
 * @cmd: WINREGION_*
 * @argp: user pointer to the argument
 *
 * Return: 0, or one of the errors that the uapi header lists.
 */
long wr_handle_device(unsigned int cmd, void __user *argp)
{
	const struct view_in in = { .mm = current->mm };

	switch (cmd) {
	case WINREGION_CREATE_SECTION:
		return ioc_create(argp);
	case WINREGION_OPEN_SECTION:
		return ioc_open(argp);
	case WINREGION_UNMAP_VIEW:
		return ioc_unmap(&in, argp);
	case WINREGION_FLUSH_VIEW:
		return ioc_flush(argp);
	case WINREGION_QUERY_FILE:
		return ioc_query_file(argp);
	default:
		return -ENOTTY;
	}
}

/**
 * wr_handle_remote - the ioctls about views of another process
 * @mm: its address space, which may be changed; the caller has a reference that keeps
 *	it in use
 * @cmd: WINREGION_*
 * @argp: user pointer to the argument
 *
 * Return: 0, or one of the errors that the uapi header lists.
 */
long wr_handle_remote(struct mm_struct *mm, unsigned int cmd, void __user *argp)
{
	const struct view_in in = { .mm = mm, .remote = true };

	switch (cmd) {
	case WINREGION_MAP_VIEW:
		return map_section(&in, argp);
	case WINREGION_UNMAP_VIEW:
		return ioc_unmap(&in, argp);
	default:
		return -ENOTTY;
	}
}
