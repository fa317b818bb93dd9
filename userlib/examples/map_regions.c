// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A map of the program's own regions
 *
 * Lists all runs of pages that belong to a region, many with each call.
 */
#include <stdio.h>
#include <string.h>

#include <winregion/windows.h>
#include <winregion/winregion.h>

#define BATCH 64

static void print_run(const struct winregion_run *run)
{
	printf("%012llx %8llu KiB  %-8s protection 0x%03x  of %012llx\n",
	       (unsigned long long)run->address,
	       (unsigned long long)run->length >> 10,
	       run->state == WINREGION_STATE_COMMIT ? "commit" : "reserve",
	       run->protection, (unsigned long long)run->region_address);
}

/* 0 or -errno */
static int print_all(void)
{
	struct winregion_get_info info = { 0 };
	struct winregion_run runs[BATCH];
	struct winregion_query_runs query;
	__u64 next = 0;
	__u32 i;
	int err;

	err = winregion_get_info(&info);

	while (!err && next <= info.out_highest) {
		query = (struct winregion_query_runs){
			.flags = WINREGION_QUERY_REGIONS,
			.address = next,
			.last = info.out_highest,
			.runs = (__u64)(unsigned long)runs,
			.nr_runs = BATCH,
		};
		err = winregion_query_runs(&query);
		for (i = 0; !err && i < query.nr_runs; i++)
			print_run(&runs[i]);
		next = query.address;
	}

	return err;
}

int main(void)
{
	const char *why = winregion_unavailable();
	DWORD old;
	char *p;
	int err;

	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}

	/* Something to see: reserved, writable, read-only, reserved */
	p = VirtualAlloc(NULL, 0x40000, MEM_RESERVE, PAGE_NOACCESS);
	if (!p ||
	    !VirtualAlloc(p + 0x10000, 0x20000, MEM_COMMIT, PAGE_READWRITE) ||
	    !VirtualProtect(p + 0x20000, 0x10000, PAGE_READONLY, &old)) {
		fprintf(stderr, "error %u\n", GetLastError());
		return 1;
	}

	err = print_all();
	if (err)
		fprintf(stderr, "winregion_query_runs: %s\n", strerror(-err));
	VirtualFree(p, 0, MEM_RELEASE);

	return err != 0;
}
