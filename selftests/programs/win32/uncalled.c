// SPDX-License-Identifier: GPL-2.0
/*
 * What programs name, or have the address of, and do not call as they are run here
 */
#include <stdio.h>
#include <stdlib.h>

#include "windows.h"

#define UNCALLED(type, name, ...)                                 \
	type name(__VA_ARGS__)                                    \
	{                                                         \
		fprintf(stderr, "%s() is not here\n", __func__);  \
		abort();                                          \
	}

UNCALLED(BOOL WINAPI, GetDiskFreeSpaceA, LPCSTR root, LPDWORD sectors,
	 LPDWORD bytes, LPDWORD free_clusters, LPDWORD clusters)
UNCALLED(BOOL WINAPI, GetDiskFreeSpaceW, LPCWSTR root, LPDWORD sectors,
	 LPDWORD bytes, LPDWORD free_clusters, LPDWORD clusters)

UNCALLED(HANDLE WINAPI, GetProcessHeap, VOID)
UNCALLED(HANDLE WINAPI, HeapCreate, DWORD options, SIZE_T initial, SIZE_T most)
UNCALLED(BOOL WINAPI, HeapDestroy, HANDLE heap)
UNCALLED(LPVOID WINAPI, HeapAlloc, HANDLE heap, DWORD flags, SIZE_T size)
UNCALLED(LPVOID WINAPI, HeapReAlloc, HANDLE heap, DWORD flags, LPVOID memory,
	 SIZE_T size)
UNCALLED(BOOL WINAPI, HeapFree, HANDLE heap, DWORD flags, LPVOID memory)
UNCALLED(SIZE_T WINAPI, HeapSize, HANDLE heap, DWORD flags, LPCVOID memory)
UNCALLED(BOOL WINAPI, HeapValidate, HANDLE heap, DWORD flags, LPCVOID memory)
UNCALLED(SIZE_T WINAPI, HeapCompact, HANDLE heap, DWORD flags)

UNCALLED(HANDLE WINAPI, FindFirstFileW, LPCWSTR name, LPWIN32_FIND_DATAW data)
UNCALLED(BOOL WINAPI, FindClose, HANDLE find)
UNCALLED(BOOL WINAPI, SetFileTime, HANDLE file, const FILETIME *creation,
	 const FILETIME *access, const FILETIME *write)

UNCALLED(BOOL WINAPI, SetCurrentDirectoryW, LPCWSTR name)
UNCALLED(int, _wunlink, LPCWSTR name)
UNCALLED(WCHAR *, _wgetenv, LPCWSTR name)
