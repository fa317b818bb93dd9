// SPDX-License-Identifier: GPL-2.0
/*
 * What is free can be had: what a query calls free, a reserve and an mmap() can
 * take, and what they cannot take no query calls free. Hazards B23 and B24.
 */
#include "kselftest_harness.h"

#include <pthread.h>
#include <sys/resource.h>

#include "common.h"
#include "wr_test_util.h"
#include "sections.h"

#define MMAP_MIN_ADDR "/proc/sys/vm/mmap_min_addr"
#define NOBODY 65534
#define UNIT KIB(64)

/* Far from where the kernel puts anything */
#define ARENA 0x100000000000UL

FIXTURE(place)
{
	int fd;
};

FIXTURE_SETUP(place)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(place)
{
	close(self->fd);
}

/* Reserves; 0 or -errno, the address in *@addr */
static int reserve(int fd, struct winregion_reserve arg, uint64_t *addr)
{
	int ret;

	arg.size = sizeof(arg);
	arg.protection = RW;
	ret = wr_ioctl(fd, WINREGION_RESERVE, &arg);
	*addr = arg.address;
	return ret;
}

#define RESERVE(addr, ...)						\
	reserve(self->fd, (struct winregion_reserve) { __VA_ARGS__ }, &(addr))

static void *at(uint64_t addr)
{
	return (void *)(uintptr_t)addr;
}

/* ---- whatever a query calls free ---- */

/* A region at @addr, for a moment */
static bool can_reserve(int fd, uint64_t addr)
{
	int ret = wr_reserve_at(fd, &addr, PAGES(1), 0, RW);

	if (ret)
		fprintf(stderr, "# reserve at %#lx: %d\n", addr, ret);
	return !ret && !wr_release(fd, at(addr), 0);
}

/* A mapping; what is free inside a mapping of ours is not for mmap(). */
static bool can_map(uint64_t addr)
{
	void *map;

	if (count_vmas(at(addr), PAGES(1)))
		return true;
	map = mmap(at(addr), PAGES(1), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		   MAP_FIXED_NOREPLACE, -1, 0);
	if (map != at(addr))
		fprintf(stderr, "# mmap at %#lx: errno %d\n", addr, errno);
	return map == at(addr) && !munmap(map, PAGES(1));
}

/* Somewhere in the free range [@start, @end) */
static uint64_t somewhere(uint64_t start, uint64_t end, unsigned int i)
{
	if (i == 0)
		return start;
	if (i == 1)
		return end - PAGES(1);
	if (i == 2)
		return start + (end - start) / 2 / PAGES(1) * PAGES(1);
	return start + ((uint64_t)rand() << 16 ^ rand()) %
		       ((end - start) / PAGES(1)) * PAGES(1);
}

static int take_in(int fd, uint64_t start, uint64_t end)
{
	uint64_t addr;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		addr = somewhere(start, end, i);
		CHECK(can_map(addr));
		/* Down to a unit, or up to one */
		addr = addr / UNIT * UNIT;
		if (addr < start)
			addr += UNIT;
		if (addr + PAGES(1) <= end)
			CHECK(can_reserve(fd, addr));
	}
	return 0;
}

/* All of the address space: what is free in it can be had now. */
static int take_all(int fd)
{
	static struct winregion_run runs[4096];
	uint64_t lowest = WR_INFO(fd, out_lowest), next = lowest;
	unsigned int n_free = 0;
	long n, i;
	int line;

	n = wr_query_runs(fd, &next, USER_HIGHEST, 0, runs, ARRAY_SIZE(runs));
	CHECK(n > 0 && next > USER_HIGHEST);
	for (i = 0; i < n; i++) {
		if (runs[i].state != WINREGION_STATE_FREE)
			continue;
		line = take_in(fd, runs[i].address,
			       runs[i].address + runs[i].length);
		if (line)
			return line;
		n_free++;
	}
	CHECK(n_free > 10);
	return 0;
}

static void *use_stack(void *arg)
{
	pthread_barrier_wait(arg);
	pthread_barrier_wait(arg);
	return NULL;
}

