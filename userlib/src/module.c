// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Libraries that are loaded, and their functions by name
 *
 * Those of Windows that have functions of this library are handles of their own. A
 * program and the libraries that the dynamic linker has loaded are known by where
 * they begin; functions of theirs are not looked up here. What is loaded as data
 * only is in loaded.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <winregion/psapi.h>

#include "exports.h"
#include "file.h"
#include "loaded.h"
#include "process.h"

enum has {
	HAS_NT = 1,
	HAS_WIN32 = 2,
	HAS_PSAPI = 4,
	HAS_SECURITY = 8,
	HAS_C = 16,
	HAS_RANDOM = 32
};

static const struct library {
	const char *name;
	unsigned int has;
} libraries[] = {
	{ "kernel32", HAS_WIN32 },
	{ "kernelbase", HAS_WIN32 | HAS_PSAPI | HAS_SECURITY },
	{ "ntdll", HAS_NT },
	{ "psapi", HAS_PSAPI },
	{ "advapi32", HAS_SECURITY },
	{ "ucrtbase", HAS_C },
	{ "msvcrt", HAS_C },
	{ "bcrypt", HAS_RANDOM },
};

#define KERNELBASE (&libraries[1])
#define UCRTBASE (&libraries[5])

/* Names for parts of them, with a number at the end */
static const struct {
	const char *name;
	const struct library *library;
} parts[] = {
	{ "api-ms-win-core-", KERNELBASE },
	{ "api-ms-win-security-base-", KERNELBASE },
	{ "api-ms-win-crt-runtime-", UCRTBASE },
};

static const char *const psapi_names[] = {
	"GetMappedFileNameA", "GetMappedFileNameW",
	"GetPerformanceInfo", "GetProcessMemoryInfo",
	"QueryWorkingSet",    "QueryWorkingSetEx",
	"EmptyWorkingSet",    "InitializeProcessForWsWatch",
	"GetWsChanges",	      "GetWsChangesEx",
	"EnumProcessModules",
};

static const char *const security_names[] = {
	"InitializeSecurityDescriptor",
	"SetSecurityDescriptorDacl",
	"OpenProcessToken",
	"OpenThreadToken",
	"GetTokenInformation",
	"LookupPrivilegeValueA",
	"LookupPrivilegeValueW",
	"AdjustTokenPrivileges",
};

static const char *const c_names[] = {
	"_beginthread", "_beginthreadex", "_endthread",
	"_endthreadex", "_resetstkoflw",
};

/* Of ntdll and of kernel32 */
static const char *const both_names[] = {
	"RtlCaptureContext",
	"RtlRestoreContext",
};

/* Functions of headers there, and of another library here */
static const char *const nowhere_names[] = {
	"GetCurrentFiber", "GetFiberData", "NtCurrentTeb",
	"__sysv_signal",   "sigaction",	   "signal",
};

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	while (n--)
		if (!strcmp(name, names[n]))
			return true;

	return false;
}

static unsigned int where(const char *name)
{
	if (!strncmp(name, "winregion_", strlen("winregion_")) ||
	    is_one_of(name, nowhere_names, ARRAY_SIZE(nowhere_names)))
		return 0;
	if (is_one_of(name, both_names, ARRAY_SIZE(both_names)))
		return HAS_NT | HAS_WIN32;
	if (!strncmp(name, "Nt", 2) || !strncmp(name, "Rtl", 3))
		return HAS_NT;
	if (is_one_of(name, c_names, ARRAY_SIZE(c_names)))
		return HAS_C;
	if (is_one_of(name, psapi_names, ARRAY_SIZE(psapi_names)))
		return HAS_PSAPI;
	if (!strncmp(name, "BCrypt", strlen("BCrypt")))
		return HAS_RANDOM;
	if (is_one_of(name, security_names, ARRAY_SIZE(security_names)))
		return HAS_SECURITY;

	return HAS_WIN32;
}

/* ---- objects of the dynamic linker ---- */

