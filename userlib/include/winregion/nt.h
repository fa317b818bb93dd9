/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - the NtXxxVirtualMemory calls, those of sections, and NTSTATUS
 *
 * Each call returns STATUS_SUCCESS or the status that Windows 10 and 11 give
 * for the same mistake. After a failure nothing has changed, and the variables
 * that the pointers lead to are as they were, but for *old_protect of
 * NtProtectVirtualMemory (see there). All functions are thread-safe.
 */
#ifndef _WINREGION_NT_H
#define _WINREGION_NT_H

#include "windows.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef LONG NTSTATUS;

#define NT_SUCCESS(status) ((NTSTATUS)(status) >= 0)

/* <winregion/winnt.h> has these as DWORD. */
#undef STATUS_TIMEOUT
#undef STATUS_PENDING
#undef STATUS_GUARD_PAGE_VIOLATION
#undef STATUS_DATATYPE_MISALIGNMENT
#undef STATUS_BREAKPOINT
#undef STATUS_SINGLE_STEP
#undef STATUS_ACCESS_VIOLATION
#undef STATUS_IN_PAGE_ERROR
#undef STATUS_INVALID_HANDLE
#undef STATUS_INVALID_PARAMETER
#undef STATUS_NO_MEMORY
#undef STATUS_ILLEGAL_INSTRUCTION
#undef STATUS_NONCONTINUABLE_EXCEPTION
#undef STATUS_INVALID_DISPOSITION
#undef STATUS_ARRAY_BOUNDS_EXCEEDED
#undef STATUS_FLOAT_DENORMAL_OPERAND
#undef STATUS_FLOAT_DIVIDE_BY_ZERO
#undef STATUS_FLOAT_INEXACT_RESULT
#undef STATUS_FLOAT_INVALID_OPERATION
#undef STATUS_FLOAT_OVERFLOW
#undef STATUS_FLOAT_STACK_CHECK
#undef STATUS_FLOAT_UNDERFLOW
#undef STATUS_INTEGER_DIVIDE_BY_ZERO
#undef STATUS_INTEGER_OVERFLOW
#undef STATUS_PRIVILEGED_INSTRUCTION
#undef STATUS_STACK_OVERFLOW

/*
 * The statuses that memory calls give. STATUS_NOT_SUPPORTED is given by no
 * memory call of Windows; from this library it means that /dev/winregion does
 * not answer (winregion_unavailable() says why).
 */
