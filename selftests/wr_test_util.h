/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the ioctls themselves share: one thin wrapper for each
 * ioctl, children that report where they failed, and waiting for a system to
 * settle.
 *
 * Include it after kselftest_harness.h and common.h.
 *
 * The wrappers go to the ioctl directly, not through the library, so that a
 * test sees exactly what the module answers. They return 0 or -errno, and fill
 * what the module has to write with a poison value first, so that "not
 * written" can be seen.
 */
#ifndef _SELFTESTS_WR_TEST_UTIL_H
#define _SELFTESTS_WR_TEST_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/winregion.h>

#define WR_DEVICE "/dev/winregion"
#define WR_POISON 0xccccccccU
#define WR_POISON64 0xccccccccccccccccULL

#define RW WINREGION_READWRITE
#define RO WINREGION_READONLY
#define NA WINREGION_NOACCESS
#define RX WINREGION_EXECUTE_READ
#define RWX WINREGION_EXECUTE_READWRITE

/* futex(2), on one word or on two */
static inline long futex2(volatile void *word, int op, uint32_t value,
			  const void *timeout, volatile void *word2,
			  uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}

static inline long futex(volatile void *word, int op, uint32_t value,
			 const struct timespec *timeout)
{
	return futex2(word, op, value, timeout, NULL, 0);
}

/* The ioctls: 0 or -errno */

static inline int wr_open(void)
{
	return open(WR_DEVICE, O_RDWR | O_CLOEXEC);
}

static inline int wr_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

static inline int wr_get_info(int fd, struct winregion_get_info *info)
{
	memset(info, 0xcc, sizeof(*info));
	info->size = sizeof(*info);
	info->flags = 0;
	return wr_ioctl(fd, WINREGION_GET_INFO, info);
}

/*
 * @addr: in: 0 or where; out: the base. @length: in: bytes. Both stay as they
 * are if the call fails.
 */
static inline int wr_reserve_at(int fd, uint64_t *addr, uint64_t length,
				uint32_t flags, uint32_t protection)
{
	struct winregion_reserve arg = {
		.size = sizeof(arg),
		.flags = flags,
		.protection = protection,
		.address = *addr,
		.length = length,
	};
	int ret = wr_ioctl(fd, WINREGION_RESERVE, &arg);

	if (!ret)
		*addr = arg.address;
	return ret;
}

/*
 * A new region of @length bytes at a multiple of @alignment (0: any), committed
 * and writable if @whole is set; or NULL and errno.
 */
static inline char *wr_reserve_aligned(int fd, uint64_t length,
				       uint64_t alignment, bool whole)
{
	struct winregion_reserve arg = {
		.size = sizeof(arg),
		.flags = whole ? WINREGION_RESERVE_COMMIT : 0,
		.protection = RW,
		.length = length,
		.alignment = alignment,
	};
	int ret = wr_ioctl(fd, WINREGION_RESERVE, &arg);

	if (!ret)
		return (char *)(uintptr_t)arg.address;
	errno = -ret;
	return NULL;
}

static inline char *wr_reserve(int fd, uint64_t length)
{
	return wr_reserve_aligned(fd, length, 0, false);
}

static inline char *wr_alloc(int fd, uint64_t length)
{
	return wr_reserve_aligned(fd, length, 0, true);
}

/* @length: 0 for the whole region that starts in the page of @addr */
static inline int wr_release(int fd, const volatile void *addr,
			     uint64_t length)
{
	struct winregion_release arg = {
		.size = sizeof(arg),
		.address = (uintptr_t)addr,
		.length = length,
	};

	return wr_ioctl(fd, WINREGION_RELEASE, &arg);
}

static inline int wr_change(int fd, unsigned long cmd,
			    const volatile void *addr, uint64_t length,
			    uint32_t protection, uint32_t *old)
{
	struct winregion_change arg = {
		.size = sizeof(arg),
		.range = {
			.address = (uintptr_t)addr,
			.length = length,
			.protection = protection,
			.out_old_protection = WR_POISON,
		},
	};
	int ret = wr_ioctl(fd, cmd, &arg);

	if (old)
		*old = arg.range.out_old_protection;
	return ret;
}

