// SPDX-License-Identifier: GPL-2.0
/* vm: cpus=2 */
/*
 * Memory with handles, of GlobalAlloc() and LocalAlloc(): most of it by both
 */
#include "kselftest_harness.h"

#include <pthread.h>
#include <stdatomic.h>

#include <winregion/errhandlingapi.h>
#include <winregion/globalmem.h>
#include <winregion/heapapi.h>
#include <winregion/winbase.h>

#include "memory.h"
#include "race.h"
#include "rounds.h"
#include "wr_test_util.h"

#define MOST_HANDLES 65536
#define LARGE MIB(2)

/* ---- what tests share ---- */

struct calls {
	void *(*alloc)(UINT flags, SIZE_T size);
	void *(*realloc)(HANDLE memory, SIZE_T size, UINT flags);
	void *(*free)(HANDLE memory);
	void *(*lock)(HANDLE memory);
	int (*unlock)(HANDLE memory);
	void *(*handle)(LPCVOID address);
	size_t (*size)(HANDLE memory);
	unsigned int (*flags)(HANDLE memory);
	UINT discardable;
	bool local;
};

static const struct calls global_calls = {
	GlobalAlloc, GlobalReAlloc, GlobalFree, GlobalLock, GlobalUnlock,
	GlobalHandle, GlobalSize, GlobalFlags, GMEM_DISCARDABLE, false,
};

static const struct calls local_calls = {
	LocalAlloc, LocalReAlloc, LocalFree, LocalLock, LocalUnlock,
	LocalHandle, LocalSize, LocalFlags, LMEM_DISCARDABLE, true,
};

FIXTURE(memory) {
	const struct calls *c;
	/* Of the process' heap, which has to be the same at the end */
	SIZE_T allocated;
};

FIXTURE_VARIANT(memory) {
	const struct calls *calls;
};

FIXTURE_VARIANT_ADD(memory, global) {
	.calls = &global_calls,
};

FIXTURE_VARIANT_ADD(memory, local) {
	.calls = &local_calls,
};

static SIZE_T allocated(void)
{
	HEAP_SUMMARY summary = { .cb = sizeof(summary) };

	if (!HeapSummary(GetProcessHeap(), 0, &summary))
		abort();
	return summary.cbAllocated;
}

FIXTURE_SETUP(memory)
{
	self->c = variant->calls;
	self->allocated = allocated();
}

FIXTURE_TEARDOWN(memory)
{
	EXPECT_TRUE(HeapValidate(GetProcessHeap(), 0, NULL));
	EXPECT_EQ(self->allocated, allocated());
}

static bool has_error(DWORD error)
{
	DWORD is = GetLastError();

	SetLastError(POISON);
	return is == error;
}

/* Does @call return @result with @error? POISON is none. */
#define RETURNS(result, error, call)					\
	(SetLastError(POISON), (uintptr_t)(call) == (uintptr_t)(result) && \
	 has_error(error))

/* ---- handles ---- */

static HANDLE handles[MOST_HANDLES];

static int take_all(const struct calls *c, SIZE_T size)
{
	int i;

	for (i = 0; i < MOST_HANDLES; i++) {
		handles[i] = c->alloc(GMEM_MOVEABLE, size);
		if (!handles[i])
			break;
	}
	return i;
}

static int free_all(const struct calls *c)
{
	int i;

	for (i = 0; i < MOST_HANDLES && !c->free(handles[i]); i++)
		handles[i] = NULL;
	return i;
}

/* Rules: GA-01 */
TEST_F(memory, most_handles)
{
	const struct calls *c = self->c;
	SIZE_T before;
	void *fixed;
	int round;

	for (round = 0; round < 3; round++) {
		ASSERT_EQ(MOST_HANDLES, take_all(c, round * 9));
		before = allocated();
		EXPECT_TRUE(RETURNS(NULL, ERROR_NOT_ENOUGH_MEMORY,
				    GlobalAlloc(GMEM_MOVEABLE, 0)));
		EXPECT_TRUE(RETURNS(NULL, ERROR_NOT_ENOUGH_MEMORY,
				    LocalAlloc(LMEM_MOVEABLE, 100)));
		fixed = c->alloc(GMEM_FIXED, 100);
		EXPECT_NE(NULL, fixed);
		EXPECT_TRUE(RETURNS(NULL, ERROR_NOT_ENOUGH_MEMORY,
				    GlobalReAlloc(fixed, 0, GMEM_MODIFY |
						  GMEM_MOVEABLE)));
		EXPECT_EQ(100, c->size(fixed));
		EXPECT_EQ(NULL, c->free(fixed));
		EXPECT_EQ(before, allocated());

		EXPECT_EQ(NULL, c->free(handles[777]));
		handles[777] = c->alloc(GMEM_MOVEABLE, 5);
		EXPECT_NE(NULL, handles[777]);
		EXPECT_EQ(NULL, c->alloc(GMEM_MOVEABLE, 5));
		EXPECT_EQ(MOST_HANDLES, free_all(c));
	}
}

/* Rules: GA-01. What has failed has taken none. */
TEST_F(memory, no_handle_lost)
{
	const struct calls *c = self->c;
	int i;

	for (i = 0; i < 100; i++) {
		EXPECT_TRUE(RETURNS(NULL, ERROR_NOT_ENOUGH_MEMORY,
				    c->alloc(GMEM_MOVEABLE, 1UL << 62)));
		EXPECT_TRUE(RETURNS(NULL, ERROR_NOT_ENOUGH_MEMORY,
				    c->alloc(GMEM_FIXED, ~0UL)));
	}
	EXPECT_EQ(MOST_HANDLES, take_all(c, 0));
	EXPECT_EQ(MOST_HANDLES, free_all(c));
}

/* Rules: GA-02 */
TEST_F(memory, nothing)
{
	const struct calls *c = self->c;
	HANDLE fixed = c->alloc(GMEM_FIXED, 0);
	HANDLE other = c->alloc(GPTR, 0);
	HANDLE moves = c->alloc(GMEM_MOVEABLE, 0);

	ASSERT_TRUE(fixed && other && moves);
	EXPECT_NE(fixed, other);
	EXPECT_EQ(!c->local, c->size(fixed));
	EXPECT_EQ(!c->local, c->size(other));
	EXPECT_EQ(0, c->flags(fixed));
	EXPECT_EQ(0, c->size(moves));
	EXPECT_EQ(GMEM_DISCARDED, c->flags(moves));
	EXPECT_TRUE(RETURNS(NULL, POISON, c->free(NULL)));
	EXPECT_TRUE(RETURNS(NULL, POISON, c->free(fixed)));
	EXPECT_TRUE(RETURNS(NULL, POISON, c->free(other)));
	EXPECT_TRUE(RETURNS(NULL, POISON, c->free(moves)));
}

