// SPDX-License-Identifier: GPL-2.0
/*
 * Trace events: each transition of memory is told once, where it was and what it was;
 * and what a call was, and came to.
 */
/* vm: modules=loop,ext4 */
#include "kselftest_harness.h"

#include <sys/mman.h>

#include "common.h"
#include "loop.h"
#include "placeholders.h"
#include "wr_test_util.h"
#include "sections.h"
#include "tracefs.h"

#define LARGE MIB(4)

FIXTURE(trace)
{
	int fd;
	int pid;
	char *text;
};

FIXTURE_SETUP(trace)
{
	if (geteuid())
		SKIP(return, "only root may trace");
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->pid = getpid();
	self->text = NULL;
	ASSERT_TRUE(trace_begin());
}

FIXTURE_TEARDOWN(trace)
{
	free(self->text);
	trace_end();
	close(self->fd);
}

/* What has come since the last time */
#define TAKE() (free(self->text), self->text = trace_take())

#define HAS(nr, name, ...) EXPECT_TRUE(trace_has(self->text, nr, name, \
						 __VA_ARGS__))
#define HAS_NONE(name) EXPECT_EQ(0, trace_count(self->text, name, NULL))

/* An event about a range of this process, with what its name has besides */
#define HAS_RANGE(nr, name, at, length, more) \
	HAS(nr, name, "pid=%d address=%#lx length=%#lx" more, self->pid, \
	    (unsigned long)(at), (unsigned long)(length))

/* ---- regions ---- */

/* Rules: TR-01. Small and large ones, and what fails */
TEST_F(trace, regions)
{
	char *small = wr_reserve(self->fd, UNIT);
	char *large = wr_alloc(self->fd, LARGE);

	ASSERT_TRUE(small && large);
	ASSERT_EQ(0, wr_release(self->fd, small, 0));
	ASSERT_EQ(0, wr_release(self->fd, large, 0));
	EXPECT_EQ(-ENOENT, wr_release(self->fd, large, 0));
	TAKE();
	HAS_RANGE(2, "wr_reserve", small, UNIT, " protection=0x4 flags=0x0");
	HAS_RANGE(2, "wr_reserve", large, LARGE, " protection=0x4 flags=0x0");
	HAS_RANGE(1, "wr_commit", large, LARGE, " protection=0x4");
	HAS_RANGE(2, "wr_release", small, UNIT, " kept=0");
	HAS_RANGE(2, "wr_release", large, LARGE, " kept=0");
	HAS_NONE("wr_lost");
}

/* Rules: TR-01. What they are for */
TEST_F(trace, kinds_of_regions)
{
	uint64_t stack = 0, watched = 0;

	ASSERT_EQ(0, wr_reserve_at(self->fd, &stack, UNIT,
				   WINREGION_RESERVE_STACK, RW));
	ASSERT_EQ(0, wr_reserve_at(self->fd, &watched, UNIT,
				   WINREGION_RESERVE_WRITE_WATCH, RW));
	TAKE();
	HAS(2, "wr_reserve",
	    "pid=%d address=%#lx length=0x10000 protection=0x4 flags=%#x",
	    self->pid, stack, WINREGION_RESERVE_STACK);
	HAS(2, "wr_reserve",
	    "pid=%d address=%#lx length=0x10000 protection=0x4 flags=%#x",
	    self->pid, watched, WINREGION_RESERVE_WRITE_WATCH);
}

