// SPDX-License-Identifier: GPL-2.0
/*
 * Names of sections by the calls of Windows: CreateFileMapping(), OpenFileMapping()
 * and those below; whose they are is in name_test.c.
 */
#include "kselftest_harness.h"

#include <winregion/winregion.h>

#include "file_fixture.h"
#include "sections.h"

#define UNIT 0x10000UL

#define ALICE 61001
#define BOB 61002

#define EXPECT_NONE(error, call) \
	EXPECT_TRUE(FAILS_WITH(error, (call) != NULL))

/* Its descriptor is none that a test leaves. */
__attribute__((constructor)) static void open_device(void)
{
	winregion_unavailable();
}

static HANDLE create(const char *name)
{
	return CreateFileMappingA(BAD, NULL, PAGE_READWRITE, 0, UNIT, name);
}

static HANDLE open_it(const char *name)
{
	return OpenFileMappingA(FILE_MAP_WRITE | FILE_MAP_READ, FALSE, name);
}

/* What the first byte is, after it was set to @value if that is not 0; or -1 */
static int byte_of(HANDLE section, char value)
{
	DWORD access = value ? FILE_MAP_WRITE : FILE_MAP_READ;
	char *view = MapViewOfFile(section, access, 0, 0, 0);
	int byte;

	if (!view)
		return -1;
	if (value)
		*view = value;
	byte = *view;
	return UnmapViewOfFile(view) ? byte : -1;
}

/* Rules: CM-40, CM-41, OM-01. Both kinds of strings are of the same names. */
TEST_F(files, one_section)
{
	HANDLE first, second, third, fourth;

	EXPECT_NONE(ERROR_FILE_NOT_FOUND, open_it("n\xc3\xa4me"));
	EXPECT_NONE(ERROR_FILE_NOT_FOUND,
		    OpenFileMappingW(FILE_MAP_READ, FALSE, W("n\u00e4me")));
	SetLastError(OUR_ERROR);
	errno = OUR_ERRNO;
	first = create("n\xc3\xa4me");
	ASSERT_NE(NULL, first);
	EXPECT_EQ(0, GetLastError());
	EXPECT_EQ(OUR_ERRNO, errno);
	EXPECT_EQ('x', byte_of(first, 'x'));
	second = CreateFileMappingW(BAD, NULL, PAGE_READONLY, 0, 4 * UNIT,
				    W("Local\\n\u00e4me"));
	ASSERT_NE(NULL, second);
	EXPECT_EQ(ERROR_ALREADY_EXISTS, GetLastError());
	EXPECT_EQ(OUR_ERRNO, errno);
	EXPECT_EQ('x', byte_of(second, 0));
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    MapViewOfFile(second, FILE_MAP_WRITE, 0, 0, 0));
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    MapViewOfFile(second, FILE_MAP_READ, 0, 0, UNIT + 1));
	SetLastError(OUR_ERROR);
	third = OpenFileMappingW(FILE_MAP_ALL_ACCESS, FALSE, W("n\u00e4me"));
	fourth = open_it("Local\\n\xc3\xa4me");
	EXPECT_EQ(OUR_ERROR, GetLastError());
	EXPECT_EQ(OUR_ERRNO, errno);
	EXPECT_EQ('y', byte_of(third, 'y'));
	EXPECT_EQ('y', byte_of(fourth, 0));
	EXPECT_TRUE(CloseHandle(first));
	EXPECT_TRUE(CloseHandle(second));
	EXPECT_TRUE(CloseHandle(third));
	EXPECT_EQ('y', byte_of(fourth, 0));
	EXPECT_TRUE(CloseHandle(fourth));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: CM-44, CM-45, CM-46. */
TEST_F(files, last_handle)
{
	HANDLE section = create("last"), other, narrow;
	char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);

	ASSERT_NE(NULL, view);
	*view = 7;
	ASSERT_TRUE(DuplicateHandle(GetCurrentProcess(), section,
				    GetCurrentProcess(), &narrow, FILE_MAP_READ,
				    FALSE, 0));
	EXPECT_TRUE(CloseHandle(section));
	other = open_it("last");
	EXPECT_EQ(7, byte_of(other, 0));
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_TRUE(CloseHandle(narrow));
	EXPECT_NONE(ERROR_FILE_NOT_FOUND, open_it("last"));
	EXPECT_EQ(7, *view);
	SetLastError(OUR_ERROR);
	section = create("last");
	EXPECT_EQ(0, GetLastError());
	EXPECT_EQ(0, byte_of(section, 0));
	EXPECT_EQ(7, *view);
	EXPECT_TRUE(UnmapViewOfFile(view));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: OM-02, OM-03, OM-04. */
