// SPDX-License-Identifier: GPL-2.0
/*
 * What an access to each kind of page does, by the program and by the kernel
 * on its behalf, and that region memory is ordinary memory to everything that
 * holds on to pages: pipes, futexes, thread stacks.
 */
#include "kselftest_harness.h"

#include <limits.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include "common.h"
#include "rounds.h"
#include "wr_test_util.h"

#ifndef MADV_COLD
#define MADV_COLD 20
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC 0x8000
#endif

/* The pages that the tests use; the region is at least as large. */
#define NR_PAGES 16

FIXTURE(fault)
{
	int fd;
	char *base;
};

FIXTURE_VARIANT(fault)
{
	uint64_t size;
	uint64_t alignment;
	/* Commit all of it, so that 2 MiB pages may be used. */
	bool whole;
};

/* In a window with others */
FIXTURE_VARIANT_ADD(fault, small)
{
	.size = KIB(64),
};

/* In a window of its own */
FIXTURE_VARIANT_ADD(fault, large)
{
	.size = MIB(4) + KIB(64),
};

/* Where one 2 MiB page may be in place of 512 small ones */
FIXTURE_VARIANT_ADD(fault, huge)
{
	.size = MIB(4),
	.alignment = MIB(2),
	.whole = true,
};

FIXTURE_SETUP(fault)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->base = wr_reserve_aligned(self->fd, variant->size,
					variant->alignment, variant->whole);
	ASSERT_NE(NULL, self->base);
	/* One touch, and all 512 may be there. */
	if (variant->whole)
		fill_page(self->base + PAGES(NR_PAGES), 1);
	else
		ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(NR_PAGES),
				       RW));
}

FIXTURE_TEARDOWN(fault)
{
	EXPECT_EQ(0, wr_release(self->fd, self->base, 0));
	close(self->fd);
}

/* The last fault was a SIGSEGV of just this access. */
static bool was_segv(const char *addr, bool write)
{
	return probe_fault.sig == SIGSEGV && probe_fault.addr == addr &&
	       probe_fault.write == write &&
	       (probe_fault.code == SEGV_ACCERR ||
		probe_fault.code == SEGV_MAPERR);
}

static bool read_faults(const char *addr)
{
	return !try_read(addr) && was_segv(addr, false);
}

static bool write_faults(char *addr)
{
	return !try_write(addr) && was_segv(addr, true);
}

/* Rules: M-02 */
TEST_F(fault, reserved_page)
{
	char *page = self->base + PAGES(3);

	ASSERT_EQ(0, wr_decommit(self->fd, page, PAGES(1)));
	EXPECT_TRUE(read_faults(page));
	EXPECT_TRUE(write_faults(page + 4095));
	/* A fault leaves no page behind. */
	EXPECT_TRUE(read_faults(page));
	EXPECT_TRUE(wr_is_reserved(self->fd, page));
	/* The neighbours are not touched. */
	EXPECT_TRUE(try_write(page - 1));
	EXPECT_TRUE(try_write(page + PAGES(1)));
}

/* Rules: M-02 */
TEST_F(fault, free_page)
{
	char *base = self->base;
	char *other = wr_reserve(self->fd, PAGES(1));

	ASSERT_NE(NULL, other);
	/* What is left of the 64 KiB unit belongs to nobody. */
	ASSERT_EQ(0, wr_commit(self->fd, other, PAGES(1), RW));
	EXPECT_TRUE(try_write(other));
	EXPECT_EQ(WINREGION_STATE_FREE, wr_state(self->fd, other + PAGES(1)));
	EXPECT_TRUE(read_faults(other + PAGES(1)));
	EXPECT_TRUE(write_faults(other + PAGES(15)));
	ASSERT_EQ(0, wr_release(self->fd, other, 0));
	EXPECT_TRUE(read_faults(other));
	EXPECT_TRUE(write_faults(other));

	/* Neither does what was released. */
	fill_page(base, 5);
	ASSERT_EQ(0, wr_release(self->fd, base, 0));
	EXPECT_TRUE(read_faults(base));
	EXPECT_TRUE(write_faults(base));
	self->base = wr_reserve(self->fd, KIB(64));
	ASSERT_NE(NULL, self->base);
}

/* Rules: VP-12. What cannot be written is still there afterwards. */
TEST_F(fault, readonly_page)
{
	char *page = self->base + PAGES(2);

	fill_page(page, 77);
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RO));
	EXPECT_TRUE(write_faults(page + 8));
	EXPECT_TRUE(page_has(page, 77));
	EXPECT_TRUE(write_faults(page));
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RW));
	EXPECT_TRUE(page_has(page, 77));
	fill_page(page, 78);
	EXPECT_TRUE(page_has(page, 78));
}

/* A page that is first read while it is read-only, and one never touched */
TEST_F(fault, readonly_before_first_touch)
{
	char *page = self->base + PAGES(4);

	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(2), RO));
	EXPECT_TRUE(write_faults(page));
	EXPECT_TRUE(page_is_zero(page));
	EXPECT_TRUE(write_faults(page));
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(2), RW));
	EXPECT_TRUE(page_is_zero(page + PAGES(1)));
	fill_pages(page, 2, 9);
	EXPECT_TRUE(pages_have(page, 2, 9));
}

/* Rules: VP-12 */
TEST_F(fault, noaccess_page)
{
	char *page = self->base + PAGES(1);
	int i;

	fill_pages(self->base, 4, 20);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(2), NA));
		EXPECT_TRUE(read_faults(page));
		EXPECT_TRUE(write_faults(page + PAGES(2) - 1));
		EXPECT_TRUE(page_has(self->base, 20));
		EXPECT_TRUE(page_has(self->base + PAGES(3), 23));
		ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(2), RO));
		EXPECT_TRUE(pages_have(page, 2, 21));
		EXPECT_TRUE(write_faults(page));
		ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(2), RW));
		EXPECT_TRUE(pages_have(page, 2, 21));
	}
	/* Same when it is committed again instead of protected. */
	ASSERT_EQ(0, wr_commit(self->fd, page, PAGES(2), NA));
	EXPECT_TRUE(read_faults(page));
	ASSERT_EQ(0, wr_commit(self->fd, page, PAGES(2), RW));
	EXPECT_TRUE(pages_have(self->base, 4, 20));
}

