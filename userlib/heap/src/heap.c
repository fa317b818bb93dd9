// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Heaps: made and destroyed, locked, and blocks of them by their handle
 *
 * A lock is taken unless the heap says that nobody else is there; or while the process
 * has one thread. The order is: that of the list of heaps, then that of one heap.
 * HeapLock() is none of these: it is noted in the heap, so that a thread that has called
 * it may wait for anything, and a fork need not wait for it. A call that says that nobody
 * else is there does not wait for it either, but takes the lock: a fork is by somebody else.
 */
#define _GNU_SOURCE
#include "heap.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include <winregion/errhandlingapi.h>
#include <winregion/memoryapi.h>
#include <winregion/processthreadsapi.h>
#include <winregion/synchapi.h>

/* What a heap that can grow begins with */
#define FIRST_REGION (1024UL * 1024)
#define FIRST_COMMIT WR_UNIT
#ifdef __LP64__
#define MOST_FIXED 0x400000000000UL
#else /* whose bits have place behind it */
#define MOST_FIXED 0xF0000000UL
#endif

/* So many are told of without memory for them */
#define FEW_HEAPS 64

/* A heap is held for less time than sleeping takes. */
#define SPINS 1000

/* Of the options */
static const DWORD kept_flags = HEAP_NO_SERIALIZE | HEAP_GENERATE_EXCEPTIONS |
				HEAP_CREATE_ENABLE_EXECUTE;

static SRWLOCK list_lock = SRWLOCK_INIT;
/* Both under it. The first one is the process' own, once there is one. */
static struct wr_heap *first;
static struct wr_heap *last;
static DWORD nr_heaps;

static struct wr_heap *_Atomic own;
/* The last error that says why there is none; 0: nobody has asked for it, or there is */
static _Atomic DWORD why_none;

atomic_bool wr_heap_ends;

/* ---- when something is broken ---- */

__attribute__((constructor)) static void look_at_environment(void)
{
	const char *text = secure_getenv("WINREGION_HEAP_CHECK");

	if (text && *text && strcmp(text, "0"))
		wr_heap_ends = true;
}

void wr_heap_complain(const struct wr_heap *heap, const void *block,
		      const char *what)
{
	char text[160];
	int length;

	if (!wr_heap_ends)
		return;
	length = snprintf(text, sizeof(text),
			  "libwinregion-heap: heap %p, block %p: %s\n",
			  (void *)heap, block, what);
	if (write(STDERR_FILENO, text, length) != length)
		_exit(127);
	abort();
}

/* ---- locks ---- */

static bool has_lock(const struct wr_heap *heap)
{
	return !(heap->flags & HEAP_NO_SERIALIZE);
}

static bool is_alone(const struct wr_heap *heap)
{
	return !has_lock(heap) || __libc_single_threaded;
}

/* When nobody else has called HeapLock() */
static void enter(struct wr_heap *heap)
{
	EnterCriticalSection(&heap->lock);
	while (wr_heap_is_anothers(heap))
		SleepConditionVariableCS(&heap->unlocked, &heap->lock,
					 INFINITE);
}

bool wr_heap_lock(struct wr_heap *heap, DWORD flags)
{
	if (is_alone(heap))
		return false;
	if (flags & HEAP_NO_SERIALIZE)
		EnterCriticalSection(&heap->lock);
	else
		enter(heap);

	return true;
}

void wr_heap_unlock(struct wr_heap *heap, bool locked)
{
	if (locked)
		LeaveCriticalSection(&heap->lock);
}

bool wr_heap_hold(struct wr_heap *heap, DWORD flags)
{
	bool locked = wr_heap_lock(heap, flags);

	if (locked)
		wr_front_hold(heap);

	return locked;
}

void wr_heap_let_go(struct wr_heap *heap, bool locked)
{
	if (locked)
		wr_front_let_go(heap);
	wr_heap_unlock(heap, locked);
}

/* A fork sees no heap half changed. */

static void before_fork(void)
{
	struct wr_heap *heap;

	AcquireSRWLockExclusive(&list_lock);
	for (heap = first; heap; heap = heap->next)
		if (has_lock(heap))
			EnterCriticalSection(&heap->lock);
	wr_front_before_fork();
	for (heap = first; heap; heap = heap->next)
		if (has_lock(heap))
			wr_front_hold(heap);
}

static void after_fork(void)
{
	struct wr_heap *heap;

	for (heap = first; heap; heap = heap->next)
		if (has_lock(heap))
			wr_front_let_go(heap);
	wr_front_after_fork();
	for (heap = first; heap; heap = heap->next)
		if (has_lock(heap))
			LeaveCriticalSection(&heap->lock);
	ReleaseSRWLockExclusive(&list_lock);
}

