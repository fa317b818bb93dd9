// SPDX-License-Identifier: GPL-2.0
/*
 * To the rest of the system region memory is memory like any other: what works
 * there works here, and what the kernel refuses it refuses with the errno that
 * winregion(4) lists. Copies by system calls, core dumps and the like are in
 * fault_test, process_test and direct_test.
 */
#include "kselftest_harness.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/mempolicy.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#ifdef __aarch64__
#include <asm/ptrace.h>
#include <elf.h>
#endif
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "common.h"
#include "wr_test_util.h"
#include "alloc_fixture.h"

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

/* Pipes and sockets */

/* From a file into a pipe, out of it into the region, and back */
TEST_F(alloc, splice)
{
	struct iovec iov = { self->base, PAGES(4) };
	int file = memfd_create("splice", MFD_CLOEXEC);
	int a[2], b[2];
	loff_t at = 0;

	ASSERT_EQ(0, pipe(a));
	ASSERT_EQ(0, pipe(b));
	fill_pages(self->base, 4, 10);
	ASSERT_EQ(PAGES(4), pwrite(file, self->base, PAGES(4), 0));
	memset(self->base, 0, PAGES(4));
	ASSERT_EQ(PAGES(4), splice(file, &at, a[1], NULL, PAGES(4), 0));
	/* vmsplice() out of a pipe copies. */
	ASSERT_EQ(PAGES(4), vmsplice(a[0], &iov, 1, 0));
	EXPECT_TRUE(pages_have(self->base, 4, 10));
	/* Into one, by reference; tee() doubles the references. */
	ASSERT_EQ(PAGES(4), vmsplice(a[1], &iov, 1, SPLICE_F_GIFT));
	ASSERT_EQ(PAGES(4), tee(a[0], b[1], PAGES(4), 0));
	ASSERT_EQ(0, wr_decommit(self->fd, self->base, PAGES(4)));
	ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(4), RW));
	ASSERT_EQ(PAGES(4), read(a[0], self->base, PAGES(4)));
	EXPECT_TRUE(pages_have(self->base, 4, 10));
	memset(self->base, 0, PAGES(4));
	at = 0;
	ASSERT_EQ(PAGES(4), splice(b[0], NULL, file, &at, PAGES(4), 0));
	ASSERT_EQ(PAGES(4), pread(file, self->base, PAGES(4), 0));
	EXPECT_TRUE(pages_have(self->base, 4, 10));
	/* What is not there cannot be spliced. */
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(1), NA));
	EXPECT_EQ(-1, vmsplice(a[1], &iov, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	close(file);
}

TEST_F(alloc, sockets)
{
	struct iovec out = { self->base, PAGES(2) };
	struct iovec in = { self->base + PAGES(4), PAGES(2) };
	struct msghdr message = { .msg_iov = &out, .msg_iovlen = 1 };
	int fd[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd));
	fill_pages(self->base, 2, 20);
	ASSERT_EQ(PAGES(2), sendmsg(fd[0], &message, 0));
	message.msg_iov = &in;
	ASSERT_EQ(PAGES(2), recvmsg(fd[1], &message, 0));
	EXPECT_TRUE(pages_have(self->base + PAGES(4), 2, 20));
	/* All arguments of a call may be there. */
	memcpy(self->base + PAGES(8), &message, sizeof(message));
	message.msg_iov = &out;
	ASSERT_EQ(PAGES(2), sendmsg(fd[0], &message, 0));
	ASSERT_EQ(PAGES(2), recvmsg(fd[1], (void *)(self->base + PAGES(8)),
				    0));
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(4), PAGES(2),
				RO));
	ASSERT_EQ(PAGES(2), sendmsg(fd[0], &message, 0));
	message.msg_iov = &in;
	EXPECT_EQ(-1, recvmsg(fd[1], &message, 0));
	EXPECT_EQ(EFAULT, errno);
}

/* Futexes beyond wait and wake */

struct waiter {
	volatile uint32_t *word;
	int op;
	long result;
};

static void *wait_on(void *arg)
{
	struct waiter *waiter = arg;
	struct timespec timeout = { .tv_sec = 60 };

	waiter->result = futex2(waiter->word, waiter->op, 0, &timeout, NULL, 0);
	return NULL;
}

