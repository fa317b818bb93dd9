// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Address windowing: frames, and regions of MEM_PHYSICAL in which they are mapped
 *
 * A number is one of winregion_frames(): of the process, and no physical address. The
 * module's lists have 64 bits for each, so 32-bit programs have no frames.
 */
#include <stdint.h>

#include <winregion/memoryapi.h>
#include <winregion/winbase.h>
#include <winregion/winregion.h>

#include "internal.h"
#include "process.h"

_Static_assert(WR_32BIT || sizeof(ULONG_PTR) == sizeof(uint64_t),
	       "as the module has them");

/* How many were freed, unless @count was in one of them, wherever that was (rule M-14). */
static void give_count(PULONG_PTR count, ULONG_PTR freed)
{
	const struct wr_range anywhere = { 0 };

	if (wr_still_writable(count, sizeof(*count), &anywhere))
		*count = freed;
}

/* Rules AW-01, AW-02: fewer are no failure, none is. */
static NTSTATUS frames(HANDLE process, PULONG_PTR count, PULONG_PTR pages,
		       ULONG flags, DWORD node)
{
	struct winregion_frames arg = {
		.flags = flags,
		.node = node,
		.frames = (uintptr_t)pages,
	};
	NTSTATUS status;
	int err;

	if (WR_32BIT)
		return STATUS_NOT_SUPPORTED;
	if (!wr_writable(count, sizeof(*count)))
		return STATUS_ACCESS_VIOLATION;
	status = wr_target_own(process, PROCESS_VM_OPERATION);
	if (status != STATUS_SUCCESS)
		return status;
	arg.count = *count;
	err = winregion_frames(&arg);
	if (flags & WINREGION_FRAMES_FREE)
		give_count(count, arg.count);
	else if (!err)
		*count = arg.count;

	return wr_status(WR_ALLOCATE_LARGE, err);
}

BOOL WINAPI AllocateUserPhysicalPages(HANDLE process, PULONG_PTR count,
				      PULONG_PTR pages)
{
	return wr_succeeded(frames(process, count, pages, 0, 0));
}

BOOL WINAPI AllocateUserPhysicalPagesNuma(HANDLE process, PULONG_PTR count,
					  PULONG_PTR pages, DWORD node)
{
	NTSTATUS status;

	/* As of VirtualAllocExNuma(): anywhere */
	if (node == NUMA_NO_PREFERRED_NODE)
		return AllocateUserPhysicalPages(process, count, pages);

	status = frames(process, count, pages, WINREGION_FRAMES_NODE, node);

	return wr_succeeded(status);
}

BOOL WINAPI FreeUserPhysicalPages(HANDLE process, PULONG_PTR count,
				  PULONG_PTR pages)
{
	NTSTATUS status =
		frames(process, count, pages, WINREGION_FRAMES_FREE, 0);

	return wr_succeeded(status);
}

static BOOL map(const void *address, const void *addresses, ULONG_PTR count,
		const void *pages)
{
	struct winregion_map_frames arg = {
		.address = (uintptr_t)address,
		.count = count,
		.frames = (uintptr_t)pages,
		.addresses = (uintptr_t)addresses,
	};

	if (WR_32BIT)
		return wr_fail(ERROR_NOT_SUPPORTED);

	return wr_succeeded(wr_status(WR_ALLOCATE, winregion_map_frames(&arg)));
}

BOOL WINAPI MapUserPhysicalPages(PVOID address, ULONG_PTR count,
				 PULONG_PTR pages)
{
	return map(address, NULL, count, pages);
}

BOOL WINAPI MapUserPhysicalPagesScatter(PVOID *addresses, ULONG_PTR count,
					PULONG_PTR pages)
{
	if (!addresses)
		return wr_fail(ERROR_INVALID_PARAMETER);

	return map(NULL, addresses, count, pages);
}