TEST_F(files, rights)
{
	static const struct {
		DWORD access;
		bool reads;
		bool writes;
	} rights[] = {
		{ FILE_MAP_READ, true, false },
		{ FILE_MAP_WRITE, false, true },
		{ FILE_MAP_COPY, true, false },
		{ FILE_MAP_READ | FILE_MAP_WRITE, true, true },
		{ FILE_MAP_ALL_ACCESS, true, true },
		{ GENERIC_READ, true, false },
		{ MAXIMUM_ALLOWED, true, true },
		{ FILE_MAP_READ | FILE_MAP_EXECUTE, true, false },
		{ SECTION_EXTEND_SIZE, false, false },
		{ 0, false, false },
	};
	HANDLE section = create("rights"), opened;
	unsigned int i;
	char *view;

	for (i = 0; i < ARRAY_SIZE(rights); i++) {
		opened = OpenFileMappingA(rights[i].access, FALSE, "rights");
		ASSERT_NE(NULL, opened);
		view = MapViewOfFile(opened, FILE_MAP_READ, 0, 0, 0);
		EXPECT_EQ(rights[i].reads, !!view) {
			TH_LOG("%#x", rights[i].access);
		}
		EXPECT_EQ(!!view, UnmapViewOfFile(view));
		view = MapViewOfFile(opened, FILE_MAP_WRITE, 0, 0, 0);
		EXPECT_EQ(rights[i].writes, !!view) {
			TH_LOG("%#x", rights[i].access);
		}
		EXPECT_EQ(!!view, UnmapViewOfFile(view));
		EXPECT_TRUE(CloseHandle(opened));
	}
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: CM-43. */
TEST_F(files, what_names_are)
{
	static const struct {
		const char *name;
		DWORD error;
	} bad[] = {
		{ "Local\\", ERROR_INVALID_NAME },
		{ "Global\\", ERROR_INVALID_NAME },
		{ "local\\x", ERROR_PATH_NOT_FOUND },
		{ "GLOBAL\\x", ERROR_PATH_NOT_FOUND },
		{ "Else\\x", ERROR_PATH_NOT_FOUND },
		{ "Local\\x\\y", ERROR_PATH_NOT_FOUND },
		{ "Local\\Global\\x", ERROR_PATH_NOT_FOUND },
		{ "\\x", ERROR_PATH_NOT_FOUND },
		{ "x\\", ERROR_PATH_NOT_FOUND },
		{ "x\xff", ERROR_INVALID_NAME },
		{ "\xc0\x80", ERROR_INVALID_NAME },
	};
	static const WCHAR half[] = { 'x', 0xD800, 0 };
	static char longest[2000];
	static uint16_t wide[2000];
	HANDLE upper, lower, global;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_NONE(bad[i].error, create(bad[i].name));
		EXPECT_NONE(bad[i].error, open_it(bad[i].name));
	}
	EXPECT_NONE(ERROR_INVALID_NAME,
		    CreateFileMappingW(BAD, NULL, PAGE_READWRITE, 0, UNIT, half));
	EXPECT_NONE(ERROR_INVALID_NAME, OpenFileMappingW(FILE_MAP_READ, FALSE,
							 half));
	EXPECT_NONE(ERROR_INVALID_PARAMETER, open_it(NULL));
	EXPECT_NONE(ERROR_INVALID_PARAMETER,
		    OpenFileMappingW(FILE_MAP_READ, FALSE, NULL));
	EXPECT_NONE(ERROR_INVALID_NAME, open_it(""));
	memset(longest, 'x', sizeof(longest) - 1);
	EXPECT_NONE(ERROR_FILENAME_EXCED_RANGE, create(longest));
	longest[WINREGION_MAX_NAME + 1] = '\0';
	EXPECT_NONE(ERROR_FILENAME_EXCED_RANGE, create(longest));
	for (i = 0; i < ARRAY_SIZE(wide) - 1; i++)
		wide[i] = 0x20AC;
	EXPECT_NONE(ERROR_FILENAME_EXCED_RANGE,
		    OpenFileMappingW(FILE_MAP_READ, FALSE, wide));
	longest[WINREGION_MAX_NAME] = '\0';
	lower = create(longest);
	ASSERT_NE(NULL, lower);
	EXPECT_TRUE(CloseHandle(lower));
	/* No name */
	lower = create("");
	EXPECT_NE(NULL, lower);
	upper = create("");
	EXPECT_EQ(0, GetLastError());
	EXPECT_TRUE(CloseHandle(lower));
	EXPECT_TRUE(CloseHandle(upper));

	lower = create("name");
	EXPECT_EQ(1, byte_of(lower, 1));
	EXPECT_NONE(ERROR_FILE_NOT_FOUND, open_it("Name"));
	upper = create("NAME");
	EXPECT_EQ(0, GetLastError());
	EXPECT_EQ(0, byte_of(upper, 0));
	EXPECT_NONE(ERROR_FILE_NOT_FOUND, open_it("Global\\name"));
	global = create("Global\\name");
	EXPECT_EQ(0, GetLastError());
	EXPECT_EQ(0, byte_of(global, 0));
	EXPECT_TRUE(CloseHandle(lower));
	EXPECT_TRUE(CloseHandle(upper));
	EXPECT_TRUE(CloseHandle(global));
	EXPECT_EQ(self->fds, count_fds());
}

