// SPDX-License-Identifier: GPL-2.0
/*
 * Views in the place of placeholders (rules PH-*, UM-07, UM-09), and what programs make
 * of them: ring buffers, and code that is written through one view and run in another
 */
#include "kselftest_harness.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "placeholders.h"
#include "wr_test_util.h"
#include "race.h"
#include "fail_nth.h"

static HANDLE make_section(size_t size, DWORD protect)
{
	return CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, protect,
				  (uint64_t)size >> 32, size, NULL);
}

/* A view in the place of a placeholder */
static char *map_over(HANDLE section, char *base, size_t offset, size_t size,
		      ULONG protect)
{
	return MapViewOfFile3(section, NULL, base, offset, size,
			      MEM_REPLACE_PLACEHOLDER, protect, NULL, 0);
}

static BOOL unmap_and_keep(char *base)
{
	return UnmapViewOfFile2(SELF, base, MEM_PRESERVE_PLACEHOLDER);
}

static bool is_view(const char *base, size_t size, DWORD protect)
{
	MEMORY_BASIC_INFORMATION mbi;

	return VirtualQuery(base, &mbi, sizeof(mbi)) &&
	       mbi.AllocationBase == base && mbi.RegionSize == size &&
	       mbi.Type == MEM_MAPPED && mbi.Protect == protect &&
	       mbi.AllocationProtect == protect;
}

/* ---- replace, and back ---- */

/* Rules: PH-27, UM-07 */
TEST_F(placeholder, is_replaced_by_a_view)
{
	HANDLE section = make_section(self->size, PAGE_READWRITE);
	unsigned int round;

	ASSERT_NE(NULL, section);
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(self->base, map_over(section, self->base, 0,
					       self->size, PAGE_READWRITE));
		EXPECT_TRUE(is_view(self->base, self->size, PAGE_READWRITE));
		EXPECT_TRUE(round ? is_filled(self->base, self->size) :
				    is_zero(self->base, self->size));
		fill(self->base, self->size);
		ASSERT_TRUE(unmap_and_keep(self->base + PAGE + 1));
		EXPECT_PLACEHOLDER(self->base, self->size);
		EXPECT_FALSE(try_read(self->base));
	}
	ASSERT_EQ(self->base, alloc2(self->base, self->size, REPLACE_NOW,
				     PAGE_READWRITE));
	EXPECT_TRUE(is_zero(self->base, self->size));
	EXPECT_TRUE(CloseHandle(section));
}

/* Rules: PH-27, PH-31 */
TEST_F(placeholder, any_piece_can_become_a_view)
{
	const size_t starts[] = { 0, 3, 7, 8 }, ends[] = { 3, 7, 8, 0 };
	HANDLE section = make_section(self->size, PAGE_READWRITE);
	size_t offset, size, i;
	char *other, *piece;

	ASSERT_NE(NULL, section);
	other = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	ASSERT_NE(NULL, other);
	fill(other, self->size);
	ASSERT_TRUE(preserve(self->base, 3 * PAGE));
	ASSERT_TRUE(preserve(self->base + 3 * PAGE, 4 * PAGE));
	ASSERT_TRUE(preserve(self->base + 7 * PAGE, PAGE));
	/* The second first, then those on both sides */
	for (i = 1; i < 5; i++) {
		piece = self->base + starts[i % 4] * PAGE;
		size = ends[i % 4] ? (ends[i % 4] - starts[i % 4]) * PAGE :
				     self->size - starts[i % 4] * PAGE;
		offset = size > 4 * PAGE ? 8 * PAGE : PAGE;
		ASSERT_EQ(piece, map_over(section, piece, offset, size,
					  PAGE_READWRITE)) {
			TH_LOG("piece %zu: error %u", i,
			       (unsigned int)GetLastError());
		}
		EXPECT_TRUE(is_view(piece, size, PAGE_READWRITE));
		EXPECT_EQ(0, memcmp(piece, other + offset, size));
	}
	for (i = 0; i < 4; i++)
		ASSERT_TRUE(unmap_and_keep(self->base + starts[i] * PAGE));
	ASSERT_TRUE(coalesce(self->base, self->size));
	EXPECT_PLACEHOLDER(self->base, self->size);
	EXPECT_TRUE(UnmapViewOfFile(other));
	EXPECT_TRUE(CloseHandle(section));
}

