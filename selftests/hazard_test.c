// SPDX-License-Identifier: GPL-2.0
/*
 * What the core of the kernel does to mappings behind our back, and that it
 * finds nothing to break: each test takes one of the hazards that HAZARDS
 * lists, and fails if the rule that answers it is taken out of the module.
 */
#include "kselftest_harness.h"

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "common.h"
#include "rounds.h"
#include "wr_test_util.h"
#include "pins.h"
#include "alloc_fixture.h"

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC 0x8000
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

/* One page of each kind, that anything may be done to, and what they were */

static uint32_t kinds[] = {
	RW, RO, NA, RW | WINREGION_GUARD, RX, RWX, 0, RO | WINREGION_GUARD,
};

static bool make_kinds(int fd, char *base)
{
	unsigned int i;
	int err;

	kinds[4] = code_or(RX, RO);
	kinds[5] = code_or(RWX, RW);
	fill_pages(base, NR_PAGES, 100);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		err = kinds[i] ?
			wr_protect(fd, base + PAGES(i), PAGES(1), kinds[i]) :
			wr_decommit(fd, base + PAGES(i), PAGES(1));
		if (err)
			return false;
	}
	return true;
}

static bool kind_intact(int fd, char *page, uint32_t kind, uint64_t number)
{
	bool write = kind == RW || kind == RWX;

	if (!kind)
		return wr_is_reserved(fd, page) && !try_read(page);
	if (!wr_is(fd, page, kind))
		return false;
	/* An access would take the guard off. */
	if (kind & WINREGION_GUARD)
		return true;
	if (try_write_byte(page + 100, 0) != write)
		return false;
	if (kind == NA)
		return !try_read(page);
	return page_has(page, number);
}

static bool kinds_intact(int fd, char *base)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		if (!kind_intact(fd, base + PAGES(i),
				 i < ARRAY_SIZE(kinds) ? kinds[i] : RW,
				 100 + i))
			return false;
	return true;
}

/* The guards fire once, and what was hidden is still there. */
static bool guards_and_contents_intact(int fd, char *base)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if ((kinds[i] & WINREGION_GUARD) &&
		    (try_read(base + PAGES(i)) || !try_read(base + PAGES(i))))
			return false;
		if (!kinds[i])
			continue;
		if (wr_protect(fd, base + PAGES(i), PAGES(1), RO) ||
		    !page_has(base + PAGES(i), 100 + i))
			return false;
	}
	return true;
}

/*
 * Hazard A13, and the list of what VM_DONTEXPAND prevents. Whatever advice a
 * program gives, on whatever pages: contents, protection, guards and states
 * are as they were. MADV_HWPOISON, which destroys, is in fault_test.
 */
TEST_F(alloc, any_advice)
{
	uint64_t committed;
	int advice;

	ASSERT_TRUE(make_kinds(self->fd, self->base));
	committed = WR_INFO(self->fd, out_committed);
	for (advice = 0; advice < 128; advice++) {
		if (advice == 100 /* HWPOISON */)
			continue;
		madvise(self->base, PAGES(1), advice);
		madvise(self->base + PAGES(1), PAGES(5), advice);
		madvise(self->base, variant->size, advice);
		EXPECT_TRUE(kinds_intact(self->fd, self->base)) {
			TH_LOG("advice %d", advice);
		}
	}
	EXPECT_EQ(committed, WR_INFO(self->fd, out_committed));
	EXPECT_TRUE(guards_and_contents_intact(self->fd, self->base));
	/* It can all be taken back. */
	ASSERT_EQ(0, wr_decommit(self->fd, self->base, PAGES(NR_PAGES)));
	EXPECT_FALSE(try_read(self->base));
	ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(NR_PAGES), RW));
	EXPECT_TRUE(page_is_zero(self->base));
}

/* A page that the kernel is told to take out of use soon */
TEST_F(alloc, soft_offline)
{
	fill_pages(self->base, 4, 30);
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(1), PAGES(1),
				RO));
	ASSERT_TRUE(try_read(self->base + PAGES(1)));
	madvise(self->base, PAGES(4), MADV_SOFT_OFFLINE);
	EXPECT_TRUE(pages_have(self->base, 4, 30));
	EXPECT_FALSE(try_write(self->base + PAGES(1)));
	fill_page(self->base, 31);
	EXPECT_TRUE(page_has(self->base, 31));
}

