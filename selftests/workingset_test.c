// SPDX-License-Identifier: GPL-2.0
/* vm: cpus=2 */
/*
 * The working set: which pages are in it, by QueryWorkingSetEx() and QueryWorkingSet(),
 * and how they leave it.
 */
#include "kselftest_harness.h"

#include <winregion/memoryapi.h>
#include <winregion/psapi.h>

#include "region_fixture.h"
#include "wr_test_util.h"
#include "race.h"
#include "rounds.h"

static PSAPI_WORKING_SET_EX_BLOCK block_of(const volatile void *address)
{
	PSAPI_WORKING_SET_EX_INFORMATION info = {
		.VirtualAddress = (void *)address,
		.VirtualAttributes.Flags = POISON,
	};

	if (!QueryWorkingSetEx(GetCurrentProcess(), &info, sizeof(info)))
		abort();
	return info.VirtualAttributes;
}

static bool is_valid(const volatile void *address)
{
	return block_of(address).Valid;
}

/* Valid, and for this process alone */
static bool is_private(const volatile void *address, DWORD protection)
{
	PSAPI_WORKING_SET_EX_BLOCK block = block_of(address);

	return block.Valid && block.Win32Protection == protection &&
	       !block.Shared && !block.ShareCount && !block.LargePage &&
	       !block.Locked && !block.Bad;
}

static bool is_shared(const volatile void *address, DWORD protection,
		      unsigned int count)
{
	PSAPI_WORKING_SET_EX_BLOCK block = block_of(address);

	return block.Valid && block.Win32Protection == protection &&
	       block.Shared && block.ShareCount == count;
}

static bool empty(void)
{
	return EmptyWorkingSet(GetCurrentProcess());
}

/* Rules: QW-01, QW-02 */
TEST_F(region, lengths)
{
	PSAPI_WORKING_SET_EX_INFORMATION info[2] = {
		{ .VirtualAddress = self->base },
		{ .VirtualAttributes.Flags = POISON },
	};
	HANDLE process = GetCurrentProcess();

	EXPECT_FAILS(ERROR_BAD_LENGTH, QueryWorkingSetEx(process, info, 0));
	EXPECT_FAILS(ERROR_BAD_LENGTH, QueryWorkingSetEx(process, info, 15));
	EXPECT_FAILS(ERROR_NOACCESS,
		     QueryWorkingSetEx(process, self->base, 16));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, QueryWorkingSetEx(NULL, info, 16));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     K32QueryWorkingSetEx(NULL, info, 16));
	info[0].VirtualAttributes.Flags = POISON;
	EXPECT_TRUE(K32QueryWorkingSetEx(process, info, 16 + 15));
	EXPECT_EQ(0, info[0].VirtualAttributes.Flags);
	EXPECT_EQ(POISON, info[1].VirtualAttributes.Flags);
}

/* Rules: QW-03, QW-04, QW-09 */
TEST_F(region, touched)
{
	volatile char *page = self->base;

	EXPECT_EQ(0, block_of(page).Flags);
	COMMIT(0, 4 * PAGE, PAGE_READWRITE);
	EXPECT_EQ(0, block_of(page).Flags);
	(void)*page;
	EXPECT_TRUE(is_private(page, PAGE_READWRITE));
	EXPECT_TRUE(is_private(page + 4095, PAGE_READWRITE));
	page[3 * PAGE] = 1;
	EXPECT_TRUE(is_private(page + 3 * PAGE, PAGE_READWRITE));
	DECOMMIT(0, 4 * PAGE);
	EXPECT_EQ(0, block_of(page).Flags);
}

/* Rules: QW-05, QW-06 */
TEST_F(region, protections)
{
	DWORD code = code_or(PAGE_EXECUTE_READ, PAGE_READONLY), old;
	volatile char *page = self->base;

	COMMIT(0, 4 * PAGE, PAGE_READWRITE);
	*page = 1;
	EXPECT_TRUE(VirtualProtect(self->base, PAGE, PAGE_NOACCESS, &old));
	EXPECT_FALSE(is_valid(page));
	EXPECT_TRUE(VirtualProtect(self->base, PAGE, PAGE_READWRITE, &old));
	EXPECT_FALSE(is_valid(page));
	EXPECT_EQ(1, *page);
	EXPECT_TRUE(is_private(page, PAGE_READWRITE));
	EXPECT_TRUE(VirtualProtect(self->base, PAGE, PAGE_READONLY, &old));
	(void)*page;
	EXPECT_TRUE(is_private(page, PAGE_READONLY));
	COMMIT(PAGE, PAGE, code);
	(void)page[PAGE];
	EXPECT_TRUE(is_private(page + PAGE, code));
	EXPECT_TRUE(is_private(page, PAGE_READONLY));
	COMMIT(2 * PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD);
	EXPECT_FALSE(is_valid(page + 2 * PAGE));
}

