/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program in a terminal, which libvterm emulates: to press keys, to see what is on
 * the screen, and to draw that as a picture
 */
#ifndef _SELFTESTS_TERMINAL_H
#define _SELFTESTS_TERMINAL_H

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vterm.h>

#include "wr_test_util.h"

/**
 * struct terminal - one, with a program in it
 * @pid: the program
 * @fd: our end of it
 * @rows: how high it is
 * @columns: how wide
 * @vt: the emulator
 * @screen: of it
 */
struct terminal {
	pid_t pid;
	int fd;
	int rows;
	int columns;
	VTerm *vt;
	VTermScreen *screen;
};

/* @directory: in which terminfo/ is, that says what a terminal of this name can do */
static inline bool terminal_start(struct terminal *terminal, char **argv,
				  const char *directory, const char *name,
				  int rows, int columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	char path[4128];

	*terminal = (struct terminal){ .rows = rows, .columns = columns };
	terminal->vt = vterm_new(rows, columns);
	if (!terminal->vt)
		return false;
	vterm_set_utf8(terminal->vt, 1);
	terminal->screen = vterm_obtain_screen(terminal->vt);
	vterm_screen_enable_altscreen(terminal->screen, 1);
	vterm_screen_reset(terminal->screen, 1);
	terminal->pid = forkpty(&terminal->fd, NULL, NULL, &size);
	if (terminal->pid)
		return terminal->pid > 0;
	snprintf(path, sizeof(path), "%s/terminfo", directory);
	setenv("TERMINFO", path, 1);
	setenv("TERM", name, 1);
	execv(*argv, argv);
	_exit(127);
}

/* What it writes within that time goes to the screen. false: there is no more */
static inline bool terminal_update(struct terminal *terminal, int ms)
{
	struct pollfd event = { .fd = terminal->fd, .events = POLLIN };
	char text[4096];
	ssize_t n;

	if (poll(&event, 1, ms) <= 0)
		return true;
	n = read(terminal->fd, text, sizeof(text));
	if (n <= 0)
		return false;
	vterm_input_write(terminal->vt, text, n);
	return true;
}

static inline bool terminal_resize(struct terminal *terminal, int rows,
				   int columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	terminal->rows = rows;
	terminal->columns = columns;
	vterm_set_size(terminal->vt, rows, columns);
	return !ioctl(terminal->fd, TIOCSWINSZ, &size);
}

static inline void terminal_press(struct terminal *terminal, const char *keys)
{
	if (write(terminal->fd, keys, strlen(keys)) < 0)
		perror("# to a terminal");
}

/* A row as a text, of characters that ASCII has */
static inline const char *terminal_row(const struct terminal *terminal, int row,
				       char *text)
{
	VTermScreenCell cell;
	VTermPos at = { .row = row };

	for (at.col = 0; at.col < terminal->columns; at.col++) {
		vterm_screen_get_cell(terminal->screen, at, &cell);
		text[at.col] = cell.chars[0] >= ' ' && cell.chars[0] < 127 ?
				       (char)cell.chars[0] : ' ';
	}
	text[at.col] = '\0';
	return text;
}

/* The first row that has @what, -1: none has */
static inline int terminal_find(const struct terminal *terminal,
				const char *what)
{
	char text[512];
	int row;

	for (row = 0; row < terminal->rows; row++)
		if (strstr(terminal_row(terminal, row, text), what))
			return row;
	return -1;
}

static inline void terminal_show(const struct terminal *terminal)
{
	char text[512];
	int row;

	for (row = 0; row < terminal->rows; row++)
		fprintf(stderr, "# |%s|\n", terminal_row(terminal, row, text));
}

/* The row that has @what, within that time; or what there is instead is told */
static inline int terminal_wait(struct terminal *terminal, const char *what,
				int seconds)
{
	uint64_t end = now_ms() + seconds * 1000ULL;
	int row;

	while ((row = terminal_find(terminal, what)) < 0 && now_ms() < end)
		if (!terminal_update(terminal, 50))
			break;
	if (row < 0) {
		fprintf(stderr, "# no \"%s\" in\n", what);
		terminal_show(terminal);
	}
	return row;
}

