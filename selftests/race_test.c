// SPDX-License-Identifier: GPL-2.0
/* vm: timeout=1800 cpus=2 */
/*
 * Threads and processes against each other on the same pages. What is counted
 * is never how often a race was lost, but what must not happen however it goes:
 * each test ends in numbers that have one right value.
 */
#include "kselftest_harness.h"

#include <pthread.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "common.h"
#include "wr_test_util.h"
#include "race.h"

#define NR_PAGES 48
#define GUARDED (RW | WINREGION_GUARD)

/* The number of a word that each of many writers has in a page */
static volatile uint64_t *word_of(char *base, unsigned int page,
				  unsigned int number)
{
	return (volatile uint64_t *)(base + PAGES(page)) + 8 * number;
}

/*
 * Rights that come and go, while threads access the pages in every way.
 *
 * @clock counts the steps of the director: even while a call is going on, odd
 * while the phase that it led to is in force. An access during which the clock
 * stood at one odd number lies in that phase as a whole, and so must succeed,
 * or fail, as the phase says.
 */
#define READS 1	/* reads succeed */
#define WRITES 2	/* writes succeed */
#define ZEROS 4	/* reads find zeros */
#define PARKED 8	/* nobody writes, though it is allowed */

struct stage;

struct phase {
	const char *name;
	int (*call)(struct stage *stage, uint32_t protection);
	uint32_t protection;
	unsigned int rights;
};

struct actor {
	struct stage *stage;
	enum race_kind kind;
	int file;
	uint64_t random;
	volatile uint64_t checked;
	volatile uint64_t parked;
	uint64_t wrong;
	char first[96];
};

struct stage {
	int fd;
	char *base;
	uint64_t size;
	const struct phase *phases;
	unsigned int nr_phases;
	unsigned int rounds;
	volatile uint64_t clock;
	volatile uint64_t park;
	unsigned int failed;
	struct crew crew;
	struct actor actor[RACE_KINDS];
};

static int do_commit(struct stage *stage, uint32_t protection)
{
	return wr_commit(stage->fd, stage->base, PAGES(NR_PAGES), protection);
}

static int do_protect(struct stage *stage, uint32_t protection)
{
	return wr_protect(stage->fd, stage->base, PAGES(NR_PAGES), protection);
}

static int do_decommit(struct stage *stage, uint32_t protection)
{
	return wr_decommit(stage->fd, stage->base, PAGES(NR_PAGES));
}

static int do_release(struct stage *stage, uint32_t protection)
{
	return wr_release(stage->fd, stage->base, 0);
}

static int do_munmap(struct stage *stage, uint32_t protection)
{
	return munmap(stage->base, stage->size);
}

static int do_reserve(struct stage *stage, uint32_t protection)
{
	uint64_t addr = (uintptr_t)stage->base;

	return wr_reserve_at(stage->fd, &addr, stage->size,
			     WINREGION_RESERVE_COMMIT, protection);
}

/* Nothing here makes a window tracked. */
static const struct phase simple_phases[] = {
	{ "commit", do_commit, RW, READS | WRITES },
	{ "decommit", do_decommit, 0, 0 },
	{ "commit of zeros", do_commit, RW, READS | ZEROS | PARKED },
	{ "noaccess", do_protect, NA, 0 },
	{ "access", do_protect, RW, READS | WRITES },
	{ "release", do_release, 0, 0 },
	{ "reserve", do_reserve, RW, READS | WRITES },
	{ "decommit", do_decommit, 0, 0 },
};

static const struct phase tracked_phases[] = {
	{ "commit", do_commit, RW, READS | WRITES },
	{ "readonly", do_protect, RO, READS },
	{ "writable", do_protect, RW, READS | WRITES },
	{ "noaccess", do_protect, NA, 0 },
	{ "access", do_protect, RW, READS | WRITES },
	{ "decommit", do_decommit, 0, 0 },
	{ "commit of zeros", do_commit, RO, READS | ZEROS },
	{ "writable", do_protect, RW, READS | WRITES },
	{ "commit readonly", do_commit, RO, READS },
	{ "decommit", do_decommit, 0, 0 },
};

static const struct phase unmap_phases[] = {
	{ "commit", do_commit, RW, READS | WRITES },
	{ "munmap", do_munmap, 0, 0 },
	{ "reserve readonly", do_reserve, RO, READS | ZEROS },
	{ "writable", do_protect, RW, READS | WRITES },
	{ "release", do_release, 0, 0 },
	{ "reserve", do_reserve, RW, READS | WRITES },
};

static const struct phase exec_phases[] = {
	{ "commit", do_commit, RWX, READS | WRITES },
	{ "no write", do_protect, RX, READS },
	{ "no execution", do_protect, RW, READS | WRITES },
	{ "readonly", do_protect, RO, READS },
	{ "all", do_protect, RWX, READS | WRITES },
	{ "decommit", do_decommit, 0, 0 },
	{ "commit of zeros", do_commit, RX, READS | ZEROS },
	{ "noaccess", do_protect, NA, 0 },
	{ "execute only", do_protect, WINREGION_EXECUTE, READS },
	{ "decommit", do_decommit, 0, 0 },
	{ "commit data", do_commit, RW, READS | WRITES },
	{ "release", do_release, 0, 0 },
	{ "reserve", do_reserve, RWX, READS | WRITES },
};

static void actor_wrong(struct actor *actor, const struct phase *phase,
			unsigned int page, bool ok, uint64_t value)
{
	if (actor->wrong++)
		return;
	snprintf(actor->first, sizeof(actor->first),
		 "after %s: kind %d, page %u, %s, value %llx", phase->name,
		 actor->kind, page, ok ? "went through" : "failed",
		 (unsigned long long)value);
}

static void actor_check(struct actor *actor, const struct phase *phase,
			unsigned int page, bool ok, uint64_t value)
{
	bool write = race_writes(actor->kind);
	bool may = phase->rights & (write ? WRITES : READS);
	bool zeros = !write && phase->rights & ZEROS;

	if (ok != may || (ok && zeros && value))
		actor_wrong(actor, phase, page, ok, value);
	race_add(&actor->checked, 1);
}

static bool actor_parks(struct actor *actor)
{
	if (!race_writes(actor->kind) || !race_load(&actor->stage->park)) {
		actor->parked = 0;
		return false;
	}
	__atomic_store_n(&actor->parked, 1, __ATOMIC_SEQ_CST);
	sched_yield();
	return true;
}

static void *act(void *arg)
{
	struct actor *actor = arg;
	struct stage *stage = actor->stage;
	uint64_t clock, value;
	unsigned int page;
	bool ok;

	while (crew_goes_on(&stage->crew)) {
		if (actor_parks(actor))
			continue;
		page = race_random(&actor->random, NR_PAGES);
		clock = race_load(&stage->clock);
		value = 0xdeadbeef00000001 + actor->kind;
		ok = race_access(actor->kind, actor->file,
				 word_of(stage->base, page, 0), &value);
		if (clock & 1 && race_load(&stage->clock) == clock)
			actor_check(actor,
				    &stage->phases[clock / 2 %
						   stage->nr_phases],
				    page, ok, value);
		sched_yield();
	}
	return NULL;
}

static bool all_parked(struct stage *stage)
{
	unsigned int i;

	for (i = 0; i < RACE_KINDS; i++)
		if (race_writes(stage->actor[i].kind) &&
		    !race_load(&stage->actor[i].parked))
			return false;
	return true;
}

