// SPDX-License-Identifier: GPL-2.0
/*
 * Privileges of the process, as programs enable them before they ask for large pages
 */
#include "kselftest_harness.h"

#include <linux/capability.h>
#include <sys/resource.h>

#include <winregion/processthreadsapi.h>
#include <winregion/securitybaseapi.h>
#include <winregion/winbase.h>

#include "file_fixture.h"

#define US GetCurrentProcess()
#define BOTH (TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY)
#define MANY 40

/* With room for all of them */
union list {
	TOKEN_PRIVILEGES head;
	char room[sizeof(TOKEN_PRIVILEGES) +
		  MANY * sizeof(LUID_AND_ATTRIBUTES)];
};

static HANDLE open_token(DWORD access)
{
	HANDLE token = NULL;

	return OpenProcessToken(US, access, &token) ? token : NULL;
}

static TOKEN_PRIVILEGES one(const char *name, DWORD attributes)
{
	TOKEN_PRIVILEGES list = {
		.PrivilegeCount = 1,
		.Privileges[0].Attributes = attributes,
	};

	if (!LookupPrivilegeValueA(NULL, name, &list.Privileges[0].Luid))
		abort();
	return list;
}

/* The last error, or -1 if the call has failed */
static int set(HANDLE token, const char *name, DWORD attributes)
{
	TOKEN_PRIVILEGES list = one(name, attributes);

	SetLastError(77);
	return AdjustTokenPrivileges(token, FALSE, &list, sizeof(list), NULL,
				     NULL) ?
		       (int)GetLastError() :
		       -1;
}

/* What is told of a privilege, or -1 if the token does not have it */
static int told(HANDLE token, const char *name)
{
	TOKEN_PRIVILEGES wanted = one(name, 0);
	union list list;
	DWORD size, i;

	if (!GetTokenInformation(token, TokenPrivileges, &list, sizeof(list),
				 &size))
		abort();
	for (i = 0; i < list.head.PrivilegeCount; i++)
		if (list.head.Privileges[i].Luid.LowPart ==
		    wanted.Privileges[0].Luid.LowPart)
			return list.head.Privileges[i].Attributes;
	return -1;
}

TEST(numbers)
{
	static const struct {
		const char *name;
		DWORD number;
	} some[] = {
		{ "SeCreateTokenPrivilege", 2 },
		{ SE_LOCK_MEMORY_NAME, 4 },
		{ "sedebugprivilege", 20 },
		{ SE_CHANGE_NOTIFY_NAME, 23 },
		{ SE_MANAGE_VOLUME_NAME, 28 },
		{ SE_INC_WORKING_SET_NAME, 33 },
		{ SE_CREATE_SYMBOLIC_LINK_NAME, 35 },
	};
	LUID luid = { 1, 1 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(some); i++) {
		ASSERT_TRUE(LookupPrivilegeValueA("", some[i].name, &luid));
		EXPECT_EQ(some[i].number, luid.LowPart);
		EXPECT_EQ(0, luid.HighPart);
	}
	ASSERT_TRUE(LookupPrivilegeValueW(NULL, W("SeLockMemoryPrivilege"),
					  &luid));
	EXPECT_EQ(4, luid.LowPart);
	EXPECT_FAILS(ERROR_NO_SUCH_PRIVILEGE,
		     LookupPrivilegeValueA(NULL, "SeNoPrivilege", &luid));
	EXPECT_FAILS(ERROR_NO_SUCH_PRIVILEGE,
		     LookupPrivilegeValueW(NULL, W(""), &luid));
	EXPECT_FAILS(RPC_S_SERVER_UNAVAILABLE,
		     LookupPrivilegeValueA("elsewhere", SE_DEBUG_NAME, &luid));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     LookupPrivilegeValueA(NULL, NULL, &luid));
	EXPECT_FAILS(ERROR_NOACCESS,
		     LookupPrivilegeValueA(NULL, SE_DEBUG_NAME, NULL));
	EXPECT_EQ(4, luid.LowPart);
}

