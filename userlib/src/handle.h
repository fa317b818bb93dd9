/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of handles: as handle.c has it, and as others find it in the memory of a
 * process from which they take a handle
 *
 * The layout is part of what processes tell each other: with each change of it, or of
 * the structures of a kind with a number, WR_TABLE_FORMAT is raised.
 */
#ifndef _WINREGION_HANDLE_H
#define _WINREGION_HANDLE_H

#include "internal.h"

/* A handle is as many times the number of its slot, counted from 1. */
#define WR_HANDLE_STEP 4

/* Pseudo handles are from this one on: they stand for what needs no handle. */
#define WR_LOWEST_PSEUDO ((uintptr_t)-6)

struct wr_slot {
	/* NULL: free */
	struct wr_object *object;
	DWORD access;
	DWORD flags;
	/* Of a free one: the next free slot's number, or 0 */
	unsigned int next;
	/* Which handle it is or was, as their numbers come again */
	uint32_t serial;
};

/* What the mapping with the table's place is called in maps */
#define WR_TABLE_NAME "winregion-handles"
#define WR_TABLE_MAGIC 0x656C646E61687277ULL
#define WR_TABLE_FORMAT 5

/* What both sides must have alike to understand each other */
#define WR_TABLE_SIZES \
	((WR_TABLE_FORMAT * 0x10000U + sizeof(struct wr_object)) * 0x100 + \
	 sizeof(void *))

/* The first two members and @sequence are the same in all formats. */
struct wr_table {
	uint64_t magic;
	uint64_t sizes;
	/* Odd: the rest is about to change */
	uint64_t sequence;
	struct wr_slot *slots;
	unsigned int nr_slots;
};

/* handle.c: as CloseHandle() */
NTSTATUS wr_handle_close(HANDLE handle);

/*
 * openprocess.c: an object for handles of the process @pid with at most these rights.
 * The caller is its first user.
 */
NTSTATUS wr_process_object(DWORD access, DWORD pid, struct wr_object **object);

struct wr_target;

/*
 * take.c: an object that is what @handle of another process leads to, with the rights
 * that it has there. The caller is the first user of it.
 */
NTSTATUS wr_take(const struct wr_target *target, HANDLE handle,
		 struct wr_object **object, DWORD *access);

#endif /* _WINREGION_HANDLE_H */
