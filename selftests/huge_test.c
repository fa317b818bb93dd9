// SPDX-License-Identifier: GPL-2.0
/*
 * 2 MiB pages: there are some, and nobody can tell from what the memory does.
 * Each change makes pages of one of them unlike the rest.
 *
 * Rules: M-07, M-11, VA-08, VP-05, GP-01
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "common.h"
#include "wr_test_util.h"
#include "race.h"

#define LARGE MIB(2)
#define LARGE_PAGES 512U
#define NR_LARGE 3U

/* How many KiB of the mapping at @addr are mapped by PMDs, or -1 */
static long mapped_large(const char *addr)
{
	char key[32];

	snprintf(key, sizeof(key), "%lx-", (unsigned long)(uintptr_t)addr);
	return field_of(read_from("/proc/self/smaps", key), "\nFilePmdMapped:");
}

static uint64_t resident(int fd, const char *addr)
{
	struct winregion_run run;

	if (wr_query_flags(fd, addr, WINREGION_QUERY_RESIDENT, &run))
		return -1;
	return run.resident;
}

FIXTURE(huge)
{
	int fd;
	char *base;
};

/* Three whole 2 MiB pages, and a page more. */
FIXTURE_SETUP(huge)
{
	ASSERT_TRUE(set_large(true));
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->base = wr_alloc(self->fd, NR_LARGE * LARGE + PAGES(1));
	ASSERT_NE(NULL, self->base);
	ASSERT_EQ(0, (uintptr_t)self->base % LARGE);
}

FIXTURE_TEARDOWN(huge)
{
	close(self->fd);
}

#define PAGE_AT(n) (self->base + PAGES(n))

/* Fill the second one, of which the tests change something. */
#define FILL() do {							\
	fill_pages(PAGE_AT(LARGE_PAGES), LARGE_PAGES, 1000);		\
	ASSERT_EQ(LARGE / 1024, mapped_large(self->base));		\
	ASSERT_TRUE(is_part(PAGE_AT(LARGE_PAGES + 7)));			\
} while (0)

#define HAS_ALL() pages_have(PAGE_AT(LARGE_PAGES), LARGE_PAGES, 1000)

TEST_F(huge, first_touch)
{
	EXPECT_EQ(0, mapped_large(self->base));
	EXPECT_TRUE(page_is_zero(PAGE_AT(LARGE_PAGES + 100)));
	EXPECT_EQ(LARGE / 1024, mapped_large(self->base));
	EXPECT_TRUE(flags_of(PAGE_AT(LARGE_PAGES)) >> KPF_DIRTY & 1);
	EXPECT_EQ(LARGE, resident(self->fd, self->base));
	fill_page(PAGE_AT(3), 1);
	fill_page(PAGE_AT(NR_LARGE * LARGE_PAGES), 2);
	EXPECT_EQ(2 * LARGE / 1024, mapped_large(self->base));
	EXPECT_EQ(2 * LARGE + PAGES(1), resident(self->fd, self->base));
	EXPECT_FALSE(is_part(PAGE_AT(NR_LARGE * LARGE_PAGES)));
	EXPECT_TRUE(page_is_zero(PAGE_AT(LARGE_PAGES)));
	EXPECT_EQ(NR_LARGE * LARGE + PAGES(1),
		  WR_INFO(self->fd, out_committed));
}

/* Only where all pages are alike. */
TEST_F(huge, not_where_pages_differ)
{
	ASSERT_EQ(0, wr_protect(self->fd, PAGE_AT(5), PAGES(1), RO));
	ASSERT_EQ(0, wr_decommit(self->fd, PAGE_AT(LARGE_PAGES + 5), PAGES(1)));
	ASSERT_EQ(0, wr_protect(self->fd, PAGE_AT(2 * LARGE_PAGES + 5),
				PAGES(1), RW | WINREGION_GUARD));
	fill_page(PAGE_AT(0), 1);
	fill_page(PAGE_AT(LARGE_PAGES), 1);
	fill_page(PAGE_AT(2 * LARGE_PAGES), 1);
	EXPECT_EQ(0, mapped_large(self->base));
	EXPECT_GE(PAGES(48), resident(self->fd, self->base) +
			     resident(self->fd, PAGE_AT(6)) +
			     resident(self->fd, PAGE_AT(LARGE_PAGES + 6)));
	EXPECT_FALSE(try_write(PAGE_AT(5)));
	EXPECT_FALSE(try_read(PAGE_AT(LARGE_PAGES + 5)));
	EXPECT_FALSE(try_read(PAGE_AT(2 * LARGE_PAGES + 5)));
}

