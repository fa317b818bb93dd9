// SPDX-License-Identifier: GPL-2.0
/*
 * WINREGION_* protections and the states of pages that have them.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/log2.h>

#include <linux/winregion.h>

#include "protection.h"
#include "runs.h"

#define MODIFIERS (WINREGION_GUARD | WINREGION_NOCACHE | WINREGION_WRITECOMBINE)

#define WITH_MODIFIERS(rights, protection) \
	[(rights)] = (protection), \
	[(rights) | WR_GUARD] = (protection) | WINREGION_GUARD, \
	[(rights) | WR_COMBINE] = (protection) | WINREGION_WRITECOMBINE

/* The protection, but for WINREGION_NOCACHE; 0 where there is none. */
const u16 wr_state_protections[WR_PROTECTION + 1] = {
	WITH_MODIFIERS(0, WINREGION_NOACCESS),
	WITH_MODIFIERS(WR_READ, WINREGION_READONLY),
	WITH_MODIFIERS(WR_READ | WR_WRITE, WINREGION_READWRITE),
	WITH_MODIFIERS(WR_READ | WR_EXEC | WR_EXEC_ONLY, WINREGION_EXECUTE),
	WITH_MODIFIERS(WR_READ | WR_EXEC, WINREGION_EXECUTE_READ),
	WITH_MODIFIERS(WR_READ | WR_WRITE | WR_EXEC,
		       WINREGION_EXECUTE_READWRITE),
};

/* The other way round: each is one bit. 0 where there is no such protection. */
const u8 wr_protection_states[BITS_PER_BYTE] = {
	[ilog2(WINREGION_NOACCESS)] = WR_COMMITTED,
	[ilog2(WINREGION_READONLY)] = WR_COMMITTED | WR_READ,
	[ilog2(WINREGION_READWRITE)] = WR_COMMITTED | WR_READ | WR_WRITE,
	[ilog2(WINREGION_EXECUTE)] = WR_COMMITTED | WR_READ | WR_EXEC |
				     WR_EXEC_ONLY,
	[ilog2(WINREGION_EXECUTE_READ)] = WR_COMMITTED | WR_READ | WR_EXEC,
	[ilog2(WINREGION_EXECUTE_READWRITE)] = WR_COMMITTED | WR_READ |
					       WR_WRITE | WR_EXEC,
};

static bool modifiers_fit(u32 base, u32 modifiers)
{
	if (modifiers & ~MODIFIERS)
		return false;
	if (modifiers & (modifiers - 1))
		return false; /* they exclude each other */
	return !modifiers || base != WINREGION_NOACCESS;
}

/**
 * wr_protection_state - the state of committed pages with a protection
 * @protection: WINREGION_*
 * @state: set to the state
 *
 * WINREGION_NOCACHE is not a page's but a region's: wr_protection_sticky().
 * Rules: P-01 to P-12.
 *
 * Return: 0, or -EDOM if the protection is not valid for private memory.
 */
int wr_protection_state(u32 protection, u8 *state)
{
	u32 base = protection & 0xff, modifiers = protection & ~0xffU;
	u8 plain;

	if (!is_power_of_2(base))
		return -EDOM;
	plain = wr_protection_states[__ffs(base)];
	if (!plain)
		return -EDOM;
	if (plain & WR_EXEC) /* has no effect, but is no error */
		modifiers &= ~WINREGION_TARGETS_INVALID;
	if (!modifiers_fit(base, modifiers))
		return -EDOM;
	*state = plain;
	if (modifiers & WINREGION_GUARD)
		*state |= WR_GUARD;
	if (modifiers & WINREGION_WRITECOMBINE)
		*state |= WR_COMBINE;
	return 0;
}

/* What of a protection given at reserve time the whole region remembers. */
u32 wr_protection_sticky(u32 protection)
{
	return protection & ~WINREGION_TARGETS_INVALID;
}