/* Mappings, regions and holes, a few of each kind */
static int fill(int fd)
{
	unsigned int i;
	uint64_t addr;
	char *base;
	void *map;

	for (i = 0; i < 40; i++) {
		addr = ARENA + rand() % 1024 * PAGES(4);
		mmap(at(addr), PAGES(1 + rand() % 20), PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE |
		     (rand() % 8 ? 0 : MAP_GROWSDOWN), -1, 0);
		addr = ARENA + rand() % 256 * UNIT;
		wr_reserve_at(fd, &addr, PAGES(1 + rand() % 200), 0, RW);
		base = wr_alloc(fd, PAGES(1 + rand() % 600));
		CHECK(base);
		if (rand() % 4 == 0)
			CHECK(!wr_release(fd, base, 0));
		else if (rand() % 2)
			wr_release(fd, base + PAGES(rand() % 100), PAGES(1));
	}
	map = mmap(at(ARENA + GIB(1)), PAGES(2), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE |
		   MAP_GROWSDOWN, -1, 0);
	CHECK(map != MAP_FAILED);
	return 0;
}

static int fill_and_take(void *arg)
{
	int fd = *(int *)arg, line;
	pthread_barrier_t barrier;
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	CHECK(!pthread_create(&thread, NULL, use_stack, &barrier));
	pthread_barrier_wait(&barrier);
	line = fill(fd);
	if (!line)
		line = take_all(fd);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	return line;
}

static int nobody_takes(void *arg)
{
	CHECK(!setuid(NOBODY));
	return fill_and_take(arg);
}

TEST_F_TIMEOUT(place, free_means_usable, 120)
{
	int64_t lowest = read_number(MMAP_MIN_ADDR);
	unsigned int seed;

	for (seed = 1; seed <= 4; seed++) {
		srand(seed);
		EXPECT_EQ(0, in_child(fill_and_take, &self->fd))
			TH_LOG("seed %u", seed);
	}
	ASSERT_TRUE(write_number(MMAP_MIN_ADDR, 0x123000));
	EXPECT_EQ(0, in_child(nobody_takes, &self->fd));
	EXPECT_TRUE(write_number(MMAP_MIN_ADDR, lowest));
}

/* ---- when there is nothing else ---- */

#define PIECES 40

static int by_address(const void *a, const void *b)
{
	char *const *one = a, *const *other = b;

	return *one < *other ? -1 : *one > *other;
}

/* All addresses taken but @PIECES MiB, in one place, which are taken by the MiB */
static int take_rest(int fd, char **piece)
{
	char *hole = wr_reserve(fd, MIB(PIECES));
	unsigned int nr = 0;
	uint64_t size;

	CHECK(hole);
	for (size = 1UL << 46; size >= UNIT; size /= 2)
		while (wr_reserve(fd, size))
			;
	CHECK(errno == ENOSPC);
	CHECK(!wr_release(fd, hole, 0));
	while (nr < PIECES && (piece[nr] = wr_reserve(fd, MIB(1))))
		nr++;
	CHECK(nr == PIECES && !wr_reserve(fd, UNIT) && errno == ENOSPC);
	qsort(piece, nr, sizeof(*piece), by_address);
	CHECK(piece[0] == hole && piece[nr - 1] == hole + MIB(nr - 1));
	return 0;
}

/* @size bytes of two neighbours that go, for a region and for a view */
static int take_place_of_two(int fd, int section, char **piece, uint64_t size)
{
	uint64_t first = (uintptr_t)piece[0], second = (uintptr_t)piece[1];
	char *region, *view;

	CHECK(!wr_release(fd, piece[0], 0) && !wr_release(fd, piece[1], 0));
	region = wr_reserve(fd, size);
	CHECK(region >= piece[0] && region + size <= piece[0] + MIB(2));
	CHECK(!wr_reserve(fd, MIB(2)) && errno == ENOSPC);
	CHECK(!wr_release(fd, region, 0));
	CHECK(!sec_map(section, 0, size, RW, &view));
	CHECK(view >= piece[0] && view + size <= piece[0] + MIB(2));
	CHECK(!wr_reserve(fd, MIB(2)) && errno == ENOSPC);
	CHECK(!munmap(view, size));
	CHECK(!wr_reserve_at(fd, &first, MIB(1), 0, RW));
	CHECK(!wr_reserve_at(fd, &second, MIB(1), 0, RW));
	CHECK(!wr_reserve(fd, UNIT) && errno == ENOSPC);
	return 0;
}

