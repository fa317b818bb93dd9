// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The environment: that of the C library, whose names have capitals and others
 *
 * Windows knows a variable by its name in any case; here one of just that name comes
 * first.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "file.h"

extern char **environ;

static const char *find(const char *name)
{
	size_t length = strlen(name);
	char *value = getenv(name);
	char **at;

	if (value || !length)
		return value;
	for (at = environ; at && *at; at++)
		if (!strncasecmp(*at, name, length) && (*at)[length] == '=')
			return *at + length + 1;

	return NULL;
}

/* "" has a length that looks like a failure. */
static DWORD give_found(DWORD length)
{
	if (!length)
		SetLastError(ERROR_SUCCESS);

	return length;
}

DWORD WINAPI GetEnvironmentVariableA(LPCSTR name, LPSTR buffer, DWORD size)
{
	const char *value = name ? find(name) : NULL;

	if (!value)
		return wr_fail(ERROR_ENVVAR_NOT_FOUND);

	return give_found(wr_give(value, size, buffer));
}

/* Allocated; NULL: no memory */
static char *to_utf8(const WCHAR *text)
{
	size_t length = wr_wide_length(text);
	char *bytes = wr_utf8_room(length);
	long n = 0;

	if (!bytes)
		return NULL;
	if (length)
		n = wr_to_utf8(text, length, bytes, 3 * length, FALSE);
	bytes[n] = '\0';

	return bytes;
}

DWORD WINAPI GetEnvironmentVariableW(LPCWSTR name, LPWSTR buffer, DWORD size)
{
	const char *value;
	char *bytes;

	WR_KEEP_ERRNO();

	if (!name)
		return wr_fail(ERROR_ENVVAR_NOT_FOUND);
	bytes = to_utf8(name);
	if (!bytes)
		return wr_fail(ERROR_NOT_ENOUGH_MEMORY);
	value = find(bytes);
	free(bytes);
	if (!value)
		return wr_fail(ERROR_ENVVAR_NOT_FOUND);

	return give_found(wr_give_w(value, size, buffer));
}

/* In whatever case it is there already */
static DWORD set(const char *name, const char *value)
{
	const char *known = name ? find(name) : NULL;
	char *own = NULL;
	int failed;

	if (!name || !*name || strchr(name, '='))
		return ERROR_INVALID_PARAMETER;
	if (!value && !known)
		return ERROR_ENVVAR_NOT_FOUND;
	if (known) {
		own = strdup(known - strlen(name) - 1);
		if (!own)
			return ERROR_NOT_ENOUGH_MEMORY;
		own[strlen(name)] = '\0';
		name = own;
	}
	failed = value ? setenv(name, value, 1) : unsetenv(name);
	free(own);

	return failed ? ERROR_NOT_ENOUGH_MEMORY : 0;
}

BOOL WINAPI SetEnvironmentVariableA(LPCSTR name, LPCSTR value)
{
	DWORD error;

	WR_KEEP_ERRNO();

	error = set(name, value);

	return error ? wr_fail(error) : TRUE;
}

BOOL WINAPI SetEnvironmentVariableW(LPCWSTR name, LPCWSTR value)
{
	DWORD error = ERROR_NOT_ENOUGH_MEMORY;
	char *bytes, *of_value;

	WR_KEEP_ERRNO();

	if (!name)
		return wr_fail(ERROR_INVALID_PARAMETER);
	bytes = to_utf8(name);
	of_value = value ? to_utf8(value) : NULL;
	if (bytes && (of_value || !value))
		error = set(bytes, of_value);
	free(bytes);
	free(of_value);

	return error ? wr_fail(error) : TRUE;
}
