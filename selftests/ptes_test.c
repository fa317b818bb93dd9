// SPDX-License-Identifier: GPL-2.0
/*
 * Rights of many pages in memory, which change in their PTEs and not by faults:
 * all of them do, no processor remembers what is over, and pages that somebody
 * else owns too stay out of it.
 */
#include "kselftest_harness.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include "common.h"
#include "wr_test_util.h"
#include "race.h"

/* Pages of four page tables, and of parts of two more */
#define MANY 2200U

static unsigned int count_writable(char *base, unsigned int pages)
{
	unsigned int i, n = 0;

	for (i = 0; i < pages; i++)
		n += try_write_byte(base + PAGES(i), 1);
	return n;
}

static bool first_bytes_are(const char *base, unsigned int pages, char value)
{
	unsigned int i;

	for (i = 0; i < pages && base[PAGES(i)] == value; i++)
		;
	return i == pages;
}

static void set_first_bytes(volatile char *base, unsigned int pages, char value)
{
	unsigned int i;

	for (i = 0; i < pages; i++)
		base[PAGES(i)] = value;
}

FIXTURE(ptes)
{
	int fd;
	char *base;
	long faults;
};

FIXTURE_VARIANT(ptes)
{
	bool large;
};

FIXTURE_VARIANT_ADD(ptes, small)
{
	.large = false,
};

/* Page tables of 2 MiB pages, as long as these are whole */
FIXTURE_VARIANT_ADD(ptes, large)
{
	.large = true,
};

FIXTURE_SETUP(ptes)
{
	if (!variant->large)
		small_pages_only();
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->base = wr_alloc(self->fd, PAGES(MANY));
	ASSERT_NE(NULL, self->base);
	set_first_bytes(self->base, MANY, 1);
}

FIXTURE_TEARDOWN(ptes)
{
	close(self->fd);
}

#define PROTECT(first, pages, protection)				\
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(first),	\
				PAGES(pages), protection))

/* Whether the kernel has a function; root may ask. */
static bool kernel_has(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], symbol[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*x %*c %511s", symbol) == 1 &&
			!strcmp(symbol, name);
	if (f)
		fclose(f);
	return found;
}

TEST_F(ptes, no_fault_for_each_page)
{
	if (!EDITS_PTES)
		SKIP(return, "PTEs are not edited here");
	if (!kernel_has("wp_shared_mapping_range"))
		SKIP(return, "a kernel without MAPPING_DIRTY_HELPERS unmaps");
	PROTECT(0, MANY, RO);
	self->faults = minor_faults();
	EXPECT_TRUE(first_bytes_are(self->base, MANY, 1));
	EXPECT_GT(self->faults + 64, minor_faults());
	EXPECT_EQ(0, count_writable(self->base, MANY));
	PROTECT(0, MANY, RW);
	self->faults = minor_faults();
	set_first_bytes(self->base, MANY, 2);
	EXPECT_GT(self->faults + 64, minor_faults());
	EXPECT_TRUE(first_bytes_are(self->base, MANY, 2));
}

/* Nothing outside the range, wherever that begins and ends. */
TEST_F(ptes, parts_of_tables)
{
	static const unsigned int first[] = { 0, 1, 500, 511, 512, 513 };
	static const unsigned int pages[] = { 64, 65, 511, 512, 513, 1100 };
	unsigned int i, j, end;
	char *base = self->base;

	for (i = 0; i < ARRAY_SIZE(first); i++)
		for (j = 0; j < ARRAY_SIZE(pages); j++) {
			end = first[i] + pages[j];
			PROTECT(first[i], pages[j], RO);
			EXPECT_EQ(first[i], count_writable(base, first[i]));
			EXPECT_EQ(0, count_writable(base + PAGES(first[i]),
						    pages[j]));
			EXPECT_EQ(MANY - end, count_writable(base + PAGES(end),
							     MANY - end));
			PROTECT(first[i], pages[j], RW);
			EXPECT_EQ(MANY, count_writable(self->base, MANY));
		}
}

/* Some pages are not in memory, others not in the page tables. */
TEST_F(ptes, holes)
{
	unsigned int i;

	for (i = 3; i < MANY; i += 7)
		ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(i),
					 PAGES(1)));
	ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(MANY), RW));
	ASSERT_EQ(0, madvise(self->base, PAGES(MANY), MADV_DONTNEED));
	for (i = 5; i < MANY; i += 11)
		self->base[PAGES(i)] = 1;
	PROTECT(0, MANY, RO);
	EXPECT_EQ(0, count_writable(self->base, MANY));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(i % 7 != 3 || i % 11 == 5, self->base[PAGES(i)]);
	PROTECT(0, MANY, RW);
	EXPECT_EQ(MANY, count_writable(self->base, MANY));
}

