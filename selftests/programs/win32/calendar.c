// SPDX-License-Identifier: GPL-2.0
/*
 * Time by the calendar
 */
#include <sys/time.h>
#include <time.h>

#include "windows.h"

/* In 100 ns */
#define MS 10000LL
/* Seconds from 1601 to 1970 */
#define EPOCH 11644473600LL

VOID WINAPI GetSystemTime(LPSYSTEMTIME now)
{
	struct timeval time;
	struct tm parts;

	gettimeofday(&time, NULL);
	gmtime_r(&time.tv_sec, &parts);
	now->wYear = parts.tm_year + 1900;
	now->wMonth = parts.tm_mon + 1;
	now->wDayOfWeek = parts.tm_wday;
	now->wDay = parts.tm_mday;
	now->wHour = parts.tm_hour;
	now->wMinute = parts.tm_min;
	now->wSecond = parts.tm_sec;
	now->wMilliseconds = time.tv_usec / 1000;
}

BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME *time, LPFILETIME result)
{
	struct tm parts = {
		.tm_year = time->wYear - 1900,
		.tm_mon = time->wMonth - 1,
		.tm_mday = time->wDay,
		.tm_hour = time->wHour,
		.tm_min = time->wMinute,
		.tm_sec = time->wSecond,
	};
	long long value =
		((timegm(&parts) + EPOCH) * 1000 + time->wMilliseconds) * MS;

	result->dwLowDateTime = value;
	result->dwHighDateTime = value >> 32;

	return TRUE;
}
