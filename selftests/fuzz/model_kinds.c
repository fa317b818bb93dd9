// SPDX-License-Identifier: GPL-2.0
/*
 * Regions that are more than others: placeholders, what replaces them, and stacks
 */
#include <string.h>

#include "model.h"
#include "model_check.h"

#define GUARDED (WINREGION_READWRITE | WINREGION_GUARD)

/* No page of a span has that number. */
#define NO_PAGE UINT32_MAX

bool model_is_view(const struct model_spot *spot)
{
	const struct model_page *page = &spot->span->page[spot->page];

	return model_in_region(page) && page->kind == MODEL_VIEW;
}

/* ---- placeholders ---- */

/* PH-02, and what does not go together */
uint32_t model_check_kind(const struct winregion_reserve *arg)
{
	bool placeholder = arg->flags & WINREGION_RESERVE_PLACEHOLDER;
	bool replace = arg->flags & WINREGION_RESERVE_REPLACE;
	bool stack = arg->flags & WINREGION_RESERVE_STACK;
	uint32_t errors = 0;

	if (placeholder && (arg->flags & ~(WINREGION_RESERVE_PLACEHOLDER |
					   WINREGION_RESERVE_TOP_DOWN)))
		errors |= MODEL_EINVAL;
	if (replace && (stack || !arg->address))
		errors |= MODEL_EINVAL;
	if (placeholder && arg->protection != WINREGION_NOACCESS)
		errors |= MODEL_EDOM;
	if (stack && arg->protection != WINREGION_READWRITE)
		errors |= MODEL_EDOM;
	return errors;
}

static bool any_lost(const struct model_span *span, uint32_t first,
		     uint32_t end)
{
	while (first < end)
		if (span->page[first++].lost)
			return true;
	return false;
}

/* Whether a placeholder starts with the page. */
static bool starts_placeholder(const struct model_span *span, uint32_t page)
{
	const struct model_page *at = &span->page[page];

	return model_in_region(at) && at->kind == MODEL_PLACEHOLDER &&
	       at->region == page;
}

/* PH-05 to PH-07: the pages must be those of one, all of it. */
static uint32_t find_placeholder(struct model *model, uint64_t address,
				 uint64_t length, struct model_spot *spot,
				 uint32_t *n)
{
	uint64_t bytes;

	*n = 0;
	if (!model_find(model, address, spot))
		return MODEL_UNKNOWN;
	if (!starts_placeholder(spot->span, spot->page))
		return MODEL_EBADSLT;
	*n = model_region_end(spot->span, spot->page) - spot->page;
	bytes = *n * MODEL_PAGE - address % MODEL_PAGE;
	return length > bytes || model_pages_of(address, length) != *n ?
	       MODEL_EBADSLT : 0;
}

uint32_t model_replace(struct model *model, struct winregion_reserve *arg)
{
	struct model_spot spot;
	uint32_t n, errors;

	errors = find_placeholder(model, arg->address, arg->length, &spot, &n);
	if (errors)
		return errors;
	/* Nothing can be committed in what the program has unmapped. */
	if ((arg->flags & WINREGION_RESERVE_COMMIT) &&
	    any_lost(spot.span, spot.page, spot.page + n))
		return MODEL_EBADSLT;
	if (model_commit_is_refused(arg))
		return MODEL_EACCES;
	model_put_region(model, spot.span, spot.page, n, arg);
	arg->address -= arg->address % MODEL_PAGE;
	arg->length = n * MODEL_PAGE;
	return 0;
}

/* PH-11, PH-14, PH-15: what is around the pages is a region on each side. */
static void put_placeholder(struct model *model, struct model_span *span,
			    uint32_t first, uint32_t n)
{
	static const struct winregion_reserve placeholder = {
		.flags = WINREGION_RESERVE_PLACEHOLDER,
		.protection = WINREGION_NOACCESS,
	};
	uint32_t end = model_region_end(span, first), i;

	for (i = first + n; i < end; i++) {
		span->page[i].region = first + n;
		if (model->bug == MODEL_BUG_SPLIT)
			span->page[i].kind = MODEL_ORDINARY;
	}
	model_put_region(model, span, first, n, &placeholder);
}

static uint32_t check_preserve(struct model *model,
			       const struct winregion_release *arg,
			       struct model_spot *spot, uint32_t *n)
{
	uint32_t errors = model_check_region(model, arg->address, arg->length,
					     false, spot, n);
	const struct model_page *page;
	uint32_t end;

