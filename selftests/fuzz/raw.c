// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments that no program would make: structures of any size, mutated, with
 * something behind their end, in memory that is unmapped, read-only, the
 * kernel's, cut by the end of a mapping, or itself in a region; ioctl numbers
 * that are a little wrong. What comes back must be in the contract, and nothing
 * of what the process has elsewhere may change.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

/* Far from all else, so that a flipped bit of a pointer leads nowhere */
#define BUFFER ((char *)0x300000000000)
#define BUFFER_SIZE 0x40000
#define READ_ONLY ((char *)0x300010000000)
#define NO_ACCESS ((char *)0x300020000000)
#define CANARY ((char *)0x35a5a0000000)
#define CANARY_SIZE 0x10000
#define REGION ((char *)0x310000000000)
#define REGION_SIZE 0x40000
#define PHYSICAL ((char *)0x320000000000)
#define PHYSICAL_PAGES 32
/* Placeholders of a page each, for parts of an image */
#define PLACES ((char *)0x330000000000)
#define PLACES_PAGES 4

struct raw {
	struct fuzz rng;
	uint64_t maps;
	int fd;
	int section;
	/* Pieces of the file are the image. */
	int file;
	int image;
	unsigned int wrong;
	uint64_t seed;
	uint64_t done;
};

static const int common_errors[] = { 0, EINVAL, EOPNOTSUPP, E2BIG, EFAULT };