/* Rules: GA-09 */
TEST_F(memory, handles_are_no_addresses)
{
	const struct calls *c = self->c;
	HANDLE heap = GetProcessHeap();
	HANDLE fixed, moves;
	SIZE_T size;

	for (size = 1; size < MIB(16); size *= 32) {
		fixed = c->alloc(GMEM_FIXED, size);
		moves = c->alloc(GMEM_MOVEABLE, size);
		ASSERT_TRUE(fixed && moves);
		EXPECT_EQ(0, (uintptr_t)fixed % 16);
		EXPECT_EQ(8, (uintptr_t)moves % 16);
		EXPECT_FALSE(HeapValidate(heap, 0, (char *)moves - 8));
		EXPECT_EQ(fixed, c->lock(fixed));
		EXPECT_EQ(*(void **)moves, c->lock(moves));
		EXPECT_EQ(size, HeapSize(heap, 0, fixed));
		EXPECT_EQ(size, HeapSize(heap, 0, *(void **)moves));
		EXPECT_EQ(size, c->size(fixed));
		EXPECT_EQ(size, c->size(moves));
		memset(fixed, 1, size);
		memset(*(void **)moves, 2, size);
		EXPECT_EQ(NULL, c->free(moves));
		EXPECT_EQ(NULL, *(void **)moves);
		EXPECT_EQ(NULL, c->free(fixed));
	}
}

/* ---- what is none ---- */

static bool is_bad_handle(const struct calls *c, HANDLE bad)
{
	return RETURNS(bad, ERROR_INVALID_HANDLE, c->free(bad)) &&
	       RETURNS(0, ERROR_INVALID_HANDLE, c->lock(bad)) &&
	       RETURNS(!c->local, ERROR_INVALID_HANDLE, c->unlock(bad)) &&
	       RETURNS(0, ERROR_INVALID_HANDLE, c->size(bad)) &&
	       RETURNS(0x8000, ERROR_INVALID_HANDLE, c->flags(bad)) &&
	       RETURNS(0, ERROR_INVALID_HANDLE, c->handle(bad)) &&
	       RETURNS(0, ERROR_INVALID_HANDLE, c->realloc(bad, 9, 0)) &&
	       RETURNS(0, ERROR_INVALID_HANDLE,
		       c->realloc(bad, 0, GMEM_MOVEABLE)) &&
	       RETURNS(0, ERROR_INVALID_HANDLE,
		       c->realloc(bad, 0, GMEM_MODIFY | GMEM_MOVEABLE));
}

/* An address at which no block begins; the two families differ in some errors. */
static bool is_bad_address(const struct calls *c, void *bad, bool readable)
{
	DWORD error = readable ? ERROR_INVALID_HANDLE : ERROR_NOACCESS;
	DWORD invalid = ERROR_INVALID_HANDLE;

	return RETURNS(bad, error, c->free(bad)) &&
	       RETURNS(0, error, c->realloc(bad, 9, 0)) &&
	       RETURNS(0, error, c->realloc(bad, 0, GMEM_MOVEABLE)) &&
	       RETURNS(0, error, c->realloc(bad, 0, GMEM_MODIFY)) &&
	       RETURNS(0x8000, c->local ? error : invalid, c->flags(bad)) &&
	       RETURNS(0, invalid, c->size(bad)) &&
	       RETURNS(0, invalid, c->handle(bad)) &&
	       RETURNS(0, c->local ? POISON : invalid, c->lock(bad)) &&
	       RETURNS(!c->local, c->local ? ERROR_NOT_LOCKED : POISON,
		       c->unlock(bad));
}

/* Rules: GA-03, GA-15 */
TEST_F(memory, freed_twice)
{
	const struct calls *c = self->c;
	HANDLE moves = c->alloc(GMEM_MOVEABLE, 256);
	HANDLE empty = c->alloc(GMEM_MOVEABLE, 0);
	HANDLE fixed = c->alloc(GMEM_FIXED, 256);

	ASSERT_TRUE(moves && empty && fixed);
	EXPECT_EQ(NULL, c->free(moves));
	EXPECT_TRUE(is_bad_handle(c, moves));
	EXPECT_EQ(NULL, c->free(empty));
	EXPECT_TRUE(is_bad_handle(c, empty));
	EXPECT_EQ(NULL, c->free(fixed));
	EXPECT_TRUE(is_bad_address(c, fixed, true));
	EXPECT_EQ(MOST_HANDLES, take_all(c, 0));
	EXPECT_EQ(MOST_HANDLES, free_all(c));
}

/* Rules: GA-03. A lock does not keep it. */
TEST_F(memory, freed_while_locked)
{
	const struct calls *c = self->c;
	HANDLE moves = c->alloc(GMEM_MOVEABLE, 256);
	char *memory = c->lock(moves);

	ASSERT_NE(NULL, memory);
	EXPECT_EQ(NULL, c->free(moves));
	EXPECT_TRUE(is_bad_handle(c, moves));
	EXPECT_TRUE(is_bad_address(c, memory, true));
	EXPECT_EQ(moves, c->alloc(GMEM_MOVEABLE, 256));
	EXPECT_EQ(0, c->flags(moves));
	EXPECT_EQ(NULL, c->free(moves));
}

