// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Blocks of programs
 *
 * Behind the bytes that a program has asked for are some that it may not write, up
 * to the end of the piece that the allocator has cut. The first of them are known
 * ones; the last word is how many bytes it has asked for, hidden by a key and by
 * where the block is. In a large block, the known ones are all there is.
 */
#include "block.h"

/*
 * A region of that size with so few blocks may soon have none, and go, unless threads
 * keep some of them.
 */
#define SPARSE (512UL * 1024)
#define FEW 512
#define MANY 1024

/* ---- is it one? ---- */

bool wr_block_is_kept(const struct wr_heap *heap,
		      const struct wr_region *region, const void *block)
{
	size_t room = wr_blocks_room(region, block);

	return room > WR_TAIL &&
	       wr_says_kept(wr_mask_of(heap, block), block, room);
}

struct wr_region *wr_block_find(const struct wr_heap *heap, const void *block)
{
	struct wr_region *region = wr_region_at(block);

	if (!region || region->heap != heap)
		return NULL;
	if (region->large)
		return (char *)block == region->base + WR_LARGE_HEAD ? region :
								       NULL;

	return wr_begins(region, block) &&
			       !wr_block_is_kept(heap, region, block) ?
		       region :
		       NULL;
}

/* ---- how long is it? ---- */

bool wr_block_size(const struct wr_heap *heap, const struct wr_region *region,
		   const void *block, size_t *size)
{
	size_t room;

	if (region->large) {
		*size = region->asked;
		return wr_load((const char *)block + *size) == WR_FENCE;
	}
	room = wr_blocks_room(region, block);
	if (room < WR_TAIL)
		return false;

	return wr_read_end(wr_mask_of(heap, block), block, room, size);
}

struct wr_region *wr_block_look(const struct wr_heap *heap, const void *block,
				size_t *size)
{
	struct wr_region *region = wr_region_at(block);

	if (!region || region->heap != heap)
		return NULL;
	if (region->large ? (char *)block != region->base + WR_LARGE_HEAD :
			    !wr_begins(region, block))
		return NULL;

	/* What a thread keeps has no end that says a size. */
	return wr_block_size(heap, region, block, size) ? region : NULL;
}

/* ---- made, freed, resized ---- */

void wr_block_counts(struct wr_region *region, size_t nr)
{
	region->blocks += nr;
	if (region->blocks <= MANY)
		return;
	region->sparse = false;
	region->flushed = false;
}

void *wr_block_new(struct wr_heap *heap, size_t size, size_t align, bool zeroed)
{
	struct wr_region *region;
	char *block;

	if (heap->max && size >= WR_FIXED_LARGE)
		return NULL;
	if (wr_is_large(heap, size) && align <= 64)
		return wr_large_new(heap, size, zeroed);
	block = wr_blocks_new(heap, size + WR_TAIL, align);
	if (!block && heap->nr_kept) {
		wr_large_trim(heap);
		block = wr_blocks_new(heap, size + WR_TAIL, align);
	}
	if (!block)
		return NULL;
	region = wr_region_at(block);
	wr_write_end(wr_mask_of(heap, block), block, size, wr_room_of(block));
	wr_set_begins(region, block, true);
	wr_block_counts(region, 1);

	return block;
}

void wr_block_free(struct wr_heap *heap, struct wr_region *region, void *block)
{
	bool empty;

	if (region->large) {
		wr_large_free(heap, region);
		return;
	}
	wr_erase_end(block);
	wr_set_begins(region, block, false);
	region->blocks--;
	if (region->blocks < FEW && region->committed > SPARSE)
		region->sparse = true;
	empty = !region->blocks && region->prev && region->next;
	heap->has_holes = true;
	/* Now and then the allocator gives back by itself what is empty: the region, too. */
	wr_blocks_free(heap, block);
	wr_blocks_trim(heap, empty);
}

bool wr_block_resize(struct wr_heap *heap, struct wr_region *region,
		     void *block, size_t size)
{
	uint64_t end;

	if (region->large)
		return wr_large_resize(heap, region, block, size);
	if ((heap->max && size >= WR_FIXED_LARGE) || wr_is_large(heap, size))
		return false;
	end = wr_erase_end(block);
	if (!wr_blocks_resize(heap, block, size + WR_TAIL)) {
		wr_store(wr_end_of(block), end);
		return false;
	}
	wr_write_end(wr_mask_of(heap, block), block, size, wr_room_of(block));

	return true;
}
