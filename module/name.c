// SPDX-License-Identifier: GPL-2.0
/*
 * Names of sections.
 *
 * A name is one of an IPC namespace, and its descriptors keep it: who closes the
 * last one of a section, or is killed with it, ends the name, though views go on. It
 * is taken out of the tree under the lock that lookups take, so what is found there
 * has a descriptor; and it is put in as the last thing of all, when nothing can fail
 * any more, so that no name is left of a call that has failed.
 *
 * In the tree a name is somebody's. Whoever looks for one finds his own, and of those
 * of all users (WINREGION_NAME_GLOBAL) then that of root, then the one that users
 * share. So nobody can take a name before somebody else needs it, in order to have
 * his data, or to keep him from it:
 *
 * - A name for its owner alone is a name of its owner's, and another user's cannot be
 *   in its way.
 * - Root's names are root's, and are found before those that users share.
 * - Of the latter there is one each. A user who wants one that another has made gets
 *   it only if everybody was to read and write it anyway, which is as bad; else an
 *   error.
 * - Who opens a name that all users may have takes what he finds. He can say whose it
 *   has to be, or ask.
 *
 * "Root" is who that is in the user namespace of the IPC namespace, for those in it.
 *
 * A tree and no table: any number of names of one user makes a lookup of another a few
 * steps longer, and putting one in cannot fail.
 */
#include <linux/cred.h>
#include <linux/ipc_namespace.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/proc_ns.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include <linux/winregion.h>

#include "name.h"
#include "section.h"

static struct rb_root names = RB_ROOT;
static DEFINE_MUTEX(names_lock);

/* ---- namespaces ---- */

/* A kernel without IPC has none. */
static struct ipc_namespace *get_ipc(void)
{
	struct ipc_namespace *ipc = current->nsproxy->ipc_ns;

	return ipc ? get_ipc_ns(ipc) : NULL;
}

/* As nsfs does it: put_ipc_ns() is not exported everywhere. */
static void put_ipc(struct ipc_namespace *ipc)
{
	if (ipc && ipc->ns.ops)
		ipc->ns.ops->put(&ipc->ns);
}

static struct user_namespace *users_of(struct ipc_namespace *ipc)
{
	return ipc ? ipc->user_ns : &init_user_ns;
}

static kuid_t root_of(struct ipc_namespace *ipc)
{
	return make_kuid(users_of(ipc), 0);
}

/* ---- names ---- */

static int fill_name(struct wr_name *name, u64 text)
{
	if (copy_from_user(name->text, u64_to_user_ptr(text), name->length))
		return -EFAULT;
	RB_CLEAR_NODE(&name->node);
	refcount_set(&name->users, 1);
	name->owner = current_euid();
	name->ipc = get_ipc();
	return 0;
}

/**
 * wr_name_read - the name that a program tells
 * @text: user pointer to its bytes
 * @length: how many they are
 * @flags: WINREGION_NAME_*
 * @others: WINREGION_SECTION_* that other users are to get
 *
 * Return: the name with a reference, in no tree, or an error pointer: -EINVAL,
 * -ENAMETOOLONG, -EFAULT, -ENOMEM.
 */
struct wr_name *wr_name_read(u64 text, u32 length, u32 flags, u32 others)
{
	struct wr_name *name;
	int err;

	if (!length)
		return ERR_PTR(-EINVAL);
	if (length > WINREGION_MAX_NAME)
		return ERR_PTR(-ENAMETOOLONG);
	name = kzalloc(struct_size(name, text, length), GFP_KERNEL_ACCOUNT);
	if (!name)
		return ERR_PTR(-ENOMEM);
	name->flags = flags;
	name->others = others;
	name->length = length;
	err = fill_name(name, text);
	if (!err)
		return name;
	kfree(name);
	return ERR_PTR(err);
}

/* The caller has a reference already. */
void wr_name_get(struct wr_name *name)
{
	refcount_inc(&name->users);
}

/* The last reference ends the name at once. */
void wr_name_put(struct wr_name *name)
{
	if (!refcount_dec_and_mutex_lock(&name->users, &names_lock))
		return;
	if (!RB_EMPTY_NODE(&name->node))
		rb_erase(&name->node, &names);
	mutex_unlock(&names_lock);
	if (name->section)
		wr_section_put(name->section);
	put_ipc(name->ipc);
	kfree(name);
}

/* ---- the tree ---- */

static int compare_numbers(unsigned long a, unsigned long b)
{
	return a < b ? -1 : a > b;
}

static int compare(const struct wr_name *a, const struct wr_name *b)
{
	int ret = compare_numbers((unsigned long)a->ipc, (unsigned long)b->ipc);

	if (!ret)
		ret = compare_numbers(a->flags & WINREGION_NAME_GLOBAL,
				      b->flags & WINREGION_NAME_GLOBAL);
	if (!ret)
		ret = compare_numbers(__kuid_val(a->holder),
				      __kuid_val(b->holder));
	if (!ret)
		ret = compare_numbers(a->length, b->length);
	return ret ? ret : memcmp(a->text, b->text, a->length);
}

static int compare_nodes(const void *wanted, const struct rb_node *node)
{
	return compare(wanted, rb_entry(node, struct wr_name, node));
}

