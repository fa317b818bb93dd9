// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Views of sections: MapViewOfFile(), UnmapViewOfFile() and their kind
 */
#define _GNU_SOURCE
#include <errno.h>
#include <unistd.h>

#include "extended.h"
#include "file.h"
#include "image.h"
#include "process.h"
#include "section.h"

/* What a new view is to be */
struct view {
	/* Changed to where it is; NULL: anywhere */
	PVOID base;
	uint64_t offset;
	/* 0: the rest of the section */
	SIZE_T size;
	ULONG protect;
	/* What only other calls have: bytes to commit, and where it must be */
	SIZE_T commit;
	ULONG_PTR zero_bits;
	uint64_t lowest;
	uint64_t highest;
	BOOL top_down;
	/* It may be larger than the section */
	BOOL reserve;
	/* In place of a placeholder */
	BOOL replace;
	/* A node is preferred. */
	BOOL has_node;
	ULONG node;
};

/* ---- MapViewOfFile() ---- */

/* Rule MV-10: what a view needs of its handle; of no protection (MV-12) nothing */
static DWORD view_rights(ULONG protect)
{
	ULONG page = protect & 0xFFU;

	if (page & (page - 1))
		return 0;

	return (wr_writes(page) ? SECTION_MAP_WRITE : SECTION_MAP_READ) |
	       (wr_executes(page) ? SECTION_MAP_EXECUTE : 0);
}

/* Rules ZB-01, ZB-05: the highest byte, for the module; 0: it need not know */
static NTSTATUS find_limit(const struct view *view, uint64_t *highest)
{
	NTSTATUS status = wr_zero_bits_limit(view->zero_bits, highest);

	if (!view->base)
		return status;
	if (status == STATUS_NO_MEMORY ||
	    (*highest && (uintptr_t)view->base > *highest))
		return STATUS_INVALID_PARAMETER_4;
	if (status != STATUS_SUCCESS)
		return status;
	*highest = 0;

	return STATUS_SUCCESS;
}

static NTSTATUS check_view(const struct view *view, uint64_t *highest)
{
	NTSTATUS status;
	uint64_t unit;

	/* Rule MV-23 */
	if (view->size >= WR_TOO_LARGE)
		return STATUS_INVALID_PARAMETER_3;
	/* Rule MV-47 */
	if (view->size && view->commit > view->size)
		return STATUS_INVALID_PARAMETER_5;
	/* Rule ZB-07: before the alignment */
	status = find_limit(view, highest);
	if (status != STATUS_SUCCESS)
		return status;
	/* Rules MV-24, MV-27, PH-31 */
	unit = view->replace ? (uint64_t)sysconf(_SC_PAGESIZE) :
			       WINREGION_GRANULARITY;
	if (((uintptr_t)view->base | view->offset) & (unit - 1))
		return STATUS_MAPPED_ALIGNMENT;

	return STATUS_SUCCESS;
}

/* Rules AR-21, MV-41, MV-48: what else is invalid has been seen. */
static NTSTATUS why_invalid(const struct view *view)
{
	if (view->lowest || view->highest)
		return STATUS_INVALID_PARAMETER;
	if (view->reserve)
		return STATUS_INVALID_PARAMETER_9;

	return view->commit ? STATUS_INVALID_PARAMETER_5 :
			      STATUS_INVALID_PARAMETER;
}

/* Of another process it is a call of its descriptor. */
static int map_ioctl(const struct wr_target *target,
		     const struct wr_object *object,
		     struct winregion_map_view *arg)
{
	if (!target->object)
		return wr_section_ioctl(object->fd, WINREGION_MAP_VIEW, arg);
	arg->section = object->fd;

	return wr_target_ioctl(target, WINREGION_MAP_VIEW, arg);
}

static NTSTATUS map_by(const struct wr_target *target,
		       const struct wr_object *object, struct view *view)
{
	struct winregion_map_view arg = {
		.size = sizeof(arg),
		.protection = view->protect,
		.address = (uintptr_t)view->base,
		.offset = view->offset,
		.length = view->size,
		.commit = view->commit,
		.lowest = view->lowest,
	};
	uint64_t highest;
	NTSTATUS status = check_view(view, &highest);

	arg.highest = view->highest ? view->highest : highest;
	if (view->top_down && !view->base)
		arg.flags |= WINREGION_VIEW_TOP_DOWN;
	if (view->replace)
		arg.flags |= WINREGION_VIEW_REPLACE;
	if (view->reserve)
		arg.flags |= WINREGION_VIEW_RESERVE;
	if (status == STATUS_SUCCESS)
		status = wr_status(WR_MAP, map_ioctl(target, object, &arg));
	if (status == STATUS_SUCCESS) {
		view->base = (PVOID)(uintptr_t)arg.address;
		view->size = arg.length;
		/* A wish, which another process would have to say itself */
		if (view->has_node && !target->object)
			wr_node_prefer(view->base, view->size, view->node);
	}

	return status == STATUS_INVALID_PARAMETER_5 ? why_invalid(view) :
						      status;
}