/* As sources do it that want large pages */
TEST(enable)
{
	HANDLE token = open_token(BOTH);

	ASSERT_NE(NULL, token);
	errno = 12345;
	EXPECT_EQ(0, told(token, SE_LOCK_MEMORY_NAME));
	EXPECT_EQ(ERROR_SUCCESS, set(token, SE_LOCK_MEMORY_NAME,
				     SE_PRIVILEGE_ENABLED));
	EXPECT_EQ(12345, errno);
	EXPECT_EQ(SE_PRIVILEGE_ENABLED, told(token, SE_LOCK_MEMORY_NAME));
	EXPECT_EQ(ERROR_SUCCESS, set(token, SE_LOCK_MEMORY_NAME, 0));
	EXPECT_EQ(0, told(token, SE_LOCK_MEMORY_NAME));
	EXPECT_EQ(3, told(token, SE_CHANGE_NOTIFY_NAME));
	EXPECT_EQ(-1, told(token, SE_TCB_NAME));
	EXPECT_EQ(ERROR_NOT_ALL_ASSIGNED,
		  set(token, SE_TCB_NAME, SE_PRIVILEGE_ENABLED));
	EXPECT_TRUE(CloseHandle(token));
}

/* What it was, and all at once */
TEST(before)
{
	HANDLE token = open_token(TOKEN_ALL_ACCESS);
	TOKEN_PRIVILEGES list = one(SE_LOCK_MEMORY_NAME, SE_PRIVILEGE_ENABLED);
	union list before;
	DWORD size = 0;

	ASSERT_NE(NULL, token);
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER,
		     AdjustTokenPrivileges(token, FALSE, &list, size,
					   &before.head, &size));
	EXPECT_EQ(sizeof(list), size);
	EXPECT_EQ(0, told(token, SE_LOCK_MEMORY_NAME));
	ASSERT_TRUE(AdjustTokenPrivileges(token, FALSE, &list, sizeof(before),
					  &before.head, &size));
	EXPECT_EQ(sizeof(list), size);
	EXPECT_EQ(1, before.head.PrivilegeCount);
	EXPECT_EQ(4, before.head.Privileges[0].Luid.LowPart);
	EXPECT_EQ(0, before.head.Privileges[0].Attributes);
	/* What was before in the place of the changes */
	list.Privileges[0].Attributes = 0;
	memcpy(&before.head, &list, sizeof(list));
	ASSERT_TRUE(AdjustTokenPrivileges(token, FALSE, &before.head,
					  sizeof(before), &before.head, &size));
	EXPECT_EQ(SE_PRIVILEGE_ENABLED, before.head.Privileges[0].Attributes);
	EXPECT_EQ(0, told(token, SE_LOCK_MEMORY_NAME));
	list.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
	ASSERT_TRUE(AdjustTokenPrivileges(token, FALSE, &list, 0, NULL, NULL));
	/* Nothing changes. */
	ASSERT_TRUE(AdjustTokenPrivileges(token, FALSE, &list, sizeof(before),
					  &before.head, &size));
	EXPECT_EQ(0, before.head.PrivilegeCount);
	ASSERT_TRUE(AdjustTokenPrivileges(token, TRUE, NULL, sizeof(before),
					  &before.head, &size));
	EXPECT_EQ(3, before.head.PrivilegeCount);
	EXPECT_EQ(0, told(token, SE_LOCK_MEMORY_NAME));
	EXPECT_EQ(1, told(token, SE_CHANGE_NOTIFY_NAME));
	EXPECT_TRUE(AdjustTokenPrivileges(token, FALSE, &before.head, 0, NULL,
					  NULL));
	EXPECT_EQ(ERROR_SUCCESS, GetLastError());
	EXPECT_EQ(2, told(token, SE_LOCK_MEMORY_NAME));
	EXPECT_EQ(3, told(token, SE_CHANGE_NOTIFY_NAME));
	/* For ever */
	EXPECT_EQ(ERROR_SUCCESS, set(token, SE_INC_WORKING_SET_NAME,
				     SE_PRIVILEGE_REMOVED));
	EXPECT_EQ(-1, told(token, SE_INC_WORKING_SET_NAME));
	EXPECT_EQ(ERROR_NOT_ALL_ASSIGNED,
		  set(token, SE_INC_WORKING_SET_NAME, SE_PRIVILEGE_ENABLED));
	EXPECT_TRUE(CloseHandle(token));
}

