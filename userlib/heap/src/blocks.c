// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The allocator: dlmalloc, as it is in a source package of the distribution's, which
 * is compiled as a part of this file. Only its calls for spaces are used, and none of
 * its names is seen outside. It has all of a region at once, and writes to no part of
 * it that is not in use yet; so what is committed is as much as blocks need, which is
 * looked after here.
 */
#include "block.h"

#include <winregion/errhandlingapi.h>

static char *more_memory(void *space, size_t *size);
static int give_back(char *base);
static void found_broken(void *space);

/* As its author has it, where the package has changed it */
#define __wasilibc_unmodified_upstream 1
#define ONLY_MSPACES 1
#define MSPACES 1
/* The lock is the heap's. */
#define USE_LOCKS 0
#define HAVE_MORECORE 0
#define HAVE_MREMAP 0
#define NO_MALLINFO 1
#define NO_MALLOC_STATS 1
#define DEFAULT_GRANULARITY WR_UNIT
#define DEFAULT_TRIM_THRESHOLD SIZE_MAX
#define DEFAULT_MMAP_THRESHOLD SIZE_MAX
#define MALLOC_ALIGNMENT WR_ALIGN
#define DLMALLOC_EXPORT static
#define MALLOC_FAILURE_ACTION
/* The functions that call these have the space in m or fm, and the size in a variable. */
#define MMAP(size) more_memory(m, &(size))
#define DIRECT_MMAP(size) MFAIL
#define MUNMAP(base, size) give_back((char *)(base))
#define PROCEED_ON_ERROR 0
#define CORRUPTION_ERROR_ACTION(m) found_broken(m)
#define USAGE_ERROR_ACTION(m, p) found_broken(m)
#include WR_DLMALLOC

_Static_assert(TOP_FOOT_SIZE <= WR_FOOT, "a region has place for its end");
_Static_assert(CHUNK_OVERHEAD == WR_HEAD && CINUSE_BIT == WR_HEAD_IN_USE,
	       "its words are looked at elsewhere, too");

/*
 * How much memory that is free is kept committed at the end: so many bytes, or such a part
 * of what is in front of it, from four times that on. A heap that wants to have back what
 * it has given up keeps twice as much the next time, up to a limit.
 */
#define KEEP (128UL * 1024)
#define KEEP_MOST (256UL * 1024)
#define KEEP_PART 16
#define KEEP_UNTIL 4
/* How much more than it needs is committed at once */
#define LEAST_STEP WR_UNIT
#define MOST_STEP (1024UL * 1024)
/* How large a region may be if it need not */
#define MOST_REGION (64UL * 1024 * 1024)
/* What the allocator needs beside a piece, at its front and behind it */
#define BESIDE 128UL
/* Of a piece, without its head */
#define LEAST_ROOM (WR_LEAST - WR_HEAD)
/* Blocks are for threads to keep (heap.h: reach) if there is so much behind them. */
#define BEHIND (BESIDE + WR_KEPT_MOST)

static struct wr_heap *heap_of(void *space)
{
	/* In the first 64 KiB of its first region */
	return (void *)((uintptr_t)space & ~(WR_UNIT - 1));
}

static mstate space_of(const struct wr_heap *heap)
{
	return heap->space;
}

static void found_broken(void *space)
{
	heap_of(space)->broken = true;
}

/* ---- memory for it ---- */

/* One of @size bytes or, where there is no place for that, of no less than @least */
static struct wr_region *new_region(struct wr_heap *heap, size_t size,
				    size_t least)
{
	DWORD error = GetLastError();
	struct wr_region *region = wr_region_new(heap, size, heap->protect);

	while (!region && size > least) {
		size = wr_round_up(size / 2, WR_UNIT);
		if (size < least)
			size = least;
		region = wr_region_new(heap, size, heap->protect);
		if (region)
			SetLastError(error);
	}

	return region;
}

/* A new region for the allocator, for at least *@size bytes; *@size: what it has */
static char *more_memory(void *space, size_t *size)
{
	struct wr_heap *heap = heap_of(space);
	struct wr_region *last = heap->regions.last;
	struct wr_region *region;
	size_t least = wr_round_up(*size + WR_UNIT, WR_UNIT);
	size_t wanted = MOST_REGION;

	/* What is left of the last one is ordinary memory from now on. */
	if (heap->max || !wr_region_commit(last, last->size))
		return CMFAIL;
	if (last->size < MOST_REGION / 2)
		wanted = 2 * last->size;
	if (wanted < least)
		wanted = least;
	region = new_region(heap, wanted, least);
	if (!region)
		return CMFAIL;
	if (!wr_region_commit(region, *size + BEHIND)) {
		wr_region_release(NULL, region);
		return CMFAIL;
	}
	wr_region_add(&heap->regions, region);
	*size = region->size + TOP_FOOT_SIZE;

	return region->base;
}

