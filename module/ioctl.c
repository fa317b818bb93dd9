// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls: the table of them, and what their arguments have in common. User
 * memory is read and written in the files whose names begin like this one's, and
 * no lock is held there. It is here that the caller's mm is asked for; all else
 * works on the one it is given.
 */
#include <linux/nodemask.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>

#include "account.h"
#include "commit.h"
#include "handle.h"
#include "ioctl.h"
#include "place.h"
#include "space.h"
#include "trace.h"

/* No holes, and the same size for every caller. */
static void __maybe_unused check_abi(void)
{
	BUILD_BUG_ON(sizeof(struct winregion_get_info) != 104);
	BUILD_BUG_ON(sizeof(struct winregion_reserve) != 56);
	BUILD_BUG_ON(sizeof(struct winregion_release) != 24);
	BUILD_BUG_ON(sizeof(struct winregion_set_stack) != 24);
	BUILD_BUG_ON(sizeof(struct winregion_range) != 24);
	BUILD_BUG_ON(sizeof(struct winregion_change) != 48);
	BUILD_BUG_ON(sizeof(struct winregion_run) != 72);
	BUILD_BUG_ON(sizeof(struct winregion_query) != 88);
	BUILD_BUG_ON(sizeof(struct winregion_query_runs) != 40);
	BUILD_BUG_ON(sizeof(struct winregion_reset) != 56);
	BUILD_BUG_ON(sizeof(struct winregion_last_fault) != 40);
	BUILD_BUG_ON(sizeof(struct winregion_write_watch) != 48);
	BUILD_BUG_ON(sizeof(struct winregion_lock) != 40);
	BUILD_BUG_ON(sizeof(struct winregion_frames) != 32);
	BUILD_BUG_ON(sizeof(struct winregion_map_frames) != 40);
	BUILD_BUG_ON(sizeof(struct winregion_open_process) != 16);
#define STARTS_WITH_HEAD(name) \
	BUILD_BUG_ON(offsetof(struct name, size) != 0 || \
		     offsetof(struct name, flags) != sizeof(u32))
	STARTS_WITH_HEAD(winregion_get_info);
	STARTS_WITH_HEAD(winregion_reserve);
	STARTS_WITH_HEAD(winregion_release);
	STARTS_WITH_HEAD(winregion_set_stack);
	STARTS_WITH_HEAD(winregion_change);
	STARTS_WITH_HEAD(winregion_query);
	STARTS_WITH_HEAD(winregion_query_runs);
	STARTS_WITH_HEAD(winregion_reset);
	STARTS_WITH_HEAD(winregion_last_fault);
	STARTS_WITH_HEAD(winregion_write_watch);
	STARTS_WITH_HEAD(winregion_lock);
	STARTS_WITH_HEAD(winregion_frames);
	STARTS_WITH_HEAD(winregion_map_frames);
	STARTS_WITH_HEAD(winregion_open_process);
}

/* ---- for the handlers ---- */

static int check_address(u64 address, u64 highest)
{
	if (address < wr_lowest() || address > highest)
		return -EADDRNOTAVAIL;
	return 0;
}

/* The pages that @length bytes (at least 1) at @address touch. */
int wr_ioctl_pages(const struct wr_ioctl *call, u64 address, u64 length,
		   pgoff_t *first, pgoff_t *end)
{
	const u64 highest = wr_highest_of(call->mm);
	u64 last;
	int err;

	err = check_address(address, highest);
	if (err)
		return err;
	if (!length || check_add_overflow(address, length - 1, &last) ||
	    last > highest)
		return -EOVERFLOW;
	*first = address >> PAGE_SHIFT;
	*end = (last >> PAGE_SHIFT) + 1;
	return 0;
}

/* As wr_ioctl_pages(), but length 0 is the whole region: @end is @first then. */
int wr_ioctl_region_pages(const struct wr_ioctl *call, u64 address, u64 length,
			  pgoff_t *first, pgoff_t *end)
{
	int err;

	if (length)
		return wr_ioctl_pages(call, address, length, first, end);
	err = check_address(address, wr_highest_of(call->mm));
	*first = address >> PAGE_SHIFT;
	*end = *first;
	return err;
}

/* Where memory is to be, if that is @given: 0, or -EINVAL if there is no such node. */
int wr_ioctl_node(bool given, u32 number, int *node)
{
	*node = NUMA_NO_NODE;
	if (!given)
		return number ? -EINVAL : 0;
	if (number >= nr_node_ids || !node_online(number))
		return -EINVAL;
	*node = number;
	return 0;
}

