// SPDX-License-Identifier: GPL-2.0
/*
 * Executable pages: they are the one case in which a region has more than one
 * mapping. They run, their neighbours do not, also where they share an executable
 * mapping; no content is lost when mappings come and go, and nobody else's
 * mapping is hurt.
 */
#include "kselftest_harness.h"

#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common.h"
#include "wr_test_util.h"

FIXTURE(exec)
{
	int fd;
	char *base;
	/* A region beside it, with a mapping of its own or not */
	char *other;
	/* Mappings of [base, base + size) as long as nothing is executable */
	struct vma plain;
};

FIXTURE_VARIANT(exec)
{
	uint64_t size;
};

/* In a mapping with other regions */
FIXTURE_VARIANT_ADD(exec, small)
{
	.size = KIB(128),
};

FIXTURE_VARIANT_ADD(exec, large)
{
	.size = MIB(4),
};

#define NR_PAGES 32
/* Where each page has a function, between the words of fill_page() */
#define CODE_AT 1024

static void write_codes(char *base, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		write_code(base + PAGES(i) + CODE_AT);
}

FIXTURE_SETUP(exec)
{
	NEEDS_CODE();
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->base = wr_reserve(self->fd, variant->size);
	ASSERT_NE(NULL, self->base);
	self->other = wr_alloc(self->fd, variant->size);
	ASSERT_NE(NULL, self->other);
	ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(NR_PAGES), RW));
	fill_pages(self->base, NR_PAGES, 100);
	write_codes(self->base, NR_PAGES);
	fill_pages(self->other, NR_PAGES, 900);
	ASSERT_TRUE(find_vma(self->base, &self->plain));
	ASSERT_EQ('-', self->plain.perms[2]);
}

FIXTURE_TEARDOWN(exec)
{
	close(self->fd);
}

/* How many bytes of the mappings around the region are executable? */
static uint64_t executable_bytes(FIXTURE_DATA(exec) *self)
{
	static struct vma vmas[4096];
	uint64_t bytes = 0;
	size_t n, i;

	n = read_vmas(self->plain.start, self->plain.end - 1, vmas,
		      ARRAY_SIZE(vmas));
	for (i = 0; i < n && i < ARRAY_SIZE(vmas); i++)
		if (vmas[i].perms[2] == 'x')
			bytes += vmas[i].end - vmas[i].start;
	return bytes;
}

/* Do those of @n pages run, and no others, that have a bit in @which? */
static bool run_only(const char *base, unsigned int n, uint32_t which)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		const char *code = base + PAGES(i) + CODE_AT;
		bool runs = try_exec(code), may = which & 1U << i;

		if (runs != may ||
		    (!runs && (probe_fault.sig != SIGSEGV || !probe_fault.exec ||
			       probe_fault.addr != code))) {
			fprintf(stderr, "# page %u %s\n", i,
				runs ? "runs" : "does not run");
			return false;
		}
	}
	return true;
}

#define RUNS_ONLY(_first, _n, _which) \
	run_only(self->base + PAGES(_first), (_n), (_which))

/* Are all pages but one what they were? */
static bool others_intact(FIXTURE_DATA(exec) *self, unsigned int page)
{
	return pages_have(self->base, page, 100) &&
	       pages_have(self->base + PAGES(page + 1), NR_PAGES - page - 1,
			  101 + page) &&
	       pages_have(self->other, NR_PAGES, 900);
}

/* Code runs where it may, and nowhere else. */
TEST_F(exec, runs_where_it_may)
{
	char *page = self->base + PAGES(5);

	ASSERT_EQ(0, wr_commit(self->fd, page, PAGES(1), RWX));
	write_function(page, 42);
	EXPECT_EQ(42, call_function(page));
	write_function(page, 43);
	EXPECT_EQ(43, call_function(page));
	EXPECT_TRUE(wr_is(self->fd, page, RWX));
	EXPECT_TRUE(others_intact(self, 5));
	EXPECT_EQ(PAGES(1), executable_bytes(self));

	/* The pages on both sides and the region beside it stay data. */
	write_code(page - PAGES(1));
	write_code(page + PAGES(1));
	write_code(self->other);
	EXPECT_FALSE(try_exec(page - PAGES(1)));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
	EXPECT_FALSE(try_exec(page + PAGES(1)));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
	EXPECT_FALSE(try_exec(self->other));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
	EXPECT_EQ(42, (write_function(page, 42), call_function(page)));
}

/* What a just-in-time compiler does: write, then run, never both. */
TEST_F(exec, write_then_execute)
{
	char *page = self->base + PAGES(3);
	size_t vmas = count_all_vmas();
	uint32_t i;

	for (i = 0; i < 20; i++) {
		write_function(page, i);
		ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1),
					i % 2 ? RX : WINREGION_EXECUTE));
		EXPECT_EQ(i, call_function(page));
		EXPECT_FALSE(try_write(page));
		EXPECT_EQ(SIGSEGV, probe_fault.sig);
		EXPECT_TRUE(others_intact(self, 3));
		ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RW));
		EXPECT_FALSE(try_exec(page));
		EXPECT_EQ(SIGSEGV, probe_fault.sig);
		/* The mapping is kept for the next time. */
		EXPECT_GE(vmas + 2, count_all_vmas());
	}
	EXPECT_EQ(PAGES(1), executable_bytes(self));
}

