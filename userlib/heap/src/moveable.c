// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handles of blocks that move
 *
 * A handle is the address of the word in a table that says where the memory is, as
 * sources take it to be. No block begins at such an address: what a program hands in
 * is known by its value, and compared with the table's, before anything is read.
 */
#include "heap.h"

#define ENTRIES 65536U
#define BUCKETS 16384U

_Static_assert(sizeof(struct wr_moveable) == WR_ALIGN,
	       "a handle is not where a block can begin");

static struct wr_moveable entries[ENTRIES] __attribute__((aligned(WR_ALIGN)));
/* Numbers + 1, by where the memory is */
static uint32_t buckets[BUCKETS];
/* A number + 1, and how many were never used */
static uint32_t first_free;
static uint32_t nr_fresh = ENTRIES;

bool wr_is_handle(const void *address)
{
	return (uintptr_t)address & offsetof(struct wr_moveable, memory);
}

HANDLE wr_moveable_handle(struct wr_moveable *moveable)
{
	return &moveable->memory;
}

struct wr_moveable *wr_moveable_get(HANDLE handle)
{
	uintptr_t offset = (uintptr_t)handle - (uintptr_t)entries;
	struct wr_moveable *moveable = &entries[offset / WR_ALIGN % ENTRIES];

	if (offset >= sizeof(entries) ||
	    offset % WR_ALIGN != offsetof(struct wr_moveable, memory) ||
	    !moveable->used)
		return NULL;

	return moveable;
}

static uint32_t number_of(const struct wr_moveable *moveable)
{
	return moveable - entries + 1;
}

static uint32_t *bucket_of(const void *memory)
{
	uint64_t mixed = (uintptr_t)memory / WR_ALIGN * 0x9E3779B97F4A7C15ULL;

	return &buckets[mixed >> 50];
}

struct wr_moveable *wr_moveable_of(const void *memory)
{
	uint32_t number = *bucket_of(memory);

	while (number && entries[number - 1].memory != memory)
		number = entries[number - 1].next;

	return number ? &entries[number - 1] : NULL;
}

static void take_out(struct wr_moveable *moveable)
{
	uint32_t *place = bucket_of(moveable->memory);

	while (*place != number_of(moveable))
		place = &entries[*place - 1].next;
	*place = moveable->next;
}

void wr_moveable_set(struct wr_moveable *moveable, void *memory)
{
	uint32_t *bucket;

	if (moveable->memory)
		take_out(moveable);
	moveable->memory = memory;
	if (!memory)
		return;
	bucket = bucket_of(memory);
	moveable->next = *bucket;
	*bucket = number_of(moveable);
}

struct wr_moveable *wr_moveable_new(UINT flags)
{
	struct wr_moveable *moveable;

	if (first_free) {
		moveable = &entries[first_free - 1];
		first_free = moveable->next;
	} else if (nr_fresh) {
		moveable = &entries[ENTRIES - nr_fresh--];
	} else {
		return NULL;
	}
	moveable->flags = flags & (GMEM_DISCARDABLE | GMEM_DDESHARE);
	moveable->locks = 0;
	moveable->used = true;

	return moveable;
}

void wr_moveable_free(struct wr_moveable *moveable)
{
	wr_moveable_set(moveable, NULL);
	moveable->used = false;
	moveable->next = first_free;
	first_free = number_of(moveable);
}
