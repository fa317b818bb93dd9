// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is an output pointer good?
 *
 * Windows answers a bad output pointer with an error and changes nothing, so
 * the pointer has to be looked at before the call (rule VP-04, and item 7 of the
 * order of checks). Touching it would kill the program. Asking the kernel costs
 * a system call, which VirtualProtect() must not pay each time: so a pointer
 * that leads a little above our own stack frame, where the callers' local
 * variables are, is taken for good. Only a stray pointer to just above the
 * outermost frame of a thread could deceive that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* How far above our frame memory is sure to be stack */
#define NEAR 4096

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
int wr_writable(const void *pointer, size_t length)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	uintptr_t first = (uintptr_t)pointer;

	if (first - frame < NEAR)
		return 1;

	return first && word_is_writable(first) &&
	       word_is_writable(first + length - 1);
}
