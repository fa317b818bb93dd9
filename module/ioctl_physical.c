// SPDX-License-Identifier: GPL-2.0
/*
 * WINREGION_FRAMES and WINREGION_MAP_FRAMES.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "account.h"
#include "ioctl.h"
#include "locked.h"
#include "physical.h"

/* Numbers that are copied together */
#define AT_ONCE 64UL

/* ---- WINREGION_FRAMES ---- */

/* All of the numbers, to the program. */
static int tell_numbers(struct wr_new_frames *made, u64 __user *user)
{
	struct wr_frame *frame = made->first;
	u64 numbers[AT_ONCE];
	unsigned long n;

	while (frame) {
		for (n = 0; frame && n < AT_ONCE; frame = frame->next)
			numbers[n++] = frame->number;
		if (copy_to_user(user, numbers, n * sizeof(*numbers)))
			return -EFAULT;
		user += n;
		cond_resched();
	}
	return 0;
}

static int make_frames(struct wr_ioctl *call, struct wr_space *space, int node)
{
	struct winregion_frames *args = &call->args.frames;
	u64 __user *numbers = u64_to_user_ptr(args->frames);
	struct wr_new_frames made;
	int err;

	err = wr_frames_make(space, args->count, node, &made);
	if (err)
		return err;
	args->count = made.count;
	err = tell_numbers(&made, numbers);
	if (!err)
		err = wr_ioctl_write(call->user, args, sizeof(*args));
	if (!err)
		return wr_frames_publish(&made);
	wr_frames_discard(&made);
	return err;
}

static int make_in(struct wr_ioctl *call, int node)
{
	struct wr_space *space = wr_space_get_for(call->mm);
	struct wr_account account;
	int err;

	if (!space)
		return -ENOMEM;
	wr_account_begin(&account, call->mm);
	err = make_frames(call, space, node);
	wr_account_end(&account);
	wr_locked_settle(space);
	wr_pagefile_trim(&space->pagefile, true);
	wr_space_put(space);
	return err;
}

static int free_frames(struct wr_ioctl *call, struct wr_space *space, u64 *done)
{
	struct winregion_frames *args = &call->args.frames;
	u64 __user *user = u64_to_user_ptr(args->frames);
	u64 numbers[AT_ONCE];
	unsigned int freed;
	unsigned long n;
	int err = 0;

	for (*done = 0; !err && *done < args->count; *done += freed) {
		n = min_t(u64, args->count - *done, AT_ONCE);
		if (copy_from_user(numbers, user + *done, n * sizeof(*numbers)))
			return -EFAULT;
		err = wr_frames_free(space, numbers, n, &freed);
	}
	return err;
}

static int free_in(struct wr_ioctl *call)
{
	struct winregion_frames *args = &call->args.frames;
	struct winregion_frames __user *user = call->user;
	struct wr_space *space = wr_space_find(call->mm);
	int err = -EINVAL;
	u64 done = 0;

	if (space) {
		err = free_frames(call, space, &done);
		wr_locked_settle(space);
		wr_pagefile_trim(&space->pagefile, true);
		wr_space_put(space);
	}
	/* Done is done, and told also if there is an error. */
	args->count = done;
	put_user(args->count, &user->count);
	return err;
}

/* WINREGION_FRAMES */
int wr_ioctl_frames(struct wr_ioctl *call)
{
	struct winregion_frames *args = &call->args.frames;
	bool free = args->flags & WINREGION_FRAMES_FREE;
	bool given = args->flags & WINREGION_FRAMES_NODE;
	int err, node;

	if (args->__reserved || (given && free))
		return -EINVAL;
	err = wr_ioctl_node(given, args->node, &node);
	if (err)
		return err;
	if (!args->count || args->count > wr_index(wr_highest()))
		return -EOVERFLOW;
	return free ? free_in(call) : make_in(call, node);
}

/* ---- WINREGION_MAP_FRAMES ---- */

