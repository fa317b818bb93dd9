// SPDX-License-Identifier: GPL-2.0
/*
 * By a heap of the library, and what is said of heaps: each against its opposite
 */
#include "../bench.h"
#include "heaps.h"

#include <pthread.h>

#include <winregion/heapapi.h>
#include <winregion/memoryapi.h>

const char *way_name = "winregion";

static HANDLE heap;

__attribute__((constructor)) static void make_heap(void)
{
	heap = HeapCreate(0, 0, 0);
	if (!heap)
		die("no heap");
}

void *block_new(size_t size)
{
	return HeapAlloc(heap, 0, size);
}

void *block_resize(void *block, size_t size)
{
	return block ? HeapReAlloc(heap, 0, block, size) :
		       HeapAlloc(heap, 0, size);
}

void block_free(void *block)
{
	if (block && !HeapFree(heap, 0, block))
		die("a block was not freed");
}

static void fill(HANDLE in, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		touch(HeapAlloc(in, 0, 16 + i % 200));
}

void blocks_at_once(size_t nr)
{
	HANDLE own = HeapCreate(0, 0, 0);

	fill(own, nr);
	HeapDestroy(own);
}

/* ---- what is said ---- */

/* One way against the other: this program has the names of both. */
static void print_claim(const char *row, double ours, double other)
{
	print_figure(row, "winregion", 1, ours, NULL);
	print_figure(row, "other", 1, other, NULL);
}

static double by_heap(size_t size, unsigned int n)
{
	uint64_t begun = clock_now();
	unsigned int i;
	char *block;

	for (i = 0; i < n; i++) {
		block = HeapAlloc(heap, 0, size);
		touch(block);
		HeapFree(heap, 0, block);
	}
	return (double)(clock_now() - begun) / n;
}

static double by_pages(size_t size, unsigned int n)
{
	uint64_t begun = clock_now();
	unsigned int i;
	char *block;

	for (i = 0; i < n; i++) {
		block = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
				     PAGE_READWRITE);
		touch(block);
		VirtualFree(block, 0, MEM_RELEASE);
	}
	return (double)(clock_now() - begun) / n;
}

struct node {
	struct node *next;
	char data[40];
};

/* Pages that a list lies in */
static size_t pages_of(const struct node *node)
{
	size_t n = 0;
	uintptr_t last = 0;

	for (; node; node = node->next) {
		n += (uintptr_t)node / PAGE != last;
		last = (uintptr_t)node / PAGE;
	}
	return n;
}

/* A list that grows while others allocate, in a heap of its own or in theirs */
static double pages_of_list(HANDLE own)
{
	struct node *first = NULL, *node;
	unsigned int i;

	for (i = 0; i < 5000; i++) {
		node = HeapAlloc(own, 0, sizeof(*node));
		node->next = first;
		first = node;
		touch(HeapAlloc(heap, 0, 16 + i % 400));
	}
	return pages_of(first);
}

static double by_lock(DWORD flags)
{
	HANDLE own = HeapCreate(flags, 0, 0);
	uint64_t begun;
	unsigned int i;
	char *block;

	for (i = 0; i < 100; i++)
		touch(HeapAlloc(own, 0, 2000));
	begun = clock_now();
	for (i = 0; i < 20000; i++) {
		block = HeapAlloc(own, 0, 3000);
		touch(block);
		HeapFree(own, 0, block);
	}
	begun = clock_now() - begun;
	HeapDestroy(own);
	return begun / 20000.0;
}

static void *sleep_until(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

/* With another thread that does nothing, or locks are left out. */
static void claim_lock(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	pthread_mutex_lock(&mutex);
	pthread_create(&thread, NULL, sleep_until, &mutex);
	print_claim("claim-lock", by_lock(HEAP_NO_SERIALIZE), by_lock(0));
	pthread_mutex_unlock(&mutex);
	pthread_join(thread, NULL);
}

static double end_of_all(bool at_once)
{
	static char *blocks[10000];
	HANDLE own = HeapCreate(0, 0, 0);
	uint64_t begun;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		blocks[i] = HeapAlloc(own, 0, 16 + i % 200);
		touch(blocks[i]);
	}
	begun = clock_now();
	for (i = 0; !at_once && i < ARRAY_SIZE(blocks); i++)
		HeapFree(own, 0, blocks[i]);
	HeapDestroy(own);
	return clock_now() - begun;
}

void run_claims(void)
{
	by_heap(64, 100);
	by_pages(KIB(64), 100);
	print_claim("claim-large", by_pages(MIB(8), 200),
		    by_heap(MIB(8), 200));
	print_claim("claim-small", by_heap(64, 5000), by_pages(64, 2000));
	print_claim("claim-locality", pages_of_list(HeapCreate(0, 0, 0)),
		    pages_of_list(heap));
	claim_lock();
	print_claim("claim-at-once", end_of_all(true), end_of_all(false));
}
