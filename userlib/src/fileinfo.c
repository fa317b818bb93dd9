// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What files are: attributes, times, and what handles lead to
 *
 * Of the attributes Linux has two: a directory is one, and a file that nobody may
 * write to is read-only. Every other regular file has the one that new files have
 * on Windows, which says that it was not backed up yet.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "file.h"

/* Seconds from the beginning of 1601 to that of 1970, and the ticks of a second */
#define EPOCH_SECONDS 11644473600LL
#define TICKS_PER_SECOND 10000000LL
#define NS_PER_TICK 100

#define STATX_WANTED (STATX_BASIC_STATS | STATX_BTIME)

static DWORD attributes_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return FILE_ATTRIBUTE_DIRECTORY;
	if (!S_ISREG(mode))
		return FILE_ATTRIBUTE_NORMAL;

	return FILE_ATTRIBUTE_ARCHIVE |
	       (mode & 0222 ? 0 : FILE_ATTRIBUTE_READONLY);
}

/* What is before 1601 is told as its beginning. */
static FILETIME to_filetime(const struct statx_timestamp *time)
{
	long long seconds = time->tv_sec + EPOCH_SECONDS;
	unsigned long long ticks = 0;
	FILETIME result;

	if (seconds >= 0)
		ticks = seconds * TICKS_PER_SECOND +
			time->tv_nsec / NS_PER_TICK;
	result.dwLowDateTime = ticks;
	result.dwHighDateTime = ticks >> 32;

	return result;
}

/* A file system that does not know has at least the time of the last change. */
static FILETIME creation_time(const struct statx *stx)
{
	const struct statx_timestamp *a = &stx->stx_mtime, *b = &stx->stx_ctime;

	if (stx->stx_mask & STATX_BTIME)
		return to_filetime(&stx->stx_btime);

	return to_filetime(a->tv_sec < b->tv_sec ? a : b);
}

static uint64_t size_of(const struct statx *stx)
{
	return S_ISREG(stx->stx_mode) ? stx->stx_size : 0;
}

static void fill_data(LPWIN32_FILE_ATTRIBUTE_DATA data, const struct statx *stx)
{
	data->dwFileAttributes = attributes_of(stx->stx_mode);
	data->ftCreationTime = creation_time(stx);
	data->ftLastAccessTime = to_filetime(&stx->stx_atime);
	data->ftLastWriteTime = to_filetime(&stx->stx_mtime);
	data->nFileSizeHigh = size_of(stx) >> 32;
	data->nFileSizeLow = size_of(stx);
}

/* @error: of making @path */
static DWORD get_data(DWORD error, const struct wr_path *path,
		      GET_FILEEX_INFO_LEVELS level,
		      LPWIN32_FILE_ATTRIBUTE_DATA data)
{
	struct statx stx;

	if (level != GetFileExInfoStandard)
		return ERROR_INVALID_PARAMETER;
	if (error)
		return error;
	if (!wr_writable(data, sizeof(*data)))
		return ERROR_NOACCESS;
	if (statx(AT_FDCWD, path->name, 0, STATX_WANTED, &stx))
		return wr_path_error(path, errno);

	fill_data(data, &stx);

	return ERROR_SUCCESS;
}

BOOL WINAPI GetFileAttributesExA(LPCSTR name, GET_FILEEX_INFO_LEVELS level,
				 LPVOID data)
{
	struct wr_path path;
	DWORD error;

	WR_KEEP_ERRNO();

	error = get_data(wr_path(&path, name), &path, level, data);

	return error ? wr_fail(error) : TRUE;
}

BOOL WINAPI GetFileAttributesExW(LPCWSTR name, GET_FILEEX_INFO_LEVELS level,
				 LPVOID data)
{
	struct wr_path path;
	DWORD error;

	WR_KEEP_ERRNO();

	error = get_data(wr_path_w(&path, name), &path, level, data);

	return error ? wr_fail(error) : TRUE;
}

static DWORD get_attributes(DWORD error, const struct wr_path *path)
{
	struct stat st;

	if (!error && stat(path->name, &st))
		error = wr_path_error(path, errno);
	if (error) {
		wr_fail(error);
		return INVALID_FILE_ATTRIBUTES;
	}

	return attributes_of(st.st_mode);
}

