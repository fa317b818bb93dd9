// SPDX-License-Identifier: GPL-2.0
/*
 * Regions and the mappings they are in, while the program unmaps some of them
 * at the worst moment: nothing of anybody else's goes, and nothing is left over.
 * And what an executable page costs: few mappings, and no faults of others.
 */
#include "kselftest_harness.h"

#include <linux/userfaultfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common.h"
#include "wr_test_util.h"
#include "race.h"
#include "sections.h"

#define UNIT KIB(64)
/* Nobody else has mappings there. */
#define PLACE ((char *)0x200000000000)
#define REST MIB(256)

FIXTURE(layout)
{
	int fd;
};

FIXTURE_SETUP(layout)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(layout)
{
	close(self->fd);
}

static int reserve_flags(int fd, char *base, uint64_t length, uint32_t flags)
{
	uint64_t addr = (uintptr_t)base;

	return wr_reserve_at(fd, &addr, length, flags, RW);
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* ---- a munmap() between two steps of a reserve ---- */

/*
 * One thread keeps the address space busy; behind it wait, in this order, a
 * reserve that takes over the free start of a mapping, and the munmap() of all the
 * rest of that.
 */
struct between {
	struct crew crew;
	int fd;
	char *filler;
	uint64_t round;
	uint64_t done;
};

#define FILLER MIB(96)

static bool next_round(struct between *self, uint64_t *seen)
{
	if (race_load(&self->round) == *seen) {
		usleep(100);
		return false;
	}
	++*seen;
	return true;
}

static void *keep_busy(void *arg)
{
	struct between *self = arg;
	uint64_t seen = 0;

	run_on(1);
	while (crew_goes_on(&self->crew)) {
		if (!next_round(self, &seen))
			continue;
		madvise(self->filler, FILLER, MADV_POPULATE_WRITE);
		madvise(self->filler, FILLER, MADV_DONTNEED);
		race_add(&self->done, 1);
	}
	return NULL;
}

static void *unmap_rest(void *arg)
{
	struct between *self = arg;
	uint64_t seen = 0;

	run_on(0);
	while (crew_goes_on(&self->crew)) {
		if (!next_round(self, &seen))
			continue;
		usleep(8000);
		munmap(PLACE + UNIT, REST);
		race_add(&self->done, 1);
	}
	return NULL;
}

static int trim_round(struct between *self)
{
	CHECK(!reserve_flags(self->fd, PLACE, UNIT + REST,
			     WINREGION_RESERVE_COMMIT));
	CHECK(!wr_release(self->fd, PLACE, UNIT));
	race_add(&self->round, 1);
	usleep(3000);
	CHECK(!reserve_flags(self->fd, PLACE - UNIT, 2 * UNIT, 0));
	while (race_load(&self->done) != 2 * race_load(&self->round))
		usleep(100);
	/* It may have come too early, when it is refused. */
	if (wr_state(self->fd, PLACE + UNIT) == WINREGION_STATE_COMMIT)
		CHECK(!munmap(PLACE + UNIT, REST));
	CHECK(wr_state(self->fd, PLACE + UNIT) == WINREGION_STATE_FREE);
	CHECK(WR_INFO(self->fd, out_regions) == 1);
	CHECK(!wr_release(self->fd, PLACE - UNIT, 0));
	CHECK(!WR_INFO(self->fd, out_regions));
	CHECK(!WR_INFO(self->fd, out_committed));
	return 0;
}

static int trims(void *arg)
{
	struct between self = { .fd = *(int *)arg };
	struct sched_param idle = {};
	unsigned int i;
	int ret = 0;

	self.filler = mmap(NULL, FILLER, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(self.filler != MAP_FAILED);
	madvise(self.filler, FILLER, MADV_NOHUGEPAGE);
	crew_add(&self.crew, keep_busy, &self);
	crew_add(&self.crew, unmap_rest, &self);
	run_on(0);
	sched_setscheduler(0, SCHED_IDLE, &idle);
	for (i = 0; i < race_rounds(12) && !ret; i++)
		ret = trim_round(&self);
	crew_stop(&self.crew);
	return ret;
}

/* Hazards A9, A17. No window is left that nobody could end. */
TEST_F_TIMEOUT(layout, munmap_between_steps, 60)
{
	uint64_t total = WR_INFO(self->fd, out_total);

	EXPECT_EQ(0, in_child(trims, &self->fd));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) <= total));
}

/* ---- somebody else's mapping in the place of a free end ---- */

struct taker {
	struct crew crew;
	uint64_t turn;
	uint64_t taken;
	uint64_t wrong;
};

