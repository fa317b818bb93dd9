/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the heap library share
 *
 * A heap has regions of its own. At the front of each is the memory that the
 * allocator cuts blocks from, committed from its beginning as far as it is in use;
 * behind that, what this library knows about it, so that the allocator's own words
 * are the only ones among the blocks of a program. A large block is a region alone.
 *
 * Each block ends with a word that says how long it is, and that it is whole. That it
 * is a block says a bit in its region: what a program hands in is looked up there
 * first, and only then looked at.
 */
#ifndef _WINREGION_HEAP_H
#define _WINREGION_HEAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <winregion/globalmem.h>
#include <winregion/heapapi.h>

#define WR_PAGE 4096UL
#define WR_UNIT 65536UL
/* In 32-bit programs Windows has 8; but malloc() has 16, and HEAP_CREATE_ALIGN_16 asks for it. */
#define WR_ALIGN 16UL

#ifdef __LP64__
/* From here on a block has a region of its own, in a heap that grows. */
#define WR_LARGE 0xFF000UL
/* And a heap that is not to grow has none of that size. */
#define WR_FIXED_LARGE 0xC0000UL
#else
#define WR_LARGE 0x7F000UL
#define WR_FIXED_LARGE 0x7FFF8UL
#endif
/* Where a large block begins in its region */
#define WR_LARGE_HEAD 128UL
/* The word at a block's end */
#define WR_TAIL 8UL

/* What the allocator puts behind the memory that it has, at most */
#define WR_FOOT 128UL
/* Where its state is in a heap's first region, behind struct wr_heap */
#define WR_SPACE 0x400UL

/* What it has in front of a piece, and the bit of that which says that it is in use */
#define WR_HEAD sizeof(size_t)
#define WR_HEAD_IN_USE 2
/* How much belongs to a piece at least, with that: two words of WR_TAIL fit in. */
#define WR_LEAST 32UL

/* More of a block than it asked for, by the allocator's rounding, is never this much. */
#define WR_MAX_SLACK 96UL

/* The longest piece that a thread keeps (front.c), with the word in front of it */
#define WR_KEPT_MOST 2048UL

struct wr_heap;
struct wr_cache;

/* Fields without another word: under the heap's lock */
struct wr_region {
	/* Constant, as base, size and large */
	struct wr_heap *heap;
	char *base;
	/* Of a large block's: all of it */
	size_t size;
	/* From the front */
	size_t committed;
	/*
	 * Where the word in front of a block is that a thread may keep, less than this
	 * from the front, all of the block can be read, whatever that word says. 0 in a
	 * large block's. Also read without the lock
	 */
	size_t reach;
	/* From the address of this structure */
	size_t meta_committed;
	/* Now in it */
	size_t blocks;
	/* In the heap's list of its kind, in order of creation */
	struct wr_region *next;
	struct wr_region *prev;
	bool large;
	/*
	 * It has few blocks for its size: of what is freed a thread keeps no more than it has
	 * credit for.
	 */
	atomic_bool sparse;
	/* What the thread kept that found it so has gone back. */
	bool flushed;
	/* Of a large block */
	size_t asked;
	/* Of each WR_ALIGN bytes: does a block begin there? */
	size_t begins[];
};

struct wr_list {
	struct wr_region *first;
	struct wr_region *last;
};

/* At the front of its first region: its address is the handle. */
struct wr_heap {
	/* For the time of a call: who has it waits for no thread that may wait for it. */
	CRITICAL_SECTION lock;
	/* What HeapLock() has taken, under the lock: who, how often, and who waits */
	HANDLE owner;
	unsigned int depth;
	CONDITION_VARIABLE unlocked;
	/* HEAP_*; constant, as are protect, max, key and space */
	DWORD flags;
	DWORD protect;
	/* 0: it grows */
	size_t max;
	/* What the words at the ends of blocks are hidden by */
	uint64_t key;
	/* The allocator's */
	void *space;
	/* The last one is what the allocator takes new memory from. */
	struct wr_list regions;
	/* How much of the last one is kept behind its blocks; and it has been given up */
	size_t keep;
	bool trimmed;
	struct wr_list larges;
	/* Those that large blocks had, for the next ones; what both have, and how many */
	struct wr_list kept;
	size_t large_bytes;
	size_t kept_bytes;
	unsigned int nr_kept;
	/* What HeapQueryInformation() tells */
	ULONG kind;
	/* It has had pieces of blocks again: between those that it has now there are holes. */
	bool has_holes;
	/* The allocator has found its words changed. */
	bool broken;
	/* Of threads that keep some of its blocks */
	struct wr_cache *caches;
	/* How often that is forbidden now: set with the lock, and looked at without */
	atomic_uint held;
	/* In order of creation; under the lock of that list */
	struct wr_heap *next;
	struct wr_heap *prev;
};

