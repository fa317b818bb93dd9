// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events, mutexes and semaphores: what is only there to be waited for
 *
 * They belong to the process that makes them: a child of a fork has copies of its
 * own. Those with a name are shared by all who open it: named.c.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "named.h"

struct event {
	struct wr_waitable waitable;
	/* It stays set until it is reset. */
	bool manual;
	/* The lock of wait.c */
	bool set;
};

struct wr_mutex {
	struct wr_waitable waitable;
	/*
	 * All of these: the lock of wait.c. Of one with a name, as far as threads of
	 * this process own it; then the owner is one of its users.
	 */
	struct wr_thread *owner;
	DWORD depth;
	/* Of one with a name: the owner has become one of its users, or none. */
	bool used;
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
	struct wr_waitable *waitable = (struct wr_waitable *)object;

	if (waitable->shared)
		wr_named_destroy(waitable);
	else
		free(object);
}

/* ---- what they are for those who wait; the lock is held ---- */

static bool event_is_set(struct wr_waitable *object, struct wr_thread *thread)
{
	(void)thread;
	if (object->shared)
		return wr_named_event_is_set(object);

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

	if (mutex->owner)
		return mutex->owner == thread;

	return !object->shared || wr_named_mutex_is_free(object);
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
	destroy(object);
}

static bool semaphore_has_one(struct wr_waitable *object,
			      struct wr_thread *thread)
{
	(void)thread;
	if (object->shared)
		return wr_named_semaphore_has_one(object);

	return ((struct semaphore *)object)->count > 0;
}

static bool take_one(struct wr_waitable *object, struct wr_thread *thread)
{
	(void)thread;
	((struct semaphore *)object)->count--;

	return false;
}

/* ---- the same of those with names ---- */

static NTSTATUS grab_event(struct wr_waitable *object, struct wr_thread *thread,
			   bool *abandoned)
{
	(void)thread;
	*abandoned = false;

	return wr_named_grab_event(object) ? STATUS_SUCCESS : STATUS_TIMEOUT;
}

static void put_back_event(struct wr_waitable *object, bool abandoned)
{
	(void)abandoned;
	wr_named_put_back_event(object);
}

static void note_owner(struct wr_mutex *mutex, struct wr_thread *thread)
{
	if (mutex->depth++)
		return;
	own(mutex, thread);
}

static void give_up(struct wr_mutex *mutex, bool abandoned)
{
	if (--mutex->depth)
		return;
	disown(mutex);
	wr_named_release_mutex(&mutex->waitable, abandoned);
}

/*
 * The calling thread has got it, or released it, and uses it still: without a lock. It
 * stays as long as it is owned, whoever closes it.
 */
static void settle_mutex(struct wr_waitable *object, struct wr_thread *thread)
{
	struct wr_mutex *mutex = (struct wr_mutex *)object;
	bool owns, change;

	if (!object->shared)
		return;
	wr_waits_lock();
	owns = thread && mutex->owner == thread;
	change = owns ? !mutex->used : !mutex->owner && mutex->used;
	if (change)
		mutex->used = owns;
	wr_waits_unlock();
	if (change && owns)
		wr_object_get(&object->object);
	else if (change)
		wr_object_put(&object->object);
}

static NTSTATUS grab_mutex(struct wr_waitable *object, struct wr_thread *thread,
			   bool *abandoned)
{
	struct wr_mutex *mutex = (struct wr_mutex *)object;
	NTSTATUS status = STATUS_SUCCESS;

	*abandoned = false;
	if (mutex->owner && mutex->owner != thread)
		return STATUS_TIMEOUT;
	if (!mutex->owner)
		status = wr_named_grab_mutex(object, abandoned);
	if (status == STATUS_SUCCESS)
		note_owner(mutex, thread);

	return status;
}

static void put_back_mutex(struct wr_waitable *object, bool abandoned)
{
	give_up((struct wr_mutex *)object, abandoned);
}

