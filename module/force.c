// SPDX-License-Identifier: GPL-2.0
/*
 * Who may override the protection of pages, in vm_ops->access.
 *
 * A debugger may, by ptrace(). By /proc/PID/mem everybody may who can open it,
 * unless the administrator has said no: proc_mem.force_override=never, or =ptrace, at
 * boot. access is not told which of both it is for, nor whether the core would
 * have overridden. So we read what the kernel was booted with, and if that is not
 * "always" only a tracer may: the others have the rights that the pages have.
 */
#include <linux/fs.h>
#include <linux/mm_types.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "force.h"

#define OPTION "proc_mem.force_override="
#define MAX_CMDLINE PAGE_SIZE

static bool everybody __ro_after_init;

/* What was given last counts. */
static void __init parse(char *cmdline)
{
	char *word;

	/* Both are the same in the name of an option. */
	strreplace(cmdline, '-', '_');
	while ((word = strsep(&cmdline, " \t\n"))) {
		if (strncmp(word, OPTION, strlen(OPTION)))
			continue;
		word += strlen(OPTION);
		if (!strcmp(word, "always"))
			everybody = true;
		else if (!strcmp(word, "never") || !strcmp(word, "ptrace"))
			everybody = false;
	}
}

static void __init read_cmdline(char *buf, size_t size)
{
	struct file *file = filp_open("/proc/cmdline", O_RDONLY, 0);
	loff_t pos = 0;
	ssize_t n;

	if (IS_ERR(file))
		return; /* it is what the kernel was built for */
	n = kernel_read(file, buf, size - 1, &pos);
	filp_close(file, NULL);
	if (n <= 0)
		return;
	buf[n] = '\0';
	parse(buf);
}

/* Before the device is there. */
void __init wr_force_init(void)
{
	char *buf = kzalloc(MAX_CMDLINE, GFP_KERNEL);

	everybody = !IS_ENABLED(CONFIG_PROC_MEM_FORCE_PTRACE) &&
		    !IS_ENABLED(CONFIG_PROC_MEM_NO_FORCE);
	if (buf)
		read_cmdline(buf, MAX_CMDLINE);
	kfree(buf);
}

/* Whether the calling thread traces one of the threads that use @mm. */
static bool is_tracer(struct mm_struct *mm)
{
	bool found = false;
#ifdef CONFIG_MEMCG
	struct task_struct *owner, *task;

	rcu_read_lock();
	owner = rcu_dereference(mm->owner);
	if (owner)
		for_each_thread(owner, task)
			if (READ_ONCE(task->ptrace) &&
			    rcu_access_pointer(task->parent) == current)
				found = true;
	rcu_read_unlock();
#endif
	return found;
}

/* Whether the caller may do with pages of @mm what their protection forbids. */
bool wr_force_allows(struct mm_struct *mm)
{
	return everybody || is_tracer(mm);
}