/* Rules: CM-41. A file is not touched for what is there already. */
TEST_F(files, of_file)
{
	HANDLE file = open_shared("file", CREATE_NEW), section, other;
	HANDLE reader = open_file("file", GENERIC_READ, SHARE_ALL,
				  OPEN_EXISTING, 0);
	struct stat st;

	ASSERT_TRUE(put(file, "text"));
	section = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, "file");
	EXPECT_EQ(0, GetLastError());
	EXPECT_EQ('t', byte_of(section, 0));
	other = CreateFileMappingA(file, NULL, PAGE_READWRITE, 1, 0, "file");
	EXPECT_EQ(ERROR_ALREADY_EXISTS, GetLastError());
	ASSERT_EQ(0, stat("file", &st));
	EXPECT_EQ(4, st.st_size);
	EXPECT_EQ('t', byte_of(other, 0));
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_NONE(ERROR_ACCESS_DENIED,
		    CreateFileMappingA(reader, NULL, PAGE_READWRITE, 0, 0,
				       "file"));
	other = create("file");
	EXPECT_EQ(ERROR_ALREADY_EXISTS, GetLastError());
	EXPECT_EQ('u', byte_of(other, 'u'));
	EXPECT_TRUE(file_has("file", "uext"));
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_NONE(ERROR_FILE_NOT_FOUND, open_it("file"));
	EXPECT_NONE(ERROR_NOT_ENOUGH_MEMORY,
		    CreateFileMappingA(reader, NULL, PAGE_READONLY, 1, 0,
				       "file"));
	EXPECT_NONE(ERROR_FILE_NOT_FOUND, open_it("file"));
	EXPECT_TRUE(CloseHandle(reader));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(self->fds, count_fds());
}

static void name_of(UNICODE_STRING *string, const WCHAR *text)
{
	size_t units = 0;

	while (text[units])
		units++;
	string->Buffer = (WCHAR *)text;
	string->Length = units * sizeof(*text);
	string->MaximumLength = string->Length + sizeof(*text);
}

static NTSTATUS nt_create(HANDLE *section, const WCHAR *name, ULONG attributes)
{
	LARGE_INTEGER size = { .QuadPart = UNIT };
	OBJECT_ATTRIBUTES object;
	UNICODE_STRING string;

	name_of(&string, name);
	InitializeObjectAttributes(&object, &string, attributes, NULL, NULL);
	return NtCreateSection(section, SECTION_ALL_ACCESS, &object, &size,
			       PAGE_READWRITE, SEC_COMMIT, NULL);
}