static NTSTATUS grab_one(struct wr_waitable *object, struct wr_thread *thread,
			 bool *abandoned)
{
	(void)thread;
	*abandoned = false;

	return wr_named_grab_semaphore(object) ? STATUS_SUCCESS :
						 STATUS_TIMEOUT;
}

static void put_back_one(struct wr_waitable *object, bool abandoned)
{
	LONG before;

	(void)abandoned;
	wr_named_release_semaphore(object, 1, &before, false);
}

static const struct wr_waits event_waits = {
	.is_signaled = event_is_set,
	.take = take_event,
	.grab = grab_event,
	.put_back = put_back_event,
};

static const struct wr_waits mutex_waits = {
	.is_signaled = mutex_is_free,
	.take = take_mutex,
	.grab = grab_mutex,
	.put_back = put_back_mutex,
	.settle = settle_mutex,
};

static const struct wr_waits semaphore_waits = {
	.is_signaled = semaphore_has_one,
	.take = take_one,
	.grab = grab_one,
	.put_back = put_back_one,
};

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

	if (event->waitable.shared) {
		wr_named_set_event(&event->waitable, set);
		return;
	}
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
		/* In a child others have it still. */
		mutex->used = false;
		if (mutex->waitable.shared)
			continue;
		mutex->abandoned = true;
		if (others)
			wr_waits_wake(&mutex->waitable);
	}
}

/* Of those that the thread owns */
static struct wr_mutex *first_named(struct wr_thread *thread)
{
	struct wr_mutex *mutex = thread->mutexes;

	while (mutex && !mutex->waitable.shared)
		mutex = mutex->next;

	return mutex;
}

void wr_mutexes_abandon_named(struct wr_thread *thread)
{
	struct wr_mutex *mutex;

	do {
		wr_waits_lock();
		mutex = first_named(thread);
		if (mutex) {
			disown(mutex);
			mutex->used = false;
			wr_named_release_mutex(&mutex->waitable, true);
		}
		wr_waits_unlock();
		if (mutex)
			wr_object_put(&mutex->waitable.object);
	} while (mutex);
}

