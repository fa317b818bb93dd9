// SPDX-License-Identifier: GPL-2.0
/*
 * Images: sections of programs and libraries for Windows, by the calls of Windows and
 * by the ioctls. The files are written here, byte by byte.
 */
#include "kselftest_harness.h"

#include <sys/time.h>

#include "file_fixture.h"
#include "fail_nth.h"
#include "pe_file.h"
#include "race.h"
#include "rounds.h"
#include "sections.h"

#include <winregion/psapi.h>

#define main dll_main
#include "../userlib/examples/instances_dll.c"
#undef main

#define BASE ((char *)0x180000000)

/* The sections of the test's library, and how large it is */
#define CODE 0x1000
#define CONSTS 0x2000
#define VALUES 0x3000
#define COUNTERS 0x5000
#define RELOCATIONS 0x6000
#define SIZE 0x7000

/* Where its functions are: one that returns 42, and one that returns where VALUES is */
#define GET_42 (CODE + 0)
#define GET_VALUES (CODE + 16)
/* The address in the latter, which is relocated */
#ifdef __aarch64__
#define ADDRESS_IN_CODE 24
#else
#define ADDRESS_IN_CODE 18
#endif

typedef uint64_t (*function)(void);

static uint64_t call(const char *base, uint32_t address)
{
	return ((function)(uintptr_t)(base + address))();
}

/* As write_function(), with an address */
static void write_address_function(char *at, uint64_t address)
{
#ifdef __aarch64__
	/* The address is behind "ldr x0, . + 8; ret". */
	const uint32_t code[] = { 0x58000040, 0xd65f03c0 };

	memcpy(at, code, sizeof(code));
	memcpy(at + sizeof(code), &address, sizeof(address));
#else
	memcpy(at, "\x48\xB8", 2);
	memcpy(at + 2, &address, sizeof(address));
	at[10] = '\xC3';
#endif
}

static void make_library(struct pe_file *pe)
{
	const uint16_t places[] = { 0xA000 | ADDRESS_IN_CODE, 0xA010 };
	uint64_t values = (uintptr_t)BASE + VALUES;
	uint8_t data[64] = { 0 };
	char code[32] = { 0 };
	uint32_t size;

	write_function(code, 42);
	write_address_function(code + 16, values);
	pe_begin(pe, 1, (uintptr_t)BASE);
	pe_section(pe, ".text", code, sizeof(code), 0x20, PE_CODE);
	pe_section(pe, ".rdata", "const", 5, 5, PE_CONST);
	memcpy(data, "value", 5);
	memcpy(data + 16, &values, sizeof(values));
	pe_section(pe, ".data", data, 24, 0x1800, PE_DATA);
	pe_section(pe, ".shared", "\x05", 1, 4, PE_SHARED);
	size = pe_relocations(data, CODE, places, 1);
	size += pe_relocations(data + size, VALUES, places + 1, 1);
	pe_section(pe, ".reloc", data, size, size, PE_CONST);
	pe_directory(pe, 5, RELOCATIONS, size);
}

static bool write_pe(const char *name, const struct pe_file *pe)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool done = fd >= 0 &&
		    write(fd, pe->bytes, pe->size) == (ssize_t)pe->size;

	close(fd);
	return done;
}

static bool write_library(const char *name)
{
	struct pe_file pe;

	make_library(&pe);
	return write_pe(name, &pe);
}

/*
 * As write_library(), not just when a second begins: of such a time it cannot be told
 * whether the file system has finer ones.
 */
static bool write_to_share(const char *name)
{
	struct stat st;
	bool ok;

	do {
		ok = write_library(name) && !stat(name, &st);
	} while (ok && (!st.st_mtim.tv_nsec || !st.st_ctim.tv_nsec));

	return ok;
}

static HANDLE open_image(const char *name, DWORD flags)
{
	HANDLE file = open_file(name, GENERIC_READ, SHARE_ALL, OPEN_EXISTING,
				0);
	HANDLE section = CreateFileMappingA(file, NULL, PAGE_READONLY | flags,
					    0, 0, NULL);

	if (file != BAD) {
		DWORD error = GetLastError();

		CloseHandle(file);
		SetLastError(error);
	}
	return section;
}

/* Maps it by a section that is closed again. */
static char *map_image(const char *name)
{
	HANDLE section = open_image(name, SEC_IMAGE);
	char *base = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);

	if (section)
		CloseHandle(section);
	return base;
}

/* Whether a child that calls what is there ends by SIGSEGV */
static bool faults(const char *base, uint32_t address)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		call(base, address);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGSEGV;
}

static void set_text(char *to, const char *text)
{
	memcpy(to, text, strlen(text) + 1);
}

static DWORD protection_at(const char *at)
{
	MEMORY_BASIC_INFORMATION info;

	if (!VirtualQuery(at, &info, sizeof(info)))
		return 0;
	return info.Protect;
}

/* A run of the image's pages is this. */
#define EXPECT_RUN(base, begin, end, protection) ({			\
	MEMORY_BASIC_INFORMATION __info;				\
									\
	EXPECT_EQ(sizeof(__info), VirtualQuery((base) + (begin),	\
					       &__info, sizeof(__info)));\
	EXPECT_EQ((base) + (begin), (char *)__info.BaseAddress);	\
	EXPECT_EQ((base), (char *)__info.AllocationBase);		\
	EXPECT_EQ(PAGE_EXECUTE_WRITECOPY, __info.AllocationProtect);	\
	EXPECT_EQ((end) - (begin), __info.RegionSize);			\
	EXPECT_EQ(MEM_COMMIT, __info.State);				\
	EXPECT_EQ(MEM_IMAGE, __info.Type);				\
	EXPECT_EQ(protection, __info.Protect);				\
})

/* Rules: IMG-01, IMG-02, XP-06. */
TEST_F(files, lies_as_its_headers_say)
{
	char *base;
	int i;

	ASSERT_TRUE(write_library("a.dll"));
	base = map_image("a.dll");
	ASSERT_EQ(BASE, base);
	EXPECT_RUN(base, 0, CODE, PAGE_READONLY);
	EXPECT_RUN(base, CODE, CONSTS, PAGE_EXECUTE_READ);
	EXPECT_RUN(base, CONSTS, VALUES, PAGE_READONLY);
	EXPECT_RUN(base, VALUES, COUNTERS, PAGE_WRITECOPY);
	EXPECT_RUN(base, COUNTERS, RELOCATIONS, PAGE_READWRITE);
	EXPECT_RUN(base, RELOCATIONS, SIZE, PAGE_READONLY);
	EXPECT_EQ(0, memcmp(base, "MZ", 2));
	EXPECT_EQ(42, call(base, GET_42));
	EXPECT_EQ((uintptr_t)base + VALUES, call(base, GET_VALUES));
	EXPECT_STREQ("const", base + CONSTS);
	EXPECT_STREQ("value", base + VALUES);
	EXPECT_TRUE(faults(base, VALUES));
	for (i = 24; i < COUNTERS - VALUES; i++)
		ASSERT_EQ(0, base[VALUES + i]);
	EXPECT_EQ(5, base[COUNTERS]);
	EXPECT_TRUE(UnmapViewOfFile(base));
}

