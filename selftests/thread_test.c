// SPDX-License-Identifier: GPL-2.0
/*
 * Threads, their stacks, what they wait for, and fibers (rules TH, ST, WT, TLS, FLS,
 * FB).
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <winregion/process.h>
#include <winregion/winternl.h>

#include "memory.h"
#include "rounds.h"
#include "wr_test_util.h"

#define BAD_HANDLE ((HANDLE)(uintptr_t)0x7ffc)
#define LONG_TIME 60000

/* The call fails with this error. */
#define FAILS(error, call) do {						\
	SetLastError(POISON);						\
	EXPECT_FALSE(call);						\
	EXPECT_EQ(error, GetLastError());				\
} while (0)

#define WAIT_FAILS(error, call) do {					\
	SetLastError(POISON);						\
	EXPECT_EQ(WAIT_FAILED, call);					\
	EXPECT_EQ(error, GetLastError());				\
} while (0)

static HANDLE run(LPTHREAD_START_ROUTINE start, void *argument)
{
	return CreateThread(NULL, 0, start, argument, 0, NULL);
}

/* Its exit code, once it has ended; the handle is closed. */
static DWORD end_of(HANDLE thread)
{
	DWORD code = POISON;

	if (WaitForSingleObject(thread, LONG_TIME) != WAIT_OBJECT_0 ||
	    !GetExitCodeThread(thread, &code) || !CloseHandle(thread))
		return POISON;
	return code;
}

static DWORD run_to_end(LPTHREAD_START_ROUTINE start, void *argument)
{
	return end_of(run(start, argument));
}

/* ---- the end of the process ---- */

static int end_with(void *code)
{
	ExitProcess((uintptr_t)code);
}

/* Rules: TH-22 */
TEST(exit_code_of_the_process)
{
	static const struct {
		UINT code;
		int seen;
	} codes[] = {
		{ 0, 0 }, { 3, 3 }, { 255, 255 }, { 0x12345607, 7 },
		{ 0x100, 1 }, { 0xc0000000, 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(codes); i++)
		EXPECT_EQ(codes[i].seen,
			  in_child(end_with, (void *)(uintptr_t)codes[i].code));
}

static void never_called(void)
{
	_exit(99);
}

static int end_at_once(void *code)
{
	CHECK(!atexit(never_called));
	TerminateProcess(GetCurrentProcess(), (uintptr_t)code);
	return __LINE__;
}

static int end_by_a_handle(void *code)
{
	HANDLE weak = OpenProcess(SYNCHRONIZE, FALSE, getpid());
	HANDLE self = OpenProcess(PROCESS_TERMINATE, FALSE, getpid());

	CHECK(weak && self);
	CHECK(!TerminateProcess(weak, 1) &&
	      GetLastError() == ERROR_ACCESS_DENIED);
	CHECK(!TerminateProcess(NULL, 1) &&
	      GetLastError() == ERROR_INVALID_HANDLE);
	TerminateProcess(self, (uintptr_t)code);
	return __LINE__;
}

/* Rules: TH-24 */
TEST(process_ends_at_once)
{
	EXPECT_EQ(0, in_child(end_at_once, NULL));
	EXPECT_EQ(5, in_child(end_at_once, (void *)5));
	EXPECT_EQ(1, in_child(end_at_once, (void *)0xc0000000));
	EXPECT_EQ(6, in_child(end_by_a_handle, (void *)6));
}

/* In a child, by the handle of its parent; that this ends is seen there. */
static int end_parent(void *parent)
{
	SetLastError(0);
	TerminateProcess(parent, 3);
	return GetLastError();
}

/* The exit code of a child of this process, unless that ends this one */
static int by_own_handle(void *flags)
{
	HANDLE self = OpenProcess(PROCESS_TERMINATE, FALSE, getpid());
	int how = (intptr_t)flags, status;
	pid_t pid;

	CHECK(self);
	if (how & CLONE_VFORK)
		pid = clone_sharing(end_parent, CLONE_VFORK, self);
	else
		pid = syscall(SYS_clone, how | SIGCHLD, 0, 0, 0, 0);
	if (!pid)
		_exit(end_parent(self));
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* There its own child has the number that it has, which is 1. */
static int by_number_1(void *unused)
{
	int status;
	pid_t pid;

	(void)unused;
	pid = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	if (!pid)
		_exit(by_own_handle((void *)(intptr_t)CLONE_NEWPID));
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Children of which no handler of pthread_atfork() knows. Rules: XP-11 */
TEST(handle_of_the_parent)
{
	EXPECT_EQ(-SIGKILL, in_child(by_own_handle, NULL));
	EXPECT_EQ(-SIGKILL,
		  in_child(by_own_handle, (void *)(intptr_t)CLONE_VFORK));
	if (geteuid())
		SKIP(return, "only root makes namespaces");
	EXPECT_EQ(ERROR_ACCESS_DENIED, in_child(by_number_1, NULL));
}

static volatile DWORD ending;

static DWORD WINAPI end_too(void *argument)
{
	(void)argument;
	ending = GetCurrentThreadId();
	ExitProcess(5);
}

/* It writes nothing itself: the buffer of its output is what the end leaves to exit(). */
static void another_end(void)
{
	bool alone = in_child(end_with, (void *)7) == 7;

	CloseHandle(run(end_too, NULL));
	if (alone && SETTLES(ending && thread_sleeps(ending)))
		printf("one end");
}

static int end_by_handlers(void *write_end)
{
	CHECK(dup2((uintptr_t)write_end, STDOUT_FILENO) == STDOUT_FILENO);
	CHECK(!atexit(another_end));
	ExitProcess(3);
}

/*
 * What atexit() was given is called, of one thread only, and output written; a child
 * that it makes ends by itself. Rules: TH-22, TH-23
 */
TEST(process_ends_once)
{
	char text[16] = "";
	int ends[2];

	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	EXPECT_EQ(3, in_child(end_by_handlers, (void *)(uintptr_t)ends[1]));
	close(ends[1]);
	EXPECT_EQ(7, read(ends[0], text, sizeof(text) - 1));
	EXPECT_STREQ("one end", text);
	close(ends[0]);
}

/* ---- threads ---- */

static DWORD WINAPI add_one(void *argument)
{
	return (DWORD)(uintptr_t)argument + 1;
}

/* Rules: TH-01, WT-13 */
TEST(runs_and_returns)
{
	HANDLE thread;
	DWORD i, code;

	for (i = 0; i < 20; i++) {
		thread = run(add_one, (void *)(uintptr_t)i);
		ASSERT_NE(NULL, thread);
		EXPECT_EQ(WAIT_OBJECT_0,
			  WaitForSingleObject(thread, INFINITE));
		EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(thread, 0));
		EXPECT_TRUE(GetExitCodeThread(thread, &code));
		EXPECT_EQ(i + 1, code);
		EXPECT_TRUE(CloseHandle(thread));
	}
	EXPECT_EQ(STILL_ACTIVE, run_to_end(add_one, (void *)258));
}

/* The compiler need not know that it does not return. */
typedef VOID WINAPI leave_fn(DWORD code);

static leave_fn *volatile leave = ExitThread;

static __attribute__((noinline)) void exit_below(int depth)
{
	volatile char room[500];

	room[0] = depth;
	if (depth)
		exit_below(depth - 1);
	else
		leave(77);
	asm volatile("" : : "r" (room) : "memory");
}

static DWORD WINAPI exit_deep(void *argument)
{
	exit_below(50);
	return 1;
}

/* Rules: TH-03 */
TEST(exit_from_any_depth)
{
	EXPECT_EQ(77, run_to_end(exit_deep, NULL));
}

/* Rules: TH-02, TH-04, TH-06 */
TEST(suspended)
{
	DWORD id = 0, code;
	HANDLE thread = CreateThread(NULL, 0, add_one, (void *)4,
				     CREATE_SUSPENDED, &id);

	ASSERT_NE(NULL, thread);
	EXPECT_NE(0, id);
	EXPECT_EQ(id, GetThreadId(thread));
	EXPECT_EQ(GetCurrentProcessId(), GetProcessIdOfThread(thread));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(thread, 50));
	EXPECT_TRUE(GetExitCodeThread(thread, &code));
	EXPECT_EQ(STILL_ACTIVE, code);
	EXPECT_EQ(1, ResumeThread(thread));
	EXPECT_EQ(0, ResumeThread(thread));
	EXPECT_EQ(5, end_of(thread));
}

static DWORD WINAPI my_id(void *argument)
{
	HANDLE self = NULL;

	if (GetThreadId(GetCurrentThread()) != GetCurrentThreadId() ||
	    !DuplicateHandle(SELF, GetCurrentThread(), SELF, &self, 0, FALSE,
			     DUPLICATE_SAME_ACCESS))
		return 0;
	*(HANDLE *)argument = self;
	return GetCurrentThreadId();
}

/* Rules: TH-06, TH-07 */
TEST(own_handle)
{
	HANDLE thread, same = NULL;
	DWORD id = 0, code = 0;

	thread = CreateThread(NULL, 0, my_id, &same, 0, &id);
	ASSERT_NE(NULL, thread);
	EXPECT_EQ(id, end_of(thread));
	EXPECT_EQ(id, GetThreadId(same));
	EXPECT_TRUE(GetExitCodeThread(same, &code));
	EXPECT_EQ(id, code);
	EXPECT_EQ(id, end_of(same));

	/* The first thread, which nobody has made */
	EXPECT_EQ((HANDLE)(intptr_t)-2, GetCurrentThread());
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(GetCurrentThread(), 0));
	EXPECT_EQ(GetCurrentThreadId(), GetThreadId(GetCurrentThread()));
	EXPECT_TRUE(CloseHandle(GetCurrentThread()));
}

/* Rules: TH-05, TH-08, TH-09, TH-10, TH-11 */
TEST(errors_of_threads)
{
	HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL), thread, weak;
	DWORD code = 17;

	FAILS(87, CreateThread(NULL, 0, add_one, NULL, 1, NULL));
	FAILS(87, CreateThread(NULL, 0, add_one, NULL, 0x80000000, NULL));
	FAILS(998, CreateThread(NULL, 0, add_one, NULL, 0,
				(DWORD *)KERNEL_ADDRESS));
	FAILS(8, CreateThread(NULL, (SIZE_T)1 << 60, add_one, NULL, 0, NULL));
	thread = CreateThread(NULL, 0, add_one, NULL, CREATE_SUSPENDED, NULL);
	ASSERT_NE(NULL, thread);
	FAILS(998, GetExitCodeThread(thread, NULL));
	FAILS(6, GetExitCodeThread(event, &code));
	FAILS(6, GetExitCodeThread(BAD_HANDLE, &code));
	FAILS(6, GetExitCodeThread(SELF, &code));
	EXPECT_EQ(17, code);
	FAILS(6, GetThreadId(event));
	WAIT_FAILS(6, ResumeThread(event));
	FAILS(6, TerminateThread(BAD_HANDLE, 1));
	FAILS(50, TerminateThread(thread, 1));
	/* Less than is needed */
	ASSERT_TRUE(DuplicateHandle(SELF, thread, SELF, &weak, SYNCHRONIZE,
				    FALSE, 0));
	FAILS(5, GetExitCodeThread(weak, &code));
	FAILS(5, GetThreadId(weak));
	FAILS(5, TerminateThread(weak, 1));
	WAIT_FAILS(5, ResumeThread(weak));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(weak, 0));
	EXPECT_TRUE(CloseHandle(weak));
	ASSERT_TRUE(DuplicateHandle(SELF, thread, SELF, &weak,
				    THREAD_SUSPEND_RESUME, FALSE, 0));
	WAIT_FAILS(5, WaitForSingleObject(weak, 0));
	EXPECT_EQ(1, ResumeThread(weak));
	EXPECT_TRUE(CloseHandle(weak));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(thread, LONG_TIME));
	FAILS(5, TerminateThread(thread, 1));
	EXPECT_EQ(1, end_of(thread));
	EXPECT_TRUE(CloseHandle(event));
	FAILS(6, GetExitCodeThread(thread, &code));
}