/* A page gets its own mapping, which grows and stays, with all contents kept. */
TEST_F(exec, mapping_comes_and_goes)
{
	size_t vmas = count_all_vmas();

	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(8), PAGES(4),
				RX));
	EXPECT_EQ(vmas + 2, count_all_vmas());
	EXPECT_EQ(PAGES(4), executable_bytes(self));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	/* A part of it is data again. */
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(9), PAGES(1),
				RW));
	EXPECT_EQ(vmas + 2, count_all_vmas());
	EXPECT_TRUE(RUNS_ONLY(8, 4, 1 << 0 | 1 << 2 | 1 << 3));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	/* It grows over its neighbours. */
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(6), PAGES(12),
				RWX));
	EXPECT_LE(PAGES(12), executable_bytes(self));
	EXPECT_GE(vmas + 2, count_all_vmas());
	EXPECT_TRUE(RUNS_ONLY(4, 16, 0x3ffc));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	/* The last one goes by another protection. */
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(NR_PAGES), RO));
	EXPECT_GE(vmas + 2, count_all_vmas());
	EXPECT_TRUE(RUNS_ONLY(4, 16, 0));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	EXPECT_FALSE(try_write(self->base + PAGES(9)));
}

/* The same by a decommit and by commits. */
TEST_F(exec, mapping_goes_with_state)
{
	char *page = self->base + PAGES(10);

	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(2), RX));
	EXPECT_TRUE(RUNS_ONLY(9, 4, 6));
	ASSERT_EQ(0, wr_decommit(self->fd, page, PAGES(2)));
	EXPECT_FALSE(try_read(page));
	EXPECT_FALSE(try_exec(page));
	ASSERT_EQ(0, wr_commit(self->fd, page, PAGES(2), RWX));
	EXPECT_TRUE(page_is_zero(page));
	write_codes(page, 2);
	EXPECT_TRUE(RUNS_ONLY(9, 4, 6));
	ASSERT_EQ(0, wr_commit(self->fd, page, PAGES(2), RW));
	EXPECT_TRUE(RUNS_ONLY(9, 4, 0));
	ASSERT_EQ(0, wr_decommit(self->fd, page, PAGES(2)));
	ASSERT_EQ(0, wr_commit(self->fd, page, PAGES(2), RW));
	EXPECT_TRUE(RUNS_ONLY(9, 4, 0));
	EXPECT_TRUE(pages_have(self->base, 10, 100));
	EXPECT_TRUE(pages_have(self->base + PAGES(12), NR_PAGES - 12, 112));
}

/* Pages of one executable mapping, by their states */
static const uint32_t mixed[] = {
	RX, RW, RWX, RO, WINREGION_EXECUTE, NA, RX, RW | WINREGION_GUARD,
};

#define MIXED_RUN 0x55 /* a bit for each that runs */

/* A region all of whose pages are in an executable mapping, but not executable */
static char *make_mixed(int fd)
{
	char *base = wr_alloc(fd, PAGES(NR_PAGES));
	unsigned int i;

	if (!base)
		return NULL;
	write_codes(base, NR_PAGES);
	for (i = 0; i < 2; i++)
		if (wr_protect(fd, base + PAGES(i), PAGES(1), RX) ||
		    wr_protect(fd, base + PAGES(i), PAGES(1), RW))
			return NULL;
	return base;
}

static bool is_one_executable(const char *base)
{
	struct vma vma;

	return find_vma(base, &vma) && vma.perms[2] == 'x' &&
	       vma.end >= (uintptr_t)base + PAGES(NR_PAGES);
}

static int change_mixed(int fd, char *base, unsigned int turn)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		CHECK(!wr_protect(fd, base + PAGES((i + turn) % 8), PAGES(1),
				  mixed[i]));
	for (i = 0; i < 8; i++)
		CHECK(run_only(base + PAGES((i + turn) % 8), 1,
			       MIXED_RUN >> i & 1));
	return 0;
}

/* In an executable mapping it is the page that may be executed or not. */
TEST_F(exec, mixed_in_one_mapping)
{
	char *base = make_mixed(self->fd);
	size_t vmas = count_all_vmas();
	unsigned int turn;

	ASSERT_NE(NULL, base);
	EXPECT_TRUE(is_one_executable(base));
	EXPECT_TRUE(run_only(base, 32, 0));
	for (turn = 0; turn < 16; turn++)
		ASSERT_EQ(0, change_mixed(self->fd, base, turn));
	/* Those that are touched first by being executed, and by being written */
	ASSERT_EQ(0, wr_decommit(self->fd, base, PAGES(8)));
	ASSERT_EQ(0, wr_commit(self->fd, base, PAGES(8), RW));
	EXPECT_FALSE(try_exec(base + PAGES(1)));
	write_codes(base, 8);
	EXPECT_TRUE(run_only(base, 32, 0));
	ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(2), PAGES(3), RX));
	EXPECT_TRUE(run_only(base, 32, 0x1c));
	ASSERT_EQ(0, wr_protect(self->fd, base, PAGES(8), RO));
	ASSERT_EQ(0, wr_protect(self->fd, base, PAGES(8), RW));
	write_codes(base, 8);
	EXPECT_TRUE(run_only(base, 32, 0));
	EXPECT_EQ(vmas, count_all_vmas());
	/* What the kernel does to all mappings of a process */
	ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(8), PAGES(1), RX));
	EXPECT_TRUE(write_text("/proc/self/clear_refs", "4"));
	EXPECT_TRUE(run_only(base, 32, 0x100));
	ASSERT_EQ(0, wr_decommit(self->fd, base, PAGES(4)));
	ASSERT_EQ(0, wr_commit(self->fd, base, PAGES(4), RW));
	write_codes(base, 4);
	EXPECT_TRUE(run_only(base, 32, 0x100));
	ASSERT_EQ(0, wr_release(self->fd, base, 0));
	EXPECT_FALSE(try_exec(base));
}

/* The same for both sides of a fork, before and after pages are copied */
static int mixed_in_child(void *arg)
{
	struct winregion_range *range = arg;
	char *base = (char *)(uintptr_t)range->address;
	int fd = range->protection, ret;

	CHECK(run_only(base, 32, 0xff00));
	write_codes(base, 8);
	write_codes(base + PAGES(20), 4);
	CHECK(run_only(base, 32, 0xff00));
	CHECK(is_one_executable(base));
	ret = change_mixed(fd, base, 3);
	CHECK(!wr_protect(fd, base + PAGES(8), PAGES(8), RW));
	CHECK(run_only(base + PAGES(8), 24, 0));
	write_codes(base + PAGES(8), 8);
	CHECK(run_only(base + PAGES(8), 24, 0));
	return ret;
}

