// SPDX-License-Identifier: GPL-2.0
/*
 * Does an operation, and compares what happened with what had to happen: the
 * result of each call, every byte of the structure it was given, whether an
 * access went through and what it read.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

/* ---- differences ---- */

/* Only the first one counts. */
bool fuzz_differs(struct fuzz *fuzz, const char *format, ...)
{
	struct fuzz_report *report = fuzz->report;
	va_list args;

	if (__atomic_exchange_n(&report->found, 1, __ATOMIC_SEQ_CST))
		return false;
	report->thread = fuzz->thread;
	report->op = fuzz->at;
	report->depth = fuzz->depth;
	va_start(args, format);
	vsnprintf(report->text, sizeof(report->text), format, args);
	va_end(args);
	return false;
}

bool fuzz_judge(struct fuzz *fuzz, const struct op *op, int ret,
		uint32_t errors)
{
	char wanted[120];
	unsigned int i;

	if (!errors && !ret)
		return true;
	for (i = 0; i < MODEL_ERRORS; i++)
		if ((errors & (1U << i)) && ret == -model_errno(i))
			return true;
	emit_errors(wanted, sizeof(wanted), errors);
	return fuzz_differs(fuzz, "%s: %d (%s), but it must be %s",
			    fuzz_names[op->kind], ret,
			    ret ? strerror(-ret) : "success", wanted);
}

/* Both are as large as the ioctl's structure; @is came back from the kernel. */
bool fuzz_same_bytes(struct fuzz *fuzz, const struct op *op, const void *is,
		     const void *must, size_t size)
{
	const uint32_t *a = is, *b = must;
	size_t i;

	for (i = 0; i < size / 4; i++)
		if (a[i] != b[i]) {
			emit_line(fuzz, "SAME(arg, %zu, 0x%x);", i, b[i]);
			return fuzz_differs(fuzz,
					    "%s: the word at %zu is 0x%x, but it must be 0x%x",
					    fuzz_names[op->kind], i * 4, a[i],
					    b[i]);
		}
	return true;
}

/* ---- calls ---- */

bool fuzz_resolve(struct fuzz *fuzz, const struct op_range *range,
		  uint64_t *address)
{
	*address = range->offset;
	if (range->space == OP_ABSOLUTE)
		return true;
	if (!fuzz->model->span[range->space].pages)
		return false;
	*address += fuzz->model->span[range->space].base;
	return true;
}

uint32_t fuzz_size_of(const struct op *op, size_t size)
{
	switch (op->size) {
	case OP_LONGER:
	case OP_DIRTY:
		return size + 16;
	case OP_SHORT:
		return size - 4;
	}
	return size;
}

/* 0 or -errno; what is behind the structure is as op->size wants it. */
int fuzz_call(struct fuzz *fuzz, const struct op *op, unsigned int cmd,
	      void *arg, size_t size)
{
	char buffer[256] = { 0 };
	int ret;

	memcpy(buffer, arg, size);
	if (op->size == OP_DIRTY)
		buffer[size + 8] = 1;
	ret = ioctl(fuzz->fd, cmd, buffer) ? -errno : 0;
	memcpy(arg, buffer, size);
	return ret;
}

/*
 * Call and compare, where the model has said already what @must comes back.
 * Without a kernel everything goes as it must.
 */
bool fuzz_call_like(struct fuzz *fuzz, const struct op *op, unsigned int cmd,
		    void *arg, const void *must, size_t size, uint32_t errors)
{
	int ret;

	/* The kernel may put a region at the end of what is usable. */
	if (fuzz->dry && (errors & MODEL_EXDEV))
		errors |= MODEL_EOVERFLOW;
	emit_call(fuzz, op, errors);
	if (fuzz->dry) {
		memcpy(arg, must, size);
		return true;
	}
	ret = fuzz_call(fuzz, op, cmd, arg, size);
	return fuzz_judge(fuzz, op, ret, errors) &&
	       fuzz_same_bytes(fuzz, op, arg, must, size);
}

/* ---- what other threads have ---- */

/* The roaming regions of all threads of the process, by thread and span */
static struct {
	uint64_t base;
	uint64_t length;
} claims[FUZZ_THREADS][MODEL_SPANS];
static pthread_mutex_t claims_lock = PTHREAD_MUTEX_INITIALIZER;

/* In a child the other threads are gone, and so is what they would claim. */
static bool has_others(const struct fuzz *fuzz)
{
	return !fuzz->alone && !fuzz->depth;
}

/* The pages of a span that are certainly this thread's: up to the first gap */
static void claim(struct fuzz *fuzz, unsigned int space)
{
	const struct model_span *span = &fuzz->model->span[space];
	uint32_t first = 0, end;

	while (first < span->pages &&
	       span->page[first].state == MODEL_NOT_KNOWN)
		first++;
	for (end = first; end < span->pages &&
	     span->page[end].state != MODEL_NOT_KNOWN; end++)
		;
	pthread_mutex_lock(&claims_lock);
	claims[fuzz->thread][space].base = span->base + first * MODEL_PAGE;
	claims[fuzz->thread][space].length = (end - first) * MODEL_PAGE;
	pthread_mutex_unlock(&claims_lock);
}

/* Before the kernel is told, so that nobody is given what is claimed still */
void fuzz_claim_all(struct fuzz *fuzz)
{
	unsigned int i;

	for (i = 1; i < MODEL_SPANS && has_others(fuzz); i++)
		claim(fuzz, i);
}

static bool is_claimed(struct fuzz *fuzz, uint64_t address, uint64_t length)
{
	unsigned int i, j;
	bool found = false;

	if (!has_others(fuzz))
		return false;
	pthread_mutex_lock(&claims_lock);
	for (i = 0; i < FUZZ_THREADS; i++)
		for (j = 1; j < MODEL_SPANS; j++)
			if (address < claims[i][j].base + claims[i][j].length &&
			    claims[i][j].base < address + length)
				found = true;
	pthread_mutex_unlock(&claims_lock);
	return found;
}

/* ---- RESERVE ---- */

