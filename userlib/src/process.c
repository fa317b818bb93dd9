// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What handles of processes lead to, for the calls that take one
 *
 * What a handle allows is looked at in each call. OpenProcess() has a file of its own,
 * for programs that are linked with this library and have one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

/* As a shell tells of a process that a signal has killed */
#define KILLED_BY 128

/*
 * A child has what its parent knows of itself, whatever made it. Its number is another one,
 * except in a new PID namespace: then a signal reaches its parent as little as it reaches
 * one that has ended.
 */
static bool is_own(const struct wr_process *process)
{
	int saved_errno = errno;
	bool own = process->own && process->pid == getpid();

	if (own && syscall(SYS_pidfd_send_signal, process->pidfd, 0, NULL, 0))
		own = errno != ESRCH && errno != EINVAL;
	errno = saved_errno;

	return own;
}

bool wr_process_is_there(const struct wr_process *process)
{
	return !syscall(SYS_pidfd_send_signal, process->pidfd, 0, NULL, 0) ||
	       errno != ESRCH;
}

/* ---- waiting ---- */

/* The lock is held, and this does not sleep. */
bool wr_process_is_over(struct wr_waitable *object, struct wr_thread *thread)
{
	struct wr_process *process = (struct wr_process *)object;
	struct pollfd end = { .fd = process->pidfd, .events = POLLIN };
	int saved_errno = errno;
	bool over;

	WR_NO_CANCEL();

	(void)thread;
	over = poll(&end, 1, 0) > 0;
	errno = saved_errno;

	return over;
}

static bool take_nothing(struct wr_waitable *object, struct wr_thread *thread)
{
	(void)object;
	(void)thread;

	return false;
}

/* wr_process_is_over() does. */
static void look(void)
{
}

static const struct wr_waits waits = {
	.is_signaled = wr_process_is_over,
	.take = take_nothing,
	.look = look,
};

/* ---- objects ---- */

/*
 * This process, for who waits for its end, which does not come meanwhile: it needs no
 * descriptor, and in a child it is the child. Nobody has a handle of it.
 */
static struct wr_process this_process = {
	.waitable = {
		.object = { .kind = &wr_process_kind, .users = 1, .fd = -1 },
		.last = &this_process.waitable.first,
	},
	.pidfd = -1,
	.memory = -1,
};

struct wr_waitable *wr_process_this(void)
{
	wr_object_get(&this_process.waitable.object);

	return &this_process.waitable;
}

static void destroy(struct wr_object *object)
{
	struct wr_process *process = (struct wr_process *)object;
	int saved_errno = errno;

	wr_identity_close(&process->pidfd_identity, process->pidfd);
	wr_identity_close(&process->memory_identity, process->memory);
	free(process);
	errno = saved_errno;
}

/* ---- those of others ---- */

/*
 * What the kernel says of a descriptor, after a name like "Pid:"; @text has it. NULL: it
 * is none of that kind.
 */
#define FDINFO_ROOM 512

static const char *told_of(int fd, const char *name, char text[FDINFO_ROOM])
{
	char path[40];
	const char *line;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	wr_read_text(path, text, FDINFO_ROOM);
	line = strstr(text, name);

	return line ? line + strlen(name) : NULL;
}

/* Who takes a handle uses the memory by rights of its own, so it has to be that process's. */
static bool is_memory_of(int fd, pid_t pid, DWORD access)
{
	char text[FDINFO_ROOM];
	const char *told = told_of(fd, "process:\t", text);

	if (!told || strtol(told, NULL, 10) != pid)
		return false;

	return !(access & WR_CHANGE_RIGHTS) || strstr(told, "access:\tchange");
}

/* Also one that has ended, which has no number any more, and no memory. */
static NTSTATUS take_descriptors(struct wr_taking *taking,
				 const struct wr_process *other, DWORD access,
				 struct wr_process *process)
{
	char text[FDINFO_ROOM];
	const char *told;

	process->memory = other->memory < 0 ? other->memory : -ESRCH;
	process->pidfd = wr_identify(wr_take_descriptor(taking, other->pidfd),
				     &process->pidfd_identity);
	if (process->pidfd < 0)
		return wr_take_status(process->pidfd);
	told = told_of(process->pidfd, "Pid:\t", text);
	if (!told)
		return STATUS_INVALID_HANDLE;
	process->pid = strtol(told, NULL, 10);
	if (process->pid <= 0)
		process->pid = 0;
	if (other->memory < 0 || !process->pid)
		return STATUS_SUCCESS;
	process->memory = wr_identify(wr_take_descriptor(taking, other->memory),
				      &process->memory_identity);
	if (process->memory < 0)
		return wr_take_status(process->memory);