void wr_mutexes_forked(struct wr_thread *thread)
{
	struct wr_mutex *mutex;

	while ((mutex = first_named(thread))) {
		disown(mutex);
		mutex->used = false;
	}
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

/* ---- names ---- */

/* What a call was given as a name. @name is NULL if that is none. */
struct given {
	NTSTATUS status;
	const struct wr_name *name;
	struct wr_name parsed;
};

static void take_name(struct given *given, LPCSTR text)
{
	given->status = STATUS_SUCCESS;
	given->name = text && *text ? &given->parsed : NULL;
	if (given->name)
		given->status = wr_name_of_utf8(text, &given->parsed);
}

static void take_wide_name(struct given *given, LPCWSTR text)
{
	given->status = STATUS_SUCCESS;
	given->name = text && *text ? &given->parsed : NULL;
	if (given->name)
		given->status = wr_name_of_wide(text, wr_wide_length(text),
						false, &given->parsed);
}

/* A mutex that is new is the thread's already, for all other processes. */
static void note_first_owner(struct wr_waitable *object,
			     struct wr_thread *thread)
{
	wr_waits_lock();
	note_owner((struct wr_mutex *)object, thread);
	wr_waits_unlock();
	settle_mutex(object, thread);
}

static NTSTATUS get_named(struct wr_named *named, const struct wr_kind *kind,
			  size_t size, DWORD access, BOOL inherit,
			  HANDLE *handle)
{
	struct wr_thread *thread = named->owned ? wr_thread_self() : NULL;
	struct wr_waitable *object;
	NTSTATUS status;

	if (named->owned && !thread)
		return STATUS_NO_MEMORY;
	status = wr_named_get(named, kind, size, &object);
	if (status != STATUS_SUCCESS)
		return status;
	status = wr_handle_new(&object->object,
			       wr_specific_rights(kind, access) & ALL_ACCESS,
			       inherit, handle);
	if (named->owned && !named->existed) {
		if (status == STATUS_SUCCESS)
			note_first_owner(object, thread);
		else
			wr_named_release_mutex(object, false);
	}
	wr_object_put(&object->object);

	return status;
}

/* Rules WT-10, WT-15 */
static HANDLE create_named(const SECURITY_ATTRIBUTES *security,
			   struct wr_named *named, const struct wr_kind *kind,
			   size_t size, DWORD access)
{
	NTSTATUS status = STATUS_SUCCESS;
	HANDLE handle = NULL;

	named->create = true;
	if (security)
		status = wr_others_of(security->lpSecurityDescriptor,
				      &named->others);
	if (status == STATUS_SUCCESS)
		status = get_named(named, kind, size, access,
				   security && security->bInheritHandle,
				   &handle);
	if (wr_succeeded(status))
		SetLastError(named->existed ? ERROR_ALREADY_EXISTS :
					      ERROR_SUCCESS);

	return handle;
}

static HANDLE open_named(const struct given *given, enum wr_named_kind which,
			 const struct wr_kind *kind, size_t size, DWORD access,
			 BOOL inherit)
{
	struct wr_named named = { .name = given->name, .kind = which };
	NTSTATUS status = given->status;
	HANDLE handle = NULL;

	if (access & MAXIMUM_ALLOWED)
		access = GENERIC_ALL;
	if (!given->name)
		status = STATUS_INVALID_PARAMETER;
	if (status == STATUS_SUCCESS)
		status =
			get_named(&named, kind, size, access, inherit, &handle);

	return wr_succeeded(status) ? handle : NULL;
}

/* ---- making them ---- */

static HANDLE create_event(const SECURITY_ATTRIBUTES *security, bool manual,
			   bool set, const struct given *given, DWORD access)
{
	struct wr_named named = {
		.name = given->name,
		.kind = WR_NAMED_EVENT,
		.manual = manual,
		.set = set,
	};
	struct event *event;

	if (!wr_succeeded(given->status))
		return NULL;
	if (given->name)
		return create_named(security, &named, &event_kind,
				    sizeof(*event), access);
	event = calloc(1, sizeof(*event));
	if (event) {
		event->manual = manual;
		event->set = set;
	}

	return new_object(&event->waitable, &event_kind, security, access);
}

static HANDLE create_mutex(const SECURITY_ATTRIBUTES *security, bool owned,
			   const struct given *given, DWORD access)
{
	struct wr_named named = {
		.name = given->name,
		.kind = WR_NAMED_MUTEX,
		.owned = owned,
	};
	struct wr_thread *thread;
	struct wr_mutex *mutex;

	if (!wr_succeeded(given->status))
		return NULL;
	if (given->name)
		return create_named(security, &named, &mutex_kind,
				    sizeof(*mutex), access);
	mutex = calloc(1, sizeof(*mutex));
	thread = owned ? wr_thread_self() : NULL;
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
			       LONG most, const struct given *given,
			       DWORD access)
{
	struct wr_named named = {
		.name = given->name,
		.kind = WR_NAMED_SEMAPHORE,
		.count = count,
		.most = most,
	};
	struct semaphore *semaphore;

	if (!wr_succeeded(given->status))
		return NULL;
	if (most <= 0 || count < 0 || count > most) {
		wr_succeeded(STATUS_INVALID_PARAMETER);
		return NULL;
	}
	if (given->name)
		return create_named(security, &named, &semaphore_kind,
				    sizeof(*semaphore), access);
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

#define EVENT_FLAGS (CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET)

/* ---- for programs ---- */

HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES security, BOOL manual,
			   BOOL set, LPCSTR name)
{
	struct given given;

	WR_KEEP_ERRNO();

	take_name(&given, name);

	return create_event(security, manual, set, &given, ALL_ACCESS);
}

HANDLE WINAPI CreateEventExA(LPSECURITY_ATTRIBUTES security, LPCSTR name,
			     DWORD flags, DWORD access)
{
	struct given given;

	WR_KEEP_ERRNO();

	if (!flags_are_known(flags, EVENT_FLAGS))
		return NULL;
	take_name(&given, name);

	return create_event(security, flags & CREATE_EVENT_MANUAL_RESET,
			    flags & CREATE_EVENT_INITIAL_SET, &given, access);
}

HANDLE WINAPI OpenEventA(DWORD access, BOOL inherit, LPCSTR name)
{
	struct given given;

	WR_KEEP_ERRNO();

	take_name(&given, name);

	return open_named(&given, WR_NAMED_EVENT, &event_kind,
			  sizeof(struct event), access, inherit);
}

HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES security, BOOL owned,
			   LPCSTR name)
{
	struct given given;

	WR_KEEP_ERRNO();

	take_name(&given, name);

	return create_mutex(security, owned, &given, MUTEX_ALL_ACCESS);
}