/* Of several protections in the range, and of those that take more away. */
TEST_F(ptes, mixed_protections)
{
	PROTECT(100, 1, NA);
	PROTECT(700, 300, RO);
	PROTECT(0, MANY, RO);
	EXPECT_EQ(0, count_writable(self->base, MANY));
	EXPECT_TRUE(first_bytes_are(self->base, MANY, 1));
	PROTECT(100, 900, NA);
	EXPECT_FALSE(try_read(self->base + PAGES(100)));
	EXPECT_FALSE(try_read(self->base + PAGES(999)));
	PROTECT(0, MANY, RW);
	EXPECT_TRUE(first_bytes_are(self->base, MANY, 1));
	EXPECT_EQ(MANY, count_writable(self->base, MANY));
}

/* Pages that have moved to VMAs of their own, and back. */
TEST_F(ptes, several_mappings)
{
	unsigned int i;

	NEEDS_CODE();
	for (i = 0; i < 20; i++) {
		PROTECT(100 * i + 10, 50, RX);
		PROTECT(100 * i + 10, 50, RO);
	}
	PROTECT(0, MANY, RO);
	EXPECT_EQ(0, count_writable(self->base, MANY));
	PROTECT(0, MANY, RW);
	EXPECT_EQ(MANY, count_writable(self->base, MANY));
	/* Executable pages lie between, and are read only from the start. */
	PROTECT(1000, 70, RX);
	PROTECT(200, 800, RO);
	PROTECT(1070, 900, RO);
	EXPECT_EQ(200, count_writable(self->base, 1970));
}

/* A child that calls @fn once *@go is closed, and exits with what it returns */
static pid_t waiting_child(int (*fn)(void *), void *arg, int *go)
{
	int ends[2];
	pid_t child;
	char c;

	if (pipe(ends))
		return -1;
	fflush(NULL);
	child = fork();
	if (!child) {
		close(ends[1]);
		_exit(read(ends[0], &c, 1) ? 1 : fn(arg));
	}
	close(ends[0]);
	*go = ends[1];
	return child;
}

static int child_writes(void *arg)
{
	char *base = arg;

	CHECK(first_bytes_are(base, MANY, 1));
	set_first_bytes(base, MANY, 3);
	CHECK(first_bytes_are(base, MANY, 3));
	return 0;
}

/* What a child owns too is not made writable where it is. */
TEST_F(ptes, shared_with_a_child)
{
	int go, status;
	pid_t child = waiting_child(child_writes, self->base, &go);

	ASSERT_LE(0, child);
	EXPECT_TRUE(first_bytes_are(self->base, MANY, 1));
	PROTECT(0, MANY, RO);
	PROTECT(0, MANY, RW);
	set_first_bytes(self->base, MANY, 2);
	close(go);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(first_bytes_are(self->base, MANY, 2));
}

static int futex_at(volatile char *at, int op, int value)
{
	struct timespec soon = { .tv_nsec = 300 * 1000 * 1000 };

	return syscall(SYS_futex, at, op, value, &soon, NULL, 0);
}

/* A page that the child got for its own has a shared futex of its own. */
static int wait_in_child(void *arg)
{
	FIXTURE_DATA(ptes) *self = arg;
	int value = 1;

	/* Reads only: what the parent has left stays as it is. */
	CHECK(first_bytes_are(self->base, MANY, 1));
	CHECK(!wr_protect(self->fd, self->base, PAGES(MANY), RO));
	CHECK(first_bytes_are(self->base, MANY, 1));
	CHECK(!wr_protect(self->fd, self->base, PAGES(MANY), RW));
	memcpy(self->base + PAGES(700), &value, 4);
	CHECK(futex_at(self->base + PAGES(700), FUTEX_WAIT, 1) == -1);
	CHECK(errno == ETIMEDOUT);
	return 0;
}

TEST_F(ptes, futexes_of_a_child)
{
	int go, status;
	pid_t child = waiting_child(wait_in_child, self, &go);

	ASSERT_LE(0, child);
	/* The parent gets copies, and leaves the originals to the child. */
	set_first_bytes(self->base, MANY, 1);
	close(go);
	while (!waitpid(child, &status, WNOHANG))
		futex_at(self->base + PAGES(700), FUTEX_WAKE, 1);
	EXPECT_EQ(0, status);
}

/* In a child, whose file is its parent's. */
static int parts_in_child(void *arg)
{
	FIXTURE_DATA(ptes) *self = arg;

	set_first_bytes(self->base, MANY, 2);
	CHECK(!wr_protect(self->fd, self->base, PAGES(MANY), RO));
	CHECK(!count_writable(self->base, MANY));
	CHECK(!wr_protect(self->fd, self->base, PAGES(MANY), RW));
	CHECK(count_writable(self->base, MANY) == MANY);
	return 0;
}

