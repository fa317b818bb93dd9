// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * VirtualLock() and VirtualUnlock(), and the NT calls
 *
 * The module does it for regions and views, several at a time. Where a range has other
 * memory as well it is done part by part, that by mlock() and munlock().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include <winregion/memoryapi.h>
#include <winregion/winregion.h>

#include "process.h"
#include "smaps.h"

/* Whole pages that are all of regions and views, or all of other memory */
struct part {
	uintptr_t first;
	uintptr_t end;
	bool foreign;
	bool readable;
};

/* A range that is gone through part by part */
struct walk {
	uintptr_t next;
	uintptr_t last;
};

/* Rule LK-11, but for where the user's addresses end: the module knows that. */
static int check_range(const void *address, SIZE_T size, struct walk *walk)
{
	walk->next = (uintptr_t)address;
	walk->last = walk->next + size - 1;

	return !size || walk->last < walk->next ? -EOVERFLOW : 0;
}

static int call(uint32_t operation, uintptr_t first, uintptr_t end,
		uint64_t *locked)
{
	struct winregion_lock arg = {
		.operation = operation,
		.address = first,
		.length = end - first,
	};
	int err = winregion_lock(&arg);

	if (locked)
		*locked = err ? 0 : arg.out_locked;

	/* Below the usable range nothing is mapped, but it is the user's. */
	if (err == -EADDRNOTAVAIL && first < WINREGION_GRANULARITY)
		return -ENOENT;

	return err;
}

/* The rest of the walk up to where it is of another kind: 1, 0 at its end, or -errno */
static int next_part(struct walk *walk, struct part *part)
{
	struct winregion_query query = { .address = walk->next };
	int err;

	if (walk->next > walk->last)
		return 0;
	err = winregion_query(&query);
	if (err)
		return err;
	part->first = query.out.address;
	part->end = query.out.address + query.out.length;
	if (part->end > walk->last)
		part->end = (walk->last | 4095) + 1;
	part->foreign = query.out.flags & WINREGION_RUN_FOREIGN;
	part->readable = query.out.state == MEM_COMMIT &&
			 query.out.protection != PAGE_NOACCESS;
	walk->next = part->end;

	return 1;
}

/* ---- to lock ---- */

/* All that is to be seen of why other memory is not locked */
static int lock_foreign(const struct part *part)
{
	if (!part->readable)
		return -EPROTO;
	if (!mlock((void *)part->first, part->end - part->first))
		return 0;

	return errno == EINTR ? -EINTR : -EAGAIN;
}

static void undo(const struct walk *range, uintptr_t end)
{
	struct walk walk = *range;
	struct part part = { 0 };

	while (walk.next < end && next_part(&walk, &part) > 0) {
		if (part.foreign)
			munlock((void *)part.first, part.end - part.first);
		else
			call(WINREGION_LOCK_REMOVE, part.first, part.end, NULL);
	}
}

/* If a part cannot be locked those before it are unlocked, whatever they were. */
static int lock_parts(const struct walk *range)
{
	struct walk walk = *range;
	struct part part = { 0 };
	int ret, err = 0;

	while ((ret = next_part(&walk, &part)) > 0) {
		if (part.foreign)
			err = lock_foreign(&part);
		else
			err = call(WINREGION_LOCK_ADD, part.first, part.end,
				   NULL);
		if (err)
			break;
	}
	if (ret < 0)
		err = ret;
	if (err && ret > 0)
		undo(range, part.first);

	return err;
}

/* Whether some of it is neither of a region nor free */
static bool has_foreign(const struct walk *range)
{
	struct walk walk = *range;
	struct part part = { 0 };

	while (next_part(&walk, &part) > 0)
		if (part.foreign)
			return true;

	return false;
}

static int lock(const void *address, SIZE_T size)
{
	struct walk range;
	int err = check_range(address, size, &range);

	if (err)
		return err;
	err = call(WINREGION_LOCK_ADD, range.next, range.last + 1, NULL);
	if (err == -ENOENT && has_foreign(&range))
		err = lock_parts(&range);

	return err;
}

BOOL WINAPI VirtualLock(LPVOID address, SIZE_T size)
{
	WR_KEEP_ERRNO();

	return wr_succeeded(wr_status(WR_LOCK, lock(address, size)));
}

/* ---- to unlock ---- */

static uint64_t shared_by(const struct part *part,
			  const struct wr_mapping *mapping)
{
	uintptr_t first = part->first, end = part->end;

	if (first < mapping->first)
		first = mapping->first;
	if (end > mapping->end)
		end = mapping->end;

	return end - first;
}