static int untouched;

/* Rules: QW-07. And memory that is nobody's region */
TEST(other_memory)
{
	char *other = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(0, block_of(NULL).Flags);
	EXPECT_EQ(0, block_of(ARENA).Flags);
	EXPECT_EQ(0, block_of(KERNEL_ADDRESS).Flags);
	EXPECT_FALSE(is_valid(other));
	*other = 1;
	*shared = 1;
	untouched = 1;
	EXPECT_TRUE(is_private(other, PAGE_READWRITE));
	EXPECT_FALSE(is_valid(other + PAGE));
	EXPECT_TRUE(is_private(&other, PAGE_READWRITE));
	EXPECT_TRUE(block_of((void *)QueryWorkingSetEx).Win32Protection ==
		    PAGE_EXECUTE_READ);
	EXPECT_TRUE(is_valid(shared));
	ASSERT_EQ(0, mlock(other, PAGE));
	EXPECT_TRUE(block_of(other).Locked == 1);
	EXPECT_TRUE(!block_of(&other).Locked);
	munmap(other, 4 * PAGE);
	munmap(shared, PAGE);
}

/* What smaps counts in the mapping of @address */
static long kilobytes_of(void *address)
{
	struct vma vma = { 0 };
	char key[32];

	if (!find_vma(address, &vma))
		return -1;
	snprintf(key, sizeof(key), "%lx-%lx ", vma.start, vma.end);
	return field_of(read_from("/proc/self/smaps", key), "\nRss:");
}

/* Rules: WS-01, WS-06, WS-08 */
TEST_F(region, emptied)
{
	HANDLE process = GetCurrentProcess();

	COMMIT(0, UNIT, PAGE_READWRITE);
	fill_pages(self->base, 16, 5);
	EXPECT_LE(UNIT / 1024, kilobytes_of(self->base));
	EXPECT_TRUE(empty());
	EXPECT_FALSE(is_valid(self->base) || is_valid(self->base + 15 * PAGE));
	EXPECT_EQ(0, kilobytes_of(self->base));
	EXPECT_TRUE(pages_have(self->base, 16, 5));
	EXPECT_TRUE(is_valid(self->base));
	EXPECT_TRUE(SetProcessWorkingSetSize(process, -1, -1));
	EXPECT_FALSE(is_valid(self->base));
	EXPECT_TRUE(pages_have(self->base, 16, 5));
	EXPECT_TRUE(K32EmptyWorkingSet(process));
	EXPECT_FALSE(is_valid(self->base));
	EXPECT_TRUE(pages_have(self->base, 16, 5));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, EmptyWorkingSet(NULL));
	EXPECT_TRUE(is_valid(self->base));
}

/* The function that is there, if there is code at all */
static bool function_works(char *base)
{
	return code_is_refused() || call_function(base) == 42;
}

