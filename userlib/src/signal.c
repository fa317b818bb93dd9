// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Signals of faults become exceptions
 *
 * What the kernel says of a fault is turned into a record and a context. If nobody goes
 * on with that, the program's own handler of the signal gets it, then the filter for
 * unhandled exceptions, and then it has its effect.
 *
 * The module tells why an access to a region has failed. What it does not tell of is an
 * access violation: memory of others, or what the processor has refused at once.
 *
 * An alternate stack is what an overflow of the stack takes. A thread gets one when it
 * asks for exceptions, unless it has one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exception.h"

/* The statuses as <winregion/nt.h> has them are signed, as codes they are not. */
#define CODE(name) ((DWORD)STATUS_##name)

#define STACK_BYTES 0x10000

/* What a function may touch below the stack pointer */
#define BELOW_BYTES 256

/* The size that the kernel has a mask of signals in */
#define MASK_BYTES 8

/* ---- exceptions ---- */

struct exception {
	EXCEPTION_RECORD record;
	CONTEXT context;
};

static void set_access(EXCEPTION_RECORD *record, DWORD code, ULONG_PTR access,
		       ULONG_PTR address)
{
	record->ExceptionCode = code;
	record->NumberParameters = 2;
	record->ExceptionInformation[0] = access;
	record->ExceptionInformation[1] = address;
}

static void set_in_page(EXCEPTION_RECORD *record, ULONG_PTR access,
			ULONG_PTR address, NTSTATUS status)
{
	set_access(record, CODE(IN_PAGE_ERROR), access, address);
	record->NumberParameters = 3;
	/* Signed, as a status is widened on Windows */
	record->ExceptionInformation[2] = (ULONG_PTR)(LONG_PTR)status;
}

/* By what the module says */
static void set_region_fault(EXCEPTION_RECORD *record, ULONG_PTR access,
			     ULONG_PTR address, __u32 reason)
{
	switch (reason) {
	case WINREGION_FAULT_GUARD:
		set_access(record, CODE(GUARD_PAGE_VIOLATION), access, address);
		break;
	case WINREGION_FAULT_STACK_OVERFLOW:
		set_access(record, CODE(STACK_OVERFLOW), access, address);
		break;
	case WINREGION_FAULT_IN_PAGE:
		set_in_page(record, access, address, STATUS_IO_DEVICE_ERROR);
		break;
	case WINREGION_FAULT_BEHIND_END:
		set_in_page(record, access, address, STATUS_END_OF_FILE);
		break;
	case WINREGION_FAULT_POISONED:
		set_in_page(record, access, address,
			    STATUS_HARDWARE_MEMORY_ERROR);
		break;
	default:
		set_access(record, CODE(ACCESS_VIOLATION), access, address);
	}
}

/* Without an address: one that no memory can have, or an instruction */
static void set_instruction_fault(EXCEPTION_RECORD *record, int sig,
				  const ucontext_t *context)
{
	DWORD code = wr_fault_instruction(sig, context);

	if (code)
		record->ExceptionCode = code;
	else
		set_access(record, CODE(ACCESS_VIOLATION), EXCEPTION_READ_FAULT,
			   ~(ULONG_PTR)0);
}

/* Of memory that the module does not tell of */
static void set_access_violation(EXCEPTION_RECORD *record, ULONG_PTR access,
				 ULONG_PTR address, ULONG_PTR sp)
{
	set_access(record,
		   wr_is_overflow(address, sp) ? CODE(STACK_OVERFLOW) :
						 CODE(ACCESS_VIOLATION),
		   access, address);
}

static void set_memory_fault(struct exception *e, const siginfo_t *info,
			     const ucontext_t *context,
			     const struct winregion_last_fault *last)
{
	EXCEPTION_RECORD *record = &e->record;
	ULONG_PTR address = (ULONG_PTR)info->si_addr;
	ULONG_PTR access = wr_fault_access(context);

	if (info->si_code == SI_KERNEL)
		set_instruction_fault(record, info->si_signo, context);
	else if (last->out_reason && last->out_address == address)
		set_region_fault(record, access, address, last->out_reason);
	else if (info->si_signo == SIGSEGV)
		set_access_violation(record, access, address, e->context.WR_SP);
	else if (info->si_code == BUS_ADRALN)
		record->ExceptionCode = CODE(DATATYPE_MISALIGNMENT);
	else if (info->si_code == BUS_MCEERR_AR)
		set_in_page(record, access, address,
			    STATUS_HARDWARE_MEMORY_ERROR);
	else
		set_in_page(record, access, address, STATUS_IO_DEVICE_ERROR);
}

static DWORD arithmetic_code(int code)
{
	switch (code) {
	case FPE_INTDIV:
		return CODE(INTEGER_DIVIDE_BY_ZERO);
	case FPE_INTOVF:
		return CODE(INTEGER_OVERFLOW);
	case FPE_FLTDIV:
		return CODE(FLOAT_DIVIDE_BY_ZERO);
	case FPE_FLTOVF:
		return CODE(FLOAT_OVERFLOW);
	case FPE_FLTUND:
		return CODE(FLOAT_UNDERFLOW);
	case FPE_FLTRES:
		return CODE(FLOAT_INEXACT_RESULT);
	default:
		return CODE(FLOAT_INVALID_OPERATION);
	}
}

