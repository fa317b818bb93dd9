/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - memory and files of <windows.h> for Linux
 *
 * Names, numbers and layouts are those of 64-bit Windows; in 32-bit programs those of
 * 32-bit Windows. Types have the width they have there, so DWORD and LONG are 32 bits
 * wide although long has 64.
 * Functions fail with the last error (GetLastError()) that Windows 10 and 11
 * give for the same mistake; the rule numbers in the comments are those of the
 * manual pages. All functions are thread-safe.
 *
 * Constants and structures of calls that the library does not have are here for
 * sources that pass them on or look such calls up at run time.
 */
#ifndef _WINREGION_WINDOWS_H
#define _WINREGION_WINDOWS_H

/* The guard of the original, which sources test to see if it was included */
#ifndef _WINDOWS_
#define _WINDOWS_
#endif

#include <stddef.h>
#include <string.h>

#include "keywords.h"
#include "sal.h"
#include "sdkddkver.h"
#include "winapifamily.h"

#if !defined(__LP64__) && !defined(__i386__)
#error "winregion/windows.h is for 64-bit programs, and for those of i386"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifndef VOID
#define VOID void
#endif
#ifndef CONST
#define CONST const
#endif
#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE 1
#endif

/* Plain types */
typedef int BOOL, *PBOOL, *LPBOOL;
typedef char CHAR, *PCHAR, *LPSTR;
typedef const char *LPCSTR, *PCSTR;
typedef unsigned char BYTE, UCHAR, BOOLEAN, *PBYTE, *LPBYTE, *PUCHAR;
typedef short SHORT, *PSHORT;
typedef unsigned short WORD, USHORT, *PWORD, *LPWORD, *PUSHORT;
typedef int INT, LONG, INT32, LONG32, *PINT, *LPINT, *PLONG, *LPLONG;
typedef unsigned int UINT, DWORD, ULONG, UINT32, DWORD32, ULONG32;
typedef unsigned int *PUINT, *PDWORD, *LPDWORD, *PULONG;
typedef float FLOAT;
/* C++98 has no such integers but those of the compiler, which says so. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wlong-long"
#ifdef __LP64__
__extension__ typedef long long LONGLONG, INT64, LONG64, *PLONGLONG, *PLONG64;
__extension__ typedef unsigned long long ULONGLONG, UINT64, DWORD64, ULONG64;
#else /* in structures of i386 Linux 4 would do */
#define _WINREGION_ALIGN8 __attribute__((__aligned__(8)))
__extension__ typedef long long LONGLONG _WINREGION_ALIGN8;
__extension__ typedef unsigned long long ULONGLONG _WINREGION_ALIGN8;
typedef LONGLONG INT64, LONG64, *PLONGLONG, *PLONG64;
typedef ULONGLONG UINT64, DWORD64, ULONG64;
#endif
#pragma GCC diagnostic pop
typedef ULONGLONG DWORDLONG, *PULONGLONG, *PDWORD64, *PULONG64, *PDWORDLONG;

/* As wide as a pointer; where that has 32 bits they are what DWORD is, as there. */
#ifdef __LP64__
typedef long INT_PTR, LONG_PTR, SSIZE_T, *PINT_PTR, *PLONG_PTR, *PSSIZE_T;
typedef unsigned long UINT_PTR, ULONG_PTR, DWORD_PTR, SIZE_T;
typedef unsigned long *PUINT_PTR, *PULONG_PTR, *PDWORD_PTR, *PSIZE_T;
#else
typedef int INT_PTR, LONG_PTR, SSIZE_T, *PINT_PTR, *PLONG_PTR, *PSSIZE_T;
typedef unsigned int UINT_PTR, ULONG_PTR, DWORD_PTR, SIZE_T;
typedef unsigned int *PUINT_PTR, *PULONG_PTR, *PDWORD_PTR, *PSIZE_T;
#endif
typedef void *PVOID, *LPVOID, *HANDLE, **PHANDLE, **LPHANDLE;
typedef const void *LPCVOID, *PCVOID;

