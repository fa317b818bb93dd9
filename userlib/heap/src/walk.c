// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is in a heap: HeapWalk(), HeapValidate(), HeapSummary(), HeapCompact()
 */
#include "heap.h"

#include "../../src/heapblocks.h"

#include <winregion/errhandlingapi.h>
#include <winregion/memoryapi.h>
#include <winregion/winbase.h>

/* Of a large block, in an entry of HeapWalk() */
#define LARGE_INDEX 64
/* The allocator's words at the front of a free piece, and at its end */
#define FREE_HEAD 64UL
#define FREE_TAIL 64UL

/* ---- one entry after the other ---- */

static BYTE index_of(const struct wr_heap *heap, const struct wr_region *region)
{
	const struct wr_region *r;
	BYTE index = 0;

	for (r = heap->regions.first; r != region && index < LARGE_INDEX - 1;
	     r = r->next)
		index++;

	return index;
}

static BYTE at_most_255(size_t size)
{
	return size < 255 ? size : 255;
}

static void start(PROCESS_HEAP_ENTRY *entry, const void *data, size_t size,
		  WORD flags)
{
	*entry = (PROCESS_HEAP_ENTRY){
		.lpData = (void *)data,
		.cbData = size < UINT32_MAX ? size : UINT32_MAX,
		.wFlags = flags,
	};
}

static void tell_region(struct wr_heap *heap, struct wr_region *region,
			PROCESS_HEAP_ENTRY *entry)
{
	struct wr_piece piece;

	wr_blocks_next(heap, region, NULL, &piece);
	start(entry, region->base, piece.at - region->base,
	      PROCESS_HEAP_REGION);
	entry->iRegionIndex = index_of(heap, region);
	entry->Region.dwCommittedSize = region->committed;
	entry->Region.dwUnCommittedSize = region->size - region->committed;
	entry->Region.lpFirstBlock = piece.at;
	entry->Region.lpLastBlock = region->base + region->size;
}

/* The handle by which a program knows the block, if it has one */
static void tell_handle(struct wr_heap *heap, PROCESS_HEAP_ENTRY *entry)
{
	struct wr_moveable *moveable;

	if (heap != GetProcessHeap())
		return;
	moveable = wr_moveable_of(entry->lpData);
	if (!moveable)
		return;
	entry->Block.hMem = wr_moveable_handle(moveable);
	entry->wFlags |= PROCESS_HEAP_ENTRY_MOVEABLE;
	if (moveable->flags & GMEM_DDESHARE)
		entry->wFlags |= PROCESS_HEAP_ENTRY_DDESHARE;
}

static bool tell_large(struct wr_region *region, PROCESS_HEAP_ENTRY *entry)
{
	if (!region)
		return false;
	start(entry, region->base + WR_LARGE_HEAD, region->asked,
	      PROCESS_HEAP_ENTRY_BUSY);
	entry->cbOverhead = at_most_255(region->committed - region->asked);
	entry->iRegionIndex = LARGE_INDEX;
	tell_handle(region->heap, entry);

	return true;
}

/* What comes after all pieces of @region */
static bool tell_after(struct wr_heap *heap, struct wr_region *region,
		       PROCESS_HEAP_ENTRY *entry)
{
	if (!region->next)
		return tell_large(heap->larges.first, entry);
	tell_region(heap, region->next, entry);

	return true;
}

static bool tell_uncommitted(struct wr_heap *heap, struct wr_region *region,
			     PROCESS_HEAP_ENTRY *entry)
{
	if (region->committed == region->size)
		return tell_after(heap, region, entry);
	start(entry, region->base + region->committed,
	      region->size - region->committed, PROCESS_HEAP_UNCOMMITTED_RANGE);
	entry->iRegionIndex = index_of(heap, region);

	return true;
}

static void tell_block(struct wr_heap *heap, struct wr_region *region,
		       const struct wr_piece *piece, PROCESS_HEAP_ENTRY *entry)
{
	size_t size;

	/* The allocator's own size, where the block's is not to be known */
	if (!wr_block_size(heap, region, piece->at, &size))
		size = piece->room - WR_TAIL;
	start(entry, piece->at, size, PROCESS_HEAP_ENTRY_BUSY);
	entry->cbOverhead = at_most_255(piece->room + WR_HEAD - size);
	entry->iRegionIndex = index_of(heap, region);
	tell_handle(heap, entry);
}

