// SPDX-License-Identifier: GPL-2.0
/* The trace events are made here; trace.h says what they are. */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

/* The process that an address space is of, or 0: it has ended, or @ns has none such. */
pid_t wr_trace_pid_in(struct mm_struct *mm, struct pid_namespace *ns)
{
	struct task_struct *owner;
	pid_t pid = 0;

	rcu_read_lock();
	owner = wr_mm_owner(mm);
	if (owner)
		pid = task_tgid_nr_ns(owner, ns);
	rcu_read_unlock();
	return pid;
}

/* The same as those who trace the machine know it. */
pid_t wr_trace_pid(struct mm_struct *mm)
{
	return wr_trace_pid_in(mm, &init_pid_ns);
}

/*
 * The process that a fault is in, which has been answered. If it is to be tried again the
 * file may have given up the lock that keeps the VMA: then nobody knows of another's.
 */
pid_t wr_trace_answered(const struct vm_fault *vmf, vm_fault_t answer)
{
	if (!(answer & VM_FAULT_RETRY))
		return wr_trace_pid(vmf->vma->vm_mm);
	return vmf->flags & FAULT_FLAG_REMOTE ? 0 : wr_trace_pid(current->mm);
}

/* The access that has faulted: WINREGION_ACCESS_* */
u32 wr_trace_access(const struct vm_fault *vmf)
{
	if (vmf->flags & FAULT_FLAG_WRITE)
		return WINREGION_ACCESS_WRITE;
	if (vmf->flags & FAULT_FLAG_INSTRUCTION)
		return WINREGION_ACCESS_EXECUTE;
	return WINREGION_ACCESS_READ;
}

/*
 * What a program has at @from, all or nothing. No fault is taken for it: to be watched
 * must not make a page, nor take a guard.
 */
static void read_words(u64 *words, const void __user *from)
{
	const size_t most = WR_TRACE_WORDS * sizeof(*words);
	u32 size;

	if (!copy_from_user_nofault(&size, from, sizeof(size)) &&
	    !copy_from_user_nofault(words, from, min_t(size_t, size, most)))
		return;
	memset(words, 0, most);
}

/**
 * wr_trace_ioctl - a call that is told of
 * @file: of its descriptor
 * @cmd: WINREGION_*
 * @arg: user pointer to its structure
 * @call: what does it
 *
 * Return: what @call does.
 */
noinline long wr_trace_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg,
			     long (*call)(struct file *file, unsigned int cmd,
					  unsigned long arg))
{
	struct wr_trace_call told = { .cmd = cmd };
	u64 start;

	read_words(told.before, (void __user *)arg);
	start = ktime_get_ns();
	told.result = call(file, cmd, arg);
	told.took = ktime_get_ns() - start;
	read_words(told.after, (void __user *)arg);
	trace_wr_call(&told);
	return told.result;
}
