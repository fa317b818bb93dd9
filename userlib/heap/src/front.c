// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Small blocks that a thread has freed, and keeps for itself
 *
 * What a thread frees it often wants again, and neither needs the heap's lock then. So
 * each thread has a cache for each heap that it uses, with a few blocks of each size.
 * To the allocator these are in use; for everybody else they are free: two words in them
 * say that they are kept, so that they are no blocks, and that nobody has written there.
 *
 * Who has a heap locked keeps others from these blocks, too. He says so in the heap, and
 * then waits for each cache until it is not busy; a thread says that its cache is busy
 * before it looks whether the heap is held. Neither of them has a barrier for that: who
 * holds the heap has all processors of this process pass one, by membarrier(2), as that
 * is seldom.
 *
 * A cache is its thread's for as long as the thread lives. It is bound to a heap by the
 * thread, under the heap's lock, and loosed by the thread's end, or the heap's.
 *
 * A block is known by its two words alone, the allocator's in front of it and the one at
 * its end, which nothing else in memory is like: the bits of its region say the same to
 * who has the lock.
 *
 * Where few blocks have been left of many, the next ones to be freed may be the last, and
 * what threads keep would be all that is in the way of giving a region back. There a
 * thread keeps no more than some for each that it has taken again; and when it has kept
 * so many without taking one, it lets go of all.
 *
 * Heaps that have no lock, or a maximum, have no caches: these need no lock, and of those
 * all that is free has to be there for anyone.
 */
#define _GNU_SOURCE
#include "block.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <winregion/synchapi.h>

/* Pieces of the allocator by their rank: how long they are, in units of WR_ALIGN */
#define RANKS (WR_KEPT_MOST / WR_ALIGN + 1)
#define LEAST_RANK (WR_LEAST / WR_ALIGN)
/* A block of the last rank */
#define LARGEST (WR_KEPT_MOST - WR_HEAD - WR_TAIL)
/* Of a size: up to DEEPEST, and about so many bytes, but a few in any case */
#define DEEPEST 32
#define MOST_BYTES 4096
#define LEAST_DEEP 2
/* Of a region with few blocks, after one was taken */
#define CREDIT 32

/* A thread that uses more heaps has blocks of its own in the first of them. */
#define MOST_CACHES 16
#define SLOTS 8

/* What is kept of one rank: from the place behind one that is NULL, up to another */
struct bin {
	char **top;
	/* Where there is no more place; constant */
	char **end;
};

struct wr_cache {
	/* LOOSE: it has none */
	struct wr_heap *_Atomic heap;
	atomic_bool busy;
	/* Under the heap's lock */
	struct wr_cache *next_of_heap;
	/* Its thread has ended while another had the heap by HeapLock(). */
	bool ended;
	/* The thread's own, or under pool_lock */
	struct wr_cache *next;
	/* How many blocks of regions with few of them it may keep */
	uint8_t credit;
	/* It has let go of all since it has had credit. */
	bool flushed;
	/* One for each rank; also for those that there are none of: they are full, and empty. */
	struct bin bins[RANKS];
	/* How many are taken at a time when there is none: twice as many each time */
	uint8_t next_nr[RANKS];
	/* Of all bins */
	char *places[];
};

/* No handle that a program has, or NULL, which it may have */
#define LOOSE ((struct wr_heap *)&none)

/* For a slot in which there is none: its heap is no heap. */
static struct wr_cache none = { .heap = LOOSE };

/* ---- of this thread ---- */

static __thread struct {
	/* Caches found by their heap's address */
	struct wr_cache *slots[SLOTS];
	struct wr_cache *first;
	unsigned int nr;
	/* wr_front_begin() was called; it may have caches; it has ended. */
	bool begun;
	bool usable;
	bool ended;
} own __attribute__((tls_model("initial-exec"))) = {
	.slots = { &none, &none, &none, &none, &none, &none, &none, &none },
};

/*
 * Against the end of a heap while a thread ends, and of both while there is a fork. Who
 * has it waits for no heap's lock.
 */
static SRWLOCK pool_lock = SRWLOCK_INIT;
/* Of threads that are no more */
static struct wr_cache *pool;

static pthread_key_t key;
static bool usable;

