// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * DeleteFile(), MoveFile() and MoveFileEx()
 *
 * Both ask the users of the file first: one that denies deleting is in the way.
 * While the name is taken away they are users themselves, so that nobody gets the
 * file by it who would deny it.
 *
 * Windows' devices are none of its file system, so no program expects that it can
 * lose them. Here they are names like any other, which root may take away: that is
 * refused before anything else.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "file.h"

#define KNOWN_FLAGS \
	(MOVEFILE_REPLACE_EXISTING | MOVEFILE_COPY_ALLOWED | \
	 MOVEFILE_WRITE_THROUGH)
/* Of Windows, but nothing here does that */
#define OTHER_FLAGS \
	(MOVEFILE_DELAY_UNTIL_REBOOT | MOVEFILE_CREATE_HARDLINK | \
	 MOVEFILE_FAIL_IF_NOT_TRACKABLE)

#define COPY_BYTES 65536

/* Longer ones are not copied. */
#define ACCESS_LIST "system.posix_acl_access"
#define ACCESS_LIST_BYTES 4096

/* ---- deleting ---- */

static DWORD delete_name(const struct wr_path *path)
{
	DWORD error = ERROR_SUCCESS;
	struct stat st;
	int user;

	WR_NO_CANCEL();

	if (wr_is_device(path))
		return ERROR_ACCESS_DENIED;
	if (!lstat(path->name, &st) && wr_is_read_only(&st))
		return ERROR_ACCESS_DENIED;

	user = wr_share_name(path);
	if (user < 0 && user != -ENOENT)
		return wr_file_error(-user);
	if (unlink(path->name))
		error = wr_path_error(path, errno);
	if (user >= 0)
		wr_share_end(user);

	return error;
}

BOOL WINAPI DeleteFileA(LPCSTR name)
{
	struct wr_path path;
	DWORD error;

	WR_KEEP_ERRNO();

	error = wr_path(&path, name);
	if (!error)
		error = delete_name(&path);

	return error ? wr_fail(error) : TRUE;
}

BOOL WINAPI DeleteFileW(LPCWSTR name)
{
	struct wr_path path;
	DWORD error;

	WR_KEEP_ERRNO();

	error = wr_path_w(&path, name);
	if (!error)
		error = delete_name(&path);

	return error ? wr_fail(error) : TRUE;
}

/* ---- moving ---- */

struct move {
	struct wr_path from;
	struct wr_path to;
	DWORD flags;
};

/* Of the file systems that cannot do it in one step */
static int rename_unless_there(const char *from, const char *to)
{
	struct stat st;

	if (!lstat(to, &st)) {
		errno = EEXIST;
		return -1;
	}
	if (errno != ENOENT)
		return -1;

	return rename(from, to);
}

static int give_name(const struct move *move, const char *from)
{
	const char *to = move->to.name;

	if (move->flags & MOVEFILE_REPLACE_EXISTING)
		return rename(from, to);
	if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;

	return rename_unless_there(from, to);
}

/* The error of a call with both names */
static DWORD move_error(const struct move *move, int err)
{
	struct stat st;

	/* Where the old name is there it is the new one's directory that is not. */
	if (err == ENOENT && !lstat(move->from.name, &st))
		return ERROR_PATH_NOT_FOUND;

	return wr_path_error(&move->from, err);
}

static int write_all(int fd, const char *data, size_t size)
{
	ssize_t n;

	while (size) {
		n = write(fd, data, size);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0) {
			data += n;
			size -= n;
		}
	}

	return 0;
}

static int copy_contents(int from, int to)
{
	char *buffer = malloc(COPY_BYTES);
	int err = buffer ? 0 : ENOMEM;
	ssize_t n = 1;

	while (n && !err) {
		n = read(from, buffer, COPY_BYTES);
		if (n > 0)
			err = write_all(to, buffer, n);
		else if (n < 0 && errno != EINTR)
			err = errno;
	}
	free(buffer);

	return err;
}