static const struct {
	unsigned int cmd;
	unsigned int size;
	int errors[20];
	bool of_section; /* an ioctl of a section's descriptor */
	unsigned int least; /* its size once, if it was another one */
} calls[] = {
	{ WINREGION_GET_INFO, sizeof(struct winregion_get_info), .errors = { 0 } },
	{ WINREGION_RESERVE, sizeof(struct winregion_reserve),
	  .errors = { EDOM, EADDRNOTAVAIL, EOVERFLOW, EEXIST, ENOSPC, EDQUOT, EMFILE,
	    EAGAIN, EACCES, ENOMEM, ENFILE, EBADSLT, ENOBUFS } },
	{ WINREGION_RELEASE, sizeof(struct winregion_release),
	  .errors = { EADDRNOTAVAIL, EOVERFLOW, ENOENT, EXDEV, ESPIPE, EMFILE, ENOMEM,
	    EBADSLT, ENOTBLK } },
	{ WINREGION_COMMIT, sizeof(struct winregion_change),
	  .errors = { EDOM, EADDRNOTAVAIL, EOVERFLOW, ENOENT, EXDEV, ENOSPC, EDQUOT,
	    EAGAIN, EACCES, ENOMEM, ENFILE, EBADSLT, ENOTBLK } },
	{ WINREGION_DECOMMIT, sizeof(struct winregion_change),
	  .errors = { EADDRNOTAVAIL, EOVERFLOW, ENOENT, EXDEV, ESPIPE, ENOSPC, EAGAIN,
	    ENOMEM, ENOTBLK } },
	{ WINREGION_PROTECT, sizeof(struct winregion_change),
	  .errors = { EDOM, EADDRNOTAVAIL, EOVERFLOW, ENOENT, EXDEV, ENODATA, ENOSPC,
	    EAGAIN, EACCES, ENOMEM } },
	{ WINREGION_QUERY, sizeof(struct winregion_query), .errors = { EADDRNOTAVAIL } },
	{ WINREGION_QUERY_RUNS, sizeof(struct winregion_query_runs),
	  .errors = { EADDRNOTAVAIL, ENOMEM } },
	{ WINREGION_WRITE_WATCH, sizeof(struct winregion_write_watch),
	  .errors = { EADDRNOTAVAIL, EOVERFLOW, ENOENT, EXDEV, EUNATCH, ENOMEM } },
	{ WINREGION_LAST_FAULT, sizeof(struct winregion_last_fault),
	  .errors = { 0 } },
	{ WINREGION_RESET, sizeof(struct winregion_reset),
	  .errors = { EDOM, EADDRNOTAVAIL, EOVERFLOW, ENOENT, EXDEV, ENODATA,
	    EMEDIUMTYPE, ENOMSG, ENOMEM, ENOTBLK } },
	{ WINREGION_LOCK, sizeof(struct winregion_lock),
	  .errors = { EADDRNOTAVAIL, EOVERFLOW, ENOENT, ENODATA, EPROTO, ESTALE,
	    EAGAIN, EIO, ENOMEM, ENOLCK } },
	{ WINREGION_FRAMES, sizeof(struct winregion_frames),
	  .errors = { EOVERFLOW, EAGAIN, EDQUOT, ENOMEM, ENFILE } },
	{ WINREGION_MAP_FRAMES, sizeof(struct winregion_map_frames),
	  .errors = { EADDRNOTAVAIL, EOVERFLOW, ENOMEM } },
	{ WINREGION_OPEN_PROCESS, sizeof(struct winregion_open_process),
	  .errors = { EBADF, EKEYREJECTED, EOWNERDEAD, ENOEXEC, EMFILE, ENFILE,
	    ENOMEM } },
	{ WINREGION_SET_STACK, sizeof(struct winregion_set_stack),
	  .errors = { EADDRNOTAVAIL, ENOENT, EXDEV } },
	{ WINREGION_CREATE_SECTION, sizeof(struct winregion_create_section),
	  .errors = { EBADF, EDOM, EMEDIUMTYPE, EKEYREJECTED, ENXIO, EFBIG, EDQUOT,
	    EMFILE, ENFILE, ENOSPC, EAGAIN, ENOMEM, ENAMETOOLONG, ENOTUNIQ,
	    ESRCH, EIO }, .least = 32 },
	{ WINREGION_OPEN_SECTION, sizeof(struct winregion_open_section),
	  .errors = { ENAMETOOLONG, ESRCH, EKEYREJECTED, EMFILE, ENFILE, ENOMEM } },
	{ WINREGION_UNMAP_VIEW, sizeof(struct winregion_unmap_view),
	  .errors = { EADDRNOTAVAIL, ENOENT, ENOMEM, ENOSPC, EACCES, EBADSLT, EMFILE,
	    ENFILE, EAGAIN } },
	{ WINREGION_FLUSH_VIEW, sizeof(struct winregion_flush_view),
	  .errors = { EADDRNOTAVAIL, ENOENT, EXDEV } },
	{ WINREGION_QUERY_FILE, sizeof(struct winregion_query_file),
	  .errors = { EBADF } },
	{ WINREGION_MAP_VIEW, sizeof(struct winregion_map_view),
	  .errors = { EDOM, EKEYREJECTED, ERANGE, EADDRNOTAVAIL, EOVERFLOW, EEXIST,
	    ENOSPC, EDQUOT, EMFILE, EAGAIN, EACCES, EMEDIUMTYPE, ENOMEM,
	    ENFILE, EBADSLT }, .of_section = true, .least = 64 },
	{ WINREGION_QUERY_SECTION, sizeof(struct winregion_query_section),
	  .errors = { EKEYREJECTED }, .of_section = true, .least = 48 },
	{ WINREGION_EXTEND_SECTION, sizeof(struct winregion_extend_section),
	  .errors = { EKEYREJECTED, EMEDIUMTYPE, EFBIG }, .of_section = true },
	{ WINREGION_DUPLICATE_SECTION,
	  sizeof(struct winregion_duplicate_section),
	  .errors = { EKEYREJECTED, EMFILE, ENFILE, ENOMEM }, .of_section = true },
};

static uint32_t below(struct raw *raw, uint32_t n)
{
	return fuzz_random(&raw->rng, n);
}

/* ---- memory ---- */

/* Our own writes may fail too: a call may have released what they go to. */

static __thread sigjmp_buf env;

static void on_fault(int sig)
{
	siglongjmp(env, sig);
}

static void put_bytes(char *to, const void *from, size_t n)
{
	volatile char *byte = to;
	const char *source = from;
	size_t i;

	if (sigsetjmp(env, 0))
		return;
	for (i = 0; i < n; i++)
		byte[i] = source[i];
}

static bool map_at(void *at, size_t size, int protection)
{
	return mmap(at, size, protection, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_FIXED_NOREPLACE, -1, 0) == at;
}