/* Rules: GA-04 */
TEST_F(memory, wild_pointers)
{
	const struct calls *c = self->c;
	char *reserved = VirtualAlloc(NULL, UNIT, MEM_RESERVE, PAGE_READWRITE);
	HANDLE heap = HeapCreate(0, 0, 0);
	char *theirs = HeapAlloc(heap, 0, 100);
	char *large = c->alloc(GMEM_FIXED, LARGE);
	char *block = c->alloc(GMEM_FIXED, 100);
	HANDLE moves = c->alloc(GMEM_MOVEABLE, 100);
	char local[16] __attribute__((aligned(16)));

	ASSERT_TRUE(reserved && theirs && large && block && moves);
	memset(block, 0, 100);
	EXPECT_TRUE(is_bad_address(c, reserved, false));
	EXPECT_TRUE(is_bad_address(c, (void *)0xffffffffdeadbee0, false));
	EXPECT_TRUE(is_bad_address(c, KERNEL_ADDRESS, false));
	EXPECT_TRUE(is_bad_address(c, (void *)16, false));
	EXPECT_TRUE(is_bad_address(c, (void *)1, false));
	EXPECT_TRUE(is_bad_address(c, local, true));
	EXPECT_TRUE(is_bad_address(c, theirs, true));
	EXPECT_TRUE(is_bad_address(c, block + 16, true));
	EXPECT_TRUE(is_bad_address(c, block + 1, true));
	EXPECT_TRUE(is_bad_address(c, large + 64, true));
	EXPECT_TRUE(is_bad_address(c, (char *)moves - 8, true));

	EXPECT_TRUE(is_bad_handle(c, (void *)0xffffffffdeadbee8));
	EXPECT_TRUE(is_bad_handle(c, (void *)8));
	EXPECT_TRUE(is_bad_handle(c, INVALID_HANDLE_VALUE));
	EXPECT_TRUE(is_bad_handle(c, KERNEL_ADDRESS + 8));
	EXPECT_TRUE(is_bad_handle(c, block + 8));
	EXPECT_TRUE(is_bad_handle(c, (char *)moves + 1));
	EXPECT_TRUE(is_bad_handle(c, (char *)moves + 7));
	EXPECT_TRUE(is_bad_handle(c, (char *)moves + 16));
	EXPECT_TRUE(is_bad_handle(c, (char *)moves + MIB(1)));
	EXPECT_TRUE(is_bad_handle(c, (char *)moves - MIB(1)));

	EXPECT_EQ(100, c->size(block));
	EXPECT_EQ(100, c->size(moves));
	EXPECT_EQ(NULL, c->free(large));
	EXPECT_EQ(NULL, c->free(block));
	EXPECT_EQ(NULL, c->free(moves));
	EXPECT_TRUE(HeapDestroy(heap));
	EXPECT_TRUE(VirtualFree(reserved, 0, MEM_RELEASE));
}

/* Rules: GA-04. NULL is a wild pointer, too, but to free it is nothing. */
TEST_F(memory, null)
{
	const struct calls *c = self->c;

	EXPECT_TRUE(RETURNS(NULL, POISON, c->free(NULL)));
	EXPECT_TRUE(RETURNS(NULL, ERROR_NOACCESS,
			    c->realloc(NULL, 10, GMEM_MOVEABLE)));
	EXPECT_TRUE(RETURNS(0, ERROR_INVALID_HANDLE, c->size(NULL)));
	EXPECT_TRUE(RETURNS(0, ERROR_INVALID_HANDLE, c->handle(NULL)));
}

/* All bits, or those of an address that is near to @near */
static void *random_address(uint64_t *seed, void *near)
{
	uint64_t bits = (uint64_t)race_random(seed, UINT32_MAX) << 32 |
			race_random(seed, UINT32_MAX);

	bits >>= race_random(seed, 64);
	return (void *)(race_random(seed, 2) ? bits : (uintptr_t)near ^ bits);
}

/* Rules: GA-04 */
TEST_F(memory, random_pointers)
{
	const struct calls *c = self->c;
	HANDLE fixed = c->alloc(GPTR, 5000);
	HANDLE moves = c->alloc(GHND, 5000);
	long n = rounds(global_pointers);
	uint64_t seed = 5;
	void *bad;
	long i;

	ASSERT_TRUE(fixed && moves);
	for (i = 0; i < n; i++) {
		bad = random_address(&seed, i % 2 ? fixed : moves);
		if (!bad || bad == fixed || bad == moves ||
		    bad == *(void **)moves)
			continue;
		ASSERT_EQ(bad, c->free(bad));
		ASSERT_EQ(NULL, c->realloc(bad, 77, GMEM_MOVEABLE));
		ASSERT_EQ(NULL, c->lock(bad));
		ASSERT_EQ(!c->local, c->unlock(bad));
		ASSERT_EQ(0, c->size(bad));
		ASSERT_EQ(0x8000, c->flags(bad));
		ASSERT_EQ(NULL, c->handle(bad));
	}
	EXPECT_TRUE(all_bytes(fixed, 5000, 0));
	EXPECT_TRUE(all_bytes(c->lock(moves), 5000, 0));
	EXPECT_EQ(NULL, c->free(fixed));
	EXPECT_EQ(NULL, c->free(moves));
}

/* Rules: GA-03, HP-30. What was written past its end stays. */
TEST_F(memory, overruns)
{
	const struct calls *c = self->c;
	HANDLE moves = c->alloc(GHND, 20);
	char *memory = c->lock(moves);
	char old;

	ASSERT_NE(NULL, memory);
	EXPECT_FALSE(c->unlock(moves));
	old = memory[20];
	memory[20] ^= 1;
	EXPECT_TRUE(RETURNS(moves, ERROR_INVALID_PARAMETER, c->free(moves)));
	EXPECT_TRUE(RETURNS(0, ERROR_INVALID_PARAMETER,
			    c->realloc(moves, 0, GMEM_MOVEABLE)));
	EXPECT_TRUE(RETURNS(0, ERROR_INVALID_PARAMETER,
			    c->realloc(moves, 30, GMEM_MOVEABLE)));
	EXPECT_TRUE(RETURNS(0, ERROR_INVALID_HANDLE, c->size(moves)));
	memory[20] = old;
	EXPECT_EQ(20, c->size(moves));
	EXPECT_EQ(memory, c->lock(moves));
	EXPECT_EQ(NULL, c->free(moves));
}

/* ---- locks ---- */

/* Rules: GA-05 */
TEST_F(memory, lock_of_nothing)
{
	const struct calls *c = self->c;
	HANDLE empty = c->alloc(GHND, 0);
	HANDLE moves = c->alloc(GMEM_MOVEABLE, 50);

	ASSERT_TRUE(empty && moves);
	EXPECT_TRUE(RETURNS(0, ERROR_DISCARDED, c->lock(empty)));
	EXPECT_TRUE(RETURNS(0, ERROR_NOT_LOCKED, c->unlock(empty)));
	EXPECT_EQ(moves, c->realloc(moves, 0, GMEM_MOVEABLE));
	EXPECT_TRUE(RETURNS(0, ERROR_DISCARDED, c->lock(moves)));
	EXPECT_EQ(GMEM_DISCARDED, c->flags(moves));
	EXPECT_EQ(NULL, c->free(empty));
	EXPECT_EQ(NULL, c->free(moves));
}

