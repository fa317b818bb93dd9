/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of others: of files, functions and threads, which can have anything in them
 */
#ifndef _WINREGION_TOOLS_TEXT_H
#define _WINREGION_TOOLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Bytes of the character of UTF-8 that begins here; 0: none does */
size_t text_character(const char *text);

/* Whether a terminal would obey that character, not print it */
bool text_is_control(const char *text);

/* "?" for what is no character, or would be obeyed: as it is written, or in place */
void text_print(FILE *file, const char *text);
void text_clean(char *text);

#endif /* _WINREGION_TOOLS_TEXT_H */
