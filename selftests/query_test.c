// SPDX-License-Identifier: GPL-2.0
/*
 * VirtualQuery (rules VQ-*), QueryVirtualMemoryInformation and the NT call
 * behind both (rules RI-*).
 */
#include "kselftest_harness.h"

#include "region_fixture.h"

/* Rules: VQ-01 */
TEST_F(region, query_returns_its_size)
{
	MEMORY_BASIC_INFORMATION mbi[2];

	memset(mbi, 0xcc, sizeof(mbi));
	EXPECT_EQ(48, sizeof(mbi[0]));
	EXPECT_EQ(48, VirtualQuery(self->base, mbi, sizeof(mbi[0])));
	EXPECT_EQ(48, VirtualQuery(self->base, mbi, sizeof(mbi)));
	EXPECT_EQ(48, VirtualQueryEx(SELF, self->base, mbi,
				     sizeof(mbi[0])));
	EXPECT_EQ(0, mbi[0].PartitionId);
	/* Nothing is written behind it. */
	EXPECT_TRUE(all_bytes(&mbi[1], sizeof(mbi[1]), 0xcc));
}

/* Rules: VQ-02, VQ-03 */
TEST_F(region, run_starts_at_the_page_asked_for)
{
	REGION_RESERVED(0, self->size);
	REGION_RESERVED(1, self->size);
	REGION_RESERVED(PAGE - 1, self->size);
	REGION_RESERVED(5 * PAGE, self->size - 5 * PAGE);
	REGION_RESERVED(6 * PAGE - 1, self->size - 5 * PAGE);
	REGION_RESERVED(self->size - 1, PAGE);
	COMMIT(0, self->size, PAGE_READWRITE);
	REGION_COMMITTED(0, self->size, PAGE_READWRITE);
	REGION_COMMITTED(7 * PAGE + 5, self->size - 7 * PAGE, PAGE_READWRITE);
}

/* Rules: VQ-03 */
TEST_F(region, run_ends_where_something_differs)
{
	DWORD code = code_or(PAGE_EXECUTE_READ, PAGE_NOACCESS);

	/* |RW RW|RO|X X|res|RW guard|RW|reserved ...| */
	COMMIT(0, 5 * PAGE, PAGE_READWRITE);
	COMMIT(2 * PAGE, PAGE, PAGE_READONLY);
	COMMIT(3 * PAGE, 2 * PAGE, code);
	COMMIT(6 * PAGE, 2 * PAGE, PAGE_READWRITE);
	COMMIT(6 * PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD);
	REGION_COMMITTED(0, 2 * PAGE, PAGE_READWRITE);
	REGION_COMMITTED(PAGE, PAGE, PAGE_READWRITE);
	REGION_COMMITTED(2 * PAGE, PAGE, PAGE_READONLY);
	REGION_COMMITTED(3 * PAGE, 2 * PAGE, code);
	REGION_RESERVED(5 * PAGE, PAGE);
	REGION_COMMITTED(6 * PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD);
	REGION_COMMITTED(7 * PAGE, PAGE, PAGE_READWRITE);
	REGION_RESERVED(8 * PAGE, self->size - 8 * PAGE);
}

/* Rules: VQ-03, VQ-07 */
TEST(free_run_ends_at_the_next_allocation)
{
	char *high = ARENA + MIB(40);

	ASSERT_EQ(ARENA, VirtualAlloc(ARENA, UNIT, MEM_RESERVE,
				      PAGE_READWRITE));
	ASSERT_EQ(high, VirtualAlloc(high, UNIT, MEM_COMMIT | MEM_RESERVE,
				     PAGE_READWRITE));
	EXPECT_TRUE(mbi_is(ARENA + UNIT, MIB(40) - UNIT, MEM_FREE,
			   PAGE_NOACCESS, NULL, 0));
	EXPECT_TRUE(mbi_is(ARENA + MIB(10) + 77, MIB(30), MEM_FREE,
			   PAGE_NOACCESS, NULL, 0));
	EXPECT_TRUE(mbi_is(high - 1, PAGE, MEM_FREE, PAGE_NOACCESS, NULL, 0));
}

/* Rules: VQ-03 */
TEST(free_run_ends_at_other_mappings)
{
	char *map = mmap(ARENA + MIB(3), PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			 0);
	MEMORY_BASIC_INFORMATION mbi;

	ASSERT_EQ(ARENA + MIB(3), map);
	EXPECT_TRUE(mbi_is(ARENA, MIB(3), MEM_FREE, PAGE_NOACCESS, NULL, 0));
	memset(&mbi, 0xcc, sizeof(mbi));
	ASSERT_EQ(sizeof(mbi), VirtualQuery(map, &mbi, sizeof(mbi)));
	EXPECT_EQ((PVOID)map, mbi.BaseAddress);
	EXPECT_EQ(PAGE, mbi.RegionSize);
	EXPECT_NE(MEM_FREE, mbi.State);
	EXPECT_FREE(map + PAGE);
}