/*
 * A view of an image is all of it, as its headers say. Rules: IMG-01, IMG-05, PH-27
 */
static NTSTATUS map_image(const struct wr_object *object, struct view *view)
{
	PVOID base = view->base;
	SIZE_T size = 0;
	NTSTATUS status;

	if (view->replace || view->reserve || view->lowest || view->highest ||
	    view->zero_bits)
		return STATUS_INVALID_PARAMETER;
	if (view->offset)
		return STATUS_INVALID_VIEW_SIZE;
	status = wr_image_map(object->fd, &base, &size);
	if (NT_SUCCESS(status)) {
		view->base = base;
		view->size = size;
	}

	return status;
}

/* Only of an image the module refuses to make one view. */
static NTSTATUS map_any(const struct wr_target *target,
			const struct wr_object *object, struct view *view)
{
	NTSTATUS status = map_by(target, object, view);

	if (status == STATUS_INVALID_FILE_FOR_SECTION && !target->object)
		status = map_image(object, view);

	return status;
}

static void prefer_as_section(struct view *view,
			      const struct wr_section *section)
{
	if (view->has_node)
		return;
	view->has_node = section->has_node;
	view->node = section->node;
}

static NTSTATUS map_in(const struct wr_target *target, HANDLE section,
		       struct view *view)
{
	DWORD needed = view_rights(view->protect), access;
	struct wr_object *object;
	NTSTATUS status;

	status = wr_handle_get(section, &wr_section_kind, &object, &access);
	if (status != STATUS_SUCCESS)
		return status;
	prefer_as_section(view, (struct wr_section *)object);
	if ((access & needed) == needed)
		status = map_any(target, object, view);
	else
		status = STATUS_ACCESS_DENIED;
	wr_object_put(object);

	return status;
}

/* The handles come before the rest: item 3 of the order of checks */
static NTSTATUS map_view(HANDLE section, HANDLE process, struct view *view)
{
	struct wr_target target;
	NTSTATUS status = wr_target_get(process, PROCESS_VM_OPERATION, &target);

	if (status != STATUS_SUCCESS)
		return status;
	status = map_in(&target, section, view);
	wr_target_put(&target);

	return status;
}

/* Rules MV-01 to 06: the first that fits */
static ULONG view_protection(DWORD access)
{
	bool executes = access & FILE_MAP_EXECUTE;

	access &= ~FILE_MAP_EXECUTE;
	if (access == FILE_MAP_COPY)
		return executes ? PAGE_EXECUTE_WRITECOPY : PAGE_WRITECOPY;
	if (access & FILE_MAP_WRITE)
		return executes ? PAGE_EXECUTE_READWRITE : PAGE_READWRITE;
	if (access & FILE_MAP_READ)
		return executes ? PAGE_EXECUTE_READ : PAGE_READONLY;

	return PAGE_NOACCESS;
}

LPVOID WINAPI MapViewOfFileExNuma(HANDLE section, DWORD access,
				  DWORD offset_high, DWORD offset_low,
				  SIZE_T size, LPVOID address, DWORD node)
{
	struct view view = {
		.base = address,
		.offset = wr_join(offset_low, offset_high),
		.size = size,
		.protect = view_protection(access),
		.has_node = node != NUMA_NO_PREFERRED_NODE,
		.node = node,
	};
	NTSTATUS status;

	WR_KEEP_ERRNO();

	if (access & (FILE_MAP_LARGE_PAGES | FILE_MAP_RESERVE) ||
	    (view.has_node && !wr_node_is_there(node)))
		status = STATUS_INVALID_PARAMETER;
	else
		status = map_view(section, GetCurrentProcess(), &view);

	return wr_succeeded(status) ? view.base : NULL;
}

LPVOID WINAPI MapViewOfFileEx(HANDLE section, DWORD access, DWORD offset_high,
			      DWORD offset_low, SIZE_T size, LPVOID address)
{
	return MapViewOfFileExNuma(section, access, offset_high, offset_low,
				   size, address, NUMA_NO_PREFERRED_NODE);
}

LPVOID WINAPI MapViewOfFile(HANDLE section, DWORD access, DWORD offset_high,
			    DWORD offset_low, SIZE_T size)
{
	return MapViewOfFileEx(section, access, offset_high, offset_low, size,
			       NULL);
}

/* ---- MapViewOfFile2(), MapViewOfFile3() ---- */