/* Rules: TR-01. Split, replaced, given back and joined again */
TEST_F(trace, placeholders)
{
	char *base = alloc2(NULL, 2 * UNIT, MAKE, PAGE_NOACCESS);

	ASSERT_TRUE(base);
	ASSERT_TRUE(preserve(base, UNIT));
	ASSERT_EQ(base, alloc2(base, UNIT, REPLACE_NOW, PAGE_READWRITE));
	ASSERT_EQ(base + UNIT,
		  alloc2(base + UNIT, UNIT, REPLACE, PAGE_READONLY));
	ASSERT_TRUE(preserve(base, UNIT));
	ASSERT_TRUE(preserve(base + UNIT, UNIT));
	ASSERT_TRUE(coalesce(base, 2 * UNIT));
	TAKE();
	HAS(3, "wr_reserve",
	    "pid=%d address=%#lx length=0x20000 protection=0x1 flags=%#x",
	    self->pid, (unsigned long)base, WINREGION_RESERVE_PLACEHOLDER);
	HAS(3, "wr_reserve",
	    "pid=%d address=%#lx length=0x10000 protection=0x4 flags=%#x",
	    self->pid, (unsigned long)base, WINREGION_RESERVE_REPLACE);
	HAS(3, "wr_reserve",
	    "pid=%d address=%#lx length=0x10000 protection=0x2 flags=%#x",
	    self->pid, (unsigned long)base + UNIT, WINREGION_RESERVE_REPLACE);
	HAS_RANGE(1, "wr_commit", base, UNIT, " protection=0x4");
	HAS_RANGE(3, "wr_release", base + UNIT, UNIT, " kept=1");
	HAS_RANGE(1, "wr_coalesce", base, 2 * UNIT, "");
}

/* Rules: TR-01. By the short way, and by the long one */
TEST_F(trace, changes)
{
	char *base = wr_reserve(self->fd, LARGE);

	ASSERT_EQ(0, wr_commit(self->fd, base, 1, RW));
	ASSERT_EQ(0, wr_commit(self->fd, base + PAGE, PAGE, RO));
	ASSERT_EQ(0, wr_commit(self->fd, base + MIB(1), MIB(2), RW));
	ASSERT_EQ(0, wr_protect(self->fd, base, PAGE, RO));
	ASSERT_TRUE(try_write(base + MIB(1)));
	ASSERT_EQ(0, wr_protect(self->fd, base + MIB(1), MIB(2),
				RW | WINREGION_GUARD));
	ASSERT_EQ(0, wr_decommit(self->fd, base + PAGE, PAGE));
	ASSERT_EQ(0, wr_decommit(self->fd, base, 0));
	EXPECT_EQ(-ENODATA, wr_protect(self->fd, base, PAGE, RW));
	TAKE();
	HAS_RANGE(3, "wr_commit", base, PAGE, " protection=0x4");
	HAS_RANGE(3, "wr_commit", base + PAGE, PAGE, " protection=0x2");
	HAS_RANGE(3, "wr_commit", base + MIB(1), MIB(2), " protection=0x4");
	HAS_RANGE(2, "wr_protect", base, PAGE, " protection=0x2");
	HAS_RANGE(2, "wr_protect", base + MIB(1), MIB(2), " protection=0x104");
	HAS_RANGE(2, "wr_decommit", base + PAGE, PAGE, "");
	HAS_RANGE(2, "wr_decommit", base, LARGE, "");
}

/* Rules: TR-01. Each range of a call is one event. */
TEST_F(trace, several_ranges)
{
	char *base = wr_reserve(self->fd, LARGE);
	struct winregion_range ranges[] = {
		{ .address = (uintptr_t)base, .length = PAGE,
		  .protection = RW },
		{ .address = (uintptr_t)base + MIB(2), .length = 2 * PAGE,
		  .protection = RW },
	};

	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_COMMIT, ranges, 2));
	ranges[0].protection = RO;
	ASSERT_EQ(0, wr_vector(self->fd, WINREGION_PROTECT, ranges, 2));
	TAKE();
	HAS_RANGE(2, "wr_commit", base, PAGE, " protection=0x4");
	HAS_RANGE(2, "wr_commit", base + MIB(2), 2 * PAGE, " protection=0x4");
	HAS_RANGE(2, "wr_protect", base, PAGE, " protection=0x2");
	HAS_RANGE(2, "wr_protect", base + MIB(2), 2 * PAGE, " protection=0x4");
}

