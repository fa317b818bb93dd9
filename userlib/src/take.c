// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a handle of another process leads to
 *
 * The table of handles is the process's own memory. It is found by the name of a mapping,
 * and read as a debugger would: that the kernel allows, and the copy of a descriptor, who
 * may trace the process. Nothing is locked there. So all is read again once there is a
 * copy of the descriptor: if nothing has changed the handle has been there all the time,
 * and so has what it leads to.
 *
 * Whatever such a process writes into its memory, who takes from it gets descriptors of
 * that process, and no others.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "file.h"
#include "handle.h"
#include "process.h"
#include "section.h"

/* Something was being changed meanwhile; told if that does not end */
#define CHANGED STATUS_UNSUCCESSFUL

/* How often it is looked again if something has changed meanwhile */
#define MAX_TRIES 100

/* Not known on all machines that this is built on, and the same on all of them */
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

struct wr_taking {
	const struct wr_target *target;
	/* In its memory */
	uintptr_t table;
};

/* What is known of a handle there; compared as a whole */
struct found {
	struct wr_table table;
	struct wr_slot slot;
	uint32_t kind;
};

static const struct wr_process *process_of(const struct wr_taking *taking)
{
	return (const struct wr_process *)taking->target->object;
}

NTSTATUS wr_take_status(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return STATUS_ACCESS_DENIED;
	case ESRCH:
	case ENOENT:
		return STATUS_PROCESS_IS_TERMINATING;
	case ENOSYS:
		return STATUS_NOT_SUPPORTED;
	case EBADF:
	case EFAULT:
		return STATUS_INVALID_HANDLE;
	case ENOMEM:
		return STATUS_NO_MEMORY;
	default:
		return STATUS_INSUFFICIENT_RESOURCES;
	}
}

int wr_take_descriptor(struct wr_taking *taking, int fd)
{
	int copy = syscall(SYS_pidfd_getfd, process_of(taking)->pidfd, fd, 0);

	if (copy >= 0)
		copy = wr_above_stderr(copy);

	return copy < 0 ? -errno : copy;
}

/* Return: 0 or -errno */
static int read_there(const struct wr_taking *taking, const void *address,
		      void *to, size_t size)
{
	struct iovec local = { .iov_base = to, .iov_len = size };
	struct iovec remote = { .iov_base = (void *)address, .iov_len = size };
	ssize_t n =
		process_vm_readv(taking->target->pid, &local, 1, &remote, 1, 0);

	if (n < 0)
		return -errno;

	return (size_t)n == size ? 0 : -EFAULT;
}

/* ---- the table ---- */

/* A table has none if it is in the place of another program's. */
static NTSTATUS find_table(struct wr_taking *taking)
{
	char *line = NULL;
	unsigned long long first = 0;
	bool found = false;
	size_t room = 0;
	FILE *maps;

	maps = wr_target_file(taking->target, "maps");
	if (!maps)
		return wr_take_status(-errno);
	while (!found && getline(&line, &room, maps) > 0)
		found = strstr(line, " /memfd:" WR_TABLE_NAME) &&
			sscanf(line, "%llx-", &first) == 1;
	fclose(maps);
	free(line);
	taking->table = first;
	/* It has no handles, or more addresses than this process. */
	if (!found)
		return STATUS_INVALID_HANDLE;

	return taking->table == first ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}

static NTSTATUS check_table(const struct wr_taking *taking,
			    struct wr_table *table)
{
	int err = read_there(taking, (void *)taking->table, table,
			     sizeof(*table));

	if (err)
		return wr_take_status(err);
	if (table->magic != WR_TABLE_MAGIC)
		return STATUS_INVALID_HANDLE;

	/* A library of another version, or of another width */
	return table->sizes == WR_TABLE_SIZES ? STATUS_SUCCESS :
						STATUS_NOT_SUPPORTED;
}

static NTSTATUS read_slot(const struct wr_taking *taking, uintptr_t number,
			  struct found *found)
{
	const struct wr_kind *kind;
	int err;

