/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the sources of the files share
 */
#ifndef _WINREGION_FILE_H
#define _WINREGION_FILE_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "internal.h"

/* What share modes are about */
#define WR_READS 0x1
#define WR_WRITES 0x2
#define WR_DELETES 0x4

/*
 * The highest offset that LockFile() tells from others, and where the bytes begin
 * by which users of the library tell each other their share modes
 */
#define WR_LAST_LOCK ((off_t)0x7FFFFFFEFFFFFFFF)
#define WR_SHARE_AREA (WR_LAST_LOCK + 1)

/* A name as Linux has it */
struct wr_path {
	char name[PATH_MAX];
};

struct wr_held;

struct wr_file {
	struct wr_object object;
	/* S_IFMT bits */
	mode_t type;
	/* O_ACCMODE of the descriptor, which may do more than the handles */
	int mode;
	/* Opened for transfers at offsets of their own only */
	bool overlapped;
	/* file.c: who has opened it, and what wr_forks() was before; 0: another process */
	pid_t opener;
	unsigned int forks;
	/* fileio.c: of a descriptor that is only a path, which has none */
	off_t position;
	/* No transfer goes on after a short one. */
	bool direct;
	/*
	 * file.c: the process that deletes it at the end, or 0; its first name, or NULL;
	 * another one of these
	 */
	pid_t deleter;
	char *name;
	struct wr_file *next;
	/* filelock.c: its own, -1 where it is that of @object; and the ranges */
	int lock_fd;
	bool lock_fd_known;
	struct wr_held *held;
};

/* NULL in a program that opens no file by this library */
extern const struct wr_kind wr_file_kind __attribute__((weak));

/* file.c: the file of @handle, which has one of the rights @any unless that is 0 */
NTSTATUS wr_file_get(HANDLE handle, DWORD any, struct wr_file **file,
		     DWORD *access);
void wr_file_put(struct wr_file *file);

/*
 * file.c: as CreateFile() to read a file that is there, but not to wait, as who opens a
 * pipe does for the other end
 */
HANDLE wr_file_open_now(const char *name, DWORD share);

/* path.c: 0, or the error */
DWORD wr_path(struct wr_path *path, LPCSTR name);
DWORD wr_path_w(struct wr_path *path, LPCWSTR name);

/* Where a name is: the directory, and the last component in it */
struct wr_place {
	struct wr_path path;
	const char *directory;
	const char *last;
};

/* path.c: as Linux finds it, and no link that is the last component is followed */
void wr_find_place(const struct wr_path *path, struct wr_place *place);
bool wr_is_same_place(const struct wr_path *one, const struct wr_path *two);

/* path.c: is it where NUL, CON or the like are? */
bool wr_is_device(const struct wr_path *path);

/* path.c: the error of a call that failed with @err for this name */
DWORD wr_path_error(const struct wr_path *path, int err);

/*
 * path.c: put text into a buffer of @size units. Return: its length, or what it
 * needs with the zero if there is no place, or 0 with the last error set.
 */
DWORD wr_give(const char *text, DWORD size, LPSTR buffer);
DWORD wr_give_w(const char *text, DWORD size, LPWSTR buffer);

/*
 * share.c: @fd is to be a user of its file that @uses and @denies others these
 * three. Return: 0, or -ETXTBSY if another user is against it. It ends with the
 * last descriptor that is a copy of @fd, or with wr_share_end().
 */
int wr_share(int fd, unsigned int uses, unsigned int denies);

/*
 * share.c: close a descriptor of which nobody is to have copies. A child of vfork(2) has,
 * until it executes a program: so what @fd is a user for, and has locked, is given up before.
 */
void wr_share_end(int fd);

/*
 * share.c: who has a copy of another process's descriptor says so to all that have it, by
 * what belongs to the open file; and whether anybody has said so
 */
void wr_share_copied(int fd);
bool wr_share_is_copied(int fd);

/* share.c: take back some of the uses */
void wr_unshare(int fd, unsigned int uses);

/*
 * share.c: be a user that wants to delete or rename @path and denies nothing.
 * Return: a descriptor that it lasts as long as, -ENOENT if the file cannot be
 * opened and so has no such users, -ETXTBSY, or what wr_lacks_something().
 */
int wr_share_name(const struct wr_path *path);

/*
 * filelock.c: a new file has no locks; forget those of one that is closed. @alone: nobody
 * else has the file.
 */
void wr_locks_init(struct wr_file *file);
void wr_locks_end(struct wr_file *file, bool alone);

/*
 * fileio.c: @overlapped, which may be NULL, has no result until wr_overlapped_fill(),
 * which has to follow. Its event, which is reset, is to be set at the end if the call has
 * succeeded; NULL for none. Return: 0, or the error.
 */
DWORD wr_overlapped_begin(LPOVERLAPPED overlapped, struct wr_object **event);
void wr_overlapped_fill(LPOVERLAPPED overlapped, DWORD error, size_t done);
void wr_overlapped_end(struct wr_object *event, bool succeeded);

/* section.c: do sections of the file, or views, need it to be longer than @size? */
bool wr_file_is_needed(int fd, off_t size);

/* fileinfo.c: is it one that Windows would not write to or delete? */
static inline bool wr_is_read_only(const struct stat *st)
{
	return S_ISREG(st->st_mode) && !(st->st_mode & 0222);
}

/* Has a file not been opened for reasons that have nothing to do with it? */
static inline bool wr_lacks_something(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOMEM;
}

static inline uint64_t wr_join(DWORD low, DWORD high)
{
	return (uint64_t)high << 32 | low;
}

static inline uint64_t wr_offset_of(const OVERLAPPED *overlapped)
{
	return wr_join(overlapped->Offset, overlapped->OffsetHigh);
}

#endif /* _WINREGION_FILE_H */
