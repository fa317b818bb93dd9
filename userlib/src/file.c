// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * CreateFile(): open files and make them
 *
 * A handle has the rights that were asked for. Its descriptor may do more, where
 * that lets it take the locks that share modes are made of, or lets a file be cut
 * that is opened for reading.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "file.h"

#define READ_RIGHTS (FILE_READ_DATA | FILE_EXECUTE)
#define WRITE_RIGHTS (FILE_WRITE_DATA | FILE_APPEND_DATA)
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* Every open file has them (on Windows, too). */
#define RIGHTS_OF_ALL (SYNCHRONIZE | FILE_READ_ATTRIBUTES)

/* How often the file may be another one or gone before it is ours */
#define MAX_TRIES 16

/* What CreateFile() is asked for */
struct request {
	const struct wr_path *path;
	/* Specific rights only */
	DWORD access;
	DWORD share;
	DWORD disposition;
	/* FILE_FLAG_* and FILE_ATTRIBUTE_* */
	DWORD flags;
	BOOL inherit;
	/* Nobody is waited for, such as who opens the other end of a pipe. */
	bool now;
};

/* What becomes of it */
struct opened {
	int fd;
	/* What wr_forks() was before it was there */
	unsigned int forks;
	bool existed;
	struct stat st;
};

/* Of the files to be deleted, and the standard handles; held across a fork() */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

WR_HOLD_ACROSS_FORK(lock, __attribute__((constructor)))

/* Those that are deleted at the end */
static struct wr_file *to_delete;

static void destroy_file(struct wr_object *object);
static NTSTATUS take_file(struct wr_taking *taking,
			  const struct wr_object *other, DWORD access,
			  struct wr_object **object);

const struct wr_kind wr_file_kind = {
	.number = WR_KIND_FILE,
	.size = sizeof(struct wr_file),
	.take = take_file,
	.generic_read = FILE_GENERIC_READ,
	.generic_write = FILE_GENERIC_WRITE,
	.generic_execute = FILE_GENERIC_EXECUTE,
	.generic_all = FILE_ALL_ACCESS,
	.destroy = destroy_file,
};

static struct wr_file *to_file(struct wr_object *object)
{
	return (struct wr_file *)object;
}

NTSTATUS wr_file_get(HANDLE handle, DWORD any, struct wr_file **file,
		     DWORD *access)
{
	struct wr_object *object;
	NTSTATUS status;
	DWORD granted;

	status = wr_handle_get(handle, &wr_file_kind, &object, &granted);
	if (status != STATUS_SUCCESS)
		return status;
	if (any && !(granted & any)) {
		wr_object_put(object);
		return STATUS_ACCESS_DENIED;
	}

	*file = to_file(object);
	if (access)
		*access = granted;

	return STATUS_SUCCESS;
}

void wr_file_put(struct wr_file *file)
{
	wr_object_put(&file->object);
}

/* ---- the end ---- */

/* The name that the file has now: "/proc" follows it through renames. */
static bool find_name(const struct wr_file *file, struct wr_path *path)
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", file->object.fd);
	length = readlink(link, path->name, sizeof(path->name) - 1);
	if (length < 0)
		return false;
	path->name[length] = '\0';

	return true;
}

static bool is_named(const struct wr_file *file, const char *name)
{
	const struct wr_identity *identity = &file->object.identity;
	struct stat mine, named;

	return !fstat(file->object.fd, &mine) && !lstat(name, &named) &&
	       mine.st_dev == identity->device &&
	       mine.st_ino == identity->inode && mine.st_dev == named.st_dev &&
	       mine.st_ino == named.st_ino;
}

/* A device is no file on Windows, so nobody means to delete it, say by a link. */
static bool is_device(mode_t mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode);
}

/*
 * Without "/proc" it is the name that the file had at first. Another file may have
 * got either since, or the number of the descriptor.
 */
static void delete_file(const struct wr_file *file)
{
	const char *name = file->name;
	struct wr_path path;

	if (find_name(file, &path))
		name = path.name;
	if (is_device(file->type) || !name || !is_named(file, name))
		return;

	if (S_ISDIR(file->type))
		rmdir(name);
	else
		unlink(name);
}

