// SPDX-License-Identifier: GPL-2.0
/*
 * A program of 32 bits: "calls32 NAME" does one of the jobs at the end of this file, and
 * ends with 0; or says what is not as it should be, and ends with 1.
 */
#include "jobs.h"

#include <winregion/excpt.h>
#include <winregion/fibersapi.h>
#include <winregion/fileapi.h>
#include <winregion/memoryapi.h>
#include <winregion/minwinbase.h>
#include <winregion/processthreadsapi.h>
#include <winregion/psapi.h>
#include <winregion/securitybaseapi.h>
#include <winregion/synchapi.h>
#include <winregion/winternl.h>

/* ---- as 32-bit Windows has it ---- */

struct aligned {
	DWORD first;
	LARGE_INTEGER second;
	BYTE third;
	DWORD64 fourth;
};

_Static_assert(sizeof(struct aligned) == 32, "they are aligned to 8");
_Static_assert(sizeof(SIZE_T) == 4 && sizeof(HANDLE) == 4, "layout");
_Static_assert(sizeof(MEMORY_BASIC_INFORMATION) == 28, "layout");
_Static_assert(offsetof(MEMORY_BASIC_INFORMATION, RegionSize) == 12, "layout");
_Static_assert(offsetof(MEMORY_BASIC_INFORMATION, Type) == 24, "layout");
_Static_assert(sizeof(SYSTEM_INFO) == 36, "layout");
_Static_assert(offsetof(SYSTEM_INFO, dwNumberOfProcessors) == 20, "layout");
_Static_assert(sizeof(MEMORYSTATUSEX) == 64, "layout");
_Static_assert(sizeof(MEMORYSTATUS) == 32, "layout");
_Static_assert(sizeof(MEM_EXTENDED_PARAMETER) == 16, "layout");
_Static_assert(sizeof(EXCEPTION_RECORD) == 80, "layout");
_Static_assert(sizeof(CONTEXT) == 716, "layout");
_Static_assert(offsetof(CONTEXT, FloatSave) == 28, "layout");
_Static_assert(offsetof(CONTEXT, Eip) == 184, "layout");
_Static_assert(offsetof(CONTEXT, ExtendedRegisters) == 204, "layout");
_Static_assert(sizeof(OVERLAPPED) == 20, "layout");
_Static_assert(sizeof(CRITICAL_SECTION) == 24, "layout");
_Static_assert(sizeof(NT_TIB) == 28, "layout");
_Static_assert(offsetof(TEB, DeallocationStack) == 0xe0c, "layout");
_Static_assert(offsetof(TEB, TlsSlots) == 0xe10, "layout");
_Static_assert(offsetof(TEB, GuaranteedStackBytes) == 0xf78, "layout");
_Static_assert(offsetof(TEB, TlsExpansionSlots) == 0xf94, "layout");
_Static_assert(sizeof(PSAPI_WORKING_SET_BLOCK) == 4, "layout");
_Static_assert(sizeof(PSAPI_WORKING_SET_EX_BLOCK) == 4, "layout");

/* ---- memory ---- */

/* The program of README.md */
static void readme(void)
{
	char *base = VirtualAlloc(NULL, 1 << 30, MEM_RESERVE, PAGE_READWRITE);
	char *text = VirtualAlloc(base, 4096, MEM_COMMIT, PAGE_READWRITE);
	DWORD old;

	CHECK(text);
	sprintf(text, "one page of a gigabyte, at %p", base);
	CHECK(VirtualProtect(text, 4096, PAGE_READONLY, &old));
	CHECK(old == PAGE_READWRITE);
	CHECK(!strncmp(text, "one page", 8));
	CHECK(VirtualFree(base, 0, MEM_RELEASE));
}

