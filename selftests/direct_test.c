// SPDX-License-Identifier: GPL-2.0
/*
 * Direct I/O between region memory and a file system on a block device, which
 * reads and writes the pages themselves instead of copying.
 */
/* vm: modules=loop,ext4 cpus=1 */
#include "kselftest_harness.h"

#include <dirent.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "common.h"
#include "loop.h"
#include "wr_test_util.h"
#include "ring.h"

#define IMAGE "/tmp/wr_direct.img"
#define MOUNTED "/tmp/wr_direct"
#define NR_PAGES 16

FIXTURE(direct)
{
	int fd;
	char *base;
	int file;
	int loop;
};

FIXTURE_VARIANT(direct)
{
	uint64_t size;
	bool huge;
};

/* In a window with others */
FIXTURE_VARIANT_ADD(direct, small)
{
	.size = PAGES(NR_PAGES),
};

/* In a window of its own */
FIXTURE_VARIANT_ADD(direct, large)
{
	.size = MIB(4),
};

/* The same with 2 MiB pages */
FIXTURE_VARIANT_ADD(direct, huge)
{
	.size = MIB(4),
	.huge = true,
};

FIXTURE_SETUP(direct)
{
	char device[32];

	self->file = -1;
	if (access("/dev/loop-control", F_OK))
		SKIP(return, "no loop devices; \"make test\" has them");
	ASSERT_TRUE(set_large(variant->huge));
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->base = wr_alloc(self->fd, variant->size);
	ASSERT_NE(NULL, self->base);
	self->loop = loop_begin(IMAGE, MIB(16), device, sizeof(device));
	ASSERT_LE(0, self->loop);
	mkdir(MOUNTED, 0700);
	ASSERT_TRUE(loop_mount(device, MOUNTED));
	self->file = open(MOUNTED "/file", O_RDWR | O_CREAT | O_DIRECT |
			  O_CLOEXEC, 0600);
	ASSERT_LE(0, self->file);
}

FIXTURE_TEARDOWN(direct)
{
	close(self->file);
	umount2(MOUNTED, MNT_DETACH);
	loop_end(self->loop, IMAGE);
	close(self->fd);
}

