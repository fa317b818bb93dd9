// SPDX-License-Identifier: GPL-2.0
/*
 * What winregion must do, page by page.
 */
#include <errno.h>
#include <string.h>

#include "model.h"
#include "model_check.h"

#define MODIFIERS (WINREGION_GUARD | WINREGION_NOCACHE | WINREGION_WRITECOMBINE)

static const int errnos[MODEL_ERRORS] = {
	EINVAL, E2BIG, EFAULT, EOPNOTSUPP, EDOM, EADDRNOTAVAIL, EOVERFLOW,
	EEXIST, ENOENT, EXDEV, ESPIPE, ENODATA, ENOSPC, EUNATCH, ENOMSG,
	ENOLCK, ESTALE, EPROTO, EIO, EBADSLT, EBUSY, EACCES,
};

int model_errno(unsigned int bit)
{
	return errnos[bit];
}

void model_init(struct model *model, uint64_t arena, unsigned int bug)
{
	unsigned int i;

	memset(model, 0, sizeof(*model));
	model->bug = bug;
	model->span[0].base = arena;
	model->span[0].pages = MODEL_ARENA_PAGES;
	model->span[0].page = model->arena;
	for (i = 1; i < MODEL_SPANS; i++)
		model->span[i].page = model->roaming[i - 1];
}

/* ---- protections ---- */

static bool is_executable(uint32_t protection)
{
	return protection & (WINREGION_EXECUTE | WINREGION_EXECUTE_READ |
			     WINREGION_EXECUTE_READWRITE);
}

/* P-01 to P-08 and P-12 */
bool model_protection_is_valid(uint32_t protection)
{
	uint32_t modifiers = protection & MODIFIERS;
	uint32_t base = protection & ~(MODIFIERS | WINREGION_TARGETS_INVALID);

	switch (base) {
	case WINREGION_NOACCESS:
		if (modifiers)
			return false;
		break;
	case WINREGION_READONLY:
	case WINREGION_READWRITE:
	case WINREGION_EXECUTE:
	case WINREGION_EXECUTE_READ:
	case WINREGION_EXECUTE_READWRITE:
		break;
	default:
		return false;
	}
	if ((protection & WINREGION_TARGETS_INVALID) &&
	    !is_executable(protection))
		return false;
	return modifiers == 0 || modifiers == WINREGION_GUARD ||
	       modifiers == WINREGION_NOCACHE ||
	       modifiers == WINREGION_WRITECOMBINE;
}

/* Where regions have no code, none is committed. */
static bool is_refused(uint32_t protection)
{
	return !MODEL_HAS_CODE && is_executable(protection);
}

/* P-09, P-10: NOCACHE is the allocation's, whatever a page is given. */
static uint32_t shown(uint32_t allocation, uint32_t protection)
{
	protection &= ~(WINREGION_TARGETS_INVALID | WINREGION_NOCACHE);
	return protection | (allocation & WINREGION_NOCACHE);
}

bool model_may(const struct model_page *page, enum model_access access)
{
	uint32_t protection = page->protection;

	if (page->state != MODEL_COMMITTED || page->offered ||
	    (protection & (WINREGION_GUARD | WINREGION_NOACCESS)))
		return false;
	switch (access) {
	case MODEL_WRITE:
		return protection & (WINREGION_READWRITE |
				     WINREGION_EXECUTE_READWRITE);
	case MODEL_EXEC:
		return is_executable(protection);
	default:
		return true;
	}
}

/* GP-01, GP-02: the access failed; if there was a guard it is gone now. */
void model_alarm(struct model *model, struct model_page *page)
{
	if (page->state == MODEL_COMMITTED && model->bug != MODEL_BUG_GUARD)
		page->protection &= ~WINREGION_GUARD;
}

/* The last one is where code is. */
unsigned int model_word_offset(unsigned int word)
{
	static const unsigned int offsets[MODEL_WORDS] = { 0, 4092, 2048 };

	return offsets[word];
}

/* ---- pages and regions ---- */

bool model_in_region(const struct model_page *page)
{
	return page->state == MODEL_RESERVED || page->state == MODEL_COMMITTED;
}

bool model_find(struct model *model, uint64_t address, struct model_spot *spot)
{
	struct model_span *span;
	unsigned int i;

	for (i = 0; i < MODEL_SPANS; i++) {
		span = &model->span[i];
		if (address < span->base ||
		    (address - span->base) / MODEL_PAGE >= span->pages)
			continue;
		spot->span = span;
		spot->page = (address - span->base) / MODEL_PAGE;
		/* A part given back may be somebody's again. */
		if (span->page[spot->page].state != MODEL_NOT_KNOWN)
			return true;
	}
	return false;
}

