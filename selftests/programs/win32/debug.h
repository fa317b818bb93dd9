/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is for debuggers
 */
#ifndef _SELFTESTS_PROGRAMS_DEBUG_H
#define _SELFTESTS_PROGRAMS_DEBUG_H

#include <winregion/windows.h>

VOID WINAPI DebugBreak(VOID);
VOID WINAPI OutputDebugStringA(LPCSTR text);
VOID WINAPI OutputDebugStringW(LPCWSTR text);

#endif /* _SELFTESTS_PROGRAMS_DEBUG_H */
