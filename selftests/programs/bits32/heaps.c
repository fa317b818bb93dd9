// SPDX-License-Identifier: GPL-2.0
/*
 * Heaps of a program of 32 bits: "heaps32 NAME" does one of the jobs at the end of this
 * file, and ends with 0; or says what is not as it should be, and ends with 1.
 */
#include "jobs.h"

#include <errno.h>
#include <malloc.h>

#include <winregion/excpt.h>
#include <winregion/globalmem.h>
#include <winregion/heapapi.h>
#include <winregion/synchapi.h>
#include <winregion/tlhelp32.h>

/* ---- as 32-bit Windows has it ---- */

#define LARGE 0x7F000
#define FIXED_LARGE 0x7FFF8

_Static_assert(sizeof(PROCESS_HEAP_ENTRY) == 28, "layout");
_Static_assert(offsetof(PROCESS_HEAP_ENTRY, cbData) == 4, "layout");
_Static_assert(offsetof(PROCESS_HEAP_ENTRY, cbOverhead) == 8, "layout");
_Static_assert(offsetof(PROCESS_HEAP_ENTRY, wFlags) == 10, "layout");
_Static_assert(offsetof(PROCESS_HEAP_ENTRY, Block.hMem) == 12, "layout");
_Static_assert(offsetof(PROCESS_HEAP_ENTRY, Region.lpFirstBlock) == 20,
	       "layout");
_Static_assert(offsetof(PROCESS_HEAP_ENTRY, Region.lpLastBlock) == 24,
	       "layout");
_Static_assert(sizeof(HEAP_SUMMARY) == 20, "layout");
_Static_assert(offsetof(HEAP_SUMMARY, cbMaxReserve) == 16, "layout");
_Static_assert(sizeof(HEAPLIST32) == 16, "layout");
_Static_assert(sizeof(HEAPENTRY32) == 36, "layout");

static bool is_at(const void *block, uintptr_t align)
{
	return block && !((uintptr_t)block % align);
}

static bool has(const char *block, char value, SIZE_T size)
{
	while (size && block[size - 1] == value)
		size--;

	return !size;
}

/* ---- blocks ---- */

static const SIZE_T sizes[] = { 6000,	 0x10000, 0x7EFF8,    LARGE - 1, LARGE,
				0x7FFFF, MIB(1),  MIB(1) + 1, MIB(3) + 5 };

/* So that each size that a thread keeps is there, and some beyond */
#define SMALL 2200
#define NR (SMALL + sizeof(sizes) / sizeof(*sizes))

static SIZE_T size_of(unsigned int i)
{
	return i < SMALL ? i : sizes[i - SMALL];
}

static char *blocks[NR];

static void check_block(HANDLE heap, unsigned int i)
{
	SIZE_T size = size_of(i);

	CHECK(HeapSize(heap, 0, blocks[i]) == size);
	CHECK(has(blocks[i], (char)i, size));
	CHECK(HeapValidate(heap, 0, blocks[i]));
}

/* The first byte behind it is nobody's, and it stays a block. */
static void check_fence(HANDLE heap, char *block, SIZE_T size)
{
	block[size] ^= 0x10;
	CHECK(!HeapValidate(heap, 0, block));
	FAILS(ERROR_INVALID_PARAMETER, HeapFree(heap, 0, block));
	block[size] ^= 0x10;
	CHECK(HeapValidate(heap, 0, block));
}

static void fill(HANDLE heap, DWORD flags)
{
	unsigned int i;

	for (i = 0; i < NR; i++) {
		blocks[i] = HeapAlloc(heap, flags, size_of(i));
		CHECK(is_at(blocks[i], size_of(i) >= LARGE ?
					       64 :
					       MEMORY_ALLOCATION_ALIGNMENT));
		CHECK(!flags || has(blocks[i], 0, size_of(i)));
		memset(blocks[i], i, size_of(i));
	}
	for (i = 0; i < NR; i++) {
		check_block(heap, i);
		check_fence(heap, blocks[i], size_of(i));
	}
	CHECK(HeapValidate(heap, 0, NULL));
}

