// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who allocates: what each call stack has reserved, committed and mapped, and what of it
 * was never given back
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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

/* Of a number of a process, as the kernel has them */
#define MAX_PIDS (4U << 20)

/* An event is told at most one stacks_read() later than another that came after it. */
#define LATE 2

/**
 * struct process - one that is followed, or that has memory by one that is
 * @next: another one
 * @pid: its number
 * @unwinder: its code
 * @ranges: who has allocated what
 * @leader_gone: its first thread has ended
 * @reads: stacks_read() to come until it is forgotten, when there is no other thread
 */
struct process {
	struct process *next;
	pid_t pid;
	struct unwinder *unwinder;
	struct ranges ranges[ALLOCATED_KINDS];
	bool leader_gone;
	unsigned int reads;
};

static struct process *processes;

/* A bit for each number whose process is forgotten: what is told of it comes too late. */
static uint64_t forgotten[MAX_PIDS / 64];

static struct allocated_group *groups;
static unsigned int nr_groups, room_groups;

/* Each group, plus 1, is at what hash() makes of it, or in the next place that was free. */
static unsigned int *table;
static size_t room_table;

/* What was left by those that are not there any more */
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

static bool is_forgotten(pid_t pid)
{
	unsigned int i = pid;

	return i >= MAX_PIDS || forgotten[i / 64] & 1ULL << i % 64;
}

/* Return: NULL if it has ended */
static struct process *find(pid_t pid)
{
	struct process *process;

	for (process = processes; process; process = process->next)
		if (process->pid == pid)
			return process;
	if (is_forgotten(pid))
		return NULL;
	process = calloc(1, sizeof(*process));
	if (!process)
		abort();
	process->pid = pid;
	process->unwinder = unwinder_new(pid);
	process->next = processes;
	processes = process;
	return process;
}

static struct allocated_block block_of(pid_t pid, const struct range *range)
{
	return (struct allocated_block){
		.pid = pid,
		.address = range->first,
		.size = range->end - range->first,
		.group = range->group,
	};
}

static void leave(const struct range *range, void *arg)
{
	struct allocated_group *group = &groups[range->group];
	const struct process *process = arg;

	group->left += range->end - range->first;
	group->now -= range->end - range->first;
	if (nr_blocks == room_blocks) {
		room_blocks = 2 * room_blocks + 256;
		blocks = grow(blocks, room_blocks, sizeof(*blocks));
	}
	blocks[nr_blocks++] = block_of(process->pid, range);
}

/* What its address space has is gone: that is what was left. */
static void empty(struct process *process)
{
	unsigned int kind;

	for (kind = 0; kind < ALLOCATED_KINDS; kind++) {
		ranges_walk(&process->ranges[kind], leave, process);
		ranges_clear(&process->ranges[kind]);
	}
	unwinder_free(process->unwinder);
	process->unwinder = NULL;
}

void stacks_map(pid_t pid, const struct code *code)
{
	struct process *process = find(pid);

	if (process)
		unwinder_map(process->unwinder, code);
}

/* A number may be used again. */
static void begin_process(pid_t pid, const struct unwinder *code)
{
	struct process *process;
	unsigned int i = pid;

	if (i >= MAX_PIDS)
		return;
	forgotten[i / 64] &= ~(1ULL << i % 64);
	process = find(pid);
	empty(process);
	process->unwinder = code ? unwinder_copy(code, pid) : unwinder_new(pid);
	process->leader_gone = false;
}

/* Also where the first thread had to end for another one, which has its number then */
void stacks_exec(pid_t pid)
{
	begin_process(pid, NULL);
}

/* What a child has from its parent it has not allocated. */
void stacks_fork(pid_t parent, pid_t child)
{
	const struct process *from = find(parent);

	begin_process(child, from ? from->unwinder : NULL);
}

void stacks_exit(pid_t pid)
{
	struct process *process = find(pid);

	if (!process)
		return;
	process->leader_gone = true;
	process->reads = LATE;
}

/* The first one stays, as a zombie, as long as there are others. */
static bool has_other_threads(pid_t pid)
{
	struct stat stat;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	return !lstat(path, &stat) && stat.st_nlink > 2 + 1;
}

