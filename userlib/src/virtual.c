// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * VirtualAlloc() and the other Win32 memory calls
 *
 * Each is its NtXxxVirtualMemory() call, with the checks that Windows makes
 * before that, and the last error instead of a status.
 */
#include <stdint.h>

#include "internal.h"

/* Rule VA-25: the first 64 KiB are never given away. */
#define LOWEST ((uintptr_t)WINREGION_GRANULARITY)

HANDLE WINAPI GetCurrentProcess(VOID)
{
	return NtCurrentProcess();
}

LPVOID WINAPI VirtualAllocEx(HANDLE process, LPVOID address, SIZE_T size,
			     DWORD type, DWORD protect)
{
	NTSTATUS status;

	if (address && (uintptr_t)address < LOWEST) {
		wr_succeeded(STATUS_INVALID_PARAMETER);
		return NULL;
	}

	status = NtAllocateVirtualMemory(process, &address, 0, &size, type,
					 protect);

	return wr_succeeded(status) ? address : NULL;
}

LPVOID WINAPI VirtualAlloc(LPVOID address, SIZE_T size, DWORD type,
			   DWORD protect)
{
	return VirtualAllocEx(GetCurrentProcess(), address, size, type,
			      protect);
}

BOOL WINAPI VirtualFreeEx(HANDLE process, LPVOID address, SIZE_T size,
			  DWORD type)
{
	NTSTATUS status;

	/* Rule VF-04: only NtFreeVirtualMemory() releases a part. */
	if (type == MEM_RELEASE && size)
		return wr_succeeded(STATUS_INVALID_PARAMETER);

	status = NtFreeVirtualMemory(process, &address, &size, type);

	return wr_succeeded(status);
}

BOOL WINAPI VirtualFree(LPVOID address, SIZE_T size, DWORD type)
{
	return VirtualFreeEx(GetCurrentProcess(), address, size, type);
}

BOOL WINAPI VirtualProtectEx(HANDLE process, LPVOID address, SIZE_T size,
			     DWORD protect, PDWORD old_protect)
{
	return wr_succeeded(NtProtectVirtualMemory(process, &address, &size,
						   protect, old_protect));
}

BOOL WINAPI VirtualProtect(LPVOID address, SIZE_T size, DWORD protect,
			   PDWORD old_protect)
{
	return VirtualProtectEx(GetCurrentProcess(), address, size, protect,
				old_protect);
}

SIZE_T WINAPI VirtualQueryEx(HANDLE process, LPCVOID address,
			     PMEMORY_BASIC_INFORMATION buffer, SIZE_T length)
{
	SIZE_T written;
	NTSTATUS status;

	status = NtQueryVirtualMemory(process, (PVOID)address,
				      MemoryBasicInformation, buffer, length,
				      &written);

	return wr_succeeded(status) ? written : 0;
}

SIZE_T WINAPI VirtualQuery(LPCVOID address, PMEMORY_BASIC_INFORMATION buffer,
			   SIZE_T length)
{
	return VirtualQueryEx(GetCurrentProcess(), address, buffer, length);
}

/* Unlike the Nt call, this one tells the kind of region (rule RI-07). */
static NTSTATUS query_region(const void *address,
			     WIN32_MEMORY_REGION_INFORMATION *info)
{
	struct winregion_run run;
	NTSTATUS status = wr_query(address, &run);

	if (status != STATUS_SUCCESS)
		return status;
	if (run.state == MEM_FREE)
		return STATUS_INVALID_ADDRESS;

	*info = (WIN32_MEMORY_REGION_INFORMATION){
		.AllocationBase = (PVOID)(uintptr_t)run.region_address,
		.AllocationProtect = run.region_protection,
		.Private = run.type == MEM_PRIVATE,
		.MappedDataFile = run.type == MEM_MAPPED,
		.RegionSize = run.region_length,
		.CommitSize = run.region_committed,
	};

	return STATUS_SUCCESS;
}

BOOL WINAPI QueryVirtualMemoryInformation(HANDLE process, LPCVOID address,
					  WIN32_MEMORY_INFORMATION_CLASS kind,
					  PVOID buffer, SIZE_T length,
					  PSIZE_T return_length)
{
	NTSTATUS status;

	/* Rule RI-09 */
	if (kind != MemoryRegionInfo)
		return wr_succeeded(STATUS_INVALID_PARAMETER);
	if (length < sizeof(WIN32_MEMORY_REGION_INFORMATION))
		return wr_succeeded(STATUS_INFO_LENGTH_MISMATCH);
	if (!wr_writable(buffer, sizeof(WIN32_MEMORY_REGION_INFORMATION)) ||
	    (return_length &&
	     !wr_writable(return_length, sizeof(*return_length))))
		return wr_succeeded(STATUS_ACCESS_VIOLATION);
	if (process != GetCurrentProcess())
		return wr_succeeded(STATUS_INVALID_HANDLE);

	status = query_region(address, buffer);
	if (status == STATUS_SUCCESS && return_length)
		*return_length = sizeof(WIN32_MEMORY_REGION_INFORMATION);

	return wr_succeeded(status);
}
