// SPDX-License-Identifier: GPL-2.0
/*
 * Threads, and variables of each
 */
#include <stdlib.h>

#include "object.h"

#define NR_SLOTS 64

/* Which slots are in use, and how often each has been given away */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool used[NR_SLOTS];
static unsigned int turn[NR_SLOTS];

/* A value of an earlier turn is none. */
static __thread struct {
	unsigned int turn;
	void *value;
} values[NR_SLOTS];

/* tls.ld: NULL is no callback. */
extern const PIMAGE_TLS_CALLBACK win32_tls_callbacks[];
extern const PIMAGE_TLS_CALLBACK win32_tls_callbacks_end[];

struct start {
	LPTHREAD_START_ROUTINE function;
	void *argument;
	struct win32_object *end;
};

static void call_back(DWORD reason)
{
	const PIMAGE_TLS_CALLBACK *at;

	for (at = win32_tls_callbacks; at < win32_tls_callbacks_end; at++)
		if (*at)
			(*at)(NULL, reason, NULL);
}

static void *run(void *argument)
{
	struct start start = *(struct start *)argument;

	free(argument);
	call_back(DLL_THREAD_ATTACH);
	start.function(start.argument);
	call_back(DLL_THREAD_DETACH);
	win32_set_event(start.end);
	win32_put_event(start.end);

	return NULL;
}

HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES security, SIZE_T stack,
			   LPTHREAD_START_ROUTINE function, LPVOID argument,
			   DWORD flags, LPDWORD id)
{
	struct start *start = malloc(sizeof(*start));
	/* The thread uses it, and the handle. */
	struct win32_object *end = win32_new_event(true, false, 2);
	pthread_t thread;

	if (start)
		*start = (struct start){ function, argument, end };
	if (!start || !end || pthread_create(&thread, NULL, run, start)) {
		free(start);
		free(end);
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	pthread_detach(thread);

	return win32_handle_of(end);
}

DWORD WINAPI TlsAlloc(VOID)
{
	DWORD i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < NR_SLOTS && used[i]; i++)
		;
	if (i < NR_SLOTS) {
		used[i] = true;
		turn[i]++;
	}
	pthread_mutex_unlock(&lock);

	return i < NR_SLOTS ? i : TLS_OUT_OF_INDEXES;
}

BOOL WINAPI TlsFree(DWORD index)
{
	if (index >= NR_SLOTS)
		return FALSE;
	pthread_mutex_lock(&lock);
	used[index] = false;
	pthread_mutex_unlock(&lock);

	return TRUE;
}

LPVOID WINAPI TlsGetValue(DWORD index)
{
	if (index >= NR_SLOTS || values[index].turn != turn[index])
		return NULL;

	return values[index].value;
}

BOOL WINAPI TlsSetValue(DWORD index, LPVOID value)
{
	if (index >= NR_SLOTS)
		return FALSE;
	values[index].turn = turn[index];
	values[index].value = value;

	return TRUE;
}
