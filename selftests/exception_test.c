// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions (rules EX-*, GP-01 to GP-03, MV-55): what the module tells of a failed
 * access, vectored handlers, blocks, registers, and signals of the program's own.
 */
#include "kselftest_harness.h"

#include <signal.h>
#include <setjmp.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <winregion/process.h>
#include <winregion/winternl.h>

#include "memory.h"
#include "wr_test_util.h"
#include "race.h"
#include "sections.h"

/* ---- what handlers see ---- */

static struct seen {
	volatile unsigned int count;
	volatile DWORD code;
	volatile DWORD nr;
	volatile ULONG_PTR access;
	volatile ULONG_PTR address;
	volatile ULONG_PTR status;
	PVOID volatile at;
} seen;

static void see(EXCEPTION_POINTERS *pointers)
{
	const EXCEPTION_RECORD *record = pointers->ExceptionRecord;

	seen.count++;
	seen.code = record->ExceptionCode;
	seen.nr = record->NumberParameters;
	seen.access = record->ExceptionInformation[0];
	seen.address = record->ExceptionInformation[1];
	seen.status = record->ExceptionInformation[2];
	seen.at = record->ExceptionAddress;
}

/* Try again: for guards. */
static LONG CALLBACK again(EXCEPTION_POINTERS *pointers)
{
	see(pointers);
	return seen.count > 10 ? EXCEPTION_CONTINUE_SEARCH :
				 EXCEPTION_CONTINUE_EXECUTION;
}

/* Registers: some before an access to address 0, and what a handler makes of others */
struct registers {
	uint64_t kept[2], kept_low, changed[2], wide[2];
	uint32_t control;
};

#ifdef __aarch64__
#include "exception_arm64.h"
#else
#include "exception_x86.h"
#endif

/* Leave the access out; of one that fetches, return to who called. */
static void leave_out(EXCEPTION_POINTERS *pointers)
{
	CONTEXT *context = pointers->ContextRecord;

	if (context->CONTEXT_IP == pointers->ExceptionRecord->ExceptionInformation[1])
		leave_out_call(context);
	else
		leave_out_access(context);
}

static LONG CALLBACK skip(EXCEPTION_POINTERS *pointers)
{
	see(pointers);
	leave_out(pointers);
	return EXCEPTION_CONTINUE_EXECUTION;
}

static LONG CALLBACK search(EXCEPTION_POINTERS *pointers)
{
	see(pointers);
	return EXCEPTION_CONTINUE_SEARCH;
}

static ULONG_PTR address_of(EXCEPTION_POINTERS *pointers)
{
	return pointers->ExceptionRecord->ExceptionInformation[1];
}

static void call(volatile void *addr)
{
	((void (*)(void))(uintptr_t)addr)();
}

#define SAW(_code, _access, _address) do {				\
	EXPECT_EQ(1, seen.count);					\
	EXPECT_EQ(_code, seen.code);					\
	EXPECT_EQ(2, seen.nr);						\
	EXPECT_EQ(_access, seen.access);				\
	EXPECT_EQ((ULONG_PTR)(_address), seen.address);			\
	seen.count = 0;							\
} while (0)

/* ---- the record ---- */

static volatile struct winregion_last_fault last, second;

static void record_handler(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct winregion_last_fault now;

	memset(&now, 0xcc, sizeof(now));
	now.flags = 0;
	if (winregion_last_fault(&now))
		_exit(77);
	last = now;
	winregion_last_fault(&now);
	second = now;
	if (now.out_reason != WINREGION_FAULT_GUARD)
		leave_out_of_signal(uc);
}

static void catch_records(void)
{
	struct sigaction action = {
		.sa_sigaction = record_handler,
		.sa_flags = SA_SIGINFO,
	};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

#define RECORDED(_sequence, _access, _reason, _address) do {		\
	EXPECT_EQ(_sequence, last.out_sequence);			\
	EXPECT_EQ(0, last.out_told);					\
	EXPECT_EQ(1, second.out_told);					\
	EXPECT_EQ(_access, last.out_access);				\
	EXPECT_EQ(_reason, last.out_reason);				\
	EXPECT_EQ((uint64_t)(uintptr_t)(_address), last.out_address);	\
} while (0)

/* Rules: GP-01, EX-01 */
TEST(record)
{
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE, PAGE_READWRITE);
	struct winregion_last_fault none;

	memset(&none, 0xcc, sizeof(none));
	none.flags = 0;
	ASSERT_EQ(0, winregion_last_fault(&none));
	EXPECT_EQ(0, none.out_sequence);
	EXPECT_EQ(0, none.out_reason);
	EXPECT_EQ(0, none.out_address);
	ASSERT_NE(NULL, base);
	VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READONLY);
	VirtualAlloc(base + PAGE, 2 * PAGE, MEM_COMMIT,
		     PAGE_READWRITE | PAGE_GUARD);
	VirtualAlloc(base + 3 * PAGE, PAGE, MEM_COMMIT, PAGE_NOACCESS);
	catch_records();

	skip_write(base + 123);
	RECORDED(1, WINREGION_ACCESS_WRITE, WINREGION_FAULT_PROTECTION,
		 base + 123);
	skip_read(base + 3 * PAGE + 5);
	RECORDED(2, WINREGION_ACCESS_READ, WINREGION_FAULT_PROTECTION,
		 base + 3 * PAGE + 5);
	skip_read(base + PAGE + 1);
	RECORDED(3, WINREGION_ACCESS_READ, WINREGION_FAULT_GUARD,
		 base + PAGE + 1);
	skip_write(base + 2 * PAGE + 4095);
	RECORDED(4, WINREGION_ACCESS_WRITE, WINREGION_FAULT_GUARD,
		 base + 2 * PAGE + 4095);
	skip_write(base + 4 * PAGE);
	RECORDED(5, WINREGION_ACCESS_WRITE, WINREGION_FAULT_RESERVED,
		 base + 4 * PAGE);
	/* A page that has been read is refused its write elsewhere. */
	skip_read(base);
	skip_write(base + 1);
	RECORDED(6, WINREGION_ACCESS_WRITE, WINREGION_FAULT_PROTECTION,
		 base + 1);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: GP-01. An error changes nothing, and what comes later is accepted. */
TEST(record_arguments)
{
	struct {
		struct winregion_last_fault known;
		uint64_t unknown;
	} arg = { 0 };
	int fd = wr_open();

	arg.known.size = sizeof(arg.known);
	EXPECT_EQ(0, wr_ioctl(fd, WINREGION_LAST_FAULT, &arg));
	arg.known.size = sizeof(arg);
	EXPECT_EQ(0, wr_ioctl(fd, WINREGION_LAST_FAULT, &arg));
	arg.unknown = 1;
	EXPECT_EQ(-E2BIG, wr_ioctl(fd, WINREGION_LAST_FAULT, &arg));
	arg.known.size = sizeof(arg.known) - 1;
	EXPECT_EQ(-EINVAL, wr_ioctl(fd, WINREGION_LAST_FAULT, &arg));
	arg.known.size = sizeof(arg.known);
	arg.known.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, wr_ioctl(fd, WINREGION_LAST_FAULT, &arg));
	EXPECT_EQ(-EFAULT, wr_ioctl(fd, WINREGION_LAST_FAULT, (void *)8));
	EXPECT_EQ(WINREGION_FEATURE_LAST_FAULT,
		  WR_INFO(fd, out_features) & WINREGION_FEATURE_LAST_FAULT);
	close(fd);
}

/* Rules: GP-01, GP-10. A system call that fails there tells nothing. */
TEST(record_of_system_calls)
{
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE | PAGE_GUARD);
	struct winregion_last_fault now = { 0 };
	int fd[2];

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, pipe(fd));
	ASSERT_EQ(1, write(fd[1], "x", 1));
	EXPECT_EQ(-1, read(fd[0], base, 1));
	EXPECT_EQ(-1, write(fd[1], base + PAGE, 1));
	/* Where a page may be read only, and has been */
	VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READONLY);
	EXPECT_EQ(0, *(volatile char *)base);
	EXPECT_EQ(-1, read(fd[0], base, 1));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, winregion_last_fault(&now));
	EXPECT_EQ(0, now.out_sequence);
}

static int child_of_record(void *arg)
{
	struct winregion_last_fault now = { 0 };
	char *base = arg;

	CHECK(!winregion_last_fault(&now));
	CHECK(!now.out_sequence && !now.out_reason);
	skip_write(base + PAGE);
	CHECK(last.out_sequence == 1 && !last.out_told);
	CHECK(last.out_reason == WINREGION_FAULT_GUARD);
	return 0;
}

