// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is on the screen: above who it is, the address space as a bar and the sums by
 * type, below a list, and on the last line keys, or a message
 */
#define _XOPEN_SOURCE_EXTENDED
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <curses.h>

#include "../common/text.h"
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
#define NARROW 110
/* Fewer lines have none for types that are not there. */
#define LOW 34
/* Lines that the list has before the sums have some, and with more of them the bar */
#define LIST_FIRST 3
#define BAR_FROM 8

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

/* Columns that are left in the line */
static int room_left(void)
{
	return columns() - getcurx(stdscr);
}

static int lines(void)
{
	return getmaxy(stdscr);
}

/* Many programs heed NO_COLOR: who has it set wants none. */
static bool has_colours(void)
{
	const char *none = getenv("NO_COLOR");

	return has_colors() && !(none && *none);
}

void draw_begin(void)
{
	const short *colours;
	short i;

	if (!has_colours())
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
	return has_colours() ? COLOR_PAIR(INK + type) : A_NORMAL;
}

/* What a name has in it that a terminal would obey is not for it. */
static void add_text(const char *text)
{
	char line[512];
	int room = room_left();

	if (room <= 0)
		return;
	snprintf(line, sizeof(line), "%s", text);
	text_clean(line);
	addnstr(line, room < (int)sizeof(line) ? room : (int)sizeof(line) - 1);
}

static void fill_line(void)
{
	clrtoeol();
}

/* ---- above ---- */

/* Which process it is, and how much of it has changed */
static void say_process(const struct state *state, char *line, size_t size)
{
	snprintf(line, size, " %d: %s  %s%s%s+%zu new *%zu changed -%zu gone%s",
		 state->now.pid, state->now.command,
		 state->now.module ? "" : "no regions are told  ",
		 state->paused ? "paused  " : "", state->ended ? "ended  " : "",
		 state->changes[MAP_NEW], state->changes[MAP_CHANGED],
		 state->changes[MAP_GONE],
		 state->has_base ? " since the mark" : "");
}

/* The same in fewer words */
static void say_process_briefly(const struct state *state, char *line,
				size_t size)
{
	snprintf(line, size, " %d: %s  %s%s%s+%zu *%zu -%zu%s", state->now.pid,
		 state->now.command, state->now.module ? "" : "no regions  ",
		 state->paused ? "paused  " : "", state->ended ? "ended  " : "",
		 state->changes[MAP_NEW], state->changes[MAP_CHANGED],
		 state->changes[MAP_GONE],
		 state->has_base ? " since the mark" : "");
}

static void draw_head(struct state *state)
{
	char line[256], every[32] = "";
	int from;

	move(0, 0);
	attron(A_REVERSE);
	if (!state->what->loaded)
		snprintf(every, sizeof(every), " every %.*f s",
			 state->wait < 0.1 ? 2 : 1, state->wait);
	from = columns() - (int)strlen(every);
	if (state->view == VIEW_PROCESSES)
		snprintf(line, sizeof(line), " winregion-map: %zu processes",
			 state->nr_processes);
	else
		say_process(state, line, sizeof(line));
	if ((int)strlen(line) > from && state->view != VIEW_PROCESSES)
		say_process_briefly(state, line, sizeof(line));
	add_text(line);
	while (getcury(stdscr) == 0 && getcurx(stdscr) < from)
		addch(' ');
	/* It is short, and the same whatever is before it. */
	if (from > 0)
		mvaddstr(0, from, every);
	attroff(A_REVERSE);
}

/* Where there are no colours */
static const char letters[MAP_TYPES + 1] = "ifshSptu.";

