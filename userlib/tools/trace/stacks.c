// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who allocates: what each call stack has reserved, committed and mapped, and what of it
 * was never given back
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/winregion.h>

#include "stacks.h"
#include "trace.h"

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

enum kind {
	RESERVED,
	COMMITTED,
	MAPPED,
	KINDS
};

static const char *const kinds[] = { "reserved", "committed", "mapped" };

struct process {
	struct process *next;
	pid_t pid;
	struct unwinder *unwinder;
	struct ranges ranges[KINDS];
};

static struct process *processes;

/**
 * struct group - a kind of memory, and a call stack
 * @kind: the kind
 * @stack: its frames as text, one a line
 * @total: bytes, all together
 * @left: bytes that were not given back
 * @calls: that allocated some of them
 */
struct group {
	enum kind kind;
	char *stack;
	uint64_t total;
	uint64_t left;
	uint64_t calls;
};

static struct group *groups;
static unsigned int nr_groups, room;

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

/* What its address space has is gone, or still there: that is what was left. */
static void empty(struct process *process)
{
	const struct range *range;
	unsigned int kind;
	size_t i;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < process->ranges[kind].nr; i++) {
			range = &process->ranges[kind].list[i];
			groups[range->group].left += range->end - range->first;
		}
		ranges_clear(&process->ranges[kind]);
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

static unsigned int group_of(const struct sampled *sampled, enum kind kind)
{
	char *stack = stack_of(find(sampled->pid), &sampled->user);
	unsigned int i;

	for (i = 0; i < nr_groups; i++) {
		if (groups[i].kind == kind && !strcmp(groups[i].stack, stack)) {
			free(stack);
			return i;
		}
	}
	if (nr_groups == room) {
		room = 2 * room + 64;
		groups = realloc(groups, room * sizeof(*groups));
		if (!groups)
			abort();
	}
	groups[nr_groups] = (struct group){ .kind = kind, .stack = stack };
	return nr_groups++;
}

/* ---- events ---- */

static void add(const struct sampled *sampled, enum kind kind)
{
	struct range range = {
		.first = sampled->address,
		.end = sampled->address + sampled->length,
		.group = group_of(sampled, kind),
	};
	struct group *group = &groups[range.group];
	uint64_t added;

	added = ranges_add(&find(sampled->owner)->ranges[kind], &range);
	group->total += added;
	group->calls += added != 0;
}

static void remove_range(const struct sampled *sampled, enum kind kind)
{
	ranges_remove(&find(sampled->owner)->ranges[kind], sampled->address,
		      sampled->address + sampled->length);
}

static void release(const struct sampled *sampled)
{
	remove_range(sampled, COMMITTED);
	if (!sampled->kept)
		remove_range(sampled, RESERVED);
}

/* Something happened to memory. A view takes the place of a placeholder. */
void stacks_event(const struct sampled *sampled)
{
	switch (sampled->event) {
	case RESERVE:
		add(sampled, RESERVED);
		if (sampled->flags & WINREGION_RESERVE_COMMIT)
			add(sampled, COMMITTED);
		break;
	case RELEASE:
		release(sampled);
		break;
	case COMMIT:
		add(sampled, COMMITTED);
		break;
	case DECOMMIT:
		remove_range(sampled, COMMITTED);
		break;
	case MAP:
		remove_range(sampled, RESERVED);
		add(sampled, MAPPED);
		break;
	case UNMAP:
		remove_range(sampled, MAPPED);
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
	return sampling_open(trace_place(), events, ARRAY_SIZE(events), pid);
}

void stacks_read(void)
{
	sampling_read(false);
}

static int compare(const void *a, const void *b)
{
	const struct group *first = a, *second = b;

	if (first->kind != second->kind)
		return first->kind < second->kind ? -1 : 1;
	if (first->left != second->left)
		return first->left > second->left ? -1 : 1;
	return (first->total < second->total) - (first->total > second->total);
}

static void print_kind(FILE *to, enum kind kind)
{
	unsigned int i;

	for (i = 0; i < nr_groups; i++) {
		if (groups[i].kind != kind)
			continue;
		fprintf(to,
			"%s %" PRIu64 " bytes, %" PRIu64 " left, %" PRIu64
			" call%s\n%s",
			kinds[kind], groups[i].total, groups[i].left,
			groups[i].calls, groups[i].calls == 1 ? "" : "s",
			groups[i].stack);
	}
}

/**
 * stacks_finish - print who has allocated how much, those of whom most is left first
 * @to: where
 */
void stacks_finish(FILE *to)
{
	struct process *process;
	unsigned int kind;

	sampling_read(true);
	for (process = processes; process; process = process->next)
		empty(process);
	qsort(groups, nr_groups, sizeof(*groups), compare);
	for (kind = 0; kind < KINDS; kind++)
		print_kind(to, kind);
	fflush(to);
	if (sampling_lost())
		fprintf(stderr,
			"winregion-trace: %lu events are missing: there were too many at once\n",
			sampling_lost());
	sampling_close();
}
