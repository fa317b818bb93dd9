// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * FormatMessage(): the words for an error, or a text with places for arguments
 *
 * All is done in UTF-8; what W gives and takes is converted.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define MAX_ARGUMENTS 99

/* No buffer has room for more. */
#define MOST_ROOM 0xFFFF
/* What a number has beside its digits and blanks, with its signs */
#define NUMBER_ROOM 64
#define NO_BREAKS 0xFF
/* What a text has is less, and what is added to it at once. */
#define LONGEST (SIZE_MAX / 8)

/* A text that grows; once it cannot, it stays as it is */
struct text {
	char *bytes;
	size_t length;
	size_t room;
	DWORD error;
};

struct format {
	DWORD flags;
	/* Strings of arguments are in UTF-16, if the format does not say */
	bool wide;
	va_list *list;
	const ULONG_PTR *array;
	/* Those that were taken from the list */
	ULONG_PTR taken[MAX_ARGUMENTS];
	unsigned int nr_taken;
	/* Where the line begins, and its last blank: 0 if it has none */
	size_t line;
	size_t blank;
	struct text out;
};

static bool make_room(struct text *text, size_t more)
{
	size_t room = 2 * (text->length + more) + 64;
	char *bytes = NULL;

	if (text->length + more < text->room)
		return true;
	/* So much that twice as much would be less there is no memory for. */
	if (more <= LONGEST && text->length <= LONGEST)
		bytes = realloc(text->bytes, room);
	if (!bytes) {
		text->error = ERROR_NOT_ENOUGH_MEMORY;
		return false;
	}
	text->bytes = bytes;
	text->room = room;

	return true;
}

static void add(struct text *text, const char *bytes, size_t length)
{
	if (text->error || !make_room(text, length + 1))
		return;
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

/* ---- lines ---- */

static unsigned int width_of(const struct format *format)
{
	return format->flags & FORMAT_MESSAGE_MAX_WIDTH_MASK;
}

static void begin_line(struct format *format)
{
	format->line = format->out.length;
	format->blank = 0;
}

/* A line that got too long ends where its last blank is. */
static void wrap(struct format *format)
{
	struct text *out = &format->out;
	unsigned int width = width_of(format);
	size_t blank = format->blank;

	if (!width || width == NO_BREAKS || !blank ||
	    out->length - format->line <= width)
		return;
	add(out, " ", 1);
	if (out->error)
		return;
	memmove(out->bytes + blank + 2, out->bytes + blank + 1,
		out->length - blank - 2);
	memcpy(out->bytes + blank, "\r\n", 2);
	out->bytes[out->length] = '\0';
	format->line = blank + 2;
	format->blank = 0;
}

static void put(struct format *format, const char *bytes, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (bytes[i] == ' ' &&
		    format->out.length - format->line <= width_of(format))
			format->blank = format->out.length;
		add(&format->out, bytes + i, 1);
		wrap(format);
	}
}

static void end_line(struct format *format)
{
	add(&format->out, "\r\n", 2);
	begin_line(format);
}

/* What is the end of a line in the text: none if there is a width */
static const char *soft_end(struct format *format, const char *at)
{
	if (at[0] == '\r' && at[1] == '\n')
		at++;
	if (width_of(format))
		put(format, " ", 1);
	else
		end_line(format);

	return at + 1;
}

/* ---- arguments ---- */

/* Number @n of them, from 0 on. Each takes as much room as a pointer. */
static ULONG_PTR argument(struct format *format, unsigned int n)
{
	if (format->array)
		return format->array[n];
	if (!format->list || n >= MAX_ARGUMENTS) {
		format->out.error = ERROR_INVALID_PARAMETER;
		return 0;
	}
	while (format->nr_taken <= n)
		format->taken[format->nr_taken++] =
			va_arg(*format->list, ULONG_PTR);

	return format->taken[n];
}

/* What stands between two exclamation marks, after the number */
struct spec {
	char flags[8];
	int width;
	/* Negative: none */
	int precision;
	/* 'h', 'w' or 'l', 'L' for 64 bits; or 0 */
	char size;
	char type;
};

