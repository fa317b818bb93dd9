// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where the module's events are, and who may have them
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "allocated.h"

static const char *const places[] = {
	"/sys/kernel/tracing",
	"/sys/kernel/debug/tracing",
	NULL,
};

static const char no_module[] =
	"the module is not loaded: sudo modprobe winregion";
static const char no_events[] =
	"the kernel tells of no events: by its lockdown, see kernel_lockdown(7)";
static const char in_container[] =
	"processes have other numbers in this container than in events: trace from outside";
static const char no_tracefs[] =
	"tracefs is not mounted: sudo mount -t tracefs none /sys/kernel/tracing";

const char *allocated_kind_name(enum allocated_kind kind)
{
	static const char *const names[ALLOCATED_KINDS] = {
		[ALLOCATED_RESERVED] = "reserved",
		[ALLOCATED_COMMITTED] = "committed",
		[ALLOCATED_MAPPED] = "mapped",
	};

	return names[kind];
}

static int complain(const char *what)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	return 125;
}

/**
 * trace_place - find tracefs
 *
 * Return: its directory, or NULL
 */
const char *trace_place(void)
{
	struct statfs fs;
	unsigned int i;

	for (i = 0; places[i]; i++)
		if (!statfs(places[i], &fs) && fs.f_type == TRACEFS_MAGIC)
			return places[i];
	return NULL;
}

/* Of all processors together, and of one at least */
#define ALL_ROOM (128UL << 20)
#define LEAST_ROOM (256UL << 10)

/**
 * trace_room - for events on their way, on each processor
 * @most: bytes, where there are few processors: a power of 2
 *
 * It is memory that nobody else gets meanwhile, so it is less where there are many.
 *
 * Return: bytes, a power of 2
 */
size_t trace_room(size_t most)
{
	long processors = sysconf(_SC_NPROCESSORS_CONF);

	while (most > LEAST_ROOM && most * processors > ALL_ROOM)
		most /= 2;
	return most;
}

/* Of the first namespace of processes, as it is since there are others */
#define FIRST_NAMESPACE 0xeffffffcU

/* Events have the numbers of the first namespace. */
static bool has_all_numbers(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino == FIRST_NAMESPACE;
}

/**
 * trace_check - look whether there is something to trace, and who asks for it
 *
 * Return: 0, or a status to exit with, when it has said why.
 */
int trace_check(void)
{
	const char *tracefs;
	char path[128];

	if (geteuid())
		return complain("only root may trace: try sudo");
	tracefs = trace_place();
	if (!tracefs)
		return complain(no_tracefs);
	if (!has_all_numbers())
		return complain(in_container);
	snprintf(path, sizeof(path), "%s/events/winregion", tracefs);
	if (!access(path, F_OK))
		return 0;
	return complain(access("/sys/module/winregion", F_OK) ? no_module :
								no_events);
}
