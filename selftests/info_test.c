// SPDX-License-Identifier: GPL-2.0
/*
 * What is said of memory: of the system's, of the process's, and of what an address
 * is good for; and copies from and to memory that may not be there
 */
#include "kselftest_harness.h"

#include <winregion/psapi.h>

#include "file_fixture.h"

#define PAGE PAGES(1)
#define BIG MIB(64)

static char *commit(size_t size, DWORD protect)
{
	return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, protect);
}

static bool set(void *address, size_t size, DWORD protect)
{
	DWORD old;

	return VirtualProtect(address, size, protect, &old);
}

static DWORD protection_at(const void *address)
{
	MEMORY_BASIC_INFORMATION info;

	if (!VirtualQuery(address, &info, sizeof(info)))
		return 0;
	return info.Protect;
}

/* ---- the system ---- */

static MEMORYSTATUSEX status_now(void)
{
	MEMORYSTATUSEX status = { .dwLength = sizeof(status) };

	GlobalMemoryStatusEx(&status);
	return status;
}

/* Rules: GM-01, GM-02, GM-05, GM-07. */
TEST(memory_status)
{
	MEMORYSTATUSEX status = { .dwLength = 63 };
	SYSTEM_INFO system;

	EXPECT_FAILS(ERROR_INVALID_PARAMETER, GlobalMemoryStatusEx(&status));
	EXPECT_EQ(0, status.ullTotalPhys);
	status.dwLength = 65;
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, GlobalMemoryStatusEx(&status));
	EXPECT_FAILS(ERROR_NOACCESS, GlobalMemoryStatusEx(NULL));
	errno = OUR_ERRNO;
	status = status_now();
	EXPECT_EQ(OUR_ERRNO, errno);
	GetSystemInfo(&system);
	EXPECT_EQ((uint64_t)sysconf(_SC_PHYS_PAGES) * 4096,
		  status.ullTotalPhys);
	EXPECT_LT(0, status.ullAvailPhys);
	EXPECT_LT(status.ullAvailPhys, status.ullTotalPhys);
	EXPECT_EQ((status.ullTotalPhys - status.ullAvailPhys) /
			  (status.ullTotalPhys / 100),
		  status.dwMemoryLoad);
	EXPECT_EQ((uint64_t)system.lpMaximumApplicationAddress -
			  (uint64_t)system.lpMinimumApplicationAddress + 1,
		  status.ullTotalVirtual);
	EXPECT_EQ(0, status.ullAvailExtendedVirtual);
}

/* Rules: GM-03, GM-04, GM-06. */
TEST(memory_status_of_commits)
{
	int fd = wr_open();
	MEMORYSTATUSEX before, after;
	char *memory;

	ASSERT_LE(0, fd);
	before = status_now();
	EXPECT_LE(WR_INFO(fd, out_total), before.ullTotalPageFile);
	memory = commit(BIG, PAGE_READWRITE);
	ASSERT_NE(NULL, memory);
	after = status_now();
	/* Others commit, too; and some is kept in store. */
	EXPECT_GE(before.ullAvailPageFile - BIG + MIB(16),
		  after.ullAvailPageFile);
	EXPECT_LE(before.ullAvailPageFile - BIG - MIB(64),
		  after.ullAvailPageFile);
	EXPECT_LE(after.ullAvailVirtual, before.ullAvailVirtual - BIG);
	EXPECT_TRUE(VirtualFree(memory, 0, MEM_RELEASE));
	close(fd);
}

/* Rules: GM-08. */
TEST(memory_status_without_errors)
{
	MEMORYSTATUS status = { 0 };
	MEMORYSTATUSEX all;

	SetLastError(OUR_ERROR);
	GlobalMemoryStatus(&status);
	all = status_now();
	EXPECT_EQ(OUR_ERROR, GetLastError());
	EXPECT_EQ(sizeof(status), status.dwLength);
	EXPECT_EQ(all.ullTotalPhys, status.dwTotalPhys);
	EXPECT_EQ(all.ullTotalVirtual, status.dwTotalVirtual);
	EXPECT_LE(status.dwAvailPageFile, status.dwTotalPageFile);
}

