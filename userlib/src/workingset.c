// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The working set: what of the process is mapped right now, which pages are, and its
 * limits, which are remembered, and of which the largest is kept to when it is set
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <winregion/memoryapi.h>
#include <winregion/psapi.h>
#include <winregion/winregion.h>

#include "figures.h"
#include "process.h"
#include "smaps.h"

#define PAGE_SHIFT 12
#define PAGE_BYTES ((SIZE_T)1 << PAGE_SHIFT)

/* Of a word of /proc/self/pagemap */
#define PRESENT 0x8000000000000000U
#define EXCLUSIVE 0x0100000000000000U

/* ---- its limits ---- */

#define MIN_FLAGS \
	(QUOTA_LIMITS_HARDWS_MIN_ENABLE | QUOTA_LIMITS_HARDWS_MIN_DISABLE)
#define MAX_FLAGS \
	(QUOTA_LIMITS_HARDWS_MAX_ENABLE | QUOTA_LIMITS_HARDWS_MAX_DISABLE)

/* Rules WS-02 to WS-04 */
#define LEAST_MIN (20 * PAGE_BYTES)
#define LEAST_MAX (13 * PAGE_BYTES)

/* Held across a fork() */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct limits {
	SIZE_T min;
	SIZE_T max;
	DWORD flags;
} limits = {
	.min = 50 * PAGE_BYTES,
	.max = 345 * PAGE_BYTES,
	.flags = QUOTA_LIMITS_HARDWS_MIN_DISABLE |
		 QUOTA_LIMITS_HARDWS_MAX_DISABLE,
};

WR_HOLD_ACROSS_FORK(lock, __attribute__((constructor)))

static BOOL empty(const struct wr_target *target)
{
	struct winregion_lock arg = {
		.size = sizeof(arg),
		.operation = WINREGION_LOCK_TRIM,
		.address = WINREGION_GRANULARITY,
	};
	struct winregion_get_info info = { 0 };
	int err = winregion_get_info(&info);

	arg.length = info.out_highest + 1 - arg.address;
	if (!err)
		err = wr_target_ioctl(target, WINREGION_LOCK, &arg);

	return wr_succeeded(wr_status(WR_LOCK, err));
}

/* Rule WS-05; what is not said stays. */
static bool flags_are_valid(DWORD flags)
{
	return !(flags & ~(MIN_FLAGS | MAX_FLAGS)) &&
	       (flags & MIN_FLAGS) != MIN_FLAGS &&
	       (flags & MAX_FLAGS) != MAX_FLAGS;
}

/* Return: the maximum that it is. */
static SIZE_T set_limits(SIZE_T min, SIZE_T max, DWORD flags)
{
	min &= ~(PAGE_BYTES - 1);
	max &= ~(PAGE_BYTES - 1);
	if (min < LEAST_MIN)
		min = LEAST_MIN;
	if (max < min)
		max = min;
	pthread_mutex_lock(&lock);
	limits.min = min;
	limits.max = max;
	if (flags & MIN_FLAGS)
		limits.flags = (limits.flags & ~MIN_FLAGS) |
			       (flags & MIN_FLAGS);
	if (flags & MAX_FLAGS)
		limits.flags = (limits.flags & ~MAX_FLAGS) |
			       (flags & MAX_FLAGS);
	pthread_mutex_unlock(&lock);

	return max;
}

/* Ordinary memory does not count: it would stay, and regions leave in vain. */
static bool is_below(SIZE_T max)
{
	struct wr_own own;

	wr_own_figures(&own);

	return max < own.shared;
}

