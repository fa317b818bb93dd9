// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Maps: to fill them, the holes between blocks, and sums
 */
#include <stdlib.h>
#include <string.h>

#include "map.h"

void *map_grow(void *array, size_t *room, size_t nr, size_t size)
{
	if (nr <= *room)
		return array;
	*room = nr + nr / 2 + 64;
	array = realloc(array, *room * size);
	if (!array) {
		fputs("winregion-map: out of memory\n", stderr);
		exit(1);
	}

	return array;
}

void map_clear(struct map *map)
{
	struct map old = *map;

	*map = (struct map){
		.blocks = old.blocks,
		.runs = old.runs,
		.names = old.names,
		.room_blocks = old.room_blocks,
		.room_runs = old.room_runs,
		.room_names = old.room_names,
	};
	map_add_name(map, "", 0);
}

void map_free(struct map *map)
{
	free(map->blocks);
	free(map->runs);
	free(map->names);
	*map = (struct map){ 0 };
}

static void *copy_array(const void *array, size_t nr, size_t size)
{
	size_t room = 0;
	void *copy = map_grow(NULL, &room, nr, size);

	return nr ? memcpy(copy, array, nr * size) : copy;
}

void map_copy(struct map *to, const struct map *from)
{
	map_free(to);
	*to = *from;
	to->blocks =
		copy_array(from->blocks, from->nr_blocks, sizeof(*to->blocks));
	to->runs = copy_array(from->runs, from->nr_runs, sizeof(*to->runs));
	to->names = copy_array(from->names, from->names_length, 1);
	to->room_blocks = from->nr_blocks;
	to->room_runs = from->nr_runs;
	to->room_names = from->names_length;
}

/* Names come several times in a row. */
uint32_t map_add_name(struct map *map, const char *name, size_t length)
{
	size_t at = map->names_length;

	if (at && !length)
		return 0;
	map->names = map_grow(map->names, &map->room_names, at + length + 1, 1);
	memcpy(map->names + at, name, length);
	map->names[at + length] = '\0';
	map->names_length = at + length + 1;

	return at;
}

struct map_block *map_add_block(struct map *map, enum map_type type,
				uint64_t address)
{
	struct map_block *block;

	map->blocks = map_grow(map->blocks, &map->room_blocks,
			       map->nr_blocks + 1, sizeof(*block));
	block = &map->blocks[map->nr_blocks++];
	*block = (struct map_block){
		.address = address,
		.type = type,
		.first_run = map->nr_runs,
	};

	return block;
}

struct map_run *map_add_run(struct map *map, const struct map_run *run)
{
	struct map_block *block = &map->blocks[map->nr_blocks - 1];
	unsigned int i;

	map->runs = map_grow(map->runs, &map->room_runs, map->nr_runs + 1,
			     sizeof(*run));
	map->runs[map->nr_runs] = *run;
	block->nr_runs++;
	for (i = 0; i < MAP_SIZES; i++)
		block->sizes[i] += run->sizes[i];

	return &map->runs[map->nr_runs++];
}

/* ---- holes ---- */

/* What is between two blocks: up to two holes, the first one unusable */
struct holes {
	uint64_t first;
	uint64_t unit;
	uint64_t end;
};

/*
 * No region can start in what is left of a 64 KiB unit; where there are regions, that
 * counts. mmap() may have it.
 */
static struct holes find_holes(const struct map *map, uint64_t first,
			       uint64_t end)
{
	struct holes holes = { first, first, end };

	if (holes.end > map->end)
		holes.end = map->end;
	if (holes.first > holes.end)
		holes.first = holes.end;
	holes.unit = holes.first;
	if (map->module && first != map->lowest)
		holes.unit = (first + MAP_UNIT - 1) & ~(uint64_t)(MAP_UNIT - 1);
	if (holes.unit > holes.end)
		holes.unit = holes.end;

	return holes;
}

/* Above the block with number @i, or below all of them */
static struct holes holes_above(const struct map *map, ssize_t i)
{
	uint64_t first = i < 0 ? map->lowest : map_block_end(&map->blocks[i]);
	uint64_t end = map->end;

	if (first < map->lowest)
		first = map->lowest;
	if (i + 1 < (ssize_t)map->nr_blocks)
		end = map->blocks[i + 1].address;

	return find_holes(map, first, end);
}

static size_t count_all_holes(const struct map *map)
{
	struct holes holes;
	size_t nr = 0;
	ssize_t i;

	for (i = -1; i < (ssize_t)map->nr_blocks; i++) {
		holes = holes_above(map, i);
		nr += (holes.first < holes.unit) + (holes.unit < holes.end);
	}

	return nr;
}

/* Put one to the place that *@to is behind, if there is one. */
static void put_hole(struct map *map, size_t *to, enum map_type type,
		     uint64_t first, uint64_t end)
{
	if (first >= end)
		return;
	map->blocks[--*to] = (struct map_block){
		.address = first,
		.sizes = { end - first },
		.type = type,
	};
}

/* From the last one on, as each block moves up by the holes below it */
static void fill_holes(struct map *map)
{
	size_t nr = map->nr_blocks, to = nr + count_all_holes(map), all = to;
	struct holes holes;
	ssize_t i;

	map->blocks = map_grow(map->blocks, &map->room_blocks, to,
			       sizeof(*map->blocks));
	for (i = (ssize_t)nr - 1; i >= -1; i--) {
		holes = holes_above(map, i);
		put_hole(map, &to, MAP_FREE, holes.unit, holes.end);
		put_hole(map, &to, MAP_UNUSABLE, holes.first, holes.unit);
		if (i >= 0)
			map->blocks[--to] = map->blocks[i];
	}
	map->nr_blocks = all;
}

/* ---- sums ---- */

static void count_hole(struct map_holes *holes, uint64_t size)
{
	unsigned int kind = 0;

	while (kind + 1 < MAP_CLASSES && size >> kind >= 2 * MAP_UNIT)
		kind++;
	holes->count++;
	holes->by_class[kind]++;
	holes->class_bytes[kind] += size;
	if (holes->largest < size)
		holes->largest = size;
}

static bool is_in_use(enum map_type type)
{
	return type != MAP_FREE && type != MAP_UNUSABLE;
}

static void add_up(struct map *map)
{
	enum map_type type;
	unsigned int i;
	size_t b;

	for (b = 0; b < map->nr_blocks; b++) {
		type = map->blocks[b].type;
		map->counts[type]++;
		for (i = 0; i < MAP_SIZES; i++)
			map->sums[type][i] += map->blocks[b].sizes[i];
		if (type == MAP_FREE)
			count_hole(&map->holes, map->blocks[b].sizes[MAP_SIZE]);
	}
	for (type = 0; type < MAP_TYPES; type++)
		for (i = 0; i < MAP_SIZES && is_in_use(type); i++)
			map->total[i] += map->sums[type][i];
}

void map_finish(struct map *map)
{
	fill_holes(map);
	add_up(map);
}

size_t map_find(const struct map *map, uint64_t address)
{
	size_t low = 0, high = map->nr_blocks, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (map_block_end(&map->blocks[middle]) <= address)
			low = middle + 1;
		else
			high = middle;
	}

	return low;
}
