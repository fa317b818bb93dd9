// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata: bytes of kernel memory that winregion takes beside the pages
 *
 * The process is alone in a memory cgroup. Its "kernel" is all that the kernel
 * allocated on its behalf; taken off are page tables, and our pages, which are
 * kernel memory for the cgroup too. Page tables it would have in any case.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "bench.h"

#define ROOT "/sys/fs/cgroup/"
#define GROUP ROOT "bench/"

static void enter_group(void)
{
	write_word(ROOT "cgroup.subtree_control", "+memory");
	mkdir(GROUP, 0755);
	if (!write_word(GROUP "cgroup.procs", "0"))
		die("no memory cgroup");
}

/* What each processor has not yet told is told within two seconds. */
static double kernel_bytes(void)
{
	sleep_ms(3000);
	words_value(GROUP "memory.stat", "kernel");
	sleep_ms(3000);
	return (double)words_value(GROUP "memory.stat", "kernel") -
	       words_value(GROUP "memory.stat", "pagetables") -
	       words_value(GROUP "memory.stat", "sec_pagetables");
}

static double begin(void)
{
	static bool inside;

	if (!inside)
		enter_group();
	inside = true;
	return kernel_bytes();
}

static void row_page(const struct way *way, size_t pages)
{
	double before;
	char *base;

	before = begin();
	base = way->reserve(pages * PAGE, HUGE);
	way->commit(base, pages * PAGE);
	touch_all(base, pages * PAGE);
	print_figure("memory-page", way->name, pages,
		     (kernel_bytes() - before) / pages - PAGE, NULL);
}

static void row_run(const struct way *way, size_t runs)
{
	double before = begin();

	runs_make(way, runs);
	print_figure("memory-run", way->name, runs,
		     (kernel_bytes() - before) / runs, NULL);
}

/* One page of every 2 MiB: as far apart as runs can be for their number */
static void row_run_sparse(const struct way *way, size_t runs)
{
	double before = begin();
	char *base = way->reserve(runs / 2 * HUGE, HUGE);
	size_t i;

	for (i = 0; i < runs / 2; i++)
		way->commit(base + i * HUGE + UNIT, PAGE);
	print_figure("memory-run-sparse", way->name, runs,
		     (kernel_bytes() - before) / runs, NULL);
}

static double bytes_of(const struct way *way, size_t regions, size_t length)
{
	double before = begin();
	size_t i;

	for (i = 0; i < regions; i++)
		way->reserve(length, UNIT);
	return (kernel_bytes() - before) / regions;
}

static void row_region(const struct way *way, size_t regions)
{
	print_figure("memory-region", way->name, regions,
		     bytes_of(way, regions, UNIT), NULL);
}

/* Regions with a VMA each: less what as many VMAs take by themselves */
static void row_region_large(const struct way *way, size_t regions)
{
	double ours = bytes_of(way, regions, HUGE), vma = begin();

	runs_make(way_find("mmap"), regions);
	vma = (kernel_bytes() - vma) / regions;
	print_figure("memory-region-large", way->name, regions, ours - vma, NULL);
	print_figure("memory-vma", way->name, regions, vma, NULL);
}

#define ONCE .series = true, .once = true

const struct row memory_rows[] = {
	{ "memory-page", row_page, "winregion", 65536, ONCE },
	{ "memory-run", row_run, "winregion", 1000000, ONCE },
	{ "memory-run-sparse", row_run_sparse, "winregion", 10000, ONCE },
	{ "memory-region", row_region, "winregion", 100000, ONCE },
	{ "memory-region-large", row_region_large, "winregion", 10000, ONCE },
	{ }
};
