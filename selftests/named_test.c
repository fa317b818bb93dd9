// SPDX-License-Identifier: GPL-2.0
/*
 * Events, mutexes and semaphores with names: what processes have in common
 */
#include "kselftest_harness.h"

#include <stdatomic.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include <winregion/heapapi.h>
#include <winregion/libloaderapi.h>
#include <winregion/winregion.h>

#include "file_fixture.h"
#include "race.h"
#include "sections.h"

#define ALICE 61001
#define BOB 61002

/* As long as nothing may take, and so long that others are asleep by then */
#define LONG_TIME 60000
#define SHORT_TIME 50

#define NONE(error, call) FAILS_WITH(error, (call) != NULL)

/* The last error that a call leaves, which makes a handle */
#define ERROR_AFTER(handle) ({						\
	SetLastError(OUR_ERROR);					\
	(handle) ? GetLastError() : OUR_ERROR;				\
})

__attribute__((constructor)) static void open_device(void)
{
	winregion_unavailable();
}

static HANDLE event_of(const char *name)
{
	return OpenEventA(EVENT_ALL_ACCESS, FALSE, name);
}

static HANDLE mutex_of(const char *name)
{
	return OpenMutexA(MUTEX_ALL_ACCESS, FALSE, name);
}

static HANDLE semaphore_of(const char *name)
{
	return OpenSemaphoreA(SEMAPHORE_ALL_ACCESS, FALSE, name);
}

/* Nobody has an object of that name. */
#define EXPECT_GONE(name) do {						\
	EXPECT_TRUE(NONE(ERROR_FILE_NOT_FOUND, event_of(name)));	\
	EXPECT_TRUE(NONE(ERROR_FILE_NOT_FOUND, mutex_of(name)));	\
	EXPECT_TRUE(NONE(ERROR_FILE_NOT_FOUND, semaphore_of(name)));	\
} while (0)

/* ---- names ---- */

/* Rules: WT-10, WT-15 */
TEST(one_object)
{
	const char *local = "Local\\on\xc3\xa9", *name = local + 6;
	HANDLE event, again, wide;

	EXPECT_GONE(name);
	EXPECT_EQ(ERROR_SUCCESS,
		  ERROR_AFTER(event = CreateEventA(NULL, TRUE, FALSE, name)));
	/* What it was to be does not matter any more. */
	EXPECT_EQ(ERROR_ALREADY_EXISTS,
		  ERROR_AFTER(again = CreateEventA(NULL, FALSE, TRUE, local)));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(again, 0));
	wide = OpenEventW(SYNCHRONIZE, FALSE, W("on\u00e9"));
	ASSERT_NE(NULL, wide);
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(wide, 1));
	EXPECT_TRUE(SetEvent(again));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(wide, 0));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(event, LONG_TIME));
	EXPECT_FAILS(ERROR_ACCESS_DENIED, SetEvent(wide));
	EXPECT_TRUE(CloseHandle(event));
	EXPECT_TRUE(CloseHandle(again));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(wide, 0));
	EXPECT_TRUE(CloseHandle(wide));
	EXPECT_GONE(name);
}

/* Rules: WT-16 */
TEST(other_kinds)
{
	HANDLE event = CreateEventA(NULL, TRUE, TRUE, "kind"), section;

	ASSERT_NE(NULL, event);
	EXPECT_TRUE(NONE(6, CreateMutexA(NULL, FALSE, "kind")));
	EXPECT_TRUE(NONE(6, CreateSemaphoreA(NULL, 1, 1, "kind")));
	EXPECT_TRUE(NONE(6, mutex_of("kind")));
	EXPECT_TRUE(NONE(6, semaphore_of("kind")));
	EXPECT_TRUE(NONE(6, CreateFileMappingA(BAD, NULL, PAGE_READWRITE, 0,
					       4096, "kind")));
	EXPECT_TRUE(NONE(6, OpenFileMappingA(FILE_MAP_READ, FALSE, "kind")));
	EXPECT_TRUE(CloseHandle(event));
	section = CreateFileMappingA(BAD, NULL, PAGE_READWRITE, 0, 4096,
				     "kind");
	ASSERT_NE(NULL, section);
	EXPECT_TRUE(NONE(6, CreateEventA(NULL, TRUE, TRUE, "kind")));
	EXPECT_TRUE(NONE(6, CreateMutexA(NULL, TRUE, "kind")));
	EXPECT_TRUE(NONE(6, semaphore_of("kind")));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_GONE("kind");
}

