// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading and writing, the position and the size of a file
 *
 * Every transfer is over when its call returns, on handles that were opened with
 * FILE_FLAG_OVERLAPPED, too: Windows lets a call do that.
 */
#define _GNU_SOURCE
#include <linux/major.h>
#include <pthread.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "file.h"
#include "futex.h"

#define NO_POSITION ((off_t)-1)

/* The offset of OVERLAPPED that stands for the end of the file */
#define OFFSET_OF_END UINT64_MAX

struct transfer {
	struct wr_file *file;
	bool writes;
	/* At the end of the file, wherever that is then */
	bool appends;
	/* Where, or NO_POSITION for where the descriptor is */
	off_t offset;
	char *buffer;
	size_t left;
	size_t done;
	/* Where the result is told, and what is set when it is over; or NULL */
	LPOVERLAPPED result;
	struct wr_object *event;
};

/* ---- events ---- */

static NTSTATUS may_set(const struct wr_object *object, DWORD access)
{
	if (!object->kind->set)
		return STATUS_OBJECT_TYPE_MISMATCH;

	return access & EVENT_MODIFY_STATE ? STATUS_SUCCESS :
					     STATUS_ACCESS_DENIED;
}

static DWORD reset_event(const OVERLAPPED *overlapped, struct wr_object **event)
{
	struct wr_object *object;
	NTSTATUS status;
	DWORD access;

	if (!overlapped->hEvent)
		return ERROR_SUCCESS;
	/* With the lowest bit a port is not to be told, and there are none. */
	status = wr_handle_get((HANDLE)((uintptr_t)overlapped->hEvent & ~1UL),
			       NULL, &object, &access);
	if (status != STATUS_SUCCESS)
		return RtlNtStatusToDosError(status);
	status = may_set(object, access);
	if (status != STATUS_SUCCESS) {
		wr_object_put(object);
		return RtlNtStatusToDosError(status);
	}
	object->kind->set(object, false);
	*event = object;

	return ERROR_SUCCESS;
}

/* ---- results ---- */

/* How many wait for one in GetOverlappedResult() */
static unsigned int waiters;

DWORD wr_overlapped_begin(LPOVERLAPPED overlapped, struct wr_object **event)
{
	*event = NULL;
	if (!overlapped)
		return ERROR_SUCCESS;
	__atomic_store_n(&overlapped->Internal, STATUS_PENDING,
			 __ATOMIC_RELAXED);

	return reset_event(overlapped, event);
}

/* The half of it that has the status */
static uint32_t *status_of(LPOVERLAPPED overlapped)
{
	return (uint32_t *)&overlapped->Internal;
}

/*
 * Who sees the status sees the rest. He is free to have something else there by the time
 * that he would be woken, who then wakes for no reason.
 */
void wr_overlapped_fill(LPOVERLAPPED overlapped, DWORD error, size_t done)
{
	if (!overlapped)
		return;
	overlapped->InternalHigh = done;
	__atomic_store_n(&overlapped->Internal, (DWORD)wr_status_of(error),
			 __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&waiters, __ATOMIC_SEQ_CST))
		wr_futex_wake(status_of(overlapped), INT_MAX);
}

static NTSTATUS read_status(const OVERLAPPED *overlapped)
{
	return __atomic_load_n(&overlapped->Internal, __ATOMIC_SEQ_CST);
}

static void wait_for_result(LPOVERLAPPED overlapped)
{
	static const struct wr_deadline forever = { .never = true };

	__atomic_add_fetch(&waiters, 1, __ATOMIC_SEQ_CST);
	while (read_status(overlapped) == STATUS_PENDING)
		wr_futex_wait(status_of(overlapped), STATUS_PENDING, &forever);
	__atomic_sub_fetch(&waiters, 1, __ATOMIC_SEQ_CST);
}

void wr_overlapped_end(struct wr_object *event, bool succeeded)
{
	if (!event)
		return;
	if (succeeded)
		event->kind->set(event, true);
	wr_object_put(event);
}

