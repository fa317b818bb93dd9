// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sections: CreateFileMapping(), NtCreateSection() and their kind
 *
 * An object has a descriptor of the module's, which allows what the handles of the
 * object do. So a handle with fewer rights is one of another object: whoever gets
 * its descriptor, by exec or otherwise, has no more than the handle had.
 *
 * A file is made as large as its section is to be before there is one, with its
 * place on the disk, so that a view does not run out of it later. When the section
 * cannot be made then, the file is cut again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "file.h"
#include "image.h"
#include "section.h"

/* What the module knows of the rights of a handle */
#define MODULE_RIGHTS WINREGION_SECTION_ALL

static DWORD flags_of(DWORD protect)
{
	return protect & 0xFFFF0000U;
}

static DWORD page_of(DWORD protect)
{
	return protect & 0x0000FFFFU;
}

/* SEC_IMAGE_NO_EXECUTE has the bit of SEC_NOCACHE. */
static bool is_image(ULONG attributes)
{
	return (attributes & ~SEC_NOCACHE) == SEC_IMAGE;
}

/* What a new section is to be */
struct request {
	ACCESS_MASK access;
	/* Bytes, or 0: all of the file */
	uint64_t size;
	/* PAGE_* and SEC_* */
	ULONG protect;
	ULONG attributes;
	/* NULL: the paging file */
	HANDLE file;
	BOOL inherit;
	/* NULL: none. WINREGION_NAME_* beside its own, and what others get */
	const struct wr_name *name;
	uint32_t name_flags;
	uint32_t others;
	/* Set to whether the section was there already */
	bool *existed;
	/* A node is preferred. */
	bool has_node;
	ULONG node;
};

static void destroy_section(struct wr_object *object);
static NTSTATUS narrow_section(struct wr_object *object, DWORD access,
			       struct wr_object **narrower);
static NTSTATUS take_section(struct wr_taking *taking,
			     const struct wr_object *other, DWORD access,
			     struct wr_object **object);

const struct wr_kind wr_section_kind = {
	.number = WR_KIND_SECTION,
	.size = sizeof(struct wr_section),
	.take = take_section,
	.generic_read = STANDARD_RIGHTS_READ | SECTION_QUERY | SECTION_MAP_READ,
	.generic_write = STANDARD_RIGHTS_WRITE | SECTION_MAP_WRITE,
	.generic_execute = STANDARD_RIGHTS_EXECUTE | SECTION_MAP_EXECUTE,
	.generic_all = SECTION_ALL_ACCESS,
	.destroy = destroy_section,
	.narrow = narrow_section,
};

/* ---- objects ---- */

static void destroy_section(struct wr_object *object)
{
	wr_object_close(object);
	free(object);
}

/* Takes over the descriptor, also if it fails. */
static NTSTATUS new_section(int fd, struct wr_object **object)
{
	struct wr_section *section;

	fd = wr_above_stderr(fd);
	if (fd < 0)
		return STATUS_INSUFFICIENT_RESOURCES;
	section = calloc(1, sizeof(*section));
	if (!section) {
		wr_close(fd);
		return STATUS_NO_MEMORY;
	}

	wr_object_init(&section->object, &wr_section_kind, fd);
	*object = &section->object;

	return STATUS_SUCCESS;
}

static void set_node(struct wr_object *object, bool has_node, ULONG node)
{
	struct wr_section *section = (struct wr_section *)object;

	section->has_node = has_node;
	section->node = node;
}

static NTSTATUS narrow_section(struct wr_object *object, DWORD access,
			       struct wr_object **narrower)
{
	struct winregion_duplicate_section arg = {
		.size = sizeof(arg),
		.access = access & MODULE_RIGHTS,
	};
	const struct wr_section *section = (struct wr_section *)object;
	int err =
		wr_section_ioctl(object->fd, WINREGION_DUPLICATE_SECTION, &arg);
	NTSTATUS status;

	if (err)
		return wr_status(WR_CREATE_SECTION, err);
	status = new_section(arg.out_fd, narrower);
	if (status == STATUS_SUCCESS)
		set_node(*narrower, section->has_node, section->node);

	return status;
}