/* Rules: GM-09, GM-10. */
TEST(installed_memory)
{
	ULONGLONG kilobytes = 0;

	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     GetPhysicallyInstalledSystemMemory(NULL));
	ASSERT_TRUE(GetPhysicallyInstalledSystemMemory(&kilobytes));
	EXPECT_LE(status_now().ullTotalPhys / 1024, kilobytes);
	EXPECT_GT(2 * status_now().ullTotalPhys / 1024 + 262144, kilobytes);
}

/* Rules: PI-07. */
TEST(performance)
{
	PERFORMANCE_INFORMATION info = { 0 };
	MEMORYSTATUSEX status = status_now();

	EXPECT_FAILS(ERROR_BAD_LENGTH,
		     GetPerformanceInfo(&info, sizeof(info) - 1));
	EXPECT_EQ(0, info.cb);
	ASSERT_TRUE(GetPerformanceInfo(&info, sizeof(info)));
	EXPECT_EQ(sizeof(info), info.cb);
	EXPECT_EQ(4096, info.PageSize);
	EXPECT_EQ(status.ullTotalPhys / 4096, info.PhysicalTotal);
	EXPECT_LE(info.CommitTotal, info.CommitLimit);
	EXPECT_LE(info.CommitTotal, info.CommitPeak);
	EXPECT_LT(0, info.PhysicalAvailable);
	EXPECT_EQ(info.KernelTotal, info.KernelPaged + info.KernelNonpaged);
	EXPECT_LT(1, info.ProcessCount);
	EXPECT_LE(info.ProcessCount, info.ThreadCount);
	EXPECT_TRUE(K32GetPerformanceInfo(&info, sizeof(info)));
}

/* Rules: PI-10. Which processors there are */
TEST(processors)
{
	SYSTEM_INFO info;

	GetSystemInfo(&info);
	EXPECT_EQ(sysconf(_SC_NPROCESSORS_ONLN), info.dwNumberOfProcessors);
	EXPECT_EQ(info.dwNumberOfProcessors,
		  __builtin_popcountl(info.dwActiveProcessorMask));
#ifdef __aarch64__
	EXPECT_EQ(PROCESSOR_ARCHITECTURE_ARM64, info.wProcessorArchitecture);
	EXPECT_EQ(0, info.dwProcessorType);
#else
	EXPECT_EQ(PROCESSOR_ARCHITECTURE_AMD64, info.wProcessorArchitecture);
	EXPECT_EQ(PROCESSOR_AMD_X8664, info.dwProcessorType);
	EXPECT_LE(6, info.wProcessorLevel);
#endif
}

/* ---- the process ---- */

static PROCESS_MEMORY_COUNTERS_EX counters_now(void)
{
	PROCESS_MEMORY_COUNTERS_EX counters = { 0 };
	void *both = &counters;

	GetProcessMemoryInfo(GetCurrentProcess(), both, sizeof(counters));
	return counters;
}

/* Rules: PI-01, PI-03, PI-04. */
TEST(process_counters)
{
	struct {
		PROCESS_MEMORY_COUNTERS_EX counters;
		uint64_t behind;
	} all = { .behind = 17 };
	PPROCESS_MEMORY_COUNTERS first = (PPROCESS_MEMORY_COUNTERS)&all;
	HANDLE self = GetCurrentProcess();

	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     GetProcessMemoryInfo(NULL, first, sizeof(all)));
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER,
		     GetProcessMemoryInfo(self, first, 71));
	EXPECT_FAILS(ERROR_NOACCESS, GetProcessMemoryInfo(self, NULL, 72));
	EXPECT_EQ(0, first->cb);
	ASSERT_TRUE(GetProcessMemoryInfo(self, first, 79));
	EXPECT_EQ(72, first->cb);
	EXPECT_EQ(0, all.counters.PrivateUsage);
	ASSERT_TRUE(K32GetProcessMemoryInfo(self, first, 88));
	EXPECT_EQ(80, first->cb);
	EXPECT_EQ(17, all.behind);
	EXPECT_LT(0, first->PageFaultCount);
	EXPECT_LT(0, first->WorkingSetSize);
	EXPECT_LE(first->WorkingSetSize, first->PeakWorkingSetSize);
	EXPECT_LE(first->PagefileUsage, first->PeakPagefileUsage);
}