/* Small regions share a window, and a large one that is nowhere aligned. */
TEST_F(huge, not_in_small_regions)
{
	char *small[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(small); i++) {
		small[i] = wr_alloc(self->fd, KIB(64));
		ASSERT_NE(NULL, small[i]);
		fill_page(small[i], i);
	}
	for (i = 0; i < ARRAY_SIZE(small); i++) {
		EXPECT_TRUE(page_has(small[i], i));
		EXPECT_FALSE(is_part(small[i]));
		EXPECT_EQ(PAGES(1), resident(self->fd, small[i]));
	}
}

/* One page becomes read-only, and writable again. */
TEST_F(huge, protect_one)
{
	char *page = PAGE_AT(LARGE_PAGES + 77);

	FILL();
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RO));
	EXPECT_FALSE(try_write(page));
	EXPECT_TRUE(HAS_ALL());
	EXPECT_FALSE(try_write(page));
	fill_pages(PAGE_AT(LARGE_PAGES), 77, 1000);
	fill_pages(page + PAGES(1), 10, 1078);
	EXPECT_FALSE(try_write(page));
	EXPECT_EQ(0, mapped_large(self->base));
	EXPECT_EQ(PAGES(77), resident(self->fd, PAGE_AT(LARGE_PAGES)));
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RW));
	fill_page(page, 1077);
	EXPECT_TRUE(HAS_ALL());
}

/* Rights of one page are taken away; those of the others are not affected. */
TEST_F(huge, no_access_for_one)
{
	char *page = PAGE_AT(LARGE_PAGES + 511);

	FILL();
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), NA));
	EXPECT_FALSE(try_read(page));
	EXPECT_TRUE(pages_have(PAGE_AT(LARGE_PAGES), 511, 1000));
	EXPECT_FALSE(try_read(page));
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RO));
	EXPECT_TRUE(HAS_ALL());
	EXPECT_FALSE(try_write(page));
}

/* More rights for one page than for the others. */
TEST_F(huge, more_for_one)
{
	char *page = PAGE_AT(LARGE_PAGES);

	FILL();
	ASSERT_EQ(0, wr_protect(self->fd, page, LARGE, RO));
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(LARGE / 1024, mapped_large(self->base));
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RW));
	fill_page(page, 1000);
	EXPECT_TRUE(HAS_ALL());
	EXPECT_FALSE(try_write(page + PAGES(1)));
	ASSERT_EQ(0, wr_protect(self->fd, page, LARGE, NA));
	ASSERT_EQ(0, wr_protect(self->fd, page + PAGES(9), PAGES(1), RW));
	fill_page(page + PAGES(9), 1009);
	EXPECT_FALSE(try_read(page + PAGES(8)));
	EXPECT_FALSE(try_read(page + PAGES(10)));
	ASSERT_EQ(0, wr_protect(self->fd, page, LARGE, RO));
	EXPECT_TRUE(HAS_ALL());
}

/* What is changed as a whole stays one. */
TEST_F(huge, protect_whole)
{
	FILL();
	ASSERT_EQ(0, wr_protect(self->fd, self->base, NR_LARGE * LARGE, RO));
	EXPECT_FALSE(try_write(PAGE_AT(LARGE_PAGES)));
	EXPECT_FALSE(try_write(PAGE_AT(LARGE_PAGES + 511)));
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(LARGE / 1024, mapped_large(self->base));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, NR_LARGE * LARGE, RW));
	fill_pages(PAGE_AT(LARGE_PAGES), LARGE_PAGES, 1000);
	EXPECT_EQ(LARGE / 1024, mapped_large(self->base));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, NR_LARGE * LARGE, NA));
	EXPECT_FALSE(try_read(PAGE_AT(LARGE_PAGES + 300)));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, NR_LARGE * LARGE, RW));
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(LARGE / 1024, mapped_large(self->base));
}

/* It becomes one again, when nothing was touched in between. */
TEST_F(huge, whole_again)
{
	FILL();
	ASSERT_EQ(0, wr_protect(self->fd, PAGE_AT(LARGE_PAGES), PAGES(1), RO));
	EXPECT_EQ(0, mapped_large(self->base));
	ASSERT_EQ(0, wr_protect(self->fd, PAGE_AT(LARGE_PAGES), PAGES(1), RW));
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(LARGE / 1024, mapped_large(self->base));
}