struct search {
	/* Any address in it, or its base */
	uintptr_t address;
	bool is_base;
	/* Of the first one: the program */
	bool any;
	/* What is found: 0, none */
	uintptr_t base;
	char *path;
	size_t room;
};

static uintptr_t base_of(const struct dl_phdr_info *info, uintptr_t *end)
{
	uintptr_t first = UINTPTR_MAX, last = 0;
	int i;

	for (i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t begin = info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type != PT_LOAD)
			continue;
		if (begin < first)
			first = begin;
		if (begin + info->dlpi_phdr[i].p_memsz > last)
			last = begin + info->dlpi_phdr[i].p_memsz;
	}
	*end = info->dlpi_addr + last;

	return info->dlpi_addr + (first & ~(uintptr_t)0xFFF);
}

static int look_at(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *search = arg;
	uintptr_t end, base = base_of(info, &end);

	(void)size;
	if (!search->any && (search->is_base ? search->address != base :
					       search->address < base ||
						       search->address >= end))
		return 0;
	search->base = base;
	if (search->path && strlen(info->dlpi_name) < search->room)
		memcpy(search->path, info->dlpi_name,
		       strlen(info->dlpi_name) + 1);

	return 1;
}

static uintptr_t find_object(struct search *search)
{
	dl_iterate_phdr(look_at, search);

	return search->base;
}

static HMODULE program(void)
{
	struct search search = { .any = true };

	return (HMODULE)find_object(&search);
}

/* ---- handles ---- */

static const struct library *library_of(HMODULE module)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(libraries); i++)
		if ((uintptr_t)module == (uintptr_t)&libraries[i])
			return &libraries[i];

	return NULL;
}

static HMODULE module_of(const struct library *library)
{
	return (HMODULE)(uintptr_t)library;
}

static bool is_object(HMODULE module)
{
	struct search search = { .address = (uintptr_t)module,
				 .is_base = true };

	return find_object(&search);
}

/* "NAME", "NAME.dll" or "NAME." of a path, in any case: how long is NAME? */
static const char *stem(const char *path, size_t *length)
{
	const char *name = path, *at, *dot;

	for (at = path; *at; at++)
		if (*at == '/' || *at == '\\')
			name = at + 1;
	dot = strrchr(name, '.');
	*length = strlen(name);
	if (dot && (!dot[1] || !strcasecmp(dot, ".dll")))
		*length = dot - name;

	return name;
}

static HMODULE find_library(const char *path)
{
	size_t i, length;
	const char *name = stem(path, &length);

	for (i = 0; i < ARRAY_SIZE(libraries); i++)
		if (strlen(libraries[i].name) == length &&
		    !strncasecmp(libraries[i].name, name, length))
			return module_of(&libraries[i]);
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (!strncasecmp(name, parts[i].name, strlen(parts[i].name)))
			return module_of(parts[i].library);

	return NULL;
}

/* @hold: one user more of it. The others stay, whoever uses them. */
static HMODULE find_by_name(const char *name, bool hold)
{
	HMODULE module = name ? find_library(name) : program();

	if (!module && name)
		module = hold ? wr_loaded_hold_by_name(name) :
				wr_loaded_by_name(name);
	if (!module)
		wr_fail(ERROR_MOD_NOT_FOUND);

	return module;
}

/* A name that is longer than any path is of no library. */
static const char *narrow(const WCHAR *name, char text[PATH_MAX])
{
	long n = 0;

	if (!name)
		return NULL;
	if (*name)
		n = wr_to_utf8(name, wr_wide_length(name), text, PATH_MAX - 1,
			       FALSE);
	text[n < 0 ? 0 : n] = '\0';

	return text;
}

HMODULE WINAPI GetModuleHandleA(LPCSTR name)
{
	WR_KEEP_ERRNO();

	return find_by_name(name, false);
}

HMODULE WINAPI GetModuleHandleW(LPCWSTR name)
{
	char text[PATH_MAX];

	WR_KEEP_ERRNO();

	return find_by_name(narrow(name, text), false);
}

#define HANDLE_FLAGS \
	(GET_MODULE_HANDLE_EX_FLAG_PIN | \
	 GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT | \
	 GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS)
