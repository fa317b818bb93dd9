// SPDX-License-Identifier: GPL-2.0
/* vm: cpus=2 */
/*
 * Heaps: made, used and destroyed, looked into, and found to be broken
 */
#include "kselftest_harness.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <winregion/errhandlingapi.h>
#include <winregion/excpt.h>
#include <winregion/heapapi.h>
#include <winregion/psapi.h>
#include <winregion/synchapi.h>

#include "memory.h"
#include "race.h"
#include "rounds.h"
#include "sandbox.h"
#include "wr_test_util.h"

/* Of a block that has a region of its own */
#define LARGE MIB(2)
/* Of the fixed heap of the rules */
#define FIXED 0x40000

/* ---- what tests share ---- */

static PROCESS_MEMORY_COUNTERS_EX counters_now(void)
{
	PROCESS_MEMORY_COUNTERS_EX counters;
	PPROCESS_MEMORY_COUNTERS first = (PPROCESS_MEMORY_COUNTERS)&counters;

	if (!GetProcessMemoryInfo(GetCurrentProcess(), first, sizeof(counters)))
		abort();
	return counters;
}

static SIZE_T charge(void)
{
	return counters_now().PrivateUsage;
}

static PROCESS_HEAP_ENTRY entry_of(HANDLE heap, const void *block)
{
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };

	while (HeapWalk(heap, &entry))
		if (entry.lpData == block && entry.wFlags)
			return entry;
	return (PROCESS_HEAP_ENTRY){ .lpData = NULL };
}

/* Entries with these flags */
static int count_entries(HANDLE heap, WORD flags)
{
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
	int n = 0;

	while (HeapWalk(heap, &entry))
		n += entry.wFlags == flags;
	return n;
}

FIXTURE(heap) {
	HANDLE heap;
};

FIXTURE_VARIANT(heap) {
	DWORD flags;
};

FIXTURE_VARIANT_ADD(heap, plain) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(heap, alone) {
	.flags = HEAP_NO_SERIALIZE,
};

FIXTURE_VARIANT_ADD(heap, executable) {
	.flags = HEAP_CREATE_ENABLE_EXECUTE,
};

FIXTURE_SETUP(heap)
{
	if (variant->flags & HEAP_CREATE_ENABLE_EXECUTE)
		NEEDS_CODE();
	self->heap = HeapCreate(variant->flags, 0, 0);
	ASSERT_NE(NULL, self->heap);
}

FIXTURE_TEARDOWN(heap)
{
	EXPECT_TRUE(HeapValidate(self->heap, 0, NULL));
	EXPECT_TRUE(HeapDestroy(self->heap));
}

/* ---- made and destroyed ---- */

#define MANY_HEAPS 80

/* Rules: HP-03, HP-37. Whichever of them a thread has remembered */
TEST(handle_of_no_heap)
{
	HANDLE heaps[MANY_HEAPS];
	char *block = NULL;
	int i;

	for (i = 0; i < MANY_HEAPS; i++) {
		heaps[i] = HeapCreate(0, 0, 0);
		ASSERT_NE(NULL, heaps[i]);
		block = HeapAlloc(heaps[i], 0, 8);
		EXPECT_TRUE(HeapFree(heaps[i], 0, block));
	}
	for (i = 0; i < MANY_HEAPS; i++)
		EXPECT_TRUE(HeapDestroy(heaps[i]));
	for (i = -1; i < MANY_HEAPS; i++) {
		HANDLE none = i < 0 ? NULL : heaps[i];

		EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapAlloc(none, 0, 8));
		EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapFree(none, 0, block));
		EXPECT_FAILS(ERROR_INVALID_HANDLE,
			     HeapReAlloc(none, 0, block, 8));
		EXPECT_EQ((SIZE_T)-1, HeapSize(none, 0, block));
		EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapDestroy(none));
	}
}

/* Rules: HP-02. More than are told of without memory for them */
TEST(list_of_many_heaps)
{
	HANDLE heaps[MANY_HEAPS], list[MANY_HEAPS + 8];
	DWORD n = GetProcessHeaps(0, NULL), i;

	ASSERT_GT(8, n);
	for (i = 0; i < MANY_HEAPS; i++)
		heaps[i] = HeapCreate(0, 0, 0);
	ASSERT_EQ(n + MANY_HEAPS, GetProcessHeaps(MANY_HEAPS + 8, list));
	for (i = 0; i < MANY_HEAPS; i++)
		EXPECT_EQ(heaps[i], list[n + i]);
	memset(list, 0, sizeof(list));
	EXPECT_EQ(n + MANY_HEAPS, GetProcessHeaps(70, list));
	EXPECT_EQ(heaps[69 - n], list[69]);
	EXPECT_EQ(NULL, list[70]);
	memset(list, 0, sizeof(list));
	EXPECT_EQ(n + MANY_HEAPS, GetProcessHeaps(3, list));
	EXPECT_EQ(GetProcessHeap(), list[0]);
	EXPECT_EQ(NULL, list[3]);
	for (i = 0; i < MANY_HEAPS; i++)
		EXPECT_TRUE(HeapDestroy(heaps[i]));
}

static void *use_heaps(void *heap)
{
	HANDLE other = HeapCreate(0, 0, 0);
	void *block = HeapAlloc(heap, 0, 100000);

	return other && HeapDestroy(other) && HeapFree(heap, 0, block) ?
		       heap : NULL;
}

/* In another thread, which would wait for ever */
static bool can_use_heaps(HANDLE heap)
{
	void *result = NULL;
	pthread_t thread;

	return !pthread_create(&thread, NULL, use_heaps, heap) &&
	       !pthread_join(thread, &result) && result == heap;
}

#define RAISES(call) do {						\
	volatile bool raised = false;					\
									\
	WINREGION_TRY {							\
		call;							\
	} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {			\
		raised = true;						\
	} WINREGION_END							\
	EXPECT_TRUE(raised);						\
} while (0)

/* Rules: HP-38 */
TEST(arguments_that_raise)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	void *none = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
				  PAGE_NOACCESS);

	ASSERT_NE(NULL, heap);
	ASSERT_NE(NULL, none);
	/* With one thread there would be no locks. */
	ASSERT_TRUE(can_use_heaps(heap));
	RAISES(GetProcessHeaps(8, none));
	EXPECT_TRUE(can_use_heaps(heap));
	RAISES(HeapWalk(heap, none));
	EXPECT_TRUE(can_use_heaps(heap));
	RAISES(HeapSummary(heap, 0, none));
	EXPECT_TRUE(can_use_heaps(heap));
	EXPECT_TRUE(HeapDestroy(heap));
}

static bool fails_with(HANDLE heap, DWORD error)
{
	SetLastError(77);
	if (HeapAlloc(heap, 0, 10) || GetLastError() != error)
		return false;
	SetLastError(77);
	if (HeapReAlloc(heap, 0, heap, 10) || GetLastError() != error)
		return false;
	SetLastError(77);
	return !HeapValidate(heap, 0, NULL) && GetLastError() == error;
}

/* What GetProcessHeap() could not give says why, and what is no heap does not. */
static int use_hidden(void *unused)
{
	CHECK(!unshare(CLONE_NEWNS));
	CHECK(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(!mount("none", "/dev", "tmpfs", 0, "mode=755"));
	CHECK(fails_with(NULL, ERROR_INVALID_HANDLE));
	CHECK(!GetProcessHeap() && GetLastError() == ERROR_NOT_SUPPORTED);
	CHECK(fails_with(GetProcessHeap(), ERROR_NOT_SUPPORTED));
	CHECK(fails_with(ARENA, ERROR_INVALID_HANDLE));
	CHECK(!LocalAlloc(0, 10) && GetLastError() == ERROR_NOT_SUPPORTED);
	/* With the module it is as on Windows. */
	CHECK(!umount("/dev"));
	CHECK(GetProcessHeap());
	CHECK(fails_with(NULL, ERROR_INVALID_HANDLE));
	return 0;
}

/* libwinregion(7), "Without the module"; HeapCreate(3). Rules: HP-37 */
TEST(process_heap_without_module)
{
	EXPECT_EQ(0, in_child(use_hidden, NULL));
}

static int use_without_space(void *unused)
{
	struct rlimit old, limit;
	DWORD error;

	CHECK(!getrlimit(RLIMIT_AS, &old));
	limit = old;
	limit.rlim_cur = self_status("VmSize") + KIB(256);
	CHECK(!setrlimit(RLIMIT_AS, &limit));
	CHECK(!GetProcessHeap());
	error = GetLastError();
	CHECK(error && error != ERROR_INVALID_HANDLE);
	CHECK(fails_with(NULL, error));
	CHECK(!setrlimit(RLIMIT_AS, &old));
	CHECK(GetProcessHeap());
	CHECK(fails_with(NULL, ERROR_INVALID_HANDLE));
	return 0;
}

/* HeapCreate(3) */
TEST(process_heap_without_memory)
{
	EXPECT_EQ(0, in_child(use_without_space, NULL));
}

/* Rules: HP-01, HP-02 */
TEST(list_of_heaps)
{
	HANDLE heaps[8], more[3];
	DWORD n = GetProcessHeaps(8, heaps);
	int i;

	ASSERT_LE(1, n);
	ASSERT_GT(5, n);
	EXPECT_EQ(GetProcessHeap(), heaps[0]);
	for (i = 0; i < 3; i++) {
		more[i] = HeapCreate(0, 0, 0);
		ASSERT_NE(NULL, more[i]);
		EXPECT_EQ(0, (uintptr_t)more[i] % UNIT);
	}
	EXPECT_EQ(n + 3, GetProcessHeaps(0, NULL));
	ASSERT_EQ(n + 3, GetProcessHeaps(8, heaps));
	EXPECT_EQ(GetProcessHeap(), heaps[0]);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(more[i], heaps[n + i]);
	EXPECT_TRUE(HeapDestroy(more[1]));
	ASSERT_EQ(n + 2, GetProcessHeaps(8, heaps));
	EXPECT_EQ(more[2], heaps[n + 1]);
	EXPECT_TRUE(HeapDestroy(more[0]) && HeapDestroy(more[2]));
}

/* Rules: HP-02. The process' heap is the first one even if another is made before. */
TEST(own_heap_is_first)
{
	HANDLE other = HeapCreate(0, 0, 0);
	HANDLE heaps[2];

	ASSERT_NE(NULL, other);
	ASSERT_EQ(2, GetProcessHeaps(2, heaps));
	EXPECT_EQ(heaps[0], GetProcessHeap());
	EXPECT_EQ(heaps[1], other);
	EXPECT_TRUE(HeapDestroy(other));
}

/* Rules: HP-03 */
TEST(destroy_of_no_heap)
{
	char *memory = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
				    PAGE_READWRITE);
	HANDLE heap = HeapCreate(0, 0, 0);
	char *block = HeapAlloc(heap, 0, 64);

	ASSERT_NE(NULL, block);
	EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapDestroy(NULL));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapDestroy(memory));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapDestroy(block));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapDestroy((char *)heap + UNIT));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapDestroy(KERNEL_ADDRESS));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapDestroy(GetProcessHeap()));
	EXPECT_TRUE(HeapDestroy(heap));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapDestroy(heap));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapFree(heap, 0, block));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapLock(heap));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, HeapValidate(heap, 0, NULL));
	SetLastError(0);
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, 1));
	EXPECT_EQ(ERROR_INVALID_HANDLE, GetLastError());
	EXPECT_TRUE(VirtualFree(memory, 0, MEM_RELEASE));
}

