// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that die, look into each other, pass descriptors on or leave a
 * core behind; and that the system is what it was when all is over.
 */
#include "kselftest_harness.h"

#include <elf.h>
#include <pthread.h>
#include <sys/klog.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common.h"
#include "descriptors.h"
#include "rounds.h"
#include "wr_test_util.h"

#define NR_PAGES 16

FIXTURE(process)
{
	int fd;
	uint64_t total;
	struct rendezvous rv;
};

FIXTURE_SETUP(process)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->total = WR_INFO(self->fd, out_total);
	ASSERT_TRUE(rendezvous_init(&self->rv));
}

FIXTURE_TEARDOWN(process)
{
	close(self->fd);
}

#define TOTAL_RETURNS() \
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == self->total))

/* Death in the middle of a call */

struct churn {
	int fd;
	char *base;
	unsigned int seed;
};

static unsigned int churn_random(struct churn *churn)
{
	churn->seed = churn->seed * 1103515245 + 12345;
	return churn->seed >> 8;
}

/* All calls, for ever */
static void *churn(void *arg)
{
	static const uint32_t protections[] = { RW, RO, NA, RX, RWX };
	const unsigned int nr = code_is_refused() ? 3 : 5;
	struct churn *me = arg;
	unsigned int page, n;
	uint32_t protection;
	char *addr;

	for (;;) {
		page = churn_random(me) % 1000;
		n = 1 + churn_random(me) % 24;
		addr = me->base + PAGES(page);
		protection = protections[churn_random(me) % nr];
		switch (churn_random(me) % 8) {
		case 0:
		case 1:
			wr_commit(me->fd, addr, PAGES(n), protection);
			break;
		case 2:
			wr_decommit(me->fd, addr, PAGES(n));
			break;
		case 3:
			wr_protect(me->fd, addr, PAGES(1), protection);
			break;
		case 4:
			addr = wr_alloc(me->fd, KIB(64) << (n % 7));
			if (addr) {
				fill_page(addr, n);
				wr_release(me->fd, addr, 0);
			}
			break;
		default:
			try_write(addr);
			break;
		}
	}
	return NULL;
}

static int churn_until_killed(void *arg)
{
	struct churn *one = arg, two = *one;
	struct sigaction old[2];
	pthread_t thread;

	/* Both threads fault, and the handler is for both. */
	probe_begin(old);
	probe_armed = 0;
	one->base = wr_reserve(one->fd, PAGES(1024));
	CHECK(one->base);
	two.base = one->base;
	two.seed = ~one->seed;
	CHECK(!pthread_create(&thread, NULL, churn, &two));
	churn(one);
	return 0;
}

/* Killed at any point, a process leaves nothing, and hurts nobody. */
TEST_F_TIMEOUT(process, killed_in_calls, 60)
{
	struct churn churn = { .fd = self->fd };
	char *mine = wr_alloc(self->fd, MIB(2));
	uint64_t total = WR_INFO(self->fd, out_total);
	struct child child;
	int round;

	ASSERT_NE(NULL, mine);
	fill_pages(mine, 512, 1);
	for (round = 0; round < rounds(process_in_calls); round++) {
		churn.seed = round;
		child = start_child(churn_until_killed, &churn);
		sleep_ms(10 + round * 7 % 60);
		kill(child.pid, SIGKILL);
		EXPECT_EQ(-SIGKILL, end_child(&child));
	}
	EXPECT_TRUE(pages_have(mine, 512, 1));
	EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) == total));
}