static void info_of_space(struct mm_struct *mm, struct winregion_get_info *info)
{
	struct wr_space *space = wr_space_find(mm);

	if (!space)
		return;
	spin_lock(&space->lock);
	info->out_regions = space->nr_regions;
	info->out_windows = space->nr_windows;
	spin_unlock(&space->lock);
	spin_lock(&space->pagefile.lock);
	info->out_committed = (u64)wr_pagefile_used(&space->pagefile)
			      << PAGE_SHIFT;
	info->out_charged = (u64)space->pagefile.quota << PAGE_SHIFT;
	spin_unlock(&space->pagefile.lock);
	wr_space_put(space);
}

/* WINREGION_GET_INFO */
int wr_ioctl_get_info(struct wr_ioctl *call)
{
	struct winregion_get_info *info = &call->args.get_info;
	unsigned long limit, total;

	limit = wr_commit_state(&total);
	*info = (struct winregion_get_info){
		.size = info->size,
		.out_abi_version = WINREGION_ABI_VERSION,
		.out_page_size = PAGE_SIZE,
		.out_granularity = WINREGION_GRANULARITY,
		.out_max_ranges = WINREGION_MAX_RANGES,
		.out_features =
			WINREGION_FEATURE_VECTOR | WINREGION_FEATURE_EXECUTE |
			WINREGION_FEATURE_GUARD | WINREGION_FEATURE_FORK |
			WINREGION_FEATURE_SECTION | WINREGION_FEATURE_NAME |
			WINREGION_FEATURE_EXECUTE_VIEW |
			WINREGION_FEATURE_PLACEHOLDER |
			WINREGION_FEATURE_STACK | WINREGION_FEATURE_LAST_FAULT |
			WINREGION_FEATURE_WRITE_WATCH |
			WINREGION_FEATURE_RESET | WINREGION_FEATURE_LOCK |
			WINREGION_FEATURE_LARGE_PAGES |
			WINREGION_FEATURE_FRAMES | WINREGION_FEATURE_NODE |
			WINREGION_FEATURE_IMAGE |
			(wr_remote_is_there() ? WINREGION_FEATURE_PROCESS : 0),
		.out_lowest = wr_place_lowest(),
		.out_highest = wr_highest_of(call->mm),
		.out_max_regions = wr_space_max_regions(),
		.out_total = (u64)total << PAGE_SHIFT,
		.out_limit = limit == ULONG_MAX ? U64_MAX :
						  (u64)limit << PAGE_SHIFT,
	};
	info_of_space(call->mm, info);
	return wr_ioctl_write(call->user, info, sizeof(*info));
}

/* ---- all of them ---- */

/**
 * struct wr_ioctl_op - an ioctl
 * @cmd: its number
 * @size: bytes of its structure
 * @min_size: those that the first published version had
 * @in: those that matter when it is called; the others only tell the answer
 * @flags: the flag bits that there are
 * @remote: whether it can be about another process
 * @handler: what does it
 */
struct wr_ioctl_op {
	unsigned int cmd;
	u16 size;
	u16 min_size;
	u16 in;
	u16 flags;
	enum {
		WR_OWN_ONLY,
		WR_QUERIES,
		WR_CHANGES
	} remote;
	int (*handler)(struct wr_ioctl *call);
};

#define OP_INDEX(cmd) (_IOC_NR(cmd) - WINREGION_CMD_BASE)

#define OP(_cmd, _struct, _min_last, _in, _flags, _remote, _handler) \
	[OP_INDEX(_cmd)] = { \
		.cmd = _cmd, \
		.size = sizeof(struct _struct), \
		.min_size = offsetofend(struct _struct, _min_last), \
		.in = _in, \
		.flags = _flags, \
		.remote = _remote, \
		.handler = _handler, \
	}

