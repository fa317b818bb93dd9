// SPDX-License-Identifier: GPL-2.0
/* vm: append=cgroup.memory=nokmem params=allow_nokmem=1 */
/* vm: append=init_on_alloc=0 append=proc_mem.force_override=never */
/*
 * The contract of the ioctls that has nothing to do with memory: sizes,
 * pointers, flags, reserved fields, vectors. The first half runs once for
 * every ioctl. The kernel clears no memory here, as it need not: what is not set
 * is what others have left. The other words are for nokmem_test and force_test.
 */
#include "kselftest_harness.h"

#include <stddef.h>
#include <linux/winregion.h>

#include "common.h"
#include "wr_test_util.h"

#define REGION_PAGES 16
#define COMMITTED_PAGES 4

FIXTURE(abi)
{
	int fd;
	int memory;
	/* Two pages, and a hole behind them */
	char *arg;
	/* REGION_PAGES reserved, of which COMMITTED_PAGES are committed */
	char *region;
	/* A region with a write watch */
	char *watched;
	struct winregion_run runs[64];
};

FIXTURE_VARIANT(abi)
{
	unsigned long cmd;
	unsigned int size;
	/* All flags that the ioctl knows */
	uint32_t flags;
	/* Where its reserved field is, or 0 */
	unsigned int reserved;
	/* Has the structure a field that the ioctl writes? */
	bool writes;
	/* Does a call succeed although its result cannot be written? */
	bool keeps;
	/* Make a valid call of a zeroed structure. */
	void (*fill)(FIXTURE_DATA(abi) *self, void *arg);
};

static void fill_nothing(FIXTURE_DATA(abi) *self, void *arg)
{
	(void)self;
	(void)arg;
}

static void fill_reserve(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_reserve *reserve = arg;

	(void)self;
	reserve->protection = RW;
	reserve->length = KIB(64);
}

/* Every call has a region of its own to release. */
static void fill_release(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_release *release = arg;

	release->address = (uintptr_t)wr_reserve(self->fd, KIB(64));
}

static void fill_commit(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_change *change = arg;

	change->range.address = (uintptr_t)self->region + PAGES(8);
	change->range.length = PAGES(1);
	change->range.protection = RO;
}

static void fill_decommit(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_change *change = arg;

	change->range.address = (uintptr_t)self->region;
	change->range.length = PAGES(1);
}

static void fill_protect(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_change *change = arg;

	change->range.address = (uintptr_t)self->region;
	change->range.length = PAGES(1);
	change->range.protection = RO;
}

static void fill_set_stack(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_set_stack *stack = arg;
	uint64_t base = 0;

	wr_reserve_at(self->fd, &base, KIB(64), WINREGION_RESERVE_STACK, RW);
	stack->address = base;
	stack->guarantee = PAGES(1);
}

static void fill_reset(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_reset *reset = arg;

	reset->operation = WINREGION_OP_DISCARD;
	reset->range.address = (uintptr_t)self->region;
	reset->range.length = PAGES(1);
}

static void fill_query(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_query *query = arg;

	query->address = (uintptr_t)self->region;
}

static void fill_query_runs(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_query_runs *query = arg;

	query->address = (uintptr_t)self->region;
	query->last = (uintptr_t)self->region + PAGES(REGION_PAGES) - 1;
	query->runs = (uintptr_t)self->runs;
	query->nr_runs = ARRAY_SIZE(self->runs);
}

static void fill_write_watch(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_write_watch *watch = arg;

	watch->flags = WINREGION_WATCH_GET;
	watch->address = (uintptr_t)self->watched;
	watch->length = PAGES(1);
	watch->pages = (uintptr_t)self->runs;
	watch->nr_pages = 1;
}

static void fill_lock(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_lock *lock = arg;

	lock->operation = WINREGION_LOCK_COUNT;
	lock->address = (uintptr_t)self->region;
	lock->length = PAGES(1);
}

static void fill_frames(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_frames *frames = arg;

	frames->count = 1;
	frames->frames = (uintptr_t)self->runs;
}

/* Nothing is to be mapped there, nor is. */
static void fill_map_frames(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_map_frames *frames = arg;
	uint64_t base = 0;

	wr_reserve_at(self->fd, &base, KIB(64), WINREGION_RESERVE_PHYSICAL, RW);
	frames->address = base;
	frames->count = 16;
}

static void fill_open_process(FIXTURE_DATA(abi) *self, void *arg)
{
	struct winregion_open_process *open = arg;

	open->memory = self->memory;
}

/* One line for every ioctl: all tests of this fixture run for each of them. */
#define ABI(_name, _cmd, _struct, _flags, _reserved, _writes, _keeps)	\
	FIXTURE_VARIANT_ADD(abi, _name)					\
	{								\
		.cmd = WINREGION_##_cmd,				\
		.size = sizeof(struct winregion_##_struct),		\
		.flags = _flags,					\
		.reserved = _reserved,					\
		.writes = _writes,					\
		.keeps = _keeps,					\
		.fill = fill_##_name,					\
	}

#define fill_get_info fill_nothing
#define fill_last_fault fill_nothing
#define RESERVE_FLAGS (WINREGION_RESERVE_TOP_DOWN | WINREGION_RESERVE_COMMIT | \
		       WINREGION_RESERVE_WRITE_WATCH | WINREGION_RESERVE_STACK | \
		       WINREGION_RESERVE_NODE)
/* Without its flag, which has 0 for a node in these tests */
#define RESERVE_RESERVED offsetof(struct winregion_reserve, node)
#define CHANGE_RESERVED offsetof(struct winregion_change, __reserved)
#define RUNS_FLAGS (WINREGION_QUERY_RESIDENT | WINREGION_QUERY_REGIONS)
#define RUNS_RESERVED offsetof(struct winregion_query_runs, __reserved)
#define WATCH_BITS (WINREGION_WATCH_GET | WINREGION_WATCH_RESET)
#define WATCH_REST offsetof(struct winregion_write_watch, __reserved)
#define PROCESS_FLAGS WINREGION_PROCESS_CHANGE
#define LOCK_RESERVED offsetof(struct winregion_lock, __reserved)
#define FRAMES_RESERVED offsetof(struct winregion_frames, __reserved)

ABI(get_info, GET_INFO, get_info, 0, 0, true, false);
ABI(reserve, RESERVE, reserve, RESERVE_FLAGS, RESERVE_RESERVED, true, false);
ABI(release, RELEASE, release, 0, 0, true, true);
ABI(commit, COMMIT, change, 0, CHANGE_RESERVED, false, false);
ABI(decommit, DECOMMIT, change, 0, CHANGE_RESERVED, false, false);
ABI(protect, PROTECT, change, 0, CHANGE_RESERVED, true, true);
ABI(reset, RESET, reset, 0, 0, true, false);
ABI(query, QUERY, query, WINREGION_QUERY_RESIDENT, 0, true, false);
ABI(set_stack, SET_STACK, set_stack, WINREGION_STACK_LEAPS, 0, false, false);
ABI(query_runs, QUERY_RUNS, query_runs, RUNS_FLAGS, RUNS_RESERVED, true, false);
ABI(write_watch, WRITE_WATCH, write_watch, WATCH_BITS, WATCH_REST, true, false);
ABI(lock, LOCK, lock, 0, LOCK_RESERVED, true, false);
ABI(frames, FRAMES, frames, WINREGION_FRAMES_NODE, FRAMES_RESERVED, true, false);
ABI(map_frames, MAP_FRAMES, map_frames, 0, 0, false, false);
ABI(last_fault, LAST_FAULT, last_fault, 0, 0, true, false);
ABI(open_process, OPEN_PROCESS, open_process, PROCESS_FLAGS, 0, true, false);

/* Make the region what the fixture made it, after a call that worked. */
static int make_region(FIXTURE_DATA(abi) *self)
{
	int ret = wr_decommit(self->fd, self->region, PAGES(REGION_PAGES));

	if (!ret)
		ret = wr_commit(self->fd, self->region,
				PAGES(COMMITTED_PAGES), RW);
	if (!ret)
		fill_pages(self->region, COMMITTED_PAGES, 1000);
	return ret;
}