#define STATUS_SUCCESS ((NTSTATUS)0x00000000)
#define STATUS_TIMEOUT ((NTSTATUS)0x00000102)
#define STATUS_PENDING ((NTSTATUS)0x00000103)
#define STATUS_OBJECT_NAME_EXISTS ((NTSTATUS)0x40000000)
#define STATUS_IMAGE_NOT_AT_BASE ((NTSTATUS)0x40000003)
#define STATUS_WAS_LOCKED ((NTSTATUS)0x40000019)
#define STATUS_GUARD_PAGE_VIOLATION ((NTSTATUS)0x80000001)
#define STATUS_DATATYPE_MISALIGNMENT ((NTSTATUS)0x80000002)
#define STATUS_BREAKPOINT ((NTSTATUS)0x80000003)
#define STATUS_SINGLE_STEP ((NTSTATUS)0x80000004)
#define STATUS_BUFFER_OVERFLOW ((NTSTATUS)0x80000005)
#define STATUS_PARTIAL_COPY ((NTSTATUS)0x8000000D)
#define STATUS_DEVICE_BUSY ((NTSTATUS)0x80000011)
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001)
#define STATUS_INVALID_INFO_CLASS ((NTSTATUS)0xC0000003)
#define STATUS_INFO_LENGTH_MISMATCH ((NTSTATUS)0xC0000004)
#define STATUS_ACCESS_VIOLATION ((NTSTATUS)0xC0000005)
#define STATUS_IN_PAGE_ERROR ((NTSTATUS)0xC0000006)
#define STATUS_PAGEFILE_QUOTA ((NTSTATUS)0xC0000007)
#define STATUS_INVALID_HANDLE ((NTSTATUS)0xC0000008)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#define STATUS_END_OF_FILE ((NTSTATUS)0xC0000011)
#define STATUS_NO_MEMORY ((NTSTATUS)0xC0000017)
#define STATUS_CONFLICTING_ADDRESSES ((NTSTATUS)0xC0000018)
#define STATUS_NOT_MAPPED_VIEW ((NTSTATUS)0xC0000019)
#define STATUS_UNABLE_TO_FREE_VM ((NTSTATUS)0xC000001A)
#define STATUS_UNABLE_TO_DELETE_SECTION ((NTSTATUS)0xC000001B)
#define STATUS_ILLEGAL_INSTRUCTION ((NTSTATUS)0xC000001D)
#define STATUS_INVALID_VIEW_SIZE ((NTSTATUS)0xC000001F)
#define STATUS_INVALID_FILE_FOR_SECTION ((NTSTATUS)0xC0000020)
#define STATUS_ALREADY_COMMITTED ((NTSTATUS)0xC0000021)
#define STATUS_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#define STATUS_BUFFER_TOO_SMALL ((NTSTATUS)0xC0000023)
#define STATUS_OBJECT_TYPE_MISMATCH ((NTSTATUS)0xC0000024)
#define STATUS_NONCONTINUABLE_EXCEPTION ((NTSTATUS)0xC0000025)
#define STATUS_INVALID_DISPOSITION ((NTSTATUS)0xC0000026)
#define STATUS_NOT_LOCKED ((NTSTATUS)0xC000002A)
#define STATUS_UNABLE_TO_DECOMMIT_VM ((NTSTATUS)0xC000002C)
#define STATUS_NOT_COMMITTED ((NTSTATUS)0xC000002D)
#define STATUS_OBJECT_NAME_INVALID ((NTSTATUS)0xC0000033)
#define STATUS_OBJECT_NAME_NOT_FOUND ((NTSTATUS)0xC0000034)
#define STATUS_OBJECT_NAME_COLLISION ((NTSTATUS)0xC0000035)
#define STATUS_OBJECT_PATH_NOT_FOUND ((NTSTATUS)0xC000003A)
#define STATUS_OBJECT_PATH_SYNTAX_BAD ((NTSTATUS)0xC000003B)
#define STATUS_SECTION_TOO_BIG ((NTSTATUS)0xC0000040)
#define STATUS_INVALID_PAGE_PROTECTION ((NTSTATUS)0xC0000045)
#define STATUS_MUTANT_NOT_OWNED ((NTSTATUS)0xC0000046)
#define STATUS_SEMAPHORE_LIMIT_EXCEEDED ((NTSTATUS)0xC0000047)
#define STATUS_SECTION_NOT_IMAGE ((NTSTATUS)0xC0000049)
#define STATUS_SECTION_PROTECTION ((NTSTATUS)0xC000004E)
#define STATUS_FILE_LOCK_CONFLICT ((NTSTATUS)0xC0000054)
#define STATUS_LOCK_NOT_GRANTED ((NTSTATUS)0xC0000055)
#define STATUS_UNKNOWN_REVISION ((NTSTATUS)0xC0000058)
#define STATUS_PRIVILEGE_NOT_HELD ((NTSTATUS)0xC0000061)
#define STATUS_INVALID_SECURITY_DESCR ((NTSTATUS)0xC0000079)
#define STATUS_INVALID_IMAGE_FORMAT ((NTSTATUS)0xC000007B)
#define STATUS_RANGE_NOT_LOCKED ((NTSTATUS)0xC000007E)
#define STATUS_DISK_FULL ((NTSTATUS)0xC000007F)
#define STATUS_SECTION_NOT_EXTENDED ((NTSTATUS)0xC0000087)
#define STATUS_NOT_MAPPED_DATA ((NTSTATUS)0xC0000088)
#define STATUS_RESOURCE_DATA_NOT_FOUND ((NTSTATUS)0xC0000089)
#define STATUS_RESOURCE_TYPE_NOT_FOUND ((NTSTATUS)0xC000008A)
#define STATUS_RESOURCE_NAME_NOT_FOUND ((NTSTATUS)0xC000008B)
#define STATUS_ARRAY_BOUNDS_EXCEEDED ((NTSTATUS)0xC000008C)
#define STATUS_FLOAT_DENORMAL_OPERAND ((NTSTATUS)0xC000008D)
#define STATUS_FLOAT_DIVIDE_BY_ZERO ((NTSTATUS)0xC000008E)
#define STATUS_FLOAT_INEXACT_RESULT ((NTSTATUS)0xC000008F)
#define STATUS_FLOAT_INVALID_OPERATION ((NTSTATUS)0xC0000090)
#define STATUS_FLOAT_OVERFLOW ((NTSTATUS)0xC0000091)
#define STATUS_FLOAT_STACK_CHECK ((NTSTATUS)0xC0000092)
#define STATUS_FLOAT_UNDERFLOW ((NTSTATUS)0xC0000093)
#define STATUS_INTEGER_DIVIDE_BY_ZERO ((NTSTATUS)0xC0000094)
#define STATUS_INTEGER_OVERFLOW ((NTSTATUS)0xC0000095)
#define STATUS_PRIVILEGED_INSTRUCTION ((NTSTATUS)0xC0000096)
#define STATUS_FILE_INVALID ((NTSTATUS)0xC0000098)
#define STATUS_INSUFFICIENT_RESOURCES ((NTSTATUS)0xC000009A)
#define STATUS_DEVICE_DATA_ERROR ((NTSTATUS)0xC000009C)
#define STATUS_FREE_VM_NOT_AT_BASE ((NTSTATUS)0xC000009F)
#define STATUS_MEMORY_NOT_ALLOCATED ((NTSTATUS)0xC00000A0)
#define STATUS_WORKING_SET_QUOTA ((NTSTATUS)0xC00000A1)
#define STATUS_PIPE_CLOSING ((NTSTATUS)0xC00000B1)
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#define STATUS_PROCESS_IS_TERMINATING ((NTSTATUS)0xC000010A)
#define STATUS_NOT_SAME_DEVICE ((NTSTATUS)0xC00000D4)
#define STATUS_INVALID_PARAMETER_1 ((NTSTATUS)0xC00000EF)
#define STATUS_INVALID_PARAMETER_2 ((NTSTATUS)0xC00000F0)
#define STATUS_INVALID_PARAMETER_3 ((NTSTATUS)0xC00000F1)
#define STATUS_INVALID_PARAMETER_4 ((NTSTATUS)0xC00000F2)
#define STATUS_INVALID_PARAMETER_5 ((NTSTATUS)0xC00000F3)
#define STATUS_INVALID_PARAMETER_6 ((NTSTATUS)0xC00000F4)
#define STATUS_INVALID_PARAMETER_7 ((NTSTATUS)0xC00000F5)
#define STATUS_INVALID_PARAMETER_8 ((NTSTATUS)0xC00000F6)
#define STATUS_INVALID_PARAMETER_9 ((NTSTATUS)0xC00000F7)
#define STATUS_INVALID_PARAMETER_10 ((NTSTATUS)0xC00000F8)
#define STATUS_INVALID_PARAMETER_11 ((NTSTATUS)0xC00000F9)
#define STATUS_INVALID_PARAMETER_12 ((NTSTATUS)0xC00000FA)
#define STATUS_STACK_OVERFLOW ((NTSTATUS)0xC00000FD)
#define STATUS_NAME_TOO_LONG ((NTSTATUS)0xC0000106)
#define STATUS_MAPPED_FILE_SIZE_ZERO ((NTSTATUS)0xC000011E)
#define STATUS_COMMITMENT_LIMIT ((NTSTATUS)0xC000012D)
#define STATUS_INVALID_IMAGE_NOT_MZ ((NTSTATUS)0xC000012F)
#define STATUS_INVALID_ADDRESS ((NTSTATUS)0xC0000141)
#define STATUS_PIPE_BROKEN ((NTSTATUS)0xC000014B)
#define STATUS_IO_DEVICE_ERROR ((NTSTATUS)0xC0000185)
#define STATUS_RESOURCE_LANG_NOT_FOUND ((NTSTATUS)0xC0000204)
#define STATUS_MAPPED_ALIGNMENT ((NTSTATUS)0xC0000220)
#define STATUS_HANDLE_NOT_CLOSABLE ((NTSTATUS)0xC0000235)
#define STATUS_USER_MAPPED_FILE ((NTSTATUS)0xC0000243)
#define STATUS_HARDWARE_MEMORY_ERROR ((NTSTATUS)0xC0000709)