/* Each actor that is not parked shall find out that the phase is in force. */
static void await_checks(struct stage *stage, bool parked)
{
	uint64_t before[RACE_KINDS];
	unsigned int i;

	for (i = 0; i < RACE_KINDS; i++)
		before[i] = race_load(&stage->actor[i].checked);
	for (i = 0; i < RACE_KINDS; i++) {
		if (parked && race_writes(stage->actor[i].kind))
			continue;
		while (race_load(&stage->actor[i].checked) < before[i] + 3)
			usleep(20); /* not sched_yield(): let them run */
	}
}

static void run_phase(struct stage *stage, const struct phase *phase)
{
	bool park = phase->rights & PARKED;
	int ret;

	stage->park = park;
	while (park && !all_parked(stage))
		sched_yield();
	ret = phase->call(stage, phase->protection);
	if (ret && !stage->failed++)
		fprintf(stderr, "# %s: %d\n", phase->name, ret);
	race_add(&stage->clock, 1);
	await_checks(stage, park);
	race_add(&stage->clock, 1);
	stage->park = 0;
}

static bool stage_begin(struct stage *stage)
{
	unsigned int i;

	race_catch_faults();
	for (i = 0; i < RACE_KINDS; i++) {
		struct actor *actor = &stage->actor[i];

		*actor = (struct actor) {
			.stage = stage,
			.kind = i,
			.random = getpid() * 16 + i + 1,
			.file = memfd_create("race", MFD_CLOEXEC),
		};
		if (actor->file < 0 || ftruncate(actor->file, 4096))
			return false;
		crew_add(&stage->crew, act, actor);
	}
	return true;
}

/* Return: how many accesses went wrong. */
static uint64_t stage_end(struct stage *stage)
{
	uint64_t wrong = 0;
	unsigned int i;

	crew_stop(&stage->crew);
	for (i = 0; i < RACE_KINDS; i++) {
		struct actor *actor = &stage->actor[i];

		close(actor->file);
		wrong += actor->wrong;
		if (actor->wrong)
			fprintf(stderr, "# %llu wrong, first %s\n",
				(unsigned long long)actor->wrong,
				actor->first);
	}
	return wrong;
}

static int run_stage(void *arg)
{
	struct stage *stage = arg;
	unsigned int round, i;

	CHECK(stage_begin(stage));
	for (round = 0; round < stage->rounds; round++)
		for (i = 0; i < stage->nr_phases; i++)
			run_phase(stage, &stage->phases[i]);
	CHECK(stage_end(stage) == 0);
	CHECK(!stage->failed);
	return 0;
}

FIXTURE(rights)
{
	struct stage stage;
	uint64_t committed;
	uint64_t total;
};

FIXTURE_VARIANT(rights)
{
	uint64_t size;
	uint32_t protection;
	const struct phase *phases;
	unsigned int nr_phases;
};

#define RIGHTS_VARIANT(_name, _size, _protection, _phases)		\
FIXTURE_VARIANT_ADD(rights, _name)					\
{									\
	.size = _size,							\
	.protection = _protection,					\
	.phases = _phases,						\
	.nr_phases = ARRAY_SIZE(_phases),				\
}

RIGHTS_VARIANT(small_simple, KIB(256), RW, simple_phases);
RIGHTS_VARIANT(large_simple, MIB(3), RW, simple_phases);
RIGHTS_VARIANT(small_tracked, KIB(256), RW, tracked_phases);
RIGHTS_VARIANT(large_tracked, MIB(3), RW, tracked_phases);
RIGHTS_VARIANT(large_unmapped, MIB(3), RW, unmap_phases);
RIGHTS_VARIANT(small_exec, KIB(256), RWX, exec_phases);
RIGHTS_VARIANT(large_exec_pieces, MIB(3), RW, exec_phases);

FIXTURE_SETUP(rights)
{
	struct stage *stage = &self->stage;
	uint64_t addr = 0;

	if (variant->phases == exec_phases)
		NEEDS_CODE();
	stage->fd = wr_open();
	ASSERT_LE(0, stage->fd);
	self->total = WR_INFO(stage->fd, out_total);
	stage->phases = variant->phases;
	stage->nr_phases = variant->nr_phases;
	/* Changes of VMAs take much longer. */
	stage->rounds = variant->phases == exec_phases ?
			rounds(race_stages_exec) : rounds(race_stages);
	stage->size = variant->size;
	ASSERT_EQ(0, wr_reserve_at(stage->fd, &addr, variant->size, 0,
				   variant->protection));
	stage->base = (char *)(uintptr_t)addr;
}

FIXTURE_TEARDOWN(rights)
{
	struct stage *stage = &self->stage;

	EXPECT_EQ(0, wr_decommit(stage->fd, stage->base, 0));
	EXPECT_EQ(0, WR_INFO(stage->fd, out_committed));
	EXPECT_EQ(1, WR_INFO(stage->fd, out_regions));
	EXPECT_EQ(0, wr_release(stage->fd, stage->base, 0));
	close(stage->fd);
}

/*
 * After the call that takes a right away has returned, no access succeeds that
 * needs it; after the one that grants it none fails. Pages are zero when they
 * are committed again, whoever wrote them while they went.
 */
/* Rules: M-02, M-12, VF-08, VF-16. Hazards A1, A4. */
TEST_F_TIMEOUT(rights, come_and_go, 60)
{
	EXPECT_EQ(0, run_stage(&self->stage));
}

/* The same in a child, whose pages are its parent's until it writes. */
TEST_F_TIMEOUT(rights, in_child, 60)
{
	struct stage *stage = &self->stage;

	ASSERT_EQ(0, wr_commit(stage->fd, stage->base, PAGES(NR_PAGES), RW));
	fill_pages(stage->base, NR_PAGES, 1);
	EXPECT_EQ(0, in_child(run_stage, stage));
	EXPECT_TRUE(pages_have(stage->base, NR_PAGES, 1));
}

/* The same in parent and children at once; they share file and offsets. */
TEST_F_TIMEOUT(rights, in_several_processes, 60)
{
	struct stage *stage = &self->stage;
	struct child child[2];
	int i;

	ASSERT_EQ(0, wr_commit(stage->fd, stage->base, PAGES(NR_PAGES), RW));
	fill_pages(stage->base, NR_PAGES, 1);
	for (i = 0; i < 2; i++)
		child[i] = start_child(run_stage, stage);
	EXPECT_EQ(0, run_stage(stage));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, end_child(&child[i]));
	EXPECT_TRUE(SETTLES(WR_INFO(stage->fd, out_total) ==
			    WR_INFO(stage->fd, out_charged)));
}

/* The rest uses two regions, the second one larger than shared windows take. */

FIXTURE(race)
{
	int fd;
	char *base;
	char *other;
	uint64_t total;
	int64_t others;
	int64_t users;
	struct crew crew;
};

/* The C library keeps the stacks of threads that have ended. */
static void *do_nothing(void *arg)
{
	pthread_barrier_wait(arg);
	return NULL;
}

static void warm_up(void)
{
	struct crew crew = { 0 };
	pthread_barrier_t barrier;
	int i;

	pthread_barrier_init(&barrier, NULL, 4);
	for (i = 0; i < 4; i++)
		crew_add(&crew, do_nothing, &barrier);
	crew_join(&crew);
	pthread_barrier_destroy(&barrier);
}

FIXTURE_SETUP(race)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	race_catch_faults();
	self->total = WR_INFO(self->fd, out_total);
	warm_up();
	self->others = promised_beside_ours(self->fd);
	self->base = wr_reserve(self->fd, KIB(512));
	ASSERT_NE(NULL, self->base);
	self->other = wr_reserve(self->fd, MIB(3));
	ASSERT_NE(NULL, self->other);
	self->users = module_users();
}

