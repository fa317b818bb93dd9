// SPDX-License-Identifier: GPL-2.0
/*
 * What is neither memory nor something to wait for
 */
#include <stdio.h>
#include <stdlib.h>

#include "windows.h"

HANDLE WINAPI GetStdHandle(DWORD which)
{
	if (which != STD_OUTPUT_HANDLE)
		return INVALID_HANDLE_VALUE;

	return CreateFileA("/proc/self/fd/1", GENERIC_WRITE,
			   FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
			   OPEN_EXISTING, 0, NULL);
}

/* 10.0 */
DWORD WINAPI GetVersion(VOID)
{
	return 10;
}

DWORD WINAPI FormatMessageA(DWORD flags, LPCVOID source, DWORD message,
			    DWORD language, LPSTR buffer, DWORD size,
			    va_list *arguments)
{
	return snprintf(buffer, size, "Windows error %u", message);
}

void *_aligned_malloc(size_t size, size_t alignment)
{
	return aligned_alloc(alignment, size);
}

void _aligned_free(void *memory)
{
	free(memory);
}

WCHAR *win32_wcscpy(WCHAR *to, const WCHAR *from)
{
	WCHAR *at = to;

	while ((*at++ = *from++))
		;

	return to;
}
