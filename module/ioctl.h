/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_IOCTL_H
#define _WR_IOCTL_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <linux/winregion.h>

#include "remote.h"

/**
 * struct wr_ioctl - a call that is going on
 * @mm: the address space that it is about
 * @user: its argument
 * @hard: it is known not to be easy: see quick.h
 * @remote: the address space is another process's
 * @change: it may be changed
 * @gone: pages that have lost what was to be taken back
 * @args: the argument as it was read; what every one begins with is checked
 */
struct wr_ioctl {
	struct mm_struct *mm;
	void __user *user;
	bool hard;
	bool remote;
	bool change;
	unsigned long gone;
	union {
		struct {
			__u32 size;
			__u32 flags;
		} head;
		struct winregion_get_info get_info;
		struct winregion_reserve reserve;
		struct winregion_release release;
		struct winregion_set_stack set_stack;
		struct winregion_change change;
		struct winregion_reset reset;
		struct winregion_query query;
		struct winregion_query_runs query_runs;
		struct winregion_last_fault last_fault;
		struct winregion_write_watch write_watch;
		struct winregion_lock lock;
		struct winregion_frames frames;
		struct winregion_map_frames map_frames;
		struct winregion_open_process open_process;
	} args;
};

/* The handlers in the table: 0, or the error of the call. */
int wr_ioctl_get_info(struct wr_ioctl *call);
int wr_ioctl_reserve(struct wr_ioctl *call);
int wr_ioctl_release(struct wr_ioctl *call);
int wr_ioctl_set_stack(struct wr_ioctl *call);
int wr_ioctl_commit(struct wr_ioctl *call);
int wr_ioctl_decommit(struct wr_ioctl *call);
int wr_ioctl_protect(struct wr_ioctl *call);
int wr_ioctl_reset(struct wr_ioctl *call);
int wr_ioctl_query(struct wr_ioctl *call);
int wr_ioctl_query_runs(struct wr_ioctl *call);
int wr_ioctl_last_fault(struct wr_ioctl *call);
int wr_ioctl_write_watch(struct wr_ioctl *call);
int wr_ioctl_lock(struct wr_ioctl *call);
int wr_ioctl_frames(struct wr_ioctl *call);
int wr_ioctl_map_frames(struct wr_ioctl *call);
int wr_ioctl_open_process(struct wr_ioctl *call);

/* For them */
int wr_ioctl_pages(const struct wr_ioctl *call, u64 address, u64 length,
		   pgoff_t *first, pgoff_t *end);
int wr_ioctl_region_pages(const struct wr_ioctl *call, u64 address, u64 length,
			  pgoff_t *first, pgoff_t *end);
int wr_ioctl_node(bool given, u32 number, int *node);

/*
 * Writes an answer of whole words: copy_to_user() without the calls. Return: 0 or
 * -EFAULT.
 */
static __always_inline int wr_ioctl_write(void __user *to, const void *from,
					  const u32 bytes)
{
	const u64 *words = from;
	u64 __user *user = to;
	unsigned int i;

	if (!user_write_access_begin(user, bytes))
		return -EFAULT;
#pragma GCC unroll 16
	for (i = 0; i < bytes / sizeof(*words); i++)
		unsafe_put_user(words[i], &user[i], fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* What is done in one step if it is easy, else by the table: ioctl_plain.c */
long wr_ioctl_commit_plain(struct winregion_change __user *user);
long wr_ioctl_decommit_plain(struct winregion_change __user *user);
long wr_ioctl_protect_plain(struct winregion_change __user *user);
long wr_ioctl_query_plain(struct winregion_query __user *user);
bool wr_ioctl_query_other(struct mm_struct *mm,
			  struct winregion_query __user *user, int *err);

long wr_ioctl_by_table(unsigned int cmd, void __user *user, bool hard);
long wr_ioctl_remote(struct mm_struct *mm, bool change, unsigned int cmd,
		     void __user *user);
long wr_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _WR_IOCTL_H */
