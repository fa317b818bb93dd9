// SPDX-License-Identifier: GPL-2.0
/*
 * Operations by chance: most of them such as a program could do, some that are
 * a little off, a few absurd.
 */
#include <string.h>

#include "fuzz.h"

#define RW WINREGION_READWRITE
#define RO WINREGION_READONLY

static bool chance(struct fuzz *fuzz, uint32_t one_in)
{
	return !fuzz_random(fuzz, one_in);
}

static uint32_t some_protection(struct fuzz *fuzz)
{
	static const uint32_t usual[] = {
		RW, RW, RW, RW, RW, RO, RO, RO, WINREGION_NOACCESS,
		RW | WINREGION_GUARD, RO | WINREGION_GUARD,
		WINREGION_EXECUTE_READ,
	};
	static const uint32_t seldom[] = {
		WINREGION_EXECUTE, WINREGION_EXECUTE_READWRITE,
		WINREGION_EXECUTE | WINREGION_GUARD,
		WINREGION_EXECUTE_READWRITE | WINREGION_GUARD,
		WINREGION_EXECUTE_READ | WINREGION_TARGETS_INVALID,
		RW | WINREGION_NOCACHE, RO | WINREGION_WRITECOMBINE,
		RO | WINREGION_NOCACHE,
	};
	static const uint32_t wrong[] = {
		0, 0xff, RW | RO, 0x08, 0x80, WINREGION_NOACCESS |
		WINREGION_GUARD, RW | WINREGION_GUARD | WINREGION_NOCACHE,
		RW | WINREGION_TARGETS_INVALID, 0xffffffff,
		WINREGION_NOCACHE, RW | 0x800,
	};

	if (chance(fuzz, 200))
		return wrong[fuzz_random(fuzz, ARRAY_SIZE(wrong))];
	if (chance(fuzz, 10))
		return seldom[fuzz_random(fuzz, ARRAY_SIZE(seldom))];
	return usual[fuzz_random(fuzz, ARRAY_SIZE(usual))];
}

/* ---- places ---- */

static unsigned int some_span(struct fuzz *fuzz)
{
	unsigned int i = fuzz_random(fuzz, 3 * MODEL_SPANS);

	return i < MODEL_SPANS && fuzz->model->span[i].pages ? i : 0;
}

static bool is_live(const struct model_page *page)
{
	return page->state == MODEL_RESERVED || page->state == MODEL_COMMITTED;
}

/* The region that some page is in, or the next one; false if there is none. */
static bool some_region(struct fuzz *fuzz, unsigned int *space,
			uint32_t *first, uint32_t *n)
{
	struct model_span *span;
	uint32_t i, page;

	*space = some_span(fuzz);
	span = &fuzz->model->span[*space];
	page = fuzz_random(fuzz, span->pages);
	for (i = 0; i < span->pages; i++, page++) {
		if (page == span->pages)
			page = 0;
		if (is_live(&span->page[page]))
			break;
	}
	if (i == span->pages)
		return false;
	*first = span->page[page].region;
	*n = model_region_end(span, page) - *first;
	return true;
}

/* Of @n pages: often few, at times all, or what a 2 MiB page covers */
static void some_pages(struct fuzz *fuzz, uint64_t base, uint32_t *first,
		       uint32_t *n)
{
	uint32_t pages = *n, to_huge = -(base / MODEL_PAGE + *first) % 512;
	uint32_t at;

	switch (fuzz_random(fuzz, 10)) {
	case 0:
		return;
	case 1:
		if (to_huge + 512 > pages)
			break;
		*first += to_huge;
		*n = 512;
		return;
	case 2:
		at = fuzz_random(fuzz, pages);
		*n = 1 + fuzz_random(fuzz, pages - at);
		*first += at;
		return;
	}
	at = fuzz_random(fuzz, pages);
	*n = 1 + fuzz_random(fuzz, chance(fuzz, 4) ? 64 : 8);
	if (*n > pages - at)
		*n = pages - at;
	*first += at;
}

