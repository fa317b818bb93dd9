// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * LockFile(): locks of ranges
 *
 * A range is locked for an open file, by a lock of its open file description.
 * What the kernel does not know is kept in a list of the file: that ranges are
 * locked one by one, more than once if they are shared, and unlocked as they were
 * locked. The list is asked first, as the kernel would let one description lock
 * a range again.
 *
 * The kernel's locks follow the list. A range that waits for the kernel is in it
 * already; the lock of this file is not held meanwhile.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "file.h"

#define KNOWN_FLAGS (LOCKFILE_FAIL_IMMEDIATELY | LOCKFILE_EXCLUSIVE_LOCK)

/* A range that is locked, or about to be */
struct wr_held {
	struct wr_held *next;
	uint64_t offset;
	uint64_t length;
	bool exclusive;
	/* The kernel has not said yes yet, in a thread of this generation. */
	bool waits;
	unsigned int generation;
};

/* One for all files, and held across a fork(): it is for a few instructions. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Some range has been unlocked. */
static pthread_cond_t unlocked = PTHREAD_COND_INITIALIZER;

/* A child of a fork has none of the other threads: nobody there waits. */
static unsigned int generation;

void wr_locks_init(struct wr_file *file)
{
	file->lock_fd = -1;
	file->lock_fd_known = false;
	file->held = NULL;
}

void wr_locks_end(struct wr_file *file, bool alone)
{
	struct wr_held *held;

	while ((held = file->held)) {
		file->held = held->next;
		free(held);
	}
	if (file->lock_fd < 0 || !wr_object_has(&file->object, file->lock_fd))
		return;
	if (alone)
		wr_share_end(file->lock_fd);
	else
		wr_close(file->lock_fd);
}

/* ---- the list ---- */

/* A range without bytes keeps others from the byte where it is. */
static uint64_t last_byte(const struct wr_held *held)
{
	return held->offset + (held->length ? held->length - 1 : 0);
}

static bool overlap(const struct wr_held *a, const struct wr_held *b)
{
	return a->offset <= last_byte(b) && b->offset <= last_byte(a);
}

/* Who has an exclusive lock may share it with itself, but not the other way. */
static bool is_against(const struct wr_file *file, const struct wr_held *wanted)
{
	const struct wr_held *held;

	for (held = file->held; held; held = held->next)
		if (wanted->exclusive && overlap(held, wanted))
			return true;

	return false;
}

static void add(struct wr_file *file, struct wr_held *held)
{
	held->next = file->held;
	file->held = held;
}

static void take_out(struct wr_file *file, const struct wr_held *held)
{
	struct wr_held **at = &file->held;

	while (*at != held)
		at = &(*at)->next;
	*at = held->next;
}

/*
 * The exclusive one of two that are locked alike goes first. What another thread still
 * waits for is none, and is that thread's.
 */
static struct wr_held *find(const struct wr_file *file, uint64_t offset,
			    uint64_t length)
{
	struct wr_held *held, *found = NULL;

	for (held = file->held; held; held = held->next)
		if (held->offset == offset && held->length == length &&
		    !held->waits && (!found || held->exclusive))
			found = held;

	return found;
}

/*
 * What threads of the parent wait for. The kernel's locks stay: they are the parent's, too,
 * and what has been had of them so far is still waited with there.
 */
static void forget_others(struct wr_file *file)
{
	struct wr_held **at = &file->held, *held;

	while ((held = *at)) {
		if (!held->waits || held->generation == generation) {
			at = &held->next;
			continue;
		}
		*at = held->next;
		free(held);
	}
}

/* ---- the kernel's locks ---- */

/* Beyond the offsets that Linux has, all bytes are one. */
static off_t fold(uint64_t offset)
{
	return offset < (uint64_t)WR_LAST_LOCK ? (off_t)offset : WR_LAST_LOCK;
}

static off_t first_of(const struct wr_held *held)
{
	return fold(held->offset);
}

static off_t last_of(const struct wr_held *held)
{
	return fold(last_byte(held));
}

static int set_lock(int fd, int cmd, short type, off_t first, off_t last)
{
	struct flock request = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = first,
		.l_len = last - first + 1,
	};
	int ret;

	do {
		ret = fcntl(fd, cmd, &request);
	} while (ret && errno == EINTR);

	return ret ? errno : 0;
}

