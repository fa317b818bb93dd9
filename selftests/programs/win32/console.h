/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The console: there is none
 */
#ifndef _SELFTESTS_PROGRAMS_CONSOLE_H
#define _SELFTESTS_PROGRAMS_CONSOLE_H

#include <winregion/windows.h>

#define CTRL_C_EVENT 0
#define FOREGROUND_RED 0x0004
#define FOREGROUND_INTENSITY 0x0008

typedef struct _COORD {
	SHORT X;
	SHORT Y;
} COORD;

typedef struct _SMALL_RECT {
	SHORT Left;
	SHORT Top;
	SHORT Right;
	SHORT Bottom;
} SMALL_RECT;

typedef struct _CONSOLE_SCREEN_BUFFER_INFO {
	COORD dwSize;
	COORD dwCursorPosition;
	WORD wAttributes;
	SMALL_RECT srWindow;
	COORD dwMaximumWindowSize;
} CONSOLE_SCREEN_BUFFER_INFO, *PCONSOLE_SCREEN_BUFFER_INFO;

typedef BOOL(WINAPI *PHANDLER_ROUTINE)(DWORD event);

BOOL WINAPI GetConsoleScreenBufferInfo(HANDLE console,
				       PCONSOLE_SCREEN_BUFFER_INFO info);
BOOL WINAPI WriteConsoleA(HANDLE console, const VOID *text, DWORD length,
			  LPDWORD written, LPVOID reserved);
BOOL WINAPI SetConsoleTextAttribute(HANDLE console, WORD attributes);
BOOL WINAPI SetConsoleCtrlHandler(PHANDLER_ROUTINE handler, BOOL add);

#endif /* _SELFTESTS_PROGRAMS_CONSOLE_H */