/* Those of another process are not known here. */
static BOOL set_working_set(const struct wr_target *target, SIZE_T min,
			    SIZE_T max, DWORD flags)
{
	const SIZE_T all = ~(SIZE_T)0;

	if (!flags_are_valid(flags))
		return wr_fail(ERROR_INVALID_PARAMETER);
	if (min == all && max == all)
		return empty(target);
	if (!min || min > max || max < LEAST_MAX || max == all)
		return wr_fail(ERROR_INVALID_PARAMETER);
	if (target->object)
		return wr_fail(ERROR_NOT_SUPPORTED);
	/* Rule WS-10; whether that can be done or not, the limits are set. */
	if (is_below(set_limits(min, max, flags)))
		empty(target);

	return TRUE;
}

/* Rule WS-09 */
BOOL WINAPI SetProcessWorkingSetSizeEx(HANDLE process, SIZE_T min, SIZE_T max,
				       DWORD flags)
{
	struct wr_target target;
	NTSTATUS status;
	BOOL done;

	WR_KEEP_ERRNO();

	status = wr_target_get(process, PROCESS_SET_QUOTA, &target);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	done = set_working_set(&target, min, max, flags);
	wr_target_put(&target);

	return done;
}

BOOL WINAPI SetProcessWorkingSetSize(HANDLE process, SIZE_T min, SIZE_T max)
{
	return SetProcessWorkingSetSizeEx(process, min, max, 0);
}

BOOL WINAPI GetProcessWorkingSetSizeEx(HANDLE process, PSIZE_T min, PSIZE_T max,
				       PDWORD flags)
{
	NTSTATUS status;
	struct limits now;

	status = wr_target_own(process, PROCESS_QUERY_LIMITED_INFORMATION);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	if (!wr_writable(min, sizeof(*min)) ||
	    !wr_writable(max, sizeof(*max)) ||
	    !wr_writable(flags, sizeof(*flags)))
		return wr_fail(ERROR_NOACCESS);
	pthread_mutex_lock(&lock);
	now = limits;
	pthread_mutex_unlock(&lock);
	*min = now.min;
	*max = now.max;
	*flags = now.flags;

	return TRUE;
}

BOOL WINAPI GetProcessWorkingSetSize(HANDLE process, PSIZE_T min, PSIZE_T max)
{
	DWORD flags;

	return GetProcessWorkingSetSizeEx(process, min, max, &flags);
}

/* Rule WS-07 */
BOOL WINAPI EmptyWorkingSet(HANDLE process)
{
	struct wr_target target;
	NTSTATUS status;
	BOOL done;

	status = wr_target_get(process,
			       PROCESS_SET_QUOTA |
				       PROCESS_QUERY_LIMITED_INFORMATION,
			       &target);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	done = empty(&target);
	wr_target_put(&target);

	return done;
}

BOOL WINAPI K32EmptyWorkingSet(HANDLE process)
{
	return EmptyWorkingSet(process);
}

/* ---- which pages ---- */

/* What the pages around one have in common, in the memory of @target */
struct around {
	const struct wr_target *target;
	struct winregion_run run;
	/* Of a mapping that is no region; else 0 */
	struct wr_mapping mapping;
	bool known;
	bool mapping_known;
};

