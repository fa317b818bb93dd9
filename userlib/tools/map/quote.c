// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Strings that others read: names of files can have anything in them
 */
#include <string.h>

#include "../common/text.h"
#include "output.h"

/*
 * What is no character is told as the one that its byte would be. That is also the second
 * byte of a control character that has two.
 */
void map_quote_json(FILE *file, const char *text)
{
	size_t length;

	putc('"', file);
	for (; *text; text += length ? length : 1) {
		length = text_character(text);
		if (*text == '"' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else if (!length || *text == '<' || text_is_control(text))
			fprintf(file, "\\u%04x",
				(unsigned char)text[length == 2]);
		else
			fwrite(text, length, 1, file);
	}
	putc('"', file);
}

/* What a spreadsheet would calculate is no name any more. */
void map_quote_csv(FILE *file, const char *text)
{
	bool quoted = strpbrk(text, "\",");
	size_t length;

	if (quoted)
		putc('"', file);
	if (*text && strchr("=+-@", *text))
		putc('\'', file);
	for (; *text; text += length ? length : 1) {
		length = text_character(text);
		if (*text == '"')
			putc('"', file);
		if (!length || text_is_control(text))
			putc('?', file);
		else
			fwrite(text, length, 1, file);
	}
	if (quoted)
		putc('"', file);
}

/* XML has no U+FFFE and U+FFFF, either. */
static bool is_of_xml(const char *text)
{
	return text_character(text) && strncmp(text, "\xef\xbf\xbe", 3) &&
	       strncmp(text, "\xef\xbf\xbf", 3) &&
	       (*text == '\n' || !text_is_control(text));
}

void map_quote_html(FILE *file, const char *text)
{
	size_t length;

	for (; *text; text += length ? length : 1) {
		length = text_character(text);
		if (strchr("<>&\"'", *text))
			fprintf(file, "&#%d;", *text);
		else if (!is_of_xml(text))
			fputs("&#xfffd;", file);
		else
			fwrite(text, length, 1, file);
	}
}

const char *map_change_name(enum map_change change)
{
	static const char *const names[] = { "same", "new", "changed", "gone" };

	return names[change];
}