/* Rules: HP-03. All goes at once, and nothing stays charged. */
TEST(destroy_gives_all_back)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T before;
	char *last = NULL;
	int i, round;

	ASSERT_TRUE(HeapDestroy(heap));
	before = charge();
	for (round = 0; round < 3; round++) {
		heap = HeapCreate(0, 0, 0);
		ASSERT_NE(NULL, heap);
		for (i = 0; i < 20000; i++)
			last = HeapAlloc(heap, 0, i % 1000);
		ASSERT_NE(NULL, last);
		for (i = 0; i < 4; i++)
			last = HeapAlloc(heap, 0, LARGE);
		ASSERT_NE(NULL, last);
		ASSERT_TRUE(HeapFree(heap, 0, last));
		EXPECT_LT(before + MIB(16), charge());
		ASSERT_TRUE(HeapDestroy(heap));
		EXPECT_FALSE(try_read(last));
		EXPECT_FALSE(try_read(heap));
	}
	/* Tables that say where heaps are stay. */
	EXPECT_GE(before + MIB(1), charge());
}

/* Rules: HP-03, HP-30. What was a block where a heap was before is none of the next one. */
TEST(blocks_of_an_earlier_heap)
{
	static char *blocks[1000];
	HANDLE heap, next;
	int i, bad = 0;
	char *block;

	heap = HeapCreate(0, 0, 0);
	ASSERT_NE(NULL, heap);
	for (i = 0; i < 1000; i++)
		blocks[i] = HeapAlloc(heap, 0, 1 + i % 200);
	ASSERT_TRUE(HeapDestroy(heap));
	EXPECT_FALSE(try_read(blocks[0]) || try_read(blocks[999]));
	next = HeapCreate(0, 0, 0);
	ASSERT_NE(NULL, next);
	block = HeapAlloc(next, 0, 40000);
	ASSERT_NE(NULL, block);
	for (i = 0; i < 1000; i++)
		if (blocks[i] != block)
			bad += HeapFree(next, 0, blocks[i]) ||
			       HeapValidate(next, 0, blocks[i]);
	EXPECT_EQ(0, bad);
	EXPECT_TRUE(HeapValidate(next, 0, NULL));
	EXPECT_TRUE(HeapDestroy(next));
}

/* Rules: HP-04, HP-05, HP-06 */
TEST(sizes_of_heaps)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *block;
	int n = 0;

	block = HeapAlloc(heap, 0, MIB(64));
	ASSERT_NE(NULL, block);
	block[MIB(64) - 1] = 1;
	EXPECT_TRUE(HeapDestroy(heap));
	SetLastError(0);
	EXPECT_EQ(NULL, HeapCreate(0, 2 * PAGE, PAGE));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());

	/* 33 pages */
	heap = HeapCreate(0, 0, 32 * PAGE + 1);
	ASSERT_NE(NULL, heap);
	while (HeapAlloc(heap, 0, PAGE - 100))
		n++;
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	EXPECT_EQ(33, n);
	EXPECT_TRUE(HeapValidate(heap, 0, NULL));
	EXPECT_TRUE(HeapDestroy(heap));
	heap = HeapCreate(0, MIB(3), 0);
	ASSERT_NE(NULL, heap);
	EXPECT_LE(MIB(3), entry_of(heap, heap).Region.dwCommittedSize);
	EXPECT_TRUE(HeapDestroy(heap));
}

/* Rules: HP-07, HP-08 */
TEST(fixed_heap)
{
	HANDLE heap = HeapCreate(0, FIXED, FIXED);
	char *block;

	ASSERT_NE(NULL, heap);
	SetLastError(0);
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, FIXED - (0x200 + 0x80 * 8)));
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	block = HeapAlloc(heap, 0, FIXED - (0x400 + 0x100 * 8));
	ASSERT_NE(NULL, block);
	memset(block, 1, FIXED - (0x400 + 0x100 * 8));
	EXPECT_TRUE(HeapValidate(heap, 0, NULL));
	EXPECT_TRUE(HeapFree(heap, 0, block));
	block = HeapAlloc(heap, 0, FIXED / 2);
	ASSERT_NE(NULL, block);
	SetLastError(0);
	EXPECT_EQ(NULL, HeapReAlloc(heap, 0, block, 2 * FIXED));
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	EXPECT_EQ(FIXED / 2, HeapSize(heap, 0, block));
	EXPECT_TRUE(HeapDestroy(heap));

	heap = HeapCreate(0, 0, 16 * FIXED);
	ASSERT_NE(NULL, heap);
	SetLastError(0);
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, 0xc0000));
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	block = HeapAlloc(heap, 0, 0xbf000);
	ASSERT_NE(NULL, block);
	EXPECT_EQ(NULL, HeapReAlloc(heap, 0, block, 0xc0000));
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, LARGE));
	EXPECT_TRUE(HeapDestroy(heap));
}

/* Rules: HP-09 */
TEST_F(heap, execute)
{
	bool executable = variant->flags & HEAP_CREATE_ENABLE_EXECUTE;
	char *small = HeapAlloc(self->heap, 0, 64);
	char *large = HeapAlloc(self->heap, 0, LARGE);

	ASSERT_NE(NULL, small);
	ASSERT_NE(NULL, large);
	write_code(small);
	write_code(large);
	EXPECT_EQ(executable, try_exec(small));
	EXPECT_EQ(executable, try_exec(large));
}

/* ---- blocks ---- */

/* Rules: HP-20, HP-26, HP-29, HP-31 */
TEST_F(heap, nothing)
{
	char *empty = HeapAlloc(self->heap, 0, 0);
	char *other = HeapAlloc(self->heap, 0, 0);

	ASSERT_NE(NULL, empty);
	ASSERT_NE(NULL, other);
	EXPECT_NE(empty, other);
	EXPECT_EQ(0, HeapSize(self->heap, 0, empty));
	EXPECT_TRUE(HeapFree(self->heap, 0, NULL));
	EXPECT_TRUE(HeapFree(self->heap, 0, empty));
	other = HeapReAlloc(self->heap, 0, other, 100);
	ASSERT_NE(NULL, other);
	other = HeapReAlloc(self->heap, 0, other, 0);
	ASSERT_NE(NULL, other);
	EXPECT_EQ(0, HeapSize(self->heap, 0, other));
}

/* Rules: HP-21, HP-25, HP-27 */
TEST_F(heap, impossible)
{
	char *block = HeapAlloc(self->heap, 0, 300);
	SIZE_T sizes[] = { ~(SIZE_T)0, ~(SIZE_T)7, ~(SIZE_T)0xfff,
			   (SIZE_T)1 << 63, (SIZE_T)1 << 47 };
	int i;

	ASSERT_NE(NULL, block);
	fill(block, 300);
	for (i = 0; i < 5; i++) {
		SetLastError(0);
		EXPECT_EQ(NULL, HeapAlloc(self->heap, 0, sizes[i]));
		EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
		SetLastError(0);
		EXPECT_EQ(NULL, HeapReAlloc(self->heap, 0, block, sizes[i]));
		EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	}
	EXPECT_EQ(300, HeapSize(self->heap, 0, block));
	EXPECT_TRUE(is_filled(block, 300));
	SetLastError(1234);
	EXPECT_EQ(NULL, HeapReAlloc(self->heap, 0, NULL, 1));
	EXPECT_EQ(ERROR_SUCCESS, GetLastError());
}

/* Rules: HP-22, HP-31, HP-36, HP-42 */
TEST_F(heap, sizes)
{
	SIZE_T size, step;
	char *block;

	SetLastError(1234);
	for (size = 1; size < MIB(3); size += step) {
		step = size < 300 ? 1 : size / 7;
		block = HeapAlloc(self->heap, 0, size);
		ASSERT_NE(NULL, block);
		memset(block, 0x5a, size);
		EXPECT_EQ(0, (uintptr_t)block % 16);
		if (size >= 0x100000)
			EXPECT_EQ(0, (uintptr_t)block % 64);
		EXPECT_EQ(size, HeapSize(self->heap, 0, block));
		EXPECT_EQ(size, entry_of(self->heap, block).cbData);
		EXPECT_TRUE(HeapValidate(self->heap, 0, block));
		if (size % 3)
			EXPECT_TRUE(HeapFree(self->heap, 0, block));
	}
	EXPECT_EQ(1234, GetLastError());
}

/* Rules: HP-23, HP-24 */
TEST_F(heap, zeroes)
{
	SIZE_T sizes[] = { 1, 100, 5000, 100000, LARGE };
	char *block, *grown;
	int i, round;

	for (i = 0; i < 5; i++) {
		for (round = 0; round < 3; round++) {
			block = HeapAlloc(self->heap, HEAP_ZERO_MEMORY,
					  sizes[i]);
			ASSERT_NE(NULL, block);
			EXPECT_TRUE(all_bytes(block, sizes[i], 0));
			memset(block, 0x77, sizes[i]);
			grown = HeapReAlloc(self->heap, HEAP_ZERO_MEMORY, block,
					    3 * sizes[i]);
			ASSERT_NE(NULL, grown);
			EXPECT_TRUE(all_bytes(grown, sizes[i], 0x77));
			EXPECT_TRUE(all_bytes(grown + sizes[i], 2 * sizes[i],
					      0));
			memset(grown, 0x77, 3 * sizes[i]);
			EXPECT_TRUE(HeapFree(self->heap, 0, grown));
		}
	}
}

/* Rules: HP-23, HP-27. Contents move with a block, up and down over all sizes. */
TEST_F(heap, reallocate)
{
	char *block = HeapAlloc(self->heap, 0, 8);
	SIZE_T size;

	ASSERT_NE(NULL, block);
	fill(block, 8);
	for (size = 8; size < MIB(8); size *= 2) {
		block = HeapReAlloc(self->heap, 0, block, 2 * size);
		ASSERT_NE(NULL, block);
		EXPECT_EQ(2 * size, HeapSize(self->heap, 0, block));
		fill(block, 2 * size);
	}
	for (; size > 8; size /= 2) {
		block = HeapReAlloc(self->heap, 0, block, size);
		ASSERT_NE(NULL, block);
		EXPECT_EQ(size, HeapSize(self->heap, 0, block));
	}
	EXPECT_TRUE(HeapFree(self->heap, 0, block));
}

/* Rules: HP-28 */
TEST_F(heap, in_place)
{
	SIZE_T sizes[] = { 100, 5000, 100000, 500000 };
	DWORD flags = HEAP_REALLOC_IN_PLACE_ONLY;
	char *block, *wall;
	int i;

	for (i = 0; i < 4; i++) {
		block = HeapAlloc(self->heap, 0, sizes[i]);
		/* Not one that was kept somewhere else */
		wall = HeapAlloc(self->heap, 0, 5000);
		ASSERT_NE(NULL, wall);
		memset(block, i, sizes[i]);
		EXPECT_EQ(block, HeapReAlloc(self->heap, flags, block, 10));
		EXPECT_EQ(10, HeapSize(self->heap, 0, block));
		EXPECT_EQ(block,
			  HeapReAlloc(self->heap, flags, block, sizes[i]));
		EXPECT_EQ(sizes[i], HeapSize(self->heap, 0, block));
		EXPECT_TRUE(all_bytes(block, 10, i));
		SetLastError(0);
		EXPECT_EQ(NULL, HeapReAlloc(self->heap, flags, block,
					    sizes[i] + 1000));
		EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
		EXPECT_EQ(sizes[i], HeapSize(self->heap, 0, block));
	}
}

