/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What programs name, or have the address of, and do not call as they are run here:
 * who does is told so, and ended
 */
#ifndef _SELFTESTS_PROGRAMS_UNCALLED_H
#define _SELFTESTS_PROGRAMS_UNCALLED_H

#include <winregion/windows.h>

BOOL WINAPI GetDiskFreeSpaceA(LPCSTR root, LPDWORD sectors, LPDWORD bytes,
			      LPDWORD free_clusters, LPDWORD clusters);
BOOL WINAPI GetDiskFreeSpaceW(LPCWSTR root, LPDWORD sectors, LPDWORD bytes,
			      LPDWORD free_clusters, LPDWORD clusters);

HANDLE WINAPI GetProcessHeap(VOID);
HANDLE WINAPI HeapCreate(DWORD options, SIZE_T initial, SIZE_T most);
BOOL WINAPI HeapDestroy(HANDLE heap);
LPVOID WINAPI HeapAlloc(HANDLE heap, DWORD flags, SIZE_T size);
LPVOID WINAPI HeapReAlloc(HANDLE heap, DWORD flags, LPVOID memory, SIZE_T size);
BOOL WINAPI HeapFree(HANDLE heap, DWORD flags, LPVOID memory);
SIZE_T WINAPI HeapSize(HANDLE heap, DWORD flags, LPCVOID memory);
BOOL WINAPI HeapValidate(HANDLE heap, DWORD flags, LPCVOID memory);
SIZE_T WINAPI HeapCompact(HANDLE heap, DWORD flags);

typedef struct _WIN32_FIND_DATAW {
	DWORD dwFileAttributes;
	FILETIME ftCreationTime;
	FILETIME ftLastAccessTime;
	FILETIME ftLastWriteTime;
	DWORD nFileSizeHigh;
	DWORD nFileSizeLow;
	DWORD dwReserved0;
	DWORD dwReserved1;
	WCHAR cFileName[MAX_PATH];
	WCHAR cAlternateFileName[14];
} WIN32_FIND_DATAW, *LPWIN32_FIND_DATAW;

HANDLE WINAPI FindFirstFileW(LPCWSTR name, LPWIN32_FIND_DATAW data);
BOOL WINAPI FindClose(HANDLE find);
BOOL WINAPI SetFileTime(HANDLE file, const FILETIME *creation,
			const FILETIME *access, const FILETIME *write);

BOOL WINAPI SetCurrentDirectoryW(LPCWSTR name);
int _wunlink(LPCWSTR name);
WCHAR *_wgetenv(LPCWSTR name);

#endif /* _SELFTESTS_PROGRAMS_UNCALLED_H */
