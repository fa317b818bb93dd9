// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the module tells of a process: its regions, page by page
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/winregion.h>

#include "map.h"

#define DEVICE "/dev/winregion"

/* Without the module: what the kernel lets processes have */
#define DEFAULT_LOWEST 0x10000
#ifdef __aarch64__
#define DEFAULT_END 0xfffffffff000
#else
#define DEFAULT_END 0x7ffffffff000
#endif
#define DEFAULT_END_32 0xffffe000

/* ---- the descriptor ---- */

static int open_from(int device, pid_t pid, const char *name, int how,
		     uint32_t flags)
{
	struct winregion_open_process arg = {
		.size = sizeof(arg),
		.flags = flags,
	};
	char path[40];
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	arg.memory = open(path, how | O_CLOEXEC);
	if (arg.memory < 0)
		return -errno;
	if (ioctl(device, WINREGION_OPEN_PROCESS, &arg))
		err = -errno;
	close(arg.memory);

	return err ? err : arg.out_fd;
}

/* Who may change the memory may also ask which pages are locked. */
static void open_process(struct map_source *source)
{
	int device = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (device < 0)
		return;
	source->fd = open_from(device, source->pid, "mem", O_RDWR,
			       WINREGION_PROCESS_CHANGE);
	source->change = source->fd >= 0;
	if (source->fd < 0)
		source->fd =
			open_from(device, source->pid, "environ", O_RDONLY, 0);
	source->error = source->fd < 0 ? source->fd : 0;
	close(device);
}

static bool ask_info(const struct map_source *source,
		     struct winregion_get_info *info)
{
	*info = (struct winregion_get_info){ .size = sizeof(*info) };

	return source->fd >= 0 && !ioctl(source->fd, WINREGION_GET_INFO, info);
}

/* After an exec the descriptor is of memory that nobody has. */
static bool get_info(struct map_source *source, struct winregion_get_info *info)
{
	if (ask_info(source, info))
		return true;
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
	open_process(source);

	return ask_info(source, info);
}

/* ---- regions ---- */

/* At once, as far as it is known: what grows step by step is moved again and again. */
static void make_room(struct map *map, uint64_t regions)
{
	map->blocks = map_grow(map->blocks, &map->room_blocks, regions,
			       sizeof(*map->blocks));
	map->runs = map_grow(map->runs, &map->room_runs, regions,
			     sizeof(*map->runs));
}

void map_guess_end(struct map *map)
{
	size_t nr = map->nr_blocks;

	if (!map->module && nr &&
	    map_block_end(&map->blocks[nr - 1]) <= DEFAULT_END_32)
		map->end = DEFAULT_END_32;
}

bool map_begin_regions(struct map_source *source, struct map *map)
{
	struct winregion_get_info info;

	map->lowest = DEFAULT_LOWEST;
	map->end = DEFAULT_END;
	map->module = get_info(source, &info);
	if (source->error == -ENOEXEC)
		map->end = DEFAULT_END_32;
	if (!map->module)
		return false;
	map->lowest = info.out_lowest;
	map->end = info.out_highest + 1;
	make_room(map, info.out_regions);

	return info.out_regions;
}

size_t map_read_regions(struct map_source *source, uint64_t *address,
			uint64_t end, struct winregion_run *runs, size_t room)
{
	struct winregion_query_runs query = {
		.size = sizeof(query),
		.flags = WINREGION_QUERY_REGIONS | WINREGION_QUERY_RESIDENT,
		.address = *address,
		.last = end - 1,
		.runs = (uintptr_t)runs,
		.nr_runs = room,
	};

	if (*address >= end || ioctl(source->fd, WINREGION_QUERY_RUNS, &query))
		return 0;
	*address = query.address;

	return query.nr_runs;
}

void map_ask_regions(struct map_source *source, uint64_t *regions,
		     uint64_t *committed)
{
	struct winregion_get_info info;

	*regions = 0;
	*committed = 0;
	if (!get_info(source, &info))
		return;
	*regions = info.out_regions;
	*committed = info.out_committed;
}

/* ---- locked pages ---- */

/* -1: nobody tells */
static int64_t count_locked(const struct map_source *source, uint64_t first,
			    uint64_t end)
{
	struct winregion_lock arg = {
		.size = sizeof(arg),
		.operation = WINREGION_LOCK_COUNT,
		.address = first,
		.length = end - first,
	};

	if (ioctl(source->fd, WINREGION_LOCK, &arg))
		return -1;

	return (int64_t)arg.out_locked;
}

/*
 * Of runs @first to @end, which go by address, by halves: where nothing is locked one
 * question is enough.
 */
static bool count_runs(struct map_source *source, struct map *map, size_t first,
		       size_t end)
{
	struct map_run *low = &map->runs[first], *high = &map->runs[end - 1];
	int64_t locked;

	locked = count_locked(source, low->address,
			      high->address + high->sizes[MAP_SIZE]);
	if (locked <= 0)
		return !locked;
	if (end - first == 1) {
		low->sizes[MAP_LOCKED] = locked;
		return true;
	}

	return count_runs(source, map, first, first + (end - first) / 2) &&
	       count_runs(source, map, first + (end - first) / 2, end);
}

static void add_locked(struct map *map, struct map_block *block)
{
	uint32_t i;

	block->sizes[MAP_LOCKED] = 0;
	for (i = 0; i < block->nr_runs; i++)
		block->sizes[MAP_LOCKED] +=
			map->runs[block->first_run + i].sizes[MAP_LOCKED];
}

/* Regions that follow each other are asked about together. */
void map_count_locked(struct map_source *source, struct map *map)
{
	size_t i, next, b, nr = map->nr_blocks;
	struct map_block *blocks = map->blocks;

	map->lock_known = source->change;
	/* Most processes have nothing locked, which all are told. */
	if (!map->locked)
		return;
	for (i = 0; i < nr && map->lock_known; i = next) {
		for (next = i; next < nr && blocks[next].region; next++)
			;
		if (next == i) {
			next++;
			continue;
		}
		map->lock_known = count_runs(source, map, blocks[i].first_run,
					     blocks[next - 1].first_run +
						     blocks[next - 1].nr_runs);
		for (b = i; b < next; b++)
			add_locked(map, &blocks[b]);
	}
}
