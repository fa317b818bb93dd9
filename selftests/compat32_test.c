// SPDX-License-Identifier: GPL-2.0
/*
 * Callers of 32 bits get what those of 64 bits get.
 *
 * Twice: by the system call gate for 32 bits from this process, and in a real
 * 32-bit process. The latter is a few instructions that this file carries and
 * puts into an ELF image: they read the number and the arguments of a system
 * call from a pipe, make it, and write its result to another one. So the tests
 * stay here, and need no 32-bit compiler or library.
 */
#include "kselftest_harness.h"

#include <elf.h>
#include <sys/personality.h>
#include <sys/uio.h>

#include <winregion/windows.h>

#include "common.h"
#include "wr_test_util.h"

#ifdef __x86_64__

/* Numbers of system calls of i386 */
#define NR32_WRITE 4
#define NR32_OPEN 5
#define NR32_IOCTL 54
#define NR32_PERSONALITY 136

/* Where the image is loaded, and where it has room for arguments */
#define IMAGE_BASE 0x08048000
#define IMAGE_SIZE 0x10000
#define REQUEST (IMAGE_BASE + 0x800)
#define ROOM (IMAGE_BASE + 0x2000)

/* A system call: its number and arguments */
struct request {
	uint32_t nr;
	uint32_t arg[6];
};

extern const char server_start[], server_end[];

asm(".pushsection .rodata\n"
	".code32\n"
	"server_start:\n"
	"	mov	$3, %eax\n"		/* read(0, REQUEST, 28) */
	"	xor	%ebx, %ebx\n"
	"	mov	$0x08048800, %ecx\n"
	"	mov	$28, %edx\n"
	"	int	$0x80\n"
	"	cmp	$28, %eax\n"
	"	jne	1f\n"
	"	mov	0x08048800, %eax\n"
	"	mov	0x08048804, %ebx\n"
	"	mov	0x08048808, %ecx\n"
	"	mov	0x0804880c, %edx\n"
	"	mov	0x08048810, %esi\n"
	"	mov	0x08048814, %edi\n"
	"	mov	0x08048818, %ebp\n"
	"	int	$0x80\n"
	"	mov	%eax, 0x08048800\n"
	"	mov	$4, %eax\n"		/* write(1, REQUEST, 4) */
	"	mov	$1, %ebx\n"
	"	mov	$0x08048800, %ecx\n"
	"	mov	$4, %edx\n"
	"	int	$0x80\n"
	"	jmp	server_start\n"
	"1:	mov	$1, %eax\n"		/* exit(0) */
	"	xor	%ebx, %ebx\n"
	"	int	$0x80\n"
	"server_end:\n"
	".code64\n"
	".popsection\n");

/* A file with an image whose code starts at its beginning, behind the headers */
static int make_image(void)
{
	static char image[IMAGE_SIZE];
	Elf32_Ehdr *header = (void *)image;
	Elf32_Phdr *phdr = (void *)(header + 1);
	uint32_t code = sizeof(*header) + sizeof(*phdr);
	int fd = memfd_create("image", MFD_CLOEXEC);

	*header = (Elf32_Ehdr) {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = EV_CURRENT,
		.e_entry = IMAGE_BASE + code,
		.e_phoff = sizeof(*header),
		.e_ehsize = sizeof(*header),
		.e_phentsize = sizeof(*phdr),
		.e_phnum = 1,
	};
	*phdr = (Elf32_Phdr) {
		.p_type = PT_LOAD,
		.p_vaddr = IMAGE_BASE,
		.p_filesz = IMAGE_SIZE,
		.p_memsz = IMAGE_SIZE,
		.p_flags = PF_R | PF_W | PF_X,
		.p_align = 4096,
	};
	memcpy(image + code, server_start, server_end - server_start);
	if (fd < 0 || write(fd, image, IMAGE_SIZE) != IMAGE_SIZE)
		return -1;
	return fd;
}

FIXTURE(process32)
{
	pid_t pid;
	int to, from;
	/* Its descriptor of the device */
	int fd;
};

/* Make a system call there: its result or -errno, or INT32_MIN if it is dead */
static int call(FIXTURE_DATA(process32) *self, uint32_t nr, uint32_t a,
		uint32_t b, uint32_t c)
{
	struct request request = { nr, { a, b, c } };
	int32_t result;

	if (write(self->to, &request, sizeof(request)) != sizeof(request) ||
	    read(self->from, &result, 4) != 4)
		return INT32_MIN;
	return result;
}

