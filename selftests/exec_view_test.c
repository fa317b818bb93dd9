// SPDX-License-Identifier: GPL-2.0
/*
 * Sections and views that can be executed: one view to write code and another to run
 * it; views that become executable, or not, as a whole; copies; who may forbid it.
 */
/* vm: modules=loop,ext4,overlay,fuse,xfs,btrfs,squashfs mkfs cpus=2 timeout=900 */
#include "kselftest_harness.h"

#include <pthread.h>
#include <sys/personality.h>
#include <sys/prctl.h>

#include "common.h"
#include "wr_test_util.h"
#include "section_fixture.h"

#define WC WINREGION_WRITECOPY
#define XWC WINREGION_EXECUTE_WRITECOPY
#define GUARD WINREGION_GUARD

/* Of the fixture's file, or of memory that is committed */
static int make_section(FIXTURE_DATA(section) *self, bool reserved,
			uint32_t protection)
{
	uint32_t flags = reserved ? WINREGION_SECTION_RESERVE : 0;
	int section = sec_create(self->fd, self->file, SIZE, flags, protection);
	char *base;

	if (section < 0 || !reserved)
		return section;
	if (sec_map(section, 0, 0, protection, &base) ||
	    wr_commit(self->fd, base, SIZE, protection) ||
	    sec_unmap(self->fd, base)) {
		close(section);
		return -1;
	}
	return section;
}

#define SECTION(protection) ({						\
	int __section = make_section(self, variant->where == RESERVED,	\
				     protection);			\
									\
	ASSERT_LE(0, __section);					\
	__section;							\
})

#define VIEW(section, protection) ({					\
	char *__view;							\
									\
	ASSERT_EQ(0, sec_map(section, 0, 0, protection, &__view));	\
	__view;								\
})

static bool can_map(int fd, int section, uint32_t protection)
{
	char *base;

	return !sec_map(section, 0, 0, protection, &base) &&
	       !sec_unmap(fd, base);
}

static char perms_of(const void *addr, int which)
{
	struct vma vma;

	return find_vma(addr, &vma) ? vma.perms[which] : '?';
}

/* What one view writes, another one runs. Rules: CM-01, MV-01, MV-10, MV-50. */
TEST_F(section, written_here_and_run_there)
{
	int section = SECTION(RWX);
	char *writer = VIEW(section, RW), *runner = VIEW(section, RX);

	write_function(writer, 1);
	write_function(writer + 4096, 2);
	ASSERT_TRUE(try_exec(runner));
	EXPECT_EQ(1, call_function(runner));
	EXPECT_EQ(2, call_function(runner + 4096));
	write_function(writer + 4096, 3);
	EXPECT_EQ(3, call_function(runner + 4096));
	EXPECT_FALSE(try_exec(writer));
	EXPECT_FALSE(try_write(runner));
	EXPECT_TRUE(wr_is(self->fd, runner, RX));
	EXPECT_TRUE(wr_is(self->fd, writer, RW));
	EXPECT_EQ('x', perms_of(runner, 2));
	EXPECT_EQ('-', perms_of(writer, 2));
	EXPECT_EQ('-', perms_of(runner, 1));
	UNMAP(writer);
	/* Pages that have gone come back so. */
	madvise(runner, SIZE, MADV_DONTNEED);
	madvise(runner, SIZE, MADV_PAGEOUT);
	EXPECT_TRUE(try_exec(runner));
	UNMAP(runner);
	runner = VIEW(section, RWX);
	EXPECT_TRUE(try_exec(runner));
	write_code(runner + 8192);
	EXPECT_TRUE(try_exec(runner + 8192));
	UNMAP(runner);
	close(section);
}

/*
 * By the protection of the section and the access of its descriptor.
 * Rules: CM-01, CM-02, CM-03, MV-10.
 */
