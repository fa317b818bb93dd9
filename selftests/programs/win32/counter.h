/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clocks
 */
#ifndef _SELFTESTS_PROGRAMS_COUNTER_H
#define _SELFTESTS_PROGRAMS_COUNTER_H

#include <winregion/windows.h>

BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *ticks);
VOID WINAPI GetSystemTimeAsFileTime(LPFILETIME now);
BOOL WINAPI GetProcessTimes(HANDLE process, LPFILETIME creation, LPFILETIME end,
			    LPFILETIME kernel, LPFILETIME user);

#endif /* _SELFTESTS_PROGRAMS_COUNTER_H */
