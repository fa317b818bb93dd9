// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of processes, threads, modules and heaps: CreateToolhelp32Snapshot() and what
 * reads its snapshots
 */
#include "kselftest_harness.h"

#include "file_fixture.h"
#include "pe_file.h"
#include "race.h"
#include "rounds.h"

#include <winregion/heapapi.h>
#include <winregion/psapi.h>
#include <winregion/tlhelp32.h>

#define BASE ((char *)0x180000000)
#define IMAGE_SIZE 0x3000
#define SNAPSHOTS (TH32CS_SNAPPROCESS | TH32CS_SNAPTHREAD)

/* A name with what may be misread where it is between others */
#define ODD_NAME "a) R 1 (b"

/* The entry of process @pid; false: it is not there, or twice */
static bool find_process(HANDLE snapshot, DWORD pid, PROCESSENTRY32 *found)
{
	PROCESSENTRY32 entry = { .dwSize = sizeof(entry) };
	int n = 0;
	BOOL more;

	for (more = Process32First(snapshot, &entry); more;
	     more = Process32Next(snapshot, &entry)) {
		if (entry.th32ProcessID != pid)
			continue;
		*found = entry;
		n++;
	}
	return n == 1 && GetLastError() == ERROR_NO_MORE_FILES;
}

static int count_threads(HANDLE snapshot, DWORD pid, DWORD tid)
{
	THREADENTRY32 entry = { .dwSize = sizeof(entry) };
	int n = 0;
	BOOL more;

	for (more = Thread32First(snapshot, &entry); more;
	     more = Thread32Next(snapshot, &entry))
		n += entry.th32OwnerProcessID == pid &&
		     (!tid || entry.th32ThreadID == tid);
	return n;
}

static void *sleep_for_ever(void *arg)
{
	*(volatile DWORD *)arg = GetCurrentThreadId();
	for (;;)
		pause();
	return NULL;
}

/* Rules: TOOL-01, TOOL-10, TOOL-11. */
TEST_F(files, this_process_and_its_threads)
{
	volatile DWORD tid = 0;
	PROCESSENTRY32 entry;
	pthread_t thread;
	HANDLE snapshot;

	ASSERT_EQ(0, pthread_create(&thread, NULL, sleep_for_ever,
				    (void *)&tid));
	while (!tid)
		sleep_ms(1);
	SetLastError(OUR_ERROR);
	errno = OUR_ERRNO;
	snapshot = CreateToolhelp32Snapshot(SNAPSHOTS, 0);
	ASSERT_NE(BAD, snapshot);
	EXPECT_EQ(OUR_ERROR, GetLastError());
	EXPECT_EQ(OUR_ERRNO, errno);
	ASSERT_TRUE(find_process(snapshot, getpid(), &entry));
	EXPECT_EQ(sizeof(entry), entry.dwSize);
	EXPECT_EQ(getppid(), entry.th32ParentProcessID);
	EXPECT_EQ(2, entry.cntThreads);
	EXPECT_EQ(8, entry.pcPriClassBase);
	EXPECT_STREQ("toolhelp_test", entry.szExeFile);
	EXPECT_EQ(2, count_threads(snapshot, getpid(), 0));
	EXPECT_EQ(1, count_threads(snapshot, getpid(), tid));
	EXPECT_EQ(1, count_threads(snapshot, getpid(), GetCurrentThreadId()));
	EXPECT_TRUE(CloseHandle(snapshot));
	EXPECT_EQ(self->fds, count_fds());
}

static int have_odd_name(void *arg)
{
	sigset_t set;

	CHECK(!prctl(PR_SET_NAME, ODD_NAME));
	CHECK(nice(5) == 5);
	*(volatile bool *)arg = true;
	sigemptyset(&set);
	sigsuspend(&set);
	return 0;
}

