// SPDX-License-Identifier: GPL-2.0
/*
 * Mutexes that have names, and processes: to wait for them
 *
 * A handle of these is the object's address and one: those of the library are even,
 * and what is called with one is the library's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "object.h"

/* Above are the pseudo handles. */
#define HIGHEST_OBJECT 0x7fffffffffffUL

#define NS_PER_MS 1000000
#define NS_PER_SECOND 1000000000

static struct win32_object *object_of(HANDLE handle)
{
	uintptr_t number = (uintptr_t)handle;

	if (!(number & 1) || number > HIGHEST_OBJECT)
		return NULL;

	return (struct win32_object *)(number - 1);
}

static HANDLE handle_of(struct win32_object *object)
{
	return object ? (HANDLE)((uintptr_t)object + 1) : NULL;
}

static struct win32_object *new_object(enum win32_kind kind)
{
	struct win32_object *object = calloc(1, sizeof(*object));

	if (object)
		object->kind = kind;
	else
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);

	return object;
}

static struct timespec from_now(DWORD milliseconds)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += milliseconds / 1000;
	at.tv_nsec += milliseconds % 1000 * NS_PER_MS;
	if (at.tv_nsec >= NS_PER_SECOND) {
		at.tv_nsec -= NS_PER_SECOND;
		at.tv_sec++;
	}

	return at;
}

/* ---- mutexes ---- */

static void init_mutex(struct win32_mutex *mutex)
{
	pthread_mutexattr_t how;

	pthread_mutexattr_init(&how);
	pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_settype(&how, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&mutex->mutex, &how);
	pthread_mutexattr_destroy(&how);
	__atomic_store_n(&mutex->ready, 1, __ATOMIC_RELEASE);
}

/* The mutex in a section, which it takes over. The last error stays if it can. */
static struct win32_object *mutex_in(HANDLE section, bool is_new)
{
	struct win32_object *object = new_object(WIN32_MUTEX);
	void *view = NULL;

	if (object)
		view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	if (!view) {
		free(object);
		CloseHandle(section);
		return NULL;
	}

	object->section = section;
	object->mutex = view;
	if (is_new)
		init_mutex(object->mutex);
	while (!__atomic_load_n(&object->mutex->ready, __ATOMIC_ACQUIRE))
		Sleep(1);

	return object;
}

HANDLE WINAPI win32_create_mutex(LPSECURITY_ATTRIBUTES security, BOOL owned,
				 LPCSTR name)
{
	struct win32_object *object;
	HANDLE section;
	bool is_new;

	if (!name)
		return CreateMutexA(security, owned, name);
	section = CreateFileMappingA(INVALID_HANDLE_VALUE, security,
				     PAGE_READWRITE, 0,
				     sizeof(struct win32_mutex), name);
	if (!section)
		return NULL;
	is_new = GetLastError() != ERROR_ALREADY_EXISTS;
	object = mutex_in(section, is_new);
	if (object && owned && is_new)
		pthread_mutex_lock(&object->mutex->mutex);

	return handle_of(object);
}

HANDLE WINAPI OpenMutexA(DWORD access, BOOL inherit, LPCSTR name)
{
	HANDLE section = OpenFileMappingA(FILE_MAP_WRITE, inherit, name);

	return section ? handle_of(mutex_in(section, false)) : NULL;
}

BOOL WINAPI win32_release_mutex(HANDLE mutex)
{
	struct win32_object *object = object_of(mutex);

	if (!object)
		return ReleaseMutex(mutex);
	if (object->kind == WIN32_MUTEX &&
	    !pthread_mutex_unlock(&object->mutex->mutex))
		return TRUE;
	SetLastError(object->kind == WIN32_MUTEX ? ERROR_NOT_OWNER :
						   ERROR_INVALID_HANDLE);

	return FALSE;
}

static DWORD wait_for_mutex(pthread_mutex_t *mutex, DWORD milliseconds)
{
	struct timespec until = from_now(milliseconds);
	int err;

	if (milliseconds == INFINITE)
		err = pthread_mutex_lock(mutex);
	else
		err = pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &until);

	switch (err) {
	case 0:
		return WAIT_OBJECT_0;
	case EOWNERDEAD:
		pthread_mutex_consistent(mutex);
		return WAIT_ABANDONED;
	case ETIMEDOUT:
		return WAIT_TIMEOUT;
	default:
		SetLastError(ERROR_GEN_FAILURE);
		return WAIT_FAILED;
	}
}

/* ---- processes ---- */

HANDLE WINAPI OpenProcess(DWORD access, BOOL inherit, DWORD pid)
{
	struct win32_object *object = new_object(WIN32_PROCESS);

	if (!object)
		return NULL;
	object->pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (object->pidfd < 0) {
		free(object);
		SetLastError(ERROR_INVALID_PARAMETER);
		return NULL;
	}

	return handle_of(object);
}

static DWORD wait_for_process(int pidfd, DWORD milliseconds)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };

	/* All of INFINITE is none to poll(2). */
	return poll(&end, 1, milliseconds) > 0 ? WAIT_OBJECT_0 : WAIT_TIMEOUT;
}

/* ---- any of them ---- */

DWORD WINAPI win32_wait(HANDLE object, DWORD milliseconds)
{
	struct win32_object *what = object_of(object);

	if (!what)
		return WaitForSingleObject(object, milliseconds);
	if (what->kind == WIN32_PROCESS)
		return wait_for_process(what->pidfd, milliseconds);

	return wait_for_mutex(&what->mutex->mutex, milliseconds);
}

DWORD WINAPI win32_wait_ex(HANDLE object, DWORD milliseconds, BOOL alertable)
{
	if (!object_of(object))
		return WaitForSingleObjectEx(object, milliseconds, alertable);

	return win32_wait(object, milliseconds);
}

BOOL WINAPI win32_close(HANDLE object)
{
	struct win32_object *what = object_of(object);

	if (!what)
		return CloseHandle(object);

	if (what->kind == WIN32_PROCESS) {
		close(what->pidfd);
	} else {
		UnmapViewOfFile(what->mutex);
		CloseHandle(what->section);
	}
	free(what);

	return TRUE;
}