/* Rules: PI-06. What is committed counts, touched or not. */
TEST(commit_charge)
{
	PROCESS_MEMORY_COUNTERS_EX before, reserved, after;
	char *memory;

	before = counters_now();
	memory = VirtualAlloc(NULL, BIG, MEM_RESERVE, PAGE_READWRITE);
	ASSERT_NE(NULL, memory);
	reserved = counters_now();
	ASSERT_NE(NULL, VirtualAlloc(memory, BIG / 2, MEM_COMMIT,
				     PAGE_READWRITE));
	after = counters_now();
	EXPECT_EQ(before.PrivateUsage, reserved.PrivateUsage);
	EXPECT_EQ(before.PrivateUsage + BIG / 2, after.PrivateUsage);
	EXPECT_EQ(after.PrivateUsage, after.PagefileUsage);
	EXPECT_GT(before.WorkingSetSize + MIB(8), after.WorkingSetSize);
	memset(memory, 1, BIG / 2);
	EXPECT_LE(before.WorkingSetSize + BIG / 2,
		  counters_now().WorkingSetSize);
	EXPECT_TRUE(VirtualFree(memory, BIG / 4, MEM_DECOMMIT));
	EXPECT_EQ(before.PrivateUsage + BIG / 4, counters_now().PrivateUsage);
	EXPECT_TRUE(VirtualFree(memory, 0, MEM_RELEASE));
	after = counters_now();
	EXPECT_EQ(before.PrivateUsage, after.PrivateUsage);
	EXPECT_LE(before.PrivateUsage + BIG / 2, after.PeakPagefileUsage);
	/* Of the highest value the kernel leaves out what each processor has counted. */
	EXPECT_LE(before.WorkingSetSize + BIG / 2,
		  after.PeakWorkingSetSize + MIB(1));
}

/* Rules: PI-06. So does private memory of others: malloc(3)'s, for one. */
TEST(commit_charge_of_others)
{
	SIZE_T before = counters_now().PrivateUsage;
	void *heap = malloc(BIG);

	ASSERT_NE(NULL, heap);
	EXPECT_LE(before + BIG, counters_now().PrivateUsage);
	EXPECT_GT(before + BIG + MIB(1), counters_now().PrivateUsage);
	free(heap);
}

/* ---- pointers ---- */

/* Rules: BP-01, BP-02, BP-06, BP-08. */
TEST(pointers_to_nothing)
{
	char *wild = (char *)0x1234567890000000, *memory = commit(PAGE, 4);

	EXPECT_FALSE(IsBadReadPtr(NULL, 0));
	EXPECT_FALSE(IsBadReadPtr(wild, 0));
	EXPECT_FALSE(IsBadWritePtr(NULL, 0));
	EXPECT_FALSE(IsBadWritePtr(wild, 0));
	EXPECT_FALSE(IsBadStringPtrA(NULL, 0));
	EXPECT_TRUE(IsBadReadPtr(NULL, 1));
	EXPECT_TRUE(IsBadReadPtr(wild, 1));
	EXPECT_TRUE(IsBadWritePtr(NULL, 1));
	EXPECT_TRUE(IsBadWritePtr(wild, 1));
	EXPECT_TRUE(IsBadHugeReadPtr(NULL, 1));
	EXPECT_TRUE(IsBadHugeWritePtr(NULL, 1));
	EXPECT_TRUE(IsBadCodePtr(NULL));
	EXPECT_TRUE(IsBadCodePtr((FARPROC)(uintptr_t)wild));
	EXPECT_TRUE(IsBadStringPtrA(NULL, 1));
	EXPECT_TRUE(IsBadStringPtrW((LPCWSTR)wild, 1));
	ASSERT_NE(NULL, memory);
	EXPECT_FALSE(IsBadReadPtr(memory, PAGE));
	EXPECT_FALSE(IsBadWritePtr(memory, PAGE));
	EXPECT_TRUE(IsBadReadPtr(memory, -1UL));
	EXPECT_TRUE(VirtualFree(memory, 0, MEM_RELEASE));
	EXPECT_TRUE(IsBadReadPtr(memory, 1));
	EXPECT_TRUE(IsBadWritePtr(memory, 1));
}

