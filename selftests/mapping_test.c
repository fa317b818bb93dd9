// SPDX-License-Identifier: GPL-2.0
/*
 * Sections and views by the calls of Windows: CreateFileMapping(), MapViewOfFile()
 * and their kind, of files and of the paging file.
 */
#include "kselftest_harness.h"

#include <sys/vfs.h>

#include <winregion/winregion.h>

#include "file_fixture.h"
#include "sections.h"
#include "rounds.h"

#define SELF GetCurrentProcess()
#define UNIT 0x10000UL
#define GIB(n) ((uint64_t)(n) << 30)

#define EXPECT_NONE(error, call) \
	EXPECT_TRUE(FAILS_WITH(error, (call) != NULL))

/* Its descriptor is none that a test leaves. */
__attribute__((constructor)) static void open_device(void)
{
	winregion_unavailable();
}

static HANDLE mapping(HANDLE file, DWORD protect, uint64_t size)
{
	return CreateFileMappingA(file, NULL, protect, size >> 32, size, NULL);
}

static char *view_at(HANDLE section, DWORD access, uint64_t offset, SIZE_T size)
{
	return MapViewOfFile(section, access, offset >> 32, offset, size);
}

static char *view(HANDLE section, DWORD access)
{
	return view_at(section, access, 0, 0);
}

/* A new file of zeros */
static HANDLE sized_file(const char *name, uint64_t size)
{
	HANDLE file = open_shared(name, CREATE_ALWAYS);

	if (file == BAD || truncate(name, size))
		return BAD;
	return file;
}

static int64_t length_of(const char *name)
{
	struct stat st;

	return stat(name, &st) ? -1 : st.st_size;
}

/* A section with its view, or nothing */
static char *map_all(HANDLE file, DWORD protect, uint64_t size, DWORD access,
		     HANDLE *section)
{
	*section = mapping(file, protect, size);
	return *section ? view(*section, access) : NULL;
}

/* Rules: CM-20, CM-40, CM-47, MV-01, MV-31, MV-51, UM-01, UM-04. */
TEST_F(files, file_in_memory)
{
	HANDLE file = open_shared("file", CREATE_NEW), section;
	MEMORY_BASIC_INFORMATION info;
	char *base;

	ASSERT_TRUE(put(file, "some text"));
	SetLastError(OUR_ERROR);
	errno = OUR_ERRNO;
	section = mapping(file, PAGE_READWRITE, 0);
	ASSERT_NE(NULL, section);
	EXPECT_EQ(0, GetLastError());
	EXPECT_EQ(0, (uintptr_t)section % 4);
	EXPECT_TRUE(CloseHandle(file));
	SetLastError(OUR_ERROR);
	base = view(section, FILE_MAP_WRITE);
	ASSERT_NE(NULL, base);
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_EQ(self->fds, count_fds());
	EXPECT_EQ(0, memcmp(base, "some text\0", 10));
	memcpy(base, "more", 4);
	EXPECT_TRUE(file_has("file", "more text"));
	ASSERT_EQ(sizeof(info), VirtualQuery(base, &info, sizeof(info)));
	EXPECT_EQ(base, info.AllocationBase);
	EXPECT_EQ(4096, info.RegionSize);
	EXPECT_EQ(MEM_COMMIT, info.State);
	EXPECT_EQ(MEM_MAPPED, info.Type);
	EXPECT_EQ(PAGE_READWRITE, info.Protect);
	EXPECT_EQ(PAGE_READWRITE, info.AllocationProtect);
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_EQ(OUR_ERROR, GetLastError());
	EXPECT_EQ(OUR_ERRNO, errno);
	EXPECT_FALSE(try_read(base));
	ASSERT_EQ(sizeof(info), VirtualQuery(base, &info, sizeof(info)));
	EXPECT_EQ(MEM_FREE, info.State);
	EXPECT_TRUE(file_has("file", "more text"));
}

/* Rules: CM-08, CM-26, CM-27, CM-40, MV-50. By both names, with and without a file. */
TEST_F(files, memory)
{
	HANDLE section;
	char *a, *b;

	EXPECT_NONE(ERROR_INVALID_PARAMETER, mapping(BAD, PAGE_READWRITE, 0));
	SetLastError(OUR_ERROR);
	section = CreateFileMappingW(BAD, NULL, PAGE_READWRITE, 0, 0x3452,
				     W(""));
	ASSERT_NE(NULL, section);
	EXPECT_EQ(0, GetLastError());
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    view_at(section, FILE_MAP_READ, 0, 0x4001));
	a = view_at(section, FILE_MAP_WRITE, 0, 0x4000);
	b = view(section, FILE_MAP_READ);
	ASSERT_NE(NULL, a);
	ASSERT_NE(NULL, b);
	EXPECT_EQ(0, b[0x3fff]);
	a[0x3fff] = 5;
	EXPECT_EQ(5, b[0x3fff]);
	EXPECT_FALSE(try_write(b));
	EXPECT_TRUE(UnmapViewOfFile(a));
	EXPECT_EQ(5, b[0x3fff]);
	EXPECT_TRUE(UnmapViewOfFile(b));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_EQ(self->fds, count_fds());
}

/* The error, or 0 if there is a section, which is not needed. */
static DWORD outcome(HANDLE section)
{
	if (!section)
		return GetLastError();
	return CloseHandle(section) ? 0 : ~0U;
}

/* Rules: CM-01, CM-02, P-13. */
TEST_F(files, protections)
{
	static const DWORD bad[] = {
		0, PAGE_NOACCESS, PAGE_EXECUTE, PAGE_READONLY | PAGE_READWRITE,
		PAGE_READWRITE | PAGE_EXECUTE_READ, PAGE_READWRITE | PAGE_GUARD,
		PAGE_READWRITE | PAGE_NOCACHE,
		PAGE_READWRITE | PAGE_WRITECOMBINE, 0x800,
	};
	static const DWORD good[] = {
		PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY,
		PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
		PAGE_EXECUTE_WRITECOPY,
	};
	HANDLE all = open_file("file", GENERIC_ALL, SHARE_ALL, CREATE_NEW, 0);
	unsigned int i;

	ASSERT_TRUE(put(all, "text"));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_NONE(ERROR_INVALID_PARAMETER, mapping(all, bad[i], 0));
		EXPECT_NONE(ERROR_INVALID_PARAMETER,
			    mapping(all, bad[i], 8192));
		EXPECT_NONE(ERROR_INVALID_PARAMETER,
			    mapping(BAD, bad[i], 4096));
	}
	EXPECT_EQ(4, length_of("file"));
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_EQ(0, outcome(mapping(all, good[i], 0)));
		EXPECT_EQ(0, outcome(mapping(BAD, good[i], 4096)));
	}
	EXPECT_EQ(0, outcome(mapping(all, PAGE_EXECUTE_READWRITE, 8192)));
	EXPECT_EQ(8192, length_of("file"));
	EXPECT_TRUE(CloseHandle(all));
}