TEST_F(huge, decommit_one)
{
	char *page = PAGE_AT(LARGE_PAGES + 200);

	FILL();
	ASSERT_EQ(0, wr_decommit(self->fd, page, PAGES(1)));
	EXPECT_FALSE(try_read(page));
	EXPECT_TRUE(pages_have(PAGE_AT(LARGE_PAGES), 200, 1000));
	EXPECT_TRUE(pages_have(page + PAGES(1), 311, 1201));
	EXPECT_FALSE(try_read(page));
	EXPECT_EQ(NR_LARGE * LARGE, WR_INFO(self->fd, out_committed));
	ASSERT_EQ(0, wr_commit(self->fd, page, PAGES(1), RW));
	EXPECT_TRUE(page_is_zero(page));
	EXPECT_FALSE(is_part(page));
	fill_page(page, 1200);
	EXPECT_TRUE(HAS_ALL());
}

TEST_F(huge, decommit_whole)
{
	FILL();
	ASSERT_EQ(0, wr_decommit(self->fd, PAGE_AT(LARGE_PAGES), LARGE));
	EXPECT_FALSE(try_read(PAGE_AT(LARGE_PAGES + 44)));
	EXPECT_EQ(0, mapped_large(self->base));
	ASSERT_EQ(0, wr_commit(self->fd, PAGE_AT(LARGE_PAGES), LARGE, RW));
	EXPECT_EQ(0, resident(self->fd, self->base));
	EXPECT_TRUE(page_is_zero(PAGE_AT(LARGE_PAGES + 44)));
	EXPECT_EQ(LARGE / 1024, mapped_large(self->base));
}

/*
 * Where little of one remains it is copied out, as nothing of a large page is
 * free before all of it is.
 */
TEST_F(huge, little_remains)
{
	FILL();
	ASSERT_EQ(0, wr_decommit(self->fd, PAGE_AT(LARGE_PAGES), PAGES(250)));
	EXPECT_TRUE(pages_have(PAGE_AT(LARGE_PAGES + 250), 262, 1250));
	EXPECT_TRUE(is_part(PAGE_AT(LARGE_PAGES + 250)));
	ASSERT_EQ(0, wr_decommit(self->fd, PAGE_AT(LARGE_PAGES + 500),
				 PAGES(12)));
	EXPECT_TRUE(pages_have(PAGE_AT(LARGE_PAGES + 250), 250, 1250));
	EXPECT_FALSE(is_part(PAGE_AT(LARGE_PAGES + 250)));
	EXPECT_FALSE(is_part(PAGE_AT(LARGE_PAGES + 499)));
	EXPECT_EQ(PAGES(250), resident(self->fd, PAGE_AT(LARGE_PAGES + 250)));
}

/* Who has pinned a page sees what is written to it later, copied out or not. */
TEST_F(huge, pinned_page_stays)
{
	char *page = PAGE_AT(LARGE_PAGES + 300), buffer[8];
	struct iovec iov = { .iov_base = page, .iov_len = 8 };
	int pipefd[2];

	FILL();
	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(8, vmsplice(pipefd[1], &iov, 1, 0));
	ASSERT_EQ(0, wr_decommit(self->fd, PAGE_AT(LARGE_PAGES), PAGES(299)));
	ASSERT_EQ(0, wr_protect(self->fd, page + PAGES(1), PAGES(1), RO));
	EXPECT_TRUE(page_has(page, 1300));
	memcpy(page, "mark 1", 7);
	ASSERT_EQ(8, read(pipefd[0], buffer, 8));
	EXPECT_STREQ("mark 1", buffer);
	/* Now nobody has, and what is given up last makes room. */
	ASSERT_EQ(0, wr_decommit(self->fd, page - PAGES(1), PAGES(1)));
	EXPECT_STREQ("mark 1", page);
	EXPECT_FALSE(is_part(page));
	close(pipefd[0]);
	close(pipefd[1]);
}