/*
 * An exclusive lock takes a descriptor for writing, a shared one takes one for
 * reading; Windows does not care. So a file that is open for one of them only is
 * opened again for its locks, if that is possible. Return: 0, or errno if that is
 * not known yet.
 */
static int choose_lock_fd(struct wr_file *file)
{
	char name[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int fd;

	if (file->lock_fd_known || file->mode == O_RDWR)
		return 0;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", file->object.fd);
	fd = open(name, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0)
		fd = wr_above_stderr(fd);
	if (fd < 0 && wr_lacks_something(errno))
		return errno;

	file->lock_fd = fd;
	file->lock_fd_known = true;

	return 0;
}

static int lock_fd(const struct wr_file *file)
{
	return file->lock_fd >= 0 ? file->lock_fd : file->object.fd;
}

/*
 * What the list says about the bytes from @first on, which end at *last or before;
 * @settled: only what the kernel has said yes to
 */
static short type_at(const struct wr_file *file, bool settled, off_t first,
		     off_t *last)
{
	const struct wr_held *held;
	short type = F_UNLCK;

	for (held = file->held; held; held = held->next) {
		if (last_of(held) < first || first_of(held) > *last ||
		    (settled && held->waits))
			continue;
		if (first_of(held) > first) {
			*last = first_of(held) - 1;
			continue;
		}
		if (last_of(held) < *last)
			*last = last_of(held);
		if (held->exclusive)
			type = F_WRLCK;
		else if (type == F_UNLCK)
			type = F_RDLCK;
	}

	return type;
}

/* Make the kernel's locks less, where @range was: as the list is without it. */
static void follow_list(struct wr_file *file, const struct wr_held *range)
{
	off_t first = first_of(range), last;
	short type;

	for (; first <= last_of(range); first = last + 1) {
		last = last_of(range);
		type = type_at(file, false, first, &last);
		set_lock(lock_fd(file), F_OFD_SETLK, type, first, last);
	}
}

/*
 * Lock a range that is in the list already, but for the parts that other ranges of
 * the list have locked: those are shared, or exclusive and shared with itself.
 */
static int lock_in_kernel(struct wr_file *file, const struct wr_held *range,
			  bool wait)
{
	const short type = range->exclusive ? F_WRLCK : F_RDLCK;
	off_t first = first_of(range), last;
	int err = 0, fd = lock_fd(file);

	for (; !err && first <= last_of(range); first = last + 1) {
		last = last_of(range);
		if (type_at(file, true, first, &last) != F_UNLCK)
			continue;
		if (wait)
			pthread_mutex_unlock(&lock);
		err = set_lock(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, type,
			       first, last);
		if (wait)
			pthread_mutex_lock(&lock);
	}

	return err;
}

/* ---- both ---- */

static DWORD lock_error(int err)
{
	switch (err) {
	case 0:
		return ERROR_SUCCESS;
	case EACCES:
	case EAGAIN:
		return ERROR_LOCK_VIOLATION;
	case EBADF:
		return ERROR_ACCESS_DENIED;
	default:
		return wr_file_error(err);
	}
}

static void unlock_held(struct wr_file *file, struct wr_held *held)
{
	take_out(file, held);
	follow_list(file, held);
	free(held);
	pthread_cond_broadcast(&unlocked);
}

/* Takes over @held. */
static DWORD lock_held(struct wr_file *file, struct wr_held *held, bool wait)
{
	int err = choose_lock_fd(file);

	if (err) {
		free(held);
		return wr_file_error(err);
	}

	forget_others(file);
	while (is_against(file, held)) {
		if (!wait) {
			free(held);
			return ERROR_LOCK_VIOLATION;
		}
		pthread_cond_wait(&unlocked, &lock);
	}

	held->waits = true;
	held->generation = generation;
	add(file, held);
	err = lock_in_kernel(file, held, wait);
	held->waits = false;
	if (err)
		unlock_held(file, held);

	return lock_error(err);
}

/* The last byte is 2^64 - 1. */
static bool is_range(uint64_t offset, uint64_t length)
{
	return !length || offset + (length - 1) >= offset;
}

static DWORD lock_range(HANDLE handle, DWORD flags, uint64_t offset,
			uint64_t length)
{
	struct wr_held *held;
	struct wr_file *file;
	NTSTATUS status;
	DWORD error;

	WR_NO_CANCEL();

	status = wr_file_get(handle, FILE_READ_DATA | FILE_WRITE_DATA, &file,
			     NULL);
	if (status != STATUS_SUCCESS)
		return RtlNtStatusToDosError(status);

	held = malloc(sizeof(*held));
	if (!held || !is_range(offset, length)) {
		error = held ? ERROR_INVALID_LOCK_RANGE :
			       ERROR_NOT_ENOUGH_MEMORY;
		free(held);
	} else {
		held->offset = offset;
		held->length = length;
		held->exclusive = flags & LOCKFILE_EXCLUSIVE_LOCK;
		pthread_mutex_lock(&lock);
		error = lock_held(file, held,
				  !(flags & LOCKFILE_FAIL_IMMEDIATELY));
		pthread_mutex_unlock(&lock);
	}
	wr_file_put(file);

	return error;
}

static DWORD unlock_range(HANDLE handle, uint64_t offset, uint64_t length)
{
	struct wr_held *held;
	struct wr_file *file;
	NTSTATUS status;

	status = wr_file_get(handle, FILE_READ_DATA | FILE_WRITE_DATA, &file,
			     NULL);
	if (status != STATUS_SUCCESS)
		return RtlNtStatusToDosError(status);

	pthread_mutex_lock(&lock);
	forget_others(file);
	held = find(file, offset, length);
	if (held)
		unlock_held(file, held);
	pthread_mutex_unlock(&lock);
	wr_file_put(file);

	return held ? ERROR_SUCCESS : ERROR_NOT_LOCKED;
}

BOOL WINAPI LockFile(HANDLE file, DWORD offset, DWORD offset_high, DWORD length,
		     DWORD length_high)
{
	DWORD error;

	WR_KEEP_ERRNO();

	error = lock_range(file, KNOWN_FLAGS, wr_join(offset, offset_high),
			   wr_join(length, length_high));

	return error ? wr_fail(error) : TRUE;
}

/* What both Ex functions refuse */
static DWORD check_overlapped(DWORD reserved, const OVERLAPPED *overlapped)
{
	return reserved || !overlapped ? ERROR_INVALID_PARAMETER :
					 ERROR_SUCCESS;
}

BOOL WINAPI LockFileEx(HANDLE file, DWORD flags, DWORD reserved, DWORD length,
		       DWORD length_high, LPOVERLAPPED overlapped)
{
	struct wr_object *event = NULL;
	DWORD error;

	WR_KEEP_ERRNO();

	error = check_overlapped(reserved, overlapped);
	if (!error && flags & ~KNOWN_FLAGS)
		error = ERROR_INVALID_PARAMETER;
	if (!error)
		error = wr_overlapped_begin(overlapped, &event);
	if (!error)
		error = lock_range(file, flags, wr_offset_of(overlapped),
				   wr_join(length, length_high));
	wr_overlapped_fill(overlapped, error, 0);
	wr_overlapped_end(event, !error);

	return error ? wr_fail(error) : TRUE;
}

BOOL WINAPI UnlockFile(HANDLE file, DWORD offset, DWORD offset_high,
		       DWORD length, DWORD length_high)
{
	DWORD error;

	WR_KEEP_ERRNO();

	error = unlock_range(file, wr_join(offset, offset_high),
			     wr_join(length, length_high));

	return error ? wr_fail(error) : TRUE;
}

BOOL WINAPI UnlockFileEx(HANDLE file, DWORD reserved, DWORD length,
			 DWORD length_high, LPOVERLAPPED overlapped)
{
	DWORD error;

	WR_KEEP_ERRNO();

	error = check_overlapped(reserved, overlapped);
	if (!error)
		error = unlock_range(file, wr_offset_of(overlapped),
				     wr_join(length, length_high));
	wr_overlapped_fill(overlapped, error, 0);

	return error ? wr_fail(error) : TRUE;
}

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

/* Who waited in other threads is not here. */
static void after_fork_in_child(void)
{
	static const pthread_cond_t nobody = PTHREAD_COND_INITIALIZER;

	unlocked = nobody;
	generation++;
	pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void init_locks(void)
{
	pthread_atfork(before_fork, after_fork, after_fork_in_child);
}