static bool give_back(struct fuzz *fuzz, uint64_t address)
{
	struct winregion_release arg = {
		.size = sizeof(arg),
		.address = address,
	};

	emit_line(fuzz, "GIVE_BACK();");
	if (!fuzz->dry && ioctl(fuzz->fd, WINREGION_RELEASE, &arg))
		return fuzz_differs(fuzz, "cannot release what was reserved");
	return true;
}

/* Somewhere, where there is no kernel */
static uint64_t dry_place(void)
{
	static uint64_t next = 0x200000000000;

	next += 0x10000000;
	return next;
}

/* The kernel has chosen: is it a possible choice? */
static bool adopt(struct fuzz *fuzz, const struct op *op,
		  struct winregion_reserve *arg)
{
	struct winregion_reserve must = *arg;
	int ret = 0, span;

	/* Nobody knows which place in the arena the kernel would take. */
	if (fuzz->dry && arg->highest)
		return true;
	emit_call(fuzz, op, 0);
	if (fuzz->dry)
		arg->address = dry_place();
	else
		ret = fuzz_call(fuzz, op, WINREGION_RESERVE, arg, sizeof(*arg));
	if (!fuzz_judge(fuzz, op, ret, 0))
		return false;
	span = is_claimed(fuzz, arg->address, arg->length) ? -1 :
	       model_adopt(fuzz->model, &must, arg->address);
	if (span < 0) {
		emit_line(fuzz, "BAD_PLACE();");
		return fuzz_differs(fuzz,
				    "reserve of 0x%lx bytes: 0x%lx is no place for it",
				    (uint64_t)must.length,
				    (uint64_t)arg->address);
	}
	must.address = arg->address;
	must.length = (must.length + MODEL_PAGE - 1) / MODEL_PAGE * MODEL_PAGE;
	if (!fuzz->dry && !fuzz_same_bytes(fuzz, op, arg, &must, sizeof(must)))
		return false;
	if (span == MODEL_SPANS)
		return give_back(fuzz, arg->address);
	fuzz_claim_all(fuzz);
	/* In the arena it must be where it was, as the rest depends on it. */
	if (!span)
		emit_line(fuzz, "AT(ARENA + 0x%llx);",
			  arg->address - fuzz->model->span[0].base);
	else
		emit_line(fuzz, "h[%d] = RESERVE->address;", span);
	return true;
}

static bool do_reserve(struct fuzz *fuzz, const struct op *op)
{
	struct winregion_reserve arg = {
		.size = fuzz_size_of(op, sizeof(arg)),
		.flags = op->flags,
		.protection = op->range[0].protection,
		.node = op->odd & OP_RESERVED_FIELD ? UINT32_MAX : 0,
		.length = op->range[0].length,
		.alignment = op->range[1].length,
	}, must;
	uint64_t address, lowest, highest;
	uint32_t errors;

	if (!fuzz_resolve(fuzz, &op->range[0], &address) ||
	    !fuzz_resolve(fuzz, &op->range[1], &lowest) ||
	    !fuzz_resolve(fuzz, &op->range[2], &highest))
		return true;
	arg.address = address;
	arg.lowest = lowest;
	arg.highest = highest;
	must = arg;
	errors = model_reserve(fuzz->model, &must, op->size == OP_DIRTY);
	if (errors & MODEL_UNKNOWN)
		return true;
	if (errors == MODEL_ANYWHERE)
		return adopt(fuzz, op, &arg);
	return fuzz_call_like(fuzz, op, WINREGION_RESERVE, &arg, &must,
			      sizeof(arg), errors);
}

/* ---- the other calls ---- */

/*
 * A region all of which the program has unmapped is released, which may find
 * that it ended with its last mapping.
 */
static bool bury_lost(struct fuzz *fuzz)
{
	struct model_spot spot = { .span = fuzz->model->span };
	struct winregion_release arg;
	struct op_range range;
	int ret;

	while (model_next_lost(fuzz->model, &spot)) {
		range = (struct op_range) {
			.space = spot.span - fuzz->model->span,
			.offset = spot.page * MODEL_PAGE,
		};
		arg = (struct winregion_release) {
			.size = sizeof(arg),
			.address = spot.span->base + range.offset,
		};
		emit_line(fuzz, "BURY(%s);", emit_address(&range));
		model_bury(fuzz->model, &spot);
		fuzz_claim_all(fuzz);
		ret = ioctl(fuzz->fd, WINREGION_RELEASE, &arg) ? errno : 0;
		if (ret && ret != ENOENT)
			return fuzz_differs(fuzz,
					    "release of what was unmapped: %s",
					    strerror(ret));
	}
	return true;
}

static bool do_release(struct fuzz *fuzz, const struct op *op)
{
	struct winregion_release arg = {
		.size = fuzz_size_of(op, sizeof(arg)),
		.flags = op->flags,
		.length = op->range[0].length,
	}, must;
	uint64_t address;
	uint32_t errors;

	if (!fuzz_resolve(fuzz, &op->range[0], &address))
		return true;
	arg.address = address;
	must = arg;
	errors = model_release(fuzz->model, &must, op->size == OP_DIRTY);
	if (errors & MODEL_UNKNOWN)
		return true;
	fuzz_claim_all(fuzz);
	return fuzz_call_like(fuzz, op, WINREGION_RELEASE, &arg, &must,
			      sizeof(arg), errors) && bury_lost(fuzz);
}

static bool same_ranges(struct fuzz *fuzz, const struct op *op,
			const struct winregion_range *is,
			const struct winregion_range *must)
{
	unsigned int i;

	for (i = 0; i < op->nr; i++)
		if (memcmp(&is[i], &must[i], sizeof(is[i]))) {
			emit_line(fuzz, "OLD(%u, 0x%x);", i,
				  must[i].out_old_protection);
			return fuzz_differs(fuzz,
					    "%s: old protection of range %u is 0x%x, but it must be 0x%x",
					    fuzz_names[op->kind], i,
					    is[i].out_old_protection,
					    must[i].out_old_protection);
		}
	return true;
}

bool fuzz_fill_ranges(struct fuzz *fuzz, const struct op *op,
		      struct winregion_range *ranges)
{
	uint64_t address;
	unsigned int i;

