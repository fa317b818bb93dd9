// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of heaps, by the allocator of this program:
 *
 *	heaps [-w] [ROW...]
 *	heaps -f ROW		one without end, for a profile
 *
 * Each row is a process of its own. Blocks are written at both ends, so their pages are
 * in memory; what is measured as memory is how much more the process has at the end,
 * with all blocks that live then. One row replays what a real program has allocated:
 * the file "heaps-trace" beside this program, see record.c.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../bench.h"
#include "heaps.h"
#include "trace.h"

#define MOST_THREADS 2

/* Sizes of blocks, how many live, and how often one of them is replaced */
struct mix {
	size_t (*size)(uint32_t random);
	unsigned int slots;
	unsigned int rounds;
};

static size_t small_size(uint32_t random)
{
	return 16 + random % 240;
}

/* Mostly small, and some of each larger kind */
static size_t mixed_size(uint32_t random)
{
	uint32_t kind = random % 100;

	random /= 100;
	if (kind < 80)
		return 16 + random % 240;
	if (kind < 95)
		return 256 + random % 1800;
	return 2048 + random % 30000;
}

static size_t large_size(uint32_t random)
{
	return KIB(64) + random % KIB(1500);
}

static const struct mix small = { small_size, 20000, 100000 };
static const struct mix mixed = { mixed_size, 5000, 50000 };
static const struct mix large = { large_size, 24, 400 };

/* ---- blocks come and go ---- */

struct worker {
	const struct mix *mix;
	char **blocks;
	uint64_t seed;
	pthread_t thread;
};

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

static char *new_touched(size_t size)
{
	char *block = block_new(size);

	if (!block)
		die("no memory");
	touch(block);
	touch(block + size - 1);
	return block;
}

static void *replace(void *arg)
{
	struct worker *worker = arg;
	const struct mix *mix = worker->mix;
	unsigned int i, slot;

	for (i = 0; i < mix->rounds; i++) {
		slot = next_random(&worker->seed) % mix->slots;
		block_free(worker->blocks[slot]);
		worker->blocks[slot] =
			new_touched(mix->size(next_random(&worker->seed)));
	}
	return NULL;
}

static void begin_worker(struct worker *worker, const struct mix *mix,
			 uint64_t seed)
{
	*worker = (struct worker){ .mix = mix, .seed = seed };
	worker->blocks = mmap(NULL, mix->slots * sizeof(char *),
			      PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
			      0);
	if (worker->blocks == MAP_FAILED)
		die("no memory for a table");
}

static void run_workers(struct worker *workers, unsigned int nr)
{
	unsigned int i;

	if (nr == 1)
		replace(workers);
	for (i = 0; nr > 1 && i < nr; i++)
		if (pthread_create(&workers[i].thread, NULL, replace,
				   &workers[i]))
			die("no thread");
	for (i = 0; nr > 1 && i < nr; i++)
		pthread_join(workers[i].thread, NULL);
}

static double resident(void)
{
	return words_value("/proc/self/status", "VmRSS");
}

static void row_mix(const char *name, const struct mix *mix, unsigned int nr)
{
	struct worker workers[MOST_THREADS];
	char memory[64];
	double before;
	uint64_t begun;
	unsigned int i;

	for (i = 0; i < nr; i++)
		begin_worker(&workers[i], mix, i + 1);
	before = resident();
	/* Once to fill the slots */
	run_workers(workers, nr);
	begun = clock_now();
	run_workers(workers, nr);
	print_figure(name, way_name, 1,
		     (double)(clock_now() - begun) / mix->rounds / nr, NULL);
	if (bench_clock == CLOCK_WALL)
		return;
	snprintf(memory, sizeof(memory), "%s-memory", name);
	print_figure(memory, way_name, 1, resident() - before, NULL);
}

/* ---- others ---- */

static void row_at_once(void)
{
	const unsigned int n = 100;
	uint64_t begun;
	unsigned int i;

	blocks_at_once(1000);
	begun = clock_now();
	for (i = 0; i < n; i++)
		blocks_at_once(1000);
	print_figure("heap-at-once", way_name, 1,
		     (double)(clock_now() - begun) / n, NULL);
}

static void step(const struct trace_event *event, char **blocks)
{
	char **block = &blocks[event->block];

	switch (event->what) {
	case TRACE_NEW:
		*block = new_touched(event->size);
		break;
	case TRACE_RESIZE:
		*block = block_resize(*block, event->size);
		touch(*block + event->size - 1);
		break;
	case TRACE_FREE:
		block_free(*block);
		*block = NULL;
		break;
	}
}

static void row_trace(void)
{
	const struct trace_event *events;
	struct stat st;
	double before;
	uint64_t begun;
	size_t nr, i;
	char **blocks;
	int fd = open(path_beside("heaps-trace", ""), O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		die("no trace");
	nr = st.st_size / sizeof(*events);
	events = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE,
		      fd, 0);
	blocks = mmap(NULL, nr * sizeof(*blocks), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (events == MAP_FAILED || blocks == MAP_FAILED || nr < 1000)
		die("no trace to replay");
	before = resident();
	begun = clock_now();
	for (i = 0; i < nr; i++)
		step(&events[i], blocks);
	print_figure("heap-trace", way_name, 1,
		     (double)(clock_now() - begun) / nr, NULL);
	if (bench_clock != CLOCK_WALL)
		print_figure("heap-trace-memory", way_name, 1,
			     resident() - before, NULL);
}

/* ---- all ---- */

static void row_small(void)
{
	row_mix("heap-small", &small, 1);
}

static void row_small_2(void)
{
	row_mix("heap-small-2", &small, 2);
}

static void row_mixed(void)
{
	row_mix("heap-mixed", &mixed, 1);
}

static void row_mixed_2(void)
{
	row_mix("heap-mixed-2", &mixed, 2);
}

static void row_large(void)
{
	row_mix("heap-large", &large, 1);
}

static void row_large_2(void)
{
	row_mix("heap-large-2", &large, 2);
}

/* The names are those of main.c in the directory above. */
static const struct {
	const char *name;
	void (*run)(void);
} heap_rows[] = {
	{ "heap-small", row_small },	 { "heap-small-2", row_small_2 },
	{ "heap-mixed", row_mixed },	 { "heap-mixed-2", row_mixed_2 },
	{ "heap-large", row_large },	 { "heap-large-2", row_large_2 },
	{ "heap-trace", row_trace },	 { "heap-at-once", row_at_once },
	{ "claim", run_claims },
};

static bool is_wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, name) || !strcmp(*names, "heap"))
			return true;
	return false;
}

static void run_apart(void (*run)(void))
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		run();
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		die("a row of heaps failed");
}

static void run_forever(const char *name)
{
	unsigned int i;

	for (i = 0; strcmp(heap_rows[i].name, name); i++)
		if (i + 1 == ARRAY_SIZE(heap_rows))
			die("no row '%s'", name);
	for (;;)
		run_apart(heap_rows[i].run);
}

int main(int argc, char **argv)
{
	unsigned int i;

	argv++;
	if (argc == 3 && !strcmp(*argv, "-f"))
		run_forever(argv[1]);
	if (*argv && !strcmp(*argv, "-w")) {
		bench_clock = CLOCK_WALL;
		argv++;
	}
	for (i = 0; i < ARRAY_SIZE(heap_rows); i++)
		if (is_wanted(heap_rows[i].name, argv))
			run_apart(heap_rows[i].run);
	return 0;
}
