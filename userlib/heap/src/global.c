// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * GlobalAlloc(), LocalAlloc() and their kind
 *
 * All blocks are of the process' heap; its lock is that of the handles, too. What is
 * fixed has the address of its memory for a handle. The two families differ in what
 * they say of bad handles and of fixed blocks, as they do on Windows.
 */
#include "heap.h"

#include <winregion/errhandlingapi.h>
#include <winregion/winbase.h>
#include <winregion/winerror.h>

#define MOST_LOCKS 255

/* What a program has handed in */
enum kind {
	/* It looks like a handle, and is none now. */
	NO_HANDLE,
	NO_BLOCK,
	/* By its handle, with memory or without */
	MOVEABLE,
	FIXED,
	/* The memory of what has a handle, as it was locked */
	LOCKED,
};

static bool is_none(enum kind kind)
{
	return kind == NO_HANDLE || kind == NO_BLOCK;
}

struct object {
	HANDLE handle;
	enum kind kind;
	/* NULL: without a module there is none. */
	struct wr_heap *heap;
	bool locked;
	struct wr_moveable *moveable;
};

static enum kind kind_of(struct object *object)
{
	if (wr_is_handle(object->handle)) {
		object->moveable = wr_moveable_get(object->handle);
		return object->moveable ? MOVEABLE : NO_HANDLE;
	}
	object->moveable = wr_moveable_of(object->handle);
	if (!wr_block_find(object->heap, object->handle))
		return NO_BLOCK;

	return object->moveable ? LOCKED : FIXED;
}

/* Until put(), nobody else changes it. */
static void get(struct object *object, HANDLE handle)
{
	struct wr_heap *heap = GetProcessHeap();

	*object = (struct object){ .handle = handle, .heap = heap };
	if (!heap) {
		object->kind = wr_is_handle(handle) ? NO_HANDLE : NO_BLOCK;
		return;
	}
	object->locked = wr_heap_lock(heap, 0);
	object->kind = kind_of(object);
}

static void put(struct object *object)
{
	wr_heap_unlock(object->heap, object->locked);
}

/* The last error for what is none */
static void fail_by_address(const struct object *object)
{
	bool unreadable = object->kind == NO_BLOCK &&
			  IsBadReadPtr(object->handle, 1);

	SetLastError(unreadable ? ERROR_NOACCESS : ERROR_INVALID_HANDLE);
}

/* The same for calls that would change it */
static void fail_to_change(const struct object *object)
{
	if (object->heap && object->kind == NO_BLOCK)
		wr_heap_complain(object->heap, object->handle,
				 "not a block of this heap");
	fail_by_address(object);
}

static DWORD zeroed(UINT flags)
{
	return flags & GMEM_ZEROINIT ? HEAP_ZERO_MEMORY : 0;
}

/* ---- allocate and free ---- */

/* A handle for a block that may be NULL; NULL: there is none left. */
static HANDLE new_handle(struct wr_heap *heap, UINT flags, void *memory)
{
	bool locked = wr_heap_lock(heap, 0);
	struct wr_moveable *moveable = wr_moveable_new(flags);

	if (moveable)
		wr_moveable_set(moveable, memory);
	wr_heap_unlock(heap, locked);

	return moveable ? wr_moveable_handle(moveable) : NULL;
}

static HANDLE allocate(UINT flags, SIZE_T size)
{
	struct wr_heap *heap = GetProcessHeap();
	void *memory = NULL;
	HANDLE handle;

	if (!heap)
		return NULL;
	if (size || !(flags & GMEM_MOVEABLE)) {
		memory = HeapAlloc(heap, zeroed(flags), size);
		if (!memory)
			return NULL;
	}
	if (!(flags & GMEM_MOVEABLE))
		return memory;
	handle = new_handle(heap, flags, memory);
	if (!handle) {
		HeapFree(heap, 0, memory);
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	}

	return handle;
}

HGLOBAL WINAPI GlobalAlloc(UINT flags, SIZE_T size)
{
	if (flags & ~GMEM_VALID_FLAGS) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	if (!size && !(flags & GMEM_MOVEABLE))
		size = 1;

	return allocate(flags, size);
}

HLOCAL WINAPI wr_local_alloc(UINT flags, SIZE_T size)
{
	if (flags & ~LMEM_VALID_FLAGS) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return NULL;
	}

	return allocate(flags, size);
}

HGLOBAL WINAPI GlobalFree(HGLOBAL handle)
{
	struct wr_moveable *moveable;
	struct object object;
	bool freed = false;

	if (!handle)
		return NULL;
	get(&object, handle);
	moveable = object.moveable;
	if (!is_none(object.kind))
		freed = HeapFree(object.heap, 0,
				 moveable ? moveable->memory : handle);
	if (freed && moveable)
		wr_moveable_free(moveable);
	put(&object);
	if (is_none(object.kind))
		fail_to_change(&object);

	return freed ? NULL : handle;
}