/* Rules: WT-15, WT-20 */
TEST(bad_names)
{
	static char longest[1100];
	HANDLE event;

	EXPECT_TRUE(NONE(87, event_of(NULL)));
	EXPECT_TRUE(NONE(87, mutex_of("")));
	EXPECT_TRUE(NONE(87, OpenSemaphoreW(SYNCHRONIZE, FALSE, NULL)));
	EXPECT_TRUE(NONE(ERROR_PATH_NOT_FOUND,
			 CreateEventA(NULL, TRUE, TRUE, "a\\b")));
	EXPECT_TRUE(NONE(ERROR_INVALID_NAME,
			 CreateMutexA(NULL, TRUE, "\xff")));
	EXPECT_TRUE(NONE(ERROR_INVALID_NAME,
			 CreateMutexA(NULL, TRUE, "Global\\")));
	EXPECT_TRUE(NONE(87, CreateSemaphoreA(NULL, 2, 1, "counts")));
	memset(longest, 'n', sizeof(longest) - 1);
	EXPECT_TRUE(NONE(ERROR_FILENAME_EXCED_RANGE,
			 CreateEventA(NULL, TRUE, TRUE, longest)));
	event = CreateEventA(NULL, FALSE, FALSE, "pulse");
	ASSERT_NE(NULL, event);
	EXPECT_FAILS(ERROR_NOT_SUPPORTED, PulseEvent(event));
	EXPECT_TRUE(CloseHandle(event));
}

/* ---- other processes ---- */

/* Waits for "first", or for it and a mutex, and sets "second". */
static int answer(void *all)
{
	HANDLE objects[] = { event_of("first"), mutex_of("mutex") };
	HANDLE second = event_of("second");

	CHECK(objects[0] && objects[1] && second);
	CHECK(WaitForMultipleObjects(2, objects, !!all, LONG_TIME) ==
	      WAIT_OBJECT_0);
	CHECK(SetEvent(second));
	CHECK(!all || ReleaseMutex(objects[1]));
	return 0;
}

/* Rules: WT-17, WT-02, WT-06, WT-07 */
TEST(events_of_two_processes)
{
	HANDLE first = CreateEventA(NULL, FALSE, FALSE, "first");
	HANDLE second = CreateEventA(NULL, FALSE, FALSE, "second");
	HANDLE mutex = CreateMutexA(NULL, TRUE, "mutex");
	struct child child;
	uintptr_t all;

	ASSERT_TRUE(first && second && mutex);
	for (all = 0; all < 2; all++) {
		child = start_child(answer, (void *)all);
		EXPECT_EQ(WAIT_TIMEOUT,
			  WaitForSingleObject(second, SHORT_TIME));
		EXPECT_TRUE(SetEvent(first));
		if (all) {
			/* It has not had the event alone. */
			EXPECT_EQ(WAIT_TIMEOUT,
				  WaitForSingleObject(second, SHORT_TIME));
			EXPECT_TRUE(ReleaseMutex(mutex));
		}
		EXPECT_EQ(WAIT_OBJECT_0,
			  WaitForSingleObject(second, LONG_TIME));
		EXPECT_EQ(0, end_child(&child));
		EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(first, 0));
	}
	EXPECT_TRUE(CloseHandle(first));
	EXPECT_TRUE(CloseHandle(second));
	EXPECT_TRUE(CloseHandle(mutex));
}

static int mutex_is_mine(void *started)
{
	HANDLE first = event_of("first"), mutex = mutex_of("second");
	int i;

	CHECK(first && mutex);
	CHECK(WaitForSingleObject(mutex, LONG_TIME) == WAIT_OBJECT_0);
	CHECK(SetEvent(started));
	for (i = 0; i < 2000; i++) {
		CHECK(WaitForSingleObject(first, 0) == WAIT_OBJECT_0);
		CHECK(SetEvent(first));
	}
	return 0;
}

static long sleeps(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? -1 : usage.ru_nvcsw;
}

/*
 * Who waits for all of some has none of them, even for a moment, nor does he use a
 * processor. Rules: WT-07, WT-17
 */
