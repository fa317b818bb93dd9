// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * GlobalMemoryStatusEx(), GetProcessMemoryInfo() and their relatives
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <winregion/psapi.h>
#include <winregion/winregion.h>

#include "figures.h"
#include "process.h"

#define KIB 1024

/* ---- the system ---- */

/* Rule GM-02 */
static DWORD load_of(const struct wr_system *system)
{
	if (system->total < 100)
		return 0;

	return (system->total - system->available) / (system->total / 100);
}

static void fill_status(MEMORYSTATUSEX *status)
{
	struct wr_system system;
	struct wr_own own;

	wr_system_figures(&system);
	wr_own_figures(&own);

	*status = (MEMORYSTATUSEX){
		.dwLength = sizeof(*status),
		.dwMemoryLoad = load_of(&system),
		.ullTotalPhys = system.total,
		.ullAvailPhys = system.available,
		.ullTotalPageFile = system.limit,
		.ullAvailPageFile = system.limit - system.promised,
		.ullTotalVirtual = own.highest - own.lowest + 1,
	};
	if (own.mapped < status->ullTotalVirtual)
		status->ullAvailVirtual = status->ullTotalVirtual - own.mapped;
}

BOOL WINAPI GlobalMemoryStatusEx(LPMEMORYSTATUSEX status)
{
	WR_KEEP_ERRNO();

	if (!wr_writable(status, sizeof(*status)))
		return wr_fail(ERROR_NOACCESS);
	if (status->dwLength != sizeof(*status))
		return wr_fail(ERROR_INVALID_PARAMETER);
	fill_status(status);

	return TRUE;
}

/* What is more than there are numbers for is the largest of them. */
static SIZE_T as_size(uint64_t bytes)
{
	return bytes < SIZE_MAX ? bytes : SIZE_MAX;
}

VOID WINAPI GlobalMemoryStatus(LPMEMORYSTATUS status)
{
	MEMORYSTATUSEX all;

	WR_KEEP_ERRNO();

	fill_status(&all);
	status->dwLength = sizeof(*status);
	status->dwMemoryLoad = all.dwMemoryLoad;
	status->dwTotalPhys = as_size(all.ullTotalPhys);
	status->dwAvailPhys = as_size(all.ullAvailPhys);
	status->dwTotalPageFile = as_size(all.ullTotalPageFile);
	status->dwAvailPageFile = as_size(all.ullAvailPageFile);
	status->dwTotalVirtual = as_size(all.ullTotalVirtual);
	status->dwAvailVirtual = as_size(all.ullAvailVirtual);
}

/* A number in a file that has nothing else; 0 if there is none */
static uint64_t read_number(const char *name, int base)
{
	char text[32];

	return wr_read_text(name, text, sizeof(text)) ?
		       strtoull(text, NULL, base) :
		       0;
}

#define BLOCKS "/sys/devices/system/memory"

static bool is_online_block(const char *name)
{
	char path[sizeof(BLOCKS) + 64];

	if (strncmp(name, "memory", 6) || !isdigit(name[6]))
		return false;
	snprintf(path, sizeof(path), BLOCKS "/%.40s/online", name);

	return read_number(path, 10) == 1;
}

/* What of memory is in use by the kernel from the start is in its blocks, too. */
static uint64_t size_of_blocks(void)
{
	uint64_t size = read_number(BLOCKS "/block_size_bytes", 16), n = 0;
	struct dirent *entry;
	DIR *directory;

	WR_NO_CANCEL();

	directory = size ? opendir(BLOCKS) : NULL;
	if (!directory)
		return 0;
	while ((entry = readdir(directory)))
		n += is_online_block(entry->d_name);
	closedir(directory);

	return n * size;
}

BOOL WINAPI GetPhysicallyInstalledSystemMemory(PULONGLONG kilobytes)
{
	struct wr_system system;
	uint64_t size;

	WR_KEEP_ERRNO();

	if (!kilobytes)
		return wr_fail(ERROR_INVALID_PARAMETER);
	if (!wr_writable(kilobytes, sizeof(*kilobytes)))
		return wr_fail(ERROR_NOACCESS);

	wr_system_figures(&system);
	size = size_of_blocks();
	*kilobytes = (size > system.total ? size : system.total) / KIB;

	return TRUE;
}