static void draw_cell(int column, enum map_type type)
{
	move(BAR, column);
	if (!has_colours()) {
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

static bool is_narrow(void)
{
	return columns() < NARROW;
}

static unsigned int sizes_shown(void)
{
	return is_narrow() ? MAP_SWAPPED : MAP_SIZES;
}

/* Sizes have six characters; names, as many as they have. */
static const struct {
	const char *name;
	int width;
} narrow[MAP_SIZES] = {
	[MAP_SIZE] = { "size", 6 },
	[MAP_COMMITTED] = { "commit", 6 },
	[MAP_PRIVATE_BYTES] = { "private", 7 },
	[MAP_RESIDENT] = { "resident", 8 },
};

static void add_size(enum map_size size, const char *text)
{
	printw(" %*s", is_narrow() ? narrow[size].width : 9, text);
}

static void add_sizes(const uint64_t *sizes)
{
	char text[MAP_HUMAN_ROOM];
	unsigned int i;

	for (i = 0; i < sizes_shown(); i++)
		add_size(i, map_human(sizes[i], text));
}

static void add_heads(void)
{
	unsigned int i;

	for (i = 0; i < sizes_shown(); i++)
		add_size(i, is_narrow() ? narrow[i].name : map_size_name(i));
}

/* The end of a path says more than its beginning. */
static void add_name(const char *name)
{
	int room = room_left(), length = strlen(name);

	if (room > 2 && length > room) {
		add_text("..");
		name += length - (room - 2);
		/* Not in the middle of a character */
		while ((*name & 0xc0) == 0x80)
			name++;
	}
	add_text(name);
}

static bool type_is_shown(const struct state *state, enum map_type type)
{
	return lines() >= LOW || state->now.sums[type][MAP_SIZE];
}

/* The first line below the sums */
static int below_sums(const struct state *state)
{
	int line = SUMS + 2;
	unsigned int i;

	for (i = 0; i < MAP_TYPES; i++)
		line += type_is_shown(state, i);

	return line;
}

static bool has_sums(const struct state *state)
{
	/* A list has a head, and below it is the last line. */
	return lines() >= below_sums(state) + LIST_FIRST + 2;
}

static bool has_bar(void)
{
	return lines() >= BAR_FROM;
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

static void draw_sums(const struct state *state)
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
}

/* ---- the tree ---- */

static void draw_tree_head(const struct state *state, int line)
{
	/* From many words to few */
	static const char *const names[] = { " protection, name", " name", "" };
	char text[64];
	unsigned int i = 0;

	move(line, 0);
	attron(A_UNDERLINE);
	printw("   %-12s %-9s", "address", "type");
	add_heads();
	do {
		snprintf(text, sizeof(text), "%s (by %s%s)", names[i],
			 map_key_name(state->choice.key),
			 state->choice.reverse ? ", reverse" : "");
	} while ((int)strlen(text) > room_left() && ++i < ARRAY_SIZE(names));
	add_text(text);
	attroff(A_UNDERLINE);
	fill_line();
}

static void begin_mark(enum map_change change)
{
	attr_t colour = A_BOLD;

	if (has_colours())
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

/* Where the type of a block ends */
#define TYPE_END 25

static void draw_block(const struct state *state, uint32_t number)
{
	const struct map_block *block = &state->now.blocks[number];
	char text[MAP_PROTECTION_ROOM];

	if (state->marks[number])
		begin_mark(state->marks[number]);
	else
		addch(' ');
	attron(ink(block->type));
	printw("%c %012" PRIx64 " ", sign_of(state, block), block->address);
	/* Addresses of the kernel are longer. */
	printw("%-*s", TYPE_END - getcurx(stdscr), map_type_name(block->type));
	add_sizes(block->sizes);
	if (block->nr_runs) {
		printw(is_narrow() ? " %s " : " %-8s ",
		       map_protection(block->protection, text));
		add_name(map_name(&state->now, block));
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
		room = room_left() - 1;
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
		add_text(" (denied)");
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

/* ---- who allocates ---- */

static void draw_who_head(const struct state *state, int line)
{
	char text[96] = " who allocates, since followed";

	move(line, 0);
	attron(A_UNDERLINE);
	printw("  %-9s %9s %9s %9s %7s", "kind", "left", "most", "total",
	       "calls");
	if (state->who.told.lost)
		snprintf(text, sizeof(text), " %lu events are missing",
			 state->who.told.lost);
	else if (state->who.end)
		snprintf(text, sizeof(text), " who has some of %012" PRIx64,
			 state->who.first);
	add_text(text);
	attroff(A_UNDERLINE);
	fill_line();
}

/* Frames at the beginning that can be the library's own */
#define OWN_FRAMES 8

static const char *next_frame(const char *frame)
{
	frame += strcspn(frame, "\n");

	return frame + (*frame == '\n');
}

static bool is_own(const char *frame)
{
	return !strncmp(frame, "    ioctl ", 10) ||
	       !strncmp(frame, "    wr_", 7);
}

/* The function that the program has called, where it can be told */
static const char *called(const char *stack)
{
	const char *frame = stack;
	unsigned int i;

	for (i = 0; i < OWN_FRAMES && *frame; i++) {
		if (is_own(frame) && *next_frame(frame))
			stack = next_frame(frame);
		frame = next_frame(frame);
	}

	return stack;
}

/* The names of functions, from that to the outermost */
static void add_functions(const char *stack)
{
	const char *before = " ", *frame;
	char name[128];

	for (frame = called(stack); *frame; frame = next_frame(frame)) {
		snprintf(name, sizeof(name), "%s%.*s", before,
			 (int)strcspn(frame + 4, "\n "), frame + 4);
		add_text(name);
		before = " < ";
	}
}

static void draw_group(const struct allocated_group *group, bool is_open)
{
	char left[MAP_HUMAN_ROOM], most[MAP_HUMAN_ROOM];
	char total[MAP_HUMAN_ROOM];

	printw("%c %-9s %9s %9s %9s %7" PRIu64, is_open ? 'v' : '>',
	       allocated_kind_name(group->kind), map_human(group->left, left),
	       map_human(group->most, most), map_human(group->total, total),
	       group->calls);
	add_functions(group->stack);
}

static void draw_who_line(const struct state *state, int line, size_t at)
{
	const struct who_row *row = &state->who.rows[at];
	const struct who_row *next = at + 1 < state->who.nr_rows ? row + 1 :
								   NULL;
	char text[256];

	move(line, 0);
	if (at == state->cursor)
		attron(A_REVERSE);
	if (row->frame) {
		snprintf(text, sizeof(text), "%.*s",
			 (int)strcspn(row->frame, "\n"), row->frame);
		add_text(text);
	} else {
		draw_group(&state->who.told.groups[row->group],
			   next && next->frame);
	}
	if (getcury(stdscr) == line)
		fill_line();
	if (at == state->cursor)
		mvchgat(line, 0, -1, A_REVERSE, 0, NULL);
	attroff(A_REVERSE);
}

/* ---- help ---- */

static const char *const help[] = {
	"up, down, PgUp, PgDn  move; Home, End: to the first, to the last",
	"Enter, right, left    open and close a block; e: all of them",
	"s, S                  sort by something else; the other way round",
	"t                     one type after the other; F: what is free, too",
	"/                     only what has these letters in its name",
	"a                     go to an address (hexadecimal)",
	"n                     go to the next block that has changed",
	"m                     mark: compare with how it is now; again: no more",
	"f                     how the free address space is cut up",
	"c, C                  who allocates (--stacks); in this block",
	"p                     pause; + and -: look less, and more, often",
	"w                     write a snapshot",
	"l, Tab                list of processes",
	"q                     quit; Ctrl-L: draw the screen anew",
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

/* The first line of what the view is about */
static int view_line(const struct state *state)
{
	if (state->view == VIEW_PROCESSES || state->view == VIEW_HELP ||
	    !has_bar())
		return BAR;

	return has_sums(state) ? below_sums(state) : SUMS;
}

size_t draw_room(const struct state *state)
{
	int room = lines() - 1 - (view_line(state) + 1);

	return room > 1 ? room : 1;
}

/* Those that there is no room for are in the help. */
static const char *const keys[] = {
	"? help",   "q quit", "Enter open", "s sort", "t type",
	"/ filter", "l list", "a address",  "m mark", "f holes",
};

static void add_keys(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if ((int)strlen(keys[i]) + 2 * !!i > room_left())
			return;
		add_text(i ? "  " : "");
		add_text(keys[i]);
	}
}

static void add_bracket(const char *what, const char *value)
{
	char text[160];

	snprintf(text, sizeof(text), "[%s %s] ", what, value);
	add_text(text);
}

/* Which blocks are there, where it is not all of them, and in another order */
static void add_block_choice(const struct map_choice *choice)
{
	unsigned int holes = choice->types & MAP_HOLES, type = 0;
	unsigned int others = choice->types & ~holes;

	while (type < MAP_TYPES && (others ? others : holes) != 1U << type)
		type++;
	if (type < MAP_TYPES)
		add_bracket("type", map_type_name(type));
	if (others && holes)
		add_bracket("with", "free");
	if (*choice->text)
		add_bracket("name", choice->text);
	if (choice->key != MAP_BY_ADDRESS)
		add_bracket("by", map_key_name(choice->key));
	if (choice->reverse)
		add_bracket("order", "reverse");
}

static void add_choice(const struct state *state)
{
	if (state->view == VIEW_BLOCKS)
		add_block_choice(&state->choice);
	else if (state->view == VIEW_PROCESSES && *state->process_text)
		add_bracket("name", state->process_text);
}

static void draw_foot(struct state *state)
{
	move(lines() - 1, 0);
	attron(A_BOLD);
	if (!*state->message)
		add_choice(state);
	if (*state->message)
		add_text(state->message);
	else if (state->view == VIEW_PROCESSES)
		add_text("q quit  Enter look  s sort  / filter");
	else if (state->view == VIEW_WHO)
		add_text("? help  q quit  c back  Enter frames  e all of them");
	else
		add_keys();
	attroff(A_BOLD);
	fill_line();
}

/* A list, of which each line is drawn by a function */
struct drawn {
	void (*head)(const struct state *state, int line);
	void (*line)(const struct state *state, int line, size_t at);
	size_t nr;
};

static struct drawn drawn_list(const struct state *state)
{
	if (state->view == VIEW_PROCESSES)
		return (struct drawn){ draw_processes_head, draw_process,
				       state->nr_processes };
	if (state->view == VIEW_WHO)
		return (struct drawn){ draw_who_head, draw_who_line,
				       state->who.nr_rows };

	return (struct drawn){ draw_tree_head, draw_tree_line, state->nr_rows };
}

/* A list that has become shorter has no room left below it. */
static void scroll_to_cursor(struct state *state)
{
	size_t nr = drawn_list(state).nr, room = draw_room(state);

	if (state->top + room > nr)
		state->top = nr > room ? nr - room : 0;
	if (state->top > state->cursor)
		state->top = state->cursor;
	if (state->cursor >= state->top + room)
		state->top = state->cursor - room + 1;
}

static int draw_list(struct state *state, int line)
{
	struct drawn list = drawn_list(state);
	size_t at;

	list.head(state, line++);
	for (at = state->top; at < list.nr && line < lines() - 1; at++)
		list.line(state, line++, at);

	return line;
}

void draw(struct state *state)
{
	int line = view_line(state);

	scroll_to_cursor(state);
	draw_head(state);
	if (line >= SUMS)
		draw_bar(state);
	if (line > SUMS)
		draw_sums(state);
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