	if (!number || number >= found->table.nr_slots)
		return STATUS_INVALID_HANDLE;
	err = read_there(taking, found->table.slots + number, &found->slot,
			 sizeof(found->slot));
	if (!err && !found->slot.object)
		return STATUS_INVALID_HANDLE;
	if (!err)
		err = read_there(taking, &found->slot.object->kind, &kind,
				 sizeof(kind));
	if (!err)
		err = read_there(taking, &kind->number, &found->kind,
				 sizeof(found->kind));

	return err ? wr_take_status(err) : STATUS_SUCCESS;
}

/* Return: CHANGED if it was being changed */
static NTSTATUS read_found(const struct wr_taking *taking, HANDLE handle,
			   struct found *found)
{
	uintptr_t number = (uintptr_t)handle / WR_HANDLE_STEP;
	NTSTATUS status;

	memset(found, 0, sizeof(*found));
	status = check_table(taking, &found->table);
	if (status != STATUS_SUCCESS)
		return status;
	if (found->table.sequence % 2)
		return CHANGED;

	return read_slot(taking, number, found);
}

/* ---- objects ---- */

/* What a program is not linked with it has no use for. */
static const struct wr_kind *kind_of(uint32_t number)
{
	switch (number) {
	case WR_KIND_FILE:
		return &wr_file_kind;
	case WR_KIND_SECTION:
		return &wr_section_kind;
	case WR_KIND_PROCESS:
		return &wr_process_kind;
	default:
		return NULL;
	}
}

static NTSTATUS take_object(struct wr_taking *taking, const struct found *found,
			    struct wr_object **object)
{
	const struct wr_kind *kind = kind_of(found->kind);
	struct wr_object *other;
	NTSTATUS status;
	int err;

	if (!kind)
		return STATUS_NOT_SUPPORTED;
	other = malloc(kind->size);
	if (!other)
		return STATUS_NO_MEMORY;
	err = read_there(taking, found->slot.object, other, kind->size);
	status = err ? wr_take_status(err) :
		       kind->take(taking, other, found->slot.access, object);
	free(other);

	return status;
}

/* Whether the number is still the process's, and the program the one that was asked */
static bool is_there(const struct wr_taking *taking)
{
	return wr_process_is_there(process_of(taking)) &&
	       (taking->target->fd < 0 || wr_target_is_there(taking->target));
}

/* Return: CHANGED if it was being changed; else @object is only there on success. */
static NTSTATUS try_to_take(struct wr_taking *taking, HANDLE handle,
			    struct wr_object **object, DWORD *access)
{
	struct found before, after;
	NTSTATUS status, again;

	status = read_found(taking, handle, &before);
	if (status == STATUS_SUCCESS)
		status = take_object(taking, &before, object);
	again = read_found(taking, handle, &after);
	if (again == STATUS_SUCCESS &&
	    !memcmp(&before, &after, sizeof(before))) {
		*access = before.slot.access;
		return status;
	}
	if (status == STATUS_SUCCESS)
		wr_object_put(*object);

	/* What cannot be read the first time cannot be the second time. */
	return status == again && status != STATUS_SUCCESS ? status : CHANGED;
}

NTSTATUS wr_take(const struct wr_target *target, HANDLE handle,
		 struct wr_object **object, DWORD *access)
{
	struct wr_taking taking = { .target = target };
	NTSTATUS status;
	int i;

	WR_NO_CANCEL();

	status = find_table(&taking);
	if (status == STATUS_SUCCESS)
		status = CHANGED;
	for (i = 0; i < MAX_TRIES && status == CHANGED; i++) {
		if (i)
			sched_yield();
		status = try_to_take(&taking, handle, object, access);
	}
	if (!is_there(&taking)) {
		if (status == STATUS_SUCCESS)
			wr_object_put(*object);
		return STATUS_PROCESS_IS_TERMINATING;
	}

	return status;
}
