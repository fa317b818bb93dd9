// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * OpenProcess(): handles of processes
 *
 * What a handle allows is looked at in each call. What the kernel allows it has
 * decided when the handle was made: that is when files of /proc are opened, from
 * which the module makes a descriptor of the process's memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"
#include "threads.h"

/* As a shell tells of a process that a signal has killed */
#define KILLED_BY 128

#define CHANGE_RIGHTS \
	(PROCESS_VM_OPERATION | PROCESS_VM_READ | PROCESS_VM_WRITE | \
	 PROCESS_SET_QUOTA)

/* Without its memory, such a handle is not made; others just do less. */
#define MEMORY_RIGHTS (CHANGE_RIGHTS | PROCESS_QUERY_INFORMATION)

struct process {
	struct wr_waitable waitable;
	pid_t pid;
	int pidfd;
	/* Of its memory, or -errno */
	int memory;
	/* It is the one that has opened it; else the number of forks since does not count */
	bool own;
	unsigned int forks;
};

/* A child of a fork is another process. */
static unsigned int forks;

static void count_fork(void)
{
	forks++;
}

__attribute__((constructor)) static void init_processes(void)
{
	pthread_atfork(NULL, NULL, count_fork);
}

static bool is_own(const struct process *process)
{
	return process->own && process->forks == forks;
}

/* ---- waiting ---- */

/* The lock is held, and this does not sleep. */
static bool is_over(struct wr_waitable *object, struct wr_thread *thread)
{
	struct process *process = (struct process *)object;
	struct pollfd end = { .fd = process->pidfd, .events = POLLIN };
	int saved_errno = errno;
	bool over = poll(&end, 1, 0) > 0;

	(void)thread;
	errno = saved_errno;

	return over;
}

static bool take_nothing(struct wr_waitable *object, struct wr_thread *thread)
{
	(void)object;
	(void)thread;

	return false;
}

/* is_over() does. */
static void look(void)
{
}

static const struct wr_waits waits = { is_over, take_nothing, look };

/* ---- objects ---- */

static void destroy(struct wr_object *object)
{
	struct process *process = (struct process *)object;
	int saved_errno = errno;

	close(process->pidfd);
	if (process->memory >= 0)
		close(process->memory);
	free(process);
	errno = saved_errno;
}

static const struct wr_kind kind = {
	.generic_read = STANDARD_RIGHTS_READ | PROCESS_QUERY_INFORMATION |
			PROCESS_VM_READ,
	.generic_write = STANDARD_RIGHTS_WRITE | PROCESS_VM_OPERATION |
			 PROCESS_VM_WRITE | PROCESS_SET_QUOTA |
			 PROCESS_SET_INFORMATION,
	.generic_execute = STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE |
			   PROCESS_QUERY_LIMITED_INFORMATION,
	.generic_all = PROCESS_ALL_ACCESS,
	.destroy = destroy,
	.waits = &waits,
};

/* ---- OpenProcess ---- */

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
	close(arg.memory);
	if (err)
		return err;
	arg.out_fd = wr_above_stderr(arg.out_fd);

	return arg.out_fd < 0 ? -errno : arg.out_fd;
}

/* Whether there is something to be had from the handle without its memory */
static bool is_only_gone(int err)
{
	return err == -ESRCH || err == -EOWNERDEAD || err == -ENOTTY ||
	       err == -ENODEV;
}

/* Nobody else can have got the number if it is there after that. */
static bool is_there(const struct process *process)
{
	return !syscall(SYS_pidfd_send_signal, process->pidfd, 0, NULL, 0) ||
	       errno != ESRCH;
}

static NTSTATUS open_parts(struct process *process, DWORD access)
{
	process->memory = -EACCES;
	process->pidfd = syscall(SYS_pidfd_open, process->pid, 0);
	if (process->pidfd >= 0)
		process->pidfd = wr_above_stderr(process->pidfd);
	if (process->pidfd < 0)
		return errno == ESRCH || errno == EINVAL ?
			       STATUS_INVALID_PARAMETER :
			       STATUS_INSUFFICIENT_RESOURCES;
	if (access & (CHANGE_RIGHTS | PROCESS_QUERY_LIMITED_INFORMATION))
		process->memory =
			open_memory(process->pid, access & CHANGE_RIGHTS);
	if (!is_there(process))
		return STATUS_INVALID_PARAMETER;
	if (process->memory < 0 && access & MEMORY_RIGHTS &&
	    !is_only_gone(process->memory))
		return status_of_open(-process->memory);

	return STATUS_SUCCESS;
}

static NTSTATUS open_process(DWORD access, BOOL inherit, DWORD pid,
			     HANDLE *handle)
{
	struct process *process = calloc(1, sizeof(*process));
	NTSTATUS status;

	if (!process)
		return STATUS_NO_MEMORY;
	wr_waitable_init(&process->waitable, &kind);
	process->pid = pid;
	process->own = process->pid == getpid();
	process->forks = forks;
	access = wr_specific_rights(&kind, access);
	if (access & PROCESS_QUERY_INFORMATION)
		access |= PROCESS_QUERY_LIMITED_INFORMATION;
	status = open_parts(process, access);
	if (status == STATUS_SUCCESS)
		status = wr_handle_new(&process->waitable.object, access,
				       inherit, handle);
	wr_object_put(&process->waitable.object);

	return status;
}