/*
 * A waiter goes from one page to another, and is woken there. Should it wake up
 * for nothing in between, as the kernel may have it, it waits for the first
 * again.
 */
static long requeue_and_wake(volatile uint32_t *from, volatile uint32_t *to,
			     int private)
{
	struct waiter waiter = { from, FUTEX_WAIT | private, -1 };
	pthread_t thread;

	*from = 0;
	*to = 0;
	if (pthread_create(&thread, NULL, wait_on, &waiter))
		return -1;
	if (!SETTLES(futex2(from, FUTEX_CMP_REQUEUE | private, 0,
			    (void *)1UL, to, 0) == 1 &&
		     futex2(to, FUTEX_WAKE | private, 1, NULL, NULL, 0) == 1))
		return -2;
	pthread_join(thread, NULL);
	return waiter.result;
}

TEST_F(alloc, futex_requeue)
{
	volatile uint32_t *from = (void *)(self->base + PAGES(1));
	volatile uint32_t *to = (void *)(self->base + PAGES(3) + 4);

	EXPECT_EQ(0, requeue_and_wake(from, to, 0));
	EXPECT_EQ(0, requeue_and_wake(from, to, FUTEX_PRIVATE_FLAG));
}

static void *lock_twice(void *arg)
{
	long result = pthread_mutex_lock(arg);

	pthread_mutex_unlock(arg);
	return (void *)result;
}

/* The kernel writes the owner into the word of such a mutex by itself. */
TEST_F(alloc, futex_priority_inheritance)
{
	pthread_mutex_t *mutex = (void *)(self->base + PAGES(2));
	pthread_mutexattr_t attr;
	pthread_t thread[2];
	void *result;
	int shared, i;

	for (shared = 0; shared < 2; shared++) {
		pthread_mutexattr_init(&attr);
		pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
		pthread_mutexattr_setpshared(&attr, shared);
		ASSERT_EQ(0, pthread_mutex_init(mutex, &attr));
		ASSERT_EQ(0, pthread_mutex_lock(mutex));
		for (i = 0; i < 2; i++)
			ASSERT_EQ(0, pthread_create(&thread[i], NULL,
						    lock_twice, mutex));
		sleep_ms(50);
		ASSERT_EQ(0, pthread_mutex_unlock(mutex));
		for (i = 0; i < 2; i++) {
			pthread_join(thread[i], &result);
			EXPECT_EQ(NULL, result);
		}
	}
}

/* A debugger */

/* The signal that the child stopped with, after @request */
static int go_on(pid_t pid, int request)
{
	int status = 0;

	if (ptrace(request, pid, NULL, NULL) ||
	    waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return -1;
	return WSTOPSIG(status);
}

#ifdef __x86_64__

/* Code in a region: mov eax, 42; ret */
static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };

static int run_code(void *arg)
{
	char *page = arg;
	int i;

	CHECK(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	raise(SIGSTOP);
	for (i = 0; i < 2; i++)
		CHECK(((int (*)(void))(uintptr_t)page)() == 42);
	*(volatile char *)(page + PAGES(1)) = 7;
	return 0;
}

/*
 * What gdb does for a breakpoint: an int3 in place of the instruction, stop
 * there, the instruction back, one step over it, the int3 again.
 */
TEST_F(alloc, breakpoint)
{
	char *page = self->base + PAGES(4);
	struct user_regs_struct regs;
	struct child child;
	long word;
	int i;

	memcpy(page, code, sizeof(code));
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RX));
	child = start_child(run_code, page);
	ASSERT_EQ(child.pid, waitpid(child.pid, NULL, 0));
	word = ptrace(PTRACE_PEEKTEXT, child.pid, page, NULL);
	ASSERT_EQ(0, memcmp(&word, code, sizeof(code)));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ptrace(PTRACE_POKETEXT, child.pid, page,
				    (word & ~0xffUL) | 0xcc));
		ASSERT_EQ(SIGTRAP, go_on(child.pid, PTRACE_CONT));
		ASSERT_EQ(0, ptrace(PTRACE_GETREGS, child.pid, NULL, &regs));
		EXPECT_EQ((uintptr_t)page + 1, regs.rip);
		ASSERT_EQ(0, ptrace(PTRACE_POKETEXT, child.pid, page, word));
		regs.rip = (uintptr_t)page;
		ASSERT_EQ(0, ptrace(PTRACE_SETREGS, child.pid, NULL, &regs));
		ASSERT_EQ(SIGTRAP, go_on(child.pid, PTRACE_SINGLESTEP));
		ASSERT_EQ(0, ptrace(PTRACE_GETREGS, child.pid, NULL, &regs));
		EXPECT_EQ((uintptr_t)page + 5, regs.rip);
		EXPECT_EQ(42, regs.rax);
	}
	/* The parent's copy has no breakpoint. */
	EXPECT_EQ(0, memcmp(page, code, sizeof(code)));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, child.pid, NULL, NULL));
	EXPECT_EQ(0, end_child(&child));
}

