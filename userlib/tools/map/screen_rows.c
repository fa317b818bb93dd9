// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The lines of the tree, and which have changed
 */
#include <stdlib.h>
#include <string.h>

#include "screen_state.h"

/* ---- what has changed ---- */

static const struct map *compared_with(const struct state *state)
{
	return state->has_base ? &state->base : &state->before;
}

static void mark_types(struct state *state, const struct map *old)
{
	unsigned int i;

	for (i = 0; i < MAP_TYPES; i++)
		state->type_changed[i] = memcmp(old->sums[i],
						state->now.sums[i],
						sizeof(old->sums[i]));
}

static void mark_blocks(struct state *state, const struct map *old)
{
	const struct map_block *a, *b;
	size_t i = 0, j = 0;
	enum map_change change;

	while (map_next_pair(old, &state->now, &i, &j, &a, &b)) {
		change = map_compare(old, &state->now, a, b);
		state->changes[change]++;
		if (b)
			state->marks[b - state->now.blocks] = change;
	}
}

/* The first look is compared with nothing. */
void rows_mark(struct state *state)
{
	const struct map *old = compared_with(state);

	state->marks = map_grow(state->marks, &state->room_marks,
				state->now.nr_blocks + 1, 1);
	memset(state->marks, MAP_SAME, state->now.nr_blocks);
	memset(state->changes, 0, sizeof(state->changes));
	memset(state->type_changed, 0, sizeof(state->type_changed));
	if (!old->nr_blocks)
		return;
	mark_types(state, old);
	mark_blocks(state, old);
}

/* ---- which are open ---- */

static size_t find_open(const struct state *state, uint64_t address)
{
	size_t low = 0, high = state->nr_open, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (state->open[middle] < address)
			low = middle + 1;
		else
			high = middle;
	}

	return low;
}

bool rows_is_open(const struct state *state, uint64_t address)
{
	size_t at = find_open(state, address);
	bool there = at < state->nr_open && state->open[at] == address;

	return there != state->all_open;
}

/* With all of them open, @open has those that are not. */
void rows_toggle(struct state *state, uint64_t address)
{
	size_t at = find_open(state, address);

	if (at < state->nr_open && state->open[at] == address) {
		state->nr_open--;
		memmove(state->open + at, state->open + at + 1,
			(state->nr_open - at) * sizeof(*state->open));
		return;
	}
	state->open = map_grow(state->open, &state->room_open,
			       state->nr_open + 1, sizeof(*state->open));
	memmove(state->open + at + 1, state->open + at,
		(state->nr_open - at) * sizeof(*state->open));
	state->open[at] = address;
	state->nr_open++;
}

/* ---- lines ---- */

static void add_row(struct state *state, uint32_t block, uint32_t run)
{
	state->rows = map_grow(state->rows, &state->room_rows,
			       state->nr_rows + 1, sizeof(*state->rows));
	state->rows[state->nr_rows++] = (struct row){ block, run };
}

static void add_rows(struct state *state, uint32_t block)
{
	const struct map_block *of = &state->now.blocks[block];
	uint32_t i;

	add_row(state, block, NO_RUN);
	if (!of->nr_runs || !rows_is_open(state, of->address))
		return;
	for (i = 0; i < of->nr_runs; i++)
		add_row(state, block, of->first_run + i);
}

void rows_build(struct state *state)
{
	size_t i;

	map_select(&state->now, &state->choice, &state->list);
	state->nr_rows = 0;
	for (i = 0; i < state->list.nr; i++)
		add_rows(state, state->list.at[i]);
	if (state->cursor >= state->nr_rows)
		state->cursor = state->nr_rows ? state->nr_rows - 1 : 0;
}

static bool is_run(const struct row *row)
{
	return row->run != NO_RUN;
}

void rows_return_to(struct state *state, uint64_t address, bool run)
{
	size_t i;

	for (i = 0; i < state->nr_rows; i++)
		if (row_address(state, i) == address &&
		    is_run(&state->rows[i]) == run) {
			state->cursor = i;
			return;
		}
}

static bool row_has(const struct state *state, size_t row, uint64_t address)
{
	const struct row *at = &state->rows[row];
	const struct map_run *run;

	if (at->run == NO_RUN) {
		const struct map_block *block = &state->now.blocks[at->block];

		return address >= block->address &&
		       address < map_block_end(block);
	}
	run = &state->now.runs[at->run];

	return address >= run->address &&
	       address - run->address < run->sizes[MAP_SIZE];
}

bool rows_go_to(struct state *state, uint64_t address)
{
	size_t i;

	for (i = 0; i < state->nr_rows; i++)
		if (row_has(state, i, address)) {
			state->cursor = i;
			return true;
		}

	return false;
}

bool rows_next_change(struct state *state)
{
	size_t i, at;

	for (i = 1; i <= state->nr_rows; i++) {
		at = (state->cursor + i) % state->nr_rows;
		if (state->rows[at].run == NO_RUN &&
		    state->marks[state->rows[at].block]) {
			state->cursor = at;
			return true;
		}
	}

	return false;
}