/* The piece after @at, or the first one */
static bool tell_piece(struct wr_heap *heap, struct wr_region *region,
		       const char *at, PROCESS_HEAP_ENTRY *entry)
{
	struct wr_piece piece;

	wr_blocks_next(heap, region, at, &piece);
	if (piece.kind == WR_PIECE_BLOCK) {
		tell_block(heap, region, &piece, entry);
	} else if (piece.kind == WR_PIECE_FREE || piece.kind == WR_PIECE_KEPT) {
		start(entry, piece.at, piece.room, 0);
		entry->cbOverhead = WR_HEAD;
		entry->iRegionIndex = index_of(heap, region);
	} else {
		return tell_uncommitted(heap, region, entry);
	}

	return true;
}

/* Is there a piece at @at? Only the last call can have said so. */
static bool is_piece(const struct wr_region *region, const char *at)
{
	return at >= region->base + WR_ALIGN &&
	       at < region->base + region->committed &&
	       !((uintptr_t)at % WR_ALIGN);
}

/* Without setting *@error there is nothing more. */
static bool tell_next(struct wr_heap *heap, PROCESS_HEAP_ENTRY *entry,
		      DWORD *error)
{
	struct wr_region *region = wr_region_at(entry->lpData);
	const char *at = entry->lpData;

	if (!at) {
		tell_region(heap, heap->regions.first, entry);
		return true;
	}
	if (region && region->heap == heap) {
		if (region->large)
			return tell_large(region->next, entry);
		if (entry->wFlags & PROCESS_HEAP_UNCOMMITTED_RANGE)
			return tell_after(heap, region, entry);
		if (entry->wFlags & PROCESS_HEAP_REGION)
			return tell_piece(heap, region, NULL, entry);
		if (is_piece(region, at))
			return tell_piece(heap, region, at, entry);
	}
	*error = ERROR_INVALID_PARAMETER;

	return false;
}

BOOL WINAPI HeapWalk(HANDLE handle, LPPROCESS_HEAP_ENTRY entry)
{
	struct wr_heap *heap = wr_heap_get(handle);
	DWORD error = ERROR_NO_MORE_ITEMS;
	PROCESS_HEAP_ENTRY told;
	bool locked;
	bool found;

	if (!heap)
		return FALSE;
	if (!entry) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	/* The program's own is not touched under the lock: it may raise. */
	told = *entry;
	locked = wr_heap_hold(heap, 0);
	found = tell_next(heap, &told, &error);
	wr_heap_let_go(heap, locked);
	if (found)
		*entry = told;
	else
		SetLastError(error);

	return found;
}

/* ---- all blocks at once ---- */

struct telling {
	struct wr_heap_block *blocks;
	size_t room;
	size_t nr;
};

static void tell_one(struct wr_heap *heap, const PROCESS_HEAP_ENTRY *entry,
		     struct wr_heap_block *block)
{
	struct wr_region *region = wr_region_at(entry->lpData);

	*block = (struct wr_heap_block){
		.at = entry->lpData,
		.size = entry->cbData,
		.flags = entry->wFlags,
	};
	if (entry->wFlags & PROCESS_HEAP_ENTRY_MOVEABLE)
		block->handle = entry->Block.hMem;
	/* An entry has 32 bits for it. */
	if (entry->wFlags & PROCESS_HEAP_ENTRY_BUSY &&
	    entry->cbData == UINT32_MAX)
		wr_block_size(heap, region, entry->lpData, &block->size);
}

/* Regions are none, and what is not committed is no block. */
static void tell_all(struct wr_heap *heap, void *arg)
{
	const WORD others = PROCESS_HEAP_REGION |
			    PROCESS_HEAP_UNCOMMITTED_RANGE;
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
	struct telling *telling = arg;
	DWORD error = 0;

	while (tell_next(heap, &entry, &error)) {
		if (entry.wFlags & others)
			continue;
		if (telling->nr < telling->room)
			tell_one(heap, &entry, &telling->blocks[telling->nr]);
		telling->nr++;
	}
}

DWORD wr_heap_tell_blocks(HANDLE handle, void *blocks, size_t size,
			  size_t *needed)
{
	struct telling telling = {
		.blocks = blocks,
		.room = size / sizeof(*telling.blocks),
	};
	DWORD error = wr_heap_visit(handle, tell_all, &telling);

	*needed = telling.nr * sizeof(*telling.blocks);
	if (!error && telling.nr > telling.room)
		error = ERROR_INSUFFICIENT_BUFFER;

	return error;
}

/* ---- is it sound? ---- */

static bool is_whole(struct wr_heap *heap)
{
	struct wr_region *region;
	size_t size;

	for (region = heap->larges.first; region; region = region->next)
		if (!wr_block_size(heap, region, region->base + WR_LARGE_HEAD,
				   &size))
			return false;

	return wr_blocks_are_sound(heap);
}

