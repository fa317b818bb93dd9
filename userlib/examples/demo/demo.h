/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The demonstration: a Windows allocator at work, a map of the memory it has,
 * and one region with a hundred thousand changes of protection.
 *
 * Every scene prints what it does and returns the number of things that were
 * not as they must be.
 */
#ifndef DEMO_H
#define DEMO_H

#include <stddef.h>
#include <stdint.h>

#include <winregion/winregion.h>

/* The allocator, as it names its functions with USE_DL_PREFIX */
void *dlmalloc(size_t bytes);
void *dlcalloc(size_t count, size_t bytes);
void *dlrealloc(void *block, size_t bytes);
void dlfree(void *block);
int dlmalloc_trim(size_t pad);
size_t dlmalloc_footprint(void);

/* A short text that lives as long as the expression it is made in */
struct text {
	char s[32];
};

/* text.c: numbers for people */
struct text text_number(uint64_t number);
struct text text_bytes(uint64_t bytes);
struct text text_seconds(double seconds);
double now(void);
__attribute__((format(printf, 1, 2))) int wrong(const char *format, ...);
__attribute__((format(printf, 1, 2))) void die(const char *format, ...);

/* runs.c: what the kernel says about our memory */
struct runs {
	struct winregion_run *run;
	size_t count;
};

struct runs runs_read(uint64_t first, uint64_t last, int flags);
void runs_free(struct runs *runs);
struct winregion_get_info get_info(void);

/* VMAs in a range of addresses; @name: only those with this in their name */
uint64_t vmas_count(uint64_t first, uint64_t last, const char *name);
uint64_t max_map_count(void);

/* Set to leave contents unchecked: a benchmark is about the allocator. */
extern int workload_unchecked;

/* The scenes */
int workload_run(int spoil);
int workload_end(void);
int map_show(void);
int pages_show(void);

#endif /* DEMO_H */