/* Nothing is left of whatever went on. */
FIXTURE_TEARDOWN(race)
{
	int fd = self->fd;

	EXPECT_EQ(0, wr_release(fd, self->base, 0));
	EXPECT_EQ(0, wr_release(fd, self->other, 0));
	EXPECT_EQ(0, WR_INFO(fd, out_regions));
	EXPECT_EQ(0, WR_INFO(fd, out_committed));
	EXPECT_TRUE(SETTLES(WR_INFO(fd, out_total) ==
			    self->total + WR_INFO(fd, out_charged)));
	close(fd);
}

/*
 * Guard pages: threads that arm them and threads that touch them. An arming
 * takes effect unless the page was still armed, as its old protection tells,
 * and each that takes effect raises one alarm, is there at the end, or was taken by a
 * system call, which has failed then.
 */
#define NR_GUARDS 4

struct guards {
	struct crew touchers;
	int fd;
	char *base;
	volatile uint64_t armed;
	volatile uint64_t found_armed;
	volatile uint64_t alarms;
	volatile uint64_t failed;
	volatile uint64_t errors;
};

static void *arm_guards(void *arg)
{
	struct guards *guards = arg;
	uint64_t random = (uintptr_t)&random | 1;
	unsigned int i;
	uint32_t old;
	char *page;

	for (i = 0; i < rounds(race_guards); i++) {
		page = guards->base + PAGES(race_random(&random, NR_GUARDS));
		if (wr_change(guards->fd, WINREGION_PROTECT, page, PAGES(1),
			      GUARDED, &old) || (old != GUARDED && old != RW))
			race_add(&guards->errors, 1);
		race_add(&guards->armed, 1);
		if (old == GUARDED)
			race_add(&guards->found_armed, 1);
		sched_yield();
	}
	return NULL;
}

static void *touch_guards(void *arg)
{
	struct guards *guards = arg;
	uint64_t random = (uintptr_t)&random | 1, value = 1;
	unsigned int page;

	while (crew_goes_on(&guards->touchers)) {
		page = race_random(&random, NR_GUARDS);
		if (!user_access(word_of(guards->base, page, 0), &value,
				 random & 1))
			race_add(&guards->alarms, 1);
	}
	return NULL;
}

/* What the kernel touches for somebody raises no alarm, but takes the guard. */
static void *peek_guards(void *arg)
{
	struct guards *guards = arg;
	int file = memfd_create("race", MFD_CLOEXEC);
	uint64_t random = (uintptr_t)&random | 1, value;
	unsigned int page;

	if (ftruncate(file, 4096))
		return NULL;
	while (crew_goes_on(&guards->touchers)) {
		page = race_random(&random, NR_GUARDS);
		if (!race_access(COPY_READ + page, file,
				 word_of(guards->base, page, 1), &value))
			race_add(&guards->failed, 1);
	}
	close(file);
	return NULL;
}

static unsigned int count_armed(int fd, char *base)
{
	unsigned int i, n = 0;

	for (i = 0; i < NR_GUARDS; i++)
		n += wr_is(fd, base + PAGES(i), GUARDED);
	return n;
}

/* Rules: GP-01, GP-03, GP-06, GP-07, GP-10. */
TEST_F_TIMEOUT(race, each_arming_alarms_once, 60)
{
	struct guards guards = { .fd = self->fd, .base = self->base };
	uint64_t gone;
	int i;

	ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(NR_GUARDS), RW));
	for (i = 0; i < 3; i++)
		crew_add(&guards.touchers, touch_guards, &guards);
	crew_add(&guards.touchers, peek_guards, &guards);
	for (i = 0; i < 2; i++)
		crew_add(&self->crew, arm_guards, &guards);
	crew_join(&self->crew);
	crew_stop(&guards.touchers);
	EXPECT_EQ(0, guards.errors);
	EXPECT_LT(0, guards.alarms);
	gone = guards.armed - guards.found_armed -
	       count_armed(self->fd, self->base);
	EXPECT_LE(guards.alarms, gone);
	EXPECT_LE(gone, guards.alarms + guards.failed);
}

/*
 * Guards that are armed while pages are written that were only read before, so that the
 * write is asked for once more: it is before the guard, or it is the alarm, but never
 * refused as if the page could not be written.
 */
#define NR_WRITTEN 8192

static void *write_beside_guards(void *arg)
{
	struct guards *guards = arg;
	struct winregion_last_fault last = { .size = sizeof(last) };
	uint64_t random = (uintptr_t)&random | 1, value = 1;
	volatile uint64_t *word;

	while (crew_goes_on(&guards->touchers)) {
		word = word_of(guards->base, race_random(&random, NR_WRITTEN), 0);
		madvise((void *)word, PAGES(1), MADV_DONTNEED);
		user_access(word, &value, false);
		if (user_access(word, &value, true))
			continue;
		if (wr_ioctl(guards->fd, WINREGION_LAST_FAULT, &last) ||
		    last.out_reason != WINREGION_FAULT_GUARD)
			race_add(&guards->errors, 1);
		race_add(&guards->alarms, 1);
	}
	return NULL;
}

/* Of many pages, so that whoever is about to write waits for it. */
static int arm_and_disarm(int fd, char *base)
{
	int err = wr_protect(fd, base, PAGES(NR_WRITTEN), GUARDED);

	usleep(1000);
	if (!err)
		err = wr_protect(fd, base, PAGES(NR_WRITTEN), RW);
	usleep(1000);
	return err;
}

/* Rules: GP-01, GP-02, GP-03. */
TEST_F_TIMEOUT(race, writes_beside_guards, 120)
{
	struct guards guards = { .fd = self->fd };
	int i;

	guards.base = wr_alloc(self->fd, PAGES(NR_WRITTEN + 1));
	ASSERT_NE(NULL, guards.base);
	ASSERT_EQ(0, wr_protect(self->fd, guards.base + PAGES(NR_WRITTEN),
				PAGES(1), RO));
	memset(guards.base, 1, PAGES(NR_WRITTEN));
	crew_add(&guards.touchers, write_beside_guards, &guards);
	for (i = 0; i < rounds(race_guards) / 6; i++)
		ASSERT_EQ(0, arm_and_disarm(self->fd, guards.base));
	crew_stop(&guards.touchers);
	EXPECT_EQ(0, guards.errors);
	EXPECT_LT(0, guards.alarms);
	EXPECT_EQ(0, wr_release(self->fd, guards.base, 0));
}

/*
 * Pages between others that become executable, are taken away and come back:
 * nobody notices who has nothing to do with it.
 */
struct neighbour {
	struct crew *crew;
	int fd;
	char *base;
	int file;
	unsigned int first;
	uint64_t refused;
	uint64_t lost;
};

/* Neighbours are the pages 3n and 3n + 1; page 3n + 2 changes. */
static void *use_neighbours(void *arg)
{
	struct neighbour *self = arg;
	uint64_t count[16] = { 0 }, value;
	unsigned int i, round;
	volatile uint64_t *word;

	for (round = 0; crew_goes_on(self->crew); round++) {
		i = round % 16;
		word = word_of(self->base, i / 2 * 3 + i % 2, self->first);
		if (!race_access(round & 16 ? COPY_READ : USER_READ,
				 self->file, word, &value))
			self->refused++;
		else if (value != count[i])
			self->lost++;
		value = ++count[i];
		if (!race_access(round & 32 ? COPY_WRITE : USER_WRITE,
				 self->file, word, &value))
			self->refused++;
	}
	return NULL;
}

