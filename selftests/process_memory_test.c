// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of another process: what its owner sees of it, who may, and what comes of
 * it when that process stops, ends, forks or runs another program.
 */
#include "kselftest_harness.h"

#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <winregion/psapi.h>

#include "file_fixture.h"
#include "race.h"

#define PAGE PAGES(1)

/* Free in both processes, and far from what is not */
#define HERE ((char *)0x310000000000)

#define QUERY PROCESS_QUERY_INFORMATION
#define OPERATE PROCESS_VM_OPERATION
#define COPY (PROCESS_VM_READ | PROCESS_VM_WRITE)
#define ALL (QUERY | OPERATE | COPY | SYNCHRONIZE)

/* ---- a process that does what it is told ---- */

enum order {
	READ, /* whether that byte can be read; @value becomes it */
	WRITE, /* the same with a byte to write */
	RUN,
	IS_ZERO, /* all @length bytes */
	FILL, /* them with @value */
	STATE, /* of the page, as the module tells it */
	ALLOCATE,
	CHURN, /* threads that allocate and free, until the end */
	MAP, /* threads that keep others waiting for mmap_lock, until the end */
	FORK, /* as many times as @length says; each child looks at a byte */
	RUN_ANOTHER, /* program */
	LOCK, /* new memory of @length bytes, which @address becomes */
	LIMIT, /* address space to @length more than there is */
	END,
};

struct talk {
	uint32_t asked;
	uint32_t answered;
	enum order order;
	char *address;
	size_t length;
	uint32_t value;
	int64_t result;
	uint32_t rounds;
};

static void wait_for(uint32_t *word, uint32_t old)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == old)
		sleep_ms(1);
}

static void *churn(void *arg)
{
	struct talk *talk = arg;
	char *base;
	DWORD old;

	for (;;) {
		base = VirtualAlloc(NULL, PAGES(20), MEM_RESERVE | MEM_COMMIT,
				    PAGE_READWRITE);
		if (!base)
			continue;
		base[PAGES(3)] = 1;
		VirtualProtect(base, PAGES(2), PAGE_READONLY, &old);
		VirtualFree(base, 0, MEM_RELEASE);
		__atomic_add_fetch(&talk->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *map_much(void *unused)
{
	char *map;

	for (;;) {
		map = mmap(NULL, MIB(4), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		munmap(map, MIB(4));
	}
	return NULL;
}

static int64_t start_threads(struct talk *talk, void *(*run)(void *))
{
	pthread_t thread;
	size_t i;

	for (i = 0; i < talk->length; i++)
		if (pthread_create(&thread, NULL, run, talk))
			return 0;
	return 1;
}

static int64_t fork_often(struct talk *talk)
{
	size_t i;
	int status;
	pid_t pid;

	for (i = 0; i < talk->length; i++) {
		pid = fork();
		if (!pid)
			_exit(*talk->address != (char)talk->value);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			return 0;
		__atomic_add_fetch(&talk->rounds, 1, __ATOMIC_RELAXED);
	}
	return 1;
}

static int64_t set_limit(size_t more)
{
	struct rlimit limit;

	limit.rlim_cur = self_status("VmSize") + more;
	limit.rlim_max = RLIM_INFINITY;
	return !setrlimit(RLIMIT_AS, &limit);
}

static int64_t lock_some(struct talk *talk)
{
	talk->address = VirtualAlloc(NULL, talk->length,
				     MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	return talk->address && VirtualLock(talk->address, talk->length);
}

static int64_t obey(struct talk *talk)
{
	MEMORY_BASIC_INFORMATION info;

	switch (talk->order) {
	case READ:
		if (!try_read(talk->address))
			return 0;
		talk->value = (unsigned char)*talk->address;
		return 1;
	case WRITE:
		return try_write_byte(talk->address, talk->value);
	case RUN:
		return try_exec(talk->address);
	case IS_ZERO:
		return all_bytes(talk->address, talk->length, 0);
	case FILL:
		memset(talk->address, (int)talk->value, talk->length);
		return 1;
	case STATE:
		VirtualQuery(talk->address, &info, sizeof(info));
		return info.State | info.Protect;
	case ALLOCATE:
		return (intptr_t)VirtualAlloc(talk->address, talk->length,
					      MEM_RESERVE | MEM_COMMIT,
					      talk->value);
	case CHURN:
		return start_threads(talk, churn);
	case MAP:
		return start_threads(talk, map_much);
	case FORK:
		return fork_often(talk);
	case RUN_ANOTHER:
		execl("/bin/sh", "sh", "-c", "kill -STOP $$", NULL);
		return 0;
	case LOCK:
		return lock_some(talk);
	case LIMIT:
		return set_limit(talk->length);
	default:
		_exit(42);
	}
}

static void obey_for_ever(struct talk *talk)
{
	uint32_t done;

	for (done = 0;; done++) {
		wait_for(&talk->asked, done);
		talk->result = obey(talk);
		__atomic_store_n(&talk->answered, done + 1, __ATOMIC_RELEASE);
	}
}

static pid_t start(struct talk *talk)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		obey_for_ever(talk);
	}
	return pid;
}

static void give(struct talk *talk, enum order order, char *address,
		 size_t length)
{
	talk->order = order;
	talk->address = address;
	talk->length = length;
	__atomic_add_fetch(&talk->asked, 1, __ATOMIC_RELEASE);
}

static int64_t take(struct talk *talk)
{
	wait_for(&talk->answered, talk->asked - 1);
	return talk->result;
}

static int64_t tell(struct talk *talk, enum order order, char *address,
		    size_t length)
{
	give(talk, order, address, length);
	return take(talk);
}

FIXTURE(other)
{
	struct talk *talk;
	pid_t pid;
	HANDLE process;
};

FIXTURE_SETUP(other)
{
	self->talk = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->talk);
	self->pid = start(self->talk);
	ASSERT_LT(0, self->pid);
	self->process = OpenProcess(ALL, FALSE, self->pid);
	ASSERT_NE(NULL, self->process);
}

FIXTURE_TEARDOWN(other)
{
	CloseHandle(self->process);
	kill(self->pid, SIGKILL);
	waitpid(self->pid, NULL, 0);
	munmap(self->talk, PAGE);
}

#define TELL(order, address, length) \
	tell(self->talk, order, address, length)

static char *allocate(HANDLE process, char *address, size_t size,
		      DWORD protect)
{
	return VirtualAllocEx(process, address, size, MEM_RESERVE | MEM_COMMIT,
			      protect);
}

static bool give_back(HANDLE process, char *address)
{
	return VirtualFreeEx(process, address, 0, MEM_RELEASE);
}

static DWORD protect_as(HANDLE process, char *address, size_t size,
			DWORD protect)
{
	DWORD old = 0;

	return VirtualProtectEx(process, address, size, protect, &old) ? old :
									 0;
}

/* State and protection, as the caller sees it */
static DWORD state_in(HANDLE process, const char *address)
{
	MEMORY_BASIC_INFORMATION info;

	if (VirtualQueryEx(process, address, &info, sizeof(info)) !=
	    sizeof(info))
		return 0;
	return info.State | info.Protect;
}

/* ---- the same as here ---- */

/* Rules: XP-01, XP-04, VA-28. */
TEST_F(other, new_memory)
{
	char *base = allocate(self->process, NULL, PAGES(40), PAGE_READWRITE);

	ASSERT_NE(NULL, base);
	EXPECT_EQ(MEM_COMMIT | PAGE_READWRITE, state_in(self->process, base));
	EXPECT_EQ(MEM_COMMIT | PAGE_READWRITE, TELL(STATE, base, 0));
	EXPECT_TRUE(TELL(IS_ZERO, base, PAGES(40)));
	self->talk->value = 7;
	EXPECT_TRUE(TELL(FILL, base, PAGES(40)));
	EXPECT_EQ(PAGE_READWRITE, protect_as(self->process, base + PAGE, PAGE,
					     PAGE_READONLY));
	EXPECT_FALSE(TELL(WRITE, base + PAGE, 0));
	EXPECT_TRUE(TELL(WRITE, base + PAGES(2), 0));
	EXPECT_EQ(PAGE_READONLY, protect_as(self->process, base + PAGE, PAGE,
					    PAGE_NOACCESS));
	EXPECT_FALSE(TELL(READ, base + PAGE, 0));
	EXPECT_TRUE(VirtualFreeEx(self->process, base + PAGES(2), PAGE,
				  MEM_DECOMMIT));
	EXPECT_FALSE(TELL(READ, base + PAGES(2), 0));
	EXPECT_EQ(MEM_RESERVE, TELL(STATE, base + PAGES(2), 0));
	ASSERT_EQ(base + PAGES(2),
		  VirtualAllocEx(self->process, base + PAGES(2), PAGE,
				 MEM_COMMIT, PAGE_READWRITE));
	EXPECT_TRUE(TELL(IS_ZERO, base + PAGES(2), PAGE));
	EXPECT_TRUE(give_back(self->process, base));
	EXPECT_FALSE(TELL(READ, base, 0));
	EXPECT_EQ(MEM_FREE | PAGE_NOACCESS, TELL(STATE, base, 0));
	EXPECT_EQ(MEM_FREE | PAGE_NOACCESS, state_in(self->process, base));
}

/* Code that the other one runs, and memory that it has made itself */
TEST_F(other, code)
{
	char code[4] = { 0 };
	char *base;

	NEEDS_CODE();
	write_code(code);
	self->talk->value = PAGE_READWRITE;
	base = (char *)TELL(ALLOCATE, NULL, PAGES(16));
	ASSERT_NE(NULL, base);
	EXPECT_TRUE(WriteProcessMemory(self->process, base + PAGE, code,
				       sizeof(code), NULL));
	EXPECT_FALSE(TELL(RUN, base + PAGE, 0));
	EXPECT_EQ(PAGE_READWRITE, protect_as(self->process, base + PAGE, PAGE,
					     PAGE_EXECUTE_READ));
	EXPECT_TRUE(TELL(RUN, base + PAGE, 0));
	EXPECT_FALSE(TELL(RUN, base, 0));
	EXPECT_TRUE(give_back(self->process, base));
	EXPECT_FALSE(TELL(READ, base, 0));
}

/* One call; @at: pages from HERE, or an address where @pages is 0 */
struct step {
	enum { ALLOC, FREE, PROTECT, ASK } call;
	uintptr_t at;
	size_t pages;
	DWORD type;
	DWORD protect;
};

/* Whatever can be right or wrong about them */
static const struct step steps[] = {
	{ ASK, 0, 1, 0, 0 },
	{ FREE, 0, 0, MEM_RELEASE, 0 },
	{ PROTECT, 0, 1, 0, PAGE_READONLY },
	{ ALLOC, 0, 1, MEM_COMMIT, PAGE_READWRITE },
	{ ALLOC, 0, 40, MEM_RESERVE, PAGE_READWRITE },
	{ ALLOC, 16, 1, MEM_RESERVE, PAGE_READWRITE },
	{ ALLOC, 39, 2, MEM_COMMIT, PAGE_READWRITE },
	{ PROTECT, 1, 1, 0, PAGE_READONLY },
	{ ALLOC, 1, 4, MEM_COMMIT, PAGE_READWRITE },
	{ ALLOC, 2, 1, MEM_COMMIT, PAGE_WRITECOPY },
	{ ALLOC, 2, 1, MEM_COMMIT, 0 },
	{ ALLOC, 2, 1, 0, PAGE_READWRITE },
	{ ALLOC, 2, 0, MEM_COMMIT, PAGE_READWRITE },
	{ PROTECT, 2, 1, 0, PAGE_READONLY | PAGE_GUARD },
	{ PROTECT, 4, 2, 0, PAGE_READONLY },
	{ PROTECT, 3, 1, 0, PAGE_EXECUTE_READ },
	{ PROTECT, 3, 1, 0, PAGE_EXECUTE_WRITECOPY },
	{ PROTECT, 3, 0, 0, PAGE_READONLY },
	{ ASK, 1, 1, 0, 0 },
	{ ASK, 2, 1, 0, 0 },
	{ ASK, 3, 1, 0, 0 },
	{ ASK, 4, 1, 0, 0 },
	{ ASK, 5, 1, 0, 0 },
	{ ALLOC, 1, 2, MEM_RESET, PAGE_READWRITE },
	{ ALLOC, 1, 9, MEM_RESET_UNDO, PAGE_READWRITE },
	{ ALLOC, 1, 1, MEM_RESET | MEM_COMMIT, PAGE_READWRITE },
	{ FREE, 1, 1, MEM_RELEASE, 0 },
	{ FREE, 1, 0, MEM_RELEASE, 0 },
	{ FREE, 20, 40, MEM_DECOMMIT, 0 },
	{ FREE, 1, 0, MEM_DECOMMIT, 0 },
	{ FREE, 1, 1, MEM_DECOMMIT, 0 },
	{ FREE, 0, 0, MEM_DECOMMIT | MEM_RELEASE, 0 },
	{ ASK, 0, 1, 0, 0 },
	{ FREE, 0, 0, MEM_DECOMMIT, 0 },
	{ ASK, 3, 1, 0, 0 },
	{ FREE, 0, 0, MEM_RELEASE, 0 },
	{ ASK, 0, 1, 0, 0 },
	{ ALLOC, 0, 32, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE },
	{ FREE, 0, 0, MEM_RELEASE, 0 },
	{ ALLOC, 0, 32, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_READWRITE },
	{ ALLOC, 16, 16, MEM_COMMIT, PAGE_NOACCESS },
	{ ASK, 3, 1, 0, 0 },
	{ ASK, 16, 1, 0, 0 },
	{ FREE, 0, 0, MEM_RELEASE, 0 },
	{ ALLOC, 0, (size_t)1 << 40, MEM_RESERVE, PAGE_READWRITE },
};

struct outcome {
	char *result;
	DWORD error;
	DWORD old;
	MEMORY_BASIC_INFORMATION info;
};

static void take_step(HANDLE process, const struct step *step,
		      struct outcome *outcome)
{
	char *address = HERE + PAGES(step->at);
	size_t size = PAGES(step->pages);

	memset(outcome, 0, sizeof(*outcome));
	SetLastError(OUR_ERROR);
	switch (step->call) {
	case ALLOC:
		outcome->result = VirtualAllocEx(process, address, size,
						 step->type, step->protect);
		break;
	case FREE:
		outcome->result += VirtualFreeEx(process, address, size,
						 step->type);
		break;
	case PROTECT:
		outcome->result += VirtualProtectEx(process, address, size,
						    step->protect,
						    &outcome->old);
		break;
	default:
		outcome->result += VirtualQueryEx(process, address,
						  &outcome->info,
						  sizeof(outcome->info));
		/* How far free memory goes is each process's own matter. */
		if (outcome->info.State == MEM_FREE)
			outcome->info.RegionSize = 0;
	}
	outcome->error = GetLastError();
}

/* Rules: XP-01, VA-28, VQ-15. */
TEST_F(other, same_codes)
{
	struct outcome here, there;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		take_step(GetCurrentProcess(), &steps[i], &here);
		take_step(self->process, &steps[i], &there);
		EXPECT_EQ(here.result, there.result)
			TH_LOG("step %u", i);
		EXPECT_EQ(here.error, there.error)
			TH_LOG("step %u", i);
		EXPECT_EQ(here.old, there.old);
		EXPECT_EQ(0, memcmp(&here.info, &there.info, sizeof(here.info)))
			TH_LOG("step %u", i);
	}
}

static NTSTATUS nt_allocate(HANDLE process, char **base, SIZE_T *size)
{
	return NtAllocateVirtualMemory(process, (PVOID *)base, 0, size,
				       MEM_RESERVE | MEM_COMMIT,
				       PAGE_READWRITE);
}

/* The calls of Nt. Rules: XP-01. */
TEST_F(other, nt)
{
	MEMORY_REGION_INFORMATION region;
	SIZE_T size = PAGES(17) - 5, done = 0;
	char *base = NULL;
	ULONG old;

	ASSERT_EQ(STATUS_SUCCESS, nt_allocate(self->process, &base, &size));
	EXPECT_EQ(PAGES(17), size);
	EXPECT_EQ(STATUS_CONFLICTING_ADDRESSES,
		  nt_allocate(self->process, &base, &size));
	EXPECT_EQ(STATUS_SUCCESS,
		  NtQueryVirtualMemory(self->process, base + PAGE,
				       MemoryRegionInformation, &region,
				       sizeof(region), NULL));
	EXPECT_EQ(base, region.AllocationBase);
	EXPECT_EQ(PAGES(17), region.CommitSize);
	EXPECT_EQ(STATUS_SUCCESS,
		  NtWriteVirtualMemory(self->process, base, "abc", 3, &done));
	EXPECT_EQ(3, done);
	EXPECT_TRUE(TELL(READ, base + 1, 0));
	EXPECT_EQ('b', self->talk->value);
	EXPECT_EQ(STATUS_SUCCESS,
		  NtProtectVirtualMemory(self->process, (PVOID *)&base, &size,
					 PAGE_READONLY, &old));
	EXPECT_EQ(STATUS_PARTIAL_COPY,
		  NtWriteVirtualMemory(self->process, base, "abc", 3, &done));
	EXPECT_EQ(0, done);
	size = 0;
	EXPECT_EQ(STATUS_SUCCESS,
		  NtFreeVirtualMemory(self->process, (PVOID *)&base, &size,
				      MEM_RELEASE));
	EXPECT_EQ(PAGES(17), size);
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED,
		  NtFreeVirtualMemory(self->process, (PVOID *)&base, &size,
				      MEM_RELEASE));
}