/* Rules: CM-10, CM-11. The table of flags */
TEST_F(files, attributes)
{
	static const struct {
		DWORD flags;
		DWORD memory;
		DWORD file;
	} table[] = {
		{ 0, 0, 0 },
		{ SEC_COMMIT, 0, 0 },
		{ SEC_RESERVE, 0, 0 },
		{ SEC_COMMIT | SEC_NOCACHE, 0, 0 },
		{ SEC_RESERVE | SEC_NOCACHE, 0, 0 },
		{ SEC_COMMIT | SEC_WRITECOMBINE, 0, 0 },
		{ SEC_RESERVE | SEC_WRITECOMBINE, 0, 0 },
		{ SEC_RESERVE | SEC_COMMIT, 87, 87 },
		{ SEC_RESERVE | SEC_LARGE_PAGES, 87, 87 },
		{ SEC_COMMIT | SEC_LARGE_PAGES, ERROR_PRIVILEGE_NOT_HELD, 87 },
		{ SEC_NOCACHE, 87, 87 },
		{ SEC_WRITECOMBINE, 87, 87 },
		{ SEC_LARGE_PAGES, 87, 87 },
		{ SEC_FILE, 87, 87 },
		{ SEC_FILE | SEC_RESERVE, 87, 87 },
		{ SEC_FILE | SEC_COMMIT, 87, 87 },
		{ SEC_IMAGE, ERROR_BAD_EXE_FORMAT, ERROR_BAD_EXE_FORMAT },
		{ SEC_IMAGE | SEC_NOCACHE, ERROR_BAD_EXE_FORMAT,
		  ERROR_BAD_EXE_FORMAT },
		{ SEC_IMAGE | SEC_RESERVE, 87, 87 },
		{ SEC_IMAGE | SEC_COMMIT, 87, 87 },
		{ SEC_IMAGE | SEC_LARGE_PAGES, 87, 87 },
		{ SEC_COMMIT | SEC_HUGE_PAGES, 87, 87 },
		{ SEC_COMMIT | 0x20000000, 87, 87 },
	};
	HANDLE file = sized_file("file", 4096), section;
	MEMORY_BASIC_INFORMATION info;
	DWORD expected, flags;
	unsigned int i, j;
	char *base;

	for (i = 0; i < 2 * ARRAY_SIZE(table); i++) {
		j = i / 2;
		flags = table[j].flags;
		expected = i % 2 ? table[j].file : table[j].memory;
		if (expected) {
			EXPECT_NONE(expected, mapping(i % 2 ? file : BAD,
						      PAGE_READONLY | flags,
						      4096));
			continue;
		}
		base = map_all(i % 2 ? file : BAD, PAGE_READONLY | flags, 4096,
			       FILE_MAP_READ, &section);
		ASSERT_NE(NULL, base);
		VirtualQuery(base, &info, sizeof(info));
		EXPECT_EQ(flags & SEC_RESERVE && !(i % 2) ? MEM_RESERVE :
							    MEM_COMMIT,
			  info.State);
		EXPECT_EQ(flags & SEC_NOCACHE ? PAGE_READONLY | PAGE_NOCACHE :
						PAGE_READONLY,
			  info.AllocationProtect);
		EXPECT_TRUE(UnmapViewOfFile(base));
		EXPECT_TRUE(CloseHandle(section));
	}
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: CM-01, CM-04, CM-05, CM-06, CM-07. 0: it works. */
TEST_F(files, rights_to_file)
{
	static const struct {
		DWORD access;
		DWORD readonly;
		DWORD readwrite;
		DWORD execute;
		DWORD execute_write;
	} table[] = {
		{ GENERIC_READ, 0, 5, 5, 5 },
		{ GENERIC_WRITE, 5, 5, 5, 5 },
		{ READ_WRITE, 0, 0, 5, 5 },
		{ GENERIC_EXECUTE, 5, 5, 5, 5 },
		{ GENERIC_READ | GENERIC_EXECUTE, 0, 5, 0, 5 },
		{ READ_WRITE | GENERIC_EXECUTE, 0, 0, 0, 0 },
		{ FILE_READ_DATA | FILE_APPEND_DATA, 0, 5, 5, 5 },
		{ DELETE, 5, 5, 5, 5 },
		{ 0, 5, 5, 5, 5 },
	};
	unsigned int i;
	HANDLE file;

	ASSERT_TRUE(make_file("file", "text"));
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		file = open_file("file", table[i].access, SHARE_ALL,
				 OPEN_EXISTING, 0);
		ASSERT_NE(BAD, file);
		EXPECT_EQ(table[i].readonly,
			  outcome(mapping(file, PAGE_READONLY, 0)));
		EXPECT_EQ(table[i].readwrite,
			  outcome(mapping(file, PAGE_READWRITE, 4097)));
		EXPECT_EQ(table[i].execute,
			  outcome(mapping(file, PAGE_EXECUTE_READ, 0)));
		EXPECT_EQ(table[i].execute,
			  outcome(mapping(file, PAGE_EXECUTE_WRITECOPY, 0)));
		EXPECT_EQ(table[i].execute_write,
			  outcome(mapping(file, PAGE_EXECUTE_READWRITE, 0)));
		EXPECT_EQ(table[i].readonly,
			  outcome(mapping(file, PAGE_WRITECOPY, 0)));
		EXPECT_TRUE(CloseHandle(file));
	}
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: CM-20, CM-21, CM-22, CM-23, CM-25, CM-31, MV-21, MV-30. */
TEST_F(files, sizes)
{
	HANDLE file = sized_file("file", 0), section;
	char *base;

	EXPECT_NONE(ERROR_FILE_INVALID, mapping(file, PAGE_READONLY, 0));
	EXPECT_NONE(ERROR_FILE_INVALID, mapping(file, PAGE_READWRITE, 0));
	EXPECT_NONE(ERROR_NOT_ENOUGH_MEMORY, mapping(file, PAGE_READONLY, 1));
	ASSERT_EQ(0, truncate("file", 0x3456));
	EXPECT_NONE(ERROR_NOT_ENOUGH_MEMORY,
		    mapping(file, PAGE_READONLY, 0x3457));
	EXPECT_NONE(ERROR_NOT_ENOUGH_MEMORY,
		    mapping(file, PAGE_READONLY, GIB(1) << 17));
	EXPECT_NONE(ERROR_NOT_ENOUGH_MEMORY,
		    mapping(file, PAGE_READWRITE, GIB(1) << 17));
	EXPECT_NONE(ERROR_NOT_ENOUGH_MEMORY,
		    mapping(file, PAGE_READWRITE, ~0ULL));
	EXPECT_NONE(ERROR_NOT_ENOUGH_MEMORY,
		    mapping(BAD, PAGE_READWRITE | SEC_RESERVE, GIB(1) << 17));
	EXPECT_NONE(ERROR_NOT_ENOUGH_MEMORY,
		    mapping(BAD, PAGE_READWRITE, ~0ULL));
	EXPECT_EQ(0x3456, length_of("file"));

	base = map_all(file, PAGE_READONLY, 0x3452, FILE_MAP_READ, &section);
	ASSERT_NE(NULL, base);
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    view_at(section, FILE_MAP_READ, 0, 0x3453));
	base = view_at(section, FILE_MAP_READ, 0, 0x3452);
	ASSERT_NE(NULL, base);
	EXPECT_EQ(0, base[0x3fff]);
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(CloseHandle(section));

	base = map_all(file, PAGE_READWRITE, 0x3457, FILE_MAP_WRITE, &section);
	ASSERT_NE(NULL, base);
	EXPECT_EQ(0x3457, length_of("file"));
	base[0x3456] = 'x';
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(CloseHandle(section));
	base = map_all(file, PAGE_READWRITE, MIB(1), FILE_MAP_WRITE, &section);
	ASSERT_NE(NULL, base);
	EXPECT_EQ(MIB(1), length_of("file"));
	EXPECT_EQ('x', base[0x3456]);
	EXPECT_TRUE(try_write(base + MIB(1) - 1));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(self->fds, count_fds());
}

static long free_blocks(const char *name)
{
	struct statfs fs;

	return statfs(name, &fs) ? -1 : (long)fs.f_bfree;
}

static int fill_disk(void *arg)
{
	HANDLE file, section;
	long before;
	char *base;

	CHECK(!unshare(CLONE_NEWNS));
	CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(!mkdir("mnt", 0755));
	CHECK(!mount("tmpfs", "mnt", "tmpfs", 0, "size=256k"));
	file = open_shared("mnt/file", CREATE_NEW);
	CHECK(put(file, "text"));
	before = free_blocks("mnt");
	CHECK(FAILS_WITH(ERROR_DISK_FULL,
			 mapping(file, PAGE_READWRITE, MIB(1))));
	CHECK(file_has("mnt/file", "text"));
	CHECK(free_blocks("mnt") == before);
	/* What has its place keeps it. */
	base = map_all(file, PAGE_READWRITE, UNIT, FILE_MAP_WRITE, &section);
	CHECK(base);
	CHECK(free_blocks("mnt") == before - 15);
	CHECK(FAILS_WITH(ERROR_DISK_FULL,
			 mapping(file, PAGE_READWRITE, MIB(1))));
	CHECK(try_write(base + UNIT - 1));
	CHECK(length_of("mnt/file") == UNIT);
	return 0;
}

/* Rules: CM-24. A failure leaves the file and the disk as they were. */
TEST_F(files, full_disk)
{
	EXPECT_EQ(0, in_child(fill_disk, NULL));
}

static int obey_limit(void *arg)
{
	struct rlimit limit = { UNIT, UNIT };
	HANDLE file = sized_file("file", 10);

	CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
	CHECK(FAILS_WITH(ERROR_DISK_FULL,
			 mapping(file, PAGE_READWRITE, UNIT + 1)));
	CHECK(length_of("file") == 10);
	CHECK(mapping(file, PAGE_READWRITE, UNIT));
	return 0;
}

/* Rules: CM-24. Not by a signal, as for those who call ftruncate(). */
TEST_F(files, limit_of_files)
{
	EXPECT_EQ(0, in_child(obey_limit, NULL));
}

static int lack_descriptors(void *arg)
{
	HANDLE file = sized_file("file", 10), section, other;
	struct rlimit limit = { 0, 4096 };

	section = mapping(file, PAGE_READWRITE, 0);
	CHECK(section);
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	CHECK(FAILS_WITH(ERROR_NO_SYSTEM_RESOURCES,
			 mapping(file, PAGE_READWRITE, UNIT)));
	CHECK(length_of("file") == 10);
	CHECK(FAILS_WITH(ERROR_NO_SYSTEM_RESOURCES,
			 mapping(BAD, PAGE_READWRITE, UNIT)));
	CHECK(FAILS_WITH(ERROR_NO_SYSTEM_RESOURCES,
			 DuplicateHandle(SELF, section, SELF, &other,
					 FILE_MAP_READ, FALSE, 0)));
	CHECK(DuplicateHandle(SELF, section, SELF, &other, 0, FALSE,
			      DUPLICATE_SAME_ACCESS));
	limit.rlim_cur = 4096;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	CHECK(mapping(file, PAGE_READWRITE, UNIT));
	CHECK(length_of("file") == UNIT);
	return 0;
}

/* A section that cannot be made does not leave its file longer. */
TEST_F(files, no_descriptors)
{
	EXPECT_EQ(0, in_child(lack_descriptors, NULL));
}

/* Rules: CM-28, CM-29. */
TEST_F(files, charge)
{
	HANDLE section;

	EXPECT_NONE(ERROR_COMMITMENT_LIMIT,
		    mapping(BAD, PAGE_READWRITE, GIB(512)));
	EXPECT_NONE(ERROR_COMMITMENT_LIMIT,
		    mapping(BAD, PAGE_READWRITE | SEC_COMMIT, GIB(512)));
	section = mapping(BAD, PAGE_READWRITE | SEC_RESERVE, GIB(8));
	ASSERT_NE(NULL, section);
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_EQ(self->fds, count_fds());
}

static bool set_end(HANDLE file, int64_t size)
{
	LARGE_INTEGER to = { .QuadPart = size };

	return SetFilePointerEx(file, to, NULL, FILE_BEGIN) &&
	       SetEndOfFile(file);
}