/* Rules: GP-01. A child begins anew, and its parent keeps its own. */
TEST(record_of_a_child)
{
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE | PAGE_GUARD);
	struct winregion_last_fault now = { 0 };

	ASSERT_NE(NULL, base);
	catch_records();
	skip_write(base);
	EXPECT_EQ(0, in_child(child_of_record, base));
	EXPECT_EQ(0, winregion_last_fault(&now));
	EXPECT_EQ(1, now.out_sequence);
	EXPECT_EQ(2, now.out_told);
	EXPECT_EQ((uintptr_t)base, now.out_address);
	skip_write(base + PAGE);
	RECORDED(2, WINREGION_ACCESS_WRITE, WINREGION_FAULT_GUARD, base + PAGE);
}

static void *fault_once(void *arg)
{
	struct winregion_last_fault now = { 0 };

	if (winregion_last_fault(&now) || now.out_sequence)
		return NULL;
	skip_write(arg);
	if (winregion_last_fault(&now) || now.out_sequence != 1 ||
	    now.out_address != (uintptr_t)arg)
		return NULL;
	return arg;
}

/* Rules: GP-01. Threads that are no more leave nothing to those that come. */
TEST(records_of_many_threads)
{
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE, PAGE_READWRITE);
	pthread_t thread;
	void *result;
	int i;

	ASSERT_NE(NULL, base);
	catch_records();
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, fault_once,
					    base + i));
		ASSERT_EQ(0, pthread_join(thread, &result));
		ASSERT_EQ(base + i, result);
	}
}

/* ---- codes ---- */

/* Rules: EX-01, M-02, GP-18 */
TEST(access_violations)
{
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE, PAGE_READWRITE);

	ASSERT_NE(NULL, base);
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, skip));
	VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE);
	skip_write(base);
	write_code(base);
	EXPECT_EQ(0, seen.count);
	call(base);
	SAW(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_EXECUTE_FAULT, base);
	VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READONLY);
	skip_write(base + 7);
	SAW(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_WRITE_FAULT, base + 7);
	EXPECT_EQ((unsigned char)*base, skip_read(base));
	VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_NOACCESS);
	EXPECT_EQ(0xee, skip_read(base));
	SAW(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_READ_FAULT, base);
	skip_read(base + PAGE);
	SAW(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_READ_FAULT, base + PAGE);
	call(base + PAGE);
	SAW(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_EXECUTE_FAULT, base + PAGE);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	skip_write(base);
	SAW(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_WRITE_FAULT, base);
	EXPECT_LE((ULONG_PTR)skip_write, (ULONG_PTR)seen.at);
	EXPECT_GT((ULONG_PTR)skip_write + 32, (ULONG_PTR)seen.at);
}

/* Rules: EX-02. Memory of others, and addresses that are none. */
TEST(outside_of_regions)
{
	char *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, skip));
	skip_read((void *)16);
	SAW(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_READ_FAULT, 16);
	skip_write(NULL);
	SAW(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_WRITE_FAULT, 0);
	call(NULL);
	SAW(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_EXECUTE_FAULT, 0);
	skip_read(page);
	skip_write(page + 3);
	SAW(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_WRITE_FAULT, page + 3);
	skip_read((void *)0x8000000000000000);
	SAW(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_READ_FAULT, NO_ADDRESS);
}

/* Rules: GP-01, GP-02, GP-03, EX-05 */
TEST(guards)
{
	DWORD protect = code_is_refused() ? PAGE_READWRITE :
					    PAGE_EXECUTE_READWRITE;
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
				  protect);
	DWORD old;

	ASSERT_NE(NULL, base);
	write_code(base + 2 * PAGE);
	ASSERT_TRUE(VirtualProtect(base, 3 * PAGE, protect | PAGE_GUARD, &old));
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, again));
	skip_write(base + 1);
	SAW(EXCEPTION_GUARD_PAGE, EXCEPTION_WRITE_FAULT, base + 1);
	EXPECT_EQ(77, base[1]);
	EXPECT_EQ(0, skip_read(base + PAGE + 4095));
	SAW(EXCEPTION_GUARD_PAGE, EXCEPTION_READ_FAULT, base + PAGE + 4095);
	EXPECT_EQ(STATUS_GUARD_PAGE_VIOLATION,
		  (NTSTATUS)EXCEPTION_GUARD_PAGE);
	if (protect == PAGE_READWRITE)
		return;
	call(base + 2 * PAGE);
	SAW(EXCEPTION_GUARD_PAGE, EXCEPTION_EXECUTE_FAULT, base + 2 * PAGE);
	call(base + 2 * PAGE);
	EXPECT_EQ(0, seen.count);
}

/* Rules: MV-55, GP-01, EX-04. What the file does not have, and guards of a view */
TEST(views)
{
	int file = memfd_create("view", MFD_CLOEXEC), fd = wr_open(), section;
	DWORD old;
	char *base;

	ASSERT_EQ(0, ftruncate(file, UNIT));
	section = sec_create(fd, file, 0, 0, RW);
	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_map(section, 0, 0, RW, &base));
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, skip));
	skip_write(base);
	EXPECT_EQ(0, seen.count);
	ASSERT_EQ(0, ftruncate(file, PAGE));
	EXPECT_EQ(0xee, skip_read(base + PAGE + 9));
	EXPECT_EQ(3, seen.nr);
	EXPECT_EQ((ULONG_PTR)(LONG_PTR)STATUS_END_OF_FILE, seen.status);
	seen.nr = 2;
	SAW(EXCEPTION_IN_PAGE_ERROR, EXCEPTION_READ_FAULT, base + PAGE + 9);
	skip_write(base + 2 * PAGE);
	EXPECT_EQ(3, seen.nr);
	seen.nr = 2;
	SAW(EXCEPTION_IN_PAGE_ERROR, EXCEPTION_WRITE_FAULT, base + 2 * PAGE);
	/* The same once each page is asked for. */
	ASSERT_TRUE(VirtualProtect(base, PAGE, PAGE_READONLY, &old));
	skip_read(base + 3 * PAGE);
	EXPECT_EQ((ULONG_PTR)(LONG_PTR)STATUS_END_OF_FILE, seen.status);
	seen.nr = 2;
	SAW(EXCEPTION_IN_PAGE_ERROR, EXCEPTION_READ_FAULT, base + 3 * PAGE);
	skip_write(base + 1);
	SAW(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_WRITE_FAULT, base + 1);
	ASSERT_TRUE(VirtualProtect(base, PAGE, PAGE_READWRITE | PAGE_GUARD,
				   &old));
	skip_write(base + 5);
	SAW(EXCEPTION_GUARD_PAGE, EXCEPTION_WRITE_FAULT, base + 5);
	skip_write(base + 5);
	EXPECT_EQ(77, base[5]);
	EXPECT_EQ(0, seen.count);
	EXPECT_EQ(0, sec_unmap(fd, base));
}

/* Rules: EX-09 */
TEST(other_codes)
{
	unsigned int count = 3;

	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, skip));
	if (HAS_DIVISION) {
		count++;
		divide_by_zero();
		EXPECT_EQ(EXCEPTION_INT_DIVIDE_BY_ZERO, seen.code);
	}
	illegal_instruction();
	EXPECT_EQ(EXCEPTION_ILLEGAL_INSTRUCTION, seen.code);
	privileged_instruction();
	EXPECT_EQ(EXCEPTION_PRIV_INSTRUCTION, seen.code);
	breakpoint();
	EXPECT_EQ(EXCEPTION_BREAKPOINT, seen.code);
	EXPECT_EQ(count, seen.count);
}

#ifdef __x86_64__
static LONG CALLBACK return_from(EXCEPTION_POINTERS *pointers)
{
	see(pointers);
	leave_out_call(pointers->ContextRecord);
	return EXCEPTION_CONTINUE_EXECUTION;
}

/*
 * Rules: EX-02, EX-09, EX-11. An instruction that is too long is looked at no further
 * than the processor does, also where memory ends.
 */
TEST(prefixes_only)
{
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE, PAGE_READWRITE);
	int n;

	ASSERT_NE(NULL, base);
	VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_EXECUTE_READWRITE);
	memset(base, 0x66, PAGE);
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, return_from));
	for (n = 15; n < 40; n++) {
		seen.count = 0;
		call(base + PAGE - n);
		EXPECT_EQ(1, seen.count);
		EXPECT_EQ(EXCEPTION_ACCESS_VIOLATION, seen.code);
		EXPECT_EQ(base + PAGE - n, seen.at);
	}
}
#endif /* __x86_64__ */

static LONG CALLBACK count_steps(EXCEPTION_POINTERS *pointers)
{
	see(pointers);
	return EXCEPTION_CONTINUE_EXECUTION;
}

/* Rules: EX-09. A step, and no more until the flag is set again */
TEST(single_step)
{
	if (!HAS_STEPS)
		SKIP(return, "a program cannot step on this processor");
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, count_steps));
	step();
	EXPECT_EQ(1, seen.count);
	EXPECT_EQ(EXCEPTION_SINGLE_STEP, seen.code);
}

/* ---- registers ---- */