/* Somewhere in the arena, whatever is there */
static void anywhere(struct fuzz *fuzz, struct op_range *range)
{
	range->space = 0;
	range->offset = fuzz_random(fuzz, MODEL_ARENA_PAGES) * MODEL_PAGE;
	range->length = (1 + fuzz_random(fuzz, 600)) * MODEL_PAGE;
}

/* Not what anybody means; only such that the model can tell what happens. */
static void absurd(struct fuzz *fuzz, struct op_range *range)
{
	static const uint64_t addresses[] = {
		0, 1, 0xffff, MODEL_HIGHEST + 1, MODEL_HIGHEST + MODEL_UNIT,
		0x800000000000, 0xffff800000000000, 0xffffffffffffffff,
		0xfffffffffffff000, 0x8000000000000000,
	};
	static const uint64_t lengths[] = {
		0, 1, 0xffffffffffffffff, 0xfffffffffffff000,
		0x8000000000000000, 0x800000000000, 1ULL << 32, 0x10001,
	};

	if (chance(fuzz, 2)) {
		range->space = OP_ABSOLUTE;
		range->offset = addresses[fuzz_random(fuzz,
						ARRAY_SIZE(addresses))];
	}
	if (chance(fuzz, 2))
		range->length = lengths[fuzz_random(fuzz,
						    ARRAY_SIZE(lengths))];
}

/* Bytes in the pages instead of all of them; the pages are the same. */
static void odd_bytes(struct fuzz *fuzz, struct op_range *range)
{
	uint32_t head = fuzz_random(fuzz, MODEL_PAGE);
	uint32_t tail = fuzz_random(fuzz, MODEL_PAGE - head);

	if (range->length < MODEL_PAGE)
		return;
	range->offset += head;
	range->length -= head;
	if (range->length > MODEL_PAGE)
		range->length -= tail;
	else
		range->length = 1 + fuzz_random(fuzz, range->length);
}

static void some_range(struct fuzz *fuzz, struct op_range *range)
{
	unsigned int space;
	uint32_t first, n;

	if (!some_region(fuzz, &space, &first, &n) || chance(fuzz, 60)) {
		anywhere(fuzz, range);
	} else {
		some_pages(fuzz, fuzz->model->span[space].base, &first, &n);
		range->space = space;
		range->offset = first * MODEL_PAGE;
		range->length = n * MODEL_PAGE;
	}
	if (chance(fuzz, 6))
		odd_bytes(fuzz, range);
	if (chance(fuzz, 60)) /* one page too many, or too far */
		range->length += 1 + fuzz_random(fuzz, 2 * MODEL_PAGE);
	if (chance(fuzz, 100))
		absurd(fuzz, range);
}

static void some_page(struct fuzz *fuzz, struct op_range *range)
{
	unsigned int space;
	uint32_t first, n;

	if (chance(fuzz, 30) || !some_region(fuzz, &space, &first, &n)) {
		anywhere(fuzz, range);
	} else {
		first += fuzz_random(fuzz, n);
		range->space = space;
		range->offset = first * MODEL_PAGE;
	}
	range->length = MODEL_PAGE;
}

/* A page that an access probably goes through to */
static void some_committed_page(struct fuzz *fuzz, struct op_range *range)
{
	const struct model_span *span;
	uint32_t page, tries;

	some_page(fuzz, range);
	span = &fuzz->model->span[range->space];
	page = range->offset / MODEL_PAGE;
	if (chance(fuzz, 8))
		return;
	for (tries = 0; tries < 64 && page + 1 < span->pages; tries++, page++)
		if (model_may(&span->page[page], MODEL_READ))
			break;
	range->offset = page * MODEL_PAGE;
}

/* ---- calls ---- */

/* Flags that mean something, but not to the model: large pages, frames */
static uint32_t beyond_model(const struct op *op)
{
	return op->kind == OP_RESERVE ? WINREGION_RESERVE_LARGE_PAGES |
					WINREGION_RESERVE_PHYSICAL : 0;
}