/* ---- transfers ---- */

static bool has_offsets(const struct wr_file *file)
{
	return S_ISREG(file->type) || S_ISBLK(file->type);
}

static ssize_t append_once(const struct transfer *transfer)
{
	struct iovec part = { transfer->buffer, transfer->left };

	return pwritev2(transfer->file->object.fd, &part, 1, NO_POSITION,
			RWF_APPEND);
}

static ssize_t transfer_once(const struct transfer *transfer)
{
	int fd = transfer->file->object.fd;

	if (transfer->appends)
		return append_once(transfer);
	if (transfer->offset == NO_POSITION)
		return transfer->writes ?
			       write(fd, transfer->buffer, transfer->left) :
			       read(fd, transfer->buffer, transfer->left);

	return transfer->writes ? pwrite(fd, transfer->buffer, transfer->left,
					 transfer->offset) :
				  pread(fd, transfer->buffer, transfer->left,
					transfer->offset);
}

static void advance(struct transfer *transfer, size_t n)
{
	transfer->buffer += n;
	transfer->left -= n;
	transfer->done += n;
	if (transfer->offset != NO_POSITION)
		transfer->offset += n;
}

/*
 * A pipe or a terminal gives what it has; all else is read until it ends. The
 * kernel may do less than it could at any time, and takes less than 2 GiB.
 */
static bool goes_on(const struct transfer *transfer)
{
	if (!transfer->left)
		return false;

	return transfer->writes ||
	       (has_offsets(transfer->file) && !transfer->file->direct);
}

/* Return: 0 or errno. What was done before an error is done. */
static int do_transfer(struct transfer *transfer)
{
	ssize_t n;

	do {
		n = transfer_once(transfer);
		if (n > 0)
			advance(transfer, n);
		else if (n < 0 && errno != EINTR)
			return errno;
	} while (n && (n < 0 || goes_on(transfer)));

	return 0;
}

static DWORD transfer_error(const struct wr_file *file, int err)
{
	/* A directory is no file to read, and a descriptor of none has no rights. */
	if (err == EISDIR)
		return ERROR_INVALID_FUNCTION;
	if (err == EBADF && !has_offsets(file))
		return ERROR_INVALID_FUNCTION;

	return wr_file_error(err);
}

/* A read that got nothing: the end of the file, or of what a pipe will have */
static DWORD end_error(const struct transfer *transfer, bool at_offset)
{
	if (S_ISFIFO(transfer->file->type))
		return ERROR_BROKEN_PIPE;

	return at_offset && has_offsets(transfer->file) ? ERROR_HANDLE_EOF :
							  ERROR_SUCCESS;
}

/* Where OVERLAPPED says; a device without offsets does not look at it. */
static DWORD set_offset(struct transfer *transfer, const OVERLAPPED *overlapped)
{
	uint64_t offset;

	transfer->offset = NO_POSITION;
	if (!overlapped)
		return transfer->file->overlapped ? ERROR_INVALID_PARAMETER :
						    ERROR_SUCCESS;
	if (!has_offsets(transfer->file))
		return ERROR_SUCCESS;

	offset = wr_offset_of(overlapped);
	if (offset == OFFSET_OF_END && transfer->writes)
		transfer->appends = true;
	else if (offset <= INT64_MAX)
		transfer->offset = offset;

	return transfer->appends || offset <= INT64_MAX ?
		       ERROR_SUCCESS :
		       ERROR_INVALID_PARAMETER;
}

/* Where a handle has a position, it is behind what was transferred. */
static void move_position(const struct transfer *transfer)
{
	if (transfer->offset != NO_POSITION && !transfer->file->overlapped)
		lseek(transfer->file->object.fd, transfer->offset, SEEK_SET);
}