#define DEBUG_REGISTER(n) \
	(offsetof(struct user, u_debugreg) + (n) * sizeof(long))

/* A watchpoint of the processor, on a page that is first touched then */
TEST_F(alloc, watchpoint)
{
	char *page = self->base + PAGES(4);
	struct child child;

	memcpy(page, code, sizeof(code));
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RX));
	child = start_child(run_code, page);
	ASSERT_EQ(child.pid, waitpid(child.pid, NULL, 0));
	ASSERT_EQ(0, ptrace(PTRACE_POKEUSER, child.pid, DEBUG_REGISTER(0),
			    page + PAGES(1)));
	/* One byte, written */
	ASSERT_EQ(0, ptrace(PTRACE_POKEUSER, child.pid, DEBUG_REGISTER(7),
			    0x10001UL));
	EXPECT_EQ(SIGTRAP, go_on(child.pid, PTRACE_CONT));
	EXPECT_EQ(7, (char)ptrace(PTRACE_PEEKDATA, child.pid, page + PAGES(1),
				  NULL));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, child.pid, NULL, NULL));
	EXPECT_EQ(0, end_child(&child));
}

#else /* !__x86_64__ */

static int write_watched(void *arg)
{
	volatile char *at = arg;

	CHECK(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	raise(SIGSTOP);
	*at = 7;
	return 0;
}

/* One byte, written by the program: 0 to end it. Return: 0, or -1 */
static int watch_byte(pid_t pid, char *at, bool on)
{
	struct user_hwdebug_state state = { 0 };
	struct iovec vector = {
		.iov_base = &state,
		.iov_len = offsetof(struct user_hwdebug_state, dbg_regs[1]),
	};

	state.dbg_regs[0].addr = (uintptr_t)at;
	state.dbg_regs[0].ctrl = 1 << 5 | 2 << 3 | 2 << 1 | on;
	return ptrace(PTRACE_SETREGSET, pid, NT_ARM_HW_WATCH, &vector);
}

/* As the other one, but the processor stops in front of the write. */
TEST_F(alloc, watchpoint)
{
	char *page = self->base + PAGES(5);
	struct child child;

	child = start_child(write_watched, page);
	ASSERT_EQ(child.pid, waitpid(child.pid, NULL, 0));
	ASSERT_EQ(0, watch_byte(child.pid, page, true));
	EXPECT_EQ(SIGTRAP, go_on(child.pid, PTRACE_CONT));
	EXPECT_EQ(0, (char)ptrace(PTRACE_PEEKDATA, child.pid, page, NULL));
	ASSERT_EQ(0, watch_byte(child.pid, page, false));
	EXPECT_EQ(SIGTRAP, go_on(child.pid, PTRACE_SINGLESTEP));
	EXPECT_EQ(7, (char)ptrace(PTRACE_PEEKDATA, child.pid, page, NULL));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, child.pid, NULL, NULL));
	EXPECT_EQ(0, end_child(&child));
}

#endif /* __x86_64__ */

/* perf */

#define RING_PAGES 8

static int open_event(struct perf_event_attr *attr,
		      struct perf_event_mmap_page **ring)
{
	int event = syscall(SYS_perf_event_open, attr, 0, -1, -1,
			    PERF_FLAG_FD_CLOEXEC);

	if (event < 0)
		return -1;
	*ring = mmap(NULL, PAGES(1 + RING_PAGES), PROT_READ | PROT_WRITE,
		     MAP_SHARED, event, 0);
	return *ring == MAP_FAILED ? -1 : event;
}