static void oddities(struct fuzz *fuzz, struct op *op)
{
	if (chance(fuzz, 60))
		op->size = 1 + fuzz_random(fuzz, 3);
	if (chance(fuzz, 400))
		op->odd |= 1U << fuzz_random(fuzz, 4);
	if (chance(fuzz, 400))
		op->flags |= (1U << fuzz_random(fuzz, 32)) & ~beyond_model(op);
}

static uint64_t some_size(struct fuzz *fuzz)
{
	static const uint16_t pages[] = {
		1, 15, 16, 16, 17, 40, 100, 255, 256, 257, 300, 511, 512, 600,
		1024,
	};
	uint64_t length = pages[fuzz_random(fuzz, ARRAY_SIZE(pages))] *
			  MODEL_PAGE;

	if (chance(fuzz, 8))
		length -= fuzz_random(fuzz, MODEL_PAGE);
	return length;
}

/* Somewhere inside the arena that the kernel has to choose */
static void requirements(struct fuzz *fuzz, struct op *op)
{
	uint32_t first = fuzz_random(fuzz, MODEL_ARENA_PAGES) / 16 * 16;
	uint32_t last = first + fuzz_random(fuzz, MODEL_ARENA_PAGES - first);

	op->range[1].space = 0;
	op->range[1].offset = chance(fuzz, 3) ? 0 : first * MODEL_PAGE;
	op->range[2].space = 0;
	op->range[2].offset = (last + 1) * MODEL_PAGE - 1;
	if (chance(fuzz, 3))
		op->range[2].offset = MODEL_ARENA_PAGES * MODEL_PAGE - 1;
	if (chance(fuzz, 2))
		op->range[1].length = MODEL_UNIT << fuzz_random(fuzz, 7);
	if (chance(fuzz, 40))
		op->range[1 + fuzz_random(fuzz, 2)].offset +=
			1 + fuzz_random(fuzz, MODEL_UNIT);
	if (chance(fuzz, 60))
		op->range[1].length += 1 + fuzz_random(fuzz, MODEL_UNIT);
}

/* Where to reserve: anywhere, at an address, or within limits */
static void some_room(struct fuzz *fuzz, struct op *op)
{
	struct op_range *range = &op->range[0];

	op->range[1].space = OP_ABSOLUTE;
	op->range[2].space = OP_ABSOLUTE;
	range->space = OP_ABSOLUTE;
	range->length = some_size(fuzz);
	switch (fuzz_random(fuzz, 6)) {
	case 0:
		break;
	case 1:
	case 2:
		requirements(fuzz, op);
		break;
	default:
		range->space = 0;
		range->offset = fuzz_random(fuzz, MODEL_ARENA_PAGES) *
				MODEL_PAGE;
		if (!chance(fuzz, 4))
			range->offset -= range->offset % MODEL_UNIT;
		if (chance(fuzz, 6))
			range->offset += fuzz_random(fuzz, MODEL_PAGE);
	}
	if (chance(fuzz, 50))
		absurd(fuzz, range);
}

static uint32_t some_extras(struct fuzz *fuzz)
{
	uint32_t flags = 0;

	if (chance(fuzz, 3))
		flags |= WINREGION_RESERVE_WRITE_WATCH;
	if (chance(fuzz, 5))
		flags |= WINREGION_RESERVE_NODE;
	return flags;
}

static void reserve(struct fuzz *fuzz, struct op *op)
{
	some_room(fuzz, op);
	op->range[0].protection = some_protection(fuzz);
	op->flags = fuzz_random(fuzz, 4) | some_extras(fuzz);
	oddities(fuzz, op);
}

static void release(struct fuzz *fuzz, struct op *op)
{
	struct op_range *range = &op->range[0];
	unsigned int space;
	uint32_t first, n;

	some_range(fuzz, range);
	if (!chance(fuzz, 3) && some_region(fuzz, &space, &first, &n)) {
		range->space = space;
		range->offset = first * MODEL_PAGE +
				fuzz_random(fuzz, MODEL_PAGE);
		range->length = 0;
		if (chance(fuzz, 20))
			range->offset += MODEL_PAGE;
	}
	oddities(fuzz, op);
}

