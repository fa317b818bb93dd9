// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The token of the process: which privileges it has
 *
 * Programs enable one before they ask for large pages. Nothing here needs that: the
 * kernel looks at capabilities and limits each time. So a privilege is had if the
 * kernel would allow now what it is for, and to enable one changes what is told of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <winregion/processthreadsapi.h>
#include <winregion/securitybaseapi.h>
#include <winregion/winbase.h>

#include "process.h"

/* In place of a capability: who has it */
#define NOBODY (-1)
#define EVERYBODY (-2)

#define FIRST_LUID 2

/* By their numbers, from FIRST_LUID on */
static const struct privilege {
	const char *name;
	int capability;
	DWORD at_first;
} privileges[] = {
	{ "SeCreateTokenPrivilege", NOBODY, 0 },
	{ "SeAssignPrimaryTokenPrivilege", NOBODY, 0 },
	{ "SeLockMemoryPrivilege", CAP_IPC_LOCK, 0 },
	{ "SeIncreaseQuotaPrivilege", CAP_SYS_RESOURCE, 0 },
	{ "SeMachineAccountPrivilege", NOBODY, 0 },
	{ "SeTcbPrivilege", NOBODY, 0 },
	{ "SeSecurityPrivilege", CAP_AUDIT_CONTROL, 0 },
	{ "SeTakeOwnershipPrivilege", CAP_CHOWN, 0 },
	{ "SeLoadDriverPrivilege", CAP_SYS_MODULE, 0 },
	{ "SeSystemProfilePrivilege", CAP_SYS_ADMIN, 0 },
	{ "SeSystemtimePrivilege", CAP_SYS_TIME, 0 },
	{ "SeProfileSingleProcessPrivilege", CAP_SYS_PTRACE, 0 },
	{ "SeIncreaseBasePriorityPrivilege", CAP_SYS_NICE, 0 },
	{ "SeCreatePagefilePrivilege", CAP_SYS_ADMIN, 0 },
	{ "SeCreatePermanentPrivilege", NOBODY, 0 },
	{ "SeBackupPrivilege", CAP_DAC_READ_SEARCH, 0 },
	{ "SeRestorePrivilege", CAP_DAC_OVERRIDE, 0 },
	{ "SeShutdownPrivilege", CAP_SYS_BOOT, 0 },
	{ "SeDebugPrivilege", CAP_SYS_PTRACE, 0 },
	{ "SeAuditPrivilege", CAP_AUDIT_WRITE, 0 },
	{ "SeSystemEnvironmentPrivilege", CAP_SYS_ADMIN, 0 },
	{ "SeChangeNotifyPrivilege", EVERYBODY, SE_PRIVILEGE_ENABLED },
	{ "SeRemoteShutdownPrivilege", NOBODY, 0 },
	{ "SeUndockPrivilege", NOBODY, 0 },
	{ "SeSyncAgentPrivilege", NOBODY, 0 },
	{ "SeEnableDelegationPrivilege", NOBODY, 0 },
	{ "SeManageVolumePrivilege", CAP_SYS_ADMIN, 0 },
	{ "SeImpersonatePrivilege", NOBODY, 0 },
	{ "SeCreateGlobalPrivilege", EVERYBODY, SE_PRIVILEGE_ENABLED },
	{ "SeTrustedCredManAccessPrivilege", NOBODY, 0 },
	{ "SeRelabelPrivilege", NOBODY, 0 },
	{ "SeIncreaseWorkingSetPrivilege", EVERYBODY, 0 },
	{ "SeTimeZonePrivilege", CAP_SYS_TIME, 0 },
	{ "SeCreateSymbolicLinkPrivilege", EVERYBODY, 0 },
};

#define NR_PRIVILEGES ARRAY_SIZE(privileges)

/* What the program has done to one: a bit each. The lock is held across a fork(). */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t toggled, removed;

static const struct wr_kind token_kind;

WR_HOLD_ACROSS_FORK(lock, __attribute__((constructor)))

/* ---- which there are ---- */

static bool has_capability(int capability)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &header, data))
		return false;

	return data[CAP_TO_INDEX(capability)].effective &
	       CAP_TO_MASK(capability);
}

