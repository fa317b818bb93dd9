// SPDX-License-Identifier: GPL-2.0
/*
 * The benchmark's program, for the guest:
 *
 *	bench [-w] [-l LAPS] [-p PROCESSES] [-y WAY] [ROW[@SIZE]...]
 *							rows by all ways, or one
 *	bench [-w] [-l LAPS] -o ROW SIZE WAY		one, in this process
 *	bench -f ROW SIZE WAY				one without end, for a profile
 *	bench -c [-f] [ROW[@SIZE]...]			are these names? (on any host)
 *
 * With -w by the clock on the wall, and the rows for two processors; else by
 * instructions, and the rows for one. A line of output:
 *
 *	figure ROW WAY SIZE COST FAULTS VMAS LOCKS LEAST MOST
 *
 * COST is the median of the laps, FAULTS to LOCKS are per operation, LEAST and
 * MOST are laps. There is a line for each of the PROCESSES.
 */

#include "bench.h"

#define THP "/sys/kernel/mm/transparent_hugepage/"

static unsigned int laps = 3;
static unsigned int processes = 5;
static const struct way *only_way;

static const struct row *const lists[] = {
	basic_rows, alarm_rows, event_rows, query_rows, other_rows,
	series_rows, view_rows, watch_rows, memory_rows, thread_rows,
	stack_rows, frame_rows, paging_rows,
};

static bool contains_word(const char *words, const char *word)
{
	size_t length = strlen(word);
	const char *at;

	for (at = words; (at = strstr(at, word)); at += length)
		if ((at == words || at[-1] == ' ') &&
		    (!at[length] || at[length] == ' '))
			return true;
	return false;
}

/* ---- names ---- */

/* ROW, or ROW-LAP where a row has laps with names, either with @SIZE */
static bool is_named(const struct row *row, const char *name)
{
	size_t length = strlen(row->name);
	const char *at = strchr(name, '@');
	char lap[64], size[32];

	snprintf(size, sizeof(size), "@%zu", row->size);
	if (at && strcmp(at, size))
		return false;
	snprintf(lap, sizeof(lap), "%.*s", (int)(at ? at - name : 63), name);
	if (strncmp(lap, row->name, length))
		return false;
	return !lap[length] || (lap[length] == '-' && row->laps_of &&
				contains_word(row->laps_of, lap + length + 1));
}

/* Rows of programs by themselves: alloc.c, heaps/main.c. "heap" is all of those. */
static const char *const others[] = {
	"alloc", "heap", "heap-small", "heap-small-2", "heap-mixed",
	"heap-mixed-2", "heap-large", "heap-large-2", "heap-trace",
	"heap-at-once", "claim",
};

static bool is_of_heaps(const char *name)
{
	return !strncmp(name, "heap", 4) || !strcmp(name, "claim");
}

/* Of the others those of heaps can be profiled, one at a time. */
static bool can_be_alone(const char *name)
{
	return is_of_heaps(name) && strcmp(name, "heap");
}

static bool is_a_name(const char *name, bool alone)
{
	const struct row *row;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		for (row = lists[i]; row->name; row++)
			if (is_named(row, name))
				return true;
	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(name, others[i]))
			return !alone || can_be_alone(name);
	return false;
}

static void print_name(const char *name, const struct row *row)
{
	const char *before = "@";

	fprintf(stderr, "  %s", name);
	if (row && row->laps_of)
		fprintf(stderr, "[-%s]", row->laps_of);
	if (row && row[1].name && !strcmp(name, row[1].name))
		do {
			fprintf(stderr, "%s%zu", before, row->size);
			before = ",";
		} while ((row++)[1].name && !strcmp(name, row->name));
	fprintf(stderr, "\n");
}

static void print_names(bool alone)
{
	const struct row *row;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		for (row = lists[i]; row->name; row++)
			if (row == lists[i] || strcmp(row->name, row[-1].name))
				print_name(row->name, row);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (!alone || can_be_alone(others[i]))
			print_name(others[i], NULL);
}

