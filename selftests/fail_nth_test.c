// SPDX-License-Identifier: GPL-2.0
/* vm: timeout=3000 kernels=debug */
/*
 * Every allocation and every user copy of every call fails once: the first in
 * the first run, the second in the next, until nothing fails any more. Each
 * time the call has done all that it should, or nothing, and then it works.
 */
#include "kselftest_harness.h"

#include <stddef.h>
#include <sys/uio.h>

#include "common.h"
#include "wr_test_util.h"
#include "race.h"
#include "fail_nth.h"

#define MAX_NTH 5000
#define FAR_ADDRESS 0x200000000000UL

/* What every process has here, and what its pages contain */

struct arena {
	int fd;
	int file;
	char *small;	/* in a shared window */
	char *large;	/* with a window of its own, tracked */
	char *pieces;	/* of several VMAs */
	char *exec;	/* reserved executable */
	char *made;	/* by the call that is tested */
	uint64_t free;	/* behind the small region, in its window */
};

struct content {
	size_t offset;	/* of the pointer in struct arena */
	unsigned int first;
	unsigned int nr;
	uint64_t seed;
};

static const struct content contents[] = {
	{ offsetof(struct arena, small), 0, 16, 1000 },
	{ offsetof(struct arena, large), 0, 16, 2000 },
	{ offsetof(struct arena, large), 600, 8, 3000 },
	{ offsetof(struct arena, pieces), 0, 16, 4000 },
	{ offsetof(struct arena, exec), 0, 8, 5000 },
};

static char *content_base(struct arena *arena, const struct content *content)
{
	return *(char **)((char *)arena + content->offset) +
	       PAGES(content->first);
}

static bool contents_are_there(struct arena *arena)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(contents); i++)
		if (!pages_have(content_base(arena, &contents[i]),
				contents[i].nr, contents[i].seed))
			return false;
	return true;
}

static void fill_arena(struct arena *arena)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(contents); i++)
		fill_pages(content_base(arena, &contents[i]), contents[i].nr,
			   contents[i].seed);
}

/* Again, what may be written; nothing changes but whose the pages are. */
static void fill_arena_writable(struct arena *arena)
{
	fill_pages(arena->small, 16, 1000);
	fill_pages(arena->large, 16, 2000);
	fill_pages(arena->pieces, 8, 4000);
	fill_pages(arena->exec, 8, 5000);
}

static char *make_region(int fd, uint64_t length, uint32_t protection)
{
	uint64_t addr = 0;

	if (wr_reserve_at(fd, &addr, length, 0, protection))
		return NULL;
	return (char *)(uintptr_t)addr;
}

static bool make_arena(struct arena *arena)
{
	int fd = arena->fd;

	arena->small = make_region(fd, KIB(256), RW);
	arena->large = make_region(fd, MIB(4), RW);
	arena->pieces = make_region(fd, MIB(2), RW);
	arena->exec = make_region(fd, KIB(256), RWX);
	if (!arena->small || !arena->large || !arena->pieces || !arena->exec)
		return false;
	arena->free = (uintptr_t)arena->small + KIB(256);
	if (wr_commit(fd, arena->small, PAGES(24), RW) ||
	    wr_commit(fd, arena->large, PAGES(24), RW) ||
	    wr_commit(fd, arena->large + PAGES(600), PAGES(8), RW) ||
	    wr_commit(fd, arena->pieces, PAGES(24), RW) ||
	    wr_commit(fd, arena->exec, PAGES(16), RWX))
		return false;
	fill_arena(arena);
	return !wr_protect(fd, arena->large + PAGES(600), PAGES(8), RO) &&
	       !wr_protect(fd, arena->pieces + PAGES(8), PAGES(1), RX) &&
	       !wr_protect(fd, arena->exec + PAGES(4), PAGES(2), RW);
}

/* What can be seen of it from outside */

struct picture {
	struct winregion_run runs[128];
	long nr;
	uint64_t regions;
	uint64_t committed;
};

static void take_picture(int fd, struct picture *picture)
{
	uint64_t next = 0;

	memset(picture, 0, sizeof(*picture));
	picture->nr = wr_query_runs(fd, &next, USER_HIGHEST,
				    WINREGION_QUERY_REGIONS, picture->runs,
				    ARRAY_SIZE(picture->runs));
	picture->regions = WR_INFO(fd, out_regions);
	picture->committed = WR_INFO(fd, out_committed);
}

static bool picture_is(int fd, const struct picture *want)
{
	static struct picture now;

	take_picture(fd, &now);
	return now.nr > 0 && !memcmp(&now, want, sizeof(now));
}

/* The calls */

/**
 * struct op - a call
 * @name: to tell
 * @prepare: what comes before it, or NULL
 * @run: the call: 0 or -errno
 * @works: whether it did what it should, where the picture does not tell
 * @undo: makes everything as it was before @prepare, or NULL
 * @anywhere: its result is elsewhere each time
 * @errors: that it may return beside EFAULT, up to the first 0
 */
struct op {
	const char *name;
	int (*prepare)(struct arena *arena);
	int (*run)(struct arena *arena);
	bool (*works)(struct arena *arena);
	int (*undo)(struct arena *arena);
	bool anywhere;
	int errors[8];
};

#define NO_CHANGE { ENOMEM }
#define RESERVE_ERRORS { ENOMEM, ENOSPC, EDQUOT, ENFILE, ENOBUFS }
#define CHANGE_ERRORS { ENOMEM, EDQUOT, ENFILE }
#define EXEC_ERRORS { ENOMEM, EDQUOT, ENFILE, ENOSPC }

static int op_get_info(struct arena *arena)
{
	struct winregion_get_info info;

	return wr_get_info(arena->fd, &info);
}

/* Reserve */

static int reserve(struct arena *arena, uint64_t addr, uint64_t length,
		   uint32_t flags, uint32_t protection)
{
	int ret;

	arena->made = NULL;
	ret = wr_reserve_at(arena->fd, &addr, length, flags, protection);
	if (!ret)
		arena->made = (char *)(uintptr_t)addr;
	return ret;
}

#define RESERVE_OP(_name, _addr, _length, _flags, _protection)		\
static int op_##_name(struct arena *arena)				\
{									\
	return reserve(arena, _addr, _length, _flags, _protection);	\
}

#define FLAG_COMMIT WINREGION_RESERVE_COMMIT
#define FLAG_DOWN WINREGION_RESERVE_TOP_DOWN

RESERVE_OP(reserve_small, 0, KIB(64), 0, RW)
RESERVE_OP(reserve_large, 0, MIB(3), 0, RW)
RESERVE_OP(reserve_new_shared, 0, MIB(1), 0, RW)
RESERVE_OP(reserve_exec, 0, MIB(3), FLAG_COMMIT, RWX)
RESERVE_OP(reserve_exec_small, 0, KIB(64), FLAG_COMMIT, RX)
RESERVE_OP(reserve_inside, arena->free, KIB(64), 0, RW)
RESERVE_OP(reserve_far, FAR_ADDRESS, KIB(192), FLAG_COMMIT, RW)
RESERVE_OP(reserve_down, 0, KIB(64), FLAG_DOWN, RW)
RESERVE_OP(reserve_down_large, 0, MIB(2), FLAG_DOWN | FLAG_COMMIT, RO)
RESERVE_OP(reserve_commit, 0, KIB(64), FLAG_COMMIT, RW)
RESERVE_OP(reserve_commit_large, 0, MIB(24), FLAG_COMMIT, RW)
RESERVE_OP(reserve_large_pages, 0, MIB(4),
	   FLAG_COMMIT | WINREGION_RESERVE_LARGE_PAGES, RW)