/* All of the address space, run by run, up to the highest address */
static void query(void)
{
	char *base = VirtualAlloc(NULL, KIB(256), MEM_RESERVE, PAGE_READWRITE);
	MEMORY_BASIC_INFORMATION info;
	bool found = false;
	uint64_t at = 0;
	SYSTEM_INFO system;

	CHECK(VirtualAlloc(base + KIB(64), KIB(64), MEM_COMMIT, PAGE_READONLY));
	GetSystemInfo(&system);
	while (VirtualQuery((void *)(uintptr_t)at, &info, sizeof(info))) {
		CHECK((uintptr_t)info.BaseAddress == at && info.RegionSize);
		if (info.BaseAddress == base + KIB(64)) {
			CHECK(info.AllocationBase == base);
			CHECK(info.AllocationProtect == PAGE_READWRITE);
			CHECK(info.RegionSize == KIB(64));
			CHECK(info.State == MEM_COMMIT);
			CHECK(info.Protect == PAGE_READONLY);
			CHECK(info.Type == MEM_PRIVATE);
			found = true;
		}
		at += info.RegionSize;
		if (at > (uintptr_t)system.lpMaximumApplicationAddress)
			break;
	}
	CHECK(found);
	CHECK(at > (uintptr_t)system.lpMaximumApplicationAddress);
	CHECK(at <= 1ULL << 32);
	CHECK(VirtualFree(base, 0, MEM_RELEASE));
}

/* @highest: what GetSystemInfo() has to say */
static void range(uintptr_t highest)
{
	uintptr_t last, most = 0;
	SYSTEM_INFO info;
	char *base;

	GetSystemInfo(&info);
	last = (uintptr_t)info.lpMaximumApplicationAddress;
	CHECK(last == highest);
	CHECK((uintptr_t)info.lpMinimumApplicationAddress == 0x10000);
	CHECK(info.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_INTEL);
	CHECK(info.dwProcessorType == PROCESSOR_INTEL_PENTIUM);
	CHECK(info.dwNumberOfProcessors && info.dwNumberOfProcessors <= 32);
	base = VirtualAlloc(NULL, MIB(1), MEM_RESERVE | MEM_TOP_DOWN,
			    PAGE_READWRITE);
	CHECK(base && (uintptr_t)base + MIB(1) - 1 <= last);
	CHECK((uintptr_t)base > last - MIB(256));
	FAILS(ERROR_NOT_ENOUGH_MEMORY,
	      VirtualAlloc(NULL, last - MIB(1), MEM_RESERVE, PAGE_READWRITE));
	FAILS(ERROR_INVALID_PARAMETER,
	      VirtualAlloc((void *)(last + 1), PAGE, MEM_RESERVE,
			   PAGE_READWRITE));
	/* All there is, in pieces: near the size of it */
	while (VirtualAlloc(NULL, MIB(64), MEM_RESERVE, PAGE_NOACCESS))
		most += MIB(64);
	CHECK(most > last - MIB(512));
}

static void range3(void)
{
	range(0xbffeffff);
}

static void range4(void)
{
	range(0xfffeffff);
}

/* More pages than are asked for at once, in two calls of a program's own */
static void watch(void)
{
	char *base = VirtualAlloc(NULL, MIB(2),
				  MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
				  PAGE_READWRITE);
	ULONG_PTR count = 200, i;
	PVOID pages[512];
	DWORD unit;

	CHECK(base);
	for (i = 0; i < 300; i++)
		base[i * PAGE] = 1;
	memset(pages, 0, sizeof(pages));
	CHECK(!GetWriteWatch(WRITE_WATCH_FLAG_RESET, base, MIB(2), pages,
			     &count, &unit));
	CHECK(count == 200 && unit == PAGE && !pages[200]);
	for (i = 0; i < 200; i++)
		CHECK(pages[i] == base + i * PAGE);
	count = 512;
	CHECK(!GetWriteWatch(0, base, MIB(2), pages, &count, &unit));
	CHECK(count == 100);
	for (i = 0; i < 100; i++)
		CHECK(pages[i] == base + (200 + i) * PAGE);
	CHECK(!ResetWriteWatch(base, MIB(2)));
	count = 512;
	CHECK(!GetWriteWatch(0, base, MIB(2), pages, &count, &unit));
	CHECK(count == 0 && unit == PAGE);
}

