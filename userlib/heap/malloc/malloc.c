// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * malloc() and its kind on the process' heap, for programs that are run with
 *
 *	LD_PRELOAD=libwinregion-heap-malloc.so
 *
 * Which allocator it is, the first call decides, for the whole life of the process:
 * without the module it is the next one, the C library's as a rule, and standard error
 * says so. That first call comes before any constructor, and what is asked for to
 * answer it may allocate by itself: this is served from a small array, of which
 * nothing is ever freed.
 *
 * No block is handed to an allocator that it is not of: one that the heap does not
 * know ends the program, as it does with the C library.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <winregion/errhandlingapi.h>
#include <winregion/winregion.h>

#include "../src/heap.h"

#define EXPORT __attribute__((visibility("default")))
#define PAGE 4096UL

/* ---- the first blocks ---- */

#define EARLY_SIZE 65536UL

/* In front of each such block */
struct early {
	size_t size;
	size_t unused;
};

static char early[EARLY_SIZE] __attribute__((aligned(4096)));
static atomic_size_t early_used;

static bool is_early(const void *block)
{
	return (uintptr_t)block - (uintptr_t)early < EARLY_SIZE;
}

static void *early_new(size_t size, size_t align)
{
	size_t used = early_used;
	struct early *head;
	size_t begin;

	if (align < WR_ALIGN)
		align = WR_ALIGN;
	if (size > EARLY_SIZE || align > PAGE)
		return NULL;
	do {
		begin = wr_round_up(used + sizeof(*head), align);
		if (begin + size > EARLY_SIZE)
			return NULL;
	} while (!atomic_compare_exchange_weak(&early_used, &used,
					       begin + size));
	head = (struct early *)(early + begin) - 1;
	head->size = size;

	return early + begin;
}

static size_t early_size(const void *block)
{
	return ((const struct early *)block - 1)->size;
}

/* ---- which allocator ---- */

/* The next one's */
static struct {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t nr, size_t size);
	void *(*realloc)(void *block, size_t size);
	void (*free)(void *block);
	void *(*memalign)(size_t align, size_t size);
	size_t (*malloc_usable_size)(void *block);
} next;

enum choice {
	NOT_YET,
	HEAP,
	NEXT
};

static _Atomic enum choice choice;
/* Constant from then on */
static HANDLE heap;

/* This thread is at it: what it allocates meanwhile is early. */
static __thread bool choosing __attribute__((tls_model("initial-exec")));

/* What can be said without allocating */
static void say(const char *text, const char *more)
{
	char line[300];
	int length = snprintf(line, sizeof(line),
			      "libwinregion-heap-malloc: %s%s\n", text, more);

	if (length >= (int)sizeof(line))
		length = sizeof(line) - 1;
	if (write(STDERR_FILENO, line, length) != length)
		return;
}

static void find_next(void)
{
	next.malloc = dlsym(RTLD_NEXT, "malloc");
	next.calloc = dlsym(RTLD_NEXT, "calloc");
	next.realloc = dlsym(RTLD_NEXT, "realloc");
	next.free = dlsym(RTLD_NEXT, "free");
	next.memalign = dlsym(RTLD_NEXT, "memalign");
	next.malloc_usable_size = dlsym(RTLD_NEXT, "malloc_usable_size");
	if (next.malloc && next.calloc && next.realloc && next.free &&
	    next.memalign && next.malloc_usable_size)
		return;
	say("no other allocator is there", "");
	abort();
}

static void use_next(void)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;
	const char *why = winregion_unavailable();

	find_next();
	if (!atomic_flag_test_and_set(&said))
		say("blocks are not from a heap of winregion: ",
		    why ? why : "there is no memory for one");
}

/* Several threads come to the same: the heap is there for all, or for none. */
static enum choice choose(void)
{
	static atomic_flag busy = ATOMIC_FLAG_INIT;
	int saved_errno = errno;

	while (atomic_flag_test_and_set(&busy))
		;
	if (choice == NOT_YET) {
		choosing = true;
		heap = GetProcessHeap();
		if (!heap)
			use_next();
		choosing = false;
		choice = heap ? HEAP : NEXT;
	}
	atomic_flag_clear(&busy);
	errno = saved_errno;

	return choice;
}

static inline enum choice get_choice(void)
{
	enum choice now = atomic_load_explicit(&choice, memory_order_acquire);

	return now == NOT_YET ? choose() : now;
}

