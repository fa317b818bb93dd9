// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where the threads of a process have their stacks: what their stack pointers point
 * to. One that runs tells none, so what it has told before counts.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"

static struct map_thread *find_thread(struct map_source *source, pid_t tid)
{
	size_t i;

	for (i = 0; i < source->nr_threads; i++)
		if (source->threads[i].tid == tid)
			return &source->threads[i];
	source->threads = map_grow(source->threads, &source->room_threads,
				   source->nr_threads + 1,
				   sizeof(*source->threads));
	source->threads[source->nr_threads] = (struct map_thread){ tid, 0, 0 };

	return &source->threads[source->nr_threads++];
}

/* "number arguments... stack-pointer program-counter", or "running" */
static void read_pointer(pid_t pid, struct map_thread *thread)
{
	char path[64], line[256], *at;
	FILE *file;

	thread->there = true;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid,
		 thread->tid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(line, sizeof(line), file)) {
		at = strrchr(line, ' ');
		if (at) {
			*at = '\0';
			at = strrchr(line, ' ');
		}
		if (at)
			thread->pointer = strtoull(at + 1, NULL, 16);
	}
	fclose(file);
}

static void forget_others(struct map_source *source)
{
	size_t i, kept = 0;

	for (i = 0; i < source->nr_threads; i++)
		if (source->threads[i].there)
			source->threads[kept++] = source->threads[i];
	source->nr_threads = kept;
}

void map_read_threads(struct map_source *source)
{
	struct dirent *entry;
	char path[40];
	size_t i;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", source->pid);
	dir = opendir(path);
	if (!dir)
		return;
	for (i = 0; i < source->nr_threads; i++)
		source->threads[i].there = false;
	while ((entry = readdir(dir)))
		if (*entry->d_name != '.')
			read_pointer(source->pid,
				     find_thread(source, atoi(entry->d_name)));
	closedir(dir);
	forget_others(source);
}

/* What nobody may touch, and nobody else has made, is the guard of a stack above it. */
static bool is_guard(const struct map_block *block,
		     const struct map_block *above)
{
	return !block->region && !above->region && block->type == MAP_PRIVATE &&
	       !block->sizes[MAP_COMMITTED] && !block->name &&
	       map_block_end(block) == above->address;
}

static void join(struct map_block *block, const struct map_block *above)
{
	unsigned int i;

	for (i = 0; i < MAP_SIZES; i++)
		block->sizes[i] += above->sizes[i];
	block->nr_runs += above->nr_runs;
	block->protection = above->protection;
	block->type = above->type;
	block->name = above->name;
}

static void join_guards(struct map *map)
{
	size_t from, to = 0;

	for (from = 0; from < map->nr_blocks; from++) {
		struct map_block *block = &map->blocks[from];

		if (to && block->type == MAP_STACK &&
		    is_guard(&map->blocks[to - 1], block))
			join(&map->blocks[to - 1], block);
		else
			map->blocks[to++] = *block;
	}
	map->nr_blocks = to;
}

void map_mark_stacks(const struct map_source *source, struct map *map)
{
	struct map_block *block;
	size_t i, at;

	for (i = 0; i < source->nr_threads; i++) {
		at = map_find(map, source->threads[i].pointer);
		if (at == map->nr_blocks)
			continue;
		block = &map->blocks[at];
		if (block->address <= source->threads[i].pointer &&
		    block->type == MAP_PRIVATE)
			block->type = MAP_STACK;
	}
	join_guards(map);
}