/* Rules: BP-03, BP-04, BP-05, BP-07. */
TEST(pointers_by_protection)
{
	char *memory = VirtualAlloc(NULL, PAGES(8), MEM_RESERVE,
				    PAGE_READWRITE);
	int i;

	ASSERT_NE(NULL, memory);
	ASSERT_NE(NULL, VirtualAlloc(memory, PAGES(6), MEM_COMMIT, 4));
	memset(memory, 7, PAGES(6));
	ASSERT_TRUE(set(memory + PAGES(2), PAGES(2), PAGE_READONLY));
	ASSERT_TRUE(set(memory + PAGES(4), PAGES(2), PAGE_NOACCESS));
	EXPECT_FALSE(IsBadReadPtr(memory, PAGES(4)));
	EXPECT_FALSE(IsBadWritePtr(memory, PAGES(2)));
	EXPECT_TRUE(IsBadWritePtr(memory, PAGES(2) + 1));
	EXPECT_TRUE(IsBadWritePtr(memory + PAGES(2), 1));
	EXPECT_TRUE(IsBadReadPtr(memory, PAGES(4) + 1));
	EXPECT_FALSE(IsBadReadPtr(memory + PAGES(4) - 1, 1));
	EXPECT_FALSE(IsBadCodePtr((FARPROC)(uintptr_t)(memory + PAGES(2))));
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(IsBadReadPtr(memory + PAGES(4), 1));
		EXPECT_TRUE(IsBadWritePtr(memory + PAGES(5), 1));
		EXPECT_TRUE(IsBadReadPtr(memory + PAGES(6), 1));
		EXPECT_TRUE(IsBadCodePtr((FARPROC)(memory + PAGES(7))));
	}
	EXPECT_EQ(7, memory[0]);
	EXPECT_EQ(7, memory[PAGES(2) - 1]);
	EXPECT_TRUE(VirtualFree(memory, 0, MEM_RELEASE));
}

/* Rules: BP-09. As far as the text goes */
TEST(pointers_to_text)
{
	char *memory = commit(PAGES(2), PAGE_READWRITE), *end;
	WCHAR *wide;

	ASSERT_NE(NULL, memory);
	ASSERT_TRUE(set(memory + PAGE, PAGE, PAGE_NOACCESS));
	end = memory + PAGE - 4;
	memcpy(end, "abc", 4);
	EXPECT_FALSE(IsBadStringPtrA(end, -1UL));
	EXPECT_FALSE(IsBadStringPtrA(memory + 1, -1UL));
	end[3] = 'd';
	EXPECT_FALSE(IsBadStringPtrA(end, 4));
	EXPECT_TRUE(IsBadStringPtrA(end, 5));
	wide = (WCHAR *)end;
	EXPECT_FALSE(IsBadStringPtrW(wide, 2));
	EXPECT_TRUE(IsBadStringPtrW(wide, 3));
	EXPECT_TRUE(IsBadStringPtrW((WCHAR *)(end + 1), 2));
	wide[1] = 0;
	EXPECT_FALSE(IsBadStringPtrW(wide, 3));
	EXPECT_TRUE(VirtualFree(memory, 0, MEM_RELEASE));
}

/* Rules: GP-11. */
TEST(pointers_take_guards)
{
	static const DWORD guard = PAGE_READWRITE | PAGE_GUARD;
	char *memory = commit(PAGES(3), guard);

	ASSERT_NE(NULL, memory);
	EXPECT_TRUE(IsBadReadPtr(memory, 1));
	EXPECT_EQ(PAGE_READWRITE, protection_at(memory));
	EXPECT_FALSE(IsBadReadPtr(memory, 1));
	EXPECT_EQ(guard, protection_at(memory + PAGE));
	EXPECT_TRUE(IsBadWritePtr(memory, PAGES(3)));
	EXPECT_EQ(PAGE_READWRITE, protection_at(memory + PAGE));
	EXPECT_EQ(guard, protection_at(memory + PAGES(2)));
	EXPECT_TRUE(IsBadStringPtrA(memory + PAGES(2), 9));
	EXPECT_FALSE(IsBadWritePtr(memory, PAGES(3)));
	EXPECT_TRUE(VirtualFree(memory, 0, MEM_RELEASE));
}