/* A child of fork(2) has the handle, but did not open the file. */
static void delete_ours(const struct wr_file *file)
{
	if (file->deleter == getpid())
		delete_file(file);
}

static void delete_at_end(struct wr_file *file, const char *name)
{
	/* Without memory for the name it is deleted where "/proc" has it. */
	file->name = realpath(name, NULL);
	file->deleter = getpid();
	pthread_mutex_lock(&lock);
	file->next = to_delete;
	to_delete = file;
	pthread_mutex_unlock(&lock);
}

static void take_out(const struct wr_file *file)
{
	struct wr_file **at = &to_delete;

	pthread_mutex_lock(&lock);
	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	pthread_mutex_unlock(&lock);
}

static bool has_users(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode);
}

/* Handles of standard input and output are of whatever the program has there. */
static bool is_standard(const struct wr_file *file)
{
	return file->object.fd <= STDERR_FILENO;
}

/*
 * Whether nobody has a copy of the descriptor but children of vfork(2), who do not mean
 * to. Of those of other forks, of programs that have inherited one and of processes that
 * have taken one it is not known, or they have the file as well.
 */
static bool is_alone(const struct wr_file *file)
{
	const struct wr_object *object = &file->object;

	return has_users(file->type) && !is_standard(file) &&
	       !object->inherited && file->opener == getpid() &&
	       file->forks == wr_forks() && wr_object_has(object, object->fd) &&
	       !wr_share_is_copied(object->fd);
}

static void close_file(const struct wr_file *file, bool alone)
{
	if (alone)
		wr_share_end(file->object.fd);
	else if (is_standard(file))
		wr_close(file->object.fd);
	else
		wr_object_close(&file->object);
}

static void destroy_file(struct wr_object *object)
{
	struct wr_file *file = to_file(object);
	bool alone = is_alone(file);

	if (file->deleter) {
		take_out(file);
		delete_ours(file);
	}
	wr_locks_end(file, alone);
	close_file(file, alone);
	free(file->name);
	free(file);
}

/* A file that a thread uses goes on being open, as the program ends in another one. */
WR_LAST static void delete_all(void)
{
	const struct wr_file *file;

	pthread_mutex_lock(&lock);
	for (file = to_delete; file; file = file->next)
		delete_ours(file);
	pthread_mutex_unlock(&lock);
}

/* ---- opening ---- */

static bool cuts(const struct request *request)
{
	return request->disposition == CREATE_ALWAYS ||
	       request->disposition == TRUNCATE_EXISTING;
}

static bool wants_directory(const struct request *request)
{
	return request->flags & FILE_FLAG_BACKUP_SEMANTICS;
}

static int extra_flags(const struct request *request)
{
	int flags = O_CLOEXEC | O_NOCTTY;

	if (request->flags & FILE_FLAG_WRITE_THROUGH)
		flags |= O_DSYNC;
	if (request->now)
		flags |= O_NONBLOCK;

	return flags;
}

static int open_for_writing(const struct request *request)
{
	const char *name = request->path->name;
	int flags = extra_flags(request);
	int fd = open(name, O_RDWR | flags);

	/* A pipe of which this is to be one end; and what may not be read */
	if (fd < 0 && errno == EACCES && !(request->access & READ_RIGHTS))
		fd = open(name, O_WRONLY | flags);
	if (fd < 0 && errno == EISDIR && wants_directory(request))
		fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd;
}

