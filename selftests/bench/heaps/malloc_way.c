// SPDX-License-Identifier: GPL-2.0
/*
 * By malloc(): the C library's, or that of a library that is loaded before it
 */
#include <stdlib.h>

#include "../bench.h"
#include "heaps.h"

const char *way_name;

__attribute__((constructor)) static void find_name(void)
{
	way_name = getenv("HEAPS_WAY");
	if (!way_name)
		way_name = "glibc";
}

void *block_new(size_t size)
{
	return malloc(size);
}

void *block_resize(void *block, size_t size)
{
	return realloc(block, size);
}

void block_free(void *block)
{
	free(block);
}

void blocks_at_once(size_t nr)
{
	static char *blocks[1000];
	size_t i;

	for (i = 0; i < nr; i++) {
		blocks[i] = malloc(16 + i % 200);
		touch(blocks[i]);
	}
	for (i = 0; i < nr; i++)
		free(blocks[i]);
}

void run_claims(void)
{
}
