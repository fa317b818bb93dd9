// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Maps in files, to look at them later and to compare them: lines of words, in which
 * a name is the last one. All of the map is in there, whatever was chosen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

#define HEAD "winregion-map snapshot 1\n"

/* ---- to write them ---- */

static void write_run(FILE *file, const struct map_run *run)
{
	unsigned int i;

	fprintf(file, "run %" PRIx64 " %x", run->address, run->protection);
	for (i = 0; i < MAP_SIZES; i++)
		fprintf(file, " %" PRIu64, run->sizes[i]);
	putc('\n', file);
}

static void write_block(FILE *file, const struct map *map,
			const struct map_block *block)
{
	uint32_t i;

	fprintf(file, "block %" PRIx64 " %s %d %d %x %s\n", block->address,
		map_type_name(block->type), block->region, block->large,
		block->protection, map_name(map, block));
	for (i = 0; i < block->nr_runs; i++)
		write_run(file, &map->runs[block->first_run + i]);
}

void map_write_snapshot(const struct map_output *out, const struct map *map)
{
	size_t i;

	fputs(HEAD, out->file);
	fprintf(out->file,
		"process %d %.3f %d %d %" PRIu64 " %" PRIx64 " %" PRIx64
		" %" PRIu64 " %s\n",
		map->pid, map->time, map->module, map->lock_known, map->locked,
		map->lowest, map->end, map->sums[MAP_TABLE][MAP_SIZE],
		map->command);
	for (i = 0; i < map->nr_blocks; i++)
		if (map->blocks[i].nr_runs)
			write_block(out->file, map, &map->blocks[i]);
	fprintf(out->file, "end %zu\n", map->nr_runs);
}

/* ---- to read them ---- */

static bool read_process(struct map *map, const char *line)
{
	int module, lock_known, at = 0;
	uint64_t tables;
	unsigned int i;

	if (sscanf(line,
		   "process %d %lf %d %d %" SCNu64 " %" SCNx64 " %" SCNx64
		   " %" SCNu64 " %n",
		   &map->pid, &map->time, &module, &lock_known, &map->locked,
		   &map->lowest, &map->end, &tables, &at) != 8 ||
	    !at || map->lowest >= map->end)
		return false;
	map->module = module;
	map->lock_known = lock_known;
	for (i = MAP_SIZE; i <= MAP_RESIDENT; i++)
		map->sums[MAP_TABLE][i] = tables;
	snprintf(map->command, sizeof(map->command), "%s", line + at);

	return true;
}

/* Blocks are by address, and none overlaps the next. */
static bool follows(const struct map *map, uint64_t address)
{
	return !map->nr_blocks ||
	       map_block_end(&map->blocks[map->nr_blocks - 1]) <= address;
}

static bool read_block(struct map *map, const char *line)
{
	struct map_block *block;
	int region, large, at = 0;
	enum map_type type;
	uint32_t protection;
	uint64_t address;
	char word[16];

	if (sscanf(line, "block %" SCNx64 " %15s %d %d %x%n", &address, word,
		   &region, &large, &protection, &at) != 5 ||
	    !map_type_by_name(word, strlen(word), &type) || line[at] != ' ' ||
	    !follows(map, address))
		return false;
	block = map_add_block(map, type, address);
	block->region = region;
	block->large = large;
	block->protection = protection;
	block->name = map_add_name(map, line + at + 1, strlen(line + at + 1));

	return true;
}

static bool read_run(struct map *map, const char *line)
{
	struct map_run run = { 0 };
	char *at;
	unsigned int i;

	run.address = strtoull(line + strlen("run "), &at, 16);
	run.protection = strtoul(at, &at, 16);
	for (i = 0; i < MAP_SIZES && *at == ' '; i++)
		run.sizes[i] = strtoull(at, &at, 10);
	if (i < MAP_SIZES || *at || !map->nr_blocks ||
	    run.address != map_block_end(&map->blocks[map->nr_blocks - 1]) ||
	    run.address + run.sizes[MAP_SIZE] < run.address)
		return false;
	map_add_run(map, &run);

	return true;
}

static bool read_line(struct map *map, const char *line)
{
	if (!map->pid)
		return read_process(map, line);
	if (!strncmp(line, "block ", 6))
		return read_block(map, line);

	return !strncmp(line, "run ", 4) && read_run(map, line);
}

/* A line can be as long as it wants to be, but not the first one. */
static bool is_snapshot(FILE *file)
{
	char head[sizeof(HEAD)];

	return fgets(head, sizeof(head), file) && !strcmp(head, HEAD);
}

/* Whether the file is whole, and nothing is wrong in it */
static bool read_all(FILE *file, struct map *map)
{
	size_t room = 0, nr = (size_t)-1;
	char *line = NULL;

	while (getline(&line, &room, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "end %zu", &nr) == 1 || !read_line(map, line))
			break;
	}
	free(line);

	return nr == map->nr_runs && map->pid;
}

int map_load(const char *path, struct map *map)
{
	FILE *file = fopen(path, "re");
	bool good;

	if (!file)
		return -errno;
	map_clear(map);
	good = is_snapshot(file) && read_all(file, map);
	fclose(file);
	if (!good)
		return -EINVAL;
	map_finish(map);

	return 0;
}