/* Without rights to its contents the file need not be one that we may read. */
static int open_for_little(const struct request *request)
{
	const char *name = request->path->name;
	struct stat st;
	int fd = -1;

	if (request->access & DELETE && !stat(name, &st) &&
	    (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? open(name, O_PATH | O_CLOEXEC) : fd;
}

static bool is_pipe(const struct request *request)
{
	struct stat st;

	return !stat(request->path->name, &st) && S_ISFIFO(st.st_mode);
}

static int open_existing(const struct request *request)
{
	const char *name = request->path->name;
	int flags = extra_flags(request);

	if (request->access & WRITE_RIGHTS &&
	    !(request->access & READ_RIGHTS) && is_pipe(request))
		return open(name, O_WRONLY | flags);
	if (request->access & WRITE_RIGHTS || cuts(request))
		return open_for_writing(request);
	if (request->access & READ_RIGHTS)
		return open(name, O_RDONLY | flags);

	return open_for_little(request);
}

static int make_new(const struct request *request, int exclusive)
{
	mode_t mode = request->flags & FILE_ATTRIBUTE_READONLY ? 0444 : 0666;

	return open(request->path->name,
		    O_RDWR | O_CREAT | exclusive | extra_flags(request), mode);
}

/* The file's descriptor, or -errno */
static int open_or_make(const struct request *request, bool *existed)
{
	DWORD disposition = request->disposition;
	int fd, tries;

	for (tries = 0;; tries++) {
		*existed = true;
		if (disposition != CREATE_NEW) {
			fd = open_existing(request);
			if (fd >= 0)
				return fd;
			if (errno != ENOENT || disposition == OPEN_EXISTING ||
			    disposition == TRUNCATE_EXISTING)
				return -errno;
		}
		*existed = false;
		/* A link to nothing is there, but cannot be opened either. */
		fd = make_new(request, tries < MAX_TRIES ? O_EXCL : 0);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST || disposition == CREATE_NEW)
			return -errno;
	}
}

/* By the file system, or by the mount that it was found in */
static bool is_write_protected(int fd)
{
	struct statvfs st;

	return !fstatvfs(fd, &st) && st.f_flag & ST_RDONLY;
}

/* A device is not deleted, wherever it is. */
static int check_deleting(const struct opened *opened)
{
	if (wr_is_read_only(&opened->st))
		return -EACCES;

	return !is_device(opened->st.st_mode) &&
			       is_write_protected(opened->fd) ?
		       -EROFS :
		       0;
}

/* Is the file what was asked for? 0 or -errno */
static int check_kind(const struct request *request,
		      const struct opened *opened)
{
	const struct stat *st = &opened->st;
	bool writes = request->access & WRITE_RIGHTS || cuts(request);

	if (S_ISDIR(st->st_mode) &&
	    (!wants_directory(request) || cuts(request)))
		return -EACCES;
	if (wr_is_read_only(st) && opened->existed && writes)
		return -EACCES;

	return request->flags & FILE_FLAG_DELETE_ON_CLOSE ?
		       check_deleting(opened) :
		       0;
}

/* FILE_SHARE_* are the uses, in the same order. */
static unsigned int uses_of(const struct request *request)
{
	unsigned int uses = 0;

	if (request->access & READ_RIGHTS)
		uses |= WR_READS;
	if (request->access & WRITE_RIGHTS)
		uses |= WR_WRITES;
	if (request->access & DELETE)
		uses |= WR_DELETES;

	return uses;
}

/* Who has no use for the contents denies nothing. Cutting is writing. */
static int share(const struct request *request, struct opened *opened)
{
	unsigned int uses = uses_of(request);
	unsigned int denies = uses ? ~request->share & SHARE_ALL : 0;
	int err;

	if (!has_users(opened->st.st_mode))
		return 0;
	if (opened->existed && cuts(request))
		uses |= WR_WRITES;

	err = uses ? wr_share(opened->fd, uses, denies) : 0;

	/* It was made, and others were quicker: they might have made it. */
	if (err && request->disposition == CREATE_NEW)
		err = -EEXIST;

	return err;
}

static int make_read_only(int fd, const struct stat *st)
{
	return fchmod(fd, st->st_mode & 07555) ? -errno : 0;
}

static int cut(const struct request *request, struct opened *opened)
{
	if (!opened->existed || !cuts(request) || !S_ISREG(opened->st.st_mode))
		return 0;
	if (wr_file_is_needed(opened->fd, 0))
		return -WR_EMAPPED;
	if (ftruncate(opened->fd, 0))
		return -errno;

	return request->flags & FILE_ATTRIBUTE_READONLY &&
			       request->disposition == CREATE_ALWAYS ?
		       make_read_only(opened->fd, &opened->st) :
		       0;
}

/* The right to cut was for this only. */
static void share_as_asked(const struct request *request,
			   const struct opened *opened)
{
	if (opened->existed && cuts(request))
		wr_unshare(opened->fd, WR_WRITES & ~uses_of(request));
}

/* -ESTALE: it was deleted before it was ours, and has to be looked for again. */
static int take(const struct request *request, struct opened *opened)
{
	struct stat now;
	int err;

	WR_NO_CANCEL();

	if (fstat(opened->fd, &opened->st))
		return -errno;
	err = check_kind(request, opened);
	if (!err)
		err = share(request, opened);
	if (err)
		return err;
	if (!fstat(opened->fd, &now) && !now.st_nlink && opened->st.st_nlink)
		return -ESTALE;

	err = cut(request, opened);
	share_as_asked(request, opened);

	return err;
}

/* Return: 0 or -errno */
static int open_file(const struct request *request, struct opened *opened)
{
	int fd, err, tries;

	opened->forks = wr_forks();
	for (tries = 0; tries < MAX_TRIES; tries++) {
		fd = open_or_make(request, &opened->existed);
		if (fd < 0)
			return fd;
		opened->fd = wr_above_stderr(fd);
		if (opened->fd < 0)
			return -errno;
		err = take(request, opened);
		if (!err)
			return 0;
		wr_share_end(opened->fd);
		if (err != -ESTALE)
			return err;
	}

	return -ENOENT;
}

/* ---- the handle ---- */

/* Some file systems have no O_DIRECT, which open(2) says after making the file. */
static void advise(const struct request *request, int fd)
{
	if (request->flags & FILE_FLAG_NO_BUFFERING)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_DIRECT);
	if (request->flags & FILE_FLAG_RANDOM_ACCESS)
		posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	else if (request->flags & FILE_FLAG_SEQUENTIAL_SCAN)
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

static struct wr_file *new_file(bool overlapped, const struct opened *opened)
{
	struct wr_file *file = calloc(1, sizeof(*file));
	int flags = fcntl(opened->fd, F_GETFL);

	if (!file)
		return NULL;

	wr_object_init(&file->object, &wr_file_kind, opened->fd);
	file->opener = getpid();
	file->forks = opened->forks;
	file->type = opened->st.st_mode & S_IFMT;
	file->mode = flags & O_ACCMODE;
	file->direct = flags & O_DIRECT;
	file->overlapped = overlapped;
	wr_locks_init(file);

	return file;
}

/* It is one open file, which is deleted by the process that has it so. */
static NTSTATUS take_file(struct wr_taking *taking,
			  const struct wr_object *other, DWORD access,
			  struct wr_object **object)
{
	const struct wr_file *file = (const struct wr_file *)other;
	struct opened opened = { .fd = wr_take_descriptor(taking, other->fd) };
	struct wr_file *taken = NULL;

	(void)access;
	if (opened.fd < 0)
		return wr_take_status(opened.fd);
	if (!fstat(opened.fd, &opened.st)) {
		/* He who has it, too, may close it as soon as this has been said. */
		if (has_users(opened.st.st_mode))
			wr_share_copied(opened.fd);
		taken = new_file(file->overlapped, &opened);
	}
	if (!taken) {
		wr_close(opened.fd);
		return STATUS_NO_MEMORY;
	}
	taken->opener = 0;
	*object = &taken->object;

	return STATUS_SUCCESS;
}

/* The file is as it was opened: what was made stays. */
static DWORD make_handle(const struct request *request,
			 const struct opened *opened, HANDLE *handle)
{
	struct wr_file *file;
	NTSTATUS status;

	advise(request, opened->fd);
	file = new_file(request->flags & FILE_FLAG_OVERLAPPED, opened);
	if (!file) {
		wr_share_end(opened->fd);
		return ERROR_NOT_ENOUGH_MEMORY;
	}

	status = wr_handle_new(&file->object, request->access, request->inherit,
			       handle);
	if (status == STATUS_SUCCESS &&
	    request->flags & FILE_FLAG_DELETE_ON_CLOSE)
		delete_at_end(file, request->path->name);
	wr_file_put(file);

	return RtlNtStatusToDosError(status);
}

/* ---- standard input and output ---- */

static DWORD rights_of(int mode)
{
	return (mode == O_WRONLY ? 0 : FILE_GENERIC_READ) |
	       (mode == O_RDONLY ? 0 : FILE_GENERIC_WRITE);
}

/* To close the handle is to close the descriptor. */
static HANDLE handle_of_descriptor(int fd)
{
	struct opened opened = { .fd = fd };
	HANDLE handle = NULL;
	struct wr_file *file;
	NTSTATUS status;

	if (fstat(fd, &opened.st))
		return NULL;
	file = new_file(false, &opened);
	if (!file) {
		wr_fail(ERROR_NOT_ENOUGH_MEMORY);
		return INVALID_HANDLE_VALUE;
	}
	status = wr_handle_new(&file->object, rights_of(file->mode), TRUE,
			       &handle);
	if (status == STATUS_SUCCESS) {
		wr_file_put(file);
		return handle;
	}
	/* The descriptor is the program's. */
	free(file);
	wr_succeeded(status);

	return INVALID_HANDLE_VALUE;
}

HANDLE WINAPI GetStdHandle(DWORD which)
{
	static HANDLE handles[3];
	DWORD fd = STD_INPUT_HANDLE - which;
	HANDLE handle;

	WR_KEEP_ERRNO();

	if (fd >= ARRAY_SIZE(handles)) {
		wr_fail(ERROR_INVALID_HANDLE);
		return INVALID_HANDLE_VALUE;
	}

	pthread_mutex_lock(&lock);
	handle = handles[fd];
	if (!handle)
		handle = handle_of_descriptor(fd);
	if (handle != INVALID_HANDLE_VALUE)
		handles[fd] = handle;
	pthread_mutex_unlock(&lock);

	return handle;
}

/* ---- opening by name ---- */

static DWORD open_error(const struct request *request, int err)
{
	if (err == EEXIST && request->disposition == CREATE_NEW)
		return ERROR_FILE_EXISTS;

	return wr_path_error(request->path, err);
}

static bool tells_existed(const struct request *request)
{
	return request->disposition == CREATE_ALWAYS ||
	       request->disposition == OPEN_ALWAYS;
}

static DWORD open_request(const struct request *request, HANDLE *handle)
{
	struct opened opened;
	DWORD error;
	int err;

	err = open_file(request, &opened);
	if (err)
		return open_error(request, -err);
	error = make_handle(request, &opened, handle);
	if (error)
		return error;

	/* A success sets the last error, too. */
	SetLastError(opened.existed && tells_existed(request) ?
			     ERROR_ALREADY_EXISTS :
			     ERROR_SUCCESS);

	return ERROR_SUCCESS;
}

/* MAXIMUM_ALLOWED: whatever the file lets us do, and at least what is asked for */
static DWORD open_with_most(struct request *request, HANDLE *handle)
{
	const DWORD asked = request->access & ~MAXIMUM_ALLOWED;
	const DWORD sets[] = {
		FILE_ALL_ACCESS,
		FILE_GENERIC_READ | FILE_GENERIC_EXECUTE,
		FILE_GENERIC_WRITE,
		0,
	};
	DWORD error = ERROR_ACCESS_DENIED;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sets) && (error == ERROR_ACCESS_DENIED ||
					     error == ERROR_WRITE_PROTECT);
	     i++) {
		request->access = asked | sets[i];
		error = open_request(request, handle);
	}

	return error;
}