/* In another order, so that others are taken from what was free before */
static void free_all(HANDLE heap)
{
	unsigned int i, nr;

	for (nr = 0, i = 0; nr < NR; nr++, i = (i + 1000) % NR) {
		CHECK(HeapFree(heap, 0, blocks[i]));
		FAILS(ERROR_INVALID_PARAMETER, HeapFree(heap, 0, blocks[i]));
	}
	CHECK(HeapValidate(heap, 0, NULL));
}

static void all_sizes(void)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	int round;

	CHECK(is_at(heap, KIB(64)));
	for (round = 0; round < 3; round++) {
		fill(heap, round ? HEAP_ZERO_MEMORY : 0);
		free_all(heap);
		if (round)
			CHECK(HeapCompact(heap, 0));
	}
	CHECK(HeapDestroy(heap));
	FAILS(ERROR_INVALID_HANDLE, HeapAlloc(heap, 0, 1));
}

/* Each size to its mirror image, and back in place where it gets smaller */
static void reallocate(void)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T old, size;
	unsigned int i;
	char *block;

	fill(heap, 0);
	for (i = 0; i < NR; i++) {
		old = size_of(i);
		size = size_of(NR - 1 - i);
		block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, blocks[i], size);
		CHECK(block && HeapSize(heap, 0, block) == size);
		CHECK(has(block, (char)i, old < size ? old : size));
		CHECK(old >= size || has(block + old, 0, size - old));
		check_fence(heap, block, size);
		CHECK(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block,
				  size / 2) == block);
		CHECK(HeapSize(heap, 0, block) == size / 2);
		check_fence(heap, block, size / 2);
		CHECK(has(block, (char)i, old < size / 2 ? old : size / 2));
		blocks[i] = block;
	}
	free_all(heap);
	CHECK(HeapDestroy(heap));
}

/* ---- sizes that are none ---- */

static void impossible(void)
{
	static const SIZE_T none[] = { ~0U,	  ~0U - 7,    ~0U - 15,
				       ~0U - 63,  0xFFFFF000, 0xFFFF0000,
				       0x80000000 };
	HANDLE heap = HeapCreate(0, 0, 0), moveable;
	char *block = HeapAlloc(heap, 0, 100);
	unsigned int i;

	CHECK(block);
	memset(block, 9, 100);
	for (i = 0; i < sizeof(none) / sizeof(*none); i++) {
		FAILS(ERROR_NOT_ENOUGH_MEMORY, HeapAlloc(heap, 0, none[i]));
		FAILS(ERROR_NOT_ENOUGH_MEMORY,
		      HeapAlloc(heap, HEAP_ZERO_MEMORY, none[i]));
		FAILS(ERROR_NOT_ENOUGH_MEMORY,
		      HeapReAlloc(heap, 0, block, none[i]));
		FAILS(ERROR_NOT_ENOUGH_MEMORY, GlobalAlloc(GHND, none[i]));
		FAILS(ERROR_NOT_ENOUGH_MEMORY, LocalAlloc(LPTR, none[i]));
		moveable = GlobalAlloc(GHND, 10);
		FAILS(ERROR_NOT_ENOUGH_MEMORY,
		      GlobalReAlloc(moveable, none[i], 0));
		CHECK(GlobalSize(moveable) == 10 && !GlobalFree(moveable));
	}
	for (i = 0; i < 5; i++) {
		FAILS(ERROR_NOT_ENOUGH_MEMORY, HeapCreate(0, none[i], 0));
		FAILS(ERROR_NOT_ENOUGH_MEMORY, HeapCreate(0, 0, none[i]));
		FAILS(ERROR_NOT_ENOUGH_MEMORY, HeapCreate(0, none[i], ~0U));
	}
	CHECK(HeapSize(heap, 0, block) == 100 && has(block, 9, 100));
	CHECK(HeapValidate(heap, 0, NULL) && HeapDestroy(heap));
}

/* ---- heaps that do not grow ---- */

#define FIXED 0x20000