FIXTURE_SETUP(abi)
{
	uint64_t watched = 0;

	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->arg = mmap(NULL, PAGES(3), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->arg);
	ASSERT_EQ(0, munmap(self->arg + PAGES(2), PAGES(1)));
	self->region = wr_reserve(self->fd, PAGES(REGION_PAGES));
	ASSERT_NE(NULL, self->region);
	ASSERT_EQ(0, make_region(self));
	ASSERT_EQ(0, wr_reserve_at(self->fd, &watched, KIB(64),
				   WINREGION_RESERVE_WRITE_WATCH, RW));
	self->watched = (char *)(uintptr_t)watched;
	self->memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->memory);
}

FIXTURE_TEARDOWN(abi)
{
	close(self->fd);
}

/* A valid argument of @size bytes, all behind the structure 0, at @arg */
static void make_arg(FIXTURE_DATA(abi) *self,
		     const FIXTURE_VARIANT(abi) *variant, void *arg,
		     uint32_t size)
{
	memset(arg, 0, size > variant->size ? size : variant->size);
	variant->fill(self, arg);
	*(uint32_t *)arg = size;
}

static bool fails_readonly(const FIXTURE_VARIANT(abi) *variant)
{
	return variant->writes && !variant->keeps;
}

/*
 * How a stack is to grow is seen when it does, and nothing where nothing was mapped.
 */
static bool is_seen(const FIXTURE_VARIANT(abi) *variant)
{
	return variant->cmd != WINREGION_SET_STACK &&
	       variant->cmd != WINREGION_MAP_FRAMES;
}

/* What must not change when a call fails */
struct snapshot {
	uint64_t regions;
	uint64_t committed;
	struct winregion_run runs[8];
	long nr_runs;
};

static void take_snapshot(FIXTURE_DATA(abi) *self, struct snapshot *shot)
{
	uint64_t next = (uintptr_t)self->region;

	memset(shot, 0, sizeof(*shot));
	shot->regions = WR_INFO(self->fd, out_regions);
	shot->committed = WR_INFO(self->fd, out_committed);
	shot->nr_runs = wr_query_runs(self->fd, &next,
				      next + PAGES(REGION_PAGES) - 1, 0,
				      shot->runs, ARRAY_SIZE(shot->runs));
}

static bool unchanged(FIXTURE_DATA(abi) *self, const struct snapshot *before)
{
	struct snapshot now;

	take_snapshot(self, &now);
	return !memcmp(before, &now, sizeof(now)) &&
	       pages_have(self->region, COMMITTED_PAGES, 1000);
}

/* Call with the argument as it is; @err is the errno expected, or 0. */
#define EXPECT_CALL(err, arg) \
	EXPECT_EQ(-(err), wr_ioctl(self->fd, variant->cmd, (arg)))

/* The plain call works; what follows changes one thing of it at a time. */
TEST_F(abi, exact_size)
{
	make_arg(self, variant, self->arg, variant->size);
	EXPECT_CALL(0, self->arg);
	/* The module does not write the size. */
	EXPECT_EQ(variant->size, *(uint32_t *)self->arg);
}

/* A size below that of the first version is never valid. */
TEST_F(abi, size_too_small)
{
	struct snapshot before;
	uint32_t size;

	make_arg(self, variant, self->arg, variant->size);
	take_snapshot(self, &before);
	for (size = 0; size < variant->size; size++) {
		*(uint32_t *)self->arg = size;
		EXPECT_CALL(EINVAL, self->arg);
	}
	EXPECT_TRUE(unchanged(self, &before));
}

/* A part that the module does not know, and that is used, is refused. */
TEST_F(abi, unknown_tail)
{
	struct snapshot before;
	uint32_t extra;

	for (extra = 1; extra <= 16; extra++) {
		make_arg(self, variant, self->arg, variant->size + extra);
		take_snapshot(self, &before);
		self->arg[variant->size + extra - 1] = 1;
		EXPECT_CALL(E2BIG, self->arg);
		EXPECT_TRUE(unchanged(self, &before));
	}
}

/* A larger structure works as before where its new part is 0. */
TEST_F(abi, zero_tail)
{
	uint32_t extra, i;

	for (extra = 1; extra <= 16; extra++) {
		ASSERT_EQ(0, make_region(self));
		make_arg(self, variant, self->arg, variant->size + extra);
		EXPECT_CALL(0, self->arg);
		for (i = 0; i < extra; i++)
			EXPECT_EQ(0, self->arg[variant->size + i]);
	}
}

/* Same for sizes that no structure has, above a page. */
TEST_F(abi, huge_size)
{
	struct snapshot before;

	make_arg(self, variant, self->arg, PAGES(2));
	take_snapshot(self, &before);
	self->arg[PAGES(2) - 1] = 1;
	EXPECT_CALL(E2BIG, self->arg);
	/* The tail is not there. */
	self->arg[PAGES(2) - 1] = 0;
	*(uint32_t *)self->arg = PAGES(2) + 1;
	EXPECT_CALL(EFAULT, self->arg);
	*(uint32_t *)self->arg = 0xffffffff;
	EXPECT_CALL(EFAULT, self->arg);
	EXPECT_TRUE(unchanged(self, &before));
	*(uint32_t *)self->arg = PAGES(2);
	EXPECT_CALL(0, self->arg);
}

/* Pointers to nothing and to the kernel do not fault there. */
TEST_F(abi, wild_pointers)
{
	static const uint64_t wild[] = {
		0, 1, 4, 0xfff, 0x10000 - 4,
		USER_HIGHEST, USER_HIGHEST + 1, USER_END,
		0x8000000000000000, 0xffff7fffffffffff,
		0xffff800000000000, 0xffff888000000000, 0xffffc90000000000,
		0xffffffff81000000, 0xffffffffa0000000, 0xffffffffff600000,
		0xfffffffffffff000, 0xfffffffffffffffc, 0xffffffffffffffff,
	};
	struct snapshot before;
	size_t i;

	take_snapshot(self, &before);
	for (i = 0; i < ARRAY_SIZE(wild); i++)
		EXPECT_CALL(EFAULT, (void *)(uintptr_t)wild[i]) {
			TH_LOG("pointer %llx", (unsigned long long)wild[i]);
		}
	EXPECT_CALL(EFAULT, self->arg + PAGES(2));
	EXPECT_CALL(EFAULT, self->arg + PAGES(2) - 3);
	EXPECT_TRUE(unchanged(self, &before));
}

/* The end of the structure is in a page that is not mapped. */
TEST_F(abi, straddles_hole)
{
	struct snapshot before;
	unsigned int inside;
	char *at;

	make_arg(self, variant, self->arg, variant->size);
	take_snapshot(self, &before);
	for (inside = 4; inside < variant->size; inside += 4) {
		at = self->arg + PAGES(2) - inside;
		memmove(at, self->arg, inside);
		EXPECT_CALL(EFAULT, at);
	}
	EXPECT_TRUE(unchanged(self, &before));
}

/* Where both pages are mapped it is an argument as any other, aligned or not. */
TEST_F(abi, straddles_pages)
{
	char *at = self->arg + PAGES(1) - 12;

	make_arg(self, variant, at, variant->size);
	EXPECT_CALL(0, at);
	ASSERT_EQ(0, make_region(self));
	make_arg(self, variant, self->arg + PAGES(1) - 7, variant->size);
	EXPECT_CALL(0, self->arg + PAGES(1) - 7);
}

/*
 * An answer that cannot be written is an error where it is what the call is for.
 * What has been done to memory is told as done.
 */
