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

/* What is left of a range that loses its middle is two. */
void ranges_remove(struct ranges *ranges, uint64_t first, uint64_t end)
{
	size_t i = find(ranges, first), gone = 0;
	struct range behind;

	if (i < ranges->nr && ranges->list[i].first < first) {
		behind = ranges->list[i];
		ranges->list[i++].end = first;
		behind.first = first;
		insert(ranges, i, &behind);
	}
	while (i + gone < ranges->nr && ranges->list[i + gone].end <= end)
		gone++;
	if (i + gone < ranges->nr && ranges->list[i + gone].first < end)
		ranges->list[i + gone].first = end;
	memmove(&ranges->list[i], &ranges->list[i + gone],
		(ranges->nr - i - gone) * sizeof(*ranges->list));
	ranges->nr -= gone;
}

void ranges_clear(struct ranges *ranges)
{
	free(ranges->list);
	memset(ranges, 0, sizeof(*ranges));
}