static CONTEXT saw_context;
static const struct registers wanted = {
	.changed = { 0x1111111122222222, 0x3333333344444444 },
	.wide = { 0x5555555566666666, 0x7777777788888888 },
	.control = CONTROL_THEN,
};

static LONG CALLBACK change_registers(EXCEPTION_POINTERS *pointers)
{
	CONTEXT *context = pointers->ContextRecord;

	see(pointers);
	saw_context = *context;
	leave_out_access(context);
	change_context(context, &wanted);
	return EXCEPTION_CONTINUE_EXECUTION;
}

static const struct registers kept_before = {
	.kept = { 0x1234, 0x5678 },
	.kept_low = 0x9abcdef012345678,
};

/* What is kept is as before, and the rest as the handler wants it. */
static void expect_wanted(struct __test_metadata *_metadata,
			  const struct registers *after)
{
	EXPECT_EQ(wanted.changed[0], after->changed[0]);
	EXPECT_EQ(wanted.changed[1], after->changed[1]);
	EXPECT_EQ(wanted.wide[0], after->wide[0]);
	EXPECT_EQ(wanted.wide[1], after->wide[1]);
	EXPECT_EQ(CONTROL_THEN, after->control);
	EXPECT_EQ(kept_before.kept[0], after->kept[0]);
	EXPECT_EQ(kept_before.kept[1], after->kept[1]);
	EXPECT_EQ(kept_before.kept_low, after->kept_low);
}

/* Rules: EX-05. The registers as they were, and as the handler has left them */
TEST(registers)
{
	struct registers after, saw;

	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, change_registers));
	access_with(&kept_before, &after);
	EXPECT_EQ(1, seen.count);
	expect_wanted(_metadata, &after);
	read_context(&saw_context, &saw);
	EXPECT_EQ(CONTEXT_TAKEN, saw_context.ContextFlags);
	EXPECT_EQ(kept_before.kept[0], saw.kept[0]);
	EXPECT_EQ(kept_before.kept[1], saw.kept[1]);
	EXPECT_EQ(kept_before.kept_low, saw.kept_low);
	EXPECT_EQ(CONTROL_NOW, saw.control);
	EXPECT_EQ((DWORD64)(uintptr_t)seen.at, saw_context.CONTEXT_IP);
#ifdef __x86_64__
	EXPECT_EQ(0, saw_context.Rcx);
	EXPECT_EQ(0x33, saw_context.SegCs);
#endif
}

static jmp_buf restored;

/* Somewhere else, and then back to where it was: by a context and no return */
static LONG CALLBACK restore_later(EXCEPTION_POINTERS *pointers)
{
	see(pointers);
	saw_context = *pointers->ContextRecord;
	longjmp(restored, 1);
}

static PVOID restoring;

static void go_back(void)
{
	RemoveVectoredExceptionHandler(restoring);
	leave_out_access(&saw_context);
	change_context(&saw_context, &wanted);
	RtlRestoreContext(&saw_context, NULL);
}

/* Rules: EX-05, EX-24. Of a context that came with an exception no register is lost. */
TEST(restore_all)
{
	volatile unsigned int times = 0;
	struct registers after;

	restoring = AddVectoredExceptionHandler(1, restore_later);
	ASSERT_NE(NULL, restoring);
	if (setjmp(restored)) {
		times++;
		go_back();
	}
	access_with(&kept_before, &after);
	EXPECT_EQ(1, times);
	expect_wanted(_metadata, &after);
}

/* Rules: EX-24 */
TEST(capture_and_restore)
{
	volatile int times = 0;
	CONTEXT context;

	memset(&context, 0xcc, sizeof(context));
	RtlCaptureContext(&context);
	EXPECT_EQ(CONTEXT_TAKEN, context.ContextFlags);
	EXPECT_LT(context.CONTEXT_SP - 1, (uintptr_t)&context + 65536);
	if (times++ < 3)
		RtlRestoreContext(&context, NULL);
	EXPECT_EQ(4, times);
}

/* ---- vectored handlers ---- */

static char order[32];

static void note(char name)
{
	order[strlen(order)] = name;
}

#define NOTING(name, letter, result)					\
static LONG CALLBACK name(EXCEPTION_POINTERS *pointers)			\
{									\
	note(letter);							\
	return result;							\
}

NOTING(note_a, 'a', EXCEPTION_CONTINUE_SEARCH)
NOTING(note_b, 'b', EXCEPTION_CONTINUE_SEARCH)
NOTING(note_c, 'c', EXCEPTION_CONTINUE_SEARCH)
NOTING(continue_x, 'x', EXCEPTION_CONTINUE_SEARCH)
NOTING(continue_y, 'y', EXCEPTION_CONTINUE_EXECUTION)
NOTING(continue_z, 'z', EXCEPTION_CONTINUE_SEARCH)

static LONG CALLBACK note_and_skip(EXCEPTION_POINTERS *pointers)
{
	note('s');
	leave_out(pointers);
	return EXCEPTION_CONTINUE_EXECUTION;
}

#define ORDER(letters) do {						\
	EXPECT_STREQ(letters, order);					\
	memset(order, 0, sizeof(order));				\
} while (0)

/* Rules: EX-06, EX-07, EX-13 */
TEST(order_of_handlers)
{
	PVOID a = AddVectoredExceptionHandler(0, note_a);
	PVOID s = AddVectoredExceptionHandler(0, note_and_skip);
	PVOID b = AddVectoredExceptionHandler(1, note_b);
	PVOID c = AddVectoredExceptionHandler(7, note_c);
	PVOID x, y;

	skip_read(NULL);
	ORDER("cbas");
	x = AddVectoredContinueHandler(0, continue_x);
	y = AddVectoredContinueHandler(0, continue_y);
	ASSERT_NE(NULL, AddVectoredContinueHandler(0, continue_z));
	skip_read(NULL);
	ORDER("cbasxy");
	EXPECT_EQ(0, RemoveVectoredExceptionHandler(x));
	EXPECT_EQ(0, RemoveVectoredContinueHandler(a));
	EXPECT_NE(0, RemoveVectoredContinueHandler(y));
	EXPECT_NE(0, RemoveVectoredExceptionHandler(b));
	EXPECT_EQ(0, RemoveVectoredExceptionHandler(b));
	EXPECT_EQ(0, RemoveVectoredExceptionHandler(NULL));
	skip_read(NULL);
	ORDER("casxz");
	/* The same function twice; each has a handle of its own. */
	b = AddVectoredExceptionHandler(1, note_c);
	skip_read(NULL);
	ORDER("ccasxz");
	EXPECT_NE(0, RemoveVectoredExceptionHandler(c));
	EXPECT_NE(0, RemoveVectoredExceptionHandler(a));
	skip_read(NULL);
	ORDER("csxz");
	EXPECT_NE(0, RemoveVectoredExceptionHandler(b));
	EXPECT_NE(0, RemoveVectoredExceptionHandler(s));
	SetLastError(0);
	EXPECT_EQ(NULL, AddVectoredExceptionHandler(1, NULL));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
}

static PVOID self_handle, next_handle;

/* Removes itself and the one behind it, and adds one that is to come. */
static LONG CALLBACK remover(EXCEPTION_POINTERS *pointers)
{
	note('r');
	RemoveVectoredExceptionHandler(self_handle);
	RemoveVectoredExceptionHandler(next_handle);
	AddVectoredExceptionHandler(0, note_and_skip);
	return EXCEPTION_CONTINUE_SEARCH;
}

/* Rules: EX-07 */
TEST(removal_during_dispatch)
{
	self_handle = AddVectoredExceptionHandler(0, remover);
	next_handle = AddVectoredExceptionHandler(0, note_a);
	ASSERT_NE(NULL, AddVectoredExceptionHandler(0, note_b));
	skip_read(NULL);
	ORDER("rbs");
	skip_read(NULL);
	ORDER("bs");
}

/* Rules: EX-06. More than there is room for at first */
TEST(many_handlers)
{
	PVOID handles[100];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(handles); i++) {
		handles[i] = AddVectoredExceptionHandler(0, search);
		ASSERT_NE(NULL, handles[i]);
	}
	ASSERT_NE(NULL, AddVectoredExceptionHandler(0, skip));
	skip_read(NULL);
	EXPECT_EQ(101, seen.count);
	for (i = 0; i < ARRAY_SIZE(handles); i++)
		EXPECT_NE(0, RemoveVectoredExceptionHandler(handles[i]));
	seen.count = 0;
	skip_read(NULL);
	EXPECT_EQ(1, seen.count);
}

static volatile unsigned int depth, deepest;

/* Faults itself, some levels deep. */
static LONG CALLBACK faulting(EXCEPTION_POINTERS *pointers)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (depth < 5)
		skip_read((void *)(uintptr_t)depth);
	depth--;
	leave_out(pointers);
	return EXCEPTION_CONTINUE_EXECUTION;
}