static int open_fault_event(struct perf_event_mmap_page **ring)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_ADDR,
		.disabled = 1,
		.exclude_kernel = 1,
	};

	return open_event(&attr, ring);
}

/* How many samples have an address in the pages from @base on? */
static unsigned int count_samples(struct perf_event_mmap_page *ring,
				  char *base, unsigned int pages)
{
	char *data = (char *)ring + PAGES(1);
	struct sample {
		struct perf_event_header header;
		uint64_t addr;
	} *sample;
	unsigned int n = 0;
	uint64_t at = 0;

	while (at < ring->data_head) {
		sample = (void *)(data + at % PAGES(RING_PAGES));
		if (sample->header.type == PERF_RECORD_SAMPLE)
			n += sample->addr - (uintptr_t)base < PAGES(pages);
		at += sample->header.size;
	}
	return n;
}

/* Page faults of regions are counted and sampled with their addresses. */
TEST_F(alloc, perf_page_faults)
{
	struct perf_event_mmap_page *ring;
	int event = open_fault_event(&ring);
	uint64_t count = 0;
	int i;

	small_pages_only();
	if (event < 0)
		SKIP(return, "no perf events here");
	ASSERT_EQ(0, ioctl(event, PERF_EVENT_IOC_ENABLE, 0));
	/* Backwards, so that no fault makes pages for the next ones. */
	for (i = NR_PAGES - 1; i >= 0; i--)
		fill_page(self->base + PAGES(i), 1);
	ASSERT_EQ(0, ioctl(event, PERF_EVENT_IOC_DISABLE, 0));
	ASSERT_EQ(8, read(event, &count, 8));
	EXPECT_LE(NR_PAGES, count);
	EXPECT_EQ(NR_PAGES, count_samples(ring, self->base, NR_PAGES));
	munmap(ring, PAGES(1 + RING_PAGES));
	close(event);
}

/* Of the mappings that perf is told of from now on, one record each */
static int open_mmap_event(struct perf_event_mmap_page **ring)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.mmap = 1,
		.exclude_kernel = 1,
	};

	return open_event(&attr, ring);
}

struct mmap_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	char name[];
};

/* Whether perf looks the symbols up in /tmp/perf-PID.map */
static bool has_symbols_of_code(const char *name)
{
	return !strcmp(name, "//anon") || !strncmp(name, "/dev/zero", 9) ||
	       !strncmp(name, "/anon_hugepage", 14);
}

/* How many executable mappings with @addr perf was told of, all for JIT code */
static int count_code(struct perf_event_mmap_page *ring, const void *addr)
{
	char *data = (char *)ring + PAGES(1);
	struct mmap_record *record;
	uint64_t at = 0;
	int n = 0;

	for (; at < ring->data_head; at += record->header.size) {
		record = (void *)(data + at);
		if (record->header.type != PERF_RECORD_MMAP ||
		    (uintptr_t)addr - record->addr >= record->len)
			continue;
		if (!has_symbols_of_code(record->name)) {
			fprintf(stderr, "# name \"%s\"\n", record->name);
			return -1;
		}
		n++;
	}
	return n;
}

/* winregion(4): perf finds the symbols of code that a program makes. */
TEST_F(alloc, perf_names_of_code)
{
	struct perf_event_mmap_page *ring;
	uint64_t region = 0;
	void *map;
	int event;

	NEEDS_CODE();
	event = open_mmap_event(&ring);
	if (event < 0)
		SKIP(return, "no perf events here");
	map = mmap(NULL, PAGES(1), PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, wr_reserve_at(self->fd, &region, KIB(64),
				   WINREGION_RESERVE_COMMIT, RWX));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(1), RX));
	EXPECT_EQ(1, count_code(ring, map));
	EXPECT_LT(0, count_code(ring, (void *)(uintptr_t)region));
	EXPECT_LT(0, count_code(ring, self->base));
	/* The bytes of the ring have not begun anew. */
	EXPECT_GT(PAGES(RING_PAGES), ring->data_head);
	munmap(ring, PAGES(1 + RING_PAGES));
	close(event);
}

/* Locked memory */

/* The errno of a call that returns 0 or -1 */
#define ERRNO_OF(call) ((call) ? errno : 0)