/*
 * pthread_cancel() does not end the thread meanwhile: it has a lock, or is at its end, and
 * has blocks that nobody else would give back.
 */
static void sleep_ms(unsigned int ms)
{
	struct timespec left = { .tv_nsec = ms * 1000000L };
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	while (nanosleep(&left, &left))
		;
	pthread_setcancelstate(state, NULL);
}

/* ---- all processors ---- */

static int membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

/*
 * What they have written before is seen, and they see what this thread has. Where a
 * sandbox forbids it by now, time does it: no processor keeps a word for so long.
 */
static void pass_barrier(void)
{
	if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
		sleep_ms(10);
}

/* ---- a thread's caches ---- */

static inline struct wr_cache **slot_of(const void *heap)
{
	return &own.slots[(uintptr_t)heap / WR_UNIT % SLOTS];
}

/* This thread's cache, if it has one and the heap is not held: leave() follows. */
static inline bool enter(HANDLE handle, struct wr_cache **found)
{
	struct wr_cache *cache = *slot_of(handle);
	struct wr_heap *heap;

	*found = cache;
	heap = atomic_load_explicit(&cache->heap, memory_order_relaxed);
	if ((HANDLE)heap != handle)
		return false;
	atomic_store_explicit(&cache->busy, true, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&heap->held, memory_order_acquire))
		return true;
	atomic_store_explicit(&cache->busy, false, memory_order_release);

	return false;
}

static inline void leave(struct wr_cache *cache)
{
	atomic_store_explicit(&cache->busy, false, memory_order_release);
}

/* What belongs to a piece of so many bytes, its head among them */
static inline struct bin *bin_of(struct wr_cache *cache, size_t bytes)
{
	/* No rank is to be known for it. */
	bytes /= WR_ALIGN / sizeof(struct bin);

	return (struct bin *)((char *)cache->bins + bytes);
}

/* How many bytes a piece has, by what the allocator has in front of it; 0: it is not in use. */
static inline size_t bytes_of(const char *block)
{
	size_t head = wr_head_of(block);

	return head & WR_HEAD_IN_USE ? head & ~(WR_ALIGN - 1) : 0;
}

static inline bool is_small(size_t bytes)
{
	return bytes - LEAST_RANK * WR_ALIGN <=
	       WR_KEPT_MOST - LEAST_RANK * WR_ALIGN;
}

/* Of a piece for a block of that size */
static inline size_t bytes_for(size_t size)
{
	size_t bytes = (size + WR_HEAD + WR_TAIL + WR_ALIGN - 1) &
		       ~(WR_ALIGN - 1);

	return bytes < WR_LEAST ? WR_LEAST : bytes;
}

static inline void *take(HANDLE handle, size_t size)
{
	size_t bytes = bytes_for(size);
	struct wr_cache *cache;
	struct bin *bin;
	uint64_t mask;
	char *block;

	if (size > LARGEST || !enter(handle, &cache))
		return NULL;
	bin = bin_of(cache, bytes);
	block = bin->top[-1];
	if (!block)
		goto out;
	bin->top--;
	cache->credit = CREDIT;
	mask = wr_mask_of(handle, block);
	if (wr_is_kept(mask, block, bytes - WR_HEAD)) {
		wr_write_end(mask, block, size, bytes - WR_HEAD);
	} else {
		/* It is nobody's any more. */
		((struct wr_heap *)handle)->broken = true;
		block = NULL;
	}
out:
	leave(cache);
	return block;
}

/* The region of what may be a small block, and is not read beyond what there is of it */
static inline struct wr_region *region_of(const char *block)
{
	struct wr_region *region = wr_region_at(block);

	return region && (size_t)(block - WR_HEAD - region->base) <
				       __atomic_load_n(&region->reach,
						       __ATOMIC_RELAXED) ?
		       region :
		       NULL;
}

/* What became of a block that was freed: it is kept; it could be, but for others; or else */
enum put {
	KEPT,
	FULL,
	UNKNOWN
};

static inline bool may_keep(struct wr_cache *cache, struct wr_region *region)
{
	return !region->sparse || (cache->credit && cache->credit--);
}