static NTSTATUS nt_open(HANDLE *section, const WCHAR *name)
{
	OBJECT_ATTRIBUTES object;
	UNICODE_STRING string;

	name_of(&string, name);
	InitializeObjectAttributes(&object, &string, 0, NULL, NULL);
	return NtOpenSection(section, SECTION_ALL_ACCESS, &object);
}

/* Rules: CM-41, OM-01. The calls below have directories, and say more. */
TEST_F(files, nt_calls)
{
	OBJECT_ATTRIBUTES object;
	UNICODE_STRING string;
	HANDLE section, other;

	EXPECT_EQ(STATUS_OBJECT_NAME_NOT_FOUND,
		  nt_open(&other, W("\\BaseNamedObjects\\nt")));
	ASSERT_EQ(STATUS_SUCCESS,
		  nt_create(&section, W("\\BaseNamedObjects\\nt"), OBJ_OPENIF));
	EXPECT_EQ(1, byte_of(section, 1));
	EXPECT_EQ(STATUS_OBJECT_NAME_COLLISION,
		  nt_create(&other, W("\\BaseNamedObjects\\nt"), 0));
	ASSERT_EQ(STATUS_OBJECT_NAME_EXISTS,
		  nt_create(&other, W("\\BaseNamedObjects\\Global\\nt"),
			    OBJ_OPENIF));
	EXPECT_EQ(1, byte_of(other, 0));
	EXPECT_TRUE(CloseHandle(other));
	ASSERT_EQ(STATUS_SUCCESS,
		  nt_open(&other, W("\\BaseNamedObjects\\nt")));
	EXPECT_TRUE(CloseHandle(other));
	other = open_it("Global\\nt");
	EXPECT_EQ(1, byte_of(other, 0));
	EXPECT_TRUE(CloseHandle(other));
	EXPECT_EQ(STATUS_OBJECT_NAME_NOT_FOUND,
		  nt_open(&other, W("\\Sessions\\1\\BaseNamedObjects\\nt")));
	EXPECT_EQ(STATUS_OBJECT_NAME_NOT_FOUND,
		  nt_open(&other, W("\\BaseNamedObjects\\Local\\nt")));
	EXPECT_EQ(STATUS_OBJECT_PATH_NOT_FOUND, nt_open(&other, W("\\x\\nt")));
	EXPECT_EQ(STATUS_OBJECT_PATH_NOT_FOUND,
		  nt_open(&other, W("\\BaseNamedObjects\\x\\nt")));
	EXPECT_EQ(STATUS_OBJECT_NAME_INVALID,
		  nt_open(&other, W("\\BaseNamedObjects\\")));
	EXPECT_EQ(STATUS_OBJECT_PATH_SYNTAX_BAD, nt_open(&other, W("nt")));
	EXPECT_EQ(STATUS_OBJECT_PATH_SYNTAX_BAD, nt_open(&other, W("")));
	EXPECT_EQ(STATUS_INVALID_PARAMETER,
		  NtOpenSection(&other, SECTION_ALL_ACCESS, NULL));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION, nt_open(NULL, W("\\x\\nt")));
	name_of(&string, W("\\BaseNamedObjects\\nt"));
	InitializeObjectAttributes(&object, &string, 0, section, NULL);
	EXPECT_EQ(STATUS_INVALID_HANDLE,
		  NtOpenSection(&other, SECTION_ALL_ACCESS, &object));
	object.RootDirectory = NULL;
	string.Length--;
	EXPECT_EQ(STATUS_OBJECT_NAME_INVALID,
		  NtOpenSection(&other, SECTION_ALL_ACCESS, &object));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_EQ(self->fds, count_fds());
}

/* Neither makes a section nor opens one */
#define EXPECT_REFUSED(object) do {					\
	LARGE_INTEGER _size = { .QuadPart = UNIT };			\
	HANDLE _section = NULL;						\
									\
	EXPECT_EQ(STATUS_INVALID_PARAMETER,				\
		  NtCreateSection(&_section, SECTION_ALL_ACCESS, object,	\
				  &_size, PAGE_READWRITE, SEC_COMMIT, NULL)); \
	EXPECT_EQ(STATUS_INVALID_PARAMETER,				\
		  NtOpenSection(&_section, SECTION_ALL_ACCESS, object));	\
	EXPECT_EQ(NULL, _section);					\
} while (0)