/* Unmaps the window, all of which is free, and maps memory of its own. */
static void take_end(struct taker *self)
{
	char *map;

	if (munmap(PLACE, 2 * UNIT))
		return;
	map = mmap(PLACE, UNIT, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (map != PLACE)
		return;
	fill_pages(map, 1, 3);
	sched_yield();
	self->taken++;
	if (!pages_have(map, 1, 3))
		self->wrong++;
	while (race_load(&self->turn) == 1)
		sched_yield();
	if (!pages_have(map, 1, 3))
		self->wrong++;
	munmap(map, UNIT);
}

static void *take_ends(void *arg)
{
	struct taker *self = arg;

	while (crew_goes_on(&self->crew)) {
		if (race_load(&self->turn) % 3 == 0) {
			sched_yield();
			continue;
		}
		take_end(self);
		while (race_load(&self->turn) == 1)
			sched_yield();
		race_add(&self->turn, 1);
	}
	return NULL;
}

static int ends_taken(void *arg)
{
	struct taker self = {};
	int fd = *(int *)arg, ret;
	unsigned int i;

	race_catch_faults();
	crew_add(&self.crew, take_ends, &self);
	for (i = 0; i < race_rounds(60); i++) {
		CHECK(!reserve_flags(fd, PLACE, 2 * UNIT, 0));
		CHECK(!wr_release(fd, PLACE, UNIT));
		race_add(&self.turn, 1);
		ret = reserve_flags(fd, PLACE - UNIT, 2 * UNIT, 0);
		CHECK(!ret || ret == -EEXIST);
		race_add(&self.turn, 1);
		while (race_load(&self.turn) != 3)
			sched_yield();
		__atomic_store_n(&self.turn, 0, __ATOMIC_SEQ_CST);
		if (!ret)
			CHECK(!wr_release(fd, PLACE - UNIT, 0));
		ret = wr_release(fd, PLACE + UNIT, 0);
		CHECK(!ret || ret == -ENOENT);
	}
	crew_stop(&self.crew);
	printf("# %llu of %u ends were taken\n",
	       (unsigned long long)self.taken, i);
	return self.wrong ? __LINE__ : 0;
}

/* Hazard A17. */
TEST_F_TIMEOUT(layout, others_take_free_ends, 60)
{
	EXPECT_EQ(0, in_child(ends_taken, &self->fd));
}

/* ---- somebody else's mapping in the place of a region that is being released ---- */

#define PARTING_SIZE MIB(16)

static void *take_and_end(void *arg)
{
	char *map;

	usleep(*(unsigned int *)arg);
	if (munmap(PLACE, PARTING_SIZE))
		return NULL;
	map = mmap(PLACE, UNIT, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (map != PLACE)
		return NULL;
	fill_pages(map, 16, 3);
	return map;
}

/* Releases a region; a thread that comes before it in everything ends meanwhile. */
static int release_and_part(int fd, unsigned int delay, unsigned int *taken)
{
	struct sched_param param = {};
	pthread_t thread;
	void *map;
	int ret;

	CHECK(!reserve_flags(fd, PLACE, PARTING_SIZE,
			     WINREGION_RESERVE_COMMIT));
	fill_pages(PLACE, PARTING_SIZE / 4096, 1);
	sched_setscheduler(0, SCHED_OTHER, &param);
	CHECK(!pthread_create(&thread, NULL, take_and_end, &delay));
	sched_setscheduler(0, SCHED_IDLE, &param);
	ret = wr_release(fd, PLACE, 0);
	CHECK(!pthread_join(thread, &map));
	/* Who comes last finds nothing. */
	CHECK(!ret || (ret == -ENOENT && map));
	CHECK(!WR_INFO(fd, out_regions));
	if (!map)
		return 0;
	++*taken;
	CHECK(try_read(map));
	CHECK(pages_have(map, 16, 3));
	CHECK(!munmap(map, UNIT));
	return 0;
}

static int part_often(void *arg)
{
	unsigned int i, taken = 0;
	int ret = 0;

	small_pages_only();
	run_on(0);
	for (i = 0; i < race_rounds(60) && !ret; i++)
		ret = release_and_part(*(int *)arg, 50 * (i % 20), &taken);
	printf("# %u of %u places were taken\n", taken, i);
	return ret;
}

/* Hazard A17. Who is left alone is so only from now on. */
TEST_F_TIMEOUT(layout, left_alone_in_a_release, 60)
{
	EXPECT_EQ(0, in_child(part_often, &self->fd));
}

/* ---- what is free is free for everybody ---- */

static bool can_map(char *addr, uint64_t length)
{
	char *map = mmap(addr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (map == MAP_FAILED)
		return false;
	map[0] = 1;
	return map == addr && !munmap(map, length);
}

/* Regions of a unit, every other of which is released again */
#define NR_SMALL 8

static bool make_gaps(int fd, char **base)
{
	char *region[2 * NR_SMALL];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(region); i++) {
		region[i] = wr_alloc(fd, UNIT);
		if (!region[i] || (i && region[i] != region[i - 1] + UNIT))
			return false;
		fill_pages(region[i], 16, i);
	}
	for (i = 1; i < ARRAY_SIZE(region); i += 2)
		if (wr_release(fd, region[i], 0))
			return false;
	*base = region[0];
	return true;
}

static bool regions_have(char *base)
{
	unsigned int i;

	for (i = 0; i < 2 * NR_SMALL; i += 2)
		if (!pages_have(base + i * UNIT, 16, i))
			return false;
	return true;
}

/* All of a gap that a query calls free can be mapped, and nothing else goes. */
TEST_F(layout, free_can_be_mapped)
{
	struct winregion_run run;
	unsigned int i;
	char *base;

	ASSERT_TRUE(make_gaps(self->fd, &base));
	for (i = 1; i < 2 * NR_SMALL; i += 2) {
		ASSERT_EQ(0, wr_query(self->fd, base + i * UNIT, &run));
		EXPECT_EQ(WINREGION_STATE_FREE, run.state);
		EXPECT_EQ((uintptr_t)base + i * UNIT, run.address);
		if (i < 2 * NR_SMALL - 1)
			EXPECT_EQ(UNIT, run.length);
		EXPECT_TRUE(can_map(base + i * UNIT, UNIT));
		EXPECT_TRUE(regions_have(base));
	}
	EXPECT_EQ(NR_SMALL, WR_INFO(self->fd, out_regions));
	/* The same for the rest of a unit */
	ASSERT_EQ(0, wr_release(self->fd, base + PAGES(4), PAGES(12)));
	ASSERT_EQ(0, wr_query(self->fd, base + PAGES(4), &run));
	EXPECT_EQ(WINREGION_STATE_FREE, run.state);
	EXPECT_TRUE(can_map(base + PAGES(4), PAGES(12)));
	EXPECT_TRUE(pages_have(base, 4, 0));
}

/* A ring buffer: a place is looked for by a reserve, and then used by mmap(). */
TEST_F(layout, released_place_can_be_mapped)
{
	static const uint64_t sizes[] = { UNIT, KIB(512), MIB(4) };
	char *other = wr_alloc(self->fd, UNIT), *place;
	struct winregion_run run;
	unsigned int i;

	ASSERT_NE(NULL, other);
	fill_pages(other, 16, 9);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		place = wr_reserve(self->fd, 2 * sizes[i]);
		ASSERT_NE(NULL, place);
		ASSERT_EQ(0, wr_release(self->fd, place, 0));
		ASSERT_EQ(0, wr_query(self->fd, place, &run));
		EXPECT_EQ(WINREGION_STATE_FREE, run.state);
		EXPECT_LE(2 * sizes[i], run.length);
		EXPECT_TRUE(can_map(place, sizes[i]));
		EXPECT_TRUE(can_map(place + sizes[i], sizes[i]));
		EXPECT_TRUE(pages_have(other, 16, 9));
	}
}

/* Hazard A17. What was given back is used again, but for what others have by then. */
TEST_F(layout, holes_are_used_again)
{
	char *base, *map, *region;
	struct winregion_run run;
	uint64_t at;
	unsigned int i;

	ASSERT_TRUE(make_gaps(self->fd, &base));
	for (i = 1; i < 2 * NR_SMALL; i += 2)
		ASSERT_EQ(0, wr_query(self->fd, base + i * UNIT, &run));
	/* By address, and top down */
	at = (uintptr_t)base + UNIT;
	ASSERT_EQ(0, wr_reserve_at(self->fd, &at, UNIT, 0, RW));
	ASSERT_EQ(0, wr_commit(self->fd, base + UNIT, UNIT, RW));
	EXPECT_TRUE(page_is_zero(base + UNIT));
	/* Somebody else has one. */
	map = mmap(base + 3 * UNIT, PAGES(1), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	ASSERT_EQ(base + 3 * UNIT, map);
	fill_page(map, 77);
	at = (uintptr_t)map;
	EXPECT_EQ(-EEXIST, wr_reserve_at(self->fd, &at, UNIT, 0, RW));
	for (i = 0; i < 40; i++) {
		region = wr_alloc(self->fd, UNIT);
		ASSERT_NE(NULL, region);
		ASSERT_NE(map, region);
		fill_pages(region, 16, 1000);
	}
	EXPECT_TRUE(page_has(map, 77));
	EXPECT_TRUE(regions_have(base));
	ASSERT_EQ(0, munmap(map, PAGES(1)));
	at = (uintptr_t)map;
	EXPECT_EQ(0, wr_reserve_at(self->fd, &at, UNIT, 0, RW));
	EXPECT_TRUE(regions_have(base));
}

/* ---- a lost end of a window ---- */

struct lost {
	int fd;
	char *base;
	/* The unit that is lost, and two that it is one of */
	char *lost;
	char *pair;
};

#define LOST_SIZE MIB(4)

/* A window whose first or last unit has a mapping of its own */
static int make_end(struct lost *self, bool low)
{
	self->base = PLACE;
	self->lost = low ? PLACE : PLACE + LOST_SIZE - UNIT;
	self->pair = low ? PLACE - UNIT : self->lost;
	CHECK(!reserve_flags(self->fd, PLACE, LOST_SIZE, 0));
	CHECK(!wr_commit(self->fd, PLACE + MIB(2), PAGES(16), RW));
	fill_pages(PLACE + MIB(2), 16, 50);
	CHECK(!wr_commit(self->fd, self->lost, UNIT, RWX));
	return 0;
}

static int child_writes_pair(void *arg)
{
	struct lost *self = arg;

	CHECK(pages_have(self->pair, 32, 700));
	fill_pages(self->pair, 16, 7000);
	CHECK(wr_is(self->fd, self->pair, RW));
	CHECK(!wr_decommit(self->fd, self->pair + UNIT, UNIT));
	CHECK(!wr_release(self->fd, self->pair, 0));
	CHECK(pages_have(PLACE + MIB(2), 16, 50));
	return 0;
}

/* A region over what is lost and what is free beside it is one as any other. */
static int reserve_pair(void *arg)
{
	struct lost *self = arg;
	struct winregion_run run;

	CHECK(!wr_release(self->fd, self->lost, UNIT));
	CHECK(wr_is_gone(self->fd, self->lost));
	CHECK(!reserve_flags(self->fd, self->pair, 2 * UNIT, 0));
	CHECK(!wr_commit(self->fd, self->pair, 2 * UNIT, RW));
	CHECK(!wr_query(self->fd, self->pair, &run));
	CHECK(run.state == WINREGION_STATE_COMMIT && run.length == 2 * UNIT);
	fill_pages(self->pair, 32, 700);
	CHECK(!in_child(child_writes_pair, self));
	CHECK(pages_have(self->pair, 32, 700));
	CHECK(pages_have(PLACE + MIB(2), 16, 50));
	CHECK(!wr_protect(self->fd, self->pair, 2 * UNIT, RO));
	CHECK(!wr_release(self->fd, self->pair, 0));
	CHECK(wr_is_gone(self->fd, self->pair));
	CHECK(pages_have(PLACE + MIB(2), 16, 50));
	return 0;
}

/* Hazards A9, A10. The program has unmapped it. */
TEST_F(layout, unmapped_end)
{
	struct lost lost = { .fd = self->fd };
	int low;

	NEEDS_CODE();
	for (low = 0; low < 2; low++) {
		ASSERT_EQ(0, make_end(&lost, low));
		ASSERT_EQ(0, munmap(lost.lost, UNIT));
		EXPECT_EQ(0, reserve_pair(&lost));
		EXPECT_EQ(0, wr_release(self->fd, low ? PLACE + UNIT : PLACE,
					0));
		EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
	}
}

/* Hazards A9, A10. It is kept from a child. */
TEST_F(layout, end_that_a_child_has_not)
{
	struct lost lost = { .fd = self->fd };
	int low;

	NEEDS_CODE();
	for (low = 0; low < 2; low++) {
		ASSERT_EQ(0, make_end(&lost, low));
		ASSERT_EQ(0, madvise(lost.lost, UNIT, MADV_DONTFORK));
		EXPECT_EQ(0, in_child(reserve_pair, &lost));
		EXPECT_TRUE(try_write(lost.lost));
		EXPECT_EQ(0, wr_release(self->fd, PLACE, 0));
	}
}

/* ---- holes that others have looked at ---- */

/* Small regions, all but one in @one_in of which are released and taken again */
struct holes {
	unsigned int nr;
	unsigned int one_in;
	uint64_t length;
	/* Mappings that may be left, and more than the queries leave at least */
	size_t few;
};

static bool was_hole(const struct holes *holes, unsigned int i)
{
	return i % holes->one_in;
}

static bool take_holes(int fd, const struct holes *holes, char **region,
		       bool again)
{
	unsigned int i;

	for (i = 0; i < holes->nr; i++) {
		if (again && !was_hole(holes, i))
			continue;
		region[i] = wr_alloc(fd, holes->length);
		if (!region[i] || !page_is_zero(region[i]))
			return false;
		fill_page(region[i], i);
	}
	return true;
}

static bool give_up_holes(int fd, const struct holes *holes, char **region)
{
	struct winregion_run run;
	unsigned int i;

	for (i = 0; i < holes->nr; i++)
		if (was_hole(holes, i) && wr_release(fd, region[i], 0))
			return false;
	/* One address of each hole */
	for (i = 1; i < holes->nr; i += holes->one_in)
		if (wr_query(fd, region[i], &run))
			return false;
	return true;
}

static int use_holes(int fd, const struct holes *holes)
{
	static char *region[3000];
	size_t before = count_all_vmas();
	unsigned int i;

	CHECK(take_holes(fd, holes, region, false));
	CHECK(count_all_vmas() <= before + holes->few);
	CHECK(give_up_holes(fd, holes, region));
	CHECK(count_all_vmas() > before + holes->nr / holes->one_in / 2);
	CHECK(take_holes(fd, holes, region, true));
	CHECK(count_all_vmas() <= before + holes->few);
	for (i = 0; i < holes->nr; i++)
		CHECK(page_has(region[i], i));
	for (i = 0; i < holes->nr; i++)
		CHECK(!wr_release(fd, region[i], 0));
	return 0;
}

/*
 * Hazard A17. A program that asks for all free places cuts its windows there. Once
 * those are used again there are few mappings, as before: of holes of many regions
 * at most two for each region that has stayed, of holes of one some.
 */
TEST_F(layout, holes_leave_few_mappings)
{
	static const struct holes cases[] = {
		{ 3000, 30, PAGES(1), 2 * 3000 / 30 + 30 },
		{ 512, 2, UNIT, 128 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_EQ(0, use_holes(self->fd, &cases[i]));
}

/* Others have some of the lowest hole: the ones behind it are used. */
TEST_F(layout, holes_behind_others)
{
	struct winregion_run run;
	uint64_t windows;
	unsigned int i;
	char *base, *map;

	ASSERT_TRUE(make_gaps(self->fd, &base));
	for (i = 1; i < 2 * NR_SMALL; i += 2)
		ASSERT_EQ(0, wr_query(self->fd, base + i * UNIT, &run));
	map = mmap(base + UNIT, PAGES(1), PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	ASSERT_EQ(base + UNIT, map);
	fill_page(map, 77);
	windows = WR_INFO(self->fd, out_windows);
	/* What was at its end is the window's no more. */
	for (i = 3; i < 2 * NR_SMALL - 1; i += 2)
		EXPECT_EQ(base + i * UNIT, wr_alloc(self->fd, UNIT));
	EXPECT_EQ(windows, WR_INFO(self->fd, out_windows));
	EXPECT_TRUE(page_has(map, 77));
	EXPECT_TRUE(regions_have(base));
	/* The hole is used as well, once it is free. */
	ASSERT_EQ(0, munmap(map, PAGES(1)));
	EXPECT_EQ(base + UNIT, wr_alloc(self->fd, UNIT));
	EXPECT_EQ(windows, WR_INFO(self->fd, out_windows));
	EXPECT_TRUE(regions_have(base));
}

/* ---- a thread beside, so that nobody is alone ---- */

static void *just_wait(void *arg)
{
	struct crew *crew = arg;

	while (crew_goes_on(crew))
		sleep_ms(2);
	return NULL;
}

struct beside {
	int fd;
	bool threads;
	bool others;
	int (*fn)(struct beside *self);
};

static int run_beside(void *arg)
{
	struct beside *self = arg;
	struct crew crew = {};
	int ret;

	if (self->threads)
		crew_add(&crew, just_wait, &crew);
	ret = self->fn(self);
	if (self->threads)
		crew_stop(&crew);
	return ret;
}

/* ---- a region without a mapping ---- */

static bool lost_region_is_there(int fd)
{
	struct winregion_run run;

	return !wr_query(fd, PLACE + UNIT, &run) &&
	       run.state == WINREGION_STATE_RESERVE && !run.flags &&
	       run.region_address == (uintptr_t)PLACE &&
	       run.region_length == 2 * UNIT &&
	       WR_INFO(fd, out_regions) == 1;
}

static int reserve_between(int fd, uint64_t *addr, uint64_t length)
{
	struct winregion_reserve arg = {
		.size = sizeof(arg),
		.protection = RW,
		.length = length,
		.lowest = (uintptr_t)PLACE + 2 * UNIT,
		.highest = (uintptr_t)PLACE + 16 * UNIT - 1,
	};
	int ret = wr_ioctl(fd, WINREGION_RESERVE, &arg);

	*addr = arg.address;
	return ret;
}

/*
 * The program has unmapped all that the region has; in the window there is nothing
 * else but free pages. Those are not given to others, as the window would end.
 */
static int keep_lost_region(struct beside *self)
{
	struct winregion_run run;
	int fd = self->fd;
	uint64_t addr;

	CHECK(!reserve_flags(fd, PLACE, 4 * UNIT, WINREGION_RESERVE_COMMIT));
	CHECK(!wr_protect(fd, PLACE, 2 * UNIT, RX));
	CHECK(!wr_release(fd, PLACE + 2 * UNIT, 2 * UNIT));
	CHECK(!munmap(PLACE, 2 * UNIT));
	CHECK(lost_region_is_there(fd));
	/* A query, */
	CHECK(!wr_query(fd, PLACE + 2 * UNIT, &run));
	CHECK(run.state != WINREGION_STATE_FREE);
	CHECK(lost_region_is_there(fd));
	/* a region that reaches in, */
	CHECK(reserve_flags(fd, PLACE + 2 * UNIT, 4 * UNIT, 0) == -EEXIST);
	CHECK(lost_region_is_there(fd));
	/* and one that is looked for: the place is not in its way. */
	CHECK(!reserve_between(fd, &addr, 6 * UNIT));
	CHECK(addr >= (uintptr_t)PLACE + 4 * UNIT);
	CHECK(!wr_release(fd, (char *)(uintptr_t)addr, 0));
	CHECK(lost_region_is_there(fd));
	/* Where it is all inside, there is a region. */
	CHECK(!reserve_flags(fd, PLACE + 3 * UNIT, UNIT,
			     WINREGION_RESERVE_COMMIT));
	fill_pages(PLACE + 3 * UNIT, 16, 1);
	CHECK(!wr_query(fd, PLACE + 2 * UNIT, &run));
	CHECK(run.state == WINREGION_STATE_FREE);
	CHECK(pages_have(PLACE + 3 * UNIT, 16, 1));
	CHECK(!wr_release(fd, PLACE + 3 * UNIT, 0));
	CHECK(lost_region_is_there(fd));
	CHECK(wr_commit(fd, PLACE, PAGES(1), RW) == -ENOENT);
	/* It ends when it is released, and then all is free. */
	CHECK(!wr_release(fd, PLACE, 0));
	CHECK(!WR_INFO(fd, out_regions));
	CHECK(wr_is_gone(fd, PLACE));
	CHECK(can_map(PLACE, 4 * UNIT));
	return 0;
}

/* Hazards A10, A17. */
TEST_F(layout, lost_region_stays)
{
	struct beside beside = { .fd = self->fd, .fn = keep_lost_region };

	NEEDS_CODE();
	EXPECT_EQ(0, in_child(run_beside, &beside));
	beside.threads = true;
	EXPECT_EQ(0, in_child(run_beside, &beside));
}

/* ---- as many mappings as a process may have ---- */

/* More than are left */
#define NR_MAPS 64
#define MAPS_LEFT 24

/* Pages that are not joined, up to the limit */
static unsigned int map_all(char **maps, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		maps[i] = mmap(NULL, 4096, i & 1 ? PROT_READ : PROT_NONE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (maps[i] == MAP_FAILED)
			break;
	}
	return i;
}

static int release_at_map_limit(struct beside *self)
{
	unsigned int n, mapped = 0, i, most = self->others ? 8 : NR_MAPS;
	char *region[NR_MAPS], *maps[NR_MAPS], *small;
	uint64_t committed;
	int fd = self->fd;
	size_t vmas;

	small = wr_alloc(fd, UNIT);
	CHECK(small);
	committed = WR_INFO(fd, out_committed);
	vmas = count_all_vmas();
	CHECK(limit_maps(vmas + MAPS_LEFT));
	for (n = 0; n < most; n++) {
		region[n] = wr_alloc(fd, MIB(2));
		if (!region[n])
			break;
		fill_page(region[n], n);
	}
	CHECK(n >= 8 && n < NR_MAPS && (self->others || errno == ENOSPC));
	if (self->others)
		mapped = map_all(maps, NR_MAPS);
	CHECK(mapped < NR_MAPS);
	for (i = 0; i < n; i++)
		CHECK(!wr_release(fd, region[i], 0));
	CHECK(WR_INFO(fd, out_regions) == 1);
	CHECK(WR_INFO(fd, out_committed) == committed);
	/* There is room for another one, whatever could not be unmapped. */
	region[0] = wr_alloc(fd, MIB(2));
	CHECK(region[0]);
	CHECK(page_is_zero(region[0]));
	CHECK(!wr_release(fd, region[0], 0));
	/* All is unmapped, if not at once, then when it can be. */
	for (i = 0; i < mapped; i++)
		munmap(maps[i], 4096);
	CHECK(!wr_release(fd, small, 0));
	CHECK(count_all_vmas() <= vmas);
	CHECK(WR_INFO(fd, out_windows) <= 1);
	return 0;
}

/* Rule: VF-05. A release gives mappings back that a process has no more of. */
TEST_F(layout, release_at_map_limit)
{
	struct beside beside = { .fd = self->fd, .fn = release_at_map_limit };
	int64_t most = read_number(MAX_MAP_COUNT);
	unsigned int i;

	for (i = 0; i < 4; i++) {
		beside.threads = i & 1;
		beside.others = i & 2;
		EXPECT_EQ(0, in_child(run_beside, &beside)) {
			TH_LOG("way %u", i);
		}
		ASSERT_TRUE(write_number(MAX_MAP_COUNT, most));
	}
}

/* ---- what is refused by the core ---- */

/* A view, and free pages that another one is to be in the place of */
static int unmap_what_is_sealed(struct beside *self)
{
	int section = sec_create(self->fd, -1, MIB(2), 0, RW);
	char *base;

	CHECK(section >= 0);
	CHECK(!sec_map(section, 0, 0, RW, &base));
	CHECK(!syscall(SYS_MSEAL, base, MIB(2), 0));
	CHECK(sec_unmap(self->fd, base) == -EACCES);
	CHECK(wr_is(self->fd, base, RW) && try_write(base));
	CHECK(!reserve_flags(self->fd, PLACE, MIB(4), 0));
	CHECK(!wr_release(self->fd, PLACE, MIB(2)));
	CHECK(!syscall(SYS_MSEAL, PLACE, MIB(4), 0));
	CHECK(sec_map_at(section, PLACE, 0, 0, RW) == -EACCES);
	CHECK(wr_is_reserved(self->fd, PLACE + MIB(2)));
	return 0;
}

/* It is told alike, whoever else is there. */
TEST_F(layout, sealed)
{
	struct beside beside = { .fd = self->fd, .fn = unmap_what_is_sealed };

	if (syscall(SYS_MSEAL, NULL, 0, 0) && errno == ENOSYS)
		SKIP(return, "this kernel has no mseal()");
	EXPECT_EQ(0, in_child(run_beside, &beside));
	beside.threads = true;
	EXPECT_EQ(0, in_child(run_beside, &beside));
}

/* Free pages would leave two mappings where one is. */
static int map_view_at_map_limit(struct beside *self)
{
	int section = sec_create(self->fd, -1, UNIT, 0, RW);

	CHECK(section >= 0);
	CHECK(!reserve_flags(self->fd, PLACE, 3 * UNIT,
			     WINREGION_RESERVE_COMMIT));
	CHECK(!wr_release(self->fd, PLACE + UNIT, UNIT));
	fill_pages(PLACE, 16, 1);
	CHECK(limit_maps(count_all_vmas() - 4));
	CHECK(sec_map_at(section, PLACE + UNIT, 0, 0, RW) == -ENOSPC);
	CHECK(pages_have(PLACE, 16, 1));
	CHECK(wr_is(self->fd, PLACE + 2 * UNIT, RW));
	return 0;
}

TEST_F(layout, view_at_map_limit)
{
	struct beside beside = { .fd = self->fd, .fn = map_view_at_map_limit };
	int64_t most = read_number(MAX_MAP_COUNT);

	EXPECT_EQ(0, in_child(run_beside, &beside));
	ASSERT_TRUE(write_number(MAX_MAP_COUNT, most));
	beside.threads = true;
	EXPECT_EQ(0, in_child(run_beside, &beside));
	ASSERT_TRUE(write_number(MAX_MAP_COUNT, most));
}

/* ---- a whole region, whatever it is by then ---- */

/* What takes long, and what waits for it, in this order */
struct queue {
	int fd;
	char *much;
	int ret;
};

static void *release_much(void *arg)
{
	struct queue *queue = arg;

	wr_release(queue->fd, queue->much, 0);
	return NULL;
}

static void *release_place(void *arg)
{
	struct queue *queue = arg;

	wr_release(queue->fd, PLACE, 0);
	return NULL;
}

static void *reserve_less(void *arg)
{
	struct queue *queue = arg;

	reserve_flags(queue->fd, PLACE, 2 * UNIT, WINREGION_RESERVE_COMMIT);
	return NULL;
}

/* Pages with a mapping of their own, so it has to wait: for another region */
static int decommit_in_queue(struct queue *queue)
{
	void *(*before[])(void *) = {
		release_much, release_place, reserve_less
	};
	pthread_t thread[ARRAY_SIZE(before)];
	unsigned int i;
	int ret;

	queue->much = wr_alloc(queue->fd, MIB(48));
	CHECK(queue->much);
	fill_pages(queue->much, MIB(48) / 4096, 1);
	CHECK(!reserve_flags(queue->fd, PLACE, 6 * UNIT,
			     WINREGION_RESERVE_COMMIT));
	CHECK(!wr_protect(queue->fd, PLACE, PAGES(1), RX));
	for (i = 0; i < ARRAY_SIZE(before); i++) {
		CHECK(!pthread_create(&thread[i], NULL, before[i], queue));
		usleep(2000);
	}
	ret = wr_decommit(queue->fd, PLACE, 0);
	for (i = 0; i < ARRAY_SIZE(before); i++)
		pthread_join(thread[i], NULL);
	CHECK(!ret || ret == -ENOENT);
	/* Unless the order was another one */
	wr_release(queue->fd, PLACE, 0);
	CHECK(!WR_INFO(queue->fd, out_regions));
	return 0;
}

static int decommit_whole_regions(void *arg)
{
	struct queue queue = { .fd = *(int *)arg };
	int ret = 0;
	unsigned int i;

	small_pages_only();
	for (i = 0; i < race_rounds(10) && !ret; i++)
		ret = decommit_in_queue(&queue);
	return ret;
}

/* Rule: VF-10. The whole region is the one that is there when its turn comes. */
TEST_F_TIMEOUT(layout, decommit_waits_for_others, 60)
{
	NEEDS_CODE();
	EXPECT_EQ(0, in_child(decommit_whole_regions, &self->fd));
}

/* ---- a reserve that fails when it has made its region ---- */

struct stuck {
	int fd;
	int uffd;
	char *args;
	int ret;
};

static void *reserve_stuck(void *arg)
{
	struct stuck *self = arg;

	self->ret = wr_ioctl(self->fd, WINREGION_RESERVE, self->args);
	return NULL;
}

static bool protect_args(struct stuck *self)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	struct uffdio_register reg = {
		.range = { (uintptr_t)self->args, PAGES(1) },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)self->args, PAGES(1) },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	self->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	return self->uffd >= 0 && !ioctl(self->uffd, UFFDIO_API, &api) &&
	       !ioctl(self->uffd, UFFDIO_REGISTER, &reg) &&
	       !ioctl(self->uffd, UFFDIO_WRITEPROTECT, &wp);
}

/*
 * The answer of a reserve cannot be written. Before the call knows, the region
 * that it has made is released, and another one made at its place: that one stays.
 */
TEST_F(layout, failed_reserve_leaves_another_region)
{
	struct stuck stuck = { .fd = self->fd };
	struct winregion_reserve *args;
	struct uffd_msg msg;
	pthread_t thread;

	stuck.args = mmap(NULL, PAGES(1), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, stuck.args);
	args = (void *)stuck.args;
	*args = (struct winregion_reserve){
		.size = sizeof(*args),
		.address = (uintptr_t)PLACE,
		.length = MIB(2),
		.protection = RW,
	};
	if (!protect_args(&stuck))
		SKIP(return, "no write protection by userfaultfd here");
	ASSERT_EQ(0, pthread_create(&thread, NULL, reserve_stuck, &stuck));
	ASSERT_EQ((ssize_t)sizeof(msg), read(stuck.uffd, &msg, sizeof(msg)));
	/* It has made the region, and wants to say so. */
	ASSERT_TRUE(wr_is_reserved(self->fd, PLACE));
	ASSERT_EQ(0, wr_release(self->fd, PLACE, 0));
	ASSERT_EQ(0, reserve_flags(self->fd, PLACE, MIB(1), 0));
	ASSERT_EQ(0, wr_commit(self->fd, PLACE, PAGES(1), RW));
	fill_page(PLACE, 1);
	ASSERT_EQ(0, munmap(stuck.args, PAGES(1)));
	close(stuck.uffd);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-EFAULT, stuck.ret);
	EXPECT_EQ(1, WR_INFO(self->fd, out_regions));
	EXPECT_TRUE(page_has(PLACE, 1));
	EXPECT_EQ(0, wr_release(self->fd, PLACE, 0));
}

struct rival {
	struct crew crew;
	int fd;
	uint64_t mine;
	uint64_t wrong;
};

/* Releases whatever is there until it has a region there itself. */
static void *be_rival(void *arg)
{
	struct rival *self = arg;
	unsigned int i;

	while (crew_goes_on(&self->crew)) {
		wr_release(self->fd, PLACE, 0);
		if (reserve_flags(self->fd, PLACE, UNIT, 0))
			continue;
		self->mine++;
		for (i = 0; i < 20; i++)
			if (!wr_is_reserved(self->fd, PLACE))
				break;
		if (wr_release(self->fd, PLACE, 0))
			self->wrong++;
	}
	return NULL;
}

static int fail_to_commit(void *arg)
{
	struct rival self = { .fd = *(int *)arg };
	unsigned int i, failed = 0;
	int ret;

	crew_add(&self.crew, be_rival, &self);
	for (i = 0; i < race_rounds(200); i++) {
		ret = reserve_flags(self.fd, PLACE, TIB(8),
				    WINREGION_RESERVE_COMMIT);
		failed += ret == -EDQUOT;
		/* Its place is taken, or it was released before the commit. */
		CHECK(!ret || ret == -EDQUOT || ret == -EEXIST);
		CHECK(ret || wr_state(self.fd, PLACE + TIB(4)) !=
			     WINREGION_STATE_COMMIT);
	}
	crew_stop(&self.crew);
	printf("# %u could not be committed, the rival had %llu\n", failed,
	       (unsigned long long)self.mine);
	return self.wrong ? __LINE__ : 0;
}

/* The same for one that cannot be committed. */
TEST_F_TIMEOUT(layout, failed_commit_leaves_another_region, 60)
{
	EXPECT_EQ(0, in_child(fail_to_commit, &self->fd));
}

/* ---- what an executable page costs ---- */

static long faults_to_write(char *base, unsigned int pages, unsigned int but)
{
	long before = minor_faults();
	unsigned int i;

	for (i = 0; i < pages; i++)
		if (i != but)
			((volatile char *)base)[PAGES(i) + 100] = 1;
	return minor_faults() - before;
}

FIXTURE(jit)
{
	int fd;
	char *base;
	/* Beside it, maybe in the same mapping */
	char *other;
};

FIXTURE_VARIANT(jit)
{
	unsigned int pages;
};

FIXTURE_VARIANT_ADD(jit, small)
{
	.pages = 16,
};

FIXTURE_VARIANT_ADD(jit, large)
{
	.pages = 1024,
};

FIXTURE_SETUP(jit)
{
	NEEDS_CODE();
	small_pages_only();
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->base = wr_alloc(self->fd, PAGES(variant->pages));
	ASSERT_NE(NULL, self->base);
	self->other = wr_alloc(self->fd, PAGES(variant->pages));
	ASSERT_NE(NULL, self->other);
	/* As it will be after the first page that can only be read */
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(1), RO));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(1), RW));
	fill_pages(self->base, variant->pages, 100);
	fill_pages(self->other, variant->pages, 500);
}