/* Rules: CM-32, CM-33. A view alone, and a section alone, are enough. */
TEST_F(files, cut)
{
	HANDLE file = sized_file("file", UNIT), section;
	char *base;

	base = map_all(file, PAGE_READWRITE, 0x3456, FILE_MAP_WRITE, &section);
	ASSERT_NE(NULL, base);
	EXPECT_FAILS(ERROR_USER_MAPPED_FILE, set_end(file, 0x3455));
	EXPECT_FAILS(ERROR_USER_MAPPED_FILE, set_end(file, 0));
	EXPECT_NO_OPEN(ERROR_USER_MAPPED_FILE,
		       open_shared("file", CREATE_ALWAYS));
	EXPECT_NO_OPEN(ERROR_USER_MAPPED_FILE,
		       open_shared("file", TRUNCATE_EXISTING));
	EXPECT_EQ(UNIT, length_of("file"));
	EXPECT_TRUE(set_end(file, 0x3456));
	EXPECT_TRUE(set_end(file, 0x8000));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_FAILS(ERROR_USER_MAPPED_FILE, set_end(file, 0x3455));
	EXPECT_TRUE(try_write(base));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(SETTLES(set_end(file, 0x3455)));
	section = mapping(file, PAGE_READONLY, 0);
	EXPECT_FAILS(ERROR_USER_MAPPED_FILE, set_end(file, 0x3454));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_TRUE(SETTLES(set_end(file, 0)));
	EXPECT_EQ(0, length_of("file"));
	EXPECT_TRUE(CloseHandle(file));
}

/* What each access makes of a view; 0: no view, with the error */
static const struct {
	DWORD access;
	DWORD protect;
	DWORD error;
} accesses[] = {
	{ 0, PAGE_NOACCESS, 0 },
	{ FILE_MAP_COPY, PAGE_WRITECOPY, 0 },
	{ FILE_MAP_WRITE, PAGE_READWRITE, 0 },
	{ FILE_MAP_READ, PAGE_READONLY, 0 },
	{ FILE_MAP_READ | FILE_MAP_WRITE, PAGE_READWRITE, 0 },
	{ FILE_MAP_COPY | FILE_MAP_READ, PAGE_READONLY, 0 },
	{ FILE_MAP_COPY | FILE_MAP_WRITE, PAGE_READWRITE, 0 },
	{ FILE_MAP_ALL_ACCESS, PAGE_READWRITE, 0 },
	{ SECTION_MAP_EXECUTE, PAGE_NOACCESS, 0 },
	{ SECTION_MAP_EXECUTE | FILE_MAP_COPY, PAGE_NOACCESS, 0 },
	{ SECTION_MAP_EXECUTE | FILE_MAP_READ, PAGE_READONLY, 0 },
	{ SECTION_EXTEND_SIZE | 0x00f00000 | FILE_MAP_READ, PAGE_READONLY, 0 },
	{ FILE_MAP_EXECUTE, PAGE_NOACCESS, 0 },
	{ FILE_MAP_EXECUTE | FILE_MAP_READ, PAGE_EXECUTE_READ, 0 },
	{ FILE_MAP_EXECUTE | FILE_MAP_WRITE, PAGE_EXECUTE_READWRITE, 0 },
	{ FILE_MAP_EXECUTE | FILE_MAP_READ | FILE_MAP_COPY, PAGE_EXECUTE_READ,
	  0 },
	{ FILE_MAP_EXECUTE | FILE_MAP_COPY, PAGE_EXECUTE_WRITECOPY, 0 },
	{ FILE_MAP_LARGE_PAGES | FILE_MAP_READ, 0, ERROR_INVALID_PARAMETER },
	{ FILE_MAP_RESERVE | FILE_MAP_READ, 0, ERROR_INVALID_PARAMETER },
};

FIXTURE(mapping)
{
	HANDLE section;
	HANDLE file;
};

FIXTURE_VARIANT(mapping)
{
	bool file;
	DWORD protect;
};

FIXTURE_VARIANT_ADD(mapping, memory)
{
	.protect = PAGE_READWRITE,
};

FIXTURE_VARIANT_ADD(mapping, memory_readonly)
{
	.protect = PAGE_READONLY,
};

FIXTURE_VARIANT_ADD(mapping, memory_writecopy)
{
	.protect = PAGE_WRITECOPY,
};

FIXTURE_VARIANT_ADD(mapping, file)
{
	.file = true,
	.protect = PAGE_READWRITE,
};

FIXTURE_VARIANT_ADD(mapping, file_readonly)
{
	.file = true,
	.protect = PAGE_READONLY,
};

FIXTURE_VARIANT_ADD(mapping, file_writecopy)
{
	.file = true,
	.protect = PAGE_WRITECOPY,
};

FIXTURE_VARIANT_ADD(mapping, memory_execute)
{
	.protect = PAGE_EXECUTE_READWRITE,
};

FIXTURE_VARIANT_ADD(mapping, file_execute)
{
	.file = true,
	.protect = PAGE_EXECUTE_READWRITE,
};

FIXTURE_VARIANT_ADD(mapping, file_execute_readonly)
{
	.file = true,
	.protect = PAGE_EXECUTE_READ,
};

FIXTURE_VARIANT_ADD(mapping, file_execute_writecopy)
{
	.file = true,
	.protect = PAGE_EXECUTE_WRITECOPY,
};

FIXTURE_SETUP(mapping)
{
	self->file = variant->file ? open_file("/tmp/mapping", GENERIC_ALL, SHARE_ALL,
					       CREATE_ALWAYS, 0) : BAD;
	ASSERT_TRUE(!variant->file || !truncate("/tmp/mapping", 3 * UNIT));
	self->section = mapping(self->file, variant->protect, 3 * UNIT);
	ASSERT_NE(NULL, self->section);
}

FIXTURE_TEARDOWN(mapping)
{
	CloseHandle(self->section);
	if (variant->file)
		CloseHandle(self->file);
	unlink("/tmp/mapping");
}

#define EXECUTES \
	(PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY)
#define WRITES (PAGE_READWRITE | PAGE_EXECUTE_READWRITE)
#define COPIES (PAGE_WRITECOPY | PAGE_EXECUTE_WRITECOPY)

/* Whether a section allows what a view would do */
static bool allows(DWORD section, DWORD view)
{
	return (!(view & WRITES) || section & WRITES) &&
	       (!(view & EXECUTES) || section & EXECUTES);
}

/*
 * Rules: MV-01, MV-02, MV-03, MV-04, MV-05, MV-06, MV-10, MV-13, MV-57, CM-01, CM-03,
 * CM-48.
 */
TEST_F(mapping, access)
{
	MEMORY_BASIC_INFORMATION info;
	DWORD error, protect;
	unsigned int i;
	bool writes;
	char *base;

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		error = accesses[i].error;
		protect = accesses[i].protect;
		if (!allows(variant->protect, protect))
			error = ERROR_ACCESS_DENIED;
		if (error) {
			EXPECT_NONE(error,
				    view(self->section, accesses[i].access));
			continue;
		}
		base = view(self->section, accesses[i].access);
		ASSERT_NE(NULL, base);
		EXPECT_EQ(0, (uintptr_t)base % UNIT);
		VirtualQuery(base, &info, sizeof(info));
		EXPECT_EQ(3 * UNIT, info.RegionSize);
		EXPECT_EQ(MEM_COMMIT, info.State);
		EXPECT_EQ(protect, info.Protect);
		EXPECT_EQ(protect, info.AllocationProtect);
		EXPECT_EQ(protect != PAGE_NOACCESS, try_read(base));
		writes = protect & (WRITES | COPIES);
		EXPECT_EQ(writes, try_write(base));
		if (writes)
			write_code(base);
		if (writes || !(protect & EXECUTES))
			EXPECT_EQ(!!(protect & EXECUTES), try_exec(base));
		EXPECT_TRUE(UnmapViewOfFile(base));
	}
}

/* READ, WRITE and EXECUTE, by bits */
static unsigned int bits_of(DWORD protect)
{
	return (protect & ~PAGE_NOACCESS ? 1 : 0) |
	       (protect & WRITES ? 2 : 0) |
	       (protect & (EXECUTES | PAGE_EXECUTE) ? 4 : 0);
}

/* What a view was mapped with against what it is to become. Rules: VV-01, VV-02. */
TEST_F(mapping, protections)
{
	static const DWORD wanted[] = {
		PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY,
		PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
		PAGE_EXECUTE_WRITECOPY,
	};
	DWORD protect, old;
	unsigned int i, n;
	bool may;
	char *base;

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		protect = accesses[i].protect;
		if (!protect || !allows(variant->protect, protect))
			continue;
		base = view(self->section, accesses[i].access);
		ASSERT_NE(NULL, base);
		for (n = 0; n < ARRAY_SIZE(wanted); n++) {
			may = !(bits_of(wanted[n]) & ~bits_of(protect));
			EXPECT_EQ(may, VirtualProtect(base, 3 * UNIT, wanted[n],
						      &old));
			EXPECT_EQ(may ? protect : ERROR_INVALID_PARAMETER,
				  may ? old : GetLastError());
			EXPECT_TRUE(VirtualProtect(base, 3 * UNIT, protect,
						   &old));
			EXPECT_EQ(may ? wanted[n] : protect, old);
		}
		EXPECT_TRUE(UnmapViewOfFile(base));
	}
}