/* With requirements, and placeholders. Rules: XP-01. */
TEST_F(other, extended)
{
	const DWORD keep = MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER;
	MEM_ADDRESS_REQUIREMENTS wish = {
		.Alignment = MIB(4),
		.HighestEndingAddress = (PVOID)(uintptr_t)0x3fffffff,
	};
	MEM_EXTENDED_PARAMETER list = {
		.Type = MemExtendedParameterAddressRequirements,
		.Pointer = &wish,
	};
	char *base;

	base = VirtualAlloc2(self->process, NULL, MIB(1),
			     MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, &list,
			     1);
	ASSERT_NE(NULL, base);
	EXPECT_EQ(0, (uintptr_t)base % MIB(4));
	EXPECT_GT((char *)0x3fffffff, base);
	EXPECT_TRUE(TELL(IS_ZERO, base, MIB(1)));
	EXPECT_TRUE(give_back(self->process, base));
	base = VirtualAlloc2(self->process, NULL, PAGES(32),
			     MEM_RESERVE | MEM_RESERVE_PLACEHOLDER,
			     PAGE_NOACCESS, NULL, 0);
	ASSERT_NE(NULL, base);
	EXPECT_TRUE(VirtualFreeEx(self->process, base, PAGES(16), keep));
	EXPECT_EQ(base, VirtualAlloc2(self->process, base, PAGES(16),
				      MEM_RESERVE | MEM_COMMIT |
					      MEM_REPLACE_PLACEHOLDER,
				      PAGE_READWRITE, NULL, 0));
	EXPECT_TRUE(TELL(IS_ZERO, base, PAGES(16)));
	EXPECT_TRUE(give_back(self->process, base));
	EXPECT_TRUE(give_back(self->process, base + PAGES(16)));
}

/* Views of sections there. Rules: MV-35, UM-08, XP-01. */
TEST_F(other, views)
{
	HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
					    PAGE_READWRITE, 0, MIB(1), NULL);
	HANDLE asks_only = OpenProcess(QUERY, FALSE, self->pid);
	char *ours = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	MEMORY_BASIC_INFORMATION info;
	char *base, *second;

	ASSERT_NE(NULL, ours);
	memcpy(ours + PAGES(16), "hello", 6);
	base = MapViewOfFile2(section, self->process, KIB(64), NULL, 0, 0,
			      PAGE_READWRITE);
	ASSERT_NE(NULL, base);
	ASSERT_EQ(sizeof(info), VirtualQueryEx(self->process, base, &info,
					       sizeof(info)));
	EXPECT_EQ(MEM_MAPPED, info.Type);
	EXPECT_EQ(MIB(1) - KIB(64), info.RegionSize);
	EXPECT_TRUE(TELL(READ, base + 1, 0));
	EXPECT_EQ('e', self->talk->value);
	self->talk->value = 'u';
	EXPECT_TRUE(TELL(WRITE, base + 1, 0));
	EXPECT_EQ(0, strcmp(ours + PAGES(16), "hullo"));
	second = MapViewOfFile3(section, self->process, HERE, 0, PAGES(2), 0,
				PAGE_READONLY, NULL, 0);
	EXPECT_EQ(HERE, second);
	EXPECT_FALSE(TELL(WRITE, second, 0));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     MapViewOfFile3(section, self->process, HERE, 0, PAGES(2),
				    0, PAGE_READONLY, NULL, 0));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     MapViewOfFile2(section, asks_only, 0, NULL, 0, 0,
				    PAGE_READWRITE));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, UnmapViewOfFile2(asks_only, base, 0));
	EXPECT_TRUE(UnmapViewOfFile2(self->process, base + PAGES(3), 0));
	EXPECT_FALSE(TELL(READ, base, 0));
	EXPECT_FAILS(ERROR_INVALID_ADDRESS,
		     UnmapViewOfFile2(self->process, base, 0));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_TRUE(TELL(READ, second, 0));
	EXPECT_TRUE(UnmapViewOfFile2(self->process, second, 0));
	EXPECT_TRUE(UnmapViewOfFile(ours));
	EXPECT_TRUE(CloseHandle(asks_only));
}