/* Rules: RI-11, RI-12. A copy of an image is none. */
TEST_F(files, where_an_image_is)
{
	const uint32_t places[] = { 0, GET_42, VALUES + 1, SIZE - 1 };
	MEMORY_IMAGE_INFORMATION info;
	char *base, *copy;
	SIZE_T returned;
	size_t i;

	ASSERT_TRUE(write_library("a.dll"));
	base = map_image("a.dll");
	ASSERT_EQ(BASE, base);
	base[VALUES] = 'V';
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		memset(&info, 0xcc, sizeof(info));
		EXPECT_EQ(STATUS_SUCCESS,
			  NtQueryVirtualMemory(GetCurrentProcess(),
					       base + places[i],
					       MemoryImageInformation, &info,
					       sizeof(info), &returned));
		EXPECT_EQ(sizeof(info), returned);
		EXPECT_EQ(base, (char *)info.ImageBase);
		EXPECT_EQ(SIZE, info.SizeOfImage);
		EXPECT_EQ(0, info.ImageFlags);
	}
	copy = VirtualAlloc(NULL, SIZE, MEM_RESERVE | MEM_COMMIT,
			    PAGE_READWRITE);
	ASSERT_NE(NULL, copy);
	memcpy(copy, base, SIZE);
	EXPECT_EQ(STATUS_SUCCESS,
		  NtQueryVirtualMemory(GetCurrentProcess(), copy,
				       MemoryImageInformation, &info,
				       sizeof(info), &returned));
	EXPECT_EQ(NULL, info.ImageBase);
	EXPECT_EQ(0, info.SizeOfImage);
	EXPECT_TRUE(VirtualFree(copy, 0, MEM_RELEASE));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_EQ(STATUS_INVALID_ADDRESS,
		  NtQueryVirtualMemory(GetCurrentProcess(), base,
				       MemoryImageInformation, &info,
				       sizeof(info), &returned));
}

/* Rules: CM-12. */
TEST_F(files, what_a_section_says)
{
	SECTION_BASIC_INFORMATION info;
	HANDLE section;

	ASSERT_TRUE(write_library("a.dll"));
	section = open_image("a.dll", SEC_IMAGE);
	ASSERT_NE(NULL, section);
	EXPECT_EQ(ERROR_SUCCESS, GetLastError());
	EXPECT_EQ(STATUS_SUCCESS,
		  NtQuerySection(section, SectionBasicInformation, &info,
				 sizeof(info), NULL));
	EXPECT_EQ(SEC_FILE | SEC_IMAGE, info.Attributes);
	EXPECT_EQ(SIZE, info.Size.QuadPart);
	EXPECT_TRUE(CloseHandle(section));
	section = open_image("a.dll", SEC_IMAGE_NO_EXECUTE);
	ASSERT_NE(NULL, section);
	EXPECT_EQ(STATUS_SUCCESS,
		  NtQuerySection(section, SectionBasicInformation, &info,
				 sizeof(info), NULL));
	EXPECT_EQ(SEC_FILE | SEC_IMAGE_NO_EXECUTE, info.Attributes);
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     open_image("a.dll", SEC_IMAGE | SEC_RESERVE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     open_image("a.dll", SEC_IMAGE | SEC_COMMIT));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     open_image("a.dll", SEC_IMAGE | SEC_LARGE_PAGES));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     open_image("a.dll", SEC_IMAGE | SEC_WRITECOMBINE));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     open_image("a.dll", SEC_IMAGE | SEC_FILE));
}

/* Rules: IMG-03. */
TEST_F(files, what_is_no_image)
{
	struct pe_file pe;

	ASSERT_TRUE(make_file("text.dll", "MZ, as a text may begin, and ends"));
	ASSERT_TRUE(make_file("none.dll", ""));
	EXPECT_FAILS(ERROR_BAD_EXE_FORMAT, open_image("text.dll", SEC_IMAGE));
	EXPECT_FAILS(ERROR_FILE_INVALID, open_image("none.dll", SEC_IMAGE));
	make_library(&pe);
	pe.size -= 0x200;
	ASSERT_TRUE(write_pe("short.dll", &pe));
	EXPECT_FAILS(ERROR_BAD_EXE_FORMAT, open_image("short.dll", SEC_IMAGE));
	pe.size += 0x200;
	pe_put16(&pe, PE_AT_HEADER + 4, PE_FOREIGN);
	ASSERT_TRUE(write_pe("other.dll", &pe));
	EXPECT_FAILS(ERROR_BAD_EXE_FORMAT, open_image("other.dll", SEC_IMAGE));
}

/* Rules: IMG-04, IMG-05. */
TEST_F(files, relocated_where_it_is_not_at_its_base)
{
	LARGE_INTEGER offset = { .QuadPart = 0 };
	PVOID other = NULL, wanted = BASE + 0x1000000;
	SIZE_T size = 0;
	HANDLE section;
	char *base;

	ASSERT_TRUE(write_library("a.dll"));
	section = open_image("a.dll", SEC_IMAGE);
	ASSERT_NE(NULL, section);
	base = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
	ASSERT_EQ(BASE, base);
	EXPECT_EQ(STATUS_IMAGE_NOT_AT_BASE,
		  NtMapViewOfSection(section, GetCurrentProcess(), &other, 0,
				     0, &offset, &size, ViewUnmap, 0,
				     PAGE_READONLY));
	ASSERT_NE(NULL, other);
	EXPECT_NE(base, (char *)other);
	EXPECT_EQ(SIZE, size);
	EXPECT_EQ((uintptr_t)other + VALUES, call(other, GET_VALUES));
	EXPECT_EQ((uintptr_t)base + VALUES, call(base, GET_VALUES));
	EXPECT_EQ((uintptr_t)other + VALUES,
		  *(uint64_t *)((char *)other + VALUES + 16));
	/* The page has a copy already. */
	EXPECT_RUN((char *)other, VALUES, VALUES + 0x1000, PAGE_READWRITE);
	EXPECT_RUN((char *)other, VALUES + 0x1000, COUNTERS, PAGE_WRITECOPY);
	EXPECT_RUN((char *)other, CODE, CONSTS, PAGE_EXECUTE_READ);
	EXPECT_EQ(wanted, MapViewOfFileEx(section, FILE_MAP_READ, 0, 0, 0,
					  wanted));
	EXPECT_EQ((uintptr_t)wanted + VALUES, call(wanted, GET_VALUES));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     MapViewOfFileEx(section, FILE_MAP_READ, 0, 0, 0, wanted));
	EXPECT_TRUE(UnmapViewOfFile(wanted));
	EXPECT_TRUE(UnmapViewOfFile(other));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(CloseHandle(section));
}

/* Rules: IMG-04. */
TEST_F(files, not_relocated_without_relocations)
{
	struct pe_file pe;
	HANDLE section;
	char *base;

	make_library(&pe);
	pe_put16(&pe, PE_AT_FLAGS, 0x2003);
	ASSERT_TRUE(write_pe("a.dll", &pe));
	section = open_image("a.dll", SEC_IMAGE);
	base = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
	ASSERT_EQ(BASE, base);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(CloseHandle(section));
}

/* Rules: IMG-06. */
TEST_F(files, what_is_written_is_copied)
{
	char *base, *other;

	ASSERT_TRUE(write_library("a.dll"));
	base = map_image("a.dll");
	other = map_image("a.dll");
	ASSERT_EQ(BASE, base);
	ASSERT_NE(NULL, other);
	set_text(base + VALUES + 0x1000, "mine");
	EXPECT_STREQ("", other + VALUES + 0x1000);
	EXPECT_EQ(PAGE_READWRITE, protection_at(base + VALUES + 0x1000));
	EXPECT_EQ(PAGE_WRITECOPY, protection_at(other + VALUES + 0x1000));
	EXPECT_TRUE(UnmapViewOfFile(base));
	base = map_image("a.dll");
	EXPECT_EQ(BASE, base);
	EXPECT_STREQ("", base + VALUES + 0x1000);
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(UnmapViewOfFile(other));
}

