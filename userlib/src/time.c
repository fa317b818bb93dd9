// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Clocks, and how long this process and the system have worked
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "filetime.h"
#include "process.h"

/* As on Windows 10: ten million ticks a second */
BOOL WINAPI QueryPerformanceCounter(PLARGE_INTEGER ticks)
{
	struct timespec now;

	if (!wr_writable(ticks, sizeof(*ticks)))
		return wr_fail(ERROR_NOACCESS);
	clock_gettime(CLOCK_MONOTONIC, &now);
	ticks->QuadPart = wr_ticks_of(&now);

	return TRUE;
}

BOOL WINAPI QueryPerformanceFrequency(PLARGE_INTEGER ticks)
{
	if (!wr_writable(ticks, sizeof(*ticks)))
		return wr_fail(ERROR_NOACCESS);
	ticks->QuadPart = WR_TICKS_PER_SECOND;

	return TRUE;
}

static FILETIME filetime_of(const struct timespec *time)
{
	return wr_filetime(wr_ticks_of(time) +
			   WR_EPOCH_SECONDS * WR_TICKS_PER_SECOND);
}

VOID WINAPI GetSystemTimePreciseAsFileTime(LPFILETIME now)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	*now = filetime_of(&time);
}

VOID WINAPI GetSystemTimeAsFileTime(LPFILETIME now)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME_COARSE, &time);
	*now = filetime_of(&time);
}

/* Of what counts in the kernel's clock ticks */
static uint64_t ticks_of_clock(unsigned long long clock)
{
	return clock * (WR_TICKS_PER_SECOND / sysconf(_SC_CLK_TCK));
}

/* The number of field 22 of the line, whose second field can have anything in it */
static bool read_start(unsigned long long *start)
{
	char text[1024], *at;
	int i;

	if (!wr_read_text("/proc/self/stat", text, sizeof(text)))
		return false;
	at = strrchr(text, ')');
	for (i = 2; at && i < 22; i++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	*start = strtoull(at + 1, NULL, 10);

	return true;
}

/* It is told since boot; 0 where /proc is not there. */
static FILETIME creation_time(void)
{
	struct timespec now, up;
	unsigned long long start;

	if (!read_start(&start))
		return wr_filetime(0);
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);

	return wr_filetime(WR_EPOCH_SECONDS * WR_TICKS_PER_SECOND +
			   wr_ticks_of(&now) - wr_ticks_of(&up) +
			   ticks_of_clock(start));
}

static FILETIME time_spent(const struct timeval *time)
{
	return wr_filetime(time->tv_sec * WR_TICKS_PER_SECOND +
			   time->tv_usec * 10);
}

BOOL WINAPI GetProcessTimes(HANDLE process, LPFILETIME creation, LPFILETIME end,
			    LPFILETIME kernel, LPFILETIME user)
{
	struct rusage usage;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	status = wr_target_own(process, PROCESS_QUERY_LIMITED_INFORMATION);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	if (!wr_writable(creation, sizeof(*creation)) ||
	    !wr_writable(end, sizeof(*end)) ||
	    !wr_writable(kernel, sizeof(*kernel)) ||
	    !wr_writable(user, sizeof(*user)))
		return wr_fail(ERROR_NOACCESS);

	getrusage(RUSAGE_SELF, &usage);
	*creation = creation_time();
	*end = wr_filetime(0);
	*kernel = time_spent(&usage.ru_stime);
	*user = time_spent(&usage.ru_utime);

	return TRUE;
}

/* What the first line of /proc/stat has, in its order */
struct spent {
	unsigned long long user, nice, system, idle, iowait, irq, softirq;
};

BOOL WINAPI GetSystemTimes(LPFILETIME idle, LPFILETIME kernel, LPFILETIME user)
{
	struct spent spent;
	char text[512];

	WR_KEEP_ERRNO();

	if (!wr_read_text("/proc/stat", text, sizeof(text)) ||
	    sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu", &spent.user,
		   &spent.nice, &spent.system, &spent.idle, &spent.iowait,
		   &spent.irq, &spent.softirq) != 7)
		return wr_fail(ERROR_NOT_SUPPORTED);

	spent.idle += spent.iowait;
	spent.system += spent.irq + spent.softirq + spent.idle;
	if (idle)
		*idle = wr_filetime(ticks_of_clock(spent.idle));
	if (kernel)
		*kernel = wr_filetime(ticks_of_clock(spent.system));
	if (user)
		*user = wr_filetime(ticks_of_clock(spent.user + spent.nice));

	return TRUE;
}

/* The processors see what they write; the compiler has to have written it. */
BOOL WINAPI FlushInstructionCache(HANDLE process, LPCVOID address, SIZE_T size)
{
	NTSTATUS status = wr_target_own(process, PROCESS_VM_WRITE);

	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	__builtin___clear_cache((char *)(uintptr_t)address,
				(char *)(uintptr_t)address + size);

	return TRUE;
}