/* Large pages can be had by the limit, too. */
static bool may_lock_memory(void)
{
	struct rlimit limit;

	return !getrlimit(RLIMIT_MEMLOCK, &limit) &&
	       limit.rlim_cur >= WINREGION_LARGE_PAGE;
}

/* The lock is held. */
static bool is_held(size_t i)
{
	int capability = privileges[i].capability;

	if (removed >> i & 1 || capability == NOBODY)
		return false;

	return capability == EVERYBODY || has_capability(capability) ||
	       (capability == CAP_IPC_LOCK && may_lock_memory());
}

/* The lock is held. */
static DWORD attributes(size_t i)
{
	DWORD now = privileges[i].at_first;

	if (now)
		now |= SE_PRIVILEGE_ENABLED_BY_DEFAULT;

	return toggled >> i & 1 ? now ^ SE_PRIVILEGE_ENABLED : now;
}

static size_t index_of(const LUID *luid)
{
	if (luid->HighPart || luid->LowPart < FIRST_LUID)
		return NR_PRIVILEGES;

	return luid->LowPart - FIRST_LUID < NR_PRIVILEGES ?
		       luid->LowPart - FIRST_LUID :
		       NR_PRIVILEGES;
}

static LUID_AND_ATTRIBUTES describe(size_t i)
{
	return (LUID_AND_ATTRIBUTES){
		.Luid = { .LowPart = i + FIRST_LUID },
		.Attributes = attributes(i),
	};
}

/* ---- names ---- */

BOOL WINAPI LookupPrivilegeValueA(LPCSTR system, LPCSTR name, PLUID luid)
{
	size_t i;

	if (system && *system)
		return wr_fail(RPC_S_SERVER_UNAVAILABLE);
	if (!name)
		return wr_fail(ERROR_INVALID_PARAMETER);
	if (!wr_writable(luid, sizeof(*luid)))
		return wr_fail(ERROR_NOACCESS);
	for (i = 0; i < NR_PRIVILEGES; i++)
		if (!strcasecmp(name, privileges[i].name)) {
			*luid = (LUID){ .LowPart = i + FIRST_LUID };
			return TRUE;
		}

	return wr_fail(ERROR_NO_SUCH_PRIVILEGE);
}

BOOL WINAPI LookupPrivilegeValueW(LPCWSTR system, LPCWSTR name, PLUID luid)
{
	char text[64];

	if (system && *system)
		return wr_fail(RPC_S_SERVER_UNAVAILABLE);
	if (!name)
		return wr_fail(ERROR_INVALID_PARAMETER);
	if (wr_to_utf8(name, wr_wide_length(name) + 1, text, sizeof(text),
		       FALSE) < 0)
		return wr_fail(ERROR_NO_SUCH_PRIVILEGE);

	return LookupPrivilegeValueA(NULL, text, luid);
}

/* ---- tokens ---- */

static void destroy(struct wr_object *object)
{
	free(object);
}

static const struct wr_kind token_kind = {
	.generic_read = TOKEN_READ,
	.generic_write = TOKEN_WRITE,
	.generic_execute = TOKEN_EXECUTE,
	.generic_all = TOKEN_ALL_ACCESS,
	.destroy = destroy,
};

static NTSTATUS open_token(DWORD access, HANDLE *token)
{
	struct wr_object *object;
	NTSTATUS status;

	if (access & MAXIMUM_ALLOWED)
		access = TOKEN_ALL_ACCESS;
	access = wr_specific_rights(&token_kind, access);
	if (access & ~(DWORD)TOKEN_ALL_ACCESS)
		return STATUS_ACCESS_DENIED;
	object = malloc(sizeof(*object));
	if (!object)
		return STATUS_NO_MEMORY;
	wr_object_init(object, &token_kind, -1);
	status = wr_handle_new(object, access, FALSE, token);
	wr_object_put(object);

	return status;
}

BOOL WINAPI OpenProcessToken(HANDLE process, DWORD access, PHANDLE token)
{
	NTSTATUS status;

	WR_KEEP_ERRNO();

	status = wr_target_own(process, PROCESS_QUERY_LIMITED_INFORMATION);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	if (!wr_writable(token, sizeof(*token)))
		return wr_fail(ERROR_NOACCESS);

	return wr_succeeded(open_token(access, token));
}

