// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls, and the checks of their arguments. User memory is read and written
 * here, and by those that quick.c and query.c can answer in one step, which come
 * back here with all else. No lock is held in this file.
 */
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <linux/winregion.h>

#include "change.h"
#include "commit.h"
#include "ioctl.h"
#include "place.h"
#include "query.h"
#include "region.h"
#include "regiontree.h"
#include "states.h"

/* Runs that one step of WINREGION_QUERY_RUNS collects: a page of them. */
#define RUNS_AT_ONCE (PAGE_SIZE / sizeof(struct winregion_run))

/* Ranges of one call that need no allocation. */
#define RANGES_ON_STACK 4

/* No holes, and the same size for every caller. */
static void __maybe_unused check_abi(void)
{
	BUILD_BUG_ON(sizeof(struct winregion_get_info) != 104);
	BUILD_BUG_ON(sizeof(struct winregion_reserve) != 56);
	BUILD_BUG_ON(sizeof(struct winregion_release) != 24);
	BUILD_BUG_ON(sizeof(struct winregion_range) != 24);
	BUILD_BUG_ON(sizeof(struct winregion_change) != 48);
	BUILD_BUG_ON(sizeof(struct winregion_run) != 72);
	BUILD_BUG_ON(sizeof(struct winregion_query) != 88);
	BUILD_BUG_ON(sizeof(struct winregion_query_runs) != 40);
}

/* ---- arguments ---- */

/* The structure is as large as another version of the interface has it. */
static int read_other_size(void *args, size_t expected, void __user *argp,
			   u32 size)
{
	if (size < expected)
		return -EINVAL;
	return copy_struct_from_user(args, expected, argp, size);
}

/*
 * Reads a structure of @expected bytes, of which only the first @bytes matter,
 * whole words: copy_from_user() without the calls. When a structure grows, its
 * first size must be accepted too.
 */