	for (i = 0; i < OP_RANGES && (!i || i < op->nr); i++) {
		if (!fuzz_resolve(fuzz, &op->range[i], &address))
			return false;
		ranges[i] = (struct winregion_range) {
			.address = address,
			.length = op->range[i].length,
			.protection = op->range[i].protection,
			.out_old_protection = FUZZ_POISON,
		};
	}
	return true;
}

static unsigned int cmd_of(const struct op *op)
{
	return op->kind == OP_COMMIT ? WINREGION_COMMIT :
	       op->kind == OP_DECOMMIT ? WINREGION_DECOMMIT :
	       WINREGION_PROTECT;
}

/*
 * Where a call finds its @ranges, with the mistakes that @op has. Return: what it finds
 * there, in the model's copy, or NULL if that is nothing.
 */
struct winregion_range *fuzz_place_ranges(const struct op *op,
					  struct winregion_change *arg,
					  struct winregion_range *ranges,
					  struct winregion_range *known)
{
	arg->nr_ranges = op->nr;
	if (!op->nr || (op->odd & OP_BOTH))
		arg->range = ranges[0];
	if (op->nr || (op->odd & OP_BOTH))
		arg->ranges = (uintptr_t)ranges;
	if (op->nr && (op->odd & OP_BAD_POINTER)) {
		arg->ranges = 16;
		return NULL;
	}
	if (op->nr && (op->odd & OP_TOO_MANY)) {
		arg->nr_ranges = WINREGION_MAX_RANGES + 1;
		return NULL;
	}
	return known;
}

static bool do_change(struct fuzz *fuzz, const struct op *op)
{
	struct winregion_range ranges[OP_RANGES], must_ranges[OP_RANGES];
	struct winregion_range *known;
	struct winregion_change arg = {
		.size = fuzz_size_of(op, sizeof(arg)),
		.flags = op->flags,
		.__reserved = !!(op->odd & OP_RESERVED_FIELD),
	}, must;
	uint32_t errors;

	if (!fuzz_fill_ranges(fuzz, op, ranges))
		return true;
	memcpy(must_ranges, ranges, sizeof(ranges));
	known = fuzz_place_ranges(op, &arg, ranges, must_ranges);
	must = arg;
	errors = model_change(fuzz->model, cmd_of(op), &must, known,
			      op->size == OP_DIRTY);
	if (errors & MODEL_UNKNOWN)
		return true;
	if (!fuzz_call_like(fuzz, op, cmd_of(op), &arg, &must, sizeof(arg),
			    errors))
		return false;
	return fuzz->dry || same_ranges(fuzz, op, ranges, must_ranges);
}

static void describe_difference(struct fuzz *fuzz,
				const struct model_answer *must,
				const struct winregion_run *is)
{
	const struct winregion_run *run = &must->run;

	fuzz_differs(fuzz,
		     "query of 0x%llx: 0x%llx+0x%llx state 0x%x protection 0x%x resident 0x%llx type 0x%x flags 0x%x in 0x%llx+0x%llx (committed 0x%llx) protection 0x%x, but it must be 0x%llx+0x%llx%s state 0x%x protection 0x%x resident 0x%llx to 0x%llx in 0x%llx+0x%llx (committed 0x%llx) protection 0x%x",
		     run->address, is->address, is->length, is->state,
		     is->protection, is->resident, is->type, is->flags,
		     is->region_address, is->region_length,
		     is->region_committed, is->region_protection, run->address,
		     run->length, must->open_end ? " or more" : "", run->state,
		     run->protection, (unsigned long long)must->resident_min,
		     (unsigned long long)must->resident_max,
		     run->region_address, run->region_length,
		     run->region_committed, run->region_protection);
}

static bool do_query(struct fuzz *fuzz, const struct op *op)
{
	struct winregion_query arg = {
		.size = fuzz_size_of(op, sizeof(arg)),
		.flags = op->flags,
	}, must;
	struct model_answer answer;
	uint64_t address;
	uint32_t errors;

	if (!fuzz_resolve(fuzz, &op->range[0], &address))
		return true;
	arg.address = address;
	memset(&arg.out, 0xcc, sizeof(arg.out));
	must = arg;
	errors = model_query(fuzz->model, &arg, op->size == OP_DIRTY, &answer);
	if (errors & MODEL_UNKNOWN)
		return true;
	if (errors)
		return fuzz_call_like(fuzz, op, WINREGION_QUERY, &arg, &must,
				      sizeof(arg), errors);
	emit_call(fuzz, op, 0);
	emit_run(fuzz, "&QUERY->out", &answer, op->flags);
	if (fuzz->dry)
		return true;
	if (!fuzz_judge(fuzz, op, fuzz_call(fuzz, op, WINREGION_QUERY, &arg,
					    sizeof(arg)), 0))
		return false;
	if (!model_answer_fits(&answer, &arg.out, op->flags)) {
		describe_difference(fuzz, &answer, &arg.out);
		return false;
	}
	return true;
}

/* ---- QUERY_RUNS ---- */

/* The next page from @page on that is in a region, or span->pages */
static uint32_t next_in_region(const struct model_span *span, uint32_t page)
{
	while (page < span->pages &&
	       span->page[page].state != MODEL_RESERVED &&
	       span->page[page].state != MODEL_COMMITTED)
		page++;
	return page;
}

static bool wrong_run(struct fuzz *fuzz, unsigned int i,
		      const struct model_answer *must,
		      const struct winregion_run *is, bool resident)
{
	char name[20];

	snprintf(name, sizeof(name), "&runs[%u]", i);
	emit_run(fuzz, name, must, resident);
	describe_difference(fuzz, must, is);
	return false;
}

/*
 * Are these the runs from @page on, up to that of arg->last? All of the range
 * is in the span, and known.
 */
