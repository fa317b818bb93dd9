// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * CreateToolhelp32Snapshot(), and the calls that tell what is in a snapshot
 *
 * A snapshot never changes, but for where its lists are read next: so many threads may
 * read one, and a child of a fork has a copy.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <winregion/tlhelp32.h>

#include "snapshot.h"

#define KNOWN_FLAGS (TH32CS_SNAPALL | TH32CS_SNAPMODULE32 | TH32CS_INHERIT)
#define MODULE_FLAGS (TH32CS_SNAPMODULE | TH32CS_SNAPMODULE32)

/* As Windows counts what is there for as long as its process */
#define ALWAYS 0xFFFF

static void destroy(struct wr_object *object)
{
	struct wr_snapshot *snapshot = (struct wr_snapshot *)object;
	unsigned int i;

	for (i = 0; i < WR_LISTS; i++)
		wr_list_free(&snapshot->lists[i]);
	free(snapshot);
}

static const struct wr_kind snapshot_kind = {
	.generic_all = STANDARD_RIGHTS_ALL,
	.destroy = destroy,
};

/* ---- making one ---- */

/* The heaps of another process are in its memory, where nothing can be locked. */
static NTSTATUS check(DWORD flags, DWORD pid)
{
	if (flags & ~KNOWN_FLAGS || !(flags & ~TH32CS_INHERIT))
		return STATUS_INVALID_PARAMETER;
	if (flags & TH32CS_SNAPHEAPLIST && pid && pid != (DWORD)getpid())
		return STATUS_NOT_SUPPORTED;

	return STATUS_SUCCESS;
}

static NTSTATUS fill(struct wr_list *lists, DWORD flags, DWORD pid)
{
	NTSTATUS status = STATUS_SUCCESS;

	if (flags & TH32CS_SNAPHEAPLIST)
		status = wr_list_heaps(&lists[WR_LIST_HEAPS]);
	if (status == STATUS_SUCCESS && flags & MODULE_FLAGS)
		status = wr_list_modules(&lists[WR_LIST_MODULES], pid);
	if (status == STATUS_SUCCESS &&
	    flags & (TH32CS_SNAPPROCESS | TH32CS_SNAPTHREAD))
		status = wr_list_processes(flags & TH32CS_SNAPPROCESS ?
						   &lists[WR_LIST_PROCESSES] :
						   NULL,
					   flags & TH32CS_SNAPTHREAD ?
						   &lists[WR_LIST_THREADS] :
						   NULL);

	return status;
}

static NTSTATUS make(DWORD flags, DWORD pid, HANDLE *handle)
{
	struct wr_snapshot *snapshot;
	NTSTATUS status = check(flags, pid);

	WR_NO_CANCEL();

	if (status != STATUS_SUCCESS)
		return status;
	snapshot = calloc(1, sizeof(*snapshot));
	if (!snapshot)
		return STATUS_NO_MEMORY;
	wr_object_init(&snapshot->object, &snapshot_kind, -1);
	status = fill(snapshot->lists, flags, pid);
	if (status == STATUS_SUCCESS)
		status = wr_handle_new(&snapshot->object, STANDARD_RIGHTS_ALL,
				       !!(flags & TH32CS_INHERIT), handle);
	wr_object_put(&snapshot->object);

	return status;
}

HANDLE WINAPI CreateToolhelp32Snapshot(DWORD flags, DWORD pid)
{
	HANDLE handle = INVALID_HANDLE_VALUE;

	WR_KEEP_ERRNO();

	return wr_succeeded(make(flags, pid, &handle)) ? handle :
							 INVALID_HANDLE_VALUE;
}

/* ---- reading one ---- */

static const struct wr_item *next_of(struct wr_list *list, bool first)
{
	size_t i = 0;

	if (first)
		atomic_store(&list->next, 1);
	else
		i = atomic_fetch_add(&list->next, 1);
	if (i < list->nr)
		return &list->items[i];
	atomic_store(&list->next, list->nr);

	return NULL;
}

