// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A program runs, and is looked at until it ends
 *
 * What it did between two looks is not seen, nor what it had at the very end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../common/ends.h"
#include "../common/say.h"
#include "../common/text.h"
#include "output.h"

/* As other programs say it that run one */
#define FAILED 125
#define NOT_EXECUTABLE 126
#define NOT_FOUND 127
#define KILLED_BY 128

/* Of a processor's time no more than 1 part in so many */
#define SHARE 20

/* Milliseconds between two looks at what it allocates: a thousand events have room. */
#define TICK 20

static double seconds(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);

	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- to start it ---- */

/**
 * struct pipes - between this program and the one that it starts
 * @told: what exec says; it closes when the program runs
 * @go: a byte comes when it may run
 */
struct pipes {
	int told[2];
	int go[2];
};

static bool open_pipes(struct pipes *pipes)
{
	if (pipe2(pipes->told, O_CLOEXEC))
		return false;
	if (!pipe2(pipes->go, O_CLOEXEC))
		return true;
	close(pipes->told[0]);
	close(pipes->told[1]);

	return false;
}

/* In the child */
static void run(char **argv, struct pipes *pipes)
{
	int told = pipes->told[1], err;
	char byte;

	close(pipes->go[1]);
	if (read(pipes->go[0], &byte, 1) != 1)
		_exit(FAILED);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	execvp(*argv, argv);
	err = errno;
	if (write(told, &err, sizeof(err)) != sizeof(err))
		_exit(FAILED);
	_exit(err == ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

/* 0 when it runs, or what exec has said */
static int wait_for_exec(int told)
{
	int err = 0;

	if (read(told, &err, sizeof(err)) < 0)
		err = errno;

	return err;
}

/*
 * Have it go on, as soon as it is followed where that is asked for. Return: 0, what exec
 * has said, or -1 when it is told already what is wrong
 */
static int let_run(pid_t pid, int process, bool stacks, struct pipes *pipes)
{
	int err = process < 0 || (stacks && stacks_open(pid)) ? -1 : 0;

	if (!err && write(pipes->go[1], "", 1) != 1)
		err = errno;
	close(pipes->go[1]);

	return err ? err : wait_for_exec(pipes->told[0]);
}

/*
 * Return: the number of the process, or -1. @process becomes a descriptor of it, or -1: the
 * program does not run, and it is told why.
 */
static pid_t start(char **argv, bool stacks, int *process)
{
	struct pipes pipes;
	pid_t pid;
	int err;

	if (!open_pipes(&pipes)) {
		perror("winregion-map: pipe");
		return -1;
	}
	fflush(NULL);
	pid = fork();
	if (!pid)
		run(argv, &pipes);
	close(pipes.told[1]);
	close(pipes.go[0]);
	err = pid < 0 ? errno : 0;
	if (!err) {
		*process = say_open_process(pid);
		err = let_run(pid, *process, stacks, &pipes);
	}
	close(pipes.told[0]);
	if (err > 0)
		fprintf(stderr, "winregion-map: %s: %s\n", *argv,
			strerror(err));
	if (err && *process >= 0) {
		close(*process);
		*process = -1;
	}

	return pid;
}

/* ---- to look at it ---- */

/* Not by the time of the map, as clocks of days are set. */
static void add_sample(struct map_timeline *timeline, const struct map *map,
		       double time)
{
	struct map_sample *sample;

	timeline->samples = map_grow(timeline->samples, &timeline->room,
				     timeline->nr + 1,
				     sizeof(*timeline->samples));
	sample = &timeline->samples[timeline->nr];
	sample->time = time;
	memcpy(sample->counts, map->counts, sizeof(map->counts));
	memcpy(sample->sums, map->sums, sizeof(map->sums));
	memcpy(sample->total, map->total, sizeof(map->total));
	snprintf(timeline->command, sizeof(timeline->command), "%s",
		 map->command);
	timeline->nr++;
}

/* The time to wait before the next look, in ms */
static int look(struct map_source *source, struct map *map,
		struct map_timeline *timeline, double interval)
{
	double began = seconds(CLOCK_PROCESS_CPUTIME_ID), cost;
	double now = seconds(CLOCK_MONOTONIC);

	/* One that has just ended has no memory. */
	if (!map_read(source, map) && map->total[MAP_SIZE] && map->nr_runs)
		add_sample(timeline, map, now);
	cost = seconds(CLOCK_PROCESS_CPUTIME_ID) - began;
	if (interval < cost * (SHARE - 1))
		interval = cost * (SHARE - 1);

	return (int)(interval * 1000);
}

/* Times from the first look on */
static void move_to_start(struct map_timeline *timeline)
{
	double first = timeline->nr ? timeline->samples[0].time : 0;
	size_t i;

	for (i = 0; i < timeline->nr; i++)
		timeline->samples[i].time -= first;
}

/* Return: whether it has ended, or nobody wants more of one that goes on */
static bool ends_within(struct pollfd *end, int ms, bool stacks)
{
	for (; stacks && ms > TICK; ms -= TICK) {
		if (ends_count() || poll(end, 1, TICK) > 0)
			return true;
		stacks_read();
	}

	return poll(end, 1, ms) > 0 || ends_count();
}

static void look_until_end(int process, double interval,
			   struct map_timeline *timeline)
{
	struct pollfd end = { .fd = process, .events = POLLIN };
	struct map map = { 0 };
	struct map_source source;

	map_source_init(&source, timeline->pid);
	while (!ends_within(&end, look(&source, &map, timeline, interval),
			    timeline->stacks))
		;
	close(process);
	map_source_done(&source);
	map_free(&map);
	move_to_start(timeline);
}

int map_record(char **argv, double interval, bool stacks,
	       struct map_timeline *timeline)
{
	int process = -1, status;
	pid_t pid;

	status = stacks ? trace_check() : 0;
	*timeline = (struct map_timeline){ .stacks = stacks };
	/* Until it has been looked at */
	snprintf(timeline->command, sizeof(timeline->command), "%s",
		 basename(*argv));
	if (status)
		return status;

	/* What is typed is for the program; the timeline is still to be written. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	pid = start(argv, stacks, &process);
	if (pid < 0)
		return FAILED;
	if (process >= 0) {
		timeline->pid = pid;
		look_until_end(process, interval, timeline);
	}
	if (process >= 0 && stacks) {
		stacks_end(&timeline->allocated);
		say_lost(timeline->allocated.lost);
	}
	if (waitpid(pid, &status, 0) != pid)
		return FAILED;

	return WIFSIGNALED(status) ? KILLED_BY + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

static void catch_ends(void)
{
	static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

	ends_catch(ends, ARRAY_SIZE(ends));
}

int map_follow(pid_t pid, double interval, struct map_timeline *timeline)
{
	int status = trace_check(), process;

	*timeline = (struct map_timeline){ .stacks = true };
	if (status)
		return status;
	process = say_open_process(pid);
	if (process < 0)
		return FAILED;
	catch_ends();
	status = stacks_attach(pid);
	if (status)
		return status;
	fprintf(stderr,
		"winregion-map: %d is followed until it ends, or Ctrl-C\n",
		pid);
	timeline->pid = pid;
	look_until_end(process, interval, timeline);
	stacks_end(&timeline->allocated);
	say_lost(timeline->allocated.lost);

	return 0;
}

/* ---- as a text ---- */

static void write_most(const struct map_output *out,
		       const struct map_timeline *timeline, const char *name,
		       int type)
{
	uint64_t most[MAP_SIZES] = { 0 };
	const uint64_t *sizes;
	unsigned int size;
	size_t i;

	for (i = 0; i < timeline->nr; i++) {
		sizes = type < 0 ? timeline->samples[i].total :
				   timeline->samples[i].sums[type];
		for (size = 0; size < MAP_SIZES; size++)
			if (most[size] < sizes[size])
				most[size] = sizes[size];
	}
	fprintf(out->file, "%-9s", name);
	map_text_sizes(out, most);
	putc('\n', out->file);
}

void map_timeline_text(const struct map_output *out,
		       const struct map_timeline *timeline)
{
	unsigned int i;

	fprintf(out->file, "%d: ", timeline->pid);
	text_print(out->file, timeline->command);
	fprintf(out->file,
		", the most of each in %s, by %zu look%s in %.1f s\n",
		out->bytes ? "bytes" : "KiB", timeline->nr,
		timeline->nr == 1 ? "" : "s",
		timeline->nr ? timeline->samples[timeline->nr - 1].time : 0);
	fprintf(out->file, "%-9s", "type");
	map_text_heads(out);
	putc('\n', out->file);
	write_most(out, timeline, "total", -1);
	for (i = 0; i < MAP_UNUSABLE; i++)
		write_most(out, timeline, map_type_name(i), i);
	if (timeline->stacks)
		map_allocated_text(out, &timeline->allocated);
}