/* Between windows, or in one, or both: what is free is one place. */
static int last_ones(void *arg)
{
	FIXTURE_DATA(place) *self = arg;
	int section = sec_create(self->fd, -1, MIB(2), 0, RW);
	char *piece[PIECES];
	unsigned int i;

	CHECK(section >= 0);
	if (take_rest(self->fd, piece))
		return 1;
	for (i = 0; i + 1 < PIECES; i++) {
		if (take_place_of_two(self->fd, section, piece + i, MIB(2)) ||
		    take_place_of_two(self->fd, section, piece + i,
				      MIB(1) + UNIT))
			return 1;
	}
	return 0;
}

TEST_F(place, last_ones)
{
	EXPECT_EQ(0, in_child(last_ones, self));
}

/* ---- vm.mmap_min_addr ---- */

#define RAISED 0x101000UL
#define LOWEST 0x110000UL

/* Where the core refuses mappings nothing is free, and all else goes on. */
static int low_is_refused(void *arg)
{
	FIXTURE_DATA(place) *self = arg;
	struct winregion_run run;
	uint64_t addr;

	CHECK(!setuid(NOBODY));
	CHECK(WR_INFO(self->fd, out_lowest) == LOWEST);
	CHECK(!wr_query(self->fd, at(0x20000), &run));
	CHECK(run.state == WINREGION_STATE_RESERVE && !run.protection);
	CHECK(run.flags == WINREGION_RUN_FOREIGN);
	CHECK(run.address == 0x20000 && run.length == LOWEST - 0x20000);
	CHECK(run.region_address == USER_LOWEST);
	CHECK(run.region_length == LOWEST - USER_LOWEST);
	CHECK(!wr_query(self->fd, at(0), &run));
	CHECK(run.state == WINREGION_STATE_FREE && run.length == USER_LOWEST);
	CHECK(wr_state(self->fd, at(LOWEST)) == WINREGION_STATE_FREE);

	CHECK(RESERVE(addr, .address = 0x20000, .length = 1) == -EADDRNOTAVAIL);
	CHECK(RESERVE(addr, .address = 0x100000, .length = MIB(4)) ==
	      -EADDRNOTAVAIL);
	CHECK(!RESERVE(addr, .address = LOWEST, .length = 1));
	CHECK(addr == LOWEST && !wr_release(self->fd, at(addr), 0));
	CHECK(!RESERVE(addr, .length = UNIT, .highest = 0x7fffffff));
	CHECK(addr >= LOWEST && !wr_release(self->fd, at(addr), 0));
	CHECK(!RESERVE(addr, .length = UNIT, .highest = LOWEST + UNIT - 1));
	CHECK(addr == LOWEST && !wr_release(self->fd, at(addr), 0));
	CHECK(!RESERVE(addr, .length = UNIT, .highest = LOWEST + UNIT - 1,
		       .flags = WINREGION_RESERVE_TOP_DOWN));
	CHECK(addr == LOWEST && !wr_release(self->fd, at(addr), 0));
	CHECK(RESERVE(addr, .length = UNIT, .highest = LOWEST - 1) == -ENOSPC);
	CHECK(RESERVE(addr, .length = UNIT, .highest = LOWEST - 1,
		      .flags = WINREGION_RESERVE_TOP_DOWN) == -ENOSPC);
	return 0;
}

