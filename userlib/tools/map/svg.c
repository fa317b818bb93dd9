// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Pictures, as SVG that needs no other file: a map, and a timeline
 */
#include <inttypes.h>
#include <stdlib.h>

#include "output.h"

#define WIDTH 1000
/* The name of the language, which is no place to look at */
#define SCHEME "http:"
#define FONT "font-family=\"sans-serif\" font-size=\"12\""

/* More blocks than that are drawn as cells. */
#define MAX_BLOCKS 2000
#define CELLS 1000

static void write_begin(FILE *file, unsigned int height)
{
	fprintf(file,
		"<svg xmlns=\"" SCHEME "//www.w3.org/2000/svg\"\n"
		"width=\"%d\"\n"
		"height=\"%u\" viewBox=\"0 0 %d %u\" " FONT ">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
		WIDTH, height, WIDTH, height);
}

static void write_text(FILE *file, double x, double y, const char *anchor,
		       const char *text)
{
	fprintf(file,
		"<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"\n"
		"fill=\"#000000\">",
		x, y, anchor);
	map_quote_html(file, text);
	fputs("</text>\n", file);
}

static void begin_rectangle(FILE *file, double x, double y, double width,
			    double height, enum map_type type)
{
	fprintf(file,
		"<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"\n"
		"fill=\"%s\"",
		x, y, width, height, map_type_colour(type));
}

/* ---- the bar ---- */

static void write_block(FILE *file, const struct map *map,
			const struct map_block *block)
{
	char size[MAP_HUMAN_ROOM];

	fprintf(file, "><title>%012" PRIx64 " %s %s ", block->address,
		map_type_name(block->type),
		map_human(block->sizes[MAP_SIZE], size));
	map_quote_html(file, map_name(map, block));
	fputs("</title></rect>\n", file);
}

static void write_blocks(FILE *file, const struct map *map, double x, double y,
			 double width, double height)
{
	double total = (double)map_strip_total(map), at = 0, weight;
	size_t i;

	for (i = 0; i < map->nr_blocks; i++, at += weight) {
		weight = map_strip_weight(&map->blocks[i]);
		begin_rectangle(file, x + at * width / total, y,
				weight * width / total, height,
				map->blocks[i].type);
		write_block(file, map, &map->blocks[i]);
	}
}

/* Cells beside each other that are alike are one. */
static void write_cells(FILE *file, const struct map *map, double x, double y,
			double width, double height)
{
	uint8_t types[CELLS];
	unsigned int i, next;

	map_strip(map, types, NULL, CELLS);
	for (i = 0; i < CELLS; i = next) {
		for (next = i + 1; next < CELLS && types[next] == types[i];)
			next++;
		begin_rectangle(file, x + i * width / CELLS, y,
				(next - i) * width / CELLS, height, types[i]);
		fputs("/>\n", file);
	}
}

void map_svg_bar(FILE *file, const struct map *map, double x, double y,
		 double width, double height)
{
	if (map->nr_blocks > MAX_BLOCKS)
		write_cells(file, map, x, y, width, height);
	else
		write_blocks(file, map, x, y, width, height);
}

/* ---- a map ---- */

#define ROW 18
#define COLUMN 120

static void write_row(FILE *file, double y, const char *name, int type,
		      const uint64_t *sizes)
{
	char text[MAP_HUMAN_ROOM];
	unsigned int i;

	if (type >= 0) {
		begin_rectangle(file, 20, y - 10, 12, 12, type);
		fputs("/>\n", file);
	}
	write_text(file, 40, y, "start", name);
	for (i = 0; i < MAP_SIZES; i++)
		write_text(file, 230 + i * COLUMN, y, "end",
			   sizes ? map_human(sizes[i], text) :
				   map_size_name(i));
}

void map_write_svg(const struct map_output *out, const struct map *map)
{
	char title[128];
	double y = 120;
	unsigned int i;

	write_begin(out->file, 120 + (MAP_TYPES + 2) * ROW + 10);
	snprintf(title, sizeof(title), "%d: %s", map->pid, map->command);
	write_text(out->file, 20, 25, "start", title);
	map_svg_bar(out->file, map, 20, 40, WIDTH - 40, 50);
	write_row(out->file, y, "type", -1, NULL);
	write_row(out->file, y += ROW, "total", -1, map->total);
	for (i = 0; i < MAP_TYPES; i++)
		write_row(out->file, y += ROW, map_type_name(i), i,
			  map->sums[i]);
	fputs("</svg>\n", out->file);
}