/* The pages that change can be read all the time but in the second half. */
static void *read_changing(void *arg)
{
	struct neighbour *self = arg;
	unsigned int round, i;
	uint64_t value;

	for (round = 0; crew_goes_on(self->crew); round++) {
		i = round % 4;
		if (!race_access(round % 3 ? USER_READ : REMOTE_READ, -1,
				 word_of(self->base, i * 3 + 2, 0), &value))
			self->refused++;
		else if (value != 7)
			self->lost++;
	}
	return NULL;
}

static void *change_neighbours(void *arg)
{
	const uint32_t to[] = { code_or(RX, RO), RW, code_or(RWX, RW), RO };
	struct neighbour *self = arg;
	uint64_t random = self->first + 1;
	unsigned int round, n;
	char *page;

	for (round = 0; round < rounds(race_neighbours); round++) {
		n = race_random(&random, 8);
		page = self->base + PAGES(n * 3 + 2);
		if (n < 4)
			self->refused += !!wr_protect(self->fd, page, PAGES(1),
						      to[round % 4]);
		else if (round & 1)
			self->refused += !!wr_decommit(self->fd, page,
						       PAGES(1));
		else
			self->refused += !!wr_commit(self->fd, page, PAGES(1),
						     to[round / 2 % 4]);
	}
	return NULL;
}

static void prepare_neighbours(struct __test_metadata *_metadata, int fd,
			       char *base)
{
	unsigned int i;

	ASSERT_EQ(0, wr_commit(fd, base, PAGES(24), RW));
	for (i = 0; i < 4; i++)
		*word_of(base, i * 3 + 2, 0) = 7;
}

static void neighbours(struct __test_metadata *_metadata, int fd, char *base)
{
	struct neighbour who[5] = { 0 };
	struct crew users = { 0 }, changers = { 0 };
	struct vma vma;
	int i;

	prepare_neighbours(_metadata, fd, base);
	for (i = 0; i < 5; i++) {
		who[i] = (struct neighbour) {
			.crew = &users,
			.fd = fd,
			.base = base,
			.file = memfd_create("race", MFD_CLOEXEC),
			.first = i,
		};
		ASSERT_EQ(0, ftruncate(who[i].file, 4096));
		if (i < 2)
			crew_add(&users, use_neighbours, &who[i]);
		else if (i == 2)
			crew_add(&users, read_changing, &who[i]);
		else
			crew_add(&changers, change_neighbours, &who[i]);
	}
	crew_join(&changers);
	crew_stop(&users);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, who[i].refused) {
			TH_LOG("thread %d", i);
		}
		EXPECT_EQ(0, who[i].lost) {
			TH_LOG("thread %d", i);
		}
		close(who[i].file);
	}
	/* Once all are alike again, so is the mapping. */
	EXPECT_EQ(0, wr_commit(fd, base, PAGES(24), RW));
	ASSERT_TRUE(find_vma(base, &vma));
	EXPECT_LE((uintptr_t)base + KIB(512), vma.end);
}

/* Hazards A9, A10. */
TEST_F_TIMEOUT(race, executable_neighbours, 60)
{
	neighbours(_metadata, self->fd, self->base);
	neighbours(_metadata, self->fd, self->other);
}

/*
 * Copy on write: threads of parent and children on the same pages. Each writer
 * counts in a word of its own; readers see it grow by one, and nobody sees
 * what another process writes.
 */
#define COW_PAGES 24
#define COW_COUNT 60
#define PARENT_WORD 6
#define PARENT_MARK 0x10000000000ULL

struct cow {
	struct crew crew;
	char *base;
	int file;
	pthread_barrier_t barrier;
	unsigned int number;
	uint64_t wrong;
};

static void cow_write(struct cow *cow, unsigned int page)
{
	volatile uint64_t *word = word_of(cow->base, page, cow->number);
	uint64_t i, value;

	for (i = 1; i <= COW_COUNT; i++) {
		value = i;
		if (!race_access(i & 1 ? USER_WRITE : COPY_WRITE, cow->file,
				 word, &value))
			cow->wrong++;
		if (*word != i)
			cow->wrong++;
	}
}

static void cow_read(struct cow *cow, unsigned int page)
{
	volatile uint64_t *word = word_of(cow->base, page, cow->number - 2);
	uint64_t last = 0, now = 0, i;

	for (i = 0; i < 2 * COW_COUNT; i++) {
		if (!race_access(i & 1 ? USER_READ : COPY_READ, cow->file,
				 word, &now) || now < last)
			cow->wrong++;
		last = now;
		if (*word_of(cow->base, page, PARENT_WORD) >= PARENT_MARK)
			cow->wrong++;
	}
}

static struct cow *cow_first;

static void *cow_act(void *arg)
{
	struct cow *cow = arg;
	unsigned int page;

	for (page = 0; page < COW_PAGES; page++) {
		pthread_barrier_wait(&cow_first->barrier);
		if (cow->number < 2)
			cow_write(cow, page);
		else
			cow_read(cow, page);
	}
	return NULL;
}

/* Two writers and two readers, all on one page, then all on the next */
static int cow_child(void *arg)
{
	struct cow cow[4] = { 0 };
	struct crew crew = { 0 };
	unsigned int i;

	cow_first = cow;
	CHECK(!pthread_barrier_init(&cow->barrier, NULL, 4));
	for (i = 0; i < 4; i++) {
		cow[i].base = arg;
		cow[i].number = i;
		cow[i].file = memfd_create("race", MFD_CLOEXEC);
		CHECK(!ftruncate(cow[i].file, 4096));
		crew_add(&crew, cow_act, &cow[i]);
	}
	crew_join(&crew);
	for (i = 0; i < 4; i++)
		CHECK(!cow[i].wrong);
	for (i = 0; i < COW_PAGES; i++)
		CHECK(*word_of(arg, i, 0) == COW_COUNT &&
		      *word_of(arg, i, 1) == COW_COUNT);
	return 0;
}

static void *cow_parent(void *arg)
{
	struct cow *cow = arg;
	volatile uint64_t *word;
	uint64_t count;
	unsigned int page;

	for (count = PARENT_MARK; crew_goes_on(&cow->crew); count++) {
		for (page = 0; page < COW_PAGES; page++) {
			word = word_of(cow->base, page, PARENT_WORD);
			*word = count;
			if (*word != count || *word_of(cow->base, page, 0))
				cow->wrong++;
		}
	}
	return NULL;
}

/* Hazard A7. */
TEST_F_TIMEOUT(race, copy_on_write, 60)
{
	struct cow cow = { .base = self->other };
	struct child child[2];
	unsigned int round, i;

	ASSERT_EQ(0, wr_commit(self->fd, self->other, PAGES(COW_PAGES), RW));
	for (round = 0; round < rounds(race_copies); round++) {
		for (i = 0; i < COW_PAGES; i++)
			*word_of(self->other, i, PARENT_WORD) = round;
		for (i = 0; i < 2; i++)
			child[i] = start_child(cow_child, self->other);
		crew_add(&cow.crew, cow_parent, &cow);
		for (i = 0; i < 2; i++)
			EXPECT_EQ(0, end_child(&child[i]));
		crew_stop(&cow.crew);
		EXPECT_EQ(0, cow.wrong);
	}
}

/*
 * The same as close as it gets: at one moment one thread reads a page of the
 * parent's and another writes it. The reader has to see that in the end.
 */
#define PAIR_PAGES 500

struct pair {
	char *base;
	volatile uint64_t at;
};

