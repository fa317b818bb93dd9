// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Registers that a function keeps for its caller: what fibers are switched by, and
 * blocks entered
 */
#ifdef __x86_64__

#include "switch.h"

/* Assembly code is not C. */
/* clang-format off */

/* ---- fibers ---- */

__asm__(".pushsection .text\n"
	".globl wr_fiber_switch\n"
	".hidden wr_fiber_switch\n"
	".type wr_fiber_switch, @function\n"
	"wr_fiber_switch:\n"
	"	.cfi_startproc\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	subq $8, %rsp\n"
	"	stmxcsr (%rsp)\n"
	"	fnstcw 4(%rsp)\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	ldmxcsr (%rsp)\n"
	"	fldcw 4(%rsp)\n"
	"	addq $8, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size wr_fiber_switch, .-wr_fiber_switch\n"
	/* The first switch returns to here, with the fiber in r12. */
	".globl wr_fiber_begin\n"
	".hidden wr_fiber_begin\n"
	".type wr_fiber_begin, @function\n"
	"wr_fiber_begin:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n"
	"	movq %r12, %rdi\n"
	"	call wr_fiber_run\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	".size wr_fiber_begin, .-wr_fiber_begin\n"
	".popsection\n");

/* ---- threads ---- */

__asm__(".pushsection .text\n"
	".globl wr_thread_leave\n"
	".hidden wr_thread_leave\n"
	".type wr_thread_leave, @function\n"
	"wr_thread_leave:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n"
	"	subq $8, %rsp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	call wr_thread_exit\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	".size wr_thread_leave, .-wr_thread_leave\n"
	".popsection\n");

/* ---- blocks ---- */

_Static_assert(offsetof(struct winregion_try, mxcsr) == 64, "known below");
_Static_assert(offsetof(struct winregion_try, control_word) == 68, "known below");

/* 0, and once more for each wr_try_jump(), with the phase */
__asm__(".pushsection .text\n"
	".globl	winregion_try_mark\n"
	".type	winregion_try_mark, @function\n"
	"winregion_try_mark:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	movq	%rbx, (%rdi)\n"
	"	movq	%rbp, 8(%rdi)\n"
	"	movq	%r12, 16(%rdi)\n"
	"	movq	%r13, 24(%rdi)\n"
	"	movq	%r14, 32(%rdi)\n"
	"	movq	%r15, 40(%rdi)\n"
	"	leaq	8(%rsp), %rax\n"
	"	movq	%rax, 48(%rdi)\n"
	"	movq	(%rsp), %rax\n"
	"	movq	%rax, 56(%rdi)\n"
	"	stmxcsr	64(%rdi)\n"
	"	fnstcw	68(%rdi)\n"
	"	xorl	%eax, %eax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size	winregion_try_mark, . - winregion_try_mark\n"
	".popsection\n");

/* The registers of the block at rdi, without rsp; then to the place at its mark */
#define ENTER_BLOCK \
	"	movq	(%rdi), %rbx\n" \
	"	movq	8(%rdi), %rbp\n" \
	"	movq	16(%rdi), %r12\n" \
	"	movq	24(%rdi), %r13\n" \
	"	movq	32(%rdi), %r14\n" \
	"	movq	40(%rdi), %r15\n" \
	"	ldmxcsr	64(%rdi)\n" \
	"	fldcw	68(%rdi)\n" \
	"	jmpq	*56(%rdi)\n"

/* wr_try_jump(block, phase): on the stack of the block */
__asm__(".pushsection .text\n"
	".globl	wr_try_jump\n"
	".hidden wr_try_jump\n"
	".type	wr_try_jump, @function\n"
	"wr_try_jump:\n"
	"	.cfi_startproc\n"
	"	movl	%esi, %eax\n"
	"	movq	48(%rdi), %rsp\n" ENTER_BLOCK
	"	.cfi_endproc\n"
	".size	wr_try_jump, . - wr_try_jump\n"
	".popsection\n");

/*
 * wr_try_ask(block, phase, &back): on this stack. It returns by wr_try_answer(back,
 * result), back being where the registers of the caller are.
 */
__asm__(".pushsection .text\n"
	".globl	wr_try_ask\n"
	".hidden wr_try_ask\n"
	".type	wr_try_ask, @function\n"
	"wr_try_ask:\n"
	"	.cfi_startproc\n"
	"	pushq	%rbx\n"
	"	pushq	%rbp\n"
	"	pushq	%r12\n"
	"	pushq	%r13\n"
	"	pushq	%r14\n"
	"	pushq	%r15\n"
	"	subq	$8, %rsp\n"
	"	stmxcsr	(%rsp)\n"
	"	fnstcw	4(%rsp)\n"
	"	movq	%rsp, (%rdx)\n"
	"	movl	%esi, %eax\n" ENTER_BLOCK
	"	.cfi_endproc\n"
	".size	wr_try_ask, . - wr_try_ask\n"
	".globl	wr_try_answer\n"
	".hidden wr_try_answer\n"
	".type	wr_try_answer, @function\n"
	"wr_try_answer:\n"
	"	.cfi_startproc\n"
	"	movq	%rdi, %rsp\n"
	"	movl	%esi, %eax\n"
	"	ldmxcsr	(%rsp)\n"
	"	fldcw	4(%rsp)\n"
	"	addq	$8, %rsp\n"
	"	popq	%r15\n"
	"	popq	%r14\n"
	"	popq	%r13\n"
	"	popq	%r12\n"
	"	popq	%rbp\n"
	"	popq	%rbx\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size	wr_try_answer, . - wr_try_answer\n"
	".popsection\n");

/* clang-format on */

/* ---- a fiber's first switch ---- */

void wr_fiber_begin(void);

/* What wr_fiber_switch() finds on a stack, the lowest first */
struct frame {
	uint32_t mxcsr;
	uint16_t control;
	uint16_t unused;
	void *r15, *r14, *r13, *r12, *rbx, *rbp;
	void (*rip)(void);
	void *end;
};

/* The stack pointer is a multiple of 16 where wr_fiber_begin() calls. */
void *wr_fiber_frame(char *top, struct wr_fiber *fiber)
{
	struct frame *frame = (struct frame *)(top - 8 - sizeof(*frame));

	wr_floats_now(&frame->mxcsr, &frame->control);
	frame->r12 = fiber;
	frame->rip = wr_fiber_begin;

	return frame;
}

#endif /* __x86_64__ */
