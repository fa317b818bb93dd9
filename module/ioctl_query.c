// SPDX-License-Identifier: GPL-2.0
/*
 * WINREGION_QUERY, WINREGION_QUERY_RUNS and WINREGION_LAST_FAULT.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "query.h"
#include "space.h"

/* Runs that one step of WINREGION_QUERY_RUNS collects: a page of them. */
#define RUNS_AT_ONCE (PAGE_SIZE / sizeof(struct winregion_run))

/* WINREGION_QUERY */
int wr_ioctl_query(struct wr_ioctl *call)
{
	struct winregion_query *args = &call->args.query;
	struct winregion_query __user *user = call->user;
	struct wr_space *space;
	u64 next = args->address;
	int n;

	if (args->address > wr_highest_of(call->mm))
		return -EADDRNOTAVAIL;
	space = wr_space_find(call->mm);
	n = wr_query_runs(call->mm, space, &next, next, args->flags, &args->out,
			  1);
	if (space)
		wr_space_put(space);
	if (n < 0)
		return n;
	return wr_ioctl_write(&user->out, &args->out, sizeof(args->out));
}

static int query_runs(struct wr_ioctl *call, struct wr_space *space,
		      struct winregion_run *buffer)
{
	struct winregion_query_runs *args = &call->args.query_runs;
	struct winregion_run __user *user = u64_to_user_ptr(args->runs);
	unsigned int done = 0, max;
	int n;

	do {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		max = min_t(unsigned int, args->nr_runs - done, RUNS_AT_ONCE);
		n = wr_query_runs(call->mm, space, &args->address, args->last,
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

static int check_query_runs(struct wr_ioctl *call)
{
	struct winregion_query_runs *args = &call->args.query_runs;

	if (args->__reserved || !args->nr_runs)
		return -EINVAL;
	if (args->last > wr_highest_of(call->mm) || args->address > args->last)
		return -EADDRNOTAVAIL;
	return 0;
}

/* WINREGION_QUERY_RUNS */
int wr_ioctl_query_runs(struct wr_ioctl *call)
{
	struct winregion_run *buffer;
	struct wr_space *space;
	int err;

	err = check_query_runs(call);
	if (err)
		return err;
	buffer = kmalloc_array(RUNS_AT_ONCE, sizeof(*buffer),
			       GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;
	space = wr_space_find(call->mm);
	err = query_runs(call, space, buffer);
	if (space)
		wr_space_put(space);
	kfree(buffer);
	if (err)
		return err;
	return wr_ioctl_write(call->user, &call->args.query_runs,
			      sizeof(call->args.query_runs));
}

/* WINREGION_LAST_FAULT */
int wr_ioctl_last_fault(struct wr_ioctl *call)
{
	struct winregion_last_fault *last = &call->args.last_fault;
	struct wr_space *space;

	*last = (struct winregion_last_fault){ .size = last->size };
	wr_peek_begin();
	space = wr_space_peek(call->mm);
	if (space)
		wr_record_read(&space->records, last);
	wr_peek_end();
	return wr_ioctl_write(call->user, last, sizeof(*last));
}
