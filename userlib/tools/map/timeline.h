/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a process had, again and again
 */
#ifndef _WINREGION_MAP_TIMELINE_H
#define _WINREGION_MAP_TIMELINE_H

#include "../trace/allocated.h"
#include "map.h"

/**
 * struct map_sample - one look
 * @time: seconds since the first one
 * @counts: blocks of each type
 * @sums: of each type
 * @total: of all types that are in use
 */
struct map_sample {
	double time;
	uint64_t counts[MAP_TYPES];
	uint64_t sums[MAP_TYPES][MAP_SIZES];
	uint64_t total[MAP_SIZES];
};

/**
 * struct map_timeline - all of them
 * @pid: of the process
 * @command: the name of the last program that it ran
 * @samples: by time
 * @nr: so many
 * @room: how many @samples has room for
 * @stacks: whether it is told who has allocated
 * @allocated: that
 */
struct map_timeline {
	pid_t pid;
	char command[64];
	struct map_sample *samples;
	size_t nr;
	size_t room;
	bool stacks;
	struct allocated allocated;
};

/*
 * Run a program, look at it every @interval seconds, or as often as it takes no more
 * than a twentieth of a processor, until it ends; with @stacks, find out meanwhile who
 * allocates. Return: the status to exit with. @timeline->pid is 0 if it did not run.
 */
int map_record(char **argv, double interval, bool stacks,
	       struct map_timeline *timeline);

/*
 * The same of a process that runs, with who allocates from now on, until it ends or this
 * one is told to: by SIGHUP, SIGINT, SIGQUIT or SIGTERM. Return: 0, or a status to exit
 * with, when it is told what is wrong
 */
int map_follow(pid_t pid, double interval, struct map_timeline *timeline);

#endif /* _WINREGION_MAP_TIMELINE_H */