static DWORD WINAPI terminate_itself(void *argument)
{
	TerminateThread(GetCurrentThread(), 31);
	return 1;
}

/* Rules: TH-10 */
TEST(terminates_itself)
{
	EXPECT_EQ(31, run_to_end(terminate_itself, NULL));
}

static volatile LONG counted;

static DWORD WINAPI count(void *argument)
{
	InterlockedIncrement(&counted);
	return 0;
}

static bool counted_to(LONG n)
{
	int i;

	for (i = 0; i < 6000 && counted != n; i++)
		Sleep(10);
	return counted == n;
}

static uint64_t regions(void)
{
	struct winregion_get_info info = { 0 };

	return winregion_get_info(&info) ? ~0ULL : info.out_regions;
}

/* Nothing is left of a thread whose handle nobody has. Rules: TH-12, ST-08 */
TEST(without_handles)
{
	uint64_t before = regions();
	int i;

	counted = 0;
	for (i = 0; i < 300; i++)
		ASSERT_TRUE(CloseHandle(run(count, NULL)));
	EXPECT_TRUE(counted_to(300));
	/* A few stacks are kept, and the last ones may not be over yet. */
	for (i = 0; i < 20; i++)
		EXPECT_EQ(1, run_to_end(add_one, NULL));
	EXPECT_GE(before + 16, regions());
}

/* Rules: TH-14 */
TEST(as_the_c_library_makes_them)
{
	unsigned int id = 0;
	uintptr_t thread;

	thread = _beginthreadex(NULL, 0, add_one, (void *)6, 0, &id);
	ASSERT_NE(0, thread);
	EXPECT_EQ(id, GetThreadId((HANDLE)thread));
	EXPECT_EQ(7, end_of((HANDLE)thread));
	errno = 0;
	EXPECT_EQ(0, _beginthreadex(NULL, 0, NULL, NULL, 0, NULL));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_EQ(0, _beginthreadex(NULL, 0, add_one, NULL, 1, NULL));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_EQ((uintptr_t)-1, _beginthread(NULL, 0, NULL));
	EXPECT_EQ(EINVAL, errno);
}

static void count_no_more(void *argument)
{
}

/* What makes threads where the user may have none more */
static int make_none(void *unused)
{
	const struct rlimit none = { 0, 0 };
	HANDLE next = CreateEventA(NULL, TRUE, FALSE, NULL);

	CHECK(CloseHandle(next));
	CHECK(setrlimit(RLIMIT_NPROC, &none) == 0);
	CHECK(getuid() || setuid(65534) == 0);
	SetLastError(POISON);
	CHECK(!run(add_one, NULL) && GetLastError() == 8);
	errno = 0;
	CHECK(!_beginthreadex(NULL, 0, add_one, NULL, 0, NULL));
	CHECK(errno == EAGAIN);
	errno = 0;
	CHECK(_beginthread(count_no_more, 0, NULL) == (uintptr_t)-1);
	CHECK(errno == EAGAIN);
	/* Nor is there a handle of one. */
	CHECK(CreateEventA(NULL, TRUE, FALSE, NULL) == next);
	return 0;
}

/* Rules: TH-14, TH-19 */
TEST(none_is_made)
{
	EXPECT_EQ(0, in_child(make_none, NULL));
}

static void count_and_end(void *argument)
{
	InterlockedIncrement(&counted);
	_endthread();
}

static DWORD WINAPI end_with_nine(void *argument)
{
	_endthreadex(9);
}

/* Rules: TH-14 */
TEST(ends_as_the_c_library_ends_them)
{
	counted = 0;
	EXPECT_NE((uintptr_t)-1, _beginthread(count_and_end, 0, NULL));
	EXPECT_TRUE(counted_to(1));
	EXPECT_EQ(9, run_to_end(end_with_nine, NULL));
}

/* ---- callbacks ---- */

/* Who has been called for what, a letter each */
static __thread char told[8];

static void tell(char letter)
{
	told[strlen(told)] = letter;
}

static DWORD callback_index = TLS_OUT_OF_INDEXES;
/* Where the end of the program is to be seen from outside */
static char *at_exit;

static void NTAPI first_callback(void *module, DWORD reason, void *reserved)
{
	static const char letters[] = "PABE";

	tell(reason < 4 && !module && !reserved ? letters[reason] : '?');
}

static void NTAPI second_callback(void *module, DWORD reason, void *reserved)
{
	static const char letters[] = "pabe";

	tell(reason < 4 ? letters[reason] : '?');
	if (reason == DLL_PROCESS_DETACH && at_exit)
		memcpy(at_exit, told, sizeof(told));
	if (reason == DLL_THREAD_DETACH && TlsGetValue(callback_index))
		memcpy(TlsGetValue(callback_index), told, sizeof(told));
}

/* The linker has them in the order of their names. */
#define CALLBACK_IN(name) \
	__attribute__((section(".CRT$XL" name), used)) const PIMAGE_TLS_CALLBACK

static CALLBACK_IN("C") second = second_callback;
static CALLBACK_IN("B") none;
static CALLBACK_IN("A") first = first_callback;

/* Leaves all that it was told by its end in @argument. */
static DWORD WINAPI be_told(void *argument)
{
	TlsSetValue(callback_index, argument);
	tell('-');
	return 0;
}

static DWORD WINAPI exit_when_told(void *argument)
{
	be_told(argument);
	ExitThread(0);
}

static void *be_told_plainly(void *argument)
{
	be_told(argument);
	return NULL;
}

/* Rules: TH-16 */
TEST(callbacks)
{
	char at_end[8] = "";

	/* A child of the thread that began the program */
	EXPECT_STREQ("Aa", told);
	callback_index = TlsAlloc();
	ASSERT_NE(TLS_OUT_OF_INDEXES, callback_index);
	EXPECT_EQ(0, run_to_end(be_told, at_end));
	EXPECT_STREQ("Bb-Ee", at_end);
}

/* Rules: TH-17 */
TEST(callbacks_of_other_ends)
{
	char at_end[8] = "";
	pthread_t thread;

	callback_index = TlsAlloc();
	ASSERT_NE(TLS_OUT_OF_INDEXES, callback_index);
	EXPECT_EQ(0, run_to_end(exit_when_told, at_end));
	EXPECT_STREQ("Bb-Ee", at_end);
	memset(at_end, 0, sizeof(at_end));
	ASSERT_EQ(0, pthread_create(&thread, NULL, be_told_plainly, at_end));
	pthread_join(thread, NULL);
	EXPECT_STREQ("-Ee", at_end);
}

/* Rules: TH-16. The last ones are called by exit(), which a child comes to. */
TEST(callbacks_of_the_program)
{
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, shared);
	pid = fork();
	if (!pid) {
		at_exit = shared;
		exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_STREQ("AaPp", shared);
}

/* ---- before main() ---- */

static struct _TEB *early_teb;
static DWORD early_code;

__attribute__((constructor)) static void begin_early(void)
{
	early_teb = NtCurrentTeb();
	early_code = run_to_end(add_one, (void *)7);
}

/* Rules: TH-18 */
TEST(before_main)
{
	EXPECT_NE(NULL, early_teb);
	EXPECT_EQ(NtCurrentTeb(), early_teb);
	EXPECT_EQ(8, early_code);
}

/* ---- stacks ---- */

struct bounds {
	ULONG_PTR low, high;
	char *base, *limit, *deallocation;
	MEMORY_BASIC_INFORMATION page, below;
};

static DWORD WINAPI find_bounds(void *argument)
{
	struct bounds *bounds = argument;
	TEB *teb = NtCurrentTeb();

	GetCurrentThreadStackLimits(&bounds->low, &bounds->high);
	bounds->base = teb->NtTib.StackBase;
	bounds->limit = teb->NtTib.StackLimit;
	bounds->deallocation = teb->DeallocationStack;
	VirtualQuery(bounds->limit, &bounds->page, sizeof(bounds->page));
	VirtualQuery(bounds->limit - PAGE, &bounds->below,
		     sizeof(bounds->below));
	return (char *)argument >= bounds->base ? 1 :
	       (char *)&teb < bounds->limit ? 2 :
	       teb->NtTib.Self != &teb->NtTib ? 3 : 0;
}

/* Runs on a stack of this size; returns what it has reserved. */
static size_t reserved_for(struct __test_metadata *_metadata, SIZE_T size,
			   DWORD flags, struct bounds *bounds)
{
	HANDLE thread = CreateThread(NULL, size, find_bounds, bounds, flags,
				     NULL);

	EXPECT_NE(NULL, thread);
	EXPECT_GE(1, end_of(thread));
	EXPECT_EQ(bounds->low, (ULONG_PTR)bounds->deallocation);
	EXPECT_EQ(bounds->high, (ULONG_PTR)bounds->base);
	EXPECT_EQ(bounds->deallocation, bounds->page.AllocationBase);
	EXPECT_EQ(MEM_COMMIT, bounds->page.State);
	EXPECT_EQ(PAGE_READWRITE, bounds->page.Protect);
	EXPECT_EQ((size_t)(bounds->base - bounds->limit),
		  bounds->page.RegionSize);
	EXPECT_EQ(MEM_COMMIT, bounds->below.State);
	EXPECT_EQ(PAGE_READWRITE | PAGE_GUARD, bounds->below.Protect);
	EXPECT_EQ(PAGE, bounds->below.RegionSize);
	EXPECT_EQ(MEM_PRIVATE, bounds->page.Type);
	return bounds->base - bounds->deallocation;
}

#define RESERVATION STACK_SIZE_PARAM_IS_A_RESERVATION

/* Rules: ST-01, ST-02, ST-03 */
TEST(sizes_of_stacks)
{
	struct bounds bounds;

	EXPECT_EQ(MIB(1), reserved_for(_metadata, 0, 0, &bounds));
	EXPECT_GE(KIB(64), bounds.page.RegionSize);
	EXPECT_EQ(MIB(1), reserved_for(_metadata, 0, RESERVATION, &bounds));
	EXPECT_EQ(MIB(1), reserved_for(_metadata, KIB(256), 0, &bounds));
	EXPECT_EQ(KIB(256), bounds.page.RegionSize);
	EXPECT_EQ(KIB(256),
		  reserved_for(_metadata, KIB(256), RESERVATION, &bounds));
	EXPECT_EQ(KIB(192),
		  reserved_for(_metadata, KIB(128) + 1, RESERVATION, &bounds));
	EXPECT_EQ(MIB(64),
		  reserved_for(_metadata, MIB(64), RESERVATION, &bounds));
	/* More to commit than is reserved: in steps of 1 MiB */
	EXPECT_EQ(MIB(3), reserved_for(_metadata, MIB(2) + 5, 0, &bounds));
	EXPECT_EQ(MIB(2) + PAGE, bounds.page.RegionSize);
}

static __attribute__((noinline)) int go_down(int depth)
{
	volatile char room[2000];
	int below;

	room[0] = 0;
	room[1999] = 0;
	below = depth ? go_down(depth - 1) + 1 : 0;
	asm volatile("" : : "r" (room) : "memory");
	return below + room[1999];
}

static DWORD WINAPI go_deep(void *argument)
{
	struct bounds *bounds = argument;

	if (go_down(200) != 200)
		return 9;
	return find_bounds(bounds);
}