/*
 * The group's bits of a file with an access list are the most that anybody in it gets.
 * Return: false if they are not for the group, as the list could not be copied.
 */
static bool copy_access_list(int from, int to)
{
	char list[ACCESS_LIST_BYTES];
	ssize_t size = fgetxattr(from, ACCESS_LIST, list, sizeof(list));

	if (size >= 0)
		return !fsetxattr(to, ACCESS_LIST, list, size, 0);

	return errno == ENODATA || errno == EOPNOTSUPP;
}

/*
 * Set-user-ID and the like are for the owner that the file had: who cannot give it to
 * him makes one of his own, without them.
 */
static int copy_metadata(int from, int to, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	mode_t mode = st->st_mode & 07777;

	if (fchown(to, st->st_uid, st->st_gid))
		mode &= 0777;
	if (!copy_access_list(from, to))
		mode &= ~0070;
	if (fchmod(to, mode) || futimens(to, times))
		return errno;

	return 0;
}

/* A name beside the new one, which nobody has */
static DWORD copy_name(const struct move *move, struct wr_path *copy)
{
	const char *name = move->to.name, *last = strrchr(name, '/');
	int n;

	n = snprintf(copy->name, sizeof(copy->name), "%.*s.moveXXXXXX",
		     last ? (int)(last + 1 - name) : 0, name);

	return n < (int)sizeof(copy->name) ? 0 : ERROR_FILENAME_EXCED_RANGE;
}

static int fill_copy(const struct move *move, int from, int to)
{
	struct stat st;
	int err = fstat(from, &st) ? errno : 0;

	if (!err)
		err = copy_contents(from, to);
	if (!err)
		err = copy_metadata(from, to, &st);
	if (!err && move->flags & MOVEFILE_WRITE_THROUGH && fsync(to))
		err = errno;

	return err;
}

/*
 * The new name has all of the file or nothing. The old one goes last, if it can: on
 * Windows, too, the file has been moved if that is all that could not be done.
 */
static DWORD copy_to(const struct move *move, int from)
{
	struct wr_path copy;
	DWORD error = copy_name(move, &copy);
	int to, err;

	if (error)
		return error;
	to = mkostemp(copy.name, O_CLOEXEC);
	if (to < 0)
		return wr_path_error(&copy, errno);

	err = fill_copy(move, from, to);
	wr_close(to);
	if (!err && give_name(move, copy.name))
		err = errno;
	if (err) {
		unlink(copy.name);
		return wr_file_error(err);
	}

	unlink(move->from.name);

	return ERROR_SUCCESS;
}

