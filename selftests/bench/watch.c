// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of write watch: which of many pages in memory were written, by
 * winregion, by userfaultfd's asynchronous write protection and PAGEMAP_SCAN, and
 * by mprotect() and a handler of SIGSEGV. "plain" is memory of winregion's that
 * nobody watches.
 */
#include <linux/userfaultfd.h>

#include "bench.h"

#define TOLD 1000
#define APART (AREA / TOLD / PAGE * PAGE)

#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC 0x8000
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED 0x2000
#endif

/* What <linux/fs.h> of later kernels has */
struct scan {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

struct scanned {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

#define SCAN _IOWR('f', 16, struct scan)
#define SCAN_RESETS 3 /* and makes sure that it is asynchronous */
#define IS_WRITTEN 2

static char *area;
static uint64_t told[AREA / PAGE];
static size_t nr_told;

/* ---- userfaultfd ---- */

static int pagemap;

static int uffd_open(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		return -1;
	}
	return fd;
}

bool uffd_exists(void)
{
	int fd = uffd_open();

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static void uffd_get(void)
{
	static struct scanned found[AREA / PAGE];
	struct scan scan = {
		.size = sizeof(scan),
		.flags = SCAN_RESETS,
		.start = (uintptr_t)area,
		.end = (uintptr_t)area + AREA,
		.vec = (uintptr_t)found,
		.vec_len = ARRAY_SIZE(found),
		.category_mask = IS_WRITTEN,
		.return_mask = IS_WRITTEN,
	};
	long n = ioctl(pagemap, SCAN, &scan);

	if (n < 0)
		die("no PAGEMAP_SCAN: %s", strerror(errno));
	nr_told = n; /* ranges, none of which touch here */
}

static void uffd_watch(void)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)area, AREA },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};

	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap < 0 || ioctl(uffd_open(), UFFDIO_REGISTER, &reg))
		die("no userfaultfd: %s", strerror(errno));
}

/* ---- mprotect() ---- */

static void note_write(int sig, siginfo_t *info, void *context)
{
	char *page = (char *)((uintptr_t)info->si_addr & ~(PAGE - 1));

	told[nr_told++] = (uintptr_t)page;
	mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

/* What the handler has noted is taken as it is. */
static void sigsegv_get(void)
{
	if (mprotect(area, AREA, PROT_READ))
		die("no mprotect(): %s", strerror(errno));
}

static void sigsegv_watch(void)
{
	struct sigaction action = {
		.sa_sigaction = note_write,
		.sa_flags = SA_SIGINFO,
	};

	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, NULL);
}

/* ---- winregion ---- */

static void winregion_get(void)
{
	struct winregion_write_watch arg = {
		.size = sizeof(arg),
		.flags = WINREGION_WATCH_GET | WINREGION_WATCH_RESET,
		.address = (uintptr_t)area,
		.length = AREA,
		.pages = (uintptr_t)told,
		.nr_pages = ARRAY_SIZE(told),
	};

	if (wr_ioctl(device, WINREGION_WRITE_WATCH, &arg))
		die("no write watch");
	nr_told = arg.nr_pages;
}

/* ---- all of them ---- */

/* By one letter: see views.c. */
static void get(const struct way *way)
{
	if (way->name[0] == 'w')
		winregion_get();
	else if (way->name[0] == 'u')
		uffd_get();
	else if (way->name[0] == 's')
		sigsegv_get();
}

static char *make_area(const struct way *way)
{
	uint32_t flags = WINREGION_RESERVE_COMMIT;
	uint64_t addr = 0;
	char *base;

	if (way->name[0] == 'w')
		flags |= WINREGION_RESERVE_WRITE_WATCH;
	if (way->name[0] == 'w' || way->name[0] == 'p') {
		if (wr_reserve_at(device, &addr, AREA, flags, RW))
			die("no region");
		return (char *)(uintptr_t)addr;
	}
	base = mmap(NULL, AREA, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		die("no memory");
	return base;
}

/* 64 MiB, all of it in memory, and then watched */
static void prepare(const struct way *way)
{
	if (area)
		return;
	area = make_area(way);
	touch_all(area, AREA);
	if (way->name[0] == 'u')
		uffd_watch();
	if (way->name[0] == 's')
		sigsegv_watch();
	get(way);
}

static void write_some(void)
{
	size_t i;

	for (i = 0; i < TOLD; i++)
		touch(area + i * APART);
}

static void row_write(const struct way *way, size_t size)
{
	prepare(way);
	nr_told = 0;
	lap_start("", TOLD);
	write_some();
	lap_stop();
	get(way);
}

static void row_get(const struct way *way, size_t written)
{
	prepare(way);
	nr_told = 0;
	write_some();
	lap_start("", 1);
	get(way);
	lap_stop();
	if (nr_told != written)
		die("%zu of %zu pages told", nr_told, written);
}

#define WATCHES "winregion uffd sigsegv"

const struct row watch_rows[] = {
	{ "watch-write", row_write, WATCHES " plain" },
	{ "watch-get", row_get, WATCHES, TOLD },
	{ NULL }
};