static DWORD transfer(struct transfer *transfer, bool at_offset)
{
	size_t asked = transfer->left;
	int err;

	if (!asked)
		return ERROR_SUCCESS;
	err = do_transfer(transfer);
	if (transfer->done)
		move_position(transfer);
	if (err)
		return transfer_error(transfer->file, err);

	return transfer->done || transfer->writes ?
		       ERROR_SUCCESS :
		       end_error(transfer, at_offset);
}

/* The thread ends in it: what the call uses is not used any more. */
static void abandon(void *transfer)
{
	struct transfer *request = transfer;

	wr_overlapped_fill(request->result, ERROR_OPERATION_ABORTED,
			   request->done);
	wr_overlapped_end(request->event, false);
	wr_file_put(request->file);
}

/* It may wait for as long as a pipe is empty, so it can be cancelled. */
static DWORD transfer_or_end(struct transfer *request)
{
	DWORD error;

	pthread_cleanup_push(abandon, request);
	error = transfer(request, !!request->result);
	pthread_cleanup_pop(0);

	return error;
}

static BOOL finish(struct transfer *request, LPDWORD done,
		   LPOVERLAPPED overlapped)
{
	DWORD error = wr_overlapped_begin(overlapped, &request->event);

	request->result = overlapped;
	if (!error)
		error = set_offset(request, overlapped);
	if (!error)
		error = transfer_or_end(request);
	wr_overlapped_fill(overlapped, error, request->done);
	wr_overlapped_end(request->event, !error);
	wr_file_put(request->file);
	if (done)
		*done = request->done;

	return error ? wr_fail(error) : TRUE;
}

/*
 * One of the two tells how much was done. That they can be written to is not looked
 * at: Windows does not either, and it would take longer than many transfers.
 */
static BOOL begin(LPDWORD done, const OVERLAPPED *overlapped)
{
	if (!done && !overlapped)
		return wr_fail(ERROR_INVALID_PARAMETER);
	if (done)
		*done = 0;

	return TRUE;
}

BOOL WINAPI ReadFile(HANDLE file, LPVOID buffer, DWORD bytes, LPDWORD done,
		     LPOVERLAPPED overlapped)
{
	struct transfer request = { .buffer = buffer, .left = bytes };
	NTSTATUS status;

	WR_KEEP_ERRNO();

	if (!begin(done, overlapped))
		return FALSE;
	status = wr_file_get(file, FILE_READ_DATA, &request.file, NULL);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);

	return finish(&request, done, overlapped);
}

BOOL WINAPI WriteFile(HANDLE file, LPCVOID buffer, DWORD bytes, LPDWORD done,
		      LPOVERLAPPED overlapped)
{
	struct transfer request = {
		.writes = true,
		.buffer = (char *)buffer,
		.left = bytes,
	};
	NTSTATUS status;
	DWORD access;

	WR_KEEP_ERRNO();

	if (!begin(done, overlapped))
		return FALSE;
	status = wr_file_get(file, FILE_WRITE_DATA | FILE_APPEND_DATA,
			     &request.file, &access);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);

	/* Who may append only does so wherever the position is. */
	request.appends = !(access & FILE_WRITE_DATA) &&
			  has_offsets(request.file);

	return finish(&request, done, overlapped);
}

/* A transfer has ended when its call returns: it goes on in another thread, or not at all. */
BOOL WINAPI GetOverlappedResult(HANDLE file, LPOVERLAPPED overlapped,
				LPDWORD done, BOOL wait)
{
	struct wr_file *object;
	NTSTATUS status;
	DWORD error;

	WR_KEEP_ERRNO();

	status = wr_file_get(file, 0, &object, NULL);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	wr_file_put(object);

	if (wait)
		wait_for_result(overlapped);
	status = read_status(overlapped);
	if (status == STATUS_PENDING)
		return wr_fail(ERROR_IO_INCOMPLETE);
	*done = overlapped->InternalHigh;
	error = RtlNtStatusToDosError(status);

	return error ? wr_fail(error) : TRUE;
}