/* No thread stands for anybody else. */
BOOL WINAPI OpenThreadToken(HANDLE thread, DWORD access, BOOL as_self,
			    PHANDLE token)
{
	(void)thread;
	(void)access;
	(void)as_self;
	(void)token;

	return wr_fail(ERROR_NO_TOKEN);
}

static NTSTATUS check_token(HANDLE token, DWORD needed)
{
	struct wr_object *object;
	NTSTATUS status;
	DWORD access;

	status = wr_handle_get(token, &token_kind, &object, &access);
	if (status != STATUS_SUCCESS)
		return status;
	wr_object_put(object);

	return (access & needed) == needed ? STATUS_SUCCESS :
					     STATUS_ACCESS_DENIED;
}

/* ---- what is told ---- */

static size_t size_for(size_t n)
{
	return offsetof(TOKEN_PRIVILEGES, Privileges) +
	       n * sizeof(LUID_AND_ATTRIBUTES);
}

/* @list: with room for all of them. Return: the size that it has then */
static DWORD list_all(TOKEN_PRIVILEGES *list)
{
	size_t i;

	list->PrivilegeCount = 0;
	pthread_mutex_lock(&lock);
	for (i = 0; i < NR_PRIVILEGES; i++)
		if (is_held(i))
			list->Privileges[list->PrivilegeCount++] = describe(i);
	pthread_mutex_unlock(&lock);

	return size_for(list->PrivilegeCount);
}

union answer {
	TOKEN_PRIVILEGES privileges;
	TOKEN_ELEVATION elevation;
	TOKEN_ELEVATION_TYPE elevation_type;
	TOKEN_TYPE type;
	char room[offsetof(TOKEN_PRIVILEGES, Privileges) +
		  NR_PRIVILEGES * sizeof(LUID_AND_ATTRIBUTES)];
};

/* Return: its size, or 0 where there is none */
static DWORD answer(TOKEN_INFORMATION_CLASS what, union answer *answer)
{
	switch (what) {
	case TokenPrivileges:
		return list_all(&answer->privileges);
	case TokenElevation:
		answer->elevation.TokenIsElevated =
			has_capability(CAP_SYS_ADMIN);
		return sizeof(answer->elevation);
	case TokenElevationType:
		answer->elevation_type = TokenElevationTypeDefault;
		return sizeof(answer->elevation_type);
	case TokenType:
		answer->type = TokenPrimary;
		return sizeof(answer->type);
	default:
		return 0;
	}
}

BOOL WINAPI GetTokenInformation(HANDLE token, TOKEN_INFORMATION_CLASS what,
				LPVOID buffer, DWORD size, PDWORD needed)
{
	NTSTATUS status = check_token(token, TOKEN_QUERY);
	union answer found = {};
	DWORD length;

	WR_KEEP_ERRNO();

	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	length = answer(what, &found);
	if (!length)
		return wr_fail(what >= TokenUser && what < MaxTokenInfoClass ?
				       ERROR_NOT_SUPPORTED :
				       ERROR_INVALID_PARAMETER);
	if (!wr_writable(needed, sizeof(*needed)))
		return wr_fail(ERROR_NOACCESS);
	*needed = length;
	if (size < length)
		return wr_fail(ERROR_INSUFFICIENT_BUFFER);
	if (!wr_writable(buffer, length))
		return wr_fail(ERROR_NOACCESS);
	memcpy(buffer, &found, length);

	return TRUE;
}

/* ---- what is changed ---- */

/*
 * What is to be of each. The program's list is read once, and without the lock: it may
 * change meanwhile, or go.
 */
struct changes {
	/* All that is enabled is not to be. */
	bool none;
	/* There are others in the list. */
	bool unknown;
	/* A bit for each in the list, and what the last one of it says */
	uint64_t named;
	DWORD attributes[NR_PRIVILEGES];
};

/* Return: whether there are as many as it says */
static bool read_list(const TOKEN_PRIVILEGES *list, struct changes *changes)
{
	const size_t most =
		(SIZE_MAX - size_for(0)) / sizeof(*list->Privileges);
	DWORD n, j;
	size_t i;

	if (!wr_all_readable(list, size_for(0)))
		return false;
	n = list->PrivilegeCount;
	if (n > most || !wr_all_readable(list, size_for(n)))
		return false;
	for (j = 0; j < n; j++) {
		i = index_of(&list->Privileges[j].Luid);
		if (i == NR_PRIVILEGES) {
			changes->unknown = true;
			continue;
		}
		changes->named |= 1ULL << i;
		changes->attributes[i] = list->Privileges[j].Attributes;
	}

	return true;
}