/* Rules: MV-52, MV-54, VV-03, VV-04, VV-05, VV-06, VV-07, VV-08, VQ-10. */
TEST_F(mapping, copies)
{
	char *plain = view(self->section, FILE_MAP_READ), *base;
	MEMORY_BASIC_INFORMATION info;
	DWORD old;

	base = view(self->section, FILE_MAP_COPY);
	ASSERT_NE(NULL, plain);
	ASSERT_NE(NULL, base);
	base[4096] = 1;
	EXPECT_EQ(0, plain[4096]);
	VirtualQuery(base + 4096, &info, sizeof(info));
	EXPECT_EQ(PAGE_READWRITE, info.Protect);
	EXPECT_EQ(PAGE_WRITECOPY, info.AllocationProtect);
	EXPECT_EQ(MEM_MAPPED, info.Type);
	EXPECT_EQ(4096, info.RegionSize);
	VirtualQuery(base, &info, sizeof(info));
	EXPECT_EQ(PAGE_WRITECOPY, info.Protect);
	EXPECT_TRUE(VirtualProtect(base, 8192, PAGE_READONLY, &old));
	EXPECT_EQ(PAGE_WRITECOPY, old);
	EXPECT_TRUE(VirtualProtect(base + 4096, 1, PAGE_WRITECOPY, &old));
	EXPECT_EQ(PAGE_READONLY, old);
	EXPECT_TRUE(VirtualProtect(base + 4096, 1, PAGE_WRITECOPY, &old));
	EXPECT_EQ(PAGE_READWRITE, old);
	EXPECT_EQ(1, base[4096]);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(base + 4096, 1, PAGE_READWRITE, &old));
	/* A view that only reads can do the same. */
	EXPECT_TRUE(VirtualProtect(plain, 1, PAGE_WRITECOPY, &old));
	EXPECT_EQ(PAGE_READONLY, old);
	plain[0] = 2;
	EXPECT_EQ(0, base[0]);
	EXPECT_EQ(1, base[4096]);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(plain, 1, PAGE_READWRITE, &old));
	EXPECT_FALSE(try_write(plain + 4096));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(UnmapViewOfFile(plain));
	base = view(self->section, FILE_MAP_COPY);
	EXPECT_EQ(0, base[4096]);
	EXPECT_TRUE(UnmapViewOfFile(base));
}

/* Rules: RI-13. */
TEST_F(files, kinds_of_regions)
{
	HANDLE file = open_file("file", GENERIC_ALL, SHARE_ALL, CREATE_NEW, 0);
	WIN32_MEMORY_REGION_INFORMATION info;
	unsigned int i;
	HANDLE section;
	char *base;

	ASSERT_TRUE(put(file, "text"));
	for (i = 0; i < 3; i++) {
		section = mapping(i ? BAD : file, PAGE_READWRITE |
				  (i == 2 ? SEC_RESERVE : 0), i ? UNIT : 0);
		base = view(section, FILE_MAP_READ);
		ASSERT_NE(NULL, base);
		errno = 0;
		EXPECT_TRUE(QueryVirtualMemoryInformation(SELF, base,
							  MemoryRegionInfo,
							  &info, sizeof(info),
							  NULL));
		EXPECT_EQ(0, errno);
		EXPECT_TRUE(info.MappedDataFile == !i);
		EXPECT_TRUE(info.MappedPageFile == !!i);
		info.MappedDataFile = 0;
		info.MappedPageFile = 0;
		EXPECT_EQ(0, info.Flags);
		EXPECT_TRUE(UnmapViewOfFile(base));
		EXPECT_TRUE(CloseHandle(section));
	}
	EXPECT_TRUE(CloseHandle(file));
}

/* Rules: RI-04, MV-53. */
TEST_F(files, copies_are_charged)
{
	WIN32_MEMORY_REGION_INFORMATION info;
	HANDLE section = mapping(BAD, PAGE_READWRITE | SEC_RESERVE, GIB(512));
	char *base;

	ASSERT_NE(NULL, section);
	EXPECT_NONE(ERROR_COMMITMENT_LIMIT, view(section, FILE_MAP_COPY));
	EXPECT_TRUE(CloseHandle(section));
	section = mapping(BAD, PAGE_READWRITE, UNIT);
	base = view(section, FILE_MAP_COPY);
	ASSERT_NE(NULL, base);
	ASSERT_TRUE(QueryVirtualMemoryInformation(SELF, base, MemoryRegionInfo,
						  &info, sizeof(info), NULL));
	EXPECT_EQ(UNIT, info.CommitSize);
	base[0] = 1;
	ASSERT_TRUE(QueryVirtualMemoryInformation(SELF, base, MemoryRegionInfo,
						  &info, sizeof(info), NULL));
	EXPECT_EQ(UNIT, info.CommitSize);
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(CloseHandle(section));
}

/* Rules: MV-20, MV-21, MV-22, MV-23, MV-24, MV-25. */
TEST_F(mapping, places_in_section)
{
	char *base = view_at(self->section, FILE_MAP_READ, UNIT, 0);
	HANDLE section = self->section;
	MEMORY_BASIC_INFORMATION info;

	ASSERT_NE(NULL, base);
	VirtualQuery(base, &info, sizeof(info));
	EXPECT_EQ(2 * UNIT, info.RegionSize);
	EXPECT_TRUE(UnmapViewOfFile(base));
	base = view_at(section, FILE_MAP_READ, 2 * UNIT, 4097);
	ASSERT_NE(NULL, base);
	VirtualQuery(base, &info, sizeof(info));
	EXPECT_EQ(8192, info.RegionSize);
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    view_at(section, FILE_MAP_READ, UNIT, 2 * UNIT + 1));
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    view_at(section, FILE_MAP_READ, 3 * UNIT, 0));
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    view_at(section, FILE_MAP_READ, 3 * UNIT, 1));
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    view_at(section, FILE_MAP_READ, GIB(1) << 30, 1));
	EXPECT_NONE(ERROR_MAPPED_ALIGNMENT,
		    view_at(section, FILE_MAP_READ, 4096, 1));
	EXPECT_NONE(ERROR_MAPPED_ALIGNMENT,
		    view_at(section, FILE_MAP_READ, UNIT + 1, 1));
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    view_at(section, FILE_MAP_READ, 0, -1));
}

/* Rules: MV-26, MV-27, MV-28, MV-29. */
TEST_F(mapping, places_in_memory)
{
	char *base = view(self->section, FILE_MAP_READ), *other;
	HANDLE section = self->section;
	unsigned int i;

	ASSERT_NE(NULL, base);
	for (i = 0; i < 3; i++)
		EXPECT_NONE(ERROR_INVALID_ADDRESS,
			    MapViewOfFileEx(section, FILE_MAP_READ, 0, 0, 0,
					    base + i * UNIT));
	EXPECT_NONE(ERROR_MAPPED_ALIGNMENT,
		    MapViewOfFileEx(section, FILE_MAP_READ, 0, 0, 0,
				    base + 4096));
	EXPECT_NONE(ERROR_MAPPED_ALIGNMENT,
		    MapViewOfFileEx(section, FILE_MAP_READ, 0, 0, 0,
				    (void *)1));
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    MapViewOfFileEx(section, FILE_MAP_READ, 0, 0, 0,
				    (void *)0xffff800000000000));
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    MapViewOfFileEx(section, FILE_MAP_READ, 0, 0, 0,
				    (void *)(USER_END - 0x10000)));
	EXPECT_TRUE(UnmapViewOfFile(base));
	other = MapViewOfFileEx(section, FILE_MAP_READ, 0, 0, 0, base);
	EXPECT_EQ(base, other);
	EXPECT_TRUE(UnmapViewOfFile(other));
	/* Memory of the program's own is in use, too. */
	other = VirtualAlloc(base, 1, MEM_RESERVE, PAGE_NOACCESS);
	ASSERT_EQ(base, other);
	EXPECT_NONE(ERROR_INVALID_ADDRESS,
		    MapViewOfFileEx(section, FILE_MAP_READ, 0, 0, 0, base));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: MV-32, MV-33, VA-20. */
TEST_F(mapping, handles)
{
	HANDLE closed, section = self->section;
	DWORD done;
	char c;

	EXPECT_NONE(ERROR_INVALID_HANDLE, view(NULL, FILE_MAP_READ));
	EXPECT_NONE(ERROR_INVALID_HANDLE, view(SELF, FILE_MAP_READ));
	EXPECT_NONE(ERROR_INVALID_HANDLE, view(BAD, FILE_MAP_READ));
	EXPECT_NONE(ERROR_INVALID_HANDLE, view(BAD, 0));
	EXPECT_NONE(ERROR_INVALID_HANDLE, view_at(NULL, FILE_MAP_READ, 1, 0));
	if (variant->file)
		EXPECT_NONE(ERROR_INVALID_HANDLE,
			    view(self->file, FILE_MAP_READ));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     ReadFile(section, &c, 1, &done, NULL));
	EXPECT_NONE(ERROR_INVALID_HANDLE, mapping(section, PAGE_READONLY, 0));
	ASSERT_TRUE(DuplicateHandle(SELF, section, SELF, &closed, 0, FALSE,
				    DUPLICATE_SAME_ACCESS));
	EXPECT_TRUE(CloseHandle(closed));
	EXPECT_NONE(ERROR_INVALID_HANDLE, view(closed, FILE_MAP_READ));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, CloseHandle(closed));
}