static int replace_over_limit(void *arg)
{
	FIXTURE_DATA(placeholder) *self = arg;
	static const DWORD protect[] = {
		PAGE_READWRITE, PAGE_READONLY, PAGE_WRITECOPY,
	};
	const struct rlimit limit = { MIB(1), MIB(1) };
	HANDLE section = make_section(self->size, PAGE_READWRITE);
	char *middle = self->base + 4 * PAGE;
	size_t i;

	CHECK(preserve(middle, 4 * PAGE));
	CHECK(!setrlimit(RLIMIT_AS, &limit));
	for (i = 0; i < ARRAY_SIZE(protect); i++) {
		CHECK(map_over(section, middle, 0, 4 * PAGE, protect[i]) ==
		      middle);
		CHECK(is_view(middle, 4 * PAGE, protect[i]));
		CHECK(try_read(middle));
		CHECK(try_write(middle) == (protect[i] != PAGE_READONLY));
		CHECK(unmap_and_keep(middle));
	}
	CHECK(alloc2(middle, 4 * PAGE, REPLACE_NOW, PAGE_READWRITE) == middle);
	CHECK(preserve(middle, 4 * PAGE));
	CHECK(coalesce(self->base, self->size));
	CHECK(map_over(section, self->base, 0, self->size, PAGE_READWRITE) ==
	      self->base);
	/* What needs addresses gets none. */
	CHECK(!MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0));
	CHECK(GetLastError() == ERROR_NOT_ENOUGH_MEMORY);
	return 0;
}

/* Rules: PH-27, UM-07. What is there already needs no more address space. */
TEST_F(placeholder, limit_of_address_space_forbids_no_view)
{
	EXPECT_EQ(0, in_child(replace_over_limit, self));
}

/* Rules: PH-27 */
TEST_F(placeholder, view_of_another_size_does_not_replace_it)
{
	HANDLE section = make_section(2 * self->size, PAGE_READWRITE);
	char *middle = self->base + 4 * PAGE;

	ASSERT_NE(NULL, section);
#define REFUSED(base, size)						\
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,				\
		     map_over(section, base, 0, size, PAGE_READWRITE))
	REFUSED(self->base, self->size - PAGE);
	REFUSED(self->base, self->size + PAGE);
	REFUSED(self->base + PAGE, self->size - PAGE);
	REFUSED(self->base, 0); /* all of the section */
	ASSERT_TRUE(preserve(middle, 4 * PAGE));
	REFUSED(self->base, self->size);
	REFUSED(middle, 3 * PAGE);
	REFUSED(middle, 5 * PAGE);
	REFUSED(middle + PAGE, 4 * PAGE);
	ASSERT_EQ(middle, alloc2(middle, 4 * PAGE, REPLACE, PAGE_READWRITE));
	REFUSED(middle, 4 * PAGE);
	ASSERT_TRUE(VirtualFree(middle, 0, MEM_RELEASE));
	REFUSED(middle, 4 * PAGE);
	ASSERT_EQ(self->base, map_over(section, self->base, 0, 4 * PAGE,
				       PAGE_READWRITE));
	REFUSED(self->base, 4 * PAGE);
#undef REFUSED
	EXPECT_TRUE(CloseHandle(section));
}

/* Rules: PH-27, PH-31, MV-24, MV-27 */
TEST_F(placeholder, bad_views_do_not_replace_it)
{
	HANDLE section = make_section(self->size, PAGE_READONLY);

	ASSERT_NE(NULL, section);
	EXPECT_FAILS(ERROR_MAPPED_ALIGNMENT,
		     map_over(section, self->base + 1, 0, self->size,
			      PAGE_READONLY));
	EXPECT_FAILS(ERROR_MAPPED_ALIGNMENT,
		     map_over(section, self->base, 0x800, PAGE,
			      PAGE_READONLY));
	EXPECT_FAILS(ERROR_MAPPED_ALIGNMENT,
		     MapViewOfFile3(section, NULL, self->base, PAGE, PAGE, 0,
				    PAGE_READONLY, NULL, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     map_over(section, NULL, 0, self->size, PAGE_READONLY));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     map_over(section, self->base, 0, self->size, 0));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     map_over(section, self->base, 0, self->size,
			      PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     MapViewOfFile2(section, SELF, 0, self->base, self->size,
				    MEM_REPLACE_PLACEHOLDER, PAGE_READONLY));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     MapViewOfFileEx(section, FILE_MAP_READ, 0, 0, self->size,
				     self->base));
	EXPECT_PLACEHOLDER(self->base, self->size);
	EXPECT_TRUE(CloseHandle(section));
}

