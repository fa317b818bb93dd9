// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A map as comma-separated values: a line for each block, or each run
 */
#include <inttypes.h>

#include "output.h"

static void write_sizes(FILE *file, const uint64_t *sizes)
{
	unsigned int i;

	for (i = 0; i < MAP_SIZES; i++)
		fprintf(file, ",%" PRIu64, sizes[i]);
}

static void write_heads(FILE *file)
{
	unsigned int i;

	for (i = 0; i < MAP_SIZES; i++)
		fprintf(file, ",%s", map_size_name(i));
}

static bool is_hole(const struct map_block *block)
{
	return block->type == MAP_FREE || block->type == MAP_UNUSABLE;
}

static const char *kind_of(const struct map_block *block)
{
	if (is_hole(block))
		return "hole";

	return block->region ? "region" : "mapping";
}

static void write_line(const struct map_output *out, const struct map *map,
		       const struct map_block *block, const struct map_run *run)
{
	char text[MAP_PROTECTION_ROOM];
	uint32_t protection = run ? run->protection : block->protection;

	fprintf(out->file, "0x%" PRIx64 ",%s,%s", block->address,
		map_type_name(block->type), kind_of(block));
	if (run)
		fprintf(out->file, ",0x%" PRIx64, run->address);
	write_sizes(out->file, run ? run->sizes : block->sizes);
	fprintf(out->file, ",%s,",
		is_hole(block) ? "" : map_protection(protection, text));
	map_quote_csv(out->file, map_name(map, block));
	putc('\n', out->file);
}

static void write_block(const struct map_output *out, const struct map *map,
			const struct map_block *block)
{
	uint32_t i;

	if (!out->runs || !block->nr_runs) {
		write_line(out, map, block, NULL);
		return;
	}
	for (i = 0; i < block->nr_runs; i++)
		write_line(out, map, block, &map->runs[block->first_run + i]);
}

/* With --runs a hole is a run of its own. */
static void write_hole(const struct map_output *out, const struct map *map,
		       const struct map_block *block)
{
	struct map_run run = { .address = block->address };

	run.sizes[MAP_SIZE] = block->sizes[MAP_SIZE];
	write_line(out, map, block, out->runs ? &run : NULL);
}

void map_write_csv(const struct map_output *out, const struct map *map)
{
	struct map_list list = { 0 };
	const struct map_block *block;
	size_t i;

	fprintf(out->file, "address,type,of%s", out->runs ? ",run" : "");
	write_heads(out->file);
	fputs(",protection,name\n", out->file);
	map_select(map, &out->choice, &list);
	for (i = 0; i < list.nr; i++) {
		block = &map->blocks[list.at[i]];
		if (is_hole(block))
			write_hole(out, map, block);
		else
			write_block(out, map, block);
	}
	map_list_free(&list);
}

static void write_change(const struct map_output *out, const char *what,
			 const struct map *map, const struct map_block *block)
{
	fprintf(out->file, "%s,", what);
	write_line(out, map, block, NULL);
}

size_t map_diff_csv(const struct map_output *out, const struct map *old,
		    const struct map *new)
{
	const struct map_block *a, *b;
	size_t i = 0, j = 0, nr = 0;
	enum map_change change;

	fputs("change,address,type,of", out->file);
	write_heads(out->file);
	fputs(",protection,name\n", out->file);
	while (map_next_pair(old, new, &i, &j, &a, &b)) {
		change = map_compare(old, new, a, b);
		if (change == MAP_SAME ||
		    !map_is_chosen(b ? new : old, &out->choice, b ? b : a))
			continue;
		nr++;
		if (change == MAP_CHANGED)
			write_change(out, "before", old, a);
		write_change(out,
			     change == MAP_CHANGED ? "after" :
						     map_change_name(change),
			     b ? new : old, b ? b : a);
	}

	return nr;
}

void map_timeline_csv(const struct map_output *out,
		      const struct map_timeline *timeline)
{
	FILE *file = out->file;
	unsigned int type;
	size_t i;

	fputs("seconds,type,blocks", file);
	write_heads(file);
	putc('\n', file);
	for (i = 0; i < timeline->nr; i++)
		for (type = 0; type < MAP_TYPES; type++) {
			const struct map_sample *sample = &timeline->samples[i];

			fprintf(file, "%.3f,%s,%" PRIu64, sample->time,
				map_type_name(type), sample->counts[type]);
			write_sizes(file, sample->sums[type]);
			putc('\n', file);
		}
}