TEST_F(exec, mixed_after_fork)
{
	struct winregion_range range = {
		.address = (uintptr_t)make_mixed(self->fd),
		.protection = self->fd,
	};
	char *base = (char *)(uintptr_t)range.address;
	unsigned int i;

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(8), PAGES(8), RX));
	EXPECT_TRUE(run_only(base, 32, 0xff00));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, in_child(mixed_in_child, &range));
		EXPECT_TRUE(run_only(base, 32, 0xff00));
		write_codes(base, 8);
		EXPECT_TRUE(run_only(base, 32, 0xff00));
	}
	ASSERT_EQ(0, change_mixed(self->fd, base, 5));
}

/* A compiler goes through a region page by page: two mappings more, at most. */
TEST_F_TIMEOUT(exec, page_after_page, 60)
{
	unsigned int pages = variant->size / PAGES(1) * 4, i;
	char *base = wr_alloc(self->fd, PAGES(pages));
	size_t vmas = count_all_vmas();

	ASSERT_NE(NULL, base);
	for (i = 0; i < pages; i++) {
		char *page = base + PAGES(i * 3 % pages);

		write_function(page, i);
		ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RX));
		ASSERT_EQ(i, call_function(page));
		ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RW));
		ASSERT_FALSE(try_exec(page));
		if (i % 16 == 5)
			ASSERT_GE(vmas + 2, count_all_vmas());
	}
	for (i = 0; i < pages; i++)
		ASSERT_EQ(0xb8, (unsigned char)base[PAGES(i)]);
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	ASSERT_EQ(0, wr_release(self->fd, base, 0));
	EXPECT_GE(vmas, count_all_vmas());
}

/* Mappings that nobody needs any more do not pile up. */
TEST_F(exec, many_pieces_go)
{
	size_t vmas = count_all_vmas();
	char *small[100];
	unsigned int i;

	for (i = 0; i < NR_PAGES; i += 2)
		ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(i),
					PAGES(1), RX));
	EXPECT_LE(vmas + NR_PAGES - 1, count_all_vmas());
	EXPECT_TRUE(RUNS_ONLY(0, 32, 0x55555555));
	for (i = 0; i < NR_PAGES; i += 2)
		ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(i),
					PAGES(1), RW));
	EXPECT_GE(vmas + 8, count_all_vmas());
	EXPECT_TRUE(RUNS_ONLY(0, 32, 0));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	/* One in each of many small regions */
	for (i = 0; i < ARRAY_SIZE(small); i++) {
		small[i] = wr_alloc(self->fd, KIB(64));
		ASSERT_NE(NULL, small[i]);
	}
	vmas = count_all_vmas();
	for (i = 0; i < ARRAY_SIZE(small); i++) {
		write_code(small[i]);
		ASSERT_EQ(0, wr_protect(self->fd, small[i], PAGES(1), RX));
		ASSERT_TRUE(try_exec(small[i]));
		ASSERT_EQ(0, wr_protect(self->fd, small[i], PAGES(1), RW));
		ASSERT_FALSE(try_exec(small[i]));
	}
	EXPECT_GE(vmas + 32, count_all_vmas());
}

/* Nor do those that are needed where code and data take turns. */
TEST_F_TIMEOUT(exec, code_between_data, 60)
{
	const unsigned int pages = 3000;
	size_t vmas = count_all_vmas();
	char *base = wr_alloc(self->fd, PAGES(pages)), written[64] = {};
	unsigned int i;

	ASSERT_NE(NULL, base);
	for (i = 0; i < pages; i++)
		write_function(base + PAGES(i), i);
	for (i = 0; i < pages; i += 2)
		ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(i), PAGES(1),
					RX));
	EXPECT_GE(vmas + 300, count_all_vmas());
	for (i = 0; i < pages; i += 2) {
		ASSERT_EQ(i, call_function(base + PAGES(i)));
		ASSERT_FALSE(try_exec(base + PAGES(i + 1)));
		ASSERT_TRUE(try_write(base + PAGES(i + 1) + 64));
		write_function(written, i + 1);
		ASSERT_EQ(0, memcmp(base + PAGES(i + 1), written,
				    sizeof(written)));
	}
	EXPECT_FALSE(try_write(base + PAGES(pages - 2)));
	ASSERT_EQ(0, wr_release(self->fd, base, 0));
	EXPECT_GE(vmas, count_all_vmas());
}

/* Releases take every mapping with them. */
TEST_F(exec, release)
{
	size_t vmas = count_all_vmas();
	unsigned int i;

	for (i = 1; i < NR_PAGES; i += 4)
		ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(i),
					PAGES(1), RX));
	EXPECT_EQ(PAGES(8), executable_bytes(self));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	ASSERT_EQ(0, wr_release(self->fd, self->base, 0));
	EXPECT_EQ(0, executable_bytes(self));
	EXPECT_GE(vmas, count_all_vmas());
	EXPECT_FALSE(try_read(self->base));
	EXPECT_FALSE(try_read(self->base + PAGES(1)));
	EXPECT_TRUE(pages_have(self->other, NR_PAGES, 900));
	EXPECT_EQ(variant->size, WR_INFO(self->fd, out_committed));
	EXPECT_EQ(1, WR_INFO(self->fd, out_regions));
}

/* One after the other on and off again: no mapping is left over. */
TEST_F(exec, many_changes)
{
	size_t vmas = count_all_vmas();
	unsigned int i;

	for (i = 0; i < 300; i++) {
		char *page = self->base + PAGES(i * 7 % NR_PAGES);

		ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1),
					i % 3 ? RX : RWX));
		if (i % 2)
			ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1),
						RW));
	}
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(NR_PAGES), RW));
	EXPECT_GE(vmas + 2, count_all_vmas());
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	EXPECT_TRUE(pages_have(self->other, NR_PAGES, 900));
}

