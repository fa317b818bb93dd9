// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * VirtualAlloc() and the other Win32 calls that change memory
 *
 * Each is its NtXxxVirtualMemory() call, with the checks that Windows makes
 * before that, and the last error instead of a status.
 */
#include <stdint.h>
#include <unistd.h>

#include "extended.h"

/* Rule VA-25: the first 64 KiB are never given away. */
#define LOWEST ((uintptr_t)WINREGION_GRANULARITY)

LPVOID WINAPI VirtualAllocEx(HANDLE process, LPVOID address, SIZE_T size,
			     DWORD type, DWORD protect)
{
	struct wr_range range = { address, size };
	NTSTATUS status;

	if (address && (uintptr_t)address < LOWEST)
		status = STATUS_INVALID_PARAMETER;
	else
		status = wr_allocate(process, &range, 0, type, protect);

	return wr_succeeded(status) ? range.base : NULL;
}

LPVOID WINAPI VirtualAlloc(LPVOID address, SIZE_T size, DWORD type,
			   DWORD protect)
{
	return VirtualAllocEx(GetCurrentProcess(), address, size, type,
			      protect);
}

/* Rules VX-09, PH-30: what it is to be is told exactly. */
static BOOL is_exact(LPVOID address, SIZE_T size, ULONG type)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), unit = 1;

	if (type & MEM_REPLACE_PLACEHOLDER)
		unit = page;
	else if (type & MEM_RESERVE)
		unit = WINREGION_GRANULARITY;

	return !(size & (page - 1)) && !((uintptr_t)address & (unit - 1));
}

/* Rule VX-01 */
PVOID WINAPI VirtualAlloc2(HANDLE process, PVOID address, SIZE_T size,
			   ULONG type, ULONG protect,
			   PMEM_EXTENDED_PARAMETER parameters, ULONG count)
{
	struct wr_range range = { address, size };
	NTSTATUS status;

	if (!process)
		process = GetCurrentProcess();
	if ((address && (uintptr_t)address < LOWEST) ||
	    !is_exact(address, size, type))
		status = STATUS_INVALID_PARAMETER;
	else
		status = wr_allocate_extended(process, &range, type, protect,
					      parameters, count);

	return wr_succeeded(status) ? range.base : NULL;
}

/* A wish for new regions, but a node that there is not is refused in any case. */
LPVOID WINAPI VirtualAllocExNuma(HANDLE process, LPVOID address, SIZE_T size,
				 DWORD type, DWORD protect, DWORD node)
{
	MEM_EXTENDED_PARAMETER wish = {
		.Type = MemExtendedParameterNumaNode,
		.ULong = node,
	};
	struct wr_range range = { address, size };
	NTSTATUS status;

	if ((address && (uintptr_t)address < LOWEST) ||
	    type & (MEM_RESERVE_PLACEHOLDER | MEM_REPLACE_PLACEHOLDER))
		status = STATUS_INVALID_PARAMETER;
	else
		status = wr_allocate_extended(process, &range, type, protect,
					      &wish, 1);

	return wr_succeeded(status) ? range.base : NULL;
}

/* What programs of the store may do is what all may here. */
PVOID WINAPI VirtualAlloc2FromApp(HANDLE process, PVOID address, SIZE_T size,
				  ULONG type, ULONG protect,
				  PMEM_EXTENDED_PARAMETER parameters,
				  ULONG count)
{
	return VirtualAlloc2(process, address, size, type, protect, parameters,
			     count);
}

PVOID WINAPI VirtualAllocFromApp(PVOID address, SIZE_T size, ULONG type,
				 ULONG protect)
{
	return VirtualAlloc(address, size, type, protect);
}

BOOL WINAPI VirtualFreeEx(HANDLE process, LPVOID address, SIZE_T size,
			  DWORD type)
{
	struct wr_range range = { address, size };

	/* Rule VF-04: only NtFreeVirtualMemory() releases a part. */
	if (type == MEM_RELEASE && size)
		return wr_succeeded(STATUS_INVALID_PARAMETER);

	return wr_succeeded(wr_free(process, &range, type));
}

BOOL WINAPI VirtualFree(LPVOID address, SIZE_T size, DWORD type)
{
	return VirtualFreeEx(GetCurrentProcess(), address, size, type);
}

BOOL WINAPI VirtualProtectEx(HANDLE process, LPVOID address, SIZE_T size,
			     DWORD protect, PDWORD old_protect)
{
	struct wr_range range = { address, size };

	return wr_succeeded(wr_protect(process, &range, protect, old_protect));
}

BOOL WINAPI VirtualProtect(LPVOID address, SIZE_T size, DWORD protect,
			   PDWORD old_protect)
{
	return VirtualProtectEx(GetCurrentProcess(), address, size, protect,
				old_protect);
}

BOOL WINAPI VirtualProtectFromApp(PVOID address, SIZE_T size, ULONG protect,
				  PULONG old_protect)
{
	return VirtualProtect(address, size, protect, old_protect);
}