/* ---- a timeline ---- */

#define LEFT 90
#define RIGHT 20
#define CHART 220

static uint64_t highest(const struct map_timeline *timeline, enum map_size size)
{
	uint64_t most = 1;
	size_t i;

	for (i = 0; i < timeline->nr; i++)
		if (most < timeline->samples[i].total[size])
			most = timeline->samples[i].total[size];

	return most;
}

/* Of the types up to @type together, at one moment */
static uint64_t stacked(const struct map_sample *sample, enum map_size size,
			int type)
{
	uint64_t sum = 0;

	for (; type >= 0; type--)
		sum += sample->sums[type][size];

	return sum;
}

struct scale {
	double top;
	double seconds;
	uint64_t most;
};

static void write_point(FILE *file, const struct scale *scale, double time,
			uint64_t bytes)
{
	fprintf(file, "%.1f,%.1f ",
		LEFT + time * (WIDTH - LEFT - RIGHT) / scale->seconds,
		scale->top + CHART -
			(double)bytes * CHART / (double)scale->most);
}

/* Along the upper edge, and back along that of what is below */
static void write_area(FILE *file, const struct map_timeline *timeline,
		       const struct scale *scale, enum map_size size, int type)
{
	const struct map_sample *samples = timeline->samples;
	size_t i;

	fputs("<polygon points=\"", file);
	for (i = 0; i < timeline->nr; i++)
		write_point(file, scale, samples[i].time,
			    stacked(&samples[i], size, type));
	for (i = timeline->nr; i--;)
		write_point(file, scale, samples[i].time,
			    stacked(&samples[i], size, type - 1));
	fprintf(file, "\" fill=\"%s\"><title>%s</title></polygon>\n",
		map_type_colour(type), map_type_name(type));
}

static void write_chart(FILE *file, const struct map_timeline *timeline,
			double top, enum map_size size)
{
	double seconds = timeline->samples[timeline->nr - 1].time;
	struct scale scale = {
		.top = top,
		.seconds = seconds > 0 ? seconds : 1,
		.most = highest(timeline, size),
	};
	char text[MAP_HUMAN_ROOM + 8];
	int type;

	for (type = 0; type < MAP_UNUSABLE; type++)
		write_area(file, timeline, &scale, size, type);
	fprintf(file,
		"<path d=\"M%d %.1f V%.1f H%d\" fill=\"none\"\n"
		"stroke=\"#000000\"/>\n",
		LEFT, top, top + CHART, WIDTH - RIGHT);
	write_text(file, LEFT - 5, top + 12, "end",
		   map_human(scale.most, text));
	write_text(file, LEFT - 5, top + CHART, "end", map_size_name(size));
	snprintf(text, sizeof(text), "%.1f s", scale.seconds);
	write_text(file, WIDTH - RIGHT, top + CHART + 16, "end", text);
}

static void write_legend(FILE *file, double y)
{
	unsigned int i;

	for (i = 0; i < MAP_UNUSABLE; i++) {
		begin_rectangle(file, LEFT + i * COLUMN, y - 10, 12, 12, i);
		fputs("/>\n", file);
		write_text(file, LEFT + i * COLUMN + 18, y, "start",
			   map_type_name(i));
	}
}

void map_timeline_svg(const struct map_output *out,
		      const struct map_timeline *timeline)
{
	static const enum map_size sizes[] = { MAP_COMMITTED, MAP_RESIDENT };
	FILE *file = out->file;
	char title[128];
	unsigned int i;

	write_begin(file, 60 + ARRAY_SIZE(sizes) * (CHART + 40) + 10);
	snprintf(title, sizeof(title), "%d: %s", timeline->pid,
		 timeline->command);
	write_text(file, 20, 20, "start", title);
	write_legend(file, 42);
	for (i = 0; i < ARRAY_SIZE(sizes) && timeline->nr; i++)
		write_chart(file, timeline, 60 + i * (CHART + 40), sizes[i]);
	fputs("</svg>\n", file);
}
