// SPDX-License-Identifier: GPL-2.0
/*
 * What a program says of the contents of pages: reset, offered, discarded, locked
 *
 * Whether contents that may be freed are there is for the kernel to say, once for each
 * page: all of it is as it was, or zeros. Who reads it knows from then on.
 */
#include <string.h>

#include "model.h"
#include "model_check.h"

void model_gone(struct model_page *page)
{
	memset(page->word, 0, sizeof(page->word));
	page->doubt = false;
	page->told = false;
}

void model_in_child(struct model *model)
{
	unsigned int i, j;

	for (i = 0; i < MODEL_SPANS; i++)
		for (j = 0; j < model->span[i].pages; j++)
			model->span[i].page[j].locked = false;
}

/* ---- RESET ---- */

/* RS-02: any that there is, those of views as well */
static bool is_protection(uint32_t word)
{
	if ((word & 0xff) == WINREGION_WRITECOPY)
		word ^= WINREGION_WRITECOPY ^ WINREGION_READWRITE;
	if ((word & 0xff) == WINREGION_EXECUTE_WRITECOPY)
		word ^= WINREGION_EXECUTE_WRITECOPY ^
			WINREGION_EXECUTE_READWRITE;
	return model_protection_is_valid(word);
}

static uint32_t check_word(uint32_t operation, uint32_t word)
{
	switch (operation) {
	case WINREGION_OP_RESET:
	case WINREGION_OP_UNDO:
		return is_protection(word) ? 0 : MODEL_EDOM;
	case WINREGION_OP_OFFER:
		return word && word <= WINREGION_PRIORITY_NORMAL ?
		       0 : MODEL_EINVAL;
	default:
		return word ? MODEL_EINVAL : 0;
	}
}

static uint32_t check_page(uint32_t operation, const struct model_page *page)
{
	bool committed = page->state == MODEL_COMMITTED;

	switch (operation) {
	case WINREGION_OP_DISCARD:
		/* NOCACHE is the allocation's. */
		return committed && (page->protection & ~WINREGION_NOCACHE) ==
		       WINREGION_READWRITE ? 0 : MODEL_EDOM;
	case WINREGION_OP_OFFER:
		return committed ? 0 : MODEL_ENODATA;
	case WINREGION_OP_RECLAIM:
		return page->offered ? 0 : MODEL_ENOMSG;
	default:
		return 0;
	}
}

/* The pages that it is about: @n from @spot on */
static uint32_t check_one(struct model *model, uint32_t operation,
			  const struct winregion_range *range,
			  struct model_spot *spot, uint32_t *n)
{
	uint32_t errors = check_word(operation, range->protection), i;

	errors |= model_check_region(model, range->address, range->length,
				     false, spot, n);
	/* See share_model.c. */
	if (*n && model_is_view(spot))
		errors |= MODEL_UNKNOWN;
	for (i = 0; i < *n; i++)
		errors |= check_page(operation,
				     &spot->span->page[spot->page + i]);
	return errors;
}

static void discard(struct model_page *page)
{
	model_gone(page);
	page->offered = false;
	page->untold = false;
}

/* What a reset has lost before is not told by who takes back what is offered. */
static void offer(const struct model *model, struct model_page *page)
{
	page->told |= page->doubt && !page->offered;
	page->offered = model->bug != MODEL_BUG_OFFER;
	page->locked = false;
	page->doubt = true;
	page->untold = true;
}

/* What was lost is forgotten where it has been made anew: also ahead, with another page. */
static void reset(struct model_page *page)
{
	if (page->state != MODEL_COMMITTED || page->offered || page->locked)
		return;
	page->told |= page->doubt;
	page->doubt = true;
	page->untold = true;
}

/* Return: whether it may be told that it is gone. */
static bool take_back(struct model_page *page, bool offered)
{
	bool untold = page->untold;

	if (page->offered != offered)
		return false;
	page->offered = false;
	page->untold = false;
	return untold;
}

/* Whether all of its page @i is in it */
static bool has_whole(const struct winregion_range *range, uint32_t i)
{
	uint64_t head = range->address % MODEL_PAGE;

	return (i || !head) && (i + 1) * MODEL_PAGE <= head + range->length;
}

/* Return: how many bytes may be told to be gone. */
static uint64_t apply_one(struct model *model, uint32_t operation,
			  const struct winregion_range *range)
{
	uint32_t n = model_pages_of(range->address, range->length), i;
	struct model_page *page;
	uint64_t gone = 0;

	FOR_EACH_PAGE(model, range->address, n, i, page) {
		if (operation == WINREGION_OP_DISCARD)
			discard(page);
		else if (operation == WINREGION_OP_OFFER)
			offer(model, page);
		else if (operation != WINREGION_OP_RESET)
			gone += take_back(page, operation ==
					  WINREGION_OP_RECLAIM) * MODEL_PAGE;
		else if (has_whole(range, i))
			reset(page);
	}
	return gone;
}

static uint32_t check_reset(const struct winregion_reset *arg, bool dirty)
{
	uint32_t errors = model_check_size(arg->size, sizeof(*arg), dirty);
	struct winregion_change change = {
		.size = sizeof(change),
		.flags = arg->flags,
		.nr_ranges = arg->nr_ranges,
		.ranges = arg->ranges,
		.range = arg->range,
	};

	if (!arg->operation || arg->operation > WINREGION_OP_RECLAIM)
		errors |= MODEL_EINVAL;
	return errors | model_check_change(&change, false);
}