/* A page that is not executable is not executed. */
TEST_F(fault, execute_data)
{
	char *page = self->base;

	write_code(page);
	EXPECT_FALSE(try_exec(page));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
	EXPECT_EQ(page, probe_fault.addr);
	EXPECT_TRUE(probe_fault.exec);
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RO));
	EXPECT_FALSE(try_exec(page));
	EXPECT_EQ(SIGSEGV, probe_fault.sig);
}

/* Rules: M-12 */
TEST_F(fault, first_touch_is_zero)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++) {
		if (i % 2) {
			EXPECT_TRUE(page_is_zero(self->base + PAGES(i)));
		} else {
			self->base[PAGES(i) + i] = 1;
		}
	}
	/* A write first: all but the byte written is 0. */
	for (i = 0; i < NR_PAGES; i += 2) {
		EXPECT_EQ(1, self->base[PAGES(i) + i]);
		self->base[PAGES(i) + i] = 0;
		EXPECT_TRUE(page_is_zero(self->base + PAGES(i)));
	}
}

/* Rules: M-12, VF-16 */
TEST_F(fault, recommit_is_zero)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		fill_pages(self->base, NR_PAGES, 1 + i);
		ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(i),
					 PAGES(8)));
		EXPECT_TRUE(read_faults(self->base + PAGES(i)));
		EXPECT_TRUE(write_faults(self->base + PAGES(i + 7)));
		ASSERT_EQ(0, wr_commit(self->fd, self->base + PAGES(i),
				       PAGES(8), i % 2 ? RW : RO));
		EXPECT_TRUE(page_is_zero(self->base + PAGES(i)));
		EXPECT_TRUE(page_is_zero(self->base + PAGES(i + 7)));
		EXPECT_TRUE(pages_have(self->base, i, 1 + i));
		EXPECT_TRUE(pages_have(self->base + PAGES(i + 8), 8 - i,
				       1 + i + i + 8));
		ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(NR_PAGES),
				       RW));
	}
}

/* A fault may hit a call that runs on another CPU: one page, both see it. */
struct toucher {
	pthread_barrier_t *barrier;
	volatile char *base;
	int byte;
};

static void *touch_all(void *arg)
{
	struct toucher *me = arg;
	int i;

	pthread_barrier_wait(me->barrier);
	for (i = 0; i < NR_PAGES; i++)
		me->base[PAGES(i) + me->byte] = me->byte + 1;
	return NULL;
}

/* Two threads touch the same new page: there is only one. */
TEST_F(fault, concurrent_first_touch)
{
	pthread_barrier_t barrier;
	struct toucher arg[2];
	pthread_t thread[2];
	int round, i;

	pthread_barrier_init(&barrier, NULL, 2);
	for (round = 0; round < rounds(fault_first_touch); round++) {
		ASSERT_EQ(0, wr_decommit(self->fd, self->base,
					 PAGES(NR_PAGES)));
		ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(NR_PAGES),
				       RW));
		for (i = 0; i < 2; i++) {
			arg[i] = (struct toucher){ &barrier, self->base, i };
			ASSERT_EQ(0, pthread_create(&thread[i], NULL,
						    touch_all, &arg[i]));
		}
		for (i = 0; i < 2; i++)
			pthread_join(thread[i], NULL);
		for (i = 0; i < NR_PAGES; i++) {
			EXPECT_EQ(1, self->base[PAGES(i)]);
			EXPECT_EQ(2, self->base[PAGES(i) + 1]);
			EXPECT_EQ(0, self->base[PAGES(i) + 2]);
		}
	}
}

/* The kinds of page for what follows, in this order from page 0 on */
enum kind {
	KIND_READWRITE,
	KIND_UNTOUCHED,
	KIND_READONLY,
	KIND_NOACCESS,
	KIND_GUARD,
	KIND_RESERVED,
	KIND_EXECUTE_READ,
	KIND_EXECUTE_READWRITE,
	NR_KINDS
};

static const struct {
	const char *name;
	bool readable;
	bool writable;
	uint32_t protection;
} kinds[NR_KINDS] = {
	[KIND_READWRITE] = { "read-write", true, true, RW },
	[KIND_UNTOUCHED] = { "untouched", true, true, RW },
	[KIND_READONLY] = { "read-only", true, false, RO },
	[KIND_NOACCESS] = { "no access", false, false, NA },
	[KIND_GUARD] = { "guard", false, false, RW | WINREGION_GUARD },
	[KIND_RESERVED] = { "reserved", false, false, 0 },
	[KIND_EXECUTE_READ] = { "execute-read", true, false, RX },
	[KIND_EXECUTE_READWRITE] = { "execute-readwrite", true, true, RWX },
};

static char *page_of(FIXTURE_DATA(fault) *self, int kind)
{
	return self->base + PAGES(kind);
}

/* Those that there are: without code, the last two are not. */
static int nr_kinds = NR_KINDS;

/* Each page has contents before it gets its protection. */
static int make_kinds(FIXTURE_DATA(fault) *self)
{
	int kind, ret = 0;

	if (code_is_refused())
		nr_kinds = KIND_EXECUTE_READ;
	for (kind = 0; kind < nr_kinds; kind++) {
		if (kind != KIND_UNTOUCHED)
			fill_page(page_of(self, kind), 300 + kind);
		if (kind == KIND_RESERVED)
			ret |= wr_decommit(self->fd, page_of(self, kind),
					   PAGES(1));
		else
			ret |= wr_protect(self->fd, page_of(self, kind),
					  PAGES(1), kinds[kind].protection);
	}
	return ret;
}