/* Rules: VQ-04 */
TEST(neighbouring_allocations_stay_apart)
{
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(ARENA + i * UNIT,
			  VirtualAlloc(ARENA + i * UNIT, UNIT, MEM_RESERVE,
				       PAGE_READWRITE));
	for (i = 0; i < 3; i++)
		EXPECT_RESERVED(ARENA + i * UNIT, UNIT, ARENA + i * UNIT,
				PAGE_READWRITE);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(ARENA + i * UNIT,
			  VirtualAlloc(ARENA + i * UNIT, UNIT, MEM_COMMIT,
				       PAGE_READWRITE));
	for (i = 0; i < 3; i++)
		EXPECT_COMMITTED(ARENA + i * UNIT, UNIT, PAGE_READWRITE,
				 ARENA + i * UNIT, PAGE_READWRITE);
}

/* Rules: VQ-04 */
TEST(neighbouring_small_allocations_stay_apart)
{
	char *bases[40];
	size_t i;

	/* So many that some lie side by side. */
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		bases[i] = VirtualAlloc(NULL, UNIT, MEM_COMMIT, PAGE_READWRITE);
		ASSERT_NE(NULL, bases[i]);
	}
	for (i = 0; i < ARRAY_SIZE(bases); i++)
		EXPECT_COMMITTED(bases[i], UNIT, PAGE_READWRITE, bases[i],
				 PAGE_READWRITE);
}

/* Rules: VQ-05 */
TEST_F(region, runs_merge_when_alike_again)
{
	DWORD old = POISON;

	COMMIT(0, 8 * PAGE, PAGE_READWRITE);
	ASSERT_TRUE(VirtualProtect(self->base + 3 * PAGE, PAGE, PAGE_READONLY,
				   &old));
	REGION_COMMITTED(0, 3 * PAGE, PAGE_READWRITE);
	ASSERT_TRUE(VirtualProtect(self->base + 3 * PAGE, PAGE, PAGE_READWRITE,
				   &old));
	REGION_COMMITTED(0, 8 * PAGE, PAGE_READWRITE);

	DECOMMIT(4 * PAGE, PAGE);
	REGION_COMMITTED(0, 4 * PAGE, PAGE_READWRITE);
	COMMIT(4 * PAGE, PAGE, PAGE_READWRITE);
	REGION_COMMITTED(0, 8 * PAGE, PAGE_READWRITE);

	ASSERT_TRUE(VirtualProtect(self->base + PAGE, PAGE,
				   code_or(PAGE_EXECUTE_READWRITE,
					   PAGE_READONLY), &old));
	REGION_COMMITTED(0, PAGE, PAGE_READWRITE);
	ASSERT_TRUE(VirtualProtect(self->base + PAGE, PAGE, PAGE_READWRITE,
				   &old));
	REGION_COMMITTED(0, 8 * PAGE, PAGE_READWRITE);

	/* Touched or not makes no difference. */
	self->base[2 * PAGE] = 1;
	REGION_COMMITTED(0, 8 * PAGE, PAGE_READWRITE);
	DECOMMIT(0, self->size);
	REGION_RESERVED(0, self->size);
}

/*
 * Pages in the middle of two regions become different and alike in turn, which
 * may use the same memory in the kernel for both.
 *
 * Rules: VQ-03
 */
TEST(states_of_one_region_are_not_those_of_another)
{
	const size_t size = MIB(8), middle = MIB(4) + 8 * PAGE;
	char *committed, *reserved;
	unsigned int i;
	DWORD old;

	committed = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
				 PAGE_READWRITE);
	reserved = VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_READWRITE);
	ASSERT_NE(NULL, committed);
	ASSERT_NE(NULL, reserved);
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(VirtualProtect(committed + middle, PAGE,
					   PAGE_READONLY, &old));
		EXPECT_COMMITTED(committed, middle, PAGE_READWRITE, committed,
				 PAGE_READWRITE);
		EXPECT_COMMITTED(committed + middle + PAGE,
				 size - middle - PAGE, PAGE_READWRITE,
				 committed, PAGE_READWRITE);
		ASSERT_TRUE(VirtualProtect(committed + middle, PAGE,
					   PAGE_READWRITE, &old));
		EXPECT_COMMITTED(committed, size, PAGE_READWRITE, committed,
				 PAGE_READWRITE);

		ASSERT_TRUE(VirtualAlloc(reserved + middle, PAGE, MEM_COMMIT,
					 PAGE_READWRITE));
		EXPECT_RESERVED(reserved, middle, reserved, PAGE_READWRITE);
		EXPECT_RESERVED(reserved + middle + PAGE,
				size - middle - PAGE, reserved, PAGE_READWRITE);
		ASSERT_TRUE(VirtualFree(reserved + middle, PAGE, MEM_DECOMMIT));
		EXPECT_RESERVED(reserved, size, reserved, PAGE_READWRITE);
	}
	EXPECT_TRUE(VirtualFree(committed, 0, MEM_RELEASE));
	EXPECT_TRUE(VirtualFree(reserved, 0, MEM_RELEASE));
}

