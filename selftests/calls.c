// SPDX-License-Identifier: GPL-2.0
/*
 * As many random calls as possible:
 *
 *	calls [CALLS [PROCESSES [SEED]]]
 *
 * Each process does so many. stress checks what each call does, and needs time
 * for that; this one only wants errors to be those of the contract, and the
 * kernel to survive ranges that are anything. Now and then pages are touched,
 * and a child is forked that exits at once.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/winregion.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define REGIONS 64
#define PAGE 4096ULL

static const int contract[] = {
	0, EINVAL, EDOM, EADDRNOTAVAIL, EOVERFLOW, EEXIST, ENOENT, EXDEV,
	ESPIPE, ENODATA, ENOSPC, EDQUOT, EMFILE, EACCES, ENOMEM,
};

static const uint32_t protections[] = {
	WINREGION_READWRITE, WINREGION_READWRITE, WINREGION_READWRITE,
	WINREGION_READONLY, WINREGION_NOACCESS, WINREGION_READWRITE |
	WINREGION_GUARD, WINREGION_EXECUTE_READ, WINREGION_EXECUTE_READWRITE,
	0, 0xff,
};

static int device;
static uint64_t state;
static struct { uint64_t base, length; } region[REGIONS];
static sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, sig);
}

/* xorshift64 */
static uint32_t random_below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % n;
}

static int call(unsigned long cmd, void *arg)
{
	unsigned int i;
	int err = ioctl(device, cmd, arg) ? errno : 0;

	for (i = 0; i < ARRAY_SIZE(contract); i++)
		if (contract[i] == err)
			return err;
	fprintf(stderr, "# ioctl %lx: errno %d is not in the contract\n", cmd,
		err);
	exit(1);
}

static uint32_t random_protection(void)
{
	return protections[random_below(sizeof(protections) /
					sizeof(protections[0]))];
}

/* Mostly inside a region, at times across its end, seldom anywhere */
static void random_range(struct winregion_range *range)
{
	unsigned int i = random_below(REGIONS);
	uint64_t pages = region[i].length / PAGE;

	range->address = region[i].base;
	if (pages)
		range->address += random_below(pages) * PAGE;
	range->length = (1 + random_below(random_below(4) ? 16 : 600)) * PAGE;
	if (random_below(8) &&
	    range->address + range->length > region[i].base + region[i].length)
		range->length = region[i].base + region[i].length -
				range->address;
	if (!random_below(500))
		range->address = state;
	if (!random_below(500))
		range->length = state >> random_below(64);
}

static void release(uint64_t address, uint64_t length)
{
	struct winregion_release arg = {
		.size = sizeof(arg), .address = address, .length = length,
	};

	call(WINREGION_RELEASE, &arg);
}

static void reserve(void)
{
	unsigned int i = random_below(REGIONS);
	struct winregion_reserve arg = {
		.size = sizeof(arg), .protection = random_protection(),
		.flags = random_below(8) ? 0 : random_below(4),
		.length = PAGE << random_below(random_below(8) ? 6 : 13),
	};

	if (region[i].length)
		release(region[i].base, 0);
	region[i].length = 0;
	if (call(WINREGION_RESERVE, &arg))
		return;
	region[i].base = arg.address;
	region[i].length = arg.length;
}

static void change(unsigned long cmd)
{
	struct winregion_change arg = { .size = sizeof(arg) };
	struct winregion_range ranges[8] = { 0 };
	unsigned int i, nr = random_below(16) ? 0 : 1 + random_below(8);

	for (i = 0; i < nr; i++) {
		random_range(&ranges[i]);
		if (cmd != WINREGION_DECOMMIT)
			ranges[i].protection = random_protection();
	}
	random_range(&arg.range);
	if (cmd != WINREGION_DECOMMIT)
		arg.range.protection = random_protection();
	if (nr) {
		arg.range = (struct winregion_range){ 0 };
		arg.ranges = (uintptr_t)ranges;
		arg.nr_ranges = nr;
	}
	call(cmd, &arg);
}

static void query(void)
{
	struct winregion_query arg = { .size = sizeof(arg) };
	struct winregion_range range;

	random_range(&range);
	arg.address = range.address;
	call(WINREGION_QUERY, &arg);
}

/* Of a region that exists, so that nobody else's memory is hit */
static void touch(void)
{
	unsigned int i = random_below(REGIONS);
	volatile char *byte;

	if (!region[i].length)
		return;
	byte = (char *)(uintptr_t)region[i].base +
	       random_below(region[i].length / PAGE) * PAGE;
	if (sigsetjmp(fault, 0))
		return;
	if (random_below(2))
		*byte = 1;
	else
		(void)*byte;
}

static void fork_once(void)
{
	pid_t pid = fork();
	int i;

	if (!pid) {
		for (i = 0; i < 100; i++)
			touch();
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* A part, and then what is left of it: regions must not become ever more. */
static void release_part(void)
{
	unsigned int i = random_below(REGIONS);
	uint64_t pages = region[i].length / PAGE, first, n;

	if (!pages)
		return;
	first = random_below(pages);
	n = 1 + random_below(pages - first);
	release(region[i].base + first * PAGE, n * PAGE);
	if (first)
		release(region[i].base, 0);
	if (first + n < pages)
		release(region[i].base + (first + n) * PAGE, 0);
	region[i].length = 0;
}

static void one_call(void)
{
	unsigned int kind = random_below(10000);

	if (kind < 300)
		reserve();
	else if (kind < 3500)
		change(WINREGION_COMMIT);
	else if (kind < 5500)
		change(WINREGION_DECOMMIT);
	else if (kind < 7500)
		change(WINREGION_PROTECT);
	else if (kind < 8500)
		query();
	else if (kind < 8520)
		release_part();
	else if (kind == 8520)
		fork_once();
	else
		touch();
}

static unsigned int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned int n = 0;
	int c;

	while (maps && (c = getc(maps)) != EOF)
		n += c == '\n';
	if (maps)
		fclose(maps);
	return n;
}

/* Calls must not become slower, nor mappings more, as the run goes on. */
static void progress(uint64_t done)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("# %d: %" PRIu64 " calls, %lld s, %u mappings\n", getpid(), done,
	       (long long)now.tv_sec, mappings());
	fflush(stdout);
}

static int run(uint64_t calls, uint64_t seed)
{
	uint64_t i;
	struct sigaction action = {
		.sa_handler = on_fault,
		.sa_flags = SA_NODEFER,
	};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	state = seed * 0x9E3779B97F4A7C15ULL;
	for (i = 1; i <= calls; i++) {
		one_call();
		if (!(i % 250000))
			progress(i);
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t calls = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
	int processes = argc > 2 ? atoi(argv[2]) : 1;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	int i, status, bad = 0;

	device = open("/dev/winregion", O_RDWR | O_CLOEXEC);
	if (device < 0) {
		perror("/dev/winregion");
		return 1;
	}
	for (i = 0; i < processes; i++)
		if (!fork())
			_exit(run(calls, seed + i));
	while (wait(&status) > 0)
		bad += status != 0;
	printf("%s: %" PRIu64 " calls by each of %d processes\n",
	       bad ? "FAILED" : "ok", calls, processes);
	return bad != 0;
}