/* The alarm of one page among guard pages, and those of the others. */
TEST_F(huge, guards)
{
	FILL();
	ASSERT_EQ(0, wr_protect(self->fd, PAGE_AT(LARGE_PAGES), LARGE,
				RW | WINREGION_GUARD));
	EXPECT_FALSE(try_write(PAGE_AT(LARGE_PAGES + 9)));
	fill_page(PAGE_AT(LARGE_PAGES + 9), 1009);
	EXPECT_FALSE(try_read(PAGE_AT(LARGE_PAGES + 8)));
	EXPECT_TRUE(page_has(PAGE_AT(LARGE_PAGES + 8), 1008));
	EXPECT_FALSE(try_read(PAGE_AT(LARGE_PAGES + 10)));
	EXPECT_TRUE(wr_is(self->fd, PAGE_AT(LARGE_PAGES + 11),
			  RW | WINREGION_GUARD));
	ASSERT_EQ(0, wr_protect(self->fd, PAGE_AT(LARGE_PAGES), LARGE, RW));
	EXPECT_TRUE(HAS_ALL());
}

/* A page with another VMA than its neighbours. */
TEST_F(huge, executable_piece)
{
	char *page = PAGE_AT(LARGE_PAGES + 64);

	NEEDS_CODE();
	FILL();
	write_code(page);
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(16), RX));
	EXPECT_TRUE(try_exec(page));
	EXPECT_FALSE(try_write(page));
	EXPECT_TRUE(pages_have(PAGE_AT(LARGE_PAGES), 64, 1000));
	EXPECT_TRUE(pages_have(page + PAGES(1), 447, 1065));
	EXPECT_FALSE(try_exec(page - PAGES(1)));
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(16), RW));
	fill_page(page, 1064);
	EXPECT_TRUE(HAS_ALL());
	EXPECT_FALSE(try_exec(page));
}

struct family {
	FIXTURE_DATA(huge) *self;
	int fd;
	char *large;
};

static int child_writes(void *arg)
{
	struct family *family = arg;
	char *large = family->large;

	CHECK(pages_have(large, LARGE_PAGES, 1000));
	fill_pages(large, 100, 7000);
	CHECK(pages_have(large, 100, 7000));
	CHECK(pages_have(large + PAGES(100), 412, 1100));
	CHECK(!wr_decommit(family->fd, large, PAGES(400)));
	CHECK(!try_read(large));
	CHECK(pages_have(large + PAGES(400), 112, 1400));
	/* What it makes itself is large again. */
	large = wr_alloc(family->fd, LARGE);
	CHECK(large);
	fill_page(large, 1);
	CHECK(mapped_large(large) == LARGE / 1024);
	return 0;
}

/* Parent and child have the same one until one of them writes. */
TEST_F(huge, fork)
{
	struct family family = { self, self->fd, PAGE_AT(LARGE_PAGES) };
	struct child child;
	char *other;

	FILL();
	child = start_child(child_writes, &family);
	fill_pages(PAGE_AT(LARGE_PAGES + 50), 100, 9000);
	EXPECT_TRUE(pages_have(PAGE_AT(LARGE_PAGES), 50, 1000));
	EXPECT_TRUE(pages_have(PAGE_AT(LARGE_PAGES + 50), 100, 9000));
	EXPECT_TRUE(pages_have(PAGE_AT(LARGE_PAGES + 150), 362, 1150));
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(pages_have(PAGE_AT(LARGE_PAGES), 50, 1000));
	fill_pages(PAGE_AT(LARGE_PAGES), LARGE_PAGES, 1000);
	EXPECT_TRUE(HAS_ALL());
	EXPECT_EQ(0, mapped_large(self->base));
	/* The parent's new windows have large pages again. */
	other = wr_alloc(self->fd, LARGE);
	ASSERT_NE(NULL, other);
	fill_page(other, 1);
	EXPECT_EQ(LARGE / 1024, mapped_large(other));
}

/* The counters are not read to the page; less than what a large one counts. */
#define NEARLY (MIB(2) - 1)

struct counted {
	int fd;
	char *base;
	char *code;
	int64_t before;
};

static int makes_pieces(void *arg)
{
	struct counted *self = arg;
	unsigned int i, page;

	for (i = 0; i < 40; i++) {
		CHECK(!wr_protect(self->fd, self->code, PAGES(1), RWX));
		CHECK(!wr_protect(self->fd, self->code, PAGES(1), RW));
		for (page = 0; page < NR_LARGE * LARGE_PAGES; page += 16)
			(void)*(volatile char *)(self->base + PAGES(page));
	}
	/* One PTE goes, and with it a whole table of them. */
	for (i = 0; i < NR_LARGE; i++)
		CHECK(!madvise(self->base + i * LARGE + PAGES(7), PAGES(1),
			       MADV_DONTNEED));
	CHECK(pages_have(self->base, NR_LARGE * LARGE_PAGES, 1000));
	CHECK(!wr_release(self->fd, self->base, 0));
	CHECK(self_mapped() <= self->before + (int64_t)NEARLY);
	return 0;
}