/*
 * The thread has another number here, and the others are not there. The kernel is asked
 * for it: the library beside this one may still know that of the parent, as it watches
 * forks from its constructors on, and malloc() is called before these.
 */
static void lock_anew(struct wr_heap *heap)
{
	if (wr_heap_is_anothers(heap)) {
		wr_front_let_go(heap);
		heap->owner = NULL;
		heap->depth = 0;
	}
	InitializeConditionVariable(&heap->unlocked);
	InitializeCriticalSectionAndSpinCount(&heap->lock, SPINS);
	if (heap->owner)
		heap->owner = (HANDLE)(uintptr_t)gettid();
}

static void after_fork_in_child(void)
{
	struct wr_heap *heap;

	for (heap = first; heap; heap = heap->next) {
		if (!has_lock(heap))
			continue;
		wr_front_in_child(heap);
		wr_front_let_go(heap);
		lock_anew(heap);
	}
	wr_front_after_fork_in_child();
	InitializeSRWLock(&list_lock);
}

/*
 * Before there are threads: a fork beside the first heap has to know the lock of the list.
 * As malloc(), before any constructor: so locks under which others allocate come first.
 */
__attribute__((constructor)) static void watch_fork(void)
{
	static atomic_flag watches = ATOMIC_FLAG_INIT;

	if (!atomic_flag_test_and_set(&watches))
		pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

/* ---- the list ---- */

static void add(struct wr_heap *heap)
{
	heap->prev = last;
	heap->next = NULL;
	if (last)
		last->next = heap;
	else
		first = heap;
	last = heap;
	nr_heaps++;
}

static void take_out(struct wr_heap *heap)
{
	if (heap->prev)
		heap->prev->next = heap->next;
	else
		first = heap->next;
	if (heap->next)
		heap->next->prev = heap->prev;
	else
		last = heap->prev;
	nr_heaps--;
}

/*
 * With the lock of the list no heap is destroyed. Nobody is waited for who has called
 * HeapLock(): he may be about to make a heap.
 */
static bool visit(struct wr_heap *heap, wr_heap_visitor *call, void *arg)
{
	bool locked = wr_heap_lock(heap, HEAP_NO_SERIALIZE);
	bool free = !locked || !wr_heap_is_anothers(heap);

	if (locked && free)
		wr_front_hold(heap);
	if (free)
		call(heap, arg);
	if (locked && free)
		wr_front_let_go(heap);
	wr_heap_unlock(heap, locked);

	return free;
}

DWORD wr_heap_visit(HANDLE handle, wr_heap_visitor *call, void *arg)
{
	DWORD error = ERROR_INVALID_HANDLE;
	struct wr_heap *heap;

	AcquireSRWLockShared(&list_lock);
	for (heap = first; heap && heap != handle; heap = heap->next)
		;
	if (heap)
		error = visit(heap, call, arg) ? ERROR_SUCCESS : ERROR_BUSY;
	ReleaseSRWLockShared(&list_lock);

	return error;
}

void wr_heap_visit_all(wr_heap_visitor *call, void *arg)
{
	struct wr_heap *heap;

	AcquireSRWLockShared(&list_lock);
	for (heap = first; heap; heap = heap->next)
		if (has_lock(heap) || __libc_single_threaded)
			visit(heap, call, arg);
	ReleaseSRWLockShared(&list_lock);
}

/* ---- made and destroyed ---- */

/*
 * Not to be guessed by who can write somewhere, and another one each time: what is left of
 * blocks where a heap was before makes none of this one.
 */
static uint64_t new_key(const void *heap)
{
	static _Atomic uint64_t turn;
	uint64_t random[2] = { 0, 0 };
	const void *bytes = (const void *)getauxval(AT_RANDOM);

	if (bytes)
		memcpy(random, bytes, sizeof(random));

	return (random[0] ^ (uintptr_t)heap ^ ++turn) * 0x9E3779B97F4A7C15ULL ^
	       random[1];
}

static struct wr_heap *set_up(struct wr_region *region, DWORD flags,
			      DWORD protect, size_t max)
{
	struct wr_heap *heap = (struct wr_heap *)region->base;

	heap->flags = flags & kept_flags;
	heap->protect = protect;
	heap->max = max;
	heap->key = new_key(heap);
	InitializeCriticalSectionAndSpinCount(&heap->lock, SPINS);
	wr_region_add(&heap->regions, region);
	wr_blocks_init(heap);

	return heap;
}

/*
 * Programs that have a heap for each of many tasks make and destroy them all the time.
 * So one region that a heap has begun with is kept, with no memory in it but what is
 * known about its blocks.
 */
static struct wr_region *_Atomic spare;

static bool is_usual(size_t size, DWORD protect)
{
	return size == FIRST_REGION && protect == PAGE_READWRITE;
}

/* All that a heap had but its first region has gone. */
static void release_first(struct wr_region *region)
{
	if (is_usual(region->size, region->heap->protect) &&
	    wr_region_set_aside(region))
		region = atomic_exchange(&spare, region);
	if (region)
		wr_region_release(NULL, region);
}

/* NULL: there is none that is of use */
static struct wr_region *take_spare(size_t initial, DWORD protect)
{
	struct wr_region *region = atomic_exchange(&spare, NULL);

	if (!region || wr_region_take_again(region, initial, protect))
		return region;
	wr_region_release(NULL, region);

	return NULL;
}

static struct wr_heap *create(DWORD flags, size_t initial, size_t max)
{
	DWORD protect = flags & HEAP_CREATE_ENABLE_EXECUTE ?
				PAGE_EXECUTE_READWRITE :
				PAGE_READWRITE;
	struct wr_region *region;
	size_t size;

	initial = wr_round_up(initial ? initial : 1, WR_PAGE);
	max = wr_round_up(max, WR_PAGE);
	size = max ? max : wr_round_up(initial, FIRST_REGION);
	if (initial < FIRST_COMMIT)
		initial = size < FIRST_COMMIT ? size : FIRST_COMMIT;
	region = is_usual(size, protect) ? take_spare(initial, protect) : NULL;
	if (region)
		return set_up(region, flags, protect, max);
	region = wr_region_new(NULL, size, protect);
	if (!region)
		return NULL;
	if (!wr_region_begin(region, initial, protect)) {
		wr_region_release(NULL, region);
		return NULL;
	}

	return set_up(region, flags, protect, max);
}

/* The process' heap is the first of the list, so it is made before any other. */
static struct wr_heap *get_own(void)
{
	struct wr_heap *heap = own;

	if (heap)
		return heap;
	watch_fork();
	AcquireSRWLockExclusive(&list_lock);
	heap = own;
	if (!heap) {
		heap = create(0, 0, 0);
		if (heap)
			add(heap);
		own = heap;
		why_none = heap ? ERROR_SUCCESS : GetLastError();
	}
	ReleaseSRWLockExclusive(&list_lock);

	return heap;
}

HANDLE WINAPI HeapCreate(DWORD options, SIZE_T initial, SIZE_T maximum)
{
	struct wr_heap *heap;

	if ((maximum && initial > maximum) || maximum > MOST_FIXED ||
	    initial > MOST_FIXED) {
		SetLastError(maximum && initial > maximum ?
				     ERROR_INVALID_PARAMETER :
				     ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	if (!get_own())
		return NULL;
	heap = create(options, initial, maximum);
	if (!heap)
		return NULL;
	AcquireSRWLockExclusive(&list_lock);
	add(heap);
	ReleaseSRWLockExclusive(&list_lock);

	return heap;
}

struct wr_heap *wr_heap_get(HANDLE handle)
{
	struct wr_region *region = wr_region_at(handle);
	DWORD why = handle ? ERROR_SUCCESS : why_none;

	if (region && (HANDLE)region->heap == handle)
		return region->heap;
	/* What GetProcessHeap() could not give is the reason of calls about that, too. */
	SetLastError(why ? why : ERROR_INVALID_HANDLE);

	return NULL;
}

BOOL WINAPI HeapDestroy(HANDLE handle)
{
	struct wr_heap *heap = wr_heap_get(handle);
	struct wr_region *region;

	if (!heap)
		return FALSE;
	if (heap == own) {
		SetLastError(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	AcquireSRWLockExclusive(&list_lock);
	take_out(heap);
	ReleaseSRWLockExclusive(&list_lock);

	wr_front_end(heap);
	DeleteCriticalSection(&heap->lock);
	wr_large_trim(heap);
	while ((region = heap->larges.first))
		wr_region_release(&heap->larges, region);
	while ((region = heap->regions.last) != heap->regions.first)
		wr_region_release(&heap->regions, region);
	/* The heap itself is in it. */
	release_first(region);

	return TRUE;
}

HANDLE WINAPI GetProcessHeap(VOID)
{
	return get_own();
}

/* The first @room of them. Return: how many there are */
static DWORD list_heaps(HANDLE *heaps, DWORD room)
{
	struct wr_heap *heap;
	DWORD found;
	DWORD i = 0;

	AcquireSRWLockShared(&list_lock);
	for (heap = first; heap && i < room; heap = heap->next)
		heaps[i++] = heap;
	found = nr_heaps;
	ReleaseSRWLockShared(&list_lock);

	return found;
}

/* More than there is room for where memory of our own is known to be */
static DWORD give_many(DWORD nr, DWORD found, PHANDLE heaps)
{
	HANDLE *noted = NULL;
	DWORD room = 0;

	while (found > room && nr > room) {
		if (noted)
			VirtualFree(noted, 0, MEM_RELEASE);
		room = found < nr ? found : nr;
		noted = VirtualAlloc(NULL, room * sizeof(*noted),
				     MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
		if (!noted)
			return 0;
		found = list_heaps(noted, room);
	}
	memcpy(heaps, noted, (found < room ? found : room) * sizeof(*noted));
	VirtualFree(noted, 0, MEM_RELEASE);

	return found;
}

/* What the program has to be told is not written under the lock: it may raise. */
DWORD WINAPI GetProcessHeaps(DWORD nr, PHANDLE heaps)
{
	HANDLE few[FEW_HEAPS];
	DWORD found, room = nr < FEW_HEAPS ? nr : FEW_HEAPS;

	if (!get_own())
		return 0;
	found = list_heaps(few, room);
	if (found > room && nr > room)
		return give_many(nr, found, heaps);
	if (found < room)
		room = found;
	if (room)
		memcpy(heaps, few, room * sizeof(*few));

	return found;
}

BOOL WINAPI HeapLock(HANDLE handle)
{
	struct wr_heap *heap = wr_heap_get(handle);

	if (!heap)
		return FALSE;
	if (!has_lock(heap))
		return TRUE;
	enter(heap);
	if (!heap->depth++) {
		heap->owner = heap->lock.OwningThread;
		wr_front_hold(heap);
	}
	LeaveCriticalSection(&heap->lock);

	return TRUE;
}

static void unlock(struct wr_heap *heap)
{
	if (--heap->depth)
		return;
	heap->owner = NULL;
	wr_front_unlocked(heap);
	wr_front_let_go(heap);
	WakeAllConditionVariable(&heap->unlocked);
}

BOOL WINAPI HeapUnlock(HANDLE handle)
{
	struct wr_heap *heap = wr_heap_get(handle);
	bool owns;

	if (!heap)
		return FALSE;
	if (!has_lock(heap))
		return TRUE;
	EnterCriticalSection(&heap->lock);
	owns = heap->owner == heap->lock.OwningThread;
	if (owns)
		unlock(heap);
	LeaveCriticalSection(&heap->lock);
	if (!owns)
		SetLastError(ERROR_NOT_OWNER);

	return owns;
}

/* ---- blocks ---- */

/* No memory; raises what the heap, or the call, wants to have raised. */
static void *no_memory(DWORD flags, size_t size)
{
	ULONG_PTR argument = size;

	SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	if (flags & HEAP_GENERATE_EXCEPTIONS)
		RaiseException(STATUS_NO_MEMORY, 0, 1, &argument);

	return NULL;
}

/* What the allocator has found in its own words */
static void look_at_heap(const struct wr_heap *heap, const void *block)
{
	if (heap->broken)
		wr_heap_complain(heap, block, "written to after it was freed");
}

/* The last error stays as it is if the call succeeds. */
static void *new_block(struct wr_heap *heap, DWORD flags, size_t size)
{
	bool locked;
	void *block;

	if (size > SIZE_MAX / 2)
		return NULL;
	wr_front_begin();
	locked = wr_heap_lock(heap, flags);
	block = wr_front_new(heap, size, locked);
	if (!block)
		block = wr_block_new(heap, size, WR_ALIGN,
				     flags & HEAP_ZERO_MEMORY);
	look_at_heap(heap, NULL);
	wr_heap_unlock(heap, locked);
	if (block && flags & HEAP_ZERO_MEMORY && !wr_is_large(heap, size))
		memset(block, 0, size);

	return block;
}

void *wr_heap_alloc(HANDLE handle, DWORD flags, size_t size)
{
	struct wr_heap *heap = wr_heap_get(handle);
	void *block;

	if (!heap)
		return NULL;
	flags |= heap->flags;
	block = new_block(heap, flags, size);
	if (!block)
		return no_memory(flags, size);

	return block;
}

void *wr_heap_alloc_aligned(HANDLE handle, SIZE_T size, SIZE_T align)
{
	struct wr_heap *heap = wr_heap_get(handle);
	void *block = NULL;
	bool locked;

	if (!heap)
		return NULL;
	if (size <= SIZE_MAX / 4 && align <= SIZE_MAX / 4) {
		locked = wr_heap_lock(heap, 0);
		block = wr_block_new(heap, size, align, false);
		wr_heap_unlock(heap, locked);
	}
	if (!block)
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);

	return block;
}

/* Look at a block before it is used: its region, and its size. With the lock. */
static struct wr_region *look(struct wr_heap *heap, const void *block,
			      size_t *size)
{
	struct wr_region *region = wr_block_look(heap, block, size);

	if (!region)
		wr_heap_complain(heap, block,
				 wr_block_find(heap, block) ?
					 "written past its end" :
					 "not a block of this heap");

	return region;
}

BOOL wr_heap_free(HANDLE handle, DWORD flags, void *block)
{
	struct wr_heap *heap = wr_heap_get(handle);
	struct wr_region *region;
	size_t size;
	bool locked;

	if (!heap)
		return FALSE;
	if (!block)
		return TRUE;
	wr_front_begin();
	locked = wr_heap_lock(heap, flags);
	region = look(heap, block, &size);
	if (region) {
		wr_front_before_free(heap, region, block);
		wr_block_free(heap, region, block);
		look_at_heap(heap, block);
	}
	wr_heap_unlock(heap, locked);
	if (!region)
		SetLastError(ERROR_INVALID_PARAMETER);

	return !!region;
}

BOOL wr_heap_free_sound(struct wr_heap *heap, DWORD flags, void *block)
{
	/* With others about, more than one is let go of for the price of the lock. */
	if (!is_alone(heap))
		return wr_heap_free(heap, flags, block);
	wr_block_free(heap, wr_region_at(block), block);
	look_at_heap(heap, block);

	return TRUE;
}

/* Another block with the same contents, or NULL. With the lock. */
static void *move_block(struct wr_heap *heap, struct wr_region *region,
			void *block, size_t old, size_t size)
{
	void *other = wr_block_new(heap, size, WR_ALIGN, false);

	if (!other)
		return NULL;
	memcpy(other, block, old < size ? old : size);
	wr_block_free(heap, region, block);

	return other;
}

/* A large block that is to be a small one moves, so that its region goes back. */
static bool may_stay(const struct wr_region *region, DWORD flags, size_t size)
{
	return !region->large || size >= WR_LARGE ||
	       flags & HEAP_REALLOC_IN_PLACE_ONLY;
}

static void *resize(struct wr_heap *heap, DWORD flags, void *block, size_t size,
		    struct wr_region *region, size_t old)
{
	DWORD error = GetLastError();
	void *other = NULL;

	if (size > SIZE_MAX / 2)
		return NULL;
	if (may_stay(region, flags, size) &&
	    wr_block_resize(heap, region, block, size))
		other = block;
	else if (!(flags & HEAP_REALLOC_IN_PLACE_ONLY))
		other = move_block(heap, region, block, old, size);
	/* What gets no larger has its memory, wherever it would better be. */
	if (!other && size <= old &&
	    wr_block_resize(heap, region, block, size)) {
		SetLastError(error);
		other = block;
	}
	if (other && flags & HEAP_ZERO_MEMORY && size > old)
		memset((char *)other + old, 0, size - old);

	return other;
}

LPVOID WINAPI HeapReAlloc(HANDLE handle, DWORD flags, LPVOID block, SIZE_T size)
{
	struct wr_region *region;
	struct wr_heap *heap;
	void *other = NULL;
	bool locked;
	size_t old;

	other = wr_front_resize(handle, flags, block, size, &old);
	if (other) {
		if (flags & HEAP_ZERO_MEMORY && size > old)
			memset((char *)other + old, 0, size - old);
		return other;
	}
	heap = wr_heap_get(handle);
	if (!heap)
		return NULL;
	if (!block) {
		SetLastError(ERROR_SUCCESS);
		return NULL;
	}
	flags |= heap->flags;
	locked = wr_heap_lock(heap, flags);
	region = look(heap, block, &old);
	if (region)
		other = resize(heap, flags, block, size, region, old);
	wr_heap_unlock(heap, locked);
	if (!region)
		SetLastError(ERROR_INVALID_PARAMETER);
	else if (!other)
		no_memory(flags, size);

	return other;
}

SIZE_T WINAPI HeapSize(HANDLE handle, DWORD flags, LPCVOID block)
{
	struct wr_heap *heap = wr_heap_get(handle);
	struct wr_region *region;
	bool locked;
	size_t size;

	if (!heap)
		return (SIZE_T)-1;
	locked = wr_heap_lock(heap, flags);
	region = look(heap, block, &size);
	wr_heap_unlock(heap, locked);

	return region ? size : (SIZE_T)-1;
}
