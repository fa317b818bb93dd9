// SPDX-License-Identifier: GPL-2.0
/*
 * A machine with two memory nodes: the kernel looks for pages that are far
 * from who uses them, by taking their PTEs away for a while, and a program may
 * say where pages are to be.
 */
/* vm: timeout=900 append=numa=fake=2 */
#include "kselftest_harness.h"

#include <linux/mempolicy.h>
#include <pthread.h>

#include "common.h"
#include "wr_test_util.h"

#define NR_PAGES 1024
#define BALANCING "/proc/sys/kernel/numa_balancing"
#define SCAN "/sys/kernel/debug/sched/numa_balancing/"

FIXTURE(numa)
{
	int fd;
	char *base;
};

FIXTURE_SETUP(numa)
{
	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, "one memory node only; \"make test\" has two");
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->base = wr_alloc(self->fd, PAGES(NR_PAGES));
	ASSERT_NE(NULL, self->base);
}

FIXTURE_TEARDOWN(numa)
{
	close(self->fd);
}

/* Hinting faults */

static int64_t counter(const char *name)
{
	FILE *file = fopen("/proc/vmstat", "re");
	long long number;
	char word[64];

	if (!file)
		return -1;
	while (fscanf(file, "%63s %lld", word, &number) == 2)
		if (!strcmp(word, name))
			break;
	fclose(file);
	return strcmp(word, name) ? -1 : number;
}

/* As often as it goes, all of the address space each time */
static bool hurry_up(void)
{
	static const struct {
		const char *path;
		int64_t number;
	} knobs[] = {
		{ SCAN "scan_period_max_ms", 20 },
		{ SCAN "scan_period_min_ms", 10 },
		{ SCAN "scan_delay_ms", 10 },
		{ SCAN "scan_size_mb", 64 },
		{ SCAN "hot_threshold_ms", 1 },
		{ BALANCING, 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++)
		if (!write_number(knobs[i].path, knobs[i].number) &&
		    !strstr(knobs[i].path, "hot_threshold"))
			return false;
	return true;
}

static void read_each(const volatile char *base, unsigned int pages)
{
	unsigned int i;

	for (i = 0; i < pages; i++)
		(void)base[PAGES(i)];
}

/* Of a program with one thread only far pages are looked at. */
static void *second_thread(void *arg)
{
	while (!*(volatile int *)arg)
		sleep_ms(20);
	return NULL;
}

/*
 * The scanner goes over all of the address space, again and again. What it
 * does to ordinary memory says how far it is: that is @plain.
 */
static int scan_and_use(const char *base, char *plain)
{
	int64_t start = counter("numa_pte_updates");
	uint64_t end = now_ms() + 100000;
	unsigned int round = 0;
	volatile int stop = 0;
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, second_thread, (void *)&stop));
	while (counter("numa_pte_updates") < start + 3 * NR_PAGES) {
		CHECK(now_ms() < end);
		fill_pages(plain, NR_PAGES, round++);
		read_each(base, NR_PAGES);
	}
	stop = 1;
	pthread_join(thread, NULL);
	/* What the last pass has taken away comes back by an access. */
	read_each(base, NR_PAGES);
	return 0;
}

static unsigned int count_written(char *base, unsigned int pages)
{
	unsigned int i, n = 0;

	for (i = 0; i < pages; i++)
		n += try_write(base + PAGES(i));
	return n;
}