static __always_inline int read_head(void *args, void __user *argp,
				     const u32 expected, const u32 bytes)
{
	u64 __user *user = argp;
	u64 *words = args;
	unsigned int i;
	u32 size;

	if (!user_read_access_begin(argp, bytes))
		return -EFAULT;
	unsafe_get_user(size, (u32 __user *)argp, fault);
	if (size != expected) {
		user_read_access_end();
		return read_other_size(args, expected, argp, size);
	}
#pragma GCC unroll 16
	for (i = 0; i < bytes / sizeof(u64); i++)
		unsafe_get_user(words[i], &user[i], fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static __always_inline int read_args(void *args, void __user *argp,
				     const u32 size)
{
	return read_head(args, argp, size, size);
}

/* ---- ranges ---- */

static int check_address(u64 address, u64 highest)
{
	if (address < wr_lowest() || address > highest)
		return -EADDRNOTAVAIL;
	return 0;
}

/* The pages that @length bytes (at least 1) at @address touch. */
static int range_pages(u64 address, u64 length, pgoff_t *first, pgoff_t *end)
{
	const u64 highest = wr_highest();
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

/* As range_pages(), but length 0 is the whole region: @end is @first then. */
static int region_pages(u64 address, u64 length, pgoff_t *first, pgoff_t *end)
{
	int err;

	if (length)
		return range_pages(address, length, first, end);
	err = check_address(address, wr_highest());
	*first = address >> PAGE_SHIFT;
	*end = *first;
	return err;
}

/* ---- WINREGION_GET_INFO ---- */

static void info_of_space(struct winregion_get_info *info)
{
	struct wr_space *space = wr_space_find(current->mm);

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

static noinline int wr_ioc_get_info(void __user *argp)
{
	struct winregion_get_info info;
	unsigned long limit, total;
	int err;

	err = read_args(&info, argp, sizeof(info));
	if (err)
		return err;
	if (info.flags)
		return -EOPNOTSUPP;
	limit = wr_commit_state(&total);
	info = (struct winregion_get_info){
		.size = info.size,
		.out_abi_version = WINREGION_ABI_VERSION,
		.out_page_size = PAGE_SIZE,
		.out_granularity = WINREGION_GRANULARITY,
		.out_max_ranges = WINREGION_MAX_RANGES,
		.out_features =
			WINREGION_FEATURE_VECTOR | WINREGION_FEATURE_EXECUTE |
			WINREGION_FEATURE_GUARD | WINREGION_FEATURE_FORK,
		.out_lowest = wr_place_lowest(),
		.out_highest = wr_highest(),
		.out_max_regions = wr_space_max_regions(),
		.out_total = (u64)total << PAGE_SHIFT,
		.out_limit = limit == ULONG_MAX ? U64_MAX :
						  (u64)limit << PAGE_SHIFT,
	};
	info_of_space(&info);
	return copy_to_user(argp, &info, sizeof(info)) ? -EFAULT : 0;
}

/* ---- WINREGION_RESERVE ---- */

static bool limits_are_valid(struct winregion_reserve *args)
{
	u64 highest = args->highest ? args->highest : wr_highest();

	if (!IS_ALIGNED(args->lowest, WINREGION_GRANULARITY) ||
	    !IS_ALIGNED(highest + 1, PAGE_SIZE))
		return false;
	if (highest > wr_highest() || args->lowest > highest)
		return false;
	return !args->alignment || (args->alignment >= WINREGION_GRANULARITY &&
				    !(args->alignment & (args->alignment - 1)));
}

static int parse_place(struct winregion_reserve *args,
		       struct wr_reserve *request)
{
	pgoff_t end;
	int err;

	request->bound = args->lowest || args->highest || args->alignment;
	if (args->address && request->bound)
		return -EINVAL;
	if (!limits_are_valid(args))
		return -EINVAL;
	request->fixed = args->address;
	request->lowest = max_t(u64, args->lowest, wr_lowest());
	request->highest = args->highest ? args->highest : wr_highest();
	request->alignment = args->alignment ? args->alignment :
					       WINREGION_GRANULARITY;
	if (!args->address) {
		err = range_pages(wr_lowest(), args->length, &request->first,
				  &end);
	} else {
		err = range_pages(args->address, args->length, &request->first,
				  &end);
		request->first = round_down(request->first, WR_UNIT_PAGES);
	}
	request->pages = end - request->first;
	return err;
}

static int parse_reserve(struct winregion_reserve *args,
			 struct wr_reserve *request)
{
	int err;

	if (args->flags &
	    ~(WINREGION_RESERVE_TOP_DOWN | WINREGION_RESERVE_COMMIT))
		return -EOPNOTSUPP;
	if (args->__reserved)
		return -EINVAL;
	err = wr_protection_state(args->protection, &request->state);
	if (err)
		return err;
	request->protection = wr_protection_sticky(args->protection);
	request->top_down = args->flags & WINREGION_RESERVE_TOP_DOWN;
	request->commit = args->flags & WINREGION_RESERVE_COMMIT;
	request->exec = wr_state_is_exec(request->state);
	return parse_place(args, request);
}

static int reserve_in_mm(struct wr_reserve *request)
{
	struct wr_space *space = wr_space_get_for(current->mm);
	int err;

	if (!space)
		return -ENOMEM;
	err = wr_reserve(space, request);
	wr_space_put(space);
	return err;
}

static void unreserve_in_mm(struct wr_reserve *request)
{
	struct wr_space *space = wr_space_find(current->mm);

	if (!space)
		return;
	wr_unreserve(space, request);
	wr_space_put(space);
}

static int release_in_mm(pgoff_t first, unsigned long *pages)
{
	struct wr_space *space = wr_space_find(current->mm);
	int err;

	if (!space)
		return -ENOENT;
	err = wr_release(space, first, pages);
	wr_space_put(space);
	return err;
}

static noinline int wr_ioc_reserve(void __user *argp)
{
	struct wr_reserve request = {};
	struct winregion_reserve args;
	int err;

	err = read_args(&args, argp, sizeof(args));
	if (!err)
		err = parse_reserve(&args, &request);
	if (!err)
		err = reserve_in_mm(&request);
	if (err)
		return err;
	args.address = (u64)request.first << PAGE_SHIFT;
	args.length = (u64)request.pages << PAGE_SHIFT;
	if (!copy_to_user(argp, &args, sizeof(args)))
		return 0;
	unreserve_in_mm(&request);
	return -EFAULT;
}

/* ---- WINREGION_RELEASE ---- */

static noinline int wr_ioc_release(void __user *argp)
{
	struct winregion_release __user *user = argp;
	struct winregion_release args;
	unsigned long pages;
	pgoff_t first, end;
	int err;

	err = read_args(&args, argp, sizeof(args));
	if (err)
		return err;
	if (args.flags)
		return -EOPNOTSUPP;
	err = region_pages(args.address, args.length, &first, &end);
	if (err)
		return err;
	pages = end - first;
	err = release_in_mm(first, &pages);
	if (err)
		return err;
	/* It may lie in what is gone now; and done is done. */
	put_user((u64)first << PAGE_SHIFT, &user->address);
	put_user((u64)pages << PAGE_SHIFT, &user->length);
	return 0;
}

/* ---- WINREGION_COMMIT, WINREGION_DECOMMIT, WINREGION_PROTECT ---- */

static int parse_range(enum wr_op op, struct winregion_range *range,
		       struct wr_change *change)
{
	int err;

	change->window = NULL;
	change->serial = 0;
	change->old_protection = 0;
	change->state = 0;
	if (op == WR_DECOMMIT) {
		if (range->protection)
			return -EINVAL;
		return region_pages(range->address, range->length,
				    &change->first, &change->end);
	}
	err = wr_protection_state(range->protection, &change->state);
	if (err)
		return err;
	return range_pages(range->address, range->length, &change->first,
			   &change->end);
}

static int parse_one(enum wr_op op, struct winregion_range __user *user,
		     struct wr_change *change)
{
	struct winregion_range range;

	if (copy_from_user(&range, user, sizeof(range)))
		return -EFAULT;
	return parse_range(op, &range, change);
}

/* If some cannot be read, those in front of it may have other errors first. */
static int parse_some(enum wr_op op, struct winregion_range __user *user,
		      struct wr_change *changes, unsigned int nr)
{
	struct winregion_range ranges[RANGES_ON_STACK];
	bool all = !copy_from_user(ranges, user, nr * sizeof(*ranges));
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr && !err; i++) {
		changes[i].hard = false;
		err = all ? parse_range(op, &ranges[i], &changes[i]) :
			    parse_one(op, &user[i], &changes[i]);
	}
	return err;
}

static int parse_vector(enum wr_op op, struct winregion_change *args,
			struct wr_change *changes)
{
	struct winregion_range __user *user = u64_to_user_ptr(args->ranges);
	unsigned int i, n;
	int err = 0;

	for (i = 0; i < args->nr_ranges && !err; i += n) {
		n = min_t(unsigned int, args->nr_ranges - i, RANGES_ON_STACK);
		err = parse_some(op, user + i, changes + i, n);
	}
	return err;
}

static int change_in_mm(enum wr_op op, struct wr_change *changes,
			unsigned int nr)
{
	struct wr_space *space = wr_space_find(current->mm);
	int err;

	if (!space)
		return -ENOENT;
	err = wr_change(space, op, changes, nr);
	wr_space_put(space);
	return err;
}

/* As far as it can be: they may lie in the very pages that have changed. */
static void return_old(struct winregion_range __user *user,
		       struct wr_change *changes, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		put_user(changes[i].old_protection,
			 &user[i].out_old_protection);
}

static int change_vector(enum wr_op op, struct winregion_change *args,
			 struct wr_change *changes)
{
	int err;

	err = parse_vector(op, args, changes);
	if (!err)
		err = change_in_mm(op, changes, args->nr_ranges);
	if (!err && op == WR_PROTECT)
		return_old(u64_to_user_ptr(args->ranges), changes,
			   args->nr_ranges);
	return err;
}

static int change_many(enum wr_op op, struct winregion_change *args)
{
	struct wr_change on_stack[RANGES_ON_STACK], *changes = on_stack;
	int err;

	if (args->nr_ranges > WINREGION_MAX_RANGES)
		return -EINVAL;
	if (memchr_inv(&args->range, 0, sizeof(args->range)))
		return -EINVAL;
	if (args->nr_ranges > RANGES_ON_STACK)
		changes = kvmalloc_array(args->nr_ranges, sizeof(*changes),
					 GFP_KERNEL_ACCOUNT);
	if (!changes)
		return -ENOMEM;
	err = change_vector(op, args, changes);
	if (changes != on_stack)
		kvfree(changes);
	return err;
}

static int change_one(enum wr_op op, struct winregion_change *args,
		      struct winregion_change __user *user, bool hard)
{
	struct wr_change change;
	int err;

	if (args->ranges)
		return -EINVAL;
	change.hard = hard;
	err = parse_range(op, &args->range, &change);
	if (!err)
		err = change_in_mm(op, &change, 1);
	if (!err && op == WR_PROTECT)
		return_old(&user->range, &change, 1);
	return err;
}

/**
 * wr_ioctl_change - WINREGION_COMMIT, _DECOMMIT, _PROTECT, whatever the argument
 * @op: which
 * @user: the argument
 * @hard: it is known not to be easy
 *
 * Return: 0 or an error.
 */
long wr_ioctl_change(enum wr_op op, struct winregion_change __user *user,
		     bool hard)
{
	struct winregion_change args;
	int err;

	err = read_args(&args, user, sizeof(args));
	if (err)
		return err;
	if (args.flags)
		return -EOPNOTSUPP;
	if (args.__reserved)
		return -EINVAL;
	if (args.nr_ranges)
		return change_many(op, &args);
	return change_one(op, &args, user, hard);
}

/* ---- WINREGION_QUERY, WINREGION_QUERY_RUNS ---- */

/**
 * wr_ioctl_query - WINREGION_QUERY, whatever the argument
 * @user: the argument
 *
 * Return: 0 or an error.
 */
long wr_ioctl_query(struct winregion_query __user *user)
{
	const u32 bytes = offsetof(struct winregion_query, out);
	struct winregion_query args;
	int err;

	err = read_head(&args, user, sizeof(args), bytes);
	if (err)
		return err;
	if (args.flags & ~WINREGION_QUERY_RESIDENT)
		return -EOPNOTSUPP;
	if (args.address > wr_highest())
		return -EADDRNOTAVAIL;
	err = wr_query(args.address, args.flags, &args.out);
	if (err)
		return err;
	return copy_to_user(&user->out, &args.out, sizeof(args.out)) ? -EFAULT :
								       0;
}

static int query_runs(struct wr_space *space, struct winregion_query_runs *args,
		      struct winregion_run *buffer)
{
	struct winregion_run __user *user = u64_to_user_ptr(args->runs);
	unsigned int done = 0, max;
	int n;

	do {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		max = min_t(unsigned int, args->nr_runs - done, RUNS_AT_ONCE);
		n = wr_query_runs(space, &args->address, args->last,
				  args->flags, buffer, max);
		if (n < 0)
			return n;
		if (copy_to_user(user + done, buffer, n * sizeof(*buffer)))
			return -EFAULT;
		done += n;
	} while (n == max && done < args->nr_runs);
	args->nr_runs = done;
	return 0;
}

static int check_query_runs(struct winregion_query_runs *args)
{
	if (args->flags & ~(WINREGION_QUERY_RESIDENT | WINREGION_QUERY_REGIONS))
		return -EOPNOTSUPP;
	if (args->__reserved || !args->nr_runs)
		return -EINVAL;
	if (args->last > wr_highest() || args->address > args->last)
		return -EADDRNOTAVAIL;
	return 0;
}

static noinline int wr_ioc_query_runs(void __user *argp)
{
	struct winregion_query_runs args;
	struct winregion_run *buffer;
	struct wr_space *space;
	int err;

	err = read_args(&args, argp, sizeof(args));
	if (!err)
		err = check_query_runs(&args);
	if (err)
		return err;
	buffer = kmalloc_array(RUNS_AT_ONCE, sizeof(*buffer),
			       GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;
	space = wr_space_find(current->mm);
	err = query_runs(space, &args, buffer);
	if (space)
		wr_space_put(space);
	kfree(buffer);
	if (err)
		return err;
	return copy_to_user(argp, &args, sizeof(args)) ? -EFAULT : 0;
}

/* ---- all of them ---- */

static noinline long other_ioctl(unsigned int cmd, void __user *argp)
{
	switch (cmd) {
	case WINREGION_QUERY_RUNS:
		return wr_ioc_query_runs(argp);
	case WINREGION_RESERVE:
		return wr_ioc_reserve(argp);
	case WINREGION_RELEASE:
		return wr_ioc_release(argp);
	case WINREGION_GET_INFO:
		return wr_ioc_get_info(argp);
	default:
		return -ENOTTY;
	}
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
	void __user *argp = (void __user *)arg;

	if (cmd == WINREGION_QUERY)
		return wr_query_plain(argp);
	if (cmd == WINREGION_COMMIT)
		return wr_commit_plain(argp);
	if (cmd == WINREGION_DECOMMIT)
		return wr_decommit_plain(argp);
	if (cmd == WINREGION_PROTECT)
		return wr_protect_plain(argp);
	return other_ioctl(cmd, argp);
}
