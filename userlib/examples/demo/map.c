// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Scene 2: a map of the process's regions
 *
 * A row is what touches and is alike, if need be of many regions: the line of
 * 64 KiB regions that a heap grows by says more as one row than as hundreds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

/* A longer map is cut in its middle. */
#define MAX_ROWS 30

#define BAR_WIDTH 12

struct row {
	uint64_t address;
	uint64_t length;
	uint64_t regions;
	uint64_t committed;
	uint64_t resident;
	uint32_t state;
	uint32_t protection;
};

struct map {
	struct row *row;
	size_t count;
	uint64_t runs;
	struct row total;
};

static int touches(const struct row *row, const struct winregion_run *run)
{
	return row->address + row->length == run->address;
}

static int is_alike(const struct row *row, const struct winregion_run *run)
{
	return row->state == run->state && row->protection == run->protection;
}

static void add_run(struct row *row, const struct winregion_run *run)
{
	row->length += run->length;
	row->resident += run->resident;
	row->regions += run->address == run->region_address;
	if (run->state == WINREGION_STATE_COMMIT)
		row->committed += run->length;
}

static struct row *new_row(struct map *map, const struct winregion_run *run)
{
	struct row *row;

	map->row = realloc(map->row, (map->count + 1) * sizeof(*row));
	if (!map->row)
		die("no memory for the map");
	row = &map->row[map->count++];
	*row = (struct row){
		.address = run->address,
		.state = run->state,
		.protection = run->protection,
	};

	return row;
}

static void read_map(struct map *map)
{
	struct runs runs =
		runs_read(0, get_info().out_highest,
			  WINREGION_QUERY_REGIONS | WINREGION_QUERY_RESIDENT);
	struct winregion_run *run = runs.run;
	struct row *row = NULL;

	for (; run < runs.run + runs.count; run++) {
		if (!row || !touches(row, run) || !is_alike(row, run))
			row = new_row(map, run);
		add_run(row, run);
		add_run(&map->total, run);
	}
	map->runs = runs.count;
	runs_free(&runs);
}

static const char *protection_name(uint32_t protection)
{
	if (protection & WINREGION_GUARD)
		return "guard";
	switch (protection & 0xFF) {
	case WINREGION_NOACCESS:
		return "---";
	case WINREGION_READONLY:
		return "r--";
	case WINREGION_READWRITE:
		return "rw-";
	case WINREGION_EXECUTE:
		return "--x";
	case WINREGION_EXECUTE_READ:
		return "r-x";
	case WINREGION_EXECUTE_READWRITE:
		return "rwx";
	default:
		return "";
	}
}

/* How much of the bar stands for @part; what is there at all can be seen. */
static int bar_length(uint64_t part, uint64_t whole)
{
	uint64_t length = (part * BAR_WIDTH + whole / 2) / whole;

	return part && !length ? 1 : length;
}

static struct text bar(const struct row *row)
{
	int committed = bar_length(row->committed, row->length);
	int resident = bar_length(row->resident, row->length);
	struct text text;

	if (resident == committed && row->resident < row->committed &&
	    resident > 1)
		resident--;
	memset(text.s, '.', BAR_WIDTH);
	memset(text.s, '=', committed);
	memset(text.s, '#', resident);
	text.s[BAR_WIDTH] = '\0';

	return text;
}

static void print_line(const char *label, const struct row *row,
		       const char *state, const char *protection)
{
	printf(" %-12s %9s %5s  %-7s  %-5s %9s %9s  %s\n", label,
	       text_bytes(row->length).s,
	       row->regions ? text_number(row->regions).s : "\"", state,
	       protection, text_bytes(row->committed).s,
	       text_bytes(row->resident).s, bar(row).s);
}

static void print_row(const struct row *row)
{
	struct text label;

	snprintf(label.s, sizeof(label.s), "%012" PRIx64, row->address);
	print_line(label.s, row,
		   row->state == WINREGION_STATE_COMMIT ? "commit" : "reserve",
		   protection_name(row->protection));
}

static void print_cut(const struct row *row, const struct row *end)
{
	struct row sum = { 0 };
	char label[48];

	snprintf(label, sizeof(label), "%s rows ...", text_number(end - row).s);
	for (; row < end; row++) {
		sum.length += row->length;
		sum.regions += row->regions;
		sum.committed += row->committed;
		sum.resident += row->resident;
	}
	print_line(label, &sum, "...", "");
}

static void print_rows(const struct map *map)
{
	size_t i = 0, skip = 0;

	if (map->count > MAX_ROWS)
		skip = map->count - MAX_ROWS;
	while (i < map->count) {
		if (i == MAX_ROWS / 2 && skip) {
			print_cut(map->row + i, map->row + i + skip);
			i += skip;
		}
		print_row(&map->row[i++]);
	}
}

static void print_map(const struct map *map)
{
	printf("   address         size  regs  state    prot  committed  resident\n");
	print_rows(map);
	printf("\n");
	print_line("total", &map->total, "", "");
	printf("\n   # in memory   = committed, not touched yet   . reserved only\n");
	printf("   A row is what touches and is alike, if need be of many regions (regs).\n");
}

static void print_cost(const struct map *map)
{
	struct winregion_get_info info = get_info();
	uint64_t vmas = vmas_count(0, info.out_highest, "[winregion]");

	printf("\n   %-40s %12s\n", "regions", text_number(info.out_regions).s);
	printf("   %-40s %12s\n", "runs of pages that are alike",
	       text_number(map->runs).s);
	printf("   %-40s %12s\n", "VMAs they take", text_number(vmas).s);
	printf("   %-40s %12s\n", "VMAs a process may have (max_map_count)",
	       text_number(max_map_count()).s);
	printf("   %-40s %12s   and %s in store\n",
	       "charged for what is committed",
	       text_bytes(info.out_committed).s,
	       text_bytes(info.out_charged - info.out_committed).s);
	if (info.out_limit != UINT64_MAX)
		printf("   %-40s %12s   of all processes\n",
		       "limit of the charge", text_bytes(info.out_limit).s);
}

/* The map, and what the kernel says of itself, must agree. */
static int check_map(const struct map *map)
{
	struct winregion_get_info info = get_info();
	int bad = 0;

	if (map->total.regions != info.out_regions)
		bad += wrong("the map has %s regions, the kernel counts %s",
			     text_number(map->total.regions).s,
			     text_number(info.out_regions).s);
	if (map->total.committed != info.out_committed)
		bad += wrong("the map has %s committed, the kernel counts %s",
			     text_number(map->total.committed).s,
			     text_number(info.out_committed).s);
	if (info.out_charged < info.out_committed)
		bad += wrong("%s committed, but only %s charged for it",
			     text_number(info.out_committed).s,
			     text_number(info.out_charged).s);
	if (map->total.resident > map->total.committed)
		bad += wrong("%s in memory, but only %s committed",
			     text_number(map->total.resident).s,
			     text_number(map->total.committed).s);

	return bad;
}

int map_show(void)
{
	struct map map = { 0 };
	int bad;

	read_map(&map);
	print_map(&map);
	print_cost(&map);
	bad = check_map(&map);
	free(map.row);

	return bad;
}
