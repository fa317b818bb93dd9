// SPDX-License-Identifier: GPL-2.0
/*
 * From a sequence of operations that ends in a difference to a short one: leave
 * out halves, quarters and so on down to single operations, then make what is
 * left simpler. Each attempt runs in a new process.
 */
#include <stdlib.h>
#include <string.h>

#include "share.h"

#define MAX_ATTEMPTS 4000
#define PRINTED 40

struct shrinker {
	struct fuzz_episode *episode;
	struct op *ops;
	struct op *attempt;
	unsigned int nr;
	unsigned int attempts;
};

static bool differs(struct shrinker *s, unsigned int nr)
{
	if (s->attempts++ >= MAX_ATTEMPTS)
		return false;
	return episode_replay(s->episode, s->attempt, nr, NULL) == 1;
}

static bool remove_chunk(struct shrinker *s, unsigned int at, unsigned int n)
{
	memcpy(s->attempt, s->ops, at * sizeof(*s->ops));
	memcpy(s->attempt + at, s->ops + at + n,
	       (s->nr - at - n) * sizeof(*s->ops));
	if (!differs(s, s->nr - n))
		return false;
	s->nr -= n;
	memcpy(s->ops, s->attempt, s->nr * sizeof(*s->ops));
	return true;
}

/* From the end on: what came last is what the difference is about. */
static bool remove_chunks(struct shrinker *s, unsigned int size)
{
	unsigned int at = s->nr, n;
	bool any = false;

	while (at) {
		n = at < size ? at : size;
		at -= n;
		if (remove_chunk(s, at, n))
			any = true;
	}
	return any;
}

static void remove_all(struct shrinker *s)
{
	unsigned int size;

	for (size = (s->nr + 1) / 2; size > 1; size /= 2)
		remove_chunks(s, size);
	while (remove_chunks(s, 1))
		;
}

/* ---- simpler operations ---- */

static bool try_op(struct shrinker *s, unsigned int i, const struct op *op)
{
	if (!memcmp(op, &s->ops[i], sizeof(*op)))
		return false;
	memcpy(s->attempt, s->ops, s->nr * sizeof(*s->ops));
	s->attempt[i] = *op;
	if (!differs(s, s->nr))
		return false;
	s->ops[i] = *op;
	return true;
}

static bool drop_ranges(struct shrinker *s, unsigned int i)
{
	bool any = false;
	unsigned int r;
	struct op op;

	for (r = s->ops[i].nr; r-- > 0 && s->ops[i].nr;) {
		op = s->ops[i];
		op.nr--;
		/* The last one is no vector any more. */
		if (op.nr)
			memmove(&op.range[r], &op.range[r + 1],
				(op.nr - r) * sizeof(op.range[0]));
		if (try_op(s, i, &op))
			any = true;
	}
	return any;
}

static bool simplify_range(struct shrinker *s, unsigned int i, unsigned int r)
{
	const struct op_range *range = &s->ops[i].range[r];
	bool any = false;
	struct op op;

	op = s->ops[i];
	op.range[r].length = range->length ? MODEL_PAGE : 0;
	any |= try_op(s, i, &op);
	op = s->ops[i];
	op.range[r].length = (range->length / 2 + 4095) / 4096 * 4096;
	any |= op.range[r].length < range->length && try_op(s, i, &op);
	op = s->ops[i];
	op.range[r].length = (range->length + 4095) / 4096 * 4096;
	any |= try_op(s, i, &op);
	op = s->ops[i];
	op.range[r].offset -= range->offset % MODEL_PAGE;
	any |= try_op(s, i, &op);
	op = s->ops[i];
	if (range->protection != WINREGION_READONLY) {
		op.range[r].protection = range->protection ?
					 WINREGION_READWRITE : 0;
		any |= try_op(s, i, &op);
	}
	return any;
}