/* Rules: IMG-07. */
TEST_F(files, protections_of_images)
{
	char *base;
	DWORD old;

	ASSERT_TRUE(write_library("a.dll"));
	base = map_image("a.dll");
	ASSERT_EQ(BASE, base);
	EXPECT_TRUE(VirtualProtect(base + CODE, 1, PAGE_EXECUTE_READWRITE,
				   &old));
	EXPECT_EQ(PAGE_EXECUTE_READ, old);
	EXPECT_EQ(PAGE_EXECUTE_WRITECOPY, protection_at(base + CODE));
	base[GET_42 + FUNCTION_VALUE] = 43;
	EXPECT_EQ(PAGE_EXECUTE_READWRITE, protection_at(base + CODE));
	EXPECT_EQ(43, call(base, GET_42));
	EXPECT_TRUE(VirtualProtect(base + CONSTS, 1, PAGE_READWRITE, &old));
	EXPECT_EQ(PAGE_WRITECOPY, protection_at(base + CONSTS));
	/* From one part into another */
	EXPECT_TRUE(VirtualProtect(base + CONSTS, 0x2001, PAGE_READONLY, &old));
	EXPECT_EQ(PAGE_WRITECOPY, old);
	EXPECT_EQ(PAGE_READONLY, protection_at(base + VALUES + 0x1000));
	EXPECT_TRUE(VirtualProtect(base + VALUES, 0x2001, PAGE_READWRITE,
				   &old));
	EXPECT_EQ(PAGE_WRITECOPY, protection_at(base + VALUES));
	EXPECT_EQ(PAGE_READWRITE, protection_at(base + COUNTERS));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualProtect(base + VALUES, 0x10000, PAGE_READONLY,
				    &old));
	EXPECT_TRUE(UnmapViewOfFile(base));
}

/* ---- without memory of the program's ---- */

static unsigned long allocations;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t nr, size_t size);

void *malloc(size_t size)
{
	__atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
	return __libc_malloc(size);
}

void *calloc(size_t nr, size_t size)
{
	__atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
	return __libc_calloc(nr, size);
}

#define MANY_PAGES 40

/* Rules: IMG-07, VP-17. */
TEST_F(files, protected_without_memory)
{
	unsigned long before;
	struct pe_file pe;
	char *base;
	DWORD old;
	int i;

	pe_begin(&pe, 1, (uintptr_t)BASE);
	pe_section(&pe, ".rdata", "text", 5, 5, PE_CONST);
	pe_section(&pe, ".data", "text", 5, MANY_PAGES * 4096, PE_DATA);
	ASSERT_TRUE(write_pe("a.dll", &pe));
	base = map_image("a.dll");
	ASSERT_EQ(BASE, base);
	/* Each page is another part. */
	for (i = 0; i < MANY_PAGES; i += 2)
		ASSERT_TRUE(VirtualProtect(base + 0x2000 + i * 4096, 1,
					   PAGE_NOACCESS, &old));
	before = allocations;
	EXPECT_TRUE(VirtualProtect(base + 0x1000, 0x3000, PAGE_READONLY, &old));
	EXPECT_TRUE(VirtualProtect(base + 0x1000, (1 + MANY_PAGES) * 4096,
				   PAGE_READONLY, &old));
	EXPECT_FALSE(VirtualProtect(base, 0x100000, PAGE_READONLY, &old));
	EXPECT_EQ(before, allocations);
	for (i = 0; i < MANY_PAGES; i++)
		EXPECT_EQ(PAGE_READONLY, protection_at(base + 0x2000 +
						       i * 4096));
	EXPECT_TRUE(UnmapViewOfFile(base));
}

/* Rules: IMG-02, IMG-08. */
TEST_F(files, nothing_executes)
{
	HANDLE section;
	char *base;
	DWORD old;

	ASSERT_TRUE(write_library("a.dll"));
	section = open_image("a.dll", SEC_IMAGE_NO_EXECUTE);
	base = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
	ASSERT_EQ(BASE, base);
	EXPECT_RUN(base, 0, VALUES, PAGE_READONLY);
	EXPECT_EQ(42, base[GET_42 + FUNCTION_VALUE]);
	EXPECT_TRUE(faults(base, GET_42));
	EXPECT_FALSE(VirtualProtect(base + CODE, 1, PAGE_EXECUTE_READ, &old));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(CloseHandle(section));
}

static int uint_of(const char *base)
{
	return *(volatile int *)base;
}