TEST_F(abi, readonly_argument)
{
	struct snapshot before;

	make_arg(self, variant, self->arg, variant->size);
	take_snapshot(self, &before);
	ASSERT_EQ(0, mprotect(self->arg, PAGES(1), PROT_READ));
	EXPECT_CALL(fails_readonly(variant) ? EFAULT : 0, self->arg);
	if (is_seen(variant))
		EXPECT_EQ(fails_readonly(variant), unchanged(self, &before));
}

/* Memory that cannot be read is no argument. */
TEST_F(abi, unreadable_argument)
{
	struct snapshot before;

	make_arg(self, variant, self->arg, variant->size);
	take_snapshot(self, &before);
	ASSERT_EQ(0, mprotect(self->arg, PAGES(1), PROT_NONE));
	EXPECT_CALL(EFAULT, self->arg);
	EXPECT_TRUE(unchanged(self, &before));
}

/*
 * The argument may be in a region: the module copies under no lock that a
 * fault takes.
 */
TEST_F(abi, argument_in_region)
{
	struct snapshot before;
	char *region = wr_alloc(self->fd, KIB(64));

	ASSERT_NE(NULL, region);
	make_arg(self, variant, region + 40, variant->size);
	EXPECT_CALL(0, region + 40);

	ASSERT_EQ(0, make_region(self));
	make_arg(self, variant, region + 40, variant->size);
	ASSERT_EQ(0, wr_protect(self->fd, region, PAGES(1), RO));
	take_snapshot(self, &before);
	EXPECT_CALL(fails_readonly(variant) ? EFAULT : 0, region + 40);
	if (is_seen(variant))
		EXPECT_EQ(fails_readonly(variant), unchanged(self, &before));

	/* Neither can the kernel reach what the program cannot. */
	ASSERT_EQ(0, make_region(self));
	take_snapshot(self, &before);
	ASSERT_EQ(0, wr_protect(self->fd, region, PAGES(1), NA));
	EXPECT_CALL(EFAULT, region + 40);
	ASSERT_EQ(0, wr_decommit(self->fd, region, PAGES(1)));
	before.committed = WR_INFO(self->fd, out_committed);
	EXPECT_CALL(EFAULT, region + 40);
	EXPECT_TRUE(unchanged(self, &before));
}

/* Flags that are known, but not for a call like make_arg()'s: placeholder_test.c. */
static uint32_t other_flags(unsigned long cmd)
{
	if (cmd == WINREGION_RESERVE)
		return WINREGION_RESERVE_PLACEHOLDER |
		       WINREGION_RESERVE_REPLACE |
		       WINREGION_RESERVE_LARGE_PAGES |
		       WINREGION_RESERVE_PHYSICAL;
	if (cmd == WINREGION_FRAMES)
		return WINREGION_FRAMES_FREE;
	if (cmd == WINREGION_RELEASE)
		return WINREGION_RELEASE_PRESERVE | WINREGION_RELEASE_COALESCE;
	return 0;
}

/* Bits that mean nothing yet are not ignored: in flags, in reserved fields. */
TEST_F(abi, unknown_bits)
{
	struct snapshot before;
	uint32_t *reserved;
	int bit;

	make_arg(self, variant, self->arg, variant->size);
	take_snapshot(self, &before);
	for (bit = 0; bit < 32; bit++) {
		if ((variant->flags | other_flags(variant->cmd)) & (1U << bit))
			continue;
		((uint32_t *)self->arg)[1] = 1U << bit;
		EXPECT_CALL(EOPNOTSUPP, self->arg) {
			TH_LOG("flag %d", bit);
		}
	}
	((uint32_t *)self->arg)[1] = 0xffffffff;
	EXPECT_CALL(EOPNOTSUPP, self->arg);
	((uint32_t *)self->arg)[1] = 0;
	reserved = (uint32_t *)(self->arg + variant->reserved);
	for (bit = 0; variant->reserved && bit < 32; bit++) {
		*reserved = 1U << bit;
		EXPECT_CALL(EINVAL, self->arg) {
			TH_LOG("reserved bit %d", bit);
		}
	}
	EXPECT_TRUE(unchanged(self, &before));
}

/* All that it knows, it takes. */
TEST_F(abi, known_flags)
{
	make_arg(self, variant, self->arg, variant->size);
	((uint32_t *)self->arg)[1] = variant->flags;
	EXPECT_CALL(0, self->arg);
}

/* The size is not part of the number, and no bit of the number is ignored. */
TEST_F(abi, number_is_exact)
{
	struct snapshot before;
	int bit;

	make_arg(self, variant, self->arg, variant->size);
	take_snapshot(self, &before);
	for (bit = 8; bit < 32; bit++)
		EXPECT_EQ(-ENOTTY, wr_ioctl(self->fd,
					    variant->cmd ^ (1UL << bit),
					    self->arg)) {
			TH_LOG("bit %d", bit);
		}
	EXPECT_TRUE(unchanged(self, &before));
}

/* A call that fails leaves the whole structure as it was. */
TEST_F(abi, failure_writes_nothing)
{
	char copy[256];

	make_arg(self, variant, self->arg, variant->size);
	((uint32_t *)self->arg)[1] = 1U << 31;
	memcpy(copy, self->arg, variant->size);
	EXPECT_CALL(EOPNOTSUPP, self->arg);
	EXPECT_EQ(0, memcmp(copy, self->arg, variant->size));
}

/* Descriptors that are not this device's, or not open for ioctls */
TEST_F(abi, other_descriptors)
{
	int fd;

	make_arg(self, variant, self->arg, variant->size);
	EXPECT_EQ(-EBADF, wr_ioctl(-1, variant->cmd, self->arg));
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOTTY, wr_ioctl(fd, variant->cmd, self->arg));
	close(fd);
	fd = open(WR_DEVICE, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBADF, wr_ioctl(fd, variant->cmd, self->arg));
	close(fd);
}

/* The layout that every program was compiled with */