TEST_F(alloc, mlock)
{
	struct vma vma = { 0 };
	char *whole;
	size_t length;

	ASSERT_TRUE(find_vma(self->base, &vma));
	whole = (char *)(uintptr_t)vma.start;
	length = vma.end - vma.start;
	fill_pages(self->base, 4, 1);
	/* Nothing is locked, as nothing can be swapped out; no error either. */
	EXPECT_EQ(0, ERRNO_OF(mlock(self->base, PAGES(4))));
	EXPECT_EQ(0, ERRNO_OF(munlock(self->base, PAGES(4))));
	EXPECT_EQ(0, ERRNO_OF(syscall(SYS_mlock2, self->base, PAGES(4),
				      MLOCK_ONFAULT)));
	/* What is free in a mapping with others cannot be brought in. */
	EXPECT_EQ(length == variant->size ? 0 : ENOMEM,
		  ERRNO_OF(syscall(SYS_mlock2, whole, length, MLOCK_ONFAULT)));
	EXPECT_EQ(0, ERRNO_OF(munlock(whole, length)));
	EXPECT_EQ(0, self_status("VmLck"));
	/* It brings pages in, where they may be read. */
	EXPECT_EQ(0, ERRNO_OF(mlock(self->base + PAGES(8), PAGES(2))));
	ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(8), PAGES(1)));
	EXPECT_EQ(ENOMEM, ERRNO_OF(mlock(self->base + PAGES(8), PAGES(2))));
	EXPECT_EQ(0, ERRNO_OF(mlockall(MCL_CURRENT)));
	EXPECT_EQ(1, count_vmas(self->base, variant->size));
	EXPECT_EQ(0, ERRNO_OF(munlockall()));
	EXPECT_TRUE(pages_have(self->base, 4, 1));
}

/* Files of /proc */

TEST_F(alloc, proc_files)
{
	struct vma vma = { 0 };
	char key[32], path[128], link[128] = { 0 };
	char *text, *flags;
	int pagemap;
	uint64_t entry[4];

	small_pages_only();
	fill_pages(self->base, 3, 1);
	ASSERT_TRUE(find_vma(self->base, &vma));
	EXPECT_EQ(0, strcmp(vma.perms, "rw-s"));
	EXPECT_EQ(vma.start, vma.offset);
	EXPECT_EQ(0, strcmp(vma.path, "/dev/zero[winregion] (deleted)")) {
		TH_LOG("path '%s'", vma.path);
	}

	snprintf(key, sizeof(key), "%llx-", (unsigned long long)vma.start);
	text = read_from("/proc/self/smaps", key);
	EXPECT_EQ((vma.end - vma.start) / 1024, field_of(text, "\nSize:"));
	EXPECT_EQ(12, field_of(text, "\nRss:"));
	EXPECT_EQ(12, field_of(text, "\nPss:"));
	EXPECT_EQ(12, field_of(text, "\nPrivate_Dirty:"));
	EXPECT_EQ(0, field_of(text, "\nAnonymous:"));
	EXPECT_EQ(0, field_of(text, "\nLocked:"));
	flags = strstr(text, "VmFlags:");
	ASSERT_NE(NULL, flags);
	*strchr(flags, '\n') = '\0';
	EXPECT_NE(NULL, strstr(flags, " rd wr sh "));
	EXPECT_NE(NULL, strstr(flags, " de"));

	snprintf(key, sizeof(key), "%llx ", (unsigned long long)vma.start);
	text = read_from("/proc/self/numa_maps", key);
	if (*text)
		EXPECT_NE(NULL, strstr(text, "file=")) {
			TH_LOG("%s", text);
		}

	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(32, pread(pagemap, entry, 32,
			    (uintptr_t)self->base / 4096 * 8));
	close(pagemap);
	/* Present, of a file, mapped once; and not there */
	EXPECT_EQ(1, entry[0] >> 63);
	EXPECT_EQ(1, entry[0] >> 61 & 1);
	EXPECT_EQ(1, entry[0] >> 56 & 1);
	EXPECT_EQ(0, entry[3] >> 63);

	snprintf(path, sizeof(path), "/proc/self/map_files/%llx-%llx",
		 (unsigned long long)vma.start, (unsigned long long)vma.end);
	EXPECT_LT(0, readlink(path, link, sizeof(link) - 1));
	EXPECT_NE(NULL, strstr(link, "[winregion]"));
	EXPECT_EQ(-1, open(path, O_RDWR));
	EXPECT_EQ(ENXIO, errno);
}

