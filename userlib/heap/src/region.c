// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Regions of heaps, and which one an address is in
 */
#include "heap.h"

#include <string.h>

#include <winregion/memoryapi.h>
#include <winregion/winregion.h>

struct wr_entry *_Atomic wr_leaves[WR_UNITS / WR_LEAF_ENTRIES];

static struct wr_entry *get_leaf(uintptr_t unit)
{
	struct wr_entry *_Atomic *place = &wr_leaves[unit / WR_LEAF_ENTRIES];
	struct wr_entry *old = NULL;
	struct wr_entry *leaf = *place;

	if (leaf)
		return leaf;
	leaf = VirtualAlloc(NULL, WR_LEAF_ENTRIES * sizeof(*leaf),
			    MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	if (!leaf || atomic_compare_exchange_strong(place, &old, leaf))
		return leaf;
	VirtualFree(leaf, 0, MEM_RELEASE);

	return old;
}

/* All units of @size bytes at @base lead to @region, or to none. */
static bool set_entries(const char *base, size_t size, struct wr_region *region)
{
	uintptr_t unit = (uintptr_t)base / WR_UNIT;
	uintptr_t end = ((uintptr_t)base + size - 1) / WR_UNIT + 1;
	struct wr_entry *leaf;

	for (; unit < end; unit++) {
		leaf = get_leaf(unit);
		if (!leaf)
			return false;
		atomic_store_explicit(&leaf[unit % WR_LEAF_ENTRIES].region,
				      region, memory_order_release);
	}

	return true;
}

/* ---- sizes ---- */

/* What lies behind the memory for blocks, if there are @size bytes of that */
static size_t meta_size(size_t size)
{
	return wr_round_up(WR_FOOT + sizeof(struct wr_region) +
				   size / WR_ALIGN / 8,
			   WR_PAGE);
}

/* All that is reserved for it */
static size_t whole_size(const struct wr_region *region)
{
	if (region->large)
		return region->size;

	return region->size + meta_size(region->size);
}

static bool commit(char *address, size_t size, DWORD protect)
{
	return VirtualAlloc(address, size, MEM_COMMIT, protect);
}

/* Behind all of a region of many blocks is a page of its own, which is always there. */
static void set_committed(struct wr_region *region, size_t size)
{
	size_t reach = size;

	if (region->large)
		reach = 0;
	else if (size < region->size)
		reach = size > WR_KEPT_MOST ? size - WR_KEPT_MOST : 0;
	region->committed = size;
	__atomic_store_n(&region->reach, reach, __ATOMIC_RELAXED);
}

/* ---- regions of many blocks ---- */

static struct wr_region *set_up(char *base, size_t size)
{
	struct wr_region *region = (void *)(base + size + WR_FOOT);

	/* With bits for as much as is committed at first */
	if (!commit(base + size, WR_PAGE, PAGE_READWRITE))
		return NULL;
	region->base = base;
	region->size = size;
	region->meta_committed = WR_PAGE;

