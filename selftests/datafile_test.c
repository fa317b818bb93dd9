// SPDX-License-Identifier: GPL-2.0
/*
 * Files of libraries for Windows that are loaded as data, and their resources:
 * LoadLibraryEx(), FindResource() and their kind.
 */
#include "kselftest_harness.h"

#include "file_fixture.h"
#include "pe_file.h"

#define DATA LOAD_LIBRARY_AS_DATAFILE
#define EXCLUSIVE LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE
#define ENGLISH 0x409
#define GERMAN 0x407
#define FRENCH 0x40C

static bool write_pe(const char *name, const struct pe_file *pe)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool done = fd >= 0 &&
		    write(fd, pe->bytes, pe->size) == (ssize_t)pe->size;

	close(fd);
	return done;
}

/* A library with resources, or with none */
static bool make_library(const char *name, bool wide, bool resources)
{
	uint8_t data[512];
	struct pe_file pe;
	uint32_t size;

	pe_begin(&pe, wide, 0x10000000);
	pe_section(&pe, ".text", "\xc3", 1, 1, PE_CODE);
	if (resources) {
		size = pe_resources(data, pe.next_address);
		pe_directory(&pe, 2, pe.next_address, size);
		pe_section(&pe, ".rsrc", data, size, size, PE_CONST);
	}
	return write_pe(name, &pe);
}

static HMODULE load(const char *name, DWORD flags)
{
	return LoadLibraryExA(name, NULL, flags);
}

static int load_pipe(void *unused)
{
	const DWORD as_image = DONT_RESOLVE_DLL_REFERENCES;

	alarm(10);
	CHECK(FAILS_WITH(ERROR_BAD_EXE_FORMAT, load("pipe.dll", as_image)));
	CHECK(FAILS_WITH(ERROR_BAD_EXE_FORMAT, load("pipe.dll", DATA)));
	return 0;
}

/* Nobody waits for who writes a pipe. Rules: DATAFILE-03, MODULE-08. */
TEST_F(files, a_pipe_is_no_library)
{
	ASSERT_EQ(0, mkfifo("pipe.dll", 0600));
	EXPECT_EQ(0, in_child(load_pipe, NULL));
}

/* Rules: DATAFILE-01, DATAFILE-02, DATAFILE-03. */
TEST_F(files, loaded_as_data)
{
	MEMORY_BASIC_INFORMATION info;
	HMODULE first, second;
	char name[64];
	char *base;

	ASSERT_TRUE(make_library("a.dll", true, true));
	first = load("a.dll", DATA);
	ASSERT_NE(NULL, first);
	EXPECT_EQ(1, (uintptr_t)first & 0xFFFF);
	base = (char *)first - 1;
	EXPECT_EQ(0, memcmp(base, "MZ", 2));
	EXPECT_EQ((char)0xC3, base[PE_HEADERS]);
	ASSERT_EQ(sizeof(info), VirtualQuery(base, &info, sizeof(info)));
	EXPECT_EQ(PAGE_READONLY, info.Protect);
	EXPECT_EQ(MEM_MAPPED, info.Type);
	second = LoadLibraryExW(W(".\\A.DLL"), NULL, DATA);
	EXPECT_EQ(NULL, second);
	second = LoadLibraryExW(W(".\\a"), NULL, DATA);
	ASSERT_NE(NULL, second);
	EXPECT_NE(first, second);
	/* It is no module that runs. */
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, GetModuleHandleA("a.dll"));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, GetProcAddress(first, "alpha"));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND,
		     GetModuleFileNameA(first, name, sizeof(name)));
	EXPECT_TRUE(FreeLibrary(first));
	ASSERT_EQ(sizeof(info), VirtualQuery(base, &info, sizeof(info)));
	EXPECT_EQ(MEM_FREE, info.State);
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, FreeLibrary(first));
	EXPECT_EQ(0, memcmp((char *)second - 1, "MZ", 2));
	EXPECT_TRUE(FreeLibrary(second));
}