/* Rules: GA-06 */
TEST_F(memory, locks)
{
	const struct calls *c = self->c;
	HANDLE moves = c->alloc(GMEM_MOVEABLE, 256);
	char *memory;

	ASSERT_NE(NULL, moves);
	EXPECT_TRUE(RETURNS(0, ERROR_NOT_LOCKED, c->unlock(moves)));
	EXPECT_EQ(0, c->flags(moves));
	SetLastError(POISON);
	memory = c->lock(moves);
	ASSERT_NE(NULL, memory);
	EXPECT_EQ(1, c->flags(moves));
	EXPECT_EQ(memory, c->lock(moves));
	EXPECT_EQ(2, c->flags(moves));
	EXPECT_EQ(POISON, GetLastError());
	EXPECT_TRUE(RETURNS(TRUE, POISON, c->unlock(moves)));
	EXPECT_EQ(1, c->flags(moves));
	EXPECT_TRUE(RETURNS(FALSE, ERROR_SUCCESS, c->unlock(moves)));
	EXPECT_EQ(0, c->flags(moves));
	EXPECT_TRUE(RETURNS(FALSE, ERROR_NOT_LOCKED, c->unlock(moves)));
	EXPECT_EQ(0, c->flags(moves));
	EXPECT_EQ(NULL, c->free(moves));
}

/* Rules: GA-07 */
TEST_F(memory, most_locks)
{
	const struct calls *c = self->c;
	HANDLE moves = c->alloc(GMEM_MOVEABLE | GMEM_DISCARDABLE, 256);
	int i;

	ASSERT_NE(NULL, moves);
	for (i = 1; i <= 300; i++) {
		EXPECT_EQ(*(void **)moves, c->lock(moves));
		EXPECT_EQ((i < 255 ? i : 255) | c->discardable,
			  c->flags(moves));
	}
	for (i = 1; i < 255; i++)
		EXPECT_TRUE(RETURNS(TRUE, POISON, c->unlock(moves)));
	EXPECT_TRUE(RETURNS(FALSE, ERROR_SUCCESS, c->unlock(moves)));
	EXPECT_TRUE(RETURNS(FALSE, ERROR_NOT_LOCKED, c->unlock(moves)));
	EXPECT_EQ(c->discardable, c->flags(moves));
	EXPECT_EQ(NULL, c->free(moves));
}

/* Rules: GA-15 */
TEST_F(memory, locks_of_fixed)
{
	const struct calls *c = self->c;
	DWORD error = c->local ? ERROR_NOT_LOCKED : POISON;
	HANDLE moves = c->alloc(GMEM_MOVEABLE, 10);
	char *fixed = c->alloc(GMEM_FIXED, 10);
	char *memory = c->lock(moves);
	int i;

	ASSERT_TRUE(fixed && memory);
	for (i = 0; i < 300; i++)
		EXPECT_TRUE(RETURNS(fixed, POISON, c->lock(fixed)));
	EXPECT_EQ(0, c->flags(fixed));
	for (i = 0; i < 301; i++)
		EXPECT_TRUE(RETURNS(!c->local, error, c->unlock(fixed)));
	/* The address of what is locked is locked by nobody. */
	EXPECT_TRUE(RETURNS(memory, POISON, c->lock(memory)));
	EXPECT_TRUE(RETURNS(!c->local, error, c->unlock(memory)));
	EXPECT_EQ(1, c->flags(moves));
	EXPECT_EQ(NULL, c->free(fixed));
	EXPECT_EQ(NULL, c->free(moves));
}

/* ---- flags ---- */

/* Rules: GA-08 */
TEST_F(memory, flags)
{
	const struct calls *c = self->c;
	UINT valid = c->local ? LMEM_VALID_FLAGS : GMEM_VALID_FLAGS;
	UINT bit, shown;
	HANDLE memory;

	for (bit = 1; bit; bit <<= 1) {
		memory = c->alloc(GMEM_MOVEABLE, 4);
		ASSERT_NE(NULL, memory);
		if (!(valid & bit)) {
			EXPECT_TRUE(RETURNS(0, ERROR_INVALID_PARAMETER,
					    c->alloc(bit, 4)));
			EXPECT_TRUE(RETURNS(0, ERROR_INVALID_PARAMETER,
					    c->alloc(GHND | bit, 4)));
		}
		if (!(valid & bit) && bit != GMEM_MODIFY)
			EXPECT_TRUE(RETURNS(0, ERROR_INVALID_PARAMETER,
					    c->realloc(memory, 8, bit)));
		EXPECT_EQ(4, c->size(memory));
		EXPECT_EQ(NULL, c->free(memory));
		if (!(valid & bit))
			continue;
		memory = c->alloc(GMEM_MOVEABLE | bit, 4);
		ASSERT_NE(NULL, memory);
		shown = bit & GMEM_DDESHARE;
		if (bit & GMEM_DISCARDABLE)
			shown |= c->discardable;
		EXPECT_EQ(shown, c->flags(memory));
		EXPECT_EQ(NULL, c->free(memory));
		memory = c->alloc(bit & ~GMEM_MOVEABLE, 4);
		ASSERT_NE(NULL, memory);
		EXPECT_EQ(0, c->flags(memory));
		EXPECT_EQ(0, (uintptr_t)memory % 16);
		EXPECT_EQ(NULL, c->free(memory));
	}
}

/* Rules: GA-08. What the other family has set is not told in its bits. */
TEST(flags_of_both)
{
	HANDLE shared = GlobalAlloc(GMEM_MOVEABLE | GMEM_DDESHARE, 1);
	HANDLE discardable = LocalAlloc(LMEM_MOVEABLE | LMEM_DISCARDABLE, 0);

	ASSERT_TRUE(shared && discardable);
	EXPECT_EQ(GMEM_DDESHARE, GlobalFlags(shared));
	EXPECT_EQ(0, LocalFlags(shared));
	EXPECT_EQ(GMEM_DISCARDABLE | GMEM_DISCARDED, GlobalFlags(discardable));
	EXPECT_EQ(LMEM_DISCARDABLE | LMEM_DISCARDED, LocalFlags(discardable));
	EXPECT_EQ(NULL, LocalFree(shared));
	EXPECT_EQ(NULL, GlobalFree(discardable));
}

/* ---- reallocate ---- */

enum sort {
	EMPTY,
	UNLOCKED,
	LOCKED,
	FIXED,
	KINDS
};

struct block {
	HANDLE handle;
	unsigned char *memory;
	enum sort kind;
	SIZE_T size;
};

