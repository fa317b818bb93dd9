/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the screen share
 */
#ifndef _WINREGION_MAP_SCREEN_STATE_H
#define _WINREGION_MAP_SCREEN_STATE_H

#include "output.h"
#include "screen.h"

enum view {
	VIEW_PROCESSES,
	VIEW_BLOCKS,
	VIEW_HOLES,
	VIEW_WHO,
	VIEW_HELP
};

/* To sort processes by */
enum process_key {
	BY_PID,
	BY_SIZE,
	BY_RESIDENT,
	BY_REGIONS,
	PROCESS_KEYS
};

/* A line of the tree: a block, or one of its runs */
#define NO_RUN UINT32_MAX
struct row {
	uint32_t block;
	uint32_t run;
};

/**
 * struct who_row - a line of who allocates
 * @group: in what is told
 * @frame: of its stack, to the end of a line; NULL: the line is of all of it
 */
struct who_row {
	unsigned int group;
	const char *frame;
};

/**
 * struct who - who allocates
 * @told: all of it
 * @first: only of what has something from this address
 * @end: to this one; 0: of all
 * @rows: lines
 * @nr_rows: so many
 * @room_rows: how many @rows has room for
 * @open: stacks of which the frames are shown
 * @nr_open: so many
 * @room_open: how many @open has room for
 * @cursor: line of the other list, as long as one is not shown
 * @top: and the first line of it on the screen
 */
struct who {
	struct allocated told;
	uint64_t first;
	uint64_t end;
	struct who_row *rows;
	size_t nr_rows;
	size_t room_rows;
	const char **open;
	size_t nr_open;
	size_t room_open;
	size_t cursor;
	size_t top;
};

/**
 * struct state - all of the screen
 * @what: what the user asked for
 * @view: what is shown
 * @source: of @now
 * @process: a descriptor that tells its end, or -1
 * @now: the last look
 * @before: the one before that
 * @base: to compare with instead, if @has_base
 * @has_base: the user has set it
 * @marks: enum map_change of each block of @now
 * @room_marks: how many @marks has room for
 * @changes: how many there are of each
 * @type_changed: the sums of a type are not the same
 * @choice: which blocks are shown
 * @list: they, sorted
 * @rows: lines of the tree
 * @nr_rows: so many
 * @room_rows: how many @rows has room for
 * @open: addresses of blocks whose runs are shown, sorted
 * @nr_open: so many
 * @room_open: how many @open has room for
 * @all_open: the runs of all blocks are shown
 * @processes: to pick one
 * @nr_processes: so many
 * @room_processes: how many @processes has room for
 * @process_key: how they are sorted
 * @process_text: part of the names of those that are shown
 * @who: who allocates
 * @cursor: line of the view
 * @cursor_at: the address there
 * @cursor_in_run: which is that of a run, not of a block
 * @top: its first line on the screen
 * @strip: types of the cells of the bar
 * @strip_blocks: and blocks
 * @nr_strip: so many, 0 after a look
 * @room_strip: how many @strip has room for
 * @room_strip_blocks: the same of @strip_blocks
 * @paused: no new looks
 * @ended: the process has
 * @wait: seconds to the next look
 * @message: for the last line
 */
struct state {
	struct map_screen *what;
	enum view view;
	struct map_source source;
	int process;
	struct map now;
	struct map before;
	struct map base;
	bool has_base;
	uint8_t *marks;
	size_t room_marks;
	size_t changes[MAP_GONE + 1];
	bool type_changed[MAP_TYPES];
	struct map_choice choice;
	struct map_list list;
	struct row *rows;
	size_t nr_rows;
	size_t room_rows;
	uint64_t *open;
	size_t nr_open;
	size_t room_open;
	bool all_open;
	struct map_process *processes;
	size_t nr_processes;
	size_t room_processes;
	enum process_key process_key;
	char process_text[64];
	struct who who;
	size_t cursor;
	uint64_t cursor_at;
	bool cursor_in_run;
	size_t top;
	uint8_t *strip;
	uint32_t *strip_blocks;
	size_t nr_strip;
	size_t room_strip;
	size_t room_strip_blocks;
	bool paused;
	bool ended;
	double wait;
	char message[160];
};

/* ---- screen_rows.c ---- */

/* After a look, or when something else is to be shown */
void rows_mark(struct state *state);
void rows_build(struct state *state);
void rows_toggle(struct state *state, uint64_t address);
bool rows_is_open(const struct state *state, uint64_t address);

/* To the row that begins at an address, a run's or a block's, if it is there */
void rows_return_to(struct state *state, uint64_t address, bool run);

/* To the row that has, or is next to, an address; false: none has it */
bool rows_go_to(struct state *state, uint64_t address);

/* To the next one, after the cursor's, that has changed; false: there is none */
bool rows_next_change(struct state *state);

static inline uint64_t row_address(const struct state *state, size_t row)
{
	const struct row *at = &state->rows[row];

	return at->run == NO_RUN ? state->now.blocks[at->block].address :
				   state->now.runs[at->run].address;
}

/* ---- screen_processes.c ---- */

void processes_read(struct state *state);
const char *process_key_name(enum process_key key);

/* ---- screen_who.c ---- */

/* Of all, or of what has something in the block */
void who_choose(struct state *state, const struct map_block *block);
/* Lines, of what is known by now; the cursor stays with its stack. */
void who_build(struct state *state);
/* Open or close the stack of the cursor; all of them */
void who_toggle(struct state *state);
void who_toggle_all(struct state *state);
void who_forget(struct state *state);

/* ---- screen_draw.c ---- */

void draw_begin(void);
void draw(struct state *state);

/* Lines of the view's list that the screen has room for */
size_t draw_room(const struct state *state);

#endif /* _WINREGION_MAP_SCREEN_STATE_H */