/* Rules: EX-11 */
TEST(handler_that_faults)
{
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, faulting));
	errno = 4711;
	skip_read(NULL);
	EXPECT_EQ(4711, errno);
	EXPECT_EQ(5, deepest);
	EXPECT_EQ(0, depth);
}

/* The mask of signals is that of the program. */
static sigset_t mask_in_handler;

static LONG CALLBACK see_mask(EXCEPTION_POINTERS *pointers)
{
	sigprocmask(SIG_SETMASK, NULL, &mask_in_handler);
	return skip(pointers);
}

/* Rules: EX-08 */
TEST(mask_of_signals)
{
	sigset_t mask, after;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, see_mask));
	skip_read(NULL);
	sigprocmask(SIG_SETMASK, NULL, &after);
	EXPECT_EQ(0, memcmp(&mask, &mask_in_handler, 8));
	EXPECT_EQ(0, memcmp(&mask, &after, 8));
}

/* ---- blocks ---- */

/* Rules: EX-30 */
TEST(block)
{
	volatile int way = 0;
	volatile DWORD code = 0, in_filter = 0;
	volatile ULONG_PTR address = 0;

	WINREGION_TRY {
		skip_write((void *)24);
		way = 1;
	} WINREGION_EXCEPT((in_filter = GetExceptionCode(),
			    address = address_of(GetExceptionInformation()),
			    EXCEPTION_EXECUTE_HANDLER)) {
		code = GetExceptionCode();
		way = 2;
	} WINREGION_END
	EXPECT_EQ(2, way);
	EXPECT_EQ(EXCEPTION_ACCESS_VIOLATION, code);
	EXPECT_EQ(EXCEPTION_ACCESS_VIOLATION, in_filter);
	EXPECT_EQ(24, address);
	WINREGION_TRY {
		way = 3;
	} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {
		way = 4;
	} WINREGION_END
	EXPECT_EQ(3, way);
}

static int break_alone(void *arg)
{
	DebugBreak();
	return 0;
}

/* Rules: EX-09, EX-30, ENV-09. DebugBreak() is a breakpoint, for who handles it. */
TEST(debug_break)
{
	volatile int way = 0;

	WINREGION_TRY {
		DebugBreak();
		way = 1;
	} WINREGION_EXCEPT(GetExceptionCode() == EXCEPTION_BREAKPOINT ?
			   EXCEPTION_EXECUTE_HANDLER :
			   EXCEPTION_CONTINUE_SEARCH) {
		way = 2;
	} WINREGION_END
	EXPECT_EQ(2, way);
	EXPECT_EQ(-SIGTRAP, in_child(break_alone, NULL));
}

/* Rules: EX-30. As Windows sources write it, also with commas */
TEST(block_without_end)
{
	volatile DWORD code = 0;
	volatile int way = 0;

	__try {
		skip_write(NULL);
	} __except(GetExceptionCode() == EXCEPTION_ACCESS_VIOLATION ?
			EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
		way = 1;
	}
	EXPECT_EQ(1, way);
	__try {
		skip_write(NULL);
	} __except(code = GetExceptionCode(), EXCEPTION_EXECUTE_HANDLER) {
		way = 2;
	}
	EXPECT_EQ(2, way);
	EXPECT_EQ(EXCEPTION_ACCESS_VIOLATION, code);
}

/* Rules: EX-30, EX-32. "break" and "continue" leave the block, and not the loop. */
TEST(blocks_without_end_in_a_loop)
{
	volatile int i, handled = 0;

	for (i = 0; i < 12; i++) {
		__try {
			if (i % 4 == 1)
				break;
			if (i % 4 == 2)
				continue;
			skip_write(NULL);
			handled = -100;
		} __except(EXCEPTION_EXECUTE_HANDLER) {
			handled++;
			if (i % 4 == 3)
				break;
			continue;
		}
	}
	EXPECT_EQ(12, i);
	EXPECT_EQ(6, handled);
}

static volatile int left;

static int leave_blocks(int how)
{
	volatile int i;

	for (i = 0; i < 3; i++) {
		WINREGION_TRY {
			if (how == 0)
				continue;
			if (how == 1)
				break;
			if (how == 2)
				return 2;
			if (how == 3)
				goto out;
		} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {
			left++;
		} WINREGION_END
	}
out:
	return i;
}

/* Rules: EX-30, EX-31. Left in any way, a block is over. */
TEST(leave_by_any_way)
{
	volatile int way = 0;

	EXPECT_EQ(3, leave_blocks(0));
	EXPECT_EQ(0, leave_blocks(1));
	EXPECT_EQ(2, leave_blocks(2));
	EXPECT_EQ(0, leave_blocks(3));
	WINREGION_TRY {
		leave_blocks(0);
		leave_blocks(2);
		skip_write(NULL);
	} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {
		way = 1;
	} WINREGION_END
	EXPECT_EQ(1, way);
	EXPECT_EQ(0, left);
}

static int nested(int levels, int wanted)
{
	volatile int found = -1;

	WINREGION_TRY {
		if (levels)
			found = nested(levels - 1, wanted);
		else
			skip_write(NULL);
	} WINREGION_EXCEPT(levels == wanted) {
		found = levels;
	} WINREGION_END
	return found;
}

/* Rules: EX-31 */
TEST(nested_blocks)
{
	EXPECT_EQ(0, nested(0, 0));
	EXPECT_EQ(3, nested(5, 3));
	EXPECT_EQ(100, nested(100, 100));
	EXPECT_EQ(57, nested(100, 57));
	EXPECT_EQ(0, nested(200, 0));
}

/* An exception in a handler, or in a filter, is for those outside. */
static int divide_in_filter(void)
{
	WINREGION_TRY {
		skip_write((void *)1);
	} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {
		return EXCEPTION_CONTINUE_SEARCH;
	} WINREGION_END
	return EXCEPTION_EXECUTE_HANDLER;
}

static int fault_in_filter(void)
{
	skip_write((void *)2);
	return EXCEPTION_CONTINUE_SEARCH;
}

/* Rules: EX-31 */
TEST(exceptions_in_filters_and_handlers)
{
	volatile int way = 0;

	WINREGION_TRY {
		WINREGION_TRY {
			skip_write((void *)3);
		} WINREGION_EXCEPT(divide_in_filter()) {
			way += 100;
		} WINREGION_END
	} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {
		way += 1;
	} WINREGION_END
	EXPECT_EQ(1, way);
	WINREGION_TRY {
		WINREGION_TRY {
			skip_write((void *)4);
		} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {
			skip_write((void *)5);
		} WINREGION_END
	} WINREGION_EXCEPT(address_of(GetExceptionInformation()) == 5) {
		way += 1;
	} WINREGION_END
	EXPECT_EQ(2, way);
	WINREGION_TRY {
		WINREGION_TRY {
			skip_write((void *)6);
		} WINREGION_EXCEPT(fault_in_filter()) {
			way += 100;
		} WINREGION_END
	} WINREGION_EXCEPT(address_of(GetExceptionInformation()) == 2) {
		way += 1;
	} WINREGION_END
	EXPECT_EQ(3, way);
}

static int write_below(unsigned int levels)
{
	volatile char room[500];

	room[0] = levels;
	room[499] = levels;
	if (levels)
		return write_below(levels - 1) + (room[0] == room[499]);
	skip_write((void *)7);
	return room[0] == room[499];
}

static LONG use_stack_and_skip(EXCEPTION_POINTERS *pointers)
{
	volatile char room[9000];
	unsigned int i;

	for (i = 0; i < sizeof(room); i++)
		room[i] = 0x55;
	leave_out(pointers);
	return EXCEPTION_CONTINUE_EXECUTION;
}

/* Rules: EX-33. What was called from the block goes on as if nothing had been. */
TEST(filter_that_goes_on)
{
	volatile int way = 0;
	int local = 4711;

	WINREGION_TRY {
		way = write_below(20);
	} WINREGION_EXCEPT(use_stack_and_skip(GetExceptionInformation())) {
		way = -1;
	} WINREGION_END
	EXPECT_EQ(21, way);
	EXPECT_EQ(4711, local);
}

static jmp_buf out;

/* Rules: EX-32. By a longjmp() of the program's own */
TEST(blocks_left_by_longjmp)
{
	volatile int i, way = 0;

	for (i = 0; i < 1000; i++) {
		if (setjmp(out))
			continue;
		WINREGION_TRY {
			longjmp(out, 1);
		} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {
			way = 100;
		} WINREGION_END
	}
	EXPECT_EQ(5, nested(10, 5));
	EXPECT_EQ(0, way);
}

static sigjmp_buf out_of_handler;

static LONG CALLBACK jump_out(EXCEPTION_POINTERS *pointers)
{
	siglongjmp(out_of_handler, 1);
}

/* Rules: EX-32. Handlers may be left in that way, too, with their blocks. */
TEST(handlers_left_by_longjmp)
{
	PVOID handle = AddVectoredExceptionHandler(1, jump_out);
	volatile int i;

	for (i = 0; i < 200; i++)
		if (!sigsetjmp(out_of_handler, 1))
			nested(3, 3);
	EXPECT_NE(0, RemoveVectoredExceptionHandler(handle));
	EXPECT_EQ(2, nested(4, 2));
}

