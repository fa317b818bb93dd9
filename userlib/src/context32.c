// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * CONTEXT of i386: as context.c, which is for x86-64
 *
 * Floating point is there twice: in FloatSave as fnsave has it, and in
 * ExtendedRegisters as fxsave has it, with the SSE registers. The former counts for
 * what both have; the kernel does the same with a signal's.
 */
#ifdef __i386__

#define _GNU_SOURCE
#include <string.h>
#include <ucontext.h>

#include "context.h"

#define FLOATS (CONTEXT_FLOATING_POINT | CONTEXT_EXTENDED_REGISTERS)

/* What a context has that is taken from the processor or a signal */
#define TAKEN (CONTEXT_FULL | FLOATS)

/* ---- the processor ---- */

/* Assembly code is not C. */
/* clang-format off */

_Static_assert(TAKEN == 0x1002f, "the assembly code knows it");
_Static_assert(sizeof(CONTEXT) == 716, "the assembly code knows it");

/*
 * Registers but esp, eip and eflags go to the CONTEXT at @base. eax has been saved
 * before it is used.
 */
#define SAVE_REGISTERS(base) \
	"	movl	$0x1002f, (" base ")\n" \
	"	movl	%edi, 156(" base ")\n" \
	"	movl	%esi, 160(" base ")\n" \
	"	movl	%ebx, 164(" base ")\n" \
	"	movl	%edx, 168(" base ")\n" \
	"	movl	%ebp, 180(" base ")\n" \
	"	xorl	%edx, %edx\n" \
	"	movw	%gs, %dx\n" \
	"	movl	%edx, 140(" base ")\n" \
	"	movw	%fs, %dx\n" \
	"	movl	%edx, 144(" base ")\n" \
	"	movw	%es, %dx\n" \
	"	movl	%edx, 148(" base ")\n" \
	"	movw	%ds, %dx\n" \
	"	movl	%edx, 152(" base ")\n" \
	"	movw	%cs, %dx\n" \
	"	movl	%edx, 188(" base ")\n" \
	"	movw	%ss, %dx\n" \
	"	movl	%edx, 200(" base ")\n"

/* As the caller has them once the call has returned, but for eax */
__asm__(".pushsection .text\n"
	".globl	RtlCaptureContext\n"
	".type	RtlCaptureContext, @function\n"
	"RtlCaptureContext:\n"
	"	.cfi_startproc\n"
	"	endbr32\n"
	"	pushfl\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	pushl	%eax\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	movl	12(%esp), %eax\n"
	"	movl	%ecx, 172(%eax)\n"
	SAVE_REGISTERS("%eax")
	"	popl	176(%eax)\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	popl	192(%eax)\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	movl	(%esp), %ecx\n"
	"	movl	%ecx, 184(%eax)\n"
	"	leal	4(%esp), %ecx\n"
	"	movl	%ecx, 196(%eax)\n"
	"	subl	$8, %esp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushl	%eax\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	call	wr_context_complete\n"
	"	addl	$12, %esp\n"
	"	.cfi_adjust_cfa_offset -12\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size	RtlCaptureContext, . - RtlCaptureContext\n"
	".popsection\n");

/*
 * The context is that of the return, so that going on is to return, with what handlers
 * have changed. It is on the stack here: 716 bytes, 8 for the alignment, flags, return
 * address, arguments. Each push moves the next argument to where the last one was.
 */
__asm__(".pushsection .text\n"
	".globl	RaiseException\n"
	".type	RaiseException, @function\n"
	"RaiseException:\n"
	"	.cfi_startproc\n"
	"	endbr32\n"
	"	pushfl\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	subl	$724, %esp\n"
	"	.cfi_adjust_cfa_offset 724\n"
	"	movl	%eax, 176(%esp)\n"
	"	movl	%ecx, 172(%esp)\n"
	SAVE_REGISTERS("%esp")
	"	movl	724(%esp), %eax\n"
	"	movl	%eax, 192(%esp)\n"
	"	movl	728(%esp), %eax\n"
	"	movl	%eax, 184(%esp)\n"
	"	leal	732(%esp), %eax\n"
	"	movl	%eax, 196(%esp)\n"
	"	movl	%esp, %eax\n"
	"	pushl	%eax\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	pushl	748(%esp)\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	pushl	748(%esp)\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	pushl	748(%esp)\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	pushl	748(%esp)\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	call	wr_raise\n"
	"	addl	$20, %esp\n"
	"	.cfi_adjust_cfa_offset -20\n"
	"	movl	%esp, %eax\n"
	"	pushl	%eax\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	call	wr_context_load\n"
	"	hlt\n"
	"	.cfi_endproc\n"
	".size	RaiseException, . - RaiseException\n"
	".popsection\n");

