// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What types, sizes and protections are called
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <linux/winregion.h>

#include "map.h"

static const struct {
	const char *name;
	const char *colour;
} types[MAP_TYPES] = {
	[MAP_IMAGE] = { "image", "#9467bd" },
	[MAP_FILE] = { "file", "#1f77b4" },
	[MAP_SHARED] = { "shareable", "#17becf" },
	[MAP_HEAP] = { "heap", "#d62728" },
	[MAP_STACK] = { "stack", "#ff7f0e" },
	[MAP_PRIVATE] = { "private", "#e0b000" },
	[MAP_TABLE] = { "table", "#8c564b" },
	[MAP_UNUSABLE] = { "unusable", "#7f7f7f" },
	[MAP_FREE] = { "free", "#dddddd" },
};

static const char *const sizes[MAP_SIZES] = {
	[MAP_SIZE] = "size",
	[MAP_COMMITTED] = "committed",
	[MAP_PRIVATE_BYTES] = "private",
	[MAP_RESIDENT] = "resident",
	[MAP_SWAPPED] = "swapped",
	[MAP_LOCKED] = "locked",
};

const char *map_type_name(enum map_type type)
{
	return types[type].name;
}

const char *map_type_colour(enum map_type type)
{
	return types[type].colour;
}

const char *map_size_name(enum map_size size)
{
	return sizes[size];
}

bool map_type_by_name(const char *name, size_t length, enum map_type *type)
{
	unsigned int i;

	for (i = 0; i < MAP_TYPES; i++)
		if (strlen(types[i].name) == length &&
		    !strncasecmp(types[i].name, name, length)) {
			*type = i;
			return true;
		}

	return false;
}

bool map_size_by_name(const char *name, enum map_size *size)
{
	unsigned int i;

	for (i = 0; i < MAP_SIZES; i++)
		if (!strcasecmp(sizes[i], name)) {
			*size = i;
			return true;
		}

	return false;
}

/* The seven of Windows, less their modifiers */
static const struct {
	uint32_t value;
	const char *text;
} bases[] = {
	{ WINREGION_NOACCESS, "---" },
	{ WINREGION_READONLY, "r--" },
	{ WINREGION_READWRITE, "rw-" },
	{ WINREGION_WRITECOPY, "rc-" },
	{ WINREGION_EXECUTE, "--x" },
	{ WINREGION_EXECUTE_READ, "r-x" },
	{ WINREGION_EXECUTE_READWRITE, "rwx" },
	{ WINREGION_EXECUTE_WRITECOPY, "rcx" },
};

static const struct {
	uint32_t value;
	const char *text;
} modifiers[] = {
	{ WINREGION_GUARD, " guard" },
	{ WINREGION_NOCACHE, " nocache" },
	{ WINREGION_WRITECOMBINE, " writecombine" },
};

/* Modifiers exclude each other. */
const char *map_protection(uint32_t protection, char *text)
{
	const char *base = "???", *modifier = "";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bases); i++)
		if ((protection & 0xff) == bases[i].value)
			base = bases[i].text;
	for (i = 0; i < ARRAY_SIZE(modifiers); i++)
		if (protection & modifiers[i].value)
			modifier = modifiers[i].text;
	snprintf(text, MAP_PROTECTION_ROOM, "%s%s",
		 protection ? base : "reserved", modifier);

	return text;
}

const char *map_human(uint64_t bytes, char *text)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes / 1024;
	unsigned int unit = 0;

	while (value >= 9999.5 && units[unit + 1]) {
		value /= 1024;
		unit++;
	}
	if (!unit || value >= 99.95)
		snprintf(text, MAP_HUMAN_ROOM, "%.0f %c", value, units[unit]);
	else
		snprintf(text, MAP_HUMAN_ROOM, "%.1f %c", value, units[unit]);

	return text;
}

/* KiB have no unit behind them, and are whole ones. */
const char *map_kibibytes(uint64_t bytes, int width, char *text)
{
	static const char *const units[] = { "", "M", "G", "T", "P", "E" };
	unsigned int unit = 0;
	uint64_t value = bytes / 1024, half;

	while (snprintf(text, MAP_HUMAN_ROOM, "%" PRIu64 "%s", value,
			units[unit]) > width &&
	       unit + 1 < ARRAY_SIZE(units)) {
		unit++;
		half = 1ULL << (10 * unit + 9);
		value = (bytes >> (10 * unit + 10)) + !!(bytes & half);
	}

	return text;
}

bool map_parse_address(const char *text, uint64_t *address)
{
	char *end;

	if (!isxdigit((unsigned char)*text))
		return false;
	errno = 0;
	*address = strtoull(text, &end, 16);

	return !*end && !errno;
}
