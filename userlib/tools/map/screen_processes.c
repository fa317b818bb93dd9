// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The list to pick a process from
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "screen_state.h"

static const char *const names[PROCESS_KEYS] = {
	[BY_PID] = "pid",
	[BY_SIZE] = "size",
	[BY_RESIDENT] = "resident",
	[BY_REGIONS] = "regions",
};

const char *process_key_name(enum process_key key)
{
	return names[key];
}

static uint64_t key_of(const struct map_process *process, enum process_key key)
{
	if (key == BY_SIZE)
		return process->size;
	if (key == BY_RESIDENT)
		return process->resident;

	return key == BY_REGIONS ? process->regions : 0;
}

/* The largest ones first */
static int compare(const void *x, const void *y, void *data)
{
	const struct map_process *a = x, *b = y;
	const enum process_key *key = data;
	uint64_t i = key_of(a, *key), j = key_of(b, *key);

	if (i != j)
		return i > j ? -1 : 1;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static void keep_chosen(struct state *state)
{
	size_t i, kept = 0;

	for (i = 0; i < state->nr_processes; i++)
		if (strcasestr(state->processes[i].command,
			       state->process_text))
			state->processes[kept++] = state->processes[i];
	state->nr_processes = kept;
}

/* The cursor stays with its process. */
void processes_read(struct state *state)
{
	pid_t pid = 0;
	size_t i;

	if (state->cursor < state->nr_processes)
		pid = state->processes[state->cursor].pid;
	state->nr_processes =
		map_list_processes(&state->processes, &state->room_processes);
	keep_chosen(state);
	if (state->nr_processes)
		qsort_r(state->processes, state->nr_processes,
			sizeof(*state->processes), compare,
			&state->process_key);
	if (state->cursor >= state->nr_processes)
		state->cursor = 0;
	for (i = 0; i < state->nr_processes; i++)
		if (state->processes[i].pid == pid)
			state->cursor = i;
}
