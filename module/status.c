// SPDX-License-Identifier: GPL-2.0
/*
 * What others are told of a process's memory in /proc/PID/fdinfo. All of it is counted
 * anyway: no lock is taken but spinlocks, each for a moment, so whoever reads waits for
 * nobody, and nobody for him.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/kstrtox.h>
#include <linux/magic.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "status.h"
#include "trace.h"
#include "window.h"

/* Return: how many of them there are, or -EINTR if the caller is being killed. */
static long add_windows(struct wr_space *space,
			struct wr_window *(*next)(struct wr_space *space,
						  pgoff_t index),
			struct wr_status *sum)
{
	struct wr_window *window;
	pgoff_t first, end = 0;
	long n;

	for (n = 0; (window = next(space, end)); n++) {
		spin_lock(&space->lock);
		first = window->first;
		end = max(window->end, end + 1);
		spin_unlock(&space->lock);
		sum->mapped += end - first;
		sum->resident += READ_ONCE(window->nr_resident);
		wr_window_put(window);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return n;
}

/**
 * wr_status_add - add what a space has
 * @space: the space, which the caller has a reference to
 * @status: where
 *
 * Return: 0, or -EINTR if the caller is being killed.
 */
int wr_status_add(struct wr_space *space, struct wr_status *status)
{
	long windows = add_windows(space, wr_window_next, status);
	long views = add_windows(space, wr_window_next_view, status);

	if (windows < 0 || views < 0)
		return -EINTR;
	status->spaces++;
	status->windows += windows;
	status->views += views;
	spin_lock(&space->lock);
	status->regions += space->nr_regions;
	spin_unlock(&space->lock);
	spin_lock(&space->pagefile.lock);
	status->committed += wr_pagefile_used(&space->pagefile);
	status->charged += space->pagefile.quota;
	spin_unlock(&space->pagefile.lock);
	status->swapped += atomic_long_read(&space->swapped);
	status->locked += atomic_long_read(&space->locked);
	status->frames += atomic_long_read(&space->frames.count);
	return 0;
}

/* A line of /proc, in its unit */
void wr_status_show_pages(struct seq_file *m, const char *name,
			  unsigned long pages)
{
	seq_printf(m, "%s:\t%8lu kB\n", name, pages << (PAGE_SHIFT - 10));
}

/* A line for each of them, but for the number of spaces */
void wr_status_show(struct seq_file *m, const struct wr_status *status)
{
	seq_printf(m, "regions:\t%lu\n", status->regions);
	seq_printf(m, "windows:\t%lu\n", status->windows);
	seq_printf(m, "views:\t%lu\n", status->views);
	wr_status_show_pages(m, "mapped", status->mapped);
	wr_status_show_pages(m, "committed", status->committed);
	wr_status_show_pages(m, "charged", status->charged);
	wr_status_show_pages(m, "resident", status->resident);
	wr_status_show_pages(m, "swapped", status->swapped);
	wr_status_show_pages(m, "locked", status->locked);
	wr_status_show_pages(m, "frames", status->frames);
}

/* Nothing is there, in numbers, where it has no space, also if its process has ended. */
static int add_mm(struct mm_struct *mm, struct wr_status *status)
{
	struct wr_space *space = wr_space_find(mm);
	int err = 0;

	if (space) {
		err = wr_status_add(space, status);
		wr_space_put(space);
	}
	return err;
}

/* The namespace whose numbers a file of /proc tells */
static struct pid_namespace *namespace_of(struct seq_file *m)
{
	struct super_block *sb = m->file->f_path.dentry->d_sb;