static char *plain_memory(void)
{
	char *map = mmap(NULL, PAGES(NR_PAGES), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* Small pages, which are counted one by one */
	madvise(map, PAGES(NR_PAGES), MADV_NOHUGEPAGE);
	return map;
}

/*
 * Pages that were written and pages that were first read; then all of them are
 * read-only.
 */
static int scan_readonly(void *arg)
{
	FIXTURE_DATA(numa) *self = arg;
	char *base, *half, *plain = plain_memory();

	CHECK(plain != MAP_FAILED);
	/* What a child inherits has been write-protected before. */
	base = wr_alloc(self->fd, PAGES(NR_PAGES));
	CHECK(base);
	half = base + PAGES(NR_PAGES / 2);
	CHECK(hurry_up());
	fill_pages(base, NR_PAGES / 2, 1000);
	read_each(half, NR_PAGES / 2);
	fill_pages(half, NR_PAGES / 2, 1000 + NR_PAGES / 2);
	CHECK(!wr_protect(self->fd, base, PAGES(NR_PAGES), RO));
	CHECK(!scan_and_use(base, plain));
	CHECK(count_written(base, NR_PAGES) == 0);
	CHECK(pages_have(base, NR_PAGES, 1000));

	/* Rights that come and go meanwhile */
	CHECK(!wr_protect(self->fd, base, PAGES(NR_PAGES), RW));
	fill_pages(base, NR_PAGES, 2000);
	CHECK(!wr_protect(self->fd, half, PAGES(NR_PAGES / 2), RO));
	CHECK(!scan_and_use(base, plain));
	CHECK(count_written(half, NR_PAGES / 2) == 0);
	CHECK(pages_have(base, NR_PAGES, 2000));
	fill_pages(base, NR_PAGES / 2, 3000);
	CHECK(pages_have(base, NR_PAGES / 2, 3000));
	return 0;
}

/*
 * Hazard A1. When a PTE comes back that was taken away to see who uses the
 * page, the kernel takes one that is read-only and dirty for one that may be
 * written. There is no such PTE.
 */
TEST_F_TIMEOUT(numa, readonly_stays, 120)
{
	EXPECT_EQ(0, in_child(scan_readonly, self));
}

struct sharing {
	FIXTURE_DATA(numa) numa;
	struct rendezvous rv;
};

static int hold_shares(void *arg)
{
	struct sharing *sharing = arg;

	rendezvous_wait(&sharing->rv, 1);
	return !pages_have(sharing->numa.base, NR_PAGES, 1000);
}

static int scan_shared(void *arg)
{
	struct sharing *sharing = arg;
	char *base = sharing->numa.base, *plain = plain_memory();
	struct child child;

	CHECK(plain != MAP_FAILED);
	CHECK(hurry_up());
	fill_pages(base, NR_PAGES, 1000);
	/* All pages are shared with this one until they are written. */
	child = start_child(hold_shares, sharing);
	CHECK(!scan_and_use(base, plain));
	fill_pages(base, NR_PAGES / 2, 5000);
	CHECK(!scan_and_use(base, plain));
	CHECK(pages_have(base, NR_PAGES / 2, 5000));
	rendezvous_signal(&sharing->rv, 0);
	CHECK(!end_child(&child));
	return 0;
}

/* Hazard A1. Same for copy-on-write: a page that a fork shares */
TEST_F_TIMEOUT(numa, shared_pages_stay, 120)
{
	struct sharing sharing = { .numa = *self };

	ASSERT_TRUE(rendezvous_init(&sharing.rv));
	fill_pages(self->base, NR_PAGES, 1000);
	EXPECT_EQ(0, in_child(scan_shared, &sharing));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 1000));
}

/* Placement */

/* The node of the page at @addr, or -errno */
static int node_of(char *addr)
{
	void *page = addr;
	int status = 4711;

	if (syscall(SYS_move_pages, 0, 1, &page, NULL, &status, 0))
		return -errno;
	return status;
}

/*
 * Pages come from where the program's own policy says at the first touch of their
 * unit, the rest of which a fault may make as well.
 */
TEST_F(numa, policy_of_the_task)
{
	unsigned long mask;
	int node, got;
	char *at;

	small_pages_only();
	for (node = 0; node < 2; node++) {
		mask = 1UL << node;
		at = self->base + PAGES(node * 16);
		ASSERT_EQ(0, syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 64));
		fill_pages(at, 8, 1);
		EXPECT_EQ(node, node_of(at));
		EXPECT_EQ(node, node_of(at + PAGES(7)));
		ASSERT_EQ(0, syscall(SYS_get_mempolicy, &got, NULL, 0,
				     at,
				     MPOL_F_NODE | MPOL_F_ADDR));
		EXPECT_EQ(node, got);
	}
	ASSERT_EQ(0, syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0));
}

/* Pages do not move, and a policy of the mapping is not asked. */
TEST_F(numa, pages_stay_where_they_are)
{
	unsigned long node0 = 1, node1 = 2, other;
	char *page = self->base;
	void *pages[2] = { page, page + PAGES(1) };
	int nodes[2], status[2] = { 4711, 4711 };
	int node;

	fill_pages(page, 4, 10);
	ASSERT_EQ(0, wr_protect(self->fd, page + PAGES(1), PAGES(1), RO));
	ASSERT_TRUE(pages_have(page, 4, 10));
	node = node_of(page);
	ASSERT_LE(0, node);
	nodes[0] = !node;
	nodes[1] = !node;
	EXPECT_EQ(0, syscall(SYS_move_pages, 0, 2, pages, nodes, status,
			     MPOL_MF_MOVE));
	EXPECT_EQ(-EBUSY, status[0]);
	EXPECT_EQ(-EBUSY, status[1]);
	other = node ? node0 : node1;
	EXPECT_EQ(-1, syscall(SYS_mbind, page, PAGES(2), MPOL_BIND, &other,
			      64, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, syscall(SYS_mbind, page, PAGES(NR_PAGES), MPOL_BIND,
			     &other, 64, MPOL_MF_MOVE));
	EXPECT_EQ(-1, syscall(SYS_mbind, page, PAGES(NR_PAGES), MPOL_BIND,
			      &other, 64, MPOL_MF_MOVE | MPOL_MF_STRICT));
	EXPECT_EQ(EIO, errno);
	syscall(SYS_migrate_pages, 0, 64, node ? &node1 : &node0, &other);
	EXPECT_EQ(node, node_of(page));
	EXPECT_TRUE(pages_have(page, 4, 10));
	EXPECT_FALSE(try_write(page + PAGES(1)));
	EXPECT_EQ(1, count_vmas(page, PAGES(NR_PAGES)));
	fill_page(page + PAGES(100), 3);
	EXPECT_EQ(node, node_of(page + PAGES(100)));
}

TEST_HARNESS_MAIN