/* Rules: EX-32. So may filters, and what they were of is asked again. */
TEST(filters_left_by_longjmp)
{
	volatile int i, asked = 0, handled = 0;

	for (i = 0; i < 40; i++) {
		WINREGION_TRY {
			if (!sigsetjmp(out_of_handler, 1)) {
				if (i % 2)
					nested(3, 0);
				RaiseException(0xe0000006, 0, 0, NULL);
			}
			if (i % 4 < 2)
				skip_write(NULL);
			else
				RaiseException(0xe0000007, 0, 0, NULL);
		} WINREGION_EXCEPT(GetExceptionCode() == 0xe0000006 ?
				   jump_out(NULL) : ++asked && 1) {
			handled++;
		} WINREGION_END
	}
	EXPECT_EQ(40, asked);
	EXPECT_EQ(40, handled);
}

/* Rules: EX-06, EX-14, EX-30. Handlers before blocks; no continue handler after them */
TEST(handlers_before_blocks)
{
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, note_a));
	ASSERT_NE(NULL, AddVectoredContinueHandler(1, continue_x));
	WINREGION_TRY {
		skip_write(NULL);
	} WINREGION_EXCEPT((note('f'), EXCEPTION_EXECUTE_HANDLER)) {
		note('h');
	} WINREGION_END
	ORDER("afh");
	WINREGION_TRY {
		skip_write(NULL);
	} WINREGION_EXCEPT(use_stack_and_skip(GetExceptionInformation())) {
		note('h');
	} WINREGION_END
	ORDER("ax");
}

/* ---- raised ---- */

/* Rules: EX-20, EX-21 */
TEST(raised)
{
	ULONG_PTR arguments[20];
	volatile DWORD code = 0, nr = 0, flags = 0;
	volatile ULONG_PTR sum = 0;
	volatile int way = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(arguments); i++)
		arguments[i] = i + 1;
	WINREGION_TRY {
		RaiseException(0xe0000001, 0xfffffffe, 20, arguments);
		way = 100;
	} WINREGION_EXCEPT((see(GetExceptionInformation()),
			    flags = GetExceptionInformation()->
				    ExceptionRecord->ExceptionFlags,
			    sum = GetExceptionInformation()->
				    ExceptionRecord->ExceptionInformation[14],
			    EXCEPTION_EXECUTE_HANDLER)) {
		code = GetExceptionCode();
		way = 1;
	} WINREGION_END
	nr = seen.nr;
	EXPECT_EQ(1, way);
	EXPECT_EQ(0xe0000001, code);
	EXPECT_EQ(15, nr);
	EXPECT_EQ(15, sum);
	EXPECT_EQ(0, flags);
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, again));
	RaiseException(EXCEPTION_GUARD_PAGE, 0, 5, NULL);
	EXPECT_EQ(2, seen.count);
	EXPECT_EQ(EXCEPTION_GUARD_PAGE, seen.code);
	EXPECT_EQ(0, seen.nr);
}

static LONG CALLBACK set_raised(EXCEPTION_POINTERS *pointers)
{
	change_raised(pointers->ContextRecord, 0x123456789, 0x987654321);
	return EXCEPTION_CONTINUE_EXECUTION;
}

/* Rules: EX-05, EX-20. What raises goes on with changed registers, too. */
TEST(raise_and_registers)
{
	uint64_t first, low;

	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, set_raised));
	EXPECT_EQ(0xabcdef, raise_with(0xabcdef, &first, &low));
	EXPECT_EQ(0x123456789, first);
	EXPECT_EQ(0x987654321, low);
}

static DWORD codes[8], code_flags[8];
static unsigned int nr_codes;

static LONG CALLBACK go_on_once(EXCEPTION_POINTERS *pointers)
{
	codes[nr_codes] = pointers->ExceptionRecord->ExceptionCode;
	code_flags[nr_codes++] = pointers->ExceptionRecord->ExceptionFlags;
	return nr_codes == 1 ? EXCEPTION_CONTINUE_EXECUTION :
			       EXCEPTION_CONTINUE_SEARCH;
}

static DWORD code_before(EXCEPTION_POINTERS *pointers)
{
	return pointers->ExceptionRecord->ExceptionRecord->ExceptionCode;
}

/* Rules: EX-22 */
TEST(noncontinuable)
{
	volatile DWORD code = 0, inner = 0;

	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, go_on_once));
	WINREGION_TRY {
		RaiseException(0xe0000003, EXCEPTION_NONCONTINUABLE, 0, NULL);
	} WINREGION_EXCEPT((inner = code_before(GetExceptionInformation()),
			    EXCEPTION_EXECUTE_HANDLER)) {
		code = GetExceptionCode();
	} WINREGION_END
	EXPECT_EQ(2, nr_codes);
	EXPECT_EQ(0xe0000003, codes[0]);
	EXPECT_EQ(EXCEPTION_NONCONTINUABLE, code_flags[0]);
	EXPECT_EQ(EXCEPTION_NONCONTINUABLE_EXCEPTION, codes[1]);
	EXPECT_EQ(EXCEPTION_NONCONTINUABLE, code_flags[1]);
	EXPECT_EQ(EXCEPTION_NONCONTINUABLE_EXCEPTION, code);
	EXPECT_EQ(0xe0000003, inner);
}

/* ---- the end ---- */

static LONG CALLBACK filter_goes_on(EXCEPTION_POINTERS *pointers)
{
	return skip(pointers);
}

/* Rules: EX-15, EX-16 */
TEST(unhandled_filter)
{
	EXPECT_EQ(NULL, SetUnhandledExceptionFilter(filter_goes_on));
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, note_a));
	skip_read(NULL);
	EXPECT_EQ(1, seen.count);
	ORDER("a");
	nested(2, 1);
	EXPECT_EQ(1, seen.count);
	EXPECT_EQ(&filter_goes_on, SetUnhandledExceptionFilter(again));
	RaiseException(0xe0000004, 0, 0, NULL);
	EXPECT_EQ(2, seen.count);
	EXPECT_EQ(&again, SetUnhandledExceptionFilter(search));
	EXPECT_EQ(&search, SetUnhandledExceptionFilter(NULL));
}

/* Rules: EX-15, EX-32. One that is left by a longjmp() is called again. */
TEST(unhandled_filter_left_by_longjmp)
{
	volatile int i;

	EXPECT_EQ(NULL, SetUnhandledExceptionFilter(jump_out));
	for (i = 0; i < 20; i++) {
		if (sigsetjmp(out_of_handler, 1))
			continue;
		if (i % 2)
			RaiseException(0xe0000004, 0, 0, NULL);
		else
			skip_write(NULL);
	}
	EXPECT_EQ(20, i);
	EXPECT_EQ(&jump_out, SetUnhandledExceptionFilter(NULL));
}

static LONG ask_top(EXCEPTION_POINTERS *pointers)
{
	return UnhandledExceptionFilter(pointers);
}

/* Rules: EX-17 */
TEST(call_unhandled_filter)
{
	volatile int way = 0;

	WINREGION_TRY {
		skip_write(NULL);
	} WINREGION_EXCEPT(ask_top(GetExceptionInformation())) {
		way = 1;
	} WINREGION_END
	EXPECT_EQ(1, way);
	SetUnhandledExceptionFilter(filter_goes_on);
	WINREGION_TRY {
		skip_write(NULL);
	} WINREGION_EXCEPT(ask_top(GetExceptionInformation())) {
		way = 2;
	} WINREGION_END
	EXPECT_EQ(1, way);
	EXPECT_EQ(1, seen.count);
}

NOTING(ends, 'e', EXCEPTION_EXECUTE_HANDLER)

static LONG CALLBACK filter_that_faults(EXCEPTION_POINTERS *pointers)
{
	skip_write(NULL);
	return EXCEPTION_CONTINUE_SEARCH;
}

/* @arg: what to do; returns if the process does not end by it */
static int end_by(void *arg)
{
	static int zero;
	const char *how = arg;

	signal(SIGSEGV, SIG_DFL);
	AddVectoredExceptionHandler(1, search);
	if (strchr(how, 'e'))
		SetUnhandledExceptionFilter(ends);
	if (strchr(how, 'F'))
		SetUnhandledExceptionFilter(filter_that_faults);
	if (strchr(how, 's'))
		SetUnhandledExceptionFilter(search);
	if (strchr(how, 'i'))
		signal(SIGSEGV, SIG_IGN);
	if (strchr(how, 'k'))
		kill(getpid(), SIGSEGV);
	if (strchr(how, 'w'))
		skip_write(NULL);
	if (strchr(how, 'd'))
		zero = *(volatile int *)&zero / *(volatile int *)&zero;
	if (strchr(how, 'r'))
		RaiseException(0xe0000005, 0, 0, NULL);
	if (strchr(how, 'v'))
		RaiseException(EXCEPTION_ACCESS_VIOLATION, 0, 0, NULL);
	if (strchr(how, 'u')) {
		ULONG_PTR none = 0;

		RaiseException(EXCEPTION_ILLEGAL_INSTRUCTION,
			       EXCEPTION_NONCONTINUABLE, 1, &none);
	}
	return 0;
}

