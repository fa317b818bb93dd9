/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_REMOTE_H
#define _WR_REMOTE_H

#include <linux/fs.h>
#include <linux/mm_types.h>

/* A part of a call. Return: 0 or an error. */
typedef int wr_remote_act(void *data);

void wr_remote_init(void);
bool wr_remote_is_there(void);

struct mm_struct *wr_remote_mm(struct file *file, bool change);

int wr_remote_do(struct mm_struct *mm, wr_remote_act *act, void *data);

/* What of a call needs a task that has @mm: the caller, if it is not @remote. */
static __always_inline int wr_remote_or_here(struct mm_struct *mm, bool remote,
					     wr_remote_act *act, void *data)
{
	return unlikely(remote) ? wr_remote_do(mm, act, data) : act(data);
}

#endif /* _WR_REMOTE_H */
