/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Going from one stack, or one place of a function, to another: switch.c, switch32.c of
 * i386, switch_arm64.c
 */
#ifndef _WINREGION_SWITCH_H
#define _WINREGION_SWITCH_H

#include <stddef.h>
#include <stdint.h>

#include <winregion/winregion.h>

#include <winregion/excpt.h>

struct wr_fiber;

/* Save where this stack is, and go on where that one was saved. */
void wr_fiber_switch(void **save, void *to)
	__attribute__((visibility("hidden")));

/* Below @top: as if it had been saved just before wr_fiber_run(@fiber) */
void *wr_fiber_frame(char *top, struct wr_fiber *fiber)
	__attribute__((visibility("hidden")));

/* fiber.c: what a fiber does, called from assembly code */
void wr_fiber_run(struct wr_fiber *fiber)
	__attribute__((used, visibility("hidden")));

/*
 * wr_thread_exit(), called where nothing tells of frames above: an unwinder finds the
 * end of the stack there.
 */
__attribute__((noreturn)) void wr_thread_leave(void);

/* threads.c: called from assembly code */
__attribute__((noreturn)) void wr_thread_exit(void);

/*
 * At the mark of a block winregion_try_mark() returns 0, and once more, with the phase,
 * for each of these: on the stack of the block ...
 */
void wr_try_jump(struct winregion_try *block, int phase)
	__attribute__((noreturn, visibility("hidden")));

/*
 * ... and on this stack. It returns by wr_try_answer(back, result), back being where the
 * registers of the caller are.
 */
LONG wr_try_ask(struct winregion_try *block, int phase, void **back)
	__attribute__((visibility("hidden")));
void wr_try_answer(PVOID back, LONG result)
	__attribute__((noreturn, visibility("hidden")));

#if defined(__x86_64__) || defined(__i386__)

/* The control words of both kinds of floating point */
static inline void wr_floats_now(uint32_t *mxcsr, uint16_t *control)
{
	__asm__ volatile("stmxcsr %0" : "=m"(*mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(*control));
}

#endif

#endif /* _WINREGION_SWITCH_H */
