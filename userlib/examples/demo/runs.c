// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel says about our memory: the runs of /dev/winregion, and the
 * VMAs of /proc/self/maps
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

/* Runs that one call asks for */
#define BATCH 4096

struct winregion_get_info get_info(void)
{
	struct winregion_get_info info = { 0 };
	int err = winregion_get_info(&info);

	if (err)
		die("WINREGION_GET_INFO: %s", strerror(-err));

	return info;
}

static struct winregion_run *make_room(struct runs *runs)
{
	size_t bytes = (runs->count + BATCH) * sizeof(*runs->run);

	runs->run = realloc(runs->run, bytes);
	if (!runs->run)
		die("no memory for the list of runs");

	return runs->run + runs->count;
}

/* All runs from @first to @last; @flags: WINREGION_QUERY_* */
struct runs runs_read(uint64_t first, uint64_t last, int flags)
{
	struct runs runs = { 0 };

	while (first <= last) {
		struct winregion_query_runs query = {
			.flags = flags,
			.address = first,
			.last = last,
			.runs = (uintptr_t)make_room(&runs),
			.nr_runs = BATCH,
		};
		int err = winregion_query_runs(&query);

		if (err)
			die("WINREGION_QUERY_RUNS: %s", strerror(-err));
		runs.count += query.nr_runs;
		first = query.address;
	}

	return runs;
}

void runs_free(struct runs *runs)
{
	free(runs->run);
	*runs = (struct runs){ 0 };
}

uint64_t vmas_count(uint64_t first, uint64_t last, const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	uint64_t start, end, vmas = 0;
	char line[512];

	if (!maps)
		die("/proc/self/maps: %s", strerror(errno));
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
			die("/proc/self/maps: cannot read \"%s\"", line);
		if (end <= first || start > last ||
		    (name && !strstr(line, name)))
			continue;
		vmas++;
	}
	fclose(maps);

	return vmas;
}

#define MAX_MAP_COUNT "/proc/sys/vm/max_map_count"

/* 0 if unknown */
uint64_t max_map_count(void)
{
	FILE *file = fopen(MAX_MAP_COUNT, "r");
	uint64_t count = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%" SCNu64, &count) != 1)
		count = 0;
	fclose(file);

	return count;
}
