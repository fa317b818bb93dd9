// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which memory was allocated by whom
 */
#include <stdlib.h>
#include <string.h>

#include "stacks.h"

static void insert(struct ranges *ranges, size_t at, const struct range *range)
{
	if (ranges->nr == ranges->room) {
		ranges->room = 2 * ranges->room + 16;
		ranges->list = realloc(ranges->list,
				       ranges->room * sizeof(*ranges->list));
		if (!ranges->list)
			abort();
	}
	memmove(&ranges->list[at + 1], &ranges->list[at],
		(ranges->nr - at) * sizeof(*range));
	ranges->list[at] = *range;
	ranges->nr++;
}

/* The first one that ends behind @address */
static size_t find(const struct ranges *ranges, uint64_t address)
{
	size_t low = 0, high = ranges->nr, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (ranges->list[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
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
	struct range piece = *range;
	size_t i = find(ranges, range->first);
	uint64_t added = 0;

	while (piece.first < range->end) {
		piece.end = range->end;
		if (i < ranges->nr && ranges->list[i].first < range->end)
			piece.end = ranges->list[i].first;
		if (piece.first < piece.end) {
			insert(ranges, i++, &piece);
			added += piece.end - piece.first;
		}
		if (piece.end == range->end)
			break;
		piece.first = ranges->list[i++].end;
	}
	return added;
}

/* The part of a range that is between two addresses goes. */
static void tell(const struct range *range, uint64_t first, uint64_t end,
		 ranges_gone gone)
{
	struct range part = *range;

	if (part.first < first)
		part.first = first;
	if (part.end > end)
		part.end = end;
	if (part.first < part.end)
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
	size_t i = find(ranges, first), nr_gone = 0, j;
	struct range behind;

	for (j = i; j < ranges->nr && ranges->list[j].first < end; j++)
		tell(&ranges->list[j], first, end, gone);
	if (i < ranges->nr && ranges->list[i].first < first) {
		behind = ranges->list[i];
		ranges->list[i++].end = first;
		behind.first = first;
		insert(ranges, i, &behind);
	}
	while (i + nr_gone < ranges->nr && ranges->list[i + nr_gone].end <= end)
		nr_gone++;
	if (i + nr_gone < ranges->nr && ranges->list[i + nr_gone].first < end)
		ranges->list[i + nr_gone].first = end;
	memmove(&ranges->list[i], &ranges->list[i + nr_gone],
		(ranges->nr - i - nr_gone) * sizeof(*ranges->list));
	ranges->nr -= nr_gone;
}

void ranges_clear(struct ranges *ranges)
{
	free(ranges->list);
	memset(ranges, 0, sizeof(*ranges));
}