/* Rules: UM-01, UM-02, UM-03. */
TEST_F(mapping, unmap)
{
	static const long offsets[] = { 0, 100, 4096, 4196, 3 * UNIT - 1 };
	char *base, *private;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		base = view(self->section, FILE_MAP_READ);
		ASSERT_NE(NULL, base);
		EXPECT_TRUE(UnmapViewOfFile(base + offsets[i]));
		EXPECT_FALSE(try_read(base));
		EXPECT_FALSE(try_read(base + 3 * UNIT - 1));
		EXPECT_FAILS(ERROR_INVALID_ADDRESS,
			     UnmapViewOfFile(base + offsets[i]));
	}
	private = VirtualAlloc(NULL, UNIT, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, UnmapViewOfFile(private));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, UnmapViewOfFile(private + 4096));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, UnmapViewOfFile(NULL));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, UnmapViewOfFile((void *)0x1234));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, UnmapViewOfFile((void *)-1L));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, UnmapViewOfFile(&i));
	EXPECT_TRUE(try_write(private));
	EXPECT_TRUE(VirtualFree(private, 0, MEM_RELEASE));
}

/* Rules: UM-06, UM-08, UM-09. */
TEST_F(mapping, unmap_with_flags)
{
	const ULONG boost = MEM_UNMAP_WITH_TRANSIENT_BOOST;
	char *base = view(self->section, FILE_MAP_READ);

	ASSERT_NE(NULL, base);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, UnmapViewOfFileEx(base, 4));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, UnmapViewOfFileEx(base, ~3U));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     UnmapViewOfFileEx(base, MEM_PRESERVE_PLACEHOLDER));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, UnmapViewOfFile2(NULL, base, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     UnmapViewOfFile2(GetCurrentProcess(), base, 8));
	EXPECT_TRUE(try_read(base));
	EXPECT_TRUE(UnmapViewOfFileEx(base + 4096, boost));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, UnmapViewOfFileEx(base, boost));
	base = view(self->section, FILE_MAP_READ);
	EXPECT_TRUE(UnmapViewOfFile2(GetCurrentProcess(), base, 0));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     UnmapViewOfFile2(GetCurrentProcess(), base, boost));
	base = view(self->section, FILE_MAP_READ);
	EXPECT_EQ(STATUS_INVALID_HANDLE, NtUnmapViewOfSectionEx(NULL, base, 0));
	EXPECT_EQ(STATUS_SUCCESS,
		  NtUnmapViewOfSectionEx(NtCurrentProcess(), base, 0));
	EXPECT_EQ(STATUS_NOT_MAPPED_VIEW,
		  NtUnmapViewOfSectionEx(NtCurrentProcess(), base, 0));
}

static char *map3(HANDLE section, void *base, SIZE_T size,
		  MEM_EXTENDED_PARAMETER *parameters, ULONG count)
{
	return MapViewOfFile3(section, NULL, base, 0, size, 0, PAGE_READONLY,
			      parameters, count);
}

/* Rules: MV-35, MV-36, MV-40, MV-41, MV-44, MV-45. */
TEST_F(mapping, newer_calls)
{
	const HANDLE self_process = GetCurrentProcess();
	const ULONG types[] = { MEM_COMMIT, MEM_COMMIT | MEM_RESERVE,
				0x40000000, 1 };
	MEMORY_BASIC_INFORMATION info;
	unsigned int i;
	char *base;

	base = MapViewOfFile3(self->section, NULL, NULL, UNIT, 0, 0,
			      PAGE_READONLY, NULL, 0);
	ASSERT_NE(NULL, base);
	VirtualQuery(base, &info, sizeof(info));
	EXPECT_EQ(2 * UNIT, info.RegionSize);
	EXPECT_EQ(PAGE_READONLY, info.AllocationProtect);
	EXPECT_NONE(ERROR_INVALID_ADDRESS, map3(self->section, base, UNIT, NULL,
						0));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_EQ(base, map3(self->section, base, UNIT + 1, NULL, 0));
	EXPECT_TRUE(UnmapViewOfFile(base));
	base = MapViewOfFile3(self->section, self_process, NULL, 0, UNIT,
			      MEM_TOP_DOWN, PAGE_NOACCESS, NULL, 0);
	EXPECT_TRUE(UnmapViewOfFile(base));
	base = MapViewOfFile2(self->section, self_process, UNIT, NULL, UNIT, 0,
			      PAGE_WRITECOPY);
	EXPECT_TRUE(try_write(base));
	EXPECT_TRUE(UnmapViewOfFile(base));
	base = MapViewOfFileNuma2(self->section, self_process, 0, NULL, UNIT, 0,
				  PAGE_READONLY, 0);
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_NONE(ERROR_INVALID_HANDLE,
		    MapViewOfFile2(self->section, NULL, 0, NULL, UNIT, 0,
				   PAGE_READONLY));
	EXPECT_NONE(ERROR_INVALID_HANDLE,
		    MapViewOfFile3(self->section, self->section, NULL, 0, UNIT,
				   0, PAGE_READONLY, NULL, 0));
	EXPECT_NONE(ERROR_INVALID_HANDLE, map3(NULL, NULL, UNIT, NULL, 0));
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    MapViewOfFile3(self->section, NULL, NULL, 0, UNIT, 0,
				   PAGE_READONLY | PAGE_READWRITE, NULL, 0));
	EXPECT_NONE(ERROR_MAPPED_ALIGNMENT,
		    MapViewOfFile3(self->section, NULL, NULL, 4096, UNIT, 0,
				   PAGE_READONLY, NULL, 0));
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    map3(self->section, NULL, 3 * UNIT + 1, NULL, 0));
	for (i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT_NONE(ERROR_INVALID_PARAMETER,
			    MapViewOfFile3(self->section, NULL, NULL, 0, UNIT,
					   types[i], PAGE_READONLY, NULL, 0));
}

/* Rules: AR-20, AR-21, AR-22, VX-12. */
TEST_F(mapping, requirements)
{
	MEM_ADDRESS_REQUIREMENTS where = { 0 };
	MEM_EXTENDED_PARAMETER list[2] = { 0 };
	const uintptr_t bad_ends[] = { 0x20001001, 0x20000ffe, 0x200007ff,
				       1UL << 63 };
	const uintptr_t bad_starts[] = { 0x20001000, 0x20000fff, 0x20001001,
					 1UL << 63 };
	SYSTEM_INFO system;
	unsigned int i;
	char *base;

	list[0].Type = MemExtendedParameterAddressRequirements;
	list[0].Pointer = &where;
	base = map3(self->section, NULL, 0, list, 1);
	ASSERT_NE(NULL, base);
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_EQ(base, map3(self->section, base, 0, list, 1));
	EXPECT_TRUE(UnmapViewOfFile(base));
	for (i = 0; i < ARRAY_SIZE(bad_ends); i++) {
		where.HighestEndingAddress = (void *)bad_ends[i];
		EXPECT_NONE(ERROR_INVALID_PARAMETER,
			    map3(self->section, NULL, 0, list, 1));
	}
	GetSystemInfo(&system);
	where.HighestEndingAddress = system.lpMaximumApplicationAddress;
	base = map3(self->section, NULL, 0, list, 1);
	EXPECT_TRUE(UnmapViewOfFile(base));
	where.HighestEndingAddress = (void *)0x2fffffffUL;
	base = map3(self->section, NULL, 0, list, 1);
	ASSERT_NE(NULL, base);
	EXPECT_GE((char *)where.HighestEndingAddress, base + 3 * UNIT - 1);
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    map3(self->section, base, 0, list, 1));
	EXPECT_TRUE(UnmapViewOfFile(base));
	for (i = 0; i < ARRAY_SIZE(bad_starts); i++) {
		where.LowestStartingAddress = (void *)bad_starts[i];
		EXPECT_NONE(ERROR_INVALID_PARAMETER,
			    map3(self->section, NULL, 0, list, 1));
	}
	where.LowestStartingAddress = (void *)0x30000000UL;
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    map3(self->section, NULL, 0, list, 1));
	where.LowestStartingAddress = (void *)0x2fff0000UL;
	EXPECT_NONE(ERROR_NOT_ENOUGH_MEMORY,
		    map3(self->section, NULL, 0, list, 1));
	where = (MEM_ADDRESS_REQUIREMENTS) { 0 };
	for (i = 4; i < 48; i++) {
		where.Alignment = 1UL << i;
		EXPECT_NONE(ERROR_INVALID_PARAMETER,
			    map3(self->section, NULL, 0, list, 1));
	}
	where.Alignment = 0;
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    map3(self->section, NULL, 0, NULL, 1));
	list[1] = list[0];
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    map3(self->section, NULL, 0, list, 2));
	list[1].Type = MemExtendedParameterMax;
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    map3(self->section, NULL, 0, list, 2));
	list[1].Type = MemExtendedParameterInvalidType;
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    map3(self->section, NULL, 0, list, 2));
	list[1].Type = MemExtendedParameterAttributeFlags;
	list[1].ULong64 = MEM_EXTENDED_PARAMETER_EC_CODE;
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    map3(self->section, NULL, 0, list, 2));
	list[1].ULong64 = 0;
	base = map3(self->section, NULL, 0, list, 2);
	EXPECT_TRUE(UnmapViewOfFile(base));
	list[1].Type = MemExtendedParameterNumaNode;
	base = map3(self->section, NULL, 0, list, 2);
	EXPECT_TRUE(UnmapViewOfFile(base));
}