/* Has any page but the writable ones changed, or any state? */
static bool kinds_intact(FIXTURE_DATA(fault) *self)
{
	char *page;
	int kind;

	for (kind = 0; kind < nr_kinds; kind++) {
		page = page_of(self, kind);
		if (kind == KIND_RESERVED) {
			if (!wr_is_reserved(self->fd, page))
				return false;
			continue;
		}
		if (!wr_is(self->fd, page, kinds[kind].protection))
			return false;
		if (kinds[kind].writable)
			continue;
		if (wr_protect(self->fd, page, PAGES(1), RW) ||
		    !page_has(page, 300 + kind))
			return false;
	}
	return true;
}

#define EXPECT_KIND(expected, seen)					\
	EXPECT_EQ((long)(expected), (long)(seen)) {			\
		TH_LOG("%s page, errno %d", kinds[kind].name, errno);	\
	}

/* A system call that has failed has taken the guard; put it there again. */
static bool took_guard(FIXTURE_DATA(fault) *self, int kind)
{
	char *page = page_of(self, KIND_GUARD);

	return kind != KIND_GUARD ||
	       (wr_is(self->fd, page, RW) &&
		!wr_protect(self->fd, page, PAGES(1), RW | WINREGION_GUARD));
}

/*
 * read(2) and write(2) through a pipe: the kernel's copies obey the
 * protection, and take a guard. Rule GP-10
 */
TEST_F(fault, system_call_copies)
{
	char buffer[64];
	int pipefd[2];
	int kind;

	ASSERT_EQ(0, make_kinds(self));
	ASSERT_EQ(0, pipe2(pipefd, O_NONBLOCK));
	for (kind = 0; kind < nr_kinds; kind++) {
		char *page = page_of(self, kind);

		/* From the region */
		errno = 0;
		EXPECT_KIND(kinds[kind].readable ? 64 : -1,
			    write(pipefd[1], page, 64));
		if (kinds[kind].readable) {
			ASSERT_EQ(64, read(pipefd[0], buffer, 64));
			EXPECT_EQ(kind == KIND_UNTOUCHED ? 0 : 300 + kind,
				  *(uint64_t *)buffer);
		} else {
			EXPECT_EQ(EFAULT, errno);
		}
		ASSERT_TRUE(took_guard(self, kind));
		/* To the region */
		ASSERT_EQ(8, write(pipefd[1], "12345678", 8));
		errno = 0;
		EXPECT_KIND(kinds[kind].writable ? 8 : -1,
			    read(pipefd[0], page + 100, 8));
		if (kinds[kind].writable) {
			EXPECT_EQ(0, memcmp(page + 100, "12345678", 8));
		} else {
			EXPECT_EQ(EFAULT, errno);
			ASSERT_EQ(8, read(pipefd[0], buffer, 8));
		}
		ASSERT_TRUE(took_guard(self, kind));
	}
	EXPECT_TRUE(kinds_intact(self));
}

/* A copy that runs into a page that is not there ends before it. */
TEST_F(fault, copies_are_short)
{
	char *page = self->base;
	int file = memfd_create("copies", 0);

	ASSERT_LE(0, file);
	fill_pages(page, 4, 50);
	ASSERT_EQ(PAGES(4), write(file, page, PAGES(4)));
	ASSERT_EQ(0, wr_decommit(self->fd, page + PAGES(2), PAGES(1)));
	EXPECT_EQ(PAGES(2), pwrite(file, page, PAGES(4), 0));
	memset(page, 0, PAGES(2));
	EXPECT_EQ(PAGES(2), pread(file, page, PAGES(4), 0));
	EXPECT_TRUE(pages_have(page, 2, 50));
	EXPECT_TRUE(page_has(page + PAGES(3), 53));
	EXPECT_EQ(-1, pread(file, page + PAGES(2), 1, 0));
	EXPECT_EQ(EFAULT, errno);
	close(file);
}

/* The kernel may be the first that touches a page. */
TEST_F(fault, first_touch_by_kernel)
{
	char *page = self->base;
	int file = memfd_create("touch", 0);

	ASSERT_LE(0, file);
	EXPECT_EQ(PAGES(2), write(file, page, PAGES(2)));
	EXPECT_TRUE(page_is_zero(page));
	ASSERT_EQ(4, pwrite(file, "abcd", 4, 0));
	EXPECT_EQ(4, pread(file, page + PAGES(3) + 9, 4, 0));
	EXPECT_EQ(0, memcmp(page + PAGES(3) + 9, "abcd", 4));
	memset(page + PAGES(3) + 9, 0, 4);
	EXPECT_TRUE(page_is_zero(page + PAGES(3)));
	close(file);
}

/* Access by get_user_pages(), which makes the faults itself */
TEST_F(fault, process_vm)
{
	char buffer[64];
	struct iovec local = { buffer, sizeof(buffer) };
	struct iovec remote = { NULL, sizeof(buffer) };
	int kind;

	ASSERT_EQ(0, make_kinds(self));
	for (kind = 0; kind < nr_kinds; kind++) {
		char *page = page_of(self, kind);

		remote.iov_base = page;
		errno = 0;
		EXPECT_KIND(kinds[kind].readable ? 64 : -1,
			    process_vm_readv(getpid(), &local, 1, &remote, 1,
					     0));
		if (kinds[kind].readable) {
			EXPECT_EQ(kind == KIND_UNTOUCHED ? 0 : 300 + kind,
				  *(uint64_t *)buffer);
		} else {
			EXPECT_EQ(EFAULT, errno);
		}
		memset(buffer, kind + 1, sizeof(buffer));
		remote.iov_base = page + 128;
		errno = 0;
		EXPECT_KIND(kinds[kind].writable ? 64 : -1,
			    process_vm_writev(getpid(), &local, 1, &remote, 1,
					      0));
		if (kinds[kind].writable) {
			EXPECT_TRUE(all_bytes(page + 128, 64, kind + 1));
		} else {
			EXPECT_EQ(EFAULT, errno);
		}
	}
	EXPECT_TRUE(kinds_intact(self));
}

