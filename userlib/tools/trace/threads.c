// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All threads of a process, which may start others meanwhile
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "allocated.h"

struct tids {
	pid_t *list;
	size_t nr;
	size_t room;
};

/* Return: false if it is known already */
static bool add(struct tids *tids, pid_t tid)
{
	size_t i;

	for (i = 0; i < tids->nr; i++)
		if (tids->list[i] == tid)
			return false;
	if (tids->nr == tids->room) {
		tids->room = 2 * tids->room + 64;
		tids->list = realloc(tids->list, tids->room * sizeof(tid));
		if (!tids->list)
			abort();
	}
	tids->list[tids->nr++] = tid;
	return true;
}

/* Return: a status of @follow above 0; 0; -1: there are no others, or none was left */
static int follow_others(DIR *directory, struct tids *tids,
			 int (*follow)(pid_t tid))
{
	int status = 0, found = -1;
	struct dirent *entry;
	pid_t tid;

	while (status <= 0 && (entry = readdir(directory))) {
		tid = atoi(entry->d_name);
		if (tid <= 0 || !add(tids, tid))
			continue;
		status = follow(tid);
		if (!status)
			found = 0;
	}
	return status > 0 ? status : found;
}

/**
 * trace_threads - follow all threads of a process
 * @pid: its number
 * @follow: follows one, and all that it starts from then on. Return: 0; -1: it has ended;
 *	or a status to exit with. It may be called for one that is followed already.
 *
 * One that is not followed yet may start another, so it goes on until there are no others.
 *
 * Return: 0, or a status to exit with, when it has said why.
 */
int trace_threads(pid_t pid, int (*follow)(pid_t tid))
{
	struct tids tids = {};
	bool some = false;
	int status = -1;
	char path[64];
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	while (directory &&
	       !(status = follow_others(directory, &tids, follow))) {
		some = true;
		rewinddir(directory);
	}
	if (directory)
		closedir(directory);
	free(tids.list);
	if (status > 0 || some)
		return status > 0 ? status : 0;
	fprintf(stderr, "%s: %d: No such process\n",
		program_invocation_short_name, pid);
	return 125;
}
