/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs of which there are two builds, as for Linux and as for Windows: to run them
 * and to compare what they print. Who includes this has a DIRECTORY for them to work in,
 * and ERRORS_TOO if what they print as errors is to be compared as well.
 */
#ifndef _SELFTESTS_TWO_BUILDS_H
#define _SELFTESTS_TWO_BUILDS_H

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "loop.h"
#include "programs.h"

#define MAX_WORDS 16

enum build {
	NATIVE,
	WIN32,
	BUILDS
};

static const char *const names[BUILDS] = { "native", "win32" };

/* ---- to run a program ---- */

/**
 * struct run - a program that runs
 * @pid: its process
 * @out: what it prints, or -1 if that goes to a file
 */
struct run {
	pid_t pid;
	int out;
};

/* Words of a command, which are not quoted */
static inline void split(char *command, char **words)
{
	int n = 0;

	for (words[n] = strtok(command, " "); words[n] && n + 1 < MAX_WORDS;)
		words[++n] = strtok(NULL, " ");
	words[n] = NULL;
}

/* Run a command in @directory, with its output, and what is @in, from files there. */
static inline pid_t spawn(enum build build, const char *command,
			  const char *directory, const char *in, int out)
{
	char text[2 * PATH_MAX], path[sizeof(programs) + 64], *words[MAX_WORDS];
	pid_t pid;

	snprintf(text, sizeof(text), "%s", command);
	split(text, words);
	snprintf(path, sizeof(path), "%s/%s/%s", programs, names[build],
		 words[0]);
	words[0] = path;
	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;

	/* It goes with its test. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#ifdef ERRORS_TOO
	dup2(out, STDERR_FILENO);
#endif
	if (chdir(directory) || (in && !freopen(in, "r", stdin)) ||
	    dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	execv(path, words);
	_exit(127);
}

static inline struct run start(enum build build, const char *command,
			       const char *directory)
{
	struct run run = { .pid = -1 };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return run;
	run.pid = spawn(build, command, directory, NULL, ends[1]);
	run.out = ends[0];
	close(ends[1]);
	return run;
}

/* Lines of what it prints: until there are so many, or there is no more */
static inline unsigned int read_lines(struct run *run, unsigned int lines)
{
	unsigned int n = 0;
	char c;

	while (n < lines && read(run->out, &c, 1) == 1)
		n += c == '\n';
	return n;
}

/* Its exit status, or -signal */
static inline int status_of(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1000;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static inline int end(struct run *run)
{
	read_lines(run, -1);
	close(run->out);
	return status_of(run->pid);
}

static inline int end_by_signal(struct run *run)
{
	kill(run->pid, SIGKILL);
	close(run->out);
	return status_of(run->pid);
}

/* The file @name of a directory, to be written anew */
static inline int create(const char *directory, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

/* Run to the end, from file @in (or NULL) to file @out of the directory */
static inline int run_from(enum build build, const char *command,
			   const char *directory, const char *in,
			   const char *out)
{
	int fd = create(directory, out), status;

	status = status_of(spawn(build, command, directory, in, fd));
	close(fd);
	return status;
}

static inline int run(enum build build, const char *command,
		      const char *directory, const char *out)
{
	return run_from(build, command, directory, NULL, out);
}

/* ---- to compare what they print ---- */

static inline FILE *open_text(const char *directory, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return fopen(path, "r");
}

/* The test's own: take out of a line what may differ, or say that all of it may. */
static bool is_to_compare(char *line);

static inline bool next_line(FILE *file, char *line, size_t size)
{
	do {
		if (!fgets(line, size, file))
			return false;
	} while (!is_to_compare(line));
	return true;
}

/* Return: lines that are the same in both, or -1 if some are not, which is told */
static inline long compare(FILE *a, FILE *b)
{
	static char line_a[32768], line_b[32768];
	bool more_a, more_b;
	long n = 0;

	for (;; n++) {
		more_a = next_line(a, line_a, sizeof(line_a));
		more_b = next_line(b, line_b, sizeof(line_b));
		if (!more_a && !more_b)
			return n;
		if (more_a != more_b || strcmp(line_a, line_b))
			break;
	}
	fprintf(stderr, "# line %ld: \"%.60s\" and \"%.60s\"\n", n + 1,
		more_a ? line_a : "", more_b ? line_b : "");
	return -1;
}

/* Whether the files are alike, and have at least so many lines */
static inline bool same_text(const char *directory_a, const char *name_a,
			     const char *directory_b, const char *name_b,
			     long lines)
{
	FILE *a = open_text(directory_a, name_a);
	FILE *b = open_text(directory_b, name_b);
	long n = a && b ? compare(a, b) : -1;

	if (a)
		fclose(a);
	if (b)
		fclose(b);
	if (n < lines)
		fprintf(stderr, "# %s/%s, %s/%s: %ld lines of %ld are alike\n",
			directory_a, name_a, directory_b, name_b, n, lines);
	return n >= lines;
}

static inline void remove_tree(const char *name)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf %s", name);
	if (system(command))
		fprintf(stderr, "# cannot remove %s\n", name);
}

/* ---- where they work ---- */

#define IMAGE DIRECTORY ".img"
#define DISK_SIZE MIB(256)

/**
 * struct place - in DIRECTORY, of the test's, one to work in for each build
 * @directory: their names
 * @ms: how many milliseconds programs ran in each
 * @loop: the device, or -1: they are on tmpfs
 */
struct place {
	char directory[BUILDS][64];
	uint64_t ms[BUILDS];
	int loop;
};

static inline bool mount_disk(struct place *place)
{
	char device[32];

	place->loop = loop_begin(IMAGE, DISK_SIZE, device, sizeof(device));
	return place->loop >= 0 && loop_mount(device, DIRECTORY);
}

static inline bool make_place(struct place *place, bool disk)
{
	int build;

	place->loop = -1;
	/* What a test left that ran out of time */
	umount2(DIRECTORY, MNT_DETACH);
	remove_tree(DIRECTORY);
	if (mkdir(DIRECTORY, 0755) || (disk && !mount_disk(place)))
		return false;
	for (build = NATIVE; build < BUILDS; build++) {
		snprintf(place->directory[build],
			 sizeof(place->directory[build]), DIRECTORY "/%s",
			 names[build]);
		if (mkdir(place->directory[build], 0755))
			return false;
	}
	return true;
}

static inline void remove_place(struct place *place)
{
	umount2(DIRECTORY, MNT_DETACH);
	loop_end(place->loop, IMAGE);
	remove_tree(DIRECTORY);
}

static inline void show_times(struct place *place, const char *what)
{
	printf("# %s: native %llu ms, win32 %llu ms\n", what,
	       (unsigned long long)place->ms[NATIVE],
	       (unsigned long long)place->ms[WIN32]);
	fflush(stdout);
	memset(place->ms, 0, sizeof(place->ms));
}

#endif /* _SELFTESTS_TWO_BUILDS_H */
