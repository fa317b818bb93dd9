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

/* Pieces of the allocator by their size, in units of WR_ALIGN */
#define CLASSES 65
#define LEAST_CLASS 2
/* A block of the last class */
#define LARGEST ((CLASSES - 1) * WR_ALIGN - WR_HEAD - WR_TAIL)
/* Of a size: up to DEEPEST, and about so many bytes, but a few in any case */
#define DEEPEST 32
#define MOST_BYTES 8192
#define LEAST_DEEP 8

/* A thread that uses more heaps has blocks of its own in the first of them. */
#define MOST_CACHES 16
#define SLOTS 8

struct wr_cache {
	/* NULL: it is loose */
	struct wr_heap *_Atomic heap;
	atomic_bool busy;
	/* Under the heap's lock */
	struct wr_cache *next_of_heap;
	/* Its thread has ended while another had the heap by HeapLock(). */
	bool ended;
	/* The thread's own, or under pool_lock */
	struct wr_cache *next;
	uint8_t nr[CLASSES];
	char *blocks[CLASSES][DEEPEST];
};

/* For a slot in which there is none: its heap is no heap. */
static struct wr_cache none = { .heap = (struct wr_heap *)&none };

#define OWN static __thread __attribute__((tls_model("initial-exec")))

/* Caches found by their heap's address */
OWN struct wr_cache *slots[SLOTS] = { &none, &none, &none, &none,
				      &none, &none, &none, &none };
OWN struct wr_cache *first_own;
OWN unsigned int nr_own;
/* It is making one, which may allocate by itself; or it has ended. */
OWN bool making;
OWN bool ended;

/*
 * Against the end of a heap while a thread ends, and of both while there is a fork. Who
 * has it waits for no heap's lock.
 */
static SRWLOCK pool_lock = SRWLOCK_INIT;
/* Of threads that are no more */
static struct wr_cache *pool;

static pthread_key_t key;
static bool usable;

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
	static const struct timespec long_enough = { .tv_nsec = 10000000 };

	if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
		nanosleep(&long_enough, NULL);
}

/* ---- a thread's caches ---- */

static inline struct wr_cache **slot_of(const void *heap)
{
	return &slots[(uintptr_t)heap / WR_UNIT % SLOTS];
}

/* The cache, if the heap is not held; leave() follows. */
static inline struct wr_cache *enter(HANDLE handle)
{
	struct wr_cache *cache = *slot_of(handle);
	struct wr_heap *heap;

	heap = atomic_load_explicit(&cache->heap, memory_order_relaxed);
	if ((HANDLE)heap != handle)
		return NULL;
	atomic_store_explicit(&cache->busy, true, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&heap->held, memory_order_acquire))
		return cache;
	atomic_store_explicit(&cache->busy, false, memory_order_release);

	return NULL;
}

static inline void leave(struct wr_cache *cache)
{
	atomic_store_explicit(&cache->busy, false, memory_order_release);
}

static size_t depth_of(size_t class)
{
	size_t depth = MOST_BYTES / WR_ALIGN / class;

	if (depth > DEEPEST)
		return DEEPEST;

	return depth < LEAST_DEEP ? LEAST_DEEP : depth;
}

/* The class of a block, by what the allocator has in front of it; 0: it has none. */
static inline size_t class_of(const char *block)
{
	uint64_t head = wr_load(block - WR_TAIL);
	size_t class = head / WR_ALIGN;

	return head & WR_HEAD_IN_USE && class < CLASSES && class >= LEAST_CLASS ?
		       class :
		       0;
}

/* What a block of that size needs */
static inline size_t class_for(size_t size)
{
	size_t class = (size + WR_HEAD + WR_TAIL + WR_ALIGN - 1) / WR_ALIGN;

	return class < LEAST_CLASS ? LEAST_CLASS : class;
}

static inline size_t room_of(size_t class)
{
	return class * WR_ALIGN - WR_HEAD;
}

void *wr_front_take(HANDLE handle, size_t size)
{
	struct wr_cache *cache;
	char *block = NULL;
	size_t class;

	if (size > LARGEST)
		return NULL;
	class = class_for(size);
	cache = enter(handle);
	if (!cache)
		return NULL;
	if (!cache->nr[class])
		goto out;
	block = cache->blocks[class][--cache->nr[class]];
	if (wr_is_kept(handle, block, room_of(class))) {
		wr_write_end(handle, block, size, room_of(class));
	} else {
		/* It is nobody's any more. */
		((struct wr_heap *)handle)->broken = true;
		block = NULL;
	}
out:
	leave(cache);
	return block;
}

/* Its class, if it is a small block of this heap, and how long it is; or 0 */
static inline size_t look(struct wr_heap *heap, const char *block, size_t *size)
{
	struct wr_region *region = wr_region_at(block);
	size_t class;

	if (!region || region->heap != heap || region->large ||
	    region->sparse || !wr_begins(region, block))
		return 0;
	class = class_of(block);

	return class && wr_read_end(heap, block, room_of(class), size) ? class :
									 0;
}

bool wr_front_put(HANDLE handle, void *block)
{
	struct wr_cache *cache = enter(handle);
	bool done = false;
	size_t class, size;

	if (!cache)
		return false;
	class = look(handle, block, &size);
	if (class && cache->nr[class] < depth_of(class)) {
		wr_write_kept(handle, block, room_of(class));
		cache->blocks[class][cache->nr[class]++] = block;
		done = true;
	}
	leave(cache);

	return done;
}