_Static_assert(sizeof(struct wr_heap) <= WR_SPACE, "a heap has its place");
_Static_assert(sizeof(struct wr_region) <= WR_LARGE_HEAD, "so has a region");
_Static_assert(2 * WR_TAIL + WR_HEAD <= WR_LEAST,
	       "a kept piece has both words");

static inline size_t wr_round_up(size_t size, size_t unit)
{
	return (size + unit - 1) & ~(unit - 1);
}

/* Has a block of @size bytes a region of its own there? */
static inline bool wr_is_large(const struct wr_heap *heap, size_t size)
{
	return size >= WR_LARGE && !heap->max;
}

/* ---- region.c ---- */

/*
 * A table of two levels, by the number of the 64 KiB unit of an address. Entries are
 * set under the lock of the heap that has the region; a table of the second level,
 * once there, stays.
 */
#ifndef __LP64__
#define WR_UNITS 0x10000UL
#elif defined(__aarch64__) /* where addresses end at 2^48, not 2^47 */
#define WR_UNITS 0x100000000UL
#else
#define WR_UNITS 0x80000000UL
#endif
#define WR_LEAF_ENTRIES 8192UL

struct wr_entry {
	struct wr_region *_Atomic region;
};

extern struct wr_entry *_Atomic wr_leaves[WR_UNITS / WR_LEAF_ENTRIES]
	__attribute__((visibility("hidden")));

/*
 * The region that has @address in it, or NULL. Or one of which it is none, if no address
 * can be so large: where it is in the region, all ask anyway.
 */
static inline struct wr_region *wr_region_at(const void *address)
{
	uintptr_t unit = (uintptr_t)address / WR_UNIT % WR_UNITS;
	struct wr_entry *leaf;

	leaf = atomic_load_explicit(&wr_leaves[unit / WR_LEAF_ENTRIES],
				    memory_order_acquire);
	if (!leaf)
		return NULL;

	return atomic_load_explicit(&leaf[unit % WR_LEAF_ENTRIES].region,
				    memory_order_acquire);
}

/*
 * A new region at the end of the heap's list. The first one's has place for the heap,
 * which the caller fills in: @heap is NULL then, and @protect counts.
 */
struct wr_region *wr_region_new(struct wr_heap *heap, size_t size,
				DWORD protect);
struct wr_region *wr_region_new_large(struct wr_heap *heap, size_t size);
void wr_region_add(struct wr_list *list, struct wr_region *region);
void wr_region_take_out(struct wr_list *list, struct wr_region *region);

/* Nobody finds it by an address until it is shown again. */
void wr_region_hide(struct wr_region *region);
void wr_region_show(struct wr_region *region);

/* Are all pages of a large block's as they were made? */
bool wr_region_is_plain(const struct wr_region *region);

/* Out of its list, if it is in one, and back to the system with all that is in it */
void wr_region_release(struct wr_list *list, struct wr_region *region);

/* The first memory of a heap, which is not there to ask for its @protect */
bool wr_region_begin(struct wr_region *region, size_t size, DWORD protect);

/*
 * The first one of a heap that has ended waits for the next heap: nobody finds it, and
 * there is no memory in it. It is to be released if either of these fails.
 */
bool wr_region_set_aside(struct wr_region *region);
bool wr_region_take_again(struct wr_region *region, size_t size, DWORD protect);

/* At least @size bytes of it are to be committed, or at most. */
bool wr_region_commit(struct wr_region *region, size_t size);
void wr_region_decommit(struct wr_region *region, size_t size);

/* ---- blocks.c: the allocator ---- */

/* In a heap whose first region is there */
void wr_blocks_init(struct wr_heap *heap);

