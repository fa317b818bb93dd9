// SPDX-License-Identifier: GPL-2.0
/*
 * The ranges of one call may overlap, and change one after the other, but a page
 * is only looked at once: the last range that has it decides. So the ranges are
 * cut at each other's edges into spans that do not overlap, at most two for each
 * range. That takes time by the number of ranges, not by how large they are.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "overlap.h"

#define NO_RANGE 0xffff

/**
 * struct edge - where a range begins or ends
 * @at: its first page, or the page behind its last
 * @nr: which range
 * @begins: which of both
 */
struct edge {
	pgoff_t at;
	u16 nr;
	bool begins;
};

/**
 * struct wr_overlap - ranges that may overlap, and what they come to
 * @changes: the ranges in the order of the call
 * @spans: by address; room for two for each range
 * @edges: room for two for each range
 * @before: for each range the last one before it that has its first page as well, or
 *	NO_RANGE
 * @open: the ranges that have the page that was come to
 *
 * Used by one call only, so there is no lock.
 */
struct wr_overlap {
	struct wr_change *changes;
	struct wr_change *spans;
	struct edge *edges;
	u16 *before;
	DECLARE_BITMAP(open, WINREGION_MAX_RANGES);
};

/**
 * wr_overlap_alloc - make room for ranges that may overlap
 * @changes: the ranges
 * @nr: how many
 * @spans: set to where wr_overlap_resolve() will put what they come to
 *
 * Return: the room, or NULL if there is no memory.
 */
struct wr_overlap *wr_overlap_alloc(struct wr_change *changes, unsigned int nr,
				    struct wr_change **spans)
{
	struct wr_overlap *overlap;
	size_t size;

	size = sizeof(*overlap) +
	       nr * (2 * sizeof(*overlap->spans) + 2 * sizeof(*overlap->edges) +
		     sizeof(*overlap->before));
	overlap = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!overlap)
		return NULL;
	overlap->changes = changes;
	overlap->spans = (struct wr_change *)(overlap + 1);
	overlap->edges = (struct edge *)(overlap->spans + 2 * nr);
	overlap->before = (u16 *)(overlap->edges + 2 * nr);
	*spans = overlap->spans;
	return overlap;
}

/* @overlap: may be NULL */
void wr_overlap_free(struct wr_overlap *overlap)
{
	kvfree(overlap);
}

/* Where a range ends another may begin: the page there is in one of them. */
static int compare(const void *a, const void *b)
{
	const struct edge *left = a, *right = b;

	if (left->at != right->at)
		return left->at < right->at ? -1 : 1;
	return left->begins - right->begins;
}

static void sort_edges(struct wr_overlap *overlap, unsigned int nr)
{
	struct edge *edge = overlap->edges;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		*edge++ = (struct edge){ overlap->changes[i].first, i, true };
		*edge++ = (struct edge){ overlap->changes[i].end, i, false };
	}
	sort(overlap->edges, 2 * nr, sizeof(*edge), compare, NULL);
}

/* The last range below @nr that is open, or NO_RANGE. */
static u16 last_open(struct wr_overlap *overlap, unsigned int nr)
{
	unsigned long last = find_last_bit(overlap->open, nr);

	return last < nr ? last : NO_RANGE;
}

/* All that begin at the edge @i are open now. Return: the next edge elsewhere. */
static unsigned int pass_edges(struct wr_overlap *overlap, unsigned int i,
			       unsigned int end)
{
	struct edge *edges = overlap->edges;
	unsigned int first = i;

	for (; i < end && edges[i].at == edges[first].at; i++)
		__assign_bit(edges[i].nr, overlap->open, edges[i].begins);
	for (end = i, i = first; i < end; i++)
		if (edges[i].begins)
			overlap->before[edges[i].nr] =
				last_open(overlap, edges[i].nr);
	return end;
}

/**
 * wr_overlap_resolve - cut ranges into spans that do not overlap
 * @overlap: the ranges
 * @nr: how many of them, from the first on
 *
 * Return: how many spans there are now.
 */
unsigned int wr_overlap_resolve(struct wr_overlap *overlap, unsigned int nr)
{
	struct wr_change *span = overlap->spans - 1;
	unsigned int i = 0, next;
	u16 last, prev = NO_RANGE;

	bitmap_zero(overlap->open, WINREGION_MAX_RANGES);
	sort_edges(overlap, nr);
	for (; i < 2 * nr; i = next, prev = last) {
		next = pass_edges(overlap, i, 2 * nr);
		last = last_open(overlap, nr);
		if (last == NO_RANGE)
			continue;
		if (last != prev) {
			*++span = overlap->changes[last];
			span->first = overlap->edges[i].at;
		}
		span->end = overlap->edges[next].at;
	}
	return span + 1 - overlap->spans;
}

/* The range before range @nr that has its first page as well, or NULL. */
struct wr_change *wr_overlap_before(struct wr_overlap *overlap, unsigned int nr)
{
	u16 before = overlap->before[nr];

	return before == NO_RANGE ? NULL : &overlap->changes[before];
}