/* The pages themselves are read and written, as their protection allows. */
TEST_F(direct, read_and_write)
{
	char *base = self->base;

	fill_pages(base, 4, 900);
	ASSERT_EQ(PAGES(4), pwrite(self->file, base, PAGES(4), 0));
	ASSERT_EQ(0, wr_decommit(self->fd, base, PAGES(4)));
	EXPECT_EQ(-1, pread(self->file, base, PAGES(4), 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pwrite(self->file, base, PAGES(4), 0));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, wr_commit(self->fd, base, PAGES(4), RW));
	EXPECT_EQ(PAGES(4), pread(self->file, base, PAGES(4), 0));
	EXPECT_TRUE(pages_have(base, 4, 900));
	ASSERT_EQ(0, wr_protect(self->fd, base, PAGES(4), RO));
	EXPECT_EQ(-1, pread(self->file, base, PAGES(4), 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(PAGES(4), pwrite(self->file, base, PAGES(4), PAGES(4)));
	EXPECT_TRUE(pages_have(base, 4, 900));
	/* Where the device is the first that touches a page */
	EXPECT_EQ(PAGES(4), pread(self->file, base + PAGES(8), PAGES(4),
				  PAGES(4)));
	EXPECT_TRUE(pages_have(base + PAGES(8), 4, 900));
	EXPECT_EQ(PAGES(2), pwrite(self->file, base + PAGES(12), PAGES(2), 0));
	EXPECT_EQ(PAGES(2), pread(self->file, base + PAGES(8), PAGES(2), 0));
	EXPECT_TRUE(page_is_zero(base + PAGES(8)));
	EXPECT_TRUE(page_is_zero(base + PAGES(9)));
}

/* Nothing comes from a guard, or to it, and it goes off as by any system call: GP-10. */
TEST_F(direct, guards)
{
	char *page = self->base + PAGES(2);

	fill_pages(self->base, 4, 10);
	ASSERT_EQ(PAGES(4), pwrite(self->file, self->base, PAGES(4), 0));
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1),
				RW | WINREGION_GUARD));
	EXPECT_EQ(-1, pread(self->file, page, PAGES(1), 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_TRUE(wr_is(self->fd, page, RW));
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1),
				RW | WINREGION_GUARD));
	EXPECT_EQ(-1, pwrite(self->file, page, PAGES(1), 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_TRUE(wr_is(self->fd, page, RW));
	EXPECT_TRUE(page_has(page, 12));
}

/* Requests that are on their way while the memory goes */
TEST_F(direct, in_flight)
{
	aio_context_t context = 0;
	struct io_event event;
	int round;

	ASSERT_EQ(0, syscall(SYS_io_setup, 4, &context));
	fill_pages(self->base, 8, 50);
	ASSERT_EQ(PAGES(8), pwrite(self->file, self->base, PAGES(8), 0));
	for (round = 0; round < 20; round++) {
		bool read = round % 2;
		struct iocb request = {
			.aio_lio_opcode = read ? IOCB_CMD_PREAD :
						 IOCB_CMD_PWRITE,
			.aio_fildes = self->file,
			.aio_buf = (uintptr_t)self->base,
			.aio_nbytes = PAGES(8),
			.aio_offset = read ? 0 : PAGES(8),
		};
		struct iocb *requests[] = { &request };

		ASSERT_EQ(1, syscall(SYS_io_submit, context, 1, requests));
		ASSERT_EQ(0, wr_decommit(self->fd, self->base, PAGES(8)));
		ASSERT_EQ(0, wr_commit(self->fd, self->base, PAGES(8), RW));
		/* What comes in comes to the pages that were given up. */
		EXPECT_TRUE(page_is_zero(self->base));
		fill_pages(self->base, 8, 50 + round);
		ASSERT_EQ(1, syscall(SYS_io_getevents, context, 1, 1, &event,
				     NULL));
		EXPECT_EQ(PAGES(8), event.res);
		EXPECT_TRUE(pages_have(self->base, 8, 50 + round));
		/* What goes out is what was there. */
		if (!read) {
			ASSERT_EQ(PAGES(8), pread(self->file, self->base,
						  PAGES(8), PAGES(8)));
			EXPECT_TRUE(pages_have(self->base, 8,
					       round ? 49 + round : 50));
		}
		fill_pages(self->base, 8, 50 + round);
	}
	ASSERT_EQ(0, syscall(SYS_io_destroy, context));
}

static int use_copies(void *arg)
{
	FIXTURE_DATA(direct) *self = arg;

	CHECK(pages_have(self->base, 8, 70));
	CHECK(pwrite(self->file, self->base, PAGES(8), PAGES(16)) == PAGES(8));
	/* Reading into pages that the parent shares copies them first. */
	CHECK(pread(self->file, self->base, PAGES(8), 0) == PAGES(8));
	CHECK(pages_have(self->base, 8, 60));
	return 0;
}

/* Hazard A7. Direct I/O into pages that are shared by a fork */
TEST_F(direct, after_fork)
{
	fill_pages(self->base, 8, 60);
	ASSERT_EQ(PAGES(8), pwrite(self->file, self->base, PAGES(8), 0));
	fill_pages(self->base, 8, 70);
	EXPECT_EQ(0, in_child(use_copies, self));
	EXPECT_TRUE(pages_have(self->base, 8, 70));
	ASSERT_EQ(PAGES(8), pread(self->file, self->base, PAGES(8), 0));
	EXPECT_TRUE(pages_have(self->base, 8, 60));
	ASSERT_EQ(PAGES(8), pread(self->file, self->base, PAGES(8), PAGES(16)));
	EXPECT_TRUE(pages_have(self->base, 8, 70));
}

/* ---- requests that are on their way over a fork ---- */

#define FLIGHT_PAGES 8
#define FLIGHT PAGES(FLIGHT_PAGES)

enum way { AIO, URING, WAYS };

/* In the file: what there is to read, and where is to be written */
#define COMES 0
#define GOES FLIGHT

struct flight {
	FIXTURE_DATA(direct) *self;
	struct rendezvous rv;
	enum way way;
	bool gives_up;
	aio_context_t aio;
	struct ring ring;
};

/*
 * Before what the kernel's own threads do, so that, with one processor, no
 * request is over until we wait for something.
 */
static void be_first(void)
{
	struct sched_param first = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO, &first);
}

