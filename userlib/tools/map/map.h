/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The address space of a process, as all of winregion-map sees it: blocks by
 * address, each with its runs, and sums by type
 */
#ifndef _WINREGION_MAP_H
#define _WINREGION_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MAP_PAGE 4096
/* Where regions start */
#define MAP_UNIT 0x10000

/* What a block is; the page tables of the kernel have no addresses. */
enum map_type {
	MAP_IMAGE,
	MAP_FILE,
	MAP_SHARED,
	MAP_HEAP,
	MAP_STACK,
	MAP_PRIVATE,
	MAP_TABLE,
	MAP_UNUSABLE,
	MAP_FREE,
	MAP_TYPES
};

/* The sizes that each block, and each type, has */
enum map_size {
	MAP_SIZE,
	MAP_COMMITTED,
	MAP_PRIVATE_BYTES,
	MAP_RESIDENT,
	MAP_SWAPPED,
	MAP_LOCKED,
	MAP_SIZES
};

/**
 * struct map_run - pages that follow each other and are alike
 * @address: the first byte
 * @sizes: in bytes
 * @protection: WINREGION_* of the page protections; 0 if reserved
 */
struct map_run {
	uint64_t address;
	uint64_t sizes[MAP_SIZES];
	uint32_t protection;
};

/**
 * struct map_block - an allocation: a region, or mappings that belong together
 * @address: the first byte
 * @sizes: in bytes
 * @type: what it is
 * @region: the module's; else a mapping that others have made
 * @large: it has large pages
 * @protection: what it was allocated with
 * @name: of its file, or what the kernel calls it; in struct map.names
 * @first_run: in struct map.runs
 * @nr_runs: so many
 */
struct map_block {
	uint64_t address;
	uint64_t sizes[MAP_SIZES];
	uint8_t type;
	bool region;
	bool large;
	uint32_t protection;
	uint32_t name;
	uint32_t first_run;
	uint32_t nr_runs;
};

/* Classes of free blocks: of less than 128 KiB, 256 KiB, and so on */
#define MAP_CLASSES 32

/**
 * struct map_holes - how the free address space is cut up
 * @count: free blocks
 * @largest: the largest one
 * @by_class: how many there are of at least 64 KiB << class
 * @class_bytes: and how much of the address space that is
 */
struct map_holes {
	uint64_t count;
	uint64_t largest;
	uint64_t by_class[MAP_CLASSES];
	uint64_t class_bytes[MAP_CLASSES];
};

/**
 * struct map - an address space at one moment
 * @pid: whose; 0 if not known
 * @command: the name of its program
 * @time: seconds since 1970
 * @module: the module was asked
 * @lock_known: it also told which pages of regions are locked
 * @locked: all that counts against the limit of the process, whatever it is
 * @lowest: of the addresses that can be used
 * @end: the first address above them
 * @blocks: by address
 * @nr_blocks: so many
 * @runs: of all blocks
 * @nr_runs: so many
 * @names: strings, one behind the other; the first one is empty
 * @names_length: bytes of them
 * @counts: blocks of each type
 * @sums: of each type
 * @total: of all types that are in use
 * @holes: what is free
 * @room_blocks: how many @blocks has room for
 * @room_runs: the same
 * @room_names: the same
 */
struct map {
	pid_t pid;
	char command[64];
	double time;
	bool module;
	bool lock_known;
	uint64_t locked;
	uint64_t lowest;
	uint64_t end;
	struct map_block *blocks;
	size_t nr_blocks;
	struct map_run *runs;
	size_t nr_runs;
	char *names;
	size_t names_length;
	uint64_t counts[MAP_TYPES];
	uint64_t sums[MAP_TYPES][MAP_SIZES];
	uint64_t total[MAP_SIZES];
	struct map_holes holes;
	size_t room_blocks;
	size_t room_runs;
	size_t room_names;
};

/* ---- map.c: to build one ---- */

/* Ends the program where there is no memory. */
void *map_grow(void *array, size_t *room, size_t nr, size_t size);

/* Empty again; what it had is used again by who fills it. */
void map_clear(struct map *map);
void map_free(struct map *map);
void map_copy(struct map *to, const struct map *from);

uint32_t map_add_name(struct map *map, const char *name, size_t length);
struct map_block *map_add_block(struct map *map, enum map_type type,
				uint64_t address);

/* To the block added last, whose sizes grow by the run's */
struct map_run *map_add_run(struct map *map, const struct map_run *run);

static inline const char *map_name(const struct map *map,
				   const struct map_block *block)
{
	return map->names + block->name;
}

static inline uint64_t map_block_end(const struct map_block *block)
{
	return block->address + block->sizes[MAP_SIZE];
}

/* Fill the holes between blocks, and add up. */
void map_finish(struct map *map);

/* The number of the block that has @address, or of the next one */
size_t map_find(const struct map *map, uint64_t address);

/* ---- words.c ---- */

const char *map_type_name(enum map_type type);
const char *map_size_name(enum map_size size);

/* false: no such type or size */
bool map_type_by_name(const char *name, size_t length, enum map_type *type);
bool map_size_by_name(const char *name, enum map_size *size);