/* Return: an exit status */
static int check_names(char **names, bool alone)
{
	for (; *names; names++)
		if (!is_a_name(*names, alone)) {
			fprintf(stderr, "bench: no row '%s'; there are\n",
				*names);
			print_names(alone);
			return 2;
		}
	return 0;
}

/* ---- one row, in this process ---- */

/* "always" or "never"; winregion looks once a second. */
static void set_large_pages(const char *word)
{
	char text[64], wanted[16];
	FILE *file = fopen(THP "enabled", "re");

	if (!file || !fgets(text, sizeof(text), file))
		die("no transparent huge pages to switch");
	fclose(file);
	snprintf(wanted, sizeof(wanted), "[%s]", word);
	if (strstr(text, wanted))
		return;
	if (!write_word(THP "enabled", word))
		die("transparent huge pages cannot be switched");
	usleep(1100000);
}

static void prepare(const struct row *row)
{
	write_word(THP "khugepaged/scan_sleep_millisecs", "100000000");
	set_large_pages(row->huge ? "always" : "never");
	write_word(THP "defrag", "always");
	/* More runs than memory has pages are committed, and never touched. */
	write_word("/proc/sys/vm/overcommit_memory", "1");
	bench_open();
}

static void run_one(const struct row *row, const struct way *way)
{
	if (way->exists && !way->exists())
		return;
	prepare(row);
	if (row->once)
		row->run(way, row->size);
	else
		measure(row, way, laps);
}

static const struct row *row_find(const char *name, size_t size)
{
	const struct row *row;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		for (row = lists[i]; row->name; row++)
			if (is_named(row, name) &&
			    (!size || row->size == size))
				return row;
	die("no row '%s'", name);
}

/* ---- one without end ---- */

/* The names of the kernel's functions */
static void print_symbols(void)
{
	write_word("/proc/sys/kernel/kptr_restrict", "0");
	printf("symbols\n");
	fflush(stdout);
	if (system("grep -i ' [tw] ' /proc/kallsyms | cut -d ' ' -f 1,3 | gzip -1"))
		die("no symbols");
	printf("\nlooping\n");
	fflush(stdout);
}

static void run_forever(const struct row *row, const struct way *way)
{
	print_symbols();
	prepare(row);
	for (;;)
		row->run(way, row->size);
}

/* ---- all rows, each in a process of its own ---- */

static const char *clock_option(void)
{
	return bench_clock == CLOCK_WALL ? "-w" : "-i";
}

static pid_t begin_child(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("no process");
	return pid;
}

static void end_child_of(pid_t pid, const char *row, const char *way)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		printf("failed %s %s\n", row, way);
	/* What it left to be freed later is nobody else's. */
	sleep_ms(300);
}

static void run_apart(const struct row *row, const struct way *way)
{
	char size[32], many[16];
	pid_t pid;

	snprintf(size, sizeof(size), "%zu", row->size);
	snprintf(many, sizeof(many), "%u", laps);
	pid = begin_child();
	if (!pid) {
		execl("/proc/self/exe", "bench", clock_option(), "-l", many,
		      "-o", row->name, size, way->name, NULL);
		_exit(127);
	}
	end_child_of(pid, row->name, way->name);
}

/* Where things are in memory is another matter in each process. */
static void run_times(const struct row *row, const struct way *way)
{
	unsigned int times = row->many || row->once ? 1 : processes;

	while (times--)
		run_apart(row, way);
}

/* The allocators are programs by themselves: alloc.c. */
static void run_allocator(const char *way)
{
	pid_t pid = begin_child();

	if (!pid) {
		execl(path_beside("alloc-", way), "alloc", clock_option(), NULL);
		_exit(127);
	}
	end_child_of(pid, "alloc", way);
}

static void run_allocators(void)
{
	run_allocator("winregion");
	run_allocator("mmap");
	run_allocator("mremap");
}

#define LIBRARIES "/usr/lib/x86_64-linux-gnu/"

/* Those of heaps and what they are beside */
static const struct {
	const char *way;
	const char *program;
	const char *library;
} heap_ways[] = {
	{ "winregion", "heaps-winregion", NULL },
	{ "glibc", "heaps-malloc", NULL },
	{ "jemalloc", "heaps-malloc", LIBRARIES "libjemalloc.so.2" },
	{ "mimalloc", "heaps-malloc", LIBRARIES "libmimalloc.so.2" },
};

