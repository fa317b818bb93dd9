// SPDX-License-Identifier: GPL-2.0
/*
 * What sources for Windows call beside memory and files: functions by name, the
 * environment, messages, clocks, standard input and output. None of it needs the
 * module.
 */
#include "kselftest_harness.h"

#include <sys/ptrace.h>

#include <winregion/bcrypt.h>

#include "file_fixture.h"

typedef DWORD(WINAPI * get_id)(VOID);

/* ---- libraries ---- */

/* Rules: MODULE-01, MODULE-02. */
TEST(library_names)
{
	static const char *const names[] = {
		"KERNEL32", "kernel32.DLL", "Kernel32.dll", "kernel32.",
		"C:\\Windows\\System32\\kernel32.dll", "/x/kernel32.dll",
	};
	HMODULE kernel = GetModuleHandleA("kernel32.dll");
	size_t i;

	ASSERT_NE(NULL, kernel);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		EXPECT_EQ(kernel, GetModuleHandleA(names[i])) {
			TH_LOG("name %zu", i);
		}
	EXPECT_EQ(kernel, GetModuleHandleW(W("kernel32.dll")));
	EXPECT_EQ(kernel, LoadLibraryA("kernel32.dll"));
	EXPECT_EQ(kernel, LoadLibraryW(W("Kernel32")));
	EXPECT_EQ(kernel, LoadLibraryExA("kernel32.dll", NULL,
					 LOAD_LIBRARY_SEARCH_SYSTEM32));
	EXPECT_EQ(GetModuleHandleA("kernelbase"),
		  LoadLibraryA("api-ms-win-core-memory-l1-1-6.dll"));
	EXPECT_NE(kernel, GetModuleHandleA("ntdll"));
	EXPECT_TRUE(FreeLibrary(kernel));
	EXPECT_TRUE(FreeLibrary(kernel));
	EXPECT_EQ(kernel, GetModuleHandleA("kernel32"));
}

/* Rules: MODULE-03. */
TEST(library_errors)
{
	static const char *const names[] = {
		"", "user32.dll", "kernel32.exe", "kernel3", "kernel32.dll.so",
		"libc.so.6", "api-ms-win-crt-heap-l1-1-0.dll",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_FAILS(ERROR_MOD_NOT_FOUND, GetModuleHandleA(names[i]));
		EXPECT_FAILS(ERROR_MOD_NOT_FOUND, LoadLibraryA(names[i]));
	}
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, GetModuleHandleW(W("user32")));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, LoadLibraryA(NULL));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, LoadLibraryW(NULL));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, FreeLibrary(NULL));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, FreeLibrary((HMODULE)0x1234000));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     LoadLibraryExA("ntdll", (HANDLE)4, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     LoadLibraryExA("ntdll", NULL, 0x80000000));
}

/* Rules: MODULE-10. Also where files are looked for */
TEST(errno_stays)
{
	HMODULE module;

	errno = 4711;
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, GetModuleHandleA("no/such.dll"));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, GetModuleHandleW(W("no/such.dll")));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND,
		     GetModuleHandleExA(0, "no/such.dll", &module));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND, LoadLibraryA("no/such.dll"));
	EXPECT_EQ(4711, errno);
}

static bool has(const char *library, const char *function)
{
	return GetProcAddress(GetModuleHandleA(library), function);
}