/* Its code has descriptors and memory, which many short processes would use up. */
static bool forget_if_ended(struct process *process)
{
	unsigned int i = process->pid;

	if (!process->leader_gone || has_other_threads(process->pid) ||
	    process->reads--)
		return false;
	empty(process);
	free(process);
	forgotten[i / 64] |= 1ULL << i % 64;
	return true;
}

static void forget_ended(void)
{
	struct process **at = &processes, *next;

	while (*at) {
		next = (*at)->next;
		if (forget_if_ended(*at))
			*at = next;
		else
			at = &(*at)->next;
	}
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

/* FNV-1a */
static uint64_t hash(enum allocated_kind kind, const char *stack)
{
	uint64_t sum = 0xcbf29ce484222325 + kind;

	for (; *stack; stack++)
		sum = (sum ^ (unsigned char)*stack) * 0x100000001b3;
	return sum;
}

/* Where a group is, or would be */
static unsigned int *place_of(enum allocated_kind kind, const char *stack)
{
	const struct allocated_group *group;
	size_t i = hash(kind, stack);

	for (;; i++) {
		i &= room_table - 1;
		if (!table[i])
			return &table[i];
		group = &groups[table[i] - 1];
		if (group->kind == kind && !strcmp(group->stack, stack))
			return &table[i];
	}
}

/* Half of the table is free at least. */
static void make_room(void)
{
	unsigned int i;

	if (nr_groups < room_groups)
		return;
	room_groups = room_groups ? 2 * room_groups : 64;
	groups = grow(groups, room_groups, sizeof(*groups));
	free(table);
	room_table = 2 * room_groups;
	table = calloc(room_table, sizeof(*table));
	if (!table)
		abort();
	for (i = 0; i < nr_groups; i++)
		*place_of(groups[i].kind, groups[i].stack) = i + 1;
}

static unsigned int group_of(const struct sampled *sampled,
			     enum allocated_kind kind)
{
	char *stack = stack_of(find(sampled->pid), &sampled->user);
	unsigned int *place;

	make_room();
	place = place_of(kind, stack);
	if (*place) {
		free(stack);
		return *place - 1;
	}
	groups[nr_groups] =
		(struct allocated_group){ .kind = kind, .stack = stack };
	*place = ++nr_groups;
	return nr_groups - 1;
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
	if (!find(sampled->pid) || !find(sampled->owner))
		return;
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

/* ---- which process ---- */

/**
 * stacks_open - begin
 * @pid: a process that has not begun yet
 *
 * Return: 0, or a status to exit with, when it has said why.
 */
int stacks_open(pid_t pid)
{
	int status;

	/* Nobody is asked on the network what root has to read. A program has its own setting. */
	unsetenv("DEBUGINFOD_URLS");
	status = sampling_open(trace_place(), events,
			       sizeof(events) / sizeof(*events));
	return status ? status : trace_threads(pid, sampling_follow);
}

/* "first-end r-xp offset device inode   path" */
static void read_code(pid_t pid, const char *line)
{
	unsigned int major, minor;
	struct code code = {};
	uint64_t end;
	int at = 0;
	char execute;

	if (sscanf(line,
		   "%" SCNx64 "-%" SCNx64 " %*2c%c%*c %" SCNx64
		   " %x:%x %" SCNu64 " %n",
		   &code.address, &end, &execute, &code.offset, &major, &minor,
		   &code.inode, &at) != 7 ||
	    !at || execute != 'x')
		return;
	code.length = end - code.address;
	code.device = makedev(major, minor);
	code.path = line + at;
	stacks_map(pid, &code);
}

/* The code that it has by now; what it maps later comes with the events. */
static void read_maps(pid_t pid)
{
	char path[64], *line = NULL;
	size_t room = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "re");
	while (file && getline(&line, &room, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		read_code(pid, line);
	}
	free(line);
	if (file)
		fclose(file);
}

/**
 * stacks_attach - begin
 * @pid: a process that runs. What it has by now nobody has allocated.
 *
 * Return: 0, or a status to exit with, when it has said why.
 */
int stacks_attach(pid_t pid)
{
	int status = stacks_open(pid);

	if (!status)
		read_maps(pid);
	return status;
}

void stacks_read(void)
{
	sampling_read(false);
	forget_ended();
}

/* ---- to tell it ---- */

/* What was told last; the texts of stacks are those of @groups. */
static struct allocated_group *told_groups;
static struct allocated_block *told_blocks;
static size_t room_told_groups, room_told_blocks;

/* By what comes first; an index of one of them */
static int compare(const void *a, const void *b)
{
	const struct allocated_group *first = &groups[*(const unsigned int *)a];
	const struct allocated_group *second =
		&groups[*(const unsigned int *)b];
	uint64_t left = first->left + first->now;
	uint64_t others = second->left + second->now;

	if (first->kind != second->kind)
		return first->kind < second->kind ? -1 : 1;
	if (left != others)
		return left > others ? -1 : 1;
	return (first->total < second->total) - (first->total > second->total);
}

/* Return: where each of @groups is in those that are told; the caller's */
static unsigned int *tell_groups(void)
{
	unsigned int *order = grow(NULL, nr_groups + 1, sizeof(*order));
	unsigned int *place = grow(NULL, nr_groups + 1, sizeof(*place)), i;

	if (room_told_groups < nr_groups + 1) {
		room_told_groups = 2 * nr_groups + 1;
		told_groups = grow(told_groups, room_told_groups,
				   sizeof(*told_groups));
	}
	for (i = 0; i < nr_groups; i++)
		order[i] = i;
	qsort(order, nr_groups, sizeof(*order), compare);
	for (i = 0; i < nr_groups; i++) {
		told_groups[i] = groups[order[i]];
		told_groups[i].left += told_groups[i].now;
		place[order[i]] = i;
	}
	free(order);
	return place;
}

static size_t count_ranges(void)
{
	const struct process *process;
	unsigned int kind;
	size_t nr = 0;

	for (process = processes; process; process = process->next)
		for (kind = 0; kind < ALLOCATED_KINDS; kind++)
			nr += process->ranges[kind].nr;
	return nr;
}

/**
 * struct telling - blocks on their way to told_blocks
 * @pid: whose
 * @nr: those that are there already
 */
struct telling {
	pid_t pid;
	size_t nr;
};

static void tell_block(const struct range *range, void *arg)
{
	struct telling *telling = arg;

	told_blocks[telling->nr++] = block_of(telling->pid, range);
}

/* What is there still is left, too. Return: how many */
static size_t tell_blocks(const unsigned int *place)
{
	size_t all = nr_blocks + count_ranges(), i;
	struct telling telling = { .nr = nr_blocks };
	const struct process *process;
	unsigned int kind;

	if (room_told_blocks < all + 1) {
		room_told_blocks = 2 * all + 1;
		told_blocks = grow(told_blocks, room_told_blocks,
				   sizeof(*told_blocks));
	}
	for (i = 0; i < nr_blocks; i++)
		told_blocks[i] = blocks[i];
	for (process = processes; process; process = process->next) {
		telling.pid = process->pid;
		for (kind = 0; kind < ALLOCATED_KINDS; kind++)
			ranges_walk(&process->ranges[kind], tell_block,
				    &telling);
	}
	for (i = 0; i < all; i++)
		told_blocks[i].group = place[told_blocks[i].group];
	return all;
}

/**
 * stacks_tell - tell who has allocated how much by now
 * @all: what is told, which is there until the next call; the texts of stacks stay
 */
void stacks_tell(struct allocated *all)
{
	unsigned int *place = tell_groups();
	size_t nr = tell_blocks(place);

	free(place);
	*all = (struct allocated){
		.groups = told_groups,
		.nr_groups = nr_groups,
		.blocks = told_blocks,
		.nr_blocks = nr,
		.lost = sampling_lost(),
	};
}

/**
 * stacks_end - the same, when nothing comes any more
 * @all: what is told
 */
void stacks_end(struct allocated *all)
{
	sampling_read(true);
	stacks_tell(all);
	sampling_close();
}