TEST(all_of_which_one_is_set)
{
	HANDLE objects[] = {
		CreateEventA(NULL, FALSE, TRUE, "first"),
		CreateSemaphoreA(NULL, 0, 1, "count"),
	}, started = CreateEventA(NULL, FALSE, FALSE, "started");
	long before = sleeps();
	struct child child;
	int tries;

	/* A busy machine can have it come to sleep when the time is over. */
	for (tries = 0; tries < 5 && sleeps() == before; tries++)
		EXPECT_EQ(WAIT_TIMEOUT, WaitForMultipleObjects(2, objects, TRUE,
							       SHORT_TIME));
	EXPECT_LT(before, sleeps());
	CloseHandle(objects[1]);
	objects[1] = CreateMutexA(NULL, FALSE, "second");
	child = start_child(mutex_is_mine, started);
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(started, LONG_TIME));
	/* He has died as its owner. */
	EXPECT_EQ(WAIT_ABANDONED_0 + 1,
		  WaitForMultipleObjects(2, objects, TRUE, LONG_TIME));
	EXPECT_EQ(0, end_child(&child));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(objects[0], 0));
	EXPECT_TRUE(ReleaseMutex(objects[1]));
	CloseHandle(objects[0]);
	CloseHandle(objects[1]);
	CloseHandle(started);
}

static DWORD WINAPI set_it(void *event)
{
	Sleep(SHORT_TIME);
	return SetEvent(event);
}

/* With one that is this process' alone, which is set. Rules: WT-06, WT-07, WT-17 */
TEST(beside_others)
{
	HANDLE objects[] = {
		CreateEventA(NULL, TRUE, FALSE, "beside"),
		CreateEventA(NULL, FALSE, FALSE, NULL),
	}, thread;

	thread = CreateThread(NULL, 0, set_it, objects[1], 0, NULL);
	ASSERT_NE(NULL, thread);
	EXPECT_EQ(WAIT_OBJECT_0 + 1,
		  WaitForMultipleObjects(2, objects, FALSE, LONG_TIME));
	WaitForSingleObject(thread, INFINITE);
	CloseHandle(thread);
	EXPECT_TRUE(SetEvent(objects[0]));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForMultipleObjects(2, objects, TRUE, 0));
	thread = CreateThread(NULL, 0, set_it, objects[1], 0, NULL);
	ASSERT_NE(NULL, thread);
	EXPECT_EQ(WAIT_OBJECT_0,
		  WaitForMultipleObjects(2, objects, TRUE, LONG_TIME));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(objects[1], 0));
	WaitForSingleObject(thread, INFINITE);
	CloseHandle(thread);
	EXPECT_EQ(WAIT_OBJECT_0,
		  SignalObjectAndWait(objects[1], objects[0], 0, FALSE));
	CloseHandle(objects[0]);
	CloseHandle(objects[1]);
}

static int take_two(void *unused)
{
	HANDLE semaphore = semaphore_of("count");

	CHECK(semaphore);
	CHECK(WaitForSingleObject(semaphore, LONG_TIME) == WAIT_OBJECT_0);
	CHECK(WaitForSingleObject(semaphore, LONG_TIME) == WAIT_OBJECT_0);
	CHECK(WaitForSingleObject(semaphore, 0) == WAIT_TIMEOUT);
	return 0;
}

/* Rules: WT-05, WT-17 */
TEST(semaphores_of_two_processes)
{
	HANDLE semaphore = CreateSemaphoreA(NULL, 1, 3, "count");
	struct child child;
	LONG before;

	ASSERT_NE(NULL, semaphore);
	EXPECT_FAILS(298, ReleaseSemaphore(semaphore, 3, NULL));
	child = start_child(take_two, NULL);
	Sleep(SHORT_TIME);
	EXPECT_TRUE(ReleaseSemaphore(semaphore, 1, &before));
	EXPECT_EQ(0, end_child(&child));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(semaphore, 0));
	EXPECT_TRUE(ReleaseSemaphore(semaphore, 3, &before));
	EXPECT_EQ(0, before);
	EXPECT_TRUE(CloseHandle(semaphore));
}

/* ---- owners ---- */

static int is_owned(void *unused)
{
	HANDLE mutex = mutex_of("owner");

	CHECK(mutex);
	CHECK(WaitForSingleObject(mutex, 0) == WAIT_TIMEOUT);
	CHECK(FAILS_WITH(288, ReleaseMutex(mutex)));
	CHECK(CloseHandle(mutex));
	return 0;
}

