// SPDX-License-Identifier: GPL-2.0
/* vm: timeout=600 mem=1G */
/*
 * The commit charge as others see it: what one process is refused, keeps for
 * later, or does not touch, takes nothing from the next; and what was promised
 * is there.
 */
#include "kselftest_harness.h"

#include <sched.h>

#include "common.h"
#include "wr_test_util.h"

#define OVERCOMMIT "/proc/sys/vm/overcommit_memory"
#define OVERCOMMIT_KBYTES "/proc/sys/vm/overcommit_kbytes"
#define OVERCOMMIT_RATIO "/proc/sys/vm/overcommit_ratio"
#define COMMIT_LIMIT "/sys/module/winregion/parameters/commit_limit_mb"
/* One in so many pages of a zone, or 0: as many as the core thinks good */
#define USER_SHARE "/sys/module/winregion/parameters/user_share_percent"

/* Two users that are nobody */
#define SOMEBODY 65534
#define SOMEBODY_ELSE 65533

static int touch_all(char *region, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < size; i += 4096)
		region[i] = 1;
	return 0;
}

FIXTURE(charge)
{
	int fd;
	struct winregion_get_info before;
};

FIXTURE_SETUP(charge)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	if (read_number(OVERCOMMIT))
		SKIP(return, "not in the default overcommit mode");
	ASSERT_TRUE(keep_few_free());
	ASSERT_EQ(0, wr_get_info(self->fd, &self->before));
}

FIXTURE_TEARDOWN(charge)
{
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) ==
			    self->before.out_total));
	EXPECT_TRUE(keep_as_usual());
	close(self->fd);
}

/* What the module says is left for this process, in bytes */
static uint64_t left(int fd)
{
	struct winregion_get_info info;

	if (wr_get_info(fd, &info) || info.out_limit < info.out_total)
		return 0;
	return info.out_limit - info.out_total;
}

/* Two of the steps in which that changes, more than which is nothing of what is left */
static uint64_t hardly_any(void)
{
	return meminfo("MemTotal") / 32;
}

/* What else changes what is available: steps, and what the core has in hand */
#define BESIDE MIB(80)

static bool is_about(uint64_t a, uint64_t b, uint64_t more_or_less)
{
	bool is = a <= b + more_or_less && b <= a + more_or_less;

	if (!is)
		fprintf(stderr, "# %llu MiB and %llu MiB\n",
			(unsigned long long)a >> 20,
			(unsigned long long)b >> 20);
	return is;
}

/* ---- what is refused ---- */

/* A child that asks for too much, again and again, until it is killed */
struct greedy {
	int fd;
	uint64_t size;
	bool only_asks;
};

static int ask_for_more(void *arg)
{
	struct greedy *greedy = arg;
	struct winregion_get_info info;
	char *region;

	CHECK(!setuid(SOMEBODY));
	region = wr_reserve(greedy->fd, greedy->size);
	CHECK(region);
	for (;;) {
		CHECK(!greedy->only_asks || !wr_get_info(greedy->fd, &info));
		CHECK(greedy->only_asks ||
		      wr_commit(greedy->fd, region, greedy->size, RW) ==
		      -EDQUOT);
	}
}

/* It was refused to the end. */
static bool stop(struct child *child)
{
	return !kill(child->pid, SIGKILL) && end_child(child) == -SIGKILL;
}

static int commits_refused(int fd, char *region, uint64_t size, int times)
{
	int refused = 0;

	while (times--) {
		refused += !!wr_commit(fd, region, size, RW);
		wr_decommit(fd, region, size);
	}
	return refused;
}

/* A request is not counted while it is looked at. Hazard D11. */
TEST_F_TIMEOUT(charge, refused_is_not_counted, 120)
{
	/* Too much ever, and too much by some */
	uint64_t sizes[] = { TIB(1), left(self->fd) + MIB(64) };
	struct greedy greedy = { .fd = self->fd };
	char *region = wr_reserve(self->fd, MIB(8));
	struct child child;
	unsigned int i;

	ASSERT_NE(NULL, region);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		greedy.size = sizes[i];
		child = start_child(ask_for_more, &greedy);
		sleep_ms(300);
		EXPECT_EQ(0, commits_refused(self->fd, region, MIB(8), 2000));
		EXPECT_TRUE(stop(&child));
	}
	ASSERT_EQ(0, wr_release(self->fd, region, 0));
}