	return sb->s_magic == PROC_SUPER_MAGIC ? proc_pid_ns(sb) : NULL;
}

/**
 * wr_status_show_process - what a process has
 * @m: where it is shown
 * @mm: its memory; pinned by mmgrab()
 * @change: it may be changed
 */
void wr_status_show_process(struct seq_file *m, struct mm_struct *mm,
			    bool change)
{
	struct wr_status status = {};

	struct pid_namespace *ns = namespace_of(m);

	if (!ns || add_mm(mm, &status))
		return;
	seq_printf(m, "process:\t%d\n", wr_trace_pid_in(mm, ns));
	seq_printf(m, "access:\t%s\n", change ? "change" : "query");
	wr_status_show(m, &status);
}

/* The number that a directory of /proc has for its name, or 0. */
static pid_t number_of(struct dentry *dentry)
{
	char name[16] = {};
	pid_t nr;

	spin_lock(&dentry->d_lock);
	if (dentry->d_name.len < sizeof(name))
		memcpy(name, dentry->d_name.name, dentry->d_name.len);
	spin_unlock(&dentry->d_lock);
	return kstrtoint(name, 10, &nr) ? 0 : nr;
}

/* That of the thread whose descriptor /proc/NUMBER/fdinfo/FD is about. */
static pid_t thread_in(struct dentry *dentry)
{
	struct dentry *fdinfo = dget_parent(dentry);
	struct dentry *thread = dget_parent(fdinfo);
	pid_t nr = number_of(thread);

	dput(thread);
	dput(fdinfo);
	return nr;
}

/* Its address space, to be put by mmdrop(), or NULL: it has none any more. */
static struct mm_struct *grab_mm(struct task_struct *task)
{
	struct mm_struct *mm;

	task_lock(task);
	mm = task->flags & PF_KTHREAD ? NULL : task->mm;
	if (mm)
		mmgrab(mm);
	task_unlock(task);
	return mm;
}

/* Whether who has opened the file has as much as a process with these credentials. */
static bool is_as_mighty(const struct cred *reader, const struct cred *cred)
{
	return reader->user_ns == cred->user_ns &&
	       uid_eq(reader->fsuid, cred->euid) &&
	       uid_eq(reader->fsuid, cred->suid) &&
	       uid_eq(reader->fsuid, cred->uid) &&
	       gid_eq(reader->fsgid, cred->egid) &&
	       gid_eq(reader->fsgid, cred->sgid) &&
	       gid_eq(reader->fsgid, cred->gid) &&
	       cap_issubset(cred->cap_permitted, reader->cap_permitted);
}

/*
 * The core has looked whether the reader may trace the process when the file was opened.
 * By now it may be a program with more rights, that an exec has left the descriptor.
 */
static bool may_still_see(struct seq_file *m, struct task_struct *task)
{
	const struct cred *cred;
	bool may;

	if (same_thread_group(task, current))
		return true;
	rcu_read_lock();
	cred = __task_cred(task);
	may = is_as_mighty(m->file->f_cred, cred) ||
	      file_ns_capable(m->file, cred->user_ns, CAP_SYS_PTRACE);
	rcu_read_unlock();
	return may;
}

/*
 * An exec takes the next program's memory first, and then its credentials: so what was
 * counted before it has these was not yet that program's.
 */
static void show_task(struct seq_file *m, struct task_struct *task)
{
	struct mm_struct *mm = grab_mm(task);
	struct wr_status status = {};

	if (!mm)
		return;
	if (!add_mm(mm, &status) && may_still_see(m, task))
		wr_status_show(m, &status);
	mmdrop(mm);
}

/**
 * wr_status_show_holder - what the process has that has the descriptor
 * @m: its file in /proc, where it is shown
 *
 * A descriptor of the device is about the memory of whoever uses it, so it is by the
 * path that is read that one knows about whom: the core tells only of the file. It has
 * found that thread a moment ago.
 */
void wr_status_show_holder(struct seq_file *m)
{
	struct pid_namespace *ns = namespace_of(m);
	struct task_struct *task;
	pid_t nr;

	if (!ns)
		return;
	nr = thread_in(m->file->f_path.dentry);
	rcu_read_lock();
	task = pid_task(find_pid_ns(nr, ns), PIDTYPE_PID);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	if (!task)
		return;
	show_task(m, task);
	put_task_struct(task);
}