/* With bytes that say which of them it is */
static bool make(const struct calls *c, struct block *block, enum sort kind,
		 SIZE_T size)
{
	UINT flags = kind == FIXED ? GMEM_FIXED : GMEM_MOVEABLE;
	SIZE_T i;

	*block = (struct block){ .kind = kind };
	block->size = kind == EMPTY ? 0 : size;
	block->handle = c->alloc(flags, block->size);
	if (!block->handle)
		return false;
	if (kind == EMPTY)
		return true;
	block->memory = c->lock(block->handle);
	for (i = 0; i < size; i++)
		block->memory[i] = i % 251 + 1;
	if (kind == UNLOCKED)
		c->unlock(block->handle);
	return true;
}

static bool has_kept(const unsigned char *memory, SIZE_T size)
{
	SIZE_T i;

	for (i = 0; i < size; i++)
		if (memory[i] != i % 251 + 1)
			return false;
	return true;
}

/* It could not be done, which changes nothing. */
static bool is_unchanged(const struct calls *c, const struct block *block)
{
	UINT flags = block->kind == LOCKED;

	return c->size(block->handle) == block->size &&
	       c->flags(block->handle) == flags &&
	       c->lock(block->handle) == block->memory &&
	       has_kept(block->memory, block->size);
}

static bool is_changed(const struct calls *c, const struct block *block,
		       HANDLE handle, SIZE_T size, UINT flags)
{
	SIZE_T common = size < block->size ? size : block->size;
	UINT locks = block->kind == LOCKED;
	unsigned char *memory;

	if (block->kind != FIXED && handle != block->handle)
		return false;
	if (c->flags(handle) != locks || c->size(handle) != size)
		return false;
	memory = c->lock(handle);
	if (!memory || !has_kept(memory, common))
		return false;
	return size <= block->size || !(flags & GMEM_ZEROINIT) ||
	       all_bytes(memory + common, size - common, 0);
}

/* One reallocation of a new block: 0, or the line at which it is wrong */
static int reallocate(const struct calls *c, enum sort kind, SIZE_T from,
		      SIZE_T to, UINT flags)
{
	bool stays = kind >= LOCKED && !(flags & GMEM_MOVEABLE);
	struct block block;
	HANDLE handle;

	if (!make(c, &block, kind, from))
		return __LINE__;
	SetLastError(POISON);
	handle = c->realloc(block.handle, to, flags);
	if (handle) {
		if (!has_error(POISON))
			return __LINE__;
		if (!is_changed(c, &block, handle, to, flags))
			return __LINE__;
		if (stays && c->lock(handle) != block.memory)
			return __LINE__;
	} else {
		/* Only this can fail, and what gets smaller has its place. */
		if (!stays || to <= from)
			return __LINE__;
		if (!has_error(ERROR_NOT_ENOUGH_MEMORY))
			return __LINE__;
		if (!is_unchanged(c, &block))
			return __LINE__;
		handle = block.handle;
	}
	return c->free(handle) ? __LINE__ : 0;
}

/*
 * Rules: GA-10, GA-11. All kinds from all sizes to all, with and without each flag: one
 * in three of them each time
 */
TEST_F(memory, reallocate)
{
	SIZE_T sizes[] = { 1, 17, 500, 6000, 70000, MIB(1), LARGE };
	UINT flags[] = { 0, GMEM_ZEROINIT, GMEM_MOVEABLE, GHND };
	const struct calls *c = self->c;
	int n, kind, from, to, f;

	for (n = 0; n < KINDS * 7 * 7 * 4; n++) {
		if (!has_turn(n, 3))
			continue;
		f = n % 4;
		to = n / 4 % 7;
		from = n / 28 % 7;
		kind = n / 196;
		ASSERT_EQ(0, reallocate(c, kind, sizes[from], sizes[to],
					flags[f]));
	}
}

/* Rules: GA-10 */
TEST_F(memory, zeroes)
{
	const struct calls *c = self->c;
	SIZE_T sizes[] = { 1, 100, 5000, 100000, LARGE };
	HANDLE fixed, moves;
	int i, round;

	for (i = 0; i < 5; i++) {
		for (round = 0; round < 3; round++) {
			fixed = c->alloc(GPTR, sizes[i]);
			moves = c->alloc(GHND, sizes[i]);
			ASSERT_TRUE(fixed && moves);
			EXPECT_TRUE(all_bytes(fixed, sizes[i], 0));
			EXPECT_TRUE(all_bytes(c->lock(moves), sizes[i], 0));
			memset(fixed, 0x77, sizes[i]);
			memset(*(void **)moves, 0x77, sizes[i]);
			EXPECT_EQ(NULL, c->free(fixed));
			EXPECT_EQ(NULL, c->free(moves));
		}
	}
}

/* Rules: GA-11. With another block behind it */
TEST_F(memory, stays)
{
	const struct calls *c = self->c;
	int kind;

	for (kind = LOCKED; kind <= FIXED; kind++) {
		struct block block;
		HANDLE wall, moved;

		ASSERT_TRUE(make(c, &block, kind, 3000));
		wall = c->alloc(GMEM_FIXED, 3000);
		ASSERT_NE(NULL, wall);
		EXPECT_TRUE(RETURNS(0, ERROR_NOT_ENOUGH_MEMORY,
				    c->realloc(block.handle, 9000, 0)));
		EXPECT_TRUE(is_unchanged(c, &block));
		if (kind == LOCKED)
			EXPECT_TRUE(c->unlock(block.handle));
		EXPECT_EQ(block.handle, c->realloc(block.handle, 3000, 0));
		EXPECT_EQ(block.handle, c->realloc(block.handle, 10, 0));
		EXPECT_EQ(block.memory, c->lock(block.handle));
		EXPECT_EQ(block.handle, c->realloc(block.handle, 3000, 0));
		EXPECT_EQ(block.memory, c->lock(block.handle));
		EXPECT_TRUE(has_kept(block.memory, 10));

		moved = c->realloc(block.handle, 9000, GMEM_MOVEABLE);
		ASSERT_NE(NULL, moved);
		EXPECT_NE(block.memory, c->lock(moved));
		EXPECT_TRUE(has_kept(c->lock(moved), 10));
		if (kind == LOCKED)
			EXPECT_EQ(block.handle, moved);
		EXPECT_EQ(NULL, c->free(moved));
		EXPECT_EQ(NULL, c->free(wall));
	}
}