/* What is too large is more than there is room for, whatever it is. */
static int read_number(struct format *format, const char **at, unsigned int *n)
{
	char *end;
	long number;

	if (**at == '*') {
		(*at)++;
		return (int)argument(format, (*n)++);
	}
	number = strtol(*at, &end, 10);
	*at = end;
	if (number > INT_MAX)
		return INT_MAX;

	return number < INT_MIN ? INT_MIN : number;
}

static char read_size(const char **at)
{
	if (!strncmp(*at, "I64", 3) || !strncmp(*at, "I32", 3)) {
		*at += 3;
		return (*at)[-2] == '6' ? 'L' : 'l';
	}
	if (!strncmp(*at, "ll", 2)) {
		*at += 2;
		return 'L';
	}
	if (**at == 'I') {
		(*at)++;
		return 'L';
	}

	return **at && strchr("hlw", **at) ? *(*at)++ : 0;
}

/* Return: false if it is none. *@n moves to the argument itself. */
static bool read_spec(struct format *format, const char **at, unsigned int *n,
		      struct spec *spec)
{
	size_t flags = strspn(*at, "-+ #0");

	if (flags >= sizeof(spec->flags))
		return false;
	memcpy(spec->flags, *at, flags);
	*at += flags;
	spec->width = read_number(format, at, n);
	if (**at == '.') {
		(*at)++;
		spec->precision = read_number(format, at, n);
	}
	spec->size = read_size(at);
	spec->type = **at;
	if (!spec->type || !strchr("diuxXocCsSp", spec->type))
		return false;
	(*at)++;

	return *(*at)++ == '!';
}

static void put_number(struct format *format, const struct spec *spec,
		       ULONG_PTR value)
{
	int digits = spec->precision < 0 ? 0 : spec->precision;
	int room = NUMBER_ROOM + abs(spec->width) + digits;
	char pattern[32], *text = malloc(room);

	if (!text) {
		format->out.error = ERROR_NOT_ENOUGH_MEMORY;
		return;
	}
	if (spec->type == 'd' || spec->type == 'i')
		value = spec->size == 'L' ? value :
			spec->size == 'h' ? (ULONG_PTR)(SHORT)value :
					    (ULONG_PTR)(LONG)value;
	else if (spec->size != 'L')
		value = spec->size == 'h' ? (WORD)value : (DWORD)value;
	snprintf(pattern, sizeof(pattern), "%%%s*.*l%c", spec->flags,
		 spec->type);
	put(format, text,
	    snprintf(text, room, pattern, spec->width, spec->precision, value));
	free(text);
}

static void put_padded(struct format *format, const struct spec *spec,
		       const char *bytes, size_t length, size_t units)
{
	size_t width = spec->width < 0 ? -spec->width : spec->width;
	bool left = spec->width < 0 || strchr(spec->flags, '-');
	size_t pad = width > units ? width - units : 0;

	if (left)
		put(format, bytes, length);
	for (; pad; pad--)
		put(format, " ", 1);
	if (!left)
		put(format, bytes, length);
}

static bool is_wide(const struct format *format, const struct spec *spec)
{
	if (spec->size == 'h')
		return false;
	if (spec->size == 'w' || spec->size == 'l')
		return true;

	return format->wide == (spec->type == 's' || spec->type == 'c');
}

static size_t wide_length(const WCHAR *text, int precision)
{
	size_t n = 0;

	while ((precision < 0 || n < (size_t)precision) && text[n])
		n++;

	return n;
}

static void put_wide(struct format *format, const struct spec *spec,
		     const WCHAR *text, size_t units)
{
	char *bytes = wr_utf8_room(units);
	long length = 0;

	if (!bytes) {
		format->out.error = ERROR_NOT_ENOUGH_MEMORY;
		return;
	}
	if (units)
		length = wr_to_utf8(text, units, bytes, 3 * units, FALSE);
	put_padded(format, spec, bytes, length, units);
	free(bytes);
}

