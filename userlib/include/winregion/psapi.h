/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - what processes have in memory
 */
#ifndef _WINREGION_PSAPI_H
#define _WINREGION_PSAPI_H

#include "windows.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* The file of a view: units, without the 0 at the end; or 0. Rules MF-01 to 05. */
DWORD WINAPI GetMappedFileNameA(HANDLE process, LPVOID address, LPSTR name,
				DWORD size);
DWORD WINAPI GetMappedFileNameW(HANDLE process, LPVOID address, LPWSTR name,
				DWORD size);
DWORD WINAPI K32GetMappedFileNameA(HANDLE process, LPVOID address, LPSTR name,
				   DWORD size);
DWORD WINAPI K32GetMappedFileNameW(HANDLE process, LPVOID address, LPWSTR name,
				   DWORD size);

#pragma GCC visibility pop

#ifdef UNICODE
#define GetMappedFileName GetMappedFileNameW
#define K32GetMappedFileName K32GetMappedFileNameW
#else
#define GetMappedFileName GetMappedFileNameA
#define K32GetMappedFileName K32GetMappedFileNameA
#endif

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_PSAPI_H */