/* The call below: the same, and what it changes. Rules: MV-11, MV-34, AR-22. */
TEST_F(mapping, newer_nt_call)
{
	MEM_ADDRESS_REQUIREMENTS where = {
		.HighestEndingAddress = (void *)0x2fffffffUL,
	};
	MEM_EXTENDED_PARAMETER list = {
		.Type = MemExtendedParameterAddressRequirements,
		.Pointer = &where,
	};
	void *base = NULL;
	SIZE_T size = 1;

	ASSERT_EQ(STATUS_SUCCESS,
		  NtMapViewOfSectionEx(self->section, NtCurrentProcess(), &base,
				       NULL, &size, 0, PAGE_READONLY, &list,
				       1));
	EXPECT_EQ(4096, size);
	EXPECT_GT(0x30000000UL, (uintptr_t)base);
	EXPECT_EQ(STATUS_INVALID_PARAMETER,
		  NtMapViewOfSectionEx(self->section, NtCurrentProcess(), &base,
				       NULL, &size, 0, PAGE_READONLY, &list,
				       1));
	EXPECT_EQ(STATUS_CONFLICTING_ADDRESSES,
		  NtMapViewOfSectionEx(self->section, NtCurrentProcess(), &base,
				       NULL, &size, 0, PAGE_READONLY, NULL, 0));
	EXPECT_EQ(STATUS_INVALID_HANDLE,
		  NtMapViewOfSectionEx(self->section, NULL, &base, NULL, &size,
				       0, PAGE_READONLY, NULL, 0));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION,
		  NtMapViewOfSectionEx(self->section, NtCurrentProcess(), NULL,
				       NULL, &size, 0, PAGE_READONLY, NULL, 0));
	EXPECT_TRUE(UnmapViewOfFile(base));
}

/* Rules: FV-01, FV-02, FV-03, FV-04. */
TEST_F(mapping, flush)
{
	char *base = view(self->section, FILE_MAP_READ), *private;

	ASSERT_NE(NULL, base);
	SetLastError(OUR_ERROR);
	EXPECT_TRUE(FlushViewOfFile(base, 0));
	EXPECT_TRUE(FlushViewOfFile(base + 5, 100));
	EXPECT_TRUE(FlushViewOfFile(base, 3 * UNIT));
	EXPECT_TRUE(FlushViewOfFile(base + UNIT, 0));
	EXPECT_EQ(OUR_ERROR, GetLastError());
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, FlushViewOfFile(base, 3 * UNIT + 1));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, FlushViewOfFile(base, 0));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, FlushViewOfFile(NULL, 0));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, FlushViewOfFile((void *)-1L, 1));
	private = VirtualAlloc(NULL, UNIT, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_FAILS(ERROR_INVALID_ADDRESS, FlushViewOfFile(private, 0));
	EXPECT_TRUE(VirtualFree(private, 0, MEM_RELEASE));
}

static HANDLE duplicate(HANDLE handle, DWORD access)
{
	HANDLE other;

	return DuplicateHandle(SELF, handle, SELF, &other, access, FALSE, 0) ?
		       other : NULL;
}

/* Rules: OM-05, OM-06, OM-07, MV-10, HANDLE-11, HANDLE-12. */
TEST_F(files, duplicates)
{
	HANDLE section = mapping(BAD, PAGE_READWRITE, UNIT);
	HANDLE both = duplicate(section, FILE_MAP_READ | FILE_MAP_WRITE);
	HANDLE reader = duplicate(section, FILE_MAP_READ);
	HANDLE writer = duplicate(section, FILE_MAP_WRITE);
	HANDLE none = duplicate(section, 0);
	char *a, *b, *c;
	DWORD old;

	ASSERT_TRUE(section && both && reader && writer && none);
	EXPECT_TRUE(CloseHandle(section));
	a = view(both, FILE_MAP_WRITE);
	ASSERT_NE(NULL, a);
	a[7] = 7;
	EXPECT_NONE(ERROR_ACCESS_DENIED, view(reader, FILE_MAP_WRITE));
	EXPECT_NONE(ERROR_ACCESS_DENIED, view(reader, FILE_MAP_ALL_ACCESS));
	b = view(reader, FILE_MAP_READ);
	ASSERT_NE(NULL, b);
	EXPECT_EQ(7, b[7]);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(b, 1, PAGE_READWRITE, &old));
	c = view(reader, 0);
	ASSERT_NE(NULL, c);
	EXPECT_FALSE(try_read(c));
	EXPECT_TRUE(UnmapViewOfFile(c));
	EXPECT_NONE(ERROR_ACCESS_DENIED, view(writer, FILE_MAP_READ));
	EXPECT_NONE(ERROR_ACCESS_DENIED, view(writer, 0));
	c = view(writer, FILE_MAP_WRITE);
	ASSERT_NE(NULL, c);
	EXPECT_EQ(7, c[7]);
	EXPECT_TRUE(UnmapViewOfFile(c));
	EXPECT_NONE(ERROR_ACCESS_DENIED, view(none, 0));
	EXPECT_NONE(ERROR_ACCESS_DENIED, view(none, FILE_MAP_READ));
	EXPECT_NONE(ERROR_ACCESS_DENIED, view(none, FILE_MAP_WRITE));
	EXPECT_NONE(ERROR_ACCESS_DENIED, view(none, FILE_MAP_COPY));

	/* No way back */
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    duplicate(reader, FILE_MAP_READ | FILE_MAP_WRITE));
	EXPECT_NONE(ERROR_ACCESS_DENIED, duplicate(none, FILE_MAP_READ));
	EXPECT_TRUE(CloseHandle(none));
	EXPECT_TRUE(CloseHandle(writer));
	EXPECT_TRUE(CloseHandle(reader));
	EXPECT_TRUE(CloseHandle(both));
	EXPECT_EQ(7, b[7]);
	EXPECT_TRUE(UnmapViewOfFile(a));
	EXPECT_TRUE(UnmapViewOfFile(b));
	EXPECT_EQ(self->fds, count_fds());
}

/* The descriptor of a section that exec would leave open; -1: none; -2: more */
static int kept_section(void)
{
	char link[64], to[64];
	int fd, found = -1;
	ssize_t n;

	for (fd = 3; fd < 256; fd++) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, to, sizeof(to) - 1);
		if (n < 0 || fcntl(fd, F_GETFD) & FD_CLOEXEC)
			continue;
		to[n] = '\0';
		if (strstr(to, "winregion-section"))
			found = found == -1 ? fd : -2;
	}
	return found;
}

/* Rules: HANDLE-20. What is inherited has the rights of the handle, not more. */
TEST_F(files, inheritance)
{
	SECURITY_ATTRIBUTES attributes = { sizeof(attributes), NULL, TRUE };
	HANDLE section = mapping(BAD, PAGE_READWRITE, UNIT);
	HANDLE reader = duplicate(section, FILE_MAP_READ);
	char *base;
	int fd;

	ASSERT_TRUE(section && reader);
	EXPECT_EQ(-1, kept_section());
	EXPECT_TRUE(SetHandleInformation(reader, HANDLE_FLAG_INHERIT, 1));
	fd = kept_section();
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EKEYREJECTED, sec_map(fd, 0, 0, RW, &base));
	ASSERT_EQ(0, sec_map(fd, 0, 0, RO, &base));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_EQ(-EKEYREJECTED, sec_duplicate(fd, WINREGION_SECTION_ALL));
	EXPECT_TRUE(SetHandleInformation(reader, HANDLE_FLAG_INHERIT, 0));
	EXPECT_EQ(-1, kept_section());
	EXPECT_TRUE(CloseHandle(reader));
	EXPECT_TRUE(CloseHandle(section));

	section = CreateFileMappingA(BAD, &attributes, PAGE_READWRITE, 0, UNIT,
				     NULL);
	EXPECT_LE(0, kept_section());
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_EQ(-1, kept_section());
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: CM-47. Nobody is kept away from a file by a section of it. */
TEST_F(files, share_mode_ends_with_handle)
{
	HANDLE file, other, section;
	char *base;

	ASSERT_TRUE(make_file("file", "text"));
	file = open_file("file", READ_WRITE, 0, OPEN_EXISTING, 0);
	ASSERT_NE(BAD, file);
	ASSERT_TRUE(LockFile(file, 0, 0, 4, 0));
	base = map_all(file, PAGE_READWRITE, 0, FILE_MAP_WRITE, &section);
	ASSERT_NE(NULL, base);
	EXPECT_NO_OPEN(ERROR_SHARING_VIOLATION,
		       open_shared("file", OPEN_EXISTING));
	EXPECT_TRUE(CloseHandle(file));
	other = open_shared("file", OPEN_EXISTING);
	ASSERT_NE(BAD, other);
	EXPECT_TRUE(put(other, "TEXT"));
	EXPECT_EQ(0, memcmp(base, "TEXT", 4));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_EQ(self->fds, count_fds());
}

/* What is no file has no sections. */
TEST_F(files, no_files)
{
	HANDLE directory = open_file(".", GENERIC_READ, SHARE_ALL,
				     OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS);
	HANDLE device = open_file("/dev/null", READ_WRITE, SHARE_ALL,
				  OPEN_EXISTING, 0);

	ASSERT_NE(BAD, directory);
	ASSERT_NE(BAD, device);
	EXPECT_NONE(ERROR_BAD_EXE_FORMAT, mapping(directory, PAGE_READONLY, 0));
	EXPECT_NONE(ERROR_BAD_EXE_FORMAT, mapping(device, PAGE_READWRITE, 4096));
	EXPECT_NONE(ERROR_INVALID_HANDLE,
		    mapping((HANDLE)0x12340, PAGE_READONLY, 0));
	EXPECT_NONE(ERROR_INVALID_HANDLE, mapping((HANDLE)-2L, PAGE_READONLY, 0));
	EXPECT_TRUE(CloseHandle(device));
	EXPECT_TRUE(CloseHandle(directory));
}

