// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * OpenProcess()
 *
 * What the kernel allows it has decided when the handle is made: that is when files of
 * /proc are opened, from which the module makes a descriptor of the process's memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "handle.h"
#include "process.h"

/* Without its memory, such a handle is not made; others just do less. */
#define MEMORY_RIGHTS (WR_CHANGE_RIGHTS | PROCESS_QUERY_INFORMATION)

static NTSTATUS status_of_open(int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
	case ENOENT: /* it is there, but /proc is not, or hides it */
		return STATUS_ACCESS_DENIED;
	case ENOEXEC:
		return STATUS_NOT_SUPPORTED;
	case ENOMEM:
		return STATUS_NO_MEMORY;
	default:
		return STATUS_INSUFFICIENT_RESOURCES;
	}
}

/*
 * A descriptor of the memory of @pid, or -errno. One that has ended has none, and
 * without the module there is no way to it: the handle is good for other things then.
 */
static int open_memory(pid_t pid, bool change)
{
	struct winregion_open_process arg = {
		.size = sizeof(arg),
		.flags = change ? WINREGION_PROCESS_CHANGE : 0,
	};
	char name[32];
	int err;

	snprintf(name, sizeof(name), "/proc/%d/%s", pid,
		 change ? "mem" : "environ");
	arg.memory = open(name, (change ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (arg.memory < 0)
		return -errno;
	err = wr_device_ask(WINREGION_OPEN_PROCESS, &arg);
	wr_close(arg.memory);
	if (err)
		return err;
	arg.out_fd = wr_above_stderr(arg.out_fd);

	return arg.out_fd < 0 ? -errno : arg.out_fd;
}

/* Of a thread's number newer kernels say something else than of a wrong one. */
static NTSTATUS status_of_pidfd(int err)
{
	switch (err) {
	case ESRCH:
	case EINVAL:
	case ENOENT:
		return STATUS_INVALID_PARAMETER;
	default:
		return STATUS_INSUFFICIENT_RESOURCES;
	}
}

/* Whether there is something to be had from the handle without its memory */
static bool is_only_gone(int err)
{
	return err == -ESRCH || err == -EOWNERDEAD || err == -ENOTTY ||
	       err == -ENODEV;
}

/* Who may not send a signal may not end it. */
static bool may_end(const struct wr_process *process)
{
	return !syscall(SYS_pidfd_send_signal, process->pidfd, 0, NULL, 0) ||
	       errno != EPERM;
}

static NTSTATUS open_parts(struct wr_process *process, DWORD access)
{
	process->memory = -EACCES;
	process->pidfd = syscall(SYS_pidfd_open, process->pid, 0);
	if (process->pidfd >= 0)
		process->pidfd = wr_identify(wr_above_stderr(process->pidfd),
					     &process->pidfd_identity);
	if (process->pidfd < 0)
		return status_of_pidfd(errno);
	if (access & PROCESS_TERMINATE && !may_end(process))
		return STATUS_ACCESS_DENIED;
	if (access & (WR_CHANGE_RIGHTS | PROCESS_QUERY_LIMITED_INFORMATION))
		process->memory =
			wr_identify(open_memory(process->pid,
						access & WR_CHANGE_RIGHTS),
				    &process->memory_identity);
	if (!wr_process_is_there(process))
		return STATUS_INVALID_PARAMETER;
	if (process->memory < 0 && access & MEMORY_RIGHTS &&
	    !is_only_gone(process->memory))
		return status_of_open(-process->memory);

	return STATUS_SUCCESS;
}

NTSTATUS wr_process_object(DWORD access, DWORD pid, struct wr_object **object)
{
	struct wr_process *process = calloc(1, sizeof(*process));
	NTSTATUS status;

	WR_NO_CANCEL();

	if (!process)
		return STATUS_NO_MEMORY;
	wr_waitable_init(&process->waitable, &wr_process_kind);
	process->pid = pid;
	process->own = process->pid == getpid();
	status = open_parts(process, access);
	if (status == STATUS_SUCCESS)
		*object = &process->waitable.object;
	else
		wr_object_put(&process->waitable.object);

	return status;
}

NTSTATUS wr_target_open(DWORD pid, DWORD access, struct wr_target *target)
{
	const struct wr_process *process;
	struct wr_object *object;
	NTSTATUS status;

	*target = (struct wr_target){ .fd = -1 };
	if (!pid || pid == (DWORD)getpid())
		return STATUS_SUCCESS;
	status = wr_process_object(access | PROCESS_QUERY_LIMITED_INFORMATION,
				   pid, &object);
	if (status != STATUS_SUCCESS)
		return status;
	process = (struct wr_process *)object;
	*target = (struct wr_target){
		.object = object,
		.pid = process->pid,
		.fd = process->memory,
	};
	if (target->fd >= 0)
		return STATUS_SUCCESS;
	status = wr_status_of_memory(target->fd);
	wr_target_put(target);

	return status;
}

static NTSTATUS open_process(DWORD access, BOOL inherit, DWORD pid,
			     HANDLE *handle)
{
	struct wr_object *object;
	NTSTATUS status;

	access = wr_specific_rights(&wr_process_kind, access);
	if (access & PROCESS_QUERY_INFORMATION)
		access |= PROCESS_QUERY_LIMITED_INFORMATION;
	status = wr_process_object(access, pid, &object);
	if (status != STATUS_SUCCESS)
		return status;
	status = wr_handle_new(object, access, inherit, handle);
	wr_object_put(object);

	return status;
}

/* By its memory, and a process of 32 bits has none here */
static bool is_refused(NTSTATUS status)
{
	return status == STATUS_ACCESS_DENIED || status == STATUS_NOT_SUPPORTED;
}

/*
 * All that can be had beside what is @asked for. Whom it may be ended by and whom its
 * memory is for are not the same.
 */
static NTSTATUS open_with_most(DWORD asked, BOOL inherit, DWORD pid,
			       HANDLE *handle)
{
	static const DWORD sets[] = {
		PROCESS_ALL_ACCESS,
		SYNCHRONIZE | PROCESS_TERMINATE | PROCESS_QUERY_INFORMATION,
		SYNCHRONIZE | PROCESS_TERMINATE |
			PROCESS_QUERY_LIMITED_INFORMATION,
		PROCESS_ALL_ACCESS & ~PROCESS_TERMINATE,
		SYNCHRONIZE | PROCESS_QUERY_INFORMATION,
		SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION,
	};
	NTSTATUS status = STATUS_ACCESS_DENIED;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sets) && is_refused(status); i++)
		status = open_process(asked | sets[i], inherit, pid, handle);

	return status;
}

HANDLE WINAPI OpenProcess(DWORD access, BOOL inherit, DWORD pid)
{
	HANDLE handle = NULL;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	if (access & MAXIMUM_ALLOWED)
		status = open_with_most(access & ~MAXIMUM_ALLOWED, inherit, pid,
					&handle);
	else
		status = open_process(access, inherit, pid, &handle);

	return wr_succeeded(status) ? handle : NULL;
}
