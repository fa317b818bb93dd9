// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which memory was allocated by whom: a tree of ranges, none of which overlap, so that those
 * that do with another one are found as if they were the same
 */
#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>

#include "stacks.h"

static int compare(const void *a, const void *b)
{
	const struct range *first = a, *second = b;

	if (first->end <= second->first)
		return -1;
	return first->first >= second->end;
}

/* One that has something of @range, or NULL */
static struct range *find(const struct ranges *ranges,
			  const struct range *range)
{
	struct range **node = tfind(range, &ranges->tree, compare);

	return node ? *node : NULL;
}

/* There is nothing in it yet. */
static void insert(struct ranges *ranges, const struct range *range)
{
	struct range *copy = malloc(sizeof(*copy));

	if (!copy)
		abort();
	*copy = *range;
	if (!tsearch(copy, &ranges->tree, compare))
		abort();
	ranges->nr++;
}

/* What of a range is before and behind another one; both may be empty. */
static struct range before(const struct range *range, const struct range *other)
{
	return (struct range){ range->first, other->first, range->group };
}

static struct range behind(const struct range *range, const struct range *other)
{
	return (struct range){ other->end, range->end, range->group };
}

static bool is_empty(const struct range *range)
{
	return range->first >= range->end;
}

/**
 * ranges_add - allocate what is not allocated yet
 * @ranges: where
 * @range: what is there afterwards: what others have of it they keep
 *
 * Return: how many bytes are new
 */
uint64_t ranges_add(struct ranges *ranges, const struct range *range)
{
	struct range *other, left, right;

	if (is_empty(range))
		return 0;
	other = find(ranges, range);
	if (!other) {
		insert(ranges, range);
		return range->end - range->first;
	}
	left = before(range, other);
	right = behind(range, other);
	return ranges_add(ranges, &left) + ranges_add(ranges, &right);
}

/* One goes, but for what is not in @range. */
static void cut(struct ranges *ranges, struct range *one,
		const struct range *range, ranges_gone gone)
{
	struct range left = before(one, range), right = behind(one, range);
	struct range part = *one;

	tdelete(one, &ranges->tree, compare);
	free(one);
	ranges->nr--;
	if (!is_empty(&left)) {
		insert(ranges, &left);
		part.first = left.end;
	}
	if (!is_empty(&right)) {
		insert(ranges, &right);
		part.end = right.first;
	}
	gone(&part);
}

/**
 * ranges_remove - what is between two addresses is not allocated any more
 * @ranges: where. What is left of one that loses its middle is two.
 * @first: the first address
 * @end: behind the last one
 * @gone: is told of each range, or part of one, that goes
 */
void ranges_remove(struct ranges *ranges, uint64_t first, uint64_t end,
		   ranges_gone gone)
{
	struct range range = { first, end, 0 }, *one;

	while (!is_empty(&range) && (one = find(ranges, &range)))
		cut(ranges, one, &range, gone);
}

/**
 * struct walk - who is told
 * @seen: a function
 * @arg: for it
 */
struct walk {
	ranges_seen seen;
	void *arg;
};

static void visit(const void *node, VISIT which, void *arg)
{
	const struct walk *walk = arg;

	if (which == postorder || which == leaf)
		walk->seen(*(struct range *const *)node, walk->arg);
}

/* By address */
void ranges_walk(const struct ranges *ranges, ranges_seen seen, void *arg)
{
	struct walk walk = { seen, arg };

	twalk_r(ranges->tree, visit, &walk);
}

void ranges_clear(struct ranges *ranges)
{
	tdestroy(ranges->tree, free);
	*ranges = (struct ranges){};
}
