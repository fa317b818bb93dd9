// SPDX-License-Identifier: GPL-2.0
/*
 * A machine with two memory nodes: the kernel looks for pages that are far
 * from who uses them, by taking their PTEs away for a while, and a program may
 * say where pages are to be.
 */
/* vm: timeout=900 mem=1G append=numa=fake=2 */
#include "kselftest_harness.h"

#include <linux/mempolicy.h>
#include <pthread.h>

#include <winregion/processthreadsapi.h>
#include <winregion/systemtopologyapi.h>

#include "placeholders.h"
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
	write_text(BALANCING, "0");
	close(self->fd);
}

/* The task has one processor from now on, whose node its pages are of. */
static bool stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	return !sched_setaffinity(0, sizeof(here), &here);
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

	ASSERT_TRUE(stay_here());
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

/* ---- the node of a region ---- */

#define NODE WINREGION_RESERVE_NODE
#define COMMIT WINREGION_RESERVE_COMMIT

/* What the task's own policy says, which must not matter */
static bool task_wants(int node)
{
	unsigned long mask = 1UL << node;

	return !syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 64);
}

static bool task_wants_nothing(void)
{
	return !syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
}

static int reserve_on(int fd, char **base, uint64_t length, uint32_t flags,
		      uint32_t node)
{
	struct winregion_reserve arg = {
		.size = sizeof(arg),
		.flags = flags | NODE,
		.protection = RW,
		.node = node,
		.address = (uintptr_t)*base,
		.length = length,
	};
	int ret = wr_ioctl(fd, WINREGION_RESERVE, &arg);

	if (!ret)
		*base = (char *)(uintptr_t)arg.address;
	return ret;
}

/* Write them, and see where they are. */
static unsigned int written_on(char *base, size_t pages, int node)
{
	size_t i, n = 0;

	for (i = 0; i < pages; i++) {
		base[PAGES(i)] = 1;
		n += node_of(base + PAGES(i)) == node;
	}
	return n;
}

/* Rule VX-08. Of pages that are made one by one, ahead, and as a unit */
TEST_F(numa, region_on_a_node)
{
	char *base[2] = { NULL, NULL }, *beside;
	int node;

	small_pages_only();
	ASSERT_TRUE(WR_INFO(self->fd, out_features) & WINREGION_FEATURE_NODE);
	for (node = 0; node < 2; node++) {
		ASSERT_EQ(0, reserve_on(self->fd, &base[node], KIB(256), COMMIT,
					node));
		beside = wr_alloc(self->fd, KIB(64));
		ASSERT_TRUE(task_wants(!node));
		EXPECT_EQ(64, written_on(base[node], 64, node));
		EXPECT_EQ(16, written_on(beside, 16, !node));
		/* Again, and after a decommit */
		ASSERT_EQ(0, wr_decommit(self->fd, base[node], KIB(128)));
		ASSERT_EQ(0, wr_commit(self->fd, base[node], KIB(128), RW));
		ASSERT_TRUE(task_wants(node));
		ASSERT_TRUE(task_wants(!node));
		EXPECT_EQ(64, written_on(base[node], 64, node));
	}
	ASSERT_TRUE(task_wants_nothing());
}

