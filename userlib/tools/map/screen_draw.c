// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is on the screen: above who it is, the address space as a bar and the sums by
 * type, below a list, and on the last line keys, or a message
 */
#define _XOPEN_SOURCE_EXTENDED
#include <inttypes.h>
#include <string.h>
#include <curses.h>

#include "screen_state.h"

/* Pairs of colours: of each type as ink, and as paper */
#define INK 1
#define PAPER (INK + MAP_TYPES)
#define NEW_PAIR (PAPER + MAP_TYPES)
#define CHANGED_PAIR (NEW_PAIR + 1)

/* Where the bar is, and the sums */
#define BAR 1
#define SUMS 3

/* Fewer columns have no room for all sizes. */
#define NARROW 100
/* Fewer lines have none for types that are not there. */
#define LOW 34

static const short few[MAP_TYPES] = {
	[MAP_IMAGE] = COLOR_MAGENTA, [MAP_FILE] = COLOR_BLUE,
	[MAP_SHARED] = COLOR_CYAN,   [MAP_HEAP] = COLOR_RED,
	[MAP_STACK] = COLOR_GREEN,   [MAP_PRIVATE] = COLOR_YELLOW,
	[MAP_TABLE] = COLOR_WHITE,   [MAP_UNUSABLE] = COLOR_WHITE,
	[MAP_FREE] = COLOR_BLACK,
};

static const short many[MAP_TYPES] = {
	[MAP_IMAGE] = 134, [MAP_FILE] = 33,	 [MAP_SHARED] = 44,
	[MAP_HEAP] = 160,  [MAP_STACK] = 208,	 [MAP_PRIVATE] = 220,
	[MAP_TABLE] = 137, [MAP_UNUSABLE] = 102, [MAP_FREE] = 240,
};

static int columns(void)
{
	return getmaxx(stdscr);
}

static int lines(void)
{
	return getmaxy(stdscr);
}

void draw_begin(void)
{
	const short *colours;
	short i;

	if (!has_colors())
		return;
	start_color();
	use_default_colors();
	colours = COLORS >= 256 ? many : few;
	for (i = 0; i < MAP_TYPES; i++) {
		init_pair(INK + i, colours[i], -1);
		init_pair(PAPER + i, COLOR_BLACK, colours[i]);
	}
	init_pair(NEW_PAIR, COLOR_GREEN, -1);
	init_pair(CHANGED_PAIR, COLOR_YELLOW, -1);
}

static attr_t ink(enum map_type type)
{
	return has_colors() ? COLOR_PAIR(INK + type) : A_NORMAL;
}