/* Rules: GA-11, GA-12. Too much to have leaves what there is. */
TEST_F(memory, impossible)
{
	SIZE_T sizes[] = { ~0UL, ~7UL, 1UL << 63, 1UL << 47 };
	const struct calls *c = self->c;
	struct block block;
	int kind, i, f;

	for (kind = 0; kind < KINDS; kind++) {
		ASSERT_TRUE(make(c, &block, kind, 300));
		for (i = 0; i < 4; i++)
			for (f = 0; f < 2; f++)
				EXPECT_TRUE(RETURNS(0, ERROR_NOT_ENOUGH_MEMORY,
						    c->realloc(block.handle,
							       sizes[i],
							       2 * f)));
		EXPECT_EQ(block.size, c->size(block.handle));
		if (kind != EMPTY)
			EXPECT_TRUE(is_unchanged(c, &block));
		EXPECT_EQ(NULL, c->free(block.handle));
	}
}

/* Rules: GA-12 */
TEST_F(memory, discard)
{
	const struct calls *c = self->c;
	SIZE_T before = allocated();
	struct block block;

	ASSERT_TRUE(make(c, &block, LOCKED, 1000));
	EXPECT_TRUE(RETURNS(0, ERROR_LOCKED,
			    c->realloc(block.handle, 0, GMEM_MOVEABLE)));
	EXPECT_TRUE(is_unchanged(c, &block));
	EXPECT_TRUE(c->unlock(block.handle));
	EXPECT_FALSE(c->unlock(block.handle));
	EXPECT_EQ(block.handle, c->realloc(block.handle, 0, GMEM_MOVEABLE));
	EXPECT_EQ(before, allocated());
	EXPECT_EQ(0, c->size(block.handle));
	EXPECT_EQ(GMEM_DISCARDED, c->flags(block.handle));
	EXPECT_EQ(NULL, *(void **)block.handle);
	EXPECT_EQ(block.handle, c->realloc(block.handle, 0, GMEM_MOVEABLE));
	EXPECT_EQ(block.handle, c->realloc(block.handle, 0, 0));
	EXPECT_EQ(GMEM_DISCARDED, c->flags(block.handle));

	EXPECT_EQ(block.handle, c->realloc(block.handle, 70, GMEM_ZEROINIT));
	EXPECT_EQ(0, c->flags(block.handle));
	EXPECT_EQ(70, c->size(block.handle));
	EXPECT_TRUE(all_bytes(c->lock(block.handle), 70, 0));
	EXPECT_FALSE(c->unlock(block.handle));
	/* Without the flag it is memory of no bytes. */
	EXPECT_EQ(block.handle, c->realloc(block.handle, 0, 0));
	EXPECT_EQ(0, c->size(block.handle));
	EXPECT_EQ(0, c->flags(block.handle));
	EXPECT_EQ(NULL, c->free(block.handle));
	EXPECT_EQ(before, allocated());
}

/* Rules: GA-12 */
TEST(discard_by_name)
{
	HANDLE moves = GlobalAlloc(GMEM_MOVEABLE, 10);
	HANDLE other = LocalAlloc(LMEM_MOVEABLE, 10);
	HANDLE fixed = LocalAlloc(LMEM_FIXED, 10);

	ASSERT_TRUE(moves && other && fixed);
	EXPECT_EQ(moves, GlobalDiscard(moves));
	EXPECT_EQ(GMEM_DISCARDED, GlobalFlags(moves));
	EXPECT_EQ(other, LocalDiscard(other));
	EXPECT_EQ(LMEM_DISCARDED, LocalFlags(other));
	/* What is fixed gets as small as it can. */
	EXPECT_EQ(fixed, LocalDiscard(fixed));
	EXPECT_EQ(0, LocalSize(fixed));
	EXPECT_EQ(moves, GlobalLRUNewest(moves));
	EXPECT_EQ(moves, GlobalLRUOldest(moves));
	EXPECT_EQ(NULL, GlobalFree(moves));
	EXPECT_EQ(NULL, GlobalFree(other));
	EXPECT_EQ(NULL, GlobalFree(fixed));
}

/* Rules: GA-08, GA-13 */
TEST_F(memory, modify)
{
	const struct calls *c = self->c;
	UINT discardable = GMEM_MODIFY | c->discardable;
	struct block block;
	int kind;

	for (kind = 0; kind < KINDS; kind++) {
		UINT flags;

		ASSERT_TRUE(make(c, &block, kind, 100));
		flags = c->flags(block.handle);
		EXPECT_TRUE(RETURNS(0, ERROR_INVALID_PARAMETER,
				    c->realloc(block.handle, 200,
					       c->discardable)));
		EXPECT_TRUE(RETURNS(block.handle, POISON,
				    c->realloc(block.handle, MIB(1),
					       discardable)));
		EXPECT_EQ(kind == FIXED ? 0 : flags | c->discardable,
			  c->flags(block.handle));
		EXPECT_TRUE(RETURNS(block.handle, POISON,
				    c->realloc(block.handle, 9, GMEM_MODIFY)));
		EXPECT_EQ(flags, c->flags(block.handle));
		EXPECT_EQ(block.size, c->size(block.handle));
		if (kind != EMPTY)
			EXPECT_TRUE(is_unchanged(c, &block));
		EXPECT_EQ(NULL, c->free(block.handle));
	}
}

/* Rules: GA-13 */
TEST(fixed_to_moveable)
{
	UINT flags = GMEM_MODIFY | GMEM_MOVEABLE;
	struct block block;
	HANDLE handle;
	char *memory;

	ASSERT_TRUE(make(&global_calls, &block, FIXED, 100000));
	handle = GlobalReAlloc(block.handle, 0, flags | GMEM_DISCARDABLE);
	ASSERT_NE(NULL, handle);
	EXPECT_NE(block.handle, handle);
	EXPECT_EQ(8, (uintptr_t)handle % 16);
	EXPECT_EQ(100000, GlobalSize(handle));
	EXPECT_EQ(GMEM_DISCARDABLE, GlobalFlags(handle));
	memory = GlobalLock(handle);
	ASSERT_NE(NULL, memory);
	EXPECT_EQ(handle, GlobalHandle(memory));
	EXPECT_TRUE(has_kept((void *)memory, 100000));
	EXPECT_FALSE(GlobalUnlock(handle));
	EXPECT_EQ(handle, GlobalReAlloc(handle, 200000, GHND));
	EXPECT_TRUE(has_kept(GlobalLock(handle), 100000));
	/* And it stays one. */
	EXPECT_EQ(handle, GlobalReAlloc(handle, 0, GMEM_MODIFY | GMEM_FIXED));
	EXPECT_EQ(200000, GlobalSize(handle));
	EXPECT_EQ(NULL, GlobalFree(handle));
}

