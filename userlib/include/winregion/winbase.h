/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - flags of files, and moving them; messages; what memory is good for
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_WINBASE_H
#define _WINREGION_WINBASE_H

#include <stdarg.h>

#include "globalmem.h"
#include "minwinbase.h"
#include "minwindef.h"
#include "winnt.h"

#ifndef MAX_PATH
#define MAX_PATH 260
#endif

#define FILE_FLAG_WRITE_THROUGH 0x80000000
#define FILE_FLAG_OVERLAPPED 0x40000000
#define FILE_FLAG_NO_BUFFERING 0x20000000
#define FILE_FLAG_RANDOM_ACCESS 0x10000000
#define FILE_FLAG_SEQUENTIAL_SCAN 0x08000000
#define FILE_FLAG_DELETE_ON_CLOSE 0x04000000
#define FILE_FLAG_BACKUP_SEMANTICS 0x02000000
#define FILE_FLAG_POSIX_SEMANTICS 0x01000000
#define FILE_FLAG_SESSION_AWARE 0x00800000
#define FILE_FLAG_OPEN_REPARSE_POINT 0x00200000
#define FILE_FLAG_OPEN_NO_RECALL 0x00100000

#define FILE_BEGIN 0
#define FILE_CURRENT 1
#define FILE_END 2

#define FILE_TYPE_UNKNOWN 0x0000
#define FILE_TYPE_DISK 0x0001
#define FILE_TYPE_CHAR 0x0002
#define FILE_TYPE_PIPE 0x0003
#define FILE_TYPE_REMOTE 0x8000

#define MOVEFILE_REPLACE_EXISTING 0x00000001
#define MOVEFILE_COPY_ALLOWED 0x00000002
#define MOVEFILE_DELAY_UNTIL_REBOOT 0x00000004
#define MOVEFILE_WRITE_THROUGH 0x00000008
#define MOVEFILE_CREATE_HARDLINK 0x00000010
#define MOVEFILE_FAIL_IF_NOT_TRACKABLE 0x00000020

#define PROCESS_NAME_NATIVE 0x00000001

#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x00000100
#define FORMAT_MESSAGE_IGNORE_INSERTS 0x00000200
#define FORMAT_MESSAGE_FROM_STRING 0x00000400
#define FORMAT_MESSAGE_FROM_HMODULE 0x00000800
#define FORMAT_MESSAGE_FROM_SYSTEM 0x00001000
#define FORMAT_MESSAGE_ARGUMENT_ARRAY 0x00002000
#define FORMAT_MESSAGE_MAX_WIDTH_MASK 0x000000FF

/* 0x103: STATUS_PENDING */
#define HasOverlappedIoCompleted(overlapped) \
	((DWORD)(overlapped)->Internal != 0x00000103)

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Rules FILE-73 to 79 */
BOOL WINAPI MoveFileA(LPCSTR from, LPCSTR to);
BOOL WINAPI MoveFileW(LPCWSTR from, LPCWSTR to);
BOOL WINAPI MoveFileExA(LPCSTR from, LPCSTR to, DWORD flags);
BOOL WINAPI MoveFileExW(LPCWSTR from, LPCWSTR to, DWORD flags);

/* Those of <memoryapi.h> for names in UTF-8 */
HANDLE WINAPI CreateFileMappingA(HANDLE file, LPSECURITY_ATTRIBUTES security,
				 DWORD protect, DWORD size_high, DWORD size_low,
				 LPCSTR name);
HANDLE WINAPI CreateFileMappingNumaA(HANDLE file,
				     LPSECURITY_ATTRIBUTES security,
				     DWORD protect, DWORD size_high,
				     DWORD size_low, LPCSTR name, DWORD node);
HANDLE WINAPI OpenFileMappingA(DWORD access, BOOL inherit, LPCSTR name);

/* The file that a process runs, a path of Linux. Rules PI-11 to PI-13 */
BOOL WINAPI QueryFullProcessImageNameA(HANDLE process, DWORD flags, LPSTR name,
				       PDWORD size);
BOOL WINAPI QueryFullProcessImageNameW(HANDLE process, DWORD flags, LPWSTR name,
				       PDWORD size);

/* Rule FILE-49 */
BOOL WINAPI GetOverlappedResult(HANDLE file, LPOVERLAPPED overlapped,
				LPDWORD done, BOOL wait);

/* The number of a privilege, by SE_LOCK_MEMORY_NAME and so on */
BOOL WINAPI LookupPrivilegeValueA(LPCSTR system, LPCSTR name, PLUID luid);
BOOL WINAPI LookupPrivilegeValueW(LPCWSTR system, LPCWSTR name, PLUID luid);

/* The text of an error, or of a string with places for arguments: its units, or 0 */
DWORD WINAPI FormatMessageA(DWORD flags, LPCVOID source, DWORD message,
			    DWORD language, LPSTR buffer, DWORD size,
			    va_list *arguments);
DWORD WINAPI FormatMessageW(DWORD flags, LPCVOID source, DWORD message,
			    DWORD language, LPWSTR buffer, DWORD size,
			    va_list *arguments);