/* What a 32-bit program has not */
static void not_there(void)
{
	ULONG_PTR count = 1, page;

	FAILS(ERROR_NOT_SUPPORTED,
	      VirtualAlloc(NULL, KIB(64), MEM_RESERVE | MEM_PHYSICAL,
			   PAGE_READWRITE));
	FAILS(ERROR_NOT_SUPPORTED,
	      AllocateUserPhysicalPages(GetCurrentProcess(), &count, &page));
	FAILS(ERROR_NOT_SUPPORTED, MapUserPhysicalPages(NULL, 1, &page));
}

static void status(void)
{
	MEMORYSTATUSEX all = { .dwLength = sizeof(all) };
	MEMORYSTATUS some;
	SYSTEM_INFO info;

	GetSystemInfo(&info);
	CHECK(GlobalMemoryStatusEx(&all));
	CHECK(all.ullTotalPhys > MIB(256));
	CHECK(all.ullTotalVirtual ==
	      (uintptr_t)info.lpMaximumApplicationAddress + 1ULL - 0x10000);
	GlobalMemoryStatus(&some);
	CHECK(some.dwTotalVirtual == all.ullTotalVirtual);
}

/* ---- sections ---- */

static void sections(void)
{
	HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
					    PAGE_READWRITE, 0, KIB(128), NULL);
	MEMORY_BASIC_INFORMATION info;
	char *first, *second;

	CHECK(section);
	first = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	second = MapViewOfFile(section, FILE_MAP_READ, 0, KIB(64), KIB(64));
	CHECK(first && second && first != second);
	memcpy(first + KIB(64), "the same page", 14);
	CHECK(!strcmp(second, "the same page"));
	CHECK(VirtualQuery(second, &info, sizeof(info)) == sizeof(info));
	CHECK(info.Type == MEM_MAPPED && info.Protect == PAGE_READONLY);
	CHECK(UnmapViewOfFile(first) && UnmapViewOfFile(second));
	CHECK(CloseHandle(section));
}

/* Of a file that is larger than the address space */
static void large_file(void)
{
	HANDLE file = CreateFileA("wr_bits32", GENERIC_READ | GENERIC_WRITE, 0,
				  NULL, CREATE_ALWAYS,
				  FILE_FLAG_DELETE_ON_CLOSE, NULL);
	LARGE_INTEGER size = { .QuadPart = (5LL << 30) + 5 };
	HANDLE section;
	char text[8];
	DWORD done;
	char *view;

	CHECK(file != INVALID_HANDLE_VALUE);
	CHECK(SetFilePointerEx(file, size, NULL, FILE_BEGIN));
	CHECK(WriteFile(file, "beyond", 7, &done, NULL) && done == 7);
	section = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, NULL);
	CHECK(section);
	view = MapViewOfFile(section, FILE_MAP_WRITE, 1, 1 << 30, 0);
	CHECK(view && !strcmp(view + 5, "beyond"));
	view[5] = 'B';
	CHECK(UnmapViewOfFile(view));
	FAILS(ERROR_INVALID_PARAMETER,
	      MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0));
	CHECK(CloseHandle(section));
	CHECK(SetFilePointerEx(file, size, NULL, FILE_BEGIN));
	CHECK(ReadFile(file, text, 7, &done, NULL) && done == 7);
	CHECK(!strcmp(text, "Beyond"));
	CHECK(CloseHandle(file));
}

/* ---- exceptions ---- */

/* What handlers and those who fault tell each other */
static char *volatile faulting;
static volatile DWORD code_seen;
static volatile int calls;

static LONG NTAPI commit_it(PEXCEPTION_POINTERS pointers)
{
	EXCEPTION_RECORD *record = pointers->ExceptionRecord;

	calls++;
	code_seen = record->ExceptionCode;
	if (record->ExceptionInformation[1] != (ULONG_PTR)faulting)
		return EXCEPTION_CONTINUE_SEARCH;
	if (code_seen == EXCEPTION_ACCESS_VIOLATION)
		VirtualAlloc(faulting, 1, MEM_COMMIT, PAGE_READWRITE);

	return EXCEPTION_CONTINUE_EXECUTION;
}