static void change(struct fuzz *fuzz, struct op *op)
{
	unsigned int i;

	if (chance(fuzz, 8))
		op->nr = 1 + fuzz_random(fuzz, OP_RANGES);
	for (i = 0; i < OP_RANGES && (!i || i < op->nr); i++) {
		/* Often the same place again, so that ranges overlap */
		if (i && chance(fuzz, 4)) {
			op->range[i] = op->range[i - 1];
			op->range[i].length += fuzz_random(fuzz, 2) *
					       MODEL_PAGE;
		} else {
			some_range(fuzz, &op->range[i]);
		}
		if (op->kind != OP_DECOMMIT || chance(fuzz, 300))
			op->range[i].protection = some_protection(fuzz);
		if (op->kind == OP_DECOMMIT && chance(fuzz, 30))
			op->range[i].length = 0;
	}
	oddities(fuzz, op);
}

static void query(struct fuzz *fuzz, struct op *op)
{
	some_page(fuzz, &op->range[0]);
	op->range[0].offset += fuzz_random(fuzz, MODEL_PAGE);
	op->flags = fuzz_random(fuzz, 2);
	if (chance(fuzz, 100))
		absurd(fuzz, &op->range[0]);
	oddities(fuzz, op);
}

static void query_runs(struct fuzz *fuzz, struct op *op)
{
	some_page(fuzz, &op->range[0]);
	op->range[1] = op->range[0];
	op->range[1].offset += fuzz_random(fuzz, 2000 * MODEL_PAGE);
	op->flags = fuzz_random(fuzz, 4);
	op->value = fuzz_random(fuzz, chance(fuzz, 4) ? 5 : FUZZ_RUNS + 1);
	if (chance(fuzz, 100))
		absurd(fuzz, &op->range[fuzz_random(fuzz, 2)]);
	oddities(fuzz, op);
}

/* All of a region, one that is watched if it is easy to find */
static void some_watched(struct fuzz *fuzz, struct op_range *range)
{
	unsigned int space, tries;
	uint32_t first, n;

	for (tries = 0; tries < 8; tries++) {
		if (!some_region(fuzz, &space, &first, &n))
			continue;
		range->space = space;
		range->offset = first * MODEL_PAGE;
		range->length = n * MODEL_PAGE;
		if (fuzz->model->span[space].page[first].watched)
			return;
	}
}

static void watch(struct fuzz *fuzz, struct op *op)
{
	some_range(fuzz, &op->range[0]);
	if (!chance(fuzz, 3))
		some_watched(fuzz, &op->range[0]);
	op->flags = fuzz_random(fuzz, 20) ? 1 + fuzz_random(fuzz, 3) : 0;
	if (op->flags & WINREGION_WATCH_GET)
		op->value = fuzz_random(fuzz, chance(fuzz, 2) ? 4 :
						FUZZ_TOLD + 1);
	if (chance(fuzz, 100))
		absurd(fuzz, &op->range[0]);
	oddities(fuzz, op);
}

/* Pages that are alike from some page on, one that is @like if it is easy to find */
static void some_alike(struct fuzz *fuzz, struct op_range *range,
		       bool (*like)(const struct model_page *page))
{
	const struct model_span *span;
	uint32_t page, most, n;

	some_page(fuzz, range);
	span = &fuzz->model->span[range->space];
	page = range->offset / MODEL_PAGE;
	for (n = 0; n < MODEL_ARENA_PAGES && !like(&span->page[page]); n++)
		page = page + 1 < span->pages ? page + 1 : 0;
	most = 1 + fuzz_random(fuzz, chance(fuzz, 4) ? 600 : 20);
	for (n = 1; n < most && page + n < span->pages; n++)
		if (!like(&span->page[page + n]) ||
		    span->page[page + n].region != span->page[page].region)
			break;
	range->offset = page * MODEL_PAGE;
	range->length = n * MODEL_PAGE;
	if (chance(fuzz, 6))
		odd_bytes(fuzz, range);
}

