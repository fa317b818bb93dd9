// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files of libraries for Windows that are loaded as data: LoadLibraryEx() with
 * LOAD_LIBRARY_AS_DATAFILE and its kind
 *
 * Such a file is mapped as it is, by a view of a section, each time anew. Its handle
 * is the view's address with a bit that no address has set.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loaded.h"

struct loaded {
	struct loaded *next;
	HMODULE handle;
	/* The view */
	void *base;
	/* Open as long as others must not write the file; or NULL */
	HANDLE file;
	struct wr_pe pe;
};

/* Protects the list, and what is in it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loaded *modules;

/* ---- the file ---- */

static bool has_directory(const char *name)
{
	return strpbrk(name, "/\\:");
}

/* What has no dot in its last part is a library. */
static bool needs_suffix(const char *name)
{
	const char *slash = strrchr(name, '/'), *back = strrchr(name, '\\');
	const char *last = slash > back ? slash : back;

	return !strchr(last ? last : name, '.');
}

/* In @directory, or as the name is if that is empty. False: it is too long. */
static bool make_path(const char *directory, const char *name, char *path)
{
	const char *suffix = needs_suffix(name) ? ".dll" : "";
	const char *slash = *directory ? "/" : "";
	size_t room = PATH_MAX;

	if (strlen(directory) + strlen(name) + strlen(suffix) + 2 > room)
		return false;
	path = stpcpy(stpcpy(path, directory), slash);
	stpcpy(stpcpy(path, name), suffix);

	return true;
}

/* Return: an error, or 0 */
static DWORD open_path(const char *path, DWORD flags, HANDLE *file)
{
	DWORD share = FILE_SHARE_READ | FILE_SHARE_DELETE;

	if (!(flags & LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE))
		share |= FILE_SHARE_WRITE;
	*file = CreateFileA(path, GENERIC_READ, share, NULL, OPEN_EXISTING,
			    FILE_ATTRIBUTE_NORMAL, NULL);

	return *file == INVALID_HANDLE_VALUE ? GetLastError() : 0;
}

/* Where the program is; empty if that is not known */
static void find_directory(char *directory)
{
	ssize_t n = readlink("/proc/self/exe", directory, PATH_MAX - 1);
	char *slash;

	directory[n < 0 ? 0 : n] = '\0';
	slash = strrchr(directory, '/');
	if (slash)
		*slash = '\0';
}

static DWORD open_in(const char *directory, const char *name, DWORD flags,
		     HANDLE *file)
{
	char path[PATH_MAX];

	if (!make_path(directory, name, path))
		return ERROR_FILENAME_EXCED_RANGE;

	return open_path(path, flags, file);
}

/* A name alone is looked for beside the program first. */
static DWORD open_file(const char *name, DWORD flags, HANDLE *file)
{
	char directory[PATH_MAX];
	DWORD error;

	if (!has_directory(name)) {
		find_directory(directory);
		error = open_in(directory, name, flags, file);
		if (error != ERROR_FILE_NOT_FOUND)
			return error;
	}

	return open_in("", name, flags, file);
}

/* ---- the view ---- */

static NTSTATUS map_section(HANDLE section, struct loaded *module, SIZE_T *size)
{
	SECTION_BASIC_INFORMATION info;
	SIZE_T room = 0;
	NTSTATUS status;

	status = NtQuerySection(section, SectionBasicInformation, &info,
				sizeof(info), NULL);
	if (status != STATUS_SUCCESS)
		return status;
	*size = info.Size.QuadPart;

	return NtMapViewOfSection(section, GetCurrentProcess(), &module->base,
				  0, 0, NULL, &room, ViewUnmap, 0,
				  PAGE_READONLY);
}

static NTSTATUS map_file(HANDLE file, struct loaded *module, SIZE_T *size)
{
	HANDLE section;
	NTSTATUS status;

	status = NtCreateSection(&section, SECTION_QUERY | SECTION_MAP_READ,
				 NULL, NULL, PAGE_READONLY, SEC_COMMIT, file);
	if (status != STATUS_SUCCESS)
		return status;
	status = map_section(section, module, size);
	CloseHandle(section);

	return status;
}

static void unmap(struct loaded *module)
{
	if (module->base)
		NtUnmapViewOfSection(GetCurrentProcess(), module->base);
}

static DWORD load_file(HANDLE file, struct loaded *module)
{
	NTSTATUS status;
	SIZE_T size;

	status = map_file(file, module, &size);
	if (status == STATUS_SUCCESS)
		status = wr_pe_read(module->base, size, false, &module->pe);
	if (status == STATUS_SUCCESS)
		return 0;
	unmap(module);

	return RtlNtStatusToDosError(status);
}

/* ---- modules ---- */

static void add(struct loaded *module)
{
	uintptr_t handle = (uintptr_t)module->base | WR_MODULE_DATA;

	module->handle = (HMODULE)handle;
	pthread_mutex_lock(&lock);
	module->next = modules;
	modules = module;
	pthread_mutex_unlock(&lock);
}

static DWORD load(const char *name, DWORD flags, struct loaded *module)
{
	HANDLE file;
	DWORD error = open_file(name, flags, &file);

	if (error)
		return error;
	error = load_file(file, module);
	if (!error && flags & LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE)
		module->file = file;
	else
		CloseHandle(file);

	return error;
}

DWORD wr_load(const char *name, DWORD flags, HMODULE *handle)
{
	const DWORD both = LOAD_LIBRARY_AS_DATAFILE |
			   LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE;
	struct loaded *module;
	DWORD error;

	/* They exclude each other. */
	if ((flags & both) == both)
		return ERROR_INVALID_PARAMETER;
	/* There are no images. */
	if (flags & LOAD_LIBRARY_AS_IMAGE_RESOURCE)
		return ERROR_NOT_SUPPORTED;
	module = calloc(1, sizeof(*module));
	if (!module)
		return ERROR_NOT_ENOUGH_MEMORY;
	error = load(name, flags, module);
	if (error) {
		free(module);
		return error;
	}
	add(module);
	*handle = module->handle;

	return 0;
}

/* Where the list leads to it, or to its end. The lock is held. */
static struct loaded **find(HMODULE handle)
{
	struct loaded **at = &modules;

	while (*at && (*at)->handle != handle)
		at = &(*at)->next;

	return at;
}

bool wr_unload(HMODULE handle)
{
	struct loaded **at, *module;

	pthread_mutex_lock(&lock);
	at = find(handle);
	module = *at;
	if (module)
		*at = module->next;
	pthread_mutex_unlock(&lock);
	if (!module)
		return false;
	unmap(module);
	if (module->file)
		CloseHandle(module->file);
	free(module);

	return true;
}

bool wr_loaded_pe(HMODULE handle, struct wr_pe *pe)
{
	struct loaded *module;

	pthread_mutex_lock(&lock);
	module = *find(handle);
	if (module)
		*pe = module->pe;
	pthread_mutex_unlock(&lock);

	return module;
}

/* ---- forks ---- */

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void init_modules(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
}
