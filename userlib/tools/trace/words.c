// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What protections and flags are called, by their names of Windows where they have some
 */
#include <linux/winregion.h>

#include "trace.h"

static const struct trace_name protections[] = {
	{ WINREGION_NOACCESS, "PAGE_NOACCESS" },
	{ WINREGION_READONLY, "PAGE_READONLY" },
	{ WINREGION_READWRITE, "PAGE_READWRITE" },
	{ WINREGION_WRITECOPY, "PAGE_WRITECOPY" },
	{ WINREGION_EXECUTE, "PAGE_EXECUTE" },
	{ WINREGION_EXECUTE_READ, "PAGE_EXECUTE_READ" },
	{ WINREGION_EXECUTE_READWRITE, "PAGE_EXECUTE_READWRITE" },
	{ WINREGION_EXECUTE_WRITECOPY, "PAGE_EXECUTE_WRITECOPY" },
	{ WINREGION_GUARD, "PAGE_GUARD" },
	{ WINREGION_NOCACHE, "PAGE_NOCACHE" },
	{ WINREGION_WRITECOMBINE, "PAGE_WRITECOMBINE" },
	{ WINREGION_TARGETS_INVALID, "PAGE_TARGETS_INVALID" },
};

/* Names with "|" between them, then what has none, as a number; "0" for nothing */
void trace_print_bits(FILE *to, const struct trace_name *names, size_t nr,
		      uint32_t bits)
{
	const char *before = "";
	size_t i;

	if (!bits)
		fputs("0", to);
	for (i = 0; i < nr; i++) {
		if (!(bits & names[i].bit))
			continue;
		fprintf(to, "%s%s", before, names[i].name);
		before = "|";
		bits &= ~names[i].bit;
	}
	if (bits)
		fprintf(to, "%s%#x", before, bits);
}

void trace_print_protection(FILE *to, uint32_t protection)
{
	trace_print_bits(to, protections, ARRAY_SIZE(protections), protection);
}
