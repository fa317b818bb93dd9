// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What of private memory is out, in swap, comes back before it is touched.
 *
 * Nothing tells a page that is out from one that was never touched, and is made by a
 * look at it: of both nothing is mapped. But a page that is out takes a major fault. So
 * the pages of each 2 MiB are read a few at a time, as long as there is one among them
 * that was out; and where there is none, the next that is tried is farther away.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <unistd.h>

#include <winregion/winregion.h>

#include "bringin.h"
#include "figures.h"
#include "internal.h"

#define PAGE ((uintptr_t)4096)

/* Pages that are read together: as many as come in with the first one that is out */
#define BATCH 16

/* What a look at a page makes at most: a 2 MiB page */
#define SLOT ((uintptr_t)2 << 20)

/* How far it is to the next one that is tried, at most */
#define FARTHEST (16 * SLOT)

/* Of a word of /proc/self/pagemap */
#define PRESENT 0x8000000000000000U

/* Where nothing is swapped at all there is no need to ask of what. */
bool wr_any_out(void)
{
	struct sysinfo system;

	if (!sysinfo(&system) && system.freeswap == system.totalswap)
		return false;

	return wr_told_of_regions("swapped");
}

/* What is read in a region with a write watch would be told as written. */
static bool is_watched(uint64_t address)
{
	uint64_t page;
	struct winregion_write_watch arg = {
		.flags = WINREGION_WATCH_GET,
		.address = address,
		.length = 1,
		.pages = (uintptr_t)&page,
		.nr_pages = 1,
	};

	return winregion_write_watch(&arg) != -EUNATCH;
}

bool wr_may_be_out(const struct winregion_run *run)
{
	return run->state == WINREGION_STATE_COMMIT &&
	       run->type == WINREGION_TYPE_PRIVATE &&
	       !(run->flags &
		 (WINREGION_RUN_FOREIGN | WINREGION_RUN_LARGE_PAGES)) &&
	       !(run->protection & (WINREGION_NOACCESS | WINREGION_GUARD)) &&
	       !is_watched(run->address);
}

static long major_faults(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : usage.ru_majflt;
}

/*
 * By the call that reads other processes' memory: what it finds protected by now it
 * leaves as it is. As an access of our own, by whatever other call, it would take a guard
 * that has come since we looked. Return: whether anything was out.
 */
static bool read_pages(const struct iovec *pages, unsigned int nr)
{
	char bytes[BATCH];
	struct iovec local = { bytes, sizeof(bytes) };
	long before = major_faults();
	unsigned int done = 0;
	ssize_t n;

	while (done < nr) {
		n = process_vm_readv(getpid(), &local, 1, pages + done,
				     nr - done, 0);
		if (n < 0 && errno != EFAULT)
			return false;
		/* And that one which it did not get */
		done += (n > 0 ? n : 0) + 1;
	}

	return major_faults() != before;
}

/* The next pages from page *@i on that are not mapped. Return: how many. */
static unsigned int find_pages(uintptr_t first, const uint64_t *words, size_t n,
			       size_t *i, struct iovec *pages)
{
	unsigned int nr = 0;

	for (; *i < n && nr < BATCH; (*i)++) {
		if (words[*i] & PRESENT)
			continue;
		pages[nr].iov_base = (void *)(first + *i * PAGE);
		pages[nr++].iov_len = 1;
	}

	return nr;
}

/**
 * struct range - what is to come back
 * @first: the first page
 * @end: behind the last
 * @pagemap: of the process, open to be read
 * @room: bytes that may still come
 */
struct range {
	uintptr_t first;
	uintptr_t end;
	int pagemap;
	uint64_t *room;
};

static void take_room(uint64_t *room, uint64_t bytes)
{
	*room -= bytes < *room ? bytes : *room;
}

/* From @first to the end of its slot. Return: whether any was out, or all are mapped. */
static bool read_slot(const struct range *range, uintptr_t first)
{
	uintptr_t left = range->end - first;
	uintptr_t pages_left = (SLOT - first % SLOT) / PAGE;
	uint64_t words[SLOT / PAGE];
	struct iovec pages[BATCH];
	bool out = true, any = false;
	size_t i = 0, n;
	ssize_t size;
	unsigned int nr;

	if (pages_left > left / PAGE)
		pages_left = left / PAGE;
	size = pread(range->pagemap, words, pages_left * sizeof(*words),
		     first / PAGE * sizeof(*words));
	n = size > 0 ? size / sizeof(*words) : 0;
	while (out && *range->room) {
		nr = find_pages(first, words, n, &i, pages);
		if (!nr)
			break;
		out = read_pages(pages, nr);
		any |= out;
		take_room(range->room, out ? nr * PAGE : 0);
	}

	return out || any;
}

/* What was passed over in front of @slot, as far back as it is out */
static void read_back(const struct range *range, uintptr_t slot,
		      uintptr_t missed)
{
	while (slot - missed > SLOT && read_slot(range, slot - SLOT))
		slot -= SLOT;
}

static void read_range(const struct range *range)
{
	uintptr_t at = range->first, slot = at & ~(SLOT - 1), missed = slot;
	uintptr_t step = SLOT;

	while (*range->room) {
		if (!read_slot(range, at)) {
			missed = slot;
			step = step < FARTHEST ? 2 * step : step;
		} else if (step > SLOT) {
			read_back(range, slot, missed);
			step = SLOT;
		}
		if (range->end - slot <= step)
			return;
		slot += step;
		at = slot;
	}
}

void wr_bring_in(uintptr_t first, uintptr_t end, uint64_t *room)
{
	struct range range = {
		.first = first,
		.end = (end + PAGE - 1) & ~(PAGE - 1),
		.room = room,
	};

	WR_NO_CANCEL();

	range.pagemap = open("/proc/thread-self/pagemap", O_RDONLY | O_CLOEXEC);
	if (range.pagemap < 0)
		return;
	read_range(&range);
	wr_close(range.pagemap);
}