/* The largest value that a call has found */
static uint64_t peak(uint64_t *highest, uint64_t value)
{
	uint64_t now = __atomic_load_n(highest, __ATOMIC_RELAXED);

	while (now < value &&
	       !__atomic_compare_exchange_n(highest, &now, value, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;

	return now < value ? value : now;
}

static DWORD count_processes(void)
{
	struct dirent *entry;
	DIR *directory;
	DWORD n = 0;

	WR_NO_CANCEL();

	directory = opendir("/proc");
	if (!directory)
		return 0;
	while ((entry = readdir(directory)))
		n += !!isdigit(entry->d_name[0]);
	closedir(directory);

	return n;
}

/* "0.00 0.01 0.05 1/123 4567": 123 of them */
static DWORD count_threads(void)
{
	unsigned int n;
	char text[128];

	wr_read_text("/proc/loadavg", text, sizeof(text));

	return sscanf(text, "%*s %*s %*s %*u/%u", &n) == 1 ? n : 0;
}

BOOL WINAPI GetPerformanceInfo(PPERFORMANCE_INFORMATION information, DWORD size)
{
	static uint64_t highest;
	struct wr_system system;
	SIZE_T page = sysconf(_SC_PAGESIZE);

	WR_KEEP_ERRNO();

	if (size < sizeof(*information))
		return wr_fail(ERROR_BAD_LENGTH);
	if (!wr_writable(information, sizeof(*information)))
		return wr_fail(ERROR_NOACCESS);

	wr_system_figures(&system);
	information->cb = sizeof(*information);
	information->CommitTotal = system.promised / page;
	information->CommitLimit = system.limit / page;
	information->CommitPeak = peak(&highest, system.promised / page);
	information->PhysicalTotal = system.total / page;
	information->PhysicalAvailable = system.available / page;
	information->SystemCache = system.cache / page;
	information->KernelTotal = (system.kernel + system.reclaimable) / page;
	information->KernelPaged = system.reclaimable / page;
	information->KernelNonpaged = system.kernel / page;
	information->PageSize = page;
	information->HandleCount = read_number("/proc/sys/fs/file-nr", 10);
	information->ProcessCount = count_processes();
	information->ThreadCount = count_threads();

	return TRUE;
}

BOOL WINAPI K32GetPerformanceInfo(PPERFORMANCE_INFORMATION information,
				  DWORD size)
{
	return GetPerformanceInfo(information, size);
}

/* ---- processes ---- */

/* The highest promise is what calls about this process have found. */
static void fill_counters(const struct wr_target *target,
			  PROCESS_MEMORY_COUNTERS_EX *counters)
{
	static uint64_t highest;
	struct wr_own own;

	wr_figures_of(target, &own);

	*counters = (PROCESS_MEMORY_COUNTERS_EX){
		.PageFaultCount = own.faults,
		.PeakWorkingSetSize = own.peak,
		.WorkingSetSize = own.resident,
		.PagefileUsage = own.promised,
		.PeakPagefileUsage = target->object ?
					     own.promised :
					     peak(&highest, own.promised),
		.PrivateUsage = own.promised,
	};
	/* The kernel counts its highest value less often. */
	if (counters->PeakWorkingSetSize < own.resident)
		counters->PeakWorkingSetSize = own.resident;
}

/* Rules PI-03, PI-04: one structure is the beginning of the other. */
BOOL WINAPI GetProcessMemoryInfo(HANDLE process,
				 PPROCESS_MEMORY_COUNTERS counters, DWORD size)
{
	PROCESS_MEMORY_COUNTERS_EX all;
	struct wr_target target;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	if (size < sizeof(*counters))
		return wr_fail(ERROR_INSUFFICIENT_BUFFER);
	size = size < sizeof(all) ? sizeof(*counters) : sizeof(all);
	status = wr_target_get(process, PROCESS_QUERY_LIMITED_INFORMATION,
			       &target);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);

	fill_counters(&target, &all);
	if (!wr_target_put_asked(&target))
		return wr_succeeded(STATUS_PROCESS_IS_TERMINATING);
	if (!wr_writable(counters, size))
		return wr_fail(ERROR_NOACCESS);

	all.cb = size;
	memcpy(counters, &all, size);

	return TRUE;
}

BOOL WINAPI K32GetProcessMemoryInfo(HANDLE process,
				    PPROCESS_MEMORY_COUNTERS counters,
				    DWORD size)
{
	return GetProcessMemoryInfo(process, counters, size);
}

SIZE_T WINAPI GetLargePageMinimum(VOID)
{
	struct winregion_get_info info = { 0 };

	if (winregion_get_info(&info) ||
	    !(info.out_features & WINREGION_FEATURE_LARGE_PAGES))
		return 0;

	return WINREGION_LARGE_PAGE;
}