/* With the last member that the structure had at first. */
static const struct wr_ioctl_op ops[] = {
	OP(WINREGION_GET_INFO, winregion_get_info, out_limit,
	   sizeof(struct winregion_get_info), 0, WR_QUERIES, wr_ioctl_get_info),
	OP(WINREGION_RESERVE, winregion_reserve, alignment,
	   sizeof(struct winregion_reserve),
	   WINREGION_RESERVE_TOP_DOWN | WINREGION_RESERVE_COMMIT |
		   WINREGION_RESERVE_PLACEHOLDER | WINREGION_RESERVE_REPLACE |
		   WINREGION_RESERVE_STACK | WINREGION_RESERVE_WRITE_WATCH |
		   WINREGION_RESERVE_LARGE_PAGES | WINREGION_RESERVE_NODE |
		   WINREGION_RESERVE_PHYSICAL,
	   WR_CHANGES, wr_ioctl_reserve),
	OP(WINREGION_RELEASE, winregion_release, length,
	   sizeof(struct winregion_release),
	   WINREGION_RELEASE_PRESERVE | WINREGION_RELEASE_COALESCE, WR_CHANGES,
	   wr_ioctl_release),
	OP(WINREGION_COMMIT, winregion_change, range,
	   sizeof(struct winregion_change), 0, WR_CHANGES, wr_ioctl_commit),
	OP(WINREGION_DECOMMIT, winregion_change, range,
	   sizeof(struct winregion_change), 0, WR_CHANGES, wr_ioctl_decommit),
	OP(WINREGION_PROTECT, winregion_change, range,
	   sizeof(struct winregion_change), 0, WR_CHANGES, wr_ioctl_protect),
	OP(WINREGION_QUERY, winregion_query, out,
	   offsetof(struct winregion_query, out), WINREGION_QUERY_RESIDENT,
	   WR_QUERIES, wr_ioctl_query),
	OP(WINREGION_QUERY_RUNS, winregion_query_runs, __reserved,
	   sizeof(struct winregion_query_runs),
	   WINREGION_QUERY_RESIDENT | WINREGION_QUERY_REGIONS, WR_QUERIES,
	   wr_ioctl_query_runs),
	OP(WINREGION_SET_STACK, winregion_set_stack, guarantee,
	   sizeof(struct winregion_set_stack), WINREGION_STACK_LEAPS,
	   WR_OWN_ONLY, wr_ioctl_set_stack),
	OP(WINREGION_LAST_FAULT, winregion_last_fault, out_reason,
	   offsetof(struct winregion_last_fault, out_address), 0, WR_OWN_ONLY,
	   wr_ioctl_last_fault),
	OP(WINREGION_WRITE_WATCH, winregion_write_watch, __reserved,
	   sizeof(struct winregion_write_watch),
	   WINREGION_WATCH_GET | WINREGION_WATCH_RESET, WR_OWN_ONLY,
	   wr_ioctl_write_watch),
	OP(WINREGION_RESET, winregion_reset, out_gone,
	   offsetof(struct winregion_reset, out_gone), 0, WR_CHANGES,
	   wr_ioctl_reset),
	OP(WINREGION_LOCK, winregion_lock, out_locked,
	   sizeof(struct winregion_lock), 0, WR_QUERIES, wr_ioctl_lock),
	OP(WINREGION_FRAMES, winregion_frames, frames,
	   sizeof(struct winregion_frames),
	   WINREGION_FRAMES_FREE | WINREGION_FRAMES_NODE, WR_OWN_ONLY,
	   wr_ioctl_frames),
	OP(WINREGION_MAP_FRAMES, winregion_map_frames, addresses,
	   sizeof(struct winregion_map_frames), 0, WR_OWN_ONLY,
	   wr_ioctl_map_frames),
	OP(WINREGION_OPEN_PROCESS, winregion_open_process, out_fd,
	   sizeof(struct winregion_open_process), WINREGION_PROCESS_CHANGE,
	   WR_OWN_ONLY, wr_ioctl_open_process),
};

/* The structure is as large as another version of the interface has it. */
static int read_other_size(const struct wr_ioctl_op *op, struct wr_ioctl *call,
			   u32 size)
{
	int err = 0;

	if (size < op->min_size)
		return -EINVAL;
	if (size > op->size)
		err = wr_check_new_part(call->user + op->size, size - op->size);
	if (err)
		return err;
	return copy_struct_from_user(&call->args, op->size, call->user,
				     min_t(u32, size, op->size));
}

/* copy_struct_from_user(), without the calls for the size that is expected. */
static __always_inline int read_args(const struct wr_ioctl_op *op,
				     struct wr_ioctl *call)
{
	u64 __user *user = call->user;
	u64 *words = (u64 *)&call->args;
	unsigned int i;
	u32 size;

