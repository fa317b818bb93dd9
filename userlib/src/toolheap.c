// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Heap32First() and Heap32Next(): the blocks of a heap of this process; and
 * Toolhelp32ReadProcessMemory()
 *
 * The entry says which block it is about, and of which heap, and no more: a block may be
 * gone when the next one is asked for. So the first call has all of them noted, under the
 * heap's lock, for the thread that calls. Not in memory of malloc(3), which may be of that
 * very heap.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <winregion/tlhelp32.h>

#include "process.h"
#include "snapshot.h"

struct noted {
	void *at;
	/* GlobalAlloc()'s, or NULL */
	HANDLE handle;
	size_t size;
	DWORD flags;
};

/* Of one heap, at one time; of one thread */
struct notes {
	HANDLE heap;
	size_t nr;
	size_t bytes;
	struct noted noted[];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void forget(void *notes)
{
	munmap(notes, ((struct notes *)notes)->bytes);
}

static void make_key(void)
{
	has_key = !pthread_key_create(&key, forget);
}

static struct notes *known(void)
{
	pthread_once(&once, make_key);

	return has_key ? pthread_getspecific(key) : NULL;
}

static void set_known(struct notes *notes)
{
	struct notes *before = known();

	if (before)
		forget(before);
	pthread_setspecific(key, notes);
}

/* ---- the walk; the heap is locked ---- */

/* Regions are none, and what is not committed is no block. */
static bool is_block(const PROCESS_HEAP_ENTRY *entry)
{
	return !(entry->wFlags &
		 (PROCESS_HEAP_REGION | PROCESS_HEAP_UNCOMMITTED_RANGE));
}

static size_t count(HANDLE heap)
{
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
	size_t n = 0;

	while (HeapWalk(heap, &entry))
		n += is_block(&entry);

	return n;
}

static void note_block(HANDLE heap, const PROCESS_HEAP_ENTRY *entry,
		       struct noted *noted)
{
	bool busy = entry->wFlags & PROCESS_HEAP_ENTRY_BUSY;

	*noted = (struct noted){
		.at = entry->lpData,
		.size = entry->cbData,
		.flags = busy ? LF32_FIXED : LF32_FREE,
	};
	if (entry->wFlags & PROCESS_HEAP_ENTRY_MOVEABLE) {
		noted->handle = entry->Block.hMem;
		noted->flags = LF32_MOVEABLE;
	}
	/* The walk has 32 bits for it. */
	if (busy && entry->cbData == UINT32_MAX)
		noted->size = HeapSize(heap, 0, entry->lpData);
}

static struct notes *note_all(HANDLE heap)
{
	size_t nr = count(heap),
	       bytes = sizeof(struct notes) + nr * sizeof(struct noted);
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
	struct notes *notes = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (notes == MAP_FAILED)
		return NULL;
	notes->heap = heap;
	notes->bytes = bytes;
	while (notes->nr < nr && HeapWalk(heap, &entry))
		if (is_block(&entry))
			note_block(heap, &entry, &notes->noted[notes->nr++]);

	return notes;
}

/* Return: an error or 0 */
static DWORD note(HANDLE heap)
{
	struct notes *notes;

	if (!HeapLock(heap))
		return ERROR_INVALID_PARAMETER;
	notes = note_all(heap);
	HeapUnlock(heap);
	if (!notes)
		return ERROR_NOT_ENOUGH_MEMORY;
	set_known(notes);

	return known() == notes ? 0 : ERROR_NOT_ENOUGH_MEMORY;
}

/* ---- the calls ---- */

static bool is_heap(HANDLE heap)
{
	struct wr_list heaps = { .items = NULL };
	bool found = false;
	size_t i;

	if (wr_list_heaps(&heaps) == STATUS_SUCCESS)
		for (i = 0; i < heaps.nr && !found; i++)
			found = (HANDLE)heaps.items[i].address == heap;
	wr_list_free(&heaps);

	return found;
}

static BOOL tell(LPHEAPENTRY32 entry, DWORD nr)
{
	const struct notes *notes = known();
	const struct noted *noted;

	if (nr >= notes->nr) {
		set_known(NULL);
		return wr_fail(ERROR_NO_MORE_FILES);
	}
	noted = &notes->noted[nr];
	*entry = (HEAPENTRY32){
		.dwSize = entry->dwSize,
		.hHandle = noted->handle ? noted->handle : noted->at,
		.dwAddress = (ULONG_PTR)noted->at,
		.dwBlockSize = noted->size,
		.dwFlags = noted->flags,
		.dwResvd = nr,
		.th32ProcessID = getpid(),
		.th32HeapID = (ULONG_PTR)notes->heap,
	};

	return TRUE;
}

static DWORD check(LPHEAPENTRY32 entry, DWORD pid, HANDLE heap)
{
	if (!wr_writable(entry, sizeof(*entry)))
		return ERROR_NOACCESS;
	if (entry->dwSize < sizeof(*entry))
		return ERROR_INSUFFICIENT_BUFFER;
	if (pid && pid != (DWORD)getpid())
		return ERROR_NOT_SUPPORTED;

	return is_heap(heap) ? 0 : ERROR_INVALID_PARAMETER;
}

BOOL WINAPI Heap32First(LPHEAPENTRY32 entry, DWORD pid, ULONG_PTR heap)
{
	DWORD error;

	WR_KEEP_ERRNO();

	error = check(entry, pid, (HANDLE)heap);
	if (!error)
		error = note((HANDLE)heap);

	return error ? wr_fail(error) : tell(entry, 0);
}

/* Another walk of the thread, or another thread's, may have been meanwhile. */
BOOL WINAPI Heap32Next(LPHEAPENTRY32 entry)
{
	const struct notes *notes;
	DWORD error = 0;

	WR_KEEP_ERRNO();

	if (!wr_writable(entry, sizeof(*entry)))
		return wr_fail(ERROR_NOACCESS);
	notes = known();
	if (!notes || notes->heap != (HANDLE)entry->th32HeapID ||
	    entry->dwSize < sizeof(*entry)) {
		error = check(entry, entry->th32ProcessID,
			      (HANDLE)entry->th32HeapID);
		if (!error)
			error = note((HANDLE)entry->th32HeapID);
	}

	return error ? wr_fail(error) : tell(entry, entry->dwResvd + 1);
}

BOOL WINAPI Toolhelp32ReadProcessMemory(DWORD pid, LPCVOID address,
					LPVOID buffer, SIZE_T size,
					SIZE_T *done)
{
	HANDLE process = pid ? OpenProcess(PROCESS_VM_READ, FALSE, pid) :
			       GetCurrentProcess();
	DWORD error;
	BOOL read;

	if (!process)
		return FALSE;
	read = ReadProcessMemory(process, address, buffer, size, done);
	error = GetLastError();
	CloseHandle(process);
	SetLastError(error);

	return read;
}
