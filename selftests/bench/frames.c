// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that are exchanged for others, all of a window at once: frames by the module,
 * and pages of a memfd by an mmap() each
 */
#include <sys/mman.h>

#include <winregion/winregion.h>

#include "bench.h"

#define MOST 64

static char *window;
static int file = -1;
static uint64_t numbers[2][MOST];

static void make_frames(size_t nr)
{
	struct winregion_reserve reserve = {
		.flags = WINREGION_RESERVE_PHYSICAL,
		.protection = WINREGION_READWRITE,
		.length = nr * PAGE,
	};
	struct winregion_frames frames;
	int i;

	if (winregion_reserve(&reserve))
		die("no window");
	window = (char *)(uintptr_t)reserve.address;
	for (i = 0; i < 2; i++) {
		frames = (struct winregion_frames){
			.count = nr,
			.frames = (uintptr_t)numbers[i],
		};
		if (winregion_frames(&frames) || frames.count < nr)
			die("no frames");
	}
}

static void make_memfd(size_t nr)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	size_t i;
	char *all;

	file = memfd_create("frames", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, 2 * nr * PAGE))
		die("no file");
	all = mmap(NULL, 2 * nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   file, 0);
	window = mmap(NULL, nr * PAGE, PROT_NONE, flags, -1, 0);
	if (all == MAP_FAILED || window == MAP_FAILED)
		die("no window");
	for (i = 0; i < 2 * nr; i++)
		touch(all + i * PAGE);
	munmap(all, 2 * nr * PAGE);
}

static void map_frames(int which, size_t nr)
{
	struct winregion_map_frames arg = {
		.address = (uintptr_t)window,
		.count = nr,
		.frames = (uintptr_t)numbers[which],
	};

	if (winregion_map_frames(&arg))
		die("not mapped");
}

/* Pages that do not follow each other in the file, as those of a cache do not */
static void map_pages(int which, size_t nr)
{
	const int flags = MAP_SHARED | MAP_FIXED;
	size_t i, at;

	for (i = 0; i < nr; i++) {
		at = 2 * (nr - 1 - i) + which;
		if (mmap(window + i * PAGE, PAGE, PROT_READ | PROT_WRITE, flags,
			 file, at * PAGE) == MAP_FAILED)
			die("not mapped");
	}
}

static void row_exchange(const struct way *way, size_t nr)
{
	bool ours = way == way_find("winregion");
	static int which;
	size_t i;

	if (way == way_find("null")) {
		lap_start("", nr);
		for (i = 0; i < nr; i++)
			ask_null(NULL);
		lap_stop();
		return;
	}
	if (!window && ours)
		make_frames(nr);
	else if (!window)
		make_memfd(nr);
	which = !which;
	lap_start("", nr);
	if (ours)
		map_frames(which, nr);
	else
		map_pages(which, nr);
	touch_all(window, nr * PAGE);
	lap_stop();
}

const struct row frame_rows[] = {
	{ "frames-exchange", row_exchange, "winregion null mmap", MOST },
	{ }
};