RESERVE_OP(reserve_on_node, 0, MIB(4), FLAG_COMMIT | WINREGION_RESERVE_NODE, RW)

static int op_reserve_bound(struct arena *arena)
{
	struct winregion_reserve arg = {
		.size = sizeof(arg),
		.protection = RW,
		.length = KIB(64),
		.highest = 0x4fffffff,
		.alignment = MIB(1),
	};
	int ret = wr_ioctl(arena->fd, WINREGION_RESERVE, &arg);

	arena->made = ret ? NULL : (char *)(uintptr_t)arg.address;
	return ret;
}

/* A window whose first pages are free, and in the way */
static int make_obstacle(struct arena *arena)
{
	int ret = reserve(arena, FAR_ADDRESS + KIB(64), KIB(192), 0, RW);

	return ret ? ret : wr_release(arena->fd, arena->made, KIB(64));
}

RESERVE_OP(reserve_across, FAR_ADDRESS, KIB(128), 0, RW)

static bool made_works(struct arena *arena)
{
	struct winregion_run run;
	bool ok;

	if (wr_query(arena->fd, arena->made, &run) ||
	    run.region_address != (uintptr_t)arena->made)
		return false;
	if (run.state == WINREGION_STATE_RESERVE &&
	    wr_commit(arena->fd, arena->made, PAGES(1), RW))
		return false;
	ok = page_is_zero(arena->made);
	if (run.protection == RW || run.protection == RWX)
		fill_page(arena->made, 6);
	return ok;
}

static int unmake(struct arena *arena)
{
	return wr_release(arena->fd, arena->made, 0);
}

static int unmake_across(struct arena *arena)
{
	return wr_release(arena->fd, (void *)FAR_ADDRESS, 0) ?:
	       wr_release(arena->fd, (void *)(FAR_ADDRESS + KIB(128)), 0);
}

/* Release */

static int make_filled(struct arena *arena, uint64_t size)
{
	int ret = reserve(arena, 0, size, 0, RW);

	if (!ret)
		ret = wr_commit(arena->fd, arena->made, PAGES(20), RW);
	if (!ret)
		fill_pages(arena->made, 20, 7);
	return ret;
}

static int make_small(struct arena *arena)
{
	return make_filled(arena, KIB(128));
}

static int make_large(struct arena *arena)
{
	return make_filled(arena, MIB(3));
}

/* Executable pages in the middle */
static int make_executable(struct arena *arena, uint64_t size)
{
	int ret = make_filled(arena, size);

	return ret ? ret : wr_protect(arena->fd, arena->made + PAGES(5),
				      PAGES(10), RX);
}

static int make_pieces(struct arena *arena)
{
	return make_executable(arena, MIB(3));
}

static int make_small_pieces(struct arena *arena)
{
	return make_executable(arena, KIB(128));
}

/* The program unmaps a piece; nobody knows what is there then. */
static int make_lossy(struct arena *arena)
{
	int ret = make_pieces(arena);

	if (!ret && munmap(arena->made + PAGES(5), PAGES(10)))
		ret = -errno;
	return ret;
}

static int op_release(struct arena *arena)
{
	return wr_release(arena->fd, arena->made, 0);
}

static int op_release_head(struct arena *arena)
{
	return wr_release(arena->fd, arena->made, PAGES(16));
}

static int op_release_middle(struct arena *arena)
{
	return wr_release(arena->fd, arena->made + PAGES(8), PAGES(4));
}

/* The place is free: someone else can have it, and use it. */
static bool place_is_free(struct arena *arena)
{
	uint64_t addr = (uintptr_t)arena->made;
	char *page = arena->made;

	if (wr_reserve_at(arena->fd, &addr, KIB(64), 0, RW) ||
	    addr != (uintptr_t)page)
		return false;
	if (wr_commit(arena->fd, page, PAGES(16), RW) ||
	    !try_write(page) || !try_write(page + PAGES(15)) ||
	    !page_is_zero(page + PAGES(2)))
		return false;
	return !wr_release(arena->fd, page, 0);
}

/* Where a piece was lost only what is in front of it can be had again. */
static bool rest_is_free(struct arena *arena)
{
	uint64_t addr = (uintptr_t)arena->made;
	bool ok;

	if (wr_reserve_at(arena->fd, &addr, PAGES(4), 0, RW))
		return true;
	ok = !wr_commit(arena->fd, arena->made, PAGES(4), RW) &&
	     try_write(arena->made) && try_write(arena->made + PAGES(3));
	return !wr_release(arena->fd, arena->made, 0) && ok;
}

static bool head_is_free(struct arena *arena)
{
	return place_is_free(arena) &&
	       pages_have(arena->made + PAGES(16), 4, 23);
}

static int release_tail(struct arena *arena)
{
	return wr_release(arena->fd, arena->made + PAGES(16), 0);
}

static bool middle_is_free(struct arena *arena)
{
	return pages_have(arena->made, 8, 7) &&
	       pages_have(arena->made + PAGES(12), 8, 19) &&
	       !try_read(arena->made + PAGES(9));
}

static int release_both(struct arena *arena)
{
	return wr_release(arena->fd, arena->made, 0) ?:
	       wr_release(arena->fd, arena->made + PAGES(12), 0);
}

/* Placeholders */

static int make_placeholder(struct arena *arena)
{
	return reserve(arena, 0, KIB(64), WINREGION_RESERVE_PLACEHOLDER, NA);
}

static int replace(struct arena *arena, uint32_t protection)
{
	return reserve(arena, (uintptr_t)arena->made, KIB(64),
		       WINREGION_RESERVE_REPLACE | FLAG_COMMIT, protection);
}

/* The base is known again if it has failed. */
static int op_replace(struct arena *arena)
{
	char *base = arena->made;
	int ret = replace(arena, RW);

	arena->made = base;
	return ret;
}

static int op_replace_exec(struct arena *arena)
{
	char *base = arena->made;
	int ret = replace(arena, RWX);

	arena->made = base;
	return ret;
}

static int make_replaced(struct arena *arena)
{
	int ret = make_placeholder(arena);

	if (!ret)
		ret = replace(arena, RW);
	if (!ret)
		fill_pages(arena->made, 16, 7);
	return ret;
}

static int make_replaced_exec(struct arena *arena)
{
	return make_placeholder(arena) ?: replace(arena, RWX);
}

static int release_with(struct arena *arena, uint32_t flags, unsigned int page,
			unsigned int nr)
{
	struct winregion_release arg = {
		.size = sizeof(arg),
		.flags = flags,
		.address = (uintptr_t)arena->made + PAGES(page),
		.length = PAGES(nr),
	};

	return wr_ioctl(arena->fd, WINREGION_RELEASE, &arg);
}

static int op_split(struct arena *arena)
{
	return release_with(arena, WINREGION_RELEASE_PRESERVE, 4, 4);
}

static int op_preserve(struct arena *arena)
{
	return release_with(arena, WINREGION_RELEASE_PRESERVE, 0, 16);
}

static int op_coalesce(struct arena *arena)
{
	return release_with(arena, WINREGION_RELEASE_COALESCE, 0, 16);
}

static int make_split(struct arena *arena)
{
	return make_placeholder(arena) ?: op_split(arena);
}

static int unmake_split(struct arena *arena)
{
	return wr_release(arena->fd, arena->made, 0) ?:
	       wr_release(arena->fd, arena->made + PAGES(4), 0) ?:
	       wr_release(arena->fd, arena->made + PAGES(8), 0);
}