static void *fork_for_ever(void *arg)
{
	pid_t pid;

	for (;;) {
		pid = fork();
		if (!pid) {
			*(volatile char *)arg = 1;
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	return NULL;
}

static int fork_until_killed(void *arg)
{
	struct churn *me = arg;
	pthread_t thread;

	me->base = wr_alloc(me->fd, PAGES(1024));
	CHECK(me->base);
	fill_pages(me->base, 1024, 1);
	CHECK(!pthread_create(&thread, NULL, fork_for_ever, me->base));
	fork_for_ever(me->base);
	return 0;
}

/* Same for one that is killed while it forks */
TEST_F_TIMEOUT(process, killed_in_fork, 60)
{
	struct churn churn = { .fd = self->fd };
	struct child child;
	int round;

	for (round = 0; round < rounds(process_in_fork); round++) {
		child = start_child(fork_until_killed, &churn);
		sleep_ms(50 + round * 13 % 50);
		kill(child.pid, SIGKILL);
		EXPECT_EQ(-SIGKILL, end_child(&child));
	}
	TOTAL_RETURNS();
}

/* A thread may exit, or exec, while others are in calls. */
static int exit_under_calls(void *arg)
{
	struct churn *one = arg, two = *one;
	struct sigaction old[2];
	pthread_t thread;

	probe_begin(old);
	probe_armed = 0;
	two.base = wr_reserve(one->fd, PAGES(1024));
	CHECK(two.base);
	CHECK(!pthread_create(&thread, NULL, churn, &two));
	sleep_ms(20);
	return 0;
}

TEST_F(process, exit_with_threads)
{
	struct churn churn = { .fd = self->fd };
	int round;

	for (round = 0; round < rounds(process_exit); round++) {
		churn.seed = round;
		EXPECT_EQ(0, in_child(exit_under_calls, &churn));
	}
	TOTAL_RETURNS();
}

/* Descriptors that are passed on */

struct passing {
	int socket[2];
	int fd;
	char *base;
};

/* Use a descriptor that another process opened. */
static int use_received(void *arg)
{
	struct passing *passing = arg;
	int fd;

	/* Nothing of the parent's: not the descriptor, not the region. */
	close(passing->fd);
	fd = receive_fd(passing->socket[1], 0);
	CHECK(fd >= 0);
	CHECK(WR_INFO(fd, out_regions) == 1);
	CHECK(!wr_release(fd, passing->base, 0));
	CHECK(WR_INFO(fd, out_regions) == 0);
	CHECK(wr_commit(fd, passing->base, PAGES(1), RW) == -ENOENT);
	passing->base = wr_alloc(fd, MIB(2));
	CHECK(passing->base);
	fill_pages(passing->base, 512, 2);
	CHECK(pages_have(passing->base, 512, 2));
	CHECK(!wr_decommit(fd, passing->base, MIB(1)));
	return 0;
}

TEST_F(process, passed_descriptor_acts_on_receiver)
{
	struct passing passing = { .fd = self->fd };
	struct winregion_get_info before, after;
	struct child child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, passing.socket));
	passing.base = wr_alloc(self->fd, MIB(2));
	ASSERT_NE(NULL, passing.base);
	fill_pages(passing.base, 512, 1);
	ASSERT_EQ(0, wr_get_info(self->fd, &before));
	child = start_child(use_received, &passing);
	ASSERT_TRUE(send_fd(passing.socket[0], self->fd));
	EXPECT_EQ(0, end_child(&child));
	ASSERT_EQ(0, wr_get_info(self->fd, &after));
	EXPECT_EQ(before.out_regions, after.out_regions);
	EXPECT_EQ(before.out_committed, after.out_committed);
	EXPECT_TRUE(pages_have(passing.base, 512, 1));
}

/* Make much of it, hand the descriptor to the parent, and die. */
static int leave_descriptor(void *arg)
{
	struct passing *passing = arg;
	int fd = wr_open();
	char *region;

	CHECK(fd >= 0);
	region = wr_alloc(fd, MIB(96));
	CHECK(region);
	fill_pages(region, 24576, 1);
	CHECK(send_fd(passing->socket[1], fd));
	return 0;
}

