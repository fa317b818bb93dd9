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
#include <sys/mman.h>
#include <unistd.h>

#include <winregion/winregion.h>

#include "extended.h"
#include "process.h"

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
static void widen(struct wr_range *range)
{
	uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t first = (uintptr_t)range->base & ~mask;
	uintptr_t end = ((uintptr_t)range->base + range->size + mask) & ~mask;

	range->base = (PVOID)first;
	range->size = end - first;
}

/*
 * Read the two variables that describe a range. That is done once, as the call
 * may take away the memory that they are in. Return: whether they can be read
 * and written.
 */
static int read_range(PVOID *base, PSIZE_T size, struct wr_range *range)
{
	if (!wr_writable(base, sizeof(*base)) ||
	    !wr_writable(size, sizeof(*size)))
		return 0;

	range->base = *base;
	range->size = *size;

	return 1;
}

/*
 * Write them back, as far as they are still there (rule M-14): what was changed in
 * another process is nothing of ours.
 */
static void write_range(PVOID *base, PSIZE_T size, const struct wr_range *range,
			HANDLE process)
{
	const struct wr_range none = { 0 };
	const struct wr_range *changed = process == NtCurrentProcess() ? range :
									 &none;

	if (wr_still_writable(base, sizeof(*base), changed))
		*base = range->base;
	if (wr_still_writable(size, sizeof(*size), changed))
		*size = range->size;
}

/* Rules ZB-02 and ZB-03 */
int wr_zero_bits_are_valid(ULONG_PTR zero_bits)
{
	return zero_bits <= 20 || zero_bits >= 32;
}

/* Rules ZB-01 and ZB-04: the highest byte that @zero_bits allows; 0: no limit */
NTSTATUS wr_zero_bits_limit(ULONG_PTR zero_bits, uint64_t *highest)
{
	struct winregion_get_info info = { 0 };
	int err;

	*highest = 0;
	if (!zero_bits)
		return STATUS_SUCCESS;

	err = winregion_get_info(&info);
	if (err)
		return wr_status(WR_ALLOCATE, err);

	if (zero_bits < 32)
		*highest = UINT32_MAX >> zero_bits;
	else
		*highest = UINT64_MAX >> __builtin_clzll(zero_bits);

	if (*highest < info.out_lowest)
		return STATUS_NO_MEMORY;
	if (*highest > info.out_highest)
		*highest = 0;

	return STATUS_SUCCESS;
}

static NTSTATUS reserve(const struct wr_target *target, struct wr_range *range,
			ULONG_PTR zero_bits, const struct wr_extended *extended,
			ULONG type, ULONG protect)
{
	struct winregion_reserve arg = {
		.size = sizeof(arg),
		.protection = protect,
		.address = (uintptr_t)range->base,
		.length = range->size,
		.lowest = extended->lowest,
		.highest = extended->highest,
		.alignment = extended->alignment,
	};
	NTSTATUS status = STATUS_SUCCESS;
	uint64_t highest = 0;

	if (type & MEM_COMMIT)
		arg.flags |= WINREGION_RESERVE_COMMIT;
	if (type & MEM_RESERVE_PLACEHOLDER)
		arg.flags |= WINREGION_RESERVE_PLACEHOLDER;
	if (type & MEM_REPLACE_PLACEHOLDER)
		arg.flags |= WINREGION_RESERVE_REPLACE;
	if (!range->base) {
		status = wr_zero_bits_limit(zero_bits, &highest);
		if (highest)
			arg.highest = highest;
		if (type & MEM_TOP_DOWN)
			arg.flags |= WINREGION_RESERVE_TOP_DOWN;
	}
	if (type & MEM_WRITE_WATCH)
		arg.flags |= WINREGION_RESERVE_WRITE_WATCH;
	/* A placeholder has no memory, and what replaces it a node of its own. */
	if (extended->has_node && !(type & MEM_RESERVE_PLACEHOLDER)) {
		arg.flags |= WINREGION_RESERVE_NODE;
		arg.node = extended->node;
	}
	if (type & MEM_LARGE_PAGES)
		arg.flags |= WINREGION_RESERVE_LARGE_PAGES;
	if (type & MEM_PHYSICAL)
		arg.flags |= WINREGION_RESERVE_PHYSICAL;
	if (status == STATUS_SUCCESS)
		status = wr_status(type & MEM_LARGE_PAGES ? WR_ALLOCATE_LARGE :
							    WR_ALLOCATE,
				   wr_target_ioctl(target, WINREGION_RESERVE,
						   &arg));
	if (status == STATUS_SUCCESS) {
		range->base = (PVOID)(uintptr_t)arg.address;
		range->size = arg.length;
	}

	return status;
}

