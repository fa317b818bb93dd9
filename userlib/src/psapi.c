// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * GetMappedFileName(): by what maps of /proc has to say of the address, and what the
 * module says of whose memory it is; and QueryFullProcessImageName()
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <winregion/psapi.h>
#include <winregion/winregion.h>

#include "process.h"

#define DELETED " (deleted)"

/* Memory of the process that is no view has a file of the module's in maps. */
static bool is_private(const struct wr_target *target, uintptr_t address)
{
	struct winregion_query query = { .size = sizeof(query),
					 .address = address };

	return !wr_target_ioctl(target, WINREGION_QUERY, &query) &&
	       query.out.type == WINREGION_TYPE_PRIVATE;
}

/* The line of the address, allocated, and where in it the name begins; or NULL */
static char *find_line(const struct wr_target *target, uintptr_t address,
		       char **name, unsigned long *inode)
{
	char path[WR_TARGET_PATH], *line = NULL;
	unsigned long first, end;
	bool found = false;
	size_t room = 0;
	FILE *maps;
	int at;

	wr_target_path(target, "maps", path);
	maps = fopen(path, "re");
	while (maps && !found && getline(&line, &room, maps) > 0) {
		at = 0;
		found = sscanf(line, "%lx-%lx %*s %*x %*x:%*x %lu %n", &first,
			       &end, inode, &at) == 3 &&
			address >= first && address < end;
		*name = line + at;
	}
	if (maps)
		fclose(maps);
	if (found)
		return line;
	free(line);

	return NULL;
}

/* A newline in a name is written as its number. */
static void decode(char *name)
{
	char *to = name;

	name[strcspn(name, "\n")] = '\0';
	for (; *name; name++) {
		if (strncmp(name, "\\012", 4)) {
			*to++ = *name;
			continue;
		}
		*to++ = '\n';
		name += 3;
	}
	*to = '\0';
}

/* What has no name anywhere; the rest is a file, or was one. */
static bool is_paging(const char *name)
{
	static const char *const none[] = { "/winregion-section",
					    "/memfd:", "/SYSV", "/dev/zero" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(none); i++)
		if (!strncmp(name, none[i], strlen(none[i])))
			return true;

	return false;
}

/* A file can be called so, too. */
static bool cut_deleted(char *name, unsigned long inode)
{
	size_t length = strlen(name), more = strlen(DELETED);
	struct stat st;

	if (length <= more || strcmp(name + length - more, DELETED) ||
	    (!stat(name, &st) && st.st_ino == inode))
		return false;
	name[length - more] = '\0';

	return true;
}

/* Return: an error; 0: *@line is to be freed, and has the name. */
static DWORD find_name_in(const struct wr_target *target, uintptr_t address,
			  char **line, char **name)
{
	unsigned long inode;

	*line = find_line(target, address, name, &inode);
	if (!*line || !inode || **name != '/')
		return ERROR_UNEXP_NET_ERR;
	decode(*name);
	if (is_private(target, address))
		return ERROR_UNEXP_NET_ERR;
	if (cut_deleted(*name, inode) && is_paging(*name))
		return ERROR_FILE_INVALID;

	return 0;
}

static DWORD put_target(struct wr_target *target, DWORD error)
{
	if (wr_target_put_asked(target))
		return error;

	return RtlNtStatusToDosError(STATUS_PROCESS_IS_TERMINATING);
}

static DWORD find_name(HANDLE process, const void *address, char **line,
		       char **name)
{
	struct wr_target target;
	NTSTATUS status;

	*line = NULL;
	status = wr_target_get(process, PROCESS_QUERY_INFORMATION, &target);
	if (status != STATUS_SUCCESS)
		return RtlNtStatusToDosError(status);

	return put_target(&target, find_name_in(&target, (uintptr_t)address,
						line, name));
}

/* As much as there is room for, and a 0 at its end */
static DWORD copy(const void *from, size_t length, void *to, DWORD size,
		  size_t unit)
{
	char *end = to;

	if (!size)
		return wr_fail(ERROR_INSUFFICIENT_BUFFER);
	if (length < size) {
		memcpy(to, from, (length + 1) * unit);
		return length;
	}
	memcpy(to, from, (size - 1) * unit);
	memset(end + (size - 1) * unit, 0, unit);
	wr_fail(ERROR_INSUFFICIENT_BUFFER);

	return size;
}

