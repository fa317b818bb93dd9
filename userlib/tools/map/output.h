/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is written: maps, differences, timelines and processes, as text or for others
 * to read
 */
#ifndef _WINREGION_MAP_OUTPUT_H
#define _WINREGION_MAP_OUTPUT_H

#include "select.h"
#include "timeline.h"

enum map_format {
	MAP_TEXT,
	MAP_JSON,
	MAP_CSV,
	MAP_HTML,
	MAP_SVG,
	MAP_SNAPSHOT,
	MAP_FORMATS
};

/**
 * struct map_output - how to write
 * @file: where to
 * @runs: the runs of each block, too
 * @holes: in a text, how the free address space is cut up
 * @bytes: in a text, not in KiB
 * @diff: of a text, each line has two characters before it
 * @width: of a text, in columns; 0: whatever it needs
 * @choice: which blocks
 */
struct map_output {
	FILE *file;
	bool runs;
	bool holes;
	bool bytes;
	bool diff;
	int width;
	struct map_choice choice;
};

/* Each is one file of its own; only some of them know differences. */
void map_write_text(const struct map_output *out, const struct map *map);
void map_write_json(const struct map_output *out, const struct map *map);
void map_write_csv(const struct map_output *out, const struct map *map);
void map_write_html(const struct map_output *out, const struct map *map);
void map_write_svg(const struct map_output *out, const struct map *map);
void map_write_snapshot(const struct map_output *out, const struct map *map);

/* Return: how many blocks are not the same */
size_t map_diff_text(const struct map_output *out, const struct map *old,
		     const struct map *new);
size_t map_diff_json(const struct map_output *out, const struct map *old,
		     const struct map *new);
size_t map_diff_csv(const struct map_output *out, const struct map *old,
		    const struct map *new);

void map_timeline_text(const struct map_output *out,
		       const struct map_timeline *timeline);
void map_timeline_json(const struct map_output *out,
		       const struct map_timeline *timeline);
void map_timeline_csv(const struct map_output *out,
		      const struct map_timeline *timeline);
void map_timeline_html(const struct map_output *out,
		       const struct map_timeline *timeline);
void map_timeline_svg(const struct map_output *out,
		      const struct map_timeline *timeline);

/* ---- who.c: behind a timeline; as JSON, members of its object ---- */

void map_allocated_text(const struct map_output *out,
			const struct allocated *all);
void map_allocated_json(FILE *file, const struct allocated *all);

/* ---- columns.c: sizes in a text, with a blank before each ---- */

/* Columns that a line has: the terminal's, or what is usual */
int map_text_width(FILE *file);
/* That a text takes */
int map_text_length(const char *text);

void map_text_head(const struct map_output *out, enum map_size size);
void map_text_heads(const struct map_output *out);
/* Return: columns */
int map_text_size(const struct map_output *out, enum map_size size,
		  uint64_t bytes);
int map_text_sizes(const struct map_output *out, const uint64_t *sizes);
void map_text_difference(const struct map_output *out, enum map_size size,
			 uint64_t old, uint64_t new);

/* 0 or -errno; -EINVAL: no snapshot */
int map_load(const char *path, struct map *map);

/* ---- quote.c ---- */

/* A string as JSON, CSV and HTML have it, with quotation marks where they need them */
void map_quote_json(FILE *file, const char *text);
void map_quote_csv(FILE *file, const char *text);
void map_quote_html(FILE *file, const char *text);

/* "add", "gone", "changed", "same" */
const char *map_change_name(enum map_change change);

/* ---- svg.c ---- */

/* The address space as one bar of an SVG, with its coordinates */
void map_svg_bar(FILE *file, const struct map *map, double x, double y,
		 double width, double height);

/* ---- strip.c ---- */

/* What of a bar a block takes: larger ones more, but not so much that others vanish */
unsigned int map_strip_weight(const struct map_block *block);
uint64_t map_strip_total(const struct map *map);

/*
 * The types of @cells parts of the bar that are as long as each other; @blocks, if not
 * NULL, become the blocks that are there
 */
void map_strip(const struct map *map, uint8_t *types, uint32_t *blocks,
	       unsigned int cells);

/* ---- list.c ---- */

struct map_process {
	pid_t pid;
	uid_t uid;
	bool readable;
	char command[64];
	uint64_t size;
	uint64_t resident;
	uint64_t swapped;
	uint64_t locked;
	uint64_t regions;
	uint64_t committed;
};

/* Those that have memory, by number; the array is the caller's */
size_t map_list_processes(struct map_process **processes, size_t *room);
/* Of a process that this one may not look at; "may look at it" follows. */
const char *map_who_may_look(void);
void map_write_processes(const struct map_output *out, enum map_format format);

#endif /* _WINREGION_MAP_OUTPUT_H */