/* What the Nt call maps, or the status */
static NTSTATUS map_nt(HANDLE section, void **base, ULONG_PTR zero_bits,
		       SIZE_T commit, SIZE_T size, ULONG type, ULONG protect)
{
	return NtMapViewOfSection(section, SELF, base, zero_bits, commit, NULL,
				  &size, ViewShare, type, protect);
}

#define EXPECT_MAP(status, base, zero_bits, commit, size, type, protect) do { \
	void *__base = (void *)(base);					\
									\
	EXPECT_EQ(STATUS_##status,					\
		  map_nt(section, &__base, zero_bits, commit, size,	\
			 type, protect));				\
	if (STATUS_##status) {						\
		EXPECT_EQ((void *)(base), __base);			\
		break;							\
	}								\
	EXPECT_EQ(STATUS_SUCCESS, NtUnmapViewOfSection(SELF, __base));	\
} while (0)

/*
 * Rules: CM-02, CM-08, MV-11, MV-12, MV-13, MV-34, MV-40, MV-41, MV-42, MV-43, MV-45,
 * MV-47, MV-48, P-11.
 */
TEST_F(mapping, nt)
{
	LARGE_INTEGER size = { .QuadPart = UNIT }, offset = { .QuadPart = 1 };
	bool writes = variant->protect & WRITES;
	HANDLE section = NULL, file = variant->file ? self->file : NULL;
	void *base = NULL;
	SIZE_T length = 0;

	EXPECT_EQ(STATUS_INVALID_PAGE_PROTECTION,
		  NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &size,
				  PAGE_READWRITE | PAGE_GUARD, SEC_COMMIT,
				  file));
	EXPECT_EQ(STATUS_INVALID_PARAMETER_6,
		  NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &size,
				  variant->protect, 0, file));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION,
		  NtCreateSection(NULL, SECTION_ALL_ACCESS, NULL, &size,
				  variant->protect, SEC_COMMIT, file));
	if (!file)
		EXPECT_EQ(STATUS_INVALID_PARAMETER_4,
			  NtCreateSection(&section, SECTION_ALL_ACCESS, NULL,
					  NULL, variant->protect, SEC_COMMIT,
					  NULL));
	EXPECT_EQ(NULL, section);
	ASSERT_EQ(STATUS_SUCCESS,
		  NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &size,
				  variant->protect, SEC_COMMIT, file));
	EXPECT_MAP(SUCCESS, NULL, 0, 0, 0, 0, PAGE_READONLY);
	EXPECT_MAP(SUCCESS, NULL, 0, 0, 0, MEM_TOP_DOWN, PAGE_READONLY);
	EXPECT_MAP(SUCCESS, NULL, 0, 0, 0, 0, PAGE_READONLY | PAGE_GUARD);
	if (writes)
		EXPECT_MAP(SUCCESS, NULL, 0, 0, 0, 0, PAGE_READWRITE);
	else
		EXPECT_MAP(SECTION_PROTECTION, NULL, 0, 0, 0, 0,
			   PAGE_READWRITE);
	if (variant->protect & EXECUTES) {
		EXPECT_MAP(SUCCESS, NULL, 0, 0, 0, 0, PAGE_EXECUTE);
		EXPECT_MAP(SUCCESS, NULL, 0, 0, 0, 0, PAGE_EXECUTE_WRITECOPY);
	} else {
		EXPECT_MAP(SECTION_PROTECTION, NULL, 0, 0, 0, 0, PAGE_EXECUTE);
		EXPECT_MAP(SECTION_PROTECTION, NULL, 0, 0, 0, 0,
			   PAGE_EXECUTE_WRITECOPY);
	}
	EXPECT_MAP(INVALID_PAGE_PROTECTION, NULL, 0, 0, 0, 0,
		   PAGE_READONLY | PAGE_READWRITE);
	EXPECT_MAP(INVALID_PAGE_PROTECTION, NULL, 0, 0, 0, 0, 0);
	EXPECT_MAP(INVALID_PARAMETER_9, NULL, 0, 0, 0, MEM_COMMIT,
		   PAGE_READONLY);
	EXPECT_MAP(INVALID_PARAMETER_9, NULL, 0, 0, 0, MEM_COMMIT | MEM_RESERVE,
		   PAGE_READONLY);
	if (!file)
		EXPECT_MAP(INVALID_PARAMETER_9, NULL, 0, 0, 0, MEM_RESERVE,
			   PAGE_READONLY);
	else if (writes)
		EXPECT_MAP(SUCCESS, NULL, 0, 0, UNIT + 1, MEM_RESERVE,
			   PAGE_READONLY);
	else
		EXPECT_MAP(SECTION_PROTECTION, NULL, 0, 0, 0, MEM_RESERVE,
			   PAGE_READONLY);
	EXPECT_MAP(INVALID_PARAMETER_9, NULL, 0, 0, 0, 0x40000000,
		   PAGE_READONLY);
	EXPECT_MAP(INVALID_PARAMETER_5, NULL, 0, UNIT + 1, UNIT, 0,
		   PAGE_READONLY);
	if (file)
		EXPECT_MAP(INVALID_PARAMETER_5, NULL, 0, 1, 0, 0,
			   PAGE_READONLY);
	EXPECT_MAP(INVALID_PARAMETER_3, NULL, 0, 0, -1, 0, PAGE_READONLY);
	EXPECT_MAP(INVALID_VIEW_SIZE, NULL, 0, 0, UNIT + 1, 0, PAGE_READONLY);

	/* The process comes before the alignment. */
	EXPECT_EQ(STATUS_INVALID_HANDLE,
		  NtMapViewOfSection(section, NULL, &base, 0, 0, &offset,
				     &length, ViewShare, 0, PAGE_READONLY));
	EXPECT_EQ(STATUS_MAPPED_ALIGNMENT,
		  NtMapViewOfSection(section, SELF, &base, 0, 0, &offset,
				     &length, ViewShare, 0, PAGE_READONLY));
	EXPECT_EQ(STATUS_INVALID_PARAMETER_8,
		  NtMapViewOfSection(section, SELF, &base, 0, 0, NULL, &length,
				     0, 0, PAGE_READONLY));
	EXPECT_EQ(STATUS_OBJECT_TYPE_MISMATCH,
		  NtMapViewOfSection(SELF, SELF, &base, 0, 0, NULL, &length,
				     ViewShare, 0, PAGE_READONLY));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION,
		  NtMapViewOfSection(section, SELF, NULL, 0, 0, NULL, &length,
				     ViewShare, 0, PAGE_READONLY));
	EXPECT_EQ(STATUS_INVALID_HANDLE, NtUnmapViewOfSection(NULL, base));
	EXPECT_EQ(STATUS_NOT_MAPPED_VIEW, NtUnmapViewOfSection(SELF, &size));
	EXPECT_TRUE(CloseHandle(section));
}

/* Rules: ZB-01, ZB-05, ZB-06, ZB-07. */
TEST_F(mapping, zero_bits)
{
	HANDLE section = self->section;
	void *base = NULL;

	ASSERT_EQ(STATUS_SUCCESS,
		  map_nt(section, &base, 2, 0, 0, 0, PAGE_READONLY));
	EXPECT_GT(1UL << 30, (uintptr_t)base);
	EXPECT_MAP(CONFLICTING_ADDRESSES, base, 2, 0, 0, 0, PAGE_READONLY);
	EXPECT_EQ(STATUS_SUCCESS, NtUnmapViewOfSection(SELF, base));
	EXPECT_MAP(SUCCESS, 0x30000000, 2, 0, 0, 0, PAGE_READONLY);
	EXPECT_MAP(INVALID_PARAMETER_4, 0x30000000, 3, 0, 0, 0, PAGE_READONLY);
	EXPECT_MAP(INVALID_PARAMETER_4, 0x30000000, 20, 0, 0, 0, PAGE_READONLY);
	EXPECT_MAP(INVALID_PARAMETER_4, 0x30000001, 3, 0, 0, 0, PAGE_READONLY);
	EXPECT_MAP(MAPPED_ALIGNMENT, 0x30000001, 2, 0, 0, 0, PAGE_READONLY);
	EXPECT_MAP(INVALID_PARAMETER_4, NULL, 24, 0, 0, 0, PAGE_READONLY);
}

/* A section can be as large as its file by now. */
TEST_F(files, extend)
{
	HANDLE file = sized_file("file", 0x3456), section, narrow, memory;
	LARGE_INTEGER size = { .QuadPart = 0x5000 };

	section = mapping(file, PAGE_READWRITE, 0);
	ASSERT_NE(NULL, section);
	/* That of CreateFileMapping() may not. */
	EXPECT_EQ(STATUS_ACCESS_DENIED, NtExtendSection(section, &size));
	EXPECT_TRUE(CloseHandle(section));
	ASSERT_EQ(STATUS_SUCCESS,
		  NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, NULL,
				  PAGE_READWRITE, SEC_COMMIT, file));
	EXPECT_EQ(STATUS_SECTION_NOT_EXTENDED, NtExtendSection(section, &size));
	EXPECT_EQ(0x5000, size.QuadPart);
	ASSERT_EQ(0, truncate("file", 0x6000));
	EXPECT_EQ(STATUS_SUCCESS, NtExtendSection(section, &size));
	EXPECT_EQ(0x5000, size.QuadPart);
	EXPECT_NONE(ERROR_ACCESS_DENIED, map3(section, NULL, 0x5001, NULL, 0));
	EXPECT_TRUE(UnmapViewOfFile(map3(section, NULL, 0x5000, NULL, 0)));
	size.QuadPart = 0x1000;
	EXPECT_EQ(STATUS_SUCCESS, NtExtendSection(section, &size));
	EXPECT_EQ(0x5000, size.QuadPart);
	narrow = duplicate(section, FILE_MAP_READ);
	EXPECT_EQ(STATUS_ACCESS_DENIED, NtExtendSection(narrow, &size));
	EXPECT_EQ(STATUS_OBJECT_TYPE_MISMATCH, NtExtendSection(file, &size));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION, NtExtendSection(section, NULL));
	ASSERT_EQ(STATUS_SUCCESS,
		  NtCreateSection(&memory, SECTION_ALL_ACCESS, NULL, &size,
				  PAGE_READWRITE, SEC_COMMIT, NULL));
	size.QuadPart = 0x10000;
	EXPECT_EQ(STATUS_SECTION_NOT_EXTENDED, NtExtendSection(memory, &size));
	EXPECT_TRUE(CloseHandle(memory));
	EXPECT_TRUE(CloseHandle(narrow));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_TRUE(CloseHandle(file));
}

