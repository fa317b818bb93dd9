// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Pages that are committed when they are touched
 *
 * A large table is only reserved. A vectored handler commits each page that is
 * touched, and has the access tried again; other faults are none of its business.
 * But for what says that the module is missing, nothing in here is for Linux: a source
 * for Windows has <windows.h> instead of <winregion/windows.h>.
 */
#include <stdio.h>

#include <winregion/windows.h>
#include <winregion/winregion.h>

#define SIZE ((SIZE_T)1 << 30)
#define PAGE ((SIZE_T)4096)
#define STEP ((SIZE_T)1 << 20)

static char *table;
static SIZE_T committed;

static LONG WINAPI on_fault(PEXCEPTION_POINTERS pointers)
{
	const EXCEPTION_RECORD *record = pointers->ExceptionRecord;
	char *address = (char *)record->ExceptionInformation[1];

	if (record->ExceptionCode != EXCEPTION_ACCESS_VIOLATION ||
	    address < table || address >= table + SIZE)
		return EXCEPTION_CONTINUE_SEARCH;
	if (!VirtualAlloc(address, 1, MEM_COMMIT, PAGE_READWRITE))
		return EXCEPTION_CONTINUE_SEARCH;
	committed += PAGE;

	return EXCEPTION_CONTINUE_EXECUTION;
}

/* All pages that were reserved and committed by this program, as Windows counts */
static SIZE_T asked(void)
{
	MEMORY_BASIC_INFORMATION info;
	SIZE_T sum = 0;
	char *at;

	for (at = table; at < table + SIZE; at += info.RegionSize) {
		if (!VirtualQuery(at, &info, sizeof(info)))
			return 0;
		if (info.State == MEM_COMMIT)
			sum += info.RegionSize;
	}

	return sum;
}

int main(void)
{
	const char *why = winregion_unavailable();
	PVOID handler;
	SIZE_T i;

	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	table = VirtualAlloc(NULL, SIZE, MEM_RESERVE, PAGE_READWRITE);
	if (!table) {
		fprintf(stderr, "error %u\n", GetLastError());
		return 1;
	}
	handler = AddVectoredExceptionHandler(1, on_fault);
	if (!handler)
		return 1;
	for (i = 0; i < SIZE; i += STEP)
		table[i] = 1;
	RemoveVectoredExceptionHandler(handler);
	printf("%zu KiB of %zu MiB committed, %zu KiB as a query tells\n",
	       (size_t)(committed >> 10), (size_t)(SIZE >> 20),
	       (size_t)(asked() >> 10));

	return committed != SIZE / STEP * PAGE || asked() != committed ||
	       !VirtualFree(table, 0, MEM_RELEASE);
}