static void make_places(struct raw *raw)
{
	struct winregion_reserve reserve = {
		.size = sizeof(reserve),
		.flags = WINREGION_RESERVE_PLACEHOLDER,
		.protection = WINREGION_NOACCESS,
		.address = (uintptr_t)PLACES,
		.length = PLACES_PAGES * MODEL_PAGE,
	};
	struct winregion_release release = {
		.size = sizeof(release),
		.flags = WINREGION_RELEASE_PRESERVE,
		.address = (uintptr_t)PLACES,
		.length = MODEL_PAGE,
	};

	ioctl(raw->fd, WINREGION_RESERVE, &reserve);
	for (; release.address < (uintptr_t)PLACES + reserve.length;
	     release.address += MODEL_PAGE)
		ioctl(raw->fd, WINREGION_RELEASE, &release);
}

/* A region again where arguments are put, whatever has become of it */
static void renew_region(struct raw *raw)
{
	struct winregion_reserve reserve = {
		.size = sizeof(reserve),
		.flags = WINREGION_RESERVE_COMMIT,
		.protection = WINREGION_READWRITE,
		.address = (uintptr_t)REGION,
		.length = REGION_SIZE,
	};
	struct winregion_query_runs query;
	struct winregion_release release;
	struct winregion_run run;

	do {
		query = (struct winregion_query_runs) {
			.size = sizeof(query),
			.flags = WINREGION_QUERY_REGIONS,
			.last = MODEL_HIGHEST,
			.runs = (uintptr_t)&run,
			.nr_runs = 1,
		};
		if (ioctl(raw->fd, WINREGION_QUERY_RUNS, &query))
			break;
		release = (struct winregion_release) {
			.size = sizeof(release),
			.address = run.region_address,
		};
	} while (query.nr_runs && !ioctl(raw->fd, WINREGION_RELEASE, &release));
	ioctl(raw->fd, WINREGION_RESERVE, &reserve);
	reserve.flags = WINREGION_RESERVE_PHYSICAL;
	reserve.address = (uintptr_t)PHYSICAL;
	reserve.length = PHYSICAL_PAGES * MODEL_PAGE;
	ioctl(raw->fd, WINREGION_RESERVE, &reserve);
	make_places(raw);
}

/* Else a number of frames that makes no sense would be all of the memory. */
static void limit_lock(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];
	struct rlimit limit = { 0x400000, 0x400000 };

	setrlimit(RLIMIT_MEMLOCK, &limit);
	if (syscall(SYS_capget, &header, data))
		return;
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	syscall(SYS_capset, &header, data);
}

/* Of which some memory is not committed */
static int make_section(struct raw *raw)
{
	struct winregion_create_section arg = {
		.size = sizeof(arg),
		.flags = WINREGION_SECTION_RESERVE,
		.file = -1,
		.protection = WINREGION_READWRITE,
		.access = WINREGION_SECTION_ALL,
		.length = 0x100000,
	};

	return ioctl(raw->fd, WINREGION_CREATE_SECTION, &arg) ? -1 : arg.out_fd;
}

static const struct winregion_piece image_pieces[] = {
	{ 0, 0x1000, 0, 0x200, WINREGION_READONLY, 0 },
	{ 0x1000, 0x2000, 0x200, 0x1234, WINREGION_EXECUTE_READ, 0 },
	{ 0x3000, 0x1000, 0, 0, WINREGION_READWRITE, 0 },
};

static void want_image(struct raw *raw, struct winregion_create_section *arg)
{
	arg->flags = WINREGION_SECTION_IMAGE;
	arg->file = raw->file;
	arg->protection = WINREGION_EXECUTE_READWRITE;
	arg->length = 0x4000;
	arg->pieces = (uintptr_t)image_pieces;
	arg->nr_pieces = ARRAY_SIZE(image_pieces);
}

static int make_image(struct raw *raw)
{
	struct winregion_create_section arg = {
		.size = sizeof(arg),
		.access = WINREGION_SECTION_ALL,
	};

	raw->file = memfd_create("pieces", MFD_CLOEXEC);
	if (raw->file < 0 || ftruncate(raw->file, 0x10000))
		return -1;
	want_image(raw, &arg);
	return ioctl(raw->fd, WINREGION_CREATE_SECTION, &arg) ? -1 : arg.out_fd;
}