/* Rules: UM-06, UM-09, PH-29 */
TEST_F(placeholder, only_what_has_replaced_one_leaves_one)
{
	HANDLE section = make_section(self->size, PAGE_READWRITE);
	char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);

	ASSERT_NE(NULL, view);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, unmap_and_keep(view));
	EXPECT_STATUS_FAILS(STATUS_CONFLICTING_ADDRESSES,
			    NtUnmapViewOfSectionEx(SELF, view,
						   MEM_PRESERVE_PLACEHOLDER));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, unmap_and_keep(self->base));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, UnmapViewOfFileEx(view, 4));
	EXPECT_TRUE(UnmapViewOfFile(view));
	ASSERT_EQ(self->base, map_over(section, self->base, 0, self->size,
				       PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, preserve(self->base, self->size));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(self->base, 0, MEM_RELEASE));
	ASSERT_TRUE(UnmapViewOfFile(self->base));
	EXPECT_FREE(self->base);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, unmap_and_keep(self->base));
	EXPECT_TRUE(CloseHandle(section));
}

/* Rules: PH-20, PH-29 */
TEST_F(placeholder, view_between_is_not_coalesced)
{
	HANDLE section = make_section(4 * PAGE, PAGE_READWRITE);
	char *middle = self->base + 4 * PAGE;

	ASSERT_NE(NULL, section);
	ASSERT_TRUE(preserve(middle, 4 * PAGE));
	ASSERT_EQ(middle, map_over(section, middle, 0, 4 * PAGE,
				   PAGE_READWRITE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, self->size));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, 8 * PAGE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     coalesce(middle, self->size - 4 * PAGE));
	/* So goes what the program unmaps by itself. */
	ASSERT_EQ(0, munmap(middle, 4 * PAGE));
	EXPECT_FREE(middle);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(self->base, self->size));
	EXPECT_PLACEHOLDER(self->base, 4 * PAGE);
	EXPECT_PLACEHOLDER(middle + 4 * PAGE, self->size - 8 * PAGE);
	EXPECT_TRUE(CloseHandle(section));
}

/* ---- pieces of several reservations ---- */

/* Rules: PH-18, PH-19 */
TEST(placeholders_made_apart_become_one)
{
	static const size_t sizes[] = { UNIT, MIB(2), 4 * UNIT };
	char *at = ARENA;
	size_t i, all = 0;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(at, alloc2(at, sizes[i], MAKE, PAGE_NOACCESS));
		at += sizes[i];
		all += sizes[i];
	}
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(ARENA, all - PAGE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(ARENA, all + PAGE));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, coalesce(ARENA + PAGE, all - PAGE));
	/* A part of the last one stays where it is. */
	ASSERT_TRUE(preserve(ARENA + UNIT + MIB(2), UNIT));
	ASSERT_TRUE(coalesce(ARENA, all - 3 * UNIT));
	EXPECT_PLACEHOLDER(ARENA, all - 3 * UNIT);
	EXPECT_PLACEHOLDER(ARENA + all - 3 * UNIT, 3 * UNIT);
	ASSERT_TRUE(coalesce(ARENA, all));
	EXPECT_PLACEHOLDER(ARENA, all);
	ASSERT_EQ(ARENA, alloc2(ARENA, all, REPLACE_NOW, PAGE_READWRITE));
	fill(ARENA, all);
	EXPECT_TRUE(is_filled(ARENA, all));
	EXPECT_TRUE(VirtualFree(ARENA, 0, MEM_RELEASE));
	EXPECT_FREE(ARENA);
	EXPECT_FREE(ARENA + all - 1);
}

/* ---- what programs do ---- */

/*
 * What a view has left free is found again, also where a region has come to a part of
 * it. Rules: AR-11, PH-29, UM-09
 */
