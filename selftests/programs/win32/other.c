// SPDX-License-Identifier: GPL-2.0
/*
 * What is neither memory nor something to wait for
 */
#include <sys/random.h>

#include "windows.h"

/* 10.0 */
DWORD WINAPI GetVersion(VOID)
{
	return 10;
}

/* All names are UTF-8. */
BOOL WINAPI AreFileApisANSI(VOID)
{
	return TRUE;
}

BOOLEAN NTAPI SystemFunction036(PVOID memory, ULONG size)
{
	return getrandom(memory, size, 0) == size;
}

WCHAR *win32_wcscpy(WCHAR *to, const WCHAR *from)
{
	WCHAR *at = to;

	while ((*at++ = *from++))
		;

	return to;
}