struct model_page *model_page_at(struct model *model, uint64_t address)
{
	struct model_spot spot;

	return model_find(model, address, &spot) ?
	       &spot.span->page[spot.page] : NULL;
}

/* The first page behind the region that @page is in */
uint32_t model_region_end(const struct model_span *span, uint32_t page)
{
	uint32_t region = span->page[page].region;

	while (page < span->pages && model_in_region(&span->page[page]) &&
	       span->page[page].region == region)
		page++;
	return page;
}

bool model_all_free(const struct model_span *span, uint32_t first, uint32_t n)
{
	uint32_t i;

	if (first > span->pages || n > span->pages - first)
		return false;
	for (i = first; i < first + n; i++)
		if (span->page[i].state != MODEL_FREE)
			return false;
	return true;
}

/* The same, but what is lost to a region may be among it. */
bool model_none_mapped(const struct model_span *span, uint32_t first,
		       uint32_t n)
{
	const struct model_page *page;
	uint32_t i;

	if (first > span->pages || n > span->pages - first)
		return false;
	for (i = first; i < first + n; i++) {
		page = &span->page[i];
		if (page->state != MODEL_FREE && (!page->lost || page->foreign))
			return false;
	}
	return true;
}

bool model_is_foreign(const struct model_page *page)
{
	return page->state == MODEL_FOREIGN || page->foreign;
}

void model_foreign(struct model_span *span, uint32_t first, uint32_t n,
		   bool there)
{
	struct model_page *page;
	uint32_t i;

	for (i = first; i < first + n; i++) {
		page = &span->page[i];
		if (model_in_region(page))
			page->foreign = there;
		else
			page->state = there ? MODEL_FOREIGN : MODEL_FREE;
	}
}

uint64_t model_committed(const struct model *model)
{
	const struct model_page *page;
	uint64_t bytes = 0;
	unsigned int i, j;

	for (i = 0; i < MODEL_SPANS; i++)
		for (j = 0; j < model->span[i].pages; j++) {
			page = &model->span[i].page[j];
			if (page->state != MODEL_COMMITTED ||
			    page->kind == MODEL_VIEW)
				continue;
			if (model->bug == MODEL_BUG_CHARGE &&
			    page->protection == WINREGION_NOACCESS)
				continue;
			bytes += MODEL_PAGE;
		}
	return bytes;
}

uint64_t model_regions(const struct model *model)
{
	const struct model_span *span;
	unsigned int i, j;
	uint64_t n = 0;

	for (i = 0; i < MODEL_SPANS; i++) {
		span = &model->span[i];
		for (j = 0; j < span->pages; j++)
			n += model_in_region(&span->page[j]) &&
			     span->page[j].region == j;
	}
	return n;
}

void model_commit_page(struct model *model, struct model_page *page,
		       uint32_t protection)
{
	if (page->state != MODEL_COMMITTED) {
		page->touched = false;
		page->ahead = false;
		page->written = false;
		if (model->bug != MODEL_BUG_CONTENTS)
			memset(page->word, 0, sizeof(page->word));
	}
	page->state = MODEL_COMMITTED;
	page->protection = shown(page->allocation, protection);
}

static void decommit_page(struct model_page *page)
{
	page->state = MODEL_RESERVED;
	page->protection = 0;
	page->written = false;
	page->touched = false;
	page->ahead = false;
	page->offered = false;
	page->locked = false;
	page->doubt = false;
	page->told = false;
	page->untold = false;
}

static enum model_kind kind_of(const struct model *model, uint32_t flags)
{
	if (flags & WINREGION_RESERVE_PLACEHOLDER)
		return MODEL_PLACEHOLDER;
	return (flags & WINREGION_RESERVE_REPLACE) &&
	       model->bug != MODEL_BUG_REPLACE ? MODEL_REPLACED :
						 MODEL_ORDINARY;
}

/* What is lost, or somebody else's, is so still in what replaces a placeholder. */
void model_put_region(struct model *model, struct model_span *span,
		      uint32_t first, uint32_t n,
		      const struct winregion_reserve *arg)
{
	struct model_page *page;
	uint32_t i;

	for (i = first; i < first + n; i++) {
		page = &span->page[i];
		*page = (struct model_page) {
			.lost = model_in_region(page) && page->lost,
			.foreign = model_in_region(page) && page->foreign,
		};
		page->state = MODEL_RESERVED;
		page->kind = kind_of(model, arg->flags);
		page->stack = arg->flags & WINREGION_RESERVE_STACK;
		page->region = first;
		page->watched = arg->flags & WINREGION_RESERVE_WRITE_WATCH;
		page->allocation = arg->protection &
				   ~WINREGION_TARGETS_INVALID;
		if (arg->flags & WINREGION_RESERVE_COMMIT)
			model_commit_page(model, page, arg->protection);
	}
}

