// SPDX-License-Identifier: GPL-2.0
/*
 * winregion: Windows-style memory regions for native programs.
 *
 * /dev/winregion has no state of its own: each ioctl acts on the address space
 * of its caller. An open file keeps the module, and nothing else, alive.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "backing.h"
#include "commit.h"
#include "debug.h"
#include "evict.h"
#include "force.h"
#include "huge.h"
#include "ioctl.h"
#include "locked.h"
#include "remote.h"
#include "pageout.h"
#include "settings.h"
#include "stash.h"
#include "status.h"

static bool allow_nokmem;
module_param(allow_nokmem, bool, 0444);
MODULE_PARM_DESC(allow_nokmem,
		 "Load even if memory cgroups do not see committed memory");

static void show_fdinfo(struct seq_file *m, struct file *file)
{
	wr_status_show_holder(m);
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = wr_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = show_fdinfo,
	.llseek = noop_llseek,
};

/* A process can act on its own memory, and on what it may trace: everybody may. */
static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "winregion",
	.fops = &device_operations,
	.mode = 0666,
};

/* Without it any program could use more than its cgroup has. */
static int check_accounting(void)
{
	if (wr_settings_accounts_pages())
		return 0;
	if (allow_nokmem) {
		pr_warn("memory of regions is charged to no cgroup (cgroup.memory=nokmem)\n");
		return 0;
	}
	pr_err("not loaded: with cgroup.memory=nokmem the memory of regions would be charged to no cgroup, and obey no limit; allow_nokmem=1 loads it nevertheless\n");
	return -EOPNOTSUPP;
}

static int __init wr_init(void)
{
	int err;

	wr_settings_init();
	wr_force_init();
	wr_remote_init();
	err = check_accounting();
	if (err)
		goto err_settings;
	wr_huge_init();
	err = wr_stash_init();
	if (err)
		goto err_huge;
	err = wr_evict_init();
	if (err)
		goto err_stash;
	err = wr_pageout_init();
	if (err)
		goto err_evict;
	err = misc_register(&device);
	if (err)
		goto err_pageout;
	wr_debug_init();
	return 0;

err_pageout:
	wr_pageout_exit();
err_evict:
	wr_evict_exit();
err_stash:
	wr_stash_exit();
err_huge:
	wr_huge_exit();
err_settings:
	wr_settings_exit();
	return err;
}

static void __exit wr_exit(void)
{
	wr_debug_exit();
	misc_deregister(&device);
	wr_pageout_exit();
	wr_evict_exit();
	wr_stash_exit();
	wr_locked_exit();
	wr_huge_exit();
	wr_commit_exit();
	wr_backing_exit();
	wr_settings_exit();
	wr_space_exit();
}

module_init(wr_init);
module_exit(wr_exit);

MODULE_DESCRIPTION("Windows-style memory regions in the caller's address space");
MODULE_AUTHOR("The winregion authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
/* The device by its subsystem; its number is another one each time. */
MODULE_ALIAS("misc:winregion");