/* A view of a file, which copies what is written there. Rules: XP-01. */
TEST_F(other, view_of_a_file)
{
	HANDLE file, section;
	char *base;

	ASSERT_TRUE(make_file("/tmp/process_memory_test", "contents"));
	file = open_shared("/tmp/process_memory_test", OPEN_EXISTING);
	ASSERT_NE(BAD, file);
	section = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, NULL);
	ASSERT_NE(NULL, section);
	base = MapViewOfFile2(section, self->process, 0, NULL, 0, 0,
			      PAGE_WRITECOPY);
	ASSERT_NE(NULL, base);
	EXPECT_TRUE(TELL(READ, base, 0));
	EXPECT_EQ('c', self->talk->value);
	self->talk->value = 'C';
	EXPECT_TRUE(TELL(WRITE, base, 0));
	EXPECT_TRUE(file_has("/tmp/process_memory_test", "contents"));
	EXPECT_TRUE(UnmapViewOfFile2(self->process, base, 0));
	base = MapViewOfFile2(section, self->process, 0, NULL, 0, 0,
			      PAGE_READWRITE);
	ASSERT_NE(NULL, base);
	EXPECT_TRUE(TELL(WRITE, base, 0));
	EXPECT_TRUE(file_has("/tmp/process_memory_test", "Contents"));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(TELL(READ, base, 0));
	unlink("/tmp/process_memory_test");
}

/* ---- copies ---- */

/* Rules: XP-01, PM-01, PM-05. */
TEST_F(other, copies)
{
	char *base = allocate(self->process, NULL, MIB(2), PAGE_READWRITE);
	char *ours = allocate(GetCurrentProcess(), NULL, MIB(2),
			      PAGE_READWRITE);
	SIZE_T done = 77;

	ASSERT_NE(NULL, base);
	ASSERT_NE(NULL, ours);
	fill_pages(ours, 512, 3);
	EXPECT_TRUE(WriteProcessMemory(self->process, base, ours, MIB(2),
				       &done));
	EXPECT_EQ(MIB(2), done);
	EXPECT_TRUE(TELL(READ, base + 8, 0));
	memset(ours, 0, MIB(2));
	EXPECT_TRUE(ReadProcessMemory(self->process, base, ours, MIB(2),
				      &done));
	EXPECT_EQ(MIB(2), done);
	EXPECT_TRUE(pages_have(ours, 512, 3));
	EXPECT_TRUE(ReadProcessMemory(self->process, base, ours, 0, &done));
	EXPECT_EQ(0, done);
	/* A hole: what comes before it */
	ASSERT_NE(0, protect_as(self->process, base + PAGES(2), PAGE,
				PAGE_NOACCESS));
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     ReadProcessMemory(self->process, base + 5, ours, PAGES(4),
				       &done));
	EXPECT_EQ(PAGES(2) - 5, done);
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     WriteProcessMemory(self->process, base + 5, ours,
					PAGES(4), &done));
	EXPECT_EQ(PAGES(2) - 5, done);
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     ReadProcessMemory(self->process, base + PAGES(2), ours, 1,
				       &done));
	EXPECT_EQ(0, done);
	done = 77;
	EXPECT_FAILS(ERROR_NOACCESS,
		     WriteProcessMemory(self->process, base + PAGES(2), ours, 1,
					&done));
	EXPECT_EQ(77, done);
	EXPECT_TRUE(give_back(self->process, base));
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     ReadProcessMemory(self->process, base, ours, 1, &done));
	EXPECT_FAILS(ERROR_NOACCESS,
		     ReadProcessMemory(self->process, (char *)~0UL, ours, 1,
				       &done));
}

/* Of our own memory what is wrong is told as ever. Rules: PM-02, PM-03. */
TEST_F(other, copies_that_fail_here)
{
	char *base = allocate(self->process, NULL, PAGES(4), PAGE_READWRITE);
	char *ours = allocate(GetCurrentProcess(), NULL, PAGES(4),
			      PAGE_READWRITE);
	SIZE_T done = 77;

	ASSERT_NE(NULL, base);
	ASSERT_NE(0, protect_as(GetCurrentProcess(), ours + PAGES(2), PAGE,
				PAGE_NOACCESS));
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     WriteProcessMemory(self->process, base, ours, PAGES(4),
					&done));
	EXPECT_EQ(0, done);
	EXPECT_TRUE(TELL(IS_ZERO, base, PAGES(4)));
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     ReadProcessMemory(self->process, base, ours, PAGES(4),
				       &done));
	EXPECT_EQ(PAGES(2), done);
	EXPECT_FAILS(ERROR_NOACCESS,
		     ReadProcessMemory(self->process, base, ours, 1,
				       (SIZE_T *)16));
}

/* Rules: PM-06, PM-07, PM-11. */
TEST_F(other, copies_to_code)
{
	char *base = allocate(self->process, NULL, PAGES(4),
			      PAGE_EXECUTE_READ);
	char code[4] = { 0 };
	SIZE_T done = 0;

	NEEDS_CODE();
	write_code(code);
	ASSERT_NE(NULL, base);
	EXPECT_TRUE(WriteProcessMemory(self->process, base + PAGE, code,
				       sizeof(code), &done));
	EXPECT_EQ(sizeof(code), done);
	EXPECT_EQ(MEM_COMMIT | PAGE_EXECUTE_READ,
		  state_in(self->process, base + PAGE));
	EXPECT_TRUE(TELL(RUN, base + PAGE, 0));
	EXPECT_FALSE(TELL(WRITE, base + PAGE, 0));
	EXPECT_EQ(STATUS_PARTIAL_COPY,
		  NtWriteVirtualMemory(self->process, base, code, 1, &done));
	EXPECT_EQ(0, done);
	ASSERT_NE(0, protect_as(self->process, base, PAGE,
				PAGE_EXECUTE_READWRITE));
	EXPECT_FAILS(ERROR_PARTIAL_COPY,
		     WriteProcessMemory(self->process, base + PAGE - 2, "abcd",
					4, &done));
	EXPECT_EQ(2, done);
}

/* ---- rights ---- */

static bool allocates(HANDLE process)
{
	char *base = allocate(process, NULL, PAGE, PAGE_READWRITE);

	return base && give_back(process, base);
}

static bool asks(HANDLE process)
{
	return state_in(process, HERE);
}

static bool reads(HANDLE process, const void *from)
{
	char byte;

	return ReadProcessMemory(process, from, &byte, 1, NULL);
}

static bool writes(HANDLE process, void *to)
{
	return WriteProcessMemory(process, to, "x", 1, NULL);
}

#define EXPECT_IF(can, call) \
	EXPECT_TRUE((can) ? !!(call) : FAILS_WITH(ERROR_ACCESS_DENIED, call))

/* Each right alone, and all of them. Rules: XP-03, VQ-15, PM-10. */
TEST_F(other, rights)
{
	static const DWORD rights[] = {
		QUERY, OPERATE, PROCESS_VM_READ, PROCESS_VM_WRITE,
		SYNCHRONIZE, PROCESS_QUERY_LIMITED_INFORMATION, ALL, 0,
		GENERIC_READ, GENERIC_WRITE, PROCESS_VM_WRITE | OPERATE,
		PROCESS_ALL_ACCESS,
	};
	char *base = allocate(self->process, NULL, PAGE, PAGE_READWRITE);
	DWORD has, code, old;
	unsigned int i;
	HANDLE process;

	ASSERT_NE(NULL, base);
	for (i = 0; i < ARRAY_SIZE(rights); i++) {
		has = rights[i];
		process = OpenProcess(has, FALSE, self->pid);
		ASSERT_NE(NULL, process);
		if (has == GENERIC_READ)
			has = QUERY | PROCESS_VM_READ;
		if (has == GENERIC_WRITE)
			has = OPERATE | PROCESS_VM_WRITE;
		if (has & QUERY)
			has |= PROCESS_QUERY_LIMITED_INFORMATION;
		EXPECT_IF(has & OPERATE, allocates(process));
		EXPECT_IF(has & OPERATE,
			  VirtualProtectEx(process, base, PAGE, PAGE_READWRITE,
					   &old));
		EXPECT_IF(has & QUERY, asks(process));
		EXPECT_IF(has & PROCESS_VM_READ, reads(process, base));
		EXPECT_IF(has & PROCESS_VM_WRITE && has & OPERATE,
			  writes(process, base));
		EXPECT_IF(has & PROCESS_QUERY_LIMITED_INFORMATION,
			  GetProcessId(process));
		EXPECT_IF(has & PROCESS_QUERY_LIMITED_INFORMATION,
			  GetExitCodeProcess(process, &code));
		EXPECT_IF(has & SYNCHRONIZE,
			  WaitForSingleObject(process, 0) == WAIT_TIMEOUT);
		EXPECT_TRUE(CloseHandle(process));
	}
}

static bool tells(HANDLE process)
{
	PROCESS_MEMORY_COUNTERS counters;

	return GetProcessMemoryInfo(process, &counters, sizeof(counters)) &&
	       counters.WorkingSetSize;
}