static NTSTATUS take_section(struct wr_taking *taking,
			     const struct wr_object *other, DWORD access,
			     struct wr_object **object)
{
	const struct wr_section *section = (const struct wr_section *)other;
	int fd = wr_take_descriptor(taking, other->fd);
	NTSTATUS status;

	(void)access;
	if (fd < 0)
		return wr_take_status(fd);
	status = new_section(fd, object);
	if (status == STATUS_SUCCESS)
		set_node(*object, section->has_node, section->node);

	return status;
}

/* ---- files ---- */

static off_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : st.st_size;
}

bool wr_file_is_needed(int fd, off_t size)
{
	struct winregion_query_file arg = {
		.size = sizeof(arg),
		.file = fd,
	};

	if (size >= size_of(fd))
		return false;

	/* Without the module there are no sections. */
	return !wr_device_ask(WINREGION_QUERY_FILE, &arg) &&
	       arg.out_length > (uint64_t)size;
}

/* Only if nobody else has changed it: it would be theirs that is cut. */
static void put_size_back(int fd, off_t from, off_t to)
{
	int err;

	do {
		err = size_of(fd) == from && ftruncate(fd, to) ? errno : 0;
	} while (err == EINTR);
}

static int allocate(int fd, int mode, off_t from, off_t to)
{
	int err;

	do {
		err = fallocate(fd, mode, from, to - from) ? errno : 0;
	} while (err == EINTR);

	return err;
}

/* Those that do not tell how large they are have no blocks. */
static bool may_have_place(int fd, off_t bytes)
{
	struct statvfs fs;

	return fstatvfs(fd, &fs) || !fs.f_blocks || !fs.f_frsize ||
	       (uint64_t)bytes / fs.f_frsize <= fs.f_bavail;
}

/* For file systems that cannot set place aside: there is as much now, at least. */
static int make_longer(int fd, off_t from, off_t to)
{
	if (!may_have_place(fd, to - from))
		return ENOSPC;
	if (size_of(fd) < to && ftruncate(fd, to))
		return errno;

	return 0;
}

/*
 * The place first, and then the size: so that a disk which is full leaves the file
 * as it was, and nothing ever makes it shorter that another process makes longer.
 */
static int extend(int fd, off_t from, off_t to)
{
	struct rlimit limit;
	int err;

	/* It would be a signal. */
	if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur < (rlim_t)to)
		return EFBIG;

	err = allocate(fd, FALLOC_FL_KEEP_SIZE, from, to);
	if (!err)
		err = allocate(fd, 0, from, to);
	if (err == EOPNOTSUPP || err == ENOSYS)
		return make_longer(fd, from, to);
	if (err)
		put_size_back(fd, from, from);

	return err;
}

/* Rules CM-22 to 24 and CM-31 */
static NTSTATUS make_large(int fd, const struct request *request, off_t *before)
{
	uint64_t size = request->size;
	int err;

	*before = size_of(fd);
	/* Of an image the headers say how large it is. */
	if (is_image(request->attributes))
		return STATUS_SUCCESS;
	if (*before < 0)
		return STATUS_INVALID_FILE_FOR_SECTION;
	if (size <= (uint64_t)*before)
		return STATUS_SUCCESS;
	if (!wr_writes(request->protect) || size >= WR_TOO_LARGE)
		return STATUS_SECTION_TOO_BIG;

	err = extend(fd, *before, size);
	switch (err) {
	case 0:
		return STATUS_SUCCESS;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return STATUS_DISK_FULL;
	default:
		return wr_status_of(wr_file_error(err));
	}
}

/* Rules CM-04 to 07: what a handle of the file must allow */
static DWORD file_rights(ULONG protect)
{
	return FILE_READ_DATA | (wr_writes(protect) ? FILE_WRITE_DATA : 0) |
	       (wr_executes(protect) ? FILE_EXECUTE : 0);
}

static NTSTATUS get_file(const struct request *request, struct wr_file **file)
{
	DWORD needed = file_rights(request->protect), access;
	NTSTATUS status = wr_file_get(request->file, 0, file, &access);

	if (status != STATUS_SUCCESS)
		return status;
	if ((access & needed) == needed)
		return STATUS_SUCCESS;
	wr_file_put(*file);

	return STATUS_ACCESS_DENIED;
}

