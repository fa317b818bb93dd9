/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_HANDLE_H
#define _WR_HANDLE_H

struct mm_struct;

int wr_check_new_part(const void __user *user, u32 left);
long wr_handle_device(unsigned int cmd, void __user *argp);
long wr_handle_remote(struct mm_struct *mm, unsigned int cmd,
		      void __user *argp);

#endif /* _WR_HANDLE_H */
