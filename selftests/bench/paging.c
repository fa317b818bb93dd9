// SPDX-License-Identifier: GPL-2.0
/*
 * A job on three times as much as there is of memory, so that most of it is out at any
 * time: by regions, or as anonymous memory, in the same boot. What is in each page is
 * looked at, and nobody may be killed.
 *
 * Swap is compressed in memory, or a file of a file system. Its disk is memory, too, as
 * there is none in the guest: which has as much more of it then (bench.sh).
 */
#define SWAP_BYTES (2ULL << 30)

#include "bench.h"
#include "../loop.h"
#include "../swap.h"

#define DISK "/tmp/disk"
#define IMAGE DISK "/image"
#define IMAGE_BYTES MIB(2252)
#define MOUNTED "/tmp/mounted"
#define SWAP_FILE MOUNTED "/swap"

#define SIZE MIB(1536)
#define STEP 1000003 /* a prime: in steps of that each page comes once */
#define PART MIB(1)

/* ---- swap ---- */

static int make_file(const char *path, uint64_t bytes)
{
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	static char zeros[1 << 20];
	uint64_t done;

	for (done = 0; file >= 0 && done < bytes; done += sizeof(zeros))
		if (write(file, zeros, sizeof(zeros)) != sizeof(zeros))
			die("%s: %s", path, strerror(errno));
	return file;
}

static bool make_swap_file(void)
{
	char device[32];
	int file;

	mkdir(DISK, 0700);
	mkdir(MOUNTED, 0700);
	if (mount("none", DISK, "ramfs", 0, NULL) ||
	    loop_over(make_file(IMAGE, IMAGE_BYTES), device,
		      sizeof(device)) < 0 ||
	    !loop_mount(device, MOUNTED))
		return false;
	file = make_file(SWAP_FILE, SWAP_BYTES);
	return file >= 0 && write_swap_head(file, SWAP_BYTES) &&
	       !fsync(file) && !close(file) &&
	       write_text(DROP_CACHES, "3") && !swapon(SWAP_FILE, 0);
}

/* Once for all ways */
static bool have_swap_file(void)
{
	return *read_from("/proc/swaps", SWAP_FILE) || make_swap_file();
}

/* ---- the job ---- */

static void fill(char *base, size_t first, size_t pages, uint64_t seed)
{
	size_t i;

	for (i = first; i < first + pages; i++)
		fill_page(base + PAGES(i), seed + i);
}

static void expect(char *base, size_t i, uint64_t seed)
{
	if (!page_has(base + PAGES(i), seed + i))
		die("page %zu is not as it was", i);
}

/* Each is looked at, and is another one then. */
static void change_all(char *base, size_t pages, size_t step, uint64_t seed)
{
	size_t n, i = 0;

	for (n = 0; n < pages; n++) {
		expect(base, i, seed);
		fill_page(base + PAGES(i), seed + pages + i);
		i = (i + step) % pages;
	}
}

/* Some of the pages, in a child */
static void fork_once(char *base, size_t pages, uint64_t seed)
{
	pid_t pid = fork();
	int status;
	size_t i;

	if (!pid) {
		for (i = 0; i < pages; i += 64) {
			expect(base, i, seed);
			fill_page(base + PAGES(i), i);
		}
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		die("a child has failed");
}

/* Parts of it go, and come back as zeros. */
static void renew_parts(const struct way *way, char *base, size_t size,
			uint64_t seed)
{
	size_t at;

	for (at = 0; at < size; at += 8 * PART) {
		way->decommit(base + at, PART);
		way->commit(base + at, PART);
		if (!page_is_zero(base + at + PART / 2))
			die("what was decommitted is there");
		fill(base, at / PAGE, PART / PAGE, seed);
	}
}

static char *make(const struct way *way, size_t size, uint64_t seed)
{
	char *base = way->reserve(size, HUGE);

	way->commit(base, size);
	fill(base, 0, size / PAGE, seed);
	return base;
}

/* Another process, which has something of its own all the time */
struct other {
	pid_t pid;
	int go;
};

static void begin_other(struct other *other, const struct way *way, size_t size)
{
	int go[2], ready[2];
	char *base, c;

	if (pipe(go) || pipe(ready))
		die("no pipe");
	other->pid = fork();
	if (other->pid < 0)
		die("no process");
	if (!other->pid) {
		close(go[1]);
		bench_open();
		base = make(way, size, 7);
		if (write(ready[1], "", 1) != 1 || read(go[0], &c, 1) < 0)
			die("a pipe has failed");
		change_all(base, size / PAGE, 1, 7);
		_exit(0);
	}
	close(go[0]);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		die("the other process has failed");
	close(ready[0]);
	other->go = go[1];
}

static void end_other(struct other *other)
{
	int status;

	close(other->go);
	if (waitpid(other->pid, &status, 0) != other->pid || status)
		die("the other process has failed");
}

static void run_job(const char *row, const struct way *way, size_t size)
{
	size_t pages = size / PAGE;
	struct other other;
	uint64_t began, out;
	char name[32], *base;

	begin_other(&other, way, size / 8);
	began = clock_now();
	base = make(way, size, 1);
	out = clock_now() - began;
	change_all(base, pages, 1, 1);
	fork_once(base, pages, 1 + pages);
	change_all(base, pages, STEP, 1 + pages);
	renew_parts(way, base, size, 1 + 2 * pages);
	change_all(base, pages, STEP, 1 + 2 * pages);
	fork_once(base, pages, 1 + 3 * pages);
	change_all(base, pages, 1, 1 + 3 * pages);
	end_other(&other);
	snprintf(name, sizeof(name), "%s-out", row);
	print_figure(name, way->name, size, out, NULL);
	snprintf(name, sizeof(name), "%s-job", row);
	print_figure(name, way->name, size, clock_now() - began, NULL);
	way->release(base, size);
}

static void run_unharmed(const char *row, const struct way *way, size_t size)
{
	long kills = oom_kills();

	run_job(row, way, size);
	if (oom_kills() != kills)
		die("somebody was killed");
}

static void row_zram(const struct way *way, size_t size)
{
	if (!have_swap())
		die("no swap in memory");
	run_unharmed("paging-zram", way, size);
}

static void row_file(const struct way *way, size_t size)
{
	if (!have_swap_file())
		die("no swap in a file: %s", strerror(errno));
	run_unharmed("paging-file", way, size);
}

const struct row paging_rows[] = {
	{ "paging-zram", row_zram, "winregion mmap", SIZE, .laps_of = "out job",
	  .wall = true, .once = true, .apart = true },
	{ "paging-file", row_file, "winregion mmap", SIZE, .laps_of = "out job",
	  .wall = true, .once = true, .apart = true },
	{ }
};