/* Rules: HP-28 */
TEST_F(heap, large_in_place)
{
	DWORD flags = HEAP_REALLOC_IN_PLACE_ONLY;
	char *block = HeapAlloc(self->heap, 0, LARGE);
	SIZE_T before = charge();

	ASSERT_NE(NULL, block);
	memset(block, 9, LARGE);
	EXPECT_EQ(block, HeapReAlloc(self->heap, flags, block, LARGE / 2));
	EXPECT_TRUE(all_bytes(block, LARGE / 2, 9));
	EXPECT_GE(before - LARGE / 2 + PAGE, charge());
	SetLastError(0);
	EXPECT_EQ(NULL, HeapReAlloc(self->heap, flags, block, LARGE));
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	EXPECT_EQ(block, HeapReAlloc(self->heap, flags, block, 10));
	EXPECT_EQ(10, HeapSize(self->heap, 0, block));
	block = HeapReAlloc(self->heap, 0, block, 20);
	ASSERT_NE(NULL, block);
	EXPECT_TRUE(all_bytes(block, 10, 9));
}

/*
 * Rules: HP-27, HP-28. A block that would move as it shrinks stays if there is no memory
 * for another one.
 */
TEST_F(heap, shrinks_without_memory)
{
	char *wall = HeapAlloc(self->heap, 0, 65536);
	char *block = HeapAlloc(self->heap, 0, LARGE);
	SIZE_T sizes[] = { MIB(1) - KIB(8), 5000, 10, 0 };
	struct rlimit old, limit;
	char *other;
	int i;

	ASSERT_NE(NULL, wall);
	ASSERT_NE(NULL, block);
	memset(block, 9, LARGE);
	ASSERT_EQ(0, getrlimit(RLIMIT_AS, &old));
	limit = old;
	limit.rlim_cur = self_status("VmSize") + KIB(256);
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	SetLastError(77);
	for (i = 0; i < 4; i++) {
		other = HeapReAlloc(self->heap, 0, block, sizes[i]);
		EXPECT_NE(NULL, other);
		if (!other)
			break;
		block = other;
		EXPECT_EQ(77, GetLastError());
		EXPECT_EQ(sizes[i], HeapSize(self->heap, 0, block));
		EXPECT_TRUE(all_bytes(block, sizes[i], 9));
	}
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &old));
}

/* ---- what is no block, and blocks that are broken ---- */

#define NOT_FREED(heap, pointer)					\
	do {								\
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,			\
			     HeapFree(heap, 0, pointer));		\
		EXPECT_EQ((SIZE_T)-1, HeapSize(heap, 0, pointer));	\
		SetLastError(0);					\
		EXPECT_EQ(NULL, HeapReAlloc(heap, 0, pointer, 8));	\
		EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());	\
		EXPECT_FALSE(HeapValidate(heap, 0, pointer));		\
	} while (0)

/*
 * Rules: HP-30. Once a block was freed nothing that is left of it makes it one, whether it
 * was kept since, has become a part of what is free around it, or had another size before.
 */
TEST_F(heap, freed_twice)
{
	static char *blocks[600];
	int i, round, bad = 0;

	for (i = 0; i < 600; i++) {
		blocks[i] = HeapAlloc(self->heap, 0, 1 + i % 3 * 80);
		ASSERT_NE(NULL, blocks[i]);
	}
	for (i = 0; i < 600; i += 5)
		bad += !HeapReAlloc(self->heap, HEAP_REALLOC_IN_PLACE_ONLY,
				    blocks[i], 1);
	for (i = 1; i < 600; i += 5) {
		blocks[i] = HeapReAlloc(self->heap, 0, blocks[i], 300);
		bad += !blocks[i];
	}
	for (i = 0; i < 600; i++)
		bad += !HeapFree(self->heap, 0, blocks[i]);
	EXPECT_EQ(0, bad);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 600; i++)
			bad += HeapFree(self->heap, 0, blocks[i]);
		EXPECT_EQ(0, bad);
		EXPECT_TRUE(HeapValidate(self->heap, 0, NULL));
		HeapCompact(self->heap, 0);
	}
	NOT_FREED(self->heap, blocks[300]);
}

/* Rules: HP-30, HP-32, HP-33, HP-34 */
TEST_F(heap, foreign_pointers)
{
	HANDLE other = HeapCreate(0, 0, 0);
	char *theirs = HeapAlloc(other, 0, 100);
	char *large = HeapAlloc(self->heap, 0, LARGE);
	char *block = HeapAlloc(self->heap, 0, 100);
	char *freed = HeapAlloc(self->heap, 0, 100);
	char *reserved = VirtualAlloc(NULL, UNIT, MEM_RESERVE, PAGE_READWRITE);
	char local[64];

	ASSERT_NE(NULL, theirs);
	ASSERT_TRUE(block && freed && large && reserved);
	memset(block, 0, 100);
	ASSERT_TRUE(HeapFree(self->heap, 0, freed));
	NOT_FREED(self->heap, theirs);
	NOT_FREED(self->heap, freed);
	NOT_FREED(self->heap, block + 16);
	NOT_FREED(self->heap, block + 1);
	NOT_FREED(self->heap, large + 64);
	NOT_FREED(self->heap, large - 64);
	NOT_FREED(self->heap, local);
	NOT_FREED(self->heap, (char *)self->heap);
	NOT_FREED(self->heap, (char *)self->heap + UNIT * 15);
	NOT_FREED(self->heap, reserved);
	NOT_FREED(self->heap, (char *)16);
	NOT_FREED(self->heap, KERNEL_ADDRESS);

	EXPECT_FAILS(ERROR_NOACCESS, HeapValidate(self->heap, 0, reserved));
	EXPECT_FAILS(ERROR_NOACCESS, HeapValidate(self->heap, 0, (void *)8));
	EXPECT_FAILS(ERROR_NOACCESS,
		     HeapValidate(self->heap, 0, KERNEL_ADDRESS));
	SetLastError(1234);
	EXPECT_FALSE(HeapValidate(self->heap, 0, freed));
	EXPECT_FALSE(HeapValidate(self->heap, 0, local));
	EXPECT_FALSE(HeapValidate(self->heap, 0, theirs));
	EXPECT_EQ(1234, GetLastError());
	EXPECT_TRUE(HeapValidate(self->heap, 0, block));
	EXPECT_TRUE(HeapValidate(self->heap, 0, large));
	EXPECT_TRUE(HeapDestroy(other));
	EXPECT_TRUE(VirtualFree(reserved, 0, MEM_RELEASE));
}

/* Rules: HP-30, HP-32. One byte behind a block, of any size */
TEST_F(heap, overruns)
{
	SIZE_T sizes[] = { 0, 1, 7, 8, 9, 15, 16, 24, 100, 4000, 70000, LARGE };
	char *block;
	char old;
	int i;

	for (i = 0; i < 12; i++) {
		block = HeapAlloc(self->heap, 0, sizes[i]);
		ASSERT_NE(NULL, block);
		old = block[sizes[i]];
		block[sizes[i]] ^= 1;
		SetLastError(1234);
		EXPECT_FALSE(HeapValidate(self->heap, 0, block));
		EXPECT_FALSE(HeapValidate(self->heap, 0, NULL));
		EXPECT_EQ(1234, GetLastError());
		NOT_FREED(self->heap, block);
		block[sizes[i]] = old;
		EXPECT_TRUE(HeapValidate(self->heap, 0, NULL));
		EXPECT_EQ(sizes[i], HeapSize(self->heap, 0, block));
		EXPECT_TRUE(HeapFree(self->heap, 0, block));
	}
}

/* The region that the block is in */
static PROCESS_HEAP_ENTRY region_of(HANDLE heap, const char *block)
{
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };

	while (HeapWalk(heap, &entry))
		if (entry.wFlags & PROCESS_HEAP_REGION &&
		    block > (char *)entry.lpData &&
		    block < (char *)entry.Region.lpLastBlock)
			return entry;
	return (PROCESS_HEAP_ENTRY){ .lpData = NULL };
}

/* Rules: HP-30. What the allocator has in front says that it ends where memory does. */
TEST_F(heap, front_of_block)
{
	PROCESS_HEAP_ENTRY region;
	uint64_t *head, saved;
	char *block, *end;
	int less;

	block = HeapAlloc(self->heap, 0, 5000);
	ASSERT_NE(NULL, block);
	region = region_of(self->heap, block);
	ASSERT_NE(NULL, region.lpData);
	end = (char *)region.lpData + region.Region.dwCommittedSize;
	head = (uint64_t *)block - 1;
	saved = *head;
	for (less = 0; less < 3; less++) {
		*head = (end - block + 16 - 16 * less) | (saved & 7);
		EXPECT_FALSE(HeapValidate(self->heap, 0, block));
		NOT_FREED(self->heap, block);
		EXPECT_EQ((SIZE_T)-1, HeapSize(self->heap, 0, block));
	}
	*head = saved;
	EXPECT_TRUE(HeapFree(self->heap, 0, block));
}

/* Rules: HP-30, HP-32. Far behind a block, and into one that is free */
TEST_F(heap, wild_writes)
{
	char *block[4];
	char saved[160];
	int i;

	for (i = 0; i < 4; i++) {
		block[i] = HeapAlloc(self->heap, 0, 100);
		ASSERT_NE(NULL, block[i]);
	}
	memcpy(saved, block[1] + 100, sizeof(saved));
	memset(block[1] + 100, 0xff, sizeof(saved));
	EXPECT_FALSE(HeapValidate(self->heap, 0, NULL));
	NOT_FREED(self->heap, block[1]);
	NOT_FREED(self->heap, block[2]);
	memcpy(block[1] + 100, saved, sizeof(saved));
	EXPECT_TRUE(HeapValidate(self->heap, 0, NULL));

	ASSERT_TRUE(HeapFree(self->heap, 0, block[1]));
	memcpy(saved, block[1], 16);
	memset(block[1], 0x41, 16);
	EXPECT_FALSE(HeapValidate(self->heap, 0, NULL));
	memcpy(block[1], saved, 16);
	EXPECT_TRUE(HeapValidate(self->heap, 0, NULL));
}

/* The end of a process that is to end when a heap is broken, and what it says */
struct end {
	/* 'o'verrun, 'd'ouble free, 'f'oreign pointer, 'w'rong heap, or none */
	char how;
	bool by_call;
	/* Where it says it, of two ends */
	int said[2];
	HANDLE heap;
	char *block;
};

static int break_heap(void *arg)
{
	struct end *end = arg;
	HANDLE other = HeapCreate(0, 0, 0);
	char local[32];

	dup2(end->said[1], STDERR_FILENO);
	if (end->by_call &&
	    !HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL,
				0))
		return __LINE__;
	if (end->how == 'o')
		end->block[20] ^= 1;
	if (end->how == 'd')
		HeapFree(end->heap, 0, end->block);
	HeapFree(end->how == 'w' ? other : end->heap, 0,
		 end->how == 'f' ? local : end->block);
	return 0;
}

