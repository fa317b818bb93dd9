// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls, compared with a model of what they must do:
 *
 *	fuzz [-n OPERATIONS] [-s SEED] [-p PROCESSES] [-t THREADS] [-S SHARERS]
 *	     [-e LENGTH] [-r 0|1|2] [-b BUG] [-P] [-E]
 *
 *	-n	operations in all (1000000)
 *	-s	the first seed (1); each LENGTH operations have one of their own
 *	-p	processes that work beside each other (1)
 *	-t	threads in each of them (1)
 *	-S	instead, each of them has so many that share sections (0)
 *	-e	operations with one seed (20000)
 *	-r	0: no raw bytes, 1: a tenth as many calls of that kind besides (the
 *		default), 2: nothing else
 *	-b	a mistake that the model makes, to see that it is found
 *	-P	memory is short all the time, and pages leave for swap on a zram
 *	-E	print what the model says of the first LENGTH operations as a
 *		program, and do nothing
 *
 * Exit status: 0 if there was no difference, 1 if there was, 2 if it could not
 * run. What made the difference is printed as a program.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_DIFFERENCES 3

/* Shared by all processes */
struct counts {
	uint64_t next_seed;
	uint64_t ops;
	uint64_t seeds;
	uint64_t raw;
	uint64_t differences;
	uint64_t failures;
};

struct settings {
	struct fuzz_options options;
	uint64_t ops;
	uint64_t seed;
	unsigned int processes;
	unsigned int raw;
	bool print;
};

static struct counts *counts;

static uint64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void add(uint64_t *count, uint64_t n)
{
	__atomic_add_fetch(count, n, __ATOMIC_RELAXED);
}

static void run_raw(uint64_t calls, uint64_t seed)
{
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(raw_run(calls, seed) != 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		printf("# raw seed %llu: status 0x%x\n",
		       (unsigned long long)seed, status);
		add(&counts->differences, 1);
	}
	add(&counts->raw, calls);
}

static void run_seed(struct fuzz_episode *episode, uint64_t seed)
{
	int ret = episode_run(episode, seed);

	add(&counts->ops, episode->report->done);
	add(&counts->seeds, 1);
	if (ret < 0)
		add(&counts->failures, 1);
	if (ret > 0 && counts->differences < MAX_DIFFERENCES) {
		add(&counts->differences, 1);
		shrink_and_print(episode, stdout);
	}
}

static int work(const struct settings *settings)
{
	uint64_t length = settings->options.ops, seed;
	uint64_t end = settings->seed + (settings->ops + length - 1) / length;
	struct fuzz_episode episode;

	if (!episode_init(&episode, &settings->options))
		return 2;
	while ((seed = __atomic_fetch_add(&counts->next_seed, 1,
					  __ATOMIC_RELAXED)) < end &&
	       counts->differences < MAX_DIFFERENCES && !counts->failures) {
		if (settings->raw < 2)
			run_seed(&episode, seed);
		if (settings->raw)
			run_raw(settings->raw < 2 ? length / 10 : length, seed);
	}
	return 0;
}

static void say(uint64_t began)
{
	uint64_t time = seconds() - began;

	printf("fuzz: %llu operations, %llu seeds, %llu raw calls, %llu s, %llu/s\n",
	       (unsigned long long)counts->ops,
	       (unsigned long long)counts->seeds,
	       (unsigned long long)counts->raw, (unsigned long long)time,
	       (unsigned long long)((counts->ops + counts->raw) /
				    (time ? time : 1)));
	fflush(stdout);
}

static int run(const struct settings *settings)
{
	uint64_t began = seconds(), said = began;
	unsigned int i, left = settings->processes;
	int status, bad = 0;

	counts->next_seed = settings->seed;
	if (settings->options.paging && !press_begin()) {
		printf("fuzz: no swap\n");
		return 2;
	}
	for (i = 0; i < settings->processes; i++)
		if (!fork()) {
			bad = work(settings);
			fflush(NULL);
			_exit(bad);
		}
	while (left) {
		if (waitpid(-1, &status, WNOHANG) > 0) {
			bad |= status;
			left--;
			continue;
		}
		usleep(50000);
		if (seconds() - said >= 10) {
			said = seconds();
			say(began);
		}
	}
	say(began);
	if (settings->options.paging && !press_end()) {
		printf("fuzz: somebody was killed for memory, or hardly anything was out\n");
		bad = 1;
	}
	if (bad || counts->failures) {
		printf("fuzz: no result\n");
		return 2;
	}
	printf("fuzz: %llu operations, %llu seeds, ",
	       (unsigned long long)(counts->ops + counts->raw),
	       (unsigned long long)counts->seeds);
	if (!counts->differences)
		printf("no difference\n");
	else
		printf("%llu DIFFERENCES\n",
		       (unsigned long long)counts->differences);
	return counts->differences ? 1 : 0;
}

static uint64_t parse_number(const char *text, uint64_t most)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value > most) {
		fprintf(stderr, "fuzz: no number: %s\n", text);
		exit(2);
	}
	return value;
}

static bool parse(struct settings *settings, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "n:s:p:t:S:e:r:b:PE")) != -1)
		switch (option) {
		case 'n':
			settings->ops = parse_number(optarg, UINT64_MAX);
			break;
		case 's':
			settings->seed = parse_number(optarg, UINT64_MAX);
			break;
		case 'p':
			settings->processes = parse_number(optarg, INT_MAX);
			break;
		case 't':
			settings->options.threads = parse_number(optarg, INT_MAX);
			break;
		case 'S':
			settings->options.sharers = parse_number(optarg, INT_MAX);
			break;
		case 'e':
			settings->options.ops = parse_number(optarg, UINT64_MAX);
			break;
		case 'r':
			settings->raw = parse_number(optarg, INT_MAX);
			break;
		case 'b':
			settings->options.bug = parse_number(optarg, INT_MAX);
			break;
		case 'P':
			settings->options.paging = true;
			break;
		case 'E':
			settings->print = true;
			break;
		default:
			return false;
		}
	return optind == argc && settings->ops && settings->processes &&
	       settings->options.ops && settings->options.threads &&
	       settings->options.threads <= FUZZ_THREADS &&
	       settings->options.sharers <= SHARE_PROCESSES &&
	       (!settings->options.sharers || settings->options.threads == 1);
}

int main(int argc, char **argv)
{
	struct settings settings = {
		.options = { .ops = 20000, .threads = 1 },
		.ops = 1000000,
		.seed = 1,
		.processes = 1,
		.raw = 1,
	};

	if (!parse(&settings, argc, argv)) {
		fprintf(stderr,
			"usage: fuzz [-n OPERATIONS] [-s SEED] [-p PROCESSES] [-t THREADS] [-S SHARERS] [-e LENGTH] [-r 0|1|2] [-b BUG] [-P] [-E]\n");
		return 2;
	}
	if (settings.print)
		return episode_print(&settings.options, settings.seed, stdout) ?
		       2 : 0;
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return counts == MAP_FAILED ? 2 : run(&settings);
}