static bool can_read(const struct model_page *page)
{
	return model_may(page, MODEL_READ);
}

static bool can_discard(const struct model_page *page)
{
	return page->state == MODEL_COMMITTED &&
	       page->protection == WINREGION_READWRITE;
}

static bool is_offered(const struct model_page *page)
{
	return page->offered;
}

static bool is_locked(const struct model_page *page)
{
	return page->locked;
}

/* More is taken back than is offered. */
static void reset(struct fuzz *fuzz, struct op *op)
{
	static const uint8_t operations[] = {
		WINREGION_OP_RESET, WINREGION_OP_RESET, WINREGION_OP_RESET,
		WINREGION_OP_UNDO, WINREGION_OP_UNDO, WINREGION_OP_DISCARD,
		WINREGION_OP_OFFER, WINREGION_OP_OFFER, WINREGION_OP_OFFER,
		WINREGION_OP_RECLAIM, WINREGION_OP_RECLAIM,
		WINREGION_OP_RECLAIM, WINREGION_OP_RECLAIM,
		WINREGION_OP_RECLAIM,
	};
	static bool (*const like[])(const struct model_page *page) = {
		[WINREGION_OP_RESET] = can_read,
		[WINREGION_OP_UNDO] = can_read,
		[WINREGION_OP_DISCARD] = can_discard,
		[WINREGION_OP_OFFER] = can_read,
		[WINREGION_OP_RECLAIM] = is_offered,
	};
	unsigned int i;

	op->value = operations[fuzz_random(fuzz, ARRAY_SIZE(operations))];
	if (chance(fuzz, 8))
		op->nr = 1 + fuzz_random(fuzz, 3);
	for (i = 0; i < OP_RANGES && (!i || i < op->nr); i++) {
		if (chance(fuzz, 6))
			some_range(fuzz, &op->range[i]);
		else
			some_alike(fuzz, &op->range[i], like[op->value]);
		if (op->value < WINREGION_OP_DISCARD || chance(fuzz, 100))
			op->range[i].protection = some_protection(fuzz);
		else if (op->value == WINREGION_OP_OFFER)
			op->range[i].protection = 1 + fuzz_random(fuzz, 4);
	}
	if (chance(fuzz, 200))
		op->value = fuzz_random(fuzz, 2) ? 0 : 6;
	oddities(fuzz, op);
}

static void lock(struct fuzz *fuzz, struct op *op)
{
	op->value = fuzz_random(fuzz, chance(fuzz, 50) ? 5 : 4);
	if (chance(fuzz, 5))
		some_range(fuzz, &op->range[0]);
	else if (op->value == WINREGION_LOCK_ADD)
		some_alike(fuzz, &op->range[0], can_read);
	else
		some_alike(fuzz, &op->range[0], is_locked);
	oddities(fuzz, op);
}

/* ---- placeholders and stacks ---- */

static bool is_placeholder(const struct model_page *page)
{
	return is_live(page) && page->kind == MODEL_PLACEHOLDER;
}

/* One can be left there. */
static bool is_kept(const struct model_page *page)
{
	return is_live(page) && (page->kind == MODEL_PLACEHOLDER ||
				 page->kind == MODEL_REPLACED);
}

static bool is_view(const struct model_page *page)
{
	return is_live(page) && page->kind == MODEL_VIEW;
}

static bool is_stack(const struct model_page *page)
{
	return is_live(page) && page->stack;
}

static bool is_stack_guard(const struct model_page *page)
{
	return is_stack(page) && (page->protection & WINREGION_GUARD);
}

