// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The NtXxxVirtualMemory calls
 *
 * Flags, handles and output pointers are checked here; everything else is the
 * kernel's to decide, and comes back as one errno per reason, which
 * errno_table[] translates.
 */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include <winregion/winregion.h>

#include "internal.h"

/* The families of calls that have statuses of their own for an errno */
enum family {
	ALLOCATE,
	FREE,
	PROTECT,
	QUERY,
	NR_FAMILIES
};

/* A row of the table; SAME() if all families agree */
/* It would take the braces for blocks. */
/* clang-format off */
#define EACH(err, allocate, free, protect, query) \
	{ err, { STATUS_##allocate, STATUS_##free, \
		 STATUS_##protect, STATUS_##query } }
#define SAME(err, status) \
	{ err, { [0 ... NR_FAMILIES - 1] = STATUS_##status } }
/* clang-format on */

/*
 * ENODEV and ENOTTY say that no module answers, or one without that call. No
 * memory call of Windows ever gives NOT_SUPPORTED, so a program can tell this
 * from being out of memory.
 */
static const struct {
	int err;
	NTSTATUS status[NR_FAMILIES];
} errno_table[] = {
	SAME(ENODEV, NOT_SUPPORTED),
	SAME(ENOTTY, NOT_SUPPORTED),
	SAME(E2BIG, INVALID_PARAMETER),
	SAME(EINVAL, INVALID_PARAMETER),
	SAME(EOPNOTSUPP, INVALID_PARAMETER),
	SAME(EFAULT, ACCESS_VIOLATION),
	SAME(EDOM, INVALID_PAGE_PROTECTION),
	SAME(EEXIST, CONFLICTING_ADDRESSES),
	SAME(ESPIPE, FREE_VM_NOT_AT_BASE),
	SAME(ENODATA, NOT_COMMITTED),
	SAME(ENOSPC, NO_MEMORY),
	SAME(ENOMEM, NO_MEMORY),
	SAME(EDQUOT, COMMITMENT_LIMIT),
	SAME(EMFILE, INSUFFICIENT_RESOURCES),
	SAME(ENFILE, INSUFFICIENT_RESOURCES),
	SAME(EAGAIN, WORKING_SET_QUOTA),
	SAME(EACCES, ACCESS_DENIED),
	EACH(EADDRNOTAVAIL, INVALID_PARAMETER_2, INVALID_PARAMETER_2,
	     INVALID_PARAMETER_2, INVALID_PARAMETER),
	EACH(EOVERFLOW, INVALID_PARAMETER_4, INVALID_PARAMETER_3,
	     INVALID_PARAMETER_3, INVALID_PARAMETER),
	EACH(ENOENT, CONFLICTING_ADDRESSES, MEMORY_NOT_ALLOCATED,
	     CONFLICTING_ADDRESSES, INVALID_ADDRESS),
	EACH(EXDEV, CONFLICTING_ADDRESSES, UNABLE_TO_FREE_VM,
	     CONFLICTING_ADDRESSES, UNSUCCESSFUL),
};

/* The status for @err: 0 or -errno */
static NTSTATUS to_status(enum family family, int err)
{
	size_t i;

	if (!err)
		return STATUS_SUCCESS;

	for (i = 0; i < ARRAY_SIZE(errno_table); i++)
		if (errno_table[i].err == -err)
			return errno_table[i].status[family];

	return STATUS_UNSUCCESSFUL;
}

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
		return to_status(ALLOCATE, err);

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

	status = to_status(ALLOCATE, winregion_reserve(&arg));
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

	status = to_status(ALLOCATE, winregion_commit(&arg));
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
	NTSTATUS status = to_status(FREE, err);

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
	NTSTATUS status = to_status(FREE, err);
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
	status = to_status(PROTECT, err);

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

NTSTATUS wr_query(const void *address, struct winregion_run *run)
{
	struct winregion_query arg = { .address = (uintptr_t)address };
	NTSTATUS status = to_status(QUERY, winregion_query(&arg));

	if (status == STATUS_SUCCESS)
		*run = arg.out;

	return status;
}

static NTSTATUS query_basic(const void *address, void *buffer)
{
	struct winregion_run run;
	NTSTATUS status = wr_query(address, &run);
	MEMORY_BASIC_INFORMATION *info = buffer;

	if (status == STATUS_SUCCESS)
		*info = (MEMORY_BASIC_INFORMATION){
			.BaseAddress = (PVOID)(uintptr_t)run.address,
			.AllocationBase = (PVOID)(uintptr_t)run.region_address,
			.AllocationProtect = run.region_protection,
			.RegionSize = run.length,
			.State = run.state,
			.Protect = run.protection,
			.Type = run.type,
		};

	return status;
}

/* @length may be shorter than the structure (rule RI-08). */
static NTSTATUS query_region(const void *address, void *buffer, SIZE_T length)
{
	struct winregion_run run;
	NTSTATUS status = wr_query(address, &run);
	MEMORY_REGION_INFORMATION info;

	if (status != STATUS_SUCCESS)
		return status;
	if (run.state == MEM_FREE)
		return STATUS_INVALID_ADDRESS;

	info = (MEMORY_REGION_INFORMATION){
		.AllocationBase = (PVOID)(uintptr_t)run.region_address,
		.AllocationProtect = run.region_protection,
		.RegionSize = run.region_length,
		.CommitSize = run.region_committed,
	};
	memcpy(buffer, &info, length);

	return STATUS_SUCCESS;
}

/* Bytes of @length that can be filled, or 0 if that is too few */
static SIZE_T usable_length(MEMORY_INFORMATION_CLASS class, SIZE_T length)
{
	const SIZE_T basic = sizeof(MEMORY_BASIC_INFORMATION);
	const SIZE_T field = sizeof(SIZE_T);

	if (class == MemoryBasicInformation)
		return length < basic ? 0 : basic;
	if (length < offsetof(MEMORY_REGION_INFORMATION, CommitSize))
		return 0;
	if (length > sizeof(MEMORY_REGION_INFORMATION))
		return sizeof(MEMORY_REGION_INFORMATION);

	/* No field by halves */
	return length / field * field;
}

NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE process, PVOID address,
				    MEMORY_INFORMATION_CLASS information_class,
				    PVOID buffer, SIZE_T length,
				    PSIZE_T return_length)
{
	SIZE_T whole = sizeof(MEMORY_BASIC_INFORMATION);
	NTSTATUS status;

	if (information_class != MemoryBasicInformation &&
	    information_class != MemoryRegionInformation)
		return STATUS_INVALID_INFO_CLASS;

	length = usable_length(information_class, length);
	if (!length)
		return STATUS_INFO_LENGTH_MISMATCH;
	if (!wr_writable(buffer, length) ||
	    (return_length &&
	     !wr_writable(return_length, sizeof(*return_length))))
		return STATUS_ACCESS_VIOLATION;
	if (process != NtCurrentProcess())
		return STATUS_INVALID_HANDLE;

	if (information_class == MemoryBasicInformation) {
		status = query_basic(address, buffer);
	} else {
		status = query_region(address, buffer, length);
		whole = sizeof(MEMORY_REGION_INFORMATION);
	}

	if (status == STATUS_SUCCESS && return_length)
		*return_length = whole;

	return status;
}
