/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How Heap32First() asks the library of heaps for all blocks of one: by
 * HeapQueryInformation(), as a class of information that no program knows
 */
#ifndef _WINREGION_HEAPBLOCKS_H
#define _WINREGION_HEAPBLOCKS_H

#include <winregion/heapapi.h>

/*
 * Fills in an array of the structure below, as far as there is room. The handle may be that
 * of a heap which another thread is about to destroy: ERROR_INVALID_HANDLE if it has, and
 * ERROR_BUSY if another one has called HeapLock().
 */
#define WR_HEAP_BLOCKS ((HEAP_INFORMATION_CLASS)0x77720001)

struct wr_heap_block {
	void *at;
	/* GlobalAlloc()'s, or NULL */
	HANDLE handle;
	SIZE_T size;
	/* PROCESS_HEAP_ENTRY_*; 0: it is free */
	DWORD flags;
};

#endif /* _WINREGION_HEAPBLOCKS_H */