/* The rights of calls about the working set. Rules: PI-02, PI-05, WS-07, WS-09. */
TEST_F(other, rights_to_figures)
{
	static const DWORD rights[] = {
		QUERY, PROCESS_SET_QUOTA, OPERATE, SYNCHRONIZE, ALL,
		PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_ALL_ACCESS,
		QUERY | PROCESS_SET_QUOTA,
	};
	const SIZE_T all = ~(SIZE_T)0;
	DWORD has, query;
	unsigned int i;
	HANDLE process;

	for (i = 0; i < ARRAY_SIZE(rights); i++) {
		has = rights[i];
		query = has & (QUERY | PROCESS_QUERY_LIMITED_INFORMATION);
		process = OpenProcess(has, FALSE, self->pid);
		ASSERT_NE(NULL, process);
		EXPECT_IF(query, tells(process));
		EXPECT_IF(query && has & PROCESS_SET_QUOTA,
			  EmptyWorkingSet(process));
		EXPECT_IF(has & PROCESS_SET_QUOTA,
			  SetProcessWorkingSetSize(process, all, all));
		EXPECT_TRUE(CloseHandle(process));
	}
}

/* What is told is the other one's. Rules: PI-05, PI-06. */
TEST_F(other, figures)
{
	PROCESS_MEMORY_COUNTERS_EX before, counters;
	PPROCESS_MEMORY_COUNTERS all = (PPROCESS_MEMORY_COUNTERS)&counters;
	HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, self->pid);
	char *base = allocate(process, NULL, MIB(8), PAGE_READWRITE);

	ASSERT_NE(NULL, base);
	ASSERT_TRUE(GetProcessMemoryInfo(process, all, sizeof(counters)));
	before = counters;
	self->talk->value = 1;
	ASSERT_TRUE(TELL(FILL, base, MIB(8)));
	ASSERT_TRUE(GetProcessMemoryInfo(process, all, sizeof(counters)));
	EXPECT_LE(MIB(8), counters.PrivateUsage);
	EXPECT_EQ(counters.PrivateUsage, counters.PagefileUsage);
	EXPECT_LE(before.WorkingSetSize + MIB(7), counters.WorkingSetSize);
	EXPECT_LE(counters.WorkingSetSize, counters.PeakWorkingSetSize + MIB(1));
	EXPECT_LT(before.PageFaultCount, counters.PageFaultCount);
	ASSERT_TRUE(EmptyWorkingSet(process));
	ASSERT_TRUE(GetProcessMemoryInfo(process, all, sizeof(counters)));
	EXPECT_GT(MIB(2) + before.WorkingSetSize, counters.WorkingSetSize);
	EXPECT_TRUE(TELL(READ, base + MIB(4), 0));
	EXPECT_EQ(1, self->talk->value);
	EXPECT_FAILS(ERROR_NOT_SUPPORTED,
		     SetProcessWorkingSetSize(process, MIB(1), MIB(2)));
	EXPECT_TRUE(CloseHandle(process));
}

/* ---- its pages, and files ---- */

static ULONG_PTR page_in(HANDLE process, void *address)
{
	PSAPI_WORKING_SET_EX_INFORMATION info = { .VirtualAddress = address };

	if (!QueryWorkingSetEx(process, &info, sizeof(info)))
		return ~(ULONG_PTR)0;
	return info.VirtualAttributes.Flags;
}

/* Whether a page is in the list of all of them */
static bool is_listed(HANDLE process, const void *address)
{
	static ULONG_PTR room[1 << 16];
	PSAPI_WORKING_SET_INFORMATION *info = (void *)room;
	ULONG_PTR i;

	if (!QueryWorkingSet(process, info, sizeof(room)))
		return false;
	for (i = 0; i < info->NumberOfEntries; i++)
		if (info->WorkingSetInfo[i].VirtualPage ==
		    (uintptr_t)address / PAGE)
			return true;
	return false;
}

/* Rules: QW-03, QW-04, QW-05, QW-10. Those of the other one, not of the caller */
TEST_F(other, pages)
{
	char *base = allocate(self->process, HERE, PAGES(16), PAGE_READWRITE);
	PSAPI_WORKING_SET_EX_BLOCK block;
	DWORD old;

	ASSERT_EQ(HERE, base);
	EXPECT_EQ(0, page_in(self->process, base));
	EXPECT_FALSE(is_listed(self->process, base));
	self->talk->value = 1;
	ASSERT_TRUE(TELL(WRITE, base, 0));
	block.Flags = page_in(self->process, base);
	EXPECT_TRUE(block.Valid == 1);
	EXPECT_TRUE(block.Win32Protection == PAGE_READWRITE);
	EXPECT_TRUE(block.Shared == 0);
	EXPECT_TRUE(block.Locked == 0);
	EXPECT_TRUE(is_listed(self->process, base));
	EXPECT_EQ(0, page_in(GetCurrentProcess(), base));
	EXPECT_FALSE(is_listed(GetCurrentProcess(), base));
	ASSERT_TRUE(VirtualProtectEx(self->process, base, PAGE, PAGE_NOACCESS,
				     &old));
	EXPECT_EQ(0, page_in(self->process, base));
}

static bool locks(HANDLE process, void *address)
{
	PSAPI_WORKING_SET_EX_BLOCK block = {
		.Flags = page_in(process, address),
	};

	return block.Valid && block.Locked;
}

/* A handle that may only ask is told what is locked, too. Rules: QW-10. */
TEST_F(other, locked_pages)
{
	HANDLE asks_only = OpenProcess(QUERY, FALSE, self->pid);

	ASSERT_NE(NULL, asks_only);
	ASSERT_TRUE(TELL(LOCK, NULL, PAGE));
	EXPECT_TRUE(locks(asks_only, self->talk->address));
	EXPECT_TRUE(locks(self->process, self->talk->address));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, is_listed(asks_only, HERE));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, EmptyWorkingSet(asks_only));
	CloseHandle(asks_only);
}

static bool has_view(HANDLE process)
{
	char name[256];

	return GetMappedFileNameA(process, HERE, name, sizeof(name));
}

/* Rules: MF-01, MF-05, MF-06. */
TEST_F(other, name_of_view)
{
	char name[256], path[] = "/tmp/wr_process.XXXXXX";
	int fd = mkstemp(path);
	HANDLE file, section;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	file = CreateFileA(path, GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING,
			   0, NULL);
	section = CreateFileMappingA(file, NULL, PAGE_READONLY, 0, 0, NULL);
	ASSERT_NE(NULL, section);
	EXPECT_FAILS(ERROR_UNEXP_NET_ERR, has_view(self->process));
	ASSERT_EQ(HERE, MapViewOfFile3(section, self->process, HERE, 0, 0, 0,
				       PAGE_READONLY, NULL, 0));
	EXPECT_EQ(strlen(path), GetMappedFileNameA(self->process, HERE, name,
						   sizeof(name)));
	EXPECT_STREQ(path, name);
	EXPECT_FAILS(ERROR_UNEXP_NET_ERR, has_view(GetCurrentProcess()));
	ASSERT_TRUE(UnmapViewOfFile2(self->process, HERE, 0));
	ASSERT_NE(NULL, allocate(self->process, HERE, PAGE, PAGE_READWRITE));
	EXPECT_FAILS(ERROR_UNEXP_NET_ERR, has_view(self->process));
	CloseHandle(section);
	CloseHandle(file);
	close(fd);
	unlink(path);
}

static bool program_of(HANDLE process, char *name, DWORD size)
{
	return QueryFullProcessImageNameA(process, 0, name, &size) &&
	       size == strlen(name);
}

static bool has_program(HANDLE process)
{
	char name[PATH_MAX];

	return program_of(process, name, sizeof(name));
}

/* Rules: PI-11, PI-12, PI-13. */
TEST_F(other, program)
{
	char ours[PATH_MAX], name[PATH_MAX] = "?";
	WCHAR wide[PATH_MAX];
	DWORD size = PATH_MAX;
	ssize_t n = readlink("/proc/self/exe", ours, sizeof(ours) - 1);

	ASSERT_LT(0, n);
	ours[n] = '\0';
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER,
		     program_of(self->process, name, n));
	EXPECT_STREQ("?", name);
	EXPECT_TRUE(program_of(self->process, name, n + 1));
	EXPECT_STREQ(ours, name);
	EXPECT_TRUE(program_of(GetCurrentProcess(), name, sizeof(name)));
	EXPECT_STREQ(ours, name);
	EXPECT_TRUE(QueryFullProcessImageNameW(self->process,
					       PROCESS_NAME_NATIVE, wide,
					       &size));
	EXPECT_EQ(n, size);
	EXPECT_EQ(ours[n - 1], wide[n - 1]);
	EXPECT_EQ(0, wide[n]);
	size = PATH_MAX;
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     QueryFullProcessImageNameA(self->process, 2, name, &size));
	EXPECT_FAILS(ERROR_NOACCESS,
		     QueryFullProcessImageNameA(self->process, 0, NULL,
						&size));
	EXPECT_FAILS(ERROR_NOACCESS,
		     QueryFullProcessImageNameA(self->process, 0, name, NULL));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     QueryFullProcessImageNameA(NULL, 0, name, &size));
}

/* What is asked by /proc needs the right, too. Rules: MF-06, QW-10, PI-02. */
TEST_F(other, rights_to_pages)
{
	static const DWORD rights[] = {
		QUERY, PROCESS_VM_READ, QUERY | PROCESS_VM_READ, OPERATE,
		SYNCHRONIZE, PROCESS_QUERY_LIMITED_INFORMATION,
		PROCESS_ALL_ACCESS,
	};
	unsigned int i;
	HANDLE process;
	DWORD has;

	ASSERT_EQ(HERE, allocate(self->process, HERE, PAGE, PAGE_READWRITE));
	ASSERT_TRUE(TELL(WRITE, HERE, 0));
	for (i = 0; i < ARRAY_SIZE(rights); i++) {
		has = rights[i];
		process = OpenProcess(has, FALSE, self->pid);
		ASSERT_NE(NULL, process);
		EXPECT_IF(has & QUERY, ~page_in(process, HERE));
		EXPECT_IF(has & QUERY && has & PROCESS_VM_READ,
			  is_listed(process, HERE));
		if (!(has & QUERY))
			EXPECT_FAILS(ERROR_ACCESS_DENIED, has_view(process));
		EXPECT_IF(has & (QUERY | PROCESS_QUERY_LIMITED_INFORMATION),
			  has_program(process));
		EXPECT_TRUE(CloseHandle(process));
	}
}

/* Fewer rights by another handle, never more. Rules: XP-03. */
TEST_F(other, fewer_rights)
{
	HANDLE fewer;

	ASSERT_TRUE(DuplicateHandle(GetCurrentProcess(), self->process,
				    GetCurrentProcess(), &fewer, QUERY, FALSE,
				    0));
	EXPECT_TRUE(asks(fewer));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, allocates(fewer));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     DuplicateHandle(GetCurrentProcess(), fewer,
				     GetCurrentProcess(), &fewer, OPERATE,
				     FALSE, 0));
	EXPECT_TRUE(CloseHandle(fewer));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, asks(fewer));
}