/* Rules: GP-17, ST-04 */
TEST(grows)
{
	struct bounds bounds;

	EXPECT_EQ(1, run_to_end(go_deep, &bounds) | 1);
	EXPECT_LE(KIB(400), bounds.page.RegionSize);
	EXPECT_EQ(PAGE_READWRITE | PAGE_GUARD, bounds.below.Protect);
}

static __thread sigjmp_buf out;
static __thread volatile int nr_overflows;

static void on_overflow(int sig)
{
	nr_overflows++;
	siglongjmp(out, 1);
}

struct overflow {
	ULONG guarantee;
	int caught, reset;
	size_t left;
};

static DWORD WINAPI overflow(void *argument)
{
	stack_t alternate = { .ss_size = KIB(64) };
	struct sigaction action = { .sa_handler = on_overflow,
				    .sa_flags = SA_ONSTACK };
	struct overflow *overflow = argument;
	ULONG guarantee = overflow->guarantee;
	volatile int i;

	SetThreadStackGuarantee(&guarantee);
	alternate.ss_sp = malloc(KIB(64));
	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	for (i = 0; i < 3; i++) {
		if (!sigsetjmp(out, 1))
			go_down(1 << 30);
		overflow->reset += _resetstkoflw();
	}
	overflow->caught = nr_overflows;
	overflow->left = (char *)((TEB *)NtCurrentTeb())->NtTib.StackLimit -
			 (char *)((TEB *)NtCurrentTeb())->DeallocationStack;
	alternate.ss_flags = SS_DISABLE;
	sigaltstack(&alternate, NULL);
	free(alternate.ss_sp);
	return 0;
}

/* Each time that there is a guard again. Rules: GP-17, ST-05, ST-06 */
TEST(overflows)
{
	struct overflow plain = { 0 }, guaranteed = { .guarantee = KIB(20) };

	EXPECT_EQ(0, run_to_end(overflow, &plain));
	EXPECT_EQ(3, plain.caught);
	EXPECT_EQ(3, plain.reset);
	EXPECT_EQ(2 * PAGE, plain.left);
	EXPECT_EQ(0, run_to_end(overflow, &guaranteed));
	EXPECT_EQ(3, guaranteed.caught);
	EXPECT_EQ(3, guaranteed.reset);
	EXPECT_EQ(KIB(20) + 2 * PAGE, guaranteed.left);
}

static DWORD WINAPI guarantee_more(void *argument)
{
	ULONG bytes = 0;

	if (!SetThreadStackGuarantee(&bytes) || bytes)
		return 1;
	bytes = 5000;
	if (!SetThreadStackGuarantee(&bytes) || bytes)
		return 2;
	bytes = 0;
	if (!SetThreadStackGuarantee(&bytes) || bytes != 8192)
		return 3;
	bytes = 4096; /* it never becomes less */
	if (!SetThreadStackGuarantee(&bytes) || bytes != 8192)
		return 4;
	bytes = 0;
	if (!SetThreadStackGuarantee(&bytes) || bytes != 8192)
		return 5;
	bytes = MIB(1);
	if (SetThreadStackGuarantee(&bytes) || GetLastError() != 87 ||
	    bytes != MIB(1))
		return 6;
	bytes = 0xffffffff;
	if (SetThreadStackGuarantee(&bytes) || GetLastError() != 87)
		return 7;
	if (SetThreadStackGuarantee(NULL) || GetLastError() != 998)
		return 8;
	return 0;
}

/* Each thread begins without. Rules: ST-05 */
TEST(guarantees)
{
	ULONG bytes = 4096;

	EXPECT_EQ(0, run_to_end(guarantee_more, NULL));
	EXPECT_EQ(0, run_to_end(guarantee_more, NULL));
	/* A stack that is none of the module's */
	FAILS(50, SetThreadStackGuarantee(&bytes));
	bytes = 0;
	EXPECT_TRUE(SetThreadStackGuarantee(&bytes));
	EXPECT_EQ(0, bytes);
}

/* The first thread's is what the system says. Rules: ST-03, TH-13 */
TEST(first_stack)
{
	ULONG_PTR low, high;
	TEB *teb = NtCurrentTeb();

	GetCurrentThreadStackLimits(&low, &high);
	EXPECT_LT(low, (ULONG_PTR)&low);
	EXPECT_GT(high, (ULONG_PTR)&low);
	EXPECT_LE(low, (ULONG_PTR)teb->NtTib.StackLimit);
	EXPECT_GT((ULONG_PTR)&low, (ULONG_PTR)teb->NtTib.StackLimit);
	EXPECT_EQ(high, (ULONG_PTR)teb->NtTib.StackBase);
	EXPECT_EQ(teb, NtCurrentTeb());
}

static __attribute__((noinline)) int leap(size_t bytes)
{
	volatile char room[bytes];

	room[0] = 3;
	asm volatile("" : : "r" (room) : "memory");
	return room[0];
}

static void *leap_down(void *argument)
{
	struct bounds *bounds = argument;
	ULONG guarantee = PAGE;

	if (leap(KIB(300)) != 3 || find_bounds(bounds) == 2 ||
	    !SetThreadStackGuarantee(&guarantee) || leap(KIB(500)) != 3)
		return (void *)1;
	return NULL;
}

/* Plain threads, whose frames leap over a guard. Rules: GP-17, ST-07 */
TEST(stack_for_a_plain_thread)
{
	struct bounds bounds;
	pthread_attr_t attr;
	pthread_t thread;
	void *base, *result = &attr;
	size_t size;

	ASSERT_EQ(0, pthread_attr_init(&attr));
	ASSERT_EQ(0, winregion_thread_attr(&attr, 0));
	ASSERT_EQ(0, pthread_attr_getstack(&attr, &base, &size));
	EXPECT_EQ(MIB(1), size);
	ASSERT_EQ(0, pthread_create(&thread, &attr, leap_down, &bounds));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(NULL, result);
	EXPECT_EQ(base, bounds.deallocation);
	EXPECT_EQ((char *)base + size, bounds.base);
	EXPECT_LE(KIB(300), bounds.page.RegionSize);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	ASSERT_EQ(0, winregion_thread_attr(&attr, MIB(16) + 1));
	ASSERT_EQ(0, pthread_attr_getstack(&attr, &base, &size));
	EXPECT_EQ(MIB(16) + KIB(64), size);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	EXPECT_EQ(-ENOMEM, winregion_thread_attr(&attr, (size_t)1 << 60));
	pthread_attr_destroy(&attr);
}

static DWORD WINAPI leap_in_thread(void *argument)
{
	return leap(KIB(300));
}

/* Rules: ST-07 */
TEST(leaps_if_told_to)
{
	EXPECT_EQ(-EOPNOTSUPP, winregion_stack_flags(2));
	ASSERT_EQ(0, winregion_stack_flags(WINREGION_STACK_LEAPS));
	EXPECT_EQ(3, run_to_end(leap_in_thread, NULL));
	ASSERT_EQ(0, winregion_stack_flags(0));
}

static HANDLE all_started, may_end;

static DWORD WINAPI stay(void *argument)
{
	if (InterlockedIncrement(&counted) == (LONG)(intptr_t)argument)
		SetEvent(all_started);
	WaitForSingleObject(may_end, INFINITE);
	return 0;
}

/* Rules: ST-08 */
TEST(many_threads)
{
	size_t before = count_all_vmas();
	const int nr = rounds(thread_many);
	HANDLE *threads = calloc(nr, sizeof(*threads));
	int i;

	counted = 0;
	all_started = CreateEventA(NULL, TRUE, FALSE, NULL);
	may_end = CreateEventA(NULL, TRUE, FALSE, NULL);
	for (i = 0; i < nr; i++) {
		threads[i] = run(stay, (void *)(intptr_t)nr);
		ASSERT_NE(NULL, threads[i]);
	}
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(all_started, LONG_TIME));
	EXPECT_GT(100, count_all_vmas() - before);
	EXPECT_TRUE(SetEvent(may_end));
	for (i = 0; i < nr; i++)
		EXPECT_EQ(0, end_of(threads[i]));
	EXPECT_GE(16, regions());
	EXPECT_TRUE(CloseHandle(all_started));
	EXPECT_TRUE(CloseHandle(may_end));
	free(threads);
}

/* ---- alternate stacks ---- */

/* What a program, or a library of its, does where threads are made */
struct given {
	stack_t stack;
	/* What the thread has then, and at its end */
	stack_t inside, at_end;
	void (*leave)(void);
	/* The thread's own */
	void *(*start)(void *argument);
	void *argument;
};

static struct given *to_give;

static void take_back(void *data)
{
	const stack_t none = { .ss_flags = SS_DISABLE };
	struct given *given = data;

	sigaltstack(&none, &given->at_end);
}

static void *start_with_stack(void *data)
{
	struct given *given = data;

	sigaltstack(&given->stack, NULL);
	pthread_cleanup_push(take_back, given);
	given->start(given->argument);
	pthread_cleanup_pop(1);
	return NULL;
}

/* The linker has this one called for pthread_create(), and that one as "__real_". */
typedef int create_fn(pthread_t *thread, const pthread_attr_t *attr,
		      void *(*start)(void *), void *argument);
extern create_fn __real_pthread_create, __wrap_pthread_create;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*start)(void *), void *argument)
{
	struct given *given = to_give;

	if (!given)
		return __real_pthread_create(thread, attr, start, argument);
	to_give = NULL;
	given->start = start;
	given->argument = argument;
	return __real_pthread_create(thread, attr, start_with_stack, given);
}

static DWORD WINAPI look_inside(void *argument)
{
	struct given *given = argument;

	sigaltstack(NULL, &given->inside);
	given->leave();
	return 0;
}

static void leave_by_return(void)
{
}

static void leave_by_exit_thread(void)
{
	ExitThread(0);
}

static void leave_by_pthread_exit(void)
{
	pthread_exit(NULL);
}

static void leave_by_cancel(void)
{
	pthread_cancel(pthread_self());
	pthread_testcancel();
}

static LONG WINAPI exit_in_handler(EXCEPTION_POINTERS *pointers)
{
	ExitThread(0);
}

static void leave_in_handler(void)
{
	AddVectoredExceptionHandler(1, exit_in_handler);
	*(volatile char *)PAGE = 1;
}

static void (*const ways_to_leave[])(void) = {
	leave_by_return, leave_by_exit_thread, leave_by_pthread_exit,
	leave_by_cancel, leave_in_handler,
};

/* A thread that had an alternate stack of @size bytes when it was made */
static struct given run_given(void *stack, size_t size, void (*leave)(void))
{
	struct given given = {
		.stack = { .ss_sp = stack, .ss_size = size },
		.leave = leave,
	};
	HANDLE thread;

	to_give = &given;
	thread = run(look_inside, &given);
	end_of(thread);
	return given;
}