/* All of a region, one that is @like if there is any */
static void some_region_like(struct fuzz *fuzz, struct op_range *range,
			     bool (*like)(const struct model_page *page))
{
	const struct model_span *span;
	uint32_t page, first, i;

	some_page(fuzz, range);
	span = &fuzz->model->span[range->space];
	page = range->offset / MODEL_PAGE;
	for (i = 0; i < span->pages && !like(&span->page[page]); i++)
		page = page + 1 < span->pages ? page + 1 : 0;
	if (!is_live(&span->page[page]))
		return;
	first = span->page[page].region;
	range->offset = first * MODEL_PAGE;
	range->length = (model_region_end(span, page) - first) * MODEL_PAGE;
}

/* A page more, or less */
static void miss(struct fuzz *fuzz, struct op_range *range)
{
	switch (fuzz_random(fuzz, 4)) {
	case 0:
		range->length += MODEL_PAGE;
		break;
	case 1:
		range->offset += MODEL_PAGE;
		break;
	default:
		range->length -= range->length > MODEL_PAGE ? MODEL_PAGE : 0;
	}
}

static void placeholder(struct fuzz *fuzz, struct op *op)
{
	some_room(fuzz, op);
	op->range[0].protection = chance(fuzz, 20) ? some_protection(fuzz) :
						     WINREGION_NOACCESS;
	op->flags = WINREGION_RESERVE_PLACEHOLDER | fuzz_random(fuzz, 2);
	oddities(fuzz, op);
}

static void replace(struct fuzz *fuzz, struct op *op)
{
	struct op_range *range = &op->range[0];

	op->range[1].space = OP_ABSOLUTE;
	op->range[2].space = OP_ABSOLUTE;
	some_region_like(fuzz, range, is_placeholder);
	if (chance(fuzz, 10))
		miss(fuzz, range);
	if (chance(fuzz, 6))
		odd_bytes(fuzz, range);
	range->protection = some_protection(fuzz);
	op->flags = WINREGION_RESERVE_REPLACE | fuzz_random(fuzz, 4) |
		    some_extras(fuzz);
	oddities(fuzz, op);
}

/* Placeholders that touch, from the range on, maybe not all of them */
static void neighbours(struct fuzz *fuzz, struct op_range *range)
{
	const struct model_span *span = &fuzz->model->span[range->space];
	uint32_t end = (range->offset + range->length) / MODEL_PAGE, n;

	while (end < span->pages && is_placeholder(&span->page[end])) {
		n = model_region_end(span, end) - end;
		range->length += n * MODEL_PAGE;
		end += n;
		if (chance(fuzz, 3))
			break;
	}
}

/* A part becomes a placeholder, or several become one. */
static void keep(struct fuzz *fuzz, struct op *op)
{
	struct op_range *range = &op->range[0];
	uint32_t first, n;

	if (chance(fuzz, 3)) {
		some_region_like(fuzz, range, is_placeholder);
		neighbours(fuzz, range);
		op->flags = WINREGION_RELEASE_COALESCE;
	} else {
		some_region_like(fuzz, range, is_kept);
		first = range->offset / MODEL_PAGE;
		n = range->length / MODEL_PAGE;
		if (!chance(fuzz, 3))
			some_pages(fuzz, fuzz->model->span[range->space].base,
				   &first, &n);
		range->offset = first * MODEL_PAGE;
		range->length = n * MODEL_PAGE;
		op->flags = WINREGION_RELEASE_PRESERVE;
	}
	if (chance(fuzz, 12))
		miss(fuzz, range);
	if (chance(fuzz, 8))
		odd_bytes(fuzz, range);
	if (chance(fuzz, 60))
		range->length = 0;
	oddities(fuzz, op);
}

static void map_view(struct fuzz *fuzz, struct op *op)
{
	some_region_like(fuzz, &op->range[0], is_placeholder);
	if (chance(fuzz, 10))
		miss(fuzz, &op->range[0]);
	if (chance(fuzz, 40))
		op->range[0].offset += 8;
}