/* Rules MV-40, MV-41, MV-45, VX-12, AR-20, AR-22 */
static NTSTATUS check_extended(const MEM_EXTENDED_PARAMETER *list, ULONG count,
			       ULONG type, struct view *view)
{
	const ULONG known = MEM_TOP_DOWN | MEM_REPLACE_PLACEHOLDER |
			    MEM_RESERVE;
	struct wr_extended extended;
	NTSTATUS status = wr_extended_read(list, count, &extended);

	if (status != STATUS_SUCCESS)
		return status;
	if (type & ~known || extended.alignment)
		return STATUS_INVALID_PARAMETER;
	/* Rule PH-27: it is at an address. */
	view->replace = !!(type & MEM_REPLACE_PLACEHOLDER);
	if (view->replace && !view->base)
		return STATUS_INVALID_PARAMETER;
	if (view->base && (extended.lowest || extended.highest))
		return STATUS_INVALID_PARAMETER;
	view->lowest = extended.lowest;
	view->highest = extended.highest;
	view->top_down = !!(type & MEM_TOP_DOWN);
	view->has_node = extended.has_node;
	view->node = extended.node;
	view->reserve = !!(type & MEM_RESERVE);

	return STATUS_SUCCESS;
}

/* Rule MV-36: the size is not made whole pages. */
PVOID WINAPI MapViewOfFile3(HANDLE section, HANDLE process, PVOID base,
			    ULONG64 offset, SIZE_T size, ULONG type,
			    ULONG protect, PMEM_EXTENDED_PARAMETER parameters,
			    ULONG count)
{
	struct view view = {
		.base = base,
		.offset = offset,
		.size = size,
		.protect = protect,
	};
	NTSTATUS status;

	WR_KEEP_ERRNO();

	/* Rule MV-35 */
	if (!process)
		process = GetCurrentProcess();
	status = wr_target_check(process, PROCESS_VM_OPERATION);
	if (status == STATUS_SUCCESS)
		status = check_extended(parameters, count, type, &view);
	if (status == STATUS_SUCCESS)
		status = map_view(section, process, &view);

	return wr_succeeded(status) ? view.base : NULL;
}

PVOID WINAPI MapViewOfFile3FromApp(HANDLE section, HANDLE process, PVOID base,
				   ULONG64 offset, SIZE_T size, ULONG type,
				   ULONG protect,
				   PMEM_EXTENDED_PARAMETER parameters,
				   ULONG count)
{
	return MapViewOfFile3(section, process, base, offset, size, type,
			      protect, parameters, count);
}

PVOID WINAPI MapViewOfFileNuma2(HANDLE section, HANDLE process, ULONG64 offset,
				PVOID base, SIZE_T size, ULONG type,
				ULONG protect, ULONG node)
{
	MEM_EXTENDED_PARAMETER wish = {
		.Type = MemExtendedParameterNumaNode,
		.ULong = node,
	};

	if (process && !(type & MEM_REPLACE_PLACEHOLDER))
		return MapViewOfFile3(section, process, base, offset, size,
				      type, protect, &wish, 1);
	SetLastError(process ? ERROR_INVALID_PARAMETER : ERROR_INVALID_HANDLE);

	return NULL;
}

PVOID WINAPI MapViewOfFile2(HANDLE section, HANDLE process, ULONG64 offset,
			    PVOID base, SIZE_T size, ULONG type, ULONG protect)
{
	return MapViewOfFileNuma2(section, process, offset, base, size, type,
				  protect, NUMA_NO_PREFERRED_NODE);
}

/* ---- UnmapViewOfFile(), FlushViewOfFile() ---- */

static NTSTATUS unmap_in(const struct wr_target *target, const void *address,
			 ULONG flags)
{
	struct winregion_unmap_view arg = {
		.size = sizeof(arg),
		.flags = flags,
		.address = (uintptr_t)address,
	};
	int err = wr_target_ioctl(target, WINREGION_UNMAP_VIEW, &arg);

	if (!err && !target->object)
		wr_image_unmapped((const void *)(uintptr_t)arg.address);

	return wr_status(WR_UNMAP, err);
}

static NTSTATUS unmap_view(HANDLE process, const void *address, ULONG flags)
{
	struct wr_target target;
	NTSTATUS status = wr_target_get(process, PROCESS_VM_OPERATION, &target);

	if (status != STATUS_SUCCESS)
		return status;
	status = unmap_in(&target, address, flags);
	wr_target_put(&target);

	return status;
}

BOOL WINAPI UnmapViewOfFile(LPCVOID address)
{
	return wr_succeeded(unmap_view(GetCurrentProcess(), address, 0));
}