/* ---- what is checked of a call ---- */

uint32_t model_check_size(uint32_t size, uint32_t known, bool dirty)
{
	if (size < known)
		return MODEL_EINVAL;
	return dirty && size > known ? MODEL_E2BIG : 0;
}

static uint32_t check_address(uint64_t address)
{
	return address < MODEL_LOWEST || address > MODEL_HIGHEST ?
	       MODEL_EADDRNOTAVAIL : 0;
}

/* Of the bytes [address, address + length), which must be usable */
uint32_t model_check_range(uint64_t address, uint64_t length)
{
	if (check_address(address))
		return MODEL_EADDRNOTAVAIL;
	if (!length || length - 1 > MODEL_HIGHEST - address)
		return MODEL_EOVERFLOW;
	return 0;
}

uint32_t model_pages_of(uint64_t address, uint64_t length)
{
	return (address + length - 1) / MODEL_PAGE - address / MODEL_PAGE + 1;
}

/*
 * Which pages a call is about that names an address in a region: @n of them
 * from @spot on, or all of the region if @length is 0 and may be.
 */
uint32_t model_check_region(struct model *model, uint64_t address,
			    uint64_t length, bool whole,
			    struct model_spot *spot, uint32_t *n)
{
	uint32_t errors = 0, end;
	const struct model_page *page;

	*n = 0;
	if (check_address(address))
		return MODEL_EADDRNOTAVAIL;
	if (length || !whole)
		errors |= model_check_range(address, length);
	if (!model_find(model, address, spot))
		return errors | MODEL_UNKNOWN;
	page = &spot->span->page[spot->page];
	if (!model_in_region(page))
		return errors | MODEL_ENOENT;
	end = model_region_end(spot->span, spot->page);
	if (!length && whole) {
		if (spot->page != page->region)
			errors |= MODEL_ESPIPE;
		*n = end - spot->page;
		return errors;
	}
	*n = end - spot->page;
	if (length - 1 >= (uint64_t)*n * MODEL_PAGE - address % MODEL_PAGE) {
		/* With a length of 0 nothing leaves anything. */
		if (length)
			errors |= MODEL_EXDEV;
	} else {
		*n = model_pages_of(address, length);
	}
	return errors;
}

/* ---- RESERVE ---- */

/* AR-02 to AR-07, AR-09 */
static uint32_t check_requirements(const struct winregion_reserve *arg)
{
	uint64_t highest = arg->highest ? arg->highest : MODEL_HIGHEST;

	if (arg->address && (arg->lowest || arg->highest || arg->alignment))
		return MODEL_EINVAL;
	if (arg->lowest % MODEL_UNIT || (highest + 1) % MODEL_PAGE)
		return MODEL_EINVAL;
	if (highest > MODEL_HIGHEST || arg->lowest > highest)
		return MODEL_EINVAL;
	if (arg->alignment &&
	    (arg->alignment < MODEL_UNIT ||
	     (arg->alignment & (arg->alignment - 1))))
		return MODEL_EINVAL;
	return 0;
}

static uint32_t check_reserve(const struct winregion_reserve *arg, bool dirty)
{
	uint32_t errors = model_check_size(arg->size, sizeof(*arg), dirty);

	if (arg->flags & ~(WINREGION_RESERVE_TOP_DOWN |
			   WINREGION_RESERVE_COMMIT |
			   WINREGION_RESERVE_WRITE_WATCH |
			   WINREGION_RESERVE_PLACEHOLDER |
			   WINREGION_RESERVE_REPLACE |
			   WINREGION_RESERVE_STACK |
			   WINREGION_RESERVE_NODE))
		errors |= MODEL_EOPNOTSUPP;
	/* Node 0, which there always is, or one that there never is */
	if (arg->node)
		errors |= MODEL_EINVAL;
	if (!model_protection_is_valid(arg->protection))
		errors |= MODEL_EDOM;
	errors |= check_requirements(arg) | model_check_kind(arg);
	return errors | model_check_range(arg->address ? arg->address :
							 MODEL_LOWEST,
					  arg->length);
}

bool model_commit_is_refused(const struct winregion_reserve *arg)
{
	return (arg->flags & WINREGION_RESERVE_COMMIT) &&
	       is_refused(arg->protection);
}