/* Memory that a descriptor kept alive would be nobody's. */
TEST_F(process, kept_descriptor_keeps_no_memory)
{
	struct passing passing = { .fd = -1 };
	int64_t available, as;
	int fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, passing.socket));
	ASSERT_TRUE(keep_few_free());
	sleep_ms(200);
	available = meminfo("MemAvailable");
	as = committed_as();
	ASSERT_EQ(0, in_child(leave_descriptor, &passing));
	fd = receive_fd(passing.socket[0], 0);
	ASSERT_LE(0, fd);
	TOTAL_RETURNS();
	/* 32 of the 96 MiB: other things move as well. */
	EXPECT_TRUE(SETTLES(meminfo("MemAvailable") >
			    available - (int64_t)MIB(32)));
	EXPECT_TRUE(SETTLES(committed_as() < as + (int64_t)MIB(32)));
	EXPECT_TRUE(keep_as_usual());
	/* It works, for us. */
	EXPECT_EQ(0, WR_INFO(fd, out_regions));
	EXPECT_NE(NULL, wr_alloc(fd, KIB(64)));
}

/* Debuggers */

/* The pages of a process that is looked into, in this order */
enum {
	LOOK_READWRITE,
	LOOK_READONLY,
	LOOK_EXECUTE,
	LOOK_NOACCESS,
	LOOK_GUARD,
	LOOK_UNTOUCHED,
	LOOK_RESERVED,
	NR_LOOKS
};

static uint32_t look_protection[NR_LOOKS] = {
	RW, RO, RX, NA, RW | WINREGION_GUARD, RW, 0,
};

static char *make_looks(int fd)
{
	char *base = wr_alloc(fd, MIB(2));
	int i;

	if (!base)
		return NULL;
	look_protection[LOOK_EXECUTE] = code_or(RX, RO);
	fill_pages(base, LOOK_UNTOUCHED, 100);
	for (i = 0; i < NR_LOOKS; i++) {
		int ret = look_protection[i] ?
			  wr_protect(fd, base + PAGES(i), PAGES(1),
				     look_protection[i]) :
			  wr_decommit(fd, base + PAGES(i), PAGES(1));

		if (ret)
			return NULL;
	}
	return base;
}

struct looked {
	FIXTURE_DATA(process) *self;
	char *base;
	/* What the debugger writes at offset 64 of each page */
	uint64_t value;
};

/* After the debugger was here: the protection holds, and what it wrote. */
static int be_looked_into(void *arg)
{
	struct looked *me = arg;
	int fd = me->self->fd;
	int i;

	rendezvous_signal(&me->self->rv, 1);
	rendezvous_wait(&me->self->rv, 1);
	for (i = 0; i < LOOK_RESERVED; i++)
		CHECK(wr_is(fd, me->base + PAGES(i), look_protection[i]));
	CHECK(wr_is_reserved(fd, me->base + PAGES(LOOK_RESERVED)));
	CHECK(!try_write(me->base + PAGES(LOOK_READONLY)));
	CHECK(!try_write(me->base + PAGES(LOOK_EXECUTE)));
	CHECK(!try_read(me->base + PAGES(LOOK_NOACCESS)));
	CHECK(!try_read(me->base + PAGES(LOOK_RESERVED)));
	/* The guard is still there, once. */
	CHECK(!try_read(me->base + PAGES(LOOK_GUARD)));
	CHECK(try_read(me->base + PAGES(LOOK_GUARD)));
	CHECK(!wr_protect(fd, me->base + PAGES(LOOK_NOACCESS), PAGES(1), RO));
	for (i = 0; i < LOOK_UNTOUCHED; i++)
		CHECK(page_has(me->base + PAGES(i), 100 + i));
	for (i = 0; i < LOOK_RESERVED; i++)
		CHECK(*(uint64_t *)(me->base + PAGES(i) + 64) ==
		      me->value + i);
	return 0;
}