#define EXPECT_FIELD(offset, length, type, field) do {			\
	EXPECT_EQ((offset), offsetof(struct winregion_##type, field));	\
	EXPECT_EQ((length), sizeof(((struct winregion_##type *)0)->field)); \
} while (0)

/* A structure that changes its layout breaks every program that uses it. */
TEST(layout)
{
	EXPECT_EQ(104, sizeof(struct winregion_get_info));
	EXPECT_FIELD(0, 4, get_info, size);
	EXPECT_FIELD(4, 4, get_info, flags);
	EXPECT_FIELD(8, 4, get_info, out_abi_version);
	EXPECT_FIELD(12, 4, get_info, out_page_size);
	EXPECT_FIELD(16, 4, get_info, out_granularity);
	EXPECT_FIELD(20, 4, get_info, out_max_ranges);
	EXPECT_FIELD(24, 8, get_info, out_features);
	EXPECT_FIELD(32, 8, get_info, out_lowest);
	EXPECT_FIELD(40, 8, get_info, out_highest);
	EXPECT_FIELD(48, 8, get_info, out_max_regions);
	EXPECT_FIELD(56, 8, get_info, out_regions);
	EXPECT_FIELD(64, 8, get_info, out_windows);
	EXPECT_FIELD(72, 8, get_info, out_committed);
	EXPECT_FIELD(80, 8, get_info, out_charged);
	EXPECT_FIELD(88, 8, get_info, out_total);
	EXPECT_FIELD(96, 8, get_info, out_limit);

	EXPECT_EQ(56, sizeof(struct winregion_reserve));
	EXPECT_FIELD(0, 4, reserve, size);
	EXPECT_FIELD(4, 4, reserve, flags);
	EXPECT_FIELD(8, 4, reserve, protection);
	EXPECT_FIELD(12, 4, reserve, node);
	EXPECT_FIELD(16, 8, reserve, address);
	EXPECT_FIELD(24, 8, reserve, length);
	EXPECT_FIELD(32, 8, reserve, lowest);
	EXPECT_FIELD(40, 8, reserve, highest);
	EXPECT_FIELD(48, 8, reserve, alignment);

	EXPECT_EQ(24, sizeof(struct winregion_release));
	EXPECT_FIELD(0, 4, release, size);
	EXPECT_FIELD(4, 4, release, flags);
	EXPECT_FIELD(8, 8, release, address);
	EXPECT_FIELD(16, 8, release, length);

	EXPECT_EQ(24, sizeof(struct winregion_range));
	EXPECT_FIELD(0, 8, range, address);
	EXPECT_FIELD(8, 8, range, length);
	EXPECT_FIELD(16, 4, range, protection);
	EXPECT_FIELD(20, 4, range, out_old_protection);

	EXPECT_EQ(48, sizeof(struct winregion_change));
	EXPECT_FIELD(0, 4, change, size);
	EXPECT_FIELD(4, 4, change, flags);
	EXPECT_FIELD(8, 4, change, nr_ranges);
	EXPECT_FIELD(12, 4, change, __reserved);
	EXPECT_FIELD(16, 8, change, ranges);
	EXPECT_FIELD(24, 24, change, range);

	EXPECT_EQ(56, sizeof(struct winregion_reset));
	EXPECT_FIELD(0, 4, reset, size);
	EXPECT_FIELD(4, 4, reset, flags);
	EXPECT_FIELD(8, 4, reset, operation);
	EXPECT_FIELD(12, 4, reset, nr_ranges);
	EXPECT_FIELD(16, 8, reset, ranges);
	EXPECT_FIELD(24, 24, reset, range);
	EXPECT_FIELD(48, 8, reset, out_gone);

	EXPECT_EQ(72, sizeof(struct winregion_run));
	EXPECT_FIELD(0, 8, run, address);
	EXPECT_FIELD(8, 8, run, length);
	EXPECT_FIELD(16, 8, run, region_address);
	EXPECT_FIELD(24, 8, run, region_length);
	EXPECT_FIELD(32, 8, run, region_committed);
	EXPECT_FIELD(40, 8, run, resident);
	EXPECT_FIELD(48, 4, run, region_protection);
	EXPECT_FIELD(52, 4, run, state);
	EXPECT_FIELD(56, 4, run, protection);
	EXPECT_FIELD(60, 4, run, type);
	EXPECT_FIELD(64, 4, run, flags);
	EXPECT_FIELD(68, 4, run, __reserved);

	EXPECT_EQ(88, sizeof(struct winregion_query));
	EXPECT_FIELD(0, 4, query, size);
	EXPECT_FIELD(4, 4, query, flags);
	EXPECT_FIELD(8, 8, query, address);
	EXPECT_FIELD(16, 72, query, out);

	EXPECT_EQ(40, sizeof(struct winregion_query_runs));
	EXPECT_FIELD(0, 4, query_runs, size);
	EXPECT_FIELD(4, 4, query_runs, flags);
	EXPECT_FIELD(8, 8, query_runs, address);
	EXPECT_FIELD(16, 8, query_runs, last);
	EXPECT_FIELD(24, 8, query_runs, runs);
	EXPECT_FIELD(32, 4, query_runs, nr_runs);
	EXPECT_FIELD(36, 4, query_runs, __reserved);

	EXPECT_EQ(48, sizeof(struct winregion_write_watch));
	EXPECT_FIELD(0, 4, write_watch, size);
	EXPECT_FIELD(4, 4, write_watch, flags);
	EXPECT_FIELD(8, 8, write_watch, address);
	EXPECT_FIELD(16, 8, write_watch, length);
	EXPECT_FIELD(24, 8, write_watch, pages);
	EXPECT_FIELD(32, 8, write_watch, nr_pages);
	EXPECT_FIELD(40, 4, write_watch, out_granularity);
	EXPECT_FIELD(44, 4, write_watch, __reserved);

	EXPECT_EQ(40, sizeof(struct winregion_lock));
	EXPECT_EQ(16, sizeof(struct winregion_open_process));
	EXPECT_FIELD(0, 4, lock, size);
	EXPECT_FIELD(4, 4, lock, flags);
	EXPECT_FIELD(8, 4, lock, operation);
	EXPECT_FIELD(12, 4, lock, __reserved);
	EXPECT_FIELD(16, 8, lock, address);
	EXPECT_FIELD(24, 8, lock, length);
	EXPECT_FIELD(32, 8, lock, out_locked);

	EXPECT_EQ(32, sizeof(struct winregion_frames));
	EXPECT_FIELD(0, 4, frames, size);
	EXPECT_FIELD(4, 4, frames, flags);
	EXPECT_FIELD(8, 4, frames, node);
	EXPECT_FIELD(12, 4, frames, __reserved);
	EXPECT_FIELD(16, 8, frames, count);
	EXPECT_FIELD(24, 8, frames, frames);

	EXPECT_EQ(40, sizeof(struct winregion_map_frames));
	EXPECT_FIELD(0, 4, map_frames, size);
	EXPECT_FIELD(4, 4, map_frames, flags);
	EXPECT_FIELD(8, 8, map_frames, address);
	EXPECT_FIELD(16, 8, map_frames, count);
	EXPECT_FIELD(24, 8, map_frames, frames);
	EXPECT_FIELD(32, 8, map_frames, addresses);

	EXPECT_EQ(40, sizeof(struct winregion_last_fault));
	EXPECT_FIELD(8, 8, last_fault, out_address);
	EXPECT_FIELD(16, 8, last_fault, out_sequence);
	EXPECT_FIELD(24, 8, last_fault, out_told);
	EXPECT_FIELD(32, 4, last_fault, out_access);
	EXPECT_FIELD(36, 4, last_fault, out_reason);
}

/* Nor may a number change. */
TEST(numbers)
{
	EXPECT_EQ(0xe780, WINREGION_GET_INFO);
	EXPECT_EQ(0xe781, WINREGION_RESERVE);
	EXPECT_EQ(0xe782, WINREGION_RELEASE);
	EXPECT_EQ(0xe783, WINREGION_COMMIT);
	EXPECT_EQ(0xe784, WINREGION_DECOMMIT);
	EXPECT_EQ(0xe785, WINREGION_PROTECT);
	EXPECT_EQ(0xe786, WINREGION_QUERY);
	EXPECT_EQ(0xe787, WINREGION_QUERY_RUNS);
	EXPECT_EQ(0xe788, WINREGION_CREATE_SECTION);
	EXPECT_EQ(0xe789, WINREGION_MAP_VIEW);
	EXPECT_EQ(0xe78a, WINREGION_UNMAP_VIEW);
	EXPECT_EQ(0xe78b, WINREGION_FLUSH_VIEW);
	EXPECT_EQ(0xe78c, WINREGION_QUERY_SECTION);
	EXPECT_EQ(0xe78d, WINREGION_EXTEND_SECTION);
	EXPECT_EQ(0xe78e, WINREGION_DUPLICATE_SECTION);
	EXPECT_EQ(0xe78f, WINREGION_QUERY_FILE);
	EXPECT_EQ(0xe790, WINREGION_OPEN_SECTION);
	EXPECT_EQ(0xe791, WINREGION_LAST_FAULT);
	EXPECT_EQ(0xe792, WINREGION_WRITE_WATCH);
	EXPECT_EQ(0xe795, WINREGION_SET_STACK);
	EXPECT_EQ(0xe793, WINREGION_RESET);
	EXPECT_EQ(0xe794, WINREGION_LOCK);
	EXPECT_EQ(0xe796, WINREGION_FRAMES);
	EXPECT_EQ(0xe797, WINREGION_MAP_FRAMES);
	EXPECT_EQ(1, WINREGION_FRAMES_FREE);
	EXPECT_EQ(2, WINREGION_FRAMES_NODE);
	EXPECT_EQ(256, WINREGION_RESERVE_PHYSICAL);
	EXPECT_EQ(1 << 15, WINREGION_FEATURE_FRAMES);
	EXPECT_EQ(0xe798, WINREGION_OPEN_PROCESS);
	EXPECT_EQ(1, WINREGION_PROCESS_CHANGE);
	EXPECT_EQ(1 << 17, WINREGION_FEATURE_PROCESS);
	EXPECT_EQ(1 << 18, WINREGION_FEATURE_IMAGE);
	EXPECT_EQ(0, WINREGION_LOCK_ADD);
	EXPECT_EQ(1, WINREGION_LOCK_REMOVE);
	EXPECT_EQ(2, WINREGION_LOCK_TRIM);
	EXPECT_EQ(3, WINREGION_LOCK_COUNT);
	EXPECT_EQ(1, WINREGION_RESERVE_TOP_DOWN);
	EXPECT_EQ(2, WINREGION_RESERVE_COMMIT);
	EXPECT_EQ(4, WINREGION_RESERVE_WRITE_WATCH);
	EXPECT_EQ(8, WINREGION_RESERVE_PLACEHOLDER);
	EXPECT_EQ(16, WINREGION_RESERVE_REPLACE);
	EXPECT_EQ(32, WINREGION_RESERVE_STACK);
	EXPECT_EQ(128, WINREGION_RESERVE_NODE);
	EXPECT_EQ(1, WINREGION_STACK_LEAPS);
	EXPECT_EQ(1, WINREGION_WATCH_GET);
	EXPECT_EQ(2, WINREGION_WATCH_RESET);
	EXPECT_EQ(1, WINREGION_QUERY_RESIDENT);
	EXPECT_EQ(2, WINREGION_QUERY_REGIONS);
	EXPECT_EQ(1, WINREGION_RUN_FOREIGN);
	EXPECT_EQ(1 << 11, WINREGION_FEATURE_RESET);
	EXPECT_EQ(1, WINREGION_OP_RESET);
	EXPECT_EQ(2, WINREGION_OP_UNDO);
	EXPECT_EQ(3, WINREGION_OP_DISCARD);
	EXPECT_EQ(4, WINREGION_OP_OFFER);
	EXPECT_EQ(5, WINREGION_OP_RECLAIM);
	EXPECT_EQ(1, WINREGION_PRIORITY_VERY_LOW);
	EXPECT_EQ(4, WINREGION_PRIORITY_NORMAL);
	EXPECT_EQ(31, WINREGION_FEATURE_VECTOR | WINREGION_FEATURE_EXECUTE |
		      WINREGION_FEATURE_GUARD | WINREGION_FEATURE_FORK |
		      WINREGION_FEATURE_SECTION);
	EXPECT_EQ(256, WINREGION_FEATURE_LAST_FAULT);
	EXPECT_EQ(512, WINREGION_FEATURE_WRITE_WATCH);
	EXPECT_EQ(1024, WINREGION_FEATURE_PLACEHOLDER);
	EXPECT_EQ(8192, WINREGION_FEATURE_STACK);
	EXPECT_EQ(1 << 14, WINREGION_FEATURE_LARGE_PAGES);
	EXPECT_EQ(1 << 16, WINREGION_FEATURE_NODE);
	EXPECT_EQ(1 << 6, WINREGION_RESERVE_LARGE_PAGES);
	EXPECT_EQ(2, WINREGION_RUN_LARGE_PAGES);
	EXPECT_EQ(2 << 20, WINREGION_LARGE_PAGE);
	EXPECT_EQ(1024, WINREGION_MAX_RANGES);
	EXPECT_EQ(0x10000, WINREGION_GRANULARITY);
}

/* Numbers of this type that mean nothing, and other drivers' numbers */
TEST(unknown_numbers)
{
	char arg[4096] = { 0 };
	int fd = wr_open();
	unsigned int nr;

	ASSERT_LE(0, fd);
	*(uint32_t *)arg = sizeof(arg);
	for (nr = 0; nr < 256; nr++) {
		if ((nr >= WINREGION_CMD_GET_INFO &&
		     nr <= WINREGION_CMD_CREATE_SECTION) ||
		    nr == WINREGION_CMD_UNMAP_VIEW ||
		    nr == WINREGION_CMD_FLUSH_VIEW ||
		    nr == WINREGION_CMD_QUERY_FILE ||
		    (nr >= WINREGION_CMD_OPEN_SECTION &&
		     nr <= WINREGION_CMD_MAP_FRAMES) ||
		    nr == WINREGION_CMD_OPEN_PROCESS)
			continue;
		EXPECT_EQ(-ENOTTY, wr_ioctl(fd, _IO(WINREGION_TYPE, nr), arg));
	}
	EXPECT_EQ(-ENOTTY, wr_ioctl(fd, 0, arg));
	EXPECT_EQ(-ENOTTY, wr_ioctl(fd, 0x5401 /* TCGETS */, arg));
	EXPECT_EQ(-ENOTTY, wr_ioctl(fd, 0xffffffff, arg));
}

/* What a program learns first */
TEST(get_info)
{
	struct winregion_get_info info;
	int fd = wr_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, wr_get_info(fd, &info));
	EXPECT_EQ(WINREGION_ABI_VERSION, info.out_abi_version);
	EXPECT_EQ(sysconf(_SC_PAGESIZE), info.out_page_size);
	EXPECT_EQ(WINREGION_GRANULARITY, info.out_granularity);
	EXPECT_EQ(WINREGION_MAX_RANGES, info.out_max_ranges);
	EXPECT_EQ(31, info.out_features & 31);
	EXPECT_EQ(USER_LOWEST, info.out_lowest);
	EXPECT_EQ(USER_HIGHEST, info.out_highest);
	EXPECT_EQ(0, info.out_regions);
	EXPECT_EQ(0, info.out_windows);
	EXPECT_EQ(0, info.out_committed);
	EXPECT_EQ(0, info.out_charged);
	EXPECT_LT(100000, info.out_max_regions);
	EXPECT_LE(info.out_total, info.out_limit);
}

/* The counts of GET_INFO follow each call. */
TEST(get_info_counts)
{
	struct winregion_get_info info;
	int fd = wr_open();
	char *small, *large;

	ASSERT_LE(0, fd);
	small = wr_reserve(fd, KIB(64));
	ASSERT_NE(NULL, small);
	ASSERT_EQ(0, wr_get_info(fd, &info));
	EXPECT_EQ(1, info.out_regions);
	EXPECT_EQ(1, info.out_windows);
	EXPECT_EQ(0, info.out_committed);

	large = wr_alloc(fd, MIB(4));
	ASSERT_NE(NULL, large);
	ASSERT_EQ(0, wr_get_info(fd, &info));
	EXPECT_EQ(2, info.out_regions);
	EXPECT_EQ(2, info.out_windows);
	EXPECT_EQ(MIB(4), info.out_committed);
	EXPECT_LE(MIB(4), info.out_charged);
	EXPECT_LE(info.out_charged, info.out_total);

	ASSERT_EQ(0, wr_commit(fd, small, PAGES(3), RO));
	ASSERT_EQ(0, wr_decommit(fd, large, MIB(1)));
	EXPECT_EQ(MIB(3) + PAGES(3), WR_INFO(fd, out_committed));
	ASSERT_EQ(0, wr_release(fd, large, 0));
	ASSERT_EQ(0, wr_get_info(fd, &info));
	EXPECT_EQ(1, info.out_regions);
	EXPECT_EQ(PAGES(3), info.out_committed);
	ASSERT_EQ(0, wr_release(fd, small, 0));
	ASSERT_EQ(0, wr_get_info(fd, &info));
	EXPECT_EQ(0, info.out_regions);
	EXPECT_EQ(0, info.out_committed);
}

/* The device itself has no contents and cannot be mapped. */
TEST(device_is_no_memory)
{
	int fd = wr_open();
	char byte = 0;

	ASSERT_LE(0, fd);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(-1, write(fd, &byte, 1));
}

/* Space belongs to the process, not to the descriptor. */
TEST(descriptors_are_alike)
{
	int first = wr_open(), second = wr_open();
	struct winregion_run run;
	char *region;

	ASSERT_LE(0, first);
	ASSERT_LE(0, second);
	region = wr_reserve(first, KIB(64));
	ASSERT_NE(NULL, region);
	EXPECT_EQ(0, wr_commit(second, region, PAGES(1), RW));
	close(first);
	fill_page(region, 7);
	EXPECT_TRUE(page_has(region, 7));
	close(second);
	/* Without a descriptor the memory stays. */
	EXPECT_TRUE(page_has(region, 7));
	fill_page(region, 8);
	first = wr_open();
	ASSERT_LE(0, first);
	EXPECT_EQ(0, wr_query(first, region, &run));
	EXPECT_EQ(WINREGION_STATE_COMMIT, run.state);
	EXPECT_EQ(0, wr_release(first, region, 0));
	EXPECT_FALSE(try_read(region));
}

/* Vectors */

FIXTURE(vector)
{
	int fd;
	/* Regions in a shared window, and one with a window of its own */
	char *small[2];
	char *large;
	struct winregion_range *ranges;
};

#define LARGE MIB(8)

FIXTURE_SETUP(vector)
{
	int i;

	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	for (i = 0; i < 2; i++) {
		self->small[i] = wr_reserve(self->fd, KIB(64));
		ASSERT_NE(NULL, self->small[i]);
	}
	self->large = wr_reserve(self->fd, LARGE);
	ASSERT_NE(NULL, self->large);
	self->ranges = mmap(NULL, PAGES(12), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->ranges);
}

FIXTURE_TEARDOWN(vector)
{
	close(self->fd);
}

static struct winregion_range a_range(const char *addr, uint64_t length,
				      uint32_t protection)
{
	return (struct winregion_range) {
		.address = (uintptr_t)addr,
		.length = length,
		.protection = protection,
		.out_old_protection = WR_POISON,
	};
}

/* One page in every two of the large region */
static void every_other_page(FIXTURE_DATA(vector) *self, uint32_t protection,
			     unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		self->ranges[i] = a_range(self->large + PAGES(2 * i % 2048),
					  PAGES(1), protection);
}

/* The most ranges that there may be, and one more */
TEST_F(vector, number_of_ranges)
{
	unsigned int i;

	every_other_page(self, RW, 1025);
	EXPECT_EQ(-EINVAL, wr_vector(self->fd, WINREGION_COMMIT, self->ranges,
				     1025));
	EXPECT_EQ(-EINVAL, wr_vector(self->fd, WINREGION_COMMIT, self->ranges,
				     0xffffffff));
	EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_COMMIT, self->ranges,
			       1024));
	EXPECT_EQ(PAGES(1024), WR_INFO(self->fd, out_committed));
	for (i = 0; i < 1024; i++) {
		EXPECT_TRUE(wr_is(self->fd, self->large + PAGES(2 * i), RW));
		EXPECT_TRUE(wr_is_reserved(self->fd,
					   self->large + PAGES(2 * i + 1)));
	}

	every_other_page(self, RO, 1024);
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, self->ranges,
			       1024));
	for (i = 0; i < 1024; i++)
		EXPECT_EQ(RW, self->ranges[i].out_old_protection);
	EXPECT_TRUE(wr_is(self->fd, self->large + PAGES(1000), RO));

	every_other_page(self, 0, 1024);
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_DECOMMIT, self->ranges,
			       1024));
	EXPECT_EQ(0, WR_INFO(self->fd, out_committed));

	every_other_page(self, RW, 1);
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_COMMIT, self->ranges, 1));
	EXPECT_EQ(PAGES(1), WR_INFO(self->fd, out_committed));
}

