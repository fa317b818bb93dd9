// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * HeapQueryInformation() and HeapSetInformation()
 */
#include "heap.h"

#include "../../src/heapblocks.h"

#include <winregion/errhandlingapi.h>
#include <winregion/memoryapi.h>

/* The kinds of heaps that programs ask for and about */
#define PLAIN 0
#define LOW_FRAGMENTATION 2

static BOOL fail(DWORD error)
{
	SetLastError(error);
	return FALSE;
}

/* ---- query ---- */

static BOOL tell(ULONG value, PVOID information, SIZE_T size, PSIZE_T needed)
{
	if (needed)
		*needed = sizeof(value);
	if (size < sizeof(value))
		return fail(ERROR_INSUFFICIENT_BUFFER);
	if (!information)
		return fail(ERROR_NOACCESS);
	*(ULONG *)information = value;

	return TRUE;
}

static BOOL tell_blocks(HANDLE handle, PVOID information, SIZE_T size,
			PSIZE_T needed)
{
	DWORD error;
	size_t all;

	error = wr_heap_tell_blocks(handle, information, size, &all);
	if (needed)
		*needed = all;

	return error ? fail(error) : TRUE;
}

BOOL WINAPI HeapQueryInformation(HANDLE handle, HEAP_INFORMATION_CLASS what,
				 PVOID information, SIZE_T size, PSIZE_T needed)
{
	struct wr_heap *heap;

	if (needed)
		*needed = 0;
	if (what == HeapEnableTerminationOnCorruption)
		return tell(wr_heap_ends, information, size, needed);
	if (what == WR_HEAP_BLOCKS)
		return tell_blocks(handle, information, size, needed);
	if (what != HeapCompatibilityInformation)
		return fail(ERROR_INVALID_PARAMETER);
	if (!handle)
		return fail(ERROR_NOACCESS);
	heap = wr_heap_get(handle);

	return heap && tell(heap->kind, information, size, needed);
}

/* ---- set ---- */

/* The allocator is the same for all kinds, but a program sees what it has set. */
static BOOL set_kind(HANDLE handle, const ULONG *kind, SIZE_T size)
{
	struct wr_heap *heap;

	if (size < sizeof(*kind))
		return fail(ERROR_INSUFFICIENT_BUFFER);
	if (!handle || !kind)
		return fail(ERROR_NOACCESS);
	heap = wr_heap_get(handle);
	if (!heap)
		return FALSE;
	if (*kind == heap->kind)
		return TRUE;
	if (*kind != LOW_FRAGMENTATION || heap->max ||
	    heap->flags & HEAP_NO_SERIALIZE)
		return fail(ERROR_GEN_FAILURE);
	heap->kind = *kind;

	return TRUE;
}

static BOOL set_end(HANDLE handle, const void *information, SIZE_T size)
{
	if (information || size)
		return fail(ERROR_INVALID_PARAMETER);
	if (handle && !wr_heap_get(handle))
		return FALSE;
	wr_heap_ends = true;

	return TRUE;
}

static void compact(struct wr_heap *heap, void *unused)
{
	(void)unused;
	wr_heap_compact(heap);
}

static BOOL optimize(HANDLE handle,
		     const HEAP_OPTIMIZE_RESOURCES_INFORMATION *wanted,
		     SIZE_T size)
{
	if (size < sizeof(*wanted) || !wanted || wanted->Flags ||
	    wanted->Version != HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION)
		return fail(ERROR_INVALID_PARAMETER);
	if (handle && !wr_heap_get(handle))
		return FALSE;
	if (handle)
		HeapCompact(handle, 0);
	else
		wr_heap_visit_all(compact, NULL);

	return TRUE;
}

BOOL WINAPI HeapSetInformation(HANDLE handle, HEAP_INFORMATION_CLASS what,
			       PVOID information, SIZE_T size)
{
	switch (what) {
	case HeapCompatibilityInformation:
		return set_kind(handle, information, size);
	case HeapEnableTerminationOnCorruption:
		return set_end(handle, information, size);
	case HeapOptimizeResources:
		return optimize(handle, information, size);
	}

	return fail(ERROR_INVALID_PARAMETER);
}