/* Who may not know which file it runs is told what it calls itself. */
static int find_odd_name(void *arg)
{
	PROCESSENTRY32 entry;
	HANDLE snapshot;

	CHECK(!setgid(NOBODY) && !setuid(NOBODY));
	snapshot = CreateToolhelp32Snapshot(SNAPSHOTS, 0);
	CHECK(snapshot != BAD);
	CHECK(find_process(snapshot, *(pid_t *)arg, &entry));
	CHECK(!strcmp(entry.szExeFile, ODD_NAME));
	CHECK(entry.th32ParentProcessID == (DWORD)getppid());
	CHECK(entry.cntThreads == 1);
	CHECK(count_threads(snapshot, *(pid_t *)arg, 0) == 1);
	return !CloseHandle(snapshot);
}

/* A snapshot is of its time, and of all processes. Rules: TOOL-01, TOOL-02, TOOL-10. */
TEST_F(files, other_processes)
{
	volatile bool *ready = mmap(NULL, PAGES(1), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	HANDLE before, during, after;
	PROCESSENTRY32 entry;
	struct child child;

	ASSERT_NE(MAP_FAILED, ready);
	before = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 12345);
	child = start_child(have_odd_name, (void *)ready);
	while (!*ready)
		sleep_ms(1);
	during = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
	EXPECT_EQ(0, in_child(find_odd_name, &child.pid));
	kill(child.pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, end_child(&child));
	after = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
	EXPECT_FALSE(find_process(before, child.pid, &entry));
	EXPECT_FALSE(find_process(after, child.pid, &entry));
	ASSERT_TRUE(find_process(during, child.pid, &entry));
	EXPECT_EQ(getpid(), entry.th32ParentProcessID);
	EXPECT_EQ(1, entry.cntThreads);
	EXPECT_EQ(4, entry.pcPriClassBase);
	EXPECT_STREQ("toolhelp_test", entry.szExeFile);
	/* The first one: of the system, or of what has started here */
	EXPECT_TRUE(find_process(during, 1, &entry));
	EXPECT_EQ(0, entry.th32ParentProcessID);
	/* It runs no file, and has a name nevertheless. */
	ASSERT_TRUE(find_process(during, 2, &entry));
	EXPECT_STREQ("kthreadd", entry.szExeFile);
	EXPECT_TRUE(CloseHandle(before));
	EXPECT_TRUE(CloseHandle(during));
	EXPECT_TRUE(CloseHandle(after));
}

/* Rules: TOOL-12. */
TEST_F(files, names_of_both_widths)
{
	DWORD lists = TH32CS_SNAPPROCESS | TH32CS_SNAPMODULE;
	HANDLE snapshot = CreateToolhelp32Snapshot(lists, 0);
	PROCESSENTRY32W wide = { .dwSize = sizeof(wide) };
	MODULEENTRY32W module = { .dwSize = sizeof(module) };
	char name[MAX_PATH];

	ASSERT_NE(BAD, snapshot);
	ASSERT_TRUE(Process32FirstW(snapshot, &wide));
	while (wide.th32ProcessID != (DWORD)getpid())
		ASSERT_TRUE(Process32NextW(snapshot, &wide));
	EXPECT_EQ(getppid(), wide.th32ParentProcessID);
	EXPECT_LT(0, WideCharToMultiByte(CP_UTF8, 0, wide.szExeFile, -1, name,
					 MAX_PATH, NULL, NULL));
	EXPECT_STREQ("toolhelp_test", name);
	ASSERT_TRUE(Module32FirstW(snapshot, &module));
	EXPECT_LT(0, WideCharToMultiByte(CP_UTF8, 0, module.szModule, -1, name,
					 MAX_PATH, NULL, NULL));
	EXPECT_STREQ("toolhelp_test", name);
	EXPECT_FAILS(ERROR_NO_MORE_FILES, Module32NextW(snapshot, &module));
	EXPECT_TRUE(CloseHandle(snapshot));
}