/* Rules: EX-16, EX-23. What nobody handles ends the process as it does without us. */
TEST(unhandled)
{
	EXPECT_EQ(-SIGSEGV, in_child(end_by, "w"));
	EXPECT_EQ(-SIGSEGV, in_child(end_by, "ew"));
	EXPECT_EQ(-SIGSEGV, in_child(end_by, "sw"));
	EXPECT_EQ(-SIGSEGV, in_child(end_by, "Fw"));
	EXPECT_EQ(-SIGSEGV, in_child(end_by, "iw"));
	EXPECT_EQ(-SIGSEGV, in_child(end_by, "k"));
	EXPECT_EQ(0, in_child(end_by, "ik"));
	if (HAS_DIVISION)
		EXPECT_EQ(-SIGFPE, in_child(end_by, "d"));
	EXPECT_EQ(-SIGABRT, in_child(end_by, "r"));
	EXPECT_EQ(-SIGABRT, in_child(end_by, "er"));
	EXPECT_EQ(-SIGSEGV, in_child(end_by, "v"));
	EXPECT_EQ(-SIGILL, in_child(end_by, "u"));
}

/* A guard that has gone off does not let the access pass. */
static int unhandled_guard(void *arg)
{
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE | PAGE_GUARD);

	AddVectoredExceptionHandler(1, search);
	signal(SIGSEGV, SIG_DFL);
	*(volatile char *)base = 1;
	return 0;
}

/* Rules: GP-01, EX-23 */
TEST(unhandled_guard_ends)
{
	EXPECT_EQ(-SIGSEGV, in_child(unhandled_guard, NULL));
}

/* ---- the program's own signal handlers ---- */

static volatile unsigned int own_calls;
static volatile int own_code;
static PVOID volatile own_address;
static volatile bool own_blocked, own_usr1_blocked;

static void own_handler(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	sigset_t mask;

	own_calls++;
	own_code = info->si_code;
	own_address = info->si_addr;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	own_blocked = sigismember(&mask, sig);
	own_usr1_blocked = sigismember(&mask, SIGUSR1);
	if (info->si_code > 0)
		leave_out_of_signal(uc);
}

static void set_own(int sig, int flags)
{
	struct sigaction action = {
		.sa_sigaction = own_handler,
		.sa_flags = SA_SIGINFO | flags,
	};

	sigaddset(&action.sa_mask, SIGUSR1);
	sigaction(sig, &action, NULL);
}

FIXTURE(chain)
{
};

FIXTURE_VARIANT(chain)
{
	bool before;
};

FIXTURE_VARIANT_ADD(chain, before) { .before = true };
FIXTURE_VARIANT_ADD(chain, after) { .before = false };

FIXTURE_SETUP(chain)
{
	if (variant->before)
		set_own(SIGSEGV, 0);
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, search));
	if (!variant->before)
		set_own(SIGSEGV, 0);
}

FIXTURE_TEARDOWN(chain)
{
}

/* Rules: EX-12. What nobody handles is its, with mask and flags. */
TEST_F(chain, own_handler)
{
	struct sigaction now;
	sigset_t mask;

	skip_write((void *)40);
	EXPECT_EQ(1, own_calls);
	EXPECT_EQ((void *)40, own_address);
	EXPECT_EQ(SEGV_MAPERR, own_code);
	EXPECT_TRUE(own_blocked);
	EXPECT_TRUE(own_usr1_blocked);
	EXPECT_EQ(1, seen.count);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	EXPECT_EQ(0, sigismember(&mask, SIGUSR1));
	/* It is asked last, and not at all for what is handled. */
	ASSERT_NE(NULL, AddVectoredExceptionHandler(0, skip));
	skip_write((void *)40);
	EXPECT_EQ(1, own_calls);
	EXPECT_EQ(3, seen.count);
	/* What comes by a call is no exception. */
	raise(SIGSEGV);
	EXPECT_EQ(2, own_calls);
	EXPECT_EQ(SI_TKILL, own_code);
	EXPECT_EQ(3, seen.count);
	ASSERT_EQ(0, sigaction(SIGSEGV, NULL, &now));
	EXPECT_EQ(&own_handler, now.sa_sigaction);
	EXPECT_EQ(SA_SIGINFO, now.sa_flags & ~0x04000000);
	EXPECT_EQ(1, sigismember(&now.sa_mask, SIGUSR1));
	EXPECT_EQ(0, sigismember(&now.sa_mask, SIGUSR2));
}

/* ---- a handler that is called once, of two threads ---- */

#define RAISERS 2

static int *calls_of_once;
static pthread_t raiser[RAISERS];
static volatile pid_t raiser_tid[RAISERS];
static volatile bool raises_in_fork;

static void count_once(int sig)
{
	__atomic_add_fetch(calls_of_once, 1, __ATOMIC_SEQ_CST);
}

/* Who holds the lock has no signals, and so have his threads. */
static void *raise_once(void *which)
{
	sigset_t none;

	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	raiser_tid[(long)which] = gettid();
	raise(SIGFPE);
	return NULL;
}

/* The library's lock of the handlers is held: both have read which one is to be called. */
static void raise_while_locked(void)
{
	long i;

	if (!raises_in_fork)
		return;
	raises_in_fork = false;
	for (i = 0; i < RAISERS; i++)
		if (pthread_create(&raiser[i], NULL, raise_once, (void *)i))
			abort();
	for (i = 0; i < RAISERS; i++)
		if (!SETTLES(raiser_tid[i] && thread_sleeps(raiser_tid[i])))
			abort();
}

/* Who is first to ask for it is called last. */
__attribute__((constructor(101))) static void watch_fork(void)
{
	pthread_atfork(raise_while_locked, NULL, NULL);
}

static int raise_at_once(void *unused)
{
	struct sigaction once = {
		.sa_handler = count_once,
		.sa_flags = SA_RESETHAND,
	};
	pid_t pid;
	long i;

	CHECK(AddVectoredExceptionHandler(1, search));
	CHECK(!sigaction(SIGFPE, &once, NULL));
	raises_in_fork = true;
	pid = fork();
	if (!pid)
		_exit(0);
	for (i = 0; i < RAISERS; i++)
		pthread_join(raiser[i], NULL);
	return 0;
}

/* Rules: EX-12. Who comes second finds none, as the kernel has it. */
TEST(called_once_of_two_threads)
{
	calls_of_once = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)calls_of_once);
	EXPECT_EQ(-SIGFPE, in_child(raise_at_once, NULL));
	EXPECT_GE(1, *calls_of_once);
	munmap(calls_of_once, PAGE);
}

static volatile int plain_calls;

static void plain_handler(int sig)
{
	plain_calls += sig;
}

/* Rules: EX-12. signal(), and handlers that are called once only */
TEST_F(chain, plain_calls)
{
	struct sigaction once = {
		.sa_handler = plain_handler,
		.sa_flags = SA_RESETHAND | SA_NODEFER,
	};
	char *page;

	EXPECT_EQ((void *)own_handler, (void *)signal(SIGSEGV, plain_handler));
	raise(SIGSEGV);
	raise(SIGSEGV);
	EXPECT_EQ(2 * SIGSEGV, plain_calls);
	EXPECT_EQ(&plain_handler, signal(SIGSEGV, SIG_IGN));
	raise(SIGSEGV);
	EXPECT_EQ(2 * SIGSEGV, plain_calls);
	ASSERT_EQ(0, sigaction(SIGSEGV, &once, NULL));
	raise(SIGSEGV);
	EXPECT_EQ(3 * SIGSEGV, plain_calls);
	EXPECT_EQ(SIG_DFL, signal(SIGSEGV, SIG_DFL));
	EXPECT_EQ(SIG_ERR, signal(SIGKILL, SIG_DFL));
	EXPECT_EQ(SIG_ERR, signal(SIGSEGV, SIG_ERR));
	EXPECT_EQ(EINVAL, errno);
	/* Probes, which tests are full of, work as ever. */
	page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_FALSE(try_read(page + 48));
	EXPECT_EQ((void *)(page + 48), probe_fault.addr);
}

/* Rules: EX-12. One with a stack of its own keeps that. */
TEST(own_stack)
{
	static char room[KIB(64)];
	stack_t stack = { .ss_sp = room, .ss_size = sizeof(room) }, now;

	ASSERT_EQ(0, sigaltstack(&stack, NULL));
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, skip));
	ASSERT_EQ(0, sigaltstack(NULL, &now));
	EXPECT_EQ((void *)room, now.ss_sp);
	skip_read(NULL);
	EXPECT_EQ(1, seen.count);
}

