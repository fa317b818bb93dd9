// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ReadProcessMemory() and WriteProcessMemory(), of this process: copies that stop
 * where memory cannot be used
 *
 * The source is looked at before anything is copied, so that nothing is if a part of
 * it is bad. Of the target as much is written as can be.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

#include "internal.h"

/* One call of the kernel's copies less than 2 GiB. */
#define MAX_COPY ((size_t)1 << 30)

#define HIGHEST ((uintptr_t)0x7FFFFFFFFFFF)

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
static size_t copy_all(vm_copy *copy, char *local, char *remote, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		size_t left = size - done;
		struct iovec ours = { local + done,
				      left < MAX_COPY ? left : MAX_COPY };
		struct iovec theirs = { remote + done, ours.iov_len };

		n = copy(getpid(), &ours, 1, &theirs, 1, 0);
		if (n < 0 && (errno == ENOSYS || errno == EPERM)) {
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
static NTSTATUS check(HANDLE process, const void *address, size_t size,
		      const SIZE_T *done)
{
	if (process != GetCurrentProcess())
		return STATUS_INVALID_HANDLE;
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

/* @copy: what reads from, or writes to, the process */
static NTSTATUS copy_memory(HANDLE process, vm_copy *copy, char *to, char *from,
			    size_t size, SIZE_T *done)
{
	bool reads = copy == process_vm_readv;
	char *remote = reads ? from : to, *local = reads ? to : from;
	NTSTATUS status = check(process, remote, size, done);

	WR_KEEP_ERRNO();

	if (status != STATUS_SUCCESS)
		return status;
	if (!wr_all_readable(from, size))
		return tell(0, size, done);

	return tell(copy_to(to, size, copy_all(copy, local, remote, size)),
		    size, done);
}

NTSTATUS NTAPI NtReadVirtualMemory(HANDLE process, PVOID from, PVOID to,
				   SIZE_T size, PSIZE_T done)
{
	return copy_memory(process, process_vm_readv, to, from, size, done);
}

NTSTATUS NTAPI NtWriteVirtualMemory(HANDLE process, PVOID to, PVOID from,
				    SIZE_T size, PSIZE_T done)
{
	return copy_memory(process, process_vm_writev, to, from, size, done);
}

BOOL WINAPI ReadProcessMemory(HANDLE process, LPCVOID from, LPVOID to,
			      SIZE_T size, SIZE_T *done)
{
	return wr_succeeded(NtReadVirtualMemory(process, (PVOID)(uintptr_t)from,
						to, size, done));
}

/* The protection of all of it, or 0 if it has several */
static DWORD protection_of(const void *address, size_t size)
{
	MEMORY_BASIC_INFORMATION info;

	if (!VirtualQuery(address, &info, sizeof(info)) ||
	    info.State != MEM_COMMIT ||
	    (uintptr_t)address - (uintptr_t)info.BaseAddress + size >
		    info.RegionSize)
		return 0;

	return info.Protect & ~(PAGE_NOCACHE | PAGE_WRITECOMBINE);
}

static bool is_code(DWORD protection)
{
	return protection == PAGE_EXECUTE || protection == PAGE_EXECUTE_READ;
}

/* Rule PM-06. Views that cannot be written get copies. */
static bool open_code(void *address, size_t size, DWORD *old)
{
	return VirtualProtect(address, size, PAGE_EXECUTE_READWRITE, old) ||
	       VirtualProtect(address, size, PAGE_EXECUTE_WRITECOPY, old);
}

/* The last error of what is asked on the way is nobody's. */
static NTSTATUS write_code(HANDLE process, void *to, const void *from,
			   size_t size, SIZE_T *done)
{
	DWORD error = GetLastError(), old;
	NTSTATUS status = STATUS_ACCESS_VIOLATION;

	if (open_code(to, size, &old)) {
		status = NtWriteVirtualMemory(process, to,
					      (PVOID)(uintptr_t)from, size,
					      done);
		VirtualProtect(to, size, old, &old);
	}
	SetLastError(error);

	return status;
}

static bool has_code_only(void *to, size_t size)
{
	DWORD error = GetLastError();
	bool is = is_code(protection_of(to, size));

	SetLastError(error);

	return is;
}

/* Rules PM-05, PM-07: what begins with a page that cannot be written is refused. */
BOOL WINAPI WriteProcessMemory(HANDLE process, LPVOID to, LPCVOID from,
			       SIZE_T size, SIZE_T *done)
{
	NTSTATUS status = check(process, to, size, done);

	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	if (!size || !wr_all_readable(from, size))
		return wr_succeeded(tell(0, size, done));
	if (wr_all_writable(to, 1))
		return wr_succeeded(NtWriteVirtualMemory(process, to,
							 (PVOID)(uintptr_t)from,
							 size, done));
	if (!has_code_only(to, size))
		return wr_fail(ERROR_NOACCESS);

	return wr_succeeded(write_code(process, to, from, size, done));
}