/* Rules: MODULE-04, MODULE-05. */
TEST(function_names)
{
	HMODULE kernel = GetModuleHandleA("kernel32"), none = NULL;
	get_id get = (get_id)(void *)GetProcAddress(
		kernel, "GetCurrentProcessId");

	ASSERT_NE(NULL, get);
	EXPECT_EQ(getpid(), get());
	EXPECT_TRUE(has("kernelbase", "VirtualAlloc"));
	EXPECT_TRUE(has("ntdll", "NtAllocateVirtualMemory"));
	EXPECT_TRUE(has("ntdll", "ZwAllocateVirtualMemory"));
	EXPECT_TRUE(has("ntdll", "RtlNtStatusToDosError"));
	EXPECT_TRUE(has("psapi", "GetMappedFileNameA"));
	EXPECT_TRUE(has("kernel32", "K32GetMappedFileNameW"));
	EXPECT_TRUE(has("advapi32", "InitializeSecurityDescriptor"));
	EXPECT_FAILS(ERROR_PROC_NOT_FOUND, has("ntdll", "VirtualAlloc"));
	EXPECT_FAILS(ERROR_PROC_NOT_FOUND,
		     has("kernel32", "NtAllocateVirtualMemory"));
	EXPECT_FAILS(ERROR_PROC_NOT_FOUND,
		     has("kernel32", "GetMappedFileNameA"));
	EXPECT_FAILS(ERROR_PROC_NOT_FOUND, has("kernel32", "virtualalloc"));
	EXPECT_FAILS(ERROR_PROC_NOT_FOUND, has("kernel32", "VirtualAllo"));
	EXPECT_FAILS(ERROR_PROC_NOT_FOUND, has("kernel32", ""));
	EXPECT_FAILS(ERROR_PROC_NOT_FOUND,
		     has("kernel32", "winregion_reserve"));
	EXPECT_FAILS(ERROR_PROC_NOT_FOUND,
		     GetProcAddress(none, "VirtualAlloc"));
	EXPECT_FAILS(ERROR_INVALID_ORDINAL,
		     GetProcAddress(kernel, (LPCSTR)(uintptr_t)17));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, GetProcAddress(kernel, NULL));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND,
		     GetProcAddress((HMODULE)0x1234000, "VirtualAlloc"));
}

/* The first of the names that @library has, or has not; "": none */
static const char *first(const char *const *names, unsigned int nr,
			 const char *library, bool found)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (has(library, names[i]) == found)
			return names[i];
	return "";
}

/* One of each family, where it is on Windows. Rules: MODULE-01, MODULE-04 */
TEST(functions_of_all_families)
{
	static const char *const kernel[] = {
		"VirtualAlloc2", "VirtualAlloc2FromApp", "MapViewOfFile3",
		"UnmapViewOfFile2", "GetWriteWatch", "ResetWriteWatch",
		"VirtualLock", "VirtualUnlock", "SetProcessWorkingSetSizeEx",
		"K32QueryWorkingSetEx", "K32EmptyWorkingSet",
		"QueryFullProcessImageNameW",
		"DiscardVirtualMemory", "OfferVirtualMemory",
		"ReclaimVirtualMemory", "PrefetchVirtualMemory",
		"CreateThread", "ExitThread", "SetThreadStackGuarantee",
		"GetCurrentThreadStackLimits", "TlsAlloc", "FlsAlloc",
		"CreateFiberEx", "SwitchToFiber", "WaitForMultipleObjects",
		"SignalObjectAndWait", "CreateEventExW", "CreateMutexA",
		"CreateSemaphoreW", "AddVectoredExceptionHandler",
		"SetUnhandledExceptionFilter", "RaiseException",
		"RtlCaptureContext", "RtlRestoreContext",
		"InitializeCriticalSectionEx", "AcquireSRWLockShared",
		"SleepConditionVariableSRW", "InitOnceExecuteOnce",
		"WaitOnAddress", "WakeByAddressAll", "FormatMessageW",
		"LocalFree", "GetProcAddress", "QueryPerformanceCounter",
		"GetProcessTimes", "OutputDebugStringA",
		"GetEnvironmentVariableW", "IsBadReadPtr",
		"GlobalMemoryStatusEx", "GetLargePageMinimum",
		"ReadProcessMemory",
	};
	static const char *const nt[] = {
		"NtAllocateVirtualMemoryEx", "NtMapViewOfSectionEx",
		"NtUnmapViewOfSectionEx", "NtSetInformationVirtualMemory",
		"NtGetWriteWatch", "NtResetWriteWatch", "NtReadVirtualMemory",
		"RtlCaptureContext", "RtlRestoreContext",
	};
	static const char *const c[] = {
		"_beginthreadex", "_beginthread", "_endthreadex", "_endthread",
		"_resetstkoflw",
	};
	static const char *const none[] = {
		"sigaction", "signal", "__sysv_signal", "GetCurrentFiber",
		"GetFiberData", "NtCurrentTeb", "_beginthreadex",
		"_resetstkoflw",
	};

	EXPECT_STREQ("", first(kernel, ARRAY_SIZE(kernel), "kernel32", false));
	EXPECT_STREQ("",
		     first(kernel, ARRAY_SIZE(kernel), "kernelbase", false));
	EXPECT_STREQ("", first(nt, ARRAY_SIZE(nt), "ntdll", false));
	EXPECT_TRUE(has("bcrypt.dll", "BCryptGenRandom"));
	EXPECT_FALSE(has("kernel32", "BCryptGenRandom"));
	EXPECT_STREQ("", first(c, ARRAY_SIZE(c), "msvcrt.dll", false));
	EXPECT_STREQ("", first(c, ARRAY_SIZE(c),
			       "api-ms-win-crt-runtime-l1-1-0", false));
	EXPECT_STREQ("", first(none, ARRAY_SIZE(none), "kernel32", true));
	EXPECT_STREQ("", first(none, ARRAY_SIZE(none), "ntdll", true));
}