static int is_free(void *unused)
{
	HANDLE mutex = mutex_of("owner");

	CHECK(mutex);
	CHECK(WaitForSingleObject(mutex, LONG_TIME) == WAIT_OBJECT_0);
	CHECK(ReleaseMutex(mutex));
	return 0;
}

/* Also where it is opened twice, and closed. Rules: WT-03, WT-18 */
TEST(mutex_has_one_owner)
{
	HANDLE mutex = CreateMutexA(NULL, TRUE, "owner"), again;

	again = CreateMutexA(NULL, TRUE, "owner");
	ASSERT_TRUE(mutex && again);
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(again, LONG_TIME));
	EXPECT_EQ(0, in_child(is_owned, NULL));
	EXPECT_TRUE(ReleaseMutex(mutex));
	EXPECT_EQ(0, in_child(is_owned, NULL));
	/* Who owns it keeps it, though not its name. */
	EXPECT_TRUE(CloseHandle(mutex));
	EXPECT_TRUE(CloseHandle(again));
	again = mutex_of("owner");
	ASSERT_NE(NULL, again);
	EXPECT_EQ(0, in_child(is_owned, NULL));
	EXPECT_TRUE(ReleaseMutex(again));
	EXPECT_EQ(0, in_child(is_free, NULL));
	EXPECT_FAILS(288, ReleaseMutex(again));
	EXPECT_TRUE(CloseHandle(again));
	EXPECT_GONE("owner");
}

static int own_and_die(void *how)
{
	HANDLE mutex = mutex_of("owner");

	CHECK(mutex);
	CHECK(WaitForSingleObject(mutex, LONG_TIME) == WAIT_OBJECT_0);
	if (how)
		kill(getpid(), SIGKILL);
	_exit(0);
}

static DWORD WINAPI own_and_end(void *mutex)
{
	return WaitForSingleObject(mutex, LONG_TIME);
}

/* Its owner is a descriptor: without one the wait has failed, and has not lasted. Rules: WT-17 */
TEST(mutex_without_descriptors)
{
	HANDLE mutex = CreateMutexA(NULL, FALSE, "scarce"), objects[2];
	struct rlimit limit, few;

	ASSERT_NE(NULL, mutex);
	objects[0] = CreateEventA(NULL, FALSE, FALSE, "scarce event");
	objects[1] = mutex;
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	few = limit;
	few.rlim_cur = 3;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	EXPECT_EQ(WAIT_FAILED, WaitForSingleObject(mutex, INFINITE));
	EXPECT_EQ(ERROR_NO_SYSTEM_RESOURCES, GetLastError());
	EXPECT_EQ(WAIT_FAILED, WaitForMultipleObjects(2, objects, FALSE, 1));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(mutex, INFINITE));
	EXPECT_TRUE(ReleaseMutex(mutex));
	EXPECT_TRUE(CloseHandle(objects[0]));
	EXPECT_TRUE(CloseHandle(mutex));
}

/* Rules: WT-04, WT-19 */
TEST(mutex_is_abandoned)
{
	HANDLE mutex = CreateMutexA(NULL, FALSE, "owner"), thread;
	uintptr_t how;

	ASSERT_NE(NULL, mutex);
	for (how = 0; how < 2; how++) {
		in_child(own_and_die, (void *)how);
		EXPECT_EQ(WAIT_ABANDONED,
			  WaitForSingleObject(mutex, LONG_TIME));
		EXPECT_TRUE(ReleaseMutex(mutex));
		EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(mutex, 0));
		EXPECT_TRUE(ReleaseMutex(mutex));
	}
	thread = CreateThread(NULL, 0, own_and_end, mutex, 0, NULL);
	ASSERT_NE(NULL, thread);
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(thread, LONG_TIME));
	CloseHandle(thread);
	EXPECT_EQ(WAIT_ABANDONED, WaitForSingleObject(mutex, LONG_TIME));
	EXPECT_TRUE(ReleaseMutex(mutex));
	EXPECT_EQ(0, in_child(is_free, NULL));
	EXPECT_TRUE(CloseHandle(mutex));
}