/*
 * Hazard A13. A userfaultfd makes PTEs writable that it believes to have
 * write-protected itself; so no mode of it is for our mappings.
 */
TEST_F(alloc, userfaultfd_refused)
{
	static const uint64_t features[] = {
		0, UFFD_FEATURE_WP_ASYNC,
		UFFD_FEATURE_WP_ASYNC | 1 << 13 /* WP_UNPOPULATED */ |
			UFFD_FEATURE_WP_HUGETLBFS_SHMEM,
		UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM,
	};
	struct uffdio_register reg;
	struct vma vma = { 0 };
	unsigned int i, mode;
	int uffd;

	ASSERT_TRUE(find_vma(self->base, &vma));
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		struct uffdio_api api = {
			.api = UFFD_API, .features = features[i],
		};

		uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
		if (uffd < 0)
			SKIP(return, "no userfaultfd here");
		if (ioctl(uffd, UFFDIO_API, &api)) {
			close(uffd);
			continue;
		}
		for (mode = 1; mode < 8; mode++) {
			reg = (struct uffdio_register) {
				.range = { vma.start, vma.end - vma.start },
				.mode = mode,
			};
			EXPECT_EQ(-1, ioctl(uffd, UFFDIO_REGISTER, &reg)) {
				TH_LOG("features %#llx mode %u",
				       (unsigned long long)features[i], mode);
			}
			EXPECT_EQ(EINVAL, errno);
		}
		close(uffd);
	}
}

static bool is_dirty(const volatile char *page)
{
	return page_flags(page_frame(page)) >> KPF_DIRTY & 1;
}

static int copies_are_dirty(void *arg)
{
	FIXTURE_DATA(alloc) *self = arg;

	fill_page(self->base, 1);
	CHECK(is_dirty(self->base));
	return 0;
}

/*
 * Hazard A1. That rights are taken away by unmapping is enough as long as
 * nobody else makes a PTE read-only. So pages are dirty, too, even those that
 * were only read, which is what the kernel asks before it makes one writable.
 */
