// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How a process ends: this one, by itself, and others, by who may
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "handle.h"
#include "process.h"

/* What a parent sees of an exit code */
#define EXIT_BITS 0xff

/* One that is not 0 is not seen as 0. */
static int seen_code(UINT code)
{
	return code && !(code & EXIT_BITS) ? 1 : code & EXIT_BITS;
}

/* ---- this one ---- */

/* The first thread that wants that; one that is the parent's is not here. */
static bool may_end_process(void)
{
	static ULONGLONG first;
	ULONGLONG self = (ULONGLONG)getpid() << 32 | gettid();
	ULONGLONG who = __atomic_load_n(&first, __ATOMIC_RELAXED);

	while (who >> 32 != self >> 32)
		if (__atomic_compare_exchange_n(&first, &who, self, false,
						__ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return true;

	return who == self;
}

/* exit() is for one thread. */
VOID WINAPI ExitProcess(UINT code)
{
	while (!may_end_process())
		pause();

	exit(seen_code(code));
}

/* ---- any ---- */

/* One that has ended cannot be ended: as if that were not allowed. */
static NTSTATUS kill_other(const struct wr_target *target)
{
	const struct wr_process *process = (struct wr_process *)target->object;

	if (!wr_process_is_over((struct wr_waitable *)target->object, NULL) &&
	    !syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0))
		return STATUS_SUCCESS;

	return STATUS_ACCESS_DENIED;
}

BOOL WINAPI TerminateProcess(HANDLE process, UINT code)
{
	struct wr_target target;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	status = wr_target_get_any(process, PROCESS_TERMINATE, &target);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	if (!target.object)
		_exit(seen_code(code));
	status = kill_other(&target);
	wr_target_put(&target);

	return wr_succeeded(status);
}