TEST_F(section, rights)
{
	static const uint32_t views[] = { NA, RO, RW, WC, RX, RWX, XWC,
					  WINREGION_EXECUTE };
	static const struct {
		uint32_t protection;
		unsigned int views; /* by bits */
	} table[] = {
		{ RO, 0x0b }, { WC, 0x0b }, { RW, 0x0f }, { RX, 0xdb },
		{ XWC, 0xdb }, { RWX, 0xff },
	};
	unsigned int i, n;
	uint64_t length;
	int section, less;
	char *base;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		section = sec_create(self->fd, self->file, SIZE, 0,
				     table[i].protection);
		ASSERT_LE(0, section);
		for (n = 0; n < ARRAY_SIZE(views); n++) {
			EXPECT_EQ(!!(table[i].views & 1 << n),
				  can_map(self->fd, section, views[n]))
				TH_LOG("0x%x of 0x%x", views[n],
				       table[i].protection);
		}
		less = sec_duplicate(section, WINREGION_SECTION_MAP_READ |
					      WINREGION_SECTION_MAP_WRITE);
		ASSERT_LE(0, less);
		EXPECT_EQ(-EKEYREJECTED, sec_map(less, 0, 0, RX, &base));
		EXPECT_TRUE(can_map(self->fd, less, RO));
		close(less);
		close(section);
	}
	length = SIZE;
	EXPECT_EQ(-EDOM, sec_create(self->fd, self->file, length, 0,
				    WINREGION_EXECUTE));
	EXPECT_EQ(-EDOM, sec_create(self->fd, self->file, length, 0, RX | RW));
	EXPECT_EQ(-EDOM, sec_map(self->section, 0, 0, RX | RW, &base));
	EXPECT_EQ(-EDOM, sec_map(self->section, 0, 0,
				 RO | WINREGION_TARGETS_INVALID, &base));
	EXPECT_EQ(-EKEYREJECTED,
		  sec_map(self->section, 0, 0,
			  RX | WINREGION_TARGETS_INVALID, &base));
}

/*
 * All that can be read can be executed, or none; a protection that would mix them is
 * refused, and nothing changes. Rules: VV-01, VV-02, VV-09.
 */
TEST_F(section, as_a_whole)
{
	int section = SECTION(RWX);
	char *base = VIEW(section, RX), *writer = VIEW(section, RW);

	write_code(writer);
	write_code(writer + 4096);
	EXPECT_TRUE(try_exec(base));
	EXPECT_EQ(-EDOM, wr_protect(self->fd, base, 4096, RO));
	EXPECT_EQ(-EDOM, wr_protect(self->fd, base, SIZE - 4096, RO));
	EXPECT_EQ(-EDOM, wr_protect(self->fd, base, 4096, RO | GUARD));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, base, SIZE, RWX));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, base, SIZE, RW));
	EXPECT_TRUE(wr_is(self->fd, base, RX));
	EXPECT_TRUE(try_exec(base));
	/* A page of no access is neither. */
	ASSERT_EQ(0, wr_protect(self->fd, base, 4096, NA));
	EXPECT_FALSE(try_exec(base));
	EXPECT_FALSE(try_read(base));
	EXPECT_TRUE(try_exec(base + 4096));
	ASSERT_EQ(0, wr_protect(self->fd, base + 4096, SIZE - 4096, RO));
	EXPECT_EQ('-', perms_of(base, 2));
	EXPECT_TRUE(try_read(base + 4096));
	EXPECT_FALSE(try_exec(base + 4096));
	EXPECT_EQ(-EDOM, wr_protect(self->fd, base, 4096, RX));
	ASSERT_EQ(0, wr_protect(self->fd, base, 4096, RO));
	EXPECT_TRUE(try_read(base));
	EXPECT_FALSE(try_exec(base));
	ASSERT_EQ(0, wr_protect(self->fd, base, SIZE, RX));
	EXPECT_EQ('x', perms_of(base, 2));
	EXPECT_TRUE(try_exec(base));
	EXPECT_TRUE(try_exec(base + 4096));
	UNMAP(base);
	/* The other view is as it was. */
	EXPECT_TRUE(try_write(writer));
	EXPECT_FALSE(try_exec(writer));
	EXPECT_EQ(-EKEYREJECTED, wr_protect(self->fd, writer, SIZE, RX));
	UNMAP(writer);
	close(section);
}