/* Rules: VQ-06 */
TEST(reserved_pages_have_no_protection)
{
	static const DWORD values[] = {
		PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE, PAGE_EXECUTE,
		PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
		PAGE_READWRITE | PAGE_GUARD,
	};
	char *base;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		base = VirtualAlloc(NULL, 3 * PAGE, MEM_RESERVE, values[i]);
		ASSERT_NE(NULL, base);
		EXPECT_RESERVED(base, 3 * PAGE, base, values[i]);
		ASSERT_TRUE(VirtualAlloc(base, PAGE, MEM_COMMIT,
					 PAGE_READWRITE));
		EXPECT_RESERVED(base + PAGE, 2 * PAGE, base, values[i]);
	}
}

/* Rules: VQ-07 */
TEST_F(region, released_pages_are_free)
{
	COMMIT(0, self->size, PAGE_READWRITE);
	memset(self->base, 1, self->size);
	ASSERT_TRUE(VirtualFree(self->base, 0, MEM_RELEASE));
	EXPECT_FREE(self->base);
	EXPECT_FREE(self->base + 77);
	EXPECT_FREE(self->base + self->size - 1);
	ASSERT_EQ(self->base, VirtualAlloc(self->base, self->size, MEM_RESERVE,
					   PAGE_READWRITE));
}

/* Rules: VQ-08 */
TEST_F(region, both_protections_are_shown)
{
	char *base = VirtualAlloc(NULL, self->size, MEM_RESERVE, PAGE_NOACCESS);

	ASSERT_NE(NULL, base);
	ASSERT_EQ(base, VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_COMMITTED(base, PAGE, PAGE_READWRITE, base, PAGE_NOACCESS);
	EXPECT_RESERVED(base + PAGE, self->size - PAGE, base, PAGE_NOACCESS);
	EXPECT_TRUE(try_write(base));
}

/* Rules: VQ-11 */
TEST(query_above_the_user_range_is_refused)
{
	static char *const addresses[] = {
		(char *)USER_HIGHEST + 1,
		(char *)USER_END - 1,
		(char *)USER_END,
		KERNEL_ADDRESS,
		(char *)-1,
	};
	MEMORY_BASIC_INFORMATION mbi;
	size_t i;

	memset(&mbi, 0xcc, sizeof(mbi));
	for (i = 0; i < ARRAY_SIZE(addresses); i++)
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualQuery(addresses[i], &mbi, sizeof(mbi)));
	EXPECT_TRUE(all_bytes(&mbi, sizeof(mbi), 0xcc));
}

/* Rules: VQ-12, VQ-07 */
TEST(query_at_the_edges_succeeds)
{
	static char *const lowest[] = {
		NULL, (char *)1, (char *)0xfff, (char *)0x1000, (char *)0xffff,
	};
	MEMORY_BASIC_INFORMATION mbi;
	char *highest = (char *)USER_HIGHEST;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lowest); i++)
		EXPECT_FREE(lowest[i]);
	EXPECT_FREE((char *)USER_LOWEST);

	memset(&mbi, 0xcc, sizeof(mbi));
	EXPECT_EQ(sizeof(mbi), VirtualQuery(highest, &mbi, sizeof(mbi)));
	EXPECT_EQ((PVOID)(highest + 1 - PAGE), mbi.BaseAddress);
	if (count_vmas(highest, 1))
		return;
	EXPECT_TRUE(mbi_is(highest, PAGE, MEM_FREE, PAGE_NOACCESS, NULL, 0));
}