#define NtCurrentProcess() ((HANDLE)(LONG_PTR)(-1))
#define NtCurrentThread() ((HANDLE)(LONG_PTR)(-2))

typedef enum _MEMORY_INFORMATION_CLASS {
	MemoryBasicInformation = 0,
	MemoryMappedFilenameInformation = 2,
	MemoryRegionInformation = 3,
	MemoryImageInformation = 6
} MEMORY_INFORMATION_CLASS;

/* RegionType is 0 for regions of this library (rule RI-07), but for large pages. */
typedef struct _MEMORY_REGION_INFORMATION {
	PVOID AllocationBase;
	ULONG AllocationProtect;
	__extension__ union {
		ULONG RegionType;
		__extension__ struct {
			ULONG Private : 1;
			ULONG MappedDataFile : 1;
			ULONG MappedImage : 1;
			ULONG MappedPageFile : 1;
			ULONG MappedPhysical : 1;
			ULONG DirectMapped : 1;
			ULONG SoftwareEnclave : 1;
			ULONG PageSize64K : 1;
			ULONG PlaceholderReservation : 1;
			ULONG MappedAwe : 1;
			ULONG MappedWriteWatch : 1;
			ULONG PageSizeLarge : 1;
			ULONG PageSizeHuge : 1;
			ULONG Reserved : 19;
		};
	};
	SIZE_T RegionSize;
	SIZE_T CommitSize;
	ULONG_PTR PartitionId;
} MEMORY_REGION_INFORMATION, *PMEMORY_REGION_INFORMATION;

