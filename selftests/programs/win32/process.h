/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <process.h>: threads of programs that use the C library
 */
#ifndef _SELFTESTS_PROGRAMS_PROCESS_H
#define _SELFTESTS_PROGRAMS_PROCESS_H

#include <stdint.h>

#ifndef __stdcall
#define __stdcall
#endif

uintptr_t _beginthreadex(void *security, unsigned int stack,
			 unsigned int (*start)(void *argument), void *argument,
			 unsigned int flags, unsigned int *id);
void _endthreadex(unsigned int status) __attribute__((noreturn));

#endif /* _SELFTESTS_PROGRAMS_PROCESS_H */
