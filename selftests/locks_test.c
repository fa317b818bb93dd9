// SPDX-License-Identifier: GPL-2.0
/*
 * What needs no mmap_lock takes none: counted by the kernel's own trace.
 */
#include "kselftest_harness.h"

#include <sys/stat.h>

#include "common.h"
#include "wr_test_util.h"
#include "alloc_fixture.h"

#define TRACE "/sys/kernel/tracing/instances/wr_locks"
#define LOCK_EVENT TRACE "/events/mmap_lock/mmap_lock_acquire_returned/enable"

static bool trace_begin(void)
{
	char pid[16];

	mkdir(TRACE, 0755);
	snprintf(pid, sizeof(pid), "%d", getpid());
	return write_text(TRACE "/set_event_pid", pid) &&
	       write_text(LOCK_EVENT, "1") &&
	       write_text(TRACE "/tracing_on", "1") &&
	       write_text(TRACE "/trace", " ");
}

/* How often this thread has taken an mmap_lock since, or -1 */
static long trace_end(void)
{
	FILE *file;
	char line[512];
	long n = 0;

	/* To switch the event off patches code, which takes the lock each time. */
	if (!write_text(TRACE "/tracing_on", "0") ||
	    !write_text(LOCK_EVENT, "0"))
		return -1;
	file = fopen(TRACE "/trace", "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		n += !!strstr(line, "mmap_lock_acquire_returned");
	fclose(file);
	rmdir(TRACE);
	return n;
}

static bool can_trace(void)
{
	bool ok;

	mkdir(TRACE, 0755);
	ok = !access(LOCK_EVENT, W_OK);
	rmdir(TRACE);
	return ok;
}

/* What opening files and the like may need */
#define NOISE 50

/*
 * Commit, decommit and protect take no mmap_lock, whether the pages are in
 * memory or not.
 */
TEST_F(alloc, changes_take_no_mmap_lock)
{
	int i, bad = 0;
	long locks;

	if (!can_trace())
		SKIP(return, "this kernel does not trace mmap_lock");
	/* The trace does count. */
	ASSERT_TRUE(trace_begin());
	for (i = 0; i < 50; i++)
		munmap(mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0), 4096);
	EXPECT_LE(100, trace_end());

	/* The first page that can only be read changes the window. */
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(1), RO));
	fill_pages(self->base + PAGES(1), 4, 1);
	ASSERT_TRUE(trace_begin());
	for (i = 0; i < 100; i++) {
		bad |= wr_decommit(self->fd, self->base, PAGES(8));
		bad |= wr_commit(self->fd, self->base, PAGES(8), RW);
		bad |= wr_protect(self->fd, self->base, PAGES(8), RO);
		bad |= wr_protect(self->fd, self->base, PAGES(8), NA);
		bad |= wr_protect(self->fd, self->base, PAGES(8), RW);
	}
	locks = trace_end();
	EXPECT_EQ(0, bad);
	EXPECT_LE(0, locks);
	EXPECT_GE(NOISE, locks);
}

/*
 * Hazard B10. The core takes faults under a VMA's own lock only where the
 * mapping has a map_pages callback, be it one that does nothing.
 */
TEST_F(alloc, faults_take_no_mmap_lock)
{
	char *region;
	long locks;

	if (!kernel_is(6, 4))
		SKIP(return, "this kernel has no per-VMA locks");
	if (!can_trace())
		SKIP(return, "this kernel does not trace mmap_lock");
	region = wr_alloc(self->fd, MIB(4));
	ASSERT_NE(NULL, region);
	fill_page(region, 1);
	/* Writable at first touch */
	ASSERT_TRUE(trace_begin());
	fill_pages(region, 400, 1);
	locks = trace_end();
	EXPECT_LE(0, locks);
	EXPECT_GE(NOISE, locks);
	/* First read, then written, in a window that asks before a write */
	ASSERT_EQ(0, wr_protect(self->fd, region, PAGES(1), RO));
	ASSERT_TRUE(try_read(region + PAGES(500)));
	ASSERT_TRUE(trace_begin());
	EXPECT_TRUE(page_is_zero(region + PAGES(501)));
	fill_pages(region + PAGES(500), 400, 1);
	locks = trace_end();
	EXPECT_LE(0, locks);
	EXPECT_GE(NOISE, locks);
}

TEST_HARNESS_MAIN