static int open_as_nobody(void *arg)
{
	pid_t pid = *(pid_t *)arg;

	CHECK(!setgid(NOBODY) && !setuid(NOBODY));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED, OpenProcess(QUERY, FALSE, pid)));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 OpenProcess(PROCESS_VM_READ, FALSE, pid)));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 OpenProcess(OPERATE, FALSE, pid)));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 OpenProcess(PROCESS_ALL_ACCESS, FALSE, pid)));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED, OpenProcess(QUERY, FALSE, 1)));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 OpenProcess(PROCESS_TERMINATE, FALSE, pid)));
	CHECK(OpenProcess(MAXIMUM_ALLOWED, FALSE, pid));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 asks(OpenProcess(MAXIMUM_ALLOWED, FALSE, pid))));
	return 0;
}

/* Another user's process. Rules: XP-03. */
TEST_F(other, foreign_user)
{
	EXPECT_EQ(0, in_child(open_as_nobody, &self->pid));
}

/* A process that nobody may trace is looked at by its own user neither. */
static int open_undumpable(void *arg)
{
	struct talk *talk = arg;
	pid_t pid;

	CHECK(!setgid(NOBODY) && !setuid(NOBODY));
	CHECK(!prctl(PR_SET_DUMPABLE, 1));
	pid = start(talk);
	CHECK(asks(OpenProcess(QUERY, FALSE, pid)));
	CHECK(allocates(OpenProcess(OPERATE, FALSE, pid)));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK(!prctl(PR_SET_DUMPABLE, 0));
	memset(talk, 0, sizeof(*talk));
	pid = start(talk);
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED, OpenProcess(QUERY, FALSE, pid)));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 OpenProcess(OPERATE, FALSE, pid)));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}

TEST_F(other, as_the_kernel_says)
{
	struct talk *talk = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, talk);
	EXPECT_EQ(0, in_child(open_undumpable, talk));
}

/* ---- as much as is allowed ---- */

/* What is asked of each process */
#define ANY (PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE)

static bool has_right(HANDLE process, DWORD right)
{
	HANDLE fewer;

	return DuplicateHandle(GetCurrentProcess(), process,
			       GetCurrentProcess(), &fewer, right, FALSE, 0) &&
	       CloseHandle(fewer);
}

/* MAXIMUM_ALLOWED is these rights, no others, and goes with each of them. */
static int most_is(pid_t pid, DWORD most)
{
	static const DWORD rights[] = {
		PROCESS_TERMINATE, OPERATE, PROCESS_VM_READ, PROCESS_VM_WRITE,
		PROCESS_DUP_HANDLE, PROCESS_SET_QUOTA, QUERY,
		PROCESS_QUERY_LIMITED_INFORMATION, SYNCHRONIZE,
	};
	HANDLE process = OpenProcess(MAXIMUM_ALLOWED, FALSE, pid), other;
	unsigned int i;

	CHECK(process);
	for (i = 0; i < ARRAY_SIZE(rights); i++) {
		CHECK(has_right(process, rights[i]) == !!(most & rights[i]));
		other = OpenProcess(MAXIMUM_ALLOWED | rights[i], FALSE, pid);
		CHECK(!!other == !!(most & rights[i]));
		CHECK(!other || has_right(other, most));
		CHECK(!other || CloseHandle(other));
	}
	CHECK(CloseHandle(process));
	return 0;
}

static int most_as_nobody(void *arg)
{
	pid_t pid;

	CHECK(!setgid(NOBODY) && !setuid(NOBODY));
	CHECK(!most_is(*(pid_t *)arg, ANY));
	CHECK(FAILS_WITH(ERROR_ACCESS_DENIED,
			 OpenProcess(MAXIMUM_ALLOWED | PROCESS_TERMINATE, FALSE,
				     *(pid_t *)arg)));
	/* One that nobody may trace; its user ends it. */
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
	}
	CHECK(!most_is(pid, ANY | PROCESS_TERMINATE));
	CHECK(TerminateProcess(OpenProcess(MAXIMUM_ALLOWED, FALSE, pid), 1));
	CHECK(waitpid(pid, NULL, 0) == pid);
	return 0;
}

static bool has_only(uint32_t capabilities)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return false;
	data[0].effective = capabilities;
	data[1].effective = 0;
	return !syscall(SYS_capset, &header, data);
}

/* Who may trace all processes, and end only his own */
static int most_without_signals(void *arg)
{
	CHECK(!prctl(PR_SET_KEEPCAPS, 1));
	CHECK(!setuid(NOBODY));
	CHECK(has_only(1U << CAP_SYS_PTRACE | 1U << CAP_DAC_OVERRIDE));
	return most_is(*(pid_t *)arg, PROCESS_ALL_ACCESS & ~PROCESS_TERMINATE);
}

static int most_without_proc(void *arg)
{
	CHECK(!unshare(CLONE_NEWNS));
	CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(!mount("tmpfs", "/proc", "tmpfs", 0, NULL));
	return most_is(*(pid_t *)arg, ANY | PROCESS_TERMINATE);
}

/* Rules: XP-09. */
TEST_F(other, as_much_as_is_allowed)
{
	EXPECT_EQ(0, most_is(self->pid, PROCESS_ALL_ACCESS));
	EXPECT_EQ(0, in_child(most_as_nobody, &self->pid));
	EXPECT_EQ(0, in_child(most_without_signals, &self->pid));
	EXPECT_EQ(0, in_child(most_without_proc, &self->pid));
}

/* All that there are, and no others. Rules: XP-10. */
TEST_F(other, generic_rights)
{
	static const struct {
		DWORD generic;
		DWORD rights;
	} rows[] = {
		{ GENERIC_READ, 0x20410 },
		{ GENERIC_WRITE, 0x20bea },
		{ GENERIC_EXECUTE, 0x121001 },
		{ GENERIC_ALL, PROCESS_ALL_ACCESS },
	};
	unsigned int i, bit;
	HANDLE process;
	DWORD has;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		process = OpenProcess(rows[i].generic, FALSE, self->pid);
		ASSERT_NE(NULL, process);
		has = rows[i].rights;
		if (has & QUERY)
			has |= PROCESS_QUERY_LIMITED_INFORMATION;
		for (bit = 0; bit <= 20; bit++)
			EXPECT_EQ(!!(has & 1U << bit),
				  has_right(process, 1U << bit));
		EXPECT_TRUE(CloseHandle(process));
	}
}

static DWORD WINAPI wait_for_event(void *event)
{
	return WaitForSingleObject(event, INFINITE);
}

/* A thread is no process, whatever the kernel says of it. */
static bool opens_no_thread(void)
{
	HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL), thread;
	bool refused;
	DWORD id;

	thread = CreateThread(NULL, 0, wait_for_event, event, 0, &id);
	refused = FAILS_WITH(ERROR_INVALID_PARAMETER,
			     OpenProcess(ALL, FALSE, id));
	SetEvent(event);
	WaitForSingleObject(thread, INFINITE);
	CloseHandle(thread);
	CloseHandle(event);
	return refused;
}

/* No such process, and this one */
TEST_F(other, opening)
{
	HANDLE process;
	int fds;

	EXPECT_TRUE(opens_no_thread());
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, OpenProcess(ALL, FALSE, 0));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     OpenProcess(ALL, FALSE, 0x7ffffffe));
	EXPECT_EQ(self->pid, GetProcessId(self->process));
	EXPECT_TRUE(asks(GetCurrentProcess()));
	fds = count_fds();
	process = OpenProcess(ALL, FALSE, getpid());
	ASSERT_NE(NULL, process);
	EXPECT_EQ(getpid(), GetProcessId(process));
	EXPECT_TRUE(allocates(process));
	EXPECT_TRUE(asks(process));
	EXPECT_TRUE(reads(process, &fds));
	EXPECT_FAILS(ERROR_PARTIAL_COPY, reads(process, HERE));
	EXPECT_TRUE(CloseHandle(process));
	EXPECT_EQ(fds, count_fds());
	EXPECT_FAILS(ERROR_INVALID_HANDLE, allocates(process));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, reads(process, &fds));
	process = CreateEventA(NULL, TRUE, FALSE, NULL);
	EXPECT_FAILS(ERROR_INVALID_HANDLE, asks(process));
	CloseHandle(process);
}

/* The calls about no other process, by a handle of it */
static int about_itself(HANDLE process)
{
	WIN32_MEMORY_RANGE_ENTRY range = { &process, 1 };
	FILETIME created, ended, kernel, user;
	ULONG_PTR count = 1, page[1];
	SIZE_T least, most;
	HMODULE module;
	HANDLE token;
	DWORD size;

	CHECK(GetProcessWorkingSetSize(process, &least, &most));
	CHECK(EnumProcessModules(process, &module, sizeof(module), &size));
	CHECK(GetProcessTimes(process, &created, &ended, &kernel, &user));
	CHECK(OpenProcessToken(process, TOKEN_QUERY, &token));
	CHECK(CloseHandle(token));
	CHECK(FlushInstructionCache(process, &range, 1));
	CHECK(PrefetchVirtualMemory(process, 1, &range, 0));
	CHECK(AllocateUserPhysicalPages(process, &count, page));
	CHECK(FreeUserPhysicalPages(process, &count, page));
	return 0;
}

static int watches_itself(HANDLE process)
{
	PVOID base = VirtualAlloc(NULL, WINREGION_GRANULARITY,
				  MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
				  PAGE_READWRITE), written[1];
	ULONG_PTR count = 1;
	ULONG granularity;
	SIZE_T size = 1;

	*(volatile char *)base = 1;
	CHECK(!NtGetWriteWatch(process, 0, base, PAGES(1), written, &count,
			       &granularity));
	CHECK(count == 1 && written[0] == base);
	CHECK(!NtResetWriteWatch(process, base, PAGES(1)));
	CHECK(!NtLockVirtualMemory(process, &base, &size, MAP_PROCESS));
	CHECK(!NtUnlockVirtualMemory(process, &base, &size, MAP_PROCESS));
	CHECK(VirtualFree(base, 0, MEM_RELEASE));
	return 0;
}