TEST_F(ptes, in_a_child)
{
	EXPECT_EQ(0, in_child(parts_in_child, self));
	EXPECT_TRUE(first_bytes_are(self->base, MANY, 1));
	set_first_bytes(self->base, MANY, 4);
	EXPECT_EQ(0, in_child(parts_in_child, self));
	EXPECT_EQ(MANY, count_writable(self->base, MANY));
}

/**
 * struct scene - one thread that takes rights away, and others that use them
 * @base: the pages
 * @forbidden: the right has been taken away, and is not being given back
 * @wrong: writes that went through all the same
 */
struct scene {
	struct crew crew;
	char *base;
	volatile uint64_t forbidden;
	volatile uint64_t wrong;
};

/* The first pages more often, so that this processor surely remembers some. */
static void *keep_writing(void *arg)
{
	struct scene *scene = arg;
	uint64_t before, value = 1;
	unsigned int i = 0;

	while (crew_goes_on(&scene->crew)) {
		i = (i + 1) % (i % 3 ? MANY : 40);
		before = race_load(&scene->forbidden);
		if (!user_access((void *)(scene->base + PAGES(i)), &value, true))
			continue;
		if (before && race_load(&scene->forbidden) == before)
			race_add(&scene->wrong, 1);
	}
	return NULL;
}

/* Takes the right to write away and gives it back, again and again. */
static int forbid_and_allow(struct scene *scene, int fd, uint32_t allowed,
			    uint32_t forbidden)
{
	unsigned int i;

	race_catch_faults();
	for (i = 0; i < 3; i++)
		crew_add(&scene->crew, keep_writing, scene);
	for (i = 1; i <= rounds(ptes_child); i++) {
		CHECK(!wr_protect(fd, scene->base, PAGES(MANY), forbidden));
		scene->forbidden = i;
		usleep(500);
		scene->forbidden = 0;
		CHECK(!wr_protect(fd, scene->base, PAGES(MANY), allowed));
		usleep(500);
	}
	crew_stop(&scene->crew);
	CHECK(!scene->wrong);
	return 0;
}

/* Rules: VP-01, M-12. Hazard A1. */
TEST_F_TIMEOUT(ptes, no_processor_remembers, 60)
{
	struct scene scene = { .base = self->base };

	EXPECT_EQ(0, forbid_and_allow(&scene, self->fd, RW, RO));
}

/* The same over VMAs that lie side by side, each of which is to be flushed. */
TEST_F_TIMEOUT(ptes, no_processor_remembers_several_mappings, 60)
{
	struct scene scene = { .base = self->base };
	unsigned int i;

	NEEDS_CODE();
	for (i = 0; i < 11; i++)
		PROTECT(200 * i, 200, RWX);
	set_first_bytes(self->base, MANY, 1);
	EXPECT_EQ(0, forbid_and_allow(&scene, self->fd, RWX, RX));
}

/*
 * And with relatives at work on the same offsets, whose changes reach our PTEs
 * by the file that is mapped in all.
 */
static void work_in_child(FIXTURE_DATA(ptes) *self)
{
	for (;;) {
		set_first_bytes(self->base, MANY, 2);
		wr_protect(self->fd, self->base, PAGES(MANY), RO);
		wr_protect(self->fd, self->base, PAGES(1), RW);
		wr_decommit(self->fd, self->base + PAGES(MANY - 3), PAGES(3));
		wr_commit(self->fd, self->base, PAGES(MANY), RW);
	}
}

TEST_F_TIMEOUT(ptes, no_processor_remembers_beside_relatives, 60)
{
	struct scene scene = { .base = self->base };
	pid_t child;

	fflush(NULL);
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		work_in_child(self);
	EXPECT_EQ(0, forbid_and_allow(&scene, self->fd, RW, RO));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, NULL, 0));
}

static void *map_and_unmap(void *arg)
{
	struct scene *scene = arg;
	char *map;

	while (crew_goes_on(&scene->crew)) {
		map = mmap(scene->base, PAGES(MANY), PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (map != MAP_FAILED)
			munmap(map, PAGES(MANY));
	}
	return NULL;
}

/* Page tables go, and somebody else's come, while rights are given back. */
/* Hazard A4. */
TEST_F_TIMEOUT(ptes, unmapped_meanwhile, 60)
{
	struct scene scene = { .base = self->base };
	uint64_t addr = (uintptr_t)self->base;
	unsigned int i;

	crew_add(&scene.crew, map_and_unmap, &scene);
	for (i = 0; i < rounds(ptes_unmapped); i++) {
		wr_protect(self->fd, self->base, PAGES(MANY), RO);
		wr_protect(self->fd, self->base, PAGES(MANY), RW);
		if (!wr_reserve_at(self->fd, &addr, PAGES(MANY), 0, RW) &&
		    !wr_commit(self->fd, self->base, PAGES(MANY), RW))
			madvise(self->base, PAGES(300), MADV_POPULATE_WRITE);
	}
	crew_stop(&scene.crew);
}

TEST_HARNESS_MAIN