HANDLE WINAPI CreateMutexExA(LPSECURITY_ATTRIBUTES security, LPCSTR name,
			     DWORD flags, DWORD access)
{
	struct given given;

	WR_KEEP_ERRNO();

	if (!flags_are_known(flags, CREATE_MUTEX_INITIAL_OWNER))
		return NULL;
	take_name(&given, name);

	return create_mutex(security, flags, &given, access);
}

HANDLE WINAPI OpenMutexA(DWORD access, BOOL inherit, LPCSTR name)
{
	struct given given;

	WR_KEEP_ERRNO();

	take_name(&given, name);

	return open_named(&given, WR_NAMED_MUTEX, &mutex_kind,
			  sizeof(struct wr_mutex), access, inherit);
}

HANDLE WINAPI CreateSemaphoreA(LPSECURITY_ATTRIBUTES security, LONG count,
			       LONG most, LPCSTR name)
{
	struct given given;

	WR_KEEP_ERRNO();

	take_name(&given, name);

	return create_semaphore(security, count, most, &given, ALL_ACCESS);
}

HANDLE WINAPI CreateSemaphoreExA(LPSECURITY_ATTRIBUTES security, LONG count,
				 LONG most, LPCSTR name, DWORD flags,
				 DWORD access)
{
	struct given given;

	WR_KEEP_ERRNO();

	if (!flags_are_known(flags, 0))
		return NULL;
	take_name(&given, name);

	return create_semaphore(security, count, most, &given, access);
}

HANDLE WINAPI OpenSemaphoreA(DWORD access, BOOL inherit, LPCSTR name)
{
	struct given given;

	WR_KEEP_ERRNO();

	take_name(&given, name);

	return open_named(&given, WR_NAMED_SEMAPHORE, &semaphore_kind,
			  sizeof(struct semaphore), access, inherit);
}

HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES security, BOOL manual,
			   BOOL set, LPCWSTR name)
{
	struct given given;

	WR_KEEP_ERRNO();

	take_wide_name(&given, name);

	return create_event(security, manual, set, &given, ALL_ACCESS);
}

HANDLE WINAPI CreateEventExW(LPSECURITY_ATTRIBUTES security, LPCWSTR name,
			     DWORD flags, DWORD access)
{
	struct given given;

	WR_KEEP_ERRNO();

	if (!flags_are_known(flags, EVENT_FLAGS))
		return NULL;
	take_wide_name(&given, name);

	return create_event(security, flags & CREATE_EVENT_MANUAL_RESET,
			    flags & CREATE_EVENT_INITIAL_SET, &given, access);
}