static bool placeholder_works(struct arena *arena)
{
	return wr_commit(arena->fd, arena->made, PAGES(1), RW) == -EBADSLT &&
	       !op_replace(arena) && page_is_zero(arena->made + PAGES(9)) &&
	       !op_preserve(arena);
}

static bool rest_is_kept(struct arena *arena)
{
	return pages_have(arena->made, 4, 7) &&
	       pages_have(arena->made + PAGES(8), 8, 15);
}

/* Commit, decommit, protect */

static int change(struct arena *arena, unsigned long cmd, char *page,
		  unsigned int nr, uint32_t protection)
{
	return wr_change(arena->fd, cmd, page, PAGES(nr), protection, NULL);
}

#define CHANGE_OP(_name, _cmd, _page, _nr, _protection)			\
static int op_##_name(struct arena *arena)				\
{									\
	return change(arena, WINREGION_##_cmd, _page, _nr, _protection); \
}

CHANGE_OP(commit, COMMIT, arena->small + PAGES(40), 3, RW)
CHANGE_OP(uncommit, DECOMMIT, arena->small + PAGES(40), 3, 0)
CHANGE_OP(commit_split, COMMIT, arena->large + PAGES(700), 200, RO)
CHANGE_OP(uncommit_split, DECOMMIT, arena->large + PAGES(700), 200, 0)
CHANGE_OP(commit_much, COMMIT, arena->made + PAGES(1000), 6000, RW)
CHANGE_OP(recommit, COMMIT, arena->small + PAGES(3), 3, RO)
CHANGE_OP(re_recommit, COMMIT, arena->small + PAGES(3), 3, RW)
CHANGE_OP(commit_exec, COMMIT, arena->large + PAGES(100), 4, RX)
CHANGE_OP(uncommit_exec, DECOMMIT, arena->large + PAGES(100), 4, 0)
CHANGE_OP(commit_data, COMMIT, arena->exec + PAGES(20), 4, RW)
CHANGE_OP(uncommit_data, DECOMMIT, arena->exec + PAGES(20), 4, 0)
CHANGE_OP(decommit, DECOMMIT, arena->made + PAGES(3), 2, 0)
CHANGE_OP(decommit_exec, DECOMMIT, arena->made, 20, 0)
CHANGE_OP(track, PROTECT, arena->made + PAGES(3), 1, RO)
CHANGE_OP(protect, PROTECT, arena->large + PAGES(18), 2, NA)
CHANGE_OP(unprotect, PROTECT, arena->large + PAGES(18), 2, RW)
CHANGE_OP(guard, PROTECT, arena->small + PAGES(18), 2, RW | WINREGION_GUARD)
CHANGE_OP(unguard, PROTECT, arena->small + PAGES(18), 2, RW)
CHANGE_OP(protect_exec, PROTECT, arena->small + PAGES(3), 4, RX)
CHANGE_OP(unprotect_exec, PROTECT, arena->small + PAGES(3), 4, RW)
CHANGE_OP(protect_mixed, PROTECT, arena->made, 20, RWX)
CHANGE_OP(rejoin, PROTECT, arena->made + PAGES(5), 10, RW)

static int make_huge(struct arena *arena)
{
	return reserve(arena, 0, GIB(1), 0, RW);
}

/* Ranges of several windows, more than fit on the kernel's stack */
#define NR_RANGES 8

static int vector(struct arena *arena, unsigned long cmd, uint32_t protection)
{
	char *const base[] = {
		arena->small, arena->large, arena->pieces, arena->exec,
	};
	struct winregion_range ranges[NR_RANGES];
	unsigned int i;

	for (i = 0; i < NR_RANGES; i++)
		ranges[i] = (struct winregion_range) {
			.address = (uintptr_t)base[i % 4] + PAGES(30 + 4 * i),
			.length = PAGES(2),
			.protection = protection,
		};
	return wr_vector(arena->fd, cmd, ranges, NR_RANGES);
}

static int op_commit_vector(struct arena *arena)
{
	return vector(arena, WINREGION_COMMIT, RW);
}

static int op_commit_vector_exec(struct arena *arena)
{
	return vector(arena, WINREGION_COMMIT, RX);
}

static int op_decommit_vector(struct arena *arena)
{
	return vector(arena, WINREGION_DECOMMIT, 0);
}

static int op_protect_vector(struct arena *arena)
{
	return vector(arena, WINREGION_PROTECT, RO);
}

static int op_protect_vector_exec(struct arena *arena)
{
	return vector(arena, WINREGION_PROTECT, RWX);
}

/* What becomes of contents */

static int contents_op(struct arena *arena, uint32_t operation,
		       struct winregion_range *ranges, unsigned int nr,
		       uint32_t word)
{
	struct winregion_reset arg = {
		.size = sizeof(arg),
		.operation = operation,
		.nr_ranges = nr,
		.ranges = (uintptr_t)ranges,
	};
	unsigned int i;

	for (i = 0; i < nr; i++)
		ranges[i].protection = word;
	return wr_ioctl(arena->fd, WINREGION_RESET, &arg);
}

/* Of two windows, and parts of units */
static int reset_op(struct arena *arena, uint32_t operation)
{
	struct winregion_range ranges[] = {
		{ (uintptr_t)arena->small, PAGES(13), 0, 0 },
		{ (uintptr_t)arena->large + PAGES(3), PAGES(12), 0, 0 },
		{ (uintptr_t)arena->pieces, PAGES(7), 0, 0 },
	};

	return contents_op(arena, operation, ranges, ARRAY_SIZE(ranges), RW);
}

static int op_reset(struct arena *arena)
{
	return reset_op(arena, WINREGION_OP_RESET);
}

static int op_unreset(struct arena *arena)
{
	return reset_op(arena, WINREGION_OP_UNDO);
}

/* Of a region whose pages nobody looks at meanwhile, parts of a large page too */
static int made_op(struct arena *arena, uint32_t operation, uint32_t word)
{
	struct winregion_range ranges[] = {
		{ (uintptr_t)arena->made + PAGES(5), PAGES(30), 0, 0 },
		{ (uintptr_t)arena->made + PAGES(500), PAGES(50), 0, 0 },
	};

	return contents_op(arena, operation, ranges, ARRAY_SIZE(ranges), word);
}

static int make_contents(struct arena *arena)
{
	arena->made = wr_reserve_aligned(arena->fd, MIB(4), MIB(2), true);
	if (!arena->made)
		return -errno;
	fill_pages(arena->made, 700, 9000);
	return 0;
}

static int op_offer(struct arena *arena)
{
	return made_op(arena, WINREGION_OP_OFFER, WINREGION_PRIORITY_LOW);
}

static int op_offer_again(struct arena *arena)
{
	return made_op(arena, WINREGION_OP_OFFER, WINREGION_PRIORITY_NORMAL);
}

static int make_offered(struct arena *arena)
{
	return make_contents(arena) ?: op_offer(arena);
}

static int op_reclaim(struct arena *arena)
{
	return made_op(arena, WINREGION_OP_RECLAIM, 0);
}

static int op_discard(struct arena *arena)
{
	return made_op(arena, WINREGION_OP_DISCARD, 0);
}

/* What had no memory for a page of its own may be gone. */
static bool is_old_or_zero(struct arena *arena)
{
	unsigned int i;

	for (i = 0; i < 700; i++)
		if (!page_has(arena->made + PAGES(i), 9000 + i) &&
		    !page_is_zero(arena->made + PAGES(i)))
			return false;
	return pages_have(arena->made + PAGES(35), 465, 9035);
}

static bool offer_works(struct arena *arena)
{
	return !try_read(arena->made + PAGES(5)) &&
	       !try_read(arena->made + PAGES(549)) && !op_reclaim(arena) &&
	       is_old_or_zero(arena);
}

static bool discard_works(struct arena *arena)
{
	return page_is_zero(arena->made + PAGES(5)) && is_old_or_zero(arena);
}

/* Query */

static int op_query(struct arena *arena)
{
	struct winregion_run run;
	int ret = wr_query_flags(arena->fd, arena->small,
				 WINREGION_QUERY_RESIDENT, &run);

	return ret ? ret : run.region_committed == PAGES(24) &&
			   run.resident == PAGES(16) ? 0 : -EIO;
}

static int op_query_free(struct arena *arena)
{
	struct winregion_run run;
	int ret = wr_query(arena->fd, (void *)FAR_ADDRESS, &run);

	return ret ? ret : run.state == WINREGION_STATE_FREE ? 0 : -EIO;
}

static int op_query_runs(struct arena *arena)
{
	static struct winregion_run runs[100];
	uint64_t next = 0;
	long n = wr_query_runs(arena->fd, &next, USER_HIGHEST, 0, runs, 100);

	return n < 0 ? n : n > 10 ? 0 : -EIO;
}

/* Locked pages: some that are in memory, and some that are not yet */

static int lock(struct arena *arena, uint32_t operation, unsigned int first,
		unsigned int nr, uint64_t *locked)
{
	struct winregion_lock arg = {
		.size = sizeof(arg),
		.operation = operation,
		.address = (uintptr_t)arena->large + PAGES(first),
		.length = PAGES(nr),
	};
	int ret = wr_ioctl(arena->fd, WINREGION_LOCK, &arg);

	if (locked)
		*locked = arg.out_locked;
	return ret;
}

static bool is_locked(struct arena *arena, unsigned int nr)
{
	uint64_t locked;

	return !lock(arena, WINREGION_LOCK_COUNT, 0, 1024, &locked) &&
	       locked == PAGES(nr) && SETTLES((uint64_t)self_status("VmLck") ==
					      PAGES(nr));
}

static int op_lock(struct arena *arena)
{
	return lock(arena, WINREGION_LOCK_ADD, 3, 20, NULL);
}

static bool lock_works(struct arena *arena)
{
	return is_locked(arena, 20);
}

static int op_unlock(struct arena *arena)
{
	return lock(arena, WINREGION_LOCK_REMOVE, 3, 20, NULL);
}

static bool unlock_works(struct arena *arena)
{
	return is_locked(arena, 0);
}

static int op_trim(struct arena *arena)
{
	return lock(arena, WINREGION_LOCK_TRIM, 0, 1024, NULL);
}

/* Frames: made, mapped where another is already, and freed */

#define NR_FRAMES 4

static int frames(struct arena *arena, uint32_t flags, uint64_t *numbers)
{
	struct winregion_frames arg = {
		.size = sizeof(arg),
		.flags = flags,
		.count = NR_FRAMES,
		.frames = (uintptr_t)numbers,
	};
	int ret = wr_ioctl(arena->fd, WINREGION_FRAMES, &arg);

	/* Fewer than asked for are no failure of the call. */
	if (!ret && arg.count < NR_FRAMES) {
		arg.flags = WINREGION_FRAMES_FREE;
		wr_ioctl(arena->fd, WINREGION_FRAMES, &arg);
		return -ENOMEM;
	}
	return ret;
}

static uint64_t numbers[2][NR_FRAMES];

static int op_make_frames(struct arena *arena)
{
	return frames(arena, 0, numbers[0]);
}

static int op_free_frames(struct arena *arena)
{
	return frames(arena, WINREGION_FRAMES_FREE, numbers[0]);
}

static int map_frames(struct arena *arena, unsigned int which)
{
	struct winregion_map_frames arg = {
		.size = sizeof(arg),
		.address = FAR_ADDRESS + PAGES(1),
		.count = NR_FRAMES,
		.frames = (uintptr_t)numbers[which],
	};

	return wr_ioctl(arena->fd, WINREGION_MAP_FRAMES, &arg);
}

static int make_window(struct arena *arena)
{
	int ret = reserve(arena, FAR_ADDRESS, KIB(64),
			  WINREGION_RESERVE_PHYSICAL, RW);

	if (!ret)
		ret = frames(arena, 0, numbers[0]);
	if (!ret)
		ret = frames(arena, 0, numbers[1]);
	if (!ret)
		ret = map_frames(arena, 0);
	if (!ret)
		fill_page((char *)FAR_ADDRESS + PAGES(1), 1);
	return ret;
}

static int op_map_frames(struct arena *arena)
{
	return map_frames(arena, 1);
}

static bool map_frames_works(struct arena *arena)
{
	return page_is_zero((char *)FAR_ADDRESS + PAGES(1));
}

static int unmake_window(struct arena *arena)
{
	int ret = frames(arena, WINREGION_FRAMES_FREE, numbers[0]);

	if (!ret)
		ret = frames(arena, WINREGION_FRAMES_FREE, numbers[1]);
	return ret ? ret : wr_release(arena->fd, (char *)FAR_ADDRESS, 0);
}

static int op_open(struct arena *arena)
{
	int fd = wr_open();

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* By a descriptor of this very process, as if it were another one */

static int open_process(struct arena *arena, int memory)
{
	struct winregion_open_process arg = {
		.size = sizeof(arg),
		.flags = WINREGION_PROCESS_CHANGE,
		.memory = memory,
	};
	int ret = wr_ioctl(arena->fd, WINREGION_OPEN_PROCESS, &arg);

	return ret ? ret : arg.out_fd;
}

static int own_memory = -1;

static int make_memory(struct arena *arena)
{
	if (own_memory < 0)
		own_memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	return own_memory < 0 ? -errno : 0;
}

static int op_open_process(struct arena *arena)
{
	int process = open_process(arena, own_memory);

	if (process < 0)
		return process;
	close(process);
	return 0;
}

static int own_process = -1;

static int make_process(struct arena *arena)
{
	if (!make_memory(arena) && own_process < 0)
		own_process = open_process(arena, own_memory);
	return own_process < 0 ? own_process : 0;
}

static int op_reserve_there(struct arena *arena)
{
	uint64_t addr = 0;
	int ret = wr_reserve_at(own_process, &addr, MIB(3), FLAG_COMMIT, RWX);

	arena->made = ret ? NULL : (char *)(uintptr_t)addr;
	return ret;
}

static const struct op ops[] = {
	{ "open process", .prepare = make_memory, .run = op_open_process,
	  .errors = { ENOMEM, ENFILE } },
	{ "reserve there", .prepare = make_process, .run = op_reserve_there,
	  .works = made_works, .undo = unmake, .anywhere = true,
	  .errors = RESERVE_ERRORS },
	{ "get_info", .run = op_get_info },
	{ "open", .run = op_open, .errors = { ENOMEM, ENFILE } },
	{ "query", .run = op_query },
	{ "query of free memory", .run = op_query_free },
	{ "query_runs", .run = op_query_runs, .errors = NO_CHANGE },
	{ "lock", .run = op_lock, .works = lock_works, .undo = op_unlock,
	  .errors = NO_CHANGE },
	{ "unlock", .prepare = op_lock, .run = op_unlock,
	  .works = unlock_works },
	{ "trim", .run = op_trim },
	{ "make frames", .run = op_make_frames, .undo = op_free_frames,
	  .anywhere = true, .errors = { ENOMEM, EDQUOT, ENFILE } },
	{ "free frames", .prepare = op_make_frames, .run = op_free_frames },
	{ "map frames", .prepare = make_window, .run = op_map_frames,
	  .works = map_frames_works, .undo = unmake_window,
	  .errors = NO_CHANGE },

#define RESERVE_ENTRY(_name)						\
	{ #_name, .run = op_##_name, .works = made_works,		\
	  .undo = unmake, .anywhere = true, .errors = RESERVE_ERRORS }
	RESERVE_ENTRY(reserve_small),
	RESERVE_ENTRY(reserve_large),
	RESERVE_ENTRY(reserve_new_shared),
	RESERVE_ENTRY(reserve_exec),
	RESERVE_ENTRY(reserve_exec_small),
	RESERVE_ENTRY(reserve_inside),
	RESERVE_ENTRY(reserve_far),
	RESERVE_ENTRY(reserve_down),
	RESERVE_ENTRY(reserve_down_large),
	RESERVE_ENTRY(reserve_commit),
	RESERVE_ENTRY(reserve_commit_large),
	RESERVE_ENTRY(reserve_large_pages),
	RESERVE_ENTRY(reserve_on_node),
	RESERVE_ENTRY(reserve_bound),
	{ "reserve_across", .prepare = make_obstacle,
	  .run = op_reserve_across, .works = made_works,
	  .undo = unmake_across, .anywhere = true, .errors = RESERVE_ERRORS },

#define RELEASE_ENTRY(_name, _make, _run, _works, _undo)		\
	{ _name, .prepare = _make, .run = _run, .works = _works,	\
	  .undo = _undo, .anywhere = true, .errors = NO_CHANGE }
	RELEASE_ENTRY("release small", make_small, op_release,
		      place_is_free, NULL),
	RELEASE_ENTRY("release large", make_large, op_release,
		      place_is_free, NULL),
	RELEASE_ENTRY("release pieces", make_pieces, op_release,
		      place_is_free, NULL),
	RELEASE_ENTRY("release small pieces", make_small_pieces, op_release,
		      place_is_free, NULL),
	RELEASE_ENTRY("release lossy", make_lossy, op_release,
		      rest_is_free, NULL),
	RELEASE_ENTRY("release head", make_small, op_release_head,
		      head_is_free, release_tail),
	RELEASE_ENTRY("release middle", make_large, op_release_middle,
		      middle_is_free, release_both),
	RELEASE_ENTRY("release head of pieces", make_small_pieces,
		      op_release_head, head_is_free, release_tail),
	RELEASE_ENTRY("release middle of pieces", make_pieces,
		      op_release_middle, middle_is_free, release_both),

	{ "replace", .prepare = make_placeholder, .run = op_replace,
	  .works = made_works, .undo = unmake, .anywhere = true,
	  .errors = EXEC_ERRORS },
	{ "replace by code", .prepare = make_placeholder,
	  .run = op_replace_exec, .works = made_works, .undo = unmake,
	  .anywhere = true, .errors = EXEC_ERRORS },
	RELEASE_ENTRY("split", make_placeholder, op_split, NULL, unmake_split),
	RELEASE_ENTRY("coalesce", make_split, op_coalesce, placeholder_works,
		      unmake),
	RELEASE_ENTRY("preserve", make_replaced, op_preserve,
		      placeholder_works, unmake),
	RELEASE_ENTRY("preserve of code", make_replaced_exec, op_preserve,
		      placeholder_works, unmake),
	RELEASE_ENTRY("preserve a part", make_replaced, op_split, rest_is_kept,
		      unmake_split),

#define CHANGE_ENTRY(_name, _make, _run, _undo, ...)			\
	{ _name, .prepare = _make, .run = _run, .undo = _undo,		\
	  .anywhere = (_make) != NULL, .errors = __VA_ARGS__ }
	CHANGE_ENTRY("commit", NULL, op_commit, op_uncommit, CHANGE_ERRORS),
	CHANGE_ENTRY("commit split", NULL, op_commit_split, op_uncommit_split,
		     CHANGE_ERRORS),
	CHANGE_ENTRY("commit much", make_huge, op_commit_much, unmake,
		     CHANGE_ERRORS),
	CHANGE_ENTRY("recommit", NULL, op_recommit, op_re_recommit,
		     CHANGE_ERRORS),
	CHANGE_ENTRY("commit exec", NULL, op_commit_exec, op_uncommit_exec,
		     EXEC_ERRORS),
	CHANGE_ENTRY("commit data", NULL, op_commit_data, op_uncommit_data,
		     EXEC_ERRORS),
	CHANGE_ENTRY("commit vector", NULL, op_commit_vector,
		     op_decommit_vector, EXEC_ERRORS),
	CHANGE_ENTRY("commit exec vector", NULL, op_commit_vector_exec,
		     op_decommit_vector, EXEC_ERRORS),
	CHANGE_ENTRY("decommit", make_small, op_decommit, unmake,
		     CHANGE_ERRORS),
	CHANGE_ENTRY("decommit exec", make_pieces, op_decommit_exec, unmake,
		     EXEC_ERRORS),
	CHANGE_ENTRY("decommit vector", op_commit_vector, op_decommit_vector,
		     NULL, EXEC_ERRORS),
	CHANGE_ENTRY("decommit exec vector", op_commit_vector_exec,
		     op_decommit_vector, NULL, EXEC_ERRORS),
	CHANGE_ENTRY("track", make_large, op_track, unmake, CHANGE_ERRORS),
	CHANGE_ENTRY("protect", NULL, op_protect, op_unprotect,
		     CHANGE_ERRORS),
	CHANGE_ENTRY("guard", NULL, op_guard, op_unguard, CHANGE_ERRORS),
	CHANGE_ENTRY("protect exec", NULL, op_protect_exec, op_unprotect_exec,
		     EXEC_ERRORS),
	CHANGE_ENTRY("protect mixed", make_pieces, op_protect_mixed, unmake,
		     EXEC_ERRORS),
	CHANGE_ENTRY("rejoin", make_pieces, op_rejoin, unmake, EXEC_ERRORS),
	CHANGE_ENTRY("protect vector", op_commit_vector, op_protect_vector,
		     op_decommit_vector, EXEC_ERRORS),
	CHANGE_ENTRY("protect exec vector", op_commit_vector,
		     op_protect_vector_exec, op_decommit_vector, EXEC_ERRORS),
	{ "reset", .run = op_reset, .undo = op_unreset, .errors = NO_CHANGE },
	{ "undo reset", .prepare = op_reset, .run = op_unreset,
	  .errors = NO_CHANGE },
	{ "offer", .prepare = make_contents, .run = op_offer,
	  .works = offer_works, .undo = unmake, .anywhere = true,
	  .errors = NO_CHANGE },
	{ "offer again", .prepare = make_offered, .run = op_offer_again,
	  .works = offer_works, .undo = unmake, .anywhere = true,
	  .errors = NO_CHANGE },
	{ "reclaim", .prepare = make_offered, .run = op_reclaim,
	  .works = is_old_or_zero, .undo = unmake, .anywhere = true,
	  .errors = NO_CHANGE },
	{ "discard", .prepare = make_contents, .run = op_discard,
	  .works = discard_works, .undo = unmake, .anywhere = true,
	  .errors = NO_CHANGE },
};

static bool error_is_allowed(const struct op *op, int ret)
{
	unsigned int i;

	if (ret == -EFAULT)
		return true;
	for (i = 0; i < ARRAY_SIZE(op->errors) && op->errors[i]; i++)
		if (ret == -op->errors[i])
			return true;
	return false;
}

FIXTURE(fail)
{
	struct arena arena;
	struct picture start;
	uint64_t total;
	int64_t others;
};

/* A stack that grows counts as promised memory, and would be taken for ours. */
static void grow_stack(void)
{
	volatile char room[KIB(256)];
	unsigned int i;

	for (i = 0; i < sizeof(room); i += PAGES(1))
		room[i] = 1;
}

FIXTURE_SETUP(fail)
{
	struct arena *arena = &self->arena;

	grow_stack();
	if (!fail_open())
		SKIP(return, "this kernel injects no faults");
	if (!fail_everything())
		SKIP(return, "no knobs for it in " FAIL_DEBUGFS);
	arena->fd = wr_open();
	ASSERT_LE(0, arena->fd);
	arena->file = memfd_create("fail", MFD_CLOEXEC);
	ASSERT_LE(0, arena->file);
	ASSERT_EQ(8, pwrite(arena->file, "12345678", 8, 0));
	self->total = WR_INFO(arena->fd, out_total);
	ASSERT_TRUE(make_arena(arena));
	ASSERT_TRUE(contents_are_there(arena));
	take_picture(arena->fd, &self->start);
	ASSERT_LT(4, self->start.nr);
	self->others = promised_beside_ours(arena->fd);
}

static int release_arena(struct arena *arena)
{
	return wr_release(arena->fd, arena->small, 0) ?:
	       wr_release(arena->fd, arena->large, 0) ?:
	       wr_release(arena->fd, arena->pieces, 0) ?:
	       wr_release(arena->fd, arena->exec, 0);
}

/* All is as it was in the beginning, and can be given back. */
FIXTURE_TEARDOWN(fail)
{
	struct arena *arena = &self->arena;

	EXPECT_TRUE(picture_is(arena->fd, &self->start));
	EXPECT_TRUE(contents_are_there(arena));
	EXPECT_TRUE(SETTLES(promised_beside_ours(arena->fd) ==
			    self->others)) {
		TH_LOG("Committed_AS grew by %lld", (long long)
		       (promised_beside_ours(arena->fd) - self->others));
	}
	EXPECT_EQ(0, release_arena(arena));
	EXPECT_EQ(0, WR_INFO(arena->fd, out_committed));
	EXPECT_EQ(0, WR_INFO(arena->fd, out_regions));
	EXPECT_TRUE(SETTLES(WR_INFO(arena->fd, out_total) == self->total +
			    WR_INFO(arena->fd, out_charged)));
}

/* What is known of a call before it is made to fail */
struct known {
	struct picture before;
	struct picture after;
};

static void learn(struct __test_metadata *_metadata, struct arena *arena,
		  const struct op *op, struct known *known)
{
	ASSERT_EQ(0, op->prepare ? op->prepare(arena) : 0);
	take_picture(arena->fd, &known->before);
	ASSERT_EQ(0, op->run(arena)) {
		TH_LOG("%s", op->name);
	}
	take_picture(arena->fd, &known->after);
	ASSERT_TRUE(!op->works || op->works(arena)) {
		TH_LOG("%s", op->name);
	}
	ASSERT_EQ(0, op->undo ? op->undo(arena) : 0);
}

/* One run with the @nth failure. Return: whether there was one. */
static bool fail_once(struct __test_metadata *_metadata, struct arena *arena,
		      const struct op *op, struct known *known,
		      unsigned int nth)
{
	bool hit;
	int ret;

	ASSERT_EQ(0, op->prepare ? op->prepare(arena) : 0) {
		TH_LOG("%s %u", op->name, nth);
	}
	take_picture(arena->fd, &known->before);
	ASSERT_TRUE(fail_set(nth));
	ret = op->run(arena);
	hit = fail_clear();
	if (ret) {
		EXPECT_TRUE(hit && error_is_allowed(op, ret)) {
			TH_LOG("%s %u: %d", op->name, nth, ret);
		}
		EXPECT_TRUE(picture_is(arena->fd, &known->before)) {
			TH_LOG("%s %u: half done, %d", op->name, nth, ret);
		}
	}
	EXPECT_TRUE(contents_are_there(arena)) {
		TH_LOG("%s %u: contents, %d", op->name, nth, ret);
	}
	if (ret)
		EXPECT_EQ(0, op->run(arena)) {
			TH_LOG("%s %u: again after %d", op->name, nth, ret);
		}
	if (!op->anywhere)
		EXPECT_TRUE(picture_is(arena->fd, &known->after)) {
			TH_LOG("%s %u: not done, %d", op->name, nth, ret);
		}
	EXPECT_TRUE(!op->works || op->works(arena)) {
		TH_LOG("%s %u: does not work, %d", op->name, nth, ret);
	}
	ASSERT_EQ(0, op->undo ? op->undo(arena) : 0) {
		TH_LOG("%s %u: undo after %d", op->name, nth, ret);
	}
	return hit;
}

static void sweep(struct __test_metadata *_metadata, FIXTURE_DATA(fail) *self,
		  const struct op *op)
{
	static struct known known;
	unsigned int nth = 0;

	learn(_metadata, &self->arena, op, &known);
	do {
		nth++;
		ASSERT_GT(MAX_NTH, nth);
	} while (fail_once(_metadata, &self->arena, op, &known, nth));
	TH_LOG("%s: %u places", op->name, nth - 1);
	EXPECT_TRUE(picture_is(self->arena.fd, &self->start)) {
		TH_LOG("after %s", op->name);
	}
	EXPECT_TRUE(SETTLES(promised_beside_ours(self->arena.fd) ==
			    self->others)) {
		TH_LOG("after %s: Committed_AS grew by %lld", op->name,
		       (long long)(promised_beside_ours(self->arena.fd) -
				   self->others));
	}
}

/* A call that fails has done nothing (M-11), to mappings either (A10). */
TEST_F_TIMEOUT(fail, ioctls, 500)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		sweep(_metadata, self, &ops[i]);
}

/* A process's first region makes what the module knows of the process. */
static bool make_first_region(struct __test_metadata *_metadata, int fd,
			      uint64_t length, unsigned int nth)
{
	uint64_t addr = 0;
	struct vma vma;
	bool hit;
	int ret;

	ASSERT_TRUE(fail_set(nth));
	ret = wr_reserve_at(fd, &addr, length, WINREGION_RESERVE_COMMIT, RW);
	hit = fail_clear();
	if (ret) {
		EXPECT_TRUE(hit && (ret == -ENOMEM || ret == -ENOSPC ||
				    ret == -EFAULT || ret == -EDQUOT ||
				    ret == -ENFILE)) {
			TH_LOG("%u: %d", nth, ret);
		}
		EXPECT_EQ(0, WR_INFO(fd, out_regions));
		EXPECT_EQ(0, WR_INFO(fd, out_committed));
		addr = 0;
		ASSERT_EQ(0, wr_reserve_at(fd, &addr, length,
					   WINREGION_RESERVE_COMMIT, RW)) {
			TH_LOG("%u: again after %d", nth, ret);
		}
	}
	EXPECT_TRUE(page_is_zero((void *)addr) && try_write((void *)addr));
	ASSERT_TRUE(find_vma((void *)addr, &vma));
	ASSERT_EQ(0, munmap((void *)vma.start, vma.end - vma.start));
	EXPECT_EQ(0, WR_INFO(fd, out_regions));
	return hit;
}

TEST(first_region)
{
	static const uint64_t lengths[] = { KIB(64), MIB(3) };
	unsigned int i, nth;
	int64_t others;
	int fd;

	if (!fail_open() || !fail_everything())
		SKIP(return, "this kernel injects no faults");
	fd = wr_open();
	ASSERT_LE(0, fd);
	others = promised_beside_ours(fd);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (nth = 1;
		     make_first_region(_metadata, fd, lengths[i], nth);
		     nth++)
			ASSERT_GT(MAX_NTH, nth);
		TH_LOG("%u places", nth - 1);
	}
	EXPECT_TRUE(SETTLES(promised_beside_ours(fd) == others));
	EXPECT_TRUE(SETTLES(WR_INFO(fd, out_total) == 0));
	close(fd);
}

