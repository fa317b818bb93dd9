// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The lines of who allocates: call stacks, those of which most is left first
 */
#include <stdlib.h>
#include <string.h>

#include "screen_state.h"

static bool is_there(const struct state *state,
		     const struct allocated_block *block)
{
	const struct who *who = &state->who;

	return block->pid == state->now.pid && block->address < who->end &&
	       block->address + block->size > who->first;
}

/* Which groups are shown; the caller's, NULL: all of them */
static bool *chosen_groups(const struct state *state)
{
	const struct allocated *told = &state->who.told;
	bool *chosen = NULL;
	size_t room = 0, i;

	if (!state->who.end)
		return NULL;
	chosen = map_grow(NULL, &room, told->nr_groups, sizeof(*chosen));
	memset(chosen, 0, room * sizeof(*chosen));
	for (i = 0; i < told->nr_blocks; i++)
		if (is_there(state, &told->blocks[i]))
			chosen[told->blocks[i].group] = true;

	return chosen;
}

/* The text of a stack is where it is as long as the program runs. */
static size_t find_open(const struct who *who, const char *stack)
{
	size_t i = 0;

	while (i < who->nr_open && who->open[i] != stack)
		i++;

	return i;
}

static void add_row(struct who *who, unsigned int group, const char *frame)
{
	who->rows = map_grow(who->rows, &who->room_rows, who->nr_rows + 1,
			     sizeof(*who->rows));
	who->rows[who->nr_rows++] = (struct who_row){ group, frame };
}

static void add_rows(struct who *who, unsigned int group)
{
	const char *stack = who->told.groups[group].stack, *at = stack;

	add_row(who, group, NULL);
	if (find_open(who, stack) == who->nr_open)
		return;
	for (; *at; at += strcspn(at, "\n"), at += *at == '\n')
		add_row(who, group, at);
}

static const char *stack_of_cursor(const struct state *state)
{
	const struct who *who = &state->who;

	if (state->cursor >= who->nr_rows)
		return NULL;

	return who->told.groups[who->rows[state->cursor].group].stack;
}

static void return_to(struct state *state, const char *stack, const char *frame)
{
	const struct who *who = &state->who;
	size_t i;

	for (i = 0; stack && i < who->nr_rows; i++)
		if (who->told.groups[who->rows[i].group].stack == stack &&
		    who->rows[i].frame == frame)
			state->cursor = i;
	if (state->cursor >= who->nr_rows)
		state->cursor = who->nr_rows ? who->nr_rows - 1 : 0;
}

void who_build(struct state *state)
{
	struct who *who = &state->who;
	const char *stack = stack_of_cursor(state);
	const char *frame = stack ? who->rows[state->cursor].frame : NULL;
	bool *chosen;
	size_t i;

	stacks_tell(&who->told);
	chosen = chosen_groups(state);
	who->nr_rows = 0;
	for (i = 0; i < who->told.nr_groups; i++)
		if (!chosen || chosen[i])
			add_rows(who, i);
	free(chosen);
	return_to(state, stack, frame);
}

void who_choose(struct state *state, const struct map_block *block)
{
	state->who.first = block ? block->address : 0;
	state->who.end = block ? map_block_end(block) : 0;
}

static void toggle(struct who *who, const char *stack)
{
	size_t at = find_open(who, stack);

	if (at < who->nr_open) {
		who->open[at] = who->open[--who->nr_open];
		return;
	}
	who->open = map_grow(who->open, &who->room_open, who->nr_open + 1,
			     sizeof(*who->open));
	who->open[who->nr_open++] = stack;
}

void who_toggle(struct state *state)
{
	struct who *who = &state->who;
	const char *stack = stack_of_cursor(state);

	if (!stack)
		return;
	toggle(who, stack);
	return_to(state, stack, NULL);
	who_build(state);
}

void who_toggle_all(struct state *state)
{
	struct who *who = &state->who;
	bool none = !who->nr_open;
	size_t i;

	who->nr_open = 0;
	for (i = 0; none && i < who->told.nr_groups; i++)
		toggle(who, who->told.groups[i].stack);
	return_to(state, stack_of_cursor(state), NULL);
	who_build(state);
}

void who_forget(struct state *state)
{
	free(state->who.rows);
	free(state->who.open);
}