TEST_F(alloc, pages_are_born_dirty)
{
	char *map = mmap(NULL, PAGES(1), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	small_pages_only();
	ASSERT_NE(MAP_FAILED, map);
	fill_page(map, 1);
	if (!page_frame(map) || page_flags(page_frame(map)) < 0)
		SKIP(return, "this kernel does not tell flags of pages");
	ASSERT_TRUE(try_read(self->base));
	EXPECT_TRUE(is_dirty(self->base));
	fill_page(self->base + PAGES(1), 1);
	EXPECT_TRUE(is_dirty(self->base + PAGES(1)));
	EXPECT_EQ(0, in_child(copies_are_dirty, self));
}

/* What an administrator may do to all of memory at a time */

static void read_all(const char *path)
{
	static char buffer[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int i;

	if (fd < 0)
		return;
	for (i = 0; i < 8 && read(fd, buffer, sizeof(buffer)) > 0; i++)
		;
	close(fd);
}

TEST_F(alloc, all_of_memory)
{
	char *plain = self->base + PAGES(9);
	int i;

	ASSERT_TRUE(make_kinds(self->fd, self->base));
	/* Same contents in many pages: what KSM looks for */
	prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
	write_number("/sys/kernel/mm/ksm/run", 1);
	for (i = 0; i < 3; i++) {
		write_number("/proc/sys/vm/compact_memory", 1);
		write_number(DROP_CACHES, 3);
		write_text("/proc/sysrq-trigger", "s");
		sync();
		read_all("/proc/kpageflags");
		read_all("/proc/kpagecount");
		read_all("/proc/self/smaps");
		read_all("/proc/self/numa_maps");
		madvise(self->base, variant->size, MADV_PAGEOUT);
		sleep_ms(50);
		EXPECT_TRUE(kinds_intact(self->fd, self->base));
		fill_page(plain, 109);
	}
	write_number("/sys/kernel/mm/ksm/run", 2);
	prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0);
	EXPECT_TRUE(kinds_intact(self->fd, self->base));
	EXPECT_TRUE(guards_and_contents_intact(self->fd, self->base));
}

/* References to the module */

static int short_life(int fd, int number)
{
	char *small = wr_alloc(fd, KIB(64));
	char *large = number % 4 ? small : wr_alloc(fd, MIB(2));

	if (!small || !large)
		return 1;
	fill_page(small, number);
	if (number % 3 == 0 && wr_protect(fd, large, PAGES(1), code_or(RX, RO)))
		return 2;
	if (number % 10 == 0 && fork() == 0)
		_exit(!try_read(small));
	return number % 5 ? 0 : wr_release(fd, small, 0);
}

/*
 * Hazard A2. Each file of ours must take the module reference that its end
 * drops. One process more or less is not seen; a thousand are.
 */
TEST_F_TIMEOUT(alloc, module_references, 120)
{
	int64_t before = users_at_rest();
	int number, status;
	pid_t pid;

	if (variant->size > MIB(1))
		return; /* the children have both */
	/* Descriptor and memory of this test, at least */
	ASSERT_LE(2, before);
	for (number = 0; number < 1000; number++) {
		pid = fork();
		if (!pid) {
			/* The parent's memory is not wanted. */
			wr_release(self->fd, self->base, 0);
			_exit(short_life(self->fd, number));
		}
		ASSERT_LT(0, pid);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
	EXPECT_TRUE(SETTLES(module_users() == before)) {
		TH_LOG("%lld references, were %lld",
		       (long long)module_users(), (long long)before);
	}
}

/* Grants beside unmapping */

struct beside {
	int fd;
	uint64_t addr;
	volatile int stop;
	unsigned long bad;
};

/* All that grants, at an address that has a region now and then */
static void *grant_for_ever(void *arg)
{
	struct beside *me = arg;
	char *base = (char *)(uintptr_t)me->addr;
	unsigned int i;

	for (i = 0; !me->stop; i++) {
		char *page = base + PAGES(i * 7 % 500);

		wr_commit(me->fd, page, PAGES(8), RW);
		try_write(page + PAGES(1));
		wr_protect(me->fd, page, PAGES(2), i % 3 ? RO : NA);
		wr_protect(me->fd, page, PAGES(2), RW);
		if (i % 5 == 0)
			wr_decommit(me->fd, page, PAGES(4));
	}
	return NULL;
}

static bool foreign_memory_holds(uint64_t addr, unsigned int round)
{
	char *map = mmap((void *)(uintptr_t)addr, MIB(2),
			 PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	bool holds = true;
	unsigned int i;

	if (map == MAP_FAILED)
		return false;
	fill_pages(map, 64, 7000 + round);
	sleep_ms(1);
	/* The other thread writes one byte, by accesses of its own. */
	for (i = 0; i < 64; i++)
		holds &= ((uint64_t *)(map + PAGES(i)))[255] ==
			 ~(uint64_t)(7000 + round + i);
	/* Its page tables go, under calls that think of the region. */
	munmap(map, MIB(2));
	return holds;
}

/*
 * Hazard A4. Commit and protect do not hold the lock that keeps page tables
 * alive, so they must not look at them: the region can be unmapped, and
 * something else be mapped there, at any moment.
 */
TEST_F_TIMEOUT(alloc, grant_while_unmapped, 60)
{
	struct beside beside = { .fd = self->fd };
	struct sigaction old[2];
	unsigned int round;
	pthread_t thread;
	char *region;

	region = wr_reserve(self->fd, MIB(2));
	ASSERT_NE(NULL, region);
	beside.addr = (uintptr_t)region;
	probe_begin(old);
	probe_armed = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, grant_for_ever, &beside));
	for (round = 0; round < rounds(hazard_grant); round++) {
		uint64_t addr = beside.addr;

		sleep_ms(round % 3);
		if (round % 2)
			ASSERT_EQ(0, munmap(region, MIB(2)));
		EXPECT_TRUE(foreign_memory_holds(addr, round));
		ASSERT_EQ(0, wr_reserve_at(self->fd, &addr, MIB(2), 0, RW));
	}
	beside.stop = 1;
	pthread_join(thread, NULL);
	probe_end(old);
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* Hazard A4. The race above is hard to lose, so this is what one can see of it. */
TEST_F(alloc, grants_make_no_page_table)
{
	char *region = wr_reserve(self->fd, MIB(256));
	int64_t tables = self_status("VmPTE");

	ASSERT_NE(NULL, region);
	ASSERT_LT(0, tables);
	ASSERT_EQ(0, wr_commit(self->fd, region, MIB(256), NA));
	ASSERT_EQ(0, wr_protect(self->fd, region, MIB(256), RO));
	ASSERT_EQ(0, wr_commit(self->fd, region, MIB(256), RW));
	EXPECT_GE(tables + (int64_t)KIB(64), self_status("VmPTE"));
}

/*
 * Nor does what is refused, where pages may be code: a program that looks all over its memory
 * would have one for each 2 MiB. Hazard A4.
 */
TEST_F(alloc, refusals_make_no_page_table)
{
	char *region = wr_reserve(self->fd, MIB(256));
	int64_t tables;
	int ends[2], i;

	NEEDS_CODE();
	ASSERT_NE(NULL, region);
	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(0, wr_commit(self->fd, region, MIB(256), RX));
	ASSERT_EQ(0, wr_protect(self->fd, region + PAGES(1), MIB(254), NA));
	ASSERT_EQ(1, write(ends[1], region, 1));
	tables = self_status("VmPTE");
	for (i = 1; i < 127; i++) {
		ASSERT_EQ(-1, write(ends[1], region + i * MIB(2), 1));
		ASSERT_EQ(EFAULT, errno);
	}
	EXPECT_GE(tables + (int64_t)KIB(64), self_status("VmPTE"));
	EXPECT_EQ(1, write(ends[1], region + MIB(255), 1));
	close(ends[0]);
	close(ends[1]);
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* Other people's mappings come and go, each with its own contents. */
static void *map_for_ever(void *arg)
{
	struct beside *me = arg;
	unsigned int i;
	char *map;

	for (i = 0; !me->stop; i++) {
		map = mmap(NULL, MIB(2) + PAGES(i % 32),
			   PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map == MAP_FAILED)
			continue;
		fill_page(map, i);
		fill_page(map + MIB(2) - PAGES(1), ~i);
		sched_yield();
		me->bad += !page_has(map, i) ||
			   !page_has(map + MIB(2) - PAGES(1), ~i);
		munmap(map, MIB(2) + PAGES(i % 32));
	}
	return NULL;
}

/*
 * Hazard B18. An address is found and taken in one step: the place that was
 * free a moment ago may be somebody else's now.
 */
TEST_F_TIMEOUT(alloc, reserve_beside_mmap, 60)
{
	struct beside beside = { .fd = self->fd };
	pthread_t thread[2];
	unsigned int round;
	char *region;

	ASSERT_EQ(0, pthread_create(&thread[0], NULL, map_for_ever, &beside));
	ASSERT_EQ(0, pthread_create(&thread[1], NULL, map_for_ever, &beside));
	for (round = 0; round < rounds(hazard_mmap); round++) {
		uint64_t addr = 0;

		ASSERT_EQ(0, wr_reserve_at(self->fd, &addr, MIB(2),
					   WINREGION_RESERVE_COMMIT |
					   (round % 2 ?
					    WINREGION_RESERVE_TOP_DOWN : 0),
					   RW));
		region = (char *)(uintptr_t)addr;
		EXPECT_TRUE(page_is_zero(region));
		fill_page(region, round);
		sched_yield();
		EXPECT_TRUE(page_has(region, round));
		ASSERT_EQ(0, wr_release(self->fd, region, 0));
	}
	beside.stop = 1;
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	EXPECT_EQ(0, beside.bad);
}

/* Forks that fail */

#define PIDS "/sys/fs/cgroup/wr_hazard"

static int fork_over_pids(void *arg)
{
	FIXTURE_DATA(alloc) *self = arg;
	int i;

	CHECK(write_text(PIDS "/cgroup.procs", "0"));
	fill_pages(self->base, NR_PAGES, 200);
	for (i = 0; i < 20; i++) {
		uint64_t frame = page_frame(self->base);
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		CHECK(pid == -1 && errno == EAGAIN);
		/* Nobody shares the pages, so nobody gets copies. */
		CHECK(pages_have(self->base, NR_PAGES, 200));
		fill_pages(self->base, NR_PAGES, 200);
		CHECK(frame && page_frame(self->base) == frame);
	}
	CHECK(!wr_protect(self->fd, self->base, PAGES(1), RO));
	CHECK(!try_write(self->base));
	CHECK(pages_have(self->base, NR_PAGES, 200));
	return 0;
}

/*
 * Hazard A9. A fork may fail after all mappings were copied. What is closed
 * then is the child's: the parent's regions, charge and pages stay, and its
 * next write does not copy them.
 */
TEST_F(alloc, fork_fails_at_the_end)
{
	uint64_t total = WR_INFO(self->fd, out_total);
	int ret;

	write_text("/sys/fs/cgroup/cgroup.subtree_control", "+pids");
	mkdir(PIDS, 0755);
	if (!write_text(PIDS "/pids.max", "1"))
		SKIP(return, "this kernel has no pids cgroup");
	fill_pages(self->base, NR_PAGES, 100);
	ret = in_child(fork_over_pids, self);
	rmdir(PIDS);
	EXPECT_EQ(0, ret);
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

#define OVERCOMMIT "/proc/sys/vm/overcommit_"

/* Leave less to commit than a child's copy of @above needs. */
static int fork_without_charge(void *arg)
{
	FIXTURE_DATA(alloc) *self = arg;
	char *above, *region;
	int64_t limit;
	int i, failed = 0;

	above = mmap(NULL, MIB(64), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(above != MAP_FAILED);
	region = wr_alloc(self->fd, MIB(2));
	/* The core copies in the order of addresses. */
	CHECK(region && region < above);
	fill_pages(region, NR_PAGES, 300);
	limit = committed_as() + MIB(32);
	CHECK(write_number(OVERCOMMIT "kbytes", limit / 1024));
	CHECK(write_number(OVERCOMMIT "memory", 2));
	for (i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		failed += pid == -1 && errno == ENOMEM;
	}
	CHECK(write_number(OVERCOMMIT "memory", 0));
	CHECK(failed == 20);
	CHECK(pages_have(region, NR_PAGES, 300));
	fill_pages(region, NR_PAGES, 301);
	CHECK(pages_have(region, NR_PAGES, 301));
	CHECK(!wr_release(self->fd, region, 0));
	return 0;
}

/* Hazard A9. Same for one that fails with only some mappings copied. */
TEST_F(alloc, fork_fails_half_way)
{
	uint64_t total = WR_INFO(self->fd, out_total);
	int64_t ratio = read_number(OVERCOMMIT "ratio");
	int64_t mode = read_number(OVERCOMMIT "memory");
	int ret;

	fill_pages(self->base, NR_PAGES, 100);
	ret = in_child(fork_without_charge, self);
	write_number(OVERCOMMIT "memory", mode);
	write_number(OVERCOMMIT "ratio", ratio);
	EXPECT_EQ(0, ret);
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

/* Copies beside readers */

struct hammer {
	volatile char *base;
	volatile int stop;
	unsigned long sum;
};

static void *read_for_ever(void *arg)
{
	struct hammer *hammer = arg;
	unsigned int i;

	for (i = 0; !hammer->stop; i++)
		hammer->sum += hammer->base[PAGES(i % NR_PAGES)];
	return NULL;
}

static int wait_for_end(void *arg)
{
	pause();
	return 0;
}

static int write_beside_readers(void *arg)
{
	FIXTURE_DATA(alloc) *self = arg;
	struct hammer hammer = { .base = self->base };
	pthread_t thread[2];
	unsigned int round;
	struct child child;
	int ret = 0;

	CHECK(!pthread_create(&thread[0], NULL, read_for_ever, &hammer));
	CHECK(!pthread_create(&thread[1], NULL, read_for_ever, &hammer));
	for (round = 0; round < rounds(hazard_fork_fails) && !ret; round++) {
		child = start_child(wait_for_end, NULL);
		fill_pages(self->base, NR_PAGES, round);
		if (!pages_have(self->base, NR_PAGES, round))
			ret = __LINE__;
		kill(child.pid, SIGKILL);
		end_child(&child);
	}
	hammer.stop = 1;
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	return ret;
}

/*
 * Hazard A7. A page is replaced by its copy while other threads map the
 * original: neither the writer nor the readers may be left with that.
 */
TEST_F_TIMEOUT(alloc, copy_beside_readers, 60)
{
	EXPECT_EQ(0, in_child(write_beside_readers, self));
}

struct peeked {
	struct rendezvous rv;
	char *base;
};

static int see_the_copy(void *arg)
{
	struct peeked *peeked = arg;

	/* Maps the page that the parent has, too. */
	CHECK(page_has(peeked->base, 100));
	CHECK(page_has(peeked->base + PAGES(1), 101));
	rendezvous_signal(&peeked->rv, 1);
	rendezvous_wait(&peeked->rv, 1);
	CHECK(*(uint64_t *)(peeked->base + 64) == 4711);
	CHECK(*(uint64_t *)(peeked->base + PAGES(1) + 64) == 4711);
	return 0;
}

/* Hazard A7. Same when a debugger's write is what replaces the page. */
TEST_F(alloc, copy_for_debugger)
{
	struct peeked peeked = { .base = self->base };
	uint64_t word = 4711;
	struct child child;
	char path[64];
	int mem, status;

	ASSERT_TRUE(rendezvous_init(&peeked.rv));
	fill_pages(self->base, 2, 100);
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(1), RO));
	child = start_child(see_the_copy, &peeked);
	rendezvous_wait(&peeked.rv, 0);
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, child.pid, NULL, NULL));
	ASSERT_EQ(child.pid, waitpid(child.pid, &status, 0));
	snprintf(path, sizeof(path), "/proc/%d/mem", child.pid);
	mem = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, mem);
	EXPECT_EQ(8, pwrite(mem, &word, 8, (uintptr_t)self->base + 64));
	EXPECT_EQ(8, pwrite(mem, &word, 8,
			    (uintptr_t)self->base + PAGES(1) + 64));
	close(mem);
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, child.pid, NULL, NULL));
	rendezvous_signal(&peeked.rv, 0);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_EQ(0, *(uint64_t *)(self->base + 64));
}

