/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_PROTECTION_H
#define _WR_PROTECTION_H

#include <linux/types.h>

int wr_protection_state(u32 protection, u8 *state);
u32 wr_protection_sticky(u32 protection);
u32 wr_state_protection(u8 state, u32 region_protection);

#endif /* _WR_PROTECTION_H */