/*
 * Faults. The program's own accesses succeed: the core tries again until there
 * is memory. A system call fails, or succeeds.
 */
struct touches {
	const char *name;
	int file;
	enum race_kind kind;
	char *base;		/* the page of the n-th failure is the n-th */
	uint64_t stride;
	uint64_t seed;		/* what the page has, or 0 for zeros */
};

#define TOUCH_WORD 100

static bool page_fits(char *page, uint64_t seed, uint64_t value)
{
	volatile uint64_t *word = (volatile uint64_t *)page + TOUCH_WORD;
	bool fits = *word == value;

	*word = 0;
	return fits && (seed ? page_has(page, seed) : page_is_zero(page));
}

/* Return: the line of what is wrong, or 0. */
static int touch_once(struct touches *touches, unsigned int nth, bool *hit)
{
	char *page = touches->base + nth * touches->stride;
	uint64_t seed = touches->seed ? touches->seed + nth : 0;
	uint64_t value = 9;
	volatile uint64_t *word = (volatile uint64_t *)page + TOUCH_WORD;
	bool write = race_writes(touches->kind), ok;

	CHECK(fail_set(nth));
	ok = race_access(touches->kind, touches->file, word, &value);
	*hit = fail_clear();
	if (touches->kind == USER_READ || touches->kind == USER_WRITE)
		CHECK(ok);
	if (!ok) {
		CHECK(*hit);
		value = 9;
		CHECK(race_access(touches->kind, touches->file, word, &value));
	}
	CHECK(value == (write ? 9 : 0));
	CHECK(page_fits(page, seed, write ? 9 : 0));
	return 0;
}