static void put_string(struct format *format, const struct spec *spec,
		       ULONG_PTR value)
{
	const char *text = value ? (const char *)value : "(null)";
	size_t length;

	if (value && is_wide(format, spec)) {
		put_wide(format, spec, (const WCHAR *)value,
			 wide_length((const WCHAR *)value, spec->precision));
		return;
	}
	length = spec->precision < 0 ? strlen(text) :
				       strnlen(text, spec->precision);
	put_padded(format, spec, text, length, length);
}

static void put_character(struct format *format, const struct spec *spec,
			  ULONG_PTR value)
{
	WCHAR wide = value;
	char narrow = value;

	if (is_wide(format, spec))
		put_wide(format, spec, &wide, 1);
	else
		put_padded(format, spec, &narrow, 1, 1);
}

/* Of a string the precision only makes less. */
static bool has_room(const struct spec *spec)
{
	if (spec->width > MOST_ROOM || spec->width < -MOST_ROOM)
		return false;

	return strchr("sScC", spec->type) || spec->precision <= MOST_ROOM;
}

static void put_argument(struct format *format, const struct spec *spec,
			 ULONG_PTR value)
{
	const struct spec pointer = {
		.width = 16, .precision = 16, .size = 'L', .type = 'X'
	};

	if (!format->out.error && !has_room(spec))
		format->out.error = ERROR_INSUFFICIENT_BUFFER;
	if (format->out.error)
		return;

	switch (spec->type) {
	case 's':
	case 'S':
		put_string(format, spec, value);
		break;
	case 'c':
	case 'C':
		put_character(format, spec, value);
		break;
	case 'p':
		put_number(format, &pointer, value);
		break;
	default:
		put_number(format, spec, value);
	}
}

/* @at: the first digit. Return: what follows */
static const char *insert(struct format *format, const char *at)
{
	struct spec spec = { .precision = -1, .type = 's' };
	const char *start = at;
	unsigned int n = *at++ - '0';

	if (*at >= '0' && *at <= '9')
		n = 10 * n + *at++ - '0';
	if (format->flags & FORMAT_MESSAGE_IGNORE_INSERTS) {
		put(format, "%", 1);
		put(format, start, at - start);
		return at;
	}
	n--;
	if (*at == '!') {
		at++;
		if (!read_spec(format, &at, &n, &spec)) {
			format->out.error = ERROR_INVALID_PARAMETER;
			return at;
		}
	}
	put_argument(format, &spec, argument(format, n));

	return at;
}

/* What follows a percent sign. Return: what follows that, or NULL at the end */
static const char *escape(struct format *format, const char *at)
{
	switch (*at) {
	case '\0':
		format->out.error = ERROR_INVALID_PARAMETER;
		return NULL;
	case '0':
		return NULL;
	case 'n':
		end_line(format);
		break;
	case 'r':
		add(&format->out, "\r", 1);
		break;
	case 't':
		add(&format->out, "\t", 1);
		break;
	case 'b':
		add(&format->out, " ", 1);
		break;
	default:
		if (*at >= '1' && *at <= '9')
			return insert(format, at);
		put(format, at, 1);
	}

	return at + 1;
}

static void write_out(struct format *format, const char *at)
{
	add(&format->out, "", 0);
	while (at && *at && !format->out.error) {
		if (*at == '%')
			at = escape(format, at + 1);
		else if (*at == '\r' || *at == '\n')
			at = soft_end(format, at);
		else
			put(format, at++, 1);
	}
}

/* ---- what it is about ---- */

static DWORD write_system(struct format *format, DWORD message)
{
	const char *text = wr_error_text(message);

	if (!text)
		return ERROR_MR_MID_NOT_FOUND;
	add(&format->out, "", 0);
	put(format, text, strlen(text));
	put(format, ".", 1);
	soft_end(format, "\n");

	return format->out.error;
}

static DWORD write_string(struct format *format, const void *source)
{
	size_t units;
	char *bytes;
	long n = 0;

	if (!source)
		return ERROR_INVALID_PARAMETER;
	if (!format->wide) {
		write_out(format, source);
		return format->out.error;
	}

	units = wr_wide_length(source);
	bytes = wr_utf8_room(units);
	if (!bytes)
		return ERROR_NOT_ENOUGH_MEMORY;
	if (units)
		n = wr_to_utf8(source, units, bytes, 3 * units, FALSE);
	bytes[n] = '\0';
	write_out(format, bytes);
	free(bytes);

	return format->out.error;
}