/* To another file system; only a regular file can be copied. */
static DWORD move_by_copy(const struct move *move)
{
	struct stat st;
	DWORD error;
	int from;

	if (!(move->flags & MOVEFILE_COPY_ALLOWED) ||
	    lstat(move->from.name, &st) || !S_ISREG(st.st_mode))
		return ERROR_NOT_SAME_DEVICE;
	from = open(move->from.name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return wr_path_error(&move->from, errno);
	error = copy_to(move, from);
	wr_close(from);

	return error;
}

/* MOVEFILE_WRITE_THROUGH: the new name is on the disk, too. */
static void flush_directory(const struct wr_path *path)
{
	struct wr_place place;
	int fd;

	wr_find_place(path, &place);
	fd = open(place.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		wr_close(fd);
	}
}

static DWORD move_shared(const struct move *move)
{
	DWORD error = ERROR_SUCCESS;

	if (give_name(move, move->from.name))
		error = errno == EXDEV ? move_by_copy(move) :
					 move_error(move, errno);
	if (!error && move->flags & MOVEFILE_WRITE_THROUGH)
		flush_directory(&move->to);

	return error;
}

/* Is what is to be replaced one that can be? 0 or the error */
static DWORD check_target(const struct move *move)
{
	struct stat from, to;

	if (lstat(move->from.name, &from) || lstat(move->to.name, &to))
		return ERROR_SUCCESS;
	if (!(move->flags & MOVEFILE_REPLACE_EXISTING))
		return ERROR_ALREADY_EXISTS;

	return S_ISDIR(to.st_mode) || S_ISDIR(from.st_mode) ||
			       wr_is_read_only(&to) ?
		       ERROR_ACCESS_DENIED :
		       ERROR_SUCCESS;
}

/* "." and "..": a directory, by none of its names */
static bool names_no_entry(const struct wr_path *path)
{
	struct wr_place place;

	wr_find_place(path, &place);

	return !strcmp(place.last, ".") || !strcmp(place.last, "..");
}

/*
 * One name, maybe by two texts. A file has as many names as it has links, a directory
 * has one.
 */
static bool is_same_name(const struct move *move)
{
	struct stat from, to;

	if (lstat(move->from.name, &from) || lstat(move->to.name, &to) ||
	    from.st_dev != to.st_dev || from.st_ino != to.st_ino)
		return false;

	return names_no_entry(&move->from) || names_no_entry(&move->to) ||
	       wr_is_same_place(&move->from, &move->to);
}

/* The users of the file have allowed it: now those of what is replaced. */
static DWORD move_from(const struct move *move)
{
	int target = wr_share_name(&move->to);
	DWORD error;

	if (target == -ETXTBSY)
		return ERROR_ACCESS_DENIED;
	if (target < 0 && target != -ENOENT)
		return wr_file_error(-target);

	error = move_shared(move);
	if (target >= 0)
		wr_share_end(target);

	return error;
}

static DWORD move_file(const struct move *move)
{
	const bool moves = !is_same_name(move);
	DWORD error = ERROR_SUCCESS;
	int source;

	WR_NO_CANCEL();

	if (wr_is_device(&move->from) || wr_is_device(&move->to))
		return ERROR_ACCESS_DENIED;
	if (moves)
		error = check_target(move);
	if (error)
		return error;

	source = wr_share_name(&move->from);
	if (source < 0 && source != -ENOENT)
		return wr_file_error(-source);
	if (moves)
		error = move_from(move);
	if (source >= 0)
		wr_share_end(source);

	return error;
}

static DWORD check_flags(DWORD flags, const void *to)
{
	if (flags & ~(KNOWN_FLAGS | OTHER_FLAGS))
		return ERROR_INVALID_PARAMETER;
	if (flags & OTHER_FLAGS)
		return ERROR_NOT_SUPPORTED;

	return to ? ERROR_SUCCESS : ERROR_INVALID_PARAMETER;
}

BOOL WINAPI MoveFileExA(LPCSTR from, LPCSTR to, DWORD flags)
{
	struct move move = { .flags = flags };
	DWORD error;

	WR_KEEP_ERRNO();

	error = check_flags(flags, to);
	if (!error)
		error = wr_path(&move.from, from);
	if (!error)
		error = wr_path(&move.to, to);
	if (!error)
		error = move_file(&move);

	return error ? wr_fail(error) : TRUE;
}

BOOL WINAPI MoveFileExW(LPCWSTR from, LPCWSTR to, DWORD flags)
{
	struct move move = { .flags = flags };
	DWORD error;

	WR_KEEP_ERRNO();

	error = check_flags(flags, to);
	if (!error)
		error = wr_path_w(&move.from, from);
	if (!error)
		error = wr_path_w(&move.to, to);
	if (!error)
		error = move_file(&move);

	return error ? wr_fail(error) : TRUE;
}

BOOL WINAPI MoveFileA(LPCSTR from, LPCSTR to)
{
	return MoveFileExA(from, to, MOVEFILE_COPY_ALLOWED);
}

BOOL WINAPI MoveFileW(LPCWSTR from, LPCWSTR to)
{
	return MoveFileExW(from, to, MOVEFILE_COPY_ALLOWED);
}
