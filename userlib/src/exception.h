/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files about exceptions share
 *
 *	sigaction.c	the program's own handlers of the signals that we need
 *	signal.c	signals become exceptions
 *	exception.c	who is asked about an exception
 *	try.c		... among them, the blocks of this thread
 *	overflow.c	whether it is the end of a stack that is no region
 *	fault.c		what the processor says of a fault; fault_arm64.c
 *	context.c	registers; context32.c of i386, context_arm64.c
 */
#ifndef _WINREGION_EXCEPTION_H
#define _WINREGION_EXCEPTION_H

#include <signal.h>
#include <ucontext.h>

#include <winregion/winregion.h>

#include "internal.h"
#include <winregion/errhandlingapi.h>
#include <winregion/excpt.h>

/* Of a variable of a thread: signal handlers may use it */
#define WR_ANY_TIME __attribute__((tls_model("initial-exec")))

/* Where a thread is, and its stack, in a CONTEXT */
#ifdef __i386__
#define WR_IP Eip
#define WR_SP Esp
#elif defined(__aarch64__)
#define WR_IP Pc
#define WR_SP Sp
#else
#define WR_IP Rip
#define WR_SP Rsp
#endif

/* context.c: from and to a signal's; the latter as far as @context has them */
void wr_context_of_signal(CONTEXT *context, const ucontext_t *from);
void wr_context_to_signal(ucontext_t *to, const CONTEXT *context);

/* context.c: @to with those parts of @from that it has */
void wr_context_merge(CONTEXT *to, const CONTEXT *from);

/* context.c: what assembly code has not filled in */
void wr_context_complete(CONTEXT *context);

/* context.c: go on with these registers */
void wr_context_load(const CONTEXT *context) __attribute__((noreturn));

#define PAGE_BYTES 0x1000UL

/* How far a frame may leap over the end of a stack */
#define LEAP_BYTES 0x10000UL

/* overflow.c: in a thread, before faults of it are asked about; of an access that failed */
void wr_overflow_begin(void);
bool wr_is_overflow(uintptr_t address, uintptr_t sp);

/* fault.c: what an access that has failed was, one of EXCEPTION_*_FAULT */
ULONG_PTR wr_fault_access(const ucontext_t *context);

/*
 * fault.c: which exception the instruction is that raised @sig, without the address of an
 * access; 0: none, it is such an access
 */
DWORD wr_fault_instruction(int sig, const ucontext_t *context);

/* fault.c: what SIGTRAP is about; @context becomes as Windows has it. */
void wr_fault_trap(EXCEPTION_RECORD *record, CONTEXT *context,
		   const siginfo_t *info);

/*
 * exception.c: ask all who want to know. @other: the alternate stack of the thread.
 * May leave by a jump to a block. Return: whether to go on with @pointers' context.
 */
bool wr_exception_dispatch(EXCEPTION_POINTERS *pointers, const stack_t *other);

/*
 * exception.c: ask the filter for what nobody handles. @other: as above. Return: as it
 * does.
 */
LONG wr_exception_unhandled(EXCEPTION_POINTERS *pointers, const stack_t *other);

/* exception.c: whether @address is on that stack, unless it is disabled */
bool wr_is_on_stack(const stack_t *stack, const void *address);

/*
 * exception.c: whether what was on the stack at @address has been left, as the stack
 * pointer is above that now, or on @other
 */
bool wr_is_over(const void *address, const void *sp, const stack_t *other);

/* exception.c: the second half of RaiseException(), whose first is in context.c */
void wr_raise(DWORD code, DWORD flags, DWORD nr_arguments,
	      const ULONG_PTR *arguments, CONTEXT *context);

/* try.c: ask the filters of the blocks, innermost first; as a filter's result */
LONG wr_try_search(EXCEPTION_POINTERS *pointers, const stack_t *other);

/* signal.c: exceptions are wanted from now on; by this thread on any stack */
void wr_exceptions_begin(void);

/* signal.c: end the process as the signal for the exception does */
void wr_exception_die(DWORD code) __attribute__((noreturn));

/*
 * sigaction.c: have signal @sig come to @handler, if it does not yet. What the program
 * does about it is kept apart from then on.
 */
void wr_signal_claim(int sig, void (*handler)(int, siginfo_t *, void *));

/* sigaction.c: what the program does; with @take as the kernel does for a delivery */
void wr_signal_action(int sig, struct sigaction *action, bool take);

/* sigaction.c: the signal has its default effect from now on */
void wr_signal_unclaim(int sig);

#endif /* _WINREGION_EXCEPTION_H */