#define MOST_NAMES 32

static void run_heap_way(unsigned int i, char **names)
{
	char *argv[MOST_NAMES + 3] = { "heaps" };
	char **arg = argv + 1;
	pid_t pid = begin_child();

	if (!pid) {
		if (bench_clock == CLOCK_WALL)
			*arg++ = "-w";
		while (*names && arg < argv + MOST_NAMES)
			*arg++ = *names++;
		setenv("HEAPS_WAY", heap_ways[i].way, 1);
		if (heap_ways[i].library)
			setenv("LD_PRELOAD", heap_ways[i].library, 1);
		execv(path_beside(heap_ways[i].program, ""), argv);
		_exit(127);
	}
	end_child_of(pid, "heap", heap_ways[i].way);
}

static void run_heaps(char **names)
{
	unsigned int i;

	for (i = 0; names[i] && !is_of_heaps(names[i]); i++)
		;
	if (names[0] && !names[i])
		return;
	for (i = 0; i < ARRAY_SIZE(heap_ways); i++)
		if (!only_way || !strcmp(only_way->name, heap_ways[i].way))
			run_heap_way(i, names);
}

static void run_heaps_forever(char *name, const char *way)
{
	char *names[] = { "-f", name, NULL };
	unsigned int i;

	for (i = 0; strcmp(heap_ways[i].way, way); i++)
		if (i + 1 == ARRAY_SIZE(heap_ways))
			die("no way '%s'", way);
	print_symbols();
	if (!freopen("/dev/null", "w", stdout))
		die("no /dev/null");
	run_heap_way(i, names);
	die("it has come to an end");
}

/* Return: an exit status */
static int run_without_end(char **args)
{
	if (can_be_alone(args[0]))
		run_heaps_forever(args[0], args[2]);
	run_forever(row_find(args[0], atol(args[1])), way_find(args[2]));
	return 0;
}

/* Threads are for the clock on the wall only, series for the other one. */
static bool is_wanted(const struct row *row, char **names)
{
	bool wall = bench_clock == CLOCK_WALL;

	if (row->wall && !wall)
		return false;
	if (!*names)
		return !row->apart && (!wall || !row->series);
	for (; *names; names++)
		if (is_named(row, *names))
			return true;
	return false;
}

static void run_rows(char **names)
{
	const struct row *row;
	unsigned int i, j;

	settle();
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		for (row = lists[i]; row->name; row++) {
			if (!is_wanted(row, names))
				continue;
			for (j = 0; j < nr_ways; j++)
				if (contains_word(row->ways, ways[j].name) &&
				    (!only_way || only_way == &ways[j]))
					run_times(row, &ways[j]);
		}
	for (i = 0; names[i] && strcmp(names[i], "alloc"); i++)
		;
	if (!names[0] || names[i])
		run_allocators();
	run_heaps(names);
	printf("end of figures\n");
}

int main(int argc, char **argv)
{
	bool checking = false, alone = false;
	int option;

	while ((option = getopt(argc, argv, "ciwl:p:y:of")) != -1) {
		switch (option) {
		case 'c':
			checking = true;
			break;
		case 'i':
			break;
		case 'w':
			bench_clock = CLOCK_WALL;
			break;
		case 'l':
			laps = atoi(optarg);
			break;
		case 'p':
			processes = atoi(optarg);
			break;
		case 'y':
			only_way = way_find(optarg);
			break;
		case 'o':
			if (argc - optind != 3)
				return 2;
			run_one(row_find(argv[optind], atol(argv[optind + 1])),
				way_find(argv[optind + 2]));
			return 0;
		case 'f':
			alone = true;
			if (checking)
				break;
			if (argc - optind != 3)
				return 2;
			return run_without_end(argv + optind);
		default:
			return 2;
		}
	}
	if (checking)
		return check_names(argv + optind, alone);
	run_rows(argv + optind);
	return 0;
}