HANDLE WINAPI OpenEventW(DWORD access, BOOL inherit, LPCWSTR name)
{
	struct given given;

	WR_KEEP_ERRNO();

	take_wide_name(&given, name);

	return open_named(&given, WR_NAMED_EVENT, &event_kind,
			  sizeof(struct event), access, inherit);
}

HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES security, BOOL owned,
			   LPCWSTR name)
{
	struct given given;

	WR_KEEP_ERRNO();

	take_wide_name(&given, name);

	return create_mutex(security, owned, &given, MUTEX_ALL_ACCESS);
}

HANDLE WINAPI CreateMutexExW(LPSECURITY_ATTRIBUTES security, LPCWSTR name,
			     DWORD flags, DWORD access)
{
	struct given given;

	WR_KEEP_ERRNO();

	if (!flags_are_known(flags, CREATE_MUTEX_INITIAL_OWNER))
		return NULL;
	take_wide_name(&given, name);

	return create_mutex(security, flags, &given, access);
}

HANDLE WINAPI OpenMutexW(DWORD access, BOOL inherit, LPCWSTR name)
{
	struct given given;

	WR_KEEP_ERRNO();

	take_wide_name(&given, name);

	return open_named(&given, WR_NAMED_MUTEX, &mutex_kind,
			  sizeof(struct wr_mutex), access, inherit);
}

HANDLE WINAPI CreateSemaphoreW(LPSECURITY_ATTRIBUTES security, LONG count,
			       LONG most, LPCWSTR name)
{
	struct given given;

	WR_KEEP_ERRNO();

	take_wide_name(&given, name);

	return create_semaphore(security, count, most, &given, ALL_ACCESS);
}

HANDLE WINAPI CreateSemaphoreExW(LPSECURITY_ATTRIBUTES security, LONG count,
				 LONG most, LPCWSTR name, DWORD flags,
				 DWORD access)
{
	struct given given;

	WR_KEEP_ERRNO();

	if (!flags_are_known(flags, 0))
		return NULL;
	take_wide_name(&given, name);

	return create_semaphore(security, count, most, &given, access);
}

HANDLE WINAPI OpenSemaphoreW(DWORD access, BOOL inherit, LPCWSTR name)
{
	struct given given;

	WR_KEEP_ERRNO();

	take_wide_name(&given, name);

	return open_named(&given, WR_NAMED_SEMAPHORE, &semaphore_kind,
			  sizeof(struct semaphore), access, inherit);
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
	if (event->waitable.shared) {
		/* Who waits in another process would not see it. */
		status = STATUS_NOT_SUPPORTED;
	} else {
		wr_waits_lock();
		event->set = true;
		wr_waits_wake(&event->waitable);
		event->set = false;
		wr_waits_unlock();
	}
	wr_object_put(object);

	return wr_succeeded(status);
}

void wr_signal_end(struct wr_object *object)
{
	if (object->kind == &mutex_kind)
		settle_mutex((struct wr_waitable *)object, wr_thread_known());
	wr_object_put(object);
}

/* The lock is held. Return: whether it was the thread's. */
static bool release_mutex(struct wr_mutex *mutex, struct wr_thread *thread)
{
	if (!thread || mutex->owner != thread)
		return false;
	if (mutex->waitable.shared) {
		give_up(mutex, false);
		return true;
	}
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
	wr_signal_end(object);

	return wr_succeeded(released ? STATUS_SUCCESS :
				       STATUS_MUTANT_NOT_OWNED);
}

/* The lock is held. Return: whether there was room for them. */
static bool release_some(struct semaphore *semaphore, LONG more, LONG *before)
{
	if (semaphore->waitable.shared)
		return wr_named_release_semaphore(&semaphore->waitable, more,
						  before, true);
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
	if (((struct wr_waitable *)object)->shared) {
		wr_named_set_event((struct wr_waitable *)object, true);
	} else {
		((struct event *)object)->set = true;
		wr_waits_wake((struct wr_waitable *)object);
	}

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