static int open_pagemap(const struct wr_target *target)
{
	char path[WR_TARGET_PATH];

	wr_target_path(target, "pagemap", path);

	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Pages that nobody can have are not there. */
static void read_pagemap(int fd, uintptr_t address, uint64_t *words, DWORD n)
{
	ssize_t done = pread(fd, words, n * sizeof(*words),
			     (address >> PAGE_SHIFT) * sizeof(*words));
	DWORD i = done > 0 ? done / sizeof(*words) : 0;

	for (; i < n; i++)
		words[i] = 0;
}

/* Return: whether anything is there. */
static bool look_around(struct around *around, uintptr_t address)
{
	struct winregion_query query = { .size = sizeof(query),
					 .address = address };
	const struct winregion_run *run = &around->run;

	if (around->known && address >= run->address &&
	    address - run->address < run->length)
		return run->state == MEM_COMMIT;
	around->known =
		!wr_target_ioctl(around->target, WINREGION_QUERY, &query);
	around->run = query.out;

	return around->known && run->state == MEM_COMMIT;
}

/* The mapping of an address outside of regions: whether it is locked, and large */
static void look_at_mapping(struct around *around, uintptr_t address)
{
	struct wr_mapping *mapping = &around->mapping;
	struct wr_smaps smaps;

	if (around->mapping_known && address >= mapping->first &&
	    address < mapping->end)
		return;
	around->mapping_known = false;
	if (wr_smaps_open(&smaps, around->target))
		while (!around->mapping_known && wr_smaps_next(&smaps, mapping))
			around->mapping_known = address >= mapping->first &&
						address < mapping->end;
	wr_smaps_close(&smaps);
}

/* A page that its view has copied when it was written is nobody else's. */
static bool is_shared(const struct winregion_run *run)
{
	const DWORD copies = PAGE_WRITECOPY | PAGE_EXECUTE_WRITECOPY;
	const DWORD writes = PAGE_READWRITE | PAGE_EXECUTE_READWRITE;

	return run->type == MEM_MAPPED &&
	       !(run->region_protection & copies && run->protection & writes);
}

/* Pages that follow each other; of how many bytes are locked, if it is known */
struct stretch {
	uintptr_t first;
	uint64_t length;
	uint64_t locked;
	bool known;
};

#define NOT_TOLD UINT64_MAX

static uint64_t locked_in(const struct wr_target *target, uintptr_t address,
			  uint64_t length)
{
	struct winregion_lock arg = {
		.size = sizeof(arg),
		.operation = WINREGION_LOCK_COUNT,
		.address = address,
		.length = length,
	};

	return wr_target_ioctl(target, WINREGION_LOCK, &arg) ? NOT_TOLD :
							       arg.out_locked;
}

/* Mostly either all of them are, or none. */
static bool is_locked(const struct wr_target *target, struct stretch *stretch,
		      uintptr_t address)
{
	if (!stretch->known)
		stretch->locked =
			locked_in(target, stretch->first, stretch->length);
	stretch->known = true;
	if (!stretch->locked || stretch->locked == stretch->length)
		return stretch->locked;

	return locked_in(target, address, 1) == PAGE_BYTES;
}

/* How many have it is told exactly as far as: none else, or some. */
static ULONG share_count(bool shared, uint64_t word)
{
	if (!shared)
		return 0;

	return word & EXCLUSIVE ? 1 : 2;
}

static void describe(struct around *around, struct stretch *stretch,
		     uintptr_t address, uint64_t word,
		     PSAPI_WORKING_SET_EX_BLOCK *block)
{
	bool there = look_around(around, address);
	const struct winregion_run *run = &around->run;
	bool large = there && run->flags & WINREGION_RUN_LARGE_PAGES;
	bool shared = there && is_shared(run);

	block->Flags = 0;
	block->Shared = shared;
	/* Large pages are in memory, mapped or not. */
	if (!there || !(word & PRESENT || large))
		return;
	block->Valid = 1;
	block->ShareCount = share_count(shared, word);
	block->Win32Protection = run->protection;
	if (!(run->flags & WINREGION_RUN_FOREIGN)) {
		block->Locked = is_locked(around->target, stretch, address);
		block->LargePage = large;
		return;
	}
	look_at_mapping(around, address);
	block->Locked = around->mapping_known && around->mapping.locked;
	block->LargePage = around->mapping_known && around->mapping.large;
}

/* Entries that are looked at together */
#define BATCH 128

static DWORD length_of_stretch(const PSAPI_WORKING_SET_EX_INFORMATION *entry,
			       DWORD n)
{
	uintptr_t first = (uintptr_t)entry->VirtualAddress >> PAGE_SHIFT;
	DWORD i = 1;

	while (i < n &&
	       (uintptr_t)entry[i].VirtualAddress >> PAGE_SHIFT == first + i)
		i++;

	return i;
}

static void describe_stretch(struct around *around, int pagemap,
			     PSAPI_WORKING_SET_EX_INFORMATION *entry, DWORD n)
{
	uintptr_t first = (uintptr_t)entry->VirtualAddress & ~(PAGE_BYTES - 1);
	struct stretch stretch = {
		.first = first,
		.length = (uint64_t)n * PAGE_BYTES,
	};
	uint64_t words[BATCH];
	DWORD i;

	read_pagemap(pagemap, first, words, n);
	for (i = 0; i < n; i++)
		describe(around, &stretch, first + i * PAGE_BYTES, words[i],
			 &entry[i].VirtualAttributes);
}

static void add_nodes(const struct wr_target *target,
		      PSAPI_WORKING_SET_EX_INFORMATION *entry, DWORD n)
{
	PSAPI_WORKING_SET_EX_BLOCK *blocks[BATCH];
	void *pages[BATCH];
	int nodes[BATCH];
	unsigned long valid = 0, i;

	for (; n--; entry++) {
		if (!entry->VirtualAttributes.Valid)
			continue;
		blocks[valid] = &entry->VirtualAttributes;
		pages[valid++] = entry->VirtualAddress;
	}
	if (!valid ||
	    syscall(SYS_move_pages, target->pid, valid, pages, NULL, nodes, 0))
		return;
	for (i = 0; i < valid; i++)
		if (nodes[i] > 0)
			blocks[i]->Node = nodes[i];
}

static void describe_batch(struct around *around, int pagemap,
			   PSAPI_WORKING_SET_EX_INFORMATION *entry, DWORD n)
{
	DWORD done, length;

	for (done = 0; done < n; done += length) {
		length = length_of_stretch(entry + done, n - done);
		describe_stretch(around, pagemap, entry + done, length);
	}
	add_nodes(around->target, entry, n);
}

/* Return: 0 or an error. */
static DWORD describe_all(const struct wr_target *target,
			  PSAPI_WORKING_SET_EX_INFORMATION *entry, DWORD n)
{
	struct around around = { .target = target };
	int pagemap = open_pagemap(target);
	DWORD batch;

	if (pagemap < 0)
		return wr_file_error(errno);
	for (; n; n -= batch, entry += batch) {
		batch = n < BATCH ? n : BATCH;
		describe_batch(&around, pagemap, entry, batch);
	}
	wr_close(pagemap);

	return 0;
}

static BOOL end_query(struct wr_target *target, DWORD error)
{
	if (!wr_target_put_asked(target))
		return wr_succeeded(STATUS_PROCESS_IS_TERMINATING);

	return error ? wr_fail(error) : TRUE;
}

BOOL WINAPI QueryWorkingSetEx(HANDLE process, PVOID buffer, DWORD size)
{
	const DWORD n = size / sizeof(PSAPI_WORKING_SET_EX_INFORMATION);
	struct wr_target target;
	NTSTATUS status;

	WR_KEEP_ERRNO();
	WR_NO_CANCEL();

	status = wr_target_get(process, PROCESS_QUERY_INFORMATION, &target);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	if (!n)
		return end_query(&target, ERROR_BAD_LENGTH);
	if (!wr_all_writable(buffer,
			     n * sizeof(PSAPI_WORKING_SET_EX_INFORMATION)))
		return end_query(&target, ERROR_NOACCESS);

	return end_query(&target, describe_all(&target, buffer, n));
}

BOOL WINAPI K32QueryWorkingSetEx(HANDLE process, PVOID buffer, DWORD size)
{
	return QueryWorkingSetEx(process, buffer, size);
}

/* ---- all pages ---- */

/* A query of all of the working set */
struct census {
	PSAPI_WORKING_SET_INFORMATION *info;
	size_t room;
	size_t found;
	struct around around;
	int pagemap;
};

/* The protection of a page by another number */
static ULONG short_protection(DWORD protection)
{
	static const struct {
		DWORD protection;
		ULONG number;
	} table[] = {
		{ PAGE_READONLY, 1 },	       { PAGE_EXECUTE, 2 },
		{ PAGE_EXECUTE_READ, 3 },      { PAGE_READWRITE, 4 },
		{ PAGE_WRITECOPY, 5 },	       { PAGE_EXECUTE_READWRITE, 6 },
		{ PAGE_EXECUTE_WRITECOPY, 7 },
	};
	ULONG number = protection & PAGE_NOCACHE ? 8 : 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].protection == (protection & 0xff))
			return number | table[i].number;

	return 0;
}