/* What cannot be loaded before the stack pointer is put below the new stack. */
__asm__(".pushsection .text\n"
	".globl	wr_context_load\n"
	".hidden wr_context_load\n"
	".type	wr_context_load, @function\n"
	"wr_context_load:\n"
	"	.cfi_startproc\n"
	"	movl	4(%esp), %eax\n"
	"	subl	$8, %esp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushl	%eax\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	call	wr_context_load_floats\n"
	"	popl	%eax\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	movl	196(%eax), %ecx\n"
	"	subl	$16, %ecx\n"
	"	movl	176(%eax), %edx\n"
	"	movl	%edx, (%ecx)\n"
	"	movl	172(%eax), %edx\n"
	"	movl	%edx, 4(%ecx)\n"
	"	movl	192(%eax), %edx\n"
	"	movl	%edx, 8(%ecx)\n"
	"	movl	184(%eax), %edx\n"
	"	movl	%edx, 12(%ecx)\n"
	"	movl	156(%eax), %edi\n"
	"	movl	160(%eax), %esi\n"
	"	movl	164(%eax), %ebx\n"
	"	movl	168(%eax), %edx\n"
	"	movl	180(%eax), %ebp\n"
	"	movl	%ecx, %esp\n"
	"	popl	%eax\n"
	"	popl	%ecx\n"
	"	popfl\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size	wr_context_load, . - wr_context_load\n"
	".popsection\n");

/* clang-format on */

/* The instructions want it aligned, and in a CONTEXT it is not. */
struct extended {
	XSAVE_FORMAT format;
};

_Static_assert(sizeof(struct extended) ==
		       sizeof(((CONTEXT *)0)->ExtendedRegisters),
	       "they are copied");

/* ... of @from, with the processor's mask */
static void copy_extended(XSAVE_FORMAT *to, const BYTE *from, DWORD mask)
{
	memcpy(to, from, sizeof(*to));
	to->MxCsr_Mask = mask;
	to->MxCsr = wr_valid_mxcsr(to->MxCsr, mask);
}

__attribute__((used)) void wr_context_complete(CONTEXT *context)
{
	struct extended now;

	/* fnsave leaves the registers empty. */
	__asm__ volatile("fxsave %0" : "=m"(now));
	__asm__ volatile("fnsave %0\n\tfrstor %0"
			 : "=m"(context->FloatSave)
			 :
			 : "memory");
	memcpy(context->ExtendedRegisters, &now, sizeof(now));
	context->FloatSave.Cr0NpxState = 0;
	memset(&context->Dr0, 0, 6 * sizeof(context->Dr0));
}

__attribute__((used, visibility("hidden"))) void
wr_context_load_floats(const CONTEXT *context)
{
	struct extended now;

	__asm__ volatile("fxsave %0" : "=m"(now));
	copy_extended(&now.format, context->ExtendedRegisters,
		      now.format.MxCsr_Mask);
	__asm__ volatile("fxrstor %0" : : "m"(now));
	__asm__ volatile("frstor %0" : : "m"(context->FloatSave));
}

/* ---- what goes from one context into another ---- */

/* The parts that @from has. Segment registers are the kernel's. */
void wr_context_merge(CONTEXT *to, const CONTEXT *from)
{
	if (wr_context_has(from, CONTEXT_CONTROL)) {
		to->Ebp = from->Ebp;
		to->Eip = from->Eip;
		to->EFlags = from->EFlags;
		to->Esp = from->Esp;
	}
	if (wr_context_has(from, CONTEXT_INTEGER)) {
		to->Edi = from->Edi;
		to->Esi = from->Esi;
		to->Ebx = from->Ebx;
		to->Edx = from->Edx;
		to->Ecx = from->Ecx;
		to->Eax = from->Eax;
	}
	if (wr_context_has(from, CONTEXT_FLOATING_POINT))
		to->FloatSave = from->FloatSave;
	if (wr_context_has(from, CONTEXT_EXTENDED_REGISTERS))
		memcpy(to->ExtendedRegisters, from->ExtendedRegisters,
		       sizeof(to->ExtendedRegisters));
}