/* A piece of memory of at least @size bytes, or NULL */
void *wr_blocks_new(struct wr_heap *heap, size_t size, size_t align);
/* Several of @bytes with their heads, each behind the other; the last one may be larger. */
char *wr_blocks_new_many(struct wr_heap *heap, size_t bytes, size_t nr);
void wr_blocks_free(struct wr_heap *heap, void *piece);
/* Where it is: with room for at least @size bytes, if there is room */
bool wr_blocks_resize(struct wr_heap *heap, void *piece, size_t size);
/* How much room there is in a piece in use; 0: it makes no sense */
size_t wr_blocks_room(const struct wr_region *region, const void *piece);
/* What nobody uses goes back to the system: all of it, or what is not soon used again */
void wr_blocks_trim(struct wr_heap *heap, bool all);
/* Do the allocator's own words make sense? */
bool wr_blocks_are_sound(struct wr_heap *heap);

/* What follows in a region */
enum wr_kind_of_piece {
	WR_PIECE_END,
	WR_PIECE_BLOCK,
	/* By a thread, for its next block */
	WR_PIECE_KEPT,
	WR_PIECE_FREE,
	WR_PIECE_BAD
};

struct wr_piece {
	enum wr_kind_of_piece kind;
	char *at;
	size_t room;
};

/* After the piece at @at, or the first one for NULL */
void wr_blocks_next(struct wr_heap *heap, struct wr_region *region,
		    const char *at, struct wr_piece *piece);

/* ---- large.c: large blocks ---- */

/* With the heap locked; @zeroed: from memory that nobody has had */
void *wr_large_new(struct wr_heap *heap, size_t size, bool zeroed);
void wr_large_free(struct wr_heap *heap, struct wr_region *region);
bool wr_large_resize(struct wr_heap *heap, struct wr_region *region,
		     char *block, size_t size);
/* Nothing is kept for the next ones. */
void wr_large_trim(struct wr_heap *heap);

/* ---- block.c: blocks of programs, made of these pieces ---- */

/* With the heap locked, where that is to be. @zeroed: a large one is all zeros. */
void *wr_block_new(struct wr_heap *heap, size_t size, size_t align,
		   bool zeroed);
void wr_block_free(struct wr_heap *heap, struct wr_region *region, void *block);
bool wr_block_resize(struct wr_heap *heap, struct wr_region *region,
		     void *block, size_t size);

/* The region of a block of this heap; NULL: it is none. */
struct wr_region *wr_block_find(const struct wr_heap *heap, const void *block);

/* How long it is; false: something has written past its end */
bool wr_block_size(const struct wr_heap *heap, const struct wr_region *region,
		   const void *block, size_t *size);

/* Both at once, for a call with the block: NULL if it is none, or broken */
struct wr_region *wr_block_look(const struct wr_heap *heap, const void *block,
				size_t *size);

/* So many pieces of the region have become blocks. */
void wr_block_counts(struct wr_region *region, size_t nr);

/* Is it one that a thread keeps? */
bool wr_block_is_kept(const struct wr_heap *heap,
		      const struct wr_region *region, const void *block);

/* ---- front.c: blocks that threads keep for themselves ---- */

/*
 * Before a thread takes a heap's lock: that its end is to be told may need a block of the
 * process' heap, where malloc() is that, and nobody waits for one heap with another's.
 */
void wr_front_begin(void);

/* Without the lock: where it is now. NULL: it is for who has it to do. */
void *wr_front_resize(HANDLE handle, DWORD flags, void *block, size_t size,
		      size_t *old);

/*
 * With it: a block, of several of which the others are kept, or NULL. @many: this thread
 * had to wait for the lock, or might have had to
 */
void *wr_front_new(struct wr_heap *heap, size_t size, bool many);
/* Before a block is freed, so that the next ones can be kept */
void wr_front_before_free(struct wr_heap *heap, struct wr_region *region,
			  const char *block);
/* HeapUnlock(): what threads have kept that have ended meanwhile goes back. */
void wr_front_unlocked(struct wr_heap *heap);
/* Nobody else takes or keeps blocks until it is let go. */
void wr_front_hold(struct wr_heap *heap);
void wr_front_let_go(struct wr_heap *heap);
/* All that is kept goes back, while it is held. */
void wr_front_flush(struct wr_heap *heap);

/* The heap is about to end. */
void wr_front_end(struct wr_heap *heap);