/* It asks so for regions that have no block in them, but for a heap's first and last. */
static int give_back(char *base)
{
	struct wr_region *region = wr_region_at(base);

	if (!region || region->base != base)
		return -1;
	wr_region_release(&region->heap->regions, region);

	return 0;
}

/* What was given up is wanted back. */
static void keep_more(struct wr_heap *heap)
{
	if (heap->trimmed && heap->keep < KEEP_MOST)
		heap->keep *= 2;
	heap->trimmed = false;
}

/* Commit as much behind the last block as a piece of @size bytes can need. */
static bool make_room(struct wr_heap *heap, size_t size)
{
	struct wr_region *region = heap->regions.last;
	size_t used = (char *)space_of(heap)->top - region->base;
	size_t wanted = used + size + BEHIND;
	size_t step = region->committed / 4;

	if (wanted <= region->committed)
		return true;
	keep_more(heap);
	if (wanted > region->size)
		return wr_region_commit(region, region->size);
	if (step < LEAST_STEP)
		step = LEAST_STEP;
	if (step > MOST_STEP)
		step = MOST_STEP;
	step = wr_round_up(region->committed + step, WR_PAGE);
	if (step < wanted)
		step = wanted;
	if (step > region->size)
		step = region->size;

	return wr_region_commit(region, step) ||
	       wr_region_commit(region, wanted);
}

void wr_blocks_trim(struct wr_heap *heap, bool all)
{
	struct wr_region *region = heap->regions.last;
	size_t used = (char *)space_of(heap)->top - region->base + BEHIND;
	size_t keep = used / KEEP_PART;

	if (all) {
		release_unused_segments(space_of(heap));
		wr_region_decommit(region, used);
		heap->keep = KEEP;
		return;
	}
	if (keep < heap->keep)
		keep = heap->keep;
	if (region->committed <= used + KEEP_UNTIL * keep)
		return;
	wr_region_decommit(region, used + keep);
	heap->trimmed = true;
}

void wr_blocks_init(struct wr_heap *heap)
{
	struct wr_region *region = heap->regions.first;
	size_t size = region->size - WR_SPACE + TOP_FOOT_SIZE;
	char *base = region->base + WR_SPACE;

	heap->keep = KEEP;
	heap->space = create_mspace_with_base(base, size, 0);
}

/* Its constants are filled in once, before there is more than one thread. */
__attribute__((constructor)) static void begin(void)
{
	ensure_initialization();
}

/* ---- pieces ---- */

void *wr_blocks_new(struct wr_heap *heap, size_t size, size_t align)
{
	struct wr_region *last = heap->regions.last;
	size_t committed = last->committed;
	void *piece;

	if (size < LEAST_ROOM)
		size = LEAST_ROOM;
	if (!make_room(heap, size + align))
		return NULL;
	if (align <= WR_ALIGN)
		piece = mspace_malloc(space_of(heap), size);
	else
		piece = mspace_memalign(space_of(heap), align, size);
	/* All of the region is committed for one that does not fit. */
	if (!piece)
		wr_region_decommit(last, committed);

	return piece;
}

/* One piece is cut, as ialloc() would. */
char *wr_blocks_new_many(struct wr_heap *heap, size_t bytes, size_t nr)
{
	size_t size = nr * bytes - CHUNK_OVERHEAD;
	mchunkptr chunk;
	char *first;

	if (!make_room(heap, size + WR_ALIGN))
		return NULL;
	first = mspace_malloc(space_of(heap), size);
	if (!first)
		return NULL;
	chunk = mem2chunk(first);
	size = chunksize(chunk);
	for (; nr > 1; nr--, size -= bytes) {
		set_size_and_pinuse_of_inuse_chunk(heap->space, chunk, bytes);
		chunk = chunk_plus_offset(chunk, bytes);
	}
	set_size_and_pinuse_of_inuse_chunk(heap->space, chunk, size);

	return first;
}

void wr_blocks_free(struct wr_heap *heap, void *piece)
{
	mspace_free(space_of(heap), piece);
}

bool wr_blocks_resize(struct wr_heap *heap, void *piece, size_t size)
{
	if (size < LEAST_ROOM)
		size = LEAST_ROOM;
	/* What fits into the piece as it is needs no memory. */
	if (size > chunksize(mem2chunk(piece)) - CHUNK_OVERHEAD &&
	    !make_room(heap, size))
		return false;

	return mspace_realloc_in_place(space_of(heap), piece, size);
}

/* Could a chunk of the allocator's be there? */
static bool is_within(const struct wr_region *region, const char *chunk)
{
	return chunk >= region->base &&
	       chunk < region->base + region->committed &&
	       !((uintptr_t)chunk2mem(chunk) % WR_ALIGN);
}

/* And one of that size? Of the one behind it, too, the first words can be read. */
static bool is_sane(const struct wr_region *region, mchunkptr chunk)
{
	const char *end = region->base + region->committed;
	size_t size = chunksize(chunk);

	/* The allocator's last one can reach into its own words. */
	if (region->committed == region->size)
		end += WR_FOOT;

	end -= TWO_SIZE_T_SIZES;
	return size >= MIN_CHUNK_SIZE && size <= (size_t)(end - (char *)chunk);
}