static void guards(void)
{
	PVOID handle = AddVectoredExceptionHandler(1, commit_it);
	char *base = VirtualAlloc(NULL, KIB(64), MEM_RESERVE, PAGE_READWRITE);

	CHECK(handle && base);
	faulting = base + PAGE + 5;
	*(volatile char *)faulting = 7;
	CHECK(calls == 1 && code_seen == EXCEPTION_ACCESS_VIOLATION);
	CHECK(base[PAGE + 5] == 7);
	CHECK(VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD));
	faulting = base + 9;
	*(volatile char *)faulting = 8;
	CHECK(calls == 2 && code_seen == EXCEPTION_GUARD_PAGE);
	*(volatile char *)faulting = 9;
	CHECK(calls == 2 && base[9] == 9);
	CHECK(RemoveVectoredExceptionHandler(handle));
	CHECK(!RemoveVectoredExceptionHandler(handle));
}

/* It sets each register, one of SSE and one of x87, and goes on behind "ud2". */
static LONG NTAPI set_registers(PEXCEPTION_POINTERS pointers)
{
	static const double half = 0.5;
	CONTEXT *context = pointers->ContextRecord;

	if (pointers->ExceptionRecord->ExceptionCode !=
		    EXCEPTION_ILLEGAL_INSTRUCTION ||
	    (uintptr_t)pointers->ExceptionRecord->ExceptionAddress !=
		    context->Eip)
		return EXCEPTION_CONTINUE_SEARCH;
	calls = context->Ebx + context->Ecx;
	context->Eax = 1;
	context->Ebx = 2;
	context->Ecx = 3;
	context->Edx = 4;
	context->Esi = 5;
	context->Edi = 6;
	context->EFlags |= 1; /* carry */
	/* xmm3 */
	memcpy(context->ExtendedRegisters + 160 + 3 * 16, &half, 8);
	/* st(0) was 1.0: its sign */
	context->FloatSave.RegisterArea[9] |= 0x80;
	context->Eip += 2;

	return EXCEPTION_CONTINUE_EXECUTION;
}

static void registers(void)
{
	PVOID handle = AddVectoredExceptionHandler(1, set_registers);
	uint32_t a = 0, b = 20, c = 22, d = 0, s = 0, di = 0;
	double sse = 0, x87 = 1;
	unsigned char carry;

	__asm__ volatile("clc\n\t"
			 "ud2\n\t"
			 "movsd %%xmm3, %7"
			 : "+a"(a), "+b"(b), "+c"(c), "+d"(d), "+S"(s),
			   "+D"(di), "=@ccc"(carry), "=m"(sse), "+t"(x87)
			 :
			 : "xmm3", "memory");
	CHECK(calls == 42 && carry);
	CHECK(a == 1 && b == 2 && c == 3 && d == 4 && s == 5 && di == 6);
	CHECK(sse == 0.5 && x87 == -1.0);
	CHECK(RemoveVectoredExceptionHandler(handle));
}

static LONG keep_arguments(EXCEPTION_POINTERS *pointers,
			   volatile ULONG_PTR *to)
{
	to[0] = pointers->ExceptionRecord->ExceptionInformation[0];
	to[1] = pointers->ExceptionRecord->ExceptionInformation[1];

	return pointers->ExceptionRecord->NumberParameters == 2;
}

static LONG NTAPI go_on(PEXCEPTION_POINTERS pointers)
{
	if (pointers->ExceptionRecord->ExceptionCode == 0xe0000001)
		calls++;

	return calls ? EXCEPTION_CONTINUE_EXECUTION : EXCEPTION_CONTINUE_SEARCH;
}

