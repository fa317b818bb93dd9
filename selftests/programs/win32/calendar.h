/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Time by the calendar
 */
#ifndef _SELFTESTS_PROGRAMS_CALENDAR_H
#define _SELFTESTS_PROGRAMS_CALENDAR_H

#include <winregion/windows.h>

typedef struct _SYSTEMTIME {
	WORD wYear;
	WORD wMonth;
	WORD wDayOfWeek;
	WORD wDay;
	WORD wHour;
	WORD wMinute;
	WORD wSecond;
	WORD wMilliseconds;
} SYSTEMTIME, *LPSYSTEMTIME;

VOID WINAPI GetSystemTime(LPSYSTEMTIME now);
BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME *time, LPFILETIME result);

#endif /* _SELFTESTS_PROGRAMS_CALENDAR_H */