/* Rules: TOOL-03, TOOL-04, TOOL-05. */
TEST_F(files, what_is_refused)
{
	PROCESSENTRY32 entry = { .dwSize = sizeof(entry) - 1 };
	MODULEENTRY32 module = { .dwSize = sizeof(module) };
	THREADENTRY32 thread = { .dwSize = sizeof(thread) };
	HEAPLIST32 heap = { .dwSize = sizeof(heap) };
	HANDLE snapshot, file = open_shared("file", CREATE_NEW);

	EXPECT_NO_OPEN(ERROR_INVALID_PARAMETER, CreateToolhelp32Snapshot(0, 0));
	EXPECT_NO_OPEN(ERROR_INVALID_PARAMETER,
		       CreateToolhelp32Snapshot(TH32CS_INHERIT, 0));
	EXPECT_NO_OPEN(ERROR_INVALID_PARAMETER,
		       CreateToolhelp32Snapshot(0x40 | SNAPSHOTS, 0));
	EXPECT_NO_OPEN(ERROR_INVALID_PARAMETER,
		       CreateToolhelp32Snapshot(TH32CS_SNAPMODULE, 0x7ffffffe));
	EXPECT_NO_OPEN(ERROR_NOT_SUPPORTED,
		       CreateToolhelp32Snapshot(TH32CS_SNAPALL, 1));
	snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
	ASSERT_NE(BAD, snapshot);
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER,
		     Process32First(snapshot, &entry));
	EXPECT_FAILS(ERROR_NOACCESS, Process32First(snapshot, NULL));
	entry.dwSize = sizeof(entry);
	EXPECT_FAILS(ERROR_INVALID_HANDLE, Process32First(NULL, &entry));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, Process32First(file, &entry));
	/* They were not asked for. */
	EXPECT_FAILS(ERROR_NO_MORE_FILES, Module32First(snapshot, &module));
	EXPECT_FAILS(ERROR_NO_MORE_FILES, Thread32First(snapshot, &thread));
	EXPECT_FAILS(ERROR_NO_MORE_FILES, Heap32ListFirst(snapshot, &heap));
	EXPECT_TRUE(Process32First(snapshot, &entry));
	EXPECT_TRUE(CloseHandle(snapshot));
	EXPECT_TRUE(CloseHandle(file));
}

static int use_snapshot(void *arg)
{
	PROCESSENTRY32 entry;

	CHECK(find_process(*(HANDLE *)arg, getppid(), &entry));
	return !CloseHandle(*(HANDLE *)arg);
}

/* Rules: TOOL-06. */
TEST_F(files, snapshots_are_handles)
{
	DWORD flags = TH32CS_SNAPPROCESS | TH32CS_INHERIT;
	HANDLE snapshot = CreateToolhelp32Snapshot(flags, 0);
	PROCESSENTRY32 entry;

	ASSERT_NE(BAD, snapshot);
	EXPECT_TRUE(GetHandleInformation(snapshot, &flags));
	EXPECT_EQ(HANDLE_FLAG_INHERIT, flags);
	EXPECT_EQ(0, in_child(use_snapshot, &snapshot));
	EXPECT_TRUE(find_process(snapshot, getpid(), &entry));
	EXPECT_TRUE(CloseHandle(snapshot));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, CloseHandle(snapshot));
}

/* ---- modules ---- */

static bool write_library(const char *name)
{
	uint8_t code[32] = { 0xC3 };
	struct pe_file pe;
	int fd;
	bool done;

	pe_begin(&pe, 1, (uintptr_t)BASE);
	pe_section(&pe, ".text", code, sizeof(code), sizeof(code), PE_CODE);
	pe_section(&pe, ".data", "text", 5, 5, PE_DATA);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	done = write(fd, pe.bytes, pe.size) == (ssize_t)pe.size;
	close(fd);
	return done;
}

