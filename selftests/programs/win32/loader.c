// SPDX-License-Identifier: GPL-2.0
/*
 * Libraries that are loaded as a program runs: there are none but Kernel32.dll, and
 * what programs look up there
 */
#include <strings.h>

#include "windows.h"

static char kernel32;

HMODULE WINAPI LoadLibraryA(LPCSTR name)
{
	if (!strcasecmp(name, "Kernel32.dll"))
		return &kernel32;
	SetLastError(ERROR_MOD_NOT_FOUND);

	return NULL;
}

HMODULE WINAPI LoadLibraryW(LPCWSTR name)
{
	char text[MAX_PATH];

	if (WideCharToMultiByte(CP_UTF8, 0, name, -1, text, sizeof(text), NULL,
				NULL))
		return LoadLibraryA(text);
	SetLastError(ERROR_MOD_NOT_FOUND);

	return NULL;
}

BOOL WINAPI FreeLibrary(HMODULE module)
{
	return TRUE;
}

FARPROC WINAPI GetProcAddress(HMODULE module, LPCSTR name)
{
	if (module == &kernel32 && !strcmp(name, "GetProcessTimes"))
		return (FARPROC)(void *)GetProcessTimes;
	SetLastError(ERROR_PROC_NOT_FOUND);

	return NULL;
}