/* Copy to and from its memory. */
static bool put(FIXTURE_DATA(process32) *self, uint32_t to, const void *from,
		size_t length)
{
	struct iovec local = { (void *)from, length };
	struct iovec remote = { (void *)(uintptr_t)to, length };

	return process_vm_writev(self->pid, &local, 1, &remote, 1, 0) ==
	       (ssize_t)length;
}

static bool get(FIXTURE_DATA(process32) *self, void *to, uint32_t from,
		size_t length)
{
	struct iovec local = { to, length };
	struct iovec remote = { (void *)(uintptr_t)from, length };

	return process_vm_readv(self->pid, &local, 1, &remote, 1, 0) ==
	       (ssize_t)length;
}

/* An ioctl there, with a copy of @arg */
static int ioctl32(FIXTURE_DATA(process32) *self, unsigned long cmd, void *arg,
		   size_t length)
{
	int ret;

	if (!put(self, ROOM, arg, length))
		return INT32_MIN;
	ret = call(self, NR32_IOCTL, self->fd, cmd, ROOM);
	return get(self, arg, ROOM, length) ? ret : INT32_MIN;
}

#define IOCTL32(cmd, arg) ioctl32(self, WINREGION_##cmd, arg, sizeof(*(arg)))

FIXTURE_SETUP(process32)
{
	static const char path[] = WR_DEVICE;
	char *argv[2] = { "image" }, *envp[1] = { NULL };
	int to[2], from[2], image = make_image();

	ASSERT_LE(0, image);
	ASSERT_EQ(0, pipe2(to, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(from, O_CLOEXEC));
	signal(SIGPIPE, SIG_IGN);
	self->pid = fork();
	if (!self->pid) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		fexecve(image, argv, envp);
		_exit(errno);
	}
	close(image);
	close(to[0]);
	close(from[1]);
	self->to = to[1];
	self->from = from[0];
	/* A call that does nothing: is it alive? */
	if (call(self, NR32_WRITE, -1, 0, 0) == INT32_MIN)
		SKIP(return, "this kernel runs no 32-bit programs");
	ASSERT_TRUE(put(self, ROOM, path, sizeof(path)));
	self->fd = call(self, NR32_OPEN, ROOM, O_RDWR, 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(process32)
{
	int status;

	close(self->to);
	EXPECT_EQ(self->pid, waitpid(self->pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* A region there: its base, or 0 */
static uint32_t alloc32(FIXTURE_DATA(process32) *self, uint64_t length,
			uint32_t flags)
{
	struct winregion_reserve arg = {
		.size = sizeof(arg),
		.flags = flags,
		.protection = RW,
		.length = length,
	};

	if (IOCTL32(RESERVE, &arg) || arg.length != length ||
	    arg.address + length > 1ULL << 32)
		return 0;
	return arg.address;
}

static int change32(FIXTURE_DATA(process32) *self, unsigned long cmd,
		    uint64_t address, uint64_t length, uint32_t protection,
		    uint32_t *old)
{
	struct winregion_change arg = {
		.size = sizeof(arg),
		.range = {
			.address = address,
			.length = length,
			.protection = protection,
			.out_old_protection = WR_POISON,
		},
	};
	int ret = ioctl32(self, cmd, &arg, sizeof(arg));

	if (old)
		*old = arg.range.out_old_protection;
	return ret;
}

static struct winregion_run query32(FIXTURE_DATA(process32) *self,
				    uint64_t address)
{
	struct winregion_query arg = {
		.size = sizeof(arg),
		.address = address,
	};

	if (IOCTL32(QUERY, &arg))
		memset(&arg.out, 0xcc, sizeof(arg.out));
	return arg.out;
}

/* Where a mapping is placed goes by the thread, so it is not for others. Rules: XP-09. */
TEST_F(process32, not_for_others)
{
	struct winregion_open_process arg = { .size = sizeof(arg) };
	int fd = wr_open();
	char name[32];

	snprintf(name, sizeof(name), "/proc/%d/mem", self->pid);
	arg.memory = open(name, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, arg.memory);
	EXPECT_EQ(-ENOEXEC, wr_ioctl(fd, WINREGION_OPEN_PROCESS, &arg));
	arg.flags = WINREGION_PROCESS_CHANGE;
	EXPECT_EQ(-ENOEXEC, wr_ioctl(fd, WINREGION_OPEN_PROCESS, &arg));
	SetLastError(0);
	EXPECT_EQ(NULL, OpenProcess(PROCESS_VM_READ, FALSE, self->pid));
	EXPECT_EQ(ERROR_NOT_SUPPORTED, GetLastError());
	EXPECT_EQ(NULL, OpenProcess(MAXIMUM_ALLOWED | PROCESS_VM_READ, FALSE,
				    self->pid));
	EXPECT_EQ(ERROR_NOT_SUPPORTED, GetLastError());
	EXPECT_NE(NULL, OpenProcess(MAXIMUM_ALLOWED | PROCESS_TERMINATE, FALSE,
				    self->pid));
	close(arg.memory);
	close(fd);
}

/* A descriptor there of this process, which has 64 bits */
static int open_us(FIXTURE_DATA(process32) *self)
{
	struct winregion_open_process arg = {
		.size = sizeof(arg),
		.flags = WINREGION_PROCESS_CHANGE,
	};
	char name[32];
	int memory;

	snprintf(name, sizeof(name), "/proc/%d/mem", getpid());
	if (!put(self, ROOM, name, sizeof(name)))
		return INT32_MIN;
	memory = call(self, NR32_OPEN, ROOM, O_RDWR, 0);
	arg.memory = memory;
	return memory < 0 ? memory :
	       IOCTL32(OPEN_PROCESS, &arg) ? INT32_MIN : arg.out_fd;
}

#define HIGH 0x310000000000

/* The bounds are those of the process that a call is about. */
TEST_F(process32, changes_a_larger_one)
{
	struct winregion_get_info info = { .size = sizeof(info) }, ours;
	struct winregion_reserve reserve = {
		.size = sizeof(reserve),
		.protection = RW,
		.length = MIB(4),
		.lowest = HIGH,
		.highest = HIGH + MIB(8) - 1,
	};
	struct winregion_release release = { .size = sizeof(release) };
	struct winregion_lock lock = {
		.size = sizeof(lock),
		.operation = WINREGION_LOCK_COUNT,
		.address = HIGH,
		.length = MIB(4),
	};
	struct winregion_run run;
	int fd = wr_open();

	self->fd = open_us(self);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, IOCTL32(GET_INFO, &info));
	ASSERT_EQ(0, wr_get_info(fd, &ours));
	EXPECT_EQ(ours.out_highest, info.out_highest);
	ASSERT_EQ(0, IOCTL32(RESERVE, &reserve));
	EXPECT_LE(HIGH, reserve.address);
	ASSERT_EQ(0, change32(self, WINREGION_COMMIT, reserve.address, KIB(8),
			      RW, NULL));
	EXPECT_TRUE(try_write((char *)reserve.address));
	run = query32(self, reserve.address);
	EXPECT_EQ(reserve.address, run.address);
	EXPECT_EQ(KIB(8), run.length);
	EXPECT_EQ(0, IOCTL32(LOCK, &lock));
	release.address = reserve.address;
	EXPECT_EQ(0, IOCTL32(RELEASE, &release));
	EXPECT_FALSE(try_read((char *)reserve.address));
	close(fd);
}

/* What it is told about itself */
TEST_F(process32, get_info)
{
	struct winregion_get_info arg = { .size = sizeof(arg) };

	ASSERT_EQ(0, IOCTL32(GET_INFO, &arg));
	EXPECT_EQ(WINREGION_ABI_VERSION, arg.out_abi_version);
	EXPECT_EQ(4096, arg.out_page_size);
	EXPECT_EQ(WINREGION_GRANULARITY, arg.out_granularity);
	EXPECT_EQ(USER_LOWEST, arg.out_lowest);
	/* Its addresses end below 4 GiB, with a whole unit. */
	EXPECT_GT(1ULL << 32, arg.out_highest);
	EXPECT_LT(0xc0000000, arg.out_highest);
	EXPECT_EQ(0xffff, arg.out_highest & 0xffff);
	EXPECT_EQ(0, arg.out_regions);
}

/* From the reservation to the release, with memory that the program uses */
TEST_F(process32, life_of_a_region)
{
	static const uint64_t lengths[] = { KIB(64), MIB(4) };
	struct winregion_release release = { .size = sizeof(release) };
	struct winregion_run run;
	uint32_t base, old, i;
	char text[16];

	for (i = 0; i < 2; i++) {
		base = alloc32(self, lengths[i], 0);
		ASSERT_NE(0, base);
		EXPECT_EQ(0, base % WINREGION_GRANULARITY);
		/* The kernel's copies there are the program's accesses. */
		EXPECT_EQ(-EFAULT, call(self, NR32_WRITE, 1, base, 4));
		ASSERT_EQ(0, change32(self, WINREGION_COMMIT, base, PAGES(4),
				      RW, NULL));
		ASSERT_TRUE(put(self, base + 4090, "contents", 9));
		ASSERT_EQ(0, change32(self, WINREGION_PROTECT, base, PAGES(1),
				      RO, &old));
		EXPECT_EQ(RW, old);
		EXPECT_FALSE(put(self, base, "x", 1));
		ASSERT_TRUE(get(self, text, base + 4090, 9));
		EXPECT_STREQ("contents", text);
		run = query32(self, base + 100);
		EXPECT_EQ(base, run.address);
		EXPECT_EQ(PAGES(1), run.length);
		EXPECT_EQ(base, run.region_address);
		EXPECT_EQ(lengths[i], run.region_length);
		EXPECT_EQ(PAGES(4), run.region_committed);
		EXPECT_EQ(RO, run.protection);
		ASSERT_EQ(0, change32(self, WINREGION_DECOMMIT, base, PAGES(4),
				      0, NULL));
		EXPECT_FALSE(get(self, text, base, 1));
		release.address = base;
		release.length = 0;
		ASSERT_EQ(0, IOCTL32(RELEASE, &release));
		EXPECT_EQ(base, release.address);
		EXPECT_EQ(lengths[i], release.length);
		EXPECT_EQ(WINREGION_STATE_FREE, query32(self, base).state);
	}
}

/*
 * Its addresses are those of its address space, even if the kernel gives it no new ones
 * at the upper end any more.
 */
TEST_F(process32, less_for_new_ones)
{
	struct winregion_release release = { .size = sizeof(release) };
	uint32_t base = alloc32(self, MIB(4), WINREGION_RESERVE_TOP_DOWN);
	uint32_t low;
	struct winregion_run run;

	ASSERT_LT(0xc0000000, base);
	ASSERT_LE(0, call(self, NR32_PERSONALITY, ADDR_LIMIT_3GB, 0, 0));
	run = query32(self, base);
	EXPECT_EQ(WINREGION_STATE_RESERVE, run.state);
	EXPECT_EQ(base, run.region_address);
	EXPECT_EQ(0, change32(self, WINREGION_COMMIT, base, PAGES(4), RW,
			      NULL));
	EXPECT_TRUE(put(self, base, "contents", 9));
	low = alloc32(self, MIB(4), WINREGION_RESERVE_TOP_DOWN);
	EXPECT_NE(0, low);
	EXPECT_GE(0xc0000000 - MIB(4), low);
	EXPECT_NE(0, alloc32(self, KIB(64), WINREGION_RESERVE_COMMIT));
	release.address = base;
	EXPECT_EQ(0, IOCTL32(RELEASE, &release));
	/* The kernel does not even unmap anything there; but later it may be had. */
	run = query32(self, base);
	EXPECT_TRUE(run.state == WINREGION_STATE_FREE ||
		    run.flags == WINREGION_RUN_FOREIGN);
	ASSERT_LE(0, call(self, NR32_PERSONALITY, 0, 0, 0));
	EXPECT_EQ(base, alloc32(self, MIB(4), WINREGION_RESERVE_TOP_DOWN));
	EXPECT_EQ(0, change32(self, WINREGION_COMMIT, base, PAGES(4), RW,
			      NULL));
	EXPECT_TRUE(put(self, base, "contents", 9));
}

/* The pointer to the ranges has 64 bits there as well. */
TEST_F(process32, vector)
{
	uint32_t base = alloc32(self, MIB(2), 0), i;
	struct winregion_range ranges[8];
	struct winregion_change arg = {
		.size = sizeof(arg),
		.nr_ranges = 8,
		.ranges = ROOM + 0x1000,
	};

	ASSERT_NE(0, base);
	for (i = 0; i < 8; i++)
		ranges[i] = (struct winregion_range) {
			.address = base + PAGES(2 * i),
			.length = PAGES(1),
			.protection = RW,
		};
	ASSERT_TRUE(put(self, ROOM + 0x1000, ranges, sizeof(ranges)));
	arg.ranges |= 1ULL << 32;
	EXPECT_EQ(-EFAULT, IOCTL32(COMMIT, &arg));
	arg.ranges = ROOM + 0x1000;
	EXPECT_EQ(0, IOCTL32(COMMIT, &arg));
	EXPECT_EQ(PAGES(8), query32(self, base).region_committed);
	for (i = 0; i < 8; i++)
		ranges[i].protection = RO;
	ASSERT_TRUE(put(self, ROOM + 0x1000, ranges, sizeof(ranges)));
	EXPECT_EQ(0, IOCTL32(PROTECT, &arg));
	ASSERT_TRUE(get(self, ranges, ROOM + 0x1000, sizeof(ranges)));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(RW, ranges[i].out_old_protection);
}

/* All runs of its address space */
TEST_F(process32, query_runs)
{
	uint32_t base = alloc32(self, MIB(2), WINREGION_RESERVE_COMMIT);
	struct winregion_run runs[4];
	struct winregion_query_runs arg = {
		.size = sizeof(arg),
		.flags = WINREGION_QUERY_REGIONS,
		.last = 0xfffeffff,
		.runs = ROOM + 0x1000,
		.nr_runs = 4,
	};
	struct winregion_get_info info = { .size = sizeof(info) };

	ASSERT_NE(0, base);
	ASSERT_EQ(0, IOCTL32(GET_INFO, &info));
	arg.last = info.out_highest;
	ASSERT_EQ(0, IOCTL32(QUERY_RUNS, &arg));
	EXPECT_EQ(1, arg.nr_runs);
	EXPECT_LT(arg.last, arg.address);
	ASSERT_TRUE(get(self, runs, ROOM + 0x1000, sizeof(runs)));
	EXPECT_EQ(base, runs[0].address);
	EXPECT_EQ(MIB(2), runs[0].length);
	/* Its addresses end where they end. */
	arg.address = 0;
	arg.last = info.out_highest + 1;
	arg.nr_runs = 4;
	EXPECT_EQ(-EADDRNOTAVAIL, IOCTL32(QUERY_RUNS, &arg));
}

/* What cannot be, there */
TEST_F(process32, impossible)
{
	struct winregion_get_info info = { .size = sizeof(info) };
	struct winregion_reserve arg = {
		.size = sizeof(arg),
		.protection = RW,
		.length = GIB(5),
	};
	struct winregion_reserve first = arg;

	ASSERT_EQ(0, IOCTL32(GET_INFO, &info));
	EXPECT_EQ(-EOVERFLOW, IOCTL32(RESERVE, &arg));
	EXPECT_EQ(0, memcmp(&arg, &first, sizeof(arg)));
	arg.length = info.out_highest + 1 - info.out_lowest;
	EXPECT_EQ(-ENOSPC, IOCTL32(RESERVE, &arg));
	arg.length = KIB(64);
	arg.address = info.out_highest + 1;
	EXPECT_EQ(-EADDRNOTAVAIL, IOCTL32(RESERVE, &arg));
	arg.address = 1ULL << 32;
	EXPECT_EQ(-EADDRNOTAVAIL, IOCTL32(RESERVE, &arg));
	arg.address = IMAGE_BASE;
	EXPECT_EQ(-EEXIST, IOCTL32(RESERVE, &arg));
	EXPECT_EQ(-EADDRNOTAVAIL, change32(self, WINREGION_COMMIT, 1ULL << 40,
					   PAGES(1), RW, NULL));
	EXPECT_EQ(-EOVERFLOW, change32(self, WINREGION_COMMIT, ROOM, GIB(4),
				       RW, NULL));
	/* As high as possible, and still there */
	EXPECT_NE(0, alloc32(self, MIB(2), WINREGION_RESERVE_TOP_DOWN));
}

/* The contract is the same. */
TEST_F(process32, contract)
{
	struct winregion_get_info info = { .size = 4 };

	EXPECT_EQ(-EINVAL, IOCTL32(GET_INFO, &info));
	info.size = sizeof(info);
	info.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, IOCTL32(GET_INFO, &info));
	info.flags = 0;
	EXPECT_EQ(-EFAULT, call(self, NR32_IOCTL, self->fd,
				WINREGION_GET_INFO, 0));
	EXPECT_EQ(-EFAULT, call(self, NR32_IOCTL, self->fd,
				WINREGION_GET_INFO, 0xfffffffc));
	EXPECT_EQ(-ENOTTY, call(self, NR32_IOCTL, self->fd,
				_IO(WINREGION_TYPE, 0xff), ROOM));
	EXPECT_EQ(-ENOTTY, call(self, NR32_IOCTL, self->fd, 0x5401, ROOM));
	info.size = sizeof(info) + 8;
	ASSERT_TRUE(put(self, ROOM + sizeof(info), "12345678", 8));
	EXPECT_EQ(-E2BIG, IOCTL32(GET_INFO, &info));
}

/* The gate for 32 bits, from a process of 64 bits */

FIXTURE(gate)
{
	int fd;
	/* For arguments, where 32 bits reach */
	char *room;
};

static int call_gate(uint32_t nr, uint32_t a, uint32_t b, uint32_t c)
{
	int result = nr;

	asm volatile("int	$0x80"
		     : "+a" (result)
		     : "b" (a), "c" (b), "d" (c)
		     : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static int no_gate(void *arg)
{
	/* A process that has no such gate dies here. */
	return call_gate(NR32_WRITE, -1, 0, 0) != -EBADF;
}

FIXTURE_SETUP(gate)
{
	if (in_child(no_gate, NULL))
		SKIP(return, "this kernel has no 32-bit system calls");
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->room = mmap(NULL, PAGES(2), PROT_READ | PROT_WRITE, MAP_PRIVATE |
			  MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, self->room);
}

FIXTURE_TEARDOWN(gate)
{
	close(self->fd);
}

static int gate_ioctl(FIXTURE_DATA(gate) *self, unsigned long cmd, void *arg,
		      size_t length)
{
	int ret;

	memcpy(self->room, arg, length);
	ret = call_gate(NR32_IOCTL, self->fd, cmd, (uintptr_t)self->room);
	memcpy(arg, self->room, length);
	return ret;
}

/* Both ways give the same bytes, also of addresses above 4 GiB. */
TEST_F(gate, same_answers)
{
	struct winregion_get_info info = { .size = sizeof(info) }, other;
	struct winregion_query query = { .size = sizeof(query) };
	struct winregion_run run;
	char *region = wr_alloc(self->fd, MIB(2));

	ASSERT_NE(NULL, region);
	ASSERT_EQ(0, gate_ioctl(self, WINREGION_GET_INFO, &info,
				sizeof(info)));
	ASSERT_EQ(0, wr_get_info(self->fd, &other));
	EXPECT_EQ(0, memcmp(&info, &other, sizeof(info)));
	ASSERT_EQ(0, wr_protect(self->fd, region + PAGES(4), PAGES(3), RO));
	query.address = (uintptr_t)region + PAGES(4);
	ASSERT_EQ(0, gate_ioctl(self, WINREGION_QUERY, &query,
				sizeof(query)));
	ASSERT_EQ(0, wr_query(self->fd, region + PAGES(4), &run));
	EXPECT_EQ(0, memcmp(&query.out, &run, sizeof(run)));
	EXPECT_EQ(PAGES(3), run.length);
}

/* All calls, on memory that this process then uses */
TEST_F(gate, life_of_a_region)
{
	static const uint64_t lengths[] = { KIB(64), MIB(4) };
	struct winregion_reserve reserve;
	struct winregion_release release;
	struct winregion_change change;
	char *base;
	int i;

	for (i = 0; i < 2; i++) {
		reserve = (struct winregion_reserve) {
			.size = sizeof(reserve),
			.protection = RW,
			.length = lengths[i],
		};
		ASSERT_EQ(0, gate_ioctl(self, WINREGION_RESERVE, &reserve,
					sizeof(reserve)));
		base = (char *)(uintptr_t)reserve.address;
		change = (struct winregion_change) {
			.size = sizeof(change),
			.range = {
				.address = reserve.address,
				.length = PAGES(4),
				.protection = RW,
			},
		};
		ASSERT_EQ(0, gate_ioctl(self, WINREGION_COMMIT, &change,
					sizeof(change)));
		fill_pages(base, 4, 11);
		change.range.protection = RX;
		ASSERT_EQ(0, gate_ioctl(self, WINREGION_PROTECT, &change,
					sizeof(change)));
		EXPECT_EQ(RW, change.range.out_old_protection);
		EXPECT_FALSE(try_write(base));
		EXPECT_TRUE(pages_have(base, 4, 11));
		change.range.protection = 0;
		ASSERT_EQ(0, gate_ioctl(self, WINREGION_DECOMMIT, &change,
					sizeof(change)));
		EXPECT_FALSE(try_read(base));
		release = (struct winregion_release) {
			.size = sizeof(release),
			.address = reserve.address,
		};
		ASSERT_EQ(0, gate_ioctl(self, WINREGION_RELEASE, &release,
					sizeof(release)));
		EXPECT_EQ(WINREGION_STATE_FREE, wr_state(self->fd, base));
	}
}

#else /* !__x86_64__ */

TEST(compat32)
{
	SKIP(return, "only for x86-64");
}

#endif

TEST_HARNESS_MAIN