static void spin_until(volatile uint64_t *word, uint64_t least)
{
	unsigned int spins = 0;

	while (race_load(word) < least)
		if (++spins % 2000 == 0)
			sched_yield();
}

static void *pair_reads(void *arg)
{
	struct pair *pair = arg;
	unsigned int i;

	for (i = 0; i < PAIR_PAGES; i++) {
		race_add(&pair->at, 1);
		spin_until(&pair->at, 2 * i + 2);
		spin_until(word_of(pair->base, i, 0), i + 1);
	}
	return NULL;
}

static void *pair_writes(void *arg)
{
	struct pair *pair = arg;
	unsigned int i;

	for (i = 0; i < PAIR_PAGES; i++) {
		race_add(&pair->at, 1);
		spin_until(&pair->at, 2 * i + 2);
		*word_of(pair->base, i, 0) = i + 1;
	}
	return NULL;
}

static int run_pair(void *arg)
{
	struct pair pair = { .base = arg };
	struct crew crew = { 0 };

	crew_add(&crew, pair_reads, &pair);
	crew_add(&crew, pair_writes, &pair);
	crew_join(&crew);
	return 0;
}

/* Hazard A7. */
TEST_F_TIMEOUT(race, copy_at_once, 60)
{
	unsigned int round, i, wrong = 0;

	ASSERT_EQ(0, wr_commit(self->fd, self->other, PAGES(PAIR_PAGES), RW));
	for (round = 0; round < rounds(race_copies_at_once); round++) {
		for (i = 0; i < PAIR_PAGES; i++)
			*word_of(self->other, i, 1) = round;
		EXPECT_EQ(0, in_child(run_pair, self->other));
		for (i = 0; i < PAIR_PAGES; i++)
			wrong += *word_of(self->other, i, 0) != 0;
	}
	EXPECT_EQ(0, wrong);
}

/*
 * A write barrier, as collectors have it: all pages become read-only, the first
 * write to each is noted and let through. What is noted of no page has not changed,
 * however many pages that are, and whoever has owned them.
 */
#define MOST_TRACKED 512U

struct tracked {
	int fd;
	char *base;
	unsigned int pages;
	unsigned int failed;
	volatile uint8_t noted[MOST_TRACKED];
	pthread_mutex_t lock;
	struct crew crew;
};

static struct tracked *tracked;

/* The lock's holder never writes to the region, so this thread is not it. */
static void note_write(int sig, siginfo_t *info, void *context)
{
	size_t page = ((char *)info->si_addr - tracked->base) / PAGES(1);

	if (page >= tracked->pages)
		abort();
	pthread_mutex_lock(&tracked->lock);
	tracked->noted[page] = 1;
	tracked->failed += wr_protect(tracked->fd, tracked->base + PAGES(page),
				      PAGES(1), RW) != 0;
	pthread_mutex_unlock(&tracked->lock);
}

static void *write_tracked(void *arg)
{
	unsigned int number = (uintptr_t)arg;
	uint64_t random = number + 1;

	while (crew_goes_on(&tracked->crew))
		++*word_of(tracked->base,
			   race_random(&random, tracked->pages), number);
	return NULL;
}

static uint64_t sum_of_words(struct tracked *tracked, unsigned int page)
{
	return *word_of(tracked->base, page, 0) +
	       *word_of(tracked->base, page, 1);
}

/* Pages that have changed unnoticed in one round */
static unsigned int unnoticed(struct tracked *tracked)
{
	static uint64_t sum[MOST_TRACKED];
	static bool clean[MOST_TRACKED];
	unsigned int i, n = 0;

	pthread_mutex_lock(&tracked->lock);
	memset((void *)tracked->noted, 0, sizeof(tracked->noted));
	tracked->failed += wr_protect(tracked->fd, tracked->base,
				      PAGES(tracked->pages), RO) != 0;
	pthread_mutex_unlock(&tracked->lock);
	for (i = 0; i < tracked->pages; i++) {
		clean[i] = !tracked->noted[i];
		sum[i] = sum_of_words(tracked, i);
		clean[i] &= !tracked->noted[i];
	}
	sched_yield();
	for (i = 0; i < tracked->pages; i++)
		n += clean[i] && sum_of_words(tracked, i) != sum[i] &&
		     !tracked->noted[i];
	return n;
}

static int end_at_once(void *arg)
{
	return 0;
}

static int track_writes(void *arg)
{
	struct sigaction action = {
		.sa_sigaction = note_write,
		.sa_flags = SA_SIGINFO,
	};
	unsigned int round, wrong = 0;
	uintptr_t i;

	tracked = arg;
	pthread_mutex_init(&tracked->lock, NULL);
	CHECK(!sigaction(SIGSEGV, &action, NULL));
	for (i = 0; i < 2; i++)
		crew_add(&tracked->crew, write_tracked, (void *)i);
	for (round = 0; round < rounds(race_tracked); round++) {
		wrong += unnoticed(tracked);
		if (round % 16 == 15)
			CHECK(!in_child(end_at_once, NULL));
	}
	crew_stop(&tracked->crew);
	CHECK(!tracked->failed);
	CHECK(!wrong);
	return 0;
}

/* Hazards A1 and A15. By faults, in PTEs, and in one PMD */
TEST_F_TIMEOUT(race, write_barrier, 120)
{
	static const unsigned int pages[] = { 16, 200, MOST_TRACKED };
	struct tracked how = { .fd = self->fd };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		how.pages = pages[i];
		how.base = wr_reserve_aligned(self->fd, PAGES(pages[i]),
					      pages[i] == MOST_TRACKED ?
					      MIB(2) : 0, true);
		ASSERT_NE(NULL, how.base);
		EXPECT_EQ(0, in_child(track_writes, &how));
		EXPECT_EQ(0, wr_release(self->fd, how.base, 0));
	}
}

/*
 * A whole window is unmapped under those who change it, and its place taken by
 * somebody else's memory: their calls succeed or find no region, and the
 * memory stays what it is.
 */
struct victim {
	struct crew *crew;
	int fd;
	char *base;
	unsigned int number;
	uint64_t wrong;
};

static int change_victim(struct victim *self, unsigned int round)
{
	struct winregion_run run;
	char *page = self->base + PAGES(round * 7 % 64);

	switch (round % 5) {
	case 0:
		return wr_commit(self->fd, page, PAGES(16), RW);
	case 1:
		return wr_protect(self->fd, page, PAGES(4), RO);
	case 2:
		return wr_commit(self->fd, page, PAGES(2), code_or(RX, RO));
	case 3:
		return wr_decommit(self->fd, page, PAGES(8));
	default:
		return wr_query_flags(self->fd, page, WINREGION_QUERY_RESIDENT,
				      &run);
	}
}

static void *change_what_goes(void *arg)
{
	struct victim *self = arg;
	unsigned int round;
	uint64_t value;
	int ret;

	for (round = self->number; crew_goes_on(self->crew); round++) {
		ret = change_victim(self, round);
		/* A page that is not committed, or no region at all */
		if (ret && ret != -ENOENT && ret != -ENODATA &&
		    (ret != -ENOSPC || round % 5 == 0)) {
			if (!self->wrong++)
				fprintf(stderr, "# change %u: %d\n", round % 5,
					ret);
		}
		/* Reads only: it can be other memory by now. */
		user_access(word_of(self->base, round % 64, 0), &value, false);
		remote_access(word_of(self->base, round % 64, 0), &value,
			      false);
		sched_yield();
	}
	return NULL;
}