struct reach {
	pid_t pid;
	char *base;
	unsigned long long seen;
};

static int read_parent(void *arg)
{
	struct reach *reach = arg;
	uint64_t word = 0, other = 4711;
	struct iovec local = { &word, sizeof(word) };
	struct iovec remote = { reach->base, sizeof(word) };

	/* Our own copy of that address is another page. */
	*(volatile uint64_t *)reach->base = 1;
	CHECK(process_vm_readv(reach->pid, &local, 1, &remote, 1, 0) == 8);
	CHECK(word == 400);
	local.iov_base = &other;
	CHECK(process_vm_writev(reach->pid, &local, 1, &remote, 1, 0) == 8);
	CHECK(*(volatile uint64_t *)reach->base == 1);
	return 0;
}

/* Another process reads and writes ours, not its own pages. */
TEST_F(fault, process_vm_of_another)
{
	struct reach reach = { getpid(), self->base, 0 };

	fill_page(self->base, 400);
	EXPECT_EQ(0, in_child(read_parent, &reach));
	EXPECT_EQ(4711, *(uint64_t *)self->base);
}

/* Futexes: the kernel finds the same word from every thread. */

struct waiter {
	volatile uint32_t *word;
	int op;
	volatile int awake;
};

static void *wait_for_word(void *arg)
{
	struct waiter *waiter = arg;
	struct timespec timeout = { .tv_sec = 20 };

	if (!futex(waiter->word, FUTEX_WAIT | waiter->op, 0, &timeout))
		waiter->awake = 1;
	return NULL;
}

static bool wakes_a_waiter(volatile uint32_t *word, int op)
{
	struct waiter waiter = { word, op, 0 };
	pthread_t thread;
	bool settled;
	long woken;

	*word = 0;
	if (pthread_create(&thread, NULL, wait_for_word, &waiter))
		return false;
	settled = SETTLES((woken = futex(word, FUTEX_WAKE | op, 1, NULL)));
	if (!settled)
		return false;
	pthread_join(thread, NULL);
	return woken == 1 && waiter.awake;
}

/*
 * A shared futex is found by the page's mapping and index: pages without them
 * cannot have one.
 */
TEST_F(fault, futex)
{
	volatile uint32_t *word = (void *)(self->base + PAGES(1) + 64);
	volatile uint32_t *fresh = (void *)(self->base + PAGES(5));
	struct timespec soon = { .tv_nsec = 1000000 };

	EXPECT_TRUE(wakes_a_waiter(word, FUTEX_PRIVATE_FLAG));
	EXPECT_TRUE(wakes_a_waiter(word, 0));
	/* On a page that nobody touched */
	EXPECT_EQ(0, futex(fresh, FUTEX_WAKE, 1, NULL));
	EXPECT_EQ(-1, futex(fresh + 1024, FUTEX_WAIT, 1, &soon));
	EXPECT_EQ(EAGAIN, errno);
	/* On one that cannot be written, waiting is possible. */
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(1), PAGES(1),
				RO));
	EXPECT_EQ(-1, futex(word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, *word,
			    &soon));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_EQ(-1, futex(word, FUTEX_WAIT, *word, &soon));
	EXPECT_EQ(ETIMEDOUT, errno);
	/* On one that cannot be read it is not. */
	ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(1), PAGES(1)));
	EXPECT_EQ(-1, futex(word, FUTEX_WAIT, 0, &soon));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, futex(word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &soon));
	EXPECT_EQ(EFAULT, errno);
	/* The page is another after a decommit, the futex works. */
	ASSERT_EQ(0, wr_commit(self->fd, self->base + PAGES(1), PAGES(1),
			       RW));
	EXPECT_TRUE(wakes_a_waiter(word, 0));
}

/*
 * Words at the same place of different pages are different futexes. Who is woken
 * for nothing, as the kernel may do it, waits where he was first, and is moved
 * again.
 */
TEST_F(fault, futexes_of_pages)
{
	struct waiter waiter = { .op = 0 };
	volatile uint32_t *word[3];
	pthread_t thread;
	int i;

	for (i = 0; i < 3; i++) {
		word[i] = (void *)(self->base + PAGES(1 + i) + 64);
		*word[i] = 0;
	}
	waiter.word = word[0];
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_word, &waiter));
	EXPECT_TRUE(SETTLES(futex2(word[0], FUTEX_REQUEUE, 0, (void *)1,
				   word[1], 0) == 1 &&
			    futex(word[2], FUTEX_WAKE, 1, NULL) == 0 &&
			    futex(word[1], FUTEX_WAKE, 1, NULL) == 1));
	pthread_join(thread, NULL);
	EXPECT_TRUE(waiter.awake);
}

