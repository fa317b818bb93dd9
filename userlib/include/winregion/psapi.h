/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - what processes have in memory
 */
#ifndef _WINREGION_PSAPI_H
#define _WINREGION_PSAPI_H

#include "windows.h"

/* Bytes; what is of the kernel's pools is 0. */
typedef struct _PROCESS_MEMORY_COUNTERS {
	DWORD cb;
	DWORD PageFaultCount;
	SIZE_T PeakWorkingSetSize;
	SIZE_T WorkingSetSize;
	SIZE_T QuotaPeakPagedPoolUsage;
	SIZE_T QuotaPagedPoolUsage;
	SIZE_T QuotaPeakNonPagedPoolUsage;
	SIZE_T QuotaNonPagedPoolUsage;
	SIZE_T PagefileUsage;
	SIZE_T PeakPagefileUsage;
} PROCESS_MEMORY_COUNTERS, *PPROCESS_MEMORY_COUNTERS;

typedef struct _PROCESS_MEMORY_COUNTERS_EX {
	DWORD cb;
	DWORD PageFaultCount;
	SIZE_T PeakWorkingSetSize;
	SIZE_T WorkingSetSize;
	SIZE_T QuotaPeakPagedPoolUsage;
	SIZE_T QuotaPagedPoolUsage;
	SIZE_T QuotaPeakNonPagedPoolUsage;
	SIZE_T QuotaNonPagedPoolUsage;
	SIZE_T PagefileUsage;
	SIZE_T PeakPagefileUsage;
	SIZE_T PrivateUsage;
} PROCESS_MEMORY_COUNTERS_EX, *PPROCESS_MEMORY_COUNTERS_EX;

_WINREGION_SIZE(PROCESS_MEMORY_COUNTERS, 72);
_WINREGION_SIZE(PROCESS_MEMORY_COUNTERS_EX, 80);
_WINREGION_OFFSET(PROCESS_MEMORY_COUNTERS_EX, PagefileUsage, 56);
_WINREGION_OFFSET(PROCESS_MEMORY_COUNTERS_EX, PrivateUsage, 72);

/* The sizes are in pages. */
typedef struct _PERFORMANCE_INFORMATION {
	DWORD cb;
	SIZE_T CommitTotal;
	SIZE_T CommitLimit;
	SIZE_T CommitPeak;
	SIZE_T PhysicalTotal;
	SIZE_T PhysicalAvailable;
	SIZE_T SystemCache;
	SIZE_T KernelTotal;
	SIZE_T KernelPaged;
	SIZE_T KernelNonpaged;
	SIZE_T PageSize;
	DWORD HandleCount;
	DWORD ProcessCount;
	DWORD ThreadCount;
} PERFORMANCE_INFORMATION, *PPERFORMANCE_INFORMATION, PERFORMACE_INFORMATION,
	*PPERFORMACE_INFORMATION;

_WINREGION_SIZE(PERFORMANCE_INFORMATION, 104);
_WINREGION_OFFSET(PERFORMANCE_INFORMATION, PageSize, 80);
_WINREGION_OFFSET(PERFORMANCE_INFORMATION, ThreadCount, 96);