static int low_is_allowed(void *arg)
{
	FIXTURE_DATA(place) *self = arg;
	uint64_t addr;

	CHECK(WR_INFO(self->fd, out_lowest) == USER_LOWEST);
	CHECK(wr_state(self->fd, at(0x20000)) == WINREGION_STATE_FREE);
	CHECK(!RESERVE(addr, .address = 0x20000, .length = 1));
	/* It stays usable for who could not make it. */
	CHECK(!setuid(NOBODY));
	CHECK(WR_INFO(self->fd, out_lowest) == LOWEST);
	CHECK(!wr_commit(self->fd, at(addr), PAGES(1), RW));
	CHECK(try_write(at(addr)));
	CHECK(!wr_release(self->fd, at(addr), 0));
	CHECK(wr_is_reserved(self->fd, at(addr)));
	return 0;
}

/* The lowest address is what the system says it is. */
TEST_F(place, mmap_min_addr)
{
	int64_t lowest = read_number(MMAP_MIN_ADDR);

	ASSERT_TRUE(write_number(MMAP_MIN_ADDR, RAISED));
	EXPECT_EQ(0, in_child(low_is_refused, self));
	EXPECT_EQ(0, in_child(low_is_allowed, self));
	EXPECT_TRUE(write_number(MMAP_MIN_ADDR, lowest));
}

/* ---- stacks ---- */

/* The VMA below which the main stack grows */
static uint64_t stack_start(void)
{
	struct vma vma;
	char here;

	return find_vma(&here, &vma) ? vma.start : 0;
}

/* The room for @size bytes more below @start is kept. */
static int room_is_kept(FIXTURE_DATA(place) *self, uint64_t start,
			uint64_t size)
{
	uint64_t addr = (start - size) / UNIT * UNIT, other;
	struct winregion_run run;

	CHECK(!wr_query(self->fd, at(addr), &run));
	CHECK(run.state == WINREGION_STATE_RESERVE && !run.protection);
	CHECK(run.flags == WINREGION_RUN_FOREIGN);
	CHECK(run.type == WINREGION_TYPE_PRIVATE);
	CHECK(run.address + run.length == start);
	CHECK(run.region_address <= addr);
	CHECK(run.region_address + run.region_length == start);
	CHECK(!wr_query(self->fd, at(run.region_address), &run));
	CHECK(run.address == run.region_address);
	CHECK(wr_query(self->fd, at(run.address - 1), &run) ||
	      run.state != WINREGION_STATE_RESERVE);

	other = addr;
	CHECK(wr_reserve_at(self->fd, &other, UNIT, 0, RW) == -EEXIST);
	/* Also a range that starts in front of the room */
	other = run.address - MIB(2);
	CHECK(wr_reserve_at(self->fd, &other, MIB(8), 0, RW) == -EEXIST);
	CHECK(RESERVE(other, .length = UNIT, .lowest = addr,
		      .highest = addr + UNIT - 1) == -ENOSPC);
	CHECK(!RESERVE(other, .length = UNIT, .highest = start - 1,
		       .flags = WINREGION_RESERVE_TOP_DOWN));
	CHECK(other + UNIT <= addr);
	CHECK(!wr_release(self->fd, at(other), 0));
	return 0;
}

/* Uses @size bytes of the stack. */
static bool deepen(size_t size)
{
	volatile char page[4096];

	page[0] = 1;
	return (size <= sizeof(page) || deepen(size - sizeof(page))) && page[0];
}

static int stack_grows(void *arg)
{
	FIXTURE_DATA(place) *self = arg;
	uint64_t addr;
	unsigned int i;
	int line;

	line = room_is_kept(self, stack_start(), MIB(6));
	if (line)
		return line;
	for (i = 0; i < 100; i++) {
		CHECK(!RESERVE(addr, .length = MIB(i % 5) + UNIT,
			       .flags = WINREGION_RESERVE_TOP_DOWN));
		addr = stack_start() - (i + 1) * UNIT;
		CHECK(wr_reserve_at(self->fd, &addr, UNIT, 0, RW) == -EEXIST);
	}
	CHECK(deepen(MIB(6)));
	return 0;
}

