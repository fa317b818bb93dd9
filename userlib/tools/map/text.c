// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A map as a text: sums by type, then block by block
 */
#include <inttypes.h>
#include <string.h>

#include "output.h"

static void write_number(const struct map_output *out, uint64_t bytes)
{
	fprintf(out->file, " %*" PRIu64, out->bytes ? 16 : 12,
		out->bytes ? bytes : bytes / 1024);
}

static void write_sizes(const struct map_output *out, const uint64_t *sizes)
{
	unsigned int i;

	for (i = 0; i < MAP_SIZES; i++)
		write_number(out, sizes[i]);
}

static void write_heads(const struct map_output *out)
{
	unsigned int i;

	for (i = 0; i < MAP_SIZES; i++)
		fprintf(out->file, " %*s", out->bytes ? 16 : 12,
			map_size_name(i));
}

/* ---- sums ---- */

static void write_sum(const struct map_output *out, const char *name,
		      uint64_t count, const uint64_t *sizes)
{
	fprintf(out->file, "%-10s %8" PRIu64, name, count);
	write_sizes(out, sizes);
	putc('\n', out->file);
}

static uint64_t count_used(const struct map *map)
{
	uint64_t count = 0;
	unsigned int i;

	for (i = 0; i < MAP_UNUSABLE; i++)
		count += map->counts[i];

	return count;
}

static void write_head(const struct map_output *out, const struct map *map)
{
	fprintf(out->file, "%d: ", map->pid);
	map_quote_text(out->file, map->command);
	fprintf(out->file, ", in %s\n", out->bytes ? "bytes" : "KiB");
	if (!map->module)
		fputs("The module was not asked: mappings of the kernel only.\n",
		      out->file);
	else if (!map->lock_known)
		fputs("Which pages of regions are locked is not told.\n",
		      out->file);
}

static void write_sums(const struct map_output *out, const struct map *map)
{
	unsigned int i;

	fprintf(out->file, "%-10s %8s", "type", "blocks");
	write_heads(out);
	putc('\n', out->file);
	write_sum(out, "total", count_used(map), map->total);
	for (i = 0; i < MAP_TYPES; i++)
		write_sum(out, map_type_name(i), map->counts[i], map->sums[i]);
}

/* ---- holes ---- */

static void write_class(const struct map_output *out,
			const struct map_holes *holes, unsigned int kind)
{
	char text[MAP_HUMAN_ROOM];

	fprintf(out->file, "%10s %8" PRIu64,
		kind ? map_human((uint64_t)MAP_UNIT << kind, text) : "less",
		holes->by_class[kind]);
	write_number(out, holes->class_bytes[kind]);
	putc('\n', out->file);
}

static void write_holes(const struct map_output *out, const struct map *map)
{
	unsigned int kind;

	fprintf(out->file, "\n%-10s %8s %*s\n", "free from", "blocks",
		out->bytes ? 16 : 12, "size");
	for (kind = 0; kind < MAP_CLASSES; kind++)
		if (map->holes.by_class[kind])
			write_class(out, &map->holes, kind);
	fprintf(out->file, "%10s %8s", "largest", "");
	write_number(out, map->holes.largest);
	putc('\n', out->file);
}

/* ---- blocks ---- */

static void write_line(const struct map_output *out, uint64_t address,
		       const char *type, const uint64_t *sizes,
		       uint32_t protection, const char *name)
{
	char text[MAP_PROTECTION_ROOM];

	fprintf(out->file, "%012" PRIx64 " %-10s", address, type);
	write_sizes(out, sizes);
	fprintf(out->file, " %-8s%s", map_protection(protection, text),
		*name ? " " : "");
	map_quote_text(out->file, name);
	putc('\n', out->file);
}

static void write_runs(const struct map_output *out, const struct map *map,
		       const struct map_block *block)
{
	uint32_t i;

	for (i = 0; i < block->nr_runs; i++) {
		const struct map_run *run = &map->runs[block->first_run + i];

		write_line(out, run->address, "  run", run->sizes,
			   run->protection, "");
	}
}

static void write_block(const struct map_output *out, const struct map *map,
			const struct map_block *block)
{
	if (block->type == MAP_FREE || block->type == MAP_UNUSABLE) {
		fprintf(out->file, "%012" PRIx64 " %-10s", block->address,
			map_type_name(block->type));
		write_number(out, block->sizes[MAP_SIZE]);
		putc('\n', out->file);
		return;
	}
	write_line(out, block->address, map_type_name(block->type),
		   block->sizes, block->protection, map_name(map, block));
	if (out->runs)
		write_runs(out, map, block);
}

static void write_blocks_head(const struct map_output *out)
{
	fprintf(out->file, "\n%-12s %-10s", "address", "type");
	write_heads(out);
	fputs(" protection\n", out->file);
}

void map_write_text(const struct map_output *out, const struct map *map)
{
	struct map_list list = { 0 };
	size_t i;

	write_head(out, map);
	write_sums(out, map);
	if (out->holes)
		write_holes(out, map);
	map_select(map, &out->choice, &list);
	write_blocks_head(out);
	for (i = 0; i < list.nr; i++)
		write_block(out, map, &map->blocks[list.at[i]]);
	map_list_free(&list);
}

/* ---- differences ---- */

static void write_change(const struct map_output *out, const char *what,
			 const struct map *map, const struct map_block *block)
{
	fprintf(out->file, "%-8s", what);
	write_block(out, map, block);
}

static void write_difference(const struct map_output *out, const char *name,
			     const uint64_t *old, const uint64_t *new)
{
	unsigned int i;
	int64_t more;

	fprintf(out->file, "%-10s", name);
	for (i = 0; i < MAP_SIZES; i++) {
		more = (int64_t)(new[i] - old[i]);
		fprintf(out->file, " %+*" PRId64, out->bytes ? 16 : 12,
			out->bytes ? more : more / 1024);
	}
	putc('\n', out->file);
}

static void write_differences(const struct map_output *out,
			      const struct map *old, const struct map *new)
{
	unsigned int i;

	fprintf(out->file, "%d: %s to %d: %s, in %s\n", old->pid, old->command,
		new->pid, new->command, out->bytes ? "bytes" : "KiB");
	fprintf(out->file, "%-10s", "type");
	write_heads(out);
	putc('\n', out->file);
	write_difference(out, "total", old->total, new->total);
	for (i = 0; i < MAP_TYPES; i++)
		write_difference(out, map_type_name(i), old->sums[i],
				 new->sums[i]);
	putc('\n', out->file);
}

size_t map_diff_text(const struct map_output *out, const struct map *old,
		     const struct map *new)
{
	const struct map_block *a, *b;
	size_t i = 0, j = 0, nr = 0;
	enum map_change change;

	write_differences(out, old, new);
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
