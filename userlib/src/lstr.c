// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * lstrlen(), lstrcpy(), lstrcat(), lstrcmp() and their kind
 *
 * Windows compares as the user's language would sort. There is one order here, that
 * of code points, so that a comparison means the same wherever it is made.
 */
#include <stdint.h>
#include <string.h>

#include <winregion/winbase.h>

#include "internal.h"

#define FIRST_SURROGATE 0xD800U
#define AFTER_SURROGATES 0xE000U

/* ---- lengths and copies ---- */

int WINAPI lstrlenA(LPCSTR text)
{
	return text ? strlen(text) : 0;
}

int WINAPI lstrlenW(LPCWSTR text)
{
	return text ? wr_wide_length(text) : 0;
}

LPSTR WINAPI lstrcpyA(LPSTR to, LPCSTR from)
{
	return to && from ? memmove(to, from, strlen(from) + 1) : NULL;
}

LPWSTR WINAPI lstrcpyW(LPWSTR to, LPCWSTR from)
{
	if (!to || !from)
		return NULL;

	return memmove(to, from, (wr_wide_length(from) + 1) * sizeof(*to));
}

/* Up to @size units, of which the last one is zero */
LPSTR WINAPI lstrcpynA(LPSTR to, LPCSTR from, int size)
{
	size_t length;

	if (!to || !from || size <= 0)
		return to && from ? to : NULL;
	length = strnlen(from, size - 1);
	memmove(to, from, length);
	to[length] = '\0';

	return to;
}

LPWSTR WINAPI lstrcpynW(LPWSTR to, LPCWSTR from, int size)
{
	int length = 0;

	if (!to || !from || size <= 0)
		return to && from ? to : NULL;
	while (length < size - 1 && from[length])
		length++;
	memmove(to, from, length * sizeof(*to));
	to[length] = 0;

	return to;
}

LPSTR WINAPI lstrcatA(LPSTR to, LPCSTR from)
{
	if (!to || !from)
		return NULL;
	lstrcpyA(to + strlen(to), from);

	return to;
}

LPWSTR WINAPI lstrcatW(LPWSTR to, LPCWSTR from)
{
	if (!to || !from)
		return NULL;
	lstrcpyW(to + wr_wide_length(to), from);

	return to;
}

/* ---- comparisons ---- */

/* Without a string, which is less than the empty one; 2: there are both */
static int compare_missing(const void *a, const void *b)
{
	return a && b ? 2 : !!a - !!b;
}

static uint32_t lower(uint32_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* UTF-8 is in the order of code points as it is; of UTF-16 surrogates come last. */
static uint32_t rank(uint32_t unit)
{
	if (unit < FIRST_SURROGATE)
		return unit;

	return unit < AFTER_SURROGATES ? unit + 0x2000 : unit - 0x800;
}

static int compare(LPCSTR a, LPCSTR b, uint32_t (*as)(uint32_t))
{
	int missing = compare_missing(a, b);
	uint32_t left, right;

	if (missing != 2)
		return missing;
	do {
		left = as((unsigned char)*a++);
		right = as((unsigned char)*b++);
	} while (left && left == right);

	return (left > right) - (left < right);
}

static int compare_wide(LPCWSTR a, LPCWSTR b, uint32_t (*as)(uint32_t))
{
	int missing = compare_missing(a, b);
	uint32_t left, right;

	if (missing != 2)
		return missing;
	do {
		left = rank(as(*a++));
		right = rank(as(*b++));
	} while (left && left == right);

	return (left > right) - (left < right);
}

static uint32_t itself(uint32_t c)
{
	return c;
}

int WINAPI lstrcmpA(LPCSTR a, LPCSTR b)
{
	return compare(a, b, itself);
}

int WINAPI lstrcmpW(LPCWSTR a, LPCWSTR b)
{
	return compare_wide(a, b, itself);
}

int WINAPI lstrcmpiA(LPCSTR a, LPCSTR b)
{
	return compare(a, b, lower);
}

int WINAPI lstrcmpiW(LPCWSTR a, LPCWSTR b)
{
	return compare_wide(a, b, lower);
}