/* What a name has in it that a terminal would obey is not for it. */
static void add_text(const char *text)
{
	char line[512];
	int room = columns() - getcurx(stdscr);
	char *at;

	if (room <= 0)
		return;
	snprintf(line, sizeof(line), "%s", text);
	for (at = line; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	addnstr(line, room < (int)sizeof(line) ? room : (int)sizeof(line) - 1);
}

static void fill_line(void)
{
	clrtoeol();
}

/* ---- above ---- */

static void draw_head(struct state *state)
{
	char line[256];

	move(0, 0);
	attron(A_REVERSE);
	if (state->view == VIEW_PROCESSES)
		snprintf(line, sizeof(line), " winregion-map: %zu processes",
			 state->nr_processes);
	else
		snprintf(line, sizeof(line),
			 " %d: %s  %s%s%s+%zu new *%zu changed -%zu gone%s",
			 state->now.pid, state->now.command,
			 state->now.module ? "" : "no regions are told  ",
			 state->paused ? "paused  " : "",
			 state->ended ? "ended  " : "", state->changes[MAP_NEW],
			 state->changes[MAP_CHANGED], state->changes[MAP_GONE],
			 state->has_base ? " since the mark" : "");
	add_text(line);
	while (getcurx(stdscr) < columns() - 12 && getcury(stdscr) == 0)
		addch(' ');
	snprintf(line, sizeof(line), " every %.1f s ", state->wait);
	if (!state->what->loaded && getcury(stdscr) == 0)
		add_text(line);
	attroff(A_REVERSE);
}

/* Where there are no colours */
static const char letters[MAP_TYPES + 1] = "ifshSptu.";

static void draw_cell(int column, enum map_type type)
{
	move(BAR, column);
	if (!has_colors()) {
		addch(letters[type]);
		return;
	}
	attron(COLOR_PAIR(PAPER + type));
	addch(' ');
	attroff(COLOR_PAIR(PAPER + type));
}

/* What is in the bar changes with a look, or with the width of the screen. */
static void fill_strip(struct state *state)
{
	size_t cells = columns();

	if (state->nr_strip == cells)
		return;
	state->strip = map_grow(state->strip, &state->room_strip, cells, 1);
	state->strip_blocks = map_grow(state->strip_blocks,
				       &state->room_strip_blocks, cells,
				       sizeof(*state->strip_blocks));
	memset(state->strip_blocks, 0, cells * sizeof(*state->strip_blocks));
	map_strip(&state->now, state->strip, state->strip_blocks, cells);
	state->nr_strip = cells;
}

/* Below the cells that are the cursor's block there is a sign, below one at least. */
static void draw_bar(struct state *state)
{
	uint32_t current, *blocks;
	bool marked = false;
	size_t i;

	fill_strip(state);
	move(BAR + 1, 0);
	fill_line();
	for (i = 0; i < state->nr_strip; i++)
		draw_cell(i, state->strip[i]);
	if (state->view != VIEW_BLOCKS || state->cursor >= state->nr_rows)
		return;
	current = state->rows[state->cursor].block;
	blocks = state->strip_blocks;
	for (i = 0; i < state->nr_strip && blocks[i] <= current; i++)
		if (blocks[i] == current) {
			mvaddch(BAR + 1, i, '^');
			marked = true;
		}
	if (!marked)
		mvaddch(BAR + 1, i ? i - 1 : 0, '^');
}

static unsigned int sizes_shown(void)
{
	return columns() < NARROW ? MAP_SWAPPED : MAP_SIZES;
}

static void add_sizes(const uint64_t *sizes)
{
	char text[MAP_HUMAN_ROOM];
	unsigned int i;

	for (i = 0; i < sizes_shown(); i++)
		printw(" %9s", map_human(sizes[i], text));
}

static void add_heads(void)
{
	unsigned int i;

	for (i = 0; i < sizes_shown(); i++)
		printw(" %9s", map_size_name(i));
}

static bool type_is_shown(const struct state *state, enum map_type type)
{
	return lines() >= LOW || state->now.sums[type][MAP_SIZE];
}

static int draw_sum(const struct state *state, int line, enum map_type type)
{
	if (!type_is_shown(state, type))
		return line;
	move(line, 0);
	attron(ink(type));
	if (state->type_changed[type])
		attron(A_BOLD);
	printw("%c%-10s %8" PRIu64, state->type_changed[type] ? '*' : ' ',
	       map_type_name(type), state->now.counts[type]);
	add_sizes(state->now.sums[type]);
	attroff(ink(type) | A_BOLD);
	fill_line();

	return line + 1;
}

static int draw_sums(const struct state *state)
{
	int line = SUMS;
	unsigned int i;

	move(line++, 0);
	attron(A_UNDERLINE);
	printw(" %-10s %8s", "type", "blocks");
	add_heads();
	attroff(A_UNDERLINE);
	fill_line();
	move(line++, 0);
	printw(" %-10s %8s", "total", "");
	add_sizes(state->now.total);
	fill_line();
	for (i = 0; i < MAP_TYPES; i++)
		line = draw_sum(state, line, i);

	return line;
}

/* ---- the tree ---- */

static void draw_tree_head(const struct state *state, int line)
{
	char text[64];

	move(line, 0);
	attron(A_UNDERLINE);
	printw("   %-12s %-9s", "address", "type");
	add_heads();
	snprintf(text, sizeof(text), " protection, name (by %s%s)",
		 map_key_name(state->choice.key),
		 state->choice.reverse ? ", reverse" : "");
	add_text(text);
	attroff(A_UNDERLINE);
	fill_line();
}

static void begin_mark(enum map_change change)
{
	attr_t colour = A_BOLD;

	if (has_colors())
		colour |=
			COLOR_PAIR(change == MAP_NEW ? NEW_PAIR : CHANGED_PAIR);
	attron(colour);
	addch(change == MAP_NEW ? '+' : '*');
	attroff(colour);
}

static char sign_of(const struct state *state, const struct map_block *block)
{
	if (block->nr_runs < 2)
		return ' ';

	return rows_is_open(state, block->address) ? 'v' : '>';
}

static void draw_block(const struct state *state, uint32_t number)
{
	const struct map_block *block = &state->now.blocks[number];
	char text[MAP_PROTECTION_ROOM];

	if (state->marks[number])
		begin_mark(state->marks[number]);
	else
		addch(' ');
	attron(ink(block->type));
	printw("%c %012" PRIx64 " %-9s", sign_of(state, block), block->address,
	       map_type_name(block->type));
	add_sizes(block->sizes);
	if (block->nr_runs) {
		printw(" %-8s ", map_protection(block->protection, text));
		add_text(map_name(&state->now, block));
	}
	attroff(ink(block->type));
}

static void draw_run(const struct state *state, const struct row *row)
{
	const struct map_run *run = &state->now.runs[row->run];
	enum map_type type = state->now.blocks[row->block].type;
	char text[MAP_PROTECTION_ROOM];

	attron(ink(type) | A_DIM);
	printw("     %012" PRIx64 " %-7s", run->address, "run");
	add_sizes(run->sizes);
	printw(" %s", map_protection(run->protection, text));
	attroff(ink(type) | A_DIM);
}

static void draw_tree_line(const struct state *state, int line, size_t at)
{
	const struct row *row = &state->rows[at];

	move(line, 0);
	if (at == state->cursor)
		attron(A_REVERSE);
	if (row->run == NO_RUN)
		draw_block(state, row->block);
	else
		draw_run(state, row);
	if (getcury(stdscr) == line)
		fill_line();
	if (at == state->cursor)
		mvchgat(line, 0, -1, A_REVERSE, 0, NULL);
	attroff(A_REVERSE);
}

/* ---- fragmentation ---- */

static int draw_holes(const struct state *state, int line)
{
	const struct map_holes *holes = &state->now.holes;
	char size[MAP_HUMAN_ROOM], from[MAP_HUMAN_ROOM];
	unsigned int kind;
	int room, length;
	double share;

	move(line++, 0);
	printw(" %" PRIu64 " free blocks, the largest %s", holes->count,
	       map_human(holes->largest, size));
	fill_line();
	for (kind = 0; kind < MAP_CLASSES && line < lines() - 1; kind++) {
		if (!holes->by_class[kind])
			continue;
		map_human((uint64_t)MAP_UNIT << kind, from);
		move(line++, 0);
		printw(" from %9s %8" PRIu64 " %9s ", kind ? from : "less",
		       holes->by_class[kind],
		       map_human(holes->class_bytes[kind], size));
		room = columns() - getcurx(stdscr) - 1;
		share = (double)holes->by_class[kind] / (double)holes->count;
		for (length = 0; length < share * room; length++)
			addch('#');
		fill_line();
	}

	return line;
}

/* ---- processes ---- */

static void draw_process(const struct state *state, int line, size_t at)
{
	const struct map_process *process = &state->processes[at];
	char size[MAP_HUMAN_ROOM], resident[MAP_HUMAN_ROOM];
	char committed[MAP_HUMAN_ROOM];

	move(line, 0);
	if (at == state->cursor)
		attron(A_REVERSE);
	if (!process->readable)
		attron(A_DIM);
	printw("%8d %6u %9s %9s %8" PRIu64 " %9s ", process->pid, process->uid,
	       map_human(process->size, size),
	       map_human(process->resident, resident), process->regions,
	       map_human(process->committed, committed));
	add_text(process->command);
	if (!process->readable)
		add_text(" (not yours)");
	attroff(A_DIM);
	fill_line();
	if (at == state->cursor)
		mvchgat(line, 0, -1, A_REVERSE, 0, NULL);
	attroff(A_REVERSE);
}

static void draw_processes_head(const struct state *state, int line)
{
	char text[64];

	move(line, 0);
	attron(A_UNDERLINE);
	printw("%8s %6s %9s %9s %8s %9s ", "pid", "user", "size", "resident",
	       "regions", "committed");
	snprintf(text, sizeof(text), "command (by %s)",
		 process_key_name(state->process_key));
	add_text(text);
	attroff(A_UNDERLINE);
	fill_line();
}

/* ---- help ---- */

static const char *const help[] = {
	"up, down, PgUp, PgDn, Home, End   move",
	"Enter, right, left                open and close a block; e: all of them",
	"s, S                              sort by something else; the other way round",
	"t                                 one type after the other; F: what is free, too",
	"/                                 only what has these letters in its name",
	"a                                 go to an address (hexadecimal)",
	"n                                 go to the next block that has changed",
	"m                                 mark: compare with how it is now; again: no more",
	"f                                 how the free address space is cut up",
	"p                                 pause; + and -: look less, and more, often",
	"w                                 write a snapshot",
	"l, Tab                            list of processes",
	"q                                 quit",
	"",
	"In front of a block: + it is new, * it has changed, > it has several runs.",
	"The bar is the address space; ^ is below the block of the cursor.",
};

static int draw_help(int line)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(help) && line < lines() - 1; i++) {
		move(line++, 0);
		addch(' ');
		add_text(help[i]);
		fill_line();
	}

	return line;
}