static bool runs_are(struct fuzz *fuzz, const struct model_span *span,
		     uint32_t page, const struct winregion_query_runs *arg,
		     uint32_t asked, const struct winregion_run *runs)
{
	bool resident = arg->flags & WINREGION_QUERY_RESIDENT;
	uint32_t last = (arg->last - span->base) / MODEL_PAGE, i;
	struct model_answer answer;

	for (i = 0; i < asked; i++) {
		if (arg->flags & WINREGION_QUERY_REGIONS)
			page = next_in_region(span, page);
		if (page > last || page >= span->pages)
			break;
		model_describe(fuzz->model, span, page, &answer);
		if (i >= arg->nr_runs ||
		    !model_answer_fits(&answer, &runs[i], resident))
			return wrong_run(fuzz, i, &answer, &runs[i], resident);
		page += answer.run.length / MODEL_PAGE;
		if (answer.foreign)
			page = (runs[i].address + runs[i].length - span->base) /
			       MODEL_PAGE;
	}
	if (arg->nr_runs != i) {
		emit_line(fuzz, "NR_RUNS(%u);", i);
		return fuzz_differs(fuzz,
				    "query_runs: %u runs, but there are %u",
				    arg->nr_runs, i);
	}
	/* All described? Where to go on is then behind the range. */
	if (i < asked ? arg->address <= arg->last :
			arg->address < runs[i - 1].address + runs[i - 1].length) {
		emit_line(fuzz, "GO_ON();");
		return fuzz_differs(fuzz, "query_runs: to go on at 0x%llx",
				    arg->address);
	}
	return true;
}

static bool range_is_known(const struct model_span *span, uint32_t page,
			   uint64_t last)
{
	uint64_t to = (last - span->base) / MODEL_PAGE;

	if (to >= span->pages)
		return false;
	for (; page <= to; page++)
		if (span->page[page].state == MODEL_NOT_KNOWN)
			return false;
	return true;
}

static bool query_runs_good(struct fuzz *fuzz, const struct op *op,
			    struct winregion_query_runs *arg)
{
	static __thread struct winregion_run runs[FUZZ_RUNS];
	uint32_t asked = arg->nr_runs;
	struct model_spot spot;

	if (!model_find(fuzz->model, arg->address, &spot) ||
	    !range_is_known(spot.span, spot.page, arg->last))
		return true;
	emit_call(fuzz, op, 0);
	if (fuzz->dry)
		return true;
	arg->runs = (uintptr_t)runs;
	return fuzz_judge(fuzz, op, fuzz_call(fuzz, op, WINREGION_QUERY_RUNS,
					      arg, sizeof(*arg)), 0) &&
	       runs_are(fuzz, spot.span, spot.page, arg, asked, runs);
}

static bool do_query_runs(struct fuzz *fuzz, const struct op *op)
{
	struct winregion_query_runs arg = {
		.size = fuzz_size_of(op, sizeof(arg)),
		.flags = op->flags,
		.nr_runs = op->value,
		.__reserved = !!(op->odd & OP_RESERVED_FIELD),
	}, must;
	uint64_t address, last;
	uint32_t errors;

	if (!fuzz_resolve(fuzz, &op->range[0], &address) ||
	    !fuzz_resolve(fuzz, &op->range[1], &last))
		return true;
	arg.address = address;
	arg.last = last;
	errors = model_check_query_runs(&arg, op->size == OP_DIRTY);
	if (!errors)
		return query_runs_good(fuzz, op, &arg);
	must = arg;
	return fuzz_call_like(fuzz, op, WINREGION_QUERY_RUNS, &arg, &must,
			      sizeof(arg), errors);
}

/* ---- WRITE_WATCH ---- */

/* Room, and whether what is behind what was told is as it was */
static uint64_t told[FUZZ_THREADS][FUZZ_TOLD + 1];
static uint64_t must_tell[FUZZ_THREADS][FUZZ_TOLD + 1];

static void emit_told(struct fuzz *fuzz, uint64_t i, uint64_t address)
{
	struct op_range range = {};
	struct model_spot spot;

	if (!model_find(fuzz->model, address, &spot))
		return;
	range.space = spot.span - fuzz->model->span;
	range.offset = address - spot.span->base;
	emit_line(fuzz, "TOLD(%lu, %s);", i, emit_address(&range));
}

static bool told_are(struct fuzz *fuzz, uint64_t nr)
{
	const uint64_t *is = told[fuzz->thread];
	const uint64_t *must = must_tell[fuzz->thread];
	uint64_t i;

	for (i = 0; i < nr; i++)
		emit_told(fuzz, i, must[i]);
	for (i = 0; i < nr && !fuzz->dry; i++)
		if (is[i] != must[i])
			return fuzz_differs(fuzz,
					    "write_watch: page %lu is 0x%lx, but it must be 0x%lx",
					    i, is[i], must[i]);
	if (!fuzz->dry && is[nr] != FUZZ_POISON)
		return fuzz_differs(fuzz, "write_watch: more than %lu told",
				    nr);
	return true;
}

static bool do_watch(struct fuzz *fuzz, const struct op *op)
{
	uint64_t *pages = told[fuzz->thread], address, i;
	struct winregion_write_watch arg = {
		.size = fuzz_size_of(op, sizeof(arg)),
		.flags = op->flags,
		.length = op->range[0].length,
		.pages = op->value ? (uintptr_t)pages : 0,
		.nr_pages = op->value,
		.__reserved = !!(op->odd & OP_RESERVED_FIELD),
	}, must;
	uint32_t errors;

	if (!fuzz_resolve(fuzz, &op->range[0], &address))
		return true;
	arg.address = address;
	must = arg;
	for (i = 0; i <= FUZZ_TOLD; i++)
		pages[i] = FUZZ_POISON;
	errors = model_watch(fuzz->model, &must, op->size == OP_DIRTY,
			     must_tell[fuzz->thread]);
	if (errors & MODEL_UNKNOWN)
		return true;
	return fuzz_call_like(fuzz, op, WINREGION_WRITE_WATCH, &arg, &must,
			      sizeof(arg), errors) &&
	       (errors || told_are(fuzz, must.nr_pages));
}

/* ---- GET_INFO ---- */

