// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handles: a table of the process, which leads from each to its object
 *
 * A handle is four times the number of its slot, counted from 1. Two of them may
 * lead to one object with different rights. What a call uses stays, even if its
 * handle is closed meanwhile. The lock is held for a few instructions at a time,
 * and across a fork(), so that a child finds the table whole.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handle.h"

#define FIRST_SLOTS 64

/* As many handles as a process of Windows can have */
#define MAX_SLOTS 0x1000000U

#define KNOWN_FLAGS (HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* Slot 0 is none, and heads the list of free ones. */
static struct wr_slot *slots;
static unsigned int nr_slots;

/* Odd: while one is made, of which a child may or may not have what is opened now */
static unsigned int forks;

/* Which handle the next one is; where others find the table, or NULL */
static uint32_t serial;
static struct wr_table *table;

struct wr_object *(*wr_current_thread)(void);

HANDLE WINAPI GetCurrentProcess(VOID)
{
	return NtCurrentProcess();
}

static BOOL is_pseudo(HANDLE handle)
{
	return (uintptr_t)handle >= WR_LOWEST_PSEUDO;
}

/* The lowest two bits are the program's: Windows does not look at them. */
static struct wr_slot *find_slot(HANDLE handle)
{
	uintptr_t number = (uintptr_t)handle / WR_HANDLE_STEP;

	if (!number || number >= nr_slots || !slots[number].object)
		return NULL;

	return &slots[number];
}

static void free_slot(struct wr_slot *slot)
{
	slot->object = NULL;
	slot->next = slots[0].next;
	slots[0].next = slot - slots;
}

/* ---- for other processes ---- */

static int make_file(void)
{
	int fd = memfd_create(WR_TABLE_NAME, MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	/* Older kernels do not know how to make one that cannot be executed. */
	return fd < 0 ? memfd_create(WR_TABLE_NAME, MFD_CLOEXEC) : fd;
}

/*
 * The mapping is private: a child of a fork has its own. Where there cannot be one, others
 * take no handles from this process.
 */
static void make_public(void)
{
	int fd = make_file();
	void *map = MAP_FAILED;

	WR_NO_CANCEL();

	if (fd < 0)
		return;
	if (!ftruncate(fd, sizeof(*table)))
		map = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE, fd, 0);
	wr_close(fd);
	if (map == MAP_FAILED)
		return;
	table = map;
	table->magic = WR_TABLE_MAGIC;
	table->sizes = WR_TABLE_SIZES;
}

static void begin_change(void)
{
	if (!table)
		return;
	__atomic_store_n(&table->sequence, table->sequence + 1,
			 __ATOMIC_SEQ_CST);
}

static void end_change(void)
{
	if (!table)
		return;
	table->slots = slots;
	table->nr_slots = nr_slots;
	__atomic_store_n(&table->sequence, table->sequence + 1,
			 __ATOMIC_SEQ_CST);
}

/* ---- the table ---- */

static NTSTATUS make_larger(void)
{
	unsigned int i, more = nr_slots ? 2 * nr_slots : FIRST_SLOTS;
	struct wr_slot *grown;

	if (more > MAX_SLOTS)
		return STATUS_INSUFFICIENT_RESOURCES;
	grown = realloc(slots, more * sizeof(*slots));
	if (!grown)
		return STATUS_NO_MEMORY;

	slots = grown;
	if (!nr_slots)
		slots[0].object = NULL;
	for (i = nr_slots ? nr_slots : 1; i < more; i++) {
		slots[i].object = NULL;
		slots[i].next = i + 1 < more ? i + 1 : 0;
	}
	slots[0].next = nr_slots ? nr_slots : 1;
	nr_slots = more;

	return STATUS_SUCCESS;
}

static NTSTATUS grow_table(void)
{
	NTSTATUS status;

	if (!nr_slots && !table)
		make_public();
	begin_change();
	status = make_larger();
	end_change();

	return status;
}

/* ---- descriptors ---- */

int wr_identify(int fd, struct wr_identity *identity)
{
	struct stat st;

	*identity = (struct wr_identity){ 0 };
	if (fd >= 0 && !fstat(fd, &st)) {
		identity->device = st.st_dev;
		identity->inode = st.st_ino;
	}

	return fd;
}

bool wr_identity_has(const struct wr_identity *identity, int fd)
{
	struct stat st;

	/* What else it may say comes from a sandbox or a server, and tells nothing. */
	if (fstat(fd, &st))
		return errno != EBADF;

	return st.st_dev == identity->device && st.st_ino == identity->inode;
}

void wr_identity_close(const struct wr_identity *identity, int fd)
{
	if (fd >= 0 && wr_identity_has(identity, fd))
		wr_close(fd);
}

bool wr_object_has(const struct wr_object *object, int fd)
{
	return wr_identity_has(&object->identity, fd);
}

