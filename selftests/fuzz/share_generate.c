// SPDX-License-Identifier: GPL-2.0
/*
 * Makes up what the process whose turn it is does next: mostly what works, and of
 * the rest mostly what fails for one reason.
 */
#include <string.h>
#include <sys/mman.h>

#include "share.h"

#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif

/* xorshift64, as fuzz_random() */
uint32_t share_random(struct share_world *world, uint32_t below)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return (uint32_t)(world->random >> 32) % below;
}

static bool one_in(struct share *share, uint32_t n)
{
	return !share_random(share->world, n);
}

static uint32_t below(struct share *share, uint32_t n)
{
	return share_random(share->world, n);
}

/* ---- parts ---- */

static uint32_t any_protection(struct share *share)
{
	static const uint32_t usual[] = {
		WINREGION_READWRITE, WINREGION_READWRITE, WINREGION_READWRITE,
		WINREGION_READONLY, WINREGION_READONLY, WINREGION_NOACCESS,
		WINREGION_READWRITE | WINREGION_GUARD,
		WINREGION_READONLY | WINREGION_GUARD,
		WINREGION_WRITECOPY, WINREGION_WRITECOPY, WINREGION_WRITECOPY,
		WINREGION_WRITECOPY | WINREGION_GUARD,
		WINREGION_EXECUTE_READ, WINREGION_EXECUTE_READWRITE,
		WINREGION_EXECUTE_READ | WINREGION_GUARD,
		WINREGION_EXECUTE_WRITECOPY, WINREGION_EXECUTE_WRITECOPY,
		WINREGION_EXECUTE_WRITECOPY | WINREGION_GUARD,
	};
	static const uint32_t odd[] = {
		WINREGION_WRITECOPY | WINREGION_READONLY,
		WINREGION_WRITECOPY | WINREGION_NOCACHE,
		WINREGION_WRITECOPY | WINREGION_WRITECOMBINE,
		0, WINREGION_EXECUTE, WINREGION_READONLY |
		WINREGION_READWRITE, WINREGION_READWRITE | WINREGION_NOCACHE,
		WINREGION_READWRITE | WINREGION_WRITECOMBINE,
		WINREGION_NOACCESS | WINREGION_GUARD, 0x1000, ~0U,
	};

	if (one_in(share, 40))
		return odd[below(share, ARRAY_SIZE(odd))];
	return usual[below(share, ARRAY_SIZE(usual))];
}

static uint32_t any_access(struct share *share)
{
	if (!one_in(share, 4))
		return WINREGION_SECTION_ALL;
	if (one_in(share, 20))
		return 0x20;
	return below(share, 32) & WINREGION_SECTION_ALL;
}

static struct share_view *view_of(struct share *share, const struct op *op)
{
	return &share_self(share)->view[op->value % SHARE_VIEWS];
}

/* One that is there, if there are any */
static uint32_t any_view(struct share *share, unsigned int who)
{
	const struct share_process *process = &share->world->process[who];
	uint32_t i, n = below(share, SHARE_VIEWS);

	for (i = 0; i < SHARE_VIEWS && !process->view[n].used; i++)
		n = (n + 1) % SHARE_VIEWS;
	return n;
}

static uint32_t any_handle(struct share *share)
{
	const struct share_process *process = share_self(share);
	uint32_t i, n = below(share, SHARE_HANDLES);

	for (i = 0; i < SHARE_HANDLES && !process->handle[n].used; i++)
		n = (n + 1) % SHARE_HANDLES;
	return n;
}

static uint32_t any_process(struct share *share)
{
	return below(share, SHARE_PROCESSES);
}

/* A page of so many, the first and the last ones more often */
static uint64_t any_page(struct share *share, uint32_t pages)
{
	if (!pages)
		return 0;
	switch (below(share, 6)) {
	case 0:
		return below(share, pages < 4 ? pages : 4);
	case 1:
		return pages - 1 - below(share, pages < 4 ? pages : 4);
	case 2:
		return below(share, pages < 40 ? pages : 40);
	}
	return below(share, pages);
}

