/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the terminal can do
 */
#ifndef _WINREGION_MAP_SCREEN_TERMINAL_H
#define _WINREGION_MAP_SCREEN_TERMINAL_H

#include <stdbool.h>

/* Whether characters can be written at any place of it; after newterm() */
bool terminal_has_places(void);

#endif /* _WINREGION_MAP_SCREEN_TERMINAL_H */
