/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Other processes
 */
#ifndef _WINREGION_PROCESS_TARGET_H
#define _WINREGION_PROCESS_TARGET_H

#include <stdio.h>
#include <sys/types.h>

#include "threads.h"

/* For these the kernel must allow to trace the process. */
#define WR_CHANGE_RIGHTS \
	(PROCESS_VM_OPERATION | PROCESS_VM_READ | PROCESS_VM_WRITE | \
	 PROCESS_SET_QUOTA | PROCESS_DUP_HANDLE)

struct wr_process {
	struct wr_waitable waitable;
	pid_t pid;
	int pidfd;
	/* Of its memory, or -errno */
	int memory;
	/* What both are */
	struct wr_identity pidfd_identity;
	struct wr_identity memory_identity;
	/* It is the one that has opened it, or a parent of who has it now */
	bool own;
};

/* Its handle may be any that is a process's. */
extern const struct wr_kind wr_process_kind;

/* process.c: nobody else can have got its number if it is there after that was used. */
bool wr_process_is_there(const struct wr_process *process);

/* Whether it has ended; this does not sleep. */
bool wr_process_is_over(struct wr_waitable *object, struct wr_thread *thread);

/* process.c: this process, to wait for, with one user more */
struct wr_waitable *wr_process_this(void);

/* Which process a call is about */
struct wr_target {
	/* NULL: it is this process */
	struct wr_object *object;
	pid_t pid;
	/* What ioctls about its memory are of; -1: the device, which is about ours */
	int fd;
};

/*
 * process.c: what @handle leads to, if it has all the rights of @access; until
 * wr_target_put().
 */
NTSTATUS wr_target_get(HANDLE handle, DWORD access, struct wr_target *target);

/* The same if its memory is not asked for, which may be gone. */
NTSTATUS wr_target_get_any(HANDLE handle, DWORD access,
			   struct wr_target *target);
void wr_target_put(struct wr_target *target);

/* openprocess.c: by a number, without a handle; 0 is this process */
NTSTATUS wr_target_open(DWORD pid, DWORD access, struct wr_target *target);

/*
 * process.c: the same after /proc was asked by its number. Return: whether that was the
 * process, and not another one that has got the number.
 */
bool wr_target_put_asked(struct wr_target *target);

/* process.c: why a process has no descriptor of its memory, which is -errno */
NTSTATUS wr_status_of_memory(int err);

/* process.c: only whether it can be got, where something else is looked at first */
NTSTATUS wr_target_check(HANDLE handle, DWORD access);

/* process.c: whether it is of this process, for calls about no other one */
NTSTATUS wr_target_own(HANDLE handle, DWORD access);

/* process.c: where a file of /proc that is about it is; then wr_target_put_asked() */
#define WR_TARGET_PATH 64
void wr_target_path(const struct wr_target *target, const char *name,
		    char path[WR_TARGET_PATH]);

/* process.c: the same, open to be read; or NULL and errno */
FILE *wr_target_file(const struct wr_target *target, const char *name);

/* process.c: whether it still has the memory that it had when it was opened */
bool wr_target_is_there(const struct wr_target *target);

/* process.c: an ioctl about its memory: 0 or -errno */
int wr_target_ioctl(const struct wr_target *target, unsigned long request,
		    void *arg);

#endif /* _WINREGION_PROCESS_TARGET_H */