/* How many bytes of a part of other memory are locked */
static uint64_t locked_foreign(const struct part *part)
{
	const struct wr_target ours = { .fd = -1 };
	struct wr_mapping mapping;
	struct wr_smaps smaps;
	uint64_t sum = 0;

	WR_NO_CANCEL();

	if (wr_smaps_open(&smaps, &ours))
		while (wr_smaps_next(&smaps, &mapping) &&
		       mapping.first < part->end)
			if (mapping.locked && mapping.end > part->first)
				sum += shared_by(part, &mapping);
	wr_smaps_close(&smaps);

	return sum;
}

static uint64_t locked_in(const struct part *part)
{
	uint64_t locked;

	if (part->foreign)
		return locked_foreign(part);

	return call(WINREGION_LOCK_COUNT, part->first, part->end, &locked) ?
		       0 :
		       locked;
}

static bool all_locked(const struct walk *range)
{
	struct walk walk = *range;
	struct part part = { 0 };
	int ret;

	while ((ret = next_part(&walk, &part)) > 0)
		if (locked_in(&part) != part.end - part.first)
			return false;

	return !ret;
}

static int unlock(const void *address, SIZE_T size)
{
	struct walk range;
	int err = check_range(address, size, &range);

	if (err)
		return err;
	err = call(WINREGION_LOCK_REMOVE, range.next, range.last + 1, NULL);
	if (err == -ENOENT)
		err = -ENOLCK;
	if (err != -ENOLCK || !has_foreign(&range) || !all_locked(&range))
		return err;
	undo(&range, range.last + 1);

	return 0;
}

BOOL WINAPI VirtualUnlock(LPVOID address, SIZE_T size)
{
	WR_KEEP_ERRNO();

	return wr_succeeded(wr_status(WR_LOCK, unlock(address, size)));
}

/* ---- by NT calls ---- */

static bool some_locked(const struct walk *range)
{
	struct walk walk = *range;
	struct part part = { 0 };

	while (next_part(&walk, &part) > 0)
		if (locked_in(&part))
			return true;

	return false;
}

/* Rules LK-11, LK-13, in the order in which they are looked at */
static NTSTATUS check(HANDLE process, PVOID *base, PSIZE_T size, ULONG type)
{
	struct walk range;
	NTSTATUS status;

	if (!type || type & ~(ULONG)(MAP_PROCESS | MAP_SYSTEM))
		return STATUS_INVALID_PARAMETER;
	if (!wr_writable(base, sizeof(*base)) ||
	    !wr_writable(size, sizeof(*size)))
		return STATUS_ACCESS_VIOLATION;
	if (check_range(*base, *size, &range))
		return STATUS_INVALID_PARAMETER;
	status = wr_target_own(process, PROCESS_VM_OPERATION);
	if (status != STATUS_SUCCESS)
		return status;

	/* For which nobody here has the privilege */
	return type & MAP_SYSTEM ? STATUS_PRIVILEGE_NOT_HELD : STATUS_SUCCESS;
}

/* The pages that it was about. They are there: a lock takes nothing away. */
static void tell_range(PVOID *base, PSIZE_T size)
{
	uintptr_t first = (uintptr_t)*base & ~(uintptr_t)4095;
	uintptr_t last = ((uintptr_t)*base + *size - 1) | 4095;

	*base = (PVOID)first;
	*size = last - first + 1;
}

NTSTATUS NTAPI NtLockVirtualMemory(HANDLE process, PVOID *base, PSIZE_T size,
				   ULONG type)
{
	NTSTATUS status = check(process, base, size, type);
	struct walk range;
	bool some;

	WR_KEEP_ERRNO();

	if (status != STATUS_SUCCESS)
		return status;
	check_range(*base, *size, &range);
	some = some_locked(&range);
	status = wr_status(WR_LOCK, lock(*base, *size));
	if (status != STATUS_SUCCESS)
		return status;
	tell_range(base, size);

	return some ? STATUS_WAS_LOCKED : STATUS_SUCCESS;
}

NTSTATUS NTAPI NtUnlockVirtualMemory(HANDLE process, PVOID *base, PSIZE_T size,
				     ULONG type)
{
	NTSTATUS status = check(process, base, size, type);

	WR_KEEP_ERRNO();

	if (status != STATUS_SUCCESS)
		return status;
	status = wr_status(WR_LOCK, unlock(*base, *size));
	if (status == STATUS_SUCCESS)
		tell_range(base, size);

	return status;
}
