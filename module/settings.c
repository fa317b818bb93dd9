// SPDX-License-Identifier: GPL-2.0
/*
 * What the administrator has set for the whole system, as far as it is about
 * memory and not for modules: it is read from procfs, mounted for us alone. The
 * files of vm.* stay open, as reading them takes no lock, so that this can be
 * done wherever one may sleep, under mmap_lock too. /proc/meminfo has a lock
 * under which others take mmap_lock; it is left to a worker.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "settings.h"

#define KB_SHIFT (PAGE_SHIFT - 10)

enum setting {
	OVERCOMMIT_MODE,
	OVERCOMMIT_KBYTES,
	OVERCOMMIT_RATIO,
	ADMIN_RESERVE,
	USER_RESERVE,
	MAX_MAPS,
	SWAPPINESS,
	NR_SETTINGS,
};

/*
 * The files never change once the module is there. A value is the one that was
 * read last, for when it cannot be read, and for a moment for who asks often.
 */
static struct {
	const char *name;
	struct file *file;
	unsigned long value;
	unsigned long valid_until; /* jiffies */
} settings[NR_SETTINGS] = {
	[OVERCOMMIT_MODE] = { "sys/vm/overcommit_memory" },
	[OVERCOMMIT_KBYTES] = { "sys/vm/overcommit_kbytes" },
	[OVERCOMMIT_RATIO] = { "sys/vm/overcommit_ratio", NULL, 50 },
	[ADMIN_RESERVE] = { "sys/vm/admin_reserve_kbytes" },
	[USER_RESERVE] = { "sys/vm/user_reserve_kbytes" },
	[MAX_MAPS] = { "sys/vm/max_map_count", NULL, INT_MAX },
	[SWAPPINESS] = { "sys/vm/swappiness", NULL, 60 },
};

static struct vfsmount *procfs; /* our own, or NULL; never changes */
static const struct cred *reader_cred; /* or NULL; never changes */

/* From /proc/meminfo, in pages; @valid_until is 0 as long as nothing is known. */
static struct {
	unsigned long swap;
	unsigned long hugetlb;
	unsigned long valid_until;
} meminfo;
static DECLARE_WAIT_QUEUE_HEAD(meminfo_wait);

/* What the caller may open or read does not matter. */
static ssize_t read_text(struct file *file, char *text, size_t size)
{
	const struct cred *old = override_creds(reader_cred);
	loff_t at = 0;
	ssize_t n;

	n = kernel_read(file, text, size - 1, &at);
	revert_creds(old);
	text[max_t(ssize_t, n, 0)] = '\0';
	return n;
}

static unsigned long read_setting(enum setting which)
{
	struct file *file = settings[which].file;
	unsigned long value;
	char text[24];

	if (file && read_text(file, text, sizeof(text)) > 0 &&
	    !kstrtoul(text, 10, &value))
		WRITE_ONCE(settings[which].value, value);
	WRITE_ONCE(settings[which].valid_until, jiffies + HZ / 10);
	return READ_ONCE(settings[which].value);
}

/* For those who ask often; it may just have changed. */
static unsigned long recent_setting(enum setting which)
{
	if (time_after(jiffies, READ_ONCE(settings[which].valid_until)))
		return read_setting(which);
	return READ_ONCE(settings[which].value);
}

static struct file *open_file(const char *name)
{
	struct file *file;

	if (!procfs || !reader_cred)
		return NULL;
	file = file_open_root_mnt(procfs, name, O_RDONLY, 0);
	return IS_ERR(file) ? NULL : file;
}

/* All of a file of procfs, or as much as there is room for, or NULL. */
static char *read_whole(const char *name)
{
	struct file *file = open_file(name);
	char *text;

	if (!file)
		return NULL;
	text = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (text && read_text(file, text, PAGE_SIZE) <= 0) {
		kfree(text);
		text = NULL;
	}
	fput(file);
	return text;
}

/* The pages of a line of /proc/meminfo */
static unsigned long meminfo_pages(const char *text, const char *name)
{
	const char *line = strstr(text, name);
	unsigned long kb;

	if (!line || sscanf(line + strlen(name), " %lu", &kb) != 1)
		return 0;
	return kb >> KB_SHIFT;
}

static void update_meminfo(struct work_struct *work)
{
	char *text = read_whole("meminfo");

	if (!text)
		return;
	WRITE_ONCE(meminfo.swap, meminfo_pages(text, "SwapTotal:"));
	WRITE_ONCE(meminfo.hugetlb, meminfo_pages(text, "Hugetlb:"));
	WRITE_ONCE(meminfo.valid_until, (jiffies + HZ) | 1);
	kfree(text);
	wake_up_all(&meminfo_wait);
}

static DECLARE_WORK(meminfo_work, update_meminfo);

static bool meminfo_is_old(void)
{
	return time_after(jiffies, READ_ONCE(meminfo.valid_until));
}

/**
 * wr_settings_refresh - see whether the system's memory has changed
 *
 * Swap may have been added, for one. Once a second is enough. The wait for the
 * worker has an end, as there may be no memory for one.
 *
 * Context: may sleep.
 */
void wr_settings_refresh(void)
{
	if (!meminfo_is_old())
		return;
	schedule_work(&meminfo_work);
	wait_event_timeout(meminfo_wait, !meminfo_is_old(), HZ / 10);
}

/* The system's setting. Context: may sleep. */
enum wr_overcommit wr_settings_overcommit(void)
{
	return read_setting(OVERCOMMIT_MODE);
}