/* What a process that maps the file itself sees and does; true if all is as it says */
static bool child_counts(int before, uid_t user)
{
	pid_t pid = fork();
	int status = -1;
	char *base;

	if (!pid) {
		if (user && setuid(user))
			_exit(2);
		base = map_image("a.dll");
		if (!base || uint_of(base + COUNTERS) != before)
			_exit(3);
		++*(volatile int *)(base + COUNTERS);
		set_text(base + VALUES, "child");
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

/* Rules: IMG-09. */
TEST_F(files, what_is_shared_by_all_processes)
{
	char *base;

	ASSERT_TRUE(write_to_share("a.dll"));
	base = map_image("a.dll");
	ASSERT_EQ(BASE, base);
	EXPECT_TRUE(child_counts(5, 0));
	EXPECT_EQ(6, uint_of(base + COUNTERS));
	EXPECT_TRUE(child_counts(6, 0));
	EXPECT_EQ(7, uint_of(base + COUNTERS));
	EXPECT_STREQ("value", base + VALUES);
	/* Another user has its own, and the next one is at the beginning. */
	EXPECT_TRUE(child_counts(5, NOBODY));
	EXPECT_EQ(7, uint_of(base + COUNTERS));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(child_counts(5, 0));
}

/* Which page of memory it is that @at is in, or 0 */
static uint64_t frame_of(const char *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (*(volatile const char *)at < 0)
		entry = 1;
	if (pread(fd, &entry, sizeof(entry), (uintptr_t)at / 4096 * 8) !=
	    sizeof(entry))
		entry = 0;
	close(fd);
	return entry & ((1ULL << 55) - 1);
}

/* Rules: IMG-10. */
TEST_F(files, code_is_there_once)
{
	char *base, *other;

	ASSERT_TRUE(write_to_share("a.dll"));
	base = map_image("a.dll");
	other = map_image("a.dll");
	ASSERT_EQ(BASE, base);
	ASSERT_NE(NULL, other);
	ASSERT_NE(0, frame_of(base + CONSTS));
	EXPECT_EQ(frame_of(base + CONSTS), frame_of(other + CONSTS));
	EXPECT_EQ(frame_of(base), frame_of(other));
	/* That one was relocated. */
	EXPECT_NE(frame_of(base + CODE), frame_of(other + CODE));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(UnmapViewOfFile(other));
}

/* Whether two images are one, of a file that says it was written @seconds from now. */
static bool is_one_if_written(int seconds, long ns)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	char *base, *other;
	struct stat st;
	bool one;

	if (!write_library("a.dll"))
		return false;
	do {
		clock_gettime(CLOCK_REALTIME, &times[1]);
		times[1].tv_sec += seconds;
		times[1].tv_nsec = ns;
		if (utimensat(AT_FDCWD, "a.dll", times, 0) ||
		    stat("a.dll", &st))
			return false;
	} while (!st.st_ctim.tv_nsec);
	base = map_image("a.dll");
	other = map_image("a.dll");
	one = base && other &&
	      frame_of(base + CONSTS) == frame_of(other + CONSTS);
	return UnmapViewOfFile(base) && UnmapViewOfFile(other) && one;
}

/*
 * Ticks are no whole seconds, though a clock that begins with one tells no other times.
 * What is from a time to come can be written then once more. Rules: IMG-10, IMG-11.
 */
TEST_F(files, times_in_ticks)
{
	EXPECT_TRUE(is_one_if_written(-1, 900000000));
	EXPECT_FALSE(is_one_if_written(60, 0));
}

/* Rules: IMG-11. */
TEST_F(files, a_file_that_is_changed)
{
	char *base, *other;
	int fd;

	ASSERT_TRUE(write_library("a.dll"));
	base = map_image("a.dll");
	ASSERT_EQ(BASE, base);
	fd = open("a.dll", O_RDWR | O_CLOEXEC);
	ASSERT_EQ(5, pwrite(fd, "other", 5, PE_HEADERS + 0x200));
	EXPECT_EQ(0, close(fd));
	EXPECT_STREQ("const", base + CONSTS);
	other = map_image("a.dll");
	ASSERT_NE(NULL, other);
	EXPECT_STREQ("other", other + CONSTS);
	EXPECT_STREQ("const", base + CONSTS);
	EXPECT_EQ(0, truncate("a.dll", 0));
	EXPECT_STREQ("other", other + CONSTS);
	EXPECT_EQ(42, call(base, GET_42));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(UnmapViewOfFile(other));
}

#define CHANGES 50

/* What is changed at once, with the same times, is told as well. Rules: IMG-11. */
TEST_F(files, a_file_that_is_changed_at_once)
{
	char text[6], *base, *before = NULL;
	int fd, i;

	ASSERT_TRUE(write_library("a.dll"));
	fd = open("a.dll", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	for (i = 0; i < CHANGES; i++) {
		snprintf(text, sizeof(text), "%05d", i);
		ASSERT_EQ(5, pwrite(fd, text, 5, PE_HEADERS + 0x200));
		base = map_image("a.dll");
		ASSERT_NE(NULL, base);
		EXPECT_STREQ(text, base + CONSTS);
		UnmapViewOfFile(before);
		before = base;
	}
	EXPECT_TRUE(UnmapViewOfFile(before));
	EXPECT_EQ(0, close(fd));
}

/*
 * A mapping that is there, or that has read before it writes, as to tmpfs, writes without
 * a change of times. Rules: IMG-11.
 */
TEST_F(files, a_file_that_is_written_by_a_mapping)
{
	const size_t size = PE_HEADERS + 0x400;
	char *file, *text, *base, *other, *last;
	int fd;

	ASSERT_TRUE(write_library("a.dll"));
	fd = open("a.dll", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, file);
	text = file + PE_HEADERS + 0x200;
	EXPECT_STREQ("const", text);
	base = map_image("a.dll");
	ASSERT_NE(NULL, base);
	memcpy(text, "first", 5);
	other = map_image("a.dll");
	ASSERT_NE(NULL, other);
	memcpy(text, "other", 5);
	EXPECT_EQ(0, munmap(file, size));
	last = map_image("a.dll");
	ASSERT_NE(NULL, last);
	EXPECT_STREQ("const", base + CONSTS);
	EXPECT_STREQ("first", other + CONSTS);
	EXPECT_STREQ("other", last + CONSTS);
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(UnmapViewOfFile(other));
	EXPECT_TRUE(UnmapViewOfFile(last));
	EXPECT_EQ(0, close(fd));
}

static int regions_of(int fd)
{
	struct winregion_get_info info;

	return wr_get_info(fd, &info) ? -1 : (int)info.out_regions;
}

/* Rules: IMG-12. */
TEST_F(files, an_image_goes_as_a_whole)
{
	MEMORY_BASIC_INFORMATION info;
	int fd = wr_open(), regions, fds;
	char *base;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(write_library("a.dll"));
	ASSERT_TRUE(UnmapViewOfFile(map_image("a.dll")));
	regions = regions_of(fd);
	fds = count_fds();
	base = map_image("a.dll");
	ASSERT_EQ(BASE, base);
	EXPECT_LT(regions, regions_of(fd));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualFree(base, 0, MEM_RELEASE));
	EXPECT_TRUE(UnmapViewOfFile(base + VALUES + 0x123));
	EXPECT_EQ(regions, regions_of(fd));
	EXPECT_EQ(fds, count_fds());
	ASSERT_EQ(sizeof(info), VirtualQuery(base, &info, sizeof(info)));
	EXPECT_EQ(MEM_FREE, info.State);
	EXPECT_LE(SIZE, info.RegionSize);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, UnmapViewOfFile(base));
	close(fd);
}

static int unmap_after_others(void *unused)
{
	char *base = map_image("a.dll");
	int own[NR_OWN];

	CHECK(base);
	CHECK(replace_all(own));
	CHECK(UnmapViewOfFile(base));
	CHECK(all_are_there(own));
	return 0;
}

/* The descriptor is not there at all: the device takes the lowest number. */
static int unmap_after_closing(void *unused)
{
	int fd = open("own", O_RDONLY);
	char *base = map_image("a.dll");

	CHECK(fd >= 0 && base);
	for (fd = 3; fd < 256; fd++)
		close(fd);
	errno = OUR_ERRNO;
	CHECK(UnmapViewOfFile(base));
	CHECK(errno == OUR_ERRNO);
	return 0;
}

/* Rules: HANDLE-08. */
TEST_F(files, an_image_without_its_descriptor)
{
	ASSERT_TRUE(write_library("a.dll"));
	ASSERT_TRUE(make_file("own", "text"));
	EXPECT_EQ(0, in_child(unmap_after_others, NULL));
	EXPECT_EQ(0, in_child(unmap_after_closing, NULL));
}

/* Rules: IMG-13. */
TEST_F(files, a_child_has_the_image)
{
	int status = -1;
	char *base;
	pid_t pid;

	ASSERT_TRUE(write_library("a.dll"));
	base = map_image("a.dll");
	ASSERT_EQ(BASE, base);
	set_text(base + VALUES, "parent");
	pid = fork();
	if (!pid) {
		MEMORY_BASIC_INFORMATION info;
		bool ok = VirtualQuery(base + CODE, &info, sizeof(info)) &&
			  info.Type == MEM_IMAGE &&
			  info.AllocationBase == base &&
			  call(base, GET_42) == 42 &&
			  !strcmp(base + VALUES, "parent");

		set_text(base + VALUES, "child");
		*(volatile int *)(base + COUNTERS) = 99;
		_exit(!(ok && UnmapViewOfFile(base)));
	}
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_STREQ("parent", base + VALUES);
	EXPECT_EQ(99, uint_of(base + COUNTERS));
	EXPECT_TRUE(UnmapViewOfFile(base));
}

/* ---- names ---- */

static bool is_called(HANDLE process, char *at, const char *name)
{
	char path[PATH_MAX], found[PATH_MAX];

	if (!realpath(".", path))
		return false;
	strcat(path, "/");
	strcat(path, name);
	return GetMappedFileNameA(process, at, found, sizeof(found)) ==
		       strlen(path) &&
	       !strcmp(found, path);
}

/* Rules: MF-07. All of it, written or not, and not the file that has the name later. */
TEST_F(files, an_image_has_the_name_of_its_file)
{
	const char *odd = "a\nb (deleted).dll";
	char *base, *other;

	ASSERT_TRUE(write_library("a.dll"));
	base = map_image("a.dll");
	ASSERT_NE(NULL, base);
	set_text(base + VALUES, "copy");
	EXPECT_TRUE(is_called(GetCurrentProcess(), base, "a.dll"));
	EXPECT_TRUE(is_called(GetCurrentProcess(), base + CODE, "a.dll"));
	EXPECT_TRUE(is_called(GetCurrentProcess(), base + VALUES, "a.dll"));
	EXPECT_TRUE(is_called(GetCurrentProcess(), base + COUNTERS, "a.dll"));
	EXPECT_TRUE(is_called(GetCurrentProcess(), base + SIZE - 1, "a.dll"));
	ASSERT_EQ(0, rename("a.dll", odd));
	other = map_image(odd);
	ASSERT_NE(NULL, other);
	EXPECT_TRUE(is_called(GetCurrentProcess(), base, "a.dll"));
	EXPECT_TRUE(is_called(GetCurrentProcess(), other, odd));
	ASSERT_EQ(0, unlink(odd));
	EXPECT_TRUE(is_called(GetCurrentProcess(), other, odd));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(UnmapViewOfFile(other));
}

