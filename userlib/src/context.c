// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * CONTEXT: the registers of a thread, as Windows lays them out
 *
 * Taken from the processor, or from what the kernel has put on the stack for a signal
 * handler, and brought back to either.
 */
#ifdef __x86_64__

#define _GNU_SOURCE
#include <string.h>
#include <ucontext.h>

#include "context.h"

/* What a context has that is taken from the processor or a signal */
#define TAKEN (CONTEXT_FULL | CONTEXT_SEGMENTS)

/* ---- the processor ---- */

/* Assembly code is not C. */
/* clang-format off */

_Static_assert(TAKEN == 0x10000f, "the assembly code knows it");
_Static_assert(sizeof(CONTEXT) == 1232, "the assembly code knows it");

/*
 * Registers but rsp, rip and rflags go to the CONTEXT at @base. rax has been saved
 * before it is used.
 */
#define SAVE_REGISTERS(base) \
	"	movl	$0x10000f, 0x30(" base ")\n" \
	"	stmxcsr	0x34(" base ")\n" \
	"	movq	%rax, 0x78(" base ")\n" \
	"	movq	%rcx, 0x80(" base ")\n" \
	"	movq	%rdx, 0x88(" base ")\n" \
	"	movq	%rbx, 0x90(" base ")\n" \
	"	movq	%rbp, 0xa0(" base ")\n" \
	"	movq	%rsi, 0xa8(" base ")\n" \
	"	movq	%rdi, 0xb0(" base ")\n" \
	"	movq	%r8, 0xb8(" base ")\n" \
	"	movq	%r9, 0xc0(" base ")\n" \
	"	movq	%r10, 0xc8(" base ")\n" \
	"	movq	%r11, 0xd0(" base ")\n" \
	"	movq	%r12, 0xd8(" base ")\n" \
	"	movq	%r13, 0xe0(" base ")\n" \
	"	movq	%r14, 0xe8(" base ")\n" \
	"	movq	%r15, 0xf0(" base ")\n" \
	"	fxsave64 0x100(" base ")\n" \
	"	movw	%cs, %ax\n" \
	"	movw	%ax, 0x38(" base ")\n" \
	"	movw	%ds, %ax\n" \
	"	movw	%ax, 0x3a(" base ")\n" \
	"	movw	%es, %ax\n" \
	"	movw	%ax, 0x3c(" base ")\n" \
	"	movw	%fs, %ax\n" \
	"	movw	%ax, 0x3e(" base ")\n" \
	"	movw	%gs, %ax\n" \
	"	movw	%ax, 0x40(" base ")\n" \
	"	movw	%ss, %ax\n" \
	"	movw	%ax, 0x42(" base ")\n"

/* As the caller has them once the call has returned, but for rax */
__asm__(".pushsection .text\n"
	".globl	RtlCaptureContext\n"
	".type	RtlCaptureContext, @function\n"
	"RtlCaptureContext:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	pushfq\n"
	"	.cfi_adjust_cfa_offset 8\n"
	SAVE_REGISTERS("%rdi")
	"	popq	%rax\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	movl	%eax, 0x44(%rdi)\n"
	"	leaq	8(%rsp), %rax\n"
	"	movq	%rax, 0x98(%rdi)\n"
	"	movq	(%rsp), %rax\n"
	"	movq	%rax, 0xf8(%rdi)\n"
	"	movq	0x78(%rdi), %rax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size	RtlCaptureContext, . - RtlCaptureContext\n"
	".popsection\n");

/*
 * The context is that of the return, so that going on is to return, with what handlers
 * have changed. It is on the stack here: 1232 bytes, flags, return address.
 */
