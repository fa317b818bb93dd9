// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which pages were written: GetWriteWatch(), ResetWriteWatch() and their Nt forms
 */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include <winregion/winregion.h>

#include "process.h"

/* Rules WW-03, WW-04 and WW-10: whatever is wrong with the range is one error. */
static NTSTATUS watch_status(int err)
{
	switch (err) {
	case -ENOENT:
	case -EUNATCH:
	case -EXDEV:
	case -EADDRNOTAVAIL:
	case -EOVERFLOW:
		return STATUS_INVALID_PARAMETER;
	default:
		return wr_status(WR_QUERY, err);
	}
}

/* Rules WW-01 to WW-09, in their order */
static NTSTATUS check_get(HANDLE process, ULONG flags, SIZE_T size,
			  PVOID *addresses, ULONG_PTR *count,
			  ULONG *granularity)
{
	if (!wr_writable(count, sizeof(*count)) ||
	    !wr_writable(granularity, sizeof(*granularity)))
		return STATUS_ACCESS_VIOLATION;
	if (!*count || !size || flags & ~(ULONG)WRITE_WATCH_FLAG_RESET)
		return STATUS_INVALID_PARAMETER;
	if (!addresses)
		return STATUS_ACCESS_VIOLATION;

	return wr_target_own(process, PROCESS_VM_OPERATION);
}

#ifdef __LP64__

/* @arg: all but the addresses, and how many there may be and are */
static NTSTATUS get(struct winregion_write_watch *arg, PVOID *addresses)
{
	arg->pages = (uintptr_t)addresses;

	return watch_status(winregion_write_watch(arg));
}

#else

/*
 * The module's addresses have 64 bits. So they come a few at a time, and what has been
 * told is behind when the next ones are asked for.
 */
static NTSTATUS get(struct winregion_write_watch *arg, PVOID *addresses)
{
	uint64_t few[64], end = arg->address + arg->length;
	uint64_t most = arg->nr_pages, done = 0, i;
	struct winregion_write_watch part = *arg;
	NTSTATUS status;

	do {
		part.pages = (uintptr_t)few;
		part.nr_pages = most - done < ARRAY_SIZE(few) ? most - done :
								ARRAY_SIZE(few);
		status = watch_status(winregion_write_watch(&part));
		if (status != STATUS_SUCCESS)
			return status;
		if (part.nr_pages &&
		    !wr_all_writable(addresses + done,
				     part.nr_pages * sizeof(*addresses)))
			return STATUS_ACCESS_VIOLATION;
		for (i = 0; i < part.nr_pages; i++)
			addresses[done++] = (PVOID)(uintptr_t)few[i];
		if (part.nr_pages < ARRAY_SIZE(few))
			break;
		part.address = few[i - 1] + part.out_granularity;
		part.length = end - part.address;
	} while (done < most && part.address < end);
	arg->nr_pages = done;
	arg->out_granularity = part.out_granularity;

	return STATUS_SUCCESS;
}

#endif

NTSTATUS NTAPI NtGetWriteWatch(HANDLE process, ULONG flags, PVOID base,
			       SIZE_T size, PVOID *addresses, ULONG_PTR *count,
			       ULONG *granularity)
{
	struct winregion_write_watch arg = {
		.flags = WINREGION_WATCH_GET,
		.address = (uintptr_t)base,
		.length = size,
	};
	NTSTATUS status;

	status = check_get(process, flags, size, addresses, count, granularity);
	if (status != STATUS_SUCCESS)
		return status;

	arg.nr_pages = *count;
	if (flags & WRITE_WATCH_FLAG_RESET)
		arg.flags |= WINREGION_WATCH_RESET;
	status = get(&arg, addresses);
	if (status == STATUS_SUCCESS) {
		*count = arg.nr_pages;
		*granularity = arg.out_granularity;
	}

	return status;
}

NTSTATUS NTAPI NtResetWriteWatch(HANDLE process, PVOID base, SIZE_T size)
{
	struct winregion_write_watch arg = {
		.flags = WINREGION_WATCH_RESET,
		.address = (uintptr_t)base,
		.length = size,
	};

	NTSTATUS status;

	if (!size)
		return STATUS_INVALID_PARAMETER;
	status = wr_target_own(process, PROCESS_VM_OPERATION);
	if (status != STATUS_SUCCESS)
		return status;

	return watch_status(winregion_write_watch(&arg));
}

UINT WINAPI GetWriteWatch(DWORD flags, PVOID base, SIZE_T size,
			  PVOID *addresses, ULONG_PTR *count,
			  LPDWORD granularity)
{
	NTSTATUS status;

	status = NtGetWriteWatch(NtCurrentProcess(), flags, base, size,
				 addresses, count, granularity);

	return wr_succeeded(status) ? 0 : ~0U;
}

UINT WINAPI ResetWriteWatch(LPVOID base, SIZE_T size)
{
	NTSTATUS status = NtResetWriteWatch(NtCurrentProcess(), base, size);

	return wr_succeeded(status) ? 0 : ~0U;
}