/* Handlers have their 32 KiB, and each finds again what he has given. Rules: ST-09 */
TEST(alternate_stacks_of_others)
{
	const size_t small = 20480, large = 262144;
	void *stack = mmap(NULL, large, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct given given;
	size_t i;

	ASSERT_NE(MAP_FAILED, stack);
	for (i = 0; i < ARRAY_SIZE(ways_to_leave); i++) {
		given = run_given(stack, small, ways_to_leave[i]);
		EXPECT_NE(stack, given.inside.ss_sp);
		EXPECT_LE(32768, given.inside.ss_size);
		EXPECT_EQ(stack, given.at_end.ss_sp);
		EXPECT_EQ(small, given.at_end.ss_size);
		given = run_given(stack, large, ways_to_leave[i]);
		EXPECT_EQ(stack, given.inside.ss_sp);
		EXPECT_EQ(stack, given.at_end.ss_sp);
		EXPECT_EQ(large, given.at_end.ss_size);
	}
}

static char own_stack[65536];

static void set_own(void)
{
	const stack_t own = {
		.ss_sp = own_stack,
		.ss_size = sizeof(own_stack),
	};

	sigaltstack(&own, NULL);
}

/* Nor is one taken away that the thread has set itself. Rules: ST-09 */
TEST(alternate_stack_of_its_own)
{
	static char stack[20480];
	struct given given = run_given(stack, sizeof(stack), set_own);

	EXPECT_NE((void *)stack, given.inside.ss_sp);
	EXPECT_EQ((void *)own_stack, given.at_end.ss_sp);
}

/* ---- waiting ---- */

/* Rules: WT-01, WT-02, WT-14 */
TEST(events)
{
	HANDLE manual, automatic;

	SetLastError(POISON);
	manual = CreateEventA(NULL, TRUE, FALSE, NULL);
	EXPECT_EQ(0, GetLastError());
	automatic = CreateEventW(NULL, FALSE, TRUE, NULL);
	ASSERT_NE(NULL, manual);
	ASSERT_NE(NULL, automatic);
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(manual, 0));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObjectEx(manual, 20, TRUE));
	EXPECT_TRUE(SetEvent(manual));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(manual, 0));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(manual, INFINITE));
	EXPECT_TRUE(ResetEvent(manual));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(manual, 0));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(automatic, 0));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(automatic, 0));
	EXPECT_TRUE(SetEvent(automatic));
	EXPECT_TRUE(SetEvent(automatic));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(automatic, 1000));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(automatic, 0));
	EXPECT_TRUE(CloseHandle(manual));
	manual = CreateEventExA(NULL, NULL,
				CREATE_EVENT_MANUAL_RESET |
				CREATE_EVENT_INITIAL_SET, SYNCHRONIZE);
	ASSERT_NE(NULL, manual);
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(manual, 0));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(manual, 0));
	FAILS(5, ResetEvent(manual));
	EXPECT_TRUE(CloseHandle(manual));
	EXPECT_TRUE(CloseHandle(automatic));
}

static DWORD WINAPI wait_and_count(void *argument)
{
	DWORD ret = WaitForSingleObject(argument, LONG_TIME);

	if (ret == WAIT_OBJECT_0)
		InterlockedIncrement(&counted);
	return ret;
}

/* Rules: WT-02, WT-12 */
TEST(one_or_all_go_on)
{
	HANDLE event = CreateEventA(NULL, FALSE, FALSE, NULL), threads[8];
	int i;

	counted = 0;
	for (i = 0; i < 8; i++)
		threads[i] = run(wait_and_count, event);
	Sleep(100);
	EXPECT_EQ(0, counted);
	for (i = 1; i <= 3; i++) {
		EXPECT_TRUE(SetEvent(event));
		EXPECT_TRUE(counted_to(i));
	}
	Sleep(100);
	EXPECT_EQ(3, counted);
	for (; i <= 8; i++) {
		EXPECT_TRUE(SetEvent(event));
		EXPECT_TRUE(counted_to(i));
	}
	for (i = 0; i < 8; i++)
		EXPECT_EQ(WAIT_OBJECT_0, end_of(threads[i]));
	EXPECT_TRUE(CloseHandle(event));

	event = CreateEventA(NULL, TRUE, FALSE, NULL);
	counted = 0;
	for (i = 0; i < 8; i++)
		threads[i] = run(wait_and_count, event);
	Sleep(200);
	EXPECT_TRUE(PulseEvent(event));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(event, 0));
	/* Who was late waits for the next one. */
	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(counted_to(8));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(WAIT_OBJECT_0, end_of(threads[i]));
	EXPECT_TRUE(CloseHandle(event));
}

static DWORD WINAPI release_it(void *argument)
{
	return ReleaseMutex(argument) ? 0 : GetLastError();
}

static DWORD WINAPI try_it(void *argument)
{
	return WaitForSingleObject(argument, 0);
}

static DWORD WINAPI abandon_it(void *argument)
{
	WaitForSingleObject(argument, INFINITE);
	WaitForSingleObject(argument, INFINITE);
	return 0;
}

/* Rules: WT-03, WT-04 */
TEST(mutexes)
{
	HANDLE mutex = CreateMutexA(NULL, TRUE, NULL), thread;

	ASSERT_NE(NULL, mutex);
	EXPECT_EQ(0, GetLastError());
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(mutex, 0));
	EXPECT_EQ(WAIT_TIMEOUT, run_to_end(try_it, mutex));
	EXPECT_EQ(288, run_to_end(release_it, mutex));
	EXPECT_TRUE(ReleaseMutex(mutex));
	EXPECT_EQ(WAIT_TIMEOUT, run_to_end(try_it, mutex));
	EXPECT_TRUE(ReleaseMutex(mutex));
	FAILS(288, ReleaseMutex(mutex));
	/* Who has it and ends */
	EXPECT_EQ(WAIT_OBJECT_0, run_to_end(try_it, mutex));
	EXPECT_EQ(WAIT_ABANDONED, WaitForSingleObject(mutex, 0));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(mutex, 0));
	EXPECT_TRUE(ReleaseMutex(mutex));
	EXPECT_TRUE(ReleaseMutex(mutex));
	thread = run(abandon_it, mutex);
	EXPECT_EQ(0, end_of(thread));
	EXPECT_EQ(WAIT_ABANDONED, WaitForSingleObject(mutex, LONG_TIME));
	EXPECT_TRUE(ReleaseMutex(mutex));
	FAILS(288, ReleaseMutex(mutex));
	/* Closed by who has it */
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(mutex, 0));
	EXPECT_TRUE(CloseHandle(mutex));
	mutex = CreateMutexExW(NULL, NULL, CREATE_MUTEX_INITIAL_OWNER,
			       MUTEX_ALL_ACCESS);
	EXPECT_TRUE(ReleaseMutex(mutex));
	FAILS(6, ReleaseSemaphore(mutex, 1, NULL));
	EXPECT_TRUE(CloseHandle(mutex));
}

/* Rules: WT-05 */
TEST(semaphores)
{
	HANDLE semaphore = CreateSemaphoreA(NULL, 2, 3, NULL);
	LONG before = 17;

	ASSERT_NE(NULL, semaphore);
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(semaphore, 0));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(semaphore, 0));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(semaphore, 0));
	FAILS(87, ReleaseSemaphore(semaphore, 0, &before));
	FAILS(87, ReleaseSemaphore(semaphore, -1, &before));
	FAILS(298, ReleaseSemaphore(semaphore, 4, &before));
	EXPECT_EQ(17, before);
	EXPECT_TRUE(ReleaseSemaphore(semaphore, 2, &before));
	EXPECT_EQ(0, before);
	FAILS(298, ReleaseSemaphore(semaphore, 2, NULL));
	FAILS(998, ReleaseSemaphore(semaphore, 1, (LONG *)KERNEL_ADDRESS));
	EXPECT_TRUE(ReleaseSemaphore(semaphore, 1, &before));
	EXPECT_EQ(2, before);
	EXPECT_TRUE(CloseHandle(semaphore));
	FAILS(87, CreateSemaphoreA(NULL, -1, 3, NULL));
	FAILS(87, CreateSemaphoreA(NULL, 4, 3, NULL));
	FAILS(87, CreateSemaphoreW(NULL, 0, 0, NULL));
	FAILS(87, CreateSemaphoreExA(NULL, 0, 1, NULL, 1, 0));
}

/* Rules: WT-06, WT-07 */
TEST(several)
{
	HANDLE objects[3] = {
		CreateEventA(NULL, FALSE, FALSE, NULL),
		CreateEventA(NULL, FALSE, FALSE, NULL),
		CreateMutexA(NULL, FALSE, NULL),
	};

	EXPECT_EQ(WAIT_OBJECT_0 + 2,
		  WaitForMultipleObjects(3, objects, FALSE, 0));
	EXPECT_TRUE(SetEvent(objects[1]));
	EXPECT_EQ(WAIT_OBJECT_0 + 1,
		  WaitForMultipleObjects(3, objects, FALSE, 0));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForMultipleObjects(2, objects, FALSE, 20));
	/* None is taken before all can be. */
	EXPECT_TRUE(SetEvent(objects[0]));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForMultipleObjects(3, objects, TRUE, 20));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(objects[0], 0));
	EXPECT_TRUE(SetEvent(objects[0]));
	EXPECT_TRUE(SetEvent(objects[1]));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForMultipleObjectsEx(3, objects, TRUE,
							  LONG_TIME, FALSE));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(objects[0], 0));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(objects[1], 0));
	EXPECT_TRUE(ReleaseMutex(objects[2]));
	EXPECT_TRUE(ReleaseMutex(objects[2]));
	FAILS(288, ReleaseMutex(objects[2]));
	/* Which one was abandoned */
	EXPECT_EQ(WAIT_OBJECT_0, run_to_end(try_it, objects[2]));
	EXPECT_EQ(WAIT_ABANDONED_0 + 2,
		  WaitForMultipleObjects(3, objects, FALSE, 0));
	EXPECT_EQ(WAIT_OBJECT_0 + 2,
		  WaitForMultipleObjects(3, objects, FALSE, 0));
}

struct all {
	HANDLE objects[2];
	volatile LONG taken;
};

static DWORD WINAPI take_both(void *argument)
{
	struct all *all = argument;
	DWORD ret = WaitForMultipleObjects(2, all->objects, TRUE, LONG_TIME);

	if (ret == WAIT_OBJECT_0)
		InterlockedIncrement(&all->taken);
	return ret;
}

/* Those who wait for all, beside those who wait for one. Rules: WT-07 */
TEST(all_at_once)
{
	struct all all = {
		.objects = { CreateSemaphoreA(NULL, 0, 100, NULL),
			     CreateSemaphoreA(NULL, 0, 100, NULL) },
	};
	HANDLE threads[4];
	int i;

	for (i = 0; i < 4; i++)
		threads[i] = run(take_both, &all);
	Sleep(50);
	EXPECT_TRUE(ReleaseSemaphore(all.objects[0], 4, NULL));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(all.objects[0], 0));
	EXPECT_TRUE(ReleaseSemaphore(all.objects[1], 3, NULL));
	for (i = 0; i < 1000 && all.taken < 3; i++)
		Sleep(10);
	EXPECT_EQ(3, all.taken);
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(all.objects[0], 0));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(all.objects[1], 0));
	EXPECT_TRUE(ReleaseSemaphore(all.objects[1], 1, NULL));
	EXPECT_TRUE(ReleaseSemaphore(all.objects[0], 1, NULL));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(WAIT_OBJECT_0, end_of(threads[i]));
}

static DWORD WINAPI wait_for_the_end(void *end)
{
	return WaitForSingleObject(SELF, *(DWORD *)end);
}

static int waits_for_itself(void *unused)
{
	DWORD time = 1;

	(void)unused;
	CHECK(WaitForSingleObject(SELF, 1) == WAIT_TIMEOUT);
	CHECK(run_to_end(wait_for_the_end, &time) == WAIT_TIMEOUT);
	return 0;
}

/* Its own end, for which no descriptor is needed. Rules: WT-01, WT-06, WT-08, WT-11 */
TEST(wait_for_the_process_itself)
{
	HANDLE objects[2] = { SELF, CreateEventA(NULL, FALSE, FALSE, NULL) };
	HANDLE twice[2] = { SELF, SELF };
	struct rlimit limit, few;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	few = limit;
	few.rlim_cur = 3;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(SELF, 0));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForMultipleObjects(2, objects, FALSE, 1));
	EXPECT_EQ(WAIT_TIMEOUT,
		  SignalObjectAndWait(objects[1], SELF, 1, FALSE));
	EXPECT_EQ(WAIT_OBJECT_0 + 1,
		  WaitForMultipleObjects(2, objects, FALSE, INFINITE));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForMultipleObjects(2, twice, FALSE, 1));
	WAIT_FAILS(87, WaitForMultipleObjects(2, twice, TRUE, 1));
	EXPECT_TRUE(CloseHandle(objects[1]));
}

