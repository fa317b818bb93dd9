/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What handles of things to wait for lead to
 */
#ifndef _SELFTESTS_PROGRAMS_OBJECT_H
#define _SELFTESTS_PROGRAMS_OBJECT_H

#include <pthread.h>
#include <stdbool.h>

#include "windows.h"

enum win32_kind {
	WIN32_MUTEX,
	/* A thread is an event that is set when it ends. */
	WIN32_EVENT,
	WIN32_PROCESS
};

/* What lies in a mutex's section */
struct win32_mutex {
	/* Set when the rest is */
	unsigned int ready;
	/* Robust, recursive, and for all processes */
	pthread_mutex_t mutex;
};

/* Who waits for an event: on its stack, the first one first */
struct win32_waiter {
	struct win32_waiter *next;
	bool woken;
};

struct win32_object {
	enum win32_kind kind;
	union {
		struct {
			HANDLE section;
			struct win32_mutex *mutex;
		};
		struct {
			pthread_mutex_t lock;
			pthread_cond_t changed;
			bool manual;
			/* The rest under @lock. Nobody waits for one that is set. */
			bool set;
			struct win32_waiter *waiters;
			/* Handles, and a thread */
			unsigned int users;
		};
		int pidfd;
	};
};

/* wait.c: the handle that leads to it; NULL: to none */
HANDLE win32_handle_of(struct win32_object *object);

/* wait.c: an event that so many use, and one user less */
struct win32_object *win32_new_event(bool manual, bool set,
				     unsigned int users);
void win32_set_event(struct win32_object *event);
void win32_put_event(struct win32_object *event);

#endif /* _SELFTESTS_PROGRAMS_OBJECT_H */