/* Hazard A5. What is unmapped is counted as that, in a child with pieces too. */
TEST_F(huge, pieces_are_counted)
{
	struct counted counted = {
		.fd = self->fd,
		.base = self->base,
		.code = self->base + NR_LARGE * LARGE,
		.before = self_mapped(),
	};

	NEEDS_CODE();
	fill_pages(self->base, NR_LARGE * LARGE_PAGES, 1000);
	ASSERT_EQ(NR_LARGE * LARGE / 1024, mapped_large(self->base));
	EXPECT_EQ(0, in_child(makes_pieces, &counted));
	EXPECT_TRUE(pages_have(self->base, NR_LARGE * LARGE_PAGES, 1000));
	EXPECT_EQ(0, makes_pieces(&counted));
}

struct decommitter {
	struct crew crew;
	int fd;
	char *base;
	uint64_t next;
	uint64_t done;
	uint64_t wrong;
};

/* Each takes one of the large pages, makes it and gives it up. */
static void *decommit_large(void *arg)
{
	struct decommitter *self = arg;
	char *mine = self->base +
		     __atomic_fetch_add(&self->next, 1, __ATOMIC_SEQ_CST) * LARGE;

	while (crew_goes_on(&self->crew)) {
		if (wr_commit(self->fd, mine, LARGE, RW))
			race_add(&self->wrong, 1);
		*(volatile char *)mine = 1;
		if (wr_decommit(self->fd, mine, LARGE))
			race_add(&self->wrong, 1);
		race_add(&self->done, 1);
	}
	return NULL;
}

static int pieces_beside_decommits(void *arg)
{
	struct counted *counted = arg;
	struct decommitter self = { .fd = counted->fd };
	unsigned int i;
	char *code;

	/* A window that nobody shares, as only that has large pages */
	self.base = wr_alloc(self.fd, NR_LARGE * LARGE + PAGES(1));
	CHECK(self.base);
	code = self.base + NR_LARGE * LARGE;
	self.base[0] = 1;
	CHECK(mapped_large(self.base) == LARGE / 1024);
	crew_add(&self.crew, decommit_large, &self);
	crew_add(&self.crew, decommit_large, &self);
	for (i = 0; i < race_rounds(40) || race_load(&self.done) < 100; i++) {
		CHECK(!wr_protect(self.fd, code, PAGES(1), RWX));
		CHECK(!wr_protect(self.fd, code, PAGES(1), RW));
	}
	crew_stop(&self.crew);
	CHECK(!self.wrong);
	CHECK(!wr_release(self.fd, self.base, 0));
	CHECK(self_mapped() <= counted->before + (int64_t)NEARLY);
	return 0;
}

/* Hazard A5. The same while one thread makes pieces and others decommit. */
TEST_F_TIMEOUT(huge, pieces_beside_decommits, 60)
{
	struct counted counted = { .fd = self->fd, .before = self_mapped() };

	NEEDS_CODE();
	EXPECT_EQ(0, in_child(pieces_beside_decommits, &counted));
}

/*
 * A child protects many pages where the parent has a new window at the same
 * place: neither finds the other's mappings.
 */
static int child_protects(void *arg)
{
	struct family *family = arg;
	char go;

	CHECK(read(family->fd, &go, 1) == 1);
	family->fd = wr_open();
	CHECK(!wr_protect(family->fd, family->large, LARGE, RO));
	CHECK(!try_write(family->large));
	CHECK(!wr_protect(family->fd, family->large, LARGE, RW));
	CHECK(pages_have(family->large, LARGE_PAGES, 1000));
	return 0;
}

