/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - the current directory, the environment, standard input and output
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_PROCESSENV_H
#define _WINREGION_PROCESSENV_H

#include "winnt.h"

#define STD_INPUT_HANDLE ((DWORD)-10)
#define STD_OUTPUT_HANDLE ((DWORD)-11)
#define STD_ERROR_HANDLE ((DWORD)-12)

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Rules FILE-91 and FILE-92 */
DWORD WINAPI GetCurrentDirectoryA(DWORD size, LPSTR buffer);
DWORD WINAPI GetCurrentDirectoryW(DWORD size, LPWSTR buffer);

/* The units of the value; with the 0 at its end if there is no room for both */
DWORD WINAPI GetEnvironmentVariableA(LPCSTR name, LPSTR buffer, DWORD size);
DWORD WINAPI GetEnvironmentVariableW(LPCWSTR name, LPWSTR buffer, DWORD size);
/* With NULL it goes. */
BOOL WINAPI SetEnvironmentVariableA(LPCSTR name, LPCSTR value);
BOOL WINAPI SetEnvironmentVariableW(LPCWSTR name, LPCWSTR value);

/* Descriptor 0, 1 or 2; NULL if it is closed */
HANDLE WINAPI GetStdHandle(DWORD which);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define GetCurrentDirectory GetCurrentDirectoryW
#define GetEnvironmentVariable GetEnvironmentVariableW
#define SetEnvironmentVariable SetEnvironmentVariableW
#else
#define GetCurrentDirectory GetCurrentDirectoryA
#define GetEnvironmentVariable GetEnvironmentVariableA
#define SetEnvironmentVariable SetEnvironmentVariableA
#endif

#endif /* _WINREGION_PROCESSENV_H */
