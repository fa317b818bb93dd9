// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that programs start
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "windows.h"

#define MAX_WORDS 32

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
	result->hProcess = OpenProcess(SYNCHRONIZE, FALSE, pid);
	result->dwProcessId = pid;

	return TRUE;
}