/* Either the one range or the array, never both. */
TEST_F(vector, range_or_array)
{
	struct winregion_change arg;
	int field;

	every_other_page(self, RW, 1);
	for (field = 0; field < 5; field++) {
		memset(&arg, 0, sizeof(arg));
		arg.size = sizeof(arg);
		arg.nr_ranges = 1;
		arg.ranges = (uintptr_t)self->ranges;
		if (field == 0)
			arg.range.address = (uintptr_t)self->small[0];
		if (field == 1)
			arg.range.length = 1;
		if (field == 2)
			arg.range.protection = RW;
		if (field == 3)
			arg.range.out_old_protection = 1;
		EXPECT_EQ(field == 4 ? 0 : -EINVAL,
			  wr_ioctl(self->fd, WINREGION_COMMIT, &arg)) {
			TH_LOG("field %d", field);
		}
	}
	memset(&arg, 0, sizeof(arg));
	arg.size = sizeof(arg);
	arg.ranges = (uintptr_t)self->ranges;
	arg.range = a_range(self->small[0], PAGES(1), RW);
	EXPECT_EQ(-EINVAL, wr_ioctl(self->fd, WINREGION_COMMIT, &arg));
	EXPECT_TRUE(wr_is_reserved(self->fd, self->small[0]));
}