/* While others wait for it. Rules: WT-19 */
TEST(mutex_is_abandoned_meanwhile)
{
	HANDLE mutex = CreateMutexA(NULL, FALSE, "owner");
	int ends[2];
	char byte;
	pid_t pid;

	ASSERT_NE(NULL, mutex);
	ASSERT_EQ(0, pipe(ends));
	pid = fork();
	if (!pid) {
		WaitForSingleObject(mutex, LONG_TIME);
		(void)!write(ends[1], "", 1);
		usleep(1000 * SHORT_TIME);
		kill(getpid(), SIGKILL);
	}
	ASSERT_EQ(1, read(ends[0], &byte, 1));
	EXPECT_EQ(WAIT_ABANDONED, WaitForSingleObject(mutex, LONG_TIME));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_TRUE(ReleaseMutex(mutex));
	EXPECT_TRUE(CloseHandle(mutex));
	EXPECT_GONE("owner");
}

static int own_no_more(void *mutex)
{
	CHECK(FAILS_WITH(288, ReleaseMutex(mutex)));
	CHECK(WaitForSingleObject(mutex, 0) == WAIT_TIMEOUT);
	/* It ends with the parent's handles still there. */
	return 0;
}

/* A child owns nothing of what its parent does, nor keeps it. Rules: WT-21 */
TEST(forked_child_owns_none)
{
	HANDLE mutex = CreateMutexA(NULL, TRUE, "owner");
	int ends[2];
	pid_t pid;

	ASSERT_NE(NULL, mutex);
	EXPECT_EQ(0, in_child(own_no_more, mutex));
	ASSERT_EQ(0, pipe(ends));
	pid = fork();
	if (!pid) {
		close(ends[1]);
		(void)!read(ends[0], ends, 1);
		_exit(0);
	}
	EXPECT_TRUE(ReleaseMutex(mutex));
	EXPECT_EQ(0, in_child(is_free, NULL));
	close(ends[1]);
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_TRUE(CloseHandle(mutex));
	EXPECT_GONE("owner");
}

/* ---- beside a child that has all descriptors ---- */

static struct vforked beside;
static volatile bool sleep_ends_it;

/* In place of the C library's, where the library waits for others */
int nanosleep(const struct timespec *time, struct timespec *left)
{
	int err;

	if (sleep_ends_it) {
		sleep_ends_it = false;
		return end_vforked(&beside) ? 0 : -1;
	}
	err = clock_nanosleep(CLOCK_REALTIME, 0, time, left);
	errno = err ? err : errno;
	return err ? -1 : 0;
}

/* Rules: WT-26. */
TEST(mutex_is_released_beside_a_vfork)
{
	HANDLE mutex = CreateMutexA(NULL, TRUE, "of_vfork");

	ASSERT_NE(NULL, mutex);
	ASSERT_TRUE(start_vforked(&beside));
	EXPECT_TRUE(ReleaseMutex(mutex));
	sleep_ends_it = true;
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(mutex, 0));
	if (sleep_ends_it) {
		sleep_ends_it = false;
		end_vforked(&beside);
	}
	EXPECT_TRUE(ReleaseMutex(mutex));
	EXPECT_TRUE(CloseHandle(mutex));
}

/* ---- threads that are cancelled ---- */

static HANDLE parent, file;

static void own_and_release(void)
{
	HANDLE mutex = CreateMutexA(NULL, TRUE, "owner");

	ReleaseMutex(mutex);
	CloseHandle(mutex);
}

static void ask_process(void)
{
	WaitForSingleObject(parent, 0);
}

static void lock_range(void)
{
	LockFile(file, 0, 0, 1, 0);
	UnlockFile(file, 0, 0, 1, 0);
}

static void load_none(void)
{
	LoadLibraryA("/tmp/there.is.none");
}

/* Not by close(), which would be where the thread ends */
static void close_device(void)
{
	int fd;

	while ((fd = find_fd("/dev/winregion")) >= 0)
		syscall(SYS_close, fd);
}

/* A heap grows under its lock, and the device has to be opened again for that. */
static void grow_heap(void)
{
	int i;

	close_device();
	for (i = 0; i < 100; i++)
		HeapAlloc(GetProcessHeap(), 0, 10000);
}

static void *cancelled(void *call)
{
	pthread_cancel(pthread_self());
	((void (*)(void))call)();
	pthread_testcancel();
	return NULL;
}