static inline __attribute__((always_inline)) enum put
put_into(struct wr_cache *cache, HANDLE handle, char *block)
{
	struct wr_region *region = region_of(block);
	struct bin *bin;
	uint64_t mask;
	size_t bytes, size;

	if (!region || !may_keep(cache, region))
		return UNKNOWN;
	bytes = bytes_of(block);
	mask = wr_mask_of(handle, block);
	if (!is_small(bytes) ||
	    !wr_read_end(mask, block, bytes - WR_HEAD, &size))
		return UNKNOWN;
	bin = bin_of(cache, bytes);
	if (bin->top == bin->end)
		return FULL;
	wr_write_kept(mask, block, bytes - WR_HEAD);
	*bin->top++ = block;

	return KEPT;
}

static inline enum put put(HANDLE handle, void *block)
{
	struct wr_cache *cache;
	enum put put;

	if (!enter(handle, &cache))
		return UNKNOWN;
	put = put_into(cache, handle, block);
	leave(cache);

	return put;
}

/* What needs no lock is here as a whole, so that nothing is called. */
LPVOID WINAPI HeapAlloc(HANDLE handle, DWORD flags, SIZE_T size)
{
	void *block = take(handle, size);

	if (!block)
		return wr_heap_alloc(handle, flags, size);

	return flags & HEAP_ZERO_MEMORY ? memset(block, 0, size) : block;
}

BOOL WINAPI HeapFree(HANDLE handle, DWORD flags, LPVOID block)
{
	switch (put(handle, block)) {
	case KEPT:
		return TRUE;
	case FULL:
		return wr_heap_free_sound(handle, flags, block);
	default:
		return wr_heap_free(handle, flags, block);
	}
}

/* How long a small block is, and its piece; 0: it is none. */
static inline size_t measure(HANDLE handle, const char *block, size_t *size)
{
	size_t bytes;

	if (!region_of(block))
		return 0;
	bytes = bytes_of(block);

	return is_small(bytes) && wr_read_end(wr_mask_of(handle, block), block,
					      bytes - WR_HEAD, size) ?
		       bytes :
		       0;
}

/* Where it is, if another piece would be no smaller or larger. @small: it is a small one. */
static bool resize_here(HANDLE handle, char *block, size_t size, size_t *old,
			bool *small)
{
	struct wr_cache *cache;
	size_t bytes;
	bool fits;

	*small = false;
	if (size > LARGEST || !enter(handle, &cache))
		return false;
	bytes = measure(handle, block, old);
	*small = bytes;
	fits = bytes && bytes == bytes_for(size);
	if (fits)
		wr_write_end(wr_mask_of(handle, block), block, size,
			     bytes - WR_HEAD);
	leave(cache);

	return fits;
}

void *wr_front_resize(HANDLE handle, DWORD flags, void *block, size_t size,
		      size_t *old)
{
	bool small;
	void *other;

	if (resize_here(handle, block, size, old, &small))
		return block;
	if (!small || flags & HEAP_REALLOC_IN_PLACE_ONLY)
		return NULL;
	other = take(handle, size);
	if (!other)
		return NULL;
	memcpy(other, block, *old < size ? *old : size);
	HeapFree(handle, flags & HEAP_NO_SERIALIZE, block);

	return other;
}

/* ---- with the heap's lock ---- */

/* By rank; filled in before there is a cache */
static uint8_t depths[RANKS];

static void set_depths(void)
{
	size_t rank, depth;

	for (rank = LEAST_RANK; rank < RANKS; rank++) {
		depth = MOST_BYTES / WR_ALIGN / rank;
		if (depth > DEEPEST)
			depth = DEEPEST;
		depths[rank] = depth < LEAST_DEEP ? LEAST_DEEP : depth;
	}
}

/* The first place of a bin */
static char **first_of(const struct wr_cache *cache, size_t rank)
{
	return cache->bins[rank].end - depths[rank];
}

static size_t nr_of(const struct wr_cache *cache, size_t rank)
{
	return cache->bins[rank].top - first_of(cache, rank);
}

static inline bool is_full(const struct bin *bin)
{
	return bin->top == bin->end;
}