static void blocks(void)
{
	const ULONG_PTR arguments[2] = { 11, 22 };
	volatile ULONG_PTR seen[2] = { 0, 0 };
	volatile char *volatile nowhere = (char *)16;
	volatile int steps = 0, i;
	PVOID handle;

	/* One within the other, and often: each leaves the stack as it was. */
	for (i = 0; i < 1000; i++) {
		WINREGION_TRY {
			WINREGION_TRY {
				RaiseException(0xe0000000 + 5, 0, 2, arguments);
				steps = -100000;
			} WINREGION_EXCEPT(0) {
				steps = -100000;
			} WINREGION_END
		} WINREGION_EXCEPT(keep_arguments(GetExceptionInformation(), seen)) {
			steps += GetExceptionCode() == 0xe0000005;
		} WINREGION_END
	}
	CHECK(steps == 1000 && seen[0] == 11 && seen[1] == 22);
	WINREGION_TRY {
		*nowhere = 1;
		steps = 0;
	} WINREGION_EXCEPT(GetExceptionCode() == EXCEPTION_ACCESS_VIOLATION) {
		steps++;
	} WINREGION_END
	CHECK(steps == 1001);
	handle = AddVectoredExceptionHandler(1, go_on);
	RaiseException(0xe0000001, 0, 0, NULL);
	CHECK(calls == 1 && RemoveVectoredExceptionHandler(handle));
}

static void contexts(void)
{
	static volatile int rounds;
	CONTEXT context;

	RtlCaptureContext(&context);
	CHECK(context.ContextFlags & CONTEXT_i386 && context.Esp);
	CHECK((uintptr_t)contexts <= context.Eip);
	if (rounds++ < 3)
		RtlRestoreContext(&context, NULL);
	CHECK(rounds == 4);
}

/* ---- threads and fibers ---- */

static DWORD WINAPI run_thread(LPVOID argument)
{
	volatile char *below = (char *)NtCurrentTeb()->NtTib.StackLimit;

	/* Its stack grows. */
	CHECK((uintptr_t)&below > (uintptr_t)below);
	Sleep(1);

	return *(DWORD *)argument + 1;
}

static void threads(void)
{
	HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL), thread;
	DWORD number = 41, result = 0, before = GetTickCount();

	CHECK(WaitForSingleObject(event, 50) == WAIT_TIMEOUT);
	CHECK(GetTickCount() - before >= 40);
	thread = CreateThread(NULL, 0, run_thread, &number, 0, NULL);
	CHECK(thread);
	CHECK(WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0);
	CHECK(GetExitCodeThread(thread, &result) && result == 42);
	CHECK(CloseHandle(thread) && CloseHandle(event));
}

/* ---- condition variables: each is as large as a pointer ---- */

#define WAITERS 3
#define TURNS 2000

static CRITICAL_SECTION section;
static struct {
	DWORD before;
	CONDITION_VARIABLE changed;
	DWORD behind;
} condition = { .before = 0x12345678, .behind = 0x87654321 };
static volatile int turns, waiting;

/* Each turn is one waiter's, whoever it is, or that of all at the end. */
static DWORD WINAPI wait_for_turns(LPVOID argument)
{
	DWORD taken = 0;

	(void)argument;
	EnterCriticalSection(&section);
	waiting++;
	while (turns >= 0) {
		if (!turns) {
			CHECK(SleepConditionVariableCS(&condition.changed,
						       &section, INFINITE));
			CHECK(condition.behind == 0x87654321);
			continue;
		}
		turns--;
		taken++;
	}
	LeaveCriticalSection(&section);

	return taken;
}

static void start_waiters(HANDLE *thread)
{
	int i;

	for (i = 0; i < WAITERS; i++) {
		thread[i] = CreateThread(NULL, 0, wait_for_turns, NULL, 0,
					 NULL);
		CHECK(thread[i]);
	}
	while (waiting < WAITERS)
		Sleep(1);
}

static void end_waiters(HANDLE *thread, DWORD expected)
{
	DWORD all = 0, taken;
	int i;

	EnterCriticalSection(&section);
	while (turns) {
		LeaveCriticalSection(&section);
		Sleep(1);
		EnterCriticalSection(&section);
	}
	turns = -1;
	LeaveCriticalSection(&section);
	WakeAllConditionVariable(&condition.changed);
	for (i = 0; i < WAITERS; i++) {
		CHECK(WaitForSingleObject(thread[i], 20000) == WAIT_OBJECT_0);
		CHECK(GetExitCodeThread(thread[i], &taken));
		CHECK(CloseHandle(thread[i]));
		all += taken;
	}
	CHECK(all == expected);
}