/* The array must be there, all of it. */
TEST_F(vector, array_pointers)
{
	static const uint64_t wild[] = {
		0, 1, 0x1000, USER_HIGHEST - 7, 0x8000000000000000,
		0xffff888000000000, 0xffffffff81000000, 0xffffffffffffffff,
	};
	char *end = (char *)self->ranges + PAGES(8);
	struct winregion_range *last = (void *)end;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wild); i++) {
		EXPECT_EQ(-EFAULT, wr_vector(self->fd, WINREGION_COMMIT,
					     (void *)(uintptr_t)wild[i], 1));
		EXPECT_EQ(-EFAULT, wr_vector(self->fd, WINREGION_DECOMMIT,
					     (void *)(uintptr_t)wild[i], 1024));
	}
	last[-1] = a_range(self->small[0], PAGES(1), RW);
	ASSERT_EQ(0, munmap(end, PAGES(1)));
	EXPECT_EQ(-EFAULT, wr_vector(self->fd, WINREGION_COMMIT, last - 1, 2));
	EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_COMMIT, last - 1, 1));
	EXPECT_EQ(PAGES(1), WR_INFO(self->fd, out_committed));
}

/* Only PROTECT writes to it; if it cannot, the pages have changed all the same. */
TEST_F(vector, readonly_array)
{
	self->ranges[0] = a_range(self->small[0], PAGES(2), RW);
	self->ranges[1] = a_range(self->large, PAGES(2), RW);
	ASSERT_EQ(0, mprotect(self->ranges, PAGES(1), PROT_READ));
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_COMMIT, self->ranges, 2));
	EXPECT_EQ(WR_POISON, self->ranges[0].out_old_protection);
	ASSERT_EQ(0, mprotect(self->ranges, PAGES(1),
			      PROT_READ | PROT_WRITE));
	self->ranges[0].protection = RO;
	self->ranges[1].protection = RO;
	ASSERT_EQ(0, mprotect(self->ranges, PAGES(1), PROT_READ));
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, self->ranges, 2));
	EXPECT_TRUE(wr_is(self->fd, self->small[0], RO));
	EXPECT_TRUE(wr_is(self->fd, self->large, RO));
}

/* The array is in the range that the call takes away. */
TEST_F(vector, array_in_its_own_range)
{
	struct winregion_range *ranges;

	ASSERT_EQ(0, wr_commit(self->fd, self->large, PAGES(4), RW));
	ranges = (void *)self->large;
	ranges[0] = a_range(self->large, PAGES(4), RO);
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, ranges, 1));
	EXPECT_TRUE(wr_is(self->fd, self->large, RO));
	EXPECT_EQ(WR_POISON, ranges[0].out_old_protection);
	ASSERT_EQ(0, wr_protect(self->fd, self->large, PAGES(4), RW));
	/* Half of it stays writable, and gets its answer. */
	ranges[0] = a_range(self->large + PAGES(1), PAGES(1), NA);
	ranges[1] = a_range(self->large + PAGES(1), PAGES(1), RO);
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, ranges, 2));
	EXPECT_EQ(RW, ranges[0].out_old_protection);
	EXPECT_EQ(NA, ranges[1].out_old_protection);
	ranges[0] = a_range(self->large, PAGES(4), 0);
	EXPECT_EQ(0, wr_vector(self->fd, WINREGION_DECOMMIT, ranges, 1));
	EXPECT_TRUE(wr_is_reserved(self->fd, self->large));
}

