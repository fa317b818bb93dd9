/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <windows.h> for the real programs that are run as tests: the library's, and what
 * they call beside memory and files, of which no more is here than they need.
 *
 * Mutexes, events, threads and processes are what one can wait for. A mutex lies in
 * a section, so that its name, and who may open it, are the module's matter. None of
 * this looks at security but that, nor at rights, nor at what is inherited.
 */
#ifndef _SELFTESTS_PROGRAMS_WINDOWS_H
#define _SELFTESTS_PROGRAMS_WINDOWS_H

#include <stdarg.h>
#include <wchar.h>

#include <winregion/windows.h>

#include "calendar.h"
#include "console.h"
#include "counter.h"
#include "criticalsection.h"
#include "debug.h"
#include "loader.h"
#include "uncalled.h"

#define ERROR_NETNAME_DELETED 64
#define ERROR_SEM_TIMEOUT 121
#define ERROR_NETWORK_UNREACHABLE 1231

#define WAIT_OBJECT_0 0x00000000
#define WAIT_ABANDONED 0x00000080
#define WAIT_IO_COMPLETION 0x000000C0
#define WAIT_TIMEOUT 0x00000102
#define WAIT_FAILED 0xFFFFFFFFU

/* ---- wait.c ---- */

HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES security, BOOL owned,
			   LPCSTR name);
HANDLE WINAPI OpenMutexA(DWORD access, BOOL inherit, LPCSTR name);
BOOL WINAPI ReleaseMutex(HANDLE mutex);

/* Without names */
HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES security, BOOL manual,
			   BOOL set, LPCSTR name);
BOOL WINAPI SetEvent(HANDLE event);

/* To wait for only */
HANDLE WINAPI OpenProcess(DWORD access, BOOL inherit, DWORD pid);

DWORD WINAPI WaitForSingleObject(HANDLE object, DWORD milliseconds);
/* No call is ever queued. */
DWORD WINAPI WaitForSingleObjectEx(HANDLE object, DWORD milliseconds,
				   BOOL alertable);
DWORD WINAPI SignalObjectAndWait(HANDLE signal, HANDLE object,
				 DWORD milliseconds, BOOL alertable);

/* Handles of these objects and of the library's */
BOOL WINAPI win32_close(HANDLE object);

#define CreateMutex CreateMutexA
#define OpenMutex OpenMutexA
#define CreateEvent CreateEventA
#define CloseHandle win32_close

/* ---- process.c, which <process.h> is about, too ---- */

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

/* ---- thread.c ---- */

typedef DWORD (WINAPI *LPTHREAD_START_ROUTINE)(LPVOID argument);

HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES security, SIZE_T stack,
			   LPTHREAD_START_ROUTINE start, LPVOID argument,
			   DWORD flags, LPDWORD id);

#define TLS_OUT_OF_INDEXES 0xFFFFFFFFU

DWORD WINAPI TlsAlloc(VOID);
BOOL WINAPI TlsFree(DWORD index);
LPVOID WINAPI TlsGetValue(DWORD index);
BOOL WINAPI TlsSetValue(DWORD index, LPVOID value);

/* Functions in the sections .CRT$XL*, called as threads begin and end: see tls.ld */
typedef VOID (NTAPI *PIMAGE_TLS_CALLBACK)(PVOID module, DWORD reason,
					  PVOID reserved);

/* ---- other.c ---- */

#define Int32x32To64(a, b) ((LONGLONG)(LONG)(a) * (LONG)(b))
DWORD WINAPI GetVersion(VOID);
BOOL WINAPI AreFileApisANSI(VOID);
void *_aligned_malloc(size_t size, size_t alignment);
void _aligned_free(void *memory);

/* The C library's are for a wchar_t of 32 bits. */
WCHAR *win32_wcscpy(WCHAR *to, const WCHAR *from);
#define wcscpy win32_wcscpy

#endif /* _SELFTESTS_PROGRAMS_WINDOWS_H */
