/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - exceptions: what handles them, and raising one
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_ERRHANDLINGAPI_H
#define _WINREGION_ERRHANDLINGAPI_H

#include "minwinbase.h"
#include "winnt.h"

typedef LONG(WINAPI *PTOP_LEVEL_EXCEPTION_FILTER)(PEXCEPTION_POINTERS pointers);
typedef PTOP_LEVEL_EXCEPTION_FILTER LPTOP_LEVEL_EXCEPTION_FILTER;

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Called for all exceptions of all threads, before anything else. Rules EX-01 to 12. */
PVOID WINAPI AddVectoredExceptionHandler(ULONG first,
					 PVECTORED_EXCEPTION_HANDLER handler);
ULONG WINAPI RemoveVectoredExceptionHandler(PVOID handle);

/* Called when the program is about to go on after an exception. Rules EX-13, EX-14. */
PVOID WINAPI AddVectoredContinueHandler(ULONG first,
					PVECTORED_EXCEPTION_HANDLER handler);
ULONG WINAPI RemoveVectoredContinueHandler(PVOID handle);

/* Called for what nothing else has handled. Rules EX-15 to 18. */
LPTOP_LEVEL_EXCEPTION_FILTER WINAPI
SetUnhandledExceptionFilter(LPTOP_LEVEL_EXCEPTION_FILTER filter);
LONG WINAPI UnhandledExceptionFilter(PEXCEPTION_POINTERS pointers);

/* Rules EX-20 to 24 */
VOID WINAPI RaiseException(DWORD code, DWORD flags, DWORD nr_arguments,
			   const ULONG_PTR *arguments);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_ERRHANDLINGAPI_H */