/* The colour of a type, as in "#rrggbb" */
const char *map_type_colour(enum map_type type);

/* As in "rw- guard"; of a reserved page "reserved" */
#define MAP_PROTECTION_ROOM 24
const char *map_protection(uint32_t protection, char *text);

/* "12 K", "3.4 G" */
#define MAP_HUMAN_ROOM 16
const char *map_human(uint64_t bytes, char *text);

/* KiB; in larger units, "12M", where those have more digits than @width */
const char *map_kibibytes(uint64_t bytes, int width, char *text);

/* With 0x before it or not; false: not one */
bool map_parse_address(const char *text, uint64_t *address);

/* ---- source.c: to read a process ---- */

/* A thread, and where its stack pointer was seen last */
struct map_thread {
	pid_t tid;
	bool there;
	uint64_t pointer;
};

/**
 * struct map_source - a process that is looked at, maybe again and again
 * @pid: its number
 * @fd: the module's descriptor of its memory, or -1
 * @error: why there is none, -errno; -ENOEXEC: it is a program of 32 bits
 * @change: that lets its locked pages be counted
 * @threads: those that were seen
 * @nr_threads: so many
 * @room_threads: how many @threads has room for
 * @text: what files of /proc are read into
 * @room: bytes of @text
 */
struct map_source {
	pid_t pid;
	int fd;
	int error;
	bool change;
	struct map_thread *threads;
	size_t nr_threads;
	size_t room_threads;
	char *text;
	size_t room;
};

void map_source_init(struct map_source *source, pid_t pid);
void map_source_done(struct map_source *source);

/*
 * 0, or -errno: -ESRCH if there is no such process, -EACCES if it may not be looked
 * at. @map is filled anew.
 */
int map_read(struct map_source *source, struct map *map);

/* ---- proc.c: files of /proc ---- */

/* A descriptor, or -errno */
int map_open_file(const char *path);

/* -errno, or how much; there is a 0 behind it. */
ssize_t map_read_all(struct map_source *source, int fd);
ssize_t map_read_file(struct map_source *source, const char *path);

/*
 * Whether the memory is still there of which smaps was opened. Where it goes in between,
 * smaps ends as if it were whole.
 */
bool map_has_memory(int fd);

/* The number behind "@name:" in lines of a file, times 1024; 0 if it is not there */
uint64_t map_line_of(const char *text, const char *name);

/* The program's name, "?" if there is none */
void map_command_of(pid_t pid, char *name, size_t size);

/**
 * struct map_vma - a mapping, as /proc/PID/smaps tells it
 * @first: its first byte
 * @end: behind its last
 * @device: that has its file
 * @inode: of its file, 0 if it has none
 * @name: of its file, or what the kernel calls it
 * @name_length: bytes of it
 * @resident: bytes in memory
 * @anonymous: bytes of them that are the process' own copies
 * @swapped: bytes in swap
 * @locked: by mlock()
 * @readable: PROT_READ
 * @writable: PROT_WRITE
 * @executable: PROT_EXEC
 * @shared: MAP_SHARED
 */
struct map_vma {
	uint64_t first;
	uint64_t end;
	uint64_t device;
	uint64_t inode;
	const char *name;
	size_t name_length;
	uint64_t resident;
	uint64_t anonymous;
	uint64_t swapped;
	bool locked;
	bool readable;
	bool writable;
	bool executable;
	bool shared;
};

/* Of text as in smaps; @vma's name is in there. NULL: there is no more */
const char *map_next_vma(const char *text, struct map_vma *vma);

/* ---- threads.c ---- */

/* Ask all threads where their stacks are. */
void map_read_threads(struct map_source *source);

/* Blocks in which threads have them become stacks; to be called before map_finish(). */
void map_mark_stacks(const struct map_source *source, struct map *map);

/* ---- regions.c: what the module tells ---- */

struct winregion_run;

/* Whether there are regions, and what addresses there are at all */
bool map_begin_regions(struct map_source *source, struct map *map);

/* Without the module, programs of 32 bits are known by where all is that they have. */
void map_guess_end(struct map *map);

/* From *@address on, which is moved: so many runs; 0 if there are no more */
size_t map_read_regions(struct map_source *source, uint64_t *address,
			uint64_t end, struct winregion_run *runs, size_t room);

/* How many there are, and the bytes that they have committed; else 0 */
void map_ask_regions(struct map_source *source, uint64_t *regions,
		     uint64_t *committed);

/* The pages of @map's regions; to be called before map_finish() */
void map_count_locked(struct map_source *source, struct map *map);

/* ---- diff.c ---- */

enum map_change {
	MAP_SAME,
	MAP_NEW,
	MAP_CHANGED,
	MAP_GONE
};

/*
 * The next block, by address, of either map; *@i and *@j are those to go on with.
 * *@a or *@b is NULL if it is only in the other. false: there is no more
 */
bool map_next_pair(const struct map *old, const struct map *new, size_t *i,
		   size_t *j, const struct map_block **a,
		   const struct map_block **b);
enum map_change map_compare(const struct map *old, const struct map *new,
			    const struct map_block *a,
			    const struct map_block *b);

#endif /* _WINREGION_MAP_H */