/* All that can be had, for who asks for that */
static NTSTATUS open_most(BOOL inherit, DWORD pid, HANDLE *handle)
{
	static const DWORD rights[] = {
		PROCESS_ALL_ACCESS,
		SYNCHRONIZE | PROCESS_QUERY_INFORMATION,
		SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION,
	};
	NTSTATUS status = STATUS_ACCESS_DENIED;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rights) && status == STATUS_ACCESS_DENIED;
	     i++)
		status = open_process(rights[i], inherit, pid, handle);

	return status;
}

HANDLE WINAPI OpenProcess(DWORD access, BOOL inherit, DWORD pid)
{
	HANDLE handle = NULL;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	if (access & MAXIMUM_ALLOWED)
		status = open_most(inherit, pid, &handle);
	else
		status = open_process(access, inherit, pid, &handle);

	return wr_succeeded(status) ? handle : NULL;
}

/* ---- for calls about processes ---- */

NTSTATUS wr_target_get_any(HANDLE handle, DWORD access,
			   struct wr_target *target)
{
	struct process *process;
	NTSTATUS status;
	DWORD granted;

	*target = (struct wr_target){ .fd = -1 };
	if (handle == NtCurrentProcess())
		return STATUS_SUCCESS;
	status = wr_handle_get(handle, &kind, &target->object, &granted);
	if (status == STATUS_SUCCESS && (granted & access) != access) {
		wr_target_put(target);
		status = STATUS_ACCESS_DENIED;
	}
	if (status != STATUS_SUCCESS)
		return status;
	process = (struct process *)target->object;
	target->pid = process->pid;
	target->fd = process->memory;
	if (is_own(process))
		wr_target_put(target);

	return STATUS_SUCCESS;
}

static NTSTATUS status_of_memory(int err)
{
	return err == -ENOTTY || err == -ENODEV ? STATUS_NOT_SUPPORTED :
						  STATUS_PROCESS_IS_TERMINATING;
}

NTSTATUS wr_target_get(HANDLE handle, DWORD access, struct wr_target *target)
{
	NTSTATUS status = wr_target_get_any(handle, access, target);

	if (status == STATUS_SUCCESS && target->object && target->fd < 0) {
		status = status_of_memory(target->fd);
		wr_target_put(target);
	}

	return status;
}

NTSTATUS wr_target_check(HANDLE handle, DWORD access)
{
	struct wr_target target;
	NTSTATUS status = wr_target_get(handle, access, &target);

	wr_target_put(&target);

	return status;
}

void wr_target_put(struct wr_target *target)
{
	if (target->object)
		wr_object_put(target->object);
	*target = (struct wr_target){ .fd = -1 };
}

int wr_target_ioctl(const struct wr_target *target, unsigned long request,
		    void *arg)
{
	if (!target->object)
		return wr_device_ioctl(request, arg);

	return wr_section_ioctl(target->fd, request, arg);
}

bool wr_target_is_there(const struct wr_target *target)
{
	struct winregion_get_info info = { .size = sizeof(info) };

	return !wr_target_ioctl(target, WINREGION_GET_INFO, &info);
}

/* ---- what is known of a process ---- */

DWORD WINAPI GetProcessId(HANDLE process)
{
	struct wr_target target;
	NTSTATUS status;
	DWORD pid;

	status = wr_target_get_any(process, PROCESS_QUERY_LIMITED_INFORMATION,
				   &target);
	if (!wr_succeeded(status))
		return 0;
	pid = target.object ? (DWORD)target.pid : (DWORD)getpid();
	wr_target_put(&target);

	return pid;
}

/* Only the parent is told, and the child stays as it is for its wait(2). */
static NTSTATUS exit_code(const struct process *process, LPDWORD code)
{
	siginfo_t info = { .si_pid = 0 };

	if (!is_over((struct wr_waitable *)process, NULL)) {
		*code = STILL_ACTIVE;
		return STATUS_SUCCESS;
	}
	if (waitid(P_PIDFD, process->pidfd, &info,
		   WEXITED | WNOHANG | WNOWAIT) ||
	    !info.si_pid)
		return STATUS_NOT_SUPPORTED;
	*code = info.si_code == CLD_EXITED ? info.si_status :
					     KILLED_BY + info.si_status;

	return STATUS_SUCCESS;
}

BOOL WINAPI GetExitCodeProcess(HANDLE process, LPDWORD code)
{
	struct wr_target target;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	if (!wr_writable(code, sizeof(*code)))
		return wr_succeeded(STATUS_ACCESS_VIOLATION);
	status = wr_target_get_any(process, PROCESS_QUERY_LIMITED_INFORMATION,
				   &target);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	if (target.object)
		status = exit_code((struct process *)target.object, code);
	else
		*code = STILL_ACTIVE;
	wr_target_put(&target);

	return wr_succeeded(status);
}