/* Standard input, output and error: they are whatever the program has there. */
static bool is_standard(const struct wr_object *object)
{
	return object->fd >= 0 && object->fd <= STDERR_FILENO;
}

static bool has_descriptor(const struct wr_object *object)
{
	return is_standard(object) ||
	       (object->fd >= 0 && wr_object_has(object, object->fd));
}

/* ---- objects ---- */

/* The descriptor of an object stays after execve(2) if a handle of it does. */
static void set_inherit(struct wr_slot *slot, BOOL inherit)
{
	struct wr_object *object = slot->object;
	unsigned int before = object->inheritors;

	if (inherit == !!(slot->flags & HANDLE_FLAG_INHERIT))
		return;

	slot->flags ^= HANDLE_FLAG_INHERIT;
	object->inheritors += inherit ? 1 : -1;
	object->inherited |= inherit;
	if (!before != !object->inheritors && has_descriptor(object))
		fcntl(object->fd, F_SETFD, before ? FD_CLOEXEC : 0);
}

/*
 * Without the lock, as it may take its time. Nobody else has it any more, so it is done to
 * the end.
 */
static void destroy(struct wr_object *object)
{
	WR_NO_CANCEL();

	if (object)
		object->kind->destroy(object);
}

/* Returns the object if it has to be destroyed. */
static struct wr_object *drop(struct wr_object *object)
{
	return --object->users ? NULL : object;
}

/* Returns the object if it has to be destroyed. */
static struct wr_object *close_slot(struct wr_slot *slot)
{
	struct wr_object *object = slot->object;

	set_inherit(slot, FALSE);
	free_slot(slot);

	return drop(object);
}

void wr_object_init(struct wr_object *object, const struct wr_kind *kind,
		    int fd)
{
	object->kind = kind;
	object->users = 1;
	object->kept = 0;
	object->inheritors = 0;
	object->inherited = false;
	object->fd = wr_identify(fd, &object->identity);
}

void wr_object_close(const struct wr_object *object)
{
	wr_identity_close(&object->identity, object->fd);
}

unsigned int wr_forks(void)
{
	return __atomic_load_n(&forks, __ATOMIC_SEQ_CST);
}

void wr_object_get(struct wr_object *object)
{
	pthread_mutex_lock(&lock);
	object->users++;
	pthread_mutex_unlock(&lock);
}

bool wr_object_get_living(struct wr_object *object)
{
	bool living;

	pthread_mutex_lock(&lock);
	living = object->users;
	object->users += living;
	pthread_mutex_unlock(&lock);

	return living;
}

void wr_object_put(struct wr_object *object)
{
	pthread_mutex_lock(&lock);
	object = drop(object);
	pthread_mutex_unlock(&lock);
	destroy(object);
}

DWORD wr_specific_rights(const struct wr_kind *kind, DWORD access)
{
	if (access & GENERIC_READ)
		access |= kind->generic_read;
	if (access & GENERIC_WRITE)
		access |= kind->generic_write;
	if (access & GENERIC_EXECUTE)
		access |= kind->generic_execute;
	if (access & GENERIC_ALL)
		access |= kind->generic_all;

	return access &
	       ~(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL);
}

static NTSTATUS new_handle(struct wr_object *object, DWORD access, BOOL inherit,
			   HANDLE *handle)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct wr_slot *slot;

	if (!nr_slots || !slots[0].next)
		status = grow_table();
	if (status != STATUS_SUCCESS)
		return status;

	slot = &slots[slots[0].next];
	slots[0].next = slot->next;
	slot->serial = ++serial;
	slot->access = access;
	slot->flags = 0;
	/* Others see the rest when they see this. */
	__atomic_store_n(&slot->object, object, __ATOMIC_RELEASE);
	object->users++;
	set_inherit(slot, inherit);
	*handle = (HANDLE)((uintptr_t)(slot - slots) * WR_HANDLE_STEP);

	return STATUS_SUCCESS;
}

NTSTATUS wr_handle_new(struct wr_object *object, DWORD access, BOOL inherit,
		       HANDLE *handle)
{
	NTSTATUS status;

	pthread_mutex_lock(&lock);
	status = new_handle(object, access, !!inherit, handle);
	pthread_mutex_unlock(&lock);

	return status;
}

static NTSTATUS get(HANDLE handle, const struct wr_kind *kind,
		    struct wr_object **object, DWORD *access)
{
	struct wr_slot *slot = find_slot(handle);

	/* The others stand for processes, of which there are no objects. */
	if (is_pseudo(handle))
		return STATUS_OBJECT_TYPE_MISMATCH;
	if (!slot)
		return STATUS_INVALID_HANDLE;
	if (kind && slot->object->kind != kind)
		return STATUS_OBJECT_TYPE_MISMATCH;

	slot->object->users++;
	*object = slot->object;
	*access = slot->access;

	return STATUS_SUCCESS;
}