static char *copy_of(FIXTURE_DATA(direct) *self, uint64_t offset)
{
	static char copy[FLIGHT] __attribute__((aligned(4096)));

	memset(copy, 0, sizeof(copy));
	if (pread(self->file, copy, FLIGHT, offset) != (ssize_t)FLIGHT)
		return NULL;
	return copy;
}

/* The file has pages from 500 on to read, the memory from 100 on. */
static bool prepare(struct flight *flight)
{
	FIXTURE_DATA(direct) *self = flight->self;

	fill_pages(self->base, FLIGHT_PAGES, 500);
	if (pwrite(self->file, self->base, FLIGHT, COMES) != (ssize_t)FLIGHT ||
	    pwrite(self->file, self->base, FLIGHT, GOES) != (ssize_t)FLIGHT)
		return false;
	fill_pages(self->base, NR_PAGES, 100);
	return rendezvous_init(&flight->rv);
}

/* Where requests are made; a process has its own. */
static bool open_way(struct flight *flight)
{
	flight->aio = 0;
	if (flight->way == URING)
		return !ring_open(&flight->ring);
	return !syscall(SYS_io_setup, 4, &flight->aio);
}

/*
 * A ring gives a request that would have to wait, for a file's new times say, to
 * a worker, which looks at the memory later: not with RWF_NOWAIT.
 */
static bool submit_to_ring(struct flight *flight, bool read)
{
	FIXTURE_DATA(direct) *self = flight->self;
	int tries;

	flight->ring.rw_flags = RWF_NOWAIT;
	for (tries = 0; tries < 100; tries++) {
		if (ring_submit(&flight->ring,
				read ? IORING_OP_READ : IORING_OP_WRITE,
				self->file, self->base, FLIGHT,
				read ? COMES : GOES))
			return false;
		if (!ring_is_over(&flight->ring))
			return true;
		if (ring_wait(&flight->ring) != -EAGAIN ||
		    futimens(self->file, NULL))
			return false;
	}
	return false;
}

static bool submit(struct flight *flight, bool read)
{
	struct iocb request = {
		.aio_lio_opcode = read ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE,
		.aio_fildes = flight->self->file,
		.aio_buf = (uintptr_t)flight->self->base,
		.aio_nbytes = FLIGHT,
		.aio_offset = read ? COMES : GOES,
	};
	struct iocb *requests[] = { &request };

	if (flight->way == URING)
		return submit_to_ring(flight, read);
	return syscall(SYS_io_submit, flight->aio, 1, requests) == 1;
}

static bool completes(struct flight *flight)
{
	struct io_event event = { 0 };

	if (flight->way == URING)
		return ring_wait(&flight->ring) == (int)FLIGHT;
	return syscall(SYS_io_getevents, flight->aio, 1, 1, &event,
		       NULL) == 1 && event.res == (long)FLIGHT;
}

static int writes_its_own(void *arg)
{
	struct flight *flight = arg;
	char *base = flight->self->base;

	CHECK(pages_have(base, NR_PAGES, 100));
	fill_pages(base, NR_PAGES, 300);
	rendezvous_signal(&flight->rv, 1);
	rendezvous_wait(&flight->rv, 1);
	CHECK(pages_have(base, NR_PAGES, 300));
	return 0;
}

/* Out of the parent's memory goes what the parent had, whatever the child writes. */
static int parent_writes_out(void *arg)
{
	struct flight *flight = arg;
	char *base = flight->self->base;
	struct child child;

	be_first();
	CHECK(prepare(flight) && open_way(flight));
	CHECK(submit(flight, false));
	child = start_child(writes_its_own, flight);
	rendezvous_wait(&flight->rv, 0);
	CHECK(pages_have(base, NR_PAGES, 100));
	/* The same unit, but not what is on its way */
	fill_page(base + FLIGHT, 200);
	CHECK(completes(flight));
	CHECK(pages_have(copy_of(flight->self, GOES), FLIGHT_PAGES, 100));
	fill_pages(base, NR_PAGES, 200);
	rendezvous_signal(&flight->rv, 0);
	CHECK(!end_child(&child));
	CHECK(pages_have(base, NR_PAGES, 200));
	return 0;
}

