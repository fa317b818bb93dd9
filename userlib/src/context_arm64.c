// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * CONTEXT of arm64: as context.c, which is for x86-64
 *
 * No instruction goes somewhere with all registers as they are to be there. So a context
 * is loaded as the kernel ends a signal handler: by what it would have put on the stack.
 */
#ifdef __aarch64__

#define _GNU_SOURCE
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "context.h"

/* What a context has that is taken from the processor or a signal */
#define TAKEN (CONTEXT_FULL | CONTEXT_ARM64_X18)

/* Of the processor's state, what a program may change: the flags */
#define FLAGS 0xf0000000U
/* ... and what the last jump was, which is over if it goes on elsewhere */
#define JUMPED 0x00000c00U

/* The size that the kernel has a mask of signals in */
#define MASK_BYTES 8

/* ---- the processor ---- */

/* Assembly code is not C. */
/* clang-format off */

_Static_assert(TAKEN == 0x400017, "the assembly code knows it");
_Static_assert(sizeof(CONTEXT) == 912, "the assembly code knows it");

/*
 * Registers but sp and pc go to the CONTEXT at @base; x16 and x17 are others then, which
 * no function finds as its caller has left them.
 */
#define SAVE_REGISTERS(base) \
	"	stp	x0, x1, [" base ", #8]\n" \
	"	stp	x2, x3, [" base ", #24]\n" \
	"	stp	x4, x5, [" base ", #40]\n" \
	"	stp	x6, x7, [" base ", #56]\n" \
	"	stp	x8, x9, [" base ", #72]\n" \
	"	stp	x10, x11, [" base ", #88]\n" \
	"	stp	x12, x13, [" base ", #104]\n" \
	"	stp	x14, x15, [" base ", #120]\n" \
	"	stp	x16, x17, [" base ", #136]\n" \
	"	stp	x18, x19, [" base ", #152]\n" \
	"	stp	x20, x21, [" base ", #168]\n" \
	"	stp	x22, x23, [" base ", #184]\n" \
	"	stp	x24, x25, [" base ", #200]\n" \
	"	stp	x26, x27, [" base ", #216]\n" \
	"	str	x28, [" base ", #232]\n" \
	"	stp	x29, x30, [" base ", #240]\n" \
	"	mov	w16, #0x17\n" \
	"	movk	w16, #0x40, lsl #16\n" \
	"	mrs	x17, nzcv\n" \
	"	stp	w16, w17, [" base "]\n" \
	"	stp	q0, q1, [" base ", #272]\n" \
	"	stp	q2, q3, [" base ", #304]\n" \
	"	stp	q4, q5, [" base ", #336]\n" \
	"	stp	q6, q7, [" base ", #368]\n" \
	"	stp	q8, q9, [" base ", #400]\n" \
	"	stp	q10, q11, [" base ", #432]\n" \
	"	stp	q12, q13, [" base ", #464]\n" \
	"	stp	q14, q15, [" base ", #496]\n" \
	"	stp	q16, q17, [" base ", #528]\n" \
	"	stp	q18, q19, [" base ", #560]\n" \
	"	stp	q20, q21, [" base ", #592]\n" \
	"	stp	q22, q23, [" base ", #624]\n" \
	"	stp	q24, q25, [" base ", #656]\n" \
	"	stp	q26, q27, [" base ", #688]\n" \
	"	stp	q28, q29, [" base ", #720]\n" \
	"	stp	q30, q31, [" base ", #752]\n" \
	"	mrs	x16, fpcr\n" \
	"	mrs	x17, fpsr\n" \
	"	str	w16, [" base ", #784]\n" \
	"	str	w17, [" base ", #788]\n"

/* As the caller has them once the call has returned. "hint #34": a jump may lead here. */
__asm__(".pushsection .text\n"
	".globl	RtlCaptureContext\n"
	".type	RtlCaptureContext, %function\n"
	"RtlCaptureContext:\n"
	"	.cfi_startproc\n"
	"	hint	#34\n"
	SAVE_REGISTERS("x0")
	"	mov	x16, sp\n"
	"	stp	x16, x30, [x0, #256]\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size	RtlCaptureContext, . - RtlCaptureContext\n"
	".popsection\n");

/*
 * The context is that of the return, so that going on is to return, with what handlers
 * have changed. It is on the stack here, where x29 and x30 in it are a frame's, too.
 */
__asm__(".pushsection .text\n"
	".globl	RaiseException\n"
	".type	RaiseException, %function\n"
	"RaiseException:\n"
	"	.cfi_startproc\n"
	"	hint	#34\n"
	"	sub	sp, sp, #912\n"
	"	.cfi_def_cfa_offset 912\n"
	SAVE_REGISTERS("sp")
	"	.cfi_offset x29, -672\n"
	"	.cfi_offset x30, -664\n"
	"	add	x16, sp, #912\n"
	"	stp	x16, x30, [sp, #256]\n"
	"	add	x29, sp, #240\n"
	"	mov	x4, sp\n"
	"	bl	wr_raise\n"
	"	mov	x0, sp\n"
	"	bl	wr_context_load\n"
	"	brk	#0\n"
	"	.cfi_endproc\n"
	".size	RaiseException, . - RaiseException\n"
	".popsection\n");

/* clang-format on */

/* ---- what goes from one context into another ---- */

void wr_context_complete(CONTEXT *context)
{
	memset(context->Bcr, 0, sizeof(*context) - offsetof(CONTEXT, Bcr));
}