static bool says(const struct end *end, char *text)
{
	char address[32];

	sprintf(address, "block %p", (void *)end->block);
	return strstr(text, end->how == 'f' ? "block 0x" : address) &&
	       strstr(text, "heap 0x");
}

/* Rules: HP-30, HP-53 */
TEST(end_of_the_process)
{
	const char kinds[] = "odfw";
	struct end end = { .by_call = true };
	char text[256];
	int i;

	end.heap = HeapCreate(0, 0, 0);
	end.block = HeapAlloc(end.heap, 0, 20);
	ASSERT_NE(NULL, end.block);
	for (i = 0; i < 5; i++) {
		end.how = kinds[i];
		ASSERT_EQ(0, pipe(end.said));
		EXPECT_EQ(end.how ? -SIGABRT : 0, in_child(break_heap, &end));
		close(end.said[1]);
		memset(text, 0, sizeof(text));
		EXPECT_EQ(!!end.how,
			  read(end.said[0], text, sizeof(text) - 1) > 0);
		if (end.how)
			EXPECT_TRUE(says(&end, text));
		close(end.said[0]);
	}
	/* Nobody has asked for it here. */
	end.by_call = false;
	end.how = 'd';
	ASSERT_EQ(0, pipe(end.said));
	EXPECT_EQ(0, in_child(break_heap, &end));
	EXPECT_TRUE(HeapDestroy(end.heap));
}

/* Rules: HP-53. The same by the environment, which is looked at when a program begins */
TEST(end_by_environment)
{
	if (getenv("WINREGION_HEAP_CHECK")) {
		char *block = HeapAlloc(GetProcessHeap(), 0, 20);

		HeapFree(GetProcessHeap(), 0, block);
		HeapFree(GetProcessHeap(), 0, block);
		_exit(0);
	}
	if (!fork()) {
		/* What it prints is no result of this program. */
		if (!freopen("/dev/null", "w", stdout) ||
		    !freopen("/dev/null", "w", stderr))
			_exit(0);
		setenv("WINREGION_HEAP_CHECK", "1", 1);
		execl("/proc/self/exe", "heap_test", "-t", "end_by_environment",
		      NULL);
		_exit(1);
	} else {
		int status;

		/* The harness there says that its test has died. */
		ASSERT_LT(0, wait(&status));
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_NE(0, WEXITSTATUS(status));
	}
}

static int raised;
static DWORD raised_code;

static LONG WINAPI go_on(PEXCEPTION_POINTERS pointers)
{
	raised++;
	raised_code = pointers->ExceptionRecord->ExceptionCode;
	return EXCEPTION_CONTINUE_EXECUTION;
}

/* Rules: HP-35 */
TEST(exceptions)
{
	HANDLE heap = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 0);
	HANDLE other = HeapCreate(0, 0, 0);
	char *block = HeapAlloc(heap, 0, 1);

	ASSERT_NE(NULL, block);
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, go_on));
	EXPECT_EQ(NULL, HeapAlloc(other, 0, (SIZE_T)1 << 62));
	EXPECT_EQ(0, raised);
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, (SIZE_T)1 << 62));
	EXPECT_EQ(1, raised);
	EXPECT_EQ(STATUS_NO_MEMORY, raised_code);
	EXPECT_EQ(NULL, HeapAlloc(other, HEAP_GENERATE_EXCEPTIONS, ~0UL));
	EXPECT_EQ(2, raised);
	EXPECT_EQ(NULL, HeapReAlloc(heap, 0, block, ~0UL));
	EXPECT_EQ(3, raised);
	EXPECT_TRUE(HeapDestroy(heap) && HeapDestroy(other));
}

/* ---- walk ---- */

/* Rules: HP-40, HP-41 */
TEST_F(heap, walk_of_nothing)
{
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };

	ASSERT_TRUE(HeapWalk(self->heap, &entry));
	EXPECT_EQ(PROCESS_HEAP_REGION, entry.wFlags);
	EXPECT_EQ(self->heap, entry.lpData);
	EXPECT_EQ(0, entry.iRegionIndex);
	ASSERT_TRUE(HeapWalk(self->heap, &entry));
	EXPECT_EQ(0, entry.wFlags);
	EXPECT_LT(PAGE, entry.cbData);
	ASSERT_TRUE(HeapWalk(self->heap, &entry));
	EXPECT_EQ(PROCESS_HEAP_UNCOMMITTED_RANGE, entry.wFlags);
	EXPECT_FALSE(try_read(entry.lpData));
	EXPECT_FAILS(ERROR_NO_MORE_ITEMS, HeapWalk(self->heap, &entry));
	entry.lpData = &entry;
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, HeapWalk(self->heap, &entry));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, HeapWalk(self->heap, NULL));
}

/* Rules: HP-40, HP-42, HP-43 */
TEST_F(heap, walk)
{
	static char *blocks[30000];
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
	char *large[2];
	int regions = 0;
	int busy = 0;
	int i;

	for (i = 0; i < 30000; i++) {
		blocks[i] = HeapAlloc(self->heap, 0, 1 + i % 300);
		ASSERT_NE(NULL, blocks[i]);
	}
	for (i = 0; i < 30000; i += 3)
		ASSERT_TRUE(HeapFree(self->heap, 0, blocks[i]));
	large[0] = HeapAlloc(self->heap, 0, LARGE);
	large[1] = HeapAlloc(self->heap, 0, LARGE + 1);
	ASSERT_TRUE(large[0] && large[1]);
	SetLastError(0);
	while (HeapWalk(self->heap, &entry)) {
		regions += entry.wFlags == PROCESS_HEAP_REGION;
		busy += entry.wFlags == PROCESS_HEAP_ENTRY_BUSY;
		if (entry.wFlags == PROCESS_HEAP_ENTRY_BUSY &&
		    !HeapValidate(self->heap, 0, entry.lpData))
			break;
	}
	EXPECT_EQ(ERROR_NO_MORE_ITEMS, GetLastError());
	EXPECT_EQ(20002, busy);
	EXPECT_LT(1, regions);
	EXPECT_EQ(2, entry_of(self->heap, blocks[1]).cbData);
	entry = entry_of(self->heap, large[1]);
	EXPECT_EQ(LARGE + 1, entry.cbData);
	EXPECT_EQ(64, entry.iRegionIndex);
	EXPECT_EQ(NULL, entry_of(self->heap, blocks[3]).lpData);
}

/* ---- locks ---- */

struct visitor {
	HANDLE heap;
	DWORD flags;
	bool lock;
	atomic_bool done;
};

static void *visit(void *arg)
{
	struct visitor *visitor = arg;
	void *block;

	if (visitor->lock)
		HeapLock(visitor->heap);
	block = HeapAlloc(visitor->heap, visitor->flags, 10);
	HeapFree(visitor->heap, visitor->flags, block);
	if (visitor->lock)
		HeapUnlock(visitor->heap);
	visitor->done = true;
	return NULL;
}

/*
 * Does it get through while this thread holds the lock, or only afterwards? That it
 * does not is seen for a while, that it does as long as it takes.
 */
static bool gets_through(HANDLE heap, DWORD flags, bool lock, bool is_to)
{
	struct visitor visitor = { heap, flags, lock, false };
	pthread_t thread;
	bool done;

	if (!HeapLock(heap) || !HeapLock(heap) ||
	    pthread_create(&thread, NULL, visit, &visitor))
		abort();
	if (is_to)
		(void)SETTLES(visitor.done);
	else
		sleep_ms(200);
	if (!HeapUnlock(heap))
		abort();
	if (!is_to)
		sleep_ms(100);
	done = visitor.done;
	if (!HeapUnlock(heap))
		abort();
	pthread_join(thread, NULL);
	return done && visitor.done;
}

/* Rules: HP-44, HP-45, HP-46 */
TEST_F(heap, locks)
{
	bool alone = variant->flags & HEAP_NO_SERIALIZE;

	EXPECT_EQ(alone, gets_through(self->heap, 0, false, alone));
	EXPECT_EQ(alone, gets_through(self->heap, 0, true, alone));
	EXPECT_TRUE(gets_through(self->heap, HEAP_NO_SERIALIZE, false, true));
	if (!alone)
		EXPECT_FAILS(ERROR_NOT_OWNER, HeapUnlock(self->heap));
}

/* A child has the locks of the thread that has made it, and no others. */
static int use_in_child(void *arg)
{
	HANDLE heap = *(HANDLE *)arg;
	char *block = HeapAlloc(heap, 0, 100);

	if (!block || !HeapFree(heap, 0, block) || !HeapUnlock(heap))
		return __LINE__;
	if (HeapUnlock(heap) || !HeapValidate(heap, 0, NULL))
		return __LINE__;
	return HeapDestroy(heap) ? 0 : __LINE__;
}

/* Rules: HP-44 */
TEST(fork_with_a_lock)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	ASSERT_TRUE(HeapLock(heap));
	EXPECT_EQ(0, in_child(use_in_child, &heap));
	ASSERT_TRUE(HeapUnlock(heap));
	EXPECT_TRUE(HeapDestroy(heap));
}

/* For a program that has this in its environment, heaps begin before all constructors. */
#define EARLY "WR_HEAP_EARLY"

static void begin_early(int argc, char **argv, char **envp)
{
	for (; *envp; envp++)
		if (!strncmp(*envp, EARLY "=", sizeof(EARLY)))
			GetProcessHeap();
}

__attribute__((section(".preinit_array"), used))
static void (*const before_all)(int, char **, char **) = begin_early;

static int use_in_child_in_time(void *arg)
{
	alarm(10);
	return use_in_child(arg);
}

static int fork_early(void *unused)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	/* With one thread there would be no locks. */
	CHECK(can_use_heaps(heap));
	CHECK(HeapLock(heap));
	CHECK(!in_child(use_in_child_in_time, &heap));
	CHECK(HeapUnlock(heap) && HeapDestroy(heap));
	return 0;
}

/* Rules: HP-57, TH-20. What the library looks after in a child comes after the heaps. */
TEST(fork_of_early_heaps)
{
	int status;

	if (getenv(EARLY))
		_exit(fork_early(NULL) ? 1 : 0);
	if (!fork()) {
		/* What it prints is no result of this program. */
		if (!freopen("/dev/null", "w", stdout))
			_exit(2);
		setenv(EARLY, "1", 1);
		execl("/proc/self/exe", "heap_test", "-t",
		      "fork_of_early_heaps", NULL);
		_exit(3);
	}
	ASSERT_LT(0, wait(&status));
	EXPECT_EQ(0, status);
}

struct holder {
	HANDLE heap;
	sem_t locked;
	sem_t forked;
};

static void *hold_until_forked(void *arg)
{
	struct holder *holder = arg;

	HeapLock(holder->heap);
	HeapLock(holder->heap);
	sem_post(&holder->locked);
	sem_wait(&holder->forked);
	HeapUnlock(holder->heap);
	HeapUnlock(holder->heap);
	return NULL;
}

static int use_unlocked(void *arg)
{
	HANDLE heap = *(HANDLE *)arg;

	if (HeapUnlock(heap) || GetLastError() != ERROR_NOT_OWNER)
		return __LINE__;
	return HeapLock(heap) ? use_in_child(arg) : __LINE__;
}