VOID NTAPI RtlRestoreContext(PCONTEXT context, PEXCEPTION_RECORD record)
{
	CONTEXT now;

	(void)record;
	RtlCaptureContext(&now);
	wr_context_merge(&now, context);
	/* Where to go on cannot be left out. */
	now.Ebp = context->Ebp;
	now.Eip = context->Eip;
	now.EFlags = context->EFlags;
	now.Esp = context->Esp;
	wr_context_load(&now);
}

/* ---- signals ---- */

/* Of FloatSave, what a signal has at the same place */
#define FLOAT_BYTES offsetof(FLOATING_SAVE_AREA, Cr0NpxState)

_Static_assert(offsetof(struct _libc_fpstate, status) == FLOAT_BYTES,
	       "they are copied as a whole");

#define XSTATE_SSE 2

/* What is behind struct _libc_fpstate; every processor with 64 bits has it. */
static BYTE *extended_of(const ucontext_t *from)
{
	return (BYTE *)(from->uc_mcontext.fpregs + 1);
}

static void floats_of_signal(CONTEXT *context, const ucontext_t *from)
{
	if (!from->uc_mcontext.fpregs) {
		memset(&context->FloatSave, 0, sizeof(context->FloatSave));
		memset(context->ExtendedRegisters, 0,
		       sizeof(context->ExtendedRegisters));
		context->ContextFlags &= ~FLOATS | CONTEXT_i386;
		return;
	}
	memcpy(&context->FloatSave, from->uc_mcontext.fpregs, FLOAT_BYTES);
	context->FloatSave.Cr0NpxState = 0;
	memcpy(context->ExtendedRegisters, extended_of(from),
	       sizeof(context->ExtendedRegisters));
}

void wr_context_of_signal(CONTEXT *context, const ucontext_t *from)
{
	const greg_t *regs = from->uc_mcontext.gregs;

	context->ContextFlags = TAKEN;
	memset(&context->Dr0, 0, 6 * sizeof(context->Dr0));
	context->SegGs = regs[REG_GS] & 0xffff;
	context->SegFs = regs[REG_FS] & 0xffff;
	context->SegEs = regs[REG_ES] & 0xffff;
	context->SegDs = regs[REG_DS] & 0xffff;
	context->Edi = regs[REG_EDI];
	context->Esi = regs[REG_ESI];
	context->Ebx = regs[REG_EBX];
	context->Edx = regs[REG_EDX];
	context->Ecx = regs[REG_ECX];
	context->Eax = regs[REG_EAX];
	context->Ebp = regs[REG_EBP];
	context->Eip = regs[REG_EIP];
	context->SegCs = regs[REG_CS] & 0xffff;
	context->EFlags = regs[REG_EFL];
	context->Esp = regs[REG_ESP];
	context->SegSs = regs[REG_SS] & 0xffff;
	floats_of_signal(context, from);
}

static void extended_to_signal(ucontext_t *to, const CONTEXT *context)
{
	BYTE *extended = extended_of(to);
	uint64_t *parts = wr_xstate_parts(extended);
	struct extended new;
	DWORD mask;

	memcpy(&mask, extended + offsetof(XSAVE_FORMAT, MxCsr_Mask),
	       sizeof(mask));
	copy_extended(&new.format, context->ExtendedRegisters, mask);
	memcpy(extended, &new, WR_XSTATE_NOTE);
	if (parts)
		*parts |= XSTATE_SSE;
}

void wr_context_to_signal(ucontext_t *to, const CONTEXT *context)
{
	greg_t *regs = to->uc_mcontext.gregs;

	if (wr_context_has(context, CONTEXT_CONTROL)) {
		regs[REG_EBP] = context->Ebp;
		regs[REG_EIP] = context->Eip;
		regs[REG_EFL] = context->EFlags;
		regs[REG_ESP] = context->Esp;
	}
	if (wr_context_has(context, CONTEXT_INTEGER)) {
		regs[REG_EDI] = context->Edi;
		regs[REG_ESI] = context->Esi;
		regs[REG_EBX] = context->Ebx;
		regs[REG_EDX] = context->Edx;
		regs[REG_ECX] = context->Ecx;
		regs[REG_EAX] = context->Eax;
	}
	if (!to->uc_mcontext.fpregs)
		return;
	if (wr_context_has(context, CONTEXT_FLOATING_POINT))
		memcpy(to->uc_mcontext.fpregs, &context->FloatSave,
		       FLOAT_BYTES);
	if (wr_context_has(context, CONTEXT_EXTENDED_REGISTERS))
		extended_to_signal(to, context);
}

#endif /* __i386__ */