static void make_exception(struct exception *e, const siginfo_t *info,
			   const ucontext_t *context,
			   const struct winregion_last_fault *last)
{
	memset(&e->record, 0, sizeof(e->record));
	wr_context_of_signal(&e->context, context);
	switch (info->si_signo) {
	case SIGFPE:
		e->record.ExceptionCode = arithmetic_code(info->si_code);
		break;
	case SIGILL:
		set_instruction_fault(&e->record, SIGILL, context);
		break;
	case SIGTRAP:
		wr_fault_trap(&e->record, &e->context, info);
		break;
	default:
		set_memory_fault(e, info, context, last);
	}
	e->record.ExceptionAddress = (PVOID)e->context.WR_IP;
}

/* Raised by a fault of this thread, and not by a call or, of memory, by chance */
static bool is_fault(const siginfo_t *info)
{
	if (info->si_code <= 0)
		return false;
	if (info->si_signo == SIGTRAP)
		return info->si_code == SI_KERNEL ||
		       info->si_code == TRAP_BRKPT ||
		       info->si_code == TRAP_TRACE;
	return info->si_signo != SIGBUS || info->si_code != BUS_MCEERR_AO;
}

/* Why an access has failed, if the module has not told of it before */
static void ask_reason(const siginfo_t *info, struct winregion_last_fault *last)
{
	memset(last, 0, sizeof(*last));
	if (info->si_signo != SIGSEGV && info->si_signo != SIGBUS)
		return;
	if (winregion_last_fault(last) || last->out_told)
		last->out_reason = WINREGION_FAULT_NONE;
}

/* ---- those who do not want exceptions ---- */

static void set_mask(const sigset_t *mask)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, MASK_BYTES);
}

static void call_handler(const struct sigaction *action, int sig,
			 siginfo_t *info, ucontext_t *context)
{
	sigset_t mask = context->uc_sigmask;
	int other;

	for (other = 1; other < NSIG; other++)
		if (sigismember(&action->sa_mask, other) == 1)
			sigaddset(&mask, other);
	if (!(action->sa_flags & SA_NODEFER))
		sigaddset(&mask, sig);
	set_mask(&mask);
	if (action->sa_flags & SA_SIGINFO)
		action->sa_sigaction(sig, info, context);
	else
		action->sa_handler(sig);
}

/* The signal has its effect now; a core dump shows where it came from. */
static void die(int sig, siginfo_t *info)
{
	sigset_t only;

	wr_signal_unclaim(sig);
	if (info)
		syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), sig, info);
	else
		syscall(SYS_tgkill, getpid(), gettid(), sig);
	sigemptyset(&only);
	sigaddset(&only, sig);
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &only, NULL, MASK_BYTES);
	_exit(128 + sig);
}

static int signal_of(DWORD code)
{
	switch (code) {
	case CODE(GUARD_PAGE_VIOLATION):
	case CODE(ACCESS_VIOLATION):
	case CODE(STACK_OVERFLOW):
	case CODE(PRIVILEGED_INSTRUCTION):
		return SIGSEGV;
	case CODE(IN_PAGE_ERROR):
	case CODE(DATATYPE_MISALIGNMENT):
		return SIGBUS;
	case CODE(ILLEGAL_INSTRUCTION):
		return SIGILL;
	case CODE(BREAKPOINT):
	case CODE(SINGLE_STEP):
		return SIGTRAP;
	case CODE(INTEGER_DIVIDE_BY_ZERO):
	case CODE(INTEGER_OVERFLOW):
		return SIGFPE;
	default:
		if (code >= CODE(FLOAT_DENORMAL_OPERAND) &&
		    code <= CODE(FLOAT_UNDERFLOW))
			return SIGFPE;
		return SIGABRT;
	}
}

void wr_exception_die(DWORD code)
{
	int sig = signal_of(code);

	if (sig == SIGABRT)
		abort();
	die(sig, NULL);
	__builtin_unreachable();
}

/*
 * The filter has seen to it that nobody else has to look at what is left: there is no
 * core dump.
 */
static void die_quietly(int sig, siginfo_t *info)
{
	prctl(PR_SET_DUMPABLE, 0);
	die(sig, info);
}

/* Return: whether to go on, with @e's context. */
static bool unhandled(struct exception *e, siginfo_t *info,
		      const stack_t *other)
{
	EXCEPTION_POINTERS pointers = { &e->record, &e->context };

	switch (wr_exception_unhandled(&pointers, other)) {
	case EXCEPTION_CONTINUE_EXECUTION:
		return true;
	case EXCEPTION_EXECUTE_HANDLER:
		die_quietly(info->si_signo, info);
	}
	die(info->si_signo, info);
	return false;
}

/* ---- the handler ---- */