/* ... into it comes what was read, and only there. */
static int keeps_what_it_has(void *arg)
{
	struct flight *flight = arg;
	char *base = flight->self->base;
	uint64_t first[FLIGHT_PAGES];
	int i;

	for (i = 0; i < FLIGHT_PAGES; i++)
		first[i] = *(volatile uint64_t *)(base + PAGES(i));
	rendezvous_signal(&flight->rv, 1);
	rendezvous_wait(&flight->rv, 1);
	for (i = 0; i < FLIGHT_PAGES; i++)
		CHECK(page_has(base + PAGES(i), first[i]));
	return 0;
}

static int parent_reads_in(void *arg)
{
	struct flight *flight = arg;
	char *base = flight->self->base;
	struct child child;

	be_first();
	CHECK(prepare(flight) && open_way(flight));
	CHECK(submit(flight, true));
	child = start_child(keeps_what_it_has, flight);
	rendezvous_wait(&flight->rv, 0);
	fill_page(base + FLIGHT, 200);
	CHECK(completes(flight));
	CHECK(pages_have(base, FLIGHT_PAGES, 500));
	CHECK(page_has(base + FLIGHT, 200));
	fill_pages(base, FLIGHT_PAGES, 200);
	rendezvous_signal(&flight->rv, 0);
	CHECK(!end_child(&child));
	CHECK(pages_have(base, FLIGHT_PAGES, 200));
	return 0;
}

/* Out of a child's memory, which is the parent's too */
static int child_writes_out(void *arg)
{
	struct flight *flight = arg;
	char *base = flight->self->base;

	CHECK(open_way(flight));
	CHECK(submit(flight, false));
	if (flight->gives_up)
		CHECK(!wr_decommit(flight->self->fd, base, FLIGHT));
	rendezvous_signal(&flight->rv, 1);
	rendezvous_wait(&flight->rv, 1);
	CHECK(completes(flight));
	CHECK(flight->gives_up || pages_have(base, NR_PAGES, 100));
	CHECK(pages_have(copy_of(flight->self, GOES), FLIGHT_PAGES, 100));
	return 0;
}

static int writes_while_child_does(void *arg)
{
	struct flight *flight = arg;
	char *base = flight->self->base;
	struct child child;

	be_first();
	CHECK(prepare(flight));
	child = start_child(child_writes_out, flight);
	rendezvous_wait(&flight->rv, 0);
	fill_pages(base, NR_PAGES, 200);
	rendezvous_signal(&flight->rv, 0);
	CHECK(!end_child(&child));
	CHECK(pages_have(base, NR_PAGES, 200));
	return 0;
}

/* Into a child's memory, which was the parent's too */
static int child_reads_in(void *arg)
{
	struct flight *flight = arg;
	char *base = flight->self->base;

	CHECK(open_way(flight));
	CHECK(submit(flight, true));
	rendezvous_signal(&flight->rv, 1);
	rendezvous_wait(&flight->rv, 1);
	CHECK(completes(flight));
	CHECK(pages_have(base, FLIGHT_PAGES, 500));
	CHECK(pages_have(base + FLIGHT, NR_PAGES - FLIGHT_PAGES,
			 100 + FLIGHT_PAGES));
	return 0;
}

static int writes_while_child_reads(void *arg)
{
	struct flight *flight = arg;
	char *base = flight->self->base;
	struct child child;

	be_first();
	CHECK(prepare(flight));
	child = start_child(child_reads_in, flight);
	rendezvous_wait(&flight->rv, 0);
	CHECK(pages_have(base, NR_PAGES, 100));
	fill_pages(base, NR_PAGES, 200);
	rendezvous_signal(&flight->rv, 0);
	CHECK(!end_child(&child));
	CHECK(pages_have(base, NR_PAGES, 200));
	return 0;
}

static bool has_way(enum way way)
{
	struct flight flight = { .way = way };

	return open_way(&flight);
}

/* In a process of its own for each way */
#define EXPECT_FLIGHT(fn, ...) do {					\
	struct flight flight_ = { .self = self, __VA_ARGS__ };		\
									\
	for (flight_.way = AIO; flight_.way < WAYS; flight_.way++)	\
		if (has_way(flight_.way))				\
			EXPECT_EQ(0, in_child(fn, &flight_));		\
} while (0)

