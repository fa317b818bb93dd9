// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of views: a file in memory, mapped by winregion, and by mmap()
 *
 * The file is a memfd, all of whose pages are there, but where the row is about
 * the paging file: that is a section's own memory, and beside it a memfd without
 * pages. "Others" are mappings of the same pages by mmap(), which a change in one
 * view must leave alone.
 */
#include "bench.h"
#include "../sections.h"

#define LENGTH MIB(4)
#define PAIRS 64
#define CALLS 64

/* By one letter: strcmp() may clear the register that marks laps: see measure.c. */
static bool is_ours(const struct way *way)
{
	return way->name[0] == 'w';
}

static int make_file(size_t length, bool full)
{
	int file = memfd_create("bench", MFD_CLOEXEC);

	if (file < 0 || ftruncate(file, length) ||
	    (full && fallocate(file, 0, 0, length)))
		die("no file: %s", strerror(errno));
	return file;
}

/* What map() maps of a file: the file, or a section of it */
static int of_file(const struct way *way, int file)
{
	int section;

	if (!is_ours(way))
		return file;
	section = sec_create(device, file, 0, 0, RW);
	if (section < 0)
		die("no section: %s", strerror(-section));
	return section;
}

/* ... of the paging file */
static int of_paging(const struct way *way, size_t length, uint32_t flags)
{
	int section;

	if (!is_ours(way))
		return make_file(length, false);
	section = sec_create(device, -1, length, flags, RW);
	if (section < 0)
		die("no section: %s", strerror(-section));
	return section;
}

static char *map(const struct way *way, int fd, size_t length)
{
	char *base;
	int err;

	if (is_ours(way)) {
		err = sec_map(fd, 0, length, RW, &base);
		if (err)
			die("no view: %s", strerror(-err));
		return base;
	}
	base = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		die("no mapping: %s", strerror(errno));
	return base;
}

static void unmap(const struct way *way, char *base, size_t length)
{
	if (is_ours(way) ? sec_unmap(device, base) : munmap(base, length))
		die("not unmapped");
}

/* ---- touch ---- */

static void row_there(const struct way *way, bool write)
{
	static int fd;
	char *base;
	size_t i;

	if (!fd)
		fd = of_file(way, make_file(LENGTH, true));
	base = map(way, fd, LENGTH);
	lap_start("", LENGTH / PAGE);
	for (i = 0; i < LENGTH; i += PAGE)
		if (write)
			touch(base + i);
		else
			(void)*(volatile char *)(base + i);
	lap_stop();
	unmap(way, base, LENGTH);
}

static void row_read(const struct way *way, size_t size)
{
	row_there(way, false);
}

static void row_write(const struct way *way, size_t size)
{
	row_there(way, true);
}

static void row_touch(const struct way *way, size_t length)
{
	int fd = of_paging(way, length, 0);
	char *base = map(way, fd, length);

	lap_start("", length / PAGE);
	touch_all(base, length);
	lap_stop();
	unmap(way, base, length);
	close(fd);
}

/* ---- protect ---- */

#define FEW 64 /* pages */

static void map_others(int file, size_t nr)
{
	const char *base;
	size_t i, j;

	for (i = 0; i < nr; i++) {
		base = mmap(NULL, FEW * PAGE, PROT_READ, MAP_SHARED, file, 0);
		if (base == MAP_FAILED)
			die("no %zu mappings", nr);
		for (j = 0; j < FEW; j++)
			(void)*(volatile const char *)(base + j * PAGE);
	}
}

static void row_protect(const struct way *way, size_t others)
{
	static char *base;
	size_t i;
	int file;

	if (!base) {
		file = make_file(FEW * PAGE, true);
		base = map(way, of_file(way, file), FEW * PAGE);
		touch_all(base, FEW * PAGE);
		map_others(file, others);
	}
	lap_start("", FEW);
	for (i = 0; i < FEW; i++) {
		way->protect(base + i * PAGE, PAGE, false);
		way->protect(base + i * PAGE, PAGE, true);
		touch(base + i * PAGE);
	}
	lap_stop();
}

/* ---- map and unmap ---- */