/* M-05: down to the unit, up to the page */
static uint32_t reserve_at(struct model *model, struct winregion_reserve *arg)
{
	uint64_t base = arg->address - arg->address % MODEL_UNIT;
	uint32_t n = model_pages_of(base, arg->address - base + arg->length), i;
	struct model_spot spot;

	if (!model_find(model, base, &spot))
		return MODEL_UNKNOWN;
	if (arg->address - base + arg->length >
	    (uint64_t)(spot.span->pages - spot.page) * MODEL_PAGE)
		n = spot.span->pages - spot.page + 1;
	for (i = spot.page; i < spot.page + n && i < spot.span->pages; i++) {
		if (spot.span->page[i].state == MODEL_NOT_KNOWN)
			return MODEL_UNKNOWN;
		if (spot.span->page[i].state != MODEL_FREE)
			return MODEL_EEXIST;
	}
	if (n > spot.span->pages - spot.page)
		return MODEL_UNKNOWN;
	if (model_commit_is_refused(arg))
		return MODEL_EACCES;
	model_put_region(model, spot.span, spot.page, n, arg);
	arg->address = base;
	arg->length = n * MODEL_PAGE;
	return 0;
}

/* The highest place inside the requirements, AR-11; false if there is none. */
static bool highest_place(const struct model_span *arena,
			  const struct winregion_reserve *arg, uint32_t n,
			  uint32_t *first)
{
	uint64_t alignment = arg->alignment ? arg->alignment : MODEL_UNIT;
	uint32_t i;

	for (i = arena->pages - n + 1; i-- > 0;) {
		uint64_t address = arena->base + i * MODEL_PAGE;

		if (address % alignment || address < arg->lowest ||
		    address + n * MODEL_PAGE - 1 > arg->highest)
			continue;
		if (!model_all_free(arena, i, n))
			continue;
		*first = i;
		return true;
	}
	return false;
}

static uint32_t reserve_anywhere(struct model *model,
				 struct winregion_reserve *arg)
{
	struct model_span *arena = &model->span[0];
	uint64_t end = arena->base + arena->pages * MODEL_PAGE;
	uint32_t n = 0, first;
	bool exists = false;

	/* Only where all of the range is in the arena is all known. */
	if (arg->lowest < arena->base || !arg->highest ||
	    arg->highest >= end) {
		if (arg->length > MODEL_ROAMING_PAGES * MODEL_PAGE)
			return MODEL_UNKNOWN;
		return model_commit_is_refused(arg) ? MODEL_EACCES :
						      MODEL_ANYWHERE;
	}
	if (arg->length <= arena->pages * MODEL_PAGE) {
		n = model_pages_of(0, arg->length);
		exists = highest_place(arena, arg, n, &first);
	}
	if (!exists)
		return MODEL_ENOSPC;
	if (model_commit_is_refused(arg))
		return MODEL_EACCES;
	if (!(arg->flags & WINREGION_RESERVE_TOP_DOWN))
		return MODEL_ANYWHERE;
	model_put_region(model, arena, first, n, arg);
	arg->address = arena->base + first * MODEL_PAGE;
	arg->length = n * MODEL_PAGE;
	return 0;
}

uint32_t model_reserve(struct model *model, struct winregion_reserve *arg,
		       bool dirty)
{
	uint32_t errors = check_reserve(arg, dirty);

	if (errors)
		return errors;
	if (arg->flags & WINREGION_RESERVE_REPLACE)
		return model_replace(model, arg);
	return arg->address ? reserve_at(model, arg) :
			      reserve_anywhere(model, arg);
}

static bool place_is_allowed(const struct winregion_reserve *arg,
			     uint64_t address, uint64_t length)
{
	uint64_t alignment = arg->alignment ? arg->alignment : MODEL_UNIT;
	uint64_t highest = arg->highest ? arg->highest : MODEL_HIGHEST;

	return !(address % alignment) && address >= MODEL_LOWEST &&
	       address >= arg->lowest && address <= highest &&
	       length - 1 <= highest - address;
}

/* Does any page that is known not to be free overlap? */
static bool place_is_free(struct model *model, uint64_t address, uint32_t n)
{
	struct model_spot spot;
	uint32_t i;

	for (i = 0; i < n; i++)
		if (model_find(model, address + i * MODEL_PAGE, &spot) &&
		    spot.span->page[spot.page].state != MODEL_FREE)
			return false;
	return true;
}

static int new_span(struct model *model, uint64_t address, uint32_t n)
{
	int i;

	for (i = 1; i < MODEL_SPANS; i++)
		if (!model->span[i].pages) {
			model->span[i].base = address;
			model->span[i].pages = n;
			return i;
		}
	return MODEL_SPANS;
}