static void fixed(void)
{
	HANDLE heap = HeapCreate(0, FIXED, FIXED);
	char *block;

	FAILS(ERROR_NOT_ENOUGH_MEMORY,
	      HeapAlloc(heap, 0, FIXED - (0x200 + 0x80 * 4)));
	block = HeapAlloc(heap, 0, FIXED - (0x400 + 0x100 * 4));
	CHECK(block);
	memset(block, 1, FIXED - (0x400 + 0x100 * 4));
	CHECK(HeapValidate(heap, 0, NULL) && HeapDestroy(heap));

	heap = HeapCreate(0, 0, 16 * FIXED);
	FAILS(ERROR_NOT_ENOUGH_MEMORY, HeapAlloc(heap, 0, FIXED_LARGE));
	block = HeapAlloc(heap, 0, FIXED_LARGE - 1);
	CHECK(block);
	memset(block, 1, FIXED_LARGE - 1);
	FAILS(ERROR_NOT_ENOUGH_MEMORY,
	      HeapReAlloc(heap, 0, block, FIXED_LARGE));
	CHECK(has(block, 1, FIXED_LARGE - 1));
	CHECK(HeapFree(heap, 0, block));
	/* It has been used, and is all zeros again. */
	CHECK(HeapAlloc(heap, HEAP_ZERO_MEMORY, FIXED_LARGE - 1) == block);
	CHECK(has(block, 0, FIXED_LARGE - 1));
	CHECK(HeapValidate(heap, 0, NULL) && HeapDestroy(heap));
}

/* ---- what is in a heap ---- */

static void empty(HANDLE heap)
{
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };

	CHECK(HeapWalk(heap, &entry) && entry.wFlags == PROCESS_HEAP_REGION);
	CHECK(entry.lpData == heap && entry.cbData < 0x1000);
	CHECK((char *)entry.Region.lpFirstBlock == (char *)heap + entry.cbData);
	CHECK(entry.Region.dwCommittedSize + entry.Region.dwUnCommittedSize ==
	      (DWORD)((char *)entry.Region.lpLastBlock - (char *)heap));
	CHECK(HeapWalk(heap, &entry) && !entry.wFlags && entry.cbData);
	CHECK(HeapWalk(heap, &entry) &&
	      entry.wFlags == PROCESS_HEAP_UNCOMMITTED_RANGE);
	FAILS(ERROR_NO_MORE_ITEMS, HeapWalk(heap, &entry));
}

/* Which one it is: each is told once, and as it is. */
static void tell(const PROCESS_HEAP_ENTRY *entry)
{
	unsigned int i = 0;

	while (i < NR && blocks[i] != entry->lpData)
		i++;
	CHECK(i < NR);
	CHECK(entry->cbData == size_of(i));
	CHECK((entry->iRegionIndex == 64) == (size_of(i) >= LARGE));
	CHECK(entry->cbOverhead >= 8);
}

static void walk(void)
{
	HEAP_SUMMARY wrong = { .cb = 40 }, sums = { .cb = sizeof(sums) };
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T all = 0, committed = 0;
	unsigned int nr = 0;

	empty(heap);
	fill(heap, 0);
	while (HeapWalk(heap, &entry)) {
		if (entry.wFlags & PROCESS_HEAP_REGION)
			committed += entry.Region.dwCommittedSize;
		if (!(entry.wFlags & PROCESS_HEAP_ENTRY_BUSY))
			continue;
		tell(&entry);
		all += entry.cbData;
		nr++;
	}
	CHECK(GetLastError() == ERROR_NO_MORE_ITEMS && nr == NR);
	FAILS(ERROR_INVALID_PARAMETER, HeapSummary(heap, 0, &wrong));
	CHECK(HeapSummary(heap, 0, &sums) && sums.cbAllocated == all);
	CHECK(sums.cbCommitted >= committed && sums.cbCommitted > all);
	CHECK(sums.cbReserved >= sums.cbCommitted);
	CHECK(sums.cbMaxReserve == sums.cbReserved);
	free_all(heap);
	CHECK(HeapDestroy(heap));
}