/* Return: whether the place was as it should be all the time. */
static bool take_place(int fd, char *base, uint64_t size)
{
	uint64_t addr = (uintptr_t)base;
	bool ok;
	char *map;

	if (munmap(base, size))
		return false;
	map = mmap(base, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (map != base)
		return false;
	fill_pages(map, 64, 5);
	sched_yield();
	ok = pages_have(map, 64, 5);
	return !munmap(map, size) && ok &&
	       !wr_reserve_at(fd, &addr, size, 0, RW);
}

/* Hazards A4, A10. */
TEST_F_TIMEOUT(race, unmap_under_changes, 60)
{
	struct victim victim[3];
	unsigned int i, round, bad = 0;

	for (i = 0; i < 3; i++) {
		victim[i] = (struct victim) {
			.crew = &self->crew,
			.fd = self->fd,
			.base = self->other,
			.number = i,
		};
		crew_add(&self->crew, change_what_goes, &victim[i]);
	}
	for (round = 0; round < rounds(race_unmaps); round++)
		bad += !take_place(self->fd, self->other, MIB(3));
	crew_stop(&self->crew);
	EXPECT_EQ(0, bad);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, victim[i].wrong);
}

/*
 * One call is one moment, for whoever looks and for a fork that falls into it:
 * all its pages are as before, or all as after.
 */
enum { BOTH = 2, SPAN = 40 };

/**
 * struct flip - two calls that undo each other, over and over
 * @cmd: the two ioctls
 * @protection: what they set
 * @reserve: what the region is reserved with
 * @piece: a page in the middle is executable, and is left out
 * @both: in one call for two regions
 */
struct flip {
	unsigned long cmd[2];
	uint32_t protection[2];
	uint32_t reserve;
	bool piece;
	bool both;
};

static const struct flip flips[] = {
	{ { WINREGION_PROTECT, WINREGION_PROTECT }, { RW, RO }, RW, 0, 0 },
	{ { WINREGION_COMMIT, WINREGION_DECOMMIT }, { RW, 0 }, RW, 0, 0 },
	{ { WINREGION_PROTECT, WINREGION_PROTECT }, { RW, RX }, RW, 0, 0 },
	{ { WINREGION_COMMIT, WINREGION_DECOMMIT }, { RX, 0 }, RW, 0, 0 },
	{ { WINREGION_COMMIT, WINREGION_DECOMMIT }, { RW, 0 }, RWX, 0, 0 },
	{ { WINREGION_PROTECT, WINREGION_PROTECT }, { RW, RX }, RWX, 0, 0 },
	{ { WINREGION_PROTECT, WINREGION_PROTECT }, { RW, RO }, RW, 1, 0 },
	{ { WINREGION_COMMIT, WINREGION_DECOMMIT }, { RW, 0 }, RW, 1, 0 },
	{ { WINREGION_PROTECT, WINREGION_PROTECT }, { RW, RO }, RW, 0, 1 },
	{ { WINREGION_COMMIT, WINREGION_DECOMMIT }, { RW, 0 }, RW, 0, 1 },
};

/* Without code, not those that have some. */
static bool can_flip(const struct flip *flip)
{
	uint32_t all = flip->protection[0] | flip->protection[1] |
		       flip->reserve;

	return (!(all & (RX | RWX)) && !flip->piece) || !code_is_refused();
}

struct flipper {
	struct crew crew;
	const struct flip *flip;
	int fd;
	char *base[BOTH];
	volatile uint64_t calls;
	uint64_t failed;
};

/* The ranges of one call; its length is returned. */
static unsigned int flip_ranges(struct flipper *flipper, unsigned int side,
				struct winregion_range *ranges)
{
	const struct flip *flip = flipper->flip;
	unsigned int i, n = 0, half = SPAN / 2;
	uint64_t base;

	for (i = 0; i < (flip->both ? BOTH : 1); i++) {
		base = (uintptr_t)flipper->base[i];
		if (!flip->piece) {
			ranges[n++] = (struct winregion_range) {
				.address = base, .length = PAGES(SPAN),
			};
			continue;
		}
		ranges[n++] = (struct winregion_range) {
			.address = base, .length = PAGES(half),
		};
		ranges[n++] = (struct winregion_range) {
			.address = base + PAGES(half + 1),
			.length = PAGES(SPAN - half - 1),
		};
	}
	for (i = 0; i < n; i++)
		ranges[i].protection = flip->protection[side];
	return n;
}

static int flip_once(struct flipper *flipper, unsigned int side)
{
	struct winregion_range ranges[2 * BOTH];
	unsigned int n = flip_ranges(flipper, side, ranges);

	return wr_vector(flipper->fd, flipper->flip->cmd[side], ranges, n);
}

static void *flip_over(void *arg)
{
	struct flipper *flipper = arg;
	unsigned int side;

	for (side = 0; crew_goes_on(&flipper->crew); side = !side) {
		if (flip_once(flipper, side))
			flipper->failed++;
		race_add(&flipper->calls, 1);
	}
	return NULL;
}

/* Pages with code, for those that only change their protection */
static void flip_fill(struct __test_metadata *_metadata,
		      struct flipper *flipper, char *base)
{
	unsigned int i;

	ASSERT_EQ(0, wr_commit(flipper->fd, base, PAGES(SPAN), RW));
	for (i = 0; i < SPAN; i++)
		write_code(base + PAGES(i));
}

static void flip_begin(struct __test_metadata *_metadata,
		       struct flipper *flipper)
{
	const struct flip *flip = flipper->flip;
	uint64_t addr;
	int i;

	for (i = 0; i < BOTH; i++) {
		addr = 0;
		ASSERT_EQ(0, wr_reserve_at(flipper->fd, &addr,
					   i ? MIB(2) : KIB(256), 0,
					   flip->reserve));
		flipper->base[i] = (char *)(uintptr_t)addr;
	}
	ASSERT_EQ(0, wr_commit(flipper->fd, flipper->base[0], PAGES(1), RW));
	ASSERT_EQ(0, wr_commit(flipper->fd, flipper->base[1], PAGES(1), RW));
	if (flip->cmd[0] == WINREGION_PROTECT)
		for (i = 0; i < 2; i++)
			flip_fill(_metadata, flipper, flipper->base[i]);
	if (flip->piece) {
		ASSERT_EQ(0, wr_commit(flipper->fd, flipper->base[0] +
				       PAGES(SPAN / 2), PAGES(1), RX));
		ASSERT_EQ(0, wr_protect(flipper->fd, flipper->base[0],
					PAGES(1), RW));
	}
	flip_once(flipper, 0);
	crew_add(&flipper->crew, flip_over, flipper);
}

static void flip_end(struct __test_metadata *_metadata,
		     struct flipper *flipper)
{
	int i;

	crew_stop(&flipper->crew);
	EXPECT_EQ(0, flipper->failed);
	for (i = 0; i < BOTH; i++)
		EXPECT_EQ(0, wr_release(flipper->fd, flipper->base[i], 0));
}

/* Which side a page is on: 0, 1, or another number if on neither */
static unsigned int side_of(struct flipper *flipper, char *page)
{
	struct winregion_run run;

	if (wr_query(flipper->fd, page, &run))
		return 99;
	if (run.state == WINREGION_STATE_COMMIT &&
	    run.protection == flipper->flip->protection[0])
		return 0;
	if (flipper->flip->cmd[1] == WINREGION_DECOMMIT)
		return run.state == WINREGION_STATE_RESERVE ? 1 : 98;
	return run.protection == flipper->flip->protection[1] ? 1 :
								run.protection;
}

