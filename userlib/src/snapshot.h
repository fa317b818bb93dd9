/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots of CreateToolhelp32Snapshot()
 */
#ifndef _WINREGION_SNAPSHOT_H
#define _WINREGION_SNAPSHOT_H

#include <stdatomic.h>

#include <winregion/heapapi.h>

#include "internal.h"

/* One of a list; what it has of these is as its kind needs them. */
struct wr_item {
	/* Whose it is */
	DWORD pid;
	/* The parent's number, or the thread's */
	DWORD id;
	DWORD threads;
	LONG priority;
	uintptr_t address;
	size_t size;
	/* To be freed, or NULL */
	char *name;
};

enum wr_list_kind {
	WR_LIST_PROCESSES,
	WR_LIST_THREADS,
	WR_LIST_MODULES,
	WR_LIST_HEAPS,
	WR_LISTS
};

/* Nothing but @next changes once others can have a handle of it. */
struct wr_list {
	struct wr_item *items;
	size_t nr;
	/* Which one comes next */
	atomic_size_t next;
};

struct wr_snapshot {
	struct wr_object object;
	struct wr_list lists[WR_LISTS];
};

/* snapshot.c: the one that comes next, or the first one; or NULL: the last error is set */
const struct wr_item *wr_snapshot_next(HANDLE handle, enum wr_list_kind kind,
				       bool first, struct wr_object **snapshot);

/* lists.c: fill in a list. What is in it is freed by wr_list_free(), in any case. */
NTSTATUS wr_list_processes(struct wr_list *processes, struct wr_list *threads);
NTSTATUS wr_list_modules(struct wr_list *modules, DWORD pid);
NTSTATUS wr_list_heaps(struct wr_list *heaps);
void wr_list_free(struct wr_list *list);

/* The library of heaps, or NULL in a program that is not linked with it */
#pragma weak GetProcessHeap
#pragma weak GetProcessHeaps
#pragma weak HeapQueryInformation

#endif /* _WINREGION_SNAPSHOT_H */