/* Rules: DATAFILE-04. */
TEST_F(files, who_may_write_it)
{
	HMODULE module;
	HANDLE file;

	ASSERT_TRUE(make_library("a.dll", true, true));
	module = load("a.dll", EXCLUSIVE);
	ASSERT_NE(NULL, module);
	EXPECT_NO_OPEN(ERROR_SHARING_VIOLATION,
		       open_shared("a.dll", OPEN_EXISTING));
	file = open_file("a.dll", GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0);
	EXPECT_NE(BAD, file);
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(FreeLibrary(module));
	file = open_shared("a.dll", OPEN_EXISTING);
	EXPECT_NE(BAD, file);
	EXPECT_FAILS(ERROR_SHARING_VIOLATION, load("a.dll", EXCLUSIVE));
	module = load("a.dll", DATA);
	EXPECT_NE(NULL, module);
	EXPECT_TRUE(FreeLibrary(module));
	EXPECT_TRUE(CloseHandle(file));
}

/* Rules: DATAFILE-05. */
TEST_F(files, what_cannot_be_loaded)
{
	int fds;

	ASSERT_TRUE(make_library("good.dll", true, true));
	ASSERT_TRUE(FreeLibrary(load("good.dll", DATA)));
	fds = count_fds();
	ASSERT_TRUE(make_file("text.dll", "MZ, as a text may begin, and ends"));
	ASSERT_TRUE(make_file("none.dll", ""));
	ASSERT_TRUE(make_library("a.dll", true, true));
	EXPECT_FAILS(ERROR_BAD_EXE_FORMAT, load("text.dll", DATA));
	EXPECT_FAILS(ERROR_FILE_INVALID, load("none.dll", DATA));
	EXPECT_FAILS(ERROR_FILE_NOT_FOUND, load("b.dll", DATA));
	EXPECT_FAILS(ERROR_FILE_NOT_FOUND, load("a.", DATA));
	EXPECT_FAILS(ERROR_PATH_NOT_FOUND, load("no/a.dll", DATA));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, load("", DATA));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, load(NULL, DATA));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, load("a.dll", DATA | EXCLUSIVE));
	EXPECT_EQ(fds, count_fds());
}