/* ptrace(2) reads and writes all that is committed, as with any memory. */
TEST_F(process, ptrace_peek_poke)
{
	struct looked looked = { self, make_looks(self->fd), 0x1234500 };
	struct child child;
	int status, i;
	long word;
	char *at;

	ASSERT_NE(NULL, looked.base);
	child = start_child(be_looked_into, &looked);
	rendezvous_wait(&self->rv, 0);
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, child.pid, NULL, NULL));
	ASSERT_EQ(child.pid, waitpid(child.pid, &status, 0));
	for (i = 0; i < NR_LOOKS; i++) {
		at = looked.base + PAGES(i);
		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, child.pid, at, NULL);
		if (i == LOOK_RESERVED) {
			EXPECT_EQ(0, errno);
			EXPECT_EQ(0, word);
			EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, child.pid, at,
					     1L));
			continue;
		}
		EXPECT_EQ(0, errno) {
			TH_LOG("page %d", i);
		}
		EXPECT_EQ(i == LOOK_UNTOUCHED ? 0 : 100 + i, word);
		EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, child.pid, at + 64,
				    looked.value + i)) {
			TH_LOG("page %d", i);
		}
		errno = 0;
		EXPECT_EQ(looked.value + i,
			  ptrace(PTRACE_PEEKDATA, child.pid, at + 64, NULL));
	}
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, child.pid, NULL, NULL));
	rendezvous_signal(&self->rv, 0);
	EXPECT_EQ(0, end_child(&child));
	/* The pages were shared with us: ours have not changed. */
	for (i = 0; i < LOOK_UNTOUCHED; i++) {
		if (i == LOOK_NOACCESS || i == LOOK_GUARD)
			wr_protect(self->fd, looked.base + PAGES(i), PAGES(1),
				   RO);
		EXPECT_TRUE(page_has(looked.base + PAGES(i), 100 + i));
		EXPECT_EQ(0, *(uint64_t *)(looked.base + PAGES(i) + 64));
	}
}

/* /proc/pid/mem is the other way in; a kernel may want it to be a tracer's. */
TEST_F(process, proc_mem)
{
	struct looked looked = { self, make_looks(self->fd), 0x777000 };
	struct child child;
	int mem, i, status;
	uint64_t word;
	char path[64];
	off_t at;

	ASSERT_NE(NULL, looked.base);
	child = start_child(be_looked_into, &looked);
	rendezvous_wait(&self->rv, 0);
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, child.pid, NULL, NULL));
	ASSERT_EQ(child.pid, waitpid(child.pid, &status, 0));
	snprintf(path, sizeof(path), "/proc/%d/mem", child.pid);
	mem = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, mem);
	for (i = 0; i < NR_LOOKS; i++) {
		at = (uintptr_t)looked.base + PAGES(i);
		if (i == LOOK_RESERVED) {
			EXPECT_EQ(8, pread(mem, &word, 8, at));
			EXPECT_EQ(0, word);
			EXPECT_EQ(-1, pwrite(mem, &word, 8, at));
			continue;
		}
		EXPECT_EQ(8, pread(mem, &word, 8, at)) {
			TH_LOG("page %d", i);
		}
		EXPECT_EQ(i == LOOK_UNTOUCHED ? 0 : 100 + i, word);
		word = looked.value + i;
		EXPECT_EQ(8, pwrite(mem, &word, 8, at + 64)) {
			TH_LOG("page %d", i);
		}
	}
	/* As gcore does it: what is not there is zeros, and nothing is made. */
	{
		static char buffer[MIB(2)], zeros[PAGES(1)];

		EXPECT_EQ(MIB(2), pread(mem, buffer, sizeof(buffer),
					(uintptr_t)looked.base));
		EXPECT_EQ(0, memcmp(buffer + PAGES(LOOK_RESERVED), zeros,
				    PAGES(1)));
		EXPECT_TRUE(page_has(buffer + PAGES(LOOK_NOACCESS),
				     100 + LOOK_NOACCESS));
	}
	close(mem);
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, child.pid, NULL, NULL));
	rendezvous_signal(&self->rv, 0);
	EXPECT_EQ(0, end_child(&child));
}

/* Core dumps */

#define CORE_PATTERN "/proc/sys/kernel/core_pattern"
#define CORE_FILE "/tmp/wr_core"
#define CORE_SPARSE "/sys/module/winregion/parameters/core_sparse_mb"

struct dumper {
	int fd;
	char *base;
	uint64_t size;
	int (*fn)(void *dumper); /* or NULL for dump_core() */
};

