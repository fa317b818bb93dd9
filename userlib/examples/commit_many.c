// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Many ranges in one call
 *
 * Commits every other page of a region. All of the ranges change in one step,
 * or none does.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <winregion/winregion.h>

#define PAGE 4096
#define PAGES 256

/* 0 or -errno */
static int commit_every_other(uint64_t base)
{
	struct winregion_range ranges[PAGES / 2];
	struct winregion_change change = {
		.nr_ranges = PAGES / 2,
		.ranges = (uintptr_t)ranges,
	};
	int i;

	for (i = 0; i < PAGES / 2; i++)
		ranges[i] = (struct winregion_range){
			.address = base + 2 * i * PAGE,
			.length = PAGE,
			.protection = WINREGION_READWRITE,
		};

	return winregion_commit(&change);
}

int main(void)
{
	struct winregion_reserve reserve = {
		.protection = WINREGION_NOACCESS,
		.length = PAGES * PAGE,
	};
	struct winregion_release release = { 0 };
	struct winregion_query query = { 0 };
	int err;

	err = winregion_reserve(&reserve);
	if (!err)
		err = commit_every_other(reserve.address);
	if (!err) {
		query.address = reserve.address;
		err = winregion_query(&query);
	}
	if (err) {
		fprintf(stderr, "%s\n",
			winregion_unavailable() ?: strerror(-err));
		return 1;
	}

	printf("%llu of %llu KiB committed, in runs of %llu KiB\n",
	       (unsigned long long)query.out.region_committed >> 10,
	       (unsigned long long)query.out.region_length >> 10,
	       (unsigned long long)query.out.length >> 10);

	release.address = reserve.address;

	return winregion_release(&release) != 0;
}
