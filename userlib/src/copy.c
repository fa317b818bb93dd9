// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ReadProcessMemory() and WriteProcessMemory(): copies that stop where memory cannot
 * be used
 *
 * In this process the source is looked at before anything is copied, so that nothing
 * is if a part of it is bad. Of the target as much is written as can be. Of another
 * process as much is read as can be.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

#include "process.h"

/* One call of the kernel's copies less than 2 GiB. */
#define MAX_COPY ((size_t)1 << 30)

#define HIGHEST ((uintptr_t)(WR_USER_END - 1))

#define COPY_PAGE ((size_t)4096)

typedef ssize_t vm_copy(pid_t pid, const struct iovec *local,
			unsigned long nr_local, const struct iovec *remote,
			unsigned long nr_remote, unsigned long flags);

/* By the program itself, page by page, where a sandbox has no call for it */
static size_t copy_pages(char *to, const char *from, size_t size)
{
	size_t done = 0, n;

	while (done < size) {
		n = COPY_PAGE - ((uintptr_t)(to + done) & (COPY_PAGE - 1));
		if (n > size - done)
			n = size - done;
		if (!wr_all_writable(to + done, n))
			break;
		memcpy(to + done, from + done, n);
		done += n;
	}

	return done;
}

/* How many bytes were copied. @copy: what reads from, or writes to, the remote one */
static size_t copy_all(const struct wr_target *target, vm_copy *copy,
		       char *local, char *remote, size_t size)
{
	pid_t pid = target->object ? target->pid : getpid();
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		size_t left = size - done;
		struct iovec ours = { local + done,
				      left < MAX_COPY ? left : MAX_COPY };
		struct iovec theirs = { remote + done, ours.iov_len };

		n = copy(pid, &ours, 1, &theirs, 1, 0);
		if (n < 0 && (errno == ENOSYS || errno == EPERM) &&
		    !target->object) {
			bool reads = copy == process_vm_readv;

			return done +
			       copy_pages(reads ? local + done : remote + done,
					  reads ? remote + done : local + done,
					  left);
		}
		if (n <= 0)
			break;
		done += n;
	}

	return done;
}

static bool is_outside(const void *address, size_t size)
{
	uintptr_t first = (uintptr_t)address;

	return first + size < first || first + size > HIGHEST;
}

/* What both refuse before they look at memory */
static NTSTATUS check(const void *address, size_t size, const SIZE_T *done)
{
	if (done && !wr_writable(done, sizeof(*done)))
		return STATUS_ACCESS_VIOLATION;
	if (is_outside(address, size))
		return STATUS_ACCESS_VIOLATION;

	return STATUS_SUCCESS;
}

/* What stopped it may be a guard, which is one no more. */
static size_t copy_to(const char *to, size_t size, size_t copied)
{
	if (copied < size)
		wr_all_writable(to + copied, 1);

	return copied;
}

static NTSTATUS tell(size_t copied, size_t size, SIZE_T *done)
{
	if (done)
		*done = copied;

	return copied == size ? STATUS_SUCCESS : STATUS_PARTIAL_COPY;
}

/*
 * The kernel goes by the process's number, and looks once more whether the caller may.
 * Another program that the process has run meanwhile is not meant.
 */
static NTSTATUS copy_other(const struct wr_target *target, vm_copy *copy,
			   char *local, char *remote, size_t size, SIZE_T *done)
{
	size_t copied;

	if (!wr_target_is_there(target))
		return STATUS_PROCESS_IS_TERMINATING;
	errno = 0;
	copied = copy_all(target, copy, local, remote, size);
	if (!copied && errno == EPERM)
		return STATUS_ACCESS_DENIED;
	if (!wr_target_is_there(target))
		return STATUS_PROCESS_IS_TERMINATING;

	return tell(copied, size, done);
}

/* @copy: what reads from, or writes to, the process */
static NTSTATUS copy_memory(const struct wr_target *target, vm_copy *copy,
			    char *to, char *from, size_t size, SIZE_T *done)
{
	bool reads = copy == process_vm_readv;
	char *remote = reads ? from : to, *local = reads ? to : from;
	NTSTATUS status = check(remote, size, done);
	size_t copied;

	if (status != STATUS_SUCCESS)
		return status;
	if ((!reads || !target->object) && !wr_all_readable(from, size))
		return tell(0, size, done);
	if (target->object)
		return copy_other(target, copy, local, remote, size, done);
	copied = copy_all(target, copy, local, remote, size);

	return tell(copy_to(to, size, copied), size, done);
}

/* The rights of rule PM-10 */
#define WRITE_RIGHTS (PROCESS_VM_WRITE | PROCESS_VM_OPERATION)

