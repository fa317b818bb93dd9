// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who has allocated how much, as a text
 */
#include <inttypes.h>

#include "../common/say.h"
#include "trace.h"

static void print_group(FILE *to, const struct allocated_group *group)
{
	fprintf(to,
		"%s %" PRIu64 " bytes, %" PRIu64 " left, %" PRIu64
		" call%s\n%s",
		allocated_kind_name(group->kind), group->total, group->left,
		group->calls, group->calls == 1 ? "" : "s", group->stack);
}

/**
 * trace_print_allocated - print it
 * @to: where
 */
void trace_print_allocated(FILE *to)
{
	struct allocated all;
	size_t i;

	stacks_end(&all);
	for (i = 0; i < all.nr_groups; i++)
		print_group(to, &all.groups[i]);
	if (!all.nr_groups)
		fputs(ALLOCATED_NOTHING, to);
	fflush(to);
	say_lost(all.lost);
}
