// SPDX-License-Identifier: GPL-2.0
/*
 * An area in which every page differs from its neighbours: runs of one page in
 * winregion's terms, VMAs in those of the kernel. Writable ones and read-only
 * ones take turns.
 */
#include <sys/mman.h>

#include "bench.h"

#define RANGES 1024

/* Every other one of so many writable pages can only be read then. */
void runs_alternate(char *base, size_t runs)
{
	static struct winregion_range ranges[RANGES];
	size_t page = 1;
	unsigned int nr;

	while (page < runs) {
		for (nr = 0; nr < RANGES && page < runs; nr++, page += 2)
			ranges[nr] = (struct winregion_range){
				.address = (uintptr_t)base + page * PAGE,
				.length = PAGE,
				.protection = RO,
			};
		if (wr_vector(device, WINREGION_PROTECT, ranges, nr))
			die("no %zu runs: %s", runs, strerror(errno));
	}
}

static char *runs_of_winregion(size_t runs)
{
	char *base = wr_reserve_aligned(device, runs * PAGE, HUGE, true);

	if (!base)
		die("no region for %zu runs: %s", runs, strerror(errno));
	runs_alternate(base, runs);
	return base;
}

/*
 * Each page by a call of its own, upwards in a hole: cheaper than to split a
 * mapping. The kernel's limit is raised for it, as only root can.
 */
static char *runs_of_vmas(size_t runs)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	char *base = mmap(NULL, (runs + 1) * PAGE, PROT_NONE, flags, -1, 0);
	int rights;
	size_t i;

	write_word("/proc/sys/vm/max_map_count", "3000000");
	munmap(base, (runs + 1) * PAGE);
	for (i = 0; i < runs; i++) {
		rights = i % 2 ? PROT_READ : PROT_READ | PROT_WRITE;
		if (mmap(base + i * PAGE, PAGE, rights,
			 flags | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
			die("no %zu VMAs: %s", runs, strerror(errno));
	}
	return base;
}

/* The same area in each lap: to make it takes longer than what it is for. */
char *runs_make(const struct way *way, size_t runs)
{
	static char *base;

	if (!base)
		base = strcmp(way->name, "winregion") ?
			       runs_of_vmas(runs) : runs_of_winregion(runs);
	return base;
}