static int mappings_refused(int times)
{
	int refused = 0;
	void *addr;

	while (times--) {
		addr = mmap(NULL, MIB(1), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (addr == MAP_FAILED)
			refused++;
		else
			munmap(addr, MIB(1));
	}
	return refused;
}

/* vm.overcommit_memory=2, with @more bytes beyond what is committed now */
static bool limit_system(uint64_t more)
{
	return write_number(OVERCOMMIT_KBYTES, (committed_as() + more) / 1024) &&
	       write_number(OVERCOMMIT, 2);
}

static bool unlimit_system(int64_t ratio)
{
	return write_number(OVERCOMMIT, 0) &&
	       write_number(OVERCOMMIT_RATIO, ratio);
}

/*
 * Nor by the core: with vm.overcommit_memory=2 no program is refused memory since
 * another one asks the module for too much, or for its limit. Hazard D11.
 */
TEST_F_TIMEOUT(charge, system_is_not_asked, 120)
{
	const struct greedy tries[] = {
		{ self->fd, KIB(64), true },
		{ self->fd, TIB(1), false },
		{ self->fd, MIB(512), false },
	};
	int64_t ratio = read_number(OVERCOMMIT_RATIO);
	struct child child;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		struct greedy greedy = tries[i];

		ASSERT_TRUE(limit_system(MIB(256)));
		child = start_child(ask_for_more, &greedy);
		sleep_ms(300);
		EXPECT_EQ(0, mappings_refused(10000)) {
			TH_LOG("try %u", i);
		}
		EXPECT_TRUE(stop(&child));
		ASSERT_TRUE(unlimit_system(ratio));
	}
}

/* What the module says is left is what the system's limit leaves. */
static int told_of_mode_2(void *arg)
{
	int fd = *(int *)arg;
	uint64_t limit = left(fd), n = 0;
	char *region = wr_reserve(fd, MIB(512));

	CHECK(region);
	while (!wr_commit(fd, region + n, MIB(1), RW))
		n += MIB(1);
	CHECK(is_about(limit, MIB(256), MIB(16)));
	/* The system keeps a 32nd of a program's addresses for others. */
	CHECK(is_about(limit, n, MIB(32)));
	return 0;
}

TEST_F(charge, limit_of_mode_2)
{
	int64_t ratio = read_number(OVERCOMMIT_RATIO);
	int ret;

	ASSERT_TRUE(limit_system(MIB(256)));
	ret = in_child(told_of_mode_2, &self->fd);
	EXPECT_TRUE(unlimit_system(ratio));
	EXPECT_EQ(0, ret);
}

/* ---- what is in store ---- */

struct pair {
	int fd;
	struct rendezvous rv;
};

/* Commits much and keeps little: what it keeps in store is not used. */
static int keep_store(void *arg)
{
	struct pair *pair = arg;
	char *region = wr_reserve(pair->fd, MIB(64));

	CHECK(region && !wr_commit(pair->fd, region, MIB(32), RW));
	CHECK(WR_INFO(pair->fd, out_charged) >= MIB(36));
	rendezvous_signal(&pair->rv, 0);
	rendezvous_wait(&pair->rv, 0);
	/* It is not told that it has less, nor needs to know. */
	CHECK(WR_INFO(pair->fd, out_committed) == MIB(32));
	CHECK(WR_INFO(pair->fd, out_charged) == MIB(32));
	CHECK(wr_commit(pair->fd, region + MIB(32), MIB(2), RW) == -EDQUOT);
	CHECK(!wr_decommit(pair->fd, region, MIB(16)));
	CHECK(!wr_commit(pair->fd, region + MIB(32), MIB(16), RW));
	return 0;
}

