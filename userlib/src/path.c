// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of files
 *
 * There is one tree, and drive C is it. Both separators are taken; what is
 * returned has slashes. winregion_files(7) has the whole of it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "file.h"

/* What Windows leaves room for in a path that GetTempFileName() adds to */
#define TEMP_NAME_ROOM 14

#define DEFAULT_TEMP "/tmp"
#define UNIQUE_NUMBERS 0xFFFF

static bool is_separator(char c)
{
	return c == '/' || c == '\\';
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Step over "C:"; other drives are not there. */
static DWORD skip_drive(LPCSTR *name)
{
	LPCSTR at = *name;

	if (!is_letter(at[0]) || at[1] != ':')
		return ERROR_SUCCESS;
	if (at[0] != 'C' && at[0] != 'c')
		return ERROR_PATH_NOT_FOUND;

	*name = at[2] ? at + 2 : ".";

	return ERROR_SUCCESS;
}

/* Behind "\\?\": a drive, or what begins at the root of the tree */
static DWORD skip_verbatim(LPCSTR *name)
{
	LPCSTR at = *name;
	DWORD error;

	if (!strncasecmp(at, "UNC\\", 4))
		return ERROR_BAD_NETPATH;
	error = skip_drive(name);
	if (!error && !is_separator(**name))
		error = ERROR_PATH_NOT_FOUND;

	return error;
}

/* Where devices are */
#define DEVICES "/dev/"

static const struct {
	const char *name;
	const char *path;
} devices[] = {
	{ "NUL", DEVICES "null" },
	{ "CON", DEVICES "tty" },
	{ "CONIN$", DEVICES "tty" },
	{ "CONOUT$", DEVICES "tty" },
};

static const char *find_device(LPCSTR name)
{
	size_t i, length = strlen(name);

	if (length && name[length - 1] == ':')
		length--;
	for (i = 0; i < ARRAY_SIZE(devices); i++)
		if (strlen(devices[i].name) == length &&
		    !strncasecmp(devices[i].name, name, length))
			return devices[i].path;

	return NULL;
}

/* Behind "\\.\": a device, or a path that begins with a drive */
static DWORD skip_device(LPCSTR *name)
{
	const char *device = find_device(*name);
	LPCSTR at = *name;

	if (device) {
		*name = device;
		return ERROR_SUCCESS;
	}
	if (!is_letter(at[0]) || at[1] != ':' || !is_separator(at[2]))
		return ERROR_FILE_NOT_FOUND;

	return skip_drive(name);
}

/* Step over what names on Windows begin with. */
static DWORD skip_prefix(LPCSTR *name)
{
	LPCSTR at = *name;

	if (find_device(at))
		return skip_device(name);
	if (strncmp(at, "\\\\", 2) && strncmp(at, "\\??\\", 4))
		return skip_drive(name);

	*name = at + 4;
	if (!strncmp(at, "\\\\?\\", 4) || !strncmp(at, "\\??\\", 4))
		return skip_verbatim(name);
	if (!strncmp(at, "\\\\.\\", 4))
		return skip_device(name);

	return ERROR_BAD_NETPATH;
}

DWORD wr_path(struct wr_path *path, LPCSTR name)
{
	DWORD error;
	size_t i;

	if (!name || !*name)
		return ERROR_PATH_NOT_FOUND;
	error = skip_prefix(&name);
	if (error)
		return error;

	for (i = 0; name[i]; i++) {
		if (i == sizeof(path->name) - 1)
			return ERROR_FILENAME_EXCED_RANGE;
		path->name[i] = is_separator(name[i]) ? '/' : name[i];
	}
	path->name[i] = '\0';

	return ERROR_SUCCESS;
}

/* With what prefixes take, which the name of a file cannot have */
#define NAME_ROOM (PATH_MAX + 8)

/* UTF-16 that is none names no file, as names are UTF-8 here. */
static DWORD narrow(LPCWSTR name, char narrowed[NAME_ROOM])
{
	long length;

	length = wr_to_utf8(name, wr_wide_length(name) + 1, narrowed, NAME_ROOM,
			    TRUE);
	if (length == WR_INVALID)
		return ERROR_INVALID_NAME;
	if (length == WR_NO_ROOM)
		return ERROR_FILENAME_EXCED_RANGE;

	return ERROR_SUCCESS;
}

DWORD wr_path_w(struct wr_path *path, LPCWSTR name)
{
	char narrowed[NAME_ROOM];
	DWORD error;

	if (!name)
		return ERROR_PATH_NOT_FOUND;
	error = narrow(name, narrowed);

	return error ? error : wr_path(path, narrowed);
}

/* Without the slashes and "/." at its end, which lead nowhere else */
static void cut_end(char *name)
{
	size_t length = strlen(name);

	while (length > 1 &&
	       (name[length - 1] == '/' ||
		(name[length - 1] == '.' && name[length - 2] == '/')))
		length--;
	name[length] = '\0';
}

void wr_find_place(const struct wr_path *path, struct wr_place *place)
{
	char *name = place->path.name, *slash;

	place->path = *path;
	cut_end(name);
	slash = strrchr(name, '/');
	if (slash)
		*slash = '\0';
	place->last = slash ? slash + 1 : name;
	place->directory = slash ? name : ".";
	if (slash == name)
		place->directory = "/";
}

static bool is_same_directory(const char *one, const char *two)
{
	struct stat a, b;

	return !stat(one, &a) && !stat(two, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

bool wr_is_same_place(const struct wr_path *one, const struct wr_path *two)
{
	struct wr_place a, b;

	wr_find_place(one, &a);
	wr_find_place(two, &b);

	return !strcmp(a.last, b.last) &&
	       is_same_directory(a.directory, b.directory);
}

/* Most names end otherwise: then nothing is looked for. */
bool wr_is_device(const struct wr_path *path)
{
	struct wr_place place;
	size_t i;

	wr_find_place(path, &place);
	for (i = 0; i < ARRAY_SIZE(devices); i++)
		if (!strcmp(place.last, devices[i].path + strlen(DEVICES)) &&
		    is_same_directory(place.directory, DEVICES))
			return true;

	return false;
}

/* Cut the last component off. Return: whether there is something before it. */
static bool cut_last(char *name)
{
	size_t length = strlen(name);

	while (length && name[length - 1] == '/')
		length--;
	while (length && name[length - 1] != '/')
		length--;
	name[length] = '\0';

	return length > 0;
}

DWORD wr_path_error(const struct wr_path *path, int err)
{
	struct wr_path parent = *path;
	struct stat st;

	if (err == ENOENT && cut_last(parent.name) && stat(parent.name, &st))
		return ERROR_PATH_NOT_FOUND;

	return wr_file_error(err);
}

DWORD wr_give(const char *text, DWORD size, LPSTR buffer)
{
	size_t length = strlen(text);

	if (length >= size)
		return length + 1;

	memcpy(buffer, text, length + 1);

	return length;
}

DWORD wr_give_w(const char *text, DWORD size, LPWSTR buffer)
{
	size_t bytes = strlen(text) + 1;
	long units = wr_to_wide(text, bytes, NULL, 0, TRUE);

	if (units < 0)
		return wr_fail(ERROR_NO_UNICODE_TRANSLATION);
	if (units > (long)size)
		return units;

	wr_to_wide(text, bytes, buffer, size, TRUE);

	return units - 1;
}

/* Add a component, or take one away for "..": only the text counts. */
static void add_component(char *full, const char *component, size_t length)
{
	size_t end = strlen(full);

	if (!length || (length == 1 && component[0] == '.'))
		return;
	if (length == 2 && !memcmp(component, "..", 2)) {
		while (end && full[end] != '/')
			end--;
		full[end] = '\0';
		return;
	}
	full[end] = '/';
	memcpy(full + end + 1, component, length);
	full[end + 1 + length] = '\0';
}

static void add_components(char *full, const char *name)
{
	size_t length;

	for (; *name; name += length + (name[length] == '/')) {
		length = strcspn(name, "/");
		add_component(full, name, length);
	}
}

/* Its own and the current directory's name, neither of which can be longer */
struct full_path {
	char name[2 * PATH_MAX + 2];
};

/*
 * "/", or a name without "//", "/./" and "/../" in it, which ends with a slash if
 * @path does. Return: 0 or the error.
 */
static DWORD make_full(const struct wr_path *path, struct full_path *full)
{
	size_t length = strlen(path->name);
	char current[PATH_MAX];

	full->name[0] = '\0';
	if (path->name[0] != '/') {
		if (!getcwd(current, sizeof(current)))
			return wr_file_error(errno);
		add_components(full->name, current);
	}
	add_components(full->name, path->name);
	if (!full->name[0] || path->name[length - 1] == '/')
		strcat(full->name, "/");

	return ERROR_SUCCESS;
}

/* What no name is has another error here than in CreateFile(). */
static DWORD name_error(bool is_empty, DWORD error)
{
	return is_empty ? ERROR_INVALID_NAME : error;
}

DWORD WINAPI GetFullPathNameA(LPCSTR name, DWORD size, LPSTR buffer,
			      LPSTR *file_part)
{
	struct full_path full;
	struct wr_path path;
	DWORD error, length;

	WR_KEEP_ERRNO();

	error = name_error(!name || !*name, wr_path(&path, name));
	if (!error)
		error = make_full(&path, &full);
	if (error)
		return wr_fail(error);

	length = wr_give(full.name, size, buffer);
	if (file_part && length < size) {
		*file_part = strrchr(buffer, '/') + 1;
		if (!**file_part)
			*file_part = NULL;
	}

	return length;
}

/* What is behind the last slash, or NULL */
static LPWSTR find_file_part(LPWSTR text, DWORD length)
{
	while (length && text[length - 1] != '/')
		length--;

	return text[length] ? text + length : NULL;
}

DWORD WINAPI GetFullPathNameW(LPCWSTR name, DWORD size, LPWSTR buffer,
			      LPWSTR *file_part)
{
	struct full_path full;
	struct wr_path path;
	DWORD error, length;

	WR_KEEP_ERRNO();

	error = name_error(!name || !*name, wr_path_w(&path, name));
	if (!error)
		error = make_full(&path, &full);
	if (error)
		return wr_fail(error);

	length = wr_give_w(full.name, size, buffer);
	if (file_part && length && length < size)
		*file_part = find_file_part(buffer, length);

	return length;
}

DWORD WINAPI GetCurrentDirectoryA(DWORD size, LPSTR buffer)
{
	char current[PATH_MAX];

	WR_KEEP_ERRNO();

	if (!getcwd(current, sizeof(current)))
		return wr_fail(wr_file_error(errno));

	return wr_give(current, size, buffer);
}

DWORD WINAPI GetCurrentDirectoryW(DWORD size, LPWSTR buffer)
{
	char current[PATH_MAX];

	WR_KEEP_ERRNO();

	if (!getcwd(current, sizeof(current)))
		return wr_fail(wr_file_error(errno));

	return wr_give_w(current, size, buffer);
}

/*
 * The first of Windows' variables that is set, then Linux' own; none where who starts the
 * program has fewer rights than it.
 */
static DWORD find_temp(struct full_path *full)
{
	static const char *const variables[] = { "TMP", "TEMP", "TMPDIR" };
	const char *value = NULL;
	struct wr_path path;
	DWORD error;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(variables) && (!value || !*value); i++)
		value = secure_getenv(variables[i]);
	error = wr_path(&path, value && *value ? value : DEFAULT_TEMP);
	if (!error)
		error = make_full(&path, full);
	if (!error && full->name[strlen(full->name) - 1] != '/')
		strcat(full->name, "/");

	return error;
}

DWORD WINAPI GetTempPathA(DWORD size, LPSTR buffer)
{
	struct full_path full;
	DWORD error;

	WR_KEEP_ERRNO();

	error = find_temp(&full);

	return error ? wr_fail(error) : (BOOL)wr_give(full.name, size, buffer);
}

DWORD WINAPI GetTempPathW(DWORD size, LPWSTR buffer)
{
	struct full_path full;
	DWORD error;

	WR_KEEP_ERRNO();

	error = find_temp(&full);

	return error ? wr_fail(error) :
		       (BOOL)wr_give_w(full.name, size, buffer);
}

/* "DIRECTORY/preUNIQUE.tmp": the name as text only */
static DWORD temp_name(struct wr_path *file, const struct wr_path *directory,
		       const char *prefix, UINT unique)
{
	const char *name = directory->name;
	size_t length = strlen(name);
	int n;

	n = snprintf(file->name, sizeof(file->name), "%s%s%s%X.tmp", name,
		     name[length - 1] == '/' ? "" : "/", prefix,
		     unique & UNIQUE_NUMBERS);

	return n < (int)sizeof(file->name) ? 0 : ERROR_FILENAME_EXCED_RANGE;
}

static UINT first_number(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);

	return (now.tv_nsec >> 8) ^ now.tv_sec ^ getpid();
}

/* Make the first file that is not there yet. */
static DWORD make_temp(struct wr_path *file, const struct wr_path *directory,
		       const char *prefix, mode_t mode, UINT *unique)
{
	UINT number = first_number(), tries;
	DWORD error;
	int fd;

	for (tries = 0; tries < UNIQUE_NUMBERS; tries++) {
		number = number % UNIQUE_NUMBERS + 1;
		error = temp_name(file, directory, prefix, number);
		if (error)
			return error;
		fd = open(file->name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC,
			  mode);
		if (fd >= 0) {
			wr_close(fd);
			*unique = number;
			return ERROR_SUCCESS;
		}
		if (errno != EEXIST)
			return wr_path_error(file, errno);
	}

	return ERROR_FILE_EXISTS;
}

/*
 * Windows' directory for temporary files is the user's own, and a file is for whom its
 * directory is: what is made where all make files is for nobody else, and what is to
 * replace a file that it lies beside can be read by the same users.
 */
static mode_t mode_in(const struct stat *directory)
{
	return directory->st_mode & 0002 ? 0600 : 0666;
}

static DWORD get_temp_name(struct wr_path *file,
			   const struct wr_path *directory, const char *prefix,
			   UINT *unique)
{
	struct stat st;

	if (strlen(directory->name) > MAX_PATH - TEMP_NAME_ROOM)
		return ERROR_BUFFER_OVERFLOW;
	if (*unique)
		return temp_name(file, directory, prefix, *unique);
	if (stat(directory->name, &st) || !S_ISDIR(st.st_mode))
		return ERROR_DIRECTORY;

	return make_temp(file, directory, prefix, mode_in(&st), unique);
}

/* The buffers have MAX_PATH units, as on Windows. */
UINT WINAPI GetTempFileNameA(LPCSTR path, LPCSTR prefix, UINT unique,
			     LPSTR buffer)
{
	struct wr_path directory, file;
	char start[4] = "";
	DWORD error;

	WR_KEEP_ERRNO();

	if (!path || !buffer)
		return wr_fail(ERROR_INVALID_PARAMETER);
	error = wr_path(&directory, path);
	if (prefix)
		strncat(start, prefix, 3);
	if (!error)
		error = get_temp_name(&file, &directory, start, &unique);
	if (error)
		return wr_fail(error);

	wr_give(file.name, MAX_PATH, buffer);

	return unique;
}

/* The first three units of @prefix as UTF-8 */
static DWORD narrow_prefix(LPCWSTR prefix, char start[10])
{
	size_t units = 0;
	long length;

	while (units < 3 && prefix[units])
		units++;
	length = wr_to_utf8(prefix, units, start, 9, TRUE);
	if (length < 0)
		return ERROR_INVALID_NAME;
	start[length] = '\0';

	return ERROR_SUCCESS;
}

UINT WINAPI GetTempFileNameW(LPCWSTR path, LPCWSTR prefix, UINT unique,
			     LPWSTR buffer)
{
	struct wr_path directory, file;
	char start[10] = "";
	DWORD error;

	WR_KEEP_ERRNO();

	if (!path || !buffer)
		return wr_fail(ERROR_INVALID_PARAMETER);
	error = wr_path_w(&directory, path);
	if (!error && prefix)
		error = narrow_prefix(prefix, start);
	if (!error)
		error = get_temp_name(&file, &directory, start, &unique);
	if (error)
		return wr_fail(error);

	wr_give_w(file.name, MAX_PATH, buffer);

	return unique;
}
