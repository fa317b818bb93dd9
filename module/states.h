/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_STATES_H
#define _WR_STATES_H

#include <linux/bitops.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/types.h>

#include <linux/winregion.h>

/*
 * The state of a page is a number, which takes a byte: see runs.h. All that one
 * means is in its row of wr_states, but for one thing that its highest bit tells,
 * so that those of eight pages can be looked at together.
 */
#define WR_COMMITTED 0x80

/* The state that is one protection without modifiers: has the number of its bit. */
#define WR_STATE_ALONE(protection) (WR_COMMITTED + const_ilog2(protection))

enum {
	WR_STATE_NONE, /* reserved where a region contains it, else free */
	WR_STATE_LOST, /* the same, and no VMA of ours is there any more */
	WR_STATE_FRAME, /* a frame is mapped there: see physical.c */

	WR_STATE_NOACCESS = WR_STATE_ALONE(WINREGION_NOACCESS),
	WR_STATE_READONLY = WR_STATE_ALONE(WINREGION_READONLY),
	WR_STATE_READWRITE = WR_STATE_ALONE(WINREGION_READWRITE),
	WR_STATE_EXECUTE = WR_STATE_ALONE(WINREGION_EXECUTE),
	WR_STATE_EXECUTE_READ = WR_STATE_ALONE(WINREGION_EXECUTE_READ),
	WR_STATE_EXECUTE_READWRITE =
		WR_STATE_ALONE(WINREGION_EXECUTE_READWRITE),

	WR_STATE_READONLY_GUARD = WR_COMMITTED + BITS_PER_BYTE,
	WR_STATE_READWRITE_GUARD,
	WR_STATE_EXECUTE_GUARD,
	WR_STATE_EXECUTE_READ_GUARD,
	WR_STATE_EXECUTE_READWRITE_GUARD,
	WR_STATE_READONLY_COMBINE,
	WR_STATE_READWRITE_COMBINE,
	WR_STATE_EXECUTE_COMBINE,
	WR_STATE_EXECUTE_READ_COMBINE,
	WR_STATE_EXECUTE_READWRITE_COMBINE,

	/* Of views only, so it is not looked for by the number of its bit. */
	WR_STATE_WRITECOPY,
	WR_STATE_WRITECOPY_GUARD,
	WR_STATE_EXECUTE_WRITECOPY,
	WR_STATE_EXECUTE_WRITECOPY_GUARD,
};

/* Rights */
#define WR_READ 0x01
#define WR_WRITE 0x02
#define WR_EXEC 0x04

/* Flags of struct wr_state */
#define WR_IS_GUARD 0x01 /* the next access makes it @disarmed and fails */
#define WR_IS_EXEC 0x02 /* it belongs into a VMA that is executable */
#define WR_IS_TRACKED 0x04 /* it needs a window with write faults */

/**
 * struct wr_state - what a state means
 * @protection: what a query shows, but for what is the region's; 0 if the page
 *	is neither committed nor a frame
 * @rights: what the page may be used for right now
 * @flags: WR_IS_*
 * @disarmed: of a guard: the state once that has gone off
 * @copied: where a write makes a copy of the page: the state with that; else 0
 */
struct wr_state {
	u32 protection;
	u8 rights;
	u8 flags;
	u8 disarmed;
	u8 copied;
};

/* A row for each number, so that any byte may be looked up. */
extern const struct wr_state wr_states[U8_MAX + 1];

static inline bool wr_state_is_committed(u8 state)
{
	return state & WR_COMMITTED;
}

/* Whether it is memory, as a query shows it; of a frame the charge is another matter. */
static inline bool wr_state_is_memory(u8 state)
{
	return wr_states[state].protection;
}

static inline bool wr_state_is_lost(u8 state)
{
	return state == WR_STATE_LOST;
}

static inline bool wr_state_is_guard(u8 state)
{
	return wr_states[state].flags & WR_IS_GUARD;
}

static inline bool wr_state_is_exec(u8 state)
{
	return wr_states[state].flags & WR_IS_EXEC;
}

/* Pages that may be read but not written, now or once they are disarmed. */
static inline bool wr_state_needs_tracking(u8 state)
{
	return wr_states[state].flags & WR_IS_TRACKED;
}

/* Pages that may be executed and written, now or once they are disarmed. */
static inline bool wr_state_is_write_exec(u8 state)
{
	return wr_state_is_exec(state) && !wr_state_needs_tracking(state);
}

static inline u8 wr_state_rights(u8 state)
{
	return wr_states[state].rights;
}

static inline bool wr_state_allows(u8 state, u8 rights)
{
	return (wr_states[state].rights & rights) == rights;
}

static inline u8 wr_state_disarmed(u8 state)
{
	return wr_states[state].disarmed;
}

/* Whether a write makes a copy of the page, now or once a guard has gone off. */
static inline bool wr_state_copies(u8 state)
{
	return wr_states[state].copied;
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
	if (!wr_state_is_memory(state))
		return 0;
	return wr_states[state].protection |
	       (region_protection & WINREGION_NOCACHE);
}

/**
 * wr_protection_alone - the state for a protection without modifiers
 * @protection: anything
 *
 * Return: as by wr_protection_state(), or 0 if it takes that.
 */
static __always_inline u8 wr_protection_alone(u32 protection)
{
	u8 state;

	if (!protection || protection > 0xff)
		return 0;
	state = WR_COMMITTED + __ffs(protection);
	return wr_states[state].protection == protection ? state : 0;
}

int wr_protection_state(u32 protection, u8 *state);
u8 wr_protection_rights(u32 protection);
u8 wr_state_copying(u8 state);
u32 wr_protection_sticky(u32 protection);

#endif /* _WR_STATES_H */