/* The process that dumps: pages 0..15 have contents, the rest is untouched. */
static int dump_core(void *arg)
{
	struct dumper *dumper = arg;
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &limit);
	CHECK(!wr_protect(dumper->fd, dumper->base + PAGES(4), PAGES(2), RO));
	CHECK(!wr_protect(dumper->fd, dumper->base + PAGES(6), PAGES(2),
			  code_or(RX, RO)));
	CHECK(!wr_decommit(dumper->fd, dumper->base + PAGES(10), PAGES(2)));
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* What the core at @fd has of the 8 bytes at @addr; false if it has nothing */
static bool read_core(int fd, const char *addr, uint64_t *word)
{
	uint64_t at = (uintptr_t)addr;
	Elf64_Ehdr header;
	Elf64_Phdr phdr;
	int i;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_type != ET_CORE)
		return false;
	for (i = 0; i < header.e_phnum; i++) {
		if (pread(fd, &phdr, sizeof(phdr),
			  header.e_phoff + i * sizeof(phdr)) != sizeof(phdr))
			return false;
		if (phdr.p_type != PT_LOAD || at < phdr.p_vaddr ||
		    at + 8 > phdr.p_vaddr + phdr.p_filesz)
			continue;
		return pread(fd, word, 8, phdr.p_offset + at -
			     phdr.p_vaddr) == 8;
	}
	return false;
}

static void run_dumper(struct __test_metadata *_metadata,
		       struct dumper *dumper, int64_t *low)
{
	char pattern[128] = { 0 };
	struct child child;
	int64_t now;
	int fd, ret;