/* It is the child, though another thread waits as that is made. Rules: WT-01 */
TEST(wait_for_the_process_itself_in_a_child)
{
	DWORD time = 500;
	HANDLE thread = run(wait_for_the_end, &time);

	ASSERT_NE(NULL, thread);
	Sleep(100);
	EXPECT_EQ(0, in_child(waits_for_itself, NULL));
	EXPECT_EQ(WAIT_TIMEOUT, end_of(thread));
}

/* Rules: WT-08, WT-09, WT-14 */
TEST(errors_of_waits)
{
	HANDLE event = CreateEventA(NULL, TRUE, TRUE, NULL), weak, section;
	HANDLE objects[65];
	int i;

	for (i = 0; i < 65; i++)
		objects[i] = event;
	WAIT_FAILS(6, WaitForSingleObject(NULL, 0));
	WAIT_FAILS(6, WaitForSingleObject(BAD_HANDLE, 0));
	WAIT_FAILS(87, WaitForMultipleObjects(0, objects, FALSE, 0));
	WAIT_FAILS(87, WaitForMultipleObjects(65, objects, FALSE, 0));
	WAIT_FAILS(998, WaitForMultipleObjects(2, NULL, FALSE, 0));
	EXPECT_EQ(WAIT_OBJECT_0,
		  WaitForMultipleObjects(64, objects, FALSE, 0));
	WAIT_FAILS(87, WaitForMultipleObjects(2, objects, TRUE, 0));
	objects[63] = BAD_HANDLE;
	WAIT_FAILS(6, WaitForMultipleObjects(64, objects, FALSE, 0));
	WAIT_FAILS(6, SignalObjectAndWait(NULL, event, 0, FALSE));
	section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
				     PAGE_READWRITE, 0, 4096, NULL);
	ASSERT_NE(NULL, section);
	WAIT_FAILS(6, WaitForSingleObject(section, 0));
	FAILS(6, SetEvent(section));
	FAILS(6, SetEvent(BAD_HANDLE));
	FAILS(6, ReleaseMutex(event));
	EXPECT_TRUE(CloseHandle(section));
	ASSERT_TRUE(DuplicateHandle(SELF, event, SELF, &weak,
				    EVENT_MODIFY_STATE, TRUE, 0));
	WAIT_FAILS(5, WaitForSingleObject(weak, 0));
	EXPECT_TRUE(ResetEvent(weak));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(event, 0));
	FAILS(5, DuplicateHandle(SELF, weak, SELF, &section, SYNCHRONIZE,
				 FALSE, 0));
	EXPECT_TRUE(CloseHandle(weak));
	EXPECT_TRUE(CloseHandle(event));
	FAILS(87, CreateEventExA(NULL, NULL, 4, EVENT_ALL_ACCESS));
	FAILS(87, CreateMutexExA(NULL, NULL, 2, MUTEX_ALL_ACCESS));
	event = CreateEventA(NULL, TRUE, TRUE, "");
	ASSERT_NE(NULL, event);
	EXPECT_TRUE(CloseHandle(event));
}

/* Rules: WT-25. The second one of two lies behind the end of memory. */
TEST(handles_that_raise)
{
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE, PAGE_READWRITE);
	int state = PTHREAD_CANCEL_DISABLE;
	volatile bool raised = false;
	HANDLE *handles;

	ASSERT_NE(NULL, VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE));
	handles = (HANDLE *)(base + PAGE) - 1;
	*handles = CreateEventA(NULL, TRUE, TRUE, NULL);
	WINREGION_TRY {
		WaitForMultipleObjects(2, handles, FALSE, 0);
	} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {
		raised = true;
	} WINREGION_END
	EXPECT_TRUE(raised);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	EXPECT_EQ(PTHREAD_CANCEL_ENABLE, state);
	EXPECT_TRUE(CloseHandle(*handles));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

static DWORD WINAPI answer(void *argument)
{
	struct all *all = argument;

	if (WaitForSingleObject(all->objects[0], LONG_TIME))
		return 1;
	SetEvent(all->objects[1]);
	return 0;
}

/* Rules: WT-11 */
TEST(signal_and_wait)
{
	struct all all = {
		.objects = { CreateEventA(NULL, FALSE, FALSE, NULL),
			     CreateEventA(NULL, FALSE, FALSE, NULL) },
	};
	HANDLE thread = run(answer, &all), mutex, semaphore;

	EXPECT_EQ(WAIT_OBJECT_0, SignalObjectAndWait(all.objects[0],
						     all.objects[1], LONG_TIME,
						     FALSE));
	EXPECT_EQ(0, end_of(thread));
	mutex = CreateMutexA(NULL, TRUE, NULL);
	EXPECT_EQ(WAIT_TIMEOUT,
		  SignalObjectAndWait(mutex, all.objects[0], 0, FALSE));
	WAIT_FAILS(288, SignalObjectAndWait(mutex, all.objects[0], 0, FALSE));
	semaphore = CreateSemaphoreA(NULL, 1, 1, NULL);
	WAIT_FAILS(298, SignalObjectAndWait(semaphore, all.objects[0], 0,
					    FALSE));
	WAIT_FAILS(6, SignalObjectAndWait(GetCurrentThread(), all.objects[0],
					  0, FALSE));
	WAIT_FAILS(6, SignalObjectAndWait(all.objects[0], BAD_HANDLE, 0,
					  FALSE));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(all.objects[0], 0));
}

struct turns {
	HANDLE mutex;
	volatile LONG inside, done;
};

static DWORD WINAPI take_turns(void *argument)
{
	struct turns *turns = argument;
	long i, n = rounds(thread_turns);

	for (i = 0; i < n; i++) {
		if (WaitForSingleObject(turns->mutex, LONG_TIME))
			return 1;
		if (turns->inside++)
			return 2;
		SwitchToThread();
		turns->inside--;
		turns->done++;
		if (!ReleaseMutex(turns->mutex))
			return 3;
	}
	return 0;
}

/* Rules: WT-03 */
TEST(one_at_a_time)
{
	struct turns turns = { .mutex = CreateMutexA(NULL, FALSE, NULL) };
	HANDLE threads[4];
	int i;

	for (i = 0; i < 4; i++)
		threads[i] = run(take_turns, &turns);
	EXPECT_EQ(WAIT_OBJECT_0,
		  WaitForMultipleObjects(4, threads, TRUE, LONG_TIME));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, end_of(threads[i]));
	EXPECT_EQ(4 * rounds(thread_turns), turns.done);
}

struct hasty {
	HANDLE semaphore;
	volatile LONG taken, over;
};

static DWORD take_the_rest(struct hasty *hasty)
{
	while (WaitForSingleObject(hasty->semaphore, 0) == WAIT_OBJECT_0)
		InterlockedIncrement(&hasty->taken);

	return 0;
}

/* Waits for so little that it is often too late just then */
static DWORD WINAPI take_in_haste(void *argument)
{
	struct hasty *hasty = argument;

	for (;;)
		switch (WaitForSingleObject(hasty->semaphore, 1)) {
		case WAIT_OBJECT_0:
			InterlockedIncrement(&hasty->taken);
			break;
		case WAIT_TIMEOUT:
			/* The last one may have come behind the end of this wait. */
			if (hasty->over)
				return take_the_rest(hasty);
			break;
		default:
			return 1;
		}
}

/* What is let go at its last moment has it, or it is still there. Rules: WT-02, WT-05 */
TEST(nothing_is_lost_at_the_last_moment)
{
	struct hasty hasty = {
		.semaphore = CreateSemaphoreA(NULL, 0, INT_MAX, NULL),
	};
	long i, n = rounds(thread_hasty);
	HANDLE threads[3];

	for (i = 0; i < 3; i++)
		threads[i] = run(take_in_haste, &hasty);
	for (i = 0; i < n; i++) {
		EXPECT_TRUE(ReleaseSemaphore(hasty.semaphore, 1, NULL));
		if (i % 8)
			SwitchToThread();
		else
			Sleep(1);
	}
	hasty.over = 1;
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, end_of(threads[i]));
	EXPECT_EQ(n, hasty.taken);
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(hasty.semaphore, 0));
}

static void *plain_thread(void *argument)
{
	HANDLE *handles = argument;

	WaitForSingleObject(handles[0], INFINITE);
	DuplicateHandle(SELF, GetCurrentThread(), SELF, &handles[1], 0, FALSE,
			DUPLICATE_SAME_ACCESS);
	return NULL;
}

/* A thread that pthread_create() has made. Rules: TH-13, WT-04, WT-13 */
TEST(plain_threads)
{
	HANDLE handles[2] = { CreateMutexA(NULL, FALSE, NULL), NULL };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, plain_thread, handles));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_NE(NULL, handles[1]);
	EXPECT_EQ(WAIT_ABANDONED, WaitForSingleObject(handles[0], 0));
	EXPECT_EQ(0, end_of(handles[1]));
	EXPECT_TRUE(CloseHandle(handles[0]));
}

/* Threads and mutexes of the parent are not the child's. Rules: TH-15 */
TEST(forked)
{
	HANDLE event = CreateEventA(NULL, FALSE, FALSE, NULL);
	HANDLE mutex = CreateMutexA(NULL, TRUE, NULL);
	HANDLE thread = run(wait_and_count, event);
	int status;
	pid_t pid;

	Sleep(50);
	pid = fork();
	if (!pid) {
		bool ok = ReleaseMutex(mutex) &&
			  GetThreadId(GetCurrentThread()) == (DWORD)getpid() &&
			  WaitForSingleObject(thread, 0) == WAIT_OBJECT_0 &&
			  SetEvent(event) &&
			  WaitForSingleObject(event, 0) == WAIT_OBJECT_0 &&
			  run_to_end(add_one, (void *)1) == 2 &&
			  CloseHandle(mutex) && CloseHandle(thread);

		_exit(!ok);
	}
	ASSERT_LT(0, pid);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(ReleaseMutex(mutex));
	EXPECT_TRUE(SetEvent(event));
	EXPECT_EQ(0, end_of(thread));
}

static int looks_at_the_lost(void *arg)
{
	HANDLE thread = *(HANDLE *)arg;
	DWORD code;

	CHECK(WaitForSingleObject(thread, 0) == WAIT_OBJECT_0);
	CHECK(GetExitCodeThread(thread, &code));
	GetThreadId(thread);
	CHECK(CloseHandle(thread));
	return 0;
}

/* One that has hardly begun, or not yet, is not the child's either. Rules: TH-15 */
TEST(forked_at_once)
{
	long round, n = rounds(thread_forks);
	HANDLE thread;

	for (round = 0; round < n; round++) {
		thread = run(add_one, NULL);
		ASSERT_NE(NULL, thread);
		ASSERT_EQ(0, in_child(looks_at_the_lost, &thread));
		EXPECT_EQ(1, end_of(thread));
	}
}

static void get_standard(void)
{
	GetStdHandle(STD_ERROR_HANDLE);
}

static void get_limits(void)
{
	SIZE_T min, max;

	GetProcessWorkingSetSize(GetCurrentProcess(), &min, &max);
}

static void get_privileges(void)
{
	HANDLE token = NULL;
	DWORD size;

	OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token);
	GetTokenInformation(token, TokenPrivileges, NULL, 0, &size);
	CloseHandle(token);
}

static volatile LONG goes_on;

static DWORD WINAPI call_and_call(void *call)
{
	while (goes_on)
		((void (*)(void))call)();
	return 0;
}

static int call_once(void *call)
{
	alarm(30);
	((void (*)(void))call)();
	return 0;
}