/* A vector that makes some pages executable, and others not any more */
TEST_F(exec, vector)
{
	struct winregion_range ranges[8];
	size_t vmas = count_all_vmas();
	unsigned int i;

	for (i = 0; i < 8; i++)
		ranges[i] = (struct winregion_range) {
			.address = (uintptr_t)self->base + PAGES(4 * i),
			.length = PAGES(1),
			.protection = i % 2 ? RX : RO,
		};
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, ranges, 8));
	EXPECT_EQ(PAGES(4), executable_bytes(self));
	for (i = 0; i < 8; i++)
		ranges[i].protection = i % 2 ? RW : RX;
	/* One that is bad: nothing changes. */
	ranges[7].length = variant->size;
	EXPECT_EQ(-EXDEV, wr_vector(self->fd, WINREGION_PROTECT, ranges, 8));
	EXPECT_EQ(PAGES(4), executable_bytes(self));
	EXPECT_TRUE(wr_is(self->fd, self->base, RO));
	ranges[7].length = PAGES(1);
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, ranges, 8));
	EXPECT_TRUE(RUNS_ONLY(0, 32, 0x01010101));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	for (i = 0; i < 8; i++)
		ranges[i].protection = RW;
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, ranges, 8));
	EXPECT_TRUE(RUNS_ONLY(0, 32, 0));
	EXPECT_GE(vmas + 4, count_all_vmas());
}

/* A whole region that is executable from the start */
TEST_F(exec, reserve_executable)
{
	uint64_t addr = 0;

	ASSERT_EQ(0, wr_reserve_at(self->fd, &addr, variant->size,
				   WINREGION_RESERVE_COMMIT, RWX));
	write_function((char *)(uintptr_t)addr, 7);
	EXPECT_EQ(7, call_function((char *)(uintptr_t)addr));
	write_function((char *)(uintptr_t)addr + variant->size - 16, 8);
	EXPECT_EQ(8, call_function((char *)(uintptr_t)addr + variant->size -
				   16));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	ASSERT_EQ(0, wr_release(self->fd, (void *)(uintptr_t)addr, 0));
	EXPECT_FALSE(try_exec((void *)(uintptr_t)addr));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));

	/* Only reserved, nothing is executable, whatever it was reserved as. */
	addr = 0;
	ASSERT_EQ(0, wr_reserve_at(self->fd, &addr, variant->size, 0, RWX));
	EXPECT_EQ(0, executable_bytes(self));
	EXPECT_FALSE(try_exec((void *)(uintptr_t)addr));
}

/*
 * The program unmaps the executable piece itself, and somebody else takes the
 * place. Release and later changes must not unmap or map over that.
 */
TEST_F(exec, hole_taken_by_another)
{
	char *page = self->base + PAGES(12);
	uint64_t committed = WR_INFO(self->fd, out_committed);
	struct winregion_run run;
	char *map;

	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(2), RX));
	ASSERT_EQ(0, munmap(page, PAGES(2)));
	EXPECT_FALSE(try_read(page));
	EXPECT_FALSE(try_exec(page + PAGES(1)));
	/* The pages and their charge are gone, the rest is not. */
	EXPECT_EQ(committed - PAGES(2), WR_INFO(self->fd, out_committed));
	EXPECT_NE(WINREGION_STATE_COMMIT, wr_state(self->fd, page));
	EXPECT_TRUE(pages_have(self->base, 12, 100));
	EXPECT_TRUE(pages_have(self->base + PAGES(14), NR_PAGES - 14, 114));

	map = mmap(page, PAGES(2), PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	ASSERT_EQ(page, map);
	fill_pages(map, 2, 4000);

	/* Changes around it, and on it */
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(4), PAGES(1),
				RX));
	EXPECT_TRUE(pages_have(map, 2, 4000));
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(4), PAGES(1),
				RW));
	EXPECT_TRUE(pages_have(map, 2, 4000));
	wr_commit(self->fd, page, PAGES(2), RX);
	EXPECT_TRUE(pages_have(map, 2, 4000));
	wr_commit(self->fd, self->base, PAGES(NR_PAGES), RX);
	EXPECT_TRUE(pages_have(map, 2, 4000));
	wr_decommit(self->fd, page, PAGES(2));
	EXPECT_TRUE(pages_have(map, 2, 4000));
	wr_commit(self->fd, page, PAGES(2), RW);
	EXPECT_TRUE(pages_have(map, 2, 4000));
	wr_decommit(self->fd, self->base, PAGES(NR_PAGES));
	EXPECT_TRUE(pages_have(map, 2, 4000));

	ASSERT_EQ(0, wr_release(self->fd, self->base, 0));
	EXPECT_TRUE(pages_have(map, 2, 4000));
	EXPECT_TRUE(try_write(map + 99));
	EXPECT_TRUE(pages_have(self->other, NR_PAGES, 900));
	EXPECT_FALSE(try_read(self->base));
	EXPECT_FALSE(try_read(page + PAGES(2)));
	ASSERT_EQ(0, wr_query(self->fd, page, &run));
	EXPECT_EQ(WINREGION_RUN_FOREIGN, run.flags);
	EXPECT_EQ(variant->size, WR_INFO(self->fd, out_committed));
}