/* Calls that are refused, or have no effect */

/* What would cut, move or protect a mapping */
TEST_F(alloc, mapping_calls)
{
	char *own = wr_alloc(self->fd, MIB(2));
	char *free_place = mmap(NULL, MIB(2), PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(NULL, own);
	fill_pages(own, 4, 1);
	EXPECT_EQ(EINVAL, ERRNO_OF(munmap(own, PAGES(1))));
	EXPECT_EQ(MAP_FAILED, mmap(own, PAGES(1), PROT_READ, MAP_PRIVATE |
				   MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(kernel_is(6, 12) ? EINVAL : ENOMEM, errno);
	EXPECT_EQ(EACCES, ERRNO_OF(mprotect(own, MIB(2), PROT_READ)));
	EXPECT_EQ(EACCES, ERRNO_OF(mprotect(own, PAGES(1), PROT_READ)));
	EXPECT_EQ(EACCES, ERRNO_OF(syscall(SYS_pkey_mprotect, own, MIB(2),
					   PROT_READ, -1)));
	EXPECT_EQ(MAP_FAILED, mremap(own, MIB(2), MIB(2), MREMAP_MAYMOVE |
				     MREMAP_FIXED, free_place));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mremap(own, 0, MIB(2), MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(EINVAL, ERRNO_OF(remap_file_pages(own, MIB(2), 0, 0, 0)));
	EXPECT_TRUE(pages_have(own, 4, 1));
	EXPECT_EQ(0, ERRNO_OF(munmap(own, MIB(2))));
	EXPECT_TRUE(wr_is_gone(self->fd, own));
}

/* Up to 6.12 it is taken back, later kernels refuse that with EINVAL. */
#define EITHER (-1)

static const struct {
	const char *name;
	int advice;
	int whole;	/* errno for the whole mapping, 0: success */
	int part;	/* and for some pages of it */
} advices[] = {
	{ "NORMAL", MADV_NORMAL, 0, 0 },
	{ "RANDOM", MADV_RANDOM, 0, EINVAL },
	{ "SEQUENTIAL", MADV_SEQUENTIAL, 0, EINVAL },
	{ "WILLNEED", MADV_WILLNEED, 0, 0 },
	{ "DONTNEED", MADV_DONTNEED, 0, 0 },
	{ "FREE", MADV_FREE, EINVAL, EINVAL },
	{ "REMOVE", MADV_REMOVE, ENODEV, ENODEV },
	{ "DONTFORK", MADV_DONTFORK, 0, EINVAL },
	{ "DOFORK", MADV_DOFORK, EITHER, EINVAL },
	{ "DONTDUMP", MADV_DONTDUMP, 0, EINVAL },
	{ "DODUMP", MADV_DODUMP, EINVAL, EINVAL },
	{ "MERGEABLE", MADV_MERGEABLE, 0, 0 },
	{ "UNMERGEABLE", MADV_UNMERGEABLE, 0, 0 },
	{ "WIPEONFORK", MADV_WIPEONFORK, EINVAL, EINVAL },
	{ "COLD", 20, 0, 0 },
	{ "PAGEOUT", 21, 0, 0 },
	{ "POPULATE_READ", 22, 0, 0 },
	{ "POPULATE_WRITE", 23, 0, 0 },
	{ "COLLAPSE", 25, EINVAL, EINVAL },
};

TEST_F(alloc, madvise_results)
{
	struct vma vma = { 0 };
	char *whole, *own;
	size_t length, size = MIB(2);
	unsigned int i;
	int err;

	/* A mapping of its own, all committed */
	own = wr_alloc(self->fd, size);
	ASSERT_NE(NULL, own);
	ASSERT_TRUE(find_vma(own, &vma));
	whole = (char *)(uintptr_t)vma.start;
	length = vma.end - vma.start;
	ASSERT_EQ(own, whole);
	fill_pages(own, 4, 1);
	for (i = 0; i < ARRAY_SIZE(advices); i++) {
		EXPECT_EQ(advices[i].part,
			  ERRNO_OF(madvise(own, PAGES(2),
					   advices[i].advice))) {
			TH_LOG("%s of a part", advices[i].name);
		}
		err = ERRNO_OF(madvise(whole, length, advices[i].advice));
		if (advices[i].whole == EITHER && (!err || err == EINVAL))
			continue;
		EXPECT_EQ(advices[i].whole, err) {
			TH_LOG("%s", advices[i].name);
		}
		madvise(whole, length, MADV_NORMAL);
	}
	EXPECT_TRUE(pages_have(own, 4, 1));
}

/* Programs ask msync() whether an address can be looked at: of any page. */
TEST_F(alloc, msync_results)
{
	static const int flags[] = {
		0, MS_ASYNC, MS_SYNC, MS_INVALIDATE, MS_SYNC | MS_INVALIDATE,
	};
	unsigned char core[4];
	char *page = self->base;
	unsigned int i, j;

	ASSERT_EQ(0, wr_protect(self->fd, page + PAGES(1), PAGES(1), NA));
	ASSERT_EQ(0, wr_protect(self->fd, page + PAGES(2), PAGES(1),
				code_or(RX, RO)));
	ASSERT_EQ(0, wr_decommit(self->fd, page + PAGES(3), PAGES(1)));
	fill_page(page, 1);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		for (j = 0; j < 4; j++)
			EXPECT_EQ(0, msync(page + PAGES(j), PAGES(1),
					   flags[i])) {
				TH_LOG("page %u, flags %d", j, flags[i]);
			}
		EXPECT_EQ(0, msync(page, PAGES(4), flags[i]));
	}
	EXPECT_EQ(0, mincore(page, PAGES(4), core));
	EXPECT_TRUE(page_has(page, 1));
}

/* Only what has been touched is in memory, and mincore() says so. */
static bool mincore_is_exact(char *base)
{
	unsigned char core[8];
	unsigned int i;

	fill_page(base, 1);
	fill_page(base + PAGES(5), 1);
	if (mincore(base, PAGES(8), core))
		return false;
	for (i = 0; i < 8; i++)
		if ((core[i] & 1) != (i == 0 || i == 5))
			return false;
	return true;
}

static int mincore_as_nobody(void *arg)
{
	FIXTURE_DATA(alloc) *self = arg;
	char *own, *new;

	own = wr_alloc(self->fd, KIB(64));
	CHECK(own && mincore_is_exact(own));
	CHECK(!setgid(65534) && !setuid(65534));
	CHECK(mincore_is_exact(own));
	new = wr_alloc(self->fd, KIB(64));
	CHECK(new && mincore_is_exact(new));
	CHECK(mincore_is_exact(self->base));
	return 0;
}

/*
 * mincore() takes every page of another user's file for one in memory. What a
 * process maps is its own memory, also when it has become somebody else.
 */
TEST_F(alloc, mincore_as_another_user)
{
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(1), RO));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(1), RW));
	EXPECT_EQ(0, in_child(mincore_as_nobody, self));
	EXPECT_TRUE(mincore_is_exact(self->base));
}