static int touch_all(struct touches *touches)
{
	unsigned int nth = 0;
	bool hit;
	int line;

	race_catch_faults();
	do {
		nth++;
		line = touch_once(touches, nth, &hit);
		if (line) {
			fprintf(stderr, "# %s, kind %d, failure %u\n",
				touches->name, touches->kind, nth);
			return line;
		}
		CHECK(nth < 60);
	} while (hit);
	fprintf(stderr, "# %s, kind %d: %u places\n", touches->name,
		touches->kind, nth - 1);
	return 0;
}

/* Each in a slot of its own, so that there is nothing that it could use */
TEST_F_TIMEOUT(fail, first_touch, 100)
{
	struct touches touches = {
		.name = "first touch",
		.file = self->arena.file,
		.stride = MIB(2),
	};

	for (touches.kind = 0; touches.kind < RACE_KINDS; touches.kind++) {
		touches.base = wr_alloc(self->arena.fd, MIB(128));
		ASSERT_NE(NULL, touches.base);
		EXPECT_EQ(0, touch_all(&touches));
		EXPECT_EQ(0, wr_release(self->arena.fd, touches.base, 0));
	}
}

#define STACKS 40
#define STACK_SIZE MIB(4)
#define STACKS_ADDRESS 0x210000000000UL