static void *lock_and_die(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

/* The kernel walks the list of robust mutexes of a thread that ends. */
TEST_F(fault, robust_mutex)
{
	pthread_mutex_t *mutex = (void *)(self->base + PAGES(2));
	pthread_mutexattr_t attr;
	pthread_t thread;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	ASSERT_EQ(0, pthread_mutex_init(mutex, &attr));
	ASSERT_EQ(0, pthread_create(&thread, NULL, lock_and_die, mutex));
	pthread_join(thread, NULL);
	EXPECT_EQ(EOWNERDEAD, pthread_mutex_lock(mutex));
	EXPECT_EQ(0, pthread_mutex_consistent(mutex));
	EXPECT_EQ(0, pthread_mutex_unlock(mutex));
}

static void *use_stack(void *arg)
{
	volatile char block[2000];
	size_t i;

	for (i = 0; i < sizeof(block); i++)
		block[i] = i;
	return (char *)arg + block[17];
}

/*
 * The kernel clears the thread's id in the stack and wakes a shared futex
 * there when the thread has ended; without it pthread_join() hangs.
 */
TEST_F(fault, thread_stack)
{
	char *stack = wr_alloc(self->fd, variant->size + KIB(256));
	pthread_attr_t attr;
	pthread_t thread;
	void *result;
	int i;

	ASSERT_NE(NULL, stack);
	pthread_attr_init(&attr);
	ASSERT_EQ(0, pthread_attr_setstack(&attr, stack,
					   variant->size + KIB(256)));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, pthread_create(&thread, &attr, use_stack, NULL));
		ASSERT_EQ(0, pthread_join(thread, &result));
		EXPECT_EQ((void *)17, result);
	}
	ASSERT_EQ(0, wr_release(self->fd, stack, 0));
}

static volatile sig_atomic_t handler_local;

static void on_usr1(int sig)
{
	volatile char local = sig;

	handler_local = local;
}

/* The kernel writes a signal frame to an alternate stack. */
TEST_F(fault, signal_stack)
{
	stack_t stack = { .ss_sp = self->base, .ss_size = PAGES(NR_PAGES) };
	struct sigaction action = { .sa_handler = on_usr1,
				    .sa_flags = SA_ONSTACK };

	ASSERT_EQ(0, sigaltstack(&stack, NULL));
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	EXPECT_EQ(SIGUSR1, handler_local);
	stack.ss_flags = SS_DISABLE;
	ASSERT_EQ(0, sigaltstack(&stack, NULL));
}

/* Pages that somebody else holds */

/*
 * A pipe holds the page itself. The page is not freed under it, and is not
 * given out again: the pipe has the old contents, the region has new pages.
 */
TEST_F(fault, page_in_pipe_over_decommit)
{
	struct iovec iov = { self->base, PAGES(4) };
	char *copy = malloc(PAGES(4));
	int pipefd[2];
	int round;

	ASSERT_EQ(0, pipe(pipefd));
	for (round = 0; round < 5; round++) {
		fill_pages(self->base, 4, 600 + round);
		ASSERT_EQ(PAGES(4), vmsplice(pipefd[1], &iov, 1, 0));
		ASSERT_EQ(0, wr_decommit(self->fd, self->base, PAGES(4)));
		EXPECT_TRUE(read_faults(self->base));
		ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(4), RW));
		EXPECT_TRUE(page_is_zero(self->base));
		fill_pages(self->base, 4, 1);
		ASSERT_EQ(PAGES(4), read(pipefd[0], copy, PAGES(4)));
		EXPECT_TRUE(pages_have(copy, 4, 600 + round));
		EXPECT_TRUE(pages_have(self->base, 4, 1));
	}
	free(copy);
}

/* Same when the whole region goes, and when the process goes. */
TEST_F(fault, page_in_pipe_over_release)
{
	char *region = wr_alloc(self->fd, variant->size);
	struct iovec iov = { region, PAGES(2) };
	char copy[PAGES(2)];
	int pipefd[2];

	ASSERT_NE(NULL, region);
	ASSERT_EQ(0, pipe(pipefd));
	fill_pages(region, 2, 700);
	ASSERT_EQ(PAGES(2), vmsplice(pipefd[1], &iov, 1, 0));
	ASSERT_EQ(0, wr_release(self->fd, region, 0));
	ASSERT_EQ(PAGES(2), read(pipefd[0], copy, PAGES(2)));
	EXPECT_TRUE(pages_have(copy, 2, 700));
}

struct splicer {
	char *base;
	int pipe;
};

static int splice_and_exit(void *arg)
{
	struct splicer *splicer = arg;
	struct iovec iov = { splicer->base, PAGES(2) };

	fill_pages(splicer->base, 2, 800);
	CHECK(vmsplice(splicer->pipe, &iov, 1, 0) == PAGES(2));
	return 0;
}

TEST_F(fault, page_in_pipe_over_exit)
{
	struct splicer splicer = { .base = self->base };
	char copy[PAGES(2)];
	int pipefd[2];

	ASSERT_EQ(0, pipe(pipefd));
	splicer.pipe = pipefd[1];
	fill_pages(self->base, 2, 1);
	ASSERT_EQ(0, in_child(splice_and_exit, &splicer));
	ASSERT_EQ(PAGES(2), read(pipefd[0], copy, PAGES(2)));
	EXPECT_TRUE(pages_have(copy, 2, 800));
	EXPECT_TRUE(pages_have(self->base, 2, 1));
}

/* Advice */

