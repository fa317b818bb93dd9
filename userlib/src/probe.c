// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is an output pointer good?
 *
 * Windows answers a bad output pointer with an error and changes nothing, so
 * the pointer has to be looked at before the call (rule VP-04, and item 7 of the
 * order of checks). Touching it would kill the program. Asking the kernel costs
 * a system call, which VirtualProtect() must not pay each time: so what lies
 * above our own stack frame in the same page, where most local variables of the
 * callers are, is taken for good, as we have just written to that page.
 *
 * A good one can be bad after the call if it lies in the very pages which that
 * has changed. What was done is told nevertheless (rule M-14).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* Pages are at least as large as this, and a multiple of it. */
#define SMALLEST_PAGE 4096

/* The atomic operation of futexes works on words of this size. */
#define WORD_SIZE sizeof(uint32_t)

/*
 * "Add 0, and wake a waiter if the word was lower than the lowest number that
 * fits the field": it writes the word without changing it, answers EFAULT where
 * that cannot be done, and needs no right to trace ourselves. The first futex is
 * a word which nobody waits for; a waiter for the second one may be woken in
 * vain, as it must expect at any time.
 */
static int word_is_writable(uintptr_t address)
{
	const unsigned int op =
		FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_LT, 0x800);
	uint32_t nobody = 0;
	int saved_errno = errno;
	long woken;
	int fault;

	woken = syscall(SYS_futex, &nobody, FUTEX_WAKE_OP_PRIVATE, 0, 0,
			address & ~(WORD_SIZE - 1), op);
	fault = woken < 0 && errno == EFAULT;
	errno = saved_errno;

	return !fault;
}

/*
 * The structures that calls fill are smaller than a page, so the first and the
 * last byte speak for all.
 */
static int ask_kernel(uintptr_t first, size_t length)
{
	return word_is_writable(first) && word_is_writable(first + length - 1);
}

int wr_writable(const void *pointer, size_t length)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	uintptr_t page_end = (frame | (SMALLEST_PAGE - 1)) + 1;
	uintptr_t first = (uintptr_t)pointer;

	if (first >= frame && first < page_end && length <= page_end - first)
		return 1;

	return first && ask_kernel(first, length);
}

int wr_still_writable(const void *pointer, size_t length,
		      const struct wr_range *changed)
{
	uintptr_t first = (uintptr_t)pointer;
	uintptr_t start = (uintptr_t)changed->base;

	/* Of a whole region that was decommitted the size is not known. */
	if (first + length <= start ||
	    (changed->size && first >= start + changed->size))
		return 1;

	return ask_kernel(first, length);
}

/*
 * Rule GP-11: who looks at a guard page takes the guard. The last error is that of the
 * program's own calls.
 */
static void take_guard(uintptr_t address)
{
	DWORD error = GetLastError(), old;
	MEMORY_BASIC_INFORMATION info;

	if (VirtualQuery((LPCVOID)address, &info, sizeof(info)) &&
	    info.State == MEM_COMMIT && info.Protect & PAGE_GUARD)
		VirtualProtect((LPVOID)address, 1, info.Protect & ~PAGE_GUARD,
			       &old);
	SetLastError(error);
}

/*
 * "Change the mask of signals to this, in a way that there is none": the kernel reads
 * it first, and answers EFAULT where it cannot.
 */
static bool byte_is_readable(uintptr_t address)
{
	uintptr_t word = address & ~(uintptr_t)7;
	int saved_errno = errno;
	bool fault;

	/* At 0 there would be nothing to read, but there is behind it. */
	fault = syscall(SYS_rt_sigprocmask, -1, word ? word : 8, NULL, 8) < 0 &&
		errno == EFAULT;
	errno = saved_errno;
	if (fault)
		take_guard(address);

	return !fault;
}

/* In each page, from the first one on, until one is bad */
static bool all(uintptr_t first, size_t length, bool (*is_good)(uintptr_t))
{
	uintptr_t last = first + length - 1, at;

	if (last < first)
		return false;
	for (at = first; is_good(at);) {
		at = (at | (SMALLEST_PAGE - 1)) + 1;
		if (!at || at > last)
			return true;
	}

	return false;
}

static bool byte_is_writable(uintptr_t address)
{
	if (word_is_writable(address))
		return true;
	take_guard(address);

	return false;
}

bool wr_all_readable(const void *pointer, size_t length)
{
	return !length || all((uintptr_t)pointer, length, byte_is_readable);
}

bool wr_all_writable(const void *pointer, size_t length)
{
	return !length || all((uintptr_t)pointer, length, byte_is_writable);
}
