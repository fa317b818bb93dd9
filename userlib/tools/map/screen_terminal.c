// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the terminal can do; by itself, as what names that has would be in the way of others
 */
#include <curses.h>
#include <term.h>

#include "screen_terminal.h"

/* Of those that are in use, "dumb" has none. */
bool terminal_has_places(void)
{
	const char *cup = tigetstr("cup");

	return cup && cup != (char *)-1;
}
