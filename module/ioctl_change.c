// SPDX-License-Identifier: GPL-2.0
/*
 * WINREGION_COMMIT, WINREGION_DECOMMIT, WINREGION_PROTECT and WINREGION_RESET: their
 * ranges, one or many of them.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "change.h"
#include "ioctl.h"
#include "reset.h"
#include "stash.h"
#include "states.h"

/* Ranges of one call that need no allocation. */
#define RANGES_ON_STACK 4

/* What stands in place of a protection. */
static int parse_reset(enum wr_op op, u32 word, struct wr_change *change)
{
	u8 unused;

	if (op == WR_RESET || op == WR_UNDO)
		return wr_protection_state(word, &unused);
	if (op != WR_OFFER)
		return word ? -EINVAL : 0;
	if (!word || word > WINREGION_PRIORITY_NORMAL)
		return -EINVAL;
	change->state = WR_STASH_OFFER_FIRST + word - 1;
	return 0;
}

static int parse_reset_range(const struct wr_ioctl *call, enum wr_op op,
			     struct winregion_range *range,
			     struct wr_change *change)
{
	int err = parse_reset(op, range->protection, change);

	if (err)
		return err;
	change->hard = true;
	change->part_first = offset_in_page(range->address);
	change->part_last = offset_in_page(range->address + range->length);
	return wr_ioctl_pages(call, range->address, range->length,
			      &change->first, &change->end);
}

static int parse_range(const struct wr_ioctl *call, enum wr_op op,
		       struct winregion_range *range, struct wr_change *change)
{
	int err;

	/* All of it: it may lie where others have left what is not 0. */
	*change = (struct wr_change){};
	if (wr_op_resets(op))
		return parse_reset_range(call, op, range, change);
	if (op == WR_DECOMMIT) {
		if (range->protection)
			return -EINVAL;
		return wr_ioctl_region_pages(call, range->address,
					     range->length, &change->first,
					     &change->end);
	}
	err = wr_protection_state(range->protection, &change->state);
	if (err)
		return err;
	if (op == WR_COMMIT && wr_state_copies(change->state))
		return -EDOM;
	change->nocache = range->protection & WINREGION_NOCACHE;
	change->hard = change->nocache;
	return wr_ioctl_pages(call, range->address, range->length,
			      &change->first, &change->end);
}

static int parse_one(const struct wr_ioctl *call, enum wr_op op,
		     struct winregion_range __user *user,
		     struct wr_change *change)
{
	struct winregion_range range;

	if (copy_from_user(&range, user, sizeof(range)))
		return -EFAULT;
	return parse_range(call, op, &range, change);
}

/* If some cannot be read, those in front of it may have other errors first. */
static int parse_some(const struct wr_ioctl *call, enum wr_op op,
		      struct winregion_range __user *user,
		      struct wr_change *changes, unsigned int nr)
{
	struct winregion_range ranges[RANGES_ON_STACK];
	bool all = !copy_from_user(ranges, user, nr * sizeof(*ranges));
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr && !err; i++)
		err = all ? parse_range(call, op, &ranges[i], &changes[i]) :
			    parse_one(call, op, &user[i], &changes[i]);
	return err;
}

static int parse_vector(const struct wr_ioctl *call, enum wr_op op,
			struct wr_change *changes)
{
	const struct winregion_change *args = &call->args.change;
	struct winregion_range __user *user = u64_to_user_ptr(args->ranges);
	unsigned int i, n;
	int err = 0;

	for (i = 0; i < args->nr_ranges && !err; i += n) {
		n = min_t(unsigned int, args->nr_ranges - i, RANGES_ON_STACK);
		err = parse_some(call, op, user + i, changes + i, n);
	}
	return err;
}

/* What is to be changed in which address space */
struct change_in {
	struct mm_struct *mm;
	enum wr_op op;
	struct wr_change *changes;
	unsigned int nr;
};

static int change_now(void *data)
{
	struct change_in *in = data;
	struct wr_space *space = wr_space_find(in->mm);
	int err;

	if (!space)
		return -ENOENT;
	err = wr_change(space, in->op, in->changes, in->nr);
	wr_space_put(space);
	return err;
}

static int hold_changes(void *copy)
{
	struct change_in *in = copy;
	struct wr_change *changes;

	changes = kvmalloc_array(in->nr, sizeof(*changes), GFP_KERNEL_ACCOUNT);
	if (!changes)
		return -ENOMEM;
	memcpy(changes, in->changes, in->nr * sizeof(*changes));
	in->changes = changes;
	return 0;
}

