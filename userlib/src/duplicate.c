// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * DuplicateHandle()
 *
 * Of a handle of another process one can be made here, as far as what it leads to is not
 * that process's own memory: take.c. The other way round there is nobody to make it: the
 * table is the other's, and no call of Linux puts a descriptor into another process.
 */
#include <errno.h>
#include <unistd.h>

#include "handle.h"
#include "process.h"

/* One of an object of its own, where that is the object's matter */
static NTSTATUS new_narrower(struct wr_object *object, DWORD access,
			     BOOL inherit, HANDLE *handle)
{
	struct wr_object *narrower;
	NTSTATUS status = object->kind->narrow(object, access, &narrower);

	if (status != STATUS_SUCCESS)
		return status;
	status = wr_handle_new(narrower, access, inherit, handle);
	wr_object_put(narrower);

	return status;
}

/* No handle has rights that the one it is made from, with @granted, has not. */
static NTSTATUS duplicate_object(struct wr_object *object, DWORD granted,
				 LPHANDLE target, DWORD access, BOOL inherit,
				 DWORD options)
{
	HANDLE unused;

	access = wr_specific_rights(object->kind, access);
	if (options & DUPLICATE_SAME_ACCESS || access & MAXIMUM_ALLOWED)
		access = granted;
	if (access & ~granted)
		return STATUS_ACCESS_DENIED;
	if (!target)
		target = &unused;
	if (access != granted && object->kind->narrow)
		return new_narrower(object, access, inherit, target);

	return wr_handle_new(object, access, inherit, target);
}

/* GetCurrentProcess(), of whose process it is asked: nothing is there but that. */
static NTSTATUS get_process(const struct wr_target *from,
			    struct wr_object **object, DWORD *granted)
{
	NTSTATUS status;

	*granted = PROCESS_ALL_ACCESS;
	status = wr_process_object(*granted,
				   from->object ? from->pid : getpid(), object);
	if (status != STATUS_SUCCESS || !from->object ||
	    wr_process_is_there((struct wr_process *)from->object))
		return status;
	wr_object_put(*object);

	return STATUS_PROCESS_IS_TERMINATING;
}

static NTSTATUS get_source(const struct wr_target *from, HANDLE source,
			   struct wr_object **object, DWORD *granted)
{
	if (source == NtCurrentProcess())
		return get_process(from, object, granted);
	if (!from->object)
		return wr_handle_get(source, NULL, object, granted);
	/* The others stand for threads, and what belongs to them. */
	if ((uintptr_t)source >= WR_LOWEST_PSEUDO)
		return STATUS_NOT_SUPPORTED;

	return wr_take(from, source, object, granted);
}

static NTSTATUS duplicate(const struct wr_target *from, HANDLE source,
			  LPHANDLE target, DWORD access, BOOL inherit,
			  DWORD options)
{
	struct wr_object *object;
	NTSTATUS status;
	DWORD granted;

	status = get_source(from, source, &object, &granted);
	if (status != STATUS_SUCCESS)
		return status;
	status = duplicate_object(object, granted, target, access, inherit,
				  options);
	wr_object_put(object);

	return status;
}

/* Whether handles can be made for the process: it is this one. */
static NTSTATUS check_target(HANDLE process)
{
	struct wr_target target;
	NTSTATUS status;

	status = wr_target_get_any(process, PROCESS_DUP_HANDLE, &target);
	if (status != STATUS_SUCCESS)
		return status;
	status = target.object ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
	wr_target_put(&target);

	return status;
}

static NTSTATUS duplicate_own(const struct wr_target *from, HANDLE source,
			      HANDLE process, LPHANDLE target, DWORD access,
			      BOOL inherit, DWORD options)
{
	NTSTATUS status;

	/* No process to make one in: this is how to close only. */
	if (!process && options & DUPLICATE_CLOSE_SOURCE)
		return wr_handle_close(source);

	status = check_target(process);
	/* Nothing is lost by what cannot be. */
	if (status == STATUS_NOT_SUPPORTED)
		return status;
	if (status == STATUS_SUCCESS)
		status = duplicate(from, source, target, access, inherit,
				   options);

	/* Whether the rest has worked or not */
	if (options & DUPLICATE_CLOSE_SOURCE)
		wr_handle_close(source);

	return status;
}

static NTSTATUS duplicate_taken(const struct wr_target *from, HANDLE source,
				HANDLE process, LPHANDLE target, DWORD access,
				BOOL inherit, DWORD options)
{
	NTSTATUS status;

	/* Nobody but the other process closes its handles. */
	if (options & DUPLICATE_CLOSE_SOURCE)
		return STATUS_NOT_SUPPORTED;
	status = check_target(process);
	if (status != STATUS_SUCCESS)
		return status;

	return duplicate(from, source, target, access, inherit, options);
}

BOOL WINAPI DuplicateHandle(HANDLE source_process, HANDLE source,
			    HANDLE target_process, LPHANDLE target,
			    DWORD access, BOOL inherit, DWORD options)
{
	struct wr_target from;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	if (options & ~(DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE))
		return wr_succeeded(STATUS_INVALID_PARAMETER);
	if (target && !wr_writable(target, sizeof(*target)))
		return wr_succeeded(STATUS_ACCESS_VIOLATION);
	status = wr_target_get_any(source_process, PROCESS_DUP_HANDLE, &from);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	status = (from.object ? duplicate_taken :
				duplicate_own)(&from, source, target_process,
					       target, access, inherit,
					       options);
	wr_target_put(&from);

	return wr_succeeded(status);
}