/* Walk all of the address space: the runs follow each other without a gap. */
/* Rules: VQ-02, VQ-03, VQ-12 */
TEST_F(region, walk_covers_the_address_space)
{
	MEMORY_BASIC_INFORMATION mbi;
	size_t committed = 0, reserved = 0, runs = 0;
	char *address = NULL;

	COMMIT(PAGE, 2 * PAGE, PAGE_READWRITE);
	COMMIT(5 * PAGE, PAGE, PAGE_READONLY);
	while (VirtualQuery(address, &mbi, sizeof(mbi))) {
		ASSERT_EQ((PVOID)address, mbi.BaseAddress);
		ASSERT_NE(0, mbi.RegionSize);
		ASSERT_EQ(0, mbi.RegionSize % PAGE);
		if (mbi.AllocationBase == self->base) {
			if (mbi.State == MEM_COMMIT)
				committed += mbi.RegionSize;
			else if (mbi.State == MEM_RESERVE)
				reserved += mbi.RegionSize;
			runs++;
		}
		address += mbi.RegionSize;
	}
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_EQ((char *)USER_HIGHEST + 1, address);
	EXPECT_EQ(3 * PAGE, committed);
	EXPECT_EQ(self->size - 3 * PAGE, reserved);
	EXPECT_EQ(5, runs);
}

/* Whether a query takes the page for one that can be read */
static bool told_readable(const char *page)
{
	MEMORY_BASIC_INFORMATION mbi;

	return VirtualQuery(page, &mbi, sizeof(mbi)) &&
	       mbi.State == MEM_COMMIT &&
	       !(mbi.Protect & (PAGE_NOACCESS | PAGE_EXECUTE | PAGE_GUARD));
}

/* VirtualQuery(3): each page of what the kernel maps itself is told as it is. */
TEST(special_mappings_are_told_page_by_page)
{
	size_t n = read_vmas(0, USER_HIGHEST, NULL, 0), i;
	struct vma *vmas = calloc(n, sizeof(*vmas));
	unsigned int readable = 0;
	const char *page;

	ASSERT_NE(NULL, vmas);
	n = read_vmas(0, USER_HIGHEST, vmas, n);
	for (i = 0; i < n; i++) {
		if (strncmp(vmas[i].path, "[v", 2) ||
		    vmas[i].start > USER_HIGHEST)
			continue;
		for (page = (char *)(uintptr_t)vmas[i].start;
		     page < (char *)(uintptr_t)vmas[i].end; page += PAGE) {
			EXPECT_EQ(try_read(page), told_readable(page)) {
				TH_LOG("%s %p", vmas[i].path, page);
			}
			readable += told_readable(page);
		}
	}
	/* [vvar] and [vdso] have at least that many. */
	EXPECT_LE(2, readable);
	free(vmas);
}

/* A collector reads all that is told readable; more than this is not looked at. */
#define MOST_TO_READ MIB(64)

/* VirtualQuery(3): what is told readable can be read, all over. */
TEST_F(region, readable_pages_can_be_read)
{
	MEMORY_BASIC_INFORMATION mbi;
	char *at = NULL, *page, *end;
	int fd = memfd_create("short", MFD_CLOEXEC);
	char *map;

	COMMIT(0, UNIT, PAGE_READWRITE);
	COMMIT(2 * PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD);
	COMMIT(4 * PAGE, PAGE, PAGE_NOACCESS);
	ASSERT_EQ(0, ftruncate(fd, PAGE + 1));
	map = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	while (VirtualQuery(at, &mbi, sizeof(mbi))) {
		at = (char *)mbi.BaseAddress + mbi.RegionSize;
		if (mbi.State != MEM_COMMIT || mbi.RegionSize > MOST_TO_READ ||
		    mbi.Protect & (PAGE_GUARD | PAGE_NOACCESS | PAGE_EXECUTE))
			continue;
		end = at;
		for (page = mbi.BaseAddress; page < end; page += PAGE)
			EXPECT_TRUE(try_read(page)) {
				print_mbi("not readable", &mbi);
			}
	}
	EXPECT_EQ(0, munmap(map, 4 * PAGE));
	close(fd);
}

/* VirtualQuery(3): what lies behind the end of a file cannot be touched. */
TEST(end_of_a_file_is_the_end_of_what_can_be_read)
{
	int fd = memfd_create("short", MFD_CLOEXEC);
	MEMORY_BASIC_INFORMATION mbi;
	char *map;

	ASSERT_EQ(0, ftruncate(fd, 2 * PAGE + 1));
	map = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
		   PAGE);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(sizeof(mbi), VirtualQuery(map, &mbi, sizeof(mbi)));
	EXPECT_EQ(2 * PAGE, mbi.RegionSize);
	EXPECT_EQ(PAGE_READWRITE, mbi.Protect);
	EXPECT_EQ(MEM_MAPPED, mbi.Type);
	ASSERT_EQ(sizeof(mbi), VirtualQuery(map + 2 * PAGE, &mbi, sizeof(mbi)));
	EXPECT_EQ((PVOID)map, mbi.AllocationBase);
	EXPECT_EQ(4 * PAGE, mbi.RegionSize);
	EXPECT_EQ(MEM_COMMIT, mbi.State);
	EXPECT_EQ(PAGE_NOACCESS, mbi.Protect);
	EXPECT_EQ(PAGE_READWRITE, mbi.AllocationProtect);
	/* As the file grows */
	ASSERT_EQ(0, ftruncate(fd, 7 * PAGE));
	ASSERT_EQ(sizeof(mbi), VirtualQuery(map, &mbi, sizeof(mbi)));
	EXPECT_EQ(6 * PAGE, mbi.RegionSize);
	EXPECT_EQ(PAGE_READWRITE, mbi.Protect);
	ASSERT_EQ(0, ftruncate(fd, 0));
	ASSERT_EQ(sizeof(mbi), VirtualQuery(map, &mbi, sizeof(mbi)));
	EXPECT_EQ(6 * PAGE, mbi.RegionSize);
	EXPECT_EQ(PAGE_NOACCESS, mbi.Protect);
	EXPECT_EQ(0, munmap(map, 6 * PAGE));
	close(fd);
}

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