/* A structure that is another one, with a name or without */
TEST_F(files, nt_attributes_of_another_size)
{
	OBJECT_ATTRIBUTES object;
	UNICODE_STRING string;
	unsigned int i;

	name_of(&string, W("\\BaseNamedObjects\\size"));
	for (i = 0; i < 4; i++) {
		InitializeObjectAttributes(&object, i & 1 ? &string : NULL,
					   OBJ_OPENIF, NULL, NULL);
		object.Length += i & 2 ? 8 : -8;
		EXPECT_REFUSED(&object);
	}
}

/* Bits that no Windows knows, and those that change nothing */
TEST_F(files, nt_attributes_that_are_none)
{
	LARGE_INTEGER size = { .QuadPart = UNIT };
	OBJECT_ATTRIBUTES object;
	HANDLE section;
	unsigned int i;

	for (i = 0; i < 32; i++) {
		InitializeObjectAttributes(&object, NULL, 1U << i, NULL, NULL);
		if (~OBJ_VALID_ATTRIBUTES & 1U << i) {
			EXPECT_REFUSED(&object);
			continue;
		}
		EXPECT_EQ(STATUS_SUCCESS,
			  NtCreateSection(&section, SECTION_ALL_ACCESS,
					  &object, &size, PAGE_READWRITE,
					  SEC_COMMIT, NULL));
		EXPECT_TRUE(CloseHandle(section));
	}
}

/* ---- users ---- */

#define AS(uid, expression) ({						\
	ASSERT_EQ(0, seteuid(uid));					\
	void *__ret = (expression);					\
	ASSERT_EQ(0, seteuid(0));					\
	__ret;								\
})

/* One that everybody may use; @kind 0: one that says nothing, 1: an empty list */
static HANDLE create_for(const char *name, int kind)
{
	SECURITY_DESCRIPTOR descriptor;
	SECURITY_ATTRIBUTES security = {
		.nLength = sizeof(security),
		.lpSecurityDescriptor = &descriptor,
	};
	ACL none = { .AclRevision = 2, .AclSize = sizeof(none) };

	if (!InitializeSecurityDescriptor(&descriptor,
					  SECURITY_DESCRIPTOR_REVISION))
		return NULL;
	if (kind && !SetSecurityDescriptorDacl(&descriptor, TRUE,
					       kind == 1 ? &none : NULL, FALSE))
		return NULL;
	return CreateFileMappingA(BAD, &security, PAGE_READWRITE, 0, UNIT, name);
}

/* A section is for its user alone, unless its descriptor says that it is not. */
TEST_F(files, security)
{
	HANDLE alice, bob;
	int kind;

	if (geteuid())
		SKIP(return, "only root can be other users");
	for (kind = -1; kind < 2; kind++) {
		alice = AS(ALICE, kind < 0 ? create("Global\\users") :
					     create_for("Global\\users", kind));
		ASSERT_NE(NULL, alice);
		bob = AS(BOB, open_it("Global\\users"));
		EXPECT_EQ(NULL, bob);
		EXPECT_EQ(ERROR_FILE_NOT_FOUND, GetLastError());
		bob = AS(ALICE, open_it("Global\\users"));
		EXPECT_NE(NULL, bob);
		EXPECT_TRUE(CloseHandle(bob));
		EXPECT_TRUE(CloseHandle(alice));
	}
	alice = AS(ALICE, create_for("Global\\users", 2));
	EXPECT_EQ(5, byte_of(alice, 5));
	bob = AS(BOB, OpenFileMappingA(FILE_MAP_ALL_ACCESS, FALSE,
				       "Global\\users"));
	EXPECT_EQ(6, byte_of(bob, 6));
	EXPECT_EQ(6, byte_of(alice, 0));
	EXPECT_TRUE(CloseHandle(bob));
	/* Who wants to share it shares it, and who does not has his own. */
	bob = AS(BOB, create_for("Global\\users", 2));
	EXPECT_EQ(ERROR_ALREADY_EXISTS, GetLastError());
	EXPECT_EQ(6, byte_of(bob, 0));
	EXPECT_TRUE(CloseHandle(bob));
	bob = AS(BOB, create("Global\\users"));
	EXPECT_EQ(0, GetLastError());
	EXPECT_EQ(0, byte_of(bob, 0));
	EXPECT_TRUE(CloseHandle(bob));
	EXPECT_TRUE(CloseHandle(alice));
	/* A user's own names are nobody else's. */
	alice = AS(ALICE, create_for("Local\\users", 2));
	bob = AS(BOB, open_it("users"));
	EXPECT_EQ(NULL, bob);
	EXPECT_TRUE(CloseHandle(alice));
	EXPECT_EQ(self->fds, count_fds());
}

