// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events, mutexes and semaphores: what is only there to be waited for
 *
 * They belong to the process that makes them: a child of a fork has copies of its
 * own. So none has a name.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "threads.h"

struct event {
	struct wr_waitable waitable;
	/* It stays set until it is reset. */
	bool manual;
	/* The lock of wait.c */
	bool set;
};

struct wr_mutex {
	struct wr_waitable waitable;
	/* All of these: the lock of wait.c */
	struct wr_thread *owner;
	DWORD depth;
	/* Its last owner has ended without a release. */
	bool abandoned;
	/* Of the owner's mutexes */
	struct wr_mutex *next;
	struct wr_mutex **self;
};

struct semaphore {
	struct wr_waitable waitable;
	/* The lock of wait.c */
	LONG count;
	LONG most;
};

static void destroy(struct wr_object *object)
{
	free(object);
}

/* ---- what they are for those who wait; the lock is held ---- */

static bool event_is_set(struct wr_waitable *object, struct wr_thread *thread)
{
	(void)thread;

	return ((struct event *)object)->set;
}

static bool take_event(struct wr_waitable *object, struct wr_thread *thread)
{
	struct event *event = (struct event *)object;

	(void)thread;
	event->set = event->manual;

	return false;
}

static bool mutex_is_free(struct wr_waitable *object, struct wr_thread *thread)
{
	struct wr_mutex *mutex = (struct wr_mutex *)object;

	return !mutex->owner || mutex->owner == thread;
}

static void own(struct wr_mutex *mutex, struct wr_thread *thread)
{
	mutex->owner = thread;
	mutex->next = thread->mutexes;
	mutex->self = &thread->mutexes;
	if (mutex->next)
		mutex->next->self = &mutex->next;
	thread->mutexes = mutex;
}

static void disown(struct wr_mutex *mutex)
{
	*mutex->self = mutex->next;
	if (mutex->next)
		mutex->next->self = mutex->self;
	mutex->owner = NULL;
	mutex->depth = 0;
}

static bool take_mutex(struct wr_waitable *object, struct wr_thread *thread)
{
	struct wr_mutex *mutex = (struct wr_mutex *)object;
	bool abandoned = mutex->abandoned;

	if (!mutex->depth++)
		own(mutex, thread);
	mutex->abandoned = false;

	return abandoned;
}

/* Its last handle is closed, and its owner, if any, has it no more. */
static void destroy_mutex(struct wr_object *object)
{
	struct wr_mutex *mutex = (struct wr_mutex *)object;

	wr_waits_lock();
	if (mutex->owner)
		disown(mutex);
	wr_waits_unlock();
	free(mutex);
}

static bool semaphore_has_one(struct wr_waitable *object,
			      struct wr_thread *thread)
{
	(void)thread;

	return ((struct semaphore *)object)->count > 0;
}

static bool take_one(struct wr_waitable *object, struct wr_thread *thread)
{
	(void)thread;
	((struct semaphore *)object)->count--;

	return false;
}

static const struct wr_waits event_waits = { event_is_set, take_event, NULL };
static const struct wr_waits mutex_waits = { mutex_is_free, take_mutex, NULL };
static const struct wr_waits semaphore_waits = { semaphore_has_one, take_one,
						 NULL };

/* The three have rights of the same numbers, but for what changes a mutex. */
#define ALL_ACCESS EVENT_ALL_ACCESS
#define KIND(name, destroys, all, sets) \
	static const struct wr_kind name##_kind = { \
		.generic_read = STANDARD_RIGHTS_READ | MUTANT_QUERY_STATE, \
		.generic_write = STANDARD_RIGHTS_WRITE | EVENT_MODIFY_STATE, \
		.generic_execute = STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE, \
		.generic_all = all, \
		.destroy = destroys, \
		.waits = &name##_waits, \
		.set = sets, \
	}

static void set_event(struct wr_object *object, bool set)
{
	struct event *event = (struct event *)object;

	wr_waits_lock();
	event->set = set;
	if (set)
		wr_waits_wake(&event->waitable);
	wr_waits_unlock();
}

KIND(event, destroy, EVENT_ALL_ACCESS, set_event);
KIND(mutex, destroy_mutex, MUTEX_ALL_ACCESS, NULL);
KIND(semaphore, destroy, SEMAPHORE_ALL_ACCESS, NULL);