TEST_F(huge, same_place_as_in_child)
{
	struct family family = { self, -1, PAGE_AT(LARGE_PAGES) };
	uint64_t addr = (uintptr_t)self->base;
	struct child child;
	int pipefd[2];

	FILL();
	/* So that the parent goes on with what it knows of itself */
	ASSERT_NE(NULL, wr_alloc(self->fd, KIB(64)));
	ASSERT_EQ(0, pipe(pipefd));
	family.fd = pipefd[0];
	child = start_child(child_protects, &family);
	ASSERT_EQ(0, wr_release(self->fd, self->base, 0));
	ASSERT_EQ(0, wr_reserve_at(self->fd, &addr, NR_LARGE * LARGE,
				   WINREGION_RESERVE_COMMIT, RW));
	ASSERT_EQ((uintptr_t)self->base, addr);
	fill_pages(PAGE_AT(LARGE_PAGES), LARGE_PAGES, 5000);
	EXPECT_EQ(LARGE / 1024, mapped_large(self->base));
	ASSERT_EQ(1, write(pipefd[1], "", 1));
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(pages_have(PAGE_AT(LARGE_PAGES), LARGE_PAGES, 5000));
	EXPECT_EQ(LARGE / 1024, mapped_large(self->base));
}

struct race {
	struct crew crew;
	char *large;
	volatile uint64_t round;
	volatile uint64_t done;
	uint64_t began;		/* when the write of the last round did */
	uint64_t ended;
};

static void *write_first_page(void *arg)
{
	struct race *race = arg;
	uint64_t round, value = 1;

	while (crew_goes_on(&race->crew)) {
		round = race_load(&race->round);
		if (round == race->done)
			continue;
		race->began = cpu_ticks();
		user_access((void *)race->large, &value, true);
		race->ended = cpu_ticks();
		race->done = round;
	}
	return NULL;
}

/* No write takes so long, unless others had the processor meanwhile. */
#define MOST_DELAY 10000000

/*
 * How long to wait in the next round, so that what came at @at comes while the
 * other writes: somewhere in the middle, as the writes differ.
 */
static int64_t next_delay(const struct race *race, int64_t delay, uint64_t at)
{
	uint64_t length = race->ended - race->began;
	uint64_t aim = race->began + length * (race->round % 16) / 16;

	delay += (int64_t)(aim - at) / 4;
	if (delay > MOST_DELAY)
		return MOST_DELAY;
	return delay < 0 ? 0 : delay;
}

/*
 * A page is made writable, in the two steps of a write fault, while others of the
 * same large page lose their rights between them. Hazard A5.
 */
TEST_F_TIMEOUT(huge, revoked_during_write, 100)
{
	struct race race = { .large = NULL };
	unsigned int i, wrong = 0;
	int64_t delay = 0;
	uint64_t at;
	char *half;

	race_catch_faults();
	crew_add(&race.crew, write_first_page, &race);
	for (i = 1; i <= rounds(huge_revoked); i++) {
		/* Anew, as a slot that was mapped by PTEs stays so */
		race.large = wr_alloc(self->fd, 2 * LARGE);
		ASSERT_NE(NULL, race.large);
		half = race.large + LARGE / 2;
		/* Tracked, so that a write takes two steps */
		ASSERT_EQ(0, wr_protect(self->fd, race.large + LARGE, PAGES(1),
					RO));
		ASSERT_TRUE(try_read(half));
		race.round = i;
		at = cpu_ticks() + delay;
		while ((int64_t)(cpu_ticks() - at) < 0)
			;
		ASSERT_EQ(0, i % 2 ? wr_decommit(self->fd, half, LARGE / 4) :
				     wr_protect(self->fd, half, LARGE / 2,
						NA));
		while (race_load(&race.done) != i)
			sched_yield();
		wrong += try_read(half) || try_write(half + PAGES(5));
		delay = next_delay(&race, delay, at);
		ASSERT_EQ(0, wr_release(self->fd, race.large, 0));
	}
	crew_stop(&race.crew);
	EXPECT_EQ(0, wrong);
}

/* Those who do not want any get none. */
TEST_F(huge, never)
{
	char *region;

	ASSERT_TRUE(set_large(false));
	region = wr_alloc(self->fd, 2 * LARGE);
	ASSERT_NE(NULL, region);
	fill_page(region, 1);
	EXPECT_EQ(PAGES(1), resident(self->fd, region));
	EXPECT_EQ(0, mapped_large(region));
	EXPECT_TRUE(set_large(true));
}

TEST_F(huge, not_by_prctl)
{
	char *region;

	small_pages_only();
	region = wr_alloc(self->fd, 2 * LARGE);
	ASSERT_NE(NULL, region);
	fill_page(region, 1);
	fill_page(self->base, 1);
	EXPECT_EQ(PAGES(1), resident(self->fd, region));
	EXPECT_EQ(PAGES(1), resident(self->fd, self->base));
}

TEST_HARNESS_MAIN
