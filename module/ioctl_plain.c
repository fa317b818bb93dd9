// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that programs make most, for one range or address and without flags:
 * each is one function, from its argument to its answer, where that is easy.
 * Whatever is not like that, errors included, is done anew by the table, so the
 * order of checks is written once.
 */
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "query.h"
#include "quick.h"
#include "states.h"

/* The first word of an argument: its size, and no flags. */
static inline u64 plain_head(u32 size)
{
	return IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) ? (u64)size << 32 : size;
}

/* ---- changes ---- */

/*
 * Reads what is one range without flags. No address that a region can contain
 * is out of bounds, so that need not be looked at. Return: whether it is.
 */
static __always_inline bool read_change(enum wr_op op,
					struct winregion_change __user *user,
					struct wr_change *change)
{
	u64 __user *words = (u64 __user *)user;
	u64 head, more, ranges, address, length;
	u32 protection;

	if (!user_read_access_begin(user, sizeof(*user)))
		return false;
	unsafe_get_user(head, &words[0], fault);
	unsafe_get_user(more, &words[1], fault);
	unsafe_get_user(ranges, &user->ranges, fault);
	unsafe_get_user(address, &user->range.address, fault);
	unsafe_get_user(length, &user->range.length, fault);
	unsafe_get_user(protection, &user->range.protection, fault);
	user_read_access_end();
	if (head != plain_head(sizeof(*user)) || more | ranges)
		return false;
	if (--length >= PMD_SIZE)
		return false;
	change->first = address >> PAGE_SHIFT;
	change->end = ((address + length) >> PAGE_SHIFT) + 1;
	if (op == WR_DECOMMIT) {
		change->state = 0;
		return !protection;
	}
	change->state = wr_protection_alone(protection);
	return change->state;
fault:
	user_read_access_end();
	return false;
}

static __always_inline enum wr_quick revoke(struct wr_change *change)
{
	struct wr_protected answer;

	answer = wr_quick_revoke(current->mm, change->first, change->end,
				 change->state);
	change->old_protection = answer.old;
	return answer.done ? WR_DONE : WR_HARD;
}

static __always_inline long change_plain(unsigned int cmd, enum wr_op op,
					 struct winregion_change __user *user)
{
	struct wr_change change = {}; /* else the compiler may clear it first */
	enum wr_quick done = WR_NOT_TRIED;

	if (read_change(op, user, &change))
		done = wr_quick_change_in(current->mm, op, &change);
	if (op == WR_PROTECT && done == WR_REVOKES)
		done = revoke(&change);
	if (done != WR_DONE)
		return wr_ioctl_by_table(cmd, user, done != WR_NOT_TRIED);
	if (op == WR_PROTECT) /* as far as that can be told: see return_old() */
		put_user(change.old_protection,
			 &user->range.out_old_protection);
	return 0;
}

/**
 * wr_ioctl_commit_plain - WINREGION_COMMIT
 * @user: the argument
 *
 * In one step if that is easy, else by wr_ioctl_by_table().
 *
 * Return: 0 or an error.
 */
long wr_ioctl_commit_plain(struct winregion_change __user *user)
{
	return change_plain(WINREGION_COMMIT, WR_COMMIT, user);
}

/* The same for WINREGION_DECOMMIT. */
long wr_ioctl_decommit_plain(struct winregion_change __user *user)
{
	return change_plain(WINREGION_DECOMMIT, WR_DECOMMIT, user);
}

/* The same for WINREGION_PROTECT. */
long wr_ioctl_protect_plain(struct winregion_change __user *user)
{
	return change_plain(WINREGION_PROTECT, WR_PROTECT, user);
}

/* ---- queries ---- */

/* Return: whether there are no flags. */
static __always_inline bool read_query(struct winregion_query __user *user,
				       u64 *address)
{
	u64 head;

	if (!user_read_access_begin(user, offsetof(typeof(*user), out)))
		return false;
	unsafe_get_user(head, (u64 __user *)user, fault);
	unsafe_get_user(*address, &user->address, fault);
	user_read_access_end();
	return head == plain_head(sizeof(*user));
fault:
	user_read_access_end();
	return false;
}

/* copy_to_user() without the calls. */
static __always_inline int return_run(struct winregion_run __user *user,
				      const struct winregion_run *run)
{
	if (!user_write_access_begin(user, sizeof(*user)))
		return -EFAULT;
	unsafe_put_user(run->address, &user->address, fault);
	unsafe_put_user(run->length, &user->length, fault);
	unsafe_put_user(run->region_address, &user->region_address, fault);
	unsafe_put_user(run->region_length, &user->region_length, fault);
	unsafe_put_user(run->region_committed, &user->region_committed, fault);
	unsafe_put_user(run->resident, &user->resident, fault);
	unsafe_put_user(run->region_protection, &user->region_protection,
			fault);
	unsafe_put_user(run->state, &user->state, fault);
	unsafe_put_user(run->protection, &user->protection, fault);
	unsafe_put_user(run->type, &user->type, fault);
	unsafe_put_user(run->flags, (u64 __user *)&user->flags, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* Returns what is at page @index, and unlocks. */
static __always_inline int return_at(struct winregion_query __user *user,
				     struct wr_window *window,
				     struct wr_region *region, pgoff_t index)
{
	struct wr_found found = wr_found_at(window, region, index);
	struct winregion_run run = {}; /* else the compiler may clear it first */

	wr_window_unlock(window);
	wr_found_run(&found, &run);
	return return_run(&user->out, &run);
}

/* Return: whether it was easy; if it was, @err is the answer. */
static __always_inline bool
query_plain(struct mm_struct *mm, struct winregion_query __user *user, int *err)
{
	struct wr_window *window;
	struct wr_region *region;
	u64 address;

	if (!read_query(user, &address))
		return false;
	region = wr_region_trylock(mm, address >> PAGE_SHIFT, &window);
	if (!region)
		return false;
	*err = return_at(user, window, region, address >> PAGE_SHIFT);
	return true;
}

/* The same for WINREGION_QUERY. */
long wr_ioctl_query_plain(struct winregion_query __user *user)
{
	int err;

	if (query_plain(current->mm, user, &err))
		return err;
	return wr_ioctl_by_table(WINREGION_QUERY, user, false);
}

/**
 * wr_ioctl_query_other - WINREGION_QUERY about another process, if it is easy
 * @mm: its address space; the caller has a reference that keeps it in use
 * @user: the argument
 * @err: the answer
 *
 * Return: whether it was.
 */
bool wr_ioctl_query_other(struct mm_struct *mm,
			  struct winregion_query __user *user, int *err)
{
	return query_plain(mm, user, err);
}
