// SPDX-License-Identifier: GPL-2.0
/*
 * Calls about contents of pages, and what has become of contents that the kernel may
 * free
 */
#include <string.h>

#include "fuzz.h"

/* ---- RESET ---- */

/* What was gone need not be all that may have been. */
static bool gone_fits(struct fuzz *fuzz, const struct winregion_reset *is,
		      struct winregion_reset *must)
{
	emit_line(fuzz, "GONE(0x%llx);", must->out_gone);
	if (is->out_gone > must->out_gone)
		return fuzz_differs(fuzz,
				    "reset: 0x%llx bytes gone, of 0x%llx",
				    is->out_gone, must->out_gone);
	must->out_gone = is->out_gone;
	return true;
}

static bool reset_like(struct fuzz *fuzz, const struct op *op,
		       struct winregion_reset *arg,
		       struct winregion_reset *must,
		       const struct winregion_range *ranges)
{
	emit_call(fuzz, op, 0);
	if (fuzz->dry)
		return true;
	if (!fuzz_judge(fuzz, op, fuzz_call(fuzz, op, WINREGION_RESET, arg,
					    sizeof(*arg)), 0) ||
	    !gone_fits(fuzz, arg, must))
		return false;
	model_reset_told(fuzz->model, must, ranges, must->out_gone);
	return fuzz_same_bytes(fuzz, op, arg, must, sizeof(*arg));
}

bool contents_reset(struct fuzz *fuzz, const struct op *op)
{
	struct winregion_range ranges[OP_RANGES], *known;
	struct winregion_change placed = {};
	struct winregion_reset arg = {
		.size = fuzz_size_of(op, sizeof(arg)),
		.flags = op->flags,
		.operation = op->value,
		.out_gone = ~0ULL,
	}, must;
	uint32_t errors;

	if (!fuzz_fill_ranges(fuzz, op, ranges))
		return true;
	known = fuzz_place_ranges(op, &placed, ranges, ranges);
	arg.nr_ranges = placed.nr_ranges;
	arg.ranges = placed.ranges;
	arg.range = placed.range;
	must = arg;
	errors = model_reset(fuzz->model, &must, known, op->size == OP_DIRTY);
	if (errors & MODEL_UNKNOWN)
		return true;
	if (!errors)
		return reset_like(fuzz, op, &arg, &must, ranges);
	return fuzz_call_like(fuzz, op, WINREGION_RESET, &arg, &must,
			      sizeof(arg), errors);
}

/* ---- LOCK ---- */

bool contents_lock(struct fuzz *fuzz, const struct op *op)
{
	struct winregion_lock arg = {
		.size = fuzz_size_of(op, sizeof(arg)),
		.flags = op->flags,
		.operation = op->value,
		.__reserved = !!(op->odd & OP_RESERVED_FIELD),
		.length = op->range[0].length,
	}, must;
	uint64_t address;
	uint32_t errors;

	if (!fuzz_resolve(fuzz, &op->range[0], &address))
		return true;
	arg.address = address;
	must = arg;
	errors = model_lock(fuzz->model, &must, op->size == OP_DIRTY);
	if (errors & MODEL_UNKNOWN)
		return true;
	return fuzz_call_like(fuzz, op, WINREGION_LOCK, &arg, &must,
			      sizeof(arg), errors);
}

/* ---- contents that may be gone ---- */

/* A word has been read: whether that can be. The page is as it was, or all zeros. */
bool contents_fit(struct model_page *page, unsigned int word, uint32_t value)
{
	if (value == page->word[word]) {
		if (value)
			page->doubt = false;
		return true;
	}
	if (!page->doubt || value)
		return false;
	model_gone(page);
	return true;
}

/*
 * The page is in use again, at @address: what is there? One word may have been written
 * meanwhile, else @written is MODEL_WORDS.
 */
bool contents_settle(struct fuzz *fuzz, const struct op_range *range,
		     struct model_page *page, uint64_t address,
		     unsigned int written)
{
	uint32_t kept = written < MODEL_WORDS ? page->word[written] : 0, value;
	unsigned int word;
	int sig;

	for (word = 0; word < MODEL_WORDS && page->doubt && !fuzz->dry;
	     word++) {
		if (word == written || !page->word[word])
			continue;
		emit_line(fuzz, "TOUCH(READ, %s + %u, 0x%x, 2);",
			  emit_address(range), model_word_offset(word),
			  page->word[word]);
		value = 0;
		sig = fuzz_access(address + model_word_offset(word), MODEL_READ,
				  &value);
		if (sig || !contents_fit(page, word, value))
			return fuzz_differs(fuzz,
					    "page at 0x%lx: signal %d, 0x%x at %u, but it must be 0x%x or 0",
					    address, sig, value,
					    model_word_offset(word),
					    page->word[word]);
	}
	if (written < MODEL_WORDS)
		page->word[written] = kept;
	if (!fuzz->dry) {
		page->doubt = false;
		page->told = false;
	}
	return true;
}