static const struct {
	const char *name;
	int advice;
	/* The errnos that it may have, 0 is success; -1 is "no other" */
	int results[3];
} advices[] = {
	{ "NORMAL", MADV_NORMAL, { 0, -1, -1 } },
	{ "RANDOM", MADV_RANDOM, { 0, EINVAL, -1 } },
	{ "SEQUENTIAL", MADV_SEQUENTIAL, { 0, EINVAL, -1 } },
	{ "WILLNEED", MADV_WILLNEED, { 0, EINVAL, EBADF } },
	{ "DONTNEED", MADV_DONTNEED, { 0, EINVAL, -1 } },
	{ "FREE", MADV_FREE, { EINVAL, -1, -1 } },
	{ "REMOVE", MADV_REMOVE, { ENODEV, EOPNOTSUPP, EINVAL } },
	{ "DONTFORK", MADV_DONTFORK, { 0, EINVAL, -1 } },
	{ "DOFORK", MADV_DOFORK, { 0, EINVAL, -1 } },
	{ "MERGEABLE", MADV_MERGEABLE, { 0, EINVAL, -1 } },
	{ "UNMERGEABLE", MADV_UNMERGEABLE, { 0, EINVAL, -1 } },
	{ "HUGEPAGE", MADV_HUGEPAGE, { 0, EINVAL, -1 } },
	{ "NOHUGEPAGE", MADV_NOHUGEPAGE, { 0, EINVAL, -1 } },
	{ "DONTDUMP", MADV_DONTDUMP, { 0, EINVAL, -1 } },
	{ "DODUMP", MADV_DODUMP, { 0, EINVAL, -1 } },
	{ "WIPEONFORK", MADV_WIPEONFORK, { EINVAL, -1, -1 } },
	{ "KEEPONFORK", MADV_KEEPONFORK, { 0, EINVAL, -1 } },
	{ "COLD", MADV_COLD, { 0, EINVAL, -1 } },
	{ "PAGEOUT", MADV_PAGEOUT, { 0, EINVAL, -1 } },
	{ "POPULATE_READ", MADV_POPULATE_READ, { 0, -1, -1 } },
	{ "POPULATE_WRITE", MADV_POPULATE_WRITE, { 0, -1, -1 } },
	{ "COLLAPSE", MADV_COLLAPSE, { EINVAL, -1, -1 } },
	{ "GUARD_INSTALL", 102, { EINVAL, -1, -1 } },
	{ "GUARD_REMOVE", 103, { 0, EINVAL, -1 } },
	{ "unknown", 4711, { EINVAL, -1, -1 } },
};

/*
 * The program may give any advice, on a part or on all of it: the kernel
 * takes it or not, and the contents are what they were.
 */
TEST_F(fault, madvise)
{
	uint64_t lengths[2] = { PAGES(3), variant->size };
	unsigned int i, j, k;
	bool known;
	int err;

	ASSERT_EQ(0, wr_commit(self->fd, self->base, variant->size, RW));
	fill_pages(self->base, NR_PAGES, 30);
	for (i = 0; i < ARRAY_SIZE(advices); i++) {
		for (j = 0; j < 2; j++) {
			err = madvise(self->base, lengths[j],
				      advices[i].advice) ? errno : 0;
			known = false;
			for (k = 0; k < 3; k++)
				known |= advices[i].results[k] == err;
			EXPECT_TRUE(known) {
				TH_LOG("%s of %llu bytes: errno %d",
				       advices[i].name,
				       (unsigned long long)lengths[j], err);
			}
			EXPECT_TRUE(pages_have(self->base, NR_PAGES, 30)) {
				TH_LOG("%s", advices[i].name);
			}
			EXPECT_EQ(1, count_vmas(self->base, variant->size));
		}
	}
	/* It is still writable and can still be decommitted. */
	fill_pages(self->base, NR_PAGES, 31);
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 31));
	EXPECT_EQ(0, wr_decommit(self->fd, self->base, PAGES(4)));
	EXPECT_TRUE(read_faults(self->base));
}

/* What advice brings pages in does so only where an access would. */
TEST_F(fault, populate_obeys_protection)
{
	char *page;
	int kind;

	ASSERT_EQ(0, make_kinds(self));
	for (kind = 0; kind < nr_kinds; kind++) {
		page = page_of(self, kind);
		EXPECT_KIND(kinds[kind].readable ? 0 : -1,
			    madvise(page, PAGES(1), MADV_POPULATE_READ));
		ASSERT_TRUE(took_guard(self, kind));
		/* A page without write is refused, whatever the VMA says. */
		EXPECT_KIND(kinds[kind].writable ? 0 : -1,
			    madvise(page, PAGES(1), MADV_POPULATE_WRITE));
		ASSERT_TRUE(took_guard(self, kind));
		EXPECT_KIND(kinds[kind].readable ? 0 : -1,
			    mlock(page, PAGES(1)));
		munlock(page, PAGES(1));
		ASSERT_TRUE(took_guard(self, kind));
	}
	EXPECT_TRUE(kinds_intact(self));
}

/* The PTEs go, the pages stay: a protection is in force again afterwards. */
TEST_F(fault, dontneed_keeps_protection)
{
	fill_pages(self->base, 4, 40);
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(1), PAGES(1),
				RO));
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(2), PAGES(1),
				NA));
	madvise(self->base, PAGES(4), MADV_DONTNEED);
	EXPECT_TRUE(write_faults(self->base + PAGES(1)));
	EXPECT_TRUE(read_faults(self->base + PAGES(2)));
	EXPECT_TRUE(page_has(self->base, 40));
	EXPECT_TRUE(page_has(self->base + PAGES(1), 41));
	EXPECT_TRUE(write_faults(self->base + PAGES(1)));
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(2), PAGES(1),
				RW));
	EXPECT_TRUE(page_has(self->base + PAGES(2), 42));
}

/* Clearing soft-dirty and accessed bits write-protects behind our back. */
TEST_F(fault, clear_refs)
{
	static const char *const modes[] = { "1", "3", "4" };
	unsigned int i;

	fill_pages(self->base, 4, 60);
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(1), PAGES(1),
				RO));
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		ASSERT_TRUE(write_text("/proc/self/clear_refs", modes[i]));
		EXPECT_TRUE(write_faults(self->base + PAGES(1)));
		EXPECT_TRUE(pages_have(self->base, 4, 60));
		fill_page(self->base, 60);
		EXPECT_TRUE(write_faults(self->base + PAGES(1)));
	}
}

static bool is_soft_dirty(const volatile char *page)
{
	uint64_t entry = 0;
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (pread(pagemap, &entry, sizeof(entry),
		  (uintptr_t)page / 4096 * sizeof(entry)) != sizeof(entry))
		entry = 0;
	close(pagemap);
	return entry >> 55 & 1;
}

/* Every third page is written; each of those must show. */
static unsigned int unseen_writes(char *base, unsigned int pages)
{
	unsigned int i, n = 0;

	for (i = 0; i < pages; i += 3)
		++base[PAGES(i)];
	for (i = 0; i < pages; i += 3)
		n += !is_soft_dirty(base + PAGES(i));
	return n;
}

