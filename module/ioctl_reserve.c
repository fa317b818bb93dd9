// SPDX-License-Identifier: GPL-2.0
/*
 * WINREGION_RESERVE, WINREGION_RELEASE and WINREGION_SET_STACK: the checks of their
 * arguments.
 */
#include <linux/uaccess.h>

#include "ioctl.h"
#include "large.h"
#include "region.h"
#include "runs.h"
#include "stack.h"
#include "states.h"

static bool limits_are_valid(const struct wr_ioctl *call)
{
	const struct winregion_reserve *args = &call->args.reserve;
	const u64 last = wr_highest_of(call->mm);
	u64 highest = args->highest ? args->highest : last;

	if (!IS_ALIGNED(args->lowest, WINREGION_GRANULARITY) ||
	    !IS_ALIGNED(highest + 1, PAGE_SIZE))
		return false;
	if (highest > last || args->lowest > highest)
		return false;
	return !args->alignment || (args->alignment >= WINREGION_GRANULARITY &&
				    !(args->alignment & (args->alignment - 1)));
}

static int parse_place(const struct wr_ioctl *call, struct wr_reserve *request)
{
	const struct winregion_reserve *args = &call->args.reserve;
	pgoff_t end;
	int err;

	request->bound = args->lowest || args->highest || args->alignment;
	if (args->address && request->bound)
		return -EINVAL;
	if (!limits_are_valid(call))
		return -EINVAL;
	request->fixed = args->address;
	request->lowest = max_t(u64, args->lowest, wr_lowest());
	request->highest = args->highest ? args->highest :
					   wr_highest_of(call->mm);
	request->alignment = max_t(u64, args->alignment,
				   request->large ? WINREGION_LARGE_PAGE :
						    WINREGION_GRANULARITY);
	if (!args->address) {
		err = wr_ioctl_pages(call, wr_lowest(), args->length,
				     &request->first, &end);
	} else {
		err = wr_ioctl_pages(call, args->address, args->length,
				     &request->first, &end);
		if (!request->replace)
			request->first =
				round_down(request->first, WR_UNIT_PAGES);
	}
	request->pages = end - request->first;
	return err;
}

/* A placeholder has no pages of its own, and is not looked for. */
static int parse_placeholder(const struct winregion_reserve *args,
			     struct wr_reserve *request)
{
	request->placeholder = args->flags & WINREGION_RESERVE_PLACEHOLDER;
	request->replace = args->flags & WINREGION_RESERVE_REPLACE;
	if (request->placeholder && (request->replace || request->commit))
		return -EINVAL;
	if (request->replace && !args->address)
		return -EINVAL;
	if (request->placeholder && request->watched)
		return -EINVAL;
	if ((request->placeholder || request->replace) && request->stack)
		return -EINVAL;
	if (request->placeholder && args->protection != WINREGION_NOACCESS)
		return -EDOM;
	return 0;
}

/* A placeholder has no pages that could be anywhere. */
static int parse_node(const struct winregion_reserve *args,
		      struct wr_reserve *request)
{
	bool given = args->flags & WINREGION_RESERVE_NODE;

	if (given && request->placeholder)
		return -EINVAL;
	return wr_ioctl_node(given, args->node, &request->node);
}

/* Large pages lie as the processor maps them, and are there from the start. */
static int parse_large(const struct winregion_reserve *args,
		       struct wr_reserve *request)
{
	const u32 flags = WINREGION_RESERVE_COMMIT |
			  WINREGION_RESERVE_LARGE_PAGES;
	const u32 others = WINREGION_RESERVE_TOP_DOWN | WINREGION_RESERVE_NODE;
	const u32 modifiers = WINREGION_GUARD | WINREGION_NOCACHE |
			      WINREGION_WRITECOMBINE;

	request->large = args->flags & WINREGION_RESERVE_LARGE_PAGES;
	if (!request->large)
		return 0;
	if ((args->flags & ~others) != flags ||
	    !IS_ALIGNED(args->address | args->length, WINREGION_LARGE_PAGE))
		return -EINVAL;
	if (args->protection & modifiers || !wr_large_allows(request->state))
		return -EDOM;
	return 0;
}

/* What is in it are frames, by another call, which can be written. */
static int parse_physical(const struct winregion_reserve *args,
			  struct wr_reserve *request)
{
	request->physical = args->flags & WINREGION_RESERVE_PHYSICAL;
	if (!request->physical)
		return 0;
	if (args->flags &
	    ~(WINREGION_RESERVE_PHYSICAL | WINREGION_RESERVE_TOP_DOWN))
		return -EINVAL;
	return args->protection == WINREGION_READWRITE ? 0 : -EDOM;
}

static int parse_reserve(const struct wr_ioctl *call,
			 struct wr_reserve *request)
{
	const struct winregion_reserve *args = &call->args.reserve;
	int err;