/* Until no row has @what */
static inline bool terminal_wait_gone(struct terminal *terminal,
				      const char *what, int seconds)
{
	uint64_t end = now_ms() + seconds * 1000ULL;

	while (terminal_find(terminal, what) >= 0)
		if (now_ms() >= end || !terminal_update(terminal, 50))
			return false;
	return true;
}

/* Its exit status, or -signal */
static inline int terminal_end(struct terminal *terminal)
{
	int status = 0;

	while (terminal_update(terminal, 60000))
		;
	close(terminal->fd);
	vterm_free(terminal->vt);
	if (waitpid(terminal->pid, &status, 0) != terminal->pid)
		return -1000;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static inline void terminal_cell(const struct terminal *terminal, int row,
				 int column, VTermScreenCell *cell)
{
	VTermPos at = { .row = row, .col = column };

	vterm_screen_get_cell(terminal->screen, at, cell);
}

/* ---- a picture of it ---- */

#define CELL_WIDTH 8
#define CELL_HEIGHT 17

static inline unsigned int terminal_colour(const struct terminal *terminal,
					   VTermColor colour,
					   unsigned int usual)
{
	if (VTERM_COLOR_IS_DEFAULT_FG(&colour) ||
	    VTERM_COLOR_IS_DEFAULT_BG(&colour))
		return usual;
	vterm_screen_convert_color_to_rgb(terminal->screen, &colour);
	return colour.rgb.red << 16 | colour.rgb.green << 8 | colour.rgb.blue;
}

struct terminal_look {
	unsigned int ink;
	unsigned int paper;
};

static inline struct terminal_look
terminal_look(const struct terminal *terminal, int row, int column)
{
	struct terminal_look look;
	VTermScreenCell cell;
	unsigned int swap;

	terminal_cell(terminal, row, column, &cell);
	look.ink = terminal_colour(terminal, cell.fg, 0xd0d0d0);
	look.paper = terminal_colour(terminal, cell.bg, 0x101010);
	if (cell.attrs.reverse) {
		swap = look.ink;
		look.ink = look.paper;
		look.paper = swap;
	}
	return look;
}

/* Of a row, cells @from to @to, which look alike */
static inline void terminal_draw_cells(const struct terminal *terminal, int row,
				       int from, int to, const char *text)
{
	struct terminal_look look = terminal_look(terminal, row, from);

	printf("# screen: <rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#%06x\"/>\n",
	       from * CELL_WIDTH, row * CELL_HEIGHT, (to - from) * CELL_WIDTH,
	       CELL_HEIGHT, look.paper);
	printf("# screen: <text x=\"%d\" y=\"%d\" fill=\"#%06x\"\n"
	       "# screen: textLength=\"%d\" xml:space=\"preserve\">",
	       from * CELL_WIDTH, row * CELL_HEIGHT + 13, look.ink,
	       (to - from) * CELL_WIDTH);
	for (; from < to; from++)
		if (strchr("<>&", text[from]))
			printf("&#%d;", text[from]);
		else
			putchar(text[from]);
	puts("</text>");
}

static inline void terminal_draw_row(const struct terminal *terminal, int row)
{
	struct terminal_look look, next;
	int from = 0, column;
	char text[512];

	terminal_row(terminal, row, text);
	look = terminal_look(terminal, row, 0);
	for (column = 1; column <= terminal->columns; column++) {
		if (column < terminal->columns) {
			next = terminal_look(terminal, row, column);
			if (next.ink == look.ink && next.paper == look.paper)
				continue;
			look = next;
		}
		terminal_draw_cells(terminal, row, from, column, text);
		from = column;
	}
}

/* As SVG, each line of it behind "# screen: " */
static inline void terminal_draw(const struct terminal *terminal)
{
	int width = terminal->columns * CELL_WIDTH;
	int height = terminal->rows * CELL_HEIGHT;
	int row;

	printf("# screen: <svg xmlns=\"http:&#47;/www.w3.org/2000/svg\" width=\"%d\"\n"
	       "# screen: height=\"%d\" font-family=\"monospace\" font-size=\"13\">\n",
	       width, height);
	printf("# screen: <rect width=\"%d\" height=\"%d\" fill=\"#101010\"/>\n",
	       width, height);
	for (row = 0; row < terminal->rows; row++)
		terminal_draw_row(terminal, row);
	puts("# screen: </svg>");
	fflush(stdout);
}

#endif /* _SELFTESTS_TERMINAL_H */