static bool has_zeros(const UCHAR *bytes, size_t from, size_t to)
{
	while (from < to)
		if (bytes[from++])
			return false;
	return true;
}

/* Rules: RND-01, RND-02, RND-03. */
TEST(random_numbers)
{
	const ULONG preferred = BCRYPT_USE_SYSTEM_PREFERRED_RNG;
	UCHAR bytes[1024] = { 0 }, others[16];

	EXPECT_EQ(STATUS_SUCCESS, BCryptGenRandom(NULL, bytes, 0, preferred));
	EXPECT_TRUE(has_zeros(bytes, 0, 1024));
	EXPECT_EQ(STATUS_SUCCESS, BCryptGenRandom(NULL, bytes, 1000, preferred));
	EXPECT_FALSE(has_zeros(bytes, 0, 16) || has_zeros(bytes, 984, 1000));
	EXPECT_TRUE(has_zeros(bytes, 1000, 1024));
	EXPECT_EQ(STATUS_SUCCESS, BCryptGenRandom(NULL, others, 16, preferred));
	EXPECT_NE(0, memcmp(bytes, others, 16));

	EXPECT_EQ(STATUS_INVALID_PARAMETER,
		  BCryptGenRandom(NULL, NULL, 16, preferred));
	EXPECT_EQ(STATUS_INVALID_PARAMETER,
		  BCryptGenRandom(NULL, others, 16, preferred | 4));
	EXPECT_EQ(STATUS_INVALID_HANDLE, BCryptGenRandom(NULL, others, 16, 0));
	EXPECT_EQ(STATUS_INVALID_HANDLE,
		  BCryptGenRandom(others, others, 16, preferred));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION,
		  BCryptGenRandom(NULL, (PUCHAR)16, 16, preferred));
}

/* Rules: MODULE-06. */
TEST(module_handle_ex)
{
	HMODULE module = (HMODULE)4, program = GetModuleHandleA(NULL);
	const DWORD by_address = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
	static int ours;

	EXPECT_TRUE(GetModuleHandleExA(0, "ntdll.dll", &module));
	EXPECT_EQ(GetModuleHandleA("ntdll"), module);
	EXPECT_TRUE(GetModuleHandleExW(
		GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, NULL, &module));
	EXPECT_EQ(program, module);
	EXPECT_NE(NULL, program);
	EXPECT_TRUE(GetModuleHandleExA(by_address, (LPCSTR)&ours, &module));
	EXPECT_EQ(program, module);
	EXPECT_TRUE(GetModuleHandleExW(by_address |
					       GET_MODULE_HANDLE_EX_FLAG_PIN,
				       (LPCWSTR)(uintptr_t)has, &module));
	EXPECT_EQ(program, module);
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND,
		     GetModuleHandleExA(by_address, (LPCSTR)&module, &module));
	EXPECT_EQ(NULL, module);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     GetModuleHandleExA(by_address, NULL, &module));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     GetModuleHandleExA(8, "ntdll", &module));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     GetModuleHandleExA(3, "ntdll", &module));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     GetModuleHandleExA(0, "ntdll", NULL));
}

