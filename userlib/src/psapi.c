// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * GetMappedFileName() and QueryFullProcessImageName()
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

#include "mappedname.h"
#include "process.h"

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
	DWORD length = 0;
	NTSTATUS status;
	char *line, *found;

	WR_KEEP_ERRNO();

	status = wr_mapped_name(process, address, &line, &found);
	if (status == STATUS_SUCCESS)
		length = copy(found, strlen(found), name, size, 1);
	else
		wr_succeeded(status);
	free(line);

	return length;
}

DWORD WINAPI GetMappedFileNameW(HANDLE process, LPVOID address, LPWSTR name,
				DWORD size)
{
	DWORD length = 0;
	NTSTATUS status;
	size_t units;
	WCHAR *found;

	WR_KEEP_ERRNO();

	status = wr_mapped_name_wide(process, address, &found, &units);
	if (status == STATUS_SUCCESS)
		length = copy(found, units, name, size, sizeof(*found));
	else
		wr_succeeded(status);
	free(found);

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
		wr_cut_deleted(name, st.st_ino);

	return 0;
}

static DWORD program_of(HANDLE process, DWORD flags, char *name)
{
	struct wr_target target;
	NTSTATUS status;
	DWORD error;

	if (flags & ~PROCESS_NAME_NATIVE)
		return ERROR_INVALID_PARAMETER;
	status = wr_target_get(process, PROCESS_QUERY_LIMITED_INFORMATION,
			       &target);
	if (status != STATUS_SUCCESS)
		return RtlNtStatusToDosError(status);

	error = find_program(&target, name);
	if (wr_target_put_asked(&target))
		return error;

	return RtlNtStatusToDosError(STATUS_PROCESS_IS_TERMINATING);
}

/* All or nothing, unlike copy(): what there would have to be room for is not told. */
static BOOL give_program(const void *name, size_t length, void *to, PDWORD size,
			 size_t unit)
{
	if (!wr_writable(size, sizeof(*size)))
		return wr_fail(ERROR_NOACCESS);
	if (*size <= length)
		return wr_fail(ERROR_INSUFFICIENT_BUFFER);
	if (!wr_all_writable(to, (length + 1) * unit))
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