/* Rules: GA-13 */
TEST(local_fixed_stays_fixed)
{
	struct block block;

	ASSERT_TRUE(make(&local_calls, &block, FIXED, 100));
	EXPECT_TRUE(RETURNS(block.handle, POISON,
			    LocalReAlloc(block.handle, 0,
					 LMEM_MODIFY | LMEM_MOVEABLE)));
	EXPECT_TRUE(is_unchanged(&local_calls, &block));
	EXPECT_EQ(block.handle, LocalHandle(block.memory));
	EXPECT_EQ(NULL, LocalFree(block.handle));
}

/* ---- from the address to the handle ---- */

/* Rules: GA-14 */
TEST_F(memory, handle_of_address)
{
	const struct calls *c = self->c;
	HANDLE moves = c->alloc(GMEM_MOVEABLE, 100);
	HANDLE fixed = c->alloc(GMEM_FIXED, 100);
	char *memory = c->lock(moves);

	ASSERT_TRUE(memory && fixed);
	EXPECT_EQ(moves, c->handle(memory));
	EXPECT_EQ(fixed, c->handle(fixed));
	EXPECT_FALSE(c->unlock(moves));
	EXPECT_EQ(moves, c->handle(memory));
	EXPECT_TRUE(RETURNS(0, ERROR_INVALID_HANDLE, c->handle(moves)));
	EXPECT_TRUE(RETURNS(0, ERROR_INVALID_HANDLE, c->handle(memory + 16)));
	EXPECT_EQ(100, c->size(memory));
	EXPECT_EQ(0, c->flags(memory));
	EXPECT_TRUE(RETURNS(0, ERROR_INVALID_HANDLE,
			    c->realloc(memory, 200, GMEM_MOVEABLE)));
	EXPECT_TRUE(RETURNS(0, ERROR_INVALID_HANDLE,
			    c->realloc(memory, 200, GMEM_MODIFY)));
	EXPECT_EQ(100, c->size(moves));

	EXPECT_EQ(NULL, c->free(memory));
	EXPECT_TRUE(is_bad_handle(c, moves));
	EXPECT_TRUE(is_bad_address(c, memory, true));
	EXPECT_EQ(NULL, c->free(fixed));
}

/* Rules: GA-14. While many have a handle, and memory moves from one to another */
TEST_F(memory, handles_of_many)
{
	const struct calls *c = self->c;
	uint64_t seed = 9;
	int i;

	ASSERT_EQ(MOST_HANDLES, take_all(c, 10));
	for (i = 0; i < MOST_HANDLES; i++)
		ASSERT_EQ(handles[i], c->handle(*(void **)handles[i]));
	for (i = 0; i < MOST_HANDLES; i += 1 + race_random(&seed, 5)) {
		ASSERT_EQ(handles[i], c->realloc(handles[i], 0, GMEM_MOVEABLE));
		ASSERT_EQ(handles[i], c->realloc(handles[i],
						 race_random(&seed, 100) + 1,
						 0));
	}
	for (i = 0; i < MOST_HANDLES; i++)
		ASSERT_EQ(handles[i], c->handle(*(void **)handles[i]));
	EXPECT_EQ(MOST_HANDLES, free_all(c));
}

/* ---- what the heap says ---- */

static WORD flags_in_walk(const void *block, HANDLE *handle)
{
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };

	*handle = NULL;
	while (HeapWalk(GetProcessHeap(), &entry)) {
		if (entry.lpData == block && entry.wFlags) {
			*handle = entry.Block.hMem;
			return entry.wFlags;
		}
	}
	return 0;
}

/* Rules: GA-16 */
TEST_F(memory, walk)
{
	WORD moveable = PROCESS_HEAP_ENTRY_BUSY | PROCESS_HEAP_ENTRY_MOVEABLE;
	SIZE_T sizes[] = { 10, 5000, LARGE };
	const struct calls *c = self->c;
	HANDLE fixed, moves, handle;
	int i;

	for (i = 0; i < 3; i++) {
		fixed = c->alloc(GMEM_FIXED, sizes[i]);
		moves = c->alloc(GMEM_MOVEABLE, sizes[i]);
		ASSERT_TRUE(fixed && moves);
		EXPECT_EQ(PROCESS_HEAP_ENTRY_BUSY,
			  flags_in_walk(fixed, &handle));
		EXPECT_EQ(NULL, handle);
		EXPECT_EQ(moveable, flags_in_walk(*(void **)moves, &handle));
		EXPECT_EQ(moves, handle);
		EXPECT_EQ(NULL, c->free(fixed));
		EXPECT_EQ(NULL, c->free(moves));
	}
}

/* Rules: GA-16 */
TEST(walk_of_shared)
{
	HANDLE shared = GlobalAlloc(GMEM_MOVEABLE | GMEM_DDESHARE, 100);
	HANDLE handle;

	ASSERT_NE(NULL, shared);
	EXPECT_EQ(PROCESS_HEAP_ENTRY_BUSY | PROCESS_HEAP_ENTRY_MOVEABLE |
		  PROCESS_HEAP_ENTRY_DDESHARE,
		  flags_in_walk(*(void **)shared, &handle));
	EXPECT_EQ(shared, handle);
	EXPECT_EQ(NULL, GlobalFree(shared));
}

/* ---- other names ---- */

/* Rules: GA-17 */
TEST(other_names)
{
	HANDLE moves = GlobalAlloc(GMEM_MOVEABLE, 100);
	char *memory = GlobalWire(moves);

	ASSERT_NE(NULL, memory);
	GlobalFix(moves);
	EXPECT_EQ(2, GlobalFlags(moves));
	EXPECT_TRUE(GlobalUnWire(moves));
	GlobalUnfix(moves);
	EXPECT_EQ(0, GlobalFlags(moves));
	EXPECT_TRUE(RETURNS(FALSE, ERROR_NOT_LOCKED, GlobalUnWire(moves)));
	EXPECT_LT(0, GlobalCompact(0));
	EXPECT_LT(0, LocalCompact(0));
	EXPECT_LT(0, LocalShrink(NULL, 0));
	EXPECT_EQ(NULL, GlobalFree(moves));
}