/* Rules: MODULE-07. */
TEST(module_file_name)
{
	char path[4096], name[4096];
	WCHAR wide[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	HMODULE kernel = GetModuleHandleA("kernel32");

	ASSERT_LT(0, n);
	path[n] = '\0';
	EXPECT_EQ(n, GetModuleFileNameA(NULL, name, sizeof(name)));
	EXPECT_STREQ(path, name);
	EXPECT_EQ(n, GetModuleFileNameA(GetModuleHandleA(NULL), name,
					n + 1));
	EXPECT_EQ(n, GetModuleFileNameW(NULL, wide, ARRAY_SIZE(wide)));
	EXPECT_EQ(path[n - 1], wide[n - 1]);
	EXPECT_EQ(0, wide[n]);
	/* It is linked with the program. */
	EXPECT_EQ(n, GetModuleFileNameA(kernel, name, sizeof(name)));
	EXPECT_EQ(n, GetModuleFileNameA(NULL, name, n));
	EXPECT_EQ(ERROR_INSUFFICIENT_BUFFER, GetLastError());
	EXPECT_EQ(n - 1, strlen(name));
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER,
		     GetModuleFileNameA(NULL, name, 0));
	EXPECT_FAILS(ERROR_MOD_NOT_FOUND,
		     GetModuleFileNameA((HMODULE)0x1234000, name, 9));
}

/* ---- the environment ---- */

/* Rules: ENV-01, ENV-02, ENV-03. */
TEST(environment)
{
	char value[32];
	WCHAR wide[32];

	ASSERT_EQ(0, setenv("Winregion_Test", "four", 1));
	EXPECT_EQ(4, GetEnvironmentVariableA("Winregion_Test", value, 32));
	EXPECT_STREQ("four", value);
	EXPECT_EQ(4, GetEnvironmentVariableA("WINREGION_TEST", value, 5));
	EXPECT_EQ(5, GetEnvironmentVariableA("WINREGION_TEST", value, 4));
	EXPECT_EQ(5, GetEnvironmentVariableA("winregion_test", NULL, 0));
	EXPECT_EQ(4, GetEnvironmentVariableW(W("winregion_test"), wide, 32));
	EXPECT_EQ('r', wide[3]);
	ASSERT_EQ(0, setenv("winregion_test", "other", 1));
	EXPECT_EQ(4, GetEnvironmentVariableA("Winregion_Test", value, 32));
	EXPECT_EQ(5, GetEnvironmentVariableA("winregion_test", value, 32));
	ASSERT_EQ(0, setenv("winregion_test", "", 1));
	SetLastError(OUR_ERROR);
	EXPECT_EQ(0, GetEnvironmentVariableA("winregion_test", value, 32));
	EXPECT_EQ(ERROR_SUCCESS, GetLastError());
	EXPECT_FAILS(ERROR_ENVVAR_NOT_FOUND,
		     GetEnvironmentVariableA("winregion_tes", value, 32));
	EXPECT_FAILS(ERROR_ENVVAR_NOT_FOUND,
		     GetEnvironmentVariableA("", value, 32));
	EXPECT_FAILS(ERROR_ENVVAR_NOT_FOUND,
		     GetEnvironmentVariableW(NULL, wide, 32));
}

/* Rules: ENV-04, ENV-05. */
TEST(environment_is_set)
{
	EXPECT_TRUE(SetEnvironmentVariableA("Winregion_Test", "a"));
	EXPECT_STREQ("a", getenv("Winregion_Test"));
	EXPECT_TRUE(SetEnvironmentVariableW(W("WINREGION_TEST"), W("\xe4")));
	EXPECT_STREQ("\xc3\xa4", getenv("Winregion_Test"));
	EXPECT_EQ(NULL, getenv("WINREGION_TEST"));
	EXPECT_TRUE(SetEnvironmentVariableA("winregion_test", NULL));
	EXPECT_EQ(NULL, getenv("Winregion_Test"));
	EXPECT_FAILS(ERROR_ENVVAR_NOT_FOUND,
		     SetEnvironmentVariableA("winregion_test", NULL));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SetEnvironmentVariableA("a=b", "c"));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, SetEnvironmentVariableA("", ""));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     SetEnvironmentVariableW(NULL, NULL));
}

/* ---- messages ---- */

static DWORD format(char *buffer, DWORD size, DWORD flags, const char *text,
		    ...)
{
	va_list arguments;
	DWORD n;

	va_start(arguments, text);
	n = FormatMessageA(FORMAT_MESSAGE_FROM_STRING | flags, text, 0, 0,
			   buffer, size, &arguments);
	va_end(arguments);
	return n;
}