static void conditions(void)
{
	HANDLE thread[WAITERS];
	int i, round;

	InitializeCriticalSectionAndSpinCount(&section, 100);
	for (round = 0; round < 3; round++) {
		turns = 0;
		waiting = 0;
		start_waiters(thread);
		for (i = 0; i < TURNS; i++) {
			EnterCriticalSection(&section);
			turns++;
			LeaveCriticalSection(&section);
			if (round == 1)
				WakeAllConditionVariable(&condition.changed);
			else
				WakeConditionVariable(&condition.changed);
		}
		end_waiters(thread, TURNS);
	}
	EnterCriticalSection(&section);
	FAILS(ERROR_TIMEOUT,
	      SleepConditionVariableCS(&condition.changed, &section, 20));
	LeaveCriticalSection(&section);
	CHECK(condition.before == 0x12345678 && condition.behind == 0x87654321);
}

static LPVOID main_fiber;

static VOID CALLBACK run_fiber(LPVOID argument)
{
	volatile double half = 0.5;
	int *count = argument;

	while (1) {
		*count += half * 4 == 2 && !((uintptr_t)&half & 7);
		SwitchToFiber(main_fiber);
	}
}

static void fibers(void)
{
	int counts[2] = { 0, 0 }, i;
	LPVOID fiber[2];

	main_fiber = ConvertThreadToFiber(NULL);
	CHECK(main_fiber);
	for (i = 0; i < 2; i++) {
		fiber[i] = CreateFiber(0, run_fiber, &counts[i]);
		CHECK(fiber[i]);
	}
	for (i = 0; i < 100; i++)
		SwitchToFiber(fiber[i % 2]);
	CHECK(counts[0] == 50 && counts[1] == 50);
	DeleteFiber(fiber[0]);
	DeleteFiber(fiber[1]);
	CHECK(ConvertFiberToThread());
}

/* ---- numbers of things whose bytes are more than there are addresses ---- */

static void messages(void)
{
	const DWORD flags = FORMAT_MESSAGE_ALLOCATE_BUFFER |
			    FORMAT_MESSAGE_FROM_SYSTEM;
	LPWSTR text = (LPWSTR)1;
	DWORD n;

	FAILS(ERROR_NOT_ENOUGH_MEMORY,
	      FormatMessageW(flags, NULL, ERROR_ACCESS_DENIED, 0, (LPWSTR)&text,
			     0x80000000, NULL));
	CHECK(!text);
	FAILS(ERROR_NOT_ENOUGH_MEMORY,
	      FormatMessageW(flags, NULL, ERROR_ACCESS_DENIED, 0, (LPWSTR)&text,
			     0x80000010, NULL));
	CHECK(!text);
	n = FormatMessageW(flags, NULL, ERROR_ACCESS_DENIED, 0, (LPWSTR)&text,
			   1000, NULL);
	CHECK(n && text && !text[n]);
	CHECK(!LocalFree(text));
}

static void privileges(void)
{
	TOKEN_PRIVILEGES list = { .PrivilegeCount = 0x15555556 };
	HANDLE token;

	CHECK(OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &token));
	CHECK(LookupPrivilegeValueA(NULL, SE_CHANGE_NOTIFY_NAME,
				    &list.Privileges[0].Luid));
	FAILS(ERROR_NOACCESS,
	      AdjustTokenPrivileges(token, FALSE, &list, 0, NULL, NULL));
	list.PrivilegeCount = 1;
	CHECK(AdjustTokenPrivileges(token, FALSE, &list, 0, NULL, NULL));
	CHECK(CloseHandle(token));
}

static const struct job jobs[] = {
	{ "readme", readme },	  { "query", query },
	{ "range3", range3 },	  { "range4", range4 },
	{ "watch", watch },	  { "not_there", not_there },
	{ "status", status },	  { "sections", sections },
	{ "large_file", large_file }, { "guards", guards },
	{ "registers", registers }, { "blocks", blocks },
	{ "contexts", contexts }, { "threads", threads },
	{ "conditions", conditions }, { "fibers", fibers },
	{ "messages", messages }, { "privileges", privileges },
};

int main(int argc, char **argv)
{
	return run_job(jobs, sizeof(jobs) / sizeof(*jobs), argc, argv);
}