/* Rules: HP-44, HP-57. Who has the lock waits for the fork. */
TEST(fork_of_another_with_a_lock)
{
	struct holder holder = { .heap = HeapCreate(0, 0, 0) };
	pthread_t thread;
	int i;

	sem_init(&holder.locked, 0, 0);
	sem_init(&holder.forked, 0, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, hold_until_forked, &holder));
	sem_wait(&holder.locked);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, in_child(use_unlocked, &holder.heap));
	EXPECT_FAILS(ERROR_NOT_OWNER, HeapUnlock(holder.heap));
	sem_post(&holder.forked);
	pthread_join(thread, NULL);
	EXPECT_TRUE(HeapValidate(holder.heap, 0, NULL));
	EXPECT_TRUE(HeapDestroy(holder.heap));
}

static volatile bool locking_ends;

static void *make_heaps_with_a_lock(void *heap)
{
	HANDLE another;

	while (!locking_ends) {
		HeapLock(heap);
		another = HeapCreate(0, 0, 0);
		HeapDestroy(another);
		HeapUnlock(heap);
	}
	return NULL;
}

static int child_ends(void *arg)
{
	return 0;
}

/* Rules: HP-44, HP-57. Who has a heap locked makes others. */
TEST(fork_beside_a_lock)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	pthread_t thread;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, make_heaps_with_a_lock,
				    heap));
	for (i = 0; i < 30; i++)
		EXPECT_EQ(0, in_child(child_ends, NULL));
	locking_ends = true;
	pthread_join(thread, NULL);
	EXPECT_TRUE(HeapDestroy(heap));
}

/* Who has the lock may say that nobody else is there. */
static void *change_with_a_lock(void *heap)
{
	void *blocks[20];
	int i;

	while (!locking_ends) {
		HeapLock(heap);
		for (i = 0; i < 20; i++)
			blocks[i] = HeapAlloc(heap, HEAP_NO_SERIALIZE,
					      100 + 300 * i);
		for (i = 0; i < 20; i++)
			HeapFree(heap, HEAP_NO_SERIALIZE, blocks[i]);
		HeapUnlock(heap);
		HeapFree(heap, 0, HeapAlloc(heap, 0, 100));
	}
	return NULL;
}

static int heap_is_whole(void *heap)
{
	void *block;

	alarm(20);
	CHECK(HeapValidate(heap, 0, NULL));
	block = HeapAlloc(heap, 0, 3000);
	CHECK(block && HeapFree(heap, 0, block));
	CHECK(HeapValidate(heap, 0, NULL));
	return 0;
}

/* Rules: HP-45, TH-20. A child finds the heap whole in any case. */
TEST(fork_beside_who_needs_no_lock)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	pthread_t thread;
	int failed = 0;
	long n;

	ASSERT_EQ(0, pthread_create(&thread, NULL, change_with_a_lock, heap));
	for (n = rounds(heap_forks); n && !failed; n--)
		failed = in_child(heap_is_whole, heap);
	EXPECT_EQ(0, failed);
	locking_ends = true;
	pthread_join(thread, NULL);
	EXPECT_TRUE(HeapValidate(heap, 0, NULL));
	EXPECT_TRUE(HeapDestroy(heap));
}

#define BUSY 8

static void *keep_busy(void *heap)
{
	while (!locking_ends)
		HeapFree(heap, 0, HeapAlloc(heap, 0, 3000));
	return NULL;
}

static volatile int begins;

static void *use_first(void *unused)
{
	begins = 1;
	return HeapAlloc(GetProcessHeap(), 0, 64);
}

static int allocate(void *unused)
{
	alarm(30);
	return !HeapAlloc(GetProcessHeap(), 0, 64);
}

static int fork_beside_first(void *delay)
{
	pthread_t thread;
	volatile long left = (long)delay;

	CHECK(!pthread_create(&thread, NULL, use_first, NULL));
	while (!begins || left-- > 0)
		;
	CHECK(!in_child(allocate, NULL));
	CHECK(!pthread_join(thread, NULL));
	return 0;
}

/* Rules: HP-44. Another thread makes the process' heap at the moment. */
TEST(fork_beside_the_first_use)
{
	long round;
	int failed = 0;

	for (round = 0; round < rounds(heap_first) && !failed; round++)
		failed = in_child(fork_beside_first,
				  (void *)(round % 10 * 3000));
	EXPECT_EQ(0, failed);
}

/* Rules: HP-44. A fork needs the locks of all heaps at once, though each is in use. */
TEST(fork_beside_busy_heaps)
{
	pthread_t threads[BUSY];
	HANDLE heaps[BUSY];
	int i;

	for (i = 0; i < BUSY; i++) {
		heaps[i] = HeapCreate(0, 0, 0);
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, keep_busy,
					    heaps[i]));
	}
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, in_child(child_ends, NULL));
	locking_ends = true;
	for (i = 0; i < BUSY; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_TRUE(HeapDestroy(heaps[i]));
	}
}

#define SLOTS 200
#define THREADS 4

struct worker {
	HANDLE heap;
	/* Blocks that any thread may take and free */
	uint32_t *_Atomic *slots;
	uint64_t seed;
	int bad;
};

/* A block has its size in its first word and its last byte. */
static uint32_t *new_marked(HANDLE heap, uint32_t size)
{
	uint32_t *block = HeapAlloc(heap, 0, size);

	if (block) {
		*block = size;
		((unsigned char *)block)[size - 1] = size % 256;
		*block = size;
	}
	return block;
}

static bool is_marked(HANDLE heap, uint32_t *block)
{
	return HeapSize(heap, 0, block) == *block &&
	       ((unsigned char *)block)[*block - 1] == *block % 256;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	long n = rounds(heap_threads);
	uint32_t *block;
	uint32_t size;
	int slot;

	while (n--) {
		size = 8 + race_random(&worker->seed, 2000);
		if (!race_random(&worker->seed, 500))
			size += MIB(1);
		block = new_marked(worker->heap, size);
		if (!block) {
			worker->bad++;
			continue;
		}
		slot = race_random(&worker->seed, SLOTS);
		block = atomic_exchange(&worker->slots[slot], block);
		if (block && (!is_marked(worker->heap, block) ||
			      !HeapFree(worker->heap, 0, block)))
			worker->bad++;
	}
	return NULL;
}

/* Rules: HP-44. Any thread uses any block. */
TEST(threads)
{
	static uint32_t *_Atomic slots[SLOTS];
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	HANDLE heap = HeapCreate(0, 0, 0);
	int i;

	ASSERT_NE(NULL, heap);
	for (i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ heap, slots, i + 1, 0 };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, work,
					    &workers[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, workers[i].bad);
	}
	EXPECT_TRUE(HeapValidate(heap, 0, NULL));
	for (i = 0; i < SLOTS; i++)
		if (slots[i])
			EXPECT_TRUE(HeapFree(heap, 0, slots[i]));
	EXPECT_TRUE(HeapValidate(heap, 0, NULL));
	EXPECT_EQ(0, count_entries(heap, PROCESS_HEAP_ENTRY_BUSY));
	EXPECT_TRUE(HeapDestroy(heap));
}

/* ---- what threads keep ---- */

/* Small blocks, which a thread that frees them may keep */
#define KEPT 200

static bool fill_and_free(HANDLE heap)
{
	static __thread char *blocks[KEPT];
	int i;

	for (i = 0; i < KEPT; i++) {
		blocks[i] = HeapAlloc(heap, 0, 1 + 5 * i);
		if (!blocks[i])
			return false;
		memset(blocks[i], 1, 1 + 5 * i);
	}
	for (i = 0; i < KEPT; i++)
		if (!HeapFree(heap, 0, blocks[i]))
			return false;
	return true;
}

static bool use_one(HANDLE heap)
{
	return HeapFree(heap, 0, HeapAlloc(heap, 0, 100));
}

/* A thread that uses a heap, and is there until it is told to end */
struct keeper {
	HANDLE heap;
	/* One block at a time */
	bool little;
	sem_t begin;
	sem_t done;
	pthread_t thread;
	bool bad;
};

static void *keep(void *arg)
{
	struct keeper *keeper = arg;

	for (;;) {
		sem_wait(&keeper->begin);
		if (!keeper->heap)
			return NULL;
		if (keeper->little ? !use_one(keeper->heap) :
				     !fill_and_free(keeper->heap))
			keeper->bad = true;
		sem_post(&keeper->done);
	}
}

static void keeper_start(struct keeper *keeper)
{
	*keeper = (struct keeper){ .heap = NULL };
	sem_init(&keeper->begin, 0, 0);
	sem_init(&keeper->done, 0, 0);
	if (pthread_create(&keeper->thread, NULL, keep, keeper))
		abort();
}

static void keeper_let(struct keeper *keeper, HANDLE heap)
{
	keeper->heap = heap;
	sem_post(&keeper->begin);
}

static bool keeper_end(struct keeper *keeper)
{
	keeper_let(keeper, NULL);
	pthread_join(keeper->thread, NULL);
	return !keeper->bad;
}

/* No block, sound, and without anything kept one piece, but for what is at its end */
static bool is_empty(HANDLE heap)
{
	return HeapValidate(heap, 0, NULL) &&
	       !count_entries(heap, PROCESS_HEAP_ENTRY_BUSY) &&
	       HeapCompact(heap, 0) && count_entries(heap, 0) == 1;
}

/* Rules: HP-56. What is kept is free for everybody, and nobody writes there. */
TEST_F(heap, kept_blocks)
{
	HEAP_SUMMARY summary = { .cb = sizeof(summary) };
	char *block[3];
	int i, at;

	for (i = 0; i < 3; i++) {
		block[i] = HeapAlloc(self->heap, 0, 100);
		ASSERT_NE(NULL, block[i]);
	}
	ASSERT_TRUE(HeapFree(self->heap, 0, block[0]));
	ASSERT_TRUE(HeapFree(self->heap, 0, block[1]));
	NOT_FREED(self->heap, block[0]);
	NOT_FREED(self->heap, block[1]);
	EXPECT_EQ(1, count_entries(self->heap, PROCESS_HEAP_ENTRY_BUSY));
	ASSERT_TRUE(HeapSummary(self->heap, 0, &summary));
	EXPECT_EQ(100, summary.cbAllocated);
	EXPECT_TRUE(HeapValidate(self->heap, 0, NULL));
	/* At its beginning, and the last word of its 120 bytes */
	for (i = 0; i < 2 && !(variant->flags & HEAP_NO_SERIALIZE); i++) {
		at = i ? 112 : 0;
		block[1][at] ^= 1;
		EXPECT_FALSE(HeapValidate(self->heap, 0, NULL));
		block[1][at] ^= 1;
		EXPECT_TRUE(HeapValidate(self->heap, 0, NULL));
	}
	EXPECT_TRUE(HeapFree(self->heap, 0, block[2]));
	EXPECT_TRUE(is_empty(self->heap));
}

/* Rules: HP-56. Who gets a kept block does not get what was written to it afterwards. */
TEST(write_after_free)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *block[2];
	int i;

	/* The first one that is freed may go straight back. */
	for (i = 0; i < 2; i++) {
		block[i] = HeapAlloc(heap, 0, 100);
		ASSERT_NE(NULL, block[i]);
	}
	EXPECT_TRUE(HeapFree(heap, 0, block[0]));
	EXPECT_TRUE(HeapFree(heap, 0, block[1]));
	EXPECT_EQ(block[1], HeapAlloc(heap, 0, 100));
	EXPECT_TRUE(HeapFree(heap, 0, block[1]));
	block[1][3] ^= 1;
	EXPECT_NE(block[1], HeapAlloc(heap, 0, 100));
	EXPECT_FALSE(HeapValidate(heap, 0, NULL));
	EXPECT_TRUE(HeapDestroy(heap));
}

