// SPDX-License-Identifier: GPL-2.0
/*
 * Threads of the library, and callbacks of the program as they begin and end
 */
#include <stdlib.h>

#include "object.h"

/* tls.ld: NULL is no callback. */
extern const PIMAGE_TLS_CALLBACK win32_tls_callbacks[];
extern const PIMAGE_TLS_CALLBACK win32_tls_callbacks_end[];

struct start {
	LPTHREAD_START_ROUTINE function;
	void *argument;
};

static void call_back(DWORD reason)
{
	const PIMAGE_TLS_CALLBACK *at;

	for (at = win32_tls_callbacks; at < win32_tls_callbacks_end; at++)
		if (*at)
			(*at)(NULL, reason, NULL);
}

/* No program leaves a thread of CreateThread() but by returning. */
static DWORD WINAPI run(LPVOID argument)
{
	struct start start = *(struct start *)argument;
	DWORD code;

	free(argument);
	call_back(DLL_THREAD_ATTACH);
	code = start.function(start.argument);
	call_back(DLL_THREAD_DETACH);

	return code;
}

HANDLE WINAPI win32_create_thread(LPSECURITY_ATTRIBUTES security, SIZE_T stack,
				  LPTHREAD_START_ROUTINE function,
				  LPVOID argument, DWORD flags, LPDWORD id)
{
	struct start *start = malloc(sizeof(*start));
	HANDLE thread;

	if (!start) {
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	*start = (struct start){ function, argument };
	thread = CreateThread(security, stack, run, start, flags, id);
	if (!thread)
		free(start);

	return thread;
}