size_t wr_blocks_room(const struct wr_region *region, const void *piece)
{
	mchunkptr chunk = mem2chunk(piece);

	if (!is_sane(region, chunk) || !is_inuse(chunk) || is_mmapped(chunk))
		return 0;

	return chunksize(chunk) - CHUNK_OVERHEAD;
}

/* ---- one after the other ---- */

static mchunkptr first_chunk(struct wr_heap *heap, struct wr_region *region)
{
	if (region == heap->regions.first)
		return next_chunk(mem2chunk(heap->space));

	return align_as_chunk(region->base);
}

/* The chunk behind all others, of which only the front is committed */
static void tell_last(struct wr_region *region, mchunkptr chunk,
		      struct wr_piece *piece)
{
	char *end = region->base + region->committed;

	piece->at = chunk2mem(chunk);
	if (piece->at >= end)
		return;
	piece->kind = WR_PIECE_FREE;
	piece->room = end - piece->at;
}

/* One that is in use, but no block, is a record of the allocator's: false. */
static bool tell(struct wr_heap *heap, struct wr_region *region,
		 mchunkptr chunk, struct wr_piece *piece)
{
	piece->kind = WR_PIECE_END;
	if (!is_within(region, (char *)chunk) || chunk->head == FENCEPOST_HEAD)
		return true;
	if (chunk == space_of(heap)->top) {
		tell_last(region, chunk, piece);
		return true;
	}
	piece->at = chunk2mem(chunk);
	if (!is_sane(region, chunk)) {
		piece->kind = WR_PIECE_BAD;
		return true;
	}
	piece->room = chunksize(chunk) - CHUNK_OVERHEAD;
	piece->kind = is_inuse(chunk) ? WR_PIECE_BLOCK : WR_PIECE_FREE;
	if (piece->kind == WR_PIECE_FREE)
		return true;
	if (!wr_begins(region, piece->at))
		return false;
	if (wr_block_is_kept(heap, region, piece->at))
		piece->kind = WR_PIECE_KEPT;

	return true;
}

void wr_blocks_next(struct wr_heap *heap, struct wr_region *region,
		    const char *at, struct wr_piece *piece)
{
	mchunkptr chunk;

	piece->kind = WR_PIECE_END;
	if (!at) {
		chunk = first_chunk(heap, region);
	} else {
		chunk = mem2chunk(at);
		if (chunk == space_of(heap)->top)
			return;
		chunk = next_chunk(chunk);
	}
	while (!tell(heap, region, chunk, piece))
		chunk = next_chunk(chunk);
}

/* ---- does it make sense? ---- */

/* Is @link, which a free chunk has in it, of a chunk that this heap could have? */
static bool is_link(struct wr_heap *heap, const void *link)
{
	const char *space = heap->space;
	const char *at = link;
	struct wr_region *region;

	if (at >= space && at < space + sizeof(struct malloc_state))
		return true;
	region = wr_region_at(link);

	return region && region->heap == heap && !region->large &&
	       is_within(region, at);
}

static bool is_linked(struct wr_heap *heap, mchunkptr chunk)
{
	return is_link(heap, chunk->fd) && is_link(heap, chunk->bk) &&
	       chunk->fd->bk == chunk && chunk->bk->fd == chunk;
}

static bool is_sound_free(struct wr_heap *heap, struct wr_region *region,
			  mchunkptr chunk)
{
	mchunkptr next = next_chunk(chunk);

	if (chunk == space_of(heap)->top)
		return true;
	if ((char *)next > region->base + region->size + WR_FOOT ||
	    next->prev_foot != chunksize(chunk) || pinuse(next))
		return false;

	return chunk == space_of(heap)->dv || is_linked(heap, chunk);
}

static bool is_sound_region(struct wr_heap *heap, struct wr_region *region)
{
	struct wr_piece piece = { .at = NULL };
	size_t blocks = 0;
	size_t size;

	for (;;) {
		wr_blocks_next(heap, region, piece.at, &piece);
		if (piece.kind == WR_PIECE_END)
			break;
		if (piece.kind == WR_PIECE_BAD)
			return false;
		if (piece.kind == WR_PIECE_FREE) {
			if (!is_sound_free(heap, region, mem2chunk(piece.at)))
				return false;
			continue;
		}
		blocks++;
		if (piece.kind == WR_PIECE_KEPT) {
			if (!wr_is_kept(wr_mask_of(heap, piece.at), piece.at,
					piece.room))
				return false;
			continue;
		}
		if (!wr_block_size(heap, region, piece.at, &size))
			return false;
	}

	return blocks == region->blocks;
}

bool wr_blocks_are_sound(struct wr_heap *heap)
{
	struct wr_region *region;

	for (region = heap->regions.first; region; region = region->next)
		if (!is_sound_region(heap, region))
			return false;

	return !heap->broken;
}