#define NOT_BOTH \
	(GET_MODULE_HANDLE_EX_FLAG_PIN | \
	 GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT)

static bool flags_are_valid(DWORD flags, const void *name)
{
	if (flags & ~HANDLE_FLAGS || (flags & NOT_BOTH) == NOT_BOTH)
		return false;

	return name || !(flags & GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS);
}

static HMODULE find_by_address(const void *address, bool hold)
{
	struct search search = { .address = (uintptr_t)address };
	HMODULE module = (HMODULE)find_object(&search);

	if (!module)
		module = hold ? wr_loaded_hold_by_address(address) :
				wr_loaded_by_address(address);
	if (!module)
		wr_fail(ERROR_MOD_NOT_FOUND);

	return module;
}

BOOL WINAPI GetModuleHandleExA(DWORD flags, LPCSTR name, HMODULE *module)
{
	/* What is pinned has a user for ever. */
	bool hold = !(flags & GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT);

	WR_KEEP_ERRNO();

	if (!module)
		return wr_fail(ERROR_INVALID_PARAMETER);
	*module = NULL;
	if (!flags_are_valid(flags, name))
		return wr_fail(ERROR_INVALID_PARAMETER);
	*module = flags & GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS ?
			  find_by_address(name, hold) :
			  find_by_name(name, hold);

	return *module ? TRUE : FALSE;
}

BOOL WINAPI GetModuleHandleExW(DWORD flags, LPCWSTR name, HMODULE *module)
{
	char text[PATH_MAX];

	if (flags & GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS)
		return GetModuleHandleExA(flags, (LPCSTR)name, module);

	return GetModuleHandleExA(flags, narrow(name, text), module);
}

#define LOAD_FLAGS 0x00003FFBU

