// SPDX-License-Identifier: GPL-2.0
/*
 * The row of a whole allocator: the demo's workload on dlmalloc, which is
 * compiled from one source as for Windows, on winregion, and as for Unix, on
 * mmap() without and with mremap(). Three programs; this is the main part of
 * each.
 *
 * What blocks hold is written, but not checked: that would be most of the work,
 * and the same for all.
 */
#include <fcntl.h>

#include "../../userlib/examples/demo/demo.h"
#include "bench.h"

static int quiet(void)
{
	int out = dup(1);
	int null = open("/dev/null", O_WRONLY);

	dup2(null, 1);
	close(null);
	return out;
}

struct result {
	double cost;
	struct counts counts;
};

static void run_workload(struct result *result, bool counting)
{
	struct counts before, after;
	uint64_t started;

	if (counting)
		counts_read(&before, true);
	started = clock_now();
	workload_run(0);
	if (counting)
		counts_read(&after, true);
	workload_end();
	if (!counting)
		result->cost = clock_now() - started;
	else
		result->counts = (struct counts){
			.faults = after.faults - before.faults,
			.vmas = after.vmas - before.vmas,
			.locks = after.locks - before.locks,
		};
}

/* In a process that has done nothing else: by the clock, or counted */
static void run_apart(struct result *result, bool counting)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		run_workload(result, counting);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		die("the workload failed");
}

int main(int argc, char **argv)
{
	struct result *result = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int out = quiet();

	if (argc > 1 && !strcmp(argv[1], "-w"))
		bench_clock = CLOCK_WALL;
	workload_unchecked = 1;
	run_apart(result, false);
	/* The other boot has counted, and this one takes its time. */
	if (bench_clock != CLOCK_WALL)
		run_apart(result, true);
	fflush(stdout);
	dup2(out, 1);
	print_figure("alloc", ALLOC_WAY, 1, result->cost, &result->counts);
	return 0;
}
