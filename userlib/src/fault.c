// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the processor says of a fault, beside the kernel; fault_arm64.c of arm64
 */
#if defined(__x86_64__) || defined(__i386__)

#define _GNU_SOURCE
#include <string.h>

#include "exception.h"

#ifdef __i386__
#define REG_IP REG_EIP
#else
#define REG_IP REG_RIP
#endif

/* Bits of the error code of a page fault */
#define FAULT_WRITES 0x02
#define FAULT_FETCHES 0x10

#define EFLAGS_TRAP 0x100

/* More bytes the processor does not read. */
#define MAX_INSTRUCTION 15

ULONG_PTR wr_fault_access(const ucontext_t *context)
{
	greg_t error = context->uc_mcontext.gregs[REG_ERR];

	if (error & FAULT_WRITES)
		return EXCEPTION_WRITE_FAULT;
	if (error & FAULT_FETCHES)
		return EXCEPTION_EXECUTE_FAULT;
	return EXCEPTION_READ_FAULT;
}

/* Instructions that only the kernel may execute, and those that reach devices */
static bool is_privileged(const unsigned char *code)
{
	static const unsigned char alone[] = {
		0x6c, 0x6d, 0x6e, 0x6f, 0xe4, 0xe5, 0xe6, 0xe7,
		0xec, 0xed, 0xee, 0xef, 0xf4, 0xfa, 0xfb,
	};
	static const unsigned char after_0f[] = {
		0x01, 0x06, 0x08, 0x09, 0x20, 0x21, 0x22, 0x23, 0x30, 0x32,
	};
	const unsigned char *end = code + MAX_INSTRUCTION;

	if ((uint64_t)(ULONG_PTR)code >> 47) /* where no code can be */
		return false;
	while (*code == 0x66 || *code == 0xf2 || *code == 0xf3 ||
	       (!WR_32BIT && (*code & 0xf0) == 0x40))
		if (++code == end) /* the fault: there is none so long */
			return false;
	if (*code == 0x0f)
		return memchr(after_0f, code[1], sizeof(after_0f));
	return memchr(alone, *code, sizeof(alone));
}

DWORD wr_fault_instruction(int sig, const ucontext_t *context)
{
	if (sig == SIGILL)
		return EXCEPTION_ILLEGAL_INSTRUCTION;
	if (is_privileged((void *)context->uc_mcontext.gregs[REG_IP]))
		return EXCEPTION_PRIV_INSTRUCTION;
	return 0;
}

/* As Windows has it: int3 has not been executed, and stepping has ended. */
void wr_fault_trap(EXCEPTION_RECORD *record, CONTEXT *context,
		   const siginfo_t *info)
{
	if (info->si_code == TRAP_TRACE) {
		record->ExceptionCode = EXCEPTION_SINGLE_STEP;
		context->EFlags &= ~EFLAGS_TRAP;
		return;
	}
	record->ExceptionCode = EXCEPTION_BREAKPOINT;
	record->NumberParameters = 1;
	if (info->si_code == SI_KERNEL)
		context->WR_IP--;
}

#endif /* x86 */