/* ---- stacks ---- */

static volatile int overflowed;

static __attribute__((noinline)) int recurse(int n)
{
	volatile char room[1000];

	room[0] = n;
	return n < 0 ? 0 : recurse(n + 1) + room[0];
}

/* Its stack has a page in front that nothing can use, as all of libc's have. */
static void *overflow(void *arg)
{
	if (!arg)
		return (void *)(uintptr_t)recurse(0);
	WINREGION_TRY {
		recurse(0);
	} WINREGION_EXCEPT(GetExceptionCode() == EXCEPTION_STACK_OVERFLOW) {
		overflowed += _resetstkoflw();
	} WINREGION_END
	return NULL;
}

/* In the first thread of a process; the limit of its stack counts as it is now. */
static int overflow_of_first(void *arg)
{
	struct rlimit limit;
	char here;

	CHECK(_resetstkoflw());
	CHECK(!getrlimit(RLIMIT_STACK, &limit));
	for (limit.rlim_cur = MIB(1) + 1000; limit.rlim_cur < MIB(8);
	     limit.rlim_cur *= 2) {
		overflowed = 0;
		CHECK(!setrlimit(RLIMIT_STACK, &limit));
		CHECK(!overflow(arg) && !overflow(arg));
		CHECK(overflowed == 2);
	}
	/* Elsewhere it is none. */
	AddVectoredExceptionHandler(1, skip);
	skip_write((char *)((uintptr_t)&here - MIB(64)));
	CHECK(seen.code == EXCEPTION_ACCESS_VIOLATION);
	return 0;
}

static int overflow_once(void *arg)
{
	overflowed = 0;
	overflow(arg);
	return overflowed != 1;
}

/* The first thread of the child is on the stack of a plain one. */
static void *overflow_of_child(void *arg)
{
	return (void *)(uintptr_t)in_child(overflow_once, arg);
}

static int overflow_without(void *arg)
{
	struct crew crew = { 0 };

	AddVectoredExceptionHandler(1, search);
	crew_add(&crew, overflow, NULL);
	crew_join(&crew);
	return 0;
}

/* Rules: EX-34, EX-35. A thread that has asked for exceptions has a stack for them. */
TEST(overflow_of_stack)
{
	struct crew crew = { 0 };
	pthread_t thread;
	void *failed;
	size_t vmas;
	int i;

	for (i = 0; i < 5; i++) {
		crew_add(&crew, overflow, &crew);
		crew_join(&crew);
		if (!i)
			vmas = count_all_vmas();
	}
	EXPECT_EQ(5, overflowed);
	EXPECT_EQ(0, in_child(overflow_of_first, &crew));
	ASSERT_EQ(0, pthread_create(&thread, NULL, overflow_of_child, &crew));
	ASSERT_EQ(0, pthread_join(thread, &failed));
	EXPECT_EQ(NULL, failed);
	EXPECT_GE(vmas + 1, count_all_vmas());
	/* Another one ends the process, as ever. */
	EXPECT_EQ(-SIGSEGV, in_child(overflow_without, NULL));
}

static int __attribute__((noinline)) without_end(int depth)
{
	volatile char room[512];

	room[0] = depth;
	return depth < 0 ? 0 : without_end(depth + 1) + room[0];
}

static int filter_without_end(void *arg)
{
	WINREGION_TRY {
		skip_write(NULL);
	} WINREGION_EXCEPT(without_end(0)) {
		return 1;
	} WINREGION_END
	return 2;
}

static LONG WINAPI handler_without_end(EXCEPTION_POINTERS *pointers)
{
	return without_end(0);
}

static int handler_that_needs_all(void *arg)
{
	AddVectoredExceptionHandler(1, handler_without_end);
	skip_write(NULL);
	return 1;
}

static int last_filter_without_end(void *arg)
{
	SetUnhandledExceptionFilter(handler_without_end);
	skip_write(NULL);
	return 1;
}

/* Rules: EX-34. What needs more than the stack for exceptions has ends the process. */
TEST(end_of_the_other_stack)
{
	EXPECT_EQ(-SIGSEGV, in_child(filter_without_end, NULL));
	EXPECT_EQ(-SIGSEGV, in_child(handler_that_needs_all, NULL));
	EXPECT_EQ(-SIGSEGV, in_child(last_filter_without_end, NULL));
}

/* ---- threads of CreateThread(), on stacks that are regions ---- */

static DWORD end_of(HANDLE thread)
{
	DWORD code = POISON;

	ResumeThread(thread);
	if (WaitForSingleObject(thread, INFINITE) != WAIT_OBJECT_0 ||
	    !GetExitCodeThread(thread, &code) || !CloseHandle(thread))
		return POISON;
	return code;
}

static HANDLE suspended(LPTHREAD_START_ROUTINE start, void *arg)
{
	return CreateThread(NULL, 0, start, arg, CREATE_SUSPENDED, NULL);
}

/* At the lowest page but one, with all of the stack in use. Nothing is armed here. */
static bool is_full_stack(const EXCEPTION_RECORD *record)
{
	const NT_TIB *tib = &((TEB *)NtCurrentTeb())->NtTib;
	ULONG_PTR low, high;

	GetCurrentThreadStackLimits(&low, &high);
	return record->ExceptionCode == EXCEPTION_STACK_OVERFLOW &&
	       record->NumberParameters == 2 &&
	       record->ExceptionInformation[0] == EXCEPTION_WRITE_FAULT &&
	       record->ExceptionInformation[1] / PAGE == low / PAGE + 1 &&
	       (ULONG_PTR)tib->StackLimit == low + PAGE &&
	       (ULONG_PTR)tib->StackBase == high && !_resetstkoflw();
}

static __thread volatile DWORD full_stacks;
static __thread sigjmp_buf out_of_stack;

static LONG CALLBACK see_full_stack(EXCEPTION_POINTERS *pointers)
{
	full_stacks += is_full_stack(pointers->ExceptionRecord);
	return EXCEPTION_CONTINUE_SEARCH;
}

static LONG CALLBACK leave_full_stack(EXCEPTION_POINTERS *pointers)
{
	full_stacks += is_full_stack(pointers->ExceptionRecord);
	siglongjmp(out_of_stack, 1);
}

/* How often a block and a handler have seen it, and the guard was armed again */
static DWORD WINAPI overflow_in_blocks(void *arg)
{
	volatile DWORD handled = 0, reset = 0, i;

	for (i = 0; i < 3; i++) {
		WINREGION_TRY {
			recurse(0);
		} WINREGION_EXCEPT(GetExceptionCode() ==
				   EXCEPTION_STACK_OVERFLOW) {
			handled++;
		} WINREGION_END
		reset += _resetstkoflw();
	}
	return handled * 100 + full_stacks * 10 + reset;
}

/* It asks for nothing itself. */
static DWORD WINAPI overflow_in_handlers(void *arg)
{
	volatile DWORD reset = 0, i;

	for (i = 0; i < 3; i++) {
		if (!sigsetjmp(out_of_stack, 1))
			recurse(0);
		reset += _resetstkoflw();
	}
	return full_stacks * 10 + reset;
}

/*
 * All of these threads have a stack for handlers, also of one that is added later.
 * Rules: EX-34, GP-17, ST-03, ST-06
 */
TEST(overflow_of_created_threads)
{
	HANDLE threads[4];
	PVOID handler;
	int i;

	for (i = 0; i < 4; i++) {
		threads[i] = suspended(overflow_in_blocks, NULL);
		ASSERT_NE(NULL, threads[i]);
	}
	handler = AddVectoredExceptionHandler(1, see_full_stack);
	ASSERT_NE(NULL, handler);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(333, end_of(threads[i]));
	EXPECT_EQ(1, RemoveVectoredExceptionHandler(handler));

	for (i = 0; i < 4; i++) {
		threads[i] = suspended(overflow_in_handlers, NULL);
		ASSERT_NE(NULL, threads[i]);
	}
	handler = AddVectoredExceptionHandler(1, leave_full_stack);
	ASSERT_NE(NULL, handler);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(33, end_of(threads[i]));
	EXPECT_EQ(1, RemoveVectoredExceptionHandler(handler));
}

static void *overflow_of_plain(void *arg)
{
	return (void *)(uintptr_t)overflow_in_blocks(arg);
}

/* A plain thread with a stack of the module's. Rules: EX-34, ST-06, ST-07 */
TEST(overflow_of_plain_thread)
{
	void *base, *result = NULL;
	pthread_attr_t attr;
	pthread_t thread;
	size_t size;

	ASSERT_EQ(0, pthread_attr_init(&attr));
	ASSERT_EQ(0, winregion_thread_attr(&attr, 0));
	ASSERT_EQ(0, pthread_attr_getstack(&attr, &base, &size));
	ASSERT_EQ(0, pthread_create(&thread, &attr, overflow_of_plain, NULL));
	ASSERT_EQ(0, pthread_join(thread, &result));
	/* No handler counts its overflows. */
	EXPECT_EQ(303, (uintptr_t)result);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	pthread_attr_destroy(&attr);
}

