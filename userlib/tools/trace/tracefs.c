// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A buffer of our own in tracefs, with the events that are wanted, of some threads and of
 * all that they start
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace.h"

/* Of a processor's buffer, at most */
#define BUFFER_SIZE (4UL << 20)

/* Of a new buffer they are as somebody has set them for the first one. */
static const char *const options_on[] = { "context-info", "event-fork" };
static const char *const options_off[] = {
	"bin", "fields",     "hex",	"irq-info",	  "latency-format",
	"raw", "stacktrace", "verbose", "userstacktrace",
};

static const char *const fault_events[] = { "fault", "refused", "guard",
					    "stack" };

static char instance[128];
static int pipe_fd = -1;

static int trouble(const char *what)
{
	fprintf(stderr, "winregion-trace: %s: %s\n", what, strerror(errno));
	return 125;
}

static int open_in(const char *name, int flags)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", instance, name);
	return open(path, flags | O_CLOEXEC);
}

static bool set(const char *name, const char *text)
{
	int fd = open_in(name, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

static bool turn_on(const char *event)
{
	char name[64];

	snprintf(name, sizeof(name), "events/winregion/wr_%s/enable", event);
	return set(name, "1");
}

static bool choose(bool faults, bool all)
{
	bool done = turn_on("call");
	unsigned int i;

	if (all)
		return set("events/winregion/enable", "1");
	for (i = 0; faults && i < ARRAY_SIZE(fault_events); i++)
		done &= turn_on(fault_events[i]);
	return done;
}

/* Not every kernel has each of them. */
static bool set_options(const char *const *names, size_t nr, const char *value)
{
	char name[64];
	size_t i;

	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "options/%s", names[i]);
		if (!set(name, value) && errno != ENOENT)
			return false;
	}
	return true;
}

/* How its lines are is what lines.c reads. Nothing is recorded yet. */
static int prepare(bool faults, bool all)
{
	char room[24];

	snprintf(room, sizeof(room), "%zu", trace_room(BUFFER_SIZE) / 1024);
	if (!set("tracing_on", "0") ||
	    !set_options(options_off, ARRAY_SIZE(options_off), "0") ||
	    !set_options(options_on, ARRAY_SIZE(options_on), "1") ||
	    !set("buffer_size_kb", room) || !choose(faults, all))
		return trouble(instance);
	pipe_fd = open_in("trace_pipe", O_RDONLY | O_NONBLOCK);
	return pipe_fd < 0 ? trouble(instance) : 0;
}

/**
 * trace_open - make the buffer
 * @faults: it has faults, too
 * @all: it has all events
 *
 * Return: 0, or a status to exit with, when it has said why.
 */
int trace_open(bool faults, bool all)
{
	int status;

	snprintf(instance, sizeof(instance), "%s/instances/winregion-trace-%d",
		 trace_place(), getpid());
	if (mkdir(instance, 0700))
		return trouble(instance);
	status = prepare(faults, all);
	if (status)
		trace_close();
	return status;
}

static int follow_thread(pid_t tid)
{
	int fd = open_in("set_event_pid", O_WRONLY | O_APPEND);
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", tid);
	bool done = fd >= 0 && write(fd, text, length) == length;

	close(fd);
	return done ? 0 : trouble("set_event_pid");
}

/* All threads of a process, from now on. Return: as of trace_open() */
int trace_follow(pid_t pid)
{
	return trace_threads(pid, follow_thread);
}

int trace_start(void)
{
	return set("tracing_on", "1") ? 0 : trouble(instance);
}

/* Nothing is added any more; what is there can be read. */
void trace_stop(void)
{
	set("tracing_on", "0");
}

/* What has come, or 0 if there is nothing more by now. */
ssize_t trace_read(char *buffer, size_t size)
{
	ssize_t n = read(pipe_fd, buffer, size);

	return n > 0 ? n : 0;
}

void trace_close(void)
{
	set("events/winregion/enable", "0");
	close(pipe_fd);
	pipe_fd = -1;
	/* Somebody else may look at it. */
	if (rmdir(instance))
		trouble(instance);
}