static void tell_changes(void *data, const void *copy)
{
	const struct change_in *in = data, *done = copy;

	memcpy(in->changes, done->changes, in->nr * sizeof(*in->changes));
}

static void drop_changes(void *copy)
{
	struct change_in *in = copy;

	kvfree(in->changes);
}

static const struct wr_remote_ops change_ops = {
	.act = change_now,
	.size = sizeof(struct change_in),
	.hold = hold_changes,
	.tell = tell_changes,
	.drop = drop_changes,
};

static int change_in(struct wr_ioctl *call, enum wr_op op,
		     struct wr_change *changes, unsigned int nr)
{
	struct change_in in = {
		.mm = call->mm,
		.op = op,
		.changes = changes,
		.nr = nr,
	};

	return wr_remote_or_here(call->mm, call->remote, &change_ops, &in);
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

static int change_vector(struct wr_ioctl *call, enum wr_op op,
			 struct wr_change *changes)
{
	struct winregion_change *args = &call->args.change;
	int err;

	err = parse_vector(call, op, changes);
	if (!err)
		err = change_in(call, op, changes, args->nr_ranges);
	if (!err && op == WR_PROTECT)
		return_old(u64_to_user_ptr(args->ranges), changes,
			   args->nr_ranges);
	if (!err)
		call->gone = changes->gone;
	return err;
}

static int change_many(struct wr_ioctl *call, enum wr_op op)
{
	struct wr_change on_stack[RANGES_ON_STACK], *changes = on_stack;
	struct winregion_change *args = &call->args.change;
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
	err = change_vector(call, op, changes);
	if (changes != on_stack)
		kvfree(changes);
	return err;
}

static int change_one(struct wr_ioctl *call, enum wr_op op)
{
	struct winregion_change __user *user = call->user;
	struct winregion_change *args = &call->args.change;
	struct wr_change change;
	int err;

	if (args->ranges)
		return -EINVAL;
	err = parse_range(call, op, &args->range, &change);
	change.hard |= call->hard;
	if (!err)
		err = change_in(call, op, &change, 1);
	if (!err && op == WR_PROTECT)
		return_old(&user->range, &change, 1);
	call->gone = change.gone;
	return err;
}

static int change(struct wr_ioctl *call, enum wr_op op)
{
	if (call->args.change.__reserved)
		return -EINVAL;
	if (call->args.change.nr_ranges)
		return change_many(call, op);
	return change_one(call, op);
}

/* WINREGION_COMMIT */
int wr_ioctl_commit(struct wr_ioctl *call)
{
	return change(call, WR_COMMIT);
}

/* WINREGION_DECOMMIT */
int wr_ioctl_decommit(struct wr_ioctl *call)
{
	return change(call, WR_DECOMMIT);
}

/* WINREGION_PROTECT */
int wr_ioctl_protect(struct wr_ioctl *call)
{
	return change(call, WR_PROTECT);
}

static const enum wr_op resets[] = {
	[WINREGION_OP_RESET] = WR_RESET,     [WINREGION_OP_UNDO] = WR_UNDO,
	[WINREGION_OP_DISCARD] = WR_DISCARD, [WINREGION_OP_OFFER] = WR_OFFER,
	[WINREGION_OP_RECLAIM] = WR_RECLAIM,
};

/*
 * WINREGION_RESET. What was not taken back whole must not be taken for that, so if the
 * answer cannot be written when all is done it is that all is gone.
 */
int wr_ioctl_reset(struct wr_ioctl *call)
{
	struct winregion_reset __user *user = call->user;
	struct winregion_reset args = call->args.reset;
	u32 nr = array_index_nospec(args.operation, ARRAY_SIZE(resets));
	int err;

	if (args.operation >= ARRAY_SIZE(resets) || !args.operation)
		return -EINVAL;
	if (put_user(~0ULL, &user->out_gone))
		return -EFAULT;
	call->args.change = (struct winregion_change){
		.nr_ranges = args.nr_ranges,
		.ranges = args.ranges,
		.range = args.range,
	};
	err = change(call, resets[nr]);
	if (!err)
		put_user((u64)call->gone << PAGE_SHIFT, &user->out_gone);
	return err;
}