	if (!user_read_access_begin(user, op->in))
		return -EFAULT;
	unsafe_get_user(size, (u32 __user *)user, fault);
	if (size != op->size) {
		user_read_access_end();
		return read_other_size(op, call, size);
	}
#pragma GCC unroll 16
	for (i = 0; i < op->in / sizeof(*words); i++)
		unsafe_get_user(words[i], &user[i], fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static __always_inline long call_op(const struct wr_ioctl_op *op,
				    struct mm_struct *mm, void __user *user,
				    bool hard, bool remote, bool change)
{
	struct wr_ioctl call __uninitialized; /* of args, what is read */
	int err;

	call.mm = mm;
	call.user = user;
	call.hard = hard;
	call.remote = remote;
	call.change = change;
	err = read_args(op, &call);
	if (err)
		return err;
	if (call.args.head.flags & ~op->flags)
		return -EOPNOTSUPP;
	return op->handler(&call);
}

/**
 * wr_ioctl_by_table - an ioctl, whatever its argument
 * @cmd: WINREGION_*
 * @user: its argument
 * @hard: it is known not to be easy
 *
 * Return: 0 or an error.
 */
noinline long wr_ioctl_by_table(unsigned int cmd, void __user *user, bool hard)
{
	unsigned int nr = OP_INDEX(cmd);
	const struct wr_ioctl_op *op;

	if (nr >= ARRAY_SIZE(ops))
		return wr_handle_device(cmd, user);
	op = &ops[array_index_nospec(nr, ARRAY_SIZE(ops))];
	if (op->cmd == cmd)
		return call_op(op, current->mm, user, hard, false, true);
	return wr_handle_device(cmd, user);
}

/**
 * wr_ioctl_remote - an ioctl about the memory of another process
 * @mm: its address space; the caller has a reference that keeps it in use
 * @change: whether it may be changed
 * @cmd: WINREGION_*
 * @user: its argument
 *
 * Return: 0 or an error.
 */
long wr_ioctl_remote(struct mm_struct *mm, bool change, unsigned int cmd,
		     void __user *user)
{
	unsigned int nr = OP_INDEX(cmd);
	const struct wr_ioctl_op *op;
	int err;

	if (cmd == WINREGION_QUERY && wr_ioctl_query_other(mm, user, &err))
		return err;
	if (cmd == WINREGION_MAP_VIEW || cmd == WINREGION_UNMAP_VIEW)
		return change ? wr_handle_remote(mm, cmd, user) : -EKEYREJECTED;
	if (nr >= ARRAY_SIZE(ops))
		return -ENOTTY;
	op = &ops[array_index_nospec(nr, ARRAY_SIZE(ops))];
	if (op->cmd != cmd || op->remote == WR_OWN_ONLY)
		return -ENOTTY;
	if (op->remote == WR_CHANGES && !change)
		return -EKEYREJECTED;
	return call_op(op, mm, user, false, true, change);
}

/* The same for what is called often: the table is known when it is compiled. */
static noinline long reserve_by_table(void __user *user)
{
	return call_op(&ops[OP_INDEX(WINREGION_RESERVE)], current->mm, user,
		       false, false, true);
}

static noinline long release_by_table(void __user *user)
{
	return call_op(&ops[OP_INDEX(WINREGION_RELEASE)], current->mm, user,
		       false, false, true);
}

static long ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	if (cmd == WINREGION_QUERY)
		return wr_ioctl_query_plain(argp);
	if (cmd == WINREGION_COMMIT)
		return wr_ioctl_commit_plain(argp);
	if (cmd == WINREGION_DECOMMIT)
		return wr_ioctl_decommit_plain(argp);
	if (cmd == WINREGION_PROTECT)
		return wr_ioctl_protect_plain(argp);
	if (cmd == WINREGION_RESERVE)
		return reserve_by_table(argp);
	if (cmd == WINREGION_RELEASE)
		return release_by_table(argp);
	return wr_ioctl_by_table(cmd, argp, false);
}

/* For a child that has the memory of its parent, and may be in another cgroup */
static noinline long ioctl_for_owner(struct file *file, unsigned int cmd,
				     unsigned long arg)
{
	struct wr_account account;
	long ret;

	wr_account_begin(&account, current->mm);
	ret = ioctl(file, cmd, arg);
	wr_account_end(&account);
	return ret;
}

/**
 * wr_ioctl - unlocked_ioctl of /dev/winregion
 * @file: not looked at; calls act on current->mm
 * @cmd: WINREGION_*
 * @arg: user pointer to the argument structure
 *
 * Return: 0, or one of the errors that the uapi header lists.
 */
long wr_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (trace_wr_call_enabled())
		return wr_trace_ioctl(file, cmd, arg, ioctl_for_owner);
	if (unlikely(!wr_mm_is_callers(current->mm)))
		return ioctl_for_owner(file, cmd, arg);
	return ioctl(file, cmd, arg);
}
