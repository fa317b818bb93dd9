// SPDX-License-Identifier: GPL-2.0
/*
 * What others are told of a process's memory in /proc/PID/fdinfo. All of it is counted
 * anyway: no lock is taken but spinlocks, so whoever reads waits for nobody.
 */
#include <linux/dcache.h>
#include <linux/kstrtox.h>
#include <linux/magic.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>

#include "status.h"
#include "window.h"

static void add_windows(const struct rb_root *root, struct wr_status *status,
			unsigned long *windows)
{
	struct wr_window *window;
	struct rb_node *node;

	for (node = rb_first(root); node; node = rb_next(node)) {
		window = rb_entry(node, struct wr_window, node);
		status->mapped += window->end - window->first;
		status->resident += READ_ONCE(window->nr_resident);
		++*windows;
	}
}

/**
 * wr_status_add - add what a space has
 * @space: the space
 * @status: struct wr_status
 *
 * Does not sleep.
 */
void wr_status_add(struct wr_space *space, void *status)
{
	struct wr_status *sum = status;

	sum->spaces++;
	spin_lock(&space->lock);
	sum->regions += space->nr_regions;
	add_windows(&space->windows, sum, &sum->windows);
	add_windows(&space->views, sum, &sum->views);
	spin_unlock(&space->lock);
	spin_lock(&space->pagefile.lock);
	sum->committed += wr_pagefile_used(&space->pagefile);
	sum->charged += space->pagefile.quota;
	spin_unlock(&space->pagefile.lock);
	sum->locked += atomic_long_read(&space->locked);
	sum->frames += atomic_long_read(&space->frames.count);
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
	wr_status_show_pages(m, "locked", status->locked);
	wr_status_show_pages(m, "frames", status->frames);
}

/**
 * wr_status_show_mm - what an address space has
 * @m: where it is shown
 * @mm: which; pinned by mmgrab()
 *
 * Nothing is there, in numbers, where it has no space, also if its process has ended.
 */
void wr_status_show_mm(struct seq_file *m, struct mm_struct *mm)
{
	struct wr_space *space = wr_space_find(mm);
	struct wr_status status = {};

	if (space) {
		wr_status_add(space, &status);
		wr_space_put(space);
	}
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
static struct mm_struct *grab_mm(struct pid *pid)
{
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	struct mm_struct *mm;

	if (!task)
		return NULL;
	task_lock(task);
	mm = task->flags & PF_KTHREAD ? NULL : task->mm;
	if (mm)
		mmgrab(mm);
	task_unlock(task);
	put_task_struct(task);
	return mm;
}

/**
 * wr_status_show_holder - what the process has that has the descriptor
 * @m: its file in /proc, where it is shown
 *
 * A descriptor of the device is about the memory of whoever uses it, so it is by the
 * path that is read that one knows about whom: the core tells only of the file. It has
 * found that thread a moment ago, and seen that the reader may trace it.
 */
void wr_status_show_holder(struct seq_file *m)
{
	struct dentry *dentry = m->file->f_path.dentry;
	struct mm_struct *mm;
	struct pid *pid;
	pid_t nr;

	if (dentry->d_sb->s_magic != PROC_SUPER_MAGIC)
		return;
	nr = thread_in(dentry);
	rcu_read_lock();
	pid = get_pid(find_pid_ns(nr, proc_pid_ns(dentry->d_sb)));
	rcu_read_unlock();
	mm = pid ? grab_mm(pid) : NULL;
	put_pid(pid);
	if (!mm)
		return;
	wr_status_show_mm(m, mm);
	mmdrop(mm);
}
