// SPDX-License-Identifier: GPL-2.0
/*
 * Clocks
 */
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "windows.h"

/* In 100 ns */
#define SECOND 10000000LL
/* Seconds from 1601 to 1970 */
#define EPOCH 11644473600LL

static FILETIME file_time(long long time)
{
	return (FILETIME){ (DWORD)time, (DWORD)(time >> 32) };
}

static FILETIME used(struct timeval time)
{
	return file_time(time.tv_sec * SECOND + time.tv_usec * 10);
}

BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *ticks)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ticks->QuadPart = now.tv_sec * SECOND + now.tv_nsec / 100;

	return TRUE;
}

VOID WINAPI GetSystemTimeAsFileTime(LPFILETIME now)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	*now = file_time((time.tv_sec + EPOCH) * SECOND + time.tv_nsec / 100);
}

/* When it began and ended, nobody asks for. */
BOOL WINAPI GetProcessTimes(HANDLE process, LPFILETIME creation, LPFILETIME end,
			    LPFILETIME kernel, LPFILETIME user)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	*creation = file_time(0);
	*end = file_time(0);
	*kernel = used(usage.ru_stime);
	*user = used(usage.ru_utime);

	return TRUE;
}