/* Rules: HP-44, HP-56. Also those who need no lock for that */
TEST(lock_and_kept_blocks)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	struct keeper keeper;
	int i;

	keeper_start(&keeper);
	for (i = 0; i < 3; i++) {
		keeper_let(&keeper, heap);
		sem_wait(&keeper.done);
	}
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(HeapLock(heap));
		keeper_let(&keeper, heap);
		sleep_ms(100);
		EXPECT_NE(0, sem_trywait(&keeper.done));
		EXPECT_EQ(0, count_entries(heap, PROCESS_HEAP_ENTRY_BUSY));
		ASSERT_TRUE(HeapUnlock(heap));
		sem_wait(&keeper.done);
	}
	EXPECT_TRUE(keeper_end(&keeper));
	EXPECT_TRUE(is_empty(heap));
	EXPECT_TRUE(HeapDestroy(heap));
}

/* Rules: HP-03, HP-56. A heap ends, and others begin, maybe where it was. */
TEST(destroy_with_kept_blocks)
{
	struct keeper keeper[3];
	HANDLE heap, fixed;
	int i, round;

	for (i = 0; i < 3; i++)
		keeper_start(&keeper[i]);
	for (round = 0; round < 20; round++) {
		heap = HeapCreate(0, 0, 0);
		fixed = HeapCreate(0, 0, MIB(1));
		ASSERT_TRUE(heap && fixed);
		for (i = 0; i < 3; i++)
			keeper_let(&keeper[i], i < 2 ? heap : fixed);
		for (i = 0; i < 3; i++)
			sem_wait(&keeper[i].done);
		EXPECT_TRUE(fill_and_free(heap));
		EXPECT_TRUE(HeapDestroy(heap));
		EXPECT_TRUE(is_empty(fixed));
		EXPECT_TRUE(HeapDestroy(fixed));
	}
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(keeper_end(&keeper[i]));
}

#ifdef __x86_64__

/* Of a processor: a trap after each instruction */
#define TRAPS 0x100UL
/* So many instructions are enough to be done with what threads have kept. */
#define STEPS 300

/* Threads that use a heap that ends, and begin with another one after @left instructions */
static struct {
	struct keeper keeper[2];
	HANDLE heap;
	HANDLE other;
	int left;
} beside;

static void let_both(HANDLE heap)
{
	keeper_let(&beside.keeper[0], heap);
	keeper_let(&beside.keeper[1], heap);
}

static void wait_for_both(void)
{
	sem_wait(&beside.keeper[0].done);
	sem_wait(&beside.keeper[1].done);
}

/* What they wait for, if anything, this thread may have. */
static void after_instruction(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	if (beside.left--)
		return;
	uc->uc_mcontext.gregs[REG_EFL] &= ~TRAPS;
	let_both(beside.other);
	sleep_ms(3);
}

static bool end_beside_others(int steps)
{
	beside.other = HeapCreate(0, 0, 0);
	beside.heap = HeapCreate(0, 0, 0);
	let_both(beside.heap);
	wait_for_both();
	if (!is_empty(beside.heap))
		return false;
	beside.left = steps;
	__builtin_ia32_writeeflags_u64(TRAPS);
	HeapDestroy(beside.heap);
	__builtin_ia32_writeeflags_u64(0);
	if (beside.left >= 0)
		let_both(beside.other);
	wait_for_both();
	return is_empty(beside.other) && HeapDestroy(beside.other);
}

/*
 * Rules: HP-03, HP-56. Wherever one thread has got to that ends a heap, others that have
 * kept blocks of it may begin with another.
 */
TEST(destroy_beside_others)
{
	struct sigaction action = {
		.sa_sigaction = after_instruction,
		.sa_flags = SA_SIGINFO,
	};
	bool good = true;
	int i;

	ASSERT_EQ(0, sigaction(SIGTRAP, &action, NULL));
	keeper_start(&beside.keeper[0]);
	keeper_start(&beside.keeper[1]);
	beside.keeper[0].little = true;
	beside.keeper[1].little = true;
	for (i = 0; i < STEPS && good; i++)
		good = end_beside_others(i);
	EXPECT_TRUE(good) {
		TH_LOG("after %d instructions", i - 1);
	}
	EXPECT_TRUE(keeper_end(&beside.keeper[0]));
	EXPECT_TRUE(keeper_end(&beside.keeper[1]));
}

#endif /* __x86_64__ */

/* Rules: HP-54, HP-56. What a thread has kept goes back when it ends, and in a child. */
static int look_in_child(void *arg)
{
	return is_empty(arg) && fill_and_free(arg) && is_empty(arg) &&
			       HeapDestroy(arg) ?
		       0 :
		       __LINE__;
}

TEST(ends_of_threads)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	struct keeper keeper[3];
	int i;

	for (i = 0; i < 3; i++) {
		keeper_start(&keeper[i]);
		keeper_let(&keeper[i], heap);
		sem_wait(&keeper[i].done);
	}
	EXPECT_TRUE(fill_and_free(heap));
	EXPECT_EQ(0, in_child(look_in_child, heap));
	EXPECT_TRUE(keeper_end(&keeper[0]));
	EXPECT_EQ(0, in_child(look_in_child, heap));
	for (i = 1; i < 3; i++)
		EXPECT_TRUE(keeper_end(&keeper[i]));
	EXPECT_TRUE(is_empty(heap));
	EXPECT_TRUE(HeapDestroy(heap));
}

/* Rules: HP-56, HP-58. Who has the lock waits for the end of a thread. */
TEST(end_beside_a_lock)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	struct keeper keeper[2];
	int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 2; i++) {
			keeper_start(&keeper[i]);
			keeper_let(&keeper[i], heap);
			sem_wait(&keeper[i].done);
		}
		ASSERT_TRUE(HeapLock(heap));
		EXPECT_TRUE(keeper_end(&keeper[0]));
		EXPECT_EQ(0, count_entries(heap, PROCESS_HEAP_ENTRY_BUSY));
		EXPECT_TRUE(HeapValidate(heap, 0, NULL));
		if (round == 1)
			EXPECT_EQ(0, in_child(look_in_child, heap));
		if (round == 2) {
			EXPECT_TRUE(HeapDestroy(heap));
			heap = HeapCreate(0, 0, 0);
		} else {
			ASSERT_TRUE(HeapUnlock(heap));
		}
		EXPECT_TRUE(keeper_end(&keeper[1]));
		EXPECT_TRUE(is_empty(heap));
	}
	EXPECT_TRUE(HeapDestroy(heap));
}

static void *lock_cancelled(void *heap)
{
	pthread_cancel(pthread_self());
	HeapLock(heap);
	HeapUnlock(heap);
	pthread_testcancel();
	return NULL;
}

/* In a sandbox that begins after threads keep blocks */
static int cancel_in_sandbox(void *unused)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	void *result;
	pthread_t thread;

	alarm(20);
	CHECK(fill_and_free(heap));
	CHECK(intercept(SYS_membarrier, 0, MEMBARRIER_CMD_PRIVATE_EXPEDITED,
			EPERM));
	CHECK(!pthread_create(&thread, NULL, lock_cancelled, heap));
	CHECK(!pthread_join(thread, &result) && result == PTHREAD_CANCELED);
	CHECK(HeapLock(heap) && HeapUnlock(heap));
	CHECK(is_empty(heap) && HeapDestroy(heap));
	return 0;
}

/* Rules: WT-24. Who is told to end as it waits for the others has let go of the lock. */
TEST(cancel_of_who_locks)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		SKIP(return, "no seccomp here");
	EXPECT_EQ(0, in_child(cancel_in_sandbox, NULL));
}

/* Rules: HP-56. More heaps than a thread has places to keep something */
TEST(many_heaps)
{
	HANDLE heaps[40];
	int i, round;

	for (i = 0; i < 40; i++) {
		heaps[i] = HeapCreate(0, 0, 0);
		ASSERT_NE(NULL, heaps[i]);
	}
	for (round = 0; round < 3; round++)
		for (i = 0; i < 40; i++)
			EXPECT_TRUE(fill_and_free(heaps[i]));
	for (i = 0; i < 40; i++) {
		EXPECT_TRUE(is_empty(heaps[i]));
		EXPECT_TRUE(HeapDestroy(heaps[i]));
	}
}

/* Rules: HP-44, HP-56. Threads go on while one looks at all that is there, again and again. */
static volatile bool looking_ends;

static void *use_until(void *heap)
{
	while (!looking_ends)
		if (!fill_and_free(heap))
			return heap;
	return NULL;
}

TEST(looks_beside_threads)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	PROCESS_HEAP_ENTRY entry;
	pthread_t threads[2];
	void *bad;
	int i, n;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, use_until,
					    heap));
	for (i = 0; i < rounds(heap_looks); i++) {
		EXPECT_TRUE(HeapValidate(heap, 0, NULL));
		ASSERT_TRUE(HeapLock(heap));
		entry.lpData = NULL;
		for (n = 0; HeapWalk(heap, &entry); n++)
			if (entry.wFlags == PROCESS_HEAP_ENTRY_BUSY)
				EXPECT_TRUE(HeapValidate(heap, 0,
							 entry.lpData));
		EXPECT_LE(3, n);
		EXPECT_TRUE(HeapUnlock(heap));
		if (i % 8 == 0)
			HeapCompact(heap, 0);
		if (i % 8 == 1)
			EXPECT_EQ(0, in_child(child_ends, NULL));
	}
	looking_ends = true;
	for (i = 0; i < 2; i++) {
		pthread_join(threads[i], &bad);
		EXPECT_EQ(NULL, bad);
	}
	EXPECT_TRUE(is_empty(heap));
	EXPECT_TRUE(HeapDestroy(heap));
}

/* ---- information ---- */

/* Rules: HP-48, HP-49, HP-50, HP-51 */
TEST_F(heap, information)
{
	bool alone = variant->flags & HEAP_NO_SERIALIZE;
	SIZE_T needed = 77;
	ULONG value[2] = { 9, 9 };

	EXPECT_FAILS(ERROR_NOACCESS, HeapQueryInformation(NULL, 0, value, 4,
							  &needed));
	EXPECT_EQ(0, needed);
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER,
		     HeapQueryInformation(self->heap, 0, NULL, 0, &needed));
	EXPECT_EQ(4, needed);
	EXPECT_TRUE(HeapQueryInformation(self->heap, 0, value, 8, &needed));
	EXPECT_EQ(4, needed);
	EXPECT_EQ(0, value[0]);
	EXPECT_EQ(9, value[1]);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     HeapQueryInformation(self->heap, 2, value, 8, &needed));
	value[0] = 2;
	if (alone) {
		EXPECT_FAILS(ERROR_GEN_FAILURE,
			     HeapSetInformation(self->heap, 0, value, 4));
		return;
	}
	EXPECT_TRUE(HeapSetInformation(self->heap, 0, value, 4));
	value[0] = 0;
	EXPECT_FAILS(ERROR_GEN_FAILURE,
		     HeapSetInformation(self->heap, 0, value, 4));
	EXPECT_TRUE(HeapQueryInformation(self->heap, 0, value, 4, NULL));
	EXPECT_EQ(2, value[0]);
}

