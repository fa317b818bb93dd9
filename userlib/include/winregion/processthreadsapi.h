/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - threads, and variables of each
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_PROCESSTHREADSAPI_H
#define _WINREGION_PROCESSTHREADSAPI_H

#include "minwinbase.h"
#include "winnt.h"

#define CREATE_SUSPENDED 0x00000004
#define STACK_SIZE_PARAM_IS_A_RESERVATION 0x00010000
#define STILL_ACTIVE 259

#define TLS_OUT_OF_INDEXES 0xFFFFFFFFU

typedef DWORD(WINAPI *PTHREAD_START_ROUTINE)(LPVOID argument);
typedef PTHREAD_START_ROUTINE LPTHREAD_START_ROUTINE;

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/*
 * Threads on stacks whose guard the module moves down. Rules TH-01 to TH-15,
 * GP-17.
 */
HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES security, SIZE_T stack,
			   LPTHREAD_START_ROUTINE start, LPVOID argument,
			   DWORD flags, LPDWORD id);
VOID WINAPI ExitThread(DWORD code) __attribute__((__noreturn__));
DWORD WINAPI ResumeThread(HANDLE thread);
BOOL WINAPI TerminateThread(HANDLE thread, DWORD code);
BOOL WINAPI GetExitCodeThread(HANDLE thread, LPDWORD code);
DWORD WINAPI GetThreadId(HANDLE thread);
DWORD WINAPI GetProcessIdOfThread(HANDLE thread);
HANDLE WINAPI GetCurrentThread(VOID);

/* exit(), with a code that stays another one than 0. Rules TH-22, TH-23 */
VOID WINAPI ExitProcess(UINT code) __attribute__((__noreturn__));

/* Whose privileges <winregion/securitybaseapi.h> tells and changes; threads have none. */
BOOL WINAPI OpenProcessToken(HANDLE process, DWORD access, PHANDLE token);
BOOL WINAPI OpenThreadToken(HANDLE thread, DWORD access, BOOL as_self,
			    PHANDLE token);

/* The stack of the calling thread, or of the fiber that it is. Rules ST-01 to ST-08 */
VOID WINAPI GetCurrentThreadStackLimits(PULONG_PTR low, PULONG_PTR high);
BOOL WINAPI SetThreadStackGuarantee(PULONG bytes);
/* <winregion/winternl.h> says what it leads to; it begins with an NT_TIB. */
struct _TEB *WINAPI NtCurrentTeb(VOID);

/* The processor that it runs on, for now */
DWORD WINAPI GetCurrentProcessorNumber(VOID);
VOID WINAPI GetCurrentProcessorNumberEx(PPROCESSOR_NUMBER processor);

/* A variable of each thread. Rules TLS-01 to TLS-05 */
DWORD WINAPI TlsAlloc(VOID);
LPVOID WINAPI TlsGetValue(DWORD index);
BOOL WINAPI TlsSetValue(DWORD index, LPVOID value);
BOOL WINAPI TlsFree(DWORD index);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#include "processinfo.h"

#endif /* _WINREGION_PROCESSTHREADSAPI_H */