/* Descriptors from here on are not the test's own. */
static void close_from(int first)
{
	int fd;

	for (fd = first; fd < first + 64; fd++)
		close(fd);
}

/* All views, which are regions of their own type */
static void unmap_views(struct raw *raw)
{
	struct winregion_query_runs query;
	struct winregion_unmap_view unmap;
	struct winregion_run run;
	uint64_t first = 0;

	for (;;) {
		query = (struct winregion_query_runs) {
			.size = sizeof(query),
			.flags = WINREGION_QUERY_REGIONS,
			.address = first,
			.last = MODEL_HIGHEST,
			.runs = (uintptr_t)&run,
			.nr_runs = 1,
		};
		if (ioctl(raw->fd, WINREGION_QUERY_RUNS, &query) ||
		    !query.nr_runs)
			return;
		first = run.address + run.length;
		unmap = (struct winregion_unmap_view) {
			.size = sizeof(unmap),
			.address = run.address,
		};
		if (run.type != WINREGION_TYPE_PRIVATE)
			ioctl(raw->fd, WINREGION_UNMAP_VIEW, &unmap);
	}
}

static bool raw_init(struct raw *raw)
{
	struct sigaction action = {
		.sa_handler = on_fault,
		.sa_flags = SA_NODEFER,
	};

	limit_lock();
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	raw->fd = open("/dev/winregion", O_RDWR | O_CLOEXEC);
	raw->section = make_section(raw);
	raw->image = make_image(raw);
	if (raw->fd < 0 || raw->section < 0 || raw->image < 0 ||
	    !map_at(BUFFER, BUFFER_SIZE, PROT_READ | PROT_WRITE) ||
	    !map_at(READ_ONLY, MODEL_PAGE, PROT_READ) ||
	    !map_at(NO_ACCESS, MODEL_PAGE, PROT_NONE) ||
	    !map_at(CANARY, CANARY_SIZE, PROT_READ | PROT_WRITE))
		return false;
	memset(CANARY, 0x5a, CANARY_SIZE);
	renew_region(raw);
	return true;
}

/* ---- arguments ---- */

static char *some_place(struct raw *raw)
{
	static char *const places[] = {
		NULL, (char *)16, READ_ONLY, NO_ACCESS, CANARY - MODEL_PAGE,
		(char *)0x800000000000, (char *)0xffff800000000000,
		(char *)0xffffffff81000000, (char *)-1, (char *)-8,
		(char *)0x7ffffffff000, (char *)0xffffffffff600000,
	};

	switch (below(raw, 8)) {
	case 0:
		return places[below(raw, ARRAY_SIZE(places))];
	case 1: /* cut by the end of the mapping */
		return BUFFER + BUFFER_SIZE - below(raw, 200);
	case 2: /* over the edge of two pages */
		return BUFFER + 3 * MODEL_PAGE - below(raw, 100);
	case 3:
		return REGION + below(raw, REGION_SIZE);
	case 4:
		return REGION + REGION_SIZE - below(raw, 200);
	}
	return BUFFER + below(raw, 2 * MODEL_PAGE);
}

static uint64_t some_number(struct raw *raw)
{
	static const uint64_t numbers[] = {
		0, 1, 4096, 0x10000, MODEL_HIGHEST, MODEL_HIGHEST + 1,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 1024, 1025,
		0x8000000000000000, 0xffffffffffffffff, 0xfffffffffffff000,
	};

	switch (below(raw, 4)) {
	case 0:
		return numbers[below(raw, ARRAY_SIZE(numbers))];
	case 1:
		return (uintptr_t)some_place(raw);
	case 2:
		return (uintptr_t)REGION + below(raw, REGION_SIZE);
	}
	return below(raw, 0x100);
}

/* Of an image: its bytes, or a part of it, where there may be no placeholder */
static void want_part(struct raw *raw, struct winregion_map_view *view)
{
	view->flags = WINREGION_VIEW_IMAGE;
	view->protection = below(raw, 2) ? WINREGION_READONLY :
					   WINREGION_WRITECOPY;
	view->offset = 0;
	view->length = MODEL_PAGE * below(raw, 5);
	view->commit = 0;
	if (below(raw, 2))
		return;
	view->flags |= WINREGION_VIEW_REPLACE;
	view->image = (uintptr_t)PLACES;
	view->offset = MODEL_PAGE * below(raw, PLACES_PAGES);
	view->length = MODEL_PAGE;
	view->address = view->image + view->offset;
}