/* By other names, and what a heap says of itself */
static void names(void)
{
	HANDLE heap = RtlCreateHeap(HEAP_GROWABLE, NULL, 0, 0, NULL, NULL);
	ULONG kind = 7;
	SIZE_T needed;
	char *block;

	CHECK(heap && RtlLockHeap(heap));
	block = RtlAllocateHeap(heap, HEAP_ZERO_MEMORY, 33);
	CHECK(block && RtlSizeHeap(heap, 0, block) == 33);
	block = RtlReAllocateHeap(heap, 0, block, 44);
	CHECK(block && RtlValidateHeap(heap, 0, block));
	CHECK(RtlUnlockHeap(heap) && RtlFreeHeap(heap, 0, block));
	CHECK(HeapQueryInformation(heap, HeapCompatibilityInformation, &kind,
				   sizeof(kind), &needed));
	CHECK(!kind && needed == 4);
	kind = 2;
	CHECK(HeapSetInformation(heap, HeapCompatibilityInformation, &kind,
				 sizeof(kind)));
	CHECK(RtlCompactHeap(heap, 0) && !RtlDestroyHeap(heap));
}

/* Of the C library, by their names of Windows */
static void aligned(void)
{
	volatile SIZE_T much = ~0U - 15;
	SIZE_T align;
	char *block;

	for (align = 1; align <= KIB(64); align *= 2) {
		block = _aligned_malloc(100, align);
		CHECK(is_at(block, align));
		CHECK(_aligned_msize(block, align, 0) >= 100);
		memset(block, 5, 100);
		block = _aligned_realloc(block, 5000, align);
		CHECK(is_at(block, align) && has(block, 5, 100));
		_aligned_free(block);
	}
	errno = 0;
	CHECK(!_aligned_malloc(100, 3) && errno == EINVAL);
	CHECK(!_aligned_malloc(much, 64) && errno == ENOMEM);
}

/* ---- handles ---- */

#define MOST_HANDLES 65536

static void move(HGLOBAL handle)
{
	char *memory = GlobalLock(handle);

	CHECK(is_at(memory, MEMORY_ALLOCATION_ALIGNMENT));
	CHECK(*(char **)handle == memory && has(memory, 0, 50));
	CHECK(GlobalHandle(memory) == handle && GlobalFlags(handle) == 1);
	memset(memory, 3, 50);
	CHECK(!GlobalUnlock(handle) && GetLastError() == ERROR_SUCCESS);
	FAILS(ERROR_NOT_LOCKED, GlobalUnlock(handle));
	CHECK(GlobalReAlloc(handle, MIB(1), GMEM_ZEROINIT) == handle);
	memory = GlobalLock(handle);
	CHECK(GlobalSize(handle) == MIB(1) && has(memory, 3, 50));
	CHECK(has(memory + 50, 0, MIB(1) - 50) && !GlobalUnlock(handle));
	CHECK(GlobalDiscard(handle) == handle);
	CHECK(GlobalFlags(handle) == GMEM_DISCARDED);
	FAILS(ERROR_DISCARDED, GlobalLock(handle));
	CHECK(GlobalReAlloc(handle, 70, 0) == handle && GlobalLock(handle));
}

static void told_with_handle(HGLOBAL handle)
{
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
	bool found = false;

	while (HeapWalk(GetProcessHeap(), &entry))
		if (entry.wFlags & PROCESS_HEAP_ENTRY_MOVEABLE &&
		    entry.Block.hMem == handle)
			found = entry.cbData == 70;
	CHECK(found);
}

static void moveable(void)
{
	static HLOCAL handles[MOST_HANDLES];
	HGLOBAL handle = GlobalAlloc(GHND, 50);
	unsigned int i;
	char *fixed;

	CHECK(handle);
	move(handle);
	told_with_handle(handle);
	CHECK(!GlobalFree(handle));
	FAILS(ERROR_INVALID_HANDLE, !GlobalFree(handle));
	fixed = GlobalAlloc(GPTR, 0);
	CHECK(fixed && GlobalSize(fixed) == 1 && GlobalLock(fixed) == fixed);
	CHECK(!GlobalFree(fixed));
	for (i = 0; i < MOST_HANDLES; i++) {
		handles[i] = LocalAlloc(LMEM_MOVEABLE, i % 9);
		CHECK(handles[i]);
	}
	FAILS(ERROR_NOT_ENOUGH_MEMORY, LocalAlloc(LMEM_MOVEABLE, 1));
	for (i = 0; i < MOST_HANDLES; i++) {
		CHECK(LocalSize(handles[i]) == i % 9);
		CHECK(!LocalFree(handles[i]));
	}
	CHECK(HeapValidate(GetProcessHeap(), 0, NULL));
}