/* Rules: HP-53, HP-54 */
TEST_F(heap, information_of_other_kinds)
{
	HEAP_OPTIMIZE_RESOURCES_INFORMATION optimize = { .Version = 1 };
	HANDLE heap = self->heap;
	ULONG value = 5;

	EXPECT_TRUE(HeapSetInformation(heap, HeapOptimizeResources, &optimize,
				       sizeof(optimize)));
	EXPECT_TRUE(HeapSetInformation(NULL, HeapOptimizeResources, &optimize,
				       sizeof(optimize)));
	optimize.Version = 2;
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     HeapSetInformation(heap, HeapOptimizeResources, &optimize,
					sizeof(optimize)));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     HeapSetInformation(NULL, HeapEnableTerminationOnCorruption,
					&value, sizeof(value)));
	EXPECT_TRUE(HeapQueryInformation(heap,
					 HeapEnableTerminationOnCorruption,
					 &value, sizeof(value), NULL));
	EXPECT_EQ(0, value);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     HeapSetInformation(heap, 99, &value, sizeof(value)));
}

/* ---- all heaps at once ---- */

static struct crew makers;

static void *make_and_destroy(void *unused)
{
	HANDLE heap;

	while (crew_goes_on(&makers)) {
		heap = HeapCreate(0, 0, 0);
		if (!heap || !HeapAlloc(heap, 0, 1000) || !HeapDestroy(heap))
			abort();
	}
	return NULL;
}

static bool optimize_all(void)
{
	HEAP_OPTIMIZE_RESOURCES_INFORMATION optimize = { .Version = 1 };

	return HeapSetInformation(NULL, HeapOptimizeResources, &optimize,
				  sizeof(optimize));
}

/* Rules: HP-11. */
TEST(optimized_while_heaps_end)
{
	long round, rounds = race_rounds(300);

	crew_add(&makers, make_and_destroy, NULL);
	crew_add(&makers, make_and_destroy, NULL);
	for (round = 0; round < rounds; round++)
		ASSERT_TRUE(optimize_all());
	crew_stop(&makers);
}

static SIZE_T reserved_by(HANDLE heap)
{
	HEAP_SUMMARY summary = { .cb = sizeof(summary) };

	return HeapSummary(heap, 0, &summary) ? summary.cbReserved : 0;
}

/* Rules: HP-11. However many there are */
TEST(optimized_are_all_heaps)
{
	HANDLE heaps[MANY_HEAPS];
	SIZE_T before;
	int i;

	for (i = 0; i < MANY_HEAPS; i++) {
		heaps[i] = HeapCreate(0, 0, 0);
		ASSERT_NE(NULL, heaps[i]);
	}
	before = reserved_by(heaps[MANY_HEAPS - 1]);
	ASSERT_TRUE(HeapFree(heaps[MANY_HEAPS - 1], 0,
			     HeapAlloc(heaps[MANY_HEAPS - 1], 0, MIB(1))));
	ASSERT_LT(before, reserved_by(heaps[MANY_HEAPS - 1]));
	ASSERT_TRUE(optimize_all());
	EXPECT_EQ(before, reserved_by(heaps[MANY_HEAPS - 1]));
	for (i = 0; i < MANY_HEAPS; i++)
		EXPECT_TRUE(HeapDestroy(heaps[i]));
}

static volatile int holds;

static void *hold_heap(void *heap)
{
	HeapLock(heap);
	holds = 1;
	while (holds == 1)
		Sleep(1);
	HeapUnlock(heap);
	return NULL;
}

/* Rules: HP-11. Who has called HeapLock() is not waited for. */
TEST_F(heap, optimized_while_one_is_locked)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, hold_heap, self->heap));
	while (!holds)
		Sleep(1);
	EXPECT_TRUE(optimize_all());
	holds = 2;
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

/* Rules: HP-54 */
TEST_F(heap, sums)
{
	HEAP_SUMMARY summary = { .cb = sizeof(summary) };
	char *block = HeapAlloc(self->heap, 0, 1000);

	ASSERT_NE(NULL, block);
	ASSERT_NE(NULL, HeapAlloc(self->heap, 0, LARGE));
	ASSERT_TRUE(HeapSummary(self->heap, 0, &summary));
	EXPECT_EQ(1000 + LARGE, summary.cbAllocated);
	EXPECT_LT(LARGE, summary.cbCommitted);
	EXPECT_LT(summary.cbCommitted, summary.cbReserved);
	EXPECT_EQ(summary.cbReserved, summary.cbMaxReserve);
	EXPECT_TRUE(HeapFree(self->heap, 0, block));
	ASSERT_TRUE(HeapSummary(self->heap, 0, &summary));
	EXPECT_EQ(LARGE, summary.cbAllocated);
	summary.cb = 8;
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     HeapSummary(self->heap, 0, &summary));
}

/* ---- what is freed goes back ---- */

/* Rules: HP-54. From the end, in whole regions, and in large blocks */
TEST_F(heap, charge_falls)
{
	static char *blocks[100000];
	SIZE_T before = charge();
	int i;

	for (i = 0; i < 100000; i++) {
		blocks[i] = HeapAlloc(self->heap, 0, 200);
		ASSERT_NE(NULL, blocks[i]);
		blocks[i][0] = 1;
	}
	EXPECT_LT(before + 100000 * 200, charge());
	for (i = 0; i < 100000; i++)
		ASSERT_TRUE(HeapFree(self->heap, 0, blocks[i]));
	EXPECT_GE(before + MIB(4), charge());
	HeapCompact(self->heap, 0);
	EXPECT_GE(before + MIB(2), charge());
	EXPECT_TRUE(HeapValidate(self->heap, 0, NULL));
	before = charge();
	blocks[0] = HeapAlloc(self->heap, 0, MIB(32));
	ASSERT_NE(NULL, blocks[0]);
	EXPECT_LE(before + MIB(32), charge());
	EXPECT_TRUE(HeapFree(self->heap, 0, blocks[0]));
	EXPECT_GE(before + UNIT, charge());
}

/* Blocks of several regions, but for large ones */
#define PIECE KIB(256)
#define PIECES 48

/* Where the next region begins: at a block that is not behind the one before */
static int next_region(char *const blocks[PIECES], int i)
{
	for (i++; i < PIECES; i++)
		if (blocks[i] - blocks[i - 1] != blocks[1] - blocks[0])
			return i;
	return 0;
}

/* All blocks of a region go, after @nr others */
static int free_region(HANDLE heap, long nr)
{
	char *blocks[PIECES];
	int i, from, to;

	for (i = 0; i < PIECES; i++) {
		blocks[i] = HeapAlloc(heap, 0, PIECE);
		CHECK(blocks[i]);
	}
	from = next_region(blocks, 0);
	to = next_region(blocks, from);
	CHECK(from && to && next_region(blocks, to));
	for (i = from; i < to - 1; i++)
		CHECK(HeapFree(heap, 0, blocks[i]));
	while (nr--)
		CHECK(HeapFree(heap, 0, HeapAlloc(heap, 0, 5000)));
	CHECK(HeapFree(heap, 0, blocks[i]));
	CHECK(!try_read(blocks[from]));
	CHECK(HeapValidate(heap, 0, NULL));
	return 0;
}

/*
 * Rules: HP-54. A region goes with its last block, also if the allocator finds that out by
 * itself, for which it looks after so many have been freed.
 */
TEST(region_goes_by_itself)
{
	int failed = 0;
	HANDLE heap;
	long nr;

	for (nr = 4060; nr < 4100 && !failed; nr++) {
		heap = HeapCreate(0, 0, 0);
		failed = free_region(heap, nr);
		EXPECT_TRUE(HeapDestroy(heap));
	}
	EXPECT_EQ(0, failed);
}

#define NEARLY (LARGE * 3 / 4)

/* Rules: HP-30, HP-34, HP-54. What a large block had is for the next one, and nobody's. */
TEST_F(heap, large_is_kept)
{
	HEAP_SUMMARY summary = { .cb = sizeof(summary) };
	SIZE_T before = charge();
	char *block = HeapAlloc(self->heap, 0, NEARLY);
	SIZE_T with = charge();
	char *other;

	ASSERT_NE(NULL, block);
	memset(block, 9, NEARLY);
	EXPECT_TRUE(HeapFree(self->heap, 0, block));
	EXPECT_EQ(with, charge());
	NOT_FREED(self->heap, block);
	EXPECT_FALSE(HeapValidate(self->heap, 0, block));
	EXPECT_TRUE(HeapValidate(self->heap, 0, NULL));
	EXPECT_EQ(0, entry_of(self->heap, block).cbData);
	ASSERT_TRUE(HeapSummary(self->heap, 0, &summary));
	EXPECT_EQ(0, summary.cbAllocated);
	EXPECT_LT(NEARLY, summary.cbCommitted);

	other = HeapAlloc(self->heap, 0, NEARLY - 2 * PAGE - 1);
	EXPECT_EQ(block, other);
	EXPECT_EQ(with, charge());
	EXPECT_EQ(NEARLY - 2 * PAGE - 1, HeapSize(self->heap, 0, other));
	EXPECT_TRUE(HeapValidate(self->heap, 0, other));
	other[NEARLY - 2 * PAGE - 1] ^= 1;
	EXPECT_FALSE(HeapValidate(self->heap, 0, other));
	other[NEARLY - 2 * PAGE - 1] ^= 1;
	EXPECT_TRUE(HeapFree(self->heap, 0, other));
	HeapCompact(self->heap, 0);
	EXPECT_GE(before + UNIT, charge());
	EXPECT_FALSE(try_read(block));
}

/* Rules: HP-23, HP-54 */
TEST_F(heap, large_of_zeros)
{
	char *block = HeapAlloc(self->heap, 0, NEARLY);

	ASSERT_NE(NULL, block);
	memset(block, 9, NEARLY);
	EXPECT_TRUE(HeapFree(self->heap, 0, block));
	block = HeapAlloc(self->heap, HEAP_ZERO_MEMORY, NEARLY);
	ASSERT_NE(NULL, block);
	EXPECT_TRUE(all_bytes(block, NEARLY, 0));
}

/* Rules: HP-54. Half as much as is in use, or about a block */
TEST_F(heap, few_large_are_kept)
{
	char *blocks[24];
	SIZE_T before = charge();
	SIZE_T used;
	int i;

	for (i = 0; i < 24; i++) {
		blocks[i] = HeapAlloc(self->heap, 0, NEARLY + i);
		ASSERT_NE(NULL, blocks[i]);
	}
	used = charge() - before;
	for (i = 0; i < 8; i++)
		ASSERT_TRUE(HeapFree(self->heap, 0, blocks[i]));
	EXPECT_GE(before + used + UNIT, charge());
	EXPECT_LE(before + used, charge());
	for (; i < 16; i++)
		ASSERT_TRUE(HeapFree(self->heap, 0, blocks[i]));
	/* Tables that say where heaps are stay. */
	EXPECT_GE(before + used / 2 + UNIT, charge());
	EXPECT_LT(before + used / 3, charge());
	for (; i < 24; i++)
		ASSERT_TRUE(HeapFree(self->heap, 0, blocks[i]));
	EXPECT_GE(before + LARGE, charge());
	EXPECT_LT(before, charge());
}