static int large_stack_grows(void *arg)
{
	FIXTURE_DATA(place) *self = arg;
	struct rlimit limit = { MIB(256), RLIM_INFINITY };
	int line;

	CHECK(!setrlimit(RLIMIT_STACK, &limit));
	line = room_is_kept(self, stack_start(), MIB(100));
	if (line)
		return line;
	CHECK(deepen(MIB(20)));
	limit.rlim_cur = RLIM_INFINITY;
	CHECK(!setrlimit(RLIMIT_STACK, &limit));
	return room_is_kept(self, stack_start(), MIB(500));
}

/* A limit that is not whole pages */
static int odd_limit(void *arg)
{
	FIXTURE_DATA(place) *self = arg;
	struct rlimit limit = { MIB(8) + 77, RLIM_INFINITY };

	CHECK(!setrlimit(RLIMIT_STACK, &limit));
	return room_is_kept(self, stack_start(), MIB(6));
}

static int other_stack_grows(void *arg)
{
	FIXTURE_DATA(place) *self = arg;
	char *below = at(ARENA), *map = below + MIB(64);
	struct winregion_run run;
	uint64_t addr;
	int line;

	CHECK(map == mmap(map, PAGES(16), PROT_READ | PROT_WRITE, MAP_PRIVATE |
			  MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN,
			  -1, 0));
	line = room_is_kept(self, (uintptr_t)map, MIB(4));
	if (line)
		return line;
	/* What is in front of it ends the room, and is all that it ends. */
	addr = (uintptr_t)map - MIB(4);
	CHECK(at(addr) == mmap(at(addr), PAGES(1), PROT_NONE, MAP_PRIVATE |
			       MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	CHECK(!wr_query(self->fd, at(addr + PAGES(1)), &run));
	CHECK(run.region_address == addr + PAGES(1));
	CHECK(run.length == MIB(4) - PAGES(1));
	CHECK(!RESERVE(addr, .length = UNIT, .highest = (uintptr_t)map - 1,
		       .flags = WINREGION_RESERVE_TOP_DOWN));
	CHECK(addr == (uintptr_t)map - MIB(4) - UNIT);
	return 0;
}

/* What a stack may grow into is not free, however it came to be one. */
TEST_F(place, room_of_stacks)
{
	EXPECT_EQ(0, in_child(stack_grows, self));
	EXPECT_EQ(0, in_child(large_stack_grows, self));
	EXPECT_EQ(0, in_child(odd_limit, self));
	EXPECT_EQ(0, in_child(other_stack_grows, self));
}

/* ---- many of them ---- */

/* More where nothing is checked at every step */
static unsigned int scaled(unsigned int n)
{
	return getenv("KSFT_SLOWDOWN") ? n / 16 : n;
}

#define MANY 16384

/*
 * Small regions with limits, one after the other, as a compiler's allocator
 * asks for them: they share mappings, and each is found as fast as the first.
 */
static int small_ones(FIXTURE_DATA(place) *self, struct winregion_reserve arg)
{
	const unsigned int many = scaled(MANY);
	size_t vmas = count_all_vmas();
	uint64_t addr;
	unsigned int i;

	arg.length = UNIT;
	for (i = 0; i < many; i++) {
		CHECK(!reserve(self->fd, arg, &addr));
		CHECK(!arg.highest || addr + UNIT - 1 <= arg.highest);
		CHECK(!arg.alignment || addr % arg.alignment == 0);
	}
	CHECK(count_all_vmas() < vmas + 100);
	return 0;
}

static int small_below_2g(void *arg)
{
	return small_ones(arg, (struct winregion_reserve) {
			.highest = 0x7fffffff });
}

static int small_top_down(void *arg)
{
	return small_ones(arg, (struct winregion_reserve) {
			.flags = WINREGION_RESERVE_TOP_DOWN });
}

static int small_aligned(void *arg)
{
	return small_ones(arg, (struct winregion_reserve) {
			.alignment = 2 * UNIT });
}

TEST_F_TIMEOUT(place, many_small_ones, 30)
{
	EXPECT_EQ(0, in_child(small_below_2g, self));
	EXPECT_EQ(0, in_child(small_top_down, self));
	EXPECT_EQ(0, in_child(small_aligned, self));
}

/* Mappings with a hole of one unit behind each */
static int beside_many(void *arg)
{
	FIXTURE_DATA(place) *self = arg;
	static struct winregion_run runs[256];
	uint64_t many = scaled(MANY), end = ARENA + many * 2 * UNIT;
	uint64_t addr, next = ARENA, n_free = 0;
	unsigned int i;
	long n, j;

	for (i = 0; i < many; i++) {
		addr = ARENA + i * 2 * UNIT;
		CHECK(!wr_reserve_at(self->fd, &addr, UNIT, 0, RW));
	}
	for (i = 0; i < 1000; i++) {
		CHECK(RESERVE(addr, .length = 2 * UNIT, .lowest = ARENA,
			      .highest = end - UNIT - 1,
			      .flags = i % 2 ? WINREGION_RESERVE_TOP_DOWN :
					       0) == -ENOSPC);
		CHECK(!RESERVE(addr, .length = UNIT, .lowest = ARENA,
			       .highest = end - 1,
			       .flags = WINREGION_RESERVE_TOP_DOWN));
		CHECK(addr == end - UNIT);
		CHECK(!wr_release(self->fd, at(addr), 0));
		CHECK(wr_state(self->fd, at(ARENA + UNIT)) ==
		      WINREGION_STATE_FREE);
	}
	/* One step for each, not for each one behind it */
	while (next < end) {
		n = wr_query_runs(self->fd, &next, end - 1, 0, runs,
				  ARRAY_SIZE(runs));
		CHECK(n > 0);
		for (j = 0; j < n; j++)
			n_free += runs[j].state == WINREGION_STATE_FREE;
	}
	CHECK(n_free == many);
	/* The one hole that is larger is found. */
	addr = ARENA + many / 2 * 2 * UNIT;
	CHECK(!wr_release(self->fd, at(addr), 0));
	CHECK(!RESERVE(next, .length = 2 * UNIT, .lowest = ARENA,
		       .highest = end - UNIT - 1));
	CHECK(next == addr - UNIT || next == addr);
	return 0;
}

TEST_F_TIMEOUT(place, beside_many_mappings, 30)
{
	EXPECT_EQ(0, in_child(beside_many, self));
}

/* The highest fit, in holes that are half in mappings of ours */
static int highest_fit(void *arg)
{
	FIXTURE_DATA(place) *self = arg;
	uint64_t addr, large = ARENA + MIB(64);

	CHECK(!wr_reserve_at(self->fd, &large, MIB(8), 0, RW));
	/* The last 1 MiB and the first 1 MiB of the region free again */
	CHECK(!wr_release(self->fd, at(large + MIB(7)), MIB(1)));
	CHECK(!wr_release(self->fd, at(large), MIB(1)));
	CHECK(at(large + MIB(9)) ==
	      mmap(at(large + MIB(9)), PAGES(1), PROT_NONE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	CHECK(!RESERVE(addr, .length = MIB(2), .lowest = ARENA,
		       .highest = large + MIB(9) + UNIT - 1,
		       .flags = WINREGION_RESERVE_TOP_DOWN));
	CHECK(addr == large + MIB(7));
	CHECK(!RESERVE(addr, .length = MIB(2), .lowest = ARENA,
		       .highest = large + MIB(9) - 1,
		       .flags = WINREGION_RESERVE_TOP_DOWN));
	CHECK(addr == large - MIB(1));
	/* Pages, not units: the head of a unit whose tail is in use */
	addr = large + MIB(2);
	CHECK(!wr_release(self->fd, at(addr), PAGES(5)));
	CHECK(!RESERVE(addr, .length = PAGES(5), .lowest = large + MIB(1),
		       .highest = large + MIB(7) - 1,
		       .flags = WINREGION_RESERVE_TOP_DOWN));
	CHECK(addr == large + MIB(2));
	CHECK(RESERVE(addr, .length = PAGES(1), .lowest = large + MIB(1),
		      .highest = large + MIB(7) - 1) == -ENOSPC);
	return 0;
}

/* Rules: AR-11 */
TEST_F(place, highest_fit)
{
	EXPECT_EQ(0, in_child(highest_fit, self));
}

TEST_HARNESS_MAIN