static inline int wr_commit(int fd, const volatile void *addr, uint64_t length,
			    uint32_t protection)
{
	return wr_change(fd, WINREGION_COMMIT, addr, length, protection, NULL);
}

static inline int wr_decommit(int fd, const volatile void *addr,
			      uint64_t length)
{
	return wr_change(fd, WINREGION_DECOMMIT, addr, length, 0, NULL);
}

static inline int wr_protect(int fd, const volatile void *addr,
			     uint64_t length, uint32_t protection)
{
	return wr_change(fd, WINREGION_PROTECT, addr, length, protection,
			 NULL);
}

static inline int wr_vector(int fd, unsigned long cmd,
			    struct winregion_range *ranges, uint32_t nr)
{
	struct winregion_change arg = {
		.size = sizeof(arg),
		.nr_ranges = nr,
		.ranges = (uintptr_t)ranges,
	};

	return wr_ioctl(fd, cmd, &arg);
}

static inline int wr_query_flags(int fd, const volatile void *addr,
				 uint32_t flags, struct winregion_run *run)
{
	struct winregion_query arg = {
		.size = sizeof(arg),
		.flags = flags,
		.address = (uintptr_t)addr,
	};
	int ret;

	memset(&arg.out, 0xcc, sizeof(arg.out));
	ret = wr_ioctl(fd, WINREGION_QUERY, &arg);
	*run = arg.out;
	return ret;
}

static inline int wr_query(int fd, const volatile void *addr,
			   struct winregion_run *run)
{
	return wr_query_flags(fd, addr, 0, run);
}

/* Bytes of a range that are in memory; it begins and ends where runs do. */
static inline uint64_t wr_resident(int fd, const volatile void *addr,
				   uint64_t length)
{
	const volatile char *base = addr;
	struct winregion_run run;
	uint64_t sum = 0, done;

	for (done = 0; done < length; done += run.length) {
		if (wr_query_flags(fd, base + done, WINREGION_QUERY_RESIDENT,
				   &run) ||
		    done + run.length > length)
			return ~0ULL;
		sum += run.resident;
	}
	return sum;
}

/* As many runs as fit from *@next on, which moves; their number or -errno */
static inline long wr_query_runs(int fd, uint64_t *next, uint64_t last,
				 uint32_t flags, struct winregion_run *runs,
				 uint32_t nr)
{
	struct winregion_query_runs arg = {
		.size = sizeof(arg),
		.flags = flags,
		.address = *next,
		.last = last,
		.runs = (uintptr_t)runs,
		.nr_runs = nr,
	};
	int ret = wr_ioctl(fd, WINREGION_QUERY_RUNS, &arg);

	if (ret)
		return ret;
	*next = arg.address;
	return arg.nr_runs;
}

/* Short questions: 0 where the call failed, which no answer is */

static inline uint32_t wr_state(int fd, const volatile void *addr)
{
	struct winregion_run run;

	return wr_query(fd, addr, &run) ? 0 : run.state;
}

/* Is the page committed with just this protection? */
static inline bool wr_is(int fd, const volatile void *addr,
			 uint32_t protection)
{
	struct winregion_run run;

	return !wr_query(fd, addr, &run) &&
	       run.state == WINREGION_STATE_COMMIT &&
	       run.protection == protection;
}

static inline bool wr_is_reserved(int fd, const volatile void *addr)
{
	return wr_state(fd, addr) == WINREGION_STATE_RESERVE;
}

/* Is there no region at @addr, whoever else may have a mapping there? */
static inline bool wr_is_gone(int fd, const volatile void *addr)
{
	struct winregion_run run;

	return !wr_query(fd, addr, &run) &&
	       (run.state == WINREGION_STATE_FREE ||
		(run.flags & WINREGION_RUN_FOREIGN));
}

/* A field of GET_INFO, or ~0 */
#define WR_INFO(fd, field) ({				\
	struct winregion_get_info __info;				\
									\
	wr_get_info((fd), &__info) ? ~0ULL :				\
		(unsigned long long)__info.field;			\
})