	fd = open(CORE_PATTERN, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_LT(0, read(fd, pattern, sizeof(pattern) - 1));
	close(fd);
	unlink(CORE_FILE);
	ASSERT_TRUE(write_text(CORE_PATTERN, CORE_FILE));
	*low = INT64_MAX;
	child = start_child(dumper->fn ? dumper->fn : dump_core, dumper);
	/* How far does the memory go down meanwhile? */
	for (;;) {
		siginfo_t info = { 0 };

		now = meminfo("MemAvailable");
		*low = now < *low ? now : *low;
		waitid(P_PID, child.pid, &info, WEXITED | WNOWAIT | WNOHANG);
		if (info.si_pid)
			break;
		sleep_ms(5);
	}
	ret = end_child(&child);
	write_text(CORE_PATTERN, pattern);
	ASSERT_EQ(-SIGABRT, ret);
}

/* A core has what is committed, whatever its protection. */
TEST_F_TIMEOUT(process, core_dump, 60)
{
	struct dumper dumper = { self->fd, wr_alloc(self->fd, MIB(2)),
				 MIB(2), NULL };
	uint64_t word;
	int64_t low;
	int fd, i;

	ASSERT_NE(NULL, dumper.base);
	fill_pages(dumper.base, 16, 4000);
	run_dumper(_metadata, &dumper, &low);
	fd = open(CORE_FILE, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	for (i = 0; i < 16; i++) {
		if (i == 10 || i == 11) {
			EXPECT_TRUE(!read_core(fd, dumper.base + PAGES(i),
					       &word) || !word);
			continue;
		}
		word = 0;
		EXPECT_TRUE(read_core(fd, dumper.base + PAGES(i), &word)) {
			TH_LOG("page %d", i);
		}
		EXPECT_EQ(4000 + i, word);
		EXPECT_TRUE(read_core(fd, dumper.base + PAGES(i) + 4088,
				      &word));
		EXPECT_EQ(3 * (4000 + i), word);
	}
	EXPECT_TRUE(!read_core(fd, dumper.base + PAGES(100), &word) || !word);
	close(fd);
	unlink(CORE_FILE);
}

/* What is committed and was never touched is not brought in for a dump. */
TEST_F_TIMEOUT(process, core_dump_of_untouched, 120)
{
	const uint64_t size = MIB(640);
	struct dumper dumper = { self->fd, wr_alloc(self->fd, size), size,
				 NULL };
	int64_t available, low;
	struct stat stat;
	uint64_t word;
	int fd;

	ASSERT_NE(NULL, dumper.base);
	fill_pages(dumper.base, 16, 1);
	fill_page(dumper.base + size - PAGES(1), 5);
	sleep_ms(200);
	available = meminfo("MemAvailable");
	run_dumper(_metadata, &dumper, &low);
	EXPECT_LT(available - (int64_t)MIB(160), low);
	fd = open(CORE_FILE, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(read_core(fd, dumper.base + size - PAGES(1), &word));
	EXPECT_EQ(5, word);
	EXPECT_EQ(0, fstat(fd, &stat));
	EXPECT_GT(MIB(160) / 512, stat.st_blocks);
	close(fd);
	unlink(CORE_FILE);
}

/* What was not touched at all is left out, however much it is. */
TEST_F_TIMEOUT(process, core_dump_of_reserved, 60)
{
	const uint64_t sizes[] = { MIB(1) << 20, MIB(256) };
	struct dumper dumper = { .fd = self->fd };
	struct stat stat;
	uint64_t word;
	unsigned int i;
	int64_t low;
	int fd;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		dumper.size = sizes[i];
		dumper.base = wr_reserve(self->fd, dumper.size);
		ASSERT_NE(NULL, dumper.base);
		ASSERT_EQ(0, wr_commit(self->fd, dumper.base, PAGES(16), RW));
		run_dumper(_metadata, &dumper, &low);
		fd = open(CORE_FILE, O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, fd);
		EXPECT_FALSE(read_core(fd, dumper.base, &word));
		EXPECT_EQ(0, fstat(fd, &stat));
		EXPECT_GT(MIB(64), stat.st_size);
		close(fd);
		unlink(CORE_FILE);
	}
}

static bool in_core_of(struct __test_metadata *_metadata,
		       struct dumper *dumper, char *addr)
{
	uint64_t word;
	int64_t low;
	bool found;
	int fd;

	run_dumper(_metadata, dumper, &low);
	fd = open(CORE_FILE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	found = read_core(fd, addr, &word) && word == 77;
	close(fd);
	unlink(CORE_FILE);
	return found;
}

#define LOG_READ_ALL 3 /* SYSLOG_ACTION_READ_ALL */

/* How often the kernel's log says that a core lacks something, or -1 */
static int count_left_out(void)
{
	static char text[1 << 18];
	int size = klogctl(LOG_READ_ALL, text, sizeof(text) - 1), n = 0;
	const char *at = text;

	if (size < 0)
		return -1;
	text[size] = 0;
	while ((at = strstr(at, "see core_sparse_mb"))) {
		at++;
		n++;
	}
	return n;
}

/*
 * What was touched is in the core, however little of a mapping it is: as far as the
 * parameter says, which is a TiB at least. If it is left out the log says so.
 */
TEST_F_TIMEOUT(process, core_dump_of_sparse, 60)
{
	struct dumper dumper = { self->fd, NULL, MIB(256), NULL };
	int64_t most = read_number(CORE_SPARSE);
	char *at;
	int told;

	dumper.base = wr_alloc(self->fd, dumper.size);
	ASSERT_NE(NULL, dumper.base);
	at = dumper.base + MIB(128) + PAGES(7);
	EXPECT_LE(1 << 20, most);
	told = count_left_out();
	fill_page(at, 77);
	EXPECT_TRUE(in_core_of(_metadata, &dumper, at));
	EXPECT_EQ(told, count_left_out());
	ASSERT_TRUE(write_number(CORE_SPARSE, 128));
	EXPECT_FALSE(in_core_of(_metadata, &dumper, at));
	EXPECT_EQ(told + (told >= 0), count_left_out());
	fill_pages(dumper.base + MIB(140), MIB(6) / PAGES(1), 1);
	EXPECT_TRUE(in_core_of(_metadata, &dumper, at));
	EXPECT_TRUE(write_number(CORE_SPARSE, most));
}

/* A program that wants it left out has its way. */
TEST_F_TIMEOUT(process, core_dump_obeys_dontdump, 60)
{
	struct dumper dumper = { self->fd, NULL, MIB(2), NULL };

	dumper.base = wr_alloc(self->fd, MIB(2));
	ASSERT_NE(NULL, dumper.base);
	fill_page(dumper.base, 77);
	EXPECT_TRUE(in_core_of(_metadata, &dumper, dumper.base));
	ASSERT_EQ(0, madvise(dumper.base, MIB(2), MADV_DONTDUMP));
	EXPECT_FALSE(in_core_of(_metadata, &dumper, dumper.base));
}

/* Frames are no child's, so who dumps has some of its own: pages 8..11 of the region. */
static int dump_frames(void *arg)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	struct dumper *dumper = arg;
	uint64_t numbers[4];
	struct winregion_frames frames = {
		.size = sizeof(frames),
		.count = ARRAY_SIZE(numbers),
		.frames = (uintptr_t)numbers,
	};
	struct winregion_map_frames map = {
		.size = sizeof(map),
		.address = (uintptr_t)dumper->base + PAGES(8),
		.count = ARRAY_SIZE(numbers),
		.frames = (uintptr_t)numbers,
	};

	setrlimit(RLIMIT_CORE, &limit);
	CHECK(!wr_ioctl(dumper->fd, WINREGION_FRAMES, &frames));
	CHECK(frames.count == ARRAY_SIZE(numbers));
	CHECK(!wr_ioctl(dumper->fd, WINREGION_MAP_FRAMES, &map));
	fill_page(dumper->base + PAGES(9), 77);
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* A frame that is mapped is in memory as any page is, although no region has it. */
TEST_F_TIMEOUT(process, core_dump_of_frames, 60)
{
	struct dumper dumper = { self->fd, NULL, MIB(256), dump_frames };
	int64_t most = read_number(CORE_SPARSE);
	uint64_t base = 0;

	ASSERT_EQ(0, wr_reserve_at(self->fd, &base, dumper.size,
				   WINREGION_RESERVE_PHYSICAL, RW));
	dumper.base = (char *)(uintptr_t)base;
	EXPECT_TRUE(in_core_of(_metadata, &dumper, dumper.base + PAGES(9)));
	ASSERT_TRUE(write_number(CORE_SPARSE, 128));
	EXPECT_FALSE(in_core_of(_metadata, &dumper, dumper.base + PAGES(9)));
	EXPECT_TRUE(write_number(CORE_SPARSE, most));
}

/*
 * Another process with the same memory dumps first, when nothing is in memory.
 * The second core is not to lack what is there by then.
 */
static int dump_twice(void *arg)
{
	struct dumper *dumper = arg;
	pid_t pid = vfork();
	int status;

	if (!pid) {
		struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

		setrlimit(RLIMIT_CORE, &limit);
		signal(SIGABRT, SIG_DFL);
		kill(getpid(), SIGABRT);
		_exit(1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status));
	fill_page(dumper->base + PAGES(20), 77);
	return dump_core(dumper);
}

TEST_F_TIMEOUT(process, core_dump_after_another, 60)
{
	struct dumper dumper = { self->fd, NULL, MIB(2), dump_twice };
	char *at;

	dumper.base = wr_alloc(self->fd, MIB(2));
	ASSERT_NE(NULL, dumper.base);
	at = dumper.base + PAGES(20);
	EXPECT_TRUE(in_core_of(_metadata, &dumper, at));
}

/* The module */

static int delete_module(void)
{
	return syscall(SYS_delete_module, "winregion", O_NONBLOCK) ?
	       -errno : 0;
}

/* It cannot be unloaded as long as anything of it is in use. */
TEST_F(process, module_is_in_use)
{
	char *small, *large;
	int second;

	/* By a descriptor */
	EXPECT_EQ(-EWOULDBLOCK, delete_module());
	small = wr_alloc(self->fd, KIB(64));
	ASSERT_NE(NULL, small);
	large = wr_alloc(self->fd, MIB(2));
	ASSERT_NE(NULL, large);
	fill_page(small, 1);
	fill_page(large, 2);
	second = dup(self->fd);
	ASSERT_EQ(0, close(self->fd));
	EXPECT_EQ(-EWOULDBLOCK, delete_module());
	/* By memory alone */
	ASSERT_EQ(0, close(second));
	EXPECT_EQ(-EWOULDBLOCK, delete_module());
	EXPECT_TRUE(page_has(small, 1));
	EXPECT_TRUE(page_has(large, 2));
	EXPECT_TRUE(page_is_zero(large + PAGES(400)));
	/* By the memory of a child */
	{
		struct rendezvous *rv = &self->rv;
		pid_t pid = fork();
		int status;

		if (!pid) {
			rendezvous_wait(rv, 1);
			_exit(page_has(large, 2) ? 0 : 1);
		}
		EXPECT_EQ(0, munmap(large, MIB(2)));
		EXPECT_EQ(-EWOULDBLOCK, delete_module());
		rendezvous_signal(rv, 0);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
	self->fd = wr_open();
	EXPECT_LE(0, self->fd);
	EXPECT_EQ(0, wr_release(self->fd, small, 0));
}

/* The end */

/* All kinds of use, and then an end without a single release */
static int use_everything(void *arg)
{
	int fd = *(int *)arg, i;
	char *region[32], *large;
	int status;
	pid_t pid;

	for (i = 0; i < 32; i++) {
		region[i] = wr_alloc(fd, KIB(64) << (i % 6));
		CHECK(region[i]);
		fill_pages(region[i], 16, i);
	}
	large = wr_alloc(fd, MIB(32));
	CHECK(large);
	fill_pages(large, 8192, 1);
	for (i = 0; i < 100; i++)
		CHECK(!wr_protect(fd, large + PAGES(i * 50), PAGES(3),
				  i % 3 ? RO : code_or(RX, NA)));
	pid = fork();
	if (!pid) {
		if (wr_protect(fd, large, MIB(32), RW))
			_exit(1);
		fill_pages(large, 4096, 2);
		_exit(wr_decommit(fd, large, MIB(4)) ? 2 : 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && !status);
	for (i = 0; i < 32; i += 2)
		CHECK(!wr_release(fd, region[i], 0));
	CHECK(!wr_decommit(fd, large, MIB(8)));
	return 0;
}

/*
 * What the system has promised, its slabs and its free memory come back. The
 * first rounds fill caches, so they do not count; then each may differ by what
 * other parts of the kernel keep.
 */
TEST_F_TIMEOUT(process, nothing_is_left, 120)
{
	int64_t as, slab, available;
	int round;

	for (round = 0; round < 3; round++)
		ASSERT_EQ(0, in_child(use_everything, &self->fd));
	TOTAL_RETURNS();
	sleep_ms(500);
	as = committed_as();
	slab = meminfo("SUnreclaim");
	available = meminfo("MemAvailable");
	for (round = 0; round < 20; round++)
		ASSERT_EQ(0, in_child(use_everything, &self->fd));
	TOTAL_RETURNS();
	EXPECT_TRUE(SETTLES(committed_as() <= as + (int64_t)MIB(4))) {
		TH_LOG("Committed_AS grew by %lld",
		       (long long)(committed_as() - as));
	}
	EXPECT_TRUE(SETTLES(meminfo("SUnreclaim") <=
			    slab + (int64_t)MIB(4))) {
		TH_LOG("SUnreclaim grew by %lld",
		       (long long)(meminfo("SUnreclaim") - slab));
	}
	/* Newer kernels keep tens of MiB of freed pages at hand for each CPU. */
	EXPECT_TRUE(SETTLES(meminfo("MemAvailable") >=
			    available - (int64_t)MIB(96))) {
		TH_LOG("MemAvailable shrank by %lld",
		       (long long)(available - meminfo("MemAvailable")));
	}
}

TEST_HARNESS_MAIN
