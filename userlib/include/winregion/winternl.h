/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - what the system knows of a thread
 */
/* First, as it includes what follows. */
#include "nt.h"

#ifndef _WINREGION_WINTERNL_H
#define _WINREGION_WINTERNL_H

/*
 * What NtCurrentTeb() leads to, with its fields where Windows has them; what has no
 * name here is 0. NtTib.StackLimit is what it was when NtCurrentTeb() was called last,
 * as nobody is told when the guard moves.
 */
typedef struct _TEB {
	NT_TIB NtTib;
#ifdef __LP64__
	PVOID Reserved1[648];
#else
	PVOID Reserved1[892];
#endif
	PVOID DeallocationStack;
	PVOID TlsSlots[64];
#ifdef __LP64__
	PVOID Reserved2[25];
	ULONG GuaranteedStackBytes;
	ULONG Reserved3;
#else
	PVOID Reserved2[26];
	ULONG GuaranteedStackBytes;
#endif
	PVOID Reserved4[6];
	PVOID *TlsExpansionSlots;
} TEB, *PTEB;

_WINREGION_OFFSET(TEB, DeallocationStack, 0x1478);
_WINREGION_OFFSET(TEB, TlsSlots, 0x1480);
_WINREGION_OFFSET(TEB, GuaranteedStackBytes, 0x1748);
_WINREGION_OFFSET(TEB, TlsExpansionSlots, 0x1780);

#endif /* _WINREGION_WINTERNL_H */
