// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files of libraries for Windows that are loaded as data, or as images: LoadLibraryEx()
 * with LOAD_LIBRARY_AS_DATAFILE and its kind, or DONT_RESOLVE_DLL_REFERENCES
 *
 * Data is the file as it is, or an image of which nothing executes: a view of a section,
 * each time anew, whose handle is the address with a bit that no address has set. The
 * image of a library is there once, and is its own handle.
 *
 * Of images the headers and tables are read in a view of their bytes, all of which can be
 * read, whatever the protections in the image are.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "file.h"
#include "image.h"
#include "loaded.h"
#include "section.h"

struct loaded {
	struct loaded *next;
	HMODULE handle;
	/* The view, and that of the bytes of an image */
	void *base;
	SIZE_T size;
	const void *bytes;
	/* Of a library: its path, and how often it was loaded */
	char *path;
	unsigned int users;
	/* Open as long as others must not write the file; or NULL */
	HANDLE file;
	struct wr_pe pe;
};

/* Held while a library is loaded; before @lock */
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
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
	*file = wr_file_open_now(path, share);

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

static NTSTATUS map_bytes(HANDLE section, struct loaded *module, size_t *size)
{
	struct wr_object *object;
	NTSTATUS status;
	DWORD access;

	status = wr_handle_get(section, &wr_section_kind, &object, &access);
	if (status != STATUS_SUCCESS)
		return status;
	status = wr_image_bytes(object->fd, &module->bytes, size);
	if (status != STATUS_SUCCESS)
		module->bytes = NULL;
	wr_object_put(object);

	return status;
}

static NTSTATUS map_image(HANDLE file, struct loaded *module, ULONG attributes,
			  size_t *size)
{
	HANDLE section;
	NTSTATUS status;

	status = NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, NULL,
				 PAGE_READONLY, attributes, file);
	if (status != STATUS_SUCCESS)
		return status;
	status = map_bytes(section, module, size);
	if (status == STATUS_SUCCESS)
		status = NtMapViewOfSection(section, GetCurrentProcess(),
					    &module->base, 0, 0, NULL,
					    &module->size, ViewUnmap, 0,
					    PAGE_READONLY);
	CloseHandle(section);

	return NT_SUCCESS(status) ? STATUS_SUCCESS : status;
}

static void unmap(struct loaded *module)
{
	if (module->base)
		NtUnmapViewOfSection(GetCurrentProcess(), module->base);
	if (module->bytes)
		wr_image_bytes_end(module->bytes);
}

static NTSTATUS map_as(HANDLE file, DWORD flags, struct loaded *module,
		       size_t *size)
{
	if (flags & LOAD_LIBRARY_AS_IMAGE_RESOURCE)
		return map_image(file, module, SEC_IMAGE_NO_EXECUTE, size);
	if (flags & WR_LOADS_DATA)
		return map_file(file, module, size);

	return map_image(file, module, SEC_IMAGE, size);
}

static DWORD load_file(HANDLE file, DWORD flags, struct loaded *module)
{
	const void *bytes;
	NTSTATUS status;
	size_t size;

	status = map_as(file, flags, module, &size);
	if (status == STATUS_SUCCESS) {
		bytes = module->bytes ? module->bytes : module->base;
		status = wr_pe_read(bytes, size, module->bytes, &module->pe);
	}
	if (status == STATUS_SUCCESS)
		return 0;
	unmap(module);

	return RtlNtStatusToDosError(status);
}

/* ---- modules ---- */

static void free_module(struct loaded *module)
{
	free(module->path);
	free(module);
}

/* Where the list leads to it, or to its end. The lock is held. */
static struct loaded **find(HMODULE handle)
{
	struct loaded **at = &modules;

	while (*at && (*at)->handle != handle)
		at = &(*at)->next;

	return at;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/'), *back = strrchr(path, '\\');
	const char *last = slash > back ? slash : back;

	return last ? last + 1 : path;
}

/* A path is one file, a name alone any with that name. */
static bool is_named(const struct loaded *module, const char *name,
		     const char *full)
{
	if (full)
		return !strcmp(module->path, full);

	return !strcasecmp(last_part(module->path), name);
}

