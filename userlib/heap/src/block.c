// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Blocks of programs
 *
 * Behind the bytes that a program has asked for are some that it may not write, up
 * to the end of the piece that the allocator has cut. The first of them are known
 * ones; the last word is how many bytes it has asked for, hidden by a key and by
 * where the block is. In a large block, the known ones are all there is.
 */
#include "heap.h"

#include <string.h>

/* In the eight bytes behind a block, as far as the last word leaves them */
#define FENCE 0xFDFDFDFDFDFDFDFDULL

static uint64_t mask_of(const struct wr_heap *heap, const void *block)
{
	return heap->key ^ (uintptr_t)block * 0x9E3779B97F4A7C15ULL;
}

/*
 * How the size is written, and read again: a change of any one bit makes it another
 * size altogether, as the one number is the inverse of the other.
 */
#define WRITTEN 0x9E3779B97F4A7C15ULL
#define READ 0xF1DE83E19937733DULL

static uint64_t load(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static void store(char *at, uint64_t word)
{
	memcpy(at, &word, sizeof(word));
}

/* ---- is it one? ---- */

static bool begins(const struct wr_region *region, const char *block)
{
	size_t offset = block - region->base;
	size_t nr = offset / WR_ALIGN;

	return offset < region->committed && !(offset % WR_ALIGN) &&
	       region->begins[nr / 64] >> (nr % 64) & 1;
}

static void set_begins(struct wr_region *region, const char *block, bool set)
{
	size_t nr = (block - region->base) / WR_ALIGN;

	if (set)
		region->begins[nr / 64] |= 1ULL << (nr % 64);
	else
		region->begins[nr / 64] &= ~(1ULL << (nr % 64));
}

struct wr_region *wr_block_find(const struct wr_heap *heap, const void *block)
{
	struct wr_region *region = wr_region_at(block);

	if (!region || region->heap != heap)
		return NULL;
	if (region->large)
		return (char *)block == region->base + WR_LARGE_HEAD ? region :
								       NULL;

	return begins(region, block) ? region : NULL;
}

/* ---- how long is it? ---- */

/* @room: of its piece */
static void write_end(const struct wr_heap *heap, char *block, size_t size,
		      size_t room)
{
	store(block + size, FENCE);
	store(block + room - WR_TAIL, size * WRITTEN ^ mask_of(heap, block));
}

static bool is_whole(const char *block, size_t size, size_t slack)
{
	uint64_t changed = load(block + size) ^ FENCE;

	if (slack < 8)
		changed &= (1ULL << (8 * slack)) - 1;

	return !changed;
}

bool wr_block_size(const struct wr_heap *heap, const struct wr_region *region,
		   const void *block, size_t *size)
{
	size_t room;

	if (region->large) {
		*size = region->asked;
		return load((const char *)block + *size) == FENCE;
	}
	room = wr_blocks_room(region, block);
	if (room < WR_TAIL)
		return false;
	room -= WR_TAIL;
	*size = (load((const char *)block + room) ^ mask_of(heap, block)) *
		READ;

	return *size <= room && room - *size <= WR_MAX_SLACK &&
	       is_whole(block, *size, room - *size);
}

/* ---- large ones ---- */

static void *new_large(struct wr_heap *heap, size_t size)
{
	struct wr_region *region;
	size_t whole;

	whole = wr_round_up(WR_LARGE_HEAD + size + WR_TAIL, WR_PAGE);
	region = whole > size ? wr_region_new_large(heap, whole) : NULL;
	if (!region)
		return NULL;
	region->asked = size;
	store(region->base + WR_LARGE_HEAD + size, FENCE);
	wr_region_add(&heap->larges, region);

	return region->base + WR_LARGE_HEAD;
}

/* It keeps its place, and its region no more than it has. */
static bool resize_large(struct wr_region *region, char *block, size_t size)
{
	size_t whole;

	if (size > region->committed ||
	    WR_LARGE_HEAD + size + WR_TAIL > region->committed)
		return false;
	whole = wr_round_up(WR_LARGE_HEAD + size + WR_TAIL, WR_PAGE);
	region->asked = size;
	store(block + size, FENCE);
	wr_region_decommit(region, whole);

	return true;
}

/* ---- all ---- */

void *wr_block_new(struct wr_heap *heap, size_t size, size_t align)
{
	struct wr_region *region;
	char *block;

	if (heap->max && size >= WR_FIXED_LARGE)
		return NULL;
	if (size >= WR_LARGE && align <= 64)
		return new_large(heap, size);
	block = wr_blocks_new(heap, size + WR_TAIL, align);
	if (!block)
		return NULL;
	region = wr_region_at(block);
	write_end(heap, block, size, wr_blocks_room(region, block));
	set_begins(region, block, true);
	region->blocks++;

	return block;
}

void wr_block_free(struct wr_heap *heap, struct wr_region *region, void *block)
{
	if (region->large) {
		wr_region_release(&heap->larges, region);
		return;
	}
	set_begins(region, block, false);
	region->blocks--;
	wr_blocks_free(heap, block);
	wr_blocks_trim(heap, !region->blocks && region->prev && region->next);
}

bool wr_block_resize(struct wr_heap *heap, struct wr_region *region,
		     void *block, size_t size)
{
	if (region->large)
		return resize_large(region, block, size);
	if ((heap->max && size >= WR_FIXED_LARGE) ||
	    (!heap->max && size >= WR_LARGE) ||
	    !wr_blocks_resize(heap, block, size + WR_TAIL))
		return false;
	write_end(heap, block, size, wr_blocks_room(region, block));

	return true;
}
