/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - a clock to measure with
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_PROFILEAPI_H
#define _WINREGION_PROFILEAPI_H

#include "minwinbase.h"
#include "minwindef.h"
#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Never goes back, and does not stop while anything but the machine sleeps */
BOOL WINAPI QueryPerformanceCounter(PLARGE_INTEGER ticks);
/* Ticks in a second */
BOOL WINAPI QueryPerformanceFrequency(PLARGE_INTEGER ticks);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_PROFILEAPI_H */
