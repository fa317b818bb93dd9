/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - what the system has, and the time of day
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_SYSINFOAPI_H
#define _WINREGION_SYSINFOAPI_H

#include "minwinbase.h"
#include "minwindef.h"
#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Memory of the whole system, and what it can promise. Rules GM-01 to 07, 09, 10. */
BOOL WINAPI GlobalMemoryStatusEx(LPMEMORYSTATUSEX status);
BOOL WINAPI GetPhysicallyInstalledSystemMemory(PULONGLONG kilobytes);

/* UTC */
VOID WINAPI GetSystemTimeAsFileTime(LPFILETIME now);
VOID WINAPI GetSystemTimePreciseAsFileTime(LPFILETIME now);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_SYSINFOAPI_H */