/* A range in a view, or which leaves it */
static void any_range(struct share *share, struct op *op)
{
	const struct share_view *view = view_of(share, op);
	uint64_t page = any_page(share, view->pages);
	uint64_t left = view->pages > page ? view->pages - page : 1;

	op->range[0].offset = page * MODEL_PAGE;
	op->range[0].length = MODEL_PAGE *
			      (1 + below(share, left < 24 ? left : 24));
	if (one_in(share, 8))
		op->range[0].length = left * MODEL_PAGE;
	if (one_in(share, 6)) {
		op->range[0].offset += below(share, 4096);
		op->range[0].length = 1 + below(share, 3 * 4096);
	}
	if (one_in(share, 60))
		op->range[0].length = 0;
}

/* ---- operations ---- */

static void make_image(struct share *share, struct op *op)
{
	op->flags = WINREGION_SECTION_IMAGE;
	if (one_in(share, 4))
		op->flags |= SHARE_READER;
	op->range[0].protection = WINREGION_EXECUTE_READWRITE;
	if (one_in(share, 8))
		op->range[0].protection = any_protection(share);
	op->range[0].length = MODEL_PAGE * (8 + below(share, 200)) -
			      below(share, 4096);
	op->range[1].length = any_access(share);
	op->range[1].offset = below(share, 1 << 11);
	if (one_in(share, 4))
		op->range[0].offset = below(share, SHARE_SPOILT);
	if (one_in(share, 8))
		op->range[0].offset = one_in(share, 2) ? SHARE_EXCHANGED :
							 SHARE_OVERLAPPING;
}

static void make_create(struct share *share, struct op *op)
{
	static const uint32_t protections[] = {
		WINREGION_READONLY, WINREGION_READWRITE, WINREGION_READWRITE,
		WINREGION_READWRITE, WINREGION_EXECUTE_READ,
		WINREGION_EXECUTE_READWRITE, WINREGION_EXECUTE_READWRITE,
		WINREGION_WRITECOPY, WINREGION_EXECUTE_WRITECOPY,
	};
	static const uint32_t flags[] = {
		0, 0, WINREGION_SECTION_RESERVE, WINREGION_SECTION_RESERVE,
		WINREGION_SECTION_NOCACHE, WINREGION_SECTION_WRITECOMBINE,
		WINREGION_SECTION_RESERVE | WINREGION_SECTION_NOCACHE,
	};

	op->value = below(share, SHARE_MEMORY + 3);
	op->flags = flags[below(share, ARRAY_SIZE(flags))];
	op->range[0].protection =
		protections[below(share, ARRAY_SIZE(protections))];
	if (one_in(share, 40))
		op->range[0].protection = any_protection(share);
	op->range[1].length = any_access(share);
	if (op->value < SHARE_MEMORY && one_in(share, 6))
		op->flags |= SHARE_READER;
	if (op->value >= SHARE_MEMORY || one_in(share, 3))
		op->range[0].length = MODEL_PAGE *
			(1 + below(share, SHARE_PAGES)) - below(share, 4096);
}

static void make_map(struct share *share, struct op *op)
{
	op->value = any_handle(share);
	op->range[0].protection = any_protection(share);
	if (one_in(share, 2))
		op->range[0].offset = below(share, 10) * MODEL_UNIT;
	if (one_in(share, 2))
		op->range[0].length = 1 + below(share, 24 * 4096);
	if (one_in(share, 50))
		op->range[0].offset += 4096;
	if (one_in(share, 4))
		op->range[1].length = 1 + below(share, 20 * 4096);
	if (one_in(share, 3))
		op->flags = SHARE_TOP_DOWN;
	if (one_in(share, 2)) {
		op->flags = SHARE_FIXED;
		op->range[1].offset = below(share, 64) * MODEL_UNIT;
	}
	if (one_in(share, 60))
		op->flags |= SHARE_OTHER_KIND;
}

/* Mostly of an image, if there is one, and as its pieces let it */
static void make_load(struct share *share, struct op *op)
{
	static const uint32_t usual[] = {
		WINREGION_READONLY, WINREGION_WRITECOPY, WINREGION_READWRITE,
		WINREGION_EXECUTE_READ, WINREGION_EXECUTE_WRITECOPY,
	};
	const struct share_world *world = share->world;
	const struct share_handle *handle = share_self(share)->handle;
	unsigned int i, n = 0;

	op->value = any_handle(share);
	for (i = 0; i < SHARE_HANDLES; i++)
		if (handle[i].used &&
		    world->section[handle[i].section].nr_pieces &&
		    one_in(share, ++n))
			op->value = i;
	for (i = 0; i < 2; i++)
		op->range[i].protection = usual[below(share, ARRAY_SIZE(usual))];
	op->range[1].offset =
		MODEL_PAGE * (1 + any_page(share, n ? 40 : SHARE_PAGES));
	op->flags = one_in(share, 2);
	op->range[0].offset = below(share, 64) * MODEL_UNIT;
}