DWORD WINAPI GetMappedFileNameA(HANDLE process, LPVOID address, LPSTR name,
				DWORD size)
{
	char *line, *found;
	DWORD error, length = 0;

	WR_KEEP_ERRNO();

	error = find_name(process, address, &line, &found);
	if (error)
		wr_fail(error);
	else
		length = copy(found, strlen(found), name, size, 1);
	free(line);

	return length;
}

DWORD WINAPI GetMappedFileNameW(HANDLE process, LPVOID address, LPWSTR name,
				DWORD size)
{
	char *line, *found;
	DWORD error, length = 0;
	WCHAR *wide = NULL;
	long units;

	WR_KEEP_ERRNO();

	error = find_name(process, address, &line, &found);
	if (!error) {
		/* No byte is more than one unit. */
		wide = calloc(strlen(found) + 1, sizeof(*wide));
		error = wide ? 0 : ERROR_NOT_ENOUGH_MEMORY;
	}
	if (error) {
		wr_fail(error);
	} else {
		units = wr_to_wide(found, strlen(found), wide, strlen(found),
				   FALSE);
		length = copy(wide, units < 0 ? 0 : units, name, size,
			      sizeof(*wide));
	}
	free(wide);
	free(line);

	return length;
}

DWORD WINAPI K32GetMappedFileNameA(HANDLE process, LPVOID address, LPSTR name,
				   DWORD size)
{
	return GetMappedFileNameA(process, address, name, size);
}

DWORD WINAPI K32GetMappedFileNameW(HANDLE process, LPVOID address, LPWSTR name,
				   DWORD size)
{
	return GetMappedFileNameW(process, address, name, size);
}

/* ---- programs ---- */

/* Rule PI-11: the file that a process runs, decoded. Return: an error or 0. */
static DWORD find_program(const struct wr_target *target, char *name)
{
	char path[WR_TARGET_PATH];
	struct stat st;
	ssize_t n;

	wr_target_path(target, "exe", path);
	n = readlink(path, name, PATH_MAX - 1);
	if (n < 0)
		return wr_file_error(errno);
	name[n] = '\0';
	if (!stat(path, &st))
		cut_deleted(name, st.st_ino);

	return 0;
}

static DWORD program_of(HANDLE process, DWORD flags, char *name)
{
	struct wr_target target;
	NTSTATUS status;

	if (flags & ~PROCESS_NAME_NATIVE)
		return ERROR_INVALID_PARAMETER;
	status = wr_target_get(process, PROCESS_QUERY_LIMITED_INFORMATION,
			       &target);
	if (status != STATUS_SUCCESS)
		return RtlNtStatusToDosError(status);

	return put_target(&target, find_program(&target, name));
}

/* All or nothing, unlike copy(): what there would have to be room for is not told. */
static BOOL give_program(const void *name, size_t length, void *to, PDWORD size,
			 size_t unit)
{
	if (!wr_writable(size, sizeof(*size)))
		return wr_fail(ERROR_NOACCESS);
	if (*size <= length)
		return wr_fail(ERROR_INSUFFICIENT_BUFFER);
	if (!wr_writable(to, (length + 1) * unit))
		return wr_fail(ERROR_NOACCESS);
	memcpy(to, name, (length + 1) * unit);
	*size = length;

	return TRUE;
}

BOOL WINAPI QueryFullProcessImageNameA(HANDLE process, DWORD flags, LPSTR name,
				       PDWORD size)
{
	char program[PATH_MAX];
	DWORD error;

	WR_KEEP_ERRNO();

	error = program_of(process, flags, program);
	if (error)
		return wr_fail(error);

	return give_program(program, strlen(program), name, size, 1);
}

BOOL WINAPI QueryFullProcessImageNameW(HANDLE process, DWORD flags, LPWSTR name,
				       PDWORD size)
{
	WCHAR wide[PATH_MAX];
	char program[PATH_MAX];
	DWORD error;
	long n;

	WR_KEEP_ERRNO();

	error = program_of(process, flags, program);
	if (error)
		return wr_fail(error);
	/* No byte is more than one unit. */
	n = wr_to_wide(program, strlen(program), wide, PATH_MAX - 1, FALSE);
	if (n < 0)
		return wr_fail(ERROR_INVALID_NAME);
	wide[n] = 0;

	return give_program(wide, n, name, size, sizeof(*wide));
}