/* Rules: RI-13. */
TEST_F(files, kind_of_an_image)
{
	WIN32_MEMORY_REGION_INFORMATION info;
	char *base;

	ASSERT_TRUE(write_library("a.dll"));
	base = map_image("a.dll");
	ASSERT_NE(NULL, base);
	ASSERT_TRUE(QueryVirtualMemoryInformation(GetCurrentProcess(),
						  base + CODE, MemoryRegionInfo,
						  &info, sizeof(info), NULL));
	EXPECT_TRUE(info.MappedImage == 1);
	info.MappedImage = 0;
	EXPECT_EQ(0, info.Flags);
	EXPECT_TRUE(UnmapViewOfFile(base));
}

/* Rules: MF-07. */
TEST_F(files, names_of_images_in_another_process)
{
	char *base, name[8];
	HANDLE process;
	pid_t pid;

	ASSERT_TRUE(write_library("a.dll"));
	base = map_image("a.dll");
	ASSERT_NE(NULL, base);
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_FAILS(ERROR_UNEXP_NET_ERR,
		     GetMappedFileNameA(GetCurrentProcess(), base, name, 8));
	process = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, pid);
	ASSERT_NE(NULL, process);
	EXPECT_TRUE(is_called(process, base + CODE, "a.dll"));
	EXPECT_TRUE(CloseHandle(process));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Bytes behind the string, as NtQueryVirtualMemory() stores them */
struct name_answer {
	UNICODE_STRING name;
	WCHAR text[PATH_MAX];
};

static NTSTATUS ask_name(void *at, struct name_answer *answer, SIZE_T length,
			 SIZE_T *returned)
{
	return NtQueryVirtualMemory(NtCurrentProcess(), at,
				    MemoryMappedFilenameInformation, answer,
				    length, returned);
}

/* Rules: MF-08, RI-12. */
TEST_F(files, what_nt_says_of_an_image)
{
	char *base, *ours, path[PATH_MAX], text[PATH_MAX];
	MEMORY_IMAGE_INFORMATION image;
	struct name_answer answer;
	SIZE_T returned = 0, length;

	ASSERT_TRUE(write_library("a.dll"));
	base = map_image("a.dll");
	ASSERT_NE(NULL, base);
	ours = VirtualAlloc(NULL, 1, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	ASSERT_NE(NULL, ours);
	length = GetMappedFileNameA(GetCurrentProcess(), base, path, PATH_MAX);
	EXPECT_EQ(STATUS_SUCCESS,
		  ask_name(base, &answer, sizeof(answer), &returned));
	EXPECT_EQ(sizeof(UNICODE_STRING) + 2 * (length + 1), returned);
	EXPECT_EQ(2 * length, answer.name.Length);
	EXPECT_EQ(2 * (length + 1), answer.name.MaximumLength);
	EXPECT_EQ(&answer.text[0], answer.name.Buffer);
	EXPECT_EQ(length + 1, WideCharToMultiByte(CP_UTF8, 0, answer.text, -1,
						  text, PATH_MAX, NULL, NULL));
	EXPECT_STREQ(path, text);
	EXPECT_EQ(STATUS_SUCCESS, ask_name(base, &answer, returned, NULL));

	memset(&answer, 0xcc, sizeof(answer));
	length = returned;
	returned = 0;
	EXPECT_EQ(STATUS_BUFFER_OVERFLOW,
		  ask_name(base, &answer, length - 1, &returned));
	EXPECT_EQ(length, returned);
	EXPECT_TRUE(all_bytes(&answer, sizeof(answer), 0xcc));
	EXPECT_EQ(STATUS_INFO_LENGTH_MISMATCH,
		  ask_name(base, &answer, sizeof(UNICODE_STRING) - 1, NULL));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION,
		  ask_name(base, (void *)16, sizeof(answer), NULL));
	EXPECT_EQ(STATUS_INVALID_ADDRESS,
		  ask_name(ours, &answer, sizeof(answer), NULL));
	EXPECT_EQ(STATUS_INVALID_HANDLE,
		  NtQueryVirtualMemory(NULL, base,
				       MemoryMappedFilenameInformation, &answer,
				       sizeof(answer), NULL));

	EXPECT_EQ(STATUS_SUCCESS,
		  NtQueryVirtualMemory(NtCurrentProcess(), base + VALUES,
				       MemoryImageInformation, &image,
				       sizeof(image), NULL));
	EXPECT_EQ(base, image.ImageBase);
	EXPECT_EQ(SIZE, image.SizeOfImage);
	EXPECT_TRUE(VirtualFree(ours, 0, MEM_RELEASE));
	EXPECT_TRUE(UnmapViewOfFile(base));
}

#define MANY_IMAGES 300
#define MANY_VIEWS 200

static void *views[MANY_VIEWS];
static volatile sig_atomic_t views_left;
static volatile sig_atomic_t views_gone;

static void unmap_one(int sig)
{
	if (views_left)
		views_gone += UnmapViewOfFile(views[--views_left]);
}

static int unmap_in_handler(void *unused)
{
	const struct timeval time = { .tv_usec = 1000 };
	const struct itimerval often = { time, time };
	HANDLE section = CreateFileMappingA(BAD, NULL, PAGE_READWRITE, 0,
					    65536, NULL);
	int i;

	CHECK(section);
	for (i = 0; i < MANY_IMAGES; i++)
		CHECK(map_image("a.dll"));
	for (i = 0; i < MANY_VIEWS; i++) {
		views[i] = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
		CHECK(views[i]);
	}
	views_left = MANY_VIEWS;
	alarm(60);
	CHECK(signal(SIGPROF, unmap_one) != SIG_ERR);
	CHECK(!setitimer(ITIMER_PROF, &often, NULL));
	while (views_left)
		CHECK(UnmapViewOfFile(MapViewOfFile(section, FILE_MAP_READ, 0,
						    0, 0)));
	CHECK(views_gone == MANY_VIEWS);
	return 0;
}

/* A handler may unmap what it likes, whatever its thread unmaps. Rules: UM-01, IMG-12. */
TEST_F(files, unmapped_by_a_handler)
{
	ASSERT_TRUE(write_library("a.dll"));
	EXPECT_EQ(0, in_child(unmap_in_handler, NULL));
}

/* ---- LoadLibraryEx() ---- */

#define NO_REFERENCES DONT_RESOLVE_DLL_REFERENCES

/* With functions, of which "alpha" returns 42, and resources */
static bool write_module(const char *name)
{
	char code[FUNCTION_SIZE];
	uint8_t data[512];
	struct pe_file pe;
	uint32_t size;

	write_function(code, 42);
	pe_begin(&pe, 1, (uintptr_t)BASE);
	pe_section(&pe, ".text", code, sizeof(code), sizeof(code), PE_CODE);
	pe_section(&pe, ".data", "text", 5, 5, PE_DATA);
	size = pe_exports(data, pe.next_address, 0x1000, 0x2000);
	pe_directory(&pe, 0, pe.next_address, size);
	pe_section(&pe, ".edata", data, size, size, PE_CONST);
	size = pe_resources(data, pe.next_address);
	pe_directory(&pe, 2, pe.next_address, size);
	pe_section(&pe, ".rsrc", data, size, size, PE_CONST);
	return write_pe(name, &pe);
}