static int with_limit(void *arg)
{
	HANDLE token = open_token(BOTH);
	TOKEN_ELEVATION elevation;
	DWORD size;

	CHECK(GetTokenInformation(token, TokenElevation, &elevation,
				  sizeof(elevation), &size));
	CHECK(elevation.TokenIsElevated);
	CHECK(told(token, SE_DEBUG_NAME) == 0);
	CHECK(become_nobody(MIB(2)));
	CHECK(told(token, SE_DEBUG_NAME) == -1);
	CHECK(set(token, SE_LOCK_MEMORY_NAME, SE_PRIVILEGE_ENABLED) == 0);
	CHECK(GetTokenInformation(token, TokenElevation, &elevation,
				  sizeof(elevation), &size));
	CHECK(!elevation.TokenIsElevated);
	return 0;
}

static int without_limit(void *arg)
{
	HANDLE token = open_token(BOTH);

	CHECK(become_nobody(MIB(2) - 4096));
	CHECK(set(token, SE_LOCK_MEMORY_NAME, SE_PRIVILEGE_ENABLED) ==
	      ERROR_NOT_ALL_ASSIGNED);
	CHECK(told(token, SE_LOCK_MEMORY_NAME) == -1);
	CHECK(told(token, SE_CHANGE_NOTIFY_NAME) == 3);
	return 0;
}

/* It is the kernel that decides who may, and they agree: large_test limit. */
TEST(who_has_which)
{
	EXPECT_EQ(0, in_child(with_limit, NULL));
	EXPECT_EQ(0, in_child(without_limit, NULL));
}

TEST(rights)
{
	HANDLE token = NULL, none = open_token(0);
	TOKEN_PRIVILEGES list = one(SE_LOCK_MEMORY_NAME, 0);
	TOKEN_TYPE type;
	union list all;
	DWORD size;

	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     OpenProcessToken((HANDLE)0x1234, TOKEN_QUERY, &token));
	EXPECT_FAILS(ERROR_NOACCESS, OpenProcessToken(US, TOKEN_QUERY, NULL));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     OpenProcessToken(US, 0x00800000, &token));
	EXPECT_FAILS(ERROR_NO_TOKEN, OpenThreadToken(GetCurrentThread(),
						     TOKEN_QUERY, TRUE,
						     &token));
	EXPECT_EQ(NULL, token);
	ASSERT_NE(NULL, none);
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     GetTokenInformation(none, TokenPrivileges, &all,
					 sizeof(all), &size));
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     AdjustTokenPrivileges(none, FALSE, &list, 0, NULL,
					   NULL));
	EXPECT_TRUE(CloseHandle(none));
	EXPECT_FAILS(ERROR_INVALID_HANDLE,
		     AdjustTokenPrivileges(none, FALSE, &list, 0, NULL,
					   NULL));

	token = open_token(TOKEN_ADJUST_PRIVILEGES);
	EXPECT_FAILS(ERROR_ACCESS_DENIED,
		     AdjustTokenPrivileges(token, FALSE, &list, sizeof(all),
					   &all.head, &size));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     AdjustTokenPrivileges(token, FALSE, NULL, 0, NULL,
					   NULL));
	EXPECT_FAILS(ERROR_NOACCESS,
		     AdjustTokenPrivileges(token, FALSE, (void *)8, 0, NULL,
					   NULL));
	EXPECT_TRUE(CloseHandle(token));

	token = open_token(MAXIMUM_ALLOWED);
	EXPECT_FAILS(ERROR_NOACCESS,
		     AdjustTokenPrivileges(token, FALSE, &list, sizeof(all),
					   &all.head, NULL));
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER,
		     GetTokenInformation(token, TokenType, &type, 3, &size));
	EXPECT_EQ(4, size);
	ASSERT_TRUE(GetTokenInformation(token, TokenType, &type, 4, &size));
	EXPECT_EQ(TokenPrimary, type);
	EXPECT_FAILS(ERROR_NOACCESS,
		     GetTokenInformation(token, TokenType, NULL, 4, &size));
	EXPECT_FAILS(ERROR_NOT_SUPPORTED,
		     GetTokenInformation(token, TokenUser, &all, sizeof(all),
					 &size));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     GetTokenInformation(token, MaxTokenInfoClass, &all,
					 sizeof(all), &size));
	EXPECT_TRUE(CloseHandle(token));
}

TEST_HARNESS_MAIN