/*
 * Memory of the process' heap, with what <globalmem.h> has, if the program is linked
 * with that; of the C library's, and fixed, if it is not. Freed, it is NULL.
 */
HLOCAL WINAPI LocalAlloc(UINT flags, SIZE_T size);
HLOCAL WINAPI LocalFree(HLOCAL memory);

/* GlobalMemoryStatusEx() for those that take no error. Rule GM-08. */
VOID WINAPI GlobalMemoryStatus(LPMEMORYSTATUS status);

/* MapUserPhysicalPages() of pages that need not lie side by side. Rule AW-07. */
BOOL WINAPI MapUserPhysicalPagesScatter(PVOID *addresses, ULONG_PTR count,
					PULONG_PTR pages);

/* MapViewOfFileEx() with a memory node that is preferred. Rule VX-08. */
LPVOID WINAPI MapViewOfFileExNuma(HANDLE section, DWORD access,
				  DWORD offset_high, DWORD offset_low,
				  SIZE_T size, LPVOID address, DWORD node);

/* What memory nodes have, and which one a processor is near to. Rules VX-13, VX-14. */
BOOL WINAPI GetNumaNodeProcessorMask(UCHAR node, PULONGLONG mask);
BOOL WINAPI GetNumaAvailableMemoryNode(UCHAR node, PULONGLONG bytes);
BOOL WINAPI GetNumaAvailableMemoryNodeEx(USHORT node, PULONGLONG bytes);
BOOL WINAPI GetNumaProcessorNode(UCHAR processor, PUCHAR node);
BOOL WINAPI GetNumaProcessorNodeEx(PPROCESSOR_NUMBER processor, PUSHORT node);

/*
 * Strings, which may be NULL: then 0, NULL, and the lowest of all. They are compared by
 * their characters, with the case of A to Z ignored by lstrcmpi(). Rules LSTR-01 to 05.
 */
int WINAPI lstrlenA(LPCSTR text);
int WINAPI lstrlenW(LPCWSTR text);
LPSTR WINAPI lstrcpyA(LPSTR to, LPCSTR from);
LPWSTR WINAPI lstrcpyW(LPWSTR to, LPCWSTR from);
LPSTR WINAPI lstrcpynA(LPSTR to, LPCSTR from, int size);
LPWSTR WINAPI lstrcpynW(LPWSTR to, LPCWSTR from, int size);
LPSTR WINAPI lstrcatA(LPSTR to, LPCSTR from);
LPWSTR WINAPI lstrcatW(LPWSTR to, LPCWSTR from);
int WINAPI lstrcmpA(LPCSTR a, LPCSTR b);
int WINAPI lstrcmpW(LPCWSTR a, LPCWSTR b);
int WINAPI lstrcmpiA(LPCSTR a, LPCSTR b);
int WINAPI lstrcmpiW(LPCWSTR a, LPCWSTR b);

/* TRUE: it cannot be read, written or run. They take guards. Rules BP-01 to 08. */
BOOL WINAPI IsBadReadPtr(LPCVOID address, UINT_PTR size);
BOOL WINAPI IsBadWritePtr(LPVOID address, UINT_PTR size);
BOOL WINAPI IsBadCodePtr(FARPROC function);
BOOL WINAPI IsBadStringPtrA(LPCSTR text, UINT_PTR size);
BOOL WINAPI IsBadStringPtrW(LPCWSTR text, UINT_PTR size);
BOOL WINAPI IsBadHugeReadPtr(LPCVOID address, UINT_PTR size);
BOOL WINAPI IsBadHugeWritePtr(LPVOID address, UINT_PTR size);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define LookupPrivilegeValue LookupPrivilegeValueW
#define QueryFullProcessImageName QueryFullProcessImageNameW
#define MoveFile MoveFileW
#define MoveFileEx MoveFileExW
#define FormatMessage FormatMessageW
#define IsBadStringPtr IsBadStringPtrW
#define CreateFileMapping CreateFileMappingW
#define lstrlen lstrlenW
#define lstrcpy lstrcpyW
#define lstrcpyn lstrcpynW
#define lstrcat lstrcatW
#define lstrcmp lstrcmpW
#define lstrcmpi lstrcmpiW
#define CreateFileMappingNuma CreateFileMappingNumaW
#define OpenFileMapping OpenFileMappingW
#else
#define LookupPrivilegeValue LookupPrivilegeValueA
#define QueryFullProcessImageName QueryFullProcessImageNameA
#define CreateFileMapping CreateFileMappingA
#define lstrlen lstrlenA
#define lstrcpy lstrcpyA
#define lstrcpyn lstrcpynA
#define lstrcat lstrcatA
#define lstrcmp lstrcmpA
#define lstrcmpi lstrcmpiA
#define CreateFileMappingNuma CreateFileMappingNumaA
#define OpenFileMapping OpenFileMappingA
#define MoveFile MoveFileA
#define MoveFileEx MoveFileExA
#define FormatMessage FormatMessageA
#define IsBadStringPtr IsBadStringPtrA
#endif

#endif /* _WINREGION_WINBASE_H */
