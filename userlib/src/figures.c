// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How much memory there is: by /proc, and by the module
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <winregion/winregion.h>

#include "figures.h"
#include "process.h"

#define KIB 1024

/* What Windows says, for when there is no module to ask */
#define DEFAULT_LOWEST 0x0000000000010000
#define DEFAULT_HIGHEST (WR_32BIT ? 0xFFFEFFFF : 0x00007FFFFFFEFFFF)

/* The line "@name: number kB", in bytes */
static uint64_t line_of(const char *text, const char *name)
{
	size_t length = strlen(name);

	while (text) {
		if (!strncmp(text, name, length) && text[length] == ':')
			return strtoull(text + length + 1, NULL, 10) * KIB;
		text = strchr(text, '\n');
		if (text)
			text++;
	}

	return 0;
}

/*
 * Without a limit, as with vm.overcommit_memory=1, there is at least what there is;
 * without the module, the kernel's own account.
 */
static void fill_promises(struct wr_system *system, const char *text)
{
	struct winregion_get_info module = { 0 };

	if (winregion_get_info(&module)) {
		system->promised = line_of(text, "Committed_AS");
		system->limit = line_of(text, "CommitLimit");
	} else {
		system->promised = module.out_total;
		system->limit = module.out_limit;
		if (module.out_limit == UINT64_MAX)
			system->limit =
				system->total + line_of(text, "SwapTotal");
	}
	if (system->limit < system->promised)
		system->limit = system->promised;
}

/* Pages of regions are not to be had in memory that is kept for what can be moved. */
uint64_t wr_available(uint64_t *total)
{
	uint64_t available, movable;
	char text[8192];

	wr_read_text("/proc/meminfo", text, sizeof(text));
	*total = line_of(text, "MemTotal");
	available = line_of(text, "MemAvailable");
	movable = line_of(text, "CmaFree");

	return available > movable ? available - movable : 0;
}

/* By the descriptor that the library has: it is about the memory of whoever asks. */
uint64_t wr_told_of_regions(const char *name)
{
	char path[48], text[1024];
	int fd = wr_device_fd();

	if (fd < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	wr_read_text(path, text, sizeof(text));

	return line_of(text, name);
}

void wr_system_figures(struct wr_system *system)
{
	char text[8192];

	wr_read_text("/proc/meminfo", text, sizeof(text));
	system->total = line_of(text, "MemTotal");
	system->available = line_of(text, "MemAvailable");
	system->cache = line_of(text, "Cached") + line_of(text, "Buffers");
	system->reclaimable = line_of(text, "SReclaimable");
	system->kernel = line_of(text, "SUnreclaim") +
			 line_of(text, "KernelStack") +
			 line_of(text, "PageTables");
	fill_promises(system, text);
}

/* What @name of the process says, a file of /proc */
static bool read_of(const struct wr_target *target, const char *name,
		    char *text, size_t room)
{
	char path[WR_TARGET_PATH];

	wr_target_path(target, name, path);

	return wr_read_text(path, text, room);
}

static void read_usage(const struct wr_target *target, struct wr_own *own)
{
	unsigned long minor = 0, major = 0;
	char text[4096], *at;

	read_of(target, "status", text, sizeof(text));
	own->peak = line_of(text, "VmHWM");
	read_of(target, "stat", text, sizeof(text));
	/* What comes before it is the program's name, which can be anything. */
	at = strrchr(text, ')');
	if (at)
		sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %lu %*u %lu",
		       &minor, &major);
	own->faults = minor + major;
}

void wr_figures_of(const struct wr_target *target, struct wr_own *own)
{
	struct winregion_get_info module = { .size = sizeof(module) };
	unsigned long long size = 0, resident = 0, shared = 0, data = 0;
	uint64_t page = sysconf(_SC_PAGESIZE);
	char text[256];

	if (wr_target_ioctl(target, WINREGION_GET_INFO, &module)) {
		module.out_lowest = DEFAULT_LOWEST;
		module.out_highest = DEFAULT_HIGHEST;
	}
	read_of(target, "statm", text, sizeof(text));
	if (sscanf(text, "%llu %llu %llu %*u %*u %llu", &size, &resident,
		   &shared, &data) != 4) {
		size = 0;
		resident = 0;
		shared = 0;
		data = 0;
	}

	own->mapped = size * page;
	own->resident = resident * page;
	own->shared = shared * page;
	/* Windows of regions are shared mappings: none is in data. */
	own->promised = module.out_committed + data * page;
	own->lowest = module.out_lowest;
	own->highest = module.out_highest;
	read_usage(target, own);
}

void wr_own_figures(struct wr_own *own)
{
	const struct wr_target target = { .fd = -1 };

	wr_figures_of(&target, own);
}
