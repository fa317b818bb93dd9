// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * IsBadReadPtr() and its relatives: what they say may be wrong a moment later
 */
#include <stdint.h>

#include "internal.h"

#define PAGE_MASK ((uintptr_t)0xFFF)

BOOL WINAPI IsBadReadPtr(LPCVOID address, UINT_PTR size)
{
	return !wr_all_readable(address, size);
}

BOOL WINAPI IsBadWritePtr(LPVOID address, UINT_PTR size)
{
	return !wr_all_readable(address, size) ||
	       !wr_all_writable(address, size);
}

BOOL WINAPI IsBadHugeReadPtr(LPCVOID address, UINT_PTR size)
{
	return IsBadReadPtr(address, size);
}

BOOL WINAPI IsBadHugeWritePtr(LPVOID address, UINT_PTR size)
{
	return IsBadWritePtr(address, size);
}

/* Rule BP-07: whether it is code does not matter. */
BOOL WINAPI IsBadCodePtr(FARPROC function)
{
	return !wr_all_readable((const void *)(uintptr_t)function, 1);
}

/* Whether some of the unit is in a page in which nothing before it is */
static BOOL begins_page(uintptr_t at, size_t unit)
{
	return (at & PAGE_MASK) < unit || (at & PAGE_MASK) + unit > PAGE_MASK;
}

/* Up to the end of the text, or of @units; @unit: bytes of each */
static BOOL is_bad_text(const char *text, UINT_PTR units, size_t unit)
{
	uintptr_t at = (uintptr_t)text;
	static const char none[2];

	for (; units; units--, at += unit) {
		if ((at == (uintptr_t)text || begins_page(at, unit)) &&
		    !wr_all_readable((const void *)at, unit))
			return TRUE;
		if (!memcmp((const void *)at, none, unit))
			return FALSE;
	}

	return FALSE;
}

BOOL WINAPI IsBadStringPtrA(LPCSTR text, UINT_PTR size)
{
	return is_bad_text(text, size, sizeof(*text));
}

BOOL WINAPI IsBadStringPtrW(LPCWSTR text, UINT_PTR size)
{
	return is_bad_text((const char *)text, size, sizeof(*text));
}
