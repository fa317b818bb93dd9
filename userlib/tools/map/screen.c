// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The screen: looks at the process again and again, and does what keys say
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <curses.h>

#include "../common/create.h"
#include "../common/ends.h"
#include "screen_state.h"
#include "screen_terminal.h"

/* Of a processor's time no more than 1 part in so many */
#define SHARE 20

#define ESCAPE 27
#define CTRL_L 12

/* Seconds between two looks at what it allocates: a thousand events have room. */
#define TICK 0.02

/* And a wait that is no longer than what curses can have */
#define LONGEST 3600

/* What ends it, beside keys: a terminal is left as it was. */
static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

static double seconds(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);

	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool is_enter(int key)
{
	return key == '\r' || key == '\n' || key == KEY_ENTER;
}

/* ---- looks ---- */

/* Who allocates has a cursor of its own. */
static void swap_cursors(struct state *state)
{
	size_t cursor = state->cursor, top = state->top;

	state->cursor = state->who.cursor;
	state->top = state->who.top;
	state->who.cursor = cursor;
	state->who.top = top;
}

static void build_blocks(struct state *state)
{
	bool there = state->cursor < state->nr_rows;

	rows_build(state);
	if (there)
		rows_return_to(state, state->cursor_at, state->cursor_in_run);
}

static void build(struct state *state)
{
	if (state->view != VIEW_WHO) {
		build_blocks(state);
		return;
	}
	swap_cursors(state);
	build_blocks(state);
	swap_cursors(state);
	who_build(state);
}

/* The number goes on to another process. */
static bool has_ended(const struct state *state)
{
	struct pollfd process = { .fd = state->process, .events = POLLIN };

	return poll(&process, 1, 0) > 0;
}