/* The text of a resource, or "" with the last error set */
static const char *text_of(HMODULE module, HRSRC resource)
{
	static char text[64];
	const char *data;
	DWORD size;

	if (!resource)
		return "";
	data = LockResource(LoadResource(module, resource));
	size = SizeofResource(module, resource);
	if (!data || size >= sizeof(text))
		return "?";
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Rules: RES-01, RES-02, RES-03, RES-04. */
TEST_F(files, resources)
{
	LPCSTR one = MAKEINTRESOURCEA(1), raw = MAKEINTRESOURCEA(10);
	HMODULE m;
	HRSRC r;
	int wide;

	for (wide = 0; wide < 2; wide++) {
		ASSERT_TRUE(make_library("a.dll", wide, true));
		m = load("a.dll", DATA);
		ASSERT_NE(NULL, m);
		r = FindResourceA(m, one, raw);
		EXPECT_STREQ("english", text_of(m, r));
		r = FindResourceA(m, "#1", "#10");
		EXPECT_STREQ("english", text_of(m, r));
		r = FindResourceW(m, W("#01"), W("#10"));
		EXPECT_STREQ("english", text_of(m, r));
		r = FindResourceExA(m, raw, one, GERMAN);
		EXPECT_STREQ("deutsch", text_of(m, r));
		r = FindResourceExW(m, MAKEINTRESOURCEW(10),
				    MAKEINTRESOURCEW(1), ENGLISH);
		EXPECT_STREQ("english", text_of(m, r));
		r = FindResourceA(m, "name", raw);
		EXPECT_STREQ("neutral", text_of(m, r));
		r = FindResourceW(m, W("Name"), MAKEINTRESOURCEW(10));
		EXPECT_STREQ("neutral", text_of(m, r));
		r = FindResourceExA(m, raw, "NAME", GERMAN);
		EXPECT_STREQ("neutral", text_of(m, r));
		r = FindResourceA(m, MAKEINTRESOURCEA(5), "Type");
		EXPECT_STREQ("cinq", text_of(m, r));
		EXPECT_FALSE(FreeResource(LoadResource(m, r)));
		EXPECT_TRUE(FreeLibrary(m));
	}
}

/* Rules: RES-05, RES-06. */
TEST_F(files, resources_that_there_are_not)
{
	LPCSTR one = MAKEINTRESOURCEA(1), raw = MAKEINTRESOURCEA(10);
	HMODULE m, bare;
	HRSRC r;

	ASSERT_TRUE(make_library("a.dll", true, true));
	ASSERT_TRUE(make_library("bare.dll", true, false));
	m = load("a.dll", DATA);
	bare = load("bare.dll", DATA);
	ASSERT_NE(NULL, m);
	ASSERT_NE(NULL, bare);
	EXPECT_FAILS(ERROR_RESOURCE_DATA_NOT_FOUND,
		     FindResourceA(bare, one, raw));
	EXPECT_FAILS(ERROR_RESOURCE_DATA_NOT_FOUND,
		     FindResourceA(NULL, one, raw));
	EXPECT_FAILS(ERROR_RESOURCE_DATA_NOT_FOUND,
		     FindResourceA(GetModuleHandleA("kernel32"), one, raw));
	EXPECT_FAILS(ERROR_RESOURCE_TYPE_NOT_FOUND,
		     FindResourceA(m, one, MAKEINTRESOURCEA(11)));
	EXPECT_FAILS(ERROR_RESOURCE_TYPE_NOT_FOUND,
		     FindResourceA(m, one, "TYP"));
	EXPECT_FAILS(ERROR_RESOURCE_NAME_NOT_FOUND,
		     FindResourceA(m, MAKEINTRESOURCEA(2), raw));
	EXPECT_FAILS(ERROR_RESOURCE_NAME_NOT_FOUND,
		     FindResourceA(m, "NAMES", raw));
	EXPECT_FAILS(ERROR_RESOURCE_LANG_NOT_FOUND,
		     FindResourceExA(m, raw, one, FRENCH));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, FindResourceA(m, "#65536", raw));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, FindResourceA(m, "#1x", raw));
	r = FindResourceA(m, one, raw);
	ASSERT_NE(NULL, r);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, LoadResource(m, NULL));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, LoadResource(bare, r));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, SizeofResource(bare, r));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SizeofResource(m, (HRSRC)((char *)r + 0x10000)));
	EXPECT_TRUE(FreeLibrary(bare));
	EXPECT_TRUE(FreeLibrary(m));
}

/* What an enumeration has told: one after the other, and where it is to be ended */
struct told {
	char text[128];
	unsigned int left;
};

static BOOL tell(struct told *told, const char *format, ...)
{
	size_t n = strlen(told->text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(told->text + n, sizeof(told->text) - n, format, arguments);
	va_end(arguments);
	return --told->left > 0;
}

static BOOL CALLBACK tell_type(HMODULE module, LPSTR type, LONG_PTR param)
{
	if (IS_INTRESOURCE(type))
		return tell((void *)param, "#%u ", (unsigned int)(long)type);
	return tell((void *)param, "%s ", type);
}

static BOOL CALLBACK tell_type_w(HMODULE module, LPWSTR type, LONG_PTR param)
{
	if (IS_INTRESOURCE(type))
		return tell((void *)param, "#%u ", (unsigned int)(long)type);
	return tell((void *)param, "%c%c%c%c%u ", type[0], type[1], type[2],
		    type[3], type[4]);
}

static BOOL CALLBACK tell_name(HMODULE module, LPCSTR type, LPSTR name,
			       LONG_PTR param)
{
	return tell_type(module, name, param);
}

static BOOL CALLBACK tell_name_w(HMODULE module, LPCWSTR type, LPWSTR name,
				 LONG_PTR param)
{
	return tell_type_w(module, name, param);
}

static BOOL CALLBACK tell_language(HMODULE module, LPCSTR type, LPCSTR name,
				   WORD language, LONG_PTR param)
{
	return tell((void *)param, "%x ", language);
}

static BOOL CALLBACK tell_language_w(HMODULE module, LPCWSTR type,
				     LPCWSTR name, WORD language,
				     LONG_PTR param)
{
	return tell((void *)param, "%x ", language);
}

#define EXPECT_TOLD(expected, call) ({					\
	struct told told = { .left = 100 };				\
									\
	EXPECT_TRUE(call);						\
	EXPECT_STREQ(expected, told.text);				\
})