_WINREGION_SIZE(MEMORY_REGION_INFORMATION, 40);
_WINREGION_OFFSET(MEMORY_REGION_INFORMATION, RegionSize, 16);
_WINREGION_OFFSET(MEMORY_REGION_INFORMATION, CommitSize, 24);
_WINREGION_OFFSET(MEMORY_REGION_INFORMATION, PartitionId, 32);

/* All 0 for memory that is not part of an image (rule RI-11) */
typedef struct _MEMORY_IMAGE_INFORMATION {
	PVOID ImageBase;
	SIZE_T SizeOfImage;
	__extension__ union {
		ULONG ImageFlags;
		__extension__ struct {
			ULONG ImagePartialMap : 1;
			ULONG ImageNotExecutable : 1;
			ULONG ImageSigningLevel : 4;
			ULONG ImageExtensionPresent : 1;
			ULONG Reserved : 25;
		};
	};
} MEMORY_IMAGE_INFORMATION, *PMEMORY_IMAGE_INFORMATION;

_WINREGION_SIZE(MEMORY_IMAGE_INFORMATION, 24);
_WINREGION_OFFSET(MEMORY_IMAGE_INFORMATION, SizeOfImage, 8);
_WINREGION_OFFSET(MEMORY_IMAGE_INFORMATION, ImageFlags, 16);

