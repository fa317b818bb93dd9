// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A cache that is larger than the window through which it is seen
 *
 * Pages that stay in memory, by number, are the cache. One block of them at a time is
 * mapped in a window: what a program with few addresses does, or one that wants to
 * exchange what is at an address without copying it. The arguments are the sizes of
 * cache and window in MiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winregion/memoryapi.h>
#include <winregion/winregion.h>

#define PAGE 4096
#define MEGABYTE (1024 * 1024)

struct cache {
	char *window;
	size_t block; /* pages of the window, and of a block */
	ULONG_PTR pages;
	ULONG_PTR *numbers;
};

static int make_cache(struct cache *cache, size_t size, size_t window)
{
	cache->block = window / PAGE;
	cache->pages = size / PAGE;
	cache->numbers = calloc(cache->pages, sizeof(*cache->numbers));
	if (!cache->numbers)
		return 0;
	cache->window = VirtualAlloc(NULL, window, MEM_RESERVE | MEM_PHYSICAL,
				     PAGE_READWRITE);
	if (!cache->window)
		return 0;
	if (!AllocateUserPhysicalPages(GetCurrentProcess(), &cache->pages,
				       cache->numbers))
		return 0;

	/* There may be fewer than asked for; whole blocks of them are used. */
	return cache->pages >= cache->block;
}

static int show(struct cache *cache, size_t number)
{
	return MapUserPhysicalPages(cache->window, cache->block,
				    cache->numbers + number * cache->block);
}

/* Each block holds its own number. */
static int fill_and_check(struct cache *cache)
{
	size_t blocks = cache->pages / cache->block, i;
	size_t bytes = cache->block * PAGE;

	for (i = 0; i < blocks; i++) {
		if (!show(cache, i))
			return 0;
		memset(cache->window, (int)i + 1, bytes);
	}
	for (i = blocks; i--;) {
		if (!show(cache, i))
			return 0;
		if (cache->window[0] != (char)(i + 1) ||
		    cache->window[bytes - 1] != (char)(i + 1))
			return 0;
	}
	printf("%zu blocks of %zu MiB seen through one window\n", blocks,
	       bytes / MEGABYTE);

	return 1;
}

static int free_cache(struct cache *cache)
{
	int freed = FreeUserPhysicalPages(GetCurrentProcess(), &cache->pages,
					  cache->numbers);

	free(cache->numbers);

	return VirtualFree(cache->window, 0, MEM_RELEASE) && freed;
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 0) : 64;
	size_t window = argc > 2 ? strtoul(argv[2], NULL, 0) : 4;
	const char *why = winregion_unavailable();
	struct cache cache = { 0 };

	if (!window || size < window) {
		fprintf(stderr, "usage: %s [MiB of cache [MiB of window]]\n",
			argv[0]);
		return 2;
	}
	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	if (!make_cache(&cache, size * MEGABYTE, window * MEGABYTE)) {
		fprintf(stderr, "no cache: error %u\n",
			(unsigned int)GetLastError());
		return 1;
	}
	if (!fill_and_check(&cache) || !free_cache(&cache)) {
		fprintf(stderr, "error %u\n", (unsigned int)GetLastError());
		return 1;
	}

	return 0;
}