TEST(place_of_a_view_is_found)
{
	MEM_ADDRESS_REQUIREMENTS within = {
		.LowestStartingAddress = ARENA,
		.HighestEndingAddress = ARENA + 4 * UNIT - 1,
	};
	MEM_EXTENDED_PARAMETER parameter = {
		.Type = MemExtendedParameterAddressRequirements,
		.Pointer = &within,
	};
	HANDLE section = make_section(2 * UNIT, PAGE_READWRITE);
	char *base = alloc2(ARENA, 4 * UNIT, MAKE, PAGE_NOACCESS);
	char *middle = base + UNIT;

	ASSERT_NE(NULL, section);
	ASSERT_EQ(ARENA, base);
	ASSERT_TRUE(preserve(middle, 2 * UNIT));
	ASSERT_EQ(middle, map_over(section, middle, 0, 2 * UNIT,
				   PAGE_READWRITE));
	ASSERT_TRUE(UnmapViewOfFile(middle));
	ASSERT_EQ(middle, VirtualAlloc(middle, UNIT, MEM_RESERVE,
				       PAGE_READWRITE));
	EXPECT_EQ(middle + UNIT,
		  VirtualAlloc2(NULL, NULL, UNIT, MEM_RESERVE | MEM_TOP_DOWN,
				PAGE_READWRITE, &parameter, 1));
	EXPECT_TRUE(release_all(base, 4 * UNIT));
	EXPECT_TRUE(CloseHandle(section));
}

/* Rules: PH-28 */
TEST_F(placeholder, ring_buffer)
{
	HANDLE section = make_section(self->size / 2, PAGE_READWRITE);
	size_t half = self->size / 2;
	char *second = self->base + half;

	ASSERT_NE(NULL, section);
	ASSERT_TRUE(preserve(self->base, half));
	ASSERT_EQ(self->base, map_over(section, self->base, 0, half,
				       PAGE_READWRITE));
	ASSERT_EQ(second, map_over(section, second, 0, half, PAGE_READWRITE));
	EXPECT_TRUE(CloseHandle(section));
	fill(self->base + half / 2, half);
	EXPECT_TRUE(is_filled(self->base + half / 2, half));
	EXPECT_EQ(0, memcmp(self->base, second, half));
	memcpy(second - 4, "over the edge", 14);
	EXPECT_EQ(0, memcmp(self->base, " the edge", 9));
	ASSERT_TRUE(unmap_and_keep(self->base));
	EXPECT_EQ(0, memcmp(second, " the edge", 9));
	ASSERT_TRUE(unmap_and_keep(second));
	ASSERT_TRUE(coalesce(self->base, self->size));
	EXPECT_PLACEHOLDER(self->base, self->size);
}

/*
 * As runtimes do it: addresses for all code are kept near each other; a piece of them
 * becomes a view that executes, is committed page by page, and written through a mirror.
 *
 * Rules: PH-27, PH-31, VC-02
 */
TEST_F(placeholder, code_and_its_mirror)
{
	HANDLE section = make_section(MIB(1), PAGE_EXECUTE_READWRITE |
						      SEC_RESERVE);
	char *code = self->base + 4 * PAGE, *mirror;
	char *at;
	unsigned int i;

	ASSERT_NE(NULL, section);
	ASSERT_TRUE(preserve(code, 4 * PAGE));
	ASSERT_EQ(code, map_over(section, code, 16 * PAGE, 4 * PAGE,
				 PAGE_EXECUTE_READ));
	mirror = MapViewOfFile(section, FILE_MAP_WRITE, 0, 16 * PAGE, 4 * PAGE);
	ASSERT_NE(NULL, mirror);
	for (i = 0; i < 4; i++) {
		EXPECT_FALSE(try_read(code + i * PAGE));
		ASSERT_EQ(mirror + i * PAGE,
			  VirtualAlloc(mirror + i * PAGE, PAGE, MEM_COMMIT,
				       PAGE_READWRITE));
		write_function(mirror + i * PAGE, 100 + i);
		at = code + i * PAGE;
		__builtin___clear_cache(at, at + FUNCTION_SIZE);
		EXPECT_EQ(100 + i, call_function(at));
		EXPECT_FALSE(try_write(at));
	}
	ASSERT_TRUE(UnmapViewOfFile(mirror));
	EXPECT_EQ(103, call_function(code + 3 * PAGE));
	ASSERT_TRUE(unmap_and_keep(code));
	ASSERT_TRUE(coalesce(self->base, self->size));
	EXPECT_TRUE(CloseHandle(section));
}