/*
 * Another descriptor of the file, which is no copy: share modes and locks, which
 * are those of @file, must not last as long as the section. The file's own if
 * there is none.
 */
static int open_again(const struct wr_file *file, ULONG protect)
{
	char name[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int flags = wr_writes(protect) ? O_RDWR : O_RDONLY;
	int fd;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", file->object.fd);
	fd = open(name, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? file->object.fd : fd;
}

/* ---- CreateFileMapping() ---- */

static bool is_protection(ULONG protect)
{
	switch (protect) {
	case PAGE_READONLY:
	case PAGE_READWRITE:
	case PAGE_WRITECOPY:
	case PAGE_EXECUTE_READ:
	case PAGE_EXECUTE_READWRITE:
	case PAGE_EXECUTE_WRITECOPY:
		return true;
	default:
		return false;
	}
}

/* Rule CM-12 */
static NTSTATUS check_attributes(const struct request *request)
{
	const ULONG how = SEC_RESERVE | SEC_COMMIT;
	const ULONG cached = SEC_NOCACHE | SEC_WRITECOMBINE;
	ULONG attributes = request->attributes;

	if (is_image(attributes))
		return request->file ? STATUS_SUCCESS :
				       STATUS_INVALID_FILE_FOR_SECTION;
	/* For which nobody here has the privilege */
	if (attributes == (SEC_COMMIT | SEC_LARGE_PAGES) && !request->file)
		return STATUS_PRIVILEGE_NOT_HELD;
	if (attributes & ~(how | cached))
		return STATUS_INVALID_PARAMETER_6;
	if ((attributes & how) != SEC_COMMIT &&
	    (attributes & how) != SEC_RESERVE)
		return STATUS_INVALID_PARAMETER_6;

	return STATUS_SUCCESS;
}

static uint32_t module_flags(ULONG attributes)
{
	uint32_t flags = 0;

	if (attributes & SEC_RESERVE)
		flags |= WINREGION_SECTION_RESERVE;
	if (attributes & SEC_NOCACHE)
		flags |= WINREGION_SECTION_NOCACHE;
	if (attributes & SEC_WRITECOMBINE)
		flags |= WINREGION_SECTION_WRITECOMBINE;

	return flags;
}

/* By what the headers of the file say */
static NTSTATUS ask_for_image(const struct request *request, int fd,
			      struct winregion_create_section *arg)
{
	bool executes = !(request->attributes & SEC_NOCACHE);
	struct wr_image_plan plan = { .size = WR_PE_PAGE };
	NTSTATUS status = STATUS_SUCCESS;

	/* One that is there may be of any file. */
	if (arg->name_flags & WINREGION_NAME_EXISTING)
		return wr_status(WR_CREATE_SECTION,
				 wr_device_ioctl(WINREGION_CREATE_SECTION,
						 arg));
	status = wr_image_of_file(fd, executes, &plan);
	if (status != STATUS_SUCCESS)
		return status;

	return wr_status(WR_CREATE_SECTION,
			 wr_image_create(fd, &plan, executes, arg));
}

static NTSTATUS make_section(const struct request *request, int fd,
			     struct wr_object **object)
{
	struct winregion_create_section arg = {
		.size = sizeof(arg),
		.flags = module_flags(request->attributes),
		.file = fd,
		.protection = request->protect,
		.access = request->access & MODULE_RIGHTS,
		.length = request->size,
	};
	NTSTATUS status;

	if (request->name && wr_named_has(request->name))
		return STATUS_OBJECT_TYPE_MISMATCH;
	if (request->name) {
		arg.name = (uintptr_t)request->name->text;
		arg.name_length = request->name->length;
		arg.name_flags = request->name->flags | request->name_flags;
		arg.others = request->others;
	}
	if (is_image(request->attributes))
		status = ask_for_image(request, fd, &arg);
	else
		status = wr_status(WR_CREATE_SECTION,
				   wr_device_ioctl(WINREGION_CREATE_SECTION,
						   &arg));
	if (status != STATUS_SUCCESS)
		return status;
	/* An image may have a name that is none of the program's. */
	*request->existed = request->name && arg.out_existed;
	/* An object may be new as well: who comes second sees the other one. */
	if (request->name && !arg.out_existed && wr_named_has(request->name)) {
		wr_close(arg.out_fd);
		return STATUS_OBJECT_TYPE_MISMATCH;
	}

	return new_section(arg.out_fd, object);
}

static NTSTATUS make_and_give(const struct request *request, int fd,
			      HANDLE *handle)
{
	struct wr_object *object = NULL;
	NTSTATUS status = make_section(request, fd, &object);

	if (status != STATUS_SUCCESS)
		return status;
	set_node(object, request->has_node, request->node);
	status = wr_handle_new(object, request->access, request->inherit,
			       handle);
	wr_object_put(object);

	return status;
}

/* One that is there, for which the file is nothing to be changed */
static NTSTATUS give_existing(const struct request *request, int fd,
			      HANDLE *handle)
{
	struct request existing = *request;

	if (!request->name || request->name_flags & WINREGION_NAME_NEW)
		return STATUS_OBJECT_NAME_NOT_FOUND;
	existing.name_flags |= WINREGION_NAME_EXISTING;

	return make_and_give(&existing, fd, handle);
}

static NTSTATUS make_of(const struct request *request,
			const struct wr_file *file, HANDLE *handle)
{
	NTSTATUS status;
	off_t before;
	int fd;

	if (!S_ISREG(file->type))
		return STATUS_INVALID_FILE_FOR_SECTION;

	status = give_existing(request, file->object.fd, handle);
	if (status != STATUS_OBJECT_NAME_NOT_FOUND)
		return status;
	status = make_large(file->object.fd, request, &before);
	if (status != STATUS_SUCCESS)
		return status;
	fd = open_again(file, request->protect);
	status = make_and_give(request, fd, handle);
	if (fd != file->object.fd)
		wr_close(fd);
	if ((status != STATUS_SUCCESS || *request->existed) &&
	    !is_image(request->attributes) && request->size > (uint64_t)before)
		put_size_back(file->object.fd, request->size, before);

	return status;
}

static NTSTATUS make_of_file(const struct request *request, HANDLE *handle)
{
	struct wr_file *file;
	NTSTATUS status = get_file(request, &file);

	WR_NO_CANCEL();

	if (status != STATUS_SUCCESS)
		return status;
	status = make_of(request, file, handle);
	wr_file_put(file);

	return status;
}

static NTSTATUS create_section(const struct request *request, HANDLE *handle)
{
	NTSTATUS status = check_attributes(request);

	if (status != STATUS_SUCCESS)
		return status;
	if (!is_protection(request->protect))
		return STATUS_INVALID_PAGE_PROTECTION;
	if (request->file)
		return make_of_file(request, handle);
	/* Rule CM-08 */
	if (!request->size)
		return STATUS_INVALID_PARAMETER_4;

	return make_and_give(request, -1, handle);
}

/* Rule CM-48: what the section's protection allows */
static ACCESS_MASK rights_of(ULONG protect)
{
	ACCESS_MASK access = STANDARD_RIGHTS_REQUIRED | SECTION_QUERY |
			     SECTION_MAP_READ;

	if (wr_writes(protect))
		access |= SECTION_MAP_WRITE;
	if (wr_executes(protect))
		access |= SECTION_MAP_EXECUTE;

	return access;
}

static NTSTATUS create_mapping(HANDLE file, const SECURITY_ATTRIBUTES *security,
			       DWORD protect, uint64_t size, DWORD node,
			       const struct wr_name *name, HANDLE *handle)
{
	bool existed = false;
	struct request request = {
		.access = rights_of(page_of(protect)),
		.size = size,
		.protect = page_of(protect),
		.attributes = flags_of(protect),
		.file = file == INVALID_HANDLE_VALUE ? NULL : file,
		.inherit = security && security->bInheritHandle,
		.name = name,
		.existed = &existed,
		.has_node = node != NUMA_NO_PREFERRED_NODE,
		.node = node,
	};
	NTSTATUS status = STATUS_SUCCESS;

	/* Rule VX-08 */
	if (request.has_node && !wr_node_is_there(node))
		return STATUS_INVALID_PARAMETER;
	if (!request.attributes)
		request.attributes = SEC_COMMIT;
	if (name && security)
		status = wr_others_of(security->lpSecurityDescriptor,
				      &request.others);
	if (status == STATUS_SUCCESS)
		status = create_section(&request, handle);
	/* Rules CM-40, CM-41 */
	if (status == STATUS_SUCCESS)
		SetLastError(existed ? ERROR_ALREADY_EXISTS : ERROR_SUCCESS);

	return status;
}

HANDLE WINAPI CreateFileMappingNumaA(HANDLE file,
				     LPSECURITY_ATTRIBUTES security,
				     DWORD protect, DWORD size_high,
				     DWORD size_low, LPCSTR name, DWORD node)
{
	NTSTATUS status = STATUS_SUCCESS;
	bool named = name && *name;
	struct wr_name parsed;
	HANDLE handle = NULL;

	WR_KEEP_ERRNO();

	if (named)
		status = wr_name_of_utf8(name, &parsed);
	if (status == STATUS_SUCCESS)
		status = create_mapping(file, security, protect,
					wr_join(size_low, size_high), node,
					named ? &parsed : NULL, &handle);

	return wr_succeeded(status) ? handle : NULL;
}

HANDLE WINAPI CreateFileMappingA(HANDLE file, LPSECURITY_ATTRIBUTES security,
				 DWORD protect, DWORD size_high, DWORD size_low,
				 LPCSTR name)
{
	return CreateFileMappingNumaA(file, security, protect, size_high,
				      size_low, name, NUMA_NO_PREFERRED_NODE);
}

HANDLE WINAPI CreateFileMappingNumaW(HANDLE file,
				     LPSECURITY_ATTRIBUTES security,
				     DWORD protect, DWORD size_high,
				     DWORD size_low, LPCWSTR name, DWORD node)
{
	NTSTATUS status = STATUS_SUCCESS;
	bool named = name && *name;
	struct wr_name parsed;
	HANDLE handle = NULL;

	WR_KEEP_ERRNO();

	if (named)
		status = wr_name_of_wide(name, wr_wide_length(name), false,
					 &parsed);
	if (status == STATUS_SUCCESS)
		status = create_mapping(file, security, protect,
					wr_join(size_low, size_high), node,
					named ? &parsed : NULL, &handle);

	return wr_succeeded(status) ? handle : NULL;
}

HANDLE WINAPI CreateFileMappingW(HANDLE file, LPSECURITY_ATTRIBUTES security,
				 DWORD protect, DWORD size_high, DWORD size_low,
				 LPCWSTR name)
{
	return CreateFileMappingNumaW(file, security, protect, size_high,
				      size_low, name, NUMA_NO_PREFERRED_NODE);
}

/* ---- OpenFileMapping() ---- */

static NTSTATUS open_section(const struct wr_name *name, ACCESS_MASK access,
			     BOOL inherit, HANDLE *handle)
{
	struct winregion_open_section arg = {
		.size = sizeof(arg),
		.flags = name->flags,
		.name = (uintptr_t)name->text,
		.name_length = name->length,
		.access = access & MODULE_RIGHTS,
	};
	int err = wr_device_ioctl(WINREGION_OPEN_SECTION, &arg);
	struct wr_object *object;
	NTSTATUS status;

	if (err == -ESRCH && wr_named_has(name))
		return STATUS_OBJECT_TYPE_MISMATCH;
	if (err)
		return wr_status(WR_CREATE_SECTION, err);
	status = new_section(arg.out_fd, &object);
	if (status != STATUS_SUCCESS)
		return status;
	status = wr_handle_new(object, access, inherit, handle);
	wr_object_put(object);

	return status;
}

static ACCESS_MASK nt_rights(ACCESS_MASK access)
{
	if (access & MAXIMUM_ALLOWED)
		access = GENERIC_ALL;

	return wr_specific_rights(&wr_section_kind, access);
}

/* Rule OM-04 */
static ACCESS_MASK open_rights(DWORD access)
{
	if (access == FILE_MAP_COPY)
		return SECTION_MAP_READ;
	if (access & FILE_MAP_EXECUTE)
		access |= SECTION_MAP_EXECUTE;

	return nt_rights(access & ~FILE_MAP_EXECUTE);
}

static HANDLE open_mapping(NTSTATUS status, const struct wr_name *name,
			   DWORD access, BOOL inherit)
{
	HANDLE handle = NULL;

	if (status == STATUS_SUCCESS)
		status = open_section(name, open_rights(access), inherit,
				      &handle);

	return wr_succeeded(status) ? handle : NULL;
}

HANDLE WINAPI OpenFileMappingA(DWORD access, BOOL inherit, LPCSTR name)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER;
	struct wr_name parsed;

	WR_KEEP_ERRNO();

	if (name)
		status = wr_name_of_utf8(name, &parsed);

	return open_mapping(status, &parsed, access, inherit);
}

HANDLE WINAPI OpenFileMappingW(DWORD access, BOOL inherit, LPCWSTR name)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER;
	struct wr_name parsed;

	WR_KEEP_ERRNO();

	if (name)
		status = wr_name_of_wide(name, wr_wide_length(name), false,
					 &parsed);

	return open_mapping(status, &parsed, access, inherit);
}