/* Rules: WS-08. Where a page is executed, read only, shared with a child */
TEST(emptied_of_all_kinds)
{
	char *base = VirtualAlloc(NULL, MIB(4), MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);
	struct rendezvous rv;
	int status;
	DWORD old;
	pid_t pid;

	fill_pages(base, MIB(4) / PAGE, 3);
	write_function(base, 42);
	EXPECT_TRUE(VirtualProtect(base, PAGE,
				   code_or(PAGE_EXECUTE_READ, PAGE_READONLY),
				   &old));
	EXPECT_TRUE(VirtualProtect(base + PAGE, PAGE, PAGE_READONLY, &old));
	EXPECT_TRUE(function_works(base));
	ASSERT_TRUE(rendezvous_init(&rv));
	pid = fork();
	if (!pid) {
		rendezvous_wait(&rv, 1);
		if (!empty() ||
		    !pages_have(base + PAGE, MIB(4) / PAGE - 1, 4))
			_exit(1);
		fill_pages(base + MIB(2), 16, 7);
		_exit(!function_works(base));
	}
	EXPECT_TRUE(pages_have(base + PAGE, MIB(4) / PAGE - 1, 4));
	EXPECT_TRUE(empty());
	EXPECT_FALSE(is_valid(base) || is_valid(base + MIB(3)));
	rendezvous_signal(&rv, 0);
	EXPECT_TRUE(function_works(base));
	EXPECT_FALSE(try_write(base) || try_write(base + PAGE));
	EXPECT_TRUE(pages_have(base + PAGE, MIB(4) / PAGE - 1, 4));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: QW-04. Of views: they are shared, but for what is copied */
TEST(views)
{
	HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
					    PAGE_READWRITE, 0, UNIT, NULL);
	volatile char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	volatile char *copy = MapViewOfFile(section, FILE_MAP_COPY, 0, 0, 0);
	volatile char *twin = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);

	ASSERT_TRUE(view && copy && twin);
	EXPECT_TRUE(!is_valid(view) && block_of(view).Shared);
	*view = 1;
	EXPECT_TRUE(is_shared(view, PAGE_READWRITE, 1));
	EXPECT_EQ(1, *twin);
	EXPECT_TRUE(is_shared(view, PAGE_READWRITE, 2));
	EXPECT_TRUE(is_shared(twin, PAGE_READONLY, 2));
	EXPECT_EQ(1, *copy);
	EXPECT_TRUE(is_shared(copy, PAGE_WRITECOPY, 2));
	*copy = 2;
	EXPECT_TRUE(is_private(copy, PAGE_READWRITE));
	EXPECT_TRUE(empty());
	EXPECT_FALSE(is_valid(view) || is_valid(copy) || is_valid(twin));
	EXPECT_EQ(2, *copy);
	EXPECT_EQ(1, *view);
	EXPECT_TRUE(is_private(copy, PAGE_READWRITE));
	EXPECT_TRUE(UnmapViewOfFile((void *)view));
	EXPECT_TRUE(UnmapViewOfFile((void *)copy));
	EXPECT_TRUE(UnmapViewOfFile((void *)twin));
	CloseHandle(section);
}

#define MANY 1300
#define REGION_PAGES 1200