void wr_mutexes_abandon(struct wr_thread *thread, bool others)
{
	struct wr_mutex *mutex;

	while ((mutex = thread->mutexes)) {
		disown(mutex);
		mutex->abandoned = true;
		if (others)
			wr_waits_wake(&mutex->waitable);
	}
}

/* ---- making them ---- */

static bool is_named(LPCSTR name)
{
	return name && *name;
}

static bool is_named_wide(LPCWSTR name)
{
	return name && *name;
}

/* Fills it in, and makes a handle. What creates leaves ERROR_SUCCESS behind. */
static HANDLE new_object(struct wr_waitable *object, const struct wr_kind *kind,
			 const SECURITY_ATTRIBUTES *security, DWORD access)
{
	HANDLE handle = NULL;
	NTSTATUS status;

	if (!object) {
		wr_succeeded(STATUS_NO_MEMORY);
		return NULL;
	}
	wr_waitable_init(object, kind);
	status = wr_handle_new(&object->object,
			       wr_specific_rights(kind, access) & ALL_ACCESS,
			       security && security->bInheritHandle, &handle);
	wr_object_put(&object->object);
	if (wr_succeeded(status))
		SetLastError(ERROR_SUCCESS);

	return handle;
}

/* There are no names: a process would think that others have the same object. */
static HANDLE refuse_name(void)
{
	wr_succeeded(STATUS_NOT_SUPPORTED);

	return NULL;
}

static HANDLE create_event(const SECURITY_ATTRIBUTES *security, bool manual,
			   bool set, DWORD access)
{
	struct event *event = calloc(1, sizeof(*event));

	if (event) {
		event->manual = manual;
		event->set = set;
	}

	return new_object(&event->waitable, &event_kind, security, access);
}

static HANDLE create_mutex(const SECURITY_ATTRIBUTES *security, bool owned,
			   DWORD access)
{
	struct wr_mutex *mutex = calloc(1, sizeof(*mutex));
	struct wr_thread *thread = owned ? wr_thread_self() : NULL;

	if (owned && !thread) {
		free(mutex);
		mutex = NULL;
	}
	if (mutex && owned) {
		wr_waits_lock();
		take_mutex(&mutex->waitable, thread);
		wr_waits_unlock();
	}

	return new_object(&mutex->waitable, &mutex_kind, security, access);
}

static HANDLE create_semaphore(const SECURITY_ATTRIBUTES *security, LONG count,
			       LONG most, DWORD access)
{
	struct semaphore *semaphore;

	if (most <= 0 || count < 0 || count > most) {
		wr_succeeded(STATUS_INVALID_PARAMETER);
		return NULL;
	}
	semaphore = calloc(1, sizeof(*semaphore));
	if (semaphore) {
		semaphore->count = count;
		semaphore->most = most;
	}

	return new_object(&semaphore->waitable, &semaphore_kind, security,
			  access);
}

/* Flags that are not known are refused. */
static bool flags_are_known(DWORD flags, DWORD known)
{
	return !(flags & ~known) || wr_succeeded(STATUS_INVALID_PARAMETER);
}

HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES security, BOOL manual,
			   BOOL set, LPCSTR name)
{
	WR_KEEP_ERRNO();

	return is_named(name) ? refuse_name() :
				create_event(security, manual, set, ALL_ACCESS);
}

HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES security, BOOL manual,
			   BOOL set, LPCWSTR name)
{
	WR_KEEP_ERRNO();

	return is_named_wide(name) ?
		       refuse_name() :
		       create_event(security, manual, set, ALL_ACCESS);
}

#define EVENT_FLAGS (CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET)

HANDLE WINAPI CreateEventExA(LPSECURITY_ATTRIBUTES security, LPCSTR name,
			     DWORD flags, DWORD access)
{
	WR_KEEP_ERRNO();

	if (!flags_are_known(flags, EVENT_FLAGS))
		return NULL;

	return is_named(name) ?
		       refuse_name() :
		       create_event(security, flags & CREATE_EVENT_MANUAL_RESET,
				    flags & CREATE_EVENT_INITIAL_SET, access);
}