/* Rules: MODULE-08, MODULE-09. */
TEST_F(files, a_library_is_loaded)
{
	const DWORD by_address = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
				 GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
	char path[4096], here[4096];
	HMODULE m, again, all[8];
	FARPROC alpha;
	DWORD size;

	ASSERT_TRUE(write_module("a.dll"));
	ASSERT_NE(NULL, getcwd(here, sizeof(here) - 8));
	strcat(here, "/a.dll");
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, GetModuleHandleA("a.dll"));
	m = LoadLibraryExA("a.dll", NULL, NO_REFERENCES);
	ASSERT_EQ(BASE, (char *)m);
	EXPECT_EQ(m, GetModuleHandleA("A"));
	EXPECT_EQ(m, GetModuleHandleA("./a.dll"));
	EXPECT_EQ(m, GetModuleHandleW(W("a.dll")));
	EXPECT_EQ(strlen(here), GetModuleFileNameA(m, path, sizeof(path)));
	EXPECT_STREQ(here, path);
	alpha = GetProcAddress(m, "alpha");
	ASSERT_EQ(BASE + 0x1000, (char *)(uintptr_t)alpha);
	EXPECT_EQ(42, (int)alpha());
	EXPECT_EQ(alpha, GetProcAddress(m, (LPCSTR)7));
	EXPECT_EQ(BASE + 0x2000, (char *)(uintptr_t)GetProcAddress(m, "beta"));
	EXPECT_FAILS(ERROR_PROC_NOT_FOUND, GetProcAddress(m, "gamma"));
	EXPECT_FAILS(ERROR_PROC_NOT_FOUND, GetProcAddress(m, "delta"));
	EXPECT_FAILS(ERROR_INVALID_ORDINAL, GetProcAddress(m, (LPCSTR)9));
	EXPECT_TRUE(GetModuleHandleExA(by_address, BASE + 0x2345, &again));
	EXPECT_EQ(m, again);
	EXPECT_NE(NULL, FindResourceA(m, MAKEINTRESOURCEA(1), RT_RCDATA));
	ASSERT_TRUE(K32EnumProcessModules(GetCurrentProcess(), all,
					  sizeof(all), &size));
	EXPECT_EQ(2 * sizeof(*all), size);
	EXPECT_EQ(GetModuleHandleA(NULL), all[0]);
	EXPECT_EQ(m, all[1]);
	/* Once more is the same one. */
	EXPECT_EQ(m, LoadLibraryExA(here, NULL, NO_REFERENCES));
	EXPECT_EQ(m, LoadLibraryA("a.dll"));
	EXPECT_TRUE(FreeLibrary(m));
	EXPECT_TRUE(FreeLibrary(m));
	EXPECT_EQ(42, (int)alpha());
	EXPECT_TRUE(FreeLibrary(m));
	EXPECT_EQ(0, protection_at(BASE) & PAGE_READONLY);
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, FreeLibrary(m));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, GetModuleHandleA("a.dll"));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND,
		     LoadLibraryExA("none.dll", NULL, NO_REFERENCES));
	ASSERT_TRUE(make_file("text.dll", "text"));
	EXPECT_FAILS(ERROR_BAD_EXE_FORMAT,
		     LoadLibraryExA("text.dll", NULL, NO_REFERENCES));
}

/* ---- found by one thread, and unloaded by another one ---- */

static struct crew unloaders;
static uint64_t wrong;

/* It is there for a moment, for others to find it. */
static bool load_for_a_moment(const char *name)
{
	HMODULE m = LoadLibraryExA(name, NULL, NO_REFERENCES);

	usleep(500);
	return m && FreeLibrary(m);
}

/* The other one comes to the place of the first, unless somebody uses that. */
static void *load_and_unload(void *unused)
{
	while (crew_goes_on(&unloaders)) {
		if (!load_for_a_moment("a.dll"))
			race_add(&wrong, 1);
		load_for_a_moment("b.dll");
	}
	return NULL;
}

/* What one has a use of is there until it is given back, and is what was asked for. */
static bool is_used(HMODULE m, const char *name)
{
	char path[4096];
	DWORD length = GetModuleFileNameA(m, path, sizeof(path));

	return protection_at((char *)m + 0x1000) == PAGE_EXECUTE_READ &&
	       length > strlen(name) &&
	       !strcmp(path + length - strlen(name), name) && FreeLibrary(m);
}

/* Rules: MODULE-06, MODULE-08. */
TEST_F_TIMEOUT(files, found_and_unloaded_at_once, 120)
{
	const DWORD by_address = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
	long round, found = 0, rounds = race_rounds(500);
	HMODULE m;

	ASSERT_TRUE(write_module("a.dll"));
	ASSERT_TRUE(write_module("b.dll"));
	crew_add(&unloaders, load_and_unload, NULL);
	for (round = 0; found < rounds; round++) {
		if (round % 3 == 0)
			m = LoadLibraryA("a.dll");
		else if (round % 3 == 1)
			GetModuleHandleExA(0, "a.dll", &m);
		else
			GetModuleHandleExA(by_address, BASE + 0x1000, &m);
		if (m) {
			found++;
			ASSERT_TRUE(is_used(m, round % 3 == 2 ? ".dll" :
								"/a.dll"));
		} else {
			ASSERT_EQ(ERROR_MOD_NOT_FOUND, GetLastError());
		}
	}
	crew_stop(&unloaders);
	EXPECT_EQ(0, wrong);
}

/* A library whose "instances" is what all processes share */
static bool write_counter(const char *name)
{
	uint32_t address, at_name, size;
	uint8_t data[512];
	uint16_t index = 0;
	struct pe_file pe;

	pe_begin(&pe, 1, (uintptr_t)BASE);
	address = pe_section(&pe, ".shared", "", 1, 4, PE_SHARED);
	size = pe_exports(data, pe.next_address, address, address);
	/* In place of the last name */
	at_name = pe.next_address + size;
	memcpy(data + 56 + 8, &at_name, sizeof(at_name));
	memcpy(data + 68 + 4, &index, sizeof(index));
	memcpy(data + size, "instances", 10);
	pe_directory(&pe, 0, pe.next_address, size);
	pe_section(&pe, ".edata", data, size + 10, size + 10, PE_CONST);
	return write_pe(name, &pe);
}

/* What the example prints, run by another process */
static bool example_says(const char *text)
{
	char program[] = "instances_dll", library[] = "counter.dll";
	char *argv[] = { program, library, NULL }, said[128];
	int fds[2], status = -1;
	ssize_t n;
	pid_t pid;

	if (pipe(fds))
		return false;
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		_exit(dll_main(2, argv));
	}
	close(fds[1]);
	n = read(fds[0], said, sizeof(said) - 1);
	close(fds[0]);
	said[n < 0 ? 0 : n] = '\0';
	return waitpid(pid, &status, 0) == pid && !status &&
	       !strcmp(said, text);
}

/* Rules: IMG-09, MODULE-09. */
TEST_F(files, instances_are_counted)
{
	LONG volatile *instances;
	HMODULE m;

	ASSERT_TRUE(write_counter("counter.dll"));
	EXPECT_TRUE(example_says("instance 1 that uses counter.dll\n"));
	EXPECT_TRUE(example_says("instance 1 that uses counter.dll\n"));
	m = LoadLibraryExA("counter.dll", NULL, NO_REFERENCES);
	instances = (LONG volatile *)(uintptr_t)GetProcAddress(m, "instances");
	ASSERT_NE(NULL, instances);
	EXPECT_EQ(1, InterlockedIncrement(instances));
	EXPECT_TRUE(example_says("instance 2 that uses counter.dll\n"));
	EXPECT_EQ(1, *instances);
	EXPECT_TRUE(FreeLibrary(m));
}