const struct wr_item *wr_snapshot_next(HANDLE handle, enum wr_list_kind kind,
				       bool first, struct wr_object **object)
{
	const struct wr_item *item;
	NTSTATUS status;
	DWORD access;

	status = wr_handle_get(handle, &snapshot_kind, object, &access);
	if (!wr_succeeded(status))
		return NULL;
	item = next_of(&((struct wr_snapshot *)*object)->lists[kind], first);
	if (item)
		return item;
	wr_object_put(*object);
	wr_fail(ERROR_NO_MORE_FILES);

	return NULL;
}

/* Whether an entry of @size bytes, which it says itself in its first word, is one */
static BOOL check_entry(void *entry, size_t size, bool wide_word)
{
	size_t said;

	if (!wr_writable(entry, size))
		return wr_fail(ERROR_NOACCESS);
	said = wide_word ? *(SIZE_T *)entry : *(DWORD *)entry;

	return said >= size || wr_fail(ERROR_INSUFFICIENT_BUFFER);
}

/*
 * What the entry is to be filled with: the next item of a list, or NULL. The object, to
 * which it belongs, is to be put then. Of heaps the entry's size is a SIZE_T.
 */
static const struct wr_item *item_for(HANDLE snapshot, enum wr_list_kind list,
				      bool first, void *entry, size_t size,
				      struct wr_object **object)
{
	if (!check_entry(entry, size, list == WR_LIST_HEAPS))
		return NULL;

	return wr_snapshot_next(snapshot, list, first, object);
}

