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
#include <sys/stat.h>

#include "../common/ends.h"
#include "allocated.h"

/* Looks for threads that were started meanwhile: those of threads that are followed are. */
#define PASSES 16

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

/* As many as it has by now; those that it starts meanwhile would never end. */
static size_t count(DIR *directory)
{
	struct stat stat;

	return fstat(dirfd(directory), &stat) ? 1 : stat.st_nlink;
}

/* Return: a status of @follow above 0; 0; -1: there are no others, or none was left */
static int follow_others(DIR *directory, struct tids *tids,
			 int (*follow)(pid_t tid))
{
	size_t most = tids->nr + count(directory);
	int status = 0, found = -1;
	struct dirent *entry;
	pid_t tid;

	while (status <= 0 && tids->nr < most && !ends_count() &&
	       (entry = readdir(directory))) {
		tid = atoi(entry->d_name);
		if (tid <= 0 || !add(tids, tid))
			continue;
		status = follow(tid);
		if (!status)
			found = 0;
	}
	return status > 0 ? status : found;
}

/* Return: a status of @follow above 0; 0; -1: none was there */
static int follow_all(DIR *directory, struct tids *tids,
		      int (*follow)(pid_t tid))
{
	int status, found = -1;
	unsigned int pass;

	for (pass = 0; pass < PASSES && !ends_count(); pass++) {
		status = follow_others(directory, tids, follow);
		if (status)
			return status > 0 ? status : found;
		found = 0;
		rewinddir(directory);
	}
	if (pass == PASSES)
		fprintf(stderr,
			"%s: it starts threads all the time: some may be missing\n",
			program_invocation_short_name);
	return 0;
}

/**
 * trace_threads - follow all threads of a process
 * @pid: its number
 * @follow: follows one, and all that it starts from then on. Return: 0; -1: it has ended;
 *	or a status to exit with. It may be called for one that is followed already.
 *
 * One that is not followed yet may start another, so it goes on until there are no others,
 * or somebody has had enough; but not for ever: a process may start them as fast as that.
 *
 * Return: 0, or a status to exit with, when it has said why.
 */
int trace_threads(pid_t pid, int (*follow)(pid_t tid))
{
	struct tids tids = {};
	int status = -1;
	char path[64];
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	if (directory) {
		status = follow_all(directory, &tids, follow);
		closedir(directory);
	}
	free(tids.list);
	if (status >= 0)
		return status;
	fprintf(stderr, "%s: %d: No such process\n",
		program_invocation_short_name, pid);
	return 125;
}
