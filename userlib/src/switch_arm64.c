// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * As switch.c, which is for x86-64: arm64
 *
 * A function keeps x19 to x28, x29, which leads from frame to frame, the lower halves of
 * v8 to v15, and the control of floating point. x30 is where it returns to.
 */
#ifdef __aarch64__

#include "switch.h"

/* Assembly code is not C. */
/* clang-format off */

/* What a function keeps, but for sp, goes to @base, which has 21 words for it. */
#define SAVE_KEPT(base) \
	"	stp	x19, x20, [" base ", #0]\n" \
	"	stp	x21, x22, [" base ", #16]\n" \
	"	stp	x23, x24, [" base ", #32]\n" \
	"	stp	x25, x26, [" base ", #48]\n" \
	"	stp	x27, x28, [" base ", #64]\n" \
	"	stp	x29, x30, [" base ", #80]\n" \
	"	stp	d8, d9, [" base ", #96]\n" \
	"	stp	d10, d11, [" base ", #112]\n" \
	"	stp	d12, d13, [" base ", #128]\n" \
	"	stp	d14, d15, [" base ", #144]\n" \
	"	mrs	x16, fpcr\n" \
	"	str	x16, [" base ", #160]\n"

#define LOAD_KEPT(base) \
	"	ldr	x16, [" base ", #160]\n" \
	"	msr	fpcr, x16\n" \
	"	ldp	x19, x20, [" base ", #0]\n" \
	"	ldp	x21, x22, [" base ", #16]\n" \
	"	ldp	x23, x24, [" base ", #32]\n" \
	"	ldp	x25, x26, [" base ", #48]\n" \
	"	ldp	x27, x28, [" base ", #64]\n" \
	"	ldp	x29, x30, [" base ", #80]\n" \
	"	ldp	d8, d9, [" base ", #96]\n" \
	"	ldp	d10, d11, [" base ", #112]\n" \
	"	ldp	d12, d13, [" base ", #128]\n" \
	"	ldp	d14, d15, [" base ", #144]\n"

/* On a stack they take a multiple of 16 bytes. "hint #34" is where a jump may lead to. */
#define PUSH_KEPT \
	"	sub	sp, sp, #176\n" \
	"	.cfi_adjust_cfa_offset 176\n" \
	SAVE_KEPT("sp")

#define POP_KEPT_AND_RETURN \
	LOAD_KEPT("sp") \
	"	add	sp, sp, #176\n" \
	"	ret\n"

/* ---- fibers ---- */

__asm__(".pushsection .text\n"
	".globl	wr_fiber_switch\n"
	".hidden wr_fiber_switch\n"
	".type	wr_fiber_switch, %function\n"
	"wr_fiber_switch:\n"
	"	.cfi_startproc\n"
	"	hint	#34\n"
	PUSH_KEPT
	"	mov	x16, sp\n"
	"	str	x16, [x0]\n"
	"	mov	sp, x1\n"
	POP_KEPT_AND_RETURN
	"	.cfi_endproc\n"
	".size	wr_fiber_switch, . - wr_fiber_switch\n"
	/* The first switch returns to here, with the fiber in x19. */
	".globl	wr_fiber_begin\n"
	".hidden wr_fiber_begin\n"
	".type	wr_fiber_begin, %function\n"
	"wr_fiber_begin:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined x30\n"
	"	mov	x0, x19\n"
	"	bl	wr_fiber_run\n"
	"	brk	#0\n"
	"	.cfi_endproc\n"
	".size	wr_fiber_begin, . - wr_fiber_begin\n"
	".popsection\n");

/* ---- threads ---- */

__asm__(".pushsection .text\n"
	".globl	wr_thread_leave\n"
	".hidden wr_thread_leave\n"
	".type	wr_thread_leave, %function\n"
	"wr_thread_leave:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined x30\n"
	"	bl	wr_thread_exit\n"
	"	brk	#0\n"
	"	.cfi_endproc\n"
	".size	wr_thread_leave, . - wr_thread_leave\n"
	".popsection\n");

/* ---- blocks ---- */

/* Behind the registers, the stack pointer */
#define BLOCK_SP 21

_Static_assert(offsetof(struct winregion_try, registers[BLOCK_SP]) == 168,
	       "known below");

/* 0, and once more for each wr_try_jump(), with the phase */
__asm__(".pushsection .text\n"
	".globl	winregion_try_mark\n"
	".type	winregion_try_mark, %function\n"
	"winregion_try_mark:\n"
	"	.cfi_startproc\n"
	"	hint	#34\n"
	SAVE_KEPT("x0")
	"	mov	x16, sp\n"
	"	str	x16, [x0, #168]\n"
	"	mov	w0, #0\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size	winregion_try_mark, . - winregion_try_mark\n"
	".popsection\n");

/* The registers of the block at x0, without sp; then to the place at its mark */
#define ENTER_BLOCK \
	LOAD_KEPT("x0") \
	"	mov	w0, w1\n" \
	"	ret\n"

__asm__(".pushsection .text\n"
	".globl	wr_try_jump\n"
	".hidden wr_try_jump\n"
	".type	wr_try_jump, %function\n"
	"wr_try_jump:\n"
	"	.cfi_startproc\n"
	"	hint	#34\n"
	"	ldr	x16, [x0, #168]\n"
	"	mov	sp, x16\n"
	ENTER_BLOCK
	"	.cfi_endproc\n"
	".size	wr_try_jump, . - wr_try_jump\n"
	".globl	wr_try_ask\n"
	".hidden wr_try_ask\n"
	".type	wr_try_ask, %function\n"
	"wr_try_ask:\n"
	"	.cfi_startproc\n"
	"	hint	#34\n"
	PUSH_KEPT
	"	mov	x16, sp\n"
	"	str	x16, [x2]\n"
	ENTER_BLOCK
	"	.cfi_endproc\n"
	".size	wr_try_ask, . - wr_try_ask\n"
	".globl	wr_try_answer\n"
	".hidden wr_try_answer\n"
	".type	wr_try_answer, %function\n"
	"wr_try_answer:\n"
	"	.cfi_startproc\n"
	"	hint	#34\n"
	"	mov	sp, x0\n"
	"	mov	w0, w1\n"
	POP_KEPT_AND_RETURN
	"	.cfi_endproc\n"
	".size	wr_try_answer, . - wr_try_answer\n"
	".popsection\n");

/* clang-format on */

/* ---- a fiber's first switch ---- */

void wr_fiber_begin(void);

/* What wr_fiber_switch() finds on a stack, the lowest first */
struct frame {
	void *x19;
	void *x20_to_x28[9];
	void *x29;
	void (*x30)(void);
	double d8_to_d15[8];
	uint64_t fpcr;
	uint64_t unused;
};

_Static_assert(sizeof(struct frame) == 176, "known above");

void *wr_fiber_frame(char *top, struct wr_fiber *fiber)
{
	struct frame *frame = (struct frame *)(top - sizeof(*frame));

	__asm__ volatile("mrs %0, fpcr" : "=r"(frame->fpcr));
	frame->x19 = fiber;
	frame->x30 = wr_fiber_begin;

	return frame;
}

#endif /* __aarch64__ */