/* What the system has promised, but for what it has promised to the module. */
static inline int64_t promised_beside_ours(int fd)
{
	return committed_as() - (int64_t)WR_INFO(fd, out_total) -
	       read_number("/sys/module/winregion/parameters/spare_kb") * 1024;
}

/* Contents: each page of a pattern has its own number at three places */

static inline void fill_page(volatile void *page, uint64_t number)
{
	volatile uint64_t *word = page;

	word[0] = number;
	word[255] = ~number;
	word[511] = number * 3;
}

static inline bool page_has(const volatile void *page, uint64_t number)
{
	const volatile uint64_t *word = page;

	return word[0] == number && word[255] == ~number &&
	       word[511] == number * 3;
}

static inline bool page_is_zero(const volatile void *page)
{
	const volatile uint64_t *word = page;
	int i;

	for (i = 0; i < 512; i++)
		if (word[i])
			return false;
	return true;
}

static inline void fill_pages(volatile char *base, size_t pages, uint64_t seed)
{
	size_t i;

	for (i = 0; i < pages; i++)
		fill_page(base + PAGES(i), seed + i);
}

static inline bool pages_have(const volatile char *base, size_t pages,
			      uint64_t seed)
{
	size_t i;

	for (i = 0; i < pages; i++)
		if (!page_has(base + PAGES(i), seed + i))
			return false;
	return true;
}

/* Children: a test's ASSERT_*() are for the test's own process only */

/* In a function that in_child() runs: fail with the line where we are. */
#define CHECK(cond) do {						\
	if (!(cond)) {							\
		fprintf(stderr, "# %s:%d: not %s, errno %d\n", __FILE__, \
			__LINE__, #cond, errno);			\
		return __LINE__;					\
	}								\
} while (0)

struct child {
	pid_t pid;
	volatile int *line;
};

/* Start @fn in a child. It returns 0, or the line where it failed. */
static inline struct child start_child(int (*fn)(void *), void *arg)
{
	struct child child;

	child.line = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (child.line == MAP_FAILED)
		abort();
	fflush(NULL);
	child.pid = fork();
	if (!child.pid) {
		*child.line = fn(arg);
		_exit(*child.line ? 1 : 0);
	}
	return child;
}

/* 0, the line where the child failed, or -signal that it died of */
static inline int end_child(struct child *child)
{
	int status, line;

	if (child->pid < 0 || waitpid(child->pid, &status, 0) != child->pid)
		return -1000;
	line = *child->line;
	munmap((void *)child->line, 4096);
	if (WIFSIGNALED(status))
		return -WTERMSIG(status);
	return line ? line : WEXITSTATUS(status);
}

static inline int in_child(int (*fn)(void *), void *arg)
{
	struct child child = start_child(fn, arg);

	return end_child(&child);
}

/* A child that has the same memory, for one at a time; @flags: more of clone()'s */
static inline pid_t clone_sharing(int (*fn)(void *), int flags, void *arg)
{
	static char stack[1 << 16] __attribute__((aligned(16)));

	return clone(fn, stack + sizeof(stack), CLONE_VM | SIGCHLD | flags,
		     arg);
}

/* The program that runs, in a new file */
static inline bool copy_program(const char *to, mode_t mode)
{
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	static char buffer[1 << 16];
	ssize_t n;

	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, n) != n)
			return false;
	close(in);
	return !n && !fchmod(out, mode) && !close(out);
}

/* Two processes that wait for each other, over a pipe in each direction */

struct rendezvous {
	int fd[2][2];
};

static inline bool rendezvous_init(struct rendezvous *rv)
{
	return !pipe2(rv->fd[0], O_CLOEXEC) && !pipe2(rv->fd[1], O_CLOEXEC);
}

/* After a fork: who waits for the other one is told if that has ended. */
static inline void rendezvous_take(struct rendezvous *rv, int side)
{
	close(rv->fd[!side][1]);
}

/* @side: 0 or 1, which of the two calls */
static inline void rendezvous_signal(struct rendezvous *rv, int side)
{
	if (write(rv->fd[side][1], "x", 1) != 1)
		_exit(99);
}