/* CommitLimit in pages */
static long commit_limit(void)
{
	unsigned long kbytes = read_setting(OVERCOMMIT_KBYTES);
	unsigned long pages = totalram_pages(), ratio;

	if (kbytes) {
		pages = kbytes >> KB_SHIFT;
	} else {
		ratio = read_setting(OVERCOMMIT_RATIO);
		pages -= min(pages, READ_ONCE(meminfo.hugetlb));
		pages = mult_frac(pages, ratio, 100UL);
	}
	return pages + READ_ONCE(meminfo.swap);
}

/**
 * wr_settings_left - what vm.overcommit_memory=2 leaves to the calling process
 * @admin: the process has CAP_SYS_ADMIN
 *
 * Asked for more, the core would count that for a moment, and refuse it to
 * others. Context: may sleep.
 *
 * Return: pages; LONG_MAX if there is no such limit, or it is not known.
 */
unsigned long wr_settings_left(bool admin)
{
	long left;

	if (recent_setting(OVERCOMMIT_MODE) != WR_OVERCOMMIT_NEVER ||
	    !READ_ONCE(meminfo.valid_until))
		return LONG_MAX;
	left = commit_limit() - vm_memory_committed();
	if (!admin)
		left -= read_setting(ADMIN_RESERVE) >> KB_SHIFT;
	if (current->mm)
		left -= min(READ_ONCE(current->mm->total_vm) / 32,
			    read_setting(USER_RESERVE) >> KB_SHIFT);
	return max(left - 1, 0L); /* the core wants one to be left */
}

/**
 * wr_settings_max_maps - how many VMAs a process may have
 * @now: and not just recently
 *
 * Context: may sleep.
 * Return: vm.max_map_count.
 */
unsigned long wr_settings_max_maps(bool now)
{
	return now ? read_setting(MAX_MAPS) : recent_setting(MAX_MAPS);
}

static void update_swappiness(struct work_struct *work)
{
	read_setting(SWAPPINESS);
}

static DECLARE_WORK(swappiness_work, update_swappiness);

/**
 * wr_settings_swappiness - how much the core would rather swap than drop files
 *
 * Context: any; who makes memory free reads no file, so a worker does for the next one.
 * Return: vm.swappiness, as it was when it was asked for last.
 */
unsigned int wr_settings_swappiness(void)
{
	if (time_after(jiffies, READ_ONCE(settings[SWAPPINESS].valid_until)))
		schedule_work(&swappiness_work);
	return READ_ONCE(settings[SWAPPINESS].value);
}

/* ---- what the kernel was booted with ---- */

/* The value, if the word sets it; '-' and '_' are the same in a name. */
static char *value_of(char *word, const char *option)
{
	char *value = strchr(word, '=');

	if (!value)
		return NULL;
	*value++ = '\0';
	strreplace(word, '-', '_');
	return strcmp(word, option) ? NULL : value;
}

/**
 * wr_settings_boot_option - look an option up with which the kernel was booted
 * @option: its name, with '_' for '-'
 * @each: is called for each value, in the order in which they were given
 * @data: for @each
 */
void wr_settings_boot_option(const char *option,
			     void (*each)(char *value, void *data), void *data)
{
	char *text = read_whole("cmdline"), *at = text, *word, *value;

	/* What follows is for the init process. */
	while ((word = strsep(&at, " \t\n")) && strcmp(word, "--")) {
		value = value_of(word, option);
		if (value)
			each(value, data);
	}
	kfree(text);
}

static void look_for_nokmem(char *value, void *data)
{
	char *word;

	while ((word = strsep(&value, ",")))
		if (!strcmp(word, "nokmem"))
			*(bool *)data = true;
}

/**
 * wr_settings_accounts_pages - whether our pages are charged to memory cgroups
 *
 * They are charged as kernel memory, which is all that modules can have charged.
 * That is switched on with the first cgroup, unless it was forbidden at boot.
 *
 * Return: whether; also where there are no memory cgroups at all.
 */
bool wr_settings_accounts_pages(void)
{
	bool nokmem = false;

	if (mem_cgroup_disabled() || wr_memcg_kmem_online())
		return true;
	wr_settings_boot_option("cgroup.memory", look_for_nokmem, &nokmem);
	return wr_has_memcg_kmem() && !nokmem;
}

/*
 * The module has come. What processes see as /proc is their own affair. Without
 * procfs the overcommit mode is taken for the default one.
 */
void wr_settings_init(void)
{
	struct file_system_type *type = get_fs_type("proc");
	struct vfsmount *mount = type ? kern_mount(type) : NULL;
	unsigned int i;

	if (!IS_ERR_OR_NULL(mount))
		procfs = mount;
	reader_cred = prepare_kernel_cred(&init_task);
	for (i = 0; i < NR_SETTINGS; i++)
		settings[i].file = open_file(settings[i].name);
	update_meminfo(NULL);
	wr_settings_overcommit();
	update_swappiness(NULL);
}

/* The module is about to go. */
void wr_settings_exit(void)
{
	unsigned int i;

	cancel_work_sync(&meminfo_work);
	cancel_work_sync(&swappiness_work);
	for (i = 0; i < NR_SETTINGS; i++)
		if (settings[i].file)
			fput(settings[i].file);
	if (reader_cred)
		put_cred(reader_cred);
	if (procfs)
		kern_unmount(procfs);
}