/* What a file that is made has of the template's: being read-only */
static DWORD copy_template(struct request *request, HANDLE template_file)
{
	struct wr_file *file;
	NTSTATUS status;
	struct stat st;

	if (!template_file || request->disposition == OPEN_EXISTING ||
	    request->disposition == TRUNCATE_EXISTING)
		return ERROR_SUCCESS;

	status = wr_file_get(template_file, FILE_READ_DATA, &file, NULL);
	if (status != STATUS_SUCCESS)
		return RtlNtStatusToDosError(status);
	if (!fstat(file->object.fd, &st)) {
		request->flags &= ~FILE_ATTRIBUTE_READONLY;
		if (wr_is_read_only(&st))
			request->flags |= FILE_ATTRIBUTE_READONLY;
	}
	wr_file_put(file);

	return ERROR_SUCCESS;
}

static DWORD check_request(const struct request *request)
{
	if (request->disposition < CREATE_NEW ||
	    request->disposition > TRUNCATE_EXISTING ||
	    request->share & ~SHARE_ALL)
		return ERROR_INVALID_PARAMETER;
	if (request->disposition == TRUNCATE_EXISTING &&
	    !(request->access & FILE_WRITE_DATA))
		return ERROR_INVALID_PARAMETER;

	/* What would be made could not be deleted. */
	if (request->flags & FILE_ATTRIBUTE_READONLY &&
	    request->flags & FILE_FLAG_DELETE_ON_CLOSE &&
	    request->disposition != OPEN_EXISTING)
		return ERROR_ACCESS_DENIED;

	return ERROR_SUCCESS;
}

