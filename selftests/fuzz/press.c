// SPDX-License-Identifier: GPL-2.0
/*
 * Has memory be short, for as long as a fuzzer runs: a process that uses more anonymous
 * memory than there is, round and round, so that the kernel always looks for pages to
 * have. What the fuzzer has is little, and always in use: so that it leaves, too, its
 * memory cgroup is asked for more than it has, again and again.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "common.h"
#include "fuzz.h"
#include "wr_test_util.h"
#include "paging.h"
#include "tracefs.h"

/* More than what is available */
#define BEYOND (32 << 20)

/* Pages that are written before it rests, and how often it does so before it asks */
#define AT_A_TIME 64
#define RESTS 4

/* Pages that have come back at least, or memory was not short */
#define ENOUGH 50

static pid_t presser;
static long kills;

/* Pages of regions are counted that have come back. */
static bool count_pages(void)
{
	rmdir(TRACE_INSTANCE);
	return !mkdir(TRACE_INSTANCE, 0700) &&
	       trace_set("events/winregion/wr_page_in/enable", "1");
}

static long pages_in(void)
{
	const char *text =
		read_from(TRACE_INSTANCE "/trace", "entries-written: ");
	unsigned long left, all;

	return sscanf(text, "# entries-in-buffer/entries-written: %lu/%lu",
		      &left, &all) == 2 ? all : 0;
}

static void press(size_t pages)
{
	char *base = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t round = 0;
	size_t i;

	if (base == MAP_FAILED)
		_exit(1);
	for (i = 0;; i++) {
		*(uint64_t *)(base + i % pages * 4096) = i;
		if (i % AT_A_TIME)
			continue;
		usleep(500);
		if (!(++round % RESTS))
			group_write("memory.reclaim", "64M");
	}
}

bool press_begin(void)
{
	int64_t pages = (meminfo("MemAvailable") + BEYOND) / 4096;

	if (!have_swap() || !count_pages() || !make_group("max"))
		return false;
	kills = oom_kills();
	presser = fork();
	if (!presser) {
		/* If somebody is to be killed, it is not who is being tested. */
		write_text("/proc/self/oom_score_adj", "1000");
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		press(pages);
	}
	return presser > 0 && group_write("cgroup.procs", "0");
}

bool press_end(void)
{
	long pages = pages_in();

	trace_end();
	kill(presser, SIGKILL);
	if (waitpid(presser, NULL, 0) != presser ||
	    !write_text(CGROUP_ROOT "/cgroup.procs", "0") ||
	    !SETTLES(!rmdir(group)))
		return false;
	printf("fuzz: %ld times pages of regions were out, and came back\n",
	       pages);
	return oom_kills() == kills && pages >= ENOUGH;
}
