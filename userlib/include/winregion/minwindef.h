/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - types and words of <minwindef.h>, <basetsd.h> and <winnt.h> that
 * sources expect of <windows.h>
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_MINWINDEF_H
#define _WINREGION_MINWINDEF_H

/* The guards of the originals: headers of others ask for them. */
#ifndef _BASETSD_H_
#define _BASETSD_H_
#endif
#ifndef _MINWINDEF_
#define _MINWINDEF_
#endif
#ifndef _WINDEF_
#define _WINDEF_
#endif
#ifndef _WINNT_
#define _WINNT_
#endif
#ifndef _WINBASE_
#define _WINBASE_
#endif
#ifndef _INC_WINDOWS
#define _INC_WINDOWS
#endif

typedef signed char INT8, *PINT8;
typedef unsigned char UINT8, *PUINT8;
typedef short INT16, *PINT16;
typedef unsigned short UINT16, *PUINT16;
typedef int *PINT32, *PLONG32;
typedef unsigned int *PUINT32, *PDWORD32, *PULONG32;
typedef LONGLONG *PINT64;
typedef ULONGLONG *PUINT64;
typedef float *PFLOAT;
typedef double DOUBLE;
typedef PVOID PVOID64;
typedef const CHAR *LPCCH, *PCCH;
typedef CHAR *LPCH, *PCH, *NPSTR;
typedef BOOLEAN *PBOOLEAN;
typedef BYTE FCHAR;
typedef char CCHAR;
typedef WORD ATOM, LANGID;
typedef DWORD LCID, *PLCID;
typedef LONG HRESULT, SCODE;
typedef UINT_PTR WPARAM;
typedef LONG_PTR LPARAM, LRESULT;
typedef ULONG_PTR KAFFINITY, *PKAFFINITY;
typedef int HALF_PTR, *PHALF_PTR;
typedef unsigned int UHALF_PTR, *PUHALF_PTR;

/* A program, or a library that it has loaded */
typedef struct HINSTANCE__ {
	int unused;
} * HINSTANCE;
typedef HINSTANCE HMODULE;
/* A resource of one */
typedef struct HRSRC__ {
	int unused;
} * HRSRC;
/* Of <windef.h>; there are no windows here. */
typedef struct HWND__ {
	int unused;
} * HWND;

typedef HANDLE HGLOBAL, HLOCAL, GLOBALHANDLE, LOCALHANDLE;

/* Functions of any kind: the caller knows which, and casts. */
#ifdef __cplusplus
typedef INT_PTR(WINAPI *FARPROC)();
typedef INT_PTR(WINAPI *NEARPROC)();
typedef INT_PTR(WINAPI *PROC)();
#else
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
typedef INT_PTR(WINAPI *FARPROC)();
typedef INT_PTR(WINAPI *NEARPROC)();
typedef INT_PTR(WINAPI *PROC)();
#pragma GCC diagnostic pop
#endif

typedef struct _LUID {
	DWORD LowPart;
	LONG HighPart;
} LUID, *PLUID;

_WINREGION_SIZE(LUID, 8);

