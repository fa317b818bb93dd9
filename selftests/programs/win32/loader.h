/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Libraries that are loaded as a program runs: there are none but Kernel32.dll
 */
#ifndef _SELFTESTS_PROGRAMS_LOADER_H
#define _SELFTESTS_PROGRAMS_LOADER_H

#include <winregion/windows.h>

typedef HANDLE HINSTANCE, HMODULE;
typedef INT_PTR(WINAPI *FARPROC)(void);

#define ERROR_MOD_NOT_FOUND 126
#define ERROR_PROC_NOT_FOUND 127

HMODULE WINAPI LoadLibraryA(LPCSTR name);
HMODULE WINAPI LoadLibraryW(LPCWSTR name);
BOOL WINAPI FreeLibrary(HMODULE module);
FARPROC WINAPI GetProcAddress(HMODULE module, LPCSTR name);

#define LoadLibrary LoadLibraryA

#endif /* _SELFTESTS_PROGRAMS_LOADER_H */