#define EXPECT_RUN(_state, _protect, _size, at) do {			\
	MEMORY_BASIC_INFORMATION __info;				\
									\
	VirtualQuery(at, &__info, sizeof(__info));			\
	EXPECT_EQ(_state, __info.State);				\
	EXPECT_EQ(_protect, __info.Protect);				\
	EXPECT_EQ(_size, __info.RegionSize);				\
	EXPECT_EQ(MEM_MAPPED, __info.Type);				\
} while (0)

/*
 * What the file has not yet is reserved, and is there once the file has grown, by
 * whatever call, or the section. Rules: MV-42, MV-43.
 */
TEST_F(files, larger_than_the_section)
{
	HANDLE file = sized_file("file", 0x3456), section, readonly, memory;
	LARGE_INTEGER size = { .QuadPart = 0x9000 };
	DWORD old, written;
	int status;
	char *base;
	pid_t pid;

	section = mapping(file, PAGE_READWRITE, 0);
	readonly = mapping(file, PAGE_READONLY, 0);
	memory = mapping(INVALID_HANDLE_VALUE, PAGE_READWRITE, UNIT);
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    MapViewOfFile3(readonly, NULL, NULL, 0, 2 * UNIT,
				   MEM_RESERVE, PAGE_READONLY, NULL, 0));
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    MapViewOfFile3(memory, NULL, NULL, 0, 2 * UNIT, MEM_RESERVE,
				   PAGE_READONLY, NULL, 0));
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    MapViewOfFile3(section, NULL, NULL, UNIT, 2 * UNIT,
				   MEM_RESERVE, PAGE_READWRITE, NULL, 0));
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    MapViewOfFile3(section, NULL, NULL, 0, 2 * UNIT, 0,
				   PAGE_READWRITE, NULL, 0));
	base = MapViewOfFile3(section, NULL, NULL, 0, 2 * UNIT, MEM_RESERVE,
			      PAGE_READWRITE, NULL, 0);
	ASSERT_NE(NULL, base);
	EXPECT_RUN(MEM_COMMIT, PAGE_READWRITE, 0x4000, base);
	EXPECT_RUN(MEM_RESERVE, 0, 2 * UNIT - 0x4000, base + 0x4000);
	EXPECT_TRUE(try_write(base + 0x3fff));
	EXPECT_FALSE(try_read(base + 0x4000));
	EXPECT_FALSE(try_write(base + 2 * UNIT - 1));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     VirtualProtect(base + 0x4000, 1, PAGE_READONLY, &old));
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    VirtualAlloc(base + 0x4000, 1, MEM_COMMIT, PAGE_READWRITE));

	/* By a write behind the end */
	ASSERT_EQ(0x5ffe, SetFilePointer(file, 0x5ffe, NULL, FILE_BEGIN));
	ASSERT_TRUE(WriteFile(file, "ab", 2, &written, NULL));
	EXPECT_RUN(MEM_COMMIT, PAGE_READWRITE, 0x6000, base);
	EXPECT_EQ('b', base[0x5fff]);
	base[0x5ffe] = 'x';
	EXPECT_FALSE(try_read(base + 0x6000));
	EXPECT_TRUE(VirtualProtect(base + 0x5000, 1, PAGE_READONLY, &old));
	EXPECT_EQ(PAGE_READWRITE, old);
	EXPECT_FALSE(try_write(base + 0x5000));

	/* In a child, too; and what was there stays committed. */
	pid = fork();
	if (!pid) {
		if (truncate("file", 0x8000) || !try_write(base + 0x7000) ||
		    try_read(base + 0x8000))
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(try_read(base + 0x7fff));
	EXPECT_FALSE(try_read(base + 0x8000));
	ASSERT_EQ(0, truncate("file", 0x3000));
	EXPECT_RUN(MEM_COMMIT, PAGE_READWRITE, 0x5000, base);
	EXPECT_RUN(MEM_RESERVE, 0, 2 * UNIT - 0x8000, base + 0x8000);
	EXPECT_TRUE(UnmapViewOfFile(base));

	/* By the section, at an address and as a copy */
	EXPECT_TRUE(CloseHandle(section));
	ASSERT_EQ(STATUS_SUCCESS,
		  NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, NULL,
				  PAGE_READWRITE, SEC_COMMIT, file));
	EXPECT_EQ(base, MapViewOfFile3(section, NULL, base, 0, UNIT,
				       MEM_RESERVE, PAGE_WRITECOPY, NULL, 0));
	EXPECT_TRUE(try_write(base + 0x2000));
	EXPECT_FALSE(try_write(base + 0x8fff));
	ASSERT_EQ(0, truncate("file", 0x9000));
	ASSERT_EQ(STATUS_SUCCESS, NtExtendSection(section, &size));
	EXPECT_TRUE(try_write(base + 0x8fff));
	EXPECT_FALSE(try_write(base + 0x9000));
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(CloseHandle(memory));
	EXPECT_TRUE(CloseHandle(readonly));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_TRUE(CloseHandle(file));
}

/* Rules: CM-25, CM-26, CM-49, CM-50. */
TEST_F(files, query)
{
	HANDLE file = sized_file("file", 0x3456), section, none;
	SECTION_BASIC_INFORMATION info[2];
	SIZE_T length = 0;

	section = mapping(file, PAGE_READONLY | SEC_COMMIT | SEC_NOCACHE, 0);
	EXPECT_EQ(STATUS_SUCCESS,
		  NtQuerySection(section, SectionBasicInformation, info,
				 sizeof(*info), &length));
	EXPECT_EQ(sizeof(*info), length);
	EXPECT_EQ(0x3456, info->Size.QuadPart);
	EXPECT_EQ(SEC_FILE | SEC_NOCACHE, info->Attributes);
	EXPECT_EQ(NULL, info->BaseAddress);
	EXPECT_EQ(STATUS_INFO_LENGTH_MISMATCH,
		  NtQuerySection(section, SectionBasicInformation, info,
				 sizeof(*info) - 1, NULL));
	EXPECT_EQ(STATUS_SUCCESS,
		  NtQuerySection(section, SectionBasicInformation, info,
				 sizeof(*info) + 1, NULL));
	EXPECT_EQ(STATUS_SECTION_NOT_IMAGE,
		  NtQuerySection(section, SectionImageInformation, info,
				 sizeof(info), NULL));
	EXPECT_EQ(STATUS_INVALID_INFO_CLASS,
		  NtQuerySection(section, 99, info, sizeof(info), NULL));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION,
		  NtQuerySection(section, SectionBasicInformation, NULL,
				 sizeof(*info), NULL));
	EXPECT_EQ(STATUS_OBJECT_TYPE_MISMATCH,
		  NtQuerySection(file, SectionBasicInformation, info,
				 sizeof(*info), NULL));
	none = duplicate(section, FILE_MAP_READ);
	EXPECT_EQ(STATUS_ACCESS_DENIED,
		  NtQuerySection(none, SectionBasicInformation, info,
				 sizeof(*info), NULL));
	EXPECT_TRUE(CloseHandle(none));
	EXPECT_TRUE(CloseHandle(section));

	section = mapping(BAD, PAGE_READWRITE | SEC_RESERVE, 0x3452);
	EXPECT_EQ(STATUS_SUCCESS,
		  NtQuerySection(section, SectionBasicInformation, info,
				 sizeof(*info), NULL));
	EXPECT_EQ(0x4000, info->Size.QuadPart);
	EXPECT_EQ(SEC_RESERVE, info->Attributes);
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(self->fds, count_fds());
}

#define NR_ROUNDS 300

static void *map_and_duplicate(void *arg)
{
	HANDLE section = arg, other;
	unsigned long bad = 0;
	char *base;
	int i;

	for (i = 0; i < NR_ROUNDS; i++) {
		other = duplicate(section, FILE_MAP_READ);
		base = view(other, FILE_MAP_READ);
		bad += !base || base[1] != 1;
		bad += !CloseHandle(other);
		bad += !UnmapViewOfFile(base);
	}
	return (void *)bad;
}

/* Rules: HANDLE-12. By several threads at once */
TEST_F(files, threads)
{
	HANDLE section;
	char *base = map_all(BAD, PAGE_READWRITE, UNIT, FILE_MAP_WRITE,
			     &section);
	pthread_t threads[4];
	unsigned int i;
	void *bad;

	ASSERT_NE(NULL, base);
	base[1] = 1;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    map_and_duplicate, section));
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		EXPECT_EQ(0, pthread_join(threads[i], &bad));
		EXPECT_EQ(NULL, bad);
	}
	EXPECT_TRUE(UnmapViewOfFile(base));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_EQ(self->fds, count_fds());
}

TEST_HARNESS_MAIN