	return region;
}

struct wr_region *wr_region_new(struct wr_heap *heap, size_t size,
				DWORD protect)
{
	size_t whole = size + meta_size(size);
	struct wr_region *region;
	char *base;

	base = VirtualAlloc(NULL, whole, MEM_RESERVE, protect);
	if (!base)
		return NULL;
	region = set_up(base, size);
	if (!region)
		goto err_release;
	region->heap = heap ? heap : (struct wr_heap *)base;
	if (!set_entries(base, whole, region))
		goto err_entries;

	return region;

err_entries:
	set_entries(base, whole, NULL);
err_release:
	VirtualFree(base, 0, MEM_RELEASE);
	return NULL;
}

/* The bits for its first @size bytes */
static bool commit_bits(struct wr_region *region, size_t size)
{
	size_t bits = WR_FOOT + sizeof(*region) + size / WR_ALIGN / 8 +
		      sizeof(*region->begins);
	size_t wanted = wr_round_up(bits, WR_PAGE);
	size_t room = meta_size(region->size);
	char *meta = region->base + region->size;

	if (wanted > room)
		wanted = room;
	if (wanted <= region->meta_committed)
		return true;
	if (!commit(meta + region->meta_committed,
		    wanted - region->meta_committed, PAGE_READWRITE))
		return false;
	region->meta_committed = wanted;

	return true;
}

static bool commit_front(struct wr_region *region, size_t size, DWORD protect)
{
	if (!commit_bits(region, size) ||
	    !commit(region->base + region->committed, size - region->committed,
		    protect))
		return false;
	set_committed(region, size);

	return true;
}

bool wr_region_begin(struct wr_region *region, size_t size, DWORD protect)
{
	return commit_front(region, wr_round_up(size, WR_PAGE), protect);
}

bool wr_region_commit(struct wr_region *region, size_t size)
{
	size = wr_round_up(size, WR_PAGE);

	return size <= region->committed ||
	       commit_front(region, size, region->heap->protect);
}

void wr_region_decommit(struct wr_region *region, size_t size)
{
	size = wr_round_up(size, WR_PAGE);
	if (size >= region->committed)
		return;
	if (VirtualFree(region->base + size, region->committed - size,
			MEM_DECOMMIT))
		set_committed(region, size);
}

/* ---- regions that wait for another heap ---- */

/*
 * Its memory goes, instead of becoming unreadable: what has been protected once has slower
 * faults from then on, each of them for one page.
 */
bool wr_region_set_aside(struct wr_region *region)
{
	memset(region->begins, 0, region->committed / WR_ALIGN / 8);
	set_entries(region->base, whole_size(region), NULL);
	wr_region_decommit(region, 0);

	return !region->committed;
}

bool wr_region_take_again(struct wr_region *region, size_t size, DWORD protect)
{
	region->blocks = 0;
	region->sparse = false;
	region->flushed = false;

	return wr_region_begin(region, size, protect) &&
	       set_entries(region->base, whole_size(region), region);
}

/* ---- regions of one block ---- */

struct wr_region *wr_region_new_large(struct wr_heap *heap, size_t size)
{
	struct wr_region *region;

	region = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
			      heap->protect);
	if (!region)
		return NULL;
	region->heap = heap;
	region->base = (char *)region;
	region->size = size;
	region->committed = size;
	region->large = true;
	if (!set_entries(region->base, size, region)) {
		set_entries(region->base, size, NULL);
		VirtualFree(region, 0, MEM_RELEASE);
		return NULL;
	}

	return region;
}

/* The program may have done anything with its pages, but for what is offered. */
bool wr_region_is_plain(const struct wr_region *region)
{
	struct winregion_query query = {
		.size = sizeof(query),
		.address = (uintptr_t)region->base,
	};
	struct winregion_lock locked = {
		.size = sizeof(locked),
		.operation = WINREGION_LOCK_COUNT,
		.address = (uintptr_t)region->base,
		.length = region->committed,
	};

	return !winregion_query(&query) &&
	       query.out.state == WINREGION_STATE_COMMIT &&
	       query.out.protection == region->heap->protect &&
	       query.out.length == region->committed &&
	       !winregion_lock(&locked) && !locked.out_locked;
}

/* ---- lists ---- */

void wr_region_add(struct wr_list *list, struct wr_region *region)
{
	region->next = NULL;
	region->prev = list->last;
	if (list->last)
		list->last->next = region;
	else
		list->first = region;
	list->last = region;
}

void wr_region_take_out(struct wr_list *list, struct wr_region *region)
{
	if (region->prev)
		region->prev->next = region->next;
	else
		list->first = region->next;
	if (region->next)
		region->next->prev = region->prev;
	else
		list->last = region->prev;
}

void wr_region_hide(struct wr_region *region)
{
	set_entries(region->base, whole_size(region), NULL);
}

void wr_region_show(struct wr_region *region)
{
	set_entries(region->base, whole_size(region), region);
}

void wr_region_release(struct wr_list *list, struct wr_region *region)
{
	if (list)
		wr_region_take_out(list, region);
	wr_region_hide(region);
	VirtualFree(region->base, 0, MEM_RELEASE);
}
