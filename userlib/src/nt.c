// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The NtXxxVirtualMemory calls that change something
 *
 * Flags, handles and output pointers are checked here; everything else is the
 * kernel's to decide, and comes back as one errno per reason, which wr_status()
 * translates.
 */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include <winregion/winregion.h>

#include "internal.h"

/*
 * Below the usable range nothing is ever allocated, but it is no kernel address
 * either: there, freeing and protecting fail as at any free address (rules VF-07
 * and VP-06).
 */
static int low_is_free(int err, PVOID base)
{
	if (err == -EADDRNOTAVAIL && (uintptr_t)base < WINREGION_GRANULARITY)
		return -ENOENT;

	return err;
}

/* Replace a range by the whole pages it touches, as the kernel did. */
static void widen(PVOID *base, PSIZE_T size)
{
	uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t first = (uintptr_t)*base & ~mask;
	uintptr_t end = ((uintptr_t)*base + *size + mask) & ~mask;

	*base = (PVOID)first;
	*size = end - first;
}

/* Whether the two variables that describe a range are there */
static int range_is_there(PVOID *base, PSIZE_T size)
{
	return wr_writable(base, sizeof(*base)) &&
	       wr_writable(size, sizeof(*size));
}

/* Rules ZB-01 to ZB-04: the highest byte that @zero_bits allows; 0: no limit */
static NTSTATUS zero_bits_limit(ULONG_PTR zero_bits, uint64_t *highest)
{
	struct winregion_get_info info = { 0 };
	int err;

	*highest = 0;
	if (!zero_bits)
		return STATUS_SUCCESS;
	if (zero_bits > 20 && zero_bits < 32)
		return STATUS_INVALID_PARAMETER_3;

	err = winregion_get_info(&info);
	if (err)
		return wr_status(WR_ALLOCATE, err);

	if (zero_bits < 32)
		*highest = UINT32_MAX >> zero_bits;
	else
		*highest = UINT64_MAX >> __builtin_clzl(zero_bits);

	if (*highest < info.out_lowest)
		return STATUS_NO_MEMORY;
	if (*highest > info.out_highest)
		*highest = 0;

	return STATUS_SUCCESS;
}

static NTSTATUS reserve(PVOID *base, ULONG_PTR zero_bits, PSIZE_T size,
			ULONG type, ULONG protect)
{
	struct winregion_reserve arg = {
		.protection = protect,
		.address = (uintptr_t)*base,
		.length = *size,
	};
	NTSTATUS status;
	uint64_t highest;

	status = zero_bits_limit(zero_bits, &highest);
	if (status != STATUS_SUCCESS)
		return status;

	if (type & MEM_COMMIT)
		arg.flags |= WINREGION_RESERVE_COMMIT;
	if (!*base) {
		arg.highest = highest;
		if (type & MEM_TOP_DOWN)
			arg.flags |= WINREGION_RESERVE_TOP_DOWN;
	}

	status = wr_status(WR_ALLOCATE, winregion_reserve(&arg));
	if (status == STATUS_SUCCESS) {
		*base = (PVOID)(uintptr_t)arg.address;
		*size = arg.length;
	}

	return status;
}

static NTSTATUS commit(PVOID *base, PSIZE_T size, ULONG protect)
{
	struct winregion_change arg = {
		.range.address = (uintptr_t)*base,
		.range.length = *size,
		.range.protection = protect,
	};
	NTSTATUS status;

	status = wr_status(WR_ALLOCATE, winregion_commit(&arg));
	if (status == STATUS_SUCCESS)
		widen(base, size);

	return status;
}

/* Rules VA-13 to VA-18: what is not reserve or commit is refused. */
static int allocation_type_is_valid(ULONG type)
{
	const ULONG known = MEM_RESERVE | MEM_COMMIT | MEM_TOP_DOWN;

	return (type & (MEM_RESERVE | MEM_COMMIT)) && !(type & ~known);
}

NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE process, PVOID *base,
				       ULONG_PTR zero_bits, PSIZE_T size,
				       ULONG type, ULONG protect)
{
	if (!allocation_type_is_valid(type))
		return STATUS_INVALID_PARAMETER_5;
	if (!range_is_there(base, size))
		return STATUS_ACCESS_VIOLATION;
	if (process != NtCurrentProcess())
		return STATUS_INVALID_HANDLE;

	if (*base && !(type & MEM_RESERVE))
		return commit(base, size, protect);

	/* Rule VA-04: commit without an address reserves as well. */
	return reserve(base, zero_bits, size, type, protect);
}

static NTSTATUS release(PVOID *base, PSIZE_T size)
{
	struct winregion_release arg = {
		.address = (uintptr_t)*base,
		.length = *size,
	};
	int err = low_is_free(winregion_release(&arg), *base);
	NTSTATUS status = wr_status(WR_FREE, err);

	if (status == STATUS_SUCCESS) {
		*base = (PVOID)(uintptr_t)arg.address;
		*size = arg.length;
	}

	return status;
}

static NTSTATUS decommit(PVOID *base, PSIZE_T size)
{
	struct winregion_change arg = {
		.range.address = (uintptr_t)*base,
		.range.length = *size,
	};
	int err = low_is_free(winregion_decommit(&arg), *base);
	NTSTATUS status = wr_status(WR_FREE, err);
	SIZE_T whole = 0;

	/* Rule VF-10: of a whole region no size is told. */
	if (status == STATUS_SUCCESS)
		widen(base, *size ? size : &whole);

	return status;
}

NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE process, PVOID *base, PSIZE_T size,
				   ULONG type)
{
	if (type != MEM_RELEASE && type != MEM_DECOMMIT)
		return STATUS_INVALID_PARAMETER_4;
	if (!range_is_there(base, size))
		return STATUS_ACCESS_VIOLATION;
	if (process != NtCurrentProcess())
		return STATUS_INVALID_HANDLE;

	return type == MEM_RELEASE ? release(base, size) : decommit(base, size);
}

NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE process, PVOID *base, PSIZE_T size,
				      ULONG protect, PULONG old_protect)
{
	struct winregion_change arg = { .range.protection = protect };
	NTSTATUS status;
	int err;

	if (!range_is_there(base, size) ||
	    !wr_writable(old_protect, sizeof(*old_protect)))
		return STATUS_ACCESS_VIOLATION;
	/* Rule VP-10: before the handle is looked at */
	if (!*size)
		return STATUS_INVALID_PARAMETER_3;
	if (process != NtCurrentProcess())
		return STATUS_INVALID_HANDLE;

	arg.range.address = (uintptr_t)*base;
	arg.range.length = *size;
	err = low_is_free(winregion_protect(&arg), *base);
	status = wr_status(WR_PROTECT, err);

	if (status == STATUS_SUCCESS) {
		widen(base, size);
		*old_protect = arg.range.out_old_protection;
	} else if (status == STATUS_NOT_COMMITTED ||
		   status == STATUS_CONFLICTING_ADDRESSES) {
		/* Rule VP-07 */
		*old_protect = PAGE_NOACCESS;
	}

	return status;
}