/* ---- the calls below ---- */

/* A name of no bytes is none. Directories have no handles here. */
static NTSTATUS nt_name(const OBJECT_ATTRIBUTES *object, struct wr_name *buffer,
			const struct wr_name **name)
{
	const UNICODE_STRING *text = object ? object->ObjectName : NULL;

	*name = NULL;
	if (object && (object->Length != sizeof(*object) ||
		       object->Attributes & ~OBJ_VALID_ATTRIBUTES))
		return STATUS_INVALID_PARAMETER;
	if (!text || !text->Length)
		return STATUS_SUCCESS;
	if (object->RootDirectory)
		return STATUS_INVALID_HANDLE;
	if (text->Length % sizeof(WCHAR))
		return STATUS_OBJECT_NAME_INVALID;
	*name = buffer;

	return wr_name_of_wide(text->Buffer, text->Length / sizeof(WCHAR), true,
			       buffer);
}

/* Rule CM-41 */
static NTSTATUS create_by_nt(struct request *request,
			     const OBJECT_ATTRIBUTES *object, HANDLE *handle)
{
	struct wr_name name;
	NTSTATUS status = nt_name(object, &name, &request->name);

	if (status == STATUS_SUCCESS && request->name)
		status = wr_others_of(object->SecurityDescriptor,
				      &request->others);
	if (status != STATUS_SUCCESS)
		return status;
	if (request->name && !(object->Attributes & OBJ_OPENIF))
		request->name_flags = WINREGION_NAME_NEW;
	status = create_section(request, handle);
	if (status == STATUS_SUCCESS && *request->existed)
		return STATUS_OBJECT_NAME_EXISTS;

	return status;
}