/* Nor by several ranges of one call */
TEST_F(section, several_ranges)
{
	int section = SECTION(RWX);
	char *base = VIEW(section, RWX);
	struct winregion_range ranges[2] = {
		{ .address = (uintptr_t)base, .length = SIZE / 2,
		  .protection = RO },
		{ .address = (uintptr_t)base + SIZE / 2, .length = SIZE / 2,
		  .protection = RX },
	};

	write_code(base);
	write_code(base + SIZE / 2);
	EXPECT_EQ(-EDOM, wr_vector(self->fd, WINREGION_PROTECT, ranges, 2));
	EXPECT_TRUE(try_exec(base));
	ranges[1].protection = RO;
	EXPECT_EQ(-EDOM, wr_vector(self->fd, WINREGION_PROTECT, ranges, 2));
	ASSERT_EQ(0, wr_protect(self->fd, base, SIZE, NA));
	ranges[1].protection = RX;
	EXPECT_EQ(-EDOM, wr_vector(self->fd, WINREGION_PROTECT, ranges, 2));
	EXPECT_TRUE(wr_is(self->fd, base, NA));
	ranges[0].protection = RWX;
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, ranges, 2));
	EXPECT_TRUE(try_exec(base));
	EXPECT_TRUE(try_exec(base + SIZE / 2));
	EXPECT_TRUE(try_write(base));
	EXPECT_FALSE(try_write(base + SIZE / 2));
	UNMAP(base);
	/* The first range that is wrong is the one whose error it is. */
	base = VIEW(section, RX);
	ranges[0] = (struct winregion_range) {
		.address = (uintptr_t)base, .length = SIZE, .protection = RO,
	};
	ranges[1] = ranges[0];
	ranges[1].protection = RX;
	EXPECT_EQ(-EDOM, wr_vector(self->fd, WINREGION_PROTECT, ranges, 2));
	ranges[0].protection = RWX;
	EXPECT_EQ(-EKEYREJECTED,
		  wr_vector(self->fd, WINREGION_PROTECT, ranges, 2));
	ranges[0].protection = RX;
	ranges[1].protection = RWX;
	EXPECT_EQ(-EKEYREJECTED,
		  wr_vector(self->fd, WINREGION_PROTECT, ranges, 2));
	EXPECT_TRUE(wr_is(self->fd, base, RX));
	UNMAP(base);
	close(section);
}

static int change_sealed(void *arg)
{
	FIXTURE_DATA(section) *self = arg;
	int section = make_section(self, false, RWX);
	char *rests, *runs;

	CHECK(section >= 0);
	CHECK(!sec_map(section, 0, 0, RX, &runs));
	CHECK(!sec_map(section, 0, 0, RX, &rests));
	CHECK(!wr_protect(self->fd, rests, SIZE, RO));
	if (syscall(SYS_MSEAL, NULL, 0, 0) && errno == ENOSYS)
		return -1;
	CHECK(!syscall(SYS_MSEAL, rests, SIZE, 0));
	CHECK(!syscall(SYS_MSEAL, runs, SIZE, 0));
	CHECK(wr_protect(self->fd, rests, SIZE, RX) == -EACCES);
	CHECK(wr_protect(self->fd, runs, SIZE, RO) == -EACCES);
	CHECK(!try_exec(rests));
	CHECK(wr_is(self->fd, rests, RO));
	CHECK(wr_is(self->fd, runs, RX));
	return 0;
}

/* What mseal() has sealed stays what it is. */
TEST_F(section, sealed)
{
	int ret = in_child(change_sealed, self);

	if (ret == -1)
		SKIP(return, "this kernel has no mseal()");
	EXPECT_EQ(0, ret);
}

/* An instruction sets off a guard, once. Rule: GP-01. */
TEST_F(section, guards)
{
	int section = SECTION(RWX);
	char *writer = VIEW(section, RW), *base = VIEW(section, RX | GUARD);

	write_code(writer);
	write_code(writer + 4096);
	EXPECT_FALSE(try_exec(base));
	EXPECT_TRUE(wr_is(self->fd, base, RX));
	EXPECT_TRUE(wr_is(self->fd, base + 4096, RX | GUARD));
	EXPECT_TRUE(try_exec(base));
	EXPECT_FALSE(try_write(base + 4096));
	ASSERT_EQ(0, wr_protect(self->fd, base, 4096, RX | GUARD));
	EXPECT_FALSE(try_exec(base));
	EXPECT_TRUE(try_exec(base));
	UNMAP(writer);
	UNMAP(base);
	close(section);
}