/* The program, and one library; of @pid */
static int look_at_modules(DWORD pid, const char *directory)
{
	MODULEENTRY32 entry = { .dwSize = sizeof(entry) };
	HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPMODULE, pid);
	char path[PATH_MAX];

	CHECK(snapshot != BAD);
	CHECK(Module32First(snapshot, &entry));
	CHECK(entry.th32ProcessID == pid);
	CHECK((HMODULE)entry.modBaseAddr == GetModuleHandleA(NULL));
	CHECK(entry.hModule == GetModuleHandleA(NULL));
	CHECK(entry.modBaseAddr + entry.modBaseSize >
	      (BYTE *)(uintptr_t)look_at_modules);
	CHECK(!strcmp(entry.szModule, "toolhelp_test"));
	CHECK(GetModuleFileNameA(NULL, path, sizeof(path)));
	CHECK(!strcmp(entry.szExePath, path));
	CHECK(Module32Next(snapshot, &entry));
	CHECK((char *)entry.modBaseAddr == BASE);
	CHECK(entry.modBaseSize == IMAGE_SIZE);
	CHECK((char *)entry.hModule == BASE);
	CHECK(!strcmp(entry.szModule, "a b.dll"));
	snprintf(path, sizeof(path), "%s/a b.dll", directory);
	CHECK(!strcmp(entry.szExePath, path));
	CHECK(!Module32Next(snapshot, &entry));
	CHECK(GetLastError() == ERROR_NO_MORE_FILES);
	return !CloseHandle(snapshot);
}

static int wait_for_the_end(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return 0;
}

/* Rules: TOOL-20, TOOL-21. */
TEST_F(files, modules)
{
	struct child child;
	HMODULE library;
	HANDLE snapshot;

	ASSERT_TRUE(write_library("a b.dll"));
	library = LoadLibraryExA("a b.dll", NULL, DONT_RESOLVE_DLL_REFERENCES);
	ASSERT_EQ(BASE, (char *)library);
	EXPECT_EQ(0, look_at_modules(getpid(), self->directory));
	child = start_child(wait_for_the_end, NULL);
	EXPECT_TRUE(FreeLibrary(library));
	EXPECT_EQ(0, look_at_modules(child.pid, self->directory));
	kill(child.pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, end_child(&child));
	snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPMODULE, 0);
	EXPECT_TRUE(CloseHandle(snapshot));
}

static int look_as_nobody(void *arg)
{
	CHECK(!setgid(NOBODY) && !setuid(NOBODY));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 CreateToolhelp32Snapshot(TH32CS_SNAPMODULE,
						  *(pid_t *)arg) != BAD));
	return 0;
}

/* Rules: TOOL-22. */
TEST_F(files, modules_of_others)
{
	pid_t pid = getpid();

	EXPECT_EQ(0, in_child(look_as_nobody, &pid));
}

/* ---- heaps ---- */

/* Rules: TOOL-30. */
TEST_F(files, heaps)
{
	HEAPLIST32 entry = { .dwSize = sizeof(entry) };
	HANDLE own = GetProcessHeap(), second = HeapCreate(0, 0, 0), snapshot;
	bool found[2] = { false };
	int defaults = 0, nr = 0;
	BOOL more;

	snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, getpid());
	ASSERT_NE(BAD, snapshot);
	for (more = Heap32ListFirst(snapshot, &entry); more;
	     more = Heap32ListNext(snapshot, &entry)) {
		EXPECT_EQ(getpid(), entry.th32ProcessID);
		found[0] |= (HANDLE)entry.th32HeapID == own &&
			    entry.dwFlags == HF32_DEFAULT;
		found[1] |= (HANDLE)entry.th32HeapID == second;
		defaults += entry.dwFlags == HF32_DEFAULT;
		nr++;
	}
	EXPECT_EQ(ERROR_NO_MORE_FILES, GetLastError());
	EXPECT_TRUE(found[0] && found[1]);
	EXPECT_EQ(1, defaults);
	EXPECT_EQ(GetProcessHeaps(0, NULL), nr);
	EXPECT_TRUE(CloseHandle(snapshot));
	EXPECT_TRUE(HeapDestroy(second));
}

#define BLOCKS 100
#define LARGE (2UL << 20)

