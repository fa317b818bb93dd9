// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * UTF-8 and UTF-16
 *
 * As Unicode defines them: no overlong forms, no surrogates in UTF-8, none alone
 * in UTF-16. Of bytes that begin a character and do not go on with it, as many
 * as could have been one become a single U+FFFD.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define REPLACEMENT 0xFFFDU
/* No code point */
#define BAD UINT32_MAX

#define FIRST_SURROGATE 0xD800U
#define FIRST_LOW_SURROGATE 0xDC00U
#define AFTER_SURROGATES 0xE000U
#define FIRST_BEYOND_16_BITS 0x10000U

/*
 * What the first byte of a character says: the bytes that follow, the bits of
 * its own, and the range of the second byte. Return: whether it can be one.
 */
static BOOL read_first_byte(unsigned char first, int *more, uint32_t *bits,
			    unsigned char *low, unsigned char *high)
{
	*low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
	*high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
	*more = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
	*bits = first & (0x3F >> *more);

	return first >= 0xC2 && first <= 0xF4;
}

/* The character at *at, which moves behind it; or BAD */
static uint32_t next_of_utf8(const char **at, const char *end)
{
	unsigned char byte = *(*at)++, low, high;
	uint32_t c;
	int more;

	if (byte < 0x80)
		return byte;
	if (!read_first_byte(byte, &more, &c, &low, &high))
		return BAD;

	while (more--) {
		byte = *at < end ? **at : 0;
		if (byte < low || byte > high)
			return BAD;
		c = c << 6 | (byte & 0x3F);
		low = 0x80;
		high = 0xBF;
		(*at)++;
	}

	return c;
}

static uint32_t next_of_wide(const WCHAR **at, const WCHAR *end)
{
	uint32_t c = *(*at)++;

	if (c < FIRST_SURROGATE || c >= AFTER_SURROGATES)
		return c;
	if (c >= FIRST_LOW_SURROGATE || *at == end ||
	    **at < FIRST_LOW_SURROGATE || **at >= AFTER_SURROGATES)
		return BAD;

	return FIRST_BEYOND_16_BITS + ((c - FIRST_SURROGATE) << 10) +
	       (*(*at)++ - FIRST_LOW_SURROGATE);
}

/* Return: how many units they are */
static int put_wide(uint32_t c, WCHAR units[2])
{
	if (c < FIRST_BEYOND_16_BITS) {
		units[0] = c;
		return 1;
	}

	c -= FIRST_BEYOND_16_BITS;
	units[0] = FIRST_SURROGATE + (c >> 10);
	units[1] = FIRST_LOW_SURROGATE + (c & 0x3FF);

	return 2;
}

static int put_utf8(uint32_t c, char bytes[4])
{
	int i, more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

	for (i = more; i > 0; i--) {
		bytes[i] = 0x80 | (c & 0x3F);
		c >>= 6;
	}
	/* As many ones as there are bytes */
	bytes[0] = more ? c | (0xF0 << (3 - more) & 0xFF) : c;

	return more + 1;
}

long wr_to_wide(const char *from, size_t size, WCHAR *to, size_t room,
		BOOL strict)
{
	const char *end = from + size;
	size_t done = 0;
	WCHAR units[2];
	uint32_t c;
	int n;

	while (from < end) {
		c = next_of_utf8(&from, end);
		if (c == BAD && strict)
			return WR_INVALID;
		n = put_wide(c == BAD ? REPLACEMENT : c, units);
		if (room && done + n > room)
			return WR_NO_ROOM;
		if (room)
			memcpy(to + done, units, n * sizeof(*units));
		done += n;
	}

	return done;
}

long wr_to_utf8(const WCHAR *from, size_t size, char *to, size_t room,
		BOOL strict)
{
	const WCHAR *end = from + size;
	size_t done = 0;
	char bytes[4];
	uint32_t c;
	int n;

	while (from < end) {
		c = next_of_wide(&from, end);
		if (c == BAD && strict)
			return WR_INVALID;
		n = put_utf8(c == BAD ? REPLACEMENT : c, bytes);
		if (room && done + n > room)
			return WR_NO_ROOM;
		if (room)
			memcpy(to + done, bytes, n);
		done += n;
	}

	return done;
}

char *wr_utf8_room(size_t units)
{
	return reallocarray(NULL, units + 1, 3);
}

size_t wr_wide_length(const WCHAR *text)
{
	size_t length = 0;

	while (text[length])
		length++;

	return length;
}

/* They have the same value everywhere here: no locale is asked. */
static BOOL is_utf8(UINT code_page)
{
	return code_page == CP_UTF8 || code_page == CP_ACP ||
	       code_page == CP_OEMCP || code_page == CP_THREAD_ACP;
}

/* What both directions refuse: 0 or the error */
static DWORD check_buffers(UINT code_page, const void *from, int from_size,
			   const void *to, int to_size)
{
	if (!is_utf8(code_page) || !from || !from_size || to_size < 0 ||
	    (to_size && !to) || from == to)
		return ERROR_INVALID_PARAMETER;

	return ERROR_SUCCESS;
}

static int finish(long units)
{
	if (units == WR_NO_ROOM)
		return wr_fail(ERROR_INSUFFICIENT_BUFFER);
	if (units == WR_INVALID)
		return wr_fail(ERROR_NO_UNICODE_TRANSLATION);
	if (units > INT_MAX)
		return wr_fail(ERROR_INVALID_PARAMETER);

	return units;
}

int WINAPI MultiByteToWideChar(UINT code_page, DWORD flags, LPCSTR from,
			       int from_size, LPWSTR to, int to_size)
{
	DWORD error = check_buffers(code_page, from, from_size, to, to_size);
	size_t size;

	if (error)
		return wr_fail(error);
	if (flags & ~MB_ERR_INVALID_CHARS)
		return wr_fail(ERROR_INVALID_FLAGS);

	size = from_size < 0 ? strlen(from) + 1 : (size_t)from_size;

	return finish(wr_to_wide(from, size, to, to_size,
				 !!(flags & MB_ERR_INVALID_CHARS)));
}

int WINAPI WideCharToMultiByte(UINT code_page, DWORD flags, LPCWSTR from,
			       int from_size, LPSTR to, int to_size,
			       LPCSTR default_char, LPBOOL used_default)
{
	DWORD error = check_buffers(code_page, from, from_size, to, to_size);
	size_t size;

	if (error)
		return wr_fail(error);
	if (flags & ~WC_ERR_INVALID_CHARS)
		return wr_fail(ERROR_INVALID_FLAGS);
	if (default_char || used_default)
		return wr_fail(ERROR_INVALID_PARAMETER);

	size = from_size < 0 ? wr_wide_length(from) + 1 : (size_t)from_size;

	return finish(wr_to_utf8(from, size, to, to_size,
				 !!(flags & WC_ERR_INVALID_CHARS)));
}