/* What a descriptor can say that is not there is no section for everybody. */
TEST_F(files, descriptors)
{
	struct {
		ACL list;
		char entries[20];
	} acl = { .list = { .AclRevision = 2, .AclSize = sizeof(acl),
			    .AceCount = 1 } };
	struct {
		SECURITY_DESCRIPTOR_RELATIVE head;
		ACL list;
	} relative = {
		.head = { .Revision = 1,
			  .Control = SE_SELF_RELATIVE | SE_DACL_PRESENT },
		.list = { .AceCount = 1 },
	};
	SECURITY_DESCRIPTOR descriptor;
	SECURITY_ATTRIBUTES security = { .nLength = sizeof(security) };
	HANDLE section;

#define WITH_SECURITY() \
	CreateFileMappingA(BAD, &security, PAGE_READWRITE, 0, UNIT, "x")
	EXPECT_FAILS(ERROR_UNKNOWN_REVISION,
		     InitializeSecurityDescriptor(&descriptor, 2));
	EXPECT_FAILS(ERROR_NOACCESS, InitializeSecurityDescriptor(NULL, 1));
	EXPECT_FAILS(ERROR_NOACCESS,
		     SetSecurityDescriptorDacl(NULL, TRUE, NULL, FALSE));
	memset(&descriptor, 0xcc, sizeof(descriptor));
	EXPECT_FAILS(ERROR_UNKNOWN_REVISION,
		     SetSecurityDescriptorDacl(&descriptor, TRUE, NULL, FALSE));
	security.lpSecurityDescriptor = &descriptor;
	EXPECT_NONE(ERROR_UNKNOWN_REVISION, WITH_SECURITY());
	ASSERT_TRUE(InitializeSecurityDescriptor(&descriptor, 1));
	EXPECT_EQ(0, descriptor.Control);
	ASSERT_TRUE(SetSecurityDescriptorDacl(&descriptor, TRUE, &acl.list,
					      TRUE));
	EXPECT_EQ(SE_DACL_PRESENT | SE_DACL_DEFAULTED, descriptor.Control);
	EXPECT_EQ(&acl.list, descriptor.Dacl);
	EXPECT_NONE(ERROR_NOT_SUPPORTED, WITH_SECURITY());
	ASSERT_TRUE(SetSecurityDescriptorDacl(&descriptor, FALSE, &acl.list,
					      TRUE));
	EXPECT_EQ(0, descriptor.Control);
	EXPECT_EQ(NULL, descriptor.Dacl);
	section = WITH_SECURITY();
	EXPECT_NE(NULL, section);
	EXPECT_TRUE(CloseHandle(section));
	security.lpSecurityDescriptor = &relative;
	EXPECT_FAILS(ERROR_INVALID_SECURITY_DESCR,
		     SetSecurityDescriptorDacl(&relative, TRUE, NULL, FALSE));
	section = WITH_SECURITY();
	EXPECT_NE(NULL, section);
	EXPECT_TRUE(CloseHandle(section));
	relative.head.Dacl = offsetof(typeof(relative), list);
	EXPECT_NONE(ERROR_NOT_SUPPORTED, WITH_SECURITY());
	/* Without a name there is nobody to open it. */
	section = CreateFileMappingA(BAD, &security, PAGE_READWRITE, 0, UNIT,
				     NULL);
	EXPECT_NE(NULL, section);
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_EQ(self->fds, count_fds());
}

TEST_HARNESS_MAIN