/* Another policy than the program's own is taken, but not asked. */
TEST_F(alloc, memory_policy)
{
	unsigned long mask = 1;
	void *page = self->base;
	int node = 4711, status = 4711;
	struct vma vma = { 0 };

	ASSERT_TRUE(find_vma(self->base, &vma));
	fill_page(self->base, 1);
	EXPECT_EQ(EINVAL, ERRNO_OF(syscall(SYS_mbind, self->base, PAGES(2),
					   MPOL_BIND, &mask, 64, 0)));
	EXPECT_EQ(0, ERRNO_OF(syscall(SYS_mbind, vma.start,
				      vma.end - vma.start, MPOL_BIND, &mask,
				      64, MPOL_MF_MOVE)));
	EXPECT_EQ(0, ERRNO_OF(syscall(SYS_get_mempolicy, &node, NULL, 0,
				      self->base,
				      MPOL_F_NODE | MPOL_F_ADDR)));
	EXPECT_EQ(0, node);
	EXPECT_EQ(0, ERRNO_OF(syscall(SYS_move_pages, 0, 1, &page, NULL,
				      &status, 0)));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, ERRNO_OF(syscall(SYS_migrate_pages, 0, 64, &mask,
				      &mask)));
	EXPECT_TRUE(page_has(self->base, 1));
}