/* ---- blocks ---- */

static inline void *or_no_memory(void *block)
{
	if (!block)
		errno = ENOMEM;

	return block;
}

static void end_for(const char *call, const void *block)
{
	char text[100];

	snprintf(text, sizeof(text), "(): %p is no block, or has a broken end",
		 block);
	say(call, text);
	abort();
}

static void *aligned(size_t align, size_t size)
{
	if (choosing)
		return or_no_memory(early_new(size, align));
	if (get_choice() == NEXT)
		return next.memalign(align, size);
	if (align <= WR_ALIGN)
		return or_no_memory(HeapAlloc(heap, 0, size));

	return or_no_memory(wr_heap_alloc_aligned(heap, size, align));
}

EXPORT void *malloc(size_t size)
{
	if (choosing)
		return or_no_memory(early_new(size, WR_ALIGN));
	if (get_choice() == NEXT)
		return next.malloc(size);

	return or_no_memory(HeapAlloc(heap, 0, size));
}

EXPORT void *calloc(size_t nr, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(nr, size, &all))
		return or_no_memory(NULL);
	if (choosing)
		return or_no_memory(early_new(all, WR_ALIGN));
	if (get_choice() == NEXT)
		return next.calloc(nr, size);

	return or_no_memory(HeapAlloc(heap, HEAP_ZERO_MEMORY, all));
}

/* The last error of the program is nobody's business here, nor is its errno. */
EXPORT void free(void *block)
{
	int saved_errno;

	if (!block || is_early(block))
		return;
	saved_errno = errno;
	if (get_choice() == NEXT)
		next.free(block);
	else if (!HeapFree(heap, 0, block))
		end_for(__func__, block);
	errno = saved_errno;
}

static void *move_early(void *block, size_t size)
{
	size_t old = early_size(block);
	void *other = malloc(size);

	return other ? memcpy(other, block, old < size ? old : size) : NULL;
}

static void *reallocate(void *block, size_t size)
{
	void *other = HeapReAlloc(heap, 0, block, size);

	if (!other && GetLastError() == ERROR_INVALID_PARAMETER)
		end_for("realloc", block);

	return or_no_memory(other);
}

/* As with the C library, a block that is to have no bytes is freed. */
EXPORT void *realloc(void *block, size_t size)
{
	if (!block)
		return malloc(size);
	if (is_early(block) && size)
		return move_early(block, size);
	if (!size) {
		free(block);
		return NULL;
	}
	if (get_choice() == NEXT)
		return next.realloc(block, size);

	return reallocate(block, size);
}

EXPORT void *reallocarray(void *block, size_t nr, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(nr, size, &all))
		return or_no_memory(NULL);

	return realloc(block, all);
}

EXPORT size_t malloc_usable_size(void *block)
{
	SIZE_T size;

	if (!block)
		return 0;
	if (is_early(block))
		return early_size(block);
	if (get_choice() == NEXT)
		return next.malloc_usable_size(block);
	size = HeapSize(heap, 0, block);
	if (size == (SIZE_T)-1)
		end_for(__func__, block);

	return size;
}

/* ---- with an alignment ---- */

static bool is_power(size_t align)
{
	return align && !(align & (align - 1));
}

EXPORT int posix_memalign(void **place, size_t align, size_t size)
{
	int saved_errno = errno;
	void *block;

	if (!is_power(align) || align % sizeof(void *))
		return EINVAL;
	block = aligned(align, size);
	errno = saved_errno;
	if (!block)
		return ENOMEM;
	*place = block;

	return 0;
}

/* To a power of two at least as large, as the C library has it */
EXPORT void *memalign(size_t align, size_t size)
{
	size_t power = WR_ALIGN;

	while (power && power < align)
		power *= 2;
	if (!power) {
		errno = EINVAL;
		return NULL;
	}

	return aligned(power, size);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	if (!is_power(align)) {
		errno = EINVAL;
		return NULL;
	}

	return aligned(align, size);
}

EXPORT void *valloc(size_t size)
{
	return aligned(PAGE, size);
}

EXPORT void *pvalloc(size_t size)
{
	if (size > SIZE_MAX - PAGE)
		return or_no_memory(NULL);

	return aligned(PAGE, wr_round_up(size, PAGE));
}