/* What one is to be: how it is now, if nothing is said of it. The lock is held. */
static DWORD wanted_of(size_t i, const struct changes *changes)
{
	const DWORD known = SE_PRIVILEGE_ENABLED | SE_PRIVILEGE_REMOVED;
	DWORD now = attributes(i);

	if (changes->none)
		return now & ~(DWORD)SE_PRIVILEGE_ENABLED;
	if (!(changes->named >> i & 1))
		return now;

	return (now & SE_PRIVILEGE_ENABLED_BY_DEFAULT) |
	       (changes->attributes[i] & known);
}

static void change(size_t i, DWORD wanted)
{
	if (wanted & SE_PRIVILEGE_REMOVED)
		removed |= 1ULL << i;
	if ((wanted ^ attributes(i)) & SE_PRIVILEGE_ENABLED)
		toggled ^= 1ULL << i;
}

/* Those that would change, as they are. The lock is held. */
static DWORD list_changes(const struct changes *changes, TOKEN_PRIVILEGES *list)
{
	size_t i;

	list->PrivilegeCount = 0;
	for (i = 0; i < NR_PRIVILEGES; i++)
		if (is_held(i) && wanted_of(i, changes) != attributes(i))
			list->Privileges[list->PrivilegeCount++] = describe(i);

	return size_for(list->PrivilegeCount);
}

/* Whether each of them is held. The lock is held. */
static bool all_held(const struct changes *changes)
{
	size_t i;

	for (i = 0; i < NR_PRIVILEGES; i++)
		if (changes->named >> i & 1 && !is_held(i))
			return false;

	return !changes->unknown;
}

/* Where what was before is to be told: NULL, nowhere */
struct place {
	TOKEN_PRIVILEGES *before;
	DWORD size;
	PDWORD needed;
};

static DWORD check_place(const struct place *place, DWORD length)
{
	if (!place->before)
		return ERROR_SUCCESS;
	if (place->size < length)
		return ERROR_INSUFFICIENT_BUFFER;

	return wr_writable(place->before, length) ? ERROR_SUCCESS :
						    ERROR_NOACCESS;
}

/* The lock is held. */
static void change_all(const struct changes *changes,
		       const TOKEN_PRIVILEGES *before)
{
	size_t which;
	DWORD i;

	for (i = 0; i < before->PrivilegeCount; i++) {
		which = index_of(&before->Privileges[i].Luid);
		change(which, wanted_of(which, changes));
	}
}

static DWORD adjust(const struct changes *changes, const struct place *place)
{
	union answer before;
	DWORD length, error;
	bool all;

	pthread_mutex_lock(&lock);
	all = changes->none || all_held(changes);
	length = list_changes(changes, &before.privileges);
	error = check_place(place, length);
	if (!error)
		change_all(changes, &before.privileges);
	pthread_mutex_unlock(&lock);
	if (place->before)
		*place->needed = length;
	if (error)
		return error;
	if (place->before)
		memcpy(place->before, &before, length);

	return all ? ERROR_SUCCESS : ERROR_NOT_ALL_ASSIGNED;
}

BOOL WINAPI AdjustTokenPrivileges(HANDLE token, BOOL none,
				  PTOKEN_PRIVILEGES changes, DWORD size,
				  PTOKEN_PRIVILEGES before, PDWORD needed)
{
	const struct place place = { before, size, needed };
	DWORD rights = TOKEN_ADJUST_PRIVILEGES | (before ? TOKEN_QUERY : 0);
	NTSTATUS status = check_token(token, rights);
	struct changes wanted = { .none = none };
	DWORD error;

	WR_KEEP_ERRNO();

	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	if (!none && !changes)
		return wr_fail(ERROR_INVALID_PARAMETER);
	if ((!none && !read_list(changes, &wanted)) ||
	    (before && !wr_writable(needed, sizeof(*needed))))
		return wr_fail(ERROR_NOACCESS);
	error = adjust(&wanted, &place);
	SetLastError(error);

	return error == ERROR_SUCCESS || error == ERROR_NOT_ALL_ASSIGNED;
}
