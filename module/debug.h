/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_DEBUG_H
#define _WR_DEBUG_H

void wr_debug_init(void);
void wr_debug_exit(void);

#endif /* _WR_DEBUG_H */