/* Rules: RES-07, RES-08. */
TEST_F(files, resources_are_enumerated)
{
	LPCSTR one = MAKEINTRESOURCEA(1), raw = MAKEINTRESOURCEA(10);
	struct told told = { .left = 1 };
	LONG_PTR to = (LONG_PTR)&told;
	HMODULE m;

	ASSERT_TRUE(make_library("a.dll", true, true));
	m = load("a.dll", DATA);
	ASSERT_NE(NULL, m);
	EXPECT_TOLD("TYPE #10 ",
		    EnumResourceTypesA(m, tell_type, (LONG_PTR)&told));
	EXPECT_TOLD("TYPE0 #10 ",
		    EnumResourceTypesW(m, tell_type_w, (LONG_PTR)&told));
	EXPECT_TOLD("NAME #1 ",
		    EnumResourceNamesA(m, raw, tell_name, (LONG_PTR)&told));
	EXPECT_TOLD("NAME0 #1 ",
		    EnumResourceNamesW(m, W("#10"), tell_name_w,
				       (LONG_PTR)&told));
	EXPECT_TOLD("407 409 ",
		    EnumResourceLanguagesA(m, raw, one, tell_language,
					   (LONG_PTR)&told));
	EXPECT_TOLD("40c ",
		    EnumResourceLanguagesW(m, W("type"), MAKEINTRESOURCEW(5),
					   tell_language_w, (LONG_PTR)&told));
	EXPECT_FAILS(ERROR_RESOURCE_ENUM_USER_STOP,
		     EnumResourceTypesA(m, tell_type, to));
	EXPECT_STREQ("TYPE ", told.text);
	told.left = 1;
	EXPECT_FAILS(ERROR_RESOURCE_ENUM_USER_STOP,
		     EnumResourceLanguagesA(m, raw, one, tell_language, to));
	EXPECT_FAILS(ERROR_RESOURCE_TYPE_NOT_FOUND,
		     EnumResourceNamesA(m, "NONE", tell_name, to));
	EXPECT_FAILS(ERROR_RESOURCE_NAME_NOT_FOUND,
		     EnumResourceLanguagesA(m, raw, "NONE", tell_language, to));
	EXPECT_FAILS(ERROR_RESOURCE_DATA_NOT_FOUND,
		     EnumResourceTypesA(NULL, tell_type, to));
	EXPECT_TRUE(FreeLibrary(m));
}

/* Rules: DATAFILE-06. */
TEST_F(files, loaded_in_a_child)
{
	LPCSTR one = MAKEINTRESOURCEA(1), raw = MAKEINTRESOURCEA(10);
	int status = -1;
	HMODULE m;
	pid_t pid;

	ASSERT_TRUE(make_library("a.dll", true, true));
	m = load("a.dll", DATA);
	ASSERT_NE(NULL, m);
	pid = fork();
	if (!pid) {
		bool ok = !strcmp("english",
				  text_of(m, FindResourceA(m, one, raw)));

		_exit(!(ok && FreeLibrary(m) && !FreeLibrary(m)));
	}
	ASSERT_LT(0, pid);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_STREQ("english", text_of(m, FindResourceA(m, one, raw)));
	EXPECT_TRUE(FreeLibrary(m));
}

TEST_HARNESS_MAIN