/* Behind another view, as rings are made */
static void make_map_behind(struct share *share, struct op *op)
{
	const struct share_view *view =
		&share_self(share)->view[any_view(share, share->me)];
	uint64_t end = view->base + view->pages * MODEL_PAGE;

	make_map(share, op);
	if (!view->used || view->base < SHARE_ARENA ||
	    end >= SHARE_ARENA + SHARE_ARENA_LENGTH)
		return;
	op->flags = SHARE_FIXED;
	op->range[1].offset = (end - SHARE_ARENA + MODEL_UNIT - 1) /
			      MODEL_UNIT * MODEL_UNIT;
}

/* Of one view mostly, and often one at the place of the one before it */
static void make_several(struct share *share, struct op *op)
{
	unsigned int i, nr = 2 + below(share, OP_RANGES - 1);
	struct op one = *op;

	for (i = 0; i < nr; i++) {
		if (one_in(share, 5))
			one.value = any_view(share, share->me);
		any_range(share, &one);
		op->range[i] = one.range[0];
		op->range[i].space = one.value;
		op->range[i].protection = any_protection(share);
		if (i && one_in(share, 2))
			op->range[i].offset = op->range[i - 1].offset;
	}
	op->nr = nr;
}

static void make_change(struct share *share, struct op *op)
{
	op->value = any_view(share, share->me);
	if ((op->kind == SHARE_PROTECT || op->kind == SHARE_COMMIT) &&
	    one_in(share, 8)) {
		make_several(share, op);
		return;
	}
	any_range(share, op);
	op->range[0].protection = any_protection(share);
	if (one_in(share, 6))
		op->flags = SHARE_WHOLE;
	if (op->kind == SHARE_DECOMMIT || op->kind == SHARE_RELEASE)
		op->range[0].protection = 0;
}

static void make_access(struct share *share, struct op *op)
{
	unsigned int who = share->me;

	if (op->kind == SHARE_REMOTE_READ || op->kind == SHARE_REMOTE_WRITE) {
		who = any_process(share);
		op->range[1].length = who;
	}
	op->value = any_view(share, who);
	op->range[0].offset = MODEL_PAGE *
		any_page(share, share->world->process[who].view[op->value].pages);
	op->range[0].length = below(share, 0xffffffff);
	op->flags = below(share, SHARE_WORDS);
}

static void make_advise(struct share *share, struct op *op)
{
	static const uint32_t advice[] = {
		MADV_DONTNEED, MADV_DONTNEED, MADV_PAGEOUT, MADV_PAGEOUT,
		MADV_COLD, MADV_WILLNEED, MADV_RANDOM, MADV_NORMAL,
		MADV_SEQUENTIAL, MADV_HUGEPAGE, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, MADV_FREE,
	};

	make_change(share, op);
	op->flags = advice[below(share, ARRAY_SIZE(advice))];
}

static void make_file(struct share *share, struct op *op)
{
	const struct share_file *file;
	static const uint32_t tails[] = { 0, 0, 100, 1232, 3000 };
	uint32_t pages;

	op->value = below(share, SHARE_MEMORY);
	file = &share->world->file[op->value];
	pages = (file->size + MODEL_PAGE - 1) / MODEL_PAGE;
	op->flags = below(share, SHARE_WORDS);
	op->range[0].offset = MODEL_PAGE *
		any_page(share, one_in(share, 12) ? SHARE_PAGES : pages);
	op->range[0].length = below(share, 0xffffffff);
	if (op->kind == SHARE_PWRITE && one_in(share, 4))
		op->range[1].length = 1 + below(share, 40);
	if (op->kind == SHARE_PUNCH)
		op->range[0].length = MODEL_PAGE * (1 + below(share, 20));
	if (op->kind != SHARE_TRUNCATE)
		return;
	/* Mostly it grows, so that there is something to be seen. */
	pages = one_in(share, 3) ? below(share, SHARE_PAGES) :
				   SHARE_PAGES - 1 - below(share, 60);
	op->range[0].length = pages * MODEL_PAGE +
			      tails[below(share, ARRAY_SIZE(tails))];
}

