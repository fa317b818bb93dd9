// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Debuggers
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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
	ssize_t n;
	int fd;

	WR_KEEP_ERRNO();

	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	line = strstr(text, "\nTracerPid:");

	return line && atoi(line + strlen("\nTracerPid:"));
}

VOID WINAPI DebugBreak(VOID)
{
	WR_KEEP_ERRNO();

	raise(SIGTRAP);
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
	bytes = length ? malloc(3 * length) : NULL;
	if (!bytes)
		return;
	n = wr_to_utf8(text, length, bytes, 3 * length, FALSE);
	if (n > 0)
		tell(bytes, n);
	free(bytes);
}