/*
 * A structure in what it releases, or protects: what was done is told. Its guard goes by
 * that: GP-10.
 */
TEST_F(vector, structure_in_its_own_range)
{
	static const uint32_t last[] = { RO, NA, RW | WINREGION_GUARD, RX };
	size_t nr = ARRAY_SIZE(last) - code_is_refused();
	struct winregion_release *release = (void *)self->large;
	struct winregion_change *change = (void *)self->large;
	size_t i;

	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, wr_commit(self->fd, self->large, PAGES(4), RW));
		memset(change, 0, sizeof(*change));
		change->size = sizeof(*change);
		change->range = a_range(self->large, PAGES(4), last[i]);
		EXPECT_EQ(0, wr_ioctl(self->fd, WINREGION_PROTECT, change)) {
			TH_LOG("protection %#x", last[i]);
		}
		EXPECT_TRUE(wr_is(self->fd, self->large,
				  last[i] & ~WINREGION_GUARD));
		EXPECT_TRUE(wr_is(self->fd, self->large + PAGES(1), last[i]));
	}
	ASSERT_EQ(0, wr_commit(self->fd, self->large, PAGES(1), RW));
	memset(release, 0, sizeof(*release));
	release->size = sizeof(*release);
	release->address = (uintptr_t)self->large;
	EXPECT_EQ(0, wr_ioctl(self->fd, WINREGION_RELEASE, release));
	EXPECT_TRUE(wr_is_gone(self->fd, self->large));
}

/* Rules: M-11. One bad range among good ones, wherever it is: no page changes. */
TEST_F(vector, bad_range_changes_nothing)
{
	char *beyond = self->large + LARGE;
	const struct {
		struct winregion_range range;
		unsigned long cmd;
		int err;
	} bad[] = {
		{ a_range(beyond - PAGES(1), PAGES(2), RO),
		  WINREGION_COMMIT, EXDEV },
		{ a_range(self->large, PAGES(1), 0x08),
		  WINREGION_COMMIT, EDOM },
		{ a_range(self->large, 0, RO), WINREGION_COMMIT, EOVERFLOW },
		{ a_range(NULL, PAGES(1), RO),
		  WINREGION_COMMIT, EADDRNOTAVAIL },
		{ a_range(self->large, 0ULL - 1, RO),
		  WINREGION_COMMIT, EOVERFLOW },
		{ a_range(self->large, PAGES(512), RO),
		  WINREGION_PROTECT, ENODATA },
		{ a_range(self->large, PAGES(1), 0),
		  WINREGION_PROTECT, EDOM },
		{ a_range(beyond - PAGES(1), PAGES(2), 0),
		  WINREGION_DECOMMIT, EXDEV },
		{ a_range(self->large, PAGES(1), RW),
		  WINREGION_DECOMMIT, EINVAL },
		{ a_range(self->large + PAGES(1), 0, 0),
		  WINREGION_DECOMMIT, ESPIPE },
	};
	struct winregion_run run;
	unsigned int place, i, j;

	ASSERT_EQ(0, wr_commit(self->fd, self->large, PAGES(256), RW));
	ASSERT_EQ(0, wr_commit(self->fd, self->small[0], PAGES(4), RW));
	fill_pages(self->large, 256, 5000);
	fill_pages(self->small[0], 4, 6000);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (place = 0; place < 9; place += 4) {
			uint32_t prot = bad[i].cmd == WINREGION_DECOMMIT ?
					0 : RO;

			for (j = 0; j < 8; j++)
				self->ranges[j] = a_range(self->large +
							  PAGES(3 * j),
							  PAGES(2), prot);
			self->ranges[8] = a_range(self->small[0], PAGES(1),
						  prot);
			self->ranges[place] = bad[i].range;
			EXPECT_EQ(-bad[i].err,
				  wr_vector(self->fd, bad[i].cmd,
					    self->ranges, 9)) {
				TH_LOG("case %u at %u", i, place);
			}
			for (j = 0; j < 9; j++)
				EXPECT_EQ(WR_POISON,
					  self->ranges[j].out_old_protection);
			ASSERT_EQ(0, wr_query(self->fd, self->large, &run));
			EXPECT_EQ(PAGES(256), run.length);
			EXPECT_EQ(RW, run.protection);
			EXPECT_TRUE(wr_is(self->fd, self->small[0], RW));
			EXPECT_EQ(PAGES(260),
				  WR_INFO(self->fd, out_committed));
		}
	}
	EXPECT_TRUE(pages_have(self->large, 256, 5000));
	EXPECT_TRUE(pages_have(self->small[0], 4, 6000));
}

/* Ranges that overlap act in their order. */
TEST_F(vector, overlapping_ranges)
{
	struct winregion_range *range = self->ranges;

	range[0] = a_range(self->large, PAGES(8), RW);
	range[1] = a_range(self->large + PAGES(2), PAGES(2), RO);
	range[2] = a_range(self->large + PAGES(3), PAGES(3), NA);
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_COMMIT, range, 3));
	EXPECT_EQ(PAGES(8), WR_INFO(self->fd, out_committed));
	EXPECT_TRUE(wr_is(self->fd, self->large + PAGES(1), RW));
	EXPECT_TRUE(wr_is(self->fd, self->large + PAGES(2), RO));
	EXPECT_TRUE(wr_is(self->fd, self->large + PAGES(3), NA));
	EXPECT_TRUE(wr_is(self->fd, self->large + PAGES(5), NA));
	EXPECT_TRUE(wr_is(self->fd, self->large + PAGES(6), RW));

	/* The second sees what the first did. */
	range[0] = a_range(self->large, PAGES(8), RW);
	range[1] = a_range(self->large + PAGES(3), PAGES(1), RO);
	range[2] = a_range(self->large + PAGES(3), PAGES(1), RW);
	range[3] = a_range(self->large, PAGES(8), NA);
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, range, 4));
	EXPECT_EQ(RW, range[0].out_old_protection);
	EXPECT_EQ(RW, range[1].out_old_protection);
	EXPECT_EQ(RO, range[2].out_old_protection);
	EXPECT_EQ(RW, range[3].out_old_protection);
	EXPECT_TRUE(wr_is(self->fd, self->large + PAGES(3), NA));

	/* The same pages twice are decommitted, and paid for, once. */
	range[0] = a_range(self->large, PAGES(4), 0);
	range[1] = a_range(self->large + PAGES(2), PAGES(4), 0);
	range[2] = a_range(self->large, PAGES(1), 0);
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_DECOMMIT, range, 3));
	EXPECT_EQ(PAGES(2), WR_INFO(self->fd, out_committed));
}

#define CROWD 400 /* ranges */
#define CROWDED 64 /* pages that they are in */

/* What CROWD ranges in a row do, and give back, one after the other */
struct crowd {
	uint32_t now[CROWDED];
	uint32_t old[CROWD];
};

static void crowd_fill(struct winregion_range *ranges, char *base, bool exec)
{
	static const uint32_t protections[] = { RW, RO, NA, RX, RWX };
	unsigned int i;
	size_t page;

	for (i = 0; i < CROWD; i++) {
		page = rand() % CROWDED;
		ranges[i] = a_range(base + PAGES(page),
				    PAGES(1 + rand() % (CROWDED - page)),
				    protections[rand() % (exec ? 5 : 3)]);
	}
}

static void crowd_expect(struct crowd *crowd,
			 const struct winregion_range *ranges, char *base)
{
	unsigned int i;
	size_t page, n;

	for (i = 0; i < CROWD; i++) {
		page = (ranges[i].address - (uintptr_t)base) / PAGES(1);
		crowd->old[i] = crowd->now[page];
		for (n = ranges[i].length / PAGES(1); n; n--)
			crowd->now[page++] = ranges[i].protection;
	}
}

