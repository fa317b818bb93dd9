/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rows of heaps: the same work by each allocator, in programs of their own
 */
#ifndef _SELFTESTS_BENCH_HEAPS_H
#define _SELFTESTS_BENCH_HEAPS_H

#include <stddef.h>

/* The allocator that this program is about: heap_way.c or malloc_way.c */
extern const char *way_name;

void *block_new(size_t size);
void *block_resize(void *block, size_t size);
void block_free(void *block);

/* @nr blocks, one page of a program's work with each, and all of them are gone */
void blocks_at_once(size_t nr);

/* Rows that only heaps have: what speaks for them, and what against */
void run_claims(void);

#endif /* _SELFTESTS_BENCH_HEAPS_H */
