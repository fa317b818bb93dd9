// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is at an address: NtQueryVirtualMemory(), and the Win32 calls that ask the
 * same
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <winregion/winregion.h>

#include "mappedname.h"
#include "process.h"

static NTSTATUS query(const struct wr_target *target, const void *address,
		      struct winregion_run *run)
{
	struct winregion_query arg = {
		.size = sizeof(arg),
		.address = (uintptr_t)address,
	};
	NTSTATUS status =
		wr_status(WR_QUERY,
			  wr_target_ioctl(target, WINREGION_QUERY, &arg));

	if (status == STATUS_SUCCESS)
		*run = arg.out;

	return status;
}

static NTSTATUS query_basic(const struct wr_target *target, const void *address,
			    void *buffer)
{
	struct winregion_run run;
	NTSTATUS status = query(target, address, &run);
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
static NTSTATUS query_region(const struct wr_target *target,
			     const void *address, void *buffer, SIZE_T length)
{
	struct winregion_run run;
	NTSTATUS status = query(target, address, &run);
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
	info.PageSizeLarge = !!(run.flags & WINREGION_RUN_LARGE_PAGES);
	memcpy(buffer, &info, length);

	return STATUS_SUCCESS;
}

/* Rule RI-11 */
static NTSTATUS query_image(const struct wr_target *target, const void *address,
			    void *buffer)
{
	struct winregion_run run;
	NTSTATUS status = query(target, address, &run);
	MEMORY_IMAGE_INFORMATION *info = buffer;

	if (status != STATUS_SUCCESS)
		return status;
	if (run.state == MEM_FREE)
		return STATUS_INVALID_ADDRESS;

	memset(buffer, 0, sizeof(*info));
	if (run.type != MEM_IMAGE)
		return STATUS_SUCCESS;
	info->ImageBase = (PVOID)(uintptr_t)run.region_address;
	info->SizeOfImage = run.region_length;

	return STATUS_SUCCESS;
}

static SIZE_T size_of_class(MEMORY_INFORMATION_CLASS class)
{
	switch (class) {
	case MemoryBasicInformation:
		return sizeof(MEMORY_BASIC_INFORMATION);
	case MemoryRegionInformation:
		return sizeof(MEMORY_REGION_INFORMATION);
	case MemoryImageInformation:
		return sizeof(MEMORY_IMAGE_INFORMATION);
	default:
		return 0;
	}
}

/* Bytes of @length that can be filled, or 0 if that is too few */
static SIZE_T usable_length(MEMORY_INFORMATION_CLASS class, SIZE_T length)
{
	const SIZE_T whole = size_of_class(class);
	const SIZE_T field = sizeof(SIZE_T);

	if (length >= whole)
		return whole;
	if (class != MemoryRegionInformation ||
	    length < offsetof(MEMORY_REGION_INFORMATION, CommitSize))
		return 0;

	/* No field by halves */
	return length / field * field;
}

static NTSTATUS query_class(const struct wr_target *target, const void *address,
			    MEMORY_INFORMATION_CLASS class, void *buffer,
			    SIZE_T length)
{
	switch (class) {
	case MemoryBasicInformation:
		return query_basic(target, address, buffer);
	case MemoryRegionInformation:
		return query_region(target, address, buffer, length);
	default:
		return query_image(target, address, buffer);
	}
}

NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE process, PVOID address,
				    MEMORY_INFORMATION_CLASS information_class,
				    PVOID buffer, SIZE_T length,
				    PSIZE_T return_length)
{
	const SIZE_T whole = size_of_class(information_class);
	struct wr_target target;
	NTSTATUS status;

	if (information_class == MemoryMappedFilenameInformation)
		return wr_query_mapped_name(process, address, buffer, length,
					    return_length);
	if (!whole)
		return STATUS_INVALID_INFO_CLASS;
	length = usable_length(information_class, length);
	if (!length)
		return STATUS_INFO_LENGTH_MISMATCH;
	if (!wr_writable(buffer, length) ||
	    (return_length &&
	     !wr_writable(return_length, sizeof(*return_length))))
		return STATUS_ACCESS_VIOLATION;
	status = wr_target_get(process, PROCESS_QUERY_INFORMATION, &target);
	if (status != STATUS_SUCCESS)
		return status;

	status = query_class(&target, address, information_class, buffer,
			     length);
	wr_target_put(&target);
	if (status == STATUS_SUCCESS && return_length)
		*return_length = whole;

	return status;
}

SIZE_T WINAPI VirtualQueryEx(HANDLE process, LPCVOID address,
			     PMEMORY_BASIC_INFORMATION buffer, SIZE_T length)
{
	SIZE_T written;
	NTSTATUS status;

	status = NtQueryVirtualMemory(process, (PVOID)address,
				      MemoryBasicInformation, buffer, length,
				      &written);

	return wr_succeeded(status) ? written : 0;
}

SIZE_T WINAPI VirtualQuery(LPCVOID address, PMEMORY_BASIC_INFORMATION buffer,
			   SIZE_T length)
{
	return VirtualQueryEx(GetCurrentProcess(), address, buffer, length);
}

/* Unlike the Nt call, this one tells the kind of region (rule RI-07). */
static NTSTATUS query_win32_region(const struct wr_target *target,
				   const void *address,
				   WIN32_MEMORY_REGION_INFORMATION *info)
{
	struct winregion_run run;
	NTSTATUS status = query(target, address, &run);
	bool paging;

	if (status != STATUS_SUCCESS)
		return status;
	if (run.state == MEM_FREE)
		return STATUS_INVALID_ADDRESS;

	paging = run.type == MEM_MAPPED && wr_mapped_is_paging(target, address);
	*info = (WIN32_MEMORY_REGION_INFORMATION){
		.AllocationBase = (PVOID)(uintptr_t)run.region_address,
		.AllocationProtect = run.region_protection,
		.Private = run.type == MEM_PRIVATE,
		.MappedDataFile = run.type == MEM_MAPPED && !paging,
		.MappedImage = run.type == MEM_IMAGE,
		.MappedPageFile = paging,
		.RegionSize = run.region_length,
		.CommitSize = run.region_committed,
	};

	return STATUS_SUCCESS;
}

BOOL WINAPI QueryVirtualMemoryInformation(HANDLE process, LPCVOID address,
					  WIN32_MEMORY_INFORMATION_CLASS kind,
					  PVOID buffer, SIZE_T length,
					  PSIZE_T return_length)
{
	struct wr_target target;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	/* Rule RI-09 */
	if (kind != MemoryRegionInfo)
		return wr_succeeded(STATUS_INVALID_PARAMETER);
	if (length < sizeof(WIN32_MEMORY_REGION_INFORMATION))
		return wr_succeeded(STATUS_INFO_LENGTH_MISMATCH);
	if (!wr_writable(buffer, sizeof(WIN32_MEMORY_REGION_INFORMATION)) ||
	    (return_length &&
	     !wr_writable(return_length, sizeof(*return_length))))
		return wr_succeeded(STATUS_ACCESS_VIOLATION);
	status = wr_target_get(process, PROCESS_QUERY_INFORMATION, &target);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);

	status = query_win32_region(&target, address, buffer);
	wr_target_put(&target);
	if (status == STATUS_SUCCESS && return_length)
		*return_length = sizeof(WIN32_MEMORY_REGION_INFORMATION);

	return wr_succeeded(status);
}