/* ---- the end of the address space ---- */

#define HOLE MIB(40)
#define PIECE 8000

/* All of it is reserved but for one hole: no place for 64 MiB */
static void leave_hole(void)
{
	char *hole = VirtualAlloc(NULL, HOLE, MEM_RESERVE, PAGE_NOACCESS);
	SIZE_T size;

	for (size = MIB(64); size >= KIB(64); size /= 2)
		while (VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_NOACCESS))
			;
	CHECK(hole && VirtualFree(hole, 0, MEM_RELEASE));
}

/* As many as there are, each linked to the one before */
static unsigned int take_all(HANDLE heap, char **last)
{
	unsigned int nr = 0;
	char *block;

	SetLastError(ERROR_SUCCESS);
	while ((block = HeapAlloc(heap, 0, PIECE))) {
		CHECK(GetLastError() == ERROR_SUCCESS);
		*(char **)block = *last;
		block[PIECE - 1] = 77;
		*last = block;
		nr++;
	}
	CHECK(GetLastError() == ERROR_NOT_ENOUGH_MEMORY);

	return nr;
}

static unsigned int free_some(HANDLE heap, char **last, unsigned int nr)
{
	char *block = *last;
	unsigned int i;

	for (i = 0; i < nr && block; i++, block = *last) {
		CHECK(HeapSize(heap, 0, block) == PIECE);
		CHECK(block[PIECE - 1] == 77);
		*last = *(char **)block;
		CHECK(HeapFree(heap, 0, block));
	}

	return i;
}

static void exhaust(void)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *last = NULL, *small;
	unsigned int nr;

	CHECK(heap);
	small = HeapAlloc(heap, 0, 20);
	leave_hole();
	nr = take_all(heap, &last);
	/* Regions become smaller, so that most of the hole is used. */
	CHECK(nr > HOLE / 10 * 9 / PIECE && nr < (HOLE + MIB(8)) / PIECE);
	CHECK(HeapValidate(heap, 0, NULL));
	FAILS(ERROR_NOT_ENOUGH_MEMORY, HeapAlloc(heap, 0, MIB(1)));
	FAILS(ERROR_NOT_ENOUGH_MEMORY, HeapReAlloc(heap, 0, last, MIB(1)));
	FAILS(ERROR_NOT_ENOUGH_MEMORY, HeapCreate(0, 0, 0));
	CHECK(HeapSize(heap, 0, last) == PIECE);
	CHECK(HeapReAlloc(heap, 0, small, 10));

	CHECK(free_some(heap, &last, nr / 2) == nr / 2);
	CHECK(HeapValidate(heap, 0, NULL));
	CHECK(take_all(heap, &last) >= nr / 20 * 9);
	free_some(heap, &last, 2 * nr);
	CHECK(!last && HeapCompact(heap, 0) && HeapValidate(heap, 0, NULL));
	/* What it had goes back, in pieces. */
	CHECK(HeapAlloc(heap, 0, MIB(8)));
	CHECK(HeapSize(heap, 0, small) == 10 && HeapDestroy(heap));
	for (nr = 0; VirtualAlloc(NULL, MIB(1), MEM_RESERVE, PAGE_NOACCESS);)
		nr++;
	CHECK(nr >= HOLE / MIB(1) - 4);
}