HANDLE WINAPI CreateEventExW(LPSECURITY_ATTRIBUTES security, LPCWSTR name,
			     DWORD flags, DWORD access)
{
	if (is_named_wide(name) && flags_are_known(flags, EVENT_FLAGS))
		return refuse_name();

	return CreateEventExA(security, NULL, flags, access);
}

HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES security, BOOL owned,
			   LPCSTR name)
{
	WR_KEEP_ERRNO();

	return is_named(name) ? refuse_name() :
				create_mutex(security, owned, MUTEX_ALL_ACCESS);
}

HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES security, BOOL owned,
			   LPCWSTR name)
{
	WR_KEEP_ERRNO();

	return is_named_wide(name) ?
		       refuse_name() :
		       create_mutex(security, owned, MUTEX_ALL_ACCESS);
}

HANDLE WINAPI CreateMutexExA(LPSECURITY_ATTRIBUTES security, LPCSTR name,
			     DWORD flags, DWORD access)
{
	WR_KEEP_ERRNO();

	if (!flags_are_known(flags, CREATE_MUTEX_INITIAL_OWNER))
		return NULL;

	return is_named(name) ? refuse_name() :
				create_mutex(security, flags, access);
}

HANDLE WINAPI CreateMutexExW(LPSECURITY_ATTRIBUTES security, LPCWSTR name,
			     DWORD flags, DWORD access)
{
	if (is_named_wide(name) &&
	    flags_are_known(flags, CREATE_MUTEX_INITIAL_OWNER))
		return refuse_name();

	return CreateMutexExA(security, NULL, flags, access);
}

HANDLE WINAPI CreateSemaphoreA(LPSECURITY_ATTRIBUTES security, LONG count,
			       LONG most, LPCSTR name)
{
	WR_KEEP_ERRNO();

	return is_named(name) ?
		       refuse_name() :
		       create_semaphore(security, count, most, ALL_ACCESS);
}

HANDLE WINAPI CreateSemaphoreW(LPSECURITY_ATTRIBUTES security, LONG count,
			       LONG most, LPCWSTR name)
{
	WR_KEEP_ERRNO();

	return is_named_wide(name) ?
		       refuse_name() :
		       create_semaphore(security, count, most, ALL_ACCESS);
}

HANDLE WINAPI CreateSemaphoreExA(LPSECURITY_ATTRIBUTES security, LONG count,
				 LONG most, LPCSTR name, DWORD flags,
				 DWORD access)
{
	WR_KEEP_ERRNO();

	if (!flags_are_known(flags, 0))
		return NULL;

	return is_named(name) ? refuse_name() :
				create_semaphore(security, count, most, access);
}

HANDLE WINAPI CreateSemaphoreExW(LPSECURITY_ATTRIBUTES security, LONG count,
				 LONG most, LPCWSTR name, DWORD flags,
				 DWORD access)
{
	if (is_named_wide(name) && flags_are_known(flags, 0))
		return refuse_name();

	return CreateSemaphoreExA(security, count, most, NULL, flags, access);
}

/* ---- signaling them ---- */

static NTSTATUS get(HANDLE handle, const struct wr_kind *kind, DWORD needed,
		    struct wr_object **object)
{
	DWORD access;
	NTSTATUS status = wr_handle_get(handle, kind, object, &access);

	if (status == STATUS_SUCCESS && needed & ~access) {
		wr_object_put(*object);
		status = STATUS_ACCESS_DENIED;
	}

	return status;
}

static NTSTATUS set_by_handle(HANDLE handle, bool set)
{
	struct wr_object *object;
	NTSTATUS status;

	status = get(handle, &event_kind, EVENT_MODIFY_STATE, &object);
	if (status != STATUS_SUCCESS)
		return status;
	set_event(object, set);
	wr_object_put(object);

	return STATUS_SUCCESS;
}

BOOL WINAPI SetEvent(HANDLE event)
{
	WR_KEEP_ERRNO();

	return wr_succeeded(set_by_handle(event, true));
}

BOOL WINAPI ResetEvent(HANDLE event)
{
	WR_KEEP_ERRNO();

	return wr_succeeded(set_by_handle(event, false));
}

