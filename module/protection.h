/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_PROTECTION_H
#define _WR_PROTECTION_H

#include <linux/bitops.h>
#include <linux/types.h>

#include <linux/winregion.h>

#include "runs.h"

int wr_protection_state(u32 protection, u8 *state);
u32 wr_protection_sticky(u32 protection);

/* What of a committed page's state tells its protection */
#define WR_PROTECTION (WR_GUARD | WR_COMBINE | WR_RIGHTS | WR_EXEC_ONLY)

extern const u16 wr_state_protections[WR_PROTECTION + 1];
extern const u8 wr_protection_states[BITS_PER_BYTE];

/**
 * wr_protection_plain - the state for a protection that is one right
 * @protection: anything
 *
 * Return: as by wr_protection_state(), or 0 if it takes that.
 */
static __always_inline u8 wr_protection_plain(u32 protection)
{
	if (!protection || protection > 0xff || protection & (protection - 1))
		return 0;
	return wr_protection_states[__ffs(protection)];
}

/**
 * wr_state_protection - the protection of a page, as a query shows it
 * @state: the page's state
 * @region_protection: the allocation protection of its region
 *
 * Return: WINREGION_*, or 0 if the page is not committed.
 */
static __always_inline u32 wr_state_protection(u8 state, u32 region_protection)
{
	if (!(state & WR_COMMITTED))
		return 0;
	return wr_state_protections[state & WR_PROTECTION] |
	       (region_protection & WINREGION_NOCACHE);
}

#endif /* _WR_PROTECTION_H */
