// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The columns of sizes that texts have: narrow ones, so that a line has room for the
 * rest, or those of whole bytes
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../common/text.h"
#include "output.h"

/* What a line has that goes to no terminal */
#define USUAL_WIDTH 80

#define BYTES_WIDTH 16

static const struct {
	const char *name;
	int width;
} columns[MAP_SIZES] = {
	[MAP_SIZE] = { "size", 7 },
	[MAP_COMMITTED] = { "commit", 7 },
	[MAP_PRIVATE_BYTES] = { "private", 7 },
	[MAP_RESIDENT] = { "resident", 8 },
	[MAP_SWAPPED] = { "swapped", 7 },
	[MAP_LOCKED] = { "locked", 6 },
};

static int width_of(const struct map_output *out, enum map_size size)
{
	return out->bytes ? BYTES_WIDTH : columns[size].width;
}

int map_text_width(FILE *file)
{
	struct winsize size;

	if (!isatty(fileno(file)) || ioctl(fileno(file), TIOCGWINSZ, &size) ||
	    !size.ws_col)
		return USUAL_WIDTH;

	return size.ws_col;
}

/* A character takes the room of one, and so does what is none. */
int map_text_length(const char *text)
{
	size_t bytes;
	int length = 0;

	for (; *text; text += bytes ? bytes : 1) {
		bytes = text_character(text);
		length++;
	}

	return length;
}

static int write_number(const struct map_output *out, enum map_size size,
			const char *sign, uint64_t bytes)
{
	int width = width_of(out, size);
	char text[32], all[40];

	if (out->bytes)
		snprintf(text, sizeof(text), "%" PRIu64, bytes);
	else
		map_kibibytes(bytes, width - (int)strlen(sign), text);
	snprintf(all, sizeof(all), "%s%s", sign, text);

	return fprintf(out->file, " %*s", width, all);
}

int map_text_size(const struct map_output *out, enum map_size size,
		  uint64_t bytes)
{
	return write_number(out, size, "", bytes);
}

int map_text_sizes(const struct map_output *out, const uint64_t *sizes)
{
	int length = 0;
	unsigned int i;

	for (i = 0; i < MAP_SIZES; i++)
		length += map_text_size(out, i, sizes[i]);

	return length;
}

void map_text_difference(const struct map_output *out, enum map_size size,
			 uint64_t old, uint64_t new)
{
	if (new < old)
		write_number(out, size, "-", old - new);
	else
		write_number(out, size, "+", new - old);
}

void map_text_head(const struct map_output *out, enum map_size size)
{
	fprintf(out->file, " %*s", width_of(out, size),
		out->bytes ? map_size_name(size) : columns[size].name);
}

void map_text_heads(const struct map_output *out)
{
	unsigned int i;

	for (i = 0; i < MAP_SIZES; i++)
		map_text_head(out, i);
}
