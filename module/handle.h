/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_HANDLE_H
#define _WR_HANDLE_H

long wr_handle_device(unsigned int cmd, void __user *argp);

#endif /* _WR_HANDLE_H */