/* What a careful program could send */
static void sensible(struct raw *raw, unsigned int i, void *arg)
{
	struct winregion_reserve *reserve = arg;
	struct winregion_change *change = arg;
	struct winregion_query_runs *runs = arg;
	struct winregion_create_section *section = arg;
	struct winregion_map_view *view = arg;
	struct winregion_frames *frames = arg;
	struct winregion_map_frames *map = arg;

	*(uint32_t *)arg = calls[i].size;
	switch (calls[i].cmd) {
	case WINREGION_RESERVE:
		reserve->protection = WINREGION_READWRITE;
		reserve->length = 1 + below(raw, 0x200000);
		break;
	case WINREGION_COMMIT:
	case WINREGION_DECOMMIT:
	case WINREGION_PROTECT:
		change->range.address = (uintptr_t)REGION +
					below(raw, REGION_SIZE);
		change->range.length = 1 + below(raw, 0x4000);
		if (calls[i].cmd != WINREGION_DECOMMIT)
			change->range.protection = WINREGION_READWRITE;
		break;
	case WINREGION_QUERY_RUNS:
		runs->last = MODEL_HIGHEST;
		runs->runs = (uintptr_t)BUFFER;
		runs->nr_runs = 1 + below(raw, 100);
		break;
	case WINREGION_CREATE_SECTION:
		section->file = -1;
		section->protection = WINREGION_READWRITE;
		section->access = WINREGION_SECTION_ALL;
		section->length = 1 + below(raw, 0x200000);
		if (!below(raw, 3))
			want_image(raw, section);
		break;
	case WINREGION_MAP_VIEW:
		view->protection = WINREGION_READWRITE;
		view->offset = 0x10000 * below(raw, 0x11);
		view->length = below(raw, 0x20000);
		view->commit = below(raw, 2) * below(raw, 0x10000);
		if (!below(raw, 3))
			want_part(raw, view);
		break;
	case WINREGION_FRAMES:
		frames->flags = below(raw, 2) * WINREGION_FRAMES_FREE;
		frames->count = 1 + below(raw, 40);
		frames->frames = (uintptr_t)BUFFER;
		break;
	case WINREGION_MAP_FRAMES:
		map->address = (uintptr_t)PHYSICAL +
			       MODEL_PAGE * below(raw, PHYSICAL_PAGES);
		map->count = 1 + below(raw, 20);
		map->frames = below(raw, 3) * (uintptr_t)BUFFER / 2;
		break;
	case WINREGION_RELEASE:
	case WINREGION_QUERY:
	case WINREGION_UNMAP_VIEW:
	case WINREGION_FLUSH_VIEW:
		((struct winregion_query *)arg)->address =
			(uintptr_t)REGION + below(raw, REGION_SIZE);
		break;
	}
}

static uint32_t some_size(struct raw *raw, unsigned int known)
{
	switch (below(raw, 8)) {
	case 0:
		return below(raw, 4097);
	case 1:
		return known - 3 + below(raw, 7);
	case 2:
		return known + 8 * below(raw, 8);
	case 3:
		return some_number(raw);
	}
	return known;
}

/* Fields of 4 or 8 bytes become something else, or a bit flips. */
static void mutate(struct raw *raw, char *arg, unsigned int size)
{
	unsigned int n = below(raw, 4), at;
	uint64_t number;

	while (n--) {
		at = 4 + 4 * below(raw, (size - 4) / 4 - 1);
		number = some_number(raw);
		switch (below(raw, 3)) {
		case 0:
			arg[at + below(raw, 4)] ^= 1 << below(raw, 8);
			break;
		case 1:
			memcpy(arg + at, &number, 4);
			break;
		default:
			memcpy(arg + at / 8 * 8, &number, 8);
		}
	}
}

