/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What exception_test says in instructions and registers of x86-64; exception_arm64.h
 * of arm64
 */
#ifndef _SELFTESTS_EXCEPTION_X86_H
#define _SELFTESTS_EXCEPTION_X86_H

/* Accesses of known length, which a handler can leave out */

static __attribute__((noinline)) unsigned char skip_read(const volatile void *addr)
{
	unsigned char value = 0xee;

	asm volatile("movb (%1), %%al" : "+a" (value) : "c" (addr) : "memory");
	return value;
}

static __attribute__((noinline)) void skip_write(volatile void *addr)
{
	asm volatile("movb %%al, (%0)" : : "c" (addr), "a" (77) : "memory");
}

#define SKIPPED_BYTES 2

static void leave_out_access(CONTEXT *context)
{
	context->Rip += SKIPPED_BYTES;
}

static void leave_out_call(CONTEXT *context)
{
	context->Rip = *(DWORD64 *)context->Rsp;
	context->Rsp += 8;
}

static void leave_out_of_signal(ucontext_t *context)
{
	context->uc_mcontext.gregs[REG_RIP] += SKIPPED_BYTES;
}

#define CONTEXT_IP Rip
#define CONTEXT_SP Rsp

/* Where an access to 0x8000000000000000 was, which the processor does not tell */
#define NO_ADDRESS (~0UL)

/* What the parts of a context are that is taken */
#define CONTEXT_TAKEN (CONTEXT_FULL | CONTEXT_SEGMENTS)

/* Instructions that raise exceptions: as many bytes each */

#define HAS_DIVISION 1
#define HAS_STEPS 1

static void divide_by_zero(void)
{
	int zero = 0, quotient = 10;

	asm volatile("cltd; idivl %%ecx" : "+a" (quotient) : "c" (zero)
		     : "edx");
}

static void illegal_instruction(void)
{
	asm volatile("ud2");
}

static void privileged_instruction(void)
{
	asm volatile("cli; nop");
}

static void breakpoint(void)
{
	asm volatile("1: int3; nop; 2:");
}

static void step(void)
{
	asm volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop; nop" : : :
		     "memory", "cc");
}

#define CONTROL_NOW 0x1f80
#define CONTROL_THEN (0x1f80 | 0x6000)

static void change_context(CONTEXT *context, const struct registers *to)
{
	context->Rax = to->changed[0];
	context->R15 = to->changed[1];
	context->Xmm5.Low = to->wide[0];
	context->Xmm5.High = to->wide[1];
	context->MxCsr = to->control;
}

static void read_context(const CONTEXT *context, struct registers *to)
{
	to->kept[0] = context->Rbx;
	to->kept[1] = context->R12;
	to->kept_low = context->Xmm7.Low;
	to->control = context->MxCsr & 0xffc0;
}

/*
 * With the first three of @in; what they and the others are then becomes @out. The frame
 * is the caller's: one may come back into it that has been left by a jump to there.
 */
static inline __attribute__((always_inline)) void
access_with(const struct registers *in, struct registers *out)
{
	asm volatile("movq %[rbx], %%rbx\n"
		     "movq %[r12], %%r12\n"
		     "movq %[xmm7], %%xmm7\n"
		     "xorl %%ecx, %%ecx\n"
		     "movb %%al, (%%rcx)\n"
		     "movq %%rax, %[rax]\n"
		     "movq %%r15, %[r15]\n"
		     "movdqu %%xmm5, %[wide]\n"
		     "movq %%xmm7, %[low]\n"
		     "movq %%rbx, %[rbx2]\n"
		     "movq %%r12, %[r122]\n"
		     "stmxcsr %[mxcsr]\n"
		     "ldmxcsr %[standard]\n"
		     : [rax] "=m" (out->changed[0]), [r15] "=m" (out->changed[1]),
		       [wide] "=m" (out->wide), [low] "=m" (out->kept_low),
		       [rbx2] "=m" (out->kept[0]), [r122] "=m" (out->kept[1]),
		       [mxcsr] "=m" (out->control)
		     : [rbx] "m" (in->kept[0]), [r12] "m" (in->kept[1]),
		       [xmm7] "m" (in->kept_low),
		       [standard] "m" ((uint32_t){ CONTROL_NOW })
		     : "rax", "rbx", "rcx", "r12", "r15", "xmm5", "xmm7",
		       "memory");
}

/* The same for RaiseException(), of the first register and the low half of another */

static void change_raised(CONTEXT *context, uint64_t first, uint64_t low)
{
	context->Rbx = first;
	context->Xmm6.Low = low;
}

/* Return: what another register has become that was @kept */
static uint64_t raise_with(uint64_t kept, uint64_t *first, uint64_t *low)
{
	asm volatile("movq %%rsp, %%r13\n"
		     "andq $-16, %%rsp\n"
		     "movl $0xe0000002, %%edi\n"
		     "xorl %%esi, %%esi\n"
		     "xorl %%edx, %%edx\n"
		     "xorl %%ecx, %%ecx\n"
		     "call RaiseException\n"
		     "movq %%r13, %%rsp\n"
		     "movq %%rbx, %0\n"
		     "movq %%xmm6, %1\n"
		     : "=r" (*first), "=r" (*low), "+r" (kept) :
		     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9",
		       "r10", "r11", "r13", "xmm6", "memory", "cc");
	return kept;
}

#endif /* _SELFTESTS_EXCEPTION_X86_H */