/* Rule VX-08. What a release leaves, what is watched, what replaces a placeholder */
TEST_F(numa, node_goes_on)
{
	uint64_t place = 0;
	char *base = NULL;

	small_pages_only();
	ASSERT_TRUE(task_wants(0));
	ASSERT_EQ(0, reserve_on(self->fd, &base, KIB(512), COMMIT, 1));
	ASSERT_EQ(0, wr_release(self->fd, base + KIB(128), KIB(64)));
	EXPECT_EQ(32, written_on(base, 32, 1));
	EXPECT_EQ(80, written_on(base + KIB(192), 80, 1));

	base = NULL;
	ASSERT_EQ(0, reserve_on(self->fd, &base, MIB(4),
				COMMIT | WINREGION_RESERVE_WRITE_WATCH, 1));
	EXPECT_EQ(64, written_on(base, 64, 1));

	ASSERT_EQ(0, wr_reserve_at(self->fd, &place, KIB(256),
				   WINREGION_RESERVE_PLACEHOLDER,
				   WINREGION_NOACCESS));
	base = (char *)(uintptr_t)place;
	EXPECT_EQ(-EBADSLT, reserve_on(self->fd, &base, KIB(128),
				       COMMIT | WINREGION_RESERVE_REPLACE, 1));
	ASSERT_EQ(0, reserve_on(self->fd, &base, KIB(256),
				COMMIT | WINREGION_RESERVE_REPLACE, 1));
	EXPECT_EQ(64, written_on(base, 64, 1));
	/* A placeholder again, it has none. */
	ASSERT_TRUE(preserve(base, KIB(256)));
	EXPECT_EQ(base, alloc2(base, KIB(256), REPLACE_NOW, PAGE_READWRITE));
	EXPECT_EQ(64, written_on(base, 64, 0));
	ASSERT_TRUE(preserve(base, KIB(256)));
	ASSERT_EQ(0, reserve_on(self->fd, &base, KIB(256),
				WINREGION_RESERVE_REPLACE, 1));
	ASSERT_EQ(0, wr_commit(self->fd, base, KIB(256), RW));
	EXPECT_EQ(64, written_on(base, 64, 1));
	ASSERT_TRUE(task_wants_nothing());
}

/* 2 MiB pages of the node. Rule VX-08 */
TEST_F(numa, node_of_large_pages)
{
	char *base[2] = { NULL, NULL };
	int node, i;

	ASSERT_TRUE(set_large(true));
	for (node = 0; node < 2; node++) {
		ASSERT_TRUE(task_wants(!node));
		ASSERT_EQ(0, reserve_on(self->fd, &base[node], MIB(16), COMMIT,
					node));
		for (i = 0; i < 8; i++)
			EXPECT_EQ(1, written_on(base[node] + i * MIB(2), 1,
						node));
		EXPECT_TRUE(is_part(base[node] + MIB(8)));
		EXPECT_EQ(node, node_of(base[node] + MIB(9)));
	}
	ASSERT_TRUE(task_wants_nothing());
}

/* A region of large pages. Rules VX-08, LP-01 */
TEST_F(numa, node_of_large_region)
{
	char *base[2] = { NULL, NULL };
	int node, i;

	for (node = 0; node < 2; node++) {
		ASSERT_TRUE(task_wants(!node));
		ASSERT_EQ(0, reserve_on(self->fd, &base[node], MIB(8),
					COMMIT | WINREGION_RESERVE_LARGE_PAGES,
					node));
		for (i = 0; i < 8; i++) {
			(void)*(volatile char *)(base[node] + i * MIB(1));
			EXPECT_EQ(node, node_of(base[node] + i * MIB(1)));
		}
		EXPECT_TRUE(page_is_zero(base[node] + MIB(5)));
	}
	ASSERT_TRUE(task_wants_nothing());
}

static int child_on_node(void *arg)
{
	char *base = arg;

	CHECK(written_on(base, 64, 1) == 64);
	return 0;
}

/* A child's copies, and what it touches first. Rule VX-08 */
TEST_F(numa, node_in_a_child)
{
	char *base = NULL;

	small_pages_only();
	ASSERT_EQ(0, reserve_on(self->fd, &base, KIB(256), COMMIT, 1));
	ASSERT_TRUE(task_wants(0));
	EXPECT_EQ(32, written_on(base, 32, 1));
	EXPECT_EQ(0, in_child(child_on_node, base));
	EXPECT_EQ(64, written_on(base, 64, 1));
	ASSERT_TRUE(task_wants_nothing());
}

