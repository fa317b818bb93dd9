// SPDX-License-Identifier: GPL-2.0
/*
 * To be told that memory is short, or that there is enough of it (rules MN)
 */
/* vm: mem=768M timeout=600 */
#include "kselftest_harness.h"

#include <winregion/memoryapi.h>

#include "file_fixture.h"

#define US GetCurrentProcess()
/* As an emulated machine that checks everything needs to fill its memory */
#define LONG_TIME 300000
#define CHUNK MIB(2)
#define MOST_CHUNKS 4096

#define WAIT_FAILS(error, call) \
	EXPECT_FAILS(error, (call) != WAIT_FAILED)

static HANDLE notification(MEMORY_RESOURCE_NOTIFICATION_TYPE type)
{
	return CreateMemoryResourceNotification(type);
}

FIXTURE(notify)
{
	HANDLE low;
	HANDLE high;
	HANDLE event;
};

FIXTURE_SETUP(notify)
{
	self->low = notification(LowMemoryResourceNotification);
	self->high = notification(HighMemoryResourceNotification);
	self->event = CreateEventA(NULL, TRUE, FALSE, NULL);
	ASSERT_TRUE(self->low && self->high && self->event);
}

FIXTURE_TEARDOWN(notify)
{
	EXPECT_TRUE(CloseHandle(self->low));
	EXPECT_TRUE(CloseHandle(self->high));
	EXPECT_TRUE(CloseHandle(self->event));
}

static bool tells(HANDLE handle)
{
	BOOL state = 4711;

	return QueryMemoryResourceNotification(handle, &state) &&
	       state == 1;
}

/* Rules: MN-01, MN-02, MN-05. */
TEST_F(notify, errors)
{
	HANDLE narrow;
	BOOL state = 4711;

	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     CreateMemoryResourceNotification(2));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     CreateMemoryResourceNotification(-1));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     QueryMemoryResourceNotification(NULL, &state));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     QueryMemoryResourceNotification(BAD, &state));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     QueryMemoryResourceNotification(self->event, &state));
	EXPECT_FAILS(ERROR_NOACCESS,
		     QueryMemoryResourceNotification(self->low, NULL));
	EXPECT_FAILS(ERROR_INVALID_HANDLE, SetEvent(self->low));
	EXPECT_EQ(4711, state);

	ASSERT_TRUE(DuplicateHandle(US, self->high, US, &narrow, SYNCHRONIZE,
				    FALSE, 0));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     QueryMemoryResourceNotification(narrow, &state));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(narrow, LONG_TIME));
	EXPECT_TRUE(CloseHandle(narrow));
	ASSERT_TRUE(DuplicateHandle(US, self->high, US, &narrow,
				    MUTANT_QUERY_STATE, FALSE, 0));
	EXPECT_TRUE(QueryMemoryResourceNotification(narrow, &state));
	WAIT_FAILS(ERROR_ACCESS_DENIED, WaitForSingleObject(narrow, 0));
	EXPECT_TRUE(CloseHandle(narrow));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     QueryMemoryResourceNotification(narrow, &state));
}

/* Rules: MN-02, MN-03, MN-04. Also in a child, and for who has no privilege */
static int ask_as_anybody(void *arg)
{
	FIXTURE_DATA(notify) *self = arg;

	CHECK(!setresuid(NOBODY, NOBODY, NOBODY));
	errno = OUR_ERRNO;
	CHECK(tells(self->high));
	CHECK(!tells(self->low));
	CHECK(WaitForSingleObject(self->high, INFINITE) == WAIT_OBJECT_0);
	CHECK(WaitForSingleObject(self->high, 0) == WAIT_OBJECT_0);
	CHECK(WaitForSingleObject(self->low, 0) == WAIT_TIMEOUT);
	CHECK(WaitForSingleObject(self->low, 250) == WAIT_TIMEOUT);
	CHECK(errno == OUR_ERRNO);
	return 0;
}

TEST_F(notify, enough)
{
	ASSERT_EQ(WAIT_OBJECT_0, WaitForSingleObject(self->high, LONG_TIME));
	EXPECT_EQ(0, in_child(ask_as_anybody, self));
	EXPECT_TRUE(tells(self->high));
}

/* What is waited for beside it is told at once, as ever. */
static DWORD WINAPI set_soon(void *event)
{
	Sleep(150);
	return SetEvent(event);
}

