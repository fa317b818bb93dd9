// SPDX-License-Identifier: GPL-2.0
/*
 * Calls about the memory of another process: who may make them, and who does it.
 *
 * Nothing tells a module whether the caller may trace a process. But the core has
 * decided that for who has a file of its memory in /proc open, so such a file is
 * what we ask for. It keeps hold of the address space that the process had then: with
 * the next program that it runs there is another one.
 *
 * What is changed there is changed by a kernel thread, which for this one call is what
 * a thread of that process would be: with its memory, credentials, limits and memory
 * cgroup. A kill of the caller ends it, as it ends a call about the caller's own memory,
 * and so does one of the process. But that process can have its mmap_lock held by who
 * waits for a file system of its own, so who is killed does not wait for the thread.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "account.h"
#include "errand.h"
#include "remote.h"

/* ---- who may ---- */

/*
 * What files of memory are known by: they have the operations that ours have had. Who
 * has one open has passed the check for tracing, or else that for reading.
 */
static const struct file_operations *traced __ro_after_init;
static const struct file_operations *looked_at __ro_after_init;

/* The operations of a file of /proc, if it holds on to memory as we think it does. */
static __init const struct file_operations *learn(const char *name)
{
	const struct file_operations *operations = NULL;
	struct file *file = filp_open(name, O_RDONLY | O_LARGEFILE, 0);

	if (IS_ERR(file))
		return NULL;
	if (file_inode(file)->i_sb->s_magic == PROC_SUPER_MAGIC &&
	    current->mm && file->private_data == current->mm)
		operations = file->f_op;
	filp_close(file, NULL);
	return operations;
}

/* If there is no /proc now there are no calls of this kind. */
void __init wr_remote_init(void)
{
	/* Else nothing leads from memory to a task. */
	if (!IS_ENABLED(CONFIG_MEMCG))
		return;
	traced = learn("/proc/self/mem");
	looked_at = learn("/proc/self/environ");
	if (traced == looked_at)
		looked_at = NULL;
}

/* Whether there are. */
bool wr_remote_is_there(void)
{
	return traced;
}

/**
 * wr_remote_mm - the address space that a file of /proc/PID is of
 * @file: the file, which the caller has open
 * @change: it is to be changed: for who may trace the process only
 *
 * Return: it, pinned by mmgrab(), or -EBADF: another file, -EKEYREJECTED: not for
 * changes, -EOWNERDEAD: it had none, -ENOEXEC: it is smaller than others.
 */
struct mm_struct *wr_remote_mm(struct file *file, bool change)
{
	struct mm_struct *mm;

	if (file->f_op != traced && (file->f_op != looked_at || !looked_at))
		return ERR_PTR(-EBADF);
	if (change && (file->f_op != traced || !(file->f_mode & FMODE_WRITE)))
		return ERR_PTR(-EKEYREJECTED);
	mm = file->private_data;
	if (!mm)
		return ERR_PTR(-EOWNERDEAD);
	/* The core would place mappings by what the kernel thread is. */
	if (mm->task_size < WR_MAP_WINDOW)
		return ERR_PTR(-ENOEXEC);
	mmgrab(mm);
	return mm;
}

/* ---- who does it ---- */

/* What of a process its threads ask for, and a kernel thread has to be told. */
static const unsigned int limits[] = {
	RLIMIT_AS,
	RLIMIT_DATA,
	RLIMIT_STACK,
	RLIMIT_MEMLOCK,
};

/**
 * struct wr_remote - a call that a kernel thread makes
 * @errand: for it
 * @mm: about which address space; it is in use
 * @ops: what is to be done
 * @cred: whose credentials count
 * @personality: the same
 * @limits: the same
 * @held: @data keeps what it points to
 * @data: for @ops: the thread's own, as it may be here for longer than the caller
 */
struct wr_remote {
	struct wr_errand errand;
	struct mm_struct *mm;
	const struct wr_remote_ops *ops;
	const struct cred *cred;
	unsigned int personality;
	unsigned long limits[ARRAY_SIZE(limits)];
	bool held;
	u64 data[];
};

static struct wr_remote *to_remote(struct wr_errand *errand)
{
	return container_of(errand, struct wr_remote, errand);
}

/* The thread is nobody else's, so all of it may be changed. */
static void become(struct wr_remote *remote)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(limits); i++)
		current->signal->rlim[limits[i]].rlim_cur = remote->limits[i];
	current->personality = remote->personality;
}

static int act(struct wr_errand *errand)
{
	struct wr_remote *remote = to_remote(errand);
	struct wr_account account;
	const struct cred *cred;
	int ret;

	become(remote);
	cred = override_creds(remote->cred);
	kthread_use_mm(remote->mm);
	wr_account_begin(&account, remote->mm);
	ret = remote->ops->act(remote->data);
	wr_account_end(&account);
	kthread_unuse_mm(remote->mm);
	revert_creds(cred);
	return ret;
}