/* Hazards A11, A14. The device reads pages that a fork shares. */
TEST_F(direct, write_out_over_fork)
{
	EXPECT_FLIGHT(parent_writes_out);
}

/* Hazard A11. It writes to them. */
TEST_F(direct, read_in_over_fork)
{
	/* Before 6.5 such pages look like any that somebody has a reference to. */
	if (!kernel_is(6, 5))
		SKIP(return, "pages are not pinned here");
	EXPECT_FLIGHT(parent_reads_in);
}

/* Hazard A14. It reads for the child what the parent writes then. */
TEST_F(direct, write_out_of_child)
{
	EXPECT_FLIGHT(writes_while_child_does);
}

/* Hazard A14. The child has given it up meanwhile. */
TEST_F(direct, write_out_of_child_that_gives_up)
{
	EXPECT_FLIGHT(writes_while_child_does, .gives_up = true);
}

/* Hazard A7. */
TEST_F(direct, read_in_to_child)
{
	EXPECT_FLIGHT(writes_while_child_reads);
}

static int writes_beside_pipe(void *arg)
{
	struct flight *flight = arg;
	char *base = flight->self->base;

	fill_pages(base, NR_PAGES, 300);
	rendezvous_signal(&flight->rv, 1);
	rendezvous_wait(&flight->rv, 1);
	CHECK(pages_have(base, NR_PAGES, 300));
	return 0;
}

/* A request that waits for data; its page is looked for when there is some. */
TEST_F(direct, pipe_over_fork)
{
	struct flight flight = { .self = self, .way = URING };
	char *page = self->base + PAGES(3);
	struct child child;
	int ends[2];

	if (!has_way(URING))
		SKIP(return, "no io_uring here");
	ASSERT_TRUE(prepare(&flight) && open_way(&flight));
	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(0, ring_submit(&flight.ring, IORING_OP_READ, ends[0], page,
				 PAGES(1), -1));
	child = start_child(writes_beside_pipe, &flight);
	rendezvous_wait(&flight.rv, 0);
	EXPECT_TRUE(pages_have(self->base, NR_PAGES, 100));
	fill_page(page + PAGES(1), 200);
	ASSERT_EQ(PAGES(1), write(ends[1], page + PAGES(1), PAGES(1)));
	EXPECT_EQ(PAGES(1), ring_wait(&flight.ring));
	EXPECT_TRUE(page_has(page, 200));
	EXPECT_TRUE(pages_have(self->base, 3, 100));
	rendezvous_signal(&flight.rv, 0);
	EXPECT_EQ(0, end_child(&child));
	EXPECT_TRUE(page_has(page, 200));
}

/*
 * A write to a mapped file of a frozen file system waits in the fault, with
 * mmap_lock held: so one process can make another's calls wait as long as it
 * likes.
 */
struct frozen {
	struct rendezvous rv, thread_rv;
	int fd;
	char *region;
	char *map;
	int (*call)(struct frozen *frozen, char *region);
	pid_t pid;
};

/* R, S, D, Z, ... */
static char process_state(pid_t pid)
{
	char path[32], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state;
}

/* Asks for mmap_lock, for writing: for the first page that is read-only */
static int protect_first(struct frozen *frozen, char *region)
{
	return wr_protect(frozen->fd, region, PAGES(1), RO);
}

/* ... and for many pages */
static int protect_many(struct frozen *frozen, char *region)
{
	return wr_protect(frozen->fd, region, MIB(2), RO);
}

/* For reading, when another thread waits for it already, for writing */
static int query_outside(struct frozen *frozen, char *region)
{
	struct winregion_run run;

	return wr_query(frozen->fd, NULL, &run);
}

static void *protect_in_thread(void *arg)
{
	struct frozen *frozen = arg;

	rendezvous_wait(&frozen->thread_rv, 1);
	protect_many(frozen, frozen->region);
	return NULL;
}

/* It is told when to begin, by others: asking for that would take faults. */
static bool start_thread(struct frozen *frozen)
{
	pthread_t thread;

	return !query_outside(frozen, NULL) &&
	       !pthread_create(&thread, NULL, protect_in_thread, frozen);
}