/*
 * What is written is the view's own, and runs.
 * Rules: VV-04, VV-05, VV-07, VV-08, MV-52, MV-54.
 */
TEST_F(section, copies)
{
	int section = SECTION(variant->where >= MEMFD ? RX : RWX);
	char *base = VIEW(section, XWC), *other = VIEW(section, RX);
	char *writer = MAP(0, 0, RW);

	if (variant->where < MEMFD) {
		UNMAP(writer);
		writer = VIEW(section, RW);
	}
	write_function(writer, 1);
	write_function(writer + 4096, 2);
	ASSERT_TRUE(try_exec(base));
	EXPECT_EQ(2, call_function(base + 4096));
	EXPECT_TRUE(wr_is(self->fd, base, XWC));
	write_function(base + 4096, 3);
	EXPECT_TRUE(wr_is(self->fd, base, XWC));
	EXPECT_TRUE(wr_is(self->fd, base + 4096, RWX));
	EXPECT_EQ(3, call_function(base + 4096));
	EXPECT_EQ(2, call_function(other + 4096));
	ASSERT_EQ(0, wr_protect(self->fd, base, SIZE, RX));
	EXPECT_FALSE(try_write(base + 4096));
	EXPECT_EQ(3, call_function(base + 4096));
	ASSERT_EQ(0, wr_protect(self->fd, base, SIZE, XWC));
	EXPECT_TRUE(wr_is(self->fd, base + 4096, RWX));
	ASSERT_EQ(0, wr_protect(self->fd, base, SIZE, WC));
	EXPECT_TRUE(wr_is(self->fd, base + 4096, RW));
	EXPECT_FALSE(try_exec(base + 4096));
	EXPECT_TRUE(try_write(base + 8192));
	EXPECT_FALSE(try_exec(base));
	ASSERT_EQ(0, wr_protect(self->fd, base, SIZE, XWC));
	EXPECT_TRUE(try_exec(base + 4096));
	EXPECT_TRUE(try_exec(base));
	write_function(writer + 5 * 4096, 4);
	EXPECT_EQ(4, call_function(base + 5 * 4096));
	UNMAP(writer);
	UNMAP(base);
	UNMAP(other);
	close(section);
}

struct views {
	int fd;
	char *runs;
	char *rests;
	char *copy;
};

static int look_as_child(void *arg)
{
	struct views *child = arg;

	CHECK(try_exec(child->runs));
	CHECK(!try_exec(child->rests));
	CHECK(try_read(child->rests));
	CHECK(call_function(child->copy) == 1);
	CHECK(call_function(child->copy + 4096) == 3);
	write_function(child->copy + 4096, 4);
	CHECK(call_function(child->copy + 4096) == 4);
	CHECK(!wr_protect(child->fd, child->runs, SIZE, RO));
	CHECK(!try_exec(child->runs));
	CHECK(!wr_protect(child->fd, child->rests, SIZE, RX));
	CHECK(try_exec(child->rests));
	CHECK(!sec_unmap(child->fd, child->runs));
	return 0;
}

/* A child has them as they are, and changes its own. */
TEST_F(section, fork)
{
	int section = SECTION(RWX);
	struct views child = {
		.fd = self->fd,
		.runs = VIEW(section, RX),
		.rests = VIEW(section, RX),
		.copy = VIEW(section, XWC),
	};
	char *writer = VIEW(section, RW);

	write_function(writer, 1);
	write_function(writer + 4096, 2);
	write_function(child.copy + 4096, 3);
	ASSERT_EQ(0, wr_protect(self->fd, child.rests, SIZE, RO));
	EXPECT_EQ(0, in_child(look_as_child, &child));
	EXPECT_TRUE(try_exec(child.runs));
	EXPECT_FALSE(try_exec(child.rests));
	EXPECT_EQ(3, call_function(child.copy + 4096));
	EXPECT_EQ(2, call_function(child.runs + 4096));
	UNMAP(child.runs);
	UNMAP(child.rests);
	UNMAP(child.copy);
	UNMAP(writer);
	close(section);
}

