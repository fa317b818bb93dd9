// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of single operations
 *
 * "Isolated" is 64 KiB at every 128 KiB, so that no two have a common edge;
 * all others come one after the other, which suits the recipes best.
 */
#include "bench.h"

#define UNITS (AREA / UNIT)
#define AREA_PAGES (AREA / PAGE)
#define PAIRS 64

/* ---- reserve and release ---- */

/* Another region stays, as in most programs. */
static void row_reserve(const struct way *way, size_t length)
{
	char *other = way->reserve(UNIT, UNIT), *base;
	unsigned int i;

	lap_start("", PAIRS);
	for (i = 0; i < PAIRS; i++) {
		base = way->reserve(length, UNIT);
		lap_peak();
		way->release(base, length);
	}
	lap_stop();
	way->release(other, UNIT);
}

/* ---- commit ---- */

static void row_commit(const struct way *way, size_t stride)
{
	char *base = way->reserve(AREA, HUGE);
	size_t i;

	lap_start("", AREA / stride);
	for (i = 0; i < AREA; i += stride)
		way->commit(base + i, UNIT);
	lap_stop();
	way->release(base, AREA);
}

static void row_commit_vector(const struct way *way, size_t nr)
{
	char *base = way->reserve(AREA, HUGE);
	size_t step = 2 * UNIT * nr, i;

	lap_start("", AREA / step);
	for (i = 0; i < AREA; i += step)
		way->commit_many(base + i, nr);
	lap_stop();
	way->release(base, AREA);
}

/* ---- touch ---- */

static char *committed(const struct way *way)
{
	char *base = way->reserve(AREA, HUGE);

	way->commit(base, AREA);
	return base;
}

static char *resident(const struct way *way)
{
	char *base = committed(way);

	touch_all(base, AREA);
	return base;
}

/* With a step that is odd every page comes once. */
static void row_touch(const struct way *way, size_t step)
{
	char *base = committed(way);
	size_t i;

	lap_start("", AREA_PAGES);
	for (i = 0; i < AREA_PAGES; i++)
		touch(base + i * step % AREA_PAGES * PAGE);
	lap_stop();
	way->release(base, AREA);
}

static void row_touch_huge(const struct way *way, size_t length)
{
	char *base = committed(way);

	lap_start("", 1);
	touch_all(base, length);
	lap_stop();
	way->release(base, AREA);
}

static void row_retouch(const struct way *way, size_t length)
{
	char *base = resident(way);
	size_t i;

	for (i = 0; i < length; i += UNIT) {
		way->decommit(base + i, UNIT);
		way->commit(base + i, UNIT);
	}
	lap_start("", length / PAGE);
	touch_all(base, length);
	lap_stop();
	way->release(base, AREA);
}

/* ---- decommit ---- */

static void decommit_all(const struct way *way, char *base)
{
	size_t i;

	lap_start("", UNITS);
	for (i = 0; i < AREA; i += UNIT)
		way->decommit(base + i, UNIT);
	lap_stop();
	way->release(base, AREA);
}

static void row_decommit_touched(const struct way *way, size_t length)
{
	decommit_all(way, resident(way));
}

static void row_decommit_untouched(const struct way *way, size_t length)
{
	decommit_all(way, committed(way));
}

/* ---- protect ---- */

static void row_protect(const struct way *way, size_t length)
{
	char *base = resident(way);

	lap_start("", 1);
	way->protect(base, length, false);
	way->protect(base, length, true);
	touch_all(base, length);
	lap_stop();
	way->release(base, AREA);
}

static void row_protect_alternating(const struct way *way, size_t stride)
{
	char *base = resident(way);
	size_t i;

	lap_start("", AREA / stride);
	for (i = 0; i < AREA; i += stride)
		way->protect(base + i, PAGE, false);
	lap_stop();
	way->release(base, AREA);
}

/* ---- calls that grant, for their locks ---- */

/* A read-only page first: from then on the window is told of writes. */
static void row_grant(const struct way *way, size_t length)
{
	char *base = way->reserve(AREA, HUGE);
	size_t i;

	way->commit(base, UNIT);
	touch_all(base, UNIT);
	way->protect(base, UNIT, false);
	lap_start("", 1 + length / (2 * UNIT));
	way->protect(base, UNIT, true);
	for (i = 2 * UNIT; i < length; i += 2 * UNIT)
		way->commit(base + i, UNIT);
	way->commit_many(base + UNIT, VECTOR);
	lap_stop();
	way->release(base, AREA);
}

#define COMMITS "winregion mmap guard"
#define DECOMMITS "winregion mmap madvise guard"

const struct row basic_rows[] = {
	{ "reserve-64k", row_reserve, "winregion mmap guard", UNIT },
	{ "reserve-64m", row_reserve, "winregion mmap guard", AREA },
	{ "commit-isolated", row_commit, COMMITS, 2 * UNIT },
	{ "commit-sequential", row_commit, COMMITS, UNIT },
	{ "commit-vector", row_commit_vector, COMMITS, VECTOR },
	{ "touch-sequential", row_touch, "winregion mmap", 1 },
	{ "touch-random", row_touch, "winregion mmap", 6151 },
	{ "touch-huge", row_touch_huge, "winregion mmap", AREA, .huge = true },
	{ "retouch", row_retouch, DECOMMITS, AREA },
	{ "decommit-touched", row_decommit_touched, DECOMMITS, UNIT },
	{ "decommit-untouched", row_decommit_untouched, DECOMMITS, UNIT },
	{ "protect", row_protect, "winregion mmap", AREA },
	{ "protect-huge", row_protect, "winregion mmap", AREA, .huge = true },
	{ "protect-alternating", row_protect_alternating, "winregion mmap",
	  2 * PAGE },
	{ "grant", row_grant, "winregion mmap", AREA },
	{ }
};