static void give_back(struct wr_heap *heap, char *block, size_t rank)
{
	size_t bytes = rank * WR_ALIGN;

	if (bytes_of(block) != bytes ||
	    !wr_is_kept(wr_mask_of(heap, block), block, bytes - WR_HEAD)) {
		heap->broken = true;
		return;
	}
	wr_block_free(heap, wr_region_at(block), block);
}

/* The @nr of a rank that were kept for the longest time */
static void flush_rank(struct wr_heap *heap, struct wr_cache *cache,
		       size_t rank, size_t nr)
{
	struct bin *bin = &cache->bins[rank];
	char **blocks = first_of(cache, rank);
	size_t i;

	for (i = 0; i < nr; i++)
		give_back(heap, blocks[i], rank);
	bin->top -= nr;
	memmove(blocks, blocks + nr, (bin->top - blocks) * sizeof(*blocks));
}

static void flush(struct wr_heap *heap, struct wr_cache *cache)
{
	size_t rank, nr;

	for (rank = LEAST_RANK; rank < RANKS; rank++) {
		nr = nr_of(cache, rank);
		if (nr)
			flush_rank(heap, cache, rank, nr);
	}
	cache->flushed = true;
}

void wr_front_flush(struct wr_heap *heap)
{
	struct wr_cache *cache;

	for (cache = heap->caches; cache; cache = cache->next_of_heap)
		flush(heap, cache);
}

/* ---- a thread's end ---- */

static void add_to_pool(struct wr_cache *cache)
{
	cache->next = pool;
	pool = cache;
}

/* The one at @place in its heap's list; pool_lock, too, or this is a child */
static void loose(struct wr_heap *heap, struct wr_cache **place)
{
	struct wr_cache *cache = *place;

	flush(heap, cache);
	*place = cache->next_of_heap;
	cache->heap = LOOSE;
	cache->ended = false;
	add_to_pool(cache);
}

static struct wr_cache **place_of(struct wr_heap *heap, struct wr_cache *cache)
{
	struct wr_cache **place = &heap->caches;

	while (*place != cache)
		place = &(*place)->next_of_heap;

	return place;
}

/*
 * Who has the heap's lock may want that of the pool, and who ends the heap does, so nobody
 * waits for the heap's with it. And nobody waits for HeapUnlock(), as who calls that may
 * wait for this thread: its blocks are free as they are.
 */
static void give_up(struct wr_cache *cache)
{
	struct wr_heap *heap;

	for (;;) {
		AcquireSRWLockExclusive(&pool_lock);
		heap = cache->heap;
		if (heap == LOOSE || TryEnterCriticalSection(&heap->lock))
			break;
		ReleaseSRWLockExclusive(&pool_lock);
		sleep_ms(1);
	}
	if (heap == LOOSE)
		add_to_pool(cache);
	else if (wr_heap_is_anothers(heap))
		cache->ended = true;
	else
		loose(heap, place_of(heap, cache));
	if (heap != LOOSE)
		LeaveCriticalSection(&heap->lock);
	ReleaseSRWLockExclusive(&pool_lock);
}

void wr_front_unlocked(struct wr_heap *heap)
{
	struct wr_cache **place = &heap->caches;
	struct wr_cache *cache;

	while ((cache = *place)) {
		if (!cache->ended) {
			place = &cache->next_of_heap;
			continue;
		}
		AcquireSRWLockExclusive(&pool_lock);
		loose(heap, place);
		ReleaseSRWLockExclusive(&pool_lock);
	}
}

static void end_thread(void *unused)
{
	struct wr_cache *cache;
	size_t i;

	(void)unused;
	own.ended = true;
	for (i = 0; i < SLOTS; i++)
		own.slots[i] = &none;
	while ((cache = own.first)) {
		own.first = cache->next;
		give_up(cache);
	}
}

/* ---- a thread's beginning ---- */

static void prepare(void)
{
	set_depths();
	usable = !membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) &&
		 !pthread_key_create(&key, end_thread);
}

static struct wr_cache *take_from_pool(void)
{
	struct wr_cache *cache;

	AcquireSRWLockExclusive(&pool_lock);
	cache = pool;
	if (cache)
		pool = cache->next;
	ReleaseSRWLockExclusive(&pool_lock);

	return cache;
}