/* Rules: TR-01. What was reset or offered, and freed: each page is told then. */
TEST_F(trace, resets)
{
	char *base = wr_alloc(self->fd, UNIT);

	ASSERT_TRUE(try_write(base) && try_write(base + 4 * PAGE));
	ASSERT_EQ(0, OfferVirtualMemory(base, PAGE, VmOfferPriorityLow));
	ASSERT_EQ(base + 4 * PAGE,
		  VirtualAlloc(base + 4 * PAGE, PAGE, MEM_RESET,
			       PAGE_READWRITE));
	TAKE();
	HAS_RANGE(2, "wr_reset", base, PAGE, " operation=offer gone=0x0");
	HAS_RANGE(2, "wr_reset", base + 4 * PAGE, PAGE,
		  " operation=reset gone=0x0");
	ASSERT_TRUE(write_text(DROP_CACHES, "2"));
	EXPECT_EQ(ERROR_BUSY, ReclaimVirtualMemory(base, PAGE));
	ASSERT_EQ(0, DiscardVirtualMemory(base + 8 * PAGE, PAGE));
	TAKE();
	HAS(2, "wr_evict", "address=%#lx length=0x1000 priority=2",
	    (unsigned long)base);
	HAS(2, "wr_evict", "address=%#lx length=0x1000 priority=0",
	    (unsigned long)base + 4 * PAGE);
	HAS_RANGE(2, "wr_reset", base, PAGE, " operation=reclaim gone=0x1000");
	HAS_RANGE(2, "wr_reset", base + 8 * PAGE, PAGE,
		  " operation=discard gone=0x0");
}

/* ---- faults ---- */

#define FAULT(at, access, asked) \
	"pid=%d address=%#lx access=" access " asked=" asked " answer=%s", \
		self->pid, (unsigned long)(at)

/* Rules: TR-02. One for a touch; none for what is there. */
TEST_F(trace, faults)
{
	char *base = wr_alloc(self->fd, UNIT);

	ASSERT_TRUE(try_read(base + 8));
	ASSERT_TRUE(try_read(base + 9));
	ASSERT_TRUE(try_write(base + 7 * PAGE));
	TAKE();
	HAS(2, "wr_fault", FAULT(base + 8, "read", "fault"), "LOCKED");
	HAS(2, "wr_fault", FAULT(base + 7 * PAGE, "write", "fault"), "LOCKED");
	HAS_NONE("wr_refused");
	ASSERT_EQ(0, wr_protect(self->fd, base, PAGE, RO));
	ASSERT_TRUE(try_read(base));
	EXPECT_FALSE(try_write(base));
	TAKE();
	HAS(2, "wr_fault", FAULT(base, "read", "fault"), "LOCKED");
	HAS(2, "wr_fault", FAULT(base, "write", "write"), "SIGSEGV");
	HAS(1, "wr_refused",
	    "pid=%d address=%#lx access=write reason=protection", self->pid,
	    (unsigned long)base);
}

/* Rules: TR-02, TR-03. Refused for each reason; a guard goes once. */
TEST_F(trace, refused)
{
	/* Where regions have no code, the core refuses it without asking. */
	int nr = code_is_refused() ? 2 : 3;
	char *base = wr_reserve(self->fd, LARGE);

	ASSERT_EQ(0, wr_commit(self->fd, base + PAGE, PAGE, NA));
	ASSERT_EQ(0, wr_commit(self->fd, base + 2 * PAGE, PAGE,
			       RW | WINREGION_GUARD));
	EXPECT_FALSE(try_read(base + 5));
	EXPECT_FALSE(try_exec(base + PAGE));
	EXPECT_FALSE(try_write(base + 2 * PAGE + 1));
	EXPECT_TRUE(try_write(base + 2 * PAGE + 1));
	TAKE();
	HAS(nr, "wr_refused",
	    "pid=%d address=%#lx access=read reason=reserved", self->pid,
	    (unsigned long)base + 5);
	if (nr == 3)
		HAS(nr, "wr_refused",
		    "pid=%d address=%#lx access=execute reason=protection",
		    self->pid, (unsigned long)base + PAGE);
	HAS(nr, "wr_refused",
	    "pid=%d address=%#lx access=write reason=guard", self->pid,
	    (unsigned long)base + 2 * PAGE + 1);
	HAS_RANGE(1, "wr_guard", base + 2 * PAGE, PAGE, "");
	HAS(nr + 1, "wr_fault", FAULT(base + 5, "read", "fault"), "SIGSEGV");
}