/* What it makes of the text is this; the length is told. */
#define EXPECT_MESSAGE(message, ...) ({					\
	char __buffer[256];						\
	DWORD __n = format(__buffer, sizeof(__buffer), __VA_ARGS__);	\
									\
	EXPECT_EQ(strlen(message), __n);				\
	EXPECT_STREQ(message, __n ? __buffer : "");			\
})

/* Rules: MESSAGE-01, MESSAGE-02. */
TEST(message_arguments)
{
	const char *volatile none = NULL;

	EXPECT_MESSAGE("a b c", 0, "%2 %1 %3", "b", "a", "c");
	EXPECT_MESSAGE("7 -7 ff FF 10", 0,
		       "%1!d! %2!i! %3!x! %4!X! %5!u!", 7, -7, 255, 255, 10);
	EXPECT_MESSAGE("<   7><7   ><0007>", 0, "<%1!4d!><%2!-4d!><%3!04d!>", 7,
		       7, 7);
	EXPECT_MESSAGE("<   ab><ab>", 0, "<%1!5s!><%2!.2s!>", "ab", "abc");
	EXPECT_MESSAGE("<   ab>x", 0, "<%1!*.*s!>%4", 5, 2, "abc", "x");
	EXPECT_MESSAGE("12345678901 4294967295", 0, "%1!I64d! %2!lu!",
		       12345678901LL, -1);
	EXPECT_MESSAGE("00000000DEADBEEF c", 0, "%1!p! %2!c!",
		       (void *)0xdeadbeef, 'c');
	EXPECT_MESSAGE("ab cd", 0, "%1!ws! %2!S!", W("ab"), W("cd"));
	EXPECT_MESSAGE("(null)", 0, "%1", none);
	EXPECT_MESSAGE("12 of 12", 0, "%12!d! of %12!d!", 1, 2, 3, 4, 5, 6, 7,
		       8, 9, 10, 11, 12);
}

/* Rules: MESSAGE-03, MESSAGE-04. */
TEST(message_escapes)
{
	EXPECT_MESSAGE("50% . !\r\n\tx", 0, "50%% %. %!%n%tx");
	EXPECT_MESSAGE("end", 0, "end%0 of it");
	EXPECT_MESSAGE("%1 %2!d! %", FORMAT_MESSAGE_IGNORE_INSERTS,
		       "%1 %2!d! %%");
	EXPECT_MESSAGE("a\r\nb\r\nc", 0, "a\nb\r\nc");
	EXPECT_MESSAGE("a b c", FORMAT_MESSAGE_MAX_WIDTH_MASK, "a\nb\r\nc");
	EXPECT_MESSAGE("a\r\nb", FORMAT_MESSAGE_MAX_WIDTH_MASK, "a%nb");
	EXPECT_MESSAGE("aaa bbb\r\nccc ddd\r\neeeeeeeeee", 8,
		       "aaa bbb ccc\nddd eeeeeeeeee");
}

/* Rules: MESSAGE-05. */
TEST(message_errors)
{
	char buffer[64];

	EXPECT_FAILS(ERROR_INVALID_PARAMETER, format(buffer, 64, 0, "a%"));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, format(buffer, 64, 0, NULL));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     format(buffer, 64, 0, "%1!y!", 1));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     format(buffer, 64, 0, "%1!d", 1));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     FormatMessageA(0, NULL, 5, 0, buffer, 64, NULL));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 5, 0,
				    NULL, 64, NULL));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     FormatMessageA(FORMAT_MESSAGE_FROM_STRING, "%1", 0, 0,
				    buffer, 64, NULL));
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER, format(buffer, 3, 0, "abc"));
	EXPECT_EQ(3, format(buffer, 4, 0, "abc"));
	EXPECT_FAILS(ERROR_MR_MID_NOT_FOUND,
		     FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 0xABCDE,
				    0, buffer, 64, NULL));
	EXPECT_FAILS(ERROR_MR_MID_NOT_FOUND,
		     FormatMessageA(FORMAT_MESSAGE_FROM_HMODULE, NULL, 5, 0,
				    buffer, 64, NULL));
}

