// SPDX-License-Identifier: GPL-2.0
/*
 * The ways: winregion's ioctls, called as the library's first layer does, and
 * what programs do without them. The recipes have no error paths, so each is
 * as short as it can be.
 */
#include <sys/uio.h>

#include "bench.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

#define RIGHTS (PROT_READ | PROT_WRITE)
#define FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

int device = -1;
static int self = -1;

#define MUST(what) do {							\
	if (!(what))							\
		die("%s: %s", #what, strerror(errno));			\
} while (0)

void bench_open(void)
{
	device = wr_open();
	self = syscall(SYS_pidfd_open, getpid(), 0);
	MUST(device >= 0 && self >= 0);
}

/* ---- winregion ---- */

static char *wr_way_reserve(size_t length, size_t alignment)
{
	char *base = wr_reserve_aligned(device, length,
					alignment > UNIT ? alignment : 0,
					false);

	MUST(base);
	return base;
}

static void wr_way_release(char *base, size_t length)
{
	MUST(!wr_release(device, base, 0));
}

static void wr_way_commit(char *at, size_t length)
{
	MUST(!wr_commit(device, at, length, RW));
}

static void wr_way_commit_many(char *at, unsigned int nr)
{
	struct winregion_range ranges[VECTOR];
	unsigned int i;

	for (i = 0; i < nr; i++)
		ranges[i] = (struct winregion_range){
			.address = (uintptr_t)at + 2 * UNIT * i,
			.length = UNIT,
			.protection = RW,
		};
	MUST(!wr_vector(device, WINREGION_COMMIT, ranges, nr));
}

static void wr_way_decommit(char *at, size_t length)
{
	MUST(!wr_decommit(device, at, length));
}

static void wr_way_protect(char *at, size_t length, bool writable)
{
	MUST(!wr_protect(device, at, length, writable ? RW : RO));
}

static void wr_way_execute(char *at, size_t length, bool code)
{
	MUST(!wr_protect(device, at, length, code ? RX : RW));
}

/* ---- mmap() and mprotect() ---- */

/* More than is needed, and what is not aligned given back */
static char *reserve_and_trim(size_t length, size_t alignment, int rights)
{
	size_t more = alignment - PAGE;
	char *from = mmap(NULL, length + more, rights, FLAGS, -1, 0);
	char *base = (char *)(((uintptr_t)from + more) & ~(alignment - 1));
	size_t before = base - from;

	MUST(from != MAP_FAILED);
	if (before)
		munmap(from, before);
	if (more > before)
		munmap(base + length, more - before);
	return base;
}

static char *mmap_reserve(size_t length, size_t alignment)
{
	return reserve_and_trim(length, alignment, PROT_NONE);
}

static void mmap_release(char *base, size_t length)
{
	MUST(!munmap(base, length));
}

static void mmap_commit(char *at, size_t length)
{
	MUST(!mprotect(at, length, RIGHTS));
}

static void mmap_commit_many(char *at, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		mmap_commit(at + 2 * UNIT * i, UNIT);
}

static void mmap_decommit(char *at, size_t length)
{
	MUST(mmap(at, length, PROT_NONE, FLAGS | MAP_FIXED, -1, 0) == at);
}

static void mmap_protect(char *at, size_t length, bool writable)
{
	MUST(!mprotect(at, length, writable ? RIGHTS : PROT_READ));
}

static void mmap_execute(char *at, size_t length, bool code)
{
	MUST(!mprotect(at, length, code ? PROT_READ | PROT_EXEC : RIGHTS));
}

/* ---- the same, but pages are given back by madvise() ---- */

static void madvise_decommit(char *at, size_t length)
{
	MUST(!mprotect(at, length, PROT_NONE));
	MUST(!madvise(at, length, MADV_DONTNEED));
}

/* ---- guard markers: page tables say what is not to be touched ---- */

static bool guard_exists(void)
{
	char *page = mmap(NULL, PAGE, RIGHTS, FLAGS, -1, 0);
	bool exists = !madvise(page, PAGE, MADV_GUARD_INSTALL);

	munmap(page, PAGE);
	return exists;
}

static void guard_decommit(char *at, size_t length)
{
	MUST(!madvise(at, length, MADV_GUARD_INSTALL));
}

static char *guard_reserve(size_t length, size_t alignment)
{
	char *base = reserve_and_trim(length, alignment, RIGHTS);

	guard_decommit(base, length);
	return base;
}

static void guard_commit(char *at, size_t length)
{
	MUST(!madvise(at, length, MADV_GUARD_REMOVE));
}

static void guard_commit_many(char *at, unsigned int nr)
{
	struct iovec ranges[VECTOR];
	unsigned int i;

	for (i = 0; i < nr; i++)
		ranges[i] = (struct iovec){ at + 2 * UNIT * i, UNIT };
	MUST(syscall(SYS_process_madvise, self, ranges, (size_t)nr,
		     MADV_GUARD_REMOVE, 0) == (long)(nr * UNIT));
}

/* ---- all of them ---- */

const struct way ways[] = {
	{
		.name = "winregion",
		.reserve = wr_way_reserve,
		.release = wr_way_release,
		.commit = wr_way_commit,
		.commit_many = wr_way_commit_many,
		.decommit = wr_way_decommit,
		.protect = wr_way_protect,
		.execute = wr_way_execute,
	}, {
		.name = "mmap",
		.reserve = mmap_reserve,
		.release = mmap_release,
		.commit = mmap_commit,
		.commit_many = mmap_commit_many,
		.decommit = mmap_decommit,
		.protect = mmap_protect,
		.execute = mmap_execute,
	}, {
		.name = "madvise",
		.reserve = mmap_reserve,
		.release = mmap_release,
		.commit = mmap_commit,
		.commit_many = mmap_commit_many,
		.decommit = madvise_decommit,
		.protect = mmap_protect,
		.execute = mmap_execute,
	}, {
		.name = "guard",
		.exists = guard_exists,
		.reserve = guard_reserve,
		.release = mmap_release,
		.commit = guard_commit,
		.commit_many = guard_commit_many,
		.decommit = guard_decommit,
		.protect = mmap_protect,
		.execute = mmap_execute,
	},
	/* Ways to ask only: query.c */
	{ .name = "null" },
	{ .name = "maps" },
	{ .name = "procmap", .exists = procmap_exists },
	/* Whom it is asked about: others.c */
	{ .name = "own" },
	/* Ways to watch, or not to: watch.c */
	{ .name = "plain" },
	{ .name = "uffd", .exists = uffd_exists },
	{ .name = "sigsegv" },
};

const unsigned int nr_ways = ARRAY_SIZE(ways);

const struct way *way_find(const char *name)
{
	const struct way *way;

	for (way = ways; way < ways + nr_ways; way++)
		if (!strcmp(way->name, name))
			return way;
	die("no way '%s'", name);
}