/* Rules: XP-02, XP-08 */
TEST_F(other, itself_by_a_handle)
{
	HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, getpid());
	SIZE_T least, most;
	HMODULE module;
	DWORD size;

	ASSERT_NE(NULL, process);
	EXPECT_EQ(0, about_itself(GetCurrentProcess()));
	EXPECT_EQ(0, about_itself(process));
	EXPECT_EQ(0, watches_itself(GetCurrentProcess()));
	EXPECT_EQ(0, watches_itself(process));
	EXPECT_TRUE(CloseHandle(process));
	process = OpenProcess(SYNCHRONIZE, FALSE, getpid());
	ASSERT_NE(NULL, process);
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     GetProcessWorkingSetSize(process, &least, &most));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     EnumProcessModules(process, &module, sizeof(module),
					&size));
	EXPECT_TRUE(CloseHandle(process));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     GetProcessWorkingSetSize(self->process, &least, &most));
}

/* ---- what becomes of the other one ---- */

#define EXPECT_GONE(process) \
	do { \
		EXPECT_FAILS(ERROR_ACCESS_DENIED, allocates(process)); \
		EXPECT_FAILS(ERROR_ACCESS_DENIED, asks(process)); \
		EXPECT_FAILS(ERROR_ACCESS_DENIED, reads(process, &errno)); \
		EXPECT_FAILS(ERROR_ACCESS_DENIED, writes(process, &errno)); \
		EXPECT_FAILS(ERROR_ACCESS_DENIED, has_view(process)); \
		EXPECT_FAILS(ERROR_ACCESS_DENIED, is_listed(process, HERE)); \
		EXPECT_FAILS(ERROR_ACCESS_DENIED, has_program(process)); \
	} while (0)

/* Rules: XP-03. */
TEST_F(other, another_program)
{
	HANDLE again;
	char *base = allocate(self->process, NULL, PAGE, PAGE_READWRITE);
	DWORD code;

	ASSERT_NE(NULL, base);
	give(self->talk, RUN_ANOTHER, NULL, 0);
	EXPECT_TRUE(SETTLES(!reads(self->process, base)));
	EXPECT_GONE(self->process);
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(self->process, 0));
	EXPECT_TRUE(GetExitCodeProcess(self->process, &code));
	EXPECT_EQ(STILL_ACTIVE, code);
	again = OpenProcess(ALL, FALSE, self->pid);
	ASSERT_NE(NULL, again);
	EXPECT_TRUE(allocates(again));
	EXPECT_TRUE(asks(again));
	EXPECT_TRUE(CloseHandle(again));
}

TEST_F(other, ends)
{
	HANDLE again;
	DWORD code;

	give(self->talk, END, NULL, 0);
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(self->process, 10000));
	EXPECT_TRUE(GetExitCodeProcess(self->process, &code));
	EXPECT_EQ(42, code);
	EXPECT_GONE(self->process);
	/* It has not been waited for, so it is there. */
	again = OpenProcess(ALL, FALSE, self->pid);
	ASSERT_NE(NULL, again);
	EXPECT_GONE(again);
	EXPECT_TRUE(CloseHandle(again));
	EXPECT_EQ(self->pid, waitpid(self->pid, NULL, 0));
	EXPECT_GONE(self->process);
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(self->process, 0));
	EXPECT_FAILS(ERROR_NOT_SUPPORTED,
		     GetExitCodeProcess(self->process, &code));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     OpenProcess(ALL, FALSE, self->pid));
}

/* Rules: TH-25 */
TEST_F(other, is_terminated)
{
	HANDLE weak = OpenProcess(PROCESS_ALL_ACCESS & ~PROCESS_TERMINATE,
				  FALSE, self->pid);
	HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, self->pid);
	DWORD code;

	ASSERT_NE(NULL, weak);
	ASSERT_NE(NULL, process);
	EXPECT_FAILS(ERROR_ACCESS_DENIED, TerminateProcess(weak, 7));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(weak, 0));
	EXPECT_TRUE(TerminateProcess(process, 7));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(weak, 10000));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, TerminateProcess(process, 7));
	EXPECT_TRUE(GetExitCodeProcess(weak, &code));
	EXPECT_EQ(128 + SIGKILL, code);
	EXPECT_EQ(self->pid, waitpid(self->pid, NULL, 0));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, TerminateProcess(process, 7));
	EXPECT_TRUE(CloseHandle(process));
	EXPECT_TRUE(CloseHandle(weak));
}

TEST_F(other, is_stopped)
{
	char *base;

	ASSERT_EQ(0, kill(self->pid, SIGSTOP));
	ASSERT_EQ(self->pid, waitpid(self->pid, NULL, WUNTRACED));
	base = allocate(self->process, NULL, PAGES(20), PAGE_READWRITE);
	ASSERT_NE(NULL, base);
	EXPECT_EQ(MEM_COMMIT | PAGE_READWRITE, state_in(self->process, base));
	EXPECT_TRUE(writes(self->process, base));
	EXPECT_NE(0, protect_as(self->process, base, PAGE,
				code_or(PAGE_EXECUTE_READ, PAGE_READONLY)));
	EXPECT_TRUE(VirtualFreeEx(self->process, base + PAGE, PAGE,
				  MEM_DECOMMIT));
	ASSERT_EQ(0, kill(self->pid, SIGCONT));
	EXPECT_TRUE(TELL(READ, base, 0));
	EXPECT_EQ('x', self->talk->value);
	EXPECT_FALSE(TELL(READ, base + PAGE, 0));
	EXPECT_TRUE(give_back(self->process, base));
}

/* What is used is the other one's, and its limits count. */
TEST_F(other, limits)
{
	int fd = wr_open();
	uint64_t ours = WR_INFO(fd, out_committed);
	struct rlimit none = { 0, RLIM_INFINITY }, old;
	char *base;

	ASSERT_EQ(0, getrlimit(RLIMIT_AS, &old));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &none));
	base = allocate(self->process, NULL, MIB(4), PAGE_READWRITE);
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &old));
	ASSERT_NE(NULL, base);
	EXPECT_EQ(ours, WR_INFO(fd, out_committed));
	EXPECT_TRUE(give_back(self->process, base));
	ASSERT_TRUE(TELL(LIMIT, NULL, MIB(64)));
	EXPECT_FAILS(ERROR_NOT_ENOUGH_MEMORY,
		     VirtualAllocEx(self->process, NULL, MIB(512), MEM_RESERVE,
				    PAGE_READWRITE));
	EXPECT_TRUE(allocates(self->process));
	close(fd);
}

/* Where the stack of a process ends, which it has from the start */
static uintptr_t stack_end(pid_t pid)
{
	unsigned long first, end = 0;
	char name[32], *line = NULL;
	size_t room = 0;
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	maps = fopen(name, "re");
	while (maps && getline(&line, &room, maps) > 0)
		if (strstr(line, "[stack]"))
			sscanf(line, "%lx-%lx", &first, &end);
	if (maps)
		fclose(maps);
	free(line);
	return end;
}

/* How far below the end of its stack memory is placed that is to be as near as it can */
static size_t distance(HANDLE process, uintptr_t end)
{
	MEM_ADDRESS_REQUIREMENTS place = {
		.HighestEndingAddress = (void *)(end - 1),
	};
	MEM_EXTENDED_PARAMETER parameter = {
		.Type = MemExtendedParameterAddressRequirements,
		.Pointer = &place,
	};
	char *base = VirtualAlloc2(process, NULL, PAGE,
				   MEM_RESERVE | MEM_TOP_DOWN, PAGE_NOACCESS,
				   &parameter, 1);

	if (!base || !give_back(process, base))
		return 0;
	return end - (uintptr_t)base;
}

/* Room is left for as much as the other one's stack may grow, not the caller's. */
TEST_F(other, limit_of_stack)
{
	struct rlimit large = { MIB(100), RLIM_INFINITY };
	struct rlimit small = { MIB(8), RLIM_INFINITY };
	uintptr_t end = stack_end(self->pid) & -KIB(64);

	ASSERT_NE(0, end);
	ASSERT_EQ(0, prlimit(self->pid, RLIMIT_STACK, &large, NULL));
	ASSERT_EQ(0, setrlimit(RLIMIT_STACK, &small));
	EXPECT_LT(MIB(100), distance(self->process, end));
	ASSERT_EQ(0, prlimit(self->pid, RLIMIT_STACK, &small, NULL));
	ASSERT_EQ(0, setrlimit(RLIMIT_STACK, &large));
	EXPECT_LT(MIB(8), distance(self->process, end));
	EXPECT_GT(MIB(12), distance(self->process, end));
}

/* ---- many at once ---- */

struct user {
	HANDLE process;
	long rounds;
	int line;
};

static int use(struct user *user)
{
	DWORD code = code_or(PAGE_EXECUTE_READ, PAGE_READONLY);
	char bytes[16] = { 0 };
	char *base;
	long i;

	for (i = 0; i < user->rounds; i++) {
		base = allocate(user->process, NULL, PAGES(20), PAGE_READWRITE);
		CHECK(base);
		CHECK(WriteProcessMemory(user->process, base + PAGE - 8,
					 "0123456789abcde", 16, NULL));
		CHECK(ReadProcessMemory(user->process, base + PAGE - 8, bytes,
					16, NULL));
		CHECK(!strcmp(bytes, "0123456789abcde"));
		CHECK(protect_as(user->process, base + PAGES(4), PAGES(2),
				 code) == PAGE_READWRITE);
		CHECK(state_in(user->process, base + PAGES(5)) ==
		      (MEM_COMMIT | code));
		CHECK(VirtualFreeEx(user->process, base + PAGES(3), PAGES(3),
				    MEM_DECOMMIT));
		CHECK(state_in(user->process, base + PAGES(5)) == MEM_RESERVE);
		CHECK(give_back(user->process, base));
	}
	return 0;
}

static void *use_it(void *arg)
{
	struct user *user = arg;

	user->line = use(user);
	return NULL;
}

#define USERS 8

static int use_by_all(HANDLE process, long rounds)
{
	struct user users[USERS];
	pthread_t threads[USERS];
	int i, line = 0;

	for (i = 0; i < USERS; i++) {
		users[i] = (struct user){ process, rounds, 0 };
		pthread_create(&threads[i], NULL, use_it, &users[i]);
	}
	for (i = 0; i < USERS; i++) {
		pthread_join(threads[i], NULL);
		line = line ? line : users[i].line;
	}
	return line;
}

/* Eight threads change what threads of the other process change as well. */
TEST_F(other, threads)
{
	uint32_t before;

	ASSERT_TRUE(TELL(CHURN, NULL, 3));
	before = self->talk->rounds;
	EXPECT_EQ(0, use_by_all(self->process, race_rounds(40)));
	EXPECT_TRUE(SETTLES(self->talk->rounds != before));
}

