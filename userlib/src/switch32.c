// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * As switch.c, which is for x86-64: i386, with arguments on the stack
 */
#ifdef __i386__

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
	"	movl 4(%esp), %eax\n"
	"	movl 8(%esp), %edx\n"
	"	pushl %ebp\n"
	"	pushl %ebx\n"
	"	pushl %edi\n"
	"	pushl %esi\n"
	"	subl $8, %esp\n"
	"	stmxcsr (%esp)\n"
	"	fnstcw 4(%esp)\n"
	"	movl %esp, (%eax)\n"
	"	movl %edx, %esp\n"
	"	ldmxcsr (%esp)\n"
	"	fldcw 4(%esp)\n"
	"	addl $8, %esp\n"
	"	popl %esi\n"
	"	popl %edi\n"
	"	popl %ebx\n"
	"	popl %ebp\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size wr_fiber_switch, .-wr_fiber_switch\n"
	/* The first switch returns to here, with the fiber in esi. */
	".globl wr_fiber_begin\n"
	".hidden wr_fiber_begin\n"
	".type wr_fiber_begin, @function\n"
	"wr_fiber_begin:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined eip\n"
	"	andl $-16, %esp\n"
	"	subl $12, %esp\n"
	"	pushl %esi\n"
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
	"	.cfi_undefined eip\n"
	"	subl $12, %esp\n"
	"	.cfi_adjust_cfa_offset 12\n"
	"	call wr_thread_exit\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	".size wr_thread_leave, .-wr_thread_leave\n"
	".popsection\n");

/* ---- blocks ---- */

_Static_assert(offsetof(struct winregion_try, mxcsr) == 32, "known below");
_Static_assert(offsetof(struct winregion_try, control_word) == 36, "known below");

__asm__(".pushsection .text\n"
	".globl	winregion_try_mark\n"
	".type	winregion_try_mark, @function\n"
	"winregion_try_mark:\n"
	"	.cfi_startproc\n"
	"	endbr32\n"
	"	movl	4(%esp), %ecx\n"
	"	movl	%ebx, (%ecx)\n"
	"	movl	%ebp, 4(%ecx)\n"
	"	movl	%esi, 8(%ecx)\n"
	"	movl	%edi, 12(%ecx)\n"
	"	leal	4(%esp), %eax\n"
	"	movl	%eax, 16(%ecx)\n"
	"	movl	(%esp), %eax\n"
	"	movl	%eax, 20(%ecx)\n"
	"	stmxcsr	32(%ecx)\n"
	"	fnstcw	36(%ecx)\n"
	"	xorl	%eax, %eax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size	winregion_try_mark, . - winregion_try_mark\n"
	".popsection\n");

/* The registers of the block at ecx, without esp; then to the place at its mark */
#define ENTER_BLOCK \
	"	movl	(%ecx), %ebx\n" \
	"	movl	4(%ecx), %ebp\n" \
	"	movl	8(%ecx), %esi\n" \
	"	movl	12(%ecx), %edi\n" \
	"	ldmxcsr	32(%ecx)\n" \
	"	fldcw	36(%ecx)\n" \
	"	jmp	*20(%ecx)\n"

__asm__(".pushsection .text\n"
	".globl	wr_try_jump\n"
	".hidden wr_try_jump\n"
	".type	wr_try_jump, @function\n"
	"wr_try_jump:\n"
	"	.cfi_startproc\n"
	"	movl	4(%esp), %ecx\n"
	"	movl	8(%esp), %eax\n"
	"	movl	16(%ecx), %esp\n" ENTER_BLOCK
	"	.cfi_endproc\n"
	".size	wr_try_jump, . - wr_try_jump\n"
	".popsection\n");

/*
 * Behind its mark the function removes the arguments of that call, and of some before
 * it, from the stack: so there are 1024 bytes for it to remove.
 */
__asm__(".pushsection .text\n"
	".globl	wr_try_ask\n"
	".hidden wr_try_ask\n"
	".type	wr_try_ask, @function\n"
	"wr_try_ask:\n"
	"	.cfi_startproc\n"
	"	movl	4(%esp), %ecx\n"
	"	movl	8(%esp), %eax\n"
	"	movl	12(%esp), %edx\n"
	"	pushl	%ebx\n"
	"	pushl	%ebp\n"
	"	pushl	%esi\n"
	"	pushl	%edi\n"
	"	subl	$8, %esp\n"
	"	stmxcsr	(%esp)\n"
	"	fnstcw	4(%esp)\n"
	"	movl	%esp, (%edx)\n"
	"	subl	$1024, %esp\n"
	"	andl	$-16, %esp\n" ENTER_BLOCK
	"	.cfi_endproc\n"
	".size	wr_try_ask, . - wr_try_ask\n"
	".globl	wr_try_answer\n"
	".hidden wr_try_answer\n"
	".type	wr_try_answer, @function\n"
	"wr_try_answer:\n"
	"	.cfi_startproc\n"
	"	movl	8(%esp), %eax\n"
	"	movl	4(%esp), %esp\n"
	"	ldmxcsr	(%esp)\n"
	"	fldcw	4(%esp)\n"
	"	addl	$8, %esp\n"
	"	popl	%edi\n"
	"	popl	%esi\n"
	"	popl	%ebp\n"
	"	popl	%ebx\n"
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
	void *esi, *edi, *ebx, *ebp;
	void (*eip)(void);
	void *end;
};

/* The stack pointer is a multiple of 16 where wr_fiber_begin() calls. */
void *wr_fiber_frame(char *top, struct wr_fiber *fiber)
{
	struct frame *frame = (struct frame *)(top - 8 - sizeof(*frame));

	wr_floats_now(&frame->mxcsr, &frame->control);
	frame->esi = fiber;
	frame->eip = wr_fiber_begin;

	return frame;
}

#endif /* __i386__ */