/* One run of a mapping of the test's own that starts at @base */
static bool is_run_of(const char *base, const char *at, size_t size,
		      DWORD protect)
{
	MEMORY_BASIC_INFORMATION mbi;

	if (VirtualQuery(at, &mbi, sizeof(mbi)) == sizeof(mbi) &&
	    mbi.BaseAddress == at && mbi.AllocationBase == base &&
	    mbi.RegionSize == size && mbi.State == MEM_COMMIT &&
	    mbi.Protect == protect && mbi.AllocationProtect == PAGE_READWRITE)
		return true;
	print_mbi("found", &mbi);
	return false;
}

/* VirtualQuery(3): a guard in memory that is not ours cannot be touched. */
static void guards_of_others(struct __test_metadata *_metadata, char *map,
			     size_t size, size_t pages)
{
	char *guard = map + size / 2 + 5 * PAGE;

	if (madvise(guard, pages * PAGE, MADV_GUARD_INSTALL))
		SKIP(return, "this kernel has no such guards");
	EXPECT_FALSE(try_read(guard));
	EXPECT_TRUE(is_run_of(map, map, guard - map, PAGE_READWRITE));
	EXPECT_TRUE(is_run_of(map, guard, pages * PAGE, PAGE_NOACCESS));
	EXPECT_TRUE(is_run_of(map, guard + PAGE, (pages - 1) * PAGE,
			      PAGE_NOACCESS));
	EXPECT_TRUE(is_run_of(map, guard + pages * PAGE,
			      map + size - guard - pages * PAGE,
			      PAGE_READWRITE));
	ASSERT_EQ(0, madvise(guard, PAGE, MADV_GUARD_REMOVE));
	EXPECT_TRUE(is_run_of(map, map, guard + PAGE - map, PAGE_READWRITE));
	ASSERT_EQ(0, madvise(guard, pages * PAGE, MADV_GUARD_REMOVE));
	EXPECT_TRUE(is_run_of(map, map, size, PAGE_READWRITE));
}

TEST(guards_of_others_are_told)
{
	static const struct {
		size_t size;
		size_t pages;
		bool touched;
	} cases[] = {
		{ 64 * PAGE, 4, true }, { 64 * PAGE, 4, false },
		{ MIB(16), 700, true }, { MIB(16), 700, false },
		{ MIB(8), 2, true },
	};
	unsigned int i;
	char *map;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		map = mmap(ARENA, cases[i].size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			   -1, 0);
		ASSERT_EQ(ARENA, map);
		if (cases[i].touched)
			memset(map, 1, cases[i].size);
		guards_of_others(_metadata, map, cases[i].size, cases[i].pages);
		ASSERT_EQ(0, munmap(map, cases[i].size));
	}
}

/* Rules: VQ-13 */
TEST_F(region, short_buffer_is_refused)
{
	static const size_t sizes[] = { 0, 1, 28, 44, 47 };
	MEMORY_BASIC_INFORMATION mbi;
	SIZE_T returned = POISON;
	size_t i;

	memset(&mbi, 0xcc, sizeof(mbi));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_FAILS(ERROR_BAD_LENGTH,
			     VirtualQuery(self->base, &mbi, sizes[i]));
		EXPECT_STATUS_FAILS(STATUS_INFO_LENGTH_MISMATCH,
				    NtQueryVirtualMemory(SELF,
							 self->base,
							 MemoryBasicInformation,
							 &mbi, sizes[i],
							 &returned));
	}
	EXPECT_TRUE(all_bytes(&mbi, sizeof(mbi), 0xcc));
}

