// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Debuggers
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/* Its line in /proc/self/status is among the first. */
BOOL WINAPI IsDebuggerPresent(VOID)
{
	char text[1024];
	const char *line;

	WR_KEEP_ERRNO();

	wr_read_text("/proc/self/status", text, sizeof(text));
	line = strstr(text, "\nTracerPid:");

	return line && atoi(line + strlen("\nTracerPid:"));
}

/*
 * A breakpoint, which is an exception. For who traces us it is a call: not every
 * processor goes on behind a breakpoint when it is told to.
 */
VOID WINAPI DebugBreak(VOID)
{
	if (IsDebuggerPresent())
		raise(SIGTRAP);
	else
		__debugbreak();
}

static void tell(const char *text, size_t length)
{
	ssize_t n;

	while (length && IsDebuggerPresent()) {
		n = write(STDERR_FILENO, text, length);
		if (n <= 0)
			return;
		text += n;
		length -= n;
	}
}

VOID WINAPI OutputDebugStringA(LPCSTR text)
{
	WR_KEEP_ERRNO();

	if (text)
		tell(text, strlen(text));
}

VOID WINAPI OutputDebugStringW(LPCWSTR text)
{
	size_t length = text ? wr_wide_length(text) : 0;
	char *bytes;
	long n;

	WR_KEEP_ERRNO();

	/* No unit becomes more than three bytes. */
	bytes = length ? wr_utf8_room(length) : NULL;
	if (!bytes)
		return;
	n = wr_to_utf8(text, length, bytes, 3 * length, FALSE);
	if (n > 0)
		tell(bytes, n);
	free(bytes);
}
