// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The calls by the names that ntdll has for them
 */
#include "heap.h"

#include <winregion/errhandlingapi.h>

/* What a heap reserves that has not said so: for as much as it begins with */
#define USUAL_RESERVE (64 * WR_PAGE)
#define RESERVE_STEP (16 * WR_PAGE)

static SIZE_T reserve_for(SIZE_T commit)
{
	return commit ? wr_round_up(commit, RESERVE_STEP) : USUAL_RESERVE;
}

PVOID NTAPI RtlCreateHeap(ULONG flags, PVOID base, SIZE_T reserve,
			  SIZE_T commit, PVOID lock,
			  PRTL_HEAP_PARAMETERS parameters)
{
	if (base || lock || parameters) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	if (reserve && commit > reserve)
		commit = reserve;
	/* What it reserves is for the beginning, where it may grow. */
	if (flags & HEAP_GROWABLE)
		return HeapCreate(flags, commit, 0);

	return HeapCreate(flags, commit,
			  reserve ? reserve : reserve_for(commit));
}

PVOID NTAPI RtlDestroyHeap(PVOID heap)
{
	return HeapDestroy(heap) ? NULL : heap;
}

PVOID NTAPI RtlAllocateHeap(PVOID heap, ULONG flags, SIZE_T size)
{
	return HeapAlloc(heap, flags, size);
}

PVOID NTAPI RtlReAllocateHeap(PVOID heap, ULONG flags, PVOID block, SIZE_T size)
{
	return HeapReAlloc(heap, flags, block, size);
}

BOOLEAN NTAPI RtlFreeHeap(PVOID heap, ULONG flags, PVOID block)
{
	return HeapFree(heap, flags, block);
}

SIZE_T NTAPI RtlSizeHeap(PVOID heap, ULONG flags, PVOID block)
{
	return HeapSize(heap, flags, block);
}

BOOLEAN NTAPI RtlValidateHeap(PVOID heap, ULONG flags, PVOID block)
{
	return HeapValidate(heap, flags, block);
}

BOOLEAN NTAPI RtlLockHeap(PVOID heap)
{
	return HeapLock(heap);
}

BOOLEAN NTAPI RtlUnlockHeap(PVOID heap)
{
	return HeapUnlock(heap);
}

SIZE_T NTAPI RtlCompactHeap(PVOID heap, ULONG flags)
{
	return HeapCompact(heap, flags);
}