/* As much as there is room for, and a 0 */
static void cut(char *to, size_t room, const char *from)
{
	size_t n = strnlen(from, room - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

static void cut_wide(WCHAR *to, size_t room, const char *from)
{
	WCHAR wide[PATH_MAX];
	long n = wr_to_wide(from, strlen(from), wide, PATH_MAX, FALSE);

	if (n < 0)
		n = 0;
	if ((size_t)n >= room)
		n = room - 1;
	memcpy(to, wide, n * sizeof(*to));
	to[n] = 0;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* In an entry, for @room units, of which each is a byte, or UTF-16 */
static void give_name(void *to, size_t room, const char *name, bool wide)
{
	if (wide)
		cut_wide(to, room, name);
	else
		cut(to, room, name);
}

/* ---- processes ---- */

/* What comes before the name is the same in both widths. */
#define PROCESS_HEAD offsetof(PROCESSENTRY32, szExeFile)
_Static_assert(offsetof(PROCESSENTRY32W, szExeFile) == PROCESS_HEAD, "");

static BOOL tell_process(HANDLE snapshot, void *entry, size_t size, bool first,
			 bool wide)
{
	const struct wr_item *item;
	struct wr_object *object;
	PROCESSENTRY32 head;

	WR_KEEP_ERRNO();

	item = item_for(snapshot, WR_LIST_PROCESSES, first, entry, size,
			&object);
	if (!item)
		return FALSE;
	head = (PROCESSENTRY32){
		.dwSize = *(DWORD *)entry,
		.th32ProcessID = item->pid,
		.cntThreads = item->threads,
		.th32ParentProcessID = item->id,
		.pcPriClassBase = item->priority,
	};
	memcpy(entry, &head, PROCESS_HEAD);
	give_name((char *)entry + PROCESS_HEAD, MAX_PATH, item->name, wide);
	wr_object_put(object);

	return TRUE;
}

BOOL WINAPI Process32First(HANDLE snapshot, LPPROCESSENTRY32 entry)
{
	return tell_process(snapshot, entry, sizeof(*entry), true, false);
}

BOOL WINAPI Process32Next(HANDLE snapshot, LPPROCESSENTRY32 entry)
{
	return tell_process(snapshot, entry, sizeof(*entry), false, false);
}

BOOL WINAPI Process32FirstW(HANDLE snapshot, LPPROCESSENTRY32W entry)
{
	return tell_process(snapshot, entry, sizeof(*entry), true, true);
}

BOOL WINAPI Process32NextW(HANDLE snapshot, LPPROCESSENTRY32W entry)
{
	return tell_process(snapshot, entry, sizeof(*entry), false, true);
}

/* ---- threads ---- */

static BOOL tell_thread(HANDLE snapshot, LPTHREADENTRY32 entry, bool first)
{
	const struct wr_item *item;
	struct wr_object *object;

	WR_KEEP_ERRNO();

	item = item_for(snapshot, WR_LIST_THREADS, first, entry, sizeof(*entry),
			&object);
	if (!item)
		return FALSE;
	*entry = (THREADENTRY32){
		.dwSize = entry->dwSize,
		.th32ThreadID = item->id,
		.th32OwnerProcessID = item->pid,
		.tpBasePri = item->priority,
	};
	wr_object_put(object);

	return TRUE;
}

BOOL WINAPI Thread32First(HANDLE snapshot, LPTHREADENTRY32 entry)
{
	return tell_thread(snapshot, entry, true);
}

BOOL WINAPI Thread32Next(HANDLE snapshot, LPTHREADENTRY32 entry)
{
	return tell_thread(snapshot, entry, false);
}

/* ---- modules ---- */

/* Here, too: then the name, and the path. */
#define MODULE_HEAD offsetof(MODULEENTRY32, szModule)
_Static_assert(offsetof(MODULEENTRY32W, szModule) == MODULE_HEAD, "");

static BOOL tell_module(HANDLE snapshot, void *entry, size_t size, bool first,
			bool wide)
{
	size_t unit = wide ? sizeof(WCHAR) : 1;
	const struct wr_item *item;
	struct wr_object *object;
	MODULEENTRY32 head;
	char *name;

	WR_KEEP_ERRNO();

	item = item_for(snapshot, WR_LIST_MODULES, first, entry, size, &object);
	if (!item)
		return FALSE;
	head = (MODULEENTRY32){
		.dwSize = *(DWORD *)entry,
		.th32ModuleID = 1,
		.th32ProcessID = item->pid,
		.GlblcntUsage = ALWAYS,
		.ProccntUsage = ALWAYS,
		.modBaseAddr = (BYTE *)item->address,
		.modBaseSize = item->size,
		.hModule = (HMODULE)item->address,
	};
	memcpy(entry, &head, MODULE_HEAD);
	name = (char *)entry + MODULE_HEAD;
	give_name(name, MAX_MODULE_NAME32 + 1, last_part(item->name), wide);
	name += (MAX_MODULE_NAME32 + 1) * unit;
	give_name(name, MAX_PATH, item->name, wide);
	wr_object_put(object);

	return TRUE;
}

BOOL WINAPI Module32First(HANDLE snapshot, LPMODULEENTRY32 entry)
{
	return tell_module(snapshot, entry, sizeof(*entry), true, false);
}

BOOL WINAPI Module32Next(HANDLE snapshot, LPMODULEENTRY32 entry)
{
	return tell_module(snapshot, entry, sizeof(*entry), false, false);
}

BOOL WINAPI Module32FirstW(HANDLE snapshot, LPMODULEENTRY32W entry)
{
	return tell_module(snapshot, entry, sizeof(*entry), true, true);
}

BOOL WINAPI Module32NextW(HANDLE snapshot, LPMODULEENTRY32W entry)
{
	return tell_module(snapshot, entry, sizeof(*entry), false, true);
}

/* ---- heaps ---- */

static BOOL tell_heap(HANDLE snapshot, LPHEAPLIST32 entry, bool first)
{
	const struct wr_item *item;
	struct wr_object *object;

	WR_KEEP_ERRNO();

	item = item_for(snapshot, WR_LIST_HEAPS, first, entry, sizeof(*entry),
			&object);
	if (!item)
		return FALSE;
	*entry = (HEAPLIST32){
		.dwSize = entry->dwSize,
		.th32ProcessID = getpid(),
		.th32HeapID = item->address,
	};
	if ((HANDLE)item->address == GetProcessHeap())
		entry->dwFlags = HF32_DEFAULT;
	wr_object_put(object);

	return TRUE;
}

BOOL WINAPI Heap32ListFirst(HANDLE snapshot, LPHEAPLIST32 entry)
{
	return tell_heap(snapshot, entry, true);
}

BOOL WINAPI Heap32ListNext(HANDLE snapshot, LPHEAPLIST32 entry)
{
	return tell_heap(snapshot, entry, false);
}
