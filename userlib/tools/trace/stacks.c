// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who allocates: what each call stack has reserved, committed and mapped, and what of it
 * was never given back
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/winregion.h>

#include "allocated.h"
#include "stacks.h"

/* In the order of the names */
enum event {
	RESERVE,
	RELEASE,
	COMMIT,
	DECOMMIT,
	MAP,
	UNMAP
};

static const char *const events[] = {
	"reserve", "release", "commit", "decommit", "map_view", "unmap_view",
};

struct process {
	struct process *next;
	pid_t pid;
	struct unwinder *unwinder;
	struct ranges ranges[ALLOCATED_KINDS];
};

static struct process *processes;

static struct allocated_group *groups;
static unsigned int nr_groups, room_groups;

/* What was left */
static struct allocated_block *blocks;
static size_t nr_blocks, room_blocks;

/* Room for one more, or the end of the program */
static void *grow(void *array, size_t room, size_t size)
{
	array = realloc(array, room * size);
	if (!array)
		abort();
	return array;
}

/* ---- processes ---- */

static struct process *find(pid_t pid)
{
	struct process *process;

	for (process = processes; process; process = process->next)
		if (process->pid == pid)
			return process;
	process = calloc(1, sizeof(*process));
	if (!process)
		abort();
	process->pid = pid;
	process->unwinder = unwinder_new(pid);
	process->next = processes;
	processes = process;
	return process;
}

static void leave(pid_t pid, const struct range *range)
{
	struct allocated_group *group = &groups[range->group];

	group->left += range->end - range->first;
	group->now -= range->end - range->first;
	if (nr_blocks == room_blocks) {
		room_blocks = 2 * room_blocks + 256;
		blocks = grow(blocks, room_blocks, sizeof(*blocks));
	}
	blocks[nr_blocks++] = (struct allocated_block){
		.pid = pid,
		.address = range->first,
		.size = range->end - range->first,
		.group = range->group,
	};
}

/* What its address space has is gone, or still there: that is what was left. */
static void empty(struct process *process)
{
	struct ranges *ranges;
	unsigned int kind;
	size_t i;

	for (kind = 0; kind < ALLOCATED_KINDS; kind++) {
		ranges = &process->ranges[kind];
		for (i = 0; i < ranges->nr; i++)
			leave(process->pid, &ranges->list[i]);
		ranges_clear(ranges);
	}
	unwinder_free(process->unwinder);
	process->unwinder = NULL;
}

void stacks_map(pid_t pid, uint64_t base, const char *path)
{
	unwinder_map(find(pid)->unwinder, base, path);
}

/* A number may be used again. */
void stacks_exec(pid_t pid)
{
	struct process *process = find(pid);

	empty(process);
	process->unwinder = unwinder_new(pid);
}

/* What a child has from its parent it has not allocated. */
void stacks_fork(pid_t parent, pid_t child)
{
	struct process *process = find(child);

	empty(process);
	process->unwinder = unwinder_copy(find(parent)->unwinder, child);
}

/* ---- stacks ---- */

static char *stack_of(struct process *process, const struct user_state *user)
{
	uint64_t frames[STACK_FRAMES];
	size_t nr = unwinder_walk(process->unwinder, user, frames), size, i;
	char *text = NULL;
	FILE *to = open_memstream(&text, &size);

	for (i = 0; to && i < nr; i++) {
		fputs("    ", to);
		unwinder_print(process->unwinder, to, frames[i]);
		fputs("\n", to);
	}
	if (!to || fclose(to))
		abort();
	return text;
}

static unsigned int group_of(const struct sampled *sampled,
			     enum allocated_kind kind)
{
	char *stack = stack_of(find(sampled->pid), &sampled->user);
	unsigned int i;

	for (i = 0; i < nr_groups; i++) {
		if (groups[i].kind == kind && !strcmp(groups[i].stack, stack)) {
			free(stack);
			return i;
		}
	}
	if (nr_groups == room_groups) {
		room_groups = 2 * room_groups + 64;
		groups = grow(groups, room_groups, sizeof(*groups));
	}
	groups[nr_groups] =
		(struct allocated_group){ .kind = kind, .stack = stack };
	return nr_groups++;
}