static NTSTATUS copy_in(HANDLE process, ACCESS_MASK rights, vm_copy *copy,
			char *to, char *from, size_t size, SIZE_T *done)
{
	struct wr_target target;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	status = wr_target_get(process, rights, &target);
	if (status != STATUS_SUCCESS)
		return status;
	status = copy_memory(&target, copy, to, from, size, done);
	wr_target_put(&target);

	return status;
}

NTSTATUS NTAPI NtReadVirtualMemory(HANDLE process, PVOID from, PVOID to,
				   SIZE_T size, PSIZE_T done)
{
	return copy_in(process, PROCESS_VM_READ, process_vm_readv, to, from,
		       size, done);
}

NTSTATUS NTAPI NtWriteVirtualMemory(HANDLE process, PVOID to, PVOID from,
				    SIZE_T size, PSIZE_T done)
{
	return copy_in(process, WRITE_RIGHTS, process_vm_writev, to, from, size,
		       done);
}

BOOL WINAPI ReadProcessMemory(HANDLE process, LPCVOID from, LPVOID to,
			      SIZE_T size, SIZE_T *done)
{
	return wr_succeeded(NtReadVirtualMemory(process, (PVOID)(uintptr_t)from,
						to, size, done));
}

/* The protection of all of it, or 0 if it has several. It needs no right to ask. */
static DWORD protection_of(const struct wr_target *target, const void *address,
			   size_t size)
{
	struct winregion_query query = {
		.size = sizeof(query),
		.address = (uintptr_t)address,
	};
	const struct winregion_run *run = &query.out;

	if (wr_target_ioctl(target, WINREGION_QUERY, &query) ||
	    run->state != WINREGION_STATE_COMMIT ||
	    query.address - run->address + size > run->length)
		return 0;

	return run->protection & ~(PAGE_NOCACHE | PAGE_WRITECOMBINE);
}

static bool is_code(DWORD protection)
{
	return protection == PAGE_EXECUTE || protection == PAGE_EXECUTE_READ;
}

/* Rule PM-06. Views that cannot be written get copies. */
static bool open_code(HANDLE process, void *address, size_t size, DWORD *old)
{
	return VirtualProtectEx(process, address, size, PAGE_EXECUTE_READWRITE,
				old) ||
	       VirtualProtectEx(process, address, size, PAGE_EXECUTE_WRITECOPY,
				old);
}

/* The last error of what is asked on the way is nobody's. */
static NTSTATUS write_code(HANDLE process, void *to, const void *from,
			   size_t size, SIZE_T *done)
{
	DWORD error = GetLastError(), old;
	NTSTATUS status = STATUS_ACCESS_VIOLATION;

	if (open_code(process, to, size, &old)) {
		status = NtWriteVirtualMemory(process, to,
					      (PVOID)(uintptr_t)from, size,
					      done);
		VirtualProtectEx(process, to, size, old, &old);
	}
	SetLastError(error);

	return status;
}

/* Of another process that is seen when nothing could be copied. */
static NTSTATUS write_other(const struct wr_target *target, HANDLE process,
			    void *to, const void *from, size_t size,
			    SIZE_T *done)
{
	SIZE_T copied = 0;
	NTSTATUS status = copy_other(target, process_vm_writev,
				     (char *)(uintptr_t)from, to, size,
				     &copied);

	if (status == STATUS_PARTIAL_COPY && !copied) {
		if (!is_code(protection_of(target, to, size)))
			return STATUS_ACCESS_VIOLATION;
		return write_code(process, to, from, size, done);
	}
	if (done && (status == STATUS_SUCCESS || status == STATUS_PARTIAL_COPY))
		*done = copied;

	return status;
}

/* Rules PM-05, PM-07: what begins with a page that cannot be written is refused. */
static NTSTATUS write_memory(const struct wr_target *target, HANDLE process,
			     void *to, const void *from, size_t size,
			     SIZE_T *done)
{
	NTSTATUS status = check(to, size, done);

	if (status != STATUS_SUCCESS)
		return status;
	if (!size || !wr_all_readable(from, size))
		return tell(0, size, done);
	if (target->object)
		return write_other(target, process, to, from, size, done);
	if (wr_all_writable(to, 1))
		return copy_memory(target, process_vm_writev, to,
				   (char *)(uintptr_t)from, size, done);
	if (!is_code(protection_of(target, to, size)))
		return STATUS_ACCESS_VIOLATION;

	return write_code(process, to, from, size, done);
}

BOOL WINAPI WriteProcessMemory(HANDLE process, LPVOID to, LPCVOID from,
			       SIZE_T size, SIZE_T *done)
{
	struct wr_target target;
	NTSTATUS status;

	WR_KEEP_ERRNO();

	status = wr_target_get(process, WRITE_RIGHTS, &target);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	status = write_memory(&target, process, to, from, size, done);
	wr_target_put(&target);

	return wr_succeeded(status);
}