static void unmap_view(struct fuzz *fuzz, struct op *op)
{
	some_region_like(fuzz, &op->range[0], is_view);
	op->range[0].offset += fuzz_random(fuzz, op->range[0].length);
	op->flags = fuzz_random(fuzz, 2) * WINREGION_UNMAP_PRESERVE;
	if (chance(fuzz, 100))
		absurd(fuzz, &op->range[0]);
	oddities(fuzz, op);
}

/* Often a small one, as only its end is of interest. */
static void stack(struct fuzz *fuzz, struct op *op)
{
	some_room(fuzz, op);
	if (!chance(fuzz, 4))
		op->range[0].length = (3 + fuzz_random(fuzz, 40)) * MODEL_PAGE;
	op->range[0].protection = chance(fuzz, 20) ? some_protection(fuzz) : RW;
	op->flags = WINREGION_RESERVE_STACK | fuzz_random(fuzz, 2);
	if (chance(fuzz, 8))
		op->flags |= WINREGION_RESERVE_COMMIT;
	if (chance(fuzz, 8))
		op->flags |= some_extras(fuzz);
	oddities(fuzz, op);
}

static void set_stack(struct fuzz *fuzz, struct op *op)
{
	struct op_range *range = &op->range[0];

	some_region_like(fuzz, range, is_stack);
	range->offset += fuzz_random(fuzz, range->length);
	range->length = fuzz_random(fuzz, chance(fuzz, 4) ? 64 : 5) *
			MODEL_PAGE;
	if (range->length && chance(fuzz, 3))
		range->length -= fuzz_random(fuzz, MODEL_PAGE);
	op->flags = fuzz_random(fuzz, 2) * WINREGION_STACK_LEAPS;
	if (chance(fuzz, 50))
		absurd(fuzz, range);
	oddities(fuzz, op);
}

/* Its upper end, and the guard below that */
static void arm(struct fuzz *fuzz, struct op *op)
{
	struct op_range *top = &op->range[0], *guard = &op->range[1];
	uint32_t n, at;

	some_region_like(fuzz, top, is_stack);
	n = top->length / MODEL_PAGE;
	at = fuzz_random(fuzz, n);
	*guard = *top;
	guard->offset += at * MODEL_PAGE;
	guard->length = MODEL_PAGE;
	guard->protection = RW | WINREGION_GUARD;
	top->offset = guard->offset + MODEL_PAGE;
	top->length = (n - at - 1) * MODEL_PAGE;
	top->protection = RW;
	op->nr = 2;
	if (top->length)
		return;
	*top = *guard;
	op->nr = 1;
}

/* The guard, or below it */
static void touch_stack(struct fuzz *fuzz, struct op *op)
{
	const struct model_span *span;
	uint32_t page;

	some_alike(fuzz, &op->range[0], is_stack_guard);
	op->flags = fuzz_random(fuzz, MODEL_WORDS);
	op->value = fuzz_random(fuzz, 0xffffffff) | 1;
	op->range[0].length = MODEL_PAGE;
	span = &fuzz->model->span[op->range[0].space];
	page = op->range[0].offset / MODEL_PAGE;
	if (is_stack(&span->page[page]) && chance(fuzz, 2))
		op->range[0].offset -=
			fuzz_random(fuzz, page - span->page[page].region + 1) *
			MODEL_PAGE;
}

static void touch(struct fuzz *fuzz, struct op *op)
{
	some_committed_page(fuzz, &op->range[0]);
	op->flags = fuzz_random(fuzz, MODEL_WORDS);
	op->value = fuzz_random(fuzz, 0xffffffff) | 1;
	if (op->kind == OP_READ && chance(fuzz, 16))
		op->flags = OP_WHOLE_PAGE;
}

/* What can be executed becomes data, and data becomes code. */
static void toggle(struct fuzz *fuzz, struct op *op)
{
	struct op_range *range = &op->range[0];
	const struct model_page *page;

	some_committed_page(fuzz, range);
	page = &fuzz->model->span[range->space].page[range->offset /
						     MODEL_PAGE];
	range->length = (1 + fuzz_random(fuzz, 3)) * MODEL_PAGE;
	range->protection = RW;
	if (!model_may(page, MODEL_EXEC))
		range->protection = chance(fuzz, 3) ?
			WINREGION_EXECUTE_READWRITE : WINREGION_EXECUTE_READ;
}