/* A child does the same as another thread, which may have held a lock. Rules: TH-20 */
TEST(forked_in_calls)
{
	void (*const calls[])(void) = {
		get_standard, get_limits, get_privileges,
	};
	long round, left = rounds(thread_forks);
	HANDLE thread;
	unsigned int i;
	int failed = 0;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		goes_on = 1;
		thread = run(call_and_call, calls[i]);
		ASSERT_NE(NULL, thread);
		for (round = 0; round < left && !failed; round++)
			failed = in_child(call_once, calls[i]);
		EXPECT_EQ(0, failed);
		failed = 0;
		goes_on = 0;
		EXPECT_EQ(0, end_of(thread));
	}
}

/* ---- variables ---- */

static DWORD WINAPI use_tls(void *argument)
{
	DWORD index = (DWORD)(uintptr_t)argument;
	int i;

	if (TlsGetValue(index) || GetLastError())
		return 1;
	for (i = 0; i < 100; i++)
		if (!TlsSetValue(index, &i) || TlsGetValue(index) != &i)
			return 2;
	return 0;
}

/* Rules: TLS-01, TLS-02, TLS-03, TLS-04, TLS-05 */
TEST(tls)
{
	DWORD indices[1100], nr = 0, i;

	while (nr < 1100 && (indices[nr] = TlsAlloc()) != TLS_OUT_OF_INDEXES)
		nr++;
	EXPECT_EQ(8, GetLastError());
	EXPECT_EQ(1088, nr);
	for (i = 0; i < nr; i += 17)
		EXPECT_TRUE(TlsSetValue(indices[i], &indices[i]));
	for (i = 0; i < nr; i += 17) {
		SetLastError(POISON);
		EXPECT_EQ(&indices[i], TlsGetValue(indices[i]));
		EXPECT_EQ(0, GetLastError());
		EXPECT_EQ(0, run_to_end(use_tls,
					(void *)(uintptr_t)indices[i]));
		EXPECT_EQ(&indices[i], TlsGetValue(indices[i]));
	}
	/* Given back, and there again with nothing in it */
	EXPECT_TRUE(TlsFree(indices[0]));
	EXPECT_TRUE(TlsFree(indices[17 * 8]));
	FAILS(87, TlsFree(indices[0]));
	EXPECT_EQ(indices[0], TlsAlloc());
	EXPECT_EQ(NULL, TlsGetValue(indices[0]));
	EXPECT_EQ(indices[17 * 8], TlsAlloc());
	EXPECT_EQ(NULL, TlsGetValue(indices[17 * 8]));
	for (i = 0; i < nr; i++)
		EXPECT_TRUE(TlsFree(indices[i]));
	FAILS(87, TlsFree(1088));
	FAILS(87, TlsFree(TLS_OUT_OF_INDEXES));
	FAILS(87, TlsSetValue(1088, &nr));
	FAILS(87, TlsGetValue(1088));
}

static volatile LONG called;
static DWORD fls_index;

static VOID WINAPI on_fls(PVOID value)
{
	InterlockedExchangeAdd(&called, (LONG)(intptr_t)value);
}

static DWORD WINAPI use_fls(void *argument)
{
	if (FlsGetValue(fls_index))
		return 1;
	if (!FlsSetValue(fls_index, argument))
		return 2;
	return FlsGetValue(fls_index) != argument;
}

static VOID WINAPI set_again(PVOID value)
{
	if (InterlockedIncrement(&called) == 1)
		FlsSetValue(fls_index, value);
}

static void *use_fls_in_plain(void *argument)
{
	return (void *)(uintptr_t)use_fls(argument);
}

/* Rules: FLS-01, FLS-02, FLS-03, FLS-04, FLS-05 */
TEST(fls)
{
	pthread_t thread;

	called = 0;
	fls_index = FlsAlloc(on_fls);
	ASSERT_NE(FLS_OUT_OF_INDEXES, fls_index);
	ASSERT_NE(0, fls_index);
	EXPECT_EQ(0, run_to_end(use_fls, (void *)5));
	EXPECT_EQ(5, called);
	ASSERT_EQ(0, pthread_create(&thread, NULL, use_fls_in_plain,
				    (void *)7));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(12, called);
	EXPECT_TRUE(FlsSetValue(fls_index, (void *)100));
	EXPECT_EQ((void *)100, FlsGetValue(fls_index));
	EXPECT_TRUE(FlsFree(fls_index));
	EXPECT_EQ(112, called);
	FAILS(87, FlsFree(fls_index));
	FAILS(87, FlsFree(0));
	FAILS(87, FlsSetValue(0, NULL));
	FAILS(87, FlsGetValue(0));
	FAILS(87, FlsSetValue(FLS_MAXIMUM_AVAILABLE, NULL));
	FAILS(87, FlsGetValue(FLS_OUT_OF_INDEXES));
	/* A callback that sets it again is called again. */
	called = 0;
	fls_index = FlsAlloc(set_again);
	EXPECT_EQ(0, run_to_end(use_fls, (void *)5));
	EXPECT_EQ(2, called);
	EXPECT_TRUE(FlsFree(fls_index));
	/* Without one */
	fls_index = FlsAlloc(NULL);
	EXPECT_EQ(0, run_to_end(use_fls, (void *)5));
	EXPECT_TRUE(FlsFree(fls_index));
}

static VOID WINAPI say_so(PVOID value)
{
	(void)!write((int)(intptr_t)value, "x", 1);
}

/* Rules: FLS-06 */
TEST(fls_at_the_end_of_the_program)
{
	char byte = 0;
	int ends[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(ends));
	pid = fork();
	if (!pid) {
		FlsSetValue(FlsAlloc(say_so), (void *)(intptr_t)ends[1]);
		exit(0);
	}
	close(ends[1]);
	EXPECT_EQ(1, read(ends[0], &byte, 1));
	EXPECT_EQ(0, read(ends[0], &byte, 1));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
}

/* ---- fibers ---- */

struct fibers {
	void *first, *second, *third;
	int steps[16], nr;
	double sum;
	ULONG_PTR low, high;
};

static VOID WINAPI step(void *argument)
{
	struct fibers *fibers = argument;
	int i;

	GetCurrentThreadStackLimits(&fibers->low, &fibers->high);
	for (i = 0;; i++) {
		fibers->steps[fibers->nr++] =
			GetCurrentFiber() == fibers->second ? 2 : 3;
		fibers->sum += 0.5 * i;
		SwitchToFiber(GetCurrentFiber() == fibers->second ?
			      fibers->third : fibers->first);
	}
}

/* Rules: FB-01, FB-02, FB-03, FB-04, FB-07 */
TEST(fibers)
{
	struct fibers fibers = { 0 };
	ULONG_PTR low, high;
	uint64_t before;
	int i, marker = 5;

	EXPECT_FALSE(IsThreadAFiber());
	EXPECT_EQ(NULL, GetCurrentFiber());
	FAILS(1281, ConvertFiberToThread());
	GetCurrentThreadStackLimits(&low, &high);
	fibers.first = ConvertThreadToFiber(&marker);
	ASSERT_NE(NULL, fibers.first);
	FAILS(1280, ConvertThreadToFiber(NULL));
	EXPECT_TRUE(IsThreadAFiber());
	EXPECT_EQ(fibers.first, GetCurrentFiber());
	EXPECT_EQ(fibers.first, ((TEB *)NtCurrentTeb())->NtTib.FiberData);
	EXPECT_EQ(&marker, GetFiberData());
	before = regions();
	fibers.second = CreateFiber(0, step, &fibers);
	fibers.third = CreateFiberEx(0, KIB(256), FIBER_FLAG_FLOAT_SWITCH,
				     step, &fibers);
	ASSERT_NE(NULL, fibers.second);
	ASSERT_NE(NULL, fibers.third);
	EXPECT_LE(before, regions());
	for (i = 0; i < 3; i++)
		SwitchToFiber(fibers.second);
	EXPECT_EQ(6, fibers.nr);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(2 + i % 2, fibers.steps[i]);
	EXPECT_EQ(3, (int)fibers.sum);
	EXPECT_EQ(KIB(256), fibers.high - fibers.low);
	/* Back on the first stack, and its bounds, too */
	GetCurrentThreadStackLimits(&fibers.low, &fibers.high);
	EXPECT_EQ(low, fibers.low);
	EXPECT_EQ(high, fibers.high);
	DeleteFiber(fibers.second);
	DeleteFiber(fibers.third);
	EXPECT_TRUE(ConvertFiberToThread());
	EXPECT_FALSE(IsThreadAFiber());
	FAILS(87, CreateFiberEx(0, 0, 2, step, NULL));
	FAILS(87, ConvertThreadToFiberEx(NULL, 2));
	FAILS(8, CreateFiberEx(0, (SIZE_T)1 << 60, 0, step, NULL));
}

static VOID WINAPI deep_fiber(void *argument)
{
	struct fibers *fibers = argument;

	fibers->nr = go_down(300);
	SwitchToFiber(fibers->first);
}

/* Rules: GP-17, FB-05 */
TEST(fiber_grows)
{
	struct fibers fibers = { 0 };

	fibers.first = ConvertThreadToFiber(NULL);
	fibers.second = CreateFiber(0, deep_fiber, &fibers);
	SwitchToFiber(fibers.second);
	EXPECT_EQ(300, fibers.nr);
	DeleteFiber(fibers.second);
	EXPECT_TRUE(ConvertFiberToThread());
}

static VOID WINAPI change_control(void *argument)
{
	struct fibers *fibers = argument;

	fibers->steps[0] = float_control() & FLOAT_TO_ZERO;
	set_float_control(float_control() | FLOAT_TO_ZERO);
	SwitchToFiber(fibers->first);
	fibers->steps[1] = float_control() & FLOAT_TO_ZERO;
	SwitchToFiber(fibers->first);
}

/* As C++'s runtime has it: what is being caught, and what is on its way */
struct exceptions {
	void *caught;
	unsigned int uncaught;
};

struct exceptions *__cxa_get_globals(void);

struct exceptions *__cxa_get_globals(void)
{
	static __thread struct exceptions exceptions;

	return &exceptions;
}

static VOID WINAPI catch_one(void *argument)
{
	struct exceptions *now = __cxa_get_globals();
	struct fibers *fibers = argument;

	fibers->steps[0] = !now->caught && !now->uncaught;
	now->caught = fibers;
	now->uncaught = 7;
	SwitchToFiber(fibers->first);
	now = __cxa_get_globals();
	fibers->steps[1] = now->caught == fibers && now->uncaught == 7;
	now->caught = NULL;
	SwitchToFiber(fibers->first);
}

/* Rules: FB-13 */
TEST(fiber_catches)
{
	struct exceptions *now = __cxa_get_globals();
	struct fibers fibers = { 0 };
	int mine;

	fibers.first = ConvertThreadToFiber(NULL);
	fibers.second = CreateFiber(0, catch_one, &fibers);
	now->caught = &mine;
	now->uncaught = 1;
	SwitchToFiber(fibers.second);
	EXPECT_EQ(1, fibers.steps[0]);
	EXPECT_EQ(&mine, now->caught);
	EXPECT_EQ(1, now->uncaught);
	SwitchToFiber(fibers.second);
	EXPECT_EQ(1, fibers.steps[1]);
	EXPECT_EQ(&mine, now->caught);
	now->caught = NULL;
	DeleteFiber(fibers.second);
	EXPECT_TRUE(ConvertFiberToThread());
}