/* ---- all of it ---- */

/* The first line of the list, below its head */
static int list_line(const struct state *state)
{
	unsigned int i;
	int line = SUMS + 3;

	if (state->view == VIEW_PROCESSES)
		return 2;
	for (i = 0; i < MAP_TYPES; i++)
		line += type_is_shown(state, i);

	return line;
}

size_t draw_room(const struct state *state)
{
	int room = lines() - 1 - list_line(state);

	return room > 1 ? room : 1;
}

static void scroll_to_cursor(struct state *state)
{
	size_t room = draw_room(state);

	if (state->top > state->cursor)
		state->top = state->cursor;
	if (state->cursor >= state->top + room)
		state->top = state->cursor - room + 1;
}

static const char keys[] =
	"? help  Enter open  s sort  t type  / filter  a address  f holes  m mark  l list  q quit";

static void draw_foot(struct state *state)
{
	move(lines() - 1, 0);
	attron(A_BOLD);
	if (*state->message)
		add_text(state->message);
	else if (state->view == VIEW_PROCESSES)
		add_text("Enter look  s sort  / filter  q quit");
	else
		add_text(keys);
	attroff(A_BOLD);
	fill_line();
}

static int draw_list(struct state *state, int line)
{
	bool processes = state->view == VIEW_PROCESSES;
	size_t nr = processes ? state->nr_processes : state->nr_rows;
	size_t at;

	if (processes)
		draw_processes_head(state, line++);
	else
		draw_tree_head(state, line++);
	for (at = state->top; at < nr && line < lines() - 1; at++)
		if (processes)
			draw_process(state, line++, at);
		else
			draw_tree_line(state, line++, at);

	return line;
}

void draw(struct state *state)
{
	int line = 1;

	scroll_to_cursor(state);
	draw_head(state);
	if (state->view != VIEW_PROCESSES) {
		draw_bar(state);
		line = draw_sums(state);
	}
	if (state->view == VIEW_HELP)
		line = draw_help(line);
	else if (state->view == VIEW_HOLES)
		line = draw_holes(state, line);
	else
		line = draw_list(state, line);
	for (; line < lines() - 1; line++) {
		move(line, 0);
		fill_line();
	}
	draw_foot(state);
	refresh();
}
