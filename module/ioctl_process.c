// SPDX-License-Identifier: GPL-2.0
/*
 * WINREGION_OPEN_PROCESS, and the ioctls of the descriptors that it makes: those of
 * the device, about the address space of another process.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "remote.h"
#include "status.h"
#include "trace.h"

/**
 * struct wr_process - what a descriptor of a process is
 * @mm: its address space; pinned by mmgrab()
 * @change: it may be changed
 *
 * Nothing changes.
 */
struct wr_process {
	struct mm_struct *mm;
	bool change;
};

static void free_process(struct wr_process *process)
{
	mmdrop(process->mm);
	kfree(process);
}

static int process_release(struct inode *inode, struct file *file)
{
	free_process(file->private_data);
	return 0;
}

/* The process has ended, or run another program, if nobody uses its memory. */
static long call_process(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct wr_process *process = file->private_data;
	long err;

	if (!mmget_not_zero(process->mm))
		return -EOWNERDEAD;
	err = wr_ioctl_remote(process->mm, process->change, cmd,
			      (void __user *)arg);
	mmput(process->mm);
	return err;
}

static long process_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	if (trace_wr_call_enabled())
		return wr_trace_ioctl(file, cmd, arg, call_process);
	return call_process(file, cmd, arg);
}

static void process_show(struct seq_file *m, struct file *file)
{
	struct wr_process *process = file->private_data;

	wr_status_show_process(m, process->mm, process->change);
}

static const struct file_operations process_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = process_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = process_show,
	.release = process_release,
	.llseek = noop_llseek,
};

/* Takes over the caller's reference to @mm, also if it fails. */
static struct file *make_process(struct mm_struct *mm, bool change)
{
	struct wr_process *process;
	struct file *file;

	process = kzalloc(sizeof(*process), GFP_KERNEL_ACCOUNT);
	if (!process) {
		mmdrop(mm);
		return ERR_PTR(-ENOMEM);
	}
	process->mm = mm;
	process->change = change;
	file = anon_inode_getfile("[winregion-process]", &process_operations,
				  process, O_RDWR);
	if (IS_ERR(file))
		free_process(process);
	return file;
}

static struct file *open_process(struct winregion_open_process *args)
{
	bool change = args->flags & WINREGION_PROCESS_CHANGE;
	struct file *memory = fget(args->memory);
	struct mm_struct *mm;

	if (!memory)
		return ERR_PTR(-EBADF);
	mm = wr_remote_mm(memory, change);
	fput(memory);
	if (IS_ERR(mm))
		return ERR_CAST(mm);
	return make_process(mm, change);
}

/* WINREGION_OPEN_PROCESS */
int wr_ioctl_open_process(struct wr_ioctl *call)
{
	struct winregion_open_process *args = &call->args.open_process;
	struct winregion_open_process __user *user = call->user;
	struct file *file;
	int fd;

	if (!wr_remote_is_there())
		return -ENOTTY;
	file = open_process(args);
	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0 || put_user(fd, &user->out_fd)) {
		if (fd >= 0)
			put_unused_fd(fd);
		fput(file);
		return fd < 0 ? fd : -EFAULT;
	}
	fd_install(fd, file);
	return 0;
}
