// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * In place of the screen, where the program was built without ncurses
 */
#include <errno.h>
#include <stdio.h>

#include "screen.h"

int map_show_screen(struct map_screen *screen)
{
	(void)screen;
	fputs("winregion-map: built without ncurses, so there is no screen; "
	      "--format=text says the same\n",
	      stderr);

	return -ENOTTY;
}