/* Its children have what was there when it forked. */
TEST_F(other, forks)
{
	char *base = allocate(self->process, NULL, PAGE, PAGE_READWRITE);

	ASSERT_NE(NULL, base);
	ASSERT_TRUE(writes(self->process, base));
	self->talk->value = 'x';
	give(self->talk, FORK, base, race_rounds(40));
	EXPECT_EQ(0, use_by_all(self->process, race_rounds(20)));
	EXPECT_TRUE(take(self->talk));
	EXPECT_EQ((uint32_t)race_rounds(40), self->talk->rounds);
}

/* It is killed while it is used. */
TEST_F(other, is_killed)
{
	struct user user = { self->process, 1 << 30, 0 };
	pthread_t threads[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, use_it, &user));
	sleep_ms(200);
	ASSERT_EQ(0, kill(self->pid, SIGKILL));
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_NE(0, user.line);
	EXPECT_GONE(self->process);
}

static int use_for_ever(void *arg)
{
	return use_by_all(arg, 1 << 30);
}

/* Who uses it is killed in the middle of calls. */
TEST_F(other, user_is_killed)
{
	struct child child;
	long i;

	for (i = 0; i < race_rounds(10); i++) {
		child = start_child(use_for_ever, self->process);
		sleep_ms(20 + i % 7);
		ASSERT_EQ(0, kill(child.pid, SIGKILL));
		ASSERT_EQ(-SIGKILL, end_child(&child));
	}
	EXPECT_EQ(0, use_by_all(self->process, 1));
	EXPECT_TRUE(TELL(READ, (char *)self->talk, 0));
}

/* ---- the module's side ---- */

static int open_of(pid_t pid, const char *what, int flags)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/%d/%s", pid, what);
	return open(name, flags | O_CLOEXEC);
}

static int process_of(int fd, int memory, uint32_t flags)
{
	struct winregion_open_process arg = {
		.size = sizeof(arg),
		.flags = flags,
		.memory = memory,
		.out_fd = -7,
	};
	int err = wr_ioctl(fd, WINREGION_OPEN_PROCESS, &arg);

	return err ? err : arg.out_fd;
}

#define CHANGE WINREGION_PROCESS_CHANGE

/* ---- a set-user-ID program ---- */

#define PROGRAM "/tmp/wr_process_memory_test"
#define MIGHTY "--mighty"

/* What this program is as PROGRAM: it only has the rights */
__attribute__((constructor)) static void be_mighty(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], MIGHTY))
		_exit(geteuid() ? 1 : 42);
}

/* A process that shares its memory with another one, and runs the program when told */
struct pair {
	char *base;
	uint32_t go;
	pid_t other;
};

static int stay(void *unused)
{
	for (;;)
		pause();
	return 0;
}

static pid_t start_pair(struct pair *pair)
{
	pid_t pid = fork();
	pid_t other;

	if (pid)
		return pid;
	pair->base = VirtualAlloc(NULL, MIB(1), MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);
	other = clone_sharing(stay, 0, NULL);
	__atomic_store_n(&pair->other, other, __ATOMIC_RELEASE);
	wait_for(&pair->go, 0);
	execl(PROGRAM, PROGRAM, MIGHTY, NULL);
	_exit(1);
}

static int lock_in(int process, char *base)
{
	struct winregion_lock arg = {
		.size = sizeof(arg),
		.operation = WINREGION_LOCK_ADD,
		.address = (uintptr_t)base,
		.length = MIB(1),
	};

	return wr_ioctl(process, WINREGION_LOCK, &arg);
}

struct long_call {
	int process;
	struct winregion_lock arg;
	int err;
};

/* Again and again, as the process may live for longer than one takes */
static void *call(void *arg)
{
	struct long_call *call = arg;

	do {
		call->arg.operation = WINREGION_LOCK_ADD;
		call->err = wr_ioctl(call->process, WINREGION_LOCK, &call->arg);
		if (call->err)
			break;
		call->arg.operation = WINREGION_LOCK_REMOVE;
		call->err = wr_ioctl(call->process, WINREGION_LOCK, &call->arg);
	} while (!call->err);
	return NULL;
}

#define LONG_CALLS 3

/* Who uses a process keeps its memory, but not from its end, however many use it. */
TEST_F(other, is_killed_in_long_calls)
{
	struct long_call calls[LONG_CALLS];
	pthread_t threads[LONG_CALLS];
	int fd = wr_open(), i;
	char *base;

	base = allocate(self->process, NULL, MIB(128) * LONG_CALLS,
			PAGE_READWRITE);
	ASSERT_NE(NULL, base);
	for (i = 0; i < LONG_CALLS; i++) {
		calls[i] = (struct long_call){
			.process = process_of(fd, open_of(self->pid, "mem",
							  O_RDWR), CHANGE),
			.arg.size = sizeof(calls[i].arg),
			.arg.address = (uintptr_t)base + MIB(128) * i,
			.arg.length = MIB(128),
		};
		ASSERT_LE(0, calls[i].process);
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, call,
					    &calls[i]));
	}
	sleep_ms(10);
	ASSERT_EQ(0, kill(self->pid, SIGKILL));
	for (i = 0; i < LONG_CALLS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_EQ(-EOWNERDEAD, calls[i].err);
	}
	EXPECT_GONE(self->process);
	close(fd);
}

/* Return: 0, or a line. No lock is granted, whoever owns the memory just then. */
static int lock_during_exec(struct pair *pair, int fd)
{
	int process, memory, status, err = 0;
	pid_t pid;

	memset(pair, 0, sizeof(*pair));
	pid = start_pair(pair);
	CHECK(pid > 0);
	while (!__atomic_load_n(&pair->other, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	CHECK(pair->other > 0 && pair->base);
	memory = open_of(pid, "mem", O_RDWR);
	process = process_of(fd, memory, CHANGE);
	CHECK(process >= 0);
	CHECK(lock_in(process, pair->base) == -EAGAIN);
	__atomic_store_n(&pair->go, 1, __ATOMIC_RELEASE);
	do {
		err = lock_in(process, pair->base);
		CHECK(err == -EAGAIN || err == -EOWNERDEAD);
	} while (!waitpid(pid, &status, WNOHANG));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	/* It is the other one's now. */
	CHECK(lock_in(process, pair->base) == -EAGAIN);
	kill(pair->other, SIGKILL);
	close(process);
	close(memory);
	return 0;
}

static int lock_as_nobody(void *arg)
{
	const struct rlimit little = { KIB(64), KIB(64) };
	struct pair *pair = arg;
	int fd = wr_open(), line = 0;
	long i;

	CHECK(!setrlimit(RLIMIT_MEMLOCK, &little));
	CHECK(!setgid(NOBODY) && !setuid(NOBODY));
	CHECK(!prctl(PR_SET_DUMPABLE, 1));
	for (i = 0; i < race_rounds(20) && !line; i++)
		line = lock_during_exec(pair, fd);
	return line;
}

/* The rights of the program are not for the memory that the process had before. */
TEST_F(other, runs_a_program_with_more_rights)
{
	struct pair *pair;

	if (geteuid())
		SKIP(return, "only root can make such a program");
	pair = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, pair);
	unlink(PROGRAM);
	ASSERT_TRUE(copy_program(PROGRAM, 04755));
	EXPECT_EQ(0, in_child(lock_as_nobody, pair));
	unlink(PROGRAM);
	munmap(pair, PAGE);
}

/* A walk over all that it has finds each region, as its own does here. */
TEST_F(other, walks)
{
	int memory = open_of(self->pid, "environ", O_RDONLY);
	int fd = wr_open(), process = process_of(fd, memory, 0);
	HANDLE processes[] = { GetCurrentProcess(), self->process };
	int fds[] = { fd, process };
	struct winregion_run runs[256];
	long n, found;
	uint64_t next;
	int i, j;

	ASSERT_LE(0, process);
	for (i = 0; i < 2; i++) {
		for (j = 0; j < 600; j++)
			ASSERT_NE(NULL, allocate(processes[i], NULL, PAGES(2),
						 PAGE_READWRITE));
		found = 0;
		next = USER_LOWEST;
		do {
			n = wr_query_runs(fds[i], &next, USER_HIGHEST,
					  WINREGION_QUERY_REGIONS, runs,
					  ARRAY_SIZE(runs));
			ASSERT_LE(0, n);
			found += n;
		} while (n == ARRAY_SIZE(runs));
		EXPECT_LE(600, found);
		EXPECT_EQ(600, WR_INFO(fds[i], out_regions));
	}
	close(memory);
	close(process);
	close(fd);
}

/* What has been given back there is free, as it is here. Rules: XP-01, VQ-07. */
TEST_F(other, free_again)
{
	HANDLE asks_only = OpenProcess(QUERY, FALSE, self->pid);
	HANDLE processes[] = { GetCurrentProcess(), self->process };
	char *some[5];
	int i, j;

	ASSERT_NE(NULL, asks_only);
	for (i = 0; i < 2; i++) {
		for (j = 0; j < 5; j++) {
			some[j] = allocate(processes[i], NULL, PAGES(2),
					   PAGE_READWRITE);
			ASSERT_NE(NULL, some[j]);
		}
		ASSERT_TRUE(give_back(processes[i], some[2]));
		EXPECT_EQ(MEM_FREE | PAGE_NOACCESS,
			  state_in(i ? asks_only : processes[i], some[2]));
		EXPECT_EQ(MEM_FREE | PAGE_NOACCESS,
			  state_in(processes[i], some[2]));
		EXPECT_EQ(some[2], allocate(processes[i], some[2], PAGES(2),
					    PAGE_READWRITE));
	}
	CloseHandle(asks_only);
}

TEST_F(other, descriptors)
{
	struct winregion_write_watch watch = { .size = sizeof(watch) };
	int mem = open_of(self->pid, "mem", O_RDWR);
	int only = open_of(self->pid, "mem", O_RDONLY);
	int looked = open_of(self->pid, "environ", O_RDONLY);
	int maps = open_of(self->pid, "maps", O_RDONLY);
	int fd = wr_open(), process, reads;
	uint64_t base = 0;

	EXPECT_EQ(-EBADF, process_of(fd, -1, 0));
	EXPECT_EQ(-EBADF, process_of(fd, fd, 0));
	EXPECT_EQ(-EBADF, process_of(fd, maps, 0));
	EXPECT_EQ(-EBADF, process_of(fd, 0, CHANGE));
	EXPECT_EQ(-EKEYREJECTED, process_of(fd, only, CHANGE));
	EXPECT_EQ(-EKEYREJECTED, process_of(fd, looked, CHANGE));
	EXPECT_EQ(-EOPNOTSUPP, process_of(fd, mem, 2));
	reads = process_of(fd, looked, 0);
	ASSERT_LE(0, reads);
	process = process_of(fd, mem, CHANGE);
	ASSERT_LE(0, process);
	EXPECT_EQ(FD_CLOEXEC, fcntl(process, F_GETFD));
	EXPECT_EQ(-EBADF, process_of(fd, process, 0));
	EXPECT_EQ(-ENOTTY, wr_ioctl(process, WINREGION_WRITE_WATCH, &watch));
	EXPECT_EQ(-ENOTTY, wr_ioctl(process, WINREGION_CREATE_SECTION, &watch));
	EXPECT_EQ(-ENOTTY, wr_ioctl(process, WINREGION_OPEN_PROCESS, &watch));
	EXPECT_EQ(-EKEYREJECTED, wr_reserve_at(reads, &base, PAGE, 0, RW));
	EXPECT_EQ(0, wr_reserve_at(process, &base, PAGE, 0, RW));
	EXPECT_EQ(-EKEYREJECTED, wr_commit(reads, (char *)base, PAGE, RW));
	EXPECT_EQ(WINREGION_STATE_RESERVE, wr_state(reads, (char *)base));
	EXPECT_EQ(1, WR_INFO(reads, out_regions));
	EXPECT_EQ(0, wr_commit(process, (char *)base, PAGE, RW));
	EXPECT_EQ(PAGE, WR_INFO(reads, out_committed));
	/* What is there when the result cannot be told is undone. */
	EXPECT_EQ(0, wr_release(process, (char *)base, 0));
	EXPECT_EQ(0, WR_INFO(reads, out_regions));
	close(reads);
	close(process);
	close(mem);
	close(only);
	close(looked);
	close(maps);
	close(fd);
}

struct mapper {
	HANDLE process;
	HANDLE section;
};

static void *map_and_unmap(void *arg)
{
	struct mapper *mapper = arg;
	char *base;

	for (;;) {
		base = MapViewOfFile2(mapper->section, mapper->process, 0, NULL,
				      0, 0, PAGE_WRITECOPY);
		UnmapViewOfFile2(mapper->process, base, 0);
	}
	return NULL;
}

static int map_for_ever(void *arg)
{
	pthread_t thread;
	int i;

	for (i = 0; i < USERS; i++)
		CHECK(!pthread_create(&thread, NULL, map_and_unmap, arg));
	pthread_join(thread, NULL);
	return 0;
}

/* How many views have not begun: of those of this test no other page is reserved. */
static long count_reserved(int process)
{
	struct winregion_run runs[64];
	uint64_t next = USER_LOWEST;
	long n, i, found = 0;

	do {
		n = wr_query_runs(process, &next, USER_HIGHEST,
				  WINREGION_QUERY_REGIONS, runs,
				  ARRAY_SIZE(runs));
		for (i = 0; i < n; i++)
			found += runs[i].state == WINREGION_STATE_RESERVE;
	} while (n == ARRAY_SIZE(runs));
	return n < 0 ? n : found;
}

/*
 * A view of copies is mapped, and then made one. Of who is killed in between none stays.
 * Hazard P9.
 */
TEST_F(other, killed_while_views_are_made)
{
	struct mapper mapper = {
		.process = self->process,
		.section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
					      PAGE_READWRITE, 0, PAGE, NULL),
	};
	int memory = open_of(self->pid, "environ", O_RDONLY);
	int fd = wr_open(), process = process_of(fd, memory, 0);
	struct child child;
	long i;

	ASSERT_LE(0, process);
	ASSERT_TRUE(TELL(MAP, NULL, 2));
	for (i = 0; i < race_rounds(20); i++) {
		child = start_child(map_for_ever, &mapper);
		sleep_ms(20 + i % 7);
		ASSERT_EQ(0, kill(child.pid, SIGKILL));
		ASSERT_EQ(-SIGKILL, end_child(&child));
	}
	EXPECT_TRUE(SETTLES(!count_reserved(process)));
	close(process);
	close(memory);
	close(fd);
	CloseHandle(mapper.section);
}