/* Nothing takes an offer back but its owner. Rules: OF-03, BP-03. */
TEST(pointers_to_offered_pages)
{
	char *memory = commit(PAGES(3), PAGE_READWRITE), *page = memory + PAGE;
	int i;

	ASSERT_NE(NULL, memory);
	memcpy(page, "text", 5);
	ASSERT_EQ(ERROR_SUCCESS,
		  OfferVirtualMemory(page, PAGE, VmOfferPriorityNormal));
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(IsBadReadPtr(page, 1));
		EXPECT_TRUE(IsBadWritePtr(page, 1));
		EXPECT_TRUE(IsBadStringPtrA(page, 5));
		EXPECT_TRUE(IsBadReadPtr(memory, PAGES(3)));
		EXPECT_TRUE(IsBadWritePtr(memory, PAGES(3)));
		EXPECT_EQ(PAGE_READWRITE, protection_at(page));
	}
	EXPECT_FALSE(IsBadWritePtr(memory, PAGE));
	EXPECT_FALSE(IsBadWritePtr(memory + PAGES(2), PAGE));
	EXPECT_EQ(ERROR_SUCCESS, ReclaimVirtualMemory(page, PAGE));
	EXPECT_FALSE(IsBadWritePtr(memory, PAGES(3)));
	EXPECT_STREQ("text", page);
	EXPECT_TRUE(VirtualFree(memory, 0, MEM_RELEASE));
}

/* ---- copies ---- */

#define US GetCurrentProcess()

/* Rules: PM-01, PM-09. */
TEST(copy_in_general)
{
	char from[300], to[300] = "";
	SIZE_T done = 4711;

	memset(from, 5, sizeof(from));
	EXPECT_TRUE(ReadProcessMemory(US, from, to, 0, &done));
	EXPECT_EQ(0, done);
	done = 4711;
	EXPECT_TRUE(WriteProcessMemory(US, to, from, 0, &done));
	EXPECT_EQ(0, done);
	EXPECT_TRUE(ReadProcessMemory(US, from, to, 300, &done));
	EXPECT_EQ(300, done);
	EXPECT_EQ(0, memcmp(from, to, 300));
	to[7] = 1;
	EXPECT_TRUE(WriteProcessMemory(US, to, from, 300, NULL));
	EXPECT_EQ(0, memcmp(from, to, 300));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     ReadProcessMemory(NULL, from, to, 1, &done));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     WriteProcessMemory(NULL, to, from, 1, &done));
	EXPECT_EQ(300, done);
	EXPECT_FAILS(ERROR_NOACCESS,
		     ReadProcessMemory(US, from, to, 1, (SIZE_T *)16));
	EXPECT_FAILS(ERROR_NOACCESS,
		     ReadProcessMemory(US, (void *)-8, to, 16, &done));
}

/* Rules: PM-02, PM-03, PM-04. Four pages, of which the third cannot be used */
TEST(copy_with_holes)
{
	char *hole = commit(PAGES(4), PAGE_READWRITE);
	char *whole = commit(PAGES(4), PAGE_READWRITE);
	SIZE_T done = 4711;

	ASSERT_TRUE(hole && whole);
	memset(hole, 3, PAGES(4));
	ASSERT_TRUE(set(hole + PAGES(2), PAGE, PAGE_NOACCESS));
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     WriteProcessMemory(US, whole, hole, PAGES(4), &done));
	EXPECT_EQ(0, done);
	done = 4711;
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     ReadProcessMemory(US, hole, whole, PAGES(4), &done));
	EXPECT_EQ(0, done);
	EXPECT_TRUE(page_is_zero(whole));
	memset(whole, 4, PAGES(4));
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     ReadProcessMemory(US, whole, hole, PAGES(4), &done));
	EXPECT_EQ(PAGES(2), done);
	EXPECT_EQ(4, hole[PAGES(2) - 1]);
	EXPECT_EQ(3, hole[PAGES(3)]);
	EXPECT_TRUE(VirtualFree(hole, 0, MEM_RELEASE));
	EXPECT_TRUE(VirtualFree(whole, 0, MEM_RELEASE));
}