/* The library that is loaded by this name. The lock is held. */
static struct loaded *find_named(const char *name)
{
	struct loaded *module;
	char path[PATH_MAX], full[PATH_MAX];
	bool whole = has_directory(name);

	if (!make_path("", name, path) || (whole && !realpath(path, full)))
		return NULL;
	for (module = modules; module; module = module->next)
		if (module->path && is_named(module, path, whole ? full : NULL))
			return module;

	return NULL;
}

/* The library that @address is in. The lock is held. */
static struct loaded *find_around(const void *address)
{
	struct loaded *module;

	for (module = modules; module; module = module->next)
		if (module->path &&
		    (uintptr_t)address - (uintptr_t)module->base < module->size)
			return module;

	return NULL;
}

/* By its name, or by @address if that is NULL, with @more users than it had */
static HMODULE get_library(const char *name, const void *address,
			   unsigned int more)
{
	struct loaded *module;
	HMODULE handle = NULL;

	pthread_mutex_lock(&lock);
	module = name ? find_named(name) : find_around(address);
	if (module) {
		module->users += more;
		handle = module->handle;
	}
	pthread_mutex_unlock(&lock);

	return handle;
}

HMODULE wr_loaded_by_name(const char *name)
{
	return get_library(name, NULL, 0);
}

HMODULE wr_loaded_by_address(const void *address)
{
	return get_library(NULL, address, 0);
}

HMODULE wr_loaded_hold_by_name(const char *name)
{
	return get_library(name, NULL, 1);
}

HMODULE wr_loaded_hold_by_address(const void *address)
{
	return get_library(NULL, address, 1);
}

static void add(struct loaded *module, unsigned int kind)
{
	module->handle = (HMODULE)((uintptr_t)module->base | kind);
	module->users = 1;
	pthread_mutex_lock(&lock);
	module->next = modules;
	modules = module;
	pthread_mutex_unlock(&lock);
}

/* The path that the file has now */
static char *path_of(HANDLE handle)
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)], path[PATH_MAX];
	struct wr_file *file;
	DWORD access;
	ssize_t n;

	if (wr_file_get(handle, 0, &file, &access) != STATUS_SUCCESS)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", file->object.fd);
	n = readlink(link, path, sizeof(path) - 1);
	wr_file_put(file);

	return n < 0 ? NULL : strndup(path, n);
}

static DWORD load(const char *name, DWORD flags, struct loaded *module)
{
	HANDLE file;
	DWORD error = open_file(name, flags, &file);

	if (error)
		return error;
	error = load_file(file, flags, module);
	if (!error && !(flags & WR_LOADS_DATA)) {
		module->path = path_of(file);
		if (!module->path) {
			unmap(module);
			error = ERROR_NOT_ENOUGH_MEMORY;
		}
	}
	if (!error && flags & LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE)
		module->file = file;
	else
		CloseHandle(file);

	return error;
}

static DWORD load_new(const char *name, DWORD flags, unsigned int kind,
		      HMODULE *handle)
{
	struct loaded *module = calloc(1, sizeof(*module));
	DWORD error;

	if (!module)
		return ERROR_NOT_ENOUGH_MEMORY;
	error = load(name, flags, module);
	if (error) {
		free_module(module);
		return error;
	}
	add(module, kind);
	*handle = module->handle;

	return 0;
}

/* A library is loaded once. Two threads at a time would load it twice: one waits. */
static DWORD load_once(const char *name, DWORD flags, HMODULE *handle)
{
	DWORD error = 0;

	WR_NO_CANCEL();

	pthread_mutex_lock(&loading);
	*handle = wr_loaded_hold_by_name(name);
	if (!*handle)
		error = load_new(name, flags, 0, handle);
	pthread_mutex_unlock(&loading);
	/* As for any library that is not there */
	if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND)
		error = ERROR_MOD_NOT_FOUND;

	return error;
}

HMODULE wr_load(const char *name, DWORD flags)
{
	const DWORD both = LOAD_LIBRARY_AS_DATAFILE |
			   LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE;
	HMODULE handle = NULL;
	DWORD error;

	/* They exclude each other. */
	if ((flags & both) == both)
		error = ERROR_INVALID_PARAMETER;
	else if (flags & LOAD_LIBRARY_AS_IMAGE_RESOURCE)
		error = load_new(name, flags, WR_MODULE_IMAGE_DATA, &handle);
	else if (flags & WR_LOADS_DATA)
		error = load_new(name, flags, WR_MODULE_DATA, &handle);
	else
		error = load_once(name, flags, &handle);
	if (error)
		wr_fail(error);

	return handle;
}