/* A name of so many bytes, not of units */
typedef struct _UNICODE_STRING {
	USHORT Length;
	USHORT MaximumLength;
	PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;

_WINREGION_SIZE(UNICODE_STRING, 16);

#define OBJ_INHERIT 0x00000002
#define OBJ_PERMANENT 0x00000010
#define OBJ_EXCLUSIVE 0x00000020
#define OBJ_CASE_INSENSITIVE 0x00000040
#define OBJ_OPENIF 0x00000080
#define OBJ_OPENLINK 0x00000100
#define OBJ_KERNEL_HANDLE 0x00000200
#define OBJ_FORCE_ACCESS_CHECK 0x00000400
#define OBJ_IGNORE_IMPERSONATED_DEVICEMAP 0x00000800
#define OBJ_DONT_REPARSE 0x00001000
#define OBJ_VALID_ATTRIBUTES 0x00001FF2

typedef struct _OBJECT_ATTRIBUTES {
	ULONG Length;
	HANDLE RootDirectory;
	PUNICODE_STRING ObjectName;
	ULONG Attributes;
	PVOID SecurityDescriptor;
	PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;

_WINREGION_SIZE(OBJECT_ATTRIBUTES, 48);

#define InitializeObjectAttributes(object, name, attributes, root, security) \
	((object)->Length = sizeof(OBJECT_ATTRIBUTES), \
	 (object)->RootDirectory = (root), (object)->ObjectName = (name), \
	 (object)->Attributes = (attributes), \
	 (object)->SecurityDescriptor = (security), \
	 (object)->SecurityQualityOfService = NULL)

typedef enum _SECTION_INHERIT {
	ViewShare = 1,
	ViewUnmap = 2
} SECTION_INHERIT;

typedef enum _SECTION_INFORMATION_CLASS {
	SectionBasicInformation = 0,
	SectionImageInformation = 1
} SECTION_INFORMATION_CLASS;

typedef struct _SECTION_BASIC_INFORMATION {
	PVOID BaseAddress;
	ULONG Attributes;
	LARGE_INTEGER Size;
} SECTION_BASIC_INFORMATION, *PSECTION_BASIC_INFORMATION;

_WINREGION_SIZE(SECTION_BASIC_INFORMATION, 24);
_WINREGION_OFFSET(SECTION_BASIC_INFORMATION, Size, 16);

typedef enum _VIRTUAL_MEMORY_INFORMATION_CLASS {
	VmPrefetchInformation
} VIRTUAL_MEMORY_INFORMATION_CLASS;

typedef struct _MEMORY_RANGE_ENTRY {
	PVOID VirtualAddress;
	SIZE_T NumberOfBytes;
} MEMORY_RANGE_ENTRY, *PMEMORY_RANGE_ENTRY;

#pragma GCC visibility push(default)

/*
 * The variables that the pointers lead to are looked at before anything is done.
 * If one of them lies in the very pages that a call changes, and cannot be
 * written afterwards, the call succeeds and that variable is left (rule M-14).
 */

/*
 * Reserve, commit, or both. On success *base and *size are what was really
 * reserved or committed. Rules VA-01 to VA-29; zero_bits ZB-01 to ZB-04: it has
 * to be valid in any case, and is a limit only when *base is NULL.
 */
NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE process, PVOID *base,
				       ULONG_PTR zero_bits, PSIZE_T size,
				       ULONG type, ULONG protect);

/*
 * The same with requirements on the address, and placeholders: MEM_RESERVE with
 * MEM_RESERVE_PLACEHOLDER or MEM_REPLACE_PLACEHOLDER. Rules VX-02 to 11, AR-01 to 11,
 * PH-01 to 09, PH-30, PH-33.
 */
NTSTATUS NTAPI NtAllocateVirtualMemoryEx(HANDLE process, PVOID *base,
					 PSIZE_T size, ULONG type,
					 ULONG protect,
					 PMEM_EXTENDED_PARAMETER parameters,
					 ULONG count);

/*
 * Release (the whole region, or with *size a part of it) or decommit; with
 * MEM_PRESERVE_PLACEHOLDER leave a placeholder, with MEM_COALESCE_PLACEHOLDERS join
 * some. On success *base and *size are what was really freed; *size stays 0 after
 * MEM_DECOMMIT of a whole region. Rules VF-01 to VF-18, NF-01 to NF-07, PH-11 to 26.
 */
NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE process, PVOID *base, PSIZE_T size,
				   ULONG type);

/*
 * Change the protection of committed pages. On success *base and *size are the
 * pages changed and *old_protect what the first of them had; after
 * STATUS_NOT_COMMITTED and STATUS_CONFLICTING_ADDRESSES *old_protect is
 * PAGE_NOACCESS. Rules VP-01 to VP-16.
 */
NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE process, PVOID *base, PSIZE_T size,
				      ULONG protect, PULONG old_protect);

/* What NtLockVirtualMemory() keeps: pages in memory, or (with a privilege) where they are */
#define MAP_PROCESS 1
#define MAP_SYSTEM 2

/*
 * Lock pages in memory, or unlock them, as VirtualLock() and VirtualUnlock() do. On
 * success *base and *size are the pages; STATUS_WAS_LOCKED: some of them were locked
 * already. Rules LK-01 to LK-13.
 */
NTSTATUS NTAPI NtLockVirtualMemory(HANDLE process, PVOID *base, PSIZE_T size,
				   ULONG type);
NTSTATUS NTAPI NtUnlockVirtualMemory(HANDLE process, PVOID *base, PSIZE_T size,
				     ULONG type);

