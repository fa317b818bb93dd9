// SPDX-License-Identifier: GPL-2.0
/*
 * The administrator has said that /proc/PID/mem overrides no protection: then it
 * does not here, either; and ptrace() does as ever. The other words are for abi_test and
 * nokmem_test.
 */
/* vm: append=cgroup.memory=nokmem params=allow_nokmem=1 */
/* vm: append=init_on_alloc=0 append=proc_mem.force_override=never */
#include "kselftest_harness.h"

#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "common.h"
#include "wr_test_util.h"
#include "alloc_fixture.h"

static const uint32_t protections[] = { RW, RO, NA, RX, RWX };
/* Those that there are: without code, the last two are not. */
static unsigned int nr_protections(void)
{
	return ARRAY_SIZE(protections) - (code_is_refused() ? 2 : 0);
}

static const int ordinary[] = {
	PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC,
	PROT_READ | PROT_WRITE | PROT_EXEC,
};

/* What ordinary memory gives is right. */
TEST_F(alloc, as_ordinary_memory)
{
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	uintptr_t at, there;
	unsigned int i;
	char *map, c;

	ASSERT_LE(0, mem);
	map = mmap(NULL, PAGES(5), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	memset(map, 1, PAGES(5));
	memset(self->base, 1, PAGES(5));
	for (i = 0; i < nr_protections(); i++) {
		there = (uintptr_t)map + PAGES(i);
		at = (uintptr_t)self->base + PAGES(i);
		ASSERT_EQ(0, mprotect(map + PAGES(i), PAGES(1), ordinary[i]));
		ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(i),
					PAGES(1), protections[i]));
		EXPECT_EQ(pread(mem, &c, 1, there), pread(mem, &c, 1, at)) {
			TH_LOG("read, %u", i);
		}
		EXPECT_EQ(pwrite(mem, "x", 1, there),
			  pwrite(mem, "x", 1, at)) {
			TH_LOG("write, %u", i);
		}
	}
	close(mem);
}

static int wait_for_signal(void *arg)
{
	pause();
	return 0;
}

/* A debugger sets breakpoints. */
TEST_F(alloc, tracer)
{
	struct child child;
	unsigned int i;
	int status;
	char *at;

	memset(self->base, 1, PAGES(5));
	for (i = 0; i < nr_protections(); i++)
		ASSERT_EQ(0, wr_protect(self->fd, self->base + PAGES(i),
					PAGES(1), protections[i]));
	child = start_child(wait_for_signal, NULL);
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, child.pid, NULL, NULL));
	ASSERT_EQ(child.pid, waitpid(child.pid, &status, 0));
	for (i = 0; i < nr_protections(); i++) {
		at = self->base + PAGES(i);
		EXPECT_EQ(0x0101010101010101L,
			  ptrace(PTRACE_PEEKDATA, child.pid, at, NULL));
		EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, child.pid, at, 4711L));
		EXPECT_EQ(4711, ptrace(PTRACE_PEEKDATA, child.pid, at, NULL));
	}
	kill(child.pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, end_child(&child));
}

/* It has its parent's memory, and nobody traces the parent. */
static int start_sharer(void *arg)
{
	*(volatile pid_t *)arg = clone_sharing(wait_for_signal, 0, NULL);
	return wait_for_signal(NULL);
}

TEST_F(alloc, tracer_of_sharer)
{
	volatile pid_t *sharer = mmap(NULL, PAGES(1), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct child child;
	int status;

	ASSERT_NE(MAP_FAILED, (void *)sharer);
	memset(self->base, 1, PAGES(1));
	ASSERT_EQ(0, wr_protect(self->fd, self->base, PAGES(1), RO));
	child = start_child(start_sharer, (void *)sharer);
	while (!*sharer)
		sched_yield();
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, *sharer, NULL, NULL));
	ASSERT_EQ(*sharer, waitpid(*sharer, &status, __WALL));
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, *sharer, self->base, 4711L));
	EXPECT_EQ(4711, ptrace(PTRACE_PEEKDATA, *sharer, self->base, NULL));
	kill(*sharer, SIGKILL);
	kill(child.pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, end_child(&child));
}

TEST_HARNESS_MAIN