#ifdef __cplusplus
extern "C" {
#endif

/* A page that is in memory */
typedef union _PSAPI_WORKING_SET_BLOCK {
	ULONG_PTR Flags;
	__extension__ struct {
		/* 1 R, 2 X, 3 XR, 4 RW, 5 WC, 6 XRW, 7 XWC; 8 more: NOCACHE */
		ULONG_PTR Protection : 5;
		ULONG_PTR ShareCount : 3;
		ULONG_PTR Shared : 1;
		ULONG_PTR Reserved : 3;
#ifdef __LP64__
		ULONG_PTR VirtualPage : 52;
#else
		ULONG_PTR VirtualPage : 20;
#endif
	};
} PSAPI_WORKING_SET_BLOCK, *PPSAPI_WORKING_SET_BLOCK;

typedef struct _PSAPI_WORKING_SET_INFORMATION {
	ULONG_PTR NumberOfEntries;
	PSAPI_WORKING_SET_BLOCK WorkingSetInfo[1];
} PSAPI_WORKING_SET_INFORMATION, *PPSAPI_WORKING_SET_INFORMATION;

_WINREGION_SIZE(PSAPI_WORKING_SET_INFORMATION, 16);
_WINREGION_OFFSET(PSAPI_WORKING_SET_INFORMATION, WorkingSetInfo, 8);

/* What is at an address; but Shared, all is 0 if Valid is */
typedef union _PSAPI_WORKING_SET_EX_BLOCK {
	ULONG_PTR Flags;
	__extension__ union {
		__extension__ struct {
			ULONG_PTR Valid : 1;
			ULONG_PTR ShareCount : 3;
			ULONG_PTR Win32Protection : 11;
			ULONG_PTR Shared : 1;
			ULONG_PTR Node : 6;
			ULONG_PTR Locked : 1;
			ULONG_PTR LargePage : 1;
			ULONG_PTR Reserved : 7;
			ULONG_PTR Bad : 1;
#ifdef __LP64__
			ULONG_PTR ReservedUlong : 32;
#endif
		};
		struct {
			ULONG_PTR Valid : 1;
			ULONG_PTR Reserved0 : 14;
			ULONG_PTR Shared : 1;
			ULONG_PTR Reserved1 : 15;
			ULONG_PTR Bad : 1;
#ifdef __LP64__
			ULONG_PTR ReservedUlong : 32;
#endif
		} Invalid;
	};
} PSAPI_WORKING_SET_EX_BLOCK, *PPSAPI_WORKING_SET_EX_BLOCK;

typedef struct _PSAPI_WORKING_SET_EX_INFORMATION {
	PVOID VirtualAddress;
	PSAPI_WORKING_SET_EX_BLOCK VirtualAttributes;
} PSAPI_WORKING_SET_EX_INFORMATION, *PPSAPI_WORKING_SET_EX_INFORMATION;

_WINREGION_SIZE(PSAPI_WORKING_SET_EX_INFORMATION, 16);
_WINREGION_OFFSET(PSAPI_WORKING_SET_EX_INFORMATION, VirtualAttributes, 8);

#pragma GCC visibility push(default)

/* The file of a view: units, without the 0 at the end; or 0. Rules MF-01 to 05. */
DWORD WINAPI GetMappedFileNameA(HANDLE process, LPVOID address, LPSTR name,
				DWORD size);
DWORD WINAPI GetMappedFileNameW(HANDLE process, LPVOID address, LPWSTR name,
				DWORD size);
DWORD WINAPI K32GetMappedFileNameA(HANDLE process, LPVOID address, LPSTR name,
				   DWORD size);
DWORD WINAPI K32GetMappedFileNameW(HANDLE process, LPVOID address, LPWSTR name,
				   DWORD size);

/* What the process has in memory, and its commit charge. Rules PI-01 to 06. */
BOOL WINAPI GetProcessMemoryInfo(HANDLE process,
				 PPROCESS_MEMORY_COUNTERS counters, DWORD size);
BOOL WINAPI K32GetProcessMemoryInfo(HANDLE process,
				    PPROCESS_MEMORY_COUNTERS counters,
				    DWORD size);

/* The same of the system. Rule PI-07. */
BOOL WINAPI GetPerformanceInfo(PPERFORMANCE_INFORMATION information,
			       DWORD size);
BOOL WINAPI K32GetPerformanceInfo(PPERFORMANCE_INFORMATION information,
				  DWORD size);

/*
 * What is not locked leaves the working set: it keeps what it holds, and comes back
 * with the next access. Of regions and views. Rules WS-06, WS-08.
 */
BOOL WINAPI EmptyWorkingSet(HANDLE process);
BOOL WINAPI K32EmptyWorkingSet(HANDLE process);

/* All pages in memory; how many, also where there is not room for them */
BOOL WINAPI QueryWorkingSet(HANDLE process, PVOID buffer, DWORD size);
BOOL WINAPI K32QueryWorkingSet(HANDLE process, PVOID buffer, DWORD size);

/* An array of PSAPI_WORKING_SET_EX_INFORMATION. Rules QW-01 to 09. */
BOOL WINAPI QueryWorkingSetEx(HANDLE process, PVOID buffer, DWORD size);
BOOL WINAPI K32QueryWorkingSetEx(HANDLE process, PVOID buffer, DWORD size);

/*
 * The program, and the libraries of Windows that this process has loaded: as many as
 * there is room for. @needed: bytes for all of them
 */
BOOL WINAPI EnumProcessModules(HANDLE process, HMODULE *modules, DWORD size,
			       LPDWORD needed);
BOOL WINAPI K32EnumProcessModules(HANDLE process, HMODULE *modules, DWORD size,
				  LPDWORD needed);

#pragma GCC visibility pop

#ifdef UNICODE
#define GetMappedFileName GetMappedFileNameW
#define K32GetMappedFileName K32GetMappedFileNameW
#else
#define GetMappedFileName GetMappedFileNameA
#define K32GetMappedFileName K32GetMappedFileNameA
#endif

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_PSAPI_H */
