/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The words that make a block of an allocator's piece, for what looks at them
 *
 * The last word of a piece says how many bytes of it are the block's. One that a thread
 * keeps for itself (front.c) has another one there, and the same at its beginning.
 */
#ifndef _WINREGION_HEAP_BLOCK_H
#define _WINREGION_HEAP_BLOCK_H

#include <string.h>

#include "heap.h"

/* In the eight bytes behind a block, as far as the last word leaves them */
#define WR_FENCE 0xFDFDFDFDFDFDFDFDULL

/*
 * How the size is written, and read again: a change of any one bit makes it another
 * size altogether, as the one number is the inverse of the other.
 */
#define WR_WRITTEN 0x9E3779B97F4A7C15ULL
#define WR_READ 0xF1DE83E19937733DULL

static inline uint64_t wr_mask_of(const struct wr_heap *heap, const void *block)
{
	return heap->key ^ (uintptr_t)block * 0x9E3779B97F4A7C15ULL;
}

static inline uint64_t wr_load(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* What the allocator has in front of a piece */
static inline size_t wr_head_of(const char *block)
{
	size_t head;

	memcpy(&head, block - WR_HEAD, sizeof(head));
	return head;
}

static inline void wr_store(char *at, uint64_t word)
{
	memcpy(at, &word, sizeof(word));
}

/* Of a piece that is in use, and whose head is as it was written */
static inline size_t wr_room_of(const char *block)
{
	return (wr_head_of(block) & ~(WR_ALIGN - 1)) - WR_HEAD;
}

/* The last word of it */
static inline char *wr_end_of(char *block)
{
	return block + wr_room_of(block) - WR_TAIL;
}

/* The bits of a word of those that say where blocks begin */
#define WR_WORD (8 * sizeof(size_t))

static inline void wr_set_begins(struct wr_region *region, const char *block,
				 bool set)
{
	size_t nr = (block - region->base) / WR_ALIGN;
	size_t bit = (size_t)1 << nr % WR_WORD;

	if (set)
		region->begins[nr / WR_WORD] |= bit;
	else
		region->begins[nr / WR_WORD] &= ~bit;
}

/* In a region of many blocks; others may begin and end meanwhile. */
static inline bool wr_begins(const struct wr_region *region, const char *block)
{
	size_t offset = block - region->base;
	size_t nr = offset / WR_ALIGN;

	return offset < region->committed && !(offset % WR_ALIGN) &&
	       __atomic_load_n(&region->begins[nr / WR_WORD],
			       __ATOMIC_RELAXED) >>
			       (nr % WR_WORD) &
		       1;
}

/* @mask: of that block. @room: of its piece */
static inline void wr_write_end(uint64_t mask, char *block, size_t size,
				size_t room)
{
	wr_store(block + size, WR_FENCE);
	wr_store(block + room - WR_TAIL, size * WR_WRITTEN ^ mask);
}

static inline bool wr_is_whole(const char *block, size_t size, size_t slack)
{
	/* The bytes that are there, of eight */
	static const uint64_t there[] = {
		0,	    0xFF,	  0xFFFF,	  0xFFFFFF,
		0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF,
	};
	uint64_t changed = wr_load(block + size) ^ WR_FENCE;

	if (slack < 8)
		changed &= there[slack];

	return !changed;
}

/* How long it is; false: its end is broken, or it is nobody's now */
static inline bool wr_read_end(uint64_t mask, const char *block, size_t room,
			       size_t *size)
{
	uint64_t read, slack;

	room -= WR_TAIL;
	read = (wr_load(block + room) ^ mask) * WR_READ;
	*size = read;
	slack = room - read;

	/* Of what is longer than its room this is no small number either. */
	return slack <= WR_MAX_SLACK && wr_is_whole(block, *size, slack);
}

/* The piece is the allocator's: what it said of a block says nothing from now on. */
static inline uint64_t wr_erase_end(char *block)
{
	char *end = wr_end_of(block);
	uint64_t old = wr_load(end);

	wr_store(end, 0);

	return old;
}

/* No size is written like that. */
static inline void wr_write_kept(uint64_t mask, char *block, size_t room)
{
	wr_store(block, ~mask);
	wr_store(block + room - WR_TAIL, ~mask);
}

static inline bool wr_says_kept(uint64_t mask, const char *block, size_t room)
{
	return wr_load(block + room - WR_TAIL) == ~mask;
}

static inline bool wr_is_kept(uint64_t mask, const char *block, size_t room)
{
	return wr_load(block) == ~mask && wr_says_kept(mask, block, room);
}

#endif /* _WINREGION_HEAP_BLOCK_H */
