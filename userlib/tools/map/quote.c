// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Strings that others read: names of files can have anything in them
 */
#include <string.h>

#include "output.h"

/* A byte that is part of no character of UTF-8 is told as the character it would be. */
static size_t length_of_character(const unsigned char *text)
{
	size_t length = 1, i;

	if (*text >= 0xf0 && *text <= 0xf4)
		length = 4;
	else if (*text >= 0xe0)
		length = 3;
	else if (*text >= 0xc2)
		length = 2;
	if (*text < 0x80)
		return 1;
	for (i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;

	return length > 1 && *text <= 0xf4 ? length : 0;
}

/* Of one byte, or as UTF-8 has those from 0x80 to 0x9f, the second of two bytes */
static bool is_control(const char *text, size_t at)
{
	unsigned char byte = text[at];

	return byte < ' ' || byte == 0x7f ||
	       (byte >= 0x80 && byte < 0xa0 && at &&
		(unsigned char)text[at - 1] == 0xc2);
}

void map_quote_text(FILE *file, const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++)
		putc(is_control(text, i) ? '?' : text[i], file);
}

void map_quote_json(FILE *file, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length;

	putc('"', file);
	for (; *at; at += length ? length : 1) {
		length = length_of_character(at);
		if (*at == '"' || *at == '\\')
			fprintf(file, "\\%c", *at);
		else if (*at < 0x20 || *at == 0x7f || *at == '<' || !length)
			fprintf(file, "\\u%04x", *at);
		else
			fwrite(at, length, 1, file);
	}
	putc('"', file);
}

void map_quote_csv(FILE *file, const char *text)
{
	if (!strpbrk(text, "\",\n\r")) {
		fputs(text, file);
		return;
	}
	putc('"', file);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', file);
		putc(*text, file);
	}
	putc('"', file);
}

void map_quote_html(FILE *file, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length;

	for (; *at; at += length ? length : 1) {
		length = length_of_character(at);
		if (strchr("<>&\"'", *at))
			fprintf(file, "&#%d;", *at);
		else if ((*at < 0x20 && *at != '\n') || *at == 0x7f || !length)
			fputs("&#xfffd;", file);
		else
			fwrite(at, length, 1, file);
	}
}

const char *map_change_name(enum map_change change)
{
	static const char *const names[] = { "same", "new", "changed", "gone" };

	return names[change];
}