/* Rule VX-08. It is a preference: what the node has not comes from another. */
TEST_F_TIMEOUT(numa, more_than_a_node_has, 120)
{
	ULONGLONG bytes[2] = { 0, 0 };
	size_t size, i, n[2] = { 0, 0 };
	char *base = NULL;
	int wanted, node;

	small_pages_only();
	ASSERT_TRUE(GetNumaAvailableMemoryNode(0, &bytes[0]));
	ASSERT_TRUE(GetNumaAvailableMemoryNode(1, &bytes[1]));
	/* With an emulated machine nearly all of one may be in use. */
	wanted = bytes[1] > bytes[0];
	size = bytes[wanted] + bytes[!wanted] / 4;
	ASSERT_EQ(0, reserve_on(self->fd, &base, size, COMMIT, wanted));
	for (i = 0; i < size; i += PAGES(1))
		base[i] = 1;
	for (i = 0; i < size; i += MIB(2)) {
		node = node_of(base + i);
		if (node == 0 || node == 1)
			n[node]++;
	}
	/* What is told of the node has contents of files in it: not all comes from there. */
	EXPECT_LT(0, n[!wanted]);
	EXPECT_EQ((size + MIB(2) - 1) / MIB(2), n[0] + n[1]);
	ASSERT_EQ(0, wr_release(self->fd, base, 0));
}

/* Rule VX-08. Nodes that there are not, and the field without its flag */
TEST_F(numa, nodes_that_are_none)
{
	struct winregion_reserve arg = {
		.size = sizeof(arg),
		.protection = RW,
		.length = KIB(64),
		.node = 1,
	};
	uint64_t regions = WR_INFO(self->fd, out_regions);
	char *base = NULL;

	EXPECT_EQ(-EINVAL, wr_ioctl(self->fd, WINREGION_RESERVE, &arg));
	EXPECT_EQ(-EINVAL, reserve_on(self->fd, &base, KIB(64), 0, 2));
	EXPECT_EQ(-EINVAL, reserve_on(self->fd, &base, KIB(64), 0, 1023));
	EXPECT_EQ(-EINVAL, reserve_on(self->fd, &base, KIB(64), 0, UINT32_MAX));
	arg.flags = WINREGION_RESERVE_PLACEHOLDER | NODE;
	arg.protection = WINREGION_NOACCESS;
	EXPECT_EQ(-EINVAL, wr_ioctl(self->fd, WINREGION_RESERVE, &arg));
	EXPECT_EQ(regions, WR_INFO(self->fd, out_regions));
}

/* ---- by the names of Windows ---- */

#define FAILS(error, call) do {						\
	SetLastError(POISON);						\
	EXPECT_FALSE(call);						\
	EXPECT_EQ(error, GetLastError());				\
} while (0)

static MEM_EXTENDED_PARAMETER on_node(ULONG node)
{
	return (MEM_EXTENDED_PARAMETER){
		.Type = MemExtendedParameterNumaNode,
		.ULong = node,
	};
}

/* Rule VX-08. */
TEST_F(numa, allocations)
{
	MEM_EXTENDED_PARAMETER one = on_node(1), any = on_node(0xffffffff);
	MEM_EXTENDED_PARAMETER none = on_node(2);
	const DWORD type = MEM_RESERVE | MEM_COMMIT;
	PVOID base = NULL;
	SIZE_T size = UNIT;
	char *at;

	ASSERT_TRUE(task_wants(0));
	at = VirtualAllocExNuma(SELF, NULL, UNIT, type, PAGE_READWRITE, 1);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(16, written_on(at, 16, 1));
	/* It is for new regions. */
	EXPECT_EQ(at, VirtualAllocExNuma(SELF, at, UNIT, MEM_COMMIT,
					 PAGE_READWRITE, 0));
	EXPECT_EQ(16, written_on(at, 16, 1));
	FAILS(87, VirtualAllocExNuma(SELF, at, UNIT, MEM_COMMIT,
				     PAGE_READWRITE, 2));
	FAILS(87, VirtualAllocExNuma(SELF, NULL, UNIT, type, PAGE_READWRITE,
				     2));
	FAILS(87, VirtualAllocExNuma(SELF, NULL, UNIT, MAKE, PAGE_NOACCESS, 1));
	FAILS(6, VirtualAllocExNuma(NULL, NULL, UNIT, type, PAGE_READWRITE, 1));
	at = VirtualAllocExNuma(SELF, NULL, UNIT, type, PAGE_READWRITE,
				NUMA_NO_PREFERRED_NODE);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(16, written_on(at, 16, 0));

	at = VirtualAlloc2(NULL, NULL, UNIT, type, PAGE_READWRITE, &one, 1);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(16, written_on(at, 16, 1));
	at = VirtualAlloc2(NULL, NULL, UNIT, type, PAGE_READWRITE, &any, 1);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(16, written_on(at, 16, 0));
	FAILS(87, VirtualAlloc2(NULL, NULL, UNIT, type, PAGE_READWRITE, &none,
				1));
	EXPECT_EQ(STATUS_INVALID_PARAMETER,
		  NtAllocateVirtualMemoryEx(SELF, &base, &size, type,
					    PAGE_READWRITE, &none, 1));
	EXPECT_EQ(STATUS_SUCCESS,
		  NtAllocateVirtualMemoryEx(SELF, &base, &size, type,
					    PAGE_READWRITE, &one, 1));
	EXPECT_EQ(16, written_on(base, 16, 1));

	/* A placeholder is nowhere; what replaces it is. */
	at = VirtualAlloc2(NULL, NULL, UNIT, MAKE, PAGE_NOACCESS, &one, 1);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(at, VirtualAlloc2(NULL, at, UNIT, REPLACE_NOW,
				    PAGE_READWRITE, &one, 1));
	EXPECT_EQ(16, written_on(at, 16, 1));
	ASSERT_TRUE(task_wants_nothing());
}