/* How numbers are rounded is each fiber's own. Rules: FB-06 */
TEST(fiber_floating_point)
{
	struct fibers fibers = { 0 };

	fibers.first = ConvertThreadToFiber(NULL);
	fibers.second = CreateFiber(0, change_control, &fibers);
	SwitchToFiber(fibers.second);
	EXPECT_EQ(0, fibers.steps[0]);
	EXPECT_EQ(0, float_control() & FLOAT_TO_ZERO);
	SwitchToFiber(fibers.second);
	EXPECT_EQ(FLOAT_TO_ZERO, fibers.steps[1]);
	EXPECT_EQ(0, float_control() & FLOAT_TO_ZERO);
	DeleteFiber(fibers.second);
	EXPECT_TRUE(ConvertFiberToThread());
}

static VOID WINAPI set_fls(void *argument)
{
	struct fibers *fibers = argument;

	fibers->steps[0] = !!FlsGetValue(fls_index);
	FlsSetValue(fls_index, (void *)1000);
	SwitchToFiber(fibers->first);
}

/* Rules: FLS-07, FB-08 */
TEST(fiber_variables)
{
	struct fibers fibers = { 0 };

	called = 0;
	fls_index = FlsAlloc(on_fls);
	EXPECT_TRUE(FlsSetValue(fls_index, (void *)1));
	fibers.first = ConvertThreadToFiber(NULL);
	EXPECT_EQ((void *)1, FlsGetValue(fls_index));
	fibers.second = CreateFiber(0, set_fls, &fibers);
	SwitchToFiber(fibers.second);
	EXPECT_EQ(0, fibers.steps[0]);
	EXPECT_EQ((void *)1, FlsGetValue(fls_index));
	EXPECT_EQ(0, called);
	DeleteFiber(fibers.second);
	EXPECT_EQ(1000, called);
	EXPECT_TRUE(ConvertFiberToThread());
	EXPECT_EQ((void *)1, FlsGetValue(fls_index));
	EXPECT_TRUE(FlsFree(fls_index));
	EXPECT_EQ(1001, called);
}

/* ---- FlsFree() beside others ---- */

#define NR_ENDING 20

static pthread_barrier_t all_have_set;
static volatile LONG may_go_on;
static int results[2];

static void await_flag(volatile LONG *flag)
{
	while (!*flag)
		usleep(100);
}

/* Counted when it is about to return. */
static VOID WINAPI take_some_time(PVOID value)
{
	may_go_on = 1;
	usleep(2000);
	on_fls(value);
}

static void *set_and_end(void *value)
{
	FlsSetValue(fls_index, value);
	pthread_barrier_wait(&all_have_set);
	await_flag(&may_go_on);
	return NULL;
}

/* Others end as soon as the first value is freed. Rules: FLS-02, FLS-03, FLS-08 */
TEST(fls_is_freed_while_threads_end)
{
	pthread_t threads[NR_ENDING];
	int i;

	called = 0;
	may_go_on = 0;
	fls_index = FlsAlloc(take_some_time);
	pthread_barrier_init(&all_have_set, NULL, NR_ENDING + 1);
	for (i = 0; i < NR_ENDING; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, set_and_end,
					    (void *)1));
	pthread_barrier_wait(&all_have_set);
	EXPECT_TRUE(FlsFree(fls_index));
	EXPECT_EQ(NR_ENDING, called);
	for (i = 0; i < NR_ENDING; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_EQ(NR_ENDING, called);
}

static VOID WINAPI set_always(PVOID value)
{
	InterlockedIncrement(&called);
	FlsSetValue(fls_index, value);
}

/* Rules: FLS-03, FLS-05 */
TEST(fls_is_set_while_it_is_freed)
{
	called = 0;
	fls_index = FlsAlloc(set_always);
	EXPECT_TRUE(FlsSetValue(fls_index, (void *)1));
	alarm(30);
	EXPECT_TRUE(FlsFree(fls_index));
	EXPECT_EQ(4, called);
	EXPECT_EQ(fls_index, FlsAlloc(NULL));
	EXPECT_EQ(NULL, FlsGetValue(fls_index));
	EXPECT_TRUE(FlsFree(fls_index));
}

/* By who is at it already, a callback of his or of a thread's end */
static VOID WINAPI free_itself(PVOID result)
{
	SetLastError(POISON);
	*(int *)result = FlsFree(fls_index) ? 1 : GetLastError();
}

/* Rules: FLS-03, FLS-04, FLS-08 */
TEST(fls_is_freed_by_its_callback)
{
	alarm(30);
	fls_index = FlsAlloc(free_itself);
	EXPECT_TRUE(FlsSetValue(fls_index, &results[0]));
	EXPECT_TRUE(FlsFree(fls_index));
	EXPECT_EQ(87, results[0]);
	fls_index = FlsAlloc(free_itself);
	EXPECT_EQ(0, run_to_end(use_fls, &results[1]));
	EXPECT_EQ(1, results[1]);
	FAILS(87, FlsFree(fls_index));
}

struct crossing {
	DWORD own, other;
	bool freed;
};

static pthread_barrier_t both_are_there;

static VOID WINAPI free_the_other(PVOID data)
{
	struct crossing *crossing = data;

	pthread_barrier_wait(&both_are_there);
	crossing->freed = FlsFree(crossing->other);
}

static void *set_crossing(void *data)
{
	struct crossing *crossing = data;

	FlsSetValue(crossing->own, crossing);
	return NULL;
}

/* Each waits for the other one: the second one does not. Rules: FLS-08 */
TEST(fls_is_freed_crosswise)
{
	struct crossing crossings[2] = { 0 };
	pthread_t threads[2];
	int i;

	alarm(30);
	pthread_barrier_init(&both_are_there, NULL, 2);
	for (i = 0; i < 2; i++)
		crossings[i].own = FlsAlloc(free_the_other);
	for (i = 0; i < 2; i++) {
		crossings[i].other = crossings[!i].own;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, set_crossing,
					    &crossings[i]));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_TRUE(crossings[i].freed);
	}
}

static volatile LONG is_called;

static VOID WINAPI wait_in_callback(PVOID value)
{
	is_called = 1;
	await_flag(&may_go_on);
	on_fls(value);
}

static int free_in_child(void *unused)
{
	alarm(30);
	CHECK(FlsSetValue(fls_index, (void *)100));
	may_go_on = 1;
	CHECK(FlsFree(fls_index));
	CHECK(called == 100);
	return 0;
}

static void *free_in_thread(void *unused)
{
	return (void *)(uintptr_t)!FlsFree(fls_index);
}

/* Nobody goes on there with what another thread has begun. Rules: FLS-03, FLS-08 */
TEST(fls_is_freed_in_a_child)
{
	void *(*const begins[])(void *) = {
		/* Calls back at its end, or in FlsFree() */
		use_fls_in_plain, free_in_thread,
	};
	pthread_t thread;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(begins); i++) {
		called = 0;
		is_called = 0;
		may_go_on = 0;
		fls_index = FlsAlloc(wait_in_callback);
		if (begins[i] == free_in_thread)
			EXPECT_TRUE(FlsSetValue(fls_index, (void *)1));
		ASSERT_EQ(0, pthread_create(&thread, NULL, begins[i],
					    (void *)1));
		await_flag(&is_called);
		EXPECT_EQ(0, in_child(free_in_child, NULL));
		may_go_on = 1;
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(1, called);
		FlsFree(fls_index);
	}
}

static VOID WINAPI be_cancelled(PVOID value)
{
	pthread_testcancel();
	on_fls(value);
}

static void *free_when_cancelled(void *unused)
{
	FlsSetValue(fls_index, (void *)10);
	pthread_cancel(pthread_self());
	FlsFree(fls_index);
	pthread_testcancel();
	return NULL;
}

static void *delete_when_cancelled(void *fiber)
{
	pthread_cancel(pthread_self());
	DeleteFiber(fiber);
	pthread_testcancel();
	return NULL;
}

/* It has done what it has begun. Rules: HANDLE-07, FLS-03, FLS-07 */
TEST(fls_is_freed_by_who_is_cancelled)
{
	struct fibers fibers = { 0 };
	pthread_t thread;
	void *end;

	called = 0;
	fls_index = FlsAlloc(be_cancelled);
	fibers.first = ConvertThreadToFiber(NULL);
	fibers.second = CreateFiber(0, set_fls, &fibers);
	SwitchToFiber(fibers.second);
	ASSERT_EQ(0, pthread_create(&thread, NULL, delete_when_cancelled,
				    fibers.second));
	ASSERT_EQ(0, pthread_join(thread, &end));
	EXPECT_EQ(PTHREAD_CANCELED, end);
	EXPECT_EQ(1000, called);
	EXPECT_TRUE(FlsSetValue(fls_index, (void *)1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, free_when_cancelled, NULL));
	ASSERT_EQ(0, pthread_join(thread, &end));
	EXPECT_EQ(PTHREAD_CANCELED, end);
	EXPECT_EQ(1011, called);
	FAILS(87, FlsFree(fls_index));
	EXPECT_TRUE(ConvertFiberToThread());
}

static VOID WINAPI return_from_fiber(void *argument)
{
	FlsSetValue(fls_index, argument);
}

static DWORD WINAPI end_in_fiber(void *argument)
{
	ConvertThreadToFiber(NULL);
	SwitchToFiber(CreateFiber(0, return_from_fiber, argument));
	return 99;
}

static DWORD WINAPI delete_itself(void *argument)
{
	ConvertThreadToFiber(NULL);
	DeleteFiber(GetCurrentFiber());
	return 99;
}

/* The thread ends with its fiber. Rules: FB-09, FB-10 */
TEST(end_of_a_fiber)
{
	called = 0;
	fls_index = FlsAlloc(on_fls);
	EXPECT_EQ(0, run_to_end(end_in_fiber, (void *)3));
	EXPECT_EQ(3, called);
	EXPECT_EQ(1, run_to_end(delete_itself, NULL));
	EXPECT_TRUE(FlsFree(fls_index));
}

struct moved {
	void *fiber, *back;
	DWORD ids[2];
};

static VOID WINAPI note_thread(void *argument)
{
	struct moved *moved = argument;

	moved->ids[0] = GetCurrentThreadId();
	SwitchToFiber(moved->back);
	moved->ids[1] = GetCurrentThreadId();
	SwitchToFiber(moved->back);
}

static DWORD WINAPI run_fiber(void *argument)
{
	struct moved *moved = argument;

	moved->back = ConvertThreadToFiber(NULL);
	SwitchToFiber(moved->fiber);
	ConvertFiberToThread();
	return GetCurrentThreadId();
}

/* A fiber goes on in another thread. Rules: FB-11 */
TEST(fiber_moves)
{
	struct moved moved = { 0 };
	DWORD first, second;

	moved.fiber = CreateFiber(0, note_thread, &moved);
	ASSERT_NE(NULL, moved.fiber);
	first = run_to_end(run_fiber, &moved);
	second = run_to_end(run_fiber, &moved);
	EXPECT_EQ(first, moved.ids[0]);
	EXPECT_EQ(second, moved.ids[1]);
	DeleteFiber(moved.fiber);
}

/* ---- what AddressSanitizer is told ---- */

/* The last range of addresses; the library calls it in programs that have it. */
static struct {
	char *begin, *end;
} unpoisoned;

void __asan_unpoison_memory_region(const volatile void *address, size_t size);

void __asan_unpoison_memory_region(const volatile void *address, size_t size)
{
	unpoisoned.begin = (char *)address;
	unpoisoned.end = unpoisoned.begin + size;
}

/* Where a stack is, and the thread or fiber that the first one is */
struct on_stack {
	char *begin, *end;
	void *back;
};

static DWORD WINAPI tell_bounds(void *argument)
{
	struct on_stack *here = argument;
	ULONG_PTR low, high;

	GetCurrentThreadStackLimits(&low, &high);
	here->begin = (char *)low;
	here->end = (char *)high;
	return 0;
}