/* The same with an exception, of the heap or the call */
static void raise(void)
{
	HANDLE heap = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 0);
	HANDLE other = HeapCreate(0, 0, 0);
	volatile int raised = 0, i;

	CHECK(heap && other);
	leave_hole();
	for (i = 0; i < 3; i++) {
		WINREGION_TRY
		{
			if (i == 0)
				while (HeapAlloc(heap, 0, PIECE))
					;
			if (i == 1)
				HeapAlloc(other, HEAP_GENERATE_EXCEPTIONS, ~0U);
			if (i == 2)
				HeapAlloc(other, HEAP_GENERATE_EXCEPTIONS,
					  MIB(8));
		}
		WINREGION_EXCEPT(GetExceptionCode() == STATUS_NO_MEMORY)
		{
			raised++;
		}
		WINREGION_END
	}
	CHECK(raised == 3 && HeapValidate(heap, 0, NULL));
	CHECK(HeapDestroy(heap) && HeapAlloc(other, 0, MIB(8)));
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS 20000
#define SLOTS 256

/* Each has its size in front. */
static SIZE_T *slots[SLOTS];
static HANDLE shared;

static SIZE_T *new_slot(SIZE_T size)
{
	SIZE_T *block = HeapAlloc(shared, 0, sizeof(size) + size);

	CHECK(block);
	*block = size;
	memset(block + 1, (char)size, size);

	return block;
}

static SIZE_T *resize_slot(SIZE_T *block, SIZE_T size)
{
	SIZE_T old = *block;

	block = HeapReAlloc(shared, 0, block, sizeof(size) + size);
	CHECK(block &&
	      has((char *)(block + 1), (char)old, old < size ? old : size));
	*block = size;
	memset(block + 1, (char)size, size);

	return block;
}

static void free_slot(SIZE_T *block)
{
	if (!block)
		return;
	CHECK(HeapSize(shared, 0, block) == sizeof(*block) + *block);
	CHECK(has((char *)(block + 1), (char)*block, *block));
	CHECK(HeapFree(shared, 0, block));
}

static DWORD WINAPI work(LPVOID argument)
{
	unsigned int seed = (uintptr_t)argument;
	SIZE_T *block;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		block = new_slot(rand_r(&seed) % 600);
		if (i % 3 == 0)
			block = resize_slot(block, rand_r(&seed) % 3000);
		if (i % 2000 == 0)
			block = resize_slot(block, LARGE + 1000);
		free_slot(__atomic_exchange_n(&slots[rand_r(&seed) % SLOTS],
					      block, __ATOMIC_ACQ_REL));
	}

	return 5;
}

static void threads(void)
{
	HEAP_SUMMARY sums = { .cb = sizeof(sums) };
	HANDLE thread[THREADS];
	DWORD result;
	uintptr_t i;

	shared = HeapCreate(0, 0, 0);
	for (i = 0; i < THREADS; i++) {
		thread[i] =
			CreateThread(NULL, 0, work, (LPVOID)(i + 1), 0, NULL);
		CHECK(thread[i]);
	}
	do {
		CHECK(HeapValidate(shared, 0, NULL));
		CHECK(HeapLock(shared));
		CHECK(HeapSummary(shared, 0, &sums) && HeapUnlock(shared));
	} while (WaitForMultipleObjects(THREADS, thread, TRUE, 20) ==
		 WAIT_TIMEOUT);
	for (i = 0; i < THREADS; i++)
		CHECK(GetExitCodeThread(thread[i], &result) && result == 5);
	for (i = 0; i < SLOTS; i++)
		free_slot(slots[i]);
	CHECK(HeapValidate(shared, 0, NULL));
	CHECK(HeapSummary(shared, 0, &sums) && !sums.cbAllocated);
	CHECK(HeapDestroy(shared));
}

static const struct job jobs[] = {
	{ "sizes", all_sizes },
	{ "reallocate", reallocate },
	{ "impossible", impossible },
	{ "fixed", fixed },
	{ "walk", walk },
	{ "names", names },
	{ "aligned", aligned },
	{ "moveable", moveable },
	{ "exhaust", exhaust },
	{ "raise", raise },
	{ "threads", threads },
};

int main(int argc, char **argv)
{
	return run_job(jobs, sizeof(jobs) / sizeof(*jobs), argc, argv);
}
