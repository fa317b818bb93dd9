/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - threads as the C library of Windows makes them
 */
#ifndef _WINREGION_PROCESS_H
#define _WINREGION_PROCESS_H

#include <stdint.h>

#include "windows.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Rule TH-14 */
uintptr_t _beginthreadex(void *security, unsigned int stack,
			 unsigned int(WINAPI *start)(void *argument),
			 void *argument, unsigned int flags, unsigned int *id);
uintptr_t _beginthread(void (*start)(void *argument), unsigned int stack,
		       void *argument);
void _endthreadex(unsigned int code) __attribute__((__noreturn__));
void _endthread(void) __attribute__((__noreturn__));

/* After an overflow, from further up: there is a guard again. Rule ST-06 */
int _resetstkoflw(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_PROCESS_H */