static void watch_process(struct state *state, pid_t pid)
{
	if (state->process >= 0)
		close(state->process);
	map_source_done(&state->source);
	map_source_init(&state->source, pid);
	/* Of a thread, and where there is none, its looks say when there is nothing more. */
	state->process = pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

/* An error once it has been looked at is its end: what was seen stays. */
static int look(struct state *state)
{
	struct map old = state->before;
	int err;

	if (state->what->loaded)
		return 0;
	err = map_read(&state->source, &old);
	if (err || !old.nr_runs || has_ended(state)) {
		state->before = old;
		map_clear(&state->before);
		state->ended = true;
		return state->now.nr_runs ? 0 : err ? err : -ESRCH;
	}
	state->before = state->now;
	state->now = old;
	state->nr_strip = 0;

	return 0;
}

static int update(struct state *state)
{
	double began = seconds(CLOCK_PROCESS_CPUTIME_ID), cost;
	int err = 0;

	if (state->view == VIEW_PROCESSES) {
		processes_read(state);
	} else if (!state->ended) {
		err = look(state);
		if (!err && !state->ended) {
			rows_mark(state);
			build(state);
		}
	}
	if (err)
		return err;
	draw(state);
	cost = seconds(CLOCK_PROCESS_CPUTIME_ID) - began;
	state->wait = state->what->interval;
	if (state->wait < cost * SHARE)
		state->wait = cost * SHARE;

	return 0;
}

/* ---- keys ---- */

#define FOR_EVER 1e9

/* Events of who allocates have room for some time only. Return: ERR, if none came */
static int wait_key(const struct state *state, double wait)
{
	double end = seconds(CLOCK_MONOTONIC) + wait, left;
	int key;

	do {
		left = end - seconds(CLOCK_MONOTONIC);
		if (left > TICK && state->what->stacks)
			left = TICK;
		else if (left > LONGEST)
			left = LONGEST;
		timeout(left > 0 ? (int)(left * 1000) + 1 : 0);
		key = getch();
		if (state->what->stacks)
			stacks_read();
	} while (key == ERR && !ends_count() && seconds(CLOCK_MONOTONIC) < end);

	return key;
}

/* Bytes of what is not ASCII come one by one. */
static bool is_text(int key)
{
	return key >= 128 ? key < 256 : isprint(key);
}

/* Return: where the last character begins */
static size_t without_last(const char *text, size_t length)
{
	while (length && (text[--length] & 0xc0) == 0x80)
		;

	return length;
}

/* One line. false: the user has thought better of it */
static bool ask(struct state *state, const char *question, char *answer,
		size_t room)
{
	size_t length = strlen(answer);
	int key;

	for (;;) {
		snprintf(state->message, sizeof(state->message), "%s: %s_",
			 question, answer);
		draw(state);
		key = wait_key(state, FOR_EVER);
		if (is_enter(key) || key == ESCAPE || ends_count())
			break;
		if (key == KEY_BACKSPACE || key == 127 || key == '\b')
			length = without_last(answer, length);
		else if (is_text(key) && length + 1 < room)
			answer[length++] = (char)key;
		answer[length] = '\0';
	}
	*state->message = '\0';

	return key != ESCAPE && !ends_count();
}

/* ---- what keys do ---- */

static void say(struct state *state, const char *text)
{
	snprintf(state->message, sizeof(state->message), "%s", text);
}

static size_t list_length(const struct state *state)
{
	if (state->view == VIEW_PROCESSES)
		return state->nr_processes;

	return state->view == VIEW_WHO ? state->who.nr_rows : state->nr_rows;
}

static void move_cursor(struct state *state, ssize_t by)
{
	size_t nr = list_length(state);

	if (by < 0 && state->cursor < (size_t)-by)
		state->cursor = 0;
	else
		state->cursor += by;
	if (state->cursor >= nr)
		state->cursor = nr ? nr - 1 : 0;
}

static bool move_key(struct state *state, int key)
{
	ssize_t page = (ssize_t)draw_room(state);

	if (key == KEY_UP || key == 'k')
		move_cursor(state, -1);
	else if (key == KEY_DOWN || key == 'j')
		move_cursor(state, 1);
	else if (key == KEY_PPAGE)
		move_cursor(state, -page);
	else if (key == KEY_NPAGE)
		move_cursor(state, page);
	else if (key == KEY_HOME || key == 'g')
		move_cursor(state, -(SSIZE_MAX / 2));
	else if (key == KEY_END || key == 'G')
		move_cursor(state, SSIZE_MAX / 2);
	else
		return false;

	return true;
}

/* Right opens, left closes, Enter does either. */
static void open_block(struct state *state, int key)
{
	const struct map_block *block;
	bool open;

	if (state->cursor >= state->nr_rows)
		return;
	block = &state->now.blocks[state->rows[state->cursor].block];
	open = rows_is_open(state, block->address);
	if ((key == KEY_RIGHT && open) || (key == KEY_LEFT && !open) ||
	    !block->nr_runs)
		return;
	rows_toggle(state, block->address);
	rows_build(state);
	rows_return_to(state, block->address, false);
}

/* What is free is shown with each of them if it was before. */
static void next_type(struct map_choice *choice)
{
	const unsigned int usual = MAP_ALL_TYPES & ~MAP_HOLES;
	unsigned int with = choice->types & MAP_HOLES, shown;
	enum map_type type = MAP_IMAGE;

	/* Only holes are types as others. */
	if (with == choice->types)
		with = 0;
	shown = choice->types & ~with;
	while (type < MAP_TYPES && shown != 1U << type)
		type++;
	/* Page tables are nowhere in the address space. */
	type = type == MAP_TYPES ? MAP_IMAGE : type + 1;
	if (type == MAP_TABLE)
		type++;
	if (type >= MAP_UNUSABLE && with)
		type = MAP_TYPES;
	choice->types = (type == MAP_TYPES ? usual : 1U << type) | with;
}

/* What is free, beside what is shown anyway */
static void toggle_free(struct state *state)
{
	struct map_choice *choice = &state->choice;

	if (!(choice->types & ~MAP_HOLES))
		say(state, "F adds to another type what is free: t");
	else if (choice->types & MAP_HOLES)
		choice->types &= ~MAP_HOLES;
	else
		choice->types |= MAP_HOLES;
}

static void go_to_address(struct state *state)
{
	char text[24] = "";
	uint64_t address;

	if (!ask(state, "address", text, sizeof(text)))
		return;
	if (!map_parse_address(text, &address))
		say(state, "no address");
	else if (!rows_go_to(state, address))
		say(state,
		    "no block that is shown has it; F shows what is free, too");
}

static void set_filter(struct state *state)
{
	char *text = state->view == VIEW_PROCESSES ? state->process_text :
						     state->choice.text;
	size_t room = state->view == VIEW_PROCESSES ?
			      sizeof(state->process_text) :
			      sizeof(state->choice.text);

	if (!ask(state, "only names with", text, room))
		*text = '\0';
}

static void write_snapshot(struct state *state)
{
	struct map_output out = { .choice = state->choice };
	char name[64];
	bool good;

	snprintf(name, sizeof(name), "winregion-map.%d.%.0f", state->now.pid,
		 state->now.time);
	out.file = create_file(name, O_EXCL);
	if (out.file)
		map_write_snapshot(&out, &state->now);
	good = out.file && !ferror(out.file);
	if (out.file)
		good &= !fclose(out.file);
	snprintf(state->message, sizeof(state->message), "%s: %s", name,
		 good ? "written" : strerror(errno));
}

/* From now on marks are about this moment; or about the last look again. */
static void toggle_base(struct state *state)
{
	state->has_base = !state->has_base;
	if (state->has_base) {
		map_copy(&state->base, &state->now);
		say(state, "marked");
	} else {
		say(state, "compared with the last look");
	}
	rows_mark(state);
}

static void set_view(struct state *state, enum view view)
{
	enum view before = state->view;

	if (state->view == VIEW_PROCESSES || view == VIEW_PROCESSES) {
		state->cursor = 0;
		state->top = 0;
	}
	state->view = state->view == view ? VIEW_BLOCKS : view;
	if (before != state->view &&
	    (before == VIEW_WHO || state->view == VIEW_WHO))
		swap_cursors(state);
}

/* Of all, or of the cursor's block */
static void who_key(struct state *state, int key)
{
	const struct map_block *block = NULL;

	if (!state->what->stacks) {
		say(state, "who allocates is told with --stacks");
		return;
	}
	if (key == 'C' && state->view != VIEW_WHO &&
	    state->cursor < state->nr_rows)
		block = &state->now.blocks[state->rows[state->cursor].block];
	if (state->view != VIEW_WHO) {
		who_choose(state, block);
		state->who.cursor = 0;
		state->who.top = 0;
	}
	set_view(state, VIEW_WHO);
	if (state->view == VIEW_WHO)
		who_build(state);
}

/* Keys that choose which blocks there are, and how */
static bool choice_key(struct state *state, int key)
{
	struct map_choice *choice = &state->choice;

	if (key == 's')
		choice->key = (choice->key + 1) % MAP_KEYS;
	else if (key == 'S')
		choice->reverse = !choice->reverse;
	else if (key == 't')
		next_type(choice);
	else if (key == 'F')
		toggle_free(state);
	else if (key == '/')
		set_filter(state);
	else if (key == 'e')
		state->all_open = !state->all_open;
	else
		return false;
	if (key == 'e')
		state->nr_open = 0;

	return true;
}

static void change_interval(struct state *state, int key)
{
	double *interval = &state->what->interval;

	if (key == '+' && *interval <= MAP_MOST_INTERVAL / 2)
		*interval *= 2;
	else if (key == '-' && *interval >= MAP_LEAST_INTERVAL * 2)
		*interval /= 2;
}

static void list_key(struct state *state)
{
	if (state->what->loaded || state->what->stacks) {
		say(state, state->what->loaded ?
				   "a snapshot has one process" :
				   "call stacks are those of one process");
		return;
	}
	set_view(state, VIEW_PROCESSES);
	state->what->pid = 0;
	processes_read(state);
}

static bool is_open_key(int key)
{
	return is_enter(key) || key == KEY_RIGHT || key == KEY_LEFT ||
	       key == ' ';
}

static void block_key(struct state *state, int key)
{
	/* Where the blocks are not shown they come back with what is about them. */
	if ((state->view == VIEW_HOLES || state->view == VIEW_HELP) &&
	    key < 128 && strchr("stSF/aen", key))
		set_view(state, VIEW_BLOCKS);
	if (state->view == VIEW_WHO && is_open_key(key))
		who_toggle(state);
	else if (state->view == VIEW_WHO && key == 'e')
		who_toggle_all(state);
	else if (key == 'c' || key == 'C')
		who_key(state, key);
	else if (is_open_key(key))
		open_block(state, key);
	else if (state->view == VIEW_WHO && key < 128 && strchr("stSF/an", key))
		say(state, "c: back to the blocks");
	else if (choice_key(state, key))
		build(state);
	else if (key == 'a')
		go_to_address(state);
	else if (key == 'n' && !rows_next_change(state))
		say(state, "nothing has changed");
	else if (key == 'm')
		toggle_base(state);
	else if (key == 'f')
		set_view(state, VIEW_HOLES);
	else if (key == '?' || key == 'h')
		set_view(state, VIEW_HELP);
	else if (key == 'p')
		state->paused = !state->paused;
	else if (key == '+' || key == '-')
		change_interval(state, key);
	else if (key == 'w')
		write_snapshot(state);
	else if (key == 'l' || key == '\t')
		list_key(state);
}

/* To look at a process: nothing of the one before is left. */
static int begin(struct state *state, pid_t pid)
{
	watch_process(state, pid);
	state->what->pid = pid;
	map_clear(&state->now);
	map_clear(&state->before);
	state->has_base = false;
	state->ended = false;
	state->view = VIEW_BLOCKS;
	state->cursor = 0;
	state->top = 0;
	state->nr_rows = 0;
	state->nr_strip = 0;

	return update(state);
}

static void pick(struct state *state)
{
	int err;

	if (state->cursor >= state->nr_processes)
		return;
	err = begin(state, state->processes[state->cursor].pid);
	if (!err)
		return;
	state->view = VIEW_PROCESSES;
	if (err == -EACCES || err == -EPERM)
		snprintf(state->message, sizeof(state->message),
			 "%d: %s may look at it", state->what->pid,
			 map_who_may_look());
	else
		snprintf(state->message, sizeof(state->message), "%d: %s",
			 state->what->pid, strerror(-err));
	state->what->pid = 0;
	processes_read(state);
}

static void process_key(struct state *state, int key)
{
	if (is_enter(key) || key == KEY_RIGHT)
		pick(state);
	else if (key == 's')
		state->process_key = (state->process_key + 1) % PROCESS_KEYS;
	else if (key == '/')
		set_filter(state);
	if (key == 's' || key == '/')
		processes_read(state);
}

static void note_cursor(struct state *state)
{
	if (state->view == VIEW_PROCESSES || state->view == VIEW_WHO ||
	    state->cursor >= state->nr_rows)
		return;
	state->cursor_at = row_address(state, state->cursor);
	state->cursor_in_run = state->rows[state->cursor].run != NO_RUN;
}

static void handle_key(struct state *state, int key)
{
	*state->message = '\0';
	if (key == CTRL_L)
		clearok(stdscr, TRUE);
	else if (move_key(state, key))
		;
	else if (state->view == VIEW_PROCESSES)
		process_key(state, key);
	else
		block_key(state, key);
	note_cursor(state);
	draw(state);
}

/* ---- from begin to end ---- */

static int run_until_quit(struct state *state)
{
	double next = 0, now, left;
	int key, err = 0;

	while (!ends_count() && !err) {
		now = seconds(CLOCK_MONOTONIC);
		if (now >= next) {
			if (!state->paused || !next)
				err = update(state);
			note_cursor(state);
			next = seconds(CLOCK_MONOTONIC) + state->wait;
		}
		left = next - seconds(CLOCK_MONOTONIC);
		key = err ? ERR : wait_key(state, left);
		if (key == 'q' || key == 'Q')
			break;
		if (key != ERR)
			handle_key(state, key);
	}

	return err;
}

static void end_screen(void)
{
	if (!isendwin())
		endwin();
}

static bool begin_screen(void)
{
	/* Characters only: snapshots have a point in a number in whatever country. */
	setlocale(LC_CTYPE, "");
	if (!newterm(NULL, stdout, stdin) || !terminal_has_places())
		return false;
	/* Also where there is no memory for something */
	atexit(end_screen);
	ends_catch(ends, ARRAY_SIZE(ends));
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	draw_begin();

	return true;
}

static void free_state(struct state *state)
{
	watch_process(state, 0);
	if (!state->what->loaded)
		map_free(&state->now);
	map_free(&state->before);
	map_free(&state->base);
	map_list_free(&state->list);
	free(state->marks);
	free(state->rows);
	free(state->open);
	free(state->strip);
	free(state->strip_blocks);
	free(state->processes);
	who_forget(state);
}

int map_show_screen(struct map_screen *screen)
{
	struct state state = {
		.what = screen,
		.source = { .fd = -1 },
		.process = -1,
		.view = screen->pid || screen->loaded ? VIEW_BLOCKS :
							VIEW_PROCESSES,
		.process_key = BY_RESIDENT,
		.wait = screen->interval,
		.choice = screen->choice,
	};
	int err;

	if (!begin_screen()) {
		fputs("winregion-map: no terminal that is known (TERM); "
		      "--format=text needs none\n",
		      stderr);
		return -ENOTTY;
	}
	watch_process(&state, screen->pid);
	map_clear(&state.before);
	if (screen->loaded)
		state.now = *screen->loaded;
	else
		map_clear(&state.now);
	err = run_until_quit(&state);
	end_screen();
	free_state(&state);

	return err;
}
