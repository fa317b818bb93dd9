// SPDX-License-Identifier: GPL-2.0
/*
 * The file that is mapped at an address: GetMappedFileName()
 */
#include "kselftest_harness.h"

#include <winregion/psapi.h>

#include "file_fixture.h"

static DWORD name_at(void *address, char *name, DWORD size)
{
	return GetMappedFileNameA(GetCurrentProcess(), address, name, size);
}

static char *view_of(HANDLE file, DWORD size)
{
	HANDLE section = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0,
					    size, NULL);
	char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);

	CloseHandle(section);
	return view;
}

/* Rule MF-05: by any address in the view, also once it is renamed or deleted */
TEST_F(files, name_of_view)
{
	char name[256], path[64];
	WCHAR wide[256];
	HANDLE file = open_shared("fi le", CREATE_ALWAYS);
	char *view = view_of(file, PAGES(3));

	ASSERT_NE(NULL, view);
	snprintf(path, sizeof(path), "%s/fi le", self->directory);
	EXPECT_EQ(strlen(path), name_at(view, name, sizeof(name)));
	EXPECT_STREQ(path, name);
	EXPECT_EQ(strlen(path), name_at(view + PAGES(3) - 1, name,
					sizeof(name)));
	EXPECT_EQ(strlen(path), K32GetMappedFileNameW(GetCurrentProcess(), view,
						      wide, 256));
	EXPECT_EQ('/', wide[0]);
	EXPECT_EQ('e', wide[strlen(path) - 1]);
	EXPECT_EQ(0, wide[strlen(path)]);
	ASSERT_EQ(0, rename("fi le", "a\nb (deleted)"));
	EXPECT_NE(0, name_at(view, name, sizeof(name)));
	EXPECT_STREQ("a\nb (deleted)", strrchr(name, '/') + 1);
	/* As the kernel writes one with a newline */
	ASSERT_EQ(0, rename("a\nb (deleted)", "a\\012b"));
	EXPECT_NE(0, name_at(view, name, sizeof(name)));
	EXPECT_STREQ("a\\012b", strrchr(name, '/') + 1);
	ASSERT_EQ(0, rename("a\\012b", "a\nb (deleted)"));
	ASSERT_EQ(0, unlink("a\nb (deleted)"));
	EXPECT_NE(0, name_at(view, name, sizeof(name)));
	EXPECT_STREQ("a\nb (deleted)", strrchr(name, '/') + 1);
	EXPECT_TRUE(UnmapViewOfFile(view));
	CloseHandle(file);
}

/* Rules: MF-01, MF-02, MF-03, MF-04. */
TEST_F(files, name_errors)
{
	char name[256];
	HANDLE file = open_shared("file", CREATE_ALWAYS);
	char *view = view_of(file, PAGES(1)), *paging = view_of(BAD, PAGES(1));
	char *ours = VirtualAlloc(NULL, 1, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);
	DWORD length;

	ASSERT_TRUE(view && paging && ours);
	EXPECT_FAILS(ERROR_FILE_INVALID, name_at(paging, name, sizeof(name)));
	EXPECT_FAILS(ERROR_UNEXP_NET_ERR, name_at(ours, name, sizeof(name)));
	EXPECT_FAILS(ERROR_UNEXP_NET_ERR, name_at(NULL, name, sizeof(name)));
	EXPECT_FAILS(ERROR_UNEXP_NET_ERR, name_at(name, name, sizeof(name)));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     GetMappedFileNameA(NULL, view, name, sizeof(name)));
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER, name_at(view, name, 0));
	length = name_at(view, name, sizeof(name));
	EXPECT_EQ(length, name_at(view, name, length));
	EXPECT_EQ(ERROR_INSUFFICIENT_BUFFER, GetLastError());
	EXPECT_EQ(length - 1, strlen(name));
	EXPECT_EQ(length, name_at(view, name, length + 1));
	EXPECT_TRUE(UnmapViewOfFile(view));
	EXPECT_FAILS(ERROR_UNEXP_NET_ERR, name_at(view, name, sizeof(name)));
	EXPECT_TRUE(UnmapViewOfFile(paging));
	EXPECT_TRUE(VirtualFree(ours, 0, MEM_RELEASE));
	CloseHandle(file);
}

TEST_HARNESS_MAIN