/*
 * What is none of the file system is always there and is opened, whatever the
 * disposition is, as far as it is one; and it stays when it is closed.
 */
static DWORD check_device_request(struct request *request)
{
	DWORD error;

	request->flags &= ~FILE_FLAG_DELETE_ON_CLOSE;
	error = check_request(request);
	request->disposition = OPEN_EXISTING;

	return error;
}

HANDLE wr_file_open_now(const char *name, DWORD share)
{
	struct wr_path path;
	struct request request = {
		.path = &path,
		.access = FILE_GENERIC_READ,
		.share = share,
		.disposition = OPEN_EXISTING,
		.now = true,
	};
	DWORD error = wr_path(&path, name);
	HANDLE handle;

	if (!error)
		error = open_request(&request, &handle);
	if (error) {
		wr_fail(error);
		return INVALID_HANDLE_VALUE;
	}

	return handle;
}

/* The path has been made, with @error for result. */
static HANDLE create_file(DWORD error, const struct wr_path *path, DWORD access,
			  DWORD share, const SECURITY_ATTRIBUTES *security,
			  DWORD disposition, DWORD flags, HANDLE template_file)
{
	struct request request = {
		.path = path,
		.access = wr_specific_rights(&wr_file_kind, access) |
			  RIGHTS_OF_ALL,
		.share = share,
		.disposition = disposition,
		.flags = flags,
		.inherit = security && security->bInheritHandle,
	};
	HANDLE handle;

	if (flags & FILE_FLAG_DELETE_ON_CLOSE)
		request.access |= DELETE;
	if (!error)
		error = wr_is_device(path) ? check_device_request(&request) :
					     check_request(&request);
	if (!error)
		error = copy_template(&request, template_file);
	if (!error)
		error = request.access & MAXIMUM_ALLOWED ?
				open_with_most(&request, &handle) :
				open_request(&request, &handle);
	if (error) {
		wr_fail(error);
		return INVALID_HANDLE_VALUE;
	}

	return handle;
}

