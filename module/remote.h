/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_REMOTE_H
#define _WR_REMOTE_H

#include <linux/fs.h>
#include <linux/mm_types.h>

/**
 * struct wr_remote_ops - a part of a call that needs a task that has the memory
 * @act: what is done, with data of @size bytes. Return: 0 or an error
 * @size: of the data
 * @hold: has a copy of them keep what they point to; 0 or an error. NULL: nothing
 * @tell: has the data say what the copy does when it is done. NULL: all of it
 * @drop: gives up what @hold has taken. NULL: nothing
 *
 * Of the caller's own memory it is @act alone.
 */
struct wr_remote_ops {
	int (*act)(void *data);
	size_t size;
	int (*hold)(void *copy);
	void (*tell)(void *data, const void *copy);
	void (*drop)(void *copy);
};

void wr_remote_init(void);
bool wr_remote_is_there(void);

struct mm_struct *wr_remote_mm(struct file *file, bool change);

int wr_remote_do(struct mm_struct *mm, const struct wr_remote_ops *ops,
		 void *data);

/* What of a call needs a task that has @mm: the caller, if it is not @remote. */
static __always_inline int wr_remote_or_here(struct mm_struct *mm, bool remote,
					     const struct wr_remote_ops *ops,
					     void *data)
{
	return unlikely(remote) ? wr_remote_do(mm, ops, data) : ops->act(data);
}

#endif /* _WR_REMOTE_H */
