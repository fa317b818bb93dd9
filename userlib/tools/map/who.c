// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who has allocated: call stacks, and what of theirs was left
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

/* ---- as a text ---- */

static void write_number(const struct map_output *out, uint64_t bytes)
{
	fprintf(out->file, " %12" PRIu64, out->bytes ? bytes : bytes / 1024);
}

static void write_group(const struct map_output *out,
			const struct allocated_group *group, size_t nr)
{
	fprintf(out->file, "#%-6zu %-10s", nr,
		allocated_kind_name(group->kind));
	write_number(out, group->most);
	write_number(out, group->total);
	write_number(out, group->left);
	fprintf(out->file, " %8" PRIu64 "\n%s", group->calls, group->stack);
}

static void write_block(const struct map_output *out,
			const struct allocated_block *block,
			const struct allocated_group *group)
{
	fprintf(out->file, "%012" PRIx64 " %8d %-10s", block->address,
		block->pid, allocated_kind_name(group->kind));
	write_number(out, block->size);
	fprintf(out->file, " #%u\n", block->group + 1);
}

void map_allocated_text(const struct map_output *out,
			const struct allocated *all)
{
	const char *unit = out->bytes ? "bytes" : "KiB";
	size_t i;

	if (!all->nr_groups) {
		fputs("\n" ALLOCATED_NOTHING, out->file);
		return;
	}
	fprintf(out->file, "\nwho has allocated, in %s\n", unit);
	fprintf(out->file, "%-7s %-10s %12s %12s %12s %8s\n", "stack", "type",
		"most", "total", "left", "calls");
	for (i = 0; i < all->nr_groups; i++)
		write_group(out, &all->groups[i], i + 1);
	if (!all->nr_blocks)
		return;
	fprintf(out->file, "\nwhat was left of it, in %s\n", unit);
	fprintf(out->file, "%-12s %8s %-10s %12s stack\n", "address", "process",
		"type", "size");
	for (i = 0; i < all->nr_blocks; i++)
		write_block(out, &all->blocks[i],
			    &all->groups[all->blocks[i].group]);
}

/* ---- as JSON ---- */

/* Of a text that has one a line, four blanks before each */
static void write_frames(FILE *file, const char *stack)
{
	const char *comma = "";
	size_t length;
	char *frame;

	fputs(",\"frames\":[", file);
	while (*stack) {
		stack += strspn(stack, " ");
		length = strcspn(stack, "\n");
		frame = strndup(stack, length);
		fputs(comma, file);
		map_quote_json(file, frame ? frame : "");
		free(frame);
		comma = ",";
		stack += length + (stack[length] == '\n');
	}
	putc(']', file);
}

static void write_stack(FILE *file, const struct allocated_group *group)
{
	fprintf(file,
		"\n{\"kind\":\"%s\",\"most\":%" PRIu64 ",\"total\":%" PRIu64
		",\"left\":%" PRIu64 ",\"calls\":%" PRIu64,
		allocated_kind_name(group->kind), group->most, group->total,
		group->left, group->calls);
	write_frames(file, group->stack);
	putc('}', file);
}

static void write_left(FILE *file, const struct allocated_block *block)
{
	fprintf(file,
		"\n{\"address\":\"0x%" PRIx64 "\",\"pid\":%d,\"size\":%" PRIu64
		",\"stack\":%u}",
		block->address, block->pid, block->size, block->group);
}

void map_allocated_json(FILE *file, const struct allocated *all)
{
	size_t i;

	fprintf(file, ",\n\"events_lost\":%lu,\"stacks\":[", all->lost);
	for (i = 0; i < all->nr_groups; i++) {
		fputs(i ? "," : "", file);
		write_stack(file, &all->groups[i]);
	}
	fputs("],\n\"left\":[", file);
	for (i = 0; i < all->nr_blocks; i++) {
		fputs(i ? "," : "", file);
		write_left(file, &all->blocks[i]);
	}
	putc(']', file);
}