/* A fault is being handled, and anything may be in use; or one was, and a jump has left it */
static __thread bool is_busy WR_ANY_TIME;

/* Where a handler runs on the alternate stack, or has been left by a jump; or NULL */
static __thread void *on_other WR_ANY_TIME;

/*
 * Whether a handler has come to the end of the alternate stack. The kernel begins at its
 * top again then, over what is still in use: whoever is asked comes there once more,
 * and so for ever.
 */
static bool is_end_of_other(const EXCEPTION_RECORD *record, uintptr_t sp,
			    const stack_t *other)
{
	uintptr_t end = (uintptr_t)other->ss_sp;
	uintptr_t at = record->ExceptionInformation[1];

	return on_other && !(other->ss_flags & SS_DISABLE) &&
	       record->NumberParameters >= 2 && sp <= end &&
	       end - sp < LEAP_BYTES && at < end && at + BELOW_BYTES >= sp;
}

/* A fault that is an exception. Return: whether somebody goes on. */
static bool handle_fault(struct exception *e, ucontext_t *context)
{
	EXCEPTION_POINTERS pointers = { &e->record, &e->context };

	if (!wr_exception_dispatch(&pointers, &context->uc_stack))
		return false;
	wr_context_to_signal(context, &e->context);
	return true;
}

/*
 * A handler of the program's own. A fault that is to be ignored is not, nor by the
 * kernel. Return: whether there is one.
 */
static bool call_program(int sig, siginfo_t *info, ucontext_t *context,
			 bool fault)
{
	struct sigaction action;

	wr_signal_action(sig, &action, true);
	if (!(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_IGN)
		return !fault;
	if (!(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_DFL)
		return false;
	call_handler(&action, sig, info, context);
	return true;
}

static void handle(int sig, siginfo_t *info, ucontext_t *context)
{
	const stack_t *other = &context->uc_stack;
	struct winregion_last_fault last;
	struct exception e;
	void *before;

	if (!is_fault(info)) {
		set_mask(&context->uc_sigmask);
		if (!call_program(sig, info, context, false))
			die(sig, info);
		return;
	}
	ask_reason(info, &last);
	set_mask(&context->uc_sigmask);
	make_exception(&e, info, context, &last);
	if (is_end_of_other(&e.record, e.context.WR_SP, other))
		die(sig, info);
	before = wr_is_on_stack(other, (void *)e.context.WR_SP) ? on_other :
								  NULL;
	on_other = wr_is_on_stack(other, &e) ? &e : before;
	if (!handle_fault(&e, context) &&
	    !call_program(sig, info, context, true) &&
	    unhandled(&e, info, other))
		wr_context_to_signal(context, &e.context);
	on_other = before;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	bool was_busy = is_busy;

	is_busy = true;
	handle(sig, info, context);
	is_busy = was_busy;
	errno = saved_errno;
}

/* ---- alternate stacks ---- */

static pthread_key_t stack_key;
static pthread_once_t stack_once = PTHREAD_ONCE_INIT;

/* A thread ends. If it does so in a handler its stack is still used. */
static void free_stack(void *base)
{
	const stack_t none = { .ss_flags = SS_DISABLE };
	char *here = __builtin_frame_address(0);
	stack_t now;

	if (here > (char *)base && here < (char *)base + STACK_BYTES)
		return;
	if (!sigaltstack(NULL, &now) && now.ss_sp == (char *)base + PAGE_BYTES)
		sigaltstack(&none, NULL);
	munmap(base, PAGE_BYTES + STACK_BYTES);
}

static void make_key(void)
{
	if (pthread_key_create(&stack_key, free_stack))
		abort();
}

/* Below it is a page that nothing can use. Without memory the thread has none. */
static void make_stack(void)
{
	stack_t stack = { .ss_size = STACK_BYTES };
	char *base = mmap(NULL, PAGE_BYTES + STACK_BYTES, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (base == MAP_FAILED)
		return;
	stack.ss_sp = base + PAGE_BYTES;
	pthread_once(&stack_once, make_key);
	if (mprotect(stack.ss_sp, STACK_BYTES, PROT_READ | PROT_WRITE) ||
	    pthread_setspecific(stack_key, base) || sigaltstack(&stack, NULL)) {
		pthread_setspecific(stack_key, NULL);
		munmap(base, PAGE_BYTES + STACK_BYTES);
	}
}

/* ---- beginning ---- */

static __thread bool begun WR_ANY_TIME;
static atomic_bool claimed;

static void begin(void)
{
	WR_KEEP_ERRNO();
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL,
				       SIGTRAP };
	stack_t now;
	size_t i;

	if (!sigaltstack(NULL, &now) && now.ss_flags & SS_DISABLE)
		make_stack();
	for (i = 0; i < ARRAY_SIZE(signals) && !claimed; i++)
		wr_signal_claim(signals[i], on_signal);
	claimed = true;
	begun = true;
	/* It takes memory. */
	if (!is_busy)
		wr_overflow_begin();
}

void wr_exceptions_begin(void)
{
	if (!begun)
		begin();
}