static int call_after_others(void *call)
{
	pthread_t thread;
	void *end;

	parent = OpenProcess(SYNCHRONIZE, FALSE, getppid());
	file = open_file("/proc/self/exe", GENERIC_READ, SHARE_ALL,
			 OPEN_EXISTING, 0);
	CHECK(parent && file != BAD);
	alarm(30);
	CHECK(!pthread_create(&thread, NULL, cancelled, call));
	CHECK(!pthread_join(thread, &end));
	CHECK(end == PTHREAD_CANCELED);
	((void (*)(void))call)();
	return 0;
}

/* Who is cancelled in a call leaves no lock behind. Rules: WT-24 */
TEST(cancelled_in_calls)
{
	void (*const calls[])(void) = {
		own_and_release, ask_process, lock_range, load_none, grow_heap,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		EXPECT_EQ(0, in_child(call_after_others, calls[i]));
}

/* ---- users ---- */

#define AS(uid, expression) ({						\
	ASSERT_EQ(0, seteuid(uid));					\
	typeof(expression) __ret = (expression);			\
	ASSERT_EQ(0, seteuid(0));					\
	__ret;								\
})

static HANDLE mutex_for_all(const char *name)
{
	SECURITY_DESCRIPTOR descriptor;
	SECURITY_ATTRIBUTES attributes = {
		.nLength = sizeof(attributes),
		.lpSecurityDescriptor = &descriptor,
	};

	InitializeSecurityDescriptor(&descriptor,
				     SECURITY_DESCRIPTOR_REVISION);
	SetSecurityDescriptorDacl(&descriptor, TRUE, NULL, FALSE);
	return CreateMutexA(&attributes, FALSE, name);
}

/* Bob tells that he has seen it owned. */
static int bob_is_there[2];

static int bob_uses(void *name)
{
	HANDLE mutex;

	CHECK(!setuid(BOB));
	mutex = mutex_of(name);
	CHECK(mutex);
	CHECK(WaitForSingleObject(mutex, 0) == WAIT_TIMEOUT);
	CHECK(write(bob_is_there[1], "", 1) == 1);
	CHECK(WaitForSingleObject(mutex, LONG_TIME) == WAIT_OBJECT_0);
	_exit(0);
}

/* Rules: WT-20 */
TEST(users)
{
	HANDLE alice, bob;
	struct child child;
	char byte;

	if (geteuid())
		SKIP(return, "only root can be other users");
	alice = AS(ALICE, CreateEventA(NULL, TRUE, TRUE, "user"));
	ASSERT_NE(NULL, alice);
	EXPECT_TRUE(AS(BOB, NONE(ERROR_FILE_NOT_FOUND, event_of("user"))));
	bob = AS(BOB, CreateMutexA(NULL, FALSE, "user"));
	EXPECT_NE(NULL, bob);
	CloseHandle(bob);
	CloseHandle(alice);
	/* Of all users, but for nobody else: there can be two of them. */
	alice = AS(ALICE, CreateEventA(NULL, TRUE, TRUE, "Global\\user"));
	ASSERT_NE(NULL, alice);
	EXPECT_TRUE(AS(BOB, NONE(ERROR_FILE_NOT_FOUND,
				 event_of("Global\\user"))));
	CloseHandle(alice);
	alice = AS(ALICE, mutex_for_all("Global\\user"));
	ASSERT_NE(NULL, alice);
	EXPECT_EQ(WAIT_OBJECT_0, AS(ALICE, WaitForSingleObject(alice, 0)));
	ASSERT_EQ(0, pipe(bob_is_there));
	child = start_child(bob_uses, "Global\\user");
	close(bob_is_there[1]);
	ASSERT_EQ(1, read(bob_is_there[0], &byte, 1));
	EXPECT_TRUE(ReleaseMutex(alice));
	EXPECT_EQ(0, end_child(&child));
	EXPECT_EQ(WAIT_ABANDONED,
		  AS(ALICE, WaitForSingleObject(alice, LONG_TIME)));
	EXPECT_TRUE(ReleaseMutex(alice));
	CloseHandle(alice);
}

#define NR_MAKERS 2
#define NR_RACES 100

/* Two that make something of one name at the same time */
static struct {
	atomic_int begins[NR_MAKERS];
	atomic_int ends[NR_MAKERS];
	int both;
} makers;

static HANDLE made[NR_MAKERS];