static void make_fork(struct fuzz *fuzz, struct op *op)
{
	static const uint8_t flags[] = { 0, OP_WAIT, OP_HOLD, OP_HOLD };

	op->flags = flags[fuzz_random(fuzz, ARRAY_SIZE(flags))];
	op->value = 5 + fuzz_random(fuzz, 100);
}

static void mapping(struct fuzz *fuzz, struct op *op)
{
	anywhere(fuzz, &op->range[0]);
	op->range[0].length = (1 + fuzz_random(fuzz, 20)) * MODEL_PAGE;
	if (op->kind == OP_MADVISE)
		some_range(fuzz, &op->range[0]);
	if (op->kind == OP_MMAP)
		op->flags = fuzz_random(fuzz, 3);
	if (op->kind != OP_UNMAP)
		return;
	some_page(fuzz, &op->range[0]);
	if (chance(fuzz, 3))
		op->flags = 1 + fuzz_random(fuzz, 2);
}

/* Out of a thousand */
static const struct {
	uint8_t kind;
	uint16_t weight;
	void (*fill)(struct fuzz *fuzz, struct op *op);
} kinds[] = {
	{ OP_RESERVE, 50, reserve },
	{ OP_RESERVE, 10, placeholder },
	{ OP_RESERVE, 14, replace },
	{ OP_RESERVE, 8, stack },
	{ OP_WRITE, 114, touch },
	{ OP_WRITE, 8, touch_stack },
	{ OP_WATCH, 35, watch },
	{ OP_RESET, 45, reset },
	{ OP_LOCK, 20, lock },
	{ OP_MAP_VIEW, 7, map_view },
	{ OP_UNMAP_VIEW, 7, unmap_view },
	{ OP_SET_STACK, 5, set_stack },
	{ OP_COMMIT, 128, change },
	{ OP_COMMIT, 9, arm },
	{ OP_READ, 85, touch },
	{ OP_READ, 2, touch_stack },
	{ OP_PROTECT, 95, change },
	{ OP_PROTECT, 45, toggle },
	{ OP_DECOMMIT, 75, change },
	{ OP_QUERY, 60, query },
	{ OP_READ_CALL, 30, touch },
	{ OP_READ_CALL, 3, touch_stack },
	{ OP_WRITE_CALL, 30, touch },
	{ OP_WRITE_CALL, 2, touch_stack },
	{ OP_RELEASE, 30, release },
	{ OP_RELEASE, 17, keep },
	{ OP_EXEC, 20, touch },
	{ OP_QUERY_RUNS, 20, query_runs },
	{ OP_INFO, 4, oddities },
	{ OP_MADVISE, 4, mapping },
	{ OP_MMAP, 7, mapping },
	{ OP_MUNMAP, 3, mapping },
	{ OP_UNMAP, 5, mapping },
	{ OP_VERIFY, 1, NULL },
	{ OP_FORK, 2, make_fork },
};

void fuzz_generate(struct fuzz *fuzz, struct op *op)
{
	uint32_t at = fuzz_random(fuzz, 1000);
	unsigned int i = 0;

	memset(op, 0, sizeof(*op));
	while (i + 1 < ARRAY_SIZE(kinds) && at >= kinds[i].weight)
		at -= kinds[i++].weight;
	/* With nothing there, there is not much else to do. */
	if (chance(fuzz, 100) && !model_regions(fuzz->model))
		i = 0; /* OP_RESERVE */
	op->kind = kinds[i].kind;
	if (kinds[i].fill)
		kinds[i].fill(fuzz, op);
	if (op->kind == OP_FORK && fuzz->depth >= FUZZ_DEPTH)
		op->kind = OP_NONE;
}
