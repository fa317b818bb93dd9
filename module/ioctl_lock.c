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

static int lock_in(struct mm_struct *mm, u32 operation, pgoff_t first,
		   pgoff_t end, unsigned long *locked)
{
	static const lock_fn functions[] = {
		[WINREGION_LOCK_ADD] = wr_lock,
		[WINREGION_LOCK_REMOVE] = wr_unlock,
		[WINREGION_LOCK_TRIM] = wr_lock_trim,
		[WINREGION_LOCK_COUNT] = wr_lock_count,
	};
	struct wr_space *space = wr_space_find(mm);
	int err;

	*locked = 0;
	if (!space)
		return lock_nothing(operation);
	err = functions[operation](space, first, end, locked);
	wr_space_put(space);
	return err;
}

/* WINREGION_LOCK */
int wr_ioctl_lock(struct wr_ioctl *call)
{
	struct winregion_lock *args = &call->args.lock;
	struct winregion_lock __user *user = call->user;
	unsigned long locked;
	pgoff_t first, end;
	int err;

	if (args->__reserved || args->operation > WINREGION_LOCK_COUNT)
		return -EINVAL;
	err = wr_ioctl_pages(args->address, args->length, &first, &end);
	if (!err)
		err = lock_in(call->mm, args->operation, first, end, &locked);
	if (err)
		return err;
	args->out_locked = (u64)locked << PAGE_SHIFT;
	err = wr_ioctl_write(&user->out_locked, &args->out_locked,
			     sizeof(args->out_locked));
	/* What has been done cannot be told, and stays so. */
	return args->operation == WINREGION_LOCK_COUNT ? err : 0;
}
