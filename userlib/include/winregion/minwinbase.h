/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - structures that calls of several families take
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_MINWINBASE_H
#define _WINREGION_MINWINBASE_H

/* 100 ns since the beginning of 1601 */
typedef struct _FILETIME {
	DWORD dwLowDateTime;
	DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

_WINREGION_SIZE(FILETIME, 8);

typedef struct _SECURITY_ATTRIBUTES {
	DWORD nLength;
	LPVOID lpSecurityDescriptor;
	BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

_WINREGION_SIZE(SECURITY_ATTRIBUTES, 24);
_WINREGION_OFFSET(SECURITY_ATTRIBUTES, bInheritHandle, 16);

/* Where in the file a call works, and how it ended */
typedef struct _OVERLAPPED {
	ULONG_PTR Internal;
	ULONG_PTR InternalHigh;
	__extension__ union {
		__extension__ struct {
			DWORD Offset;
			DWORD OffsetHigh;
		};
		PVOID Pointer;
	};
	HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED;

_WINREGION_SIZE(OVERLAPPED, 32);
_WINREGION_OFFSET(OVERLAPPED, Offset, 16);
_WINREGION_OFFSET(OVERLAPPED, OffsetHigh, 20);
_WINREGION_OFFSET(OVERLAPPED, hEvent, 24);

typedef enum _GET_FILEEX_INFO_LEVELS {
	GetFileExInfoStandard,
	GetFileExMaxInfoLevel
} GET_FILEEX_INFO_LEVELS;

#define LOCKFILE_FAIL_IMMEDIATELY 0x00000001
#define LOCKFILE_EXCLUSIVE_LOCK 0x00000002

#endif /* _WINREGION_MINWINBASE_H */