/* A piece that goes while it is to be moved */

static void *take_piece(void *arg)
{
	struct beside *me = arg;
	char *page = (char *)(uintptr_t)me->addr, *map;

	if (munmap(page, PAGES(2)))
		return NULL;
	map = mmap(page, PAGES(2), PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (map != page)
		return NULL;
	fill_pages(map, 2, 4000);
	sleep_ms(2);
	return map;
}

/*
 * Hazard A10. Whether a piece is still ours is asked at the moment when
 * something would be mapped over it.
 */
TEST_F_TIMEOUT(alloc, piece_taken_meanwhile, 60)
{
	struct beside beside = { .fd = self->fd };
	char *region, *page;
	pthread_t thread;
	int round, i;
	void *map;

	NEEDS_CODE();
	for (round = 0; round < rounds(hazard_piece); round++) {
		region = wr_alloc(self->fd, MIB(2));
		ASSERT_NE(NULL, region);
		page = region + PAGES(4);
		ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(2), RX));
		beside.addr = (uintptr_t)page;
		ASSERT_EQ(0, pthread_create(&thread, NULL, take_piece,
					    &beside));
		for (i = 0; i < round % 4 + 2; i++)
			wr_protect(self->fd, page, PAGES(2), i % 2 ? RX : RW);
		pthread_join(thread, &map);
		if (map) {
			EXPECT_TRUE(pages_have(map, 2, 4000));
			munmap(map, PAGES(2));
		}
		wr_release(self->fd, region, 0);
	}
}