/* Touched or not, locked or not, read only or not; and other memory of the test's */
static char *motley_region(void)
{
	char *base = VirtualAlloc(NULL, PAGES(REGION_PAGES),
				  MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	unsigned int i;
	DWORD old;

	for (i = 0; base && i < REGION_PAGES; i += 1 + i % 3)
		base[PAGES(i)] = 1;
	if (!base || !VirtualLock(base + PAGES(100), PAGES(7)) ||
	    !VirtualLock(base + PAGES(600), PAGES(520)) ||
	    !VirtualProtect(base + PAGES(50), PAGES(90), PAGE_READONLY, &old) ||
	    !VirtualProtect(base + PAGES(900), PAGE, PAGE_NOACCESS, &old) ||
	    !VirtualFree(base + PAGES(300), PAGES(20), MEM_DECOMMIT))
		return NULL;
	/* Some of these calls have unmapped them. */
	for (i = 0; i < REGION_PAGES; i += 1 + i % 3)
		try_read(base + PAGES(i));
	return base;
}

/* Rules: QW-03, QW-04, QW-05, QW-07, QW-09. Each page is as if it were asked for alone. */
TEST(many_at_once)
{
	static PSAPI_WORKING_SET_EX_INFORMATION info[MANY];
	char *base = motley_region(), *other;
	unsigned int i, k, valid = 0, locked = 0;

	ASSERT_NE(NULL, base);
	other = mmap(NULL, PAGES(4), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_EQ(0, mlock(other, PAGE));
	for (k = 1; k < 8; k += 6) {
		for (i = 0; i < MANY; i++)
			info[i].VirtualAddress =
				base - PAGES(20) + PAGES(i * k % MANY) + i;
		info[700].VirtualAddress = other;
		info[701].VirtualAddress = other + PAGE;
		info[702].VirtualAddress = KERNEL_ADDRESS;
		info[703].VirtualAddress = (char *)-1;
		info[704].VirtualAddress = NULL;
		ASSERT_TRUE(QueryWorkingSetEx(GetCurrentProcess(), info,
					      sizeof(info)));
		for (i = 0; i < MANY; i++) {
			EXPECT_EQ(block_of(info[i].VirtualAddress).Flags,
				  info[i].VirtualAttributes.Flags);
			valid += info[i].VirtualAttributes.Valid;
			locked += info[i].VirtualAttributes.Locked;
		}
	}
	EXPECT_LT(1000, valid);
	EXPECT_LT(500, locked);
	EXPECT_LT(locked, valid);
	munmap(other, PAGES(4));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* ---- all of it ---- */

#define MAX_ENTRIES 100000

static struct {
	ULONG_PTR count;
	PSAPI_WORKING_SET_BLOCK blocks[MAX_ENTRIES];
} all;

static unsigned int entries_in(const void *base, size_t size,
			       unsigned int protection)
{
	unsigned long first = (uintptr_t)base / PAGE, n = 0, i;

	for (i = 0; i < all.count; i++)
		n += all.blocks[i].VirtualPage >= first &&
		     all.blocks[i].VirtualPage < first + size / PAGE &&
		     all.blocks[i].Protection == protection;
	return n;
}

/* Rules: QW-11 */
TEST_F(region, buffer_with_a_hole)
{
	HANDLE process = GetCurrentProcess();
	DWORD old;

	COMMIT(0, 12 * PAGE, PAGE_READWRITE);
	EXPECT_TRUE(VirtualProtect(self->base + 4 * PAGE, PAGE, PAGE_READONLY,
				   &old));
	EXPECT_FAILS(ERROR_NOACCESS,
		     QueryWorkingSetEx(process, self->base, 12 * PAGE));
	EXPECT_FAILS(ERROR_NOACCESS,
		     QueryWorkingSet(process, self->base, 12 * PAGE));
	EXPECT_TRUE(QueryWorkingSetEx(process, self->base, 4 * PAGE));
}

/* What it finds is what smaps counts. */
TEST_F(region, all_pages)
{
	HANDLE process = GetCurrentProcess();
	DWORD old;
	int64_t rss;

	COMMIT(0, 12 * PAGE, PAGE_READWRITE);
	small_pages_only();
	fill_pages(self->base, 12, 1);
	EXPECT_TRUE(VirtualProtect(self->base, 3 * PAGE, PAGE_READONLY, &old));
	EXPECT_TRUE(pages_have(self->base, 12, 1));
	memset(&all, 0, sizeof(all));
	EXPECT_TRUE(QueryWorkingSet(process, &all, sizeof(all)));
	rss = read_proc_field("/proc/self/smaps_rollup", "Rss");
	EXPECT_EQ(3, entries_in(self->base, UNIT, 1));
	EXPECT_EQ(9, entries_in(self->base, UNIT, 4));
	EXPECT_EQ(0, entries_in(self->base + 12 * PAGE, UNIT - 12 * PAGE, 4));
	/* The query needs some memory itself. */
	EXPECT_GE(64 * PAGE, (uint64_t)llabs(rss - (int64_t)(all.count * PAGE)));
	EXPECT_FAILS(ERROR_BAD_LENGTH, QueryWorkingSet(process, &all, 8));
	EXPECT_FAILS(ERROR_BAD_LENGTH, K32QueryWorkingSet(process, &all, 64));
	EXPECT_LT(100, all.count);
	EXPECT_FAILS(ERROR_INVALID_HANDLE, QueryWorkingSet(NULL, &all, 64));
}

/* A region of a terabyte takes no longer than what of it is there. */
TEST(sparse)
{
	char *base = VirtualAlloc(NULL, TIB(1), MEM_RESERVE, PAGE_READWRITE);
	unsigned int i;

	ASSERT_NE(NULL, base);
	for (i = 0; i < 3; i++)
		*(char *)VirtualAlloc(base + i * MIB(100), PAGE, MEM_COMMIT,
				      PAGE_READWRITE) = 1;
	EXPECT_TRUE(QueryWorkingSet(GetCurrentProcess(), &all, sizeof(all)));
	EXPECT_EQ(3, entries_in(base, TIB(1), 4));
	EXPECT_TRUE(empty());
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* ---- limits ---- */

static bool limits_are(SIZE_T min, SIZE_T max, DWORD flags)
{
	SIZE_T is_min = 0, is_max = 0;
	DWORD is_flags = 0;

	return GetProcessWorkingSetSizeEx(GetCurrentProcess(), &is_min, &is_max,
					  &is_flags) &&
	       is_min == min && is_max == max && is_flags == flags;
}

/* Rules: WS-02, WS-03, WS-04, WS-05 */
TEST(limits)
{
	HANDLE process = GetCurrentProcess();
	SIZE_T min, max;

	EXPECT_TRUE(limits_are(50 * PAGE, 345 * PAGE, 2 | 8));
	EXPECT_TRUE(SetProcessWorkingSetSize(process, PAGE, 1000 * PAGE));
	EXPECT_TRUE(limits_are(20 * PAGE, 1000 * PAGE, 2 | 8));
	EXPECT_TRUE(GetProcessWorkingSetSize(process, &min, &max));
	EXPECT_TRUE(min == 20 * PAGE && max == 1000 * PAGE);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SetProcessWorkingSetSize(process, 50 * PAGE, 49 * PAGE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SetProcessWorkingSetSize(process, PAGE, 12 * PAGE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SetProcessWorkingSetSize(process, 0, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SetProcessWorkingSetSize(process, PAGE, -1));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SetProcessWorkingSetSizeEx(process, PAGE, MIB(1), 1 | 2));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SetProcessWorkingSetSizeEx(process, PAGE, MIB(1), 4 | 8));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SetProcessWorkingSetSizeEx(process, PAGE, MIB(1), 16));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     SetProcessWorkingSetSize(NULL, MIB(1), MIB(2)));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     GetProcessWorkingSetSize(NULL, &min, &max));
	EXPECT_FAILS(ERROR_NOACCESS,
		     GetProcessWorkingSetSize(process, NULL, &max));
	EXPECT_TRUE(limits_are(20 * PAGE, 1000 * PAGE, 2 | 8));
	EXPECT_TRUE(SetProcessWorkingSetSizeEx(process, MIB(1), MIB(2), 1));
	EXPECT_TRUE(limits_are(MIB(1), MIB(2), 1 | 8));
	EXPECT_TRUE(SetProcessWorkingSetSizeEx(process, MIB(1), MIB(2), 4));
	EXPECT_TRUE(limits_are(MIB(1), MIB(2), 1 | 4));
}

/* Rules: WS-08, WS-10. Once: what is touched then is in it again, hard maximum or not. */
TEST(maximum_below_what_is_there)
{
	HANDLE process = GetCurrentProcess();
	char *base = VirtualAlloc(NULL, MIB(16), MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);
	char *last = base + MIB(16) - PAGE;

	ASSERT_NE(NULL, base);
	fill_pages(base, MIB(16) / PAGE, 1);
	EXPECT_TRUE(SetProcessWorkingSetSize(process, PAGE, MIB(64)));
	EXPECT_TRUE(is_valid(base) && is_valid(last));
	EXPECT_TRUE(SetProcessWorkingSetSize(process, PAGE, MIB(8)));
	EXPECT_FALSE(is_valid(base) || is_valid(last));
	EXPECT_TRUE(pages_have(base, MIB(16) / PAGE, 1));
	errno = 99;
	EXPECT_TRUE(SetProcessWorkingSetSizeEx(process, PAGE, MIB(8), 2 | 4));
	EXPECT_EQ(99, errno);
	EXPECT_FALSE(is_valid(base) || is_valid(last));
	EXPECT_TRUE(limits_are(20 * PAGE, MIB(8), 2 | 4));
	EXPECT_TRUE(pages_have(base, MIB(16) / PAGE, 1));
	EXPECT_TRUE(is_valid(base) && is_valid(last));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* ---- races ---- */

struct writers {
	char *base;
	unsigned int page;
	struct crew crew;
	uint64_t wrong;
};

/* Each has pages of its own. */
static void *count_up(void *arg)
{
	struct writers *writers = arg;
	unsigned int number = __atomic_fetch_add(&writers->page, 1,
						 __ATOMIC_RELAXED);
	uint64_t count = 0, i;

	while (crew_goes_on(&writers->crew)) {
		for (i = 0; i < 64; i++) {
			volatile uint64_t *word = (void *)(writers->base +
				PAGES(i * 4 + number));

			if (*word != count)
				race_add(&writers->wrong, 1);
			*word = count + 1;
		}
		count++;
	}
	return NULL;
}

/* Rules: WS-08. Beside writers */
TEST(emptied_beside_writers)
{
	unsigned int i, n = rounds(lock_empties);
	struct writers writers = { 0 };

	writers.base = VirtualAlloc(NULL, MIB(1), MEM_RESERVE | MEM_COMMIT,
				    PAGE_READWRITE);
	ASSERT_NE(NULL, writers.base);
	for (i = 0; i < 3; i++)
		crew_add(&writers.crew, count_up, &writers);
	for (i = 0; i < n; i++)
		EXPECT_TRUE(empty());
	crew_stop(&writers.crew);
	EXPECT_EQ(0, writers.wrong);
	EXPECT_TRUE(VirtualFree(writers.base, 0, MEM_RELEASE));
}

TEST_HARNESS_MAIN