void wr_front_begin(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (own.begun)
		return;
	own.begun = true;
	pthread_once(&once, prepare);
	own.usable = usable && !pthread_setspecific(key, &key);
}

/* A cache with all that its bins need */
static size_t size_of_cache(void)
{
	size_t places = 1;
	size_t rank;

	for (rank = 0; rank < RANKS; rank++)
		places += depths[rank] + 1;

	return sizeof(struct wr_cache) + places * sizeof(char *);
}

static void set_ends(struct wr_cache *cache)
{
	char **place = cache->places;
	size_t rank;

	for (rank = 0; rank < RANKS; rank++) {
		place += 1 + depths[rank];
		cache->bins[rank].end = place;
	}
}

/* One more for this thread, which is loose, or NULL */
static struct wr_cache *new_cache(void)
{
	struct wr_cache *cache = take_from_pool();

	if (!cache) {
		cache = mmap(NULL, size_of_cache(), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (cache == MAP_FAILED)
			return NULL;
		set_ends(cache);
		cache->heap = LOOSE;
	}
	cache->next = own.first;
	own.first = cache;
	own.nr++;

	return cache;
}

static void bind(struct wr_heap *heap, struct wr_cache *cache)
{
	size_t rank;

	for (rank = 0; rank < RANKS; rank++)
		cache->bins[rank].top = first_of(cache, rank);
	memset(cache->next_nr, 2, sizeof(cache->next_nr));
	cache->credit = CREDIT;
	cache->flushed = true;
	cache->next_of_heap = heap->caches;
	heap->caches = cache;
	cache->heap = heap;
}

static struct wr_cache *find_cache(struct wr_heap *heap)
{
	struct wr_cache *loose = NULL;
	struct wr_cache *cache;

	if (!own.usable || own.ended || heap->max ||
	    heap->flags & HEAP_NO_SERIALIZE)
		return NULL;
	for (cache = own.first; cache && cache->heap != heap;
	     cache = cache->next)
		if (cache->heap == LOOSE)
			loose = cache;
	if (!cache) {
		cache = loose;
		if (!cache && own.nr < MOST_CACHES)
			cache = new_cache();
		if (!cache)
			return NULL;
		bind(heap, cache);
	}
	*slot_of(heap) = cache;