/* Most pages of a special mapping */
#define MOST_SPECIAL 64

/* Whether /proc has a flag of a mapping of a process */
static bool has_flag(pid_t pid, const struct vma *vma, const char *flag)
{
	char name[64], key[32];
	char *flags;

	snprintf(name, sizeof(name), "/proc/%d/smaps", pid);
	snprintf(key, sizeof(key), "%llx-", (unsigned long long)vma->start);
	flags = strstr(read_from(name, key), "VmFlags:");
	if (!flags)
		return false;
	*strchrnul(flags, '\n') = '\0';
	return strstr(flags, flag);
}

/* What the process's page tables have of it */
static bool read_ptes(pid_t pid, const struct vma *vma, uint64_t *ptes)
{
	int fd = open_of(pid, "pagemap", O_RDONLY);
	ssize_t size = (vma->end - vma->start) / PAGE * sizeof(*ptes);
	bool done;

	done = pread(fd, ptes, size,
		     vma->start / PAGE * sizeof(*ptes)) == size;
	close(fd);
	return done;
}

/* A run up to the end of a mapping, with what everybody is told of the pages */
static bool is_run_to_end(const struct winregion_run *run,
			  const struct vma *vma, uint64_t address,
			  uint32_t protection)
{
	return run->address == address &&
	       run->length == vma->end - address &&
	       run->region_address == vma->start &&
	       run->region_length == vma->end - vma->start &&
	       run->state == WINREGION_STATE_COMMIT &&
	       run->flags == WINREGION_RUN_FOREIGN &&
	       run->protection == protection;
}

static void ask_page_by_page(struct __test_metadata *_metadata, int process,
			     const struct vma *vma, uint32_t protection)
{
	struct winregion_run run, runs[2];
	uint64_t at, next;

	for (at = vma->start; at < vma->end; at += PAGE) {
		EXPECT_EQ(0, wr_query(process, (char *)(uintptr_t)at, &run));
		EXPECT_TRUE(is_run_to_end(&run, vma, at, protection)) {
			TH_LOG("%s %llx: %x", vma->path,
			       (unsigned long long)at, run.protection);
		}
	}
	next = vma->start;
	EXPECT_EQ(1, wr_query_runs(process, &next, vma->end - 1, 0, runs,
				   ARRAY_SIZE(runs)));
	EXPECT_TRUE(is_run_to_end(&runs[0], vma, vma->start, protection));
}

/*
 * What drivers and the kernel map for the process alone, whose fault the kernel has
 * nobody else cause, [vvar] for one: others cannot read it, and who asks about it changes
 * nothing there.
 */
TEST_F(other, special_mappings)
{
	int memory = open_of(self->pid, "environ", O_RDONLY);
	int fd = wr_open(), process = process_of(fd, memory, 0);
	uint64_t before[MOST_SPECIAL], after[MOST_SPECIAL];
	unsigned int i, n, asked = 0;
	struct vma vmas[256];
	uint32_t protection;
	char byte;

	ASSERT_LE(0, process);
	/* The child has those of its parent. */
	n = read_vmas(0, USER_HIGHEST, vmas, ARRAY_SIZE(vmas));
	ASSERT_GE(ARRAY_SIZE(vmas), n);
	for (i = 0; i < n; i++) {
		if (strncmp(vmas[i].path, "[v", 2) ||
		    vmas[i].start > USER_HIGHEST)
			continue;
		ASSERT_GE(MOST_SPECIAL, (vmas[i].end - vmas[i].start) / PAGE);
		protection = vmas[i].perms[2] == 'x' ? WINREGION_EXECUTE_READ :
						       WINREGION_READONLY;
		if (has_flag(self->pid, &vmas[i], " io") ||
		    has_flag(self->pid, &vmas[i], " pf")) {
			protection = WINREGION_NOACCESS;
			EXPECT_FALSE(ReadProcessMemory(self->process,
						       (char *)vmas[i].start,
						       &byte, 1, NULL));
		}
		ASSERT_TRUE(read_ptes(self->pid, &vmas[i], before));
		ask_page_by_page(_metadata, process, &vmas[i], protection);
		ASSERT_TRUE(read_ptes(self->pid, &vmas[i], after));
		EXPECT_EQ(0, memcmp(before, after,
				    (vmas[i].end - vmas[i].start) / PAGE * 8));
		asked++;
	}
	EXPECT_LE(2, asked); /* [vvar] and [vdso] */
	close(process);
	close(memory);
	close(fd);
}

/* Pages of a mapping that is in the child, too, with that protection, and no others */
static bool has_run(HANDLE process, char *base, char *at, size_t pages,
		    DWORD protect)
{
	MEMORY_BASIC_INFORMATION info;

	return VirtualQueryEx(process, at, &info, sizeof(info)) &&
	       info.BaseAddress == at && info.AllocationBase == base &&
	       info.RegionSize == PAGES(pages) && info.State == MEM_COMMIT &&
	       info.Protect == protect;
}

/* What lies behind the end of a file cannot be touched there either. */
TEST_F(other, end_of_a_file)
{
	int fd = memfd_create("short", MFD_CLOEXEC);
	HANDLE process;
	char *map;
	pid_t pid;

	ASSERT_EQ(0, ftruncate(fd, PAGES(2) + 1));
	map = mmap(NULL, PAGES(6), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	pid = start(self->talk);
	ASSERT_LT(0, pid);
	process = OpenProcess(QUERY, FALSE, pid);
	ASSERT_NE(NULL, process);
	EXPECT_TRUE(has_run(process, map, map, 3, PAGE_READWRITE));
	EXPECT_TRUE(has_run(process, map, map + PAGES(3), 3, PAGE_NOACCESS));
	ASSERT_EQ(0, ftruncate(fd, PAGES(5)));
	EXPECT_TRUE(has_run(process, map, map, 5, PAGE_READWRITE));
	ASSERT_EQ(0, ftruncate(fd, 0));
	EXPECT_TRUE(has_run(process, map, map, 6, PAGE_NOACCESS));
	CloseHandle(process);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	munmap(map, PAGES(6));
	close(fd);
}

TEST_HARNESS_MAIN
