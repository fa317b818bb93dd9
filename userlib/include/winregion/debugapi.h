/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - debuggers
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_DEBUGAPI_H
#define _WINREGION_DEBUGAPI_H

#include "minwinbase.h"
#include "minwindef.h"
#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Whether one traces this process */
BOOL WINAPI IsDebuggerPresent(VOID);

/* It stops here. */
VOID WINAPI DebugBreak(VOID);

/* A line for it: to standard error if there is one, else nowhere */
VOID WINAPI OutputDebugStringA(LPCSTR text);
VOID WINAPI OutputDebugStringW(LPCWSTR text);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define OutputDebugString OutputDebugStringW
#else
#define OutputDebugString OutputDebugStringA
#endif

#endif /* _WINREGION_DEBUGAPI_H */