/*
 * Return: the span, or MODEL_SPANS if it is a good place, but none that the
 * model can keep: then the region has to be given back.
 */
int model_adopt(struct model *model, const struct winregion_reserve *arg,
		uint64_t address)
{
	struct model_span *arena = &model->span[0];
	uint32_t n = model_pages_of(0, arg->length);
	uint64_t end = address + n * MODEL_PAGE;
	uint64_t arena_end = arena->base + arena->pages * MODEL_PAGE;
	int i;

	if (!place_is_allowed(arg, address, n * MODEL_PAGE) ||
	    !place_is_free(model, address, n))
		return -1;
	if (address >= arena->base && end <= arena_end) {
		model_put_region(model, arena,
				 (address - arena->base) / MODEL_PAGE, n, arg);
		return 0;
	}
	if (address < arena_end && end > arena->base)
		return MODEL_SPANS;
	i = new_span(model, address, n);
	if (i < MODEL_SPANS)
		model_put_region(model, &model->span[i], 0, n, arg);
	return i;
}

/* ---- RELEASE ---- */

/* What is left behind the part is a region that starts there, NF-01. */
void model_release_pages(struct model_span *span, bool roaming, uint32_t first,
			 uint32_t n)
{
	uint32_t end = model_region_end(span, first), i;

	for (i = first; i < first + n; i++) {
		bool foreign = span->page[i].foreign;

		memset(&span->page[i], 0, sizeof(span->page[i]));
		span->page[i].state = roaming ? MODEL_NOT_KNOWN :
				      foreign ? MODEL_FOREIGN : MODEL_FREE;
	}
	for (i = first + n; i < end; i++)
		span->page[i].region = first + n;
}

void model_end_span(struct model_span *span)
{
	uint32_t i;

	for (i = 0; i < span->pages; i++)
		if (model_in_region(&span->page[i]))
			return;
	span->pages = 0;
	span->base = 0;
}

uint32_t model_release(struct model *model, struct winregion_release *arg,
		       bool dirty)
{
	uint32_t errors = model_check_size(arg->size, sizeof(*arg), dirty), n;
	struct model_spot spot;
	bool roaming;

	if (arg->flags & ~(WINREGION_RELEASE_PRESERVE |
			   WINREGION_RELEASE_COALESCE))
		errors |= MODEL_EOPNOTSUPP;
	if (arg->flags)
		return model_keep(model, arg, errors);
	errors |= model_check_region(model, arg->address, arg->length, true,
				     &spot, &n);
	if (n && model_is_view(&spot))
		errors |= MODEL_EBUSY;
	if (errors)
		return errors;
	arg->address -= arg->address % MODEL_PAGE;
	arg->length = n * MODEL_PAGE;
	roaming = spot.span != &model->span[0];
	model_release_pages(spot.span, roaming, spot.page, n);
	if (roaming)
		model_end_span(spot.span);
	return 0;
}

/* ---- munmap() by the program, of whole mappings ---- */

/* Pages from @address to @end: those of regions stay theirs. */
void model_lose(struct model *model, uint64_t address, uint64_t end)
{
	struct model_page *page;
	struct model_spot spot;

	for (; address < end; address += MODEL_PAGE) {
		if (!model_find(model, address, &spot))
			continue;
		page = &spot.span->page[spot.page];
		if (!model_in_region(page))
			continue;
		decommit_page(page);
		page->lost = model->bug != MODEL_BUG_LOST;
		model->lost = true;
	}
}

/*
 * From @spot on the next region that has nothing left. It ends when the last
 * mapping goes that it was made with, so nobody knows whether it is there.
 */
bool model_next_lost(struct model *model, struct model_spot *spot)
{
	struct model_span *last = &model->span[MODEL_SPANS - 1];
	uint32_t end, i;

	for (; model->lost && spot->span <= last; spot->span++, spot->page = 0)
		for (; spot->page < spot->span->pages; spot->page++) {
			if (!model_in_region(&spot->span->page[spot->page]))
				continue;
			end = model_region_end(spot->span, spot->page);
			for (i = spot->page; i < end; i++)
				if (!spot->span->page[i].lost)
					break;
			if (i == end)
				return true;
			spot->page = end - 1;
		}
	return false;
}

/* It has been released, or was gone. */
void model_bury(struct model *model, const struct model_spot *spot)
{
	uint32_t end = model_region_end(spot->span, spot->page);
	bool roaming = spot->span != &model->span[0];

	model_release_pages(spot->span, roaming, spot->page, end - spot->page);
	if (roaming)
		model_end_span(spot->span);
}

/* ---- COMMIT, DECOMMIT, PROTECT ---- */