/* Spins, as who sleeps comes too late. */
static void meet(atomic_int *here, int who, int turn)
{
	here[who] = turn;
	while (here[!who] < turn)
		sched_yield();
}

static void *make_named(void *number)
{
	int who = (uintptr_t)number, i;

	for (i = 1; i <= NR_RACES; i++) {
		meet(makers.begins, who, 2 * i);
		made[who] = who ? CreateEventA(NULL, TRUE, TRUE, "one") :
				  CreateFileMappingA(BAD, NULL, PAGE_READWRITE,
						     0, 4096, "one");
		meet(makers.ends, who, 2 * i);
		makers.both += !who && made[0] && made[1];
		meet(makers.ends, who, 2 * i + 1);
		if (made[who])
			CloseHandle(made[who]);
		meet(makers.begins, who, 2 * i + 1);
	}
	return NULL;
}

/* Rules: WT-16 */
TEST(one_kind_of_two_at_once)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, make_named, (void *)1));
	make_named(NULL);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, makers.both);
	EXPECT_GONE("one");
}

/* What a program that does as it likes gives such a name */
static int make_section(const char *name, uint32_t flags, int file)
{
	struct winregion_create_section arg = {
		.flags = flags,
		.file = file,
		.length = 4096,
		.name_flags = WINREGION_NAME_GLOBAL,
		.others = WINREGION_SECTION_ALL,
	};
	int device = wr_open();
	int fd = sec_create_named_with(device, name, &arg);

	close(device);
	return fd;
}

static int use_it(void *unused)
{
	CHECK(NONE(ERROR_INVALID_HANDLE,
		   CreateEventA(NULL, TRUE, TRUE, "Global\\trap")));
	CHECK(NONE(ERROR_INVALID_HANDLE, mutex_of("Global\\trap")));
	return 0;
}

/* Memory that is not there ends nobody who asks for the name. Rules: WT-23 */
TEST(other_memory)
{
	int file, fd;

	fd = make_section("\\trap", WINREGION_SECTION_RESERVE, -1);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, in_child(use_it, NULL));
	close(fd);
	file = memfd_create("trap", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(file, 4096));
	fd = make_section("\\trap", 0, file);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(file, 0));
	EXPECT_EQ(0, in_child(use_it, NULL));
	close(fd);
	close(file);
	EXPECT_GONE("Global\\trap");
}

struct opening {
	const char *name;
	volatile int state;
	HANDLE event;
};

static void *open_event(void *arg)
{
	struct opening *opening = arg;

	opening->state = 1;
	opening->event = OpenEventA(SYNCHRONIZE, FALSE, opening->name);
	opening->state = 2;
	return NULL;
}

/* Return: whether the thread was in the call before and after a fork */
static bool forks_meanwhile(struct opening *opening)
{
	bool before;
	pid_t pid;

	while (!opening->state)
		sleep_ms(1);
	sleep_ms(100);
	before = opening->state == 1;
	pid = fork();
	if (!pid)
		_exit(0);
	return before && opening->state == 1 && waitpid(pid, NULL, 0) == pid;
}

/*
 * Forks while another thread is in the call, which lasts for some time, but not for ever:
 * this thread may be late.
 */
static int fork_while_it_opens(const char *name)
{
	struct opening opening;
	pthread_t thread;
	int tries;

	for (tries = 0; tries < 5; tries++) {
		alarm(30);
		opening = (struct opening){ .name = name };
		CHECK(!pthread_create(&thread, NULL, open_event, &opening));
		if (forks_meanwhile(&opening))
			_exit(0);
		CHECK(!pthread_join(thread, NULL));
	}
	return __LINE__;
}

static int open_half(void *unused)
{
	return fork_while_it_opens("Global\\half");
}

static int open_locked(void *unused)
{
	return fork_while_it_opens("locked");
}

/* Who waits for others' objects keeps no thread from a fork. Rules: TH-20, WT-23 */
TEST(fork_while_another_thread_opens)
{
	struct winregion_create_section arg = {
		.flags = WINREGION_SECTION_RESERVE,
		.file = -1,
		.length = 4096,
		.name_flags = WINREGION_NAME_NEW,
	};
	int device = wr_open(), fd;

	/* Of which nobody says that it is ready */
	fd = make_section("\\half", 0, -1);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, in_child(open_half, NULL));
	close(fd);
	/* Whose name another process has the lock of */
	fd = sec_create_named_with(device, "L\\locked", &arg);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, in_child(open_locked, NULL));
	close(fd);
	close(device);
}

