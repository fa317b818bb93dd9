/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - fibers, and variables of each
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_FIBERSAPI_H
#define _WINREGION_FIBERSAPI_H

#include "winnt.h"

#define FLS_OUT_OF_INDEXES 0xFFFFFFFFU
#define FLS_MAXIMUM_AVAILABLE 4080

#define FIBER_FLAG_FLOAT_SWITCH 0x1

typedef VOID(WINAPI *PFLS_CALLBACK_FUNCTION)(PVOID value);
typedef VOID(WINAPI *PFIBER_START_ROUTINE)(LPVOID argument);
typedef PFIBER_START_ROUTINE LPFIBER_START_ROUTINE;

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* A variable of each fiber, and of each thread without one. Rules FLS-01 to FLS-07 */
DWORD WINAPI FlsAlloc(PFLS_CALLBACK_FUNCTION callback);
PVOID WINAPI FlsGetValue(DWORD index);
BOOL WINAPI FlsSetValue(DWORD index, PVOID value);
BOOL WINAPI FlsFree(DWORD index);

/* Rules FB-01 to FB-11 */
LPVOID WINAPI ConvertThreadToFiber(LPVOID argument);
LPVOID WINAPI ConvertThreadToFiberEx(LPVOID argument, DWORD flags);
BOOL WINAPI ConvertFiberToThread(VOID);
LPVOID WINAPI CreateFiber(SIZE_T commit, LPFIBER_START_ROUTINE start,
			  LPVOID argument);
LPVOID WINAPI CreateFiberEx(SIZE_T commit, SIZE_T reserve, DWORD flags,
			    LPFIBER_START_ROUTINE start, LPVOID argument);
VOID WINAPI DeleteFiber(LPVOID fiber);
VOID WINAPI SwitchToFiber(LPVOID fiber);
BOOL WINAPI IsThreadAFiber(VOID);
PVOID WINAPI GetCurrentFiber(VOID);
PVOID WINAPI GetFiberData(VOID);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_FIBERSAPI_H */
