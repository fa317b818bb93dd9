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
#include <time.h>
#include <unistd.h>

#include <winregion/tlhelp32.h>

#include "heapblocks.h"
#include "process.h"
#include "snapshot.h"

/* Of one heap, at one time; of one thread */
struct notes {
	HANDLE heap;
	size_t nr;
	size_t bytes;
	struct wr_heap_block blocks[];
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

/* ---- the blocks ---- */

/* How long to leave alone who has called HeapLock() */
#define NS_PER_TRY 500000

static struct notes *new_notes(HANDLE heap, size_t bytes)
{
	struct notes *notes = mmap(NULL, sizeof(*notes) + bytes,
				   PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (notes == MAP_FAILED)
		return NULL;
	notes->heap = heap;
	notes->bytes = sizeof(*notes) + bytes;

	return notes;
}

/* Return: an error or 0. @needed: what the blocks need, also if there was no room */
static DWORD ask(struct notes *notes, SIZE_T *needed)
{
	if (!HeapQueryInformation)
		return ERROR_INVALID_HANDLE;
	if (HeapQueryInformation(notes->heap, WR_HEAP_BLOCKS, notes->blocks,
				 notes->bytes - sizeof(*notes), needed)) {
		notes->nr = *needed / sizeof(*notes->blocks);
		return 0;
	}

	return GetLastError();
}

/* There may be more blocks each time. */
static DWORD note_all(HANDLE heap, struct notes **notes)
{
	const struct timespec pause = { .tv_nsec = NS_PER_TRY };
	SIZE_T needed = 0;
	DWORD error;

	do {
		*notes = new_notes(heap, needed + needed / 8);
		if (!*notes)
			return ERROR_NOT_ENOUGH_MEMORY;
		error = ask(*notes, &needed);
		if (error)
			forget(*notes);
		if (error == ERROR_BUSY)
			nanosleep(&pause, NULL);
	} while (error == ERROR_INSUFFICIENT_BUFFER || error == ERROR_BUSY);

	return error;
}

/* Return: an error or 0 */
static DWORD note(HANDLE heap)
{
	struct notes *notes;
	DWORD error;

	WR_NO_CANCEL();

	error = note_all(heap, &notes);
	if (error == ERROR_INVALID_HANDLE)
		return ERROR_INVALID_PARAMETER;
	if (error)
		return error;
	set_known(notes);

	return known() == notes ? 0 : ERROR_NOT_ENOUGH_MEMORY;
}

/* ---- the calls ---- */

static DWORD flags_of(const struct wr_heap_block *block)
{
	if (block->handle)
		return LF32_MOVEABLE;

	return block->flags & PROCESS_HEAP_ENTRY_BUSY ? LF32_FIXED : LF32_FREE;
}

static BOOL tell(LPHEAPENTRY32 entry, DWORD nr)
{
	const struct notes *notes = known();
	const struct wr_heap_block *block;

	if (nr >= notes->nr) {
		set_known(NULL);
		return wr_fail(ERROR_NO_MORE_FILES);
	}
	block = &notes->blocks[nr];
	*entry = (HEAPENTRY32){
		.dwSize = entry->dwSize,
		.hHandle = block->handle ? block->handle : block->at,
		.dwAddress = (ULONG_PTR)block->at,
		.dwBlockSize = block->size,
		.dwFlags = flags_of(block),
		.dwResvd = nr,
		.th32ProcessID = getpid(),
		.th32HeapID = (ULONG_PTR)notes->heap,
	};

	return TRUE;
}

static DWORD check(LPHEAPENTRY32 entry, DWORD pid)
{
	if (!wr_writable(entry, sizeof(*entry)))
		return ERROR_NOACCESS;
	if (entry->dwSize < sizeof(*entry))
		return ERROR_INSUFFICIENT_BUFFER;
	if (pid && pid != (DWORD)getpid())
		return ERROR_NOT_SUPPORTED;

	return 0;
}

BOOL WINAPI Heap32First(LPHEAPENTRY32 entry, DWORD pid, ULONG_PTR heap)
{
	DWORD error;

	WR_KEEP_ERRNO();

	error = check(entry, pid);
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
		error = check(entry, entry->th32ProcessID);
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
