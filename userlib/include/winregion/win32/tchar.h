/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Strings that are of char, or with _UNICODE of WCHAR. Of the functions for WCHAR there
 * are those that the library has itself: the C library's are for wchar_t, which is not
 * the same without -fshort-wchar.
 */
#include "../windows.h"

#ifndef _WINREGION_WIN32_TCHAR_H
#define _WINREGION_WIN32_TCHAR_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#ifdef _UNICODE
#if __SIZEOF_WCHAR_T__ != 2 && \
	((defined(__cplusplus) && __cplusplus >= 201103L) || \
	 (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L))
#define __T(quote) u##quote
#else
#define __T(quote) L##quote
#endif
typedef WCHAR _TCHAR, _TSCHAR, _TUCHAR, _TXCHAR;

#define _tcslen(text) ((size_t)lstrlenW(text))
#define _tcscpy lstrcpyW
#define _tcscat lstrcatW
#define _tcscmp lstrcmpW
#else
#define __T(quote) quote
typedef char _TCHAR, _TXCHAR;
typedef signed char _TSCHAR;
typedef unsigned char _TUCHAR;

#define _tmain main
#define _tcslen strlen
#define _tcsnlen strnlen
#define _tcscpy strcpy
#define _tcsncpy strncpy
#define _tcscat strcat
#define _tcsncat strncat
#define _tcscmp strcmp
#define _tcsncmp strncmp
#define _tcsicmp strcasecmp
#define _tcsnicmp strncasecmp
#define _tcschr strchr
#define _tcsrchr strrchr
#define _tcsstr strstr
#define _tcsspn strspn
#define _tcscspn strcspn
#define _tcspbrk strpbrk
#define _tcstok strtok
#define _tcsdup strdup
#define _tcstol strtol
#define _tcstoul strtoul
#define _tcstod strtod
#define _ttoi atoi
#define _ttol atol
#define _tprintf printf
#define _ftprintf fprintf
#define _sntprintf snprintf
#define _stprintf sprintf
#define _vtprintf vprintf
#define _vftprintf vfprintf
#define _vsntprintf vsnprintf
#define _stscanf sscanf
#define _fgetts fgets
#define _fputts fputs
#define _putts puts
#define _tfopen fopen
#define _tremove remove
#define _trename rename
#define _tgetenv getenv
#define _tsystem system
#define _istalpha isalpha
#define _istdigit isdigit
#define _istspace isspace
#define _totlower tolower
#define _totupper toupper
#endif

#define _T(quote) __T(quote)
#define _TEXT(quote) __T(quote)

#endif /* _WINREGION_WIN32_TCHAR_H */