/*
 * Layout checks. Before C11 and C++11 a typedef of an array does the work: its
 * length is negative, which is an error, if the layout is wrong.
 */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define _WINREGION_ASSERT(name, cond) static_assert(cond, #name)
#elif !defined(__cplusplus) && defined(__STDC_VERSION__) && \
	__STDC_VERSION__ >= 201112L
#define _WINREGION_ASSERT(name, cond) _Static_assert(cond, #name)
#else
#define _WINREGION_ASSERT(name, cond) \
	typedef char _winregion_##name[(cond) ? 1 : -1]
#endif
/* They are about 64-bit programs. */
#define _WINREGION_SIZE(type, size) \
	_WINREGION_ASSERT(type##_size, \
			  sizeof(void *) != 8 || sizeof(type) == (size))
#define _WINREGION_OFFSET(type, field, offset) \
	_WINREGION_ASSERT(type##_##field, \
			  sizeof(void *) != 8 || \
				  offsetof(type, field) == (offset))

_WINREGION_SIZE(DWORD, 4);
_WINREGION_SIZE(LONG, 4);
_WINREGION_SIZE(DWORD64, 8);
_WINREGION_SIZE(SIZE_T, 8);
_WINREGION_SIZE(HANDLE, 8);

#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)(-1))
#define INFINITE 0xFFFFFFFFU
#define MAXDWORD 0xFFFFFFFFU
#define MAXIMUM_PROCESSORS 64

/* Allocation and free types, page states and region types */
#define MEM_COMMIT 0x00001000
#define MEM_RESERVE 0x00002000
#define MEM_REPLACE_PLACEHOLDER 0x00004000
#define MEM_DECOMMIT 0x00004000
#define MEM_RELEASE 0x00008000
#define MEM_FREE 0x00010000
#define MEM_PRIVATE 0x00020000
#define MEM_MAPPED 0x00040000
#define MEM_RESERVE_PLACEHOLDER 0x00040000
#define MEM_RESET 0x00080000
#define MEM_TOP_DOWN 0x00100000
#define MEM_WRITE_WATCH 0x00200000
#define MEM_PHYSICAL 0x00400000
#define MEM_ROTATE 0x00800000
#define MEM_DIFFERENT_IMAGE_BASE_OK 0x00800000
#define MEM_IMAGE 0x01000000
#define MEM_RESET_UNDO 0x01000000
#define MEM_LARGE_PAGES 0x20000000
#define MEM_64K_PAGES (MEM_LARGE_PAGES | MEM_PHYSICAL)
#define MEM_4MB_PAGES 0x80000000
#define MEM_COALESCE_PLACEHOLDERS 0x00000001
#define MEM_PRESERVE_PLACEHOLDER 0x00000002
#define MEM_UNMAP_WITH_TRANSIENT_BOOST 0x00000001

#define NUMA_NO_PREFERRED_NODE 0xFFFFFFFFU
#define WRITE_WATCH_FLAG_RESET 0x00000001

/* Page protection */
#define PAGE_NOACCESS 0x01
#define PAGE_READONLY 0x02
#define PAGE_READWRITE 0x04
#define PAGE_WRITECOPY 0x08
#define PAGE_EXECUTE 0x10
#define PAGE_EXECUTE_READ 0x20
#define PAGE_EXECUTE_READWRITE 0x40
#define PAGE_EXECUTE_WRITECOPY 0x80
#define PAGE_GUARD 0x100
#define PAGE_NOCACHE 0x200
#define PAGE_WRITECOMBINE 0x400
#define PAGE_ENCLAVE_MASK 0x10000000
#define PAGE_ENCLAVE_UNVALIDATED 0x20000000
#define PAGE_TARGETS_INVALID 0x40000000
#define PAGE_TARGETS_NO_UPDATE 0x40000000
#define PAGE_REVERT_TO_FILE_MAP 0x80000000
#define PAGE_ENCLAVE_THREAD_CONTROL 0x80000000

/* Sections and views */
#define SEC_HUGE_PAGES 0x00020000
#define SEC_64K_PAGES 0x00080000
#define SEC_FILE 0x00800000
#define SEC_IMAGE 0x01000000
#define SEC_PROTECTED_IMAGE 0x02000000
#define SEC_RESERVE 0x04000000
#define SEC_COMMIT 0x08000000
#define SEC_NOCACHE 0x10000000
#define SEC_IMAGE_NO_EXECUTE 0x11000000
#define SEC_WRITECOMBINE 0x40000000
#define SEC_LARGE_PAGES 0x80000000

#define SECTION_QUERY 0x0001
#define SECTION_MAP_WRITE 0x0002
#define SECTION_MAP_READ 0x0004
#define SECTION_MAP_EXECUTE 0x0008
#define SECTION_EXTEND_SIZE 0x0010
#define SECTION_MAP_EXECUTE_EXPLICIT 0x0020
#define SECTION_ALL_ACCESS 0x000F001F

#define FILE_MAP_COPY 0x00000001
#define FILE_MAP_WRITE SECTION_MAP_WRITE
#define FILE_MAP_READ SECTION_MAP_READ
#define FILE_MAP_EXECUTE SECTION_MAP_EXECUTE_EXPLICIT
#define FILE_MAP_ALL_ACCESS SECTION_ALL_ACCESS
#define FILE_MAP_LARGE_PAGES 0x20000000
#define FILE_MAP_TARGETS_INVALID 0x40000000
#define FILE_MAP_RESERVE 0x80000000

/* Heaps, access rights, working sets, processors */
#ifdef __LP64__
#define MEMORY_ALLOCATION_ALIGNMENT 16
#else
#define MEMORY_ALLOCATION_ALIGNMENT 8
#endif
#define HEAP_NO_SERIALIZE 0x00000001
#define HEAP_GROWABLE 0x00000002
#define HEAP_GENERATE_EXCEPTIONS 0x00000004
#define HEAP_ZERO_MEMORY 0x00000008
#define HEAP_REALLOC_IN_PLACE_ONLY 0x00000010
#define HEAP_TAIL_CHECKING_ENABLED 0x00000020
#define HEAP_FREE_CHECKING_ENABLED 0x00000040
#define HEAP_DISABLE_COALESCE_ON_FREE 0x00000080
#define HEAP_CREATE_ALIGN_16 0x00010000
#define HEAP_CREATE_ENABLE_TRACING 0x00020000
#define HEAP_CREATE_ENABLE_EXECUTE 0x00040000

#define PROCESS_HEAP_REGION 0x0001
#define PROCESS_HEAP_UNCOMMITTED_RANGE 0x0002
#define PROCESS_HEAP_ENTRY_BUSY 0x0004
#define PROCESS_HEAP_SEG_ALLOC 0x0008
#define PROCESS_HEAP_ENTRY_MOVEABLE 0x0010
#define PROCESS_HEAP_ENTRY_DDESHARE 0x0020

/* Rights of handles of processes; what the others let be done there is no call for. */
#define PROCESS_TERMINATE 0x0001
#define PROCESS_CREATE_THREAD 0x0002
#define PROCESS_SET_SESSIONID 0x0004
#define PROCESS_VM_OPERATION 0x0008
#define PROCESS_VM_READ 0x0010
#define PROCESS_VM_WRITE 0x0020
#define PROCESS_DUP_HANDLE 0x0040
#define PROCESS_CREATE_PROCESS 0x0080
#define PROCESS_SET_QUOTA 0x0100
#define PROCESS_SET_INFORMATION 0x0200
#define PROCESS_QUERY_INFORMATION 0x0400
#define PROCESS_SUSPEND_RESUME 0x0800
#define PROCESS_QUERY_LIMITED_INFORMATION 0x1000
#define PROCESS_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0xFFFF)

#define QUOTA_LIMITS_HARDWS_MIN_ENABLE 0x00000001
#define QUOTA_LIMITS_HARDWS_MIN_DISABLE 0x00000002
#define QUOTA_LIMITS_HARDWS_MAX_ENABLE 0x00000004
#define QUOTA_LIMITS_HARDWS_MAX_DISABLE 0x00000008

#define PROCESSOR_ARCHITECTURE_INTEL 0
#define PROCESSOR_ARCHITECTURE_ARM 5
#define PROCESSOR_ARCHITECTURE_AMD64 9
#define PROCESSOR_ARCHITECTURE_ARM64 12
#define PROCESSOR_ARCHITECTURE_UNKNOWN 0xFFFF
#define PROCESSOR_INTEL_PENTIUM 586
#define PROCESSOR_AMD_X8664 8664

/* What GetLastError() gives for memory calls */
#define ERROR_SUCCESS 0
#define NO_ERROR 0
#define ERROR_INVALID_FUNCTION 1
#define ERROR_FILE_NOT_FOUND 2
#define ERROR_PATH_NOT_FOUND 3
#define ERROR_ACCESS_DENIED 5
#define ERROR_INVALID_HANDLE 6
#define ERROR_NOT_ENOUGH_MEMORY 8
#define ERROR_OUTOFMEMORY 14
#define ERROR_NOT_SAME_DEVICE 17
#define ERROR_NO_MORE_FILES 18
#define ERROR_BAD_LENGTH 24
#define ERROR_GEN_FAILURE 31
#define ERROR_NOT_SUPPORTED 50
#define ERROR_UNEXP_NET_ERR 59
#define ERROR_INVALID_PARAMETER 87
#define ERROR_DISK_FULL 112
#define ERROR_CALL_NOT_IMPLEMENTED 120
#define ERROR_INSUFFICIENT_BUFFER 122
#define ERROR_INVALID_NAME 123
#define ERROR_DISCARDED 157
#define ERROR_NOT_LOCKED 158
#define ERROR_BUSY 170
#define ERROR_ALREADY_EXISTS 183
#define ERROR_BAD_EXE_FORMAT 193
#define ERROR_MORE_DATA 234
#define ERROR_NO_MORE_ITEMS 259
#define ERROR_PARTIAL_COPY 299
#define ERROR_MR_MID_NOT_FOUND 317
#define ERROR_INVALID_ADDRESS 487
#define ERROR_IMAGE_NOT_AT_BASE 700
#define ERROR_WAS_LOCKED 717
#define ERROR_IO_PENDING 997
#define ERROR_NOACCESS 998
#define ERROR_SWAPERROR 999
#define ERROR_STACK_OVERFLOW 1001
#define ERROR_FILE_INVALID 1006
#define ERROR_MAPPED_ALIGNMENT 1132
#define ERROR_USER_MAPPED_FILE 1224
#define ERROR_PRIVILEGE_NOT_HELD 1314
#define ERROR_NO_SYSTEM_RESOURCES 1450
#define ERROR_WORKING_SET_QUOTA 1453
#define ERROR_PAGEFILE_QUOTA 1454
#define ERROR_COMMITMENT_LIMIT 1455

/* Pages that follow each other and are alike */
typedef struct _MEMORY_BASIC_INFORMATION {
	PVOID BaseAddress;
	PVOID AllocationBase;
	DWORD AllocationProtect;
#ifdef __LP64__
	WORD PartitionId;
#endif
	SIZE_T RegionSize;
	DWORD State;
	DWORD Protect;
	DWORD Type;
} MEMORY_BASIC_INFORMATION, *PMEMORY_BASIC_INFORMATION;

_WINREGION_SIZE(MEMORY_BASIC_INFORMATION, 48);
_WINREGION_OFFSET(MEMORY_BASIC_INFORMATION, AllocationBase, 8);
_WINREGION_OFFSET(MEMORY_BASIC_INFORMATION, AllocationProtect, 16);
#ifdef __LP64__
_WINREGION_OFFSET(MEMORY_BASIC_INFORMATION, PartitionId, 20);
#endif
_WINREGION_OFFSET(MEMORY_BASIC_INFORMATION, RegionSize, 24);
_WINREGION_OFFSET(MEMORY_BASIC_INFORMATION, State, 32);
_WINREGION_OFFSET(MEMORY_BASIC_INFORMATION, Protect, 36);
_WINREGION_OFFSET(MEMORY_BASIC_INFORMATION, Type, 40);

typedef struct _SYSTEM_INFO {
	__extension__ union {
		DWORD dwOemId;
		__extension__ struct {
			WORD wProcessorArchitecture;
			WORD wReserved;
		};
	};
	DWORD dwPageSize;
	LPVOID lpMinimumApplicationAddress;
	LPVOID lpMaximumApplicationAddress;
	DWORD_PTR dwActiveProcessorMask;
	DWORD dwNumberOfProcessors;
	DWORD dwProcessorType;
	DWORD dwAllocationGranularity;
	WORD wProcessorLevel;
	WORD wProcessorRevision;
} SYSTEM_INFO, *LPSYSTEM_INFO;

_WINREGION_SIZE(SYSTEM_INFO, 48);
_WINREGION_OFFSET(SYSTEM_INFO, dwPageSize, 4);
_WINREGION_OFFSET(SYSTEM_INFO, lpMinimumApplicationAddress, 8);
_WINREGION_OFFSET(SYSTEM_INFO, lpMaximumApplicationAddress, 16);
_WINREGION_OFFSET(SYSTEM_INFO, dwActiveProcessorMask, 24);
_WINREGION_OFFSET(SYSTEM_INFO, dwNumberOfProcessors, 32);
_WINREGION_OFFSET(SYSTEM_INFO, dwProcessorType, 36);
_WINREGION_OFFSET(SYSTEM_INFO, dwAllocationGranularity, 40);
_WINREGION_OFFSET(SYSTEM_INFO, wProcessorLevel, 44);
_WINREGION_OFFSET(SYSTEM_INFO, wProcessorRevision, 46);

typedef enum _WIN32_MEMORY_INFORMATION_CLASS {
	MemoryRegionInfo
} WIN32_MEMORY_INFORMATION_CLASS;

typedef struct _WIN32_MEMORY_REGION_INFORMATION {
	PVOID AllocationBase;
	ULONG AllocationProtect;
	__extension__ union {
		ULONG Flags;
		__extension__ struct {
			ULONG Private : 1;
			ULONG MappedDataFile : 1;
			ULONG MappedImage : 1;
			ULONG MappedPageFile : 1;
			ULONG MappedPhysical : 1;
			ULONG DirectMapped : 1;
			ULONG Reserved : 26;
		};
	};
	SIZE_T RegionSize;
	SIZE_T CommitSize;
} WIN32_MEMORY_REGION_INFORMATION, *PWIN32_MEMORY_REGION_INFORMATION;

_WINREGION_SIZE(WIN32_MEMORY_REGION_INFORMATION, 32);
_WINREGION_OFFSET(WIN32_MEMORY_REGION_INFORMATION, AllocationProtect, 8);
_WINREGION_OFFSET(WIN32_MEMORY_REGION_INFORMATION, Flags, 12);
_WINREGION_OFFSET(WIN32_MEMORY_REGION_INFORMATION, RegionSize, 16);
_WINREGION_OFFSET(WIN32_MEMORY_REGION_INFORMATION, CommitSize, 24);

typedef struct _WIN32_MEMORY_RANGE_ENTRY {
	PVOID VirtualAddress;
	SIZE_T NumberOfBytes;
} WIN32_MEMORY_RANGE_ENTRY, *PWIN32_MEMORY_RANGE_ENTRY;

_WINREGION_SIZE(WIN32_MEMORY_RANGE_ENTRY, 16);
_WINREGION_OFFSET(WIN32_MEMORY_RANGE_ENTRY, NumberOfBytes, 8);

typedef enum MEM_EXTENDED_PARAMETER_TYPE {
	MemExtendedParameterInvalidType,
	MemExtendedParameterAddressRequirements,
	MemExtendedParameterNumaNode,
	MemExtendedParameterPartitionHandle,
	MemExtendedParameterUserPhysicalHandle,
	MemExtendedParameterAttributeFlags,
	MemExtendedParameterImageMachine,
	MemExtendedParameterMax
} MEM_EXTENDED_PARAMETER_TYPE, *PMEM_EXTENDED_PARAMETER_TYPE;

#define MEM_EXTENDED_PARAMETER_TYPE_BITS 8
#define MEM_EXTENDED_PARAMETER_GRAPHICS 0x00000001
#define MEM_EXTENDED_PARAMETER_NONPAGED 0x00000002
#define MEM_EXTENDED_PARAMETER_ZERO_PAGES_OPTIONAL 0x00000004
#define MEM_EXTENDED_PARAMETER_NONPAGED_LARGE 0x00000008
#define MEM_EXTENDED_PARAMETER_NONPAGED_HUGE 0x00000010
#define MEM_EXTENDED_PARAMETER_SOFT_FAULT_PAGES 0x00000020
#define MEM_EXTENDED_PARAMETER_EC_CODE 0x00000040
#define MEM_EXTENDED_PARAMETER_IMAGE_NO_HPAT 0x00000080

__extension__ typedef struct MEM_EXTENDED_PARAMETER {
	__extension__ struct {
		DWORD64 Type : 8;
		DWORD64 Reserved : 56;
	};
	__extension__ union {
		DWORD64 ULong64;
		PVOID Pointer;
		SIZE_T Size;
		HANDLE Handle;
		DWORD ULong;
	};
} __attribute__((__aligned__(8))) MEM_EXTENDED_PARAMETER,
	*PMEM_EXTENDED_PARAMETER;

_WINREGION_SIZE(MEM_EXTENDED_PARAMETER, 16);
_WINREGION_OFFSET(MEM_EXTENDED_PARAMETER, ULong64, 8);

typedef struct _MEM_ADDRESS_REQUIREMENTS {
	PVOID LowestStartingAddress;
	PVOID HighestEndingAddress;
	SIZE_T Alignment;
} MEM_ADDRESS_REQUIREMENTS, *PMEM_ADDRESS_REQUIREMENTS;

_WINREGION_SIZE(MEM_ADDRESS_REQUIREMENTS, 24);
_WINREGION_OFFSET(MEM_ADDRESS_REQUIREMENTS, HighestEndingAddress, 8);
_WINREGION_OFFSET(MEM_ADDRESS_REQUIREMENTS, Alignment, 16);

typedef struct _MEMORYSTATUSEX {
	DWORD dwLength;
	DWORD dwMemoryLoad;
	DWORDLONG ullTotalPhys;
	DWORDLONG ullAvailPhys;
	DWORDLONG ullTotalPageFile;
	DWORDLONG ullAvailPageFile;
	DWORDLONG ullTotalVirtual;
	DWORDLONG ullAvailVirtual;
	DWORDLONG ullAvailExtendedVirtual;
} MEMORYSTATUSEX, *LPMEMORYSTATUSEX;

_WINREGION_SIZE(MEMORYSTATUSEX, 64);
_WINREGION_OFFSET(MEMORYSTATUSEX, dwMemoryLoad, 4);
_WINREGION_OFFSET(MEMORYSTATUSEX, ullTotalPhys, 8);
_WINREGION_OFFSET(MEMORYSTATUSEX, ullTotalVirtual, 40);
_WINREGION_OFFSET(MEMORYSTATUSEX, ullAvailExtendedVirtual, 56);

typedef struct _MEMORYSTATUS {
	DWORD dwLength;
	DWORD dwMemoryLoad;
	SIZE_T dwTotalPhys;
	SIZE_T dwAvailPhys;
	SIZE_T dwTotalPageFile;
	SIZE_T dwAvailPageFile;
	SIZE_T dwTotalVirtual;
	SIZE_T dwAvailVirtual;
} MEMORYSTATUS, *LPMEMORYSTATUS;

_WINREGION_SIZE(MEMORYSTATUS, 56);
_WINREGION_OFFSET(MEMORYSTATUS, dwTotalPhys, 8);
_WINREGION_OFFSET(MEMORYSTATUS, dwAvailVirtual, 48);

#pragma GCC visibility push(default)

/*
 * Memory. The Ex functions take the handle of a process; only that of the
 * calling one, GetCurrentProcess(), is known, any other fails with
 * ERROR_INVALID_HANDLE. Without the kernel module every function here fails
 * with ERROR_NOT_SUPPORTED.
 */

/*
 * Reserve address space, commit pages of it, or both. Returns the first byte,
 * or NULL. Rules VA-01 to VA-29.
 */
LPVOID WINAPI VirtualAlloc(LPVOID address, SIZE_T size, DWORD type,
			   DWORD protect);
LPVOID WINAPI VirtualAllocEx(HANDLE process, LPVOID address, SIZE_T size,
			     DWORD type, DWORD protect);

/* Decommit pages, or release a region. Rules VF-01 to VF-18. */
BOOL WINAPI VirtualFree(LPVOID address, SIZE_T size, DWORD type);
BOOL WINAPI VirtualFreeEx(HANDLE process, LPVOID address, SIZE_T size,
			  DWORD type);

/*
 * Change the protection of committed pages; *old_protect becomes what the
 * first of them had. Rules VP-01 to VP-16.
 */
BOOL WINAPI VirtualProtect(LPVOID address, SIZE_T size, DWORD protect,
			   PDWORD old_protect);
BOOL WINAPI VirtualProtectEx(HANDLE process, LPVOID address, SIZE_T size,
			     DWORD protect, PDWORD old_protect);

/*
 * Describe the pages from address on. Returns the bytes written to buffer, or
 * 0. Rules VQ-01 to VQ-14.
 */
SIZE_T WINAPI VirtualQuery(LPCVOID address, PMEMORY_BASIC_INFORMATION buffer,
			   SIZE_T length);
SIZE_T WINAPI VirtualQueryEx(HANDLE process, LPCVOID address,
			     PMEMORY_BASIC_INFORMATION buffer, SIZE_T length);

/* Describe the region that address lies in. Rules RI-01 to RI-09. */
BOOL WINAPI QueryVirtualMemoryInformation(HANDLE process, LPCVOID address,
					  WIN32_MEMORY_INFORMATION_CLASS kind,
					  PVOID buffer, SIZE_T length,
					  PSIZE_T return_length);

/* The page size, the granularity, and the addresses that regions can have */
VOID WINAPI GetSystemInfo(LPSYSTEM_INFO info);
VOID WINAPI GetNativeSystemInfo(LPSYSTEM_INFO info);

/* The calling thread's last error; a call that succeeds leaves it alone */
DWORD WINAPI GetLastError(VOID);
VOID WINAPI SetLastError(DWORD error);

HANDLE WINAPI GetCurrentProcess(VOID);

/*
 * What memory managers need beside memory, and no more
 */
DWORD WINAPI GetCurrentProcessId(VOID);
DWORD WINAPI GetCurrentThreadId(VOID);
DWORD WINAPI GetTickCount(VOID);
ULONGLONG WINAPI GetTickCount64(VOID);
VOID WINAPI Sleep(DWORD milliseconds);
BOOL WINAPI SwitchToThread(VOID);

#pragma GCC visibility pop

/* They begin with the name of a function, as C++ sources put "::" before them. */
#define CopyMemory(to, from, bytes) memcpy((to), (from), (bytes))
#define MoveMemory(to, from, bytes) memmove((to), (from), (bytes))
#define FillMemory(to, bytes, value) memset((to), (value), (bytes))
#define ZeroMemory(to, bytes) memset((to), 0, (bytes))
#define RtlCopyMemory(to, from, bytes) memcpy((to), (from), (bytes))
#define RtlMoveMemory(to, from, bytes) memmove((to), (from), (bytes))
#define RtlFillMemory(to, bytes, value) memset((to), (value), (bytes))
#define RtlZeroMemory(to, bytes) memset((to), 0, (bytes))
#define RtlEqualMemory(a, b, bytes) (!memcmp((a), (b), (bytes)))

/* Also where nobody looks at the memory any more, as a compiler finds */
static __inline__ PVOID RtlSecureZeroMemory(PVOID to, SIZE_T bytes)
{
	memset(to, 0, bytes);
	__asm__ __volatile__("" : : "r"(to) : "memory");

	return to;
}

#define SecureZeroMemory RtlSecureZeroMemory

#ifdef __cplusplus
}
#endif

