// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to ask about the memory of another process, beside the same question of
 * that process about itself
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "bench.h"

#define ASKS 64

static char **regions;	/* of the other process, or of this one */
static int asked;	/* by which descriptor */

static char **make_regions(size_t nr)
{
	char **made = mmap(NULL, nr * sizeof(*made), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (made == MAP_FAILED)
		die("no table of regions");
	for (i = 0; i < nr; i++)
		made[i] = NULL;
	return made;
}

static void fill(size_t nr)
{
	const struct way *way = way_find("winregion");
	size_t i;

	for (i = 0; i < nr; i++) {
		regions[i] = way->reserve(UNIT, UNIT);
		way->commit(regions[i], PAGE);
	}
}

/* It has them until this process ends. */
static pid_t start_other(size_t nr)
{
	int made[2];
	pid_t pid;
	char told;

	if (pipe(made))
		die("no pipe");
	pid = fork();
	if (pid < 0)
		die("no process");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fill(nr);
		if (write(made[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(made[1]);
	if (read(made[0], &told, 1) != 1)
		die("the other process has failed");
	close(made[0]);
	return pid;
}

static int open_other(pid_t pid)
{
	struct winregion_open_process arg = { .size = sizeof(arg) };
	char path[32];
	int err;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	arg.memory = open(path, O_RDONLY | O_CLOEXEC);
	err = wr_ioctl(device, WINREGION_OPEN_PROCESS, &arg);
	if (err)
		die("the other process cannot be opened: %s", strerror(-err));
	close(arg.memory);
	return arg.out_fd;
}

static void ask(char *at)
{
	struct winregion_query query = {
		.size = sizeof(query),
		.address = (uintptr_t)at,
	};

	if (ioctl(asked, WINREGION_QUERY, &query) ||
	    query.out.region_address != (uintptr_t)at)
		die("wrong answer");
}

static void row_other(const struct way *way, size_t nr)
{
	size_t i;

	if (!regions) {
		regions = make_regions(nr);
		asked = device;
		if (strcmp(way->name, "own"))
			asked = open_other(start_other(nr));
		else
			fill(nr);
	}
	lap_start("", ASKS);
	for (i = 0; i < ASKS; i++)
		ask(regions[i * nr / ASKS]);
	lap_stop();
}

const struct row other_rows[] = {
	{ "query-other", row_other, "winregion own", 100000, 3, .many = true },
	{ }
};