FIXTURE_TEARDOWN(jit)
{
	close(self->fd);
}

/* The neighbours of a page that becomes executable, and is so no longer, stay mapped. */
TEST_F(jit, neighbours_stay_mapped)
{
	unsigned int page = variant->pages / 2, i;
	char *code = self->base + PAGES(page);
	size_t vmas = count_all_vmas();

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, wr_protect(self->fd, code, PAGES(1), RX));
		EXPECT_GE(vmas + 2, count_all_vmas());
		EXPECT_GE(3, faults_to_write(self->base, variant->pages, page));
		EXPECT_GE(3, faults_to_write(self->other, variant->pages, -1));
		ASSERT_EQ(0, wr_protect(self->fd, code, PAGES(1), RW));
		EXPECT_GE(vmas + 2, count_all_vmas());
		EXPECT_GE(3, faults_to_write(self->base, variant->pages, page));
		EXPECT_GE(3, faults_to_write(self->other, variant->pages, -1));
		EXPECT_TRUE(try_write(code));
		EXPECT_FALSE(try_exec(code));
	}
}

/* Page after page, while one stays executable: few mappings, and contents stay. */
TEST_F(jit, page_after_page)
{
	char *last = self->base + PAGES(variant->pages - 1);
	size_t vmas = count_all_vmas(), most = 0;
	unsigned int round, i;

	ASSERT_EQ(0, wr_protect(self->fd, last, PAGES(1), RX));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < variant->pages - 1; i++) {
			char *code = self->base + PAGES(round == 1 ?
				      i * 7 % (variant->pages - 1) : i);

			ASSERT_EQ(0, wr_protect(self->fd, code, PAGES(1), RX));
			ASSERT_EQ(0, wr_protect(self->fd, code, PAGES(1), RW));
			if (i % 64 == 63 && count_all_vmas() > most)
				most = count_all_vmas();
		}
	}
	EXPECT_GE(vmas + 64, most);
	EXPECT_TRUE(pages_have(self->base, variant->pages, 100));
	EXPECT_TRUE(pages_have(self->other, variant->pages, 500));
}