/* Rules: VQ-14 */
TEST_F(region, bad_buffer_is_refused)
{
	char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	PMEMORY_BASIC_INFORMATION last;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, mprotect(map + PAGE, PAGE, PROT_READ));
	last = (PMEMORY_BASIC_INFORMATION)(map + PAGE - 8);
	EXPECT_FAILS(ERROR_NOACCESS,
		     VirtualQuery(self->base, NULL, sizeof(*last)));
	EXPECT_FAILS(ERROR_NOACCESS,
		     VirtualQuery(self->base,
				  (PMEMORY_BASIC_INFORMATION)(map + PAGE),
				  sizeof(*last)));
	EXPECT_FAILS(ERROR_NOACCESS,
		     VirtualQuery(self->base, last, sizeof(*last)));
	EXPECT_FAILS(ERROR_NOACCESS,
		     VirtualQuery(self->base,
				  (PMEMORY_BASIC_INFORMATION)self->base,
				  sizeof(*last)));
}

/* What both calls say about the region that @address is in. */
static bool region_is(const void *address, const void *base, DWORD protect,
		      size_t size, size_t committed)
{
	WIN32_MEMORY_REGION_INFORMATION win32;
	MEMORY_REGION_INFORMATION nt;
	SIZE_T returned = POISON;
	NTSTATUS status;

	memset(&win32, 0xcc, sizeof(win32));
	memset(&nt, 0xcc, sizeof(nt));
	if (!QueryVirtualMemoryInformation(SELF, address,
					   MemoryRegionInfo, &win32,
					   sizeof(win32), &returned))
		return false;
	if (win32.AllocationBase != base ||
	    win32.AllocationProtect != protect || win32.RegionSize != size ||
	    win32.CommitSize != committed || returned != sizeof(win32)) {
		fprintf(stderr,
			"# region of %p: %p + %#zx protect %#x committed %#zx\n",
			address, win32.AllocationBase,
			(size_t)win32.RegionSize,
			(unsigned int)win32.AllocationProtect,
			(size_t)win32.CommitSize);
		return false;
	}
	status = NtQueryVirtualMemory(SELF, (PVOID)address,
				      MemoryRegionInformation, &nt, sizeof(nt),
				      &returned);
	return status == STATUS_SUCCESS && nt.AllocationBase == base &&
	       nt.AllocationProtect == protect && nt.RegionSize == size &&
	       nt.CommitSize == committed;
}

/* Rules: RI-01 */
TEST_F(region, any_address_gives_the_whole_region)
{
	EXPECT_TRUE(region_is(self->base, self->base, PAGE_READWRITE,
			      self->size, 0));
	EXPECT_TRUE(region_is(self->base + self->size - 1, self->base,
			      PAGE_READWRITE, self->size, 0));
	COMMIT(PAGE, PAGE, PAGE_READONLY);
	EXPECT_TRUE(region_is(self->base + 1, self->base, PAGE_READWRITE,
			      self->size, PAGE));
	EXPECT_TRUE(region_is(self->base + PAGE, self->base, PAGE_READWRITE,
			      self->size, PAGE));
	EXPECT_TRUE(region_is(self->base + 5 * PAGE, self->base,
			      PAGE_READWRITE, self->size, PAGE));
}

/* Rules: RI-02 */
TEST_F(region, commit_size_is_the_sum)
{
	DWORD old = POISON;

	COMMIT(0, 2 * PAGE, PAGE_READWRITE);
	COMMIT(5 * PAGE, 3 * PAGE, PAGE_READONLY);
	COMMIT(self->size - PAGE, PAGE,
	       code_or(PAGE_EXECUTE_READ, PAGE_READONLY));
	EXPECT_TRUE(region_is(self->base, self->base, PAGE_READWRITE,
			      self->size, 6 * PAGE));
	ASSERT_TRUE(VirtualProtect(self->base, 2 * PAGE, PAGE_NOACCESS, &old));
	COMMIT(5 * PAGE, 3 * PAGE, PAGE_NOACCESS);
	EXPECT_TRUE(region_is(self->base, self->base, PAGE_READWRITE,
			      self->size, 6 * PAGE));
	DECOMMIT(PAGE, 5 * PAGE);
	EXPECT_TRUE(region_is(self->base, self->base, PAGE_READWRITE,
			      self->size, 4 * PAGE));
	COMMIT(0, self->size, PAGE_READWRITE);
	EXPECT_TRUE(region_is(self->base, self->base, PAGE_READWRITE,
			      self->size, self->size));
	DECOMMIT(0, self->size);
	EXPECT_TRUE(region_is(self->base, self->base, PAGE_READWRITE,
			      self->size, 0));
}