#if defined(__x86_64__) || defined(__i386__)
#define _winregion_pause() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define _winregion_pause() __asm__ __volatile__("yield" : : : "memory")
#else
#define _winregion_pause() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#endif

/*
 * Interlocked operations work on what the target pointer leads to, whatever its
 * width: Windows sources often say long, which is LONG there but not here. Each
 * is a full barrier. In C they are macros, in C++ functions.
 */
#ifdef __cplusplus
#include "interlocked.hpp"
#else /* !__cplusplus */

#define InterlockedIncrement(target) \
	__atomic_add_fetch((target), 1, __ATOMIC_SEQ_CST)
#define InterlockedDecrement(target) \
	__atomic_sub_fetch((target), 1, __ATOMIC_SEQ_CST)
#define InterlockedExchange(target, value) \
	__atomic_exchange_n((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedExchangeAdd(target, value) \
	__atomic_fetch_add((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedExchangeSubtract(target, value) \
	__atomic_fetch_sub((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedAdd(target, value) \
	__atomic_add_fetch((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedAnd(target, value) \
	__atomic_fetch_and((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedOr(target, value) \
	__atomic_fetch_or((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedXor(target, value) \
	__atomic_fetch_xor((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedCompareExchange(target, value, comparand) \
	__sync_val_compare_and_swap((target), (comparand), (value))

#define InterlockedIncrement64(target) InterlockedIncrement(target)
#define InterlockedDecrement64(target) InterlockedDecrement(target)
#define InterlockedExchange64(target, value) \
	InterlockedExchange((target), (value))
#define InterlockedExchangeAdd64(target, value) \
	InterlockedExchangeAdd((target), (value))
#define InterlockedAnd64(target, value) InterlockedAnd((target), (value))
#define InterlockedOr64(target, value) InterlockedOr((target), (value))
#define InterlockedXor64(target, value) InterlockedXor((target), (value))
#define InterlockedCompareExchange64(target, value, comparand) \
	InterlockedCompareExchange((target), (value), (comparand))

/* Macros like the others, as sources test with #ifdef which they have */
#define InterlockedExchangePointer(target, value) \
	_winregion_exchange((PVOID volatile *)(target), (PVOID)(value))
#define InterlockedCompareExchangePointer(target, value, comparand) \
	_winregion_compare_exchange((PVOID volatile *)(target), \
				    (PVOID)(value), (PVOID)(comparand))

/* Functions, as the cast would make it a warning not to use the result */
static __inline__ PVOID _winregion_exchange(PVOID volatile *target, PVOID value)
{
	return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);
}

static __inline__ PVOID _winregion_compare_exchange(PVOID volatile *target,
						    PVOID value,
						    PVOID comparand)
{
	return __sync_val_compare_and_swap(target, comparand, value);
}

#define MemoryBarrier() __sync_synchronize()
#define YieldProcessor() _winregion_pause()

#endif /* __cplusplus */

/* The other families: each has a header of its own, as on Windows. */
#include "minwindef.h"
#include "intrinsics.h"
#include "winnt.h"
#include "winerror.h"
#include "winuser.h"
#include "minwinbase.h"
#include "handleapi.h"
#include "processthreadsapi.h"
#include "synchapi.h"
#include "fibersapi.h"
#include "fileapi.h"
#include "memoryapi.h"
#include "heapapi.h"
#include "globalmem.h"
#include "winbase.h"
#include "processenv.h"
#include "stringapiset.h"
#include "securitybaseapi.h"
#include "sysinfoapi.h"
#include "libloaderapi.h"
#include "profileapi.h"
#include "debugapi.h"
#include "errhandlingapi.h"
#include "excpt.h"

#endif /* _WINREGION_WINDOWS_H */