/* A thread has all rights to itself. */
static NTSTATUS get_current_thread(const struct wr_kind *kind,
				   struct wr_object **object, DWORD *access)
{
	struct wr_object *thread = wr_current_thread ? wr_current_thread() :
						       NULL;

	if (!thread || (kind && thread->kind != kind))
		return STATUS_OBJECT_TYPE_MISMATCH;
	wr_object_get(thread);
	*object = thread;
	*access = thread->kind->generic_all;

	return STATUS_SUCCESS;
}

NTSTATUS wr_handle_get(HANDLE handle, const struct wr_kind *kind,
		       struct wr_object **object, DWORD *access)
{
	NTSTATUS status;

	if (handle == NtCurrentThread())
		return get_current_thread(kind, object, access);

	pthread_mutex_lock(&lock);
	status = get(handle, kind, object, access);
	pthread_mutex_unlock(&lock);

	return status;
}

void wr_handle_drop(HANDLE handle)
{
	struct wr_object *last;

	pthread_mutex_lock(&lock);
	last = close_slot(find_slot(handle));
	pthread_mutex_unlock(&lock);
	destroy(last);
}

NTSTATUS wr_handle_close(HANDLE handle)
{
	struct wr_object *last = NULL;
	NTSTATUS status = STATUS_SUCCESS;
	struct wr_slot *slot;

	if (is_pseudo(handle))
		return STATUS_SUCCESS;

	pthread_mutex_lock(&lock);
	slot = find_slot(handle);
	if (!slot)
		status = STATUS_INVALID_HANDLE;
	else if (slot->flags & HANDLE_FLAG_PROTECT_FROM_CLOSE)
		status = STATUS_HANDLE_NOT_CLOSABLE;
	else
		last = close_slot(slot);
	pthread_mutex_unlock(&lock);
	destroy(last);

	return status;
}

NTSTATUS NTAPI NtClose(HANDLE object)
{
	WR_KEEP_ERRNO();

	return wr_handle_close(object);
}

BOOL WINAPI CloseHandle(HANDLE object)
{
	WR_KEEP_ERRNO();

	return wr_succeeded(wr_handle_close(object));
}

BOOL WINAPI GetHandleInformation(HANDLE object, LPDWORD flags)
{
	struct wr_slot *slot;
	DWORD found = 0;

	if (!wr_writable(flags, sizeof(*flags)))
		return wr_succeeded(STATUS_ACCESS_VIOLATION);

	pthread_mutex_lock(&lock);
	slot = find_slot(object);
	if (slot)
		found = slot->flags;
	pthread_mutex_unlock(&lock);
	if (!slot)
		return wr_succeeded(STATUS_INVALID_HANDLE);
	*flags = found;

	return TRUE;
}

static void set_flags(struct wr_slot *slot, DWORD mask, DWORD flags)
{
	if (mask & HANDLE_FLAG_INHERIT)
		set_inherit(slot, !!(flags & HANDLE_FLAG_INHERIT));

	mask &= HANDLE_FLAG_PROTECT_FROM_CLOSE;
	slot->flags = (slot->flags & ~mask) | (flags & mask);
}

BOOL WINAPI SetHandleInformation(HANDLE object, DWORD mask, DWORD flags)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct wr_slot *slot;

	WR_KEEP_ERRNO();

	if (mask & ~KNOWN_FLAGS)
		return wr_succeeded(STATUS_INVALID_PARAMETER);

	pthread_mutex_lock(&lock);
	slot = find_slot(object);
	if (slot)
		set_flags(slot, mask, flags);
	else
		status = STATUS_INVALID_HANDLE;
	pthread_mutex_unlock(&lock);

	return wr_succeeded(status);
}

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
	__atomic_add_fetch(&forks, 1, __ATOMIC_SEQ_CST);
}

static void after_fork(void)
{
	__atomic_add_fetch(&forks, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&lock);
}

/* The threads that were in calls are not there: only handles use objects. */
static void after_fork_in_child(void)
{
	unsigned int i;

	for (i = 1; i < nr_slots; i++)
		if (slots[i].object)
			slots[i].object->users = slots[i].object->kept;
	for (i = 1; i < nr_slots; i++)
		if (slots[i].object)
			slots[i].object->users++;
	after_fork();
}

WR_EARLY static void init_table(void)
{
	pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

/*
 * A program that ends has closed its handles: some objects do something then. Where all of
 * it is one file, its own destructors come before. The kernel closes the standard ones:
 * stdio writes what it has for them after all destructors.
 */
WR_LAST static void close_all(void)
{
	struct wr_object *last;
	unsigned int i;

	for (i = 1; i < nr_slots; i++) {
		last = NULL;
		pthread_mutex_lock(&lock);
		if (slots[i].object && !is_standard(slots[i].object))
			last = close_slot(&slots[i]);
		pthread_mutex_unlock(&lock);
		destroy(last);
	}
}