/* Rules: PM-05, PM-06, PM-07. */
TEST(copy_to_protected)
{
	char *to = commit(PAGES(4), PAGE_READONLY), from[8] = "1234567";
	SIZE_T done = 4711;

	NEEDS_CODE();
	ASSERT_NE(NULL, to);
	EXPECT_FAILS(ERROR_NOACCESS,
		     WriteProcessMemory(US, to, from, 8, &done));
	EXPECT_EQ(4711, done);
	EXPECT_EQ(PAGE_READONLY, protection_at(to));
	ASSERT_TRUE(set(to, PAGES(4), PAGE_EXECUTE_READ));
	EXPECT_TRUE(WriteProcessMemory(US, to + PAGE - 4, from, 8, &done));
	EXPECT_EQ(8, done);
	EXPECT_STREQ(from, to + PAGE - 4);
	EXPECT_EQ(PAGE_EXECUTE_READ, protection_at(to));
	ASSERT_TRUE(set(to, PAGE, PAGE_EXECUTE_READWRITE));
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     WriteProcessMemory(US, to + PAGE - 3, from, 8, &done));
	EXPECT_EQ(3, done);
	EXPECT_EQ(PAGE_EXECUTE_READ, protection_at(to + PAGE));
	ASSERT_TRUE(set(to + PAGE, PAGE, PAGE_READONLY));
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     WriteProcessMemory(US, to + PAGE - 2, from, 8, &done));
	EXPECT_EQ(2, done);
	done = 4711;
	EXPECT_FAILS(ERROR_NOACCESS,
		     WriteProcessMemory(US, (void *)0x10000, from, 8, &done));
	EXPECT_EQ(4711, done);
	EXPECT_TRUE(VirtualFree(to, 0, MEM_RELEASE));
}

/* Rules: PM-08, PM-11. */
TEST(copy_by_nt)
{
	char *to = commit(PAGE, PAGE_EXECUTE_READ), text[8] = "1234567";
	SIZE_T done = 4711;

	NEEDS_CODE();
	ASSERT_NE(NULL, to);
	EXPECT_EQ(STATUS_PARTIAL_COPY,
		  NtReadVirtualMemory(US, (void *)0x1234, text, 8, &done));
	EXPECT_EQ(0, done);
	done = 4711;
	EXPECT_EQ(STATUS_PARTIAL_COPY,
		  NtWriteVirtualMemory(US, to, text, 8, &done));
	EXPECT_EQ(0, done);
	ASSERT_TRUE(set(to, PAGE, PAGE_READONLY));
	EXPECT_EQ(STATUS_PARTIAL_COPY,
		  NtWriteVirtualMemory(US, to, text, 8, NULL));
	ASSERT_TRUE(set(to, PAGE, PAGE_READWRITE));
	EXPECT_EQ(STATUS_SUCCESS,
		  NtWriteVirtualMemory(US, to, text, 8, &done));
	EXPECT_EQ(8, done);
	EXPECT_EQ(STATUS_SUCCESS,
		  NtReadVirtualMemory(US, to + 1, text, 7, &done));
	EXPECT_STREQ("234567", text);
	EXPECT_EQ(STATUS_INVALID_HANDLE,
		  NtReadVirtualMemory(NULL, to, text, 7, &done));
	EXPECT_EQ(STATUS_INVALID_HANDLE,
		  NtWriteVirtualMemory(NULL, to, text, 7, &done));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION,
		  NtWriteVirtualMemory(US, (void *)-4, text, 8, &done));
	EXPECT_TRUE(VirtualFree(to, 0, MEM_RELEASE));
}

/* Rules: GP-11. */
TEST(copies_take_guards)
{
	static const DWORD guard = PAGE_READWRITE | PAGE_GUARD;
	char *memory = commit(PAGES(3), guard), text[8] = "1234567";
	SIZE_T done = 4711;

	ASSERT_NE(NULL, memory);
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     ReadProcessMemory(US, memory, text, 8, &done));
	EXPECT_EQ(0, done);
	EXPECT_EQ(PAGE_READWRITE, protection_at(memory));
	EXPECT_FALSE(WriteProcessMemory(US, memory + PAGE, text, 8, &done));
	EXPECT_EQ(PAGE_READWRITE, protection_at(memory + PAGE));
	EXPECT_TRUE(WriteProcessMemory(US, memory + PAGE, text, 8, &done));
	EXPECT_FALSE(ReadProcessMemory(US, text, memory + PAGES(2), 8, &done));
	EXPECT_EQ(0, done);
	EXPECT_EQ(PAGE_READWRITE, protection_at(memory + PAGES(2)));
	EXPECT_TRUE(VirtualFree(memory, 0, MEM_RELEASE));
}

TEST_HARNESS_MAIN
