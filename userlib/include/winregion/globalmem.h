/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion-heap - blocks of the process' heap that are fixed, or move and have
 * handles; link with -lwinregion-heap. LocalAlloc() and LocalFree() are in <winbase.h>.
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_GLOBALMEM_H
#define _WINREGION_GLOBALMEM_H

#include "minwindef.h"

#define GMEM_FIXED 0x0000
#define GMEM_MOVEABLE 0x0002
#define GMEM_NOCOMPACT 0x0010
#define GMEM_NODISCARD 0x0020
#define GMEM_ZEROINIT 0x0040
#define GMEM_MODIFY 0x0080
#define GMEM_DISCARDABLE 0x0100
#define GMEM_NOT_BANKED 0x1000
#define GMEM_LOWER GMEM_NOT_BANKED
#define GMEM_SHARE 0x2000
#define GMEM_DDESHARE 0x2000
#define GMEM_NOTIFY 0x4000
#define GMEM_INVALID_HANDLE 0x8000
#define GMEM_VALID_FLAGS 0x7F72

#define GHND (GMEM_MOVEABLE | GMEM_ZEROINIT)
#define GPTR (GMEM_FIXED | GMEM_ZEROINIT)

/* What GlobalFlags() says besides */
#define GMEM_DISCARDED 0x4000
#define GMEM_LOCKCOUNT 0x00FF

#define LMEM_FIXED 0x0000
#define LMEM_MOVEABLE 0x0002
#define LMEM_NOCOMPACT 0x0010
#define LMEM_NODISCARD 0x0020
#define LMEM_ZEROINIT 0x0040
#define LMEM_MODIFY 0x0080
#define LMEM_DISCARDABLE 0x0F00
#define LMEM_INVALID_HANDLE 0x8000
#define LMEM_VALID_FLAGS 0x0F72

#define LHND (LMEM_MOVEABLE | LMEM_ZEROINIT)
#define LPTR (LMEM_FIXED | LMEM_ZEROINIT)
#define NONZEROLHND LMEM_MOVEABLE
#define NONZEROLPTR LMEM_FIXED

#define LMEM_DISCARDED 0x4000
#define LMEM_LOCKCOUNT 0x00FF

#define GlobalDiscard(memory) GlobalReAlloc((memory), 0, GMEM_MOVEABLE)
#define LocalDiscard(memory) LocalReAlloc((memory), 0, LMEM_MOVEABLE)
#define GlobalLRUNewest(memory) ((HANDLE)(memory))
#define GlobalLRUOldest(memory) ((HANDLE)(memory))

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Rules GA-01 to GA-16. What is freed is NULL; what is not is handed back. */
HGLOBAL WINAPI GlobalAlloc(UINT flags, SIZE_T size);
HGLOBAL WINAPI GlobalReAlloc(HGLOBAL memory, SIZE_T size, UINT flags);
HGLOBAL WINAPI GlobalFree(HGLOBAL memory);
LPVOID WINAPI GlobalLock(HGLOBAL memory);
BOOL WINAPI GlobalUnlock(HGLOBAL memory);
HGLOBAL WINAPI GlobalHandle(LPCVOID address);
SIZE_T WINAPI GlobalSize(HGLOBAL memory);
UINT WINAPI GlobalFlags(HGLOBAL memory);

HLOCAL WINAPI LocalReAlloc(HLOCAL memory, SIZE_T size, UINT flags);
LPVOID WINAPI LocalLock(HLOCAL memory);
BOOL WINAPI LocalUnlock(HLOCAL memory);
HLOCAL WINAPI LocalHandle(LPCVOID address);
SIZE_T WINAPI LocalSize(HLOCAL memory);
UINT WINAPI LocalFlags(HLOCAL memory);

/* As they were named when there was one memory for all programs. Rule GA-17. */
LPVOID WINAPI GlobalWire(HGLOBAL memory);
BOOL WINAPI GlobalUnWire(HGLOBAL memory);
VOID WINAPI GlobalFix(HGLOBAL memory);
VOID WINAPI GlobalUnfix(HGLOBAL memory);
SIZE_T WINAPI GlobalCompact(DWORD size);
SIZE_T WINAPI LocalCompact(UINT size);
SIZE_T WINAPI LocalShrink(HLOCAL memory, UINT size);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_GLOBALMEM_H */