DWORD WINAPI GetFileAttributesA(LPCSTR name)
{
	struct wr_path path;

	WR_KEEP_ERRNO();

	return get_attributes(wr_path(&path, name), &path);
}

DWORD WINAPI GetFileAttributesW(LPCWSTR name)
{
	struct wr_path path;

	WR_KEEP_ERRNO();

	return get_attributes(wr_path_w(&path, name), &path);
}

/* A file that is not read-only any more can be written by its owner. */
static DWORD set_attributes(DWORD error, const struct wr_path *path,
			    DWORD attributes)
{
	struct stat st;
	mode_t mode;

	if (error)
		return error;
	if (stat(path->name, &st))
		return wr_path_error(path, errno);
	if (!S_ISREG(st.st_mode))
		return ERROR_SUCCESS;

	mode = st.st_mode & 07777;
	if (attributes & FILE_ATTRIBUTE_READONLY)
		mode &= ~0222;
	else if (wr_is_read_only(&st))
		mode |= 0200;
	if (mode != (st.st_mode & 07777) && chmod(path->name, mode))
		return wr_path_error(path, errno);

	return ERROR_SUCCESS;
}

BOOL WINAPI SetFileAttributesA(LPCSTR name, DWORD attributes)
{
	struct wr_path path;
	DWORD error;

	WR_KEEP_ERRNO();

	error = set_attributes(wr_path(&path, name), &path, attributes);

	return error ? wr_fail(error) : TRUE;
}

BOOL WINAPI SetFileAttributesW(LPCWSTR name, DWORD attributes)
{
	struct wr_path path;
	DWORD error;

	WR_KEEP_ERRNO();

	error = set_attributes(wr_path_w(&path, name), &path, attributes);

	return error ? wr_fail(error) : TRUE;
}

static void fill_information(LPBY_HANDLE_FILE_INFORMATION data,
			     const struct statx *stx)
{
	dev_t device = makedev(stx->stx_dev_major, stx->stx_dev_minor);

	data->dwFileAttributes = attributes_of(stx->stx_mode);
	data->ftCreationTime = creation_time(stx);
	data->ftLastAccessTime = to_filetime(&stx->stx_atime);
	data->ftLastWriteTime = to_filetime(&stx->stx_mtime);
	data->dwVolumeSerialNumber = device ^ device >> 32;
	data->nFileSizeHigh = size_of(stx) >> 32;
	data->nFileSizeLow = size_of(stx);
	data->nNumberOfLinks = stx->stx_nlink;
	data->nFileIndexHigh = stx->stx_ino >> 32;
	data->nFileIndexLow = stx->stx_ino;
}

BOOL WINAPI GetFileInformationByHandle(HANDLE file,
				       LPBY_HANDLE_FILE_INFORMATION data)
{
	DWORD error = ERROR_SUCCESS;
	struct wr_file *object;
	struct statx stx;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	if (!wr_writable(data, sizeof(*data)))
		return wr_fail(ERROR_NOACCESS);
	status = wr_file_get(file, FILE_READ_ATTRIBUTES, &object, NULL);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);

	if (statx(object->object.fd, "", AT_EMPTY_PATH, STATX_WANTED, &stx))
		error = wr_file_error(errno);
	else
		fill_information(data, &stx);
	wr_file_put(object);

	return error ? wr_fail(error) : TRUE;
}

/* A success sets the last error, as the type may look like the failure. */
DWORD WINAPI GetFileType(HANDLE file)
{
	struct wr_file *object;
	NTSTATUS status;
	mode_t type;

	WR_KEEP_ERRNO();

	status = wr_file_get(file, 0, &object, NULL);
	if (status != STATUS_SUCCESS) {
		wr_succeeded(status);
		return FILE_TYPE_UNKNOWN;
	}
	type = object->type;
	wr_file_put(object);

	SetLastError(NO_ERROR);
	if (S_ISCHR(type))
		return FILE_TYPE_CHAR;

	return S_ISFIFO(type) || S_ISSOCK(type) ? FILE_TYPE_PIPE :
						  FILE_TYPE_DISK;
}