static bool simplify(struct shrinker *s, unsigned int i)
{
	struct op op = s->ops[i];
	bool any = false;
	unsigned int r;

	op.size = OP_EXACT;
	op.odd = 0;
	any |= try_op(s, i, &op);
	op = s->ops[i];
	op.flags = op.kind == OP_FORK ? OP_WAIT : 0;
	any |= try_op(s, i, &op);
	op = s->ops[i];
	if (op.value > 1 && op.kind != OP_FORK) {
		op.value = 1;
		any |= try_op(s, i, &op);
	}
	any |= drop_ranges(s, i);
	for (r = 0; !r || r < s->ops[i].nr; r++)
		any |= simplify_range(s, i, r);
	return any;
}

/* Shortens @ops, whose difference is known. Return: how many are left */
unsigned int shrink(struct fuzz_episode *episode, struct op *ops,
		    unsigned int nr)
{
	struct shrinker s = {
		.episode = episode,
		.ops = ops,
		.attempt = malloc(nr * sizeof(*ops)),
		.nr = nr,
	};
	bool any = true;
	unsigned int i;

	if (!s.attempt)
		return nr;
	while (any && s.attempts < MAX_ATTEMPTS) {
		remove_all(&s);
		any = false;
		for (i = 0; i < s.nr; i++)
			any |= simplify(&s, i);
	}
	free(s.attempt);
	return s.nr;
}

static struct op *copy_of(const struct op *ops, unsigned int nr)
{
	struct op *copy = malloc(nr * sizeof(*ops));

	if (copy)
		memcpy(copy, ops, nr * sizeof(*ops));
	return copy;
}

/* What depends on chance, other threads or children may need a few tries. */
static bool comes_again(struct fuzz_episode *episode, struct op *ops,
			unsigned int nr)
{
	unsigned int tries;

	for (tries = 0; tries < 5; tries++)
		if (episode_replay(episode, ops, nr, NULL) == 1)
			return true;
	return false;
}

/*
 * How many operations it takes: those up to the one that saw the difference, or
 * if a child saw it, also what its parent did after it had forked. 0: it does
 * not come again.
 */
static unsigned int how_many(struct fuzz_episode *episode, struct op *ops,
			     unsigned int seen, unsigned int all)
{
	if (comes_again(episode, ops, seen))
		return seen;
	while (all > seen && ops[all - 1].kind == OP_NONE)
		all--;
	return comes_again(episode, ops, all) ? all : 0;
}

/* What came last, where it is not known what of it is needed */
static void print_last(struct fuzz_episode *episode, const struct op *ops,
		       unsigned int nr, FILE *file)
{
	unsigned int i = nr > PRINTED ? nr - PRINTED : 0;

	for (; i < nr && episode->options.sharers; i++)
		share_print(file, i, &ops[i]);
}

unsigned int shrink_and_print(struct fuzz_episode *episode, FILE *file)
{
	struct fuzz_report *report = episode->report;
	unsigned int all = episode->options.ops / episode->options.threads, nr;
	struct op *ops = copy_of(episode->ops[report->thread], all);

	if (!ops)
		return 0;
	fprintf(file,
		"# difference with seed %llu, thread %d, operation %u, depth %u:\n# %s\n",
		(unsigned long long)episode->seed, report->thread, report->op,
		report->depth, report->text);
	print_last(episode, ops, report->op + 1, file);
	fflush(file);
	nr = how_many(episode, ops, report->op + 1, all);
	if (!nr) {
		fprintf(file,
			"# it does not come again when the operations of this thread alone are done; try \"make fuzz\" with this SEED, and with the same THREADS\n");
	} else {
		nr = shrink(episode, ops, nr);
		fprintf(file, "# the same, or another, with %u operations:\n",
			nr);
		if (!episode_replay(episode, ops, nr, file))
			fprintf(file, "# it came but sometimes\n");
		fprintf(file, "# %s\n", report->text);
	}
	fflush(file);
	free(ops);
	return nr;
}