/* Stacks one behind the other, each with its guard on the first page of a slot */
static int make_stacks(int fd)
{
	uint64_t addr;
	char *guard;
	int i;

	for (i = 0; i < STACKS; i++) {
		addr = STACKS_ADDRESS + i * STACK_SIZE;
		guard = (char *)addr + MIB(2);
		CHECK(!wr_reserve_at(fd, &addr, STACK_SIZE,
				     WINREGION_RESERVE_STACK, RW));
		CHECK(!wr_commit(fd, guard + PAGES(1), PAGES(1), RW));
		CHECK(!wr_commit(fd, guard, PAGES(1), RW | WINREGION_GUARD));
	}
	return 0;
}

/* The guard moves, or has not moved. Return: as touch_all(). */
static int release_stacks(int fd)
{
	uint64_t committed = WR_INFO(fd, out_committed), counted = 0;
	struct winregion_run run;
	char *base;
	int i;

	for (i = 0; i < STACKS; i++) {
		base = (char *)STACKS_ADDRESS + i * STACK_SIZE;
		CHECK(!wr_query(fd, base, &run));
		CHECK(run.region_committed == PAGES(2) ||
		      (run.region_committed == PAGES(3) &&
		       wr_is(fd, base + MIB(2) - PAGES(1),
			     RW | WINREGION_GUARD)));
		counted += run.region_committed;
		CHECK(!wr_release(fd, base, 0));
	}
	CHECK(WR_INFO(fd, out_committed) == committed - counted);
	return 0;
}