/* Same for the piece before and behind it, which are whole mappings, too. */
TEST_F(exec, data_piece_unmapped)
{
	uint64_t regions = WR_INFO(self->fd, out_regions);
	struct vma vma;
	char *map;

	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(12), PAGES(2),
				RX));
	ASSERT_TRUE(find_vma(self->base + PAGES(14), &vma));
	ASSERT_EQ((uintptr_t)self->base + PAGES(14), vma.start);
	ASSERT_EQ(0, munmap(self->base + PAGES(14), vma.end - vma.start));
	EXPECT_FALSE(try_read(self->base + PAGES(14)));
	EXPECT_TRUE(pages_have(self->base, 14, 100));
	map = mmap(self->base + PAGES(14), vma.end - vma.start,
		   PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		   MAP_FIXED_NOREPLACE, -1, 0);
	ASSERT_EQ(self->base + PAGES(14), map);
	fill_pages(map, 16, 7000);
	/* The last executable run goes: what is left is put together. */
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(12), PAGES(2),
				RW));
	EXPECT_TRUE(pages_have(self->base, 14, 100));
	EXPECT_TRUE(pages_have(map, 16, 7000));
	EXPECT_EQ(0, wr_release(self->fd, self->base, 0));
	EXPECT_GT(regions, WR_INFO(self->fd, out_regions));
	EXPECT_TRUE(pages_have(map, 16, 7000));
}

/* What the program has unmapped counts as reserved, as one with its neighbours. */
TEST_F(exec, hole_is_reserved)
{
	char *page = self->base + PAGES(12);
	struct winregion_run run, runs[4];
	uint64_t next = (uintptr_t)self->base;

	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(2), RX));
	ASSERT_EQ(0, munmap(page, PAGES(2)));
	ASSERT_EQ(0, wr_query(self->fd, page, &run));
	EXPECT_EQ(WINREGION_STATE_RESERVE, run.state);
	EXPECT_EQ((uintptr_t)self->base, run.region_address);
	EXPECT_EQ(PAGES(2), run.length);
	ASSERT_EQ(0, wr_decommit(self->fd, self->base, PAGES(12)));
	ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(14),
				 PAGES(NR_PAGES - 14)));
	ASSERT_EQ(0, wr_query(self->fd, self->base, &run));
	EXPECT_EQ(WINREGION_STATE_RESERVE, run.state);
	EXPECT_EQ(variant->size, run.length);
	EXPECT_EQ(0, run.region_committed);
	EXPECT_EQ(1, wr_query_runs(self->fd, &next, next + variant->size - 1, 0,
				   runs, ARRAY_SIZE(runs)));
	EXPECT_EQ(variant->size, runs[0].length);
	/* A page that is committed again ends the run. */
	ASSERT_EQ(0, wr_commit(self->fd, page + PAGES(2), PAGES(1), RW));
	ASSERT_EQ(0, wr_query(self->fd, self->base, &run));
	EXPECT_EQ(PAGES(14), run.length);
}

/* Whether each of the runs is what a query of its first page says. */
static bool runs_are_right(int fd, const struct winregion_run *runs, long n)
{
	struct winregion_run run;
	long i;

	for (i = 0; i < n; i++)
		if (wr_query(fd, (void *)(uintptr_t)runs[i].address, &run) ||
		    memcmp(&run, &runs[i], sizeof(run)))
			return false;
	return n > 0;
}

/* Runs that begin in one aligned 2 MiB and end in another, where there is a hole */
TEST_F(exec, runs_beside_a_hole)
{
	static const unsigned int ranges[][2] = {
		{ 100, 1030 }, { 100, 613 }, { 511, 1100 }, { 512, 1024 },
	};
	char *base = wr_reserve_aligned(self->fd, MIB(8), MIB(2), false);
	struct winregion_run runs[16];
	uint64_t next;
	unsigned int i;
	long n;

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, wr_commit(self->fd, base, PAGES(1), RWX));
	ASSERT_EQ(0, munmap(base, PAGES(1)));
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		ASSERT_EQ(0, wr_decommit(self->fd, base + PAGES(1),
					 MIB(8) - PAGES(1)));
		ASSERT_EQ(0, wr_commit(self->fd, base + PAGES(ranges[i][0]),
				       PAGES(ranges[i][1] - ranges[i][0]), RW));
		ASSERT_EQ(0, wr_commit(self->fd, base + PAGES(1124), PAGES(1),
				       RO));
		next = (uintptr_t)base;
		n = wr_query_runs(self->fd, &next, next + MIB(8) - 1, 0, runs,
				  ARRAY_SIZE(runs));
		EXPECT_EQ(5, n);
		EXPECT_TRUE(runs_are_right(self->fd, runs, n));
	}
}

/* New regions come beside such a hole, and never into it. */
TEST_F(exec, hole_beside_regions)
{
	char *page = self->base + PAGES(12);
	struct winregion_reserve reserve = {
		.size = sizeof(reserve),
		.flags = WINREGION_RESERVE_TOP_DOWN,
		.protection = RW,
		.length = KIB(64),
		.lowest = self->plain.start,
		.highest = self->plain.end - 1,
	};

	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(2), RX));
	ASSERT_EQ(0, munmap(page, PAGES(2)));
	while (!wr_ioctl(self->fd, WINREGION_RESERVE, &reserve)) {
		EXPECT_TRUE(reserve.address + reserve.length <=
			    (uintptr_t)self->base ||
			    reserve.address >=
			    (uintptr_t)self->base + variant->size);
		EXPECT_LE(self->plain.start, reserve.address);
		EXPECT_EQ(0, wr_commit(self->fd,
				       (void *)(uintptr_t)reserve.address,
				       KIB(64), RW));
		fill_pages((void *)(uintptr_t)reserve.address, 16, 1);
		reserve.address = 0;
	}
	EXPECT_FALSE(try_read(page));
	EXPECT_TRUE(pages_have(self->base, 12, 100));
	EXPECT_TRUE(pages_have(self->other, NR_PAGES, 900));
}

/* Whether /proc has @flag for each mapping of the region */
static bool all_have_flag(const char *base, uint64_t size, const char *flag)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long start, end, nr = 0, with = 0;
	bool inside = false;
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start < (uintptr_t)base + size &&
				 end > (uintptr_t)base;
		if (!inside || strncmp(line, "VmFlags:", 8))
			continue;
		nr++;
		with += !!strstr(line, flag);
	}
	if (file)
		fclose(file);
	return nr && with == nr;
}