/* What the library has instead of the kernel's: numbers of objects that are known */
static bool all_ones;

ssize_t getrandom(void *buffer, size_t length, unsigned int flags)
{
	if (!all_ones)
		return syscall(SYS_getrandom, buffer, length, flags);
	memset(buffer, 0x11, length);
	return length;
}

/* The name that the owner of a new mutex has is another program's. Rules: WT-23 */
TEST(other_owner)
{
	struct winregion_create_section arg = {
		.flags = WINREGION_SECTION_RESERVE,
		.file = -1,
		.length = 4096,
	};
	int device = wr_open(), fd;
	HANDLE mutex;

	fd = sec_create_named_with(device, "owner\\1111111111111111", &arg);
	ASSERT_LE(0, fd);
	all_ones = true;
	EXPECT_TRUE(NONE(ERROR_INVALID_HANDLE,
			 CreateMutexA(NULL, TRUE, "taken")));
	EXPECT_GONE("taken");
	close(fd);
	mutex = CreateMutexA(NULL, TRUE, "taken");
	ASSERT_NE(NULL, mutex);
	EXPECT_TRUE(ReleaseMutex(mutex));
	EXPECT_TRUE(CloseHandle(mutex));
	all_ones = false;
	close(device);
}

/* ---- many at once ---- */

struct work {
	volatile uint64_t inside;
	volatile uint64_t wrong;
	volatile uint64_t done;
	volatile uint64_t abandoned;
};

/* What a new one is for: nobody has an old one, or he was killed in his turn. */
static DWORD own(HANDLE mutex, bool is_mine, struct work *work)
{
	DWORD got = is_mine ? WAIT_ABANDONED :
			      WaitForSingleObject(mutex, LONG_TIME);

	if (got != WAIT_ABANDONED)
		return got;
	work->inside = 0;
	if (!is_mine)
		race_add(&work->abandoned, 1);
	return WAIT_OBJECT_0;
}

/* One turn: make or open it, own it, and let it go again */
static void take_turn(struct work *work, bool owned)
{
	HANDLE mutex = CreateMutexA(NULL, owned, "turns");
	bool is_new = GetLastError() != ERROR_ALREADY_EXISTS;

	if (!mutex || own(mutex, owned && is_new, work) || work->inside++)
		race_add(&work->wrong, 1);
	work->done++;
	work->inside--;
	if (!ReleaseMutex(mutex) || !CloseHandle(mutex))
		race_add(&work->wrong, 1);
}

static pid_t start_turns(struct work *work, unsigned int turns, bool owned)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	while (turns--)
		take_turn(work, owned || turns % 3);
	_exit(0);
}

static struct work *new_work(void)
{
	return mmap(NULL, sizeof(struct work), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* Rules: WT-03, WT-18 */
TEST(processes_take_turns)
{
	unsigned int turns = rounds(named_turns), i;
	struct work *work = new_work();
	int status;

	ASSERT_NE(MAP_FAILED, work);
	for (i = 0; i < 3; i++)
		ASSERT_LT(0, start_turns(work, turns, false));
	while (wait(&status) > 0)
		EXPECT_EQ(0, status);
	EXPECT_EQ(0, work->wrong);
	EXPECT_EQ(3 * turns, work->done);
	EXPECT_EQ(0, work->abandoned);
	EXPECT_GONE("turns");
}

/* Some are killed, wherever they are, and leave nothing behind. Rules: WT-19, WT-22 */
TEST(killed_in_any_call)
{
	unsigned int kills = rounds(named_kills), i;
	struct work *work = new_work();
	uint64_t random = 4711;
	pid_t steady, victim;

	ASSERT_NE(MAP_FAILED, work);
	for (i = 0; i < kills; i++) {
		steady = start_turns(work, 20, true);
		victim = start_turns(work, 1000000, true);
		usleep(race_random(&random, 20000));
		kill(victim, SIGKILL);
		EXPECT_EQ(victim, waitpid(victim, NULL, 0));
		/* The others go on. */
		EXPECT_EQ(steady, waitpid(steady, NULL, 0));
	}
	EXPECT_EQ(0, work->wrong);
	EXPECT_GONE("turns");
}

TEST_HARNESS_MAIN
