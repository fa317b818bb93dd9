// SPDX-License-Identifier: GPL-2.0
/*
 * Loaded before a program: writes what it allocates to the file that HEAPS_TRACE names,
 * as events of trace.h. The blocks are the C library's.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace.h"

#define BUFFERED 4096
#define BLOCKS 0x100000U

/* The C library's own, by the names that no other library takes */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nr, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct trace_event events[BUFFERED];
static unsigned int nr_events;
static int file = -1;

/* The numbers of blocks, found by where they are; of what is gone there is a trace. */
static struct place {
	const void *block;
	uint32_t number;
} places[BLOCKS];
static uint32_t next_number;
static bool ended;

#define GONE ((const void *)1)

static struct place *first_place(const void *block)
{
	return &places[(uintptr_t)block * 0x9E3779B97F4A7C15ULL >> 44];
}

static struct place *after(struct place *place)
{
	return place + 1 < places + BLOCKS ? place + 1 : places;
}

/* NULL: nobody knows that block. */
static struct place *find(const void *block)
{
	struct place *place = first_place(block);

	while (place->block && place->block != block)
		place = after(place);
	return place->block ? place : NULL;
}

static void put(const void *block, uint32_t number)
{
	struct place *place = first_place(block);

	while (place->block && place->block != GONE)
		place = after(place);
	*place = (struct place){ block, number };
}

static void put_out(void)
{
	const char *name = getenv("HEAPS_TRACE");
	size_t bytes = nr_events * sizeof(*events);

	if (file < 0 && name)
		file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			    0644);
	if (file < 0 || write(file, events, bytes) != (ssize_t)bytes)
		_exit(98);
	nr_events = 0;
}

static void add(enum trace_what what, uint32_t block, size_t size)
{
	if (ended)
		return;
	events[nr_events++] = (struct trace_event){ what, block,
						    size ? size : 1 };
	if (nr_events == BUFFERED)
		put_out();
}

static void tell_new(const void *block, size_t size)
{
	if (!block)
		return;
	pthread_mutex_lock(&lock);
	put(block, next_number);
	add(TRACE_NEW, next_number++, size);
	pthread_mutex_unlock(&lock);
}

static void tell_free(const void *block)
{
	struct place *place;

	pthread_mutex_lock(&lock);
	place = find(block);
	if (place) {
		place->block = GONE;
		add(TRACE_FREE, place->number, 0);
	}
	pthread_mutex_unlock(&lock);
}

void *malloc(size_t size)
{
	void *block = __libc_malloc(size);

	tell_new(block, size);
	return block;
}

void *calloc(size_t nr, size_t size)
{
	void *block = __libc_calloc(nr, size);

	tell_new(block, nr * size);
	return block;
}

/* One that moves keeps its number. */
void *realloc(void *block, size_t size)
{
	struct place *place;
	void *other;

	if (!block)
		return malloc(size);
	if (!size) {
		free(block);
		return NULL;
	}
	pthread_mutex_lock(&lock);
	place = find(block);
	other = __libc_realloc(block, size);
	if (other && place) {
		place->block = GONE;
		put(other, place->number);
		add(TRACE_RESIZE, place->number, size);
	}
	pthread_mutex_unlock(&lock);
	return other;
}

void free(void *block)
{
	if (block)
		tell_free(block);
	__libc_free(block);
}

__attribute__((destructor)) static void end(void)
{
	pthread_mutex_lock(&lock);
	put_out();
	ended = true;
	pthread_mutex_unlock(&lock);
}