/* Around a fork, and for each heap that is locked */
void wr_front_before_fork(void);
void wr_front_after_fork(void);
void wr_front_in_child(struct wr_heap *heap);
void wr_front_after_fork_in_child(void);

/* ---- heap.c ---- */

/*
 * What @handle is, or NULL with ERROR_INVALID_HANDLE, or, of a handle of NULL, with the
 * error that says why the process has no heap
 */
struct wr_heap *wr_heap_get(HANDLE handle);

/* HeapAlloc() and HeapFree(), of what is not kept */
void *wr_heap_alloc(HANDLE handle, DWORD flags, size_t size);
BOOL wr_heap_free(HANDLE handle, DWORD flags, void *block);
/* ... of a small block of that heap, as was found out */
BOOL wr_heap_free_sound(struct wr_heap *heap, DWORD flags, void *block);

/* Has another thread than the one that has the lock called HeapLock()? */
static inline bool wr_heap_is_anothers(const struct wr_heap *heap)
{
	return heap->owner && heap->owner != heap->lock.OwningThread;
}

/* Whether it is to be unlocked again */
bool wr_heap_lock(struct wr_heap *heap, DWORD flags);
void wr_heap_unlock(struct wr_heap *heap, bool locked);

/* The same, and nobody takes what threads keep, for who looks at all of a heap */
bool wr_heap_hold(struct wr_heap *heap, DWORD flags);
void wr_heap_let_go(struct wr_heap *heap, bool locked);

/*
 * Look at a heap that another thread may be about to destroy: with its lock, as
 * wr_heap_hold() has it. Return: 0, ERROR_INVALID_HANDLE where there is none any more, or
 * ERROR_BUSY if another thread has called HeapLock(). @call uses no other heap.
 */
typedef void wr_heap_visitor(struct wr_heap *heap, void *arg);
DWORD wr_heap_visit(HANDLE handle, wr_heap_visitor *call, void *arg);

/* All that have a lock, but for those that are busy so */
void wr_heap_visit_all(wr_heap_visitor *call, void *arg);

/* Heaps are to end the process when they find themselves broken. */
extern atomic_bool wr_heap_ends;

/* Tell so, if that is so. @block may be NULL. */
void wr_heap_complain(const struct wr_heap *heap, const void *block,
		      const char *what);

/* ---- walk.c ---- */

/* What nobody uses goes back to the system, with the heap held. Return: the largest piece */
size_t wr_heap_compact(struct wr_heap *heap);

/* The answer for WR_HEAP_BLOCKS: 0 or the error */
DWORD wr_heap_tell_blocks(HANDLE handle, void *blocks, size_t size,
			  size_t *needed);

/* ---- moveable.c: handles of blocks that move ---- */

/* All are used under the lock of the process' heap. */

struct wr_moveable {
	/* In the bucket that its memory is found by, or among those free: a number + 1 */
	uint32_t next;
	/* GMEM_DISCARDABLE, GMEM_DDESHARE */
	uint16_t flags;
	uint8_t locks;
	bool used;
	/* NULL: discarded */
	void *memory;
} __attribute__((aligned(WR_ALIGN)));

/* Is it one, or could it have been? The address of a block could not. */
bool wr_is_handle(const void *address);

/* What @handle stands for, and what has its memory at @memory; or NULL */
struct wr_moveable *wr_moveable_get(HANDLE handle);
struct wr_moveable *wr_moveable_of(const void *memory);
HANDLE wr_moveable_handle(struct wr_moveable *moveable);

/* One without memory; NULL: there are too many. */
struct wr_moveable *wr_moveable_new(UINT flags);
void wr_moveable_set(struct wr_moveable *moveable, void *memory);
void wr_moveable_free(struct wr_moveable *moveable);

/* ---- global.c: what the library beside this one does by it ---- */

#pragma GCC visibility push(default)

HLOCAL WINAPI wr_local_alloc(UINT flags, SIZE_T size);
HLOCAL WINAPI wr_local_free(HLOCAL memory);

/* ---- heap.c, for malloc/malloc.c: a block at a multiple of @align, a power of two ---- */

void *wr_heap_alloc_aligned(HANDLE handle, SIZE_T size, SIZE_T align);

#pragma GCC visibility pop

#endif /* _WINREGION_HEAP_H */