__asm__(".pushsection .text\n"
	".globl	RaiseException\n"
	".type	RaiseException, @function\n"
	"RaiseException:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	pushfq\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	subq	$1232, %rsp\n"
	"	.cfi_adjust_cfa_offset 1232\n"
	SAVE_REGISTERS("%rsp")
	"	movl	1232(%rsp), %eax\n"
	"	movl	%eax, 0x44(%rsp)\n"
	"	movq	1240(%rsp), %rax\n"
	"	movq	%rax, 0xf8(%rsp)\n"
	"	leaq	1248(%rsp), %rax\n"
	"	movq	%rax, 0x98(%rsp)\n"
	"	movq	%rsp, %r8\n"
	"	call	wr_raise\n"
	"	movq	%rsp, %rdi\n"
	"	call	wr_context_load\n"
	"	hlt\n"
	"	.cfi_endproc\n"
	".size	RaiseException, . - RaiseException\n"
	".popsection\n");

/*
 * What cannot be loaded before the stack pointer is put below the new stack, and below
 * what a function may have there without telling.
 */
__asm__(".pushsection .text\n"
	".globl	wr_context_load\n"
	".hidden wr_context_load\n"
	".type	wr_context_load, @function\n"
	"wr_context_load:\n"
	"	.cfi_startproc\n"
	"	fxrstor64 0x100(%rdi)\n"
	"	ldmxcsr	0x34(%rdi)\n"
	"	movq	0x98(%rdi), %rax\n"
	"	subq	$160, %rax\n"
	"	movq	0x78(%rdi), %rcx\n"
	"	movq	%rcx, (%rax)\n"
	"	movq	0xb0(%rdi), %rcx\n"
	"	movq	%rcx, 8(%rax)\n"
	"	movl	0x44(%rdi), %ecx\n"
	"	movq	%rcx, 16(%rax)\n"
	"	movq	0xf8(%rdi), %rcx\n"
	"	movq	%rcx, 24(%rax)\n"
	"	movq	0x80(%rdi), %rcx\n"
	"	movq	0x88(%rdi), %rdx\n"
	"	movq	0x90(%rdi), %rbx\n"
	"	movq	0xa0(%rdi), %rbp\n"
	"	movq	0xa8(%rdi), %rsi\n"
	"	movq	0xb8(%rdi), %r8\n"
	"	movq	0xc0(%rdi), %r9\n"
	"	movq	0xc8(%rdi), %r10\n"
	"	movq	0xd0(%rdi), %r11\n"
	"	movq	0xd8(%rdi), %r12\n"
	"	movq	0xe0(%rdi), %r13\n"
	"	movq	0xe8(%rdi), %r14\n"
	"	movq	0xf0(%rdi), %r15\n"
	"	movq	%rax, %rsp\n"
	"	popq	%rax\n"
	"	popq	%rdi\n"
	"	popfq\n"
	"	ret	$128\n"
	"	.cfi_endproc\n"
	".size	wr_context_load, . - wr_context_load\n"
	".popsection\n");

/* clang-format on */

/* ---- what goes from one context into another ---- */

/* As Windows does it, MxCsr counts, and not that in FltSave. */
static void merge_floats(CONTEXT *to, const CONTEXT *from)
{
	DWORD mask = to->FltSave.MxCsr_Mask;

	to->FltSave = from->FltSave;
	to->FltSave.MxCsr_Mask = mask;
	to->MxCsr = wr_valid_mxcsr(from->MxCsr, mask);
	to->FltSave.MxCsr = to->MxCsr;
}

void wr_context_complete(CONTEXT *context)
{
	memset(context, 0, offsetof(CONTEXT, ContextFlags));
	memset(&context->Dr0, 0, 6 * sizeof(context->Dr0));
	memset(context->VectorRegister, 0,
	       sizeof(*context) - offsetof(CONTEXT, VectorRegister));
}

/* The parts that @from has. Segment registers are the kernel's. */
void wr_context_merge(CONTEXT *to, const CONTEXT *from)
{
	if (wr_context_has(from, CONTEXT_CONTROL)) {
		to->EFlags = from->EFlags;
		to->Rsp = from->Rsp;
		to->Rip = from->Rip;
	}
	if (wr_context_has(from, CONTEXT_INTEGER)) {
		to->Rax = from->Rax;
		to->Rcx = from->Rcx;
		to->Rdx = from->Rdx;
		to->Rbx = from->Rbx;
		to->Rbp = from->Rbp;
		to->Rsi = from->Rsi;
		to->Rdi = from->Rdi;
		memcpy(&to->R8, &from->R8, 8 * sizeof(from->R8));
	}
	if (wr_context_has(from, CONTEXT_FLOATING_POINT))
		merge_floats(to, from);
}