/* Rules: RI-01, RI-02 */
TEST_F(region, rests_of_a_region_count_for_themselves)
{
	PVOID base = self->base + 4 * PAGE;
	SIZE_T size = 2 * PAGE;
	char *right = self->base + 6 * PAGE;

	COMMIT(2 * PAGE, 5 * PAGE, PAGE_READWRITE);
	ASSERT_EQ(STATUS_SUCCESS,
		  NtFreeVirtualMemory(SELF, &base, &size, MEM_RELEASE));
	EXPECT_TRUE(region_is(self->base, self->base, PAGE_READWRITE, 4 * PAGE,
			      2 * PAGE));
	EXPECT_TRUE(region_is(right + PAGE, right, PAGE_READWRITE,
			      self->size - 6 * PAGE, PAGE));
	EXPECT_TRUE(VirtualFree(right, 0, MEM_RELEASE));
}

/* Rules: RI-06 */
TEST(free_address_has_no_region)
{
	WIN32_MEMORY_REGION_INFORMATION win32;
	MEMORY_REGION_INFORMATION nt;
	SIZE_T returned = POISON;

	memset(&win32, 0xcc, sizeof(win32));
	memset(&nt, 0xcc, sizeof(nt));
	EXPECT_FAILS(ERROR_UNEXP_NET_ERR,
		     QueryVirtualMemoryInformation(SELF, ARENA,
						   MemoryRegionInfo, &win32,
						   sizeof(win32), &returned));
	EXPECT_STATUS_FAILS(STATUS_INVALID_ADDRESS,
			    NtQueryVirtualMemory(SELF, ARENA,
						 MemoryRegionInformation, &nt,
						 sizeof(nt), &returned));
	EXPECT_TRUE(all_bytes(&win32, sizeof(win32), 0xcc));
	EXPECT_TRUE(all_bytes(&nt, sizeof(nt), 0xcc));
}

/* Rules: RI-07 */
TEST_F(region, nt_class_shows_no_type_bit)
{
	MEMORY_REGION_INFORMATION nt;

	memset(&nt, 0xcc, sizeof(nt));
	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtQueryVirtualMemory(SELF, self->base,
					   MemoryRegionInformation, &nt,
					   sizeof(nt), NULL));
	EXPECT_EQ(0, nt.RegionType);
}

/* Rules: RI-07 */
TEST_F(region, win32_call_shows_private)
{
	WIN32_MEMORY_REGION_INFORMATION win32;

	memset(&win32, 0xcc, sizeof(win32));
	EXPECT_TRUE(QueryVirtualMemoryInformation(SELF, self->base,
						  MemoryRegionInfo, &win32,
						  sizeof(win32), NULL));
	EXPECT_TRUE(win32.Private == 1);
	win32.Private = 0;
	EXPECT_EQ(0, win32.Flags);
}

/* Rules: RI-08 */
TEST_F(region, nt_buffer_may_end_before_the_commit_size)
{
	const size_t least = offsetof(MEMORY_REGION_INFORMATION, CommitSize);
	MEMORY_REGION_INFORMATION nt;
	SIZE_T returned = POISON;
	size_t size;

	COMMIT(0, PAGE, PAGE_READWRITE);
	for (size = least; size <= sizeof(nt); size += 8) {
		memset(&nt, 0xcc, sizeof(nt));
		EXPECT_STATUS(STATUS_SUCCESS,
			      NtQueryVirtualMemory(SELF, self->base,
						   MemoryRegionInformation,
						   &nt, size, &returned));
		EXPECT_EQ((PVOID)self->base, nt.AllocationBase);
		EXPECT_EQ(self->size, nt.RegionSize);
		/* Nothing behind the buffer is written. */
		EXPECT_TRUE(all_bytes((char *)&nt + size, sizeof(nt) - size,
				      0xcc));
	}
	memset(&nt, 0xcc, sizeof(nt));
	for (size = 0; size < least; size++)
		EXPECT_STATUS_FAILS(STATUS_INFO_LENGTH_MISMATCH,
				    NtQueryVirtualMemory(SELF,
							 self->base,
							 MemoryRegionInformation,
							 &nt, size, &returned));
	EXPECT_TRUE(all_bytes(&nt, sizeof(nt), 0xcc));
}

/* Rules: RI-09 */
TEST_F(region, other_information_classes_are_refused)
{
	WIN32_MEMORY_REGION_INFORMATION win32;
	SIZE_T returned = POISON;
	int class;

	memset(&win32, 0xcc, sizeof(win32));
	for (class = 1; class < 10; class++)
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     QueryVirtualMemoryInformation(SELF,
							   self->base, class,
							   &win32,
							   sizeof(win32),
							   &returned));
	EXPECT_TRUE(all_bytes(&win32, sizeof(win32), 0xcc));
}