/* Rules: DATAFILE-07. */
TEST_F(files, an_image_as_data)
{
	const char *data;
	HMODULE m;
	HRSRC r;

	ASSERT_TRUE(write_module("a.dll"));
	m = LoadLibraryExA("a.dll", NULL, LOAD_LIBRARY_AS_IMAGE_RESOURCE);
	ASSERT_EQ(BASE + 2, (char *)m);
	EXPECT_STREQ("text", BASE + 0x2000);
	EXPECT_EQ(PAGE_READONLY, protection_at(BASE + 0x1000));
	r = FindResourceA(m, "NAME", RT_RCDATA);
	data = LockResource(LoadResource(m, r));
	ASSERT_NE(NULL, data);
	EXPECT_EQ(7, SizeofResource(m, r));
	EXPECT_EQ(0, memcmp(data, "neutral", 7));
	EXPECT_TRUE(data > BASE && data < BASE + 0x5000);
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, GetProcAddress(m, "alpha"));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, GetModuleHandleA("a.dll"));
	EXPECT_TRUE(FreeLibrary(m));
}

/* ---- the ioctls ---- */

/* A section of two pieces of "a.dll": code, and what all write */
static struct winregion_piece pieces[2] = {
	{ 0x1000, 0x1000, PE_HEADERS, 0x200, RX, 0 },
	{ 0x2000, 0x1000, PE_HEADERS + 0x200, 0x20, RW, 0 },
};

static int create_named(int fd, const char *name, int file, uint64_t length,
			uint32_t protection,
			const struct winregion_piece *piece, uint32_t nr)
{
	struct winregion_create_section arg = {
		.size = sizeof(arg),
		.flags = WINREGION_SECTION_IMAGE,
		.name = (uintptr_t)name,
		.name_length = name ? strlen(name) : 0,
		.file = file,
		.protection = protection,
		.access = WINREGION_SECTION_ALL,
		.length = length,
		.pieces = (uintptr_t)piece,
		.nr_pieces = nr,
	};
	int err = wr_ioctl(fd, WINREGION_CREATE_SECTION, &arg);

	return err ? err : arg.out_fd;
}

static int create_with(int fd, int file, uint64_t length, uint32_t protection,
		       const struct winregion_piece *piece, uint32_t nr)
{
	return create_named(fd, NULL, file, length, protection, piece, nr);
}

/* With one field of the first piece changed */
#define CREATE_BAD(field, value) ({					\
	struct winregion_piece __bad[2];				\
									\
	memcpy(__bad, pieces, sizeof(__bad));				\
	__bad[0].field = (value);					\
	create_with(fd, file, 0x4000, RWX, __bad, 2);			\
})

/* Rules: IMG-14. */
TEST_F(files, pieces_that_do_not_fit)
{
	int fd = wr_open(), file, section;

	ASSERT_TRUE(write_library("a.dll"));
	file = open("a.dll", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, file);
	section = create_with(fd, file, 0x4000, RWX, pieces, 2);
	ASSERT_LE(0, section);
	close(section);
	EXPECT_EQ(-EINVAL, create_with(fd, -1, 0x4000, RWX, pieces, 2));
	EXPECT_EQ(-EINVAL, create_with(fd, file, 0, RWX, pieces, 2));
	EXPECT_EQ(-EINVAL, create_with(fd, file, 0x2FFF, RWX, pieces, 0));
	EXPECT_EQ(-EINVAL, create_with(fd, file, 0x4000, RWX, pieces,
				       WINREGION_MAX_PIECES + 1));
	EXPECT_EQ(-EINVAL, create_with(fd, file, 0x2000, RWX, pieces, 2));
	EXPECT_EQ(-EINVAL, create_with(fd, file, 1ULL << 32, RWX, pieces, 2));
	EXPECT_EQ(-EDOM, create_with(fd, file, 0x4000, RW, pieces, 2));
	EXPECT_EQ(-EDOM, create_with(fd, file, 0x4000, RX, pieces, 2));
	EXPECT_EQ(-EFAULT, create_with(fd, file, 0x4000, RWX, (void *)16, 2));
	EXPECT_EQ(-EINVAL, CREATE_BAD(address, 0x1001));
	EXPECT_EQ(-EINVAL, CREATE_BAD(address, 0x2000));
	EXPECT_EQ(-EINVAL, CREATE_BAD(address, -0x1000ULL));
	EXPECT_EQ(-EINVAL, CREATE_BAD(length, 0));
	EXPECT_EQ(-EINVAL, CREATE_BAD(length, 0x1001));
	EXPECT_EQ(-EINVAL, CREATE_BAD(length, 0x1FF));
	EXPECT_EQ(-EINVAL, CREATE_BAD(length, ~0ULL));
	EXPECT_EQ(-EINVAL, CREATE_BAD(bytes, 0x1001));
	EXPECT_EQ(-EINVAL, CREATE_BAD(offset, ~0ULL));
	EXPECT_EQ(-EFBIG, CREATE_BAD(offset, 0x100000));
	EXPECT_EQ(-EDOM, CREATE_BAD(protection, 0));
	EXPECT_EQ(-EDOM, CREATE_BAD(protection, WINREGION_WRITECOPY));
	EXPECT_EQ(-EINVAL, CREATE_BAD(__reserved, 1));
	close(file);
	file = open("a.dll", O_WRONLY | O_CLOEXEC);
	EXPECT_EQ(-EKEYREJECTED,
		  create_with(fd, file, 0x4000, RWX, pieces, 2));
	close(file);
	close(fd);
}

static int map_as(int section, uint32_t flags, uint32_t protection,
		  uint64_t offset, uint64_t length, uint64_t *address,
		  uint64_t image)
{
	struct winregion_map_view arg = {
		.size = sizeof(arg),
		.flags = flags,
		.protection = protection,
		.address = *address,
		.offset = offset,
		.length = length,
		.image = image,
	};
	int err = wr_ioctl(section, WINREGION_MAP_VIEW, &arg);

	if (!err)
		*address = arg.address;
	return err;
}

/*
 * Whoever has given a name to something: an image is what it is asked for, or there is
 * none. Rules: IMG-09, IMG-14.
 */
TEST_F(files, names_prove_nothing)
{
	struct winregion_piece other[2] = { pieces[0], pieces[1] };
	int fd = wr_open(), file, twin, first, same;

	ASSERT_TRUE(write_library("a.dll"));
	ASSERT_TRUE(write_library("b.dll"));
	file = open("a.dll", O_RDWR | O_CLOEXEC);
	twin = open("b.dll", O_RDONLY | O_CLOEXEC);
	first = create_named(fd, "x", file, 0x4000, RWX, pieces, 2);
	ASSERT_LE(0, first);
	same = create_named(fd, "x", file, 0x4000, RWX, pieces, 2);
	EXPECT_LE(0, same);
	close(same);
	EXPECT_EQ(-ENOTUNIQ,
		  create_named(fd, "x", twin, 0x4000, RWX, pieces, 2));
	EXPECT_EQ(-ENOTUNIQ,
		  create_named(fd, "x", file, 0x5000, RWX, pieces, 2));
	EXPECT_EQ(-ENOTUNIQ,
		  create_named(fd, "x", file, 0x4000, RWX, pieces, 1));
	other[0].protection = RWX;
	EXPECT_EQ(-ENOTUNIQ,
		  create_named(fd, "x", file, 0x4000, RWX, other, 2));
	/* What is written since */
	sleep_ms(20);
	ASSERT_EQ(1, pwrite(file, "x", 1, 0));
	EXPECT_EQ(-ENOTUNIQ,
		  create_named(fd, "x", file, 0x4000, RWX, pieces, 2));
	close(first);
	close(twin);
	close(file);
	close(fd);
}