static int cannot_read(void *arg)
{
	FIXTURE_DATA(exec) *self = arg;
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		CHECK(!try_read(self->base + PAGES(i)));
	return 0;
}

/* What madvise() has set stays, however often mappings come and go. */
TEST_F(exec, advice_stays)
{
	static const struct {
		int advice;
		const char *flag;
	} cases[] = {
		{ MADV_DONTFORK, " dc " }, { MADV_DONTDUMP, " dd " },
		{ MADV_RANDOM, " rr " }, { MADV_NOHUGEPAGE, " nh " },
	};
	char *page = self->base + PAGES(9);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		ASSERT_EQ(0, madvise((void *)(uintptr_t)self->plain.start,
				     self->plain.end - self->plain.start,
				     cases[i].advice));
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1),
					i % 2 ? RW : RWX));
		ASSERT_EQ(0, wr_protect(self->fd, page + PAGES(3 + i),
					PAGES(2), i % 3 ? RW : RWX));
		for (j = 0; j < ARRAY_SIZE(cases); j++)
			EXPECT_TRUE(all_have_flag(self->base, variant->size,
						  cases[j].flag));
	}
	EXPECT_EQ(0, in_child(cannot_read, self));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(NR_PAGES), RW));
	for (j = 0; j < ARRAY_SIZE(cases); j++)
		EXPECT_TRUE(all_have_flag(self->base, variant->size,
					  cases[j].flag));
	EXPECT_EQ(0, in_child(cannot_read, self));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	EXPECT_TRUE(pages_have(self->other, NR_PAGES, 900));
}

/* Pieces cannot be cut, protected or moved either. */
TEST_F(exec, piece_operations)
{
	char *page = self->base + PAGES(8);

	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(4), RX));
	EXPECT_EQ(-1, munmap(page, PAGES(1)));
	EXPECT_EQ(-1, munmap(page + PAGES(1), PAGES(4)));
	EXPECT_EQ(-1, mprotect(page, PAGES(4), PROT_READ | PROT_WRITE));
	EXPECT_EQ(-1, mprotect(page, PAGES(4),
			       PROT_READ | PROT_WRITE | PROT_EXEC));
	EXPECT_EQ(-1, mprotect(page, PAGES(1), PROT_NONE));
	EXPECT_EQ(MAP_FAILED, mremap(page, PAGES(4), PAGES(8),
				     MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(page, 0, PAGES(4), MREMAP_MAYMOVE));
	EXPECT_EQ(-1, remap_file_pages(page, PAGES(4), 0, 0, 0));
	EXPECT_EQ(MAP_FAILED, mmap(page, PAGES(1), PROT_READ, MAP_PRIVATE |
				   MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	EXPECT_EQ(PAGES(4), executable_bytes(self));
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(4), RW));
	EXPECT_TRUE(RUNS_ONLY(8, 4, 0));
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
}

/* Policies of the process */

struct job {
	int fd;
	char *base;
	uint64_t size;
};

/* personality(READ_IMPLIES_EXEC): old programs, and what they run */
static int read_implies_exec(void *arg)
{
	struct job *job = arg;
	uint64_t addr = 0;
	struct vma vma;
	char *region, *page;

	CHECK(personality(READ_IMPLIES_EXEC) >= 0);
	CHECK(!wr_reserve_at(job->fd, &addr, job->size,
			     WINREGION_RESERVE_COMMIT, RW));
	region = (char *)(uintptr_t)addr;
	CHECK(find_vma(region, &vma));
	CHECK(vma.perms[2] == '-');
	write_code(region);
	CHECK(!try_exec(region));
	page = region + PAGES(4);
	write_code(page);
	CHECK(!wr_protect(job->fd, page, PAGES(1), RX));
	CHECK(try_exec(page));
	CHECK(!try_exec(region));
	CHECK(find_vma(region, &vma) && vma.perms[2] == '-');
	/* So are the pages around when it goes. */
	CHECK(!wr_protect(job->fd, page, PAGES(1), RW));
	CHECK(!try_exec(page));
	CHECK(!try_exec(region));
	/* And so are those that were there before. */
	write_code(job->base);
	CHECK(!try_exec(job->base));
	return 0;
}

TEST_F(exec, read_implies_exec)
{
	struct job job = { self->fd, self->base, variant->size };

	EXPECT_EQ(0, in_child(read_implies_exec, &job));
}

/* prctl(PR_SET_MDWE): memory that was writable never becomes executable. */
static int deny_write_execute(void *arg)
{
	struct job *job = arg;
	uint64_t committed = WR_INFO(job->fd, out_committed);
	char *page = job->base + PAGES(2);
	uint64_t addr = 0;

	/* What was executable already is not again. */
	CHECK(!wr_protect(job->fd, page + PAGES(4), PAGES(1), RX));
	CHECK(!wr_protect(job->fd, page + PAGES(4), PAGES(1), RW));
	CHECK(!wr_protect(job->fd, page + PAGES(6), PAGES(1), RX));
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0))
		return -1;
	CHECK(wr_protect(job->fd, page + PAGES(4), PAGES(1), RX) == -EACCES);
	CHECK(wr_protect(job->fd, page + PAGES(5), PAGES(1), RX) == -EACCES);
	CHECK(run_only(page + PAGES(4), 3, 4));
	CHECK(!wr_protect(job->fd, page + PAGES(6), PAGES(1), RW));
	CHECK(run_only(page + PAGES(4), 3, 0));
	CHECK(wr_protect(job->fd, page, PAGES(1), RWX) == -EACCES);
	CHECK(wr_protect(job->fd, page, PAGES(1), RX) == -EACCES);
	CHECK(wr_protect(job->fd, page, PAGES(1), WINREGION_EXECUTE) ==
	      -EACCES);
	CHECK(wr_commit(job->fd, page, PAGES(2), RWX) == -EACCES);
	CHECK(wr_commit(job->fd, job->base + PAGES(NR_PAGES), PAGES(1),
			RWX) == -EACCES || job->size == PAGES(NR_PAGES));
	CHECK(wr_reserve_at(job->fd, &addr, KIB(64), WINREGION_RESERVE_COMMIT,
			    RWX) == -EACCES);
	/* Nothing has changed. */
	CHECK(wr_is(job->fd, page, RW));
	CHECK(pages_have(job->base, NR_PAGES, 100));
	CHECK(WR_INFO(job->fd, out_committed) == committed);
	CHECK(try_write_byte(page + 100, 0));
	CHECK(!try_exec(page));
	/* All that is not executable works as ever. */
	CHECK(!wr_protect(job->fd, page, PAGES(1), RO));
	CHECK(!wr_protect(job->fd, page, PAGES(1), RW));
	CHECK(!wr_decommit(job->fd, page, PAGES(1)));
	CHECK(!wr_release(job->fd, job->base, 0));
	return 0;
}

