// SPDX-License-Identifier: GPL-2.0
/*
 * WINREGION_WRITE_WATCH.
 */
#include <linux/bitops.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "space.h"
#include "watch.h"

/*
 * The addresses of pages from @addr on, one for each bit. Return: where the next ones
 * go, or NULL.
 */
static u64 __user *write_pages(u64 __user *user, unsigned long addr,
			       unsigned long bits)
{
	if (!user_write_access_begin(user, hweight_long(bits) * sizeof(*user)))
		return NULL;
	for (; bits; bits &= bits - 1)
		unsafe_put_user(addr + (__ffs(bits) << PAGE_SHIFT), user++,
				fault);
	user_write_access_end();
	return user;
fault:
	user_write_access_end();
	return NULL;
}

/* Those of one slot. */
static u64 __user *write_told(u64 __user *user, struct wr_told *told)
{
	unsigned long addr = wr_address(told->first);
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(WR_SLOT_PAGES) && user; i++) {
		if (told->pages[i])
			user = write_pages(user, addr, told->pages[i]);
		addr += BITS_PER_LONG << PAGE_SHIFT;
	}
	return user;
}

static int write_all_told(u64 __user *user, struct wr_telling *telling)
{
	struct wr_told *told;

	list_for_each_entry(told, &telling->told, list) {
		user = write_told(user, told);
		if (!user)
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

static int write_answer(struct wr_ioctl *call, struct wr_telling *telling)
{
	struct winregion_write_watch *args = &call->args.write_watch;
	int err = 0;

	if (args->flags & WINREGION_WATCH_GET) {
		err = write_all_told(u64_to_user_ptr(args->pages), telling);
		args->nr_pages = telling->nr;
	}
	args->out_granularity = PAGE_SIZE;
	return err ? err : wr_ioctl_write(call->user, args, sizeof(*args));
}

static int tell(struct wr_ioctl *call, struct wr_telling *telling)
{
	struct wr_space *space = wr_space_find(call->mm);
	int err;

	if (!space)
		return -ENOENT;
	err = wr_watch_tell(space, telling);
	if (!err) {
		err = write_answer(call, telling);
		if (err)
			wr_watch_undo(telling);
	}
	wr_watch_end(telling);
	wr_space_put(space);
	return err;
}

/* WINREGION_WRITE_WATCH */
int wr_ioctl_write_watch(struct wr_ioctl *call)
{
	struct winregion_write_watch *args = &call->args.write_watch;
	bool get = args->flags & WINREGION_WATCH_GET;
	struct wr_telling telling = {
		.room = get ? args->nr_pages : ULONG_MAX,
		.reset = args->flags & WINREGION_WATCH_RESET,
		.told = LIST_HEAD_INIT(telling.told),
	};
	int err;

	if (!args->flags || args->__reserved || get != !!args->nr_pages ||
	    (!get && args->pages))
		return -EINVAL;
	err = wr_ioctl_pages(call, args->address, args->length, &telling.first,
			     &telling.end);
	return err ? err : tell(call, &telling);
}
