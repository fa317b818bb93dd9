// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A map as a text: sums by type, then block by block
 */
#include <inttypes.h>
#include <string.h>

#include "../common/text.h"
#include "output.h"

/* Where a line goes on that is too long: below its type */
#define INDENT 13

/* ---- sums ---- */

static void write_sum(const struct map_output *out, const char *name,
		      uint64_t count, const uint64_t *sizes)
{
	fprintf(out->file, "%-9s %7" PRIu64, name, count);
	map_text_sizes(out, sizes);
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
	text_print(out->file, map->command);
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

	fprintf(out->file, "%-9s %7s", "type", "blocks");
	map_text_heads(out);
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

	fprintf(out->file, "%9s %7" PRIu64,
		kind ? map_human((uint64_t)MAP_UNIT << kind, text) : "less",
		holes->by_class[kind]);
	map_text_size(out, MAP_SIZE, holes->class_bytes[kind]);
	putc('\n', out->file);
}

static void write_holes(const struct map_output *out, const struct map *map)
{
	unsigned int kind;

	fprintf(out->file, "\n%-9s %7s", "free from", "blocks");
	map_text_head(out, MAP_SIZE);
	putc('\n', out->file);
	for (kind = 0; kind < MAP_CLASSES; kind++)
		if (map->holes.by_class[kind])
			write_class(out, &map->holes, kind);
	fprintf(out->file, "%9s %7s", "largest", "");
	map_text_size(out, MAP_SIZE, map->holes.largest);
	putc('\n', out->file);
}

/* ---- blocks ---- */

/* What no line has room for goes on in the next one, whole. */
static void write_word(const struct map_output *out, int *column,
		       const char *word, int pad)
{
	int length = map_text_length(word);

	if (*column + pad + length > out->width && out->width) {
		fprintf(out->file, "\n%*s", INDENT, "");
		*column = INDENT;
	} else {
		fprintf(out->file, "%*s", pad, "");
		*column += pad;
	}
	text_print(out->file, word);
	*column += length;
}

/* Addresses of the kernel are longer, and take some of the blanks behind them. */
static int write_begin(const struct map_output *out, uint64_t address,
		       const char *type)
{
	int column = fprintf(out->file, "%012" PRIx64 " ", address);

	column += fprintf(out->file, "%-*s", 22 - column, type);

	return column + (out->diff ? 2 : 0);
}

static void write_line(const struct map_output *out, uint64_t address,
		       const char *type, const uint64_t *sizes,
		       uint32_t protection, const char *name)
{
	char text[MAP_PROTECTION_ROOM];
	int column = write_begin(out, address, type), before;

	column += map_text_sizes(out, sizes);
	before = column;
	write_word(out, &column, map_protection(protection, text), 1);
	if (*name)
		write_word(out, &column, name,
			   column < before + 9 ? before + 10 - column : 1);
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
		write_begin(out, block->address, map_type_name(block->type));
		map_text_size(out, MAP_SIZE, block->sizes[MAP_SIZE]);
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
	fprintf(out->file, "\n%-12s %-9s", "address", "type");
	map_text_heads(out);
	fputs(" access\n", out->file);
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

static void write_change(const struct map_output *out, char sign,
			 const struct map *map, const struct map_block *block)
{
	fprintf(out->file, "%c ", sign);
	write_block(out, map, block);
}

static void write_difference(const struct map_output *out, const char *name,
			     const uint64_t *old, const uint64_t *new)
{
	unsigned int i;

	fprintf(out->file, "%-9s", name);
	for (i = 0; i < MAP_SIZES; i++)
		map_text_difference(out, i, old[i], new[i]);
	putc('\n', out->file);
}

/* A row where there is something, below the heads if it is the first one */
static void write_if_changed(const struct map_output *out, const char *name,
			     const uint64_t *old, const uint64_t *new,
			     bool *any)
{
	if (!memcmp(old, new, MAP_SIZES * sizeof(*old)))
		return;
	if (!*any) {
		fprintf(out->file, "%-9s", "type");
		map_text_heads(out);
		putc('\n', out->file);
	}
	*any = true;
	write_difference(out, name, old, new);
}

/* Return: whether there is one in the sums */
static bool write_differences(const struct map_output *out,
			      const struct map *old, const struct map *new)
{
	bool any = false;
	unsigned int i;

	fprintf(out->file, "%d: ", old->pid);
	text_print(out->file, old->command);
	fprintf(out->file, " to %d: ", new->pid);
	text_print(out->file, new->command);
	fprintf(out->file, ", in %s\n", out->bytes ? "bytes" : "KiB");
	write_if_changed(out, "total", old->total, new->total, &any);
	for (i = 0; i < MAP_TYPES; i++)
		write_if_changed(out, map_type_name(i), old->sums[i],
				 new->sums[i], &any);

	return any;
}

static void write_diff_head(const struct map_output *out)
{
	fputs("\n+ new, - gone, < before, > after\n  ", out->file);
	fprintf(out->file, "%-12s %-9s", "address", "type");
	map_text_heads(out);
	fputs(" access\n", out->file);
}

size_t map_diff_text(const struct map_output *out, const struct map *old,
		     const struct map *new)
{
	struct map_output diff = *out;
	const struct map_block *a, *b;
	size_t i = 0, j = 0, nr = 0;
	enum map_change change;
	bool any;

	diff.diff = true;
	any = write_differences(&diff, old, new);
	while (map_next_pair(old, new, &i, &j, &a, &b)) {
		change = map_compare(old, new, a, b);
		if (change == MAP_SAME ||
		    !map_is_chosen(b ? new : old, &out->choice, b ? b : a))
			continue;
		if (!nr++)
			write_diff_head(&diff);
		if (a)
			write_change(&diff, b ? '<' : '-', old, a);
		if (b)
			write_change(&diff, a ? '>' : '+', new, b);
	}
	if (!nr)
		fputs(any ? "no block is different\n" : "no difference\n",
		      out->file);

	return nr;
}