/* Rules: TOOL-31, TOOL-32. Each block once, with its size, whatever is freed meanwhile */
TEST_F(files, blocks_of_a_heap)
{
	HEAPENTRY32 entry = { .dwSize = sizeof(entry) };
	HANDLE heap = HeapCreate(0, 0, 0);
	void *blocks[BLOCKS], *large;
	int seen[BLOCKS] = { 0 }, i, others = 0, larges = 0;
	BOOL more;

	ASSERT_NE(NULL, heap);
	for (i = 0; i < BLOCKS; i++) {
		blocks[i] = HeapAlloc(heap, 0, 100 + i);
		ASSERT_NE(NULL, blocks[i]);
	}
	large = HeapAlloc(heap, 0, LARGE);
	ASSERT_NE(NULL, large);
	for (more = Heap32First(&entry, getpid(), (ULONG_PTR)heap); more;
	     more = Heap32Next(&entry)) {
		EXPECT_EQ(getpid(), entry.th32ProcessID);
		EXPECT_EQ(heap, (HANDLE)entry.th32HeapID);
		EXPECT_EQ(entry.dwAddress, (ULONG_PTR)entry.hHandle);
		if (entry.dwFlags == LF32_FREE)
			continue;
		EXPECT_EQ(LF32_FIXED, entry.dwFlags);
		larges += (void *)entry.dwAddress == large &&
			  entry.dwBlockSize == LARGE;
		for (i = 0; i < BLOCKS; i++)
			if ((void *)entry.dwAddress == blocks[i])
				break;
		if (i == BLOCKS) {
			others++;
			continue;
		}
		EXPECT_EQ(100 + i, entry.dwBlockSize);
		if (!seen[i]++)
			EXPECT_TRUE(HeapFree(heap, 0, blocks[i]));
	}
	EXPECT_EQ(ERROR_NO_MORE_FILES, GetLastError());
	for (i = 0; i < BLOCKS; i++)
		EXPECT_EQ(1, seen[i]);
	EXPECT_EQ(1, larges);
	EXPECT_EQ(1, others);
	EXPECT_TRUE(HeapDestroy(heap));
}

static void *walk_another(void *arg)
{
	HEAPENTRY32 entry = { .dwSize = sizeof(entry) };
	long n = 0;
	BOOL more;

	for (more = Heap32First(&entry, 0, (ULONG_PTR)arg); more;
	     more = Heap32Next(&entry))
		n += entry.dwFlags == LF32_FIXED;
	return (void *)n;
}

/* Two walks of one thread, and one of another, do not mix. Rules: TOOL-31. */
TEST_F(files, walks_at_once)
{
	HEAPENTRY32 one = { .dwSize = sizeof(one) };
	HEAPENTRY32 two = { .dwSize = sizeof(two) };
	HANDLE first = HeapCreate(0, 0, 0), second = HeapCreate(0, 0, 0);
	void *a = HeapAlloc(first, 0, 11), *b = HeapAlloc(second, 0, 22);
	int ones = 0, twos = 0;
	pthread_t thread;
	BOOL more;
	void *n;

	ASSERT_TRUE(first && second && a && b);
	ASSERT_TRUE(Heap32First(&two, 0, (ULONG_PTR)second));
	for (more = Heap32First(&one, 0, (ULONG_PTR)first); more;
	     more = Heap32Next(&one))
		ones += (void *)one.dwAddress == a && one.dwBlockSize == 11;
	do {
		twos += (void *)two.dwAddress == b && two.dwBlockSize == 22;
		ASSERT_EQ(0, pthread_create(&thread, NULL, walk_another,
					    first));
		ASSERT_EQ(0, pthread_join(thread, &n));
		EXPECT_EQ(1, (long)n);
	} while (Heap32Next(&two));
	EXPECT_EQ(1, ones);
	EXPECT_EQ(1, twos);
	EXPECT_TRUE(HeapDestroy(first));
	EXPECT_TRUE(HeapDestroy(second));
}

/* Rules: TOOL-32. */
TEST_F(files, blocks_with_handles)
{
	HGLOBAL memory = GlobalAlloc(GMEM_MOVEABLE, 1234);
	HEAPENTRY32 entry = { .dwSize = sizeof(entry) };
	int found = 0;
	BOOL more;

	ASSERT_NE(NULL, memory);
	for (more = Heap32First(&entry, 0, (ULONG_PTR)GetProcessHeap()); more;
	     more = Heap32Next(&entry))
		found += entry.hHandle == memory &&
			 entry.dwFlags == LF32_MOVEABLE &&
			 entry.dwBlockSize == 1234;
	EXPECT_EQ(1, found);
	EXPECT_EQ(NULL, GlobalFree(memory));
}

