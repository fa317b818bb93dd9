// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Large blocks: each is a region alone
 *
 * What a program frees is often followed by another one of about that size. So the
 * regions of some are kept, with their memory, for those that come next: about one, or a
 * part of what large blocks have at the moment. Nobody finds them meanwhile. A heap that
 * is to end the process if it finds itself broken keeps none: who uses a block that has
 * been freed has a fault then.
 */
#include "block.h"

/* How much is kept: so many bytes, or such a part of what is in use, up to a limit */
#define KEEP (2UL * 1024 * 1024)
#define KEEP_PART 2
#define KEEP_MOST (32UL * 1024 * 1024)
#define MOST_KEPT 8
/* How much larger than a block its region may be: by such a part of it */
#define LEFT_PART 2

static size_t whole_size(size_t size)
{
	return wr_round_up(WR_LARGE_HEAD + size + WR_TAIL, WR_PAGE);
}

/* ---- what is kept ---- */

static size_t may_keep(const struct wr_heap *heap)
{
	size_t most = heap->large_bytes / KEEP_PART;

	if (wr_heap_ends)
		return 0;
	if (most < KEEP)
		return KEEP;

	return most < KEEP_MOST ? most : KEEP_MOST;
}

/* The smallest one that has @whole bytes, and not too many more, or NULL */
static struct wr_region *find_kept(const struct wr_heap *heap, size_t whole)
{
	struct wr_region *region, *found = NULL;
	size_t most = whole + whole / LEFT_PART;

	for (region = heap->kept.first; region; region = region->next) {
		if (region->committed < whole || region->committed > most)
			continue;
		found = region;
		most = region->committed - 1;
	}

	return found;
}

static void keep(struct wr_heap *heap, struct wr_region *region)
{
	wr_region_hide(region);
	wr_region_take_out(&heap->larges, region);
	wr_region_add(&heap->kept, region);
	heap->kept_bytes += region->committed;
	heap->nr_kept++;
}

static void no_longer_kept(struct wr_heap *heap, struct wr_region *region)
{
	heap->kept_bytes -= region->committed;
	heap->nr_kept--;
	wr_region_take_out(&heap->kept, region);
}

/* The oldest ones go until no more is kept than that. */
static void keep_at_most(struct wr_heap *heap, size_t bytes)
{
	struct wr_region *region;

	while (heap->kept_bytes > bytes || heap->nr_kept > MOST_KEPT) {
		region = heap->kept.first;
		no_longer_kept(heap, region);
		wr_region_release(NULL, region);
	}
}

void wr_large_trim(struct wr_heap *heap)
{
	keep_at_most(heap, 0);
}

/* ---- blocks ---- */

static struct wr_region *new_region(struct wr_heap *heap, size_t whole)
{
	struct wr_region *region = wr_region_new_large(heap, whole);

	if (region || !heap->nr_kept)
		return region;
	/* What is kept may be what is missing. */
	wr_large_trim(heap);

	return wr_region_new_large(heap, whole);
}

static struct wr_region *get_region(struct wr_heap *heap, size_t whole,
				    bool zeroed)
{
	struct wr_region *region = zeroed ? NULL : find_kept(heap, whole);

	if (!region)
		return new_region(heap, whole);
	no_longer_kept(heap, region);
	wr_region_show(region);

	return region;
}

void *wr_large_new(struct wr_heap *heap, size_t size, bool zeroed)
{
	size_t whole = whole_size(size);
	struct wr_region *region;

	region = whole > size ? get_region(heap, whole, zeroed) : NULL;
	if (!region)
		return NULL;
	region->asked = size;
	wr_store(region->base + WR_LARGE_HEAD + size, WR_FENCE);
	wr_region_add(&heap->larges, region);
	heap->large_bytes += region->committed;

	return region->base + WR_LARGE_HEAD;
}

/* One that has become small is for no large block. */
static bool is_worth_it(const struct wr_heap *heap, struct wr_region *region)
{
	return region->committed >= WR_LARGE &&
	       region->committed <= may_keep(heap) &&
	       wr_region_is_plain(region);
}

void wr_large_free(struct wr_heap *heap, struct wr_region *region)
{
	heap->large_bytes -= region->committed;
	if (is_worth_it(heap, region))
		keep(heap, region);
	else
		wr_region_release(&heap->larges, region);
	keep_at_most(heap, may_keep(heap));
}

/* It keeps its place, and if it gets smaller its region no more than it has. */
bool wr_large_resize(struct wr_heap *heap, struct wr_region *region,
		     char *block, size_t size)
{
	size_t whole = whole_size(size);
	bool smaller = size < region->asked;

	if (whole < size || whole > region->committed)
		return false;
	region->asked = size;
	wr_store(block + size, WR_FENCE);
	if (!smaller)
		return true;
	heap->large_bytes -= region->committed;
	wr_region_decommit(region, whole);
	heap->large_bytes += region->committed;

	return true;
}
