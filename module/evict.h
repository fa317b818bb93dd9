/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_EVICT_H
#define _WR_EVICT_H

int wr_evict_init(void);
void wr_evict_exit(void);

#endif /* _WR_EVICT_H */