static inline void rendezvous_wait(struct rendezvous *rv, int side)
{
	char c;

	if (read(rv->fd[!side][0], &c, 1) != 1)
		_exit(98);
}

/* Time and settling */

static inline uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

static inline void sleep_ms(unsigned int ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

#define MAX_MAP_COUNT "/proc/sys/vm/max_map_count"

/* Lower the limit of mappings, and wait as long as the module may go by the old one. */
static inline bool limit_maps(int64_t most)
{
	bool ok = write_number(MAX_MAP_COUNT, most);

	sleep_ms(200);
	return ok;
}

/* A child that would go on for ever is killed, each time a little later. */
static inline void kill_on_the_way(int (*fn)(void *), void *arg)
{
	struct child child;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		child = start_child(fn, arg);
		sleep_ms(5 + i * 3);
		kill(child.pid, SIGKILL);
		waitpid(child.pid, NULL, 0);
	}
}

/* As another user, who may lock so much. It stays dumpable, for /proc/self. */
static inline bool become_nobody(uint64_t bytes)
{
	struct rlimit limit = { bytes, bytes };

	return !setrlimit(RLIMIT_MEMLOCK, &limit) && !setgid(65534) &&
	       !setuid(65534) && !prctl(PR_SET_DUMPABLE, 1);
}

/*
 * What a dead process leaves is given back by work that other CPUs may still
 * have to do, so ask until @cond holds, for 10 seconds at most.
 */
#define SETTLES(cond) ({					\
	uint64_t __end = now_ms() + 10000;				\
	bool __holds;							\
									\
	while (!(__holds = (cond)) && now_ms() < __end)			\
		sleep_ms(20);						\
	__holds;							\
})

/*
 * References to the module, when workers have given up those of what has ended, as far as
 * can be seen: there may be fewer after some time.
 */
static inline int64_t users_at_rest(void)
{
	int64_t users = module_users(), now;
	int same = 0, looks;

	for (looks = 0; same < 10 && looks < 200; looks++) {
		sleep_ms(50);
		now = module_users();
		same = now == users ? same + 1 : 0;
		users = now;
	}
	return users;
}

/*
 * Whether a thread of this process sleeps: after it has said that it is about to make a
 * call that waits, SETTLES(tid && thread_sleeps(tid)), as it may not be there yet.
 */
static inline bool thread_sleeps(pid_t tid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state == 'S';
}

/*
 * What all processes have committed. Of one that has just ended something may still be
 * there, and nobody else has any where tests run.
 */
static inline uint64_t total_beside_ended(int fd)
{
	(void)SETTLES(WR_INFO(fd, out_total) == 0);
	return WR_INFO(fd, out_total);
}

/* Files of /proc/sys and of cgroups */

/* A number tells what: 1 pages of files, 2 what shrinkers have */
#define DROP_CACHES "/proc/sys/vm/drop_caches"

static inline bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

/* Processes that were killed for want of memory */
static inline long oom_kills(void)
{
	return field_of(read_from("/proc/vmstat", "oom_kill "), "oom_kill ");
}

static inline int stay_for_ever(void *arg)
{
	while (pause())
		;
	return 0;
}

/* The administrator has the core do as if there were no memory: it kills @child. */
static inline bool is_first_to_go(struct child *child)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", child->pid);
	return write_text(path, "1000") &&
	       write_text("/proc/sysrq-trigger", "f") &&
	       end_child(child) == -SIGKILL;
}

#define LARGE_PAGES_SETTING "/sys/kernel/mm/transparent_hugepage/enabled"

/* Whether there are 2 MiB pages where they fit */
static inline bool set_large(bool large)
{
	const char *text = large ? "always" : "never";
	char wanted[16];

	snprintf(wanted, sizeof(wanted), "[%s]", text);
	if (*read_from(LARGE_PAGES_SETTING, wanted))
		return true;
	if (!write_text(LARGE_PAGES_SETTING, text))
		return false;
	sleep_ms(1100); /* the module looks once a second */
	return true;
}

#endif /* _SELFTESTS_WR_TEST_UTIL_H */