static bool forget_writes(void)
{
	return write_text("/proc/self/clear_refs", "4");
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/*
 * Collectors and checkpoints ask the kernel what has been written, by soft-dirty
 * bits. Changes of many pages in place, pages that a fault maps ahead, and forks
 * lose none.
 */
TEST_F(fault, soft_dirty)
{
	unsigned int pages = variant->size / PAGES(1) < 600 ?
			     NR_PAGES : 600;
	char *base = self->base;

	ASSERT_EQ(0, wr_commit(self->fd, base, PAGES(pages), RW));
	fill_pages(base, pages, 1);
	if (!is_soft_dirty(base + PAGES(1)))
		SKIP(return, "no soft-dirty bits here");
	ASSERT_TRUE(forget_writes());
	if (is_soft_dirty(base + PAGES(1)))
		SKIP(return, "no soft-dirty bits here");
	EXPECT_EQ(0, unseen_writes(base, pages));
	ASSERT_TRUE(forget_writes());
	ASSERT_EQ(0, wr_protect(self->fd, base, PAGES(pages), RO));
	ASSERT_EQ(0, wr_protect(self->fd, base, PAGES(pages), RW));
	EXPECT_EQ(0, unseen_writes(base, pages));
	ASSERT_EQ(0, wr_protect(self->fd, base, PAGES(pages), RO));
	ASSERT_TRUE(forget_writes());
	ASSERT_EQ(0, wr_protect(self->fd, base, PAGES(pages), RW));
	EXPECT_EQ(0, unseen_writes(base, pages));
	ASSERT_EQ(0, wr_decommit(self->fd, base, PAGES(pages)));
	ASSERT_EQ(0, wr_commit(self->fd, base, PAGES(pages), RW));
	ASSERT_TRUE(forget_writes());
	EXPECT_TRUE(all_bytes(base, PAGES(pages), 0));
	EXPECT_EQ(0, unseen_writes(base, pages));
	ASSERT_TRUE(forget_writes());
	EXPECT_EQ(0, in_child(nothing, NULL));
	EXPECT_EQ(0, unseen_writes(base, pages));
}

/* Placement calls for NUMA nodes move nothing of ours, and break nothing. */
TEST_F(fault, numa_calls)
{
	void *pages[4] = { self->base, self->base + PAGES(1),
			   self->base + PAGES(2), self->base + PAGES(3) };
	int nodes[4] = { 0 }, status[4];
	unsigned long mask = 1;

	fill_pages(self->base, 4, 90);
	ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(1), PAGES(1),
				RO));
	syscall(SYS_move_pages, 0, 4, pages, nodes, status, 2 /* MOVE */);
	syscall(SYS_move_pages, 0, 4, pages, NULL, status, 0);
	syscall(SYS_mbind, self->base, PAGES(3), 2 /* BIND */, &mask, 64, 3);
	syscall(SYS_mbind, self->base, variant->size, 2, &mask, 64, 3);
	syscall(SYS_migrate_pages, 0, 64, &mask, &mask);
	EXPECT_TRUE(pages_have(self->base, 4, 90));
	EXPECT_TRUE(write_faults(self->base + PAGES(1)));
	EXPECT_EQ(1, count_vmas(self->base, variant->size));
	fill_page(self->base, 91);
	EXPECT_TRUE(page_has(self->base, 91));
}

/* mincore(2), msync(2), pagemap and smaps walk the page tables. */
TEST_F(fault, walkers)
{
	unsigned char core[NR_PAGES];
	char line[256];
	uint64_t entry;
	FILE *smaps;
	int pagemap;

	fill_pages(self->base, 4, 10);
	ASSERT_EQ(0, wr_decommit(self->fd, self->base + PAGES(2), PAGES(1)));
	EXPECT_EQ(0, mincore(self->base, PAGES(NR_PAGES), core));
	msync(self->base, PAGES(4), MS_SYNC);
	msync(self->base, PAGES(4), MS_ASYNC);
	EXPECT_TRUE(pages_have(self->base, 2, 10));
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, pagemap);
	ASSERT_EQ(8, pread(pagemap, &entry, 8,
			   (uintptr_t)self->base / 4096 * 8));
	EXPECT_TRUE(entry >> 63);
	ASSERT_EQ(8, pread(pagemap, &entry, 8,
			   ((uintptr_t)self->base / 4096 + 2) * 8));
	EXPECT_FALSE(entry >> 63);
	close(pagemap);
	smaps = fopen("/proc/self/smaps", "re");
	ASSERT_NE(NULL, smaps);
	while (fgets(line, sizeof(line), smaps))
		;
	fclose(smaps);
	EXPECT_TRUE(pages_have(self->base, 2, 10));
	EXPECT_TRUE(page_has(self->base + PAGES(3), 13));
}

/*
 * userfaultfd must not get at the page tables: its write-protect mode makes
 * entries writable that it believes to be its own.
 */
TEST_F(fault, userfaultfd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .len = variant->size },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect wp = {
		.range = { .len = PAGES(4) },
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (uffd < 0)
		SKIP(return, "no userfaultfd here");
	reg.range.start = (uintptr_t)self->base;
	wp.range.start = (uintptr_t)self->base;
	api.features = UFFD_FEATURE_WP_ASYNC;
	if (ioctl(uffd, UFFDIO_API, &api)) {
		close(uffd);
		uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
		api = (struct uffdio_api){ .api = UFFD_API };
		ASSERT_EQ(0, ioctl(uffd, UFFDIO_API, &api));
	}
	fill_pages(self->base, 4, 70);
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(2), RO));
	if (!ioctl(uffd, UFFDIO_REGISTER, &reg)) {
		ioctl(uffd, UFFDIO_WRITEPROTECT, &wp);
		EXPECT_TRUE(write_faults(self->base));
	}
	reg.mode = UFFDIO_REGISTER_MODE_MISSING;
	EXPECT_EQ(-1, ioctl(uffd, UFFDIO_REGISTER, &reg));
	close(uffd);
	EXPECT_TRUE(write_faults(self->base));
	EXPECT_TRUE(pages_have(self->base, 4, 70));
}

