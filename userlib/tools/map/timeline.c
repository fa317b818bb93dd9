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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "output.h"

/* As other programs say it that run one */
#define FAILED 125
#define NOT_EXECUTABLE 126
#define NOT_FOUND 127
#define KILLED_BY 128

/* Of a processor's time no more than 1 part in so many */
#define SHARE 20

static double seconds(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);

	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- to start it ---- */

/* In the child. The pipe's end closes when the program runs. */
static void run(char **argv, int told)
{
	int err;

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

/* Return: the process, or -1. If the program does not run, it is told why. */
static pid_t start(char **argv, bool *runs)
{
	int ends[2], err;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC)) {
		perror("winregion-map: pipe");
		return -1;
	}
	fflush(NULL);
	pid = fork();
	if (!pid)
		run(argv, ends[1]);
	close(ends[1]);
	err = pid < 0 ? errno : wait_for_exec(ends[0]);
	close(ends[0]);
	if (err)
		fprintf(stderr, "winregion-map: %s: %s\n", *argv,
			strerror(err));
	*runs = !err;

	return pid;
}

/* ---- to look at it ---- */

static void add_sample(struct map_timeline *timeline, const struct map *map)
{
	struct map_sample *sample;

	timeline->samples = map_grow(timeline->samples, &timeline->room,
				     timeline->nr + 1,
				     sizeof(*timeline->samples));
	sample = &timeline->samples[timeline->nr];
	sample->time = map->time;
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

	/* One that has just ended has no memory. */
	if (!map_read(source, map) && map->total[MAP_SIZE] && map->nr_runs)
		add_sample(timeline, map);
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

static void look_until_end(pid_t pid, double interval,
			   struct map_timeline *timeline)
{
	struct pollfd end = {
		.fd = (int)syscall(SYS_pidfd_open, pid, 0),
		.events = POLLIN,
	};
	struct map map = { 0 };
	struct map_source source;

	map_source_init(&source, pid);
	while (end.fd >= 0 &&
	       poll(&end, 1, look(&source, &map, timeline, interval)) <= 0)
		;
	if (end.fd >= 0)
		close(end.fd);
	map_source_done(&source);
	map_free(&map);
	move_to_start(timeline);
}

int map_record(char **argv, double interval, struct map_timeline *timeline)
{
	bool runs = false;
	int status;
	pid_t pid;

	/* What is typed is for the program; the timeline is still to be written. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	*timeline = (struct map_timeline){ .pid = 0 };
	pid = start(argv, &runs);
	if (pid < 0)
		return FAILED;
	if (runs) {
		timeline->pid = pid;
		look_until_end(pid, interval, timeline);
	}
	if (waitpid(pid, &status, 0) != pid)
		return FAILED;

	return WIFSIGNALED(status) ? KILLED_BY + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* ---- as a text ---- */

static void write_most(FILE *file, const struct map_timeline *timeline,
		       const char *name, int type)
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
	fprintf(file, "%-10s", name);
	for (size = 0; size < MAP_SIZES; size++)
		fprintf(file, " %12" PRIu64, most[size] / 1024);
	putc('\n', file);
}

void map_timeline_text(FILE *file, const struct map_timeline *timeline)
{
	unsigned int i;

	fprintf(file,
		"%d: %s, the most of each in KiB, by %zu looks in %.1f s\n",
		timeline->pid, timeline->command, timeline->nr,
		timeline->nr ? timeline->samples[timeline->nr - 1].time : 0);
	fprintf(file, "%-10s", "type");
	for (i = 0; i < MAP_SIZES; i++)
		fprintf(file, " %12s", map_size_name(i));
	putc('\n', file);
	write_most(file, timeline, "total", -1);
	for (i = 0; i < MAP_UNUSABLE; i++)
		write_most(file, timeline, map_type_name(i), i);
}