static unsigned int some_cmd(struct raw *raw, unsigned int i)
{
	if (below(raw, 30))
		return calls[i].cmd;
	switch (below(raw, 4)) {
	case 0: /* a number beside those that there are */
		return _IO(WINREGION_TYPE, 0x70 + below(raw, 0x30));
	case 1: /* a type beside ours */
		return _IO(WINREGION_TYPE - 1 + below(raw, 3), 0x80 + i);
	case 2: /* a direction or a size, of which our numbers have none */
		return calls[i].cmd | (1U << (16 + below(raw, 16)));
	}
	return _IO(WINREGION_TYPE, below(raw, 256));
}

/* ---- calls ---- */

static bool is_one_of(int error, const int *errors, unsigned int n)
{
	while (n--)
		if (*errors++ == error)
			return true;
	return false;
}

static bool is_in_contract(unsigned int cmd, bool of_section, int error)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].cmd == cmd && calls[i].of_section == of_section)
			return is_one_of(error, common_errors,
					 ARRAY_SIZE(common_errors)) ||
			       is_one_of(error, calls[i].errors,
					 ARRAY_SIZE(calls[i].errors));
	return error == ENOTTY;
}

static void complain(struct raw *raw, const char *what, unsigned int cmd,
		     int error)
{
	if (raw->wrong++ < 10)
		printf("# raw seed %lu, call %lu: %s (ioctl 0x%x, errno %d)\n",
		       raw->seed, raw->done, what, cmd, error);
}

static void one_call(struct raw *raw)
{
	unsigned int i = below(raw, ARRAY_SIZE(calls)), cmd, size, n;
	char arg[4096 + 64] = { 0 };
	char *place = some_place(raw);
	int error, fd;

	cmd = some_cmd(raw, i);
	sensible(raw, i, arg);
	mutate(raw, arg, calls[i].size);
	if (!below(raw, 8))
		arg[below(raw, 4096)] = 1;
	size = some_size(raw, calls[i].size);
	memcpy(arg, &size, 4);
	n = size > calls[i].size && size <= 4096 ? size : calls[i].size;
	put_bytes(place, arg, n);
	fd = below(raw, 2) ? raw->section : raw->image;
	error = ioctl(calls[i].of_section ? fd : raw->fd, cmd, place) ?
		errno : 0;
	if (!is_in_contract(cmd, calls[i].of_section, error))
		complain(raw, "not an error of the contract", cmd, error);
	if (!error && size < (calls[i].least ?: calls[i].size) &&
	    cmd == calls[i].cmd &&
	    place >= BUFFER && place + 4096 < BUFFER + BUFFER_SIZE)
		complain(raw, "took a structure that is too small", cmd, error);
}

static void check_canary(struct raw *raw)
{
	unsigned int i;

	for (i = 0; i < CANARY_SIZE; i++)
		if (CANARY[i] != 0x5a) {
			complain(raw, "memory of others has changed", 0, 0);
			memset(CANARY, 0x5a, CANARY_SIZE);
		}
}

/* A number that tells the mappings of others from any other ones */
static uint64_t others(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	uint64_t hash = 0;
	char line[300];
	char *c;

	while (file && fgets(line, sizeof(line), file)) {
		if (strstr(line, "[winregion]") || strstr(line, "[stack]") ||
		    strstr(line, "[heap]") || strstr(line, "winregion-frames"))
			continue;
		for (c = line; *c; c++)
			hash = hash * 31 + *c;
	}
	if (file)
		fclose(file);
	return hash;
}

static void check_maps(struct raw *raw)
{
	uint64_t maps = others();

	if (maps != raw->maps)
		complain(raw, "mappings of others have changed", 0, 0);
	raw->maps = maps;
}

unsigned int raw_run(uint64_t n, uint64_t seed)
{
	struct raw raw = { .seed = seed };
	int next_fd;

	raw.rng.random = (seed + 1) * 0x9e3779b97f4a7c15;
	if (!raw_init(&raw)) {
		printf("# raw: cannot start: %s\n", strerror(errno));
		return 1;
	}
	others(); /* makes what it needs itself */
	raw.maps = others();
	next_fd = dup(raw.fd);
	close(next_fd);
	for (; raw.done < n; raw.done++) {
		one_call(&raw);
		if (!(raw.done % 256)) {
			unmap_views(&raw);
			close_from(next_fd);
			renew_region(&raw);
			check_canary(&raw);
		}
		if (!(raw.done % 4096))
			check_maps(&raw);
	}
	fflush(stdout);
	return raw.wrong;
}