/* Beside a view that stays, as in any program that has more than one. */
static void row_map(const struct way *way, size_t length)
{
	static int fd;
	unsigned int i;
	char *base;

	if (!fd) {
		fd = of_file(way, make_file(length, true));
		map(way, of_file(way, make_file(UNIT, true)), UNIT);
	}
	lap_start("", PAIRS);
	for (i = 0; i < PAIRS; i++) {
		base = map(way, fd, length);
		lap_peak();
		unmap(way, base, length);
	}
	lap_stop();
}

/* ---- commit ---- */

/* Beside it, what a call costs that does nothing */
static void row_commit(const struct way *way, size_t stride)
{
	char *base = NULL;
	size_t i;
	int fd = -1;

	if (is_ours(way)) {
		fd = of_paging(way, LENGTH, WINREGION_SECTION_RESERVE);
		base = map(way, fd, LENGTH);
	}
	lap_start("", LENGTH / stride);
	for (i = 0; i < LENGTH; i += stride) {
		if (base)
			way->commit(base + i, PAGE);
		else
			ask_null(NULL);
	}
	lap_stop();
	if (base)
		unmap(way, base, LENGTH);
	close(fd);
}

/* ---- number of runs ---- */

/* Writable pages and read-only ones take turns, in one view. */
static char *view_of_runs(const struct way *way, size_t runs)
{
	int fd = of_file(way, make_file(runs * PAGE, false));
	char *base = map(way, fd, runs * PAGE);

	runs_alternate(base, runs);
	return base;
}

/* A page that is there, and may be written; then it is as it was. */
static void cycle(const struct way *way, char *at)
{
	touch(at);
	lap_start("query", 1);
	ask_winregion(at);
	lap_stop();
	lap_start("protect", 1);
	way->protect(at, PAGE, false);
	lap_stop();
	lap_start("grant", 1);
	way->protect(at, PAGE, true);
	lap_stop();
	lap_start("touch", 1);
	touch(at);
	lap_stop();
}

static void row_runs(const struct way *way, size_t runs)
{
	static char *base;
	size_t i;

	if (!base)
		base = view_of_runs(way, runs);
	for (i = 0; i < CALLS; i++)
		cycle(way, base + i * (runs / 2) / CALLS * 2 * PAGE);
}

/* ---- number of views ---- */

static int make_views(const struct way *way, char **base, size_t nr)
{
	int fd = of_file(way, make_file(UNIT, true));
	size_t i;

	for (i = 0; i < nr; i++) {
		base[i] = map(way, fd, UNIT);
		touch_all(base[i], UNIT);
		/* As it will be once it has been used: tracked */
		way->protect(base[i], PAGE, false);
		way->protect(base[i], PAGE, true);
	}
	return fd;
}

static void row_views(const struct way *way, size_t nr)
{
	static char **base;
	static int fd;
	char *more;
	size_t i;

	if (!base) {
		base = calloc(nr, sizeof(*base));
		fd = make_views(way, base, nr);
	}
	for (i = 0; i < CALLS; i++) {
		lap_start("map", 1);
		more = map(way, fd, UNIT);
		unmap(way, more, UNIT);
		lap_stop();
		cycle(way, base[i * nr / CALLS]);
	}
}

#define BOTH "winregion mmap"
#define CYCLE "query protect grant touch"
#define RUNS(nr) \
	{ "view-runs", row_runs, "winregion", nr, .many = true, \
	  .series = true, .laps_of = CYCLE }
#define VIEWS(nr) \
	{ "views", row_views, "winregion", nr, .many = true, .series = true, \
	  .laps_of = CYCLE " map" }

const struct row view_rows[] = {
	{ "view-read", row_read, BOTH, LENGTH },
	{ "view-write", row_write, BOTH, LENGTH },
	{ "view-touch", row_touch, BOTH, LENGTH },
	{ "view-protect", row_protect, BOTH, 0 },
	{ "view-protect", row_protect, BOTH, 32 },
	{ "view-protect", row_protect, BOTH, 1000 },
	{ "view-map-64k", row_map, BOTH, UNIT },
	{ "view-map-4m", row_map, BOTH, LENGTH },
	{ "view-commit", row_commit, "winregion null", 2 * PAGE },
	RUNS(10),
	RUNS(1000),
	RUNS(100000),
	RUNS(1000000),
	VIEWS(1),
	VIEWS(100),
	VIEWS(10000),
	{ }
};