/* Rules: MN-04. */
TEST_F(notify, with_others)
{
	HANDLE any[] = { self->low, self->event };
	HANDLE all[] = { self->high, self->event };
	HANDLE thread;

	EXPECT_EQ(WAIT_TIMEOUT, WaitForMultipleObjects(2, all, TRUE, 120));
	EXPECT_EQ(WAIT_OBJECT_0,
		  WaitForMultipleObjects(2, all, FALSE, LONG_TIME));
	thread = CreateThread(NULL, 0, set_soon, self->event, 0, NULL);
	EXPECT_EQ(WAIT_OBJECT_0 + 1,
		  WaitForMultipleObjects(2, any, FALSE, LONG_TIME));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(thread, LONG_TIME));
	EXPECT_TRUE(CloseHandle(thread));
	EXPECT_TRUE(ResetEvent(self->event));
	thread = CreateThread(NULL, 0, set_soon, self->event, 0, NULL);
	EXPECT_EQ(WAIT_OBJECT_0,
		  WaitForMultipleObjects(2, all, TRUE, LONG_TIME));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(thread, LONG_TIME));
	EXPECT_TRUE(CloseHandle(thread));
	EXPECT_TRUE(ResetEvent(self->event));
	EXPECT_EQ(WAIT_OBJECT_0, SignalObjectAndWait(self->event, self->high,
						     LONG_TIME, FALSE));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(self->event, 0));
}

/* ---- memory is short ---- */

struct taken {
	char *chunks[MOST_CHUNKS];
	unsigned int nr;
};

static bool take_one(struct taken *taken)
{
	char *chunk = VirtualAlloc(NULL, CHUNK, MEM_RESERVE | MEM_COMMIT,
				   PAGE_READWRITE);

	if (!chunk)
		return false;
	fill_pages(chunk, CHUNK / 4096, taken->nr);
	taken->chunks[taken->nr++] = chunk;
	return true;
}

static bool give_back(struct taken *taken)
{
	bool all = true;

	while (taken->nr)
		all &= !!VirtualFree(taken->chunks[--taken->nr], 0,
				     MEM_RELEASE);
	return all;
}

static DWORD WINAPI wait_alone(void *arg)
{
	FIXTURE_DATA(notify) *self = arg;

	return WaitForSingleObject(self->low, LONG_TIME);
}

static DWORD WINAPI wait_for_both(void *arg)
{
	FIXTURE_DATA(notify) *self = arg;
	HANDLE both[] = { self->event, self->low };

	return WaitForMultipleObjects(2, both, TRUE, LONG_TIME);
}

static DWORD WINAPI wait_for_either(void *arg)
{
	FIXTURE_DATA(notify) *self = arg;
	HANDLE either[] = { self->event, self->low };

	return WaitForMultipleObjects(2, either, FALSE, LONG_TIME);
}

static DWORD result_of(HANDLE thread)
{
	DWORD code = 4711;

	WaitForSingleObject(thread, LONG_TIME);
	GetExitCodeThread(thread, &code);
	CloseHandle(thread);
	return code;
}

/*
 * Commits are not refused before it is told; and there is a time in which neither is.
 * Rules: MN-03, MN-04.
 */
TEST_F_TIMEOUT(notify, short_of_memory, 240)
{
	static struct taken taken;
	unsigned int neither = 0, both = 0, i;
	HANDLE alone, together, either;
	bool low, high;

	ASSERT_EQ(WAIT_OBJECT_0, WaitForSingleObject(self->high, LONG_TIME));
	alone = CreateThread(NULL, 0, wait_alone, self, 0, NULL);
	together = CreateThread(NULL, 0, wait_for_both, self, 0, NULL);
	either = CreateThread(NULL, 0, wait_for_either, self, 0, NULL);
	ASSERT_TRUE(alone && together && either);
	do {
		if (taken.nr == MOST_CHUNKS || !take_one(&taken))
			break;
		low = tells(self->low);
		high = tells(self->high);
		neither += !low && !high;
		both += low && high;
	} while (!low);
	EXPECT_TRUE(low);
	/* Not just below where it begins: some KiB come and go by themselves. */
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(take_one(&taken));
	EXPECT_LT(0, neither);
	EXPECT_EQ(0, both);
	EXPECT_EQ(WAIT_OBJECT_0, result_of(alone));
	EXPECT_EQ(WAIT_OBJECT_0 + 1, result_of(either));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(together, 0));
	EXPECT_TRUE(SetEvent(self->event));
	EXPECT_EQ(WAIT_OBJECT_0, result_of(together));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(self->low, 0));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(self->high, 0));

	EXPECT_TRUE(give_back(&taken));
	EXPECT_EQ(WAIT_OBJECT_0, WaitForSingleObject(self->high, LONG_TIME));
	EXPECT_EQ(WAIT_TIMEOUT, WaitForSingleObject(self->low, 0));
	EXPECT_TRUE(tells(self->high));
	EXPECT_FALSE(tells(self->low));
}

TEST_HARNESS_MAIN
