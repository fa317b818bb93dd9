// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * VirtualAlloc() and the other Win32 calls that change memory
 *
 * Each is its NtXxxVirtualMemory() call, with the checks that Windows makes
 * before that, and the last error instead of a status.
 */
#include <stdint.h>

#include "internal.h"

/* Rule VA-25: the first 64 KiB are never given away. */
#define LOWEST ((uintptr_t)WINREGION_GRANULARITY)

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