static void add(struct census *census, uintptr_t address, uint64_t word)
{
	PSAPI_WORKING_SET_BLOCK block = { 0 };
	bool shared;

	if (!look_around(&census->around, address))
		return;
	if (census->found++ >= census->room)
		return;
	shared = is_shared(&census->around.run);
	block.Protection = short_protection(census->around.run.protection);
	block.ShareCount = share_count(shared, word);
	block.Shared = shared;
	block.VirtualPage = address >> PAGE_SHIFT;
	census->info->WorkingSetInfo[census->found - 1] = block;
}

/* Up to the last of its pages in memory. */
static void add_mapping(struct census *census, const struct wr_mapping *mapping)
{
	size_t left = mapping->resident >> PAGE_SHIFT, i;
	uintptr_t at = mapping->first;
	uint64_t words[512];
	ssize_t n;

	while (left && at < mapping->end) {
		n = pread(census->pagemap, words, sizeof(words),
			  (at >> PAGE_SHIFT) * sizeof(*words));
		if (n < (ssize_t)sizeof(*words))
			return;
		n /= sizeof(*words);
		for (i = 0; left && i < (size_t)n && at < mapping->end; i++) {
			if (words[i] & PRESENT) {
				add(census, at, words[i]);
				left--;
			}
			at += PAGE_BYTES;
		}
	}
}