VOID NTAPI RtlRestoreContext(PCONTEXT context, PEXCEPTION_RECORD record)
{
	CONTEXT now;

	(void)record;
	RtlCaptureContext(&now);
	wr_context_merge(&now, context);
	/* Where to go on cannot be left out. */
	now.Rsp = context->Rsp;
	now.Rip = context->Rip;
	now.EFlags = context->EFlags;
	wr_context_load(&now);
}

/* ---- signals ---- */

#define XSTATE_X87_SSE 3

void wr_context_of_signal(CONTEXT *context, const ucontext_t *from)
{
	const greg_t *regs = from->uc_mcontext.gregs;
	uint64_t segments = regs[REG_CSGSFS];

	memset(context, 0, offsetof(CONTEXT, FltSave));
	memset(context->VectorRegister, 0,
	       sizeof(*context) - offsetof(CONTEXT, VectorRegister));
	context->ContextFlags = TAKEN;
	context->SegCs = segments;
	context->SegGs = segments >> 16;
	context->SegFs = segments >> 32;
	context->SegSs = segments >> 48;
	context->EFlags = regs[REG_EFL];
	context->Rax = regs[REG_RAX];
	context->Rcx = regs[REG_RCX];
	context->Rdx = regs[REG_RDX];
	context->Rbx = regs[REG_RBX];
	context->Rsp = regs[REG_RSP];
	context->Rbp = regs[REG_RBP];
	context->Rsi = regs[REG_RSI];
	context->Rdi = regs[REG_RDI];
	memcpy(&context->R8, &regs[REG_R8], 8 * sizeof(*regs));
	context->Rip = regs[REG_RIP];
	if (from->uc_mcontext.fpregs)
		memcpy(&context->FltSave, from->uc_mcontext.fpregs,
		       sizeof(context->FltSave));
	else
		memset(&context->FltSave, 0, sizeof(context->FltSave));
	context->MxCsr = context->FltSave.MxCsr;
}

_Static_assert(REG_R15 - REG_R8 == 7, "they are copied as a whole");
_Static_assert(sizeof(struct _libc_fpstate) == sizeof(XSAVE_FORMAT),
	       "so are these");

static void floats_to_signal(ucontext_t *to, const CONTEXT *context)
{
	struct _libc_fpstate *floats = to->uc_mcontext.fpregs;
	uint64_t *parts;
	CONTEXT now;

	if (!floats || (context->MxCsr == floats->mxcsr &&
			!memcmp(floats, &context->FltSave, WR_XSTATE_NOTE)))
		return;
	memcpy(&now.FltSave, floats, sizeof(now.FltSave));
	merge_floats(&now, context);
	memcpy(floats, &now.FltSave, WR_XSTATE_NOTE);
	parts = wr_xstate_parts(floats);
	if (parts)
		*parts |= XSTATE_X87_SSE;
}

void wr_context_to_signal(ucontext_t *to, const CONTEXT *context)
{
	greg_t *regs = to->uc_mcontext.gregs;

	if (wr_context_has(context, CONTEXT_CONTROL)) {
		regs[REG_EFL] = context->EFlags;
		regs[REG_RSP] = context->Rsp;
		regs[REG_RIP] = context->Rip;
	}
	if (wr_context_has(context, CONTEXT_INTEGER)) {
		regs[REG_RAX] = context->Rax;
		regs[REG_RCX] = context->Rcx;
		regs[REG_RDX] = context->Rdx;
		regs[REG_RBX] = context->Rbx;
		regs[REG_RBP] = context->Rbp;
		regs[REG_RSI] = context->Rsi;
		regs[REG_RDI] = context->Rdi;
		memcpy(&regs[REG_R8], &context->R8, 8 * sizeof(*regs));
	}
	if (wr_context_has(context, CONTEXT_FLOATING_POINT))
		floats_to_signal(to, context);
}

#endif /* __x86_64__ */
