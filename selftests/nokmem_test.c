// SPDX-License-Identifier: GPL-2.0
/* vm: append=cgroup.memory=nokmem params=allow_nokmem=1 */
/* vm: append=init_on_alloc=0 append=proc_mem.force_override=never */
/*
 * A kernel that charges no kernel memory to cgroups: there the memory of regions
 * would obey no cgroup's limit. The module is loaded only if it is told to be
 * nevertheless. The other words are for abi_test and force_test, which share its machine.
 */
#include "kselftest_harness.h"

#include <sys/syscall.h>

#include "common.h"
#include "wr_test_util.h"

#define MODULE "/vm/winregion.ko"

static int load(const char *params)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	int ret = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;

	close(fd);
	return ret;
}

static bool is_booted_for_this(void)
{
	return *read_from("/proc/cmdline", "cgroup.memory=nokmem") &&
	       !access(MODULE, R_OK);
}

/* Commit and use some memory. */
static int use_region(void *arg)
{
	int fd = wr_open();
	char *region = fd < 0 ? NULL : wr_alloc(fd, MIB(4));

	(void)arg;
	CHECK(region);
	fill_pages(region, 1024, 1);
	CHECK(pages_have(region, 1024, 1));
	return 0;
}

/* Hazard D6. */
TEST(not_without_consent)
{
	if (!is_booted_for_this())
		SKIP(return, "not booted with cgroup.memory=nokmem");
	EXPECT_EQ(0, in_child(use_region, NULL));
	ASSERT_TRUE(SETTLES(!syscall(SYS_delete_module, "winregion",
				     O_NONBLOCK)));
	EXPECT_EQ(-EOPNOTSUPP, load(""));
	EXPECT_EQ(-1, access(WR_DEVICE, F_OK));
	EXPECT_EQ(-EOPNOTSUPP, load("allow_nokmem=0"));
	ASSERT_EQ(0, load("allow_nokmem=1"));
	EXPECT_EQ(0, in_child(use_region, NULL));
}

TEST_HARNESS_MAIN