static void free_remote(struct wr_errand *errand)
{
	struct wr_remote *remote = to_remote(errand);

	if (remote->held && remote->ops->drop)
		remote->ops->drop(remote->data);
	put_cred(remote->cred);
	mmput(remote->mm);
	kfree(remote);
}

/* Whether no task has the memory any more, but those that are in calls about it. */
static bool has_ended(struct mm_struct *mm)
{
	bool ended;

	rcu_read_lock();
	ended = !wr_mm_owner(mm);
	rcu_read_unlock();
	return ended;
}

/* A task that has the memory; it is counted. */
static struct task_struct *owner_of(struct mm_struct *mm)
{
	struct task_struct *task;

	rcu_read_lock();
	task = wr_mm_owner(mm);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	return task;
}

/*
 * Whether what was read of a task is that of who has the memory: an exec takes the next
 * program's memory first, and then its credentials.
 */
static bool is_still_owner(struct task_struct *task, struct mm_struct *mm)
{
	bool still;

	task_lock(task);
	still = task->mm == mm;
	task_unlock(task);
	return still;
}

/* Return: 0, or -EOWNERDEAD. On success @remote->cred is counted. */
static int learn_from_owner(struct wr_remote *remote)
{
	struct task_struct *task = owner_of(remote->mm);
	unsigned int i;

	if (!task)
		return -EOWNERDEAD;
	remote->cred = get_task_cred(task);
	remote->personality = READ_ONCE(task->personality);
	for (i = 0; i < ARRAY_SIZE(limits); i++)
		remote->limits[i] = task_rlimit(task, limits[i]);
	if (!is_still_owner(task, remote->mm)) {
		put_cred(remote->cred);
		put_task_struct(task);
		return -EOWNERDEAD;
	}
	put_task_struct(task);
	return 0;
}

/* How often it is looked whether the process is still there */
#define LOOK_EVERY (HZ / 10)

/* Return: whether it is done; else the caller is killed. */
static bool wait_for_it(struct wr_remote *remote)
{
	struct wr_errand *errand = &remote->errand;
	long left;

	do {
		left = wait_for_completion_killable_timeout(&errand->done,
							    LOOK_EVERY);
		if (!left && has_ended(remote->mm))
			wr_errand_kill(errand);
	} while (!left);
	return left > 0;
}

/* What was begun is done. */
static int take_answer(struct wr_remote *remote, void *data)
{
	const struct wr_remote_ops *ops = remote->ops;
	int err = remote->errand.ret;

	if (err == -EINTR && !fatal_signal_pending(current))
		return -EOWNERDEAD;
	if (ops->tell)
		ops->tell(data, remote->data);
	else
		memcpy(data, remote->data, ops->size);
	return err;
}

/* What is left to the thread, which the process may keep waiting for long, it frees. */
static int run_and_wait(struct wr_remote *remote, void *data)
{
	int err = wr_errand_begin(&remote->errand);

	if (!err) {
		if (!wait_for_it(remote) && wr_errand_leave(&remote->errand))
			return -EINTR;
		err = take_answer(remote, data);
	}
	wr_errand_free(&remote->errand);
	return err;
}

/* For @data, with what they point to. Return: it, or an error. */
static struct wr_remote *new_remote(struct mm_struct *mm,
				    const struct wr_remote_ops *ops,
				    const void *data)
{
	struct wr_remote *remote;
	int err;

	remote = kzalloc(sizeof(*remote) + ops->size, GFP_KERNEL_ACCOUNT);
	if (!remote)
		return ERR_PTR(-ENOMEM);
	remote->mm = mm;
	err = learn_from_owner(remote);
	if (err) {
		kfree(remote);
		return ERR_PTR(err);
	}
	mmget(mm);
	remote->errand.act = act;
	remote->errand.free = free_remote;
	remote->ops = ops;
	memcpy(remote->data, data, ops->size);
	err = ops->hold ? ops->hold(remote->data) : 0;
	if (err) {
		free_remote(&remote->errand);
		return ERR_PTR(err);
	}
	remote->held = true;
	return remote;
}

/**
 * wr_remote_do - do something as if a thread of another process did
 * @mm: the process's address space; the caller has a reference that keeps it in use
 * @ops: what is done; current->mm is @mm then, and no user memory of the caller's can be
 *	read or written
 * @data: for it; on return what they are when it is done
 *
 * A caller that is killed waits for nothing, whatever the process does, as long as there
 * are not many of them. It may have been done nevertheless.
 *
 * Return: what it has returned, or -EOWNERDEAD: the process has ended, -EINTR: the
 * caller is being killed, -ENOMEM.
 */
int wr_remote_do(struct mm_struct *mm, const struct wr_remote_ops *ops,
		 void *data)
{
	struct wr_remote *remote = new_remote(mm, ops, data);

	if (IS_ERR(remote))
		return PTR_ERR(remote);
	return run_and_wait(remote, data);
}
