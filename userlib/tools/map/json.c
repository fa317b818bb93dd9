// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A map as JSON: one object. Addresses are strings, as they can be too large for the
 * numbers of those who read it.
 */
#include <inttypes.h>

#include "output.h"

static void write_sizes(FILE *file, const uint64_t *sizes)
{
	unsigned int i;

	for (i = 0; i < MAP_SIZES; i++)
		fprintf(file, "%s\"%s\":%" PRIu64, i ? "," : "",
			map_size_name(i), sizes[i]);
}

static void write_protection(FILE *file, uint32_t protection)
{
	char text[MAP_PROTECTION_ROOM];

	fprintf(file, ",\"protection\":\"%s\"",
		map_protection(protection, text));
}

/* ---- sums ---- */

static void write_sums(FILE *file, const uint64_t *counts,
		       const uint64_t (*sums)[MAP_SIZES])
{
	unsigned int i;

	fputs("\"types\":{", file);
	for (i = 0; i < MAP_TYPES; i++) {
		fprintf(file, "%s\n\"%s\":{\"blocks\":%" PRIu64 ",",
			i ? "," : "", map_type_name(i), counts[i]);
		write_sizes(file, sums[i]);
		putc('}', file);
	}
	fputs("}", file);
}

static void write_holes(FILE *file, const struct map_holes *holes)
{
	const char *comma = "";
	unsigned int kind;

	fprintf(file,
		"\"holes\":{\"count\":%" PRIu64 ",\"largest\":%" PRIu64
		",\"classes\":[",
		holes->count, holes->largest);
	for (kind = 0; kind < MAP_CLASSES; kind++) {
		if (!holes->by_class[kind])
			continue;
		fprintf(file,
			"%s{\"from\":%" PRIu64 ",\"count\":%" PRIu64
			",\"size\":%" PRIu64 "}",
			comma, kind ? (uint64_t)MAP_UNIT << kind : 0,
			holes->by_class[kind], holes->class_bytes[kind]);
		comma = ",";
	}
	fputs("]}", file);
}

static void write_head(FILE *file, const struct map *map)
{
	fprintf(file, "\"pid\":%d,\"command\":", map->pid);
	map_quote_json(file, map->command);
	fprintf(file, ",\"time\":%.3f,\"module\":%s,\"locks_known\":%s,",
		map->time, map->module ? "true" : "false",
		map->lock_known ? "true" : "false");
	fprintf(file, "\"locked_of_limit\":%" PRIu64 ",\n\"total\":{",
		map->locked);
	write_sizes(file, map->total);
	fputs("},\n", file);
	write_sums(file, map->counts, (const uint64_t(*)[MAP_SIZES])map->sums);
	fputs(",\n", file);
	write_holes(file, &map->holes);
}

/* ---- blocks ---- */

static void write_runs(FILE *file, const struct map *map,
		       const struct map_block *block)
{
	uint32_t i;

	fputs(",\"runs\":[", file);
	for (i = 0; i < block->nr_runs; i++) {
		const struct map_run *run = &map->runs[block->first_run + i];

		fprintf(file, "%s{\"address\":\"0x%" PRIx64 "\",", i ? "," : "",
			run->address);
		write_sizes(file, run->sizes);
		write_protection(file, run->protection);
		putc('}', file);
	}
	putc(']', file);
}

static void write_block(const struct map_output *out, const struct map *map,
			const struct map_block *block)
{
	fprintf(out->file, "{\"address\":\"0x%" PRIx64 "\",\"type\":\"%s\",",
		block->address, map_type_name(block->type));
	write_sizes(out->file, block->sizes);
	if (block->nr_runs) {
		fprintf(out->file, ",\"region\":%s,\"large\":%s",
			block->region ? "true" : "false",
			block->large ? "true" : "false");
		write_protection(out->file, block->protection);
		fputs(",\"name\":", out->file);
		map_quote_json(out->file, map_name(map, block));
		if (out->runs)
			write_runs(out->file, map, block);
	}
	putc('}', out->file);
}

void map_write_json(const struct map_output *out, const struct map *map)
{
	struct map_list list = { 0 };
	size_t i;

	putc('{', out->file);
	write_head(out->file, map);
	fputs(",\n\"blocks\":[", out->file);
	map_select(map, &out->choice, &list);
	for (i = 0; i < list.nr; i++) {
		fputs(i ? ",\n" : "\n", out->file);
		write_block(out, map, &map->blocks[list.at[i]]);
	}
	fputs("]}\n", out->file);
	map_list_free(&list);
}

/* ---- differences ---- */

static void write_pair(const struct map_output *out, const struct map *old,
		       const struct map *new, const struct map_block *a,
		       const struct map_block *b)
{
	if (a) {
		fputs(",\"before\":", out->file);
		write_block(out, old, a);
	}
	if (b) {
		fputs(",\"after\":", out->file);
		write_block(out, new, b);
	}
}

size_t map_diff_json(const struct map_output *out, const struct map *old,
		     const struct map *new)
{
	const struct map_block *a, *b;
	size_t i = 0, j = 0, nr = 0;
	enum map_change change;

	fputs("{\"before\":{", out->file);
	write_head(out->file, old);
	fputs("},\n\"after\":{", out->file);
	write_head(out->file, new);
	fputs("},\n\"changes\":[", out->file);
	while (map_next_pair(old, new, &i, &j, &a, &b)) {
		change = map_compare(old, new, a, b);
		if (change == MAP_SAME ||
		    !map_is_chosen(b ? new : old, &out->choice, b ? b : a))
			continue;
		fprintf(out->file, "%s{\"change\":\"%s\"", nr++ ? ",\n" : "\n",
			map_change_name(change));
		write_pair(out, old, new, a, b);
		putc('}', out->file);
	}
	fputs("]}\n", out->file);

	return nr;
}

/* ---- timelines ---- */

void map_timeline_json(const struct map_output *out,
		       const struct map_timeline *timeline)
{
	FILE *file = out->file;
	size_t i;

	fprintf(file, "{\"pid\":%d,\"command\":", timeline->pid);
	map_quote_json(file, timeline->command);
	fputs(",\"samples\":[", file);
	for (i = 0; i < timeline->nr; i++) {
		const struct map_sample *sample = &timeline->samples[i];

		fprintf(file, "%s\n{\"seconds\":%.3f,\"total\":{", i ? "," : "",
			sample->time);
		write_sizes(file, sample->total);
		fputs("},", file);
		write_sums(file, sample->counts,
			   (const uint64_t(*)[MAP_SIZES])sample->sums);
		putc('}', file);
	}
	putc(']', file);
	if (timeline->stacks)
		map_allocated_json(file, &timeline->allocated);
	fputs("}\n", file);
}
