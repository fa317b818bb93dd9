// SPDX-License-Identifier: GPL-2.0
/*
 * What is for debuggers, which nobody is
 */
#include <signal.h>

#include "windows.h"

VOID WINAPI DebugBreak(VOID)
{
	raise(SIGTRAP);
}

VOID WINAPI OutputDebugStringA(LPCSTR text)
{
}

VOID WINAPI OutputDebugStringW(LPCWSTR text)
{
}