/* QueryVirtualMemoryInformation(3). Rule RI-09: nothing is written if it fails. */
TEST_F(region, win32_call_checks_its_arguments)
{
	WIN32_MEMORY_REGION_INFORMATION win32;
	SIZE_T returned = POISON;

	memset(&win32, 0xcc, sizeof(win32));
	EXPECT_FAILS(ERROR_BAD_LENGTH,
		     QueryVirtualMemoryInformation(SELF, self->base,
						   MemoryRegionInfo, &win32,
						   sizeof(win32) - 1,
						   &returned));
	EXPECT_FAILS(ERROR_NOACCESS,
		     QueryVirtualMemoryInformation(SELF, self->base,
						   MemoryRegionInfo, NULL,
						   sizeof(win32), &returned));
	EXPECT_FAILS(ERROR_NOACCESS,
		     QueryVirtualMemoryInformation(SELF, self->base,
						   MemoryRegionInfo, &win32,
						   sizeof(win32),
						   (void *)self->base));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     QueryVirtualMemoryInformation(NULL, self->base,
						   MemoryRegionInfo, &win32,
						   sizeof(win32), &returned));
	EXPECT_TRUE(all_bytes(&win32, sizeof(win32), 0xcc));
	EXPECT_EQ(POISON, returned);
	/* Length before pointers, those before the handle */
	EXPECT_FAILS(ERROR_BAD_LENGTH,
		     QueryVirtualMemoryInformation(NULL, self->base,
						   MemoryRegionInfo, NULL, 0,
						   &returned));
	EXPECT_FAILS(ERROR_NOACCESS,
		     QueryVirtualMemoryInformation(NULL, self->base,
						   MemoryRegionInfo, NULL,
						   sizeof(win32), &returned));
}

/* What the NT call says about the image at @address; all 0xcc if it fails. */
static NTSTATUS query_image(const void *address, SIZE_T length,
			    MEMORY_IMAGE_INFORMATION *image, SIZE_T *returned)
{
	memset(image, 0xcc, sizeof(*image));
	*returned = POISON;
	return NtQueryVirtualMemory(SELF, (PVOID)address,
				    MemoryImageInformation, image, length,
				    returned);
}

/* Rules: RI-11. Our own program is no image of Windows either; image_test has some. */
TEST_F(region, no_memory_is_of_an_image)
{
	const void *places[] = { self->base, self->base + PAGE, query_image };
	MEMORY_IMAGE_INFORMATION image;
	SIZE_T returned, length;
	size_t i;

	COMMIT(PAGE, PAGE, code_or(PAGE_EXECUTE_READ, PAGE_READONLY));
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		EXPECT_STATUS(STATUS_SUCCESS,
			      query_image(places[i], sizeof(image), &image,
					  &returned));
		EXPECT_TRUE(all_bytes(&image, sizeof(image), 0));
		EXPECT_EQ(24, returned);
	}
	EXPECT_STATUS(STATUS_SUCCESS,
		      query_image(self->base, 4096, &image, &returned));
	EXPECT_EQ(24, returned);
	EXPECT_STATUS(STATUS_INVALID_ADDRESS,
		      query_image(ARENA + GIB(1), sizeof(image), &image,
				  &returned));
	EXPECT_TRUE(all_bytes(&image, sizeof(image), 0xcc));
	EXPECT_EQ(POISON, returned);
	for (length = 0; length < sizeof(image); length++)
		EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH,
			      query_image(self->base, length, &image,
					  &returned));
	EXPECT_TRUE(all_bytes(&image, sizeof(image), 0xcc));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER,
		      query_image(KERNEL_ADDRESS, sizeof(image), &image,
				  &returned));
	EXPECT_STATUS(STATUS_ACCESS_VIOLATION,
		      NtQueryVirtualMemory(SELF, self->base,
					   MemoryImageInformation, NULL,
					   sizeof(image), NULL));
	EXPECT_STATUS(STATUS_INVALID_HANDLE,
		      NtQueryVirtualMemory(NULL, self->base,
					   MemoryImageInformation, &image,
					   sizeof(image), NULL));
	EXPECT_STATUS(STATUS_INVALID_INFO_CLASS,
		      NtQueryVirtualMemory(SELF, self->base, 5, &image,
					   sizeof(image), NULL));
}

/* Rules: RI-10 */
TEST_F(region, nt_call_returns_the_size_of_its_structure)
{
	MEMORY_REGION_INFORMATION nt[2];
	SIZE_T returned = POISON;

	memset(nt, 0xcc, sizeof(nt));
	EXPECT_STATUS(STATUS_SUCCESS,
		      NtQueryVirtualMemory(SELF, self->base,
					   MemoryRegionInformation, nt,
					   sizeof(nt), &returned));
	EXPECT_EQ(sizeof(nt[0]), returned);
	EXPECT_EQ(0, nt[0].PartitionId);
	EXPECT_TRUE(all_bytes(&nt[1], sizeof(nt[1]), 0xcc));
}

TEST_HARNESS_MAIN
