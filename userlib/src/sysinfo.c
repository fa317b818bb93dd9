// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * GetSystemInfo()
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include <winregion/winregion.h>

#include "internal.h"

/* What Windows says, for when there is no module to ask */
#define DEFAULT_LOWEST 0x0000000000010000
#define DEFAULT_HIGHEST (WR_32BIT ? 0xFFFEFFFF : WR_USER_END - 0x10001)

#if defined(__x86_64__) || defined(__i386__)

/* Level is the family; revision is the model, then the stepping. */
static void fill_processor(LPSYSTEM_INFO info)
{
	unsigned int eax = 0, ebx, ecx, edx;
	unsigned int family, model;

	__get_cpuid(1, &eax, &ebx, &ecx, &edx);
	family = (eax >> 8) & 0xF;
	model = (eax >> 4) & 0xF;
	if (family == 0x6 || family == 0xF)
		model |= ((eax >> 16) & 0xF) << 4;
	if (family == 0xF)
		family += (eax >> 20) & 0xFF;

	info->wProcessorArchitecture = WR_32BIT ? PROCESSOR_ARCHITECTURE_INTEL :
						  PROCESSOR_ARCHITECTURE_AMD64;
	info->dwProcessorType = WR_32BIT ? PROCESSOR_INTEL_PENTIUM :
					   PROCESSOR_AMD_X8664;
	info->wProcessorLevel = family;
	info->wProcessorRevision = model << 8 | (eax & 0xF);
}

#else

static void fill_processor(LPSYSTEM_INFO info)
{
#ifdef __aarch64__
	info->wProcessorArchitecture = PROCESSOR_ARCHITECTURE_ARM64;
#else
	info->wProcessorArchitecture = PROCESSOR_ARCHITECTURE_UNKNOWN;
#endif
}

#endif

/* As many as are online, counted from 0 */
static uint64_t mask_by_count(void)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (online < 1)
		online = 1;
	if (online > MAXIMUM_PROCESSORS)
		online = MAXIMUM_PROCESSORS;

	return UINT64_MAX >> (64 - online);
}

/* Which are online: a text like "0-3,5" */
static uint64_t read_mask(const char *at)
{
	unsigned long first, last;
	uint64_t mask = 0;
	char *end;

	for (; *at >= '0' && *at <= '9'; at = *end == ',' ? end + 1 : end) {
		first = strtoul(at, &end, 10);
		last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
		for (; first <= last && first < MAXIMUM_PROCESSORS; first++)
			mask |= (uint64_t)1 << first;
	}

	return mask;
}

uint64_t wr_read_list(const char *name)
{
	char text[256];

	WR_KEEP_ERRNO();

	wr_read_text(name, text, sizeof(text));

	return read_mask(text);
}

/* The structure has room for one processor group. */
static void fill_processor_count(LPSYSTEM_INFO info)
{
	uint64_t mask = wr_read_list("/sys/devices/system/cpu/online");

	if (!mask)
		mask = mask_by_count();
	/* A 32-bit program sees 32 of them. */
	mask &= ~(DWORD_PTR)0;
	info->dwActiveProcessorMask = mask;
	info->dwNumberOfProcessors = __builtin_popcountll(mask);
}

VOID WINAPI GetSystemInfo(LPSYSTEM_INFO info)
{
	struct winregion_get_info module = { 0 };

	if (winregion_get_info(&module)) {
		module.out_lowest = DEFAULT_LOWEST;
		module.out_highest = DEFAULT_HIGHEST;
	}

	memset(info, 0, sizeof(*info));
	info->dwPageSize = sysconf(_SC_PAGESIZE);
	info->dwAllocationGranularity = WINREGION_GRANULARITY;
	info->lpMinimumApplicationAddress =
		(LPVOID)(uintptr_t)module.out_lowest;
	info->lpMaximumApplicationAddress =
		(LPVOID)(uintptr_t)module.out_highest;
	fill_processor(info);
	fill_processor_count(info);
}

VOID WINAPI GetNativeSystemInfo(LPSYSTEM_INFO info)
{
	GetSystemInfo(info);
}
