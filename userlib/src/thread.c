// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What memory managers need beside memory: ids, time and waiting
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <winregion/windows.h>

#define MS_PER_SECOND 1000
#define NS_PER_MS 1000000

DWORD WINAPI GetCurrentProcessId(VOID)
{
	return getpid();
}

DWORD WINAPI GetCurrentThreadId(VOID)
{
	return gettid();
}

/* Since boot, time asleep included */
ULONGLONG WINAPI GetTickCount64(VOID)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);

	return (ULONGLONG)now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
}

DWORD WINAPI GetTickCount(VOID)
{
	return GetTickCount64();
}

BOOL WINAPI SwitchToThread(VOID)
{
	return sched_yield() == 0;
}

static void sleep_for(DWORD milliseconds)
{
	struct timespec left = {
		.tv_sec = milliseconds / MS_PER_SECOND,
		.tv_nsec = milliseconds % MS_PER_SECOND * NS_PER_MS,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}

VOID WINAPI Sleep(DWORD milliseconds)
{
	int saved_errno = errno;

	if (!milliseconds)
		sched_yield();
	else if (milliseconds != INFINITE)
		sleep_for(milliseconds);
	else
		for (;;)
			pause();

	errno = saved_errno;
}