/* The name of anonymous memory is not for this memory. */
TEST_F(fault, anonymous_name)
{
	fill_page(self->base, 1);
	EXPECT_EQ(-1, prctl(0x53564d41 /* PR_SET_VMA */, 0, self->base,
			    PAGES(2), "mine"));
	EXPECT_EQ(1, count_vmas(self->base, variant->size));
	EXPECT_TRUE(page_has(self->base, 1));
}

/* What both own is not copied for the one that writes, either. */
static int touch_around_error(void *arg)
{
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char *around = arg;
	int pipefd[2];
	char byte = 1;

	CHECK(mem >= 0);
	CHECK(!pipe(pipefd));
	CHECK(write(pipefd[1], around + PAGES(3), 1) == -1);
	CHECK(write(pipefd[1], &byte, 1) == 1);
	CHECK(read(pipefd[0], around + PAGES(3), 1) == -1);
	CHECK(errno == EFAULT);
	CHECK(pread(mem, &byte, 1, (uintptr_t)around + PAGES(3)) == -1);
	CHECK(pwrite(mem, &byte, 1, (uintptr_t)around + PAGES(3)) == -1);
	fill_pages(around, 3, 90);
	fill_pages(around + PAGES(4), 2, 94);
	CHECK(pages_have(around, 3, 90));
	CHECK(pages_have(around + PAGES(4), 2, 94));
	return 0;
}

static void ignore_signal(int sig)
{
}

/*
 * A page with a memory error is not mapped again once the error was found, and
 * a decommit gets rid of it. The accesses are the kernel's, because one by the
 * program would be logged as if it were an accident. Of an error in a 2 MiB page
 * the kernel tells the program at once.
 */
TEST_F(fault, memory_error)
{
	char *page = self->base + PAGES(3);
	char *around = self->base;
	int pipefd[2];
	char byte;

	ASSERT_NE(SIG_ERR, signal(SIGBUS, ignore_signal));
	ASSERT_EQ(0, pipe(pipefd));
	fill_pages(around, 6, 80);
	if (madvise(page, PAGES(1), MADV_HWPOISON) && errno == EINVAL)
		SKIP(return, "this kernel cannot inject memory errors");
	madvise(around, PAGES(6), MADV_DONTNEED);
	EXPECT_EQ(-1, write(pipefd[1], page, 1));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(1, write(pipefd[1], page - 1, 1));
	EXPECT_EQ(1, write(pipefd[1], page + PAGES(1), 1));
	EXPECT_EQ(-1, read(pipefd[0], page, 1));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(1, read(pipefd[0], &byte, 1));
	EXPECT_TRUE(pages_have(around, 3, 80));
	EXPECT_TRUE(pages_have(around + PAGES(4), 2, 84));
	/* A child that would share it must not bring down the kernel. */
	EXPECT_EQ(0, in_child(touch_around_error, around));
	ASSERT_EQ(0, wr_decommit(self->fd, page, PAGES(1)));
	ASSERT_EQ(0, wr_commit(self->fd, page, PAGES(1), RW));
	EXPECT_TRUE(page_is_zero(page));
	fill_page(page, 83);
	EXPECT_TRUE(pages_have(around, 6, 80));
}

/* Guard pages */

/* Rules: GP-01, GP-02, GP-03, GP-04 */
TEST_F(fault, guard_fires_once)
{
	char *page = self->base + PAGES(4);

	fill_pages(page, 3, 200);
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(3),
				RW | WINREGION_GUARD));
	EXPECT_TRUE(write_faults(page + PAGES(1) + 5));
	EXPECT_TRUE(wr_is(self->fd, page, RW | WINREGION_GUARD));
	EXPECT_TRUE(wr_is(self->fd, page + PAGES(1), RW));
	EXPECT_TRUE(wr_is(self->fd, page + PAGES(2), RW | WINREGION_GUARD));
	EXPECT_TRUE(page_has(page + PAGES(1), 201));
	EXPECT_TRUE(read_faults(page));
	EXPECT_TRUE(page_has(page, 200));
	EXPECT_TRUE(read_faults(page + PAGES(2)));
	EXPECT_TRUE(page_has(page + PAGES(2), 202));
}

struct guard_race {
	pthread_barrier_t *barrier;
	char *page;
	int faults;
};

static void *trip_guard(void *arg)
{
	struct guard_race *me = arg;

	pthread_barrier_wait(me->barrier);
	me->faults = !try_write(me->page);
	return NULL;
}

/* Two threads hit one guard: one alarm, not two and not none. */
TEST_F(fault, guard_fires_once_for_two)
{
	struct guard_race race[2];
	struct sigaction old[2];
	pthread_barrier_t barrier;
	pthread_t thread[2];
	int round, i;

	/* The threads share the handler: it stays until both are done. */
	probe_begin(old);
	probe_armed = 0;
	pthread_barrier_init(&barrier, NULL, 2);
	for (round = 0; round < rounds(fault_guard_for_two); round++) {
		ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(1),
					RW | WINREGION_GUARD));
		for (i = 0; i < 2; i++) {
			race[i].barrier = &barrier;
			race[i].page = self->base;
			ASSERT_EQ(0, pthread_create(&thread[i], NULL,
						    trip_guard, &race[i]));
		}
		for (i = 0; i < 2; i++)
			pthread_join(thread[i], NULL);
		EXPECT_EQ(1, race[0].faults + race[1].faults);
	}
	probe_end(old);
}

TEST_HARNESS_MAIN