static bool counts_are(struct fuzz *fuzz, const struct winregion_get_info *info)
{
	uint64_t regions = model_regions(fuzz->model);
	uint64_t committed = model_committed(fuzz->model);

	emit_line(fuzz, "COUNTS(%lu, 0x%lx);", regions,
		  committed);
	if (fuzz->dry)
		return true;
	if (info->out_regions != regions || info->out_committed != committed)
		return fuzz_differs(fuzz,
				    "get_info: %llu regions, 0x%llx committed, but it must be %lu and 0x%lx",
				    info->out_regions, info->out_committed,
				    regions, committed);
	return true;
}

static bool do_info(struct fuzz *fuzz, const struct op *op)
{
	struct winregion_get_info arg = {
		.size = fuzz_size_of(op, sizeof(arg)),
		.flags = op->flags,
	}, must = arg;
	uint32_t errors = model_get_info(&arg, op->size == OP_DIRTY);

	if (errors)
		return fuzz_call_like(fuzz, op, WINREGION_GET_INFO, &arg, &must,
				      sizeof(arg), errors);
	emit_call(fuzz, op, 0);
	if (!fuzz->dry &&
	    !fuzz_judge(fuzz, op, fuzz_call(fuzz, op, WINREGION_GET_INFO, &arg,
					    sizeof(arg)), 0))
		return false;
	if (!fuzz->dry &&
	    (arg.out_abi_version != WINREGION_ABI_VERSION ||
	     arg.out_page_size != MODEL_PAGE ||
	     arg.out_granularity != MODEL_UNIT ||
	     arg.out_max_ranges != WINREGION_MAX_RANGES ||
	     arg.out_lowest != MODEL_LOWEST ||
	     arg.out_highest != MODEL_HIGHEST ||
	     arg.out_charged < arg.out_committed))
		return fuzz_differs(fuzz,
				    "get_info: wrong constants or charge");
	/* Other threads' regions are not in this model. */
	return fuzz->alone ? counts_are(fuzz, &arg) : true;
}

/* ---- accesses ---- */

static __thread sigjmp_buf env;
static __thread volatile sig_atomic_t armed;
static __thread volatile uintptr_t fault_address;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	if (!armed) {
		signal(sig, SIG_DFL);
		return;
	}
	armed = 0;
	fault_address = (uintptr_t)info->si_addr;
	siglongjmp(env, sig);
}

void fuzz_catch_faults(void)
{
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	/* A child that should be let go may be dead. */
	signal(SIGPIPE, SIG_IGN);
}

/* 0, or the signal that the access raised */
int fuzz_access(uint64_t address, enum model_access access, uint32_t *value)
{
	volatile uint32_t *word = (void *)(uintptr_t)address;
	int sig = sigsetjmp(env, 0);

	if (!sig) {
		armed = 1;
		if (access == MODEL_READ)
			*value = *word;
		else if (access == MODEL_WRITE)
			*word = *value;
		else
			((void (*)(void))(uintptr_t)address)();
	}
	armed = 0;
	return sig;
}

/* The values at the word of code begin with a return instruction of x86. */
static uint32_t value_for(const struct op *op, unsigned int word)
{
	return word == 2 && MODEL_HAS_CODE ? op->value << 8 | 0xc3 : op->value;
}

static bool expect_signal(struct fuzz *fuzz, uint64_t address, int sig,
			  const struct model_page *page, const char *what,
			  bool works)
{
	if (sig == (works ? 0 : SIGSEGV) &&
	    (works || fault_address == address))
		return true;
	return fuzz_differs(fuzz,
			    "%s of 0x%lx (protection 0x%x): signal %d at 0x%lx, but it must %s",
			    what, address, page->protection, sig,
			    sig ? fault_address : 0, works ? "work" : "not work");
}

/* Word @word of the page; @access must do what the page's protection says. */
static bool touch(struct fuzz *fuzz, const struct op *op,
		  struct model_page *page, uint64_t address,
		  enum model_access access, unsigned int word)
{
	static const char *const names[] = { "READ", "WRITE", "EXEC" };
	uint32_t value = value_for(op, word);
	bool works = model_may(page, access) ||
		     model_fault(fuzz->model, address, access, false);
	int sig;

	address += model_word_offset(word);
	if (access != MODEL_WRITE)
		value = page->word[word];
	emit_line(fuzz, "TOUCH(%s, %s + %u, 0x%x, %d);", names[access],
		  emit_address(&op->range[0]), model_word_offset(word), value,
		  works + (works && access == MODEL_READ && page->doubt));
	if (!fuzz->dry) {
		sig = fuzz_access(address, access, &value);
		if (!expect_signal(fuzz, address, sig, page, names[access],
				   works))
			return false;
	}
	if (!works)
		return true;
	model_touch(fuzz->model, address);
	if (access == MODEL_WRITE) {
		page->word[word] = value;
		page->written = true;
		return contents_settle(fuzz, &op->range[0], page,
				       address - model_word_offset(word), word);
	}
	return contents_fit(page, word, value) ||
	       fuzz_differs(fuzz, "page at 0x%lx has 0x%x, but it must be 0x%x",
			    address, value, page->word[word]);
}

static uint32_t word_must_be(const struct model_page *page, unsigned int offset)
{
	unsigned int i;

	for (i = 0; i < MODEL_WORDS; i++)
		if (model_word_offset(i) == offset)
			return page->word[i];
	return 0;
}

static bool whole_page(struct fuzz *fuzz, const struct op *op,
		       struct model_page *page, uint64_t address)
{
	const uint32_t *is = (void *)(uintptr_t)address;
	unsigned int i;

	for (i = 0; i < MODEL_PAGE / 4; i++)
		if (is[i] != word_must_be(page, 4 * i)) {
			emit_line(fuzz, "TOUCH(READ, %s + %u, 0x%x, 1);",
				  emit_address(&op->range[0]), 4 * i,
				  word_must_be(page, 4 * i));
			return fuzz_differs(fuzz,
					    "page at 0x%lx has 0x%x at %u, but it must be 0x%x",
					    address, is[i], 4 * i,
					    word_must_be(page, 4 * i));
		}
	return true;
}