HLOCAL WINAPI wr_local_free(HLOCAL handle)
{
	return GlobalFree(handle);
}

/* ---- lock ---- */

static void *lock(struct wr_moveable *moveable)
{
	if (!moveable->memory)
		SetLastError(ERROR_DISCARDED);
	else if (moveable->locks < MOST_LOCKS)
		moveable->locks++;

	return moveable->memory;
}

/* What is not moved needs no lock. */
static void *lock_handle(HANDLE handle, enum kind *kind)
{
	struct object object;
	void *memory = NULL;

	get(&object, handle);
	if (object.kind == MOVEABLE)
		memory = lock(object.moveable);
	else if (!is_none(object.kind))
		memory = handle;
	put(&object);
	*kind = object.kind;

	return memory;
}

LPVOID WINAPI GlobalLock(HGLOBAL handle)
{
	enum kind kind;
	void *memory = lock_handle(handle, &kind);

	if (is_none(kind))
		SetLastError(ERROR_INVALID_HANDLE);

	return memory;
}

LPVOID WINAPI LocalLock(HLOCAL handle)
{
	enum kind kind;
	void *memory = lock_handle(handle, &kind);

	if (kind == NO_HANDLE)
		SetLastError(ERROR_INVALID_HANDLE);

	return memory;
}

/* Whether it is still locked; if not, the last error says why */
static BOOL unlock(struct wr_moveable *moveable)
{
	if (!moveable->locks) {
		SetLastError(ERROR_NOT_LOCKED);
		return FALSE;
	}
	moveable->locks--;
	if (!moveable->locks)
		SetLastError(ERROR_SUCCESS);

	return moveable->locks > 0;
}

/* @otherwise: what there is to say of anything but a handle */
static BOOL unlock_handle(HANDLE handle, BOOL otherwise, enum kind *kind)
{
	BOOL locked = otherwise;
	struct object object;

	get(&object, handle);
	if (object.kind == MOVEABLE)
		locked = unlock(object.moveable);
	else if (object.kind == NO_HANDLE)
		SetLastError(ERROR_INVALID_HANDLE);
	put(&object);
	*kind = object.kind;

	return locked;
}

BOOL WINAPI GlobalUnlock(HGLOBAL handle)
{
	enum kind kind;

	return unlock_handle(handle, TRUE, &kind);
}

BOOL WINAPI LocalUnlock(HLOCAL handle)
{
	enum kind kind;
	BOOL locked = unlock_handle(handle, FALSE, &kind);

	if (kind != MOVEABLE && kind != NO_HANDLE)
		SetLastError(ERROR_NOT_LOCKED);

	return locked;
}

/* ---- what it is ---- */

static SIZE_T size_of(const struct object *object)
{
	if (is_none(object->kind))
		return (SIZE_T)-1;
	if (object->kind != MOVEABLE)
		return HeapSize(object->heap, 0, object->handle);
	if (!object->moveable->memory)
		return 0;

	return HeapSize(object->heap, 0, object->moveable->memory);
}

SIZE_T WINAPI GlobalSize(HGLOBAL handle)
{
	struct object object;
	SIZE_T size;

	get(&object, handle);
	size = size_of(&object);
	put(&object);
	if (size != (SIZE_T)-1)
		return size;
	SetLastError(ERROR_INVALID_HANDLE);

	return 0;
}

SIZE_T WINAPI LocalSize(HLOCAL handle)
{
	return GlobalSize(handle);
}

/* @discardable: the bits that say so */
static UINT flags_of(HANDLE handle, UINT discardable, struct object *object)
{
	struct wr_moveable *moveable;
	UINT flags = 0;

	get(object, handle);
	moveable = object->moveable;
	if (object->kind == MOVEABLE) {
		flags = moveable->locks | (moveable->flags & GMEM_DDESHARE);
		if (moveable->flags & GMEM_DISCARDABLE)
			flags |= discardable;
		if (!moveable->memory)
			flags |= GMEM_DISCARDED;
	}
	put(object);
	if (is_none(object->kind))
		flags = GMEM_INVALID_HANDLE;

	return flags;
}

UINT WINAPI GlobalFlags(HGLOBAL handle)
{
	struct object object;
	UINT flags = flags_of(handle, GMEM_DISCARDABLE, &object);

	if (flags == GMEM_INVALID_HANDLE)
		SetLastError(ERROR_INVALID_HANDLE);

	return flags;
}

UINT WINAPI LocalFlags(HLOCAL handle)
{
	struct object object;
	UINT flags = flags_of(handle, LMEM_DISCARDABLE, &object);

	if (flags == LMEM_INVALID_HANDLE)
		fail_by_address(&object);

	return flags & ~GMEM_DDESHARE;
}