/* ---- files ---- */

/* Rules: PH-27, PH-31 */
TEST_F(placeholder, view_of_a_file)
{
	char path[] = "/tmp/placeholder_XXXXXX", text[16] = "";
	int fd = mkstemp(path);
	HANDLE file, section;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, self->size + 3 * PAGE));
	ASSERT_EQ(5, pwrite(fd, "hello", 5, 3 * PAGE));
	file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE,
			   FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
			   OPEN_EXISTING, 0, NULL);
	ASSERT_NE(INVALID_HANDLE_VALUE, file);
	section = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, NULL);
	ASSERT_NE(NULL, section);
	ASSERT_EQ(self->base, map_over(section, self->base, 3 * PAGE,
				       self->size, PAGE_READWRITE));
	EXPECT_EQ(0, memcmp(self->base, "hello", 6));
	memcpy(self->base, "HELLO", 5);
	ASSERT_TRUE(unmap_and_keep(self->base));
	EXPECT_EQ(5, pread(fd, text, 5, 3 * PAGE));
	EXPECT_EQ(0, strcmp(text, "HELLO"));
	/* A view that copies, and one that only reads */
	ASSERT_EQ(self->base, map_over(section, self->base, 3 * PAGE,
				       self->size, PAGE_WRITECOPY));
	self->base[0] = 'C';
	ASSERT_TRUE(unmap_and_keep(self->base));
	ASSERT_EQ(self->base, map_over(section, self->base, 3 * PAGE,
				       self->size, PAGE_READONLY));
	EXPECT_EQ('H', self->base[0]);
	EXPECT_FALSE(try_write(self->base));
	ASSERT_TRUE(unmap_and_keep(self->base));
	EXPECT_PLACEHOLDER(self->base, self->size);
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_TRUE(CloseHandle(file));
	close(fd);
	unlink(path);
}

/* Rules: PH-05, PH-11, UM-07 */
TEST_F(placeholder, views_leave_no_charge)
{
	struct winregion_get_info before = {}, after = {};
	HANDLE section = make_section(self->size, PAGE_READWRITE);

	ASSERT_NE(NULL, section);
	ASSERT_EQ(0, winregion_get_info(&before));
	ASSERT_EQ(self->base, map_over(section, self->base, 0, self->size,
				       PAGE_WRITECOPY));
	fill(self->base, self->size);
	ASSERT_EQ(0, winregion_get_info(&after));
	EXPECT_EQ(before.out_committed + self->size, after.out_committed);
	EXPECT_EQ(before.out_regions, after.out_regions);
	ASSERT_TRUE(unmap_and_keep(self->base));
	ASSERT_EQ(0, winregion_get_info(&after));
	EXPECT_EQ(before.out_committed, after.out_committed);
	EXPECT_EQ(before.out_regions, after.out_regions);
	EXPECT_TRUE(CloseHandle(section));
}

/* ---- the ioctls ---- */

/* Rules: PH-27, UM-07 */
TEST_F(placeholder, answer_that_cannot_be_told_undoes_the_view)
{
	struct winregion_create_section create = {
		.size = sizeof(create),
		.file = -1,
		.protection = WINREGION_READWRITE,
		.access = WINREGION_SECTION_ALL,
		.length = self->size,
	};
	struct winregion_unmap_view unmap = {
		.size = sizeof(unmap),
		.flags = 2,
		.address = (uintptr_t)self->base,
	};
	struct winregion_map_view *map;
	int fd = wr_open();

	ASSERT_EQ(0, ioctl(fd, WINREGION_CREATE_SECTION, &create));
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)map);
	*map = (struct winregion_map_view){
		.size = sizeof(*map),
		.flags = WINREGION_VIEW_REPLACE,
		.protection = WINREGION_READWRITE,
		.address = (uintptr_t)self->base,
	};
	ASSERT_EQ(0, mprotect(map, PAGE, PROT_READ));
	EXPECT_EQ(-1, ioctl(create.out_fd, WINREGION_MAP_VIEW, map));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_PLACEHOLDER(self->base, self->size);
	ASSERT_EQ(0, mprotect(map, PAGE, PROT_READ | PROT_WRITE));
	map->address = 0;
	EXPECT_EQ(-1, ioctl(create.out_fd, WINREGION_MAP_VIEW, map));
	EXPECT_EQ(EINVAL, errno);
	map->flags = 1U << 31;
	EXPECT_EQ(-1, ioctl(create.out_fd, WINREGION_MAP_VIEW, map));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, ioctl(fd, WINREGION_UNMAP_VIEW, &unmap));
	EXPECT_EQ(EOPNOTSUPP, errno);
	munmap(map, PAGE);
	close(create.out_fd);
	close(fd);
}