/* Who has an image writes what all write: other users get no less. Rules: IMG-14. */
TEST_F(files, others_write_what_all_write)
{
	struct winregion_create_section arg = {
		.size = sizeof(arg),
		.flags = WINREGION_SECTION_IMAGE,
		.name = (uintptr_t)"y",
		.name_length = 1,
		.name_flags = WINREGION_NAME_GLOBAL,
		.others = WINREGION_SECTION_MAP_READ,
		.protection = RWX,
		.access = WINREGION_SECTION_ALL,
		.length = 0x4000,
		.pieces = (uintptr_t)pieces,
		.nr_pieces = 2,
	};
	int fd = wr_open();

	ASSERT_TRUE(write_library("a.dll"));
	arg.file = open("a.dll", O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(-EINVAL, wr_ioctl(fd, WINREGION_CREATE_SECTION, &arg));
	arg.nr_pieces = 1;
	ASSERT_EQ(0, wr_ioctl(fd, WINREGION_CREATE_SECTION, &arg));
	close(arg.out_fd);
	arg.nr_pieces = 2;
	arg.others |= WINREGION_SECTION_MAP_WRITE;
	ASSERT_EQ(0, wr_ioctl(fd, WINREGION_CREATE_SECTION, &arg));
	close(arg.out_fd);
	close(arg.file);
	close(fd);
}

/* Nobody writes for others what is not shared, whatever a descriptor allows. */
static int map_bytes(int section, uint32_t protection, uint64_t length)
{
	uint64_t address = 0;

	return map_as(section, WINREGION_VIEW_IMAGE, protection, 0, length,
		      &address, 0);
}

/* Rules: IMG-15. */
TEST_F(files, what_views_of_pieces_can_do)
{
	const uint32_t part = WINREGION_VIEW_IMAGE | WINREGION_VIEW_REPLACE;
	uint64_t place = 0, at, none = 0;
	int fd = wr_open(), file, section;

	ASSERT_TRUE(write_library("a.dll"));
	file = open("a.dll", O_RDONLY | O_CLOEXEC);
	section = create_with(fd, file, 0x4000, RWX, pieces, 2);
	ASSERT_LE(0, section);
	EXPECT_EQ(-EMEDIUMTYPE, map_as(section, 0, RO, 0, 0, &none, 0));
	EXPECT_EQ(0, map_bytes(section, RO, 0));
	EXPECT_EQ(0, map_bytes(section, WINREGION_WRITECOPY, 0));
	EXPECT_EQ(-EKEYREJECTED, map_bytes(section, RW, 0));
	EXPECT_EQ(-EKEYREJECTED, map_bytes(section, RW, 0x1000));
	EXPECT_EQ(-EKEYREJECTED, map_bytes(section, RWX, 0x2000));
	EXPECT_EQ(-EKEYREJECTED, map_bytes(section, RX, 0x2000));
	/* As a part of an image */
	ASSERT_EQ(0, wr_reserve_at(fd, &place, 0x1000,
				   WINREGION_RESERVE_PLACEHOLDER, NA));
	at = place;
	EXPECT_EQ(-EINVAL, map_as(section, WINREGION_VIEW_IMAGE, RX, 0x1000,
				  0x1000, &at, place));
	EXPECT_EQ(-EINVAL, map_as(section, part, RX, 0x1000, 0x1000, &at,
				  place));
	EXPECT_EQ(-EINVAL, map_as(section, part, RX, 0x1000, 0x1000, &at,
				  place - 0x1000));
	EXPECT_EQ(-EINVAL, map_as(section, WINREGION_VIEW_REPLACE, RX, 0x1000,
				  0x1000, &at, place - 0x10000));
	EXPECT_EQ(-EKEYREJECTED, map_as(section, part, RW, 0, 0x1000, &at,
					place));
	EXPECT_EQ(0, map_as(section, part, RO, 0, 0x1000, &at, place));
	EXPECT_EQ(place, at);
	close(section);
	close(file);
	close(fd);
}

/* An image does not begin below all addresses, where nothing would end it. Rules: IMG-15. */
TEST_F(files, an_image_that_would_begin_below_0)
{
	const uint32_t part = WINREGION_VIEW_IMAGE | WINREGION_VIEW_REPLACE;
	uint64_t place = 0x20000;
	int fd = wr_open(), file, section;

	ASSERT_TRUE(write_library("a.dll"));
	file = open("a.dll", O_RDONLY | O_CLOEXEC);
	section = create_with(fd, file, 0x40000, RWX, pieces, 2);
	ASSERT_LE(0, section);
	ASSERT_EQ(0, wr_reserve_at(fd, &place, 0x1000,
				   WINREGION_RESERVE_PLACEHOLDER, NA));
	ASSERT_EQ(0x20000, place);
	EXPECT_EQ(-EINVAL, map_as(section, part, RO, 0x30000, 0x1000, &place,
				  place - 0x30000));
	EXPECT_EQ(0, map_as(section, part, RO, 0x10000, 0x1000, &place,
			    place - 0x10000));
	EXPECT_TRUE(UnmapViewOfFile((void *)place));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, UnmapViewOfFile((void *)place));
	close(section);
	close(file);
	close(fd);
}

/* An image leaves no placeholder: it is made again. Return: where, or 0 */
static uint64_t unmap_part(int fd, uint64_t address)
{
	struct winregion_unmap_view arg = {
		.size = sizeof(arg),
		.address = address,
	};
	struct winregion_reserve reserve = {
		.size = sizeof(reserve),
		.flags = WINREGION_RESERVE_PLACEHOLDER,
		.protection = NA,
		.address = address,
		.length = 0x1000,
	};

	if (wr_ioctl(fd, WINREGION_UNMAP_VIEW, &arg) ||
	    wr_ioctl(fd, WINREGION_RESERVE, &reserve))
		return 0;
	return reserve.address;
}

/* Creates it, or maps a part of it. Return: 0, a descriptor, or -errno */
static int one_step(int fd, int file, int section, uint64_t place)
{
	const uint32_t part = WINREGION_VIEW_IMAGE | WINREGION_VIEW_REPLACE;
	uint64_t at = place;

	if (section < 0)
		return create_with(fd, file, 0x4000, RWX, pieces, 2);
	return map_as(section, part, RO, 0, 0x1000, &at, place);
}

/* Each allocation and each copy from the program fails once. Rules: IMG-14, IMG-15. */
TEST_F_TIMEOUT(files, failing, 100)
{
	int fd = wr_open(), file, section = -1, ret, regions;
	uint64_t place = 0;
	unsigned int nth, kind;
	bool hit;

	if (!fail_open())
		SKIP(return, "this kernel injects no faults");
	ASSERT_TRUE(fail_everything());
	ASSERT_TRUE(write_library("a.dll"));
	file = open("a.dll", O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, wr_reserve_at(fd, &place, 0x1000,
				   WINREGION_RESERVE_PLACEHOLDER, NA));
	regions = regions_of(fd);
	for (kind = 0; kind < 2; kind++) {
		nth = 0;
		do {
			ASSERT_GT(600, ++nth);
			ASSERT_TRUE(fail_set(nth));
			ret = one_step(fd, file, section, place);
			hit = fail_clear();
			EXPECT_TRUE(ret >= 0 || hit);
			EXPECT_EQ(regions, regions_of(fd));
			if (ret < 0)
				continue;
			if (kind) {
				EXPECT_EQ(place, unmap_part(fd, place));
			} else if (hit) {
				close(ret);
			} else {
				section = ret;
			}
		} while (hit);
		TH_LOG("%u: %u places", kind, nth - 1);
	}
	close(section);
	close(file);
	close(fd);
}

TEST_HARNESS_MAIN