HANDLE WINAPI CreateFileA(LPCSTR name, DWORD access, DWORD share,
			  LPSECURITY_ATTRIBUTES security, DWORD disposition,
			  DWORD flags, HANDLE template_file)
{
	struct wr_path path;

	WR_KEEP_ERRNO();

	return create_file(wr_path(&path, name), &path, access, share, security,
			   disposition, flags, template_file);
}

HANDLE WINAPI CreateFileW(LPCWSTR name, DWORD access, DWORD share,
			  LPSECURITY_ATTRIBUTES security, DWORD disposition,
			  DWORD flags, HANDLE template_file)
{
	struct wr_path path;

	WR_KEEP_ERRNO();

	return create_file(wr_path_w(&path, name), &path, access, share,
			   security, disposition, flags, template_file);
}

HANDLE WINAPI CreateFile2(LPCWSTR name, DWORD access, DWORD share,
			  DWORD disposition,
			  LPCREATEFILE2_EXTENDED_PARAMETERS parameters)
{
	if (!parameters)
		return CreateFileW(name, access, share, NULL, disposition, 0,
				   NULL);
	if (parameters->dwSize < sizeof(*parameters)) {
		wr_fail(ERROR_INVALID_PARAMETER);
		return INVALID_HANDLE_VALUE;
	}

	return CreateFileW(name, access, share,
			   parameters->lpSecurityAttributes, disposition,
			   parameters->dwFileAttributes |
				   parameters->dwFileFlags,
			   parameters->hTemplateFile);
}
