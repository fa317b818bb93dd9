/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <windows.h> for the real programs that are run as tests: the library's, and what
 * they call beside memory and files, of which no more is here than they need.
 *
 * Mutexes with names and other processes are what one can wait for beside what the
 * library has, by calls that take the place of its own. A mutex lies in a section, so
 * that its name, and who may open it, are the module's matter. None of this looks at
 * security but that, nor at rights, nor at what is inherited.
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

/* ---- wait.c ---- */

/* Those without a name are the library's. */
HANDLE WINAPI win32_create_mutex(LPSECURITY_ATTRIBUTES security, BOOL owned,
				 LPCSTR name);
BOOL WINAPI win32_release_mutex(HANDLE mutex);
HANDLE WINAPI OpenMutexA(DWORD access, BOOL inherit, LPCSTR name);

/* To wait for only */
HANDLE WINAPI OpenProcess(DWORD access, BOOL inherit, DWORD pid);

/* Of these objects and of the library's */
DWORD WINAPI win32_wait(HANDLE object, DWORD milliseconds);
DWORD WINAPI win32_wait_ex(HANDLE object, DWORD milliseconds, BOOL alertable);
BOOL WINAPI win32_close(HANDLE object);

#define OpenMutex OpenMutexA
#define CreateMutexA win32_create_mutex
#define ReleaseMutex win32_release_mutex
#define WaitForSingleObject win32_wait
#define WaitForSingleObjectEx win32_wait_ex
#define CloseHandle win32_close

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
void *_aligned_malloc(size_t size, size_t alignment);
void _aligned_free(void *memory);

/* The C library's are for a wchar_t of 32 bits. */
WCHAR *win32_wcscpy(WCHAR *to, const WCHAR *from);
#define wcscpy win32_wcscpy

#endif /* _SELFTESTS_PROGRAMS_WINDOWS_H */
