/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The screen, where there is a terminal
 */
#ifndef _WINREGION_MAP_SCREEN_H
#define _WINREGION_MAP_SCREEN_H

#include "select.h"

/* Seconds from one look to the next; the texts of main.c have these numbers, too. */
#define MAP_LEAST_INTERVAL 0.01
#define MAP_MOST_INTERVAL 86400

/**
 * struct map_screen - what to show
 * @pid: a process; or 0: have one picked
 * @loaded: instead, a map from a file, which does not change
 * @interval: seconds from one look to the next
 * @stacks: stacks_attach() has begun to tell who allocates
 * @choice: which blocks, at first
 */
struct map_screen {
	pid_t pid;
	struct map *loaded;
	double interval;
	bool stacks;
	struct map_choice choice;
};

/* Until the user has enough of it. Return: 0, -ENOTTY: there is none, or as map_read() */
int map_show_screen(struct map_screen *screen);

#endif /* _WINREGION_MAP_SCREEN_H */
