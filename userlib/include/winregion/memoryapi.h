/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - sections and views of them: files in memory, and memory that
 * several processes have; and which pages of memory were written
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_MEMORYAPI_H
#define _WINREGION_MEMORYAPI_H

#include "minwinbase.h"
#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How much offered contents are worth: the first are freed first. */
typedef enum OFFER_PRIORITY {
	VmOfferPriorityVeryLow = 1,
	VmOfferPriorityLow,
	VmOfferPriorityBelowNormal,
	VmOfferPriorityNormal
} OFFER_PRIORITY;

typedef enum _MEMORY_RESOURCE_NOTIFICATION_TYPE {
	LowMemoryResourceNotification,
	HighMemoryResourceNotification
} MEMORY_RESOURCE_NOTIFICATION_TYPE;

#pragma GCC visibility push(default)

/*
 * VirtualAllocEx() with requirements on the address, and placeholders: MEM_RESERVE with
 * MEM_RESERVE_PLACEHOLDER or MEM_REPLACE_PLACEHOLDER. No process is this one. NULL on
 * failure. Rules VX-01 to 11, AR-01 to 11, PH-01 to 09, PH-30, PH-33.
 */
PVOID WINAPI VirtualAlloc2(HANDLE process, PVOID address, SIZE_T size,
			   ULONG type, ULONG protect,
			   PMEM_EXTENDED_PARAMETER parameters, ULONG count);

/* Other names of VirtualAlloc2(), VirtualAlloc() and VirtualProtect() */
PVOID WINAPI VirtualAlloc2FromApp(HANDLE process, PVOID address, SIZE_T size,
				  ULONG type, ULONG protect,
				  PMEM_EXTENDED_PARAMETER parameters,
				  ULONG count);
PVOID WINAPI VirtualAllocFromApp(PVOID address, SIZE_T size, ULONG type,
				 ULONG protect);
BOOL WINAPI VirtualProtectFromApp(PVOID address, SIZE_T size, ULONG protect,
				  PULONG old_protect);

/*
 * A section of a file, or with INVALID_HANDLE_VALUE of memory; or, with the name of
 * one that exists, that one. Not yet of an executable file, or with a protection that
 * copies or executes. NULL on failure; else the last error is 0, or
 * ERROR_ALREADY_EXISTS. Rules CM-01 to 46.
 */
HANDLE WINAPI CreateFileMappingW(HANDLE file, LPSECURITY_ATTRIBUTES security,
				 DWORD protect, DWORD size_high, DWORD size_low,
				 LPCWSTR name);

/*
 * The same with a memory node, which views prefer that do not name one themselves.
 * Rule VX-08.
 */
HANDLE WINAPI CreateFileMappingNumaW(HANDLE file,
				     LPSECURITY_ATTRIBUTES security,
				     DWORD protect, DWORD size_high,
				     DWORD size_low, LPCWSTR name, DWORD node);

/* The section that has a name. Rules OM-01 to 04. */
HANDLE WINAPI OpenFileMappingW(DWORD access, BOOL inherit, LPCWSTR name);

/* Show a part of it, size 0: the rest. NULL on failure. Rules MV-01 to 33. */
LPVOID WINAPI MapViewOfFile(HANDLE section, DWORD access, DWORD offset_high,
			    DWORD offset_low, SIZE_T size);
LPVOID WINAPI MapViewOfFileEx(HANDLE section, DWORD access, DWORD offset_high,
			      DWORD offset_low, SIZE_T size, LPVOID address);

/*
 * The same with a protection, in any process, and with requirements on the address;
 * type is 0, MEM_TOP_DOWN, or of MapViewOfFile3() MEM_REPLACE_PLACEHOLDER. Rules MV-34 to
 * 45, VX-02 to 08, AR-20 to 22, PH-27, PH-31.
 */
PVOID WINAPI MapViewOfFile3(HANDLE section, HANDLE process, PVOID base,
			    ULONG64 offset, SIZE_T size, ULONG type,
			    ULONG protect, PMEM_EXTENDED_PARAMETER parameters,
			    ULONG count);
PVOID WINAPI MapViewOfFile3FromApp(HANDLE section, HANDLE process, PVOID base,
				   ULONG64 offset, SIZE_T size, ULONG type,
				   ULONG protect,
				   PMEM_EXTENDED_PARAMETER parameters,
				   ULONG count);
PVOID WINAPI MapViewOfFile2(HANDLE section, HANDLE process, ULONG64 offset,
			    PVOID base, SIZE_T size, ULONG type, ULONG protect);
PVOID WINAPI MapViewOfFileNuma2(HANDLE section, HANDLE process, ULONG64 offset,
				PVOID base, SIZE_T size, ULONG type,
				ULONG protect, ULONG node);

/* VirtualAllocEx() with a memory node that is preferred. Rule VX-08. */
LPVOID WINAPI VirtualAllocExNuma(HANDLE process, LPVOID address, SIZE_T size,
				 DWORD type, DWORD protect, DWORD node);