	return is_memory_of(process->memory, process->pid, access) ?
		       STATUS_SUCCESS :
		       STATUS_INVALID_HANDLE;
}

static NTSTATUS take_process(struct wr_taking *taking,
			     const struct wr_object *other, DWORD access,
			     struct wr_object **object)
{
	struct wr_process *process = calloc(1, sizeof(*process));
	NTSTATUS status;

	if (!process)
		return STATUS_NO_MEMORY;
	wr_waitable_init(&process->waitable, &wr_process_kind);
	status = take_descriptors(taking, (const struct wr_process *)other,
				  access, process);
	process->own = process->pid == getpid();
	if (status == STATUS_SUCCESS)
		*object = &process->waitable.object;
	else
		wr_object_put(&process->waitable.object);

	return status;
}

const struct wr_kind wr_process_kind = {
	.number = WR_KIND_PROCESS,
	.size = sizeof(struct wr_process),
	.take = take_process,
	.generic_read = STANDARD_RIGHTS_READ | PROCESS_QUERY_INFORMATION |
			PROCESS_VM_READ,
	.generic_write = STANDARD_RIGHTS_WRITE | PROCESS_CREATE_THREAD |
			 PROCESS_VM_OPERATION | PROCESS_VM_WRITE |
			 PROCESS_DUP_HANDLE | PROCESS_CREATE_PROCESS |
			 PROCESS_SET_QUOTA | PROCESS_SET_INFORMATION |
			 PROCESS_SUSPEND_RESUME,
	.generic_execute = STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE |
			   PROCESS_QUERY_LIMITED_INFORMATION |
			   PROCESS_TERMINATE,
	.generic_all = PROCESS_ALL_ACCESS,
	.destroy = destroy,
	.waits = &waits,
};

/* ---- for calls about processes ---- */

NTSTATUS wr_target_get_any(HANDLE handle, DWORD access,
			   struct wr_target *target)
{
	struct wr_process *process;
	NTSTATUS status;
	DWORD granted;

	*target = (struct wr_target){ .fd = -1 };
	if (handle == NtCurrentProcess())
		return STATUS_SUCCESS;
	status = wr_handle_get(handle, &wr_process_kind, &target->object,
			       &granted);
	if (status == STATUS_SUCCESS && (granted & access) != access) {
		wr_target_put(target);
		status = STATUS_ACCESS_DENIED;
	}
	if (status != STATUS_SUCCESS)
		return status;
	process = (struct wr_process *)target->object;
	target->pid = process->pid;
	target->fd = process->memory;
	if (is_own(process))
		wr_target_put(target);

	return STATUS_SUCCESS;
}

NTSTATUS wr_status_of_memory(int err)
{
	return err == -ENOTTY || err == -ENODEV ? STATUS_NOT_SUPPORTED :
						  STATUS_PROCESS_IS_TERMINATING;
}

NTSTATUS wr_target_get(HANDLE handle, DWORD access, struct wr_target *target)
{
	NTSTATUS status = wr_target_get_any(handle, access, target);

	if (status == STATUS_SUCCESS && target->object && target->fd < 0) {
		status = wr_status_of_memory(target->fd);
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

NTSTATUS wr_target_own(HANDLE handle, DWORD access)
{
	struct wr_target target;
	NTSTATUS status = wr_target_get_any(handle, access, &target);

	if (status == STATUS_SUCCESS && target.object)
		status = STATUS_INVALID_HANDLE;
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

void wr_target_path(const struct wr_target *target, const char *name,
		    char path[WR_TARGET_PATH])
{
	if (target->object)
		snprintf(path, WR_TARGET_PATH, "/proc/%d/%s", target->pid,
			 name);
	else
		snprintf(path, WR_TARGET_PATH, "/proc/self/%s", name);
}

FILE *wr_target_file(const struct wr_target *target, const char *name)
{
	char path[WR_TARGET_PATH];

	wr_target_path(target, name, path);

	return fopen(path, "re");
}

bool wr_target_is_there(const struct wr_target *target)
{
	struct winregion_get_info info = { .size = sizeof(info) };

	return !wr_target_ioctl(target, WINREGION_GET_INFO, &info);
}

bool wr_target_put_asked(struct wr_target *target)
{
	bool there = !target->object || wr_target_is_there(target);

	wr_target_put(target);

	return there;
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
static NTSTATUS exit_code(const struct wr_process *process, LPDWORD code)
{
	siginfo_t info = { .si_pid = 0 };

	WR_NO_CANCEL();

	if (!wr_process_is_over((struct wr_waitable *)process, NULL)) {
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
		status = exit_code((struct wr_process *)target.object, code);
	else
		*code = STILL_ACTIVE;
	wr_target_put(&target);

	return wr_succeeded(status);
}