/* The page an access is about; NULL if the model does not know it */
static struct model_page *page_of(struct fuzz *fuzz, const struct op *op,
				  uint64_t *address)
{
	struct model_spot spot;

	if (!fuzz_resolve(fuzz, &op->range[0], address) ||
	    !model_find(fuzz->model, *address, &spot) ||
	    model_is_foreign(&spot.span->page[spot.page]))
		return NULL;
	*address -= *address % MODEL_PAGE;
	return &spot.span->page[spot.page];
}

static bool do_touch(struct fuzz *fuzz, const struct op *op)
{
	static const enum model_access accesses[OP_KINDS] = {
		[OP_READ] = MODEL_READ,
		[OP_WRITE] = MODEL_WRITE,
		[OP_EXEC] = MODEL_EXEC,
	};
	enum model_access access = accesses[op->kind];
	unsigned int word = op->flags % MODEL_WORDS;
	struct model_page *page;
	uint64_t address;

	page = page_of(fuzz, op, &address);
	if (!page)
		return true;
	if (access == MODEL_EXEC) {
		word = 2;
		if (model_may(page, MODEL_READ) &&
		    !contents_settle(fuzz, &op->range[0], page, address,
				     MODEL_WORDS))
			return false;
		/* Zeros must not be run. */
		if (page->state == MODEL_COMMITTED && !page->word[word])
			return true;
	}
	if (!touch(fuzz, op, page, address, access, word))
		return false;
	if (fuzz->dry || !(op->flags & OP_WHOLE_PAGE) ||
	    !model_may(page, MODEL_READ))
		return true;
	model_touch(fuzz->model, address);
	return contents_settle(fuzz, &op->range[0], page, address,
			       MODEL_WORDS) &&
	       whole_page(fuzz, op, page, address);
}

/* ---- accesses of the kernel: as the program's, also of a guard ---- */

static bool do_write_call(struct fuzz *fuzz, const struct op *op)
{
	unsigned int word = op->flags % MODEL_WORDS;
	struct model_page *page;
	uint32_t seen = 0;
	uint64_t address;
	bool works;
	ssize_t n;

	page = page_of(fuzz, op, &address);
	if (!page)
		return true;
	works = model_may(page, MODEL_READ) ||
		model_fault(fuzz->model, address, MODEL_READ, true);
	emit_line(fuzz, "WRITE_CALL(%s + %u, 0x%x, %d);",
		  emit_address(&op->range[0]), model_word_offset(word),
		  page->word[word], works + (works && page->doubt));
	if (works)
		model_touch(fuzz->model, address);
	if (fuzz->dry)
		return true;
	address += model_word_offset(word);
	n = write(fuzz->pipe[1], (void *)(uintptr_t)address, 4);
	if (n == 4 && read(fuzz->pipe[0], &seen, 4) != 4)
		return fuzz_differs(fuzz, "the pipe is empty");
	if (n != (works ? 4 : -1) || (works && !contents_fit(page, word, seen)))
		return fuzz_differs(fuzz,
				    "write(2) from 0x%lx (protection 0x%x): %zd, 0x%x, but it must %s, 0x%x",
				    address, page->protection, n, seen,
				    works ? "work" : "not work",
				    page->word[word]);
	return true;
}

static bool do_read_call(struct fuzz *fuzz, const struct op *op)
{
	unsigned int word = op->flags % MODEL_WORDS;
	uint32_t value = value_for(op, word), left;
	struct model_page *page;
	uint64_t address;
	bool works;
	ssize_t n;

	page = page_of(fuzz, op, &address);
	if (!page)
		return true;
	works = model_may(page, MODEL_WRITE) ||
		model_fault(fuzz->model, address, MODEL_WRITE, true);
	emit_line(fuzz, "READ_CALL(%s + %u, 0x%x, %d);",
		  emit_address(&op->range[0]), model_word_offset(word), value,
		  works);
	if (works) {
		model_touch(fuzz->model, address);
		page->word[word] = value;
		page->written = true;
	}
	if (fuzz->dry)
		return true;
	address += model_word_offset(word);
	if (write(fuzz->pipe[1], &value, 4) != 4)
		return fuzz_differs(fuzz, "the pipe is full");
	n = read(fuzz->pipe[0], (void *)(uintptr_t)address, 4);
	if (n != 4 && read(fuzz->pipe[0], &left, 4) != 4)
		return fuzz_differs(fuzz, "the pipe is empty");
	if (n != (works ? 4 : -1))
		return fuzz_differs(fuzz,
				    "read(2) to 0x%lx (protection 0x%x): %zd, but it must %s",
				    address, page->protection, n,
				    works ? "work" : "not work");
	return !works ||
	       contents_settle(fuzz, &op->range[0], page,
			       address - model_word_offset(word), word);
}

/* ---- mappings ---- */

/* Contents survive it, whatever it says of what is between regions. */
static bool do_madvise(struct fuzz *fuzz, const struct op *op)
{
	struct model_spot spot;
	uint64_t address;

	if (!fuzz_resolve(fuzz, &op->range[0], &address) ||
	    !model_find(fuzz->model, address, &spot) ||
	    op->range[0].length >
	    (spot.span->pages - spot.page - 1) * MODEL_PAGE)
		return true;
	address -= address % MODEL_PAGE;
	emit_line(fuzz, "madvise(P(%s), 0x%lx, MADV_DONTNEED);",
		  emit_address(&op->range[0]), op->range[0].length);
	if (!fuzz->dry)
		madvise((void *)(uintptr_t)address, op->range[0].length,
			MADV_DONTNEED);
	return true;
}

/* What is free once a query has said so is free for everybody. */
static bool ask(struct fuzz *fuzz, const struct op *op, uint64_t address)
{
	uint64_t end = address + op->range[0].length;
	struct winregion_query arg;

	emit_line(fuzz, "ASK(%s, 0x%lx);", emit_address(&op->range[0]),
		  op->range[0].length);
	for (; address < end; address += arg.out.length) {
		arg = (struct winregion_query) {
			.size = sizeof(arg),
			.address = address,
		};
		if (ioctl(fuzz->fd, WINREGION_QUERY, &arg) || !arg.out.length)
			return fuzz_differs(fuzz, "query of 0x%lx: errno %d",
					    address, errno);
	}
	return true;
}

