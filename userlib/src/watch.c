// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which pages were written: GetWriteWatch(), ResetWriteWatch() and their Nt forms
 */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include <winregion/winregion.h>

#include "internal.h"

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
	if (process != NtCurrentProcess())
		return STATUS_INVALID_HANDLE;

	return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtGetWriteWatch(HANDLE process, ULONG flags, PVOID base,
			       SIZE_T size, PVOID *addresses, ULONG_PTR *count,
			       ULONG *granularity)
{
	struct winregion_write_watch arg = {
		.flags = WINREGION_WATCH_GET,
		.address = (uintptr_t)base,
		.length = size,
		.pages = (uintptr_t)addresses,
	};
	NTSTATUS status;

	status = check_get(process, flags, size, addresses, count, granularity);
	if (status != STATUS_SUCCESS)
		return status;

	arg.nr_pages = *count;
	if (flags & WRITE_WATCH_FLAG_RESET)
		arg.flags |= WINREGION_WATCH_RESET;
	status = watch_status(winregion_write_watch(&arg));
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

	if (!size)
		return STATUS_INVALID_PARAMETER;
	if (process != NtCurrentProcess())
		return STATUS_INVALID_HANDLE;

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
