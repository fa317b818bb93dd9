// SPDX-License-Identifier: GPL-2.0
/*
 * Mutexes, events and processes: to wait for them
 *
 * A handle of these is the object's address and one: those of the library are even.
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

#undef CloseHandle

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

HANDLE win32_handle_of(struct win32_object *object)
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

static BOOL fail(DWORD error)
{
	SetLastError(error);

	return FALSE;
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

HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES security, BOOL owned,
			   LPCSTR name)
{
	HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, security,
					    PAGE_READWRITE, 0,
					    sizeof(struct win32_mutex), name);
	struct win32_object *object;
	bool is_new;

	if (!section)
		return NULL;
	is_new = GetLastError() != ERROR_ALREADY_EXISTS;
	object = mutex_in(section, is_new);
	if (object && owned && is_new)
		pthread_mutex_lock(&object->mutex->mutex);

	return win32_handle_of(object);
}

HANDLE WINAPI OpenMutexA(DWORD access, BOOL inherit, LPCSTR name)
{
	HANDLE section = OpenFileMappingA(FILE_MAP_WRITE, inherit, name);

	return section ? win32_handle_of(mutex_in(section, false)) : NULL;
}

BOOL WINAPI ReleaseMutex(HANDLE mutex)
{
	struct win32_object *object = object_of(mutex);

	if (!object || object->kind != WIN32_MUTEX)
		return fail(ERROR_INVALID_HANDLE);

	return pthread_mutex_unlock(&object->mutex->mutex) ?
		       fail(ERROR_NOT_OWNER) :
		       TRUE;
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

/* ---- events ---- */

struct win32_object *win32_new_event(bool manual, bool set, unsigned int users)
{
	struct win32_object *event = new_object(WIN32_EVENT);
	pthread_condattr_t how;

	if (!event)
		return NULL;
	pthread_condattr_init(&how);
	pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
	pthread_cond_init(&event->changed, &how);
	pthread_condattr_destroy(&how);
	pthread_mutex_init(&event->lock, NULL);
	event->manual = manual;
	event->set = set;
	event->users = users;

	return event;
}

/*
 * Who waits is woken by this and by nothing else: who waits from now on, such as the
 * caller, does not get in before.
 */
void win32_set_event(struct win32_object *event)
{
	pthread_mutex_lock(&event->lock);
	event->set = event->manual || !event->waiters;
	while (event->waiters) {
		event->waiters->woken = true;
		event->waiters = event->waiters->next;
		if (!event->manual)
			break;
	}
	pthread_cond_broadcast(&event->changed);
	pthread_mutex_unlock(&event->lock);
}

void win32_put_event(struct win32_object *event)
{
	unsigned int left;

	pthread_mutex_lock(&event->lock);
	left = --event->users;
	pthread_mutex_unlock(&event->lock);
	if (!left)
		free(event);
}

HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES security, BOOL manual,
			   BOOL set, LPCSTR name)
{
	if (name) {
		SetLastError(ERROR_NOT_SUPPORTED);
		return NULL;
	}

	return win32_handle_of(win32_new_event(manual, set, 1));
}

BOOL WINAPI SetEvent(HANDLE event)
{
	struct win32_object *object = object_of(event);

	if (!object || object->kind != WIN32_EVENT)
		return fail(ERROR_INVALID_HANDLE);
	win32_set_event(object);

	return TRUE;
}

/* Whether there is something to wait for: then in line, behind others */
static bool line_up(struct win32_object *event, struct win32_waiter *me)
{
	struct win32_waiter **at;

	if (event->set) {
		event->set = event->manual;
		return false;
	}

	me->next = NULL;
	me->woken = false;
	for (at = &event->waiters; *at; at = &(*at)->next)
		;
	*at = me;

	return true;
}

static DWORD wait_in_line(struct win32_object *event, struct win32_waiter *me,
			  DWORD milliseconds)
{
	struct timespec until = from_now(milliseconds);
	struct win32_waiter **at;
	int err = 0;

	while (!me->woken && !err)
		err = milliseconds == INFINITE ?
			      pthread_cond_wait(&event->changed, &event->lock) :
			      pthread_cond_timedwait(&event->changed,
						     &event->lock, &until);
	if (me->woken)
		return WAIT_OBJECT_0;

	for (at = &event->waiters; *at != me; at = &(*at)->next)
		;
	*at = me->next;

	return WAIT_TIMEOUT;
}

static DWORD wait_for_event(struct win32_object *event,
			    pthread_mutex_t *release, DWORD milliseconds)
{
	DWORD result = WAIT_OBJECT_0;
	struct win32_waiter me;
	bool waits;

	pthread_mutex_lock(&event->lock);
	waits = line_up(event, &me);
	if (release)
		pthread_mutex_unlock(release);
	if (waits)
		result = wait_in_line(event, &me, milliseconds);
	pthread_mutex_unlock(&event->lock);

	return result;
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

	return win32_handle_of(object);
}

static DWORD wait_for_process(int pidfd, DWORD milliseconds)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };

	/* All of INFINITE is none to poll(2). */
	return poll(&end, 1, milliseconds) > 0 ? WAIT_OBJECT_0 : WAIT_TIMEOUT;
}

/* ---- any of them ---- */

DWORD WINAPI WaitForSingleObject(HANDLE object, DWORD milliseconds)
{
	struct win32_object *what = object_of(object);

	if (!what) {
		SetLastError(ERROR_INVALID_HANDLE);
		return WAIT_FAILED;
	}

	switch (what->kind) {
	case WIN32_MUTEX:
		return wait_for_mutex(&what->mutex->mutex, milliseconds);
	case WIN32_PROCESS:
		return wait_for_process(what->pidfd, milliseconds);
	default:
		return wait_for_event(what, NULL, milliseconds);
	}
}

DWORD WINAPI WaitForSingleObjectEx(HANDLE object, DWORD milliseconds,
				   BOOL alertable)
{
	return WaitForSingleObject(object, milliseconds);
}

/*
 * Of a mutex and an event only. It waits before it has released the mutex: programs
 * make condition variables of this.
 */
DWORD WINAPI SignalObjectAndWait(HANDLE signal, HANDLE object,
				 DWORD milliseconds, BOOL alertable)
{
	struct win32_object *mutex = object_of(signal);
	struct win32_object *event = object_of(object);

	if (!mutex || mutex->kind != WIN32_MUTEX || !event ||
	    event->kind != WIN32_EVENT) {
		SetLastError(ERROR_INVALID_HANDLE);
		return WAIT_FAILED;
	}

	return wait_for_event(event, &mutex->mutex->mutex, milliseconds);
}

BOOL WINAPI win32_close(HANDLE object)
{
	struct win32_object *what = object_of(object);

	if (!what)
		return CloseHandle(object);

	switch (what->kind) {
	case WIN32_MUTEX:
		UnmapViewOfFile(what->mutex);
		CloseHandle(what->section);
		free(what);
		break;
	case WIN32_PROCESS:
		close(what->pidfd);
		free(what);
		break;
	default:
		win32_put_event(what);
	}

	return TRUE;
}
