// SPDX-License-Identifier: GPL-2.0
/*
 * Two threads on regions of their own, against one: how many times as much they
 * get done. For two processors and the clock on the wall.
 *
 * One alone and two together take turns, and the best time of each counts:
 * what makes them slower is the host's other work. A loop that needs nothing of
 * the kernel shows what two processors of this host are worth at best.
 *
 * A decommit of pages in memory has to tell the other processor to forget them,
 * and to wait for it, as both run the process. That takes as long for 64 KiB
 * as for all, so it is measured with both.
 */
#include <pthread.h>
#include <sched.h>

#include "bench.h"

#define THREADS 2
#define ROUNDS 12
#define CYCLES 4
#define LENGTH MIB(16)
#define LOOP 20000000

struct worker {
	const struct way *way; /* NULL: the loop */
	pthread_t thread;
	char *base;
	size_t decommit;
	unsigned int cpu;
	unsigned int of;
	uint64_t began;
	uint64_t ended;
};

static unsigned int waiting;

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("no processor %u", cpu);
}

static void meet(unsigned int of)
{
	__atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) < of)
		__builtin_ia32_pause();
}

static void cycle(const struct way *way, char *base, size_t decommit)
{
	size_t i;

	for (i = 0; i < LENGTH; i += UNIT) {
		way->commit(base + i, UNIT);
		touch_all(base + i, UNIT);
	}
	for (i = 0; i < LENGTH; i += decommit)
		way->decommit(base + i, decommit);
}

static void work_once(const struct worker *worker)
{
	volatile unsigned int i;

	if (worker->way)
		cycle(worker->way, worker->base, worker->decommit);
	else
		for (i = 0; i < LOOP; i++)
			;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	unsigned int i;

	pin(worker->cpu);
	work_once(worker);
	meet(worker->of);
	worker->began = clock_now();
	for (i = 0; i < CYCLES; i++)
		work_once(worker);
	worker->ended = clock_now();
	return NULL;
}

/* From when the first began until the last has ended */
static uint64_t run_threads(struct worker *workers, unsigned int nr)
{
	uint64_t began = ~0ULL, ended = 0;
	unsigned int i;

	waiting = 0;
	for (i = 0; i < nr; i++) {
		workers[i].of = nr;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			die("no thread");
	}
	for (i = 0; i < nr; i++) {
		pthread_join(workers[i].thread, NULL);
		if (workers[i].began < began)
			began = workers[i].began;
		if (workers[i].ended > ended)
			ended = workers[i].ended;
	}
	return ended - began;
}

/* How many times as much two get done as one */
static double gain(struct worker *workers)
{
	uint64_t alone = ~0ULL, together = ~0ULL, took;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		took = run_threads(workers, 1);
		alone = took < alone ? took : alone;
		took = run_threads(workers, THREADS);
		together = took < together ? took : together;
	}
	return THREADS * (double)alone / together;
}

static void row_threads(const struct way *way, size_t decommit)
{
	struct worker workers[THREADS] = { 0 };
	unsigned int i;

	for (i = 0; i < THREADS; i++)
		workers[i].cpu = i;
	if (way == way_find("winregion"))
		print_figure("threads", "loop", decommit, gain(workers), NULL);
	for (i = 0; i < THREADS; i++) {
		workers[i].way = way;
		workers[i].base = way->reserve(LENGTH, HUGE);
		workers[i].decommit = decommit;
	}
	print_figure("threads", way->name, decommit, gain(workers), NULL);
}

const struct row thread_rows[] = {
	{ "threads", row_threads, "winregion mmap madvise guard", UNIT,
	  .wall = true, .once = true },
	{ "threads", row_threads, "winregion mmap madvise guard", LENGTH,
	  .wall = true, .once = true },
	{ }
};