/* Those who wait now may go on, nobody else. */
BOOL WINAPI PulseEvent(HANDLE handle)
{
	struct wr_object *object;
	struct event *event;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	status = get(handle, &event_kind, EVENT_MODIFY_STATE, &object);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	event = (struct event *)object;
	wr_waits_lock();
	event->set = true;
	wr_waits_wake(&event->waitable);
	event->set = false;
	wr_waits_unlock();
	wr_object_put(object);

	return TRUE;
}

/* The lock is held. Return: whether it was the thread's. */
static bool release_mutex(struct wr_mutex *mutex, struct wr_thread *thread)
{
	if (!thread || mutex->owner != thread)
		return false;
	if (--mutex->depth)
		return true;
	disown(mutex);
	wr_waits_wake(&mutex->waitable);

	return true;
}

BOOL WINAPI ReleaseMutex(HANDLE mutex)
{
	struct wr_object *object;
	NTSTATUS status;
	bool released;

	WR_KEEP_ERRNO();

	status = get(mutex, &mutex_kind, 0, &object);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	wr_waits_lock();
	released = release_mutex((struct wr_mutex *)object, wr_thread_known());
	wr_waits_unlock();
	wr_object_put(object);

	return wr_succeeded(released ? STATUS_SUCCESS :
				       STATUS_MUTANT_NOT_OWNED);
}

/* The lock is held. Return: whether there was room for them. */
static bool release_some(struct semaphore *semaphore, LONG more, LONG *before)
{
	if (more > semaphore->most - semaphore->count)
		return false;
	*before = semaphore->count;
	semaphore->count += more;
	wr_waits_wake(&semaphore->waitable);

	return true;
}

BOOL WINAPI ReleaseSemaphore(HANDLE semaphore, LONG more, LPLONG previous)
{
	struct wr_object *object;
	NTSTATUS status;
	LONG before = 0;
	bool released;

	WR_KEEP_ERRNO();

	if (more <= 0)
		return wr_succeeded(STATUS_INVALID_PARAMETER);
	if (previous && !wr_writable(previous, sizeof(*previous)))
		return wr_succeeded(STATUS_ACCESS_VIOLATION);
	status = get(semaphore, &semaphore_kind, SEMAPHORE_MODIFY_STATE,
		     &object);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	wr_waits_lock();
	released = release_some((struct semaphore *)object, more, &before);
	wr_waits_unlock();
	wr_object_put(object);
	if (released && previous)
		*previous = before;

	return wr_succeeded(released ? STATUS_SUCCESS :
				       STATUS_SEMAPHORE_LIMIT_EXCEEDED);
}

/* What SignalObjectAndWait() does first. The lock is held. */
static NTSTATUS signal_locked(struct wr_object *object)
{
	LONG before;

	if (object->kind == &mutex_kind)
		return release_mutex((struct wr_mutex *)object,
				     wr_thread_known()) ?
			       STATUS_SUCCESS :
			       STATUS_MUTANT_NOT_OWNED;
	if (object->kind == &semaphore_kind)
		return release_some((struct semaphore *)object, 1, &before) ?
			       STATUS_SUCCESS :
			       STATUS_SEMAPHORE_LIMIT_EXCEEDED;
	((struct event *)object)->set = true;
	wr_waits_wake((struct wr_waitable *)object);

	return STATUS_SUCCESS;
}

static NTSTATUS may_signal(struct wr_object *object, DWORD access)
{
	if (object->kind == &mutex_kind)
		return STATUS_SUCCESS;
	if (object->kind != &event_kind && object->kind != &semaphore_kind)
		return STATUS_OBJECT_TYPE_MISMATCH;

	return access & EVENT_MODIFY_STATE ? STATUS_SUCCESS :
					     STATUS_ACCESS_DENIED;
}

NTSTATUS wr_signal_begin(HANDLE handle, struct wr_object **object)
{
	struct wr_object *found;
	NTSTATUS status;
	DWORD access;

	status = wr_handle_get(handle, NULL, &found, &access);
	if (status != STATUS_SUCCESS)
		return status;
	status = may_signal(found, access);
	if (status == STATUS_SUCCESS) {
		wr_waits_lock();
		status = signal_locked(found);
		if (status != STATUS_SUCCESS)
			wr_waits_unlock();
	}
	if (status != STATUS_SUCCESS)
		wr_object_put(found);
	else
		*object = found;

	return status;
}