/* Rules: MESSAGE-12. */
TEST(errors_of_statuses)
{
	static const struct {
		uint32_t status;
		DWORD error;
	} rows[] = {
		{ 0, ERROR_SUCCESS },
		{ 0xC0000022, ERROR_ACCESS_DENIED },
		{ 0xC0000054, ERROR_LOCK_VIOLATION },
		{ 0xC0000055, ERROR_LOCK_VIOLATION },
		{ 0xC000002A, ERROR_NOT_LOCKED },
		{ 0xC000007E, ERROR_NOT_LOCKED },
		{ 0xC00000B1, ERROR_NO_DATA },
		{ 0xC000014B, ERROR_BROKEN_PIPE },
		/* In an HRESULT, or with an error in it */
		{ 0xD0000022, ERROR_ACCESS_DENIED },
		{ 0xC0070005, ERROR_ACCESS_DENIED },
		{ 0xD0070005, ERROR_ACCESS_DENIED },
		{ 0x80070005, ERROR_ACCESS_DENIED },
		{ 0xC0010005, ERROR_ACCESS_DENIED },
		{ 0xC0020005, ERROR_MR_MID_NOT_FOUND },
		{ 0x90000022, ERROR_MR_MID_NOT_FOUND },
		{ 0xC0004711, ERROR_MR_MID_NOT_FOUND },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_EQ(rows[i].error,
			  RtlNtStatusToDosError(rows[i].status)) {
			TH_LOG("status %x", rows[i].status);
		}
}

/* Rules: MESSAGE-02, MESSAGE-11. */
TEST(message_with_a_large_argument)
{
	static char buffer[1000];
	static const char *const too_large[] = {
		"%1!2147483647d!", "%1!.2147483647d!", "%1!#.2147483647x!",
		"%1!-65537c!", "%2!2147483647s!", "%1!99999999999d!",
		"%1!*d!",
	};
	unsigned int i;

	EXPECT_EQ(900, format(buffer, sizeof(buffer), 0, "%1!900d!", 7));
	EXPECT_EQ(899, strspn(buffer, " "));
	EXPECT_EQ('7', buffer[899]);
	EXPECT_EQ(901, format(buffer, sizeof(buffer), 0, "%1!.900d!", -7));
	EXPECT_EQ(899, strspn(buffer + 1, "0"));
	EXPECT_EQ(900, format(buffer, sizeof(buffer), 0, "%1!-900s!", "s"));
	for (i = 0; i < ARRAY_SIZE(too_large); i++)
		EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER,
			     format(buffer, sizeof(buffer), 0, too_large[i],
				    INT32_MIN, "s"));
}

/* Rules: MESSAGE-06, MESSAGE-07, MESSAGE-08. */
TEST(message_of_error)
{
	static const DWORD_PTR array[] = { 1, (DWORD_PTR)"two" };
	const DWORD allocate = FORMAT_MESSAGE_ALLOCATE_BUFFER |
			       FORMAT_MESSAGE_FROM_SYSTEM |
			       FORMAT_MESSAGE_IGNORE_INSERTS;
	LPWSTR wide = NULL;
	LPSTR text = NULL;
	char buffer[64];
	DWORD n, m;

	n = FormatMessageA(allocate, NULL, ERROR_ACCESS_DENIED,
			   MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT),
			   (LPSTR)&text, 0, NULL);
	ASSERT_LT(3, n);
	EXPECT_EQ(n, strlen(text));
	EXPECT_STREQ(".\r\n", text + n - 3);
	m = FormatMessageW(allocate, NULL,
			   HRESULT_FROM_WIN32(ERROR_ACCESS_DENIED), 0,
			   (LPWSTR)&wide, 500, NULL);
	EXPECT_EQ(n, m);
	EXPECT_EQ(text[5], wide[5]);
	EXPECT_EQ(0, wide[n]);
	EXPECT_EQ(NULL, LocalFree(text));
	EXPECT_EQ(NULL, LocalFree(wide));
	EXPECT_EQ(5, FormatMessageA(FORMAT_MESSAGE_FROM_STRING |
					    FORMAT_MESSAGE_ARGUMENT_ARRAY,
				    "%1!d! %2", 0, 0, buffer, 64,
				    (va_list *)array));
	EXPECT_STREQ("1 two", buffer);
	EXPECT_FAILS(ERROR_SUCCESS,
		     FormatMessageA(FORMAT_MESSAGE_FROM_STRING |
					    FORMAT_MESSAGE_ALLOCATE_BUFFER,
				    "", 0, 0, (LPSTR)&text, 9, NULL));
	EXPECT_EQ(NULL, text);
}