	if (!*n)
		return errors;
	page = &spot->span->page[spot->page];
	end = model_region_end(spot->span, spot->page);
	if (page->kind == MODEL_VIEW)
		errors |= MODEL_EBUSY;
	if (page->kind == MODEL_ORDINARY)
		errors |= MODEL_EBADSLT;
	/* PH-16: there is nothing to split. */
	if (page->kind == MODEL_PLACEHOLDER && spot->page == page->region &&
	    *n == end - spot->page)
		errors |= MODEL_EBADSLT;
	return errors;
}

/* PH-18 to PH-20: the pages of at least two placeholders, without a hole */
static uint32_t check_coalesce(struct model *model,
			       const struct winregion_release *arg,
			       struct model_spot *spot, uint32_t *n)
{
	uint32_t errors = model_check_range(arg->address, arg->length);
	uint32_t least = model->bug == MODEL_BUG_COALESCE ? 1 : 2;
	uint32_t next, end, parts = 0;

	if (errors)
		return errors;
	if (!model_find(model, arg->address, spot) ||
	    arg->length > spot->span->pages * MODEL_PAGE)
		return MODEL_UNKNOWN;
	*n = model_pages_of(arg->address, arg->length);
	end = spot->page + *n;
	if (end > spot->span->pages)
		return MODEL_UNKNOWN;
	for (next = spot->page; next < end; next++)
		if (spot->span->page[next].state == MODEL_NOT_KNOWN)
			return MODEL_UNKNOWN;
	for (next = spot->page; next < end; parts++) {
		if (!starts_placeholder(spot->span, next))
			return MODEL_EBADSLT;
		next = model_region_end(spot->span, next);
	}
	if (next != end || parts < least)
		return MODEL_EBADSLT;
	/* It matters where the mappings end that are left. */
	return any_lost(spot->span, spot->page, end) ? MODEL_UNKNOWN : 0;
}

/* A release that leaves a placeholder; @errors: what is wrong with it already */
uint32_t model_keep(struct model *model, struct winregion_release *arg,
		    uint32_t errors)
{
	const uint32_t both = WINREGION_RELEASE_PRESERVE |
			      WINREGION_RELEASE_COALESCE;
	struct model_spot spot;
	uint32_t n = 0;

	if ((arg->flags & both) == both)
		return errors | MODEL_EINVAL;
	if (arg->flags & WINREGION_RELEASE_COALESCE)
		errors |= check_coalesce(model, arg, &spot, &n);
	else
		errors |= check_preserve(model, arg, &spot, &n);
	if (errors)
		return errors;
	put_placeholder(model, spot.span, spot.page, n);
	arg->address -= arg->address % MODEL_PAGE;
	arg->length = n * MODEL_PAGE;
	return 0;
}

/* ---- views in their place ---- */

/* PH-27, PH-31 */
uint32_t model_map_view(struct model *model, struct winregion_map_view *arg)
{
	uint32_t errors = model_check_range(arg->address, arg->length), n, i;
	struct model_page *page;
	struct model_spot spot;

	if (arg->address % MODEL_PAGE)
		errors |= MODEL_EINVAL;
	errors |= find_placeholder(model, arg->address, arg->length, &spot, &n);
	if (errors)
		return errors;
	if (any_lost(spot.span, spot.page, spot.page + n))
		return MODEL_UNKNOWN;
	for (i = 0; i < n; i++) {
		page = &spot.span->page[spot.page + i];
		page->state = MODEL_COMMITTED;
		page->kind = MODEL_VIEW;
		page->allocation = WINREGION_READONLY;
		page->protection = WINREGION_READONLY;
	}
	arg->length = n * MODEL_PAGE;
	return 0;
}

static void end_view(struct model *model, const struct model_spot *spot,
		     uint32_t first, uint32_t n, bool preserve)
{
	bool roaming = spot->span != &model->span[0];

	if (preserve && model->bug != MODEL_BUG_VIEW) {
		put_placeholder(model, spot->span, first, n);
		return;
	}
	model_release_pages(spot->span, roaming, first, n);
	if (roaming)
		model_end_span(spot->span);
}

/* UM-05, UM-07: all of it, by any address in it */
uint32_t model_unmap_view(struct model *model,
			  struct winregion_unmap_view *arg, bool dirty)
{
	uint32_t errors = model_check_size(arg->size, sizeof(*arg), dirty);
	struct model_spot spot;
	uint32_t first, n;