typedef struct _LIST_ENTRY {
	struct _LIST_ENTRY *Flink;
	struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

_WINREGION_SIZE(LIST_ENTRY, 16);

typedef struct _PROCESSOR_NUMBER {
	WORD Group;
	BYTE Number;
	BYTE Reserved;
} PROCESSOR_NUMBER, *PPROCESSOR_NUMBER;

_WINREGION_SIZE(PROCESSOR_NUMBER, 4);

typedef struct _GROUP_AFFINITY {
	KAFFINITY Mask;
	WORD Group;
	WORD Reserved[3];
} GROUP_AFFINITY, *PGROUP_AFFINITY;

_WINREGION_SIZE(GROUP_AFFINITY, 16);

/* Why a library's entry function, or a callback for threads, is called */
#define DLL_PROCESS_DETACH 0
#define DLL_PROCESS_ATTACH 1
#define DLL_THREAD_ATTACH 2
#define DLL_THREAD_DETACH 3

/* <values.h> has some for the compiler's types. */
#undef MINSHORT
#undef MAXSHORT
#undef MINLONG
#undef MAXLONG
#define MINCHAR 0x80
#define MAXCHAR 0x7F
#define MINSHORT 0x8000
#define MAXSHORT 0x7FFF
#define MINLONG 0x80000000
#define MAXLONG 0x7FFFFFFF
#define MAXBYTE 0xFF
#define MAXWORD 0xFFFF
#define MAXLONGLONG 0x7FFFFFFFFFFFFFFFLL
#define MAXUINT_PTR (~((UINT_PTR)0))
#define MAXULONG_PTR (~((ULONG_PTR)0))
#define MAXSIZE_T (~((SIZE_T)0))

#define MAKEWORD(low, high) \
	((WORD)((BYTE)((DWORD_PTR)(low)&0xFF) | \
		(WORD)(BYTE)((DWORD_PTR)(high)&0xFF) << 8))
#define MAKELONG(low, high) \
	((LONG)((WORD)((DWORD_PTR)(low)&0xFFFF) | \
		(DWORD)(WORD)((DWORD_PTR)(high)&0xFFFF) << 16))
#define LOWORD(number) ((WORD)((DWORD_PTR)(number)&0xFFFF))
#define HIWORD(number) ((WORD)((DWORD_PTR)(number) >> 16 & 0xFFFF))
#define LOBYTE(number) ((BYTE)((DWORD_PTR)(number)&0xFF))
#define HIBYTE(number) ((BYTE)((DWORD_PTR)(number) >> 8 & 0xFF))

#define MAKELANGID(primary, sub) ((WORD)(((WORD)(sub)) << 10 | (WORD)(primary)))
#define PRIMARYLANGID(language) ((WORD)(language)&0x3FF)
#define SUBLANGID(language) ((WORD)(language) >> 10)
#define LANG_NEUTRAL 0x00
#define LANG_ENGLISH 0x09
#define SUBLANG_NEUTRAL 0x00
#define SUBLANG_DEFAULT 0x01
#define SUBLANG_SYS_DEFAULT 0x02
#define SUBLANG_ENGLISH_US 0x01

#ifndef UNREFERENCED_PARAMETER
#define UNREFERENCED_PARAMETER(name) ((void)(name))
#endif
#ifndef DBG_UNREFERENCED_PARAMETER
#define DBG_UNREFERENCED_PARAMETER(name) ((void)(name))
#endif
#ifndef FIELD_OFFSET
#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#endif
#ifndef CONTAINING_RECORD
#define CONTAINING_RECORD(address, type, field) \
	((type *)((PCHAR)(address)-offsetof(type, field)))
#endif
#ifndef RTL_NUMBER_OF
#define RTL_NUMBER_OF(array) (sizeof(array) / sizeof((array)[0]))
#endif
#ifndef ARRAYSIZE
#define ARRAYSIZE(array) RTL_NUMBER_OF(array)
#endif
#ifndef C_ASSERT
#define C_ASSERT(condition) \
	typedef char __C_ASSERT__[(condition) ? 1 : -1] \
		__attribute__((__unused__))
#endif

/* An error of GetLastError() as an HRESULT, and back */
#define S_OK ((HRESULT)0)
#define S_FALSE ((HRESULT)1)
#define E_FAIL ((HRESULT)0x80004005)
#define E_OUTOFMEMORY ((HRESULT)0x8007000E)
#define E_INVALIDARG ((HRESULT)0x80070057)
#define FACILITY_WIN32 7
#define SUCCEEDED(result) ((HRESULT)(result) >= 0)
#define FAILED(result) ((HRESULT)(result) < 0)
#define HRESULT_CODE(result) ((result)&0xFFFF)
#define HRESULT_FROM_WIN32(error) \
	((HRESULT)(error) <= 0 ? (HRESULT)(error) : \
				 (HRESULT)(((error)&0xFFFF) | \
					   FACILITY_WIN32 << 16 | 0x80000000))

#endif /* _WINREGION_MINWINDEF_H */