/* Memory that cannot be read has an error, other memory has none. */
static BOOL no_block(struct wr_heap *heap, const void *block)
{
	DWORD error = GetLastError();

	wr_heap_complain(heap, block, "not a block of this heap");
	SetLastError(IsBadReadPtr(block, 1) ? ERROR_NOACCESS : error);

	return FALSE;
}

BOOL WINAPI HeapValidate(HANDLE handle, DWORD flags, LPCVOID block)
{
	struct wr_heap *heap = wr_heap_get(handle);
	struct wr_region *region = NULL;
	bool sound = false;
	bool locked;
	size_t size;

	if (!heap)
		return FALSE;
	locked = wr_heap_hold(heap, flags);
	if (block)
		region = wr_block_find(heap, block);
	if (!block)
		sound = is_whole(heap);
	else if (region)
		sound = wr_block_size(heap, region, block, &size);
	wr_heap_let_go(heap, locked);
	if (block && !region)
		return no_block(heap, block);
	if (!sound)
		wr_heap_complain(heap, block, "written past an end");

	return sound;
}

/* ---- sums ---- */

static SIZE_T allocated_in(struct wr_heap *heap, struct wr_region *region)
{
	struct wr_piece piece = { .at = NULL };
	SIZE_T sum = 0;
	size_t size;

	do {
		wr_blocks_next(heap, region, piece.at, &piece);
		if (piece.kind == WR_PIECE_BLOCK &&
		    wr_block_size(heap, region, piece.at, &size))
			sum += size;
	} while (piece.kind != WR_PIECE_END && piece.kind != WR_PIECE_BAD);

	return sum;
}

static void add_memory(HEAP_SUMMARY *summary, struct wr_region *region)
{
	summary->cbCommitted += region->committed;
	summary->cbReserved += region->size;
}

static void add_up(struct wr_heap *heap, HEAP_SUMMARY *summary)
{
	struct wr_region *region;

	for (region = heap->regions.first; region; region = region->next) {
		summary->cbAllocated += allocated_in(heap, region);
		add_memory(summary, region);
	}
	for (region = heap->larges.first; region; region = region->next) {
		summary->cbAllocated += region->asked;
		add_memory(summary, region);
	}
	for (region = heap->kept.first; region; region = region->next)
		add_memory(summary, region);
	summary->cbMaxReserve = heap->max ? heap->max : summary->cbReserved;
}

BOOL WINAPI HeapSummary(HANDLE handle, DWORD flags, LPHEAP_SUMMARY summary)
{
	struct wr_heap *heap = wr_heap_get(handle);
	HEAP_SUMMARY sums = { .cb = sizeof(sums) };
	bool locked;

	if (!heap)
		return FALSE;
	if (!summary || summary->cb != sizeof(*summary)) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	locked = wr_heap_hold(heap, flags);
	add_up(heap, &sums);
	wr_heap_let_go(heap, locked);
	*summary = sums;

	return TRUE;
}

/* ---- what nobody uses ---- */

/* Whole pages between the allocator's words lose what is in them. */
static void discard(const struct wr_piece *piece)
{
	uintptr_t from = wr_round_up((uintptr_t)piece->at + FREE_HEAD, WR_PAGE);
	uintptr_t to = (uintptr_t)piece->at + piece->room - FREE_TAIL;

	to &= ~(WR_PAGE - 1);
	if (to > from)
		DiscardVirtualMemory((void *)from, to - from);
}

static SIZE_T discard_free(struct wr_heap *heap)
{
	struct wr_piece piece;
	struct wr_region *region;
	SIZE_T most = 0;

	for (region = heap->regions.first; region; region = region->next) {
		piece.at = NULL;
		for (;;) {
			wr_blocks_next(heap, region, piece.at, &piece);
			if (piece.kind == WR_PIECE_END ||
			    piece.kind == WR_PIECE_BAD)
				break;
			if (piece.kind != WR_PIECE_FREE)
				continue;
			if (piece.room > FREE_HEAD + FREE_TAIL + WR_PAGE)
				discard(&piece);
			if (piece.room > most)
				most = piece.room;
		}
	}

	return most;
}

size_t wr_heap_compact(struct wr_heap *heap)
{
	wr_front_flush(heap);
	wr_blocks_trim(heap, true);
	wr_large_trim(heap);

	return discard_free(heap);
}

SIZE_T WINAPI HeapCompact(HANDLE handle, DWORD flags)
{
	struct wr_heap *heap = wr_heap_get(handle);
	SIZE_T most;
	bool locked;

	if (!heap)
		return 0;
	locked = wr_heap_hold(heap, flags);
	most = wr_heap_compact(heap);
	wr_heap_let_go(heap, locked);
	if (!most)
		SetLastError(ERROR_SUCCESS);

	return most;
}
