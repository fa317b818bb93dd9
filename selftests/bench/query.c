// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of questions: what is at this address, and in all of an area
 *
 * Without winregion the answer is read from /proc/self/maps, from its start to
 * the line in question, or asked for by PROCMAP_QUERY where the kernel has it.
 * What either knows is less: nothing of what is reserved. The null ioctl, an
 * unknown one of /dev/winregion, is what a call costs that does nothing.
 */
#include <fcntl.h>

#include "bench.h"

#define NULL_IOCTL _IO(WINREGION_TYPE, 0x7f)
#define BULK 10000

/* As in linux/fs.h of 6.11 */
struct procmap_query {
	uint64_t size;
	uint64_t query_flags;
	uint64_t query_addr;
	uint64_t vma_start;
	uint64_t vma_end;
	uint64_t vma_flags;
	uint64_t vma_page_size;
	uint64_t vma_offset;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t vma_name_size;
	uint32_t build_id_size;
	uint64_t vma_name_addr;
	uint64_t build_id_addr;
};

#define PROCMAP_OF _IOWR('f', 17, struct procmap_query)
#define PROCMAP_OR_NEXT 0x10

static int maps = -1;

static void open_maps(void)
{
	if (maps < 0)
		maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (maps < 0)
		die("no /proc/self/maps");
}

static int procmap(uintptr_t address, uint64_t flags,
		   struct procmap_query *query)
{
	*query = (struct procmap_query){
		.size = sizeof(*query),
		.query_addr = address,
		.query_flags = flags,
	};
	return ioctl(maps, PROCMAP_OF, query);
}

bool procmap_exists(void)
{
	struct procmap_query query;

	open_maps();
	return !procmap((uintptr_t)&query, 0, &query);
}

/* ---- reading maps ---- */

struct line {
	uint64_t start;
	uint64_t end;
	char rights[4];
};

static const char *read_hex(const char *at, uint64_t *value)
{
	uint64_t v = 0;

	for (; *at != '-' && *at != ' '; at++)
		v = v << 4 | (*at <= '9' ? *at - '0' : *at - 'a' + 10);
	*value = v;
	return at + 1;
}

/*
 * Read until the line that ends above @address, or all; keep up to @max lines
 * from @first on. Return: how many were kept.
 */
static size_t read_maps(uint64_t first, uint64_t address, struct line *lines,
			size_t max)
{
	static char buffer[KIB(64)];
	size_t have = 0, kept = 0;
	const char *at, *newline, *end;
	struct line line;
	ssize_t n;

	lseek(maps, 0, SEEK_SET);
	while ((n = read(maps, buffer + have, sizeof(buffer) - have)) > 0) {
		end = buffer + have + n;
		at = buffer;
		while ((newline = memchr(at, '\n', end - at))) {
			at = read_hex(at, &line.start);
			at = read_hex(at, &line.end);
			memcpy(line.rights, at, 4);
			if (line.start >= first && kept < max)
				lines[kept++] = line;
			if (line.end > address)
				return kept;
			at = newline + 1;
		}
		have = end - at;
		memmove(buffer, at, have);
	}
	return kept;
}

/* ---- one address ---- */

void ask_winregion(char *at)
{
	struct winregion_query query;

	query.size = sizeof(query);
	query.flags = 0;
	query.address = (uintptr_t)at;
	if (ioctl(device, WINREGION_QUERY, &query) || !query.out.region_address)
		die("wrong answer");
}

void ask_null(char *at)
{
	if (!ioctl(device, NULL_IOCTL, 0))
		die("an unknown ioctl is known");
}

static void ask_maps(char *at)
{
	struct line line;

	if (read_maps(0, (uintptr_t)at, &line, 1) != 1)
		die("wrong answer");
}

static void ask_procmap(char *at)
{
	struct procmap_query query;

	if (procmap((uintptr_t)at, 0, &query) ||
	    query.vma_end - query.vma_start != PAGE)
		die("wrong answer");
}

static bool is(const struct way *way, const char *name)
{
	return !strcmp(way->name, name);
}

/* In the middle of the area on the average, and all over it */
static void row_query(const struct way *way, size_t runs)
{
	size_t asks = is(way, "maps") && runs > 10000 ? 1 : 64, i;
	size_t first = asks == 1 ? runs / 2 : 0;
	char *base = is(way, "null") ? NULL : runs_make(way, runs);
	void (*ask)(char *at) = is(way, "winregion") ? ask_winregion :
				is(way, "null") ? ask_null :
				is(way, "maps") ? ask_maps : ask_procmap;

	open_maps();
	lap_start("", asks);
	for (i = 0; i < asks; i++)
		ask(base + (first + i * runs / asks) % runs * PAGE);
	lap_stop();
}

/* ---- all of an area ---- */

static size_t list_winregion(char *base, struct winregion_run *runs)
{
	struct winregion_query_runs query = {
		.size = sizeof(query),
		.address = (uintptr_t)base,
		.last = (uintptr_t)base + BULK * PAGE - 1,
		.runs = (uintptr_t)runs,
		.nr_runs = BULK,
	};

	return ioctl(device, WINREGION_QUERY_RUNS, &query) ? 0 : query.nr_runs;
}

static size_t list_procmap(char *base, struct line *lines)
{
	struct procmap_query query = { .vma_end = (uintptr_t)base };
	size_t n;

	for (n = 0; n < BULK; n++) {
		if (procmap(query.vma_end, PROCMAP_OR_NEXT, &query))
			break;
		lines[n] = (struct line){ query.vma_start, query.vma_end };
		memcpy(lines[n].rights, &query.vma_flags, 4);
	}
	return n;
}

static void row_bulk(const struct way *way, size_t runs)
{
	static struct winregion_run run[BULK];
	static struct line line[BULK];
	char *base = runs_make(way, runs);
	size_t n;

	open_maps();
	lap_start("", 1);
	if (is(way, "winregion"))
		n = list_winregion(base, run);
	else if (is(way, "maps"))
		n = read_maps((uintptr_t)base, ~0ULL, line, BULK);
	else
		n = list_procmap(base, line);
	lap_stop();
	if (n != BULK)
		die("%s: %zu of %u runs", way->name, n, BULK);
}

#define ASKS "winregion null maps procmap"

#define SERIES .many = true, .series = true

const struct row query_rows[] = {
	{ "query", row_query, ASKS, 1, SERIES },
	{ "query", row_query, ASKS, 10, .many = true },
	{ "query", row_query, ASKS, 100, SERIES },
	{ "query", row_query, ASKS, 1000, SERIES },
	{ "query", row_query, ASKS, 10000, SERIES },
	{ "query", row_query, ASKS, 100000, 3, SERIES },
	{ "query", row_query, ASKS, 1000000, 1, .many = true },
	{ "query-bulk", row_bulk, "winregion maps procmap", BULK,
	  .many = true },
	{ }
};