/* Views have a model of their own: share_model.c. */
static uint32_t check_kind(unsigned int cmd, const struct model_spot *spot)
{
	const struct model_page *page = &spot->span->page[spot->page];

	if (model_is_view(spot))
		return cmd == WINREGION_DECOMMIT ? MODEL_EBUSY : MODEL_UNKNOWN;
	return cmd == WINREGION_COMMIT && page->kind == MODEL_PLACEHOLDER ?
	       MODEL_EBADSLT : 0;
}

static uint32_t check_one(struct model *model, unsigned int cmd,
			  const struct winregion_range *range,
			  struct model_spot *spot, uint32_t *n)
{
	uint32_t errors = 0, i;

	if (cmd == WINREGION_DECOMMIT) {
		if (range->protection)
			errors |= MODEL_EINVAL;
	} else if (!model_protection_is_valid(range->protection)) {
		errors |= MODEL_EDOM;
	}
	errors |= model_check_region(model, range->address, range->length,
				     cmd == WINREGION_DECOMMIT, spot, n);
	if (*n)
		errors |= check_kind(cmd, spot);
	for (i = 0; i < *n && cmd == WINREGION_COMMIT; i++)
		if (spot->span->page[spot->page + i].lost)
			errors |= MODEL_ENOENT;
	if (cmd == WINREGION_PROTECT)
		for (i = 0; i < *n; i++)
			if (spot->span->page[spot->page + i].state !=
			    MODEL_COMMITTED)
				errors |= MODEL_ENODATA;
	return errors;
}

static void apply_one(struct model *model, unsigned int cmd,
		      struct winregion_range *range)
{
	struct model_page *page;
	struct model_spot spot;
	uint32_t i, n;

	check_one(model, cmd, range, &spot, &n);
	page = &spot.span->page[spot.page];
	if (cmd == WINREGION_PROTECT)
		range->out_old_protection =
			page[model->bug == MODEL_BUG_OLD ? n - 1 : 0].protection;
	for (i = 0; i < n; i++) {
		if (cmd == WINREGION_DECOMMIT)
			decommit_page(&page[i]);
		else
			model_commit_page(model, &page[i], range->protection);
	}
}

static bool covers(const struct winregion_range *range, uint64_t page)
{
	uint64_t first = range->address / MODEL_PAGE;

	return page - first < model_pages_of(range->address, range->length);
}

/* Whether a page that one makes code, where that is refused, is left so by the others */
static bool leaves_code(const struct winregion_range *ranges, uint32_t nr)
{
	uint64_t page, end;
	uint32_t i, last;

	for (i = 0; i < nr; i++) {
		if (!is_refused(ranges[i].protection))
			continue;
		page = ranges[i].address / MODEL_PAGE;
		end = page + model_pages_of(ranges[i].address, ranges[i].length);
		for (; page < end; page++) {
			for (last = nr - 1; !covers(&ranges[last], page);)
				last--;
			if (last == i)
				return true;
		}
	}
	return false;
}

/* What cannot be read, once the call has done all, is not locked. */
static void unlock_unreadable(struct model *model,
			      const struct winregion_range *range)
{
	const uint32_t unreadable = WINREGION_GUARD | WINREGION_NOACCESS;
	uint32_t n = model_pages_of(range->address, range->length), i;
	struct model_page *page;

	FOR_EACH_PAGE(model, range->address, n, i, page)
		if (page->protection & unreadable)
			page->locked = false;
}

bool model_is_zero(const void *bytes, unsigned int n)
{
	const char *byte = bytes;

	while (n--)
		if (*byte++)
			return false;
	return true;
}

uint32_t model_check_change(const struct winregion_change *arg, bool dirty)
{
	uint32_t errors = model_check_size(arg->size, sizeof(*arg), dirty);

	if (arg->flags)
		errors |= MODEL_EOPNOTSUPP;
	if (arg->__reserved || arg->nr_ranges > WINREGION_MAX_RANGES)
		errors |= MODEL_EINVAL;
	if (arg->nr_ranges ? !model_is_zero(&arg->range, sizeof(arg->range)) :
			     arg->ranges != 0)
		errors |= MODEL_EINVAL;
	return errors;
}

/* @ranges: what arg->ranges points to, or NULL if it points nowhere */
uint32_t model_change(struct model *model, unsigned int cmd,
		      struct winregion_change *arg,
		      struct winregion_range *ranges, bool dirty)
{
	uint32_t errors = model_check_change(arg, dirty), n, i, nr = arg->nr_ranges;
	struct model_spot spot;