/* ---- fork and exec ---- */

static int child_handles(void *arg)
{
	char *base = arg;

	seen.count = 0;
	*(volatile char *)base = 1;
	CHECK(seen.count == 1 && seen.code == EXCEPTION_GUARD_PAGE);
	seen.count = 0;
	*(volatile char *)base = 2;
	CHECK(!seen.count);
	CHECK(nested(3, 2) == 2);
	return 0;
}

/* Rules: EX-10, GP-01. A child handles its own. */
TEST(fork_child)
{
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE | PAGE_GUARD);
	PVOID handle = AddVectoredExceptionHandler(1, again);

	ASSERT_NE(NULL, base);
	*(volatile char *)(base + PAGE) = 1;
	EXPECT_EQ(1, seen.count);
	EXPECT_NE(0, RemoveVectoredExceptionHandler(handle));
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, again));
	EXPECT_EQ(0, in_child(child_handles, base));
	seen.count = 0;
	*(volatile char *)base = 1;
	EXPECT_EQ(1, seen.count);
}

static int exec_signal_state(void *arg)
{
	AddVectoredExceptionHandler(1, search);
	execl("/proc/self/exe", "exception_test", "--default", NULL);
	return 77;
}

/* Rules: EX-10. After exec nothing is left of it. */
TEST(exec)
{
	EXPECT_EQ(-SIGSEGV, in_child(exec_signal_state, NULL));
}

/* ---- many at once ---- */

#define NR_THREADS 8

static char *arena;
static volatile uint64_t wrong;

/* What a thread expects, and how many it got */
static __thread volatile DWORD want_code;
static __thread volatile ULONG_PTR want_access, want_address, got;

static LONG CALLBACK check_own(EXCEPTION_POINTERS *pointers)
{
	const EXCEPTION_RECORD *record = pointers->ExceptionRecord;

	got++;
	if (record->ExceptionCode != want_code ||
	    record->ExceptionInformation[0] != want_access ||
	    record->ExceptionInformation[1] != want_address) {
		if (!wrong)
			fprintf(stderr, "# got %x %lu %lx, not %x %lu %lx\n",
				(unsigned int)record->ExceptionCode,
				record->ExceptionInformation[0],
				record->ExceptionInformation[1],
				(unsigned int)want_code, want_access,
				want_address);
		race_add(&wrong, 1);
	}
	if (record->ExceptionCode != EXCEPTION_GUARD_PAGE)
		leave_out(pointers);
	return EXCEPTION_CONTINUE_EXECUTION;
}

static void access_as(char *at, DWORD code, ULONG_PTR access)
{
	want_code = code;
	want_access = access;
	want_address = (ULONG_PTR)at;
	got = 0;
	if (access == EXCEPTION_READ_FAULT)
		skip_read(at);
	else if (access == EXCEPTION_WRITE_FAULT)
		skip_write(at);
	else
		call(at);
	if (got != 1)
		race_add(&wrong, 1);
}

/* Guarded, protected, reserved and foreign memory in turn, in pages of its own */
static void *fault_on(void *arg)
{
	uint64_t seed = (uintptr_t)arg + 1;
	char *base = arena + (uintptr_t)arg * UNIT, *at;
	int rounds = rounds(exception_threads);
	DWORD old;

	while (rounds--) {
		at = base + race_random(&seed, 4) * PAGE +
		     race_random(&seed, PAGE);
		switch (race_random(&seed, 7)) {
		case 0:
			VirtualProtect(at, 1, PAGE_READWRITE | PAGE_GUARD,
				       &old);
			access_as(at, EXCEPTION_GUARD_PAGE,
				  EXCEPTION_WRITE_FAULT);
			break;
		case 1:
			VirtualProtect(at, 1, PAGE_READONLY | PAGE_GUARD, &old);
			access_as(at, EXCEPTION_GUARD_PAGE,
				  EXCEPTION_READ_FAULT);
			break;
		case 2:
			VirtualProtect(at, 1, PAGE_READONLY, &old);
			access_as(at, EXCEPTION_ACCESS_VIOLATION,
				  EXCEPTION_WRITE_FAULT);
			break;
		case 3:
			VirtualProtect(at, 1, PAGE_NOACCESS, &old);
			access_as(at, EXCEPTION_ACCESS_VIOLATION,
				  EXCEPTION_READ_FAULT);
			break;
		case 4:
			access_as(at + 8 * PAGE, EXCEPTION_ACCESS_VIOLATION,
				  EXCEPTION_EXECUTE_FAULT);
			break;
		case 5:
			access_as((char *)(uintptr_t)race_random(&seed, 4096),
				  EXCEPTION_ACCESS_VIOLATION,
				  EXCEPTION_WRITE_FAULT);
			break;
		case 6:
			if (nested(3, 2) != 2)
				race_add(&wrong, 1);
			break;
		}
	}
	return NULL;
}

/* Of blocks, too: what they handle is not for check_own(). */
static LONG CALLBACK check_own_or_search(EXCEPTION_POINTERS *pointers)
{
	if (!pointers->ExceptionRecord->ExceptionInformation[1])
		return EXCEPTION_CONTINUE_SEARCH;
	return check_own(pointers);
}

/* Memory for fault_on(), a part for each thread */
static bool make_arena(void)
{
	uintptr_t i;

	arena = VirtualAlloc(NULL, NR_THREADS * UNIT, MEM_RESERVE,
			     PAGE_READWRITE);
	for (i = 0; arena && i < NR_THREADS; i++)
		if (!VirtualAlloc(arena + i * UNIT, 8 * PAGE, MEM_COMMIT,
				  PAGE_READWRITE))
			return false;
	return arena;
}

/* Rules: EX-10, GP-01, EX-01 */
TEST(threads)
{
	struct crew crew = { 0 };
	uintptr_t i;

	ASSERT_TRUE(make_arena());
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, check_own_or_search));
	for (i = 0; i < NR_THREADS; i++)
		crew_add(&crew, fault_on, (void *)i);
	crew_join(&crew);
	EXPECT_EQ(0, wrong);
}

static DWORD WINAPI created_fault_on(void *arg)
{
	return fault_on(arg) ? 1 : 0;
}

/* Rules: EX-10, GP-01, EX-01 */
TEST(created_threads)
{
	HANDLE threads[NR_THREADS];
	uintptr_t i;

	ASSERT_TRUE(make_arena());
	for (i = 0; i < NR_THREADS; i++) {
		threads[i] = suspended(created_fault_on, (void *)i);
		ASSERT_NE(NULL, threads[i]);
	}
	ASSERT_NE(NULL, AddVectoredExceptionHandler(1, check_own_or_search));
	for (i = 0; i < NR_THREADS; i++)
		ResumeThread(threads[i]);
	for (i = 0; i < NR_THREADS; i++)
		EXPECT_EQ(0, end_of(threads[i]));
	EXPECT_EQ(0, wrong);
}

static struct crew changers;

static LONG CALLBACK pass(EXCEPTION_POINTERS *pointers)
{
	return EXCEPTION_CONTINUE_SEARCH;
}

static void *change_handlers(void *arg)
{
	PVOID handles[5];
	unsigned int i;

	while (crew_goes_on(&changers)) {
		for (i = 0; i < ARRAY_SIZE(handles); i++)
			handles[i] = AddVectoredExceptionHandler(i % 2, pass);
		for (i = 0; i < ARRAY_SIZE(handles); i++)
			if (!RemoveVectoredExceptionHandler(handles[i]))
				race_add(&wrong, 1);
	}
	return NULL;
}

static void *change_signals(void *arg)
{
	while (crew_goes_on(&changers)) {
		set_own(SIGSEGV, 0);
		if ((void *)signal(SIGSEGV, SIG_DFL) != (void *)own_handler)
			race_add(&wrong, 1);
	}
	return NULL;
}

/* Rules: EX-07, EX-10, EX-12. While handlers of all kinds come and go */
TEST(threads_and_changes)
{
	struct crew crew = { 0 };
	uintptr_t i;

	ASSERT_TRUE(make_arena());
	ASSERT_NE(NULL, AddVectoredExceptionHandler(0, check_own_or_search));
	crew_add(&changers, change_handlers, NULL);
	crew_add(&changers, change_handlers, NULL);
	crew_add(&changers, change_signals, NULL);
	for (i = 0; i < 3; i++)
		crew_add(&crew, fault_on, (void *)i);
	crew_join(&crew);
	crew_stop(&changers);
	EXPECT_EQ(0, wrong);
}

/* Run by exec_signal_state(): a fault where nothing handles it */
__attribute__((constructor)) static void default_run(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--default"))
		skip_write(NULL);
}

TEST_HARNESS_MAIN