static bool count_all(struct census *census)
{
	struct wr_mapping mapping;
	struct wr_smaps smaps;
	bool can = wr_smaps_open(&smaps, census->around.target);

	while (can && wr_smaps_next(&smaps, &mapping))
		add_mapping(census, &mapping);
	wr_smaps_close(&smaps);

	return can;
}

/* Return: 0 or an error. */
static DWORD take_census(const struct wr_target *target,
			 PSAPI_WORKING_SET_INFORMATION *info, DWORD size)
{
	struct census census = {
		.info = info,
		.room = size / sizeof(ULONG_PTR) - 1,
		.around.target = target,
		.pagemap = open_pagemap(target),
	};
	bool can;

	if (census.pagemap < 0)
		return wr_file_error(errno);
	can = count_all(&census);
	wr_close(census.pagemap);
	if (!can)
		return ERROR_NOT_ENOUGH_MEMORY;
	info->NumberOfEntries = census.found;

	return census.found <= census.room ? 0 : ERROR_BAD_LENGTH;
}

BOOL WINAPI QueryWorkingSet(HANDLE process, PVOID buffer, DWORD size)
{
	struct wr_target target;
	NTSTATUS status;

	WR_KEEP_ERRNO();
	WR_NO_CANCEL();

	status = wr_target_get(process,
			       PROCESS_QUERY_INFORMATION | PROCESS_VM_READ,
			       &target);
	if (status != STATUS_SUCCESS)
		return wr_succeeded(status);
	if (size < sizeof(PSAPI_WORKING_SET_INFORMATION))
		return end_query(&target, ERROR_BAD_LENGTH);
	if (!wr_all_writable(buffer, size))
		return end_query(&target, ERROR_NOACCESS);

	return end_query(&target, take_census(&target, buffer, size));
}

BOOL WINAPI K32QueryWorkingSet(HANDLE process, PVOID buffer, DWORD size)
{
	return QueryWorkingSet(process, buffer, size);
}