BOOL WINAPI FlushFileBuffers(HANDLE file)
{
	struct wr_file *object;
	NTSTATUS status;
	DWORD error;

	WR_KEEP_ERRNO();
	WR_NO_CANCEL();

	status = wr_file_get(file, FILE_WRITE_DATA | FILE_APPEND_DATA, &object,
			     NULL);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);

	error = fsync(object->object.fd) ? wr_file_error(errno) : 0;
	/* What has no buffers to flush */
	if (error == ERROR_INVALID_PARAMETER)
		error = ERROR_INVALID_FUNCTION;
	wr_file_put(object);

	return error ? wr_fail(error) : TRUE;
}

/* ---- the position ---- */

static const int whence_of[] = {
	[FILE_BEGIN] = SEEK_SET,
	[FILE_CURRENT] = SEEK_CUR,
	[FILE_END] = SEEK_END,
};

static off_t fail_with(int err)
{
	errno = err;

	return -1;
}

/* Of all files, held across a fork(): it is for a few instructions. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

WR_HOLD_ACROSS_FORK(lock, __attribute__((constructor)))

static bool is_terminal(dev_t device)
{
	const unsigned int number = major(device);

	return number == TTY_MAJOR || number == TTYAUX_MAJOR ||
	       (number >= UNIX98_PTY_MASTER_MAJOR &&
		number < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT);
}

static bool has_position(const struct stat *st)
{
	return !S_ISFIFO(st->st_mode) && !S_ISSOCK(st->st_mode) &&
	       !(S_ISCHR(st->st_mode) && is_terminal(st->st_rdev));
}

static off_t set_kept(struct wr_file *file, off_t start, int64_t distance)
{
	off_t target;

	if (__builtin_add_overflow(start, distance, &target))
		return fail_with(EOVERFLOW);
	if (target < 0)
		return fail_with(EINVAL);
	file->position = target;

	return target;
}

/* What lseek(2) would do, but that it does not know how large a file may be */
static off_t move_kept(struct wr_file *file, int64_t distance, DWORD method)
{
	off_t start = 0, target;
	struct stat st;

	if (fstat(file->object.fd, &st))
		return -1;
	if (!has_position(&st))
		return fail_with(ESPIPE);
	if (S_ISCHR(st.st_mode))
		return 0;
	if (method == FILE_END)
		start = st.st_size;

	pthread_mutex_lock(&lock);
	if (method == FILE_CURRENT)
		start = file->position;
	target = set_kept(file, start, distance);
	pthread_mutex_unlock(&lock);

	return target;
}

/* A descriptor that is only a path has no position: the object has one for it. */
static off_t move(struct wr_file *file, int64_t distance, DWORD method)
{
	off_t position = lseek(file->object.fd, distance, whence_of[method]);

	return position < 0 && errno == EBADF ?
		       move_kept(file, distance, method) :
		       position;
}

/* Does @distance lead to before the beginning? lseek(2) has one error for all. */
static bool is_negative(struct wr_file *file, int64_t distance, DWORD method)
{
	struct stat st;
	off_t start = 0, target;

	if (method == FILE_CURRENT)
		start = move(file, 0, FILE_CURRENT);
	else if (method == FILE_END)
		start = fstat(file->object.fd, &st) ? 0 : st.st_size;

	return !__builtin_add_overflow(start, distance, &target) && target < 0;
}

static DWORD seek_error(struct wr_file *file, int64_t distance, DWORD method)
{
	DWORD error = wr_file_error(errno);

	if (error == ERROR_INVALID_PARAMETER &&
	    is_negative(file, distance, method))
		return ERROR_NEGATIVE_SEEK;

	return error;
}

/*
 * @fits: the position has to be told in 32 bits, so it is not moved where it would
 * need more.
 */
