// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * To be told that memory is short, or that there is enough of it
 *
 * The kernel tells stalls, by /proc/pressure, not how much memory there is; and it tells
 * them to few. So who asks looks, and who waits looks ten times in a second.
 */
#include <errno.h>
#include <stdlib.h>

#include <winregion/memoryapi.h>

#include "figures.h"
#include "threads.h"

#define MIB 0x100000ULL

/* Neither: between the two */
#define NEITHER (-1)

/* What the module keeps from commits, whose limit moves in steps (module/commit.c) */
#define REST_SHARE 32
#define MOST_REST (128 * MIB)
#define ADMIN_REST (8 * MIB)
#define STEP_SHARE 64

/* What is to be there beside that; as Windows has it, but for the least */
#define LOW_SHARE 128
#define LEAST_LOW (16 * MIB)
#define MOST_LOW (64 * MIB)
#define HIGH_TO_LOW 3

struct notification {
	struct wr_waitable waitable;
	MEMORY_RESOURCE_NOTIFICATION_TYPE type;
};

/* What is signaled: a type, or NEITHER. The lock of wait.c */
static int signaled = NEITHER;

static uint64_t within(uint64_t value, uint64_t least, uint64_t most)
{
	if (value < least)
		return least;

	return value < most ? value : most;
}

/* Rule MN-03: at most one of the two */
static int signaled_now(void)
{
	uint64_t total, available = wr_available(&total), rest, low;

	if (!total)
		return NEITHER;
	rest = within(total / REST_SHARE, 0, MOST_REST) + ADMIN_REST +
	       total / STEP_SHARE;
	low = within(total / LOW_SHARE, LEAST_LOW, MOST_LOW);
	if (available < rest + low)
		return LowMemoryResourceNotification;
	if (available > rest + HIGH_TO_LOW * low)
		return HighMemoryResourceNotification;

	return NEITHER;
}

static void look(void)
{
	int now = signaled_now();

	wr_waits_lock();
	signaled = now;
	wr_waits_unlock();
}

static bool is_signaled(struct wr_waitable *object, struct wr_thread *thread)
{
	(void)thread;

	return (int)((struct notification *)object)->type == signaled;
}

/* It stays as long as memory does. */
static bool take_nothing(struct wr_waitable *object, struct wr_thread *thread)
{
	(void)object;
	(void)thread;

	return false;
}

static void destroy(struct wr_object *object)
{
	free(object);
}

static const struct wr_waits waits = {
	.is_signaled = is_signaled,
	.take = take_nothing,
	.look = look,
};

/* As of an event, which it is on Windows */
#define QUERY_STATE MUTANT_QUERY_STATE
#define ALL_ACCESS (SYNCHRONIZE | QUERY_STATE)

static const struct wr_kind kind = {
	.generic_read = STANDARD_RIGHTS_READ | QUERY_STATE,
	.generic_write = STANDARD_RIGHTS_WRITE,
	.generic_execute = STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE,
	.generic_all = STANDARD_RIGHTS_REQUIRED | ALL_ACCESS,
	.destroy = destroy,
	.waits = &waits,
};

static NTSTATUS create(MEMORY_RESOURCE_NOTIFICATION_TYPE type, HANDLE *handle)
{
	struct notification *made;
	NTSTATUS status;

	if (type != LowMemoryResourceNotification &&
	    type != HighMemoryResourceNotification)
		return STATUS_INVALID_PARAMETER;
	made = calloc(1, sizeof(*made));
	if (!made)
		return STATUS_NO_MEMORY;
	wr_waitable_init(&made->waitable, &kind);
	made->type = type;
	status = wr_handle_new(&made->waitable.object, ALL_ACCESS, FALSE,
			       handle);
	wr_object_put(&made->waitable.object);

	return status;
}

HANDLE WINAPI
CreateMemoryResourceNotification(MEMORY_RESOURCE_NOTIFICATION_TYPE type)
{
	HANDLE handle = NULL;

	WR_KEEP_ERRNO();

	wr_succeeded(create(type, &handle));

	return handle;
}

static NTSTATUS query(HANDLE handle, PBOOL state)
{
	struct wr_object *object;
	NTSTATUS status;
	DWORD access;

	status = wr_handle_get(handle, &kind, &object, &access);
	if (status != STATUS_SUCCESS)
		return status;
	if (!(access & QUERY_STATE))
		status = STATUS_ACCESS_DENIED;
	else if (!wr_writable(state, sizeof(*state)))
		status = STATUS_ACCESS_VIOLATION;
	else
		*state = (int)((struct notification *)object)->type ==
			 signaled_now();
	wr_object_put(object);

	return status;
}

BOOL WINAPI QueryMemoryResourceNotification(HANDLE notification, PBOOL state)
{
	WR_KEEP_ERRNO();

	return wr_succeeded(query(notification, state));
}