/*
 * Describe the pages from address on (MemoryBasicInformation), the region that
 * address lies in (MemoryRegionInformation), the image that it is part of
 * (MemoryImageInformation), or the file that is mapped there
 * (MemoryMappedFilenameInformation: a UNICODE_STRING, and its text behind it).
 * return_length may be NULL. Rules VQ-01 to VQ-14, RI-01 to RI-12, MF-08.
 */
NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE process, PVOID address,
				    MEMORY_INFORMATION_CLASS information_class,
				    PVOID buffer, SIZE_T length,
				    PSIZE_T return_length);

/* VmPrefetchInformation: a ULONG that is 0. Rules PF-01 to PF-08. */
NTSTATUS NTAPI NtSetInformationVirtualMemory(
	HANDLE process, VIRTUAL_MEMORY_INFORMATION_CLASS information_class,
	ULONG_PTR nr, PMEMORY_RANGE_ENTRY list, PVOID information,
	ULONG length);

/*
 * Which pages of a range were written, and to forget it: GetWriteWatch() and
 * ResetWriteWatch(). Rules WW-01 to 44.
 */
NTSTATUS NTAPI NtGetWriteWatch(HANDLE process, ULONG flags, PVOID base,
			       SIZE_T size, PVOID *addresses, ULONG_PTR *count,
			       ULONG *granularity);
NTSTATUS NTAPI NtResetWriteWatch(HANDLE process, PVOID base, SIZE_T size);

/* As CloseHandle(), of any handle */
NTSTATUS NTAPI NtClose(HANDLE handle);

/*
 * A section of a file, or with NULL of memory. With the name of one that exists, and
 * OBJ_OPENIF, that one, and STATUS_OBJECT_NAME_EXISTS. Rules CM-01 to 46.
 */
NTSTATUS NTAPI NtCreateSection(PHANDLE section, ACCESS_MASK access,
			       POBJECT_ATTRIBUTES object, PLARGE_INTEGER size,
			       ULONG protect, ULONG attributes, HANDLE file);

/* The section that has the name. Rules OM-01 to 03. */
NTSTATUS NTAPI NtOpenSection(PHANDLE section, ACCESS_MASK access,
			     POBJECT_ATTRIBUTES object);

/*
 * Map a view. On success *base, *offset and *size are what was mapped. offset may
 * be NULL. Rules MV-10 to 48, ZB-01 to 07.
 */
NTSTATUS NTAPI NtMapViewOfSection(HANDLE section, HANDLE process, PVOID *base,
				  ULONG_PTR zero_bits, SIZE_T commit,
				  PLARGE_INTEGER offset, PSIZE_T size,
				  SECTION_INHERIT inherit, ULONG type,
				  ULONG protect);

/* The same with requirements on the address. Rules MV-34 to 45, AR-20 to 22. */
NTSTATUS NTAPI NtMapViewOfSectionEx(HANDLE section, HANDLE process, PVOID *base,
				    PLARGE_INTEGER offset, PSIZE_T size,
				    ULONG type, ULONG protect,
				    PMEM_EXTENDED_PARAMETER parameters,
				    ULONG count);

/* The whole view that the address lies in. Rules UM-01 to 09. */
NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE process, PVOID address);
NTSTATUS NTAPI NtUnmapViewOfSectionEx(HANDLE process, PVOID address,
				      ULONG flags);

/*
 * Make a section of a file larger, up to what the file has; what is larger already
 * stays so, and *size tells.
 */
NTSTATUS NTAPI NtExtendSection(HANDLE section, PLARGE_INTEGER size);

/* SectionBasicInformation. return_length may be NULL. Rules CM-25, 26, 49, 50. */
NTSTATUS NTAPI NtQuerySection(HANDLE section,
			      SECTION_INFORMATION_CLASS information_class,
			      PVOID buffer, SIZE_T length,
			      PSIZE_T return_length);

/* Of this process only; neither changes a protection. Rules PM-08, 11. */
NTSTATUS NTAPI NtReadVirtualMemory(HANDLE process, PVOID from, PVOID to,
				   SIZE_T size, PSIZE_T done);
NTSTATUS NTAPI NtWriteVirtualMemory(HANDLE process, PVOID to, PVOID from,
				    SIZE_T size, PSIZE_T done);

/* The ERROR_* that GetLastError() gives for a status */
ULONG NTAPI RtlNtStatusToDosError(NTSTATUS status);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_NT_H */