/* What is not in memory costs nothing: no mapping is left over. */
TEST_F(jit, untouched_pages)
{
	char *base = wr_alloc(self->fd, PAGES(5001));
	size_t vmas = count_all_vmas();
	unsigned int i;

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(5000), PAGES(1), RX));
	for (i = 0; i < 5000; i++) {
		char *code = base + PAGES(i * 3 % 5000);

		ASSERT_EQ(0, wr_protect(self->fd, code, PAGES(1), RX));
		ASSERT_EQ(0, wr_protect(self->fd, code, PAGES(1), RW));
	}
	EXPECT_GE(vmas + 2, count_all_vmas());
}

struct over_limit {
	int fd;
	char *base;
	char *code;
	unsigned int pages;
};

static int over_limit(void *arg)
{
	struct rlimit limit = { MIB(1), RLIM_INFINITY };
	struct over_limit *self = arg;
	char *middle = self->base + PAGES(self->pages / 2);
	struct rlimit old;
	uint64_t addr;

	CHECK(!getrlimit(RLIMIT_AS, &old));
	CHECK(!setrlimit(RLIMIT_AS, &limit));
	CHECK(mmap(NULL, PAGES(1), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0) == MAP_FAILED);
	/* Executable, a part of it no longer, and back */
	CHECK(!wr_protect(self->fd, middle, PAGES(3), RX));
	CHECK(!wr_protect(self->fd, middle + PAGES(1), PAGES(1), RW));
	CHECK(try_write_byte(middle + PAGES(1) + 100, 0));
	CHECK(!try_exec(middle + PAGES(1)));
	CHECK(!wr_protect(self->fd, middle, PAGES(3), RW));
	CHECK(!wr_protect(self->fd, middle, PAGES(2), RX));
	CHECK(!wr_decommit(self->fd, middle, PAGES(1)));
	CHECK(!wr_protect(self->fd, middle + PAGES(1), PAGES(1), RW));
	CHECK(pages_have(self->base, self->pages / 2, 100));
	/* What was executable before the limit */
	CHECK(!wr_protect(self->fd, self->code, PAGES(1), RW));
	CHECK(!wr_decommit(self->fd, self->code, PAGES(1)));
	CHECK(!wr_release(self->fd, self->code, 0));
	CHECK(wr_is_gone(self->fd, self->code));
	CHECK(!setrlimit(RLIMIT_AS, &old));
	addr = (uintptr_t)self->code;
	CHECK(!wr_reserve_at(self->fd, &addr, PAGES(16),
			     WINREGION_RESERVE_COMMIT, RW));
	CHECK(try_write(self->code));
	return 0;
}

/* No address space is asked for, so none that is missing is in the way. */
TEST_F(jit, over_address_space_limit)
{
	struct over_limit job = { self->fd, self->base, self->other,
				  variant->pages };

	ASSERT_EQ(0, wr_protect(self->fd, self->other, PAGES(1), RX));
	EXPECT_EQ(0, in_child(over_limit, &job));
}

TEST_HARNESS_MAIN