/* What others do with mappings, or to what they show, they do not do to these. */
TEST_F(section, mapping_calls)
{
	int section = SECTION(RWX), mem = open("/proc/self/mem", O_RDWR);
	char *base = VIEW(section, RX), breakpoint = (char)0xcc;

	ASSERT_LE(0, mem);
	EXPECT_EQ(-1, mprotect(base, SIZE, PROT_READ));
	EXPECT_EQ(-1, mprotect(base, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC));
	EXPECT_EQ(MAP_FAILED, mremap(base, 0, SIZE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(base, SIZE, 2 * SIZE, MREMAP_MAYMOVE));
	EXPECT_EQ(-1, munmap(base, 4096));
	EXPECT_EQ(-1, syscall(SYS_remap_file_pages, base, UNIT, 0, 1, 0));
	EXPECT_EQ(-1, pwrite(mem, &breakpoint, 1, (uintptr_t)base));
	EXPECT_EQ(0, *base);
	EXPECT_TRUE(wr_is(self->fd, base, RX));
	close(mem);
	UNMAP(base);
	close(section);
}

static int deny_write_execute(void *arg)
{
	FIXTURE_DATA(section) *self = arg;
	int section;
	char *base, *view;

	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0))
		return -1;
	section = make_section(self, false, RWX);
	CHECK(section >= 0);
	CHECK(sec_map(section, 0, 0, RWX, &view) == -EACCES);
	CHECK(sec_map(section, 0, 0, XWC, &view) == -EACCES);
	CHECK(!sec_map(section, 0, 0, WC, &view));
	CHECK(!sec_unmap(self->fd, view));
	CHECK(!sec_map(section, 0, 0, RW, &view));
	CHECK(!sec_map(section, 0, 0, RX, &base));
	write_code(view);
	CHECK(try_exec(base));
	CHECK(wr_protect(self->fd, base, SIZE, XWC) == -EACCES);
	CHECK(wr_is(self->fd, base, RX));
	CHECK(!wr_protect(self->fd, base, 4096, RX | GUARD));
	CHECK(!wr_protect(self->fd, base, 4096, RX));
	CHECK(try_exec(base));
	CHECK(!wr_protect(self->fd, base + 4096, 4096, NA));
	CHECK(wr_protect(self->fd, base + 4096, 4096, RX) == -EACCES);
	CHECK(wr_is(self->fd, base + 4096, NA));
	CHECK(!wr_protect(self->fd, base, SIZE, RO));
	CHECK(wr_protect(self->fd, base, SIZE, RX) == -EACCES);
	CHECK(!try_exec(base));
	CHECK(try_read(base));
	return 0;
}

/* PR_SET_MDWE: nothing that is written is executed, but by two views. */
TEST_F(section, mdwe)
{
	int ret = in_child(deny_write_execute, self);

	if (ret == -1)
		SKIP(return, "this kernel has no PR_SET_MDWE");
	EXPECT_EQ(0, ret);
}

static int read_implies_exec(void *arg)
{
	FIXTURE_DATA(section) *self = arg;
	int section = make_section(self, false, RWX);
	char *base, *view;

	CHECK(personality(READ_IMPLIES_EXEC) != -1);
	CHECK(!sec_map(section, 0, 0, RO, &base));
	CHECK(!sec_map(section, 0, 0, RX, &view));
	CHECK(!try_exec(base));
	CHECK(!wr_protect(self->fd, view, SIZE, RO));
	CHECK(!try_exec(view));
	return 0;
}

/* An old program's personality gives views no right. */
TEST_F(section, read_implies_exec)
{
	EXPECT_EQ(0, in_child(read_implies_exec, self));
}

