// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * As fault.c, which is for x86: arm64
 */
#ifdef __aarch64__

#define _GNU_SOURCE
#include "context.h"

/* Of the processor's syndrome: what it is about, and for data whether of a write */
#define SYNDROME_CLASS(syndrome) ((syndrome) >> 26 & 0x3f)
#define CLASS_FETCH 0x20
#define CLASS_DATA 0x24
#define SYNDROME_WRITES 0x40
/* ... which the upkeep of a cache is, too */
#define SYNDROME_CACHE 0x100

ULONG_PTR wr_fault_access(const ucontext_t *context)
{
	uint64_t syndrome = wr_signal_syndrome(context);

	if (SYNDROME_CLASS(syndrome) == CLASS_FETCH)
		return EXCEPTION_EXECUTE_FAULT;
	if (SYNDROME_CLASS(syndrome) == CLASS_DATA &&
	    (syndrome & SYNDROME_WRITES) && !(syndrome & SYNDROME_CACHE))
		return EXCEPTION_WRITE_FAULT;
	return EXCEPTION_READ_FAULT;
}

/* System registers, calls of what is below the kernel, and the return from it */
static bool is_privileged(uint32_t code)
{
	return code >> 24 == 0xd5 || (code & 0xffe0001e) == 0xd4000002 ||
	       code == 0xd69f03e0;
}

/* They are all illegal to the kernel, and have been fetched. */
DWORD wr_fault_instruction(int sig, const ucontext_t *context)
{
	if (sig != SIGILL)
		return 0;
	return is_privileged(*(const uint32_t *)context->uc_mcontext.pc) ?
		       EXCEPTION_PRIV_INSTRUCTION :
		       EXCEPTION_ILLEGAL_INSTRUCTION;
}

/* The instruction has not been executed. */
void wr_fault_trap(EXCEPTION_RECORD *record, CONTEXT *context,
		   const siginfo_t *info)
{
	(void)context;
	if (info->si_code == TRAP_TRACE) {
		record->ExceptionCode = EXCEPTION_SINGLE_STEP;
		return;
	}
	record->ExceptionCode = EXCEPTION_BREAKPOINT;
	record->NumberParameters = 1;
}

#endif /* __aarch64__ */
