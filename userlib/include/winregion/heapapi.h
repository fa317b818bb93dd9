/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion-heap - heaps; link with -lwinregion-heap
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_HEAPAPI_H
#define _WINREGION_HEAPAPI_H

#include "minwinbase.h"
#include "minwindef.h"
#include "winnt.h"

struct _winregion_heap_block {
	HANDLE hMem;
	DWORD dwReserved[3];
};

struct _winregion_heap_region {
	DWORD dwCommittedSize;
	DWORD dwUnCommittedSize;
	LPVOID lpFirstBlock;
	LPVOID lpLastBlock;
};

typedef struct _PROCESS_HEAP_ENTRY {
	PVOID lpData;
	DWORD cbData;
	BYTE cbOverhead;
	BYTE iRegionIndex;
	WORD wFlags;
	__extension__ union {
		struct _winregion_heap_block Block;
		struct _winregion_heap_region Region;
	};
} PROCESS_HEAP_ENTRY, *LPPROCESS_HEAP_ENTRY, *PPROCESS_HEAP_ENTRY;

_WINREGION_SIZE(PROCESS_HEAP_ENTRY, 40);

typedef struct _HEAP_SUMMARY {
	DWORD cb;
	SIZE_T cbAllocated;
	SIZE_T cbCommitted;
	SIZE_T cbReserved;
	SIZE_T cbMaxReserve;
} HEAP_SUMMARY, *PHEAP_SUMMARY, *LPHEAP_SUMMARY;

_WINREGION_SIZE(HEAP_SUMMARY, 40);

typedef enum _HEAP_INFORMATION_CLASS {
	HeapCompatibilityInformation = 0,
	HeapEnableTerminationOnCorruption = 1,
	HeapOptimizeResources = 3
} HEAP_INFORMATION_CLASS;

#define HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION 1

typedef struct _HEAP_OPTIMIZE_RESOURCES_INFORMATION {
	DWORD Version;
	DWORD Flags;
} HEAP_OPTIMIZE_RESOURCES_INFORMATION, *PHEAP_OPTIMIZE_RESOURCES_INFORMATION;

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Rules HP-01 to HP-09 */
HANDLE WINAPI HeapCreate(DWORD options, SIZE_T initial, SIZE_T maximum);
BOOL WINAPI HeapDestroy(HANDLE heap);
HANDLE WINAPI GetProcessHeap(VOID);
DWORD WINAPI GetProcessHeaps(DWORD nr, PHANDLE heaps);

/* Rules HP-20 to HP-36 */
LPVOID WINAPI HeapAlloc(HANDLE heap, DWORD flags, SIZE_T size);
LPVOID WINAPI HeapReAlloc(HANDLE heap, DWORD flags, LPVOID block, SIZE_T size);
BOOL WINAPI HeapFree(HANDLE heap, DWORD flags, LPVOID block);
SIZE_T WINAPI HeapSize(HANDLE heap, DWORD flags, LPCVOID block);
BOOL WINAPI HeapValidate(HANDLE heap, DWORD flags, LPCVOID block);

/* Rules HP-40 to HP-51 */
BOOL WINAPI HeapWalk(HANDLE heap, LPPROCESS_HEAP_ENTRY entry);
BOOL WINAPI HeapLock(HANDLE heap);
BOOL WINAPI HeapUnlock(HANDLE heap);
SIZE_T WINAPI HeapCompact(HANDLE heap, DWORD flags);
BOOL WINAPI HeapSummary(HANDLE heap, DWORD flags, LPHEAP_SUMMARY summary);
BOOL WINAPI HeapQueryInformation(HANDLE heap, HEAP_INFORMATION_CLASS what,
				 PVOID information, SIZE_T size,
				 PSIZE_T needed);
BOOL WINAPI HeapSetInformation(HANDLE heap, HEAP_INFORMATION_CLASS what,
			       PVOID information, SIZE_T size);

/*
 * As ntdll has them, which is the same by other names. RtlCreateHeap() takes no memory
 * or lock of the caller's, and no parameters: NULL.
 */
typedef struct _RTL_HEAP_PARAMETERS *PRTL_HEAP_PARAMETERS;

PVOID NTAPI RtlCreateHeap(ULONG flags, PVOID base, SIZE_T reserve,
			  SIZE_T commit, PVOID lock,
			  PRTL_HEAP_PARAMETERS parameters);
PVOID NTAPI RtlDestroyHeap(PVOID heap);
PVOID NTAPI RtlAllocateHeap(PVOID heap, ULONG flags, SIZE_T size);
PVOID NTAPI RtlReAllocateHeap(PVOID heap, ULONG flags, PVOID block,
			      SIZE_T size);
BOOLEAN NTAPI RtlFreeHeap(PVOID heap, ULONG flags, PVOID block);
SIZE_T NTAPI RtlSizeHeap(PVOID heap, ULONG flags, PVOID block);
BOOLEAN NTAPI RtlValidateHeap(PVOID heap, ULONG flags, PVOID block);
BOOLEAN NTAPI RtlLockHeap(PVOID heap);
BOOLEAN NTAPI RtlUnlockHeap(PVOID heap);
SIZE_T NTAPI RtlCompactHeap(PVOID heap, ULONG flags);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_HEAPAPI_H */