bool wr_front_resize(HANDLE handle, void *block, size_t size, size_t *old)
{
	struct wr_cache *cache = enter(handle);
	bool done = false;
	size_t class, room;

	if (!cache)
		return false;
	class = look(handle, block, old);
	room = room_of(class) - WR_TAIL;
	if (class && size <= room && room - size < WR_ALIGN) {
		wr_write_end(handle, block, size, room_of(class));
		done = true;
	}
	leave(cache);

	return done;
}

/* ---- with the heap's lock ---- */

static void give_back(struct wr_heap *heap, char *block, size_t class)
{
	if (!wr_is_kept(heap, block, room_of(class))) {
		heap->broken = true;
		return;
	}
	wr_block_free(heap, wr_region_at(block), block);
}

/* The @nr of a class that were kept for the longest time */
static void flush_class(struct wr_heap *heap, struct wr_cache *cache,
			size_t class, size_t nr)
{
	char **blocks = cache->blocks[class];
	size_t i;

	for (i = 0; i < nr; i++)
		give_back(heap, blocks[i], class);
	cache->nr[class] -= nr;
	memmove(blocks, blocks + nr, cache->nr[class] * sizeof(*blocks));
}

static void flush(struct wr_heap *heap, struct wr_cache *cache)
{
	size_t class;

	for (class = LEAST_CLASS; class < CLASSES; class++)
		if (cache->nr[class])
			flush_class(heap, cache, class, cache->nr[class]);
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
	cache->heap = NULL;
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
	static const struct timespec a_while = { .tv_nsec = 1000000 };
	struct wr_heap *heap;

	for (;;) {
		AcquireSRWLockExclusive(&pool_lock);
		heap = cache->heap;
		if (!heap || TryEnterCriticalSection(&heap->lock))
			break;
		ReleaseSRWLockExclusive(&pool_lock);
		nanosleep(&a_while, NULL);
	}
	if (!heap)
		add_to_pool(cache);
	else if (wr_heap_is_anothers(heap))
		cache->ended = true;
	else
		loose(heap, place_of(heap, cache));
	if (heap)
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
	ended = true;
	for (i = 0; i < SLOTS; i++)
		slots[i] = &none;
	while ((cache = first_own)) {
		first_own = cache->next;
		give_up(cache);
	}
}

/* ---- a thread's beginning ---- */

static void prepare(void)
{
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

/* One more for this thread, which is loose, or NULL */
static struct wr_cache *new_cache(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct wr_cache *cache = NULL;

	making = true;
	pthread_once(&once, prepare);
	if (usable && !pthread_setspecific(key, &key))
		cache = take_from_pool();
	if (usable && !cache) {
		cache = mmap(NULL, sizeof(*cache), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (cache == MAP_FAILED)
			cache = NULL;
	}
	making = false;
	if (!cache)
		return NULL;
	cache->next = first_own;
	first_own = cache;
	nr_own++;

	return cache;
}

static void bind(struct wr_heap *heap, struct wr_cache *cache)
{
	memset(cache->nr, 0, sizeof(cache->nr));
	cache->next_of_heap = heap->caches;
	heap->caches = cache;
	cache->heap = heap;
}

/* This thread's cache for the heap, or NULL. With the heap's lock */
static struct wr_cache *get_cache(struct wr_heap *heap)
{
	struct wr_cache *loose = NULL;
	struct wr_cache *cache;

	if (making || ended || heap->max || heap->flags & HEAP_NO_SERIALIZE)
		return NULL;
	for (cache = first_own; cache && cache->heap != heap;
	     cache = cache->next)
		if (!cache->heap)
			loose = cache;
	if (!cache) {
		cache = loose;
		if (!cache && nr_own < MOST_CACHES)
			cache = new_cache();
		if (!cache)
			return NULL;
		bind(heap, cache);
	}
	*slot_of(heap) = cache;

	return cache;
}

void wr_front_before_free(struct wr_heap *heap, struct wr_region *region,
			  const char *block)
{
	struct wr_cache *cache;
	size_t class;

	class = region->large || heap->held ? 0 : class_of(block);
	cache = class ? get_cache(heap) : NULL;
	if (!cache)
		return;
	if (region->sparse)
		flush(heap, cache);
	else if (cache->nr[class] == depth_of(class))
		flush_class(heap, cache, class, cache->nr[class] / 2);
}

void wr_front_fill(struct wr_heap *heap, size_t size)
{
	struct wr_cache *cache;
	size_t class, n;
	char *block;

	if (heap->held || size > LARGEST)
		return;
	cache = get_cache(heap);
	class = class_for(size);
	n = cache ? depth_of(class) / 4 : 0;
	while (n--) {
		block = wr_block_new(heap, size, WR_ALIGN);
		if (!block)
			return;
		/* The allocator may have given more than it had to. */
		class = class_of(block);
		if (!class || cache->nr[class] == depth_of(class)) {
			wr_block_free(heap, wr_region_at(block), block);
			return;
		}
		wr_write_kept(heap, block, room_of(class));
		cache->blocks[class][cache->nr[class]++] = block;
	}
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
	struct wr_cache *cache;

	AcquireSRWLockExclusive(&pool_lock);
	for (cache = heap->caches; cache; cache = cache->next_of_heap) {
		cache->heap = NULL;
		if (cache->ended)
			add_to_pool(cache);
		cache->ended = false;
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
	const struct wr_cache *own = first_own;

	while (own && own != cache)
		own = own->next;

	return own;
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