NTSTATUS NTAPI NtCreateSection(PHANDLE section, ACCESS_MASK access,
			       POBJECT_ATTRIBUTES object, PLARGE_INTEGER size,
			       ULONG protect, ULONG attributes, HANDLE file)
{
	bool existed = false;
	struct request request = {
		.access = nt_rights(access),
		.size = size ? size->QuadPart : 0,
		.protect = protect,
		.attributes = attributes,
		.file = file,
		.inherit = object && object->Attributes & OBJ_INHERIT,
		.existed = &existed,
	};
	HANDLE handle;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	if (!wr_writable(section, sizeof(*section)))
		return STATUS_ACCESS_VIOLATION;

	status = create_by_nt(&request, object, &handle);
	if (NT_SUCCESS(status))
		*section = handle;

	return status;
}

NTSTATUS NTAPI NtOpenSection(PHANDLE section, ACCESS_MASK access,
			     POBJECT_ATTRIBUTES object)
{
	const struct wr_name *name;
	struct wr_name buffer;
	NTSTATUS status;
	HANDLE handle;

	WR_KEEP_ERRNO();

	if (!wr_writable(section, sizeof(*section)))
		return STATUS_ACCESS_VIOLATION;
	if (!object)
		return STATUS_INVALID_PARAMETER;
	status = nt_name(object, &buffer, &name);
	if (status == STATUS_SUCCESS && !name)
		status = STATUS_OBJECT_PATH_SYNTAX_BAD;
	if (status == STATUS_SUCCESS)
		status = open_section(name, nt_rights(access),
				      object->Attributes & OBJ_INHERIT,
				      &handle);
	if (status == STATUS_SUCCESS)
		*section = handle;

	return status;
}