/* Pages that are pinned */

static int write_beside_pins(void *arg)
{
	FIXTURE_DATA(alloc) *self = arg;

	CHECK(pages_have(self->base, NR_PAGES, 100));
	fill_pages(self->base, NR_PAGES, 500);
	CHECK(pages_have(self->base, NR_PAGES, 500));
	return 0;
}

/*
 * Hazard A11. A device goes on reading and writing the page that it pinned, so
 * after a fork that page is the parent's, whoever writes first.
 */
TEST_F(alloc, pinned_pages_stay)
{
	uint64_t frame[2];
	int sock, round;

	fill_pages(self->base, NR_PAGES, 100);
	sock = pin_pages(self->base, 2);
	if (sock == -EAFNOSUPPORT)
		SKIP(return, "this kernel has no AF_XDP sockets to pin with");
	ASSERT_LE(0, sock);
	frame[0] = page_frame(self->base);
	frame[1] = page_frame(self->base + PAGES(1));
	ASSERT_NE(0, frame[0]);
	for (round = 0; round < 3; round++) {
		struct child child = start_child(write_beside_pins, self);

		if (round)
			EXPECT_EQ(0, end_child(&child));
		fill_pages(self->base, NR_PAGES, 100);
		EXPECT_EQ(frame[0], page_frame(self->base));
		EXPECT_EQ(frame[1], page_frame(self->base + PAGES(1)));
		if (!round)
			EXPECT_EQ(0, end_child(&child));
		EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	}
	/* The pins outlive pages and region. */
	ASSERT_EQ(0, wr_decommit(self->fd, self->base, PAGES(1)));
	ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(1), RW));
	EXPECT_TRUE(page_is_zero(self->base));
	EXPECT_NE(frame[0], page_frame(self->base));
	ASSERT_EQ(0, wr_release(self->fd, self->base, 0));
	close(sock);
}