static VOID WINAPI go_back_half_way(void *argument)
{
	struct on_stack *here = argument;

	tell_bounds(here);
	SwitchToFiber(here->back);
}

static bool is_unpoisoned(const struct on_stack *stack)
{
	return stack->begin && unpoisoned.begin == stack->begin &&
	       unpoisoned.end >= stack->end;
}

/* A function that does not return leaves what it had there. Rules: ST-10 */
TEST(frames_of_stacks_are_forgotten)
{
	struct on_stack stack = { 0 };
	void *fiber;

	stack.back = ConvertThreadToFiber(NULL);
	fiber = CreateFiber(0, go_back_half_way, &stack);
	ASSERT_NE(NULL, fiber);
	SwitchToFiber(fiber);
	EXPECT_FALSE(is_unpoisoned(&stack));
	DeleteFiber(fiber);
	EXPECT_TRUE(is_unpoisoned(&stack));
	/* Too large to be kept */
	fiber = CreateFiberEx(0, 16 << 20, 0, go_back_half_way, &stack);
	ASSERT_NE(NULL, fiber);
	SwitchToFiber(fiber);
	DeleteFiber(fiber);
	EXPECT_TRUE(is_unpoisoned(&stack));
	EXPECT_EQ(0, run_to_end(tell_bounds, &stack));
	EXPECT_TRUE(is_unpoisoned(&stack));
}

/* ---- frames of those who end ---- */

#define LEAVING_CODE 45

struct leaving {
	void (*leave)(struct leaving *leaving);
	/* Whether a frame was unwound, and a value destroyed */
	volatile bool unwound, destroyed;
	HANDLE thread;
};

static void note_unwound(struct leaving **leaving)
{
	(*leaving)->unwound = true;
}

/* Destructors of C++, "catch (...)" and "noexcept" are such frames. */
static __attribute__((noinline)) void leave_frame(struct leaving *leaving)
{
	__attribute__((cleanup(note_unwound))) struct leaving *here = leaving;

	here->leave(here);
}

static void by_exit_thread(struct leaving *leaving)
{
	ExitThread(LEAVING_CODE);
}

static void by_terminate_thread(struct leaving *leaving)
{
	TerminateThread(GetCurrentThread(), LEAVING_CODE);
}

static void by_endthreadex(struct leaving *leaving)
{
	_endthreadex(LEAVING_CODE);
}

static LONG WINAPI exit_with_code(EXCEPTION_POINTERS *pointers)
{
	ExitThread(LEAVING_CODE);
}

static void by_a_handler(struct leaving *leaving)
{
	PVOID handler = AddVectoredExceptionHandler(1, exit_with_code);

	*(volatile char *)PAGE = 1;
	RemoveVectoredExceptionHandler(handler);
}

static VOID WINAPI leave_fiber(void *argument)
{
	struct leaving *leaving = argument;

	leaving->leave = by_exit_thread;
	leave_frame(leaving);
}

static void by_a_fiber(struct leaving *leaving)
{
	ConvertThreadToFiber(NULL);
	SwitchToFiber(CreateFiber(0, leave_fiber, leaving));
}

static pthread_key_t leaving_key;

static void note_destroyed(void *value)
{
	((struct leaving *)value)->destroyed = true;
}

static void *leave_plainly(void *argument)
{
	struct leaving *leaving = argument;

	DuplicateHandle(SELF, GetCurrentThread(), SELF, &leaving->thread, 0,
			FALSE, DUPLICATE_SAME_ACCESS);
	pthread_setspecific(leaving_key, leaving);
	FlsSetValue(fls_index, (void *)4);
	leave_frame(leaving);
	return NULL;
}

static void (*const ways_out[])(struct leaving *) = {
	by_exit_thread, by_terminate_thread, by_endthreadex, by_a_fiber,
	by_a_handler,
};

/* What ends with the thread does, and its frames are left alone. Rules: TH-21 */
TEST(frames_of_plain_threads)
{
	struct leaving leaving;
	pthread_t thread;
	void *result;
	size_t i;

	fls_index = FlsAlloc(on_fls);
	ASSERT_EQ(0, pthread_key_create(&leaving_key, note_destroyed));
	for (i = 0; i < ARRAY_SIZE(ways_out); i++) {
		leaving = (struct leaving){ .leave = ways_out[i] };
		called = 0;
		ASSERT_EQ(0, pthread_create(&thread, NULL, leave_plainly,
					    &leaving));
		ASSERT_EQ(0, pthread_join(thread, &result));
		EXPECT_EQ(NULL, result);
		EXPECT_EQ(LEAVING_CODE, end_of(leaving.thread));
		EXPECT_FALSE(leaving.unwound);
		EXPECT_TRUE(leaving.destroyed);
		EXPECT_EQ(4, called);
	}
}

/* Ends the process, once the first thread has ended: with 0 if that is as it is to be */
static void *await_first(void *argument)
{
	struct leaving *leaving = argument;
	DWORD code = end_of(leaving->thread);

	_exit(code == LEAVING_CODE && !leaving->unwound && leaving->destroyed &&
	      called == 4 ? 0 : 1);
}

static void leave_to_another(struct leaving *leaving)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, await_first, leaving))
		_exit(2);
	by_exit_thread(leaving);
}

static int leave_first(void *argument)
{
	static struct leaving leaving = { .leave = leave_to_another };

	leave_plainly(&leaving);
	return __LINE__;
}

/* Rules: TH-21 */
TEST(frames_of_the_first_thread)
{
	fls_index = FlsAlloc(on_fls);
	ASSERT_EQ(0, pthread_key_create(&leaving_key, note_destroyed));
	EXPECT_EQ(0, in_child(leave_first, NULL));
}

static DWORD WINAPI leave_created(void *argument)
{
	leave_plainly(argument);
	return 1;
}

/* Rules: TH-21 */
TEST(frames_of_created_threads)
{
	struct leaving leaving;
	size_t i;

	fls_index = FlsAlloc(on_fls);
	ASSERT_EQ(0, pthread_key_create(&leaving_key, note_destroyed));
	for (i = 0; i < ARRAY_SIZE(ways_out); i++) {
		leaving = (struct leaving){ .leave = ways_out[i] };
		EXPECT_EQ(LEAVING_CODE, run_to_end(leave_created, &leaving));
		EXPECT_FALSE(leaving.unwound);
		EXPECT_TRUE(leaving.destroyed);
		EXPECT_TRUE(CloseHandle(leaving.thread));
	}
}

/* ---- blocks of fibers ---- */

/* What @number was asked for, and whether that was by its own exception */
struct blocks {
	void *first, *second, *third;
	volatile int asked[4];
	volatile int handled[4];
};

static LONG ask(struct blocks *blocks, int number, EXCEPTION_POINTERS *pointers)
{
	blocks->asked[number]++;
	return pointers->ExceptionRecord->ExceptionInformation[0] ==
			       (ULONG_PTR)number ?
		       EXCEPTION_EXECUTE_HANDLER :
		       EXCEPTION_CONTINUE_SEARCH;
}

static void raise_own(int number)
{
	ULONG_PTR argument = number;

	RaiseException(0xe0000001, 0, 1, &argument);
}

/* In a block: to another fiber and back, and then an exception */
static void switch_in_block(struct blocks *blocks, int number, void *to)
{
	WINREGION_TRY {
		SwitchToFiber(to);
		raise_own(number);
	} WINREGION_EXCEPT(ask(blocks, number, GetExceptionInformation())) {
		blocks->handled[number]++;
	} WINREGION_END
}

static VOID WINAPI second_with_blocks(void *argument)
{
	struct blocks *blocks = argument;

	for (;;) {
		switch_in_block(blocks, 2, blocks->third);
		SwitchToFiber(blocks->first);
	}
}

static VOID WINAPI third_with_blocks(void *argument)
{
	struct blocks *blocks = argument;

	for (;;) {
		switch_in_block(blocks, 3, blocks->first);
		SwitchToFiber(blocks->second);
	}
}

static void end_blocks(struct blocks *blocks)
{
	DeleteFiber(blocks->second);
	DeleteFiber(blocks->third);
	ConvertFiberToThread();
}

/* @exchanged: the stack of the third is made first. */
static void begin_blocks(struct blocks *blocks, bool exchanged)
{
	blocks->first = ConvertThreadToFiber(NULL);
	if (exchanged)
		blocks->third = CreateFiber(0, third_with_blocks, blocks);
	blocks->second = CreateFiber(0, second_with_blocks, blocks);
	if (!exchanged)
		blocks->third = CreateFiber(0, third_with_blocks, blocks);
}

/* Whichever of the stacks is above the other. Rules: FB-12 */
TEST(fiber_blocks)
{
	struct blocks blocks;
	int round, i;

	for (round = 0; round < 2; round++) {
		memset(&blocks, 0, sizeof(blocks));
		begin_blocks(&blocks, round);
		ASSERT_NE(NULL, blocks.second);
		ASSERT_NE(NULL, blocks.third);
		for (i = 1; i <= 3; i++) {
			/* All three are in their blocks at the switch back. */
			switch_in_block(&blocks, 1, blocks.second);
			SwitchToFiber(blocks.third);
		}
		for (i = 1; i <= 3; i++) {
			EXPECT_EQ(3, blocks.handled[i]);
			EXPECT_EQ(3, blocks.asked[i]);
		}
		end_blocks(&blocks);
	}
}

static LONG CALLBACK leave_out_raised(EXCEPTION_POINTERS *pointers)
{
	return EXCEPTION_CONTINUE_EXECUTION;
}

static VOID WINAPI raise_without_block(void *argument)
{
	struct blocks *blocks = argument;

	raise_own(1);
	blocks->handled[2]++;
	SwitchToFiber(blocks->first);
}

/* A block of another stack is not asked. Rules: FB-12 */
TEST(fiber_without_blocks)
{
	struct blocks blocks = { 0 };

	SetUnhandledExceptionFilter(leave_out_raised);
	blocks.first = ConvertThreadToFiber(NULL);
	blocks.second = CreateFiber(0, raise_without_block, &blocks);
	ASSERT_NE(NULL, blocks.second);
	WINREGION_TRY {
		SwitchToFiber(blocks.second);
	} WINREGION_EXCEPT(ask(&blocks, 1, GetExceptionInformation())) {
		blocks.handled[1]++;
	} WINREGION_END
	EXPECT_EQ(0, blocks.asked[1]);
	EXPECT_EQ(0, blocks.handled[1]);
	EXPECT_EQ(1, blocks.handled[2]);
	SetUnhandledExceptionFilter(NULL);
	DeleteFiber(blocks.second);
	EXPECT_TRUE(ConvertFiberToThread());
}

static int enter_blocks(struct moved *moved, int depth)
{
	volatile int here = 0;

	WINREGION_TRY {
		if (depth)
			here = enter_blocks(moved, depth - 1);
		else
			SwitchToFiber(moved->back);
		raise_own(depth);
	} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {
		here++;
	} WINREGION_END
	return here;
}

static VOID WINAPI move_in_blocks(void *argument)
{
	struct moved *moved = argument;

	moved->ids[0] = enter_blocks(moved, 19);
	SwitchToFiber(moved->back);
}

/* Blocks go to another thread with their fiber, however many. Rules: FB-11, FB-12 */
TEST(fiber_moves_with_blocks)
{
	struct moved moved = { 0 };

	moved.fiber = CreateFiber(0, move_in_blocks, &moved);
	ASSERT_NE(NULL, moved.fiber);
	run_to_end(run_fiber, &moved);
	EXPECT_EQ(0, moved.ids[0]);
	run_to_end(run_fiber, &moved);
	EXPECT_EQ(20, moved.ids[0]);
	DeleteFiber(moved.fiber);
}

TEST_HARNESS_MAIN
