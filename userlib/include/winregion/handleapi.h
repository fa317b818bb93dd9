/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - handles
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_HANDLEAPI_H
#define _WINREGION_HANDLEAPI_H

#include "winnt.h"

#define HANDLE_FLAG_INHERIT 0x00000001
#define HANDLE_FLAG_PROTECT_FROM_CLOSE 0x00000002

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Close a handle; its object goes with the last one. Rules HANDLE-01 to 06. */
BOOL WINAPI CloseHandle(HANDLE object);

/*
 * A second handle of the same object, with the same rights or fewer. Both
 * processes must be the calling one. Rules HANDLE-10 to 17.
 */
BOOL WINAPI DuplicateHandle(HANDLE source_process, HANDLE source,
			    HANDLE target_process, LPHANDLE target,
			    DWORD access, BOOL inherit, DWORD options);

/* The two HANDLE_FLAG_*. Rules HANDLE-20 to 23. */
BOOL WINAPI GetHandleInformation(HANDLE object, LPDWORD flags);
BOOL WINAPI SetHandleInformation(HANDLE object, DWORD mask, DWORD flags);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_HANDLEAPI_H */
