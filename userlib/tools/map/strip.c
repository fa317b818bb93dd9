// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The address space as a bar: from the lowest address to the highest, each block as
 * long as the number of its pages has binary digits. Free space is most of it, so a hole is as long
 * as one page.
 */
#include <stdlib.h>

#include "output.h"

unsigned int map_strip_weight(const struct map_block *block)
{
	uint64_t pages = block->sizes[MAP_SIZE] / MAP_PAGE;

	if (block->type == MAP_FREE || block->type == MAP_UNUSABLE || !pages)
		return 1;

	return 1 + 64 - __builtin_clzll(pages);
}

uint64_t map_strip_total(const struct map *map)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < map->nr_blocks; i++)
		total += map_strip_weight(&map->blocks[i]);

	return total;
}

struct cell {
	uint64_t most;
	uint64_t weights[MAP_TYPES];
};

static void add_part(struct cell *cell, uint8_t *type, enum map_type of,
		     uint64_t weight)
{
	cell->weights[of] += weight;
	if (cell->weights[of] > cell->most) {
		cell->most = cell->weights[of];
		*type = of;
	}
}

/*
 * Each cell has the type that most of it has. All is counted in parts, of which a
 * cell has as many as the bar has weight.
 */
void map_strip(const struct map *map, uint8_t *types, uint32_t *blocks,
	       unsigned int cells)
{
	uint64_t total = map_strip_total(map), at = 0, end, c, from, to;
	struct cell *all = calloc(cells, sizeof(*all));
	size_t i;

	for (c = 0; c < cells; c++)
		types[c] = MAP_FREE;
	for (i = 0; all && i < map->nr_blocks; i++, at = end) {
		end = at + (uint64_t)cells * map_strip_weight(&map->blocks[i]);
		for (c = at / total; c < cells && c * total < end; c++) {
			from = at > c * total ? at : c * total;
			to = end < (c + 1) * total ? end : (c + 1) * total;
			if (blocks && 2 * from <= (2 * c + 1) * total)
				blocks[c] = i;
			add_part(&all[c], &types[c], map->blocks[i].type,
				 to - from);
		}
	}
	free(all);
}