/* The core's count of mappings that are executed is right, whatever becomes of them. */
TEST_F(section, counted_as_code)
{
	static const uint32_t views[] = { RX, RWX, XWC, RX | GUARD };
	int section = SECTION(RWX);
	int64_t before = self_status("VmLib");
	unsigned int i;
	char *base;

	ASSERT_LE(0, before);
	for (i = 0; i < 4 * ARRAY_SIZE(views); i++) {
		base = VIEW(section, views[i / 4]);
		if (i % 2)
			ASSERT_EQ(0, wr_protect(self->fd, base, SIZE, RO));
		if (i % 4 == 3)
			ASSERT_EQ(0, wr_protect(self->fd, base, SIZE, RX));
		UNMAP(base);
		EXPECT_EQ(before, self_status("VmLib"));
	}
	close(section);
}

struct catcher {
	char *spot;
	char *caught;
	uint32_t go;
	uint32_t stop;
};

static void *catch_mapping(void *arg)
{
	struct catcher *catcher = arg;

	while (!__atomic_load_n(&catcher->go, __ATOMIC_ACQUIRE))
		;
	while (!__atomic_load_n(&catcher->stop, __ATOMIC_RELAXED)) {
		char *at = mremap(catcher->spot, 4096, SIZE, MREMAP_MAYMOVE);

		if (at != MAP_FAILED) {
			catcher->caught = at;
			break;
		}
	}
	return NULL;
}

/*
 * Who has only the descriptor gets the view, and never the file itself: nothing else is
 * mapped meanwhile, where another thread could take it.
 */
TEST_F(section, nothing_else_is_mapped)
{
	int section = SECTION(RWX), less, i;
	struct catcher catcher = {};
	pthread_t thread;
	char *base;

	less = sec_duplicate(section, WINREGION_SECTION_MAP_READ |
				      WINREGION_SECTION_MAP_EXECUTE);
	ASSERT_LE(0, less);
	ASSERT_EQ(0, pthread_create(&thread, NULL, catch_mapping, &catcher));
	/* Where the core puts the next page */
	catcher.spot = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	munmap(catcher.spot, 4096);
	__atomic_store_n(&catcher.go, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 3000 && !catcher.caught; i++) {
		EXPECT_EQ(0, sec_map(less, 0, UNIT, RX, &base));
		EXPECT_EQ(0, sec_unmap(self->fd, base));
	}
	__atomic_store_n(&catcher.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(NULL, catcher.caught);
	close(less);
	close(section);
}

/* Where a file system is mounted so, nothing of it is executed. */
TEST(noexec)
{
	int fd = wr_open(), file, section;
	char *base;

	if (geteuid())
		SKIP(return, "only root may mount");
	mkdir(MOUNTED, 0700);
	ASSERT_EQ(0, mount("tmpfs", MOUNTED, "tmpfs", MS_NOEXEC, NULL));
	file = open(FILE_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0700);
	ASSERT_EQ(0, ftruncate(file, SIZE));
	EXPECT_EQ(-EKEYREJECTED, sec_create(fd, file, SIZE, 0, RX));
	EXPECT_EQ(-EKEYREJECTED, sec_create(fd, file, SIZE, 0, RWX));
	ASSERT_EQ(0, mount(NULL, MOUNTED, NULL, MS_REMOUNT, NULL));
	section = sec_create(fd, file, SIZE, 0, RWX);
	ASSERT_LE(0, section);
	EXPECT_EQ(0, sec_map(section, 0, 0, RX, &base));
	EXPECT_EQ(0, sec_unmap(fd, base));
	ASSERT_EQ(0, mount(NULL, MOUNTED, NULL, MS_REMOUNT | MS_NOEXEC, NULL));
	EXPECT_EQ(-EKEYREJECTED, sec_map(section, 0, 0, RX, &base));
	EXPECT_EQ(-EKEYREJECTED, sec_map(section, 0, 0, XWC, &base));
	EXPECT_EQ(0, sec_map(section, 0, 0, RW, &base));
	EXPECT_EQ(0, sec_unmap(fd, base));
	close(section);
	close(file);
	EXPECT_TRUE(SETTLES(!umount(MOUNTED)));
	close(fd);
}

TEST_HARNESS_MAIN