/*
 * In a mapping that is executable already it is the same as mprotect() says: page 0
 * may be executed, 1 may be written, 2 both, 3 is a guard, 4 is read only, 5 not there.
 */
static int deny_gains_in_place(void *arg)
{
	struct job *job = arg;
	char *base = job->base;
	struct winregion_range ranges[2] = {
		{ .address = (uintptr_t)base + PAGES(4), .length = PAGES(1),
		  .protection = RW },
		{ .address = (uintptr_t)base, .length = PAGES(1),
		  .protection = RWX },
	};
	unsigned int i;

	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0))
		return -1;
	for (i = 0; i < 6; i++)
		CHECK(wr_protect(job->fd, base + PAGES(i), PAGES(1), RWX) ==
		      (i < 5 ? -EACCES : -ENODATA));
	for (i = 0; i < 6; i++)
		CHECK(wr_commit(job->fd, base + PAGES(i), PAGES(1), RWX) ==
		      -EACCES);
	CHECK(wr_protect(job->fd, base, PAGES(1), RWX | WINREGION_GUARD) ==
	      -EACCES);
	CHECK(wr_protect(job->fd, base + PAGES(1), PAGES(1), RX) == -EACCES);
	CHECK(wr_commit(job->fd, base + PAGES(1), PAGES(1), RX) == -EACCES);
	CHECK(wr_protect(job->fd, base + PAGES(4), PAGES(1),
			 WINREGION_EXECUTE) == -EACCES);
	CHECK(wr_protect(job->fd, base, PAGES(2), RX) == -EACCES);
	CHECK(wr_vector(job->fd, WINREGION_PROTECT, ranges, 2) == -EACCES);
	CHECK(wr_is(job->fd, base, RX) && wr_is(job->fd, base + PAGES(1), RW));
	CHECK(wr_is(job->fd, base + PAGES(2), RWX));
	CHECK(wr_is(job->fd, base + PAGES(4), RO));
	CHECK(run_only(base, 5, 0x5));
	CHECK(try_write(base + PAGES(2)));
	/* What gives no such right is allowed. */
	CHECK(!wr_protect(job->fd, base, PAGES(1), WINREGION_EXECUTE));
	CHECK(!wr_protect(job->fd, base, PAGES(1), RX | WINREGION_GUARD));
	CHECK(!wr_protect(job->fd, base, PAGES(1), RX));
	CHECK(!wr_protect(job->fd, base + PAGES(2), PAGES(1), RX));
	/* The guard has gone off. */
	CHECK(run_only(base, 5, 0xd));
	CHECK(!wr_protect(job->fd, base + PAGES(2), PAGES(1), RW));
	CHECK(wr_protect(job->fd, base + PAGES(2), PAGES(1), RX) == -EACCES);
	/* New pages: as mmap() says. */
	CHECK(wr_commit(job->fd, base + PAGES(6), PAGES(2), RWX) == -EACCES);
	CHECK(!wr_commit(job->fd, base + PAGES(6), PAGES(2), RX));
	CHECK(!wr_decommit(job->fd, base, 0));
	CHECK(!wr_commit(job->fd, base, PAGES(8), RX));
	CHECK(page_is_zero(base));
	CHECK(!wr_decommit(job->fd, base, PAGES(1)));
	CHECK(wr_commit(job->fd, base, PAGES(1), RWX) == -EACCES);
	CHECK(!wr_release(job->fd, base, 0));
	return 0;
}

static int make_executable(struct job *job)
{
	static const uint32_t kinds[] = { RX, RW, RWX, RX | WINREGION_GUARD,
					  RO };
	uint64_t addr = 0;
	unsigned int i;

	CHECK(!wr_reserve_at(job->fd, &addr, job->size, 0, RWX));
	job->base = (char *)(uintptr_t)addr;
	CHECK(!wr_commit(job->fd, job->base, PAGES(ARRAY_SIZE(kinds)), RW));
	write_codes(job->base, ARRAY_SIZE(kinds));
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		CHECK(!wr_protect(job->fd, job->base + PAGES(i), PAGES(1),
				  kinds[i]));
	return 0;
}

TEST_F(exec, mdwe)
{
	struct job job = { self->fd, self->base, variant->size };
	int ret = in_child(deny_write_execute, &job);

	if (ret == -1)
		SKIP(return, "this kernel has no PR_SET_MDWE");
	EXPECT_EQ(0, ret);
	ASSERT_EQ(0, make_executable(&job));
	EXPECT_EQ(0, in_child(deny_gains_in_place, &job));
}

/*
 * A piece is made larger than it has to be, once pages have lost the right. What is in
 * the way of that, such as a limit on locked memory, does not fail the call.
 */
