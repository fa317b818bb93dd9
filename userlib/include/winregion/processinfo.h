/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - this process and others: parts of <processthreadsapi.h>
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_PROCESSINFO_H
#define _WINREGION_PROCESSINFO_H

#include "minwinbase.h"
#include "minwindef.h"
#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* When it began, and the processor time that it took. Ended: 0 */
BOOL WINAPI GetProcessTimes(HANDLE process, LPFILETIME creation, LPFILETIME end,
			    LPFILETIME kernel, LPFILETIME user);
/* Of all processors together; the time in the kernel has the idle one in it. */
BOOL WINAPI GetSystemTimes(LPFILETIME idle, LPFILETIME kernel, LPFILETIME user);

DWORD WINAPI GetProcessId(HANDLE process);

/*
 * Another process, for calls about its memory, and to wait for its end. NULL on failure.
 * Rules XP-01, XP-03, XP-04, PM-10.
 */
HANDLE WINAPI OpenProcess(DWORD access, BOOL inherit, DWORD pid);

/* STILL_ACTIVE, or that of a child that has ended, which need not be waited for */
BOOL WINAPI GetExitCodeProcess(HANDLE process, LPDWORD code);

/*
 * Ends it at once; of another one, which @code does not get to, nothing but that it was
 * killed is seen. Rules TH-24, TH-25
 */
BOOL WINAPI TerminateProcess(HANDLE process, UINT code);

/* Before code that was written is run */
BOOL WINAPI FlushInstructionCache(HANDLE process, LPCVOID address, SIZE_T size);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_PROCESSINFO_H */