static bool is_less(struct rb_node *a, const struct rb_node *b)
{
	return compare_nodes(rb_entry(a, struct wr_name, node), b) < 0;
}

static struct wr_name *find_of(struct wr_name *wanted, kuid_t holder)
{
	struct rb_node *node;

	lockdep_assert_held(&names_lock);
	wanted->holder = holder;
	node = rb_find(wanted, &names, compare_nodes);
	return node ? rb_entry(node, struct wr_name, node) : NULL;
}

/* What the name means to who looks for it */
static struct wr_name *find(struct wr_name *wanted)
{
	struct wr_name *name = find_of(wanted, wanted->owner);

	if (name || !(wanted->flags & WINREGION_NAME_GLOBAL))
		return name;
	name = find_of(wanted, root_of(wanted->ipc));
	return name ? name : find_of(wanted, INVALID_UID);
}

static struct wr_name *grant(struct wr_name *wanted, struct wr_name *name,
			     u32 access)
{
	u32 granted = name->others;

	if (uid_eq(name->owner, wanted->owner))
		granted = WINREGION_SECTION_ALL;
	if (access & ~granted || !granted)
		return ERR_PTR(-EKEYREJECTED);
	wr_name_get(name);
	return name;
}

/**
 * wr_name_open - find the section that has a name
 * @wanted: the name
 * @access: WINREGION_SECTION_* that it has to be opened for
 * @owner: whose it has to be, or INVALID_UID
 *
 * Return: the name, which has a section, with a reference; or -ESRCH, -EKEYREJECTED.
 */
struct wr_name *wr_name_open(struct wr_name *wanted, u32 access, kuid_t owner)
{
	struct wr_name *name;

	mutex_lock(&names_lock);
	name = find(wanted);
	if (!name || (uid_valid(owner) && !uid_eq(owner, name->owner)))
		name = ERR_PTR(-ESRCH);
	else
		name = grant(wanted, name, access);
	mutex_unlock(&names_lock);
	return name;
}

/* ---- names of new sections ---- */

/* Whose memory the caller can as well have for his own */
static bool is_trusted(struct wr_name *wanted, struct wr_name *name)
{
	if (uid_eq(name->owner, wanted->owner))
		return true;
	return uid_eq(name->owner, root_of(wanted->ipc)) &&
	       current_in_userns(users_of(wanted->ipc));
}

/* Everybody was to read and write it. */
static bool is_everybodys(struct wr_name *wanted)
{
	const u32 all = WINREGION_SECTION_MAP_READ |
			WINREGION_SECTION_MAP_WRITE;

	return (wanted->others & all) == all;
}

/*
 * Whether a stranger's section is as good as the one that would be made. Not that of a
 * file: he can cut it, and the pages of some come when he likes.
 */
static bool is_as_good(const struct wr_section *section,
		       const struct wr_wanted *wanted)
{
	const u32 kinds = WINREGION_SECTION_RESERVE | WINREGION_SECTION_IMAGE;

	return section->paging && !(section->flags & ~wanted->flags & kinds) &&
	       section->size >= wanted->size;
}

/* Whose a new name is */
static kuid_t holder_of(struct wr_name *name)
{
	if (!(name->flags & WINREGION_NAME_GLOBAL) || !name->others ||
	    uid_eq(name->owner, root_of(name->ipc)))
		return name->owner;
	return INVALID_UID;
}

/* What is in the place of a new name: it, NULL, or an error */
static struct wr_name *find_existing(struct wr_name *wanted,
				     const struct wr_wanted *section)
{
	struct wr_name *name = find(wanted);

	if (name && !is_trusted(wanted, name) &&
	    !(is_everybodys(wanted) && is_as_good(name->section, section))) {
		/* One of the owner's own can be beside it. */
		if (uid_valid(holder_of(wanted)))
			return NULL;
		return ERR_PTR(-EKEYREJECTED);
	}
	if (name && wanted->flags & WINREGION_NAME_NEW)
		return ERR_PTR(-ENOTUNIQ);
	return name ? grant(wanted, name, section->access) : NULL;
}

/**
 * wr_name_existing - whether there is something that a new section would be instead of
 * @wanted: the name of the new one
 * @section: what that would be
 *
 * Return: the name of the section that is there, with a reference; NULL if there is
 * none; or -EKEYREJECTED, -ENOTUNIQ.
 */
struct wr_name *wr_name_existing(struct wr_name *wanted,
				 const struct wr_wanted *section)
{
	struct wr_name *name;

	mutex_lock(&names_lock);
	name = find_existing(wanted, section);
	mutex_unlock(&names_lock);
	return name;
}

/**
 * wr_name_give - give a new section its name
 * @name: the name; who has a reference to it has a descriptor of the section
 * @section: the section
 * @wanted: what it was to be
 *
 * Return: NULL if it has the name now, else as wr_name_existing().
 */
struct wr_name *wr_name_give(struct wr_name *name, struct wr_section *section,
			     const struct wr_wanted *wanted)
{
	struct wr_name *existing;

	mutex_lock(&names_lock);
	existing = find_existing(name, wanted);
	if (!existing) {
		wr_section_get(section);
		name->section = section;
		name->holder = holder_of(name);
		rb_add(&name->node, &names, is_less);
	}
	mutex_unlock(&names_lock);
	return existing;
}
