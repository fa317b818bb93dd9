// SPDX-License-Identifier: GPL-2.0
/*
 * Series: what an operation costs as ranges get larger, as runs get more, and
 * as regions get more
 */
#include "bench.h"

/* ---- size of the range ---- */

#define MAX_CALLS 64

static void row_size(const struct way *way, size_t length)
{
	char *base = way->reserve(AREA, HUGE);
	size_t calls = AREA / length, i;

	if (calls > MAX_CALLS)
		calls = MAX_CALLS;
	lap_start("commit", calls);
	for (i = 0; i < calls; i++)
		way->commit(base + i * length, length);
	lap_stop();
	touch_all(base, calls * length);
	lap_start("protect", calls);
	for (i = 0; i < calls; i++)
		way->protect(base + i * length, length, false);
	lap_stop();
	way->protect(base, calls * length, true);
	touch_all(base, calls * length);
	lap_start("decommit", calls);
	for (i = 0; i < calls; i++)
		way->decommit(base + i * length, length);
	lap_stop();
	way->release(base, AREA);
}

/* ---- number of runs ---- */

#define CALLS 64

/* Call @i is for one of the pages that are writable, which is every second. */
static size_t nth(size_t i, size_t runs)
{
	return runs < 2 ? 0 : i * (runs / 2) / CALLS % (runs / 2) * 2;
}

/* All that can be done to a page; then it is as it was. */
static void cycle(const struct way *way, char *at)
{
	lap_start("decommit", 1);
	way->decommit(at, PAGE);
	lap_stop();
	lap_start("commit", 1);
	way->commit(at, PAGE);
	lap_stop();
	lap_start("touch", 1);
	touch(at);
	lap_stop();
	lap_start("protect", 1);
	way->protect(at, PAGE, false);
	lap_stop();
	lap_start("grant", 1);
	way->protect(at, PAGE, true);
	lap_stop();
}

static void row_runs(const struct way *way, size_t runs)
{
	char *base = runs_make(way, runs);
	size_t i;

	for (i = 0; i < CALLS; i++)
		cycle(way, base + nth(i, runs) * PAGE);
}

/* ---- number of regions ---- */

static char **make_regions(const struct way *way, size_t nr)
{
	static char **base;
	size_t i;

	if (base)
		return base;
	base = calloc(nr, sizeof(*base));
	for (i = 0; i < nr; i++) {
		base[i] = way->reserve(UNIT, UNIT);
		way->commit(base[i], PAGE);
		touch(base[i]);
	}
	return base;
}

static void row_regions(const struct way *way, size_t nr)
{
	char **base = make_regions(way, nr), *more;
	size_t i;

	for (i = 0; i < CALLS; i++) {
		lap_start("reserve", 1);
		more = way->reserve(UNIT, UNIT);
		way->release(more, UNIT);
		lap_stop();
		cycle(way, base[i * nr / CALLS]);
		lap_start("query", 1);
		ask_winregion(base[i * nr / CALLS]);
		lap_stop();
	}
}

/* ---- number of obstacles ---- */

#define PLACES TIB(32)
#define STEP (2 * UNIT)

/* Each in a window of its own, with as much free between them */
static void make_obstacles(size_t nr)
{
	static size_t made;
	uint64_t address;

	for (; made < nr; made++) {
		address = PLACES + made * STEP;
		if (wr_reserve_at(device, &address, UNIT, 0, RW))
			die("no obstacle %zu: %s", made, strerror(errno));
	}
}

/* What fits in one place only, on the other side of the obstacles */
static void reserve_behind(const char *lap, uint64_t lowest, uint64_t highest,
			   uint32_t flags, uint64_t right)
{
	struct winregion_reserve arg = {
		.size = sizeof(arg),
		.flags = flags,
		.protection = RW,
		.length = STEP,
		.lowest = lowest,
		.highest = highest - 1,
	};
	int err;

	lap_start(lap, 1);
	err = wr_ioctl(device, WINREGION_RESERVE, &arg);
	lap_stop();
	if (err || arg.address != right ||
	    wr_release(device, (void *)(uintptr_t)arg.address, 0))
		die("%s: %d, at %#llx", lap, err,
		    (unsigned long long)arg.address);
}

static void row_places(const struct way *way, size_t nr)
{
	uint64_t end = PLACES + nr * STEP;
	size_t calls = nr > 1000 ? 1 : 4, i;

	make_obstacles(nr);
	for (i = 0; i < calls; i++) {
		lap_start("query", 1);
		if (!wr_is_gone(device, (void *)(PLACES + i * STEP + UNIT)))
			die("wrong answer");
		lap_stop();
		reserve_behind("reserve", PLACES, end + UNIT, 0, end - UNIT);
		reserve_behind("topdown", PLACES - STEP, end - UNIT,
			       WINREGION_RESERVE_TOP_DOWN, PLACES - STEP);
	}
}

#define SIZE(size) \
	{ "size", row_size, "winregion mmap", size, .series = true, \
	  .laps_of = "commit protect decommit" }
#define CYCLE "decommit commit touch protect grant"
#define RUNS(nr, ways) \
	{ "runs", row_runs, ways, nr, .many = true, .series = true, \
	  .laps_of = CYCLE }
#define REGIONS(nr) \
	{ "regions", row_regions, "winregion", nr, .many = true, \
	  .series = true, .laps_of = CYCLE " reserve query" }
#define PLACES_OF(nr, most) \
	{ "places", row_places, "winregion", nr, most, .many = true, \
	  .series = true, .laps_of = "query reserve topdown" }

const struct row series_rows[] = {
	SIZE(KIB(4)),
	SIZE(KIB(16)),
	SIZE(KIB(64)),
	SIZE(KIB(256)),
	SIZE(MIB(1)),
	SIZE(MIB(4)),
	SIZE(MIB(16)),
	SIZE(MIB(64)),
	RUNS(1, "winregion mmap"),
	RUNS(10, "winregion mmap"),
	RUNS(100, "winregion mmap"),
	RUNS(1000, "winregion mmap"),
	RUNS(10000, "winregion mmap"),
	RUNS(100000, "winregion mmap"),
	RUNS(1000000, "winregion"),
	REGIONS(1),
	REGIONS(10),
	REGIONS(100),
	REGIONS(1000),
	REGIONS(10000),
	REGIONS(100000),
	PLACES_OF(1, 0),
	PLACES_OF(1000, 1),
	PLACES_OF(16000, 1),
	{ }
};
