// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Contents of pages that a program does not need, or needs soon: reset, discard, offer,
 * reclaim and prefetch
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <winregion/memoryapi.h>
#include <winregion/winregion.h>

#include "bringin.h"
#include "figures.h"
#include "process.h"

/* Entries of a list that are read at a time */
#define ENTRIES 16

static uintptr_t page_mask(void)
{
	return (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
}

/* STATUS_DEVICE_BUSY: done, but contents that were to be taken back are gone */
static NTSTATUS change_contents(const struct wr_target *target, ULONG operation,
				const void *base, SIZE_T size, ULONG word)
{
	struct winregion_reset arg = {
		.size = sizeof(arg),
		.operation = operation,
		.range.address = (uintptr_t)base,
		.range.length = size,
		.range.protection = word,
	};
	int err = wr_target_ioctl(target, WINREGION_RESET, &arg);

	/* Below the usable range all is free, as for all other calls. */
	if (err == -EADDRNOTAVAIL && (uintptr_t)base < WINREGION_GRANULARITY)
		err = -ENOENT;
	if (!err && arg.out_gone)
		return STATUS_DEVICE_BUSY;

	return wr_status(WR_RESET, err);
}

NTSTATUS wr_reset(const struct wr_target *target, const struct wr_range *range,
		  ULONG type, ULONG protect)
{
	ULONG operation = type == MEM_RESET ? WINREGION_OP_RESET :
					      WINREGION_OP_UNDO;

	return change_contents(target, operation, range->base, range->size,
			       protect);
}

/* Rules DC-02, OF-01: whole pages only, and the error itself. */
static DWORD change_pages(ULONG operation, const void *base, SIZE_T size,
			  ULONG word)
{
	const struct wr_target own = { .fd = -1 };
	NTSTATUS status = STATUS_INVALID_PARAMETER;

	if (size && !(((uintptr_t)base | size) & page_mask()))
		status = change_contents(&own, operation, base, size, word);

	return RtlNtStatusToDosError(status);
}

DWORD WINAPI DiscardVirtualMemory(PVOID address, SIZE_T size)
{
	return change_pages(WINREGION_OP_DISCARD, address, size, 0);
}

DWORD WINAPI OfferVirtualMemory(PVOID address, SIZE_T size,
				OFFER_PRIORITY priority)
{
	return change_pages(WINREGION_OP_OFFER, address, size, priority);
}

DWORD WINAPI ReclaimVirtualMemory(VOID const *address, SIZE_T size)
{
	return change_pages(WINREGION_OP_RECLAIM, address, size, 0);
}

/* Reads entries of a list that may not be there. Return: whether they are. */
static bool read_entries(const MEMORY_RANGE_ENTRY *list, ULONG_PTR n,
			 MEMORY_RANGE_ENTRY *entries)
{
	struct iovec local = { entries, n * sizeof(*entries) };
	struct iovec remote = { (void *)(uintptr_t)list, local.iov_len };
	ssize_t done = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	ULONG_PTR i;

	if (done == (ssize_t)local.iov_len)
		return true;
	if (done >= 0 || errno == EFAULT)
		return false;
	/* A sandbox: then they have to be there. */
	for (i = 0; i < n; i++)
		entries[i] = list[i];

	return true;
}

/*
 * Of one call the kernel reads no more than the device reads ahead or takes at once,
 * whichever is more. That can be asked of no mapping; this is what the kernel reads
 * ahead by itself, and only who has lowered both has less.
 */
#define PIECE ((uintptr_t)128 << 10)

static void read_ahead(uintptr_t first, uintptr_t end)
{
	madvise((void *)first, end - first, MADV_WILLNEED);
}

/* Bytes that a call may still read; UNKNOWN at first */
#define UNKNOWN UINT64_MAX

/* More than there is memory for would drive out what was read first. */
static uint64_t room_in_memory(void)
{
	uint64_t total, available = wr_available(&total);

	return available ? available : PIECE;
}

/* What a call knows of it, or UNKNOWN, and whether anything of regions is in swap */
struct reading {
	uint64_t room;
	bool any_out;
};

static void read_in_pieces(uintptr_t first, uintptr_t end, uint64_t *room)
{
	uintptr_t n;

	for (; first < end && *room; first += n) {
		n = end - first < PIECE ? end - first : PIECE;
		read_ahead(first, first + n);
		*room -= n < *room ? n : *room;
	}
}

/* Where nothing is out, what is private is in memory, or made when it is touched. */
static uintptr_t end_of(const struct winregion_run *run, uintptr_t end,
			bool any_out)
{
	uint64_t stop = run->address + run->length;

	if (run->type == WINREGION_TYPE_PRIVATE && !any_out &&
	    !(run->flags & WINREGION_RUN_FOREIGN))
		stop = run->region_address + run->region_length;

	return stop < end ? stop : end;
}

static void read_run(const struct winregion_run *run, uintptr_t first,
		     uintptr_t end, struct reading *reading)
{
	if (run->state != WINREGION_STATE_COMMIT)
		return;
	if (run->type == WINREGION_TYPE_MAPPED ||
	    run->type == WINREGION_TYPE_IMAGE)
		read_in_pieces(first, end, &reading->room);
	else if (run->flags & WINREGION_RUN_FOREIGN)
		read_ahead(first, end);
	else if (reading->any_out && wr_may_be_out(run))
		wr_bring_in(first, end, &reading->room);
}

/* By what is mapped, as a range may be long and have little in it. */
static void read_runs(uintptr_t first, uintptr_t end, struct reading *reading)
{
	uintptr_t stop;

	for (; first < end; first = stop) {
		struct winregion_query query = { .address = first };

		if (winregion_query(&query)) {
			read_ahead(first, end);
			return;
		}
		stop = end_of(&query.out, end, reading->any_out);
		read_run(&query.out, first, stop, reading);
	}
}

/* What is not there, or neither of a file nor out, needs nothing: rules PF-03, PF-08. */
static void prefetch(const MEMORY_RANGE_ENTRY *entry, struct reading *reading)
{
	uintptr_t first = (uintptr_t)entry->VirtualAddress & ~page_mask();
	uintptr_t end = (uintptr_t)entry->VirtualAddress + entry->NumberOfBytes;

	if (end <= first)
		return;
	if (end - first <= PIECE && !reading->any_out) {
		read_ahead(first, end);
		return;
	}
	if (reading->room == UNKNOWN)
		reading->room = room_in_memory();
	read_runs(first, end, reading);
}

/* All entries are looked at before anything is read ahead. */
static NTSTATUS walk(const MEMORY_RANGE_ENTRY *list, ULONG_PTR nr, bool act)
{
	MEMORY_RANGE_ENTRY entries[ENTRIES];
	struct reading reading = { .room = UNKNOWN };
	ULONG_PTR i, n, done;

	if (act)
		reading.any_out = wr_any_out();
	for (done = 0; done < nr; done += n) {
		n = nr - done < ENTRIES ? nr - done : ENTRIES;
		if (!read_entries(list + done, n, entries))
			return STATUS_ACCESS_VIOLATION;
		for (i = 0; i < n; i++) {
			if (act)
				prefetch(&entries[i], &reading);
			else if (!entries[i].NumberOfBytes)
				return STATUS_INVALID_PARAMETER_4;
		}
	}

	return STATUS_SUCCESS;
}

/* Rules PF-01 to PF-08; the order is that of the statuses' rules. */
NTSTATUS NTAPI NtSetInformationVirtualMemory(
	HANDLE process, VIRTUAL_MEMORY_INFORMATION_CLASS information_class,
	ULONG_PTR nr, PMEMORY_RANGE_ENTRY list, PVOID information, ULONG length)
{
	WR_KEEP_ERRNO();
	NTSTATUS status;

	if (information_class != VmPrefetchInformation)
		return STATUS_INVALID_PARAMETER_2;
	if (!information)
		return STATUS_INVALID_PARAMETER_5;
	if (length != sizeof(ULONG))
		return STATUS_INVALID_PARAMETER_6;
	if (!nr)
		return STATUS_INVALID_PARAMETER_3;
	if (!wr_writable(information, sizeof(ULONG)))
		return STATUS_ACCESS_VIOLATION;
	if (*(ULONG *)information)
		return STATUS_INVALID_PARAMETER_5;
	/* No right is known that this needs. */
	status = wr_target_own(process, 0);
	if (status == STATUS_SUCCESS)
		status = walk(list, nr, false);
	if (status == STATUS_SUCCESS)
		status = walk(list, nr, true);

	return status;
}

BOOL WINAPI PrefetchVirtualMemory(HANDLE process, ULONG_PTR nr,
				  PWIN32_MEMORY_RANGE_ENTRY list, ULONG flags)
{
	PMEMORY_RANGE_ENTRY entries = (PMEMORY_RANGE_ENTRY)list;
	NTSTATUS status;

	status = NtSetInformationVirtualMemory(process, VmPrefetchInformation,
					       nr, entries, &flags,
					       sizeof(flags));

	return wr_succeeded(status);
}