/* Rules UM-06, UM-07, UM-09 */
static NTSTATUS unmap_with(HANDLE process, const void *address, ULONG flags)
{
	const ULONG known = MEM_UNMAP_WITH_TRANSIENT_BOOST |
			    MEM_PRESERVE_PLACEHOLDER;

	if (flags & ~known)
		return STATUS_INVALID_PARAMETER;

	return unmap_view(process, address,
			  flags & MEM_PRESERVE_PLACEHOLDER ?
				  WINREGION_UNMAP_PRESERVE :
				  0);
}

BOOL WINAPI UnmapViewOfFileEx(PVOID address, ULONG flags)
{
	return wr_succeeded(unmap_with(GetCurrentProcess(), address, flags));
}

/* Rule UM-08 */
BOOL WINAPI UnmapViewOfFile2(HANDLE process, PVOID address, ULONG flags)
{
	return wr_succeeded(NtUnmapViewOfSectionEx(process, address, flags));
}

BOOL WINAPI FlushViewOfFile(LPCVOID address, SIZE_T size)
{
	struct winregion_flush_view arg = {
		.size = sizeof(arg),
		.address = (uintptr_t)address,
		.length = size,
	};
	int err = wr_device_ioctl(WINREGION_FLUSH_VIEW, &arg);

	return wr_succeeded(wr_status(WR_UNMAP, err));
}

/* ---- the calls below ---- */

static NTSTATUS map_by_nt(HANDLE section, HANDLE process, struct view *view,
			  PVOID *base, const LARGE_INTEGER *offset,
			  PSIZE_T size)
{
	NTSTATUS status;

	if (!wr_writable(base, sizeof(*base)) ||
	    !wr_writable(size, sizeof(*size)) ||
	    (offset && !wr_writable(offset, sizeof(*offset))))
		return STATUS_ACCESS_VIOLATION;

	view->base = *base;
	view->size = *size;
	view->offset = offset ? offset->QuadPart : 0;
	status = map_view(section, process, view);
	if (NT_SUCCESS(status)) {
		*base = view->base;
		*size = view->size;
	}

	return status;
}

/* Rules MV-34, MV-40, MV-41, MV-45, ZB-03 */
static NTSTATUS check_nt_view(HANDLE process, ULONG_PTR zero_bits,
			      SECTION_INHERIT inherit, ULONG type)
{
	if (inherit != ViewShare && inherit != ViewUnmap)
		return STATUS_INVALID_PARAMETER_8;
	if (type & ~(ULONG)(MEM_TOP_DOWN | MEM_RESERVE))
		return STATUS_INVALID_PARAMETER_9;
	if (!wr_zero_bits_are_valid(zero_bits))
		return STATUS_INVALID_PARAMETER_4;

	return wr_target_check(process, PROCESS_VM_OPERATION);
}

NTSTATUS NTAPI NtMapViewOfSection(HANDLE section, HANDLE process, PVOID *base,
				  ULONG_PTR zero_bits, SIZE_T commit,
				  PLARGE_INTEGER offset, PSIZE_T size,
				  SECTION_INHERIT inherit, ULONG type,
				  ULONG protect)
{
	struct view view = {
		.protect = protect,
		.commit = commit,
		.zero_bits = zero_bits,
		.top_down = !!(type & MEM_TOP_DOWN),
		.reserve = !!(type & MEM_RESERVE),
	};
	NTSTATUS status = check_nt_view(process, zero_bits, inherit, type);

	if (status != STATUS_SUCCESS)
		return status;

	return map_by_nt(section, process, &view, base, offset, size);
}

NTSTATUS NTAPI NtMapViewOfSectionEx(HANDLE section, HANDLE process, PVOID *base,
				    PLARGE_INTEGER offset, PSIZE_T size,
				    ULONG type, ULONG protect,
				    PMEM_EXTENDED_PARAMETER parameters,
				    ULONG count)
{
	struct view view = { .protect = protect };
	NTSTATUS status;

	status = wr_target_check(process, PROCESS_VM_OPERATION);
	if (status != STATUS_SUCCESS)
		return status;
	if (!wr_writable(base, sizeof(*base)))
		return STATUS_ACCESS_VIOLATION;
	view.base = *base;
	status = check_extended(parameters, count, type, &view);
	if (status != STATUS_SUCCESS)
		return status;

	return map_by_nt(section, process, &view, base, offset, size);
}

NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE process, PVOID address)
{
	return unmap_view(process, address, 0);
}

NTSTATUS NTAPI NtUnmapViewOfSectionEx(HANDLE process, PVOID address,
				      ULONG flags)
{
	NTSTATUS status = wr_target_check(process, PROCESS_VM_OPERATION);

	return status == STATUS_SUCCESS ? unmap_with(process, address, flags) :
					  status;
}