/* A thread of @pid that is not its first, or 0 */
static pid_t second_thread(pid_t pid)
{
	struct dirent *entry;
	pid_t tid = 0;
	char path[32];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != pid)
			tid = atoi(entry->d_name);
	if (dir)
		closedir(dir);
	return tid;
}

/* The last page of the region is read-only before a call. */
static int wait_for_lock(void *arg)
{
	struct frozen *frozen = arg;
	char *region = wr_alloc(frozen->fd, MIB(2));

	CHECK(region);
	fill_pages(region, 512, 1);
	if (frozen->call != protect_first)
		CHECK(!wr_protect(frozen->fd, region + PAGES(511), PAGES(1),
				  RO));
	frozen->region = region;
	if (frozen->call == query_outside)
		CHECK(start_thread(frozen));
	rendezvous_signal(&frozen->rv, 1);
	rendezvous_wait(&frozen->rv, 1);
	return frozen->call(frozen, region);
}

static int hold_lock(void *arg)
{
	struct frozen *frozen = arg;
	char byte = 1;
	struct iovec from = { &byte, 1 }, to = { frozen->map, 1 };

	CHECK(process_vm_writev(frozen->pid, &from, 1, &to, 1, 0) == 1);
	return 0;
}

/* Hazard B17. Who waits for mmap_lock in one of our calls can be killed. */
static void kill_waiter(struct __test_metadata *_metadata, int file,
			struct frozen *frozen)
{
	struct child waiter, holder;
	pid_t tid;

	ASSERT_TRUE(rendezvous_init(&frozen->rv));
	ASSERT_TRUE(rendezvous_init(&frozen->thread_rv));
	waiter = start_child(wait_for_lock, frozen);
	frozen->pid = waiter.pid;
	rendezvous_wait(&frozen->rv, 0);
	ASSERT_EQ(0, ioctl(file, FIFREEZE, 0));
	holder = start_child(hold_lock, frozen);
	EXPECT_TRUE(SETTLES(process_state(holder.pid) == 'D'));
	tid = second_thread(waiter.pid);
	EXPECT_EQ(frozen->call == query_outside, tid > 0);
	if (tid) {
		rendezvous_signal(&frozen->thread_rv, 0);
		EXPECT_TRUE(SETTLES(process_state(tid) == 'D'));
	}
	rendezvous_signal(&frozen->rv, 0);
	EXPECT_TRUE(SETTLES(process_state(waiter.pid) == 'D'));
	kill(waiter.pid, SIGKILL);
	EXPECT_TRUE(SETTLES(process_state(waiter.pid) == 'Z'));
	EXPECT_EQ('D', process_state(holder.pid));
	EXPECT_EQ(0, ioctl(file, FITHAW, 0));
	EXPECT_EQ(-SIGKILL, end_child(&waiter));
	EXPECT_EQ(0, end_child(&holder));
}

TEST_F_TIMEOUT(direct, killed_while_it_waits, 60)
{
	static int (*const calls[])(struct frozen *frozen, char *region) = {
		protect_first, protect_many, query_outside,
	};
	struct frozen frozen = { .fd = self->fd };
	size_t i;

	fill_page(self->base, 1);
	ASSERT_EQ(PAGES(1), pwrite(self->file, self->base, PAGES(1), 0));
	frozen.map = mmap(NULL, PAGES(1), PROT_READ | PROT_WRITE, MAP_SHARED,
			  self->file, 0);
	ASSERT_NE(MAP_FAILED, frozen.map);
	EXPECT_TRUE(page_has(frozen.map, 1));
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		frozen.call = calls[i];
		kill_waiter(_metadata, self->file, &frozen);
	}
	munmap(frozen.map, PAGES(1));
}

/* Code that comes by direct I/O runs. */
TEST_F(direct, executable_pages)
{
	char *page = self->base + PAGES(4);

	NEEDS_CODE();
	write_code(page);
	ASSERT_EQ(PAGES(1), pwrite(self->file, page, PAGES(1), 0));
	memset(page, 0, 16);
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RX));
	EXPECT_EQ(-1, pread(self->file, page, PAGES(1), 0));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, wr_protect(self->fd, page, PAGES(1), RWX));
	EXPECT_EQ(PAGES(1), pread(self->file, page, PAGES(1), 0));
	EXPECT_TRUE(try_exec(page));
}

TEST_HARNESS_MAIN
