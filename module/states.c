// SPDX-License-Identifier: GPL-2.0
/*
 * The table of states, and the WINREGION_* protections of pages that have them.
 *
 * A kind of page that is to come is a number in states.h and a row here; who asks
 * what a page may be used for need not know of it.
 */
#include <linux/errno.h>

#include "states.h"

#define R WR_READ
#define RW (WR_READ | WR_WRITE)
#define RX (WR_READ | WR_EXEC)
#define RWX (WR_READ | WR_WRITE | WR_EXEC)

/* Three rows: a protection alone, and with either of the modifiers of pages. */
#define WITH_MODIFIERS(name, access, what) \
	[WR_STATE_##name] = { \
		.protection = WINREGION_##name, \
		.rights = access, \
		.flags = what, \
	}, \
	[WR_STATE_##name##_GUARD] = { \
		.protection = WINREGION_##name | WINREGION_GUARD, \
		.flags = (what) | WR_IS_GUARD, \
		.disarmed = WR_STATE_##name, \
	}, \
	[WR_STATE_##name##_COMBINE] = { \
		.protection = WINREGION_##name | WINREGION_WRITECOMBINE, \
		.rights = access, \
		.flags = what, \
	}

const struct wr_state wr_states[U8_MAX + 1] = {
	[WR_STATE_NONE] = {},
	[WR_STATE_LOST] = {},
	[WR_STATE_FRAME] = {
		.protection = WINREGION_READWRITE,
		.rights = RW,
	},
	[WR_STATE_NOACCESS] = {
		.protection = WINREGION_NOACCESS,
	},
	WITH_MODIFIERS(READONLY, R, WR_IS_TRACKED),
	WITH_MODIFIERS(READWRITE, RW, 0),
	/* What may be executed may be read on some processors. */
	WITH_MODIFIERS(EXECUTE, RX, WR_IS_EXEC | WR_IS_TRACKED),
	WITH_MODIFIERS(EXECUTE_READ, RX, WR_IS_EXEC | WR_IS_TRACKED),
	WITH_MODIFIERS(EXECUTE_READWRITE, RWX, WR_IS_EXEC),
	[WR_STATE_WRITECOPY] = {
		.protection = WINREGION_WRITECOPY,
		.rights = R,
		.flags = WR_IS_TRACKED,
		.copied = WR_STATE_READWRITE,
	},
	[WR_STATE_WRITECOPY_GUARD] = {
		.protection = WINREGION_WRITECOPY | WINREGION_GUARD,
		.flags = WR_IS_TRACKED | WR_IS_GUARD,
		.disarmed = WR_STATE_WRITECOPY,
		.copied = WR_STATE_READWRITE_GUARD,
	},
	[WR_STATE_EXECUTE_WRITECOPY] = {
		.protection = WINREGION_EXECUTE_WRITECOPY,
		.rights = RX,
		.flags = WR_IS_EXEC | WR_IS_TRACKED,
		.copied = WR_STATE_EXECUTE_READWRITE,
	},
	[WR_STATE_EXECUTE_WRITECOPY_GUARD] = {
		.protection = WINREGION_EXECUTE_WRITECOPY | WINREGION_GUARD,
		.flags = WR_IS_EXEC | WR_IS_TRACKED | WR_IS_GUARD,
		.disarmed = WR_STATE_EXECUTE_WRITECOPY,
		.copied = WR_STATE_EXECUTE_READWRITE_GUARD,
	},
};

/* The state that shows just this protection, or 0. */
static u8 find_state(u32 protection)
{
	unsigned int i;

	for (i = WR_COMMITTED; i <= U8_MAX; i++)
		if (wr_states[i].protection == protection)
			return i;
	return 0;
}

/**
 * wr_protection_state - the state of committed pages with a protection
 * @protection: WINREGION_*
 * @state: set to the state
 *
 * WINREGION_NOCACHE is not a page's but a region's: wr_protection_sticky().
 * Rules: P-01 to P-12. What copies is valid for views only, which is for the caller to
 * see: wr_state_copies().
 *
 * Return: 0, or -EDOM if the protection is not valid.
 */
int wr_protection_state(u32 protection, u8 *state)
{
	u32 base = protection & 0xff, modifiers = protection & ~0xffU;
	u8 found = wr_protection_alone(base);

	if (base == WINREGION_WRITECOPY)
		found = WR_STATE_WRITECOPY;
	else if (base == WINREGION_EXECUTE_WRITECOPY)
		found = WR_STATE_EXECUTE_WRITECOPY;
	if (!found)
		return -EDOM;
	if (wr_state_is_exec(found)) /* has no effect, but is no error */
		modifiers &= ~WINREGION_TARGETS_INVALID;
	/* The modifiers exclude each other. */
	if (modifiers == WINREGION_NOCACHE && wr_state_rights(found))
		modifiers = 0;
	if (modifiers)
		found = find_state(base | modifiers);
	if (!found)
		return -EDOM;
	*state = found;
	return 0;
}

/* The most that views of a section with @protection can do, or 0 */
u8 wr_protection_rights(u32 protection)
{
	switch (protection) {
	case WINREGION_READONLY:
	case WINREGION_WRITECOPY:
		return WR_READ;
	case WINREGION_READWRITE:
		return WR_READ | WR_WRITE;
	case WINREGION_EXECUTE_READ:
	case WINREGION_EXECUTE_WRITECOPY:
		return WR_READ | WR_EXEC;
	case WINREGION_EXECUTE_READWRITE:
		return WR_READ | WR_WRITE | WR_EXEC;
	default:
		return 0;
	}
}

/* The state that a copy has made @state, or @state where there is none. */
u8 wr_state_copying(u8 state)
{
	unsigned int i;

	for (i = WR_COMMITTED; i <= U8_MAX; i++)
		if (wr_states[i].copied && wr_states[i].copied == state)
			return i;
	return state;
}

/* What of a protection given at reserve time the whole region remembers. */
u32 wr_protection_sticky(u32 protection)
{
	return protection & ~WINREGION_TARGETS_INVALID;
}