static NTSTATUS commit(const struct wr_target *target, struct wr_range *range,
		       ULONG protect)
{
	struct winregion_change arg = {
		.size = sizeof(arg),
		.range.address = (uintptr_t)range->base,
		.range.length = range->size,
		.range.protection = protect,
	};
	NTSTATUS status;

	status = wr_status(WR_ALLOCATE,
			   wr_target_ioctl(target, WINREGION_COMMIT, &arg));
	if (status == STATUS_SUCCESS)
		widen(range);

	return status;
}

static int is_reset(ULONG type)
{
	return type == MEM_RESET || type == MEM_RESET_UNDO;
}

static NTSTATUS reset(const struct wr_target *target, struct wr_range *range,
		      ULONG type, ULONG protect)
{
	NTSTATUS status = wr_reset(target, range, type, protect);

	if (status == STATUS_SUCCESS)
		widen(range);

	return status;
}

/* Rule LP-01 */
static int is_large(ULONG type)
{
	const ULONG large = MEM_RESERVE | MEM_COMMIT | MEM_LARGE_PAGES;

	return (type & ~(ULONG)MEM_TOP_DOWN) == large;
}

/* Rule LP-04 */
static int is_physical(ULONG type)
{
	return (type & ~(ULONG)MEM_TOP_DOWN) == (MEM_RESERVE | MEM_PHYSICAL);
}

/*
 * Rules VA-13 to VA-18: what is not reserve or commit is refused; placeholders
 * by the status of a call that knows of them, but not for this.
 */
static NTSTATUS check_type(ULONG type)
{
	const ULONG placeholders = MEM_RESERVE_PLACEHOLDER |
				   MEM_REPLACE_PLACEHOLDER;
	const ULONG known = MEM_RESERVE | MEM_COMMIT | MEM_TOP_DOWN |
			    MEM_WRITE_WATCH | MEM_LARGE_PAGES | MEM_PHYSICAL;

	if (is_reset(type)) /* alone: rule RS-07 */
		return STATUS_SUCCESS;
	if (!(type & (MEM_RESERVE | MEM_COMMIT)) ||
	    type & ~(known | placeholders))
		return STATUS_INVALID_PARAMETER_5;
	if (type & MEM_WRITE_WATCH && !(type & MEM_RESERVE))
		return STATUS_INVALID_PARAMETER_5;
	if (type & MEM_LARGE_PAGES && !is_large(type))
		return STATUS_INVALID_PARAMETER_5;
	if (type & MEM_PHYSICAL && !is_physical(type))
		return STATUS_INVALID_PARAMETER_5;
	if (type & MEM_PHYSICAL && WR_32BIT) /* physical.c */
		return STATUS_NOT_SUPPORTED;
	if (type & placeholders)
		return STATUS_INVALID_PARAMETER;

	return STATUS_SUCCESS;
}

static NTSTATUS allocate_in(const struct wr_target *target,
			    struct wr_range *range, ULONG_PTR zero_bits,
			    const struct wr_extended *extended, ULONG type,
			    ULONG protect)
{
	if (is_reset(type))
		return reset(target, range, type, protect);
	if (range->base && !(type & MEM_RESERVE))
		return commit(target, range, protect);

	/* Rule VA-04: commit without an address reserves as well. */
	return reserve(target, range, zero_bits, extended, type, protect);
}

/* What the type lets be done; it has been checked. */
static NTSTATUS allocate(HANDLE process, struct wr_range *range,
			 ULONG_PTR zero_bits,
			 const struct wr_extended *extended, ULONG type,
			 ULONG protect)
{
	struct wr_target target;
	NTSTATUS status = wr_target_get(process, PROCESS_VM_OPERATION, &target);

	if (status != STATUS_SUCCESS)
		return status;
	status =
		allocate_in(&target, range, zero_bits, extended, type, protect);
	wr_target_put(&target);

	return status;
}

