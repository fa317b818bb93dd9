// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Scene 3: one region, and every second page of it read-only
 *
 * Collectors and JIT compilers protect single pages. With mprotect() that is a
 * VMA for each change between neighbours, until there are no more to be had.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <winregion/windows.h>

#include "demo.h"

#define PAGE ((size_t)4096)
#define PAGES ((size_t)131072)
#define BYTES (PAGES * PAGE)
#define CALLS (PAGES / 2)

/* Pages whose protection is tried out: one pair in so many */
#define SAMPLE_STEP ((size_t)1024)

struct way {
	char *base;
	size_t calls;
	const char *stopped;
	double seconds;
	uint64_t vmas;
	uint64_t in_process; /* VMAs elsewhere too */
	size_t listed;
	double list_seconds;
};

static void count_vmas(struct way *way)
{
	uint64_t first = (uintptr_t)way->base;
	double start = now();

	way->vmas = vmas_count(first, first + BYTES - 1, NULL);
	way->listed = way->vmas;
	way->list_seconds = now() - start;
	way->in_process = vmas_count(0, UINT64_MAX, NULL);
}

static void count_runs(struct way *way)
{
	uint64_t first = (uintptr_t)way->base;
	double start = now();
	struct runs runs = runs_read(first, first + BYTES - 1, 0);

	way->listed = runs.count;
	way->list_seconds = now() - start;
	runs_free(&runs);
}

static void protect_by_winregion(struct way *way)
{
	double start = now();
	DWORD old;

	for (; way->calls < CALLS; way->calls++)
		if (!VirtualProtect(way->base + (2 * way->calls + 1) * PAGE,
				    PAGE, PAGE_READONLY, &old))
			break;
	way->seconds = now() - start;
	if (way->calls == CALLS)
		return;
	way->stopped = "error";
	if (GetLastError() == ERROR_NOT_ENOUGH_MEMORY)
		way->stopped = "out of memory";
}

static void protect_by_mprotect(struct way *way)
{
	double start = now();

	for (; way->calls < CALLS; way->calls++)
		if (mprotect(way->base + (2 * way->calls + 1) * PAGE, PAGE,
			     PROT_READ))
			break;
	way->seconds = now() - start;
	if (way->calls < CALLS)
		way->stopped = errno == ENOMEM ? "ENOMEM" : strerror(errno);
}

/* read() answers EFAULT where it may not write, and kills nobody. */
static int is_writable(int zero, char *page)
{
	return read(zero, page, 1) == 1;
}

static int try_pages(const struct way *way)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	size_t page, bad = 0;

	if (zero < 0)
		die("/dev/zero: %s", strerror(errno));
	for (page = 0; page < PAGES; page += SAMPLE_STEP) {
		bad += !is_writable(zero, way->base + page * PAGE);
		bad += is_writable(zero, way->base + (page + 1) * PAGE);
	}
	close(zero);

	if (!bad)
		return 0;
	return wrong("%zu of %zu pages tried have another protection", bad,
		     2 * PAGES / SAMPLE_STEP);
}

static int with_winregion(struct way *way)
{
	int bad;

	way->base = VirtualAlloc(NULL, BYTES, MEM_RESERVE | MEM_COMMIT,
				 PAGE_READWRITE);
	if (!way->base) {
		way->stopped = "none";
		return wrong("VirtualAlloc of %s: error %u",
			     text_bytes(BYTES).s, GetLastError());
	}
	protect_by_winregion(way);
	if (way->calls < CALLS)
		bad = wrong("VirtualProtect: error %u", GetLastError());
	else
		bad = try_pages(way);
	count_vmas(way);
	count_runs(way);
	if (!bad && way->listed != PAGES)
		bad += wrong("the kernel tells of %zu runs, not of %zu",
			     way->listed, PAGES);
	if (way->vmas != 1)
		bad += wrong("the region takes %s VMAs",
			     text_number(way->vmas).s);
	if (!VirtualFree(way->base, 0, MEM_RELEASE))
		bad += wrong("VirtualFree: error %u", GetLastError());

	return bad;
}

/* Nothing here can go wrong for us: it is the others' way. */
static void with_mprotect(struct way *way)
{
	way->base = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (way->base == MAP_FAILED)
		die("mmap of %s: %s", text_bytes(BYTES).s, strerror(errno));
	protect_by_mprotect(way);
	count_vmas(way);
	munmap(way->base, BYTES);
}

static void print_calls(const char *name, const struct way *way)
{
	printf("   %-24s %9s %10s %9s %7.1f us\n", name,
	       text_number(way->calls).s, text_number(way->vmas).s,
	       text_seconds(way->seconds).s,
	       way->calls ? way->seconds * 1e6 / way->calls : 0);
}

static void print_listing(const char *how, const struct way *way)
{
	printf("   %-24s %9s %10s %9s\n", how, text_number(way->listed).s, "",
	       text_seconds(way->list_seconds).s);
}

static void print_limit(const struct way *way)
{
	if (way->stopped)
		printf("   Call %s: %s, with %s VMAs in the process, of %s allowed.\n",
		       text_number(way->calls + 1).s, way->stopped,
		       text_number(way->in_process).s,
		       text_number(max_map_count()).s);
}

int pages_show(void)
{
	struct way regions = { 0 }, vmas = { 0 };
	int bad;

	printf("   %s committed, %s pages; one call for every second page.\n\n",
	       text_bytes(BYTES).s, text_number(PAGES).s);
	bad = with_winregion(&regions);
	with_mprotect(&vmas);
	printf("   %-24s %9s %10s %9s %10s\n", "", "calls", "VMAs", "time",
	       "a call");
	print_calls("VirtualProtect()", &regions);
	print_calls("mmap() and mprotect()", &vmas);
	print_limit(&vmas);
	printf("\n   %-24s %9s %10s %9s\n", "Listing the pages then", "entries",
	       "", "time");
	print_listing("WINREGION_QUERY_RUNS", &regions);
	print_listing("/proc/self/maps", &vmas);

	return bad;
}