HMODULE WINAPI LoadLibraryExA(LPCSTR name, HANDLE file, DWORD flags)
{
	WR_KEEP_ERRNO();

	if (file || flags & ~LOAD_FLAGS) {
		wr_fail(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	if (!name)
		name = "";
	if (!*name || !wr_loads_file(flags))
		return find_by_name(name, true);
	if (!(flags & WR_LOADS_DATA) && find_library(name))
		return find_library(name);

	return wr_load(name, flags);
}

HMODULE WINAPI LoadLibraryExW(LPCWSTR name, HANDLE file, DWORD flags)
{
	char text[PATH_MAX];

	return LoadLibraryExA(narrow(name, text), file, flags);
}

HMODULE WINAPI LoadLibraryA(LPCSTR name)
{
	return LoadLibraryExA(name, NULL, 0);
}

HMODULE WINAPI LoadLibraryW(LPCWSTR name)
{
	return LoadLibraryExW(name, NULL, 0);
}

/* The libraries stay. */
BOOL WINAPI FreeLibrary(HMODULE module)
{
	WR_KEEP_ERRNO();

	if (wr_unload(module))
		return TRUE;
	if (!module || (!library_of(module) && !is_object(module)))
		return wr_fail(ERROR_MOD_NOT_FOUND);

	return TRUE;
}

/* ---- functions ---- */

static int compare(const void *name, const void *export)
{
	return strcmp(name, ((const struct wr_export *)export)->name);
}

static const char *find_export(const struct library *library, const char *name)
{
	const struct wr_export *export;

	export = bsearch(name, wr_exports, wr_nr_exports, sizeof(*wr_exports),
			 compare);

	return export && where(name) & library->has ? export->at : NULL;
}

/* ZwCall is another name of NtCall. */
static const char *find_function(const struct library *library,
				 const char *name)
{
	char of_nt[64];

	if (strncmp(name, "Zw", 2) || strlen(name) >= sizeof(of_nt))
		return find_export(library, name);
	memcpy(of_nt, name, strlen(name) + 1);
	memcpy(of_nt, "Nt", 2);

	return find_export(library, of_nt);
}

#define HIGHEST_ORDINAL 0xFFFF

/* What was loaded as data has none. */
static bool is_image(HMODULE module)
{
	char path[PATH_MAX];

	return wr_loaded_path(module, path);
}

/* 0 or the error */
static DWORD look_up(HMODULE module, const char *name, const char **at)
{
	const struct library *library = library_of(module);

	if (!library && module && !is_object(module))
		return is_image(module) && name ?
			       wr_loaded_function(module, name, at) :
			       ERROR_MOD_NOT_FOUND;
	if (!name)
		return ERROR_INVALID_PARAMETER;
	if ((uintptr_t)name <= HIGHEST_ORDINAL)
		return ERROR_INVALID_ORDINAL;
	*at = library ? find_function(library, name) : NULL;

	return *at ? 0 : ERROR_PROC_NOT_FOUND;
}

FARPROC WINAPI GetProcAddress(HMODULE module, LPCSTR name)
{
	const char *at = NULL;
	DWORD error;

	WR_KEEP_ERRNO();

	error = look_up(module, name, &at);
	if (error)
		wr_fail(error);

	return (FARPROC)(uintptr_t)at;
}

/* ---- files ---- */

/* Of the program the dynamic linker has no name. */
static bool find_path(HMODULE module, char path[PATH_MAX])
{
	struct search search = {
		.address = library_of(module) ? (uintptr_t)wr_exports[0].at :
						(uintptr_t)module,
		.is_base = !library_of(module),
		.any = !module,
		.path = path,
		.room = PATH_MAX,
	};
	ssize_t n;

	*path = '\0';
	if (!find_object(&search))
		return wr_loaded_path(module, path);
	if (*path)
		return true;
	n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (n < 0)
		return false;
	path[n] = '\0';

	return true;
}

/* As much as there is room for, and a 0 at its end */
static DWORD cut(const void *from, size_t length, void *to, DWORD size,
		 size_t unit)
{
	size_t n = length < size ? length : size - 1;

	if (!size)
		return wr_fail(ERROR_INSUFFICIENT_BUFFER);
	memcpy(to, from, n * unit);
	memset((char *)to + n * unit, 0, unit);
	if (length < size)
		return length;
	wr_fail(ERROR_INSUFFICIENT_BUFFER);

	return size;
}

DWORD WINAPI GetModuleFileNameA(HMODULE module, LPSTR name, DWORD size)
{
	char path[PATH_MAX];

	WR_KEEP_ERRNO();

	if (!find_path(module, path))
		return wr_fail(ERROR_MOD_NOT_FOUND);

	return cut(path, strlen(path), name, size, sizeof(*name));
}

DWORD WINAPI GetModuleFileNameW(HMODULE module, LPWSTR name, DWORD size)
{
	WCHAR wide[PATH_MAX];
	char path[PATH_MAX];
	long n;

	WR_KEEP_ERRNO();

	if (!find_path(module, path))
		return wr_fail(ERROR_MOD_NOT_FOUND);
	n = wr_to_wide(path, strlen(path), wide, PATH_MAX, FALSE);

	return cut(wide, n < 0 ? 0 : n, name, size, sizeof(*name));
}

/* ---- all of them ---- */

BOOL WINAPI K32EnumProcessModules(HANDLE process, HMODULE *modules, DWORD size,
				  LPDWORD needed)
{
	size_t room = size / sizeof(*modules), n;
	HMODULE *loaded;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	status = wr_target_own(process,
			       PROCESS_QUERY_INFORMATION | PROCESS_VM_READ);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	if (!needed || (room && !modules))
		return wr_fail(ERROR_INVALID_PARAMETER);
	n = wr_loaded_all(&loaded);
	if (!loaded)
		return wr_fail(ERROR_NOT_ENOUGH_MEMORY);
	if (room)
		modules[0] = program();
	if (room > 1)
		memcpy(modules + 1, loaded,
		       (n < room ? n : room - 1) * sizeof(*modules));
	*needed = (n + 1) * sizeof(*modules);
	free(loaded);

	return TRUE;
}

BOOL WINAPI EnumProcessModules(HANDLE process, HMODULE *modules, DWORD size,
			       LPDWORD needed)
{
	return K32EnumProcessModules(process, modules, size, needed);
}