/* ---- fork ---- */

static int use_in_child(char *base, char *view, size_t size)
{
	if (!is_filled(view, 4 * PAGE))
		return 1;
	if (!unmap_and_keep(view))
		return 2;
	if (!coalesce(base, size))
		return 3;
	if (alloc2(base, size, REPLACE_NOW, PAGE_READWRITE) != base)
		return 4;
	if (!is_zero(base, size))
		return 5;
	return release_all(base, size) ? 0 : 6;
}

/* Rules: PH-18, UM-07 */
TEST_F(placeholder, child_has_the_same_view)
{
	HANDLE section = make_section(4 * PAGE, PAGE_READWRITE);
	size_t starts[] = { 4 * PAGE, 0, self->size - 4 * PAGE };
	char *view;
	size_t i;
	int status;
	pid_t pid;

	ASSERT_NE(NULL, section);
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		view = self->base + starts[i];
		ASSERT_TRUE(preserve(view, 4 * PAGE));
		ASSERT_EQ(view, map_over(section, view, 0, 4 * PAGE,
					 PAGE_READWRITE));
		fill(view, 4 * PAGE);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(use_in_child(self->base, view, self->size));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status) {
			TH_LOG("view %zu", i);
		}
		EXPECT_TRUE(is_filled(view, 4 * PAGE));
		ASSERT_TRUE(unmap_and_keep(view));
		ASSERT_TRUE(coalesce(self->base, self->size));
	}
	EXPECT_TRUE(CloseHandle(section));
}

/* ---- failures ---- */

/* Does it with the @nth failure. Return: whether there was one. */
static bool fails_at(unsigned int nth, bool (*call)(char *base, HANDLE section),
		     char *base, HANDLE section, bool *done)
{
	if (!fail_set(nth))
		return false;
	*done = call(base, section);
	return fail_clear();
}

static bool fail_to_map(char *base, HANDLE section)
{
	return map_over(section, base + 4 * PAGE, 0, 4 * PAGE,
			PAGE_READWRITE);
}

static bool fail_to_unmap(char *base, HANDLE section)
{
	return unmap_and_keep(base + 4 * PAGE);
}

static bool fail_to_join(char *base, HANDLE section)
{
	return coalesce(base, MIB(2));
}

/* Rules: M-11, PH-27, UM-07 */
TEST_F_TIMEOUT(placeholder, view_that_fails_leaves_it, 100)
{
	HANDLE section = make_section(4 * PAGE, PAGE_READWRITE);
	char *view = self->base + 4 * PAGE;
	unsigned int nth = 0;
	bool hit, done;

	if (!fail_open() || !fail_everything())
		SKIP(return, "this kernel injects no faults");
	ASSERT_NE(NULL, section);
	ASSERT_TRUE(preserve(view, 4 * PAGE));
	do {
		hit = fails_at(++nth, fail_to_map, self->base, section, &done);
		if (!done) {
			EXPECT_PLACEHOLDER(view, 4 * PAGE);
			ASSERT_TRUE(fail_to_map(self->base, section));
		}
		fill(view, 4 * PAGE);
		EXPECT_TRUE(unmap_and_keep(view));
	} while (hit);
	EXPECT_LT(1, nth);
	nth = 0;
	do {
		ASSERT_TRUE(fail_to_map(self->base, section));
		hit = fails_at(++nth, fail_to_unmap, self->base, section,
			       &done);
		if (!done) {
			EXPECT_TRUE(is_view(view, 4 * PAGE, PAGE_READWRITE));
			EXPECT_TRUE(is_filled(view, 4 * PAGE));
			ASSERT_TRUE(unmap_and_keep(view));
		}
		EXPECT_PLACEHOLDER(view, 4 * PAGE);
	} while (hit);
	EXPECT_LT(1, nth);
	ASSERT_TRUE(coalesce(self->base, self->size));
	EXPECT_TRUE(CloseHandle(section));
}