static bool access_fits(uint32_t protection, char *page)
{
	uint64_t value = 0;
	bool writes = protection == RW || protection == RWX;

	return user_access((void *)page, &value, false) == !!protection &&
	       user_access((void *)page, &value, true) == writes;
}

/*
 * Whether it can be executed just when it should. Pages that are committed by
 * the flip have no code to try.
 */
static bool exec_fits(const struct flip *flip, uint32_t protection, char *page)
{
	if (protection != RX)
		return !try_exec(page);
	return flip->cmd[0] != WINREGION_PROTECT || try_exec(page);
}

/* In a child: all is on one side, behaves like that, and can go on. */
static int child_is_on_one_side(void *arg)
{
	struct flipper *flipper = arg;
	struct winregion_range ranges[2 * BOTH];
	unsigned int n = flip_ranges(flipper, 0, ranges), i;
	unsigned int side = side_of(flipper, flipper->base[0]);
	char *page, *end;

	for (i = 0; i < n; i++) {
		page = (char *)(uintptr_t)ranges[i].address;
		for (end = page + ranges[i].length; page < end; page += 4096) {
			CHECK(side_of(flipper, page) < 2);
			CHECK(side_of(flipper, page) == side);
			CHECK(exec_fits(flipper->flip,
					flipper->flip->protection[side], page));
			CHECK(access_fits(flipper->flip->protection[side],
					  page));
		}
	}
	CHECK(!flip_once(flipper, !side));
	CHECK(!flip_once(flipper, side));
	CHECK(!flip_once(flipper, 0));
	page = (char *)(uintptr_t)ranges[n - 1].address;
	CHECK(access_fits(flipper->flip->protection[0], page));
	return 0;
}

/* Hazard B15. */
TEST_F_TIMEOUT(race, fork_during_change, 60)
{
	struct flipper flipper = { .fd = self->fd };
	unsigned int i, round;
	int ret;

	for (i = 0; i < ARRAY_SIZE(flips); i++) {
		if (!can_flip(&flips[i]))
			continue;
		flipper.flip = &flips[i];
		flip_begin(_metadata, &flipper);
		for (round = 0; round < rounds(race_forks); round++) {
			ret = in_child(child_is_on_one_side, &flipper);
			EXPECT_EQ(0, ret) {
				TH_LOG("flip %u round %u", i, round);
			}
			if (ret)
				break;
		}
		flip_end(_metadata, &flipper);
	}
}

/* A query sees all of a call or nothing of it. */
static void *query_flips(void *arg)
{
	struct flipper *flipper = arg;
	struct winregion_run run;
	uint64_t length = PAGES(SPAN), committed;

	while (crew_goes_on(&flipper->crew)) {
		if (wr_query_flags(flipper->fd, flipper->base[0],
				   WINREGION_QUERY_RESIDENT, &run)) {
			race_add(&flipper->failed, 1);
			continue;
		}
		committed = run.state == WINREGION_STATE_COMMIT ? length : 0;
		if (committed ? run.length != length :
				run.length != run.region_length)
			race_add(&flipper->failed, 1);
		if (run.region_committed != committed ||
		    run.resident > committed)
			race_add(&flipper->failed, 1);
	}
	return NULL;
}

static void *touch_flips(void *arg)
{
	struct flipper *flipper = arg;
	uint64_t value = 1;
	unsigned int i;

	for (i = 0; crew_goes_on(&flipper->crew); i++)
		user_access(word_of(flipper->base[0], i % SPAN, 0), &value,
			    i & 1);
	return NULL;
}

/* Rules: VQ-03, RI-02, M-11. */
TEST_F_TIMEOUT(race, query_during_change, 60)
{
	static const unsigned int which[] = { 1, 3 };
	struct flipper flipper = { .fd = self->fd };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(which); i++) {
		if (!can_flip(&flips[which[i]]))
			continue;
		flipper.flip = &flips[which[i]];
		flip_begin(_metadata, &flipper);
		crew_add(&flipper.crew, query_flips, &flipper);
		crew_add(&flipper.crew, query_flips, &flipper);
		crew_add(&flipper.crew, touch_flips, &flipper);
		while (race_load(&flipper.calls) <
		       (uint64_t)rounds(race_queries))
			sleep_ms(1);
		flip_end(_metadata, &flipper);
		flipper.calls = 0;
	}
}

/*
 * Threads of which each does any of the calls anywhere: in the end the charge
 * is that of the pages that are committed, and goes with them.
 */
struct churn {
	struct crew *crew;
	int fd;
	char *base[BOTH];
	uint64_t random;
	unsigned int rounds;
	uint64_t failed;
	uint64_t interrupted;
};

static int churn_change(struct churn *churn, char *page, uint64_t length)
{
	static const uint32_t to[] = { RW, RW, RW, RO, NA, GUARDED, RX, RWX };
	unsigned int nr = ARRAY_SIZE(to) - (code_is_refused() ? 2 : 0);
	uint32_t protection = to[race_random(&churn->random, nr)];

	switch (race_random(&churn->random, 4)) {
	case 0:
		return wr_decommit(churn->fd, page, length);
	case 1:
		return wr_protect(churn->fd, page, length, protection);
	default:
		return wr_commit(churn->fd, page, length, protection);
	}
}

/* A region of one's own, between those of the others */
static int churn_region(struct churn *churn)
{
	uint64_t pages = 1 + race_random(&churn->random, 300);
	char *region = wr_alloc(churn->fd, PAGES(pages));

	if (!region)
		return -errno;
	if (!page_is_zero(region) || !page_is_zero(region + PAGES(pages - 1)))
		return -EIO;
	fill_page(region, churn->random);
	fill_page(region + PAGES(pages - 1), churn->random);
	sched_yield();
	if (!page_has(region, churn->random) ||
	    !page_has(region + PAGES(pages - 1), churn->random))
		return -EIO;
	return wr_release(churn->fd, region, 0);
}

static int churn_once(struct churn *churn)
{
	unsigned int first = race_random(&churn->random, 100);
	unsigned int n = 1 + race_random(&churn->random, 20);
	char *base = churn->base[race_random(&churn->random, BOTH)];
	struct winregion_run run;
	uint64_t value = churn->random;

	switch (race_random(&churn->random, 8)) {
	case 0:
		return churn_region(churn);
	case 1:
		return wr_query_flags(churn->fd, base + PAGES(first),
				      WINREGION_QUERY_RESIDENT, &run);
	case 2:
	case 3:
		user_access(word_of(base, first, 0), &value, n & 1);
		return 0;
	case 4:
		remote_access(word_of(base, first, 0), &value, n & 1);
		return 0;
	default:
		return churn_change(churn, base + PAGES(first), PAGES(n));
	}
}

/* @rounds 0: until the crew stops */
static void *churn_on(void *arg)
{
	struct churn *churn = arg;
	unsigned int round;
	int ret;

	for (round = 0; churn->rounds ? round < churn->rounds :
					crew_goes_on(churn->crew); round++) {
		ret = churn_once(churn);
		if (ret == -EINTR)
			churn->interrupted++;
		else if (ret && ret != -ENODATA && !churn->failed++)
			fprintf(stderr, "# churn: %d\n", ret);
	}
	return NULL;
}

static void churn_begin(struct churn *churn, struct crew *crew, int fd,
			char *one, char *other, unsigned int rounds)
{
	*churn = (struct churn) {
		.crew = crew,
		.fd = fd,
		.base = { one, other },
		.random = getpid() * 64 + crew->nr + 1,
		.rounds = rounds,
	};
	crew_add(crew, churn_on, churn);
}

