/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - the current directory
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_PROCESSENV_H
#define _WINREGION_PROCESSENV_H

#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Rules FILE-91 and FILE-92 */
DWORD WINAPI GetCurrentDirectoryA(DWORD size, LPSTR buffer);
DWORD WINAPI GetCurrentDirectoryW(DWORD size, LPWSTR buffer);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define GetCurrentDirectory GetCurrentDirectoryW
#else
#define GetCurrentDirectory GetCurrentDirectoryA
#endif

#endif /* _WINREGION_PROCESSENV_H */