	err = wr_protection_state(args->protection, &request->state);
	if (err)
		return err;
	if (wr_state_copies(request->state))
		return -EDOM;
	request->protection = wr_protection_sticky(args->protection);
	request->top_down = args->flags & WINREGION_RESERVE_TOP_DOWN;
	request->commit = args->flags & WINREGION_RESERVE_COMMIT;
	request->watched = args->flags & WINREGION_RESERVE_WRITE_WATCH;
	request->exec = wr_exec_is_by_page() &&
			wr_state_is_exec(request->state);
	request->stack = args->flags & WINREGION_RESERVE_STACK;
	err = parse_physical(args, request);
	if (!err)
		err = parse_large(args, request);
	if (!err)
		err = parse_placeholder(args, request);
	if (!err)
		err = parse_node(args, request);
	if (err)
		return err;
	if (request->stack && args->protection != WINREGION_READWRITE)
		return -EDOM;
	return parse_place(call, request);
}

/* What is to be reserved in which address space */
struct reserve_in {
	struct mm_struct *mm;
	struct wr_reserve request;
};

static int reserve(void *data)
{
	struct reserve_in *in = data;
	struct wr_space *space = wr_space_get_for(in->mm);
	int err;

	if (!space)
		return -ENOMEM;
	err = wr_reserve(space, &in->request);
	wr_space_put(space);
	return err;
}

static int unreserve(void *data)
{
	struct reserve_in *in = data;
	struct wr_space *space = wr_space_find(in->mm);

	if (!space)
		return 0;
	wr_unreserve(space, &in->request);
	wr_space_put(space);
	return 0;
}

static const struct wr_remote_ops reserve_ops = {
	.act = reserve,
	.size = sizeof(struct reserve_in),
};

static const struct wr_remote_ops unreserve_ops = {
	.act = unreserve,
	.size = sizeof(struct reserve_in),
};

/* WINREGION_RESERVE */
int wr_ioctl_reserve(struct wr_ioctl *call)
{
	struct winregion_reserve *args = &call->args.reserve;
	struct reserve_in in = { .mm = call->mm };
	int err;

	err = parse_reserve(call, &in.request);
	if (!err)
		err = wr_remote_or_here(call->mm, call->remote, &reserve_ops,
					&in);
	if (err)
		return err;
	args->address = (u64)in.request.first << PAGE_SHIFT;
	args->length = (u64)in.request.pages << PAGE_SHIFT;
	err = wr_ioctl_write(call->user, args, sizeof(*args));
	if (err)
		wr_remote_or_here(call->mm, call->remote, &unreserve_ops, &in);
	return err;
}

/* What is to be released in which address space; @pages: 0, or how many */
struct release_in {
	struct mm_struct *mm;
	u32 flags;
	pgoff_t first;
	unsigned long pages;
};

static int release(void *data)
{
	struct release_in *in = data;
	struct wr_space *space = wr_space_find(in->mm);
	bool coalesce = in->flags & WINREGION_RELEASE_COALESCE;
	int err;

	if (!space)
		return coalesce ? -EBADSLT : -ENOENT;
	if (coalesce)
		err = wr_placeholder_coalesce(space, in->first, in->pages);
	else
		err = wr_release(space, in->first, &in->pages,
				 in->flags & WINREGION_RELEASE_PRESERVE);
	wr_space_put(space);
	return err;
}

static const struct wr_remote_ops release_ops = {
	.act = release,
	.size = sizeof(struct release_in),
};

/* A placeholder is told in full, as what it is may be what is asked for. */
static int parse_release(const struct wr_ioctl *call, pgoff_t *first,
			 pgoff_t *end)
{
	const struct winregion_release *args = &call->args.release;

	if (!args->flags)
		return wr_ioctl_region_pages(call, args->address, args->length,
					     first, end);
	if (args->flags & (args->flags - 1))
		return -EINVAL;
	return wr_ioctl_pages(call, args->address, args->length, first, end);
}

/* WINREGION_RELEASE */
int wr_ioctl_release(struct wr_ioctl *call)
{
	struct winregion_release __user *user = call->user;
	struct winregion_release *args = &call->args.release;
	struct release_in in = { .mm = call->mm, .flags = args->flags };
	pgoff_t end;
	int err;

	err = parse_release(call, &in.first, &end);
	if (err)
		return err;
	in.pages = end - in.first;
	err = wr_remote_or_here(call->mm, call->remote, &release_ops, &in);
	if (err)
		return err;
	/* It may lie in what is gone now; and done is done. */
	put_user((u64)in.first << PAGE_SHIFT, &user->address);
	put_user((u64)in.pages << PAGE_SHIFT, &user->length);
	return 0;
}

static int set_stack_in(struct mm_struct *mm, pgoff_t index,
			unsigned long guarantee, bool leaps)
{
	struct wr_space *space = wr_space_find(mm);
	int err;

	if (!space)
		return -ENOENT;
	err = wr_stack_set(space, index, guarantee, leaps);
	wr_space_put(space);
	return err;
}

/* WINREGION_SET_STACK */
int wr_ioctl_set_stack(struct wr_ioctl *call)
{
	struct winregion_set_stack *args = &call->args.set_stack;
	unsigned long guarantee = args->guarantee >> PAGE_SHIFT;
	pgoff_t first, end;
	int err;

	err = wr_ioctl_pages(call, args->address, 1, &first, &end);
	if (err)
		return err;
	guarantee += !IS_ALIGNED(args->guarantee, PAGE_SIZE);
	return set_stack_in(call->mm, first, guarantee,
			    args->flags & WINREGION_STACK_LEAPS);
}