static uint64_t committed_in(int fd, char *base, uint64_t size)
{
	struct winregion_run run;
	uint64_t sum = 0, at;

	for (at = 0; at < size; at += run.length) {
		if (wr_query(fd, base + at, &run))
			return ~0ULL;
		if (run.state == WINREGION_STATE_COMMIT)
			sum += run.length;
	}
	return sum;
}

/* Rules: M-13, RI-02. */
TEST_F_TIMEOUT(race, charge_is_exact, 60)
{
	struct churn churn[4];
	struct winregion_run run;
	uint64_t one, two;
	unsigned int i;

	for (i = 0; i < 4; i++)
		churn_begin(&churn[i], &self->crew, self->fd, self->base,
			    self->other, rounds(race_charges));
	crew_join(&self->crew);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, churn[i].failed + churn[i].interrupted);
	one = committed_in(self->fd, self->base, KIB(512));
	two = committed_in(self->fd, self->other, MIB(3));
	EXPECT_EQ(one + two, WR_INFO(self->fd, out_committed));
	EXPECT_EQ(2, WR_INFO(self->fd, out_regions));
	EXPECT_EQ(0, wr_query(self->fd, self->base, &run));
	EXPECT_EQ(one, run.region_committed);
	EXPECT_EQ(0, wr_query(self->fd, self->other, &run));
	EXPECT_EQ(two, run.region_committed);
	EXPECT_TRUE(SETTLES(promised_beside_ours(self->fd) ==
			    self->others)) {
		TH_LOG("Committed_AS moved by other than the total");
	}
}

/* Signals interrupt no call, and lose no access. */
static volatile sig_atomic_t ticks;

static void on_tick(int sig)
{
	ticks++;
}

static int storm(void *arg)
{
	FIXTURE_DATA(race) *self = arg;
	const struct itimerval fast = { { 0, 300 }, { 0, 300 } }, off = { 0 };
	struct churn churn[2];
	struct crew crew = { 0 };
	int i;

	CHECK(!setitimer(ITIMER_REAL, &fast, NULL));
	for (i = 0; i < 2; i++)
		churn_begin(&churn[i], &crew, self->fd, self->base,
			    self->other, rounds(race_storm));
	crew_join(&crew);
	CHECK(!setitimer(ITIMER_REAL, &off, NULL));
	CHECK(ticks);
	for (i = 0; i < 2; i++) {
		CHECK(!churn[i].failed);
		CHECK(!churn[i].interrupted);
	}
	return 0;
}

TEST_F_TIMEOUT(race, signals, 60)
{
	static const int flags[] = { 0, SA_RESTART };
	struct sigaction action = { .sa_handler = on_tick };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		action.sa_flags = flags[i];
		ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
		EXPECT_EQ(0, in_child(storm, self));
	}
	signal(SIGALRM, SIG_DFL);
}

/*
 * Processes that end at any moment, by SIGKILL or by themselves while their
 * threads go on: all comes back.
 */
static void victim_of_chance(FIXTURE_DATA(race) *self, unsigned int number)
{
	struct churn churn[2];
	struct crew crew = { 0 };
	int i;

	for (i = 0; i < 2; i++)
		churn_begin(&churn[i], &crew, self->fd, self->base,
			    self->other, 0);
	for (i = 0; i < 20; i++) {
		if (!fork()) {
			fill_page(self->other, 2);
			_exit(0);
		}
		usleep(200);
	}
	if (number % 3 == 0)
		_exit(0);
	pause();
}

static void kill_one(FIXTURE_DATA(race) *self, unsigned int number)
{
	uint64_t random = number * 77 + 1;
	pid_t pid = fork();

	if (!pid) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		victim_of_chance(self, number);
	}
	race_random(&random, 2);
	usleep(race_random(&random, 30000));
	setpgid(pid, pid);
	kill(-pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* Orphans of a victim are init's, which may take a moment. */
TEST_F_TIMEOUT(race, killed_at_any_moment, 60)
{
	int64_t slab;
	unsigned int i;

	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(0, wr_commit(self->fd, self->other, PAGES(64), RW));
	fill_pages(self->other, 64, 1);
	for (i = 0; i < 5; i++)
		kill_one(self, i);
	sleep_ms(200);
	slab = meminfo("SUnreclaim");
	for (i = 0; i < rounds(race_kills); i++)
		kill_one(self, i);
	EXPECT_TRUE(pages_have(self->other, 64, 1));
	EXPECT_EQ(PAGES(64), WR_INFO(self->fd, out_committed));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == self->total +
			    WR_INFO(self->fd, out_charged)));
	EXPECT_TRUE(SETTLES(promised_beside_ours(self->fd) ==
			    self->others)) {
		TH_LOG("Committed_AS grew by %lld", (long long)
		       (promised_beside_ours(self->fd) - self->others));
	}
	EXPECT_TRUE(SETTLES(meminfo("SUnreclaim") < slab + (int64_t)MIB(6))) {
		TH_LOG("SUnreclaim grew by %lld",
		       (long long)(meminfo("SUnreclaim") - slab));
	}
	EXPECT_TRUE(SETTLES(module_users() <= self->users)) {
		TH_LOG("%lld users, %lld before",
		       (long long)module_users(),
		       (long long)self->users);
	}
}

/* A memory cgroup that is too small kills some of them, in the middle. */
#define CGROUP_ROOT "/sys/fs/cgroup"

static int eat_and_die(void *arg)
{
	FIXTURE_DATA(race) *self = arg;
	struct churn churn[2];
	struct crew crew = { 0 };
	char *region;
	int i;

	for (i = 0; i < 2; i++)
		churn_begin(&churn[i], &crew, self->fd, self->base,
			    self->other, 0);
	region = wr_alloc(self->fd, MIB(64));
	CHECK(region);
	for (i = 0; i < 16384; i++) {
		fill_page(region + PAGES(i), i);
		if (i % 512 == 511 && !fork()) {
			fill_pages(region, i, 1);
			_exit(0);
		}
	}
	return __LINE__;
}

static int in_small_cgroup(void *arg)
{
	CHECK(write_text(CGROUP_ROOT "/wr_race/cgroup.procs", "0"));
	return eat_and_die(arg);
}

TEST_F_TIMEOUT(race, killed_for_memory, 60)
{
	unsigned int round;
	int ret;

	if (access(CGROUP_ROOT "/cgroup.controllers", R_OK) &&
	    mount("none", CGROUP_ROOT, "cgroup2", 0, NULL))
		SKIP(return, "no cgroup2 here");
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	write_text(CGROUP_ROOT "/cgroup.subtree_control", "+memory");
	mkdir(CGROUP_ROOT "/wr_race", 0755);
	if (!write_text(CGROUP_ROOT "/wr_race/memory.max", "16M"))
		SKIP(return, "no memory controller here");
	for (round = 0; round < rounds(race_oom); round++) {
		ret = in_child(in_small_cgroup, self);
		EXPECT_TRUE(ret == -SIGKILL || ret == -SIGBUS) {
			TH_LOG("ended with %d", ret);
		}
		while (waitpid(-1, NULL, 0) > 0)
			;
	}
	EXPECT_TRUE(SETTLES(read_number(CGROUP_ROOT "/wr_race/memory.current") <
			    (int64_t)MIB(4)));
	EXPECT_TRUE(SETTLES(!rmdir(CGROUP_ROOT "/wr_race")));
	EXPECT_TRUE(SETTLES(promised_beside_ours(self->fd) ==
			    self->others));
}

TEST_HARNESS_MAIN
