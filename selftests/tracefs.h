/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's trace events, in a buffer of the test's own, of the calling thread and of
 * what it starts.
 *
 * Include it after kselftest_harness.h, common.h and wr_test_util.h.
 */
#ifndef _SELFTESTS_TRACEFS_H
#define _SELFTESTS_TRACEFS_H

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#define TRACEFS "/sys/kernel/tracing"
#define TRACE_INSTANCE TRACEFS "/instances/wr_test"

static inline bool trace_set(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), TRACE_INSTANCE "/%s", name);
	return write_text(path, text);
}

/* From now on, beginning with nothing. */
static inline bool trace_begin(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)syscall(SYS_gettid));
	rmdir(TRACE_INSTANCE);
	return !mkdir(TRACE_INSTANCE, 0700) &&
	       trace_set("set_event_pid", pid) &&
	       trace_set("options/event-fork", "1") &&
	       trace_set("events/winregion/enable", "1");
}

/* Of everybody from now on. */
static inline bool trace_of_all(void)
{
	int fd = open(TRACE_INSTANCE "/set_event_pid",
		      O_WRONLY | O_TRUNC | O_CLOEXEC);

	return fd >= 0 && !close(fd);
}

static inline void trace_end(void)
{
	trace_set("events/winregion/enable", "0");
	rmdir(TRACE_INSTANCE);
}

/* All that is in the buffer, which is empty then; for free(). */
static inline char *trace_take(void)
{
	size_t size = MIB(4), n = 0;
	char *text = calloc(1, size);
	int fd = open(TRACE_INSTANCE "/trace", O_RDWR | O_CLOEXEC);
	ssize_t got = 1;

	if (fd < 0 || !text)
		abort();
	while (got > 0 && n < size - 1) {
		got = read(fd, text + n, size - 1 - n);
		if (got > 0)
			n += got;
	}
	close(fd);
	/* To open it so that it is cut off empties it. */
	close(open(TRACE_INSTANCE "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC));
	return text;
}

/* How many events of that name there are; any if @fields is NULL. */
static inline int trace_count(const char *text, const char *name,
			      const char *fields)
{
	char wanted[1200];
	const char *at = text;
	size_t n;
	int count = 0;

	n = snprintf(wanted, sizeof(wanted), ": %s: %s", name,
		     fields ? fields : "");
	while ((at = strstr(at, wanted))) {
		at += n;
		count += !fields || isspace((unsigned char)*at);
	}
	return count;
}

/*
 * Whether of the events of that name, of which there are @nr, just one is this one. If
 * not they are printed.
 */
static inline bool __attribute__((format(printf, 4, 5)))
trace_has(const char *text, int nr, const char *name, const char *format, ...)
{
	char fields[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(fields, sizeof(fields), format, args);
	va_end(args);
	if (trace_count(text, name, NULL) == nr &&
	    trace_count(text, name, fields) == 1)
		return true;
	fprintf(stderr, "# not one of %d: %s: %s\n%s\n", nr, name, fields,
		text);
	return false;
}

#endif /* _SELFTESTS_TRACEFS_H */