/* The guard of a stack. A debugger does not move it. */
TEST_F_TIMEOUT(fail, stack, 100)
{
	struct touches touches = {
		.name = "stack",
		.file = self->arena.file,
		.base = (char *)STACKS_ADDRESS + MIB(2),
		.stride = STACK_SIZE,
	};

	for (touches.kind = 0; touches.kind < REMOTE_READ; touches.kind++) {
		ASSERT_EQ(0, make_stacks(self->arena.fd));
		EXPECT_EQ(0, touch_all(&touches));
		EXPECT_EQ(0, release_stacks(self->arena.fd));
	}
}

/* A page that was read before, and may be written if the module says so */
TEST_F_TIMEOUT(fail, page_mkwrite, 100)
{
	struct touches touches = {
		.name = "write after read",
		.file = self->arena.file,
		.stride = PAGES(1),
	};
	int fd = self->arena.fd, i;

	for (touches.kind = 0; touches.kind < RACE_KINDS; touches.kind++) {
		touches.base = wr_alloc(fd, MIB(2));
		ASSERT_NE(NULL, touches.base);
		ASSERT_EQ(0, wr_protect(fd, touches.base, MIB(2), RO));
		ASSERT_EQ(0, wr_protect(fd, touches.base, MIB(2), RW));
		for (i = 0; i < 64; i++)
			EXPECT_TRUE(page_is_zero(touches.base + PAGES(i)));
		EXPECT_EQ(0, touch_all(&touches));
		EXPECT_EQ(0, wr_release(fd, touches.base, 0));
	}
}

static int touch_copies(void *arg)
{
	struct touches touches = *(struct touches *)arg;

	CHECK(fail_open());
	for (touches.kind = 0; touches.kind < RACE_KINDS; touches.kind++) {
		CHECK(!touch_all(&touches));
		touches.base += PAGES(64);
		touches.seed += 64;
	}
	return 0;
}

/* Pages that parent and child share until one of them writes */
TEST_F_TIMEOUT(fail, copy_on_write, 100)
{
	struct touches touches = {
		.name = "copy on write",
		.file = self->arena.file,
		.stride = PAGES(1),
		.seed = 8000,
	};
	int fd = self->arena.fd;

	touches.base = wr_alloc(fd, MIB(2));
	ASSERT_NE(NULL, touches.base);
	fill_pages(touches.base, 64 * RACE_KINDS, touches.seed);
	EXPECT_EQ(0, in_child(touch_copies, &touches));
	EXPECT_TRUE(pages_have(touches.base, 64 * RACE_KINDS, touches.seed));
	/* And now they are the parent's alone. */
	EXPECT_EQ(0, touch_copies(&touches));
	ASSERT_TRUE(fail_open());
	EXPECT_EQ(0, wr_release(fd, touches.base, 0));
}

/*
 * One alarm, whatever fails on the way to it. When it is the signal frame that
 * cannot be written the process dies of the alarm, so each page has a child;
 * that is behind all that the module does.
 */
struct alarm {
	int fd;
	char *page;
	unsigned int nth;
};