/* Rules: GA-18, MESSAGE-07 */
TEST(messages)
{
	DWORD flags = FORMAT_MESSAGE_ALLOCATE_BUFFER |
		      FORMAT_MESSAGE_FROM_SYSTEM;
	char *text = NULL;
	LPSTR place = (void *)&text;
	DWORD length;

	length = FormatMessageA(flags, NULL, ERROR_LOCKED, 0, place, 0, NULL);
	ASSERT_LT(0, length);
	EXPECT_EQ(length, strlen(text));
	EXPECT_TRUE(HeapValidate(GetProcessHeap(), 0, text));
	EXPECT_EQ(length + 1, LocalSize(text));
	EXPECT_EQ(text, LocalHandle(text));
	EXPECT_EQ(NULL, LocalFree(text));
	EXPECT_TRUE(RETURNS(text, ERROR_INVALID_HANDLE, LocalFree(text)));
}

/* Rules: GA-18. Both families have the same blocks, and the heap has them, too. */
TEST(one_memory)
{
	HANDLE heap = GetProcessHeap();
	HANDLE local = LocalAlloc(LHND, 100);
	HANDLE global = GlobalAlloc(GHND, 100);
	char *block = HeapAlloc(heap, 0, 100);

	ASSERT_TRUE(local && global && block);
	EXPECT_EQ(100, GlobalSize(local));
	EXPECT_EQ(100, LocalSize(global));
	EXPECT_EQ(local, GlobalReAlloc(local, 200, GMEM_MOVEABLE));
	EXPECT_EQ(200, LocalSize(local));
	EXPECT_EQ(GlobalLock(global), LocalLock(global));
	EXPECT_EQ(2, LocalFlags(global));
	EXPECT_EQ(NULL, GlobalFree(local));
	EXPECT_EQ(NULL, LocalFree(global));
	EXPECT_EQ(100, GlobalSize(block));
	EXPECT_EQ(NULL, LocalFree(block));
	block = GlobalAlloc(GPTR, 100);
	EXPECT_TRUE(HeapFree(heap, 0, block));
}

/* ---- threads and processes ---- */

#define SLOTS 100
#define THREADS 8

struct worker {
	/* Handles that any thread may take, and put back or free */
	HANDLE _Atomic *slots;
	uint64_t seed;
	int bad;
};

/* A block has its size in its first word, and its last byte is the last of that. */
static void mark(uint32_t *block, uint32_t size)
{
	((unsigned char *)block)[size - 1] = size % 256;
	*block = size;
}

static bool is_marked(HANDLE handle)
{
	uint32_t *block = GlobalLock(handle);
	bool good;

	if (!block)
		return false;
	good = GlobalSize(handle) == *block &&
	       ((unsigned char *)block)[*block - 1] == *block % 256;
	if (GlobalFlags(handle) & GMEM_LOCKCOUNT)
		good = good && !GlobalUnlock(handle);
	return good;
}

static HANDLE new_marked(uint64_t *seed)
{
	uint32_t size = 8 + race_random(seed, 1000);
	HANDLE handle = GlobalAlloc(2 * race_random(seed, 2), size);

	if (handle) {
		mark(GlobalLock(handle), size);
		GlobalUnlock(handle);
	}
	return handle;
}

/* The same block, or where it was fixed another one, of another size */
static HANDLE resized(HANDLE handle, uint64_t *seed)
{
	uint32_t size = 8 + race_random(seed, 5000);
	HANDLE other = GlobalReAlloc(handle, size, GHND);

	if (other) {
		mark(GlobalLock(other), size);
		GlobalUnlock(other);
	}
	return other;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	long n = rounds(global_threads);
	HANDLE _Atomic *slot;
	HANDLE handle;

	while (n--) {
		slot = &worker->slots[race_random(&worker->seed, SLOTS)];
		handle = atomic_exchange(slot, NULL);
		if (!handle)
			handle = new_marked(&worker->seed);
		if (!handle || !is_marked(handle)) {
			worker->bad++;
			continue;
		}
		if (race_random(&worker->seed, 3)) {
			handle = resized(handle, &worker->seed);
			worker->bad += !handle;
			handle = atomic_exchange(slot, handle);
		}
		if (handle && GlobalFree(handle))
			worker->bad++;
	}
	return NULL;
}

/* Rules: GA-01, GA-03. Eight threads with the same handles */
TEST(threads)
{
	static HANDLE _Atomic slots[SLOTS];
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ slots, i + 1, 0 };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, work,
					    &workers[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, workers[i].bad);
	}
	EXPECT_TRUE(HeapValidate(GetProcessHeap(), 0, NULL));
	for (i = 0; i < SLOTS; i++)
		EXPECT_EQ(NULL, GlobalFree(slots[i]));
	EXPECT_EQ(0, allocated());
	EXPECT_EQ(MOST_HANDLES, take_all(&global_calls, 0));
	EXPECT_EQ(MOST_HANDLES, free_all(&global_calls));
}

static void *lock_often(void *arg)
{
	HANDLE handle = arg;
	long n = rounds(global_threads);
	uintptr_t bad = 0;

	while (n--) {
		bad += GlobalLock(handle) != *(void **)handle;
		bad += !GlobalUnlock(handle);
	}
	return (void *)bad;
}

/* Rules: GA-06. No lock is lost. */
TEST(locks_of_threads)
{
	HANDLE handle = GlobalAlloc(GMEM_MOVEABLE, 100);
	pthread_t threads[THREADS];
	void *bad;
	int i;

	ASSERT_NE(NULL, GlobalLock(handle));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, lock_often,
					    handle));
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &bad);
		EXPECT_EQ(NULL, bad);
	}
	EXPECT_EQ(1, GlobalFlags(handle));
	EXPECT_TRUE(RETURNS(FALSE, ERROR_SUCCESS, GlobalUnlock(handle)));
	EXPECT_EQ(NULL, GlobalFree(handle));
}

static int use_in_child(void *arg)
{
	HANDLE handle = arg;
	char *memory = GlobalLock(handle);

	if (!memory || !all_bytes(memory, 100, 5))
		return __LINE__;
	memset(memory, 6, 100);
	if (GlobalFlags(handle) != 2 || GlobalFree(handle))
		return __LINE__;
	return GlobalAlloc(GMEM_MOVEABLE, 1) ? 0 : __LINE__;
}

/* Rules: GA-09. A child has handles of its own. */
TEST(fork_with_handles)
{
	HANDLE handle = GlobalAlloc(GMEM_MOVEABLE, 100);
	char *memory = GlobalLock(handle);

	ASSERT_NE(NULL, memory);
	memset(memory, 5, 100);
	EXPECT_EQ(0, in_child(use_in_child, handle));
	EXPECT_EQ(1, GlobalFlags(handle));
	EXPECT_TRUE(all_bytes(memory, 100, 5));
	EXPECT_EQ(NULL, GlobalFree(handle));
}

TEST_HARNESS_MAIN