/* Hundreds of ranges that overlap in every way are as one after the other. */
TEST_F(vector, crowd_of_ranges)
{
	char *base = self->large + PAGES(500); /* in two slots */
	struct crowd crowd;
	bool code = !code_is_refused();
	unsigned int round, i;

	for (i = 0; i < CROWDED; i++)
		crowd.now[i] = RW;
	ASSERT_EQ(0, wr_commit(self->fd, base, PAGES(CROWDED), RW));
	fill_pages(base, CROWDED, 3000);
	srand(1);
	for (round = 0; round < 8; round++) {
		crowd_fill(self->ranges, base, code && round % 2);
		crowd_expect(&crowd, self->ranges, base);
		ASSERT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT,
				       self->ranges, CROWD));
		for (i = 0; i < CROWD; i++)
			ASSERT_EQ(crowd.old[i],
				  self->ranges[i].out_old_protection);
		for (i = 0; i < CROWDED; i++)
			ASSERT_TRUE(wr_is(self->fd, base + PAGES(i),
					  crowd.now[i]));
		for (i = 0; i < CROWDED; i++)
			ASSERT_EQ(crowd.now[i] == RW || crowd.now[i] == RWX,
				  try_write(base + PAGES(i)));
	}
	ASSERT_EQ(PAGES(CROWDED), WR_INFO(self->fd, out_committed));

	/* What is not committed is paid for once as well. */
	ASSERT_EQ(0, wr_decommit(self->fd, base, PAGES(CROWDED)));
	crowd_fill(self->ranges, base, code);
	self->ranges[CROWD - 1] = a_range(base, PAGES(CROWDED), RW);
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_COMMIT, self->ranges,
			       CROWD));
	EXPECT_EQ(PAGES(CROWDED), WR_INFO(self->fd, out_committed));
	EXPECT_TRUE(wr_is(self->fd, base, RW));
	for (i = 0; i < CROWD; i++)
		self->ranges[i].protection = 0;
	self->ranges[CROWD / 2] = a_range(self->large, 0, 0);
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_DECOMMIT, self->ranges,
			       CROWD));
	EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
}

/* Of ranges that overlap too, the first that is no good gives the error. */
TEST_F(vector, first_error_of_a_crowd)
{
	char *beyond = self->large + LARGE - PAGES(1);
	struct winregion_range *range = self->ranges;

	ASSERT_EQ(0, wr_commit(self->fd, self->large, PAGES(8), RW));
	range[0] = a_range(self->large + PAGES(2), PAGES(4), RO);
	range[1] = a_range(self->large, PAGES(8), NA);
	range[2] = a_range(self->large + PAGES(4), PAGES(6), RO);
	range[3] = a_range(beyond, PAGES(2), RO);
	EXPECT_EQ(-ENODATA, wr_vector(self->fd, WINREGION_PROTECT, range, 4));
	range[2] = range[3];
	range[3] = a_range(self->large + PAGES(4), PAGES(6), RO);
	EXPECT_EQ(-EXDEV, wr_vector(self->fd, WINREGION_PROTECT, range, 4));
	EXPECT_TRUE(wr_is(self->fd, self->large, RW));
	EXPECT_TRUE(wr_is(self->fd, self->large + PAGES(5), RW));
}

/* Rules: P-03. A range is no good even if nothing comes of it. */
TEST_F(vector, error_of_a_range_that_is_covered)
{
	struct winregion_range *range = self->ranges;

	ASSERT_EQ(0, wr_commit(self->fd, self->large, PAGES(8), RW));
	range[0] = a_range(self->large + PAGES(2), PAGES(1),
			   WINREGION_WRITECOPY);
	range[1] = a_range(self->large, PAGES(4), RO);
	EXPECT_EQ(-EDOM, wr_vector(self->fd, WINREGION_PROTECT, range, 2));
	range[0].protection = WINREGION_EXECUTE_WRITECOPY;
	EXPECT_EQ(-EDOM, wr_vector(self->fd, WINREGION_PROTECT, range, 2));
	EXPECT_TRUE(wr_is(self->fd, self->large, RW));
}

/* One call changes several regions, in windows of both kinds. */
TEST_F(vector, several_regions)
{
	struct winregion_range *range = self->ranges;
	char *where[3] = { self->small[1], self->large, self->small[0] };
	int i;

	for (i = 0; i < 3; i++)
		range[i] = a_range(where[i] + PAGES(i), PAGES(2), RW);
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_COMMIT, range, 3));
	EXPECT_EQ(PAGES(6), WR_INFO(self->fd, out_committed));
	for (i = 0; i < 3; i++) {
		fill_pages(where[i] + PAGES(i), 2, 100 * i);
		range[i].protection = RO;
	}
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, range, 3));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(RW, range[i].out_old_protection);
		EXPECT_FALSE(try_write(where[i] + PAGES(i)));
		EXPECT_TRUE(pages_have(where[i] + PAGES(i), 2, 100 * i));
		range[i].protection = 0;
	}
	/* Length 0 is the whole region, in a vector as elsewhere. */
	range[1] = a_range(self->large, 0, 0);
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_DECOMMIT, range, 3));
	EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
	for (i = 0; i < 3; i++)
		EXPECT_FALSE(try_read(where[i] + PAGES(i)));
}

/* Queries of many runs */

/* The array of runs: how many, and where it is */
TEST_F(vector, query_runs_array)
{
	struct winregion_query_runs arg = { 0 };
	uint64_t start = (uintptr_t)self->large;
	struct winregion_run *runs = (void *)self->ranges;
	uint64_t next;

	every_other_page(self, RW, 256);
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_COMMIT, self->ranges, 256));
	memset(runs, 0xcc, PAGES(8));
	next = start;
	EXPECT_EQ(-EINVAL, wr_query_runs(self->fd, &next, start + LARGE - 1,
					 0, runs, 0));
	EXPECT_EQ(-EFAULT, wr_query_runs(self->fd, &next, start + LARGE - 1,
					 0, NULL, 1));
	EXPECT_EQ(-EFAULT, wr_query_runs(self->fd, &next, start + LARGE - 1, 0,
					 (void *)0xffff888000000000, 1));
	/* In steps of three, and no more than asked for is written. */
	EXPECT_EQ(3, wr_query_runs(self->fd, &next, start + LARGE - 1, 0, runs,
				   3));
	EXPECT_EQ(start + PAGES(3), next);
	EXPECT_EQ(start, runs[0].address);
	EXPECT_EQ(PAGES(1), runs[0].length);
	EXPECT_EQ(start + PAGES(2), runs[2].address);
	EXPECT_EQ(WINREGION_STATE_COMMIT, runs[2].state);
	EXPECT_EQ(0, runs[2].__reserved);
	EXPECT_EQ(WR_POISON64, runs[3].address);
	/* All at once: 256 times two, the last of them long */
	next = start;
	EXPECT_EQ(300, wr_query_runs(self->fd, &next, start + LARGE - 1, 0,
				     runs, 300));
	EXPECT_EQ(212, wr_query_runs(self->fd, &next, start + LARGE - 1, 0,
				     runs, 300));
	EXPECT_EQ(start + LARGE, next);
	EXPECT_EQ(start + PAGES(511), runs[211].address);
	EXPECT_EQ(LARGE - PAGES(511), runs[211].length);

	/* A range that starts or ends beyond the usable addresses */
	arg.size = sizeof(arg);
	arg.last = USER_HIGHEST + 1;
	arg.runs = (uintptr_t)runs;
	arg.nr_runs = 1;
	EXPECT_EQ(-EADDRNOTAVAIL, wr_ioctl(self->fd, WINREGION_QUERY_RUNS,
					   &arg));
	arg.address = USER_HIGHEST + 1;
	arg.last = USER_HIGHEST;
	EXPECT_EQ(-EADDRNOTAVAIL, wr_ioctl(self->fd, WINREGION_QUERY_RUNS,
					   &arg));
}

TEST_HARNESS_MAIN