	if (arg->flags & ~WINREGION_UNMAP_PRESERVE)
		errors |= MODEL_EOPNOTSUPP;
	errors |= model_check_range(arg->address, 1);
	if (errors)
		return errors;
	if (!model_find(model, arg->address, &spot))
		return MODEL_UNKNOWN;
	if (!model_is_view(&spot))
		return MODEL_ENOENT;
	first = spot.span->page[spot.page].region;
	n = model_region_end(spot.span, first) - first;
	arg->address = spot.span->base + first * MODEL_PAGE;
	arg->out_length = n * MODEL_PAGE;
	end_view(model, &spot, first, n, arg->flags);
	return 0;
}

/* ---- stacks ---- */

uint32_t model_set_stack(struct model *model,
			 const struct winregion_set_stack *arg, bool dirty)
{
	uint64_t pages = arg->guarantee / MODEL_PAGE +
			 !!(arg->guarantee % MODEL_PAGE);
	uint32_t errors = model_check_size(arg->size, sizeof(*arg), dirty);
	uint32_t first, end;
	struct model_page *page;
	struct model_spot spot;

	if (arg->flags & ~WINREGION_STACK_LEAPS)
		errors |= MODEL_EOPNOTSUPP;
	errors |= model_check_range(arg->address, 1);
	if (errors)
		return errors;
	if (!model_find(model, arg->address, &spot))
		return MODEL_UNKNOWN;
	page = &spot.span->page[spot.page];
	if (!model_in_region(page) || !page->stack)
		return MODEL_ENOENT;
	first = page->region;
	end = model_region_end(spot.span, first);
	/* One that stays reserved, one for the guard, and one above it */
	if (pages > UINT32_MAX || pages + 3 > end - first)
		return MODEL_EXDEV;
	for (; first < end; first++) {
		spot.span->page[first].guarantee = pages;
		spot.span->page[first].leaps = arg->flags;
	}
	return 0;
}

static bool is_reserved(const struct model_page *page)
{
	return page->state == MODEL_RESERVED && !page->lost;
}

static bool is_guard(const struct model *model, const struct model_page *page)
{
	return page->state == MODEL_COMMITTED && page->stack &&
	       page->protection == GUARDED && model->bug != MODEL_BUG_STACK;
}

/* That which an access to the page is about, or NO_PAGE */
static uint32_t find_guard(const struct model *model,
			   const struct model_span *span, uint32_t page)
{
	const struct model_page *at = &span->page[page];
	uint32_t end = model_region_end(span, page), guard = page;

	if (is_guard(model, at))
		return page;
	if (!at->leaps || page == at->region || model->bug == MODEL_BUG_LEAP)
		return NO_PAGE;
	while (guard < end && is_reserved(&span->page[guard]))
		guard++;
	return guard > page && guard < end &&
	       is_guard(model, &span->page[guard]) ? guard : NO_PAGE;
}

/* What is reserved of them becomes the stack's. */
static void give(struct model *model, struct model_span *span, uint32_t first,
		 uint32_t end)
{
	for (; first < end; first++)
		if (is_reserved(&span->page[first]))
			model_commit_page(model, &span->page[first],
					  WINREGION_READWRITE);
}

/*
 * GP-17: the guard comes to be below the page, or there is none any more if that would
 * be on the first page, or on one that is guaranteed. Return: whether it is one of a
 * stack; then it has grown, or a system call has found the end.
 */
static bool grow(struct model *model, struct model_span *span, uint32_t page,
		 bool call)
{
	struct model_page *at = &span->page[page];
	uint32_t end_line = at->region + 1 + at->guarantee;
	uint32_t guard = find_guard(model, span, page);
	bool full = page <= end_line;

	if (guard == NO_PAGE || (!full && !is_reserved(&span->page[page - 1])))
		return false;
	if (full && call)
		return true;
	if (!full)
		give(model, span, page - 1, guard);
	else
		give(model, span, at->region + 1 +
		     (model->bug == MODEL_BUG_FULL), guard);
	span->page[guard].protection = WINREGION_READWRITE;
	if (!full)
		span->page[page - 1].protection = GUARDED;
	return true;
}

bool model_fault(struct model *model, uint64_t address,
		 enum model_access access, bool call)
{
	struct model_page *page;
	struct model_spot spot;
	bool full;

	/* In a VMA without code the kernel refuses it, and asks nobody. */
	if (access == MODEL_EXEC && !MODEL_HAS_CODE)
		return false;
	if (!model_find(model, address, &spot))
		return false;
	page = &spot.span->page[spot.page];
	full = spot.page <= page->region + 1 + page->guarantee;
	if (!model_in_region(page) ||
	    !grow(model, spot.span, spot.page, call)) {
		model_alarm(model, page);
		return false;
	}
	return !full && model_may(page, access);
}
