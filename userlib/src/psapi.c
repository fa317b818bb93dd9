// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * GetMappedFileName(): by what /proc/self/maps has to say of the address, and what
 * the module says of whose memory it is
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <winregion/psapi.h>
#include <winregion/winregion.h>

#include "internal.h"

#define DELETED " (deleted)"

/* Memory of our own that is no view has a file of the module's in maps. */
static bool is_private(uintptr_t address)
{
	struct winregion_query query = { .address = address };

	return !winregion_query(&query) &&
	       query.out.type == WINREGION_TYPE_PRIVATE;
}

/* The line of the address, allocated, and where in it the name begins; or NULL */
static char *find_line(uintptr_t address, char **name, unsigned long *inode)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char *line = NULL;
	unsigned long first, end;
	bool found = false;
	size_t room = 0;
	int at;

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
static DWORD find_name(HANDLE process, const void *address, char **line,
		       char **name)
{
	unsigned long inode;

	*line = NULL;
	if (process != GetCurrentProcess())
		return ERROR_INVALID_HANDLE;
	*line = find_line((uintptr_t)address, name, &inode);
	if (!*line || !inode || **name != '/')
		return ERROR_UNEXP_NET_ERR;
	decode(*name);
	if (is_private((uintptr_t)address))
		return ERROR_UNEXP_NET_ERR;
	if (cut_deleted(*name, inode) && is_paging(*name))
		return ERROR_FILE_INVALID;

	return 0;
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
