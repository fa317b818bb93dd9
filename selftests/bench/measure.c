// SPDX-License-Identifier: GPL-2.0
/*
 * Laps: what is measured of a row, and its median
 *
 * Where QEMU counts instructions, a tick of the time stamp counter is one of
 * them, on the one processor that there is. So a lap contains the timer's
 * interrupts, a small part of it, and whatever else the kernel finds to do;
 * that is what the median is for.
 */
#include <sys/mman.h>

#include "bench.h"

#define MAX_NAMES 16
#define MAX_LAPS 32

struct lap {
	const char *name;
	uint64_t ops;
	uint64_t cost;
	struct counts counts;
	unsigned int nr;
	double samples[MAX_LAPS];
};

enum clock bench_clock;

/* Shared with children, which may have laps too. */
static struct lap *table;
static struct lap *lap;
static bool counting, with_vmas;
static uint64_t started;
static struct counts before;
static uint64_t peak;

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)
			 : : "memory");
	return (uint64_t)high << 32 | low;
}

static uint64_t wall_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Instructions or nanoseconds */
uint64_t clock_now(void)
{
	return bench_clock == CLOCK_WALL ? wall_now() : read_tsc();
}

/*
 * For the profile (see there), which is to be of laps only: it looks into a
 * register that nobody else uses.
 */
static void mark_lap(uint64_t value)
{
	__asm__ volatile("movq %0, %%xmm15" : : "r"(value) : "xmm15");
}

static void make_table(void)
{
	table = mmap(NULL, MAX_NAMES * sizeof(*table), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (table == MAP_FAILED)
		die("no memory for laps");
}

static struct lap *lap_named(const char *name)
{
	struct lap *l;

	if (!table)
		make_table();
	l = table;
	while (l->name && strcmp(l->name, name))
		if (++l == table + MAX_NAMES)
			die("too many names");
	l->name = name;
	return l;
}

/*
 * What follows is @ops operations; @name tells those of one row apart. A lap
 * may be of several pieces with the same name.
 */
void lap_start(const char *name, size_t ops)
{
	lap = lap_named(name);
	lap->ops += ops;
	if (counting) {
		peak = 0;
		counts_read(&before, with_vmas);
	}
	mark_lap(0x77696e726567696fULL);
	started = clock_now();
}

void lap_stop(void)
{
	uint64_t end = clock_now();
	struct counts after;

	mark_lap(0);
	lap->cost += end - started;
	if (!counting)
		return;
	counts_read(&after, with_vmas);
	if (peak > after.vmas)
		after.vmas = peak;
	lap->counts.faults += after.faults - before.faults;
	lap->counts.locks += after.locks - before.locks;
	if (after.vmas > before.vmas)
		lap->counts.vmas += after.vmas - before.vmas;
}

/* Count VMAs here, where there are most. */
void lap_peak(void)
{
	struct counts now;

	if (counting && !peak) {
		counts_read(&now, with_vmas);
		peak = now.vmas;
	}
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of values that are sorted */
static double median(const double *values, unsigned int nr)
{
	return (values[(nr - 1) / 2] + values[nr / 2]) / 2;
}

static void print_lap(const struct row *row, const struct way *way,
		      struct lap *l)
{
	double ops = l->ops;

	qsort(l->samples, l->nr, sizeof(*l->samples), compare);
	printf("figure %s%s%s %s %zu %.1f %.3f %.3f %.3f %.1f %.1f\n",
	       row->name, *l->name ? "-" : "", l->name, way->name, row->size,
	       median(l->samples, l->nr), l->counts.faults / ops,
	       l->counts.vmas / ops, l->counts.locks / ops, l->samples[0],
	       l->samples[l->nr - 1]);
}

/* A figure that is not from laps */
void print_figure(const char *row, const char *way, size_t size, double value,
		  const struct counts *counts)
{
	static const struct counts none;

	if (!counts)
		counts = &none;
	printf("figure %s %s %zu %.3f %llu %llu %llu %.3f %.3f\n", row, way,
	       size, value, (unsigned long long)counts->faults,
	       (unsigned long long)counts->vmas,
	       (unsigned long long)counts->locks, value, value);
}

static void begin_laps(void)
{
	struct lap *l;

	for (l = table; l < table + MAX_NAMES; l++) {
		l->ops = 0;
		l->cost = 0;
	}
}

static void keep_samples(void)
{
	struct lap *l;

	for (l = table; l < table + MAX_NAMES && l->name; l++)
		l->samples[l->nr++] = (double)l->cost / l->ops;
}

/* Run @row by @way, and print its figures. */
void measure(const struct row *row, const struct way *way, unsigned int laps)
{
	struct lap *l;
	unsigned int i;

	if (row->laps && laps > row->laps)
		laps = row->laps;
	if (laps > MAX_LAPS)
		laps = MAX_LAPS;
	with_vmas = !row->many;
	row->run(way, row->size);
	for (i = 0; i < laps; i++) {
		begin_laps();
		row->run(way, row->size);
		keep_samples();
	}
	begin_laps();
	counting = true;
	row->run(way, row->size);
	for (l = table; l < table + MAX_NAMES && l->name; l++)
		print_lap(row, way, l);
}