static int as_large_as_it_must_be(void *arg)
{
	struct rlimit limit = { KIB(64), KIB(64) };
	struct job *job = arg;
	unsigned int i;

	CHECK(!wr_protect(job->fd, job->base, PAGES(1), RX));
	CHECK(!wr_protect(job->fd, job->base, PAGES(1), RW));
	CHECK(!setrlimit(RLIMIT_MEMLOCK, &limit));
	/* root may lock all that it likes. */
	CHECK(!setgid(65534) && !setuid(65534));
	CHECK(!mlockall(MCL_FUTURE));
	for (i = 4; i < 12; i += 3)
		CHECK(!wr_protect(job->fd, job->base + PAGES(i), PAGES(1),
				  RX));
	CHECK(run_only(job->base, NR_PAGES, 1 << 4 | 1 << 7 | 1 << 10));
	CHECK(pages_have(job->base, NR_PAGES, 100));
	/* More than the limit: the error is that of the call. */
	CHECK(wr_protect(job->fd, job->base + PAGES(12), PAGES(20), RX) ==
	      -EAGAIN);
	CHECK(wr_is(job->fd, job->base + PAGES(12), RW));
	CHECK(pages_have(job->base, NR_PAGES, 100));
	CHECK(!munlockall());
	CHECK(!wr_protect(job->fd, job->base + PAGES(12), PAGES(20), RX));
	CHECK(pages_have(job->base, NR_PAGES, 100));
	return 0;
}

TEST_F(exec, piece_need_not_grow)
{
	struct job job = { self->fd, self->base, variant->size };

	EXPECT_EQ(0, in_child(as_large_as_it_must_be, &job));
}

/*
 * Who has all the mappings that the kernel allows cannot have a piece more.
 * That must not leave a hole where the piece would have been.
 */
static int out_of_mappings(void *arg)
{
	struct job *job = arg;
	int64_t limit = read_number(MAX_MAP_COUNT);
	unsigned int round;
	char *map;
	int64_t i;

	CHECK(limit > 0);
	/* Mappings that cannot merge, until there are no more */
	map = mmap(NULL, PAGES(2 * limit + 2), PROT_NONE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(map != MAP_FAILED);
	for (i = 0; i <= limit; i++)
		if (mprotect(map + PAGES(2 * i + 1), PAGES(1), PROT_READ))
			break;
	CHECK(i <= limit);
	for (round = 0; round < 4; round++) {
		CHECK(wr_protect(job->fd, job->base + PAGES(8), PAGES(2),
				 round % 2 ? RX : RWX) == -ENOSPC);
		CHECK(pages_have(job->base, NR_PAGES, 100));
		CHECK(wr_is(job->fd, job->base + PAGES(8), RW));
		CHECK(try_write_byte(job->base + PAGES(8) + 100, 0));
		CHECK(!try_exec(job->base + PAGES(8)));
	}
	/* What needs no mapping works. */
	CHECK(!wr_protect(job->fd, job->base + PAGES(8), PAGES(2), RO));
	CHECK(!wr_protect(job->fd, job->base + PAGES(8), PAGES(2), RW));
	CHECK(!wr_decommit(job->fd, job->base + PAGES(8), PAGES(2)));
	CHECK(!wr_commit(job->fd, job->base + PAGES(8), PAGES(2), RW));
	/* With two mappings less it goes. */
	CHECK(!munmap(map, PAGES(8)));
	CHECK(!wr_protect(job->fd, job->base + PAGES(4), PAGES(2), RX));
	CHECK(pages_have(job->base, 8, 100));
	CHECK(pages_have(job->base + PAGES(10), NR_PAGES - 10, 110));
	return 0;
}

/* A smaller limit is reached sooner; nobody else needs more. */
static int with_few_mappings(int (*fn)(void *), struct job *job)
{
	int64_t limit = read_number(MAX_MAP_COUNT);
	int ret;

	if (!limit_maps(1000))
		return __LINE__;
	ret = in_child(fn, job);
	return write_number(MAX_MAP_COUNT, limit) ? ret : __LINE__;
}

TEST_F_TIMEOUT(exec, out_of_mappings, 90)
{
	struct job job = { self->fd, self->base, variant->size };

	EXPECT_EQ(0, with_few_mappings(out_of_mappings, &job));
}

/* In that state, taking executable rights away fails or works, as a whole. */
static int back_when_out_of_mappings(void *arg)
{
	struct job *job = arg;
	int64_t limit = read_number(MAX_MAP_COUNT);
	char *page = job->base + PAGES(8);
	char *map;
	int64_t i;
	int ret;

	CHECK(!wr_protect(job->fd, page, PAGES(5), RX));
	map = mmap(NULL, PAGES(2 * limit + 2), PROT_NONE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(map != MAP_FAILED);
	for (i = 0; i <= limit; i++)
		if (mprotect(map + PAGES(2 * i + 1), PAGES(1), PROT_READ))
			break;
	/* The middle of the piece: two mappings more */
	ret = wr_protect(job->fd, page + PAGES(2), PAGES(1), RW);
	CHECK(!ret || ret == -ENOSPC);
	CHECK(pages_have(job->base, NR_PAGES, 100));
	CHECK(wr_is(job->fd, page + PAGES(2), ret ? RX : RW));
	CHECK(try_write_byte(page + PAGES(2) + 100, 0) == !ret);
	ret = wr_decommit(job->fd, page + PAGES(2), PAGES(1));
	CHECK(!ret || ret == -ENOSPC);
	CHECK(try_read(page + PAGES(2)) == !!ret);
	/* All of it: mappings less */
	CHECK(!wr_commit(job->fd, page, PAGES(5), RW));
	CHECK(!try_exec(page));
	CHECK(pages_have(job->base, 10, 100));
	CHECK(pages_have(job->base + PAGES(11), NR_PAGES - 11, 111));
	CHECK(!wr_release(job->fd, job->base, 0));
	CHECK(!try_read(job->base));
	return 0;
}

TEST_F_TIMEOUT(exec, back_when_out_of_mappings, 90)
{
	struct job job = { self->fd, self->base, variant->size };

	EXPECT_EQ(0, with_few_mappings(back_when_out_of_mappings, &job));
}

TEST_HARNESS_MAIN