/* Rule VX-08. Pages of a section that the view is the first to touch */
TEST_F(numa, views)
{
	MEM_EXTENDED_PARAMETER one = on_node(1), none = on_node(64);
	HANDLE section;
	char *at;

	section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE,
				     0, 4 * UNIT, NULL);
	ASSERT_NE(NULL, section);
	ASSERT_TRUE(task_wants(0));
	at = MapViewOfFileExNuma(section, FILE_MAP_WRITE, 0, 0, UNIT, NULL, 1);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(16, written_on(at, 16, 1));
	at = MapViewOfFile3(section, NULL, NULL, UNIT, UNIT, 0, PAGE_READWRITE,
			    &one, 1);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(16, written_on(at, 16, 1));
	at = MapViewOfFileNuma2(section, SELF, 2 * UNIT, NULL, UNIT, 0,
				PAGE_READWRITE, 1);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(16, written_on(at, 16, 1));
	at = MapViewOfFileNuma2(section, SELF, 3 * UNIT, NULL, UNIT, 0,
				PAGE_READWRITE, NUMA_NO_PREFERRED_NODE);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(16, written_on(at, 16, 0));
	FAILS(87, MapViewOfFileExNuma(section, FILE_MAP_WRITE, 0, 0, 0, NULL,
				      2));
	FAILS(87, MapViewOfFile3(section, NULL, NULL, 0, 0, 0, PAGE_READWRITE,
				 &none, 1));
	FAILS(87, MapViewOfFileNuma2(section, SELF, 0, NULL, 0, 0,
				     PAGE_READWRITE, 2));
	ASSERT_TRUE(task_wants_nothing());
	EXPECT_TRUE(CloseHandle(section));
}

