/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <windows.h> for the real programs that are run as tests: the library's, and what
 * they call beside memory and files, of which no more is here than they need.
 * None of it looks at security, nor at what is inherited.
 */
#ifndef _SELFTESTS_PROGRAMS_WINDOWS_H
#define _SELFTESTS_PROGRAMS_WINDOWS_H

#include <stdarg.h>
#include <wchar.h>

#include <winregion/windows.h>

#include "calendar.h"
#include "console.h"
#include "uncalled.h"

#define ERROR_NETNAME_DELETED 64
#define ERROR_NETWORK_UNREACHABLE 1231

/* ---- process.c ---- */

typedef struct _STARTUPINFOA {
	DWORD cb;
	LPSTR lpReserved;
	LPSTR lpDesktop;
	LPSTR lpTitle;
	DWORD dwX;
	DWORD dwY;
	DWORD dwXSize;
	DWORD dwYSize;
	DWORD dwXCountChars;
	DWORD dwYCountChars;
	DWORD dwFillAttribute;
	DWORD dwFlags;
	WORD wShowWindow;
	WORD cbReserved2;
	LPBYTE lpReserved2;
	HANDLE hStdInput;
	HANDLE hStdOutput;
	HANDLE hStdError;
} STARTUPINFOA, *LPSTARTUPINFOA;

typedef struct _PROCESS_INFORMATION {
	HANDLE hProcess;
	HANDLE hThread;
	DWORD dwProcessId;
	DWORD dwThreadId;
} PROCESS_INFORMATION, *LPPROCESS_INFORMATION;

BOOL WINAPI CreateProcessA(LPCSTR name, LPSTR command,
			   LPSECURITY_ATTRIBUTES process_security,
			   LPSECURITY_ATTRIBUTES thread_security, BOOL inherit,
			   DWORD flags, LPVOID environment, LPCSTR directory,
			   LPSTARTUPINFOA startup,
			   LPPROCESS_INFORMATION result);

/* ---- other.c ---- */

#define Int32x32To64(a, b) ((LONGLONG)(LONG)(a) * (LONG)(b))
DWORD WINAPI GetVersion(VOID);
BOOL WINAPI AreFileApisANSI(VOID);
/* RtlGenRandom() */
BOOLEAN NTAPI SystemFunction036(PVOID memory, ULONG size);

/* The C library's are for a wchar_t of 32 bits. */
WCHAR *win32_wcscpy(WCHAR *to, const WCHAR *from);
#define wcscpy win32_wcscpy

#endif /* _SELFTESTS_PROGRAMS_WINDOWS_H */