static bool map_over(struct fuzz *fuzz, const struct op *op, uint64_t address,
		     int flags, bool must)
{
	void *at = mmap((void *)(uintptr_t)address, op->range[0].length,
			PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
			flags, -1, 0);

	if (at == MAP_FAILED && !must)
		return false;
	emit_line(fuzz, "MMAP(%s, 0x%lx, 0x%x);", emit_address(&op->range[0]),
		  op->range[0].length, flags);
	if (at == MAP_FAILED)
		fuzz_differs(fuzz, "mmap of what is free at 0x%lx: errno %d",
			     address, errno);
	return at != MAP_FAILED;
}

/*
 * It may fail although all is free: regions share mappings. Over free parts of
 * those it is put where it replaces nothing that is the model's.
 */
static bool do_mmap(struct fuzz *fuzz, const struct op *op)
{
	uint32_t n = op->range[0].length / MODEL_PAGE;
	int flags = op->flags & OP_OVER ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	struct model_spot spot;
	uint64_t address;
	bool free, asked;

	if (!fuzz_resolve(fuzz, &op->range[0], &address) ||
	    !model_find(fuzz->model, address, &spot) ||
	    spot.span != &fuzz->model->span[0] ||
	    n > spot.span->pages - spot.page || fuzz->dry)
		return true;
	free = model_none_mapped(spot.span, spot.page, n);
	if (!free && (op->flags & OP_OVER))
		return true;
	asked = (op->flags & OP_ASKED) &&
		model_all_free(spot.span, spot.page, n);
	if (asked && !ask(fuzz, op, address))
		return false;
	if (!map_over(fuzz, op, address, flags, asked))
		return !asked;
	if (!free)
		return fuzz_differs(fuzz, "mmap over a region at 0x%lx",
				    address);
	model_foreign(spot.span, spot.page, n, true);
	return true;
}

static bool do_munmap(struct fuzz *fuzz, const struct op *op)
{
	struct model_span *arena = &fuzz->model->span[0];
	uint32_t page = op->range[0].offset / MODEL_PAGE, n;

	if (op->range[0].space)
		return true;
	while (page < arena->pages && !model_is_foreign(&arena->page[page]))
		page++;
	for (n = 0; page + n < arena->pages &&
	     model_is_foreign(&arena->page[page + n]); n++)
		;
	if (!n)
		return true;
	emit_line(fuzz, "munmap(P(ARENA + 0x%llx), 0x%llx);", page * MODEL_PAGE,
		  n * MODEL_PAGE);
	if (munmap((void *)(uintptr_t)(arena->base + page * MODEL_PAGE),
		   n * MODEL_PAGE))
		return fuzz_differs(fuzz, "munmap of a foreign mapping");
	model_foreign(arena, page, n, false);
	return true;
}

/* The mapping of ours that @address is in */
static bool find_mapping(uint64_t address, uint64_t *first, uint64_t *end)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	bool found = false;
	char line[512];

	while (maps && !found && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) != 2 ||
		    address < from || address >= to)
			continue;
		if (!strstr(line, "winregion"))
			break;
		found = true;
		*first = from;
		*end = to;
	}
	if (maps)
		fclose(maps);
	return found;
}

/* Whether only regions of this thread can be in it */
static bool is_mine(const struct fuzz *fuzz, uint64_t first, uint64_t end)
{
	const struct model_span *arena = &fuzz->model->span[0];

	return !has_others(fuzz) ||
	       (first >= arena->base &&
		end <= arena->base + arena->pages * MODEL_PAGE);
}

static void emit_unmap(struct fuzz *fuzz, const struct op *op,
		       uint64_t address, uint64_t first, uint64_t length,
		       bool works)
{
	struct op_range range = op->range[0];

	range.offset += first - address;
	emit_line(fuzz, "UNMAP(%s, 0x%lx, %d);", emit_address(&range), length,
		  works);
}

/* A part of a mapping cannot be unmapped. */
static bool unmap_part(struct fuzz *fuzz, const struct op *op,
		       uint64_t address, uint64_t first, uint64_t end)
{
	address -= address % MODEL_PAGE;
	if (end - first == MODEL_PAGE)
		return true;
	emit_unmap(fuzz, op, address, address, MODEL_PAGE, false);
	if (!munmap((void *)(uintptr_t)address, MODEL_PAGE) || errno != EINVAL)
		return fuzz_differs(fuzz, "munmap of a page at 0x%lx: errno %d",
				    address, errno);
	return true;
}

/* Which mappings there are is for the kernel to say. */
static bool do_unmap(struct fuzz *fuzz, const struct op *op)
{
	uint64_t address, first, end, next, last;

	if (fuzz->dry || op->range[0].space == OP_ABSOLUTE ||
	    !fuzz_resolve(fuzz, &op->range[0], &address) ||
	    !find_mapping(address, &first, &end) || !is_mine(fuzz, first, end))
		return true;
	if (op->flags & OP_PART)
		return unmap_part(fuzz, op, address, first, end);
	if ((op->flags & OP_TWO) && find_mapping(end, &next, &last) &&
	    is_mine(fuzz, next, last))
		end = last;
	emit_unmap(fuzz, op, address, first, end - first, true);
	if (munmap((void *)(uintptr_t)first, end - first))
		return fuzz_differs(fuzz, "munmap of 0x%lx to 0x%lx: errno %d",
				    first, end, errno);
	model_lose(fuzz->model, first, end);
	return bury_lost(fuzz);
}

/* ---- everything ---- */

static void emit_runs(struct fuzz *fuzz, const struct model_span *span,
		      uint64_t first, uint64_t last)
{
	struct op_range from = {
		.space = span - fuzz->model->span,
		.offset = first - span->base,
	}, to = from;

	to.offset = last - span->base;
	emit_line(fuzz, "RUNS(%s, %s);", emit_address(&from),
		  emit_address(&to));
}