#define IMAGE "/tmp/wr_trace.img"
#define MOUNTED "/tmp/wr_trace"
#define FILE_PATH MOUNTED "/file"

/* A view of a file whose page has to be read in first: @loop is for loop_end() */
static char *cold_view(int fd, int *loop)
{
	char device[32], *base = NULL;
	int file, section;

	mkdir(MOUNTED, 0700);
	*loop = loop_begin(IMAGE, MIB(16), device, sizeof(device));
	if (*loop < 0 || !loop_mount(device, MOUNTED))
		return NULL;
	file = open(FILE_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (write(file, "cold", 4) != 4 || ftruncate(file, UNIT) ||
	    fsync(file) || posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED))
		return NULL;
	section = sec_create(fd, file, UNIT, 0, RO);
	close(file);
	if (sec_map(section, 0, 0, RO, &base))
		base = NULL;
	close(section);
	return base;
}

/* Rules: TR-02. The file gives up the lock that keeps the VMA, and has it tried again. */
TEST_F(trace, fault_that_waits)
{
	int loop = -1, all;
	char fields[128];
	char *base = cold_view(self->fd, &loop);

	ASSERT_TRUE(base);
	snprintf(fields, sizeof(fields),
		 "pid=%d address=%#lx access=read asked=fault", self->pid,
		 (unsigned long)base);
	TAKE();
	EXPECT_EQ('c', *(volatile char *)base);
	TAKE();
	all = trace_count(self->text, "wr_fault", NULL);
	EXPECT_LE(1, all);
	EXPECT_EQ(all, trace_count(self->text, "wr_fault", fields));
	EXPECT_TRUE(strstr(self->text, "RETRY"));
	ASSERT_EQ(0, sec_unmap(self->fd, base));
	EXPECT_TRUE(SETTLES(!umount(MOUNTED)));
	loop_end(loop, IMAGE);
}

/* Rules: TR-03. A guard that a system call has touched: it goes when that is over. */
TEST_F(trace, guard_in_call)
{
	char *base = wr_reserve(self->fd, UNIT);
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, wr_commit(self->fd, base, PAGE, RW | WINREGION_GUARD));
	ASSERT_EQ(-1, write(pipes[1], base, 1));
	ASSERT_EQ(1, write(pipes[1], base, 1));
	TAKE();
	HAS_RANGE(1, "wr_guard", base, PAGE, "");
	EXPECT_LE(1, trace_count(self->text, "wr_refused", NULL));
	EXPECT_TRUE(strstr(self->text, "access=read reason=guard"));
}

/* Rules: TR-03. The guard of a stack moves, to its end. */
TEST_F(trace, stack)
{
	uint64_t address = 0;
	char *base, *top;

	ASSERT_EQ(0, wr_reserve_at(self->fd, &address, UNIT,
				   WINREGION_RESERVE_STACK, RW));
	base = (char *)address;
	top = base + UNIT;
	ASSERT_EQ(0, wr_commit(self->fd, top - PAGE, PAGE, RW));
	ASSERT_EQ(0, wr_commit(self->fd, top - 2 * PAGE, PAGE,
			       RW | WINREGION_GUARD));
	EXPECT_TRUE(try_write(top - 2 * PAGE));
	TAKE();
	HAS_RANGE(1, "wr_stack", top - 3 * PAGE, 2 * PAGE, "");
	HAS_NONE("wr_refused");
	HAS_NONE("wr_guard");
	while (try_write(top - 3 * PAGE))
		top -= PAGE;
	TAKE();
	HAS(1, "wr_refused",
	    "pid=%d address=%#lx access=write reason=stack overflow", self->pid,
	    (unsigned long)top - 3 * PAGE);
}