static int trip_one(void *arg)
{
	struct alarm *alarm = arg;
	uint64_t value = 3;
	bool ok;

	race_catch_faults();
	CHECK(fail_open());
	CHECK(fail_set(alarm->nth));
	ok = user_access((void *)alarm->page, &value, true);
	fail_clear();
	CHECK(!ok);
	CHECK(wr_is(alarm->fd, alarm->page, RW));
	CHECK(wr_is(alarm->fd, alarm->page + PAGES(1), RW | WINREGION_GUARD));
	CHECK(user_access((void *)alarm->page, &value, true));
	return 0;
}

/* The alarm is there or the access failed, and never both (GP-01 to GP-03). */
TEST_F_TIMEOUT(fail, guard, 100)
{
	struct alarm alarm = { .fd = self->arena.fd };
	char *base = wr_alloc(alarm.fd, MIB(64));
	int ret = 0;

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, wr_protect(alarm.fd, base, MIB(64), RW | WINREGION_GUARD));
	alarm.page = base + PAGES(7);
	for (alarm.nth = 1; !ret && alarm.nth < 40; alarm.nth++)
		ret = in_child(trip_one, &alarm);
	EXPECT_TRUE(ret == 0 || ret == -SIGSEGV);
	EXPECT_LT(2, alarm.nth);
	TH_LOG("the last was %u: %d", alarm.nth - 1, ret);
	ASSERT_TRUE(fail_open());
	EXPECT_EQ(0, wr_release(alarm.fd, base, 0));
}

/* Rule GP-10: a system call fails, and takes the guard unless something fails by that. */
TEST_F_TIMEOUT(fail, guard_of_system_call, 100)
{
	int fd = self->arena.fd;
	char *base = wr_alloc(fd, MIB(4));
	unsigned int nth;
	bool hit = true;

	ASSERT_NE(NULL, base);
	for (nth = 1; hit && nth < 100; nth++) {
		ASSERT_EQ(0, wr_protect(fd, base, PAGES(2),
					RW | WINREGION_GUARD));
		ASSERT_TRUE(fail_set(nth));
		EXPECT_EQ(-1, pwrite(self->arena.file, base, 8, 0));
		hit = fail_clear();
		EXPECT_TRUE(wr_is(fd, base, RW) ||
			    (hit && wr_is(fd, base, RW | WINREGION_GUARD)));
		EXPECT_TRUE(wr_is(fd, base + PAGES(1), RW | WINREGION_GUARD));
	}
	EXPECT_FALSE(hit);
	EXPECT_LT(2, nth);
	EXPECT_EQ(8, pwrite(self->arena.file, base, 8, 0));
	EXPECT_EQ(0, wr_release(fd, base, 0));
}

/*
 * fork(): it fails and the parent has all that it had; or it succeeds and the
 * child has all, except windows for which there was no memory. There it has
 * none: SIGBUS.
 */
#define CHILD_IS_WHOLE 0
#define CHILD_LACKS 200

static int child_lacks(struct arena *arena, const struct content *content)
{
	char *base = content_base(arena, content);
	unsigned int i;

	for (i = 0; i < content->nr; i++) {
		CHECK(!try_read(base + PAGES(i)));
		CHECK(probe_fault.sig == SIGBUS);
	}
	CHECK(wr_commit(arena->fd, base, PAGES(1), RW) == -ENOENT);
	return 0;
}

/* Part of a window can be missing, if it was in pieces. */
static int check_content(struct arena *arena, const struct content *content,
			 bool *lacks)
{
	struct content page = *content;
	unsigned int i;
	char *at;

	for (i = 0; i < content->nr; i++) {
		page.first = content->first + i;
		page.nr = 1;
		at = content_base(arena, &page);
		if (wr_state(arena->fd, at) == WINREGION_STATE_COMMIT) {
			CHECK(page_has(at, content->seed + i));
			continue;
		}
		*lacks = true;
		CHECK(!child_lacks(arena, &page));
	}
	return 0;
}

static int check_child(FIXTURE_DATA(fail) *self)
{
	struct arena *arena = &self->arena;
	static struct picture now;
	uint64_t sum = 0;
	bool lacks = false;
	unsigned int i;
	long n;

	for (i = 0; i < ARRAY_SIZE(contents); i++)
		CHECK(!check_content(arena, &contents[i], &lacks));
	take_picture(arena->fd, &now);
	CHECK(lacks || !memcmp(&now, &self->start, sizeof(now)));
	for (n = 0; n < now.nr; n++)
		if (now.runs[n].state == WINREGION_STATE_COMMIT)
			sum += now.runs[n].length;
	CHECK(sum == now.committed);
	/* Life goes on. */
	CHECK(!reserve(arena, 0, KIB(64), FLAG_COMMIT, RW));
	CHECK(made_works(arena));
	CHECK(!unmake(arena));
	CHECK(!reserve(arena, 0, MIB(3), FLAG_COMMIT, RWX));
	CHECK(made_works(arena));
	return lacks ? CHILD_LACKS : CHILD_IS_WHOLE;
}

/* Return: what the child said, or -errno of fork(). */
static int fork_and_check(FIXTURE_DATA(fail) *self, unsigned int nth, bool *hit)
{
	struct child child;
	int status;

	fflush(NULL);
	if (!fail_set(nth))
		return -1;
	child.pid = fail_fork();
	status = errno;
	if (!child.pid)
		_exit(check_child(self));
	*hit = fail_clear();
	if (child.pid < 0)
		return -status;
	if (waitpid(child.pid, &status, 0) != child.pid)
		return -2;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   1000 + WTERMSIG(status);
}

struct fork_counts {
	unsigned int refused;
	unsigned int lacking;
};

static bool fork_once(struct __test_metadata *_metadata,
		      FIXTURE_DATA(fail) *self, unsigned int nth,
		      struct fork_counts *counts)
{
	int fd = self->arena.fd, ret;
	bool hit = false, no;

	ret = fork_and_check(self, nth, &hit);
	EXPECT_TRUE(ret == CHILD_IS_WHOLE || ret == CHILD_LACKS ||
		    ret == -ENOMEM || ret == -EAGAIN) {
		TH_LOG("%u: %d", nth, ret);
	}
	EXPECT_TRUE(hit || ret == CHILD_IS_WHOLE);
	counts->refused += ret < 0;
	counts->lacking += ret == CHILD_LACKS;
	EXPECT_TRUE(picture_is(fd, &self->start)) {
		TH_LOG("%u: %d", nth, ret);
	}
	EXPECT_TRUE(contents_are_there(&self->arena)) {
		TH_LOG("%u: %d", nth, ret);
	}
	EXPECT_TRUE(SETTLES(promised_beside_ours(fd) == self->others)) {
		TH_LOG("%u: %d, Committed_AS grew by %lld", nth, ret,
		       (long long)(promised_beside_ours(fd) - self->others));
	}
	if (ret && nth % 8 == 0)
		EXPECT_EQ(CHILD_IS_WHOLE, fork_and_check(self, 0, &no));
	/* All pages are the parent's alone and shared again. */
	fill_arena_writable(&self->arena);
	return hit;
}

/* Hazards A9, B15. */
TEST_F_TIMEOUT(fail, forks, 500)
{
	struct fork_counts counts = { 0 };
	unsigned int nth = 1;

	while (fork_once(_metadata, self, nth, &counts)) {
		nth++;
		ASSERT_GT(MAX_NTH, nth);
	}
	TH_LOG("%u places: %u forks refused, %u children lacked a window",
	       nth - 1, counts.refused, counts.lacking);
	EXPECT_LT(0, counts.refused);
	EXPECT_LT(0, counts.lacking);
}

TEST_HARNESS_MAIN
