/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What handles of the things lead to that this has, and the library has not
 */
#ifndef _SELFTESTS_PROGRAMS_OBJECT_H
#define _SELFTESTS_PROGRAMS_OBJECT_H

#include <pthread.h>
#include <stdbool.h>

#include "windows.h"

/* Here they are the library's. */
#undef CloseHandle
#undef CreateMutexA
#undef ReleaseMutex
#undef WaitForSingleObject
#undef WaitForSingleObjectEx

enum win32_kind {
	WIN32_MUTEX,
	WIN32_PROCESS
};

/* What lies in a mutex's section */
struct win32_mutex {
	/* Set when the rest is */
	unsigned int ready;
	/* Robust, recursive, and for all processes */
	pthread_mutex_t mutex;
};

struct win32_object {
	enum win32_kind kind;
	union {
		struct {
			HANDLE section;
			struct win32_mutex *mutex;
		};
		int pidfd;
	};
};

#endif /* _SELFTESTS_PROGRAMS_OBJECT_H */
