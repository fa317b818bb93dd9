/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Critical sections
 */
#ifndef _SELFTESTS_PROGRAMS_CRITICALSECTION_H
#define _SELFTESTS_PROGRAMS_CRITICALSECTION_H

#include <pthread.h>

#include <winregion/windows.h>

typedef pthread_mutex_t CRITICAL_SECTION, *LPCRITICAL_SECTION;

VOID WINAPI InitializeCriticalSection(LPCRITICAL_SECTION section);
VOID WINAPI DeleteCriticalSection(LPCRITICAL_SECTION section);
VOID WINAPI EnterCriticalSection(LPCRITICAL_SECTION section);
VOID WINAPI LeaveCriticalSection(LPCRITICAL_SECTION section);

#endif /* _SELFTESTS_PROGRAMS_CRITICALSECTION_H */