HGLOBAL WINAPI GlobalHandle(LPCVOID address)
{
	struct object object;
	HANDLE handle = NULL;

	get(&object, (HANDLE)address);
	if (object.kind == LOCKED)
		handle = wr_moveable_handle(object.moveable);
	else if (object.kind == FIXED)
		handle = object.handle;
	put(&object);
	if (!handle)
		SetLastError(ERROR_INVALID_HANDLE);

	return handle;
}

HLOCAL WINAPI LocalHandle(LPCVOID address)
{
	return GlobalHandle(address);
}

/* ---- reallocate ---- */

static HANDLE discard(struct object *object)
{
	if (object->moveable->locks) {
		SetLastError(ERROR_LOCKED);
		return NULL;
	}
	if (!HeapFree(object->heap, 0, object->moveable->memory))
		return NULL;
	wr_moveable_set(object->moveable, NULL);

	return object->handle;
}

static HANDLE resize_moveable(struct object *object, SIZE_T size, UINT flags)
{
	struct wr_moveable *moveable = object->moveable;
	DWORD how = zeroed(flags);
	void *memory;

	if (!size && (flags & GMEM_MOVEABLE || !moveable->memory))
		return discard(object);
	if (moveable->locks && !(flags & GMEM_MOVEABLE))
		how |= HEAP_REALLOC_IN_PLACE_ONLY;
	if (moveable->memory)
		memory = HeapReAlloc(object->heap, how, moveable->memory, size);
	else
		memory = HeapAlloc(object->heap, how, size);
	if (!memory)
		return NULL;
	wr_moveable_set(moveable, memory);

	return object->handle;
}

static HANDLE resize_fixed(struct object *object, SIZE_T size, UINT flags)
{
	DWORD how = zeroed(flags);

	if (!(flags & GMEM_MOVEABLE))
		how |= HEAP_REALLOC_IN_PLACE_ONLY;

	return HeapReAlloc(object->heap, how, object->handle, size);
}

static HANDLE resize(struct object *object, SIZE_T size, UINT flags)
{
	switch (object->kind) {
	case MOVEABLE:
		return resize_moveable(object, size, flags);
	case FIXED:
		return resize_fixed(object, size, flags);
	default:
		return NULL;
	}
}

/* Its memory stays where it is, and is found by a handle from now on. */
static HANDLE make_moveable(struct object *object, UINT flags)
{
	HANDLE handle = new_handle(object->heap, flags, object->handle);

	if (!handle)
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);

	return handle;
}

/* @both_ways: what is fixed may become what moves. */
static HANDLE modify(struct object *object, UINT flags, bool both_ways)
{
	switch (object->kind) {
	case MOVEABLE:
		object->moveable->flags &= ~GMEM_DISCARDABLE;
		object->moveable->flags |= flags & GMEM_DISCARDABLE;
		return object->handle;
	case FIXED:
		if (both_ways && flags & GMEM_MOVEABLE)
			return make_moveable(object, flags);
		return object->handle;
	default:
		return NULL;
	}
}

static HANDLE reallocate(HANDLE handle, SIZE_T size, UINT flags, bool both_ways)
{
	struct object object;
	HANDLE other;

	if (flags & GMEM_DISCARDABLE && !(flags & GMEM_MODIFY)) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	get(&object, handle);
	if (flags & GMEM_MODIFY)
		other = modify(&object, flags, both_ways);
	else
		other = resize(&object, size, flags);
	put(&object);
	if (object.kind != MOVEABLE && object.kind != FIXED)
		fail_to_change(&object);

	return other;
}

HGLOBAL WINAPI GlobalReAlloc(HGLOBAL handle, SIZE_T size, UINT flags)
{
	if (flags & ~(GMEM_VALID_FLAGS | GMEM_MODIFY)) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return NULL;
	}

	return reallocate(handle, size, flags, true);
}

HLOCAL WINAPI LocalReAlloc(HLOCAL handle, SIZE_T size, UINT flags)
{
	if (flags & ~(LMEM_VALID_FLAGS | LMEM_MODIFY)) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return NULL;
	}

	return reallocate(handle, size, flags, false);
}

/* ---- other names ---- */

LPVOID WINAPI GlobalWire(HGLOBAL handle)
{
	return GlobalLock(handle);
}

BOOL WINAPI GlobalUnWire(HGLOBAL handle)
{
	return GlobalUnlock(handle);
}

VOID WINAPI GlobalFix(HGLOBAL handle)
{
	GlobalLock(handle);
}

VOID WINAPI GlobalUnfix(HGLOBAL handle)
{
	GlobalUnlock(handle);
}

SIZE_T WINAPI GlobalCompact(DWORD size)
{
	(void)size;

	return HeapCompact(GetProcessHeap(), 0);
}

SIZE_T WINAPI LocalCompact(UINT size)
{
	(void)size;

	return HeapCompact(GetProcessHeap(), 0);
}

SIZE_T WINAPI LocalShrink(HLOCAL handle, UINT size)
{
	(void)handle;
	(void)size;

	return HeapCompact(GetProcessHeap(), 0);
}