NTSTATUS wr_allocate(HANDLE process, struct wr_range *range,
		     ULONG_PTR zero_bits, ULONG type, ULONG protect)
{
	const struct wr_extended none = { 0 };
	NTSTATUS status = check_type(type);

	if (status != STATUS_SUCCESS)
		return status;
	if (!wr_zero_bits_are_valid(zero_bits))
		return STATUS_INVALID_PARAMETER;

	return allocate(process, range, zero_bits, &none, type, protect);
}

NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE process, PVOID *base,
				       ULONG_PTR zero_bits, PSIZE_T size,
				       ULONG type, ULONG protect)
{
	struct wr_range range;
	NTSTATUS status;

	if (!read_range(base, size, &range))
		return STATUS_ACCESS_VIOLATION;

	status = wr_allocate(process, &range, zero_bits, type, protect);
	if (status == STATUS_SUCCESS)
		write_range(base, size, &range, process);

	return status;
}

/* Rules PH-01, PH-02, PH-05, PH-08: placeholders, and what replaces one */
static NTSTATUS check_placeholder(const struct wr_range *range, ULONG type,
				  ULONG protect)
{
	const ULONG make = MEM_RESERVE | MEM_RESERVE_PLACEHOLDER;

	if (type & MEM_RESERVE_PLACEHOLDER &&
	    ((type & ~(ULONG)MEM_TOP_DOWN) != make || protect != PAGE_NOACCESS))
		return STATUS_INVALID_PARAMETER;
	if (type & MEM_REPLACE_PLACEHOLDER &&
	    (!(type & MEM_RESERVE) || !range->base))
		return STATUS_INVALID_PARAMETER;

	return STATUS_SUCCESS;
}

/* Rules AR-09, AR-10: where it is to be is not known yet. */
static NTSTATUS check_requirements(const struct wr_range *range, ULONG type,
				   const struct wr_extended *extended)
{
	if (!extended->lowest && !extended->highest && !extended->alignment)
		return STATUS_SUCCESS;
	if (range->base || !(type & MEM_RESERVE))
		return STATUS_INVALID_PARAMETER;

	return STATUS_SUCCESS;
}

NTSTATUS wr_allocate_extended(HANDLE process, struct wr_range *range,
			      ULONG type, ULONG protect,
			      const MEM_EXTENDED_PARAMETER *list, ULONG count)
{
	const ULONG placeholders = MEM_RESERVE_PLACEHOLDER |
				   MEM_REPLACE_PLACEHOLDER;
	struct wr_extended extended;
	NTSTATUS status;

	status = check_type(type & ~placeholders);
	if (status == STATUS_SUCCESS && type & placeholders &&
	    type & (MEM_LARGE_PAGES | MEM_PHYSICAL))
		status = STATUS_INVALID_PARAMETER;
	if (status == STATUS_SUCCESS)
		status = check_placeholder(range, type, protect);
	if (status == STATUS_SUCCESS)
		status = wr_extended_read(list, count, &extended);
	if (status == STATUS_SUCCESS)
		status = check_requirements(range, type, &extended);
	if (status != STATUS_SUCCESS)
		return status;

	return allocate(process, range, 0, &extended, type, protect);
}

NTSTATUS NTAPI NtAllocateVirtualMemoryEx(HANDLE process, PVOID *base,
					 PSIZE_T size, ULONG type,
					 ULONG protect,
					 PMEM_EXTENDED_PARAMETER parameters,
					 ULONG count)
{
	struct wr_range range;
	NTSTATUS status;

	if (!read_range(base, size, &range))
		return STATUS_ACCESS_VIOLATION;

	status = wr_allocate_extended(process, &range, type, protect,
				      parameters, count);
	if (status == STATUS_SUCCESS)
		write_range(base, size, &range, process);

	return status;
}