/* One that is not in a region is found out later. */
static int parse_address(u64 address, pgoff_t *index)
{
	if (address < wr_lowest() || address > wr_highest())
		return -EADDRNOTAVAIL;
	*index = wr_index(address);
	return 0;
}

static int read_places(struct winregion_map_frames *args,
		       struct wr_placing *placings, unsigned long first,
		       unsigned long n)
{
	u64 __user *user = u64_to_user_ptr(args->addresses);
	u64 addresses[AT_ONCE];
	unsigned long i;
	int err = 0;

	if (!args->addresses) {
		for (i = 0; i < n; i++)
			placings[i].index = wr_index(args->address) + first + i;
		return 0;
	}
	if (copy_from_user(addresses, user + first, n * sizeof(*addresses)))
		return -EFAULT;
	for (i = 0; !err && i < n; i++)
		err = parse_address(addresses[i], &placings[i].index);
	return err;
}

static int read_numbers(struct winregion_map_frames *args,
			struct wr_placing *placings, unsigned long first,
			unsigned long n)
{
	u64 __user *user = u64_to_user_ptr(args->frames);
	u64 numbers[AT_ONCE];
	unsigned long i;

	if (!args->frames)
		return 0;
	if (copy_from_user(numbers, user + first, n * sizeof(*numbers)))
		return -EFAULT;
	for (i = 0; i < n; i++)
		placings[i].number = numbers[i];
	return 0;
}

static int read_placings(struct winregion_map_frames *args,
			 struct wr_placing *placings)
{
	unsigned long i, n;
	int err = 0;

	for (i = 0; !err && i < args->count; i += n) {
		n = min_t(u64, args->count - i, AT_ONCE);
		err = read_places(args, placings + i, i, n);
		if (!err)
			err = read_numbers(args, placings + i, i, n);
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}

/* A few are not worth an allocation. */
#define FEW 16

static int map_in(struct wr_space *space, struct winregion_map_frames *args)
{
	struct wr_placing few[FEW], *placings = few;
	int err = -ENOMEM;

	if (args->count > FEW)
		placings = kvmalloc_array(args->count, sizeof(*placings),
					  GFP_KERNEL_ACCOUNT);
	if (placings)
		err = read_placings(args, placings);
	if (!err && args->frames)
		err = wr_physical_map(space, placings, args->count);
	else if (!err)
		err = wr_physical_unmap_all(space, placings, args->count);
	if (placings != few)
		kvfree(placings);
	return err;
}

/* Of unmapped pages in any places there may be as many as this, if not as frames. */
#define MANY 65536

/* What a call needs kernel memory for is no more than the program has paid for. */
static int check_count(struct wr_space *space,
		       struct winregion_map_frames *args)
{
	u64 frames = atomic_long_read(&space->frames.count);

	if (args->frames && args->count > frames)
		return -EINVAL;
	return args->count <= max_t(u64, frames, MANY) ? 0 : -ENOMEM;
}

static int unmap_range(struct wr_space *space,
		       struct winregion_map_frames *args)
{
	pgoff_t first = wr_index(args->address);

	return wr_physical_unmap(space, first, first + args->count);
}

/* WINREGION_MAP_FRAMES */
int wr_ioctl_map_frames(struct wr_ioctl *call)
{
	struct winregion_map_frames *args = &call->args.map_frames;
	struct wr_space *space;
	pgoff_t index;
	int err = 0;

	if (args->address && args->addresses)
		return -EINVAL;
	if (args->count > wr_index(wr_highest()))
		return -EOVERFLOW;
	if (!args->count)
		return 0;
	if (!args->addresses)
		err = parse_address(args->address, &index);
	if (!err && !args->addresses)
		err = parse_address(args->address + wr_address(args->count - 1),
				    &index);
	if (err)
		return err;
	space = wr_space_find(call->mm);
	if (!space)
		return -EINVAL;
	err = args->frames || args->addresses ? check_count(space, args) : 0;
	if (!err && !args->frames && !args->addresses)
		err = unmap_range(space, args);
	else if (!err)
		err = map_in(space, args);
	wr_space_put(space);
	return err;
}
