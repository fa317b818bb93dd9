// SPDX-License-Identifier: GPL-2.0
/*
 * What the demo's workload takes from libwinregion for its tables, for the
 * program that has no winregion
 */
#include <stdlib.h>
#include <sys/mman.h>

#include <winregion/windows.h>

#include "../../userlib/examples/demo/demo.h"

LPVOID WINAPI VirtualAlloc(LPVOID address, SIZE_T size, DWORD type,
			   DWORD protect)
{
	if (type & MEM_COMMIT)
		return mprotect(address, size, PROT_READ | PROT_WRITE) ?
			       NULL : address;
	address = mmap(address, size, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return address == MAP_FAILED ? NULL : address;
}

/* The tables are the last thing that is freed. */
BOOL WINAPI VirtualFree(LPVOID address, SIZE_T size, DWORD type)
{
	return TRUE;
}

DWORD WINAPI GetLastError(VOID)
{
	return 0;
}

struct winregion_get_info get_info(void)
{
	return (struct winregion_get_info){ 0 };
}