static struct crew makers;
static HANDLE shown;

static void *show_and_destroy(void *unused)
{
	HANDLE heap;

	while (crew_goes_on(&makers)) {
		heap = HeapCreate(0, 0, 0);
		if (!heap || !HeapAlloc(heap, 0, 1000))
			abort();
		__atomic_store_n(&shown, heap, __ATOMIC_SEQ_CST);
		if (!HeapDestroy(heap))
			abort();
	}
	return NULL;
}

/* Rules: TOOL-34. */
TEST_F(files, walks_while_heaps_end)
{
	long round, rounds = race_rounds(1000);
	HEAPENTRY32 entry;
	HANDLE heap;

	crew_add(&makers, show_and_destroy, NULL);
	for (round = 0; round < rounds; round++) {
		heap = __atomic_load_n(&shown, __ATOMIC_SEQ_CST);
		entry.dwSize = sizeof(entry);
		if (Heap32First(&entry, 0, (ULONG_PTR)heap)) {
			ASSERT_EQ((ULONG_PTR)heap, entry.th32HeapID);
		} else {
			ASSERT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
		}
	}
	crew_stop(&makers);
}

static volatile pid_t walker;
static volatile bool is_locked;

/* While another thread waits for the lock */
static void *destroy_locked(void *heap)
{
	if (!HeapLock(heap))
		abort();
	is_locked = true;
	if (!SETTLES(walker && thread_sleeps(walker)) || !HeapDestroy(heap))
		abort();
	return NULL;
}

/* Rules: TOOL-34. */
TEST_F(files, walk_that_waits_as_its_heap_ends)
{
	HEAPENTRY32 entry = { .dwSize = sizeof(entry) };
	HANDLE heap = HeapCreate(0, 0, 0);
	pthread_t thread;

	ASSERT_NE(NULL, heap);
	ASSERT_EQ(0, pthread_create(&thread, NULL, destroy_locked, heap));
	ASSERT_TRUE(SETTLES(is_locked));
	walker = gettid();
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     Heap32First(&entry, 0, (ULONG_PTR)heap));
	EXPECT_EQ(0, pthread_join(thread, NULL));
}

/* Rules: TOOL-33. */
TEST_F(files, walks_that_are_refused)
{
	HEAPENTRY32 entry = { .dwSize = sizeof(entry) };
	ULONG_PTR own = (ULONG_PTR)GetProcessHeap();

	EXPECT_FAILS(ERROR_INVALID_PARAMETER, Heap32First(&entry, 0, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, Heap32First(&entry, 0, own + 8));
	EXPECT_FAILS(ERROR_NOT_SUPPORTED, Heap32First(&entry, getppid(), own));
	EXPECT_FAILS(ERROR_NOACCESS, Heap32First(NULL, 0, own));
	EXPECT_FAILS(ERROR_NOACCESS, Heap32Next(NULL));
	entry.dwSize--;
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER, Heap32First(&entry, 0, own));
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER, Heap32Next(&entry));
}

/* ---- memory ---- */

/* Rules: TOOL-40. */
TEST_F(files, memory_by_number)
{
	static int value = 4711;
	struct child child = start_child(wait_for_the_end, NULL);
	SIZE_T done = 0;
	int copy = 0;

	value = 1;
	EXPECT_TRUE(Toolhelp32ReadProcessMemory(child.pid, &value, &copy,
						sizeof(copy), &done));
	EXPECT_EQ(4711, copy);
	EXPECT_EQ(sizeof(copy), done);
	EXPECT_TRUE(Toolhelp32ReadProcessMemory(0, &value, &copy, sizeof(copy),
						NULL));
	EXPECT_EQ(1, copy);
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     Toolhelp32ReadProcessMemory(child.pid, NULL, &copy,
						 sizeof(copy), &done));
	kill(child.pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, end_child(&child));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     Toolhelp32ReadProcessMemory(child.pid, &value, &copy,
						 sizeof(copy), &done));
}

TEST_HARNESS_MAIN