/* ---- events ---- */

static void add(const struct sampled *sampled, enum allocated_kind kind)
{
	struct range range = {
		.first = sampled->address,
		.end = sampled->address + sampled->length,
		.group = group_of(sampled, kind),
	};
	struct allocated_group *group = &groups[range.group];
	uint64_t added;

	added = ranges_add(&find(sampled->owner)->ranges[kind], &range);
	group->total += added;
	group->now += added;
	if (group->most < group->now)
		group->most = group->now;
	group->calls += added != 0;
}

static void give_back(const struct range *range)
{
	groups[range->group].now -= range->end - range->first;
}

static void remove_range(const struct sampled *sampled,
			 enum allocated_kind kind)
{
	ranges_remove(&find(sampled->owner)->ranges[kind], sampled->address,
		      sampled->address + sampled->length, give_back);
}

static void release(const struct sampled *sampled)
{
	remove_range(sampled, ALLOCATED_COMMITTED);
	if (!sampled->kept)
		remove_range(sampled, ALLOCATED_RESERVED);
}

/* Something happened to memory. A view takes the place of a placeholder. */
void stacks_event(const struct sampled *sampled)
{
	switch (sampled->event) {
	case RESERVE:
		add(sampled, ALLOCATED_RESERVED);
		if (sampled->flags & WINREGION_RESERVE_COMMIT)
			add(sampled, ALLOCATED_COMMITTED);
		break;
	case RELEASE:
		release(sampled);
		break;
	case COMMIT:
		add(sampled, ALLOCATED_COMMITTED);
		break;
	case DECOMMIT:
		remove_range(sampled, ALLOCATED_COMMITTED);
		break;
	case MAP:
		remove_range(sampled, ALLOCATED_RESERVED);
		add(sampled, ALLOCATED_MAPPED);
		break;
	case UNMAP:
		remove_range(sampled, ALLOCATED_MAPPED);
		break;
	}
}

/* ---- all of it ---- */

/**
 * stacks_open - begin
 * @pid: a process that has not begun yet
 *
 * Return: 0, or a status to exit with, when it has said why.
 */
int stacks_open(pid_t pid)
{
	return sampling_open(trace_place(), events,
			     sizeof(events) / sizeof(*events), pid);
}

void stacks_read(void)
{
	sampling_read(false);
}

/* By what comes first; an index of one of them */
static int compare(const void *a, const void *b)
{
	const struct allocated_group *first = &groups[*(const unsigned int *)a];
	const struct allocated_group *second =
		&groups[*(const unsigned int *)b];

	if (first->kind != second->kind)
		return first->kind < second->kind ? -1 : 1;
	if (first->left != second->left)
		return first->left > second->left ? -1 : 1;
	return (first->total < second->total) - (first->total > second->total);
}

/* Blocks go on knowing theirs. */
static void sort_groups(void)
{
	unsigned int *order = grow(NULL, nr_groups + 1, sizeof(*order));
	unsigned int *place = grow(NULL, nr_groups + 1, sizeof(*place)), i;
	struct allocated_group *sorted =
		grow(NULL, nr_groups + 1, sizeof(*sorted));
	size_t j;

	for (i = 0; i < nr_groups; i++)
		order[i] = i;
	qsort(order, nr_groups, sizeof(*order), compare);
	for (i = 0; i < nr_groups; i++) {
		sorted[i] = groups[order[i]];
		place[order[i]] = i;
	}
	for (j = 0; j < nr_blocks; j++)
		blocks[j].group = place[blocks[j].group];
	free(groups);
	free(order);
	free(place);
	groups = sorted;
}

/**
 * stacks_end - tell who has allocated how much. Nothing comes after it.
 * @all: what is told
 */
void stacks_end(struct allocated *all)
{
	struct process *process;

	sampling_read(true);
	for (process = processes; process; process = process->next)
		empty(process);
	sort_groups();
	*all = (struct allocated){
		.groups = groups,
		.nr_groups = nr_groups,
		.blocks = blocks,
		.nr_blocks = nr_blocks,
		.lost = sampling_lost(),
	};
	sampling_close();
}