static DWORD seek(HANDLE file, int64_t distance, DWORD method, bool fits,
		  off_t *position)
{
	struct wr_file *object;
	DWORD error = ERROR_SUCCESS;
	off_t before = 0;
	NTSTATUS status;

	status = wr_file_get(file, 0, &object, NULL);
	if (status != STATUS_SUCCESS)
		return RtlNtStatusToDosError(status);

	if (method > FILE_END)
		error = ERROR_INVALID_PARAMETER;
	if (!error && fits)
		before = move(object, 0, FILE_CURRENT);
	if (!error) {
		*position = move(object, distance, method);
		if (*position < 0)
			error = seek_error(object, distance, method);
	}
	if (!error && fits && *position > UINT32_MAX) {
		move(object, before, FILE_BEGIN);
		error = ERROR_INVALID_PARAMETER;
	}
	wr_file_put(object);

	return error;
}

DWORD WINAPI SetFilePointer(HANDLE file, LONG distance, PLONG high,
			    DWORD method)
{
	int64_t whole = distance;
	off_t position;
	DWORD error;

	WR_KEEP_ERRNO();

	if (high)
		whole = wr_join(distance, *high);
	error = seek(file, whole, method, !high, &position);
	if (error) {
		wr_fail(error);
		return INVALID_SET_FILE_POINTER;
	}

	if (high)
		*high = position >> 32;
	/* A position may look like the failure. */
	if ((DWORD)position == INVALID_SET_FILE_POINTER)
		SetLastError(NO_ERROR);

	return position;
}

BOOL WINAPI SetFilePointerEx(HANDLE file, LARGE_INTEGER distance,
			     PLARGE_INTEGER position, DWORD method)
{
	off_t now;
	DWORD error;

	WR_KEEP_ERRNO();

	error = seek(file, distance.QuadPart, method, false, &now);
	if (error)
		return wr_fail(error);
	if (position)
		position->QuadPart = now;

	return TRUE;
}

/* ---- the size ---- */

static DWORD get_size(HANDLE file, off_t *size)
{
	struct wr_file *object;
	DWORD error = ERROR_SUCCESS;
	NTSTATUS status;
	struct stat st;

	status = wr_file_get(file, 0, &object, NULL);
	if (status != STATUS_SUCCESS)
		return RtlNtStatusToDosError(status);

	if (fstat(object->object.fd, &st))
		error = wr_file_error(errno);
	else if (S_ISREG(st.st_mode))
		*size = st.st_size;
	else if (S_ISDIR(st.st_mode))
		*size = 0;
	else
		error = ERROR_INVALID_FUNCTION;
	wr_file_put(object);

	return error;
}

DWORD WINAPI GetFileSize(HANDLE file, LPDWORD high)
{
	DWORD error;
	off_t size;

	WR_KEEP_ERRNO();

	error = get_size(file, &size);
	if (error) {
		wr_fail(error);
		return INVALID_FILE_SIZE;
	}

	if (high)
		*high = size >> 32;
	if ((DWORD)size == INVALID_FILE_SIZE)
		SetLastError(NO_ERROR);

	return size;
}

BOOL WINAPI GetFileSizeEx(HANDLE file, PLARGE_INTEGER size)
{
	DWORD error;
	off_t now;

	WR_KEEP_ERRNO();

	error = get_size(file, &now);
	if (error)
		return wr_fail(error);
	size->QuadPart = now;

	return TRUE;
}

static DWORD set_end(const struct wr_file *file)
{
	off_t position;

	if (!S_ISREG(file->type))
		return ERROR_INVALID_FUNCTION;
	position = lseek(file->object.fd, 0, SEEK_CUR);
	/* Rule CM-32 */
	if (position >= 0 && wr_file_is_needed(file->object.fd, position))
		return ERROR_USER_MAPPED_FILE;
	if (position < 0 || ftruncate(file->object.fd, position))
		return wr_file_error(errno);

	return ERROR_SUCCESS;
}

BOOL WINAPI SetEndOfFile(HANDLE file)
{
	struct wr_file *object;
	NTSTATUS status;
	DWORD error;

	WR_KEEP_ERRNO();

	status = wr_file_get(file, FILE_WRITE_DATA, &object, NULL);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	error = set_end(object);
	wr_file_put(object);

	return error ? wr_fail(error) : TRUE;
}