static void make_extend(struct share *share, struct op *op)
{
	op->value = any_handle(share);
	op->range[0].length = 1 + below(share, SHARE_LENGTH);
}

static void make_process(struct share *share, struct op *op)
{
	op->value = any_process(share);
	op->flags = one_in(share, 3);
	if (op->kind == SHARE_NOISE)
		op->flags = !one_in(share, 3);
}

static void make_pass(struct share *share, struct op *op)
{
	op->value = any_handle(share);
	op->range[0].length = any_process(share);
	if (op->kind == SHARE_DUPLICATE)
		op->range[0].length = any_access(share);
}

static void make_view_op(struct share *share, struct op *op)
{
	op->value = any_view(share, share->me);
	any_range(share, op);
	if (op->kind == SHARE_MUNMAP)
		op->flags = one_in(share, 4);
}

static void make_handle_op(struct share *share, struct op *op)
{
	op->value = any_handle(share);
}

/* How often each is done, of the sum of all */
static const struct {
	unsigned int weight;
	unsigned int kind;
	void (*make)(struct share *share, struct op *op);
} choices[] = {
	{ 1600, SHARE_READ, make_access },
	{ 1900, SHARE_WRITE, make_access },
	{ 350, SHARE_READ_CALL, make_access },
	{ 350, SHARE_WRITE_CALL, make_access },
	{ 200, SHARE_REMOTE_READ, make_access },
	{ 200, SHARE_REMOTE_WRITE, make_access },
	{ 900, SHARE_PROTECT, make_change },
	{ 500, SHARE_COMMIT, make_change },
	{ 80, SHARE_DECOMMIT, make_change },
	{ 40, SHARE_RELEASE, make_change },
	{ 600, SHARE_MAP, make_map },
	{ 120, SHARE_MAP, make_map_behind },
	{ 150, SHARE_LOAD, make_load },
	{ 350, SHARE_UNMAP, make_view_op },
	{ 100, SHARE_MUNMAP, make_view_op },
	{ 250, SHARE_CREATE, make_create },
	{ 80, SHARE_CREATE, make_image },
	{ 120, SHARE_CLOSE, make_handle_op },
	{ 60, SHARE_DUPLICATE, make_pass },
	{ 150, SHARE_PASS, make_pass },
	{ 500, SHARE_QUERY, make_view_op },
	{ 80, SHARE_QUERY_SECTION, make_handle_op },
	{ 80, SHARE_QUERY_FILE, make_file },
	{ 60, SHARE_EXTEND, make_extend },
	{ 150, SHARE_FLUSH, make_view_op },
	{ 60, SHARE_INFO, make_handle_op },
	{ 220, SHARE_ADVISE, make_advise },
	{ 4, SHARE_DROP, make_handle_op },
	{ 250, SHARE_PREAD, make_file },
	{ 250, SHARE_PWRITE, make_file },
	{ 90, SHARE_TRUNCATE, make_file },
	{ 40, SHARE_PUNCH, make_file },
	{ 30, SHARE_SYNC, make_file },
	{ 40, SHARE_PLAIN_MAP, make_file },
	{ 25, SHARE_PLAIN_UNMAP, make_file },
	{ 200, SHARE_PLAIN_READ, make_file },
	{ 200, SHARE_PLAIN_WRITE, make_file },
	{ 24, SHARE_FORK, make_process },
	{ 8, SHARE_EXIT, make_process },
	{ 14, SHARE_KILL, make_process },
	{ 40, SHARE_NOISE, make_process },
	{ 25, SHARE_VERIFY, make_handle_op },
};

static unsigned int sum_of_weights(void)
{
	unsigned int i, sum = 0;

	for (i = 0; i < ARRAY_SIZE(choices); i++)
		sum += choices[i].weight;
	return sum;
}

void share_generate(struct share *share, struct op *op)
{
	uint32_t n = below(share, sum_of_weights());
	unsigned int i = 0;

	while (n >= choices[i].weight)
		n -= choices[i++].weight;
	memset(op, 0, sizeof(*op));
	op->kind = choices[i].kind;
	op->odd = share->me;
	choices[i].make(share, op);
}