/* The whole view that the address lies in. Rules UM-01 to 09. */
BOOL WINAPI UnmapViewOfFile(LPCVOID address);
BOOL WINAPI UnmapViewOfFileEx(PVOID address, ULONG flags);
BOOL WINAPI UnmapViewOfFile2(HANDLE process, PVOID address, ULONG flags);

/* Write to the file what was changed in a view. Rules FV-01 to 04. */
BOOL WINAPI FlushViewOfFile(LPCVOID address, SIZE_T size);

/*
 * Copy from or to memory that may not be there, or is another process's. Rules PM-01
 * to 11.
 */
BOOL WINAPI ReadProcessMemory(HANDLE process, LPCVOID from, LPVOID to,
			      SIZE_T size, SIZE_T *done);
BOOL WINAPI WriteProcessMemory(HANDLE process, LPVOID to, LPCVOID from,
			       SIZE_T size, SIZE_T *done);

/*
 * Pages of memory that are a program's own by number, wherever they are mapped. count: how
 * many; becomes how many there are. Of this process only. Rules AW-01 to 03, 08, 11.
 */
BOOL WINAPI AllocateUserPhysicalPages(HANDLE process, PULONG_PTR count,
				      PULONG_PTR pages);
BOOL WINAPI AllocateUserPhysicalPagesNuma(HANDLE process, PULONG_PTR count,
					  PULONG_PTR pages, DWORD node);
BOOL WINAPI FreeUserPhysicalPages(HANDLE process, PULONG_PTR count,
				  PULONG_PTR pages);

/* Map them in a region of MEM_PHYSICAL; pages NULL: unmap. Rules AW-04 to 07, 09, 10. */
BOOL WINAPI MapUserPhysicalPages(PVOID address, ULONG_PTR count,
				 PULONG_PTR pages);

/* What MEM_LARGE_PAGES takes multiples of: 2 MiB; 0 without the module */
SIZE_T WINAPI GetLargePageMinimum(VOID);

/*
 * The pages of the range that were written, of ascending addresses, at most *count:
 * which becomes how many they are. The range is in one allocation made with
 * MEM_WRITE_WATCH. With WRITE_WATCH_FLAG_RESET it is forgotten of those that are told.
 * 0, or ~0U on failure. Rules WW-01 to 44.
 */
UINT WINAPI GetWriteWatch(DWORD flags, PVOID base, SIZE_T size,
			  PVOID *addresses, ULONG_PTR *count,
			  LPDWORD granularity);

/* Forget what was written so far. 0, or ~0U on failure. Rules WW-10, 25, 36. */
UINT WINAPI ResetWriteWatch(LPVOID base, SIZE_T size);

/*
 * Free the contents of pages, all PAGE_READWRITE, at once. These three return the
 * error, or ERROR_SUCCESS. Rules DC-01, DC-02.
 */
DWORD WINAPI DiscardVirtualMemory(PVOID address, SIZE_T size);

/*
 * Let the contents of committed pages be freed when memory is short; no access until
 * they are reclaimed. ERROR_BUSY: all are there again, but the contents of some are
 * not. Rules OF-01 to 03, RC-01 to 03.
 */
DWORD WINAPI OfferVirtualMemory(PVOID address, SIZE_T size,
				OFFER_PRIORITY priority);
DWORD WINAPI ReclaimVirtualMemory(VOID const *address, SIZE_T size);

/* Have what is mapped from files read ahead. Rules PF-01 to 07. */
BOOL WINAPI PrefetchVirtualMemory(HANDLE process, ULONG_PTR nr,
				  PWIN32_MEMORY_RANGE_ENTRY list, ULONG flags);

/* Keep committed pages in memory, or no longer. Rules LK-01 to 12. */
BOOL WINAPI VirtualLock(LPVOID address, SIZE_T size);
BOOL WINAPI VirtualUnlock(LPVOID address, SIZE_T size);

/*
 * The limits of the working set, which are only remembered; both (SIZE_T)-1: it is
 * emptied. Rules WS-01 to 05.
 */
BOOL WINAPI SetProcessWorkingSetSize(HANDLE process, SIZE_T min, SIZE_T max);
BOOL WINAPI SetProcessWorkingSetSizeEx(HANDLE process, SIZE_T min, SIZE_T max,
				       DWORD flags);
BOOL WINAPI GetProcessWorkingSetSize(HANDLE process, PSIZE_T min, PSIZE_T max);
BOOL WINAPI GetProcessWorkingSetSizeEx(HANDLE process, PSIZE_T min, PSIZE_T max,
				       PDWORD flags);

/*
 * An object that is signaled while memory is short, or while there is enough of it;
 * to ask does not wait. Rules MN-01 to 04.
 */
HANDLE WINAPI
CreateMemoryResourceNotification(MEMORY_RESOURCE_NOTIFICATION_TYPE type);
BOOL WINAPI QueryMemoryResourceNotification(HANDLE notification, PBOOL state);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_MEMORYAPI_H */