/* Rules: M-11, PH-18 */
TEST(join_that_fails_leaves_them)
{
	unsigned int nth = 0;
	bool hit, done;

	if (!fail_open() || !fail_everything())
		SKIP(return, "this kernel injects no faults");
	do {
		ASSERT_EQ(ARENA, alloc2(ARENA, MIB(1), MAKE, PAGE_NOACCESS));
		ASSERT_EQ(ARENA + MIB(1), alloc2(ARENA + MIB(1), MIB(1), MAKE,
						 PAGE_NOACCESS));
		hit = fails_at(++nth, fail_to_join, ARENA, NULL, &done);
		if (!done) {
			/* One of them, or both: what it was, or what it is to be. */
			EXPECT_FALSE(alloc2(ARENA, PAGE, MEM_RESERVE,
					    PAGE_READWRITE));
			coalesce(ARENA, MIB(2));
		}
		EXPECT_PLACEHOLDER(ARENA, MIB(2));
		EXPECT_TRUE(VirtualFree(ARENA, 0, MEM_RELEASE));
	} while (hit);
	EXPECT_LT(1, nth);
}

/* ---- races ---- */

#define PIECES 4
#define PIECE (4 * PAGE)

struct stage {
	char *base;
	HANDLE section;
	struct crew crew;
	volatile uint64_t wrong;
	volatile uint64_t done;
	volatile uint64_t next;
};

static void *user(void *arg)
{
	struct stage *stage = arg;
	uint64_t number = __atomic_fetch_add(&stage->next, 1, __ATOMIC_SEQ_CST);
	char *piece = stage->base + number * PIECE;

	while (crew_goes_on(&stage->crew)) {
		preserve(piece, PIECE);
		if (map_over(stage->section, piece, number * PIECE, PIECE,
			     PAGE_READWRITE) != piece)
			continue;
		fill(piece, PIECE);
		if (!is_filled(piece, PIECE))
			race_add(&stage->wrong, 1);
		if (!unmap_and_keep(piece))
			race_add(&stage->wrong, 1);
		race_add(&stage->done, 1);
	}
	return NULL;
}

static void *joiner(void *arg)
{
	struct stage *stage = arg;
	unsigned int i;

	while (crew_goes_on(&stage->crew))
		for (i = 0; i < PIECES - 1; i++)
			coalesce(stage->base + i * PIECE, 2 * PIECE);
	return NULL;
}

/* Wants some of it for itself. */
static void *intruder(void *arg)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
	struct stage *stage = arg;
	uint64_t random = 77;
	char *at;

	while (crew_goes_on(&stage->crew)) {
		at = stage->base +
		     race_random(&random, PIECES * PIECE / PAGE) * PAGE;
		if (mmap(at, PAGE, PROT_READ, flags, -1, 0) != MAP_FAILED ||
		    VirtualAlloc(at, PAGE, MEM_RESERVE, PAGE_READONLY))
			race_add(&stage->wrong, 1);
	}
	return NULL;
}

/* Rules: PH-18, PH-27, UM-07 */
TEST_F_TIMEOUT(placeholder, nobody_gets_between_views, 300)
{
	struct stage stage = { .base = self->base };
	long rounds = race_rounds(40);
	int status;
	pid_t pid;

	stage.section = make_section(PIECES * PIECE, PAGE_READWRITE);
	ASSERT_NE(NULL, stage.section);
	crew_add(&stage.crew, user, &stage);
	crew_add(&stage.crew, user, &stage);
	crew_add(&stage.crew, joiner, &stage);
	crew_add(&stage.crew, intruder, &stage);
	while (rounds--) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(look_for_holes(self->base, PIECES * PIECE));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
	while (race_load(&stage.done) < 20)
		sched_yield();
	crew_stop(&stage.crew);
	EXPECT_EQ(0, stage.wrong);
	EXPECT_TRUE(CloseHandle(stage.section));
}

TEST_HARNESS_MAIN