/* Charge in store is there for whoever would be refused without it. */
TEST_F(charge, store_is_for_all)
{
	struct pair pair = { .fd = self->fd };
	char *region = wr_reserve(self->fd, MIB(64));
	struct child child;

	if (self->before.out_total)
		SKIP(return, "somebody else has regions");
	ASSERT_NE(NULL, region);
	ASSERT_TRUE(rendezvous_init(&pair.rv));
	ASSERT_TRUE(write_number(COMMIT_LIMIT, 64));
	child = start_child(keep_store, &pair);
	rendezvous_wait(&pair.rv, 1);
	/* What cannot be granted leaves it where it is. */
	EXPECT_EQ(-EDQUOT, wr_commit(self->fd, region, MIB(33), RW));
	EXPECT_LE(MIB(36), WR_INFO(self->fd, out_total));
	EXPECT_EQ(0, wr_commit(self->fd, region, MIB(32), RW));
	EXPECT_EQ(MIB(64), WR_INFO(self->fd, out_total));
	rendezvous_signal(&pair.rv, 1);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(write_number(COMMIT_LIMIT, 0));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* Of many processes, each has a little. */
#define MANY 40

static int keep_little(void *arg)
{
	struct pair *pair = arg;
	char *region = wr_alloc(pair->fd, KIB(64));

	CHECK(region);
	rendezvous_signal(&pair->rv, 0);
	rendezvous_wait(&pair->rv, 0);
	return 0;
}

TEST_F(charge, stores_of_many)
{
	struct pair pair = { .fd = self->fd };
	struct child child[MANY];
	char *region = wr_reserve(self->fd, MIB(64));
	int i;

	if (self->before.out_total)
		SKIP(return, "somebody else has regions");
	ASSERT_NE(NULL, region);
	ASSERT_TRUE(rendezvous_init(&pair.rv));
	ASSERT_TRUE(write_number(COMMIT_LIMIT, 64));
	for (i = 0; i < MANY; i++) {
		child[i] = start_child(keep_little, &pair);
		rendezvous_wait(&pair.rv, 1);
	}
	EXPECT_LE(MIB(MANY), WR_INFO(self->fd, out_total));
	EXPECT_EQ(0, wr_commit(self->fd, region, MIB(61), RW));
	EXPECT_GE(MIB(64), WR_INFO(self->fd, out_total));
	for (i = 0; i < MANY; i++)
		rendezvous_signal(&pair.rv, 1);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(0, end_child(&child[i]));
	EXPECT_TRUE(write_number(COMMIT_LIMIT, 0));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* Of what was committed at once, a part is given back as well as all. */
static int commit_both(int fd, char **few, char **many)
{
	struct winregion_range ranges[2] = {};

	*few = wr_reserve(fd, MIB(4));
	*many = wr_reserve(fd, MIB(64));
	if (!*few || !*many)
		return -errno;
	ranges[0].address = (uintptr_t)*few;
	ranges[0].length = MIB(4);
	ranges[1].address = (uintptr_t)*many;
	ranges[1].length = MIB(64);
	ranges[0].protection = RW;
	ranges[1].protection = RW;
	return wr_vector(fd, WINREGION_COMMIT, ranges, 2);
}

static int give_back(void *arg)
{
	int fd = *(int *)arg;
	int64_t as = committed_as();
	char *few, *many;

	CHECK(!commit_both(fd, &few, &many));
	CHECK(WR_INFO(fd, out_charged) >= MIB(68));
	CHECK(!munmap(many, MIB(64)));
	CHECK(WR_INFO(fd, out_committed) == MIB(4));
	CHECK(WR_INFO(fd, out_charged) <= MIB(5));
	CHECK(SETTLES(committed_as() <= as + (int64_t)MIB(12)));
	/* A release does the same, */
	CHECK(!wr_release(fd, few, 0));
	CHECK(!commit_both(fd, &few, &many));
	CHECK(!wr_release(fd, many, 0));
	CHECK(WR_INFO(fd, out_charged) <= MIB(5));
	CHECK(SETTLES(committed_as() <= as + (int64_t)MIB(12)));
	/* and with the last region all of it goes. */
	CHECK(!munmap(few, MIB(4)));
	CHECK(WR_INFO(fd, out_charged) == 0);
	return 0;
}

TEST_F(charge, given_back)
{
	EXPECT_EQ(0, in_child(give_back, &self->fd));
}

/* ---- what is promised ---- */

/* All that the module says is left, */
static int use_what_is_left(void *arg)
{
	int fd = *(int *)arg;
	uint64_t size = left(fd);
	char *region = wr_reserve(fd, size);

	CHECK(size && region);
	/* if nobody needs some of it in this moment, */
	while (wr_commit(fd, region, size, RW)) {
		CHECK(size > left(fd) / 2);
		size -= MIB(1);
	}
	/* can be touched. */
	return touch_all(region, size);
}

TEST_F_TIMEOUT(charge, commit_then_touch, 300)
{
	EXPECT_EQ(0, in_child(use_what_is_left, &self->fd));
}

/* The same in small steps, each touched at once */
static int commit_and_touch_small(void *arg)
{
	int fd = *(int *)arg;
	uint64_t size = self_status("VmSize") + meminfo("MemTotal"), at;
	char *region = wr_reserve(fd, size);

	CHECK(region);
	for (at = 0; at < size; at += MIB(2)) {
		if (wr_commit(fd, region + at, MIB(2), RW))
			break;
		touch_all(region + at, MIB(2));
	}
	CHECK(at < size && at > size / 2);
	return 0;
}

TEST_F_TIMEOUT(charge, touch_each_commit, 300)
{
	EXPECT_EQ(0, in_child(commit_and_touch_small, &self->fd));
}

/* Memory that somebody else uses is not promised; what was promised stays. */
static int beside_others(void *arg)
{
	int fd = *(int *)arg;
	char *region, *more, *other;
	uint64_t before, after;

	region = wr_alloc(fd, MIB(64));
	CHECK(region);
	before = left(fd);
	CHECK(before > MIB(256));
	more = wr_reserve(fd, before);
	CHECK(more);
	other = mmap(NULL, MIB(192), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(other != MAP_FAILED);
	touch_all(other, MIB(192));
	after = left(fd);
	CHECK(is_about(before, after + MIB(192), BESIDE));
	CHECK(wr_commit(fd, more, after + MIB(64), RW) == -EDQUOT);
	fill_pages(region, 1024, 1);
	CHECK(!munmap(other, MIB(192)));
	CHECK(SETTLES(left(fd) + BESIDE > before && left(fd) >= after + MIB(64)));
	CHECK(!wr_commit(fd, more, after + MIB(64), RW));
	return 0;
}

TEST_F_TIMEOUT(charge, beside_other_memory, 120)
{
	EXPECT_EQ(0, in_child(beside_others, &self->fd));
}

/* What is in memory is not promised twice, whatever has become of it. */
static int write_in_child(void *arg)
{
	char *region = arg;

	fill_pages(region, 4096, 2);
	return 0;
}

static int use_in_turn(void *arg)
{
	int fd = *(int *)arg;
	uint64_t first = left(fd), now;
	char *region = wr_alloc(fd, MIB(128));
	int i;

	CHECK(region && first > MIB(256));
	now = first - left(fd);
	CHECK(is_about(now, MIB(160), MIB(64)));
	for (i = 0; i < 8; i++) {
		touch_all(region, MIB(128));
		CHECK(is_about(first, left(fd) + now, BESIDE));
		CHECK(!in_child(write_in_child, region));
		CHECK(!wr_protect(fd, region, MIB(32), RO));
		CHECK(SETTLES(is_about(first, left(fd) + now, BESIDE)));
		CHECK(!wr_decommit(fd, region, MIB(96)));
		CHECK(!wr_commit(fd, region, MIB(128), RW));
	}
	CHECK(!wr_release(fd, region, 0));
	CHECK(SETTLES(is_about(first, left(fd), BESIDE)));
	return 0;
}

TEST_F_TIMEOUT(charge, touched_counts_once, 120)
{
	EXPECT_EQ(0, in_child(use_in_turn, &self->fd));
}

/*
 * A process whose parent has ended has all of the pages to itself. They are in
 * memory, written or not: daemon(3).
 */
#define INHERITED MIB(144)

FIXTURE(inherited)
{
	int fd;
	uint64_t first;
	char *region;
	/* From the parent to whom is left, and what that has found */
	int gone[2];
	int result[2];
};

FIXTURE_VARIANT(inherited)
{
	uint64_t alignment;
	/* Pages of 4 KiB that the parent has written after the fork */
	unsigned int written;
	unsigned int generations;
};

FIXTURE_VARIANT_ADD(inherited, small_pages)
{
	.generations = 1,
};

FIXTURE_VARIANT_ADD(inherited, large_pages)
{
	.alignment = MIB(2),
	.generations = 1,
};

FIXTURE_VARIANT_ADD(inherited, written)
{
	.alignment = MIB(2),
	.written = 300,
	.generations = 1,
};

FIXTURE_VARIANT_ADD(inherited, small_written)
{
	.written = 300,
	.generations = 1,
};

FIXTURE_VARIANT_ADD(inherited, generations)
{
	.generations = 3,
};

FIXTURE_SETUP(inherited)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, pipe2(self->gone, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(self->result, O_CLOEXEC));
}

FIXTURE_TEARDOWN(inherited)
{
	close(self->fd);
}

struct heir {
	FIXTURE_DATA(inherited) *self;
	const FIXTURE_VARIANT(inherited) *variant;
};

/* What is left is what there was but for the pages, and what is in store. */
static int count_inherited(struct heir *heir)
{
	FIXTURE_DATA(inherited) *self = heir->self;
	uint64_t used = INHERITED + INHERITED / 4;
	char byte;

	/* Nobody holds the other end any more. */
	close(self->gone[1]);
	CHECK(read(self->gone[0], &byte, 1) == 0);
	CHECK(SETTLES(WR_INFO(self->fd, out_total) <=
		      WR_INFO(self->fd, out_charged)));
	CHECK(SETTLES(left(self->fd) + used + MIB(64) >= self->first));
	CHECK(left(self->fd) + MIB(64) <= self->first);
	/* The same once it has been written, and when it is gone */
	touch_all(self->region, INHERITED);
	CHECK(SETTLES(left(self->fd) + used + MIB(64) >= self->first));
	CHECK(left(self->fd) + MIB(64) <= self->first);
	CHECK(!wr_release(self->fd, self->region, 0));
	CHECK(SETTLES(left(self->fd) + BESIDE >= self->first));
	return 0;
}

/* Each generation ends as soon as the next one is there. */
static int leave_heir(struct heir *heir, unsigned int more)
{
	FIXTURE_DATA(inherited) *self = heir->self;
	pid_t pid = fork();
	unsigned int i;
	int line;

	CHECK(pid >= 0);
	if (!pid && more > 1) {
		_exit(leave_heir(heir, more - 1));
	} else if (!pid) {
		line = count_inherited(heir);
		if (write(self->result[1], &line, sizeof(line)) < 0)
			_exit(1);
		_exit(0);
	}
	for (i = 0; i < heir->variant->written; i++)
		self->region[i * (INHERITED / 4096 / heir->variant->written) *
			     4096] = 2;
	return 0;
}

static int leave_pages_of(struct heir *heir, FIXTURE_DATA(inherited) *self)
{
	if (!heir->variant->alignment)
		small_pages_only();
	self->first = left(self->fd);
	CHECK(self->first > 2 * INHERITED + MIB(128));
	self->region = wr_reserve_aligned(self->fd, INHERITED,
					  heir->variant->alignment, true);
	CHECK(self->region);
	touch_all(self->region, INHERITED);
	return leave_heir(heir, heir->variant->generations);
}

static int leave_pages(void *arg)
{
	struct heir *heir = arg;

	return leave_pages_of(heir, heir->self);
}

/* Hazard B1. */
TEST_F_TIMEOUT(inherited, counts_as_in_memory, 120)
{
	struct heir heir = { .self = self, .variant = variant };
	int line = -1;

	if (WR_INFO(self->fd, out_total))
		SKIP(return, "somebody else has regions");
	ASSERT_EQ(0, in_child(leave_pages, &heir));
	close(self->gone[1]);
	ASSERT_EQ((ssize_t)sizeof(line),
		  read(self->result[0], &line, sizeof(line)));
	EXPECT_EQ(0, line);
	EXPECT_TRUE(SETTLES(!WR_INFO(self->fd, out_total)));
}

/* ---- what one user may have ---- */

struct hoarder {
	int fd;
	uid_t uid;
	struct rendezvous rv;
	uint64_t *got;
};

static int hoard(void *arg)
{
	struct hoarder *hoarder = arg;
	uint64_t size, told;
	int fd = hoarder->fd;

	CHECK(!setuid(hoarder->uid));
	told = left(fd);
	for (size = GIB(16); size >= KIB(64); size /= 2)
		while (wr_alloc(fd, size))
			*hoarder->got += size;
	CHECK(is_about(told, *hoarder->got, MIB(64)));
	/* Nor is there more in another process, or another namespace. */
	CHECK(left(fd) < hardly_any());
	if (!unshare(CLONE_NEWUSER))
		CHECK(left(fd) < hardly_any());
	rendezvous_signal(&hoarder->rv, 0);
	rendezvous_wait(&hoarder->rv, 0);
	return 0;
}

static int commit_some(void *arg)
{
	struct hoarder *hoarder = arg;

	CHECK(!hoarder->uid || !setuid(hoarder->uid));
	CHECK(wr_alloc(hoarder->fd, MIB(1)));
	CHECK(wr_alloc(hoarder->fd, MIB(32)));
	return 0;
}

static void start_hoarder(struct hoarder *hoarder, int fd, uid_t uid,
			  struct child *child)
{
	hoarder->fd = fd;
	hoarder->uid = uid;
	hoarder->got = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!rendezvous_init(&hoarder->rv) || hoarder->got == MAP_FAILED)
		abort();
	*child = start_child(hoard, hoarder);
	rendezvous_wait(&hoarder->rv, 1);
}

static int end_hoarder(struct hoarder *hoarder, struct child *child)
{
	rendezvous_signal(&hoarder->rv, 1);
	return end_child(child);
}

/* One user, or two, can have most of it, but never all. */
TEST_F_TIMEOUT(charge, share_of_a_user, 60)
{
	struct hoarder first = {}, second = {}, root = { .fd = self->fd };
	struct hoarder other = { .fd = self->fd, .uid = SOMEBODY_ELSE };
	struct child child[2];
	uint64_t all = left(self->fd);

	start_hoarder(&first, self->fd, SOMEBODY, &child[0]);
	EXPECT_TRUE(is_about(*first.got, all / 4 * 3, MIB(48)));
	EXPECT_EQ(0, in_child(commit_some, &root));
	EXPECT_EQ(0, in_child(commit_some, &other));
	start_hoarder(&second, self->fd, SOMEBODY_ELSE, &child[1]);
	EXPECT_TRUE(is_about(*second.got, all / 16 * 3, MIB(48)));
	EXPECT_EQ(0, in_child(commit_some, &root));
	EXPECT_EQ(0, end_hoarder(&second, &child[1]));
	EXPECT_EQ(0, end_hoarder(&first, &child[0]));
}

/*
 * A container has ids of its own, of a namespace that root has made: all of them
 * together are one user.
 */
struct container {
	int fd;
	struct rendezvous rv;
	/* Where its ids are in the system, or 0 if they are the system's */
	uid_t ids;
	uint64_t all;
};

static int be_another_user(void *arg)
{
	struct container *container = arg;

	CHECK(!setuid(SOMEBODY_ELSE));
	CHECK(container->ids ? left(container->fd) < hardly_any() :
			       left(container->fd) > container->all / 8);
	return 0;
}

static int be_container(void *arg)
{
	struct container *container = arg;
	struct hoarder hoarder = {};
	struct child child;
	int ret;

	CHECK(!unshare(CLONE_NEWUSER));
	rendezvous_signal(&container->rv, 0);
	rendezvous_wait(&container->rv, 0);
	CHECK(!setuid(0));
	start_hoarder(&hoarder, container->fd, SOMEBODY, &child);
	CHECK(is_about(*hoarder.got, container->all / 4 * 3, MIB(64)));
	ret = in_child(be_another_user, container);
	CHECK(!end_hoarder(&hoarder, &child));
	return ret;
}

static bool map_ids(pid_t pid, uid_t ids)
{
	char path[32], map[32];

	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	snprintf(map, sizeof(map), "0 %u 65536\n", ids);
	return write_text(path, map);
}

TEST_F_TIMEOUT(charge, share_of_a_container, 60)
{
	struct container container = { .fd = self->fd };
	struct child child;

	container.all = left(self->fd);
	for (container.ids = 0; container.ids <= 100000;
	     container.ids += 100000) {
		ASSERT_TRUE(rendezvous_init(&container.rv));
		child = start_child(be_container, &container);
		rendezvous_wait(&container.rv, 1);
		ASSERT_TRUE(map_ids(child.pid, container.ids));
		rendezvous_signal(&container.rv, 1);
		EXPECT_EQ(0, end_child(&child)) {
			TH_LOG("ids from %u on", container.ids);
		}
	}
}

/* The administrator says how much. */
TEST_F_TIMEOUT(charge, share_is_a_parameter, 60)
{
	uint64_t all = left(self->fd);
	struct hoarder hoarder = {};
	struct child child;

	ASSERT_EQ(75, read_number(USER_SHARE));
	ASSERT_TRUE(write_number(USER_SHARE, 25));
	start_hoarder(&hoarder, self->fd, SOMEBODY, &child);
	EXPECT_TRUE(write_number(USER_SHARE, 75));
	EXPECT_TRUE(is_about(*hoarder.got, all / 4, MIB(64)));
	EXPECT_EQ(0, end_hoarder(&hoarder, &child));
}

TEST_HARNESS_MAIN
