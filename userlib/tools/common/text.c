// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of others: of files, functions and threads, which can have anything in them
 */
#include <string.h>

#include "text.h"

/*
 * Of the second byte: none that is another way to write a shorter character, no half of one
 * of UTF-16, and none behind the last one that there is
 */
static bool is_second(unsigned char first, unsigned char byte)
{
	unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return byte >= low && byte <= high;
}

size_t text_character(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length = *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4, i;

	if (*at < 0x80)
		return 1;
	if (*at < 0xc2 || *at > 0xf4 || !is_second(at[0], at[1]))
		return 0;
	for (i = 2; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;

	return length;
}

/* Those from U+0080 to U+009F have two bytes. */
bool text_is_control(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	return *at < ' ' || *at == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0);
}

void text_print(FILE *file, const char *text)
{
	size_t length;

	for (; *text; text += length ? length : 1) {
		length = text_character(text);
		if (!length || text_is_control(text))
			putc('?', file);
		else
			fwrite(text, length, 1, file);
	}
}

void text_clean(char *text)
{
	char *to = text;
	size_t length;

	for (; *text; text += length ? length : 1) {
		length = text_character(text);
		if (!length || text_is_control(text)) {
			*to++ = '?';
		} else {
			memmove(to, text, length);
			to += length;
		}
	}
	*to = '\0';
}
