// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Two maps side by side: what is only in one, and what is not the same in both
 */
#include <string.h>

#include "map.h"

/* Holes are what is between blocks, and say nothing that those do not say. */
static const struct map_block *next_block(const struct map *map, size_t *i)
{
	for (; *i < map->nr_blocks; (*i)++)
		if (map->blocks[*i].type != MAP_FREE &&
		    map->blocks[*i].type != MAP_UNUSABLE)
			return &map->blocks[*i];

	return NULL;
}

bool map_next_pair(const struct map *old, const struct map *new, size_t *i,
		   size_t *j, const struct map_block **a,
		   const struct map_block **b)
{
	*a = next_block(old, i);
	*b = next_block(new, j);
	if (!*a && !*b)
		return false;
	if (*a && *b && (*a)->address < (*b)->address)
		*b = NULL;
	else if (*a && *b && (*a)->address > (*b)->address)
		*a = NULL;
	if (*a)
		(*i)++;
	if (*b)
		(*j)++;

	return true;
}

static bool same_runs(const struct map *old, const struct map *new,
		      const struct map_block *a, const struct map_block *b)
{
	const struct map_run *x = old->runs + a->first_run;
	const struct map_run *y = new->runs + b->first_run;
	uint32_t i;

	if (a->nr_runs != b->nr_runs)
		return false;
	for (i = 0; i < a->nr_runs; i++)
		if (x[i].address != y[i].address ||
		    x[i].protection != y[i].protection ||
		    memcmp(x[i].sizes, y[i].sizes, sizeof(x[i].sizes)))
			return false;

	return true;
}

enum map_change map_compare(const struct map *old, const struct map *new,
			    const struct map_block *a,
			    const struct map_block *b)
{
	if (!a)
		return MAP_NEW;
	if (!b)
		return MAP_GONE;
	if (a->type != b->type || a->protection != b->protection ||
	    memcmp(a->sizes, b->sizes, sizeof(a->sizes)) ||
	    strcmp(map_name(old, a), map_name(new, b)) ||
	    !same_runs(old, new, a, b))
		return MAP_CHANGED;

	return MAP_SAME;
}