/* The parts that @from has. x29 and x30 are of the frame, and so of the control. */
void wr_context_merge(CONTEXT *to, const CONTEXT *from)
{
	if (wr_context_has(from, CONTEXT_CONTROL)) {
		to->Cpsr = from->Cpsr;
		to->Fp = from->Fp;
		to->Lr = from->Lr;
		to->Sp = from->Sp;
		to->Pc = from->Pc;
	}
	if (wr_context_has(from, CONTEXT_INTEGER)) {
		memcpy(&to->X0, &from->X0, 18 * sizeof(from->X0));
		memcpy(&to->X19, &from->X19, 10 * sizeof(from->X19));
	}
	if (wr_context_has(from, CONTEXT_ARM64_X18))
		to->X18 = from->X18;
	if (wr_context_has(from, CONTEXT_FLOATING_POINT)) {
		memcpy(to->V, from->V, sizeof(to->V));
		to->Fpcr = from->Fpcr;
		to->Fpsr = from->Fpsr;
	}
}

VOID NTAPI RtlRestoreContext(PCONTEXT context, PEXCEPTION_RECORD record)
{
	CONTEXT now;

	(void)record;
	RtlCaptureContext(&now);
	wr_context_merge(&now, context);
	/* Where to go on cannot be left out. */
	now.Cpsr = context->Cpsr;
	now.Fp = context->Fp;
	now.Lr = context->Lr;
	now.Sp = context->Sp;
	now.Pc = context->Pc;
	wr_context_load(&now);
}

/* ---- signals ---- */

_Static_assert(sizeof(((CONTEXT *)0)->V) ==
		       sizeof(((struct fpsimd_context *)0)->vregs),
	       "they are copied as a whole");

/* Record @magic of those behind the registers, or NULL */
static struct _aarch64_ctx *find_record(const ucontext_t *from, uint32_t magic)
{
	char *at = (char *)(uintptr_t)from->uc_mcontext.__reserved;
	struct _aarch64_ctx *head = (struct _aarch64_ctx *)at;

	while (head->magic && head->magic != magic) {
		at += head->size;
		head = (struct _aarch64_ctx *)at;
	}

	return head->magic ? head : NULL;
}

uint64_t wr_signal_syndrome(const ucontext_t *from)
{
	const struct _aarch64_ctx *record = find_record(from, ESR_MAGIC);

	return record ? ((const struct esr_context *)record)->esr : 0;
}

void wr_context_of_signal(CONTEXT *context, const ucontext_t *from)
{
	const mcontext_t *regs = &from->uc_mcontext;
	const struct fpsimd_context *floats =
		(const struct fpsimd_context *)find_record(from, FPSIMD_MAGIC);

	memset(context, 0, sizeof(*context));
	context->ContextFlags = TAKEN;
	context->Cpsr = regs->pstate;
	memcpy(context->X, regs->regs, sizeof(context->X));
	context->Sp = regs->sp;
	context->Pc = regs->pc;
	if (!floats)
		return;
	memcpy(context->V, floats->vregs, sizeof(context->V));
	context->Fpcr = floats->fpcr;
	context->Fpsr = floats->fpsr;
}

static void control_to_signal(mcontext_t *regs, const CONTEXT *context)
{
	if (regs->pc != context->Pc)
		regs->pstate &= ~(uint64_t)JUMPED;
	regs->pstate &= ~(uint64_t)FLAGS;
	regs->pstate |= context->Cpsr & FLAGS;
	regs->regs[29] = context->Fp;
	regs->regs[30] = context->Lr;
	regs->sp = context->Sp;
	regs->pc = context->Pc;
}

/* Longer registers are there, too, the lower parts of which are taken from here. */
static void floats_to_signal(ucontext_t *to, const CONTEXT *context)
{
	struct fpsimd_context *floats =
		(struct fpsimd_context *)find_record(to, FPSIMD_MAGIC);

	if (!floats)
		return;
	memcpy(floats->vregs, context->V, sizeof(context->V));
	floats->fpcr = context->Fpcr;
	floats->fpsr = context->Fpsr;
}

void wr_context_to_signal(ucontext_t *to, const CONTEXT *context)
{
	mcontext_t *regs = &to->uc_mcontext;

	if (wr_context_has(context, CONTEXT_CONTROL))
		control_to_signal(regs, context);
	if (wr_context_has(context, CONTEXT_INTEGER)) {
		memcpy(&regs->regs[0], &context->X0, 18 * sizeof(context->X0));
		memcpy(&regs->regs[19], &context->X19,
		       10 * sizeof(context->X19));
	}
	if (wr_context_has(context, CONTEXT_ARM64_X18))
		regs->regs[18] = context->X18;
	if (wr_context_has(context, CONTEXT_FLOATING_POINT))
		floats_to_signal(to, context);
}

/* ---- going on ---- */

/* What the kernel puts on a stack for a signal */
struct frame {
	siginfo_t info;
	ucontext_t context;
};

_Static_assert(offsetof(struct frame, context) == 128, "the kernel knows it");

/* The mask of signals and the other stack stay as they are. */
void wr_context_load(const CONTEXT *context)
{
	struct frame frame = { 0 };
	struct _aarch64_ctx *head =
		(struct _aarch64_ctx *)frame.context.uc_mcontext.__reserved;

	head->magic = FPSIMD_MAGIC;
	head->size = sizeof(struct fpsimd_context);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL,
		&frame.context.uc_sigmask, MASK_BYTES);
	sigaltstack(NULL, &frame.context.uc_stack);
	wr_context_to_signal(&frame.context, context);
	__asm__ volatile("mov sp, %0\n\t"
			 "mov x8, %1\n\t"
			 "svc #0\n\t"
			 "brk #0"
			 :
			 : "r"(&frame), "i"(SYS_rt_sigreturn)
			 : "memory", "x8");
	__builtin_unreachable();
}

#endif /* __aarch64__ */
