// SPDX-License-Identifier: GPL-2.0
/*
 * The console: there is none, and so no colours, and no keys that end a program
 */
#include "windows.h"

BOOL WINAPI GetConsoleScreenBufferInfo(HANDLE console,
				       PCONSOLE_SCREEN_BUFFER_INFO info)
{
	SetLastError(ERROR_INVALID_HANDLE);

	return FALSE;
}

BOOL WINAPI WriteConsoleA(HANDLE console, const VOID *text, DWORD length,
			  LPDWORD written, LPVOID reserved)
{
	SetLastError(ERROR_INVALID_HANDLE);

	return FALSE;
}

BOOL WINAPI SetConsoleTextAttribute(HANDLE console, WORD attributes)
{
	SetLastError(ERROR_INVALID_HANDLE);

	return FALSE;
}

BOOL WINAPI SetConsoleCtrlHandler(PHANDLER_ROUTINE handler, BOOL add)
{
	return TRUE;
}