static bool verify_runs(struct fuzz *fuzz, const struct model_span *span,
			uint32_t first, uint32_t end)
{
	static __thread struct winregion_run runs[FUZZ_RUNS];
	struct winregion_query_runs arg = {
		.size = sizeof(arg),
		.flags = WINREGION_QUERY_RESIDENT,
		.address = span->base + first * MODEL_PAGE,
		.last = span->base + end * MODEL_PAGE - 1,
		.runs = (uintptr_t)runs,
	};

	FILE *emit = fuzz->emit;
	uint64_t from = arg.address;
	bool same = true;

	while (arg.address <= arg.last && same) {
		from = arg.address;
		first = (from - span->base) / MODEL_PAGE;
		arg.nr_runs = FUZZ_RUNS;
		if (ioctl(fuzz->fd, WINREGION_QUERY_RUNS, &arg))
			return fuzz_differs(fuzz, "query_runs: errno %d",
					    errno);
		/* Print only what differs, when it is known. */
		fuzz->emit = NULL;
		same = runs_are(fuzz, span, first, &arg, FUZZ_RUNS, runs);
		fuzz->emit = emit;
	}
	if (!same && emit) {
		emit_runs(fuzz, span, from, arg.last);
		runs_are(fuzz, span, first, &arg, FUZZ_RUNS, runs);
	}
	return same;
}

static bool verify_states(struct fuzz *fuzz, const struct model_span *span)
{
	uint32_t first = 0, end;

	for (; first < span->pages; first = end) {
		for (end = first; end < span->pages &&
		     span->page[end].state != MODEL_NOT_KNOWN; end++)
			;
		if (end > first && !verify_runs(fuzz, span, first, end))
			return false;
		while (end < span->pages &&
		       span->page[end].state == MODEL_NOT_KNOWN)
			end++;
	}
	return true;
}

static bool verify_words(struct fuzz *fuzz, unsigned int space, uint32_t i)
{
	const struct model_span *span = &fuzz->model->span[space];
	struct model_page *page = &span->page[i];
	struct op_range range = { .space = space, .offset = i * MODEL_PAGE };
	uint64_t address = span->base + i * MODEL_PAGE;
	uint32_t value, word;
	int sig;

	for (word = 0; word < MODEL_WORDS; word++) {
		value = 0;
		sig = fuzz_access(address + model_word_offset(word), MODEL_READ,
				  &value);
		if (!sig && contents_fit(page, word, value))
			continue;
		emit_line(fuzz, "TOUCH(READ, %s + %u, 0x%x, 1);",
			  emit_address(&range), model_word_offset(word),
			  page->word[word]);
		return fuzz_differs(fuzz,
				    "page at 0x%lx (protection 0x%x) has 0x%x at %u (signal %d), but it must be 0x%x",
				    address, page->protection, value,
				    model_word_offset(word), sig,
				    page->word[word]);
	}
	return true;
}

/* All that a page must have, where it is known that something differs */
void fuzz_emit_contents(struct fuzz *fuzz)
{
	struct op_range range = { 0 };
	const struct model_span *span;
	uint32_t i, word;

	for (; fuzz->emit && range.space < MODEL_SPANS; range.space++) {
		span = &fuzz->model->span[range.space];
		for (i = 0; i < span->pages * MODEL_WORDS; i++) {
			word = i % MODEL_WORDS;
			range.offset = i / MODEL_WORDS * MODEL_PAGE;
			if (!span->page[i / MODEL_WORDS].touched ||
			    !model_may(&span->page[i / MODEL_WORDS],
				       MODEL_READ))
				continue;
			emit_line(fuzz, "TOUCH(READ, %s + %u, 0x%x, %d);",
				  emit_address(&range),
				  model_word_offset(word),
				  span->page[i / MODEL_WORDS].word[word],
				  1 + span->page[i / MODEL_WORDS].doubt);
		}
	}
}

static bool verify_contents(struct fuzz *fuzz, unsigned int space)
{
	const struct model_span *span = &fuzz->model->span[space];
	uint32_t i;

	for (i = 0; i < span->pages; i++)
		if (span->page[i].touched &&
		    model_may(&span->page[i], MODEL_READ) &&
		    !verify_words(fuzz, space, i))
			return false;
	return true;
}

bool fuzz_verify(struct fuzz *fuzz)
{
	static const struct op info = { .kind = OP_INFO };
	unsigned int i;

	if (fuzz->dry)
		return true;
	for (i = 0; i < MODEL_SPANS; i++)
		if (!verify_states(fuzz, &fuzz->model->span[i]) ||
		    !verify_contents(fuzz, i))
			return false;
	return do_info(fuzz, &info);
}

static bool do_verify(struct fuzz *fuzz, const struct op *op)
{
	return fuzz_verify(fuzz);
}

bool fuzz_execute(struct fuzz *fuzz, const struct op *op)
{
	static bool (*const functions[OP_KINDS])(struct fuzz *fuzz,
						 const struct op *op) = {
		[OP_RESERVE] = do_reserve,
		[OP_RELEASE] = do_release,
		[OP_COMMIT] = do_change,
		[OP_DECOMMIT] = do_change,
		[OP_PROTECT] = do_change,
		[OP_QUERY] = do_query,
		[OP_QUERY_RUNS] = do_query_runs,
		[OP_INFO] = do_info,
		[OP_WATCH] = do_watch,
		[OP_RESET] = contents_reset,
		[OP_LOCK] = contents_lock,
		[OP_MAP_VIEW] = kinds_map_view,
		[OP_UNMAP_VIEW] = kinds_unmap_view,
		[OP_SET_STACK] = kinds_set_stack,
		[OP_READ] = do_touch,
		[OP_WRITE] = do_touch,
		[OP_EXEC] = do_touch,
		[OP_READ_CALL] = do_read_call,
		[OP_WRITE_CALL] = do_write_call,
		[OP_MADVISE] = do_madvise,
		[OP_MMAP] = do_mmap,
		[OP_MUNMAP] = do_munmap,
		[OP_UNMAP] = do_unmap,
		[OP_VERIFY] = do_verify,
	};

	return !functions[op->kind] || functions[op->kind](fuzz, op);
}