static DWORD format_wide(WCHAR *buffer, DWORD size, const WCHAR *text, ...)
{
	va_list arguments;
	DWORD n;

	va_start(arguments, text);
	n = FormatMessageW(FORMAT_MESSAGE_FROM_STRING, text, 0, 0, buffer, size,
			   &arguments);
	va_end(arguments);
	return n;
}

/* Rules: MESSAGE-09. */
TEST(message_in_wide)
{
	static const WCHAR *wanted = W("\xfc\xd83d\xde42 ab|  \xe9|");
	WCHAR buffer[64];
	DWORD n = format_wide(buffer, 64, W("\xfc%1 %2!hs!|%3!3s!|"),
			      W("\xd83d\xde42"), "ab", W("\xe9"));

	EXPECT_EQ(11, n);
	EXPECT_EQ(0, memcmp(buffer, wanted, 12 * sizeof(WCHAR)));
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER,
		     format_wide(buffer, 2, W("ab")));
	EXPECT_EQ(2, format_wide(buffer, 3, W("ab")));
}

/* Rules: MESSAGE-10. */
TEST(local_memory)
{
	char *memory = LocalAlloc(LPTR, 1000);

	ASSERT_NE(NULL, memory);
	EXPECT_EQ(0, memory[0]);
	EXPECT_EQ(0, memory[999]);
	EXPECT_EQ(NULL, LocalFree(memory));
	memory = LocalAlloc(LMEM_FIXED, 0);
	EXPECT_NE(NULL, memory);
	LocalFree(memory);
	EXPECT_EQ(NULL, LocalFree(NULL));
	/* Flags that say nothing of memory that is fixed */
	memory = LocalAlloc(LMEM_DISCARDABLE | LMEM_NODISCARD, 9);
	EXPECT_NE(NULL, memory);
	LocalFree(memory);
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, LocalAlloc(GMEM_DDESHARE, 9));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, LocalAlloc(LMEM_MOVEABLE, 9));
	EXPECT_FAILS(ERROR_NOT_ENOUGH_MEMORY, LocalAlloc(0, 1UL << 62));
}

/* ---- clocks ---- */

static uint64_t ticks(FILETIME time)
{
	return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

#define UNIX_EPOCH 116444736000000000ULL
#define SECOND 10000000ULL

/* Rules: CLOCK-01, CLOCK-02. */
TEST(clocks)
{
	LARGE_INTEGER a, b, frequency;
	FILETIME coarse, precise;
	uint64_t now;

	ASSERT_TRUE(QueryPerformanceFrequency(&frequency));
	EXPECT_EQ(SECOND, frequency.QuadPart);
	ASSERT_TRUE(QueryPerformanceCounter(&a));
	sleep_ms(20);
	ASSERT_TRUE(QueryPerformanceCounter(&b));
	EXPECT_LE(SECOND / 50, b.QuadPart - a.QuadPart);
	EXPECT_FAILS(ERROR_NOACCESS, QueryPerformanceCounter(NULL));
	EXPECT_FAILS(ERROR_NOACCESS, QueryPerformanceFrequency(NULL));
	now = time(NULL) * SECOND + UNIX_EPOCH;
	GetSystemTimeAsFileTime(&coarse);
	GetSystemTimePreciseAsFileTime(&precise);
	EXPECT_LE(now - SECOND, ticks(coarse));
	EXPECT_GE(now + 60 * SECOND, ticks(coarse));
	EXPECT_LE(ticks(coarse), ticks(precise));
}

/* Rules: CLOCK-03, CLOCK-04. */
TEST(times_of_process)
{
	FILETIME creation, end, kernel, user, idle, now;
	volatile unsigned long work = 0;

	while (clock() < CLOCKS_PER_SEC / 20)
		work++;
	ASSERT_TRUE(GetProcessTimes(GetCurrentProcess(), &creation, &end,
				    &kernel, &user));
	GetSystemTimePreciseAsFileTime(&now);
	EXPECT_LE(SECOND / 25, ticks(kernel) + ticks(user));
	EXPECT_EQ(0, ticks(end));
	EXPECT_GT(ticks(now) + SECOND, ticks(creation));
	EXPECT_LT(ticks(now) - 3600 * SECOND, ticks(creation));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     GetProcessTimes(NULL, &creation, &end, &kernel, &user));
	EXPECT_FAILS(ERROR_NOACCESS,
		     GetProcessTimes(GetCurrentProcess(), &creation, &end,
				     NULL, &user));
	ASSERT_TRUE(GetSystemTimes(&idle, &kernel, &user));
	EXPECT_LE(ticks(idle), ticks(kernel));
	EXPECT_TRUE(GetSystemTimes(NULL, NULL, NULL));
	EXPECT_EQ(getpid(), GetProcessId(GetCurrentProcess()));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, GetProcessId(NULL));
	EXPECT_TRUE(FlushInstructionCache(GetCurrentProcess(), NULL, 0));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     FlushInstructionCache(NULL, NULL, 0));
}

