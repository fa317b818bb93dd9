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
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "force.h"
#include "settings.h"

static bool everybody __ro_after_init;

/* What was given last counts. */
static void __init note(char *value, void *data)
{
	if (!strcmp(value, "always"))
		everybody = true;
	else if (!strcmp(value, "never") || !strcmp(value, "ptrace"))
		everybody = false;
}

/* Before the device is there; if nothing is known it is what the kernel was built for. */
void __init wr_force_init(void)
{
	everybody = !IS_ENABLED(CONFIG_PROC_MEM_FORCE_PTRACE) &&
		    !IS_ENABLED(CONFIG_PROC_MEM_NO_FORCE);
	wr_settings_boot_option("proc_mem.force_override", note, NULL);
}

/* Whether the calling thread traces it, and it uses @mm. Under RCU. */
static bool traces(struct task_struct *task, struct mm_struct *mm)
{
	return READ_ONCE(task->ptrace) &&
	       rcu_access_pointer(task->parent) == current &&
	       READ_ONCE(task->mm) == mm;
}

/* Whether that is one of any process: a child of vfork(), say, has its parent's. */
static bool traces_any(struct mm_struct *mm)
{
	struct task_struct *process, *task;

	for_each_process(process)
		for_each_thread(process, task)
			if (traces(task, mm))
				return true;
	return false;
}

/* Whether the calling thread traces one of the threads that use @mm. */
static bool is_tracer(struct mm_struct *mm)
{
	struct task_struct *owner, *task;
	bool found = false;

	if (list_empty(&current->ptraced))
		return false;
	rcu_read_lock();
	owner = wr_mm_owner(mm);
	if (owner)
		for_each_thread(owner, task)
			if (traces(task, mm))
				found = true;
	if (!found)
		found = traces_any(mm);
	rcu_read_unlock();
	return found;
}

/* Whether the caller may do with pages of @mm what their protection forbids. */
bool wr_force_allows(struct mm_struct *mm)
{
	return everybody || is_tracer(mm);
}
