// SPDX-License-Identifier: GPL-2.0
/*
 * Processes and threads that programs start
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "windows.h"

#define MAX_WORDS 32

struct start {
	unsigned int (*function)(void *argument);
	void *argument;
};

/* Where _endthreadex() goes on */
static __thread jmp_buf end;

static DWORD WINAPI run(LPVOID argument)
{
	struct start start = *(struct start *)argument;

	free(argument);
	if (!setjmp(end))
		start.function(start.argument);

	return 0;
}

uintptr_t _beginthreadex(void *security, unsigned int stack,
			 unsigned int (*function)(void *argument),
			 void *argument, unsigned int flags, unsigned int *id)
{
	struct start *start = malloc(sizeof(*start));
	HANDLE thread;

	if (!start)
		return 0;
	*start = (struct start){ function, argument };
	thread = CreateThread(security, stack, run, start, flags, id);
	if (!thread)
		free(start);

	return (uintptr_t)thread;
}

void _endthreadex(unsigned int status)
{
	longjmp(end, 1);
}

/* The words of a command, as Windows' C library finds them, but for \" in them */
static void split(char *command, char **words)
{
	int n = 0;
	char *end;

	while (n < MAX_WORDS - 1) {
		command += strspn(command, " ");
		if (!*command)
			break;
		end = *command == '"' ? "\"" : " ";
		command += *command == '"';
		words[n++] = command;
		command += strcspn(command, end);
		if (*command)
			*command++ = '\0';
	}
	words[n] = NULL;
}

/* A file in the path, in this directory, with this environment. No thread's handle. */
BOOL WINAPI CreateProcessA(LPCSTR name, LPSTR command,
			   LPSECURITY_ATTRIBUTES process_security,
			   LPSECURITY_ATTRIBUTES thread_security, BOOL inherit,
			   DWORD flags, LPVOID environment, LPCSTR directory,
			   LPSTARTUPINFOA startup, LPPROCESS_INFORMATION result)
{
	char *words[MAX_WORDS];
	pid_t pid;

	split(command, words);
	pid = fork();
	if (pid < 0) {
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
		return FALSE;
	}
	if (!pid) {
		execvp(name ? name : words[0], words);
		_exit(127);
	}
	memset(result, 0, sizeof(*result));
	result->hProcess = OpenProcess(0, FALSE, pid);
	result->dwProcessId = pid;

	return TRUE;
}
