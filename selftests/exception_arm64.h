/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What exception_test says in instructions and registers of arm64: as exception_x86.h
 */
#ifndef _SELFTESTS_EXCEPTION_ARM64_H
#define _SELFTESTS_EXCEPTION_ARM64_H

/* Accesses, each of one instruction, which a handler can leave out */

static __attribute__((noinline)) unsigned char skip_read(const volatile void *addr)
{
	unsigned int value = 0xee;

	asm volatile("ldrb %w0, [%1]" : "+r" (value) : "r" (addr) : "memory");
	return value;
}

static __attribute__((noinline)) void skip_write(volatile void *addr)
{
	asm volatile("strb %w1, [%0]" : : "r" (addr), "r" (77) : "memory");
}

#define SKIPPED_BYTES 4

static void leave_out_access(CONTEXT *context)
{
	context->Pc += SKIPPED_BYTES;
}

static void leave_out_call(CONTEXT *context)
{
	context->Pc = context->Lr;
}

static void leave_out_of_signal(ucontext_t *context)
{
	context->uc_mcontext.pc += SKIPPED_BYTES;
}

#define CONTEXT_IP Pc
#define CONTEXT_SP Sp

/* Where an access to 0x8000000000000000 was: the highest byte is for the program. */
#define NO_ADDRESS 0UL

/* What the parts of a context are that is taken */
#define CONTEXT_TAKEN (CONTEXT_FULL | CONTEXT_ARM64_X18)

/* Instructions that raise exceptions. A division does not, nor can a program step. */

#define HAS_DIVISION 0
#define HAS_STEPS 0

static void divide_by_zero(void)
{
}

static void illegal_instruction(void)
{
	asm volatile("udf #0");
}

static void privileged_instruction(void)
{
	asm volatile("msr daifset, #2");
}

static void breakpoint(void)
{
	__debugbreak();
}

static void step(void)
{
}

/* How numbers are rounded: to the nearest, and to zero */
#define CONTROL_NOW 0
#define CONTROL_THEN 0xc00000

static void change_context(CONTEXT *context, const struct registers *to)
{
	context->X0 = to->changed[0];
	context->X17 = to->changed[1];
	context->V[5].Low = to->wide[0];
	context->V[5].High = to->wide[1];
	context->Fpcr = to->control;
}

static void read_context(const CONTEXT *context, struct registers *to)
{
	to->kept[0] = context->X19;
	to->kept[1] = context->X16;
	to->kept_low = context->V[7].Low;
	to->control = context->Fpcr;
}

/*
 * With the first three of @in; what they and the others are then becomes @out. The frame
 * is the caller's: one may come back into it that has been left by a jump to there.
 */
static inline __attribute__((always_inline)) void
access_with(const struct registers *in, struct registers *out)
{
	asm volatile("ldr x19, %[k0]\n"
		     "ldr x16, %[k1]\n"
		     "ldr d7, %[low]\n"
		     "mov x2, #0\n"
		     "strb w2, [x2]\n"
		     "str x0, %[c0]\n"
		     "str x17, %[c1]\n"
		     "str d7, %[low2]\n"
		     "str x19, %[k02]\n"
		     "str x16, %[k12]\n"
		     "umov x0, v5.d[0]\n"
		     "str x0, %[w0]\n"
		     "umov x0, v5.d[1]\n"
		     "str x0, %[w1]\n"
		     "mrs x0, fpcr\n"
		     "str w0, %[control]\n"
		     "msr fpcr, xzr\n"
		     : [c0] "=m" (out->changed[0]), [c1] "=m" (out->changed[1]),
		       [w0] "=m" (out->wide[0]), [w1] "=m" (out->wide[1]),
		       [low2] "=m" (out->kept_low), [k02] "=m" (out->kept[0]),
		       [k12] "=m" (out->kept[1]), [control] "=m" (out->control)
		     : [k0] "m" (in->kept[0]), [k1] "m" (in->kept[1]),
		       [low] "m" (in->kept_low)
		     : "x0", "x2", "x16", "x17", "x19", "v5", "v7", "memory");
}

/* The same for RaiseException(), of the first register and the low half of another */

static void change_raised(CONTEXT *context, uint64_t first, uint64_t low)
{
	context->X19 = first;
	context->V[6].Low = low;
}

/* Return: what another register has become that was @kept */
static uint64_t raise_with(uint64_t kept, uint64_t *first, uint64_t *low)
{
	register uint64_t x19 asm("x19"), x20 asm("x20") = kept;

	asm volatile("mov w0, #2\n"
		     "movk w0, #0xe000, lsl #16\n"
		     "mov w1, #0\n"
		     "mov w2, #0\n"
		     "mov x3, #0\n"
		     "bl RaiseException\n"
		     "umov x0, v6.d[0]\n"
		     "str x0, %[low]\n"
		     : "=r" (x19), "+r" (x20), [low] "=m" (*low) :
		     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8",
		       "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
		       "x17", "x18", "x30", "v0", "v1", "v2", "v3", "v4", "v5",
		       "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21",
		       "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",
		       "v30", "v31", "memory", "cc");
	*first = x19;
	return x20;
}

#endif /* _SELFTESTS_EXCEPTION_ARM64_H */
