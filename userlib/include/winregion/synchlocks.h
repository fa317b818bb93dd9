/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - locks and waits of one process: a part of <synchapi.h>
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_SYNCHLOCKS_H
#define _WINREGION_SYNCHLOCKS_H

#include "minwinbase.h"
#include "minwindef.h"
#include "winnt.h"

/*
 * Nobody but the calls below looks into these; LockCount is -1 while it is free.
 * All bytes 0 is an SRWLOCK, a CONDITION_VARIABLE and an INIT_ONCE, but no
 * CRITICAL_SECTION.
 */
typedef struct _RTL_CRITICAL_SECTION_DEBUG *PRTL_CRITICAL_SECTION_DEBUG;

typedef struct _RTL_CRITICAL_SECTION {
	PRTL_CRITICAL_SECTION_DEBUG DebugInfo;
	LONG LockCount;
	LONG RecursionCount;
	HANDLE OwningThread;
	HANDLE LockSemaphore;
	ULONG_PTR SpinCount;
} RTL_CRITICAL_SECTION, *PRTL_CRITICAL_SECTION;

_WINREGION_SIZE(RTL_CRITICAL_SECTION, 40);
_WINREGION_OFFSET(RTL_CRITICAL_SECTION, OwningThread, 16);
_WINREGION_OFFSET(RTL_CRITICAL_SECTION, SpinCount, 32);

typedef struct _RTL_SRWLOCK {
	PVOID Ptr;
} RTL_SRWLOCK, *PRTL_SRWLOCK;

typedef struct _RTL_CONDITION_VARIABLE {
	PVOID Ptr;
} RTL_CONDITION_VARIABLE, *PRTL_CONDITION_VARIABLE;

typedef union _RTL_RUN_ONCE {
	PVOID Ptr;
} RTL_RUN_ONCE, *PRTL_RUN_ONCE;

_WINREGION_SIZE(RTL_SRWLOCK, 8);
_WINREGION_SIZE(RTL_CONDITION_VARIABLE, 8);
_WINREGION_SIZE(RTL_RUN_ONCE, 8);

typedef RTL_CRITICAL_SECTION CRITICAL_SECTION;
typedef PRTL_CRITICAL_SECTION PCRITICAL_SECTION, LPCRITICAL_SECTION;
typedef RTL_SRWLOCK SRWLOCK, *PSRWLOCK;
typedef RTL_CONDITION_VARIABLE CONDITION_VARIABLE, *PCONDITION_VARIABLE;
typedef RTL_RUN_ONCE INIT_ONCE, *PINIT_ONCE, *LPINIT_ONCE;

typedef BOOL(WINAPI *PINIT_ONCE_FN)(PINIT_ONCE once, PVOID argument,
				    PVOID *context);

#define RTL_SRWLOCK_INIT \
	{ \
		0 \
	}
#define RTL_CONDITION_VARIABLE_INIT \
	{ \
		0 \
	}
#define RTL_RUN_ONCE_INIT \
	{ \
		0 \
	}
#define SRWLOCK_INIT RTL_SRWLOCK_INIT
#define CONDITION_VARIABLE_INIT RTL_CONDITION_VARIABLE_INIT
#define INIT_ONCE_STATIC_INIT RTL_RUN_ONCE_INIT

#define CRITICAL_SECTION_NO_DEBUG_INFO 0x01000000
#define RTL_CONDITION_VARIABLE_LOCKMODE_SHARED 0x1
#define CONDITION_VARIABLE_LOCKMODE_SHARED \
	RTL_CONDITION_VARIABLE_LOCKMODE_SHARED
#define RTL_RUN_ONCE_CHECK_ONLY 0x00000001U
#define RTL_RUN_ONCE_ASYNC 0x00000002U
#define RTL_RUN_ONCE_INIT_FAILED 0x00000004U
#define RTL_RUN_ONCE_CTX_RESERVED_BITS 2
#define INIT_ONCE_CHECK_ONLY RTL_RUN_ONCE_CHECK_ONLY
#define INIT_ONCE_ASYNC RTL_RUN_ONCE_ASYNC
#define INIT_ONCE_INIT_FAILED RTL_RUN_ONCE_INIT_FAILED
#define INIT_ONCE_CTX_RESERVED_BITS RTL_RUN_ONCE_CTX_RESERVED_BITS

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* A thread may enter it again that is in it, and leaves it as often. */
VOID WINAPI InitializeCriticalSection(LPCRITICAL_SECTION section);
BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION section,
						  DWORD spins);
BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION section, DWORD spins,
					DWORD flags);
DWORD WINAPI SetCriticalSectionSpinCount(LPCRITICAL_SECTION section,
					 DWORD spins);
VOID WINAPI EnterCriticalSection(LPCRITICAL_SECTION section);
BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION section);
VOID WINAPI LeaveCriticalSection(LPCRITICAL_SECTION section);
VOID WINAPI DeleteCriticalSection(LPCRITICAL_SECTION section);

/* One writer or any number of readers; not by a thread that has it */
VOID WINAPI InitializeSRWLock(PSRWLOCK lock);
VOID WINAPI AcquireSRWLockExclusive(PSRWLOCK lock);
BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK lock);
VOID WINAPI ReleaseSRWLockExclusive(PSRWLOCK lock);
VOID WINAPI AcquireSRWLockShared(PSRWLOCK lock);
BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK lock);
VOID WINAPI ReleaseSRWLockShared(PSRWLOCK lock);

/* FALSE with ERROR_TIMEOUT if nobody wakes it in time; the lock is held again. */
VOID WINAPI InitializeConditionVariable(PCONDITION_VARIABLE variable);
BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE variable,
				     PCRITICAL_SECTION section,
				     DWORD milliseconds);
BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE variable,
				      PSRWLOCK lock, DWORD milliseconds,
				      ULONG flags);
VOID WINAPI WakeConditionVariable(PCONDITION_VARIABLE variable);
VOID WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE variable);

/* What is done once only, by whoever comes first */
VOID WINAPI InitOnceInitialize(PINIT_ONCE once);
BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE once, PINIT_ONCE_FN function,
				PVOID argument, LPVOID *context);
BOOL WINAPI InitOnceBeginInitialize(LPINIT_ONCE once, DWORD flags,
				    PBOOL pending, LPVOID *context);
BOOL WINAPI InitOnceComplete(LPINIT_ONCE once, DWORD flags, LPVOID context);

/*
 * While the 1, 2, 4 or 8 bytes at an address are what they are at the other one.
 * FALSE with ERROR_TIMEOUT if nobody wakes it in time.
 */
BOOL WINAPI WaitOnAddress(volatile void *address, PVOID compare, SIZE_T size,
			  DWORD milliseconds);
VOID WINAPI WakeByAddressSingle(PVOID address);
VOID WINAPI WakeByAddressAll(PVOID address);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_SYNCHLOCKS_H */
