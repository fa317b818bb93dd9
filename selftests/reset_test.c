// SPDX-License-Identifier: GPL-2.0
/* vm: modules=loop,ext4 cpus=2 mem=640M timeout=900 */
/*
 * Contents that a program does not need: MEM_RESET and MEM_RESET_UNDO, discard, offer
 * and reclaim, and what becomes of them when memory is short.
 */
#include "kselftest_harness.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <winregion/windows.h>

#include "common.h"
#include "loop.h"
#include "memory.h"
#include "wr_test_util.h"
#include "pins.h"
#include "race.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define HUGE MIB(2)

/* The ioctl: 0 or -errno; @gone may be NULL. */
static int contents(int fd, uint32_t operation, const volatile void *addr,
		    uint64_t length, uint32_t word, uint64_t *gone)
{
	struct winregion_reset arg = {
		.size = sizeof(arg),
		.operation = operation,
		.range = {
			.address = (uintptr_t)addr,
			.length = length,
			.protection = word,
		},
		.out_gone = WR_POISON64,
	};
	int ret = wr_ioctl(fd, WINREGION_RESET, &arg);

	if (gone)
		*gone = arg.out_gone;
	return ret;
}

static int reset(int fd, const volatile void *addr, uint64_t length)
{
	return contents(fd, WINREGION_OP_RESET, addr, length, NA, NULL);
}

static int discard(int fd, const volatile void *addr, uint64_t length)
{
	return contents(fd, WINREGION_OP_DISCARD, addr, length, 0, NULL);
}

static int offer(int fd, const volatile void *addr, uint64_t length,
		 uint32_t priority)
{
	return contents(fd, WINREGION_OP_OFFER, addr, length, priority, NULL);
}

/* Bytes that are gone, or -errno */
static int64_t undo(int fd, const volatile void *addr, uint64_t length)
{
	uint64_t gone;
	int ret = contents(fd, WINREGION_OP_UNDO, addr, length, NA, &gone);

	return ret ? ret : (int64_t)gone;
}

static int64_t reclaim(int fd, const volatile void *addr, uint64_t length)
{
	uint64_t gone;
	int ret = contents(fd, WINREGION_OP_RECLAIM, addr, length, 0, &gone);

	return ret ? ret : (int64_t)gone;
}

/* Have all that can be freed be freed. */
static bool press(void)
{
	return write_text(DROP_CACHES, "2");
}

FIXTURE(reset)
{
	int fd;
};

FIXTURE_SETUP(reset)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	/* No word in the log from now on. */
	ASSERT_TRUE(write_text(DROP_CACHES, "4"));
}

FIXTURE_TEARDOWN(reset)
{
	close(self->fd);
}

/* ---- what is freed, and what is told of it ---- */