/* Rule VX-08. What the section prefers, views do that say nothing */
TEST_F(numa, sections)
{
	MEM_EXTENDED_PARAMETER zero = on_node(0);
	LARGE_INTEGER size = { .QuadPart = UNIT };
	HANDLE section, weak;
	char *at;

	/* One that prefers nothing leaves it to the thread. */
	ASSERT_TRUE(task_wants(1));
	ASSERT_EQ(0, NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &size,
				     PAGE_READWRITE, SEC_COMMIT, NULL));
	at = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, UNIT);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(16, written_on(at, 16, 1));
	EXPECT_TRUE(CloseHandle(section));
	ASSERT_TRUE(task_wants(0));
	section = CreateFileMappingNumaA(INVALID_HANDLE_VALUE, NULL,
					 PAGE_READWRITE, 0, 3 * UNIT, NULL, 1);
	ASSERT_NE(NULL, section);
	at = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, UNIT);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(16, written_on(at, 16, 1));
	at = MapViewOfFile3(section, NULL, NULL, UNIT, UNIT, 0, PAGE_READWRITE,
			    &zero, 1);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(16, written_on(at, 16, 0));
	ASSERT_TRUE(DuplicateHandle(SELF, section, SELF, &weak,
				    SECTION_MAP_WRITE, FALSE, 0));
	at = MapViewOfFile(weak, FILE_MAP_WRITE, 0, 2 * UNIT, UNIT);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(16, written_on(at, 16, 1));
	EXPECT_TRUE(CloseHandle(weak));
	EXPECT_TRUE(CloseHandle(section));
	section = CreateFileMappingNumaW(INVALID_HANDLE_VALUE, NULL,
					 PAGE_READWRITE, 0, UNIT, NULL,
					 NUMA_NO_PREFERRED_NODE);
	ASSERT_NE(NULL, section);
	at = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, UNIT);
	EXPECT_EQ(16, written_on(at, 16, 0));
	EXPECT_TRUE(CloseHandle(section));
	FAILS(87, CreateFileMappingNumaA(INVALID_HANDLE_VALUE, NULL,
					 PAGE_READWRITE, 0, UNIT, NULL, 2));
	ASSERT_TRUE(task_wants_nothing());
}

/* Rules VX-13, VX-14. */
TEST_F(numa, nodes_and_processors)
{
	PROCESSOR_NUMBER processor = { .Number = 63 };
	ULONGLONG mask[2], bytes[2], own;
	GROUP_AFFINITY affinity;
	SYSTEM_INFO system;
	ULONG highest = POISON;
	USHORT wide;
	UCHAR node;

	EXPECT_TRUE(GetNumaHighestNodeNumber(&highest));
	EXPECT_EQ(1, highest);
	FAILS(998, GetNumaHighestNodeNumber(NULL));
	ASSERT_TRUE(GetNumaNodeProcessorMask(0, &mask[0]));
	ASSERT_TRUE(GetNumaNodeProcessorMask(1, &mask[1]));
	GetSystemInfo(&system);
	EXPECT_EQ(system.dwActiveProcessorMask, mask[0] | mask[1]);
	FAILS(87, GetNumaNodeProcessorMask(2, &mask[0]));
	EXPECT_TRUE(GetNumaNodeProcessorMaskEx(1, &affinity));
	EXPECT_EQ(mask[1], affinity.Mask);
	EXPECT_EQ(0, affinity.Group);
	FAILS(87, GetNumaNodeProcessorMaskEx(0xffff, &affinity));
	ASSERT_TRUE(GetNumaAvailableMemoryNode(0, &bytes[0]));
	ASSERT_TRUE(GetNumaAvailableMemoryNodeEx(1, &bytes[1]));
	EXPECT_LT(MIB(1), bytes[0]);
	EXPECT_LT(MIB(1), bytes[1]);
	EXPECT_LT(bytes[0] + bytes[1], (uint64_t)meminfo("MemTotal"));
	FAILS(87, GetNumaAvailableMemoryNode(2, &bytes[0]));
	FAILS(998, GetNumaAvailableMemoryNode(0, NULL));

	GetCurrentProcessorNumberEx(&processor);
	EXPECT_EQ(0, processor.Group);
	own = 1ULL << GetCurrentProcessorNumber();
	EXPECT_TRUE(own & system.dwActiveProcessorMask);
	EXPECT_TRUE(GetNumaProcessorNode(processor.Number, &node));
	EXPECT_GT(2, node);
	EXPECT_TRUE(mask[node] >> processor.Number & 1);
	EXPECT_TRUE(GetNumaProcessorNodeEx(&processor, &wide));
	EXPECT_EQ(node, wide);
	FAILS(87, GetNumaProcessorNode(64, &node));
	EXPECT_EQ(0xff, node);
	processor.Group = 1;
	FAILS(87, GetNumaProcessorNodeEx(&processor, &wide));
	EXPECT_EQ(0xffff, wide);
}

TEST_HARNESS_MAIN