	return cache;
}

/* This thread's cache for the heap, or NULL. With the heap's lock */
static inline struct wr_cache *get_cache(struct wr_heap *heap)
{
	struct wr_cache *cache = *slot_of(heap);

	return cache->heap == heap ? cache : find_cache(heap);
}

void wr_front_before_free(struct wr_heap *heap, struct wr_region *region,
			  const char *block)
{
	struct wr_cache *cache;
	size_t bytes;

	bytes = region->large || heap->held ? 0 : bytes_of(block);
	cache = is_small(bytes) ? get_cache(heap) : NULL;
	if (!cache)
		return;
	if (region->sparse && !(region->flushed && cache->flushed)) {
		region->flushed = true;
		flush(heap, cache);
	} else if (is_full(bin_of(cache, bytes))) {
		flush_rank(heap, cache, bytes / WR_ALIGN,
			   depths[bytes / WR_ALIGN] / 2);
	}
}

/* How many blocks of @rank to take now */
static size_t how_many(struct wr_cache *cache, size_t rank)
{
	size_t nr = cache->next_nr[rank];
	size_t most = depths[rank] / 2;

	cache->next_nr[rank] = 2 * nr < most ? 2 * nr : most;

	return nr;
}

static inline void keep_new(struct wr_heap *heap, struct bin *bin, char *block,
			    size_t bytes)
{
	wr_write_kept(wr_mask_of(heap, block), block, bytes - WR_HEAD);
	*bin->top++ = block;
}

/* The last piece of several: the allocator may have given more than it had to. */
static void keep_last(struct wr_heap *heap, struct wr_cache *cache, char *block)
{
	size_t bytes = bytes_of(block);

	if (is_small(bytes) && !is_full(bin_of(cache, bytes)))
		keep_new(heap, bin_of(cache, bytes), block, bytes);
	else
		wr_block_free(heap, wr_region_at(block), block);
}

/* Of a heap that has had no piece again, several pieces are one after the other. */
static void *take_many(struct wr_heap *heap, struct wr_cache *cache,
		       size_t rank, size_t size)
{
	size_t bytes = rank * WR_ALIGN;
	size_t nr = how_many(cache, rank);
	struct wr_region *region;
	char *block, *last;

	block = nr == 1 ? NULL : wr_blocks_new_many(heap, bytes, nr);
	if (!block)
		return NULL;
	region = wr_region_at(block);
	wr_block_counts(region, nr);
	last = block + (nr - 1) * bytes;
	wr_set_begins(region, last, true);
	keep_last(heap, cache, last);
	/* The first one to be taken is the first one in memory. */
	while ((last -= bytes) != block) {
		wr_set_begins(region, last, true);
		keep_new(heap, &cache->bins[rank], last, bytes);
	}
	wr_set_begins(region, block, true);
	wr_write_end(wr_mask_of(heap, block), block, size, bytes - WR_HEAD);

	return block;
}

/* Others are wherever there is place for them. */
static void fill(struct wr_heap *heap, struct wr_cache *cache, size_t rank,
		 size_t size)
{
	size_t nr = depths[rank] / 4;
	void *block;

	while (nr--) {
		block = wr_block_new(heap, size, WR_ALIGN, false);
		if (!block)
			return;
		keep_last(heap, cache, block);
	}
}

void *wr_front_new(struct wr_heap *heap, size_t size, bool many)
{
	struct wr_cache *cache;
	size_t rank;

	cache = size > LARGEST || heap->held ? NULL : get_cache(heap);
	if (!cache)
		return NULL;
	rank = bytes_for(size) / WR_ALIGN;
	cache->credit = CREDIT;
	cache->flushed = false;
	/* There are some if another heap's cache was found instead. */
	if (!nr_of(cache, rank)) {
		if (!heap->has_holes)
			return take_many(heap, cache, rank, size);
		if (!many)
			return NULL;
		fill(heap, cache, rank, size);
	}

	return take(heap, size);
}

/* ---- to keep all others out ---- */

void wr_front_hold(struct wr_heap *heap)
{
	struct wr_cache *cache;

	if (atomic_fetch_add(&heap->held, 1) || !heap->caches)
		return;
	/* A thread that is alone is here, and so not there. */
	if (heap->caches->next_of_heap || heap->caches != *slot_of(heap))
		pass_barrier();
	for (cache = heap->caches; cache; cache = cache->next_of_heap)
		while (atomic_load_explicit(&cache->busy, memory_order_acquire))
			sched_yield();
}

void wr_front_let_go(struct wr_heap *heap)
{
	atomic_fetch_sub(&heap->held, 1);
}

/* ---- ends of heaps, and forks ---- */

void wr_front_end(struct wr_heap *heap)
{
	struct wr_cache *cache, *next;
	bool ended;

	AcquireSRWLockExclusive(&pool_lock);
	for (cache = heap->caches; cache; cache = next) {
		next = cache->next_of_heap;
		ended = cache->ended;
		cache->ended = false;
		/* From here on its thread may bind it to another heap. */
		atomic_store_explicit(&cache->heap, LOOSE,
				      memory_order_release);
		if (ended)
			add_to_pool(cache);
	}
	heap->caches = NULL;
	ReleaseSRWLockExclusive(&pool_lock);
}

void wr_front_before_fork(void)
{
	AcquireSRWLockExclusive(&pool_lock);
}

void wr_front_after_fork(void)
{
	ReleaseSRWLockExclusive(&pool_lock);
}

static bool is_own(const struct wr_cache *cache)
{
	const struct wr_cache *mine = own.first;

	while (mine && mine != cache)
		mine = mine->next;

	return mine;
}

/* Of the threads that are not in this child, with the heap's lock */
void wr_front_in_child(struct wr_heap *heap)
{
	struct wr_cache **place = &heap->caches;
	struct wr_cache *cache;

	while ((cache = *place)) {
		if (is_own(cache))
			place = &cache->next_of_heap;
		else
			loose(heap, place);
	}
}

void wr_front_after_fork_in_child(void)
{
	/* Nothing says that a child has it from its parent. */
	if (usable)
		membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
	InitializeSRWLock(&pool_lock);
}