/* Rules RS-01, RS-08. */
TEST_F(reset, freed_when_memory_is_short)
{
	char *region = wr_alloc(self->fd, MIB(1));
	uint64_t committed = WR_INFO(self->fd, out_committed);

	ASSERT_NE(NULL, region);
	fill_pages(region, 256, 1);
	ASSERT_EQ(0, reset(self->fd, region, MIB(1)));
	EXPECT_EQ(MIB(1), wr_resident(self->fd, region, MIB(1)));
	ASSERT_TRUE(press());
	EXPECT_EQ(0, wr_resident(self->fd, region, MIB(1)));
	EXPECT_EQ(committed, WR_INFO(self->fd, out_committed));
	EXPECT_TRUE(wr_is(self->fd, region, RW));
	EXPECT_TRUE(page_is_zero(region));
	fill_page(region + PAGES(1), 7);
	EXPECT_EQ(PAGES(256), undo(self->fd, region, MIB(1)));
	EXPECT_EQ(0, undo(self->fd, region, MIB(1)));
	EXPECT_TRUE(page_has(region + PAGES(1), 7));
	EXPECT_TRUE(page_is_zero(region + PAGES(255)));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* Rules RS-01, RS-08. */
TEST_F(reset, whole_while_there_is_memory)
{
	char *region = wr_alloc(self->fd, MIB(1));

	ASSERT_NE(NULL, region);
	fill_pages(region, 256, 1);
	ASSERT_EQ(0, reset(self->fd, region, MIB(1)));
	EXPECT_EQ(0, undo(self->fd, region, MIB(1)));
	EXPECT_TRUE(pages_have(region, 256, 1));
	ASSERT_EQ(0, reset(self->fd, region, MIB(1)));
	EXPECT_TRUE(pages_have(region, 256, 1));
	ASSERT_TRUE(press());
	EXPECT_TRUE(pages_have(region, 256, 1));
	EXPECT_EQ(0, undo(self->fd, region, MIB(1)));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* Each page is told of by itself. Rule RS-08. */
TEST_F(reset, told_page_by_page)
{
	char *region = wr_alloc(self->fd, MIB(1));
	unsigned int i;

	ASSERT_NE(NULL, region);
	fill_pages(region, 256, 1);
	ASSERT_EQ(0, reset(self->fd, region, MIB(1)));
	for (i = 0; i < 256; i += 2) /* used again */
		fill_page(region + PAGES(i), 1000 + i);
	ASSERT_TRUE(press());
	for (i = 0; i < 256; i++) {
		if (page_has(region + PAGES(i), i % 2 ? 1 + i : 1000 + i)) {
			EXPECT_EQ(0, undo(self->fd, region + PAGES(i), 4096));
			continue;
		}
		ASSERT_EQ(1, i % 2) TH_LOG("page %u", i);
		ASSERT_TRUE(page_is_zero(region + PAGES(i)));
		EXPECT_EQ(4096, undo(self->fd, region + PAGES(i), 4096));
	}
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/*
 * What is gone when it is reset once more is told, but what has been made since. Pages behind
 * one that is touched may be. Rule RS-08.
 */
TEST_F(reset, reset_again)
{
	char *region = wr_alloc(self->fd, MIB(1));

	ASSERT_NE(NULL, region);
	fill_pages(region, 256, 1);
	ASSERT_EQ(0, reset(self->fd, region, MIB(1)));
	ASSERT_TRUE(press());
	fill_pages(region, 8, 50);
	ASSERT_EQ(0, reset(self->fd, region, MIB(1)));
	EXPECT_EQ(0, undo(self->fd, region, PAGES(8)));
	EXPECT_TRUE(pages_have(region, 8, 50));
	EXPECT_TRUE(page_is_zero(region + PAGES(8)));
	EXPECT_EQ((int64_t)(MIB(1) - 2 * UNIT),
		  undo(self->fd, region + 2 * UNIT, MIB(1) - 2 * UNIT));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* A page that is in the range only in part has data that is not. Rule RS-01. */
TEST_F(reset, only_whole_pages)
{
	char *region = wr_alloc(self->fd, UNIT);

	ASSERT_NE(NULL, region);
	fill_pages(region, 16, 1);
	ASSERT_EQ(0, reset(self->fd, region + 1, PAGES(3)));
	ASSERT_EQ(0, reset(self->fd, region + PAGES(8) + 8, 100));
	ASSERT_TRUE(press());
	EXPECT_TRUE(page_has(region, 1));
	EXPECT_TRUE(page_is_zero(region + PAGES(1)));
	EXPECT_TRUE(page_is_zero(region + PAGES(2)));
	EXPECT_TRUE(pages_have(region + PAGES(3), 13, 4));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* Decommitted, released or discarded, nothing is left of it. */
TEST_F(reset, given_up_while_reset)
{
	char *region = wr_alloc(self->fd, MIB(4));

	ASSERT_NE(NULL, region);
	fill_pages(region, 1024, 1);
	ASSERT_EQ(0, reset(self->fd, region, MIB(4)));
	ASSERT_EQ(0, wr_decommit(self->fd, region + PAGES(3), PAGES(600)));
	EXPECT_EQ(MIB(4) - PAGES(600),
		  wr_resident(self->fd, region, PAGES(3)) +
		  wr_resident(self->fd, region + PAGES(603),
			      MIB(4) - PAGES(603)));
	ASSERT_EQ(0, wr_commit(self->fd, region + PAGES(3), PAGES(600), RW));
	EXPECT_TRUE(page_is_zero(region + PAGES(3)));
	EXPECT_TRUE(page_is_zero(region + PAGES(602)));
	EXPECT_TRUE(pages_have(region, 3, 1));
	EXPECT_TRUE(pages_have(region + PAGES(603), 421, 604));
	ASSERT_EQ(0, reset(self->fd, region, MIB(4)));
	ASSERT_EQ(0, offer(self->fd, region + MIB(1), MIB(1), 2));
	ASSERT_TRUE(press());
	ASSERT_EQ(0, offer(self->fd, region + MIB(2), MIB(1), 3));
	EXPECT_EQ(0, wr_release(self->fd, region, MIB(2) + UNIT));
	EXPECT_EQ(0, wr_release(self->fd, region + MIB(2) + UNIT, 0));
}

/* The state is the page's, whatever its contents are. */
TEST_F(reset, protected_while_reset)
{
	char *region = wr_alloc(self->fd, UNIT);

	ASSERT_NE(NULL, region);
	fill_pages(region, 16, 1);
	ASSERT_EQ(0, reset(self->fd, region, UNIT));
	ASSERT_EQ(0, wr_protect(self->fd, region, UNIT, RO));
	EXPECT_TRUE(pages_have(region, 16, 1));
	EXPECT_FALSE(try_write(region));
	ASSERT_EQ(0, reset(self->fd, region, UNIT));
	ASSERT_EQ(0, wr_protect(self->fd, region, UNIT, NA));
	EXPECT_FALSE(try_read(region));
	ASSERT_EQ(0, wr_protect(self->fd, region, UNIT, RW));
	EXPECT_TRUE(pages_have(region, 16, 1));
	fill_pages(region, 16, 20);
	ASSERT_TRUE(press());
	EXPECT_TRUE(pages_have(region, 16, 20));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* What the kernel writes for the program counts. Rule RS-01. */
TEST_F(reset, written_by_system_calls)
{
	char *region = wr_alloc(self->fd, UNIT);
	uint64_t words[512] = { 5 };
	int fds[2];

	ASSERT_NE(NULL, region);
	ASSERT_EQ(0, pipe(fds));
	fill_pages(region, 16, 1);
	ASSERT_EQ(0, reset(self->fd, region, UNIT));
	ASSERT_EQ(4096, write(fds[1], words, 4096));
	ASSERT_EQ(4096, read(fds[0], region, 4096));
	ASSERT_TRUE(press());
	EXPECT_EQ(0, memcmp(words, region, 4096));
	EXPECT_TRUE(page_is_zero(region + PAGES(1)));
	ASSERT_EQ(0, reset(self->fd, region, UNIT));
	ASSERT_TRUE(press());
	ASSERT_EQ(4096, write(fds[1], region, 4096));
	ASSERT_EQ(4096, read(fds[0], words, 4096));
	EXPECT_TRUE(page_is_zero(words));
	close(fds[0]);
	close(fds[1]);
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* A device may be writing. Hazard R1. */
TEST_F(reset, pinned_pages_stay)
{
	char *region = wr_alloc(self->fd, UNIT);
	int pins;

	ASSERT_NE(NULL, region);
	fill_pages(region, 16, 1);
	pins = pin_pages(region, 4);
	if (pins < 0)
		SKIP(return, "this kernel cannot pin pages here");
	ASSERT_EQ(0, reset(self->fd, region, UNIT));
	ASSERT_TRUE(press());
	EXPECT_EQ(PAGES(4), wr_resident(self->fd, region, UNIT));
	close(pins);
	ASSERT_TRUE(press());
	EXPECT_TRUE(pages_have(region, 4, 1));
	EXPECT_TRUE(page_is_zero(region + PAGES(4)));
	EXPECT_EQ(PAGES(12), undo(self->fd, region, UNIT));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* ---- large pages ---- */

static char *alloc_huge(int fd, unsigned int n)
{
	return wr_reserve_aligned(fd, n * HUGE, HUGE, true);
}

/* Hazard R5. */
TEST_F(reset, large_pages)
{
	char *region = alloc_huge(self->fd, 4);

	ASSERT_NE(NULL, region);
	fill_pages(region, 2048, 1);
	if (!is_part(region))
		SKIP(return, "this kernel has no large pages here");
	ASSERT_EQ(0, reset(self->fd, region, 4 * HUGE));
	EXPECT_EQ(4 * HUGE, wr_resident(self->fd, region, 4 * HUGE));
	EXPECT_TRUE(page_has(region + PAGES(700), 701));
	ASSERT_TRUE(press());
	/* The one that was used is whole, or its page is. */
	EXPECT_TRUE(page_has(region + PAGES(700), 701));
	EXPECT_TRUE(page_is_zero(region));
	EXPECT_TRUE(page_is_zero(region + PAGES(2047)));
	EXPECT_LE(3 * (int64_t)HUGE, undo(self->fd, region, 4 * HUGE));
	fill_pages(region, 2048, 5000);
	EXPECT_TRUE(pages_have(region, 2048, 5000));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* A part of a large page is reset by itself; the rest stays as it is. Hazard R6. */
TEST_F(reset, parts_of_large_pages)
{
	char *region = alloc_huge(self->fd, 2);
	unsigned int i;

	ASSERT_NE(NULL, region);
	fill_pages(region, 1024, 1);
	ASSERT_EQ(0, reset(self->fd, region + PAGES(100), PAGES(50)));
	EXPECT_TRUE(pages_have(region, 1024, 1));
	ASSERT_EQ(0, reset(self->fd, region + PAGES(100), PAGES(50)));
	ASSERT_TRUE(press());
	EXPECT_TRUE(pages_have(region, 100, 1));
	EXPECT_TRUE(pages_have(region + PAGES(150), 874, 151));
	for (i = 100; i < 150; i++)
		EXPECT_TRUE(page_is_zero(region + PAGES(i)));
	/* One unit after the other, so that little is left at last. */
	fill_pages(region, 1024, 1);
	for (i = 0; i < 31; i++)
		ASSERT_EQ(0, reset(self->fd, region + PAGES(16 * i), UNIT));
	ASSERT_TRUE(press());
	for (i = 0; i < 496; i++)
		EXPECT_TRUE(page_is_zero(region + PAGES(i)));
	EXPECT_TRUE(pages_have(region + PAGES(496), 528, 497));
	EXPECT_EQ(PAGES(496), undo(self->fd, region, 2 * HUGE));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* The same of 64 KiB pages, in a window that has no larger ones. */
TEST_F(reset, parts_of_units)
{
	char *region = wr_alloc(self->fd, MIB(1));
	unsigned int i;

	ASSERT_NE(NULL, region);
	fill_pages(region, 256, 1);
	for (i = 32; i < 256; i += 16)
		ASSERT_EQ(0, reset(self->fd, region + PAGES(i + 3), PAGES(6)));
	ASSERT_EQ(0, offer(self->fd, region + PAGES(16), UNIT, 1));
	ASSERT_EQ(0, reclaim(self->fd, region + PAGES(18), PAGES(2)));
	EXPECT_TRUE(pages_have(region + PAGES(18), 2, 19));
	EXPECT_FALSE(try_read(region + PAGES(17)));
	EXPECT_FALSE(try_read(region + PAGES(20)));
	ASSERT_EQ(0, reclaim(self->fd, region + PAGES(20), PAGES(12)));
	EXPECT_TRUE(pages_have(region + PAGES(20), 12, 21));
	ASSERT_TRUE(press());
	EXPECT_TRUE(pages_have(region, 16, 1));
	EXPECT_TRUE(pages_have(region + PAGES(18), 17, 19));
	for (i = 32; i < 256; i++) {
		bool is_reset = i % 16 >= 3 && i % 16 < 9;

		EXPECT_EQ(is_reset, page_is_zero(region + PAGES(i)));
		EXPECT_EQ(!is_reset, page_has(region + PAGES(i), 1 + i));
	}
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* ---- offers ---- */

/* Rules OF-01, OF-03, RC-01, RC-02. */
TEST_F(reset, offered)
{
	char *region = wr_alloc(self->fd, MIB(1));
	int fds[2];

	ASSERT_NE(NULL, region);
	ASSERT_EQ(0, pipe(fds));
	fill_pages(region, 200, 1);
	ASSERT_EQ(0, offer(self->fd, region, MIB(1), 4));
	EXPECT_TRUE(wr_is(self->fd, region, RW));
	EXPECT_FALSE(try_read(region));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
	EXPECT_FALSE(try_write(region + PAGES(199)));
	EXPECT_FALSE(try_read(region + PAGES(250))); /* never touched */
	EXPECT_EQ(-1, write(fds[1], region, 4096));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, reclaim(self->fd, region, MIB(1)));
	EXPECT_TRUE(pages_have(region, 200, 1));
	EXPECT_TRUE(page_is_zero(region + PAGES(250)));
	ASSERT_EQ(0, offer(self->fd, region, MIB(1), 4));
	ASSERT_TRUE(press());
	EXPECT_FALSE(try_read(region));
	/* Some were made ahead of use. */
	EXPECT_LE((int64_t)PAGES(201), reclaim(self->fd, region, MIB(1)));
	EXPECT_TRUE(page_is_zero(region));
	fill_pages(region, 256, 3);
	EXPECT_TRUE(pages_have(region, 256, 3));
	close(fds[0]);
	close(fds[1]);
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* Another priority, reset beneath, and what takes an offer away. */
TEST_F(reset, offered_again)
{
	char *region = wr_alloc(self->fd, MIB(4));

	ASSERT_NE(NULL, region);
	fill_pages(region, 1024, 1);
	ASSERT_EQ(0, reset(self->fd, region, MIB(1)));
	ASSERT_EQ(0, offer(self->fd, region, MIB(4), 1));
	ASSERT_EQ(0, offer(self->fd, region + PAGES(300), PAGES(400), 4));
	ASSERT_EQ(0, reset(self->fd, region, MIB(4)));
	EXPECT_FALSE(try_read(region));
	EXPECT_FALSE(try_read(region + PAGES(301)));
	EXPECT_EQ(0, undo(self->fd, region, MIB(4)));
	EXPECT_EQ(0, reclaim(self->fd, region, MIB(4)));
	EXPECT_TRUE(pages_have(region, 1024, 1));
	EXPECT_EQ(-ENOMSG, reclaim(self->fd, region, 4096));
	/* What is gone is not whole again by a second offer. */
	ASSERT_EQ(0, offer(self->fd, region, MIB(2), 1));
	ASSERT_TRUE(press());
	ASSERT_EQ(0, offer(self->fd, region, MIB(1), 2));
	EXPECT_EQ(MIB(2), reclaim(self->fd, region, MIB(2)));
	ASSERT_EQ(0, offer(self->fd, region, MIB(4), 2));
	ASSERT_EQ(0, discard(self->fd, region + PAGES(5), PAGES(1)));
	EXPECT_TRUE(page_is_zero(region + PAGES(5)));
	ASSERT_EQ(0, wr_decommit(self->fd, region + PAGES(6), PAGES(2)));
	ASSERT_EQ(0, wr_commit(self->fd, region + PAGES(6), PAGES(2), RW));
	EXPECT_TRUE(page_is_zero(region + PAGES(7)));
	EXPECT_FALSE(try_read(region + PAGES(4)));
	EXPECT_FALSE(try_read(region + PAGES(8)));
	ASSERT_EQ(0, wr_protect(self->fd, region, MIB(1), RO));
	EXPECT_FALSE(try_read(region + PAGES(8)));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* Rules DC-01, DC-02. */
TEST_F(reset, discarded)
{
	char *region = alloc_huge(self->fd, 2);
	uint64_t committed = WR_INFO(self->fd, out_committed);

	ASSERT_NE(NULL, region);
	fill_pages(region, 1024, 1);
	ASSERT_EQ(0, discard(self->fd, region + PAGES(500), PAGES(24)));
	EXPECT_EQ(committed, WR_INFO(self->fd, out_committed));
	EXPECT_TRUE(page_is_zero(region + PAGES(500)));
	EXPECT_TRUE(page_is_zero(region + PAGES(523)));
	EXPECT_TRUE(pages_have(region, 500, 1));
	EXPECT_TRUE(pages_have(region + PAGES(524), 500, 525));
	ASSERT_EQ(0, wr_protect(self->fd, region + PAGES(9), 4096, RO));
	EXPECT_EQ(-EDOM, discard(self->fd, region, UNIT));
	EXPECT_TRUE(pages_have(region, 500, 1));
	ASSERT_EQ(0, wr_decommit(self->fd, region + PAGES(9), 4096));
	EXPECT_EQ(-EDOM, discard(self->fd, region, UNIT));
	ASSERT_EQ(0, discard(self->fd, region, PAGES(9)));
	EXPECT_EQ(0, wr_resident(self->fd, region, PAGES(9)));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* ---- the names of Windows ---- */

static LPVOID reset_by_name(char *address, SIZE_T size, DWORD protect)
{
	SetLastError(0);
	return VirtualAlloc(address, size, MEM_RESET, protect);
}

/* Rules RS-01, RS-02, RS-03, RS-08. */
TEST_F(reset, virtual_alloc)
{
	char *base = VirtualAlloc(NULL, 4 * UNIT, MEM_RESERVE, PAGE_READWRITE);

	ASSERT_NE(NULL, base);
	ASSERT_EQ(base, VirtualAlloc(base, UNIT, MEM_COMMIT, PAGE_READWRITE));
	fill_pages(base, 16, 1);
	EXPECT_EQ(base, reset_by_name(base, UNIT, PAGE_NOACCESS));
	EXPECT_EQ(base, reset_by_name(base + 5, 100, PAGE_READWRITE));
	EXPECT_COMMITTED(base, UNIT, PAGE_READWRITE, base, PAGE_READWRITE);
	EXPECT_TRUE(pages_have(base, 16, 1));
	/* Pages that are only reserved stay so, in between, too. */
	EXPECT_EQ(base + UNIT, reset_by_name(base + UNIT, UNIT, PAGE_READONLY));
	EXPECT_EQ(base, reset_by_name(base, 4 * UNIT, PAGE_READONLY));
	EXPECT_RESERVED(base + UNIT, 3 * UNIT, base, PAGE_READWRITE);
	EXPECT_EQ(base, VirtualAlloc(base, 2 * UNIT, MEM_RESET_UNDO,
				     PAGE_NOACCESS));
	EXPECT_TRUE(pages_have(base, 16, 1));
	EXPECT_EQ(NULL, reset_by_name(base, UNIT, 0));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_EQ(NULL, reset_by_name(base, UNIT, PAGE_READWRITE |
						  PAGE_READONLY));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_EQ(base, reset_by_name(base, UNIT, PAGE_NOACCESS));
	ASSERT_TRUE(press());
	EXPECT_EQ(NULL, VirtualAlloc(base, UNIT, MEM_RESET_UNDO,
				     PAGE_NOACCESS));
	EXPECT_EQ(ERROR_BUSY, GetLastError());
	EXPECT_TRUE(page_is_zero(base));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules RS-04, RS-07, RS-09. */
TEST_F(reset, virtual_alloc_errors)
{
	static const DWORD others[] = {
		MEM_COMMIT, MEM_RESERVE, MEM_TOP_DOWN, MEM_RESET_UNDO,
		MEM_WRITE_WATCH, MEM_LARGE_PAGES, MEM_PHYSICAL,
	};
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);
	unsigned int i;

	ASSERT_NE(NULL, base);
	fill_pages(base, 16, 1);
	EXPECT_EQ(NULL, reset_by_name(base + 0xf000, 0x2000, PAGE_NOACCESS));
	EXPECT_EQ(ERROR_INVALID_ADDRESS, GetLastError());
	EXPECT_EQ(NULL, reset_by_name(ARENA, UNIT, PAGE_NOACCESS));
	EXPECT_EQ(ERROR_INVALID_ADDRESS, GetLastError());
	EXPECT_EQ(NULL, reset_by_name(base, 0, PAGE_NOACCESS));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		SetLastError(0);
		EXPECT_EQ(NULL, VirtualAlloc(base, UNIT, MEM_RESET | others[i],
					     PAGE_READWRITE));
		EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
		if (others[i] == MEM_RESET_UNDO)
			continue;
		SetLastError(0);
		EXPECT_EQ(NULL, VirtualAlloc(base, UNIT,
					     MEM_RESET_UNDO | others[i],
					     PAGE_READWRITE));
		EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	}
	EXPECT_EQ(NULL, VirtualAlloc(ARENA, UNIT, MEM_RESET_UNDO,
				     PAGE_NOACCESS));
	EXPECT_EQ(ERROR_INVALID_ADDRESS, GetLastError());
	ASSERT_TRUE(press());
	EXPECT_TRUE(pages_have(base, 16, 1));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules RS-05, SR-11. */
TEST_F(reset, views_of_memory)
{
	static const DWORD kinds[] = { SEC_COMMIT, SEC_RESERVE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
						    PAGE_READWRITE | kinds[i],
						    0, 2 * UNIT, NULL);
		char *view;

		ASSERT_NE(NULL, section);
		view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
		ASSERT_NE(NULL, view);
		ASSERT_EQ(view, VirtualAlloc(view, UNIT, MEM_COMMIT,
					     PAGE_READWRITE));
		fill_pages(view, 16, 1);
		EXPECT_EQ(view, reset_by_name(view, 2 * UNIT, PAGE_NOACCESS));
		ASSERT_TRUE(press());
		EXPECT_TRUE(pages_have(view, 16, 1));
		EXPECT_EQ(view, VirtualAlloc(view, UNIT, MEM_RESET_UNDO,
					     PAGE_NOACCESS));
		EXPECT_EQ(ERROR_INVALID_PARAMETER,
			  DiscardVirtualMemory(view, UNIT));
		EXPECT_EQ(ERROR_INVALID_PARAMETER,
			  OfferVirtualMemory(view, UNIT, VmOfferPriorityLow));
		EXPECT_EQ(ERROR_INVALID_PARAMETER,
			  ReclaimVirtualMemory(view, UNIT));
		EXPECT_TRUE(UnmapViewOfFile(view));
		EXPECT_TRUE(CloseHandle(section));
	}
}

/* Rule RS-06. */
TEST_F(reset, views_of_files)
{
	HANDLE file, section;
	char *view;

	file = CreateFileA("/tmp/wr_reset", GENERIC_READ | GENERIC_WRITE, 0,
			   NULL, CREATE_ALWAYS, 0, NULL);
	ASSERT_NE(INVALID_HANDLE_VALUE, file);
	section = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, UNIT, NULL);
	ASSERT_NE(NULL, section);
	view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	ASSERT_NE(NULL, view);
	fill_pages(view, 16, 1);
	EXPECT_EQ(NULL, reset_by_name(view, UNIT, PAGE_NOACCESS));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_TRUE(pages_have(view, 16, 1));
	EXPECT_TRUE(UnmapViewOfFile(view));
	EXPECT_TRUE(CloseHandle(section));
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_TRUE(DeleteFileA("/tmp/wr_reset"));
}

/* Rules DC-01, DC-02, OF-01, OF-03, RC-01, RC-02, RC-03. */
TEST_F(reset, discard_offer_and_reclaim)
{
	char *base = VirtualAlloc(NULL, 4 * UNIT, MEM_RESERVE, PAGE_READWRITE);

	ASSERT_NE(NULL, base);
	ASSERT_EQ(base, VirtualAlloc(base, UNIT, MEM_COMMIT, PAGE_READWRITE));
	fill_pages(base, 16, 1);
	SetLastError(77);
	EXPECT_EQ(ERROR_INVALID_PARAMETER, DiscardVirtualMemory(base + 1, UNIT));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, DiscardVirtualMemory(base, 100));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, DiscardVirtualMemory(base, 0));
	EXPECT_EQ(ERROR_INVALID_PARAMETER,
		  DiscardVirtualMemory(base, 2 * UNIT)); /* reserved */
	EXPECT_EQ(ERROR_INVALID_ADDRESS, DiscardVirtualMemory(ARENA, UNIT));
	EXPECT_EQ(ERROR_INVALID_ADDRESS, DiscardVirtualMemory(NULL, UNIT));
	EXPECT_EQ(ERROR_INVALID_PARAMETER,
		  OfferVirtualMemory(base + 1, UNIT, VmOfferPriorityLow));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, OfferVirtualMemory(base, UNIT, 0));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, OfferVirtualMemory(base, UNIT, 5));
	EXPECT_EQ(ERROR_INVALID_ADDRESS,
		  OfferVirtualMemory(base, 2 * UNIT, VmOfferPriorityLow));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, ReclaimVirtualMemory(base, UNIT));
	EXPECT_TRUE(pages_have(base, 16, 1));
	EXPECT_EQ(ERROR_SUCCESS,
		  OfferVirtualMemory(base, UNIT, VmOfferPriorityNormal));
	EXPECT_FALSE(try_read(base));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, ReclaimVirtualMemory(base, 100));
	EXPECT_EQ(ERROR_SUCCESS, ReclaimVirtualMemory(base, UNIT));
	EXPECT_TRUE(pages_have(base, 16, 1));
	EXPECT_EQ(ERROR_SUCCESS,
		  OfferVirtualMemory(base, UNIT, VmOfferPriorityVeryLow));
	ASSERT_TRUE(press());
	EXPECT_EQ(ERROR_BUSY, ReclaimVirtualMemory(base, UNIT));
	EXPECT_TRUE(try_write(base));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, ReclaimVirtualMemory(base, UNIT));
	fill_pages(base, 16, 1);
	EXPECT_EQ(ERROR_SUCCESS, DiscardVirtualMemory(base, UNIT));
	EXPECT_COMMITTED(base, UNIT, PAGE_READWRITE, base, PAGE_READWRITE);
	EXPECT_TRUE(page_is_zero(base));
	EXPECT_EQ(77, GetLastError());
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules PF-01, PF-02, PF-03, PF-04, PF-05, PF-06. */
TEST_F(reset, prefetch)
{
	char *base = VirtualAlloc(NULL, UNIT, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);
	WIN32_MEMORY_RANGE_ENTRY list[40];
	unsigned int i;

	ASSERT_NE(NULL, base);
	fill_pages(base, 16, 1);
	for (i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = (WIN32_MEMORY_RANGE_ENTRY){ base + 100 * i, 4096 };
	list[1].VirtualAddress = NULL;
	list[2].VirtualAddress = ARENA;
	list[3].VirtualAddress = KERNEL_ADDRESS;
	errno = 99;
	EXPECT_TRUE(PrefetchVirtualMemory(SELF, 1, list, 0));
	EXPECT_TRUE(PrefetchVirtualMemory(SELF, ARRAY_SIZE(list), list, 0));
	EXPECT_EQ(99, errno);
	EXPECT_TRUE(pages_have(base, 16, 1));
	EXPECT_FALSE(PrefetchVirtualMemory(SELF, 0, list, 0));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_FALSE(PrefetchVirtualMemory(SELF, 1, list, 1));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_FALSE(PrefetchVirtualMemory(SELF, 1, NULL, 0));
	EXPECT_EQ(ERROR_NOACCESS, GetLastError());
	list[39].NumberOfBytes = 0;
	EXPECT_FALSE(PrefetchVirtualMemory(SELF, 40, list, 0));
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules PF-02, PF-04, PF-05, PF-07. */
TEST_F(reset, prefetch_nt)
{
	MEMORY_RANGE_ENTRY entry = { self, 8 };
	ULONG flags = 0;

#define SET(class, nr, list, information, length)			\
	NtSetInformationVirtualMemory(SELF, class, nr, list, information, \
				      length)
	EXPECT_EQ(STATUS_SUCCESS, SET(VmPrefetchInformation, 1, &entry, &flags,
				      sizeof(flags)));
	EXPECT_EQ(STATUS_INVALID_PARAMETER_2, SET(77, 1, &entry, &flags, 4));
	EXPECT_EQ(STATUS_INVALID_PARAMETER_5,
		  SET(VmPrefetchInformation, 1, &entry, NULL, 4));
	EXPECT_EQ(STATUS_INVALID_PARAMETER_6,
		  SET(VmPrefetchInformation, 1, &entry, &flags, 5));
	EXPECT_EQ(STATUS_INVALID_PARAMETER_3,
		  SET(VmPrefetchInformation, 0, NULL, &flags, 4));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION,
		  SET(VmPrefetchInformation, 1, NULL, &flags, 4));
	entry.NumberOfBytes = 0;
	EXPECT_EQ(STATUS_INVALID_PARAMETER_4,
		  SET(VmPrefetchInformation, 1, &entry, &flags, 4));
#undef SET
}

/* ---- what is read ahead of a file ---- */

#define MOUNTED "/tmp/wr_reset_fs"
#define IMAGE "/tmp/wr_reset.img"
#define COLD_PATH MOUNTED "/cold"
#define COLD_SIZE MIB(16)

FIXTURE(cold)
{
	HANDLE section;
	char *base;
	char *seen;
	int loop;
};

FIXTURE_VARIANT(cold)
{
	DWORD protection;
	DWORD access;
};

FIXTURE_VARIANT_ADD(cold, mmap) { 0, 0 };
FIXTURE_VARIANT_ADD(cold, view) { PAGE_READONLY, FILE_MAP_READ };
FIXTURE_VARIANT_ADD(cold, copy) { PAGE_WRITECOPY, FILE_MAP_COPY };

/* A file that is on a disk */
static int cold_file(void)
{
	static const char block[MIB(1)];
	int file = open(COLD_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unsigned int i;

	for (i = 0; i < COLD_SIZE / sizeof(block); i++)
		if (write(file, block, sizeof(block)) != sizeof(block))
			return -1;
	return fsync(file) ? -1 : file;
}

/* Pages of the file in memory from a page on, whoever has read them */
static unsigned int warm_from(char *seen, unsigned int page)
{
	static unsigned char pages[COLD_SIZE / PAGE];
	unsigned int n = COLD_SIZE / PAGE - page, i, warm = 0;

	if (mincore(seen + PAGES(page), PAGES(n), pages))
		return ~0U;
	for (i = 0; i < n; i++)
		warm += pages[i] & 1;
	return warm;
}

/* A page stays as long as anybody has a reference to it, such as who has written it. */
static bool make_cold(int file, char *seen)
{
	return SETTLES(!posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) &&
		       !warm_from(seen, 0));
}

FIXTURE_SETUP(cold)
{
	char device[32];
	HANDLE handle;
	int file;

	self->loop = -1;
	if (geteuid())
		SKIP(return, "only root makes a disk");
	if (access("/dev/loop-control", F_OK))
		SKIP(return, "no loop devices; \"make test\" has them");
	mkdir(MOUNTED, 0700);
	self->loop = loop_begin(IMAGE, MIB(24), device, sizeof(device));
	ASSERT_LE(0, self->loop);
	ASSERT_TRUE(loop_mount(device, MOUNTED));
	file = cold_file();
	ASSERT_LE(0, file);
	self->seen = mmap(NULL, COLD_SIZE, PROT_READ, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, self->seen);
	ASSERT_TRUE(make_cold(file, self->seen));
	close(file);
	self->base = self->seen;
	if (!variant->protection)
		return;
	handle = CreateFileA(COLD_PATH, GENERIC_READ, FILE_SHARE_READ, NULL,
			     OPEN_EXISTING, 0, NULL);
	self->section = CreateFileMappingA(handle, NULL, variant->protection, 0,
					   0, NULL);
	ASSERT_NE(NULL, self->section);
	EXPECT_TRUE(CloseHandle(handle));
	self->base = MapViewOfFile(self->section, variant->access, 0, 0, 0);
	ASSERT_NE(NULL, self->base);
}

FIXTURE_TEARDOWN(cold)
{
	if (self->loop < 0)
		return;
	if (self->section) {
		EXPECT_TRUE(UnmapViewOfFile(self->base));
		EXPECT_TRUE(CloseHandle(self->section));
	}
	munmap(self->seen, COLD_SIZE);
	EXPECT_TRUE(SETTLES(!umount(MOUNTED)));
	loop_end(self->loop, IMAGE);
}

/* Rule PF-01. Each range as a whole, and no other; more than a device takes at once. */
TEST_F(cold, all_of_it)
{
	const unsigned int n = COLD_SIZE / PAGE;
	WIN32_MEMORY_RANGE_ENTRY list[] = {
		{ self->base + PAGES(n / 2), PAGES(n / 4) },
		{ self->base + PAGES(n / 4 * 3) + 5, PAGES(n / 4) - 5 },
	};

	ASSERT_EQ(0, warm_from(self->seen, 0));
	EXPECT_TRUE(PrefetchVirtualMemory(SELF, 2, list, 0));
	EXPECT_TRUE(SETTLES(warm_from(self->seen, n / 2) == n / 2));
	EXPECT_EQ(n / 2, warm_from(self->seen, 0));
	list[0].VirtualAddress = self->base;
	list[0].NumberOfBytes = PAGES(n / 2);
	EXPECT_TRUE(PrefetchVirtualMemory(SELF, 1, list, 0));
	EXPECT_TRUE(SETTLES(warm_from(self->seen, 0) == n));
}

/* Rules PF-01, PF-03. All addresses there are, most of which have nothing */
TEST_F(cold, whole_space)
{
	WIN32_MEMORY_RANGE_ENTRY entry = { NULL, (uintptr_t)KERNEL_ADDRESS };
	char *empty = VirtualAlloc(NULL, TIB(1), MEM_RESERVE, PAGE_NOACCESS);

	ASSERT_NE(NULL, empty);
	ASSERT_EQ(0, warm_from(self->seen, 0));
	EXPECT_TRUE(PrefetchVirtualMemory(SELF, 1, &entry, 0));
	EXPECT_TRUE(SETTLES(warm_from(self->seen, 0) == COLD_SIZE / PAGE));
	EXPECT_TRUE(VirtualFree(empty, 0, MEM_RELEASE));
}

/* ---- errors of the ioctl ---- */

TEST_F(reset, errors)
{
	struct winregion_range ranges[3];
	struct winregion_reset arg = {
		.size = sizeof(arg),
		.operation = WINREGION_OP_OFFER,
		.nr_ranges = 3,
		.ranges = (uintptr_t)ranges,
	};
	char *region = wr_alloc(self->fd, MIB(1));
	char *other = wr_reserve(self->fd, MIB(4));
	unsigned int i;

	ASSERT_NE(NULL, region);
	ASSERT_NE(NULL, other);
	fill_pages(region, 256, 1);
	EXPECT_EQ(-EINVAL, contents(self->fd, 0, region, 4096, 0, NULL));
	EXPECT_EQ(-EINVAL, contents(self->fd, 6, region, 4096, 0, NULL));
	EXPECT_EQ(-EDOM, contents(self->fd, WINREGION_OP_RESET, region, 4096,
				  0, NULL));
	EXPECT_EQ(-EDOM, contents(self->fd, WINREGION_OP_UNDO, region, 4096,
				  3, NULL));
	EXPECT_EQ(-EINVAL, contents(self->fd, WINREGION_OP_DISCARD, region,
				    4096, RW, NULL));
	EXPECT_EQ(-EINVAL, offer(self->fd, region, 4096, 0));
	EXPECT_EQ(-EINVAL, offer(self->fd, region, 4096, 5));
	EXPECT_EQ(-EOVERFLOW, reset(self->fd, region, 0));
	EXPECT_EQ(-EXDEV, reset(self->fd, region, MIB(1) + 1));
	EXPECT_EQ(-ENODATA, offer(self->fd, other, 4096, 1));
	EXPECT_EQ(0, reset(self->fd, other, MIB(4)));
	EXPECT_EQ(-ENOMSG, reclaim(self->fd, region, 4096));
	for (i = 0; i < 3; i++)
		ranges[i] = (struct winregion_range){
			.address = (uintptr_t)region + i * UNIT,
			.length = UNIT,
			.protection = 1 + i,
		};
	ranges[2].address = (uintptr_t)other;
	EXPECT_EQ(-ENODATA, wr_ioctl(self->fd, WINREGION_RESET, &arg));
	EXPECT_TRUE(pages_have(region, 256, 1));
	ASSERT_EQ(0, wr_commit(self->fd, other, UNIT, RW));
	fill_pages(other, 16, 400);
	EXPECT_EQ(0, wr_ioctl(self->fd, WINREGION_RESET, &arg));
	EXPECT_EQ(0, arg.out_gone);
	for (i = 0; i < 3; i++)
		EXPECT_FALSE(try_read((char *)(uintptr_t)ranges[i].address));
	/* Twice the same in one call, and a page of each of two slots. */
	for (i = 0; i < 3; i++)
		ranges[i].protection = 0;
	ranges[1] = ranges[0];
	arg.operation = WINREGION_OP_RECLAIM;
	EXPECT_EQ(0, wr_ioctl(self->fd, WINREGION_RESET, &arg));
	EXPECT_TRUE(pages_have(region, 16, 1));
	EXPECT_TRUE(pages_have(other, 16, 400));
	EXPECT_EQ(0, wr_release(self->fd, other, 0));
	EXPECT_EQ(-ENOENT, reset(self->fd, other, 4096));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* Rules OF-01, OF-03, RC-01: of the first pages that share 2 MiB none is passed over. */
TEST_F(reset, first_pages)
{
	char *region = wr_alloc(self->fd, MIB(4));
	char *first = (char *)(((uintptr_t)region + HUGE - 1) & ~(HUGE - 1));
	unsigned int priority;

	ASSERT_NE(NULL, region);
	for (priority = 1; priority <= 4; priority++) {
		fill_pages(first, 8, 1);
		ASSERT_EQ(0, offer(self->fd, first, PAGE, priority));
		EXPECT_FALSE(try_read(first));
		EXPECT_TRUE(try_read(first + PAGE));
		ASSERT_EQ(0, reclaim(self->fd, first, PAGE));
		EXPECT_TRUE(pages_have(first, 8, 1));
		/* Given up, they are free of it. */
		ASSERT_EQ(0, offer(self->fd, first, PAGES(2), priority));
		ASSERT_EQ(0, wr_decommit(self->fd, first, PAGE));
		ASSERT_EQ(0, wr_commit(self->fd, first, PAGE, RW));
		EXPECT_TRUE(page_is_zero(first));
		EXPECT_FALSE(try_read(first + PAGE));
		ASSERT_EQ(0, discard(self->fd, first, PAGES(2)));
		EXPECT_TRUE(page_is_zero(first + PAGE));
	}
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

/* ---- locked pages ---- */

struct forked {
	int fd;
	char *region;
};

/* Also of one whose PTE has gone, as what was around it has. */
static bool is_locked(void *address)
{
	struct winregion_lock arg = {
		.operation = WINREGION_LOCK_COUNT,
		.address = (uintptr_t)address,
		.length = PAGE,
	};

	return !winregion_lock(&arg) && arg.out_locked == PAGE;
}

/* Two apart, so that there are several pieces, and a part of a unit. */
static bool lock_some(char *region)
{
	return VirtualLock(region + PAGES(3), PAGES(2)) &&
	       VirtualLock(region + PAGES(40), PAGE);
}

static bool some_are_locked(char *region)
{
	return is_locked(region + PAGES(3)) && is_locked(region + PAGES(4)) &&
	       is_locked(region + PAGES(40)) &&
	       self_status("VmLck") == 3 * PAGE;
}

/* Rule LK-01: they stay in memory, and what they hold. */
TEST_F(reset, locked_pages_are_not_reset)
{
	char *region = wr_alloc(self->fd, MIB(4));
	unsigned int i, large;

	ASSERT_NE(NULL, region);
	for (large = 0; large < 2; large++) {
		set_large(large);
		ASSERT_EQ(0, wr_decommit(self->fd, region, MIB(4)));
		ASSERT_EQ(0, wr_commit(self->fd, region, MIB(4), RW));
		fill_pages(region, 1024, 1);
		ASSERT_TRUE(lock_some(region));
		ASSERT_EQ(0, reset(self->fd, region, MIB(4)));
		ASSERT_TRUE(press());
		EXPECT_TRUE(some_are_locked(region));
		EXPECT_EQ(PAGES(3), wr_resident(self->fd, region, MIB(4)));
		EXPECT_EQ((int64_t)PAGES(1021), undo(self->fd, region, MIB(4)));
		for (i = 0; i < 64; i++)
			EXPECT_TRUE(i == 3 || i == 4 || i == 40 ?
				    pages_have(region + PAGES(i), 1, i + 1) :
				    page_is_zero(region + PAGES(i)));
		/* Unlocked, they are like any others. */
		ASSERT_TRUE(VirtualUnlock(region + PAGES(3), PAGES(2)));
		ASSERT_TRUE(VirtualUnlock(region + PAGES(40), PAGE));
		ASSERT_EQ(0, reset(self->fd, region, MIB(4)));
		ASSERT_TRUE(press());
		EXPECT_EQ(0, wr_resident(self->fd, region, MIB(4)));
	}
	set_large(false);
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
}

static int discard_what_is_shared(void *arg)
{
	struct forked *forked = arg;

	CHECK(lock_some(forked->region));
	CHECK(!discard(forked->fd, forked->region, MIB(1)));
	CHECK(some_are_locked(forked->region));
	CHECK(page_is_zero(forked->region + PAGES(4)));
	return 0;
}

/* Rules DC-01, LK-01: zeros, and in memory. */
TEST_F(reset, locked_pages_are_discarded)
{
	struct forked forked = { self->fd, wr_alloc(self->fd, MIB(1)) };
	char *region = forked.region;

	ASSERT_NE(NULL, region);
	fill_pages(region, 256, 1);
	EXPECT_EQ(0, in_child(discard_what_is_shared, &forked));
	EXPECT_TRUE(pages_have(region, 256, 1));
	ASSERT_TRUE(lock_some(region));
	ASSERT_EQ(0, discard(self->fd, region, MIB(1)));
	EXPECT_TRUE(some_are_locked(region));
	EXPECT_EQ(PAGES(3), wr_resident(self->fd, region, MIB(1)));
	EXPECT_TRUE(page_is_zero(region + PAGES(3)));
	EXPECT_TRUE(page_is_zero(region + PAGES(4)));
	EXPECT_TRUE(page_is_zero(region + PAGES(40)));
	EXPECT_TRUE(page_is_zero(region + PAGES(5)));
	fill_pages(region, 256, 7);
	EXPECT_TRUE(pages_have(region, 256, 7));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
	EXPECT_EQ(0, self_status("VmLck"));
}

/* Rule OF-02 */
TEST_F(reset, offer_unlocks)
{
	char *region = wr_alloc(self->fd, MIB(1));

	ASSERT_NE(NULL, region);
	fill_pages(region, 256, 1);
	ASSERT_TRUE(lock_some(region));
	ASSERT_EQ(0, offer(self->fd, region, PAGES(4), 4));
	EXPECT_FALSE(is_locked(region + PAGES(3)));
	EXPECT_TRUE(is_locked(region + PAGES(4)));
	EXPECT_EQ(2 * PAGE, self_status("VmLck"));
	EXPECT_FALSE(VirtualLock(region + PAGES(3), PAGE));
	EXPECT_EQ(2 * PAGE, self_status("VmLck"));
	ASSERT_TRUE(press());
	EXPECT_EQ((int64_t)PAGES(4), reclaim(self->fd, region, PAGES(4)));
	EXPECT_TRUE(pages_have(region + PAGES(4), 252, 5));
	EXPECT_FALSE(is_locked(region + PAGES(3)));
	ASSERT_TRUE(VirtualLock(region + PAGES(3), PAGE));
	EXPECT_EQ(3 * PAGE, self_status("VmLck"));
	EXPECT_EQ(0, wr_release(self->fd, region, 0));
	EXPECT_EQ(0, self_status("VmLck"));
}

/* ---- forks ---- */

static int child_of_reset(void *arg)
{
	struct forked *forked = arg;

	/* The parent's pages are not here, and that is told. */
	CHECK(page_is_zero(forked->region));
	CHECK(undo(forked->fd, forked->region, UNIT) == (int64_t)UNIT);
	CHECK(!try_read(forked->region + UNIT));
	CHECK(reclaim(forked->fd, forked->region + UNIT, UNIT) ==
	      (int64_t)UNIT);
	fill_pages(forked->region, 32, 700);
	CHECK(press());
	CHECK(pages_have(forked->region, 32, 700));
	return 0;
}

TEST_F(reset, forked_while_reset)
{
	struct forked forked = { self->fd, wr_alloc(self->fd, MIB(1)) };

	ASSERT_NE(NULL, forked.region);
	fill_pages(forked.region, 256, 1);
	ASSERT_EQ(0, reset(self->fd, forked.region, UNIT));
	ASSERT_EQ(0, offer(self->fd, forked.region + UNIT, UNIT, 4));
	EXPECT_EQ(0, in_child(child_of_reset, &forked));
	/* The child has pressed, and they were the parent's alone. */
	EXPECT_EQ((int64_t)UNIT, undo(self->fd, forked.region, UNIT));
	EXPECT_EQ((int64_t)UNIT, reclaim(self->fd, forked.region + UNIT, UNIT));
	EXPECT_TRUE(pages_have(forked.region + PAGES(32), 224, 33));
	EXPECT_EQ(0, wr_release(self->fd, forked.region, 0));
}

static int reset_what_is_shared(void *arg)
{
	struct forked *forked = arg;

	CHECK(!reset(forked->fd, forked->region, UNIT));
	CHECK(!offer(forked->fd, forked->region + UNIT, UNIT, 1));
	CHECK(press());
	CHECK(wr_resident(forked->fd, forked->region, MIB(1)) == MIB(1));
	CHECK(!undo(forked->fd, forked->region, UNIT));
	CHECK(!reclaim(forked->fd, forked->region + UNIT, UNIT));
	CHECK(pages_have(forked->region, 256, 1));
	/* Written, it has pages of its own. */
	fill_pages(forked->region, 32, 300);
	CHECK(!reset(forked->fd, forked->region, MIB(1)));
	CHECK(press());
	CHECK(undo(forked->fd, forked->region, MIB(1)) == PAGES(32));
	CHECK(page_is_zero(forked->region));
	CHECK(pages_have(forked->region + PAGES(32), 224, 33));
	return 0;
}

/* What a relative owns too is not freed. Hazard R2. */
TEST_F(reset, reset_after_fork)
{
	struct forked forked = { self->fd, wr_alloc(self->fd, MIB(1)) };

	ASSERT_NE(NULL, forked.region);
	fill_pages(forked.region, 256, 1);
	EXPECT_EQ(0, in_child(reset_what_is_shared, &forked));
	EXPECT_TRUE(pages_have(forked.region, 256, 1));
	ASSERT_EQ(0, reset(self->fd, forked.region, MIB(1)));
	ASSERT_TRUE(press());
	EXPECT_EQ((int64_t)MIB(1), undo(self->fd, forked.region, MIB(1)));
	EXPECT_EQ(0, wr_release(self->fd, forked.region, 0));
}

/* ---- memory is short ---- */

#define CLASSES 5
#define CLASS_SIZE MIB(8)

struct short_of {
	int fd;
	char dir[64];
};

static bool group_write(struct short_of *at, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", at->dir, file);
	return write_text(path, text);
}

static bool make_group(struct short_of *at, const char *limit)
{
	if (access(CGROUP_ROOT "/cgroup.controllers", R_OK) &&
	    mount("none", CGROUP_ROOT, "cgroup2", 0, NULL))
		return false;
	write_text(CGROUP_ROOT "/cgroup.subtree_control", "+memory");
	snprintf(at->dir, sizeof(at->dir), CGROUP_ROOT "/wr_reset.%d",
		 getpid());
	if (mkdir(at->dir, 0755) || !group_write(at, "memory.max", limit))
		return false;
	group_write(at, "memory.swap.max", "0");
	return true;
}

static void remove_group(struct short_of *at)
{
	SETTLES(!rmdir(at->dir) || errno == ENOENT);
}

static int fill_with_offers(struct short_of *at, char **classes)
{
	unsigned int i;

	for (i = 0; i < CLASSES; i++) {
		classes[i] = wr_alloc(at->fd, CLASS_SIZE);
		CHECK(classes[i]);
		fill_pages(classes[i], CLASS_SIZE / 4096, i * 10000);
	}
	/* Not in the order in which they are to go. */
	for (i = CLASSES; i--;)
		CHECK(!(i ? offer(at->fd, classes[i], CLASS_SIZE, i) :
			    reset(at->fd, classes[i], CLASS_SIZE)));
	return 0;
}

/* Whether none is touched before all that is worth less is gone. */
static bool in_order(int fd, char **classes, bool *done)
{
	uint64_t now, before = 0;
	unsigned int i;

	for (i = 0; i < CLASSES; i++) {
		now = wr_resident(fd, classes[i], CLASS_SIZE);
		if (before && now != CLASS_SIZE)
			return false;
		before = now;
	}
	*done = !before;
	return true;
}

static int offers_in_group(void *arg)
{
	struct short_of *at = arg;
	char *classes[CLASSES], *more;
	bool done = false;
	unsigned int i;
	int line;

	small_pages_only();
	CHECK(group_write(at, "cgroup.procs", "0"));
	line = fill_with_offers(at, classes);
	if (line)
		return line;
	more = wr_alloc(at->fd, MIB(40));
	CHECK(more);
	for (i = 0; i < MIB(40) / MIB(1); i++) {
		fill_pages(more + i * MIB(1), 256, i);
		CHECK(in_order(at->fd, classes, &done));
	}
	/* All that was written is there, and most of what was offered went. */
	for (i = 0; i < MIB(40) / MIB(1); i++)
		CHECK(pages_have(more + i * MIB(1), 256, i));
	CHECK(!wr_resident(at->fd, classes[0], CLASS_SIZE));
	CHECK(!wr_resident(at->fd, classes[1], CLASS_SIZE));
	CHECK(undo(at->fd, classes[0], CLASS_SIZE) == (int64_t)CLASS_SIZE);
	for (i = 1; i < CLASSES; i++) {
		uint64_t left = wr_resident(at->fd, classes[i], CLASS_SIZE);

		CHECK(reclaim(at->fd, classes[i], CLASS_SIZE) ==
		      (int64_t)(CLASS_SIZE - left));
		if (left == CLASS_SIZE)
			CHECK(pages_have(classes[i], 2048, i * 10000));
	}
	return 0;
}

/* A cgroup at its limit: nobody is killed. Rules OF-01, RC-01, RC-02; hazard R3. */
TEST_F_TIMEOUT(reset, lowest_priority_first, 120)
{
	struct short_of at = { .fd = self->fd };
	long kills = oom_kills();

	if (!make_group(&at, "64M"))
		SKIP(return, "no memory controller here");
	EXPECT_EQ(0, in_child(offers_in_group, &at));
	EXPECT_EQ(kills, oom_kills());
	remove_group(&at);
}

/*
 * What cannot be freed, as a relative has it as well, is in front of all else.
 */
static int offers_behind_others(void *arg)
{
	struct short_of *at = arg;
	char *shared, *offered, *more;
	unsigned int i;
	pid_t pid;

	small_pages_only();
	CHECK(group_write(at, "cgroup.procs", "0"));
	shared = wr_alloc(at->fd, MIB(8));
	offered = wr_alloc(at->fd, MIB(32));
	more = wr_alloc(at->fd, MIB(40));
	CHECK(shared && offered && more);
	fill_pages(shared, 2048, 1);
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	CHECK(pid > 0);
	fill_pages(offered, MIB(32) / PAGE, 1);
	CHECK(!reset(at->fd, shared, MIB(8)));
	CHECK(!offer(at->fd, offered, MIB(32), 1));
	for (i = 0; i < MIB(40) / MIB(1); i++)
		fill_pages(more + i * MIB(1), 256, i);
	for (i = 0; i < MIB(40) / MIB(1); i++)
		CHECK(pages_have(more + i * MIB(1), 256, i));
	CHECK(wr_resident(at->fd, shared, MIB(8)) == MIB(8));
	CHECK(wr_resident(at->fd, offered, MIB(32)) < MIB(32));
	CHECK(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	return 0;
}

/* The classes behind them have their turn: nobody is killed. Hazard R7. */
TEST_F_TIMEOUT(reset, unfreeable_in_front, 120)
{
	struct short_of at = { .fd = self->fd };
	long kills = oom_kills();

	if (!make_group(&at, "64M"))
		SKIP(return, "no memory controller here");
	EXPECT_EQ(0, in_child(offers_behind_others, &at));
	EXPECT_EQ(kills, oom_kills());
	remove_group(&at);
}

/*
 * One region, and so one window, whose lock is held by who waits for memory: what is
 * reset there is freed nevertheless. Hazard R3.
 */
static int one_region_in_group(void *arg)
{
	struct short_of *at = arg;
	unsigned int round, i;
	char *region;

	CHECK(group_write(at, "cgroup.procs", "0"));
	region = wr_alloc(at->fd, MIB(128));
	CHECK(region);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 16; i++) {
			char *chunk = region + i * MIB(8);

			fill_pages(chunk, 2048, i + round);
			CHECK(pages_have(chunk, 2048, i + round));
			CHECK(!reset(at->fd, chunk, MIB(8)));
		}
		CHECK(undo(at->fd, region, MIB(128)) > 0);
		/* What was whole is in use again, and could not be freed. */
		CHECK(!discard(at->fd, region, MIB(128)));
	}
	return 0;
}

TEST_F_TIMEOUT(reset, one_region_at_its_limit, 120)
{
	struct short_of at = { .fd = self->fd };
	long kills = oom_kills();

	if (!make_group(&at, "32M"))
		SKIP(return, "no memory controller here");
	EXPECT_EQ(0, in_child(one_region_in_group, &at));
	EXPECT_EQ(kills, oom_kills());
	remove_group(&at);
}

/* All of the machine is short of it. */
static int more_than_there_is(void *arg)
{
	uint64_t chunk = MIB(32), size = MIB(768), gone = 0, i;
	int fd = *(int *)arg;
	char *region;

	region = wr_alloc(fd, size);
	CHECK(region);
	for (i = 0; i < size / chunk; i++) {
		fill_pages(region + i * chunk, chunk / 4096, i);
		if (i % 2)
			CHECK(!offer(fd, region + i * chunk, chunk, 1 + i % 4));
		else
			CHECK(!reset(fd, region + i * chunk, chunk));
	}
	/* What is whole cannot be freed any more: not all of it is to be in use at a time. */
	for (i = 0; i < size / chunk; i++) {
		char *at = region + i * chunk;
		int64_t lost = i % 2 ? reclaim(fd, at, chunk) : undo(fd, at, chunk);

		CHECK(lost >= 0);
		gone += lost;
		CHECK(!discard(fd, at, chunk));
	}
	CHECK(gone > 0);
	return 0;
}

/* Rules RS-01, RS-08; hazards R3, R10. */
TEST_F_TIMEOUT(reset, guest_runs_short, 300)
{
	int64_t mode = read_number("/proc/sys/vm/overcommit_memory");
	long kills = oom_kills();

	if (meminfo("MemTotal") > (int64_t)MIB(700))
		SKIP(return, "this machine has more");
	/* As much as it likes, so that nothing is refused. */
	ASSERT_TRUE(write_number("/proc/sys/vm/overcommit_memory", 1));
	EXPECT_EQ(0, in_child(more_than_there_is, &self->fd));
	EXPECT_TRUE(write_number("/proc/sys/vm/overcommit_memory", mode));
	EXPECT_EQ(kills, oom_kills());
}

static int offers_at_last(void *arg)
{
	struct child victim = start_child(stay_for_ever, NULL);
	struct short_of *at = arg;
	char *offered;

	CHECK(group_write(at, "cgroup.procs", "0"));
	offered = wr_alloc(at->fd, MIB(1));
	CHECK(offered);
	fill_pages(offered, 256, 1);
	CHECK(!offer(at->fd, offered, MIB(1), 4));
	CHECK(wr_resident(at->fd, offered, MIB(1)) == MIB(1));
	CHECK(is_first_to_go(&victim));
	CHECK(!wr_resident(at->fd, offered, MIB(1)));
	CHECK(reclaim(at->fd, offered, MIB(1)) == (int64_t)MIB(1));
	return 0;
}

/*
 * Before the core kills it is told what it does not count, whoever has it, and whatever
 * in front of that cannot be freed. Rules OF-01, RC-02; hazards R7, R10.
 */
TEST_F_TIMEOUT(reset, asked_before_it_kills, 120)
{
	struct short_of at = { .fd = self->fd };
	struct child relative;
	char *shared;

	if (!make_group(&at, "max"))
		SKIP(return, "no memory controller here");
	small_pages_only();
	shared = wr_alloc(self->fd, MIB(4));
	ASSERT_TRUE(shared);
	fill_pages(shared, 1024, 1);
	relative = start_child(stay_for_ever, NULL);
	EXPECT_EQ(0, reset(self->fd, shared, MIB(4)));
	EXPECT_EQ(0, in_child(offers_at_last, &at));
	EXPECT_EQ(MIB(4), wr_resident(self->fd, shared, MIB(4)));
	EXPECT_EQ(0, kill(relative.pid, SIGKILL));
	EXPECT_EQ(-SIGKILL, end_child(&relative));
	remove_group(&at);
}

/* ---- races ---- */

#define WRITERS 3
#define RACE_PAGES 64

struct reset_race {
	int fd;
	char *region;
	unsigned int nr;
	long rounds;
	uint64_t lost;
	volatile int *stop;
};

/* What is written after a reset stays, whoever else resets his own pages beside. */
static void *write_after_reset(void *arg)
{
	struct reset_race *race = arg;
	uint64_t random = 77 + race->nr, round, i;
	char *page;

	for (round = 1; (long)round <= race->rounds; round++) {
		for (i = 0; i < RACE_PAGES; i++) {
			page = race->region + PAGES(i * WRITERS + race->nr);
			if (reset(race->fd, page, 4096))
				race->lost += 1000000;
			if (race_random(&random, 2))
				sched_yield();
			fill_page(page, round * RACE_PAGES + i);
		}
		for (i = 0; i < RACE_PAGES; i++) {
			page = race->region + PAGES(i * WRITERS + race->nr);
			race->lost += !page_has(page, round * RACE_PAGES + i);
		}
	}
	return NULL;
}

static void *press_all_the_time(void *arg)
{
	struct reset_race *race = arg;

	while (!*race->stop) {
		press();
		usleep(1000);
	}
	return NULL;
}

static uint64_t race_in(int fd, char *region)
{
	struct reset_race race[WRITERS], presser;
	pthread_t threads[WRITERS], pressing;
	volatile int stop = 0;
	uint64_t lost = 0;
	unsigned int i;

	presser.stop = &stop;
	pthread_create(&pressing, NULL, press_all_the_time, &presser);
	for (i = 0; i < WRITERS; i++) {
		race[i] = (struct reset_race){
			fd, region, i, race_rounds(12), 0, &stop,
		};
		pthread_create(&threads[i], NULL, write_after_reset, &race[i]);
	}
	for (i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
		lost += race[i].lost;
	}
	stop = 1;
	pthread_join(pressing, NULL);
	return lost;
}

/* No write is lost, in small and in large pages. Hazard R1. */
TEST_F_TIMEOUT(reset, writers_beside_the_shrinker, 300)
{
	char *small = wr_alloc(self->fd, MIB(1));
	char *large = alloc_huge(self->fd, 1);

	ASSERT_NE(NULL, small);
	ASSERT_NE(NULL, large);
	fill_pages(large, 512, 1);
	EXPECT_EQ(0, race_in(self->fd, small));
	EXPECT_EQ(0, race_in(self->fd, large));
	EXPECT_EQ(0, wr_release(self->fd, small, 0));
	EXPECT_EQ(0, wr_release(self->fd, large, 0));
}

/* All operations at once, on the same pages: nothing but old contents or zeros. */
struct jumble {
	int fd;
	char *region;
	uint64_t random;
	volatile int *stop;
	uint64_t wrong;
};

#define JUMBLE_PAGES 640

static void *jumble(void *arg)
{
	struct jumble *at = arg;

	while (!*at->stop) {
		uint32_t first = race_random(&at->random, JUMBLE_PAGES);
		uint32_t n = 1 + race_random(&at->random, JUMBLE_PAGES - first);
		char *addr = at->region + PAGES(first);

		switch (race_random(&at->random, 9)) {
		case 0:
			reset(at->fd, addr, PAGES(n));
			break;
		case 1:
			undo(at->fd, addr, PAGES(n));
			break;
		case 2:
			discard(at->fd, addr, PAGES(n));
			break;
		case 3:
			offer(at->fd, addr, PAGES(n),
			      1 + race_random(&at->random, 4));
			break;
		case 4:
			reclaim(at->fd, addr, PAGES(n));
			break;
		case 5:
			wr_decommit(at->fd, addr, PAGES(n));
			break;
		case 6:
			wr_commit(at->fd, addr, PAGES(n), RW);
			break;
		default:
			/* By a system call: what is not there is an error. */
			if (n > 16)
				n = 16;
			while (n--) {
				uint64_t word = 0, page = first + n;
				struct iovec local = { &word, 8 };
				struct iovec remote = {
					at->region + PAGES(page), 8,
				};

				if (process_vm_readv(getpid(), &local, 1,
						     &remote, 1, 0) == 8 &&
				    word && word != page + 1)
					at->wrong++;
				word = page + 1;
				process_vm_writev(getpid(), &local, 1, &remote,
						  1, 0);
			}
		}
	}
	return NULL;
}

static int jumble_and_fork(void *arg)
{
	int fd = *(int *)arg;
	struct jumble at[WRITERS];
	pthread_t threads[WRITERS];
	volatile int stop = 0;
	char *region = alloc_huge(fd, 2);
	long i, n = race_rounds(60);

	CHECK(region);
	for (i = 0; i < WRITERS; i++) {
		at[i] = (struct jumble){ fd, region, 99 + i, &stop, 0 };
		CHECK(!pthread_create(&threads[i], NULL, jumble, &at[i]));
	}
	for (i = 0; i < n; i++) {
		pid_t pid;

		press();
		if (i % 8)
			continue;
		pid = fork();
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	stop = 1;
	for (i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
		CHECK(!at[i].wrong);
	}
	return 0;
}

TEST_F_TIMEOUT(reset, everything_at_once, 300)
{
	EXPECT_EQ(0, in_child(jumble_and_fork, &self->fd));
}

TEST_HARNESS_MAIN
