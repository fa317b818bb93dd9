/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages are made to leave, for tests of paging: at once, or in a memory cgroup.
 *
 * Include it after common.h and wr_test_util.h.
 */
#ifndef _SELFTESTS_PAGING_H
#define _SELFTESTS_PAGING_H

#include <sys/mount.h>
#include <sys/stat.h>

#include "swap.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

static inline int trim(int fd, const char *addr, uint64_t length)
{
	struct winregion_lock arg = {
		.size = sizeof(arg),
		.operation = WINREGION_LOCK_TRIM,
		.address = (uintptr_t)addr,
		.length = length,
	};

	return wr_ioctl(fd, WINREGION_LOCK, &arg);
}

/* Has a range leave memory, as far as it can. */
static inline bool push_out(int fd, const char *addr, uint64_t length)
{
	int err = trim(fd, addr, length);

	return !err && write_text(DROP_CACHES, "2");
}

static char group[128];

static inline bool group_write(const char *file, const char *text)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return write_text(path, text);
}

static inline bool make_group(const char *limit)
{
	if (access(CGROUP_ROOT "/cgroup.controllers", R_OK) &&
	    mount("none", CGROUP_ROOT, "cgroup2", 0, NULL))
		return false;
	write_text(CGROUP_ROOT "/cgroup.subtree_control", "+memory");
	snprintf(group, sizeof(group), CGROUP_ROOT "/wr_paging.%d", getpid());
	return !mkdir(group, 0755) && group_write("memory.max", limit);
}

#endif /* _SELFTESTS_PAGING_H */