/* io_uring: buffers that it pins once, for long */

static int register_buffer(int ring, char *base, size_t length)
{
	struct iovec iov = { base, length };

	if (!syscall(SYS_io_uring_register, ring, 0 /* BUFFERS */, &iov, 1))
		return syscall(SYS_io_uring_register, ring, 1, NULL, 0) ?
		       -1 : 0;
	return errno;
}

TEST_F(alloc, io_uring_buffers)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 4, &params);
	bool can = kernel_is(6, 5);
	char *base = self->base;

	if (ring < 0)
		SKIP(return, "no io_uring here");
	EXPECT_EQ(can ? 0 : EOPNOTSUPP, register_buffer(ring, base, PAGES(4)));
	/* Not once a page of the window can only be read */
	ASSERT_EQ(0, wr_protect(self->fd, base + PAGES(8), PAGES(1), RO));
	EXPECT_EQ(can ? EFAULT : EOPNOTSUPP,
		  register_buffer(ring, base, PAGES(4)));
	ASSERT_EQ(0, wr_decommit(self->fd, base, PAGES(1)));
	EXPECT_EQ(EFAULT, register_buffer(ring, base, PAGES(1)));
	close(ring);
}

/* Sandboxes */

static int in_strict_mode(void *arg)
{
	FIXTURE_DATA(alloc) *self = arg;
	volatile char *base = self->base;
	int pipefd[2], i;

	CHECK(!pipe(pipefd));
	CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
	/* First touches, copies, and what a fork shares */
	for (i = 0; i < NR_PAGES; i++)
		base[PAGES(i) + 8] = i;
	if (write(pipefd[1], self->base, 64) != 64 ||
	    read(pipefd[0], self->base + PAGES(12), 64) != 64 ||
	    base[PAGES(12) + 8] != 0)
		syscall(SYS_exit, 3);
	syscall(SYS_exit, 42);
	return 0;
}

/* Only read, write and exit are allowed; using memory is no call. */
TEST_F(alloc, seccomp_strict)
{
	struct child child;
	int status;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		SKIP(return, "no seccomp here");
	fill_pages(self->base, 2, 0);
	child = start_child(in_strict_mode, self);
	ASSERT_EQ(child.pid, waitpid(child.pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42) {
		TH_LOG("status %#x", status);
	}
}

static int under_filter(void *arg)
{
	FIXTURE_DATA(alloc) *self = arg;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, WINREGION_PROTECT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
	CHECK(wr_protect(self->fd, self->base, PAGES(1), RO) == -EPERM);
	CHECK(!wr_decommit(self->fd, self->base, PAGES(1)));
	CHECK(!wr_commit(self->fd, self->base, PAGES(1), RW));
	fill_pages(self->base, NR_PAGES, 9);
	CHECK(pages_have(self->base, NR_PAGES, 9));
	return 0;
}

/* A filter can tell one ioctl from the next by its number. */
TEST_F(alloc, seccomp_filter)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		SKIP(return, "no seccomp here");
	EXPECT_EQ(0, in_child(under_filter, self));
}

static int in_user_namespace(void *arg)
{
	FIXTURE_DATA(alloc) *self = arg;
	char *region;
	int fd;

	CHECK(!setgid(65534) && !setuid(65534));
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID))
		return -1;
	fd = wr_open();
	CHECK(fd >= 0);
	region = wr_alloc(fd, MIB(2));
	CHECK(region);
	fill_pages(region, NR_PAGES, 1);
	CHECK(!wr_protect(fd, region, PAGES(1), code_or(RX, RO)));
	CHECK(!wr_release(fd, region, 0));
	/* What it had before */
	fill_pages(self->base, NR_PAGES, 2);
	CHECK(!wr_release(self->fd, self->base, 0));
	return 0;
}

/* A container's process, without any rights outside */
TEST_F(alloc, user_namespace)
{
	int ret = in_child(in_user_namespace, self);

	if (ret == -1)
		SKIP(return, "no user namespaces for everybody here");
	EXPECT_EQ(0, ret);
}

TEST_HARNESS_MAIN