/* Seals */

static int seal_a_piece(void *arg)
{
	FIXTURE_DATA(alloc) *self = arg;
	char *page = self->base + PAGES(4);
	uint64_t committed;

	fill_pages(self->base, NR_PAGES, 100);
	write_code(page);
	CHECK(!wr_protect(self->fd, page, PAGES(2), RX));
	CHECK(!syscall(SYS_MSEAL, page, PAGES(2), 0));
	committed = WR_INFO(self->fd, out_committed);
	CHECK(try_exec(page));
	/* Neither the program nor we can map anything else there now. */
	CHECK(munmap(page, PAGES(2)) == -1);
	CHECK(wr_protect(self->fd, page, PAGES(1), RW) == -EACCES);
	CHECK(wr_protect(self->fd, page, PAGES(2), RW) == -EACCES);
	CHECK(wr_decommit(self->fd, page, PAGES(2)) == -EACCES);
	CHECK(wr_is(self->fd, page, RX) && try_exec(page));
	CHECK(page_has(page + PAGES(1), 105));
	CHECK(WR_INFO(self->fd, out_committed) == committed);
	/* Round about, all goes on. */
	CHECK(!wr_protect(self->fd, self->base, PAGES(1), RX));
	CHECK(!wr_protect(self->fd, self->base, PAGES(1), RW));
	CHECK(!wr_decommit(self->fd, self->base + PAGES(8), PAGES(2)));
	CHECK(pages_have(self->base, 4, 100));
	/* The region ends nevertheless. */
	CHECK(!wr_release(self->fd, self->base, 0));
	CHECK(!try_read(page) && !try_exec(page));
	CHECK(!try_read(self->base));
	CHECK(wr_is_gone(self->fd, self->base));
	CHECK(WR_INFO(self->fd, out_committed) == 0);
	return 0;
}