/* ---- standard input and output, and debuggers ---- */

/* Rules: ENV-06, ENV-07. */
TEST(standard_handles)
{
	HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out;
	int ends[2], saved = dup(1);
	char text[8];
	DWORD done;

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(1, dup2(ends[1], 1));
	out = GetStdHandle(STD_OUTPUT_HANDLE);
	EXPECT_TRUE(WriteFile(out, "hello", 5, &done, NULL));
	EXPECT_EQ(out, GetStdHandle(STD_OUTPUT_HANDLE));
	EXPECT_EQ(5, read(ends[0], text, sizeof(text)));
	dup2(saved, 1);
	EXPECT_NE(in, out);
	EXPECT_NE(NULL, GetStdHandle(STD_ERROR_HANDLE));
	errno = OUR_ERRNO;
	EXPECT_EQ(BAD, GetStdHandle(0));
	EXPECT_EQ(ERROR_INVALID_HANDLE, GetLastError());
	EXPECT_EQ(BAD, GetStdHandle((DWORD)-13));
	EXPECT_EQ(OUR_ERRNO, errno);
}

static int closed_input(void *arg)
{
	close(0);
	CHECK(!GetStdHandle(STD_INPUT_HANDLE));
	CHECK(open("/dev/null", O_RDONLY) == 0);
	CHECK(GetFileType(GetStdHandle(STD_INPUT_HANDLE)) == FILE_TYPE_CHAR);
	CHECK(CloseHandle(GetStdHandle(STD_INPUT_HANDLE)));
	CHECK(fcntl(0, F_GETFD) == -1);
	return 0;
}

/* Rules: ENV-08. */
TEST(standard_handle_is_closed)
{
	EXPECT_EQ(0, in_child(closed_input, NULL));
}

static void print_and_exit(int out)
{
	DWORD done;

	if (dup2(out, STDOUT_FILENO) < 0 ||
	    !WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), "handle,", 7, &done,
		       NULL) ||
	    !GetStdHandle(STD_ERROR_HANDLE))
		_exit(1);
	printf("stdio");
	exit(0);
}

/* What stdio has for them is written when all else has ended. Rules: ENV-10. */
TEST(standard_handles_at_exit)
{
	int ends[2], status;
	char text[32] = "";
	pid_t pid;

	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	fflush(NULL);
	pid = fork();
	if (!pid)
		print_and_exit(ends[1]);
	close(ends[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(12, read(ends[0], text, sizeof(text)));
	EXPECT_STREQ("handle,stdio", text);
	close(ends[0]);
}

/* Under a debugger: 0 or the line that failed */
static int debugged(int *ends)
{
	char text[16];

	CHECK(!IsDebuggerPresent());
	OutputDebugStringA("nobody");
	CHECK(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	CHECK(IsDebuggerPresent());
	CHECK(dup2(ends[1], 2) == 2);
	OutputDebugStringA("ab");
	OutputDebugStringW(W("\xe4"));
	OutputDebugStringA(NULL);
	OutputDebugStringW(NULL);
	CHECK(read(ends[0], text, sizeof(text)) == 4);
	CHECK(!memcmp(text, "ab\xc3\xa4", 4));
	DebugBreak();
	return 0;
}

/* Rules: ENV-09. */
TEST(debuggers)
{
	int ends[2], status;
	pid_t pid;

	ASSERT_EQ(0, pipe(ends));
	pid = fork();
	if (!pid)
		_exit(debugged(ends));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGTRAP, WSTOPSIG(status));
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