#define SOURCES \
	(FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_FROM_HMODULE | \
	 FORMAT_MESSAGE_FROM_SYSTEM)

/* 0 or the error. No library here has messages of its own. */
static DWORD write_message(struct format *format, const void *source,
			   DWORD message, const void *buffer)
{
	if (!buffer || !(format->flags & SOURCES))
		return ERROR_INVALID_PARAMETER;
	if (format->flags & FORMAT_MESSAGE_FROM_STRING) {
		if (format->flags & (SOURCES & ~FORMAT_MESSAGE_FROM_STRING))
			return ERROR_INVALID_PARAMETER;
		return write_string(format, source);
	}
	if (!(format->flags & FORMAT_MESSAGE_FROM_SYSTEM))
		return ERROR_MR_MID_NOT_FOUND;

	return write_system(format, message);
}

static void init(struct format *format, DWORD flags, bool wide,
		 va_list *arguments)
{
	memset(format, 0, sizeof(*format));
	format->flags = flags;
	format->wide = wide;
	if (flags & FORMAT_MESSAGE_ARGUMENT_ARRAY)
		format->array = (const ULONG_PTR *)arguments;
	else
		format->list = arguments;
}

/* Where the text goes: @units of it, and a 0; NULL with the last error set */
static void *place(DWORD flags, void *buffer, DWORD size, size_t units,
		   size_t unit)
{
	size_t room = units < size ? size : units + 1;
	void *memory;

	if (!(flags & FORMAT_MESSAGE_ALLOCATE_BUFFER)) {
		if (units >= size)
			wr_fail(ERROR_INSUFFICIENT_BUFFER);
		return units < size ? buffer : NULL;
	}

	*(void **)buffer = NULL;
	if (!units) {
		wr_fail(ERROR_SUCCESS);
		return NULL;
	}
	/* The program's number may be of more bytes than there are addresses. */
	if (room > SIZE_MAX / unit) {
		wr_fail(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	memory = LocalAlloc(LMEM_ZEROINIT, room * unit);
	*(void **)buffer = memory;

	return memory;
}

DWORD WINAPI FormatMessageA(DWORD flags, LPCVOID source, DWORD message,
			    DWORD language, LPSTR buffer, DWORD size,
			    va_list *arguments)
{
	struct format format;
	DWORD error, length = 0;
	char *to;

	WR_KEEP_ERRNO();

	(void)language;
	init(&format, flags, false, arguments);
	error = write_message(&format, source, message, buffer);
	if (error) {
		wr_fail(error);
	} else {
		length = format.out.length;
		to = place(flags, buffer, size, length, sizeof(*to));
		if (to)
			memcpy(to, format.out.bytes, length + 1);
		else
			length = 0;
	}
	free(format.out.bytes);

	return length;
}

static DWORD give_wide(const struct text *out, DWORD flags, void *buffer,
		       DWORD size)
{
	long units = 0;
	WCHAR *to;

	if (out->length)
		units = wr_to_wide(out->bytes, out->length, NULL, 0, FALSE);
	to = place(flags, buffer, size, units, sizeof(*to));
	if (!to)
		return 0;
	if (units)
		wr_to_wide(out->bytes, out->length, to, units, FALSE);
	to[units] = 0;

	return units;
}

DWORD WINAPI FormatMessageW(DWORD flags, LPCVOID source, DWORD message,
			    DWORD language, LPWSTR buffer, DWORD size,
			    va_list *arguments)
{
	struct format format;
	DWORD error, length = 0;

	WR_KEEP_ERRNO();

	(void)language;
	init(&format, flags, true, arguments);
	error = write_message(&format, source, message, buffer);
	if (error)
		wr_fail(error);
	else
		length = give_wide(&format.out, flags, buffer, size);
	free(format.out.bytes);

	return length;
}
