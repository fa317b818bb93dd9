// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A process becomes a map: its mappings as /proc tells them, and in place of those
 * that the module has made its regions, if the module tells them
 *
 * The two are asked one after the other, so what changes meanwhile can be in one and
 * not in the other.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/winregion.h>

#include "map.h"

/* What the module's own mappings are called. Files can have that name, too. */
#define WINDOW "/dev/zero[winregion] (deleted)"

/* What the next mapping is compared with: the last one that was added */
struct last {
	struct map_vma vma;
	bool valid;
};

static bool is_named(const struct map_vma *vma, const char *name)
{
	return vma->name_length >= strlen(name) &&
	       !strncmp(vma->name, name, strlen(name));
}

static bool is_window(const struct map_vma *vma)
{
	return vma->shared && vma->name_length == strlen(WINDOW) &&
	       is_named(vma, WINDOW);
}

/* Memory that has a file for form's sake only; the last one is a section without a file. */
static bool is_memory(const struct map_vma *vma)
{
	static const char *const names[] = {
		"/dev/zero",	     "/dev/shm/",      "/SYSV",
		"/memfd:",	     "/anon_hugepage", "/dev/hugepages/",
		"/winregion-section"
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (is_named(vma, names[i]))
			return true;

	return !is_named(vma, "/");
}

/* Of the kernel, and the same in all processes */
static bool is_kernels(const struct map_vma *vma)
{
	return is_named(vma, "[vdso]") || is_named(vma, "[vsyscall]") ||
	       is_named(vma, "[vvar");
}

static enum map_type type_of(const struct map_vma *vma)
{
	if (is_named(vma, "[heap]"))
		return MAP_HEAP;
	if (is_named(vma, "[stack"))
		return MAP_STACK;
	if (is_window(vma))
		return MAP_PRIVATE;
	if (is_kernels(vma))
		return vma->executable ? MAP_IMAGE : MAP_SHARED;
	if (!vma->inode && !vma->shared)
		return MAP_PRIVATE;
	if (is_memory(vma))
		return vma->shared ? MAP_SHARED : MAP_PRIVATE;

	return vma->executable ? MAP_IMAGE : MAP_FILE;
}

/* ---- mappings ---- */

static uint32_t protection_of(const struct map_vma *vma)
{
	if (vma->executable && vma->writable)
		return WINREGION_EXECUTE_READWRITE;
	if (vma->executable)
		return vma->readable ? WINREGION_EXECUTE_READ :
				       WINREGION_EXECUTE;
	if (vma->writable)
		return WINREGION_READWRITE;

	return vma->readable ? WINREGION_READONLY : 0;
}

static struct map_run run_of(const struct map_vma *vma)
{
	struct map_run run = {
		.address = vma->first,
		.protection = protection_of(vma),
	};
	uint64_t size = vma->end - vma->first;

	run.sizes[MAP_SIZE] = size;
	run.sizes[MAP_COMMITTED] = run.protection ? size : 0;
	if (is_window(vma))
		run.sizes[MAP_PRIVATE_BYTES] = run.sizes[MAP_COMMITTED];
	else if (!vma->shared && !is_kernels(vma))
		run.sizes[MAP_PRIVATE_BYTES] =
			vma->inode ? vma->anonymous + vma->swapped :
				     run.sizes[MAP_COMMITTED];
	run.sizes[MAP_RESIDENT] = vma->resident;
	run.sizes[MAP_SWAPPED] = vma->swapped;
	run.sizes[MAP_LOCKED] = vma->locked ? vma->resident : 0;

	return run;
}

static bool is_same_file(const struct map_vma *a, const struct map_vma *b)
{
	return a->inode && a->inode == b->inode && a->device == b->device;
}

/* What a program has that is zero at first has no file, and is behind what has. */
static bool is_rest_of_image(const struct map_block *block,
			     const struct map_vma *last,
			     const struct map_vma *vma)
{
	return block->type == MAP_IMAGE && last->writable && vma->writable &&
	       !vma->inode && !vma->name_length && !vma->shared;
}

static bool belongs_to(const struct map_block *block, const struct last *last,
		       const struct map_vma *vma)
{
	return last->valid && last->vma.end == vma->first &&
	       (is_same_file(&last->vma, vma) ||
		is_rest_of_image(block, &last->vma, vma));
}

static void add_mapping(struct map *map, struct last *last,
			const struct map_vma *vma)
{
	struct map_block *block = NULL;
	struct map_run run = run_of(vma);

	if (map->nr_blocks)
		block = &map->blocks[map->nr_blocks - 1];
	if (!block || !belongs_to(block, last, vma)) {
		block = map_add_block(map, type_of(vma), vma->first);
		block->protection = run.protection;
		block->name = map_add_name(map, vma->name, vma->name_length);
	} else if (vma->executable && block->type == MAP_FILE) {
		block->type = MAP_IMAGE;
	}
	map_add_run(map, &run);
	last->vma = *vma;
	last->valid = true;
}

/* ---- regions ---- */

/* Copies of pages of a file are the process' own, once they are made. */
static bool is_private(const struct winregion_run *run)
{
	const uint32_t copies = WINREGION_WRITECOPY |
				WINREGION_EXECUTE_WRITECOPY;

	if (run->type == WINREGION_TYPE_PRIVATE)
		return true;

	return run->region_protection & copies && !(run->protection & copies) &&
	       run->protection &
		       (WINREGION_READWRITE | WINREGION_EXECUTE_READWRITE);
}

static void add_region_run(struct map *map, const struct winregion_run *from)
{
	struct map_run run = {
		.address = from->address,
		.protection = from->protection,
	};

	run.sizes[MAP_SIZE] = from->length;
	if (from->state == WINREGION_STATE_COMMIT)
		run.sizes[MAP_COMMITTED] = from->length;
	if (is_private(from))
		run.sizes[MAP_PRIVATE_BYTES] = run.sizes[MAP_COMMITTED];
	run.sizes[MAP_RESIDENT] = from->resident;
	map_add_run(map, &run);
}

/* A view has a mapping of its own, which says what it is of. */
static void describe_view(struct map *map, struct map_block *block,
			  const struct map_vma *vma)
{
	block->type = MAP_SHARED;
	if (!vma || vma->first > block->address || vma->end <= block->address)
		return;
	if (!is_memory(vma))
		block->type = MAP_FILE;
	if (!is_window(vma))
		block->name = map_add_name(map, vma->name, vma->name_length);
}

/* @vma: the mapping that has the run's first byte, or NULL */
static void add_region(struct map *map, const struct winregion_run *run,
		       const struct map_vma *vma)
{
	struct map_block *block = NULL;

	if (map->nr_blocks)
		block = &map->blocks[map->nr_blocks - 1];
	if (!block || !block->region || block->address != run->region_address) {
		block = map_add_block(map, MAP_PRIVATE, run->address);
		block->region = true;
		block->large = run->flags & WINREGION_RUN_LARGE_PAGES;
		block->protection = run->region_protection;
		if (run->type == WINREGION_TYPE_IMAGE)
			block->type = MAP_IMAGE;
		else if (run->type != WINREGION_TYPE_PRIVATE)
			describe_view(map, block, vma);
	}
	add_region_run(map, run);
}

/* ---- both ---- */

/* Runs that one call asks for */
#define AT_ONCE 4096

/* Some of them; others are asked for when these have been used. */
struct regions {
	struct map_source *source;
	struct winregion_run runs[AT_ONCE];
	size_t nr;
	size_t at;
	uint64_t address;
	uint64_t end;
};

/* The next run, or NULL */
static const struct winregion_run *peek(struct regions *regions)
{
	if (regions->at < regions->nr)
		return &regions->runs[regions->at];
	regions->at = 0;
	regions->nr = map_read_regions(regions->source, &regions->address,
				       regions->end, regions->runs, AT_ONCE);

	return regions->nr ? regions->runs : NULL;
}

/* All runs that begin below @end; those above @vma's first byte are in it */
static bool add_regions(struct map *map, struct regions *regions, uint64_t end,
			const struct map_vma *vma)
{
	const struct winregion_run *run;
	bool some = false, inside;

	while ((run = peek(regions)) && run->address < end) {
		inside = vma && run->address >= vma->first;
		add_region(map, run, inside ? vma : NULL);
		some |= inside;
		regions->at++;
	}

	return some;
}

/* What of a view is in swap only its mapping tells. */
static void add_swapped(struct map *map, const struct map_vma *vma)
{
	struct map_block *block = &map->blocks[map->nr_blocks - 1];
	struct map_run *run = &map->runs[map->nr_runs - 1];

	run->sizes[MAP_SWAPPED] += vma->swapped;
	block->sizes[MAP_SWAPPED] += vma->swapped;
}

/* A region can have several mappings; runs that are alike go through all of them. */
static bool is_covered(const struct map *map, const struct map_vma *vma)
{
	const struct map_block *block;

	if (!map->nr_blocks)
		return false;
	block = &map->blocks[map->nr_blocks - 1];

	return block->region && map_block_end(block) > vma->first;
}

/* Whether it is the module's for sure: that of a private region, which was added last */
static bool has_window(const struct map *map, const struct map_vma *vma)
{
	return is_window(vma) &&
	       map->blocks[map->nr_blocks - 1].type == MAP_PRIVATE;
}

/*
 * A window without a region: that has just ended, or has not yet begun. Nobody else can make
 * a file on the module's own device, which a window with a private region tells.
 */
static bool is_left(const struct map_vma *vma, uint64_t device)
{
	return device && vma->device == device && is_window(vma);
}

static void add_all(struct map *map, const char *text, struct regions *regions)
{
	struct last last = { .valid = false };
	struct map_vma vma;
	uint64_t device = 0;

	while ((text = map_next_vma(text, &vma))) {
		if (add_regions(map, regions, vma.end, &vma) ||
		    is_covered(map, &vma)) {
			last.valid = false;
			add_swapped(map, &vma);
			if (has_window(map, &vma))
				device = vma.device;
		} else if (!is_left(&vma, device)) {
			add_mapping(map, &last, &vma);
		}
	}
	add_regions(map, regions, UINT64_MAX, NULL);
}

/* The kernel's own, which it tells of the whole process */
static int read_status(struct map_source *source, struct map *map)
{
	uint64_t tables;
	char path[40];
	ssize_t n;
	unsigned int i;

	snprintf(path, sizeof(path), "/proc/%d/status", source->pid);
	n = map_read_file(source, path);
	if (n < 0)
		return (int)n;
	map->locked = map_line_of(source->text, "VmLck");
	tables = map_line_of(source->text, "VmPTE");
	for (i = MAP_SIZE; i <= MAP_RESIDENT; i++)
		map->sums[MAP_TABLE][i] = tables;

	return 0;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);

	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* @fd: its mappings, as /proc tells them */
static int read_memory(struct map_source *source, struct map *map, int fd)
{
	static struct regions regions;
	ssize_t n = map_read_all(source, fd);

	if (n < 0)
		return (int)n;
	regions.source = source;
	regions.nr = 0;
	regions.at = 0;
	regions.address = 0;
	regions.end = map_begin_regions(source, map) ? map->end : 0;
	add_all(map, source->text, &regions);
	map_guess_end(map);
	map_read_threads(source);
	map_mark_stacks(source, map);
	map_count_locked(source, map);
	map_finish(map);

	/* Of what has gone in between a part was seen. */
	return n && !map_has_memory(fd) ? -ESRCH : 0;
}

static int read_once(struct map_source *source, struct map *map)
{
	char path[40];
	int err, fd;

	map_clear(map);
	map->pid = source->pid;
	map->time = now();
	map_command_of(source->pid, map->command, sizeof(map->command));
	err = read_status(source, map);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/smaps", source->pid);
	fd = map_open_file(path);
	if (fd < 0)
		return fd;
	err = read_memory(source, map, fd);
	close(fd);

	return err;
}

/* After an exec, which is rare, it has other memory. */
int map_read(struct map_source *source, struct map *map)
{
	int err, tries = 2;

	do {
		err = read_once(source, map);
	} while (err == -ESRCH && --tries);

	return err;
}

void map_source_init(struct map_source *source, pid_t pid)
{
	*source = (struct map_source){ .pid = pid, .fd = -1 };
}

void map_source_done(struct map_source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	free(source->threads);
	free(source->text);
	*source = (struct map_source){ .fd = -1 };
}