/* Hazard A10. An executable piece that the program has sealed */
TEST_F(alloc, sealed_piece)
{
	NEEDS_CODE();
	if (syscall(SYS_MSEAL, NULL, 0, 0) && errno == ENOSYS)
		SKIP(return, "this kernel has no mseal()");
	EXPECT_EQ(0, in_child(seal_a_piece, self));
}

static int seal_behind_a_hole(void *arg)
{
	FIXTURE_DATA(alloc) *self = arg;
	char *hole = self->base + PAGES(4), *sealed = self->base + PAGES(8);
	uint64_t addr = (uintptr_t)self->base;

	CHECK(!wr_protect(self->fd, hole, PAGES(2), RX));
	CHECK(!wr_protect(self->fd, sealed, PAGES(2), RX));
	CHECK(!munmap(hole, PAGES(2)));
	CHECK(!syscall(SYS_MSEAL, sealed, PAGES(2), 0));
	CHECK(!wr_release(self->fd, self->base, 0));
	CHECK(wr_is_gone(self->fd, self->base));
	/* What is given out again can be used. */
	if (!wr_reserve_at(self->fd, &addr, PAGES(2), WINREGION_RESERVE_COMMIT,
			   RW))
		CHECK(try_write((char *)(uintptr_t)addr));
	return 0;
}

/*
 * Hazard A10. What was in front of a hole is unmapped when the region ends, and
 * what is behind it cannot be.
 */
TEST_F(alloc, sealed_behind_a_hole)
{
	NEEDS_CODE();
	if (syscall(SYS_MSEAL, NULL, 0, 0) && errno == ENOSYS)
		SKIP(return, "this kernel has no mseal()");
	EXPECT_EQ(0, in_child(seal_behind_a_hole, self));
}

TEST_HARNESS_MAIN