static ULONG attributes_of(const struct winregion_query_section *arg)
{
	ULONG attributes = SEC_COMMIT;

	if (arg->out_flags & WINREGION_SECTION_IMAGE)
		return SEC_FILE | (arg->out_protection == PAGE_READWRITE ?
					   SEC_IMAGE_NO_EXECUTE :
					   SEC_IMAGE);
	if (arg->out_flags & WINREGION_SECTION_FILE)
		attributes = SEC_FILE;
	else if (arg->out_flags & WINREGION_SECTION_RESERVE)
		attributes = SEC_RESERVE;
	if (arg->out_flags & WINREGION_SECTION_NOCACHE)
		attributes |= SEC_NOCACHE;
	if (arg->out_flags & WINREGION_SECTION_WRITECOMBINE)
		attributes |= SEC_WRITECOMBINE;

	return attributes;
}

static NTSTATUS query_section(const struct wr_object *object,
			      SECTION_BASIC_INFORMATION *info)
{
	struct winregion_query_section arg = { .size = sizeof(arg) };
	int err = wr_section_ioctl(object->fd, WINREGION_QUERY_SECTION, &arg);

	/* Rule CM-49 */
	if (err)
		return wr_status(WR_CREATE_SECTION, err);

	*info = (SECTION_BASIC_INFORMATION){
		.Attributes = attributes_of(&arg),
		.Size.QuadPart = arg.out_length,
	};

	return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtQuerySection(HANDLE section,
			      SECTION_INFORMATION_CLASS information_class,
			      PVOID buffer, SIZE_T length,
			      PSIZE_T return_length)
{
	SECTION_BASIC_INFORMATION info;
	struct wr_object *object;
	NTSTATUS status;
	DWORD access;

	if (information_class == SectionImageInformation)
		return STATUS_SECTION_NOT_IMAGE;
	if (information_class != SectionBasicInformation)
		return STATUS_INVALID_INFO_CLASS;
	if (length < sizeof(info))
		return STATUS_INFO_LENGTH_MISMATCH;
	if (!wr_writable(buffer, sizeof(info)) ||
	    (return_length &&
	     !wr_writable(return_length, sizeof(*return_length))))
		return STATUS_ACCESS_VIOLATION;

	status = wr_handle_get(section, &wr_section_kind, &object, &access);
	if (status != STATUS_SUCCESS)
		return status;
	status = query_section(object, &info);
	wr_object_put(object);
	if (status == STATUS_SUCCESS) {
		memcpy(buffer, &info, sizeof(info));
		if (return_length)
			*return_length = sizeof(info);
	}

	return status;
}

/* Only a section of a file can grow, and not beyond the file. */
static NTSTATUS extend_section(const struct wr_object *object,
			       LARGE_INTEGER *size)
{
	struct winregion_query_section now = { .size = sizeof(now) };
	struct winregion_extend_section arg = {
		.size = sizeof(arg),
		.length = size->QuadPart,
	};
	int err = wr_section_ioctl(object->fd, WINREGION_EXTEND_SECTION, &arg);

	if (err == -EMEDIUMTYPE || err == -EFBIG)
		return STATUS_SECTION_NOT_EXTENDED;
	if (err)
		return wr_status(WR_CREATE_SECTION, err);
	if (!wr_section_ioctl(object->fd, WINREGION_QUERY_SECTION, &now))
		size->QuadPart = now.out_length;

	return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtExtendSection(HANDLE section, PLARGE_INTEGER size)
{
	struct wr_object *object;
	NTSTATUS status;
	DWORD access;

	if (!wr_writable(size, sizeof(*size)))
		return STATUS_ACCESS_VIOLATION;
	status = wr_handle_get(section, &wr_section_kind, &object, &access);
	if (status != STATUS_SUCCESS)
		return status;
	if (access & SECTION_EXTEND_SIZE)
		status = extend_section(object, size);
	else
		status = STATUS_ACCESS_DENIED;
	wr_object_put(object);

	return status;
}
