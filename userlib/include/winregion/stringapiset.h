/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - UTF-8 and UTF-16
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_STRINGAPISET_H
#define _WINREGION_STRINGAPISET_H

#include "winnt.h"

/* The code pages: all that are known here are UTF-8. */
#define CP_ACP 0
#define CP_OEMCP 1
#define CP_MACCP 2
#define CP_THREAD_ACP 3
#define CP_SYMBOL 42
#define CP_UTF7 65000
#define CP_UTF8 65001

#define MB_PRECOMPOSED 0x00000001
#define MB_COMPOSITE 0x00000002
#define MB_USEGLYPHCHARS 0x00000004
#define MB_ERR_INVALID_CHARS 0x00000008
#define WC_ERR_INVALID_CHARS 0x00000080
#define WC_COMPOSITECHECK 0x00000200
#define WC_NO_BEST_FIT_CHARS 0x00000400

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Rules STRING-01 to 10 */
int WINAPI MultiByteToWideChar(UINT code_page, DWORD flags, LPCSTR from,
			       int from_size, LPWSTR to, int to_size);
int WINAPI WideCharToMultiByte(UINT code_page, DWORD flags, LPCWSTR from,
			       int from_size, LPSTR to, int to_size,
			       LPCSTR default_char, LPBOOL used_default);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_STRINGAPISET_H */