uint32_t model_reset(struct model *model, struct winregion_reset *arg,
		     struct winregion_range *ranges, bool dirty)
{
	uint32_t errors = check_reset(arg, dirty), nr = arg->nr_ranges, n, i;
	struct model_spot spot;

	if (!nr) {
		nr = 1;
		ranges = &arg->range;
	} else if (!ranges) {
		return errors | MODEL_EFAULT;
	}
	for (i = 0; i < nr; i++)
		errors |= check_one(model, arg->operation, &ranges[i], &spot,
				    &n);
	if (errors)
		return errors;
	arg->out_gone = 0;
	for (i = 0; i < nr; i++)
		arg->out_gone += apply_one(model, arg->operation, &ranges[i]);
	return 0;
}

/* What was taken back is whole, or some of it is not. */
static void told_one(struct model *model, const struct winregion_range *range,
		     bool gone)
{
	uint32_t n = model_pages_of(range->address, range->length), i;
	struct model_page *page;

	FOR_EACH_PAGE(model, range->address, n, i, page) {
		if (!page->doubt || page->offered)
			continue;
		page->told |= gone;
		page->doubt = page->told;
	}
}

void model_reset_told(struct model *model, const struct winregion_reset *arg,
		      const struct winregion_range *ranges, uint64_t gone)
{
	uint32_t nr = arg->nr_ranges, i;

	if (arg->operation != WINREGION_OP_UNDO &&
	    arg->operation != WINREGION_OP_RECLAIM)
		return;
	if (!nr)
		told_one(model, &arg->range, gone);
	for (i = 0; i < nr; i++)
		told_one(model, &ranges[i], gone);
}

/* ---- LOCK ---- */

/* More than that are nobody's pages. */
#define MOST_PAGES (2 * MODEL_ARENA_PAGES)

static uint32_t check_lock(struct model *model,
			   const struct winregion_lock *arg, bool dirty)
{
	uint32_t errors = model_check_size(arg->size, sizeof(*arg), dirty);
	struct model_page *page;
	uint64_t i, n;

	if (arg->flags)
		errors |= MODEL_EOPNOTSUPP;
	if (arg->__reserved || arg->operation > WINREGION_LOCK_COUNT)
		errors |= MODEL_EINVAL;
	errors |= model_check_range(arg->address, arg->length);
	if (errors)
		return errors;
	if (arg->length / MODEL_PAGE > MOST_PAGES)
		return MODEL_UNKNOWN;
	n = model_pages_of(arg->address, arg->length);
	FOR_EACH_PAGE(model, arg->address, n, i, page)
		if (page->kind == MODEL_VIEW)
			break;
	return i < n ? MODEL_UNKNOWN : 0;
}

/* Why it cannot be locked, if its contents are not to be looked at */
static uint32_t check_page_to_lock(struct model *model,
				   struct model_page *page)
{
	if (!model_in_region(page) || page->lost)
		return MODEL_ENOENT;
	if (page->state != MODEL_COMMITTED)
		return MODEL_ENODATA;
	if (page->protection & WINREGION_GUARD) {
		model_alarm(model, page);
		return MODEL_ESTALE;
	}
	return page->protection & WINREGION_NOACCESS ? MODEL_EPROTO : 0;
}

static void set_locked(struct model *model, uint64_t address, uint64_t n,
		       bool locked)
{
	struct model_page *page;
	uint64_t i;

	FOR_EACH_PAGE(model, address, n, i, page)
		page->locked = locked;
}

static uint64_t count_locked(struct model *model, uint64_t address, uint64_t n)
{
	struct model_page *page;
	uint64_t i, locked = 0;

	FOR_EACH_PAGE(model, address, n, i, page)
		locked += page->locked;
	return locked;
}

static uint32_t add(struct model *model, uint64_t address, uint64_t n)
{
	struct model_page *page;
	uint32_t errors;
	uint64_t i;

	FOR_EACH_PAGE(model, address, n, i, page) {
		errors = check_page_to_lock(model, page);
		if (errors)
			return errors;
	}
	FOR_EACH_PAGE(model, address, n, i, page) {
		if (page->offered)
			return MODEL_EIO;
		model_touch(model, address + i * MODEL_PAGE);
	}
	set_locked(model, address, n, true);
	return 0;
}

uint32_t model_lock(struct model *model, struct winregion_lock *arg,
		    bool dirty)
{
	uint32_t errors = check_lock(model, arg, dirty);
	uint64_t n, locked;

	if (errors)
		return errors;
	n = model_pages_of(arg->address, arg->length);
	locked = count_locked(model, arg->address, n);
	if (arg->operation == WINREGION_LOCK_ADD)
		errors = add(model, arg->address, n);
	if (arg->operation == WINREGION_LOCK_REMOVE && locked < n)
		errors = MODEL_ENOLCK;
	if (arg->operation == WINREGION_LOCK_REMOVE && !errors)
		set_locked(model, arg->address, n, false);
	if (model->bug == MODEL_BUG_LOCK)
		locked = count_locked(model, arg->address, n);
	if (!errors)
		arg->out_locked = locked * MODEL_PAGE;
	return errors;
}