static NTSTATUS release(const struct wr_target *target, struct wr_range *range,
			ULONG flags)
{
	struct winregion_release arg = {
		.size = sizeof(arg),
		.flags = flags,
		.address = (uintptr_t)range->base,
		.length = range->size,
	};
	int err = low_is_free(wr_target_ioctl(target, WINREGION_RELEASE, &arg),
			      range->base);
	NTSTATUS status = wr_status(WR_FREE, err);

	if (status == STATUS_SUCCESS) {
		range->base = (PVOID)(uintptr_t)arg.address;
		range->size = arg.length;
	}

	return status;
}

static NTSTATUS decommit(const struct wr_target *target, struct wr_range *range)
{
	struct winregion_change arg = {
		.size = sizeof(arg),
		.range.address = (uintptr_t)range->base,
		.range.length = range->size,
	};
	int err = low_is_free(wr_target_ioctl(target, WINREGION_DECOMMIT, &arg),
			      range->base);
	NTSTATUS status = wr_status(WR_FREE, err);
	int whole = !range->size;

	if (status != STATUS_SUCCESS)
		return status;

	widen(range);
	/* Rule VF-10: of a whole region no size is told. */
	if (whole)
		range->size = 0;

	return STATUS_SUCCESS;
}

/* Rules PH-13, PH-21: what is to be a placeholder is told in full. */
static NTSTATUS keep(const struct wr_target *target, struct wr_range *range,
		     ULONG flags)
{
	return range->size ? release(target, range, flags) :
			     STATUS_INVALID_PARAMETER_3;
}

static NTSTATUS free_in(const struct wr_target *target, struct wr_range *range,
			ULONG type)
{
	switch (type) {
	case MEM_RELEASE:
		return release(target, range, 0);
	case MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER:
		return keep(target, range, WINREGION_RELEASE_PRESERVE);
	case MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS:
		return keep(target, range, WINREGION_RELEASE_COALESCE);
	default:
		return decommit(target, range);
	}
}

/* Rules VF-03, PH-22 */
NTSTATUS wr_free(HANDLE process, struct wr_range *range, ULONG type)
{
	const ULONG placeholders = MEM_PRESERVE_PLACEHOLDER |
				   MEM_COALESCE_PLACEHOLDERS;
	const ULONG flags = type & placeholders;
	struct wr_target target;
	NTSTATUS status;

	if (flags == placeholders ||
	    ((type & ~flags) != MEM_RELEASE && type != MEM_DECOMMIT))
		return STATUS_INVALID_PARAMETER_4;
	status = wr_target_get(process, PROCESS_VM_OPERATION, &target);
	if (status != STATUS_SUCCESS)
		return status;
	status = free_in(&target, range, type);
	wr_target_put(&target);

	return status;
}

NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE process, PVOID *base, PSIZE_T size,
				   ULONG type)
{
	struct wr_range range;
	NTSTATUS status;

	if (!read_range(base, size, &range))
		return STATUS_ACCESS_VIOLATION;

	status = wr_free(process, &range, type);
	if (status == STATUS_SUCCESS)
		write_range(base, size, &range, process);

	return status;
}

/* Whether it still can be told: what was changed in another process is not ours. */
static int can_tell(const struct wr_target *target, PULONG old_protect,
		    const struct wr_range *changed)
{
	return target->object ||
	       wr_still_writable(old_protect, sizeof(*old_protect), changed);
}

/* So many parts of an image are on the stack, and need no memory. */
#define FEW_PARTS 16

/* What a call that is about one image is to change: ranges, with room for so many */
struct parts {
	struct winregion_range *ranges;
	unsigned int room;
	unsigned int nr;
	ULONG protection;
};

/* The run at @address, up to @end. -ENOBUFS: there is no room. */
static int add_run(const struct wr_target *target, uint64_t *address,
		   uint64_t end, struct parts *parts)
{
	struct winregion_query query = { .size = sizeof(query),
					 .address = *address };
	uint64_t next;

	if (wr_target_ioctl(target, WINREGION_QUERY, &query) ||
	    query.out.type != WINREGION_TYPE_IMAGE)
		return -EXDEV;
	next = query.out.address + query.out.length;
	/* It ends where the image does. */
	if (end > query.out.region_address + query.out.region_length)
		return -EXDEV;
	if (parts->nr == parts->room)
		return -ENOBUFS;
	parts->ranges[parts->nr++] = (struct winregion_range){
		.address = *address,
		.length = (next < end ? next : end) - *address,
		.protection = parts->protection,
	};
	*address = next;

	return 0;
}

