// SPDX-License-Identifier: GPL-2.0
/*
 * WINREGION_LOCK: its argument.
 */
#include "ioctl.h"
#include "lock.h"
#include "space.h"

typedef int (*lock_fn)(struct wr_space *space, pgoff_t first, pgoff_t end,
		       unsigned long *locked);

/* Of a process without regions nothing is locked, nor can be. */
static int lock_nothing(u32 operation)
{
	if (operation == WINREGION_LOCK_ADD)
		return -ENOENT;
	return operation == WINREGION_LOCK_REMOVE ? -ENOLCK : 0;
}

/* What is to be done in which address space; @locked: the answer */
struct lock_in {
	struct mm_struct *mm;
	u32 operation;
	pgoff_t first;
	pgoff_t end;
	unsigned long locked;
};

static int lock(void *data)
{
	static const lock_fn functions[] = {
		[WINREGION_LOCK_ADD] = wr_lock,
		[WINREGION_LOCK_REMOVE] = wr_unlock,
		[WINREGION_LOCK_TRIM] = wr_lock_trim,
		[WINREGION_LOCK_COUNT] = wr_lock_count,
	};
	struct lock_in *in = data;
	struct wr_space *space = wr_space_find(in->mm);
	int err;

	if (!space)
		return lock_nothing(in->operation);
	err = functions[in->operation](space, in->first, in->end, &in->locked);
	wr_space_put(space);
	return err;
}

static const struct wr_remote_ops lock_ops = {
	.act = lock,
	.size = sizeof(struct lock_in),
};

/* WINREGION_LOCK */
int wr_ioctl_lock(struct wr_ioctl *call)
{
	struct winregion_lock *args = &call->args.lock;
	struct winregion_lock __user *user = call->user;
	struct lock_in in = { .mm = call->mm, .operation = args->operation };
	int err;

	if (args->__reserved || args->operation > WINREGION_LOCK_COUNT)
		return -EINVAL;
	if (args->operation != WINREGION_LOCK_COUNT && !call->change)
		return -EKEYREJECTED;
	err = wr_ioctl_pages(call, args->address, args->length, &in.first,
			     &in.end);
	if (!err)
		err = wr_remote_or_here(call->mm, call->remote, &lock_ops, &in);
	if (err)
		return err;
	args->out_locked = (u64)in.locked << PAGE_SHIFT;
	err = wr_ioctl_write(&user->out_locked, &args->out_locked,
			     sizeof(args->out_locked));
	/* What has been done cannot be told, and stays so. */
	return args->operation == WINREGION_LOCK_COUNT ? err : 0;
}