bool wr_unload(HMODULE handle)
{
	struct loaded **at, *module;
	bool last;

	pthread_mutex_lock(&lock);
	at = find(handle);
	module = *at;
	last = module && !--module->users;
	if (last)
		*at = module->next;
	pthread_mutex_unlock(&lock);
	if (!last)
		return module;
	unmap(module);
	if (module->file)
		CloseHandle(module->file);
	free_module(module);

	return true;
}

/* ---- what there is to know of them ---- */

bool wr_loaded_pe(HMODULE handle, struct wr_pe *pe, const uint8_t **base)
{
	struct loaded *module;

	pthread_mutex_lock(&lock);
	module = *find(handle);
	if (module) {
		*pe = module->pe;
		*base = module->base;
	}
	pthread_mutex_unlock(&lock);

	return module;
}

bool wr_loaded_path(HMODULE handle, char path[PATH_MAX])
{
	struct loaded *module;
	bool found;

	pthread_mutex_lock(&lock);
	module = *find(handle);
	found = module && module->path;
	if (found)
		stpcpy(path, module->path);
	pthread_mutex_unlock(&lock);

	return found;
}

size_t wr_loaded_all(HMODULE **list)
{
	struct loaded *module;
	size_t n = 0;

	pthread_mutex_lock(&lock);
	for (module = modules; module; module = module->next)
		n++;
	*list = calloc(n + 1, sizeof(**list));
	n = 0;
	for (module = *list ? modules : NULL; module; module = module->next)
		if (module->path)
			(*list)[n++] = module->handle;
	pthread_mutex_unlock(&lock);

	return n;
}

/* ---- functions ---- */

#define HIGHEST_ORDINAL 0xFFFF
/* A function of one library can be that of another, which can be one of the first. */
#define MAX_FORWARDS 8

static DWORD find_function(HMODULE handle, const char *name, const char **at,
			   unsigned int forwards);

/* "library.function", where a library that is here has it; by numbers none does. */
static DWORD follow(const struct wr_pe_export *export, const char **at,
		    unsigned int forwards)
{
	char text[256], *dot;
	HMODULE module;

	if (export->forward_size >= sizeof(text) || forwards == MAX_FORWARDS)
		return ERROR_PROC_NOT_FOUND;
	memcpy(text, export->forward, export->forward_size);
	text[export->forward_size] = '\0';
	dot = strrchr(text, '.');
	if (!dot || dot[1] == '#')
		return ERROR_PROC_NOT_FOUND;
	*dot = '\0';
	module = wr_loaded_by_name(text);
	if (module)
		return find_function(module, dot + 1, at, forwards + 1);
	module = GetModuleHandleA(text);
	*at = module ?
		      (const char *)(uintptr_t)GetProcAddress(module, dot + 1) :
		      NULL;

	return *at ? 0 : ERROR_PROC_NOT_FOUND;
}

static DWORD find_function(HMODULE handle, const char *name, const char **at,
			   unsigned int forwards)
{
	bool by_number = (uintptr_t)name <= HIGHEST_ORDINAL;
	struct wr_pe_export export;
	const uint8_t *base;
	struct wr_pe pe;

	if (!wr_loaded_pe(handle, &pe, &base))
		return ERROR_MOD_NOT_FOUND;
	if (!wr_pe_find_export(&pe, by_number ? NULL : name, (uintptr_t)name,
			       &export))
		return by_number ? ERROR_INVALID_ORDINAL : ERROR_PROC_NOT_FOUND;
	if (export.forward)
		return follow(&export, at, forwards);
	*at = (const char *)base + export.address;

	return 0;
}

DWORD wr_loaded_function(HMODULE handle, const char *name, const char **at)
{
	return find_function(handle, name, at, 0);
}

/* ---- forks ---- */

static void before_fork(void)
{
	pthread_mutex_lock(&loading);
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
	pthread_mutex_unlock(&loading);
}

__attribute__((constructor)) static void init_modules(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
}