static int protect_all(const struct wr_target *target,
		       struct winregion_change *arg, struct parts *parts)
{
	struct winregion_change all = {
		.size = sizeof(all),
		.ranges = (uintptr_t)parts->ranges,
	};
	uint64_t at = arg->range.address;
	uint64_t end = at + arg->range.length;
	int err = 0;

	while (!err && at < end)
		err = add_run(target, &at, end, parts);
	if (err)
		return err;
	all.nr_ranges = parts->nr;
	err = wr_target_ioctl(target, WINREGION_PROTECT, &all);
	if (!err)
		arg->range.out_old_protection =
			parts->ranges->out_old_protection;

	return err;
}

/* As many as the module takes. In memory that signal handlers can have, too */
static int protect_many(const struct wr_target *target,
			struct winregion_change *arg)
{
	const size_t bytes =
		WINREGION_MAX_RANGES * sizeof(struct winregion_range);
	struct parts parts = {
		.ranges = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		.room = WINREGION_MAX_RANGES,
		.protection = arg->range.protection,
	};
	int err;

	WR_KEEP_ERRNO();

	if (parts.ranges == MAP_FAILED)
		return -ENOMEM;
	err = protect_all(target, arg, &parts);
	munmap(parts.ranges, bytes);

	return err == -ENOBUFS ? -EXDEV : err;
}

/*
 * Of an image the module has several views, each of which begins with a run: their
 * pages are changed by one call all the same. Rule IMG-07
 */
static int protect_parts(const struct wr_target *target,
			 struct winregion_change *arg)
{
	struct winregion_range few[FEW_PARTS];
	struct parts parts = {
		.ranges = few,
		.room = FEW_PARTS,
		.protection = arg->range.protection,
	};
	int err = protect_all(target, arg, &parts);

	return err == -ENOBUFS ? protect_many(target, arg) : err;
}

static NTSTATUS protect_in(const struct wr_target *target,
			   struct wr_range *range, ULONG protect,
			   PULONG old_protect)
{
	struct winregion_change arg = {
		.size = sizeof(arg),
		.range.address = (uintptr_t)range->base,
		.range.length = range->size,
		.range.protection = protect,
	};
	int err = low_is_free(wr_target_ioctl(target, WINREGION_PROTECT, &arg),
			      range->base);
	NTSTATUS status;

	if (err == -EXDEV)
		err = protect_parts(target, &arg);
	status = wr_status(WR_PROTECT, err);

	if (status == STATUS_SUCCESS) {
		widen(range);
		if (can_tell(target, old_protect, range))
			*old_protect = arg.range.out_old_protection;
	} else if (status == STATUS_NOT_COMMITTED ||
		   status == STATUS_CONFLICTING_ADDRESSES) {
		/* Rule VP-07 */
		*old_protect = PAGE_NOACCESS;
	}

	return status;
}

NTSTATUS wr_protect(HANDLE process, struct wr_range *range, ULONG protect,
		    PULONG old_protect)
{
	struct wr_target target;
	NTSTATUS status;

	if (!wr_writable(old_protect, sizeof(*old_protect)))
		return STATUS_ACCESS_VIOLATION;
	/* Rule VP-10: before the handle is looked at */
	if (!range->size)
		return STATUS_INVALID_PARAMETER_3;

	status = wr_target_get(process, PROCESS_VM_OPERATION, &target);
	if (status != STATUS_SUCCESS)
		return status;
	status = protect_in(&target, range, protect, old_protect);
	wr_target_put(&target);

	return status;
}

NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE process, PVOID *base, PSIZE_T size,
				      ULONG protect, PULONG old_protect)
{
	struct wr_range range;
	NTSTATUS status;

	if (!read_range(base, size, &range))
		return STATUS_ACCESS_VIOLATION;

	status = wr_protect(process, &range, protect, old_protect);
	if (status == STATUS_SUCCESS)
		write_range(base, size, &range, process);

	return status;
}