	if (!nr) {
		nr = 1;
		ranges = &arg->range;
	} else if (!ranges) {
		return errors | MODEL_EFAULT;
	}
	for (i = 0; i < nr && i <= WINREGION_MAX_RANGES; i++)
		errors |= check_one(model, cmd, &ranges[i], &spot, &n);
	if (!errors && cmd != WINREGION_DECOMMIT && leaves_code(ranges, nr))
		errors = MODEL_EACCES;
	if (errors && !(errors & MODEL_UNKNOWN) && nr > 1 &&
	    model->bug == MODEL_BUG_VECTOR &&
	    !check_one(model, cmd, &ranges[0], &spot, &n)) {
		struct winregion_range first = ranges[0];

		apply_one(model, cmd, &first);
	}
	for (i = 0; i < nr && !errors; i++)
		apply_one(model, cmd, &ranges[i]);
	for (i = 0; i < nr && !errors && cmd != WINREGION_DECOMMIT; i++)
		unlock_unreadable(model, &ranges[i]);
	return errors;
}

/* ---- WRITE_WATCH ---- */

static uint32_t check_watch(const struct winregion_write_watch *arg,
			    bool dirty)
{
	const uint32_t known = WINREGION_WATCH_GET | WINREGION_WATCH_RESET;
	uint32_t errors = model_check_size(arg->size, sizeof(*arg), dirty);
	bool get = arg->flags & WINREGION_WATCH_GET;

	if (arg->flags & ~known)
		errors |= MODEL_EOPNOTSUPP;
	if (!arg->flags || arg->__reserved || get != !!arg->nr_pages ||
	    (!get && arg->pages))
		errors |= MODEL_EINVAL;
	return errors;
}

/* WW-20 to WW-25: the lowest pages, as far as there is room, and their reset */
uint32_t model_watch(struct model *model, struct winregion_write_watch *arg,
		     bool dirty, uint64_t *pages)
{
	uint32_t errors = check_watch(arg, dirty), n, i;
	bool get = arg->flags & WINREGION_WATCH_GET;
	struct model_page *page;
	struct model_spot spot;
	uint64_t nr = 0;

	errors |= model_check_region(model, arg->address, arg->length, false,
				     &spot, &n);
	if (n && !spot.span->page[spot.page].watched)
		errors |= MODEL_EUNATCH;
	if (errors)
		return errors;
	for (i = 0; i < n; i++) {
		page = &spot.span->page[spot.page + i];
		if (!page->written)
			continue;
		if (get && nr == arg->nr_pages) {
			page->written &= model->bug != MODEL_BUG_WATCH;
			continue;
		}
		if (get)
			pages[nr++] = spot.span->base +
				      (spot.page + i) * MODEL_PAGE;
		if (arg->flags & WINREGION_WATCH_RESET)
			page->written = false;
	}
	arg->nr_pages = nr;
	arg->out_granularity = MODEL_PAGE;
	return 0;
}

/* ---- QUERY ---- */

static bool alike(const struct model_page *a, const struct model_page *b)
{
	if (a->state != b->state)
		return false;
	if (!model_in_region(a))
		return true;
	return a->region == b->region && a->protection == b->protection;
}

static void describe_free(struct model_answer *answer)
{
	answer->run.state = WINREGION_STATE_FREE;
	answer->run.protection = WINREGION_NOACCESS;
}

static void describe_region(const struct model_span *span, uint32_t page,
			    struct model_answer *answer)
{
	const struct model_page *at = &span->page[page];
	struct winregion_run *run = &answer->run;
	uint32_t end = model_region_end(span, page), i;

	run->region_address = span->base + at->region * MODEL_PAGE;
	run->region_length = (end - at->region) * MODEL_PAGE;
	for (i = at->region; i < end; i++)
		if (span->page[i].state == MODEL_COMMITTED &&
		    at->kind != MODEL_VIEW)
			run->region_committed += MODEL_PAGE;
	run->region_protection = at->allocation;
	run->state = at->state == MODEL_COMMITTED ? WINREGION_STATE_COMMIT :
						    WINREGION_STATE_RESERVE;
	run->protection = at->protection;
	run->type = at->kind == MODEL_VIEW ? WINREGION_TYPE_MAPPED :
					     WINREGION_TYPE_PRIVATE;
}

/*
 * Pages that hold something or are locked must be in memory, others need not; with
 * paging only the locked ones must. Of a view any may be.
 */
static void count_resident(const struct model *model,
			   const struct model_page *page,
			   struct model_answer *answer)
{
	unsigned int i;

	if (page->state != MODEL_COMMITTED ||
	    (!page->touched && !page->ahead && page->kind != MODEL_VIEW))
		return;
	answer->resident_max += MODEL_PAGE;
	for (i = 0; i < MODEL_WORDS; i++)
		if (page->locked ||
		    (page->word[i] && !page->doubt && !model->paging)) {
			answer->resident_min += MODEL_PAGE;
			return;
		}
}

