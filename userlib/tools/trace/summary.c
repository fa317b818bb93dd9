// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How many calls of each kind there were, how long they took, and how many events
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

/* As many as there are numbers of ioctls; the last one is for all others. */
#define KINDS 256
#define EVENTS 64

static struct sum {
	unsigned int nr;
	uint64_t calls;
	uint64_t errors;
	uint64_t took;
} calls[KINDS];

static struct {
	char name[80];
	uint64_t count;
} events[EVENTS];

void trace_count_call(const struct trace_call *call)
{
	struct sum *sum = &calls[call->nr % KINDS];

	sum->nr = call->nr;
	sum->calls++;
	sum->errors += call->result != 0;
	sum->took += call->took;
}

/* What there is no room for is not counted: there are not that many. */
void trace_count_event(const char *name)
{
	unsigned int i;

	for (i = 0; i < EVENTS; i++) {
		if (events[i].count && strcmp(events[i].name, name))
			continue;
		snprintf(events[i].name, sizeof(events[i].name), "%s", name);
		events[i].count++;
		return;
	}
}

static int compare(const void *a, const void *b)
{
	const struct sum *first = a, *second = b;

	return (first->took < second->took) - (first->took > second->took);
}

static void print_sum(FILE *to, const struct sum *sum, uint64_t all,
		      const char *name)
{
	fprintf(to, "%6.2f %11.6f %11.3f %9" PRIu64 " %9" PRIu64 " %s\n",
		all ? 100.0 * sum->took / all : 0.0, sum->took / 1e9,
		sum->calls ? sum->took / 1e3 / sum->calls : 0.0, sum->calls,
		sum->errors, name);
}

/* Those that took longest first */
void trace_print_summary(FILE *to)
{
	struct sum all = {};
	unsigned int i;

	qsort(calls, KINDS, sizeof(*calls), compare);
	for (i = 0; i < KINDS; i++) {
		all.calls += calls[i].calls;
		all.errors += calls[i].errors;
		all.took += calls[i].took;
	}
	fputs("% time     seconds   usecs/call     calls    errors call\n", to);
	for (i = 0; i < KINDS; i++)
		if (calls[i].calls)
			print_sum(to, &calls[i], all.took,
				  trace_call_name(calls[i].nr));
	print_sum(to, &all, all.took, "total");
	for (i = 0; i < EVENTS && events[i].count; i++)
		fprintf(to, "%9" PRIu64 " %s\n", events[i].count,
			events[i].name);
}