/* ---- sections, views, forks ---- */

static int touch_and_leave(void *at)
{
	return !try_read(at);
}

/* Rules: TR-04. From the section to its end */
TEST_F(trace, views)
{
	int section = sec_create(self->fd, -1, LARGE, 0, RW);
	const char *id;
	char *view;
	char name[32];

	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_map(section, UNIT, UNIT, RW, &view));
	ASSERT_TRUE(try_write(view));
	ASSERT_EQ(0, wr_protect(self->fd, view, PAGE, RO));
	EXPECT_FALSE(try_write(view + 1));
	ASSERT_EQ(0, sec_unmap(self->fd, view));
	close(section);
	TAKE();
	id = strstr(self->text, "section=");
	ASSERT_TRUE(id);
	snprintf(name, sizeof(name), "%.24s", id);
	HAS(1, "wr_section", "%s size=%#lx protection=0x4 flags=0x0 dev=0:0 ino=0",
	    name, LARGE);
	HAS(1, "wr_map_view",
	    "pid=%d address=%#lx length=%#lx offset=%#lx protection=0x4 %s",
	    self->pid, (unsigned long)view, UNIT, UNIT, name);
	HAS_RANGE(1, "wr_protect", view, PAGE, " protection=0x2");
	HAS_RANGE(1, "wr_unmap_view", view, UNIT, "");
	HAS(1, "wr_section_end", "%s", name);
	EXPECT_EQ(1, trace_count(self->text, "wr_refused", NULL));
	EXPECT_LE(2, trace_count(self->text, "wr_fault", NULL));
}

/* Rules: TR-04. What comes in the place of a view is told after its end. */
TEST_F(trace, placeholder_after_a_view)
{
	HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
					    PAGE_READWRITE, 0, UNIT, NULL);
	char *base = alloc2(NULL, UNIT, MAKE, PAGE_NOACCESS);
	char *end, *comes;

	ASSERT_TRUE(section && base);
	ASSERT_EQ(base, MapViewOfFile3(section, NULL, base, 0, UNIT,
				       MEM_REPLACE_PLACEHOLDER, PAGE_READWRITE,
				       NULL, 0));
	free(trace_take());
	ASSERT_TRUE(UnmapViewOfFile2(GetCurrentProcess(), base,
				     MEM_PRESERVE_PLACEHOLDER));
	TAKE();
	HAS_RANGE(1, "wr_unmap_view", base, UNIT, "");
	end = strstr(self->text, ": wr_unmap_view:");
	comes = strstr(self->text, ": wr_reserve:");
	ASSERT_TRUE(end && comes);
	EXPECT_TRUE(end < comes);
	CloseHandle(section);
}

/* Rules: TR-01. Pages of a section that is committed on demand */
TEST_F(trace, commits_in_views)
{
	int section = sec_create(self->fd, -1, LARGE, WINREGION_SECTION_RESERVE,
				 RW);
	char *view;

	ASSERT_LE(0, section);
	ASSERT_EQ(0, sec_map(section, 0, 0, RW, &view));
	ASSERT_EQ(0, wr_commit(self->fd, view, PAGE, RW));
	ASSERT_EQ(0, wr_commit(self->fd, view + PAGE, PAGE, RW));
	ASSERT_EQ(0, wr_commit(self->fd, view + MIB(1), MIB(2), RO));
	TAKE();
	HAS_RANGE(3, "wr_commit", view, PAGE, " protection=0x4");
	HAS_RANGE(3, "wr_commit", view + PAGE, PAGE, " protection=0x4");
	HAS_RANGE(3, "wr_commit", view + MIB(1), MIB(2), " protection=0x2");
}

/* Rules: TR-04. A section that cannot be made is none. */
TEST_F(trace, no_section)
{
	EXPECT_GT(0, sec_create(self->fd, -1, MIB(1UL << 40), 0, RW));
	TAKE();
	HAS_NONE("wr_section");
	HAS_NONE("wr_section_end");
}