/* Rules: HP-54. Pages that the program has changed are not for another block. */
TEST_F(heap, changed_is_not_kept)
{
	SIZE_T before = charge();
	char *block = HeapAlloc(self->heap, 0, NEARLY);
	DWORD old;

	ASSERT_NE(NULL, block);
	ASSERT_TRUE(VirtualProtect(block + UNIT, PAGE, PAGE_READONLY, &old));
	EXPECT_TRUE(HeapFree(self->heap, 0, block));
	EXPECT_GE(before + UNIT, charge());
	block = HeapAlloc(self->heap, 0, NEARLY);
	ASSERT_NE(NULL, block);
	memset(block, 9, NEARLY);
	ASSERT_TRUE(VirtualLock(block + UNIT, PAGE));
	EXPECT_TRUE(HeapFree(self->heap, 0, block));
	EXPECT_GE(before + UNIT, charge());
	/* What has become small is for no large one. */
	block = HeapAlloc(self->heap, 0, NEARLY);
	ASSERT_NE(NULL, block);
	ASSERT_EQ(block, HeapReAlloc(self->heap, HEAP_REALLOC_IN_PLACE_ONLY,
				     block, PAGE));
	EXPECT_TRUE(HeapFree(self->heap, 0, block));
	EXPECT_FALSE(try_read(block));
}

static size_t address_space(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file && fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * PAGE;
}

/* What is kept is given up before there is no memory. */
static int short_of_space(void *unused)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	struct rlimit limit = { .rlim_max = RLIM_INFINITY };
	char *blocks[24];
	int i;

	for (i = 0; i < 24; i++)
		CHECK((blocks[i] = HeapAlloc(heap, 0, NEARLY)) != NULL);
	for (i = 0; i < 8; i++)
		CHECK(HeapFree(heap, 0, blocks[i]));
	CHECK(!getrlimit(RLIMIT_AS, &limit));
	limit.rlim_cur = address_space() + MIB(1);
	CHECK(!setrlimit(RLIMIT_AS, &limit));
	CHECK(HeapAlloc(heap, HEAP_ZERO_MEMORY, MIB(8)));
	/* Now there is none. */
	CHECK(!HeapAlloc(heap, 0, MIB(8)));
	return 0;
}

/* Rules: HP-54 */
TEST(kept_is_given_up)
{
	EXPECT_EQ(0, in_child(short_of_space, NULL));
}

/* For malloc() and its kind */
void *wr_heap_alloc_aligned(HANDLE heap, SIZE_T size, SIZE_T align);

static int aligned_too_large(void *unused)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	struct rlimit limit = { .rlim_max = RLIM_INFINITY };
	SIZE_T before;
	int i;

	for (i = 0; i < 40; i++)
		CHECK(HeapAlloc(heap, 0, KIB(400)));
	CHECK(!getrlimit(RLIMIT_AS, &limit));
	limit.rlim_cur = address_space() + MIB(1);
	CHECK(!setrlimit(RLIMIT_AS, &limit));
	before = charge();
	CHECK(!wr_heap_alloc_aligned(heap, MIB(100), PAGE));
	/* What would say where blocks begin stays. */
	CHECK(charge() < before + MIB(1));
	CHECK(HeapValidate(heap, 0, NULL));
	return 0;
}

/* Rules: HP-54. What there is no memory for has none committed. */
TEST(nothing_for_what_fails)
{
	EXPECT_EQ(0, in_child(aligned_too_large, NULL));
}

static int use_freed(void *unused)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *block = HeapAlloc(heap, 0, NEARLY);

	if (!block || !HeapFree(heap, 0, block) || !try_read(block))
		return __LINE__;
	block = HeapAlloc(heap, 0, NEARLY);
	if (!block ||
	    !HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL,
				0) ||
	    !HeapFree(heap, 0, block))
		return __LINE__;
	return try_read(block) ? __LINE__ : 0;
}

/* Rules: HP-53, HP-54. Who looks for what is broken is shown what uses a freed block. */
TEST(none_is_kept_for_who_looks)
{
	EXPECT_EQ(0, in_child(use_freed, NULL));
}

/*
 * Rules: HP-54, HP-56. What threads keep where few blocks have been left of many is not in
 * the way once the last ones go.
 */
TEST(few_of_many)
{
	static char *blocks[100000];
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T before = charge();
	char *block;
	int i;

	for (i = 0; i < 100000; i++) {
		blocks[i] = HeapAlloc(heap, 0, 16 + i % 200);
		ASSERT_NE(NULL, blocks[i]);
	}
	EXPECT_LT(before + MIB(10), charge());
	for (i = 0; i < 100000; i++)
		if (i % 500)
			ASSERT_TRUE(HeapFree(heap, 0, blocks[i]));
	for (i = 0; i < 10000; i++) {
		block = HeapAlloc(heap, 0, 16 + i % 200);
		ASSERT_NE(NULL, block);
		ASSERT_TRUE(HeapFree(heap, 0, block));
	}
	for (i = 0; i < 100000; i += 500)
		ASSERT_TRUE(HeapFree(heap, 0, blocks[i]));
	EXPECT_GE(before + MIB(4), charge());
	EXPECT_TRUE(HeapValidate(heap, 0, NULL));
	EXPECT_TRUE(HeapDestroy(heap));
}

/* How many whole pages of a range are in memory */
static unsigned int in_memory(const char *at, size_t size)
{
	PSAPI_WORKING_SET_EX_INFORMATION info[256];
	unsigned int n = 0, nr = size / PAGE, i;

	for (i = 0; i < nr; i++)
		info[i].VirtualAddress = (char *)at + i * PAGE;
	if (nr > ARRAY_SIZE(info) ||
	    !QueryWorkingSetEx(GetCurrentProcess(), info, nr * sizeof(*info)))
		abort();
	for (i = 0; i < nr; i++)
		n += info[i].VirtualAttributes.Valid;
	return n;
}

/* Rules: HP-54. Pages between blocks go back, too, when they are asked for. */
TEST_F(heap, compact)
{
	char *hole = HeapAlloc(self->heap, 0, 800000);
	char *wall = HeapAlloc(self->heap, 0, 100);

	ASSERT_TRUE(hole && wall);
	memset(hole, 1, 800000);
	fill(wall, 100);
	ASSERT_TRUE(HeapFree(self->heap, 0, hole));
	EXPECT_LT(190, in_memory(hole, 800000));
	EXPECT_LE(800000, HeapCompact(self->heap, 0));
	/* Pages that can be executed are not discarded. */
	if (!(variant->flags & HEAP_CREATE_ENABLE_EXECUTE))
		EXPECT_GT(100, in_memory(hole, 800000));
	EXPECT_TRUE(HeapValidate(self->heap, 0, NULL));
	EXPECT_TRUE(is_filled(wall, 100));
	EXPECT_EQ(hole, HeapAlloc(self->heap, 0, 800000));
	memset(hole, 2, 800000);
}

/* ---- at random ---- */

struct known {
	unsigned char *block;
	uint32_t size;
	unsigned char byte;
};

/* What the block is to be, from here on */
static void know(struct known *known, void *block, uint32_t size, int byte)
{
	*known = (struct known){ block, size, byte };
	memset(block, byte, size);
}

static bool is_known(HANDLE heap, const struct known *known)
{
	return HeapSize(heap, 0, known->block) == known->size &&
	       all_bytes(known->block, known->size, known->byte);
}

static bool change(HANDLE heap, struct known *known, uint64_t *seed)
{
	uint32_t size = race_random(seed, 1 << race_random(seed, 22));
	uint32_t common = size;
	void *block;

	if (known->block && !is_known(heap, known))
		return false;
	if (known->block && race_random(seed, 3)) {
		block = known->block;
		known->block = NULL;
		return HeapFree(heap, 0, block);
	}
	if (known->block)
		block = HeapReAlloc(heap, 0, known->block, size);
	else
		block = HeapAlloc(heap, 0, size);
	if (size > known->size)
		common = known->size;
	if (!block || (known->block && !all_bytes(block, common, known->byte)))
		return false;
	know(known, block, size, race_random(seed, 256));
	return true;
}

/* Rules: HP-20, HP-31, HP-32. No two blocks share a byte, whatever is done in between. */
TEST_F(heap, random)
{
	static struct known known[300];
	uint64_t seed = 7 + variant->flags;
	long n = rounds(heap_random);
	int i;

	memset(known, 0, sizeof(known));
	for (i = 0; i < n; i++) {
		ASSERT_TRUE(change(self->heap, &known[race_random(&seed, 300)],
				   &seed));
		if (!(i % 500))
			ASSERT_TRUE(HeapValidate(self->heap, 0, NULL));
	}
}

/* ---- names of ntdll ---- */

/* Rules: HP-55 */
TEST(names_of_ntdll)
{
	PVOID heap = RtlCreateHeap(HEAP_GROWABLE, NULL, 0, 0, NULL, NULL);
	PVOID fixed = RtlCreateHeap(0, NULL, FIXED, PAGE, NULL, NULL);
	char *block;

	ASSERT_TRUE(heap && fixed);
	EXPECT_EQ(NULL, RtlAllocateHeap(fixed, 0, LARGE));
	EXPECT_EQ(NULL, RtlCreateHeap(0, ARENA, 0, 0, NULL, NULL));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	block = RtlAllocateHeap(heap, HEAP_ZERO_MEMORY, 50);
	ASSERT_NE(NULL, block);
	EXPECT_TRUE(all_bytes(block, 50, 0));
	EXPECT_EQ(50, RtlSizeHeap(heap, 0, block));
	block = RtlReAllocateHeap(heap, 0, block, 60);
	ASSERT_NE(NULL, block);
	EXPECT_TRUE(RtlValidateHeap(heap, 0, block));
	EXPECT_TRUE(RtlLockHeap(heap));
	EXPECT_TRUE(RtlUnlockHeap(heap));
	EXPECT_LT(0, RtlCompactHeap(heap, 0));
	EXPECT_TRUE(RtlFreeHeap(heap, 0, block));
	EXPECT_FALSE(RtlFreeHeap(heap, 0, block));
	EXPECT_EQ(NULL, RtlDestroyHeap(fixed));
	EXPECT_EQ(NULL, RtlDestroyHeap(heap));
	EXPECT_EQ(heap, RtlDestroyHeap(heap));
}

static SIZE_T most_of(SIZE_T reserve, SIZE_T commit)
{
	PVOID heap = RtlCreateHeap(0, NULL, reserve, commit, NULL, NULL);
	HEAP_SUMMARY summary = { .cb = sizeof(summary) };

	if (!heap || !HeapSummary(heap, 0, &summary) || RtlDestroyHeap(heap))
		return 0;
	return summary.cbMaxReserve;
}

/* Rules: HP-10 */
TEST(what_ntdll_reserves)
{
	EXPECT_EQ(64 * PAGE, most_of(0, 0));
	EXPECT_EQ(32 * PAGE, most_of(0, 32 * PAGE));
	EXPECT_EQ(48 * PAGE, most_of(0, 32 * PAGE + 1));
	EXPECT_EQ(16 * PAGE, most_of(16 * PAGE, 32 * PAGE));
	EXPECT_EQ(17 * PAGE, most_of(17 * PAGE, 0));
	EXPECT_EQ(0, most_of(0, SIZE_MAX));
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
}

TEST_HARNESS_MAIN
