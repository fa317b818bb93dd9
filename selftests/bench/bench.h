/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The benchmark: what an operation costs by winregion, and by each recipe that
 * a program could use without it.
 *
 * A row is an operation, a way is how to do it. Every row is run by every way
 * that it knows and the kernel has, each in a process of its own (main.c), in a
 * loop of the same shape: first once for nothing, then a few times by the
 * clock, and once more, not by the clock, to count faults, VMAs and mmap_lock.
 */
#ifndef _SELFTESTS_BENCH_H
#define _SELFTESTS_BENCH_H

#include "../common.h"
#include "../wr_test_util.h"

#define PAGE PAGES(1)
#define UNIT KIB(64)
#define AREA MIB(64)
#define HUGE MIB(2)

/* The most ranges that the row of one call for many has */
#define VECTOR 64

/**
 * struct way - how a program manages memory
 * @name: as in the table
 * @exists: whether the kernel has it; NULL: always
 * @reserve: @length bytes of address space at a multiple of @alignment
 * @release: all of them
 * @commit: make the pages usable
 * @commit_many: ... of @nr ranges of UNIT bytes, 2 * UNIT apart
 * @decommit: give the pages back
 * @protect: read-only, or writable again
 * @execute: read-only code, or writable again
 */
struct way {
	const char *name;
	bool (*exists)(void);
	char *(*reserve)(size_t length, size_t alignment);
	void (*release)(char *base, size_t length);
	void (*commit)(char *at, size_t length);
	void (*commit_many)(char *at, unsigned int nr);
	void (*decommit)(char *at, size_t length);
	void (*protect)(char *at, size_t length, bool writable);
	void (*execute)(char *at, size_t length, bool code);
};

/**
 * struct row - what is measured
 * @name: as in the file "rows"
 * @run: does it once; calls lap_start() and lap_stop()
 * @ways: the names of ways that it is measured by
 * @size: passed to @run, and printed
 * @laps_of: the names of laps, where it has several
 * @laps: at most so many by the clock; 0: as many as asked for
 * @huge: with transparent huge pages always, otherwise never
 * @many: nobody counts its VMAs, which may be a million
 * @series: for the plots and what must be flat, by instructions only
 * @wall: by the clock on the wall only
 * @once: not by laps: @run prints the figure itself
 * @apart: in a machine of its own, and so only where it is named
 */
struct row {
	const char *name;
	void (*run)(const struct way *way, size_t size);
	const char *ways;
	size_t size;
	unsigned int laps;
	const char *laps_of;
	bool huge;
	bool many;
	bool series;
	bool wall;
	bool once;
	bool apart;
};

/* die.c */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format,
							 ...);

/**
 * struct counts - what the kernel counts
 * @faults: minor faults
 * @vmas: of the process
 * @locks: how often it took mmap_lock for writing
 */
struct counts {
	uint64_t faults;
	uint64_t vmas;
	uint64_t locks;
};

/* count.c */
void counts_read(struct counts *counts, bool vmas);
bool write_word(const char *path, const char *word);
uint64_t words_value(const char *path, const char *word);

/* beside.c: the file NAME and SUFFIX beside the program; good until the next call */
char *path_beside(const char *name, const char *suffix);

/* measure.c */
enum clock {
	CLOCK_INSTRUCTIONS,	/* of the guest, where QEMU counts them */
	CLOCK_WALL,
};

extern enum clock bench_clock;

uint64_t clock_now(void);
void lap_start(const char *name, size_t ops);
void lap_stop(void);
void lap_peak(void);
void measure(const struct row *row, const struct way *way, unsigned int laps);
void print_figure(const char *row, const char *way, size_t size, double value,
		  const struct counts *counts);

/* ways.c */
extern const struct way ways[];
extern const unsigned int nr_ways;
extern int device;

const struct way *way_find(const char *name);
void bench_open(void);

/* The rows, each list ends with an empty one. */
extern const struct row basic_rows[];	/* basic.c */
extern const struct row alarm_rows[];	/* alarms.c */
extern const struct row event_rows[];	/* events.c */
extern const struct row query_rows[];	/* query.c */
extern const struct row other_rows[];	/* others.c */
extern const struct row series_rows[];	/* series.c */
extern const struct row view_rows[];	/* views.c */
extern const struct row watch_rows[];	/* watch.c */
extern const struct row memory_rows[];	/* memory.c */
extern const struct row thread_rows[];	/* threads.c */
extern const struct row stack_rows[];	/* stacks.c */
extern const struct row frame_rows[];	/* frames.c */
extern const struct row paging_rows[];	/* paging.c */

/* runs.c: an area of many runs, or VMAs */
char *runs_make(const struct way *way, size_t runs);
void runs_alternate(char *base, size_t runs);

/* query.c */
void ask_winregion(char *at);
void ask_null(char *at);
bool procmap_exists(void);

/* watch.c */
bool uffd_exists(void);

/* settle.c */
void settle(void);

static inline void touch(char *at)
{
	*(volatile char *)at = 1;
}

static inline void touch_all(char *base, size_t length)
{
	size_t i;

	for (i = 0; i < length; i += PAGE)
		touch(base + i);
}

#endif /* _SELFTESTS_BENCH_H */