/* Rules: TR-05. What a child gets; and that it is gone when it ends */
TEST_F(trace, fork)
{
	char *base = wr_alloc(self->fd, LARGE);
	int section = sec_create(self->fd, -1, UNIT, 0, RW);
	char *view;

	ASSERT_EQ(0, sec_map(section, 0, 0, RW, &view));
	ASSERT_TRUE(try_write(base));
	TAKE();
	ASSERT_EQ(0, in_child(touch_and_leave, base));
	TAKE();
	HAS_RANGE(2, "wr_fork", base, LARGE, " copied=1");
	HAS_RANGE(2, "wr_fork", view, UNIT, " copied=1");
	HAS(2, "wr_lost", "pid=0 address=%#lx length=%#lx",
	    (unsigned long)base, LARGE);
	HAS(2, "wr_lost", "pid=0 address=%#lx length=%#lx",
	    (unsigned long)view, UNIT);
	ASSERT_EQ(0, munmap(base, LARGE));
	TAKE();
	HAS_RANGE(1, "wr_lost", base, LARGE, "");
}

/* ---- calls ---- */

/* Rules: TR-06. What was asked, and what came of it */
TEST_F(trace, calls)
{
	char *base = wr_reserve(self->fd, UNIT);
	char wanted[128];

	ASSERT_EQ(-ENODATA, wr_protect(self->fd, base, PAGE, RO));
	TAKE();
	EXPECT_EQ(2, trace_count(self->text, "wr_call", NULL));
	/* size, flags; protection; address 0; length */
	snprintf(wanted, sizeof(wanted),
		 "wr_call: nr=%#x result=0 took=", WINREGION_CMD_RESERVE);
	EXPECT_TRUE(strstr(self->text, wanted));
	EXPECT_TRUE(strstr(self->text, "before={0x38,0x4,0x0,0x10000,"));
	snprintf(wanted, sizeof(wanted), "after={0x38,0x4,%p,0x10000,", base);
	EXPECT_TRUE(strstr(self->text, wanted));
	snprintf(wanted, sizeof(wanted), "wr_call: nr=%#x result=%d took=",
		 WINREGION_CMD_PROTECT, -ENODATA);
	EXPECT_TRUE(strstr(self->text, wanted));
}

/* Rules: TR-06. To be watched makes no page, and takes no guard. */
TEST_F(trace, arguments_are_left_alone)
{
	char *base = wr_reserve(self->fd, UNIT);
	struct winregion_get_info *info = (void *)base;

	ASSERT_EQ(0, wr_commit(self->fd, base, PAGE, RW | WINREGION_GUARD));
	TAKE();
	EXPECT_EQ(-EFAULT, wr_ioctl(self->fd, WINREGION_GET_INFO, info));
	TAKE();
	EXPECT_EQ(1, trace_count(self->text, "wr_refused", NULL));
	HAS_RANGE(1, "wr_guard", base, PAGE, "");
	EXPECT_EQ(1, trace_count(self->text, "wr_call", NULL));
}

/* Rules: TR-06. Another process's memory: whose it is, is told; a kernel thread is at it. */
TEST_F(trace, other_process)
{
	char *base = wr_reserve(self->fd, UNIT);
	struct child child = { .pid = fork() };
	HANDLE process;

	ASSERT_LE(0, child.pid);
	if (!child.pid) {
		pause();
		_exit(0);
	}
	process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, child.pid);
	ASSERT_TRUE(process);
	ASSERT_TRUE(trace_of_all());
	ASSERT_EQ(base, VirtualAllocEx(process, base, PAGE, MEM_COMMIT,
				       PAGE_READONLY));
	TAKE();
	HAS(1, "wr_commit",
	    "pid=%d address=%#lx length=0x1000 protection=0x2", child.pid,
	    (unsigned long)base);
	CloseHandle(process);
	kill(child.pid, SIGKILL);
	waitpid(child.pid, NULL, 0);
}

TEST_HARNESS_MAIN