/* All of an aligned range of 2 MiB may have been made, if it is all alike. */
static void touch_large(struct model_span *span, uint64_t address)
{
	uint64_t first = address - address % MODEL_LARGE;
	const uint32_t n = MODEL_LARGE / MODEL_PAGE;
	struct model_page *page;
	uint32_t i;

	if (first < span->base ||
	    first + MODEL_LARGE > span->base + span->pages * MODEL_PAGE)
		return;
	page = &span->page[(first - span->base) / MODEL_PAGE];
	for (i = 1; i < n; i++)
		if (!alike(page, &page[i]))
			return;
	for (i = 0; i < n; i++)
		page[i].ahead = true;
}

/*
 * An access went through. A fault may make the pages behind it in the unit of
 * 64 KiB as well, if they are like it.
 */
void model_touch(struct model *model, uint64_t address)
{
	uint32_t n = (MODEL_UNIT - address % MODEL_UNIT - 1) / MODEL_PAGE + 1, i;
	struct model_page *page;
	struct model_spot spot;

	if (!model_find(model, address, &spot))
		return;
	page = &spot.span->page[spot.page];
	page->touched = true;
	n = n < spot.span->pages - spot.page ? n : spot.span->pages - spot.page;
	for (i = 1; i < n && alike(page, &page[i]); i++)
		page[i].ahead = true;
	touch_large(spot.span, address);
}

/* The run that starts with a page of a span. False: that is not known. */
bool model_describe(const struct model *model, const struct model_span *span,
		    uint32_t page, struct model_answer *answer)
{
	const struct model_page *at = &span->page[page];
	uint32_t end;

	memset(answer, 0, sizeof(*answer));
	if (at->state == MODEL_NOT_KNOWN)
		return false;
	for (end = page; end < span->pages && alike(at, &span->page[end]);
	     end++)
		count_resident(model, &span->page[end], answer);
	answer->run.address = span->base + page * MODEL_PAGE;
	answer->run.length = (end - page) * MODEL_PAGE;
	if (at->state == MODEL_FOREIGN)
		answer->foreign = true;
	else if (at->state == MODEL_FREE)
		describe_free(answer);
	else
		describe_region(span, page, answer);
	answer->open_end = end == span->pages && at->state == MODEL_FREE;
	return true;
}

bool model_answer_fits(const struct model_answer *answer,
		       const struct winregion_run *run, bool resident)
{
	struct winregion_run want = answer->run;

	if (run->address != want.address)
		return false;
	if (answer->foreign)
		return run->flags == WINREGION_RUN_FOREIGN && run->length;
	if (resident) {
		if (run->resident < answer->resident_min ||
		    run->resident > answer->resident_max)
			return false;
		want.resident = run->resident;
	}
	if (answer->open_end && run->length > want.length)
		want.length = run->length;
	return !memcmp(&want, run, sizeof(want));
}

uint32_t model_query(struct model *model, const struct winregion_query *arg,
		     bool dirty, struct model_answer *answer)
{
	uint32_t errors = model_check_size(arg->size, sizeof(*arg), dirty);
	struct model_spot spot;

	if (arg->flags & ~WINREGION_QUERY_RESIDENT)
		errors |= MODEL_EOPNOTSUPP;
	if (arg->address > MODEL_HIGHEST)
		return errors | MODEL_EADDRNOTAVAIL;
	if (!model_find(model, arg->address, &spot) ||
	    !model_describe(model, spot.span, spot.page, answer))
		return errors | MODEL_UNKNOWN;
	return errors;
}

/* Of the arguments only; the runs are told page by page. */
uint32_t model_check_query_runs(const struct winregion_query_runs *arg,
				bool dirty)
{
	uint32_t errors = model_check_size(arg->size, sizeof(*arg), dirty);

	if (arg->flags & ~(WINREGION_QUERY_RESIDENT | WINREGION_QUERY_REGIONS))
		errors |= MODEL_EOPNOTSUPP;
	if (arg->__reserved || !arg->nr_runs)
		errors |= MODEL_EINVAL;
	if (arg->last > MODEL_HIGHEST || arg->address > arg->last)
		errors |= MODEL_EADDRNOTAVAIL;
	return errors;
}

uint32_t model_get_info(const struct winregion_get_info *arg, bool dirty)
{
	uint32_t errors = model_check_size(arg->size, sizeof(*arg), dirty);

	return arg->flags ? errors | MODEL_EOPNOTSUPP : errors;
}
